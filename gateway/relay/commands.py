"""Writing SMTP commands and message bytes: the last place where something could be smuggled out.

Pure: text and bytes in, bytes out. `receive` has already judged every path and every line end; what is refused
here is a bug of ours, hence `ValueError`. Nothing is repaired, re-parsed or normalised: what was inspected is what
goes out (promise P2).
"""

import re
from collections.abc import Iterator

from gateway.model import Capabilities, MailCommand

BLOCK_BYTES = 262_144
"""Octets of a message handed to the socket at a time: a large message is never held twice."""

SIZE_ALLOWANCE = 2048
"""Octets added to a declared SIZE for the Received line that goes on top (DECISIONS 5)."""

# A path is runs of plain characters and quoted strings; angle brackets, spaces and backslashes only inside quotes.
_PATH = re.compile(r"""(?:[^\x00-\x20\x7f"\\<>]++|"(?:[^\x00-\x1f\x7f"\\]|\\[\x20-\x7e])*+")*+""")


def mail_line(command: MailCommand, offered: Capabilities) -> bytes:
    """Return the MAIL line for a server that offers ``offered``; `lacks` has been asked before.

    Parameters are those that the client gave; SIZE only where it means something to the server. Raises
    `ValueError` for a path that could end the command early.
    """
    line = b"MAIL FROM:<" + _path(command.reverse_path, command.smtputf8) + b">"
    if command.size is not None and offered.size is not None:
        line += b" SIZE=%d" % (command.size + SIZE_ALLOWANCE)
    if command.body and offered.eight_bit_mime:
        if command.body not in ("7BIT", "8BITMIME"):
            raise ValueError(f"BODY={command.body!r} is not a body type of RFC 6152")
        line += b" BODY=" + command.body.encode("ascii")
    if command.smtputf8:
        line += b" SMTPUTF8"
    return line + b"\r\n"


def lacks(command: MailCommand, offered: Capabilities) -> str:
    """Return the extension that ``command`` needs and ``offered`` has not, or an empty string.

    BODY=7BIT needs nothing: it says what is the case without it (RFC 6152 section 3).
    """
    if command.body == "8BITMIME" and not offered.eight_bit_mime:
        return "8BITMIME"
    return "SMTPUTF8" if command.smtputf8 and not offered.smtputf8 else ""


def rcpt_line(recipient: str, *, smtputf8: bool) -> bytes:
    """Return the RCPT line. Raises `ValueError` for an empty path or one that could end the command early."""
    if not recipient:
        raise ValueError("RCPT needs a recipient")
    return b"RCPT TO:<" + _path(recipient, smtputf8) + b">\r\n"


def _path(text: str, smtputf8: bool) -> bytes:
    if _PATH.fullmatch(text) is None:
        raise ValueError(f"not a path that can stand between angle brackets: {text!r}")
    return text.encode("utf-8" if smtputf8 else "ascii")


def check_ends_with_crlf(parts: tuple[bytes, ...]) -> None:
    """Raise `ValueError` unless the message that ``parts`` make ends with CRLF, as DATA demands (DECISIONS 5)."""
    end = b""
    for part in reversed(parts):
        end = part[-2:] + end
        if len(end) >= 2:
            break
    if end[-2:] != b"\r\n":
        raise ValueError("a message that does not end with CRLF cannot be sent by DATA")


def stuffed(parts: tuple[bytes, ...], block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the message as it goes on the wire: dots doubled (RFC 5321 section 4.5.2), the last block with the dot.

    ``parts`` are one message in pieces; a line may start in one and end in the next. Raises `ValueError` at a dot
    after a bare LF, which a lax server takes for the end of the message; then the final dot has not been yielded.
    """
    tail = b"\r\n"
    block = b""
    for following in _blocks(parts, block_bytes):
        if block:
            yield block
        block = _stuffed_block(following, tail)
        tail = (tail + following[-2:])[-2:]
    yield block + b".\r\n"


def _stuffed_block(block: bytes, tail: bytes) -> bytes:
    """Return ``block`` with dots doubled, given the two octets that went before it."""
    if block.startswith(b"."):
        first = tail == b"\r\n"
        _refuse_bare_lf(tail.endswith(b"\n") and not first)
    else:
        first = False
    wire = block
    if block.find(b"\n.") >= 0:
        wire = block.replace(b"\r\n.", b"\r\n..")
        added = len(wire) - len(block)
        if block.startswith(b"\n."):
            _refuse_bare_lf(not tail.endswith(b"\r"))
            wire = b"\n." + wire[1:]
            added += 1
        _refuse_bare_lf(block.count(b"\n.") != added)
    return b"." + wire if first else wire


def _refuse_bare_lf(found: bool) -> None:
    if found:
        raise ValueError("a dot after a bare LF could end the message early")


def _blocks(parts: tuple[bytes, ...], block_bytes: int) -> Iterator[bytes]:
    """Yield the octets of ``parts`` in non-empty blocks: small parts joined, large ones sliced."""
    pending: list[bytes] = []
    size = 0
    for part in parts:
        for start in range(0, len(part), block_bytes):
            piece = part if len(part) <= block_bytes else part[start : start + block_bytes]
            if size + len(piece) > block_bytes:
                yield b"".join(pending)
                pending, size = [], 0
            pending.append(piece)
            size += len(piece)
    if pending:
        yield b"".join(pending)
