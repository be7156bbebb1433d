"""Objects embedded in documents: what OLE wrapped around a file is taken off, and the file waits to be read.

Owns the forms of MS-OLEDS section 2. Refuses to know what the file is. Used by `rtf` and `compound`.
"""

import struct
from typing import Final

from gateway.extract.attachments.contents import Collector, File, below

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EMBEDDED: Final = 2


def embedded(file: File, found: Collector) -> None:
    """Let what an OLE 1.0 stream holds (MS-OLEDS 2.2.5) be read: a compound file, a packaged file, or as it is."""
    data = file.data
    start = data.find(_OLE[:8], 0, 4096)
    if start >= 0:
        found.wait(File(data[start:], file.path, file.name, depth=file.depth))
        return
    position = 4
    if len(data) > 12 and struct.unpack_from("<I", data, position)[0] == _EMBEDDED:
        position += 4
        for _ in range(3):
            (length,) = struct.unpack_from("<I", data, position)
            position += 4 + length
        (size,) = struct.unpack_from("<I", data, position)
        data = data[position + 4 : position + 4 + size]
        packaged(File(data, file.path, file.name, depth=file.depth), found, sized=False)
        return
    found.wait(file)


def packaged(file: File, found: Collector, *, sized: bool = True) -> None:
    """Let the file in a package (Ole10Native) be read under its own name; anything else as it is."""
    data = file.data
    try:
        position = 4 if sized else 0
        position += 2
        label, position = _string(data, position)
        _, position = _string(data, position)
        position += 4
        (length,) = struct.unpack_from("<I", data, position)
        position += 4 + length
        (size,) = struct.unpack_from("<I", data, position)
        content = data[position + 4 : position + 4 + size]
    except (struct.error, ValueError):
        content, label = data[4:] if sized else data, b""
    name = label.decode("cp1252", "replace")
    path = below(file.path, name) if name else file.path
    found.wait(File(content or data, path, name, depth=file.depth), named=True)


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    end = data.index(b"\x00", position)
    return data[position:end], end + 1
