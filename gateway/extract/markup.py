"""HTML as the eye sees it, and what the eye does not: markup to `Rendered`.

Owns the reading of HTML: tokens, nesting, what is hidden, which blocks a mail program marks as quote, attribution or
signature. Refuses to judge those claims. Stands in *extract* before `quotes`.

Why not an HTML library: their tree construction is quadratic on hostile input. selectolax (lexbor) 1.0.2 was
measured at 6.5 s for 50,000 open ``div`` (250 KB), 44 s for 100,000, and 5 s for 50,000 attributes of one tag; no
guard before it is sound, since only a tokeniser knows what is a tag. So this is that tokeniser (WHATWG HTML, section
13.2.5) and a stack of open elements with scopes, which is all that reading words needs. It is one pass, linear, and tests hold it against lexbor.

The visible text comes first, one line a block. Hidden text follows it on lines of its own, so that letters of size 0 inside a
word do not break the word for the reader. Words that are seen in another order than they were written, alternative
texts and targets of links follow in the same way; a picture whose alternative text is an emoji is one.

Mail programs do not show the same: some follow style sheets, a telephone is narrow, Outlook shows what comments keep from the others.
Where that makes a difference the document is read once for each, and lines that only some show are taken as hidden text (docs/decisions/0012).
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from string import ascii_letters
from typing import NamedTuple

from gateway.extract import css
from gateway.extract.elements import (
    BLOCK,
    CELLS,
    CHANGING,
    IN_TABLE,
    NO_WORDS,
    ROWS,
    SILENT,
    SPECIAL,
    UNSHOWN,
    VOID,
    Stack,
    State,
    inherit,
)
from gateway.extract.flow import Flow, Rows
from gateway.extract.layout import Line
from gateway.extract.links import Data, data_of, target_words, words_of_markup
from gateway.extract.references import unescaped
from gateway.extract.styles import Look, coordinate
from gateway.model import PassageKind

_SPACE = r" \t\n\f\r"
"""White space of tags (HTML Standard 13.2.5): a name goes on over any other, so that ``<script`` and a no-break space is no script."""
_TAG_NAME = re.compile(rf"[^{_SPACE}/>]+")
_ATTRIBUTE = re.compile(
    rf"""[{_SPACE}/]*([^{_SPACE}/>][^{_SPACE}/>=]*)(?:[{_SPACE}]*=[{_SPACE}]*(?:"([^"]*)("|\Z)|'([^']*)('|\Z)|([^{_SPACE}>]*)))?""",
)
_PLAIN_END_TAG = re.compile(rf"</([^{_SPACE}/>]+)>")
_FOREIGN = frozenset({"svg", "math"})
"""Inside them an element may close itself, so that what follows is text again (HTML Standard 13.2.6.5)."""
_TAG_END = re.compile(rf"[{_SPACE}/]*>")
_COMMENT_END = re.compile(r"--!?>")
_CONDITIONAL = re.compile(r"\[if([^\]]*)\]>?(.*?)(?:<!\[endif\]|\Z)", re.DOTALL | re.IGNORECASE)
_OUTLOOK_SEES = re.compile(r"<!--\[if(?![^\]]*!\s*(?:mso|vml))[^\]]*\]>", re.IGNORECASE)
_OUTLOOK_SKIPS = re.compile(r"<!\[if[^\]]*!\s*(?:mso|vml)[^\]]*\]>.*?<!\[endif\]>", re.IGNORECASE | re.DOTALL)
_STYLES = re.compile(r"<style\b[^>]*>(.*?)(?:</style|\Z)", re.IGNORECASE | re.DOTALL)
_STYLE_OR_XML = re.compile(rf"(?ais)<(style|xml|script)(?=[{_SPACE}/>]).*?(?:</\1[{_SPACE}]*>|\Z)")
_TAGS = re.compile(r"<[^>]*>?")
_WORD_CHARACTER = re.compile(r"\w")
_MAX_EMOJI = 8
_MAX_KEPT_ATTRIBUTES = 64
_LONGEST_KEPT_TAG = 400
_MAX_KEPT_TAGS = 2000
_TITLES = ("title", "placeholder", "aria-label", "label", "summary")
_TARGETS = ("href", "xlink:href", "action", "formaction")
_SHOWN_BESIDE = 200
"""Characters behind the start of a link in which its target is looked for: what is shown need not be read twice."""
_MAX_LINKS = 2_000
_MAX_WRITTEN = 200_000
"""Characters that style sheets may write into one document."""
_MAX_STYLED = 40_000
"""Tags of a document whose style sheets are followed: that takes a pass for each kind of mail program."""
_MAX_STEPS = 150_000
"""Comparisons of elements with selectors for one document; past it its sheets are not followed."""
_MAX_PICTURES = 200
_LETTERS = frozenset(ascii_letters)
_MAX_MARKS = 250_000
"""Tags and comments of one part whose nesting is followed; what comes after them is read without its layout."""
_SAYING = frozenset({"alt", "value", "src", "srcdoc", "data", "string", "background", *_TITLES, *_TARGETS})
_RAW = {
    name: re.compile(rf"</{name}(?=[{_SPACE}/>])", re.IGNORECASE | re.ASCII)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
_DECODED = frozenset({"title", "textarea"})


@dataclass(frozen=True, slots=True)
class Aside:
    """A run of the decoded text that is not in its place. ``at``: where it stood."""

    start: int
    end: int
    at: int
    hidden: bool
    kind: PassageKind
    """Body for what is hidden, or seen in another order; or an alternative text, or the target of a link."""
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
    pictures: tuple[Data, ...] = ()
    """Files that stand in the markup itself."""
    remote: tuple[tuple[str, int], ...] = ()
    """Addresses from which a mail program would fetch pictures, and their size in pixels, 0 where it is not said."""


class _Tag(NamedTuple):
    """A start tag. ``says``: an attribute holds words."""

    name: str
    attributes: dict[str, str]
    says: bool


def rendered(html: str) -> Rendered:
    """Return the words of ``html`` in their order, and what its markup claims about each line. Total and linear."""
    plain = _Reader(html)
    plain.read()
    sheet = "\n".join(plain.sheets)
    follows = bool(sheet) and plain.marks <= _MAX_STYLED
    readers = [_Reader(html, each) for each in css.sheets(sheet)] if follows else []
    for reader in readers:
        reader.read()
    readers.append(plain)
    if plain.for_outlook:
        for_outlook = _Reader(html, outlook=True)
        for_outlook.read()
        readers.append(for_outlook)
    long_sheet = bool(sheet) and (not follows or css.is_long(sheet))
    return readers[0].rendered(readers[1:], long_sheet=long_sheet)


class _Reader:
    """One pass over one document, as one mail program shows it."""

    def __init__(self, html: str, sheet: css.Sheet | None = None, *, outlook: bool = False) -> None:
        self.html = html
        self.sheet = sheet
        self.outlook = outlook
        self.stack = Stack(State(Look()))
        self.visible = Flow()
        self.hidden = Flow()
        self.moved = Flow()
        self.alternative = Flow()
        self.targets = Flow()
        self.asides: list[tuple[Flow, int, int, bool]] = []
        self.rows = Rows()
        self.flat = False
        self.marks = 0
        self.tags: dict[str, _Tag] = {}
        self.inherited: dict[tuple[int, int], tuple[State, _Tag, State]] = {}
        self.styles: dict[tuple[int, int], tuple[State, _Tag, tuple[State, tuple[str, str]]]] = {}
        self.sheets: list[str] = []
        self.for_outlook = False
        """Comments hold words or drawings that Outlook alone shows."""
        self.links: dict[str, tuple[str, int, bool]] = {}
        self.pictures: list[Data] = []
        self.remote: dict[str, int] = {}
        self.kin: list[tuple[int, int, int]] = [(0, 0, 0)]
        """Of each open element: how many children it had so far, what the last matched, what all did."""
        self.after: list[tuple[int, str]] = []
        """How deep the elements stand that are open and behind which a sheet writes words, and those words."""
        self.written = 0
        self.steps = 0

    def read(self) -> None:
        """Read it all."""
        html, position, size = self.html, 0, len(self.html)
        while position < size:
            start = html.find("<", position)
            self.visible.at = position
            if start != position:
                self._text(html[position : start if start >= 0 else size])
                if start < 0:
                    break
            if self.marks == _MAX_MARKS:
                self._text(_TAGS.sub(" ", html[start:]))
                self.flat = True
                break
            self.marks += 1
            self.visible.at = start
            position = self._markup(start)
        self._close_places(0)

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
        if following == "!" and self.outlook:
            skipped = _OUTLOOK_SKIPS.match(html, start)
            if skipped:
                return skipped.end()
        if following and following in "!?/":
            end = html.find(">", start)
            end = len(html) if end < 0 else end
            if not NO_WORDS.match(html, start):
                self._aside(self.hidden, unescaped(html[start + 2 : end]).removeprefix("[CDATA["))
            return end + 1
        self._text("<")
        return start + 1

    def _text(self, text: str) -> None:
        text = unescaped(text)
        state = self.stack.states[-1]
        if state.hidden:
            self._aside(self.hidden, text)
        elif state.above_line:
            self._aside(self.alternative, text)
        else:
            self.visible.write(text, state)

    def _aside(self, flow: Flow, text: str) -> None:
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
        if self.outlook:
            seen = _OUTLOOK_SEES.match(html, start)
            if seen:
                return seen.end()
        end = _COMMENT_END.search(html, start + 4)
        text = html[start + 4 : end.start() if end else len(html)]
        conditional = _CONDITIONAL.match(text)
        if conditional:
            text = self._conditional(conditional)
        self._aside(self.hidden, unescaped(text))
        return end.end() if end else len(html)

    def _conditional(self, comment: re.Match[str]) -> str:
        """Return the words of a comment that Outlook for Windows reads as markup, and remember that it does."""
        inside = comment[2]
        self.sheets += _STYLES.findall(inside)
        text = _TAGS.sub(" ", _STYLE_OR_XML.sub(" ", inside))
        self.for_outlook = self.for_outlook or bool(text.strip()) or "string=" in inside
        return text

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
                attributes.setdefault(match[1].lower(), unescaped(value))
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
        stack = self.stack
        in_place = bool(stack.names) and stack.names[-1] == name
        state = stack.states[-1]
        if self.after and in_place and self.after[-1][0] == len(stack.names):
            self._write_after()
        if (state.block if in_place and name not in BLOCK else name in BLOCK) and not (
            in_place and state.in_line
        ):
            self._break(name)
        if name not in {"body", "html"}:
            if name in ROWS:
                stack.close_cell()
            stack.close(name)
        self._close_places(len(stack.names))
        return end

    def _close_places(self, depth: int) -> None:
        """Let go of what was remembered for elements that have ended: deeper than ``depth``."""
        self.rows.end(depth + 1, self.visible.length)
        if self.sheet is not None:
            del self.kin[depth + 1 :]
            while self.after and self.after[-1][0] > depth:
                self._write_after()

    def _start_tag(self, start: int) -> int:
        tag, end = self._tag(start)
        if end > len(self.html):  # the tag never ends: no program shows it, and here it is read
            self._aside(self.hidden, self.html[start + 1 :])
            return end
        raw = _RAW.get(tag.name)
        foreign = raw is not None and not _FOREIGN.isdisjoint(self.stack.names)
        closes = self.html[end - 2 : end] == "/>"
        if foreign and closes:
            return end
        self._element(tag)
        if closes and tag.name in _FOREIGN and not tag.attributes:  # else the slash may be a value's
            self.stack.close(tag.name)
        if tag.name == "plaintext":
            self.visible.write(self.html[end:], self.stack.states[-1])
            return len(self.html)
        return self._raw_text(tag.name, raw, end, foreign=foreign) if raw else end

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

    def _raw_text(self, name: str, ending: re.Pattern[str], start: int, *, foreign: bool) -> int:
        """Read the inside of an element that has no markup inside, up to its end tag.

        In SVG and MathML the same names are elements like others, and browsers may show what is in them.
        """
        end = ending.search(self.html, start)
        stop = end.start() if end else len(self.html)
        text = self.html[start:stop]
        if name == "style":
            self.sheets.append(text)
        if foreign and name in SILENT:
            self._aside(self.hidden, text)
        if name not in SILENT:
            text = unescaped(text) if name in _DECODED else text
            state = self.stack.states[-1]
            if state.hidden or name in UNSHOWN:
                self._aside(self.hidden, text)
            else:
                self.visible.write(text, state)
        return stop

    def _element(self, tag: _Tag) -> None:
        """Open an element: break the line, inherit the state, write what its attributes say."""
        stack, name = self.stack, tag.name
        outer = stack.states[-1]
        if not tag.attributes and name not in SPECIAL and self.sheet is None and not outer.is_alone:
            stack.push(name, outer)
            return
        if name in IN_TABLE and not stack.tables:
            return
        stack.close_implied(name)
        self._close_places(len(stack.names))
        outer = stack.states[-1]
        state, generated = self._state_in(tag, outer)
        if state.block or name in {"br", "hr"} or (name in BLOCK and not state.in_line):
            self._break(name)
        elif name in CELLS and not self.visible.fresh:
            self.visible.line_break("\t")
        if tag.says:
            self._said_by(name, tag.attributes, state)
        if name in VOID:
            self._generate("".join(generated), state)
            return
        if state.place is not None:
            self.rows.begin(len(stack.names) + 1, self.visible.length, state.place, turned=outer.row < 0)
        stack.push(name, state)
        self._generate(generated[0], state)
        if generated[1]:
            self.after.append((len(stack.names), generated[1]))

    def _state_in(self, tag: _Tag, outer: State) -> tuple[State, tuple[str, str]]:
        """Return the state inside an element, and the words that a sheet writes before and behind its own."""
        if self.sheet is not None:
            return self._styled(tag, outer)
        if tag.attributes or tag.name in CHANGING or outer.is_alone:
            return self._inherited(outer, tag), ("", "")
        return outer, ("", "")

    def _styled(self, tag: _Tag, outer: State) -> tuple[State, tuple[str, str]]:
        """Return the state inside an element as the sheet has it, and the words that it writes before and behind."""
        assert self.sheet is not None
        key = (id(outer), id(tag))
        known = self.styles.get(key)
        if known is not None and known[0] is outer and known[1] is tag:
            return known[2]
        attributes = tag.attributes
        count, elder, elders = self.kin[-1]
        classes = frozenset(attributes.get("class", "").split())
        element = css.Element(tag.name, attributes.get("id", ""), classes, attributes, count + 1)
        kin = css.Kin(outer.kin.above, outer.kin.parent, elder, elders)
        told = self.sheet.styled(element, kin)
        self.kin[-1] = count + 1, told.bits, elders | told.bits
        if tag.name not in VOID:
            self.kin += [(0, 0, 0)] * (len(self.stack.names) + 2 - len(self.kin))
            self.kin[-1] = 0, 0, 0
        self.steps += told.steps
        if self.steps > _MAX_STEPS:
            self.sheet, self.flat = None, True
        words = css.written(told.before, attributes), css.written(told.after, attributes)
        found = inherit(outer, tag.name, attributes, told), words
        if self.sheet is not None and not self.sheet.minds_siblings and len(self.styles) < _MAX_KEPT_TAGS:
            self.styles[key] = outer, tag, found
        return found

    def _generate(self, words: str, state: State) -> None:
        """Write words of a style sheet; what is more than anybody writes is left out and named."""
        if words and self.written + len(words) > _MAX_WRITTEN:
            self.flat = True
        elif words:
            self.written += len(words)
            if state.hidden:
                self._aside(self.hidden, words)
            else:
                self.visible.write(words, state)

    def _write_after(self) -> None:
        depth, words = self.after.pop()
        self._generate(words, self.stack.states[min(depth, len(self.stack.states) - 1)])

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
        said = [attributes.get(attribute, "") for attribute in _TITLES]
        if name in {"input", "button", "option"}:
            said.append(attributes.get("value", ""))
        if name.endswith("textpath") and "string" in attributes:  # VML, which Outlook draws
            if self.outlook:
                self.visible.write(attributes["string"], state)
            else:
                said.append(attributes["string"])
        for words in said:
            self._aside(self.alternative, words)
        if "srcdoc" in attributes:
            self._aside(self.hidden, _TAGS.sub(" ", attributes["srcdoc"]))
        self._links_of(attributes, state)
        for attribute in ("src", "data", "background"):
            if attribute in attributes:
                self._file(attributes[attribute], attributes)

    def _links_of(self, attributes: dict[str, str], state: State) -> None:
        for attribute in _TARGETS:
            target = attributes.get(attribute, "").strip()
            if target and target not in self.links and len(self.links) < _MAX_LINKS:
                words = target_words(target)
                if words:
                    self.links[target] = words, self.visible.length, bool(state.depth) or state.indented

    def _file(self, address: str, attributes: dict[str, str]) -> None:
        """Take a picture or another file that stands in the markup, or note that it would be fetched."""
        address = address.strip()
        data = data_of(address)
        if data is None:
            is_remote = address[:5].lower() in {"http:", "https", "ftp:/"} or address.startswith("//")
            if is_remote and len(self.remote) < _MAX_PICTURES:
                size = coordinate(attributes.get("width", "")) * coordinate(attributes.get("height", ""))
                self.remote[address[:200]] = max(int(size), 0)
        elif data.media.startswith(("text/", "image/svg")):
            self._aside(self.alternative, words_of_markup(data))
        elif len(self.pictures) < _MAX_PICTURES:
            self.pictures.append(data)
        else:
            self.flat = True

    def rendered(self, others: "list[_Reader]", *, long_sheet: bool) -> Rendered:
        """Return what was read, and after it the lines that only ``others`` have."""
        text = "".join(self.visible.pieces)
        lines = _lines(text, self.visible.states)
        for place, words in self.rows.read(text):
            self._place_aside(self.moved, words, place, claimed=False)
        for target, (words, place, claimed) in self.links.items():
            if target.split(":", 1)[-1] not in text[place : place + len(target) + _SHOWN_BESIDE]:
                self._place_aside(self.targets, words, place, claimed=claimed)
        self._differences(others)
        flat = self.flat or long_sheet or any(other.flat for other in others)
        asides: list[Aside] = []
        base = len(text) + 1
        kinds = (
            (self.hidden, PassageKind.BODY), (self.moved, PassageKind.BODY),
            (self.alternative, PassageKind.ALT_TEXT), (self.targets, PassageKind.LINK),
        )  # fmt: skip
        for flow, kind in kinds:
            if not flow.length:
                continue
            text = f"{text}\n{''.join(flow.pieces)}"
            runs = [aside[1:] for aside in self.asides if aside[0] is flow]
            for index, (begin, place, claimed) in enumerate(runs):
                end = runs[index + 1][0] if index + 1 < len(runs) else flow.length
                asides.append(Aside(base + begin, base + end, place, flow is self.hidden, kind, claimed))
            base = len(text) + 1
        return Rendered(text, lines, asides, flat, tuple(self.pictures), tuple(self.remote.items()))

    def _place_aside(self, flow: Flow, text: str, place: int, *, claimed: bool) -> None:
        flow.block_break()
        self.asides.append((flow, flow.length, place, claimed))
        flow.write(text, _PREFORMATTED)

    def _differences(self, others: "list[_Reader]") -> None:
        """Take the lines that other mail programs show and this one does not, where they stand in the markup."""
        if not others:
            return
        known = {
            " ".join(line.split())
            for flow in (self.visible, self.hidden)
            for line in "".join(flow.pieces).split("\n")
        }
        marks = [at for _, _, at in self.visible.states]
        room = len(self.html)
        for other in others:
            for line, state, at in other.visible_lines():
                words = " ".join(line.split())
                if words in known:
                    continue
                known.add(words)
                room -= len(words)
                if room < 0:
                    self.flat = True
                    return
                index = bisect_right(marks, at) - 1
                place = self.visible.states[index][0] if index >= 0 else 0
                self._place_aside(self.hidden, line, place, claimed=bool(state.depth) or state.indented)

    def visible_lines(self) -> "list[tuple[str, State, int]]":
        """Return each line that is seen, the state of its first character, and where in the markup that stands."""
        text = "".join(self.visible.pieces)
        found = []
        for begin, state, at in self.visible.states:
            end = text.find("\n", begin)
            found.append((text[begin : end if end >= 0 else len(text)], state, at))
        return found


_PREFORMATTED = State(Look(), preformatted=True)


def _lines(text: str, states: list[tuple[int, State, int]]) -> list[Line]:
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
