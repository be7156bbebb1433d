"""Words that stand twice: what an HTML alternative repeats of the plain one.

Owns the comparison of two readings of one content. Refuses to know what is quoted. Last step of *extract* for a
multipart/alternative. Only what stands in both word for word, as whole sentences or lines and in that order, is
repeated; whatever differs stays, since an advance may stand in the alternative that a filter does not read.
"""

import re
from collections.abc import Sequence

_TOKEN = re.compile(
    r"(?:https?://\S+|<[^<>\s]+>|\[(?:cid|image)[^\]\n]*\])"
    r"|([^\W_]+|[;:=8][-'^]?[)(DPpO/\\|*]|<3|[\u2600-\u27BF\U0001F000-\U0001FAFF])|([.!?:])"
)
"""Addresses and pictures, which are skipped; a word or a face; the end of a sentence."""
_GOES_ON = re.compile(r"\W*[a-z]")
"""A line that begins so may go on with the sentence of the line above."""
_KEY = 3
_MAX_TRIES = 8

Span = tuple[int, int]


class Reference:
    """The words of the alternative that was read first, with the places where a sentence or line may begin."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self.waiting = list(texts)
        """Those whose words were not taken apart yet."""
        self.words: list[str] = []
        self.starts: set[int] = set()
        self.index: dict[tuple[str, ...], list[int]] = {}

    def says(self, texts: Sequence[str]) -> bool:
        """Return whether ``texts`` are the same words, character by character: the common case, and quick."""
        return " ".join(texts).split() == " ".join(self.texts).split()

    def more(self, texts: Sequence[str]) -> None:
        """Let ``texts`` count as said too."""
        self.texts += texts
        self.waiting += texts

    def prepare(self) -> None:
        """Take the words apart, which `find` needs."""
        if self.index and not self.waiting:
            return
        before = len(self.words)
        for text in self.waiting:
            self._add(text)
        self.waiting.clear()
        self.starts.add(len(self.words))
        for place in sorted(start for start in self.starts if start >= before):
            known = self.index.setdefault(tuple(self.words[place : place + _KEY]), [])
            if len(known) < _MAX_TRIES:
                known.append(place)

    def _add(self, text: str) -> None:
        self.starts.add(len(self.words))
        may_go_on = False
        for line in text.split("\n"):
            if not (may_go_on and _GOES_ON.match(line)):
                self.starts.add(len(self.words))
            for word, stop in _TOKEN.findall(line.casefold()):
                if word:
                    self.words.append(word)
                elif stop:
                    self.starts.add(len(self.words))
            may_go_on = bool(line.strip())

    def find(self, words: list[str], cursor: int) -> int:
        """Return where ``words`` end in the reference, looking at ``cursor`` first, or -1 when they differ."""
        size = len(words)
        known = self.index.get(tuple(words[:_KEY]), [])
        ends = (
            place + size
            for place in (cursor, *known)
            if place + size in self.starts and self.words[place : place + size] == words
        )
        return next(ends, -1)


def repeated(reference: Reference, text: str, start: int, cursor: int) -> tuple[list[tuple[Span, bool]], int]:
    """Return the lines of one passage, each with whether ``reference`` has it too, and where it was left.

    ``start`` is the offset of ``text`` in its part, ``cursor`` the place in the reference to look at first.
    """
    found: list[tuple[Span, bool]] = []
    for line in text.split("\n"):
        words = [word for word, _ in _TOKEN.findall(line.casefold()) if word]
        end = reference.find(words, cursor) if words else cursor
        is_known = end >= 0 if words else bool(found) and found[-1][1]
        cursor = end if words and end >= 0 else cursor
        found.append(((start, start + len(line)), is_known))
        start += len(line) + 1
    return found, cursor
