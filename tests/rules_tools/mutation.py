"""Breaks one condition of one rule at a time and asks whether an example of the rule notices.

A condition is a name in ``when`` or ``softened_by``, an exception, what a rule of kind pattern counts, or how many it asks
for. It is taken out, or turned round. A mutant under which every example still comes true survives: the examples do not
say what the condition is for. ``python tests/rules_tools/mutation.py`` (make mutants) tries all and prints the survivors;
those that are accepted stand in survivors.yaml with the reason.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from gateway import inspection
from gateway.inspection.engine import Engine
from gateway.inspection.examples import stage
from gateway.inspection.lint import examples
from gateway.inspection.rules import Rule, RuleSet
from gateway.inspection.when import AtLeast, Expression, Name, Not, names

RULES = Path(__file__).resolve().parents[2] / "rules"
SURVIVORS = Path(__file__).with_name("survivors.yaml")
NOW = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One rule with one condition broken. ``how`` and ``name`` tell mutants of a rule apart."""

    rule: Rule
    how: str
    name: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What survivors.yaml names it by."""
        return self.rule.id, self.how, self.name


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Yield every mutant of ``rule`` that is a rule at all."""
    if rule.is_pattern:
        yield from _of_pattern(rule)
        return
    for name in _once(rule.when):
        without = _without(rule.when, name)
        if without is not None:
            yield Mutant(rule=replace(rule, when=without), how="delete", name=name)
        yield Mutant(rule=replace(rule, when=_turned(rule.when, name)), how="invert", name=name)
    if rule.softened_by is not None:
        for name in _once(rule.softened_by):
            without = _without(rule.softened_by, name)
            yield Mutant(rule=replace(rule, softened_by=without), how="delete softener", name=name)
            turned = replace(rule, softened_by=_turned(rule.softened_by, name))
            yield Mutant(rule=turned, how="invert softener", name=name)
    for number, exception in enumerate(rule.exceptions):
        rest = (*rule.exceptions[:number], *rule.exceptions[number + 1 :])
        yield Mutant(rule=replace(rule, exceptions=rest), how="delete exception", name=exception.name)


def _of_pattern(rule: Rule) -> Iterator[Mutant]:
    for count in (rule.at_least - 1, rule.at_least + 1):
        yield Mutant(rule=replace(rule, at_least=count), how="count", name=str(count))
    other = "message" if rule.distinct == "contact" else "contact"
    yield Mutant(rule=replace(rule, distinct=other), how="distinct", name=other)
    yield Mutant(rule=replace(rule, within=rule.within * 100), how="within", name="longer")


def _once(expression: Expression) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.name for name, _ in names(expression)))


def _without(expression: Expression, gone: str) -> Expression | None:
    """Return ``expression`` as if nobody had written the name ``gone``; None when nothing is left."""
    if isinstance(expression, Name):
        return None if expression.name == gone else expression
    if isinstance(expression, Not):
        inner = _without(expression.operand, gone)
        return None if inner is None else Not(inner)
    kept = tuple(each for each in (_without(one, gone) for one in expression.operands) if each is not None)
    if not kept:
        return None
    lost = len(expression.operands) - len(kept)
    is_all = expression.count == len(expression.operands)
    count = expression.count - lost if is_all else min(expression.count, len(kept))
    return kept[0] if len(kept) == 1 else AtLeast(count, kept)


def _turned(expression: Expression, name: str) -> Expression:
    """Return ``expression`` with ``name`` turned round wherever it stands."""
    if isinstance(expression, Name):
        return Not(expression) if expression.name == name else expression
    if isinstance(expression, Not):
        inner = _turned(expression.operand, name)
        return inner.operand if isinstance(inner, Not) else Not(inner)
    return AtLeast(expression.count, tuple(_turned(each, name) for each in expression.operands))


class Examiner:
    """Tries the examples of a rule by rule sets that hold little else."""

    def __init__(self, rules: RuleSet, rules_hash: str, *, language: bool = True) -> None:
        self._rules = rules
        self._hash = rules_hash
        self._language = language
        self._whole: Engine | None = None

    def notices(self, mutant: Mutant) -> bool:
        """Return whether an example of the rule fails under ``mutant``."""
        few = replace(self._rules, rules=(*self._beside(mutant.rule), mutant.rule))
        engine = Engine(few, self._hash, language=self._language, drafts=True, with_encoder=False)
        return not all(one.ok for one in examples(few, engine, NOW, only=mutant.rule.id))

    def _beside(self, rule: Rule) -> tuple[Rule, ...]:
        """Return the rules whose findings a pattern counts in its examples; other rules need no company."""
        if not rule.is_pattern:
            return ()
        if self._whole is None:
            self._whole = Engine(
                self._rules, self._hash, language=self._language, drafts=True, with_encoder=False
            )
        found: set[str] = set()
        for example in (*rule.entry.examples.hit, *rule.entry.examples.miss):
            staged = stage(example, rule, NOW)
            inspected = self._whole.judge(staged.authored, staged.parties, staged.history, staged.at)
            found |= {finding.rule for finding in inspected.findings}
        return tuple(each for each in self._rules.rules if each.id in found and not each.is_pattern)


def accepted() -> dict[tuple[str, str, str], str]:
    """Return the survivors that are accepted, each with its reason."""
    listed = yaml.safe_load(SURVIVORS.read_text("utf-8")) or []
    return {(one["rule"], one["how"], str(one["name"])): one["reason"] for one in listed}


def _relisted(reasons, mutant: Mutant, *, survives: bool) -> dict[tuple[str, str, str], str]:
    if not survives:
        return {key: reason for key, reason in reasons.items() if key != mutant.key}
    return reasons if mutant.key in reasons else reasons | {mutant.key: "nobody has written an example yet"}


def _write(reasons: dict[tuple[str, str, str], str]) -> None:
    listed = [
        {"rule": rule, "how": how, "name": name, "reason": reason}
        for (rule, how, name), reason in sorted(reasons.items())
    ]
    SURVIVORS.write_text(yaml.safe_dump(listed, sort_keys=False, width=200), encoding="utf-8")


def main() -> int:
    """Try all mutants, print the survivors that nobody accepted, and accepted ones that are noticed now."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rule", help="only this rule")
    parser.add_argument("--no-language", action="store_true", help="without the statistical parser")
    parser.add_argument("--write", action="store_true", help="list every survivor in survivors.yaml")
    options = parser.parse_args()
    bundle = inspection.read((RULES,))
    rules = inspection.rules_of(bundle)
    examiner = Examiner(rules, bundle.hash, language=not options.no_language)
    reasons = accepted()
    tried = survivors = wrong = 0
    for rule in rules.rules:
        if options.rule and rule.id != options.rule:
            continue
        for mutant in mutants(rule):
            tried += 1
            survives = not examiner.notices(mutant)
            survivors += survives
            if options.write:
                reasons = _relisted(reasons, mutant, survives=survives)
            elif survives != (mutant.key in reasons):
                wrong += 1
                says = "survives" if survives else "is noticed now: take it out of survivors.yaml"
                print(f"{rule.document.name}: {mutant.how} {mutant.name}: {says}", flush=True)
    if options.write:
        _write(reasons)
    print(f"{tried} mutants, {tried - survivors} noticed, {survivors} survive, {survivors - wrong} accepted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
