"""The two parties around SMTP in, for its tests: a conductor that is scripted, and a client that speaks bytes."""

import asyncio
import contextlib
import re
import socket
import ssl
import struct

from gateway.model import Capabilities, Reply

PATIENCE_S = 10.0
"""Nothing here takes that long; a test that waits for something which never comes fails with its name."""


class House:
    """A conductor. ``heard`` lists every call in order; ``answers`` says what the next calls of a step answer."""

    def __init__(self):
        self._capabilities = Capabilities(size=0, eight_bit_mime=True, smtputf8=True)
        self.heard = []
        self.answers = {}
        self.default = Reply(250, ("2.0.0 Ok",))
        self._gates = {}
        self._changed = asyncio.Event()

    @property
    def capabilities(self):
        if isinstance(self._capabilities, Exception):
            raise self._capabilities
        return self._capabilities

    @capabilities.setter
    def capabilities(self, value):
        self._capabilities = value

    def hold(self, step):
        """Make calls of ``step`` wait until `let_go`."""
        self._gates[step] = asyncio.Event()

    def let_one_go(self, step):
        """Let the call of ``step`` that waits go on, and make the next one wait."""
        gate = self._gates[step]
        self.hold(step)
        gate.set()

    def let_go(self):
        """Let all that waits go on."""
        for gate in self._gates.values():
            gate.set()
        self._gates.clear()

    def open(self, client):
        self.note("open", client)
        answer = self._scripted("open")
        if isinstance(answer, BaseException):
            raise answer
        return _Exchange(self)

    def note(self, *call):
        self.heard.append(call)
        self._changed.set()

    def _scripted(self, step):
        queue = self.answers.get(step)
        return queue.pop(0) if queue else self.default

    async def answer(self, step):
        gate = self._gates.get(step)
        if gate is not None:
            await gate.wait()
        answer = self._scripted(step)
        self.note(f"{step} done")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def steps(self):
        """Return the names of the calls, without their ends."""
        return [call[0] for call in self.heard if not call[0].endswith(" done")]

    def messages(self):
        """Return the bytes of each message that was handed on."""
        return [call[1] for call in self.heard if call[0] == "data"]

    async def until(self, step, times=1):
        """Wait until a call (or ``"data done"``, its end) was heard ``times`` times."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(call[0] == step for call in self.heard) < times:
                self._changed.clear()
                await self._changed.wait()


class _Exchange:
    def __init__(self, house):
        self._house = house

    async def mail(self, command):
        self._house.note("mail", command)
        return await self._house.answer("mail")

    async def rcpt(self, recipient):
        self._house.note("rcpt", recipient)
        return await self._house.answer("rcpt")

    async def data(self, raw):
        self._house.note("data", raw)
        return await self._house.answer("data")

    async def reset(self):
        self._house.note("reset")
        await self._house.answer("reset")


class Talk:
    """A client. Sends octets as they are, and reads reply lines."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.server = None

    @classmethod
    async def open(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, octets):
        self.writer.write(octets)

    async def line(self):
        """Return the next line, ``b""`` at the end of the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.readline()
            except ConnectionError:
                return b""

    async def reply(self):
        """Return the next reply whole, lines joined by LF, empty at the end of the connection."""
        lines = []
        while line := await self.line():
            assert line.endswith(b"\r\n"), line
            lines.append(line[:-2].decode())
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    async def ask(self, command):
        """Send a command and return the reply."""
        self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def greet(self, name="client.example"):
        """Read the banner and say EHLO."""
        assert (await self.reply()).startswith("220 ")
        return await self.ask(f"EHLO {name}")

    async def begin(self, sender="officer@force.example", recipient="someone@mail.example"):
        """Greet, and go as far as 354."""
        await self.greet()
        assert (await self.ask(f"MAIL FROM:<{sender}>")).startswith("250")
        assert (await self.ask(f"RCPT TO:<{recipient}>")).startswith("250")
        assert (await self.ask("DATA")).startswith("354")

    async def is_closed(self):
        """Return whether nothing more comes and the connection is at its end."""
        return await self.line() == b""

    async def start_tls(self):
        """Do the handshake, trusting anybody."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        async with asyncio.timeout(PATIENCE_S):
            await self.writer.start_tls(context)

    def hang_up(self):
        """Reset the connection, as a crashed client does."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self.writer.wait_closed()


async def play(talk, script):
    r"""Play a dialogue: ``>`` lines are sent, ``<`` lines must come, ``<EOF`` is the end of the connection.

    Sent lines that follow each other go in one packet, as a pipelining client sends them. In what is sent ``\r``,
    ``\n``, ``\0`` and ``\xNN`` stand for those octets, and each line ends with CRLF unless it ends with ``\c``. An
    expected line may stop early with ``...``.
    """
    said = []
    outgoing = b""
    for step in filter(str.strip, script.splitlines()):
        kind, text = step.strip()[:1], step.strip()[1:].removeprefix(" ")
        said.append(step.strip())
        if kind == ">":
            outgoing += _octets(text)
            continue
        if outgoing:
            talk.send(outgoing)
            outgoing = b""
        try:
            line = (await talk.line()).decode()
        except TimeoutError:
            line = "nothing"
        expected = re.escape(text).replace(re.escape("..."), ".*") + "\r\n" if text != "EOF" else ""
        assert re.fullmatch(expected, line), "\n".join([*said, f"got: {line!r}"])
    if outgoing:
        talk.send(outgoing)


def _octets(text):
    end = b"\r\n"
    if text.endswith(r"\c"):
        text, end = text[:-2], b""
    octets = {r"\r": b"\r", r"\n": b"\n", r"\t": b"\t", r"\0": b"\0"}
    pieces = re.split(r"(\\x[0-9a-f]{2}|\\[rnt0])", text)
    return (
        b"".join(
            bytes.fromhex(piece[2:]) if piece.startswith(r"\x") else octets.get(piece) or piece.encode()
            for piece in pieces
        )
        + end
    )
