"""The arguments of MAIL and RCPT beyond the address, and what is offered."""

import pytest

from gateway.model import Capabilities, MailCommand
from gateway.receive import commands
from gateway.receive.replies import Rejected


def offered(**changes):
    everything = {"extended": True, "max_message_bytes": 1000, "eight_bit_mime": True, "smtputf8": True}
    return commands.Offer(**{**everything, **changes})


def command(reverse_path="a@b", **changes):
    return MailCommand(reverse_path=reverse_path, **changes)


TAKEN = [
    ("FROM:<a@b>", command()),
    ("from:<a@b>", command()),
    ("FrOm: <a@b>", command()),
    ("FROM:<>", command("")),
    ("FROM:<A@B>", command("A@B")),
    ("FROM:<a@b> SIZE=1000", command(size=1000)),
    ("FROM:<a@b> size=0", command(size=0)),
    ("FROM:<a@b> SIZE=00000000000000000007", command(size=7)),
    ("FROM:<a@b> BODY=7BIT", command(body="7BIT")),
    ("FROM:<a@b> body=8bitmime", command(body="8BITMIME")),
    ("FROM:<a@b> SMTPUTF8", command(smtputf8=True)),
    ("FROM:<a@b> smtputf8 BODY=8BITMIME SIZE=5", command(smtputf8=True, body="8BITMIME", size=5)),
    ("FROM:<\u00e9@b> SMTPUTF8", command("\u00e9@b", smtputf8=True)),
    ("FROM:<> SIZE=5", command("", size=5)),
]


@pytest.mark.parametrize(("argument", "expected"), TAKEN)
def test_mail_is_read_as_it_stands(argument, expected):
    """Keywords in any case; the path untouched."""
    assert commands.mail(argument, offered()) == expected


REFUSED = [
    ("", "501 5.5.4"),
    ("<a@b>", "501 5.5.4"),
    ("FROM", "501 5.5.4"),
    ("FROM <a@b>", "501 5.5.4"),
    ("FROM :<a@b>", "501 5.5.4"),
    (" FROM:<a@b>", "501 5.5.4"),
    ("TO:<a@b>", "501 5.5.4"),
    ("FROM:a@b", "501 5.5.4"),
    ("FROM:<a@b>SIZE=1", "501 5.5.4"),
    ("FROM:<a@b", "501 5.5.4"),
    ("FROM:<a b@c>", "501 5.1.7"),
    ("FROM:<@x:a@b>", "553 5.1.7"),
    ("FROM:<a@b> SIZE", "501 5.5.4"),
    ("FROM:<a@b> SIZE=", "501 5.5.4"),
    ("FROM:<a@b> SIZE=x", "501 5.5.4"),
    ("FROM:<a@b> SIZE=-1", "501 5.5.4"),
    ("FROM:<a@b> SIZE=1 SIZE=1", "501 5.5.4"),
    ("FROM:<a@b> SIZE=\u0661", "501 5.5.4"),
    ("FROM:<a@b> SIZE=" + "1" * 21, "501 5.5.4"),
    ("FROM:<a@b> SIZE=1001", "552 5.3.4"),
    ("FROM:<a@b> SIZE=" + "9" * 20, "552 5.3.4"),
    ("FROM:<a@b> BODY", "501 5.5.4"),
    ("FROM:<a@b> BODY=", "501 5.5.4"),
    ("FROM:<a@b> BODY=BINARYMIME", "555 5.5.4"),
    ("FROM:<a@b> BODY=9BIT", "555 5.5.4"),
    ("FROM:<a@b> SMTPUTF8=1", "501 5.5.4"),
    ("FROM:<a@b> =", "501 5.5.4"),
    ("FROM:<a@b> -X", "501 5.5.4"),
    ("FROM:<a@b> X==Y", "501 5.5.4"),
    ("FROM:<a@b> a@c", "501 5.5.4"),
    ("FROM:<a@b> <c@d>", "501 5.5.4"),
    ("FROM:<a@b> RET=HDRS", "555 5.5.4"),
    ("FROM:<a@b> ENVID=QQ314159", "555 5.5.4"),
    ("FROM:<a@b> AUTH=<>", "555 5.5.4"),
    ("FROM:<a@b> REQUIRETLS", "555 5.5.4"),
    ("FROM:<a@b> X-UNKNOWN=1", "555 5.5.4"),
    ("FROM:<a@b> SIZE=1 MT-PRIORITY=3", "555 5.5.4"),
    ("FROM:<\u00e9@b>", "553 5.6.7"),
    ("FROM:<a@\u00e9.example> BODY=8BITMIME", "553 5.6.7"),
]


