"""Word, Excel and PowerPoint files before 2007 (MS-DOC, MS-XLS, MS-PPT): records to text.

Owns just enough of the three formats to say every character they hold: the piece table of Word, the string and
label records of Excel, the text atoms of PowerPoint. Formatting is not read, so that deleted and hidden text is
read as text: one line too many is the safer error. Called by `storages`.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final

from gateway.extract.attachments.compound import Compound, Entry
from gateway.extract.attachments.contents import Collector, DamagedError, File, below
from gateway.model import UnreadableReason

_ENCRYPTED_WORD: Final = 0x0100
_SECOND_TABLE: Final = 0x0200
_WORD_97: Final = 0x00C1
_CLX_AT: Final = 0x01A2
_COMPRESSED: Final = 0x40000000
_WORD_MARKS: Final = str.maketrans(
    {
        "\x07": "\t",
        "\x0b": "\n",
        "\x0c": "\n",
        "\x0d": "\n",
        "\x13": " ",
        "\x14": " ",
        "\x15": " ",
        "\x1e": "-",
        "\x1f": "",
        "\xa0": " ",
    }
    | {"\x01": " ", "\x02": " ", "\x05": " ", "\x08": " "}
)

_FILE_PASS, _CONTINUE, _SST = 0x002F, 0x003C, 0x00FC
_LABELS: Final = frozenset({0x0204, 0x00D6, 0x0207, 0x0004})
_SHEET_NAME, _HEADERS, _TEXT_OBJECT, _LINK, _NOTE, _FORMAT = (
    0x0085,
    frozenset({0x14, 0x15}),
    0x01B6,
    0x01B8,
    0x001C,
    0x041E,
)
_NARROW_RUN: Final = re.compile(rb"[^\x00-\x08\x0e-\x1f]+")
_WIDE_RUN: Final = re.compile(rb"(?:[^\x00-\x1f]\x00){4,}")

_ATOMS: Final = {0x0FA0: "utf-16-le", 0x0FA8: "cp1252", 0x0FBA: "utf-16-le"}
_CONTAINER: Final = 0x0F
_ENCRYPTED_POWERPOINT: Final = 0x2F14


def read_word(document: Compound, storage: Entry, file: File, found: Collector) -> None:
    """Say the text of a Word file: body, notes, headers, comments and text boxes, in that order."""
    stream = document.read(storage.children["worddocument"])
    version, flags = struct.unpack_from("<H", stream, 2)[0], struct.unpack_from("<H", stream, 10)[0]
    if flags & _ENCRYPTED_WORD:
        found.refuse(file.path, UnreadableReason.ENCRYPTED, "a Word file that needs a password", file.data)
        return
    if version < _WORD_97:
        first, last = struct.unpack_from("<2I", stream, 24)
        found.say(file.path, stream[first:last].decode("cp1252", "replace").translate(_WORD_MARKS))
        return
    name = "1table" if flags & _SECOND_TABLE else "0table"
    table = storage.children.get(name)
    if table is None:
        raise DamagedError("no table of pieces")
    start, size = struct.unpack_from("<2I", stream, _CLX_AT)
    pieces = _pieces(document.read(table)[start : start + size], stream, found)
    found.say(file.path, "".join(pieces).translate(_WORD_MARKS))


def _pieces(table: bytes, stream: bytes, found: Collector) -> Iterator[str]:
    """Yield the text of each piece in the order of the document (MS-DOC 2.9.38)."""
    position = 0
    while table[position : position + 1] == b"\x01":
        position += 3 + struct.unpack_from("<H", table, position + 1)[0]
    if table[position : position + 1] != b"\x02":
        raise DamagedError("no table of pieces")
    (size,) = struct.unpack_from("<I", table, position + 1)
    table = table[position + 5 : position + 5 + size]
    count = max(len(table) - 4, 0) // 12
    bounds = struct.unpack_from(f"<{count + 1}I", table)
    for index in range(count):
        found.step()
        (place,) = struct.unpack_from("<I", table, 4 * (count + 1) + 8 * index + 2)
        length = min(max(bounds[index + 1] - bounds[index], 0), len(stream))
        found.unpacked(length)
        if place & _COMPRESSED:
            place = (place & ~_COMPRESSED) // 2
            yield stream[place : place + length].decode("cp1252", "replace")
        else:
            yield stream[place : place + 2 * length].decode("utf-16-le", "replace")


def read_excel(document: Compound, storage: Entry, file: File, found: Collector) -> None:
    """Say the strings of an Excel file: cells, sheet names, comments, text boxes, headers and links."""
    stream = document.read(storage.children.get("workbook") or storage.children["book"])
    cells: list[str] = []
    others: list[str] = []
    for kind, data in _records(stream, found):
        if kind == _FILE_PASS:
            found.refuse(
                file.path, UnreadableReason.ENCRYPTED, "an Excel file that needs a password", file.data
            )
            return
        if kind == _SST:
            cells.extend(_shared(data, found))
        elif kind in _LABELS:
            cells.append(_label(kind, data[0]))
        elif kind == _SHEET_NAME:
            state = data[0][4:5]
            others.append(_short(data[0][6:]) + (" (hidden sheet)" if state not in {b"", b"\x00"} else ""))
        elif kind in _HEADERS and len(data[0]) > 3:
            others.append(_string(data[0], 0)[0])
        elif kind == _FORMAT and len(data[0]) > 5:
            others.append(_string(data[0], 2)[0])
        elif kind in {_LINK, _TEXT_OBJECT, _NOTE}:
            others.extend(_loose(data))
    found.say(file.path, "\n".join(filter(None, cells)))
    found.say(below(file.path, "names, comments and links"), "\n".join(dict.fromkeys(filter(None, others))))


def _records(stream: bytes, found: Collector) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each record with those that continue it."""
    position, kind, data = 0, -1, list[bytes]()
    while position + 4 <= len(stream):
        found.step()
        following, size = struct.unpack_from("<2H", stream, position)
        body = stream[position + 4 : position + 4 + size]
        position += 4 + size
        if following == _CONTINUE and data:
            data.append(body)
            continue
        if data:
            yield kind, data
        kind, data = following, [body]
    if data:
        yield kind, data


