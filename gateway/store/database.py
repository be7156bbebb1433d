"""The database itself: engines, transactions, what its failures mean, and which schema it has.

Owns everything in which SQLite and PostgreSQL differ, but for the triggers in `migrations/`. A failure of the
database becomes NotStored with the database's own first line and never a value from a row. Stands below `store`,
which decides who runs what when.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.errors import NotStored, Sealed, StoreUnfit
from gateway.settings import StoreSettings
from gateway.store import schema
from gateway.store.mark import Mark
from gateway.store.sealing import Keyring, Place
from gateway.store.statements import Prepared

_MIGRATION_LOCK = 0x676174657761
"""Advisory lock of PostgreSQL under which the schema is made: "gatewa" in ASCII."""
_BEGIN, _BEGIN_WRITING = Prepared(text("BEGIN")), Prepared(text("BEGIN IMMEDIATE"))
_KEPT_S = 1.0
"""How long a thread keeps its connection without using it. Within that a server may be gone unnoticed: 451."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRow:
    """One audit entry as it stands in the chain table, with its payload if that was not erased."""

    seq: int
    at: str
    event: str
    actor: str
    subject: str
    commitment: str
    prev: str
    hash: str
    salt: bytes | None = None
    payload: str | None = None


Link = Callable[[int, str], ChainRow]
"""Makes an entry of its number and the hash of the entry before."""


@dataclass(slots=True)
class Tx:
    """One transaction, as the functions of the store see it.

    ``links`` are audit entries still without a number: `store.chain` numbers them last, just before the commit,
    so that the lock of the tip row is held as short as can be and always taken after every other lock.
    """

    connection: Connection
    keys: Keyring
    mark: Mark
    links: list[Link] = field(default_factory=list)
    _after: list[Callable[[], None]] = field(default_factory=list)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Run ``callback`` once the transaction is durable. It must not raise."""
        self._after.append(callback)

    def committed(self) -> None:
        """Run the callbacks; called by the store alone."""
        for callback in self._after:
            callback()

    def seal(self, column: Column[Any], row: object, plain: bytes) -> bytes:
        """Return ``plain`` sealed for ``column`` of ``row``."""
        return self.keys.seal(plain, place_of(column, row))

    def open(self, column: Column[Any], row: object, sealed: bytes) -> bytes:
        """Return what was sealed for ``column`` of ``row``. Raises Sealed."""
        return self.keys.open(sealed, place_of(column, row))

    def open_or_why(
        self, column: Column[Any], row: object, sealed: bytes | None, why_not: list[str]
    ) -> bytes:
        """Return what was sealed; nothing, and why in ``why_not``, where it does not open: one row must not hide the others."""
        if sealed is None:
            return b""
        try:
            return self.open(column, row, sealed)
        except Sealed as trouble:
            why_not.append(str(trouble))
            return b""


def place_of(column: Column[Any], row: object) -> Place:
    """Return the place of a sealed value. ``row`` is the primary key; a tuple for one of several columns."""
    key = "/".join(str(part) for part in row) if isinstance(row, tuple) else str(row)
    return Place(table=str(column.table.name), column=column.name, row=key)


def connect(settings: StoreSettings) -> Engine:
    """Return an engine for the store. Opens nothing yet. Raises StoreUnfit for a URL that is none of ours."""
    try:
        url = make_url(settings.url)
    except ArgumentError as problem:
        raise StoreUnfit(
            "store.url is not a database URL; write sqlite:///… or postgresql+psycopg://…"
        ) from problem
    if url.get_backend_name() == "sqlite":
        return _connect_sqlite(url, settings)
    if url.get_backend_name() == "postgresql":
        return _connect_postgresql(url.set(drivername="postgresql+psycopg"), settings)
    raise StoreUnfit(
        f"store.url names {url.get_backend_name()}; the store runs on sqlite and postgresql+psycopg"
    )


def _connect_sqlite(url: URL, settings: StoreSettings) -> Engine:
    if not url.database or url.database == ":memory:" or "mode" in url.query:
        raise StoreUnfit("store.url must name a file: sqlite:////var/lib/gateway/gateway.db")
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": settings.busy_timeout_s})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we begin ourselves: sqlite3 would begin deferred
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "journal_size_limit=67108864",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("gateway_writes", False)
        if connection.info.get("writes") is not writes:
            connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
            connection.info["writes"] = writes
        (_BEGIN_WRITING if writes else _BEGIN).run(connection, {})

    return engine


def _connect_postgresql(url: URL, settings: StoreSettings) -> Engine:
    patience_ms = int(settings.busy_timeout_s * 1000)
    limit_ms = int(settings.write_timeout_s * 1000)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": max(2, int(settings.busy_timeout_s)),
            "tcp_user_timeout": limit_ms,
            "application_name": "gateway",
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.autocommit = True
        for setting in (
            "timezone='UTC'",
            "synchronous_commit=on",
            f"lock_timeout={patience_ms}",
            f"statement_timeout={limit_ms}",
            f"idle_in_transaction_session_timeout={limit_ms * 3}",
        ):
            connection.execute(f"SET {setting}")
        connection.autocommit = False

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("gateway_writes", False):
            # one moment of the database for the whole transaction, as SQLite gives it
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    return engine


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """Run the block in one transaction; on SQLite a writing one begins IMMEDIATE. Commits unless it raises."""
    with engine.connect().execution_options(gateway_writes=writes) as connection, connection.begin():
        yield connection


class KeptConnection:
    """The connection of one thread, kept from one transaction to the next: taking it from the pool costs more.

    It is given back after a failure and after a pause, so that the next one is asked whether it still lives.
    """

    __slots__ = ("_connection", "_engine", "_used", "_writes")

    def __init__(self, engine: Engine, *, writes: bool) -> None:
        """Take connections from ``engine``, the first with the first transaction."""
        self._engine = engine
        self._writes = writes
        self._connection: Connection | None = None
        self._used = 0.0

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run the block in one transaction, as the function `transaction` does."""
        if self._connection is not None and time.monotonic() - self._used > _KEPT_S:
            self.close()
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(gateway_writes=self._writes)
        try:
            with self._connection.begin():
                yield self._connection
        except BaseException:
            self.close()
            raise
        self._used = time.monotonic()

    def close(self) -> None:
        """Give the connection back. May be called at any time; the next transaction takes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):  # a dead connection cannot be given back, and need not
                connection.close()


def lock_named(tx: Tx, name: str) -> None:
    """Make everybody else who asks for the lock ``name`` wait for this transaction; SQLite has one writer anyway.

    For what is more than one row, or none yet. Of two names with one number each waits for the other's, no more.
    """
    if tx.connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number})


def is_trouble(problem: BaseException) -> bool:
    """Return whether a failure is the database's (lock, disk, network), not a caller's mistake."""
    if isinstance(problem, DBAPIError):
        return not isinstance(problem, IntegrityError | DataError)
    return isinstance(problem, PoolTimeout)


def not_stored(problem: BaseException) -> NotStored:
    """Return the failure as NotStored, with the first line of the database's own words and nothing from a row."""
    origin = getattr(problem, "orig", None) or problem
    words = str(origin).splitlines() or [type(origin).__name__]
    return NotStored(f"the store failed: {words[0]}")


