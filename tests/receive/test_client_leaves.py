"""Clients that leave, at every stage, and what must be finished all the same."""

import asyncio

import pytest

from gateway.model import Reply

BODY = b"Subject: x\r\n\r\nsome text\r\n"


async def all_gone(server):
    """Wait until the server has nobody left, and nothing under way."""
    async with asyncio.timeout(10):
        while server.connections:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("how", ["eof", "reset"])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_a_client_that_leaves_cancels_nothing(connect, house, step, how):
    """aiosmtpd cancels the handler: mail lost or doubled. Here what was handed on is finished and accounted for."""
    house.hold(step)
    talk = await connect()
    await talk.greet()
    talk.send(b"MAIL FROM:<a@force.example>\r\n")
    if step != "mail":
        assert (await talk.reply()).startswith("250")
        talk.send(b"RCPT TO:<b@mail.example>\r\n")
    if step == "data":
        assert (await talk.reply()).startswith("250")
        assert (await talk.ask("DATA")).startswith("354")
        talk.send(BODY + b".\r\n")
    await house.until(step)
    if how == "reset":
        talk.hang_up()
    else:
        talk.writer.close()
        await talk.writer.wait_closed()
    # The server has seen it go once another client has been served by the same loop.
    other = await connect()
    await other.greet()
    assert f"{step} done" not in [call[0] for call in house.heard]
    house.let_go()
    await house.until(f"{step} done")
    await house.until("reset done")
    await other.close()
    await all_gone(talk.server)
    assert house.steps()[-1] == "reset"


async def test_a_client_that_closes_its_half_gets_its_answer(connect, house):
    """EOF behind the dot: the message is complete, it is handed on and answered."""
    talk = await connect()
    await talk.greet()
    talk.send(b"MAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\nDATA\r\n")
    for code in ("250", "250", "354"):
        assert (await talk.reply()).startswith(code)
    house.hold("data")
    talk.send(BODY + b".\r\n")
    talk.writer.write_eof()
    await house.until("data")
    house.let_go()
    assert await talk.reply() == "250 2.0.0 Ok"
    assert await talk.is_closed()
    assert house.messages() == [BODY]


CUT_SHORT = {
    "at once": b"",
    "in the banner's place": b"EHL",
    "after EHLO": b"EHLO c.example\r\n",
    "inside MAIL": b"EHLO c.example\r\nMAIL FROM:<a@force.exam",
    "after MAIL": b"EHLO c.example\r\nMAIL FROM:<a@force.example>\r\n",
    "after RCPT": b"EHLO c.example\r\nMAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\n",
    "after DATA": b"EHLO c.example\r\nMAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\nDATA\r\n",
}
for _at in (1, 5, len(BODY) - 1, len(BODY)):
    CUT_SHORT[f"{_at} octets into the message"] = CUT_SHORT["after DATA"] + BODY[:_at]
for _end in (b".", b".\r"):
    CUT_SHORT[f"inside the end, at {_end!r}"] = CUT_SHORT["after DATA"] + BODY + _end


@pytest.mark.parametrize("how", ["eof", "reset"])
@pytest.mark.parametrize("sent", CUT_SHORT.values(), ids=CUT_SHORT)
async def test_half_a_message_is_none(connect, house, sent, how):
    """A message without its end is never handed on, and an open transaction is dropped."""
    talk = await connect()
    await talk.reply()
    talk.send(sent)
    if b"DATA" in sent:
        await house.until("rcpt done")
        while not (await talk.reply()).startswith("354"):
            pass
    elif b"MAIL FROM:<a@force.example>" in sent:
        await house.until("mail done")
    if how == "reset":
        talk.hang_up()
    else:
        talk.writer.close()
    await all_gone(talk.server)
    assert house.messages() == []
    if "mail" in house.steps():
        assert house.steps()[-1] == "reset"


async def test_a_message_sent_and_left_at_once_is_delivered_once(connect, house):
    """Everything in one packet, then the end of the connection: one message, no error."""
    talk = await connect()
    await talk.greet()
    talk.send(
        b"MAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\nDATA\r\n" + BODY + b".\r\nQUIT\r\n"
    )
    talk.writer.write_eof()
    replies = [await talk.reply() for _ in range(5)]
    assert [reply[:3] for reply in replies] == ["250", "250", "354", "250", "221"]
    assert house.messages() == [BODY]


async def test_an_exchange_that_is_cancelled_inside_is_trouble_like_any_other(connect, house):
    """A CancelledError that comes out of an exchange ends neither the session nor the truth."""
    house.answers["data"] = [asyncio.CancelledError(), Reply(250, ("2.0.0 Ok",))]
    talk = await connect()
    await talk.begin()
    assert (await talk.ask("x\r\n.")).startswith("451 4.3.0")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")


async def test_a_client_that_reads_nothing_is_cut_off(connect, house):
    """Replies that nobody reads do not pile up: the next command waits, and the time runs out."""
    talk = await connect(idle_timeout_s=0.5, max_commands=1_000_000, max_recipients=1_000_000)
    await talk.greet()
    house.default = Reply(250, ("2.1.5 " + "long " * 90,))
    talk.writer.transport.pause_reading()
    talk.send(b"MAIL FROM:<a@force.example>\r\n" + b"RCPT TO:<b@mail.example>\r\n" * 40_000)
    await all_gone(talk.server)
    assert 0 < house.steps().count("rcpt") < 40_000
