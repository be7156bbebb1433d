"""The connections to the smarthost: how many, which one next, and when one has done enough.

Every connection takes one of ``max_connections`` places until it is closed. Whoever took a connection owes it back,
by `put` or `retire`; between messages the pool holds it and says nothing on it (DECISIONS 3: no NOOP, no
RSET). The one that rested last goes out first, so that a quiet hour lets the others go.

A transaction on which nothing is said for a while (its message waits for a worker, or its client is silent) parks its
connection. While places are left that means nothing; where somebody waits for one, it is taken from whoever has parked
longest, so that no backlog of ours keeps other mail from the smarthost.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.model import Capabilities
from gateway.relay.opening import NextHop, Way
from gateway.relay.wire import Connection, Lost

QUIT_TIMEOUT_S = 5.0
"""The most that a server may take over QUIT before we just leave: nothing depends on its answer."""
PARKED_S = 1.0
"""How long a connection is left to a transaction that says nothing, while others wait. Ordinary mail is inspected in less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """How many connections there may be, are open, rest, and how many are waited for."""

    places: int
    open: int
    resting: int
    waited_for: int


class Pool:
    """Connections to one next hop, of one event loop."""

    def __init__(self, hop: NextHop, *, places: int, reuse_messages: int, reuse_idle_s: float) -> None:
        self.capabilities: Capabilities | None = None
        """From the last EHLO that succeeded."""
        self._hop = hop
        self._way = Way(hop)
        self._free = places
        self._places = places
        self._reuse_messages = reuse_messages
        self._reuse_idle_s = reuse_idle_s
        self._quit_timeout_s = min(QUIT_TIMEOUT_S, hop.timeout_s)
        self._idle: list[Connection] = []
        self._leaving: set[Connection] = set()
        self._parked: dict[Connection, tuple[float, Callable[[], None]]] = {}
        """Since when, and how to tell the transaction that it is gone; longest first."""
        self._presser: asyncio.TimerHandle | None = None
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] | None = None

    @property
    def connections(self) -> Connections:
        """How the connections are used."""
        return Connections(
            places=self._places,
            open=self._places - self._free,
            resting=len(self._idle),
            waited_for=sum(not waiter.done() for waiter in self._waiters),
        )

    async def take(self) -> Connection:
        """Return a connection that is ready for MAIL, rested or fresh. Raises `Lost`."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and not self._is_old(connection):
                return connection
            self.retire(connection)
        if self._closed is not None:
            raise Lost("the relay is closing")
        if self._free:
            self._free -= 1
            return await self._open()
        return await self._wait() or await self._open()

    async def replace(self, connection: Connection) -> Connection:
        """Return a fresh connection in the place of one that failed. Raises `Lost`; the place is then free."""
        connection.on_lost = connection.on_closed = None
        connection.quit(self._quit_timeout_s)
        return await self._open()

    async def probe(self) -> Capabilities:
        """Open a connection, keep it, and return what the smarthost offers now. Raises `Lost`.

        With every place taken by messages there is nothing to prove: the capabilities in force are returned.
        """
        if not self._free and self._idle:
            connection = await self.replace(self._idle.pop(0))
        elif self._free:
            self._free -= 1
            connection = await self._open()
        elif self.capabilities is not None:
            return self.capabilities
        else:
            raise Lost("every connection to the smarthost is still being opened")
        self.put(connection)
        return connection.capabilities

    def put(self, connection: Connection) -> None:
        """Give back a connection on which no transaction is open; it rests, or leaves if it has done enough."""
        if (
            self._closed is not None
            or not connection.is_usable
            or connection.messages >= self._reuse_messages
            or connection.capabilities != self.capabilities
        ):
            self.retire(connection)
            return
        loop = asyncio.get_running_loop()
        connection.rested_at = loop.time()
        if not self._hand_over(connection):
            self._idle.append(connection)
            if self._sweeper is None:
                self._sweeper = loop.call_later(self._reuse_idle_s, self._sweep)

    def park(self, connection: Connection, gone: Callable[[], None]) -> None:
        """Note that nothing is said on a taken ``connection`` for now. If it goes to who waits, ``gone`` is called."""
        self._parked[connection] = (asyncio.get_running_loop().time(), gone)
        self._press()

    def unpark(self, connection: Connection) -> None:
        """Note that the dialogue goes on."""
        self._parked.pop(connection, None)

    def retire(self, connection: Connection) -> None:
        """Let a connection go: with QUIT, or cut in mid-dialogue. Its place is free once it is closed."""
        self.unpark(connection)
        connection.on_lost = None
        if connection.closed:
            self._free_place()
        else:
            self._leaving.add(connection)
            connection.quit(self._quit_timeout_s)

    async def close(self) -> None:
        """Retire what rests and wait until it has left; what is taken leaves when it is given back."""
        self._closed = self._closed or asyncio.get_running_loop().create_future()
        for timer in (self._sweeper, self._presser):
            if timer is not None:
                timer.cancel()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(Lost("the relay is closing"))
        while self._idle:
            self.retire(self._idle.pop())
        if self._leaving:
            await asyncio.shield(self._closed)

    async def _open(self) -> Connection:
        """Open a connection in a place that is already ours; on failure the place is freed."""
        try:
            connection = await self._way.open()
        except BaseException:
            self._free_place()
            raise
        connection.on_lost = self._rested_one_lost
        connection.on_closed = self._one_closed
        if connection.capabilities != self.capabilities:
            self.capabilities = connection.capabilities
            while self._idle:
                self.retire(self._idle.pop())
        return connection

    async def _wait(self) -> Connection | None:
        """Wait for a connection given back, or None for a place to open one in. Raises `Lost` when time is over."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._press()
        try:
            async with asyncio.timeout(self._hop.timeout_s):
                return await waiter
        except BaseException as error:
            self._withdraw(waiter)
            if isinstance(error, TimeoutError):
                raise Lost(
                    f"all {self._places} connections to the smarthost were busy for {self._hop.timeout_s:g} s"
                ) from error
            raise

    def _press(self) -> None:
        """Take as many parked connections away as places are waited for, each once it has parked long enough."""
        if self._presser is not None:
            self._presser.cancel()
            self._presser = None
        loop = asyncio.get_running_loop()
        wanted = sum(not waiter.done() for waiter in self._waiters) - len(self._leaving)
        while wanted > 0 and self._parked:
            connection, (since, gone) = next(iter(self._parked.items()))
            if loop.time() < since + PARKED_S:
                self._presser = loop.call_at(since + PARKED_S, self._press)
                return
            gone()
            self.retire(connection)
            wanted -= 1

    def _withdraw(self, waiter: "asyncio.Future[Connection | None]") -> None:
        """Pass on what a waiter that gave up was handed in the same moment."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            connection = waiter.result()
            if connection is None:
                self._free_place()
            else:
                self.put(connection)

    def _hand_over(self, connection: Connection | None) -> bool:
        """Give a connection, or with None a place, to whoever waits longest."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _free_place(self) -> None:
        if not self._hand_over(None):
            self._free += 1

    def _one_closed(self, connection: Connection) -> None:
        if connection in self._leaving:
            self._leaving.discard(connection)
            self._free_place()
        if self._closed is not None and not self._leaving and not self._closed.done():
            self._closed.set_result(None)

    def _rested_one_lost(self, connection: Connection) -> None:
        """The smarthost hung up, or spoke unasked, while nobody used the connection."""
        if connection in self._idle:
            self._idle.remove(connection)
            self.retire(connection)

    def _is_old(self, connection: Connection) -> bool:
        rested_at = connection.rested_at
        return rested_at is not None and asyncio.get_running_loop().time() - rested_at >= self._reuse_idle_s

    def _sweep(self) -> None:
        """Retire what has rested long enough; the list is in the order of resting."""
        self._sweeper = None
        while self._idle and self._is_old(self._idle[0]):
            self.retire(self._idle.pop(0))
        if self._idle:
            loop = asyncio.get_running_loop()
            rested_at = self._idle[0].rested_at or loop.time()
            self._sweeper = loop.call_at(rested_at + self._reuse_idle_s, self._sweep)
