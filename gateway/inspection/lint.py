"""The grade for promotion: examples that come true, lists that are used, exceptions that still run.

Owns what CI and a rule author ask beyond "does it load" (DECISIONS 17): `examples` tries every example of every
rule, `gate` turns what is wrong into mistakes with their place. Nothing here stops a set from being loaded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Final

from gateway.errors import Mistake
from gateway.inspection.engine import Engine
from gateway.inspection.examples import stage
from gateway.inspection.nodes import shortened
from gateway.inspection.rules import Rule, RuleSet
from gateway.inspection.schema import ExampleEntry, PhraseCondition
from gateway.inspection.shadow import fold
from gateway.inspection.when import holds, names
from gateway.model import Finding, RuleStatus

LEAST_EXAMPLES: Final = 3
"""Hits, and misses, a rule must bring."""
MAX_NAMES: Final = 10
"""Names in `when` of which every combination is tried: a thousand, in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one example came out. ``wanted`` is hit or miss; ``problem`` is empty when it came true."""

    rule: str
    wanted: str
    number: int
    text: str
    file: str
    line: int
    column: int
    finding: Finding | None
    problem: str

    @property
    def ok(self) -> bool:
        """Return whether the example came true."""
        return not self.problem


def examples(rules: RuleSet, engine: Engine, at: datetime, *, only: str = "") -> Iterator[Outcome]:
    """Yield how every example came out; ``only`` is the id of one rule. ``engine`` must include drafts.

    A rule that asks for a language cue cannot be tried with the language engine off: its examples are left out.
    """
    for rule in rules.rules:
        deaf = not engine.language and any(condition.cue for condition in rule.conditions.values())
        if deaf or (only and rule.id != only):
            continue
        for wanted in ("hit", "miss"):
            for number, example in enumerate(getattr(rule.entry.examples, wanted)):
                staged = stage(example, rule, at)
                inspection = engine.judge(staged.authored, staged.parties, staged.history, staged.at)
                found = [
                    finding
                    for finding in inspection.findings
                    if finding.rule == rule.id and _acts(finding, rule)
                ]
                urgent = rule.safety and rule.title in inspection.urgent.split("; ")
                yield _outcome(rule, wanted, number, example, found[0] if found else None, urgent=urgent)


def _acts(finding: Finding, rule: Rule) -> bool:
    """Return whether the finding is more than information about somebody else's quoted words."""
    return finding.status is not RuleStatus.SHADOW or rule.status is RuleStatus.SHADOW


def _outcome(
    rule: Rule,
    wanted: str,
    number: int,
    example: str | ExampleEntry,
    finding: Finding | None,
    *,
    urgent: bool,
) -> Outcome:
    fired = finding is not None or urgent
    problem = ""
    if wanted == "hit" and not fired:
        problem = "should make the rule fire, and does not"
    elif wanted == "miss" and fired:
        quoted = f" on {finding.text!r}" if finding is not None and finding.text is not None else ""
        problem = f"should not make the rule fire, and does{quoted}"
    elif (
        finding is not None
        and isinstance(example, ExampleEntry)
        and example.softened not in {None, finding.softened}
    ):
        problem = "should be softened, and is not" if example.softened else "should not be softened, and is"
    line, column = rule.document.place(("examples", wanted, number))
    entry = ExampleEntry(body=example) if isinstance(example, str) else example
    text = " | ".join(part for part in (entry.subject, entry.body, entry.attachment_name) if part)
    return Outcome(rule.id, wanted, number, text, rule.document.name, line, column, finding, problem)


def gate(rules: RuleSet, engine: Engine, at: datetime) -> tuple[Mistake, ...]:
    """Return every mistake of gate grade. ``engine`` must include drafts."""
    mistakes = [mistake for rule in rules.rules for mistake in _rule_mistakes(rule, at.date())]
    mistakes += (
        rules.lists[name].mistake(("list",), f"no rule uses the list {name!r}", "use it, or delete it")
        for name in sorted(set(rules.lists) - rules.lists_used)
    )
    mistakes += (_mistake(outcome) for outcome in examples(rules, engine, at) if outcome.problem)
    return tuple(mistakes)


def _mistake(outcome: Outcome) -> Mistake:
    what = f"this {outcome.wanted} of {outcome.rule} {outcome.problem}"
    remedy = "mend the rule, or the example"
    return Mistake(file=outcome.file, line=outcome.line, column=outcome.column, what=what, remedy=remedy)


def _idle_conditions(rule: Rule) -> Iterator[Mistake]:
    """Yield each name in `when` that makes no difference, whatever the others are: a slip in and, or, not."""
    used = tuple(dict.fromkeys(name.name for name, _ in names(rule.when)))
    if rule.entry.when is None or len(used) > MAX_NAMES:
        return
    truth = {
        values: holds(rule.when, dict(zip(used, values, strict=True)).__getitem__) for values in _tables(used)
    }
    for place, name in enumerate(used):
        turned = ((*values[:place], not values[place], *values[place + 1 :]) for values in truth)
        if all(truth[values] == truth[other] for values, other in zip(truth, turned, strict=True)):
            offset = next(each.offset for each, _ in names(rule.when) if each.name == name)
            what = (
                f"the condition {name!r} makes no difference: `when` comes out the same with it and without"
            )
            yield rule.document.mistake(("when",), what, "mend and, or, not; or take it out", shift=offset)


def _repeated(rule: Rule) -> Iterator[Mistake]:
    """Yield each text that stands twice in one condition; the second is what somebody forgot to change."""
    for name, condition in rule.entry.match.items():
        key = "phrase" if isinstance(condition, PhraseCondition) else "regex"
        texts = getattr(condition, key, ())
        folded = [fold(text).lower() if key == "phrase" else text for text in texts]
        for number, text in enumerate(folded):
            first = folded.index(text)
            if first < number:
                what = f"{shortened(texts[number])!r} stands in {name!r} a second time"
                line, _ = rule.document.place(("match", name, key, first))
                remedy = f"take it out, or write what was meant (first on line {line})"
                yield rule.document.mistake(("match", name, key, number), what, remedy)


def _tables(used: tuple[str, ...]) -> Iterator[tuple[bool, ...]]:
    return product((False, True), repeat=len(used))


def _rule_mistakes(rule: Rule, today: date) -> Iterator[Mistake]:
    yield from _idle_conditions(rule)
    yield from _repeated(rule)
    for wanted in ("hit", "miss"):
        given = len(getattr(rule.entry.examples, wanted))
        if given < LEAST_EXAMPLES:
            remedy = f"write at least {LEAST_EXAMPLES}, the misses close to the edge"
            yield rule.document.mistake(("examples", wanted), f"{given} examples under {wanted}", remedy)
    for key in ("false_positives", "blind_spots"):
        if any(
            text.strip().lower() in {"unknown", "none", "n/a", "tbd", "todo"}
            for text in getattr(rule.entry, key)
        ):
            yield rule.document.mistake(
                (key,), f"{key} says nothing", "name the nearest honest mail, or what it misses"
            )
    for number, exception in enumerate(rule.exceptions):
        if exception.expires < today:
            what = f"the exception {exception.name!r} ended on {exception.expires} and no longer applies"
            yield rule.document.mistake(
                ("exceptions", number, "expires"), what, "renew it with a reason, or delete it"
            )
