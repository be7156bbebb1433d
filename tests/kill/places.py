"""Places to kill at: each waits until the gateway is provably there, seen from outside, and holds it there.

Nothing in the gateway helps. What holds it: a smarthost that keeps an answer back, a sender that stops in
mid-upload, workers under SIGSTOP, a database that another connection has locked, the gateway itself under SIGSTOP.
"""

import asyncio
import contextlib
import os
import signal
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import psutil
from gateway_process import GatewayProcess
from load import Kind, Load
from smarthost import Act, Smarthost, Stage

INSPECTED = (Kind.UPDATE, Kind.FLAG, Kind.HOLD, Kind.MIXED)


@dataclass(kw_only=True)
class Scene:
    """Who plays."""

    smarthost: Smarthost
    gateway: GatewayProcess
    load: Load

    @property
    def database(self) -> Path:
        return self.gateway.folder / "gateway.db"

    @property
    def pid(self) -> int:
        assert self.gateway.process is not None
        return self.gateway.process.pid

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)


class Gate(asyncio.Event):
    """Handed to `Act.waits_for`: says when somebody stands before it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> bool:
        self.reached.set()
        await super().wait()
        return True


Place = Callable[[Scene], AbstractAsyncContextManager[None]]


@contextlib.asynccontextmanager
async def _smarthost_keeps_back(
    scene: Scene, stage: Stage, *, when: bytes = b"", timeout_s: float = 60
) -> AsyncIterator[Gate]:
    gate = Gate()
    scene.smarthost.at(stage, Act(waits_for=gate), when=when)
    try:
        async with asyncio.timeout(timeout_s):
            await gate.reached.wait()
        yield gate
    finally:
        scene.smarthost.forget_script()
        gate.set()


@contextlib.asynccontextmanager
async def mail(scene: Scene) -> AsyncIterator[None]:
    """The smarthost has MAIL and has not answered it."""
    async with _smarthost_keeps_back(scene, Stage.MAIL):
        yield


@contextlib.asynccontextmanager
async def rcpt(scene: Scene) -> AsyncIterator[None]:
    """The smarthost has RCPT and has not answered it."""
    async with _smarthost_keeps_back(scene, Stage.RCPT):
        yield


@contextlib.asynccontextmanager
async def data_in(scene: Scene) -> AsyncIterator[None]:
    """A sender has sent half of its message."""
    async with scene.load.stopped_in_mid_upload(lambda message: len(message.raw) > 1000):
        yield


@contextlib.asynccontextmanager
async def data_out(scene: Scene) -> AsyncIterator[None]:
    """The smarthost has DATA and has not said 354."""
    async with _smarthost_keeps_back(scene, Stage.DATA):
        yield


@contextlib.asynccontextmanager
async def inspect(scene: Scene) -> AsyncIterator[None]:
    """The workers stand still, and the gateway has read a message to a contact to its end."""
    workers = scene.workers()
    for worker in workers:
        worker.suspend()
    try:
        await scene.load.until(lambda: bool(scene.load.after_the_dot(*INSPECTED)))
        await _a_later_message_was_answered(scene)
        yield
    finally:
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.resume()


async def _a_later_message_was_answered(scene: Scene) -> None:
    """Plain messages that began after now were answered: one event loop has read what came before them."""
    before = scene.load.answered[Kind.PLAIN]
    goal = before + len(scene.load.senders) + 1
    with contextlib.suppress(
        TimeoutError
    ):  # all senders may be waiting by now: then nothing is left to be read
        await scene.load.until(lambda: scene.load.answered[Kind.PLAIN] >= goal, timeout_s=2)


@contextlib.asynccontextmanager
async def commit_locked(scene: Scene) -> AsyncIterator[None]:
    """Another connection holds the database locked; an inspected message waits for its record."""
    lock = sqlite3.connect(scene.database, isolation_level=None, timeout=30)
    lock.execute("BEGIN IMMEDIATE")
    try:
        await scene.load.until(lambda: bool(scene.load.after_the_dot(*INSPECTED)))
        await _a_later_message_was_answered(scene)
        await _workers_are_idle(scene)
        yield
    finally:
        lock.rollback()
        lock.close()


async def _workers_are_idle(scene: Scene) -> None:
    """No worker has used processor time for a tenth of a second: inspection is over, the record is under way."""
    spent, quiet = -1.0, 0
    async with asyncio.timeout(30):
        while quiet < 5:
            now = sum(sum(worker.cpu_times()[:2]) for worker in scene.workers())
            quiet = quiet + 1 if now == spent else 0
            spent = now
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def commit_written(scene: Scene) -> AsyncIterator[None]:
    """The write-ahead log has grown this instant: killed from a thread, no event loop between seeing and killing."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    log, pid = Path(f"{scene.database}-wal"), scene.pid
    await scene.load.until(lambda: bool(scene.load.after_the_dot(*INSPECTED)))
    stop = threading.Event()

    def watch() -> None:
        before = _size_and_time(log)
        while not stop.is_set():
            if _size_and_time(log) != before:
                os.kill(pid, signal.SIGKILL)
                loop.call_soon_threadsafe(done.set)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(60):
            await done.wait()
        yield
    finally:
        stop.set()
        thread.join()


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return found.st_size, found.st_mtime_ns


