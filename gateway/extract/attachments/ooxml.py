"""Office files since 2007 (ECMA-376): the words of a docx, xlsx or pptx package, wherever in it they stand.

Owns the vocabulary of WordprocessingML and DrawingML as far as it carries words, hyperlinks, properties, and what a
package holds that is no text: macros, embedded objects, pictures. `sheets` reads the cells. Refuses to follow the
relations from part to part: every part is read, since programs differ in which they follow.

Why not python-docx and its kin: they read the body and leave text boxes, comments, deleted text, alternative texts
and embedded files (docs/decisions/0014).
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from gateway.extract.attachments import sheets, xmlstream
from gateway.extract.attachments.contents import Collector, DamagedError, File, below, printable
from gateway.extract.attachments.xmlstream import Events
from gateway.extract.attachments.zipped import Archive, Member
from gateway.model import UnreadableReason

_TEXT: Final = frozenset(
    {"t", "text", "v", "oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"}
    | {"definedName", "lvlText", "formula"}
)
_SAYING: Final = {
    "docPr": ("descr", "title"),
    "cNvPr": ("descr", "title"),
    "shape": ("alt", "title"),
    "textpath": ("string",),
    "imagedata": ("title",),
    "lvlText": ("val",),
    "docVar": ("val",),
    "helpText": ("val",),
    "statusText": ("val",),
    "default": ("val",),
    "listEntry": ("val",),
    "listItem": ("displayText",),
    "alias": ("val",),
    "tooltip": ("val",),
    "hyperlink": ("tooltip", "display"),
    "hlinkClick": ("tooltip",),
    "dataValidation": ("promptTitle", "prompt", "errorTitle", "error"),
    "numFmt": ("formatCode",),
    "tableColumn": ("name",),
    "s": ("v",),
    "fldSimple": ("instr",),
}
"""Attributes with words that somebody may see: alternative texts, prompts, WordArt, numbering, formats."""
_REMOVED: Final = frozenset({"del", "moveFrom"})
_FALSE: Final = frozenset({"0", "false", "off", "none"})
_TINY_HALF_POINTS: Final = 4
_BREAKS: Final = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_PARAGRAPHS: Final = frozenset({"p", "si", "comment", "cm", "pt", "definedName", "formula"}) | frozenset(
    {"oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"}
)
_MAIN: Final = re.compile(r"(?:^|/)word/document\d*\.xml$", re.IGNORECASE)
_SLIDE: Final = re.compile(r"(?:^|/)ppt/slides/slide(\d+)\.xml$", re.IGNORECASE)
_PROPERTIES: Final = re.compile(r"(?:^|/)docProps/[^/]+\.xml$", re.IGNORECASE)
_DULL_PROPERTIES: Final = frozenset(
    {
        "created",
        "modified",
        "revision",
        "lastPrinted",
        "Template",
        "TotalTime",
        "Pages",
        "Words",
        "Characters",
    }
    | {
        "Application",
        "DocSecurity",
        "Lines",
        "Paragraphs",
        "ScaleCrop",
        "LinksUpToDate",
        "SharedDoc",
        "AppVersion",
    }
    | {"CharactersWithSpaces", "HyperlinksChanged", "i4", "Slides", "Notes", "HiddenSlides", "MMClips"}
    | {"HeadingPairs", "TitlesOfParts"}
    | {"PresentationFormat", "language", "version", "contentStatus", "filetime", "bool", "i1", "i2", "i8"}
)
_DULL: Final = re.compile(
    r"(?:theme\d*|fontTable|calcChain|tableStyles|viewProps)\.xml$|(?:^|/)word/(?:\w+/)?styles\w*\.xml$",
    re.IGNORECASE,
)
"""Parts that say nothing by their name: half of a document. They are looked at for words all the same, since the
relations of a package can make any part the document."""
_WORDS: Final = re.compile(rb"<(?:[\w.-]+:)?(?:t|v|text|delText|instrText)[\s/>]")
_SILENT: Final = re.compile(
    r"^\[Content_Types\]\.xml$|(?:^|/)(?:fonts|printerSettings)/|\.(?:odttf|fntdata)$", re.IGNORECASE
)
_XML: Final = re.compile(r"\.(?:xml|rels|vml)$", re.IGNORECASE)
_MACROS: Final = re.compile(
    r"(?:vbaProject(?:Signature)?|macrosheets/.*|attachedToolbars)\.?\w*$", re.IGNORECASE
)
_WHOLE_TEXT: Final = re.compile(r"(?:^|/)customXml/(?!.*(?:itemProps|_rels))|\.vml$", re.IGNORECASE)
_TYPES: Final = frozenset({"lpwstr", "lpstr", "bstr", "vector", "variant", "li"})


_PROTOTYPE: Final = re.compile(r"(?:^|/)ppt/(?:\w+Masters|slideLayouts)/", re.IGNORECASE)
"""Parts whose placeholders say how to fill them in, which no slide shows."""
_THUMBNAIL: Final = re.compile(r"(?:^|/)docProps/thumbnail\.\w+$", re.IGNORECASE)


def is_package(archive: Archive) -> bool:
    """Return whether ``archive`` is a package of Office."""
    return any(member.name.lstrip("/").lower() == "[content_types].xml" for member in archive.members)


def read(archive: Archive, file: File, found: Collector) -> None:
    """Read every part of the package; raises `TooMuchError` past the limits of ``found``."""
    parts = [member for member in archive.members if not member.is_folder]
    strings = sheets.shared_strings(archive, parts, found)
    used: set[int] = set()
    names = sheets.sheet_names(archive, parts, found)
    for member in sorted(parts, key=_order):
        name = member.name.replace("\\", "/").lstrip("/")
        path = file.path if _MAIN.search(name) else below(file.path, name)
        if _SILENT.search(name) or sheets.is_strings(name):
            continue
        try:
            if sheets.is_sheet(name):
                data = archive.read(member, found)
                sheets.read_sheet(data, below(file.path, name), names.get(name), (strings, used), found)
            elif _XML.search(name):
                data = archive.read(member, found)
                if not _is_wordless(data, name):
                    _read_part(data, name, path, found)
            else:
                _inner(archive.read(member, found), path, file, found)
        except DamagedError as damage:
            found.refuse(path, UnreadableReason.ATTACHMENT_NOT_READ, f"{damage}; what came before was read")
    rest = "\n".join(text for index, text in enumerate(strings) if index not in used)
    found.say(below(file.path, "xl/sharedStrings.xml"), rest, hidden=True)


def _is_wordless(data: bytes, name: str) -> bool:
    """Return whether a part that should have no words has none, without parsing it. UTF-16 is parsed."""
    return _DULL.search(name) is not None and b"\x00" not in data[:100] and not _WORDS.search(data)


def _order(member: Member) -> tuple[int, int, str]:
    """Return where a part comes: the document first, slides and sheets by their number, pictures last."""
    name = member.name
    number = re.search(r"(\d+)\.xml$", name)
    rank = 0 if _MAIN.search(name) else 1 if _SLIDE.search(name) or sheets.is_sheet(name) else 2
    return (rank if _XML.search(name) else 3), int(number[1][:9]) if number else 0, name


def _read_part(data: bytes, name: str, path: str, found: Collector) -> None:
    events: Events
    if name.endswith(".rels"):
        events = _Links()
    elif _PROPERTIES.search(name):
        events = Properties(_DULL_PROPERTIES)
    else:
        events = _Words(everything=bool(_WHOLE_TEXT.search(name)), prototype=bool(_PROTOTYPE.search(name)))
    xmlstream.read(data, events, path, found)


def _inner(data: bytes, path: str, file: File, found: Collector) -> None:
    """Name macros, and let pictures and embedded files be read later."""
    if _THUMBNAIL.search(path):
        found.refuse(path, UnreadableReason.SMALL_PICTURE, "the preview of its first page", data)
        return
    if _MACROS.search(path):
        found.refuse(path, UnreadableReason.MACROS, "macros: a program inside the document", data)
        return
    found.wait(File(data, path, path.rpartition("/")[2], depth=file.depth + 1))


class Properties:
    """The properties of a document: one piece each, named for its element. Whoever opens the file can see them."""

    def __init__(self, dull: frozenset[str]) -> None:
        """Read all but the ``dull`` ones."""
        self._dull = dull
        self._names: list[str] = []
        self._said: dict[str, list[str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open a property; those an author made up carry their name in an attribute."""
        self._names.append(attributes.get("name", "") or name)

    def end(self, _: str) -> None:
        """Close a property."""
        self._names.pop()

    def text(self, characters: str) -> None:
        """Take the value, for the innermost property that is no mere type."""
        name = self._names[-1] if self._names else ""
        if name in _TYPES and len(self._names) > 1:
            name = next((each for each in reversed(self._names) if each not in _TYPES), name)
        if name not in self._dull:
            self._said.setdefault(name, []).append(characters)

    def say(self, path: str, found: Collector) -> None:
        """Hand over the properties."""
        for name, values in self._said.items():
            found.say(f"{path}:{printable(name, 60)}", "".join(values), hidden=True)


