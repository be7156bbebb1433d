"""The relay and its fake smarthost against software that is not ours: neither may only suit the other."""

import asyncio
import json
import smtplib
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP
from relay.dialogue import MESSAGE, OFFICER, TOP, WITNESS, say

from gateway.model import MailCommand
from gateway.relay import Relay
from gateway.settings import NextHopSettings

SMARTHOST = Path(__file__).parent.parent / "smarthost.py"


class Keeping:
    """An aiosmtpd handler that keeps envelopes."""

    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # the name aiosmtpd calls
        self.envelopes.append(envelope)
        return "250 2.0.0 Ok"


async def test_aiosmtpd_gets_what_we_send():
    """A server we did not write reads the same envelope and the same bytes, message after message."""
    keeping = Keeping()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeping, hostname="sink.example", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    relay = Relay(NextHopSettings(url=f"smtp://127.0.0.1:{port}"), "gateway.example")
    messages = [MESSAGE, b".\r\n..\r\n", b"Subject: x\r\n\r\n" + b"line\r\n" * 50_000]
    for message in messages:
        command = MailCommand(
            reverse_path="ré@force.example", body="8BITMIME", smtputf8=True, size=len(message)
        )
        assert (await say(relay, command, parts=(TOP, message))).reply.code == 250
    assert [envelope.content for envelope in keeping.envelopes] == [TOP + message for message in messages]
    assert keeping.envelopes[0].mail_from == "ré@force.example"
    assert keeping.envelopes[0].rcpt_tos == [WITNESS]
    await relay.close()
    server.close()


async def test_the_fake_smarthost_understands_smtplib(smarthost):
    """The fake is evidence only if another client's mail comes through it unchanged."""

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", smarthost.port) as client:
            client.sendmail(OFFICER.reverse_path, [WITNESS], MESSAGE)

    await asyncio.to_thread(send)
    mail = smarthost.mails[0]
    assert (mail.sender, mail.recipients, mail.data) == (OFFICER.reverse_path, (WITNESS,), MESSAGE)


async def test_the_smarthost_as_a_process_keeps_mail_on_disk(tmp_path):
    """For tests that kill: what it answered 250 is in its folder, envelope beside it, though it is killed at once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, SMARTHOST, "--maildir", tmp_path / "mail", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    ready = (await process.stdout.readline()).split()
    relay = Relay(NextHopSettings(url=f"smtp://127.0.0.1:{int(ready[1])}"), "gateway.example")
    for _ in range(3):
        assert (await say(relay)).reply.code == 250
    process.kill()
    await process.communicate()
    envelopes = [json.loads(file.read_text()) for file in (tmp_path / "mail").glob("*.json")]
    assert [envelope["recipients"] for envelope in envelopes] == [[WITNESS]] * 3
    assert [file.read_bytes() for file in (tmp_path / "mail").glob("*.eml")] == [TOP + MESSAGE] * 3
    await relay.close()
