"""Words that stand twice: what an HTML alternative repeats of the plain one.

Owns the comparison of two readings of one content. Refuses to know what is quoted. Last step of *extract* for a
multipart/alternative. Only what stands in both word for word, as whole sentences or lines and in that order, is
repeated; whatever differs stays, since an advance may stand in the alternative that a filter does not read.
"""

import re
from collections.abc import Sequence
from functools import cached_property

_TOKEN = re.compile(
    r"(?:https?://\S+|<[^<>\s]+>|\[(?:cid|image)[^\]\n]*\])"
    r"|([^\W_]+|[;:=8][-'^]?[)(DPpO/\\|*]|<3|[\u2600-\u27BF\U0001F000-\U0001FAFF])|([.!?:])"
)
"""Addresses and pictures, which are skipped; a word or a face; the end of a sentence."""
_GOES_ON = re.compile(r"\W*[a-z]")
"""A line that begins so may go on with the sentence of the line above."""
_STOPS = frozenset(".!?:")
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


class Follower:
    """A second reading, line by line in its order, held against a `Reference`.

    As long as the two are in step, character by character, nothing need be taken apart: most mail programs write the
    same words twice. From the first line on that differs, what is left of the reference is looked through.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._lines = [line for text in reference.texts for line in text.split("\n")]
        self._words = [word for line in self._lines for word in line.split()]
        self._at = 0
        """The word of the reference that comes next, while in step."""
        self._rest: Reference | None = None
        """What is looked through, once out of step."""
        self._cursor = 0

    def repeats(self, text: str, start: int) -> list[tuple[Span, bool]]:
        """Return the lines of one passage, which begins at ``start`` of its part, each with whether it is a repetition.

        A line without words is what the line before it is.
        """
        found: list[tuple[Span, bool]] = []
        for line in text.split("\n"):
            is_known = self._says(line)
            if is_known is None:
                is_known = bool(found) and found[-1][1]
            found.append(((start, start + len(line)), is_known))
            start += len(line) + 1
        return found

    def _says(self, line: str) -> bool | None:
        """Return whether the reference says ``line`` too; None for a line without words."""
        said = line.split()
        if not said:
            return None
        if self._rest is None:
            end = self._at + len(said)
            if self._words[self._at : end] == said and (end in self._ends or said[-1][-1] in _STOPS):
                self._at = end
                return True
            self._rest = self._left()
            self._rest.prepare()
        words = [word for word, _ in _TOKEN.findall(line.casefold()) if word]
        if not words:
            return None
        end = self._rest.find(words, self._cursor)
        self._cursor = end if end >= 0 else self._cursor
        return end >= 0

    @cached_property
    def _ends(self) -> frozenset[int]:
        """Return the numbers of words after which a line ends and no sentence goes on."""
        ends = [len(self._words)]
        count, may_go_on = 0, False
        for line in self._lines:
            if not (may_go_on and _GOES_ON.match(line)):
                ends.append(count)
            count += len(line.split())
            may_go_on = bool(line.strip())
        return frozenset(ends)

    def _left(self) -> Reference:
        """Return what of the reference was not said yet."""
        if not self._at:
            return self._reference
        count = 0
        for number, line in enumerate(self._lines):
            words = line.split()
            if count + len(words) > self._at:
                first = " ".join(words[self._at - count :])
                return Reference(["\n".join([first, *self._lines[number + 1 :]])])
            count += len(words)
        return Reference([""])
