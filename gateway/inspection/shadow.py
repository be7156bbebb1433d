"""The shadow text: what matching sees instead of the sender's own characters, and the way back.

Owns folding (typographic quotes, accents, look-alike letters, zero-width characters, white space) and the bounds of
sentences. Refuses to know rules. A passage becomes one string, its sentences joined by line feeds; no sentence holds
one. `Shadow.origin` leads from a place in that string to the code point in the passage. A passage with words in
disguise has a second shadow, of what `disguises` makes out in it.

A bound of a sentence is a blank line; the end of a line that does not go on (the next begins with a capital, a
digit or a bullet, or this one closes with punctuation) unless this line was full and so was broken by the mail
client; and ``. ! ?`` before white space, abbreviations and initials apart. Mail is written without full stops
and without capitals: both alone must do.
"""

import re
import string
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.inspection.disguises import Reading, reading_of
from gateway.inspection.lookalikes import latin

MAX_SENTENCE: Final = 1000
"""Characters after which a sentence is cut at white space: bounds the cost of one parse."""
_FULL_LINE: Final = 60
"""A line this long was probably broken by the mail client (they break at 72 to 78)."""
_OPEN_LINE: Final = 25
"""A line shorter than this that ends in a comma is a greeting or a closing."""

_TITLES: Final = frozenset(
    {
        "mr", "mrs", "ms", "mx", "dr", "prof", "rev", "hon", "sgt", "insp", "supt", "det", "st", "no", "nos",
        "e.g", "i.e", "vs", "v", "cf", "fig", *string.ascii_lowercase,
    }
)  # fmt: skip
"""Abbreviations that a name or a number follows, and initials."""
_ABBREVIATIONS: Final = frozenset(
    {
        "a.m", "p.m", "am", "pm", "approx", "ext", "tel", "ref", "para", "eg", "ie", "etc", "jan", "feb",
        "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "tues", "wed",
        "weds", "thur", "thurs", "fri", "sat", "sun",
    }
)  # fmt: skip
"""Abbreviations that may also end a sentence: then a capital follows."""


def _closing(words: Collection[str], separators: str) -> re.Pattern[str]:
    """Return what finds one of ``words`` and its full stop at the end, behind the start or a separator."""
    return re.compile(
        rf"(?:^|[\s(\"'{separators}])(?:{'|'.join(map(re.escape, sorted(words)))})\.$", re.IGNORECASE
    )


_TITLE: Final = _closing(_TITLES, "")
_ABBREVIATION: Final = _closing(_ABBREVIATIONS, r"\d")
_STOP_MARKS: Final = r"[.!?\u2026\u3002\uff01\uff1f]"
_STOP: Final = re.compile(rf"{_STOP_MARKS}{_STOP_MARKS}*[\"'\u2019\u201d)\]]*(?=\s)")
"""Not ``+``: what begins with a set of characters `re` looks for twice as fast as for a repetition."""
_BULLET: Final = re.compile(r"(?:[-*\u2022\u2013>]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_CLOSED: Final = frozenset(".!?:;\u2026")
_CLOSERS: Final = "\"'\u2019\u201d)]"
_BULLET_MARKS: Final = frozenset(".)")

_QUOTES: Final = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u0060\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_VARIATION: Final = range(0xFE00, 0xFE10)
_BLANK: Final = frozenset("\u2800\u3164\uffa0")
"""Letters and signs that show as white space: Braille blank, Hangul fillers."""
_UNSEEN: Final = frozenset("\u115f\u1160\ufffc\U0001d159")
"""Letters and signs that show as nothing."""


class _Folding(dict[int, str]):
    """Code point -> what stands for it in the shadow, worked out when first met."""

    def __missing__(self, point: int) -> str:
        folded = self[point] = fold_point(point)
        return folded


def fold_point(point: int) -> str:
    """Return what stands for one code point in the shadow: nothing, a character, or several."""
    char = chr(point)
    if char in _QUOTES:
        return _QUOTES[char]
    if char.isspace() or char in _BLANK:
        return " "
    if point in _SKIN_TONES or point in _VARIATION or char in _UNSEEN:
        return ""
    category = unicodedata.category(char)
    if category in {"Cf", "Mn", "Me", "Cc"}:
        return ""
    parts = (part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) != "Mn")
    return "".join(_QUOTES.get(part) or (part if part.isascii() else latin(part) or part) for part in parts)


_FOLDING: Final = _Folding()
_ODD: Final = re.compile(r"[\x00-\x08\x0e-\x1b\x7f`]")
"""The ASCII characters that folding changes or drops, white space apart."""


def fold(text: str) -> str:
    """Return ``text`` as matching sees it: quotes, dashes, accents and width folded, white space collapsed."""
    if not text.isascii() or _ODD.search(text):
        text = text.translate(_FOLDING)
    return " ".join(text.split())


def _origins(text: str) -> Sequence[int]:
    """Return, for each character of ``fold(text)``, the index in ``text`` it came from, and the end."""
    words = text.lstrip()
    if text.isascii() and not _ODD.search(text) and len(fold(text)) == len(words.rstrip()):
        return range(len(text) - len(words), len(text.rstrip()) + 1)
    origins: list[int] = []
    pending: int | None = None
    last = 0
    for index, char in enumerate(text):
        for piece in _FOLDING[ord(char)]:
            if piece.isspace():
                pending = index if origins and pending is None else pending
                continue
            if pending is not None:
                origins.append(pending)
                pending = None
            origins.append(index)
            last = index + 1
    origins.append(last)
    return origins


