"""What the header block claims: addresses, thread, time, names of files."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.extract import decoded, extract
from gateway.model import Limits, PassageKind


def headers_of(header):
    return extract(header.encode() + b"\n\nHello\n", Limits()).headers


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("jo@home.example", ("jo@home.example",)),
        ("Jo Bloggs <jo@home.example>", ("jo@home.example",)),
        ('"Bloggs, Jo" <jo@home.example>, Pat <pat@force.example>', ("jo@home.example", "pat@force.example")),
        ("Jo (at home, mostly) <jo@home.example>", ("jo@home.example",)),
        ("jo@home.example (Jo (the) Bloggs)", ("jo@home.example",)),
        ("Team: jo@home.example, pat@force.example; tom@force.example", ("jo@home.example", "pat@force.example", "tom@force.example")),
        ("undisclosed-recipients:;", ()),
        ("<@relay.example,@other.example:jo@home.example>", ("jo@home.example",)),
        ('"jo b"@home.example', ('"jo b"@home.example',)),
        ('<"jo, b"@home.example>', ('"jo, b"@home.example',)),
        ("jo @ home.example", ("jo@home.example",)),
        ("Jo Bloggs jo@home.example", ("jo@home.example",)),
        ("jo@[192.0.2.1], pat@[IPv6:2001:db8::1]", ("jo@[192.0.2.1]", "pat@[IPv6:2001:db8::1]")),
        ("<jo@home.example, pat@force.example", ("jo@home.example", "pat@force.example")),
        ("=?utf-8?q?J=C3=B6?= <jo@home.example>", ("jo@home.example",)),
        ("=?utf-8?q?jo=40home.example?=", ("jo@home.example",)),
        ("jö@höme.example", ("jö@höme.example",)),
        ("nobody", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_addresses(value, addresses):
    """Every address of a list is found, bare, whatever stands around it (RFC 5322 section 3.4, and beyond)."""
    assert headers_of(f"To: {value}").to == addresses


def test_every_from_counts():
    """Two From fields, or one with two addresses, give all of them: mail programs show either."""
    header = "From: tom@force.example\nFROM : Pat <pat@force.example>, tom@force.example"
    assert headers_of(header).from_ == ("tom@force.example", "pat@force.example")


def test_all_fields():
    """Each field of the header has its own place."""
    headers = headers_of(
        "From: a@x.example\nSender: b@x.example\nTo: c@x.example\nCc: d@x.example,\n e@x.example\nBcc: f@x.example\n"
        "Reply-To: g@x.example\nMessage-ID: <m@x.example>\nIn-Reply-To: <i@x.example>\nReferences: <r@x.example>\n\t<s@x.example> junk\n"
        "Date: Tue, 3 Mar 2026 10:14:00 +0100\nSubject: =?utf-8?b?WcO2dXI=?=\n case"
    )
    assert (headers.sender, headers.to, headers.bcc) == (("b@x.example",), ("c@x.example",), ("f@x.example",))
    assert headers.cc == ("d@x.example", "e@x.example")
    assert headers.reply_to == ("g@x.example",)
    assert (headers.message_id, headers.in_reply_to) == ("<m@x.example>", "<i@x.example>")
    assert headers.references == ("<r@x.example>", "<s@x.example>")
    assert headers.date == datetime(2026, 3, 3, 10, 14, tzinfo=timezone(timedelta(hours=1)))
    assert headers.subject == "Yöur case"


@pytest.mark.parametrize(
    ("value", "when"),
    [
        ("Tue, 3 Mar 2026 10:14:00 -0000", datetime(2026, 3, 3, 10, 14, tzinfo=UTC)),
        ("3 Mar 2026 10:14", datetime(2026, 3, 3, 10, 14, tzinfo=UTC)),
        ("yesterday", None),
        ("Tue, 99 Mar 2026 10:14:00 +0000", None),
        ("Tue, 3 Mar 2026 10:14:00 +9999999999999", None),
        ("", None),
    ],
)
def test_dates(value, when):
    """A date is aware, and what is no date is None."""
    assert headers_of(f"Date: {value}").date == when


def test_header_from_an_mbox_file():
    """The separator line of an mbox file is not a header and does not end the header."""
    assert (
        headers_of("From tom@force.example Tue Mar  3 10:14:00 2026\nSubject: Your case").subject
        == "Your case"
    )


def test_old_mac_line_ends():
    """A message whose lines end in CR alone is read."""
    assert decoded(b"Subject: Your case\r\rHello\rJo", Limits()) == {
        "subject": "Your case",
        "body": "Hello\nJo",
    }


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("filename=a.pdf", "a.pdf"),
        ('filename="you \\"looked\\" lovely.pdf"', 'you "looked" lovely.pdf'),
        ("filename*=utf-8''caf%C3%A9.pdf", "café.pdf"),
        ("filename*=iso-8859-1'en'caf%E9.pdf", "café.pdf"),
        ('filename*0="you looked"; filename*1=" lovely.pdf"', "you looked lovely.pdf"),
        ("filename*1=b.pdf; filename*0=a", "ab.pdf"),
        ('filename="=?utf-8?q?caf=C3=A9=2Epdf?="', "café.pdf"),
        ("filename=my file.pdf", "my file.pdf"),
        ('filename="never closed.pdf', "never closed.pdf"),
        ("filename*zz=a.pdf", "a.pdf"),
    ],
)  # fmt: skip
def test_file_names(parameters, name):
    """A file's name is read as mail programs show it (RFC 2231, RFC 2047 against its own rule, and plain)."""
    raw = f"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; {parameters}\n\nx\n--b--\n"
    names = [
        p.text for p in extract(raw.encode(), Limits()).passages if p.kind is PassageKind.ATTACHMENT_NAME
    ]
    assert names == [name]


def test_two_names_of_one_file_are_both_read():
    """Where Content-Type and Content-Disposition name a file differently, programs show either, and both count."""
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=statement.txt\n"
        b"Content-Disposition: attachment; filename=lovely.txt\nContent-Description: =?utf-8?q?for_you?=\n\nx\n--b--\n"
    )
    assert decoded(raw, Limits())["name:1"] == "lovely.txt\nstatement.txt\nfor you"


def test_name_given_twice_is_named_as_ambiguous():
    """A parameter with two values is read as the first, and said to be ambiguous."""
    raw = b"Content-Type: text/plain; charset=utf-8; charset=utf-7\n\nHello\n"
    assert [entry.reason for entry in extract(raw, Limits()).unreadable] == ["malformed"]


def test_digest_parts_are_messages():
    """A part of a multipart/digest without a type is a message (RFC 2046 section 5.1.5)."""
    raw = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nFrom: jo@home.example\n\nany news?\n--b--\n"
    (cut,) = extract(raw, Limits()).cuts
    assert (cut.part, cut.text, cut.speaker) == ("1.1", "any news?", "jo@home.example")
