"""YAML text -> plain values that know their place, and every trap YAML sets for a rule author.

Owns the reading of one file: syntax, anchors, duplicate keys, values that YAML would silently turn into something
else, invisible characters. Refuses to know what a rule is. Stands before `schema`, which gives the values meaning.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import yaml

from gateway.errors import Mistake

MAX_DEPTH: Final = 20
"""Levels of nesting in a rule file; a rule needs five. Deeper text is an attack on the parser's stack."""

MAX_NODES: Final = 30_000
"""Values in one file; the largest list of ours has some hundreds. More of them is an attack on time and memory."""
MAX_SHOWN: Final = 50
"""Mistakes that are told of one file; whoever mends fifty runs lint again anyway."""

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRUTH_TRAP: Final = re.compile(r"(?i:yes|no|on|off|y|n)\Z")
_CLOCK_TRAP: Final = re.compile(r"[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?\Z")
_OCTAL_TRAP: Final = re.compile(r"[-+]?0[\d_]+\Z")
_TAGS: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = frozenset({"str", "int", "float", "bool", "null", "timestamp", "map", "seq"})
_CALLED: Final = {
    "int": "number", "float": "number", "bool": "truth value", "null": "empty value", "timestamp": "date"
}  # fmt: skip
_BLANKS: Final = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Characters that show nothing, though Unicode counts them as letters, marks or symbols."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file as plain values, and where each of them stands."""

    name: str
    value: Any
    root: Any

    def place(self, path: tuple[str | int, ...]) -> tuple[int, int]:
        """Return line and column, from 1, of the value at ``path`` or of the nearest thing around it.

        Steps that name no key or index (a validator's own labels) are passed over.
        """
        node = self.root
        mark = node.start_mark
        for step in path:
            found = _step(node, step)
            if found is not None:
                node, mark = found
        return mark.line + 1, mark.column + 1

    def mistake(self, path: tuple[str | int, ...], what: str, remedy: str, *, shift: int = 0) -> Mistake:
        """Return a mistake at ``path``; ``shift`` moves the column so many characters into a text of one line."""
        line, column = self.place(path)
        moved = column + (self._written(path, shift) if shift else 0)
        return Mistake(file=self.name, line=line, column=moved, what=what, remedy=remedy)

    def _written(self, path: tuple[str | int, ...], shift: int) -> int:
        """Return how many columns the first ``shift`` characters of a text take, with quotation mark and escapes."""
        node = self.root
        for step in path:
            found = _step(node, step)
            node = found[0] if found else node
        if not isinstance(node, yaml.ScalarNode) or node.start_mark.line != node.end_mark.line:
            return 0
        if not node.style:
            return shift
        doubled = "'" if node.style == "'" else '\\"'
        return 1 + shift + sum(char in doubled for char in node.value[:shift])


