"""Small files of every kind that people attach, each well made, then damaged from the inside.

A zip-based file is damaged in its members before it is packed, so that the damage gets past the checksum.
"""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from random import Random

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>{0}</Types>'
_RELATIONS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{0}" Target="{1}"/></Relationships>'
_CORE = '<?xml version="1.0"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{0}</dc:title><dc:creator>Amir</dc:creator></cp:coreProperties>'


def calendar(dice: Random, summary: str, description: str) -> str:
    """Return an invitation."""
    fold = dice.choice(("", "\r\n "))
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
        f"SUMMARY;LANGUAGE=en:{summary}\r\nDESCRIPTION:{fold}{description}\\n{summary}\r\nLOCATION:{summary}\r\n"
        "ATTENDEE;CN=Nadia:mailto:nadia@home.example\r\nBEGIN:VALARM\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def made(dice: Random, text: str) -> tuple[str, str, bytes]:
    """Return name, media type and octets of a file that says ``text``; one in two is damaged."""
    kind = dice.choice(tuple(_KINDS))
    media, maker = _KINDS[kind]
    octets = maker(dice, text)
    if dice.randrange(3) == 0:
        octets = damaged(dice, octets)
    return f"file.{kind}", media, octets


def damaged(dice: Random, octets: bytes) -> bytes:
    """Return ``octets`` with one to three small wounds."""
    data = bytearray(octets)
    for _ in range(dice.randrange(3) + 1):
        if not data:
            break
        at, roll = dice.randrange(len(data)), dice.randrange(6)
        if roll == 0:
            data[at] = dice.randrange(256)
        elif roll == 1:
            del data[at:]
        elif roll == 2:
            del data[at : at + dice.randrange(64)]
        elif roll == 3:
            data[at:at] = data[at : at + dice.randrange(256)] * dice.choice((1, 1, 1, 20))
        elif roll == 4:
            data[at : at + 4] = dice.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x01\0\0\0")
            )
        else:
            data[at:at] = dice.choice((b"<", b">", b"&", b"\0", b"{", b"}", b"\\", b"(", b")", b"obj", b"%s"))
    return bytes(data)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\0", "")


def _packed(dice: Random, members: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            octets = content.encode("utf-8", "replace") if isinstance(content, str) else content
            if dice.randrange(8) == 0:
                octets = damaged(dice, octets)
            if dice.randrange(40) == 0:
                continue
            how = (
                zipfile.ZIP_DEFLATED
                if dice.randrange(4)
                else dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
            )
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 3, 10, 14, 0)), octets, compress_type=how)
    return file.getvalue()


def _docx(dice: Random, text: str) -> bytes:
    said = _escaped(text)
    runs = (
        f"<w:p><w:r><w:t>{said}</w:t></w:r></w:p>",
        f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{said}</w:t></w:r></w:p>",
        f'<w:p><w:del w:id="1"><w:r><w:delText>{said}</w:delText></w:r></w:del><w:ins w:id="2"><w:r><w:t>{said}</w:t></w:r></w:ins></w:p>',
        f"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>{said}</w:t><w:tab/><w:br/></w:r></w:p></w:tc></w:tr></w:tbl>",
        f'<w:p><w:hyperlink r:id="rId9"><w:r><w:t>{said}</w:t></w:r></w:hyperlink><w:r><w:instrText>HYPERLINK "x"</w:instrText></w:r></w:p>',
        "<w:p>" * 300,
        f'<!DOCTYPE x [<!ENTITY a "{said}">]><w:p><w:r><w:t>&a;</w:t></w:r></w:p>',
    )
    body = "".join(dice.choices(runs, weights=(8, 2, 2, 2, 2, 1, 1), k=dice.randrange(4) + 1))
    word = f'<?xml version="1.0"?><w:document xmlns:w="{_W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body>{body}</w:body></w:document>'
    notes = f'<?xml version="1.0"?><w:comments xmlns:w="{_W}"><w:comment w:id="0" w:author="Amir"><w:p><w:r><w:t>{said}</w:t></w:r></w:p></w:comment></w:comments>'
    return _packed(dice, {"[Content_Types].xml": _TYPES.format('<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'),
        "_rels/.rels": _RELATIONS.format("officeDocument", "word/document.xml"), "word/document.xml": word, "word/comments.xml": notes, "docProps/core.xml": _CORE.format(said)})  # fmt: skip


def _xlsx(dice: Random, text: str) -> bytes:
    said = _escaped(text)
    sheet = f'<?xml version="1.0"?><worksheet xmlns="{_S}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>{dice.choice((0, 1, 99999999999))}</v></c><c r="C1" t="inlineStr"><is><t>{said}</t></is></c><c><f>"x"&amp;"y"</f><v>3</v></c></row></sheetData></worksheet>'
    book = f'<?xml version="1.0"?><workbook xmlns="{_S}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="{said[:20]}" sheetId="1" state="hidden" r:id="rId1"/></sheets></workbook>'
    return _packed(dice, {"[Content_Types].xml": _TYPES.format('<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'),
        "_rels/.rels": _RELATIONS.format("officeDocument", "xl/workbook.xml"), "xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": _RELATIONS.format("worksheet", "worksheets/sheet1.xml"),
        "xl/sharedStrings.xml": f'<?xml version="1.0"?><sst xmlns="{_S}"><si><t>{said}</t></si></sst>', "xl/worksheets/sheet1.xml": sheet})  # fmt: skip


