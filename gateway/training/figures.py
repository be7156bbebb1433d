"""What a judge of whole mails is worth: shares with their intervals, against the goals.

Owns the arithmetic of the evaluation table: which mails count for which figure, the bootstrap, and precision at a
realistic base rate. Refuses to know how mail is judged. Pure: the same outcomes and seed give the same figures.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from gateway.model import Action
from gateway.training.corpus import Label, Mail

BASE_RATE: Final = 1 / 2000
"""Crossings among live mail, as DETECTION takes it: one in two thousand."""
_ROUNDS: Final = 1000
_SEED: Final = 20260302
_TAIL: Final = 0.025


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail. ``spans`` are the words that findings point at: part, start, end."""

    action: Action
    spans: tuple[tuple[str, int, int], ...] = ()

    @property
    def acted(self) -> bool:
        """True when a person is told of it."""
        return self.action is not Action.PASS


@dataclass(frozen=True, slots=True)
class Share:
    """A share of ``of`` mails with its 95 % interval; nan where there was nothing to count."""

    value: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        """Return per cent with the interval: ``62.5 (50-74) of 48``."""
        if not self.of:
            return "none to count"
        return f"{100 * self.value:.1f} ({100 * self.low:.0f}-{100 * self.high:.0f}) of {self.of}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. ``goal`` is what is wanted: at least (``low`` false) or at most (``low`` true)."""

    name: str
    counts: Callable[[Mail], bool]
    true: Callable[[Mail, Outcome], bool]
    goal: float
    low: bool = False

    def reached(self, share: Share) -> bool:
        """Return whether ``share`` is as good as wanted."""
        return bool(share.of) and (share.value <= self.goal if self.low else share.value >= self.goal)


def _crosses(mail: Mail) -> bool:
    return mail.label is Label.CROSSING


def _is_look_alike(mail: Mail) -> bool:
    return mail.label is Label.PROPER and mail.trap != "plain"


def _points_there(mail: Mail, outcome: Outcome) -> bool:
    """Return whether a finding points at words that are marked."""
    return any(
        part == span.part and start < span.end and end > span.start
        for part, start, end in outcome.spans
        for span in mail.spans
    )


FIGURES: Final = (
    Figure("crossings caught", _crosses, lambda _, outcome: outcome.acted, 0.98),
    Figure("due to be held, held", lambda mail: mail.due is Action.HOLD, lambda _, outcome: outcome.action is Action.HOLD, 0.93),
    Figure("proper mail flagged or held", lambda mail: not _crosses(mail), lambda _, outcome: outcome.acted, 0.01, low=True),
    Figure("look-alikes flagged or held", _is_look_alike, lambda _, outcome: outcome.acted, 0.02, low=True),
    Figure("proper mail held", lambda mail: not _crosses(mail), lambda _, outcome: outcome.action is Action.HOLD, 0.003, low=True),
)  # fmt: skip
"""The goals for whole mails, as the issue sets them. They are not lowered."""
OUTSIDE: Final = Figure(
    "outside mail flagged or held",
    lambda mail: not _crosses(mail),
    lambda _, outcome: outcome.acted,
    0.005,
    low=True,
)
"""Over professional mail that nobody here wrote."""
SPAN: Final = Figure("caught, and a finding points at the crossing", _crosses, _points_there, 0.90)
"""Counted over the crossings that were caught."""

Pairs = Sequence[tuple[Mail, Outcome]]


def share(figure: Figure, pairs: Pairs) -> Share:
    """Return the share of the mails that count for which ``figure`` is true, with its interval."""
    counted = [(_cluster(mail), figure.true(mail, outcome)) for mail, outcome in pairs if figure.counts(mail)]
    return share_of(counted)


def share_of(counted: Iterable[tuple[str, bool]]) -> Share:
    """Return the share of what is true, bootstrapped over clusters: twins are drawn together, being one idea."""
    clusters: dict[str, list[bool]] = defaultdict(list)
    for cluster, true in counted:
        clusters[cluster].append(true)
    drawn = [(sum(found), len(found)) for found in clusters.values()]
    of = sum(count for _, count in drawn)
    if not of:
        return Share(math.nan, math.nan, math.nan, 0)
    chance = Random(_SEED)  # noqa: S311 - reproducible draws, no secret
    values: list[float] = []
    for _ in range(_ROUNDS):
        sample = chance.choices(drawn, k=len(drawn))
        values.append(sum(true for true, _ in sample) / sum(count for _, count in sample))
    values.sort()
    value = sum(true for true, _ in drawn) / of
    low, high = values[int(_TAIL * _ROUNDS)], values[int((1 - _TAIL) * _ROUNDS) - 1]
    if value in {0.0, 1.0}:  # no draw can differ: the rule of three
        bound = min(3 / of, 1.0)
        low, high = (0.0, bound) if value == 0 else (1.0 - bound, 1.0)
    return Share(value, low, high, of)


def _cluster(mail: Mail) -> str:
    return min(mail.id, mail.twin or mail.id)


def spans_share(pairs: Pairs) -> Share:
    """Return how often a finding of a caught crossing points at marked words."""
    return share(SPAN, [(mail, outcome) for mail, outcome in pairs if _crosses(mail) and outcome.acted])


def twins_share(pairs: Pairs) -> Share:
    """Return the share of twins of which the crossing is caught and the proper one passes."""
    outcomes = {mail.id: (mail, outcome) for mail, outcome in pairs}
    counted = [
        (mail.id, outcome.acted and not outcomes[mail.twin][1].acted)
        for mail, outcome in outcomes.values()
        if _crosses(mail) and mail.twin in outcomes
    ]
    return share_of(counted)


def precision(pairs: Pairs) -> float:
    """Return the share of acted mail that crosses, were one mail in two thousand a crossing; nan when none is acted."""
    caught = share(FIGURES[0], pairs).value * BASE_RATE
    false = share(FIGURES[2], pairs).value * (1 - BASE_RATE)
    return caught / (caught + false) if caught + false > 0 else math.nan


def by(pairs: Pairs, names_of: Callable[[Mail], Iterable[str]]) -> tuple[tuple[str, Share], ...]:
    """Return the share of mail that was acted on for each name, most mail first."""
    groups: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for mail, outcome in pairs:
        for name in names_of(mail):
            groups[name].append((_cluster(mail), outcome.acted))
    rows = sorted(groups.items(), key=lambda row: (-len(row[1]), row[0]))
    return tuple((name, share_of(counted)) for name, counted in rows)


def categories_of(mail: Mail) -> tuple[str, ...]:
    """Return the categories of a crossing."""
    return tuple(sorted({span.category for span in mail.spans}))


def subtlety_of(mail: Mail) -> tuple[str, ...]:
    """Return how plainly a crossing is said."""
    return (mail.subtlety,) if _crosses(mail) else ()


def trap_of(mail: Mail) -> tuple[str, ...]:
    """Return what a proper mail might be mistaken for."""
    return () if _crosses(mail) else (mail.trap,)
