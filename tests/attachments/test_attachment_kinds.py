"""Files that are no documents: archives, mails, PDF, RTF, cards, pictures; and files that are not what they are called."""

import bz2
import gzip
import lzma
import struct

import pytest
from attachment_files import (
    compound,
    docx,
    locked_zip,
    mapi_properties,
    msg,
    paragraph,
    pdf,
    png,
    shown,
    signed,
    stored_rtf,
    stream_object,
    tarred,
    tnef,
    zipped,
)

from gateway.extract import attachments, decoded
from gateway.extract.attachments.contents import Collector
from gateway.extract.attachments.mapi import rtf_of
from gateway.model import Limits, PassageKind, UnreadableReason


def read(data, name="file", media="", **limits):
    return attachments.read(data, media, name, Limits(**limits))


def said(data, name="file", **limits):
    return {piece.path: (piece.text, piece.hidden) for piece in read(data, name, **limits).pieces}


def unread(data, name="file", media="", **limits):
    return [(one.path, str(one.reason)) for one in read(data, name, media, **limits).unreadable]


# --- RTF ---


def test_rtf_text_is_read_with_its_characters():
    """Paragraphs, charsets of fonts, Unicode with its stand-in, and pairs of Unicode are characters."""
    source = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}"
        rb"\f0 You\par looked \'e9 \u233 ? \u-10179?\u-8704? {\f1 \'ef}\emdash\{x\}}"
    )
    assert said(source) == {"": ("You\nlooked \u00e9 \u00e9 \U0001f600 \u043f\u2014{x}", False)}


def test_rtf_keeps_hidden_words_and_places_apart():
    """Hidden and deleted words, comments, headers, fields, properties and shapes each have their place."""
    source = (
        rb"{\rtf1{\info{\title The title}{\*\company Firm}}{\header head}You {\v secret}looked"
        rb"{\deleted gone} lovely{\*\annotation a comment}{\field{\*\fldinst HYPERLINK https://home.example}{\fldrslt link}}"
        rb"{\shp{\*\shpinst{\shptxt boxed}}}{\*\unheardof elsewhere}}"
    )
    assert said(source) == {
        "": ("You looked lovelylink", False),
        "headers and footers": ("head", False),
        "hidden": ("secretgone", True),
        "comments": ("a comment", False),
        "fields": ("HYPERLINK https://home.example", True),
        "text boxes": ("boxed", False),
        "other destinations": ("elsewhere", True),
        "info:title": ("The title", True),
        "info:company": ("Firm", True),
    }


def test_rtf_carries_pictures_and_objects():
    """A picture in RTF is named by its size; a file in an object is read."""
    inner = docx(paragraph("inner words"))
    native = struct.pack("<H", 2) + b"a.docx\0a.docx\0" + struct.pack("<HHI", 0, 3, 1) + b"a"
    native += struct.pack("<I", len(inner)) + inner
    ole = struct.pack("<2I", 0x501, 2) + struct.pack("<I", 8) + b"Package\0" + bytes(8)
    ole += struct.pack("<I", len(native)) + native
    source = (
        b"{\\rtf1 text{\\pict\\pngblip "
        + png(400, 300).hex().encode()
        + b"}{\\object{\\*\\objdata "
        + ole.hex().encode()
        + b"}}}"
    )
    assert said(source)["object2/a.docx"] == ("inner words", False)
    assert unread(source) == [("picture1", "picture")]


def test_rtf_binary_data_longer_than_the_file_hides_nothing():
    """What a count past the end would swallow is read as text, and the file is named; a true count skips its octets."""
    data = rb"{\rtf1 Hello \bin2147483647 You looked lovely}"
    assert "You looked lovely" in said(data)[""][0]
    assert unread(data) == [("", "malformed")]
    assert said(rb"{\rtf1 Hello \bin3 {{{you}")[""][0] == "Hello you"
    assert unread(rb"{\rtf1 Hello \bin3 {{{you}") == []


def test_rtf_that_wraps_html_is_read_both_ways():
    """Word shows the text between the tags that Outlook unwraps; both are read."""
    source = rb"{\rtf1\fromhtml1{\*\htmltag <p>}You looked {\htmlrtf only in Word\htmlrtf0}lovely{\*\htmltag </p><p hidden>secret</p>}}"
    pieces = said(source)
    assert pieces[""] == ("You looked only in Wordlovely", False)
    assert pieces["html"] == ("You looked lovely", False)
    assert pieces["html/hidden"] == ("secret", True)