def _pptx(dice: Random, text: str) -> bytes:
    slide = f'<?xml version="1.0"?><p:sld xmlns:p="{_P}" xmlns:a="{_A}"><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>{_escaped(text)}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>'
    return _packed(dice, {"[Content_Types].xml": _TYPES.format(""), "_rels/.rels": _RELATIONS.format("officeDocument", "ppt/presentation.xml"),
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{_P}"/>', "ppt/slides/slide1.xml": slide, "ppt/notesSlides/notesSlide1.xml": slide})  # fmt: skip


def _odt(dice: Random, text: str) -> bytes:
    said = _escaped(text)
    namespaces = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    content = f'<?xml version="1.0"?><office:document-content {namespaces}><office:body><office:text><text:p>{said}<text:s text:c="{dice.choice((1, 2000000000))}"/><text:line-break/></text:p><office:annotation><text:p>{said}</text:p></office:annotation></office:text></office:body></office:document-content>'
    return _packed(
        dice,
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
            "meta.xml": f"<x>{said}</x>",
        },
    )


def _pdf(dice: Random, text: str) -> bytes:
    said = text.encode("latin-1", "replace").replace(b"(", b"").replace(b")", b"").replace(b"\\", b"")
    stream = b"BT /F1 12 Tf 72 720 Td (" + said + b") Tj ET"
    how = b""
    if dice.randrange(2):
        stream, how = zlib.compress(stream), b"/Filter /FlateDecode "
    if dice.randrange(12) == 0:
        stream, how = zlib.compress(zlib.compress(b"x" * 300_000)), b"/Filter [/FlateDecode /FlateDecode] "
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids ["
        + dice.choice((b"3 0 R", b"3 0 R", b"3 0 R", b"2 0 R", b"3 0 R 3 0 R"))
        + b"] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< " + how + b"/Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (" + said + b") >>",
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % place for place in places
    )
    encrypt = b" /Encrypt 6 0 R" if dice.randrange(20) == 0 else b""
    out += (
        b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R" % (len(objects) + 1)
        + encrypt
        + b" >>\nstartxref\n%d\n%%%%EOF\n" % table
    )
    return bytes(out)


def _rtf(dice: Random, text: str) -> bytes:
    said = text.encode("latin-1", "replace").replace(b"\\", b"").replace(b"{", b"").replace(b"}", b"")
    words = (b"\\par ", b"{\\b " + said + b"}", b"\\u100?\\u-10179?", b"{\\v hidden}", b"\\'e9", b"\\bin4 \0\0\0\0", b"{\\*\\generator x;}", b"{\\info{\\title " + said + b"}}",
        b"{" * 50, b'{\\field{\\*\\fldinst HYPERLINK "x"}{\\fldrslt ' + said + b"}}", b"\\ucN\\u99999999999?", b"{\\object{\\*\\objdata 0105}}", b"\\bin99999999 ")  # fmt: skip
    return (
        b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}"
        + said
        + b"".join(dice.choices(words, k=dice.randrange(6)))
        + b"}"
    )


def _vcf(_: Random, text: str) -> bytes:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{text}\r\nNOTE;ENCODING=QUOTED-PRINTABLE:=64rink\r\nEND:VCARD\r\n".encode(
        "utf-8", "replace"
    )


def _eml(_: Random, text: str) -> bytes:
    return f"From: nadia@home.example\r\nSubject: {text}\r\n\r\n{text}\r\n".encode("utf-8", "replace")


def _tnef(dice: Random, text: str) -> bytes:
    out = struct.pack("<IH", 0x223E9F78, 1)
    said = text.encode("latin-1", "replace") + b"\0"
    for level, tag, data in (
        (1, 0x00089006, b"\0\0\1\0"),
        (1, 0x00018004, said),
        (1, 0x0002800C, said),
        (2, 0x00069002, b"\0" * 14),
        (2, 0x00018010, b"a.txt\0"),
        (2, 0x0006800F, said),
    ):
        length = len(data) if dice.randrange(10) else dice.choice((0, 0xFFFFFFFF, 0x7FFFFFFF, len(data) + 1))
        out += struct.pack("<BII", level, tag, length) + data + struct.pack("<H", sum(data) & 0xFFFF)
    return out


