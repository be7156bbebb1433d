"""A thread that does what is queued for it, batch by batch, and answers the event loop once a batch.

`Writer` and `Reader` say what becomes of a batch; this owns the queue, the thread and the way back. Waking a thread
costs more than most look-ups, so nobody is woken twice for one batch, and what nobody waits for (`leave`) wakes
nobody at all: it goes with whatever comes next. Knows nothing of the database but that a closed store is NotStored.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from gateway.errors import NotStored
from gateway.store.database import Tx

T = TypeVar("T")
Told = Callable[[BaseException | None], None]
"""Is told, on the event loop, how a job ended that nobody waited for: None when it is durable."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A job, where its result goes, and the result."""

    job: Callable[[Tx], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any] | None" = None
    told: Told | None = None
    result: Any = None
    problem: BaseException | None = None

    @property
    def is_given_up(self) -> bool:
        """True when nobody waits for it any more: it was cancelled, or its time is over."""
        return self.future is not None and self.future.done()

    def answer(self) -> None:
        """Tell who waits. Called on the event loop."""
        if self.told is not None:
            self.told(self.problem)
        elif self.future is None or self.future.done():
            return
        elif self.problem is not None:
            self.future.set_exception(self.problem)
        else:
            self.future.set_result(self.result)


class Clerk:
    """One thread and its queue. It lives from the first job to `close`."""

    def __init__(self, name: str, serve: Callable[[list[Ticket]], None], *, max_batch: int) -> None:
        """``serve`` runs on the thread; it puts a result or a problem into each ticket, and must not raise."""
        self._name = name
        self._serve = serve
        self._max_batch = max_batch
        self._queue: SimpleQueue[Ticket | None] = SimpleQueue()  # None: look what was left, or whether to end
        self._left: deque[Ticket] = deque()
        self._door = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False

    def submit(self, job: Callable[[Tx], T]) -> "asyncio.Future[T]":
        """Queue ``job`` and return the future of its result; call it on an event loop. Raises NotStored once closed.

        A job whose future is done before its turn is not run; one that runs can no longer be stopped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._door:
            self._must_be_open()
            self._start()
            self._queue.put(Ticket(job, loop, future))
        return future

    def leave(self, job: Callable[[Tx], Any], told: Told) -> None:
        """Have ``job`` done with the next batch, whenever that comes, or at `hurry`; ``told`` hears of its end.

        Raises NotStored once closed.
        """
        ticket = Ticket(job, asyncio.get_running_loop(), told=told)
        with self._door:
            self._must_be_open()
            self._left.append(ticket)

    def hurry(self) -> None:
        """Have done what was left, if it was not taken along already; closing does it anyway."""
        with self._door:
            if self._left and not self._closing:
                self._start()
                self._queue.put(None)

    @property
    def waiting(self) -> int:
        """How many submitted jobs wait for their turn."""
        return self._queue.qsize()

    def close(self) -> None:
        """Do what is queued and left, then stop. May be called twice; blocks."""
        with self._door:
            self._closing = True
            if self._left:
                self._start()
            thread = self._thread
            self._queue.put(None)
        if thread is not None:
            thread.join()

    def _must_be_open(self) -> None:
        if self._closing:
            raise NotStored("the store is closed")

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            if batch := self._next_batch():
                self._serve(batch)
                _answer(batch)
            if self._closing and self._queue.empty() and not self._left:
                return

    def _next_batch(self) -> list[Ticket]:
        """Wait for a job or a hint, and return what is to be done: what was left, then what was submitted."""
        first = self._queue.get()
        left = [self._left.popleft() for _ in range(min(self._max_batch, len(self._left)))]
        submitted = [] if first is None else [first]
        with suppress(Empty):
            while len(left) + len(submitted) < self._max_batch:
                if (ticket := self._queue.get_nowait()) is not None:
                    submitted.append(ticket)
        return left + [ticket for ticket in submitted if not ticket.is_given_up]


def _answer(batch: list[Ticket]) -> None:
    """Answer the jobs of ``batch`` on their event loops, each of which is woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
    for ticket in batch:
        by_loop.setdefault(ticket.loop, []).append(ticket)
    for loop, tickets in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            loop.call_soon_threadsafe(_tell, tickets)


def _tell(tickets: list[Ticket]) -> None:
    for ticket in tickets:
        ticket.answer()
