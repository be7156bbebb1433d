"""Where mail programs show different words: each reading is read, and the ambiguity has its own finding.

`SECRET` stands only in the reading that a filter with one view would not have. What is ambiguous and says the same in
every reading is no more than malformed.
"""

import base64
import binascii
import quopri
from pathlib import Path

import pytest

from gateway.extract import decoded, extract
from gateway.extract.mime import walk
from gateway.model import Limits, PassageKind, UnreadableReason

SECRET = "you looked lovely tonight"
OPEN = "The hearing is on Monday."
B64 = base64.encodebytes(SECRET.encode()).decode()
PLAIN = f"\n{OPEN}\n"
PART = f"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{B64}"


def mixed(*bodies, boundary="b", head=None):
    head = head or f"Content-Type: multipart/mixed; boundary={boundary}\n"
    return head + "\n" + "".join(f"--{boundary}\n{body}\n" for body in bodies) + f"--{boundary}--\n"


def two(first, second):
    """Return a mail of which ``second`` is seen only by programs that take the boundary c."""
    return f"\n--b\n{first}\n--b--\n--c\n{second}\n--c--\n"


DISPUTED = {
    "two encodings": f"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n{B64}",
    "two encodings, the other way": f"Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\n{B64[:8]}\n{SECRET}\n",
    "two types": "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n" + mixed(PART).partition("\n\n")[2],
    "two boundaries": "Content-Type: multipart/mixed; boundary=b; boundary=c\n" + two(PLAIN, PART),
    "two boundary fields": "Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/mixed; boundary=c\n" + two(PLAIN, PART),
    "boundary in pieces and whole": "Content-Type: multipart/mixed; boundary*0=b; boundary=c\n" + two(PLAIN, PART),
    "number of a piece repeated": 'Content-Type: multipart/mixed; boundary*0=""; boundary*1=b; boundary*1=c\n\n--b\n\nHi\n--b--\n--bc\n' + PART + "\n--bc--\n",
    "comment in the boundary": "Content-Type: multipart/mixed; boundary=b(c)\n\n--b\n\nHi\n--b--\n--b(c)\n" + PART + "\n--b(c)--\n",
    "boundary in a comment": "Content-Type: multipart/mixed; (x; boundary=c) boundary=b\n\n--b\n\nHi\n--b--\n--c) boundary=b\n" + PART,
    "encoded word as boundary": "Content-Type: multipart/mixed; boundary==?us-ascii?q?c?=\n" + two(PLAIN, PART),
    "boundary with words behind it": "Content-Type: multipart/mixed; boundary=b c\n\n--b\n\nHi\n--b--\n--b c\n" + PART + "\n--b c--\n",
    "boundary not named": "Content-Type: multipart/mixed\n\n--b\n" + PART + "\n--b--\n",
    "boundary that does not occur": "Content-Type: multipart/mixed; boundary=x\n\n--b\n" + PART + "\n--b--\n",
    "no semicolon before the boundary": "Content-Type: multipart/mixed boundary=b\n\n--b\n" + PART + "\n--b--\n",
    "line that begins like the boundary": "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHi\n--bogus\n" + PART + "\n--b--\n",
    "line that is no field": f"Content-Type: text/plain\nhello there\nContent-Transfer-Encoding: base64\n\n{B64}",
    "line of a space": f"Content-Type: text/plain\n \nContent-Transfer-Encoding: base64\n\n{B64}",
    "line of a space before the text": f"Subject: x\n \nI: {SECRET}\n\n{OPEN}",
    "space before the colon": f"Content-Transfer-Encoding : 7bit\nContent-Transfer-Encoding: base64\n\n{B64}",
    "NUL in a name": f"Content-Type: text/plain\nContent-Transfer\0-Encoding: base64\n\n{B64}",
    "carriage return in the header": f"Subject: x\rContent-Transfer-Encoding: base64\nFrom: a@b.example\n\n{B64}",
    "carriage return before a boundary": "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHi\r--b\r" + PART.replace("\n", "\r") + "\r--b--\r\n",
    "multipart in base64": "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(f"--b\n{PART}\n--b--\n".encode()).decode(),
    "multipart in quoted-printable": "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(f"--b\n\n{SECRET}\n--b--\n".encode()).decode().replace("lovely", "=6Covely"),
    "base64 that is none": f"Content-Transfer-Encoding: base64\n\n{SECRET} and so on, as ever\n",
    "base64 in the alphabet of addresses": "Content-Transfer-Encoding: base64\n\n" + base64.urlsafe_b64encode(f"??>~{SECRET}?~?".encode()).decode() + "\n",
    "encoding nobody knows": f"Content-Transfer-Encoding: base-64\n\n{B64}",
    "broken quoted-printable": "Content-Transfer-Encoding: quoted-printable\n\n==79ou looked lovely tonight\n",
    "two charsets": "Content-Type: text/plain; charset=us-ascii; charset=utf-7\n\n" + SECRET.encode("utf-7").decode().replace("lovely", "+AGwAbwB2AGUAbAB5-"),
    "UTF-16 that is ASCII": f"Content-Type: text/plain; charset=utf-16\n\n{SECRET}.",
    "EBCDIC that is ASCII": f"Content-Type: text/plain; charset=ibm037\n\n{SECRET}.",
    "charset of the page": "Content-Type: text/html; charset=us-ascii\n\n<meta charset=utf-7><p>you looked +AGwAbwB2AGUAbAB5- tonight</p>",
    "encoded word in an encoded word": f"Subject: =?utf-8?q?=3D=3Futf-8=3Fb=3F{base64.b64encode(SECRET.encode()).decode().replace('=', '=3D')}=3F=3D?=\n\n{OPEN}",
    "base64 split between encoded words": "Subject: " + " ".join(f"=?utf-8?b?{B64[at : at + 5].strip()}?=" for at in range(0, len(B64) - 1, 5)) + f"\n\n{OPEN}",
}  # fmt: skip


