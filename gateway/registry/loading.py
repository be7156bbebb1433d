"""The two files and the last good copy into the registry in force. The whole of `registry.load`.

Owns when a file is refused, when the registry is stale, and that nobody is lost between two loads. Synchronous;
`serve` calls it off the event loop. It does not log: what it finds goes back to the caller.
"""

import gc
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
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
from gateway.registry.reading import Columns, Table, read_table
from gateway.registry.rows import CONTACT_COLUMNS, STAFF_COLUMNS, Complaints, contact_rows, staff_rows
from gateway.settings import RegistrySettings


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
    settings: RegistrySettings, previous: Registry | None, now: datetime, *, accept_loss: bool = False
) -> LoadResult:
    """Read both files and return the registry to use from now on.

    Good rows take effect; a row with a mistake keeps what ``previous`` has for it (DECISIONS 12). A file is
    refused, and its part of ``previous`` stays, when it cannot be read, its header is wrong, it holds nobody, or
    it has lost more than ``max_loss_percent`` of its people, unless ``accept_loss``. The registry is marked
    stale when a file was refused or is older than ``max_age_h`` at ``now``. Never raises for what is in the
    files or for files that are not there.
    """
    with _no_collections():
        return _loaded(settings, previous, now, accept_loss=accept_loss)


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
    settings: RegistrySettings, previous: Registry | None, now: datetime, *, accept_loss: bool
) -> LoadResult:
    mailboxes = mailboxes_of(settings)
    keys = Keys(mailboxes)
    staff_file = Complaints(str(settings.staff))
    contacts_file = Complaints(str(settings.contacts))
    staff, staff_refused = _staff(settings, keys, previous, staff_file, accept_loss=accept_loss)
    contacts, contacts_refused, lost = _contacts(
        settings, keys, previous, staff.staff, contacts_file, accept_loss=accept_loss
    )
    refused = tuple(reason for reason in (contacts_refused, staff_refused) if reason)
    registry = None
    if not refused or previous is not None:
        registry = registry_of(
            contacts.contacts,
            staff.staff,
            mailboxes,
            loaded_at=previous.loaded_at if refused and previous is not None else now,
            stale="; ".join((*refused, *_old_files(settings, now))),
        )
        odd_staff_domains(registry, staff_file)
    if not mailboxes.domains:
        staff_file.warnings.append(_no_domains(settings))
    return LoadResult(
        registry=registry,
        mistakes=(*contacts_file.mistakes, *staff_file.mistakes),
        warnings=(*contacts_file.warnings, *staff_file.warnings),
        refused=bool(refused),
        contacts=len(contacts.contacts) if registry else 0,
        staff=len(staff.staff) if registry else 0,
        kept=contacts.kept + staff.kept,
        lost=lost,
    )


def staleness(settings: RegistrySettings, now: datetime) -> str:
    """Return why the files are older than they should be at ``now``, or an empty string."""
    return "; ".join(_old_files(settings, now))


# --- one file -----------------------------------------------------------------------------------------------


def _staff(
    settings: RegistrySettings,
    keys: Keys,
    previous: Registry | None,
    complaints: Complaints,
    *,
    accept_loss: bool,
) -> tuple[People, str]:
    """Return the staff to use, and why the file was refused, or an empty string."""
    before = staff_in(previous) if previous else ()
    table, people = _read(settings.staff, STAFF_COLUMNS, settings, complaints), None
    if not table.refused:
        rows = staff_rows(
            table, complaints, max_chars=settings.max_field_chars, force_domains=keys.force_domains
        )
        people = staff_of(rows, before, keys, complaints)
    reason = table.refused
    if people is not None:
        lost = _lost((member.email for member in people.staff), ((member.email,) for member in before), keys)
        reason = _reason_to_refuse(
            settings, complaints, len(people.staff), len(before), lost, accept_loss=accept_loss
        )
    if people is None or reason:
        return People(staff=before), _in_force(settings.staff, reason, previous)
    return people, ""


