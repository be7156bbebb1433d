"""Files that are small and would cost much: each a name, its bytes, and what must be said about it."""

import gzip
import random
import struct
import zlib

from attachment_files import (
    compound,
    docx,
    mapi_properties,
    pdf,
    png,
    shown,
    stream_object,
    tarred,
    tnef,
    word97,
    word_part,
    xlsx,
    zipped,
)


def zeros_zip(count, size):
    return zipped({f"{i}.txt": bytes(size) for i in range(count)})


def nested_zip(levels):
    data = b"You looked lovely"
    for level in range(levels):
        data = zipped({f"{level}.zip": data})
    return data


def broad_zip(levels, width):
    """Archives in archives, each with many different children: 42.zip in small."""
    data = bytes(1_000_000)
    for level in range(levels):
        data = zipped({f"{i}-{level}": data + bytes((i,)) for i in range(width)})
    return data


def overlapping_zip(count):
    """One member that every entry of the directory points to (Fifield, "A better zip bomb")."""
    one = zipped({"a": bytes(4_000_000)})
    place = one.find(b"PK\x01\x02")
    end = one.rfind(b"PK\x05\x06")
    entry = one[place:end]
    directory = b"".join(entry[:46] + b"%c" % (97 + i % 26) for i in range(count))
    return (
        one[:place]
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), place, 0)
    )


def directory_of(count):
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * count
    return (
        b"PK\x03\x04"
        + bytes(26)
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 30, 0)
    )


def part(xml):
    return docx("", **{"word/document.xml": xml})


LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a '"
    + "ha" * 50
    + "'>"
    + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9))
    + "]><w:document xmlns:w='urn:w'>&j;</w:document>"
)
QUADRATIC = "<!DOCTYPE x [<!ENTITY a '" + "x" * 100_000 + "'>]><x>" + "&a;" * 100_000 + "</x>"
EXTERNAL = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/hostname'>]><x>&a;</x>"


def cyclic_pages():
    return pdf(shown("x")).replace(b"/Kids[10 0 R]/Count 1", b"/Kids[2 0 R]/Count 9")


def pdf_laughs(levels, width):
    """Forms that each draw the next one many times: a billion laughs of PDF."""
    forms = []
    for level in range(levels):
        inner = f"/X {101 + level} 0 R" if level + 1 < levels else ""
        what = "/X Do " * width if level + 1 < levels else shown("ha")
        forms.append(
            stream_object(
                what,
                f"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>/XObject<<{inner}>>>>",
            )
        )
    return pdf("/X Do", objects=forms)


def flate(data, times=1):
    for _ in range(times):
        data = zlib.compress(data, 9)
    return stream_object(data, "/Filter[" + "/FlateDecode" * times + "]")


def pdf_bomb(times):
    return pdf("/X Do", objects=(flate(bytes(200_000_000), times),))


def cyclic_compound():
    """A compound file whose allocation table and directory point to themselves."""
    data = bytearray(compound(word97("text")))
    data[512:] = bytes(data[512:])
    fat = struct.unpack_from("<I", data, 76)[0]
    struct.pack_into("<128I", data, 512 * (fat + 1), *([0] * 128))
    return bytes(data)


def shared_chains(count):
    """Many objects that share one long chain of sectors."""
    tree = word97("x") | {f"d{i}": {"\x01Ole10Native": b""} for i in range(count)}
    tree["long"] = bytes(3_000_000)
    data = bytearray(compound(tree))
    start, size = struct.unpack_from("<IQ", data, data.find("long".encode("utf-16-le")) + 116)
    at = 0
    for _ in range(count):
        at = data.find("\x01Ole10Native".encode("utf-16-le"), at + 1)
        struct.pack_into("<IQ", data, at + 116, start, size)
    return bytes(data)


def nested_msg(levels):
    tree = {"__properties_version1.0": bytes(32), "__substg1.0_1000001F": "lovely".encode("utf-16-le")}
    for _ in range(levels):
        inner = {"__properties_version1.0": bytes(8), "__substg1.0_3701000D": tree}
        tree = {"__properties_version1.0": bytes(32), "__attach_version1.0_#00000000": inner}
    return compound(tree)


def huge_png():
    data = bytearray(png(8, 8))
    struct.pack_into(">2I", data, 16, 65_535, 65_535)
    return bytes(data)


def sst(count):
    return xlsx({"A": ("visible", "<sheetData/>")}, ["x"] * count)


def same_string(count):
    cells = '<c t="s"><v>0</v></c>' * count
    return xlsx({"A": ("visible", f"<sheetData><row>{cells}</row></sheetData>")}, ["lovely " * 4000])


def random_bytes(start, size):
    return start + random.Random(5).randbytes(size)


