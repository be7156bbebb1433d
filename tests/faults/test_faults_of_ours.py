"""What fails on our side while mail is on the road: store, disk, workers. What is the sender told, and is it safe?"""

import asyncio
import contextlib
import re
import resource
import sqlite3
from collections.abc import Iterator

import psutil
import pytest
from conftest_of_faults import Line
from fault_cases import (
    DATABASE_LOCKED,
    DEPARTURES,
    DISK_FULL,
    NO_WORKER_FREE,
    OUT_OF_MEMORY,
    OUT_OF_TIME,
    STARVED,
    WORKER_KILLED,
    OwnFault,
)
from fault_client import Client, stuffed, told
from gateway_process import ADVANCE, CONTACT, OFFICER, UPDATE, mail

from gateway.model import Event, ItemKind, UnreadableReason
from gateway.store import Store, items

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CLERK = "clerk@council.example"
WITNESS = "joseph@home.example"


def plainly(answer: object) -> str:
    return re.sub(r"(2\.0\.0 Accepted) [a-z2-7]{20}$", r"\1 ID", str(answer))


async def send(line: Line, raw: bytes, *recipients: str) -> str:
    return plainly(await told(line.port, raw, *recipients))


def workers(line: Line, kind: str = "") -> list[psutil.Process]:
    assert line.gateway.process is not None
    found = psutil.Process(line.gateway.process.pid).children()
    return [process for process in found if kind in " ".join(process.cmdline())]


