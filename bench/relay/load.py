"""A client that sends as fast as it is answered: ``python -m bench.relay.load``.

Reads one `Order` a line as JSON from standard input, carries it out and prints a `Yield` as JSON. An
`asyncio.Protocol` on uvloop in a process of its own. It speaks step by step, as to a server without PIPELINING, so
that all servers get the same dialogue; ``pipelining`` sends MAIL, RCPT and DATA in one go, as Postfix does.
Anything but the reply it expects is counted as an error and ends that connection.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

import uvloop

from bench import mails


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to send. ``contacts`` registered people to write to in turn, 0: people nobody registered."""

    port: int
    size: str
    concurrency: int
    kept: bool
    """Many mails a connection."""
    seconds: float
    first: int
    """Number of the first mail: no number is used twice against one server."""
    contacts: int = 0
    advance: bool = False
    pipelining: bool = False


@dataclass(slots=True, kw_only=True)
class Yield:
    """What came of it. ``latencies_ms`` holds one number a mail, from MAIL (or from connecting) to the last reply."""

    accepted: int = 0
    seconds: float = 0.0
    next: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Client(asyncio.Protocol):
    """One connection. ``expect`` waits for a reply of the given code."""

    def __init__(self, loop):
        self.loop = loop
        self.rest = b""
        self.replies = []
        self.waiter = None
        self.lost = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\r\n")
        self.replies += [line for line in lines if line[3:4] != b"-"]
        self.wake()

    def connection_lost(self, _):
        self.lost = True
        self.wake()

    def wake(self):
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def expect(self, code):
        while not self.replies:
            if self.lost:
                raise ConnectionError(f"lost while waiting for {code.decode()}")
            self.waiter = self.loop.create_future()
            await self.waiter
        line = self.replies.pop(0)
        if not line.startswith(code):
            raise ConnectionError(line.decode(errors="replace"))

    async def say(self, line, code):
        self.transport.write(line)
        await self.expect(code)


class Load:
    """One order being carried out."""

    def __init__(self, order):
        self.order = order
        self.pieces = mails.pieces(order.size, advance=order.advance)
        self.result = Yield()
        self.counter = order.first
        self.loop = asyncio.get_running_loop()

    async def run(self):
        started = time.perf_counter()
        self.ends_at = started + self.order.seconds
        await asyncio.gather(*(self.send_until_the_end() for _ in range(self.order.concurrency)))
        self.result.seconds = time.perf_counter() - started
        self.result.next = self.counter
        return self.result

    async def send_until_the_end(self):
        while time.perf_counter() < self.ends_at and len(self.result.errors) < 100:
            try:
                await self.connection()
            except OSError as trouble:
                self.result.errors.append(str(trouble))

    async def connection(self):
        began = time.perf_counter()
        _, client = await self.loop.create_connection(lambda: Client(self.loop), "127.0.0.1", self.order.port)
        try:
            await client.expect(b"220")
            await client.say(b"EHLO load.example\r\n", b"250")
            await self.mail(client, began)
            while self.order.kept and time.perf_counter() < self.ends_at:
                await self.mail(client, time.perf_counter())
            await client.say(b"QUIT\r\n", b"221")
        finally:
            client.transport.close()

    async def mail(self, client, began):
        number = self.counter
        self.counter += 1
        recipient = mails.recipient(number, contacts=self.order.contacts)
        message = self.pieces[number % len(self.pieces)].numbered(number, recipient) + b".\r\n"
        mail, rcpt = b"MAIL FROM:<amir.khan@force.example>\r\n", b"RCPT TO:<%s>\r\n" % recipient.encode()
        if self.order.pipelining:
            client.transport.write(mail + rcpt + b"DATA\r\n")
            for code in (b"250", b"250", b"354"):
                await client.expect(code)
        else:
            await client.say(mail, b"250")
            await client.say(rcpt, b"250")
            await client.say(b"DATA\r\n", b"354")
        await client.say(message, b"250")
        self.result.accepted += 1
        self.result.latencies_ms.append((time.perf_counter() - began) * 1000)


async def carry_out(order):
    return await Load(order).run()


def main():
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            result = runner.run(carry_out(Order(**json.loads(line))))
            print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    main()
