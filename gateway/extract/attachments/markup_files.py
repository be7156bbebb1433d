"""Web pages and XML files that come as attachments: what they show, and what they hide.

Owns nothing of HTML: `gateway.extract.markup` reads it as it reads the mail's own. Of XML it takes every text and
the attributes that people see. Called by `opening`.
"""

from typing import Final

from gateway.extract.attachments import odf, xmlstream
from gateway.extract.attachments.contents import Collector, File, below
from gateway.extract.decoding import characters
from gateway.extract.markup import rendered
from gateway.model import UnreadableReason

_SAYING: Final = ("title", "alt", "label", "desc", "description", "name", "value", "text", "string")
_BLOCKS: Final = frozenset(
    {"p", "br", "tr", "title", "desc", "text", "tspan", "Data", "Row", "h", "div", "item"}
)


def read_html(file: File, found: Collector) -> None:
    """Read a web page."""
    text, note = characters(file.data[: found.limits.max_decoded_chars * 4 + 4], "")
    if note is not None:
        found.refuse(file.path, note.reason, note.detail)
    say_html(text, file.path, found)


def say_html(html: str, path: str, found: Collector) -> None:
    """Say the visible words of ``html``, then those it hides and those that stand for pictures."""
    view = rendered(html)
    if view.flat:
        detail = "more markup than can be followed; the rest was read without regard to it"
        found.refuse(path, UnreadableReason.SIZE, detail)
    found.say(path, view.text[: view.lines[-1].end if view.lines else 0])
    for place, hidden in (("hidden", True), ("alt", False)):
        texts = (view.text[aside.start : aside.end] for aside in view.asides if aside.hidden is hidden)
        found.say(below(path, place), "\n".join(texts), hidden=hidden)


def read_xml(file: File, found: Collector) -> None:
    """Read an XML file: a flat OpenDocument as such, a drawing or any other by its texts."""
    if b"office:document" in file.data[:4096]:
        odf.read_flat(file, found)
        return
    xmlstream.read(file.data, _AllWords(), file.path, found)


class _AllWords:
    """Every text of a document, and the attributes that people see."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._said: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _BLOCKS:
            self._words.append("\n")
        self._said.extend(attributes[key] for key in _SAYING if key in attributes)

    def end(self, name: str) -> None:
        if name in _BLOCKS:
            self._words.append("\n")

    def text(self, characters: str) -> None:
        self._words.append(characters)

    def say(self, path: str, found: Collector) -> None:
        lines = (" ".join(line.split()) for line in "".join(self._words).split("\n"))
        found.say(path, "\n".join(filter(None, lines)))
        found.say(below(path, "attributes"), "\n".join(dict.fromkeys(self._said)), hidden=True)
