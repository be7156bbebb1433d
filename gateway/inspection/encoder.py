"""The encoder: how surely each sentence crosses, read together with the sentences around it.

Owns the packaged model (``weights/``: an ONNX graph, its vocabulary, a table of wordings, and a manifest that names them by
SHA-256), the windows in which a text is read, and the memory of windows read before. Refuses to know rules, relations and whose words
a sentence is: `cues` puts those together. Made by `gateway model train`; docs/model-card.md says from what.

A window is up to 128 pieces of consecutive sentences, with one more on either side that gives context and is not judged.
The graph gives each piece a score per category; those of a sentence are pooled by a soft maximum, so that one clause
in a long sentence is enough, and what its very words speak for (`wording`) is added. Windows are judged one at a time: with dynamic int8, what shares a batch moves the numbers
(DECISIONS 18).

Pure after `encoder` has loaded it: the same sentences give the same numbers, whatever was read before.
"""

import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.errors import Mistake, Mistakes
from gateway.inspection.wording import Wording
from gateway.inspection.wordpiece import Piece, Vocabulary

CATEGORIES: Final = (
    "romantic-advance", "sexual-content", "appearance-compliment", "endearment", "private-channel", "secrecy",
    "personal-disclosure", "intrusive-question", "off-duty-contact", "leverage", "gift-favour", "persistence",
    "social-media", "emotional-intimacy", "boundary-awareness", "photo-exchange", "complaint-shaping",
)  # fmt: skip
"""What a sentence may be, in the order of the scores; the graph has one more, that it crosses at all."""

WEIGHTS: Final = Path(__file__).parent / "weights"
GRAPH: Final = "encoder.onnx"
VOCABULARY: Final = "vocabulary.txt"
WORDINGS: Final = "wordings.bin"
MANIFEST: Final = "manifest.json"
FORMAT: Final = 2

MAX_PIECES: Final = 128
"""Pieces of a window, with its two marks: what the weights that ours began from were trained with."""
MAX_UNIT: Final = 64
"""Pieces of a sentence that are pooled together; a longer one is judged in several runs, and the surest counts."""
CONTEXT: Final = 31
"""Pieces of the sentence before and after a window that are read with it."""
KEPT_WINDOWS: Final = 2048
"""Windows whose readings are remembered, some 12 MB: templates and threads come again. Kept by hash, not by words."""
_FOCUS: Final = 0.5
"""Pieces that score at least this share of the best one's probability are where the weight lies."""

_CLAUSE: Final = re.compile(
    r"(?:[,;:]|\s-|\s\()\s*|\s+(?=(?:and|but|because|so|if|when|unless|or|though|that|which|who)\s)",
    re.IGNORECASE,
)
_JOINTS: Final = " ,;:-()"
Scores = npt.NDArray[np.float32]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `gateway model train` wrote beside the graph. ``files`` maps names to SHA-256; ``made`` is for the card."""

    format: int
    categories: tuple[str, ...]
    temperature: float
    """Divides the score of a sentence before it becomes a probability: found on dev, so that 0.6 means 6 of 10."""
    files: dict[str, str]
    made: dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the encoder makes of one sentence among its neighbours. Probabilities are calibrated on the dev split."""

    crossing: float
    """That it crosses at all."""
    categories: tuple[float, ...]
    """In the order of `CATEGORIES`; several may be true."""
    words: tuple[int, int]
    """The code points of the sentence in which the weight lies."""

    @property
    def proper(self) -> float:
        """Return how surely the sentence is proper."""
        return 1.0 - self.crossing

    def of(self, category: str) -> float:
        """Return the probability of one category."""
        return self.categories[CATEGORIES.index(category)]

    @property
    def best(self) -> tuple[str, float]:
        """Return the surest category and its probability."""
        probability = max(self.categories)
        return CATEGORIES[self.categories.index(probability)], probability


