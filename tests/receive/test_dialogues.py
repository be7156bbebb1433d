r"""Dialogues, played line by line against a running server: order, replies, limits.

``>`` is sent, ``<`` must come; see `front.play`.
"""

import pytest
from front import play

from gateway.errors import NextHopUnavailable, NotStored
from gateway.model import Capabilities, Client, MailCommand, Reply

GREET = """
< 220 gateway.example ESMTP
> EHLO client.example
< 250-gateway.example
< 250-PIPELINING
< 250-SIZE 36700160
< 250-8BITMIME
< 250-SMTPUTF8
< 250 ENHANCEDSTATUSCODES
"""

OPEN = """
> MAIL FROM:<officer@force.example>
< 250 2.0.0 Ok
> RCPT TO:<someone@mail.example>
< 250 2.0.0 Ok
"""

DIALOGUES = {
    "a whole message, and another": GREET
    + OPEN
    + r"""
> DATA
< 354 ...
> Subject: hello
>
> ..stuffed
> .
< 250 2.0.0 Ok
> MAIL FROM:<>
< 250 2.0.0 Ok
> RCPT TO:<postmaster>
< 250 2.0.0 Ok
> DATA
< 354 ...
> .
< 250 2.0.0 Ok
> QUIT
< 221 2.0.0 Bye
< EOF
""",
    "everything pipelined, QUIT behind the dot": GREET
    + r"""
> MAIL FROM:<a@force.example>
> RCPT TO:<b@mail.example>
> RCPT TO:<c@mail.example>
> DATA
< 250 2.0.0 Ok
< 250 2.0.0 Ok
< 250 2.0.0 Ok
< 354 ...
> one
> .
> MAIL FROM:<a@force.example>
> RCPT TO:<d@mail.example>
> DATA
< 250 2.0.0 Ok
< 250 2.0.0 Ok
< 250 2.0.0 Ok
< 354 ...
> two
> .
> QUIT
< 250 2.0.0 Ok
< 221 2.0.0 Bye
< EOF
""",
    "HELO offers nothing": r"""
< 220 ...
> HELO client.example
< 250 gateway.example
> MAIL FROM:<a@force.example> SIZE=100
< 555 5.5.4 ...
> MAIL FROM:<a@force.example>
< 250 2.0.0 Ok
""",
    "words in any case, white space before the end of the line": r"""
< 220 ...
> eHlO client.example  \t
< 250-...
< 250-...
< 250-...
< 250-...
< 250-...
< 250 ...
> mail from:<a@force.example>  body=7bit
< 250 2.0.0 Ok
> RcPt tO: <b@mail.example> \t
< 250 2.0.0 Ok
> rset
< 250 2.0.0 Ok
> quit
< 221 ...
""",
    "order": GREET
    + r"""
> RCPT TO:<b@mail.example>
< 503 5.5.1 ...
> DATA
< 503 5.5.1 ...
> MAIL FROM:<a@force.example>
< 250 2.0.0 Ok
> MAIL FROM:<a@force.example>
< 503 5.5.1 ...
> DATA
< 503 5.5.1 ...
> RCPT TO:<b@mail.example>
< 250 2.0.0 Ok
> DATA now
< 501 5.5.4 ...
> RSET
< 250 2.0.0 Ok
> DATA
< 503 5.5.1 ...
> EHLO client.example
< 250-...
< 250-...
< 250-...
< 250-...
< 250-...
< 250 ...
> DATA
< 503 5.5.1 ...
""",
    "nothing before a greeting": r"""
< 220 ...
> MAIL FROM:<a@force.example>
< 503 5.5.1 ...
> RCPT TO:<b@mail.example>
< 503 5.5.1 ...
> DATA
< 503 5.5.1 ...
> STARTTLS
< 502 5.5.1 ...
> RSET
< 250 2.0.0 Ok
> NOOP
< 250 2.0.0 Ok
> VRFY someone
< 252 2.0.0 ...
> HELP
< 214 2.0.0 ...
> EHLO
< 501 5.5.4 ...
> HELO two words
< 501 5.5.4 ...
> EHLO (comment)
< 501 5.5.4 ...
""",
    "small commands": GREET
    + r"""
> NOOP anything at all
< 250 2.0.0 Ok
> RSET now
< 501 5.5.4 ...
> VRFY
< 501 5.5.4 ...
> VRFY someone@mail.example
< 252 2.0.0 ...
> HELP MAIL
< 214 2.0.0 ...
> QUIT now
< 501 5.5.4 ...
> EXPN staff
< 502 5.5.1 ...
> AUTH PLAIN AGEAYg==
< 502 5.5.1 ...
> XCLIENT ADDR=192.0.2.1
< 502 5.5.1 ...
> TURN
< 502 5.5.1 ...
> LHLO client.example
< 500 5.5.1 ...
> STARTTLS
< 502 5.5.1 ...
>
< 500 5.5.1 ...
>  NOOP
< 500 5.5.1 ...
> NOOP\tx
< 500 5.5.1 ...
""",
    "only CRLF ends a command": GREET
    + r"""
> NOOP\nNOOP
< 500 5.5.2 ...
> NOOP\rNOOP
< 500 5.5.2 ...
> NOOP\0
< 500 5.5.2 ...
> MAIL FROM:<a@force.example>\nRCPT TO:<b@mail.example>
< 500 5.5.2 ...
> NOOP\r
< 500 5.5.2 ...
> RCPT TO:<"x\rRCPT TO:<injected@elsewhere.example>\r"@force.example>
< 500 5.5.2 ...
> NOOP
< 250 2.0.0 Ok
""",
    "a command in pieces": GREET
    + r"""
> MAIL FR\c
> OM:<a@force.example>\r\c
> \n\c
< 250 2.0.0 Ok
""",
    "octets that are no text": GREET
    + r"""
> MAIL FROM:<\xff@force.example> SMTPUTF8
< 500 5.5.2 ...
> \xff\xfe
< 500 5.5.1 ...
> NOOP \xff
< 500 5.5.2 ...
> NOOP
< 250 2.0.0 Ok
""",
    "addresses": GREET
    + r"""
> MAIL FROM:a@force.example
< 501 5.5.4 ...
> MAIL FROM:<a@force.example> junk@
< 501 5.5.4 ...
> MAIL FROM:<@relay.example:a@force.example>
< 553 5.1.7 ...
> MAIL FROM:<a..b@force.example>
< 501 5.1.7 ...
> MAIL FROM:<a@force.example> RET=FULL
< 555 5.5.4 ...
> MAIL FROM:<a@force.example> SIZE=99999999
< 552 5.3.4 ...
> MAIL FROM:<"a b"@force.example>
< 250 2.0.0 Ok
> RCPT TO:<a(b)@c.example>
< 501 5.1.3 ...
> RCPT TO:<>
< 501 5.1.3 ...
> RCPT TO:<@relay.example:b@mail.example>
< 553 5.1.3 ...
> RCPT TO:<b@mail.example> NOTIFY=NEVER
< 555 5.5.4 ...
> RCPT TO:<b%elsewhere.example@mail.example>
< 250 2.0.0 Ok
> RCPT TO:<elsewhere!b@mail.example>
< 250 2.0.0 Ok
""",
    "another protocol": r"""
< 220 ...
> POST / HTTP/1.1
> Host: 127.0.0.1
>
> EHLO client.example
> MAIL FROM:<a@force.example>
< 421 4.7.0 ...
< EOF
""",
    "a tunnel": r"""
< 220 ...
> CONNECT mail.example:25 HTTP/1.1
< 421 4.7.0 ...
< EOF
""",
    "another protocol after the greeting": GREET
    + r"""
> get / HTTP/1.1
< 421 4.7.0 ...
< EOF
""",
    "TLS from the first octet": r"""
< 220 ...
> \x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\c
< 421 4.7.0 ...
< EOF
""",
    "BDAT would bring a message as commands": GREET
    + OPEN
    + r"""
> BDAT 86 LAST
> MAIL FROM:<boss@force.example>
< 502 5.5.1 ...
< EOF
""",
    "a message that was refused is not the end": GREET
    + OPEN
    + r"""
> DATA
< 354 ...
> bare\nLF
> .
> NOOP
< 550 5.6.11 ...
< 250 2.0.0 Ok
> DATA
< 503 5.5.1 ...
> MAIL FROM:<a@force.example>
< 250 2.0.0 Ok
""",
}


