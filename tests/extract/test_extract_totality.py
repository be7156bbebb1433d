"""Whatever the bytes: extract answers, its offsets hold, and its answer is the same each time."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract import decoded, extract
from gateway.model import Authored, Limits, UnreadableReason

MAIL = [path.read_bytes() for path in sorted((Path(__file__).parent / "mail").glob("*.eml"))]
SMALL = Limits(max_parts=4, max_depth=2, max_header_bytes=80, max_decoded_chars=60)
TOKENS = [
    b"\n", b"\r\n", b"\r", b"\x00", b" ", b"\t", b">", b"> ", b"--", b"-- \n", b"--b", b"--b--", b"=?utf-8?b?", b"?=", b"=?x?q?",
    b"=E9", b"=\n", b"YQ==", b"Content-Type: multipart/mixed; boundary=b\n\n", b"Content-Type: text/html\n", b"Content-Type: message/rfc822\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"Content-Disposition: attachment; filename*0*=",
    b"charset=utf-7", b"+2AA-", b"=?utf-7?q?+2AA-?=", b"charset=utf-16", b"charset=utf-32", b"charset=iso-2022-jp", b"charset=hz", b"charset=idna", b"Subject: ", b"From: ", b"Date: ",
    b"In-Reply-To: <a>\n", b"On 3 Mar 2026, at 10:14, a@b.example wrote:\n", b"From: Jo\nSent: now\nTo: Tom\n", b"-----Original Message-----\n",
    b"This email is confidential. ", b"Kind regards\n", b"Tel: 101\n", b"<div>", b"</div>", b"<table><td>", b"<blockquote type=cite>", b"<!--",
    b"-->", b"<p hidden>", b"<img alt='x'>", b"&#", b"99999999999", b"&amp", b"<style>", b"<pre>", b"\xff", b"\xf0\x9f\x98\x98", b'"', b"(", b"<", b",", b";", b":",
    b"*0*=", b"x", b"You looked lovely", b"BEGIN:VCALENDAR\nSUMMARY:a\\,b\n",
]  # fmt: skip


def check(raw, limits):
    authored, texts = extract(raw, limits), decoded(raw, limits)
    assert isinstance(authored, Authored)
    assert sum(map(len, texts.values())) <= 2 * limits.max_decoded_chars + 1000
    for piece in (*authored.passages, *authored.cuts):
        assert texts[piece.part][piece.start : piece.end] == piece.text
        assert piece.text.strip() == piece.text != ""
    for part in texts:
        pieces = sorted((p.start, p.end) for p in (*authored.passages, *authored.cuts) if p.part == part)
        assert all(first[1] <= second[0] for first, second in pairwise(pieces)), part
    assert authored.headers.date is None or authored.headers.date.tzinfo is not None
    assert all(entry.detail for entry in authored.unreadable)
    assert msgspec.msgpack.encode(authored), (
        "it must be able to leave its worker: no half of a surrogate pair"
    )
    return authored


@given(st.binary(max_size=2000))
def test_any_bytes(raw):
    """No bytes make extract raise, and every offset leads back to its text."""
    check(raw, Limits())


@settings(max_examples=400)
@given(st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join))
def test_bytes_that_look_like_mail(raw):
    """Pieces of mail in any order do not make extract raise."""
    check(raw, Limits())


@settings(max_examples=300)
@given(
    st.sampled_from(MAIL),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(TOKENS)), max_size=8),
)
def test_damaged_mail(raw, changes):
    """Real layouts, cut and spliced anywhere, do not make extract raise; nor do they under narrow limits."""
    for place, width, token in changes:
        at = int(place * len(raw))
        raw = raw[:at] + token + raw[at + width :]
    check(raw, Limits())
    check(raw, SMALL)


@given(st.sampled_from(MAIL))
def test_same_bytes_same_answer(raw):
    """Extract depends on its arguments alone."""
    assert extract(raw, Limits()) == extract(raw, Limits())


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=300))
def test_every_character_of_a_plain_mail_is_kept(text):
    """The decoded text of a plain UTF-8 part is that text, character by character."""
    raw = b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode()
    if not text.encode().startswith(
        (b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff", b"{\\rtf", b"%PDF-", b"GIF8", b"Rar!")
    ):
        assert decoded(raw, Limits())["body"] == text


@given(st.sampled_from(MAIL), st.integers(1, 200))
def test_whatever_lies_beyond_the_limit_is_named(raw, limit):
    """When the text is cut at max_decoded_chars, an unreadable entry says so."""
    whole = sum(map(len, decoded(raw, Limits()).values()))
    narrow = extract(raw, Limits(max_decoded_chars=limit))
    reasons = {entry.reason for entry in narrow.unreadable}
    if whole > 3 * limit + 200:
        assert UnreadableReason.SIZE in reasons


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: =?utf-7?q?+2AA-?=\n\nHello\n",
        b"Content-Type: text/plain; charset=utf-7\n\nHello +2AA- +3AA-\n",
        b"Content-Type: text/plain; name*=utf-7''+2AA-\n\nHello\n",
        b"From: =?utf-7?q?+2AA-?=@force.example\n\nHello\n",
        b"Content-Type: text/html\n\n<p>&#xD800; &#56320;</p>\n",
    ],
)
def test_half_a_surrogate_pair_goes_no_further(raw):
    """UTF-7 can spell what no text may hold: it must not cost the worker its life when it answers."""
    check(raw, Limits())


def test_same_answer_in_every_process():
    """The order of what is named does not hang on the process: no set is walked through (promise P10)."""
    raw = b"Content-Type : text/plain\nContent-Type: text/html\n \nno field\0\n\nHello\n"
    script = "import sys; from gateway.extract import extract; from gateway.model import Limits; "
    script += "print(extract(sys.stdin.buffer.read(), Limits()).unreadable)"
    answers = {
        subprocess.run(
            [sys.executable, "-c", script],
            input=raw,
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(answers) == 1


def test_the_order_of_the_answer_does_not_hang_on_the_process():
    """Where a header is disputed in several ways, another process reads and names the same things in the same order."""
    raw = (
        b"Subject: a\n \nTo : b@home.example\nno field\nContent-Type: text/html\nContent-Type: text/plain\nX: \0\n\n"
        b"<p>The file is with the prosecutors.</p>\n"
    )
    code = "import sys; from gateway.extract import extract; from gateway.model import Limits; print(extract(sys.stdin.buffer.read(), Limits()))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=raw,
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in "123456"
    }
    assert len(said) == 1
