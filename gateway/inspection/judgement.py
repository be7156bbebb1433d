"""One message before the rules: which of them fire, where, and how strongly.

Owns the meaning of firing, as `engine` states it. Refuses to know files, policy and how patterns are found. Works
from the cheap to the dear: which patterns may be there, which are, which sentences could make ``when`` true, and
only then cues, whose sentences are parsed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Final, Protocol

from gateway.inspection.attribution import attribution
from gateway.inspection.bench import QUOTES, Hit, Text, is_said_by, names_of
from gateway.inspection.conduct import Conduct, counts_earlier_mail
from gateway.inspection.cues import CATEGORIES, Cue, Layers
from gateway.inspection.hearing import Doubted, Hearing
from gateway.inspection.matching import Span
from gateway.inspection.relations.named import RELATIONS
from gateway.inspection.relations.parse import Parsed
from gateway.inspection.rules import Condition, Rule
from gateway.inspection.when import Expression, Name, Not, holds, names, outlook
from gateway.model import (
    Attribution,
    Authored,
    ContactRole,
    Finding,
    History,
    Parties,
    PassageKind,
    RuleStatus,
)

MAX_LISTED: Final = 20
"""Findings of one rule listed for one message; a reviewer has seen enough, and a verdict must stay small."""
MAX_FIRED: Final = 1000
"""Findings of one rule that are made for one message where each is softened: a mail full of them must not cost minutes."""
_LONGEST_READING: Final = 120
"""Characters of words in disguise that a finding gives in clear."""
_SOFTENED: Final = "A case term stands beside it, so it flags at most."
_CLAIMED: Final = "It is marked as quoted, but only the message itself says so: it flags at most."
_OF_THREAD: Final = "It is the subject of a thread, perhaps the contact's words: it flags at most."
_DOUBTED: Final = " The language model takes the sentence for proper ({:.2f} that it crosses a line): {}."
MAX_PARSES: Final = 200
"""Sentences parsed for one message; past it cues are worth what their words alone are worth."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with numbers for patterns: of each condition, and of each exception with its last day.

    ``gates`` are sets of patterns of each of which one at least must be in a message for the rule to fire, the rarest
    first; ``text_gates`` those of which it must be in the very text. ``search`` is ``when`` in the order in which it is
    cheapest to rule out. A ``wordless`` rule may be true of a message for what is known beside its words alone, and
    a ``speechless`` one asks for no words that could be quoted.
    """

    rule: Rule
    numbers: Mapping[str, frozenset[int]]
    exceptions: tuple[tuple[date, frozenset[int]], ...]
    gates: tuple[frozenset[int], ...]
    text_gates: tuple[frozenset[int], ...]
    search: Expression
    wordless: bool = False
    speechless: bool = False

    def may_fire(self, present: frozenset[int]) -> bool:
        """Return whether the rule may fire in a message in which nothing but ``present`` may be."""
        return not any(map(present.isdisjoint, self.gates))

    def may_fire_in(self, text: Text) -> bool:
        """Return whether the rule may fire for a sentence of ``text``: something is there of each gate."""
        near = [gate & text.present for gate in self.text_gates]
        return all(near) and all(any(map(text.sentences, each)) for each in near)


class Refusals(Protocol):
    """Looks for a refusal in quoted text."""

    def __call__(self, text: str) -> bool:
        """Return whether ``text`` holds one."""


class Judgement:
    """One message before the rules."""

    def __init__(
        self,
        authored: Authored,
        parties: Parties,
        history: History,
        at: datetime,
        *,
        texts: tuple[Text, ...],
        layers: Layers | None,
        refusals: Refusals,
        conduct: Conduct,
    ) -> None:
        """Take a message, what is known beside its words, and what costs: the language engine (None when off), the search for refusals."""
        self.texts = texts
        self._authored = authored
        self._parties = parties
        self._history = history
        self._today = at.date()
        self._parser = layers.parse if layers is not None else None
        self._refusals = refusals
        self._conduct = conduct
        self._parses = 0
        self.hearing = Hearing(
            texts,
            conduct.policy,
            history.weak,
            self.parse if layers is not None else None,
            layers.encoder if layers is not None else None,
            is_grave=parties.is_grave(self._today, conduct.policy.closed_case_days)
            or any(history.earlier.get(category) for category in CATEGORIES),
        )

    @cached_property
    def present(self) -> frozenset[int]:
        """Return the numbers of all patterns that may be anywhere in the message."""
        return frozenset().union(*(text.present for text in self.texts))

    @cached_property
    def _roles(self) -> frozenset[ContactRole]:
        matches = (contact for match in self._parties.contacts for contact in match.contacts)
        return frozenset(case.role for contact in matches for case in contact.cases)

    @cached_property
    def is_refused(self) -> bool:
        """Return whether quoted words that are not the officer's own, or may be the contact's, hold a refusal."""
        own = names_of(self._parties.officer)
        quoted = [
            cut.text
            for cut in self._authored.cuts
            if cut.reason in QUOTES and not is_said_by(cut.speaker, own)
        ]
        unsure = (
            passage.text
            for passage in self._authored.passages
            if passage.uncertain and passage.kind is PassageKind.BODY
        )
        return any(map(self._refusals, (*quoted, *unsure)))

    def findings(self, compiled: CompiledRule) -> list[Finding]:
        """Return what one rule finds, its points counted once."""
        rule = compiled.rule
        if rule.roles and self._roles and not rule.roles & self._roles:
            return []
        texts = self.texts
        if rule.parts:
            texts = tuple(text for text in texts if text.kind in rule.parts)
        able = [
            place
            for place, text in enumerate(texts)
            if not compiled.speechless and compiled.may_fire_in(text)
        ]
        if not able and not compiled.wordless:
            return []
        sight = _Sight(self, compiled, texts)
        fired = self._fired(rule, sight, able)
        if fired:
            return _counted_once(fired)
        if compiled.wordless and sight.is_true_of_all(rule.when):
            softened = rule.softened_by is not None and sight.is_true_of_all(rule.softened_by)
            return [self._wordless(rule, softened=softened)]
        return fired

    def _fired(self, rule: Rule, sight: "_Sight", able: Iterable[int]) -> list[Finding]:
        """Return where a rule fires, in order, until no more of it can change what is listed or how it counts.

        Softening needs an anchor beside the words. Who sets one beside a thousand of them has hidden something: then
        the last one counts as it would without.
        """
        fired: list[Finding] = []
        acting, is_sure = 0, rule.status is RuleStatus.SHADOW  # which none of them can change
        for place in able:
            told = len(fired) if sight.texts[place].disguised else 0
            for each in sight.fires_in(place):
                finding = self._finding(rule, sight, place, *each)
                if told and _is_told(finding, fired[:told]):
                    continue
                if finding.status is not RuleStatus.SHADOW:
                    acting += 1
                    if acting == MAX_FIRED:
                        finding = replace(finding, softened=False)
                    is_sure = is_sure or not finding.softened
                fired.append(finding)
                if is_sure and len(fired) >= MAX_LISTED:
                    return fired
        return fired

    def is_so(self, condition: Condition) -> bool:
        """Return whether a fact of the message as a whole is so."""
        if condition.conduct is not None:
            return self._conduct.meets(condition.conduct)
        return self.is_refused

    def is_over(self, expires: date) -> bool:
        """Return whether an exception that ends with the day ``expires`` no longer applies."""
        return self._today > expires

    def is_sure(self, condition: Condition, text: Text, sentence: int) -> bool:
        """Return whether a cue whose words are there is as sure as the rule asks."""
        relation = RELATIONS[condition.relation]
        doc = self.parse(text, sentence) if relation.judge is not None else None
        return relation.worth(text.shadow.sentence(sentence), doc) >= condition.min

    def parse(self, text: Text, sentence: int) -> Parsed | None:
        """Return the parse of a sentence, or None with the language engine off or past `MAX_PARSES`."""
        if sentence not in text.parses:
            if self._parser is None or self._parses >= MAX_PARSES:
                return None
            self._parses += 1
            text.parses[sentence] = self._parser(text.shadow.sentence(sentence))
        return text.parses[sentence]

    def _finding(self, rule: Rule, sight: "_Sight", place: int, sentence: int, hits: list[Hit]) -> Finding:
        text = sight.texts[place]
        first, last = _extent(text.shadow.source, [hit.source() for hit in hits])
        whose = self._attribution(rule, text, hits)
        softened = rule.softened_by is not None and sight.is_met(rule.softened_by, place, sentence)
        heard = sight.heard(place, sentence)
        is_trial = rule.status is RuleStatus.SHADOW
        is_own = whose is Attribution.OWN and not text.claimed_quote
        here = {hit.sentence for hit in hits if hit.shadow is text.shadow}
        doubt = self.hearing.doubts(rule, text, here, leaves_trace=is_own and not is_trial)
        informs = whose is Attribution.QUOTED or is_trial or (doubt is not None and doubt.informs)
        return Finding(
            rule=rule.id,
            version=rule.version,
            status=RuleStatus.SHADOW if informs else rule.status,
            category=rule.category,
            severity=rule.severity,
            points=0 if informs else rule.points,
            part=text.part,
            start=text.offset + first,
            end=text.offset + last,
            text=text.shadow.source[first:last],
            why=self._why(rule, whose, text, heard, read=_words_of(hits), softened=softened) + _told(doubt),
            softened=softened
            or doubt is not None
            or text.claimed_quote
            or whose is Attribution.REPORTED
            or not sight.may_hold(place, sentence),
            for_reviewer=rule.for_reviewer,
            attribution=whose,
            probability=max((cue.probability for cue in heard), default=None),
            sign=self.hearing.sign(text, here) if is_own and not is_trial else None,
            of_earlier_mail=counts_earlier_mail(condition.conduct for condition in rule.conditions.values()),
        )

    def _wordless(self, rule: Rule, *, softened: bool) -> Finding:
        """Return the finding of a rule that is true whatever words stand where."""
        return Finding(
            rule=rule.id,
            version=rule.version,
            status=rule.status,
            category=rule.category,
            severity=rule.severity,
            points=0 if rule.status is RuleStatus.SHADOW else rule.points,
            part=None,
            start=None,
            end=None,
            text=None,
            why=" ".join((rule.why, *([_SOFTENED] if softened else ()), *self._before(rule))),
            softened=softened,
            for_reviewer=rule.for_reviewer,
            of_earlier_mail=counts_earlier_mail(condition.conduct for condition in rule.conditions.values()),
        )

    def _attribution(self, rule: Rule, text: Text, hits: list[Hit]) -> Attribution:
        """Return whose words they are: somebody else's only if every match is."""
        if not rule.attribution or any(hit.shadow is not text.shadow for hit in hits):
            return Attribution.OWN
        found = {
            attribution(text.shadow, hit.span.start, hit.span.end, _Parse(self, text, hit.sentence))
            for hit in hits
        }
        for whose in (Attribution.OWN, Attribution.REPORTED):
            if whose in found:
                return whose
        return Attribution.QUOTED

    def _why(
        self, rule: Rule, whose: Attribution, text: Text, heard: Iterable[Cue], *, read: str, softened: bool
    ) -> str:
        sentences = [rule.why, *self.hearing.told(text, heard)]
        if text.disguised:
            sentences.append(f'It is written in disguise, and reads "{read}".')
        if softened:
            sentences.append(_SOFTENED)
        if text.claimed_quote:
            sentences.append(_OF_THREAD if text.kind is PassageKind.SUBJECT else _CLAIMED)
        if whose is Attribution.REPORTED:
            sentences.append("It reports what somebody else said, so it flags at most.")
        if whose is Attribution.QUOTED:
            sentences.append("Somebody else's words in quotation marks: for information only.")
        return " ".join((*sentences, *self._before(rule)))

    def _before(self, rule: Rule) -> Iterator[str]:
        """Yield what the ledger says of the same category: shown only inside a finding (DECISIONS 19)."""
        earlier = self._history.earlier.get(rule.category, 0)
        if earlier:
            mail = "message" if earlier == 1 else "messages"
            yield f"Found in {earlier} earlier {mail} to this contact in {self._history.days} days."
        elif rule.category in self._history.weak:
            yield "Earlier mail to this contact had a weak sign of the same."


