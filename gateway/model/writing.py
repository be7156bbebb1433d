"""Of writing: what the officer wrote now, what was set aside, and what could not be read."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PassageKind(StrEnum):
    """Where a passage stood in the message."""

    SUBJECT = "subject"
    HEADER = "header"
    """What a mail program shows of other header fields: display names, comments, keywords."""
    BODY = "body"
    ATTACHMENT = "attachment"
    ATTACHMENT_NAME = "attachment-name"
    CALENDAR = "calendar"
    ALT_TEXT = "alt-text"
    LINK = "link"
    """Where a link leads, and what it writes for the reader who follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A run of words that the sender wrote now. ``text`` is ``decoded[start:end]`` of ``part``."""

    part: str
    kind: PassageKind
    text: str
    start: int
    end: int
    uncertain: bool = False
    """It may be quoted; kept because one line too many is the safer error."""
    hidden: bool = False
    """A mail client would not show it."""
    language: str = ""
    """ISO 639-1 code where it is plain, ``und`` for a foreign language nobody could name; empty: nothing can be said."""


class CutReason(StrEnum):
    """Why a run of text does not count as the sender's new words."""

    QUOTED = "quoted"
    FORWARDED = "forwarded"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"
    REPEATED = "repeated"
    """The same words stand in another alternative of the same content."""


class Doubt(StrEnum):
    """Why an introduced quote may be invented, though the mail answers another. None of them proves it."""

    OWN_WORDS = "own-words"
    """It is said to be by the sender: words of the sender's all the same, earlier or now."""
    COLLEAGUE = "colleague"
    """It is said to be by an address of the sender's own domain, which is no recipient."""
    STRANGER = "stranger"
    """It is said to be by an address that is neither sender nor recipient."""
    FUTURE = "future"
    """It is dated after the mail that quotes it."""
    OTHER_SUBJECT = "other-subject"
    """Its header block has a subject that the mail's own does not continue."""
    ALONE = "alone"
    """The mail says nothing else."""
    OWN_THREAD = "own-thread"
    """The mail answers only mail of the sender's own domain, and quotes somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A run of text that was set aside. For quoted text ``speaker`` is who is said to have written it."""

    part: str
    text: str
    start: int
    end: int
    reason: CutReason
    speaker: str = ""
    attributed: bool = False
    """An attribution line or header block introduces it; without one the quote is only claimed."""
    inner: bool = False
    """It is an earlier mail of the thread, quoted by the one above it."""
    doubts: tuple[Doubt, ...] = ()
    """What speaks against the introduction; with any, the quote is only claimed."""


class UnreadableReason(StrEnum):
    """Why something in the message could not be read. policy.yaml says what each means."""

    AMBIGUOUS = "ambiguous"
    """Mail programs show different words for it; each reading that is named was read."""
    ATTACHMENT_NOT_READ = "attachment-not-read"
    CHARSET = "charset"
    DEPTH = "depth"
    ENCODING = "encoding"
    ENCRYPTED = "encrypted"
    LANGUAGE = "language"
    """It was read, but is in a language that is not inspected. `decide` says so, by ``Policy.languages``."""
    MACROS = "macros"
    """A program inside a document: it may say anything when the document is opened."""
    MALFORMED = "malformed"
    NOT_IN_TIME = "not-in-time"
    PICTURE = "picture"
    """What a picture shows; words in it are read where `Limits.picture_models` names models."""
    SIZE = "size"
    SMALL_PICTURE = "small-picture"
    """A picture no larger than a crest or a logo."""
    TOO_MANY_PARTS = "too-many-parts"
    WORKER_FAILED = "worker-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something that was not read: which part, why, and a sentence for the reviewer."""

    part: str
    reason: UnreadableReason
    detail: str
    sha256: str = ""
    """Of the octets in question where they are a file, in hexadecimal: policy may know the file."""
    media: str = ""
    """Media type, in small letters, of a part that was not read as a whole: policy may know the force's secure mail by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What the header block claims, decoded and bounded. Addresses are bare ``local@domain`` strings."""

    from_: tuple[str, ...] = ()
    sender: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    date: datetime | None = None
    """Aware, or None when missing or not a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authored:
    """What the sender wrote now, what was set aside and why, and what could not be read."""

    headers: Headers = field(default_factory=Headers)
    passages: tuple[Passage, ...] = ()
    cuts: tuple[Cut, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def characters(self) -> int:
        """How many code points the sender wrote now."""
        return sum(len(passage.text) for passage in self.passages)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartShown:
    """One part of a message as a person is shown it. ``names`` are the sender's, and may be anything."""

    number: str
    media: str
    names: tuple[str, ...]
    octets: int
    sha256: str
    is_attachment: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """What a message is made of, for somebody who looks at it: nothing in it was made safe."""

    header: str
    parts: tuple[PartShown, ...]
    html: str
    """Of the first part that mail programs show as HTML; empty when there is none."""
    source: str
    cut: bool
    """Something was too long to be shown whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseStyle:
    """What a force itself puts under every mail, from rules/lists: part of the rule set and of its hash."""

    disclaimers: tuple[str, ...] = ()
    """Sentences or paragraphs of its disclaimers, or how one begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on reading one message. Past any of them the message counts as not read whole."""

    max_parts: int = 1000
    max_depth: int = 50
    max_header_bytes: int = 1_048_576
    max_decoded_chars: int = 4_000_000
    max_lines: int = 20_000
    max_addresses: int = 1000
    max_attachment_bytes: int = 104_857_600
    max_attachment_files: int = 1000
    max_attachment_depth: int = 5
    max_attachment_steps: int = 1_000_000
    small_picture_pixels: int = 65_536
    picture_models: str = ""
    """Folder of Tesseract's models; empty: words in pictures are not read."""