def _ole(dice: Random, text: str) -> bytes:
    """Return a compound file of one sector of FAT and one of directory: enough for its readers to walk."""
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\0" * 6
    )
    header += (
        struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, dice.choice((0xFFFFFFFE, 0)), 0, 0xFFFFFFFE, 0)
        + struct.pack("<I", 0)
        + b"\xff" * 432
    )
    chain = dice.choice(((0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE), (0xFFFFFFFD, 1, 2), (0xFFFFFFFD, 2, 1)))
    fat = struct.pack("<III", *chain) + b"\xff" * 500
    name = dice.choice(
        ("WordDocument", "__substg1.0_1000001F", "EncryptedPackage", "Workbook", "__properties_version1.0")
    )
    entries = b""
    for title, kind, child, start, size in (
        ("Root Entry", 5, 1, 2, 512),
        (name, 2, 0xFFFFFFFF, 0, len(text)),
        ("x", 1, dice.choice((0, 0xFFFFFFFF)), 0, 0),
    ):
        wide = (title + "\0").encode("utf-16le")
        entries += wide.ljust(64, b"\0") + struct.pack("<HBB", len(wide), kind, 1) + struct.pack("<III", dice.choice((0xFFFFFFFF, 0xFFFFFFFF, 1)), 0xFFFFFFFF, child) + b"\0" * 36 + struct.pack("<IQ", start, size)  # fmt: skip
    return (
        header + fat + entries.ljust(512, b"\0") + text.encode("utf-16le", "replace").ljust(512, b"\0")[:4096]
    )


def _zip(dice: Random, text: str) -> bytes:
    inner = _eml(dice, text)
    for _ in range(dice.choice((0, 0, 0, 1, 2, 12))):
        inner = _packed(dice, {"inner.zip": inner, "../x.txt": text})
    octets = bytearray(
        _packed(dice, {"letter.txt": text, "letter.eml": inner, f"{text[:20]}.docx": _docx(dice, text)})
    )
    if dice.randrange(10) == 0 and len(octets) > 8:
        octets[6] |= 1  # "encrypted", says the local header
    if dice.randrange(20) == 0:
        return _packed(dice, {"zeros": b"\0" * 3_000_000})
    return bytes(octets)


def _gz(_: Random, text: str) -> bytes:
    return gzip.compress(text.encode("utf-8", "replace"), mtime=0)


def _tar(_: Random, text: str) -> bytes:
    file = io.BytesIO()
    octets = text.encode("utf-8", "replace")
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("letter.txt")
        member.size = len(octets)
        archive.addfile(member, io.BytesIO(octets))
    return file.getvalue()


def _png(dice: Random, text: str) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    wide, high = dice.choice(((1, 1), (2, 2), (0, 0), (0x7FFFFFFF, 0x7FFFFFFF)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)) + chunk(b"tEXt", b"Comment\0" + text.encode("latin-1", "replace")) + chunk(b"IDAT", zlib.compress(b"\0" * 6)) + chunk(b"IEND", b"")  # fmt: skip


def _jpg(_: Random, text: str) -> bytes:
    said = text.encode("latin-1", "replace")
    return (
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xfe"
        + struct.pack(">H", len(said) + 2)
        + said
        + b"\xff\xd9"
    )


def _svg(_: Random, text: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg"><text>{_escaped(text)}</text></svg>'.encode(
        "utf-8", "replace"
    )


def _csv(_: Random, text: str) -> bytes:
    return f'a,b\r\n"{text}",{text}\r\n'.encode("utf-8", "replace")


def _html(_: Random, text: str) -> bytes:
    return f"<p>{_escaped(text)}<p hidden>{_escaped(text)}".encode("utf-8", "replace")


def _noise(dice: Random, _: str) -> bytes:
    start = dice.choice(
        (
            b"",
            b"7z\xbc\xaf\x27\x1c",
            b"Rar!\x1a\x07\0",
            b"MZ",
            b"\x1f\x8b\x08",
            b"BZh9",
            b"\xfd7zXZ\0",
            b"PK\x05\x06",
            b"%!PS",
        )
    )
    return start + dice.randbytes(dice.randrange(300))


_OFFICE = "application/vnd.openxmlformats-officedocument."
_KINDS: dict[str, tuple[str, Callable[[Random, str], bytes]]] = {
    "docx": (_OFFICE + "wordprocessingml.document", _docx),
    "xlsx": (_OFFICE + "spreadsheetml.sheet", _xlsx),
    "pptx": (_OFFICE + "presentationml.presentation", _pptx),
    "odt": ("application/vnd.oasis.opendocument.text", _odt),
    "pdf": ("application/pdf", _pdf),
    "rtf": ("application/rtf", _rtf),
    "ics": ("text/calendar", lambda dice, text: calendar(dice, text, text).encode("utf-8", "replace")),
    "vcf": ("text/vcard", _vcf),
    "eml": ("message/rfc822", _eml),
    "dat": ("application/ms-tnef", _tnef),
    "doc": ("application/msword", _ole),
    "msg": ("application/vnd.ms-outlook", _ole),
    "zip": ("application/zip", _zip),
    "gz": ("application/gzip", _gz),
    "tar": ("application/x-tar", _tar),
    "png": ("image/png", _png),
    "jpg": ("image/jpeg", _jpg),
    "svg": ("image/svg+xml", _svg),
    "csv": ("text/csv", _csv),
    "html": ("text/html", _html),
    "bin": ("application/octet-stream", _noise),
}
