"""Files that carry a sentence, built by hand as small as their formats allow."""

import gzip
import io
import struct
import zipfile
import zlib
from xml.sax.saxutils import escape

_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def zipped(members: dict[str, str | bytes]) -> bytes:
    """Return an archive of ``members``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def locked(members: dict[str, str | bytes]) -> bytes:
    """Return an archive that says its members need a password."""
    data = bytearray(zipped(members))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def docx(body: str, more: dict[str, str] | None = None) -> bytes:
    """Return a Word document with ``body`` inside its body element, and ``more`` members."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    document = f"<w:document {_WORD}><w:body>{body}</w:body></w:document>"
    return zipped(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": relations,
            "word/document.xml": document,
            **(more or {}),
        }
    )


def runs(words: str, properties: str = "") -> str:
    """Return a paragraph of Word with each letter in a run of its own."""
    made = "".join(f'<w:r>{properties}<w:t xml:space="preserve">{escape(char)}</w:t></w:r>' for char in words)
    return f"<w:p>{made}</w:p>"


def comments(words: str) -> dict[str, str]:
    """Return the member that holds a comment of Word."""
    return {
        "word/comments.xml": f'<w:comments {_WORD}><w:comment w:id="1">{runs(words)}</w:comment></w:comments>'
    }


def properties(words: str) -> dict[str, str]:
    """Return the member that holds the title of a document."""
    space = 'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return {
        "docProps/core.xml": f"<cp:coreProperties {space}><dc:title>{escape(words)}</dc:title></cp:coreProperties>"
    }


def odt(words: str) -> bytes:
    """Return an OpenDocument text."""
    text, office = (
        "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    )
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:text="{text}"><office:body><office:text>'
        f"<text:p>{escape(words)}</text:p></office:text></office:body></office:document-content>"
    )
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def rtf(words: str) -> bytes:
    """Return rich text with every letter as a hexadecimal escape."""
    return b"{\\rtf1\\ansi " + "".join(f"\\'{ord(char):02x}" for char in words).encode() + b"\\par}"


def pdf(words: str) -> bytes:
    """Return a page with ``words`` on it, its text compressed."""
    shown = words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    stream = zlib.compress(f"BT /F1 12 Tf 72 720 Td ({shown}) Tj ET".encode())
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table)


def png(words: str) -> bytes:
    """Return a picture large enough for text, with ``words`` in its comment."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xff" * 600) * 400
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 600, 400, 8, 0, 0, 0, 0))
        + chunk(b"tEXt", b"Comment\0" + words.encode())
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def gzipped(words: str) -> bytes:
    """Return a compressed text."""
    return gzip.compress(words.encode())


def calendar(words: str) -> bytes:
    """Return an invitation, its description folded inside words."""
    folded = "\r\n ".join(words[at : at + 7] for at in range(0, len(words), 7))
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@force.example\r\n"
        f"SUMMARY:Your statement\r\nDESCRIPTION:{folded}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def card(words: str) -> bytes:
    """Return a visiting card with a note."""
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Amir Khan\r\nNOTE:{words}\r\nEND:VCARD\r\n".encode()
