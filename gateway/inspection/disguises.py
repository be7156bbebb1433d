"""Words in disguise: the second reading of a passage, as a person would make it out.

Owns the ways in which people write words so that a program does not see them: letters spaced out or one a line, signs
and figures for letters, letters repeated, words broken or run together, text set in reverse by bidirectional controls,
upside down, backwards, in ROT13 or base64. Refuses to know rules. Stands between `shadow`, which folds single
characters, and `bench`, which judges both readings: the second only ever adds to what is found.

It claims nothing unless the outcome is a word of English (`lexicon.is_word`), so that exhibits, initials, collar
numbers, registrations and postcodes stay what they are. Odd text is told from ordinary text by its chunks between
spaces, which are remembered from one message to the next; hardly any text gets further. Every step is linear.
"""

import binascii
import codecs
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from html import unescape
from itertools import islice, pairwise
from string import ascii_letters
from typing import Final
from urllib.parse import unquote

from gateway.inspection import lexicon

_AS_LETTERS: Final = tuple(
    str.maketrans(signs, letters)
    for signs, letters in (("0134578@$!|\u20ac+", "oieastbasilet"), ("0134578@$!|\u20ac+", "oleastbaslict"))
)
"""What figures and signs are read as: 1, ! and the bar are an i, or else an l."""
_TURNED: Final = dict(
    zip(
        "\u0250q\u0254p\u01dd\u025f\u0183\u0253\u0265\u1d09\u0131\u027e\u029e\u05df\u026fuodb\u0279s\u0287n\u028c\u028dx\u028ez",
        "abcdefgghiijklmnopqrstuvwxyz",
        strict=True,
    )
)
_TURNED_ONLY: Final = re.compile(
    "[\u0250\u0254\u01dd\u025f\u0183\u0265\u1d09\u027e\u029e\u026f\u0279\u0287\u028c\u028d\u028e]"
)
_MANY_TURNED: Final = 3
_REVERSING: Final = re.compile("\u202e([^\u202c\n]*)\u202c?")
_CONTROLS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNFOLDED: Final = re.compile("[\u202e\U0001f1e6-\U0001f1ff\U000e0020-\U000e007e]")
"""What `shadow` leaves out or leaves alone and a reader may make letters of: reversal, flags' letters, tags."""
_SEPARATOR: Final = r"(\s{1,3}|[ \t]?[^\w\s][ \t]?|_)"
_SPACED: Final = re.compile(
    rf"(?<![^\W_])[A-Za-z]{_SEPARATOR}[A-Za-z0134578@$!](?:\1[A-Za-z0134578@$!])+(?![^\W_]|['\u2019][a-z])"
)
"""Three letters or more with the same thing between each two."""
_PAIR: Final = re.compile(rf"(?<!\S)([A-Za-z]){_SEPARATOR.replace('(', '(?:', 1)}([a-z])(?![^\W_])")
_BETWEEN: Final = re.compile(r"\s+([AaI])?\s*")
_LONE: Final = frozenset(letter + mark for letter in ascii_letters for mark in ("", ".", ",", "-"))
_FEWEST_LONE: Final = 3
"""Different letters standing alone: three of them are in no ordinary text but a list, and cost it a look."""
_EDGES: Final = ".,;:!?()[]{}<>\"'*_~-\u2026/\\#|"
_ADDRESS: Final = re.compile(r"@[^\s@]+\.|://|^www\.", re.IGNORECASE)
_BREAKS: Final = re.compile(r"[._*|~^,;:+=/\\#-]+")
_REPEATS: Final = re.compile(r"([A-Za-z])\1{2,}")
_NUMBER: Final = re.compile(r"[1-9]\d|\d[1-9]|^\d(?:st|nd|rd|th)$", re.IGNORECASE)
_HUMPS: Final = re.compile(r"[A-Z](?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{20,}={0,2}")
_WRITTEN: Final = re.compile(r"&#?\w{2,8};|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")
_ESCAPED: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
_CHUNK: Final = re.compile(r"\S+")
_WORD: Final = re.compile(r"[A-Za-z]+")
_LINE: Final = re.compile(r"[^\n]+")
_FRAGMENT: Final = re.compile(r"(?<!\S)[\"'(]*([a-z]{1,12})-?(?=\s|[.,;:!?)\"']|$)")
_LONGEST_WORD: Final = 20
_LONGEST_RUN: Final = 400
"""Letters without a space beyond which nobody makes out words."""
_MAX_ODD: Final = 3_000
"""Different odd chunks of one passage that are looked into: the mail of a lifetime has fewer, and no English has more."""
_SHORTEST_RUN: Final = 6
_SHORTEST_NAME: Final = 9
_SHORTEST: Final = 4
"""Letters of a word that is put together from pieces, or read backwards: shorter ones come about by chance."""
_MORNING: Final = "am"
"""With full stops it is a time of day."""
_WILD: Final = "oieau"


