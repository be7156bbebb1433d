"""Changing the sealing key: a new key, its activation, and sealing again what older keys sealed.

Each step may be cut off and run again. Owns the order of those steps; `sealing` owns the file.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, insert, select, tuple_, update

from gateway.errors import StoreUnfit
from gateway.store.database import Tx
from gateway.store.schema import canaries, metadata
from gateway.store.sealing import KeyFile, Keyring, header, locked_folder
from gateway.store.store import Store, canary

_PAGE_ROWS = 200
_PAGE_OCTETS = 67_108_864


def prepare(store: Store, at: datetime, record: Callable[[Tx, str], None]) -> str:
    """Add a sealing key that does not seal yet, and return its id.

    The key is in the file before the store knows it; ``record`` adds the audit entry to the same transaction.
    """
    with _alone(store.settings.key_file):
        grown, key_id = KeyFile.read(store.settings.key_file).with_new_key()
        keys = Keyring(grown)

        def job(tx: Tx) -> None:
            tx.connection.execute(insert(canaries).values(**canary(keys, key_id, at)))
            record(tx, key_id)

        store.write_now(job)
    store.keys.reload()
    return key_id


def activate(store: Store, key_id: str) -> None:
    """Seal with ``key_id`` from now on. Running processes go on with the old key until they reload or restart.

    Raises StoreUnfit when file or store do not know the key.
    """
    with _alone(store.settings.key_file):
        file = KeyFile.read(store.settings.key_file)
        known = store.read_now(lambda tx: frozenset(tx.connection.scalars(select(canaries.c.key_id))))
        if key_id not in file.keys or key_id not in known:
            raise StoreUnfit(
                f"{key_id} is not a key of this store; `gateway store rotate-key --prepare` makes one"
            )
        file.with_active(key_id)
    store.keys.reload()


def reseal(store: Store) -> int:
    """Seal again with the active key whatever another key sealed, and return how many values that were.

    Works in small transactions beside a running gateway, and ends however busy that is: what a process that does not
    know the new key seals meanwhile is for the next run. The old key stays in the file: backups need it.
    """
    changed = 0
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.info.get("sealed"):
                changed += sum(_reseal_column(store, table, column))
    return changed


def other_keys(tx: Tx) -> dict[str, int]:
    """Return per sealed column how many values the active key did not seal, columns without any left out."""
    found = {}
    for table in metadata.sorted_tables:
        for column in (column for column in table.columns if column.info.get("sealed")):
            query = select(func.count()).select_from(table).where(_sealed_by_another(tx.keys, column))
            if number := tx.connection.scalar(query):
                found[f"{table.name}.{column.name}"] = int(number)
    return found


@dataclass(frozen=True, slots=True)
class _Change:
    """One value, as another key sealed it and as the active key does."""

    key: tuple[Any, ...]
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class _Page:
    """What is to be changed among some rows that follow each other by key, and the key of the last of them."""

    changes: tuple[_Change, ...]
    last: tuple[Any, ...]


def _reseal_column(store: Store, table: Table, column: Column[Any]) -> Iterator[int]:
    """Reseal one column, each row looked at once in the order of the key; yield how many values each page had.

    A page is read and sealed outside of the write lock. What another process changed in the meantime is left as it is,
    and the page is read again.
    """
    after: tuple[Any, ...] = ()
    while page := store.read_now(partial(_page, table=table, column=column, after=after)):
        changed = 0
        if page.changes:
            changed = store.write_now(partial(_write, table=table, column=column, changes=page.changes))
            yield changed
        if changed == len(page.changes):
            after = page.last


def _page(tx: Tx, *, table: Table, column: Column[Any], after: tuple[Any, ...]) -> _Page | None:
    """Return the page behind the row whose key is ``after``, or None when no row is left. Raises Sealed."""
    key_columns = tuple(table.primary_key.columns)
    query = select(*key_columns, func.length(column), _sealed_by_another(tx.keys, column))
    if after:
        query = query.where(_behind(key_columns, after))
    changes: list[_Change] = []
    octets, last = 0, None
    # row by row: SQLite reads a value whole to look at its first octets, and need not for what is past the page
    with tx.connection.execute(query.order_by(*key_columns).limit(_PAGE_ROWS)) as rows:
        for *parts, octets_here, is_other in rows:
            key = tuple(parts)
            if is_other:
                if changes and octets + octets_here > _PAGE_OCTETS:
                    break
                octets += octets_here
                old = tx.connection.execute(select(column).where(*_is_row(key_columns, key))).scalar_one()
                row = key if len(key) > 1 else key[0]
                changes.append(_Change(key, old, tx.seal(column, row, tx.open(column, row, old))))
            last = key
    return None if last is None else _Page(tuple(changes), last)


def _write(tx: Tx, *, table: Table, column: Column[Any], changes: Sequence[_Change]) -> int:
    """Write ``changes`` where the value is still the old one, and return how many that were."""
    key_columns = tuple(table.primary_key.columns)
    done = 0
    for change in changes:
        this = (*_is_row(key_columns, change.key), column == change.old)
        done += tx.connection.execute(update(table).where(*this).values({column.name: change.new})).rowcount
    return done


def _is_row(key_columns: tuple[Column[Any], ...], key: tuple[Any, ...]) -> tuple[ColumnElement[bool], ...]:
    return tuple(name == value for name, value in zip(key_columns, key, strict=True))


def _behind(key_columns: tuple[Column[Any], ...], key: tuple[Any, ...]) -> ColumnElement[bool]:
    here: ColumnElement[Any] = key_columns[0] if len(key) == 1 else tuple_(*key_columns)
    return here > (key[0] if len(key) == 1 else key)


def _sealed_by_another(keys: Keyring, column: Column[Any]) -> Any:
    head = header(keys.active)
    return func.substr(column, 1, len(head)) != head


@contextmanager
def _alone(key_file: Path) -> Iterator[None]:
    """Keep other processes of this host from changing the key file meanwhile."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked_folder(key_file.parent))
        except OSError as problem:
            raise StoreUnfit(f"the folder of {key_file} could not be opened: {problem.strerror}") from problem
        yield
