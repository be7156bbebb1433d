"""What nobody waits for: it shares the next transaction, is told how it ended, and outlives the closing of the store."""

import asyncio

import pytest

from gateway.errors import NotStored
from gateway.store import Store, records


def fact(name):
    return lambda tx: records.set_fact(tx, name, "1")


def facts(store, *names):
    return tuple(store.read_now(lambda tx: [records.fact(tx, name) for name in names]))


async def test_it_shares_the_transaction_of_the_next_write(store):
    """Three outcomes and a record cost the disk one sync, and each is told that it is durable."""
    told = []
    await store.write(fact("before"))
    before = store.commits
    for name in ("a", "b", "c"):
        store.write_later(fact(name), told.append)
    await store.write(fact("d"))
    assert store.commits == before + 1
    assert told == [None] * 3
    assert facts(store, *"abcd") == ("1",) * 4


async def test_its_failure_is_told_and_costs_nobody_else(store):
    """A job that fails takes back its own changes alone; the record it went with stands."""
    told = []

    def broken(tx):
        fact("broken")(tx)
        raise KeyError("mine alone")

    store.write_later(broken, told.append)
    store.write_later(fact("fine"), told.append)
    await store.write(fact("record"))
    assert [type(problem) for problem in told] == [KeyError, type(None)]
    assert facts(store, "broken", "fine", "record") == (None, "1", "1")


async def test_hurry_does_not_wait_for_a_write(store):
    """With nothing else to write it is written by itself when told to hurry."""
    done = asyncio.get_running_loop().create_future()
    store.write_later(fact("a"), done.set_result)
    store.hurry()
    assert await asyncio.wait_for(done, 30) is None
    assert facts(store, "a") == ("1",)


async def test_closing_writes_it_and_then_refuses_more(sqlite, tmp_path):
    """A store that never wrote anything else still writes what was left with it before it closes."""
    settings = sqlite.copy(tmp_path / "s")
    store, told = Store.open(settings), []
    store.write_later(fact("a"), told.append)
    await asyncio.to_thread(store.close)
    with pytest.raises(NotStored, match="closed"):
        store.write_later(fact("b"), told.append)
    store.hurry()
    await asyncio.sleep(0)
    assert told == [None]
    with Store.open(settings) as again:
        assert facts(again, "a", "b") == ("1", None)
