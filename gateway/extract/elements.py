"""HTML elements: which break a line, which hide, which nest, and which a mail program marks as quote or signature.

Owns the facts about element names, the state that text inherits, and the stack of open elements. Refuses to read
characters: `markup` does. Marks are claims; anybody can write a class name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.extract import css
from gateway.extract.layout import Mark
from gateway.extract.styles import (
    Look,
    coordinate,
    declared_by,
    is_mirrored,
    is_turned,
    lays_rows,
    look_of,
    place_of,
)


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


NO_WORDS = re.compile(r"<(?:!\[\s*(?:if|endif)\b|!doctype\b|\?(?:xml|mso|import|php)|/\s*>)", re.IGNORECASE)
"""What begins like markup and says nothing to anybody; everything else of the kind is a comment to a browser."""
VOID = _names("area base br col embed hr img input link meta param source track wbr")
SILENT = _names("script style")
UNSHOWN = _names("title iframe noembed noframes template datalist rp")
PREFORMATTED = _names("pre textarea xmp listing plaintext")
BLOCK = _names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hgroup html legend li listing main menu nav ol option p pre search section"
    " select summary table tbody textarea tfoot thead tr ul xmp"
)
CLOSES_P = BLOCK - _names("body html caption dd dt li option select textarea tr tbody")
CELLS = _names("td th")
IN_TABLE = CELLS | _names("tr tbody thead tfoot caption")
ROWS = IN_TABLE - CELLS
SAME_CLOSES = {
    "li": _names("li"),
    "option": _names("option"),
    "dt": _names("dt dd"),
    "dd": _names("dt dd"),
}
SPECIAL = VOID | UNSHOWN | PREFORMATTED | BLOCK | IN_TABLE | {"rt"}
"""Every other element without attributes changes nothing and only nests."""
CHANGING = UNSHOWN | PREFORMATTED | _names("blockquote rt")
"""What is inside these differs, even without attributes."""
_SCOPE = _names("td th caption table template marquee object applet")

_CLAIM = re.compile(
    r"\b(?:(?P<quote>yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra)"
    r"|(?P<attribution>gmail_attr|moz-cite-prefix)"
    r"|(?P<signature>gmail_signature|moz-signature|ms-outlook-mobile-signature|(?:x_)*Signature|AppleMailSignature)"
    r"|(?P<header>(?:x_)*divRplyFwdMsg|mail-editor-reference-message-container"
    r"|ms-outlook-mobile-reference-message))\b",
    re.IGNORECASE,
)
_CITE = re.compile(r"\b(?:gmail_quote|cite|quote)\b", re.IGNORECASE)
_MARKS = {"attribution": Mark.ATTRIBUTION, "signature": Mark.SIGNATURE, "header": Mark.HEADER_BLOCK}


@dataclass(frozen=True, slots=True)
class State:
    """What holds for text at one place; inherited by what is inside."""

    look: Look
    depth: int = 0
    indented: bool = False
    mark: Mark = Mark.NONE
    preformatted: bool = False
    unshown: bool = False
    hidden: bool = False
    """A mail program would not show text here: `unshown`, or the look hides it."""
    mirrored: bool = False
    """Letters run from right to left."""
    above_line: bool = False
    """Small print above other words (ruby)."""
    in_line: bool = False
    """Of this element alone: it breaks no line though its name says so."""
    block: bool = False
    """Of this element alone: it breaks the line though its name does not say so."""
    row: int = 0
    """Of this element alone: it lays its children out side by side (1), in reverse (-1)."""
    place: tuple[float, float] | None = None
    """Of this element alone: what its place among its siblings is sorted by, when that is not where it was written."""
    kin: css.Kin = css.NO_KIN
    """What its ancestors matched of the sheet that is followed."""

    @property
    def is_alone(self) -> bool:
        """True when something holds for this element that does not hold for what is inside it."""
        return self.in_line or self.block or self.row != 0 or self.place is not None


def inherit(outer: State, name: str, attributes: Mapping[str, str], sheet: css.Styled | None = None) -> State:
    """Return the state inside an element, from the state around it, what the element says, and what a sheet says."""
    label = f"{attributes.get('class', '')} {attributes.get('id', '')}"
    depth, indented, mark = outer.depth, outer.indented, outer.mark
    if name == "blockquote":
        cited = attributes.get("type", "").lower() == "cite" or _CITE.search(label) is not None
        depth, indented = depth + cited, indented or not cited
    claim = _CLAIM.search(label)
    if claim is not None and claim.lastgroup is not None:
        depth += claim.lastgroup == "quote"
        mark = _MARKS.get(claim.lastgroup, mark)
    elif "data-smartmail" in attributes:
        mark = Mark.SIGNATURE
    declared = declared_by(attributes, sheet)
    look = look_of(outer.look, attributes, declared)
    unshown = outer.unshown or name in UNSHOWN
    display = declared.get("display", "")
    kept = "white-space" in declared and "pre" in declared["white-space"]
    bits = sheet.bits if sheet is not None else 0
    return State(
        look=look,
        depth=depth,
        indented=indented,
        mark=mark,
        preformatted=outer.preformatted or name in PREFORMATTED or kept,
        unshown=unshown,
        hidden=unshown or look.hidden,
        mirrored=outer.mirrored or is_mirrored(declared) or _is_reversing(name, attributes),
        above_line=outer.above_line or name == "rt",
        in_line=name in BLOCK and display in {"inline", "contents"},
        block=name not in BLOCK and display in {"block", "flex", "grid", "table", "list-item", "table-row"},
        row=_row(name, attributes, declared, outer),
        place=_place(name, attributes, declared, outer),
        kin=css.Kin(outer.kin.above | bits, bits) if bits or outer.kin.above else outer.kin,
    )


def _is_reversing(name: str, attributes: Mapping[str, str]) -> bool:
    return name == "bdo" and attributes.get("dir", "").lower() == "rtl"


def _row(name: str, attributes: Mapping[str, str], declared: Mapping[str, str], outer: State) -> int:
    """Return how an element lays out its children; the cells of a table stand as the table says."""
    if name in ROWS and outer.row:
        return outer.row
    turned = is_turned(declared) or attributes.get("dir", "").lower() == "rtl"
    if lays_rows(declared) or (
        turned and (name in {"table", "tr"} or declared.get("display", "") == "table")
    ):
        return -1 if turned else 1
    return 0


def _place(
    name: str, attributes: Mapping[str, str], declared: Mapping[str, str], outer: State
) -> tuple[float, float] | None:
    if name in {"text", "tspan"} and "x" in attributes:  # of a drawing
        return coordinate(attributes.get("y", "")), coordinate(attributes["x"])
    if name not in ROWS and (outer.row or declared):
        return place_of(declared, in_row=outer.row != 0)
    return None


class Stack:
    """The open elements, with scopes: an end tag does not reach out of the table cell it stands in."""

    def __init__(self, root: State) -> None:
        self.names: list[str] = []
        self.states: list[State] = [root]
        self.counts: list[dict[str, int]] = [{}]
        self.scopes: list[str] = [""]
        self.tables = 0

    def push(self, name: str, state: State) -> None:
        """Open an element."""
        self.names.append(name)
        self.states.append(state)
        self.counts[-1][name] = self.counts[-1].get(name, 0) + 1
        if name in _SCOPE:
            self.counts.append({})
            self.scopes.append(name)
            self.tables += name == "table"

    def pop(self) -> str:
        """Close the innermost element and return its name."""
        name = self.names.pop()
        self.states.pop()
        if name in _SCOPE:
            self.counts.pop()
            self.scopes.pop()
            self.tables -= name == "table"
        self.counts[-1][name] -= 1
        return name

    def holds(self, name: str) -> bool:
        """Return whether ``name`` is open in the innermost scope."""
        return self.counts[-1].get(name, 0) > 0

    def close(self, name: str) -> None:
        """Close elements up to and with ``name``, if an end tag may reach it from here."""
        if name in _SCOPE:
            reachable = self.tables > 0 if name == "table" else self.scopes[-1] == name
        else:
            reachable = self.holds(name)
        while reachable and self.pop() != name:
            pass

    def close_cell(self) -> None:
        """Close the table cell at hand, as the start of the next one does."""
        if self.scopes[-1] in CELLS:
            self.close(self.scopes[-1])

    def close_implied(self, name: str) -> None:
        """Close what the start of ``name`` ends without an end tag: a paragraph, a cell, a list item."""
        if name in IN_TABLE:
            self.close_cell()
            if name == "tr":
                self.close("tr")
        if name in CLOSES_P and self.holds("p"):
            self.close("p")
        if self.names and self.names[-1] in SAME_CLOSES.get(name, ()):
            self.close(self.names[-1])