@pytest.mark.parametrize("script", DIALOGUES.values(), ids=DIALOGUES)
async def test_dialogue(connect, script):
    """Each command gets its reply, in its order, with its code."""
    await play(await connect(), script)


async def test_what_was_said_is_what_is_handed_on(connect, house):
    """Paths, parameters and bytes reach the exchange as they were given; each transaction ends once."""
    talk = await connect()
    await play(
        talk,
        GREET
        + r"""
> MAIL FROM:<O'Neill%x@Force.Example> SIZE=30 BODY=8BITMIME
< 250 2.0.0 Ok
> RCPT TO:<"A \"B\""@[192.0.2.1]>
< 250 2.0.0 Ok
> DATA
< 354 ...
> ..8-bit \xe9
> .
> QUIT
< 250 2.0.0 Ok
< 221 ...
< EOF
""",
    )
    await house.until("reset done")
    assert [call for call in house.heard if not call[0].endswith(" done")] == [
        ("open", Client(address="127.0.0.1", helo="client.example", extended=True, tls=False)),
        ("mail", MailCommand(reverse_path="O'Neill%x@Force.Example", size=30, body="8BITMIME")),
        ("rcpt", r'"A \"B\""@[192.0.2.1]'),
        ("data", b".8-bit \xe9\r\n"),
        ("reset",),
    ]


