"""Expression -> the words and pieces of words without which it cannot match.

Owns the reading of RE2's syntax as far as that takes. Refuses to know texts, rules and RE2 itself: `matching` looks
for what is named here in one pass over a text, and asks RE2 only about expressions that may be there. An expression
for which nothing can be named is *bare* and always asked about; whatever this module does not understand makes an
expression bare. It errs in that direction only: a literal that were not needed would hide an advance.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from typing import Final

MAX_PRODUCT: Final = 300
"""Strings into which one stretch of an expression is written out; past it the stretch is cut in two."""
MAX_CHOICE: Final = 5000
"""Strings that alternatives are written out into; a list of places is the longest we know of."""
_MAX_REPEAT: Final = 6
"""Repetitions that are written out: ``x{1,3}``."""
_MAX_DEPTH: Final = 100

EDGE: Final = "\0"
r"""Stands on both sides of a literal that is a whole word (``\b``, ``^``, ``$`` beside it); no folded text holds it."""
_WORD: Final = re.compile(r"\w+", re.ASCII)
_PLAIN: Final = re.compile(r"[A-Za-z0-9 ,'-]+(?![*+?{])")
"""Characters that stand for themselves, none of them counted."""
_FLAGS: Final = re.compile(r"\?[imsU-]+(?P<scope>[:)])")
_NAME: Final = re.compile(r"\?P?<\w+>")
_COUNT: Final = re.compile(r"\{(?P<least>\d+)(?:(?P<open>,)(?P<most>\d*))?\}")
_OPAQUE: Final = frozenset("dDwWsSntrfva")
"""Escapes that stand for one character among many, or for one that folded text does not hold."""


@dataclass(frozen=True, slots=True)
class Literals:
    """One of these strings must be in the text, which is in lower case; those between `EDGE` as whole words."""

    strings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Every:
    """Each of these must be met: any one of them is enough to look for."""

    needs: tuple["Need", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of these must be met."""

    needs: tuple["Need", ...]


Need = Literals | Every | Either


def need_of(expression: str) -> Need | None:
    """Return what must be in every text that ``expression`` matches in, or None where nothing is known. Never raises.

    The expression is one that RE2 takes. Case does not count: texts are to be lowered.
    """
    try:
        piece = _Reader(expression).whole()
    except _NotUnderstood:
        return None
    return piece.need


def strings_of(need: Need) -> Iterator[str]:
    """Yield every string in ``need``."""
    if isinstance(need, Literals):
        yield from need.strings
    else:
        yield from chain.from_iterable(map(strings_of, need.needs))


class _NotUnderstood(Exception):
    """The expression uses what this module does not read."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is known of a part of an expression: all that it can match, if that is little, and what it needs."""

    exact: frozenset[str] | None = None
    need: Need | None = None


_ANY: Final = _Piece()
_EDGE: Final = _Piece(frozenset({EDGE}))


def _literals(strings: frozenset[str]) -> Literals | None:
    if not all(literal.strip(EDGE) for literal in strings):
        return None
    return Literals(frozenset(map(_tidy, strings)))


def _tidy(literal: str) -> str:
    """Return a literal with its edges where it is a whole word, without them elsewhere: it is found more often then."""
    core = literal.replace(EDGE, "")
    return f"{EDGE}{core}{EDGE}" if literal[0] == literal[-1] == EDGE and _WORD.fullmatch(core) else core


def _joined(pieces: list[_Piece]) -> _Piece:
    """Return what is known of pieces in a row: what they make together, and what some of them ask for alone."""
    needs = [*_stretches(pieces), *map(partial(_alone, pieces), range(len(pieces)))]
    run, whole = frozenset({""}), True
    for piece in pieces:
        if piece.exact is not None and len(run) * len(piece.exact) <= MAX_PRODUCT:
            run = frozenset(before + after for before in run for after in piece.exact)
            continue
        whole = False
        needs.append(_literals(run))
        run = frozenset({""}) if piece.exact is None else piece.exact
    needs.append(_literals(run))
    known = tuple(need for need in needs if need is not None)
    return _Piece(run if whole else None, Every(known) if known else None)


def _stretches(pieces: list[_Piece]) -> Iterator[Literals | None]:
    """Yield each stretch of the row that leaves no choice: what stands between alternatives."""
    for plain, stretch in groupby(pieces, key=_is_plain):
        if plain:
            yield _literals(frozenset({"".join(chain.from_iterable(piece.exact or () for piece in stretch))}))


def _is_plain(piece: _Piece) -> bool:
    return piece.exact is not None and len(piece.exact) == 1


def _alone(pieces: list[_Piece], place: int) -> Need | None:
    """Return what a piece with a choice asks for: whole words, where what stands beside it ends them."""
    piece = pieces[place]
    if piece.exact is None or _is_plain(piece):
        return None if _is_plain(piece) else piece.need
    before = place > 0 and _is_edge(pieces[place - 1], -1)
    after = place + 1 < len(pieces) and _is_edge(pieces[place + 1], 0)
    words = _literals(frozenset(f"{EDGE * before}{literal}{EDGE * after}" for literal in piece.exact))
    return words if words is None or piece.need is None else Every((words, piece.need))


