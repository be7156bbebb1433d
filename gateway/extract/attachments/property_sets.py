"""The properties of an old Office file (MS-OLEPS): title, author, subject, keywords, comments.

Owns the form of a property set as far as it holds texts. Used by `storages`.
"""

import struct
from typing import Final

from gateway.extract.attachments.contents import Collector

_NARROW, _WIDE = 0x1E, 0x1F
_NAMES: Final = {
    2: "title", 3: "subject", 4: "author", 5: "keywords", 6: "comments", 7: "template", 8: "last author",
    14: "manager", 15: "company",
}  # fmt: skip
_CODE_PAGE: Final = 1
_MAX_PROPERTIES: Final = 1_000


def read(data: bytes, path: str, found: Collector) -> None:
    """Say the texts of a property set stream. What lies beyond its end is left."""
    (sections,) = struct.unpack_from("<I", data, 24)
    for section in range(min(sections, 2)):
        (start,) = struct.unpack_from("<I", data, 28 + 20 * section + 16)
        (count,) = struct.unpack_from("<I", data, start + 4)
        places = [
            struct.unpack_from("<2I", data, start + 8 + 8 * index)
            for index in range(min(count, _MAX_PROPERTIES))
            if start + 16 + 8 * index <= len(data)
        ]
        page = _code_page(data, start, places)
        for number, offset in places:
            found.step()
            name = _NAMES.get(number, "") if section == 0 else f"property {number}"
            text = _text(data, start + offset, page)
            if text and name:
                found.say(f"{path}:{name}", text, hidden=True)


def _code_page(data: bytes, start: int, places: list[tuple[int, ...]]) -> str:
    for number, offset in places:
        if number == _CODE_PAGE and start + offset + 6 <= len(data):
            (page,) = struct.unpack_from("<H", data, start + offset + 4)
            return {65001: "utf-8", 1200: "utf-16-le", 10000: "mac_roman"}.get(page, "cp1252")
    return "cp1252"


def _text(data: bytes, place: int, page: str) -> str:
    if place + 8 > len(data):
        return ""
    kind, length = struct.unpack_from("<2I", data, place)
    if kind == _NARROW:
        return data[place + 8 : place + 8 + length].decode(page, "replace").rstrip("\x00")
    if kind == _WIDE:
        return data[place + 8 : place + 8 + 2 * length].decode("utf-16-le", "replace").rstrip("\x00")
    return ""
