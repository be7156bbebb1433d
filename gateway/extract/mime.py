"""The parts of a message, by byte offset: raw octets to a flat list of `Section`.

Owns MIME structure (RFC 2045, 2046): header blocks, boundaries, attached messages. Refuses to know what a part says.
First step of *extract*.

Why not Python's ``email``: with ``policy.default`` 1,200 nested parts raise RecursionError, and both policies build
every part before anybody can say "too many". This walker is one pass without recursion: each octet is looked at
once as header or once as body, parts are offsets into the message and not copies, and the limits end the walk.

Where mail programs disagree, the reading that shows *more* is taken and the place is noted: a delimiter after the
closing delimiter still opens a part, a multipart without parts is read as text, text before the first and after the
last delimiter is kept as a section of its own (`Section.around`).
"""

from collections import deque
from dataclasses import dataclass, field

from gateway.extract.decoding import Note, octets
from gateway.extract.fields import Fields, Value, parametric, read_fields
from gateway.model import Limits, Unreadable, UnreadableReason

_MAX_BOUNDARY = 998
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})


@dataclass(slots=True)
class Section:
    """One part. ``start`` and ``end`` bound its body in ``raw``; ``number`` is its section number (RFC 3501)."""

    raw: bytes
    number: str
    fields: Fields
    content: Value
    disposition: Value
    encoding: str
    parent: "Section | None"
    depth: int
    start: int
    end: int = -1
    message: "Section | None" = None
    """The attached message this part belongs to, or None for the message itself."""
    children: list["Section"] = field(default_factory=list)
    around: list[tuple[int, int]] = field(default_factory=list)
    """In a multipart: where text stands before the first and after the last part."""
    boundary: bytes = b""
    closed: bool = False

    @property
    def media(self) -> str:
        """The media type in lower case, ``text/plain`` where none is given."""
        return self.content.word

    @property
    def is_container(self) -> bool:
        """True when the text is in its children."""
        return bool(self.children)

    @property
    def is_attached_message(self) -> bool:
        """True for message/rfc822 and its kin."""
        return self.media in _MESSAGES


@dataclass(frozen=True, slots=True)
class Walk:
    """All sections in the order of the message, the message itself first, and what is wrong with them."""

    sections: tuple[Section, ...]
    unreadable: tuple[Unreadable, ...]


