"""One message before the rules: which of them fire, where, and how strongly.

Owns the meaning of firing, as `engine` states it. Refuses to know files, policy and how patterns are found. Works
from the cheap to the dear: which patterns may be there, which are, which sentences could make ``when`` true, and
only then cues, whose sentences are parsed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Final, Protocol

from gateway.inspection import cues
from gateway.inspection.attribution import attribution
from gateway.inspection.bench import QUOTES, Hit, Text, is_said_by, names_of
from gateway.inspection.rules import Condition, Rule
from gateway.inspection.when import Expression, Name, Not, conceivable, holds, names, needed, outlook
from gateway.model import (
    Attribution,
    Authored,
    ContactRole,
    Finding,
    History,
    Parties,
    RuleStatus,
)

MAX_LISTED: Final = 20
"""Findings of one rule listed for one message; a reviewer has seen enough, and a verdict must stay small."""
MAX_PARSES: Final = 200
"""Sentences parsed for one message; past it cues are worth what their words alone are worth."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, the numbers of each condition's patterns, and those of its exceptions with their last day."""

    rule: Rule
    numbers: Mapping[str, frozenset[int]]
    exceptions: tuple[tuple[date, frozenset[int]], ...]

    def gate(self) -> frozenset[int]:
        """Return patterns of which at least one must be in a message for the rule to fire.

        Those of the condition with the fewest among those that the rule cannot do without; else all it has.
        """
        must = [
            self.numbers[name] for name in needed(self.rule.when) if not self.rule.conditions[name].refusal
        ]
        return min(must, key=len) if must else frozenset().union(*self.numbers.values())

    def may_fire(self, stands: Callable[[frozenset[int]], bool]) -> bool:
        """Return whether ``when`` may be true when ``stands`` tells whether one of some patterns may be there."""

        def may_stand(name: str) -> bool:
            return self.rule.conditions[name].refusal or stands(self.numbers[name])

        return conceivable(self.rule.when, may_stand)


class Parser(Protocol):
    """Parses one sentence, or returns None with the language engine off."""

    def __call__(self, sentence: str) -> cues.Parsed | None:
        """Return the parse of ``sentence``."""


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
        parser: Parser,
        refusals: Refusals,
    ) -> None:
        """Take a message and the two things that cost: the parser, and the search for refusals."""
        self.texts = texts
        self._authored = authored
        self._parties = parties
        self._history = history
        self._today = at.date()
        self._parser = parser
        self._refusals = refusals
        self._parses = 0
        self._held: dict[int, bool] = {}

    @cached_property
    def present(self) -> frozenset[int]:
        """Return the numbers of all patterns that may be anywhere in the message."""
        return frozenset().union(*(text.present for text in self.texts))

    @cached_property
    def _anywhere(self) -> frozenset[int]:
        """Return the patterns that no sentence is known to be without."""
        return frozenset().union(*(text.anywhere for text in self.texts))

    def _may_hold(self, numbers: frozenset[int]) -> bool:
        """Return whether one of the patterns may be in the message, as far as is known without a search."""
        return not numbers.isdisjoint(self.present)

    def _holds_or_bare(self, numbers: frozenset[int]) -> bool:
        """Return whether one of the patterns is in the message, or is one for which all text must be searched."""
        return not numbers.isdisjoint(self._anywhere) or self._holds(numbers)

    def _holds(self, numbers: frozenset[int]) -> bool:
        """Return whether one of the patterns is in the message."""
        return any(map(self._holds_one, numbers & self.present))

    def _holds_one(self, number: int) -> bool:
        held = self._held.get(number)
        if held is None:
            held = self._held[number] = any(
                number in text.present and text.holds(number) for text in self.texts
            )
        return held

    @cached_property
    def _roles(self) -> frozenset[ContactRole]:
        matches = (contact for match in self._parties.contacts for contact in match.contacts)
        return frozenset(case.role for contact in matches for case in contact.cases)

    @cached_property
    def is_refused(self) -> bool:
        """Return whether quoted words that are not the officer's own hold a refusal."""
        own = names_of(self._parties.officer)
        return any(
            self._refusals(cut.text)
            for cut in self._authored.cuts
            if cut.reason in QUOTES and not is_said_by(cut.speaker, own)
        )

    def findings(self, compiled: CompiledRule) -> list[Finding]:
        """Return what one rule finds, its points counted once."""
        rule = compiled.rule
        if rule.roles and self._roles and not rule.roles & self._roles:
            return []
        looks = (self._may_hold, self._holds_or_bare, self._holds)  # from the cheap to the dear
        if not all(map(compiled.may_fire, looks)):
            return []
        texts = tuple(text for text in self.texts if not rule.parts or text.kind in rule.parts)
        sight = _Sight(self, compiled, texts)
        fired = [
            self._finding(rule, sight, place, sentence)
            for place in range(len(texts))
            for sentence in sight.fires_in(place)
        ]
        return _counted_once(fired)

    def is_over(self, expires: date) -> bool:
        """Return whether an exception that ends with the day ``expires`` no longer applies."""
        return self._today > expires

    def is_sure(self, condition: Condition, text: Text, sentence: int) -> bool:
        """Return whether a cue whose words are there is as sure as the rule asks."""
        cue = cues.CUES[condition.cue]
        doc = self.parse(text, sentence) if cue.judge is not None else None
        return cue.worth(text.shadow.sentence(sentence), doc) >= condition.min

    def parse(self, text: Text, sentence: int) -> cues.Parsed | None:
        """Return the parse of a sentence, or None with the language engine off or past `MAX_PARSES`."""
        if sentence not in text.parses:
            if self._parses >= MAX_PARSES:
                return None
            self._parses += 1
            text.parses[sentence] = self._parser(text.shadow.sentence(sentence))
        return text.parses[sentence]

    def _finding(self, rule: Rule, sight: "_Sight", place: int, sentence: int) -> Finding:
        text = sight.texts[place]
        hits = sight.evidence(place, sentence)
        first, last = _extent(text.shadow.source, [hit.source() for hit in hits])
        whose = self._attribution(rule, text, hits)
        softened = rule.softened_by is not None and sight.is_met(rule.softened_by, place, sentence)
        informs = whose is Attribution.QUOTED or rule.status is RuleStatus.SHADOW
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
            why=self._why(rule, whose, softened=softened, claimed_quote=text.claimed_quote),
            softened=softened or text.claimed_quote or whose is Attribution.REPORTED,
            for_reviewer=rule.for_reviewer,
            attribution=whose,
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

    def _why(self, rule: Rule, whose: Attribution, *, softened: bool, claimed_quote: bool) -> str:
        sentences = [rule.why]
        if softened:
            sentences.append("A case term stands beside it, so it flags at most.")
        if claimed_quote:
            sentences.append("It is marked as quoted, but only the message itself says so: it flags at most.")
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


