"""A message of more lines than anybody writes is read up to a bound, and that it is not read whole is said."""

import pytest

from gateway.extract import decoded, extract
from gateway.model import Limits, UnreadableReason

FEW = Limits(max_lines=10)


def _mail(media, body):
    return b"Subject: Your case\nContent-Type: %s\n\n" % media + body


@pytest.mark.parametrize(
    ("media", "body"),
    [
        (b"text/plain", b"The file is with the prosecutors.\n" * 9),
        (b"text/html", b"<p>The file is with the prosecutors.</p>" * 9),
    ],
)
def test_as_many_lines_as_allowed_are_read(media, body):
    """The subject and nine lines are ten, and nothing is named."""
    authored = extract(_mail(media, body), FEW)
    assert not authored.unreadable
    assert sum(one.text.count("prosecutors") for one in authored.passages) == 9


@pytest.mark.parametrize(
    ("media", "line"),
    [
        (b"text/plain", b"Line %d of it.\n"),
        (b"text/html", b"<p>Line %d of it.</p>"),
        (b"text/csv", b"Line %d of it.\n"),
    ],
)
def test_lines_past_the_bound_are_left_out_and_named(media, line):
    """Whatever they stand in, lines past the bound are no passage, and the part is named: policy holds it."""
    raw = _mail(media, b"".join(line % number for number in range(30)))
    authored, texts = extract(raw, FEW), decoded(raw, FEW)
    said = "\n".join(one.text for one in authored.passages if one.part != "subject")
    assert "Line 8 of it." in said
    assert "Line 9 of it." not in said
    assert [one.reason for one in authored.unreadable] == [UnreadableReason.SIZE]
    assert "more than 10 lines" in authored.unreadable[0].detail
    for one in authored.passages:
        assert texts[one.part][one.start : one.end] == one.text == one.text.strip()


def test_parts_past_the_bound_are_each_named():
    """A second part of which nothing is left is named too, and one with room enough is not."""
    parts = b"".join(b"--b\nContent-Type: text/plain\n\n" + b"Line of it.\n" * lines for lines in (3, 20, 5))
    authored = extract(b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n", FEW)
    assert [one.part for one in authored.unreadable] == ["2", "3"]
    assert {one.part for one in authored.passages} == {"subject", "body", "2"}
