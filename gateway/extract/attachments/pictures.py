"""Pictures: their size, the words in their properties, and, where the gateway reads pictures, the words they show.

Owns what distinguishes a crest in a signature from a photograph, as far as size tells. Refuses to know what a picture
shows: a photograph says more than its words, so that it is named even where words were read in it. Called by
`opening` and `pdf`.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from gateway.extract.attachments import ocr
from gateway.extract.attachments.contents import Collector, File, below
from gateway.model import UnreadableReason

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS: Final = 2_000
_MAX_METADATA: Final = 262_144
_OCTETS_A_PIXEL: Final = 4
_FULL_TEXT_WORDS: Final = 30
"""From as many words on a picture is a page: a scanned letter, a screenshot of a text. It counts as read."""
_FRAMES: Final = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_TIFF_TEXTS: Final = frozenset(
    {0x010D, 0x010E, 0x013B, 0x8298, 0x9286, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F}
)
_WIDE_TEXTS: Final = range(0x9C9B, 0x9CA0)
_EXIF_FOLDER: Final = 0x8769
_XMP_TEXT: Final = re.compile(rb">([^<>]{2,2000})</|(?:dc|photoshop|Iptc4xmpCore):\w+=\"([^\"]{2,2000})\"")
_XMP: Final = re.compile(rb"<x:xmpmeta.{0,200000}?</x:xmpmeta>", re.DOTALL)


def read(file: File, found: Collector) -> None:
    """Say the words in and about a picture, and name it; how depends on its size and on what was read."""
    data = file.data
    texts = [text for text in _metadata(data, found) if any(map(str.isalpha, text))]
    found.say(below(file.path, "properties"), "\n".join(dict.fromkeys(texts)), hidden=True)
    width, height = _dimensions(data)
    size = f"{width} x {height} pixels" if width else "size unknown"
    words = 0
    if found.limits.picture_models:
        text = ocr.text_of(data, found.limits.picture_models)
        if text is None:
            size = f"{size}; it could not be decoded"
        else:
            words = _say_words(text, file.path, found)
    most = found.limits.small_picture_pixels
    small = 0 < width * height <= most and len(data) <= most * _OCTETS_A_PIXEL
    if words >= _FULL_TEXT_WORDS:
        return
    told = f", {words} words were read in it" if words else ""
    if small:
        detail = f"a small picture, {size}, {len(data)} octets{told}"
        found.refuse(file.path, UnreadableReason.SMALL_PICTURE, detail, data)
    else:
        detail = f"a picture, {size}, {len(data)} octets{told}"
        found.refuse(file.path, UnreadableReason.PICTURE, detail, data)


def read_rendered(grey: bytes, width: int, height: int, path: str, found: Collector) -> None:
    """Say the words that a page shows, given as grey pixels; name it where they are few."""
    words = _say_words(ocr.text_of_pixels(grey, width, height, found.limits.picture_models), path, found)
    if words < _FULL_TEXT_WORDS:
        detail = f"a page with a picture; {words} words were read in it"
        found.refuse(path, UnreadableReason.PICTURE, detail)


def _say_words(text: str, path: str, found: Collector) -> int:
    found.say(below(path, "words in the picture"), text)
    return len(text.split())


def _dimensions(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels, or zeros where the header does not say."""
    try:
        if data.startswith(_PNG):
            return struct.unpack_from(">2I", data, 16)
        if data.startswith(b"GIF8"):
            return struct.unpack_from("<2H", data, 6)
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<2i", data, 18)
            return abs(width), abs(height)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data[8:12] == b"WEBP":
            return _webp_size(data)
    except struct.error:
        pass
    return 0, 0


def _jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, place, _ in _jpeg_segments(data):
        if marker in _FRAMES:
            height, width = struct.unpack_from(">2H", data, place + 1)
            return width, height
    return 0, 0


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and length of each segment before the pixels."""
    position = 2
    for _ in range(_MAX_CHUNKS):
        if position + 4 > len(data) or data[position] != 0xFF:
            return
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        yield marker, position + 4, max(length - 2, 0)
        if marker == 0xDA:
            return
        position += 2 + max(length, 2)


def _webp_size(data: bytes) -> tuple[int, int]:
    form = data[12:16]
    if form == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if form == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<2H", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _metadata(data: bytes, found: Collector) -> Iterator[str]:
    """Yield the texts in the properties of a picture."""
    if data.startswith(_PNG):
        yield from _png_texts(data, found)
    elif data.startswith(b"\xff\xd8"):
        for marker, place, length in _jpeg_segments(data):
            found.step()
            content = data[place : place + length]
            if marker == 0xFE:
                yield content.decode("utf-8", "replace")
            elif marker == 0xE1 and content.startswith(b"Exif\x00\x00"):
                yield from _exif_texts(content[6:], found)
    elif data.startswith((b"II*\x00", b"MM\x00*")):
        yield from _exif_texts(data, found)
    for packet in _XMP.findall(data[:_MAX_METADATA])[:4]:
        for element, attribute in _XMP_TEXT.findall(packet):
            yield (element or attribute).decode("utf-8", "replace").strip()


def _png_texts(data: bytes, found: Collector) -> Iterator[str]:
    position = 8
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            return
        found.step()
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + min(length, _MAX_METADATA)]
        position += 12 + length
        _, _, value = content.partition(b"\x00")
        if kind == b"tEXt":
            yield value.decode("latin-1")
        elif kind == b"zTXt":
            yield _inflated(value[1:]).decode("latin-1")
        elif kind == b"iTXt" and len(value) > 2:
            packed = value[0]
            text = value[2:].split(b"\x00", 2)[-1]
            yield (_inflated(text) if packed else text).decode("utf-8", "replace")
        elif kind == b"eXIf":
            yield from _exif_texts(content, found)


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _MAX_METADATA)
    except zlib.error:
        return b""


def _exif_texts(data: bytes, found: Collector) -> Iterator[str]:
    """Yield description, author, comment and the like from the folders of a TIFF structure (Exif 2.3)."""
    order = "<" if data[:2] == b"II" else ">"
    folders, seen = [8 if len(data) < 8 else struct.unpack_from(f"{order}I", data, 4)[0]], set[int]()
    while folders:
        place = folders.pop()
        if place in seen or place + 2 > len(data):
            continue
        seen.add(place)
        (count,) = struct.unpack_from(f"{order}H", data, place)
        for index in range(count):
            entry = place + 2 + 12 * index
            if entry + 12 > len(data):
                break
            found.step()
            tag, _, length, value = struct.unpack_from(f"{order}2H2I", data, entry)
            if tag == _EXIF_FOLDER:
                folders.append(value)
            elif tag in _TIFF_TEXTS:
                start = entry + 8 if length <= 4 else value
                yield _exif_text(data[start : start + min(length, _MAX_METADATA)], tag)


def _exif_text(octets: bytes, tag: int) -> str:
    if tag in _WIDE_TEXTS:
        return octets.decode("utf-16-le", "replace").rstrip("\x00")
    if octets.startswith((b"ASCII\x00\x00\x00", b"UNICODE\x00", b"\x00" * 8)):
        wide = octets.startswith(b"UNICODE\x00")
        return octets[8:].decode("utf-16-le" if wide else "utf-8", "replace").rstrip("\x00 ")
    return octets.decode("utf-8", "replace").rstrip("\x00 ")
