"""Small mails that would cost much, each with an advance in it, as SMTP may carry them: CRLF, lines under a million.

Whoever reads one of them whole finds the advance; whoever does not must say so. Either way it is held. None is over
three megabytes: a mail client sends any of them in a second.
"""

import base64
import io
import struct
import zipfile
import zlib
from functools import cache

ADVANCE = (
    "You looked amazingly hot on Monday. Would you fancy a drink with me one evening, just the two of us?"
)
_CALM = "The file is with the prosecutors. I will write again by Friday. "
_POLISH = "Sprawa została przekazana do sądu i otrzyma pani list w przyszłym tygodniu. "
_TURKISH = "Dosyanız savcılığa gönderildi ve önümüzdeki hafta size yazacağım. "
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _mail(head: str, body: bytes | str) -> bytes:
    octets = body.encode("utf-8") if isinstance(body, str) else body
    start = f"From: Amir Khan <amir.khan@force.example>\nTo: nadia@home.example\n{head}MIME-Version: 1.0\n"
    if "Content-Type:" not in head:
        start += "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
    return (start.encode() + b"\n" + octets).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"


def _text(piece: str, times: int, width: int = 900) -> bytes:
    """Return the advance, and below it ``piece`` over and over in lines of about ``width`` characters."""
    row = piece if "\n" in piece else piece * max(1, width // len(piece)) + "\n"
    return _mail("Subject: Your case\n", f"{ADVANCE}\n\n" + row * max(1, times * len(piece) // len(row)))


def _long(piece: str, times: int) -> bytes:
    """Return the advance, and below it ``piece`` over and over in one line."""
    return _mail("Subject: Your case\n", f"{ADVANCE}\n\n{piece * times}\n")


def _html(markup: str) -> bytes:
    said = f"<html><body><p>{ADVANCE}</p>{markup}</body></html>\n"
    rows = said.replace("><", ">\n<") if len(said) > 900_000 else said
    return _mail("Subject: Your case\nContent-Type: text/html; charset=utf-8\n", rows)


def _parts(*parts: bytes, kind: str = "mixed") -> bytes:
    rows = b"".join(b"--b\n" + part + b"\n" for part in parts)
    return _mail(f"Subject: Your case\nContent-Type: multipart/{kind}; boundary=b\n", rows + b"--b--\n")


def _own() -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\n\n" + ADVANCE.encode() + b"\n"


def _attached(name: str, octets: bytes, media: str = "application/octet-stream") -> bytes:
    head = f'Content-Type: {media}; name="{name}"\nContent-Disposition: attachment; filename="{name}"\nContent-Transfer-Encoding: base64\n\n'
    return _parts(_own(), head.encode() + base64.encodebytes(octets))


def _zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(
                zipfile.ZipInfo(name, (2026, 3, 3, 10, 14, 0)), content, compress_type=zipfile.ZIP_DEFLATED
            )
    return file.getvalue()


def _document(xml: str) -> bytes:
    return _zipped(
        {
            "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "word/document.xml": xml.encode(),
        }
    )


def _docx(xml: str) -> bytes:
    return _attached("letter.docx", _document(xml))


def _word(body: str, start: str = "") -> str:
    return f'<?xml version="1.0"?>{start}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'


def _nested_parts(levels: int) -> bytes:
    own = f"Content-Type: multipart/mixed; boundary=b0\n\n--b0\nContent-Type: text/plain\n\n{ADVANCE}\n--b0\n"
    rows = "".join(
        f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n" for level in range(1, levels)
    )
    return _mail(
        "Subject: Your case\nContent-Type: multipart/mixed; boundary=top\n", f"--top\n{own}{rows}\nhello\n"
    )


def _messages_in_base64(levels: int) -> bytes:
    raw = b"Subject: x\n\nhello\n"
    for _ in range(levels):
        raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(raw)
    return _parts(_own(), raw)


def _nested_zips(levels: int) -> bytes:
    raw = _zipped({f"{number}.txt": b"\0" * 4_000_000 for number in range(8)})
    for level in range(levels):
        raw = _zipped({f"{level}-{number}.zip": raw for number in range(8)})
    return raw


def _overlapping_zip(members: int) -> bytes:
    """Return a zip whose members all share the same octets (a better zip bomb, without its nesting)."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packed.compress(b"\0" * 20_000_000) + packed.flush()
    size, crc = 20_000_000, zlib.crc32(b"\0" * 20_000_000)
    local = (
        struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0x5C21, crc, len(data), size, 1, 0) + b"x" + data
    )
    entries = b"".join(struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0x5C21, crc, len(data), size, 5, 0, 0, 0, 0, 0, 0) + b"%05d" % number for number in range(members))  # fmt: skip
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, members, members, len(entries), len(local), 0)
    return local + entries + end


def _pdf(objects: list[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(
        out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    )


def _pdf_page(stream: bytes, filters: bytes) -> bytes:
    return _pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d %s >>\nstream\n" % (len(stream), filters) + stream + b"\nendstream", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ])  # fmt: skip


def _compound(chain: tuple[int, ...]) -> bytes:
    """Return an OLE file whose sectors follow ``chain``, round in a circle if that says so."""
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\0" * 6
    )
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 1, 9, 1, 9) + struct.pack("<I", 0) + b"\xff" * 432
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")
    wide = "Root Entry\0".encode("utf-16le")
    entry = (
        wide.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(wide), 5, 1, 0, 0, 0)
        + b"\0" * 36
        + struct.pack("<IQ", 1, 2**31)
    )
    return header + fat + (entry * 4)


def _tnef() -> bytes:
    rows = b"".join(struct.pack("<BII", 1, 0x0002800C, 0xFFFFFFFF) + b"x" * 20 for _ in range(20_000))
    return struct.pack("<IH", 0x223E9F78, 1) + rows


def _lols(kind: str) -> str:
    if kind == "laughs":
        rows = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12))
        return _word("<w:p><w:r><w:t>&a11;</w:t></w:r></w:p>", f'<!DOCTYPE x [<!ENTITY a0 "lol">{rows}]>')
    if kind == "quadratic":
        return _word(
            f"<w:p><w:r><w:t>{'&a;' * 50_000}</w:t></w:r></w:p>",
            f'<!DOCTYPE x [<!ENTITY a "{"x" * 50_000}">]>',
        )
    return _word(
        "<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    )


def _sheet() -> bytes:
    strings = f'<sst xmlns="{_S}">' + "<si><t>x</t></si>" * 1_000_000 + "</sst>"
    rows = "".join(f'<c t="s"><v>{number % 1000}</v></c>' for number in range(200_000))
    sheet = f'<worksheet xmlns="{_S}"><sheetData><row>{rows}</row></sheetData></worksheet>'
    return _zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>", "xl/sharedStrings.xml": strings.encode(), "xl/worksheets/sheet1.xml": sheet.encode()})  # fmt: skip


def _styles(rules: int, elements: int) -> str:
    sheet = "".join(f".a{number} .b{number} > p:not(.c){{display:none}}" for number in range(rules))
    return f"<style>{sheet}</style>" + "".join(
        f'<p class="a{number % 97} b{number % 89}">x</p>' for number in range(elements)
    )


def _subject(words: str) -> bytes:
    return _mail(f"Subject: {ADVANCE}\n {words}\n", ADVANCE + "\n")


def _alternatives() -> bytes:
    plain = "".join(f"a b c {number}.\n" for number in range(40_000))
    html = "".join(f"a b e {number}.<br>\n" for number in range(40_000))
    return _parts(b"Content-Type: text/plain\n\n" + f"{ADVANCE}\n{plain}".encode(), b"Content-Type: text/html\n\n" + html.encode(), kind="alternative")  # fmt: skip


_BOMBS = {
    # header
    "encoded words": lambda: _subject(" =?utf-8?q?lovely?=\n" * 15_000 + " x"),
    "encoded words of two charsets": lambda: _subject(" =?utf-8?q?a?= =?iso-8859-1?b?YQ=?=\n" * 15_000 + " x"),
    "encoded words within another": lambda: _subject(" =?utf-8?q?=3D?utf-8?q?a?=\n" * 15_000 + " x"),
    "a name in 20,000 pieces": lambda: _parts(_own(), b"Content-Type: text/plain;\n" + b"".join(b" name*%d*=a%%41;\n" % number for number in range(20_000)) + b" x=y\n\nhello\n"),
    "20,000 boundaries in one field": lambda: _mail("Subject: x\nContent-Type: multipart/mixed" + "".join(f";\n boundary*{number}=b" for number in range(20_000)) + "\n", f"--b\n\n{ADVANCE}\n"),
    "addresses": lambda: _mail("Subject: Your case\nCc: " + ",\n ".join(f"a{number}@home.example" for number in range(30_000)) + "\n", ADVANCE),
    "open comments": lambda: _mail(f"Subject: Your case\nCc: {'(' * 900_000}\n", ADVANCE),
    "open quotes": lambda: _mail("Subject: Your case\nCc: " + '"\\"' * 300_000 + "\n", ADVANCE),
    "header fields": lambda: _mail("Subject: Your case\n" + "X: y\n" * 150_000, ADVANCE),
    "a field in 100,000 lines": lambda: _subject("a\n " * 100_000 + "x"),
    # structure
    "10,000 parts": lambda: _parts(_own(), *(b"\nhello\n" for _ in range(10_000))),
    "1,200 levels": lambda: _nested_parts(1_200),
    "1,200 levels of messages": lambda: _parts(_own(), b"Content-Type: message/rfc822\n\n" * 1_200 + b"\nhello"),
    "messages in base64": lambda: _messages_in_base64(30),
    "lines like boundaries": lambda: _parts(_own(), b"\n" + b"--\n" * 400_000),
    "boundaries with another end": lambda: _parts(_own(), b"\n" + b"--bx\n" * 300_000),
    "900 parts with names": lambda: _parts(_own(), *(b'Content-Type: text/plain; name="a%d.txt"\n\n' % number + b"x\n" * 100 for number in range(900))),
    "alternatives that differ": _alternatives,
    # plain text
    "a million quote marks": lambda: _text(">", 1_000_000, 80),
    "a million quoted lines": lambda: _text(">\n", 1_000_000),
    "quotes and answers in turn": lambda: _text("> a\nb\n", 150_000),
    "empty lines": lambda: _text("\n", 1_200_000),
    "attributions": lambda: _text("On 3 Mar 2026 at 10:14 a\n", 60_000),
    "attributions, each with a quote": lambda: _text("On 3 Mar 2026, at 10:14, A <a@b.example> wrote:\n> x\n", 30_000),
    "header blocks": lambda: _text("From: a\nSent: b\nTo: c\n", 60_000),
    "dividers": lambda: _text("-----Original Message-----\n\n", 60_000),
    "signature marks": lambda: _text("-- \nTom\n", 150_000),
    "telephone numbers": lambda: _text("Tel: 07700 900123\n", 80_000),
    "disclaimers": lambda: _text("This email is confidential and may be privileged.\n", 40_000),
    "one letter": lambda: _long("a", 900_000),
    "one sentence without end": lambda: _text("would you like to ", 80_000),
    "advances": lambda: _text(f"{ADVANCE}\n", 15_000),
    "words of every rule": lambda: _text("you drink kiss love secret number photo alone tonight please don't tell ", 20_000),
    "digits": lambda: _long("1", 900_000),
    "at signs": lambda: _long("a@", 450_000),
    "brackets": lambda: _long(")", 900_000),
    "exclamation marks": lambda: _text("!", 900_000),
    "underscores": lambda: _long("_", 900_000),
    "apostrophes": lambda: _long("x'", 450_000),
    "quotation marks": lambda: _text('"', 900_000),
    "full stops": lambda: _long(". ", 450_000),
    "dashes": lambda: _long("- ", 450_000),
    "web addresses": lambda: _long("http://a.b/", 80_000),
    "base64": lambda: _long("QUJD", 220_000),
    "uuencoded files": lambda: _text("begin 644 x.txt\n#0V%T\n`\nend\n", 30_000),
    "an endless uuencoded file": lambda: _text("begin 644 x.zip\n" + "M" + "0V%T" * 15 + "\n", 20_000),
    # Unicode
    "combining marks": lambda: _long("a" + "\u0301" * 400_000, 1),
    "combining marks on every letter": lambda: _text("d\u0336\u0301r\u0336i\u0336n\u0336k\u0336 ", 60_000),
    "zero width": lambda: _long("\u200b", 300_000),
    "turned round": lambda: _text("\u202ednirk\u202c \u2066x\u2069 ", 40_000),
    "turned round and never back": lambda: _long("\u202e", 300_000),
    "spaced letters": lambda: _text("d r i n k ", 90_000),
    "letters with dots": lambda: _text("d.r.i.n.k.", 90_000),
    "one letter a line": lambda: _text("d\nr\ni\nn\nk\n", 90_000),
    "leet": lambda: _text("dr1nk c0ff33 $3xy ", 50_000),
    "look-alikes": lambda: _text("dгіnk ", 90_000),
    "mathematical letters": lambda: _text("𝖉𝖗𝖎𝖓𝖐 ", 40_000),
    "faces": lambda: _long("😘", 220_000),
    "families": lambda: _text("👩‍❤️‍💋‍👨", 30_000),
    "repeated letters": lambda: _long("coff" + "e" * 900_000, 1),
    "tags": lambda: _long("\U000e0061", 220_000),
    # languages
    "two languages in turn": lambda: _text(f"{_POLISH}{_CALM}", 9_000),
    "a language in lines": lambda: _text(f"{_POLISH}\n\n{_TURKISH}\n\n{_CALM}\n\n", 4_000),
    "letters of five scripts": lambda: _text("д א ا あ ท ", 60_000),
    # HTML
    "nested elements": lambda: _html("<div>" * 150_000 + "x"),
    "nested tables": lambda: _html("<table><td>" * 90_000 + "x"),
    "open formatting": lambda: _html("".join(f"<b a={number}>" for number in range(30_000)) + "<p>x" * 30_000),
    "attributes": lambda: _html("<p " + " ".join(f"a{number}=1" for number in range(90_000)) + ">x"),
    "a huge attribute": lambda: _html(f'<p title="{"x y " * 220_000}">x'),
    "styles by elements": lambda: _html(_styles(2_000, 30_000)),
    "a huge style": lambda: _html(f'<p style="{"color:red;" * 80_000}">x'),
    "style sheets": lambda: _html("<style>p{display:none}</style>" * 25_000),
    "open style sheets": lambda: _html("<style>" * 120_000),
    "braces in a style sheet": lambda: _html(f"<style>{'{' * 800_000}</style>"),
    "comments": lambda: _html("<!--" * 200_000),
    "conditional comments": lambda: _html("<!--[if mso]>x<![endif]-->" * 30_000),
    "open tags": lambda: _html('<a "' * 200_000),
    "character references": lambda: _html("&amp;" * 180_000),
    "a long character reference": lambda: _html("&#" + "9" * 800_000),
    "hidden pieces": lambda: _html("a<span hidden>x</span>" * 40_000),
    "letters in elements": lambda: _html("".join(f"<span>{letter}</span>" for letter in "drink") * 10_000),
    "links": lambda: _html('<a href="mailto:a@b.example?subject=%64rink&body=%64rink">x</a>' * 14_000),
    "pictures": lambda: _html('<img alt="x" src="data:image/svg+xml,<svg><text>x</text></svg>">' * 13_000),
    "turned round in elements": lambda: _html("<bdo dir=rtl>knird" * 40_000),
    "quotes in quotes": lambda: _html('<blockquote type="cite">x' * 35_000),
    # files
    "a zip of nothing": lambda: _attached("a.zip", _zipped({"a.txt": b"\0" * 400_000_000})),
    "zips in zips": lambda: _attached("a.zip", _nested_zips(5)),
    "a zip that overlaps": lambda: _attached("a.zip", _overlapping_zip(20_000)),
    "a zip of 20,000 files": lambda: _attached("a.zip", _zipped({f"{number}.txt": b"x" for number in range(12_000)})),
    "billion laughs": lambda: _docx(_lols("laughs")),
    "quadratic laughs": lambda: _docx(_lols("quadratic")),
    "an entity from elsewhere": lambda: _docx(_lols("outside")),
    "nested paragraphs": lambda: _docx(_word("<w:p>" * 400_000)),
    "a million runs": lambda: _docx(_word("<w:p>" + "<w:r><w:t>x</w:t></w:r>" * 1_000_000 + "</w:p>")),
    "a document of spaces": lambda: _docx(_word(f"<w:p><w:r><w:t>{' ' * 200_000_000}</w:t></w:r></w:p>")),
    "a million shared strings": lambda: _attached("a.xlsx", _sheet()),
    "rtf groups": lambda: _attached("a.rtf", b"{\\rtf1 " + b"{" * 1_000_000),
    "rtf words": lambda: _attached("a.rtf", b"{\\rtf1 " + b"\\u8364?\\'e9\\par " * 90_000 + b"}"),
    "rtf binary": lambda: _attached("a.rtf", b"{\\rtf1 " + b"\\bin2147483647 " * 70_000 + b"}"),
    "a pdf that unpacks": lambda: _attached("a.pdf", _pdf_page(zlib.compress(zlib.compress(b"0 0 m " * 20_000_000, 1)), b"/Filter [/FlateDecode /FlateDecode]"), "application/pdf"),
    "a pdf in a circle": lambda: _attached("a.pdf", _pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9999999 >>"]), "application/pdf"),
    "a pdf of words": lambda: _attached("a.pdf", _pdf_page(zlib.compress(b"BT /F1 12 Tf " + b"1 0 0 1 0 0 Tm (x) Tj " * 1_000_000 + b"ET"), b"/Filter /FlateDecode"), "application/pdf"),
    "a pdf of brackets": lambda: _attached("a.pdf", _pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"[" * 1_000_000]), "application/pdf"),
    "a pdf of empty pages": lambda: _attached("a.pdf", _pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [" + b"3 0 R " * 200_000 + b"] /Count 200000 >>", b"<< /Type /Page /Parent 2 0 R >>"]), "application/pdf"),
    "an old office file in a circle": lambda: _attached("a.doc", _compound((0xFFFFFFFD, 2, 1, 1))),
    "an old office file of nothing": lambda: _attached("a.msg", _compound((0xFFFFFFFD, 1, 2, 3)) + b"\0" * 500_000),
    "winmail.dat with false lengths": lambda: _attached("winmail.dat", _tnef(), "application/ms-tnef"),
    "gzip of nothing": lambda: _attached("a.txt.gz", zlib.compress(b"\0" * 400_000_000, 9, 31)),
    "an invitation of parameters": lambda: _parts(_own(), b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nSUMMARY;" + b'a"' * 400_000 + b":x\n"),
    "an invitation of events": lambda: _parts(_own(), b"Content-Type: text/calendar\n\n" + b"BEGIN:VEVENT\nSUMMARY:x\n y\n" * 40_000),
}  # fmt: skip
NAMES = tuple(_BOMBS)


@cache
def bomb(name: str) -> bytes:
    """Return the mail of that name."""
    return _BOMBS[name]()
