"""How far a rule may act, one step at a time, and what evidence a step up still lacks (docs/decisions/0018).

Owns the ladder draft, shadow, flag, enforce and what each rung asks for, and the edit of the rule file that takes it.
Refuses to know where evidence comes from. A step down asks for nothing: a rule that errs must be easy to stop.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.inspection.nodes import parse
from gateway.model import RuleStatus

_LADDER: Final = tuple(RuleStatus)
_STATUS: Final = re.compile(r"(?m)^status:[ \t]*([^\s#]+)")
_CHANGED: Final = re.compile(r"(?m)^changed:[ \t]*([^\s#]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """What a force asks of a rule: days at the rung below, reviewers' decisions, and how many of them agree."""

    days: int
    decisions: int
    precision: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a rule as it stands, at its version.

    ``mistakes`` are lint's in its file, ``ordinary`` the ordinary mails on which it fires and is not accepted, ``days`` how
    long it was in force at its status. ``confirmed`` and ``false_alarms`` count what reviewers said of mail it fired on.
    """

    mistakes: tuple[str, ...]
    ordinary: tuple[str, ...]
    days: int
    confirmed: int
    false_alarms: int

    @property
    def decided(self) -> int:
        """How many mails on which it fired a reviewer decided about."""
        return self.confirmed + self.false_alarms


def lacking(status: RuleStatus, to: RuleStatus, evidence: Evidence, bars: Bars) -> tuple[str, ...]:
    """Return what stands against the step from ``status`` to ``to``, a sentence each; empty when it may be taken."""
    here, there = _LADDER.index(status), _LADDER.index(to)
    if there == here:
        return (f"it is {status} already",)
    if there < here:
        return ()
    if there > here + 1:
        return (f"one step at a time: from {status} to {_LADDER[here + 1]} first",)
    return tuple(_lacking(to, evidence, bars))


def _lacking(to: RuleStatus, evidence: Evidence, bars: Bars) -> Iterator[str]:
    yield from evidence.mistakes
    if to is RuleStatus.SHADOW:
        return
    if evidence.ordinary:
        shown = ", ".join(evidence.ordinary[:5]) + (", ..." if len(evidence.ordinary) > 5 else "")
        yield f"it fires on ordinary mail that does not list it: {shown}"
    if evidence.days < bars.days:
        below = _LADDER[_LADDER.index(to) - 1]
        yield f"it was in force as {below} for {evidence.days} days at this version; {bars.days} are asked for"
    if to is not RuleStatus.ENFORCE:
        return
    if evidence.decided < bars.decisions:
        yield f"reviewers decided on fewer than {bars.decisions} mails that it fired on"
    elif evidence.confirmed < bars.precision * evidence.decided:
        share = evidence.confirmed / evidence.decided
        yield f"reviewers confirmed {share:.0%} of what it fired on; {bars.precision:.0%} are asked for"


def with_status(text: str, to: RuleStatus, day: date) -> str:
    """Return the text of a rule file with another status and day of change, everything else as it stands.

    The version stays: what the rule catches does not change. Raises ValueError where the keys do not stand at the
    beginning of a line of their own: then a person must make the edit.
    """
    edited, found = _STATUS.subn(lambda old: old[0][: -len(old[1])] + to.value, text)
    if found != 1:
        raise ValueError("`status:` does not stand on a line of its own")
    if _CHANGED.search(edited):
        edited = _CHANGED.sub(lambda old: old[0][: -len(old[1])] + day.isoformat(), edited)
    else:
        edited = _STATUS.sub(lambda line: f"changed: {day.isoformat()}\n{line[0]}", edited)
    if _values(edited) != _values(text) | {"status": to.value, "changed": day}:
        raise ValueError("the file is written in a way that cannot be edited line by line")
    return edited


def standing(text: str) -> tuple[str, int]:
    """Return status and version of a rule file, empty and 0 where it says nothing readable."""
    values = _values(text)
    version = values.get("version")
    return str(values.get("status", "")), version if isinstance(version, int) else 0


def _values(text: str) -> dict[str, object]:
    document, _ = parse("", text)
    return document.value if document is not None and isinstance(document.value, dict) else {}
