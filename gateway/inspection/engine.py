"""The judge: passages in, findings out.

Owns the evaluation of rules over sentences. Refuses to know files, YAML and policy; it proposes nothing.

What firing means. A rule is evaluated for each sentence in which a condition of it is met. A condition ``within:
sentence`` looks at that sentence, ``neighbours`` at it and the ones beside it, ``message`` at all text in the
rule's scope. Where ``when`` is true the rule fires once for that sentence, and the finding quotes from the first to
the last match of the conditions that made it true. The points of a rule count once a message: its first unsoftened
finding (else its first) carries them, every further one is listed with none. At most `MAX_LISTED` are listed.

An exception takes away matches that overlap its own words, nothing else. A finding is softened when ``softened_by``
is true for its sentence, when the words are reported speech, and when they stand in text that only claims to be a
quote: it then flags at most. Words of a third party in quotation marks are listed without points (`attribution`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from gateway.inspection import cues, lexicon, when
from gateway.inspection.attribution import attribution
from gateway.inspection.matching import PatternIndex, Span
from gateway.inspection.rules import Condition, Pattern, Rule, RuleSet
from gateway.inspection.shadow import Shadow, lines_of, shadow_of
from gateway.model import (
    Attribution,
    Authored,
    ContactRole,
    CutReason,
    Finding,
    History,
    Inspection,
    Parties,
    PassageKind,
    RuleStatus,
)

SIGN_OFF_LINES: Final = 6
"""Non-blank lines at the end of a passage in which a kiss is looked for (DOMAIN.md section 4.4)."""
MAX_LISTED: Final = 20
"""Findings of one rule listed for one message; a reviewer has seen enough, and a verdict must stay small."""
MAX_PARSES: Final = 200
"""Sentences parsed for one message; past it cues are worth what their words alone are worth."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a pattern was found: the sentence it belongs to, and its span in some shadow of the text."""

    sentence: int
    shadow: Shadow
    span: Span

    def source(self) -> tuple[int, int]:
        """Return the span in the text itself."""
        return self.shadow.origin(self.span.start, self.span.end)