@pytest.mark.parametrize("raw", DISPUTED.values(), ids=DISPUTED)
def test_each_reading_is_read(raw):
    """Whatever the dispute, the words of every reading are among the passages, and the ambiguity is named."""
    authored = extract(raw.encode(), Limits())
    said = " ".join(" ".join(passage.text for passage in authored.passages).split())
    assert SECRET in said
    assert {"ambiguous"} <= {str(entry.reason) for entry in authored.unreadable}


OCTETS = {
    "overlong UTF-8": ("utf-8", b"you looked l\xc1\xafvely tonight"),
    "overlong by two": ("utf-8", b"you looked l\xe0\x81\xafvely tonight"),
    "escapes without their charset": ("us-ascii", b"\x1b(J" + SECRET.encode() + b"\x1b(B"),
    "mark of UTF-16 under UTF-8": ("utf-8", b"\xff\xfe" + SECRET.encode("utf-16-le")),
    "mark of UTF-16 before ASCII": ("utf-16", b"\xff\xfe" + SECRET.encode() + b"."),
    "EBCDIC": ("ibm037", SECRET.encode("cp037")),
    "HZ": ("hz-gb-2312", SECRET.encode()),
    "UTF-32 without a mark": ("utf-32", SECRET.encode("utf-32-be")),
    "UTF-16 without a mark": ("utf-16", SECRET.encode("utf-16-be")),
    "GB 18030 under its older name": ("gb2312", SECRET.encode() + "\u20ac".encode("gb18030")),
    "macintosh": ("macintosh", SECRET.encode() + b"\x8e"),
}  # fmt: skip


@pytest.mark.parametrize(("charset", "octets"), OCTETS.values(), ids=OCTETS)
def test_charsets_that_hide_words(charset, octets):
    """However the words are spelled in octets, one of the readings says them."""
    raw = b"Content-Type: text/plain; charset=" + charset.encode() + b"\n\n" + octets
    said = [passage.text.replace("\x1b(J", "") for passage in extract(raw, Limits()).passages]
    assert any(SECRET in text for text in said), said


HARMLESS = {
    "two encodings that say the same": "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 8bit\n\nHello\n",
    "two types of text": "Content-Type: text/plain\nContent-Type: text/html\n\n<b>Hello</b>\n",
    "one boundary named twice": mixed(PLAIN, head="Content-Type: multipart/mixed; boundary=b; boundary=b\n"),
    "comment in the type": "Content-Type: text/plain (as ever); charset=us-ascii\n\nHello\n",
    "parentheses in the name of a file": mixed(PLAIN, "Content-Type: text/plain; name=notes (1).txt\n\nHi"),
    "quoted string with a boundary in it": 'Content-Type: text/plain; x="; boundary=c"\n\nHello\n',
    "NUL in a file": mixed(PLAIN, "Content-Type: application/octet-stream\n\na\0b\0c\0d"),
    "dashes in the text": mixed("\nHi\n-- \nTom\n--\n------\n"),
    "boundary that begins another": mixed(PLAIN, mixed(PLAIN, boundary="bb"), boundary="b"),
    "space at the end of a boundary": mixed(PLAIN).replace("--b\n", "--b  \n"),
}  # fmt: skip


