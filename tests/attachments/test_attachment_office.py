"""What Office and OpenDocument files say, wherever in them it stands."""

import struct

import pytest
from attachment_files import (
    DRAWING,
    compound,
    core_properties,
    docx,
    excel97,
    links,
    odt,
    paragraph,
    png,
    powerpoint97,
    pptx,
    property_set,
    record,
    word97,
    word_part,
    xlsx,
    zipped,
)

from gateway.extract import attachments
from gateway.model import Limits


def said(data, name="file", **limits):
    """Return path -> (text, hidden) of a file."""
    found = attachments.read(data, "", name, Limits(**limits))
    assert len({piece.path for piece in found.pieces}) == len(found.pieces)
    return {piece.path: (piece.text, piece.hidden) for piece in found.pieces}


def unread(data, name="file", **limits):
    found = attachments.read(data, "", name, Limits(**limits))
    return [(one.path, str(one.reason)) for one in found.unreadable]


def test_word_document_is_read_in_order():
    """Paragraphs, tabs, breaks and table cells come in the order of the document, and nothing is unread."""
    body = (
        paragraph("Dear Jo,")
        + "<w:p><w:r><w:t>You</w:t><w:tab/><w:t>looked</w:t><w:br/><w:t>lovely</w:t></w:r></w:p>"
    )
    data = docx(body + f"<w:tbl><w:tr><w:tc>{paragraph('cell')}</w:tc></w:tr></w:tbl>")
    assert said(data) == {"": ("Dear Jo,\nYou\tlooked\nlovely\ncell", False)}
    assert unread(data, "letter.docx") == []


def test_hidden_white_and_tiny_words_are_kept_apart():
    """Words that Word does not show, or shows in white or in two points, are read and marked hidden."""
    body = (
        paragraph("seen")
        + paragraph("vanished", "<w:vanish/>")
        + paragraph("white", '<w:color w:val="FFFFFF"/>')
    )
    body += paragraph("tiny", '<w:sz w:val="2"/>') + paragraph("shown", '<w:vanish w:val="0"/>')
    assert said(docx(body)) == {"": ("seen\n\n\n\nshown", False), "hidden": ("vanished\nwhite\ntiny", True)}


def test_deleted_words_are_hidden_and_inserted_words_are_text():
    """Tracked changes: what was inserted is the text, what was deleted is read as hidden."""
    body = "<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>"
    assert said(docx(body)) == {"": ("new", False), "hidden": ("old", True)}


def test_mark_of_a_deleted_paragraph_hides_nothing_after_it():
    """A paragraph mark that was deleted (w:del in run properties) is no deletion of what follows."""
    body = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>still</w:t></w:r></w:p>" + paragraph("here")
    assert said(docx(body)) == {"": ("still\nhere", False)}


def test_text_box_is_read_once_and_its_old_form_only_where_it_differs():
    """A text box comes after the text; the form for old programs is said only if it says something else."""
    box = "<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent>{0}</w:txbxContent></mc:Choice>"
    box += "<mc:Fallback><w:txbxContent>{1}</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    same = docx(paragraph("text") + box.format(paragraph("boxed"), paragraph("boxed")))
    other = docx(paragraph("text") + box.format(paragraph("boxed"), paragraph("lovely")))
    assert said(same) == {"": ("text", False), "text boxes": ("boxed", False)}
    assert said(other)["text boxes for old programs"] == ("lovely", False)


