"""The shadow text: folding, sentences, and the way back to the sender's own characters."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inspection.shadow import MAX_SENTENCE, fold, lines_of, shadow_of


def sentences(text):
    shadow = shadow_of(text)
    return [shadow.sentence(number) for number in range(len(shadow.starts))]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("You\u2019re \u201cnice\u201d", 'You\'re "nice"'),
        ("dri\u200bnk", "drink"),
        ("dr\u00adink", "drink"),
        ("caf\u00e9", "cafe"),
        ("cafe\u0301", "cafe"),
        ("\uff44\uff52\uff49\uff4e\uff4b", "drink"),
        ("d\u0336r\u0336i\u0336n\u0336k\u0336", "drink"),
        ("a\u00a0 \t\r\n b", "a b"),
        ("2 \u2013 3", "2 - 3"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d"),
        ("\u2764\ufe0f", "\u2764"),
        ("a\x00b\x07", "ab"),
        ("`x`", "'x'"),
    ],
)
def test_folding(written, folded):
    """What looks the same to a reader is the same to a rule."""
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi Jo. Fancy a drink?", ["Hi Jo.", "Fancy a drink?"]),
        ("thanks for coming in. fancy a drink", ["thanks for coming in.", "fancy a drink"]),
        ("Hi Jo,\nyour statement is ready", ["Hi Jo,", "your statement is ready"]),
        ("Would you like\nto go for a drink", ["Would you like to go for a drink"]),
        ("Statement on Tuesday\nFancy a drink", ["Statement on Tuesday", "Fancy a drink"]),
        (
            "This line was broken by a mail client because it had become full, and\nHolt signs it.",
            ["This line was broken by a mail client because it had become full, and Holt signs it."],
        ),
        ("one\n\ntwo", ["one", "two"]),
        ("bring\n- your phone\n- your charger", ["bring", "- your phone", "- your charger"]),
        ("see\n1) this\n2) that", ["see", "1) this", "2) that"]),
        ("Ask Mr. Holt or Dr. Reed, e.g. on Mon. at 9 a.m. by the desk.", None),
        ("Room (no. 4) with Amy K. Reed, at 3pm. sharp, ext. 12, St. Mark's.", None),
        ("It was over by 3pm. Then we left.", ["It was over by 3pm.", "Then we left."]),
        (
            "She came on Tues. Nothing else. It was fig. 4.",
            ["She came on Tues.", "Nothing else.", "It was fig. 4."],
        ),
        ("A casino. A cafe. It was unfair. Best.", ["A casino.", "A cafe.", "It was unfair.", "Best."]),
        ('He wrote "hello." Then left.', ['He wrote "hello."', "Then left."]),
        ("Really?! Yes\u2026 ok", ["Really?!", "Yes...", "ok"]),
        ("", []),
        (" \r\n\t\n", []),
        ("\u200b\u200b", []),
        ("a\r\nb", ["a b"]),
    ],
)
def test_sentences(text, expected):
    """Sentences end where a reader ends them, with or without full stops, capitals and whole lines."""
    assert sentences(text) == (expected if expected is not None else [text])


def test_long_sentence_is_cut():
    """A sentence without end is cut at white space, so that its parse is bounded."""
    words = "word " * 1000
    found = sentences(words)
    assert all(len(sentence) <= MAX_SENTENCE for sentence in found)
    assert " ".join(found).split() == words.split()


def test_unbroken_run_is_cut():
    """A run without white space is cut too, and nothing of it is lost."""
    assert "".join(sentences("x" * 3500)) == "x" * 3500


def test_sign_off_lines():
    """The sign-off is the last lines that say anything, each on its own."""
    shadow = lines_of("one\ntwo\n\nthree\n \nfour x\nsam\n", 3)
    assert shadow.text.split("\n") == ["three", "four x", "sam"]
    assert shadow.source[slice(*shadow.origin(6, 12))] == "four x"


texts = st.text(
    st.one_of(
        st.sampled_from(
            "aZ .,?!\n\r\t\"'`-\u2019\u201c\u200b\u00ad\u00e9e\u0301\u2026\u00a0\ufb01\U0001f44d\U0001f3fd"
        ),
        st.characters(),
    ),
    max_size=300,
)


@given(texts)
def test_every_word_is_in_a_sentence(text):
    """No word is lost between sentences: joined and folded they are the folded text."""
    assert fold(" ".join(sentences(text))).replace(" ", "") == fold(text).replace(" ", "")


@given(texts)
def test_spans_are_in_order_and_disjoint(text):
    """Sentences follow each other in the source and none overlaps another."""
    spans = shadow_of(text).spans
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(texts, st.data())
def test_the_way_back(text, data):
    """What stands at a place of the shadow came from the place that `origin` gives: folding it gives it again."""
    shadow = shadow_of(text)
    if not shadow.starts:
        return
    number = data.draw(st.integers(0, len(shadow.starts) - 1))
    first, last = shadow.starts[number], shadow.end(number)
    start = data.draw(st.integers(first, last - 1))
    end = data.draw(st.integers(start + 1, last))
    begin, stop = shadow.origin(start, end)
    span = shadow.spans[number]
    assert span[0] <= begin < stop <= span[1]
    assert shadow.text[start:end].strip() in fold(text[begin:stop])


@given(texts)
def test_no_sentence_holds_a_line_feed(text):
    """Line feeds part sentences in the shadow, so they never stand inside one."""
    shadow = shadow_of(text)
    assert shadow.text.count("\n") == max(len(shadow.starts) - 1, 0)
