"""Changing the sealing key: a new key, its activation, and sealing again what older keys sealed.

Each step may be cut off and run again. Owns the order of those steps; `sealing` owns the file.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table, func, insert, select, update

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

    Works in small transactions beside a running gateway. The old key stays in the file: backups need it.
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


def _reseal_column(store: Store, table: Table, column: Column[Any]) -> Iterator[int]:
    """Reseal one column page by page, yielding how many values each page had."""
    key_columns = tuple(table.primary_key.columns)

    def page(tx: Tx) -> int:
        size = func.length(column)
        found = tx.connection.execute(
            select(*key_columns, size).where(_sealed_by_another(tx.keys, column)).limit(_PAGE_ROWS)
        ).all()
        octets, done = 0, 0
        for *key, octets_here in found:
            if done and octets + octets_here > _PAGE_OCTETS:
                break
            octets, done = octets + octets_here, done + 1
            row = tuple(key) if len(key) > 1 else key[0]
            this = [name == value for name, value in zip(key_columns, key, strict=True)]
            plain = tx.open(column, row, tx.connection.execute(select(column).where(*this)).scalar_one())
            tx.connection.execute(
                update(table).where(*this).values({column.name: tx.seal(column, row, plain)})
            )
        return done

    while number := store.write_now(page):
        yield number


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
