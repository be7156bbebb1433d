"""Files inside plain text, as before MIME: uuencode, its base64 form (POSIX) and yEnc. Outlook shows them as attached.

Owns finding and decoding them. Refuses to know what is in them: `attachments` reads that. Used by `reading`. Total,
linear, and bounded by the length of the text, since all three only ever shrink.
"""

import binascii
import re
from collections.abc import Iterator

from gateway.extract.decoding import characters, loose_base64

_BEGIN = re.compile(
    rb"^(?:begin(?P<base64>-base64)? [0-7]{3,4} (?P<name>[^\r\n]{1,200})|=ybegin [^\r\n]{0,300}?name=(?P<yname>[^\r\n]{1,200}))\r?\n",
    re.MULTILINE,
)
_UU_LINE = re.compile(rb"[!-`][ -`]*\r?\n?")
_MAX_FILES = 100

File = tuple[str, bytes]


def inline_files(data: bytes) -> Iterator[File]:
    """Yield the name and the octets of each file in ``data``, as far as it goes; at most a hundred."""
    position = 0
    for _ in range(_MAX_FILES):
        begin = _BEGIN.search(data, position)
        if begin is None:
            return
        position = begin.end()
        if begin["yname"] is not None:
            end, octets = _yenc(data, position)
        elif begin["base64"]:
            end = _line_at(data, b"====", position)
            octets = loose_base64(data[position:end])
        else:
            end, octets = _uuencode(data, position)
        if octets:
            yield characters((begin["name"] or begin["yname"]).strip(), "")[0], octets
            position = end


def _line_at(data: bytes, start: bytes, position: int) -> int:
    """Return where the next line begins that starts with ``start``, or the end."""
    if data.startswith(start, position):
        return position
    found = data.find(b"\n" + start, position)
    return len(data) if found < 0 else found + 1


def _uuencode(data: bytes, position: int) -> tuple[int, bytes]:
    pieces = []
    while position < len(data) and not data.startswith((b"end", b"`\n", b"`\r"), position):
        end = data.find(b"\n", position) + 1 or len(data)
        line = data[position:end]
        if not _UU_LINE.fullmatch(line):
            break
        try:
            pieces.append(binascii.a2b_uu(line))
        except binascii.Error:
            break
        position = end
    return position, b"".join(pieces)


def _yenc(data: bytes, position: int) -> tuple[int, bytes]:
    """Return the octets of a yEnc file: each is 42 more than it was, and after an equals sign 64 more again."""
    end = _line_at(data, b"=yend", position)
    lines = (line for line in data[position:end].split(b"\n") if not line.startswith(b"=ypart"))
    first, *escaped = b"".join(line.rstrip(b"\r") for line in lines).split(b"=")
    body = first + b"".join(bytes([(piece[0] - 64) % 256]) + piece[1:] for piece in escaped if piece)
    return end, body.translate(_MINUS_42)


_MINUS_42 = bytes((octet - 42) % 256 for octet in range(256))
