"""Parts that few mails have: damaged structure, limits, odd charsets, what cannot be read."""

import pytest

from gateway.extract import decoded, extract
from gateway.model import CutReason, Limits, PassageKind, UnreadableReason


def reasons(raw, limits=None):
    return [(entry.part, str(entry.reason)) for entry in extract(raw, limits or Limits()).unreadable]


def parts(*bodies, kind="mixed"):
    return (
        b"Content-Type: multipart/%s; boundary=b\n\n" % kind.encode()
        + b"".join(b"--b\n" + body + b"\n" for body in bodies)
        + b"--b--\n"
    )


def test_inner_multipart_with_the_outer_boundary():
    """A boundary used twice closes the inner multipart first, and the outer one goes on after it."""
    inner = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nOne\n--b--\n"
    texts = decoded(parts(inner, b"\nTwo"), Limits())
    assert [text for text in texts.values() if text] == ["One", "Two"]


def test_transfer_encoded_multipart_is_named():
    """A multipart may not be base64 (RFC 2045 section 6.4); some programs decode it, so a person is told."""
    raw = parts(b"\nHello and good morning to you").replace(
        b"\n\n--b", b"\nContent-Transfer-Encoding: base64\n\n--b", 1
    )
    assert reasons(raw) == [("0", "malformed")]
    assert decoded(raw, Limits())["body"] == "Hello and good morning to you"


def test_damaged_base64_of_an_attached_mail_is_named():
    """An attached mail whose base64 is damaged is read as far as it goes, and named."""
    raw = parts(
        b"\nHi",
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n!!RnJvbTogam9AaG9tZS5leGFtcGxlCgpsb3ZlbHk",
    )
    assert reasons(raw) == [("2", "encoding")]
    assert [cut.text for cut in extract(raw, Limits()).cuts] == ["lovely"]


def test_parts_beyond_the_limit_are_named():
    """Parts over the limit are not read, and one entry says so; those before it are read."""
    raw = parts(b"\nOne", b"\nTwo", b"\nThree", b"Content-Type: message/rfc822\n\nSubject: x\n\nFour")
    limits = Limits(max_parts=3)
    assert [text for text in decoded(raw, limits).values() if text] == ["One", "Two"]
    assert reasons(raw, limits) == [("0", "too-many-parts")]


def test_attached_message_beyond_the_limit_is_named():
    """When the limit falls inside an attached message, nothing of it is taken for text."""
    raw = parts(b"\nOne", b"Content-Type: message/rfc822\n\nSubject: x\n\nFour")
    assert reasons(raw, Limits(max_parts=3)) == [("2", "too-many-parts")]


@pytest.mark.parametrize("kind", [b"multipart/mixed; boundary=c", b"message/rfc822", b"text/plain"])
def test_depth_beyond_the_limit_is_named(kind):
    """A part below the deepest level is not read, whatever it is, and is named."""
    raw = parts(b"Content-Type: " + kind + b"\n\n--c\n\nYou looked lovely\n--c--")
    assert reasons(raw, Limits(max_depth=0)) == [("1", "depth")]
    assert extract(raw, Limits(max_depth=0)).passages == ()


def test_header_beyond_the_limit_is_named():
    """Fields beyond the limit of the header are not read, and named; the text is read all the same."""
    raw = b"Subject: one\n" + b"X-Filler: x\n" * 20 + b"To: jo@home.example\n folded\n\nHello\n"
    assert reasons(raw, Limits(max_header_bytes=100)) == [("1", "size")]
    assert extract(raw, Limits(max_header_bytes=100)).headers.to == ()
    assert decoded(raw, Limits(max_header_bytes=100))["body"] == "Hello\n"


def test_text_beyond_the_limit_is_cut_and_named():
    """Decoded text stops at the limit over all parts together."""
    raw = parts(b"\n12345", b"\n67890", b"\nabc")
    texts = decoded(raw, Limits(max_decoded_chars=8))
    assert [text for text in texts.values() if text] == ["12345", "678"]
    assert reasons(raw, Limits(max_decoded_chars=8)) == [("2", "size"), ("3", "size")]