# --- PDF ---


def test_pdf_text_and_what_stands_beside_it():
    """Text in the order of pages, annotations, form values, links, properties, bookmarks."""
    notes = (
        b"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(a note)>>",
        b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://home.example/x)>>>>",
        b"<</Title(a bookmark)/Parent 103 0 R>>",
        b"<</Type/Outlines/First 102 0 R/Last 102 0 R/Count 1>>",
    )
    data = pdf(
        shown("You looked"), shown("lovely"), objects=notes, catalog="/Outlines 103 0 R",
        page="/Annots[100 0 R 101 0 R]", info="/Title(The title)/Keywords(one two)",
    )  # fmt: skip
    assert said(data) == {
        "": ("You looked\nlovely", False),
        "annotations": ("a note", False),
        "links": ("https://home.example/x", True),
        "info:title": ("The title", True),
        "info:keywords": ("one two", True),
        "bookmarks": ("a bookmark", False),
    }
    assert unread(data, "a.pdf", "application/pdf") == []


def test_a_pdf_without_a_page_is_named():
    """Another program may find pages where PDFium finds none; silence would let it through."""
    circle = pdf("").replace(b"/Kids[10 0 R]/Count 1", b"/Kids[2 0 R]/Count 0")
    assert unread(circle, "a.pdf", "application/pdf") == [("", "attachment-not-read")]


def test_invisible_text_of_a_pdf_is_read():
    """Text that is drawn invisibly, in white or outside the page is read like any."""
    stream = (
        "3 Tr "
        + shown("unseen")
        + " 0 Tr 1 g "
        + shown("white")
        + " BT /F 12 Tf 5000 5000 Td (outside) Tj ET"
    )
    text = said(pdf(stream))[""][0]
    assert all(word in text for word in ("unseen", "white", "outside"))


def test_words_that_an_annotation_only_draws():
    """A stamp whose words stand in its appearance alone is read."""
    form = stream_object(
        shown("lovely").replace("700", "500"),
        "/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>>>",
    )
    stamp = b"<</Type/Annot/Subtype/Stamp/F 4/Rect[0 0 600 800]/AP<</N 101 0 R>>>>"
    assert said(pdf(shown("text"), objects=(stamp, form), page="/Annots[100 0 R]"))["drawn annotations"] == (
        "lovely",
        False,
    )


def test_file_and_script_inside_a_pdf():
    """A file inside a PDF is read, a script in it is named."""
    objects = (
        stream_object(docx(paragraph("inner words")), "/Type/EmbeddedFile"),
        b"<</Type/Filespec/F(a.docx)/UF(a.docx)/EF<</F 100 0 R>>>>",
    )
    names = "/Names<</EmbeddedFiles<</Names[(a.docx) 101 0 R]>>/JavaScript<</Names[(s)<</S/JavaScript/JS(app.alert\\(1\\))>>]>>>>"
    data = pdf(shown("text"), objects=objects, catalog=names)
    assert said(data)["a.docx"] == ("inner words", False)
    assert said(data)["scripts"] == ("app.alert(1)", True)
    assert unread(data) == [("scripts", "macros")]


@pytest.mark.parametrize(
    ("stream", "width", "reason"),
    [
        ("q 600 0 0 800 0 0 cm /X Do Q", 1000, "picture"),
        (shown("text") + " q 60 0 0 80 0 0 cm /X Do Q", 100, "small-picture"),
        (shown("text") + " q 600 0 0 800 0 0 cm /X Do Q", 1000, "picture"),
        ("0 0 m 100 100 l 50 70 l f", 1, "picture"),
    ],
    ids=["scanned page", "logo", "photograph", "drawn letters"],
)
def test_pages_that_show_pictures(stream, width, reason):
    """A page without text, or with a picture larger than a logo, is named: its words are not read."""
    image = stream_object(
        bytes(width * 10),
        f"/Type/XObject/Subtype/Image/Width {width}/Height 300/ColorSpace/DeviceGray/BitsPerComponent 8",
    )
    assert unread(pdf(stream, objects=(image,))) == [("page 1", reason)]


def test_pdf_without_any_content_needs_nothing():
    """An empty page is no picture."""
    assert unread(pdf("")) == []


def test_pdf_that_cannot_be_opened():
    """A damaged PDF is named as not read."""
    assert unread(b"%PDF-1.7\nnothing\n%%EOF") == [("", "attachment-not-read")]


