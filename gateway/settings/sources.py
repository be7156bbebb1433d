"""What was given: the settings file and the environment, as text with its place, before any value is judged.

Every scalar stays the text that was written: ``hostname: no`` is the name *no* and ``1:30`` is not ninety, as
YAML would have it; what the text means is decided once, by the type of its setting. Finds keys that are unknown,
double or empty, and names what was probably meant. Opens the settings file and nothing else.
"""

import difflib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from gateway.errors import Mistake, Mistakes
from gateway.settings.listing import Declared, Shape

MAX_FILE_BYTES = 1_048_576
"""A settings file has a few KiB; more is some other file."""

Text: TypeAlias = str | tuple[str, ...] | dict[str, str] | None
PREFIX = "GATEWAY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was written: a file with line and column, or an environment variable."""

    source: str
    line: int | None = None
    column: int | None = None
    variable: bool = False

    def mistake(self, what: str, remedy: str) -> Mistake:
        """Return the mistake ``what`` at this place."""
        return Mistake(file=self.source, line=self.line, column=self.column, what=what, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The text that was given for one setting, and where. ``None`` says that it is to be unset."""

    declared: Declared
    text: Text
    place: Place
    inner: Mapping[str | int, Place]
    """Where the elements of a list or table stand."""


class Tree:
    """The declared settings by path, and what somebody may have meant who wrote another path."""

    def __init__(self, declared: tuple[Declared, ...]) -> None:
        self.by_path = {setting.path: setting for setting in declared}
        self.sections = {
            setting.path[:depth] for setting in declared for depth in range(1, len(setting.path))
        }
        self.by_variable = {setting.variable: setting for setting in declared}

    def meant(self, path: tuple[str, ...]) -> str:
        """Return the remedy for the unknown ``path``: the nearest name, or where to find all names."""
        siblings = [one[-1] for one in (*self.by_path, *self.sections) if one[:-1] == path[:-1]]
        dotted = tuple(".".join(path).split("."))
        if dotted in self.by_path:
            return f"write `{':` and below it `'.join(dotted)}:`, each line indented further"
        elsewhere = [one for one in self.by_path if one[-1] == path[-1] or "_".join(one) == "_".join(path)]
        if elsewhere:
            return "did you mean " + " or ".join(".".join(one) for one in elsewhere) + "?"
        near = difflib.get_close_matches(path[-1].lower(), siblings, n=1)
        if near:
            return f"did you mean {'.'.join((*path[:-1], near[0]))}?"
        near = difflib.get_close_matches(
            ".".join(path), [".".join(one) for one in self.by_path], n=1, cutoff=0.75
        )
        if near:
            return f"did you mean {near[0]}?"
        return "remove it; `gateway settings` lists every setting"


def read_file(path: Path, tree: Tree) -> tuple[tuple[Given, ...], tuple[Mistake, ...]]:
    """Return what the file gives and what is wrong with it. Never raises for what the file is or holds."""
    try:
        root = _composed(path)
    except Mistakes as unreadable:
        return (), unreadable.mistakes
    reader = _FileReader(str(path), tree)
    if root is not None:
        reader.section(root, ())
    return tuple(reader.given), tuple(reader.mistakes)


def _composed(path: Path) -> yaml.Node | None:
    """Return the node tree of the file, None when it holds nothing; Mistakes when it is not YAML."""
    source = str(path)
    mistake: Mistake
    raw = b""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) <= MAX_FILE_BYTES:
            return yaml.compose(_decoded(raw), Loader=yaml.SafeLoader)
        mistake = _whole(source, "is larger than 1 MiB", "name a settings file")
    except OSError as error:
        mistake = _whole(source, f"cannot be read: {error.strerror}", "name a settings file that can be")
    except yaml.MarkedYAMLError as error:
        mistake = _yaml_mistake(source, error)
    except yaml.reader.ReaderError as error:
        place = _at(source, *_position(_decoded(raw), error.position))
        what = f"holds the control character {error.character!r}"
        mistake = place.mistake(what, "write the file as plain UTF-8 text")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        mistake = _at(source, *_position(before, len(before))).mistake(
            "is not UTF-8", "save the file as UTF-8"
        )
    except RecursionError:
        mistake = _whole(source, "is nested too deeply", "write settings two or three levels deep")
    raise Mistakes((mistake,))


def others_may_read(path: Path) -> bool:
    """Return whether everybody on this machine may read the file; False when it is not there."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8-sig")


def _whole(source: str, what: str, remedy: str) -> Mistake:
    return Mistake(file=source, what=what, remedy=remedy)


def _at(source: str, line: int, column: int) -> Place:
    return Place(source=source, line=line, column=column)


