"""A smarthost for tests: records exactly what it is sent, and goes wrong exactly as it is told.

As a context manager inside a test::

    async with Smarthost() as smarthost:
        smarthost.at(Stage.RCPT, answer("550 5.1.1 No such person here"))
        ...
        assert smarthost.mails[0].data == ...

or as a process that makes each mail durable before it says 250, for tests that kill the gateway::

    python tests/smarthost.py --port 2600 --maildir DIR     # prints "ready PORT"; DIR/<n>.eml and DIR/<n>.json

It shares no code with the gateway: what it understood is independent evidence.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import ssl
import sys
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

EXTENSIONS = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


class Stage(StrEnum):
    """Where a script can step in. ``UPLOAD`` is before the message is read, ``DOT`` after all of it was."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    UPLOAD = "upload"
    DOT = "dot"
    RSET = "rset"
    QUIT = "quit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What to do instead of the ordinary answer.

    ``says`` is sent as it is; None keeps the ordinary answer, empty says nothing. ``keeps`` records the message at
    DOT even though no 250 is said. ``waits_for`` holds the answer back until the test sets it. ``closes`` hangs up
    afterwards, ``resets`` with RST instead of FIN, ``idles`` keeps the connection open and never speaks again.
    """

    says: bytes | None = None
    keeps: bool = False
    waits_for: asyncio.Event | None = None
    closes: bool = False
    resets: bool = False
    idles: bool = False


def answer(*lines: str, closes: bool = False) -> Act:
    """Say these reply lines; several become a multi-line reply of the same code."""
    code = lines[0][:3]
    texts = [lines[0][4:], *lines[1:]]
    wire = [f"{code}{'-' if n < len(texts) - 1 else ' '}{text}\r\n" for n, text in enumerate(texts)]
    return Act(says="".join(wire).encode("utf-8"), closes=closes)


def raw(octets: bytes, *, closes: bool = False) -> Act:
    """Say these very octets."""
    return Act(says=octets, closes=closes)


def hang_up() -> Act:
    """Close without an answer."""
    return Act(says=b"", closes=True)


def reset_connection() -> Act:
    """Close without an answer, by RST."""
    return Act(says=b"", closes=True, resets=True)


def hang_up_after() -> Act:
    """Give the ordinary answer, then close."""
    return Act(closes=True)


def accept_and_hang_up() -> Act:
    """At DOT: keep the message, and close without an answer. The sender cannot know."""
    return Act(says=b"", keeps=True, closes=True)


def silence() -> Act:
    """Never answer; the connection stays open."""
    return Act(says=b"", idles=True)


def slow(until: asyncio.Event) -> Act:
    """Give the ordinary answer once the test says so."""
    return Act(waits_for=until)


@dataclass(slots=True, kw_only=True)
class Mail:
    """One message that the smarthost took responsibility for."""

    sender: str
    mail_line: bytes
    recipients: tuple[str, ...]
    rcpt_lines: tuple[bytes, ...]
    data: bytes
    """Dots undone: the message as it was."""
    wire: bytes
    """As it came, up to and with the final dot."""
    connection: int
    tls: bool
    user: str


@dataclass(slots=True, kw_only=True)
class Session:
    """One connection: every command line, in order, without CRLF; ``closed`` when it is over."""

    number: int
    commands: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    reads: list[bytes] = field(default_factory=list)
    """What single reads from the socket gave: shows what was sent in one write. Large ones are cut."""
    uploads: list[bytes] = field(default_factory=list)
    """What came after each 354, whole or not."""
    tls: bool = False
    user: str = ""
    closed: bool = False

    @property
    def verbs(self) -> list[str]:
        """The first word of each command."""
        return [
            line.split(b" ")[0].split(b":")[0].decode("ascii", "replace").upper() for line in self.commands
        ]


@dataclass(slots=True)
class _Step:
    act: Act
    times: int | None
    matches: Callable[[bytes], bool]


@dataclass(slots=True)
class _Envelope:
    mail_line: bytes = b""
    rcpt_lines: list[bytes] = field(default_factory=list)


class _HungUp(Exception):
    """The session is over."""


class Smarthost:
    """The server. Start it with ``async with``, or `start` and `stop`; it may be started again on its port."""

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        extensions: Iterable[str] = EXTENSIONS,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        require_tls: bool = False,
        users: dict[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
        maildir: Path | None = None,
    ) -> None:
        """``tls`` makes it offer STARTTLS (or speak TLS at once); ``users`` makes it demand AUTH."""
        self.host = host
        self.port = port
        self.extensions = tuple(extensions)
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.require_tls = require_tls
        self.users = users
        self.mechanisms = mechanisms
        self.maildir = maildir
        self.mails: list[Mail] = []
        self.sessions: list[Session] = []
        self.most_open = 0
        self._steps: dict[Stage, deque[_Step]] = {stage: deque() for stage in Stage}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._changed = asyncio.Condition()

    # what tests call

    def at(
        self,
        stage: Stage,
        act: Act,
        *,
        times: int | None = 1,
        when: bytes | Callable[[bytes], bool] = b"",
    ) -> None:
        """Do ``act`` at ``stage``: ``times`` times (None: always), for command lines that contain ``when``."""
        matches = when if callable(when) else lambda line: when in line
        self._steps[stage].append(_Step(act, times, matches))

    def refuses(self, recipient: str, *lines: str) -> None:
        """Answer every RCPT for ``recipient`` with these reply lines."""
        path = f"<{recipient}>".encode()
        self.at(Stage.RCPT, answer(*lines), times=None, when=path)

    def forget_script(self) -> None:
        """Go right again."""
        for steps in self._steps.values():
            steps.clear()

    async def until(self, true: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until ``true()``; it is asked after everything that happens here."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(true)

    @property
    def open_sessions(self) -> list[Session]:
        """The connections that are open now."""
        return [session for session in self.sessions if not session.closed]

    def say(self, octets: bytes) -> None:
        """Say something on every open connection, unasked."""
        for writer in self._writers.values():
            writer.write(octets)

    def hang_up_all(self, *, resets: bool = False) -> None:
        """Close every open connection, as a server does that restarts or sees nothing for too long."""
        for writer in self._writers.values():
            writer.transport.abort() if resets else writer.close()

    async def start(self) -> Self:
        """Listen. On port 0 the port is chosen, and kept for the next start."""
        context = self.tls if self.implicit_tls else None
        self._server = await asyncio.start_server(self._accept, self.host, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening (connections are refused from now on) and drop every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers.values()):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    # one connection

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(number=len(self.sessions), tls=self.implicit_tls)
        self.sessions.append(session)
        self._writers[session.number] = writer
        self.most_open = max(self.most_open, len(self._writers))
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.happened()
            await _Dialogue(self, session, reader, writer).run()
        except (_HungUp, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            session.closed = True
            self._writers.pop(session.number, None)
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self.happened()

    async def happened(self) -> None:
        """Let everybody who waits look again."""
        async with self._changed:
            self._changed.notify_all()

    def next_act(self, stage: Stage, line: bytes) -> Act:
        """Return what the script says for this command, used up; an empty act when it says nothing."""
        steps = self._steps[stage]
        for step in steps:
            if step.matches(line):
                if step.times is not None:
                    step.times -= 1
                    if step.times == 0:
                        steps.remove(step)
                return step.act
        return Act()

    def keep(self, mail: Mail) -> None:
        """Take the message: into memory, and onto the disk when there is a folder for it."""
        if self.maildir is not None:
            _keep_durably(self.maildir, mail)
        self.mails.append(mail)


class _Dialogue:
    def __init__(
        self,
        smarthost: Smarthost,
        session: Session,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.smarthost = smarthost
        self.session = session
        self.reader = reader
        self.writer = writer
        self.buffer = bytearray()
        self.envelope = _Envelope()
        self.greeted = False

    async def run(self) -> None:
        await self.respond(Stage.CONNECT, b"", b"220 smarthost.example ESMTP\r\n")
        while True:
            line = await self.line()
            self.session.commands.append(line)
            await self.smarthost.happened()
            verb = line[:4].upper().rstrip()
            handler = getattr(self, f"do_{verb.decode('ascii', 'replace').lower()}", None)
            if handler is None:
                await self.say(b"500 5.5.2 Unknown command\r\n")
            else:
                await handler(line)

    async def do_ehlo(self, line: bytes) -> None:
        smarthost = self.smarthost
        extensions = list(smarthost.extensions)
        if smarthost.tls and not self.session.tls:
            extensions.append("STARTTLS")
        if smarthost.users is not None:
            extensions.append(f"AUTH {smarthost.mechanisms}")
        self.greeted = True
        self.envelope = _Envelope()
        ordinary = answer("250 smarthost.example", *extensions).says or b""
        await self.respond(Stage.EHLO, line, ordinary)

    async def do_star(self, line: bytes) -> None:
        await self.respond(Stage.STARTTLS, line, b"220 2.0.0 Go ahead\r\n")
        assert self.smarthost.tls is not None
        self.buffer.clear()
        await self.writer.start_tls(self.smarthost.tls)
        self.session.tls = True
        self.greeted = False

    async def do_auth(self, line: bytes) -> None:
        words = line.split(b" ")
        try:
            if words[1].upper() == b"PLAIN":
                user, password = base64.b64decode(words[2]).split(b"\0")[1:]
            else:
                await self.say(b"334 VXNlcm5hbWU6\r\n")
                user = base64.b64decode(await self.line())
                await self.say(b"334 UGFzc3dvcmQ6\r\n")
                password = base64.b64decode(await self.line())
        except (IndexError, ValueError):
            await self.say(b"501 5.5.2 Cannot decode\r\n")
            return
        known = (self.smarthost.users or {}).get(user.decode()) == password.decode()
        ordinary = b"235 2.7.0 Welcome\r\n" if known else b"535 5.7.8 Wrong name or password\r\n"
        if await self.respond(Stage.AUTH, line, ordinary):
            self.session.user = user.decode()

    async def do_mail(self, line: bytes) -> None:
        if not self.greeted:
            ordinary = b"503 5.5.1 Say EHLO first\r\n"
        elif self.smarthost.require_tls and not self.session.tls:
            ordinary = b"530 5.7.0 Must issue a STARTTLS command first\r\n"
        elif self.smarthost.users is not None and not self.session.user:
            ordinary = b"530 5.7.0 Authentication required\r\n"
        elif self.envelope.mail_line:
            ordinary = b"503 5.5.1 Nested MAIL command\r\n"
        else:
            ordinary = b"250 2.1.0 Ok\r\n"
        if await self.respond(Stage.MAIL, line, ordinary):
            self.envelope = _Envelope(mail_line=line)

    async def do_rcpt(self, line: bytes) -> None:
        ordinary = b"250 2.1.5 Ok\r\n" if self.envelope.mail_line else b"503 5.5.1 Need MAIL command\r\n"
        if await self.respond(Stage.RCPT, line, ordinary):
            self.envelope.rcpt_lines.append(line)

    async def do_rset(self, line: bytes) -> None:
        self.envelope = _Envelope()
        await self.respond(Stage.RSET, line, b"250 2.0.0 Ok\r\n")

    async def do_noop(self, line: bytes) -> None:
        await self.say(b"250 2.0.0 Ok\r\n")

    async def do_quit(self, line: bytes) -> None:
        await self.respond(Stage.QUIT, line, b"221 2.0.0 Bye\r\n")
        raise _HungUp

    async def do_data(self, line: bytes) -> None:
        ordinary = b"354 End data with <CR><LF>.<CR><LF>\r\n"
        if not self.envelope.rcpt_lines:
            ordinary = b"554 5.5.1 No valid recipients\r\n"
        if not await self.respond(Stage.DATA, line, ordinary):
            return
        self.session.uploads.append(b"")
        upload = self.smarthost.next_act(Stage.UPLOAD, line)
        if upload.says is not None or upload.closes or upload.waits_for:
            await self.perform(upload, upload.says or b"")
        wire = await self.message()
        envelope, self.envelope = self.envelope, _Envelope()
        mail = Mail(
            sender=_path(envelope.mail_line),
            mail_line=envelope.mail_line,
            recipients=tuple(_path(rcpt) for rcpt in envelope.rcpt_lines),
            rcpt_lines=tuple(envelope.rcpt_lines),
            data=_unstuffed(wire),
            wire=wire,
            connection=self.session.number,
            tls=self.session.tls,
            user=self.session.user,
        )
        act = self.smarthost.next_act(Stage.DOT, line)
        said = (
            b"250 2.0.0 Ok: queued as %d\r\n" % (len(self.smarthost.mails) + 1)
            if act.says is None
            else act.says
        )
        if act.keeps or said.startswith(b"2"):
            self.smarthost.keep(mail)
            await self.smarthost.happened()
        await self.perform(act, said)

    # reading and answering

    async def respond(self, stage: Stage, line: bytes, ordinary: bytes) -> bool:
        """Answer as the script says, else ordinarily; True when the answer was positive."""
        act = self.smarthost.next_act(stage, line)
        said = ordinary if act.says is None else act.says
        await self.perform(act, said)
        return said[:1] in (b"2", b"3")

    async def perform(self, act: Act, said: bytes) -> None:
        if act.waits_for is not None:
            await act.waits_for.wait()
        if said:
            await self.say(said)
        if act.idles:
            while await self.reader.read(65536):
                pass
            raise _HungUp
        if act.resets:
            self.writer.transport.abort()
        if act.closes:
            raise _HungUp

    async def say(self, octets: bytes) -> None:
        self.session.said.append(octets)
        self.writer.write(octets)
        await self.writer.drain()

    async def line(self) -> bytes:
        while (end := self.buffer.find(b"\r\n")) < 0:
            await self.fill()
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        return line

    async def message(self) -> bytes:
        """Return the octets up to and with the final dot; what came so far is in ``session.uploads`` at any time."""
        searched = 0
        while True:
            if self.buffer.startswith(b".\r\n"):
                end = 3
                break
            found = self.buffer.find(b"\r\n.\r\n", searched)
            if found >= 0:
                end = found + 5
                break
            searched = max(0, len(self.buffer) - 4)
            try:
                await self.fill()
            finally:
                self.session.uploads[-1] = bytes(self.buffer) if len(self.buffer) < 1_000_000 else b"(large)"
        wire = bytes(self.buffer[:end])
        self.session.uploads[-1] = wire
        del self.buffer[:end]
        return wire

    async def fill(self) -> None:
        octets = await self.reader.read(262_144)
        if not octets:
            raise _HungUp
        self.session.reads.append(octets[:4096])
        self.buffer += octets


def _path(line: bytes) -> str:
    """Return what stands between ``<`` and the last ``>`` of a command line."""
    start = line.find(b"<") + 1
    return line[start : line.rfind(b">")].decode("utf-8", "surrogateescape")


def _unstuffed(wire: bytes) -> bytes:
    """Return the message: without the final dot, each line's extra leading dot taken off."""
    lines = wire[:-3].split(b"\r\n")
    return b"\r\n".join(line.removeprefix(b".") for line in lines)


def _keep_durably(folder: Path, mail: Mail) -> None:
    """Write ``<name>.eml`` and ``<name>.json``, both synced, the folder too; the JSON last: it makes the mail count."""
    name = uuid.uuid4().hex
    envelope = {
        "sender": mail.sender,
        "recipients": mail.recipients,
        "mail_line": mail.mail_line.decode("latin-1"),
    }
    for suffix, octets in ((".eml", mail.data), (".json", json.dumps(envelope).encode())):
        temporary = folder / f".{name}{suffix}"
        with temporary.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / f"{name}{suffix}")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _serve(port: int, maildir: Path) -> None:
    smarthost = Smarthost(port=port, maildir=maildir)
    await smarthost.start()
    print(f"ready {smarthost.port}", flush=True)
    await asyncio.Event().wait()


def main() -> int:
    """Run as a process until killed."""
    parser = argparse.ArgumentParser(description="A smarthost that makes every mail durable before its 250.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--maildir", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.maildir.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments.port, arguments.maildir))
    return 0


if __name__ == "__main__":
    sys.exit(main())