@contextmanager
def told_plainly() -> Iterator[None]:
    """Raise NotStored where the block meets trouble of the database."""
    try:
        yield
    except SQLAlchemyError as problem:
        if is_trouble(problem):
            raise not_stored(problem) from problem
        raise


# --- schema -------------------------------------------------------------------------------------------------


def sqlite_file(engine: Engine) -> Path | None:
    """Return the file of an SQLite store, or None."""
    return Path(str(engine.url.database)) if engine.dialect.name == "sqlite" else None


def make_sqlite_file(engine: Engine) -> None:
    """Make an empty database file with mode 0600 where there is none; its folder too."""
    file = sqlite_file(engine)
    if file is None or file.exists():
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_CREAT alone: another process may be making it at the same moment
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as problem:
        raise StoreUnfit(f"the database {file} could not be made: {problem.strerror}") from problem


def must_exist(engine: Engine) -> None:
    """Raise StoreUnfit when an SQLite store has no file: connecting would make an empty one."""
    file = sqlite_file(engine)
    if file is not None and not file.exists():
        raise StoreUnfit(f"there is no store {file}; `gateway store init` makes it")


def revision(connection: Connection) -> str:
    """Return the schema the database has, empty when it has none of ours."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def check_schema(found: str, *, may_migrate: bool, head: str = schema.HEAD) -> None:
    """Raise StoreUnfit unless ``found`` is ``head`` (or, with ``may_migrate``, an older schema this code knows)."""
    if found == head:
        return
    if not found:
        raise StoreUnfit("the database holds no store; `gateway store init` makes it")
    if found not in known_revisions():
        raise StoreUnfit(
            f"the store has schema {found}, this version knows up to {head}; "
            "run the version of the gateway that made it, or a newer one"
        )
    if not may_migrate:
        raise StoreUnfit(
            f"the store has schema {found}, this version needs {head}; start `gateway serve` first"
        )


def known_revisions() -> frozenset[str]:
    """Return the schemas this code can bring up to date."""
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory(str(_migrations())).walk_revisions())


def migrate(engine: Engine, then: Callable[[Connection], None]) -> None:
    """Bring the schema up to date and run ``then``, in one transaction, one process at a time."""
    from alembic import command
    from alembic.config import Config

    with transaction(engine, writes=True) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            # an index over years of entries takes longer than any message may wait
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        config = Config()
        config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        then(connection)


def _migrations() -> Path:
    return Path(__file__).parent / "migrations"
