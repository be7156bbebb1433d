"""The cues of one message, and what policy makes of how sure they are.

Owns the thresholds of `policy.yaml` under ``cues``: from where a cue counts alone, from where in company, from where it
may hold, from where it leaves a trace for later mail. Refuses to know how cues are found (`gateway.inspection.cues`) and
what a rule makes of them (`judgement`). With the language engine off there are no cues.

What one sentence only hints at, two sentences may say (docs/decisions/0031): a cue that is too weak alone counts where
the officer's own words hold another one elsewhere in the mail, or earlier mail to the contact left a trace of its
category. One cue more never makes another count for less.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from gateway.inspection import cues
from gateway.inspection.attribution import attribution
from gateway.inspection.bench import Text
from gateway.inspection.cues import Cue, Layer
from gateway.inspection.encoder import Encoder, Reading
from gateway.inspection.relations.parse import Parsed
from gateway.inspection.rules import Condition, Rule
from gateway.model import Attribution, PassageKind, Policy, Severity, Sign

_LEAST_WORDS: Final = 20
"""Words of a passage below which nothing in it is doubted, and"""
_FEWEST_WORDS: Final = 5
"""of a sentence: what is short, and what stands alone, reads proper to a model that knows whole mails, whatever it says."""
_ENOUGH_WORDS: Final = 30
"""Words of a passage below which the encoder must be surer."""
_READ_ALONE_WORDS: Final = 12
"""Words of a sentence up to which it is read by itself too, before it is doubted."""
_MOST_ALONE: Final = 100
"""Sentences of a message that are read by themselves, a few milliseconds each; what is more is not doubted."""
_LEAST_COST: Final = 200
"""Characters that a text counts for at least: each is a reading of its own, and a message may have thousands."""
_NAMES: Final = frozenset({PassageKind.SUBJECT, PassageKind.ATTACHMENT_NAME})
"""Passages that stand alone."""


class Parser(Protocol):
    """Parses one sentence of a text, or returns None where there is no parse to be had."""

    def __call__(self, text: Text, sentence: int) -> Parsed | None:
        """Return the parse of a sentence by its number."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """That the encoder takes a finding's sentences for proper, the surest at ``probability`` of crossing."""

    probability: float
    informs: bool
    """The finding is for information; else it flags at most."""


