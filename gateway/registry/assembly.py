"""Rows into people, and people into a `Registry`. The third step of `registry.load`.

Owns who is one person, what becomes of a row that cannot be read, which rows contradict each other, and the
version. Pure. The rule behind every choice: a slip in a file may cost accuracy, never a contact.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from gateway.errors import Mistake
from gateway.identify import Folding, domain_key, is_force_address, literal_key, match_key, name_index
from gateway.model import (
    Contact,
    ContactCase,
    ContactRole,
    PersonId,
    Registry,
    StaffId,
    StaffMember,
    StaffRole,
)
from gateway.registry.rows import Complaints, ContactRow, StaffRow
from gateway.settings import RegistrySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailboxes:
    """The settings that decide what one mailbox is, with every domain in its one form."""

    domains: tuple[str, ...]
    dotless_domains: tuple[str, ...]
    plus_tag_domains: tuple[str, ...]
    same_domains: Mapping[str, str]
    consumer_domains: tuple[str, ...]


class Keys(dict[str, str]):
    """Match keys by address, each worked out once a load."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        super().__init__()
        self._mailboxes = mailboxes

    def __missing__(self, address: str) -> str:
        self[address] = key = match_key(address, self._mailboxes)
        return key

    @property
    def force_domains(self) -> tuple[str, ...]:
        """The force's own domains."""
        return self._mailboxes.domains


def mailboxes_of(settings: RegistrySettings) -> Mailboxes:
    """Return the mailbox settings with each domain as `identify.domain_key` has it."""
    return Mailboxes(
        domains=_domains(settings.domains),
        dotless_domains=_domains(settings.dotless_domains),
        plus_tag_domains=_domains(settings.plus_tag_domains),
        same_domains={domain_key(name): domain_key(own) for name, own in settings.same_domains.items()},
        consumer_domains=_domains(settings.consumer_domains),
    )


