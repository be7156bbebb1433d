"""A sender that says one message and returns what it was told, and at which step."""

import asyncio
from dataclasses import dataclass

from gateway_process import OFFICER


@dataclass(frozen=True, slots=True)
class Told:
    """The last answer of a try: the first refusal, or the answer after the dot. ``step`` names what it answered."""

    step: str
    reply: str

    def __str__(self) -> str:
        return f"{self.step}: {self.reply}"


class Client:
    """One connection, step by step, for tests that stop in the middle."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def reply(self) -> str:
        """Return the last line of the next reply; "closed" when the connection was."""
        while True:
            line = await self.reader.readline()
            if not line:
                return "closed"
            if line[3:4] != b"-":
                return line.decode().strip()

    async def say(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        return await self.reply()

    async def greet(self) -> None:
        assert (await self.reply()).startswith("220")
        assert (await self.say("EHLO mail.force.example")).startswith("250")

    async def envelope(self, *recipients: str, sender: str = OFFICER) -> Told | None:
        """Say MAIL and RCPT; return the refusal if nobody was taken."""
        if not (reply := await self.say(f"MAIL FROM:<{sender}>")).startswith("2"):
            return Told("MAIL", reply)
        replies = [await self.say(f"RCPT TO:<{recipient}>") for recipient in recipients]
        refused = [reply for reply in replies if not reply.startswith("2")]
        return Told("RCPT", refused[0]) if refused else None

    async def data(self, raw: bytes) -> Told:
        if not (reply := await self.say("DATA")).startswith("354"):
            return Told("DATA", reply)
        self.writer.write(stuffed(raw))
        return Told("dot", await self.reply())

    def leave(self) -> None:
        self.writer.transport.abort()


def stuffed(raw: bytes) -> bytes:
    """Return ``raw`` as it goes over the wire, final dot and all."""
    return (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


async def told(port: int, raw: bytes, *recipients: str) -> Told:
    """Send one message over a connection of its own and return what became of it."""
    client = await Client.connect(port)
    try:
        if not (reply := await client.reply()).startswith("220"):
            return Told("connect", reply)
        if not (reply := await client.say("EHLO mail.force.example")).startswith("2"):
            return Told("EHLO", reply)
        return await client.envelope(*recipients) or await client.data(raw)
    finally:
        client.leave()
