"""The cells of an Excel workbook: rows as lines, in their order, with what is hidden kept apart.

Owns SpreadsheetML (ECMA-376 part 1, section 18) as far as it carries words: strings, texts inside formulas, prompts
of data validation, hyperlinks. Refuses to calculate: of a formula it reads the value that was stored and the texts
that stand in it.
"""

import re
from typing import Final

from gateway.extract.attachments import xmlstream
from gateway.extract.attachments.contents import Collector, DamagedError, below
from gateway.extract.attachments.zipped import Archive, Member
from gateway.model import UnreadableReason

_SHEET: Final = re.compile(
    r"(?:^|/)xl/(?:worksheets|chartsheets|dialogsheets|macrosheets)/(?!_rels)[^/]*\.xml$", re.IGNORECASE
)
_STRINGS: Final = re.compile(r"(?:^|/)xl/sharedStrings\d*\.xml$", re.IGNORECASE)
_WORKBOOK: Final = re.compile(r"(?:^|/)xl/workbook\d*\.xml$", re.IGNORECASE)
_LITERAL: Final = re.compile(r'"((?:[^"]|"")*)"')
_COLUMN: Final = re.compile(r"[A-Za-z]{1,3}")
_SAYING: Final = (
    "promptTitle",
    "prompt",
    "errorTitle",
    "error",
    "tooltip",
    "display",
    "name",
    "descr",
    "title",
)
_CLASSES: Final = frozenset(
    {"oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"}
)

Strings = tuple[list[str], set[int]]
"""The shared strings of a workbook, and the indexes of those that a cell shows."""


def is_sheet(name: str) -> bool:
    """Return whether the part ``name`` holds cells."""
    return _SHEET.search(name) is not None


def is_strings(name: str) -> bool:
    """Return whether the part ``name`` holds the shared strings."""
    return _STRINGS.search(name) is not None


def shared_strings(archive: Archive, parts: list[Member], found: Collector) -> list[str]:
    """Return the strings that cells refer to by number; those of a damaged part as far as they go."""
    events = _SharedStrings()
    for member in parts:
        if is_strings(member.name):
            _parse(archive, member, events, found)
    return events.strings


def sheet_names(archive: Archive, parts: list[Member], found: Collector) -> dict[str, tuple[str, bool]]:
    """Return for the parts of sheets the name on their tab, and whether the tab is hidden."""
    events = _Workbook()
    for member in parts:
        if _WORKBOOK.search(member.name) or member.name.lower().endswith("xl/_rels/workbook.xml.rels"):
            _parse(archive, member, events, found)
    return {
        "xl/" + events.targets[key].removeprefix("/xl/").lstrip("/"): tab
        for key, tab in events.tabs.items()
        if key in events.targets
    }


def _parse(archive: Archive, member: Member, events: xmlstream.Events, found: Collector) -> None:
    try:
        xmlstream.parse(archive.read(member, found), events, found)
    except DamagedError as damage:
        found.refuse(
            member.name, UnreadableReason.ATTACHMENT_NOT_READ, f"{damage}; what came before was read"
        )


def read_sheet(
    data: bytes, path: str, tab: tuple[str, bool] | None, strings: Strings, found: Collector
) -> None:
    """Say the cells of one sheet; raises `DamagedError` and `TooMuchError`. ``tab``: its name, and hidden or not."""
    name, hidden = tab or ("", False)
    if name:
        found.say(f"{path}:name", name, hidden=hidden)
    events = _Sheet(strings, found.limits.max_decoded_chars, hidden=hidden)
    xmlstream.read(data, events, path, found)


