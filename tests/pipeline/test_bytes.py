"""Bytes are evidence (P2): through the socket, the pipeline and the relay, to the smarthost, and only one line more."""

import asyncio
import hashlib
import itertools

import pytest
import road as roads
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from road import CLERK, Road, letter
from smarthost import Smarthost

from gateway import receive
from gateway.settings import SmtpSettings

CONTACT = "nadia@home.example"
WITNESS = "joseph@home.example"
BOTH = pytest.mark.parametrize("recipient", [CLERK, WITNESS], ids=["unread", "inspected"])

LONG = b"x" * 4998 + b"\r\n"
ODD = {
    "8-bit": b"Subject: caf\xe9\r\n\r\ncaf\xe9 \xff\xfe \x80\r\n",
    "utf-8": "Subject: Ŵyn\r\n\r\nGrüße, Ŵyn 👋\r\n".encode(),
    "5,000-octet lines": b"Subject: long\r\n\r\n" + LONG * 3,
    "a header of 5,000 octets": b"Subject: " + LONG + b"\r\nHello.\r\n",
    "dots": b".\r\n..\r\n...\r\n.a\r\n..a\r\n\r\n.\r\n.\r\n. \r\n",
    "no header": b"Hello.\r\n",
    "no body": b"Subject: x\r\n",
    "nothing but an empty line": b"\r\n",
    "broken headers": b"not a header\r\n: no name\r\nSubject\r\n  folded\r\nTo: =?utf-8?q?=FF?=\r\n\r\nHello.\r\n",
    "space before the colon": b"Subject : x\r\n\tfolded \r\n \r\n\r\n trailing \t\r\n",
    "half a multipart": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\n',
    "wrong base64": b"Content-Transfer-Encoding: base64\r\n\r\n****====\r\n",
    "control characters": bytes(set(range(1, 32)) - {10, 13}) + b"\r\n\r\n" + bytes(range(127, 256)) + b"\r\n",
    "our own Received line": b"Received: from x by gateway.force.example with ESMTP id a; now\r\n\r\nHello.\r\n",
}  # fmt: skip


class Front:
    """A road with its front door."""

    def __init__(self, road: Road, port: int) -> None:
        self.road = road
        self.port = port

    async def send(
        self, raw: bytes, recipient: str, *, smtputf8: bool = False, sender: str = "amir.khan@force.example"
    ) -> str:
        """Send over a socket and return the answer after the dot."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        said = ""
        wire = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
        parameters = " BODY=8BITMIME" + (" SMTPUTF8" if smtputf8 else "")
        steps = (b"", b"EHLO mail.force.example\r\n", f"MAIL FROM:<{sender}>{parameters}\r\n".encode(),
                 f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n", wire)  # fmt: skip
        for step in steps:
            writer.write(step)
            while (said := (await reader.readline()).decode()) and said[3] == "-":
                pass
            if said[0] in "45":
                break
        writer.close()
        await writer.wait_closed()
        await self.road.conductor.settle()
        return said.strip()


@pytest.fixture
async def front(road: Road):
    server = await receive.serve(
        road.conductor, SmtpSettings(listen="127.0.0.1:0", hostname="gateway.force.example")
    )
    yield Front(road, server.port)
    await server.close(5)


def added(mail) -> bytes:
    line, _, rest = mail.data.partition(b"\r\n")
    assert line.startswith(b"Received: from mail.force.example ([127.0.0.1]) by gateway.force.example with ")
    return rest


@BOTH
@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
async def test_odd_mail_arrives_as_it_came(front: Front, raw: bytes, recipient: str):
    """8-bit, long lines, dots, broken headers: what arrives, or is held, is what was sent, and one line on top."""
    assert (await front.send(raw, recipient)).startswith("250 ")
    held = front.road.holds()
    if held:  # what cannot be read waits; then its release is what must be the same
        front.road.decide(held[0])
        await front.road.outbox.deliver_due()
    (mail,) = front.road.smarthost.mails
    assert added(mail) == raw
    assert b"BODY=8BITMIME" in mail.mail_line


async def test_smtputf8_goes_on_with_its_characters(front: Front):
    """Addresses beyond ASCII are the same characters on both sides, and the parameter goes with them."""
    raw = "Subject: Ŵyn\r\n\r\nGrüße.\r\n".encode()
    sender, recipient = "åsa@force.example", "rosa@bücher.example"
    assert (await front.send(raw, recipient, smtputf8=True, sender=sender)).startswith("250 ")
    (mail,) = front.road.smarthost.mails
    assert added(mail) == raw
    assert (mail.sender, mail.recipients) == (sender, (recipient,))
    assert b" SMTPUTF8" in mail.mail_line
    assert b"with UTF8SMTP id" in mail.data.partition(b"\r\n")[0]


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
async def test_held_bytes_are_the_bytes(front: Front, raw: bytes):
    """What is held is sealed as it came: the hash in the list is that of the bytes sent, and so is its release."""
    raw = letter("HOLD this.")[:-2] + b"\r\n" + raw
    await front.send(raw, CONTACT)
    (hold,) = front.road.holds()
    assert hold.sha256 == hashlib.sha256(raw).hexdigest()
    front.road.decide(hold)
    await front.road.outbox.deliver_due()
    (mail,) = front.road.smarthost.mails
    assert added(mail) == raw


LINES = st.lists(
    st.one_of(
        st.binary(max_size=120).map(lambda octets: bytes(each for each in octets if each not in b"\r\n\0")),
        st.sampled_from([b"", b".", b"..", b". ", b"Subject: x", b"--b", b"From nobody", b"\xff" * 2000]),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=LINES, recipient=st.sampled_from([CLERK, WITNESS]))
def test_any_bytes_in_are_the_same_bytes_out(lines: list[bytes], recipient: str, runner):
    """Whatever lines a client sends: accepted, they arrive (or are held) byte for byte, but for our one line (P2)."""
    loop, front, numbers = runner
    raw = b"\r\n".join((*lines, b"%d" % next(numbers))) + b"\r\n"
    said = loop.run(front.send(raw, recipient))
    assert said.startswith("250 ")
    arrived = [added(mail) for mail in front.road.smarthost.mails]
    front.road.smarthost.mails.clear()
    if not arrived:
        digest = hashlib.sha256(raw).hexdigest()
        assert digest in {hold.sha256 for hold in front.road.holds()}
    else:
        assert arrived == [raw]


@pytest.fixture
def runner(made_store, tmp_path):
    """A front that lives through all examples of a property, on a loop of its own."""
    with asyncio.Runner() as loop:
        smarthost = loop.run(Smarthost().start())
        road = loop.run(roads.build(tmp_path, made_store.copy(tmp_path / "store"), smarthost))
        server = loop.run(receive.serve(road.conductor, SmtpSettings(listen="127.0.0.1:0")))
        yield loop, Front(road, server.port), itertools.count()
        loop.run(server.close(5))
        loop.run(road.conductor.relay.close())
        road.store.close()
        loop.run(smarthost.stop())
