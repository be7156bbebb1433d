"""What a file is, by what it holds; its name and its declared type are only compared with that.

Owns the signatures of file formats and which names go with them. Refuses to read further than it must to tell.
"""

import re
from enum import Enum, auto
from typing import Final

from gateway.extract.attachments.zipped import is_zip


class Kind(Enum):
    """The formats that are told apart."""

    ZIP = auto()
    PDF = auto()
    RTF = auto()
    COMPOUND = auto()
    """OLE: Word, Excel and PowerPoint before 2007, Outlook messages, encrypted Office files."""
    TNEF = auto()
    PICTURE = auto()
    GZIP = auto()
    BZIP2 = auto()
    XZ = auto()
    TAR = auto()
    ARCHIVE = auto()
    MEDIA = auto()
    PROGRAM = auto()
    CIPHERTEXT = auto()
    SIGNED = auto()
    """CMS signed data with the content inside (RFC 8551, "opaque")."""
    SIGNATURE = auto()
    MAIL = auto()
    CALENDAR = auto()
    CARD = auto()
    HTML = auto()
    XML = auto()
    TEXT = auto()
    EMPTY = auto()
    UNKNOWN = auto()


_SIGNATURES: Final = (
    (b"PK\x03\x04", Kind.ZIP), (b"PK\x05\x06", Kind.ZIP), (b"PK00PK\x03\x04", Kind.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.COMPOUND), (b"\x78\x9f\x3e\x22", Kind.TNEF),
    (b"\x89PNG\r\n\x1a\n", Kind.PICTURE), (b"GIF8", Kind.PICTURE), (b"\xff\xd8\xff", Kind.PICTURE),
    (b"BM", Kind.PICTURE), (b"II*\x00", Kind.PICTURE), (b"MM\x00*", Kind.PICTURE),
    (b"\x01\x00\x00\x00", Kind.PICTURE), (b"\xd7\xcd\xc6\x9a", Kind.PICTURE), (b"\x00\x00\x01\x00", Kind.PICTURE),
    (b"\xff\x0a", Kind.PICTURE), (b"8BPS", Kind.PICTURE), (b"\xc5\xd0\xd3\xc6", Kind.PICTURE),
    (b"%!PS", Kind.PICTURE), (b"\x1f\x8b\x08", Kind.GZIP), (b"BZh", Kind.BZIP2), (b"\xfd7zXZ\x00", Kind.XZ),
    (b"Rar!\x1a\x07", Kind.ARCHIVE), (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE), (b"MSCF", Kind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE), (b"ISc(", Kind.ARCHIVE), (b"xar!", Kind.ARCHIVE), (b"\x60\xea", Kind.ARCHIVE),
    (b"\x1f\x9d", Kind.ARCHIVE), (b"ID3", Kind.MEDIA), (b"OggS", Kind.MEDIA), (b"fLaC", Kind.MEDIA),
    (b"#!AMR", Kind.MEDIA), (b"\x1aE\xdf\xa3", Kind.MEDIA), (b"\x00\x00\x01\xba", Kind.MEDIA),
    (b"\xff\xfb", Kind.MEDIA), (b"\xff\xf3", Kind.MEDIA), (b"\xff\xf1", Kind.MEDIA), (b"0&\xb2u\x8ef\xcf\x11", Kind.MEDIA),
    (b"MZ", Kind.PROGRAM), (b"\x7fELF", Kind.PROGRAM), (b"L\x00\x00\x00\x01\x14\x02\x00", Kind.PROGRAM),
    (b"\xca\xfe\xba\xbe", Kind.PROGRAM),
)  # fmt: skip
_TEXT_MARKS: Final = (
    (b"BEGIN:VCALENDAR", Kind.CALENDAR), (b"BEGIN:VCARD", Kind.CARD),
    (b"-----BEGIN PGP MESSAGE", Kind.CIPHERTEXT), (b"-----BEGIN PGP SIGNATURE", Kind.SIGNATURE),
)  # fmt: skip
_HEIF: Final = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"heim", b"heis", b"hevc"})
_MARKUP: Final = re.compile(
    rb"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|div|p|table|span|a\s|h[1-6]|script|style)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML_START: Final = re.compile(rb"\s*<(?:\?xml|svg|office:document)\b", re.IGNORECASE)
_HEADER: Final = re.compile(
    rb"(?:From |Return-Path:|Received:|Delivered-To:|MIME-Version:|Message-ID:|X-[\w-]{1,60}:|From:|To:|Date:|Subject:)",
    re.IGNORECASE,
)
_MAIL_FIELDS: Final = re.compile(
    rb"^(?:from|to|date|subject|mime-version|content-type|received|message-id)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_PKCS7: Final = re.compile(
    rb"\A[\x30]..{0,8}?\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01(?:\x07([\x02\x03])|\x09\x10\x01)", re.DOTALL
)
_OPENPGP: Final = (b"\x84", b"\x85", b"\xc1", b"\xd2")
"""First octets of a session key or encrypted data in OpenPGP (RFC 9580 section 4.2)."""
_SAMPLE: Final = 4096
_PDF_WITHIN: Final = 1024
"""Acrobat accepts a PDF whose mark stands anywhere in the first 1,024 octets (ISO 32000-1, annex H)."""

_OFFICE = ".docx .docm .dotx .dotm .xlsx .xlsm .xltx .xltm .xlam .xlsb .pptx .pptm .ppsx .ppsm .potx .potm .ppam .vsdx .odt .ods .odp .odg .odf .ott .ots .otp"
_TEXTS = ".txt .csv .tsv .log .md .text .asc .json .ini .yaml .yml .xml .htm .html .xhtml .mht .mhtml .eml .ics .vcs .vcf .ifb .svg .css .js .kml .gpx .rtx .srt .url"
_NAMES: Final[dict[Kind, frozenset[str]]] = {
    Kind.ZIP: frozenset(f"{_OFFICE} .zip .zipx .jar .pages .numbers .key .epub .kmz .apk .doc .xls .ppt .oxps .xps".split()),
    Kind.PDF: frozenset({".pdf", ".ai"}),
    Kind.RTF: frozenset({".rtf", ".doc", ".docx", ".wri"}),
    Kind.COMPOUND: frozenset(f"{_OFFICE} .doc .dot .xls .xlt .ppt .pps .pot .msg .oft .vsd .pub .mpp .wps .db .xlm".split()),
    Kind.TNEF: frozenset({".dat", ".tnef"}),
    Kind.PICTURE: frozenset(
        [".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif", ".ico", ".cur", ".emf", ".wmf", ".psd", ".eps", ".ps", ".jxl", ".emz", ".svg"]
    ),
    Kind.GZIP: frozenset({".gz", ".tgz", ".emz", ".svgz"}),
    Kind.BZIP2: frozenset({".bz2", ".tbz", ".tbz2"}),
    Kind.XZ: frozenset({".xz", ".txz"}),
    Kind.TAR: frozenset({".tar"}),
    Kind.MAIL: frozenset({".eml", ".mht", ".mhtml", ".txt", ".msg"}),
    Kind.CALENDAR: frozenset({".ics", ".vcs", ".ifb", ".txt"}),
    Kind.CARD: frozenset({".vcf", ".txt"}),
    Kind.HTML: frozenset({".htm", ".html", ".xhtml", ".mht", ".txt", ".doc", ".xls"}),
    Kind.XML: frozenset([".xml", ".svg", ".fodt", ".fods", ".fodp", ".kml", ".gpx", ".xhtml", ".html", ".htm", ".doc", ".xls", ".txt", ".rels"]),
    Kind.TEXT: frozenset(_TEXTS.split()),
}  # fmt: skip
"""Names that go with a kind. Word opens RTF, HTML and zip packages that are named .doc, so that those agree."""
_KNOWN_NAMES: Final = frozenset[str]().union(*_NAMES.values())
_FAMILIES: Final = {
    "image/": Kind.PICTURE,
    "application/pdf": Kind.PDF,
    "audio/": Kind.MEDIA,
    "video/": Kind.MEDIA,
}


def kind_of(data: bytes) -> Kind:
    """Return the format of ``data`` by its content. Total."""
    if not data.strip():
        return Kind.EMPTY
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return Kind.PDF
    if data.lstrip()[:5].lower() == b"{\\rtf":
        return Kind.RTF
    signature = next(((start, kind) for start, kind in _SIGNATURES if data.startswith(start)), None)
    if signature is not None and not (signature[0].isascii() and _is_text(data)):
        return signature[1]
    return _container(data) or _textual(data) or Kind.UNKNOWN


def _container(data: bytes) -> Kind | None:
    """Return the format of a file that says so further in."""
    head = data[:16]
    cms = _PKCS7.match(data[:64])
    held: Kind | None = None
    if head.startswith(b"RIFF"):
        held = Kind.PICTURE if head[8:12] == b"WEBP" else Kind.MEDIA
    elif head[4:8] == b"ftyp":
        held = Kind.PICTURE if head[8:12] in _HEIF else Kind.MEDIA
    elif data[257:262] == b"ustar":
        held = Kind.TAR
    elif data[32_769:32_774] == b"CD001":
        held = Kind.ARCHIVE
    elif cms:
        held = Kind.SIGNED if cms[1] == b"\x02" else Kind.CIPHERTEXT
    elif not _is_text(data):
        if head[:1] in _OPENPGP:
            held = Kind.CIPHERTEXT
        elif is_zip(data):
            held = Kind.ZIP
    return held


def _textual(data: bytes) -> Kind | None:
    if not _is_text(data):
        return None
    head = data[:_SAMPLE].removeprefix(b"\xef\xbb\xbf")
    plain = head.replace(b"\x00", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    start = plain.lstrip()[:32].upper()
    known = next((kind for mark, kind in _TEXT_MARKS if start.startswith(mark)), None)
    if known is not None:
        return known
    if _MARKUP.match(plain) or (_XML_START.match(plain) and re.search(rb"<html\b", plain, re.IGNORECASE)):
        return Kind.HTML
    if _XML_START.match(plain):
        return Kind.XML
    is_mail = _HEADER.match(plain) and len(_MAIL_FIELDS.findall(plain)) > 1 and _is_header_block(plain)
    return Kind.MAIL if is_mail else Kind.TEXT


def _is_header_block(head: bytes) -> bool:
    """Return whether the lines up to the first blank one are header fields."""
    block = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    lines = block.splitlines()
    return all(re.match(rb"[!-9;-~]{1,80}[ \t]*:|[ \t]|From ", line) for line in lines[:20])


def _is_text(data: bytes) -> bool:
    """Return whether ``data`` looks like text: UTF-16 with a mark or its zeros, or few control characters."""
    sample = data[:_SAMPLE]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    zeros = sample.count(0)
    if zeros:
        return _is_wide(sample)
    controls = len(sample.translate(None, bytes(range(32, 256)) + b"\t\n\r\f\x08\x1b"))
    if controls * 50 > len(sample):
        return False
    high = len(sample.translate(None, bytes(range(128))))
    if high * 3 <= len(sample):
        return True
    try:
        sample[: len(sample) - 4 if len(sample) == _SAMPLE else None].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 8
    return True


def _is_wide(sample: bytes) -> bool:
    """Return whether ``sample`` is UTF-16 without a mark: one octet of each pair is mostly zero, the other text."""
    if len(sample) < 4 or (len(sample) % 2 and len(sample) < _SAMPLE):
        return False
    for first in (0, 1):
        letters, zeros = sample[first::2], sample[1 - first :: 2]
        if zeros.count(0) * 10 > len(zeros) * 7 and not letters.count(0):
            return len(letters.translate(None, bytes(range(32, 256)) + b"\t\n\r")) == 0
    return False


def opens_as_text(name: str) -> bool:
    """Return whether a program that shows text opens a file of this name."""
    return name.strip().lower().endswith(tuple(_NAMES[Kind.TEXT]))


def is_named_mail(name: str, media: str) -> bool:
    """Return whether a mail program opens the file: by its name, or, where it has none, by its type."""
    return name.strip().lower().endswith((".eml", ".mht", ".mhtml", ".msg")) or media.startswith("message/")


def disagreement(kind: Kind, name: str, media: str) -> str:
    """Return what speaks against ``kind`` in the name or the declared type of the file, or nothing.

    Whoever gets the file opens it by its name; a gateway that went by the name would read something else.
    """
    ending = re.search(r"\.\w{1,8}$", name.strip().lower())
    if ending and ending[0] in _KNOWN_NAMES and kind in _NAMES and ending[0] not in _NAMES[kind]:
        return f"it is named {ending[0]}, but is {DESCRIPTIONS[kind]}"
    declared = next((family for start, family in _FAMILIES.items() if media.startswith(start)), None)
    if declared is not None and kind in _NAMES and kind is not declared and not _is_drawing(kind, media):
        return f"it is declared as {media[:60]}, but is {DESCRIPTIONS[kind]}"
    return ""


def _is_drawing(kind: Kind, media: str) -> bool:
    return kind in {Kind.XML, Kind.GZIP} and media.startswith(("image/svg", "image/x-emf", "image/x-wmf"))


DESCRIPTIONS: Final = {
    Kind.ZIP: "a zip or Office file", Kind.PDF: "a PDF file", Kind.RTF: "an RTF file",
    Kind.COMPOUND: "an old Office or Outlook file", Kind.TNEF: "winmail.dat", Kind.PICTURE: "a picture",
    Kind.GZIP: "a gzip file", Kind.BZIP2: "a bzip2 file", Kind.XZ: "an xz file", Kind.TAR: "a tar archive",
    Kind.ARCHIVE: "an archive", Kind.MEDIA: "sound or video", Kind.PROGRAM: "a program", Kind.CIPHERTEXT: "encrypted",
    Kind.SIGNED: "a signed file", Kind.SIGNATURE: "a signature", Kind.MAIL: "a mail", Kind.CALENDAR: "a calendar",
    Kind.CARD: "a visiting card", Kind.HTML: "a web page", Kind.XML: "XML", Kind.TEXT: "text", Kind.EMPTY: "empty",
    Kind.UNKNOWN: "unknown",
}  # fmt: skip