class _SharedStrings:
    """xl/sharedStrings.xml."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._open = ""
        self._pieces: list[str] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        self._open = name

    def end(self, name: str) -> None:
        self._open = ""
        if name == "si":
            self.strings.append("".join(self._pieces))
            self._pieces.clear()

    def text(self, characters: str) -> None:
        if self._open == "t":
            self._pieces.append(characters)

    def say(self, path: str, found: Collector) -> None:
        """Say nothing: the cells do."""


class _Workbook:
    """xl/workbook.xml and its relations."""

    def __init__(self) -> None:
        self.tabs: dict[str, tuple[str, bool]] = {}
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            hidden = attributes.get("state", "visible") != "visible"
            self.tabs[attributes.get("id", "")] = (attributes.get("name", ""), hidden)
        elif name == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def end(self, _: str) -> None:
        pass

    def text(self, _: str) -> None:
        pass

    def say(self, path: str, found: Collector) -> None:
        """Say nothing: the names come with the sheets."""


class _Sheet:
    """One part of cells."""

    def __init__(self, strings: Strings, most: int, *, hidden: bool) -> None:
        self._strings, self._used = strings
        self._most = most
        self._hidden_sheet = hidden
        self._visible: list[str] = []
        self._hidden: list[str] = []
        self._extra: list[str] = []
        self._open = ""
        self._type = ""
        self._value: list[str] = []
        self._formula: list[str] = []
        self._row_hidden = False
        self._hidden_columns: list[tuple[int, int]] = []
        self._column = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._open = name
        if name == "c":
            self._type = attributes.get("t", "n")
            self._column = _column(attributes.get("r", "")) or self._column + 1
        elif name == "row":
            self._row_hidden = attributes.get("hidden", "0") in {"1", "true"}
            self._column = 0
        elif name == "col":
            if attributes.get("hidden", "0") in {"1", "true"}:
                first, last = attributes.get("min", "0"), attributes.get("max", "0")
                if first.isdigit() and last.isdigit():
                    self._hidden_columns.append((int(first[:9]), int(last[:9])))
        elif name not in {"v", "f", "t", "is"}:
            self._extra.extend(attributes[key] for key in _SAYING if key in attributes)

    def text(self, characters: str) -> None:
        if self._open in {"v", "t"}:
            self._value.append(characters)
        elif self._open in {"f", "formula", "formula1", "formula2"}:
            self._formula.append(characters)
        elif self._open in _CLASSES:
            self._extra.append(characters)

    def end(self, name: str) -> None:
        self._open = ""
        if name == "c":
            self._cell("".join(self._value))
            self._value.clear()
        elif name in {"f", "formula", "formula1", "formula2"}:
            literals = "".join(_LITERAL.findall("".join(self._formula)))
            self._formula.clear()
            if literals.strip():
                self._extra.append(literals)
        elif name == "row":
            for flow in (self._visible, self._hidden):
                if flow and flow[-1] == "\t":
                    flow[-1] = "\n"

    def _cell(self, value: str) -> None:
        if self._type == "s":
            index = int(value) if value.isdigit() and len(value) < 10 else -1
            if not 0 <= index < len(self._strings):
                return
            self._used.add(index)
            value = self._strings[index]
        if not value or self._most < 0:
            return
        self._most -= len(
            value
        )  # a long string may be shown by many cells; `say` names what is over the limit
        flow = self._hidden if self._row_hidden or self._in_hidden_column() else self._visible
        flow += (value, "\t")

    def _in_hidden_column(self) -> bool:
        return any(first <= self._column <= last for first, last in self._hidden_columns[:64])

    def say(self, path: str, found: Collector) -> None:
        """Hand over the rows."""
        found.say(path, "".join(self._visible), hidden=self._hidden_sheet)
        found.say(below(path, "hidden"), "".join(self._hidden), hidden=True)
        found.say(below(path, "formulas and prompts"), "\n".join(dict.fromkeys(self._extra)))


def _column(reference: str) -> int:
    """Return the number of the column in a reference like ``AB12``, or 0."""
    letters = _COLUMN.match(reference)
    number = 0
    for letter in letters[0].upper() if letters else "":
        number = number * 26 + ord(letter) - 64
    return number
