"""Frames: crossings as small trees of words, each with a category, a grade and a reason for the supervisor.

A frame is a head (a verb or noun by its keys), what hangs from it (spaCy's `DependencyMatcher` looks), and words that
must or must not stand in the same sentence. `FRAMES` of `crossings` is data; this module owns what a frame means. The
words a frame cannot do without are known before the parse, so a sentence that lacks them is not parsed for it: the
keys of a token and of its chunk are the same, and no cue is lost by it (tests/cues).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

from gateway.inspection.memory import Remembered
from gateway.inspection.relations.features import ANCHORS, YOU, Features, I, does
from gateway.inspection.relations.features import keys_of_words as keys
from gateway.inspection.relations.parse import Parsed, keys_of, pipeline

SURE: Final = 0.9
FIRM: Final = 0.8
LIKELY: Final = 0.65
HINT: Final = 0.4
"""Grades. A frame is given one by its sense, and moved by what it does on the train split: four crossings and at most one
look-alike make it firm, more look-alikes than crossings a hint. They are the probabilities of its cue, not calibrated."""
ANCHORED: Final = 0.5
"""What is left of a frame that police business in its own clause may explain: too little to count alone, enough to be
remembered and to count beside an earlier one."""

_SUBJECT: Final = frozenset({"nsubj", "nsubjpass"})
Mood = Literal["", "order", "question", "denied", "claimed", "forbidden", "called"]
"""How the head must stand: as an order, in a question, denied, not denied, as what the reader must or need not do, or as a name that
the reader is called by."""


@dataclass(frozen=True, slots=True)
class Limb:
    """A word that must hang from the head: by which path (an operator of `DependencyMatcher`), which words, as what."""

    path: str
    keys: frozenset[str]
    roles: frozenset[str] = frozenset()
    far: bool = False
    """It may stand in another clause."""

    @property
    def is_subject(self) -> bool:
        """Whether it is who does it: `features.does` knows where a subject may be left out."""
        return self.roles is _SUBJECT


@dataclass(frozen=True, slots=True)
class Frame:
    """One crossing. ``head`` and ``limbs`` are looked for in the tree, ``beside`` and ``without`` in the sentence."""

    name: str
    category: str
    grade: float
    why: str
    head: frozenset[str]
    limbs: tuple[Limb, ...] = ()
    beside: tuple[frozenset[str], ...] = ()
    without: frozenset[str] = frozenset()
    mood: Mood = ""
    forms: frozenset[str] = frozenset()
    """Of these words, as they are spelled, one must stand in its clause: "are you seeing anyone", not "were you"."""
    unanchored: bool = False
    """Police business in its own clause may be a reason, so it is worth less there."""

    @property
    def needs(self) -> tuple[frozenset[str], ...]:
        """The sets of keys of each of which one must be in a sentence."""
        limbs = (limb.keys for limb in self.limbs if limb.keys and not (limb.is_subject and limb.keys & I))
        return (self.head, *limbs, *self.beside)

    def may_be_in(self, keys: frozenset[str]) -> bool:
        """Return whether a sentence with ``keys`` can hold the frame; no parse is needed to say no."""
        return not any(map(keys.isdisjoint, self.needs))

    def found(self, features: Features) -> "Place | None":
        """Return the surest place of the frame in a parsed sentence, or None."""
        if (self.mood != "denied" and features.is_refusal) or any(map(features.keys.isdisjoint, self.beside)):
            return None
        places = (self._place(match[1], features) for match in _matcher(self)(features.parsed))
        return max((place for place in places if place is not None), key=_grade, default=None)

    def _place(self, match: list[int], features: Features) -> "Place | None":
        """Return a match as a place, unless its clause says something else."""
        tokens = [features.parsed[number] for number in match]
        doers = [does(tokens[0], limb.keys) for limb in self.limbs if limb.is_subject]
        if any(doer is None for doer in doers):
            return None
        clause = features.clause(tokens[0])
        keys = frozenset(token.norm_ for token in clause)
        within = {token.i for token in clause}
        hanging = [limb for limb in self.limbs if not limb.is_subject]
        near = (token.i in within for limb, token in zip(hanging, tokens[1:], strict=True) if not limb.far)
        if not self._stands(tokens[0], features) or keys & self.without or not all(near):
            return None
        grade = min(self.grade, ANCHORED) if self.unanchored and keys & ANCHORS else self.grade
        if self.forms and self.forms.isdisjoint(token.lower_ for token in clause):
            return None
        beside = [token for token in clause if any(token.norm_ in each for each in self.beside)]
        shown = sorted((*tokens, *doers, *beside, *_modifiers(tokens[0])), key=_position)
        start, end = _whole_words(features.words, shown[0].idx, shown[-1].idx + len(shown[-1]))
        # Whose words they are hangs on the quotation mark between them: the quoted ones are what is told.
        return Place(max(start, features.words.rfind('"', start, end) + 1), end, grade)

    def _stands(self, head: Any, features: Features) -> bool:
        return not self.mood or _MOODS[self.mood](head, features)


def _is_forbidden(head: Any, features: Features) -> bool:
    others = (child for child in head.children if child.dep_ in _SUBJECT and child.norm_ not in YOU)
    return features.is_negated(head) and not any(others)


_MOODS: Final[Mapping[str, Callable[[Any, Features], bool]]] = MappingProxyType(
    {
        "order": lambda head, features: features.is_order(head),
        "question": lambda _, features: features.is_asked,
        "denied": lambda head, features: features.is_negated(head),
        "claimed": lambda head, features: not features.is_negated(head),
        "forbidden": _is_forbidden,
        "called": lambda head, features: features.is_called(head),
    }
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the relations make of one parsed sentence."""

    places: tuple[tuple[Frame, "Place"], ...]
    """Where each frame stands that is in it, in the order of their names."""
    is_refusal: bool
    is_anchored: bool


