"""One connection to the smarthost: bytes out, replies in, and what became of it.

Owns the transport. Knows replies and time, but neither what a command means nor when to reconnect: `opening` makes
connections, `pool` keeps them, `transaction` speaks through them. Built on `asyncio.Protocol`, not on streams: a
reply costs one callback and one future.
"""

import asyncio
import ssl
from collections.abc import Callable

from gateway.errors import NextHopUnavailable
from gateway.model import Capabilities, Reply
from gateway.relay.commands import stuffed
from gateway.relay.replies import GarbledReply, ReplyReader


class Lost(NextHopUnavailable):
    """The dialogue cannot go on: connection gone, time over, 421, or a reply that makes no sense.

    The text says what happened, with the smarthost's own words; it is for the operator.
    """


class Misconfigured(Lost):
    """The smarthost will not serve us as we are set up. Trying again changes nothing; a person must (DECISIONS 4)."""


class Connection(asyncio.Protocol):
    """One SMTP connection, from our side. Every fault ends it for good; ``trouble`` then says which."""

    def __init__(self) -> None:
        self.capabilities = Capabilities(size=None, eight_bit_mime=False, smtputf8=False)
        self.pipelining = False
        self.messages = 0
        """Messages the smarthost took on this connection."""
        self.rested_at: float | None = None
        """Loop time since when it waits in the pool, or last waited; None for one just opened."""
        self.trouble = ""
        self.on_lost: Callable[[Connection], None] | None = None
        self.on_closed: Callable[[Connection], None] | None = None
        self.closed = False
        self.in_doubt = False
        """The final dot was sent, and no answer to it was seen that means anything."""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = ReplyReader()
        self._awaited = 1  # the greeting
        self._leaving = False
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._quit_timer: asyncio.TimerHandle | None = None

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport. asyncio and uvloop both set TCP_NODELAY: no 40 ms between write and write."""
        self._transport = transport  # type: ignore[assignment]  # a stream transport, by the kind of protocol

    def data_received(self, data: bytes) -> None:
        """Read replies; one that nobody asked for ends the dialogue, for it would answer the next command."""
        if self._leaving:
            self.abort()
        if self.trouble:
            return
        before = len(self._reader.replies)
        try:
            self._reader.feed(data)
        except GarbledReply as garbled:
            self._lose(f"the smarthost sent {garbled}")
        self._awaited -= len(self._reader.replies) - before
        if self._awaited < 0 or (self._awaited == 0 and self._reader.is_partial):
            self._lose(f"the smarthost said {data[:80]!r} unasked")
            while self._awaited < 0:
                self._reader.replies.pop()
                self._awaited += 1
        self._wake()

    def eof_received(self) -> None:
        """The smarthost has nothing more to say; the transport closes itself."""
        self._lose("the smarthost closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._lose(f"the connection to the smarthost was lost{f' ({exc})' if exc else ''}")
        self.closed = True
        if self._quit_timer is not None:
            self._quit_timer.cancel()
        if self.on_closed is not None:
            self.on_closed(self)

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self._paused = True

    def resume_writing(self) -> None:
        """The transport has room again."""
        self._paused = False
        self._wake()

    # what the other files of this stage call

    @property
    def is_usable(self) -> bool:
        """True when nothing speaks against giving a command now."""
        return not (self.trouble or self._awaited or self._reader.replies)

    @property
    def is_loopback(self) -> bool:
        """True when the bytes never leave this machine."""
        peer = self._live_transport().get_extra_info("peername")
        return isinstance(peer, tuple) and (peer[0] == "::1" or str(peer[0]).startswith("127."))

    async def command(self, line: bytes, timeout_s: float, verb: str) -> Reply:
        """Send one command line and return its reply. Raises `Lost`."""
        self.send(line, 1)
        return await self.reply(timeout_s, verb)

    def send(self, lines: bytes, replies: int) -> None:
        """Send ``lines``, which call for ``replies`` replies. Raises `Lost`."""
        transport = self._live_transport()
        self._awaited += replies
        transport.write(lines)

    async def reply(self, timeout_s: float, verb: str) -> Reply:
        """Return the next reply. A reply that arrived before a loss is still given. Raises `Lost`."""
        replies = self._reader.replies
        while not replies:
            self._live_transport()
            await self._something_happens(timeout_s, verb)
        return replies.popleft()

    async def data(self, timeout_s: float) -> Reply:
        """Send DATA and return its reply. Raises `Lost`.

        Two replies are awaited from here on, for some servers give their verdict on the message right after 354.
        """
        self.send(b"DATA\r\n", 2)
        reply = await self.reply(timeout_s, "DATA")
        if not reply.is_positive:
            self._awaited -= 1
        return reply

    async def upload(self, parts: tuple[bytes, ...], block_timeout_s: float, reply_timeout_s: float) -> Reply:
        """Send the message after a 354 and return the answer to the final dot. Raises `Lost`.

        A reply in mid-upload is the smarthost's verdict on the message: it is returned, and the connection cut
        without the dot, so that nothing half sent can be taken for whole. A 2xx then cannot be believed.
        """
        blocks = stuffed(parts)
        block = next(blocks)
        for following in blocks:
            if self._reader.replies:
                return self._answered_early()
            self._live_transport().write(block)
            await asyncio.sleep(0)  # a reply or a loss in the meantime must be seen, not written past
            while self._paused and not self._reader.replies and not self.trouble:
                await self._something_happens(block_timeout_s, "part of a message")
            block = following
        if self._reader.replies:
            return self._answered_early()
        transport = self._live_transport()
        self.in_doubt = True
        transport.write(block)
        reply = await self.reply(reply_timeout_s, "the end of the message")
        self.in_doubt = 300 <= reply.code < 400
        return reply

    def _answered_early(self) -> Reply:
        early = self._reader.replies.popleft()
        self._lose(f"the smarthost answered {early} before the end of the message")
        self.abort()
        if early.is_positive:
            self.in_doubt = True
            raise Lost(self.trouble)
        return early

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Negotiate TLS. Raises `Lost` if anything came in the clear after the 220 (command injection).

        There is no await between that check and the hand-over to TLS: what comes later is ciphertext or nothing.
        """
        if not self.is_usable:
            raise Lost(self.trouble or "the smarthost sent plaintext after its answer to STARTTLS")
        plain = self._live_transport()
        secure = await self._loop.start_tls(plain, self, context, server_hostname=name)
        if secure is None:
            raise Lost("the connection to the smarthost was lost while TLS was negotiated")
        self._transport = secure

    def quit(self, timeout_s: float) -> None:
        """Say QUIT and close once the smarthost has answered or hung up, or time is over. Never waits or raises.

        In mid-dialogue there is no place for QUIT: then the connection is cut.
        """
        if not self.is_usable or self._transport is None:
            self.abort()
            return
        self._transport.write(b"QUIT\r\n")
        self._leaving = True
        self.trouble = "we left"
        self._quit_timer = self._loop.call_later(timeout_s, self.abort)

    def abort(self) -> None:
        """Cut the connection at once. Never raises."""
        self.trouble = self.trouble or "we hung up"
        if self._transport is not None:
            self._transport.abort()

    def _live_transport(self) -> asyncio.Transport:
        if self._transport is None or self._transport.is_closing():
            self._lose("the connection to the smarthost broke")
        if self.trouble or self._transport is None:
            raise Lost(self.trouble)
        return self._transport

    def _lose(self, trouble: str) -> None:
        if not self.trouble:
            self.trouble = trouble
            self._wake()
            if self.on_lost is not None:
                self.on_lost(self)

    def _time_out(self, timeout_s: float, verb: str) -> None:
        self._lose(f"the smarthost did not answer {verb} within {timeout_s:g} s")
        self.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _something_happens(self, timeout_s: float, verb: str) -> None:
        """Wait for bytes, room to write, loss, or the end of the time; whoever waits looks again."""
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(timeout_s, self._time_out, timeout_s, verb)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