def walk(raw: bytes, limits: Limits, holder: Section | None = None) -> Walk:
    """Return the parts of ``raw``, or of a mail that lies inside ``holder``. Total; linear in ``raw``'s length."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    walker = _Walker(limits)
    walker.enter(raw, holder)
    while walker.waiting:
        walker.enter(*walker.waiting.popleft())
    return Walk(tuple(walker.sections), tuple(walker.unreadable))


class _Walker:
    """The state of one walk: the open sections of the buffer at hand, and what was found so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.sections: list[Section] = []
        self.unreadable: list[Unreadable] = []
        self.waiting: deque[tuple[bytes, Section]] = deque()
        self.open: list[Section] = []
        self.delimiters: dict[bytes, int] = {}
        self.full = False

    def enter(self, raw: bytes, parent: Section | None) -> None:
        """Walk one buffer: the message, or an attached message that was transfer-encoded."""
        self.open = [] if parent is None else [parent]
        self.delimiters = {}
        floor = len(self.open)
        position = self._open_entity(raw, 0)
        while self.delimiters and not self.full:
            found = raw.find(b"\n--", position - 1)
            if found < 0:
                break
            position = self._at_dashes(raw, found + 1)
        while len(self.open) > floor:
            self._close(self.open.pop(), len(raw))

    def _at_dashes(self, raw: bytes, start: int) -> int:
        """Look at the line at ``start``; open or close sections if it delimits. Return where to go on."""
        end = raw.find(b"\n", start) + 1 or len(raw)
        line = raw[start:end].rstrip()
        level, closing = self._delimits(line)
        if level < 0:
            return end
        while len(self.open) > level + 1:
            self._close(self.open.pop(), start)
        section = self.open[level]
        if section.around and section.around[-1][1] < 0:
            section.around[-1] = (section.around[-1][0], start)
        if closing:
            section.closed = True
            section.around.append((end, -1))
            return end
        if section.closed:
            section.closed = False
            self._note(section, UnreadableReason.MALFORMED, "a part after the closing boundary; it was read")
        return self._open_entity(raw, end)

    def _delimits(self, line: bytes) -> tuple[int, bool]:
        level = self.delimiters.get(line, -1)
        if level < 0 and line.endswith(b"--"):
            return self.delimiters.get(line[:-2], -1), True
        return level, False

    def _is_delimiter(self, line: bytes) -> bool:
        return self._delimits(line.rstrip())[0] >= 0

    def _open_entity(self, raw: bytes, start: int) -> int:
        """Read the header block at ``start`` and open its section, and the ones it begins with; return its body."""
        while True:
            parent = self.open[-1] if self.open else None
            if len(self.sections) >= self.limits.max_parts:
                self.full = True
                detail = f"more than {self.limits.max_parts} parts; the rest was not read"
                self._note(parent, UnreadableReason.TOO_MANY_PARTS, detail)
                return start
            fields = read_fields(raw, start, self.limits.max_header_bytes, self._is_delimiter)
            section = self._section(raw, fields, parent)
            self.open.append(section)
            start = fields.body
            if self._too_deep(section):
                self._note(section, UnreadableReason.DEPTH, "nested too deep; what lies below was not read")
                return start
            if section.is_attached_message and section.encoding not in {"base64", "quoted-printable"}:
                continue
            self._open_multipart(section)
            return start

    def _too_deep(self, section: Section) -> bool:
        return section.depth > self.limits.max_depth

    def _section(self, raw: bytes, fields: Fields, parent: Section | None) -> Section:
        content = parametric(fields.first(b"content-type"))
        in_digest = parent is not None and parent.media == "multipart/digest"
        if "/" not in content.word:
            content = Value(
                "message/rfc822" if in_digest else "text/plain", content.parameters, content.ambiguous
            )
        section = Section(
            raw=raw,
            number=_number(parent, content),
            fields=fields,
            content=content,
            disposition=parametric(fields.first(b"content-disposition")),
            encoding=parametric(fields.first(b"content-transfer-encoding")).word.strip('"'),
            parent=parent,
            depth=parent.depth + 1 if parent else 0,
            start=fields.body,
            message=(parent if parent.is_attached_message else parent.message) if parent else None,
        )
        if parent is not None:
            parent.children.append(section)
        self.sections.append(section)
        self._note_header(section)
        return section

    def _note_header(self, section: Section) -> None:
        if section.fields.broken:
            detail = "a line in the header is no header field; the text was read from there on"
            self._note(section, UnreadableReason.MALFORMED, detail)
        if section.fields.cut:
            detail = f"a header over {self.limits.max_header_bytes} octets; the rest of it was not read"
            self._note(section, UnreadableReason.SIZE, detail)
        for name in (b"content-type", b"content-transfer-encoding"):
            if len({value.lower() for value in section.fields.all(name)}) > 1:
                detail = f"several {name.decode()} fields that differ; the first one was followed"
                self._note(section, UnreadableReason.MALFORMED, detail)
        if section.content.ambiguous:
            detail = "a content-type parameter is given twice; the first was followed"
            self._note(section, UnreadableReason.MALFORMED, detail)

    def _open_multipart(self, section: Section) -> None:
        if not section.media.startswith("multipart/"):
            return
        boundary = section.content.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
        if not boundary or len(boundary) > _MAX_BOUNDARY:
            self._note(
                section, UnreadableReason.MALFORMED, "a multipart without a boundary; it was read as text"
            )
            return
        if section.encoding in {"base64", "quoted-printable"}:
            detail = "a multipart must not be transfer-encoded; it was read as it stands"
            self._note(section, UnreadableReason.MALFORMED, detail)
        section.boundary = b"--" + boundary
        section.around.append((section.start, -1))
        self.delimiters[section.boundary] = len(self.open) - 1

    def _close(self, section: Section, end: int) -> None:
        """End ``section`` before the line break that precedes the delimiter at ``end`` (RFC 2046 section 5.1.1)."""
        raw = section.raw
        if end < len(raw) and end > section.start and raw[end - 1] == 0x0A:
            end -= 2 if raw[end - 2 : end - 1] == b"\r" else 1
        section.end = max(section.start, end)
        if section.around and section.around[-1][1] < 0:
            section.around[-1] = (section.around[-1][0], section.end)
        if section.boundary:
            self._forget(section)
            if not section.children and not self.full:
                detail = "a multipart in which its boundary does not occur; it was read as text"
                self._note(section, UnreadableReason.MALFORMED, detail)
        elif section.is_attached_message and not (section.children or self.full or self._too_deep(section)):
            data, note = octets(raw[section.start : section.end], section.encoding)
            self._note_from(section, note)
            self.waiting.append((data, section))

    def _forget(self, section: Section) -> None:
        """Take the delimiter of ``section`` away, or give it back to an outer section with the same boundary."""
        for level in range(len(self.open) - 1, -1, -1):
            if self.open[level].boundary == section.boundary:
                self.delimiters[section.boundary] = level
                return
        self.delimiters.pop(section.boundary, None)

    def _note(self, section: Section | None, reason: UnreadableReason, detail: str) -> None:
        number = (section.number if section else "") or "0"
        self.unreadable.append(Unreadable(part=number, reason=reason, detail=detail))

    def _note_from(self, section: Section, note: Note | None) -> None:
        if note:
            self._note(section, note.reason, note.detail)


def _number(parent: Section | None, content: Value) -> str:
    """Return the section number (RFC 3501 section 6.4.5).

    A multipart at the top of a message has the number of the message, and its parts follow that; a message that
    is no multipart is part 1 of itself.
    """
    if parent is None:
        return "" if content.word.startswith("multipart/") else "1"
    if parent.is_attached_message:
        return parent.number if content.word.startswith("multipart/") else f"{parent.number}.1"
    ordinal = len(parent.children) + 1
    return f"{parent.number}.{ordinal}" if parent.number else str(ordinal)