# --- archives ---


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"You looked lovely"),
        bz2.compress(b"You looked lovely"),
        lzma.compress(b"You looked lovely"),
    ],
    ids=["gzip", "bzip2", "xz"],
)
def test_packed_file(packed):
    """What is packed by itself is read."""
    assert said(packed, "note.txt.gz")["note.txt"][0] == "You looked lovely"


def test_names_in_an_archive_are_words():
    """Names of files and folders in an archive, and comments of it, are read."""
    data = zipped({"you looked lovely/": b"", "a/x.txt": b"hello"}, comment=b"a comment")
    kinds = {piece.text: piece.kind for piece in read(data).pieces}
    assert kinds == {
        "a comment": PassageKind.ATTACHMENT,
        "you looked lovely/": PassageKind.ATTACHMENT_NAME,
        "a/x.txt": PassageKind.ATTACHMENT_NAME,
        "hello": PassageKind.ATTACHMENT,
    }


def test_tar_archive():
    """Files in a tar archive are read, also when that is packed."""
    data = gzip.compress(tarred({"a.txt": b"hello", "b.docx": docx(paragraph("lovely"))}))
    pieces = said(data, "x.tar.gz")
    assert pieces["x.tar/a.txt"][0] == "hello"
    assert pieces["x.tar/b.docx"][0] == "lovely"


def test_archive_with_a_password():
    """A file that needs a password is named as encrypted, and its name is read."""
    data = locked_zip("secret plans.txt")
    assert unread(data) == [("secret plans.txt", "encrypted")]
    assert said(data) == {"secret plans.txt/name": ("secret plans.txt", False)}


def test_member_that_the_directory_does_not_list():
    """A member between the listed ones is read, and the archive is ambiguous: programs differ in what they unpack."""
    two = zipped({"a.txt": b"first", "b.txt": b"You looked lovely"})
    entry = two.rfind(b"PK\x01\x02")
    end = two.rfind(b"PK\x05\x06")
    hidden = two[:entry] + two[end:]
    size = entry - two.find(b"PK\x01\x02")
    hidden = bytearray(hidden)
    place = hidden.rfind(b"PK\x05\x06")
    struct.pack_into("<2HL", hidden, place + 8, 1, 1, size)
    assert said(bytes(hidden))["b.txt"][0] == "You looked lovely"
    assert unread(bytes(hidden)) == [("", "ambiguous")]


def test_archive_without_its_directory():
    """An archive that was cut off is read by what is left of it, and named."""
    whole = zipped({"a.txt": b"You looked lovely"})
    assert said(whole[: whole.find(b"PK\x01\x02")])["a.txt"][0] == "You looked lovely"
    assert unread(whole[: whole.find(b"PK\x01\x02")]) == [("", "ambiguous")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Rar!\x1a\x07\x01\x00 packed", "attachment-not-read"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04 packed", "attachment-not-read"),
        (b"ID3\x04\x00\x00 \x00\x01\x02sound", "attachment-not-read"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04program", "attachment-not-read"),
        (b"-----BEGIN PGP MESSAGE-----\n\nabc\n", "encrypted"),
        (b"\x85\x01\x0c\x03" + bytes(range(200, 256)), "encrypted"),
        (bytes.fromhex("308006092a864886f70d010703a080") + b"x", "encrypted"),
    ],
    ids=["rar", "7z", "sound", "program", "pgp", "openpgp packets", "smime enveloped"],
)
def test_what_nobody_reads_is_named(data, reason):
    """Formats that are not read, and what is encrypted, are named with the hash of the file."""
    (one,) = read(data).unreadable
    assert (one.path, str(one.reason), len(one.sha256)) == ("", reason, 64)


def test_unknown_and_empty_files():
    """Of a file in no known format the caller says that it was not read; an empty file says nothing."""
    assert read(b"\x00\x01\x02\x03\xfe" * 20).recognised is False
    assert read(b"  \r\n").recognised is True
    assert read(b"  \r\n").unreadable == ()


# --- mail ---


def message_of(data, name="file"):
    (piece,) = [piece for piece in read(data, name).pieces if piece.message is not None]
    return piece


def test_mail_and_draft():
    """A mail is passed on; a draft is the sender's own words."""
    head = b"From: jo@home.example\r\nSubject: Hi\r\n"
    sent, draft = (
        message_of(head + b"\r\nlovely\r\n", "a.eml"),
        message_of(head + b"X-Unsent: 1\r\n\r\nx\r\n", "a.eml"),
    )
    assert (sent.kind, draft.kind) == (PassageKind.ATTACHMENT, PassageKind.BODY)


