"""The nouns of the gateway: frozen values that travel between its stages.

Owns no behaviour beyond what a value says about itself, and imports nothing of ours. Offsets are code points in
the *decoded text* of a part, half open. Part names: ``subject``, ``body`` (the part a mail client shows first),
``1.2`` (a MIME section number, RFC 3501 section 6.4.5), ``name:1.2`` (the file name of that section).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

MessageId = NewType("MessageId", str)
"""Ours, random: the id in the 250, in our Received line, and of the item if there is one."""
StaffId = NewType("StaffId", str)
PersonId = NewType("PersonId", str)


# --- SMTP ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply (RFC 5321 section 4.2): a code and the text of each line, without CR and LF."""

    code: int
    lines: tuple[str, ...]

    @property
    def is_positive(self) -> bool:
        """True for 2xx and 3xx."""
        return 200 <= self.code < 400

    @property
    def is_permanent(self) -> bool:
        """True for 5xx."""
        return 500 <= self.code < 600

    def __str__(self) -> str:
        """Return the reply as one line, for the log."""
        return f"{self.code} {' / '.join(self.lines)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the smarthost offered at its last successful EHLO. ``size`` is None without SIZE, 0 for no limit."""

    size: int | None
    eight_bit_mime: bool
    smtputf8: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The SMTP client of one connection."""

    address: str
    helo: str
    extended: bool
    """It said EHLO, not HELO."""
    tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCommand:
    """MAIL FROM as it was given: what is inspected and what is sent on are the same characters.

    ``reverse_path`` is the text between the angle brackets, empty for the null sender.
    ``body`` is ``7BIT``, ``8BITMIME`` or empty when the parameter was not given (RFC 6152).
    ``size`` is the declared size in octets (RFC 1870) or None.
    """

    reverse_path: str
    body: str = ""
    smtputf8: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Everything SMTP said about one message, before its first byte was read."""

    mail: MailCommand
    recipients: tuple[str, ...]
    client: Client
    received_at: datetime


# --- registry -----------------------------------------------------------------------------------------------


class ContactRole(StrEnum):
    """What a contact is in a case. A contact is a registered victim or witness, or one of these beside them."""

    VICTIM = "victim"
    WITNESS = "witness"
    COMPLAINANT = "complainant"
    INJURED_PARTY = "injured-party"
    NEXT_OF_KIN = "next-of-kin"
    SUSPECT = "suspect"


class StaffRole(StrEnum):
    """What a member of staff may be asked to do with an item; DOMAIN.md section 9.

    ``mailbox`` is a shared mailbox: on the staff list so that it is known, but nobody in person.
    """

    OFFICER = "officer"
    STAFF = "staff"
    SUPERVISOR = "supervisor"
    PSD = "psd"
    MAILBOX = "mailbox"