async def test_smtputf8_reaches_the_exchange_and_lets_replies_have_letters(connect, house):
    """RFC 6531: non-ASCII paths only with the parameter, and then the smarthost's letters come back."""
    house.answers["rcpt"] = [Reply(550, ("5.1.1 caf\u00e9",)), Reply(550, ("5.1.1 caf\u00e9",))]
    talk = await connect()
    await talk.greet()
    assert (await talk.ask("MAIL FROM:<\u00fc@force.example>")).startswith("553 5.6.7")
    assert (await talk.ask("MAIL FROM:<\u00fc@force.example> SMTPUTF8")).startswith("250")
    assert await talk.ask("RCPT TO:<caf\u00e9@mail.example>") == "550 5.1.1 caf\u00e9"
    assert (await talk.ask("RSET")).startswith("250")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    assert (await talk.ask("RCPT TO:<caf\u00e9@mail.example>")).startswith("553 5.6.7")
    assert await talk.ask("RCPT TO:<b@mail.example>") == "550 5.1.1 caf?"
    assert ("mail", MailCommand(reverse_path="\u00fc@force.example", smtputf8=True)) in house.heard
    assert ("rcpt", "caf\u00e9@mail.example") in house.heard


async def test_ehlo_offers_only_what_the_smarthost_offers(connect, house):
    """DECISIONS 5: SIZE less 2 KiB, 8BITMIME and SMTPUTF8 only if it has them; PIPELINING always."""
    house.capabilities = Capabilities(size=1_000_000, eight_bit_mime=False, smtputf8=False)
    talk = await connect()
    offered = await talk.greet()
    assert offered.split("\n") == [
        "250-gateway.example",
        "250-PIPELINING",
        "250-SIZE 997952",
        "250 ENHANCEDSTATUSCODES",
    ]
    assert (await talk.ask("MAIL FROM:<a@force.example> BODY=8BITMIME")).startswith("555")
    assert (await talk.ask("MAIL FROM:<a@force.example> SMTPUTF8")).startswith("555")
    assert (await talk.ask("MAIL FROM:<a@force.example> SIZE=997953")).startswith("552")


@pytest.mark.parametrize("greeting", ["EHLO", "HELO"])
async def test_without_a_smarthost_there_is_no_greeting(connect, house, greeting):
    """DECISIONS 5: no EHLO upstream yet, 421, and the client goes elsewhere."""
    house.capabilities = None
    talk = await connect()
    await talk.reply()
    assert (await talk.ask(f"{greeting} client.example")).startswith("421 4.3.0")
    assert await talk.is_closed()


async def test_a_smarthost_that_is_forgotten_ends_the_next_mail(connect, house):
    """The same at MAIL."""
    talk = await connect()
    await talk.greet()
    house.capabilities = None
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("421 4.3.0")
    assert await talk.is_closed()


async def test_a_stranger_hears_no(connect, house):
    """Never an open relay: `allow_from` alone says who may relay, whatever the addresses."""
    await play(
        await connect(allow_from=("192.0.2.0/24",)),
        GREET
        + r"""
> MAIL FROM:<officer@force.example>
< 550 5.7.1 ...
> RCPT TO:<postmaster>
< 550 5.7.1 ...
> DATA
< 550 5.7.1 ...
> QUIT
< 221 ...
""",
    )
    assert house.heard == []


