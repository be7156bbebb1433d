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
"""

from datetime import datetime

from gateway.inspection import cues
from gateway.inspection.bench import texts_of
from gateway.inspection.judgement import CompiledRule, Judgement
from gateway.inspection.matching import PatternIndex
from gateway.inspection.rules import Condition, Pattern, Rule, RuleSet
from gateway.inspection.shadow import shadow_of
from gateway.model import Authored, Finding, History, Inspection, Parties, RuleStatus


class Engine:
    """A loaded rule set. `judge` depends on its arguments alone, and its time is linear in the text."""

    def __init__(self, rules: RuleSet, rules_hash: str, *, language: bool, drafts: bool = False) -> None:
        """Compile ``rules``. ``drafts`` makes draft rules run too: for trying them, never for mail."""
        self.rules_hash = rules_hash
        self.model_hash = cues.model_hash(language=language)
        self._language = language
        numbering = _Numbering()
        active = (rule for rule in rules.rules if drafts or rule.status is not RuleStatus.DRAFT)
        self._rules = tuple(numbering.compile(rule) for rule in active)
        self._by_pattern = _by_pattern(self._rules)
        self._sentences = PatternIndex(tuple(numbering.plain))
        self._sign_off = PatternIndex(tuple(numbering.signed))
        self._refusals = PatternIndex(rules.refusals)
        self._warm(rules)

    def judge(self, authored: Authored, parties: Parties, history: History, at: datetime) -> Inspection:
        """Return every finding in what the officer wrote now, and whether a person must look at once.

        Deterministic: the same arguments give the same answer, on this machine. Never raises on odd text. ``at`` is
        when the message arrived: an exception that had ended by then does not apply.
        """
        texts = texts_of(
            authored, self._sentences, self._sign_off, parties.officer, sent=frozenset(history.sent_lines)
        )
        message = Judgement(
            authored, parties, history, at, texts=texts, parser=self._parse, refusals=self._refuses
        )
        positions = {position for number in message.present for position in self._by_pattern.get(number, ())}
        findings: list[Finding] = []
        urgent: list[str] = []
        for position in sorted(positions):
            compiled = self._rules[position]
            found = message.findings(compiled)
            if not compiled.rule.safety:
                findings += found
            elif found:
                urgent.append(compiled.rule.title)
        return Inspection(
            findings=tuple(findings),
            rules_hash=self.rules_hash,
            model_hash=self.model_hash,
            urgent="; ".join(urgent),
        )

    def _parse(self, sentence: str) -> cues.Parsed | None:
        return cues.parse(sentence) if self._language else None

    def _refuses(self, text: str) -> bool:
        scan = self._refusals.scan(shadow_of(text))
        return any(scan.spans(number, place) for number in scan.present for place in scan.sentences(number))

    def _warm(self, rules: RuleSet) -> None:
        """Put the words of the examples into the cache of words, and load the parser."""
        for rule in rules.rules:
            for example in (*rule.entry.examples.hit, *rule.entry.examples.miss):
                words = example if isinstance(example, str) else f"{example.subject} {example.body}"
                self._sentences.scan(shadow_of(words))
        if self._language:
            cues.warm()


class _Numbering:
    """Gives each distinct pattern its number: from 0 up in sentences, ``~n`` in the lines of the sign-off."""

    def __init__(self) -> None:
        self.plain: dict[Pattern, int] = {}
        self.signed: dict[Pattern, int] = {}

    def compile(self, rule: Rule) -> CompiledRule:
        """Return ``rule`` with its patterns as numbers."""
        conditions = {name: self._numbers(condition) for name, condition in rule.conditions.items()}
        exceptions = tuple(
            (exception.expires, frozenset(self._plain(pattern) for pattern in exception.patterns))
            for exception in rule.exceptions
        )
        return CompiledRule(rule, conditions, exceptions)

    def _numbers(self, condition: Condition) -> frozenset[int]:
        if condition.cue:
            return frozenset({self._plain(Pattern("regex", cues.CUES[condition.cue].gate))})
        if condition.sign_off:
            numbers = (self.signed.setdefault(each, len(self.signed)) for each in condition.patterns)
            return frozenset(~number for number in numbers)
        return frozenset(self._plain(pattern) for pattern in condition.patterns)

    def _plain(self, pattern: Pattern) -> int:
        return self.plain.setdefault(pattern, len(self.plain))


def _by_pattern(rules: tuple[CompiledRule, ...]) -> dict[int, tuple[int, ...]]:
    """Return which rules each pattern opens, so that a message only meets rules that may fire."""
    asked: dict[int, list[int]] = {}
    for position, compiled in enumerate(rules):
        for number in compiled.gate():
            asked.setdefault(number, []).append(position)
    return {number: tuple(positions) for number, positions in asked.items()}
