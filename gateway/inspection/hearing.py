"""The cues of one message, and what policy makes of how sure they are.

Owns the thresholds of `policy.yaml` under ``cues``: from where a cue counts, from where it may hold, from where it leaves
a trace for later mail. Refuses to know how cues are found (`gateway.inspection.cues`) and what a rule makes of them
(`judgement`). With the language engine off there are no cues.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from gateway.inspection import cues
from gateway.inspection.bench import Text
from gateway.inspection.cues import Cue, Layer
from gateway.inspection.relations.parse import Parsed
from gateway.inspection.rules import Condition
from gateway.model import Policy


class Parser(Protocol):
    """Parses one sentence of a text, or returns None where there is no parse to be had."""

    def __call__(self, text: Text, sentence: int) -> Parsed | None:
        """Return the parse of a sentence by its number."""


class Hearing:
    """What is heard in one message."""

    def __init__(self, policy: Policy, weak: Iterable[str], parser: Parser, *, language: bool) -> None:
        """Take the thresholds, the categories of which earlier mail had a weak cue, and the parser."""
        self._policy = policy
        self._weak = frozenset(weak)
        self._parser = parser
        self._language = language

    def cues(self, text: Text) -> Mapping[int, tuple[Cue, ...]]:
        """Return every cue of ``text`` by its sentence; found when first asked for."""
        if not self._language:
            return {}
        if not text.heard:
            text.heard.append(
                cues.cues_of(text.shadow, lambda number: self._parser(text, number), cues.encoder())
            )
        return text.heard[0]

    def sentences(self, condition: Condition, text: Text) -> frozenset[int]:
        """Return the sentences of ``text`` in which the cue of ``condition`` counts."""
        return frozenset(number for number in self.cues(text) if self.found(condition, text, number))

    def found(self, condition: Condition, text: Text, sentence: int) -> tuple[Cue, ...]:
        """Return the cue of ``condition`` in one sentence, if it is as sure as it must be."""
        least = self.least(condition)
        heard = self.cues(text).get(sentence, ())
        return tuple(cue for cue in heard if cue.category == condition.cue and cue.probability >= least)

    def least(self, condition: Condition) -> float:
        """Return from which probability the cue counts: what the rule says, else policy, less after a weak cue."""
        if condition.min:
            return condition.min
        thresholds = self._policy.cue(condition.cue)
        return thresholds.again if condition.cue in self._weak else thresholds.flag

    def told(self, text: Text, heard: Iterable[Cue]) -> Iterator[str]:
        """Yield why each cue of a finding was heard, in words for a supervisor."""
        for cue in heard:
            yield cue.told
            made = cues.encoder() if cue.layer is Layer.ENCODER else None
            if made is not None and (stands_on := cues.clauses(cue, text.shadow, made)):
                yield stands_on

    def may_hold(self, condition: Condition, cue: Cue) -> bool:
        """Return whether a cue is sure enough to hold, with no case term beside it; a rule's own ``min`` is its word."""
        if cue.anchored:
            return False
        return bool(condition.min) or cue.probability >= self._policy.cue(condition.cue).hold

    def weak(self, texts: Iterable[Text], is_own: Callable[[Text, Cue], bool]) -> Iterator[str]:
        """Yield the categories of which the message has at least a weak cue in the officer's own words."""
        told: set[str] = set()
        for text in texts:
            for cue in (cue for found in self.cues(text).values() for cue in found):
                floor = self._policy.cue(cue.category).weak
                if cue.category not in told and cue.probability >= floor and is_own(text, cue):
                    told.add(cue.category)
        yield from sorted(told)