class Hearing:
    """What is heard in one message."""

    def __init__(
        self,
        texts: Iterable[Text],
        policy: Policy,
        weak: Iterable[str],
        parser: Parser | None,
        encoder: Encoder | None,
        *,
        is_grave: bool = False,
    ) -> None:
        """Take the message, the thresholds, the categories of which earlier mail had a sign, and the layers.

        No parser means that the language engine is off, no encoder that relations alone are heard. ``is_grave``: what is known
        beside the words speaks against the sender, so that no finding is doubted.
        """
        self._texts = tuple(texts)
        self._as_written = {(text.part, text.offset): text for text in self._texts if not text.disguised}
        self._policy = policy
        self._before = frozenset(weak)
        self._parser = parser
        self._encoder = encoder
        self._is_grave = is_grave
        self._doubted: set[str] = set()
        self._alone_crossing: dict[str, float] = {}
        self._readings: dict[tuple[str, int, bool], tuple[Reading, ...]] = {}
        self._most: dict[tuple[str, int, bool], int] = {}
        """Of each text how many sentences the encoder reads: `cues.MAX_READ` characters of the message, short texts before long
        ones, so that no long file keeps it from a note beside it."""
        left = cues.MAX_READ
        for text in sorted(self._texts, key=lambda each: len(each.shadow.text)):
            starts = text.shadow.starts
            self._most[_key(text)] = bisect_right(starts, left) if left else 0
            left = max(0, left - max(len(text.shadow.text), _LEAST_COST))

    def cues(self, text: Text) -> Mapping[int, tuple[Cue, ...]]:
        """Return every cue of ``text`` by its sentence; found when first asked for."""
        parser = self._parser
        if parser is None:
            return {}
        if not text.heard:
            read = self._read(text)
            text.heard.append(cues.cues_of(text.shadow, lambda number: parser(text, number), read))
        return text.heard[0]

    def _read(self, text: Text) -> tuple[Reading, ...]:
        """Return what the encoder makes of the sentences of ``text`` that it reads, the first of them first."""
        if self._encoder is None:
            return ()
        key = _key(text)
        if key not in self._readings:
            sentences = [text.shadow.sentence(number) for number in range(self._most[key])]
            self._readings[key] = self._encoder.read(sentences) if sentences else ()
        return self._readings[key]

    def sentences(self, condition: Condition, text: Text) -> frozenset[int]:
        """Return the sentences of ``text`` in which the cue of ``condition`` counts."""
        return frozenset(number for number in self.cues(text) if self.found(condition, text, number))

    def found(self, condition: Condition, text: Text, sentence: int) -> tuple[Cue, ...]:
        """Return the cue of ``condition`` in one sentence, if it is as sure as it must be."""
        heard = self.cues(text).get(sentence, ())
        return tuple(
            cue
            for cue in heard
            if cue.category == condition.cue and self._counts(condition, cue, text, sentence)
        )

    def _counts(self, condition: Condition, cue: Cue, text: Text, sentence: int) -> bool:
        if condition.min:
            return cue.probability >= condition.min
        thresholds = self._policy.cue(cue.category)
        if cue.probability >= thresholds.flag:
            return True
        if cue.probability < thresholds.company:
            return False
        here = (text.part, text.offset, sentence)
        return cue.category in self._before or any(there != here for there, _ in self._signs)

    def may_hold(self, condition: Condition, cue: Cue) -> bool:
        """Return whether a cue is sure enough to hold, with no case term beside it; a rule's own ``min`` is its word."""
        if cue.anchored:
            return False
        return bool(condition.min) or cue.probability >= self._policy.cue(condition.cue).hold

    def doubts(
        self, rule: Rule, text: Text, sentences: Iterable[int], *, leaves_trace: bool = True
    ) -> Doubted | None:
        """Return what the encoder's word against a finding of ``rule`` in ``sentences`` comes to; None: nothing.

        It is asked about sentences of some length in a mail of some length, undisguised, with no cue elsewhere in the message, no
        sign of the category in earlier mail, and nothing known against the sender (docs/decisions/0035). Against a
        critical rule its word makes the finding flag at most; against a frame that hears the same, unless it is surer.

        ``leaves_trace`` is false for what would not have acted: somebody else's words and rules on trial ask nothing of later mail.
        """
        here = set(sentences)
        if not here or not self._may_doubt(rule, text, here):
            return None
        surest = self._surest(text, here)
        is_sure = surest < self._policy.doubt_surely
        if surest >= self._policy.doubt or (_is_short(text.shadow.text, _ENOUGH_WORDS) and not is_sure):
            return None
        informs = rule.severity is not Severity.CRITICAL and (is_sure or not self._is_framed(text, here))
        if informs and leaves_trace:
            self._doubted.add(rule.category)
        return Doubted(surest, informs)

    def _surest(self, text: Text, sentences: set[int]) -> float:
        """Return how surely the surest of ``sentences`` crosses; 1 for what the encoder does not read any more."""
        read = self._read(text)
        if any(number >= len(read) for number in sentences):
            return 1.0
        surest = max((read[number].crossing for number in sentences), default=1.0)
        return max(surest, self._alone(text, sentences))

    def sign(self, text: Text, sentences: Iterable[int]) -> Sign | None:
        """Return the surest of ``sentences`` as the encoder reads them among their neighbours; None where it reads none."""
        read = self._read(text)
        known = [number for number in sentences if number < len(read)]
        if not known:
            return None
        surest = max(known, key=lambda number: (read[number].crossing, -number))
        start = text.shadow.starts[surest]
        return Sign(
            sentence=text.offset + text.shadow.origin(start, start)[0],
            crossing=round(read[surest].crossing, 3),
        )

    def _alone(self, text: Text, sentences: set[int]) -> float:
        """Return how surely the surest short one of ``sentences`` crosses by itself: an item of a list drowns among the others."""
        assert self._encoder is not None, "asked where there is one"
        words = [text.shadow.sentence(number) for number in sentences]
        short = [sentence for sentence in words if _is_short(sentence, _READ_ALONE_WORDS + 1)]
        for sentence in short:
            if sentence not in self._alone_crossing:
                if len(self._alone_crossing) == _MOST_ALONE:
                    return 1.0
                self._alone_crossing[sentence] = self._encoder.read([sentence])[0].crossing
        return max((self._alone_crossing[sentence] for sentence in short), default=0.0)

    def _may_doubt(self, rule: Rule, text: Text, sentences: set[int]) -> bool:
        if self._encoder is None or not self._policy.doubt or self._is_grave:
            return False
        if rule.category not in cues.CATEGORIES or rule.category in self._before:
            return False
        if not _is_long_enough(text, sentences):
            return False
        here = {(text.part, text.offset, number) for number in sentences}
        return all(place in here or self._is_hollow(place, cue) for place, cue in self._signs)

    def _is_hollow(self, place: tuple[str, int, int], cue: Cue) -> bool:
        """Return whether a sign is a frame's alone, in a sentence that the encoder surely takes for proper: it keeps none company."""
        if cue.layer is not Layer.RELATIONS or not self._policy.doubt_surely:
            return False
        part, offset, number = place
        text = self._as_written[part, offset]
        return _is_long_enough(text, {number}) and self._surest(text, {number}) < self._policy.doubt_surely

    def _is_framed(self, text: Text, sentences: set[int]) -> bool:
        """Return whether a frame is heard in the very sentences, surely enough to count alone."""
        return any(
            cue.layer is Layer.RELATIONS and cue.probability >= self._policy.cue(cue.category).flag
            for number in sentences
            for cue in self.cues(text).get(number, ())
        )

    def told(self, text: Text, heard: Iterable[Cue]) -> Iterator[str]:
        """Yield why each cue of a finding was heard, in words for a supervisor."""
        for cue in heard:
            yield cue.told
            made = self._encoder if cue.layer is Layer.ENCODER else None
            if made is not None and (stands_on := cues.clauses(cue, text.shadow, made)):
                yield stands_on

    @property
    def weak(self) -> tuple[str, ...]:
        """The categories of which later mail should know that this one had at least a weak cue (DECISIONS 19).

        What was doubted is one: said again, it is doubted no more.
        """
        found = {
            cue.category for _, cue in self._own if cue.probability >= self._policy.cue(cue.category).weak
        }
        return tuple(sorted(found | self._doubted))

    @cached_property
    def _signs(self) -> tuple[tuple[tuple[str, int, int], Cue], ...]:
        """The cues that keep another one company, each with its place."""
        return tuple(
            (place, cue)
            for place, cue in self._own
            if cue.probability >= self._policy.cue(cue.category).company
        )

    @cached_property
    def _own(self) -> tuple[tuple[tuple[str, int, int], Cue], ...]:
        """The cues in the officer's own words, each with its place. A second reading is the same words again."""
        return tuple(
            ((text.part, text.offset, number), cue)
            for text in self._texts
            if not text.claimed_quote and not text.disguised
            for number, found in self.cues(text).items()
            for cue in found
            if self._is_own(text, number, cue)
        )

    def _is_own(self, text: Text, number: int, cue: Cue) -> bool:
        parser = self._parser
        whose = attribution(
            text.shadow, cue.start, cue.end, lambda: parser(text, number) if parser is not None else None
        )
        return whose is Attribution.OWN


def _is_long_enough(text: Text, sentences: set[int]) -> bool:
    """Return whether ``sentences`` stand as written in a passage, and both are long enough to be doubted."""
    if text.disguised or text.kind in _NAMES or _is_short(text.shadow.text, _LEAST_WORDS):
        return False
    return not any(_is_short(text.shadow.sentence(number), _FEWEST_WORDS) for number in sentences)


def _is_short(words: str, least: int) -> bool:
    return len(words.split(maxsplit=least)) < least


def _key(text: Text) -> tuple[str, int, bool]:
    """Return what tells the texts of a message apart: one passage may be on the bench twice."""
    return text.part, text.offset, text.disguised
