"""What the second of two alternatives repeats is set aside, line by line; what it says beyond the first stays."""

import pytest

from gateway.extract import extract
from gateway.model import CutReason, Limits

PLAIN = [
    "Dear Jo,",
    "The file is with the prosecutors, and the",
    "hearing is on Friday. Your reference is 42/10231/26.",
    "----",
    "Please bring the form.",
    "Kind wishes",
]
ADVANCE = "Would you fancy a drink with me?"


def read(plain, html):
    raw = (
        "Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
        + "\n".join(plain)
        + "\n--b\nContent-Type: text/html\n\n"
        + "".join(f"<p>{line}</p>" for line in html)
        + "\n--b--\n"
    )
    authored = extract(raw.encode(), Limits())
    kept = [
        line
        for one in authored.passages
        if one.part == "2"
        for line in one.text.split("\n")
        if line.strip("-")
    ]
    repeated = "\n".join(
        one.text for one in authored.cuts if one.part == "2" and one.reason is CutReason.REPEATED
    )
    return kept, repeated


def html_of(plain):
    """Return the paragraphs of HTML: lines that were wrapped are one."""
    return [plain[0], f"{plain[1]} {plain[2]}", *plain[3:]]


def test_the_same_words_in_other_lines_are_repeated():
    """A mail program wraps the text and not the HTML."""
    assert read(PLAIN, html_of(PLAIN))[0] == []


@pytest.mark.parametrize("place", range(6))
def test_a_line_that_is_new_stays_alone(place):
    """Wherever a line stands that the plain text has not, it stays, and the lines around it do not."""
    html = html_of(PLAIN)
    html.insert(place, ADVANCE)
    kept, repeated = read(PLAIN, html)
    assert kept == [ADVANCE]
    assert "hearing is on Friday" in repeated
    assert "Please bring the form." in repeated


@pytest.mark.parametrize("place", range(5))
def test_a_line_that_is_left_out_changes_nothing(place):
    """What only the plain text says makes nothing of the HTML new."""
    html = html_of(PLAIN)
    del html[place]
    assert read(PLAIN, html)[0] == []


@pytest.mark.parametrize(
    ("plain", "html"),
    [
        (["You looked", "lovely to the jury, he said."], ["You looked lovely"]),
        (["I do not want you, he said, to fancy a drink."], ["fancy a drink."]),
        (["Please come alone to court."], ["Please come alone"]),
    ],
)
def test_a_piece_of_a_sentence_is_no_repetition(plain, html):
    """Words taken out of a sentence say something else: they stay, from the first line on."""
    assert read(plain, html)[0] == html
    assert read(["Dear Jo,", *plain], ["Dear Jo,", *html])[0] == html


def test_words_said_once_are_repeated_once():
    """The second time they are new: the order counts, and a reader of the HTML sees them twice."""
    assert read(["Call me.", "Kind wishes"], ["Call me.", "Kind wishes", ADVANCE, ADVANCE])[0] == [
        ADVANCE,
        ADVANCE,
    ]