def test_text_after_a_second_closing_boundary_is_read():
    """Everything that stands behind the parts is read, also between two closing boundaries."""
    raw = parts(b"\nHi") + b"lovely\n--b--\ntonight\n"
    assert decoded(raw, Limits())["after:0"] == "lovely\ntonight"


def test_text_around_the_parts_of_an_attached_mail_is_left():
    """Preamble and epilogue of an attached mail are neither shown nor the sender's."""
    raw = parts(
        b"\nHi",
        b"Content-Type: message/rfc822\n\nFrom: jo@home.example\n"
        + parts(b"\nQuoted").replace(b"--b", b"--c").replace(b"=b", b"=c")
        + b"lovely\n",
    )
    assert not any("lovely" in passage.text for passage in extract(raw, Limits()).passages)


def test_calendar_of_an_attached_mail_is_forwarded():
    """What an attached mail invites to is set aside with it."""
    inner = b"From: jo@home.example\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nSUMMARY:Dinner\nEND:VCALENDAR"
    (cut,) = extract(parts(b"\nHi", b"Content-Type: message/rfc822\n\n" + inner), Limits()).cuts
    assert (cut.text, cut.reason, cut.speaker) == ("Dinner", CutReason.FORWARDED, "jo@home.example")


def attached(head):
    inner = (
        parts(
            b"\nHello",
            b"Content-Type: audio/ogg\nContent-Disposition: attachment; filename=a.ogg\n\nOggS\x00\x02",
        )
        .replace(b"--b", b"--c")
        .replace(b"=b", b"=c")
    )
    sent = b"From: Tom Archer <tom@force.example>\n"
    return extract(sent + parts(b"\nHi", b"Content-Type: message/rfc822\n\n" + head + inner), Limits())


def test_attached_mail_of_somebody_else_is_forwarded():
    """What another person wrote is set aside with the speaker, names of files too; a file in it is named as such."""
    authored = attached(b"From: Jo <jo@home.example>\n")
    assert [(cut.text, cut.speaker) for cut in authored.cuts] == [("Hello", "jo@home.example")]
    assert [(entry.part, str(entry.reason)) for entry in authored.unreadable] == [
        ("2.2", "attachment-not-read")
    ]
    assert not any(passage.text == "a.ogg" for passage in authored.passages)


@pytest.mark.parametrize("head", [b"From: TOM@force.example\n", b""])
def test_attached_mail_of_the_sender_or_of_nobody_stays(head):
    """An attached mail that the sender wrote, or that names no author, are the sender's words: kept, uncertain."""
    authored = attached(head)
    assert authored.cuts == ()
    assert [(p.text, p.uncertain) for p in authored.passages if p.part == "2.1"] == [("Hello", True)]
    assert any(passage.text == "a.ogg" for passage in authored.passages)


def test_headers_of_a_returned_mail_are_not_the_senders_words():
    """text/rfc822-headers, as delivery reports carry it, is set aside."""
    (cut,) = extract(parts(b"\nHi", b"Content-Type: text/rfc822-headers\n\nSubject: lovely"), Limits()).cuts
    assert cut.reason is CutReason.FORWARDED


def test_calendar_attendees_and_html_description():
    """Names in an invitation, and its HTML description, are read; folded lines are joined (RFC 5545 section 3.1)."""
    calendar = (
        b'BEGIN:VCALENDAR\nATTENDEE;CN="My lovely";ROLE=REQ-PARTICIPANT:mailto:jo@home.example\nORGANIZER:mailto:t@force.example\n'
        b"ORGANIZER;CN=Tom:mailto:t@force.example\nX-ALT-DESC;FMTTYPE=text/html:<p>just</p><b>us</b>\nEND:VCALENDAR"
    )  # fmt: skip
    raw = parts(b"\nHi", b"Content-Type: text/calendar\n\n" + calendar)
    assert decoded(raw, Limits())["2"].split() == ["My", "lovely", "Tom", "just", "us"]


