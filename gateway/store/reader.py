"""The one reader of a process: queued jobs are read in one transaction, one after the other.

As the writer groups its commits: while one job is read the next ones queue up, and share a transaction with each
other. Every message to a contact makes a look-up. Nothing here runs on the event loop. Stands between `store`,
whose callers wait, and `database`.
"""

from collections import deque
from collections.abc import Callable

from sqlalchemy import Connection, Engine

from gateway.store.clerk import Clerk, Ticket
from gateway.store.database import KeptConnection, Tx, told_plainly

MAX_BATCH = 64
"""Jobs in one transaction: an old snapshot keeps SQLite from truncating its log."""


class Reader(Clerk):
    """A thread that does the reading of this process."""

    def __init__(self, engine: Engine, new_tx: Callable[[Connection], Tx]) -> None:
        """Read from ``engine``; ``new_tx`` dresses a connection for a job. The thread starts with the first job."""
        super().__init__("store-reader", self._read_all, max_batch=MAX_BATCH)
        self._connection = KeptConnection(engine, writes=False)
        self._new_tx = new_tx

    def close(self) -> None:
        """Read what is queued, then stop. May be called twice."""
        super().close()
        self._connection.close()

    def _read_all(self, batch: list[Ticket]) -> None:
        waiting = deque(batch)
        while waiting:
            self._read(waiting)

    def _read(self, waiting: deque[Ticket]) -> None:
        """Do jobs of ``waiting`` in one transaction, until it is empty or one fails: that ends the transaction."""
        ticket: Ticket | None = None
        try:
            with told_plainly(), self._connection.transaction() as connection:
                tx = self._new_tx(connection)
                while waiting:
                    ticket = waiting.popleft()
                    if not ticket.is_given_up:
                        ticket.result = ticket.job(tx)
        except Exception as problem:  # noqa: BLE001 - it belongs to the callers, who get it; the thread must live
            if ticket is not None:
                ticket.problem = problem
                return
            while waiting:  # no transaction could be begun: that is everybody's trouble
                waiting.popleft().problem = problem
