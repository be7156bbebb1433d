"""The mechanics of one connection: its life, its time-outs, its input and output. It knows no SMTP command.

Built on aiosmtpd's `SMTP` for the protocol's plumbing, the stream and STARTTLS. What is replaced here is what makes
aiosmtpd 1.4.6 lose mail or time: it cancels the running handler when the client leaves, restarts a timer at each
command, reads line by line with a bare LF as an end, and inspects two objects for each connection.
"""

import asyncio
from collections.abc import Callable

import structlog
from aiosmtpd.smtp import SMTP, Envelope, TLSSetupException
from aiosmtpd.smtp import Session as Peer

from gateway.errors import origin
from gateway.model import Reply
from gateway.receive import replies
from gateway.receive.desk import Desk
from gateway.receive.replies import Rejected

log = structlog.get_logger("gateway.receive")

_BLOCK_BYTES = 262_144
_STREAM_LIMIT = 65_536
_UNREAD_REPLIES_BYTES = 65_536
"""Replies that a client has not read yet, beyond which its next command waits."""
_MAX_REPLY_DELAY_S = 1.0
"""How long replies to pipelined commands may be kept back to go out together."""
_MAX_DISCARDED = 65_536
"""Octets of one overlong command that are read to find its end before the connection is given up."""
_BARE_LF_PATIENCE_S = 10.0
"""How long a line that holds a bare LF may go without its CRLF: a client that sends LF only never sends it."""
_LINGER_S = 5.0
"""How long a closed connection may take to get our last reply out."""
_TLS_RECORD = b"\x16\x03"
"""How a TLS handshake begins, sent where STARTTLS was due."""


class Gone(Exception):
    """The connection is at its end: the client left, was late, or was told to leave."""


