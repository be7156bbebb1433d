"""Zip files (PKWARE APPNOTE 6.3): octets to members, without trusting a word of what the file says about itself.

Owns the directory at the end, the local headers, and the difference between the two. Refuses to know what is in a
member. Used for archives and for the packages of Office and OpenDocument.

Why not ``zipfile``: it builds the whole directory before anybody can say "too many" (780,000 entries fit into one
mail), and it sees no member that the directory leaves out, which other programs unpack. Here entries are read one at
a time, members that only a local header names are found too, and members that overlap are named.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gateway.extract.attachments.contents import Collector, DamagedError, TooMuchError
from gateway.extract.attachments.packed import unpacked

_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT: Final = 65_535
_UTF_8: Final = 0x800
_ENCRYPTED: Final = 0x2041
_UNKNOWN_32: Final = 0xFFFFFFFF
_ENTRIES_A_FILE: Final = 10
"""Parts of a document that are no files of their own: a large presentation has a thousand."""
_METHODS: Final = {0: "stored", 8: "deflate", 12: "bzip2", 95: "xz"}


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive. ``listed``: the directory names it."""

    name: str
    method: int
    flags: int
    start: int
    packed: int
    comment: str = ""
    listed: bool = True

    @property
    def encrypted(self) -> bool:
        """True when it needs a password, or its header is masked."""
        return bool(self.flags & _ENCRYPTED)

    @property
    def is_folder(self) -> bool:
        """True for a folder, which has no content."""
        return self.name.endswith("/") and not self.packed


@dataclass(frozen=True, slots=True)
class Archive:
    """The members of a zip file in the order of its directory. ``disordered``: directory and headers disagree."""

    data: bytes
    members: tuple[Member, ...]
    comment: str
    disordered: str = ""

    def read(self, member: Member, found: Collector) -> bytes:
        """Return what ``member`` holds; raises `DamagedError`, or `TooMuchError` past the limits of ``found``."""
        if member.encrypted:
            raise DamagedError("a part of it needs a password")
        packed = self.data[member.start : member.start + member.packed]
        if member.method not in _METHODS:
            raise DamagedError(f"packed by method {member.method}, which is not read")
        return unpacked(packed, _METHODS[member.method], found)


def is_zip(data: bytes) -> bool:
    """Return whether ``data`` ends like a zip file, whatever it begins with."""
    place = data.rfind(b"PK\x05\x06", max(0, len(data) - _LONGEST_COMMENT - _END.size))
    return 0 <= place <= len(data) - _END.size and (data.find(b"PK\x01\x02") >= 0 or place == 0)


def at_the_end(data: bytes) -> bytes:
    """Return the zip file that ends ``data``, without what stands around it; nothing if none does."""
    place = data.rfind(b"PK\x05\x06", max(0, len(data) - _LONGEST_COMMENT - _END.size))
    if not 0 <= place <= len(data) - _END.size:
        return b""
    size, offset, length = _END.unpack_from(data, place)[5:]
    start = place - size - offset
    return data[start : place + _END.size + length] if start >= 0 and size else b""


def opened(data: bytes, found: Collector) -> Archive:
    """Return the members of ``data``; raises `DamagedError` where there is no directory to go by."""
    place = data.rfind(b"PK\x05\x06")
    entries: list[Member] = []
    comment = trouble = ""
    if 0 <= place <= len(data) - _END.size:
        size, offset, length = _END.unpack_from(data, place)[5:]
        comment = data[place + _END.size : place + _END.size + length].decode("utf-8", "replace")
        size, offset, base = _directory(data, place, size, offset)
        try:
            entries.extend(_entries(data, offset + base, size, base, found))
        except (DamagedError, struct.error) as damage:
            trouble = f"its directory is damaged ({damage})"
    else:
        trouble = "its directory is missing"
    covered, overlap = _coverage(entries)
    extra = tuple(_unlisted(data, covered, found))
    if overlap:
        trouble = "members that overlap"
    elif extra and not trouble:
        trouble = "members that its directory does not list"
    if not entries and not extra and trouble:
        raise DamagedError(trouble)
    return Archive(data, (*(entry for entry in entries if entry.start >= 0), *extra), comment, trouble)


