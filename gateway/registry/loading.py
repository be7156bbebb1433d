"""The two lists and the last good copy into the registry in force. The whole of `registry.load`.

Owns when a list is refused, when the registry is stale, and that nobody is lost between two loads. Synchronous;
`serve` calls it off the event loop. It does not log: what it finds goes back to the caller.
"""

import gc
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gateway.errors import Mistake, Mistakes, NotStored
from gateway.model import Contact, Registry, StaffMember
from gateway.registry.assembly import (
    Keys,
    People,
    contacts_in,
    contacts_of,
    mailboxes_of,
    odd_staff_domains,
    registry_of,
    staff_in,
    staff_of,
)
from gateway.registry.last_good import load_last_good, save_last_good
from gateway.registry.reading import Table
from gateway.registry.rows import Complaints, contact_rows, staff_rows
from gateway.registry.sources import Files, Source, stamp
from gateway.settings import RegistrySettings
from gateway.store.pushed import SetName


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What came of looking at the files.

    ``registry`` is the one to use from now on, None only when nothing was ever loaded: then the gateway must not
    run. ``mistakes`` are rows and files that did not take effect as written, ``warnings`` what did and looks
    wrong. ``refused`` is true when a file was not taken over at all. ``contacts`` and ``staff`` count people in
    the registry; ``kept`` those of them who stand as in the last good copy because their row cannot be read;
    ``lost`` the contacts of the copy before who are in it no longer.
    """

    registry: Registry | None
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[Mistake, ...] = ()
    refused: bool = False
    contacts: int = 0
    staff: int = 0
    kept: int = 0
    lost: int = 0

    @property
    def accepted(self) -> bool:
        """True when both files were taken over, if perhaps not every row of them."""
        return self.registry is not None and not self.refused


def load(
    settings: RegistrySettings,
    previous: Registry | None,
    now: datetime,
    *,
    accept_loss: bool = False,
    source: Source | None = None,
) -> LoadResult:
    """Read both lists and return the registry to use from now on. ``source`` None: the two files.

    Good rows take effect; a row with a mistake keeps what ``previous`` has for it (DECISIONS 12). A file is
    refused, and its part of ``previous`` stays, when it cannot be read, its header is wrong, it holds nobody, or
    it has lost more than ``max_loss_percent`` of its people, unless ``accept_loss``. The registry is marked
    stale when a file was refused or is older than ``max_age_h`` at ``now``. Never raises for what is in the
    files or for files that are not there; raises NotStored when ``source`` is a store that does not answer.
    """
    source = source or Files(settings)
    with _no_collections():
        return _loaded(settings, previous, now, accept_loss=accept_loss, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What came of looking at one list before it is taken over: ``wrong`` are the numbers of rows that cannot be read.

    ``refused`` is why nothing of it may be taken over, or empty; ``lost`` counts people of the registry before.
    """

    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]
    wrong: frozenset[int]
    refused: str
    people: int
    lost: int


def weigh(
    settings: RegistrySettings,
    name: SetName,
    table: Table,
    previous: Registry | None,
    *,
    accept_loss: bool,
    staff: Table | None = None,
) -> Weighed:
    """Return what taking over one list would come to. Takes nothing over.

    ``staff`` is the staff list that contacts are looked at beside; None: the one that ``previous`` has.
    """
    keys = Keys(mailboxes_of(settings))
    complaints = Complaints(table.file, table.names)
    with _no_collections():
        if name is SetName.STAFF:
            people, refused, lost = _staff(
                settings, keys, previous, table, complaints, accept_loss=accept_loss
            )
            number = len(people.staff)
        else:
            members = staff_in(previous) if previous else ()
            if staff is not None and not staff.refused:
                aside = Complaints(staff.file, staff.names)
                members = _staff(settings, keys, previous, staff, aside, accept_loss=True)[0].staff
            people, refused, lost = _contacts(
                settings, keys, previous, members, table, complaints, accept_loss=accept_loss
            )
            number = len(people.contacts)
    return Weighed(
        mistakes=tuple(complaints.mistakes),
        warnings=tuple(complaints.warnings),
        wrong=frozenset(complaints.wrong),
        refused=refused,
        people=number,
        lost=lost,
    )


