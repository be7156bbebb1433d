"""Relations that rules ask for by name (``{cue: invitation, min: 0.6}``), each with a plain reason.

Owns the named relations. Refuses to know rules, and decides nothing. A relation is a fact of a sentence; a cue of one of
the categories (`gateway.inspection.cues`) is a judgement on it.

Each has words that must be there (its gate, an expression over one sentence). The gate is found in the same
pass as every other pattern; only a sentence whose gate is met, and whose rule could still fire, is parsed. Without
the parser (``inspection.language`` off) a relation is worth what its gate alone is worth. Those that make rules fire
have wide gates, so that without the parser they fire more often; those that hold a rule back (``restrains``) have
narrow ones, so that they hold back less often. A rule errs on the side of firing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from gateway.inspection.relations.features import reporter
from gateway.inspection.relations.parse import Parsed

CERTAIN: Final = 0.9
LIKELY: Final = 0.6
UNLIKELY: Final = 0.2

_YOU: Final = frozenset({"you", "u", "ya", "yourself"})
_YOUR: Final = frozenset({"your", "ur", "yours"})
_I: Final = frozenset({"i", "me", "myself"})
_WE: Final = frozenset({"we", "us"})
_SUBJECTS: Final = frozenset({"nsubj", "nsubjpass", "csubj"})
_OBJECTS: Final = frozenset({"dobj", "dative", "pobj", "iobj", "attr", "poss"})


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation: why it matters, the words that must be there, and what the parse makes of them.

    ``alone`` is its worth when there is no parse. ``unless`` are words that leave nothing of it. ``restrains``
    marks one that rules put under ``not``.
    """

    name: str
    why: str
    gate: str
    alone: float
    judge: Callable[[Parsed], float] | None = None
    restrains: bool = False
    unless: re.Pattern[str] | None = None

    def worth(self, sentence: str, doc: Parsed | None) -> float:
        """Return how sure the relation is in a sentence that its gate has let through."""
        if self.unless is not None and self.unless.search(sentence):
            return 0.0
        return self.alone if doc is None or self.judge is None else self.judge(doc)


def _is_first_to_second(doc: Parsed) -> float:
    """Return how surely "I" does something to or for "you", or asks it of you."""
    for token in doc:
        if token.pos_ not in {"VERB", "AUX"}:
            continue
        subjects, others = _people(token)
        if (subjects & _I and others & (_YOU | _YOUR)) or (subjects & _YOU and others & _I):
            return CERTAIN
    return UNLIKELY


def _people(verb: Any) -> tuple[set[str], set[str]]:
    """Return the pronouns that are subject of ``verb``, and those anywhere else under it."""
    subjects = {child.lower_ for child in verb.children if child.dep_ in _SUBJECTS}
    under = (token for token in verb.subtree if token.dep_ in _OBJECTS or token.dep_ in _SUBJECTS)
    return subjects, {token.lower_ for token in under if token.head != verb or token.dep_ not in _SUBJECTS}


def _addresses(doc: Parsed) -> float:
    """Return how surely the sentence is about its reader outside what a third person says."""
    for token in doc:
        if token.lower_ in _YOU | _YOUR and reporter(token) is None:
            return CERTAIN
    return UNLIKELY


def _invites(doc: Parsed) -> float:
    """Return how surely you or we are asked to do something together; a third person's plans are not it."""
    third = False
    for token in doc:
        if token.pos_ not in {"VERB", "AUX"} or token.dep_ == "aux":
            continue
        subjects = {child.lower_ for child in token.children if child.dep_ in _SUBJECTS}
        if reporter(token) is None and (subjects & (_YOU | _WE | _I) or not subjects):
            return CERTAIN
        third = True
    return UNLIKELY if third else LIKELY


def _praises(doc: Parsed) -> float:
    """Return how surely looks or charm are said of you: "you look lovely", "your eyes are gorgeous"."""
    for token in doc:
        if token.lower_ in _YOU and token.dep_ in _SUBJECTS and reporter(token) is None:
            return CERTAIN
        if token.lower_ in _YOUR and reporter(token) is None:
            return LIKELY
    return UNLIKELY


_ADJECTIVES: Final = (
    r"lovely|gorgeous|stunning|beautiful|pretty|cute|hot|fit|sexy|attractive|handsome|amazing|fantastic|"
    r"adorable|dazzling|sweet|radiant|good[- ]looking"
)
_DECLINED: Final = (
    r"accept|meet|come|go|do that|join|give|take you|reply|continue|see you|socialise|be friends|add you"
)

RELATIONS: Final[Mapping[str, Relation]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Relation(
                "addressed-to-you",
                "speaks to the reader",
                r"\b(?:you|your|yours|yourself|u|ur)\b",
                LIKELY,
                _addresses,
            ),
            Relation(
                "i-to-you",
                "the officer personally, to the reader",
                r"\b(?:i|me|my|im|ive|id|ill)\b.*\b(?:you|your|u|ur)\b|\b(?:you|your|u|ur)\b.*\b(?:i|me|my|im)\b",
                LIKELY,
                _is_first_to_second,
            ),
            Relation(
                "invitation",
                "asks the reader to do something together",
                r"\b(?:would (?:you|u)|(?:do )?(?:you|u)? ?fancy|let me|how about|what about|shall we|join me|come (?:to|"
                r"round|over|for|out|with|and)|(?:are|r) (?:you|u) (?:free|around|about)|(?:want|like|love|care|happy|up) "
                r"(?:to|for)|why don't (?:we|you)|we (?:could|should|might)|i could|meet me|treat you|take you)\b",
                LIKELY,
                _invites,
            ),
            Relation(
                "compliment-to-you",
                "praises the reader's looks or charm",
                rf"\b(?:you|your|u|ur)\b.*\b(?:{_ADJECTIVES})\b|\b(?:{_ADJECTIVES})\b.*\b(?:you|your|u|ur)\b",
                LIKELY,
                _praises,
            ),
            Relation(
                "question-to-you",
                "asks the reader something",
                r"\b(?:you|your|u|ur)\b.*\?",
                CERTAIN,
            ),
            Relation(
                "team-voice",
                "the team speaks, not the officer",
                r"\b(?:we|our|us|the team)\b",
                CERTAIN,
                restrains=True,
                unless=re.compile(r"\b(?:i|im|ive|id|me|my|mine|myself)\b", re.IGNORECASE),
            ),
            Relation(
                "refusal-by-officer",
                "the officer declines",
                r"\b(?:i|we)(?:'m| am|'re| are)? (?:afraid (?:i|we) )?(?:really )?(?:can't|cannot|can not|couldn't|"
                r"could not|won't|will not|mustn't|must not|shouldn't|should not|wouldn't|would not|not able to|unable to|"
                rf"not allowed to|have to decline to|must decline to)(?: be able to| possibly)? (?:{_DECLINED})\b|"
                r"\bnot (?:be )?(?:appropriate|professional|right|allowed|permitted) (?:for (?:me|us|an officer|officers|"
                rf"police officers) )?to (?:{_DECLINED})\b|\b(?:have|must) (?:to )?(?:politely )?(?:decline|refuse|say no)\b",
                CERTAIN,
                restrains=True,
            ),
        )
    }
)
