"""Text in lines, with what its layout says about each: the shape that plain text and HTML share.

Owns `Line` and the reading of plain text into lines. Refuses to know what is a quote: `quotes` judges. Stands in
*extract* between the readers (`markup`, plain text) and the cutters (`quotes`, `signatures`, `disclaimers`).
"""

import re
from enum import Enum, auto
from typing import NamedTuple

_MARKERS = re.compile(r"(?:[ \t]{0,3}(?=>)|[ \t]{4,8}(?=>>))((?:>[ \t]?)+)")
"""``>``, or ``>>`` far in, as Gnus sets what others quoted."""
_INITIALS = re.compile(r"[ \t]{0,4}[A-Z][A-Za-z]{0,2}>[ \t]?(?=\S|$)")
"""``JB> ``: a quote mark with the speaker's initials."""
_BAR = re.compile(r"[ \t]{0,8}((?:\|[ \t]?)+)(?!.*\|\s*$)")
"""``| ``: a mark of some programs, and the edge of a table, which also ends with one."""


class Mark(Enum):
    """What a mail program's own markup says about a line of HTML. The sender can forge it, so it is a claim."""

    NONE = auto()
    HEADER_BLOCK = auto()
    """It begins the block From, Sent, To, Subject above a quoted mail."""
    ATTRIBUTION = auto()
    SIGNATURE = auto()


class Line(NamedTuple):
    """One line: ``begin`` with its quote markers, ``start`` after them, ``end`` before the line break."""

    begin: int
    start: int
    end: int
    text: str
    """The words, without markers and surrounding white space."""
    depth: int = 0
    """How many levels of quoting are claimed for it."""
    indented: bool = False
    """It stands in an indented block, which is a quote only if somebody introduces it."""
    mark: Mark = Mark.NONE


def plain_lines(text: str) -> list[Line]:
    """Return the lines of plain text. ``>`` in front of a line, as RFC 3676 section 4.5 has it, is a level.

    ``JB>`` is one too; ``|`` is an indented block, since tables begin with it as well.
    """
    lines = []
    begin = 0
    for piece in text.split("\n"):
        end = begin + len(piece)
        lines.append(_marked(piece, begin, end) or Line(begin, begin, end, piece.strip()))
        begin = end + 1
    return lines


def with_marks(lines: list[Line], text: str) -> list[Line]:
    """Return lines of HTML with the quote marks that stand in their words: plain text that was made HTML keeps them."""
    return [
        (
            line.text[:1] == ">"
            and not line.depth
            and _marked(text[line.begin : line.end], line.begin, line.end)
        )
        or line
        for line in lines
    ]


def _marked(piece: str, begin: int, end: int) -> Line | None:
    """Return the line ``piece`` if it begins with quote marks."""
    if ">" in piece:
        markers = _MARKERS.match(piece)
        if markers:
            start = begin + markers.end()
            return Line(begin, start, end, piece[markers.end() :].strip(), markers[1].count(">"))
        initials = _INITIALS.match(piece)
        if initials:
            said = piece[initials.end() :].strip()
            return Line(begin, begin, end, said or piece.strip(), 1)  # initials alone are words too
    if "|" in piece:
        bar = _BAR.match(piece)
        if bar:
            return Line(begin, begin, end, piece[bar.end() :].strip(), indented=True)
    return None