def test_places_beside_the_text_are_read():
    """Comments, footnotes, headers, properties, link targets, fields, alternative texts and WordArt are read."""
    body = paragraph("text") + '<w:p><w:r><w:instrText>QUOTE "lovely"</w:instrText></w:r></w:p>'
    body += '<w:p><wp:docPr descr="a picture of us" title=""/><v:textpath string="Kisses"/></w:p>'
    data = docx(
        body,
        **{
            "word/comments.xml": word_part("comments", f"<w:comment>{paragraph('a comment')}</w:comment>"),
            "word/footnotes.xml": word_part("footnotes", paragraph("a note")),
            "word/header1.xml": word_part("hdr", paragraph("a header")),
            "docProps/core.xml": core_properties(title="The title", keywords="one two", revision="7"),
            "docProps/custom.xml": '<P><property name="Mine"><lpwstr>my value</lpwstr></property></P>',
            "word/_rels/document.xml.rels": links("https://home.example/x%20y", "mailto:sam@home.example"),
            "word/settings.xml": word_part("settings", '<w:docVar w:name="n" w:val="a variable"/>'),
            "customXml/item1.xml": "<bound>bound words</bound>",
        },
    )
    assert said(data) == {
        "": ("text", False),
        "fields": ('QUOTE "lovely"', True),
        "alt": ("a picture of us\nKisses", False),
        "word/comments.xml": ("a comment", False),
        "word/footnotes.xml": ("a note", False),
        "word/header1.xml": ("a header", False),
        "docProps/core.xml:title": ("The title", True),
        "docProps/core.xml:keywords": ("one two", True),
        "docProps/custom.xml:Mine": ("my value", True),
        "word/_rels/document.xml.rels": ("https://home.example/x y\nmailto:sam@home.example", True),
        "word/settings.xml/alt": ("a variable", False),
        "customXml/item1.xml": ("bound words", True),
    }


def test_macros_and_embedded_files_of_a_document():
    """A program in a document is named; a file in it is read; a picture in it is named by its size."""
    data = docx(
        paragraph("text"),
        **{
            "word/vbaProject.bin": b"\xd0\xcf\x11\xe0 program",
            "word/embeddings/inner.docx": docx(paragraph("inner words")),
            "word/media/image1.png": png(40, 20),
            "word/media/image2.png": png(400, 300),
            "docProps/thumbnail.jpeg": b"\xff\xd8\xff\xe0 a preview",
            "word/fonts/font1.odttf": b"\x00\x01 font",
        },
    )
    assert said(data)["word/embeddings/inner.docx"] == ("inner words", False)
    assert unread(data) == [
        ("docProps/thumbnail.jpeg", "small-picture"),
        ("word/vbaProject.bin", "macros"),
        ("word/media/image1.png", "small-picture"),
        ("word/media/image2.png", "picture"),
    ]


