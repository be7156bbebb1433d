"""What a records system pushed, in place of the contact and staff files: two sets of entries, each with a revision.

A whole set is one sealed, compressed value; single entries that changed since stand beside it, so that one change of a
set of 200,000 costs one small row. Functions over a transaction; knows nothing of what an entry means: `registry` does.
"""

import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import delete, insert, select, update

from gateway.store.database import Tx
from gateway.store.schema import pushed_changes, pushed_sets
from gateway.store.statements import insert_or_replace

Entry = dict[str, str]
"""One entry: its fields by column, as text, as a row of the file would have them."""
_FAST = 1


class SetName(StrEnum):
    """The two sets."""

    CONTACTS = "contacts"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetState:
    """What is known of a set without reading it. ``revision`` is another with each change of its content."""

    name: SetName
    revision: str
    entries: int
    changed_at: datetime
    pushed_at: datetime
    by: str


def state(tx: Tx, name: SetName, *, to_change: bool = False) -> SetState | None:
    """Return what is known of a set, None before it was first pushed.

    ``to_change`` has everybody else who changes the set wait for this transaction.
    """
    query = select(*(column for column in pushed_sets.c if column.name != "content"))
    query = query.where(pushed_sets.c.name == name)
    row = tx.connection.execute(query.with_for_update() if to_change else query).one_or_none()
    if row is None:
        return None
    return SetState(
        name=SetName(row.name), revision=row.revision, entries=row.entries,
        changed_at=row.changed_at, pushed_at=row.pushed_at, by=row.by,
    )  # fmt: skip


def entries(tx: Tx, name: SetName) -> Mapping[str, Entry]:
    """Return the entries of a set by what the records system calls them, in that order; none before it was pushed."""
    sealed = tx.connection.scalar(select(pushed_sets.c.content).where(pushed_sets.c.name == name))
    if sealed is None:
        return {}
    whole = zlib.decompress(tx.open(pushed_sets.c.content, name, sealed))
    found = msgspec.json.decode(whole, type=dict[str, Entry])
    query = select(pushed_changes.c.entry, pushed_changes.c.content).where(pushed_changes.c.name == name)
    for row in tx.connection.execute(query):
        if row.content is None:
            found.pop(row.entry, None)
        else:
            found[row.entry] = _opened(tx, name, row.entry, row.content)
    return dict(sorted(found.items()))


def entry(tx: Tx, name: SetName, called: str) -> Entry | None:
    """Return one entry of a set, or None."""
    this = (pushed_changes.c.name == name, pushed_changes.c.entry == called)
    row = tx.connection.execute(select(pushed_changes.c.content).where(*this)).one_or_none()
    if row is None:
        return entries(tx, name).get(called)
    return None if row.content is None else _opened(tx, name, called, row.content)


def packed(whole: Mapping[str, Entry]) -> bytes:
    """Return the entries of a set as `replace` takes them: the slow part of it, to be done outside of a transaction."""
    return zlib.compress(msgspec.json.encode(dict(whole)), _FAST)


def replace(tx: Tx, name: SetName, content: bytes, number: int, *, by: str, at: datetime) -> str:
    """Put a whole set of ``number`` entries in place of what was there, and return its revision."""
    tx.connection.execute(delete(pushed_changes).where(pushed_changes.c.name == name))
    row = {
        "name": name,
        "revision": _revision(),
        "entries": number,
        "changed_at": at,
        "pushed_at": at,
        "by": by,
        "content": tx.seal(pushed_sets.c.content, name, content),
    }
    insert_or_replace(tx.connection, pushed_sets, row, pushed_sets.c.name)
    return str(row["revision"])


def change(
    tx: Tx, before: SetState, called: str, new: Entry | None, *, grows: int, by: str, at: datetime
) -> str:
    """Put one entry in place of what was there (None: remove it) and return the set's revision.

    ``grows`` is by how much the number of entries changes. The caller holds the set (`state` with ``to_change``).
    """
    this = (pushed_changes.c.name == before.name, pushed_changes.c.entry == called)
    sealed = None
    if new is not None:
        sealed = tx.seal(pushed_changes.c.content, (before.name, called), msgspec.json.encode(new))
    tx.connection.execute(delete(pushed_changes).where(*this))
    row = {"name": before.name, "entry": called, "content": sealed}
    tx.connection.execute(insert(pushed_changes).values(row))
    revision = _revision()
    values = {
        "revision": revision,
        "entries": before.entries + grows,
        "changed_at": at,
        "pushed_at": at,
        "by": by,
    }
    tx.connection.execute(update(pushed_sets).where(pushed_sets.c.name == before.name).values(values))
    return revision


def confirm(tx: Tx, name: SetName, *, by: str, at: datetime) -> None:
    """Note that a set was pushed again as it is."""
    tx.connection.execute(update(pushed_sets).where(pushed_sets.c.name == name).values(pushed_at=at, by=by))


def _opened(tx: Tx, name: SetName, called: str, sealed: bytes) -> Entry:
    return msgspec.json.decode(tx.open(pushed_changes.c.content, (name, called), sealed), type=Entry)


def _revision() -> str:
    """Return a name that no revision had: a number would be given twice after a backup was restored."""
    return secrets.token_hex(8)
