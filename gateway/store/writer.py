"""The one writer of a process: queued jobs go into one transaction, and are answered once it is durable.

Group commit: while one transaction is being made durable the next jobs queue up, and share the next one. A job
that fails takes back its own changes alone. Nothing here runs on the event loop, so a database that another
process holds locked delays writes and nothing else. Stands between `store`, whose callers wait, and `database`.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from gateway.errors import NotStored
from gateway.store import chain
from gateway.store.database import Tx, is_trouble, not_stored, transaction

T = TypeVar("T")

MAX_BATCH = 256
"""Jobs in one transaction: bounds how long the first of them waits for the last."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """A job, and where its result goes."""

    job: Callable[[Tx], Any]
    future: "Future[Any]" = field(default_factory=Future)


class _JobFailed(Exception):
    """A job, not the transaction round it, failed: the others of its batch may do better without it."""


class Writer:
    """A thread that owns all writing of this process. ``commits`` counts its transactions."""

    def __init__(
        self, engine: Engine, new_tx: Callable[[Connection], Tx], after_commit: Callable[[], None]
    ) -> None:
        """Write to ``engine``; ``new_tx`` dresses a connection for a job. The thread starts with the first job.

        ``after_commit`` is called once after each transaction, and must not raise.
        """
        self._engine = engine
        self._new_tx = new_tx
        self._after_commit = after_commit
        self._queue: deque[_Ticket] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self.commits = 0

    def submit(self, job: Callable[[Tx], T]) -> "Future[T]":
        """Queue ``job`` and return its future, which is set only after the commit. Raises NotStored once closed.

        A future cancelled in time is not run; one that runs can no longer be cancelled.
        """
        ticket = _Ticket(job)
        with self._wake:
            if self._closing:
                raise NotStored("the store is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                self._thread.start()
            self._queue.append(ticket)
            self._wake.notify()
        return ticket.future

    def close(self) -> None:
        """Write what is queued, then stop. May be called twice."""
        with self._wake:
            self._closing = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._write(batch)

    def _next_batch(self) -> list[_Ticket]:
        """Wait for jobs and return them; empty when the store is closed and nothing is left."""
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return []
                taken = [self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue)))]
            if running := [ticket for ticket in taken if ticket.future.set_running_or_notify_cancel()]:
                return running

    def _write(self, batch: list[_Ticket]) -> None:
        """Write ``batch`` and answer every job in it, whatever happens.

        Failures are rare, so the jobs first share a transaction without savepoints. When one fails nothing of it
        is kept, and each job gets a transaction of its own.
        """
        try:
            results = self._commit(batch)
        except _JobFailed as failed:
            if len(batch) == 1:
                batch[0].future.set_exception(_told(failed.__cause__ or failed))
                return
            for ticket in batch:
                self._write([ticket])
        except Exception as problem:  # noqa: BLE001 - it belongs to the callers, who get it; the thread must live
            for ticket in batch:
                ticket.future.set_exception(_told(problem))
        else:
            for ticket, result in zip(batch, results, strict=True):
                ticket.future.set_result(result)

    def _commit(self, batch: list[_Ticket]) -> list[Any]:
        """Run the jobs in one transaction, commit, and return their results."""
        results: list[Any] = []
        with transaction(self._engine, writes=True) as connection:
            dressed = [self._new_tx(connection) for _ in batch]
            for ticket, tx in zip(batch, dressed, strict=True):
                try:
                    results.append(ticket.job(tx))
                except Exception as problem:
                    raise _JobFailed from problem
            chain.number(connection, [link for tx in dressed for link in tx.links])
        self.commits += 1
        for tx in dressed:
            tx.committed()
        self._after_commit()
        return results


def _told(problem: BaseException) -> BaseException:
    """Return the failure as the callers shall see it."""
    return not_stored(problem) if is_trouble(problem) else problem