def test_prefixes_of_elements_do_not_matter():
    """A writer may choose other prefixes than Word does."""
    xml = f'<x:document xmlns:x="{DRAWING.replace("drawingml", "wordprocessingml")}"><x:p><x:r><x:t>lovely</x:t></x:r></x:p></x:document>'
    data = docx("", **{"word/document.xml": xml})
    assert said(data)[""] == ("lovely", False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_words_in_a_part_that_should_have_none(encoding):
    """Relations can make any part the document: words in styles and themes are read too."""
    xml = (
        word_part("document", paragraph("You looked lovely"))
        .replace('<?xml version="1.0"?>', "")
        .encode(encoding)
    )
    assert said(docx("", **{"word/styles.xml": xml}))["word/styles.xml"] == ("You looked lovely", False)
    assert said(docx("", **{"word/theme/theme1.xml": xml}))["word/theme/theme1.xml"] == (
        "You looked lovely",
        False,
    )


def test_rows_of_a_sheet_are_lines_in_order():
    """Cells follow each other as the eye reads them, so that a phrase over two cells stays a phrase."""
    rows = (
        '<sheetData><row><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>'
        '<row><c r="A2"><v>7700900123</v></c><c r="B2" t="inlineStr"><is><t>inline</t></is></c>'
        '<c r="C2" t="str"><f>"Come "&amp;"over"</f><v>stored</v></c></row></sheetData>'
    )
    data = xlsx({"Visits": ("visible", rows)}, ["lovely", "You looked", "left over"])
    sheet = "xl/worksheets/sheet0.xml"
    assert said(data) == {
        f"{sheet}:name": ("Visits", False),
        sheet: ("You looked\tlovely\n7700900123\tinline\tstored", False),
        f"{sheet}/formulas and prompts": ("Come over", False),
        "xl/sharedStrings.xml": ("left over", True),
    }


def test_hidden_rows_columns_and_sheets():
    """What Excel does not show is read and marked hidden."""
    rows = (
        '<cols><col min="2" max="2" hidden="1"/></cols><sheetData><row><c r="A1" t="str"><v>seen</v></c>'
        '<c r="B1" t="str"><v>column</v></c></row><row hidden="1"><c r="A2" t="str"><v>row</v></c></row></sheetData>'
        '<dataValidation promptTitle="Tip" prompt="a prompt"/><oddFooter>&amp;Lfoot</oddFooter>'
    )
    secret = '<sheetData><row><c t="str"><v>secret</v></c></row></sheetData>'
    pieces = said(xlsx({"Visits": ("visible", rows), "Own": ("veryHidden", secret)}))
    sheet = "xl/worksheets/sheet0.xml"
    assert pieces[sheet] == ("seen", False)
    assert pieces[f"{sheet}/hidden"] == ("column\nrow", True)
    assert pieces[f"{sheet}/formulas and prompts"] == ("Tip\na prompt\n&Lfoot", False)
    assert pieces["xl/worksheets/sheet1.xml"] == ("secret", True)
    assert pieces["xl/worksheets/sheet1.xml:name"] == ("Own", True)


def test_words_in_a_number_format():
    """A number format can show words that stand in no cell."""
    styles = '<styleSheet><numFmt formatCode="&quot;You looked lovely&quot;"/></styleSheet>'
    data = xlsx({"A": ("visible", "<sheetData/>")}, **{"xl/styles.xml": styles})
    assert "You looked lovely" in said(data)["xl/styles.xml/alt"][0]


def test_slides_come_in_their_order_with_notes():
    """Slide 10 comes after slide 2; a hidden slide is marked; notes are read; what a layout asks for is hidden."""
    layout = (
        f'<p:sldLayout xmlns:p="urn:p" xmlns:a="{DRAWING}"><p:sp><p:ph/><a:p><a:r><a:t>Click here</a:t></a:r></a:p></p:sp>'
        "<p:sp><a:p><a:r><a:t>On every slide</a:t></a:r></a:p></p:sp></p:sldLayout>"
    )
    notes = f'<p:notes xmlns:p="urn:p" xmlns:a="{DRAWING}"><a:p><a:r><a:t>a note</a:t></a:r></a:p></p:notes>'
    slides = [("", f"slide {n}") for n in range(1, 11)]
    slides[2] = ('show="0"', "slide 3")
    pieces = said(
        pptx(
            slides, **{"ppt/notesSlides/notesSlide1.xml": notes, "ppt/slideLayouts/slideLayout1.xml": layout}
        )
    )
    order = [path for path in pieces if path.startswith("ppt/slides/")]
    assert order == [f"ppt/slides/slide{n}.xml" for n in range(1, 11)]
    assert pieces["ppt/slides/slide3.xml"] == ("slide 3", True)
    assert pieces["ppt/notesSlides/notesSlide1.xml"] == ("a note", False)
    assert pieces["ppt/slideLayouts/slideLayout1.xml"] == ("On every slide", False)
    assert pieces["ppt/slideLayouts/slideLayout1.xml/hidden"] == ("Click here", True)


def test_open_document_text():
    """OpenDocument: spaces, tabs, comments, deleted and hidden text, alternative texts, links, properties."""
    styles = '<style:style style:name="H"><style:text-properties text:display="none"/></style:style>'
    body = (
        "<text:tracked-changes><text:deletion><text:p>old</text:p></text:deletion></text:tracked-changes>"
        '<text:h>Head</text:h><text:p>You<text:s text:c="2"/>looked<text:tab/>lovely'
        "<office:annotation><dc:date>2026</dc:date><text:p>a comment</text:p></office:annotation></text:p>"
        '<text:p text:style-name="H">secret</text:p><text:a xlink:href="https://home.example/">link</text:a>'
        "<draw:frame><svg:desc>two of us</svg:desc></draw:frame>"
    )
    meta = '<m xmlns:d="urn:d"><d:title>The title</d:title><d:creation-date>2026</d:creation-date></m>'
    assert said(odt(body, styles, **{"meta.xml": meta})) == {
        "": ("Head\nYou  looked\tlovely\nlinktwo of us", False),
        "comments": ("a comment", False),
        "hidden": ("old\nsecret", True),
        "links": ("https://home.example/", True),
        "meta.xml:title": ("The title", True),
    }


def test_open_document_with_a_password():
    """An encrypted OpenDocument file is named as such, and nothing of it is taken for text."""
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    data = odt("\x00\x01 ciphertext", **{"META-INF/manifest.xml": manifest})
    assert said(data) == {}
    assert unread(data) == [("", "encrypted")]


def test_flat_open_document_and_other_xml():
    """A flat OpenDocument is read as one; of any other XML the texts and visible attributes are read."""
    flat = b'<office:document xmlns:office="urn:o" xmlns:text="urn:t"><text:p>one</text:p><text:p>two</text:p></office:document>'
    assert said(flat) == {"": ("one\ntwo", False)}
    drawing = b'<svg xmlns="urn:s"><title>tip</title><text>You looked</text><text>lovely</text></svg>'
    assert said(drawing) == {"": ("tip\nYou looked\nlovely", False)}


def test_damaged_part_of_a_document_is_named_and_the_rest_is_read():
    """XML that breaks off is read as far as it goes, and named so that policy can hold."""
    data = docx("", **{"word/document.xml": word_part("document", paragraph("You looked"))[:-30]})
    assert said(data)[""] == ("You looked", False)
    assert unread(data) == [("", "attachment-not-read")]


def test_old_word_file():
    """A Word 97 file: its text, its properties, its macros."""
    tree = word97("You looked\rlovely\x07") | {
        "\x05SummaryInformation": property_set(title="The title", author="Sam"),
        "Macros": {"VBA": {"ThisDocument": b"program"}},
    }
    data = compound(tree)
    assert said(data) == {
        "": ("You looked\nlovely", False),
        "SummaryInformation:title": ("The title", True),
        "SummaryInformation:author": ("Sam", True),
    }
    assert unread(data)[0] == ("Macros", "macros")


def test_old_excel_and_powerpoint_files():
    """Strings of cells and sheet names of Excel 97, texts of PowerPoint 97."""
    assert said(compound(excel97("You looked", "lovely"))) == {
        "": ("You looked\nlovely", False),
        "names, comments and links": ("Secret (hidden sheet)", False),
    }
    assert said(compound(powerpoint97("Title", "Body"))) == {"": ("Title\nBody", False)}


def test_long_string_of_excel_goes_on_in_the_next_record():
    """A string that is split between two records, the second half in another width, is one string."""
    first = struct.pack("<2I", 1, 1) + struct.pack("<HB", 10, 0) + b"You "
    second = b"\x01" + "looked".encode("utf-16-le")
    stream = record(0x0809, bytes(16)) + record(0x00FC, first) + record(0x003C, second)
    assert said(compound({"Workbook": stream})) == {"": ("You looked", False)}


def test_office_files_with_a_password():
    """Encrypted Office files of all generations are named as encrypted."""
    assert unread(compound({"EncryptedPackage": b"x" * 5000, "EncryptionInfo": b"y"})) == [("", "encrypted")]
    assert unread(compound(word97("secret", flags=0x0100))) == [("", "encrypted")]
    assert unread(compound({"Workbook": record(0x0809, bytes(16)) + record(0x2F, bytes(6))})) == [
        ("", "encrypted")
    ]
    crypt = struct.pack("<2HI", 0x0F, 0x2F14, 8)
    assert unread(compound({"PowerPoint Document": crypt})) == [("", "encrypted")]


def test_compound_file_of_another_kind_is_not_read():
    """An OLE file that is no document says so."""
    assert unread(compound({"Something": b"else"})) == [("", "attachment-not-read")]


def test_file_packed_in_an_object():
    """A file that was dropped into an old document is read under its own name."""
    inner = b"You looked lovely"
    native = struct.pack("<H", 2) + b"note.txt\0C:\\note.txt\0" + struct.pack("<HHI", 0, 3, 6) + b"C:\\n.t"
    native += struct.pack("<I", len(inner)) + inner
    tree = word97("text") | {
        "ObjectPool": {"_1": {"\x01Ole10Native": struct.pack("<I", len(native)) + native}}
    }
    pieces = said(compound(tree))
    assert pieces["ObjectPool/_1/object/note.txt"] == ("You looked lovely", False)
    assert pieces["ObjectPool/_1/object/note.txt/name"] == ("note.txt", False)


def test_document_in_an_archive_in_an_archive():
    """What lies deeper is read under the path to it."""
    data = zipped({"outer/inner.zip": zipped({"letter.docx": docx(paragraph("lovely"))})})
    assert said(data)["outer/inner.zip/letter.docx"] == ("lovely", False)