@pytest.mark.parametrize("raw", HARMLESS.values(), ids=HARMLESS)
def test_what_says_the_same_in_every_reading_is_not_ambiguous(raw):
    """Oddities that change no word are not called ambiguous, and leave no second reading behind."""
    authored = extract(raw.encode(), Limits())
    assert "ambiguous" not in {str(entry.reason) for entry in authored.unreadable}
    assert not any("~" in part for part in decoded(raw.encode(), Limits()))


def test_second_readings_have_parts_of_their_own():
    """Offsets of a second reading lead back into its own text, and what the first says already is not there again."""
    raw = f"Content-Transfer-Encoding: base64\n\n{SECRET} and so on, as ever\n".encode()
    (passage,) = [each for each in extract(raw, Limits()).passages if "~" in each.part]
    assert passage.part.startswith("body~")
    assert decoded(raw, Limits())[passage.part][passage.start : passage.end] == passage.text


def test_second_readings_are_bounded():
    """Second readings share an eighth of the characters that may be read; what lies beyond is named."""
    raw = b"Content-Type: text/plain; charset=utf-7\n\n" + b"you looked +AGwAbwB2AGUAbAB5-. " * 400
    authored = extract(raw, Limits(max_decoded_chars=16_000))
    assert sum(len(each.text) for each in authored.passages if "~" in each.part) <= 2000
    assert "size" in {str(entry.reason) for entry in authored.unreadable}


def test_a_view_over_a_limit_is_named():
    """What lies beyond a limit in a second view is named like in the first."""
    deep = (
        "Content-Type: multipart/mixed\n\n"
        + "--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 8
        + "hello"
    )
    authored = extract(deep.encode(), Limits(max_depth=3))
    assert authored.unreadable


# --- the words of the header ---


def header(field):
    authored = extract(f"{field}\n\nHello\n".encode(), Limits())
    return [
        (each.part, each.text, each.hidden) for each in authored.passages if each.kind is PassageKind.HEADER
    ]


@pytest.mark.parametrize(
    ("field", "part", "text", "hidden"),
    [
        ("From: Tom Hale <tom@force.example>", "from", "Tom Hale", False),
        ('From: "Hale, Tom" <tom@force.example>', "from", "Hale, Tom", False),
        ("From: tom@force.example (see you at eight)", "from", "see you at eight", False),
        ("Reply-To: =?utf-8?q?see_you_at_eight?= <tom@force.example>", "reply-to", "see you at eight", False),
        ('Reply-To: "=?utf-8?b?c2VlIHlvdQ==?=" <tom@force.example>', "reply-to", "see you", False),
        ("To: See you at eight: jo@home.example;", "to", "See you at eight", False),
        ("Cc: Jo <jo@home.example>, Pat <pat@force.example>, Jo <jo@x.example>", "cc", "Jo\nPat", False),
        ("Sender: Tom <tom@force.example>", "sender", "Tom", False),
        ("Keywords: see you at eight", "keywords", "see you at eight", False),
        ("Comments: =?utf-8?q?see_you?=", "comments", "see you", True),
        ("Organization: Northshire Police", "organization", "Northshire Police", True),
        ("Thread-Topic: see you", "thread-topic", "see you", True),
        ("From: Tom\nFrom: See you at eight <tom@force.example>", "from", "Tom\nSee you at eight", False),
        ("From: a@b.example\n\tc <a@b.example>", "from", "a@b.example c", False),
    ],
)  # fmt: skip
def test_words_of_the_header(field, part, text, hidden):
    """Names beside addresses, comments and keywords are words that the sender chose: passages with their field's name."""
    assert header(field) == [(part, text, hidden)]


@pytest.mark.parametrize(
    "field",
    ["From: tom@force.example", "From: <tom@force.example>", "To: 'jo@home.example' <jo@home.example>", "X-Note: see you", "To:"],
)  # fmt: skip
def test_headers_without_words(field):
    """Bare addresses, and fields that no program shows, are no passages."""
    assert header(field) == []


def test_topic_that_the_subject_has_is_not_repeated():
    """Outlook's Thread-Topic is the subject again, in a reply the contact's; only another topic is read."""
    assert header("Subject: Re: Your case\nThread-Topic: Your case") == []


def test_names_without_end_are_bounded():
    """As many names are read as addresses, and one entry says that there are more."""
    names = ", ".join(f"N{number} <n{number}@x.example>" for number in range(30))
    authored = extract(f"To: {names}\n\nHello\n".encode(), Limits(max_addresses=10))
    (passage,) = [each for each in authored.passages if each.part == "to"]
    assert passage.text.count("\n") == 9
    assert [str(entry.reason) for entry in authored.unreadable] == ["size"]


# --- plain text that is not written as it is shown ---