def test_calendar_without_properties_is_read_as_it_stands():
    """A part called a calendar that is none is read as text."""
    raw = parts(b"\nHi", b"Content-Type: text/calendar\n\nYou looked lovely")
    (passage,) = [passage for passage in extract(raw, Limits()).passages if passage.part == "2"]
    assert (passage.kind, passage.text) == (PassageKind.CALENDAR, "You looked lovely")


@pytest.mark.parametrize(
    ("charset", "data", "text", "noted"),
    [
        (b"utf-8", "café".encode(), "café", False),
        (b"utf-8", b"caf\xe9", "café", False),
        (b"utf-8", b"\x81\x8d", "\ufffd\ufffd", True),
        (b"us-ascii", b"caf\xe9", "café", False),
        (b"iso-8859-1", b"\x93lovely\x94", "\u201clovely\u201d", False),
        (b"Windows-1252", b"caf\xe9", "café", False),
        (b"cp-850", b"caf\x82", "café", False),
        (b"iso-8859-15", b"\xa4", "\u20ac", False),
        (b"koi8-r", b"\xd0", "\u043f", False),
        (b"iso-2022-jp", b'\x1b$B$"\x1b(B', "\u3042", False),
        (b"shift_jis", b"\x82", "\ufffd", True),
        (b"gb18030", "\u4f60".encode("gb18030"), "\u4f60", False),
        (b"utf-16", "lovely".encode("utf-16"), "lovely", False),
        (b"utf-16", "lovely".encode("utf-16-be"), "lovely", True),
        (b"utf-16le", "lovely".encode("utf-16-le"), "lovely", False),
        (b"utf-32", "lovely".encode("utf-32-be"), "lovely", True),
        (b"", "lovely on Monday".encode("utf-16-le"), "lovely on Monday", True),
        (b"", b"\xef\xbb\xbflovely", "lovely", False),
        (b"unicode_escape", b"\\x6covely \xe9", "\\x6covely é", True),
        (b"idna", b"xn--caf-dma", "xn--caf-dma", False),
        (b"a\x00b", b"lovely", "lovely", False),
    ],
)  # fmt: skip
def test_charsets(charset, data, text, noted):
    """A part is read in its charset, else in the likeliest one; what was lost or is ambiguous is named."""
    raw = b"Content-Type: text/plain; charset=" + charset + b"\n\n" + data
    assert decoded(raw, Limits())["body"] == text
    assert (("body", "charset") in reasons(raw)) is noted


def test_charset_of_a_part_named_twice_over():
    """RFC 2231 parameters without end are read up to a bound, and named."""
    raw = b"Content-Type: text/plain" + b"; x*0=a" * 3000 + b"\n\nHello"
    assert reasons(raw) == [("1", "malformed")]


def test_guessed_subject_is_named():
    """A subject in a charset nobody knows is read as well as can be, and named."""
    raw = b"Subject: =?x-klingon?q?caf=E9?= =?utf-8?q?_x?=\n\nHi"
    assert decoded(raw, Limits())["subject"] == "café x"
    assert reasons(raw) == [("subject", "charset")]


