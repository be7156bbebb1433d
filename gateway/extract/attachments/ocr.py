"""Words in pictures, by Tesseract (the extra ``ocr``), with the models of the folder that the settings name.

Owns the engine, one in a process, loaded at its first use, and how a picture is made ready for it. Refuses to know
files and policy. Used by `pictures`.

A picture is read twice at most: as it is, which is right for screenshots and scans; and, when that gives next to
nothing, smoothed and with a local threshold, as words that are scattered over a photograph need. Both ways were
measured (docs/decisions/0014).
"""

import re
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

_FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_MOST_PIXELS: Final = 50_000_000
"""Larger than any telephone's camera makes; a picture of more is not decoded."""
_SMALLEST_SIDE: Final = 1200
"""Pixels of the longer side below which a picture is enlarged, up to threefold: small print is lost otherwise."""
_LARGEST_SIDE: Final = 2400
_FEW_WORDS: Final = 3
_SURE, _FAIRLY_SURE = 40, 50
"""Confidence in hundredths below which a word is taken for a pattern, in the first and in the second reading."""
_AS_PAGE, _SCATTERED = 3, 11
_OTSU, _SAUVOLA = "0", "2"
_SMOOTHING: Final = 2


def text_of(data: bytes, models: str) -> str | None:
    """Return the words that a picture shows, or None when it cannot be decoded or is too large."""
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return None
            picture.draft("L", (_LARGEST_SIDE, _LARGEST_SIDE))
            upright = ImageOps.exif_transpose(picture)
            grey = _flat(upright).convert("L")
    except (OSError, ValueError, SyntaxError, OverflowError, Image.DecompressionBombError):
        return None
    return _text(grey, models)


def text_of_pixels(grey: bytes, width: int, height: int, models: str) -> str:
    """Return the words that grey pixels show."""
    from PIL import Image

    return _text(Image.frombytes("L", (width, height), grey), models)


def _flat(picture: Any) -> Any:
    """Return ``picture`` on white where it is transparent."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    layers = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)


def _text(grey: Any, models: str) -> str:
    from PIL import ImageFilter, ImageOps

    ready = _scaled(ImageOps.autocontrast(grey))
    words = _words(ready, models, _AS_PAGE, _OTSU, _SURE)
    if len(words.split()) < _FEW_WORDS:
        smooth = ready.filter(ImageFilter.GaussianBlur(_SMOOTHING))
        words = max(words, _words(smooth, models, _SCATTERED, _SAUVOLA, _FAIRLY_SURE), key=len)
    return words


def _scaled(grey: Any) -> Any:
    from PIL import Image

    longer = max(grey.size)
    if longer < _SMALLEST_SIDE:
        factor = max(1, min(3, round(_SMALLEST_SIDE / longer)))
        return grey.resize((grey.width * factor, grey.height * factor), Image.Resampling.LANCZOS)
    grey.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    return grey


def _words(grey: Any, models: str, layout: int, threshold: str, sure: int) -> str:
    """Return the words that Tesseract is ``sure`` of, line by line."""
    engine = _engine(models)
    engine.SetVariable("thresholding_method", threshold)
    engine.SetPageSegMode(layout)
    engine.SetImage(grey)
    text = engine.GetUTF8Text()
    confidences = iter(engine.AllWordConfidences())
    text = re.sub(r"(?<!\S)\|(?!\S)", "I", text)  # a lone upright is the word more often than a line
    lines = ([word for word in line.split() if next(confidences, 0) >= sure] for line in text.splitlines())
    engine.Clear()
    return "\n".join(" ".join(line) for line in lines if line)


@lru_cache(maxsize=1)
def _engine(models: str) -> Any:
    import tesserocr

    engine = tesserocr.PyTessBaseAPI(path=models, lang="eng")
    engine.SetVariable("debug_file", "/dev/null")  # it would write about pictures to the worker's stderr
    return engine
