"""Header blocks: their lines, where they end, and what programs disagree on about that (RFC 5322 section 2.2).

Owns `Dispute`, the list of what mail programs read in two ways in the structure of a message. Refuses to know what a
field means; `parameters`, `words` and `addresses` do. Stands in *extract* below `mime`. Only the fields the gateway
reads are kept. One pass, linear.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

_KEPT = frozenset(
    {
        b"from", b"sender", b"to", b"cc", b"bcc", b"reply-to", b"subject", b"message-id", b"in-reply-to",
        b"references", b"date", b"content-type", b"content-transfer-encoding", b"content-disposition",
        b"content-id", b"content-description", b"comments", b"keywords", b"organization", b"thread-topic",
    }
)  # fmt: skip
_STRUCTURAL = frozenset({b"content-type", b"content-transfer-encoding", b"content-disposition"})
_NAME = re.compile(rb"([!-9;-~]+)([ \t]*):")
_CONTROL = re.compile(rb"\0|\r(?!\n)")
_MARK = b"\xef\xbb\xbf"


class Dispute(Enum):
    """What mail programs read in two ways. Its value says what the second reading does (docs/decisions/0011)."""

    LAST_FIELD = "of several fields that differ, the last one was followed"
    LOOSE_PARAMETERS = "parameters were read without regard to comments, quotation and which comes first"
    HEADER_GOES_ON = "a line in the header that is no header field was passed over"
    BLANK_LINE_ENDS = "a line of white space was taken for the end of the header"
    SPACED_NAME = "a field with a space before its colon was passed over"
    LOOSE_BOUNDARY = "lines that are like a boundary were taken for one"
    ENCODED_MULTIPART = "a multipart was decoded before it was taken apart"
    CONTROLS = "NUL was left out, and a carriage return alone ended a line"


View = frozenset[Dispute]
"""One way to read a message: the disputes that are decided the second way."""


@dataclass(slots=True)
class Fields:
    """One header block: the fields the gateway reads, raw and unfolded, in their order; and where it ended."""

    lines: dict[bytes, list[list[bytes]]] = field(default_factory=dict)
    body: int = 0
    """Offset of the first octet after the block."""
    cut: bool = False
    """The block went past the limit; later fields were not read."""
    disputes: dict[Dispute, None] = field(default_factory=dict)
    """What could be read otherwise here, in the order it was met: a set has another order in each process."""

    def all(self, name: bytes) -> tuple[bytes, ...]:
        """Return every value of the field ``name`` (lower case), unfolded."""
        return tuple(b"".join(lines).strip() for lines in self.lines.get(name, ()))

    def first(self, name: bytes) -> bytes:
        """Return the first value of the field ``name`` (lower case), or nothing."""
        values = self.lines.get(name)
        return b"".join(values[0]).strip() if values else b""

    def chosen(self, name: bytes, view: View) -> bytes:
        """Return the value of the field ``name`` that counts in ``view``: the first one or the last."""
        values = self.lines.get(name)
        if not values:
            return b""
        return b"".join(values[-1 if Dispute.LAST_FIELD in view else 0]).strip()


def read_fields(
    raw: bytes, start: int, max_bytes: int, is_delimiter: Callable[[bytes], bool], view: View
) -> Fields:
    """Return the header block that starts at ``start``.

    It ends at an empty line, at a boundary line (``is_delimiter`` is asked for lines that begin with two dashes),
    at a line that is no field, or with the text. Beyond ``max_bytes`` fields are no longer kept.
    """
    block = Fields()
    size, stop = len(raw), start + max_bytes
    position = start + len(_MARK) * raw.startswith(_MARK, start)
    current: list[bytes] = []
    while position < size:
        end = raw.find(b"\n", position) + 1 or size
        line = raw[position:end].rstrip(b"\r\n")
        if _ends(line, block, view):
            position = end
            break
        if end > stop and not block.cut:
            block.cut, current = True, []
        if line[0] in b" \t":
            current.append(line)
        elif line.startswith(b"--") and is_delimiter(line):
            break
        elif (match := _NAME.match(line)) is not None:
            current = _opened(line, match, block, view)
        elif position > start or not line.startswith((b"From ", b">From ")):  # mbox's separator is no field
            block.disputes[Dispute.HEADER_GOES_ON] = None
            if Dispute.HEADER_GOES_ON not in view:
                break
            current = []
        position = end
    else:
        end = size
    block.body = position  # and `end` is that of the line that ended the header
    if _CONTROL.search(raw, start, end):
        block.disputes[Dispute.CONTROLS] = None
    _note_repeated(block)
    return block


def _ends(line: bytes, block: Fields, view: View) -> bool:
    """Return whether ``line`` ends the block: it is empty, or holds nothing but white space and ``view`` says so."""
    if not line:
        return True
    if line[0] not in b" \t" or line.strip():
        return False
    block.disputes[Dispute.BLANK_LINE_ENDS] = None
    return Dispute.BLANK_LINE_ENDS in view


def _opened(line: bytes, match: re.Match[bytes], block: Fields, view: View) -> list[bytes]:
    """Take the first line of a field; return the list that its further lines go to."""
    lines = [line[match.end() :]]
    name = match[1].lower()
    if name not in _KEPT or block.cut:
        return lines
    if match[2] and name in _STRUCTURAL:
        block.disputes[Dispute.SPACED_NAME] = None
        if Dispute.SPACED_NAME in view:
            return lines
    block.lines.setdefault(name, []).append(lines)
    return lines


def _note_repeated(block: Fields) -> None:
    for name in _STRUCTURAL:
        values = block.lines.get(name, ())
        if len(values) > 1 and len({value.lower() for value in block.all(name)}) > 1:
            block.disputes[Dispute.LAST_FIELD] = None