class CaseStatus(StrEnum):
    """How far a case is. ``closed`` and ``nfa`` count as closed."""

    OPEN = "open"
    UNDER_REVIEW = "under-review"
    WITH_CPS = "with-cps"
    CHARGED = "charged"
    NFA = "nfa"
    CLOSED = "closed"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCase:
    """One row of contacts.csv: what this person is in one case."""

    case_ref: str
    role: ContactRole
    status: CaseStatus
    opened: date | None
    closed: date | None
    officers: tuple[str, ...]
    """Assigned staff, as normalised e-mail addresses."""
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person whom the force must not approach, with every address and case the registry has for them.

    Flags are the strictest of the person's rows.
    """

    person_id: PersonId
    names: tuple[str, ...]
    emails: tuple[str, ...]
    cases: tuple[ContactCase, ...]
    vulnerable: bool
    is_child: bool
    do_not_contact: bool
    email_consent: bool
    safe_contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """One row of staff.csv. ``manager`` is the manager's normalised address, or empty."""

    staff_id: StaffId
    email: str
    name: str
    rank: str
    unit: str
    manager: str
    role: StaffRole
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Who is a contact and who is staff, in one version that is never changed in place.

    ``contacts_by_key`` and ``staff_by_key`` map match keys (`identify.match_key`) to people. ``domains`` says
    which addresses count as staff; ``dotless_domains`` and ``plus_tag_domains`` say where dots and plus-tags do
    not make another mailbox. ``version`` is the SHA-256 of the content, ``stale`` the reason why this copy is older
    than it should be, or empty.

    ``same_domains`` names domains that are another's mailboxes under a second name, ``consumer_domains`` where
    people keep private mailboxes. ``staff_by_name`` holds folded full names and each of their beginnings (with
    nobody), so that a text is read in one pass (`identify.named_staff`).
    """

    version: str
    contacts_by_key: Mapping[str, tuple[Contact, ...]]
    staff_by_key: Mapping[str, StaffMember]
    domains: tuple[str, ...]
    dotless_domains: tuple[str, ...]
    plus_tag_domains: tuple[str, ...]
    """Domains whose plus-tags are dropped for matching; ``*`` means every domain."""
    loaded_at: datetime
    stale: str = ""
    same_domains: Mapping[str, str] = field(default_factory=dict)
    consumer_domains: tuple[str, ...] = ()
    staff_by_name: Mapping[str, tuple[StaffId, ...]] = field(default_factory=dict)


# --- who ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedSender:
    """One place where the mail says who wrote it: ``sender``, ``from`` or ``mail-from``."""

    source: str
    address: str
    staff_id: StaffId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMatch:
    """An envelope recipient that belongs to registered people. One address may belong to several."""

    recipient: str
    """The envelope's own characters."""
    contacts: tuple[Contact, ...]
    also_staff: StaffId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who wrote to whom, as far as envelope, headers and registry tell.

    ``officer`` is the resolved author (Sender, else From, else MAIL FROM) or None when nobody on the staff list
    matches; the message is inspected all the same. ``private`` are envelope recipients that are private
    addresses of the sender (cue M5). ``involved`` are all staff claimed, addressed or named in the headers:
    none of them may review. ``senders_disagree`` is true when the claimed senders are different people.
    ``unregistered`` are envelope recipients that look like a second address of a contact addressed here and are
    not in the registry (cue M10); they are among ``others`` too.
    """

    officer: StaffMember | None
    claimed: tuple[ClaimedSender, ...]
    senders_disagree: bool
    contacts: tuple[ContactMatch, ...]
    private: tuple[str, ...]
    others: tuple[str, ...]
    involved: tuple[StaffId, ...]
    registry_version: str
    registry_stale: str
    unregistered: tuple[str, ...] = ()

    @property
    def in_scope(self) -> bool:
        """True when a registered contact is among the recipients."""
        return bool(self.contacts)


# --- what was written ---------------------------------------------------------------------------------------


class PassageKind(StrEnum):
    """Where a passage stood in the message."""

    SUBJECT = "subject"
    BODY = "body"
    ATTACHMENT = "attachment"
    ATTACHMENT_NAME = "attachment-name"
    CALENDAR = "calendar"
    ALT_TEXT = "alt-text"


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


class CutReason(StrEnum):
    """Why a run of text does not count as the sender's new words."""

    QUOTED = "quoted"
    FORWARDED = "forwarded"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"
    REPEATED = "repeated"
    """The same words stand in another alternative of the same content."""


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


class UnreadableReason(StrEnum):
    """Why something in the message could not be read. policy.yaml says what each means."""

    ATTACHMENT_NOT_READ = "attachment-not-read"
    CHARSET = "charset"
    DEPTH = "depth"
    ENCODING = "encoding"
    ENCRYPTED = "encrypted"
    MALFORMED = "malformed"
    NOT_IN_TIME = "not-in-time"
    SIZE = "size"
    TOO_MANY_PARTS = "too-many-parts"
    WORKER_FAILED = "worker-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something that was not read: which part, why, and a sentence for the reviewer."""

    part: str
    reason: UnreadableReason
    detail: str


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
class Limits:
    """Bounds on reading one message. Past any of them the message counts as not read whole."""

    max_parts: int = 1000
    max_depth: int = 50
    max_header_bytes: int = 1_048_576
    max_decoded_chars: int = 4_000_000