@contextlib.asynccontextmanager
async def between(scene: Scene) -> AsyncIterator[None]:
    """The smarthost has the message and its 250 is on our host; the gateway stands still and has not said its own."""
    async with _smarthost_keeps_back(scene, Stage.DOT) as gate:
        os.kill(scene.pid, signal.SIGSTOP)
        gate.set()
        await asyncio.sleep(0.02)  # not a synchronisation: the 250 goes into a socket buffer at once
        yield


@contextlib.asynccontextmanager
async def between_hold_and_rest(scene: Scene) -> AsyncIterator[None]:
    """A hold is committed, and the smarthost has not yet heard of the copies that do not wait."""
    async with _smarthost_keeps_back(scene, Stage.RSET):
        yield


@contextlib.asynccontextmanager
async def between_rest(scene: Scene) -> AsyncIterator[None]:
    """As `between`, for the copies that do not wait, next after a hold's RSET."""
    async with _smarthost_keeps_back(scene, Stage.RSET) as reset:
        gate = Gate()
        scene.smarthost.at(Stage.DOT, Act(waits_for=gate))
        reset.set()
        async with asyncio.timeout(60):
            await gate.reached.wait()
        os.kill(scene.pid, signal.SIGSTOP)
        gate.set()
        await asyncio.sleep(0.02)
        yield


# in the outbox, when nothing else is on the road


@contextlib.asynccontextmanager
async def outbox_mail(scene: Scene) -> AsyncIterator[None]:
    """A release is claimed, and MAIL is not answered."""
    async with _smarthost_keeps_back(scene, Stage.MAIL):
        yield


@contextlib.asynccontextmanager
async def outbox_data(scene: Scene) -> AsyncIterator[None]:
    """A release is claimed, and DATA is not answered."""
    async with _smarthost_keeps_back(scene, Stage.DATA):
        yield


@contextlib.asynccontextmanager
async def outbox_upload(scene: Scene) -> AsyncIterator[None]:
    """A release is being uploaded, and the smarthost does not read."""
    async with _smarthost_keeps_back(scene, Stage.UPLOAD):
        yield


@contextlib.asynccontextmanager
async def outbox_dot(scene: Scene) -> AsyncIterator[None]:
    """The smarthost has taken a release, and its 250 is on our host, unread."""
    async with between(scene):
        yield


@contextlib.asynccontextmanager
async def outbox_commit(scene: Scene) -> AsyncIterator[None]:
    """The smarthost has said 250 for a release, and the database is locked before that is written."""
    async with _smarthost_keeps_back(scene, Stage.DOT) as gate:
        lock = sqlite3.connect(scene.database, isolation_level=None, timeout=30)
        lock.execute("BEGIN IMMEDIATE")
        gate.set()
        try:
            await asyncio.sleep(0.2)  # ample for the gateway to read the 250 and to ask for the lock
            yield
        finally:
            lock.rollback()
            lock.close()


UNDER_LOAD: dict[str, tuple[Place, ...]] = {
    "MAIL": (mail, rcpt),
    "DATA": (data_in, data_out),
    "inspect": (inspect,),
    "commit": (commit_locked, commit_written),
    "between the two 250s": (between, between_rest, between_hold_and_rest),
}
OUTBOX = (outbox_mail, outbox_data, outbox_upload, outbox_dot, outbox_commit)
