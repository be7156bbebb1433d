"""The relay's side of the workers: processes started, asked, replaced and ended.

Owns their life and the line to each. Whose fault a failure is, the package's docstring says.
"""

import asyncio
import contextlib
import math
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from gateway import inspection
from gateway.errors import Mistake, Mistakes, NoWorker, StarvedWorker, UninspectableMessage
from gateway.model import Authored, History, HouseStyle, Inspection, Limits, Parties
from gateway.settings import InspectionSettings
from gateway.workers.messages import (
    LENGTH,
    READY,
    Answer,
    AnswerT,
    Extracted,
    ExtractRequest,
    Failed,
    Judged,
    JudgeRequest,
    Loaded,
    LoadRequest,
    NotLoaded,
    Request,
    allowed_cpu_s,
    answers,
    encoder,
)

_NOT_STARTED = "Raise inspection.worker_memory_bytes, or make the rule set smaller; it is tried every second."
log = structlog.get_logger("gateway.workers")
_WALL_FACTOR = 4
"""A worker may take this many times its processor time before the machine is blamed for starving it."""
_RESTART_PAUSE_S = 1.0
_START_S = 120
_FORMER_S = 600
"""How long a rule set may still be asked for after another came into force: longer than a message waits for workers."""
_MAX_ANSWER_BYTES = 268_435_456  # far more than inspection.max_decoded_chars allows


class _Line(asyncio.Protocol):
    """Our end of the socket to one worker.

    A protocol, not streams: an answer costs one future, and as many callbacks as the kernel makes pieces of it.
    What comes unasked, or would not end, is not from a worker of ours any more; the line is then cut.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self.is_lost = False
        self._received = bytearray()
        self._awaited = len(READY)
        """How many octets the answer has, as far as is known; 0: nothing was asked."""
        self._length_known = True
        self._waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = transport  # type: ignore[assignment]  # a stream transport, by the kind of protocol

    def data_received(self, data: bytes) -> None:
        """Keep what came; hand it to who waits once it is the whole answer."""
        self._received += data
        if not self._length_known and len(self._received) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._received)
            self._awaited, self._length_known = LENGTH.size + length, True
            if length > _MAX_ANSWER_BYTES:
                self._lose("the worker's answer would not end")
        if len(self._received) > self._awaited:
            self._lose("the worker spoke unasked")
        elif self._length_known and len(self._received) == self._awaited and not self._waiter.done():
            answer = bytes(self._received)
            self._received.clear()
            self._awaited = 0
            self._waiter.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's face; a loss is a loss
        """Tell who waits."""
        self._lose("the worker hung up")

    async def ready(self) -> None:
        """Return when the worker says that it is warm. Raises ConnectionError."""
        await self._waiter

    async def ask(self, body: bytes, patience_s: float) -> bytes:
        """Send ``body`` and return the body of the answer. Raises ConnectionError, or TimeoutError after that time."""
        if self.is_lost or self._transport is None:
            raise ConnectionResetError("the worker hung up")
        loop = asyncio.get_running_loop()
        self._awaited, self._length_known = LENGTH.size, False
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(patience_s, _run_out, waiter)
        try:
            self._transport.writelines((LENGTH.pack(len(body)), body))
            answer: bytes = await waiter
            return answer[LENGTH.size :]
        finally:
            timer.cancel()

    def cut(self) -> None:
        """End the line at once. Never raises."""
        self._lose("the worker was let go")

    def _lose(self, why: str) -> None:
        self.is_lost = True
        self._received.clear()
        if not self._waiter.done():
            self._waiter.set_exception(ConnectionResetError(why))
            self._waiter.exception()  # heard: whoever waits gets it all the same, and often nobody does
        if self._transport is not None:
            self._transport.abort()


def _run_out(waiter: "asyncio.Future[bytes]") -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


class _Worker:
    """One process, and the line to it."""

    def __init__(self, process: asyncio.subprocess.Process, line: _Line) -> None:
        self.process = process
        self._line = line
        self._turn = asyncio.Lock()
        self.calls = 0

    @classmethod
    async def start(cls, kind: str, settings: InspectionSettings) -> "_Worker":
        """Return a warm worker. Whoever gives up waiting for it, or is told to, leaves no process behind."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",
                    "-m",
                    "gateway.workers",
                    kind,
                    str(theirs.fileno()),
                    str(settings.worker_memory_bytes),
                    str(math.ceil(settings.message_timeout_s)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env=_environment(),
                    start_new_session=True,
                )
        except BaseException:
            ours.close()
            raise
        _, line = await asyncio.get_running_loop().create_connection(_Line, sock=ours)
        worker = cls(process, line)
        try:
            async with asyncio.timeout(_START_S):
                await line.ready()
        except (ConnectionError, TimeoutError) as lost:
            worker.kill()
            raise NoWorker(f"a {kind} worker did not start") from lost
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def is_gone(self) -> bool:
        """True when nothing more can come from it."""
        return self._line.is_lost

    async def call(self, request: Request, patience_s: float) -> Answer:
        """Return the answer. Raises ConnectionError for a worker that is lost, TimeoutError for one that is late."""
        async with self._turn:
            self.calls += 1
            octets = await self._line.ask(encoder.encode(request), patience_s)
        try:
            answer: Answer = answers.decode(octets)
        except msgspec.DecodeError as nonsense:
            raise ConnectionAbortedError("the worker's answer makes no sense") from nonsense
        return answer

    async def end(self) -> None:
        """End the process and wait until it is gone."""
        self.kill()
        await self.process.wait()

    def kill(self) -> None:
        self._line.cut()
        if self.process.returncode is None:
            # Not `process.kill`: asyncio's asks first whether it has ended, and takes what it died of away from who waits.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How the workers of one kind are: how many there are to be, are there and work, and how many were replaced so far."""

    kind: str
    wanted: int
    alive: int
    busy: int
    replaced: int