def _is_edge(piece: _Piece, end: int) -> bool:
    """Return whether a word cannot go on into ``piece``, which stands on that side of it."""
    return piece.exact is not None and all(text and not _WORD.match(text[end]) for text in piece.exact)


def _chosen(pieces: list[_Piece]) -> _Piece:
    """Return what is known of alternatives."""
    if len(pieces) == 1:
        return pieces[0]
    known = tuple(piece.need for piece in pieces if piece.need is not None)
    need = Either(known) if len(known) == len(pieces) else None  # of single characters nothing is noted
    exact = [piece.exact for piece in pieces if piece.exact is not None]
    if len(exact) < len(pieces) or sum(map(len, exact)) > MAX_CHOICE:
        return _Piece(need=need)
    return _Piece(frozenset().union(*exact), need)


def _repeated(piece: _Piece, least: int, most: int | None) -> _Piece:
    """Return what is known of ``least`` to ``most`` of a piece in a row."""
    exact = piece.exact
    if exact is not None and most == 1:
        return piece if least else _Piece(exact | {""})
    if exact is not None and len(exact) == 1 and most is not None and most <= _MAX_REPEAT:
        (once,) = exact
        return _Piece(frozenset(once * times for times in range(least, most + 1)))
    if not least:
        return _ANY
    return _Piece(need=_literals(exact) if piece.need is None and exact is not None else piece.need)


def _character(char: str) -> _Piece:
    """Return a character; outside ASCII, case is left to RE2."""
    lower = char.lower()
    if char.isascii() or lower == char.upper():
        return _Piece(frozenset({lower}))
    return _ANY


class _Reader:
    """Recursive descent over one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> _Piece:
        piece = self._choice(0)
        if self._at != len(self._text):
            raise _NotUnderstood
        return piece

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise _NotUnderstood
        self._at += 1
        return char

    def _skip(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _choice(self, depth: int) -> _Piece:
        if depth > _MAX_DEPTH:
            raise _NotUnderstood
        pieces = [self._row(depth)]
        while self._peek() == "|":
            self._take()
            pieces.append(self._row(depth))
        return _chosen(pieces)

    def _row(self, depth: int) -> _Piece:
        pieces: list[_Piece] = []
        while self._peek() and self._peek() not in "|)":
            pieces.append(self._counted(self._one(depth)))
        return _joined(pieces)

    def _counted(self, piece: _Piece) -> _Piece:
        while True:
            least, most = 1, None
            if self._peek() and self._peek() in "*+?":
                mark = self._take()
                least, most = int(mark == "+"), 1 if mark == "?" else None
            elif found := self._skip(_COUNT):
                least = int(found["least"])
                most = least if not found["open"] else int(found["most"]) if found["most"] else None
            else:
                return piece
            piece = _repeated(piece, least, most)
            if self._peek() == "?":  # as few as possible
                self._take()

    def _one(self, depth: int) -> _Piece:
        plain = self._skip(_PLAIN)
        if plain:
            return _Piece(frozenset({plain.group().lower()}))
        char = self._take()
        if char == "(":
            return self._group(depth)
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        if char == ".":
            return _ANY
        return _EDGE if char in "^$" else _character(char)

    def _group(self, depth: int) -> _Piece:
        if self._peek() == "?" and not self._skip(_NAME):
            found = self._skip(_FLAGS)
            if found and found["scope"] == ")":
                return _Piece(frozenset({""}))
            if not found and self._text[self._at : self._at + 2] != "?:":
                raise _NotUnderstood
            self._at += 0 if found else 2
        piece = self._choice(depth + 1)
        if self._take() != ")":
            raise _NotUnderstood
        return piece

    def _escape(self) -> _Piece:
        char = self._take()
        if char == "b":
            return _EDGE
        if char in _OPAQUE:
            return _ANY
        if char in string.punctuation or char == " ":
            return _character(char)
        raise _NotUnderstood  # \B, \pN, \x41, \Q, \C, ...

    def _class(self) -> _Piece:
        """Read ``[...]``: its characters where they are named one by one, else any character."""
        chars: set[str] = set()
        opaque = self._peek() == "^"
        if opaque:
            self._take()
        first = True
        while first or self._peek() != "]":
            first = False
            char = self._take()
            if char == "[" and self._peek() == ":":
                raise _NotUnderstood
            if char == "\\":
                char = self._take()
                if char in _OPAQUE:
                    opaque = True
                    continue
                if char not in string.punctuation and char != " ":
                    raise _NotUnderstood
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in {"]", ""}:
                opaque = True
            chars.add(char)
        self._take()
        pieces = [_character(char) for char in chars]
        return _ANY if opaque else _chosen(pieces)
