"""Words in pictures, read by Tesseract where the settings name its models."""

import io
import struct
from pathlib import Path

import pytest
from attachment_files import docx, pdf, png, stream_object, zipped

from gateway.extract import attachments
from gateway.model import Limits

MODELS = "/usr/share/tesseract-ocr/5/tessdata"
LIMITS = Limits(picture_models=MODELS)
LETTER = "Your statement can be signed on Tuesday. " * 6


@pytest.fixture(scope="module", autouse=True)
def reader():
    pytest.importorskip("tesserocr")
    if not Path(MODELS, "eng.traineddata").is_file():
        pytest.skip("tesseract-ocr-eng is not installed")


def picture(text, *, size=(700, 120), form="PNG", ink="black", paper="white"):
    """A picture of ``text`` in the typeface that comes with Pillow."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", size, paper)
    ImageDraw.Draw(image).multiline_text((30, 30), text, font=ImageFont.load_default(26), fill=ink)
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def read(data, name=""):
    found = attachments.read(data, "", name, LIMITS)
    return {piece.path: piece.text for piece in found.pieces}, [str(one.reason) for one in found.unreadable]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_words_in_a_picture_are_read_and_the_picture_is_named(form):
    """The words of a screenshot are read; as they are few it stays a picture, whatever else it shows."""
    words, reasons = read(picture("You looked lovely on Monday", form=form))
    assert words == {"words in the picture": "You looked lovely on Monday"}
    assert reasons == ["picture"]


def test_white_words_on_black_are_read():
    """A screenshot in dark mode says the same."""
    words, _ = read(picture("Are you free for a drink", ink="white", paper="#202020"))
    assert words == {"words in the picture": "Are you free for a drink"}


def test_page_of_text_counts_as_read():
    """A scanned letter is read like a letter."""
    lines = "\n".join(LETTER[i : i + 41] for i in range(0, len(LETTER), 41))
    words, reasons = read(picture(lines, size=(700, 320)))
    assert words["words in the picture"].split() == LETTER.split()
    assert reasons == []


def test_picture_in_a_document_and_scanned_page_of_a_pdf():
    """Pictures are read wherever they are: in a document, in an archive, as the page of a PDF."""
    from PIL import Image

    shown = picture("You looked lovely on Monday")
    inside = zipped({"a.docx": docx("", **{"word/media/image1.png": shown})})
    assert "You looked lovely on Monday" in read(inside)[0].values()
    image = Image.open(io.BytesIO(shown)).convert("L")
    object_ = stream_object(
        image.tobytes(),
        f"/Type/XObject/Subtype/Image/Width {image.width}/Height {image.height}/ColorSpace/DeviceGray/BitsPerComponent 8",
    )
    words, reasons = read(pdf("q 580 0 0 100 10 500 cm /X Do Q", objects=(object_,)))
    assert words == {"page 1/words in the picture": "You looked lovely on Monday"}
    assert reasons == ["picture"]


def test_pictures_that_cannot_be_decoded_are_named():
    """A damaged picture, one of four gigapixels and one in no known format stay pictures without words."""
    huge = bytearray(png(8, 8))
    struct.pack_into(">2I", huge, 16, 65_535, 65_535)
    for data in (bytes(huge), picture("words")[:200], b"8BPS\x00\x01" + bytes(40)):
        assert read(data) == ({}, ["picture"])


def test_small_picture_without_words_stays_small():
    """A logo is a logo whether or not pictures are read."""
    assert read(png(40, 40)) == ({}, ["small-picture"])
