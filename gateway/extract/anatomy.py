"""What a message is made of, for somebody who looks at it: its header block, its parts, and the HTML it shows.

Beside `reading`, which says what the sender wrote; nothing here is judged. Total and bounded: it runs where hostile
bytes are read (`workers`). Names are as the message has them, and may be anything: whoever shows them escapes them.
"""

from hashlib import sha256

from gateway.extract.decoding import characters, charset_in_html, octets
from gateway.extract.kinds import HTML, is_attachment, media_of, names_of
from gateway.extract.mime import Section, walk
from gateway.extract.words import header_text
from gateway.model import Anatomy, Limits, PartShown

_MAX_HEADER_CHARS = 65_536
_MAX_HTML_CHARS = 1_048_576
_MAX_SOURCE_CHARS = 262_144
_MAX_PARTS = 500


def anatomy(raw: bytes, limits: Limits) -> Anatomy:
    """Return header block, parts, the HTML of the part that mail programs show, and the beginning of the source.

    Never raises. What is cut short for its length says so in ``cut``.
    """
    sections = walk(raw, limits).sections
    parts = tuple(_part(section) for section in sections[:_MAX_PARTS] if not section.is_container)
    shown = next(
        (one for one in sections if media_of(one) in HTML and not is_attachment(one) and not one.message),
        None,
    )
    html = _html(shown) if shown is not None else ""
    head = raw[: sections[0].start].decode("utf-8", "replace").replace("\r\n", "\n").strip("\n")
    source = raw[: 4 * _MAX_SOURCE_CHARS].decode("utf-8", "replace").replace("\r\n", "\n")
    return Anatomy(
        header=head[:_MAX_HEADER_CHARS],
        parts=parts,
        html=html[:_MAX_HTML_CHARS],
        source=source[:_MAX_SOURCE_CHARS],
        cut=len(head) > _MAX_HEADER_CHARS
        or len(html) > _MAX_HTML_CHARS
        or len(source) > _MAX_SOURCE_CHARS
        or len(raw) > 4 * _MAX_SOURCE_CHARS
        or len(sections) > _MAX_PARTS,
    )


def _part(section: Section) -> PartShown:
    names = tuple(
        dict.fromkeys(header_text(name.encode("utf-8", "replace"))[0] for name in names_of(section))
    )
    data = octets(section.body, section.encoding)[0]
    return PartShown(
        number=section.number,
        media=section.media,
        names=names,
        octets=len(data),
        sha256=sha256(data).hexdigest(),
        is_attachment=is_attachment(section),
    )


def _html(section: Section) -> str:
    data = octets(section.body, section.encoding)[0][: 4 * _MAX_HTML_CHARS]
    charset = section.content.parameters.get("charset", "") or charset_in_html(data)
    return characters(data, charset)[0]
