"""Damage to mail that already makes sense: each mutator is a function of the dice, a message and another message."""

import base64
import re
from collections.abc import Callable
from random import Random

Mutator = Callable[[Random, bytes, bytes], bytes]
TOKENS = (
    b"\n", b"\r\n", b"\r", b"\0", b" ", b"\t", b">", b"> ", b"--", b"-- \n", b"--b\n", b"--b--\n", b"=?utf-8?b?", b"?=", b"=?x?q?", b"=E9", b"=\n", b"YQ==",
    b"\nContent-Type: multipart/mixed; boundary=b\n\n", b"\nContent-Type: text/html\n", b"\nContent-Type: message/rfc822\n\n", b"\nContent-Transfer-Encoding: base64\n",
    b"\nContent-Disposition: attachment; filename*0*=", b"charset=utf-7", b"+2AA-", b"\x1b$B", b"\x1b(B", b"~{", b"charset=hz", b"\nSubject: ", b"\nFrom: ", b"\nIn-Reply-To: <a>\n",
    b"On 3 Mar 2026, at 10:14, a@b.example wrote:\n", b"From: Jo\nSent: now\nTo: Tom\n", b"-----Original Message-----\n", b"This email is confidential. ", b"Kind regards\n",
    b"<div>", b"</div>", b"<blockquote type=cite>", b"<!--", b"-->", b"<p hidden>", b"<style>p{display:none}</style>", b"&#", b"99999999999", b"<table><td>", b"<bdo dir=rtl>",
    b"\xff", b"\xf0\x9f\x98\x98", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xae", b"\xcc\x81" * 30, b'"', b"(", b"<", b",", b";", b":", b"*0*=",
    b"begin 644 x\n", b"BEGIN:VCALENDAR\nSUMMARY:a\\,b\n", b"Vexquilt", b"Would you fancy a drink with me one evening?", b"%PDF-", b"PK\x03\x04", b"{\\rtf1 ",
)  # fmt: skip
_CHARSET = re.compile(rb"charset\s*=\s*\"?[^\s;\"]*\"?", re.IGNORECASE)
_CODING = re.compile(rb"(Content-Transfer-Encoding:)[^\r\n]*", re.IGNORECASE)
_MEDIA = re.compile(rb"(Content-Type:)\s*[^\s;]+", re.IGNORECASE)
_BOUNDARY = re.compile(rb"boundary=\"?([^\";\s]+)", re.IGNORECASE)


def mutated(dice: Random, raw: bytes, other: bytes) -> bytes:
    """Return ``raw`` after one to five mutations; ``other`` is what is spliced in."""
    for _ in range(dice.choice((1, 1, 2, 2, 3, 5))):
        raw = dice.choice(MUTATORS)(dice, raw, other)[:60_000]
    return raw


def _span(dice: Random, raw: bytes) -> tuple[int, int]:
    start = dice.randrange(len(raw) + 1)
    return start, min(len(raw), start + int(dice.paretovariate(0.8) * 4))


def _truncate(dice: Random, raw: bytes, _: bytes) -> bytes:
    return raw[: dice.randrange(len(raw) + 1)]


def _delete(dice: Random, raw: bytes, _: bytes) -> bytes:
    start, end = _span(dice, raw)
    return raw[:start] + raw[end:]


def _duplicate(dice: Random, raw: bytes, _: bytes) -> bytes:
    start, end = _span(dice, raw)
    times = dice.choice((1, 1, 1, 2, 30)) if end - start < 500 else 1
    return raw[:start] + raw[start:end] * times + raw[start:]


def _flip(dice: Random, raw: bytes, _: bytes) -> bytes:
    data = bytearray(raw)
    for _ in range(dice.choice((1, 1, 3, 12))):
        if data:
            data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def _insert(dice: Random, raw: bytes, _: bytes) -> bytes:
    at = dice.randrange(len(raw) + 1)
    return raw[:at] + dice.choice(TOKENS) * dice.choice((1, 1, 1, 2, 40)) + raw[at:]


def _splice(dice: Random, raw: bytes, other: bytes) -> bytes:
    start, end = _span(dice, other)
    at = dice.randrange(len(raw) + 1)
    return raw[:at] + other[start:end] + raw[at:]


