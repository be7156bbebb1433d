"""Limits on what one client may ask, and on what all may ask together."""

import asyncio

import pytest
from front import Talk

from gateway.model import Reply


async def open_transaction(talk):
    await talk.greet()
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    assert (await talk.ask("RCPT TO:<b@mail.example>")).startswith("250")


async def test_too_many_errors_end_the_connection(connect):
    """`max_errors` refused commands, each with its own reply, then 421."""
    talk = await connect(max_errors=3)
    await talk.greet()
    talk.send(b"BAD\r\n" * 5)
    assert [(await talk.reply())[:3] for _ in range(4)] == ["500", "500", "500", "421"]
    assert await talk.is_closed()


async def test_a_message_taken_clears_the_errors(connect):
    """As in Postfix: a client that delivers mail is forgiven its errors."""
    talk = await connect(max_errors=3)
    await talk.greet()
    for _ in range(3):
        await talk.ask("BAD")
        await talk.ask("BAD")
        await talk.ask("MAIL FROM:<a@force.example>")
        await talk.ask("RCPT TO:<b@mail.example>")
        await talk.ask("DATA")
        assert (await talk.ask(".")).startswith("250")


async def test_refusals_by_the_smarthost_are_not_the_clients_errors(connect, house):
    """A letter to thirty people of whom twenty-nine have left must reach the thirtieth."""
    house.answers["rcpt"] = [Reply(550, ("5.1.1 Gone",))] * 29
    talk = await connect(max_errors=3)
    await talk.greet()
    await talk.ask("MAIL FROM:<a@force.example>")
    told = [await talk.ask(f"RCPT TO:<b{number}@mail.example>") for number in range(30)]
    assert [reply[:3] for reply in told] == ["550"] * 29 + ["250"]


async def test_commands_pipelined_behind_a_refused_mail_are_not_errors(connect, house):
    """RFC 2920: they were sent in good faith."""
    house.answers["mail"] = [Reply(451, ("4.3.0 Later",))]
    talk = await connect(max_errors=3)
    await talk.greet()
    talk.send(b"MAIL FROM:<a@force.example>\r\n" + b"RCPT TO:<b@mail.example>\r\n" * 20 + b"DATA\r\nRSET\r\n")
    told = [(await talk.reply())[:3] for _ in range(23)]
    assert told == ["451"] + ["503"] * 21 + ["250"]
    talk.send(b"RCPT TO:<b@mail.example>\r\n" * 3)
    assert [(await talk.reply())[:3] for _ in range(4)] == ["503", "503", "503", "421"]


async def test_too_many_recipients_are_told_one_by_one(connect):
    """RFC 5321 section 4.5.3.1.10: 452 for each beyond the limit; those before it get their mail, no error counts."""
    talk = await connect(max_recipients=2, max_errors=3)
    await talk.greet()
    await talk.ask("MAIL FROM:<a@force.example>")
    told = [await talk.ask(f"RCPT TO:<b{number}@mail.example>") for number in range(9)]
    assert [reply[:9] for reply in told] == ["250 2.0.0"] * 2 + ["452 4.5.3"] * 7
    assert (await talk.ask("DATA")).startswith("354")


@pytest.mark.parametrize("command", ["NOOP", "RSET", "VRFY x", "HELP", "EHLO c.example", "HELO c.example"])
async def test_idle_talk_ends(connect, command):
    """aiosmtpd lets NOOP and RSET go on for ever."""
    talk = await connect(max_junk_commands=5)
    await talk.greet()
    for _ in range(4):
        assert (await talk.ask(command))[:1] == "2"
    assert (await talk.ask(command)).startswith("421 4.7.0")
    assert await talk.is_closed()


async def test_a_message_lets_idle_talk_begin_again(connect):
    """RSET after each message is no flood."""
    talk = await connect(max_junk_commands=2)
    await talk.greet()
    for _ in range(5):
        await talk.ask("MAIL FROM:<a@force.example>")
        await talk.ask("RCPT TO:<b@mail.example>")
        await talk.ask("DATA")
        assert (await talk.ask(".")).startswith("250")
        assert (await talk.ask("RSET")).startswith("250")


async def test_a_connection_has_so_many_commands(connect):
    """`max_commands`, of any kind; 421, so that the client begins again."""
    talk = await connect(max_commands=10)
    await talk.greet()
    for _ in range(9):
        assert (await talk.ask("MAIL FROM:<a@force.example>"))[:3] in {"250", "503"}
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("421 4.7.0")
    assert await talk.is_closed()


async def test_a_long_command_is_refused_and_the_next_is_understood(connect):
    """The limit is exact, with CRLF; a longer line is read to its end and refused once."""
    talk = await connect(max_command_bytes=600)
    await talk.greet()
    assert (await talk.ask("NOOP " + "x" * 593)).startswith("250")
    assert (await talk.ask("NOOP " + "x" * 594)).startswith("500 5.5.2")
    talk.send(b"NOOP " + b"x" * 30_000 + b"\r\nNOOP\r\n")
    assert (await talk.reply()).startswith("500 5.5.2")
    assert (await talk.reply()).startswith("250")


