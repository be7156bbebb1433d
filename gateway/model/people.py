"""Of people: contacts, cases, staff, the registry that knows them, and the parties of one message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NewType

StaffId = NewType("StaffId", str)
PersonId = NewType("PersonId", str)


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


_CLOSED: Final = frozenset({CaseStatus.CLOSED, CaseStatus.NFA})


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

    ``staff_by_id``, ``staff_by_email``, ``staff_by_role`` and ``staff_by_manager`` follow from ``staff_by_key``: lines of
    management and reviewers are asked for under the store's write lock, and a force has 20,000 staff.
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
    staff_by_id: Mapping[StaffId, StaffMember] = field(init=False, repr=False, compare=False)
    staff_by_email: Mapping[str, StaffMember] = field(init=False, repr=False, compare=False)
    staff_by_role: Mapping[StaffRole, tuple[StaffMember, ...]] = field(init=False, repr=False, compare=False)
    staff_by_manager: Mapping[str, tuple[StaffMember, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the look-up tables that follow from ``staff_by_key``."""
        by_id = {member.staff_id: member for member in self.staff_by_key.values()}
        by_role = {role: tuple(one for one in by_id.values() if one.role is role) for role in StaffRole}
        by_manager: dict[str, list[StaffMember]] = {}
        for member in by_id.values():
            if member.manager:
                by_manager.setdefault(member.manager, []).append(member)
        object.__setattr__(self, "staff_by_id", by_id)
        object.__setattr__(self, "staff_by_email", {one.email: one for one in by_id.values()})
        object.__setattr__(self, "staff_by_role", by_role)
        object.__setattr__(self, "staff_by_manager", {who: tuple(found) for who, found in by_manager.items()})


# --- the parties of one message -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedSender:
    """One place where the mail says who wrote it: ``sender``, ``from`` or ``mail-from``."""

    source: str
    address: str
    staff_id: StaffId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMatch:
    """An envelope recipient that belongs to registered people. One address may belong to several.

    ``contacts`` is empty for an address that nobody can read to its end (`identify.is_overrouted`).
    """

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
    not in the registry (cue M10); they are among ``others`` too. ``also_claimed`` are the other people on the staff list
    whom it claims to come from: which of them wrote it, nobody knows.
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
    also_claimed: tuple[StaffMember, ...] = ()

    @property
    def in_scope(self) -> bool:
        """True when a registered contact is among the recipients."""
        return bool(self.contacts)

    @property
    def is_assigned(self) -> bool:
        """True when the officer, and whoever else is claimed, is on a case of every contact; nobody known is on none."""
        return self.officer is not None and all(map(self._is_on_cases, (self.officer, *self.also_claimed)))

    def _is_on_cases(self, member: StaffMember) -> bool:
        addresses = {member.email.lower(), *(alias.lower() for alias in member.aliases)}
        unit = member.unit.strip().lower()
        return all(
            any(
                addresses & {each.lower() for each in case.officers}
                or (unit and unit == case.team.strip().lower())
                for contact in match.contacts
                for case in contact.cases
            )
            for match in self.contacts
        )

    def is_grave(self, today: date, days: int) -> bool:
        """True when a crossing would weigh more: a vulnerable contact or a child, a sender on no case of theirs, a closed case."""
        return self.has_vulnerable or not self.is_assigned or self.is_closed(today, days)

    @property
    def has_vulnerable(self) -> bool:
        """True when a contact is vulnerable or a child."""
        contacts = (contact for match in self.contacts for contact in match.contacts)
        return any(contact.vulnerable or contact.is_child for contact in contacts)

    def is_closed(self, today: date, days: int) -> bool:
        """True when a contact has no open case and the last one was closed more than ``days`` before ``today``.

        A closed case without a date counts: a missing date must not be a way past.
        """
        for match in self.contacts:
            cases = [each for contact in match.contacts for each in contact.cases]
            if cases and all(each.status in _CLOSED for each in cases):
                dates = [each.closed for each in cases if each.closed is not None]
                if not dates or (today - max(dates)).days > days:
                    return True
        return False