def test_broken_uuencoding_is_named():
    """A line of uuencode that cannot be decoded is left out, and named."""
    raw = (
        b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n.4V5E('EO=2!-;VYD87D`\n\x7f\x7f\x7f\n`\nend\n"
    )
    assert decoded(raw, Limits())["body"] == "See you Monday"
    assert reasons(raw) == [("body", "encoding")]


@pytest.mark.parametrize(
    "media",
    [b"application/x-unknown", b"audio/ogg"],
)
def test_what_is_not_text_is_named(media):
    """A part that is no text is named with its type."""
    raw = parts(b"\nHi", b"Content-Type: " + media + b"\n\n\x00\x01\x02\xfe")
    (entry,) = extract(raw, Limits()).unreadable
    assert (entry.part, entry.reason) == ("2", UnreadableReason.ATTACHMENT_NOT_READ)
    assert entry.detail.startswith(media.decode())


def test_text_that_lies_elsewhere_is_named():
    """A message/external-body holds no text, but says where one is (RFC 2046 section 5.2.3)."""
    raw = parts(
        b"\nHi", b'Content-Type: message/external-body; access-type=URL; URL="https://x.example/a"\n\n'
    )
    (entry,) = extract(raw, Limits()).unreadable
    assert (entry.part, str(entry.reason)) == ("2", "attachment-not-read")
    assert "https://x.example/a" in entry.detail


def test_piece_of_a_mail_in_several_is_read_and_named():
    """A message/partial is read as it stands, and as what it is: nobody has read the rest (RFC 2046 section 5.2.2)."""
    raw = parts(b"\nHi", b"Content-Type: message/partial; id=x; number=1; total=2\n\nyou looked lovely and")
    assert decoded(raw, Limits())["2"] == "you looked lovely and"
    assert reasons(raw) == [("2", "encoding")]


@pytest.mark.parametrize("media", [b"application/ics", b"text/x-vcalendar"])
def test_calendars_by_other_names(media):
    """Calendars under their older types are read as calendars."""
    raw = parts(b"\nHi", b"Content-Type: " + media + b"\n\nSUMMARY:Dinner")
    assert [(p.kind, p.text) for p in extract(raw, Limits()).passages][1:] == [
        (PassageKind.CALENDAR, "Dinner")
    ]


def test_signature_part_outside_a_signed_mail_is_named():
    """What calls itself a signature but signs nothing is a file like any other."""
    assert reasons(parts(b"\nHi", b"Content-Type: application/pgp-signature\n\n\x00\x01\x02")) == [
        ("2", "attachment-not-read")
    ]


def test_delivery_report_is_read():
    """message/delivery-status is text (RFC 3464)."""
    raw = parts(b"\nHi", b"Content-Type: message/delivery-status\n\nAction: failed", kind="report")
    assert decoded(raw, Limits())["2"] == "Action: failed"


def test_text_of_many_lines():
    """Past the lines that are looked at for quotes the text stays, as uncertain, and nothing of it is lost."""
    raw = b"\n" + b"> a\n" * 50_000 + b"You looked lovely\n"
    last = extract(raw, Limits(max_lines=60_000)).passages[-1]
    assert last.uncertain
    assert last.text.endswith("> a\nYou looked lovely")


def test_many_interleaved_quotes():
    """Past the bound on runs the text stays, as one uncertain passage."""
    raw = b"\n" + b">a\nb\n" * 6_000
    passages = extract(raw, Limits()).passages
    assert len(passages) == 5_001
    assert passages[-1].uncertain


@pytest.mark.parametrize(
    ("line", "speaker"),
    [
        ("On Tue, 3 Mar 2026 at 10:14, Jo Bloggs <jo@home.example> wrote:", "jo@home.example"),
        ("On Tuesday, March 3, 2026 10:14 AM, Jo Bloggs wrote:", "Jo Bloggs"),
        ("On 03/03/2026 10:14, jo@home.example wrote:", "jo@home.example"),
        ("At 10:14 03/03/2026 +0000, you wrote:", "you"),
        ("In message <old@home.example>, Jo Bloggs writes:", "Jo Bloggs"),
        ("2026-03-03 10:14 GMT Jo Bloggs <jo@home.example>:", "jo@home.example"),
        ("Jo Bloggs <jo@home.example> wrote:", "jo@home.example"),
        ("Jo Bloggs (home) wrote:", "Jo Bloggs"),
        ("Jo Bloggs wrote:", "Jo Bloggs"),
        ("Jo Bloggs:", "Jo Bloggs"),
        ("Quoting Jo Bloggs <jo@home.example>:", "jo@home.example"),
        ("* Jo Bloggs <jo@home.example> [2026-03-03 10:14]:", "jo@home.example"),
    ],
)
def test_attributions(line, speaker):
    """The introductions that programs write are set aside with the quote, and name its speaker."""
    raw = f"In-Reply-To: <old@home.example>\n\nNoted, thank you.\n\n{line}\n> any news?\n".encode()
    (cut,) = extract(raw, Limits()).cuts
    assert (cut.text, cut.attributed, cut.speaker) == (f"{line}\n> any news?", True, speaker)


@pytest.mark.parametrize(
    "line",
    [
        "As I said to you before:",
        "On reflection I wrote:",
        "I loved what you wrote:",
        "On Monday you looked lovely and I wrote:",
        "This is what I think about you at 10:14 on 3 March, my dear, and what my colleague wrote"
        + " again" * 80
        + ":",
    ],
)
def test_sentences_above_a_quote_stay(line):
    """A sentence that ends in a colon is the sender's own, whatever follows it."""
    raw = f"In-Reply-To: <a@b.example>\n\n{line}\n> any news?\n".encode()
    assert [passage.text for passage in extract(raw, Limits()).passages] == [line]


def test_attribution_at_the_very_end_stays():
    """An attribution that introduces nothing is text."""
    line = "On Tue, 3 Mar 2026 at 10:14, Jo Bloggs <jo@home.example> wrote:"
    assert [passage.text for passage in extract(f"\n{line}\n".encode(), Limits()).passages] == [line]


def test_divider_without_a_header_block():
    """Under "Original Message" without a header block the text is a claimed quote with reply headers, else unsure."""
    body = b"\nNoted.\n\n-----Original Message-----\nany news?\n"
    (cut,) = extract(b"In-Reply-To: <a@b.example>\n" + body, Limits()).cuts
    assert (cut.reason, cut.attributed) == (CutReason.QUOTED, False)
    assert [passage.uncertain for passage in extract(body, Limits()).passages] == [False, True]


def test_divider_above_marked_lines_introduces_them():
    """A divider directly above marked lines is their introduction."""
    raw = b"\nNoted.\n\nBegin forwarded message:\n\n> any news?\n\nAnd mine.\n"
    authored = extract(raw, Limits())
    assert [(cut.reason, cut.attributed) for cut in authored.cuts] == [(CutReason.FORWARDED, True)]
    assert [passage.text for passage in authored.passages] == ["Noted.", "And mine."]


def test_marked_up_attribution_in_another_language():
    """What Thunderbird and Gmail mark as the attribution is one, also where its words are not English."""
    raw = (
        b"In-Reply-To: <a@b.example>\nContent-Type: text/html\n\n<p>Hoffwn gadarnhau</p><div class='moz-cite-prefix'>Ar 03/03/2026 10:14,<br>"
        b"ysgrifennodd Jo Bloggs:</div><blockquote type=cite>any news?</blockquote>"
    )  # fmt: skip
    (cut,) = extract(raw, Limits()).cuts
    assert cut.attributed
    assert cut.text.startswith("Ar 03/03/2026")


def test_long_text_marked_as_attribution_stays():
    """A class name does not make an attribution of a paragraph."""
    raw = b"Content-Type: text/html\n\n<div class=gmail_attr>" + b"You looked lovely.<br>" * 6 + b"</div>"
    assert extract(raw, Limits()).cuts == ()


def test_no_subject_of_an_attached_mail_no_name():
    """An attached mail without name and subject has no name to read."""
    raw = parts(b"\nHi", b"Content-Type: message/rfc822\n\nFrom: jo@home.example\n\nany news?")
    assert [passage.part for passage in extract(raw, Limits()).passages] == ["body"]


def test_two_texts_in_one_alternative():
    """Texts of one branch of an alternative do not repeat each other; a later branch is compared with the first."""
    inner = (
        parts(b"\nSee you Monday.", b"Content-Type: text/plain\n\nSee you Monday.")
        .replace(b"--b", b"--c")
        .replace(b"=b", b"=c")
    )
    raw = parts(inner, b"Content-Type: text/html\n\n<p>See you Monday.</p>", kind="alternative")
    assert [passage.part for passage in extract(raw, Limits()).passages] == ["body", "1.2"]
    assert [(cut.part, cut.reason) for cut in extract(raw, Limits()).cuts] == [("2", CutReason.REPEATED)]


def test_third_alternative_that_differs():
    """Each alternative is compared with the first, word by word where it differs; addresses of links do not count."""
    raw = parts(
        b"\nThe trial is on 4 May <https://court.example>. [cid:logo]\nBring this: it helps.\n\nThe trial is on 4 May.",
        b"Content-Type: text/html\n\n<p>The trial is on 4 May. Bring this: it helps.</p><p>x</p><p>The trial is on 4 May.</p>",
        b"Content-Type: text/x-amp-html\n\n<p>Bring this: it helps.</p><p>\xf0\x9f\x98\x98</p><p>...</p>",
        kind="alternative",
    )
    authored = extract(raw, Limits())
    assert [(p.part, p.text) for p in authored.passages if p.part != "body"] == [
        ("2", "x"),
        ("3", "\U0001f618\n..."),
    ]
    assert [cut.text for cut in authored.cuts if cut.part == "2"] == [
        "The trial is on 4 May. Bring this: it helps.",
        "The trial is on 4 May.",
    ]


def test_sentences_too_long_for_a_disclaimer_stay():
    """What begins like a disclaimer and never ends its sentence is not cut."""
    raw = b"\nThis email is confidential " + b"and intended " * 200 + b"\n"
    assert extract(raw, Limits()).cuts == ()


def test_gmail_signature_without_its_class():
    """Gmail's other mark of a signature, data-smartmail, is read like its class."""
    raw = b"Content-Type: text/html\n\n<p>See you.</p><div data-smartmail='gmail_signature'>DC 4521</div>"
    assert [cut.reason for cut in extract(raw, Limits()).cuts] == [CutReason.SIGNATURE]


def test_postcode_line_in_a_signature():
    """A line with a postcode belongs to the signature it stands in."""
    raw = b"\nSee you in court.\n\nRegards\nTom\nDC 4521\n12 Mill Rise, Northvale NV1 1AA\n"
    assert [cut.text for cut in extract(raw, Limits()).cuts] == ["DC 4521\n12 Mill Rise, Northvale NV1 1AA"]


def test_only_marks_above_a_quote_are_no_words():
    """A line of dashes above a quote says nothing, so the quote is not taken out of sight."""
    raw = b"In-Reply-To: <a@b.example>\n\n...\n\n> Fancy a drink?\n"
    assert [(p.text, p.uncertain) for p in extract(raw, Limits()).passages] == [
        ("...", False),
        ("Fancy a drink?", True),
    ]


def test_byte_order_marks():
    """UTF-16 with a mark needs no label."""
    assert decoded(b"\n" + "lovely".encode("utf-16"), Limits())["body"] == "lovely"


def test_many_attributes():
    """Attributes past the bound are passed over; the words are read."""
    raw = b"Content-Type: text/html\n\n<p " + b" ".join(b"a%d=1" % n for n in range(100)) + b" hidden>lovely"
    assert decoded(raw, Limits())["body"] == "lovely"


def test_many_different_styles():
    """Past the bound on remembered tags the text is read all the same."""
    raw = (
        b"Content-Type: text/html\n\n"
        + b"".join(b"<p id=a%d>x</p>" % n for n in range(2_100))
        + b"<p hidden>y</p>"
    )
    authored = extract(raw, Limits())
    assert [(passage.text.count("x"), passage.hidden) for passage in authored.passages] == [
        (2_100, False),
        (0, True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "This email is confidential and I intended it for you alone.",
        "This email is about the trial on Monday.",
        "This email is confidential and intended for the addressee x",
        "The views expressed here are lovely, lovely, lovely, and so is your smile.",
    ],
)
def test_what_only_begins_like_a_disclaimer_stays(text):
    """A sentence in the first person, a kiss, or other words than a disclaimer's are the sender's own."""
    assert [passage.text for passage in extract(f"\n{text}\n".encode(), Limits()).passages] == [text]


def test_disclaimer_that_asks_to_contact_the_force():
    """ "Contact us" is disclaimer language, and a name in capitals may stand in it."""
    text = "***\nThe information in this e-mail is confidential. If received in error please contact us at Northvale Police.\n***"
    (cut,) = extract(f"\nNoted.\n\n{text}\n".encode(), Limits()).cuts
    assert cut.reason is CutReason.DISCLAIMER
    assert cut.text.startswith("The information")


def test_header_of_a_part_without_an_end():
    """A header block that runs into the next boundary ends there."""
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n--b\n\nYou looked lovely\n--b--\n"
    assert [text for text in decoded(raw, Limits()).values() if text] == ["You looked lovely"]


def test_dashes_in_a_header_that_delimit_nothing_end_it():
    """A line of dashes that is no boundary is no header field either."""
    assert reasons(b"Subject: x\n--lovely\n\nHello") == [("1", "malformed")]


def test_second_from_ends_a_header_block():
    """A block is not put together from two: the fields after a second From are not its own."""
    raw = b"\nFrom: Jo\nTo: Tom\nFrom: Pat\nSent: today\nHi Jo\n"
    assert extract(raw, Limits()).cuts == ()


def test_name_that_wrote_introduces_only_marked_lines():
    """ "Jo Bloggs wrote:" above unmarked text is a sentence, with reply headers too."""
    raw = b"In-Reply-To: <a@b.example>\n\nNoted.\n\nJo Bloggs wrote:\n\nYou looked lovely.\n"
    assert extract(raw, Limits()).cuts == ()


def test_attribution_longer_than_any_stays():
    """Lines that together are longer than any attribution are text, whatever they end in."""
    text = (
        "On Tue, 3 Mar 2026 at 10:14, "
        + "lovely " * 40
        + "\n"
        + "lovely " * 20
        + "Jo <jo@home.example> wrote:"
    )
    raw = f"In-Reply-To: <a@b.example>\n\n{text}\n> any news?\n".encode()
    assert extract(raw, Limits()).passages[0].text.startswith("On Tue")


def test_sealed_parts_say_their_media_type():
    """Secure mail and files nobody reads name the type by which policy may know them; what is read has none."""
    head = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the attached.\n"
    )
    parts = (
        b"--b\nContent-Type: Application/X-Microsoft-RPMSG-Message; name=message.rpmsg\n\n\x76\xe8\x04\x60\xc4\x11\n"
        b"--b\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIAGCSqGSIb3DQEHA6CA\n--b--\n"
    )
    found = extract(head + parts, Limits()).unreadable
    assert [(one.part, one.media) for one in found] == [
        ("2", "application/x-microsoft-rpmsg-message"),
        ("3", "application/pkcs7-mime"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "begin a walk with me",
        "endlessly thinking of you",
        "`You looked lovely",
        "begin 644 You looked lovely",
    ],
)
def test_words_in_the_frame_of_uuencode_are_named(line):
    """Who does not decode uuencode shows its first and last lines: words there are never passed over silently."""
    raw = f"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a.txt\n.4V5E('EO=2!-;VYD87D`\n{line}\nend\n".encode()
    assert reasons(raw) == [("body", "encoding")]