def _domains(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name if name == "*" else domain_key(name) for name in names}))


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What one file comes to. ``kept`` counts the people who stand as the last good copy had them."""

    contacts: tuple[Contact, ...] = ()
    staff: tuple[StaffMember, ...] = ()
    kept: int = 0


# --- staff --------------------------------------------------------------------------------------------------


def staff_of(
    rows: Iterable[StaffRow],
    previous: Iterable[StaffMember],
    keys: Keys,
    complaints: Complaints,
) -> People:
    """Return the staff of the file. A row with a mistake keeps its last good version, else what can be read."""
    desk = _StaffDesk(keys, complaints, tuple(previous))
    for row in rows:
        desk.take(row)
    return desk.close()


class _StaffDesk:
    """Takes the rows of staff.csv one after another and sees to it that no address belongs to two people."""

    def __init__(self, keys: Keys, complaints: Complaints, previous: tuple[StaffMember, ...]) -> None:
        self._keys = keys
        self._complaints = complaints
        self._previous = previous
        self._previous_by_key = {keys[member.email]: member for member in previous}
        self._previous_by_id = {member.staff_id: member for member in previous}
        self._members: dict[StaffId, StaffMember] = {}
        self._lines: dict[StaffId, int] = {}
        self._owners: dict[str, StaffId] = {}
        self._kept = 0
        self._unknown_rows = False

    def take(self, row: StaffRow) -> None:
        """Add the member of ``row``, or their last good version, or nobody."""
        member = self._member(row)
        if row.wrong:
            known = self._previous_by_key.get(self._keys[row.email]) if row.email else None
            known = known or self._previous_by_id.get(StaffId(row.staff_id))
            if known is not None:
                self._kept += 1
                member = known
            elif not row.email:
                self._unknown_rows = True
                return
        self._admit(member, row.line)

    def _member(self, row: StaffRow) -> StaffMember:
        return StaffMember(
            staff_id=StaffId(row.staff_id or row.email),
            email=row.email,
            name=row.name,
            rank=row.rank,
            unit=row.unit,
            manager=row.manager,
            role=row.role,
            aliases=row.aliases,
        )

    def _admit(self, member: StaffMember, line: int) -> None:
        """Add ``member`` under every address that is not somebody else's already."""
        key = self._keys[member.email]
        if (owner := self._owners.get(key)) is not None:
            self._clash(
                line,
                f"email: {member.email!r} is on {self._complaints.row(self._lines[owner])} already",
                "keep one row",
            )
            return
        if member.staff_id in self._members:
            other = self._complaints.row(self._lines[member.staff_id])
            self._clash(line, f"staff_id: {member.staff_id!r} is on {other} already", "give each their own")
            member = replace(member, staff_id=StaffId(member.email))
        self._owners[key] = member.staff_id
        self._members[member.staff_id] = member
        self._lines[member.staff_id] = line

    def close(self) -> People:
        """Return the members, with aliases and managers settled, in the order of their ids."""
        if self._unknown_rows:
            self._keep_missing()
        members = [self._with_own_aliases(self._members[staff_id]) for staff_id in sorted(self._members)]
        by_key = {
            self._keys[address]: member
            for member in reversed(members)
            for address in (*member.aliases, member.email)
        }
        members = [self._with_known_manager(member, by_key) for member in members]
        self._warn_of_circles(members)
        return People(staff=tuple(members), kept=self._kept)

    def _keep_missing(self) -> None:
        """Keep whoever the file has lost: one of its rows cannot be read, and it may be theirs."""
        for member in self._previous:
            key = self._keys[member.email]
            if key not in self._owners and member.staff_id not in self._members:
                self._owners[key] = member.staff_id
                self._members[member.staff_id] = member
                self._lines[member.staff_id] = 1
                self._kept += 1

    def _with_own_aliases(self, member: StaffMember) -> StaffMember:
        own = []
        for alias in member.aliases:
            owner = self._owners.setdefault(self._keys[alias], member.staff_id)
            if owner == member.staff_id:
                own.append(alias)
            else:
                what = f"aliases: {alias!r} belongs to {self._complaints.row(self._lines[owner])}"
                self._clash(self._lines[member.staff_id], what, "leave it with one of the two")
        return replace(member, aliases=tuple(own))

    def _with_known_manager(self, member: StaffMember, by_key: Mapping[str, StaffMember]) -> StaffMember:
        if not member.manager:
            return member
        line = self._lines[member.staff_id]
        manager = by_key.get(self._keys[member.manager])
        if manager is None:
            what = f"manager: {member.manager!r} is not on the staff list"
            self._warn(line, what, "add their row, or name somebody who has one")
            return member
        if manager.staff_id == member.staff_id:
            self._warn(line, "manager: is the person themselves", "name their manager, or leave it empty")
            return replace(member, manager="")
        return replace(member, manager=manager.email)

    def _warn_of_circles(self, members: list[StaffMember]) -> None:
        """Warn once of each circle of managers; it stays, since all in it report to each other."""
        managers = {member.email: member for member in members}
        done: set[str] = set()
        for member in members:
            trail: dict[str, None] = {}
            at = member.email
            while at in managers and at not in done and at not in trail:
                trail[at] = None
                at = managers[at].manager
            if at in trail:
                circle = list(trail)[list(trail).index(at) :]
                line = min(self._lines[managers[email].staff_id] for email in circle)
                what = f"manager: {' manages '.join(reversed([*circle, at]))}"
                self._warn(
                    line, what, "mend the circle: the conflict check counts all of them as each other's"
                )
            done.update(trail)

    def _clash(self, line: int, what: str, remedy: str) -> None:
        self._complaints.mistakes.append(
            Mistake(file=self._complaints.file, line=line, what=what, remedy=remedy)
        )

    def _warn(self, line: int, what: str, remedy: str) -> None:
        self._complaints.warnings.append(
            Mistake(file=self._complaints.file, line=line, what=what, remedy=remedy)
        )


