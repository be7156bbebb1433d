"""What all connections of one server share: settings, limits in force, the conductor, and who is here."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Protocol

from gateway.receive.admission import Connections, InFlight, Networks
from gateway.receive.conductor import Conductor
from gateway.receive.reader import DataLimits
from gateway.settings import SmtpSettings


class Guest(Protocol):
    """A connection, as the server sees it."""

    def drain(self) -> None:
        """Finish the message in DATA, if any, then close with 421."""
        ...

    def kill(self) -> None:
        """End now."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Desk:
    """Made once by the server; each connection reads it and signs in and out."""

    conductor: Conductor
    settings: SmtpSettings
    hostname: str
    tls_context: ssl.SSLContext | None
    networks: Networks
    connections: Connections
    in_flight: InFlight
    guests: set[Guest] = field(default_factory=set)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    draining: bool = False

    def check_in(self, guest: Guest) -> None:
        """Note that ``guest`` is here."""
        self.guests.add(guest)
        self.empty.clear()

    def check_out(self, guest: Guest) -> None:
        """Note that ``guest`` has left and left nothing undone."""
        self.guests.discard(guest)
        if not self.guests:
            self.empty.set()

    def data_limits(self, max_message_bytes: int) -> DataLimits:
        """Return the bounds on one message from a client who was offered ``max_message_bytes``."""
        return DataLimits(
            max_message_bytes=max_message_bytes,
            max_line_bytes=self.settings.max_line_bytes,
            max_header_bytes=self.settings.max_header_bytes,
            max_received_lines=self.settings.max_received_lines,
        )
