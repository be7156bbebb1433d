"""Sentence vectors of the encoder's base as it was published: what a baseline is built on. Needs the extra ``train``."""

from typing import Any

import numpy as np

from gateway.inspection.encoder import MAX_PIECES, session
from gateway.inspection.wordpiece import Vocabulary
from gateway.training.graph import onnx_graph
from gateway.training.pretrained import WIDTH, pretrained


class Vectors:
    """The base, loaded; `of` gives the mean over the pieces of a sentence, of length 1."""

    def __init__(self) -> None:
        start = pretrained()
        head = {"head.weight": np.eye(WIDTH, dtype=np.float32), "head.bias": np.zeros(WIDTH, np.float32)}
        self._vocabulary = Vocabulary(start.vocabulary)
        self._session = session(onnx_graph(start.weights | head, int8=False))

    def of(self, sentence: str) -> Any:
        """Return the vector of ``sentence``, of which the first 126 pieces count."""
        pieces = [piece.number for piece in self._vocabulary.pieces(sentence)[: MAX_PIECES - 2]]
        numbers = np.array([[self._vocabulary.begin, *pieces, self._vocabulary.end]], dtype=np.int64)
        (found,) = self._session.run(None, {"pieces": numbers})
        mean = found[0].mean(axis=0)
        return mean / np.linalg.norm(mean)