@dataclass(frozen=True, slots=True)
class Shadow:
    """The sentences of one text: their spans in it, and their folded words joined by line feeds.

    ``starts`` holds where each sentence begins in ``text``. ``reading`` is what stands between ``source`` and ``text``
    where words in disguise were made out; ``spans`` are then spans of it.
    """

    source: str
    spans: tuple[tuple[int, int], ...]
    text: str
    starts: tuple[int, ...]
    reading: Reading | None = None

    def sentence_at(self, offset: int) -> int:
        """Return the number of the sentence in which ``offset`` of the shadow lies."""
        return bisect_right(self.starts, offset) - 1

    def sentence(self, number: int) -> str:
        """Return the folded words of one sentence."""
        return self.text[self.starts[number] : self.end(number)]

    def end(self, number: int) -> int:
        """Return where the sentence ends in the shadow."""
        return self.starts[number + 1] - 1 if number + 1 < len(self.starts) else len(self.text)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the source that ``start`` to ``end`` of the shadow, inside one sentence, came from."""
        number = self.sentence_at(start)
        begin, stop = self.spans[number]
        words = self.source if self.reading is None else self.reading.text
        origins = _origins(words[begin:stop])
        first = origins[start - self.starts[number]]
        last = origins[max(end - self.starts[number] - 1, 0)] + 1 if end > start else first
        found = begin + first, begin + min(last, stop - begin)
        return found if self.reading is None else self.reading.span(*found)


def shadow_of(source: str) -> Shadow:
    """Return the shadow of ``source``. Empty sentences are left out; never raises."""
    return _shadow(source, _sentences(source))


def undisguised(shadow: Shadow) -> Shadow | None:
    """Return the shadow of the sentences with words in disguise, and of those beside them; None if there are none."""
    reading = reading_of(shadow.source, _folded)
    if reading is None:
        return None
    known = {"", *shadow.text.split("\n")}
    spans = _sentences(reading.text)
    new = {number for number, (begin, end) in enumerate(spans) if fold(reading.text[begin:end]) not in known}
    if not new:
        return None
    near = [span for number, span in enumerate(spans) if not new.isdisjoint((number - 1, number, number + 1))]
    return replace(_shadow(reading.text, near), source=shadow.source, reading=reading)


def _folded(text: str) -> str:
    return text.translate(_FOLDING)


def lines_of(source: str, last: int) -> Shadow:
    """Return the shadow of the ``last`` non-blank lines of ``source``, each standing as a sentence."""
    spans: list[tuple[int, int]] = []
    at = 0
    for line in source.splitlines(keepends=True):
        if line.strip():
            spans.append((at, at + len(line)))
        at += len(line)
    return _shadow(source, spans[-last:])


def _shadow(source: str, spans: list[tuple[int, int]]) -> Shadow:
    plain = source.isascii() and not _ODD.search(source)
    kept: list[tuple[int, int]] = []
    texts: list[str] = []
    starts: list[int] = []
    at = 0
    for begin, end in spans:
        words = source[begin:end]
        folded = " ".join(words.split()) if plain else fold(words)
        if folded:
            kept.append((begin, end))
            texts.append(folded)
            starts.append(at)
            at += len(folded) + 1
    return Shadow(source, tuple(kept), "\n".join(texts), tuple(starts))


def _sentences(source: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for begin, end in _runs(source):
        at = begin
        for stop in _STOP.finditer(source, begin, end):
            if not _is_abbreviation(source, at, stop.end()):
                _append(spans, source, at, stop.end())
                at = stop.end()
        _append(spans, source, at, end)
    return spans


def _append(spans: list[tuple[int, int]], source: str, begin: int, end: int) -> None:
    """Add a span, cut at white space where it is longer than a sentence may be."""
    while end - begin > MAX_SENTENCE:
        space = source.rfind(" ", begin + MAX_SENTENCE // 2, begin + MAX_SENTENCE)
        cut = space if space > begin else begin + MAX_SENTENCE
        spans.append((begin, cut))
        begin = cut
    if begin < end:
        spans.append((begin, end))


def _is_abbreviation(source: str, begin: int, end: int) -> bool:
    if source[end - 1] != "." or not source[end - 2 : end - 1].isalpha():
        return False  # every one of them ends in a letter
    words = source[max(begin, end - 12) : end]
    last = words[:-1].rpartition(" ")[2]
    if last.isalpha() and last.isascii():  # as nearly always: then no expression need be asked
        last = last.lower()
        is_title, is_short = last in _TITLES, last in _ABBREVIATIONS
    else:
        is_title, is_short = _TITLE.search(words) is not None, _ABBREVIATION.search(words) is not None
    return is_title or (is_short and not source[end : end + 3].lstrip()[:1].isupper())


def _runs(source: str) -> list[tuple[int, int]]:
    """Return the spans of lines that belong together: what a mail client broke is joined again."""
    lines = source.splitlines(keepends=True)
    texts = [line.strip() for line in lines]
    texts.append("")
    runs: list[tuple[int, int]] = []
    begin = at = 0
    empty = True
    for number, line in enumerate(lines):
        at += len(line)
        text = texts[number]
        empty = empty and not text
        if _ends_run(text, texts[number + 1]):
            if not empty:
                runs.append((begin, at))
            begin, empty = at, True
    return runs


def _ends_run(text: str, following: str) -> bool:
    """Return whether a sentence that reaches the end of this line ends there. The texts are stripped."""
    if not text or not following:
        return True
    if text.rstrip(_CLOSERS)[-1:] in _CLOSED or (text[-1] == "," and len(text) < _OPEN_LINE):
        return True
    first = following[0]
    if (not first.isalpha() or following[1:2] in _BULLET_MARKS) and _BULLET.match(following):
        return True
    return len(text) < _FULL_LINE and not first.islower()
