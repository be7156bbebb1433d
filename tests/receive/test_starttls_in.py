"""STARTTLS from the client's side: RFC 3207, and what goes wrong with it."""

import asyncio
import ssl

import pytest

from gateway.errors import Mistakes
from gateway.model import Client
from gateway.receive import serve
from gateway.receive.server import tls_context
from gateway.settings import SmtpSettings, SmtpTls


@pytest.fixture
def tls(certificate):
    return {"cert": certificate / "cert.pem", "key": certificate / "key.pem"}


async def test_a_message_in_tls(connect, house, tls):
    """STARTTLS is offered once, and what follows is in TLS and known to be."""
    talk = await connect(tls=tls)
    assert "250-STARTTLS" in (await talk.greet()).split("\n")
    assert (await talk.ask("STARTTLS")).startswith("220")
    await talk.start_tls()
    assert "STARTTLS" not in await talk.ask("EHLO client.example")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    assert (await talk.ask("RCPT TO:<b@mail.example>")).startswith("250")
    assert (await talk.ask("DATA")).startswith("354")
    assert (await talk.ask("x" * 300_000 + "\r\n.")).startswith("250")
    assert (await talk.ask("QUIT")).startswith("221")
    assert house.messages() == [b"x" * 300_000 + b"\r\n"]
    assert [call[1] for call in house.heard if call[0] == "open"] == [
        Client(address="127.0.0.1", helo="client.example", extended=True, tls=True)
    ]


async def test_a_second_starttls_is_out_of_order(connect, tls):
    """aiosmtpd answers 220 to it and breaks the connection."""
    talk = await connect(tls=tls)
    await talk.greet()
    await talk.ask("STARTTLS")
    await talk.start_tls()
    await talk.ask("EHLO client.example")
    assert (await talk.ask("STARTTLS")).startswith("503 5.5.1")
    assert (await talk.ask("NOOP")).startswith("250")


async def test_nothing_is_remembered_from_before_tls(connect, house, tls):
    """RFC 3207 section 4.2: greeting and transaction are forgotten."""
    talk = await connect(tls=tls)
    await talk.greet()
    await talk.ask("MAIL FROM:<a@force.example>")
    await talk.ask("RCPT TO:<b@mail.example>")
    await talk.ask("STARTTLS")
    await talk.start_tls()
    assert (await talk.ask("DATA")).startswith("503")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("503")
    assert house.steps() == ["open", "mail", "rcpt", "reset"]


async def test_commands_sent_before_the_handshake_are_dropped(connect, house, tls):
    """What an attacker puts in plain text behind STARTTLS must not be carried out in TLS (CVE-2011-0411)."""
    talk = await connect(tls=tls)
    await talk.greet()
    talk.send(
        b"STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@force.example>\r\nRCPT TO:<b@mail.example>\r\nDATA\r\nx\r\n.\r\n"
    )
    assert (await talk.reply()).startswith("220")
    await talk.start_tls()
    assert (await talk.ask("NOOP")).startswith("250")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("503")
    assert house.heard == []


async def test_tls_can_be_required(connect, house, tls):
    """RFC 3207 section 4: 530 to everything but EHLO, NOOP, STARTTLS and QUIT."""
    talk = await connect(tls={**tls, "required": True})
    await talk.greet()
    for command in (
        "MAIL FROM:<a@force.example>",
        "RCPT TO:<b@mail.example>",
        "DATA",
        "RSET",
        "VRFY x",
        "HELO c.example",
    ):
        assert (await talk.ask(command)).startswith("530 5.7.0"), command
    assert (await talk.ask("NOOP")).startswith("250")
    assert house.heard == []
    assert (await talk.ask("STARTTLS")).startswith("220")
    await talk.start_tls()
    await talk.ask("EHLO client.example")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")


async def test_starttls_in_its_place_only(connect, tls):
    """No argument, and not before EHLO."""
    talk = await connect(tls=tls)
    await talk.reply()
    assert (await talk.ask("STARTTLS")).startswith("503 5.5.1")
    await talk.ask("EHLO client.example")
    assert (await talk.ask("STARTTLS now")).startswith("501 5.5.4")


@pytest.mark.parametrize(
    "instead", [b"EHLO client.example\r\n", b"\x16\x03\x01\x00\x02\x01\x00", b"\xff" * 500, b""]
)
async def test_a_handshake_that_is_none_ends_the_connection(connect, house, tls, instead):
    """There is no way back to plain text, and nothing stays behind."""
    talk = await connect(tls=tls, idle_timeout_s=0.5)
    await talk.greet()
    await talk.ask("STARTTLS")
    talk.send(instead)
    while await talk.reader.read(1000):
        pass
    await nobody_left(talk.server)