class _Links:
    """The addresses that a part points to outside the package."""

    def __init__(self) -> None:
        self._targets: list[str] = []

    def start(self, _: str, attributes: dict[str, str]) -> None:
        if attributes.get("TargetMode", "").lower() == "external":
            self._targets.append(unquote(attributes.get("Target", "")))

    def end(self, _: str) -> None:
        pass

    def text(self, _: str) -> None:
        pass

    def say(self, path: str, found: Collector) -> None:
        found.say(path, "\n".join(dict.fromkeys(self._targets)), hidden=True)


@dataclass(slots=True)
class _Look:
    """What the properties of a run do to it."""

    vanished: bool = False
    white: bool = False
    tiny: bool = False

    @property
    def hidden(self) -> bool:
        return self.vanished or self.white or self.tiny


class _Words:
    """Text, drawings and comments of one part.

    Text boxes come after the text they float beside. Their second form for old programs is read only where it
    differs from the first.
    """

    def __init__(self, *, everything: bool, prototype: bool) -> None:
        self._everything = everything
        self._prototype = prototype
        self._main: list[str] = []
        self._hidden: list[str] = []
        self._boxes: list[str] = []
        self._fallback: list[str] = []
        self._fields: list[str] = []
        self._alternative: list[str] = []
        self._flows = [self._main]
        self._open: list[str] = []
        self._look = _Look()
        self._in_run_properties = False
        self._removed = 0
        self._silent = 0
        self._placeholder = False
        self._whole_hidden = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        if attributes:
            if name in _SAYING:
                self._alternative.extend(filter(None, map(attributes.get, _SAYING[name])))
            if name == "sld" and attributes.get("show", "1") in _FALSE:
                self._whole_hidden = True
        if self._in_run_properties:
            self._formatted(name, attributes)
        elif name in _BREAKS:
            self._flow().append(_BREAKS[name])
        else:
            self._entered(name)

    def _entered(self, name: str) -> None:
        if name == "r":
            self._look = _Look()
        elif name == "rPr":
            self._in_run_properties = True
        elif name in _REMOVED:
            self._removed += 1
        elif name == "Fallback":
            self._flows.append(self._fallback)
        elif name == "txbxContent":
            self._flows.append(self._fallback if self._flows[-1] is self._fallback else self._boxes)
        elif name == "sp":
            self._placeholder = False
        elif name == "ph":
            self._placeholder = True
        elif name == "ClientData":
            self._silent += 1

    def _formatted(self, name: str, attributes: dict[str, str]) -> None:
        value = attributes.get("val", "")
        if name == "vanish":
            self._look.vanished = value.lower() not in _FALSE
        elif name == "color":
            self._look.white = value.upper() == "FFFFFF"
        elif name == "sz" and value.isdigit():
            self._look.tiny = int(value[:9]) <= _TINY_HALF_POINTS

    def end(self, name: str) -> None:
        self._open.pop()
        if name == "rPr":
            self._in_run_properties = False
        elif name == "r":
            self._look = _Look()
        elif name in _REMOVED and not self._in_run_properties:
            self._removed = max(self._removed - 1, 0)
        elif name in {"Fallback", "txbxContent"}:
            self._flows.pop()
        elif name == "ClientData":
            self._silent -= 1
        if name in _PARAGRAPHS:
            self._flows[-1].append("\n")
            if self._hidden and self._hidden[-1] != "\n":
                self._hidden.append("\n")

    def _flow(self) -> list[str]:
        hidden = self._removed or self._look.hidden or (self._placeholder and self._prototype)
        return self._hidden if hidden else self._flows[-1]

    def text(self, characters: str) -> None:
        name = self._open[-1] if self._open else ""
        if name in _TEXT:
            self._flow().append(characters)
        elif name == "delText":
            self._hidden.append(characters)
        elif name in {"instrText", "delInstrText"}:
            self._fields.append(characters)
        elif self._everything and not self._silent:
            self._main.append(characters)

    def say(self, path: str, found: Collector) -> None:
        main, fallback = "".join(self._main), "".join(self._fallback)
        boxes = "".join(self._boxes)
        found.say(path, main, hidden=self._whole_hidden or self._everything)
        found.say(below(path, "text boxes"), boxes, hidden=self._whole_hidden)
        known = {line.strip() for line in f"{main}\n{boxes}".split("\n")}
        if any(line.strip() not in known for line in fallback.split("\n")):
            found.say(below(path, "text boxes for old programs"), fallback)
        found.say(below(path, "hidden"), "".join(self._hidden), hidden=True)
        found.say(below(path, "fields"), "".join(self._fields), hidden=True)
        said = (text for text in dict.fromkeys(self._alternative) if any(map(str.isalpha, text)))
        found.say(below(path, "alt"), "\n".join(said))