class Connection(SMTP):
    """One client's connection. `Session` says what is talked about on it.

    Nothing that `converse` awaits is cancelled because the client has left; reading then raises `Gone`.
    """

    def __init__(self, desk: Desk) -> None:
        loop = asyncio.get_running_loop()
        # Past aiosmtpd's own constructor. tests/receive/test_connection.py checks that what it sets and its other
        # methods need is set here.
        asyncio.StreamReaderProtocol.__init__(
            self,
            asyncio.StreamReader(limit=_STREAM_LIMIT, loop=loop),
            client_connected_cb=self._cb_client_connected,
            loop=loop,
        )
        self.loop = loop
        self.tls_context = desk.tls_context
        self.session: Peer | None = None
        self.envelope: Envelope | None = None
        self.enable_SMTPUTF8 = False
        self.transport: asyncio.Transport | None = None
        self._handle_hooks: dict[str, Callable[..., object]] = {}
        self._tls_handshake_okay = True
        self._tls_protocol: asyncio.sslproto.SSLProtocol | None = None
        self._original_transport: asyncio.Transport | None = None
        self._handler_coroutine: asyncio.Task[None] | None = None
        self._timeout_handle: asyncio.TimerHandle | None = None

        self.desk = desk
        self.address = ""
        self.may_relay = False
        self.closing = False
        self._counted = False
        self._lost = False
        self._finished = False
        self._input = b""
        self._read_to = 0
        self._output = bytearray()
        self._said_at = 0.0
        self._ends_at = loop.time() + desk.settings.session_timeout_s
        self._deadline: float | None = None
        self._timer_at = self._ends_at
        self._awaits_command = False

    async def converse(self) -> None:
        """Talk with the client until one of the two ends it."""
        raise NotImplementedError

    async def farewell(self) -> None:
        """Drop what is open when the talk is over."""
        raise NotImplementedError

    # --- life ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; aiosmtpd comes here again when TLS is up, and then all that came in plain text is dropped."""
        self._input, self._read_to = b"", 0
        if not self.is_tls:
            peer = transport.get_extra_info("peername")
            self.address = peer[0] if isinstance(peer, tuple) else ""
            self.may_relay = self.desk.networks.allow(self.address)
            self.desk.check_in(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End reading. Unlike aiosmtpd's, this cancels nothing."""
        if self._lost:
            return
        self._lost = True
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        if self._original_transport is not None:
            self._original_transport.close()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None
        self._check_out()

    def eof_received(self) -> bool | None:
        """Note that the client sends no more. It may still read, so the reply to what it sent goes out first."""
        keep_open = asyncio.StreamReaderProtocol.eof_received(self)
        return False if self.is_tls else keep_open

    def drain(self) -> None:
        """Close with 421 now if nothing is under way; `converse` does so after the command that is."""
        if self._awaits_command:
            self.close(replies.SHUTTING_DOWN)

    def kill(self) -> None:
        """End now, whatever is under way."""
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        self._abort()

    def close(self, last: Reply | None = None) -> None:
        """Say ``last`` and close; a client that does not read it is cut off a little later."""
        if self.closing or self.transport is None:
            self.closing = True
            return
        if last is not None:
            self.say(last)
        self.flush()
        self.closing = True
        self.transport.close()
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self._timeout_handle = self.loop.call_later(_LINGER_S, self._abort)

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    async def _handle_client(self) -> None:
        """Run the talk, from the banner to the end; aiosmtpd starts this as a task of its own."""
        try:
            await self._admit()
            await self.converse()
        except (Gone, OSError) as reason:
            log.debug("connection:ended", client=self.address, reason=type(reason).__name__)
        except Exception as error:  # noqa: BLE001
            # Our own bug, caught once, at the edge. No message is at stake: nothing unanswered was accepted.
            log.error(
                "connection:failed", client=self.address, error=type(error).__name__, where=origin(error)
            )
            self.close(replies.NOT_READY)
        finally:
            try:
                await self.farewell()
            finally:
                self.close()
                self._finished = True
                self._check_out()

    async def _admit(self) -> None:
        """Count the connection, or raise `Gone` having said why not."""
        self._counted = self.desk.connections.enter(self.address, may_relay=self.may_relay)
        if not self._counted or self.desk.draining:
            log.warning("connection:refused", client=self.address, counted=self._counted)
            self.close(replies.SHUTTING_DOWN if self._counted else replies.TOO_MANY_CONNECTIONS)
            raise Gone

    def _check_out(self) -> None:
        """Leave the desk once the connection is lost and the talk is over, whichever comes last."""
        if self._lost and self._finished:
            if self._counted:
                self.desk.connections.leave(self.address, may_relay=self.may_relay)
            self.desk.check_out(self)

    # --- TLS ----------------------------------------------------------------------------------------------

    @property
    def is_tls(self) -> bool:
        """True from the moment that a TLS handshake is under way."""
        return self._tls_protocol is not None

    def _is_tls_up(self) -> bool:
        return self.session is not None and self.session.ssl is not None

    async def start_tls(self) -> None:
        """Answer STARTTLS and go on in TLS. What was sent before the handshake is dropped (RFC 3207 section 4.2).

        Raises `Gone` when there is no TLS in the end: there is no way back to plain text.
        """
        self.flush()
        self._await_until(self._idle_deadline())
        try:
            await super().smtp_STARTTLS("")
        except TLSSetupException as error:
            log.warning("connection:tls-failed", client=self.address, error=type(error.__cause__).__name__)
        finally:
            self._deadline = None
        # aiosmtpd leaves both ends of a failed handshake to us; and a client that leaves in mid-handshake
        # looks like success to it.
        if not self._is_tls_up():
            if self._original_transport is not None:
                self._original_transport.abort()
            self.connection_lost(None)
            raise Gone

    # --- time ---------------------------------------------------------------------------------------------

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Start the one timer; aiosmtpd calls this when a connection begins, and again in TLS."""
        del duration
        if self._timeout_handle is None:
            self._arm(self.loop.time() + self.desk.settings.idle_timeout_s)

    def _arm(self, at: float) -> None:
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self._timer_at = at
        self._timeout_handle = self.loop.call_at(at, self._check_time)

    def _await_until(self, deadline: float) -> None:
        """Have the client waited for until ``deadline``; set ``_deadline`` to None when it has come."""
        self._deadline = deadline
        if deadline < self._timer_at:
            self._arm(deadline)

    def _check_time(self) -> None:
        """Close if the client is being waited for and is late; else look again when it may be.

        One timer looks after all waits: to make and cancel one for each costs more than it is worth.
        """
        if self.closing:
            return
        if self._deadline is None:
            self._arm(self.loop.time() + self.desk.settings.idle_timeout_s)
        elif self.loop.time() < self._deadline:
            self._arm(self._deadline)
        else:
            log.info("connection:timed-out", client=self.address, in_command=self._awaits_command)
            if self.is_tls and not self._is_tls_up() and self._original_transport is not None:
                self._original_transport.abort()
                return
            if self._writing_is_stuck():
                self._abort()
                return
            bare_lf = self._awaits_command and b"\n" in self._input
            self.close(replies.BAD_COMMAND_BYTES if bare_lf else replies.TIMED_OUT)

    # --- output -------------------------------------------------------------------------------------------

    def say(self, answer: Reply, *, enhanced: bool = True, utf8: bool = False) -> None:
        """Put a reply behind those that go out together at the next wait (RFC 2920 section 3.2)."""
        if not self._output:
            self._said_at = self.loop.time()
        self._output += replies.encode(answer, enhanced=enhanced, utf8=utf8)

    def flush_stale(self) -> None:
        """Send the replies if they have waited: before a step that may be slow, so that the client sees progress."""
        if self._output and self.loop.time() - self._said_at > _MAX_REPLY_DELAY_S:
            self.flush()

    def flush(self) -> None:
        """Send all replies, in one write."""
        if self._output and self.transport is not None and not self.closing:
            self.transport.write(bytes(self._output))
        self._output.clear()

    def _writing_is_stuck(self) -> bool:
        return self.transport is not None and self.transport.get_write_buffer_size() > _UNREAD_REPLIES_BYTES

    # --- input --------------------------------------------------------------------------------------------

    async def next_line(self) -> bytes:
        """Return the next command without its CRLF; nothing else ends it. Raises `Gone`, or `Rejected` if too long.

        The idle time runs for the whole command: a client cannot stretch it octet by octet.
        """
        limit = self.desk.settings.max_command_bytes
        deadline = 0.0
        while (end := self._input.find(b"\r\n", self._read_to)) < 0:
            rest = self._input[self._read_to :]
            if len(rest) >= limit:
                return await self._discard_line(deadline or self._idle_deadline())
            if rest.startswith(_TLS_RECORD):
                log.warning("connection:not-smtp", client=self.address, protocol="TLS")
                self.close(replies.NOT_SMTP)
                raise Gone
            deadline = deadline or self._idle_deadline()
            if b"\n" in rest:
                deadline = min(deadline, self.loop.time() + _BARE_LF_PATIENCE_S)
            self._input, self._read_to = rest, 0
            self._awaits_command = True
            try:
                self._input += await self.next_block(deadline)
            finally:
                self._awaits_command = False
        line = self._input[self._read_to : end]
        self._read_to = end + 2
        if len(line) > limit - 2:
            raise Rejected(*_TOO_LONG)
        return line

    async def _discard_line(self, deadline: float) -> bytes:
        """Read an overlong command to its end, keeping nothing of it. Raises `Rejected` there, or `Gone`."""
        discarded = 0
        while (end := self._input.find(b"\r\n", self._read_to)) < 0:
            discarded += len(self._input) - self._read_to
            if discarded > _MAX_DISCARDED:
                log.warning("connection:cut", client=self.address, reason="endless command")
                self.close(replies.COMMAND_TOO_LONG)
                raise Gone
            self._input, self._read_to = self._input[-1:], 0
            self._input += await self.next_block(deadline)
        self._read_to = end + 2
        raise Rejected(*_TOO_LONG)

    def take_input(self) -> bytes:
        """Return, and let go of, what was read and not yet used."""
        taken = self._input[self._read_to :]
        self._input, self._read_to = b"", 0
        return taken

    def put_back(self, unused: bytes) -> None:
        """Have ``unused`` read again, as the next commands."""
        self._input, self._read_to = unused, 0

    async def next_block(self, deadline: float) -> bytes:
        """Return the next octets of the client, some at least. Sends the replies first. Raises `Gone`."""
        self.flush()
        transport = self.transport
        if self.closing or transport is None:
            raise Gone
        self._await_until(deadline)
        try:
            if self._writing_is_stuck():
                await self._writer.drain()
            block = await self._reader.read(_BLOCK_BYTES)
        finally:
            self._deadline = None
        if not block or self.closing:
            raise Gone
        return block

    def _idle_deadline(self) -> float:
        return min(self.loop.time() + self.desk.settings.idle_timeout_s, self._ends_at)


_TOO_LONG = (replies.COMMAND_TOO_LONG.code, replies.COMMAND_TOO_LONG.lines[0])
