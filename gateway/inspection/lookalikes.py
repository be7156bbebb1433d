"""Letters of other alphabets that look like Latin ones: what a reader takes them for.

Owns the table: Unicode's own confusables (Technical Standard 39, by way of confusable-homoglyphs) for the letters that
nobody can tell apart, and beside them those that are merely read so, since a person reads a word and not a letter:
small capitals, letters with strokes, and the alphabets of the "fancy text" pages. Refuses to know what is matched.
Stands below `shadow`. A word of another language becomes nonsense by it, which matches nothing; the language itself is
told from the text as it was written.
"""

# ruff: noqa: RUF001  # the table is made of such letters

import json
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

_READ_AS: Final = {
    "a": "ᴀΛλᗩ卂คѦⱥªдﾑǟ", "b": "ʙβвЪъҍƀƃɓ乃๒🅱ɮᛒ฿ც", "c": "ςҫƈȼ匚ⅽↄᑕↃɕ", "d": "ᴅđƌɖɗðÐĐᗪ๔Ɖⅾԃ",
    "e": "ᴇεєэɛҿ乇Σξ℮ɇҽЄə", "f": "ꜰƒ千Ŧʄғϝ", "g": "ɢǥɠﻮᎶ", "h": "ʜнђћħɦ卄һңҥĦһ", "i": "ɨเ丨ίїΐꟾІ", "j": "ᴊʝﾌנʲɉյ",
    "k": "ᴋκкҜқҡӄƙҝК", "l": "ʟłŁℓɭㄥןƖℒⱠƚŀւ", "m": "ᴍмɱ爪๓ლო", "n": "ɴηпиņɳɲ几ภกИӣήռոΠℵ刀ᑎ", "o": "øØӨөΘθ๏ㄖσөợơ",
    "p": "ᴘρþÞ卩קƿ", "q": "ɊqϙԚɋợզ", "r": "ʀяЯгɍɾɽ尺ཞ", "s": "ꜱรꙅ丂ȿʂᔕֆ", "t": "ᴛтτŧƭҭㄒՇʈҬԵ", "u": "ᴜцυμµยㄩʉʊมṵ", "v": "ѵṿν√שᐺ۷",
    "w": "ᴡшщωῳ山ฬɯѡᗯա", "x": "χҳӽ×✕✖乂ჯﾒ✗✘᙭", "y": "ʏуўγץㄚɏчყүӌ", "z": "ʐƶ乙ᘔȥʑչɀ",
}  # fmt: skip
"""Latin letter: what is read as it though nobody would confuse the two."""
_RATHER: Final = {"\u04cf": "l"}
"""Where the standard's prototype is not what a reader sees in a word: it gives palochka an i."""
_LIGATURES: Final = {
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "ß": "ss",
    "ẞ": "SS",
    "ꝏ": "oo",
    "ʣ": "dz",
    "ʦ": "ts",
}
_ENCLOSED: Final = ((0x1F150, 0x1F16A), (0x1F170, 0x1F18A))
"""White letters on black circles and squares, which have no compatibility form; those on white have."""
_DIGITS: Final = {char: str(number % 10) for number, char in enumerate("⓿❶❷❸❹❺❻❼❽❾")}


def latin(char: str) -> str:
    """Return the Latin letters, or the digit, that a reader takes ``char`` for; nothing when it looks like none."""
    return _table().get(char, "")


@cache
def _table() -> dict[str, str]:
    table = dict(_of_unicode())
    for letter, looks in _READ_AS.items():
        for char in looks:
            if not char.isascii():
                table.setdefault(char, letter)
    table |= _LIGATURES | _DIGITS | _RATHER
    for first, end in _ENCLOSED:
        table |= {chr(point): chr(ord("A") + point - first) for point in range(first, end)}
    return table


def _of_unicode() -> Iterator[tuple[str, str]]:
    """Yield the letters of the standard's table whose prototype is Latin.

    Its prototype of a capital I is a small L. A letter whose small form looks like i is read as I.
    """
    source = files("confusable_homoglyphs").joinpath("confusables.json").read_text(encoding="utf-8")
    known: dict[str, list[dict[str, str]]] = json.loads(source)
    found: dict[str, str] = {}
    for char, looks in known.items():
        if len(char) == 1 and not char.isascii() and unicodedata.category(char).startswith("L"):
            letters = [look["c"] for look in looks if look["c"].isascii() and look["c"].isalpha()]
            if letters:
                found[char] = {"rn": "m"}.get(letters[0], letters[0])
    for char, letter in found.items():
        small = found.get(char.lower(), "")
        yield char, small.upper() if letter == "l" and char.lower() != char and small else letter
