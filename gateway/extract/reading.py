"""From sections to `Authored`: which parts are read, as what, and what is said about the rest.

Owns the order of reading, part names, the budget of characters, and the words of every `Unreadable`. Refuses to
decide what an unreadable part means: policy does. Last step of *extract*.

Part names: the part that a mail program shows first is ``body``; every other text part has its section number, its
file name is ``name:`` and that number. What lies inside a file has the part's name, ``!`` and its path there:
``2!docProps/core.xml:title``. Text before the first and after the last part of a multipart, which no program
shows, is ``before:`` and ``after:`` the number.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from gateway.extract import attachments
from gateway.extract.addresses import MAX_ADDRESSES, addresses, headers_of
from gateway.extract.alternatives import Reference, repeated
from gateway.extract.calendars import calendar_text
from gateway.extract.decoding import Note, characters, octets
from gateway.extract.disclaimers import wording_of
from gateway.extract.doubts import doubted
from gateway.extract.fields import Value, header_text
from gateway.extract.kinds import (
    CALENDAR,
    HTML,
    ancestor,
    branch,
    disguised_as_text,
    is_attachment,
    is_envelope,
    is_signature,
    is_text,
    media_of,
)
from gateway.extract.layout import plain_lines, with_marks
from gateway.extract.markup import Aside, Rendered, rendered
from gateway.extract.mime import Section, walk
from gateway.extract.quotes import OWN, UNSURE, Label, labelled, undone
from gateway.extract.signatures import has_words, joined, pieces_of
from gateway.model import (
    Authored,
    Cut,
    CutReason,
    Headers,
    HouseStyle,
    Limits,
    Passage,
    PassageKind,
    Unreadable,
    UnreadableReason,
)

_MAX_LINES = 50_000
"""Lines of one part that are looked at for quotes; what follows stays, marked uncertain."""
_PGP = re.compile(r"^-----BEGIN PGP MESSAGE", re.MULTILINE)
_UUENCODED = re.compile(r"^begin(?:-base64)? [0-7]{3,4} \S", re.MULTILINE)
_STANDARD_PREAMBLE = re.compile(
    r"This is (?:an? )?(?:(?:S/MIME|cryptographically|OpenPGP/MIME) )?(?:signed |multi-?part )?message"
    r"(?: in MIME format| \(RFC 4880 and 3156\))?\.*\s*\Z",
    re.IGNORECASE,
)
_REPLIES = r"re|aw|sv|vs|antw|odp|res|rif|ymateb|atb"
_FORWARDS = r"fw|fwd|wg|tr|vb|rv|enc|doorst|ymlaen|yml|anfon ymlaen"
_PREFIX_END = r"\s*(?:\[\d+\]|\(\d+\))?\s*:"
_REPLY_PREFIX = re.compile(rf"(?:\s*(?:{_REPLIES}|{_FORWARDS}){_PREFIX_END})+\s*", re.IGNORECASE)
_FORWARD_PREFIX = re.compile(
    rf"\s*(?:(?:{_REPLIES}){_PREFIX_END}\s*)*(?:{_FORWARDS}){_PREFIX_END}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out: the authored text, and the decoded text of every part that it points into."""

    authored: Authored
    texts: Mapping[str, str]


def read(raw: bytes, limits: Limits, style: HouseStyle) -> Reading:
    """Read a whole message. Total: never raises."""
    return _Reader(raw, limits, style).read()


