"""Files of every format, built by hand: no writer of documents makes what these tests need."""

import binascii
import io
import struct
import tarfile
import zipfile
import zlib

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def zipped(files, comment=b"", method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return out.getvalue()


def tarred(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def locked_zip(name, content=b"x" * 20):
    """A zip whose member needs a password: the flag is set in both headers."""
    data = bytearray(zipped({name: content}))
    data[6] |= 1
    place = data.find(b"PK\x01\x02")
    data[place + 8] |= 1
    return bytes(data)


# --- Office ---


def docx(body, **parts):
    files = {
        "[Content_Types].xml": TYPES,
        "word/document.xml": word_part("document", f"<w:body>{body}</w:body>"),
    }
    return zipped(files | parts)


def word_part(root, inner):
    return (
        f'<?xml version="1.0"?><w:{root} xmlns:w="{WORD}" xmlns:a="{DRAWING}" xmlns:r="{RELATION}" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wp="urn:wp" '
        f'xmlns:v="urn:schemas-microsoft-com:vml">{inner}</w:{root}>'
    )


def paragraph(text, properties=""):
    look = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:p><w:r>{look}<w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def links(*targets):
    inner = "".join(
        f'<Relationship Id="r{i}" TargetMode="External" Target="{t}"/>' for i, t in enumerate(targets)
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inner}</Relationships>'


def core_properties(**values):
    inner = "".join(f"<x:{name}>{value}</x:{name}>" for name, value in values.items())
    return f'<x:coreProperties xmlns:x="urn:x">{inner}</x:coreProperties>'


def xlsx(sheets, strings=(), **parts):
    """``sheets``: name -> (state, XML of rows)."""
    listed = "".join(
        f'<sheet name="{name}" state="{state}" r:id="r{i}"/>'
        for i, (name, (state, _)) in enumerate(sheets.items())
    )
    related = "".join(
        f'<Relationship Id="r{i}" Target="worksheets/sheet{i}.xml"/>' for i in range(len(sheets))
    )
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    files = {
        "[Content_Types].xml": TYPES,
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{RELATION}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
        "xl/sharedStrings.xml": f'<sst xmlns="{SHEET}">{shared}</sst>',
    }
    for i, (_, rows) in enumerate(sheets.values()):
        files[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{SHEET}">{rows}</worksheet>'
    return zipped(files | parts)


def pptx(slides, **parts):
    files = {"[Content_Types].xml": TYPES}
    for i, (attributes, text) in enumerate(slides, 1):
        files[f"ppt/slides/slide{i}.xml"] = (
            f'<p:sld xmlns:p="urn:p" xmlns:a="{DRAWING}" {attributes}><p:cSld><a:p><a:r><a:t>{text}</a:t></a:r></a:p>'
            "</p:cSld></p:sld>"
        )
    return zipped(files | parts)


def odt(body, styles="", kind="text", **parts):
    content = (
        '<office:document-content xmlns:office="urn:o" xmlns:text="urn:t" xmlns:style="urn:s" xmlns:table="urn:ta" '
        'xmlns:fo="urn:f" xmlns:draw="urn:d" xmlns:svg="urn:v" xmlns:xlink="urn:x" xmlns:dc="urn:dc">'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>{body}</office:body>"
        "</office:document-content>"
    )
    files = {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in (files | parts).items():
            archive.writestr(name, text)
    return out.getvalue()


# --- PDF ---


def pdf(*streams, objects=(), catalog="", page="", info=""):
    """A PDF of one page for each content stream. ``objects``: more objects, numbered from 100 on."""
    numbered = {1: f"<</Type/Catalog/Pages 2 0 R {catalog}>>".encode()}
    kids = " ".join(f"{10 + 2 * i} 0 R" for i in range(len(streams)))
    numbered[2] = f"<</Type/Pages/Kids[{kids}]/Count {len(streams)}>>".encode()
    numbered[3] = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    numbered[4] = f"<<{info}>>".encode()
    for i, stream in enumerate(streams):
        numbered[10 + 2 * i] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {11 + 2 * i} 0 R"
            f"/Resources<</Font<</F 3 0 R>>/XObject<</X 100 0 R>>>> {page}>>"
        ).encode()
        numbered[11 + 2 * i] = stream_object(stream)
    numbered |= {100 + i: each for i, each in enumerate(objects)}
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, body in sorted(numbered.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in sorted(places.items()):
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    out += b"trailer\n<</Size 1000/Root 1 0 R/Info 4 0 R>>\nstartxref\n%d\n%%%%EOF\n" % xref
    return bytes(out)


def stream_object(data, extra=""):
    data = data if isinstance(data, bytes) else data.encode()
    return b"<</Length %d %s>>\nstream\n%s\nendstream" % (len(data), extra.encode(), data)


def shown(text):
    return f"BT /F 12 Tf 72 700 Td ({text}) Tj ET"


# --- compound files ---


def compound(tree):
    """A compound file of ``tree``: names to octets, or to a tree. Short streams stand in the mini stream."""
    entries = []

    def add(name, content, kind):
        entries.append([name, kind, 0xFFFFFFFF, 0xFFFFFFFF, content])
        index, before = len(entries) - 1, None
        for child, inner in content.items() if isinstance(content, dict) else ():
            number = add(child, inner, 1 if isinstance(inner, dict) else 2)
            entries[index if before is None else before][3 if before is None else 2] = number
            before = number
        return index

    add("Root Entry", tree, 5)
    sectors, fat, mini, mini_fat = [], [], bytearray(), []

    def put(data, pieces, table, width):
        first, count = len(table), -(-len(data) // width)
        pieces.extend(data[i * width : (i + 1) * width].ljust(width, b"\0") for i in range(count))
        table.extend([*range(first + 1, first + count), 0xFFFFFFFE] if count else [])
        return first

    places = {}
    for index, (_, kind, _, _, content) in enumerate(entries):
        if kind == 2:
            short = len(content) < 4096
            pieces = []
            at = put(content, pieces if short else sectors, mini_fat if short else fat, 64 if short else 512)
            mini += b"".join(pieces)
            places[index] = (at, len(content))
    places[0] = (put(bytes(mini), sectors, fat, 512), len(mini))
    mini_at = put(struct.pack(f"<{len(mini_fat)}I", *mini_fat), sectors, fat, 512) if mini_fat else 0xFFFFFFFE
    raw = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBB3I", 2 * len(name) + 2, kind, 1, 0xFFFFFFFF, right, child)
        + bytes(36)
        + struct.pack("<IQ", *places.get(index, (0, 0)))
        for index, (name, kind, right, child, _) in enumerate(entries)
    )
    directory = put(raw, sectors, fat, 512)
    count = -(-(len(fat) + 1) // 127)
    at = len(sectors)
    fat += [0xFFFFFFFD] * count
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(512 * count, b"\xff")
    sectors += [table[i : i + 512] for i in range(0, len(table), 512)]
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    )
    head += struct.pack("<9I", 0, count, directory, 0, 4096, mini_at, 1, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *[at + i for i in range(count)], *[0xFFFFFFFF] * (109 - count))
    return head + b"".join(sectors)


def msg(texts, attachments=(), flags=0, head=32, **binaries):
    """An Outlook message. ``texts``: property number -> text; ``attachments``: trees of their storages."""
    tree = {f"__substg1.0_{number:04X}001F": text.encode("utf-16-le") for number, text in texts.items()}
    tree |= {f"__substg1.0_{number[1:]}0102": data for number, data in binaries.items()}
    tree["__properties_version1.0"] = bytes(head) + struct.pack("<HHIQ", 3, 0x0E07, 6, flags)
    for i, attachment in enumerate(attachments):
        tree[f"__attach_version1.0_#{i:08X}"] = attachment
    return tree


def word97(text, flags=0, table_name="0Table"):
    octets = text.encode("utf-16-le")
    pieces = struct.pack("<2I", 0, len(text)) + struct.pack("<HIH", 0, 2048, 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    stream = bytearray(2048)
    struct.pack_into("<2H", stream, 0, 0xA5EC, 0x00C1)
    struct.pack_into("<H", stream, 10, flags)
    struct.pack_into("<2I", stream, 0x01A2, 0, len(clx))
    return {"WordDocument": bytes(stream) + octets, table_name: clx}


def record(kind, data):
    return struct.pack("<2H", kind, len(data)) + data


def excel97(*strings):
    body = b"".join(struct.pack("<HB", len(s), 1) + s.encode("utf-16-le") for s in strings)
    table = record(0x00FC, struct.pack("<2I", len(strings), len(strings)) + body)
    sheet = record(0x0085, struct.pack("<IBBBB", 0, 1, 0, 6, 0) + b"Secret")
    return {"Workbook": record(0x0809, bytes(16)) + table + sheet}


def powerpoint97(*texts):
    atoms = b"".join(
        struct.pack("<2HI", 0, 0x0FA0, 2 * len(text)) + text.encode("utf-16-le") for text in texts
    )
    return {"PowerPoint Document": struct.pack("<2HI", 0x0F, 0x03E8, len(atoms)) + atoms}


def property_set(**values):
    numbers = {"title": 2, "subject": 3, "author": 4, "comments": 6}
    body, places = b"", b""
    for name, text in values.items():
        places += struct.pack("<2I", numbers[name], 8 + 8 * len(values) + len(body))
        octets = text.encode("cp1252") + b"\0"
        body += struct.pack("<2I", 0x1E, len(octets)) + octets.ljust(-(-len(octets) // 4) * 4, b"\0")
    section = struct.pack("<2I", 8 + len(places) + len(body), len(values)) + places + body
    return struct.pack("<2HI16sI16sI", 0xFFFE, 0, 0, bytes(16), 1, bytes(16), 48) + section


# --- winmail.dat ---


def tnef(*attributes):
    out = struct.pack("<IH", 0x223E9F78, 1)
    for number, data in attributes:
        out += struct.pack("<BII", 1, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)
    return out


def mapi_properties(*properties):
    """``properties``: number, type, octets of a value of variable length."""
    out = struct.pack("<I", len(properties))
    for number, kind, data in properties:
        out += struct.pack("<2HII", kind, number, 1, len(data)) + data.ljust(-(-len(data) // 4) * 4, b"\0")
    return out


def stored_rtf(text):
    data = text.encode()
    return struct.pack("<4I", len(data) + 12, len(data), 0x414C454D, 0) + data


# --- the rest ---


def png(width, height, *texts):
    def chunk(kind, data):
        return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", binascii.crc32(kind + data))

    rows = zlib.compress((b"\0" + bytes(3 * width)) * height)
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
    words = b"".join(chunk(b"tEXt", b"Comment\0" + text.encode()) for text in texts)
    return b"\x89PNG\r\n\x1a\n" + head + words + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes((tag, size)) + body
    length = size.to_bytes(4, "big")
    return bytes((tag, 0x84)) + length + body


def signed(content):
    """An opaque S/MIME signature around ``content``, without a signer."""
    data_type = bytes.fromhex("06092a864886f70d010701")
    signed_type = bytes.fromhex("06092a864886f70d010702")
    inner = der(0x30, data_type, der(0xA0, der(0x24, der(0x04, content[:5]), der(0x04, content[5:]))))
    return der(0x30, signed_type, der(0xA0, der(0x30, der(0x02, b"\1"), der(0x31), inner, der(0x31))))