def weigh_contact(settings: RegistrySettings, table: Table, registry: Registry | None) -> Weighed:
    """Return what is wrong with the contacts of a small ``table`` in themselves, beside the staff of ``registry``.

    Costs nothing for the contacts that there are; so what one of these says against another's row is not found.
    """
    keys = Keys(mailboxes_of(settings))
    complaints = Complaints(table.file, table.names)
    rows = contact_rows(
        table, complaints, max_chars=settings.max_field_chars, force_domains=keys.force_domains
    )
    people = contacts_of(rows, (), staff_in(registry) if registry else (), keys, complaints)
    return Weighed(
        mistakes=tuple(complaints.mistakes),
        warnings=tuple(complaints.warnings),
        wrong=frozenset(complaints.wrong),
        refused="",
        people=len(people.contacts),
        lost=0,
    )


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the cyclic garbage collector quiet: a load makes a million objects and no cycles.

    Measured with 200,000 contacts: a third of the time went into collections that found nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _loaded(
    settings: RegistrySettings, previous: Registry | None, now: datetime, *, accept_loss: bool, source: Source
) -> LoadResult:
    mailboxes = mailboxes_of(settings)
    keys = Keys(mailboxes)
    lists = source.read()
    accept_loss = accept_loss or not source.checks_loss
    staff_file = Complaints(lists.staff.file, lists.staff.names)
    contacts_file = Complaints(lists.contacts.file, lists.contacts.names)
    staff, staff_refused, _ = _staff(
        settings, keys, previous, lists.staff, staff_file, accept_loss=accept_loss
    )
    contacts, contacts_refused, lost = _contacts(
        settings, keys, previous, staff.staff, lists.contacts, contacts_file, accept_loss=accept_loss
    )
    refused = tuple(reason for reason in (contacts_refused, staff_refused) if reason)
    registry = None
    if not refused or previous is not None:
        registry = registry_of(
            contacts.contacts,
            staff.staff,
            mailboxes,
            loaded_at=previous.loaded_at if refused and previous is not None else now,
            stale="; ".join((*refused, *source.old(now))),
        )
        odd_staff_domains(registry, staff_file)
    if not mailboxes.domains:
        staff_file.warnings.append(_no_domains(lists.staff.file))
    return LoadResult(
        registry=registry,
        mistakes=(*_named(contacts_file, contacts_file.mistakes), *_named(staff_file, staff_file.mistakes)),
        warnings=(*_named(contacts_file, contacts_file.warnings), *_named(staff_file, staff_file.warnings)),
        refused=bool(refused),
        contacts=len(contacts.contacts) if registry else 0,
        staff=len(staff.staff) if registry else 0,
        kept=contacts.kept + staff.kept,
        lost=lost,
    )


def _named(complaints: Complaints, found: list[Mistake]) -> Iterator[Mistake]:
    """Yield the mistakes, each at the name of its row where rows have names."""
    for one in found:
        if complaints.names and one.line:
            file = f"{one.file}/{complaints.names[one.line - 1]}"
            yield Mistake(file=file, what=one.what, remedy=one.remedy)
        else:
            yield one


# --- one list -----------------------------------------------------------------------------------------------


def _staff(
    settings: RegistrySettings,
    keys: Keys,
    previous: Registry | None,
    table: Table,
    complaints: Complaints,
    *,
    accept_loss: bool,
) -> tuple[People, str, int]:
    """Return the staff to use, why the list was refused, or an empty string, and how many it has lost."""
    before = staff_in(previous) if previous else ()
    complaints.mistakes.extend(table.mistakes)
    people, reason, lost = None, table.refused, 0
    if not reason:
        rows = staff_rows(
            table, complaints, max_chars=settings.max_field_chars, force_domains=keys.force_domains
        )
        people = staff_of(rows, before, keys, complaints)
        lost = _lost((member.email for member in people.staff), ((member.email,) for member in before), keys)
        reason = _reason_to_refuse(
            settings, complaints, len(people.staff), len(before), lost, accept_loss=accept_loss
        )
    if people is None or reason:
        return People(staff=before), _in_force(table, reason, previous), 0
    return people, "", lost


def _contacts(
    settings: RegistrySettings,
    keys: Keys,
    previous: Registry | None,
    staff: tuple[StaffMember, ...],
    table: Table,
    complaints: Complaints,
    *,
    accept_loss: bool,
) -> tuple[People, str, int]:
    """Return the contacts to use, why the list was refused, or an empty string, and how many it has lost."""
    before: tuple[Contact, ...] = contacts_in(previous) if previous else ()
    complaints.mistakes.extend(table.mistakes)
    people, reason, lost = None, table.refused, 0
    if not reason:
        rows = contact_rows(
            table, complaints, max_chars=settings.max_field_chars, force_domains=keys.force_domains
        )
        people = contacts_of(rows, before, staff, keys, complaints)
        emails = (email for contact in people.contacts for email in contact.emails)
        lost = _lost(emails, (contact.emails for contact in before), keys)
        reason = _reason_to_refuse(
            settings, complaints, len(people.contacts), len(before), lost, accept_loss=accept_loss
        )
    if people is None or reason:
        return People(contacts=before), _in_force(table, reason, previous), 0
    return people, "", lost


def _lost(now: Iterable[str], before: Iterable[Iterable[str]], keys: Keys) -> int:
    """Return how many people of before are at none of their addresses now."""
    here = {keys[email] for email in now}
    return sum(not any(keys[email] in here for email in emails) for emails in before)


