"""The table of wordings: a logistic regression over the terms of single sentences, and how loud it speaks beside the encoder.

Owns the fit on the train split and the calibration of both voices on dev. Needs scikit-learn (extra ``train``). The same
sentences give the same table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gateway.inspection.encoder import Encoder
from gateway.inspection.wording import SILENT, SLOTS, Wording, numbers_of, octets_of, places
from gateway.training.labelled import Sentence, Text

_STRENGTH: Final = 8.0
"""Inverse of the regularisation; from 4 to 16 dev does not tell them apart."""
_MOST: Final = 1.0
"""The wording never speaks louder than the encoder, whatever a small dev split says."""
_TEMPERATURES: Final = 0.3, 3.0
_ODDS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores become probabilities: the table as it is added to the encoder's, and what divides the sum."""

    table: bytes
    temperature: float
    share: float
    """How loud the wording speaks, in log-odds of the encoder."""


def fitted(texts: Sequence[Text], seed: int) -> bytes:
    """Return the table that tells the crossing sentences of ``texts`` from the others, both classes weighing the same.

    Silent where there is but one class.
    """
    from sklearn.linear_model import LogisticRegression

    sentences = [sentence for text in texts for sentence in text.sentences]
    labels = np.array([bool(sentence.label) for sentence in sentences])
    if labels.all() or not labels.any():
        return SILENT
    model = LogisticRegression(
        C=_STRENGTH, class_weight="balanced", solver="liblinear", random_state=seed, max_iter=500
    )
    model.fit(_rows(sentences), labels)
    return octets_of(model.coef_[0], float(model.intercept_[0]))


def calibrated(model: Encoder, table: bytes, dev: Sequence[Text]) -> Calibration:
    """Return what makes the sum of both voices likeliest on ``dev``; ``model`` has a silent table and temperature 1.

    Without crossings to go by the table stays silent and the temperature 1.
    """
    from sklearn.linear_model import LogisticRegression

    wording = Wording(table)
    rows: list[tuple[float, float]] = []
    labels: list[bool] = []
    for text in dev:
        readings = model.read([sentence.text for sentence in text.sentences])
        for sentence, reading in zip(text.sentences, readings, strict=True):
            odds = min(max(reading.crossing, _ODDS), 1 - _ODDS)
            rows.append((float(np.log(odds / (1 - odds))), wording.score(sentence.text)))
            labels.append(bool(sentence.label))
    if not any(labels) or all(labels):
        return Calibration(SILENT, 1.0, 0.0)
    fit = LogisticRegression(C=1e6, max_iter=1000).fit(rows, labels)
    encoder, words = fit.coef_[0]
    if encoder <= 0:
        return Calibration(SILENT, 1.0, 0.0)
    share = float(np.clip(words / encoder, 0.0, _MOST))
    temperature = round(float(np.clip(1 / encoder, *_TEMPERATURES)), 3)
    offset = float(fit.intercept_[0]) * temperature
    return Calibration(_louder(table, share, offset), temperature, share)


def _louder(table: bytes, share: float, offset: float) -> bytes:
    """Return ``table`` with every weight times ``share``, and ``offset`` added to every sentence."""
    weights, constant = numbers_of(table)
    return octets_of(weights.astype(np.float64) * share, constant * share + offset)


def _rows(sentences: Sequence[Sentence]) -> Any:
    """Return one sparse row a sentence, of length one, as `Wording.score` weighs it."""
    from scipy.sparse import csr_matrix

    columns: list[int] = []
    values: list[float] = []
    ends = [0]
    for sentence in sentences:
        slots, signs = places(sentence.text)
        columns += slots
        values += [sign / len(slots) ** 0.5 for sign in signs]
        ends.append(len(columns))
    return csr_matrix((values, columns, ends), shape=(len(sentences), SLOTS))
