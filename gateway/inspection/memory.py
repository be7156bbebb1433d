"""What was made of a sentence before: templates, threads and signatures come again, and most of the work on them is the first.

Owns how many sentences are remembered, and how long they may be, each and together. What is remembered is a pure function of
the sentence, so that forgetting changes nothing but time. It holds words of mail, in the memory of a worker that has read that
mail and is replaced after some thousand.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

Made = TypeVar("Made")

KEPT: Final = 2048
"""Sentences remembered by each function."""
LONGEST: Final = 400
"""Characters of a sentence that is remembered: what comes again is short."""
ROOM: Final = 120_000
"""Characters of all of them: some 1,700 sentences of ordinary mail. It is this that bounds the memory, since what is made grows
with the sentence: of a parse, the dearest, some 700 octets a character where every character is a token, a tenth in English."""


class Remembered(Generic[Made]):
    """A function of one sentence that remembers what it made of the last `KEPT` short ones, or fewer where they are long."""

    __slots__ = ("_door", "_kept", "_length", "_make", "_most", "_room")

    def __init__(self, make: Callable[[str], Made]) -> None:
        """Remember what ``make`` gives for a sentence."""
        self._make = make
        self._door = threading.Lock()
        self.keep(KEPT)

    def __call__(self, sentence: str) -> Made:
        """Return what is made of ``sentence``, from memory where it was made before."""
        kept = self._kept
        try:
            made = kept[sentence]
            kept.move_to_end(sentence)
        except KeyError:  # never met, or forgotten by another thread between the two
            made = self._make(sentence)
            if len(sentence) <= LONGEST:
                self._keep(sentence, made)
        return made

    def keep(self, sentences: int | None) -> None:
        """Forget every sentence, and from now on remember the last so many; None: all of them, for measuring."""
        self._most = float("inf") if sentences is None else sentences
        self._room = float("inf") if sentences is None else ROOM
        self.forget()

    def forget(self) -> None:
        """Forget every sentence."""
        self._kept: OrderedDict[str, Made] = OrderedDict()
        self._length = 0

    def _keep(self, sentence: str, made: Made) -> None:
        with self._door:
            if sentence not in self._kept:
                self._length += len(sentence)
            self._kept[sentence] = made
            while len(self._kept) > self._most or self._length > self._room:
                oldest, _ = self._kept.popitem(last=False)
                self._length -= len(oldest)
