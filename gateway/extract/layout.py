"""Text in lines, with what its layout says about each: the shape that plain text and HTML share.

Owns `Line` and the reading of plain text into lines. Refuses to know what is a quote: `quotes` judges. Stands in
*extract* between the readers (`markup`, plain text) and the cutters (`quotes`, `signatures`, `disclaimers`).
"""

import re
from enum import Enum, auto
from typing import NamedTuple

_MARKERS = re.compile(r"[ \t]{0,3}((?:>[ \t]?)+)")


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
    """Return the lines of plain text. ``>`` in front of a line, as RFC 3676 section 4.5 has it, is a level."""
    lines = []
    begin = 0
    for piece in text.split("\n"):
        end = begin + len(piece)
        markers = _MARKERS.match(piece) if ">" in piece else None
        depth, start = 0, begin
        if markers:
            depth, start = markers[1].count(">"), begin + markers.end()
        lines.append(Line(begin, start, end, text[start:end].strip(), depth))
        begin = end + 1
    return lines
