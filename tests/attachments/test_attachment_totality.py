"""Whatever the octets, reading a file ends, raises nothing and says nothing that cannot be sent on."""

import pytest
from attachment_files import (
    compound,
    docx,
    excel97,
    mapi_properties,
    msg,
    odt,
    paragraph,
    pdf,
    png,
    powerpoint97,
    property_set,
    shown,
    signed,
    stored_rtf,
    tarred,
    tnef,
    word97,
    xlsx,
    zipped,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.extract import attachments
from gateway.model import Limits

SEEDS = {
    "docx": docx(paragraph("You looked lovely", "<w:vanish/>")),
    "xlsx": xlsx({"A": ("visible", '<row><c t="s"><v>0</v></c></row>')}, ["lovely"]),
    "odt": odt("<text:p>lovely</text:p>"),
    "pdf": pdf(
        shown("lovely"), page="/Annots[100 0 R]", objects=(b"<</Subtype/Text/Rect[0 0 1 1]/Contents(x)>>",)
    ),
    "rtf": rb"{\rtf1\ansi{\fonttbl{\f1\fcharset204 A;}}{\info{\title x}}\f1 You {\v a}\u233 ?\'e9{\pict 89504e47}{\*\objdata 0105}}",
    "doc": compound(word97("lovely") | {"\x05SummaryInformation": property_set(title="x")}),
    "xls": compound(excel97("lovely", "x")),
    "ppt": compound(powerpoint97("lovely")),
    "msg": compound(msg({0x0037: "Hi", 0x1000: "lovely"}, _1009=stored_rtf(r"{\rtf1\fromhtml1 x}"))),
    "tnef": tnef(
        (0x069003, mapi_properties((0x1000, 0x1E, b"lovely"), (0x1009, 0x102, stored_rtf("{x}")))),
        (0x069002, b""),
    ),
    "zip": zipped({"a.txt": b"x", "b.zip": zipped({"c.txt": b"y"})}),
    "tar": tarred({"a": b"x"}),
    "png": png(9, 9, "x"),
    "jpeg": b"\xff\xd8\xff\xe1\x00\x20Exif\0\0II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0\x04\0\0\0abc\0\xff\xda\0\2",
    "cms": signed(b"Content-Type: text/plain\r\n\r\nlovely"),
    "vcard": b"BEGIN:VCARD\nNOTE;ENCODING=QUOTED-PRINTABLE:lov=\nely\nEND:VCARD\n",
    "svg": b"<svg><text>lovely</text></svg>",
    "text": b"lovely",
}
SMALL = Limits(max_attachment_bytes=2_000_000, max_attachment_steps=20_000, max_decoded_chars=20_000)


def check(data, name=""):
    found = attachments.read(data, "", name, SMALL)
    assert len({piece.path for piece in found.pieces}) == len(found.pieces)
    for piece in found.pieces:
        piece.text.encode()
        assert piece.path.isprintable()
    for one in found.unreadable:
        assert one.path.isprintable()
        assert one.detail.isprintable()
    return found


@pytest.mark.parametrize("kind", SEEDS)
def test_every_beginning_of_a_file(kind):
    """A file that breaks off anywhere is read as far as it goes."""
    data = SEEDS[kind]
    for end in range(0, len(data), max(len(data) // 60, 1)):
        check(data[:end])


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(
            st.floats(0, 1), st.sampled_from(["set", "cut", "double", "insert"]), st.binary(max_size=8)
        ),
        max_size=6,
    )
)
def test_files_that_were_damaged(kind, changes):
    """Octets that are changed, lost, doubled or put in do no harm."""
    data = bytearray(SEEDS[kind])
    for where, how, octets in changes:
        place = int(where * len(data))
        if how == "set":
            data[place : place + len(octets)] = octets
        elif how == "cut":
            del data[place : place + 16]
        elif how == "double":
            data[place:place] = data[place : place + 64]
        else:
            data[place:place] = octets
    check(bytes(data))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(SEEDS)), st.binary(max_size=200), st.text(max_size=20))
@example("docx", b"", "\ud800.doc")
def test_any_octets_behind_a_beginning(kind, octets, name):
    """A known beginning with anything behind it does no harm, whatever the file is called."""
    check(SEEDS[kind][:16] + octets, name)


def test_allowance_is_shared_by_all_attachments_of_a_message():
    """Many files that are each within the limits are not read beyond what one message may cost."""
    limits = Limits(max_attachment_bytes=1_048_576)
    allowance = attachments.Allowance(limits)
    data = zipped({"a.txt": b"x" * 600_000})
    first = attachments.read(data, "", "a.zip", limits, allowance)
    second = attachments.read(data, "", "b.zip", limits, allowance)
    assert [str(one.reason) for one in first.unreadable] == []
    assert [str(one.reason) for one in second.unreadable] == ["size"]