async def test_answers_of_the_smarthost_are_passed_on(connect, house):
    """P1: 4xx and 5xx as they are, several lines too; 421 becomes 451, since our connection goes on."""
    house.answers["mail"] = [Reply(451, ("4.7.1 Greylisted",))]
    house.answers["rcpt"] = [
        Reply(550, ("5.1.1 No such user", "5.1.1 Here")),
        Reply(421, ("4.3.2 Closing",)),
        Reply(354, ("What",)),
    ]
    house.answers["data"] = [Reply(554, ("no spam please",))]
    await play(
        await connect(),
        GREET
        + r"""
> MAIL FROM:<a@force.example>
< 451 4.7.1 Greylisted
> MAIL FROM:<a@force.example>
< 250 2.0.0 Ok
> RCPT TO:<b@mail.example>
< 550-5.1.1 No such user
< 550 5.1.1 Here
> RCPT TO:<c@mail.example>
< 451 4.3.2 Closing
> RCPT TO:<d@mail.example>
< 451 4.3.0 ...
> DATA
< 554 5.5.1 No valid recipients
> RCPT TO:<e@mail.example>
< 250 2.0.0 Ok
> DATA
< 354 ...
> x
> .
< 554 5.0.0 no spam please
> MAIL FROM:<a@force.example>
< 250 2.0.0 Ok
""",
    )


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (NotStored("disk full on /secret"), "451 4.3.0 Try again later"),
        (NextHopUnavailable("victim@mail.example"), "451 4.4.1 Try again later"),
        (OSError(28, "No space left on device"), "451 4.3.0 Try again later"),
        (ValueError("victim@mail.example"), "451 4.3.0 Try again later"),
        (AssertionError(), "451 4.3.0 Try again later"),
        (TimeoutError(), "451 4.3.0 Try again later"),
    ],
)
@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_our_own_trouble_is_temporary_and_tells_nothing(connect, house, step, error, reply, capsys):
    """aiosmtpd says 500 with the exception's text: mail bounced, and told. The session goes on afterwards."""
    house.answers[step] = [error]
    talk = await connect()
    await talk.greet()
    told = {"mail": await talk.ask("MAIL FROM:<a@force.example>")}
    if step != "mail":
        told["rcpt"] = await talk.ask("RCPT TO:<b@mail.example>")
    if step == "data":
        assert (await talk.ask("DATA")).startswith("354")
        told["data"] = await talk.ask("x\r\n.")
    assert told[step] == reply
    assert (await talk.ask("RSET")).startswith("250")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    logged = capsys.readouterr()
    assert "exchange:failed" in logged.out + logged.err
    assert "victim" not in logged.out + logged.err
    assert "secret" not in logged.out + logged.err


async def test_trouble_while_opening_or_resetting_is_temporary_too(connect, house):
    """An exchange that cannot be opened or reset is replaced by a new one."""
    house.answers["open"] = [RuntimeError("no")]
    house.answers["reset"] = [RuntimeError("no")]
    talk = await connect()
    await talk.greet()
    assert await talk.ask("MAIL FROM:<a@force.example>") == "451 4.3.0 Try again later"
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    assert (await talk.ask("RSET")).startswith("250")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    assert house.steps().count("open") == 3


async def test_a_bug_of_ours_ends_the_connection_for_now(connect, house, capsys):
    """Whatever else goes wrong in a dialogue: 421, the place in the log, no text of anybody's."""
    talk = await connect()
    house.capabilities = ValueError("victim@mail.example")
    assert (await talk.greet()).startswith("421 4.3.0")
    assert await talk.is_closed()
    logged = capsys.readouterr()
    assert "connection:failed" in logged.out + logged.err
    assert "front.py" in logged.out + logged.err
    assert "victim" not in logged.out + logged.err


async def test_a_new_greeting_drops_the_transaction(connect, house):
    """RFC 5321 section 4.1.4: EHLO resets as RSET does, and begins a new exchange."""
    talk = await connect()
    await talk.greet()
    await talk.ask("MAIL FROM:<a@force.example>")
    await talk.ask("RCPT TO:<b@mail.example>")
    await talk.ask("EHLO other.example")
    assert (await talk.ask("RCPT TO:<b@mail.example>")).startswith("503")
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    assert house.steps() == ["open", "mail", "rcpt", "reset", "open", "mail"]


async def test_a_message_refused_here_is_reset_there(connect, house):
    """The smarthost's transaction is open when we refuse the data: the exchange is told to drop it."""
    talk = await connect()
    await talk.begin()
    assert (await talk.ask("a\nb\r\n.")).startswith("550 5.6.11")
    assert house.steps() == ["open", "mail", "rcpt", "reset"]
    assert house.messages() == []