def test_text_that_only_looks_like_a_mail():
    """A text file with lines like a mail's header is opened as text, and is the sender's own."""
    text = "From: jo@home.example\nSubject: Hi\n\nYou looked lovely"
    assert said(text.encode(), "note.txt") == {"": (text, False)}


def test_text_before_the_mark_of_a_pdf():
    """A text file in which the mark of another format stands is read as text too."""
    text = b"You looked lovely %PDF-1.7"
    assert said(text, "note.txt")["as text"][0] == text.decode()


def test_outlook_message():
    """A .msg file becomes a mail with its sender, its subject, all bodies, its files and the mails in it."""
    inner = msg({0x0037: "Inner", 0x1000: "inner words"}, head=24)
    file = {
        "__properties_version1.0": bytes(8),
        "__substg1.0_3707001F": "note.txt".encode("utf-16-le"),
        "__substg1.0_37010102": b"words in a file",
    }
    mail = {"__properties_version1.0": bytes(8), "__substg1.0_3701000D": inner}
    texts = {0x0037: "Your case", 0x0C1A: "Jo", 0x5D01: "jo@home.example", 0x1000: "plain words"}
    data = compound(msg(texts, (file, mail), _1013=b"<p>rich words</p>"))
    piece = message_of(data, "a.msg")
    spoken = decoded(piece.message, Limits())
    assert piece.kind is PassageKind.ATTACHMENT
    assert spoken["subject"] == "Your case"
    assert {"plain words", "rich words", "words in a file", "inner words"} <= {
        text.strip() for text in spoken.values()
    }
    assert b"From: Jo <jo@home.example>" in piece.message


def test_unsent_outlook_message_and_template_are_the_senders_own():
    """Who passes on a draft wrote it."""
    assert message_of(compound(msg({0x1000: "lovely"}, flags=8))).kind is PassageKind.BODY
    assert message_of(compound(msg({0x1000: "lovely"})), "a.oft").kind is PassageKind.BODY


def test_winmail():
    """winmail.dat is the sender's own mail: its RTF body and its files are read."""
    properties = mapi_properties(
        (0x0037, 0x1F, "Your case\0".encode("utf-16-le")), (0x1009, 0x102, stored_rtf(r"{\rtf1 lovely}"))
    )
    data = tnef(
        (0x069003, properties), (0x069002, bytes(14)), (0x018010, b"note.txt\0"), (0x06800F, b"in a file")
    )
    piece = message_of(data, "winmail.dat")
    assert piece.kind is PassageKind.BODY
    assert {"Your case", "lovely", "in a file", "note.txt"} <= set(decoded(piece.message, Limits()).values())


def test_winmail_that_breaks_off_is_named():
    """A length beyond the end of winmail.dat is named; what came before is read."""
    data = tnef((0x02800C, b"lovely\0"), (0x06800F, b"x" * 100))[:-50]
    assert unread(data) == [("", "attachment-not-read")]
    assert b"bG92ZWx5" in message_of(data).message


def test_compressed_rtf():
    """RTF in Outlook's own packing (the example of MS-OXRTFCP 4.1) is unpacked."""
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert rtf_of(packed, Collector(Limits())) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_opaque_signature():
    """What is signed inside an S/MIME signature is read as the sender's own; nothing is called encrypted."""
    piece = message_of(signed(b"Content-Type: text/plain\r\n\r\nYou looked lovely\r\n"))
    assert piece.kind is PassageKind.BODY
    assert piece.message == b"Content-Type: text/plain\r\n\r\nYou looked lovely\r\n"


# --- texts and cards ---


