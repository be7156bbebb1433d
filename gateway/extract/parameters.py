"""Fields with parameters, such as Content-Type (RFC 2045 section 5.1, RFC 2231): one word and names with values.

Owns two readings of such a field, since mail programs hold to either: *strict*, by the grammar, with comments left
out and quoted strings ended where they end; and *loose*, as programs do that look for ``name=`` and take what follows
up to the next semicolon. Refuses to know what a parameter means. Stands in *extract* beside `fields`, below `mime`.
Total and linear: a comment or quotation that never ends takes the rest of the field.
"""

import re
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote_to_bytes

from gateway.extract.decoding import characters
from gateway.extract.words import header_text

_QUOTED = r'"(?:[^"\\]|\\.)*(?:"|\Z)'
_STRICT = re.compile(rf';\s*([^\s=;"]+)\s*=\s*({_QUOTED}|[^;\s"]*)|{_QUOTED}', re.DOTALL)
"""A parameter, or a quoted string that belongs to none, in which nothing is looked for."""
_LOOSE = re.compile(rf'(?:;\s*|(?<=\s)|^)([^\s=;"]+)\s*=\s*({_QUOTED}|[^;]*)', re.DOTALL)
_COMMENT_MARK = re.compile(rf"\\.|[()]|{_QUOTED}", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LOOSE_ESCAPE = re.compile(r'\\(["\\])')
_MAX_PARAMETERS = 2000
_STRUCTURAL = ("boundary", "charset")
"""What decides which words are shown; of a file's name both readings are shown to people."""

Sections = list[tuple[int, bool, str]]


@dataclass(frozen=True, slots=True)
class Value:
    """A field like Content-Type: its first word in lower case, and its parameters by lower-case name."""

    word: str
    parameters: dict[str, str]
    loose_word: str = ""
    loose: dict[str, str] = field(default_factory=dict)
    """The parameters as programs find them that do not follow the grammar."""
    is_cut: bool = False
    """There were more parameters than are read."""

    @property
    def is_disputed(self) -> bool:
        """True when the two readings differ in what decides over words."""
        return (
            self.is_cut
            or self.word != self.loose_word
            or any(self.parameters.get(name) != self.loose.get(name) for name in _STRUCTURAL)
        )

    def read_loosely(self) -> "Value":
        """Return the value with the loose reading in the place of the strict one."""
        return Value(self.loose_word, self.loose, self.word, self.parameters, self.is_cut)

    def both(self, name: str) -> tuple[str, ...]:
        """Return what either reading has for ``name``; the longer alone where the other only stops before its end."""
        strict, loose = self.parameters.get(name, ""), self.loose.get(name, "")
        return tuple(value for value in ((loose,) if loose.startswith(strict) else (strict, loose)) if value)


def parametric(value: bytes) -> Value:
    """Return the word and the parameters of a Content-Type, Content-Disposition or like value.

    RFC 2231 continuations and charsets are resolved. Encoded words in parameters, which no RFC allows and many programs
    write, are left for the caller's `header_text`; only the loose reading decodes one in a boundary.
    """
    text, _ = characters(value, "")
    if ";" not in text and " " not in text and "(" not in text:
        word = text.strip().lower()
        return Value(word, {}, word, {})
    bare = _without_comments(text)
    return Value(
        _first_word(bare),
        _merged(*_found(_STRICT, bare, _ESCAPE), strict=True),
        _first_word(text),
        _decoded_boundary(_merged(*_found(_LOOSE, text, _LOOSE_ESCAPE), strict=False)),
        text.count("=") > _MAX_PARAMETERS,
    )


def _first_word(text: str) -> str:
    words = text.partition(";")[0].lower().split(None, 1)
    return words[0] if words else ""


def _found(
    grammar: re.Pattern[str], text: str, escape: re.Pattern[str]
) -> tuple[dict[str, str], dict[str, Sections]]:
    """Return the parameters in ``text``: those given whole, and the sections of those in pieces (RFC 2231).

    Of two with one name the first counts in the strict reading, the last in the loose one.
    """
    plain: dict[str, str] = {}
    split: dict[str, Sections] = {}
    for match in islice(grammar.finditer(text), _MAX_PARAMETERS):
        if match[1] is None:
            continue
        name, given = match[1].lower(), _unquoted(match[2], escape)
        if "*" in name:
            name, _, number = name.partition("*")
            digits = number.rstrip("*")
            index = int(digits) if digits.isdecimal() and len(digits) < 6 else 0
            split.setdefault(name, []).append((index, number.endswith("*") or not number, given))
        elif grammar is _LOOSE or name not in plain:
            plain[name] = given
    return plain, split


def _without_comments(text: str) -> str:
    """Return ``text`` with comments in parentheses, which nest, turned into spaces."""
    if "(" not in text:
        return text
    kept: list[str] = []
    depth = position = 0
    for mark in _COMMENT_MARK.finditer(text):
        if depth and mark[0][0] == '"':
            continue  # a quotation mark means nothing inside a comment; Gap: parentheses after it are skipped too
        if mark[0] == "(":
            if not depth:
                kept += (text[position : mark.start()], " ")
            depth += 1
        elif mark[0] == ")" and depth:
            depth -= 1
            position = mark.end()
    return "".join([*kept, "" if depth else text[position:]])


def _unquoted(given: str, escape: re.Pattern[str]) -> str:
    if given.startswith('"'):
        return escape.sub(r"\1", given[1:].removesuffix('"'))
    return given.strip()


def _merged(plain: dict[str, str], split: dict[str, Sections], *, strict: bool) -> dict[str, str]:
    """Return all parameters: a value in sections counts before a plain one in the strict reading, after it in the loose."""
    whole = {name: _rejoined(sections, strict=strict) for name, sections in split.items()}
    return plain | whole if strict else whole | plain


def _rejoined(sections: Sections, *, strict: bool) -> str:
    """Return an RFC 2231 value from its numbered sections: percent escapes undone, charset of the first one.

    The strict reading takes each number once and in order; the loose one everything there is.
    """
    ordered = sorted(sections, key=lambda section: section[0])
    if strict:
        ordered = [
            section
            for place, section in enumerate(ordered)
            if not place or section[0] != ordered[place - 1][0]
        ]
    charset = ""
    data = []
    for place, (_, extended, given) in enumerate(ordered):
        text = given
        if extended and place == 0 and given.count("'") >= 2:
            charset, _, text = given.split("'", 2)
        data.append(unquote_to_bytes(text) if extended else text.encode("utf-8", "replace"))
    return characters(b"".join(data), charset)[0]


def _decoded_boundary(parameters: dict[str, str]) -> dict[str, str]:
    boundary = parameters.get("boundary", "")
    if "=?" in boundary:
        parameters["boundary"] = header_text(boundary.encode("utf-8", "replace"))[0]
    return parameters
