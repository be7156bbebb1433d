"""Wording: how much the very words of a sentence speak for a crossing, beside what the encoder makes of their sense.

Owns the terms of a sentence (its words and the runs of two and three of them) and their weights, a table of `SLOTS` numbers in
which each term has its place by hash. Refuses to know windows and neighbours. An encoder of four layers forgets turns of phrase
that it has seen a dozen times; a sum over terms does not, and is wrong about other sentences (docs/decisions/0037).

Pure: equal words give an equal score on every machine.
"""

import math
import re
import zlib
from typing import Final

import numpy as np

from gateway.inspection.memory import Remembered

SLOTS: Final = 1 << 18
"""Places of the table, half a megabyte: of the 190,000 terms of the corpus a third share theirs with another one."""
LONGEST: Final = 3
"""Words of the longest term."""
_MOST_WORDS: Final = 400
"""Words of a sentence that are weighed: a longer run is a file or an attack, and the encoder reads it in parts."""
_TERM: Final = re.compile(r"\w[\w']*|[?!]")
_NUMBER: Final = "<f2"


class Wording:
    """A table of weights, as `gateway model train` wrote it."""

    def __init__(self, octets: bytes) -> None:
        """Take `SLOTS` weights and one number that is added to every sentence, as little-endian halves."""
        weights, self._offset = numbers_of(octets)
        self._weights = weights.astype(np.float32)
        self._scored = Remembered(self._score)

    def score(self, sentence: str) -> float:
        """Return what the words of ``sentence`` add to its score, in log-odds. Linear in at most so many words; never raises."""
        return self._scored(sentence)

    def _score(self, sentence: str) -> float:
        slots, signs = places(sentence)
        if not slots:
            return self._offset
        return self._offset + float(self._weights[slots] @ np.array(signs, np.float32)) / math.sqrt(
            len(slots)
        )


def places(sentence: str) -> tuple[list[int], list[int]]:
    """Return the place of each different term of ``sentence``, and whether its weight is added (1) or taken off (-1).

    The sign hangs on the term too, so that terms of one place cancel rather than pile up (Weinberger et al. 2009,
    "Feature hashing for large scale multitask learning").
    """
    words = _TERM.findall(sentence.lower())[:_MOST_WORDS]
    found = {
        zlib.crc32(" ".join(words[at : at + length]).encode("utf-8", "surrogatepass"))
        for length in range(1, LONGEST + 1)
        for at in range(len(words) - length + 1)
    }
    hashes = sorted(found)
    return [each % SLOTS for each in hashes], [1 if each >> 31 else -1 for each in hashes]


def octets_of(weights: np.ndarray, offset: float) -> bytes:
    """Return ``weights`` (`SLOTS` of them) and the number that is added to every sentence as `Wording` reads them."""
    return np.append(weights, offset).astype(_NUMBER).tobytes()


def numbers_of(octets: bytes) -> tuple[np.ndarray, float]:
    """Return what `octets_of` was given, as halves."""
    numbers = np.frombuffer(octets, dtype=_NUMBER)
    return numbers[:SLOTS], float(numbers[SLOTS])


SILENT: Final = octets_of(np.zeros(SLOTS), 0.0)
"""A table that adds nothing."""