# --- contacts -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Person:
    """What the rows say of one person so far."""

    names: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    cases: dict[ContactCase, int] = field(default_factory=dict)
    safe_contact: set[str] = field(default_factory=set)
    vulnerable: bool = False
    is_child: bool = False
    do_not_contact: bool = False
    email_consent: bool = True

    def add(self, row: ContactRow, case: ContactCase) -> None:
        """Add a row; of each flag the stricter stands."""
        self.names.update(filter(None, (row.name,)))
        self.emails.add(row.email)
        self.cases.setdefault(case, row.line)
        self.safe_contact.update(filter(None, (row.safe_contact,)))
        self.vulnerable |= row.vulnerable
        self.is_child |= row.is_child
        self.do_not_contact |= row.do_not_contact
        self.email_consent &= row.email_consent

    def keep(self, contact: Contact, cases: Iterable[ContactCase]) -> None:
        """Add what the last good copy had, for the cases named; of each flag the stricter stands."""
        self.names.update(contact.names)
        self.emails.update(contact.emails)
        for case in cases:
            self.cases.setdefault(case, 0)
        self.safe_contact.update(filter(None, (contact.safe_contact,)))
        self.vulnerable |= contact.vulnerable
        self.is_child |= contact.is_child
        self.do_not_contact |= contact.do_not_contact
        self.email_consent &= contact.email_consent

    @property
    def in_scope(self) -> bool:
        """True for a victim, witness or one beside them in any case; a suspect and nothing else is none."""
        return any(case.role is not ContactRole.SUSPECT for case in self.cases)

    def contact(self, person_id: PersonId) -> Contact:
        """Return the person; the order of the rows leaves no trace."""
        return Contact(
            person_id=person_id,
            names=tuple(sorted(self.names)),
            emails=tuple(sorted(self.emails)),
            cases=tuple(sorted(self.cases, key=_case_order)),
            vulnerable=self.vulnerable,
            is_child=self.is_child,
            do_not_contact=self.do_not_contact,
            email_consent=self.email_consent,
            safe_contact="; ".join(sorted(self.safe_contact)),
        )


def _case_order(case: ContactCase) -> tuple[str, ...]:
    dates = (str(case.opened or ""), str(case.closed or ""))
    return (case.case_ref, case.role, case.status, *dates, case.team, *case.officers)


def contacts_of(
    rows: Iterable[ContactRow],
    previous: Iterable[Contact],
    staff: Iterable[StaffMember],
    keys: Keys,
    complaints: Complaints,
) -> People:
    """Return the contacts of the file, persons put together, with what could not be read kept as it last was.

    Persons are one by ``person_id``; without it by address, and with the one ``person_id`` that shares address
    and name. Who is only a suspect is no contact. A row with a mistake keeps its last good version; new ones
    count with what can be read of them and the stricter value for what cannot. Where not even the address
    can be read, nobody whom the file has lost is dropped, since the row may be theirs.
    """
    desk = _ContactDesk(keys, complaints, tuple(previous), _staff_emails(staff, keys))
    taken = tuple(rows)
    desk.learn_persons(taken)
    for row in taken:
        desk.take(row)
    return desk.close()


def _staff_emails(staff: Iterable[StaffMember], keys: Keys) -> dict[str, str]:
    return {keys[address]: member.email for member in staff for address in (*member.aliases, member.email)}


