"""What the receiving stage needs from the stage that decides: two small faces, met structurally by `pipeline`.

Nothing here knows SMTP syntax or sockets, and nothing in this stage knows what a registry or a rule is.
"""

from typing import Protocol

from gateway.model import Capabilities, Client, MailCommand, Reply


class Exchange(Protocol):
    """The transactions of one client under one EHLO, one after the other; calls never overlap.

    Each answer becomes our answer to the client. A `GatewayError` becomes its public reply, anything else raised
    becomes 451. A client that leaves never cancels a call: what was handed on is finished and accounted for.
    """

    async def mail(self, command: MailCommand) -> Reply:
        """Answer MAIL. 2xx opens a transaction; any other answer leaves none open."""
        ...

    async def rcpt(self, recipient: str) -> Reply:
        """Answer RCPT for the characters between the angle brackets. 2xx adds a recipient."""
        ...

    async def data(self, raw: bytes) -> Reply:
        """Answer the final dot. ``raw`` is the message as sent, dots unstuffed. The transaction is over."""
        ...

    async def reset(self) -> None:
        """Drop an open transaction: RSET, a new EHLO, STARTTLS, a refused DATA, a client that left."""
        ...


class Conductor(Protocol):
    """Gives each client an `Exchange`, and knows what the smarthost can take."""

    @property
    def capabilities(self) -> Capabilities | None:
        """What the smarthost offered at its last EHLO, or None before there was one."""
        ...

    def open(self, client: Client) -> Exchange:
        """Return a new exchange for a client that has said EHLO or HELO. No I/O."""
        ...