@contextlib.contextmanager
def standing_still(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


async def until_workers_are_back(line: Line) -> None:
    """Wait until an inspected message passes again: the replacement is warm."""
    async with asyncio.timeout(60):
        while await send(line, mail(UPDATE, to=WITNESS), WITNESS) != WORKER_KILLED.contact:
            pass


def unreadable(line: Line, raw: bytes) -> list[UnreadableReason]:
    (item,) = line.recorded(raw)
    with Store.open(line.store) as store:
        full = store.read_now(lambda tx: items.item_in_full(tx, item.id))
    assert full is not None
    return [one.reason for one in full.verdict.unreadable]


# --- the store ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [DATABASE_LOCKED], ids=["locked"])
async def test_locked_database_keeps_nobody_from_the_banner(line: Line, case: OwnFault):
    """While another process holds the database, clients are greeted, other mail flows, contact mail gets 451."""
    held, passed = mail(ADVANCE), mail(UPDATE, to=WITNESS)
    lock = sqlite3.connect(line.gateway.folder / "gateway.db", isolation_level=None, timeout=30)
    lock.execute("BEGIN IMMEDIATE")
    try:
        waiting = [
            asyncio.create_task(send(line, raw, to)) for raw, to in ((held, CONTACT), (passed, WITNESS))
        ]
        client = await Client.connect(line.port)
        assert (await client.reply()).startswith("220")
        assert await send(line, mail(UPDATE, to=CLERK), CLERK) == case.others
        assert not any(one.done() for one in waiting), "it waited for the lock"
        client.leave()
        assert [await one for one in waiting] == [case.contact, case.contact]
    finally:
        lock.rollback()
        lock.close()
    assert not line.copies(passed)
    assert [await send(line, raw, to) for raw, to in ((held, CONTACT), (passed, WITNESS))] == [
        "dot: 250 2.0.0 Accepted ID"
    ] * 2
    assert len(line.recorded(held)) == 1
    assert line.copies(passed) == {WITNESS: 1}


@contextlib.contextmanager
def no_room(line: Line) -> Iterator[None]:
    """No file of the gateway may grow: each write of the database fails as on a full disk (EFBIG for ENOSPC)."""
    assert line.gateway.process is not None
    gateway = psutil.Process(line.gateway.process.pid)
    before = gateway.rlimit(resource.RLIMIT_FSIZE)
    gateway.rlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        gateway.rlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("case", [DISK_FULL], ids=["full"])
async def test_full_disk_under_store_and_log(line: Line, case: OwnFault):
    """Not even the log can be written: contact mail is put off, other mail flows, nothing is lost (P1, P3)."""
    held, passed, plain = mail(ADVANCE), mail(UPDATE, to=WITNESS), mail(UPDATE, to=CLERK)
    with no_room(line):
        assert await send(line, held, CONTACT) == case.contact
        assert await send(line, passed, WITNESS) == case.contact
        assert await send(line, plain, CLERK) == case.others
        assert not line.copies(passed)
    assert await send(line, held, CONTACT) == "dot: 250 2.0.0 Accepted ID"
    assert await send(line, passed, WITNESS) == "dot: 250 2.0.0 Accepted ID"
    assert len(line.recorded(held)) == 1
    assert line.copies(passed) == {WITNESS: 1}
    assert line.copies(plain) == {CLERK: 1}
    assert line.gateway.run("audit", "verify").returncode == 0


# --- workers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["extract", "lexical"])
@pytest.mark.parametrize("case", [WORKER_KILLED], ids=["killed"])
async def test_message_whose_worker_is_killed_is_held(line: Line, case: OwnFault, kind: str):
    """What kills the process that reads it is for a person to look at: held, and the sender hears 250 (DECISIONS 7)."""
    raw = mail(UPDATE, to=WITNESS)
    (worker,) = workers(line, kind)
    with standing_still([worker]):
        sending = asyncio.create_task(send(line, raw, WITNESS))
        assert await send(line, mail(UPDATE, to=CLERK), CLERK) == "dot: 250 2.0.0 Accepted ID"
        await until_it_waits_for(line, worker)
        worker.kill()
    assert await sending == case.contact
    assert [item.kind for item in line.recorded(raw)] == [ItemKind.HOLD]
    expected = {"extract": UnreadableReason.WORKER_FAILED, "lexical": UnreadableReason.NOT_IN_TIME}
    assert unreadable(line, raw) == [expected[kind]]
    assert not line.copies(raw)
    await until_workers_are_back(line)


async def until_it_waits_for(line: Line, worker: psutil.Process) -> None:
    """Wait until the gateway has handed the stopped ``worker`` its task: the others use no processor time any more."""
    assert line.gateway.process is not None
    gateway = psutil.Process(line.gateway.process.pid)
    busy = [gateway, *(other for other in workers(line) if other != worker)]
    quiet, spent = 0, -1.0
    async with asyncio.timeout(20):
        while quiet < 10:
            now = sum(sum(process.cpu_times()[:2]) for process in busy)
            quiet, spent = (quiet + 1 if now == spent else 0), now
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("case", [OUT_OF_TIME], ids=["time"])
async def test_message_that_takes_too_long_is_held(line: Line, case: OwnFault):
    """Past its processor time a message is held as unreadable, and other mail does not wait for it (P11)."""
    text = "\n".join(
        f"We met at {hour} and then we went on to talk about the file, x{hour}." for hour in range(300_000)
    )
    raw = mail(text, to=WITNESS)
    assert await send(line, raw, WITNESS) == case.contact
    assert [item.kind for item in line.recorded(raw)] == [ItemKind.HOLD]
    assert set(unreadable(line, raw)) <= {UnreadableReason.NOT_IN_TIME, UnreadableReason.WORKER_FAILED}
    assert unreadable(line, raw)
    assert not line.copies(raw)
    await until_workers_are_back(line)


@pytest.mark.parametrize("case", [OUT_OF_MEMORY], ids=["memory"])
async def test_message_that_needs_too_much_memory_is_held(line: Line, case: OwnFault):
    """A worker without memory costs the message its reading, and nobody else anything (P11)."""
    raw = mail(ADVANCE)
    for worker in workers(line, "extract"):
        used = worker.memory_info().vms
        worker.rlimit(resource.RLIMIT_AS, (used, used))
    big = raw + b"<p>word</p>\r\n" * 1_500_000
    assert await send(line, big, CONTACT) == case.contact
    assert [item.kind for item in line.recorded(big)] == [ItemKind.HOLD]
    assert unreadable(line, big) == [UnreadableReason.WORKER_FAILED]
    await until_workers_are_back(line)


@pytest.mark.parametrize("case", [NO_WORKER_FREE], ids=["none free"])
async def test_without_a_free_worker_the_sender_keeps_the_message(line: Line, case: OwnFault):
    """The machine's trouble is not the message's: 451, and held or passed once a worker is free (DECISIONS 7)."""
    first, second = mail(UPDATE, to=WITNESS), mail(UPDATE, to=WITNESS)
    with standing_still(workers(line, "extract")):
        one = asyncio.create_task(send(line, first, WITNESS))
        await asyncio.sleep(0.1)  # whichever comes first, one of the two finds no worker free
        two = asyncio.create_task(send(line, second, WITNESS))
        assert await send(line, mail(UPDATE, to=CLERK), CLERK) == case.others
        done, _ = await asyncio.wait([one, two], return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in done] == [case.contact]
    assert sorted([await one, await two]) == ["dot: 250 2.0.0 Accepted ID", case.contact]
    for raw in (first, second):
        if not line.copies(raw):
            assert await send(line, raw, WITNESS) == "dot: 250 2.0.0 Accepted ID"
        assert line.copies(raw) == {WITNESS: 1}
        assert not line.recorded(raw)


@pytest.mark.parametrize("case", [STARVED], ids=["starved"])
async def test_third_try_of_a_message_that_starves_its_worker_is_held(line: Line, case: OwnFault):
    """Twice the machine is blamed, the third time a person looks at the bytes (DECISIONS 7)."""
    raw = mail(UPDATE, to=WITNESS)
    for _ in range(2):
        with standing_still(workers(line, "extract")):
            assert await send(line, raw, WITNESS) == case.contact
        assert not line.recorded(raw)
        await until_workers_are_back(line)
    assert await send(line, raw, WITNESS) == "dot: 250 2.0.0 Accepted ID"
    assert [item.kind for item in line.recorded(raw)] == [ItemKind.HOLD]
    assert unreadable(line, raw) == [UnreadableReason.WORKER_FAILED]


# --- clients that leave -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", DEPARTURES, ids=lambda case: case.after.replace(" ", "-"))
@pytest.mark.parametrize("text", [ADVANCE, UPDATE], ids=["held", "passed"])
async def test_client_leaves(line: Line, case, text: str):
    """Before the dot nothing becomes of its message; after it, what would have, exactly once (P1)."""
    raw = mail(text, to=WITNESS)
    client = await Client.connect(line.port)
    steps = [one.after for one in DEPARTURES]
    far = steps.index(case.after)
    await client.reply()
    if far >= 1:
        await client.say("EHLO mail.force.example")
    if far >= 2:
        await client.say(f"MAIL FROM:<{OFFICER}>")
    if far >= 3:
        await client.say(f"RCPT TO:<{WITNESS}>")
    if far >= 4:
        await client.say("DATA")
    wire = stuffed(raw)
    client.writer.write({5: wire[: len(wire) // 2], 6: wire[:-3], 7: wire}.get(far, b""))
    await client.writer.drain()
    before = line.audited(Event.MESSAGE_HELD) + len(line.smarthost.mails)
    if case.after == "the dot":
        client.writer.close()
        async with asyncio.timeout(20):
            while line.audited(Event.MESSAGE_HELD) + len(line.smarthost.mails) == before:
                await asyncio.sleep(0.02)
    else:
        client.leave()
    # The gateway serves on, and a message that comes later overtakes nothing: what was to be done is done.
    assert await send(line, mail(UPDATE, to=WITNESS), WITNESS) == "dot: 250 2.0.0 Accepted ID"
    becomes = case.after == "the dot"
    assert len(line.recorded(raw)) == (becomes and text is ADVANCE)
    assert line.copies(raw).total() == (becomes and text is UPDATE)
    assert await send(line, raw, WITNESS) == "dot: 250 2.0.0 Accepted ID"
    assert len(line.recorded(raw)) == (text is ADVANCE)
