"""Opaque S/MIME signatures (CMS SignedData, RFC 5652 section 5): the signed content, which is a mail part.

Owns as much DER as it takes to reach the content. Refuses to check the signature: who signed is not asked here, what
the words say is. Called by `opening`, and by `reading` for a message that is signed in this way.
"""

from typing import Final

from gateway.extract.attachments.contents import Collector, DamagedError, File

_SIGNED_DATA: Final = bytes.fromhex("06092a864886f70d010702")
_CONSTRUCTED: Final = 0x20
_INDEFINITE: Final = -1
_SEQUENCE, _OCTETS, _CONTEXT_0 = 0x30, 0x04, 0xA0
_MAX_CHUNKS: Final = 100_000


def read(file: File, found: Collector) -> None:
    """Hand on what was signed as the sender's own mail; raises `DamagedError` where it cannot be reached."""
    found.say_mail(file.path, _content(file.data), own=True)


def _content(data: bytes) -> bytes:
    """Return the octets of EncapsulatedContentInfo.eContent."""
    position, _ = _enter(data, 0, _SEQUENCE)
    if data[position : position + len(_SIGNED_DATA)] != _SIGNED_DATA:
        raise DamagedError("no signed data")
    position, _ = _enter(data, position + len(_SIGNED_DATA), _CONTEXT_0)
    position, _ = _enter(data, position, _SEQUENCE)
    position = _after(data, position)  # version
    position = _after(data, position)  # digest algorithms
    position, _ = _enter(data, position, _SEQUENCE)
    position = _after(data, position)  # content type
    position, _ = _enter(data, position, _CONTEXT_0)
    return _octets(data, position)


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    """Return tag, where the value begins, and its length, or `_INDEFINITE`."""
    if position + 2 > len(data):
        raise DamagedError("a signature that breaks off")
    tag, length = data[position], data[position + 1]
    position += 2
    if length == 0x80:
        return tag, position, _INDEFINITE
    if length > 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    return tag, position, length


def _enter(data: bytes, position: int, expected: int) -> tuple[int, int]:
    tag, start, length = _header(data, position)
    if tag != expected:
        raise DamagedError("a signature without its content")
    return start, length


def _after(data: bytes, position: int) -> int:
    """Return where the value after the one at ``position`` begins."""
    _, start, length = _header(data, position)
    if length != _INDEFINITE:
        return start + length
    depth = 1
    for _ in range(_MAX_CHUNKS):
        if data[start : start + 2] == b"\x00\x00":
            depth, start = depth - 1, start + 2
            if not depth:
                return start
            continue
        _, value, length = _header(data, start)
        if length == _INDEFINITE:
            depth, start = depth + 1, value
        else:
            start = value + length
    raise DamagedError("a signature without an end")


def _octets(data: bytes, position: int) -> bytes:
    """Return an octet string that may be in pieces."""
    tag, start, length = _header(data, position)
    if tag == _OCTETS:
        return data[start : start + length]
    if tag != _OCTETS | _CONSTRUCTED:
        raise DamagedError("a signature without its content")
    end = len(data) if length == _INDEFINITE else start + length
    pieces: list[bytes] = []
    for _ in range(_MAX_CHUNKS):
        if start >= end or data[start : start + 2] == b"\x00\x00":
            return b"".join(pieces)
        tag, value, length = _header(data, start)
        if tag != _OCTETS or length == _INDEFINITE:
            raise DamagedError("a signature in an unknown form")
        pieces.append(data[value : value + length])
        start = value + length
    raise DamagedError("a signature in too many pieces")
