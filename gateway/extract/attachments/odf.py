"""OpenDocument files (OASIS ODF 1.3): the words of an odt, ods or odp package, or of a flat file of that kind.

Owns the vocabulary of OpenDocument as far as it carries words: text, notes, annotations, deleted text, hidden
sections and cells, alternative texts, links, properties. Every XML part of the package is read. Called by `opening`.
"""

import re
from typing import Final
from urllib.parse import unquote

from gateway.extract.attachments import xmlstream
from gateway.extract.attachments.contents import Collector, DamagedError, File, below
from gateway.extract.attachments.ooxml import Properties
from gateway.extract.attachments.zipped import Archive, Member
from gateway.model import UnreadableReason

_TYPE_PREFIX: Final = b"application/vnd.oasis.opendocument"
_LINES: Final = frozenset({"p", "h", "table-row", "list-item", "title", "desc"})
_REMOVED: Final = frozenset({"deletion", "hidden-text", "hidden-paragraph", "cut-offs"})
_ASIDE: Final = frozenset({"annotation"})
_SAYING: Final = ("help-message", "condition", "string-value", "display-name", "description")
_HIDING: Final = {
    "text-properties": (("display", "none"), ("color", "#ffffff")),
    "table-properties": (("display", "false"),),
    "drawing-page-properties": (("visibility", "hidden"),),
}
"""Properties of a style that keep what uses it from being seen."""
_MAX_SPACES: Final = 1000
_MAX_SAID: Final = 10_000
_DULL: Final = frozenset(
    {"creation-date", "date", "print-date", "editing-cycles", "editing-duration", "generator", "language"}
    | {"document-statistic", "meta", "office:meta"}
)
_SILENT: Final = re.compile(r"(?:^mimetype|manifest\.rdf|settings\.xml|\.rdf|layout-cache)$", re.IGNORECASE)
_LEFT: Final = re.compile(
    r"(?:^|/)(?:Thumbnails|Configurations2|ObjectReplacements)/|(?:^|/)META-INF/documentsignatures"
)
_MACROS: Final = re.compile(r"(?:^|/)(?:Basic|Scripts)/", re.IGNORECASE)


def is_package(archive: Archive) -> bool:
    """Return whether ``archive`` is an OpenDocument package: its first file is its type."""
    first = archive.members[0] if archive.members else None
    if first is None or first.name != "mimetype":
        return any(member.name == "META-INF/manifest.xml" for member in archive.members) and any(
            member.name == "content.xml" for member in archive.members
        )
    return archive.data[first.start : first.start + len(_TYPE_PREFIX)] == _TYPE_PREFIX


def read(archive: Archive, file: File, found: Collector) -> None:
    """Read every part of the package; raises `TooMuchError` past the limits of ``found``."""
    if _is_encrypted(archive, found):
        detail = "an OpenDocument file that needs a password"
        found.refuse(file.path, UnreadableReason.ENCRYPTED, detail, file.data)
        return
    for member in sorted(archive.members, key=lambda member: member.name != "content.xml"):
        name = member.name
        if member.is_folder or _SILENT.search(name) or _LEFT.search(name) or name == "META-INF/manifest.xml":
            continue
        path = file.path if name == "content.xml" else below(file.path, name)
        try:
            _read_part(archive, member, path, file, found)
        except DamagedError as damage:
            found.refuse(path, UnreadableReason.ATTACHMENT_NOT_READ, f"{damage}; what came before was read")


def _is_encrypted(archive: Archive, found: Collector) -> bool:
    manifests = [member for member in archive.members if member.name == "META-INF/manifest.xml"]
    return any(b"encryption-data" in archive.read(member, found) for member in manifests[:1])


def _read_part(archive: Archive, member: Member, path: str, file: File, found: Collector) -> None:
    data = archive.read(member, found)
    if _MACROS.search(member.name):
        if not member.name.endswith(("script-lc.xml", "script-lb.xml")):
            found.refuse(path, UnreadableReason.MACROS, "macros: a program inside the document", data)
    elif member.name.endswith("meta.xml"):
        xmlstream.read(data, Properties(_DULL), path, found)
    elif member.name.endswith(".xml"):
        xmlstream.read(data, _Words(), path, found)
    else:
        found.wait(File(data, path, member.name.rpartition("/")[2], depth=file.depth + 1))


def read_flat(file: File, found: Collector) -> None:
    """Read an OpenDocument that is one XML file."""
    xmlstream.read(file.data, _Words(), file.path, found)


class _Words:
    """The text of one part. Styles come before the text that uses them."""

    def __init__(self) -> None:
        self._main: list[str] = []
        self._hidden: list[str] = []
        self._notes: list[str] = []
        self._said: list[str] = []
        self._links: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []
        """Name, hidden, annotation: of each open element, inherited."""
        self._style = ""
        self._hidden_styles: set[str] = set()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        _, hidden, aside = self._open[-1] if self._open else ("", False, False)
        if attributes:
            hidden = hidden or self._is_hidden(name, attributes)
            self._take(name, attributes)
        hidden = hidden or name in _REMOVED
        self._open.append((name, hidden, aside or name in _ASIDE))
        if name == "s":
            count = attributes.get("c", "1")
            self._flow().append(" " * min(int(count[:6]) if count.isdigit() else 1, _MAX_SPACES))
        elif name in {"tab", "table-cell"}:
            self._flow().append("\t")
        elif name == "line-break" or name in _ASIDE:
            self._flow().append("\n")

    def _is_hidden(self, name: str, attributes: dict[str, str]) -> bool:
        if name == "style":
            self._style = attributes.get("name", "")
        elif any(attributes.get(key, "").lower() == value for key, value in _HIDING.get(name, ())):
            self._hidden_styles.add(self._style)
        return (
            attributes.get("style-name", "") in self._hidden_styles
            or attributes.get("visibility") in {"collapse", "filter"}
            or (name == "section" and attributes.get("display") in {"none", "condition"})
        )

    def _take(self, name: str, attributes: dict[str, str]) -> None:
        """Keep the attributes that somebody sees, and the targets of links."""
        if name == "a" or attributes.get("href", "").lower().startswith(("http", "mailto:", "tel:", "sms:")):
            self._links.append(unquote(attributes.get("href", "")))
        for key in _SAYING:
            if key in attributes and len(self._said) < _MAX_SAID:
                self._said.append(attributes[key])
        if name == "table" and attributes.get("name"):
            self._said.append(attributes["name"])

    def _flow(self) -> list[str]:
        _, hidden, aside = self._open[-1] if self._open else ("", False, False)
        return self._hidden if hidden else self._notes if aside else self._main

    def end(self, name: str) -> None:
        flow = self._flow()
        self._open.pop()
        if name in _LINES:
            flow.append("\n")

    def text(self, characters: str) -> None:
        name = self._open[-1][0] if self._open else ""
        if name not in {"date", "creator-initials", "binary-data"}:
            self._flow().append(characters)

    def say(self, path: str, found: Collector) -> None:
        found.say(path, "".join(self._main))
        found.say(below(path, "comments"), "".join(self._notes))
        found.say(below(path, "hidden"), "".join(self._hidden), hidden=True)
        found.say(below(path, "attributes"), "\n".join(dict.fromkeys(self._said)), hidden=True)
        found.say(below(path, "links"), "\n".join(dict.fromkeys(self._links)), hidden=True)
