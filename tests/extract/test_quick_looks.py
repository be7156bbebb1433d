"""Quick looks before dear ones: what is passed over at once must be what the dear look would not have found either."""

import random
import re
from pathlib import Path

import pytest

from gateway.extract import decoding, flow, introductions, language
from gateway.inspection import earlier, shadow

_TESTS = Path(__file__).resolve().parents[1]
_PIECES = (
    *"aZéſK. :>\"'!?|-\t\n\r\f\0\x1b",
    "  ",
    "wrote:",
    "On Mon, Ann wrote:",
    "Mr.",
    "e.g.",
    "10am.",
    "14.30.",
    "\u2019s",
)
"""What the looks turn on, and a little beside it."""


def _texts():
    for file in sorted(_TESTS.rglob("*.eml")):
        yield file.read_bytes().decode("utf-8", "replace")
    dice = random.Random("quick looks")
    for _ in range(2_000):
        yield "".join(dice.choice(_PIECES) for _ in range(dice.randrange(1, 12)))


@pytest.fixture(scope="module")
def lines():
    return list(dict.fromkeys(line for text in _texts() for line in (text, *text.split("\n"))))


def test_words_in_ascii_are_the_words_of_any_alphabet(lines):
    """The pattern for ASCII finds what the one for every alphabet finds."""
    for line in (line.lower() for line in lines if line.isascii()):
        assert language._ASCII_WORD.findall(line) == language._WORD.findall(line)


def test_text_is_left_as_it_stands_only_where_collapsing_changes_nothing(lines):
    """What the look passes over has no white space to collapse."""
    for line in lines:
        assert (flow._ODD_SPACE.search(line) is not None) is (flow._SPACE.sub(" ", line) != line)


def test_ascii_is_read_as_it_stands_only_without_what_is_read_otherwise(lines):
    """A carriage return, a NUL and an escape are each seen."""
    for line in lines:
        data = line.encode()
        assert (decoding._ODD.search(data) is not None) is any(odd in data for odd in (b"\r", b"\0", b"\x1b"))


def test_a_line_that_cannot_end_an_attribution_is_told_by_its_last_character(lines):
    """What the last character rules out, the searches would not have found."""
    for line in lines:
        text = introductions._undashed(line)
        found = (
            introductions._ENDS.search(text)
            or introductions._QUOTING.match(text)
            or (" by " in text and introductions._DATE_FIRST.match(text))
        )
        assert introductions.ends_attribution(line) is bool(found)


def test_sentences_end_where_a_run_of_stops_does(lines):
    """The quicker pattern ends sentences at the same places."""
    stops = re.compile(r"(?:[.!?\u2026\u3002\uff01\uff1f]+[\"'\u2019\u201d)\]]*)(?=\s)")
    for line in lines:
        assert [each.span() for each in shadow._STOP.finditer(line)] == [
            each.span() for each in stops.finditer(line)
        ]


def test_lines_that_were_sent_end_at_stops_and_blank_lines(lines):
    """The quicker pattern ends kept lines at the same places."""
    ends = re.compile(r"[.!?]+(?=\s)|\n[ \t>|]*\n")
    for line in lines:
        assert [each.span() for each in earlier._END.finditer(line)] == [
            each.span() for each in ends.finditer(line)
        ]


def test_what_stands_before_a_full_stop_and_is_no_letter_ends_no_abbreviation(lines):
    """The early answer is the answer of the whole look."""
    for line in lines:
        for stop in shadow._STOP.finditer(line):
            words = line[max(0, stop.end() - 12) : stop.end()]
            known = shadow._TITLE.search(words) or shadow._ABBREVIATION.search(words)
            assert line[stop.end() - 2 : stop.end() - 1].isalpha() or not known


def test_a_line_that_was_sent_is_known_again_behind_marks_of_a_quote():
    """Marks of a quote, of any depth, do not change a kept line."""
    sent = "We will write to you by Friday. The court\nwill let you know the date in good time.\n"
    quoted = "> We will write to you by Friday. The court\n> > | will let you know the date in good time.\n"
    digests = [digest for *_, digest in earlier._lines(sent)]
    assert len(digests) == 2
    assert [digest for *_, digest in earlier._lines(quoted)] == digests
