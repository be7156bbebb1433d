"""From the corpus to a model: one seeded run, on two processor cores, with its recipe and hashes written beside it.

Owns the order of training: lessons, hard negatives mined by models that never saw them, the fit, calibration on dev, the
graph and its manifest. Refuses to look at the test split and at sealed batches. Needs torch (extra ``train``), which
must not be installed beside the gateway itself: spaCy's libraries would import it in every process.

The same corpus, recipe, machine and number of threads give the same weights; another processor gives figures that agree
within their intervals.
"""

import hashlib
import json
import math
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import numpy as np

from gateway.errors import GatewayError
from gateway.inspection.encoder import (
    CATEGORIES,
    FORMAT,
    GRAPH,
    MANIFEST,
    VOCABULARY,
    WORDINGS,
    Encoder,
    Manifest,
    pooled,
    session,
    windows,
)  # fmt: skip
from gateway.inspection.wording import SILENT
from gateway.inspection.wordpiece import Vocabulary
from gateway.training import network
from gateway.training.corpus import Corpus, Split
from gateway.training.graph import onnx_graph
from gateway.training.labelled import Sentence, Text, noised, texts_of
from gateway.training.pretrained import LICENCE, NAME, Pretrained
from gateway.training.wordings import calibrated, fitted

Log = Callable[[str], None]
_HARD: Final = 0.3
"""A proper sentence that an unseen model gives more than this, or a crossing that it gives less, is hard."""
_DROP: Final = 0.1
"""Share of the proper sentences of a mail that are left out of a lesson, so that neighbours vary."""

_ROUNDING: Final = 1e-3
"""Scores of the graph and of the network may differ by this: two libraries add up in other orders."""
_AROUND: Final = 2
"""Sentences of a proper mail that a passage set into it has on either side."""


