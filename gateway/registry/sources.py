"""Where the two lists come from: the two files, or what a records system pushed into the store. One of them at a time.

A `Source` gives both lists as tables, a mark by which a change is noticed, and how old they are; `loading` makes a
registry of either in the same way. `entries_of` is the way from a set of entries to the table that a file would be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from gateway.errors import Mistake
from gateway.registry.reading import Columns, Record, Table, read_table
from gateway.registry.rows import CONTACT_COLUMNS, STAFF_COLUMNS
from gateway.settings import RegistrySettings
from gateway.store import Store, Tx, pushed
from gateway.store.pushed import Entry, SetName, SetState

COLUMNS: dict[SetName, Columns] = {SetName.CONTACTS: CONTACT_COLUMNS, SetName.STAFF: STAFF_COLUMNS}
"""The columns of each list, which are the fields of an entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Both lists as they are now."""

    contacts: Table
    staff: Table


class Source(Protocol):
    """Where the lists come from."""

    checks_loss: bool
    """Whether a list that has lost too many people is refused when it is read; pushed ones are when they come."""

    def seen(self) -> tuple[object, ...]:
        """Return a mark that is another when a list may be; cheap."""
        ...

    def read(self) -> Lists:
        """Return both lists; one that cannot be had says why, as a table that is refused."""
        ...

    def old(self, now: datetime) -> tuple[str, ...]:
        """Return a sentence for each list that is older than it may be."""
        ...


class Files:
    """The two CSV files."""

    checks_loss = True

    def __init__(self, settings: RegistrySettings) -> None:
        """Look at nothing yet."""
        self._settings = settings

    def seen(self) -> tuple[object, ...]:
        """Return time, size and inode of each file, None for one that is not there."""
        return tuple(stamp(path) for path in (self._settings.contacts, self._settings.staff))

    def read(self) -> Lists:
        """Read both files."""
        most = self._settings.max_file_bytes
        return Lists(
            contacts=read_table(self._settings.contacts, CONTACT_COLUMNS, max_bytes=most),
            staff=read_table(self._settings.staff, STAFF_COLUMNS, max_bytes=most),
        )

    def old(self, now: datetime) -> tuple[str, ...]:
        """Return a sentence for each file whose time of writing is too long ago."""
        found = []
        for path in (self._settings.contacts, self._settings.staff):
            try:
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except OSError:
                continue
            found += _too_old(path.name, written, now, self._settings.max_age_h)
        return tuple(found)


class Pushed:
    """What a records system pushed. Blocks while it asks the store: not for the event loop. Raises NotStored."""

    checks_loss = False

    def __init__(self, store: Store, settings: RegistrySettings) -> None:
        """Ask nothing yet."""
        self._store = store
        self._settings = settings

    def seen(self) -> tuple[object, ...]:
        """Return the revision of each set, None for one that was never pushed."""
        return tuple(one.revision if one else None for one in self._store.read_now(states))

    def read(self) -> Lists:
        """Read both sets, as they are in one moment."""
        both = self._store.read_now(_both)
        tables = {
            name: table_of(name, entries) if state else never_pushed(name)
            for name, (state, entries) in both.items()
        }
        return Lists(contacts=tables[SetName.CONTACTS], staff=tables[SetName.STAFF])

    def old(self, now: datetime) -> tuple[str, ...]:
        """Return a sentence for each set of which nothing was pushed for too long."""
        found = []
        for state in self._store.read_now(states):
            if state is not None:
                found += _too_old(f"the pushed {state.name}", state.pushed_at, now, self._settings.max_age_h)
        return tuple(found)


def states(tx: Tx) -> tuple[SetState | None, ...]:
    """Return what is known of each set, in the order of `SetName`."""
    return tuple(pushed.state(tx, name) for name in SetName)


def _both(tx: Tx) -> dict[SetName, tuple[SetState | None, Mapping[str, Entry]]]:
    return {name: (pushed.state(tx, name), pushed.entries(tx, name)) for name in SetName}


class EntryTable(Table):
    """Entries as the rows of a file: the line of an entry is its number from 1, the column that of its field."""

    def place(self, record: Record, column: str) -> tuple[int, int]:
        """Return the number of the entry and that of the field."""
        return record.line, self.index.get(column, 0) + 1


def table_of(name: SetName, entries: Mapping[str, Entry]) -> Table:
    """Return the table that a file of these entries would be, in their order."""
    columns = (*COLUMNS[name].required, *COLUMNS[name].optional)
    records = (
        Record(line=number, text="", fields=tuple(entry.get(column, "") for column in columns))
        for number, entry in enumerate(entries.values(), start=1)
    )
    return EntryTable(
        file=name.value,
        index={column: place for place, column in enumerate(columns)},
        records=tuple(records),
        mistakes=(),
        names=tuple(entries),
    )


def never_pushed(name: SetName) -> Table:
    """Return the table of a set that is not there yet."""
    what = "has not been pushed yet"
    remedy = f"have the records system PUT /api/{name}, or set registry.source to files"
    wrong = Mistake(file=name.value, what=what, remedy=remedy)
    return EntryTable(file=name.value, index={}, records=(), mistakes=(wrong,), refused=what)


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return time, size and inode of a file, None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _too_old(what: str, written: datetime, now: datetime, max_age_h: float) -> list[str]:
    if now - written <= timedelta(hours=max_age_h):
        return []
    return [f"{what} is of {written:%Y-%m-%d %H:%M} UTC, more than {max_age_h:g} h old"]
