"""The parts of a message, by byte offset: raw octets to a flat list of `Section`.

Owns MIME structure (RFC 2045, 2046): header blocks, boundaries, attached messages. Refuses to know what a part says.
First step of *extract*.

Why not Python's ``email``: with ``policy.default`` 1,200 nested parts raise RecursionError, and both policies build
every part before anybody can say "too many". This walker is one pass without recursion: each octet is looked at
once as header or once as body, parts are offsets into the message and not copies, and the limits end the walk.

Where mail programs disagree, the reading that shows *more* is taken and the place is noted: a delimiter after the
closing delimiter still opens a part, a multipart without parts is read as text, text before the first and after the
last delimiter is kept as a section of its own (`Section.around`). Where no reading shows more, the place is a
`Dispute`: the walk can be made again with the dispute decided the other way, and `reading` reads what that brings.
"""

import re
from collections import deque
from dataclasses import dataclass, field, replace

from gateway.extract.decoding import Note, octets
from gateway.extract.fields import Dispute, Fields, View, read_fields
from gateway.extract.parameters import Value, parametric
from gateway.model import Limits, Unreadable, UnreadableReason

_MAX_BOUNDARY = 998
_ENCODED = frozenset({"base64", "quoted-printable"})
_LIKE_A_BOUNDARY = re.compile(rb"^(--[^\s]{1,998}?)(?:--)?\s*$", re.MULTILINE)
_LOOK_AHEAD = 65_536
"""Octets in which a boundary is looked for that its multipart does not name rightly."""
_FIRST_VIEW: View = frozenset()
_NO_MESSAGES = frozenset({
    "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
    "message/global-disposition-notification", "message/feedback-report", "message/tracking-status",
    "message/partial", "message/external-body", "message/global-headers",
})  # fmt: skip
"""Reports, and pieces of mail. Whatever else is called ``message/`` is opened as a mail: some programs do."""


@dataclass(slots=True, eq=False)
class Section:
    """One part. ``start`` and ``end`` bound its body in ``raw``; ``number`` is its section number (RFC 3501).

    Two sections are equal if they are one: what is known of a section is kept by the section itself, never by its
    `id`, which belongs to another one as soon as a view of the message is let go.
    """

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
    def body(self) -> bytes:
        """The octets between its header and the next boundary, still transfer-encoded."""
        return self.raw[self.start : self.end]

    @property
    def is_container(self) -> bool:
        """True when the text is in its children."""
        return bool(self.children)

    @property
    def is_attached_message(self) -> bool:
        """True for message/rfc822 and its kin."""
        return self.media.startswith("message/") and self.media not in _NO_MESSAGES


@dataclass(frozen=True, slots=True)
class Walk:
    """All sections in the order of the message, the message itself first, and what is wrong with them."""

    sections: tuple[Section, ...]
    unreadable: tuple[Unreadable, ...]
    disputes: tuple[tuple[Dispute, str], ...] = ()
    """What could be read otherwise, and the number of the part where; each pair once."""


def walk(raw: bytes, limits: Limits, holder: Section | None = None, view: View = _FIRST_VIEW) -> Walk:
    """Return the parts of ``raw``, or of a mail that lies inside ``holder``, as ``view`` has them.

    Total; linear in ``raw``'s length.
    """
    walker = _Walker(limits, view)
    walker.enter(raw, holder)
    while walker.waiting:
        walker.enter(*walker.waiting.popleft())
    return Walk(tuple(walker.sections), tuple(walker.unreadable), tuple(walker.disputes))


