"""Style sheets: which declarations hold for an element, as far as they hide words, write words or move them.

Owns the reading of sheets (tinycss2 takes them apart) and the matching of selectors while a document streams by: an
element sees what its ancestors and elder siblings matched as sets of bits, so that nothing is searched and no tree is
built. Refuses to know what a declaration looks like: `styles` does. Stands below `markup`.

Mail programs disagree about sheets, and some drop them. So a sheet is never the only reading: `markup` reads once as a
screen shows it, once as a telephone and a printer do where the sheet tells them apart, and once without. What cannot
be decided on the way down (``:last-child``, ``:has``) is such a reading of its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import tinycss2
from tinycss2.nth import parse_nth

MAX_SHEET: Final = 200_000
"""Characters of style sheets that are read. A long newsletter has 60,000."""
MAX_RULES: Final = 1_000
"""Rules that may hide, write or move words; a newsletter has 50."""
_MAX_COMPOUNDS: Final = 8
_MAX_NESTING: Final = 32
"""Brackets in brackets; tinycss2 writes values out by recursion."""
_KEPT: Final = frozenset(
    [
        "background", "background-color", "background-image", "clip", "clip-path", "color", "content", "direction",
        "display", "filter", "flex-direction", "float", "font", "font-size", "height", "left", "list-style-type",
        "margin-left", "margin-right", "margin-top", "max-height", "max-width", "mso-hide", "opacity", "order", "overflow",
        "overflow-x", "overflow-y", "position", "right", "scale", "text-indent", "top", "transform", "unicode-bidi",
        "visibility", "width", "zoom", "-webkit-text-fill-color", "bottom",
    ]
)  # fmt: skip
_HARMLESS: Final = {
    "color": re.compile(
        r"#(?:[0-9a-b][0-9a-f]{5}|[0-9a-b][0-9a-f]{2})$|windowtext$|black$|inherit$|(?:navy|blue|purple|red)$"
    ),
    "font-size": re.compile(r"(?:[3-9]|\d\d+)(?:\.\d+)?(?:pt|px)$|1?\d\d%$|1(?:\.\d+)?r?em$|inherit$"),
    "display": re.compile(r"(?:block|inline|list-item|table)$"),
    "background": re.compile(r"(?:white|#fff(?:fff)?|transparent|none|inherit)$"),
    "background-color": re.compile(r"(?:white|#fff(?:fff)?|transparent|none|inherit)$"),
    "visibility": re.compile(r"visible$"),
    "opacity": re.compile(r"1(?:\.0*)?$"),
    "width": re.compile(r"(?:100%|auto|\d\d+px|\d\dpx)$"),
    "max-width": re.compile(r"(?:100%|none|\d\d+px)$"),
    "height": re.compile(r"(?:100%|auto|\d\d+px)$"),
    "margin-left": re.compile(r"[\d.]+\w*$|auto$"),
    "margin-right": re.compile(r"[\d.]+\w*$|auto$"),
    "margin-top": re.compile(r"[\d.]+\w*$|auto$"),
    "font": re.compile(r".*\b(?:[5-9]|\d\d)(?:\.\d+)?p[tx]\b.*$"),
    "overflow": re.compile(r"visible$"),
    "direction": re.compile(r"ltr$"),
    "text-indent": re.compile(r"[\d.]+\w*$"),
    "list-style-type": re.compile(r"[a-z-]+$"),
    "position": re.compile(r"relative$|static$"),
    "float": re.compile(r"none$"),
}
"""What nearly all sheets say, and what neither hides nor moves anything: a sheet of nothing else is not followed."""
_BRACKET: Final = re.compile(r"[][(){}]")
_INTERACTIVE: Final = frozenset(
    ["hover", "focus", "active", "visited", "target", "checked", "focus-within", "focus-visible", "disabled"]
)
_LATE: Final = frozenset(
    [
        "last-child",
        "last-of-type",
        "only-child",
        "only-of-type",
        "empty",
        "has",
        "nth-last-child",
        "nth-last-of-type",
    ]
)
_GENERATED: Final = frozenset({"before", "after", "marker"})


class Medium(StrEnum):
    """Who shows the document."""

    SCREEN = "screen"
    TELEPHONE = "telephone"
    PRINTER = "printer"


@dataclass(frozen=True, slots=True)
class Compound:
    """What one element must be, and how it stands to the one that the selector names before it."""

    name: str = ""
    identity: str = ""
    classes: frozenset[str] = frozenset()
    attributes: tuple[tuple[str, str, str], ...] = ()
    any_of: tuple[tuple["Compound", ...], ...] = ()
    none_of: tuple["Compound", ...] = ()
    step: int = 0
    """Of ``nth-child``: every ``step``-th child from ``first`` on; both 0 when not asked for."""
    first: int = 0
    joined: str = ""

    def fits(self, element: "Element") -> bool:
        """Return whether ``element`` is what this asks for, its place apart."""
        return (
            self.name in {"", "*", element.name}
            and (not self.identity or self.identity == element.identity)
            and self.classes <= element.classes
            and all(_has(element.attributes, *asked) for asked in self.attributes)
            and all(any(each.fits(element) for each in group) for group in self.any_of)
            and not any(each.fits(element) for each in self.none_of)
            and _is_nth(element.number, self.step, self.first)
        )


@dataclass(frozen=True, slots=True)
class Element:
    """An element as selectors see it. ``number``: the how-manyeth child of its parent."""

    name: str
    identity: str
    classes: frozenset[str]
    attributes: Mapping[str, str]
    number: int


@dataclass(frozen=True, slots=True)
class Kin:
    """Which compounds, by their bits, the elements around one have matched."""

    above: int = 0
    parent: int = 0
    elder: int = 0
    """The sibling right before."""
    elders: int = 0
    """All siblings before."""


NO_KIN: Final = Kin()


@dataclass(frozen=True, slots=True)
class _Rule:
    chain: tuple[Compound, ...]
    pseudo: str
    weight: tuple[int, int, int, int]
    declared: tuple[tuple[str, str, bool], ...]
    media: frozenset[Medium]
    late: bool = False

    @property
    def is_harmless(self) -> bool:
        """True when it says only what nearly all sheets say."""
        return all(name in _HARMLESS and _HARMLESS[name].match(value) for name, value, _ in self.declared)


@dataclass(frozen=True, slots=True)
class Styled:
    """What a sheet says about one element: normal and important declarations, generated words, matched bits."""

    normal: dict[str, str]
    important: dict[str, str]
    before: str
    after: str
    bits: int
    steps: int
    """How many compounds were looked at: what it cost."""


@lru_cache(maxsize=64)
def rules_of(text: str) -> tuple[_Rule, ...]:
    """Return the rules of a sheet that may matter, in order; never raises. Mail repeats its sheets, so it is kept."""
    rules: list[_Rule] = []
    text = _flat(_uncommented(text))
    parsed = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    pending: list[tuple[Any, frozenset[Medium]]] = [(node, frozenset(Medium)) for node in reversed(parsed)]
    while pending and len(rules) <= MAX_RULES:
        node, media = pending.pop()
        if (
            node.type == "at-rule"
            and node.content is not None
            and node.lower_at_keyword in {"media", "supports", "layer"}
        ):
            inner = _media_of(node.prelude) & media if node.lower_at_keyword == "media" else media
            nested = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            pending += [(each, inner) for each in reversed(nested)]
        elif node.type == "qualified-rule":
            declared = _declared(node.content)
            if declared:
                rules += _rules(node.prelude, declared, media, len(rules))
    return tuple(rules)


def is_long(text: str) -> bool:
    """Return whether there is more of a sheet than is followed."""
    return (
        len(text) > MAX_SHEET or len(_flat(text)) < len(text) or len(rules_of(text[:MAX_SHEET])) > MAX_RULES
    )


def declarations(style: str) -> dict[str, str]:
    """Return what a ``style`` attribute declares, escapes and comments resolved, in lower case; importance stands first.

    Never raises.
    """
    found: dict[str, str] = {}
    important: dict[str, str] = {}
    for name, value, is_important in _declared(tinycss2.parse_component_value_list(style), only_kept=False):
        (important if is_important else found)[name] = value
    return found | important


def _uncommented(text: str) -> str:
    return text.replace("<!--", " ").replace("-->", " ")


def _flat(text: str) -> str:
    """Return a sheet up to where its brackets nest deeper than anybody writes."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] in "([{" else -1 if depth else 0
        if depth > _MAX_NESTING:
            return text[: bracket.start()]
    return text


def _declared(content: Any, *, only_kept: bool = True) -> tuple[tuple[str, str, bool], ...]:
    nodes = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    found = []
    for node in nodes:
        if node.type != "declaration":
            continue
        name = node.lower_name
        if name == "content" or (
            name == "list-style-type" and any(each.type == "string" for each in node.value)
        ):
            found.append(("content", _words(node.value), node.important))
        elif not only_kept or name in _KEPT:
            value = tinycss2.serialize(node.value).strip().lower()[:200]
            found.append((name, value, node.important))
    return tuple(found)


def _words(value: Sequence[Any]) -> str:
    """Return what ``content`` writes: strings as they are, attributes as ``attr`` and their name between NULs."""
    pieces = []
    for node in value:
        if node.type == "string":
            pieces.append(node.value.replace("\x00", ""))
        elif node.type == "function" and node.lower_name == "attr":
            names = [each.value.lower() for each in node.arguments if each.type == "ident"]
            pieces += [f"\x00{names[0]}\x00"] if names else []
    return "".join(pieces)


def written(content: str, attributes: Mapping[str, str]) -> str:
    """Return the words of a ``content`` declaration for an element with ``attributes``."""
    if "\x00" not in content:
        return content
    pieces = content.split("\x00")
    return "".join(attributes.get(piece, "") if at % 2 else piece for at, piece in enumerate(pieces))


def _media_of(prelude: Any) -> frozenset[Medium]:
    """Return who follows the rules of a media query: a screen is wide, a telephone narrow, and both have a screen."""
    found: set[Medium] = set()
    for query in tinycss2.serialize(prelude).lower().split(","):
        types = set(
            re.findall(r"(?<![-\w(])(screen|print|speech|all|tty|tv|projection|handheld)(?![-\w:])", query)
        )
        media = set(Medium)
        if "screen" in types:
            media = {Medium.SCREEN, Medium.TELEPHONE}
        elif "print" in types:
            media = {Medium.PRINTER}
        elif types and "all" not in types:
            media = set()
        if re.match(r"\s*not\b", query):
            media = set(Medium) - media
        if re.search(r"max-(?:device-)?width|width\s*<|orientation\s*:\s*portrait", query):
            media -= {Medium.SCREEN}
        if re.search(r"min-(?:device-)?width|width\s*>|orientation\s*:\s*landscape", query):
            media -= {Medium.TELEPHONE}
        found |= media
    return frozenset(found)


def _rules(
    prelude: Sequence[Any], declared: tuple[tuple[str, str, bool], ...], media: frozenset[Medium], number: int
) -> Iterator[_Rule]:
    selector: list[Any] = []
    for node in [*prelude, None]:
        if node is None or node == ",":
            rule = _rule(selector)
            if rule is not None:
                yield replace(rule, declared=declared, media=media, weight=(*rule.weight[:3], number))
            selector = []
        else:
            selector.append(node)


def _rule(selector: list[Any]) -> _Rule | None:
    """Return one selector as compounds, or None for one that this does not follow or that asks for a gesture."""
    chain: list[Compound] = []
    builder = _Builder()
    for node in selector:
        if node.type == "whitespace" or (node.type == "literal" and node.value in {">", "+", "~"}):
            if builder.begun:
                chain.append(builder.compound)
                builder = _Builder(pseudo=builder.pseudo, late=builder.late, weight=builder.weight)
                builder.compound = Compound(joined=" ")
            if node.type == "literal":
                builder.compound = replace(builder.compound, joined=node.value)
        elif not builder.take(node):
            return None
    if builder.begun:
        chain.append(builder.compound)
    if not chain or len(chain) > _MAX_COMPOUNDS:
        return None
    chain[0] = replace(chain[0], joined="")
    return _Rule(tuple(chain), builder.pseudo, (*builder.weight, 0), (), frozenset(), builder.late)


class _Builder:
    """Puts one compound together, token by token."""

    def __init__(
        self, *, pseudo: str = "", late: bool = False, weight: tuple[int, int, int] = (0, 0, 0)
    ) -> None:
        self.compound = Compound()
        self.pseudo = pseudo
        self.late = late
        self.weight = weight
        self.begun = False
        self._before = ""

    def take(self, node: Any) -> bool:
        """Take one token; return False when the selector is not to be followed."""
        before, self._before = self._before, ""
        self.begun = True
        ids, classes, names = self.weight
        if node.type == "literal" and node.value in {".", ":", "*", "|"}:
            self._before = before + node.value
        elif node.type == "hash":
            self.compound = replace(self.compound, identity=node.value)
            self.weight = ids + 1, classes, names
        elif node.type == "ident" and before.endswith("."):
            self.compound = replace(self.compound, classes=self.compound.classes | {node.value})
            self.weight = ids, classes + 1, names
        elif node.type in {"ident", "function"} and before.startswith(":"):
            return self._pseudo(node)
        elif node.type == "ident":
            self.compound = replace(self.compound, name=node.lower_value)
            self.weight = ids, classes, names + 1
        elif node.type == "[] block":
            self.compound = replace(
                self.compound, attributes=(*self.compound.attributes, _asked(node.content))
            )
            self.weight = ids, classes + 1, names
        else:
            return False
        return True

    def _pseudo(self, node: Any) -> bool:
        name = node.lower_value if node.type == "ident" else node.lower_name
        if name in _INTERACTIVE:
            return False
        if name in _GENERATED:
            self.pseudo = name
        elif name in _LATE:
            self.late = True
        elif node.type == "function":
            self._function(name, node.arguments)
        elif name == "first-child":
            self.compound = replace(self.compound, first=1)
        return True

    def _function(self, name: str, arguments: Sequence[Any]) -> None:
        if name in {"is", "where", "matches", "-webkit-any", "not"}:
            inner = tuple(rule.chain[-1] for rule in _rules(arguments, (), frozenset(), 0))
            if name == "not":
                self.compound = replace(self.compound, none_of=(*self.compound.none_of, *inner))
            elif inner:
                self.compound = replace(self.compound, any_of=(*self.compound.any_of, inner))
        elif name in {"nth-child", "nth-of-type"}:
            nth = parse_nth(list(arguments))
            if nth is not None:
                self.compound = replace(self.compound, step=nth[0], first=nth[1])


def _asked(content: Sequence[Any]) -> tuple[str, str, str]:
    """Return the name, operator and value of an attribute selector; the operator is empty when it need only be there."""
    nodes = [node for node in content if node.type != "whitespace"]
    name = nodes[0].lower_value if nodes and nodes[0].type == "ident" else ""
    operator = "".join(node.value for node in nodes[1:] if node.type == "literal")
    values = [node.value for node in nodes[1:] if node.type in {"ident", "string"}]
    return name, operator, values[0] if values else ""


def _has(attributes: Mapping[str, str], name: str, operator: str, value: str) -> bool:
    given = attributes.get(name)
    if given is None or not operator:
        return given is not None
    given, value = given.lower(), value.lower()
    return {
        "=": given == value,
        "~=": value in given.split(),
        "|=": given == value or given.startswith(f"{value}-"),
        "^=": given.startswith(value),
        "$=": given.endswith(value),
        "*=": value in given,
    }.get(operator, False)


def _is_nth(number: int, step: int, first: int) -> bool:
    if not step:
        return not first or number == first
    return (number - first) % step == 0 and (number - first) // step >= 0


class Sheet:
    """The rules that one medium follows, ready to be asked about element after element."""

    def __init__(self, rules: Iterable[_Rule], medium: Medium, *, late: bool) -> None:
        """Take the rules that ``medium`` follows; ``late`` says what those do that cannot be decided on the way."""
        self._compounds: list[tuple[int, Compound, int, _Rule | None]] = []
        self._by_key: dict[str, list[int]] = {}
        for rule in rules:
            if medium in rule.media and (late or not rule.late):
                self._add(rule)
        self.minds_siblings = any(
            compound.joined in {"+", "~"} or compound.step or compound.first
            for _, compound, _, _ in self._compounds
        )

    def __bool__(self) -> bool:
        """Return whether there is any rule."""
        return bool(self._compounds)

    def _add(self, rule: _Rule) -> None:
        before = 0
        for place, compound in enumerate(rule.chain):
            bit = 1 << len(self._compounds)
            last = place == len(rule.chain) - 1
            for key in _keys(compound):
                self._by_key.setdefault(key, []).append(len(self._compounds))
            self._compounds.append((bit, compound, before, rule if last else None))
            before = bit

    def styled(self, element: Element, kin: Kin) -> Styled:
        """Return what the sheet says about ``element``."""
        keys = ("*", element.name, f"#{element.identity}", *(f".{each}" for each in element.classes))
        places = sorted({place for key in keys for place in self._by_key.get(key, ())})
        bits = 0
        matched: list[_Rule] = []
        for place in places:
            bit, compound, before, rule = self._compounds[place]
            if _reached(compound.joined, before, kin) and compound.fits(element):
                bits |= bit
                if rule is not None:
                    matched.append(rule)
        matched.sort(key=lambda rule: rule.weight)
        normal: dict[str, str] = {}
        important: dict[str, str] = {}
        around = {"before": "", "after": ""}
        for rule in matched:
            for name, value, is_important in rule.declared:
                if rule.pseudo:
                    if name == "content":
                        around["after" if rule.pseudo == "after" else "before"] = value
                else:
                    (important if is_important else normal)[name] = value
        return Styled(normal, important, around["before"], around["after"], bits, len(places))


def _reached(joined: str, before: int, kin: Kin) -> bool:
    seen = {"": -1, " ": kin.above, ">": kin.parent, "+": kin.elder, "~": kin.elders}[joined]
    return not before or bool(seen & before)


def _keys(compound: Compound) -> Iterator[str]:
    """Yield under what a compound is looked for: the rarest thing that it asks for."""
    if compound.identity:
        yield f"#{compound.identity}"
    elif compound.classes:
        yield f".{min(compound.classes)}"
    else:
        yield compound.name or "*"


def sheets(text: str) -> tuple[Sheet, ...]:
    """Return the readings of a sheet that differ, the screen's first; none when it neither hides nor writes nor moves."""
    rules = rules_of(text[:MAX_SHEET])[:MAX_RULES]
    if all(rule.is_harmless for rule in rules):
        return ()
    late = any(rule.late for rule in rules)
    asked = {frozenset(rule.media) for rule in rules}
    media = tuple(Medium) if asked != {frozenset(Medium)} else (Medium.SCREEN,)
    found = [Sheet(rules, medium, late=False) for medium in media]
    return (*found, Sheet(rules, Medium.SCREEN, late=True)) if late else tuple(found)
