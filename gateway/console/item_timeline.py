"""What one officer wrote to one contact over time, drawn as a picture by the server; the page has the same as a table.

Pure: rows to coordinates. The picture is markup of our own with classes alone, since the page's policy refuses style.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.model import Action
from gateway.store.related import Moment

WIDTH, HEIGHT = 640, 120
_LEFT, _RIGHT = 56, 12
_LANES = {Action.HOLD: 24, Action.FLAG: 56, Action.PASS: 88}
_SHORTEST = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One message. ``is_this`` is the one on the page."""

    x: float
    y: int
    moment: Moment
    is_this: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The picture: dots in three lanes between two dates."""

    dots: tuple[Dot, ...]
    lanes: tuple[tuple[str, int], ...]
    begin: datetime
    end: datetime
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT


def timeline(moments: tuple[Moment, ...], this: str) -> Timeline | None:
    """Return the picture of ``moments``, or None when there is nothing beside ``this`` to draw."""
    if len(moments) < 2:
        return None
    begin, end = min(one.at for one in moments), max(one.at for one in moments)
    span = max(end - begin, _SHORTEST)
    dots = tuple(
        Dot(
            x=round(_LEFT + 8 + (one.at - begin) / span * (WIDTH - _LEFT - _RIGHT - 16), 1),
            y=_LANES[one.action],
            moment=one,
            is_this=one.id == this,
        )
        for one in moments
    )
    lanes = tuple((action.value, y) for action, y in _LANES.items())
    return Timeline(dots=dots, lanes=lanes, begin=begin, end=begin + span)