def _reason_to_refuse(
    settings: RegistrySettings,
    complaints: Complaints,
    count: int,
    before: int,
    lost: int,
    *,
    accept_loss: bool,
) -> str:
    """Return why a file that could be read must not be taken over, and put it down; or an empty string."""
    if count == 0:
        what, remedy = "holds nobody", "check the export; a gateway without people would inspect nothing"
    elif not accept_loss and lost * 100 > settings.max_loss_percent * before:
        what = f"has lost {lost} of {before} people, more than {settings.max_loss_percent:g} %"
        way = (
            "push it again with ?accept_loss=true"
            if complaints.names
            else "run `gateway contacts import --accept-loss`"
        )
        remedy = f"check the export; if they are meant to go, {way}"
    else:
        return ""
    complaints.mistakes.insert(0, Mistake(file=complaints.file, what=what, remedy=remedy))
    return what


def _in_force(table: Table, reason: str, previous: Registry | None) -> str:
    """Return the sentence that a stale registry carries into each verdict; file names only, no paths."""
    name = Path(table.file).name
    if previous is None:
        return f"{name} {reason}"
    return f"{name} was refused ({reason}); the copy of {previous.loaded_at:%Y-%m-%d %H:%M} UTC is in force"


def _no_domains(file: str) -> Mistake:
    return Mistake(
        file=file,
        what="registry.domains names no domain; those of the staff's own addresses are taken",
        remedy="name the force's mail domains in registry.domains",
    )


# --- the registry in force ----------------------------------------------------------------------------------

_Look = tuple[object, ...]


class Keeper:
    """Keeps the registry in force for a process that runs on: at start, when a list changes, and as lists age.

    One thread at a time looks; the registry it hands out is never changed in place.
    """

    def __init__(
        self, settings: RegistrySettings, source: Source | None = None, *, keeps_copy: bool = True
    ) -> None:
        """Look at nothing yet. ``source`` None: the two files. ``keeps_copy``: write the last good copy."""
        self._settings = settings
        self._source: Source = source or Files(settings)
        self._keeps_copy = keeps_copy
        self._registry: Registry | None = None
        self._seen: _Look = ()
        self._last: LoadResult | None = None
        self._lock = threading.Lock()

    @property
    def registry(self) -> Registry | None:
        """The registry in force, None before the first look or when nothing was ever loaded."""
        return self._registry

    def look(self, now: datetime, *, force: bool = False) -> LoadResult | None:
        """Return what a look at the lists came to, or None when nothing has changed since the last one.

        The first look begins with the last good copy on disk. A look reads the lists again when one of them, or
        the last good copy (`gateway contacts import` writes it), is another than before, or with ``force``. Without
        a change it only re-dates: a registry that has become stale comes back marked. What was taken over whole is
        written as the new last good copy; failing that is a warning in the result. Raises NotStored when the lists
        are in a store that does not answer; the registry in force then stays.
        """
        with self._lock:
            seen = self._look()
            if self._last is not None and seen == self._seen and not force:
                return self._aged(now)
            previous, warnings = self._previous(seen)
            result = load(self._settings, previous, now, source=self._source)
            if result.accepted and self._keeps_copy:
                warnings += self._save(result.registry, previous)
            result = replace(result, warnings=(*warnings, *result.warnings))
            # A file that was written while we read is looked at again; the last good copy may be our own work.
            self._seen = (*seen[:-1], stamp(self._settings.last_good))
            self._last, self._registry = result, result.registry
            return result

    def _previous(self, seen: _Look) -> tuple[Registry | None, tuple[Mistake, ...]]:
        """Return the registry that a failed row falls back on: ours, or a newer one on disk."""
        if self._registry is not None and self._seen and seen[-1] == self._seen[-1]:
            return self._registry, ()
        try:
            return load_last_good(self._settings) or self._registry, ()
        except Mistakes as unusable:
            return self._registry, unusable.mistakes

    def _save(self, registry: Registry | None, previous: Registry | None) -> tuple[Mistake, ...]:
        path = self._settings.last_good
        if registry is None or (
            previous is not None and previous.version == registry.version and path.exists()
        ):
            return ()
        try:
            save_last_good(registry, path)
        except NotStored as error:
            return (Mistake(file=str(path), what=str(error), remedy=error.hint),)
        return ()

    def _aged(self, now: datetime) -> LoadResult | None:
        """Return the last result with the registry marked as stale as it is now; None when nothing changes."""
        last, registry = self._last, self._registry
        if last is None or registry is None or last.refused:
            return None
        stale = "; ".join(self._source.old(now))
        if stale == registry.stale:
            return None
        self._registry = replace(registry, stale=stale)
        self._last = replace(last, registry=self._registry)
        return self._last

    def _look(self) -> _Look:
        return (*self._source.seen(), stamp(self._settings.last_good))