def _shared(blocks: list[bytes], found: Collector) -> Iterator[str]:
    """Yield the strings of the shared string table; one may go on in the next record, with a new width."""
    data = blocks[0]
    block, position = 0, 8
    while block < len(blocks):
        if position + 3 > len(data):
            block, position = block + 1, 0
            data = blocks[block] if block < len(blocks) else b""
            continue
        found.step()
        count, flags = struct.unpack_from("<HB", data, position)
        position += 3
        runs = extension = 0
        if flags & 8:
            (runs,) = struct.unpack_from("<H", data, position)
            position += 2
        if flags & 4:
            (extension,) = struct.unpack_from("<I", data, position)
            position += 4
        text = []
        while count:
            wide = 2 if flags & 1 else 1
            there = min(count, (len(data) - position) // wide)
            chunk = data[position : position + there * wide]
            text.append(chunk.decode("utf-16-le" if wide == 2 else "latin-1", "replace"))
            count -= there
            position += there * wide
            if not count or block + 1 >= len(blocks):
                break
            block, data, position = block + 1, blocks[block + 1], 1
            flags = data[0] if data else 0
        yield "".join(text)
        position += runs * 4 + extension
        while position > len(data) and block + 1 < len(blocks):
            position -= len(data)
            block, data = block + 1, blocks[block + 1]


def _label(kind: int, data: bytes) -> str:
    start = 0 if kind == 0x0207 else 6
    return _string(data, start)[0]


def _string(data: bytes, start: int) -> tuple[str, int]:
    """Return a string with a length of two octets: of Excel 97 with flags, of Excel 5 without."""
    if start + 3 > len(data):
        return "", start
    count, flags = struct.unpack_from("<HB", data, start)
    if flags in {0, 1} and start + 3 + count * (1 + flags) <= len(data):
        end = start + 3 + count * (1 + flags)
        return data[start + 3 : end].decode("utf-16-le" if flags else "latin-1", "replace"), end
    return data[start + 2 : start + 2 + count].decode("cp1252", "replace"), start + 2 + count


def _short(data: bytes) -> str:
    if len(data) < 2:
        return ""
    if data[1] in {0, 1}:
        width = 1 + data[1]
        return data[2 : 2 + data[0] * width].decode("utf-16-le" if width == 2 else "latin-1", "replace")
    return data[1 : 1 + data[0]].decode("cp1252", "replace")


def _loose(blocks: list[bytes]) -> Iterator[str]:
    """Yield the runs of text in records whose form is not followed."""
    for data in blocks:
        if data[:1] == b"\x00" and _NARROW_RUN.fullmatch(data, 1):
            yield data[1:].decode("cp1252", "replace")
        for run in _WIDE_RUN.findall(data):
            yield run.decode("utf-16-le", "replace")


def read_powerpoint(document: Compound, storage: Entry, file: File, found: Collector) -> None:
    """Say the texts of a PowerPoint file: slides, notes, comments, in the order of the file."""
    stream = document.read(storage.children["powerpoint document"])
    texts: list[str] = []
    position = 0
    while position + 8 <= len(stream):
        found.step()
        version, kind, size = struct.unpack_from("<2HI", stream, position)
        position += 8
        if kind == _ENCRYPTED_POWERPOINT:
            found.refuse(
                file.path, UnreadableReason.ENCRYPTED, "a PowerPoint file that needs a password", file.data
            )
            return
        if version & 0x0F == _CONTAINER:
            continue  # its records follow, one after another
        if kind in _ATOMS:
            texts.append(stream[position : position + size].decode(_ATOMS[kind], "replace"))
        position += size
    found.say(file.path, "\n".join(texts))
