"""The line to a worker: what it carries, and what becomes of one that dies or says what nobody asked."""

import asyncio
import os
import signal
import socket

import pytest
import structlog

from gateway.errors import NoWorker
from gateway.model import Limits
from gateway.settings import InspectionSettings
from gateway.workers import ExtractRequest, Pool, pool
from gateway.workers.messages import Extracted

LIMITS = Limits(max_parts=100, max_depth=20, max_header_bytes=100_000, max_decoded_chars=100_000)
MAIL = b"From: amir.khan@force.example\r\nSubject: Your case\r\n\r\nThe file is with the prosecutors.\r\n"


@pytest.fixture
async def line():
    """A line of ours, and the other end of its socket."""
    ours, theirs = socket.socketpair()
    transport, line = await asyncio.get_running_loop().create_connection(pool._Line, sock=ours)
    theirs.setblocking(False)
    with theirs:
        yield line, theirs
        transport.abort()


async def say(theirs, octets):
    await asyncio.get_running_loop().sock_sendall(theirs, octets)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def warm(line, theirs):
    await say(theirs, b"+")
    await line.ready()


async def asked(line, theirs, patience_s=10.0):
    """Ask a question, take it off the socket, and return the task that waits for the answer."""
    task = asyncio.ensure_future(line.ask(b"question", patience_s))
    assert await asyncio.get_running_loop().sock_recv(theirs, 100) == b"\0\0\0\x08question"
    return task


async def test_an_answer_in_pieces_is_put_together(line):
    """A request calls for one answer, however the kernel cuts it up; so does the next one."""
    ours, theirs = line
    await warm(ours, theirs)
    for answer in (b"abc", b"", b"x" * 100_000):
        task = await asked(ours, theirs)
        whole = len(answer).to_bytes(4, "big") + answer
        for piece in (whole[:2], whole[2:5], whole[5:]):
            await say(theirs, piece)
        assert await task == answer


async def test_octets_nobody_asked_for_cut_the_line(line):
    """A worker that was taken over cannot answer the next message in advance, nor fill the relay's memory."""
    ours, theirs = line
    await warm(ours, theirs)
    await say(theirs, b"\0\0\0\3yes")
    await until(lambda: ours.is_lost)
    with pytest.raises(ConnectionError):
        await ours.ask(b"question", 10)


async def test_more_than_an_answer_cuts_the_line(line):
    """What follows an answer in the same breath would be taken for the answer to the next message."""
    ours, theirs = line
    await warm(ours, theirs)
    task = await asked(ours, theirs)
    await say(theirs, b"\0\0\0\3yes\0\0\0\2no")
    with pytest.raises(ConnectionError):
        await task


async def test_an_answer_that_would_not_end_cuts_the_line(line):
    """A length of four gigabytes is no answer, and not a reason to collect them."""
    ours, theirs = line
    await warm(ours, theirs)
    task = await asked(ours, theirs)
    await say(theirs, b"\xff\xff\xff\xffyes")
    with pytest.raises(ConnectionError):
        await task


async def test_a_loss_is_told_to_whoever_waits(line):
    """A worker that dies over its message is noticed at once, not at the end of its time."""
    ours, theirs = line
    await warm(ours, theirs)
    task = await asked(ours, theirs)
    theirs.close()
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(task, 10)


async def test_a_worker_that_does_not_become_warm_is_lost(line):
    """One that hangs up before it is ready, or says something else first, does not serve."""
    ours, theirs = line
    await say(theirs, b"++")
    with pytest.raises(ConnectionError):
        await ours.ready()


async def test_a_late_answer_is_given_up(line):
    """The time is up: the caller is told, and what comes afterwards is no answer to the next question."""
    ours, theirs = line
    await warm(ours, theirs)
    with pytest.raises(TimeoutError):
        await ours.ask(b"question", 0.01)
    ours.cut()
    with pytest.raises(ConnectionError):
        await ours.ask(b"question", 10)


async def test_an_answer_that_makes_no_sense_is_a_lost_worker(line):
    """What a taken-over worker says instead of an answer costs it its line, not the relay its duties."""
    ours, theirs = line
    await warm(ours, theirs)
    worker = pool._Worker(None, ours)
    call = asyncio.ensure_future(worker.call(ExtractRequest(raw=MAIL, limits=LIMITS), 10))
    await asyncio.get_running_loop().sock_recv(theirs, 4096)
    await say(theirs, b"\0\0\0\3\xc1\xc1\xc1")
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(call, 10)


async def test_a_worker_that_died_while_idle_is_replaced_and_no_message_is_blamed():
    """A process that the kernel ends between two messages costs neither of them its inspection (DECISIONS 7)."""
    settings = InspectionSettings(extract_workers=1, language_workers=1, spare_workers=0, language=False)
    made = Pool("extract", settings, size=1)
    await made.start()
    try:
        request = ExtractRequest(raw=MAIL, limits=LIMITS)
        before = await made.ask(request, Extracted)
        (first,) = made.pids
        worker = next(iter(made._alive))
        os.kill(first, signal.SIGKILL)
        await until(lambda: worker.is_gone)
        assert await made.ask(request, Extracted) == before
        assert first not in made.pids
    finally:
        await made.close()


async def test_a_worker_that_does_not_start_is_told_once(monkeypatch):
    """Why the place of a lost worker stays empty stands in the log, once for a reason, until one starts."""
    settings = InspectionSettings(extract_workers=1, language_workers=1, spare_workers=0, language=False)
    made = Pool("extract", settings, size=1)
    troubles = [NoWorker("no memory"), NoWorker("no memory"), OSError("no process")]

    async def new():
        if troubles:
            raise troubles.pop(0)
        return object()

    monkeypatch.setattr(made, "_new", new)
    monkeypatch.setattr(pool, "_RESTART_PAUSE_S", 0)
    with structlog.testing.capture_logs() as logged:
        await made._replace()
    assert [(entry["event"], entry["error"]) for entry in logged] == [
        ("worker:not-started", "no memory"),
        ("worker:not-started", "no process"),
    ]
    assert made.crew.replaced == 1