# --- judgement ----------------------------------------------------------------------------------------------


class Action(StrEnum):
    """What becomes of a message, weakest first."""

    PASS = "pass"  # noqa: S105
    FLAG = "flag"
    HOLD = "hold"

    @property
    def strength(self) -> int:
        """0, 1, 2: a verdict takes the strongest."""
        return tuple(Action).index(self)


class Mode(StrEnum):
    """The strongest action a site or unit lets a verdict have. ``observe`` records and delivers."""

    OBSERVE = "observe"
    FLAG = "flag"
    HOLD = "hold"


class Severity(StrEnum):
    """How grave a crossing is, mildest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RuleStatus(StrEnum):
    """How far a rule may act: draft never runs on mail, shadow is counted only, flag at most flags."""

    DRAFT = "draft"
    SHADOW = "shadow"
    FLAG = "flag"
    ENFORCE = "enforce"


class Attribution(StrEnum):
    """Whose words a finding stands on: DETECTION 3.4."""

    OWN = "own"
    REPORTED = "reported"
    """Somebody else's words without quotation marks: at most flag."""
    QUOTED = "quoted"
    """Somebody else's words in quotation marks: information only, no points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that came true. ``text`` is the exact piece, None for findings about conduct."""

    rule: str
    version: int
    status: RuleStatus
    category: str
    severity: Severity
    points: int
    part: str | None
    start: int | None
    end: int | None
    text: str | None
    why: str
    softened: bool = False
    """A case anchor stands by it: at most flag, never pass."""
    for_reviewer: str = ""
    attribution: Attribution = Attribution.OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the ledger knows of this officer and these contacts before this message.

    ``earlier`` holds, per category, how many earlier messages of the officer to any of these contacts had a
    finding of it inside the window; ``days`` is that window.
    """

    earlier: Mapping[str, int] = field(default_factory=dict)
    days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the rules found, and the hash of the set that found it."""

    findings: tuple[Finding, ...]
    rules_hash: str
    model_hash: str
    urgent: str = ""
    """Why a person must look at once (bail, release, threat, court soon), or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryPolicy:
    """What findings of one category do alone. Every finding flags; this says when it holds."""

    hold_from: Severity | None
    """The mildest severity that holds alone; None: none does."""
    again: Action = Action.FLAG
    """What a finding does when an earlier message had one of the same category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combinations:
    """What a finding that only flags does in company; PASS switches the combination off."""

    two_categories: Action = Action.HOLD
    vulnerable_contact: Action = Action.HOLD
    sender_not_assigned: Action = Action.HOLD
    closed_case: Action = Action.HOLD
    earlier_findings: Action = Action.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyPolicy:
    """What the people and addresses of a message do, whatever it says."""

    do_not_contact: Action = Action.FLAG
    no_email_consent: Action = Action.FLAG
    senders_disagree: Action = Action.FLAG
    private_copy: Action = Action.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """policy.yaml: the only numbers that act. ``hash`` is the SHA-256 of its text, ``rules_hash`` of the set."""

    hash: str
    rules_hash: str
    flag_at: int
    hold_at: int
    categories: Mapping[str, CategoryPolicy]
    combinations: Combinations
    parties: PartyPolicy
    unreadable: Mapping[UnreadableReason, Action]
    closed_case_days: int
    also_hold: tuple[str, ...] = ()
    """Recipients that wait with the contact: addresses, or ``@domain``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a message, why, and every input needed to compute it again (promise P10).

    ``action`` is what was done, ``proposed`` what would have been done in hold mode. ``held`` are the envelope
    recipients whose copy waits, ``sent`` the others; for pass and flag ``held`` is empty.
    """

    action: Action
    proposed: Action
    mode: Mode
    score: int
    in_scope: bool
    because: tuple[str, ...]
    """Which of category, combination, threshold, unreadable (and which one) gave the action."""
    findings: tuple[Finding, ...]
    unreadable: tuple[Unreadable, ...]
    held: tuple[str, ...]
    sent: tuple[str, ...]
    urgent: str
    registry_version: str
    registry_stale: str
    rules_hash: str
    policy_hash: str
    model_hash: str
    code_version: str
    history: History
    decided_at: datetime
    authored_chars: int