async def test_a_long_command_in_pieces_is_refused_once(connect):
    """CR at the end of one piece and LF at the start of the next are still CRLF."""
    talk = await connect(max_command_bytes=600)
    await talk.greet()
    for piece in (b"NOOP " + b"x" * 700, b"x" * 700 + b"\r", b"\nNOOP\r\n"):
        talk.send(piece)
        await talk.writer.drain()
        await asyncio.sleep(0.01)
    assert (await talk.reply()).startswith("500 5.5.2")
    assert (await talk.reply()).startswith("250")


async def test_an_endless_command_is_cut(connect):
    """What never ends is not read for ever."""
    talk = await connect()
    await talk.greet()
    talk.send(b"x" * 200_000)
    assert (await talk.reply()).startswith("500 5.5.2")
    assert await talk.is_closed()


@pytest.mark.parametrize("where", ["greeting", "command", "transaction", "data", "message"])
async def test_silence_is_not_waited_for_for_ever(connect, house, where):
    """`idle_timeout_s`, wherever the client falls silent: 421, nothing handed on."""
    talk = await connect(idle_timeout_s=0.2)
    if where == "greeting":
        assert (await talk.reply()).startswith("220")
    elif where == "command":
        await talk.greet()
        talk.send(b"MAIL FR")
    elif where == "transaction":
        await open_transaction(talk)
    else:
        await talk.begin()
        if where == "message":
            talk.send(b"Subject: x\r\n")
    assert (await talk.reply()).startswith("421 4.4.2")
    assert await talk.is_closed()
    assert house.messages() == []


async def test_a_command_cannot_be_stretched_octet_by_octet(connect):
    """The idle time runs for the whole command."""
    talk = await connect(idle_timeout_s=0.5)
    await talk.greet()
    told = asyncio.create_task(talk.reply())
    while not told.done():
        talk.send(b"x")
        await asyncio.sleep(0.02)
    assert (await told).startswith("421 4.4.2")


async def test_an_upload_may_take_so_long(connect, house):
    """`data_timeout_s` for all of DATA, however busy the client; a steady upload within it is not cut."""
    talk = await connect(idle_timeout_s=0.3, data_timeout_s=1.0)
    await talk.begin()
    told = asyncio.create_task(talk.reply())
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not told.done():
        talk.send(b"still writing\r\n")
        await asyncio.sleep(0.02)
    assert (await told).startswith("421 4.4.2")
    assert loop.time() - began > 0.9
    assert house.messages() == []


async def test_a_slow_answer_is_not_the_clients_silence(connect, house):
    """aiosmtpd's timer cancels a handler that takes long: here only the client's time counts."""
    talk = await connect(idle_timeout_s=0.2, session_timeout_s=0.3)
    await talk.begin()
    house.hold("data")
    talk.send(b"x\r\n.\r\n")
    await house.until("data")
    await asyncio.sleep(0.7)
    house.let_go()
    assert await talk.reply() == "250 2.0.0 Ok"
    assert (await talk.reply()).startswith("421 4.4.2")


async def test_a_session_ends_after_its_time(connect):
    """`session_timeout_s`: a connection is no lease, however busy it is."""
    talk = await connect(session_timeout_s=0.5, max_junk_commands=1_000_000, max_commands=1_000_000)
    await talk.greet()
    told = "250"
    while told.startswith("250"):
        told = await talk.ask("NOOP")
    assert told.startswith("421 4.4.2")


async def test_a_client_that_ends_lines_with_lf_is_told_so(connect):
    """It waits for an answer that CRLF would bring; it gets the reason and the end instead of a time-out."""
    talk = await connect(idle_timeout_s=0.3)
    await talk.reply()
    talk.send(b"EHLO client.example\n")
    assert (await talk.reply()).startswith("500 5.5.2")
    assert await talk.is_closed()


async def test_one_connection_too_many_is_told_so(connect, start):
    """421 to the one beyond the limit; the others go on, and a place that comes free is given."""
    first = await connect(max_connections=2)
    second = await connect()
    assert (await first.reply()).startswith("220")
    assert (await second.reply()).startswith("220")
    third = await connect()
    assert (await third.reply()).startswith("421 4.3.2")
    assert await third.is_closed()
    assert (await second.ask("QUIT")).startswith("221")
    await second.close()
    while True:
        fourth = await connect()
        if (await fourth.reply()).startswith("220"):
            break
    assert (await first.ask("NOOP")).startswith("250")


async def test_one_client_cannot_take_all_connections(connect):
    """The same for each address."""
    first = await connect(max_connections_per_client=1)
    assert (await first.reply()).startswith("220")
    second = await connect()
    assert (await second.reply()).startswith("421 4.3.2")