@pytest.mark.parametrize(("argument", "reply"), REFUSED)
def test_mail_that_cannot_be_honoured_is_refused(argument, reply):
    """Unknown or not offered: 555; wrong syntax: 501; nothing is dropped in silence."""
    with pytest.raises(Rejected) as refused:
        commands.mail(argument, offered())
    assert str(refused.value.reply).startswith(reply + " ")


@pytest.mark.parametrize(
    ("argument", "less"),
    [
        ("FROM:<a@b> BODY=8BITMIME", {"eight_bit_mime": False}),
        ("FROM:<a@b> BODY=7BIT", {"eight_bit_mime": False}),
        ("FROM:<a@b> SMTPUTF8", {"smtputf8": False}),
        ("FROM:<\u00e9@b> SMTPUTF8", {"smtputf8": False}),
        ("FROM:<a@b> SIZE=1", {"extended": False, "eight_bit_mime": False, "smtputf8": False}),
        ("FROM:<a@b> BODY=8BITMIME", {"extended": False, "eight_bit_mime": False, "smtputf8": False}),
    ],
)
def test_a_parameter_that_was_not_offered_is_unknown(argument, less):
    """DECISIONS 5: EHLO offers what the smarthost offers; after HELO there is no parameter at all."""
    with pytest.raises(Rejected) as refused:
        commands.mail(argument, offered(**less))
    assert refused.value.reply.code == 555


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("TO:<a@b>", "a@b"),
        ("to: <a@b>", "a@b"),
        ("TO:<Postmaster>", "Postmaster"),
        ('TO:<"a b"@c>', '"a b"@c'),
        ("TO:<a%b@c>", "a%b@c"),
        ("TO:<a!b@c>", "a!b@c"),
    ],
)
def test_rcpt_is_read_as_it_stands(argument, path):
    """The path goes on character by character; percent-hack and bang paths are local parts like others."""
    assert commands.rcpt(argument, offered(), smtputf8=False) == path


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", "501 5.5.4"),
        ("FROM:<a@b>", "501 5.5.4"),
        ("TO:a@b", "501 5.5.4"),
        ("TO:<>", "501 5.1.3"),
        ("TO:<a>", "501 5.1.3"),
        ("TO:<@x:a@b>", "553 5.1.3"),
        ("TO:<a@b> NOTIFY=NEVER", "555 5.5.4"),
        ("TO:<a@b> ORCPT=rfc822;a@b", "555 5.5.4"),
        ("TO:<a@b> SIZE=1", "555 5.5.4"),
        ("TO:<a@b>, <c@d>", "501 5.5.4"),
        ("TO:<a@b> <c@d>", "501 5.5.4"),
        ("TO:<\u00e9@b>", "553 5.6.7"),
    ],
)
def test_rcpt_that_cannot_be_honoured_is_refused(argument, reply):
    """No parameter of RCPT is offered."""
    with pytest.raises(Rejected) as refused:
        commands.rcpt(argument, offered(), smtputf8=False)
    assert str(refused.value.reply).startswith(reply + " ")


def test_rcpt_beyond_ascii_needs_smtputf8_at_mail():
    """RFC 6531 section 3.4."""
    assert commands.rcpt("TO:<\u00e9@b>", offered(), smtputf8=True) == "\u00e9@b"


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (None, 5000, 5000),
        (0, 5000, 5000),
        (10_000, 5000, 5000),
        (6000, 5000, 3952),
        (2048, 5000, 1),
        (1, 5000, 1),
    ],
)
def test_size_is_the_smaller_less_room_for_our_received_line(theirs, ours, expected):
    """DECISIONS 5; never 0, which would mean no limit."""
    capabilities = Capabilities(size=theirs, eight_bit_mime=True, smtputf8=True)
    assert commands.offer(capabilities, extended=True, max_message_bytes=ours).max_message_bytes == expected


def test_helo_offers_nothing_but_keeps_the_size_limit():
    """RFC 5321 section 4.1.1.1: extensions belong to EHLO."""
    capabilities = Capabilities(size=4000, eight_bit_mime=True, smtputf8=True)
    offer = commands.offer(capabilities, extended=False, max_message_bytes=5000)
    assert offer == offered(extended=False, max_message_bytes=1952, eight_bit_mime=False, smtputf8=False)


@pytest.mark.parametrize(
    "name", ["a.example", "[192.0.2.1]", "[IPv6:::1]", "host_1", "192.0.2.1", "localhost", "x" * 255]
)
def test_names_that_clients_use_are_taken(name):
    """RFC 5321 section 4.1.4: a name that is no domain is no reason to refuse mail."""
    assert commands.is_helo_name(name)


@pytest.mark.parametrize(
    "name", ["", "a b", "a(b)", "a;b", "a\rb", "a\0", "<a>", "a\u00e9", "x" * 256, "a@b", 'a"b']
)
def test_names_that_would_mean_something_in_a_received_line_are_not(name):
    """The name is written into our Received line."""
    assert not commands.is_helo_name(name)
