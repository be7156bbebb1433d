"""Real processes: what one was told is stored survives its sudden end, and several lose nothing of each other."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from stores import NOW, a_delivery

from gateway import audit
from gateway.store import Store, ledger, outbox, records
from gateway.store.rows import RecipientState

WRITER = """
import asyncio, json, sys
from datetime import UTC, datetime
from gateway import audit
from gateway.model import Action, Event, Traits
from gateway.settings import StoreSettings
from gateway.store import Store, ledger, new_id
from gateway.store.rows import LedgerEntry, Outcome

settings, name, number, at_once = StoreSettings.model_validate_json(sys.argv[1]), sys.argv[2], int(sys.argv[3]), 8

def job(tx, key):
    now = datetime.now(UTC)
    ledger.add(tx, LedgerEntry(id=new_id(), retry_key=key, at=now, officer="s", persons=("p",), case_refs=(),
               traits=Traits(), sha256="", action=Action.PASS, outcome=Outcome.ACCEPTED, rules=("c",)))
    audit.append(tx, Event.MESSAGE_HELD, actor=name, subject=key, payload={"key": key}, at=now)

async def main():
    store = Store.open(settings)
    async def lane(lane):
        for count in range(lane, number, at_once):
            key = f"{name}-{count}"
            await store.write(lambda tx: job(tx, key))
            print(key, flush=True)
    await asyncio.gather(*(lane(one) for one in range(at_once)))
    store.close()

asyncio.run(main())
"""


def start(settings, name, number):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, settings.model_dump_json(), name, str(number)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_three_processes_append_900_entries_and_lose_none(settings):
    """Numbers without a gap, one chain, nothing lost: the default BEGIN lost 647 of 900."""
    patient = settings.model_copy(update={"busy_timeout_s": 20.0, "write_timeout_s": 60.0})
    processes = [start(patient, name, 300) for name in "abc"]
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda process: process.communicate(timeout=240)[0].split(), processes))
    assert [process.returncode for process in processes] == [0, 0, 0]
    with Store.open(settings) as store:
        report = store.read_now(audit.verify)
        rows = store.read_now(lambda tx: audit.entries(tx, limit=1000))
    assert report.problems == ()
    assert report.entries == report.head.seq == 900
    assert sorted(row.subject for row in rows) == sorted(key for keys in said for key in keys)


@pytest.mark.parametrize("lines", [1, 40, 150])
def test_what_a_killed_process_said_it_stored_is_stored(settings, lines):
    """kill -9 in the middle of group commits: all that was answered is there, whole, and the chain verifies."""
    process = start(settings, "k", 100_000)
    said = [process.stdout.readline().strip() for _ in range(lines)]
    process.kill()
    said += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    assert process.wait(timeout=30) == -9
    with Store.open(settings) as store:
        report = store.read_now(audit.verify)
        rows = store.read_now(lambda tx: audit.entries(tx, limit=100_000))
        stored = {row.subject for row in rows}
        assert report.problems == ()
        assert set(said) <= stored
        assert len(stored) == len(rows) < len(said) + 257
        for key in stored:
            entry = store.read_now(lambda tx, key=key: ledger.by_retry_key(tx, key))
            assert entry.rules == ("c",), "an audit entry without its record"
        assert {json.loads(row.payload)["key"] for row in rows} == stored


FULL_DISK = """
import resource, sys
from datetime import UTC, datetime
from gateway import audit
from gateway.errors import NotStored
from gateway.model import Event
from gateway.settings import StoreSettings
from gateway.store import Store

store = Store.open(StoreSettings.model_validate_json(sys.argv[1]))
def job(tx):
    audit.append(tx, Event.MESSAGE_HELD, actor="a", subject="s", payload={"x": "y" * 50_000}, at=datetime.now(UTC))
store.write_now(job)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
stored = 1
for _ in range(50):
    try:
        store.write_now(job)
    except NotStored as problem:
        print(stored, problem)
        sys.exit()
    stored += 1
"""


def test_a_file_that_may_not_grow_is_not_stored_and_nothing_is_half_written(lite):
    """The kernel refuses a write of SQLite's: NotStored, and the chain is whole at the last entry answered."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, lite.settings.model_dump_json()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    stored, _, words = done.stdout.partition(" ")
    assert "the store failed" in words
    report = lite.read_now(audit.verify)
    assert report.problems == ()
    assert report.entries == int(stored)


def test_two_who_count_deliveries_at_once_are_both_counted(postgresql, tmp_path):
    """Two relays record a recipient taken at the same moment: the second waits, and neither result is lost.

    A result that is not stored is a mail that is sent again when the lease ends.
    """
    settings = postgresql.copy(tmp_path / "s", busy_timeout_s=20)
    with Store.open(settings) as one, Store.open(settings) as two, ThreadPoolExecutor(1) as thread:
        before = int(one.read_now(lambda tx: records.fact(tx, "outbox_mark")))
        ids = [one.write_now(lambda tx: outbox.queue_delivery(tx, a_delivery(), NOW)) for _ in range(2)]

        def take(store, delivery_id):
            def job(tx):
                outbox.record_results(tx, delivery_id, [(0, RecipientState.SENT, "250 2.0.0 Ok")], NOW)

            return lambda: store.write_now(job)

        def first(tx):
            outbox.record_results(tx, ids[0], [(0, RecipientState.SENT, "250 2.0.0 Ok")], NOW)
            second = thread.submit(take(two, ids[1]))
            with postgresql.connect() as watcher:
                query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                while not watcher.execute(query).fetchone()[0]:
                    assert not second.done(), "it did not wait"
            return second

        one.write_now(first).result(30)
        assert int(one.read_now(lambda tx: records.fact(tx, "outbox_mark"))) == before + 2
        assert all(not one.read_now(lambda tx, each=each: outbox.delivery(tx, each)).pending for each in ids)
