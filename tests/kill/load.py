"""Senders: what a force's mail server does all day. Each message is tried again, same bytes, until it is answered 250."""

import asyncio
import contextlib
import hashlib
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway_process import ADVANCE, OFFICER, UPDATE

COUNSEL = "counsel@chambers.example"
HELD_CONTACT = "nadia@home.example"
UPDATED_CONTACT = "joseph@home.example"
KISS = "The hearing is on Friday. Take care of yourself, lots of love xx"


class Kind(StrEnum):
    """What should become of a message."""

    PLAIN = "to nobody registered"
    UPDATE = "to a contact, passes"
    FLAG = "to a contact, flagged"
    HOLD = "to a contact, held"
    MIXED = "held for a contact, sent to counsel"


class Step(StrEnum):
    """How far a try has come, as its sender sees it."""

    CONNECT = "connect"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    UPLOAD = "upload"
    DOT = "after the dot"


@dataclass(slots=True, kw_only=True)
class Message:
    """One message and the story of its tries. ``lost_in`` are the kills in which an answer after the dot was lost."""

    kind: Kind
    raw: bytes
    recipients: tuple[str, ...]
    tries: int = 0
    answers: list[str] = field(default_factory=list)
    lost_in: list[int] = field(default_factory=list)
    accepted: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


class Mint:
    """Makes messages, no two alike, in a mixture that meets the goals at about the same time."""

    def __init__(self, goals: dict[Kind, int], seed: int) -> None:
        self._random = random.Random(seed)
        self._kinds = [kind for kind, goal in goals.items() for _ in range(goal)]
        self._random.shuffle(self._kinds)
        self._kinds.reverse()
        self._flags = 0
        self.made: list[Message] = []

    def next(self) -> Message | None:
        if not self._kinds:
            return None
        kind = self._kinds.pop()
        text, recipients = self._what(kind)
        filler = "".join(
            f"{'.' * (line % 3)}{self._random.randbytes(20).hex()} £\r\n"
            for line in range(self._random.randrange(40))
        )
        raw = (
            f"From: Amir Khan <{OFFICER}>\r\nTo: {recipients[0]}\r\nSubject: Your case\r\n"
            f"Message-ID: <{self._random.randbytes(12).hex()}@force.example>\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n-- \r\n{filler}"
        ).encode()
        self.made.append(Message(kind=kind, raw=raw, recipients=recipients))
        return self.made[-1]

    def _what(self, kind: Kind) -> tuple[str, tuple[str, ...]]:
        match kind:
            case Kind.PLAIN:
                return UPDATE, (f"clerk{self._random.randrange(50)}@council.example",)
            case Kind.UPDATE:
                return UPDATE, (UPDATED_CONTACT,)
            case Kind.FLAG:  # a second one to the same contact would be held
                self._flags += 1
                return KISS, (f"flagged{self._flags}@home.example",)
            case Kind.HOLD:
                return ADVANCE, (HELD_CONTACT,)
            case Kind.MIXED:
                return ADVANCE, (HELD_CONTACT, COUNSEL)


class Refused(Exception):
    """The gateway answered something else than was hoped for."""