def _contacts(
    settings: RegistrySettings,
    keys: Keys,
    previous: Registry | None,
    staff: tuple[StaffMember, ...],
    complaints: Complaints,
    *,
    accept_loss: bool,
) -> tuple[People, str, int]:
    """Return the contacts to use, why the file was refused, or an empty string, and how many it has lost."""
    before: tuple[Contact, ...] = contacts_in(previous) if previous else ()
    table, people, lost = _read(settings.contacts, CONTACT_COLUMNS, settings, complaints), None, 0
    if not table.refused:
        rows = contact_rows(
            table, complaints, max_chars=settings.max_field_chars, force_domains=keys.force_domains
        )
        people = contacts_of(rows, before, staff, keys, complaints)
    reason = table.refused
    if people is not None:
        emails = (email for contact in people.contacts for email in contact.emails)
        lost = _lost(emails, (contact.emails for contact in before), keys)
        reason = _reason_to_refuse(
            settings, complaints, len(people.contacts), len(before), lost, accept_loss=accept_loss
        )
    if people is None or reason:
        return People(contacts=before), _in_force(settings.contacts, reason, previous), 0
    return people, "", lost


def _read(path: Path, columns: Columns, settings: RegistrySettings, complaints: Complaints) -> Table:
    table = read_table(path, columns, max_bytes=settings.max_file_bytes)
    complaints.mistakes.extend(table.mistakes)
    return table


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
        remedy = "check the export; if they are meant to go, run `gateway contacts import --accept-loss`"
    else:
        return ""
    complaints.mistakes.insert(0, Mistake(file=complaints.file, what=what, remedy=remedy))
    return what


def _in_force(path: Path, reason: str, previous: Registry | None) -> str:
    """Return the sentence that a stale registry carries into each verdict; file names only, no paths."""
    if previous is None:
        return f"{path.name} {reason}"
    return (
        f"{path.name} was refused ({reason}); the copy of {previous.loaded_at:%Y-%m-%d %H:%M} UTC is in force"
    )


def _old_files(settings: RegistrySettings, now: datetime) -> tuple[str, ...]:
    """Return a sentence for each file that is older than it may be."""
    old = []
    for path in (settings.contacts, settings.staff):
        try:
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError:
            continue
        if now - written > timedelta(hours=settings.max_age_h):
            old.append(
                f"{path.name} is of {written:%Y-%m-%d %H:%M} UTC, more than {settings.max_age_h:g} h old"
            )
    return tuple(old)


def _no_domains(settings: RegistrySettings) -> Mistake:
    return Mistake(
        file=str(settings.staff),
        what="registry.domains names no domain; those of the staff's own addresses are taken",
        remedy="name the force's mail domains in registry.domains",
    )


# --- the registry in force ----------------------------------------------------------------------------------

_Look = tuple[tuple[int, int, int] | None, ...]


class Keeper:
    """Keeps the registry in force for a process that runs on: at start, when a file changes, and as files age.

    One thread at a time looks; the registry it hands out is never changed in place.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._registry: Registry | None = None
        self._seen: _Look = ()
        self._last: LoadResult | None = None
        self._lock = threading.Lock()

    @property
    def registry(self) -> Registry | None:
        """The registry in force, None before the first look or when nothing was ever loaded."""
        return self._registry

    def look(self, now: datetime, *, force: bool = False) -> LoadResult | None:
        """Return what a look at the files came to, or None when nothing has changed since the last one.

        The first look begins with the last good copy on disk. A look reads the files again when one of them, or
        the last good copy (`gateway contacts import` writes it), has another time, size or inode, or with
        ``force``. Without a change it only re-dates: a registry that has become stale comes back marked. What
        was taken over whole is written as the new last good copy; failing that is a warning in the result.
        """
        with self._lock:
            seen = _look_of(self._settings)
            if self._last is not None and seen == self._seen and not force:
                return self._aged(now)
            previous, warnings = self._previous(seen)
            result = load(self._settings, previous, now)
            if result.accepted:
                warnings += self._save(result.registry, previous)
            result = replace(result, warnings=(*warnings, *result.warnings))
            # A file that was written while we read is looked at again; the last good copy may be our own work.
            self._seen = (*seen[:-1], _look_of(self._settings)[-1])
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
        stale = staleness(self._settings, now)
        if stale == registry.stale:
            return None
        self._registry = replace(registry, stale=stale)
        self._last = replace(last, registry=self._registry)
        return self._last


def _look_of(settings: RegistrySettings) -> _Look:
    """Return time, size and inode of each file, None for one that is not there."""
    paths = (settings.contacts, settings.staff, settings.last_good)
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
