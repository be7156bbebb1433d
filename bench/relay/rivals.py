"""What others would write, on aiosmtpd and uvloop: ``python -m bench.relay.rivals NAME SINK_PORT FOLDER``.

    drop    takes each message and forgets it: the ceiling of plain aiosmtpd
    naive   aiosmtplib.send for each message: a new connection each time
    pooled  aiosmtplib, connections kept and used again
    fsync   takes each message, makes a file of it, syncs the file: the least a durable receiver does

Each answers 250 only when its work on the message is done. Prints its port, serves until standard input ends.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

import aiosmtplib
import uvloop
from aiosmtpd.smtp import SMTP

_MAX_BYTES = 52_428_800


class Drop:
    async def handle_DATA(self, _server, _session, _envelope):  # noqa: N802 - aiosmtpd's name
        return "250 2.0.0 Ok"


class Naive:
    def __init__(self, port):
        self.port = port

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        await aiosmtplib.send(
            envelope.content,
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            hostname="127.0.0.1",
            port=self.port,
            start_tls=False,
        )
        return "250 2.0.0 Ok"


class Pooled:
    def __init__(self, port):
        self.port = port
        self.idle = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        client = self.idle.pop() if self.idle else await self.connected()
        await client.sendmail(envelope.mail_from, envelope.rcpt_tos, envelope.content)
        self.idle.append(client)
        return "250 2.0.0 Ok"

    async def connected(self):
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, start_tls=False)
        await client.connect()
        return client


class Fsync:
    def __init__(self, folder):
        self.folder = folder
        self.taken = 0

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.taken += 1
        path = f"{self.folder}/{self.taken:09d}.eml"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, envelope.content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return "250 2.0.0 Ok"


def handler(name, sink_port, folder):
    if name == "fsync":
        mails = Path(folder) / "mails"
        mails.mkdir(parents=True)
        return Fsync(str(mails))
    return {"drop": Drop, "naive": lambda: Naive(sink_port), "pooled": lambda: Pooled(sink_port)}[name]()


async def main(name, sink_port, folder):
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    does = handler(name, sink_port, folder)

    def session():
        return SMTP(does, hostname="rival.example", data_size_limit=_MAX_BYTES, loop=loop)

    server = await loop.create_server(session, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
