"""Language cues: what one sentence does across a line, how surely, where exactly, and why.

The one face of both layers. *Relations* (`gateway.inspection.relations`) are frames over spaCy's parse: who does what to
whom. The *encoder* judges a sentence among its neighbours: how surely it crosses, and which line likeliest. Rules ask for a cue by its category (``{cue: secrecy}``);
`policy.yaml` says from which probability it counts. Refuses to know rules and history, and decides nothing: whose words
they are is `attribution`'s, what follows is policy's.

How the layers meet (docs/decisions/0030): of a sentence and category the surest layer counts. A relation comes with its
reason. The encoder sees words only, so where the parse says that the officer declines ("I can't give you my own number") what it
says is lowered, here and nowhere else. A case term in the sentence (`Cue.anchored`) lowers nothing; it lets the finding
flag at most.

A sentence that holds no frame's words, and that the encoder does not suspect, is not parsed: no cue is lost by that.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.inspection import encoder as statistical
from gateway.inspection import lexicon
from gateway.inspection.encoder import Encoder, Reading
from gateway.inspection.relations import frames, parse
from gateway.inspection.shadow import Shadow

CATEGORIES: Final = statistical.CATEGORIES
"""What may cross a line in words (DOMAIN.md section 4)."""
SUSPECTED: Final = 0.2
"""From which probability of the encoder a sentence is looked at closely; below it there is no cue."""
_REFUSED: Final = 0.3
"""What is left of the encoder's probability where the officer declines."""
MAX_READ: Final = 40_000
"""Characters of one message that the encoder reads, in reading order: some twenty pages, two to four seconds of processor
time. Rules and frames read the rest; a file of hundreds of pages must not be held for its length alone."""
UNPARSED: Final = 0.65
"""What a sentence is worth that has a frame's words and is not parsed any more (`judgement.MAX_PARSES`): who pads a
message until the parser gives up must not thereby pass."""


class Layer(StrEnum):
    """Who says so."""

    RELATIONS = "relations"
    ENCODER = "encoder"


@dataclass(frozen=True, slots=True)
class Cue:
    """One crossing in one sentence. ``start`` and ``end`` are characters of the shadow's text."""

    category: str
    probability: float
    start: int
    end: int
    layer: Layer
    reason: str
    anchored: bool = False
    """Police business stands in the sentence: it flags at most."""

    @property
    def told(self) -> str:
        """Return the reason and the probability as a supervisor reads them."""
        return f"It {self.reason} ({self.probability:.2f}, {self.layer.value})."


Parser = Callable[[int], "parse.Parsed | None"]
"""Gives the parse of a sentence by its number; None when there is none to be had."""


def cues_of(shadow: Shadow, parser: Parser, readings: Sequence[Reading]) -> Mapping[int, tuple[Cue, ...]]:
    """Return the cues of one text under the numbers of their sentences, at most one a category and sentence.

    ``readings`` is what the encoder makes of the sentences from the first on, as many as it has read.
    """
    found: dict[int, tuple[Cue, ...]] = {}
    for number in range(len(shadow.starts)):
        sentence = shadow.sentence(number)
        candidates = frames.candidates(sentence)
        reading = readings[number] if number < len(readings) else None
        suspected = reading is not None and max(reading.crossing, *reading.categories) >= SUSPECTED
        if not candidates and not suspected:
            continue
        parsed = parser(number)
        heard = frames.heard(parsed, sentence) if parsed is not None else None
        related = _related(candidates, heard, len(sentence))
        judged = _judged(reading, heard, sentence) if reading is not None and suspected else ()
        cues = tuple(_surest((*related, *judged)))
        if cues:
            found[number] = tuple(_placed(cue, shadow.starts[number]) for cue in cues)
    return found


def _related(candidates: Sequence[frames.Frame], heard: frames.Heard | None, length: int) -> Iterator[Cue]:
    """Yield what the frames find; without a parse, what their words alone are worth."""
    if heard is None:
        for frame in candidates:
            reason = f"has the words of what {frame.why}, in a message too long to be read closely"
            yield Cue(frame.category, min(frame.grade, UNPARSED), 0, length, Layer.RELATIONS, reason)
        return
    for frame, place in heard.places:
        yield Cue(
            frame.category, place.grade, place.start, place.end, Layer.RELATIONS, frame.why, heard.is_anchored
        )


def _judged(reading: Reading, heard: frames.Heard | None, sentence: str) -> Iterator[Cue]:
    """Yield what the encoder finds, lowered where the officer declines, and whether police business stands beside it."""
    left = _REFUSED if heard is not None and heard.is_refusal else 1.0
    start, end = reading.words if reading.words[0] < reading.words[1] else (0, len(sentence))
    anchored = heard is not None and heard.is_anchored
    likeliest = reading.best[0]
    for category, probability in zip(CATEGORIES, reading.categories, strict=True):
        if category == likeliest:  # that a line is crossed is surer than which: docs/decisions/0035
            probability = max(probability, reading.crossing)  # noqa: PLW2901
        if probability >= SUSPECTED:
            reason = f"reads like {category.replace('-', ' ')}"
            yield Cue(category, probability * left, start, end, Layer.ENCODER, reason, anchored)


def _surest(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Yield the surest cue of each category; of two as sure as each other the first, which is the relation's."""
    best: dict[str, Cue] = {}
    for cue in cues:
        if cue.category not in best or cue.probability > best[cue.category].probability:
            best[cue.category] = cue
    return iter(best.values())


def _placed(cue: Cue, offset: int) -> Cue:
    return Cue(
        cue.category,
        cue.probability,
        cue.start + offset,
        cue.end + offset,
        cue.layer,
        cue.reason,
        cue.anchored,
    )


def clauses(cue: Cue, shadow: Shadow, made: Encoder) -> str:
    """Return which clause the encoder's cue stands on, in a sentence for a supervisor, or nothing.

    Costs a pass of the encoder for each clause: only for findings.
    """
    number = shadow.sentence_at(cue.start)
    sentences = [shadow.sentence(each) for each in range(len(shadow.starts))]
    without = min(
        made.explain(sentences, number, cue.category), key=lambda each: each.probability, default=None
    )
    if without is None or without.probability >= cue.probability:
        return ""
    words = sentences[number][without.start : without.end]
    return f'Without "{words}" it would be {without.probability:.2f}.'


def encoder() -> Encoder | None:
    """Return the encoder of this process, or None where there is no model."""
    return statistical.encoder()


def warm(*, with_encoder: bool = True) -> None:
    """Load what judging needs and parse one sentence, so that the first message does not pay for it."""
    parse.parse("We will update you by Friday.")
    frames.frames_by_key()
    if with_encoder:
        encoder()


@dataclass(frozen=True, slots=True)
class Layers:
    """What of the language engine is in force: the parse of a sentence, and the encoder where there is one."""

    parse: Callable[[str], "parse.Parsed"]
    encoder: Encoder | None


def layers(*, with_encoder: bool) -> Layers:
    """Return the layers of this process, loaded and warm."""
    warm(with_encoder=with_encoder)
    return Layers(parse.parse, encoder() if with_encoder else None)


def model_hash(heard: Layers | None) -> str:
    """Return the SHA-256 over every model file that judging depends on."""
    told = hashlib.sha256(lexicon.digest().encode())
    if heard is not None:
        told.update(parse.digest().encode())
        told.update(heard.encoder.hash.encode() if heard.encoder is not None else b"")
    return told.hexdigest()