class _Unfaithful(GatewayError):
    """What was written down is not what was trained."""

    hint = "Report it with the manifest and the versions of torch, onnx and onnxruntime."


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that training depends on besides the corpus; all of it goes into the manifest."""

    seed: int = 20260302
    epochs: int = 3
    windows_a_step: int = 16
    rate: float = 5e-5
    head_rate: float = 1e-3
    decay: float = 0.01
    dropout: float = 0.1
    layers: int = 4
    """Of the six that were pretrained, from below: docs/decisions/0028."""
    slips: float = 0.03
    """Share of words with a slip of the keyboard."""
    transplanted: float = 0.5
    """Share of passages that are read inside a proper mail instead of alone."""
    subjects: float = 0.25
    """Share of the proper subject lines that an epoch reads: they stand alone and are short, and were all of them read, whatever
    stands alone and is short would be taken for proper."""
    folds: int = 0
    """Parts in turn left out to find hard sentences; 0: none are sought."""
    hard_weight: float = 3.0
    int8: bool = True
    fraction: float = 1.0
    """Share of the training texts that is used: CI trains on a twentieth."""
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Weighted:
    """A sentence of a lesson and how much it counts."""

    sentence: Sentence
    weight: float


@dataclass(slots=True)
class Course:
    """Texts to learn from, with the weight of each sentence."""

    texts: tuple[Text, ...]
    hard: dict[tuple[str, str, int], float] = field(default_factory=dict)

    def weighted(self, text: Text) -> list[Weighted]:
        """Return the sentences of ``text`` with their weights."""
        return [
            Weighted(sentence, self.hard.get((text.source, text.kind, number), 1.0))
            for number, sentence in enumerate(text.sentences)
        ]

    def balance(self) -> list[float]:
        """Return, for each score, how much a true label outweighs a false one: the root of the odds, at most 8."""
        labels = [sentence.label for text in self.texts for sentence in text.sentences]
        true = [
            *(sum(label >> at & 1 for label in labels) for at in range(len(CATEGORIES))),
            sum(map(bool, labels)),
        ]
        return [min(math.sqrt((len(labels) - count) / max(count, 1)), 8.0) for count in true]


def train(
    corpus: Corpus,
    start: Pretrained,
    recipe: Recipe,
    folder: Path,
    log: Log,
    *,
    outside: Sequence[Text] = (),
    primer: Sequence[Text] = (),
) -> Encoder:
    """Write a model into ``folder`` and return it loaded.

    ``outside`` are further proper texts, ``primer`` what the rules are written for (`gateway.training.primer`).
    """
    import torch

    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    start = replace(start, weights=_shallower(start.weights, recipe.layers))
    vocabulary = Vocabulary(start.vocabulary)
    texts = texts_of(corpus.mails_of(Split.TRAIN), corpus.passages_of(Split.TRAIN))
    texts = _part((*texts, *primer, *outside), recipe)
    course = Course(texts)
    log(f"{len(texts)} texts, {sum(len(text.sentences) for text in texts)} sentences to learn from")
    if recipe.folds:
        course.hard = _mined(course, start, vocabulary, recipe, log)
    weights = _fitted(course, start, vocabulary, recipe, recipe.epochs, log)
    dev = texts_of(corpus.mails_of(Split.DEV), corpus.passages_of(Split.DEV))
    if drift := graph_drift(weights, texts[0], vocabulary):
        raise _Unfaithful(f"the graph differs from the network by {drift:.2g}")
    octets = onnx_graph(weights, int8=recipe.int8)
    made = _made(corpus, start, recipe, texts, outside, primer)
    files = {GRAPH: octets, VOCABULARY: "\n".join(start.vocabulary).encode(), WORDINGS: SILENT}
    _written(folder, files, 1.0, made)
    found = calibrated(Encoder(folder), fitted(texts, recipe.seed), dev)
    log(f"on dev: temperature {found.temperature:.3f}, wordings at {found.share:.2f} of the encoder")
    made["wordings_share"] = round(found.share, 3)
    _written(folder, files | {WORDINGS: found.table}, found.temperature, made)
    return Encoder(folder)


def graph_drift(weights: dict[str, Any], text: Text, vocabulary: Vocabulary) -> float:
    """Return by how much the exact graph differs from the network that was trained, over ``text``; 0 within rounding."""
    import torch

    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    graph = session(onnx_graph(weights, int8=False))
    worst = 0.0
    for window in windows([sentence.text for sentence in text.sentences], vocabulary):
        numbers, mask = network.padded([window])
        with torch.no_grad():
            expected = network.scores(tensors, numbers, mask)[0].numpy()
        (found,) = graph.run(None, {"pieces": numbers.numpy()})
        worst = max(worst, float(np.abs(found[0] - expected).max()))
    return worst if worst > _ROUNDING else 0.0


def _part(texts: tuple[Text, ...], recipe: Recipe) -> tuple[Text, ...]:
    """Return the share of ``texts`` that is learnt from; some of every label, even of a small share."""
    if recipe.fraction >= 1:
        return texts
    order = list(texts)
    Random(recipe.seed).shuffle(order)  # noqa: S311 - a sample, no secret
    kept = math.ceil(len(order) * recipe.fraction)
    crossing = [text for text in order if text.crosses][: max(kept // 2, 1)]
    proper = [text for text in order if not text.crosses][: max(kept - len(crossing), 1)]
    return (*crossing, *proper)


def _shallower(weights: dict[str, Any], layers: int) -> dict[str, Any]:
    """Return ``weights`` without the layers above the first ``layers``."""
    return {
        name: value
        for name, value in weights.items()
        if not name.startswith("encoder.layer.") or int(name.split(".")[2]) < layers
    }


def _mined(
    course: Course, start: Pretrained, vocabulary: Vocabulary, recipe: Recipe, log: Log
) -> dict[tuple[str, str, int], float]:
    """Return the weight of every hard sentence: one that a model trained without its batch gets wrong."""
    sources = sorted(
        {
            text.batch if len({each.batch for each in course.texts}) >= recipe.folds else text.source
            for text in course.texts
        }
    )
    fold_of = {source: number % recipe.folds for number, source in enumerate(sources)}
    by_batch = len({text.batch for text in course.texts}) >= recipe.folds
    hard: dict[tuple[str, str, int], float] = {}
    for fold in range(recipe.folds):
        held = tuple(
            text for text in course.texts if fold_of[text.batch if by_batch else text.source] == fold
        )
        rest = Course(
            tuple(text for text in course.texts if fold_of[text.batch if by_batch else text.source] != fold)
        )
        weights = _fitted(rest, start, vocabulary, recipe, max(recipe.epochs // 2, 1), log)
        for text, surely in zip(held, crossing(weights, held, vocabulary), strict=True):
            for number, (sentence, probability) in enumerate(zip(text.sentences, surely, strict=True)):
                if (probability < _HARD) if sentence.label else (probability > _HARD):
                    hard[text.source, text.kind, number] = recipe.hard_weight
        log(f"fold {fold + 1} of {recipe.folds}: {len(hard)} hard sentences so far")
    return hard


def _fitted(
    course: Course, start: Pretrained, vocabulary: Vocabulary, recipe: Recipe, epochs: int, log: Log
) -> dict[str, Any]:
    """Return the weights after ``epochs`` over ``course``, as numpy arrays, with the class weights taken out again."""
    import torch

    weights = network.weights_of(start, recipe.seed)
    chance = Random(recipe.seed)  # noqa: S311 - reproducible noise, no secret
    balance = torch.tensor(course.balance())
    head = [tensor for name, tensor in weights.items() if name.startswith("head.")]
    body = [tensor for name, tensor in weights.items() if not name.startswith(("head.", network.WORDS))]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": recipe.rate}, {"params": head, "lr": recipe.head_rate}],
        weight_decay=recipe.decay,
    )
    count = sum(1 for _ in _lessons(course, vocabulary, recipe, Random(0)))  # noqa: S311 - as above
    steps = epochs * math.ceil(count / recipe.windows_a_step)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step, steps))
    for epoch in range(epochs):
        lessons = list(_lessons(course, vocabulary, recipe, chance))
        total = 0.0
        for step in _steps(lessons, recipe, chance):
            numbers, mask = network.padded([lesson.window for lesson in step])
            loss = network.loss(network.scores(weights, numbers, mask, recipe.dropout), step, balance)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(body + head, 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item() * len(step)
        log(f"epoch {epoch + 1} of {epochs}: {len(lessons)} windows, loss {total / len(lessons):.4f}")
    with torch.no_grad():
        weights["head.bias"] -= torch.log(balance)
    return {name: tensor.detach().numpy().copy() for name, tensor in weights.items()}


def _steps(lessons: list[network.Lesson], recipe: Recipe, chance: Random) -> list[list[network.Lesson]]:
    """Return ``lessons`` in steps of about one length, since a step costs what its longest window costs, shuffled."""
    chance.shuffle(lessons)
    lessons.sort(key=lambda lesson: len(lesson.window.numbers) // 8)
    steps = [lessons[at : at + recipe.windows_a_step] for at in range(0, len(lessons), recipe.windows_a_step)]
    chance.shuffle(steps)
    return steps


def _pace(step: int, steps: int) -> float:
    """Return the share of the learning rate at ``step``: up over a tenth, then down to nothing."""
    warm = max(steps // 10, 1)
    return (step + 1) / warm if step < warm else max(steps - step, 0) / max(steps - warm, 1)


def _lessons(
    course: Course, vocabulary: Vocabulary, recipe: Recipe, chance: Random
) -> Iterator[network.Lesson]:
    """Yield the windows of one epoch, with fresh noise, dropped neighbours and passages set into proper mail."""
    proper = [text for text in course.texts if text.kind == "body" and not text.crosses]
    for text in course.texts:
        if text.kind == "subject" and not text.crosses and chance.random() >= recipe.subjects:
            continue
        found = course.weighted(text)
        if text.kind == "passage" and proper and chance.random() < recipe.transplanted:
            around = course.weighted(chance.choice(proper))
            at = chance.randrange(len(around) + 1)
            found = [*around[max(at - _AROUND, 0) : at], *found, *around[at : at + _AROUND]]
        elif text.kind == "body":
            found = [one for one in found if one.sentence.label or chance.random() >= _DROP] or found
        noisy = [Weighted(noised(one.sentence, chance, rate=recipe.slips), one.weight) for one in found]
        yield from lessons_of(noisy, vocabulary)


def lessons_of(sentences: Sequence[Weighted], vocabulary: Vocabulary) -> Iterator[network.Lesson]:
    """Yield the windows of one text with the labels of what they judge."""
    for window in windows([one.sentence.text for one in sentences], vocabulary):
        marks = tuple(
            tuple(_mark(sentences[unit.sentence].sentence, piece.start, piece.end) for piece in unit.pieces)
            for unit in window.units
        )
        labels = tuple(_union(found) for found in marks)
        yield network.Lesson(
            window, labels, marks, tuple(sentences[unit.sentence].weight for unit in window.units)
        )


def _mark(sentence: Sentence, start: int, end: int) -> int:
    return _union(sentence.marks[start:end])


def _union(marks: Iterable[int]) -> int:
    label = 0
    for mark in set(marks):
        label |= mark
    return label


def crossing(weights: dict[str, Any], texts: Sequence[Text], vocabulary: Vocabulary) -> list[list[float]]:
    """Return for each sentence of ``texts`` how surely it crosses, by ``weights``."""
    import torch

    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    found: list[list[float]] = []
    with torch.no_grad():
        for text in texts:
            surely = [0.0] * len(text.sentences)
            for window in windows([sentence.text for sentence in text.sentences], vocabulary):
                numbers, mask = network.padded([window])
                of_pieces = network.scores(tensors, numbers, mask)[0].numpy()
                for unit, (begin, end) in zip(window.units, window.spans, strict=True):
                    probability = 1 / (1 + math.exp(-float(pooled(of_pieces[begin:end])[-1])))
                    surely[unit.sentence] = max(surely[unit.sentence], probability)
            found.append(surely)
    return found


def _written(
    folder: Path, files: dict[str, bytes], temperature: float, made: dict[str, str | int | float]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = Manifest(
        format=FORMAT, categories=CATEGORIES, temperature=temperature, made=made,
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )  # fmt: skip
    octets = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (folder / MANIFEST).write_bytes(octets + b"\n")


def _made(
    corpus: Corpus,
    start: Pretrained,
    recipe: Recipe,
    texts: Sequence[Text],
    outside: Sequence[Text],
    primer: Sequence[Text],
) -> dict[str, str | int | float]:
    import onnx
    import torch

    return {
        "base": NAME,
        "base_licence": LICENCE,
        "base_sha256": start.sha256,
        "corpus_sha256": digest_of(texts_of(corpus.mails_of(Split.TRAIN), corpus.passages_of(Split.TRAIN))),
        "dev_sha256": digest_of(texts_of(corpus.mails_of(Split.DEV), corpus.passages_of(Split.DEV))),
        "batches": ",".join(
            name for name, batch in sorted(corpus.batches.items()) if batch.split is Split.TRAIN
        ),
        "texts": len(texts),
        "outside": len(outside),
        "outside_sha256": digest_of(outside) if outside else "",
        "primer": len(primer),
        "primer_sha256": digest_of(primer) if primer else "",
        "recipe": json.dumps(asdict(recipe), sort_keys=True),
        "torch": str(torch.__version__),
        "onnx": str(onnx.__version__),
        "machine": platform.machine(),
    }


def digest_of(texts: Sequence[Text]) -> str:
    """Return the SHA-256 over the sentences of ``texts`` and their marks: what was learnt from, as it was learnt."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(msgspec.json.encode(text))
    return digest.hexdigest()
