"""How things are written on a page: the templates' environment, times, ages, and words for states.

Everything is escaped, and a name that is not given is a fault, not an empty place. Knows no request.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup, escape

from gateway.console.static_files import Statics
from gateway.model import ItemState
from gateway.store.rows import ExcludedWhy, Item

STATES = {
    ItemState.HELD: "waiting",
    ItemState.REFERRED: "with professional standards",
    ItemState.RELEASING: "being released",
    ItemState.RELEASE_FAILED: "release failed",
    ItemState.RELEASED: "released",
    ItemState.PARTLY_RELEASED: "partly released",
    ItemState.RETURNED: "returned",
    ItemState.OPEN: "open",
    ItemState.CLOSED: "closed",
}

KEPT = {
    ExcludedWhy.SENDER: "sender",
    ExcludedWhy.ADDRESSED: "addressed",
    ExcludedWhy.NAMED: "named",
    ExcludedWhy.REPORTS: "reports to a sender",
    ExcludedWhy.EARLIER: "may not know of an earlier item that this one tells of",
    ExcludedWhy.UNKNOWN: "recorded without a reason",
}

_KINDS = {
    "category": "what it says:",
    "combination": "what comes together:",
    "threshold": "the score",
    "parties": "who writes to whom:",
    "unreadable": "what could not be read:",
}
_NO_NAME = {"threshold:hold_at": "", "threshold:flag_at": ""}
"""Grounds whose kind says it all."""


_SPACE = {ord(char): None for char in "\n\t "}


def environment(statics: Statics, zone: ZoneInfo) -> jinja2.Environment:
    """Return the environment of the templates. ``zone`` is the one in which times are shown."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = statics.address
    made.filters["when"] = partial(moment, zone=zone)
    made.filters["age"] = age
    made.filters["state"] = STATES.__getitem__
    made.filters["kept"] = KEPT.__getitem__
    made.filters["visible"] = visible
    made.filters["subject"] = subject
    made.filters["grounds"] = grounds
    return made


def moment(at: datetime, zone: ZoneInfo) -> Markup:
    """Return a time for people, in ``zone``, with the exact one for programs."""
    local = at.astimezone(zone)
    shown = f"{local.day} {local:%b %Y, %H:%M}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{local:%A} {shown} {local:%Z}", shown
    )


def age(past: timedelta) -> str:
    """Return how long something has lasted, in its two largest units."""
    minutes = max(0, int(past.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else "under 1 min"


def grounds(because: Iterable[str]) -> str:
    """Return what a verdict's ``because`` says, for people: the kinds of grounds in their order, each named once."""
    kinds: dict[str, list[str]] = {}
    for ground in because:
        kind, _, name = ground.partition(":")
        kinds.setdefault(kind, []).append(_NO_NAME.get(ground, name.replace("-", " ").replace("_", " ")))
    said = (f"{_KINDS.get(kind, kind)} {', '.join(names)}".strip() for kind, names in kinds.items())
    return "; ".join(said)


def subject(item: Item) -> Markup:
    """Return the subject of an item, or why none is shown."""
    if item.subject:
        return visible(item.subject)
    return Markup("(cannot be opened)") if item.unopened else Markup("(no subject)")


def visible(text: str) -> Markup:
    """Return text of a message with what a browser would obey or hide (controls, marks of direction) made visible.

    Isolated, so that a right-to-left override in a subject cannot reorder what stands beside it.
    """
    if text.translate(_SPACE).isprintable():  # nearly always, and a long text is not walked letter by letter
        return Markup("<bdi>{}</bdi>").format(escape(text))
    plain = "".join(
        char
        if char.isprintable() or char in "\n\t "
        else f"\N{LEFT WHITE SQUARE BRACKET}U+{ord(char):04X}\N{RIGHT WHITE SQUARE BRACKET}"
        for char in text
    )
    return Markup("<bdi>{}</bdi>").format(escape(plain))
