"""One message through a relay, as the pipeline sends it: what the tests of the dialogue share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gateway.model import MailCommand, Reply
from gateway.relay import Relay

OFFICER = MailCommand(reverse_path="dc.reed@force.example")
WITNESS = "witness@home.example"
SOLICITOR = "solicitor@law.example"
TOP = b"Received: from pc.force.example by gateway.example; Mon, 3 Mar 2025 09:00:00 +0000\r\n"
MESSAGE = b"Subject: Your statement\r\n\r\nDear Ms Hale,\r\n.the date is set.\r\n..\r\nD. Reed\r\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the dialogue ended, and with which reply."""

    stage: str
    reply: Reply
    uncertain: bool


async def say(
    relay: Relay,
    command: MailCommand = OFFICER,
    recipients: tuple[str, ...] = (WITNESS,),
    parts: tuple[bytes, ...] = (TOP, MESSAGE),
) -> Outcome:
    """Send one message; stop where the first answer is not 2xx, as the pipeline does for a sole recipient."""
    transaction = relay.begin()
    try:
        reply = await transaction.mail(command)
        if not reply.is_positive:
            return Outcome("MAIL", reply, transaction.uncertain)
        for recipient in recipients:
            reply = await transaction.rcpt(recipient)
            if not reply.is_positive:
                return Outcome("RCPT", reply, transaction.uncertain)
        reply = await transaction.data(parts)
        return Outcome("DATA", reply, transaction.uncertain)
    finally:
        await transaction.abandon()


async def loop_until(true: Callable[[], object]) -> None:
    """Let the loop turn until ``true()``: for states of the relay itself, which tells nobody."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)