@pytest.mark.parametrize("how", ["eof", "reset"])
async def test_a_client_that_leaves_in_the_handshake_leaves_nothing(connect, tls, how):
    """aiosmtpd takes it for success, and waits for a client that is not there."""
    talk = await connect(tls=tls)
    await talk.greet()
    await talk.ask("STARTTLS")
    if how == "reset":
        talk.hang_up()
    else:
        await talk.close()
    await nobody_left(talk.server)


async def nobody_left(server):
    async with asyncio.timeout(10):
        while server.connections:
            await asyncio.sleep(0.005)


async def test_a_client_that_leaves_in_tls_cancels_nothing(connect, house, tls):
    """The same promise as in plain text."""
    talk = await connect(tls=tls)
    await talk.greet()
    await talk.ask("STARTTLS")
    await talk.start_tls()
    await talk.ask("EHLO client.example")
    await talk.ask("MAIL FROM:<a@force.example>")
    await talk.ask("RCPT TO:<b@mail.example>")
    await talk.ask("DATA")
    house.hold("data")
    talk.send(b"x\r\n.\r\n")
    await house.until("data")
    talk.hang_up()
    other = await connect()
    await other.greet()
    house.let_go()
    await house.until("data done")
    await other.close()
    await nobody_left(talk.server)


async def test_silence_in_tls_ends_too(connect, tls):
    """The time-outs hold in TLS."""
    talk = await connect(tls=tls, idle_timeout_s=0.3)
    await talk.greet()
    await talk.ask("STARTTLS")
    await talk.start_tls()
    assert (await talk.ask("EHLO client.example")).startswith("250")
    assert (await talk.reply()).startswith("421 4.4.2")
    assert await talk.is_closed()


async def test_a_renewed_certificate_is_used_from_then_on(connect, certificate, other_certificate, tmp_path):
    """Certificates run out; nobody should have to restart the relay for that."""
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_bytes((certificate / name).read_bytes())
    first = await connect(tls={"cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"})
    seen = [await certificate_of(first)]
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_bytes((other_certificate / name).read_bytes())
    first.server.renew_certificate()
    seen.append(await certificate_of(await connect()))
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(Mistakes):
        first.server.renew_certificate()
    seen.append(await certificate_of(await connect()))
    assert seen[0] != seen[1] == seen[2]


@pytest.mark.parametrize("renewed", [("cert.pem",), ("key.pem",), ()], ids=["cert", "key", "no key"])
async def test_a_certificate_half_renewed_changes_nothing(
    connect, certificate, other_certificate, tmp_path, renewed
):
    """Read between the renewal of one file and the other: a mistake, and the pair that was in force still serves."""
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_bytes((certificate / name).read_bytes())
    first = await connect(tls={"cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"})
    before = await certificate_of(first)
    for name in renewed:
        (tmp_path / name).write_bytes((other_certificate / name).read_bytes())
    if not renewed:
        (tmp_path / "cert.pem").write_bytes((other_certificate / "cert.pem").read_bytes())
        (tmp_path / "key.pem").unlink()
    with pytest.raises(Mistakes):
        first.server.renew_certificate()
    assert await certificate_of(await connect()) == before
    (tmp_path / "key.pem").write_bytes((other_certificate / "key.pem").read_bytes())
    (tmp_path / "cert.pem").write_bytes((other_certificate / "cert.pem").read_bytes())
    first.server.renew_certificate()
    assert await certificate_of(await connect()) != before


async def certificate_of(talk):
    await talk.greet()
    await talk.ask("STARTTLS")
    await talk.start_tls()
    return talk.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)


def test_old_tls_is_not_spoken(tls):
    """TLS 1.2 at least, no renegotiation, and no certificate asked of the client."""
    context = tls_context(SmtpTls(**tls))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.verify_mode == ssl.CERT_NONE
    assert tls_context(SmtpTls()) is None


async def test_a_certificate_that_cannot_be_used_is_a_mistake(
    house, certificate, other_certificate, tmp_path
):
    """Refused at start, with the files' names and what to do; and nobody is asked for a password at a terminal."""
    (tmp_path / "empty.pem").write_bytes(b"")
    pairs = [
        (certificate / "cert.pem", other_certificate / "key.pem"),
        (certificate / "cert.pem", certificate / "locked.pem"),
        (certificate / "key.pem", certificate / "key.pem"),
        (tmp_path / "missing.pem", certificate / "key.pem"),
        (tmp_path / "empty.pem", certificate / "key.pem"),
        (tmp_path, certificate / "key.pem"),
    ]
    for cert, key in pairs:
        with pytest.raises(Mistakes) as mistakes:
            await serve(house, SmtpSettings(listen="127.0.0.1:0", tls=SmtpTls(cert=cert, key=key)))
        assert str(cert) in str(mistakes.value)
        assert "PEM" in str(mistakes.value)