class Pool:
    """Workers of one kind: ``size`` work at once, a few more stand by warm."""

    def __init__(self, kind: str, settings: InspectionSettings, *, size: int) -> None:
        """``settings`` gives the limits of time, memory and waiting."""
        self._kind = kind
        self._settings = settings
        self._size = size
        self._places = asyncio.Semaphore(size)
        self._busy = 0
        self._replaced = 0
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        self._alive: set[_Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.first_requests: tuple[Request, ...] = ()
        """Told to each new worker, in this order, before it serves: the rule sets that it may be asked for."""

    async def start(self) -> None:
        """Return once every worker and spare is warm; raises `NoWorker` when one cannot be started."""
        wanted = self._size + self._settings.spare_workers
        for worker in await asyncio.gather(*(self._new() for _ in range(wanted))):
            self._idle.put_nowait(worker)

    async def ask(self, request: Request, answer: type[AnswerT]) -> AnswerT:
        """Return the worker's answer; the module's docstring names the two ways in which it can fail."""
        if self._places.locked():
            try:
                async with asyncio.timeout(self._settings.wait_timeout_s):
                    await self._places.acquire()
            except TimeoutError:
                raise self._none_free() from None
        else:
            await self._places.acquire()  # returns at once
        self._busy += 1
        try:
            return await self._ask(request, answer)
        finally:
            self._busy -= 1
            self._places.release()

    async def _ask(self, request: Request, answer: type[AnswerT]) -> AnswerT:
        worker = await self._take()
        wall_s = self._patience_s(request)
        try:
            said = await worker.call(request, wall_s)
        except TimeoutError:
            self._end(worker)
            raise StarvedWorker(f"a {self._kind} worker had no answer ready in {wall_s:g} s") from None
        except ConnectionError:
            self._end(worker)
            raise UninspectableMessage(await self._cause_of_death(worker)) from None
        except BaseException:
            self._end(worker)
            raise
        if isinstance(said, Failed | NotLoaded) or worker.calls >= self._settings.worker_messages:
            self._end(worker)
        else:
            self._idle.put_nowait(worker)
        if isinstance(said, NotLoaded):  # its successor is told what there is to know
            raise NoWorker(f"a {self._kind} worker does not hold the rule set {said.rules_hash[:12]}")
        if isinstance(said, Failed):
            raise UninspectableMessage(said.detail)
        assert isinstance(said, answer)
        return said

    async def _take(self) -> _Worker:
        """Return a warm worker; one that died while it was idle is replaced, and no message is blamed for it."""
        while True:
            if self._idle.empty():
                try:
                    async with asyncio.timeout(self._settings.wait_timeout_s):
                        worker = await self._idle.get()
                except TimeoutError:
                    raise self._none_free() from None
            else:
                worker = self._idle.get_nowait()
            if not worker.is_gone:
                return worker
            self._end(worker)

    async def tell_all(self, request: Request, answer: type[AnswerT]) -> tuple[AnswerT, ...]:
        """Return every living worker's answer; a busy one is told when its message is done."""
        answers: list[AnswerT] = []
        for worker in tuple(self._alive):
            try:
                said = await worker.call(request, self._patience_s(request))
            except ConnectionError:
                continue  # it died over its message, and its successor starts with `first_requests`
            except TimeoutError:
                self._end(worker)  # its successor does, too
                continue
            if isinstance(said, answer):
                answers.append(said)
            else:
                self._end(worker)
        return tuple(answers)

    async def close(self) -> None:
        """End every worker."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in tuple(self._alive):
            await worker.end()
        self._alive.clear()

    @property
    def crew(self) -> Crew:
        """How its workers are."""
        return Crew(
            kind=self._kind,
            wanted=self._size + self._settings.spare_workers,
            alive=len(self._alive),
            busy=self._busy,
            replaced=self._replaced,
        )

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the living workers."""
        return tuple(worker.process.pid for worker in self._alive)

    def _patience_s(self, request: Request) -> float:
        """Return after how many seconds the machine is blamed for a worker that has no answer."""
        return _WALL_FACTOR * allowed_cpu_s(request, self._settings.message_timeout_s)

    def _none_free(self) -> NoWorker:
        return NoWorker(f"no {self._kind} worker was free in {self._settings.wait_timeout_s:g} s")

    async def _new(self) -> _Worker:
        worker = await _Worker.start(self._kind, self._settings)
        told: list[Request] = []
        while untold := [one for one in self.first_requests if all(one is not other for other in told)]:
            told.append(untold[0])  # one at a time: a set adopted meanwhile was told to the living only
            try:
                said = await worker.call(told[-1], self._patience_s(told[-1]))
            except (ConnectionError, TimeoutError) as lost:
                worker.kill()
                raise NoWorker(f"a {self._kind} worker died over its first task") from lost
            except BaseException:
                await worker.end()
                raise
            if isinstance(said, Failed):
                worker.kill()
                raise NoWorker(f"a {self._kind} worker failed over its first task: {said.detail}")
        self._alive.add(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        worker.kill()
        if worker not in self._alive:
            return  # ended before, and replaced
        self._alive.discard(worker)
        task = asyncio.get_running_loop().create_task(self._replace())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _replace(self) -> None:
        said = ""
        while True:
            try:
                self._idle.put_nowait(await self._new())
            except (NoWorker, OSError) as trouble:
                if str(trouble) != said:  # tried every second: the same reason is told once
                    said = str(trouble)
                    log.error("worker:not-started", kind=self._kind, error=said, hint=_NOT_STARTED)
            else:
                self._replaced += 1
                return
            await asyncio.sleep(_RESTART_PAUSE_S)

    async def _cause_of_death(self, worker: _Worker) -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                code = await worker.process.wait()
                if code == -signal.SIGXCPU:
                    return f"It took more than {self._settings.message_timeout_s:g} s of processor time."
                if code < 0:
                    return f"The process that read it was ended by {signal.Signals(-code).name}."
        return "The process that read it ended."


class Workers:
    """Both pools, and the rule set they hold."""

    def __init__(self, settings: InspectionSettings, limits: Limits) -> None:
        """Make the pools; `start` starts them. ``limits`` bound the reading of one message."""
        self._settings = settings
        self._limits = limits
        self._extract = Pool("extract", settings, size=settings.extract_workers)
        kind = "language" if settings.language else "lexical"
        self._language = Pool(kind, settings, size=settings.language_workers)
        self._in_force = ""
        self._loads: dict[str, LoadRequest] = {}
        """The sets that a message may be judged by, by hash: the one in force, one being adopted, and former ones."""

    async def start(self, bundle: inspection.Bundle) -> None:
        """Return when every process is warm and holds ``bundle``; raises `Mistakes` or `NoWorker`."""
        await asyncio.gather(self._extract.start(), self._language.start())
        async with self.adopting(bundle):
            pass

    @contextlib.asynccontextmanager
    async def adopting(self, bundle: inspection.Bundle) -> AsyncIterator[None]:
        """Hold ``bundle`` in every language worker beside the set in force; leaving the block puts it in force.

        Raises `Mistakes` and changes nothing when it is wrong, or more than a worker can hold. A block that raises leaves the old set in force and
        this one forgotten. In the block either may be named in `judge`, and for a while after it the former one,
        by messages that began with it: whichever worker is replaced meanwhile, its successor knows both.
        """
        if bundle.hash == self._in_force:
            yield
            return
        request = LoadRequest(
            bundle=bundle.to_json(),
            language=self._settings.language,
            encoder_windows=self._settings.encoder_windows,
            beside=tuple(self._loads),
        )
        try:
            first = await self._language.ask(request, Loaded)
        except UninspectableMessage as trouble:
            # Tried again and again, it would end one worker after the other.
            raise Mistakes((_too_much(trouble.reason),)) from trouble
        if first.mistakes:
            raise Mistakes(first.mistakes)
        others = {name: load for name, load in self._loads.items() if name != bundle.hash}
        self._keep(others | {bundle.hash: request})
        try:
            await self._language.tell_all(request, Loaded)
            yield
        except BaseException:
            self._forget(request)
            raise
        former, self._in_force = self._loads.get(self._in_force), bundle.hash
        if former is not None:
            asyncio.get_running_loop().call_later(_FORMER_S, self._forget, former)

    def _keep(self, loads: dict[str, LoadRequest]) -> None:
        self._loads = loads
        self._language.first_requests = tuple(loads.values())

    def _forget(self, gone: LoadRequest) -> None:
        """Tell new workers no more of this set; if it was adopted again since, that is another request, and stays."""
        self._keep({name: load for name, load in self._loads.items() if load is not gone})

    async def extract(self, raw: bytes, style: HouseStyle) -> Authored:
        """Return what the sender wrote; raises `UninspectableMessage` or `NoWorker`."""
        request = ExtractRequest(raw=raw, limits=self._limits, style=style)
        answer = await self._extract.ask(request, Extracted)
        return answer.authored

    async def judge(
        self, authored: Authored, parties: Parties, history: History, *, at: datetime, rules_hash: str
    ) -> Inspection:
        """Return the findings of the set ``rules_hash``; raises `UninspectableMessage` or `NoWorker`."""
        if rules_hash not in self._loads:
            raise NoWorker(f"no worker holds the rule set {rules_hash[:12]}")
        request = JudgeRequest(
            authored=authored, parties=parties, history=history, at=at, rules_hash=rules_hash
        )
        return (await self._language.ask(request, Judged)).inspection

    async def close(self) -> None:
        """End every process."""
        await asyncio.gather(self._extract.close(), self._language.close())

    @property
    def limits(self) -> Limits:
        """The bounds within which a message is read."""
        return self._limits

    @property
    def crews(self) -> tuple[Crew, ...]:
        """How the workers of each kind are."""
        return self._extract.crew, self._language.crew

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of all workers."""
        return self._extract.pids + self._language.pids


def _too_much(reason: str) -> Mistake:
    return Mistake(
        file="rules",
        what=f"a worker could not take the set: {reason}",
        remedy="make it smaller, or raise the limit; SIGHUP has it tried again",
    )


def _environment() -> dict[str, str]:
    """Return the little a worker may know: no setting and no secret of ours, one thread a library."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"}
    }
    here = str(Path(__file__).resolve().parents[2])
    return kept | {
        "PYTHONPATH": here,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }
