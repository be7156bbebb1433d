"""The judge: passages in, findings out.

Owns what is compiled once for a rule set: its patterns in two indexes and its rules by number. Refuses to know
files, YAML and policy; it proposes nothing. `judgement` does the work on one message.

What firing means. A rule is evaluated for each sentence in which a condition of it is met. A condition ``within:
sentence`` looks at that sentence, ``neighbours`` at it and the ones beside it, ``message`` at all text in the
rule's scope. Where ``when`` is true the rule fires once for that sentence, and the finding quotes from the first to
the last match of the conditions that made it true. The points of a rule count once a message: its first unsoftened
finding (else its first) carries them, every further one is listed with none, and at most
`judgement.MAX_LISTED` are listed.

An exception takes away matches that overlap its own words, nothing else. A finding is softened when ``softened_by``
is true for its sentence, when the words are reported speech, and when they stand in text that only claims to be a
quote: it then flags at most. Words of a third party in quotation marks are listed without points (`attribution`).

``conduct`` conditions and refusals are facts of the message (`conduct`). A rule that is true by them, with no words of
its own found, gives one finding without text; text conditions in it, such as one under ``not``, are then looked for
anywhere in the message. Rules of kind pattern look at all these findings and at earlier ones (`patterns`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from math import inf

from gateway.inspection import cues
from gateway.inspection.bench import texts_of
from gateway.inspection.conduct import Conduct
from gateway.inspection.judgement import CompiledRule, Judgement
from gateway.inspection.matching import PatternIndex
from gateway.inspection.patterns import pattern_findings
from gateway.inspection.relations.named import RELATIONS
from gateway.inspection.rules import Condition, Pattern, Rule, RuleSet
from gateway.inspection.shadow import shadow_of
from gateway.inspection.when import NEVER, arranged, gates, names, outlook, without
from gateway.model import Authored, Finding, History, Inspection, Parties, RuleStatus


class Engine:
    """A loaded rule set. `judge` depends on its arguments alone, and its time is linear in the text."""

    def __init__(
        self,
        rules: RuleSet,
        rules_hash: str,
        *,
        language: bool,
        drafts: bool = False,
        with_encoder: bool = True,
    ) -> None:
        """Compile ``rules``. ``drafts`` makes draft rules run too: for trying them, never for mail.

        ``with_encoder`` false leaves relations alone: to see what each layer is worth.
        """
        self.rules_hash = rules_hash
        self.language = language
        self._layers = cues.layers(with_encoder=with_encoder) if language else None
        self.model_hash = cues.model_hash(self._layers)
        numbering = _Numbering()
        running = tuple(rule for rule in rules.rules if drafts or rule.status is not RuleStatus.DRAFT)
        active = tuple(rule for rule in running if not rule.is_pattern)
        self._patterns = tuple(rule for rule in running if rule.is_pattern)
        self._policy = rules.policy
        self._hears = any(condition.cue for rule in active for condition in rule.conditions.values())
        self._remembers_refusals = any(map(_asks_of_refusals, active))
        if not language:
            active = tuple(rule for rule in map(_by_words_alone, active) if rule.when != NEVER)
        numbers = tuple(map(numbering.numbers, active))
        sample = tuple(_sample(rules))
        self._sentences = PatternIndex(tuple(numbering.plain), sample)
        self._sign_off = PatternIndex(tuple(numbering.signed), sample)
        self._refusals = PatternIndex(rules.refusals)
        self._rules = tuple(
            self._compiled(rule, *numbered) for rule, numbered in zip(active, numbers, strict=True)
        )
        self._by_pattern, self._open = _opening(self._rules)

    def judge(self, authored: Authored, parties: Parties, history: History, at: datetime) -> Inspection:
        """Return every finding in what the officer wrote now, and whether a person must look at once.

        Deterministic: the same arguments give the same answer, on this machine. Never raises on odd text. ``at`` is
        when the message arrived: an exception that had ended by then does not apply.
        """
        texts = texts_of(
            authored,
            self._sentences,
            self._sign_off,
            parties.officer,
            sent=frozenset(history.sent_lines),
            contacts=_addresses(parties),
        )
        conduct = Conduct(authored, parties, history, at, self._policy)
        message = Judgement(
            authored, parties, history, at, texts=texts, refusals=self._refuses, conduct=conduct,
            layers=self._layers,
        )  # fmt: skip
        present = message.present
        positions = {position for number in present for position in self._by_pattern.get(number, ())}
        findings: list[Finding] = []
        urgent: list[str] = []
        for position in sorted(positions.union(self._open)):
            compiled = self._rules[position]
            if not compiled.may_fire(present):
                continue
            found = message.findings(compiled)
            if not compiled.rule.safety:
                findings += found
            elif found:
                urgent.append(compiled.rule.title)
        if findings and not conduct.is_notification:
            findings += pattern_findings(self._patterns, tuple(findings), parties, history, at)
        return Inspection(
            findings=tuple(findings),
            rules_hash=self.rules_hash,
            model_hash=self.model_hash,
            urgent="; ".join(urgent),
            weak=message.hearing.weak if self._hears else (),
            refused=self._remembers_refusals and message.is_refused,
        )

    def _refuses(self, text: str) -> bool:
        scan = self._refusals.scan(shadow_of(text))
        return any(map(scan.places, scan.present))

    def _compiled(
        self, rule: Rule, numbers: Mapping[str, frozenset[int]], exceptions: tuple[frozenset[int], ...]
    ) -> CompiledRule:
        """Return ``rule`` with what must be there for it to fire."""
        bare = self._sentences.bare.union(~number for number in self._sign_off.bare)

        def waits_for(name: str) -> frozenset[int]:
            return numbers[name] if numbers[name].isdisjoint(bare) else frozenset()

        def waits_near_for(name: str) -> frozenset[int]:
            return frozenset() if rule.conditions[name].within == "message" else waits_for(name)

        def cost(name: str) -> float:
            return (
                inf
                if rule.conditions[name].is_fact or rule.conditions[name].cue
                else self._commonness(numbers[name])
            )

        return CompiledRule(
            rule,
            numbers,
            tuple(zip((exception.expires for exception in rule.exceptions), exceptions, strict=True)),
            gates(rule.when, waits_for, self._commonness),
            gates(rule.when, waits_near_for, self._commonness),
            arranged(rule.when, cost)[1],
            wordless=_is_wordless(rule),
            speechless=all(
                rule.conditions[name.name].is_fact for name, negated in names(rule.when) if not negated
            ),
        )

    def _commonness(self, numbers: frozenset[int]) -> int:
        """Return how often one of some patterns may be in the examples of the rules."""
        return sum(
            self._sentences.commonness(number) if number >= 0 else self._sign_off.commonness(~number)
            for number in numbers
        )


def _by_words_alone(rule: Rule) -> Rule:
    """Return ``rule`` as it is without the language engine: no cue is ever heard."""
    cued = {name for name, condition in rule.conditions.items() if condition.cue}
    if not cued:
        return rule
    softened_by = rule.softened_by and without(rule.softened_by, cued)
    return replace(rule, when=without(rule.when, cued), softened_by=softened_by)


def _asks_of_refusals(rule: Rule) -> bool:
    """Return whether a rule asks what earlier threads said: only then is every message searched for a refusal."""
    asked = (condition.conduct for condition in rule.conditions.values())
    return any(each is not None and each.earlier_refusal is not None for each in asked)


def _is_wordless(rule: Rule) -> bool:
    """Return whether a rule that asks for conduct may be true without any words of its own."""

    def known(name: str) -> bool | None:
        return None if rule.conditions[name].is_fact else False

    asked = (rule.conditions[name.name].conduct for name, negated in names(rule.when) if not negated)
    return any(asked) and outlook(rule.when, known) is not False


def _addresses(parties: Parties) -> frozenset[str]:
    """Return every registered address of the contacts, in lower case."""
    matches = (contact for match in parties.contacts for contact in match.contacts)
    return frozenset(address.lower() for contact in matches for address in contact.emails)


class _Numbering:
    """Gives each distinct pattern its number: from 0 up in sentences, ``~n`` in the lines of the sign-off."""

    def __init__(self) -> None:
        self.plain: dict[Pattern, int] = {}
        self.signed: dict[Pattern, int] = {}

    def numbers(self, rule: Rule) -> tuple[dict[str, frozenset[int]], tuple[frozenset[int], ...]]:
        """Return the numbers of the patterns of each condition and of each exception of ``rule``."""
        conditions = {name: self._numbers(condition) for name, condition in rule.conditions.items()}
        exceptions = (frozenset(map(self._plain, exception.patterns)) for exception in rule.exceptions)
        return conditions, tuple(exceptions)

    def _numbers(self, condition: Condition) -> frozenset[int]:
        if condition.relation:
            return frozenset({self._plain(Pattern("regex", RELATIONS[condition.relation].gate))})
        if condition.sign_off:
            numbers = (self.signed.setdefault(each, len(self.signed)) for each in condition.patterns)
            return frozenset(~number for number in numbers)
        return frozenset(map(self._plain, condition.patterns))

    def _plain(self, pattern: Pattern) -> int:
        return self.plain.setdefault(pattern, len(self.plain))


def _sample(rules: RuleSet) -> Iterator[str]:
    """Yield the words of the examples: mail as it is written. They warm the cache of words, too."""
    for rule in rules.rules:
        for example in (*rule.entry.examples.hit, *rule.entry.examples.miss):
            yield example if isinstance(example, str) else f"{example.subject} {example.body}"


def _opening(rules: tuple[CompiledRule, ...]) -> tuple[dict[int, tuple[int, ...]], tuple[int, ...]]:
    """Return which rules each pattern opens, and which are always open: a message only meets rules that may fire."""
    opened: dict[int, list[int]] = {}
    for position, compiled in enumerate(rules):
        for number in compiled.gates[0] if compiled.gates else ():
            opened.setdefault(number, []).append(position)
    always = tuple(position for position, compiled in enumerate(rules) if not compiled.gates)
    return {number: tuple(positions) for number, positions in opened.items()}, always
