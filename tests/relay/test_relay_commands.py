"""Commands and message bytes: nothing can be smuggled out, nothing is changed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Capabilities, MailCommand
from gateway.relay.commands import BLOCK_BYTES, check_ends_with_crlf, lacks, mail_line, rcpt_line, stuffed

ALL = Capabilities(size=1000, eight_bit_mime=True, smtputf8=True)
NONE = Capabilities(size=None, eight_bit_mime=False, smtputf8=False)

PIECES = st.sampled_from([b".", b"\r\n", b"\r\n.", b"..", b"a", b"\xff\x00", b"Subject: x", b"\r\n.\r\n"])


def undone(wire: bytes) -> bytes:
    """Undo dot-stuffing as RFC 5321 section 4.5.2 tells a server, and check that the end is where it belongs."""
    assert wire.endswith(b".\r\n")
    lines = wire.split(b"\r\n")
    assert lines.index(b".") == len(lines) - 2, "the message ended early"
    return b"".join((line[1:] if line.startswith(b".") else line) + b"\r\n" for line in lines[:-2])


def cut(octets: bytes, places: list[int]) -> tuple[bytes, ...]:
    """Return ``octets`` in parts cut at ``places``."""
    bounds = [0, *sorted(place % (len(octets) + 1) for place in places), len(octets)]
    return tuple(octets[start:end] for start, end in pairwise(bounds))


@given(st.lists(PIECES), st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from([1, 2, 3, 7, 262_144]))
def test_what_the_server_undoes_is_the_message(pieces, places, block_bytes):
    """Bytes are evidence (P2): unstuffed, the wire is the parts joined, wherever parts and blocks are cut."""
    message = b"".join(pieces) + b"\r\n"
    assert undone(b"".join(stuffed(cut(message, places), block_bytes))) == message


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([1, 2, 262_144]))
def test_no_message_ends_early_for_a_lax_server(first, second, block_bytes):
    """SMTP smuggling: a lone dot after a bare LF never leaves; either nothing of it is finished or it is not there."""
    parts = (first, second, b"\r\n")
    try:
        wire = b"".join(stuffed(parts, block_bytes))
    except ValueError:
        assert b"\n." in b"".join(parts).replace(b"\r\n.", b"")
        return
    assert wire.count(b"\n.") == wire.count(b"\r\n.")


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 262_144])
@pytest.mark.parametrize(
    "message", [b"a\n.\r\n", b"a\n.\n\r\n", b"\n.\r\n", b"a\r\n\n.x\r\n", b".\r\n\n.\r\n"]
)
def test_a_dot_after_a_bare_lf_is_refused(message, block_bytes):
    """What `receive` should have refused is refused again at the exit, and the final dot is not sent."""
    sent = [b"\r\n"]
    with pytest.raises(ValueError, match="bare LF"):
        sent.extend(stuffed((message,), block_bytes))
    assert b"\r\n.\r\n" not in b"".join(sent)


def test_a_large_message_is_sent_in_blocks():
    """A large message is never held twice: no block is much larger than BLOCK_BYTES, and small parts share one."""
    blocks = list(stuffed((b"Received: x\r\n", b".\r\n" * 500_000)))
    assert 6 <= len(blocks) <= 8
    assert max(map(len, blocks)) < 2 * BLOCK_BYTES
    assert len(list(stuffed((b"Received: x\r\n", b"Subject: y\r\n\r\nhello\r\n")))) == 1


@pytest.mark.parametrize(
    "parts", [(), (b"",), (b"a",), (b"a\r", b""), (b"a\n",), (b"a\r\n", b"b"), (b"\r", b"\r")]
)
def test_a_message_without_final_crlf_is_refused(parts):
    """DATA cannot carry it (DECISIONS 5); adding one would change the bytes."""
    with pytest.raises(ValueError, match="CRLF"):
        check_ends_with_crlf(parts)


@pytest.mark.parametrize("parts", [(b"a\r\n",), (b"a\r", b"\n"), (b"a\r", b"", b"\n", b""), (b"\r\n", b"")])
def test_the_final_crlf_may_span_parts(parts):
    """Parts are one message; where they are cut means nothing."""
    check_ends_with_crlf(parts)


@pytest.mark.parametrize(
    ("command", "offered", "line"),
    [
        (MailCommand(reverse_path=""), ALL, b"MAIL FROM:<>\r\n"),
        (MailCommand(reverse_path="dc.reed@force.example"), ALL, b"MAIL FROM:<dc.reed@force.example>\r\n"),
        (MailCommand(reverse_path="a@b.example", size=100), ALL, b"MAIL FROM:<a@b.example> SIZE=2148\r\n"),
        (MailCommand(reverse_path="a@b.example", size=100), NONE, b"MAIL FROM:<a@b.example>\r\n"),
        (MailCommand(reverse_path="a@b.example", body="7BIT"), NONE, b"MAIL FROM:<a@b.example>\r\n"),
        (MailCommand(reverse_path="a@b.example", body="7BIT"), ALL, b"MAIL FROM:<a@b.example> BODY=7BIT\r\n"),
        (
            MailCommand(reverse_path="é@b.example", body="8BITMIME", smtputf8=True, size=0),
            ALL,
            "MAIL FROM:<é@b.example> SIZE=2048 BODY=8BITMIME SMTPUTF8\r\n".encode(),
        ),
    ],
)
def test_mail_carries_what_the_client_gave(command, offered, line):
    """SIZE grows by our Received line and goes only where it is offered; BODY and SMTPUTF8 only if given."""
    assert mail_line(command, offered) == line


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (MailCommand(reverse_path="a@b.example", body="8BITMIME"), "8BITMIME"),
        (MailCommand(reverse_path="a@b.example", smtputf8=True), "SMTPUTF8"),
        (MailCommand(reverse_path="a@b.example", body="7BIT", size=5), ""),
    ],
)
def test_an_extension_that_is_gone_is_named(command, missing):
    """The relay never converts (DECISIONS 5): it must know what the server lacks."""
    assert lacks(command, NONE) == missing
    assert lacks(command, ALL) == ""


@pytest.mark.parametrize(
    "path",
    [
        "plain@force.example",
        '"a b"@force.example',
        '"a<b>c"@force.example',
        r'"a\"> SIZE=1"@force.example',
        "@relay.example:user@force.example",
        "user%elsewhere.example@force.example",
        "elsewhere.example!user@force.example",
        "user@[192.0.2.1]",
        "postmaster",
    ],
)
def test_a_path_goes_out_as_it_came(path):
    """What is inspected and what is sent on are the same characters, however odd."""
    assert rcpt_line(path, smtputf8=False) == f"RCPT TO:<{path}>\r\n".encode("ascii")


@pytest.mark.parametrize(
    "path",
    [
        '"x\rRCPT TO:<injected@elsewhere.example>\r"@force.example',
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "a@b.example\r\nDATA",
        "a@b.example\nDATA",
        "a@b.example> SIZE=1",
        "a@b.example SIZE=1",
        "<a@b.example",
        "a\x00@b.example",
        "a\x7f@b.example",
        '"a\x00b"@b.example',
        '"unclosed@b.example',
        r"back\slash@b.example",
        '"trailing\\"@b.example',
        "a\t@b.example",
    ],
)
def test_a_path_that_could_end_its_command_never_leaves(path):
    """Injection by CR, LF, NUL, space or angle bracket outside quotes is our bug if it comes this far."""
    with pytest.raises(ValueError, match="not a path"):
        rcpt_line(path, smtputf8=True)
    with pytest.raises(ValueError, match="not a path"):
        mail_line(MailCommand(reverse_path=path), ALL)


def test_a_recipient_must_be_somebody():
    """The null path is a sender only."""
    with pytest.raises(ValueError, match="recipient"):
        rcpt_line("", smtputf8=False)


@pytest.mark.parametrize(("path", "smtputf8"), [("é@b.example", False), ("\udc80@b.example", True)])
def test_characters_the_dialogue_cannot_carry_are_refused(path, smtputf8):
    """Without SMTPUTF8 a path is ASCII; with it, UTF-8."""
    with pytest.raises(ValueError, match=r"can't encode|not allowed"):
        rcpt_line(path, smtputf8=smtputf8)


def test_an_unknown_body_type_never_leaves():
    """BODY is a word of RFC 6152, not a place for a parameter of one's own."""
    with pytest.raises(ValueError, match="body type"):
        mail_line(MailCommand(reverse_path="a@b.example", body="7BIT SMTPUTF8"), ALL)


@given(st.text(max_size=60))
def test_whatever_the_path_one_command_leaves(path):
    """A line that leaves has one CRLF, at its end, and the path alone between its brackets."""
    try:
        line = rcpt_line(path, smtputf8=True)
    except ValueError:
        return
    assert line == b"RCPT TO:<" + path.encode() + b">\r\n"
    assert not any(control in line[:-2] for control in b"\r\n\0")
