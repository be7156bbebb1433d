"""Octets through a real socket: smuggling, pipelining, blocks of any size, and what the bytes are at the end."""

import asyncio
import socket

import pytest
from front import play
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smuggling import NO_END


@pytest.mark.parametrize("ending", NO_END.values(), ids=NO_END)
async def test_a_smuggled_message_is_no_message(connect, house, ending):
    """The commands behind a false end are text: one refusal, no second transaction, the real end is found."""
    talk = await connect()
    await talk.begin()
    talk.send(
        b"Subject: one\r\n\r\none"
        + ending
        + b"MAIL FROM:<boss@force.example>\r\nRCPT TO:<victim@mail.example>\r\nDATA\r\nSubject: two\r\n\r\ntwo\r\n.\r\nNOOP\r\n"
    )
    assert (await talk.reply()).startswith("550 5.6.11 ")
    assert await talk.reply() == "250 2.0.0 Ok"
    assert house.steps() == ["open", "mail", "rcpt", "reset"]
    assert (await talk.ask("QUIT")).startswith("221")


@pytest.mark.parametrize("ending", NO_END.values(), ids=NO_END)
async def test_a_false_end_alone_gets_no_answer(connect, house, ending):
    """Until CRLF "." CRLF comes the message goes on: no reply, no command."""
    talk = await connect()
    await talk.begin()
    talk.send(b"one" + ending)
    await talk.writer.drain()
    talk.send(b"\r\n.\r\n")
    assert (await talk.reply()).startswith("550 5.6.11 ")
    assert (await talk.ask("NOOP")).startswith("250")


