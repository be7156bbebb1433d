"""What was made of a sentence before: templates, threads and signatures come again, and most of the work on them is the first.

Owns how many sentences are remembered, and how long they may be. What is remembered is a pure function of the sentence, so
that forgetting changes nothing but time. It holds words of mail, in the memory of a worker that has read that mail and is
replaced after some thousand.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Generic, TypeVar

Made = TypeVar("Made")

KEPT: Final = 2048
"""Sentences remembered by each function, some 3 KiB each for the dearest of them, a parse."""
LONGEST: Final = 400
"""Characters of a sentence that is remembered: what comes again is short, and memory stays bounded."""


class Remembered(Generic[Made]):
    """A function of one sentence that remembers what it made of the last `KEPT` short ones."""

    __slots__ = ("_kept", "_make")

    def __init__(self, make: Callable[[str], Made]) -> None:
        """Remember what ``make`` gives for a sentence."""
        self._make = make
        self.keep(KEPT)

    def __call__(self, sentence: str) -> Made:
        """Return what is made of ``sentence``, from memory where it was made before."""
        return self._kept(sentence) if len(sentence) <= LONGEST else self._make(sentence)

    def keep(self, sentences: int | None) -> None:
        """Forget every sentence, and from now on remember the last so many; None: all of them, for measuring."""
        self._kept = lru_cache(maxsize=sentences)(self._make)

    def forget(self) -> None:
        """Forget every sentence."""
        self._kept.cache_clear()