class _Reader:
    """The state of reading one message."""

    def __init__(self, raw: bytes, limits: Limits, style: HouseStyle) -> None:
        self.wording = wording_of(style)
        self.walk = walk(raw, limits)
        self.limits = limits
        self.budget = limits.max_decoded_chars
        self.allowance = attachments.Allowance(limits)
        self.headers = Headers()
        self.texts: dict[str, str] = {}
        self.passages: list[Passage] = []
        self.cuts: list[Cut] = []
        self.unreadable: list[Unreadable] = list(self.walk.unreadable)
        self.order: dict[str, int] = {}
        self.first: Section | None = None
        self.references: dict[int, tuple[Section, Reference]] = {}
        """For each multipart/alternative the branch that was read first, and its words."""

    def read(self) -> Reading:
        """Read subject, parts and names, in the order of the message."""
        message = self.walk.sections[0]
        self._subject(message)
        self.first = self._shown_first()
        ordered = [section for section in self.walk.sections if section is not self.first]
        for section in [self.first, *ordered] if self.first else ordered:
            self._section(section)
        self.order = {part: place for place, part in enumerate(self.texts)}
        authored = Authored(
            headers=self.headers,
            passages=tuple(sorted(self.passages, key=self._place)),
            cuts=tuple(sorted(self.cuts, key=self._place)),
            unreadable=tuple(dict.fromkeys(self.unreadable)),
        )
        return Reading(authored, self.texts)

    def _place(self, piece: Passage | Cut) -> tuple[int, int]:
        return self.order[piece.part], piece.start

    # --- header ---

    def _subject(self, message: Section) -> None:
        decoded = [header_text(value) for value in message.fields.all(b"subject")]
        lines = list(dict.fromkeys(" ".join(text.split()) for text, _ in decoded))
        if len(lines) > 1:
            self._note("subject", UnreadableReason.MALFORMED, "several subjects that differ; all were read")
        if any(guessed for _, guessed in decoded):
            self._note("subject", UnreadableReason.CHARSET, "the subject's characters had to be guessed")
        text = self._within_budget("subject", "\n".join(lines))
        self.headers = headers_of(message.fields, text)
        if any(len(field) > MAX_ADDRESSES for field in self._address_fields()):
            detail = f"more than {MAX_ADDRESSES} addresses in one field; the rest was not read"
            self._note("header", UnreadableReason.SIZE, detail)
        self.texts["subject"] = text
        prefix = _REPLY_PREFIX.match(text)
        start = prefix.end() if prefix else 0
        inherited = bool(prefix) and self._is_reply()
        self._passage("subject", PassageKind.SUBJECT, start, len(text), uncertain=inherited)

    def _address_fields(self) -> tuple[tuple[str, ...], ...]:
        given = self.headers
        return given.from_, given.sender, given.to, given.cc, given.bcc, given.reply_to

    def _is_reply(self) -> bool:
        return bool(self.headers.in_reply_to or self.headers.references)

    # --- which parts ---

    def _shown_first(self) -> Section | None:
        """Return the text part that a mail program shows first; of two alternatives the plain one."""
        shown = [section for section in self.walk.sections if self._is_shown(section)]
        if not shown:
            return None
        above = ancestor(shown[0], "multipart/alternative")
        if shown[0].media in HTML and above is not None:
            plain = (
                section for section in shown if section.parent is above and section.media == "text/plain"
            )
            return next(plain, shown[0])
        return shown[0]

    def _is_shown(self, section: Section) -> bool:
        return (
            not section.is_container
            and section.message is None
            and section.depth <= self.limits.max_depth
            and section.media.startswith(("text/", "multipart/"))
            and media_of(section) != CALENDAR
            and not is_attachment(section)
        )

    def _section(self, section: Section) -> None:
        self._name(section)
        parent = section.parent
        if section.depth > self.limits.max_depth:
            return
        if section.media == "multipart/encrypted":
            self._note(section.number or "0", UnreadableReason.ENCRYPTED, "an encrypted message")
        if section.is_container or section.is_attached_message:
            self._around(section)
        elif parent is not None and parent.media == "multipart/encrypted":
            pass  # its control part and its ciphertext, already named
        elif is_envelope(section):
            self._envelope(section)
        elif is_text(section):
            self._text_part(section)
        elif not is_signature(section):
            data, note = octets(section.raw[section.start : section.end], section.encoding)
            self._note_from(section.number, note)
            self._file(section, data, "not text")

    def _file(self, section: Section, data: bytes, why: str) -> None:
        """Read what a file says, or name it as not read."""
        name = next(iter(self._names_of(section)), "")
        within = replace(self.limits, max_decoded_chars=max(self.budget, 0))
        found = attachments.read(data, section.media, name, within, self.allowance)
        if not found.recognised:
            self._not_read(section, why)
        for one in found.unreadable:
            part = _inside(section, one.path)
            self.unreadable.append(
                Unreadable(part=part, reason=one.reason, detail=one.detail, sha256=one.sha256)
            )
        for piece in found.pieces:
            part = _inside(section, piece.path)
            if piece.message is not None:
                own = piece.kind is PassageKind.BODY and section.message is None
                self._mail_inside(section, part, piece.message, own=own)
            else:
                self._piece(section, part, piece)

    def _piece(self, section: Section, part: str, piece: attachments.Piece) -> None:
        """Take one run of text of a file; several of one path follow each other."""
        before = self.texts.get(part, "")
        start = len(before) + 1 if before else 0
        text = self._within_budget(part, piece.text)
        self.texts[part] = f"{before}\n{text}" if before else text
        self._whole(section, part, piece.kind, start=start, hidden=piece.hidden)

    def _mail_inside(self, section: Section, part: str, message: bytes, *, own: bool) -> None:
        """Read a mail that lies inside a file: like an attached one, or like a part of the sender's own mail."""
        content = Value("multipart/mixed" if own else "message/rfc822", {})
        holder = replace(section, number=part, content=content, children=[], around=[], boundary=b"")
        inside = walk(message, self.limits, holder)
        self.unreadable += inside.unreadable
        if own:
            subject = f"{part}/subject" if "!" in part else f"{part}!subject"
            text = _decoded(inside.sections[0].fields.first(b"subject"))
            self.texts[subject] = self._within_budget(subject, text)
            self._passage(subject, PassageKind.SUBJECT, 0, len(self.texts[subject]))
        for each in inside.sections:
            self._section(each)

    def _envelope(self, section: Section) -> None:
        """Read what is signed and not encrypted; name the rest."""
        data, _ = octets(section.raw[section.start : section.end], section.encoding)
        if attachments.is_signed(data):
            self._file(section, data, "a signed part")
            return
        kind = section.content.parameters.get("smime-type", "without a type")[:40]
        self._note(section.number, UnreadableReason.ENCRYPTED, f"an S/MIME or PGP envelope, {kind}")

    def _not_read(self, section: Section, why: str) -> None:
        name = " / ".join(self._names_of(section))
        title = f' "{name[:80]}"' if name else ""
        inline = section.fields.first(b"content-id") and section.disposition.word != "attachment"
        place = "shown in the text" if inline else "attached"
        inside = " to an attached mail" if section.message else ""
        size = section.end - section.start
        detail = f"{section.media[:80]}{title}, {size} octets, {place}{inside}: {why}"
        self._note(section.number, UnreadableReason.ATTACHMENT_NOT_READ, detail)

    # --- names ---

    def _name(self, section: Section) -> None:
        """Take the name of a part, which a mail program shows; an attached mail without one shows its subject."""
        if section.message is not None:
            return
        names = self._names_of(section)
        inherited = False
        if not names and section.is_attached_message and section.children:
            names = [_decoded(section.children[0].fields.first(b"subject"))]
            inherited = True
        text = "\n".join(dict.fromkeys(filter(None, names)))
        if text:
            part = f"name:{section.number or '0'}"
            self.texts[part] = text = self._within_budget(part, text)
            self._passage(part, PassageKind.ATTACHMENT_NAME, 0, len(text), uncertain=inherited)

    def _names_of(self, section: Section) -> list[str]:
        given = (
            section.disposition.parameters.get("filename", ""),
            section.content.parameters.get("name", ""),
        )
        names = [_decoded(name.encode("utf-8", "replace")) for name in given if name]
        if section.parent is not None:
            names.append(_decoded(section.fields.first(b"content-description")))
        return [name for name in names if name]

    # --- text ---

    def _around(self, section: Section) -> None:
        """Read what stands before the first and after the last part of a multipart: no mail program shows it."""
        if section.message is not None:
            return
        pieces = [characters(section.raw[start:end].strip(), "")[0] for start, end in section.around]
        before = pieces[0] if pieces and not _STANDARD_PREAMBLE.match(pieces[0]) else ""
        for name, text in (("before", before), ("after", "\n".join(filter(None, pieces[1:])))):
            if text:
                part = f"{name}:{section.number or '0'}"
                self.texts[part] = self._within_budget(part, text)
                self._passage(part, PassageKind.BODY, 0, len(self.texts[part]), hidden=True)

    def _text_part(self, section: Section) -> None:
        part = "body" if section is self.first else section.number
        raw = section.raw[section.start : section.end]
        data, note = octets(raw, section.encoding if not section.media.startswith("multipart/") else "")
        self._note_from(part, note)
        disguise = disguised_as_text(data)
        if disguise:
            self._file(section, data, f"labelled as text, but {disguise}")
            return
        allowed = max(self.budget, 0) * 4 + 4
        if len(data) > allowed:
            data = data[:allowed]
            self._over_budget(part)
        text, note = characters(data, section.content.parameters.get("charset", ""))
        self._note_from(part, note)
        text = self._within_budget(part, text)
        media = media_of(section)
        if media == CALENDAR:
            self.texts[part] = text = calendar_text(text)
            self._whole(section, part, PassageKind.CALENDAR)
        elif media in HTML:
            view = rendered(text)
            if view.flat:
                detail = "more markup than can be followed; the rest was read without regard to it"
                self._note(part, UnreadableReason.SIZE, detail)
            self._written(section, part, view)
        else:
            self._look_inside(part, text)
            self._written(section, part, Rendered(text, plain_lines(text), []))

    def _look_inside(self, part: str, text: str) -> None:
        """Note what plain text may carry that is no text."""
        if _PGP.search(text):
            self._note(part, UnreadableReason.ENCRYPTED, "a PGP message inside the text")
        if _UUENCODED.search(text):
            self._note(part, UnreadableReason.ATTACHMENT_NOT_READ, "a uuencoded file inside the text")

    def _whole(
        self, section: Section, part: str, kind: PassageKind, *, start: int = 0, hidden: bool = False
    ) -> None:
        """Take a part as one passage, or as one cut where it belongs to an attached message."""
        end = len(self.texts[part])
        if section.message is not None:
            self._cut(part, start, end, Label(CutReason.FORWARDED, _author(section.message), attributed=True))
        else:
            self._passage(part, kind, start, end, hidden=hidden)

    def _written(self, section: Section, part: str, view: Rendered) -> None:
        """Take a part apart: own words, quotes, signature, disclaimer, hidden text."""
        self.texts[part] = view.text
        if section.message is not None or section.media == "text/rfc822-headers":
            label = Label(CutReason.FORWARDED, _author(section.message), attributed=True)
            self._cut(part, 0, len(view.text), label)
            return
        if is_attachment(section):
            self._passages_by_line(part, view)
            return
        forward = _FORWARD_PREFIX.match(self.headers.subject) is not None
        lines, rest = with_marks(view.lines[:_MAX_LINES], view.text), view.lines[_MAX_LINES:]
        labels = labelled(lines, reply_headers=self._is_reply(), forward=forward)
        labels = doubted(labels, self.headers)
        pieces = pieces_of(view.text, lines, labels, self.wording)
        if any(label.reason is CutReason.QUOTED for label in labels) and not has_words(view.text, pieces):
            labels = undone(labels)
            pieces = pieces_of(view.text, lines, labels, self.wording)
        if rest:
            pieces.append((rest[0].begin, rest[-1].end, UNSURE))
        first_passage = len(self.passages)
        for start, end, label in joined(pieces):
            if label.reason is None:
                self._passage(part, PassageKind.BODY, start, end, uncertain=label.uncertain)
            else:
                self._cut(part, start, end, label)
        self._compare(section, first_passage)
        self._asides(part, view, labels)

    def _passages_by_line(self, part: str, view: Rendered) -> None:
        visible = view.lines[-1].end if view.lines else 0
        self._passage(part, PassageKind.ATTACHMENT, 0, visible)
        self._asides(part, view, [OWN] * len(view.lines))

    def _asides(self, part: str, view: Rendered, labels: list[Label]) -> None:
        """Take hidden and alternative text: it is what the line is that it stood in. Neighbours are taken together."""
        begins = [line.begin for line in view.lines]
        taken: list[tuple[int, int, bool, Label]] = []
        for aside in view.asides:
            label = _label_at(aside, begins, labels)
            if taken and taken[-1][2:] == (aside.hidden, label):
                taken[-1] = (taken[-1][0], aside.end, aside.hidden, label)
            else:
                taken.append((aside.start, aside.end, aside.hidden, label))
        for start, end, hidden, label in taken:
            if label.reason is None:
                kind = PassageKind.BODY if hidden else PassageKind.ALT_TEXT
                self._passage(part, kind, start, end, uncertain=label.uncertain, hidden=hidden)
            else:
                self._cut(part, start, end, label)

    def _compare(self, section: Section, first_passage: int) -> None:
        """Set aside what an alternative repeats of the one that was read first."""
        alternative = ancestor(section, "multipart/alternative")
        if alternative is None:
            return
        mine_in = branch(section, alternative)
        mine = self.passages[first_passage:]
        known = self.references.get(id(alternative))
        if known is None:
            self.references[id(alternative)] = (mine_in, Reference([passage.text for passage in mine]))
            return
        if known[0] is mine_in:
            return
        del self.passages[first_passage:]
        if known[1].says([passage.text for passage in mine]):
            for passage in mine:
                self._cut(passage.part, passage.start, passage.end, Label(CutReason.REPEATED))
            return
        known[1].prepare()
        cursor = 0
        for passage in mine:
            lines, cursor = repeated(known[1], passage.text, passage.start, cursor)
            self._keep_new(passage, lines)

    def _keep_new(self, passage: Passage, lines: list[tuple[tuple[int, int], bool]]) -> None:
        for is_known, run in groupby(lines, key=lambda line: line[1]):
            spans = [span for span, _ in run]
            start, end = spans[0][0], spans[-1][1]
            if is_known:
                self._cut(passage.part, start, end, Label(CutReason.REPEATED))
            else:
                self._passage(passage.part, passage.kind, start, end, uncertain=passage.uncertain)

    # --- entries ---

    def _passage(
        self,
        part: str,
        kind: PassageKind,
        start: int,
        end: int,
        *,
        uncertain: bool = False,
        hidden: bool = False,
    ) -> None:
        start, end = _trimmed(self.texts[part], start, end)
        if start < end:
            text = self.texts[part][start:end]
            self.passages.append(
                Passage(
                    part=part, kind=kind, text=text, start=start, end=end, uncertain=uncertain, hidden=hidden
                )
            )

    def _cut(self, part: str, start: int, end: int, label: Label) -> None:
        start, end = _trimmed(self.texts[part], start, end)
        if start < end and label.reason is not None:
            text = self.texts[part][start:end]
            self.cuts.append(
                Cut(
                    part=part,
                    text=text,
                    start=start,
                    end=end,
                    reason=label.reason,
                    speaker=label.speaker,
                    attributed=label.attributed,
                    doubts=label.doubts,
                    inner=label.inner,
                )
            )

    def _within_budget(self, part: str, text: str) -> str:
        if len(text) > self.budget:
            text = text[: max(self.budget, 0)]
            self._over_budget(part)
        self.budget -= len(text)
        return text

    def _over_budget(self, part: str) -> None:
        limit = self.limits.max_decoded_chars
        self._note(
            part, UnreadableReason.SIZE, f"more than {limit} characters of text; the rest was not read"
        )

    def _note(self, part: str, reason: UnreadableReason, detail: str) -> None:
        self.unreadable.append(Unreadable(part=part, reason=reason, detail=detail))

    def _note_from(self, part: str, note: Note | None) -> None:
        if note:
            self._note(part, note.reason, note.detail)


def _label_at(aside: Aside, begins: list[int], labels: list[Label]) -> Label:
    """Return what the line is that ``aside`` stood in. Inside a quote block it may also stand at the end of a line."""
    places = (aside.at, aside.at - 1) if aside.claimed else (aside.at,)
    lines = (bisect_right(begins, place) - 1 for place in places)
    found = [labels[line] if 0 <= line < len(labels) else OWN for line in lines]
    return next((label for label in found if label.reason is not None), found[0])


def _inside(section: Section, path: str) -> str:
    """Return the part name of what stands at ``path`` inside the file ``section``."""
    number = section.number or "0"
    return f"{number}!{path}" if path else number


def _decoded(value: bytes) -> str:
    """Return a header value as one line of text."""
    return " ".join(header_text(value)[0].split())


def _author(message: Section | None) -> str:
    """Return who an attached message says it is from."""
    inner = message.children[0] if message is not None and message.children else None
    found = addresses(inner.fields.first(b"from").decode("utf-8", "replace")) if inner else ()
    return found[0] if found else ""


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return ``start`` and ``end`` without white space at either side."""
    stripped = text[start:end].lstrip()
    start = end - len(stripped)
    return start, start + len(stripped.rstrip())