def _step(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                shown = value if isinstance(value, yaml.ScalarNode) else key
                return value, shown.start_mark
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child, child.start_mark
    return None


def key_place(document: Document, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Return line and column, from 1, of the *key* at the end of ``path``: for keys that should not be there."""
    node = document.root
    for step in path[:-1]:
        found = _step(node, step)
        node = found[0] if found else node
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if key.value == str(path[-1]):
                return key.start_mark.line + 1, key.start_mark.column + 1
    return document.place(path)


def parse(name: str, text: str) -> tuple[Document | None, tuple[Mistake, ...]]:
    """Return the values of one file and every mistake in its YAML; None when it could not be read at all.

    Never raises. Anchors, aliases, merge keys and tags of one's own are refused: a rule says what it says where
    it says it, and an alias can expand to more than memory holds.
    """
    seen = (*_first(_invisible(name, text)), *_structure(name, text))
    if seen:
        return None, seen
    root = yaml.compose(text, Loader=_Loader)
    if root is None:
        remedy = "write the rule, or delete the file"
        return None, (Mistake(file=name, line=1, column=1, what="the file is empty", remedy=remedy),)
    mistakes = _first(_node_mistakes(name, root))
    if mistakes:
        return None, mistakes
    value = yaml.load(text, Loader=_Loader)  # noqa: S506  # the safe loader, in C where it is built
    return Document(name, value, root), ()


def _first(mistakes: Iterator[Mistake]) -> tuple[Mistake, ...]:
    return tuple(islice(mistakes, MAX_SHOWN))


def _invisible(name: str, text: str) -> Iterator[Mistake]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.isascii() and line.isprintable():
            continue
        for column, char in enumerate(line, start=1):
            if _is_hidden(char) and not (char in "\u200d\ufe0f" and ord(line[max(column - 2, 0)]) > 0x2000):
                what, remedy = (
                    f"an invisible character U+{ord(char):04X}",
                    "delete it; in a regex write \\x{...}",
                )
                if char.isspace():
                    what, remedy = (
                        f"a space that is not the plain one, U+{ord(char):04X}",
                        "write a plain space",
                    )
                yield Mistake(file=name, line=number, column=column, what=what, remedy=remedy)


def _is_hidden(char: str) -> bool:
    """Return whether nothing is seen of ``char``, or a space that is not the one that rules are matched with."""
    if char in " \t\r":
        return False
    category = unicodedata.category(char)
    selector = category == "Mn" and unicodedata.name(char, "").startswith("VARIATION SELECTOR")
    return category in {"Cf", "Cc", "Co", "Cn", "Zl", "Zp", "Zs"} or char in _BLANKS or selector


def _structure(name: str, text: str) -> Iterator[Mistake]:
    """Yield what the event stream shows before anything is built: syntax, depth, anchors, several documents."""
    depth = documents = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            documents += isinstance(event, yaml.DocumentStartEvent)
            nodes += isinstance(event, yaml.NodeEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            refused = _refused(event, documents, nodes, depth)
            if refused is not None:
                yield _at(name, event.start_mark, *refused)
                return
    except yaml.MarkedYAMLError as error:
        yield _not_yaml(name, text, error)
    except yaml.YAMLError as error:
        yield Mistake(file=name, what=f"not YAML: {error}", remedy="save the file as plain UTF-8 text")


def _refused(event: Any, documents: int, nodes: int, depth: int) -> tuple[str, str] | None:
    """Return why nothing behind ``event`` is looked at, and what to do, or None."""
    if documents > 1:
        return "a second document begins", "one file holds one document: remove ---"
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "an anchor or alias", "write the value out where it is meant"
    if getattr(event, "tag", None):
        return f"the tag {shortened(event.tag)}", "write plain values, without tags"
    if nodes > MAX_NODES:
        return f"more than {MAX_NODES} values in one file", "split it"
    return (f"nested deeper than {MAX_DEPTH} levels", "flatten it") if depth > MAX_DEPTH else None


def _not_yaml(name: str, text: str, error: yaml.MarkedYAMLError) -> Mistake:
    place = error.problem_mark or error.context_mark
    begun = error.context_mark
    far = begun and (place is None or (begun.line, begun.column) != (place.line, place.column))
    since = f"(begun at {begun.line + 1}:{begun.column + 1})" if begun and far else ""
    what = " ".join(part for part in (error.context, since, error.problem) if part)
    lines = text.splitlines()
    line = lines[place.line] if place and place.line < len(lines) else ""
    tab = "\t" in line[: len(line) - len(line.lstrip())]
    remedy = "indent with spaces, never tabs" if tab else "mend the YAML; quote text that holds : # [ { or '"
    return _at(name, place, f"not YAML: {shortened(what)}", remedy)


def _at(name: str, mark: Any, what: str, remedy: str) -> Mistake:
    line = mark.line + 1 if mark else None
    return Mistake(file=name, line=line, column=mark.column + 1 if mark else None, what=what, remedy=remedy)


def shortened(text: object, length: int = 100) -> str:
    """Return ``text`` as a line of a message can hold it."""
    shown = str(text)
    return shown if len(shown) <= length else f"{shown[:length]}... ({len(shown)} characters)"


def _node_mistakes(name: str, node: Any) -> Iterator[Mistake]:
    tag = node.tag.removeprefix(_TAGS)
    if tag not in _PLAIN_TAGS:
        remedy = "write plain values: no merge keys and no tags of your own"
        yield _at(name, node.start_mark, f"the tag {node.tag}", remedy)
    if isinstance(node, yaml.ScalarNode):
        yield from _scalar_mistakes(name, node, tag)
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _node_mistakes(name, child)
    else:
        yield from _mapping_mistakes(name, node)


def _mapping_mistakes(name: str, node: Any) -> Iterator[Mistake]:
    seen: dict[str, Any] = {}
    for key, value in node.value:
        yield from _node_mistakes(name, key)
        if not isinstance(key, yaml.ScalarNode):
            yield _at(name, key.start_mark, "a key that is not a word", "keys are plain words")
        elif (called := _CALLED.get(key.tag.removeprefix(_TAGS))) and not _TRUTH_TRAP.match(key.value):
            what = f"the key {shortened(key.value)} is a {called} in YAML"
            yield _at(name, key.start_mark, what, "keys are words; write another one, or quotation marks")
        elif key.value in seen:
            first = seen[key.value].line + 1
            what = f"the key {shortened(key.value)!r} stands here a second time (first on line {first})"
            yield _at(name, key.start_mark, what, "keep one of them")
        else:
            seen[key.value] = key.start_mark
        yield from _node_mistakes(name, value)


def _scalar_mistakes(name: str, node: Any, tag: str) -> Iterator[Mistake]:
    """Yield the values that YAML 1.1 reads otherwise than they look."""
    if node.style:
        return
    text = node.value
    if _TRUTH_TRAP.match(text):
        remedy = f'write "{text}" in quotes, or true or false'
        yield _at(name, node.start_mark, f"{text} without quotes: YAML may read it as true or false", remedy)
    elif _CLOCK_TRAP.match(text) and tag != "str":
        remedy = f'write "{text}" in quotes'
        yield _at(name, node.start_mark, f"{text} without quotes is a number to base 60 in YAML", remedy)
    elif _OCTAL_TRAP.match(text) and tag == "int":
        remedy = f'write "{text}" in quotes, or drop the leading zero'
        yield _at(name, node.start_mark, f"{text} without quotes is an octal number in YAML", remedy)
    elif tag in {"int", "float", "timestamp"}:
        try:
            yaml.constructor.SafeConstructor().construct_object(node)
        except (ValueError, OverflowError):
            what = f"{shortened(text)} is no {_CALLED[tag]}, though it looks like one"
            yield _at(name, node.start_mark, what, "mend it, or write it in quotes if it is text")
