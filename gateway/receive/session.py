"""The dialogue: each SMTP command in its order, with its limits, and what goes on to the exchange.

It judges syntax, order and quantity, and nothing else; what becomes of a message is the `Exchange`'s to say.
Commands are carried out strictly one after the other, so pipelining needs no thought beyond not losing what stands
behind the dot. Errors are the client's own: what the smarthost refuses does not count against it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.errors import GatewayError, origin
from gateway.model import Client, MailCommand, Reply
from gateway.receive import commands, replies
from gateway.receive.admission import Place
from gateway.receive.conductor import Exchange
from gateway.receive.connection import Connection, Gone
from gateway.receive.desk import Desk
from gateway.receive.reader import DataReader
from gateway.receive.replies import Rejected

log = structlog.get_logger("gateway.receive")

_BEFORE_TLS = frozenset({b"EHLO", b"NOOP", b"STARTTLS", b"QUIT"})
"""RFC 3207 section 4."""
_JUNK = frozenset({b"NOOP", b"RSET", b"VRFY", b"HELP", b"EHLO", b"HELO"})
_NOT_OFFERED = frozenset(
    {b"AUTH", b"EXPN", b"ETRN", b"TURN", b"ATRN", b"SEND", b"SOML", b"SAML", b"XCLIENT", b"XFORWARD", b"BURL"}
)
_OTHER_PROTOCOLS = frozenset(
    {b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PRI"}
)


@dataclass(slots=True)
class _Transaction:
    """What MAIL opened."""

    mail: MailCommand
    recipients: int = 0
    tried: int = 0


class Session(Connection):
    """One client's dialogue. Made by the server for each connection; runs by itself."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._client: Client | None = None
        self._offer: commands.Offer | None = None
        self._exchange: Exchange | None = None
        self._transaction: _Transaction | None = None
        self._mail_refused = False
        self._commands = 0
        self._errors = 0
        self._junk = 0

    async def converse(self) -> None:
        """Greet, then carry out one command after the other."""
        self.say(Reply(220, (f"{self.desk.hostname} ESMTP",)), enhanced=False)
        while not self.closing:
            try:
                line = await self.next_line()
                await self._obey(line)
            except Rejected as refusal:
                self._refuse(refusal.reply)
            if self.desk.draining:
                self.close(replies.SHUTTING_DOWN)

    async def farewell(self) -> None:
        """Drop an open transaction."""
        await self._forget()

    async def _obey(self, line: bytes) -> None:
        """Carry out the command in ``line``."""
        self._commands += 1
        if self._commands > self.desk.settings.max_commands:
            self._cut(replies.TOO_MANY_COMMANDS)
            return
        if b"\n" in line or b"\r" in line or b"\0" in line:
            self._refuse(replies.BAD_COMMAND_BYTES)
            return
        verb, _, rest = line.partition(b" ")
        verb = verb.upper()
        action = _ACTIONS.get(verb)
        if action is None:
            self._unknown(verb)
            return
        if verb in _JUNK:
            self._junk += 1
            if self._junk > self.desk.settings.max_junk_commands:
                self._cut(replies.TOO_MANY_COMMANDS)
                return
        if verb not in _BEFORE_TLS and self.desk.settings.tls.required and not self.is_tls:
            self._refuse(replies.TLS_FIRST)
            return
        # RFC 5321 section 4.1.1: white space before CRLF is to be tolerated.
        await action(self, _text(rest.rstrip(b" \t")))

    def _unknown(self, verb: bytes) -> None:
        """Refuse a command that is not ours. What is not SMTP at all is cut at once: it may carry mail in disguise."""
        if verb in _OTHER_PROTOCOLS:
            log.warning("connection:not-smtp", client=self.address, protocol="HTTP")
            self.close(replies.NOT_SMTP)
        elif verb == b"BDAT":
            # What follows is a message that would be read as commands: there is no way back into step.
            self.close(replies.NOT_IMPLEMENTED)
        else:
            self._refuse(replies.NOT_IMPLEMENTED if verb in _NOT_OFFERED else replies.UNKNOWN_COMMAND)

    def _refuse(self, answer: Reply) -> None:
        """Refuse a command by ourselves, and count it; too many and the connection ends."""
        self._errors += 1
        if self._errors >= self.desk.settings.max_errors:
            self.say(answer)
            self._cut(replies.TOO_MANY_ERRORS)
        else:
            self.say(answer)

    def _cut(self, answer: Reply) -> None:
        log.warning("connection:cut", client=self.address, reason=answer.lines[0])
        self.close(answer)

    # --- greeting -----------------------------------------------------------------------------------------

    async def smtp_EHLO(self, argument: str) -> None:  # noqa: N802  # aiosmtpd's names for commands
        """Offer what the smarthost offers, and what we do ourselves."""
        offered = await self._greet(argument, extended=True)
        if offered is not None:
            self.say(Reply(250, (self.desk.hostname, *self._extensions(offered))), enhanced=False)

    async def smtp_HELO(self, argument: str) -> None:  # noqa: N802
        """Greet a client without extensions."""
        if await self._greet(argument, extended=False) is not None:
            self.say(Reply(250, (self.desk.hostname,)), enhanced=False)

    async def _greet(self, name: str, *, extended: bool) -> commands.Offer | None:
        """Begin anew with a client called ``name``; None when it was refused."""
        if not commands.is_helo_name(name):
            self._refuse(replies.BAD_HELO)
            return None
        await self._forget()
        capabilities = self.desk.conductor.capabilities
        if capabilities is None:
            self.close(replies.NOT_READY)
            return None
        self._client = Client(address=self.address, helo=name, extended=extended, tls=self.is_tls)
        self._offer = commands.offer(
            capabilities, extended=extended, max_message_bytes=self.desk.settings.max_message_bytes
        )
        return self._offer

    def _extensions(self, offered: commands.Offer) -> list[str]:
        lines = ["PIPELINING", f"SIZE {offered.max_message_bytes}"]
        if offered.eight_bit_mime:
            lines.append("8BITMIME")
        if offered.smtputf8:
            lines.append("SMTPUTF8")
        if self.tls_context is not None and not self.is_tls:
            lines.append("STARTTLS")
        lines.append("ENHANCEDSTATUSCODES")
        return lines

    async def smtp_STARTTLS(self, argument: str) -> None:  # noqa: N802
        """Go on in TLS, knowing nothing of what was said before (RFC 3207 section 4.2)."""
        if argument:
            self._refuse(replies.NO_ARGUMENT)
        elif self.is_tls:
            self._refuse(replies.ALREADY_TLS)
        elif self.tls_context is None:
            self._refuse(replies.NOT_IMPLEMENTED)
        elif self._client is None:
            self._refuse(replies.EHLO_FIRST)
        else:
            await self._forget()
            self._client = None
            await self.start_tls()

    # --- envelope -----------------------------------------------------------------------------------------

    async def smtp_MAIL(self, argument: str) -> None:  # noqa: N802
        """Open a transaction, if the exchange lets it."""
        self._mail_refused = True
        offered = self._offer
        if self._client is None or offered is None:
            self._refuse(replies.EHLO_FIRST)
            return
        if not self.may_relay:
            self._refuse(replies.NO_RELAY)
            return
        if self._transaction is not None:
            self._refuse(replies.NESTED_MAIL)
            return
        if self.desk.conductor.capabilities is None:
            self.close(replies.NOT_READY)
            return
        command = commands.mail(argument, offered)
        answer = await self._ask("mail", self._hand_on(command, self._client))
        if answer.is_positive:
            self._transaction = _Transaction(command)
            self._mail_refused = False
        self.say(answer, utf8=command.smtputf8)

    async def _hand_on(self, command: MailCommand, client: Client) -> Reply:
        """Return the exchange's answer to MAIL, with a new exchange if there is none."""
        if self._exchange is None:
            self._exchange = self.desk.conductor.open(client)
        return await self._exchange.mail(command)

    async def smtp_RCPT(self, argument: str) -> None:  # noqa: N802
        """Add a recipient, if the exchange lets it."""
        transaction = self._transaction
        if transaction is None or self._exchange is None or self._offer is None:
            self._out_of_order(replies.MAIL_FIRST)
            return
        if transaction.recipients >= self.desk.settings.max_recipients:
            self.say(replies.TOO_MANY_RECIPIENTS)
            return
        path = commands.rcpt(argument, self._offer, smtputf8=transaction.mail.smtputf8)
        transaction.tried += 1
        answer = await self._ask("rcpt", self._exchange.rcpt(path))
        transaction.recipients += answer.is_positive
        self.say(answer, utf8=transaction.mail.smtputf8)

    def _out_of_order(self, answer: Reply) -> None:
        """Refuse a command that needs a transaction.

        Behind a refused MAIL it was sent in good faith (RFC 2920), and does not count as an error.
        """
        if not self.may_relay:
            answer = replies.NO_RELAY
        if self._mail_refused:
            self.say(answer)
        else:
            self._refuse(answer)

    # --- message ------------------------------------------------------------------------------------------

    async def smtp_DATA(self, argument: str) -> None:  # noqa: N802
        """Read a message and hand it on."""
        transaction = self._transaction
        if argument:
            self._refuse(replies.NO_ARGUMENT)
            return
        if transaction is None:
            self._out_of_order(replies.MAIL_FIRST)
            return
        if not transaction.recipients:
            self.say(replies.NO_RECIPIENTS if transaction.tried else replies.RCPT_FIRST)
            return
        place = await self.desk.in_flight.enter()
        if place is None:
            log.warning("message:no-room", client=self.address)
            await self._drop_transaction()
            self.say(replies.BUSY)
            return
        try:
            answer = await self._message(place)
        finally:
            place.leave()
        self._junk = 0
        if answer.is_positive:
            self._errors = 0
        self.say(answer, utf8=transaction.mail.smtputf8)
        # At once: an answer that waits for the next command is a message that is sent twice if we die.
        self.flush()

    async def _message(self, place: Place) -> Reply:
        """Return the answer to the final dot."""
        exchange = self._exchange
        assert exchange is not None
        self.say(replies.START_DATA, enhanced=False)
        try:
            raw = await self._read_message(place)
        except Rejected as refusal:
            log.info("message:refused", client=self.address, reply=str(refusal.reply))
            await self._drop_transaction()
            return refusal.reply
        self._transaction = None
        return await self._ask("data", exchange.data(raw))

    async def _read_message(self, place: Place) -> bytes:
        """Return the message. Raises `Rejected` when it has been read to its end, `Gone` when it has none."""
        assert self._offer is not None
        reader = DataReader(self.desk.data_limits(self._offer.max_message_bytes))
        idle_s = self.desk.settings.idle_timeout_s
        ends_at = self.loop.time() + self.desk.settings.data_timeout_s
        block = self.take_input()
        while True:
            rest = reader.feed(block) if block else None
            if reader.held > place.octets:
                if not await place.grow(reader.held):
                    reader.refuse(Rejected(replies.BUSY.code, replies.BUSY.lines[0]))
            elif not reader.held:
                place.empty()
            if rest is not None:
                self.put_back(rest)
                return reader.message()
            if reader.flooded:
                log.warning("connection:cut", client=self.address, reason="endless message")
                self.close(replies.reply(552, "5.3.4 Message too big"))
                raise Gone
            block = await self.next_block(min(self.loop.time() + idle_s, ends_at))

    # --- the rest -----------------------------------------------------------------------------------------

    async def smtp_RSET(self, argument: str) -> None:  # noqa: N802
        """Drop the transaction."""
        if argument:
            self._refuse(replies.NO_ARGUMENT)
            return
        await self._drop_transaction()
        self.say(replies.OK)

    async def smtp_NOOP(self, argument: str) -> None:  # noqa: N802
        """Do nothing."""
        del argument
        self.say(replies.OK)

    async def smtp_VRFY(self, argument: str) -> None:  # noqa: N802
        """Tell nothing about any address."""
        if argument:
            self.say(replies.CANNOT_VERIFY)
        else:
            self._refuse(replies.NEED_ARGUMENT)

    async def smtp_HELP(self, argument: str) -> None:  # noqa: N802
        """List the commands."""
        del argument
        self.say(replies.HELP)

    async def smtp_QUIT(self, argument: str) -> None:  # noqa: N802
        """Say goodbye."""
        if argument:
            self._refuse(replies.NO_ARGUMENT)
        else:
            self.close(replies.BYE)

    # --- the exchange -------------------------------------------------------------------------------------

    async def _ask(self, step: str, answer: Awaitable[Reply]) -> Reply:
        """Return the exchange's answer as it may be given; whatever it raises becomes a temporary refusal."""
        self.flush_stale()
        reply = replies.TRY_LATER
        try:
            return replies.presentable(await answer)
        except GatewayError as trouble:
            self._log_trouble(step, trouble, hint=trouble.hint)
            reply = replies.from_text(trouble.reply)
        except asyncio.CancelledError as error:
            # Ours only if we are being ended; else something inside was cancelled, which is trouble like any other.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._log_trouble(step, error)
        except Exception as error:  # noqa: BLE001  # the edge: our own bugs are caught here, once
            self._log_trouble(step, error)
        if step != "rcpt":
            await self._drop_transaction()
        return reply

    def _log_trouble(self, step: str, error: BaseException, **more: str) -> None:
        """Log what failed and where."""
        log.error(
            "exchange:failed",
            client=self.address,
            step=step,
            error=type(error).__name__,
            where=origin(error),
            **more,
        )

    async def _drop_transaction(self) -> None:
        """Close the transaction on both sides; the greeting stays."""
        self._transaction = None
        self._mail_refused = False
        exchange = self._exchange
        if exchange is None:
            return
        try:
            await exchange.reset()
        except Exception as error:  # noqa: BLE001  # the edge
            # Its state is unknown: the next MAIL gets a new one.
            self._exchange = None
            self._log_trouble("reset", error)

    async def _forget(self) -> None:
        """Drop the transaction and the exchange."""
        await self._drop_transaction()
        self._exchange = None


def _text(octets: bytes) -> str:
    """Return a command's argument as text. Raises `Rejected` when it is neither ASCII nor UTF-8."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise Rejected(replies.NOT_UTF8.code, replies.NOT_UTF8.lines[0]) from None


_ACTIONS: Final[dict[bytes, Callable[[Session, str], Awaitable[None]]]] = {
    b"EHLO": Session.smtp_EHLO,
    b"HELO": Session.smtp_HELO,
    b"STARTTLS": Session.smtp_STARTTLS,
    b"MAIL": Session.smtp_MAIL,
    b"RCPT": Session.smtp_RCPT,
    b"DATA": Session.smtp_DATA,
    b"RSET": Session.smtp_RSET,
    b"NOOP": Session.smtp_NOOP,
    b"VRFY": Session.smtp_VRFY,
    b"HELP": Session.smtp_HELP,
    b"QUIT": Session.smtp_QUIT,
}