async def test_a_message_beyond_those_in_flight_waits(connect, house):
    """`max_messages_in_flight`: no 354 before there is room."""
    first = await connect(max_messages_in_flight=1)
    second = await connect()
    await first.begin()
    await open_transaction(second)
    second.send(b"DATA\r\n")
    await house.until("rcpt done", 2)
    assert (await first.ask("x\r\n.")).startswith("250")
    assert (await second.reply()).startswith("354")
    assert (await second.ask("y\r\n.")).startswith("250")


async def test_a_message_that_finds_no_room_is_sent_back_for_later(connect, house):
    """451 4.3.2 at DATA, the transaction dropped, the session goes on."""
    first = await connect(max_messages_in_flight=1, in_flight_wait_s=0.05)
    second = await connect()
    await first.begin()
    await open_transaction(second)
    assert (await second.ask("DATA")).startswith("451 4.3.2")
    assert (await second.ask("DATA")).startswith("503")
    assert house.steps()[-1] == "reset"
    assert (await first.ask("x\r\n.")).startswith("250")
    assert (await second.ask("MAIL FROM:<a@force.example>")).startswith("250")


async def test_octets_in_flight_are_bounded(connect, house):
    """`max_bytes_in_flight`: a message that finds no memory is read to its end and refused for now."""
    first = await connect(max_bytes_in_flight=1_048_576, in_flight_wait_s=0.05)
    second = await connect()
    await first.begin()
    await second.begin()
    house.hold("data")
    block = b"Subject: x\r\n\r\n" + b"x" * 78 + b"\r\n"
    first.send(block + (b"y" * 78 + b"\r\n") * 12_000 + b".\r\n")
    await house.until("data")
    assert (await second.ask("z" * 78 + "\r\n" + ("z" * 78 + "\r\n") * 12_000 + ".")).startswith("451 4.3.2")
    house.let_go()
    assert (await first.reply()).startswith("250")
    assert len(house.messages()) == 1


async def test_a_message_too_big_is_refused_at_its_end(connect, house):
    """552 5.3.4, nothing handed on, and the next message is taken."""
    talk = await connect(max_message_bytes=2000)
    await talk.begin()
    talk.send(b"x" * 78 + b"\r\n")
    talk.send((b"x" * 78 + b"\r\n") * 50 + b".\r\n")
    assert (await talk.reply()).startswith("552 5.3.4")
    await talk.ask("MAIL FROM:<a@force.example>")
    await talk.ask("RCPT TO:<b@mail.example>")
    await talk.ask("DATA")
    assert (await talk.ask("Subject: small\r\n.")).startswith("250")
    assert house.messages() == [b"Subject: small\r\n"]


async def test_a_flood_in_data_is_cut(connect, house):
    """Beyond four times the limit nobody is waited for."""
    talk = await connect(max_message_bytes=2000)
    await talk.begin()
    talk.send((b"x" * 78 + b"\r\n") * 200)
    assert (await talk.reply()).startswith("552 5.3.4")
    assert await talk.is_closed()
    assert house.messages() == []


async def test_long_lines_pass_unchanged(connect, house):
    """aiosmtpd refuses lines over 1,001 octets after the whole upload; real mail has them."""
    talk = await connect()
    await talk.begin()
    message = b"Subject: x\r\n\r\n" + b"y" * 5000 + b"\r\n" + b"z" * 900_000 + b"\r\n"
    talk.send(message + b".\r\n")
    assert (await talk.reply()).startswith("250")
    assert house.messages() == [message]


@pytest.mark.parametrize(
    ("settings", "message", "reply"),
    [
        ({"max_line_bytes": 1000}, b"S: x\r\n\r\n" + b"y" * 999 + b"\r\n", "500 5.6.0"),
        ({"max_header_bytes": 1024}, b"S: x\r\n" * 200 + b"\r\n", "552 5.3.4"),
        ({"max_received_lines": 3}, b"Received: x\r\n" * 4 + b"\r\n", "554 5.4.6"),
    ],
)
async def test_limits_on_the_message_itself(connect, house, settings, message, reply):
    """Lines, header block and hops, each with its own reply; the session goes on."""
    talk = await connect(**settings)
    await talk.begin()
    talk.send(message + b".\r\n")
    assert (await talk.reply()).startswith(reply)
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    assert house.messages() == []


async def test_limits_of_one_connection_are_not_those_of_another(connect):
    """aiosmtpd keeps its limits of command length in one dict for all connections, and clears it at each new one."""
    talk = await connect(max_command_bytes=1000)
    await talk.greet()
    for _ in range(5):
        other = await Talk.open(talk.server.port)
        await other.greet()
        await other.close()
        assert (await talk.ask("NOOP " + "x" * 993)).startswith("250")
        assert (await talk.ask("NOOP " + "x" * 994)).startswith("500")
