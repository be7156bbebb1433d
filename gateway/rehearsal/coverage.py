"""Which rules nothing fires, and which crossings no rule finds: what a rule author looks at before writing the next one.

Owns the counting. Refuses to know where mail came from and what a rule says.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.inspection.rules import RuleSet
from gateway.model import Action, RuleStatus
from gateway.rehearsal.comparison import Standing
from gateway.rehearsal.judging import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUse:
    """In how many mails a rule fires, whether it acts or not, and in how many of its own examples."""

    rule: str
    status: RuleStatus
    crossing: int
    proper: int
    unknown: int
    examples: int

    @property
    def mails(self) -> int:
        """In how many mails it fires."""
        return self.crossing + self.proper + self.unknown

    @property
    def is_dead(self) -> bool:
        """Whether neither mail nor an example fires it."""
        return not self.mails and not self.examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What rules and mails have of each other. ``missed`` are crossings that pass."""

    rules: tuple[RuleUse, ...]
    missed: tuple[str, ...]
    crossings: int
    mails: int


def coverage(
    rules: RuleSet, judged: Iterable[tuple[Judged, Standing]], fired_by_examples: Iterable[str]
) -> Coverage:
    """Return which rules fire in ``judged``, and which crossings pass; ``fired_by_examples`` names a rule a hit."""
    titles = {rule.title: rule.id for rule in rules.rules if rule.safety}
    found: Counter[tuple[str, Standing]] = Counter()
    missed: list[str] = []
    crossings = mails = 0
    for one, standing in judged:
        mails += 1
        fired = {finding.rule for finding in one.inspected.findings}
        fired |= {titles[title] for title in one.inspected.urgent.split("; ") if title in titles}
        found.update((rule, standing) for rule in fired)
        if standing is Standing.CROSSING:
            crossings += 1
            if one.verdict.proposed is Action.PASS:
                missed.append(one.sample.name)
    examples = Counter(fired_by_examples)
    uses = (
        RuleUse(
            rule=rule.id, status=rule.status, crossing=found[rule.id, Standing.CROSSING],
            proper=found[rule.id, Standing.PROPER], unknown=found[rule.id, Standing.UNKNOWN],
            examples=examples[rule.id],
        )
        for rule in rules.rules
    )  # fmt: skip
    return Coverage(rules=tuple(uses), missed=tuple(missed), crossings=crossings, mails=mails)
