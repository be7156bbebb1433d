"""The main job on real mail: Postfix -> gateway -> Postfix."""

import asyncio
import hashlib
import re
import shutil
import smtplib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gateway_process import ADVANCE, CONTACT, OFFICER, SUPERVISOR, UPDATE, GatewayProcess, mail
from postfix_instance import Postfix, is_installed

pytestmark = [
    pytest.mark.postfix,
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="Debian's postfix is not installed, or we are not root"),
]


@dataclass
class Line:
    """Mail server, gateway, smarthost."""

    front: Postfix
    gateway: GatewayProcess
    back: Postfix


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    # Postfix's sockets lie deep in its folder, and the path of a socket may have 107 characters: pytest's own
    # temporary folders are too long for some names of tests.
    tmp_path = Path(tempfile.mkdtemp(prefix="line-"))
    back = Postfix.back(tmp_path / "back")
    gateway = GatewayProcess(tmp_path / "gateway", next_hop=back.port)
    front = Postfix.front(tmp_path / "front", gateway_port=gateway.port)
    try:
        back.start()
        async with gateway:
            front.start()
            yield Line(front, gateway, back)
    finally:
        front.stop()
        back.stop()
        shutil.rmtree(tmp_path)


async def send(port: int, raw: bytes, *recipients: str) -> None:
    def dialogue() -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail(OFFICER, list(recipients), raw)

    await asyncio.to_thread(dialogue)


def as_the_gateway_got_it(arrived: bytes) -> bytes:
    """Return the mail without what the smarthost put on top, and without the gateway's one line."""
    by_gateway = re.search(
        rb"^Received: from [^\r\n]+ by gateway\.force\.example with [^\r\n]+\r\n", arrived, re.MULTILINE
    )
    assert by_gateway, arrived
    return arrived[by_gateway.end() :]


async def test_signed_mail_arrives_verifiable(line: Line) -> None:
    """A DKIM signature made before the relay still verifies behind it (P2)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    raw = mail(UPDATE, extra="Date: Mon, 02 Mar 2026 09:00:00 +0000\n")
    signature = dkim.sign(
        raw, b"sel", b"force.example", private, include_headers=[b"from", b"to", b"subject"]
    )

    def lookup(name: bytes, timeout: int = 5) -> bytes:
        import base64

        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    await send(line.front.port, signature + raw, CONTACT)
    (arrived,) = await line.back.wait_for(1)
    assert dkim.verify(arrived, dnsfunc=lookup)
    assert not dkim.verify(arrived.replace(b"prosecutors", b"Prosecutors"), dnsfunc=lookup)


async def test_advance_waits_until_a_supervisor_releases_it(line: Line) -> None:
    """An advance is held and a proper update is not; released, it arrives with the bytes the gateway got."""
    await send(line.front.port, mail(ADVANCE), CONTACT)
    await send(line.front.port, mail(UPDATE), CONTACT)
    (update,) = await line.back.wait_for(1)
    assert b"prosecutors" in update
    (held,) = line.gateway.lines("holds", "list")
    assert held["recipients"] == [CONTACT]
    assert len(line.back.inbox()) == 1
    assert not line.front.queued()

    line.gateway.run(
        "holds", "release", held["id"], "--as", SUPERVISOR, "--reason", "Seen with PSD: send it."
    )
    arrived = (await line.back.wait_for(2))[-1]
    got = as_the_gateway_got_it(arrived)
    assert hashlib.sha256(got).hexdigest() == held["sha256"]
    async with asyncio.timeout(20):
        while line.gateway.lines("holds", "list"):
            await asyncio.sleep(0.1)
    (released,) = line.gateway.lines("holds", "list", "--state", "released")
    assert released["id"] == held["id"]
    assert line.gateway.run("audit", "verify").returncode == 0


async def test_mixed_recipients_are_split(line: Line) -> None:
    """The lawyer's copy goes at once, the victim's waits, and each gets the mail once (P5)."""
    await send(line.front.port, mail(ADVANCE), CONTACT, "counsel@chambers.example")
    (arrived,) = await line.back.wait_for(1)
    assert b"Delivered-To: counsel@chambers.example" in arrived
    (held,) = line.gateway.lines("holds", "list")
    line.gateway.run("holds", "release", held["id"], "--as", SUPERVISOR, "--reason", "A test of the split.")
    both = await line.back.wait_for(2)
    assert b"Delivered-To: " + CONTACT.encode() in both[1]


async def test_returned_hold_sends_the_officer_a_neutral_notice(line: Line) -> None:
    """`holds return` closes the hold; the officer learns that it was not delivered, and not why (P8)."""
    await send(line.front.port, mail(ADVANCE), CONTACT)
    async with asyncio.timeout(30):
        while not (found := line.gateway.lines("holds", "list")):
            await asyncio.sleep(0.1)
    line.gateway.run("holds", "return", found[0]["id"], "--as", SUPERVISOR, "--reason", "To be spoken to.")
    (notice,) = await line.back.wait_for(1)
    assert b"Delivered-To: " + OFFICER.encode() in notice
    assert b"Auto-Submitted: auto-generated" in notice
    for secret in (b"romantic", b"score", b"rule", b"hot", CONTACT.encode()):
        assert secret not in notice.partition(b"\r\n\r\n")[2]
    assert line.gateway.lines("holds", "list") == []
