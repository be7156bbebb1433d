"""What leaves the gateway as a reply, whoever wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Reply
from gateway.receive import replies


@pytest.mark.parametrize(
    ("answer", "octets"),
    [
        (Reply(250, ("2.1.0 Ok",)), b"250 2.1.0 Ok\r\n"),
        (Reply(250, ("Ok: queued",)), b"250 2.0.0 Ok: queued\r\n"),
        (Reply(550, ("5.1.1 one", "two")), b"550-5.1.1 one\r\n550 5.0.0 two\r\n"),
        (Reply(550, ("5.1.1",)), b"550 5.1.1\r\n"),
        (Reply(450, ("5 apples",)), b"450 4.0.0 5 apples\r\n"),
        (Reply(451, ()), b"451 4.0.0 \r\n"),
        (Reply(550, ("5.7.1 no\r\n250 Ok",)), b"550 5.7.1 no 250 Ok\r\n"),
        (Reply(550, ("5.7.1 no\0\x07\x1b[2J",)), b"550 5.7.1 no [2J\r\n"),
        (Reply(550, ("5.7.1 caf\u00e9",)), b"550 5.7.1 caf?\r\n"),
        (Reply(550, ("5.7.1 \ud800",)), b"550 5.7.1  \r\n"),
        (Reply(550, ("5.7.1 a\u0085b\u2028c",)), b"550 5.7.1 a b c\r\n"),
    ],
)
def test_no_text_adds_a_line_or_breaks_the_encoding(answer, octets):
    """CR, LF and control characters become a space, other letters a question mark, a missing code is added."""
    assert replies.encode(answer) == octets


def test_letters_stay_where_the_client_asked_for_them():
    """RFC 6531 section 3.7.4.2: UTF-8 in a reply only inside an SMTPUTF8 transaction."""
    assert replies.encode(Reply(550, ("5.1.1 caf\u00e9",)), utf8=True) == "550 5.1.1 caf\u00e9\r\n".encode()


def test_the_banner_has_no_enhanced_code():
    """RFC 2034 section 4."""
    assert (
        replies.encode(Reply(220, ("gateway.example ESMTP",)), enhanced=False)
        == b"220 gateway.example ESMTP\r\n"
    )


def test_a_line_has_at_most_512_octets():
    """RFC 5321 section 4.5.3.1.5, and no character is cut in two."""
    assert len(replies.encode(Reply(550, ("5.7.1 " + "x" * 9000,)))) <= 512
    cut = replies.encode(Reply(550, ("5.7.1 " + "\u00e9" * 9000,)), utf8=True)
    assert 500 < len(cut) <= 512
    assert cut.decode().endswith("\u00e9\r\n")


@given(st.integers(200, 599), st.lists(st.text(), max_size=4), st.booleans())
def test_any_text_is_one_reply(code, lines, utf8):
    """As many lines as given, each beginning with the code, only the last with a space behind it."""
    octets = replies.encode(Reply(code, tuple(lines)), utf8=utf8)
    out = octets.decode().split("\r\n")
    assert out.pop() == ""
    assert len(out) == max(1, len(lines))
    assert all(line.startswith(f"{code}-") for line in out[:-1])
    assert out[-1].startswith(f"{code} ")
    assert octets.count(b"\n") == octets.count(b"\r") == len(out)


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        (Reply(250, ("2.0.0 Ok",)), Reply(250, ("2.0.0 Ok",))),
        (Reply(552, ("5.2.2 Full",)), Reply(552, ("5.2.2 Full",))),
        (Reply(421, ("4.3.2 Closing",)), Reply(451, ("4.3.2 Closing",))),
        (Reply(354, ("Go on",)), replies.TRY_LATER),
        (Reply(150, ("Eh",)), replies.TRY_LATER),
        (Reply(650, ("Eh",)), replies.TRY_LATER),
        (Reply(0, ()), replies.TRY_LATER),
    ],
)
def test_only_final_answers_are_passed_on(given_, told):
    """DECISIONS 4: 421 is about the smarthost's connection; what is no answer is never success."""
    assert replies.presentable(given_) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("451 4.4.1 Try again later", Reply(451, ("4.4.1 Try again later",))),
        ("550 5.7.1 Not permitted", Reply(550, ("5.7.1 Not permitted",))),
        ("421 4.3.0 Closing", Reply(451, ("4.3.0 Closing",))),
        ("nonsense", replies.TRY_LATER),
        ("", replies.TRY_LATER),
        ("\u0661\u0662\u0663 x", replies.TRY_LATER),
    ],
)
def test_the_reply_of_an_error_class_is_read(text, told):
    """`GatewayError.reply` is a line of text."""
    assert replies.from_text(text) == told