@dataclass(frozen=True, slots=True)
class Without:
    """What a category would come to without the clause ``start`` to ``end`` of its sentence."""

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Unit:
    """A run of pieces that is judged as one: a sentence, or a stretch of a very long one."""

    sentence: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """What goes through the graph at once: the numbers of all pieces, and where each judged unit stands among them."""

    numbers: tuple[int, ...]
    units: tuple[Unit, ...]
    starts: tuple[int, ...]

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Return where each unit begins and ends among the numbers."""
        return tuple(
            (start, start + len(unit.pieces)) for start, unit in zip(self.starts, self.units, strict=True)
        )


class Encoder:
    """A loaded model. `read` and `explain` depend on their arguments alone, and are linear in the text."""

    def __init__(self, folder: Path = WEIGHTS, *, kept: int = KEPT_WINDOWS) -> None:
        """Load the model in ``folder``; raises `Mistakes` when a file is missing or is not the one that was made."""
        self.manifest, octets = _checked(folder)
        self.hash = digest(folder)
        self.vocabulary = Vocabulary(octets[VOCABULARY].decode("utf-8").split("\n"))
        self._wording = Wording(octets[WORDINGS])
        self._session = session(octets[GRAPH])
        self._kept: OrderedDict[bytes, tuple[_Judged, ...]] = OrderedDict()
        self._room = kept

    def read(self, sentences: Sequence[str]) -> tuple[Reading, ...]:
        """Return one reading for each of the sentences of one text, which must be in order. Never raises on odd text."""
        readings: list[Reading] = [_NOTHING] * len(sentences)
        added = [self._wording.score(sentence) for sentence in sentences]
        for window in windows(sentences, self.vocabulary):
            judged = self._judged(window, [added[unit.sentence] for unit in window.units])
            for unit, (probabilities, first, last) in zip(window.units, judged, strict=True):
                words = unit.pieces[first].start, unit.pieces[last].end
                reading = Reading(probabilities[-1], probabilities[:-1], words)
                if reading.crossing >= readings[unit.sentence].crossing:
                    readings[unit.sentence] = _surest(reading, readings[unit.sentence])
                else:
                    readings[unit.sentence] = _surest(readings[unit.sentence], reading)
        return tuple(readings)

    def remember(self, windows: int) -> None:
        """Keep the readings of the last so many windows, and forget what is more."""
        self._room = windows
        while len(self._kept) > windows:
            self._kept.popitem(last=False)

    def explain(self, sentences: Sequence[str], number: int, category: str) -> tuple[Without, ...]:
        """Return what ``category`` of sentence ``number`` would come to without each of its clauses; () for a single one.

        Costs a reading of the sentence and its neighbours for each clause: for findings, not for every sentence.
        """
        sentence = sentences[number]
        clauses = clauses_of(sentence)
        before, after = sentences[max(number - 1, 0) : number], sentences[number + 1 : number + 2]
        return tuple(
            Without(start, end, self.read([*before, rest, *after])[len(before)].of(category))
            for start, end in clauses
            if (rest := _without(sentence, start, end))
        )

    def _judged(self, window: Window, added: Sequence[float]) -> tuple["_Judged", ...]:
        """Return what each unit of ``window`` comes to with what its words add, from memory where it was read before."""
        numbers = np.array([window.numbers], dtype=np.int64)
        key = hashlib.blake2b(numbers.tobytes(), digest_size=16)
        key.update(np.array([window.starts, added], dtype=np.float64).tobytes())
        kept = self._kept.get(key.digest())
        if kept is None:
            (scores,) = self._session.run(None, {"pieces": numbers})
            spans = zip(window.spans, added, strict=True)
            kept = tuple(self._unit(scores[0][begin:end], more) for (begin, end), more in spans)
            self._kept[key.digest()] = kept
            self.remember(self._room)
        else:
            self._kept.move_to_end(key.digest())
        return kept

    def _unit(self, scores: Scores, added: float) -> "_Judged":
        probabilities = _probability((pooled(scores) + added) / self.manifest.temperature)
        of_pieces = _probability(scores[:, -1])
        telling = np.flatnonzero(of_pieces >= _FOCUS * of_pieces.max())
        return tuple(map(float, probabilities)), int(telling[0]), int(telling[-1])


_Judged = tuple[tuple[float, ...], int, int]
"""Of a unit: the probability of each category and last that it crosses at all, and the first and the last piece in which the
weight lies."""
_NOTHING: Final = Reading(0.0, (0.0,) * len(CATEGORIES), (0, 0))
"""Of a sentence without words."""


def pooled(scores: Scores) -> Scores:
    """Return the scores of a unit from those of its pieces: the soft maximum, which a long sentence does not raise."""
    top = scores.max(axis=0)
    return np.asarray(top + np.log(np.exp(scores - top).mean(axis=0)), dtype=np.float32)


def windows(sentences: Sequence[str], vocabulary: Vocabulary) -> Iterator[Window]:
    """Yield the windows in which ``sentences`` are read; every piece of every sentence is judged in exactly one."""
    units = [
        unit for number, text in enumerate(sentences) for unit in _units(number, vocabulary.pieces(text))
    ]
    at = 0
    while at < len(units):
        before = units[at - 1].pieces[-CONTEXT:] if at else ()
        room = MAX_PIECES - 2 - len(before)
        end = at
        while end < len(units):
            after = units[end + 1].pieces[:CONTEXT] if end + 1 < len(units) else ()
            if end > at and len(units[end].pieces) + len(after) > room:
                break
            room -= len(units[end].pieces)
            end += 1
        after = units[end].pieces[:CONTEXT] if end < len(units) else ()
        yield _window(before, units[at:end], after, vocabulary)
        at = end


def _units(sentence: int, pieces: tuple[Piece, ...]) -> Iterator[Unit]:
    runs = -(-len(pieces) // MAX_UNIT)
    for run in range(runs):
        yield Unit(sentence, pieces[len(pieces) * run // runs : len(pieces) * (run + 1) // runs])


def _window(
    before: Sequence[Piece], units: Sequence[Unit], after: Sequence[Piece], vocabulary: Vocabulary
) -> Window:
    numbers = [vocabulary.begin, *(piece.number for piece in before)]
    starts: list[int] = []
    for unit in units:
        starts.append(len(numbers))
        numbers += (piece.number for piece in unit.pieces)
    numbers += (piece.number for piece in after)
    return Window((*numbers, vocabulary.end), tuple(units), tuple(starts))


def clauses_of(sentence: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of the clauses of ``sentence``, by its commas and conjunctions; () when it has but one."""
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(sentence)), len(sentence)]
    spans = [(start, start + len(sentence[start:end].rstrip(_JOINTS))) for start, end in pairwise(cuts)]
    spans = [(start, end) for start, end in spans if end > start]
    return tuple(spans) if len(spans) > 1 else ()


