"""A relay killed in the middle of a release: its successor takes the delivery over at once."""

import asyncio
import smtplib
from pathlib import Path

from gateway_process import ADVANCE, CONTACT, OFFICER, SUPERVISOR, GatewayProcess, mail
from smarthost import Smarthost, Stage, silence


async def test_the_lease_of_a_killed_relay_is_not_waited_for(tmp_path: Path) -> None:
    """Killed while the smarthost was silent after the dot, the release goes out after the restart, not after the lease."""
    more = {"outbox": {"lease_s": 3600}}
    async with (
        Smarthost() as smarthost,
        GatewayProcess(tmp_path, next_hop=smarthost.port, more=more) as gateway,
    ):

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", gateway.port) as client:
                client.sendmail(OFFICER, [CONTACT], mail(ADVANCE))

        await asyncio.to_thread(send)
        (held,) = await asyncio.to_thread(gateway.lines, "holds", "list")
        smarthost.at(Stage.DOT, silence())
        release = ("holds", "release", held["id"], "--as", SUPERVISOR, "--reason", "A test.")
        await asyncio.to_thread(gateway.run, *release)
        await smarthost.until(lambda: any("DATA" in session.verbs for session in smarthost.sessions), 30)
        gateway.kill()
        smarthost.forget_script()
        before = len(smarthost.mails)
        await gateway.start()
        await smarthost.until(lambda: len(smarthost.mails) > before, 60)
        (delivery,) = await asyncio.to_thread(gateway.lines, "outbox", "list", "--state", "all")
        assert delivery["maybe_sent_twice"] == 1
