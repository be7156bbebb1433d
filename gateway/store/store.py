"""The store of one process: opening it, writing to it, reading from it, and making a new one.

`Store.write` is the only door for `serve`; commands use `write_now`. Refuses to open what it does not understand:
another schema, another key. Every failure of the world is NotStored (nothing was promised) or StoreUnfit.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, insert, select

from gateway.errors import NotStored, Sealed, StoreUnfit
from gateway.settings import StoreSettings
from gateway.store import chain, database, instants, schema
from gateway.store.clerk import Told
from gateway.store.database import Tx, told_plainly, transaction
from gateway.store.mark import Mark, mark_path
from gateway.store.reader import Reader
from gateway.store.sealing import KeyFile, Keyring, Place
from gateway.store.writer import Writer

T = TypeVar("T")

_CANARY = b"the key fits"


class Store:
    """One open store. A context manager: leaving it closes it."""

    def __init__(self, settings: StoreSettings, engine: Engine, keys: Keyring, store_id: str) -> None:
        """Use `Store.open`."""
        self.settings = settings
        self.keys = keys
        self.store_id = store_id
        self.engine = engine
        self._mark = Mark(mark_path(settings.key_file), store_id)
        self._writer = Writer(engine, self._tx, self._remember_deliveries)
        self._reader = Reader(engine, self._tx)

    @classmethod
    def open(cls, settings: StoreSettings, *, migrate: bool = False) -> Self:
        """Return the store, ready. ``migrate`` (serve alone) brings an older schema up to date, under a lock.

        Raises StoreUnfit when there is no store, its schema is unknown, or the key file does not open the canary
        of each of its keys; NotStored when the database cannot be reached. Blocks: call it before the event loop
        serves anybody.
        """
        engine = database.connect(settings)
        try:
            database.must_exist(engine)
            with told_plainly():
                _check_schema(engine, migrate=migrate)
                keys = Keyring(KeyFile.read(settings.key_file))
                with transaction(engine, writes=False) as connection:
                    store_id = _check_keys(connection, keys)
            return cls(settings, engine, keys, store_id)
        except BaseException:
            engine.dispose()
            raise

    async def write(self, job: Callable[[Tx], T]) -> T:
        """Run ``job`` in the next transaction and return its result once that is durable.

        The job runs on the writer's thread and must touch nothing but ``tx`` and what it was given; it may be run
        again when another job of its batch failed. What it raises is raised here and takes back its own changes
        alone. Raises NotStored when the database failed or ``write_timeout_s`` passed. After a time-out or a
        cancelled wait, a job that was already running may still be committed, and a commit that failed may
        prove durable after a crash: whoever tries again must recognise its own work, as the retry key does.
        """
        future = self._writer.submit(job)
        patience_s = self.settings.write_timeout_s
        timer = asyncio.get_running_loop().call_later(patience_s, _give_up, future, patience_s)
        try:
            return await future
        finally:
            timer.cancel()

    def write_later(self, job: Callable[[Tx], Any], told: Told) -> None:
        """Have ``job`` written with the next transaction, whenever that comes, or at `hurry`; nobody waits for it.

        ``told`` is called on the event loop with None once it is durable, or with what went wrong. A process that
        is killed before loses it. Raises NotStored once closed.
        """
        self._writer.leave(job, told)

    def hurry(self) -> None:
        """Have written at once what `write_later` still keeps."""
        self._writer.hurry()

    async def read(self, job: Callable[[Tx], T]) -> T:
        """Run ``job``, which must not write, on the reader's thread and return its result. Raises NotStored."""
        return await self._reader.submit(job)

    def write_now(self, job: Callable[[Tx], T]) -> T:
        """As `write`, for commands: blocks, and has a transaction of its own."""
        with told_plainly():
            with transaction(self.engine, writes=True) as connection:
                tx = self._tx(connection)
                result = job(tx)
                chain.number(connection, tx.links)
            tx.committed()
            self._remember_deliveries()
        return result

    def read_now(self, job: Callable[[Tx], T]) -> T:
        """As `read`, for commands: blocks. The job sees one moment of the database."""
        with told_plainly(), transaction(self.engine, writes=False) as connection:
            return job(self._tx(connection))

    def close(self) -> None:
        """Write what is queued, then close. May be called twice; blocks, so serve calls it in a thread."""
        self._writer.close()
        self._reader.close()
        self.engine.dispose()

    @property
    def commits(self) -> int:
        """How many transactions the writer made durable."""
        return self._writer.commits

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remember_deliveries(self) -> None:
        """Make last on this host what was counted as delivered; a failure stops the next claim, which tries again."""
        with suppress(NotStored):
            self._mark.save()

    def _tx(self, connection: Connection) -> Tx:
        return Tx(connection, self.keys, self._mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What `initialise` found or made. ``fresh`` is false when the store was there and fits."""

    store: Store
    fresh: bool
    fresh_key: bool


def initialise(settings: StoreSettings, at: datetime) -> Made:
    """Make key, database and canary where they are missing, and return the open store.

    Safe to repeat: a store that is there is opened as `Store.open` would. A key is made only when the database
    is new too; a database whose key is gone needs it from escrow, and StoreUnfit says so.
    """
    engine = database.connect(settings)
    try:
        database.make_sqlite_file(engine)
        with told_plainly():
            with transaction(engine, writes=False) as connection:
                found = database.revision(connection)
            if found:
                return Made(store=Store.open(settings), fresh=False, fresh_key=False)
            fresh_key = not settings.key_file.exists()
            keys = Keyring(KeyFile.make(settings.key_file) if fresh_key else KeyFile.read(settings.key_file))
            facts = {
                "store_id": secrets.token_hex(16),
                "made_at": instants.instant_text(at),
                "outbox_mark": "0",
            }
            database.migrate(engine, lambda connection: _write_first_rows(connection, keys, facts, at))
    finally:
        engine.dispose()
    mark = Mark(mark_path(settings.key_file), facts["store_id"])
    mark.note(0)
    mark.save()
    return Made(store=Store.open(settings), fresh=True, fresh_key=fresh_key)


def _give_up(future: "asyncio.Future[Any]", patience_s: float) -> None:
    if not future.done():
        future.set_exception(NotStored(f"the store did not answer in {patience_s:g} s"))


def _check_schema(engine: Engine, *, migrate: bool) -> None:
    with transaction(engine, writes=False) as connection:
        found = database.revision(connection)
    database.check_schema(found, may_migrate=migrate)
    if found != schema.HEAD:
        database.migrate(engine, lambda _: None)


def _check_keys(connection: Connection, keys: Keyring) -> str:
    """Return the store's id. Raises StoreUnfit unless the keys open every canary and the active key has one."""
    rows = connection.execute(select(schema.canaries.c.key_id, schema.canaries.c.sealed)).all()
    for key_id, sealed in rows:
        try:
            fits = keys.open(sealed, _canary_place(key_id)) == _CANARY
        except Sealed as problem:
            raise StoreUnfit(
                f"the key file {keys.file.path} does not hold the store's key {key_id}: {problem}; "
                "restore the key file from escrow"
            ) from problem
        if not fits:
            raise StoreUnfit(f"the canary of key {key_id} was changed")
    if keys.active not in {row.key_id for row in rows}:
        raise StoreUnfit(
            f"the active key {keys.active} of {keys.file.path} is not one of this store; "
            "restore the store's own key file from escrow"
        )
    store_id = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "store_id"))
    if not store_id:
        raise StoreUnfit("the store has no id: `gateway store init` did not finish; run it again")
    return str(store_id)


def _write_first_rows(connection: Connection, keys: Keyring, facts: dict[str, str], at: datetime) -> None:
    """Write the store's id and first canary. Raises StoreUnfit when another process was first."""
    if connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "store_id")):
        raise StoreUnfit("another process made the store at the same moment; run `gateway store init` again")
    connection.execute(insert(schema.canaries).values(**canary(keys, keys.active, at)))
    connection.execute(insert(schema.meta), [{"name": name, "value": value} for name, value in facts.items()])


def canary(keys: Keyring, key_id: str, at: datetime) -> dict[str, object]:
    """Return the row by which the store knows a sealing key."""
    sealed = keys.seal(_CANARY, _canary_place(key_id), key_id=key_id)
    return {"key_id": key_id, "sealed": sealed, "at": at}


def _canary_place(key_id: str) -> Place:
    return Place(table="canaries", column="sealed", row=key_id)
