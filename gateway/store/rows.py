"""What goes into the store and comes out of it: frozen values, opened and typed, with no SQL in sight."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model import (
    Action,
    Envelope,
    ItemKind,
    ItemState,
    Label,
    MailCommand,
    MessageId,
    Mode,
    OutboxKind,
    PersonId,
    Role,
    StaffId,
    Traits,
    Verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """A hold or flag to be recorded. ``recipients`` are those held (hold) or those who are contacts (flag).

    ``senders`` are the staff whose line of management may not know of it: those whom the message, or an earlier one that
    it tells of, claims to come from. ``excluded`` is everybody who may not review it, senders included or not.
    """

    id: MessageId
    kind: ItemKind
    retry_key: str
    held_at: datetime
    officer: StaffId | None
    unit: str
    envelope: Envelope
    recipients: tuple[str, ...]
    contacts: tuple[PersonId, ...]
    senders: tuple[StaffId, ...]
    excluded: tuple[StaffId, ...]
    subject: str
    message_id: str
    message: bytes
    sha256: str
    verdict: Verdict
    psd_only: str = ""
    """Why professional standards alone may see and decide it, or empty. A hold then begins as referred."""
    addressed: tuple[StaffId, ...] = ()
    """Those of ``excluded`` who are addressed or claimed in the header block."""
    reporting: tuple[StaffId, ...] = ()
    """Those who report to a sender."""
    earlier: tuple[StaffId, ...] = ()
    """Those kept from an earlier item that this one tells of. All others of ``excluded`` are named in the text."""

    @property
    def is_for_psd_alone(self) -> bool:
        """Whether only professional standards may know of it."""
        return is_for_psd_alone(None, self.officer, self.psd_only)


def is_for_psd_alone(state: ItemState | None, officer: StaffId | None, psd_only: str) -> bool:
    """Return whether only professional standards may know of an item: referred, theirs from the start or since, of nobody known.

    `queue` asks the same of the rows; a property holds the two together. ``state`` None: not recorded yet.
    """
    return state is ItemState.REFERRED or officer is None or bool(psd_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What of a hold says for whom it waits, and since when."""

    held_at: datetime
    state: ItemState
    officer: StaffId | None
    senders: tuple[StaffId, ...]
    excluded: tuple[StaffId, ...]
    psd_only: str

    @property
    def is_for_psd_alone(self) -> bool:
        """Whether only professional standards may know of it."""
        return is_for_psd_alone(self.state, self.officer, self.psd_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Which earlier mail a verdict tells of: ``messages``, as the ledger names them, and all mail between two people.

    That is any of ``officers`` to any of ``persons`` since ``since``; without persons there is none of it.
    """

    messages: tuple[str, ...] = ()
    officers: tuple[StaffId, ...] = ()
    persons: tuple[PersonId, ...] = ()
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Who is kept from any of some items: ``staff``, the lines of ``senders``; ``psd_only``: all but professional standards."""

    staff: tuple[StaffId, ...] = ()
    senders: tuple[StaffId, ...] = ()
    psd_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A hold or flag as lists show it. ``delivery`` is what became of a flag's delivery, empty until known.

    ``psd_only`` says why professional standards alone may know of it, from the start or since; empty: they need not be.
    ``unopened`` says why sender, a recipient or subject cannot be opened, and they are then empty: one damaged row, or a
    key that is not here, hides no other item.
    """

    id: MessageId
    kind: ItemKind
    state: ItemState
    label: Label
    held_at: datetime
    officer: StaffId | None
    unit: str
    urgent: bool
    psd_copy: bool
    psd_only: str
    mode: Mode
    action: Action
    proposed: Action
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str
    sha256: str
    size: int
    sender_told_failed: bool
    delivery: str
    contacts: tuple[PersonId, ...]
    senders: tuple[StaffId, ...]
    excluded: tuple[StaffId, ...]
    unopened: str = ""

    @property
    def is_for_psd_alone(self) -> bool:
        """Whether only professional standards may know of it."""
        return is_for_psd_alone(self.state, self.officer, self.psd_only)


class ExcludedWhy(StrEnum):
    """Why somebody may not review an item. Who reports to its sender is asked again of the staff list when it is looked at."""

    SENDER = "sender"
    ADDRESSED = "addressed"
    NAMED = "named"
    REPORTS = "reports"
    """To a sender, by the staff list of that day; of those whom it has as supervisors or professional standards."""
    EARLIER = "earlier"
    """May not know of an earlier item that this one tells of."""
    UNKNOWN = ""
    """Recorded before reasons were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """One member of staff who may not review an item, and why."""

    staff_id: StaffId
    why: ExcludedWhy


class DecisionAction(StrEnum):
    """What a reviewer may decide. ``approve``: a first person is for release, and a second must be."""

    RELEASE = "release"
    RETURN = "return"
    REFER = "refer"
    CONFIRM = "confirm"
    FALSE_ALARM = "false-alarm"
    NOTE = "note"
    APPROVE = "approve"
    UNDO = "undo"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision on an item.

    ``directory_roles`` is in which roles somebody decided whom the force's directory gave them; None where it was their
    account or the staff list, which can be asked again.
    """

    item_id: MessageId
    actor: str
    action: DecisionAction
    reason: str
    at: datetime
    directory_roles: frozenset[Role] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who works on an item, until when; nobody else decides on it before."""

    item_id: MessageId
    actor: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The release that stands for an item, and the state that undoing it goes back to."""

    delivery: str
    undo_to: ItemState


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInFull:
    """An item with everything a reviewer needs but the message itself (`items.message`)."""

    item: Item
    envelope: Envelope
    verdict: Verdict
    decisions: tuple[Decision, ...]


class Outcome(StrEnum):
    """What became of a message to a contact. ``offered``: sent on, no answer recorded yet. ``held``: it waits."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One message to a contact: who, to whom, which rules came true; no content.

    ``refused``: it quotes words of the contact that say no. ``weak``: categories of cues too weak for a finding.
    ``lines``: digests of what its author wrote; they are kept as marks under a key, and never read back.
    """

    id: MessageId
    retry_key: str
    at: datetime
    officer: StaffId | None
    persons: tuple[PersonId, ...]
    case_refs: tuple[str, ...]
    traits: Traits
    sha256: str
    action: Action
    outcome: Outcome
    rules: tuple[str, ...]
    refused: bool = False
    weak: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the ledger is looked back in: days for the pair, for findings, for weak cues; and rows at most."""

    days: int
    found_days: int
    weak_days: int
    most: int


class DeliveryState(StrEnum):
    """Where a delivery is. ``failed`` waits for a person; ``withdrawn`` was undone before anything was sent."""

    QUEUED = "queued"
    LEASED = "leased"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class RecipientState(StrEnum):
    """What the smarthost said of one recipient: nothing final, yes, no."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """Mail to be sent by serve. ``message`` None: the item's own bytes, which then needs ``item_id``."""

    kind: OutboxKind
    item_id: MessageId | None
    mail: MailCommand
    recipients: tuple[str, ...]
    message: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecipient:
    """One recipient of a delivery and what became of it."""

    position: int
    address: str
    state: RecipientState
    last_reply: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A row of the outbox. ``interrupted`` counts leases that ended without a result: it may be a duplicate.

    ``lost`` counts those of them since a person last had it tried.
    ``unopened`` says why envelope or address of a pending recipient cannot be opened, and they are then empty.
    """

    id: str
    kind: OutboxKind
    item_id: MessageId | None
    mail: MailCommand
    recipients: tuple[DeliveryRecipient, ...]
    state: DeliveryState
    tries: int
    interrupted: int
    lost: int
    queued_at: datetime
    next_at: datetime
    lease_owner: str
    lease_until: datetime | None
    sent_at: datetime | None
    last_reply: str
    unopened: str = ""

    @property
    def is_alarm(self) -> bool:
        """Whether it tells of an urgent hold, and must not wait behind other mail."""
        return self.kind in {OutboxKind.NOTICE, OutboxKind.WEBHOOK} and self.item_id is not None

    @property
    def pending(self) -> tuple[DeliveryRecipient, ...]:
        """The recipients the smarthost has given no final answer for."""
        return tuple(one for one in self.recipients if one.state is RecipientState.PENDING)

    @property
    def is_untouched(self) -> bool:
        """Whether the smarthost was never asked to take it, so that it can still be called back.

        ``tries`` alone does not say so: it begins anew when an operator has a delivery tried again.
        """
        asked = self.tries or self.interrupted or any(one.at is not None for one in self.recipients)
        return self.state is DeliveryState.QUEUED and not asked

    @property
    def may_have_reached(self) -> bool:
        """Whether the smarthost took it for anybody, or nobody knows whether it did."""
        return bool(self.interrupted) or any(one.state is RecipientState.SENT for one in self.recipients)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetRow:
    """A rule set that was put in force."""

    hash: str
    bundle: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """What one process says it judges with; ``trouble`` says why it did not take a newer set."""

    process: str
    hash: str
    at: datetime
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryVersion:
    """A version of the registry that was put in force."""

    version: str
    at: datetime
    contacts: int
    staff: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who may do what. ``local`` accounts sign in here, others through the force's directory."""

    email: str
    roles: frozenset[Role]
    staff_id: StaffId | None
    local: bool
    at: datetime
