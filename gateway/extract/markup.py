"""HTML as the eye sees it, and what the eye does not: markup to `Rendered`.

Owns the reading of HTML: tokens, nesting, what is hidden, which blocks a mail program marks as quote, attribution or
signature. Refuses to judge those claims. Stands in *extract* before `quotes`.

Why not an HTML library: their tree construction is quadratic on hostile input. selectolax (lexbor) 1.0.2 was
measured at 6.5 s for 50,000 open ``div`` (250 KB), 44 s for 100,000, and 5 s for 50,000 attributes of one tag; no
guard before it is sound, since only a tokeniser knows what is a tag. So this is that tokeniser (WHATWG HTML, section
13.2.5) and a stack of open elements with scopes, which is all that reading words needs. It is one pass, linear, and
tests hold its words against lexbor's on ordinary mail.

The visible text comes first, one line a block. Hidden text follows it on lines of its own, so that letters set in
size 0 inside a word do not break the word for the reader. Alternative texts follow in the same way; a picture whose
alternative text is an emoji is that emoji, in its place.
"""

import re
from dataclasses import dataclass, field
from html import unescape
from string import ascii_letters
from typing import NamedTuple

from gateway.extract.elements import (
    BLOCK,
    CELLS,
    CHANGING,
    IN_TABLE,
    ROWS,
    SILENT,
    SPECIAL,
    UNSHOWN,
    VOID,
    Stack,
    State,
    inherit,
)
from gateway.extract.layout import Line
from gateway.extract.styles import Look

