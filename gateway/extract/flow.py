"""Text that is being laid out: words in lines, and words that stand elsewhere than they were written.

Owns the collapsing of white space, the breaks of lines, the marks of reversed text, and the order in which what stands
side by side is seen. Refuses to know elements. Used by `markup`.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.extract.elements import State
from gateway.extract.styles import RIGHT

_SPACE = re.compile(r"[ \t\n\r\f]+")
_ODD_SPACE = re.compile(r"[\t\n\r\f]|  ")
"""What `_SPACE` would change."""
_REVERSED: Final = "\u202e"
_STRAIGHT: Final = "\u202c"
_MAX_PLACED: Final = 20_000
"""Elements of one document whose place is followed."""
_LETTERS: Final = 3
"""Characters of what stands side by side, on average, up to which it is read as one word."""


@dataclass(slots=True)
class Flow:
    """Text that is being written, white space collapsed, with the state of each line at its first character.

    ``at`` is where in the markup the reader is; each line remembers it.
    """

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    fresh: bool = True
    """At the start of a line."""
    space: bool = False
    """A space is due before the next word."""
    reversed: bool = False
    """The words of this line are between marks of reversal."""
    at: int = 0
    states: list[tuple[int, State, int]] = field(default_factory=list)

    def write(self, text: str, state: State) -> None:
        """Add ``text``; white space is collapsed unless it is preformatted."""
        if state.preformatted:
            for number, line in enumerate(text.split("\n")):
                if number:
                    self.line_break()
                self._put(line, state)
            return
        words = _SPACE.sub(" ", text) if _ODD_SPACE.search(text) else text
        if words[:1] == " ":
            words = words[1:]
            self.space = not self.fresh
        if words[-1:] == " ":
            self._put(words[:-1], state)
            self.space = True
        else:
            self._put(words, state)

    def _put(self, text: str, state: State) -> None:
        if not text:
            return
        if state.mirrored is not self.reversed:
            # What Unicode has for it, so that one reader of reversed text does for both (css-writing-modes, 2.2).
            gap = " " if self.space else ""
            text = f"{gap}{_REVERSED}{text}" if state.mirrored else f"{_STRAIGHT}{gap}{text}"
            self.reversed, self.space = state.mirrored, False
            self.fresh = self.fresh and not gap
        if self.space:
            text = " " + text
            self.space = False
        elif self.fresh:
            self.states.append((self.length, state, self.at))
        self.fresh = False
        self.pieces.append(text)
        self.length += len(text)

    def line_break(self, mark: str = "\n") -> None:
        """End the line, even an empty one; or set a tab between cells."""
        self.pieces.append(mark)
        self.length += 1
        self.fresh, self.space = mark == "\n", False
        self.reversed = self.reversed and mark != "\n"

    def block_break(self) -> None:
        """End the line if there is anything on it."""
        if not self.fresh:
            self.line_break()


@dataclass(slots=True)
class _Placed:
    """An element that stands elsewhere: how deep in the tree, where its words begin and end, what it is sorted by."""

    depth: int
    begin: int
    key: tuple[float, float]
    turned: bool
    end: int = -1


class Rows:
    """What stands side by side in another order than it was written, or letter beside letter in boxes of their own."""

    def __init__(self) -> None:
        """Begin with nothing placed."""
        self._open: list[_Placed] = []
        self._runs: dict[int, list[_Placed]] = {}
        self._done: list[list[_Placed]] = []
        self._count = 0

    def begin(self, depth: int, at: int, key: tuple[float, float], *, turned: bool) -> None:
        """Note the start of an element that stands ``depth`` deep, its words from ``at`` on."""
        if self._count < _MAX_PLACED:
            self._count += 1
            self._open.append(_Placed(depth, at, key, turned))

    def end(self, depth: int, at: int) -> None:
        """Note that elements ``depth`` deep and deeper have ended."""
        while self._open and self._open[-1].depth >= depth:
            placed = self._open.pop()
            placed.end = at
            run = self._runs.get(placed.depth)
            if run is not None and placed.begin - run[-1].end <= 1:
                run.append(placed)
                continue
            if run is not None:
                self._done.append(run)
            self._runs[placed.depth] = [placed]

    def read(self, text: str) -> list[tuple[int, str]]:
        """Return where each run began in ``text``, and its words in the order in which they are seen.

        Nothing for a run that is seen as it was written. Runs inside a run are read on their own.
        """
        self.end(0, len(text))
        found = []
        budget = 2 * len(text)
        for run in sorted((*self._done, *self._runs.values()), key=lambda run: run[0].begin):
            budget -= run[-1].end - run[0].begin
            if len(run) < 2 or budget < 0:
                continue
            seen = sorted(enumerate(run), key=_order)
            pieces = [" ".join(text[placed.begin : placed.end].split()) for _, placed in seen]
            letters = sum(map(len, pieces)) <= _LETTERS * len(pieces)
            words = ("" if letters else " ").join(filter(None, pieces))
            if words and words != " ".join(text[run[0].begin : run[-1].end].split()):
                found.append((run[0].begin, words))
        return found


def _order(numbered: tuple[int, _Placed]) -> tuple[float, float, int]:
    """Return what an element is sorted by; among equals in a turned row, and on the right, the first comes last."""
    number, placed = numbered
    backwards = placed.turned or placed.key[0] == RIGHT
    return *placed.key, -number if backwards else number
