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
from functools import cached_property
from typing import Protocol

from gateway.inspection import cues
from gateway.inspection.attribution import attribution
from gateway.inspection.bench import Text
from gateway.inspection.cues import Cue, Layer
from gateway.inspection.encoder import Encoder, Reading
from gateway.inspection.relations.parse import Parsed
from gateway.inspection.rules import Condition, Rule
from gateway.model import Attribution, Policy, Severity


class Parser(Protocol):
    """Parses one sentence of a text, or returns None where there is no parse to be had."""

    def __call__(self, text: Text, sentence: int) -> Parsed | None:
        """Return the parse of a sentence by its number."""


class Hearing:
    """What is heard in one message."""

    def __init__(
        self,
        texts: Iterable[Text],
        policy: Policy,
        weak: Iterable[str],
        parser: Parser | None,
        encoder: Encoder | None,
    ) -> None:
        """Take the message, the thresholds, the categories of which earlier mail had a weak cue, and the layers.

        No parser means that the language engine is off, no encoder that relations alone are heard.
        """
        self._texts = tuple(texts)
        self._policy = policy
        self._before = frozenset(weak)
        self._parser = parser
        self._encoder = encoder
        self._readings: dict[tuple[str, int, bool], tuple[Reading, ...]] = {}
        self._most: dict[tuple[str, int, bool], int] = {}
        """Of each text how many sentences the encoder reads: it stops after `cues.MAX_READ` characters of the message."""
        left = cues.MAX_READ
        for text in self._texts:
            starts = text.shadow.starts
            self._most[_key(text)] = bisect_right(starts, left) if left else 0
            left = max(0, left - len(text.shadow.text))

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

    def doubts(self, rule: Rule, text: Text, sentences: Iterable[int]) -> float | None:
        """Return how surely the surest of ``sentences`` crosses where the encoder takes them all for proper, else None.

        It is asked about what is not grave, stands undisguised, and has no cue elsewhere in the message or of its
        category in earlier mail for company (docs/decisions/0035).
        """
        if self._encoder is None or not self._policy.doubt or rule.severity is Severity.CRITICAL:
            return None
        if rule.category not in cues.CATEGORIES or text.disguised or rule.category in self._before:
            return None
        here = {(text.part, text.offset, number) for number in sentences}
        if any(place not in here for place, _ in self._signs):
            return None
        read = self._read(text)
        if any(number >= len(read) for _, _, number in here):
            return None  # what it does not read any more is not doubted
        surest = max((read[number].crossing for _, _, number in here), default=1.0)
        return surest if surest < self._policy.doubt else None

    def told(self, text: Text, heard: Iterable[Cue]) -> Iterator[str]:
        """Yield why each cue of a finding was heard, in words for a supervisor."""
        for cue in heard:
            yield cue.told
            made = self._encoder if cue.layer is Layer.ENCODER else None
            if made is not None and (stands_on := cues.clauses(cue, text.shadow, made)):
                yield stands_on

    @property
    def weak(self) -> tuple[str, ...]:
        """The categories of which later mail should know that this one had at least a weak cue (DECISIONS 19)."""
        found = {
            cue.category for _, cue in self._own if cue.probability >= self._policy.cue(cue.category).weak
        }
        return tuple(sorted(found))

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


def _key(text: Text) -> tuple[str, int, bool]:
    """Return what tells the texts of a message apart: one passage may be on the bench twice."""
    return text.part, text.offset, text.disguised
