"""Words found in pictures by the reader of the extra ``ocr``: how many, in what time, with how much memory.

Draws screenshots, pages, handwriting and photographs of print, reads them, and prints a line for each:
``python -m bench.pictures [FOLDER_OF_MODELS]``. The typefaces are Debian's fonts-liberation, fonts-humor-sans,
fonts-breip, fonts-dkg-handwriting, fonts-dancingscript, fonts-femkeklaver and fonts-comic-neue; a picture whose
typeface is missing is left out, and said so.
"""

import io
import resource
import sys
import time

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from gateway.extract.attachments import ocr

MODELS = "/usr/share/tesseract-ocr/5/tessdata"
SANS, SERIF = "LiberationSans-Regular.ttf", "LiberationSerif-Regular.ttf"
TEXTS = (
    "You looked lovely on Monday.", "Are you free for a drink after work?", "Do not tell anybody about us x",
    "Text me on 07700 900123 tonight", "I cannot stop thinking about you.", "The trial starts on 3 March at 10 am.",
    "Your property can be collected from the front desk.", "Come over to mine, I will cook dinner.",
)  # fmt: skip
HANDS = (
    "Humor-Sans.ttf",
    "Breip.ttf",
    "dkg.ttf",
    "DancingScript-Regular.otf",
    "femkeklaver.ttf",
    "ComicNeue-Regular.otf",
)


def typed(text, face, size, ink="black", paper="white", pad=20):
    font = ImageFont.truetype(face, size)
    right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)[2:]
    picture = Image.new("RGB", (int(right) + 2 * pad, int(bottom) + 2 * pad), paper)
    ImageDraw.Draw(picture).multiline_text((pad, pad), text, font=font, fill=ink)
    return picture


def photographed(picture, seed, angle, blur, noise):
    turned = picture.rotate(angle, expand=True, fillcolor=(200, 195, 185)).filter(
        ImageFilter.GaussianBlur(blur)
    )
    light = np.linspace(0.7, 1.05, turned.width)[None, :, None]
    grain = np.random.default_rng(seed).normal(0, noise, (turned.height, turned.width, 3))
    return Image.fromarray((np.asarray(turned) * light + grain).clip(0, 255).astype("uint8"))


def grain(seed, width, height, blur):
    pixels = np.random.default_rng(seed).integers(60, 160, (height, width, 3), dtype="uint8")
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur))


def on_a_photograph(text):
    picture = grain(1, 700, 300, 6)
    ImageDraw.Draw(picture).text(
        (40, 120), text, font=ImageFont.truetype("DejaVuSans-Bold.ttf", 30), fill="white"
    )
    return picture


def pictures():
    """Name, text, and how to draw it."""
    for text, size in zip(TEXTS, (14, 16, 18, 22, 28, 12, 15, 32), strict=True):
        yield f"screenshot, {size} px", text, lambda t=text, s=size: typed(t, SANS, s)
    yield "dark mode", TEXTS[0], lambda: typed(TEXTS[0], SANS, 20, "white", "#1e1e1e")
    yield "grey on grey", TEXTS[1], lambda: typed(TEXTS[1], SANS, 20, "#777777", "#eeeeee")
    yield "pink on red", TEXTS[2], lambda: typed(TEXTS[2], SANS, 24, "#ffaaaa", "#cc2222")
    for text, face in zip(TEXTS, HANDS, strict=False):
        yield f"hand {face}", text, lambda t=text, f=face: typed(t, f, 36)
    for number, harm in enumerate(((2, 0.8, 15), (-4, 1.2, 25), (7, 1.5, 35))):
        text = TEXTS[number + 3]
        yield (
            f"telephone {harm}",
            text,
            lambda t=text, n=number, h=harm: photographed(typed(t, SERIF, 30), n, *h),
        )
    yield "on a photograph", TEXTS[4], lambda: on_a_photograph(TEXTS[4])
    page = "\n".join(TEXTS * 4)
    yield "page", page, lambda: typed(page, SERIF, 26, pad=80)
    yield "upside down", TEXTS[0], lambda: typed(TEXTS[0], SANS, 28).rotate(180, expand=True)
    yield "sideways", TEXTS[7], lambda: typed(TEXTS[7], SANS, 28).rotate(90, expand=True)
    yield "no words, 12 megapixels", "", lambda: grain(3, 4000, 3000, 4)


def main(models=MODELS):
    found = wanted = 0
    for name, text, draw in pictures():
        try:
            picture = draw()
        except OSError:
            print(f"{name:36} left out: no such typeface")
            continue
        out = io.BytesIO()
        picture.save(out, "PNG")
        before = time.process_time()
        got = (ocr.text_of(out.getvalue(), models) or "").lower().split()
        spent = time.process_time() - before
        words = text.lower().split()
        hits = sum(word in got for word in words)
        found, wanted = found + hits, wanted + len(words)
        print(f"{name:36} {hits:3} of {len(words):3} words {spent * 1000:6.0f} ms")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{found} of {wanted} words, at most {peak} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
