"""Who may come in and how much at once: networks, connections, messages and octets in flight, for one process.

Counts only; it knows no SMTP and no sockets. A message that finds no room waits, and is refused with a temporary
code when it has waited long enough: a full gateway slows its clients down, it does not grow.
"""

import asyncio
import ipaddress
from collections import Counter, deque
from dataclasses import dataclass

from gateway.settings import SmtpSettings

_STRANGERS_SHARE = 10
"""Clients that may not relay get at most this part (1/n) of the connections, so that they cannot take them all."""


class Networks:
    """The networks that may relay."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        """Take ``networks`` in CIDR form; settings have checked them. Raises ValueError."""
        self._networks = tuple(ipaddress.ip_network(text) for text in networks)

    def allow(self, address: str) -> bool:
        """Return whether the client at ``address`` may relay. IPv4 mapped into IPv6 counts as IPv4."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)


class Connections:
    """How many connections there are, in all and from each client."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._max_total = settings.max_connections
        self._max_per_client = settings.max_connections_per_client
        self._max_strangers = max(1, settings.max_connections // _STRANGERS_SHARE)
        self._per_client: Counter[str] = Counter()
        self._total = 0
        self._strangers = 0

    def enter(self, address: str, *, may_relay: bool) -> bool:
        """Count one more connection of ``address``; return False, and do not count it, if that is too many."""
        if self._total >= self._max_total or self._per_client[address] >= self._max_per_client:
            return False
        if not may_relay:
            if self._strangers >= self._max_strangers:
                return False
            self._strangers += 1
        self._total += 1
        self._per_client[address] += 1
        return True

    def leave(self, address: str, *, may_relay: bool) -> None:
        """Count one connection of ``address`` less; only after `enter` returned True."""
        self._total -= 1
        self._per_client[address] -= 1
        if not self._per_client[address]:
            del self._per_client[address]
        if not may_relay:
            self._strangers -= 1


class InFlight:
    """Room for messages between DATA and its answer: how many, and how many octets of them are in memory.

    Messages already begun are served before new ones, and new ones in their order. Among those begun one that needs
    little is not kept waiting by one that needs much: it will be done sooner. A message that is alone may be of any
    size: the bound must not make the largest permitted message impossible.
    """

    def __init__(self, settings: SmtpSettings) -> None:
        self._max_messages = settings.max_messages_in_flight
        self._max_bytes = settings.max_bytes_in_flight
        self._wait_s = settings.in_flight_wait_s
        self._messages = 0
        self._octets = 0
        self._growing: deque[_Turn] = deque()
        self._entering: deque[_Turn] = deque()

    async def enter(self) -> "Place | None":
        """Return a place for one message, or None if none came free in time."""
        place = Place(self)
        if not self._entering and self._grant(place, 0):
            return place
        return place if await self._wait(self._entering, place, 0) else None

    async def enlarge(self, place: "Place", octets: int) -> bool:
        """Give ``place`` room for ``octets`` in all; return False if there was none in time."""
        more = octets - place.octets
        return more <= 0 or self._grant(place, more) or await self._wait(self._growing, place, more)

    def shrink(self, place: "Place") -> None:
        """Take back the octets of ``place``."""
        self._octets -= place.octets
        place.octets = 0
        self._serve()

    def release(self, place: "Place") -> None:
        """Take back all that ``place`` has, and give it to those who wait."""
        self._messages -= place.entered
        self._octets -= place.octets
        place.entered, place.octets = False, 0
        self._serve()

    def _grant(self, place: "Place", octets: int) -> bool:
        """Give ``place`` its entry or ``octets`` more if there is room; return whether there was."""
        if not place.entered:
            if self._messages >= self._max_messages or self._octets >= self._max_bytes:
                return False
            self._messages += 1
            place.entered = True
        elif self._octets + octets > self._max_bytes and self._octets != place.octets:
            return False
        place.octets += octets
        self._octets += octets
        return True

    async def _wait(self, queue: "deque[_Turn]", place: "Place", octets: int) -> bool:
        """Queue for room, at most the set time; return whether it was given."""
        turn = _Turn(place, octets, asyncio.get_running_loop().create_future())
        queue.append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn.given
        except TimeoutError:
            return turn.given.done() and not turn.given.cancelled()
        except asyncio.CancelledError:
            place.leave()
            raise
        finally:
            if turn in queue:
                queue.remove(turn)
                self._serve()
        return True

    def _serve(self) -> None:
        """Give what room there is to those who wait."""
        for queue in (self._growing, self._entering):
            for turn in tuple(queue):
                if not turn.given.done() and self._grant(turn.place, turn.octets):
                    turn.given.set_result(None)
                    queue.remove(turn)


class Place:
    """The room of one message. `leave` must be called, once or more."""

    __slots__ = ("_in_flight", "entered", "octets")

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self.entered = False
        self.octets = 0

    async def grow(self, octets: int) -> bool:
        """Make room for ``octets`` in all; return False if there was none in time."""
        return await self._in_flight.enlarge(self, octets)

    def empty(self) -> None:
        """Give back the octets and keep the place: the message is refused, but not yet at its end."""
        if self.octets:
            self._in_flight.shrink(self)

    def leave(self) -> None:
        """Give back everything."""
        self._in_flight.release(self)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Someone who waits for room."""

    place: Place
    octets: int
    given: asyncio.Future[None]