class _Walker:
    """The state of one walk: the open sections of the buffer at hand, and what was found so far."""

    def __init__(self, limits: Limits, view: View) -> None:
        self.limits = limits
        self.view = view
        self.disputes: dict[tuple[Dispute, str], None] = {}
        self.sections: list[Section] = []
        self.unreadable: list[Unreadable] = []
        self.waiting: deque[tuple[bytes, Section]] = deque()
        self.open: list[Section] = []
        self.delimiters: dict[bytes, int] = {}
        self.full = False

    def enter(self, raw: bytes, parent: Section | None) -> None:
        """Walk one buffer: the message, or an entity that was transfer-encoded as a whole."""
        if b"\n" not in raw and b"\r" in raw:
            raw = raw.replace(b"\r", b"\n")
        if b"\r--" in raw:
            self._dispute(Dispute.CONTROLS, parent)
        if Dispute.CONTROLS in self.view:
            raw = raw.replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
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
        """Return the level of the multipart that ``line`` delimits, or -1, and whether it ends it."""
        level = self.delimiters.get(line, -1)
        if level < 0 and line.endswith(b"--"):
            level = self.delimiters.get(line[:-2], -1)
            return (level, True) if level >= 0 else self._nearly_delimits(line)
        return (level, False) if level >= 0 else self._nearly_delimits(line)

    def _nearly_delimits(self, line: bytes) -> tuple[int, bool]:
        """Do the same for a line that only begins like a delimiter, which some programs take for one."""
        like = [delimiter for delimiter in self.delimiters if line.startswith(delimiter)]
        if not like:
            return -1, False
        longest = max(like, key=len)
        level = self.delimiters[longest]
        self._dispute(Dispute.LOOSE_BOUNDARY, self.open[level])
        return (
            (level, line.startswith(longest + b"--")) if Dispute.LOOSE_BOUNDARY in self.view else (-1, False)
        )

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
            fields = read_fields(raw, start, self.limits.max_header_bytes, self._is_delimiter, self.view)
            section = self._section(raw, fields, parent)
            self.open.append(section)
            start = fields.body
            if self._too_deep(section):
                self._note(section, UnreadableReason.DEPTH, "nested too deep; what lies below was not read")
                return start
            if section.is_attached_message and section.encoding not in _ENCODED:
                continue
            self._open_multipart(section)
            return start

    def _too_deep(self, section: Section) -> bool:
        return section.depth > self.limits.max_depth

    def _section(self, raw: bytes, fields: Fields, parent: Section | None) -> Section:
        content = parametric(fields.chosen(b"content-type", self.view))
        disputed = content.is_disputed
        if disputed and Dispute.LOOSE_PARAMETERS in self.view:
            content = content.read_loosely()
        in_digest = parent is not None and parent.media == "multipart/digest"
        if "/" not in content.word:
            content = replace(content, word="message/rfc822" if in_digest else "text/plain")
        section = Section(
            raw=raw,
            number=_number(parent, content),
            fields=fields,
            content=content,
            disposition=parametric(fields.chosen(b"content-disposition", self.view)),
            encoding=parametric(fields.chosen(b"content-transfer-encoding", self.view)).word.strip('"'),
            parent=parent,
            depth=parent.depth + 1 if parent else 0,
            start=fields.body,
            message=(parent if parent.is_attached_message else parent.message) if parent else None,
        )
        if parent is not None:
            parent.children.append(section)
        self.sections.append(section)
        for dispute in fields.disputes:
            self._dispute(dispute, section)
        if disputed:
            self._dispute(Dispute.LOOSE_PARAMETERS, section)
        if content.word.count("/") > 1 and content.word.startswith(("multipart/", "message/")):
            # RFC 2045 section 5.2: what is no type is plain text, and who goes by that shows all of it, HTML unread.
            detail = f'"{content.word[:60]}" is no media type; its parts were read, and some programs show its source'
            self._note(section, UnreadableReason.MALFORMED, detail)
        if fields.cut:
            detail = f"a header over {self.limits.max_header_bytes} octets; the rest of it was not read"
            self._note(section, UnreadableReason.SIZE, detail)
        return section

    def _open_multipart(self, section: Section) -> None:
        if not section.media.startswith("multipart/"):
            return
        if section.encoding in _ENCODED:
            self._dispute(Dispute.ENCODED_MULTIPART, section)
            if Dispute.ENCODED_MULTIPART in self.view:
                return  # decoded and entered when it is closed
        boundary = section.content.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
        section.boundary = b"--" + boundary if 0 < len(boundary) <= _MAX_BOUNDARY else b""
        if Dispute.LOOSE_BOUNDARY in self.view:
            section.boundary = _found_boundary(section)
        if section.boundary:
            section.around.append((section.start, -1))
            self.delimiters[section.boundary] = len(self.open) - 1
        else:
            self._dispute(Dispute.LOOSE_BOUNDARY, section)
            detail = "a multipart without a boundary; it was read as text"
            self._note(section, UnreadableReason.MALFORMED, detail)

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
                self._dispute(Dispute.LOOSE_BOUNDARY, section)
                detail = "a multipart in which its boundary does not occur; it was read as text"
                self._note(section, UnreadableReason.MALFORMED, detail)
        elif section.is_attached_message and not (section.children or self.full or self._too_deep(section)):
            data, note = octets(raw[section.start : section.end], section.encoding)
            self._note_from(section, note)
            self.waiting.append((data, section))
        elif section.media.startswith("multipart/") and section.encoding in _ENCODED:
            self._enter_decoded(section)

    def _enter_decoded(self, section: Section) -> None:
        """Let the decoded octets of a multipart be walked as an entity of their own with its Content-Type."""
        if self.full or self._too_deep(section) or Dispute.ENCODED_MULTIPART not in self.view:
            return
        data, note = octets(section.raw[section.start : section.end], section.encoding)
        self._note_from(section, note)
        content = section.fields.chosen(b"content-type", self.view)
        self.waiting.append((b"Content-Type: " + content + b"\n\n" + data, section))

    def _forget(self, section: Section) -> None:
        """Take the delimiter of ``section`` away, or give it back to an outer section with the same boundary."""
        for level in range(len(self.open) - 1, -1, -1):
            if self.open[level].boundary == section.boundary:
                self.delimiters[section.boundary] = level
                return
        self.delimiters.pop(section.boundary, None)

    def _dispute(self, dispute: Dispute, section: Section | None) -> None:
        self.disputes[dispute, (section.number if section else "") or "0"] = None

    def _note(self, section: Section | None, reason: UnreadableReason, detail: str) -> None:
        number = (section.number if section else "") or "0"
        self.unreadable.append(Unreadable(part=number, reason=reason, detail=detail))

    def _note_from(self, section: Section, note: Note | None) -> None:
        if note:
            self._note(section, note.reason, note.detail)


def _found_boundary(section: Section) -> bytes:
    """Return the boundary of a multipart as programs find it that look at its text: its own where it occurs."""
    stop = section.start + _LOOK_AHEAD
    if section.boundary and section.raw.find(section.boundary, section.start, stop) >= 0:
        return section.boundary
    like = _LIKE_A_BOUNDARY.search(section.raw, section.start, stop)
    return like[1] if like else b""


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
