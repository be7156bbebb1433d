"""XML as events, bounded: no entity of the document's own, no outside file, no more elements than may be spent.

Owns expat. Refuses to know any vocabulary: `Events` of a reader get local names, without prefixes, since a writer
may choose those. Elements are told apart by local name alone, which is safe for reading words: the vocabularies of
Office and OpenDocument give one name one meaning wherever words stand.

The document is given to expat in one piece: in versions before 2.6 a long token that comes in many costs its
square (CVE-2023-52425). A document type with entities is refused, which ends "billion laughs" and its kin; none of
the formats read here has one.
"""

from typing import Final, Protocol
from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType

from gateway.extract.attachments.contents import Collector, DamagedError

_MAX_DEPTH: Final = 2_000
_SEPARATOR: Final = "\x1f"


class Events(Protocol):
    """What a reader of one vocabulary does with elements and text."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element; names are local names."""

    def end(self, name: str) -> None:
        """Take the end of an element."""

    def text(self, characters: str) -> None:
        """Take text."""

    def say(self, path: str, found: Collector) -> None:
        """Hand over what was read."""


def read(data: bytes, events: Events, path: str, found: Collector) -> None:
    """Parse ``data`` and let ``events`` say what came, even where the rest could not be read; raises as `parse`."""
    try:
        parse(data, events, found)
    finally:
        events.say(path, found)


def parse(data: bytes, events: Events, found: Collector) -> None:
    """Give what stands in ``data`` to ``events``, up to the first mistake.

    Raises `DamagedError` at what is no XML or declares entities; what came before was given. Raises
    `TooMuchError` past the limits of ``found``.
    """
    parser = ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    parser.ordered_attributes = False
    _connect(parser, events, found)
    try:
        parser.Parse(data, True)
    except ExpatError as error:
        parser.buffer_text = False  # hands over the text before the mistake
        raise DamagedError(f"not well-formed XML, line {error.lineno}") from error
    except (ValueError, LookupError) as error:  # an encoding that nobody knows
        raise DamagedError("XML in an unknown encoding") from error


def _connect(parser: XMLParserType, events: Events, found: Collector) -> None:
    depth, characters = 0, events.text

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise DamagedError(f"XML nested deeper than {_MAX_DEPTH}")
        found.step()
        events.start(
            name.rpartition(_SEPARATOR)[2],
            {key.rpartition(_SEPARATOR)[2]: value for key, value in attributes.items()} if attributes else {},
        )

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        events.end(name.rpartition(_SEPARATOR)[2])

    def declared(*_: object) -> None:
        raise DamagedError("XML that declares entities; it was not read further")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = declared