def _directory(data: bytes, place: int, size: int, offset: int) -> tuple[int, int, int]:
    """Return size and offset of the directory, and how many octets stand before the archive."""
    locator = data[place - 20 : place] if place >= 20 else b""
    end = place
    if locator.startswith(b"PK\x06\x07"):
        at = data.rfind(b"PK\x06\x06", 0, place)
        if 0 <= at <= len(data) - _END_64.size:
            size, offset = _END_64.unpack_from(data, at)[8:]
            end = at
    base = end - size - offset
    return size, offset, max(base, 0)


def _entries(data: bytes, position: int, size: int, base: int, found: Collector) -> Iterator[Member]:
    end = position + size
    number = 0
    while position + _ENTRY.size <= min(end, len(data)):
        number += 1
        if number > found.limits.max_attachment_files * _ENTRIES_A_FILE:
            raise TooMuchError("a directory of too many files; it was not read further")
        fields = _ENTRY.unpack_from(data, position)
        if fields[0] != b"PK\x01\x02":
            raise DamagedError("an entry without its mark")
        flags, method, packed, unpacked = fields[3], fields[4], fields[8], fields[9]
        name_at = position + _ENTRY.size
        extra_at = name_at + fields[10]
        comment_at = extra_at + fields[11]
        position = comment_at + fields[12]
        offset = fields[16]
        if _UNKNOWN_32 in (packed, unpacked, offset):
            packed, offset = _wide(data[extra_at:comment_at], packed, unpacked, offset)
        name = _text(data[name_at:extra_at], flags)
        start = _content_start(data, offset + base)
        comment = _text(data[comment_at:position], flags)
        yield Member(name, method, flags, start, min(packed, len(data)), comment)


def _wide(extra: bytes, packed: int, unpacked: int, offset: int) -> tuple[int, int]:
    """Return packed size and offset from a Zip64 extra field."""
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, position)
        if tag == 1:
            values = list(struct.unpack_from(f"<{length // 8}Q", extra, position + 4))
            if unpacked == _UNKNOWN_32 and values:
                values.pop(0)
            if packed == _UNKNOWN_32 and values:
                packed = values.pop(0)
            if offset == _UNKNOWN_32 and values:
                offset = values.pop(0)
        position += 4 + length
    return packed, offset


def _text(name: bytes, flags: int) -> str:
    if flags & _UTF_8:
        return name.decode("utf-8", "replace")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _content_start(data: bytes, header: int) -> int:
    """Return where the content behind the local header at ``header`` begins, or -1."""
    if not 0 <= header <= len(data) - _LOCAL.size or data[header : header + 4] != b"PK\x03\x04":
        return -1
    fields = _LOCAL.unpack_from(data, header)
    return header + _LOCAL.size + int(fields[9]) + int(fields[10])


def _coverage(entries: list[Member]) -> tuple[list[tuple[int, int]], bool]:
    """Return the ranges that the members take, in order, and whether any two overlap."""
    ranges = sorted((entry.start, entry.start + entry.packed) for entry in entries if entry.start >= 0)
    overlap = any(later[0] < earlier[1] for earlier, later in pairwise(ranges))
    return ranges, overlap


def _unlisted(data: bytes, covered: list[tuple[int, int]], found: Collector) -> Iterator[Member]:
    """Yield members that stand in gaps between the listed ones: some programs unpack what they find."""
    listed = {start for start, _ in covered}
    position = 0
    for start, end in [*covered, (len(data), len(data))]:
        place = data.find(b"PK\x03\x04", position, max(start, position))
        while place >= 0:
            found.step()
            content = _content_start(data, place)
            if content >= 0 and content not in listed:
                fields = _LOCAL.unpack_from(data, place)
                name = _text(data[place + _LOCAL.size : place + _LOCAL.size + fields[9]], fields[2])
                packed = fields[7] or max(start - content, 0)
                yield Member(name, fields[3], fields[2], content, min(packed, len(data)), listed=False)
                place = max(content + fields[7], place + 4)
            else:
                place += 4
            place = data.find(b"PK\x03\x04", place, max(start, place))
        position = max(position, end)
