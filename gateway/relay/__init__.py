"""SMTP out: the in-session transaction with the smarthost, and whole deliveries for the outbox.

The only place that sends mail. Owns the connections to the smarthost (`pool`, `opening`, `wire`), the bytes that go
out on them (`commands`), the reading of what comes back (`replies`), and what each answer or silence means for our
client (`transaction`). It refuses to know what a contact, a rule or a hold is, and it does not log: `last_trouble`
and `alarm` are for the caller's log. It stands at the end of the road: `pipeline` and `outbox` call it.
"""

from dataclasses import dataclass

from gateway.model import Capabilities, MailCommand, Reply
from gateway.relay.opening import next_hop
from gateway.relay.pool import Connections, Pool
from gateway.relay.transaction import EXTENSION_GONE, TRY_AGAIN, Timeouts, Transaction
from gateway.relay.wire import Lost, Misconfigured
from gateway.settings import NextHopSettings

__all__ = ["EXTENSION_GONE", "TRY_AGAIN", "Connections", "Delivery", "Relay", "Transaction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What the smarthost said in one whole dialogue.

    ``recipients`` is empty after a refused MAIL; ``data`` is None when no recipient was taken. ``uncertain``: the
    dot was sent and no answer seen, so the message may have arrived although ``data`` is 451.
    """

    mail: Reply
    recipients: tuple[tuple[str, Reply], ...]
    data: Reply | None
    uncertain: bool
    trouble: str = ""


class Relay:
    """The way to the smarthost. One for each event loop; the connections are its own."""

    def __init__(self, settings: NextHopSettings, hostname: str) -> None:
        """Take the settings; ``hostname`` is the name in our EHLO unless they have one. Raises `Mistakes`."""
        self.last_trouble = ""
        """The last thing that went wrong on our side or the smarthost's, in its own words; for the log."""
        self.alarm = ""
        """Why the smarthost will not serve us as we are set up, until it has; empty when it does."""
        self._pool = Pool(
            next_hop(settings, hostname),
            places=settings.max_connections,
            reuse_messages=settings.reuse_messages,
            reuse_idle_s=settings.reuse_idle_s,
        )
        self._timeouts = Timeouts(command_s=settings.command_timeout_s, data_s=settings.data_timeout_s)

    @property
    def capabilities(self) -> Capabilities | None:
        """What the smarthost offered at its last successful EHLO; None until there was one."""
        return self._pool.capabilities

    @property
    def connections(self) -> Connections:
        """How the connections to the smarthost are used."""
        return self._pool.connections

    async def probe(self) -> Capabilities:
        """Open a connection, keep it, and return what the smarthost offers. Raises `NextHopUnavailable`."""
        try:
            capabilities = await self._pool.probe()
        except Lost as lost:
            self._report(lost)
            raise
        self._report(None)
        return capabilities

    async def ask_again(self) -> None:
        """Where there is an `alarm`, find out whether it is over, by a MAIL that nothing follows; mail may not come by that would.

        Whoever is told that no mail would be taken sends it elsewhere. Never raises for the smarthost's sake.
        """
        if self.alarm:
            transaction = self.begin()
            try:
                await transaction.mail(MailCommand(reverse_path=""))
            finally:
                await transaction.abandon()

    def begin(self) -> Transaction:
        """Return a new transaction; nothing is sent before its `Transaction.mail`."""
        return Transaction(self._pool, self._timeouts, self._report)

    async def deliver(
        self, mail: MailCommand, recipients: tuple[str, ...], parts: tuple[bytes, ...]
    ) -> Delivery:
        """Send one message in one dialogue to those of ``recipients`` that the smarthost takes.

        Never raises for the smarthost's sake: what could not be said counts as 451. Raises `ValueError` as
        `Transaction.data` does.
        """
        transaction = self.begin()
        try:
            first = await transaction.mail(mail)
            replies: tuple[tuple[str, Reply], ...] = ()
            data = None
            if first.is_positive:
                replies = tuple([(recipient, await transaction.rcpt(recipient)) for recipient in recipients])
                data = await transaction.data(parts) if transaction.accepted else None
        finally:
            await transaction.abandon()
        return Delivery(
            mail=first,
            recipients=replies,
            data=data,
            uncertain=transaction.uncertain,
            trouble=transaction.trouble,
        )

    async def close(self) -> None:
        """QUIT the resting connections and wait, a few seconds at most, until they are gone.

        Transactions that are under way may finish; their connections leave with them, and no new one begins.
        """
        await self._pool.close()

    def _report(self, lost: Lost | None) -> None:
        if lost is None:
            self.alarm = ""
            return
        self.last_trouble = str(lost)
        if isinstance(lost, Misconfigured):
            self.alarm = str(lost)
