r"""The end of DATA: where one message stops, and whether its line ends can be trusted. No I/O.

Only CRLF "." CRLF ends a message (RFC 5321 section 4.1.1.4). A bare CR, a bare LF or a NUL anywhere in it is how
one server is made to see two messages where another sees one (SMTP smuggling, CVE-2023-51764 and its kin): such a
message is read to its real end and refused whole, never repaired. Blocks are searched as they come, not line by
line: that is what makes the reader fast.
"""

import re
from dataclasses import dataclass

from gateway.receive.replies import LINE_ENDS, Rejected

_END = b"\r\n.\r\n"
_LINE_DOT = b"\r\n."
_ORDINARY = bytes(set(range(256)) - set(b"\r\n\0"))
_BEGINNINGS = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")
_RECEIVED = re.compile(rb"(?:\A|\r\n)received[ \t]*:")
_DRAIN_FACTOR = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLimits:
    """Bounds on one message, from `SmtpSettings`."""

    max_message_bytes: int
    max_line_bytes: int
    max_header_bytes: int
    max_received_lines: int


class DataReader:
    """Reads one message from blocks of any size.

    Feed blocks until `feed` returns what stood behind the end, then ask for `message`. A message that is already
    refused is read on but no longer kept, so that it costs no memory; `flooded` tells when to stop doing even that.
    """

    __slots__ = ("_at_start", "_limits", "_pieces", "_refusal", "_seen", "_tail", "held")

    def __init__(self, limits: DataLimits) -> None:
        self._limits = limits
        # The DATA command's own CRLF is the first half of the end of an empty message.
        self._tail = b"\r\n"
        self._at_start = True
        self._pieces: list[bytes] = []
        self._seen = 0
        self._refusal: Rejected | None = None
        self.held = 0
        """Octets of the message kept so far, dots unstuffed."""

    @property
    def flooded(self) -> bool:
        """True when so much came beyond the limit that the rest is not worth reading."""
        return self._seen > _DRAIN_FACTOR * self._limits.max_message_bytes

    def feed(self, block: bytes) -> bytes | None:
        """Take the next ``block``; return the octets behind the end of the message, None while it goes on."""
        self._seen += len(block)
        text = self._tail + block
        # Lines that begin with a dot are rare: mostly one search settles both the end and the unstuffing.
        dot = text.find(_LINE_DOT)
        end = text.find(_END, dot) if dot >= 0 else -1
        if end >= 0:
            self._tail = b""
            self._keep(text[: end + 2], stuffed=dot < end)
            return text[end + 5 :]
        self._tail = next((beginning for beginning in _BEGINNINGS if text.endswith(beginning)), b"")
        self._keep(text[: len(text) - len(self._tail)], stuffed=dot >= 0)
        return None

    def refuse(self, refusal: Rejected) -> None:
        """Refuse the message and forget what was kept of it. The first refusal stands."""
        self._refusal = self._refusal or refusal
        self._pieces.clear()
        self.held = 0

    def message(self) -> bytes:
        """Return the message, dots unstuffed, and let go of it. Raises `Rejected`."""
        if self._refusal is not None:
            raise self._refusal
        raw = b"".join(self._pieces)
        self._pieces.clear()
        check(raw, self._limits)
        return raw

    def _keep(self, piece: bytes, *, stuffed: bool) -> None:
        """Keep ``piece`` unless it is to be refused. ``stuffed`` says whether a line in it begins with a dot.

        A piece never begins or ends inside a CRLF, nor ends between CRLF and a dot, so neither check needs memory.
        Two counts see every bare CR, bare LF and NUL: if each of these octets belongs to a CRLF, there are exactly
        two of them for each.
        """
        if self._refusal is not None or not piece:
            return
        if len(piece.translate(None, _ORDINARY)) != 2 * piece.count(b"\r\n"):
            self.refuse(Rejected(550, LINE_ENDS))
            return
        if stuffed:
            piece = piece.replace(_LINE_DOT, b"\r\n")
        if self._at_start:
            piece = piece[2:]
            self._at_start = False
        self.held += len(piece)
        if self.held > self._limits.max_message_bytes:
            self.refuse(Rejected(552, f"5.3.4 Message exceeds {self._limits.max_message_bytes} octets"))
            return
        self._pieces.append(piece)


def check(raw: bytes, limits: DataLimits) -> None:
    """Raise `Rejected` if a line or the header block of ``raw`` is too long, or it has been through too many hands.

    Too long a line is 500, the code that RFC 5321 section 4.5.3.1.10 names for it.
    """
    if has_long_line(raw, limits.max_line_bytes):
        raise Rejected(500, f"5.6.0 Message has a line longer than {limits.max_line_bytes} octets")
    # CRLF at the very start: an empty header block.
    end = 0 if raw.startswith(b"\r\n") else raw.find(b"\r\n\r\n")
    if end < 0:
        end = len(raw)
    if end > limits.max_header_bytes:
        raise Rejected(552, f"5.3.4 Message header exceeds {limits.max_header_bytes} octets")
    header = raw[:end].lower()
    # The count is an upper bound (Received-SPF), and cheap; only then is it worth counting exactly.
    if (
        header.count(b"received") > limits.max_received_lines
        and len(_RECEIVED.findall(header)) > limits.max_received_lines
    ):
        raise Rejected(554, "5.4.6 Too many hops: a mail loop")


def has_long_line(raw: bytes, max_line_bytes: int) -> bool:
    """Return whether a line of ``raw``, with its CRLF, has more than ``max_line_bytes`` octets.

    Jumps from the last line end in reach to the next: short lines are never looked at one by one.
    """
    start = 0
    while len(raw) - start > max_line_bytes:
        end = raw.rfind(b"\r\n", start, start + max_line_bytes)
        if end < 0:
            return True
        start = end + 2
    return False