WHOLE = (
    b"EHLO client.example\r\nMAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\nRCPT TO:<c@mail.example>\r\n"
    b"DATA\r\nSubject: one\r\n\r\n..dot\r\n.hidden\r\n\xff\x00"[:-1]
    + b"\r\n.\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<d@mail.example>\r\nDATA\r\n.\r\nQUIT\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
async def test_packets_have_no_meaning(connect, house, size):
    """The same octets in any packets are the same dialogue: PIPELINING in its widest sense."""
    talk = await connect()
    talk.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert (await talk.reply()).startswith("220")
    for start in range(0, len(WHOLE), size):
        talk.send(WHOLE[start : start + size])
        await talk.writer.drain()
    told = [(await talk.reply())[:3] for _ in range(11)]
    assert told == ["250", "250", "250", "250", "354", "250", "250", "250", "250", "354", "250"]
    assert (await talk.reply()).startswith("221")
    assert await talk.is_closed()
    assert house.messages() == [b"Subject: one\r\n\r\n.dot\r\nhidden\r\n\xff\r\n", b""]
    assert [call[1] for call in house.heard if call[0] == "rcpt"] == [
        f"{name}@mail.example" for name in "bcd"
    ]


text = st.lists(
    st.one_of(
        st.binary(max_size=40), st.sampled_from([b".", b"..", b"", b". ", b".\xe9", b"From x", b"\x1a\x04"])
    ).map(lambda line: line.translate(None, b"\r\n\0")),
    max_size=30,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(text, min_size=1, max_size=3), size=st.integers(1, 200))
async def test_bytes_out_are_bytes_in(connect, house, messages, size):
    """P2: whatever the lines hold, what is handed on is what was written before dot-stuffing; in any packets."""
    house.heard.clear()
    wanted = [b"".join(line + b"\r\n" for line in lines) for lines in messages]
    octets = b"EHLO client.example\r\n"
    for message in wanted:
        stuffed = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
        octets += b"MAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\nDATA\r\n" + stuffed + b".\r\n"
    talk = await connect()
    await talk.reply()
    for start in range(0, len(octets), size):
        talk.send(octets[start : start + size])
        await talk.writer.drain()
    told = [(await talk.reply())[:3] for _ in range(1 + 4 * len(wanted))]
    assert told == ["250", *["250", "250", "354", "250"] * len(wanted)]
    await talk.close()
    assert house.messages() == wanted


async def test_replies_to_pipelined_commands_go_out_together(connect, house):
    """RFC 2920 section 3.2: not one packet for each reply; but nothing is kept back behind a slow step."""
    talk = await connect()
    await talk.greet()
    talk.send(b"MAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\nDATA\r\n")
    await talk.reply()
    assert talk.reader._buffer.count(b"\r\n") == 2


async def test_an_answer_to_a_message_is_not_kept_back(connect, house):
    """A 250 that waited for the next command's answer would be a message sent twice if we died."""
    talk = await connect()
    await talk.begin()
    house.hold("mail")
    talk.send(b"x\r\n.\r\nMAIL FROM:<a@force.example>\r\n")
    assert await talk.reply() == "250 2.0.0 Ok"
    house.let_go()
    assert await talk.reply() == "250 2.0.0 Ok"


async def test_replies_are_not_kept_back_for_long(connect, house):
    """Fifty pipelined recipients at a slow smarthost: the client sees progress and does not give up."""
    talk = await connect()
    await talk.greet()
    house.hold("rcpt")
    talk.send(b"MAIL FROM:<a@force.example>\r\nRCPT TO:<b@mail.example>\r\nRCPT TO:<c@mail.example>\r\n")
    await house.until("rcpt")
    await asyncio.sleep(1.1)
    house.let_one_go("rcpt")
    assert await talk.reply() == "250 2.0.0 Ok"
    assert await talk.reply() == "250 2.0.0 Ok"
    assert ("rcpt", "c@mail.example") in house.heard
    house.let_go()
    assert await talk.reply() == "250 2.0.0 Ok"


fragments = st.sampled_from(
    [
        *[
            b"EHLO c.example\r\n",
            b"HELO c\r\n",
            b"MAIL FROM:<a@force.example>\r\n",
            b"MAIL FROM:<> SIZE=3\r\n",
        ],
        *[b"RCPT TO:<b@mail.example>\r\n", b"RCPT TO:<@x:b@y>\r\n", b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n"],
        *[
            b".\r\n",
            b"\r\n.\r\n",
            b"\r\n",
            b"\r",
            b"\n",
            b".",
            b"\0",
            b" ",
            b"text\r\n",
            b"..\r\n",
            b"\xff\xfe",
            b'<"@',
        ],
    ]
)
hostile = st.lists(st.one_of(fragments, fragments, st.binary(max_size=8)), max_size=40).map(b"".join)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(octets=hostile)
async def test_no_octets_break_the_front(connect, house, octets, capsys):
    """P11: whatever a client sends, it gets replies, the connection ends, and what is handed on has clean line ends."""
    house.heard.clear()
    talk = await connect(max_errors=1000)
    talk.send(octets)
    talk.writer.write_eof()
    while line := await talk.line():
        assert line.endswith(b"\r\n")
        assert line[:3].isdigit()
        assert line[3:4] in {b" ", b"-"}
    await talk.close()
    for message in house.messages():
        bare = message.replace(b"\r\n", b"")
        assert not {0, 10, 13} & set(bare)
        assert message == b"" or message.endswith(b"\r\n")
    assert "failed" not in capsys.readouterr().out


async def test_a_refused_message_and_a_good_one_in_one_packet(connect, house):
    """Each has its own answer, in order."""
    await play(
        await connect(),
        r"""
> EHLO client.example
> MAIL FROM:<a@force.example>
> RCPT TO:<b@mail.example>
> DATA
> bare\rCR
> .
> MAIL FROM:<a@force.example>
> RCPT TO:<b@mail.example>
> DATA
> fine
> .
> QUIT
< 220 ...
< 250-...
< 250-...
< 250-...
< 250-...
< 250-...
< 250 ...
< 250 ...
< 250 ...
< 354 ...
< 550 5.6.11 ...
< 250 ...
< 250 ...
< 354 ...
< 250 ...
< 221 ...
< EOF
""",
    )
    assert house.messages() == [b"fine\r\n"]