_HEARD: Final = "heard"


def heard(parsed: Parsed, words: str) -> Heard:
    """Return what is heard in the sentence ``words``; kept with its parse, for as long as that is remembered."""
    known: Heard | None = parsed.user_data.get(_HEARD)
    if known is None:
        features = Features(parsed, words)
        found = ((frame, frame.found(features)) for frame in candidates(words))
        places = tuple((frame, place) for frame, place in found if place is not None)
        known = parsed.user_data[_HEARD] = Heard(places, features.is_refusal, features.is_anchored)
    return known


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame stands, as characters of the sentence, and what it is worth there."""

    start: int
    end: int
    grade: float


def _grade(place: Place) -> float:
    return place.grade


def _position(token: Any) -> int:
    return int(token.i)


def _modifiers(head: Any) -> Iterator[Any]:
    return (child for child in head.children if child.dep_ in {"neg", "aux"})


def _whole_words(words: str, start: int, end: int) -> tuple[int, int]:
    """Return a stretch that begins and ends with whole words: "can't", not "n't"; marks behind it stay out."""
    while start and (
        words[start - 1].isalnum() or (words[start - 1] == "'" and words[start - 2 : start - 1].isalnum())
    ):
        start -= 1
    while end < len(words) and (
        words[end].isalnum() or (words[end] == "'" and words[end + 1 : end + 2].isalpha())
    ):
        end += 1
    return start, end


@cache
def _matcher(frame: Frame) -> Callable[[Any], list[tuple[int, list[int]]]]:
    from spacy.matcher import DependencyMatcher

    pattern: list[dict[str, Any]] = [
        {"RIGHT_ID": "head", "RIGHT_ATTRS": {"NORM": {"IN": sorted(frame.head)}}}
    ]
    hanging = (limb for limb in frame.limbs if not limb.is_subject)
    for number, limb in enumerate(hanging):
        attributes: dict[str, Any] = {"NORM": {"IN": sorted(limb.keys)}} if limb.keys else {}
        if limb.roles:
            attributes["DEP"] = {"IN": sorted(limb.roles)}
        pattern.append(
            {"LEFT_ID": "head", "REL_OP": limb.path, "RIGHT_ID": f"limb{number}", "RIGHT_ATTRS": attributes}
        )
    made: Any = DependencyMatcher(pipeline().vocab)
    made.add(frame.name, [pattern])
    found: Callable[[Any], list[tuple[int, list[int]]]] = made
    return found


_OBJECT: Final = frozenset({"dobj", "dative", "pobj", "iobj", "attr", "oprd", "npadvmod"})


def subject(words: str) -> Limb:
    """Return a limb: who does it."""
    return Limb(">", keys(words), _SUBJECT)


def to(words: str) -> Limb:
    """Return a limb: to whom or what it is done."""
    return Limb(">", keys(words), _OBJECT)


def under(words: str) -> Limb:
    """Return a limb that hangs somewhere below the head, in its clause."""
    return Limb(">>", keys(words))


def far(words: str) -> Limb:
    """Return a limb that hangs somewhere below the head, in its clause or another."""
    return Limb(">>", keys(words), far=True)


def of(words: str) -> Limb:
    """Return a limb: whose it is."""
    return Limb(">", keys(words), frozenset({"poss", "amod", "det", "compound", "nmod", "nummod"}))


def said(words: str) -> Limb:
    """Return a limb: what is said of the subject."""
    return Limb(
        ">", keys(words), frozenset({"acomp", "attr", "advmod", "amod", "dobj", "xcomp", "oprd", "ROOT"})
    )


@cache
def frames_by_key() -> dict[str, tuple[Frame, ...]]:
    """Return every frame under each key of its head: a sentence without one of them is done."""
    from gateway.inspection.relations.crossings import FRAMES

    table: dict[str, list[Frame]] = {}
    for frame in FRAMES:
        for key in frame.head:
            table.setdefault(key, []).append(frame)
    return {key: tuple(frames) for key, frames in table.items()}


def candidates(sentence: str) -> tuple[Frame, ...]:
    """Return the frames that ``sentence`` may hold by the keys of its words, in the order of their names; it is not parsed."""
    return _gate(sentence)


def _let_through(sentence: str) -> tuple[Frame, ...]:
    keys, table = keys_of(sentence), frames_by_key()
    met = {frame.name: frame for key in keys for frame in table.get(key, ())}
    return tuple(met[name] for name in sorted(met) if met[name].may_be_in(keys))


_gate = Remembered(_let_through)
