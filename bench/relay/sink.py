"""A smarthost that takes everything and keeps nothing but a count: ``python -m bench.relay.sink``.

Prints its port, serves until its standard input ends. ``XCOUNT`` is answered with how many messages it took, notices
(null sender) aside.
An `asyncio.Protocol` on uvloop, in a process of its own, so that it is not what is being measured.
"""

import asyncio
import sys

import uvloop

_EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
_END = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One connection. Commands may come pipelined; a message ends at CRLF "." CRLF, however it is cut up."""

    taken = 0

    def connection_made(self, transport):
        self.transport = transport
        self.rest = b""
        self.in_message = self.is_notice = False
        transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data):
        rest = self.rest + data
        out = []
        while rest:
            if self.in_message:
                end = rest.find(_END)
                if end < 0:
                    rest = rest[-4:]
                    break
                self.in_message = False
                Sink.taken += not self.is_notice
                out.append(b"250 2.0.0 Ok queued\r\n")
                rest = rest[end + 5 :]
                continue
            line, found, behind = rest.partition(b"\r\n")
            if not found:
                break
            rest = behind
            if line[:4].upper() == b"MAIL":
                self.is_notice = line[4:].upper().startswith(b" FROM:<>")
            out.append(self.answer(line[:4].upper()))
            if self.in_message:
                rest = (
                    b"\r\n" + rest
                )  # the command's own CRLF is the first half of the end of an empty message
        self.rest = rest
        if out:
            self.transport.write(b"".join(out))
        if self.leaving:
            self.transport.close()

    leaving = False

    def answer(self, verb):
        if verb == b"DATA":
            self.in_message = True
            return b"354 Go on\r\n"
        if verb == b"EHLO":
            return _EHLO
        if verb == b"QUIT":
            self.leaving = True
            return b"221 2.0.0 Bye\r\n"
        if verb == b"XCOU":
            return b"250 %d\r\n" % Sink.taken
        return b"250 2.0.0 Ok\r\n"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()


if __name__ == "__main__":
    uvloop.run(main())
