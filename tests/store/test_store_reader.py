"""The reader: jobs that wait together share a transaction, and none pays for another's failure."""

import asyncio
import threading

import pytest
from sqlalchemy import text

from gateway.errors import NotStored
from gateway.store import records


async def test_jobs_that_wait_together_are_read_together(store):
    """While one job reads, the next queue up and then see one moment of the database."""
    go_on = threading.Event()
    connections = []

    def slow(tx):
        go_on.wait(10)

    def note(tx):
        connections.append(tx.connection)
        return len(connections)

    first = asyncio.ensure_future(store.read(slow))
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(store.read(note)) for _ in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    await first
    assert await asyncio.gather(*others) == [1, 2, 3, 4, 5]
    assert len({id(connection) for connection in connections}) == 1


async def test_a_job_that_fails_fails_alone(store):
    """A fault in one look-up is its caller's; those behind it are answered."""

    def fault(tx):
        raise ValueError("a fault of ours")

    def wrong(tx):
        tx.connection.execute(text("SELECT nothing FROM nowhere"))

    def fine(tx):
        return records.fact(tx, "no such fact")

    results = await asyncio.gather(
        *(store.read(job) for job in (fault, fine, wrong, fine)), return_exceptions=True
    )
    assert isinstance(results[0], ValueError)
    assert isinstance(results[2], NotStored)
    assert results[1] is None
    assert results[3] is None


async def test_a_job_nobody_waits_for_is_not_run(store):
    """A cancelled look-up costs nothing, and stops nobody."""
    go_on, ran = threading.Event(), []
    first = asyncio.ensure_future(store.read(lambda tx: go_on.wait(10)))
    second = asyncio.ensure_future(store.read(lambda tx: ran.append("second")))
    third = asyncio.ensure_future(store.read(lambda tx: ran.append("third")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, third)
    assert ran == ["third"]


async def test_a_closed_store_says_so(store):
    """After closing, a look-up is refused and not left to wait."""
    await asyncio.to_thread(store.close)
    with pytest.raises(NotStored, match="closed"):
        await store.read(lambda tx: None)
