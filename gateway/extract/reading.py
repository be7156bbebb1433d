"""From sections to `Authored`: which parts are read, as what, and what is said about the rest.

Owns the order of reading, part names, and the words of every `Unreadable`. Refuses to decide what an unreadable part
means: policy does. Last step of *extract*.

Part names: the part that a mail program shows first is ``body``; every other text part has its section number, its
file name is ``name:`` and that number, and what a program shows of a header field has the field's name. What lies
inside a file has the part's name, ``!`` and its path there: ``2!docProps/core.xml:title``. Text before the first and
after the last part of a multipart, which no program shows, is ``before:`` and ``after:`` the number. Where mail
programs show different words for one part, the likeliest reading has the plain name and the others are ``body~2``,
``body~3``: of them only what the first does not say counts (docs/decisions/0011).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256

from gateway.extract import attachments
from gateway.extract.addresses import addresses, display_names, headers_of
from gateway.extract.alternatives import Reference
from gateway.extract.calendars import calendar_text
from gateway.extract.collected import Collected
from gateway.extract.decoding import (
    Note,
    characters,
    charset_in_html,
    octets,
    other_characters,
    other_octets,
    same_charset,
)
from gateway.extract.disclaimers import wording_of
from gateway.extract.fields import Dispute, View
from gateway.extract.inline_files import inline_files
from gateway.extract.kinds import (
    CALENDAR,
    ENRICHED,
    HTML,
    ancestor,
    branch,
    disguised_as_text,
    is_attachment,
    is_envelope,
    is_signature,
    is_text,
    media_of,
    names_of,
)
from gateway.extract.layout import plain_lines
from gateway.extract.markup import Rendered, rendered
from gateway.extract.mime import Section, walk
from gateway.extract.parameters import Value
from gateway.extract.parting import Frame, own_subject_from, part_asides, part_text, whole_text
from gateway.extract.plain import enriched_text, unflowed
from gateway.extract.quotes import Label
from gateway.extract.words import header_text, other_header_texts
from gateway.model import Authored, CutReason, Headers, HouseStyle, Limits, PassageKind, UnreadableReason

_PGP = re.compile(r"^-----BEGIN PGP MESSAGE", re.MULTILINE)
_INLINE_FILE = re.compile(rb"^(?:begin(?:-base64)? [0-7]{3,4} \S|=ybegin )", re.MULTILINE)
_STANDARD_PREAMBLE = re.compile(
    r"This is (?:an? )?(?:(?:S/MIME|cryptographically|OpenPGP/MIME) )?(?:signed |encrypted |multi-?part )?message"
    r"(?: in MIME format| \(RFC 4880 and 3156\))?\.*\s*\Z",
    re.IGNORECASE,
)
_NAMED_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc")
_WORDED_FIELDS = {b"keywords": False, b"organization": True, b"comments": True, b"thread-topic": True}
"""Fields with words of the sender's, and whether common mail programs hide them. Outlook shows keywords as categories."""
_MAX_READINGS = 4
"""Other readings of one text. Each costs as much as the text itself."""
_DAMAGED = {
    Dispute.LAST_FIELD: "several fields for type or encoding that differ",
    Dispute.LOOSE_PARAMETERS: "a parameter of the type that can be read in two ways",
    Dispute.HEADER_GOES_ON: "a line in the header is no header field; the text was read from there on",
    Dispute.CONTROLS: "NUL or a carriage return alone in the header or before a boundary; it was read as it stands",
    Dispute.ENCODED_MULTIPART: "a multipart must not be transfer-encoded; it was read as it stands",
}
"""What is named even where both readings say the same."""
_GARBLED = frozenset({UnreadableReason.CHARSET, UnreadableReason.ENCODING, UnreadableReason.MALFORMED})
_UNDECODED = frozenset({UnreadableReason.ENCODING})


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
        self.raw = raw
        self.limits = limits
        self.walk = walk(raw, limits)
        self.out = Collected(limits)
        self.out.unreadable += self.walk.unreadable
        self.allowance = attachments.Allowance(limits)
        self.frame = Frame(Headers(), wording_of(style))
        self.first: Section | None = None
        self.references: dict[Section, tuple[Section, Reference]] = {}
        """For each multipart/alternative the branch that was read first, and its words."""
        self.authors: dict[Section, Label | None] = {}

    def read(self) -> Reading:
        """Read header, parts and names in the order of the message; then what other programs make of it."""
        message = self.walk.sections[0]
        self._subject(message)
        self._header(message)
        self.first = self._shown_first()
        ordered = [section for section in self.walk.sections if section is not self.first]
        self._sections([self.first, *ordered] if self.first else ordered)
        if self.walk.disputes:
            self._other_views()
        return Reading(self.out.authored(self.frame.headers), self.out.texts)

    # --- header ---

    def _subject(self, message: Section) -> None:
        values = message.fields.all(b"subject")
        decoded = [header_text(value) for value in values]
        lines = list(dict.fromkeys(" ".join(text.split()) for text, _ in decoded))
        if len(lines) > 1:
            detail = "several subjects that differ; all were read"
            self.out.note("subject", UnreadableReason.AMBIGUOUS, detail)
        if any(guessed for _, guessed in decoded):
            detail = "the subject's characters had to be guessed"
            self.out.note("subject", UnreadableReason.CHARSET, detail)
        text = self.out.take("subject", "\n".join(lines))
        headers = headers_of(message.fields, text, self.limits.max_addresses)
        self.frame = Frame(headers, self.frame.wording)
        start = own_subject_from(text)
        inherited = bool(start) and self.frame.is_reply
        self.out.passage("subject", PassageKind.SUBJECT, start, len(text), uncertain=inherited)
        self._other_texts("subject", PassageKind.SUBJECT, text, values)

    def _other_texts(self, part: str, kind: PassageKind, text: str, values: Iterable[bytes]) -> None:
        """Read what other programs decode of a header field."""
        others = [" ".join(other.split()) for value in values for other in other_header_texts(value)]
        if others:
            name = self.out.fresh(part)

            def read_others() -> None:
                new = self.out.take(name, "\n".join(dict.fromkeys(others)))
                self.out.passage(name, kind, 0, len(new))

            if self.out.brings(Reference([text]), read_others):
                detail = f"encoded words that some programs show as {self.out.texts[name][:80]!r}"
                self.out.note(name, UnreadableReason.AMBIGUOUS, detail)

    def _header(self, message: Section) -> None:
        """Read the names beside addresses and the other words that a header has for people."""
        given = self.frame.headers
        lists = (given.from_, given.sender, given.to, given.cc, given.bcc, given.reply_to)
        if any(len(field) > self.limits.max_addresses for field in lists):
            detail = f"more than {self.limits.max_addresses} addresses in one field; the rest was not read"
            self.out.note("header", UnreadableReason.SIZE, detail)
        for field in _NAMED_FIELDS:
            names = [
                name
                for value in message.fields.all(field)
                for name in display_names(value.decode("utf-8", "replace"))
            ]
            self._words_of(field, names)
        for field, hidden in _WORDED_FIELDS.items():
            words = [_decoded(value) for value in message.fields.all(field)]
            if field == b"thread-topic":
                words = [topic for topic in words if topic not in given.subject]
            self._words_of(field, words, hidden=hidden)

    def _words_of(self, field: bytes, words: list[str], *, hidden: bool = False) -> None:
        text = "\n".join(dict.fromkeys(filter(None, words[: self.limits.max_addresses])))
        if text:
            part = field.decode()
            text = self.out.take(part, text)
            self.out.passage(part, PassageKind.HEADER, 0, len(text), hidden=hidden)

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

    def _sections(self, sections: Iterable[Section]) -> None:
        for section in sections:
            self._name(section)
            self._section(section)

    def _section(self, section: Section) -> None:
        parent = section.parent
        if section.depth > self.limits.max_depth:
            return
        if section.media == "multipart/encrypted":
            self.out.note(section.number or "0", UnreadableReason.ENCRYPTED, "an encrypted message")
        if section.is_container or section.is_attached_message:
            self._around(section)
        elif parent is not None and parent.media == "multipart/encrypted":
            pass  # its control part and its ciphertext, already named
        elif is_envelope(section):
            self._envelope(section)
        elif is_text(section):
            self._text_part(section)
        elif not is_signature(section):
            data, note = octets(section.body, section.encoding)
            self.out.note_from(section.number, note)
            self._file(section, data, "not text")

    def _forwarded(self, section: Section) -> Label | None:
        """Return as what a part of an attached mail is set aside; None where it is the sender's own writing.

        A mail that the sender wrote, or that names nobody who did, is no other person's: it stays, uncertain.
        """
        label, message = None, section.message
        while message is not None:
            if message not in self.authors:
                author = _author(message)
                mine = {
                    address.lower() for address in (*self.frame.headers.from_, *self.frame.headers.sender)
                }
                is_own = not author or author.lower() in mine
                self.authors[message] = None if is_own else _forwarded_from(author)
            label = label or self.authors[message]
            message = message.message
        if label is None and section.media == "text/rfc822-headers":
            return _forwarded_from("")
        return label

    # --- files ---

    def _file(self, section: Section, data: bytes, why: str, name: str = "") -> None:
        """Read what a file says, or name it as not read."""
        within = replace(self.limits, max_decoded_chars=max(self.out.left, 0))
        called = name or next(iter(self._names(section)), "")
        found = attachments.read(data, "" if name else section.media, called, within, self.allowance)
        base = f"!{name}" if name else ""
        if not found.recognised:
            self._not_read(section, why)
        for one in found.unreadable:
            media = "" if one.path else section.media
            self.out.note(_inside(section, base, one.path), one.reason, one.detail, one.sha256, media)
        for piece in found.pieces:
            part = _inside(section, base, piece.path)
            if piece.message is not None:
                own = piece.kind is PassageKind.BODY and section.message is None
                self._mail_inside(section, part, piece.message, own=own)
            else:
                self._piece(section, part, piece)

    def _piece(self, section: Section, part: str, piece: attachments.Piece) -> None:
        """Take one run of text of a file; several of one path follow each other."""
        before = self.out.texts.get(part, "")
        start = len(before) + 1 if before else 0
        text = self.out.within_budget(part, piece.text)
        self.out.texts[part] = f"{before}\n{text}" if before else text
        self._whole(section, part, piece.kind, start=start, hidden=piece.hidden)

    def _mail_inside(self, section: Section, part: str, message: bytes, *, own: bool) -> None:
        """Read a mail that lies inside a file: like an attached one, or like a part of the sender's own mail."""
        content = Value("multipart/mixed" if own else "message/rfc822", {})
        holder = replace(section, number=part, content=content, children=[], around=[], boundary=b"")
        inside = walk(message, self.limits, holder)
        self.out.unreadable += inside.unreadable
        if own:
            subject = f"{part}/subject" if "!" in part else f"{part}!subject"
            subject = self.out.fresh(subject) if subject in self.out.texts else subject
            text = self.out.take(subject, _decoded(inside.sections[0].fields.first(b"subject")))
            self.out.passage(subject, PassageKind.SUBJECT, 0, len(text))
        self._sections(inside.sections)

    def _envelope(self, section: Section) -> None:
        """Read what is signed and not encrypted; name the rest."""
        data, _ = octets(section.body, section.encoding)
        if attachments.is_signed(data):
            self._file(section, data, "a signed part")
            return
        kind = section.content.parameters.get("smime-type", "without a type")[:40]
        detail = f"an S/MIME or PGP envelope, {kind}"
        self.out.note(section.number, UnreadableReason.ENCRYPTED, detail, media=section.media)

    def _not_read(self, section: Section, why: str) -> None:
        name = " / ".join(self._names(section))
        title = f' "{name[:80]}"' if name else ""
        inline = section.fields.first(b"content-id") and section.disposition.word != "attachment"
        place = "shown in the text" if inline else "attached"
        inside = " to an attached mail" if section.message else ""
        size = section.end - section.start
        detail = f"{section.media[:80]}{title}, {size} octets, {place}{inside}: {why}"
        self.out.note(section.number, UnreadableReason.ATTACHMENT_NOT_READ, detail, media=section.media)

    # --- names ---

    def _name(self, section: Section) -> None:
        """Take the name of a part, which a mail program shows; an attached mail without one shows its subject."""
        if self._forwarded(section) is not None:
            return
        names = self._names(section)
        inherited = False
        if not names and section.is_attached_message and section.children:
            names = [_decoded(section.children[0].fields.first(b"subject"))]
            inherited = True
        text = "\n".join(dict.fromkeys(filter(None, names)))
        part = f"name:{section.number or '0'}"
        if text and text != self.out.texts.get(part):
            part = self.out.fresh(part) if part in self.out.texts else part
            text = self.out.take(part, text)
            self.out.passage(part, PassageKind.ATTACHMENT_NAME, 0, len(text), uncertain=inherited)

    def _names(self, section: Section) -> list[str]:
        names = [_decoded(name.encode("utf-8", "replace")) for name in names_of(section)]
        if section.parent is not None:
            names.append(_decoded(section.fields.first(b"content-description")))
        return [name for name in names if name]

    # --- text ---

    def _around(self, section: Section) -> None:
        """Read what stands before the first and after the last part of a multipart: no mail program shows it."""
        if self._forwarded(section) is not None:
            return
        pieces = [characters(section.raw[start:end].strip(), "")[0] for start, end in section.around]
        before = pieces[0] if pieces and not _STANDARD_PREAMBLE.match(pieces[0]) else ""
        for name, words in (("before", before), ("after", "\n".join(filter(None, pieces[1:])))):
            if words:
                part = f"{name}:{section.number or '0'}"
                part = self.out.fresh(part) if part in self.out.texts else part
                text = self.out.take(part, words)
                self.out.passage(part, PassageKind.BODY, 0, len(text), hidden=True)

    def _text_part(self, section: Section) -> None:
        part = "body" if section is self.first else section.number
        part = self.out.fresh(part) if part in self.out.texts else part
        encoding = section.encoding if not section.media.startswith("multipart/") else ""
        data, broken = octets(section.body, encoding)
        self.out.note_from(part, broken)
        self._note_elsewhere(section, part)
        disguise = disguised_as_text(data)
        charset = self._charset(section, data)
        if disguise:
            why = Note(UnreadableReason.AMBIGUOUS, f"labelled as text, but {disguise}")
            self._file(section, data, why.detail)
            shown = characters(self._affordable(part, data), charset)[0]
            # Who goes by the label shows its octets as words.
            self._other_readings(section, part, "", [shown], why)
            return
        text, doubtful = characters(self._affordable(part, data), charset)
        self.out.note_from(part, doubtful)
        if b"begin" in data and _INLINE_FILE.search(data):
            for name, content in inline_files(data):
                self._file(section, content, f'a file inside the text, "{name[:80]}"', name)
        if "BEGIN PGP" in text and _PGP.search(text):
            self.out.note(part, UnreadableReason.ENCRYPTED, "a PGP message inside the text")
        self._take(section, part, text)
        others = [data, *other_octets(section.body, encoding)] if broken else [data]
        texts = (
            []
            if doubtful is None and broken is None
            else [characters(other, charset)[0] for other in others[1:]]
        )
        if doubtful is not None:
            texts += [text for other in others for text in other_characters(other, charset)]
        texts += self._by_own_charset(section, data, charset)
        self._other_readings(section, part, text, texts, doubtful or broken)

    def _charset(self, section: Section, data: bytes) -> str:
        given = section.content.parameters.get("charset", "")
        return given or (charset_in_html(data) if media_of(section) in HTML else "")

    def _by_own_charset(self, section: Section, data: bytes, charset: str) -> list[str]:
        """Return an HTML text in the charset it names itself, where that is another than its field's."""
        own = charset_in_html(data) if media_of(section) in HTML else ""
        return [characters(data, own)[0]] if own and not same_charset(own, charset) else []

    def _note_elsewhere(self, section: Section, part: str) -> None:
        """Name the two types whose text is not, or not only, in this message (RFC 2046 section 5.2)."""
        if section.media == "message/partial":
            detail = "one piece of a mail that is sent in several (message/partial); only this piece was read"
            self.out.note(part, UnreadableReason.ENCODING, detail)
        elif section.media == "message/external-body":
            place = section.content.parameters.get("url", section.content.parameters.get("site", "elsewhere"))
            detail = f"message/external-body: the text lies at {place[:120]!r}"
            self.out.note(part, UnreadableReason.ATTACHMENT_NOT_READ, detail)

    def _affordable(self, part: str, data: bytes) -> bytes:
        allowed = max(self.out.left, 0) * 4 + 4
        if len(data) > allowed:
            self.out.note_over_budget(part)
        return data[:allowed]

    def _take(self, section: Section, part: str, text: str) -> None:
        """Take a decoded text by its type."""
        media = media_of(section)
        text = self.out.within_budget(part, text)
        if media == CALENDAR:
            self.out.texts[part] = calendar_text(text)
            self._whole(section, part, PassageKind.CALENDAR)
        elif media in HTML:
            view = rendered(text)
            if view.flat:
                detail = "more markup than can be followed; the rest was read without regard to it"
                self.out.note(part, UnreadableReason.SIZE, detail)
            self._written(section, part, view)
            self._pictures(section, part, view)
        else:
            text = self.out.within_lines(part, _as_shown(section, text))
            self._written(section, part, Rendered(text, plain_lines(text), []))

    def _pictures(self, section: Section, part: str, view: Rendered) -> None:
        """Read the files that stand in the markup itself, and name the pictures that a mail program would fetch."""
        for number, data in enumerate(view.pictures, 1):
            self._file(section, data.octets, "a file inside the markup", f"inline{number}")
        for address, pixels in view.remote:
            small = 0 < pixels <= self.limits.small_picture_pixels
            reason = UnreadableReason.SMALL_PICTURE if small else UnreadableReason.PICTURE
            detail = f"a picture that is fetched from elsewhere when the mail is read: {address}"
            self.out.note(part, reason, detail)

    def _whole(
        self, section: Section, part: str, kind: PassageKind, *, start: int = 0, hidden: bool = False
    ) -> None:
        """Take a part as one passage, or as one cut where it belongs to somebody else's mail."""
        end = len(self.out.texts[part])
        label = self._forwarded(section)
        if label is not None:
            self.out.cut(part, start, end, label)
        else:
            uncertain = section.message is not None
            self.out.passage(part, kind, start, end, uncertain=uncertain, hidden=hidden)

    def _written(self, section: Section, part: str, view: Rendered) -> None:
        """Take a part apart: own words, quotes, signature, disclaimer, hidden text."""
        self.out.texts[part] = view.text
        label = self._forwarded(section)
        uncertain = section.message is not None
        if label is not None:
            self.out.cut(part, 0, len(view.text), label)
        elif is_attachment(section):
            whole_text(self.out, part, view, PassageKind.ATTACHMENT, uncertain=uncertain)
        else:
            first = len(self.out.passages)
            labels = part_text(self.out, part, view, self.frame, uncertain=uncertain)
            self._compare(section, first)
            part_asides(self.out, part, view, labels, uncertain=uncertain)

    def _compare(self, section: Section, first: int) -> None:
        """Set aside what an alternative repeats of the one that was read first."""
        alternative = ancestor(section, "multipart/alternative")
        if alternative is None:
            return
        mine_in = branch(section, alternative)
        known = self.references.get(alternative)
        if known is None:
            texts = [passage.text for passage in self.out.passages[first:]]
            self.references[alternative] = (mine_in, Reference(texts))
        elif known[0] is not mine_in:
            self.out.set_aside(first, known[1])

    # --- other readings ---

    def _other_readings(
        self, section: Section, part: str, text: str, others: Iterable[str], note: Note | None
    ) -> None:
        """Read what other programs decode of a part; of it only what ``text`` does not say is kept."""
        known = Reference([text])
        distinct = [each for each in dict.fromkeys(others) if each != text]
        for other in distinct[:_MAX_READINGS]:
            name = self.out.fresh(part)
            if self.out.brings(known, partial(self._take, section, name, other)):
                why = note.detail if note else "two charsets are named"
                self.out.note(name, UnreadableReason.AMBIGUOUS, f"{why}; this is what other programs show")

    def _other_views(self) -> None:
        """Walk the message again with each dispute decided the second way, and read what that brings."""
        disputes = dict.fromkeys(dispute for dispute, _ in self.walk.disputes)
        views: list[View] = [frozenset({dispute}) for dispute in disputes]
        if len(disputes) > 1:
            views.append(frozenset(disputes))
        seen = {_identity(section) for section in self.walk.sections}
        telling: set[Dispute] = set()
        known = Reference(list(self.out.texts.values()))
        for view in views:
            other = walk(self.raw, self.limits, view=view)
            new = [section for section in other.sections if _identity(section) not in seen]
            seen.update(map(_identity, new))
            if new and self._tells(new, known):
                telling |= view
        for dispute, number in self.walk.disputes:
            if dispute in telling:
                detail = f"mail programs show different words; once more {dispute.value}, and both were read"
                self.out.note(number, UnreadableReason.AMBIGUOUS, detail)
            elif dispute in _DAMAGED:
                self.out.note(number, UnreadableReason.MALFORMED, _DAMAGED[dispute])

    @cached_property
    def _bodies(self) -> frozenset[bytes]:
        """The bodies that the first reading found."""
        return frozenset(map(_body_of, self.walk.sections))

    def _tells(self, sections: list[Section], known: Reference) -> bool:
        """Read ``sections`` of another view, keep what ``known`` does not say, and add that to it; return if any is."""
        noted, before = len(self.out.unreadable), len(self.out.texts)
        is_new = self.out.brings(known, partial(self._sections, sections), cuts=True)
        known.more(list(self.out.texts.values())[before:])
        # What is garbled in a second reading was read in the first, unless the first took it for something else than a
        # body; what cannot be opened in either is named.
        notes = self.out.unreadable[noted:]
        is_lost = any(note.reason in _UNDECODED for note in notes) and not any(
            _body_of(section) in self._bodies for section in sections
        )
        dropped = _GARBLED - _UNDECODED if is_lost else _GARBLED
        kept = [note for note in notes if note.reason not in dropped]
        self.out.unreadable[noted:] = kept
        return is_new or bool(kept)