@dataclass(frozen=True, slots=True)
class _Parse:
    """The parse of one sentence, made when called."""

    judgement: Judgement
    text: Text
    sentence: int

    def __call__(self) -> Parsed | None:
        return self.judgement.parse(self.text, self.sentence)


class _Sight:
    """What one rule sees of one message: its hits by condition and sentence, exceptions taken away."""

    def __init__(self, judgement: Judgement, compiled: CompiledRule, texts: tuple[Text, ...]) -> None:
        self.texts = texts
        self._judgement = judgement
        self._compiled = compiled
        self._rule = compiled.rule
        self._hits: dict[tuple[str, int, int], list[Hit]] = {}
        self._sentences: dict[tuple[str, int], frozenset[int]] = {}

    @cached_property
    def _excepted(self) -> frozenset[int]:
        """The patterns of the exceptions in force."""
        exceptions = self._compiled.exceptions
        return frozenset().union(
            *(numbers for expires, numbers in exceptions if not self._judgement.is_over(expires))
        )

    def fires_in(self, place: int) -> Iterator[tuple[int, list[Hit]]]:
        """Yield the sentences of one text in which the rule fires, each with what speaks for it."""
        able = self._able(self._compiled.search, place)
        if able is None:
            positive = (name.name for name, negated in names(self._rule.when) if not negated)
            able = frozenset().union(*(self._near(name, place) for name in positive))
        for sentence in sorted(able):
            if self.is_met(self._rule.when, place, sentence):
                evidence = self._evidence(place, sentence)
                if evidence:
                    yield sentence, evidence

    def is_met(self, expression: Expression, place: int, sentence: int) -> bool:
        """Return whether ``expression`` is true for a sentence; cues are asked only if it hangs on them."""

        def full(name: str) -> bool:
            return self._stands(name, place, sentence) and self._is_sure(name, place, sentence)

        prospect = self._prospect(expression, place, sentence)
        return holds(expression, full) if prospect is None else prospect

    def heard(self, place: int, sentence: int) -> tuple[Cue, ...]:
        """Return the cues that speak for a finding in this sentence."""
        asked = (self._rule.conditions[name.name] for name, negated in names(self._rule.when) if not negated)
        hearing, text = self._judgement.hearing, self.texts[place]
        return tuple(
            cue for condition in asked if condition.cue for cue in hearing.found(condition, text, sentence)
        )

    def may_hold(self, place: int, sentence: int) -> bool:
        """Return whether the rule would fire with those cues alone that are sure enough to hold."""
        if not any(condition.cue for condition in self._rule.conditions.values()):
            return True
        hearing = self._judgement.hearing

        def surely(name: str) -> bool:
            condition = self._rule.conditions[name]
            if not condition.cue:
                return self._stands(name, place, sentence) and self._is_sure(name, place, sentence)
            return any(
                hearing.may_hold(condition, cue)
                for near, number in self._places(name, place, sentence)
                for cue in hearing.found(condition, self.texts[near], number)
            )

        return holds(self._rule.when, surely)

    def is_true_of_all(self, expression: Expression) -> bool:
        """Return whether ``expression`` is true of the message as a whole, its words looked for anywhere.

        Words are looked for only where what is known beside them leaves it open.
        """

        def known(name: str) -> bool | None:
            condition = self._rule.conditions[name]
            return self._judgement.is_so(condition) if condition.is_fact else None

        prospect = outlook(expression, known)
        return holds(expression, self._is_anywhere) if prospect is None else prospect

    def _is_anywhere(self, name: str) -> bool:
        condition = self._rule.conditions[name]
        if condition.is_fact:
            return self._judgement.is_so(condition)
        return any(
            self._found(name, place, sentence) and self._is_sure(name, place, sentence)
            for place in range(len(self.texts))
            for sentence in self._each(name, place)
        )

    def _evidence(self, place: int, sentence: int) -> list[Hit]:
        """Return the first match in this sentence of each condition that speaks for the finding.

        A cue speaks only where the rule hangs on it: what fires anyway is not worth a parse.
        """
        hangs_on_cues = self._prospect(self._rule.when, place, sentence) is None
        return [
            found[0]
            for name, negated in names(self._rule.when)
            if not negated
            and (found := self._found(name.name, place, sentence))
            and (hangs_on_cues or not self._rule.conditions[name.name].relation)
            and self._is_sure(name.name, place, sentence)
        ]

    def _prospect(self, expression: Expression, place: int, sentence: int) -> bool | None:
        """Return the truth of ``expression`` by words alone, or None if it hangs on how sure a cue is."""

        def known(name: str) -> bool | None:
            found = self._stands(name, place, sentence)
            return None if found and self._rule.conditions[name].relation else found

        return outlook(expression, known)

    def _able(
        self, expression: Expression, place: int, among: frozenset[int] | None = None
    ) -> frozenset[int] | None:
        """Return the sentences ``among`` those given that could make ``expression`` true; None when any might.

        What comes first in an `and` narrows the search for the rest.
        """
        if isinstance(expression, Name):
            return self._reach(expression.name, place, among)
        if isinstance(expression, Not):
            return among
        if expression.count == len(expression.operands):
            for operand in expression.operands:
                among = self._able(operand, place, among)
                if among is not None and not among:
                    break
            return among
        able: frozenset[int] = frozenset()
        for operand in expression.operands:
            each = self._able(operand, place, among)
            if each is None or each == among:
                return among
            able |= each
        return able

    def _reach(self, name: str, place: int, among: frozenset[int] | None) -> frozenset[int] | None:
        """Return the sentences ``among`` those given for which a condition may stand, exceptions apart."""
        condition = self._rule.conditions[name]
        if condition.within == "message":
            if condition.is_fact:
                is_possible = condition.refusal or self._judgement.is_so(condition)
            else:
                is_possible = any(self._places(name, place, 0))
            return among if is_possible else frozenset()
        if among is not None:
            return frozenset(each for each in among if self._stands(name, place, each))
        near = self._near(name, place)
        if condition.within == "sentence":
            return near
        beside = frozenset(each for sentence in near for each in (sentence - 1, sentence, sentence + 1))
        return beside.intersection(range(len(self.texts[place].shadow.starts)))

    def _near(self, name: str, place: int) -> frozenset[int]:
        """Return the sentences of a text that hold a condition, exceptions apart."""
        key = (name, place)
        near = self._sentences.get(key)
        if near is None:
            text = self.texts[place]
            condition = self._rule.conditions[name]
            numbers = self._compiled.numbers[name] & text.present
            near = frozenset(sentence for number in numbers for sentence in text.sentences(number))
            if condition.cue:
                near = self._judgement.hearing.sentences(condition, text)
            self._sentences[key] = near
        return near

    def _each(self, name: str, place: int) -> Iterator[int]:
        """Yield sentences that may hold a condition, pattern by pattern: to find one, not all are looked for."""
        text = self.texts[place]
        if self._rule.conditions[name].cue:
            yield from sorted(self._near(name, place))
        for number in text.cheapest_first(self._compiled.numbers[name]):
            yield from text.near(number)

    def _found(self, name: str, place: int, sentence: int) -> list[Hit]:
        """Return the hits of a condition in a sentence, in order, without those an exception covers."""
        key = (name, place, sentence)
        hits = self._hits.get(key)
        if hits is None:
            text = self.texts[place]
            numbers = self._compiled.numbers[name] & text.present
            hits = [hit for number in numbers for hit in text.hits(number, sentence)]
            if self._rule.conditions[name].cue:
                cues = self._judgement.hearing.found(self._rule.conditions[name], text, sentence)
                hits = [Hit(sentence, text.shadow, Span(cue.start, cue.end)) for cue in cues]
            if hits and self._excepted:
                excepted = self._excepted & text.present
                covered = [hit.source() for number in excepted for hit in text.hits(number, sentence)]
                hits = [hit for hit in hits if not _overlaps(hit.source(), covered)]
            hits.sort(key=_by_place)
            self._hits[key] = hits
        return hits

    def _stands(self, name: str, place: int, sentence: int) -> bool:
        """Return whether the words of a condition are there, as near as it asks."""
        condition = self._rule.conditions[name]
        if condition.is_fact:
            return self._judgement.is_so(condition)
        if condition.within == "sentence":
            return bool(self._found(name, place, sentence))
        return any(self._found(name, *each) for each in self._places(name, place, sentence))

    def _is_sure(self, name: str, place: int, sentence: int) -> bool:
        """Return whether a cue is sure in one of the sentences it may stand in; true for anything but a cue."""
        condition = self._rule.conditions[name]
        if not condition.relation:
            return True
        return any(
            self._found(name, *each) and self._judgement.is_sure(condition, self.texts[each[0]], each[1])
            for each in self._places(name, place, sentence)
        )

    def _places(self, name: str, place: int, sentence: int) -> Iterable[tuple[int, int]]:
        """Return the texts and sentences in which a condition may stand for this sentence."""
        within = self._rule.conditions[name].within
        if within == "sentence":
            return ((place, sentence),)
        if within == "neighbours":
            last = len(self.texts[place].shadow.starts)
            return ((place, each) for each in (sentence - 1, sentence, sentence + 1) if 0 <= each < last)
        return ((each, number) for each in range(len(self.texts)) for number in self._each(name, each))