class _ContactDesk:
    """Takes the rows of contacts.csv one after another and puts persons together."""

    def __init__(
        self,
        keys: Keys,
        complaints: Complaints,
        previous: tuple[Contact, ...],
        staff_emails: Mapping[str, str],
    ) -> None:
        self._keys = keys
        self._complaints = complaints
        self._previous = previous
        self._staff_emails = staff_emails
        self._persons: defaultdict[PersonId, _Person] = defaultdict(_Person)
        self._known_persons: dict[str, set[tuple[str, str]]] = {}
        self._unknown_officers: dict[str, list[int]] = {}
        self._officers: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._previous_by_key: dict[str, list[Contact]] | None = None
        self._unknown_rows = False
        self._kept: set[PersonId] = set()

    def learn_persons(self, rows: tuple[ContactRow, ...]) -> None:
        """Note which ``person_id`` an address goes with, for the rows that leave it out."""
        wanted = {self._keys[row.email] for row in rows if row.email and not row.person}
        for row in rows if wanted else ():
            if row.person and row.email and (key := self._keys[row.email]) in wanted:
                self._known_persons.setdefault(key, set()).add((row.person, row.name.casefold()))

    def take(self, row: ContactRow) -> None:
        """Add ``row`` to its person, or its last good version."""
        if row.wrong:
            known = self._last_good(row)
            for contact, cases in known:
                self._kept.add(contact.person_id)
                person = self._persons[contact.person_id]
                person.keep(contact, cases)
                person.emails.update(filter(None, (row.email,)))
            if known:
                return
            if not row.email:
                self._unknown_rows = True
                return
        self._persons[self._person_id(row)].add(row, self._case(row))

    def _person_id(self, row: ContactRow) -> PersonId:
        if row.person:
            return PersonId(row.person)
        key = self._keys[row.email]
        known = self._known_persons.get(key, ())
        same = {person for person, name in known if not row.name or name == row.name.casefold()}
        if len(same) == 1 and len({person for person, _ in known}) == 1:
            return PersonId(same.pop())
        # The id stands in logs and records, where no address of a contact may.
        return PersonId(f"a-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}")

    def _case(self, row: ContactRow) -> ContactCase:
        return ContactCase(
            case_ref=row.case_ref,
            role=row.role,
            status=row.status,
            opened=row.opened,
            closed=row.closed,
            officers=self._assigned(row),
            team=row.team,
        )

    def _assigned(self, row: ContactRow) -> tuple[str, ...]:
        """Return the assigned staff by the address that the staff list has for them."""
        found = self._officers.get(row.officers)
        if found is None:
            known = {officer: self._staff_emails.get(self._keys[officer]) for officer in row.officers}
            assigned = tuple(dict.fromkeys(email or officer for officer, email in known.items()))
            unknown = tuple(officer for officer, email in known.items() if email is None)
            self._officers[row.officers] = found = (assigned, unknown)
        assigned, unknown = found
        for officer in unknown:
            self._unknown_officers.setdefault(officer, []).append(row.line)
        return assigned

    def _last_good(self, row: ContactRow) -> list[tuple[Contact, tuple[ContactCase, ...]]]:
        """Return the people of the last good copy to whom ``row`` may belong, with the cases it may be about."""
        if self._previous_by_key is None:
            self._previous_by_key = {}
            for contact in self._previous:
                for name in (contact.person_id, *(self._keys[e] for e in contact.emails)):
                    self._previous_by_key.setdefault(name, []).append(contact)
        names = [row.person] if row.person else []
        if row.email:
            names.append(self._keys[row.email])
        found = {
            contact.person_id: contact for name in names for contact in self._previous_by_key.get(name, ())
        }
        last = []
        for contact in found.values():
            cases = tuple(case for case in contact.cases if row.case_ref in {"", case.case_ref})
            if cases:
                last.append((contact, cases))
        return last

    def close(self) -> People:
        """Return the contacts in the order of their ids, and put down what the rows say against each other."""
        if self._unknown_rows:
            self._keep_missing()
        self._warn_of_unknown_officers()
        contacts = []
        for person_id in sorted(self._persons):
            person = self._persons[person_id]
            self._complain_of_contradictions(person)
            if person.in_scope:
                contacts.append(person.contact(person_id))
        return People(contacts=tuple(contacts), kept=len(self._kept))

    def _keep_missing(self) -> None:
        """Keep whoever has an address that the file has lost: a row that cannot be read may be theirs."""
        keys = {self._keys[email] for person in self._persons.values() for email in person.emails}
        for contact in self._previous:
            if any(self._keys[email] not in keys for email in contact.emails):
                self._persons[contact.person_id].keep(contact, contact.cases)
                self._kept.add(contact.person_id)

    def _warn_of_unknown_officers(self) -> None:
        for officer, lines in self._unknown_officers.items():
            more = f" ({len(lines)} rows)" if len(lines) > 1 else ""
            self._complaints.warnings.append(
                Mistake(
                    file=self._complaints.file,
                    line=lines[0],
                    what=f"officers: {officer!r} is not on the staff list{more}",
                    remedy="add their row to the staff list; until then their mail counts as not assigned",
                )
            )

    def _complain_of_contradictions(self, person: _Person) -> None:
        """Put down the second of two rows that tell of one role in one case differently; both are kept."""
        if len(person.cases) < 2:
            return
        first: dict[tuple[str, ContactRole], int] = {}
        for case, line in sorted(person.cases.items(), key=lambda pair: pair[1]):
            other = first.setdefault((case.case_ref, case.role), line)
            if line and other and other != line:
                self._complaints.mistakes.append(
                    Mistake(
                        file=self._complaints.file,
                        line=line,
                        what=(
                            f"case_ref: {case.case_ref!r} is told differently on {self._complaints.row(other)} "
                            f"for this {case.role}"
                        ),
                        remedy="keep one row for each contact and case; until then both count",
                    )
                )


