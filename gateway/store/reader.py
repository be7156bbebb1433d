"""The one reader of a process: queued jobs are read in one transaction, one after the other.

As the writer groups its commits: while one job is read the next ones queue up, and share a transaction with each
other. Beginning and ending one costs as much as a look-up, and every message to a contact makes one. Nothing here
runs on the event loop. Stands between `store`, whose callers wait, and `database`.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from gateway.errors import NotStored
from gateway.store.database import Tx, told_plainly, transaction

T = TypeVar("T")

MAX_BATCH = 64
"""Jobs in one transaction: an old snapshot keeps SQLite from truncating its log."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """A job, and where its result goes."""

    job: Callable[[Tx], Any]
    future: "Future[Any]" = field(default_factory=Future)


class Reader:
    """A thread that does the reading of this process. It lives from the first job to `close`."""

    def __init__(self, engine: Engine, new_tx: Callable[[Connection], Tx]) -> None:
        """Read from ``engine``; ``new_tx`` dresses a connection for a job."""
        self._engine = engine
        self._new_tx = new_tx
        self._queue: deque[_Ticket] = deque()
        self._lock = Lock()
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    def submit(self, job: Callable[[Tx], T]) -> "Future[T]":
        """Queue ``job`` and return its future. The job sees one moment of the database, not before this call.

        Raises NotStored once closed.
        """
        ticket = _Ticket(job)
        with self._lock:
            if not self._busy:
                try:
                    self._thread.submit(self._run)
                except RuntimeError as closed:
                    raise NotStored("the store is closed") from closed
                self._busy = True
            self._queue.append(ticket)
        return ticket.future

    def close(self) -> None:
        """Read what is queued, then stop. May be called twice."""
        self._thread.shutdown()

    def _run(self) -> None:
        while batch := self._next_batch():
            while batch:
                self._read(batch)

    def _next_batch(self) -> deque[_Ticket]:
        """Return the jobs that wait; empty when none does, and then the next `submit` starts anew."""
        with self._lock:
            batch = deque(self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue))))
            self._busy = bool(batch)
        return batch

    def _read(self, batch: deque[_Ticket]) -> None:
        """Answer jobs of ``batch`` in one transaction, until it is empty or one fails: that ends the transaction."""
        ticket: _Ticket | None = None
        try:
            with told_plainly(), transaction(self._engine, writes=False) as connection:
                tx = self._new_tx(connection)
                while batch:
                    ticket = batch.popleft()
                    if ticket.future.set_running_or_notify_cancel():
                        ticket.future.set_result(ticket.job(tx))
        except Exception as problem:  # noqa: BLE001 - it belongs to the callers, who get it; the thread must live
            if ticket is None:  # no transaction could be begun: that is everybody's trouble
                told = [each for each in batch if each.future.set_running_or_notify_cancel()]
                batch.clear()
            else:
                told = [] if ticket.future.done() else [ticket]
            for each in told:
                each.future.set_exception(problem)