# --- records ------------------------------------------------------------------------------------------------


class ItemKind(StrEnum):
    """What waits for a reviewer."""

    HOLD = "hold"
    FLAG = "flag"


class ItemState(StrEnum):
    """DECISIONS 26. Holds: held, releasing, released, release_failed, returned, referred. Flags: open, closed."""

    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"
    RELEASE_FAILED = "release_failed"
    RETURNED = "returned"
    REFERRED = "referred"
    OPEN = "open"
    CLOSED = "closed"


class Label(StrEnum):
    """A reviewer's word on the item, apart from its state."""

    NONE = "none"
    CROSSING = "crossing"
    FALSE_ALARM = "false_alarm"


class OutboxKind(StrEnum):
    """Why a row is in the outbox."""

    RELEASE = "release"
    RETURN = "return"
    NOTICE = "notice"


class Role(StrEnum):
    """What an account may do. An administrator sees no mail."""

    REVIEWER = "reviewer"
    PSD = "psd"
    RULE_AUTHOR = "rule-author"
    OVERSIGHT = "oversight"
    ADMINISTRATOR = "administrator"


class Event(StrEnum):
    """What the audit log records, ``subject:action``."""

    STORE_CREATED = "store:created"
    STORE_KEY_ROTATED = "store:key-rotated"
    SERVE_STARTED = "serve:started"
    SERVE_STOPPED = "serve:stopped"
    MESSAGE_HELD = "message:held"
    MESSAGE_FLAGGED = "message:flagged"
    MESSAGE_REPEATED = "message:repeated"
    MESSAGE_REST_SENT = "message:rest-sent"
    MESSAGE_REST_REFUSED = "message:rest-refused"
    FLAG_DELIVERED = "flag:delivered"
    FLAG_NOT_DELIVERED = "flag:not-delivered"
    ITEM_VIEWED = "item:viewed"
    ITEM_LISTED = "item:listed"
    HOLD_RELEASE_APPROVED = "hold:release-approved"
    HOLD_RELEASED = "hold:released"
    HOLD_RELEASE_FAILED = "hold:release-failed"
    HOLD_RETURNED = "hold:returned"
    HOLD_REFERRED = "hold:referred"
    DECISION_REFUSED = "decision:refused"
    NOTICE_QUEUED = "notice:queued"
    NOTICE_SENT = "notice:sent"
    NOTICE_FAILED = "notice:failed"
    OUTBOX_RETRIED = "outbox:retried"
    OUTBOX_SUSPENDED = "outbox:suspended"
    OUTBOX_RESUMED = "outbox:resumed"
    REGISTRY_LOADED = "registry:loaded"
    REGISTRY_REFUSED = "registry:refused"
    REGISTRY_STALE = "registry:stale"
    CONTACT_SHOWN = "contact:shown"
    RULES_LOADED = "rules:loaded"
    RULES_REFUSED = "rules:refused"
    MODE_CHANGED = "mode:changed"
    ACCOUNT_ADDED = "account:added"
    CHECKPOINT_WRITTEN = "checkpoint:written"
    PAYLOAD_ERASED = "payload:erased"