@dataclass(frozen=True, slots=True)
class _Parse:
    """The parse of one sentence, made when called."""

    judgement: Judgement
    text: Text
    sentence: int

    def __call__(self) -> cues.Parsed | None:
        return self.judgement.parse(self.text, self.sentence)


class _Sight:
    """What one rule sees of one message: its hits by condition and sentence, exceptions taken away."""

    def __init__(self, judgement: Judgement, compiled: CompiledRule, texts: tuple[Text, ...]) -> None:
        self.texts = texts
        self._judgement = judgement
        self._compiled = compiled
        self._rule = compiled.rule
        self._excepted = frozenset().union(
            *(numbers for expires, numbers in compiled.exceptions if not judgement.is_over(expires))
        )
        self._hits: dict[tuple[str, int, int], list[Hit]] = {}
        self._sentences: dict[tuple[str, int], set[int]] = {}

    def fires_in(self, place: int) -> Iterator[int]:
        """Yield the sentences of one text in which the rule fires."""
        able = self._able(self._rule.when, place)
        if able is None:
            positive = (name.name for name, negated in names(self._rule.when) if not negated)
            able = {sentence for name in positive for sentence in self._near(name, place)}
        for sentence in sorted(able):
            if self.is_met(self._rule.when, place, sentence) and self.evidence(place, sentence):
                yield sentence

    def is_met(self, expression: Expression, place: int, sentence: int) -> bool:
        """Return whether ``expression`` is true for a sentence; cues are asked only if it hangs on them."""

        def full(name: str) -> bool:
            return self._stands(name, place, sentence) and self._is_sure(name, place, sentence)

        prospect = self._prospect(expression, place, sentence)
        return holds(expression, full) if prospect is None else prospect

    def evidence(self, place: int, sentence: int) -> list[Hit]:
        """Return the first match in this sentence of each condition that speaks for the finding.

        A cue speaks only where the rule hangs on it: what fires anyway is not worth a parse.
        """
        hangs_on_cues = self._prospect(self._rule.when, place, sentence) is None
        return [
            found[0]
            for name, negated in names(self._rule.when)
            if not negated
            and (found := self._found(name.name, place, sentence))
            and (hangs_on_cues or not self._rule.conditions[name.name].cue)
            and self._is_sure(name.name, place, sentence)
        ]

    def _prospect(self, expression: Expression, place: int, sentence: int) -> bool | None:
        """Return the truth of ``expression`` by words alone, or None if it hangs on how sure a cue is."""

        def known(name: str) -> bool | None:
            found = self._stands(name, place, sentence)
            return None if found and self._rule.conditions[name].cue else found

        return outlook(expression, known)

    def _able(self, expression: Expression, place: int) -> set[int] | None:
        """Return the only sentences that could make ``expression`` true; None when that is not bounded.

        Narrow conditions first: what `and` has already ruled out is not looked for.
        """
        if isinstance(expression, Name):
            return self._reach(expression.name, place)
        if isinstance(expression, Not):
            return None
        every = expression.count == len(expression.operands)
        able: set[int] | None = None if every else set()
        for operand in expression.operands:
            each = self._able(operand, place)
            if every and each is not None:
                able = each if able is None else able & each
                if not able:
                    return set()
            elif not every:
                able = None if able is None or each is None else able | each
        return able

    def _reach(self, name: str, place: int) -> set[int] | None:
        condition = self._rule.conditions[name]
        if condition.within == "message":
            return None
        near = self._near(name, place)
        if condition.within == "neighbours":
            beside = {each for sentence in near for each in (sentence - 1, sentence, sentence + 1)}
            return beside & set(range(len(self.texts[place].shadow.starts)))
        return near

    def _near(self, name: str, place: int) -> set[int]:
        """Return the sentences of a text that may hold a condition; cheap, and errs towards more."""
        key = (name, place)
        near = self._sentences.get(key)
        if near is None:
            text = self.texts[place]
            numbers = self._compiled.numbers[name] & text.present
            near = self._sentences[key] = {
                sentence for number in numbers for sentence in text.sentences(number)
            }
        return near

    def _found(self, name: str, place: int, sentence: int) -> list[Hit]:
        """Return the hits of a condition in a sentence, in order, without those an exception covers."""
        key = (name, place, sentence)
        hits = self._hits.get(key)
        if hits is None:
            text = self.texts[place]
            numbers, may_be = self._compiled.numbers[name], text.scan.within(sentence)
            able = (numbers & may_be) | (numbers & text.anywhere)
            hits = [hit for number in able for hit in text.hits(number, sentence)]
            if hits and self._excepted:
                excepted = (self._excepted & may_be) | (self._excepted & text.anywhere)
                covered = [hit.source() for number in excepted for hit in text.hits(number, sentence)]
                hits = [hit for hit in hits if not _overlaps(hit.source(), covered)]
            hits.sort(key=_by_place)
            self._hits[key] = hits
        return hits

    def _stands(self, name: str, place: int, sentence: int) -> bool:
        """Return whether the words of a condition are there, as near as it asks."""
        condition = self._rule.conditions[name]
        if condition.refusal:
            return self._judgement.is_refused
        if condition.within == "sentence":
            return sentence in self._near(name, place) and bool(self._found(name, place, sentence))
        return any(self._found(name, *each) for each in self._places(name, place, sentence))

    def _is_sure(self, name: str, place: int, sentence: int) -> bool:
        """Return whether a cue is sure in one of the sentences it may stand in; true for anything but a cue."""
        condition = self._rule.conditions[name]
        if not condition.cue:
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
        near = ((each, number) for each in range(len(self.texts)) for number in self._near(name, each))
        if within == "message":
            return near
        return (each for each in near if each[0] == place and abs(each[1] - sentence) <= 1)


def _by_place(hit: Hit) -> tuple[int, int]:
    return hit.span.start, -hit.span.end


def _extent(source: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the stretch from the first to the last span, without white space at its ends."""
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    words = source[first:last]
    return first + len(words) - len(words.lstrip()), last - len(words) + len(words.rstrip())


def _overlaps(span: tuple[int, int], covered: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in covered)


def _counted_once(fired: list[Finding]) -> list[Finding]:
    """Return findings of one rule, its points on one: the first that is not softened, else the first that acts."""
    acting = [finding for finding in fired if finding.status is not RuleStatus.SHADOW]
    carrier = next((finding for finding in acting if not finding.softened), acting[0] if acting else None)
    listed = [finding if finding is carrier else replace(finding, points=0) for finding in fired]
    if carrier is None or any(finding is carrier for finding in listed[:MAX_LISTED]):
        return listed[:MAX_LISTED]
    return [*listed[: MAX_LISTED - 1], carrier]
