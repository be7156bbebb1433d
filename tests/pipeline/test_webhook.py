"""The webhook: an urgent hold calls the on-call system once, through the outbox, with nothing of the message in it."""

import asyncio
import json
import ssl
from dataclasses import replace

import pytest
from browser import a_certificate
from road import Road, letter

from gateway.model import Event, OutboxKind
from gateway.outbox import Outbox
from gateway.settings import NoticeSettings, OutboxSettings, WebhookSettings
from gateway.store.rows import DeliveryState
from gateway.webhook import Webhook

URGENT = letter("HOLD this URGENT one.")
CONSOLE = "https://gateway.force.example/"


class OnCall:
    """An HTTP server on loopback: keeps each request, and answers in turn what it is told."""

    def __init__(self, *answers, tls=None):
        self.answers = list(answers)
        self.heard = []
        self._tls = tls

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.heard.append((line, headers, body))
        status = self.answers.pop(0) if self.answers else "200 OK"
        if status:
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()


def watched(road: Road, on_call: OnCall, **given) -> Outbox:
    """Have the road call ``on_call``, and return an outbox that does so, trying again at once."""
    settings = WebhookSettings(**{"url": f"http://127.0.0.1:{on_call.port}/hooks/5ecret"} | given)
    notices = NoticeSettings(sender="gateway@force.example", url=CONSOLE, webhook=settings)
    road.conductor.options = replace(road.conductor.options, notices=notices)
    return Outbox(
        store=road.store,
        relay=road.conductor.relay,
        webhook=Webhook(settings),
        settings=OutboxSettings(first_retry_s=0.001, max_retry_s=0.001, max_tries=4),
        hostname="gateway.force.example",
        process="two",
    )


def calls(road: Road):
    return [one for one in road.deliveries() if one.kind is OutboxKind.WEBHOOK]


async def deliver_all(outbox: Outbox, road: Road):
    """Deliver until nothing is queued any more."""
    async with asyncio.timeout(60):
        while any(one.state is DeliveryState.QUEUED for one in road.deliveries()):
            await outbox.deliver_due()


async def test_an_urgent_hold_calls_once_and_says_nothing_of_the_message(road: Road):
    """Id, time, where to sign in, and a sentence: no officer, contact, subject, word, rule or reason (P8)."""
    async with OnCall() as on_call:
        outbox = watched(road, on_call, token="a token of the on-call system")
        await road.send(URGENT)
        await road.send(URGENT)  # the sender's server tries again: the same hold, no second call
        (hold,) = road.holds()
        assert len(calls(road)) == 1
        await deliver_all(outbox, road)
    ((line, headers, body),) = on_call.heard
    assert line == "POST /hooks/5ecret HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer a token of the on-call system"
    said = json.loads(body)
    assert said == {
        "event": "hold:urgent",
        "id": hold.id,
        "held_at": f"{hold.held_at:%Y-%m-%dT%H:%M:%SZ}",
        "text": "Boundary gateway: a message to a registered contact is held and cannot wait. Sign in to decide.",
        "url": CONSOLE,
    }
    (call,) = calls(road)
    assert call.state is DeliveryState.SENT
    assert [one.address for one in call.recipients] == ["127.0.0.1"]
    assert road.events()[Event.NOTICE_SENT] == 3


async def test_what_is_not_urgent_calls_nobody(road: Road):
    """A hold that can wait is in the digest, and in no call."""
    async with OnCall() as on_call:
        outbox = watched(road, on_call)
        await road.send(letter("HOLD this one."))
        await deliver_all(outbox, road)
    assert on_call.heard == []
    assert road.deliveries() == ()


@pytest.mark.parametrize("trouble", ["503 Busy", "429 Too Many Requests", "500 Oh dear", ""])
async def test_trouble_that_may_pass_is_tried_again(road: Road, trouble: str):
    """A server that is busy, broken or hangs up is called again until it has taken it."""
    async with OnCall(trouble, trouble, "204 No Content") as on_call:
        outbox = watched(road, on_call)
        await road.send(URGENT)
        await deliver_all(outbox, road)
    assert len(on_call.heard) == 3
    (call,) = calls(road)
    assert (call.state, call.tries) == (DeliveryState.SENT, 3)


@pytest.mark.parametrize("answer", ["401 Unauthorized", "404 Not Found", "302 Found\r\nLocation: /other"])
async def test_what_will_never_do_is_shown_as_failed(road: Road, answer: str):
    """Refused once is refused: an audit entry says so, and no redirect is followed with the token."""
    async with OnCall(answer) as on_call:
        outbox = watched(road, on_call, token="secret")
        await road.send(URGENT)
        await deliver_all(outbox, road)
    assert len(on_call.heard) == 1
    (call,) = calls(road)
    assert call.state is DeliveryState.FAILED
    assert answer[:3] in call.recipients[0].last_reply
    assert road.events()[Event.NOTICE_FAILED] == 1


async def test_nobody_there_is_tried_until_it_is_given_up(road: Road):
    """A port that is closed: the reviewers' mail goes out all the same, and the call ends as failed."""
    async with OnCall() as on_call:
        outbox = watched(road, on_call)
    await road.send(URGENT)
    await deliver_all(outbox, road)
    (call,) = calls(road)
    assert (call.state, call.tries) == (DeliveryState.FAILED, 4)
    assert "ConnectError" in call.recipients[0].last_reply
    assert "5ecret" not in call.recipients[0].last_reply
    assert len(road.sent) == 2


async def test_it_is_only_told_to_whom_the_certificate_vouches_for(road: Road, tmp_path):
    """HTTPS is verified: a certificate nobody vouches for gets nothing, one of ``ca_file`` does."""
    cert, key = a_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    async with OnCall(tls=tls) as on_call:
        url = f"https://127.0.0.1:{on_call.port}/"
        refused = await Webhook(WebhookSettings(url=url)).post(b"{}")
        assert (refused.code, on_call.heard) == (451, [])
        taken = await Webhook(WebhookSettings(url=url, ca_file=cert)).post(b"{}")
    assert (taken.code, len(on_call.heard)) == (250, 1)


async def test_a_call_that_lost_its_address_fails(road: Road):
    """The setting was taken away while a call waited: it is not tried for ever."""
    async with OnCall() as on_call:
        watched(road, on_call)
        await road.send(URGENT)
        outbox = watched(road, on_call, url="")
        await deliver_all(outbox, road)
    (call,) = calls(road)
    assert call.state is DeliveryState.FAILED
    assert "notices.webhook.url is not set" in call.recipients[0].last_reply
