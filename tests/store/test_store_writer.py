"""The writer: what is answered is durable, one failing job fails alone, and nothing blocks the event loop."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event, text
from stores import NOW, a_ledger_entry, an_item

from gateway import audit
from gateway.errors import NotStored
from gateway.model import Event, ItemKind
from gateway.store import Store, items, ledger, records


def fact(name, value="1"):
    return lambda tx: records.set_fact(tx, name, value)


def facts(store, *names):
    return tuple(store.read_now(lambda tx: [records.fact(tx, name) for name in names]))


class Gate:
    """A job that keeps the writer busy until it is told to go on."""

    def __init__(self):
        self.running = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, tx):
        self.running.set()
        assert self.go_on.wait(30)

    async def entered(self):
        assert await asyncio.to_thread(self.running.wait, 30)


async def queued(store, number):
    """Wait until ``number`` jobs wait for the writer."""
    while store._writer.waiting < number:
        await asyncio.sleep(0)


class Locker:
    """Another process that holds the database locked."""

    CODE = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.read()"
    )

    def __init__(self, store):
        file = store.settings.url.removeprefix("sqlite:///")
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.CODE, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout.readline() == b"locked\n"

    def release(self):
        self.process.communicate(timeout=30)


async def test_a_write_returns_what_the_job_returned_once_it_is_durable(store, settings):
    """The result comes after the commit: another process sees the change by then."""
    assert await store.write(lambda tx: records.set_fact(tx, "a", "1") or 7) == 7
    with Store.open(settings) as other:
        assert facts(other, "a") == ("1",)


async def test_jobs_that_wait_together_are_committed_together(store):
    """Group commit: fifty queued jobs share one transaction, in the order they came."""
    gate = Gate()
    first = asyncio.create_task(store.write(gate))
    await gate.entered()
    rest = [asyncio.create_task(store.write(fact("same", str(number)))) for number in range(50)]
    await queued(store, 50)
    before = store.commits
    gate.go_on.set()
    await asyncio.gather(first, *rest)
    assert store.commits - before == 2
    assert facts(store, "same") == ("49",)


async def test_a_failing_job_takes_back_only_its_own_changes(store):
    """A job's error is its caller's: changes, audit entries and callbacks of the others stand."""
    called = []
    gate = Gate()

    def good(name):
        def job(tx):
            records.set_fact(tx, name, "1")
            audit.append(tx, Event.SERVE_STARTED, actor="a", subject=name, at=NOW)
            tx.after_commit(lambda: called.append(name))

        return job

    def bad(tx):
        good("bad")(tx)
        raise KeyError("mine alone")

    tasks = [asyncio.create_task(store.write(gate))]
    await gate.entered()
    tasks += [asyncio.create_task(store.write(job)) for job in (good("one"), bad, good("two"))]
    await queued(store, 3)
    gate.go_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), KeyError, type(None)]
    assert facts(store, "one", "bad", "two") == ("1", None, "1")
    assert called == ["one", "two"]
    assert [row.subject for row in store.read_now(audit.entries)] == ["one", "two"]


async def test_a_broken_constraint_fails_its_own_job_alone(store):
    """A duplicate key is a mistake of one job, not a failure of the database."""
    entry = a_ledger_entry()
    twin = a_ledger_entry(id=entry.id)
    gate = Gate()
    tasks = [asyncio.create_task(store.write(gate))]
    await gate.entered()
    jobs = [lambda tx: ledger.add(tx, entry), lambda tx: ledger.add(tx, twin), fact("c")]
    tasks += [asyncio.create_task(store.write(job)) for job in jobs]
    await queued(store, 3)
    gate.go_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[1] is True
    assert type(results[2]).__name__ == "IntegrityError"
    assert facts(store, "c") == ("1",)


async def test_a_locked_database_delays_writes_and_nothing_else(lite):
    """Another process holds the lock: writes are NotStored after busy_timeout_s, the loop and reads go on."""
    await lite.write(fact("before"))
    locker = Locker(lite)
    try:
        longest = 0.0

        async def tick():
            nonlocal longest
            while True:
                started = time.monotonic()
                await asyncio.sleep(0)
                longest = max(longest, time.monotonic() - started)

        ticking = asyncio.create_task(tick())
        writes = [asyncio.create_task(lite.write(fact(f"w{number}"))) for number in range(3)]
        assert await lite.read(lambda tx: records.fact(tx, "before")) == "1"
        assert not any(write.done() for write in writes)
        results = await asyncio.gather(*writes, return_exceptions=True)
        ticking.cancel()
        assert all(isinstance(result, NotStored) for result in results)
        assert "database is locked" in str(results[0])
        assert longest < 0.4, "the loop stood still"
        with pytest.raises(NotStored, match="locked"):
            lite.write_now(fact("now"))
    finally:
        locker.release()
    assert facts(lite, "w0", "w1", "w2", "now") == (None,) * 4
    await lite.write(fact("w0"))
    assert facts(lite, "w0") == ("1",)


def limit_pages(store, pages):
    """Make the disk full, as SQLite sees it, from the next transaction on, until the returned function is called."""
    room = [pages]

    @event.listens_for(store.engine, "begin")
    def _limit(connection):
        connection.exec_driver_sql(f"PRAGMA max_page_count={room[0]}")

    return lambda: room.__setitem__(0, 2**30)


async def test_a_full_disk_fails_what_does_not_fit_and_nothing_else(lite):
    """In one batch a large hold finds the disk full: it is NotStored and leaves nothing, the small ones stand."""
    pages = lite.read_now(lambda tx: tx.connection.scalar(text("PRAGMA page_count")))
    more_room = limit_pages(lite, pages + 40)
    large = an_item(message=b"x" * 2_000_000)
    gate = Gate()
    tasks = [asyncio.create_task(lite.write(gate))]
    await gate.entered()
    jobs = [fact("one"), lambda tx: items.add_item(tx, large), fact("two")]
    tasks += [asyncio.create_task(lite.write(job)) for job in jobs]
    await queued(lite, 3)
    gate.go_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[2], NotStored)
    assert "full" in str(results[2])
    assert facts(lite, "one", "two") == ("1", "1")
    assert lite.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD)) == ()
    assert lite.read_now(audit.verify).is_whole
    more_room()
    assert await lite.write(lambda tx: items.add_item(tx, large)) == large.id
    assert lite.read_now(lambda tx: items.message(tx, large.id)) == large.message


async def test_a_disk_that_is_full_at_the_commit_stores_nothing(lite):
    """The audit entry, numbered last, does not fit: the hold it belongs to is not stored either."""
    pages = lite.read_now(lambda tx: tx.connection.scalar(text("PRAGMA page_count")))

    def job(tx):
        records.set_fact(tx, "hold", "1")
        payload = {"long": "x" * 1_000_000}
        audit.append(tx, Event.MESSAGE_HELD, actor="a", subject="s", payload=payload, at=NOW)

    undo = limit_pages(lite, pages + 10)
    with pytest.raises(NotStored, match="full"):
        await lite.write(job)
    undo()
    assert facts(lite, "hold") == (None,)
    assert lite.read_now(audit.head).seq == 0


def test_a_file_that_is_no_database_any_more_is_not_stored(lite):
    """Damage on disk is NotStored, not a crash."""
    lite.write_now(fact("a"))
    lite.engine.dispose()
    file = Path(lite.settings.url.removeprefix("sqlite:///"))
    file.write_bytes(b"\xff" * 4096 + file.read_bytes()[4096:])
    for suffix in ("-wal", "-shm"):
        (lite.settings.key_file.parent / f"gateway.db{suffix}").unlink(missing_ok=True)
    with pytest.raises(NotStored, match=r"not a database|malformed"):
        lite.write_now(fact("b"))


async def test_the_failure_of_a_statement_does_not_tell_its_values(lite):
    """An error that ends in a log must not carry what was to be stored."""
    with pytest.raises(NotStored) as caught:
        await lite.write(
            lambda tx: tx.connection.execute(text("INSERT INTO nowhere VALUES (:v)"), {"v": "secret"})
        )
    shown = "".join([str(caught.value), str(caught.value.__cause__), repr(caught.value.__cause__)])
    assert "secret" not in shown
    assert "no such table" in str(caught.value)


async def test_a_write_that_waits_too_long_is_given_up_and_not_done(sqlite, tmp_path):
    """After write_timeout_s the sender gets 451; a job that had not begun never runs."""
    with Store.open(sqlite.copy(tmp_path / "s", write_timeout_s=0.05)) as store:
        gate = Gate()
        busy = asyncio.create_task(store.write(gate))
        await gate.entered()
        with pytest.raises(NotStored, match=r"did not answer in 0\.05 s"):
            await store.write(fact("late"))
        with pytest.raises(NotStored):
            await busy
        gate.go_on.set()
        await store.write(fact("next"))
        assert facts(store, "late", "next") == (None, "1")


async def test_a_cancelled_wait_ends_a_queued_job_but_not_a_running_one(store):
    """A client that leaves takes back what has not begun; what runs is committed and can be found again."""
    gate = Gate()

    def running(tx):
        gate(tx)
        records.set_fact(tx, "running", "1")

    busy = asyncio.create_task(store.write(running))
    await gate.entered()
    waiting = asyncio.create_task(store.write(fact("waiting")))
    await queued(store, 1)
    for task in (busy, waiting):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gate.go_on.set()
    await store.write(fact("last"))
    assert facts(store, "running", "waiting", "last") == ("1", None, "1")


async def test_close_writes_what_is_queued_and_then_refuses(sqlite, tmp_path):
    """Draining loses nothing; after it every door is NotStored."""
    settings = sqlite.copy(tmp_path / "s")
    store = Store.open(settings)
    gate = Gate()
    tasks = [asyncio.create_task(store.write(gate))]
    await gate.entered()
    tasks += [asyncio.create_task(store.write(fact(f"f{number}"))) for number in range(5)]
    await queued(store, 5)
    closing = asyncio.create_task(asyncio.to_thread(store.close))
    gate.go_on.set()
    await asyncio.gather(*tasks, closing)
    with pytest.raises(NotStored, match="closed"):
        await store.write(fact("x"))
    with pytest.raises(NotStored, match="closed"):
        await store.read(lambda tx: None)
    store.close()
    with Store.open(settings) as again:
        assert facts(again, *(f"f{number}" for number in range(5))) == ("1",) * 5


async def test_a_reader_cannot_write(store):
    """A read that writes is our mistake, and does not get far."""
    with pytest.raises(NotStored, match=r"readonly|read-only"):
        await store.read(fact("a"))
    assert facts(store, "a") == (None,)


async def test_a_reader_sees_one_moment(store):
    """A long read is not confused by what is committed meanwhile."""
    reading, written = threading.Event(), threading.Event()

    def job(tx):
        before = audit.head(tx).seq
        reading.set()
        assert written.wait(30)
        return before, audit.head(tx).seq, len(audit.entries(tx))

    task = asyncio.create_task(store.read(job))
    await asyncio.to_thread(reading.wait, 30)
    await store.write(lambda tx: audit.append(tx, Event.SERVE_STARTED, actor="a", subject="s", at=NOW))
    written.set()
    assert await task == (0, 0, 0)


def test_sqlite_syncs_every_commit(lite):
    """WAL with synchronous=FULL and foreign keys on, in every connection."""

    def pragmas(tx):
        return [
            tx.connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert lite.read_now(pragmas) == ["wal", 2, 1]
    assert lite.write_now(pragmas) == ["wal", 2, 1]


def test_postgresql_waits_for_the_disk_and_not_for_ever(postgresql, tmp_path):
    """synchronous_commit is on, and locks and statements have an end."""
    names = ("synchronous_commit", "lock_timeout", "statement_timeout", "timezone")
    with Store.open(postgresql.copy(tmp_path / "s")) as store:
        found = store.write_now(lambda tx: [tx.connection.scalar(text(f"SHOW {name}")) for name in names])
    assert found == ["on", "500ms", "20s", "UTC"]


def test_a_row_that_another_session_locks_is_not_stored(postgresql, tmp_path):
    """On PostgreSQL too, another's lock ends a write after busy_timeout_s."""
    settings = postgresql.copy(tmp_path / "s")
    with Store.open(settings) as store, Store.open(settings) as other:
        store.write_now(fact("a"))
        with other.engine.connect() as connection, connection.begin():
            connection.execute(text("LOCK TABLE meta IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(NotStored, match="lock timeout"):
                store.write_now(fact("a", "2"))
        assert facts(store, "a") == ("1",)


async def test_a_lost_connection_is_not_stored_and_the_next_write_works(postgresql, tmp_path):
    """The server ends our session in mid-transaction: NotStored, and a fresh connection afterwards."""
    with Store.open(postgresql.copy(tmp_path / "s")) as store:

        def lose(tx):
            records.set_fact(tx, "a", "1")
            pid = tx.connection.scalar(text("SELECT pg_backend_pid()"))
            with postgresql.connect() as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", (pid,))
            records.set_fact(tx, "b", "1")

        with pytest.raises(NotStored):
            await store.write(lose)
        await store.write(fact("c"))
        assert facts(store, "a", "b", "c") == (None, None, "1")


def test_deleting_or_changing_evidence_is_refused_by_the_database_itself(store):
    """Holds, decisions and the chain cannot be deleted, nor the chain changed, not even with SQL."""
    new = an_item()

    def job(tx):
        items.add_item(tx, new)
        audit.append(tx, Event.MESSAGE_HELD, actor="a", subject=new.id, at=NOW)

    store.write_now(job)
    for statement in (
        "DELETE FROM items",
        "DELETE FROM item_messages",
        "DELETE FROM item_recipients",
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET actor = 'b'",
        "DELETE FROM audit_tip",
    ):
        with pytest.raises(Exception, match="rows are kept as they are"):
            store.write_now(lambda tx, statement=statement: tx.connection.execute(text(statement)))
    assert store.read_now(lambda tx: items.message(tx, new.id)) == new.message


def test_truncating_evidence_is_refused_too(postgresql, tmp_path):
    """PostgreSQL's TRUNCATE goes round row triggers; it is refused as well."""
    with Store.open(postgresql.copy(tmp_path / "s")) as store:
        for table in ("audit_entries", "items"):
            with pytest.raises(Exception, match="rows are kept as they are"):
                store.write_now(
                    lambda tx, table=table: tx.connection.execute(text(f"TRUNCATE {table} CASCADE"))
                )