@dataclass(slots=True)
class _Text:
    """A passage on the bench: its shadow and what was found in it, by pattern."""

    part: str
    kind: PassageKind
    offset: int
    shadow: Shadow
    claimed_quote: bool
    hits: dict[int, list[Hit]] = field(default_factory=dict)
    parses: dict[int, cues.Parsed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule with its patterns as numbers."""

    rule: Rule
    numbers: Mapping[str, tuple[int, ...]]
    exceptions: tuple[tuple[date, tuple[int, ...]], ...]


class Engine:
    """A loaded rule set. `judge` depends on its arguments alone, and its time is linear in the text."""

    def __init__(self, rules: RuleSet, rules_hash: str, *, language: bool, drafts: bool = False) -> None:
        """Compile ``rules``. ``drafts`` makes draft rules run too: for trying them, never for mail."""
        self.rules_hash = rules_hash
        self.model_hash = cues.model_hash(language=language)
        self.policy = rules.policy
        self._language = language
        self._patterns: dict[tuple[bool, Pattern], int] = {}
        self._rules = tuple(
            self._compile(rule) for rule in rules.rules if drafts or rule.status is not RuleStatus.DRAFT
        )
        self._cues = {
            name: self._number(Pattern("regex", cues.CUES[name].gate))
            for compiled in self._rules
            for name in {condition.cue for condition in compiled.rule.conditions.values() if condition.cue}
        }
        self._by_pattern = self._inverted()
        self._index = PatternIndex([pattern for _, pattern in self._patterns])
        self._plain = frozenset(number for (signed, _), number in self._patterns.items() if not signed)
        self._signed = frozenset(self._patterns.values()) - self._plain
        self._refusals = PatternIndex(rules.refusals)
        self._warm(rules)

    def judge(self, authored: Authored, parties: Parties, history: History, at: datetime) -> Inspection:
        """Return every finding in what the officer wrote now, and whether a person must look at once.

        Deterministic: the same arguments give the same answer. Never raises on odd text.
        """
        return _Judgement(self, authored, parties, history, at).inspection()

    def _number(self, pattern: Pattern, *, sign_off: bool = False) -> int:
        return self._patterns.setdefault((sign_off, pattern), len(self._patterns))

    def _compile(self, rule: Rule) -> _Compiled:
        numbers = {
            name: tuple(self._number(pattern, sign_off=condition.sign_off) for pattern in condition.patterns)
            for name, condition in rule.conditions.items()
        }
        exceptions = tuple(
            (exception.expires, tuple(self._number(pattern) for pattern in exception.patterns))
            for exception in rule.exceptions
        )
        return _Compiled(rule, numbers, exceptions)

    def _inverted(self) -> dict[int, tuple[int, ...]]:
        """Return which rules ask for each pattern, so that a message only meets rules that may fire."""
        found: dict[int, list[int]] = {}
        for position, compiled in enumerate(self._rules):
            gates = (
                self._cues[condition.cue] for condition in compiled.rule.conditions.values() if condition.cue
            )
            asked = {number for numbers in compiled.numbers.values() for number in numbers} | set(gates)
            for number in asked:
                found.setdefault(number, []).append(position)
        return {number: tuple(positions) for number, positions in found.items()}

    def _warm(self, rules: RuleSet) -> None:
        """Put the words of the examples into the tokenizer's cache, and load the parser."""
        for rule in rules.rules:
            for example in (*rule.entry.examples.hit, *rule.entry.examples.miss):
                lexicon.warm(str(example if isinstance(example, str) else example.body).split())
        self._index.find(shadow_of("We will update you by Friday."))
        if self._language:
            cues.warm()

    # What a judgement needs of the engine.

    def texts(self, authored: Authored) -> list[_Text]:
        """Return what is judged, with everything found in it."""
        own = [
            _Text(passage.part, passage.kind, passage.start, shadow_of(passage.text), claimed_quote=False)
            for passage in authored.passages
        ]
        texts = [*own, *_claimed_quotes(authored)]
        for text in texts:
            self._find(text)
        return texts

    def _find(self, text: _Text) -> None:
        for number, spans in self._index.find(text.shadow).items():
            if number in self._plain:
                at = text.shadow.sentence_at
                text.hits[number] = [Hit(at(span.start), text.shadow, span) for span in spans]
        if text.kind is PassageKind.BODY and self._signed:
            lines = lines_of(text.shadow.source, SIGN_OFF_LINES)
            for number, spans in self._index.find(lines).items():
                if number in self._signed:
                    text.hits[number] = [
                        Hit(_sentence_of(text.shadow, lines.origin(span.start, span.end)[0]), lines, span)
                        for span in spans
                    ]

    def candidates(self, texts: list[_Text]) -> list[_Compiled]:
        """Return the rules that something found could make fire."""
        found = {
            position
            for text in texts
            for number in text.hits
            for position in self._by_pattern.get(number, ())
        }
        return [self._rules[position] for position in sorted(found)]

    def gate(self, cue: str) -> int:
        """Return the number of the pattern that must be there for ``cue``."""
        return self._cues[cue]

    def parse(self, text: _Text, sentence: int) -> cues.Parsed | None:
        """Return the parse of a sentence, kept for this message; None with the language engine off."""
        if not self._language:
            return None
        if sentence not in text.parses:
            text.parses[sentence] = cues.parse(text.shadow.sentence(sentence))
        return text.parses[sentence]

    def refused(self, authored: Authored, parties: Parties) -> bool:
        """Return whether quoted text that the officer did not write holds a refusal."""
        officer = parties.officer
        own = {officer.email.lower(), officer.name.lower()} - {""} if officer is not None else set()
        return any(
            self._refusals.find(shadow_of(cut.text))
            for cut in authored.cuts
            if cut.reason in {CutReason.QUOTED, CutReason.FORWARDED}
            and not any(name in cut.speaker.lower() for name in own)
        )


def _sentence_of(shadow: Shadow, offset: int) -> int:
    """Return the number of the sentence whose source span holds ``offset``."""
    for number, (begin, end) in enumerate(shadow.spans):
        if begin <= offset < end:
            return number
    return len(shadow.spans) - 1


def _claimed_quotes(authored: Authored) -> Iterator[_Text]:
    """Yield text that is marked as quoted although nothing introduces it and no mail is answered (DECISIONS 14).

    Typing below a ``>`` is an evasion. Where the officer wrote nothing else in the body, it is taken as his own.
    """
    if authored.headers.in_reply_to or authored.headers.references:
        return
    body = any(passage.kind is PassageKind.BODY and passage.text.strip() for passage in authored.passages)
    for cut in authored.cuts:
        if cut.reason in {CutReason.QUOTED, CutReason.FORWARDED} and not cut.attributed:
            yield _Text(cut.part, PassageKind.BODY, cut.start, shadow_of(cut.text), claimed_quote=body)


class _Judgement:
    """One message before the rules."""

    def __init__(
        self, engine: Engine, authored: Authored, parties: Parties, history: History, at: datetime
    ) -> None:
        self._engine = engine
        self._authored = authored
        self._parties = parties
        self._history = history
        self._today = at.date()
        self._roles = _roles(parties)
        self._texts = engine.texts(authored)
        self._refused: bool | None = None
        self._parses = 0

    def inspection(self) -> Inspection:
        """Return findings in the order of rules and places, and the urgent reasons."""
        findings: list[Finding] = []
        urgent: list[str] = []
        for compiled in self._engine.candidates(self._texts):
            rule = compiled.rule
            if rule.roles and self._roles and not rule.roles & self._roles:
                continue
            fired = list(self._fired(compiled))
            if rule.safety:
                urgent += [rule.title] if fired else []
            else:
                findings += _counted_once(fired)
        return Inspection(
            findings=tuple(findings),
            rules_hash=self._engine.rules_hash,
            model_hash=self._engine.model_hash,
            urgent="; ".join(urgent),
        )

    def _fired(self, compiled: _Compiled) -> Iterator[Finding]:
        rule = compiled.rule
        texts = [text for text in self._texts if not rule.parts or text.kind in rule.parts]
        sight = _Sight(self, compiled, texts)
        for text in texts:
            for sentence in sight.sentences(text):
                if sight.is_met(rule.when, text, sentence):
                    yield self._finding(compiled, sight, text, sentence)

    def _finding(self, compiled: _Compiled, sight: "_Sight", text: _Text, sentence: int) -> Finding:
        rule = compiled.rule
        hits = sight.evidence(text, sentence)
        first, last = min(hit.source()[0] for hit in hits), max(hit.source()[1] for hit in hits)
        whose = self._attribution(rule, text, hits)
        softened = rule.softened_by is not None and sight.is_met(rule.softened_by, text, sentence)
        information = whose is Attribution.QUOTED
        shadow = information or rule.status is RuleStatus.SHADOW
        return Finding(
            rule=rule.id, version=rule.version, status=RuleStatus.SHADOW if shadow else rule.status,
            category=rule.category, severity=rule.severity, points=0 if shadow else rule.points, part=text.part,
            start=text.offset + first, end=text.offset + last, text=text.shadow.source[first:last],
            why=self._why(rule, whose, softened=softened, claimed_quote=text.claimed_quote),
            softened=softened or text.claimed_quote or whose is Attribution.REPORTED,
            for_reviewer=rule.for_reviewer, attribution=whose,
        )  # fmt: skip

    def _attribution(self, rule: Rule, text: _Text, hits: list[Hit]) -> Attribution:
        """Return whose words they are: somebody else's only if every match is."""
        if not rule.attribution:
            return Attribution.OWN
        plain = [hit for hit in hits if hit.shadow is text.shadow]
        if len(plain) < len(hits):
            return Attribution.OWN
        found = set()
        for hit in plain:
            parsed = _Parse(self, text, hit.sentence)
            found.add(attribution(text.shadow, hit.span.start, hit.span.end, parsed))
        for whose in (Attribution.OWN, Attribution.REPORTED):
            if whose in found:
                return whose
        return Attribution.QUOTED

    def _why(self, rule: Rule, whose: Attribution, *, softened: bool, claimed_quote: bool) -> str:
        sentences = [rule.why]
        if softened:
            sentences.append("A case term stands beside it, so it flags at most.")
        if claimed_quote:
            sentences.append(
                "It is marked as quoted, but nothing introduces the quote and no mail is answered."
            )
        if whose is Attribution.REPORTED:
            sentences.append("It reports what somebody else said, so it flags at most.")
        if whose is Attribution.QUOTED:
            sentences.append("Somebody else's words in quotation marks: for information only.")
        earlier = self._history.earlier.get(rule.category, 0)
        if earlier:
            mail = "message" if earlier == 1 else "messages"
            sentences.append(
                f"Found in {earlier} earlier {mail} to this contact in {self._history.days} days."
            )
        return " ".join(sentences)

    def cue(self, condition: Condition, text: _Text, sentence: int) -> bool:
        """Return whether a cue whose words are there is as sure as the rule asks."""
        cue = cues.CUES[condition.cue]
        worth = cue.alone
        if cue.judge is not None:
            doc = self.parse(text, sentence)
            worth = cue.alone if doc is None else cue.judge(doc)
        return worth >= condition.min

    def parse(self, text: _Text, sentence: int) -> cues.Parsed | None:
        """Return the parse of a sentence, or None with the language engine off or past `MAX_PARSES`."""
        if sentence not in text.parses:
            if self._parses >= MAX_PARSES:
                return None
            self._parses += 1
        return self._engine.parse(text, sentence)

    def gate(self, cue: str) -> int:
        """Return the number of the cue's pattern."""
        return self._engine.gate(cue)

    def is_refused(self) -> bool:
        """Return whether the contact's own quoted words refuse; looked for once, when first asked."""
        if self._refused is None:
            self._refused = self._engine.refused(self._authored, self._parties)
        return self._refused

    def is_over(self, expires: date) -> bool:
        """Return whether an exception that ends with ``expires`` no longer applies."""
        return self._today > expires


@dataclass(frozen=True, slots=True)
class _Parse:
    """The parse of one sentence, made when called."""

    judgement: _Judgement
    text: _Text
    sentence: int

    def __call__(self) -> cues.Parsed | None:
        return self.judgement.parse(self.text, self.sentence)


class _Sight:
    """What one rule sees of one message: its hits by condition and sentence, exceptions taken away."""

    def __init__(self, judgement: _Judgement, compiled: _Compiled, texts: list[_Text]) -> None:
        self._judgement = judgement
        self._rule = compiled.rule
        self._hits: dict[str, list[dict[int, list[Hit]]]] = {}
        self._place = {id(text): position for position, text in enumerate(texts)}
        excepted = [
            number
            for expires, numbers in compiled.exceptions
            if not judgement.is_over(expires)
            for number in numbers
        ]
        for name, condition in compiled.rule.conditions.items():
            numbers = (judgement.gate(condition.cue),) if condition.cue else compiled.numbers[name]
            self._hits[name] = [_by_sentence(text, numbers, excepted) for text in texts]

    def sentences(self, text: _Text) -> list[int]:
        """Return the sentences of ``text`` in which any condition of the rule is met."""
        place = self._place[id(text)]
        return sorted({sentence for hits in self._hits.values() for sentence in hits[place]})

    def is_met(self, expression: when.Expression, text: _Text, sentence: int) -> bool:
        """Return whether ``expression`` is true for ``sentence``; cues are asked only if it hangs on them."""

        def known(name: str) -> bool | None:
            condition = self._rule.conditions[name]
            found = self._found(condition, text, sentence)
            return None if found and condition.cue else found

        def full(name: str) -> bool:
            condition = self._rule.conditions[name]
            found = self._found(condition, text, sentence)
            return found and (not condition.cue or self._is_sure(condition, text, sentence))

        outlook = when.outlook(expression, known)
        return when.holds(expression, full) if outlook is None else outlook

    def evidence(self, text: _Text, sentence: int) -> list[Hit]:
        """Return the first match, in or beside this sentence, of each condition that speaks for the finding."""
        place = self._place[id(text)]
        hits: list[Hit] = []
        for name, negated in when.names(self._rule.when):
            found = self._hits[name.name][place].get(sentence)
            if found and not negated and self._counts(self._rule.conditions[name.name], text, sentence):
                hits.append(found[0])
        if hits:
            return hits
        nearby = (found for each in self._hits.values() for found in each[place].get(sentence, ()))
        return [next(nearby)]

    def _counts(self, condition: Condition, text: _Text, sentence: int) -> bool:
        return not condition.cue or self._is_sure(condition, text, sentence)

    def _found(self, condition: Condition, text: _Text, sentence: int) -> bool:
        if condition.refusal:
            return self._judgement.is_refused()
        hits = self._hits[condition.name]
        if condition.within == "message":
            return any(hits)
        here = hits[self._place[id(text)]]
        if condition.within == "neighbours":
            return any(number in here for number in (sentence - 1, sentence, sentence + 1))
        return sentence in here

    def _is_sure(self, condition: Condition, text: _Text, sentence: int) -> bool:
        if condition.within == "sentence":
            return self._judgement.cue(condition, text, sentence)
        here = self._hits[condition.name][self._place[id(text)]]
        near = (number for number in here if condition.within == "message" or abs(number - sentence) <= 1)
        return any(self._judgement.cue(condition, text, number) for number in near)


def _by_sentence(text: _Text, numbers: tuple[int, ...], excepted: list[int]) -> dict[int, list[Hit]]:
    """Return the hits of some patterns by sentence, in order of place, without those an exception covers."""
    covered = [hit.source() for number in excepted for hit in text.hits.get(number, ())]
    found: dict[int, list[Hit]] = {}
    for number in numbers:
        for hit in text.hits.get(number, ()):
            if covered and _overlaps(hit.source(), covered):
                continue
            found.setdefault(hit.sentence, []).append(hit)
    for hits in found.values():
        hits.sort(key=lambda hit: (hit.span.start, -hit.span.end))
    return found


def _overlaps(span: tuple[int, int], covered: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in covered)


def _roles(parties: Parties) -> frozenset[ContactRole]:
    matches = (contact for match in parties.contacts for contact in match.contacts)
    return frozenset(case.role for contact in matches for case in contact.cases)


def _counted_once(fired: list[Finding]) -> list[Finding]:
    """Return findings of one rule with its points on one of them: the first that is not softened, else the first."""
    acting = [finding for finding in fired if finding.status is not RuleStatus.SHADOW]
    carrier = next((finding for finding in acting if not finding.softened), acting[0] if acting else None)
    listed = [finding if finding is carrier else replace(finding, points=0) for finding in fired]
    kept = listed[:MAX_LISTED]
    if carrier is not None and not any(finding is carrier for finding in kept):
        kept[-1] = carrier
    return kept


Judge = Callable[[Authored, Parties, History, datetime], Inspection]
