"""Compound files (MS-CFB, "OLE"): sectors to named streams, and each storage to the reader of what it is.

Owns the container: header, allocation tables, directory. Refuses to know what a stream says. Every chain is followed
at most as far as the file is long, so that loops end; the directory is walked without recursion.

Why not olefile: it builds its tree by recursion and follows every chain of an entry when it is opened; what is needed
here is two hundred lines that are total and bounded by `Collector` (docs/decisions/0014).
"""

import struct
from array import array
from dataclasses import dataclass, field
from typing import Final

from gateway.extract.attachments.contents import Collector, DamagedError

_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY_SIZE: Final = 128
_HEADER_DIFAT: Final = 109
_END_OF_CHAIN: Final = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors."""
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MAX_ENTRIES: Final = 20_000


@dataclass(slots=True)
class Entry:
    """A stream, or a storage with what is in it, by lower-case name."""

    name: str
    kind: int
    start: int
    size: int
    children: "dict[str, Entry]" = field(default_factory=dict)

    @property
    def is_storage(self) -> bool:
        """True for what is like a folder."""
        return self.kind in {_STORAGE, _ROOT}

    def streams(self) -> "list[Entry]":
        """Return the streams directly in it."""
        return [child for child in self.children.values() if not child.is_storage]

    def storages(self) -> "list[Entry]":
        """Return the storages directly in it."""
        return [child for child in self.children.values() if child.is_storage]


class Compound:
    """A compound file that was opened; raises `DamagedError` when it has no header or directory."""

    def __init__(self, data: bytes, found: Collector) -> None:
        """Read header, tables and directory of ``data``."""
        if len(data) < 512 or not data.startswith(_MAGIC):
            raise DamagedError("no header")
        self._data = data
        self._found = found
        shift, mini_shift = struct.unpack_from("<2H", data, 30)
        if shift not in {9, 12} or mini_shift > shift:
            raise DamagedError("an impossible sector size")
        self._sector, self._mini_sector = 1 << shift, 1 << mini_shift
        self._sectors = len(data) // self._sector + 1
        directory, self._cutoff, mini_fat = (
            struct.unpack_from("<I", data, place)[0] for place in (48, 56, 60)
        )
        self._fat = self._table(self._difat())
        self._mini_fat = self._numbers(self._chain(mini_fat, self._fat, self._sectors))
        self._mini_stream = b""
        self.root = self._directory(self._chain(directory, self._fat, self._sectors))
        self._mini_stream = self._octets(self.root.start, self.root.size)

    # --- sectors ---

    def _at(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        return self._data[start : start + self._sector]

    def _difat(self) -> list[int]:
        """Return the sectors of the allocation table."""
        sectors = list(struct.unpack_from(f"<{_HEADER_DIFAT}I", self._data, 76))
        following = struct.unpack_from("<I", self._data, 68)[0]
        for _ in range(self._sectors):
            if following >= self._sectors:
                break
            numbers = self._numbers([following])
            sectors.extend(numbers[:-1])
            following = numbers[-1] if numbers else _END_OF_CHAIN
        return [sector for sector in dict.fromkeys(sectors) if sector < self._sectors]

    def _table(self, sectors: list[int]) -> "array[int]":
        return self._numbers(sectors)

    def _numbers(self, sectors: list[int]) -> "array[int]":
        numbers = array("I")
        for sector in sectors:
            data = self._at(sector)
            numbers.frombytes(data[: len(data) // 4 * 4])
        return numbers

    def _chain(self, start: int, table: "array[int]", most: int) -> list[int]:
        """Return the sectors from ``start`` on, at most ``most``: a loop ends there."""
        sectors: list[int] = []
        while start < len(table) and len(sectors) < most:
            sectors.append(start)
            start = table[start]
        return sectors

    def _octets(self, start: int, size: int) -> bytes:
        size = min(size, len(self._data))
        self._found.unpacked(size)
        chain = self._chain(start, self._fat, -(-size // self._sector))
        return b"".join(map(self._at, chain))[:size]

    def read(self, entry: Entry) -> bytes:
        """Return what a stream holds; raises `TooMuchError` when many streams share long chains."""
        self._found.step()
        if entry.size >= self._cutoff:
            return self._octets(entry.start, entry.size)
        self._found.unpacked(entry.size)
        width = self._mini_sector
        chain = self._chain(entry.start, self._mini_fat, -(-entry.size // width))
        return b"".join(self._mini_stream[place * width : (place + 1) * width] for place in chain)[
            : entry.size
        ]

    # --- directory ---

    def _directory(self, sectors: list[int]) -> Entry:
        raw = b"".join(map(self._at, sectors[: _MAX_ENTRIES * _ENTRY_SIZE // self._sector]))
        entries: list[Entry] = []
        links: list[tuple[int, int, int]] = []
        for place in range(0, len(raw) // _ENTRY_SIZE * _ENTRY_SIZE, _ENTRY_SIZE):
            self._found.step()
            length, kind = struct.unpack_from("<HB", raw, place + 64)
            left, right, child = struct.unpack_from("<3I", raw, place + 68)
            start, size = struct.unpack_from("<IQ", raw, place + 116)
            name = raw[place : place + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            size &= 0xFFFFFFFF if self._sector == 512 else (1 << 63) - 1
            entries.append(Entry(name, kind, start, size))
            links.append((left, right, child))
        if not entries:
            raise DamagedError("no directory")
        self._hang(entries, links)
        return entries[0]

    def _hang(self, entries: list[Entry], links: list[tuple[int, int, int]]) -> None:
        """Give every storage its children; each entry is hung once, so that loops end."""
        hung = {0}
        waiting = [(links[0][2], entries[0])]
        while waiting:
            index, above = waiting.pop()
            if index >= len(entries) or index in hung:
                continue
            hung.add(index)
            entry, (left, right, child) = entries[index], links[index]
            above.children.setdefault(entry.name.lower(), entry)
            waiting += [(left, above), (right, above)]
            if entry.kind == _STORAGE:
                waiting.append((child, entry))
        for index, entry in enumerate(entries):
            if index not in hung and entry.kind == _STREAM:
                entries[0].children.setdefault(f"{entry.name.lower()} (loose)", entry)
