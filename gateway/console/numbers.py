"""The numbers page: what waits and since when, what was decided and how fast, by unit and rule; plots with a table beneath.

Counts are of what the visitor may know of. Cells of fewer than five are not shown where figures are by unit or rule
(DECISIONS 30), and where one cell alone would be hidden a second one is, or the rest would give it away.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from markupsafe import Markup
from starlette.responses import Response

from gateway.console.pages import Page, Visit
from gateway.console.plots import bars
from gateway.review.access import Permission
from gateway.review.sight import sight_of
from gateway.store import Tx, figures
from gateway.store.figures import Decided, RuleFigures, Waiting
from gateway.store.rows import DecisionAction

SMALLEST = 5
_WEEKS = 12
_AGES = (
    ("under 1 h", timedelta(hours=1)),
    ("1 to 4 h", timedelta(hours=4)),
    ("4 to 24 h", timedelta(hours=24)),
    ("1 to 3 d", timedelta(days=3)),
    ("over 3 d", timedelta.max),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with the plot above it, if it has one. A cell None is one that is not shown."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    plot: Markup | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    waiting: tuple[Waiting, ...]
    decided: tuple[Decided, ...]
    rules: tuple[RuleFigures, ...]


async def show(visit: Visit) -> Response:
    """Show the figures."""
    desk, now = visit.desk, visit.desk.now()
    sight = sight_of(visit.person, visit.registry, Permission.NUMBERS_VIEW)
    zone = ZoneInfo(desk.settings.console.timezone)
    monday = _monday(now, zone)
    since = monday - timedelta(weeks=_WEEKS - 1)

    def look(tx: Tx) -> _Found:
        return _Found(
            figures.waiting(tx, sight), figures.decided(tx, sight, since), figures.rules(tx, sight, since)
        )

    found = await desk.store.read(look)
    weeks = tuple(since + timedelta(weeks=number) for number in range(_WEEKS))
    tables = (
        by_age(found.waiting, now),
        by_unit(found.waiting, found.decided, now),
        by_week(found.decided, weeks, zone),
        speed_by_week(found.decided, weeks, zone),
        by_rule(found.rules),
    )
    return visit.page("numbers.html", tables=tables, weeks=_WEEKS, smallest=SMALLEST)


def shown(counts: Sequence[int]) -> tuple[str | None, ...]:
    """Return counts as they may be shown: fewer than five is None, and one None alone takes the next smallest with it."""
    hidden = {place for place, count in enumerate(counts) if 0 < count < SMALLEST}
    if len(hidden) == 1:
        rest = [(count, place) for place, count in enumerate(counts) if count and place not in hidden]
        hidden |= {min(rest)[1]} if rest else set()
    return tuple(None if place in hidden else str(count) for place, count in enumerate(counts))


def by_age(waiting: Iterable[Waiting], now: datetime) -> Table:
    """Return how many holds wait, by how long they have."""
    counts = Counter(next(name for name, most in _AGES if now - one.held_at < most) for one in waiting)
    values = [(name, counts[name]) for name, _ in _AGES]
    return Table(
        title="Holds that wait, by how long",
        head=("Waiting", "Holds"),
        rows=tuple((name, str(count)) for name, count in values),
        plot=bars("Holds that wait, by how long", values),
    )


def by_unit(waiting: Sequence[Waiting], decided: Sequence[Decided], now: datetime) -> Table:
    """Return what waits and what was decided per unit; the median wait where enough wait."""
    waits: dict[str, list[float]] = {}
    for one in waiting:
        waits.setdefault(one.unit, []).append((now - one.held_at).total_seconds())
    done = Counter(one.unit for one in decided)
    units = sorted({*waits, *done})
    of_waiting, of_done = (
        shown([len(waits.get(unit, ())) for unit in units]),
        shown([done[unit] for unit in units]),
    )
    rows = tuple(
        (
            unit or "no unit",
            of_waiting[number],
            _hours(median(waits[unit])) if of_waiting[number] not in {None, "0"} else None,
            of_done[number],
        )
        for number, unit in enumerate(units)
    )
    return Table(title="By unit", head=("Unit", "Waiting", "Median wait, h", "Decided"), rows=rows)


def by_week(decided: Sequence[Decided], weeks: Sequence[datetime], zone: ZoneInfo) -> Table:
    """Return how many holds were released and returned in each week."""
    counts = Counter((_monday(one.at, zone), one.action) for one in decided)
    released = [counts[week, DecisionAction.RELEASE] for week in weeks]
    returned = [counts[week, DecisionAction.RETURN] for week in weeks]
    names = [_name(week, zone) for week in weeks]
    rows = tuple(
        (name, str(one), str(other)) for name, one, other in zip(names, released, returned, strict=True)
    )
    both = [one + other for one, other in zip(released, returned, strict=True)]
    return Table(
        title="Decided, by week",
        head=("Week of", "Released", "Returned"),
        rows=rows,
        plot=bars("Decided, by week", list(zip(names, both, strict=True))),
    )


def speed_by_week(decided: Sequence[Decided], weeks: Sequence[datetime], zone: ZoneInfo) -> Table:
    """Return the median hours from receipt to decision in each week."""
    took: dict[datetime, list[float]] = {}
    for one in decided:
        took.setdefault(_monday(one.at, zone), []).append((one.at - one.held_at).total_seconds())
    values = [
        (_name(week, zone), round(median(took[week]) / 3600, 2) if week in took else None) for week in weeks
    ]
    return Table(
        title="Median time to a decision, hours, by week",
        head=("Week of", "Median, h"),
        rows=tuple((name, None if value is None else f"{value:g}") for name, value in values),
        plot=bars("Median time to a decision, hours, by week", values),
    )


def by_rule(found: Sequence[RuleFigures]) -> Table:
    """Return per rule its items, and how many of those with a label were crossings."""
    of_items = shown([one.items for one in found])
    rows = tuple(
        (
            one.rule,
            of_items[number],
            share(one.crossings, one.crossings + one.false_alarms) if of_items[number] is not None else None,
        )
        for number, one in enumerate(found)
    )
    return Table(title="By rule", head=("Rule", "Items", "Confirmed, of those labelled"), rows=rows)


def share(part: int, whole: int) -> str | None:
    """Return a share, None when it would tell of fewer than five items on either side but none."""
    small = 0 < part < SMALLEST or 0 < whole - part < SMALLEST
    return None if whole < SMALLEST or small else f"{100 * part / whole:.0f} %"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f}"


def _monday(at: datetime, zone: ZoneInfo) -> datetime:
    """Return midnight of the Monday before ``at``, in the zone of the console."""
    local = at.astimezone(zone)
    return (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def _name(week: datetime, zone: ZoneInfo) -> str:
    local = week.astimezone(zone)
    return f"{local.day} {local:%b}"


PAGES = (Page(path="/numbers", permission=Permission.NUMBERS_VIEW, get=show, nav="Numbers"),)
"""For reviewers, professional standards and the oversight body."""