def _identity(section: Section) -> tuple[object, ...]:
    """Return what makes a section say what it says; a multipart by its place, since its parts count themselves."""
    body: object = (section.start, section.end) if section.is_container else _body_of(section)
    charset = section.content.parameters.get("charset", "")
    forwarded = section.message is not None
    return (
        body,
        section.encoding,
        media_of(section),
        charset,
        forwarded,
        names_of(section),
        is_attachment(section),
    )


def _body_of(section: Section) -> bytes:
    """Return the digest of a body, in which the characters that views differ over do not count."""
    return sha256(section.body.translate(None, b"\0\r\n")).digest()


def _as_shown(section: Section, text: str) -> str:
    """Return plain text as a mail program shows it."""
    if section.media in ENRICHED:
        return enriched_text(text)
    if section.content.parameters.get("format", "").lower() == "flowed":
        return unflowed(text, delete_space=section.content.parameters.get("delsp", "").lower() == "yes")
    return text


def _inside(section: Section, base: str, path: str) -> str:
    """Return the part name of what stands at ``path`` inside the file ``section``, or in one within its text."""
    number = section.number or "0"
    if not path:
        return f"{number}{base}"
    return f"{number}{base}/{path}" if base else f"{number}!{path}"


def _decoded(value: bytes) -> str:
    """Return a header value as one line of text."""
    return " ".join(header_text(value)[0].split())


def _author(message: Section) -> str:
    """Return who an attached message says it is from."""
    inner = message.children[0] if message.children else None
    found = addresses(inner.fields.first(b"from").decode("utf-8", "replace")) if inner else ()
    return found[0] if found else ""


def _forwarded_from(author: str) -> Label:
    return Label(CutReason.FORWARDED, author, attributed=True)