class Reading:
    """A second reading: its text, and for each character the run of the passage that it was read from."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, source: str) -> None:
        """Begin with the passage as it stands."""
        self.text = source
        self._starts = self._ends = array("l")

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the passage from which ``start`` to ``end`` of this reading was read."""
        end = max(end, start + 1)
        return (min(self._starts[start:end]), max(self._ends[start:end])) if self._starts else (start, end)

    def edit(self, edits: Iterable[tuple[int, int, str]]) -> bool:
        """Put new text for runs of the old, given in order; return whether there was anything to put."""
        wanted = list(edits)
        if not wanted:
            return False
        old_starts = self._starts or array("l", range(len(self.text)))
        old_ends = self._ends or array("l", range(1, len(self.text) + 1))
        at = 0
        pieces: list[str] = []
        starts, ends = array("l"), array("l")
        for begin, end, new in wanted:
            pieces += self.text[at:begin], new
            starts += old_starts[at:begin]
            ends += old_ends[at:begin]
            starts += array("l", [min(old_starts[begin:end])]) * len(new)
            ends += array("l", [max(old_ends[begin:end])]) * len(new)
            at = end
        self.text = "".join(pieces) + self.text[at:]
        self._starts = starts + old_starts[at:]
        self._ends = ends + old_ends[at:]
        return True


def reading_of(source: str, fold: Callable[[str], str]) -> Reading | None:
    """Return the second reading of a passage, or None when it reads as it stands, as nearly all text does.

    ``fold`` gives what stands in the shadow for a text, character by character. Never raises.
    """
    chunks = set(source.split())
    if len(chunks & _LONE) < _FEWEST_LONE and not any(_is_odd(chunk, fold) for chunk in chunks - _plain):
        return None
    reading = Reading(source)
    changed = False
    if not source.isascii():
        changed = reading.edit(_as_displayed(source)) | reading.edit(_upright(reading.text))
        changed |= _UNFOLDED.search(source) is not None
        reading.edit(_folded(reading.text, fold))
    if len(_LONE.intersection(reading.text.split())) >= _FEWEST_LONE and reading.edit(
        _spaced_out(reading.text)
    ):
        reading.edit(_spaced_pairs(reading.text))
        changed = True
    changed |= reading.edit(_chunks_read(reading.text))
    fragments = _fragments_of(reading.text)
    if fragments:
        changed |= reading.edit(_backwards(reading.text, fragments))
        changed |= reading.edit(_put_together(reading.text, fragments))
    return reading if changed else None


_plain: set[str] = set()
"""Chunks that read as they stand. Dropped as a whole when hostile mail has filled it."""


def _is_odd(chunk: str, fold: Callable[[str], str]) -> bool:
    """Return whether a chunk may be read otherwise; remember it if not."""
    folded = chunk
    if not chunk.isascii():
        if _UNFOLDED.search(chunk) or _TURNED_ONLY.search(chunk):
            return True
        folded = fold(chunk)
        if folded in _LONE or len(_LONE.intersection(folded.split())) > 1:
            return True
    if any(_read(each) is not None or _is_fragment(each) for each in folded.split()):
        return True
    if len(_plain) >= lexicon.CHUNKS_KEPT:
        _plain.clear()
    _plain.add(chunk)
    return False


