"""What one rule set gains and loses against another, or against what was done: mail by mail, and in figures.

Owns which change matters most: a crossing that a person confirmed and that would be lost comes first. Refuses to know
where mail came from, and shows no word of it; who may see more looks at the mail itself.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.model import Action, Attribution, RuleStatus, Verdict

_ACTS = frozenset({RuleStatus.FLAG, RuleStatus.ENFORCE})


class Standing(StrEnum):
    """What a person said of a mail: a reviewer of a stored one, a writer of an example or of the corpus."""

    CROSSING = "crossing"
    PROPER = "proper"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What became of a verdict."""

    LOST = "lost"
    GAINED = "gained"
    CHANGED = "changed"
    """The action is the same, and other rules ask for it."""
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What was, or would be, made of a mail: the action, and the rules that ask for anything in it."""

    action: Action
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One mail before and after. ``name`` is its file, its id in the store, or where it stands in a rule."""

    name: str
    standing: Standing
    before: Opinion
    after: Opinion

    @property
    def kind(self) -> Kind:
        """What became of the verdict."""
        if self.after.action.strength < self.before.action.strength:
            return Kind.LOST
        if self.after.action.strength > self.before.action.strength:
            return Kind.GAINED
        return Kind.SAME if self.before.rules == self.after.rules else Kind.CHANGED

    @property
    def rules_lost(self) -> tuple[str, ...]:
        """The rules that ask for nothing any more."""
        return tuple(sorted(self.before.rules - self.after.rules))

    @property
    def rules_gained(self) -> tuple[str, ...]:
        """The rules that ask for something now."""
        return tuple(sorted(self.after.rules - self.before.rules))

    @property
    def is_wrong(self) -> bool:
        """Whether what a person said speaks against it: a crossing lost, or proper mail stopped."""
        against = {Kind.LOST: Standing.CROSSING, Kind.GAINED: Standing.PROPER}
        return against.get(self.kind) is self.standing


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """In how many mails a rule asks for something, before and after."""

    rule: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCount:
    """How many mails an action was, or would be, taken on."""

    action: Action
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of a comparison."""

    mails: int
    actions: tuple[ActionCount, ...]
    rules: tuple[RuleCount, ...]
    wrong: int
    """Changes that what a person said speaks against."""

    def per_thousand(self, count: int) -> float:
        """Return ``count`` as a rate per 1,000 mails."""
        return 1000 * count / self.mails if self.mails else 0.0


def opinion_of(verdict: Verdict) -> Opinion:
    """Return what a verdict makes of a mail in hold mode, whatever the mode it was given in."""
    asked = (
        finding.rule
        for finding in verdict.findings
        if finding.status in _ACTS and finding.attribution is not Attribution.QUOTED
    )
    return Opinion(action=verdict.proposed, rules=frozenset(asked))


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return what is not the same, the gravest first.

    First crossings that are lost, then proper mail that would be stopped, other losses (those of proper mail last), other
    gains, and what only changes its reasons; a hold weighs more than a flag.
    """
    return tuple(sorted((each for each in changes if each.kind is not Kind.SAME), key=_gravity))


def _gravity(change: Change) -> tuple[int, int, str]:
    place = {Kind.LOST: 2, Kind.GAINED: 4, Kind.CHANGED: 5, Kind.SAME: 6}[change.kind]
    if change.is_wrong:
        place = 0 if change.kind is Kind.LOST else 1
    elif change.kind is Kind.LOST and change.standing is Standing.PROPER:
        place = 3
    return place, -max(change.before.action.strength, change.after.action.strength), change.name


def summary(changes: Iterable[Change]) -> Summary:
    """Return the figures of ``changes``, those that stay the same included; the rules that moved most come first."""
    every = tuple(changes)
    before = Counter(rule for change in every for rule in change.before.rules)
    after = Counter(rule for change in every for rule in change.after.rules)
    counts = (RuleCount(rule=rule, before=before[rule], after=after[rule]) for rule in before | after)
    return Summary(
        mails=len(every),
        actions=tuple(
            ActionCount(
                action=action,
                before=sum(change.before.action is action for change in every),
                after=sum(change.after.action is action for change in every),
            )
            for action in reversed(Action)
        ),
        rules=tuple(sorted(counts, key=lambda one: (-abs(one.after - one.before), one.rule))),
        wrong=sum(change.is_wrong for change in every),
    )