def _by_place(hit: Hit) -> tuple[int, int]:
    return hit.span.start, -hit.span.end


def _extent(source: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the stretch from the first to the last span, without white space at its ends."""
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    words = source[first:last]
    return first + len(words) - len(words.lstrip()), last - len(words) + len(words.rstrip())


def _overlaps(span: tuple[int, int], covered: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in covered)


def _told(doubt: Doubted | None) -> str:
    if doubt is None:
        return ""
    return _DOUBTED.format(doubt.probability, "for information only" if doubt.informs else "it flags at most")


def _words_of(hits: list[Hit]) -> str:
    """Return the words of the shadow from the first match to the last, shortened; hits lie in one shadow."""
    shadow = hits[0].shadow
    start, end = min(hit.span.start for hit in hits), max(hit.span.end for hit in hits)
    return shadow.text[start:end].replace("\n", " ")[:_LONGEST_READING]


def _is_told(finding: Finding, told: list[Finding]) -> bool:
    """Return whether the same words made the rule fire already, as strongly, as they stand."""
    return any(
        earlier.part == finding.part
        and (earlier.start or 0) < (finding.end or 0)
        and (finding.start or 0) < (earlier.end or 0)
        and (finding.softened or not earlier.softened)
        for earlier in told
    )


def _counted_once(fired: list[Finding]) -> list[Finding]:
    """Return findings of one rule, its points on one: the first that is not softened, else the first that acts."""
    acting = [finding for finding in fired if finding.status is not RuleStatus.SHADOW]
    carrier = next((finding for finding in acting if not finding.softened), acting[0] if acting else None)
    listed = [finding if finding is carrier else replace(finding, points=0) for finding in fired]
    if carrier is None or any(finding is carrier for finding in listed[:MAX_LISTED]):
        return listed[:MAX_LISTED]
    return [*listed[: MAX_LISTED - 1], carrier]
