"""Reading SMTP replies (RFC 5321 section 4.2) from whatever pieces the network delivers.

Owns the grammar of a reply and its bound; knows no socket, no command and no policy. `wire` feeds it.
"""

import re
from collections import deque

from gateway.model import Reply

MAX_REPLY_BYTES = 65_536
"""Octets of one reply, all its lines. RFC 5321 asks for 512 a line; real EHLO replies stay under 1 KiB."""

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_CONTROLS = {code: "?" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if code != 0x09}


class GarbledReply(Exception):
    """What arrived is not SMTP, or has no end. The dialogue cannot go on: nobody knows what answers what."""


class ReplyReader:
    """Turns bytes into replies, which wait in ``replies`` in the order of arrival.

    Lines end at LF, with or without CR: some servers leave it out, and a reply is not where smuggling pays.
    A CR or other control character inside a line becomes ``?``, for the text goes on to our own client.
    """

    __slots__ = ("_code", "_lines", "_octets", "_rest", "replies")

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self._rest = b""
        self._code = b""
        self._lines: list[str] = []
        self._octets = 0

    @property
    def is_partial(self) -> bool:
        """True when a piece of a reply has arrived that is not whole yet."""
        return bool(self._rest or self._lines)

    def feed(self, received: bytes) -> None:
        """Add ``received``. Raises `GarbledReply`; replies that were whole before the fault stay in ``replies``."""
        if self._rest:
            received = self._rest + received
        start = 0
        while (end := received.find(b"\n", start)) >= 0:
            self._octets += end + 1 - start
            self._check_bound(0)
            self._take_line(received[start:end].removesuffix(b"\r"))
            start = end + 1
        self._rest = received[start:]
        self._check_bound(len(self._rest))

    def _check_bound(self, pending: int) -> None:
        if self._octets + pending > MAX_REPLY_BYTES:
            raise GarbledReply(f"a reply of more than {MAX_REPLY_BYTES} octets")

    def _take_line(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        if match is None or (self._lines and match[1] != self._code):
            raise GarbledReply(f"not a line of an SMTP reply: {line[:80]!r}")
        self._code = match[1]
        self._lines.append(_text(match[3] or b""))
        if match[2] != b"-":
            self.replies.append(Reply(int(self._code), tuple(self._lines)))
            self._lines = []
            self._octets = 0


def _text(octets: bytes) -> str:
    """Return the text of a line. What is not UTF-8 is shown as a backslash escape: it can be passed on and logged."""
    text = octets.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else text.translate(_CONTROLS)