_TAG_NAME = re.compile(r"[^\s/>]+")
_ATTRIBUTE = re.compile(
    r"""[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)("|\Z)|'([^']*)('|\Z)|([^\s>]*)))?""",
)
_PLAIN_END_TAG = re.compile(r"</([^\s/>]+)>")
_TAG_END = re.compile(r"[\s/]*>")
_COMMENT_END = re.compile(r"--!?>")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_CONDITIONAL = re.compile(r"\[if[^\]]*\]>?(.*?)(?:<!\[endif\]|\Z)", re.DOTALL | re.IGNORECASE)
_STYLE_OR_XML = re.compile(r"<(style|xml|script)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAGS = re.compile(r"<[^>]*>?")
_WORD_CHARACTER = re.compile(r"\w")
_MAX_EMOJI = 8
_MAX_KEPT_ATTRIBUTES = 64
_LONGEST_KEPT_TAG = 400
_MAX_KEPT_TAGS = 2000
_TITLES = ("title", "placeholder", "aria-label")
_LETTERS = frozenset(ascii_letters)
_MAX_MARKS = 250_000
"""Tags and comments of one part whose nesting is followed; what comes after them is read without its layout."""
_SAYING = frozenset({"alt", "value", *_TITLES})
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
_DECODED = frozenset({"title", "textarea"})


@dataclass(frozen=True, slots=True)
class Aside:
    """A run of the decoded text that is not in its place: hidden, or an alternative text. ``at``: where it stood."""

    start: int
    end: int
    at: int
    hidden: bool
    claimed: bool
    """It stood inside a block that claims to be a quote."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The decoded text of an HTML part. ``lines`` are its visible lines, ``asides`` what follows them."""

    text: str
    lines: list[Line]
    asides: list[Aside]
    flat: bool = False
    """There was more markup than anybody writes, and the rest was read without regard to it."""


@dataclass(slots=True)
class _Flow:
    """Text that is being written, white space collapsed, with the state of each line at its first character."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    fresh: bool = True
    """At the start of a line."""
    space: bool = False
    """A space is due before the next word."""
    states: list[tuple[int, State]] = field(default_factory=list)

    def write(self, text: str, state: State) -> None:
        """Add ``text``; white space is collapsed unless it is preformatted."""
        if state.preformatted:
            for number, line in enumerate(text.split("\n")):
                if number:
                    self.line_break()
                self._put(line, state)
            return
        words = _SPACE.sub(" ", text)
        if words[:1] == " ":
            words = words[1:]
            self.space = not self.fresh
        if words[-1:] == " ":
            self._put(words[:-1], state)
            self.space = True
        else:
            self._put(words, state)

    def _put(self, text: str, state: State) -> None:
        if not text:
            return
        if self.space:
            text = " " + text
            self.space = False
        elif self.fresh:
            self.states.append((self.length, state))
        self.fresh = False
        self.pieces.append(text)
        self.length += len(text)

    def line_break(self, mark: str = "\n") -> None:
        """End the line, even an empty one; or set a tab between cells."""
        self.pieces.append(mark)
        self.length += 1
        self.fresh, self.space = mark == "\n", False

    def block_break(self) -> None:
        """End the line if there is anything on it."""
        if not self.fresh:
            self.line_break()


class _Tag(NamedTuple):
    """A start tag. ``says``: an attribute holds words."""

    name: str
    attributes: dict[str, str]
    says: bool


def rendered(html: str) -> Rendered:
    """Return the words of ``html`` in their order, and what its markup claims about each line. Total and linear."""
    return _Reader(html).read()


class _Reader:
    """One pass over one document."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.stack = Stack(State(Look()))
        self.visible = _Flow()
        self.hidden = _Flow()
        self.alternative = _Flow()
        self.asides: list[tuple[_Flow, int, int, bool]] = []
        self.flat = False
        self.tags: dict[str, _Tag] = {}
        self.inherited: dict[tuple[int, int], tuple[State, _Tag, State]] = {}

    def read(self) -> Rendered:
        """Read it all."""
        html, position, size, marks = self.html, 0, len(self.html), 0
        while position < size:
            start = html.find("<", position)
            if start != position:
                self._text(html[position : start if start >= 0 else size])
                if start < 0:
                    break
            if marks == _MAX_MARKS:
                self._text(_TAGS.sub(" ", html[start:]))
                self.flat = True
                break
            marks += 1
            position = self._markup(start)
        return self._result()

    def _markup(self, start: int) -> int:
        """Read what begins with the ``<`` at ``start``; return where it ends."""
        html = self.html
        following = html[start + 1 : start + 2]
        if following in _LETTERS:
            return self._start_tag(start)
        if following == "/" and html[start + 2 : start + 3].isalpha():
            return self._end_tag(start)
        if html.startswith("<!--", start):
            return self._comment(start)
        if following and following in "!?/":
            end = html.find(">", start)
            end = len(html) if end < 0 else end
            if following == "!" and not html.startswith(("<![", "<!doc", "<!DOC"), start):
                self._aside(self.hidden, html[start + 2 : end])
            return end + 1
        self._text("<")
        return start + 1

    def _text(self, text: str) -> None:
        if "&" in text:
            text = _unescaped(text)
        state = self.stack.states[-1]
        if state.hidden:
            self._aside(self.hidden, text)
        else:
            self.visible.write(text, state)

    def _aside(self, flow: _Flow, text: str) -> None:
        """Write text that the eye does not see in this place; runs at one place are one aside."""
        if not text.strip():
            return
        place = self.visible.length
        if not (self.asides and self.asides[-1][0] is flow is self.hidden and self.asides[-1][2] == place):
            flow.block_break()
            state = self.stack.states[-1]
            self.asides.append((flow, flow.length, place, bool(state.depth) or state.indented))
        flow.write(text, self.stack.states[-1])

    def _comment(self, start: int) -> int:
        html = self.html
        for empty in ("<!-->", "<!--->"):
            if html.startswith(empty, start):
                return start + len(empty)
        end = _COMMENT_END.search(html, start + 4)
        text = html[start + 4 : end.start() if end else len(html)]
        conditional = _CONDITIONAL.match(text)
        if conditional:  # Outlook for Windows shows these
            text = _TAGS.sub(" ", _STYLE_OR_XML.sub(" ", conditional[1]))
        self._aside(self.hidden, _unescaped(text))
        return end.end() if end else len(html)

    def _attributes(self, position: int) -> tuple[dict[str, str], int]:
        """Return the attributes of the tag at ``position``, and where the tag ends; past the text if it does not."""
        html = self.html
        attributes: dict[str, str] = {}
        while (end := _TAG_END.match(html, position)) is None:
            match = _ATTRIBUTE.match(html, position)
            if match is None:
                return attributes, len(html) + 1
            if len(attributes) < _MAX_KEPT_ATTRIBUTES:
                value = match[2] or match[4] or match[6] or ""
                attributes.setdefault(match[1].lower(), _unescaped(value) if "&" in value else value)
            position = match.end()
        return attributes, end.end()

    def _end_tag(self, start: int) -> int:
        match = _PLAIN_END_TAG.match(self.html, start)
        if match:
            name, end = match[1].lower(), match.end()
        else:
            found = _TAG_NAME.match(self.html, start + 2)
            name = found[0].lower() if found else ""
            _, end = self._attributes(found.end() if found else start + 2)
        if name in BLOCK:
            self._break(name)
        if name not in {"body", "html"}:
            if name in ROWS:
                self.stack.close_cell()
            self.stack.close(name)
        return end

    def _start_tag(self, start: int) -> int:
        tag, end = self._tag(start)
        if end > len(self.html):  # the tag never ends: no program shows it, and here it is read
            self._aside(self.hidden, self.html[start + 1 :])
            return end
        self._element(tag)
        raw = _RAW.get(tag.name)
        return self._raw_text(tag.name, raw, end) if raw else end

    def _tag(self, start: int) -> tuple[_Tag, int]:
        """Return the start tag at ``start`` and where it ends. The same few tags come again and again."""
        html = self.html
        end = html.find(">", start, start + _LONGEST_KEPT_TAG) + 1
        written = html[start:end]
        known = self.tags.get(written)
        if known is not None:
            return known, end
        match = _TAG_NAME.match(html, start + 1)
        attributes, real_end = self._attributes(match.end() if match else start + 1)
        tag = _Tag(match[0].lower() if match else "", attributes, not _SAYING.isdisjoint(attributes))
        if real_end == end and len(self.tags) < _MAX_KEPT_TAGS:
            self.tags[written] = tag
        return tag, real_end

    def _raw_text(self, name: str, ending: re.Pattern[str], start: int) -> int:
        """Read the inside of an element that has no markup inside, up to its end tag."""
        end = ending.search(self.html, start)
        stop = end.start() if end else len(self.html)
        text = self.html[start:stop]
        if name not in SILENT:
            text = _unescaped(text) if name in _DECODED else text
            state = self.stack.states[-1]
            if state.hidden or name in UNSHOWN:
                self._aside(self.hidden, text)
            else:
                self.visible.write(text, state)
        return stop

    def _element(self, tag: _Tag) -> None:
        """Open an element: break the line, inherit the state, write what its attributes say."""
        stack, name = self.stack, tag.name
        if not tag.attributes and name not in SPECIAL:
            stack.push(name, stack.states[-1])
            return
        if name in IN_TABLE and not stack.tables:
            return
        stack.close_implied(name)
        if name in BLOCK or name in {"br", "hr"}:
            self._break(name)
        elif name in CELLS and not self.visible.fresh:
            self.visible.line_break("\t")
        state = stack.states[-1]
        if tag.attributes or name in CHANGING:
            state = self._inherited(state, tag)
            if tag.says:
                self._said_by(name, tag.attributes, state)
        if name not in VOID:
            stack.push(name, state)

    def _inherited(self, outer: State, tag: _Tag) -> State:
        """Return `inherit` of both, remembered: a mail's paragraphs are alike."""
        key = (id(outer), id(tag))
        known = self.inherited.get(key)
        if known is not None and known[0] is outer and known[1] is tag:
            return known[2]
        state = inherit(outer, tag.name, tag.attributes)
        if len(self.inherited) < _MAX_KEPT_TAGS:
            self.inherited[key] = (outer, tag, state)
        return state

    def _break(self, name: str) -> None:
        self.hidden.block_break()
        if self.stack.states[-1].hidden:
            return
        if name == "br":
            self.visible.line_break()
        else:
            self.visible.block_break()

    def _said_by(self, name: str, attributes: dict[str, str], state: State) -> None:
        """Write alternative text, title and value of an element. An emoji's picture is the emoji."""
        alternative = attributes.get("alt", "").strip()
        if alternative:
            is_emoji = len(alternative) <= _MAX_EMOJI and not _WORD_CHARACTER.search(alternative)
            if is_emoji and not state.hidden:
                self.visible.write(alternative, state)
            else:
                self._aside(self.alternative, alternative)
        for attribute in _TITLES:
            if attributes.get(attribute, "").strip():
                self._aside(self.alternative, attributes[attribute])
        if name in {"input", "button"} and attributes.get("value", "").strip():
            self._aside(self.alternative, attributes["value"])

    def _result(self) -> Rendered:
        text = "".join(self.visible.pieces)
        lines = _lines(text, self.visible.states)
        asides = []
        base = len(text) + 1
        for flow in (self.hidden, self.alternative):
            if not flow.length:
                continue
            written = "".join(flow.pieces)
            text = f"{text}\n{written}"
            runs = [aside[1:] for aside in self.asides if aside[0] is flow]
            for index, (begin, place, claimed) in enumerate(runs):
                end = runs[index + 1][0] if index + 1 < len(runs) else flow.length
                asides.append(Aside(base + begin, base + end, place, flow is self.hidden, claimed))
            base = len(text) + 1
        return Rendered(text, lines, asides, flat=self.flat)


def _lines(text: str, states: list[tuple[int, State]]) -> list[Line]:
    lines = []
    begin, index = 0, 0
    for piece in text.split("\n"):
        end = begin + len(piece)
        if index < len(states) and states[index][0] <= end:
            state = states[index][1]
            index += 1
            lines.append(Line(begin, begin, end, piece.strip(), state.depth, state.indented, state.mark))
        else:
            lines.append(Line(begin, begin, end, piece.strip()))
        begin = end + 1
    return lines


def _unescaped(text: str) -> str:
    """Return ``text`` with character references resolved; long numbers are shortened, which `html` fails on."""
    return unescape(_LONG_NUMBER.sub(_shorter, text)) if "&" in text else text


_LONG_NUMBER = re.compile(r"&#([xX]?)([0-9a-fA-F]{8,})")


def _shorter(number: re.Match[str]) -> str:
    return f"&#{number[1]}{number[2].lstrip('0')[:8] or '0'}"
