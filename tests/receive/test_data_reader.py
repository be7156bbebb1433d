"""Where a message ends, and what makes it refused; all without a socket."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smuggling import NO_END

from gateway.receive.reader import DataLimits, DataReader, has_long_line
from gateway.receive.replies import Rejected


def limits(**changes):
    wide = {
        "max_message_bytes": 50_000_000,
        "max_line_bytes": 1_000_000,
        "max_header_bytes": 1_000_000,
        "max_received_lines": 50,
    }
    return DataLimits(**{**wide, **changes})


def read(octets, size=None, **changes):
    """Feed ``octets`` in blocks of ``size``; return the message and what stood behind it, None without an end."""
    reader = DataReader(limits(**changes))
    size = size or max(1, len(octets))
    for start in range(0, len(octets), size):
        rest = reader.feed(octets[start : start + size])
        if rest is not None:
            return reader.message(), rest + octets[start + size :]
    return None


def refusal(octets, **changes):
    with pytest.raises(Rejected) as refused:
        read(octets, **changes)
    return str(refused.value.reply)


PLAIN = [
    (b".\r\n", b""),
    (b"\r\n.\r\n", b"\r\n"),
    (b"a\r\n.\r\n", b"a\r\n"),
    (b"..\r\n.\r\n", b".\r\n"),
    (b".a\r\n.\r\n", b"a\r\n"),
    (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n"),
    (b"a\r\n...\r\n.\r\n", b"a\r\n..\r\n"),
    (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
    (b"a.\r\n.\r\n", b"a.\r\n"),
    (b"a\r\n . \r\n.\r\n", b"a\r\n . \r\n"),
    (b"a\r\n. \r\n.\r\n", b"a\r\n \r\n"),
    (b"\xff\x80\xfe\r\n.\r\n", b"\xff\x80\xfe\r\n"),
    (b"\r\n\r\n\r\n.\r\n", b"\r\n\r\n\r\n"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1000])
@pytest.mark.parametrize(("octets", "message"), PLAIN)
def test_the_message_ends_at_crlf_dot_crlf_and_loses_only_stuffed_dots(octets, message, size):
    """RFC 5321 sections 4.1.1.4 and 4.5.2, in blocks of any size."""
    assert read(octets, size) == (message, b"")


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_what_stands_behind_the_end_is_kept(size):
    """Postfix sends the dot and QUIT in one packet: QUIT is the next command."""
    assert read(b"a\r\n.\r\nQUIT\r\n", size) == (b"a\r\n", b"QUIT\r\n")


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("ending", NO_END.values(), ids=NO_END)
def test_no_other_sequence_ends_a_message_and_each_refuses_it(ending, size):
    """A smuggled second message stays part of the first, and the whole is refused at its real end."""
    smuggled = b"Subject: one\r\n\r\none" + ending + b"MAIL FROM:<boss@force.example>\r\n"
    reader = DataReader(limits())
    for start in range(0, len(smuggled), size):
        assert reader.feed(smuggled[start : start + size]) is None
    assert reader.feed(b"tail\r\n.\r\nNOOP\r\n") == b"NOOP\r\n"
    with pytest.raises(Rejected) as refused:
        reader.message()
    assert str(refused.value.reply).startswith("550 5.6.11 ")


@pytest.mark.parametrize("ending", [b"\r\r\n.\r\n", b"\n\r\n.\r\n", b"\0\r\n.\r\n", b"\r\n\r\r\n.\r\n"])
def test_bad_line_ends_just_before_the_end_refuse_the_message(ending):
    """CR CRLF "." CRLF does end DATA, since it holds the real end, and is refused for its bare CR."""
    assert refusal(b"a" + ending).startswith("550 5.6.11 ")


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_first_octet_can_be_a_bare_line_end(size):
    """The end of the DATA command is not part of the message: LF or CR right behind it is bare."""
    for octets in (b"\n.\r\n.\r\n", b"\r.\r\n.\r\n", b"\na\r\n.\r\n", b"\0\r\n.\r\n"):
        reader = DataReader(limits())
        ended = [reader.feed(octets[at : at + size]) for at in range(0, len(octets), size)]
        assert ended[-1] == b""
        assert ended[:-1] == [None] * (len(ended) - 1)
        with pytest.raises(Rejected, match=r"5\.6\.11"):
            reader.message()


lines = st.lists(st.binary(max_size=30).map(lambda line: line.translate(None, b"\r\n\0")), max_size=20)


@given(lines, st.lists(st.integers(1, 20), min_size=1), st.binary(max_size=10))
def test_any_lines_come_through_unchanged_in_any_blocks(text, sizes, behind):
    """The bytes that are handed on are the bytes that were sent, dot-stuffing undone."""
    message = b"".join(line + b"\r\n" for line in text)
    stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in text)
    wire = stuffed + b".\r\n" + behind
    reader = DataReader(limits())
    at, turn, rest = 0, 0, None
    while rest is None:
        size = sizes[turn % len(sizes)]
        rest = reader.feed(wire[at : at + size])
        at, turn = at + size, turn + 1
    assert rest + wire[at:] == behind
    assert reader.message() == message


octets_near_line_ends = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"\0", b"a", b"\xe9"]), max_size=30
)


@given(octets_near_line_ends.map(b"".join), st.integers(1, 9))
def test_any_bytes_at_all_are_refused_or_unchanged(junk, size):
    """Nothing is ever repaired: a message with a bare CR, LF or NUL is refused, any other is handed on as it is."""
    octets = b"x" + junk + b"x\r\n"
    bare = octets.replace(b"\r\n", b"")
    wire = octets.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    if any(octet in bare for octet in (b"\r", b"\n", b"\0")):
        assert refusal_in_blocks(wire, size).startswith("550 5.6.11 ")
    else:
        assert read(wire, size) == (octets, b"")


def refusal_in_blocks(wire, size):
    with pytest.raises(Rejected) as refused:
        read(wire, size)
    return str(refused.value.reply)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_size_limit_counts_what_is_handed_on(size):
    """RFC 1870 section 3: stuffed dots and the final dot do not count."""
    assert read(b"..2345\r\n.\r\n", size, max_message_bytes=7) == (b".2345\r\n", b"")
    with pytest.raises(Rejected) as refused:
        read(b"123456\r\n.\r\n", size, max_message_bytes=7)
    assert str(refused.value.reply).startswith("552 5.3.4 ")


def test_a_message_too_big_costs_no_memory_and_is_read_to_its_end():
    """What is refused is not kept; the commands behind it are still found."""
    reader = DataReader(limits(max_message_bytes=1000))
    for _ in range(3):
        assert reader.feed(b"x" * 998 + b"\r\n") is None
    assert reader.held == 0
    assert not reader.flooded
    assert reader.feed(b".\r\nNOOP\r\n") == b"NOOP\r\n"


def test_a_flood_is_not_read_for_ever():
    """Past four times the limit the rest is not worth reading."""
    reader = DataReader(limits(max_message_bytes=1000))
    reader.feed(b"x" * 4000)
    assert not reader.flooded
    reader.feed(b"x")
    assert reader.flooded


LONG = [
    (b"12345678\r\n", 10, False),
    (b"123456789\r\n", 10, True),
    (b"a\r\n" * 100 + b"123456789\r\n", 10, True),
    (b"a\r\n" * 100 + b"12345678\r\n", 10, False),
    (b"123456789\r\n" + b"a\r\n" * 100, 10, True),
    (b"a\r\n" + b"12345678\r\n" * 50 + b"123456789\r\n" + b"a\r\n", 10, True),
    (b"12345678\r\n" * 50, 10, False),
    (b"", 10, False),
    (b"\r\n" * 100, 10, False),
]


@pytest.mark.parametrize(("raw", "limit", "expected"), LONG)
def test_a_line_is_long_by_its_octets_with_crlf(raw, limit, expected):
    """The limit is exact, wherever the line stands."""
    assert has_long_line(raw, limit) is expected


@given(st.lists(st.integers(0, 15), max_size=40))
def test_jumping_over_short_lines_misses_no_long_one(lengths):
    """The search that jumps finds what one that looks at each line finds."""
    raw = b"".join(b"x" * length + b"\r\n" for length in lengths)
    assert has_long_line(raw, 10) is any(length + 2 > 10 for length in lengths)


def test_too_long_a_line_is_named_as_rfc_5321_names_it():
    """Section 4.5.3.1.10: 500. Real mail has lines over 1,000 octets; they pass up to the setting."""
    long = b"S: x\r\n\r\n" + b"y" * 5000 + b"\r\n"
    assert read(long + b".\r\n", 100)[0] == long
    assert refusal(long + b".\r\n", max_line_bytes=5001).startswith("500 5.6.0 ")


HOPS = [
    (b"Received: x\r\n" * 50 + b"\r\nbody\r\n", False),
    (b"Received: x\r\n" * 51 + b"\r\nbody\r\n", True),
    (b"RECEIVED: x\r\n" * 51 + b"\r\n", True),
    (b"rEcEiVeD: x\r\n" * 51 + b"\r\n", True),
    (b"Received : x\r\n" * 51 + b"\r\n", True),
    (b"Received\t: x\r\n" * 51 + b"\r\n", True),
    (b"S: x\r\n" + b"Received: x\r\n" * 51 + b"\r\n", True),
    (b"Received: x\r\n" * 51, True),
    (b"Received: x\r\n" * 50 + b"\r\n" + b"Received: x\r\n" * 50, False),
    (b"Received-SPF: x\r\n" * 51 + b"\r\n", False),
    (b"X-Received: x\r\n" * 51 + b"\r\n", False),
    (b" Received: x\r\n" * 51 + b"\r\n", False),
    (b"Subject: received: x\r\n" * 51 + b"\r\n", False),
    (b"\r\n" + b"Received: x\r\n" * 51, False),
]


@pytest.mark.parametrize(("raw", "is_loop"), HOPS)
def test_a_loop_ends_at_fifty_received_lines(raw, is_loop):
    """Only Received fields of the header block count, in any case of letters; more than the setting is 554 5.4.6."""
    if is_loop:
        assert refusal(raw + b".\r\n").startswith("554 5.4.6 ")
    else:
        assert read(raw + b".\r\n")[0] == raw


def test_the_header_block_has_its_own_limit():
    """552 5.3.4 for the header alone; a body of that size is fine; without an empty line all of it is header."""
    body = b"S: x\r\n\r\n" + b"y\r\n" * 100
    assert read(body + b".\r\n", max_header_bytes=50)[0] == body
    assert refusal(b"S: x\r\n" * 20 + b"\r\nbody\r\n.\r\n", max_header_bytes=50).startswith("552 5.3.4 ")
    assert refusal(b"S: x\r\n" * 20 + b".\r\n", max_header_bytes=50).startswith("552 5.3.4 ")


def test_memory_stays_within_two_and_a_half_times_the_message():
    """SPEED.md section 6: the peak while reading, dots unstuffed, and joining."""
    line = b"..and some words to make a line of it, as mail has them in great number\r\n"
    count = 8_000_000 // len(line)
    block = line * (65_536 // len(line))
    size = 0
    tracemalloc.start()
    try:
        reader = DataReader(limits())
        reader.feed(b"Subject: big\r\n\r\n")
        while size < count * len(line):
            reader.feed(bytes(block))
            size += len(block)
        reader.feed(b".\r\n")
        message = reader.message()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(message) > 0.9 * size
    assert peak < 2.5 * len(message)