def test_card_and_calendar():
    """A visiting card says its values, a calendar what it invites to; a photograph in a card is named."""
    card = b"BEGIN:VCARD\nVERSION:3.0\nFN:Sam Patel\nNOTE:You looked\\nlovely\nPHOTO;ENCODING=b:AAAA\nEND:VCARD\n"
    assert said(card) == {"": ("Sam Patel\nYou looked\nlovely", False)}
    assert unread(card) == [("", "picture")]
    calendar = read(b"BEGIN:VCALENDAR\nSUMMARY:Dinner\nEND:VCALENDAR\n").pieces
    assert [(piece.text, piece.kind) for piece in calendar] == [("Dinner", PassageKind.CALENDAR)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252"])
def test_text_in_any_encoding(encoding):
    """A text file is read whatever it is called and however it is encoded."""
    assert said("You looked lovely, café".encode(encoding), "x.bin")[""][0] == "You looked lovely, café"


def test_web_page():
    """A web page says what it shows, and apart from that what it hides."""
    page = b"<!DOCTYPE html><p>You looked</p><p style='display:none'>lovely</p><img alt='us'>"
    assert said(page) == {"": ("You looked", False), "hidden": ("lovely", True), "alt": ("us", False)}


# --- pictures ---


def test_pictures_are_told_apart_by_size():
    """A picture of at most so many pixels is small; one whose size nobody can tell is not."""
    assert unread(png(256, 256)) == [("", "small-picture")]
    assert unread(png(257, 256)) == [("", "picture")]
    assert unread(png(16, 16), small_picture_pixels=0) == [("", "picture")]
    assert unread(b"\x89PNG\r\n\x1a\n" + bytes(20)) == [("", "picture")]
    assert unread(b"\xff\xd8\xff\xe0 cut off") == [("", "picture")]


def test_small_picture_that_carries_much_is_not_small():
    """Behind a small picture a large one may follow: octets count too."""
    assert unread(png(16, 16) + bytes(300_000)) == [("", "picture")]


def test_words_in_the_properties_of_a_picture():
    """Comments of PNG and JPEG, and Exif descriptions, are read as hidden."""
    assert said(png(9, 9, "You looked lovely")) == {"properties": ("You looked lovely", True)}
    words = b"You looked lovely\0"
    exif = (
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<2H2I", 0x010E, 2, len(words), 26) + bytes(4) + words
    )
    jpeg = (
        b"\xff\xd8\xff\xe1"
        + struct.pack(">H", len(exif) + 2)
        + exif
        + b"\xff\xfe\0\x07hello"
        + b"\xff\xda\0\2"
    )
    assert said(jpeg) == {"properties": ("You looked lovely\nhello", True)}


# --- what it is called and what it is ---


@pytest.mark.parametrize(
    ("data", "name", "media"),
    [
        (docx(paragraph("x")), "photo.jpg", ""),
        (b"just words", "photo.png", "image/png"),
        (pdf(shown("x")), "letter.docx", ""),
        (png(9, 9), "letter.pdf", ""),
        (zipped({"a.txt": b"x"}), "notes.txt", ""),
        (b"just words", "", "application/pdf"),
    ],
)
def test_names_that_disagree_with_the_content_are_named(data, name, media):
    """Whoever gets a file opens it by its name: a name of another format is named, and the content is read."""
    assert ("", "ambiguous") in unread(data, name, media)


@pytest.mark.parametrize(
    ("data", "name", "media"),
    [
        (b"{\\rtf1 x}", "letter.doc", "application/msword"),
        (b"<html><p>x</p></html>", "report.xls", "application/vnd.ms-excel"),
        (docx(paragraph("x")), "letter.docx", "application/octet-stream"),
        (docx(paragraph("x")), "letter.docx", "application/zip"),
        (b"a,b\n1,2\n", "table.csv", "application/vnd.ms-excel"),
        (b"BEGIN:VCALENDAR\nSUMMARY:x\nEND:VCALENDAR", "invite.ics", "text/plain"),
        (b"BM is a band, MZ is not", "notes.txt", ""),
        (b"From: one\nside to the other, a story", "story.txt", ""),
    ],
)
def test_names_that_programs_open_alike_are_not_named(data, name, media):
    """What Word and Excel open under a name is no disagreement."""
    assert [
        one.reason for one in read(data, name, media).unreadable if one.reason is UnreadableReason.AMBIGUOUS
    ] == []


def test_file_of_two_formats_is_read_as_both():
    """A PDF with a zip archive behind it says what either of them says."""
    data = pdf(shown("a letter")) + zipped({"note.txt": b"You looked lovely"})
    pieces = said(data)
    assert pieces[""][0] == "a letter"
    assert pieces["zip/note.txt"][0] == "You looked lovely"
    assert ("", "ambiguous") in unread(data)


def test_paths_are_fit_to_print():
    """A name of a member cannot break a line, hide the path or be without end."""
    data = zipped({"a\n\x1b[2J\u2028" + "x" * 500: b"hello"})
    (path,) = [path for path, (text, _) in said(data).items() if text == "hello"]
    assert path.isprintable()
    assert len(path) <= 120