def _without(sentence: str, start: int, end: int) -> str:
    """Return ``sentence`` without a clause and the marks that joined it to the rest."""
    return f"{sentence[:start].rstrip(_JOINTS)} {sentence[end:].lstrip(_JOINTS)}".strip()


def _surest(best: Reading, other: Reading) -> Reading:
    """Return ``best`` with the higher of both for each category."""
    return Reading(best.crossing, tuple(map(max, best.categories, other.categories)), best.words)


def _probability(scores: Scores) -> Scores:
    return np.asarray(1.0 / (1.0 + np.exp(-scores)), dtype=np.float32)


def session(graph: bytes) -> Any:
    """Return the graph ready to run, on the one thread that a worker has."""
    # From 1.29 on it tells its maker of every process and model, and gives the machine an id, unless this stands here
    # before it is loaded (docs/decisions/0045).
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.use_deterministic_compute = True
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _checked(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Return the manifest and the files that it names; raises `Mistakes` for what is not as it was made."""
    remedy = "install the package again, or make the model with `gateway model train`"
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        octets = {name: (folder / name).read_bytes() for name in (GRAPH, VOCABULARY, WORDINGS)}
    except (OSError, msgspec.DecodeError) as wrong:
        raise Mistakes(
            (Mistake(file=str(path), what=f"no language model: {wrong}", remedy=remedy),)
        ) from wrong
    mistakes = [
        Mistake(file=str(folder / name), what="not the file that its manifest names", remedy=remedy)
        for name, content in octets.items()
        if manifest.files.get(name) != hashlib.sha256(content).hexdigest()
    ]
    if manifest.format != FORMAT or manifest.categories != CATEGORIES:
        what = "a language model for another version of the gateway"
        mistakes.append(Mistake(file=str(path), what=what, remedy=remedy))
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return manifest, octets


@cache
def encoder() -> Encoder | None:
    """Return the packaged model, loaded once a process; None where the package has none (`absence` says so).

    Raises `Mistakes` when it is there and is not what was made: a damaged model is refused, not left out.
    """
    return Encoder() if (WEIGHTS / MANIFEST).exists() else None


def digest(folder: Path = WEIGHTS) -> str:
    """Return the hash that stands for the model in ``folder``, of its manifest; empty where there is none. Loads nothing."""
    path = folder / MANIFEST
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def absence() -> str:
    """Return why there is no encoder, for doctor, log and verdict; empty when there is one."""
    if (WEIGHTS / MANIFEST).exists():
        return ""
    return "the language model is not in this package: words and relations are read, veiled wording is not"