def _position(text: str, index: int) -> tuple[int, int]:
    """Return line and column, from 1, of the character at ``index``."""
    before = text[:index]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _yaml_mistake(source: str, error: yaml.MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "is not YAML"
    if "'\\t'" in problem:
        what, remedy = "a tab stands where YAML allows only spaces", "indent with spaces"
    elif "expected a single document" in f"{error.context} {problem}":
        what, remedy = "a second YAML document begins", "keep one document; remove the --- line"
    elif "mapping values are not allowed" in problem:
        what = "a second colon, or indentation that does not fit the line above"
        remedy = "put text that holds ': ' in quotes, and indent settings of one section alike"
    else:
        what, remedy = f"is not YAML: {problem}", "mend the line, or the one before it"
    if mark is None:
        return _whole(source, what, remedy)
    return _at(source, mark.line + 1, mark.column + 1).mistake(what, remedy)


class _FileReader:
    """Walks the nodes of one file along the declared settings."""

    def __init__(self, source: str, tree: Tree) -> None:
        self.source = source
        self.tree = tree
        self.given: list[Given] = []
        self.mistakes: list[Mistake] = []

    def section(self, node: yaml.Node, path: tuple[str, ...]) -> None:
        """Read the settings in ``node``, the section at ``path``."""
        if _is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            name = ".".join(path) or "the file"
            example = f"{path[-1]}:" if path else "smtp:"
            self._wrong(
                node, f"{name} does not hold settings", f"write `{example}` and its settings indented below"
            )
            return
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            here = (*path, name)
            if name in seen:
                what = f"{'.'.join(here)} is given twice, first in line {seen[name]}"
                self._wrong(key, what, "keep one of them")
            elif here in self.tree.sections:
                self.section(value, here)
            elif here in self.tree.by_path:
                self._setting(value, self.tree.by_path[here])
            elif name:
                self._wrong(key, f"there is no setting {'.'.join(here)}", self.tree.meant(here))
            else:
                self._wrong(key, "a setting's name must be a word", "write `name: value`")
            seen.setdefault(name, key.start_mark.line + 1)

    def _setting(self, node: yaml.Node, declared: Declared) -> None:
        inner: dict[str | int, Place] = {}
        text: Text
        match node, declared.shape:
            case yaml.ScalarNode(), _ if _is_null(node):
                if not declared.may_be_unset:
                    self._wrong(node, f"{declared.name} has no value", "give it one, or remove the line")
                    return
                text = None
            case yaml.ScalarNode(), Shape.ONE | Shape.ONE_OR_LIST:
                text = node.value
            case yaml.SequenceNode(), Shape.LIST | Shape.ONE_OR_LIST if _plain(node.value):
                text = tuple(one.value for one in node.value)
                inner = {index: self._place(one) for index, one in enumerate(node.value)}
            case yaml.MappingNode(), Shape.TABLE if _plain(part for pair in node.value for part in pair):
                text = self._table(node, declared)
                inner = {key.value: self._place(value) for key, value in node.value}
            case _:
                self._wrong(node, f"{declared.name} is {_kind(node)}", f"write {declared.expects}")
                return
        self.given.append(Given(declared=declared, text=text, place=self._place(node), inner=inner))

    def _table(self, node: yaml.MappingNode, declared: Declared) -> dict[str, str]:
        table: dict[str, str] = {}
        for key, value in node.value:
            if key.value in table:
                self._wrong(key, f"{declared.name} names {key.value!r} twice", "keep one of them")
            table[key.value] = value.value
        return table

    def _place(self, node: yaml.Node) -> Place:
        return _at(self.source, node.start_mark.line + 1, node.start_mark.column + 1)

    def _wrong(self, node: yaml.Node, what: str, remedy: str) -> None:
        self.mistakes.append(self._place(node).mistake(what, remedy))


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _plain(nodes: Iterable[yaml.Node]) -> bool:
    return all(isinstance(node, yaml.ScalarNode) and not _is_null(node) for node in nodes)


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list with something else than plain values" if node.value else "an empty list"
    return "a table" if isinstance(node, yaml.MappingNode) else "a single value"


def read_environment(environ: Mapping[str, str], tree: Tree) -> tuple[tuple[Given, ...], tuple[Mistake, ...]]:
    """Return what the environment gives, and which of its variables look like settings and are none.

    A variable without a double underscore is somebody else's (a container platform sets GATEWAY_PORT_25_TCP
    for a service of that name), unless it is a setting's name but for the underscores.
    """
    given: list[Given] = []
    mistakes: list[Mistake] = []
    squeezed = {variable.replace("_", ""): variable for variable in tree.by_variable}
    for name in sorted(environ):
        place = Place(source=name, variable=True)
        if not name.upper().startswith(PREFIX):
            continue
        declared = tree.by_variable.get(name)
        meant = squeezed.get(name.upper().replace("_", ""))
        if declared is not None:
            outcome = _from_variable(declared, environ[name], place)
            if isinstance(outcome, Mistake):
                mistakes.append(outcome)
            else:
                given.append(outcome)
        elif meant is not None:
            mistakes.append(place.mistake("is not a setting's variable", f"did you mean {meant}?"))
        elif name.startswith(PREFIX) and "__" in name:
            near = difflib.get_close_matches(name, tree.by_variable, n=1, cutoff=0.8)
            remedy = (
                f"did you mean {near[0]}?" if near else "unset it; `gateway settings` lists every variable"
            )
            mistakes.append(place.mistake("names no setting", remedy))
    return tuple(given), tuple(mistakes)


def _from_variable(declared: Declared, value: str, place: Place) -> Given | Mistake:
    text: Text
    if declared.shape is Shape.TABLE or (declared.shape is not Shape.ONE and value.lstrip().startswith("[")):
        try:
            parsed = json.loads(value or "{}")
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict) and declared.shape is Shape.TABLE and _texts(parsed.values()):
            text = {key: str(one) for key, one in parsed.items()}
        elif isinstance(parsed, list) and declared.shape is not Shape.TABLE and _texts(parsed):
            text = tuple(str(one) for one in parsed)
        else:
            form = '{"name": "value"}' if declared.shape is Shape.TABLE else '["one", "two"]'
            return place.mistake("is not JSON of the right form", f"write {form}")
    elif declared.shape is Shape.ONE:
        text = None if not value and declared.may_be_unset else value
    else:
        text = tuple(part.strip() for part in value.split(",") if part.strip())
    return Given(declared=declared, text=text, place=place, inner={})


def _texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str | int | float) for value in values)


def read_secret(path: Path) -> str:
    """Return the one line that the secret file holds, without its end; ValueError or OSError says what is wrong."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        raw = file.read(4097)
    secret = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    if not secret or len(raw) > 4096 or "\n" in secret:
        raise ValueError("does not hold one line of at most 4096 octets")
    return secret