# --- the registry -------------------------------------------------------------------------------------------


def registry_of(
    contacts: tuple[Contact, ...],
    staff: tuple[StaffMember, ...],
    mailboxes: Mailboxes,
    *,
    loaded_at: datetime,
    stale: str = "",
) -> Registry:
    """Return the registry of these people, with its look-up tables and its version."""
    mailboxes = _with_domains(mailboxes, staff)
    return Registry(
        version=_version(contacts, staff, mailboxes),
        contacts_by_key=_contacts_by_key(contacts, mailboxes),
        staff_by_key={
            match_key(address, mailboxes): member
            for member in staff
            for address in (*member.aliases, member.email)
        },
        domains=mailboxes.domains,
        dotless_domains=mailboxes.dotless_domains,
        plus_tag_domains=mailboxes.plus_tag_domains,
        same_domains=mailboxes.same_domains,
        consumer_domains=mailboxes.consumer_domains,
        staff_by_name=name_index(staff),
        loaded_at=loaded_at,
        stale=stale,
    )


def contacts_in(registry: Registry) -> tuple[Contact, ...]:
    """Return every contact of a registry once, in the order of their ids."""
    found = {contact.person_id: contact for group in registry.contacts_by_key.values() for contact in group}
    return tuple(found[person_id] for person_id in sorted(found))


def staff_in(registry: Registry) -> tuple[StaffMember, ...]:
    """Return every member of staff of a registry once, in the order of their ids."""
    return tuple(registry.staff_by_id[staff_id] for staff_id in sorted(registry.staff_by_id))


def _with_domains(mailboxes: Mailboxes, staff: tuple[StaffMember, ...]) -> Mailboxes:
    """Return ``mailboxes`` with the domains of the staff's own addresses when the settings name none."""
    if mailboxes.domains:
        return mailboxes
    return replace(mailboxes, domains=_domains(member.email.rpartition("@")[2] for member in staff))


def _contacts_by_key(contacts: tuple[Contact, ...], folding: Folding) -> dict[str, tuple[Contact, ...]]:
    """Return the contacts under the key of each address, and under that of its address literal."""
    found: dict[str, tuple[Contact, ...]] = {}
    shared: dict[str, list[Contact]] = {}
    for contact in contacts:
        keys = {match_key(email, folding) for email in contact.emails}
        keys |= {literal_key(key) for key in keys}
        for key in keys:
            if found.setdefault(key, alone := (contact,)) is not alone:
                shared.setdefault(key, list(found[key])).append(contact)
    found.update((key, tuple(group)) for key, group in shared.items())
    return found


def _version(contacts: tuple[Contact, ...], staff: tuple[StaffMember, ...], mailboxes: Mailboxes) -> str:
    """Return the SHA-256 of everything in the registry that a verdict may depend on."""
    content = msgspec.json.encode(("registry 1", mailboxes, staff, contacts), order="deterministic")
    return hashlib.sha256(content).hexdigest()


def odd_staff_domains(registry: Registry, complaints: Complaints) -> None:
    """Warn of domains that do not go together with the settings."""
    outside: dict[str, int] = defaultdict(int)
    for member in staff_in(registry):
        if not is_force_address(registry, member.email) and member.role is not StaffRole.MAILBOX:
            outside[member.email.rpartition("@")[2]] += 1
    complaints.warnings.extend(
        Mistake(
            file=complaints.file,
            what=f"{count} of the staff have their address in {domain!r}, which registry.domains does not name",
            remedy="add the domain to registry.domains, or put a private address under aliases",
        )
        for domain, count in sorted(outside.items())
    )
