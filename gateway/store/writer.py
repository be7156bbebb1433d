"""The one writer of a process: queued jobs go into one transaction, and are answered once it is durable.

Group commit: while one transaction is being made durable the next jobs queue up, and share the next one. A job
that fails takes back its own changes alone. Nothing here runs on the event loop, so a database that another
process holds locked delays writes and nothing else. Stands between `store`, whose callers wait, and `database`.
"""

from collections.abc import Callable

from sqlalchemy import Connection, Engine

from gateway.store import chain
from gateway.store.clerk import Clerk, Ticket
from gateway.store.database import KeptConnection, Tx, is_trouble, not_stored

MAX_BATCH = 256
"""Jobs in one transaction: bounds how long the first of them waits for the last."""


class _JobFailed(Exception):
    """A job, not the transaction round it, failed: the others of its batch may do better without it."""


class Writer(Clerk):
    """A thread that owns all writing of this process. ``commits`` counts its transactions."""

    def __init__(
        self, engine: Engine, new_tx: Callable[[Connection], Tx], after_commit: Callable[[], None]
    ) -> None:
        """Write to ``engine``; ``new_tx`` dresses a connection for a job. The thread starts with the first job.

        ``after_commit`` is called once after each transaction, and must not raise.
        """
        super().__init__("store-writer", self._write, max_batch=MAX_BATCH)
        self._connection = KeptConnection(engine, writes=True)
        self._new_tx = new_tx
        self._after_commit = after_commit
        self.commits = 0

    def close(self) -> None:
        """Write what is queued, then stop. May be called twice."""
        super().close()
        self._connection.close()

    def _write(self, batch: list[Ticket]) -> None:
        """Write ``batch``, whatever happens.

        Failures are rare, so the jobs first share a transaction without savepoints. When one fails nothing of it
        is kept, and each job gets a transaction of its own.
        """
        try:
            self._commit(batch)
        except _JobFailed as failed:
            if len(batch) == 1:
                batch[0].problem = _told(failed.__cause__ or failed)
                return
            for ticket in batch:
                self._write([ticket])
        except Exception as problem:  # noqa: BLE001 - it belongs to the callers, who get it; the thread must live
            for ticket in batch:
                ticket.problem = _told(problem)

    def _commit(self, batch: list[Ticket]) -> None:
        """Run the jobs in one transaction and commit it."""
        with self._connection.transaction() as connection:
            dressed = [self._new_tx(connection) for _ in batch]
            for ticket, tx in zip(batch, dressed, strict=True):
                try:
                    ticket.result = ticket.job(tx)
                except Exception as problem:
                    raise _JobFailed from problem
            chain.number(connection, [link for tx in dressed for link in tx.links])
        self.commits += 1
        for tx in dressed:
            tx.committed()
        self._after_commit()


def _told(problem: BaseException) -> BaseException:
    """Return the failure as the callers shall see it."""
    return not_stored(problem) if is_trouble(problem) else problem
