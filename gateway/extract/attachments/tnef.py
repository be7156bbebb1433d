"""winmail.dat (MS-OXTNEF): what Outlook wraps around a formatted mail to be read by Outlook alone.

Owns the attributes and properties of the stream. What it holds is the body of the mail at hand, so it is the
sender's own; quotes in it are cut like in any body. Refuses to know what properties mean: `mapi` does. Called by
`opening`.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.extract.attachments import mapi
from gateway.extract.attachments.contents import Collector, DamagedError, File
from gateway.model import UnreadableReason

_SIGNATURE: Final = 0x223E9F78
_SUBJECT, _BODY, _PROPERTIES, _CODE_PAGE = 0x8004, 0x800C, 0x9003, 0x9007
_RENDERING, _TITLE, _DATA, _ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9005
_MULTIPLE: Final = 0x1000
_NAMED: Final = 0x8000
_FIXED: Final = {
    0x01: 0, 0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16,
}  # fmt: skip
_NARROW, _WIDE, _BINARY, _OBJECT, _INTEGER = 0x1E, 0x1F, 0x102, 0x0D, 0x03
_GUID: Final = 16


@dataclass(slots=True)
class _File:
    properties: mapi.Properties = field(default_factory=mapi.Properties)
    title: str = ""
    data: bytes = b""
    is_mail: bool = False


def read(file: File, found: Collector) -> None:
    """Hand on the mail in winmail.dat as the sender's own, as far as it can be read."""
    message, damage = _mail(file.data, file, found, 0)
    found.say_mail(file.path, message, own=True)
    if damage:
        raise DamagedError(damage)


def _mail(data: bytes, file: File, found: Collector, depth: int) -> tuple[bytes, str]:
    """Return the mail in one stream, and what is wrong with the stream."""
    properties, files, damage = mapi.Properties(), list[_File](), ""
    stream = _Stream(properties, files, file, found, depth)
    try:
        for attribute, content in _attributes(data, found):
            stream.take(attribute, content)
    except (DamagedError, struct.error, ValueError) as error:
        damage = str(error) if isinstance(error, DamagedError) else "winmail.dat breaks off"
    attached = [
        mapi.Attached(
            each.properties.text(mapi.LONG_NAME, mapi.SHORT_NAME, mapi.NAME) or each.title,
            each.data,
            each.is_mail,
        )
        for each in files
    ]
    return mapi.composed(properties, attached, found), damage


def _attributes(data: bytes, found: Collector) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each attribute; raises `DamagedError` at a length beyond the end."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        raise DamagedError("no winmail.dat")
    position = 6
    while position + 9 <= len(data):
        found.step()
        _, attribute, length = struct.unpack_from("<BII", data, position)
        position += 9
        if position + length > len(data):
            raise DamagedError("an attribute that is longer than the file")
        yield attribute & 0xFFFF, data[position : position + length]
        position += length + 2


@dataclass(frozen=True, slots=True)
class _Stream:
    """One TNEF stream while it is being read."""

    properties: mapi.Properties
    files: list[_File]
    file: File
    found: Collector
    depth: int

    def take(self, attribute: int, content: bytes) -> None:
        """Keep what one attribute says."""
        texts = self.properties.texts
        if attribute == _CODE_PAGE and len(content) >= 4:
            self.properties.numbers.setdefault(mapi.CODE_PAGE, struct.unpack_from("<I", content)[0])
        elif attribute == _SUBJECT:
            texts.setdefault(mapi.SUBJECT, _narrow(content))
        elif attribute == _BODY:
            texts.setdefault(mapi.BODY, _narrow(content))
        elif attribute == _PROPERTIES:
            _read_properties(content, self.properties, self.found)
        elif attribute == _RENDERING:
            self.files.append(_File())
        elif self.files and attribute == _TITLE:
            self.files[-1].title = _narrow(content)
        elif self.files and attribute == _DATA:
            self.files[-1].data = content
        elif self.files and attribute == _ATTACHMENT:
            self._attachment(self.files[-1], content)

    def _attachment(self, attached: _File, content: bytes) -> None:
        _read_properties(content, attached.properties, self.found)
        inner = attached.properties.binaries.get(mapi.DATA, b"")
        if inner[_GUID : _GUID + 4] == _SIGNATURE.to_bytes(4, "little"):
            if self.depth >= self.found.limits.max_attachment_depth:
                detail = "mails packed too deep in mails; they were not opened"
                self.found.refuse(self.file.path, UnreadableReason.DEPTH, detail)
                return
            attached.data, damage = _mail(inner[_GUID:], self.file, self.found, self.depth + 1)
            attached.is_mail = True
            if damage:
                raise DamagedError(damage)
        elif inner and not attached.data:
            attached.data = inner


def _narrow(content: bytes) -> str:
    return content.rstrip(b"\x00").decode("cp1252", "replace")


def _read_properties(data: bytes, properties: mapi.Properties, found: Collector) -> None:
    """Add the properties that ``data`` encodes (MS-OXTNEF 2.1.3.4); raises `DamagedError` at an unknown type."""
    (count,) = struct.unpack_from("<I", data)
    position = 4
    for _ in range(count):
        found.step()
        kind, number = struct.unpack_from("<2H", data, position)
        position += 4
        if number >= _NAMED:
            position = _after_name(data, position)
        position = _read_value(data, position, kind, number, properties)


def _after_name(data: bytes, position: int) -> int:
    by_text, length = struct.unpack_from("<2I", data, position + _GUID)
    position += _GUID + 8
    return position + (length + 3) // 4 * 4 if by_text else position


def _read_value(data: bytes, position: int, kind: int, number: int, properties: mapi.Properties) -> int:
    """Keep the value at ``position``; return where the next property begins."""
    base = kind & ~_MULTIPLE
    values = 1
    if kind & _MULTIPLE or base not in _FIXED:
        (values,) = struct.unpack_from("<I", data, position)
        position += 4
    if base in _FIXED:
        if base == _INTEGER and values:
            properties.numbers.setdefault(number, struct.unpack_from("<I", data, position)[0])
        return position + values * _FIXED[base]
    if base not in {_NARROW, _WIDE, _BINARY, _OBJECT}:
        raise DamagedError(f"a property of unknown type {base}")
    for _ in range(values):
        (length,) = struct.unpack_from("<I", data, position)
        position += 4
        if position + length > len(data):
            raise DamagedError("a property that is longer than the file")
        value = data[position : position + length]
        position += (length + 3) // 4 * 4
        if base == _WIDE:
            properties.texts[number] = value.decode("utf-16-le", "replace")
        elif base == _NARROW:
            properties.texts.setdefault(number, _narrow(value))
        else:
            properties.binaries.setdefault(number, value)
    return position