@lru_cache(maxsize=50_000)
def _is_fragment(chunk: str) -> bool:
    """Return whether a chunk is small letters that make no word, as the pieces of a broken one are."""
    word = chunk.strip(_EDGES)
    return word.isalpha() and word.islower() and len(word) > 1 and not lexicon.is_word(word)


# --- steps: text -> what to put for which runs of it ---


def _as_displayed(text: str) -> Iterator[tuple[int, int, str]]:
    """Text after a right-to-left override stands in reverse on the screen (Unicode Annex 9)."""
    for run in _REVERSING.finditer(text):
        yield run.start(), run.end(), _CONTROLS.sub("", run[1])[::-1]


def _upright(text: str) -> Iterator[tuple[int, int, str]]:
    """Lines of upside-down letters are read from their end."""
    for line in _LINE.finditer(text):
        if len(_TURNED_ONLY.findall(line[0])) >= _MANY_TURNED:
            yield line.start(), line.end(), "".join(_TURNED.get(char, char) for char in reversed(line[0]))


def _folded(text: str, fold: Callable[[str], str]) -> Iterator[tuple[int, int, str]]:
    for at, char in enumerate(text):
        if not char.isascii():
            point = ord(char)
            if 0x1F1E6 <= point <= 0x1F1FF:
                yield at, at + 1, chr(point - 0x1F1E6 + ord("a"))
            elif 0xE0020 <= point <= 0xE007E:
                yield at, at + 1, chr(point - 0xE0000)
            else:
                yield at, at + 1, " " if char.isspace() else fold(char)


def _spaced_out(text: str) -> Iterator[tuple[int, int, str]]:
    """Letters that stand apart. Letters on lines of their own make words, and those words one line."""
    upright_end = -1
    for run in _SPACED.finditer(text):
        word = _unspaced(run[0].replace(run[1], ""))
        if word is None:
            continue
        begin = run.start()
        if "\n" in run[1]:
            between = _BETWEEN.fullmatch(text, upright_end, begin) if upright_end >= 0 else None
            if between is not None:
                begin, word = upright_end, f" {between[1] or ''} {word}"
            upright_end = run.end()
        yield begin, run.end(), word


def _spaced_pairs(text: str) -> Iterator[tuple[int, int, str]]:
    """Two letters that stand apart beside words whose letters did: the commonest short words."""
    for pair in _PAIR.finditer(text):
        word = f"{pair[1]}{pair[2]}"
        if lexicon.is_common(word):
            yield pair.start(), pair.end(), word


def _unspaced(letters: str) -> str | None:
    """Return spaced-out letters as the words they make. Few capitals, and figures beside figures, are a reference."""
    if any(not first.isalpha() and not second.isalpha() for first, second in pairwise(letters)):
        return None
    if not letters.isalpha():
        return _without_signs(letters)
    if len(letters) < _SHORTEST and not (letters[1:].islower() and lexicon.is_common(letters)):
        return letters if letters.islower() and len(letters) > 2 and lexicon.is_word(letters) else None
    return letters if lexicon.is_word(letters) else (_words_in(letters) or letters)


def _chunks_read(text: str) -> Iterator[tuple[int, int, str]]:
    readings: dict[str, str] = {}
    odd = 0
    for chunk in dict.fromkeys(text.split()):
        read = None if chunk in _plain else _read(chunk)
        odd += chunk not in _plain
        if read is not None:
            readings[chunk] = read
        if odd == _MAX_ODD:
            break
    for found in _CHUNK.finditer(text) if readings else ():
        if found[0] in readings:
            yield found.start(), found.end(), readings[found[0]]


