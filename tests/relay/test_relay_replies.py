"""Reading replies: as RFC 5321 section 4.2 has them, from any pieces, within a bound."""

from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Reply
from gateway.relay.replies import MAX_REPLY_BYTES, GarbledReply, ReplyReader

TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
REPLIES = st.builds(Reply, st.integers(200, 599), st.lists(TEXTS, min_size=1, max_size=4).map(tuple))


def written(reply: Reply) -> bytes:
    """Return the reply as a server writes it."""
    last = len(reply.lines) - 1
    lines = (f"{reply.code}{'-' if n < last else ' '}{text}\r\n" for n, text in enumerate(reply.lines))
    return "".join(lines).encode()


@given(st.lists(REPLIES, max_size=5), st.lists(st.integers(0, 1000), max_size=8))
def test_replies_are_read_from_any_pieces(replies, places):
    """Code and lines come through exactly, however the network cuts them."""
    wire = b"".join(map(written, replies))
    bounds = [0, *sorted(place % (len(wire) + 1) for place in places), len(wire)]
    reader = ReplyReader()
    for start, end in pairwise(bounds):
        reader.feed(wire[start:end])
    assert list(reader.replies) == replies
    assert not reader.is_partial


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (b"250\r\n", Reply(250, ("",))),
        (b"250 \r\n", Reply(250, ("",))),
        (b"250 ok\n", Reply(250, ("ok",))),
        (b"250-\r\n250 ok\r\n", Reply(250, ("", "ok"))),
        (b"550 no\rmore\0\r\n", Reply(550, ("no?more?",))),
        ("550 só não\r\n".encode(), Reply(550, ("só não",))),
        (b"550 caf\xe9\r\n", Reply(550, ("caf\\xe9",))),
        (b"550 a\tb\x1b[31m\r\n", Reply(550, ("a\tb?[31m",))),
    ],
)
def test_odd_replies_are_read_and_made_safe_to_pass_on(wire, reply):
    """A control character must not reach our client's dialogue or the operator's terminal."""
    reader = ReplyReader()
    reader.feed(wire)
    assert list(reader.replies) == [reply]


@pytest.mark.parametrize(
    "wire",
    [
        b"hello\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"250_ok\r\n",
        b"150 preliminary\r\n",
        b"650 beyond\r\n",
        b"250-one\r\n550 two\r\n",
        b"\x16\x03\x01\x02\x00\x01\n",
    ],
)
def test_what_is_not_smtp_is_garbled(wire):
    """A reply that cannot be understood is never taken for an answer."""
    with pytest.raises(GarbledReply, match="not a line"):
        ReplyReader().feed(wire)


def test_a_whole_reply_before_the_garbage_counts():
    """The smarthost's 250 is true whatever it says next."""
    reader = ReplyReader()
    with pytest.raises(GarbledReply):
        reader.feed(b"250 queued\r\nrubbish\r\n")
    assert list(reader.replies) == [Reply(250, ("queued",))]


@pytest.mark.parametrize("piece", [b"250-more\r\n", b"x" * 100])
def test_a_reply_without_end_is_bounded(piece):
    """Every input is hostile until bounded (P11): 64 KiB a reply, in many lines or in one."""
    reader = ReplyReader()
    pieces = [piece] * (MAX_REPLY_BYTES // len(piece) + 1)
    with pytest.raises(GarbledReply, match="more than"):
        deque(map(reader.feed, pieces), maxlen=0)


def test_a_long_reply_within_the_bound_is_whole():
    """A long multi-line refusal reaches the sender with every line."""
    lines = tuple(f"5.7.1 line {n} " + "x" * 400 for n in range(100))
    reader = ReplyReader()
    reader.feed(written(Reply(550, lines)))
    assert reader.replies[0].lines == lines