BOMBS = {
    "zip_of_zeros": (lambda: zeros_zip(20, 20_000_000), {"size"}),
    "zip_in_zip": (lambda: nested_zip(60), {"depth"}),
    "zip_of_zips_of_zips": (lambda: broad_zip(3, 10), {"attachment-not-read"}),
    "zip_of_overlapping_members": (lambda: overlapping_zip(5_000), {"size", "ambiguous"}),
    "zip_directory_of_a_million": (lambda: directory_of(700_000), {"size"}),
    "zip_of_many_files": (lambda: zipped({f"{i}.txt": b"%d" % i for i in range(3_000)}), {"size"}),
    "zip_local_headers_only": (lambda: b"PK\x03\x04" * 2_000_000, set()),
    "gzip_of_zeros": (lambda: gzip.compress(bytes(400_000_000)), {"size"}),
    "gzip_in_gzip": (lambda: gzip.compress(gzip.compress(bytes(400_000_000))), {"size"}),
    "gzip_streams_without_end": (lambda: gzip.compress(b"") * 500_000, {"size"}),
    "tar_of_headers": (lambda: tarred({"a": b""}) [:512] * 50_000, {"size"}),
    "billion_laughs": (lambda: part(LAUGHS), {"attachment-not-read"}),
    "quadratic_entities": (lambda: part(QUADRATIC), {"attachment-not-read"}),
    "external_entity": (lambda: part(EXTERNAL), {"attachment-not-read"}),
    "deep_xml": (lambda: part("<a>" * 1_000_000), {"attachment-not-read"}),
    "elements": (lambda: part(word_part("document", "<w:r/>" * 3_000_000)), {"size"}),
    "one_long_token": (lambda: part("<a b='" + "x" * 20_000_000), {"attachment-not-read"}),
    "attributes": (lambda: part("<a " + " ".join(f"a{i}=''" for i in range(400_000)) + "/>"), set()),
    "character_data": (lambda: part(word_part("document", "<w:p><w:r><w:t>" + "lovely " * 10_000_000)), {"size"}),
    "shared_strings": (lambda: sst(1_000_000), {"size"}),
    "one_string_in_all_cells": (lambda: same_string(300_000), {"size"}),
    "pdf_cyclic_pages": (cyclic_pages, {"attachment-not-read"}),
    "pdf_stream_of_zeros": (lambda: pdf_bomb(1), {"size"}),
    "pdf_stream_packed_twice": (lambda: pdf_bomb(2), {"size"}),
    "pdf_of_many_pages": (lambda: pdf(*[shown("x")] * 12_000), {"size"}),
    "pdf_of_many_strings": (lambda: pdf("BT /F 12 Tf " + "1 0 0 1 0 0 Tm (x) Tj " * 600_000), {"size"}),
    "pdf_nesting": (lambda: pdf(shown("x"), objects=(b"[" * 500_000,)), set()),
    "rtf_groups": (lambda: b"{\\rtf1 " + b"{" * 900_000, set()),
    "rtf_groups_that_close": (lambda: b"{\\rtf1 " + b"{\\v a}" * 400_000, {"size"}),
    "rtf_bin": (lambda: b"{\\rtf1 \\bin2147483647 x" + b"\\bin999999999 " * 50_000, {"malformed"}),
    "rtf_pictures": (lambda: b"{\\rtf1 " + b"{\\pict 00}" * 200_000, {"size"}),
    "rtf_unicode_skip": (lambda: b"{\\rtf1 \\uc16 " + b"\\u100 " * 300_000, set()),
    "compound_cycles": (cyclic_compound, {"attachment-not-read"}),
    "compound_shared_chains": (lambda: shared_chains(300), {"size"}),
    "compound_noise": (lambda: random_bytes(compound(word97("x"))[:512], 3_000_000), {"attachment-not-read"}),
    "mail_in_mail": (lambda: nested_msg(40), {"depth"}),
    "tnef_properties": (lambda: tnef((0x069003, struct.pack("<I", 0xFFFFFFFF) + struct.pack("<2H", 1, 0) * 800_000)), {"attachment-not-read"}),
    "tnef_lengths": (lambda: tnef((0x06800F, b"x" * 9))[:-4], {"attachment-not-read"}),
    "tnef_multiple_values": (
        lambda: tnef((0x069003, struct.pack("<I2HI", 1, 0x1003, 0x3001, 0xFFFFFFFF))), {"attachment-not-read"}
    ),
    "tnef_rtf": (
        lambda: tnef((0x069003, mapi_properties(
            (0x1009, 0x102, struct.pack("<4I", 3_000_000, 0xFFFFFFFF, 0x75465A4C, 0) + b"\xff" + b"\x00\x0f" * 1_500_000)
        ))), set(),
    ),
    "png_of_four_gigapixels": (huge_png, {"picture"}),
    "png_chunks": (lambda: png(8, 8)[:33] + (struct.pack(">I4s", 0, b"tEXt") + bytes(4)) * 200_000, {"picture"}),
    "calendar_lines": (lambda: b"BEGIN:VCARD\n" + b"NOTE:x\n" * 1_500_000, {"size"}),
}  # fmt: skip
FATAL = {
    "pdf_of_many_objects": lambda: pdf("0 0 1 1 re f " * 1_500_000),
    "pdf_forms_of_forms": lambda: pdf_laughs(9, 10),
}
"""What PDFium does not bound: the limits of the worker do, and the mail is held for that."""