def _fragments_of(text: str) -> set[str]:
    """Return the first chunks of a text that are small letters and no word."""
    found = (chunk for chunk in dict.fromkeys(text.split()) if chunk not in _plain and _is_fragment(chunk))
    return set(islice(found, _MAX_ODD))


def _backwards(text: str, fragments: set[str]) -> Iterator[tuple[int, int, str]]:
    """Read lines with words spelt from their end, or in ROT13: one such word is chance, two are not."""
    unknown = {word for word in (chunk.strip(_EDGES) for chunk in fragments) if len(word) >= _SHORTEST}
    for read in (_reversed, _rotated):
        words = {word for word in unknown if lexicon.is_word(read(word))}
        if len(words) > 1:
            yield from _lines_read(text, words, read)
            return


def _lines_read(text: str, words: set[str], read: Callable[[str], str]) -> Iterator[tuple[int, int, str]]:
    """Read the lines that hold ``words`` both word by word and from end to end."""
    for line in _LINE.finditer(text):
        if not words.isdisjoint(_WORD.findall(line[0])):
            by_word = _WORD.sub(lambda word: read(word[0]), line[0])
            yield line.start(), line.end(), " \u2026 ".join(dict.fromkeys((by_word, read(line[0]))))


def _reversed(text: str) -> str:
    return text[::-1]


def _rotated(text: str) -> str:
    return codecs.encode(text, "rot13")


def _put_together(text: str, fragments: set[str]) -> Iterator[tuple[int, int, str]]:
    """Words broken by white space or at the end of a line: pieces that make no word apart and one together."""
    words = _words_of_pieces(text.split(), fragments)
    pieces = list(_FRAGMENT.finditer(text)) if words else []
    number = 0
    while number < len(pieces) - 1:
        for size in (2, 3):
            group = pieces[number : number + size]
            word = "".join(piece[1] for piece in group)
            if word in words and _is_one_word(text, group):
                yield group[0].start(1), group[-1].end(1), word
                number += len(group) - 1
                break
        number += 1


def _words_of_pieces(chunks: list[str], fragments: set[str]) -> set[str]:
    """Return the words that ``fragments`` make with what stands beside them."""
    found = set()
    for at, chunk in enumerate(chunks):
        if chunk in fragments:
            for begin, end in (
                (max(at - 1, 0), at + 1),
                (at, at + 2),
                (max(at - 1, 0), at + 2),
                (at, at + 3),
            ):
                word = "".join(piece.strip(_EDGES) for piece in chunks[begin:end])
                if _SHORTEST <= len(word) <= _LONGEST_WORD and word.islower() and lexicon.is_word(word):
                    found.add(word)
    return found


def _is_one_word(text: str, pieces: list[re.Match[str]]) -> bool:
    """Return whether only white space stands between the pieces, and one of them is no word."""
    gaps = (text[first.end(1) : second.start(1)] for first, second in pairwise(pieces))
    if not all(gap.removeprefix("-").isspace() for gap in gaps):
        return False
    return not all(lexicon.is_word(piece[1]) and (len(piece[1]) > 1 or piece[1] in "ai") for piece in pieces)


# --- one chunk ---


@lru_cache(maxsize=50_000)
def _read(chunk: str) -> str | None:
    """Return the words that a person reads in a chunk without white space; None when it is what it is."""
    if _ADDRESS.search(chunk):
        return None
    plain = _unwritten(chunk)
    if plain is not None:
        return plain
    word = chunk.strip(_EDGES)
    if word.isalpha():
        read = _letters_read(word)
    elif _BASE64.fullmatch(chunk):
        read = _decoded(chunk)
    else:
        read = _broken(word) or _without_signs(word) or _without_signs(chunk.strip(".,;:?()\"'"))
    return None if read is None else chunk.replace(word, read) if word and word in chunk else read


def _unwritten(chunk: str) -> str | None:
    """Return a chunk whose characters are written as references or octets of HTML, of addresses or of programs."""
    if len(_WRITTEN.findall(chunk)) < 3:
        return None
    read = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), unquote(unescape(chunk)))
    return read if read != chunk and read.isprintable() else None