@pytest.mark.parametrize(
    ("parameters", "written", "shown"),
    [
        ("format=flowed", "fancy a \ndrink \ntonight?\nTom", "fancy a drink tonight?\nTom"),
        ("format=flowed; delsp=yes", "fan \ncy a  \ndrink", "fancy a drink"),
        ("format=flowed", " From here\n >no quote", "From here\n>no quote"),
        ("format=flowed", "> you said \n> this\nand \n> that", "> you said this\nand \n> that"),
        ("format=flowed", "Hi \n-- \nTom", "Hi \n-- \nTom"),
        ("format=Flowed; DelSp=No", "fancy \n\na drink", "fancy \na drink"),
        ("format=fixed", "fancy a \ndrink", "fancy a \ndrink"),
    ],
)
def test_flowed_text(parameters, written, shown):
    """Soft line breaks and stuffed spaces are undone as programs do that know format=flowed (RFC 3676)."""
    raw = f"Content-Type: text/plain; {parameters}\n\n{written}".encode()
    assert decoded(raw, Limits())["body"] == shown


def test_enriched_text():
    """Commands of text/enriched are not words, and what they hide is read (RFC 1896)."""
    raw = b"Content-Type: text/enriched\n\n<bold>Fancy</bold> a <<drink><color><param>red</param>?</color>"
    assert decoded(raw, Limits())["body"].split() == ["Fancy", "a", "<drink>", "red", "?"]


@pytest.mark.parametrize(
    "text",
    [
        "Hi\n\n" + "begin 644 note.txt\n{uu}`\nend\n",
        "Hi\n\n" + f"begin-base64 644 note.txt\n{B64}====\n",
        "Hi\n\n=ybegin line=128 size=25 name=note.txt\n{yenc}\n=yend size=25\n",
    ],
    ids=["uuencode", "base64", "yEnc"],
)
def test_files_in_the_text(text):
    """A file written into the text as before MIME is read like an attached one, under its name."""
    uu = binascii.b2a_uu(SECRET.encode()).decode()
    yenc = bytes((octet + 42) % 256 for octet in SECRET.encode()).decode("latin-1")
    raw = b"Content-Type: text/plain; charset=iso-8859-1\n\n" + text.format(uu=uu, yenc=yenc).encode(
        "latin-1"
    )
    passages = {passage.part: passage.text for passage in extract(raw, Limits()).passages}
    assert passages["1!note.txt"] == SECRET


def test_what_only_a_second_reading_takes_for_a_damaged_text_is_named():
    """The first reading took all of it for one header field: nothing of the damaged text was read there."""
    raw = (
        "From: a@b.example\rContent-Type: text/html\rContent-Transfer-Encoding: x-uuencode\r\r"
        "<p>Hello</p><!-- Quorlatch --><img\r\n>"
    )
    reasons = {entry.reason for entry in extract(raw.encode(), Limits()).unreadable}
    assert UnreadableReason.ENCODING in reasons


def test_what_is_known_of_a_part_is_known_of_no_other_one():
    """Parts of a view that was let go may lie in memory where parts of the next one do: equal is only what is one."""
    raw = b"Content-Type: message/rfc822\n\nFrom: a@b.example\n\nHello\n"
    first, second = walk(raw, Limits()).sections, walk(raw, Limits()).sections
    assert len({*first, *second}) == len(first) + len(second) == 4


def test_views_of_forwarded_mail_give_one_answer_each_time():
    """Whose words a forwarded mail's are did once depend on what lay in memory."""
    odd = (Path(__file__).parents[1] / "fuzz" / "saved" / "72581ba23091.eml").read_bytes()
    answers = [extract(odd, Limits()) for _ in range(8)]
    assert all(answer == answers[0] for answer in answers)


def test_a_picture_that_is_labelled_as_text_is_read_as_text_too():
    """Who goes by the label shows words behind the first octets of a picture; that picture seems to be of a few pixels."""
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\n" + SECRET.encode() + b"\nSee you then.\n"
    raw = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(picture)
    found = extract(raw, Limits())
    assert SECRET in " ".join(passage.text for passage in found.passages)
    assert UnreadableReason.AMBIGUOUS in {entry.reason for entry in found.unreadable}


def test_a_type_of_three_names_is_named():
    """Some programs take it for plain text and show its source, of which we read what the parts say."""
    raw = f"Content-Type: multipart/mixed/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p title2={SECRET!r}>{OPEN}\n--b--\n"
    found = extract(raw.encode(), Limits())
    assert [entry.detail for entry in found.unreadable if entry.reason is UnreadableReason.MALFORMED] == [
        '"multipart/mixed/mixed" is no media type; its parts were read, and some programs show its source'
    ]