class Sender:
    """One connection after another, several messages on each."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self.message: Message | None = None
        self.step = Step.CONNECT
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        while (message := await self._load.take()) is not None:
            self.message, self.step = message, Step.CONNECT
            epoch = self._load.epoch
            message.tries += 1
            try:
                answer = await self._send(message)
            except (OSError, asyncio.IncompleteReadError):
                message.answers.append(f"lost: {self.step}")
                if self.step is Step.DOT:
                    message.lost_in.append(epoch)
                self._hang_up()
                self._load.again(message)
            except Refused as refusal:
                message.answers.append(str(refusal))
                self._hang_up()
                self._load.again(message)
            else:
                message.accepted = answer.split()[-1]
                self._load.done(message)
            finally:
                self.message = None
        self._hang_up()

    async def _send(self, message: Message) -> str:
        if self._writer is None or self._load.random.random() < 0.1:
            self._hang_up()
            await self._connect()
        self.step = Step.MAIL
        await self._say(f"MAIL FROM:<{OFFICER}> BODY=8BITMIME\r\n".encode(), "250")
        self.step = Step.RCPT
        for recipient in message.recipients:
            await self._say(f"RCPT TO:<{recipient}>\r\n".encode(), "250")
        self.step = Step.DATA
        await self._say(b"DATA\r\n", "354")
        self.step = Step.UPLOAD
        wire = message.raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        assert self._writer is not None
        self._writer.write(wire[: len(wire) // 2])
        await self._load.in_mid_upload(message)
        self._writer.write(wire[len(wire) // 2 :])
        self.step = Step.DOT
        return await self._answer("250")

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._load.port)
        await self._answer("220")
        await self._say(b"EHLO mail.force.example\r\n", "250")

    async def _say(self, line: bytes, hoped: str) -> None:
        assert self._writer is not None
        self._writer.write(line)
        await self._answer(hoped)

    async def _answer(self, hoped: str) -> str:
        assert self._reader is not None
        while True:
            line = (await self._reader.readuntil(b"\r\n")).decode()
            if line[3] == " ":
                break
        if not line.startswith(hoped):
            raise Refused(f"{line.strip()} ({self.step})")
        return line.strip()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class Load:
    """All senders. ``epoch`` counts the lives of the gateway, ``up`` says that it is there to be talked to."""

    def __init__(self, mint: Mint, port: int, senders: int, seed: int) -> None:
        self.port = port
        self.random = random.Random(seed + 1)
        self.epoch = 0
        self.up = asyncio.Event()
        self.answered: Counter[Kind] = Counter()
        self.senders = [Sender(self) for _ in range(senders)]
        self._mint = mint
        self._again: deque[Message] = deque()
        self._open = 0
        self._allowed = 0
        self._changed = asyncio.Condition()
        self._pause: Callable[[Message], bool] | None = None
        self._paused = asyncio.Event()
        self._go_on = asyncio.Event()

    async def run(self) -> None:
        await asyncio.gather(*(sender.run() for sender in self.senders))

    async def take(self) -> Message | None:
        """Return a message to send, once the gateway is up; None when there is nothing left to be done."""
        while True:
            await self.up.wait()
            if self._again:
                return self._again.popleft()
            if (message := self._mint.next()) is not None:
                self._open += 1
                return message
            if not self._open:
                await self._tell()
                return None
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._again) or not self._open)

    def again(self, message: Message) -> None:
        self._again.append(message)
        self._soon()

    def done(self, message: Message) -> None:
        self._open -= 1
        self.answered[message.kind] += 1
        self._soon()

    def _soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self._tell())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, true: Callable[[], bool], timeout_s: float = 120) -> None:
        """Wait until ``true()``; asked after every answer."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(true)

    @property
    def total(self) -> int:
        return self.answered.total()

    def under_way(self) -> Counter[Step]:
        """Return how many tries are at which step now."""
        return Counter(sender.step for sender in self.senders if sender.message is not None)

    def after_the_dot(self, *kinds: Kind) -> list[Message]:
        """Return the messages of these kinds that wait for their answer."""
        return [
            sender.message
            for sender in self.senders
            if sender.message is not None and sender.step is Step.DOT and sender.message.kind in kinds
        ]

    # a sender that stops in mid-upload

    async def in_mid_upload(self, message: Message) -> None:
        if self._pause is not None and self._pause(message):
            self._pause = None
            self._paused.set()
            await self._go_on.wait()

    @contextlib.asynccontextmanager
    async def stopped_in_mid_upload(self, which: Callable[[Message], bool]):
        self._paused.clear()
        self._go_on.clear()
        self._pause = which
        try:
            async with asyncio.timeout(60):
                await self._paused.wait()
            yield
        finally:
            self._pause = None
            self._go_on.set()


_tasks: set[asyncio.Task[None]] = set()