def _letters_read(word: str) -> str | None:
    if _REPEATS.search(word):
        return _unrepeated(word)
    if len(word) < _SHORTEST_RUN or lexicon.is_word(word):
        return None
    humps = _HUMPS.findall(word)
    if len(humps) > 2 and all(map(_is_long_word, humps)):
        return " ".join(humps)
    return _words_in(word) if word.islower() or len(word) >= _SHORTEST_NAME else None


def _is_long_word(word: str) -> bool:
    """Return whether ``word`` is one, and not one of the dictionary's many of one and two letters."""
    return lexicon.is_common(word) or (len(word) > 2 and lexicon.is_word(word))


def _unrepeated(word: str) -> str | None:
    """Return a word whose letters are drawn out, with each once, or else twice, if that makes a word."""
    readings = (_REPEATS.sub(instead, word) for instead in (r"\1", r"\1\1"))
    return next((read for read in readings if _is_long_word(read)), None)


def _broken(word: str) -> str | None:
    """Return what signs inside a word stand between: its letters, its pieces, or whole words."""
    pieces = _BREAKS.split(word)
    if len(pieces) < 2 or not all(piece.isalpha() for piece in pieces):
        return None
    joined = "".join(pieces)
    if all(len(piece) == 1 for piece in pieces):
        return _unspaced(joined) if joined != _MORNING else None
    known = [_is_long_word(piece) for piece in pieces]
    if len(pieces) > 2 and all(known):
        return " ".join(pieces)
    if (
        len(joined) >= _SHORTEST
        and lexicon.is_word(joined)
        and not (any(known) if "-" in word else all(known))
    ):
        return joined
    if len(pieces) == 2 and "*" in word:
        return next((full for vowel in _WILD if lexicon.is_word(full := word.replace("*", vowel))), None)
    return None


def _without_signs(word: str) -> str | None:
    """Return a word in which figures and signs stand for letters. Two figures together are a number, zeros apart."""
    letters = sum(map(str.isalpha, word))
    if (
        letters < 2
        or letters == len(word)
        or _NUMBER.search(word)
        or (word.isupper() and len(word) < _SHORTEST)
    ):
        return None
    for table in _AS_LETTERS:
        read = word.lower().translate(table)
        if len(read) > 2 and read.isalpha() and lexicon.is_word(read):
            return read
    return None


def _decoded(chunk: str) -> str | None:
    """Return the text that base64 in the text holds, if it is text of several words."""
    try:
        text = binascii.a2b_base64(chunk + "=" * (-len(chunk) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text if text.isprintable() and " " in text else None


def _words_in(letters: str) -> str | None:
    """Return the fewest words that make up a run of letters without spaces, or None when it is not made of words."""
    run = letters.lower()
    if not _SHORTEST_RUN <= len(run) <= _LONGEST_RUN:
        return None
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(run) + 1):
        ways = (
            (best[begin][0] + _effort(run[begin:end]), begin)
            for begin in range(max(0, end - _LONGEST_WORD), end)
            if best[begin][0] < _HOPELESS
        )
        best.append(min(ways, default=(_HOPELESS, 0)))
    if best[-1][0] >= _HOPELESS:
        return None
    words: list[str] = []
    end = len(run)
    while end:
        begin = best[end][1]
        words.append(letters[begin:end])
        end = begin
    common = any(map(lexicon.is_common, words))
    enough = len(words) > 2 or (len(words) == 2 and common and letters.islower())
    return " ".join(reversed(words)) if enough and common else None


_HOPELESS: Final = 10_000


def _effort(word: str) -> int:
    """Return how unlikely a word is inside a run of letters: short ones are, the commonest apart."""
    if lexicon.is_common(word):
        return 3 if len(word) == 1 else 2
    if len(word) <= 2 or not lexicon.is_word(word):
        return _HOPELESS
    return 5 if len(word) == 3 else 2
