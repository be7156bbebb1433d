"""Unpacking by one face: deflate, gzip, zlib, bzip2, xz; and the members of a tar file.

Owns that nothing is unpacked beyond what `Collector` has left. Refuses to know what comes out.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from gateway.extract.attachments.contents import Collector, DamagedError

_LZMA_MEMORY: Final = 67_108_864
"""Octets of dictionary an xz stream may ask for: what ``xz -9`` uses."""
_STEPS_A_STREAM: Final = 1_000
"""What follows a stream is copied when it ends, so that many short ones would cost the square of their number."""
_BLOCK: Final = 512
_TRAILING: Final = b"\x00 \t\r\n"


class _Engine(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_ENGINES: Final[dict[str, Callable[[], _Engine]]] = {
    "deflate": lambda: zlib.decompressobj(-zlib.MAX_WBITS),
    "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "zlib": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY),
}
_CONCATENATED: Final = frozenset({"gzip", "bzip2", "xz"})


def unpacked(data: bytes, method: str, found: Collector, *, whole: bool = True) -> bytes:
    """Return ``data`` unpacked.

    Raises `TooMuchError` past the limits of ``found``, and `DamagedError` when nothing comes out, or, where the
    ``whole`` is asked for, less than all. Streams that follow one another are read as one, as gzip does.
    """
    if method == "stored":
        found.unpacked(len(data))
        return data
    content: list[bytes] = []
    while True:
        engine = _ENGINES[method]()
        found.step(_STEPS_A_STREAM)
        try:
            chunk = engine.decompress(data, found.octets_left + 1)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as damage:
            if not content and whole:
                raise DamagedError(f"damaged {method}: {damage}") from damage
            break
        found.unpacked(len(chunk))
        content.append(chunk)
        data = engine.unused_data.lstrip(_TRAILING)
        if not engine.eof and whole:
            raise DamagedError(f"{method} that ends too early")
        if not data or method not in _CONCATENATED:
            break
    return content[0] if len(content) == 1 else b"".join(content)


def tar_members(data: bytes, found: Collector) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in a tar archive (POSIX ustar, GNU long names)."""
    position, long_name = 0, ""
    while position + _BLOCK <= len(data):
        found.step()
        header = data[position : position + _BLOCK]
        if not header.strip(b"\x00"):
            position += _BLOCK
            continue
        size = _octal(header[124:136])
        content = data[position + _BLOCK : position + _BLOCK + size]
        position += _BLOCK + (size + _BLOCK - 1) // _BLOCK * _BLOCK
        name = header[:100].split(b"\x00", 1)[0].decode("utf-8", "replace")
        kind = header[156:157]
        if kind == b"L":
            long_name = content.rstrip(b"\x00").decode("utf-8", "replace")
        elif kind in b"0\x007" and name:
            found.unpacked(len(content))
            yield long_name or name, content
            long_name = ""


def _octal(field: bytes) -> int:
    if field[:1] >= b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\x00 ")
    return int(digits, 8) if digits else 0
