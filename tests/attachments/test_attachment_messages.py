"""Attachments as parts of a message: where their words are found, whose they are, and what policy makes of the rest."""

import base64
from pathlib import Path

import pytest
import yaml
from attachment_files import (
    compound,
    docx,
    locked_zip,
    mapi_properties,
    msg,
    paragraph,
    png,
    signed,
    stored_rtf,
    tnef,
    zipped,
)

from gateway.extract import decoded, extract
from gateway.model import CutReason, Limits, PassageKind


def message(data, name, media="application/octet-stream"):
    body = base64.encodebytes(data)
    return (
        b"From: sam@force.example\nTo: jo@home.example\nSubject: Your case\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nDear Jo, please see attached.\n--b\n"
        b"Content-Type: %s\nContent-Disposition: attachment; filename=%s\nContent-Transfer-Encoding: base64\n\n%s--b--\n"
        % (media.encode(), name.encode(), body)
    )


def test_words_of_a_document_are_a_passage_of_its_part():
    """The text of a file has the number of its part; places inside it follow a mark; offsets count in that text."""
    data = docx(paragraph("You looked lovely"), **{"docProps/core.xml": "<p><title>The title</title></p>"})
    raw = message(data, "letter.docx")
    authored, texts = extract(raw, Limits()), decoded(raw, Limits())
    found = {passage.part: passage for passage in authored.passages}
    assert found["2"].text == "You looked lovely"
    assert found["2"].kind is PassageKind.ATTACHMENT
    assert found["2!docProps/core.xml:title"].hidden
    assert all(texts[p.part][p.start : p.end] == p.text for p in authored.passages)
    assert authored.unreadable == ()


def test_mail_in_an_archive_is_forwarded():
    """A mail that is passed on in an archive is somebody else's words."""
    mail = b"From: jo@home.example\r\nTo: sam@force.example\r\nSubject: Hi\r\n\r\nYou looked lovely\r\n"
    authored = extract(message(zipped({"a.eml": mail}), "a.zip"), Limits())
    (cut,) = [cut for cut in authored.cuts if "lovely" in cut.text]
    assert (cut.reason, cut.speaker) == (CutReason.FORWARDED, "jo@home.example")


def test_outlook_message_is_forwarded_and_a_draft_is_not():
    """What was sent is somebody's, what was not sent yet is written by who passes it on."""
    texts = {0x0037: "Hi", 0x0C1A: "Jo", 0x5D01: "jo@home.example", 0x1000: "You looked lovely"}
    sent = extract(message(compound(msg(texts)), "a.msg"), Limits())
    draft = extract(message(compound(msg(texts, flags=8)), "a.msg"), Limits())
    assert [cut.speaker for cut in sent.cuts if "lovely" in cut.text] == ["jo@home.example"]
    assert [passage.kind for passage in draft.passages if "lovely" in passage.text] == [PassageKind.BODY]
    assert [passage.text for passage in draft.passages if passage.kind is PassageKind.SUBJECT] == [
        "Your case",
        "Hi",
    ]


def test_quote_in_winmail_is_cut():
    """The body in winmail.dat is the sender's mail: their words count, what they quote does not."""
    body = "Thank you.\r\n\r\nOn 3 March 2026 at 10:14, Jo Bloggs <jo@home.example> wrote:\r\n> You looked lovely\r\n"
    data = tnef(
        (0x069003, mapi_properties((0x1000, 0x1E, body.encode()), (0x1042, 0x1E, b"<a@home.example>")))
    )
    raw = message(data, "winmail.dat", "application/ms-tnef").replace(
        b"Subject:", b"In-Reply-To: <a@home.example>\nSubject:"
    )
    authored = extract(raw, Limits())
    assert any("Thank you." in passage.text for passage in authored.passages)
    assert [cut.reason for cut in authored.cuts if "lovely" in cut.text] == [CutReason.QUOTED]


def test_rich_body_in_winmail_is_read():
    """A body that only winmail.dat has is read."""
    data = tnef((0x069003, mapi_properties((0x1009, 0x102, stored_rtf(r"{\rtf1 You looked lovely}")))))
    assert any("lovely" in p.text for p in extract(message(data, "winmail.dat"), Limits()).passages)


def test_signed_mail_is_read_as_the_senders():
    """An opaque S/MIME signature hides nothing: its content is the mail."""
    raw = (
        b"From: sam@force.example\nSubject: x\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n"
        b"Content-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(signed(b"Content-Type: text/plain\r\n\r\nYou looked lovely\r\n"))
    )
    authored = extract(raw, Limits())
    assert [p.text for p in authored.passages if p.kind is PassageKind.BODY] == ["You looked lovely"]
    assert authored.unreadable == ()


def test_one_allowance_for_all_attachments():
    """Ten attachments may not cost ten times what one may."""
    one = message(zipped({"a.txt": b"x" * 400_000}), "a.zip")
    part = one[one.index(b"--b\nContent-Type: app") : one.rindex(b"--b--")]
    raw = one.replace(part, part * 5)
    reasons = [str(entry.reason) for entry in extract(raw, Limits(max_attachment_bytes=1_048_576)).unreadable]
    assert reasons == ["size"] * 3


@pytest.mark.parametrize(
    ("data", "name", "effect"),
    [
        (docx(paragraph("Dear Jo, the hearing is on Tuesday.")), "letter.docx", None),
        (png(120, 60), "crest.png", "none"),
        (png(800, 600), "photo.png", "flag"),
        (locked_zip("a.txt"), "a.zip", "hold"),
        (docx("", **{"word/vbaProject.bin": b"x"}), "a.docm", "hold"),
        (b"ID3\x04\x00 sound\xff\xfe", "voice.mp3", "hold"),
        (b"\x00\x01\x02\xff" * 50, "unknown.xyz", "hold"),
        (docx(paragraph("x")), "photo.jpg", "flag"),
    ],
    ids=["clean letter", "crest", "photograph", "password", "macros", "sound", "unknown", "wrong name"],
)
def test_shipped_policy(data, name, effect):
    """An ordinary letter asks for nothing, a picture to be looked at, what nobody could read to be held."""
    policy = yaml.safe_load(Path(__file__, "../../../rules/policy.yaml").resolve().read_text())["unreadable"]
    effects = [policy[str(entry.reason)] for entry in extract(message(data, name), Limits()).unreadable]
    assert effects == ([] if effect is None else [effect])
