"""Word pieces: the units in which the encoder reads English, each with its place in the sentence.

Owns the splitting of a sentence as BERT's uncased models were trained with: lower case, accents off, every punctuation
mark a word, and a word taken apart greedily into the longest pieces that the vocabulary has. Refuses to know the model.
Own code (docs/decisions/0027): the `tokenizers` package would bring an HTTP client and a downloader of models into the
process that reads victims' mail; a test holds the two against each other.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from gateway.inspection.memory import Remembered

_MAX_WORD: Final = 100
"""Characters of a word past which it is unknown, as in BERT: no English word, and the greedy search is quadratic."""
_KEPT_WORDS: Final = 50_000
"""Words whose pieces are remembered: bounds the memory that odd mail can take, some 10 MB."""
_ASCII: Final = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_ASCII_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a word: its number in the vocabulary, and its span in the sentence."""

    number: int
    start: int
    end: int


class Vocabulary:
    """The pieces that a model knows, by number. Equal input gives equal output; words and short sentences are remembered."""

    def __init__(self, pieces: Sequence[str]) -> None:
        """``pieces`` in the order of their numbers; [UNK], [CLS] and [SEP] must be among them."""
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self.unknown = self._numbers["[UNK]"]
        self.begin = self._numbers["[CLS]"]
        self.end = self._numbers["[SEP]"]
        self._longest = max(map(len, pieces))
        self._known: dict[str, tuple[tuple[int, int], ...]] = {}
        self._pieces = Remembered(self._cut)

    def pieces(self, sentence: str) -> tuple[Piece, ...]:
        """Return the pieces of ``sentence`` in order. Linear in its length; never raises."""
        return self._pieces(sentence)

    def _cut(self, sentence: str) -> tuple[Piece, ...]:
        found: list[Piece] = []
        for word, places in _words(sentence):
            at = 0
            for number, length in self._of(word):
                found.append(Piece(number, places[at], places[at + length - 1] + 1))
                at += length
        return tuple(found)

    def _of(self, word: str) -> tuple[tuple[int, int], ...]:
        """Return the number and length of each piece of ``word``, remembered."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _KEPT_WORDS:
                self._known.clear()
            known = self._known[word] = self._taken_apart(word)
        return known

    def _taken_apart(self, word: str) -> tuple[tuple[int, int], ...]:
        whole = ((self.unknown, len(word)),)
        if len(word) > _MAX_WORD:
            return whole
        pieces: list[tuple[int, int]] = []
        at = 0
        while at < len(word):
            for end in range(min(len(word), at + self._longest), at, -1):
                piece = word[at:end] if at == 0 else "##" + word[at:end]
                number = self._numbers.get(piece)
                if number is not None:
                    pieces.append((number, end - at))
                    at = end
                    break
            else:
                return whole
        return tuple(pieces)


def _words(sentence: str) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield each word in lower case with the place of each of its characters in ``sentence``."""
    if sentence.isascii() and not _ASCII_CONTROL.search(sentence):
        for match in _ASCII.finditer(sentence.lower()):
            yield match[0], range(match.start(), match.end())
        return
    word: list[str] = []
    places: list[int] = []
    for place, char in enumerate(sentence):
        kind, letters = _char(char)
        if kind == "letter":
            word += letters
            places += [place] * len(letters)
            continue
        if kind == "nothing":
            continue
        if word:
            yield "".join(word), places
            word, places = [], []
        if kind == "alone":
            for letter in letters:
                yield letter, [place]
    if word:
        yield "".join(word), places


@cache
def _char(char: str) -> tuple[str, str]:
    """Return what a character is to BERT (letter, alone, space, nothing), and what stands for it.

    The order is BERT's: what is not printed goes first, then accents, then case; ideographs and punctuation stand alone.
    """
    if char in "\t\n\r" or unicodedata.category(char) in {"Zs", "Zl", "Zp"}:
        return "space", ""
    if char in "\0\ufffd" or unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs"}:
        return "nothing", ""
    if _is_ideograph(char):
        return "alone", char
    plain = "".join(part for part in unicodedata.normalize("NFD", char) if unicodedata.category(part) != "Mn")
    lower = plain.lower()
    if len(lower) == 1 and _is_punctuation(lower):
        return "alone", lower
    return "letter", lower


def _is_punctuation(char: str) -> bool:
    return (char.isascii() and not char.isalnum()) or unicodedata.category(char).startswith("P")


def _is_ideograph(char: str) -> bool:
    point = ord(char)
    return (
        0x4E00 <= point <= 0x9FFF
        or 0x3400 <= point <= 0x4DBF
        or 0x20000 <= point <= 0x2A6DF
        or 0x2A700 <= point <= 0x2B81F
        or 0x2B920 <= point <= 0x2CEAF  # a slip of the reference that the weights were trained with
        or 0xF900 <= point <= 0xFAFF
        or 0x2F800 <= point <= 0x2FA1F
    )