def _cross(dice: Random, raw: bytes, other: bytes) -> bytes:
    return raw[: dice.randrange(len(raw) + 1)] + other[dice.randrange(len(other) + 1) :]


def _header_of_another(_: Random, raw: bytes, other: bytes) -> bytes:
    end = b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n"
    return other.partition(b"\r\n\r\n" if b"\r\n\r\n" in other else b"\n\n")[0] + end + raw.partition(end)[2]


def _move_line(dice: Random, raw: bytes, _: bytes) -> bytes:
    lines = raw.splitlines(keepends=True)
    if lines:
        line = lines.pop(dice.randrange(len(lines)))
        for _ in range(dice.choice((0, 1, 1, 2))):
            lines.insert(dice.randrange(len(lines) + 1), line)
    return b"".join(lines)


def _charset(dice: Random, raw: bytes, _: bytes) -> bytes:
    new = dice.choice((b"utf-7", b"utf-16", b"utf-16be", b"utf-32", b"iso-2022-jp", b"hz", b"gb18030", b"cp037", b"idna", b"punycode", b"x", b"", b"base64", b"unicode_escape", b"utf-8-sig", b"big5", b"shift_jis", b"iso-2022-kr"))  # fmt: skip
    return _CHARSET.sub(b"charset=" + new, raw, count=dice.choice((0, 1)))


def _coding(dice: Random, raw: bytes, _: bytes) -> bytes:
    new = dice.choice(
        (b"base64", b"quoted-printable", b"7bit", b"binary", b"x-uuencode", b"", b"base64, 7bit", b'"base64"')
    )
    return _CODING.sub(rb"\1 " + new, raw, count=dice.choice((0, 1)))


def _media(dice: Random, raw: bytes, _: bytes) -> bytes:
    new = dice.choice((b"text/plain", b"text/html", b"multipart/alternative", b"multipart/mixed", b"message/rfc822", b"text/calendar", b"application/octet-stream", b"multipart/digest", b"/", b""))  # fmt: skip
    return _MEDIA.sub(rb"\1 " + new, raw, count=dice.choice((0, 1)))


def _boundary(dice: Random, raw: bytes, _: bytes) -> bytes:
    """Make boundaries one another's prefix, equal, or slightly wrong where they delimit."""
    marks = list(dict.fromkeys(_BOUNDARY.findall(raw)))
    if not marks:
        return b"Content-Type: multipart/mixed; boundary=b\r\n" + raw
    mark = dice.choice(marks)
    new = dice.choice(
        (marks[0], mark + b"x", mark[:-1] or b"b", mark + b"--", b"", mark.swapcase(), mark + b" ")
    )
    lines = raw.splitlines(keepends=True)
    where = [number for number, line in enumerate(lines) if mark in line]
    for number in where if dice.randrange(3) == 0 else dice.sample(where, 1):
        lines[number] = lines[number].replace(mark, new)
    return b"".join(lines)


def _line_ends(dice: Random, raw: bytes, _: bytes) -> bytes:
    plain = raw.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", dice.choice((b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x85")))


def _wrap(dice: Random, raw: bytes, other: bytes) -> bytes:
    kind = dice.randrange(4)
    if kind == 0:
        return b"Content-Type: message/rfc822\r\n\r\n" + raw
    if kind == 1:
        return (
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(raw)
        )
    head = b"Subject: x\r\nContent-Type: multipart/%s; boundary=wrap\r\n\r\n--wrap\r\n" % dice.choice(
        (b"mixed", b"alternative", b"related", b"signed")
    )
    return (
        head
        + raw
        + b"\r\n--wrap\r\n"
        + (other if kind == 2 else b"Content-Type: text/html\r\n\r\n" + raw)
        + b"\r\n--wrap--\r\n"
    )


def _unfold(dice: Random, raw: bytes, _: bytes) -> bytes:
    return re.sub(
        rb": ?", dice.choice((b":\r\n ", b" : ", b":", b":\t", b"\0: ")), raw, count=dice.randrange(6) + 1
    )


MUTATORS: tuple[Mutator, ...] = (
    _truncate, _delete, _delete, _duplicate, _flip, _insert, _insert, _insert, _splice, _cross, _header_of_another,
    _move_line, _charset, _coding, _media, _boundary, _boundary, _line_ends, _wrap, _unfold,
)  # fmt: skip
