"""A mail as Outlook keeps it: MAPI properties to a message in the form of RFC 5322, which `reading` reads like any.

Owns the property numbers of MS-OXPROPS that matter, and compressed RTF (MS-OXRTFCP). Refuses to know where the
properties were stored: `outlook` finds them in .msg files, `tnef` in winmail.dat.

The message is made up only to be read here: every part is in base64, so that nothing in a text can end its part.
"""

import binascii
import struct
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from gateway.extract.attachments import rtf
from gateway.extract.attachments.contents import Collector, DamagedError

SUBJECT, SENDER_NAME, SENDER, SENDER_SMTP, SENT_BY_SMTP = 0x0037, 0x0C1A, 0x0C1F, 0x5D01, 0x5D02
TO, CC, BODY, RTF, HTML, CODE_PAGE, FLAGS = 0x0E04, 0x0E03, 0x1000, 0x1009, 0x1013, 0x3FDE, 0x0E07
IN_REPLY_TO, REFERENCES = 0x1042, 0x1039
NAME, LONG_NAME, SHORT_NAME, DATA, MIME_TYPE = 0x3001, 0x3707, 0x3704, 0x3701, 0x370E
MESSAGE_CLASS: Final = 0x001A
_UNSENT: Final = 0x8
_PAGES: Final = {
    65001: "utf-8", 28591: "iso-8859-1", 20127: "us-ascii", 1200: "utf-16-le", 932: "shift_jis", 936: "gbk",
    949: "euc-kr", 950: "big5", 28592: "iso-8859-2", 28605: "iso-8859-15",
}  # fmt: skip
_LZFU, _MELA = 0x75465A4C, 0x414C454D
_RING: Final = 4096
_DICTIONARY: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSym"
    rb"bolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds before the first octet (MS-OXRTFCP 2.1.2.1)."""


@dataclass(slots=True)
class Properties:
    """The properties of a message or an attachment, by number."""

    texts: dict[int, str] = field(default_factory=dict)
    binaries: dict[int, bytes] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)

    def text(self, *numbers: int) -> str:
        """Return the first of these properties that says something."""
        return next((self.texts[number] for number in numbers if self.texts.get(number)), "").rstrip("\x00")

    @property
    def unsent(self) -> bool:
        """True for a draft or a template: whoever passes it on wrote it."""
        return bool(self.numbers.get(FLAGS, 0) & _UNSENT)

    @property
    def charset(self) -> str:
        """Name of the charset of narrow text and HTML."""
        page = self.numbers.get(CODE_PAGE, 0)
        return _PAGES.get(page, f"windows-{page}" if 1250 <= page <= 1258 else "windows-1252")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a mail, or a mail in it."""

    name: str
    data: bytes
    is_mail: bool = False


def composed(properties: Properties, attached: list[Attached], found: Collector) -> bytes:
    """Return the message that ``properties`` describe; raises `TooMuchError` past the limits of ``found``."""
    address = properties.text(SENDER_SMTP, SENT_BY_SMTP, SENDER)
    name = properties.text(SENDER_NAME)
    fields = [
        ("From", f"{name} <{address}>" if "@" in address else name),
        ("To", properties.text(TO)),
        ("Cc", properties.text(CC)),
        ("Subject", properties.text(SUBJECT)),
        ("In-Reply-To", properties.text(IN_REPLY_TO)),
        ("References", properties.text(REFERENCES)),
    ]
    head = "".join(f"{field}: {_line(value)}\r\n" for field, value in fields if value)
    bodies = _bodies(properties, found)
    texts = bodies[0] if len(bodies) == 1 else _multipart("alternative", bodies)
    files = [_file_part(each) for each in attached]
    whole = _multipart("mixed", [texts, *files]) if files else texts
    return head.encode("utf-8", "replace") + whole


def _line(value: str) -> str:
    return " ".join(value.split())[:4000]


def _bodies(properties: Properties, found: Collector) -> list[bytes]:
    """Return the forms in which the text is kept: plain, HTML, RTF. Programs differ in which they show."""
    parts = []
    if plain := properties.text(BODY):
        parts.append(_text_part("plain", plain.encode("utf-8", "replace"), "utf-8"))
    if html := properties.binaries.get(HTML):
        parts.append(_text_part("html", html, properties.charset))
    elif HTML in properties.texts:
        parts.append(_text_part("html", properties.text(HTML).encode("utf-8", "replace"), "utf-8"))
    if packed := properties.binaries.get(RTF):
        text, is_html = rtf.body(rtf_of(packed, found), found)
        parts.append(_text_part("html" if is_html else "plain", text.encode("utf-8", "replace"), "utf-8"))
    return parts or [_text_part("plain", b"", "utf-8")]


def _text_part(kind: str, text: bytes, charset: str) -> bytes:
    return b"Content-Type: text/%s; charset=%s\r\n%s" % (kind.encode(), charset.encode(), _encoded(text))


def _encoded(data: bytes) -> bytes:
    lines = (binascii.b2a_base64(data[start : start + 57]) for start in range(0, len(data), 57))
    return b"Content-Transfer-Encoding: base64\r\n\r\n" + b"".join(lines)


def _file_part(attached: Attached) -> bytes:
    name = quote(attached.name[:400].encode("utf-8", "replace"))
    kind = "message/rfc822" if attached.is_mail else "application/octet-stream"
    head = f"Content-Type: {kind}\r\nContent-Disposition: attachment; filename*=utf-8''{name}\r\n"
    return head.encode() + _encoded(attached.data)


def _multipart(kind: str, parts: list[bytes]) -> bytes:
    mark = f"={kind}=".encode()
    body = b"".join(b"--%s\r\n%s\r\n" % (mark, part) for part in parts)
    return b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n%s--%s--\r\n' % (
        kind.encode(),
        mark,
        body,
        mark,
    )


def rtf_of(packed: bytes, found: Collector) -> bytes:
    """Return compressed RTF unpacked (MS-OXRTFCP); raises `DamagedError` at an unknown form."""
    size, unpacked_size, form = struct.unpack_from("<3I", packed)
    if form == _MELA:
        return packed[16 : 16 + unpacked_size]
    if form != _LZFU:
        raise DamagedError("RTF packed in an unknown way")
    out = _unfolded(packed[16 : size + 4], unpacked_size, found)
    found.unpacked(len(out))
    return bytes(out)


def _unfolded(packed: bytes, most: int, found: Collector) -> bytearray:
    """Return the octets of an LZFu stream: each control octet says of eight tokens which refer to the window."""
    window = bytearray(_DICTIONARY.ljust(_RING, b" "))
    place, position, out = len(_DICTIONARY), 0, bytearray()
    while position < len(packed) and len(out) <= most:
        control = packed[position]
        position += 1
        found.step()
        for bit in range(8):
            refers = control >> bit & 1
            token = packed[position : position + 1 + refers]
            position += len(token)
            if len(token) <= refers:
                return out
            start, count = place, 1
            if refers:
                start, count = token[0] << 4 | token[1] >> 4, (token[1] & 0xF) + 2
                if start == place:
                    return out
            for step in range(count):
                octet = window[(start + step) % _RING] if refers else token[0]
                window[place] = octet
                place = (place + 1) % _RING
                out.append(octet)
    return out
