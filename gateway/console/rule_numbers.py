"""The figures of rules: in how many items each came true, week by week, how many were confirmed, and what trials came to.

Items are those the visitor may know of, so nobody infers one about themselves; small cells are left out as on the numbers page.
What trials count has nobody's name on it and so cannot be narrowed to anybody's sight: it is told of whole days that are
over, rounded down to fives, and as one figure below five (docs/decisions/0033).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from gateway.console.numbers import SMALLEST, share, shown
from gateway.store import Tx, figures, trials
from gateway.store.figures import RuleDay, RuleFigures
from gateway.store.queue import Sight
from gateway.store.trials import TrialCount

WEEKS: Final = 13
"""Stretches of seven days, the last of which ends today: 90 days and today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Seven days of UTC, by the first of them."""

    name: str
    items: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNumbers:
    """The figures of one rule, as they may be shown: None is a cell that is not."""

    items: str | None
    recent: str | None
    confirmed: str | None
    weeks: tuple[Week, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one look into the store came to."""

    since: datetime
    days: tuple[RuleDay, ...]
    figures: tuple[RuleFigures, ...]
    trials: tuple[TrialCount, ...]


def count(tx: Tx, sight: Sight, now: datetime) -> Counted:
    """Return the counts of all rules, of what ``sight`` lets one know of."""
    today = now.astimezone(UTC).date()
    since = datetime.combine(today, time(), UTC) - timedelta(days=7 * WEEKS - 1)
    return Counted(
        since=since,
        days=figures.rule_days(tx, sight, since),
        figures=figures.rules(tx, sight, since),
        trials=trials.counts(tx, before=today),
    )


def numbers_of(counted: Counted, rules: Iterable[str]) -> Mapping[str, RuleNumbers]:
    """Return what may be shown of each of ``rules``, those that never came true included.

    A week is told only where the weeks that are told give no small one away, and none where the sum is not told.
    """
    names = sorted({*rules, *(one.rule for one in counted.figures)})
    labelled = {one.rule: one for one in counted.figures}
    weeks: defaultdict[str, list[int]] = defaultdict(lambda: [0] * WEEKS)
    for one in counted.days:
        weeks[one.rule][(one.day - counted.since.date()).days // 7] += one.items
    totals = shown([sum(weeks[name]) for name in names])
    return {
        name: _numbers(counted.since, weeks[name], total, labelled.get(name))
        for name, total in zip(names, totals, strict=True)
    }


def on_trial(counted: Counted, rule: str, version: int) -> str:
    """Return in how many messages a version of a rule came true on trial, in words: a round figure, or "under 5"."""
    found = next((one.messages for one in counted.trials if (one.rule, one.version) == (rule, version)), 0)
    return f"under {SMALLEST}" if found < SMALLEST else f"{found // SMALLEST * SMALLEST} or more"


def _numbers(
    since: datetime, weeks: list[int], total: str | None, labelled: RuleFigures | None
) -> RuleNumbers:
    cells = shown(weeks) if total is not None else tuple("0" if not one else None for one in weeks)
    confirmed = None
    if total is not None and labelled is not None:
        confirmed = share(labelled.crossings, labelled.crossings + labelled.false_alarms)
    begins = (since.date() + timedelta(days=7 * number) for number in range(WEEKS))
    return RuleNumbers(
        items=total,
        recent=cells[-1],
        confirmed=confirmed,
        weeks=tuple(
            Week(name=f"{day.day} {day:%b}", items=cell) for day, cell in zip(begins, cells, strict=True)
        ),
    )
