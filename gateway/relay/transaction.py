"""One message on one upstream connection: MAIL, RCPT, DATA, and the truth about each.

Owns the policy of DECISIONS 3 and 4: what is said to our client when the smarthost answers, does not answer, or is
gone, and when the dialogue is said again on another connection. Knows nothing of rules or records.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.model import MailCommand, Reply
from gateway.relay.commands import check_ends_with_crlf, lacks, mail_line, rcpt_line
from gateway.relay.pool import Pool
from gateway.relay.wire import Connection, Lost, Misconfigured

TRY_AGAIN = Reply(451, ("4.4.1 Try again later",))
"""The smarthost is out of reach, or its answer says more about us than about the message."""

EXTENSION_GONE = Reply(451, ("4.3.0 Try again later",))
"""The client was offered at EHLO what the smarthost has ceased to offer; nothing is converted (DECISIONS 5)."""


class _ExtensionGone(Lost):
    """The connection does not offer what the command needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a reply may take, by ``next_hop``."""

    command_s: float
    data_s: float


class Transaction:
    """The dialogue for one message. Take one from `Relay.begin`; end it with `data` or `abandon`.

    Each method returns what our client is to be told and raises for nothing but a bug of the caller's (ValueError)
    or cancellation; then the connection has been cut. ``accepted`` are the recipients that the smarthost took,
    ``trouble`` is what the operator should know of a 451 of ours, ``uncertain`` is true when the smarthost may have
    the message although its answer after the dot was never seen.
    """

    def __init__(self, pool: Pool, timeouts: Timeouts, report: Callable[[Lost | None], None]) -> None:
        self.accepted: tuple[str, ...] = ()
        self.trouble = ""
        self.uncertain = False
        self._pool = pool
        self._timeouts = timeouts
        self._report = report
        self._connection: Connection | None = None
        self._command: MailCommand | None = None
        self._lent = False
        """The connection went to somebody who waited; all is said again on another when the dialogue goes on."""
        self._replayed = False
        self._tainted = False

    async def mail(self, command: MailCommand) -> Reply:
        """Say MAIL on a rested or fresh connection; a rested one that proves dead is replaced unseen.

        After a refusal the transaction is as new. `EXTENSION_GONE` when a fresh connection does not offer what the
        command needs.
        """
        if self._connection is not None or self._lent:
            raise ValueError("MAIL inside a transaction")
        self._command, self.accepted, self._tainted, self.uncertain = command, (), False, False
        try:
            self._connection = await self._pool.take()
        except Lost as lost:
            return self._failed(lost)

        async def say(connection: Connection) -> Reply:
            return (await self._say_envelope(connection, (), reset=False))[0]

        self._replayed = self._connection.rested_at is None
        reply = await self._said(say, restore=False)
        self._replayed = False
        if not reply.is_positive:
            self._retire()
        self._park()
        return reply

    async def rcpt(self, recipient: str) -> Reply:
        """Say RCPT. A connection that was lost or lent since MAIL is replaced once, and all said again, unseen."""
        if self._command is None:
            raise ValueError("RCPT outside a transaction")
        line = rcpt_line(recipient, smtputf8=self._command.smtputf8)

        async def say(connection: Connection) -> Reply:
            return _passed_on(await connection.command(line, self._timeouts.command_s, "RCPT"), "RCPT")

        reply = await self._said(say)
        self._take_note(recipient, reply)
        self._park()
        return reply

    async def rewind(self, command: MailCommand, recipients: tuple[str, ...]) -> tuple[Reply, ...]:
        """Start over for fewer recipients: RSET, MAIL and their RCPTs in one go. The first reply is MAIL's.

        There are always ``len(recipients) + 1`` replies; after a refused MAIL all are that refusal. A connection
        lost or lent since is replaced once. ``accepted`` is what the smarthost takes this time.
        """
        if self._command is None:
            raise ValueError("rewind outside a transaction")
        self._command, self.accepted, self._replayed = command, (), False
        replies: tuple[Reply, ...] = ()

        async def say(connection: Connection) -> Reply:
            nonlocal replies
            replies = await self._say_envelope(connection, recipients, reset=not self._replayed)
            return replies[0]

        mail = await self._said(say, restore=False)
        if not mail.is_positive:
            self._retire()
            return (mail,) * (len(recipients) + 1)
        for recipient, reply in zip(recipients, replies[1:], strict=True):
            self._take_note(recipient, reply)
        return replies

    async def data(self, parts: tuple[bytes, ...]) -> Reply:
        """Send the message that ``parts`` make and return the smarthost's word on it, which is final.

        A connection lost or lent before 354 is replaced once. Lost after the dot: 451, with ``uncertain`` true; a duplicate
        is possible then, a loss is not. Raises `ValueError` for a message without final CRLF, or with a dot that a
        lax server could take for the end. The transaction is over either way.
        """
        check_ends_with_crlf(parts)
        is_open = self._connection is not None or self._lent
        if self._command is None or (is_open and not self.accepted):
            raise ValueError("DATA without a recipient that the smarthost took")

        async def say(connection: Connection) -> Reply:
            return _answer_to_data(await connection.data(self._timeouts.command_s))

        reply = await self._said(say)
        if reply.code == 354 and self._connection is not None:
            reply = await self._upload(self._connection, parts)
        self._retire()
        self._command = None
        return reply

    async def _upload(self, connection: Connection, parts: tuple[bytes, ...]) -> Reply:
        """Return the answer to the message; after a 2xx the connection rests, unless it has seen a refusal."""
        try:
            reply = await connection.upload(parts, self._timeouts.command_s, self._timeouts.data_s)
            reply = _passed_on(reply, "the message")
        except Lost as lost:
            self.uncertain = connection.in_doubt
            return self._failed(lost)
        except BaseException:
            self.uncertain = connection.in_doubt
            self._retire()
            raise
        connection.messages += 1
        if reply.is_positive and not self._tainted:
            self._connection = None
            self._pool.put(connection)
        return reply

    async def abandon(self) -> None:
        """End the transaction without delivery: QUIT, or a cut in mid-dialogue. Never raises; may be repeated."""
        self._retire()
        self._command = None

    # saying things

    async def _said(self, say: Callable[[Connection], Awaitable[Reply]], *, restore: bool = True) -> Reply:
        """Return what ``say`` gets, if need be from one fresh connection, first brought to this point."""
        if self._connection is None and not self._lent:
            return TRY_AGAIN
        try:
            was_lent = self._lent
            connection = await self._taken()
            try:
                if was_lent and restore:
                    await self._restore(connection)
                return await say(connection)
            except Misconfigured:
                raise
            except Lost:
                if self._replayed:
                    raise
                self._replayed = True
                fresh = await self._replacement(connection)
                if restore:
                    await self._restore(fresh)
                return await say(fresh)
        except Lost as lost:
            return self._failed(lost)
        except BaseException:
            self._retire()
            raise

    async def _taken(self) -> Connection:
        """Return the connection to speak on: the one that was parked, or where that was lent another one."""
        if self._connection is None:
            self._connection = await self._pool.take()
            self._lent = False
            self._replayed = self._connection.rested_at is None
        self._pool.unpark(self._connection)
        return self._connection

    async def _replacement(self, connection: Connection) -> Connection:
        self._connection = None
        self._connection = await self._pool.replace(connection)
        return self._connection

    async def _restore(self, fresh: Connection) -> None:
        """Say MAIL and the RCPTs that were taken; anything but 2xx now is a loss (DECISIONS 3)."""
        for reply in await self._say_envelope(fresh, self.accepted, reset=False):
            if not reply.is_positive:
                raise Lost(f"the smarthost took a command before, and on a fresh connection answered {reply}")

    async def _say_envelope(
        self, connection: Connection, recipients: tuple[str, ...], *, reset: bool
    ) -> tuple[Reply, ...]:
        """Say [RSET,] MAIL and RCPTs, in one write where the smarthost allows it (RFC 2920)."""
        assert self._command is not None
        if missing := lacks(self._command, connection.capabilities):
            raise _ExtensionGone(f"the smarthost offers {missing} no longer")
        lines = [mail_line(self._command, connection.capabilities)]
        lines += [rcpt_line(recipient, smtputf8=self._command.smtputf8) for recipient in recipients]
        if reset:
            lines.insert(0, b"RSET\r\n")
        replies = await self._exchange(connection, lines)
        if reset and (answer := replies.pop(0)).code != 250:
            raise Lost(f"the smarthost answered RSET with {answer}")
        mail = _passed_on(replies[0], "MAIL")
        if not mail.is_positive:
            return (mail,) * len(replies)
        self._report(None)
        return (mail, *(_passed_on(reply, "RCPT") for reply in replies[1:]))

    async def _exchange(self, connection: Connection, lines: list[bytes]) -> list[Reply]:
        timeout_s = self._timeouts.command_s
        if not connection.pipelining:
            return [await connection.command(line, timeout_s, _verb(line)) for line in lines]
        connection.send(b"".join(lines), len(lines))
        return [await connection.reply(timeout_s, _verb(line)) for line in lines]

    # what becomes of the connection

    def _take_note(self, recipient: str, reply: Reply) -> None:
        if reply.is_positive:
            self.accepted += (recipient,)
        else:
            self._tainted = True

    def _failed(self, lost: Lost) -> Reply:
        self.trouble = str(lost)
        self._report(lost)
        self._retire()
        return EXTENSION_GONE if isinstance(lost, _ExtensionGone) else TRY_AGAIN

    def _park(self) -> None:
        """Leave the connection to who waits for one, if the next command is long in coming."""
        if self._connection is not None:
            self._pool.park(self._connection, self._lend)

    def _lend(self) -> None:
        self._connection, self._lent = None, True

    def _retire(self) -> None:
        connection, self._connection = self._connection, None
        self._lent = False
        if connection is not None:
            self._pool.retire(connection)


def _verb(line: bytes) -> str:
    return line[:4].decode("ascii")


def _passed_on(reply: Reply, verb: str) -> Reply:
    """Return ``reply`` if it is about the message. Raises for one about us or about the connection (DECISIONS 4).

    530, 535 and 538 say that we are not signed in as the smarthost wants; 421 that it is leaving; 502 and 503 that
    the dialogue has gone astray; 3xx makes no sense here.
    """
    if reply.code in (530, 535, 538):
        raise Misconfigured(f"the smarthost answered {verb} with {reply}")
    if reply.code in (421, 502, 503) or 300 <= reply.code < 400:
        raise Lost(f"the smarthost answered {verb} with {reply}")
    return reply


def _answer_to_data(reply: Reply) -> Reply:
    if reply.code == 354:
        return reply
    if reply.is_positive:
        raise Lost(f"the smarthost answered DATA with {reply}")
    return _passed_on(reply, "DATA")
