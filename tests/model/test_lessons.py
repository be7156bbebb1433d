"""What the encoder is taught: the lessons made of labelled text, before any arithmetic. Needs no torch."""

from random import Random

import numpy as np
import pytest
from model import small_model

from gateway.inspection.encoder import CATEGORIES
from gateway.inspection.wordpiece import Vocabulary
from gateway.training.labelled import Sentence, Text
from gateway.training.network import truths
from gateway.training.train import (
    Course,
    Recipe,
    Weighted,
    _lessons,
    _pace,
    _part,
    _shallower,
    _steps,
    digest_of,
    lessons_of,
)

VOCABULARY = Vocabulary(small_model.PIECES)


def sentence(words, marked="", category=0):
    """A sentence with the words ``marked`` in one category."""
    start = words.index(marked) if marked else 0
    marks = [0] * len(words)
    for at in range(start, start + len(marked)):
        marks[at] = 1 << category
    return Sentence(words, tuple(marks))


def text(number, *sentences, kind="body", batch="b1"):
    """A text of sentences."""
    return Text(f"t-{number}", batch, kind, sentences)


PROPER = text(
    1, sentence("Thank you for the statement."), sentence("We will call you on Monday."), sentence("Regards")
)
CROSSING = text(
    2, sentence("Please sign it, you looked lovely today.", "you looked lovely", 2), sentence("Call us.")
)
PASSAGE = text(3, sentence("Fancy a drink with me?", "Fancy a drink", 0), kind="passage", batch="b2")
QUIET = Recipe(slips=0.0, transplanted=0.0)


def test_a_lesson_holds_the_label_of_each_unit_and_the_marks_of_each_piece():
    """The sentence crosses in its category; the pieces that do are those of the marked words."""
    (lesson,) = lessons_of([Weighted(one, 1.0) for one in CROSSING.sentences], VOCABULARY)
    assert lesson.labels == (1 << 2, 0)
    pieces = VOCABULARY.pieces(CROSSING.sentences[0].text)
    words = CROSSING.sentences[0].text
    marked = [
        words[piece.start : piece.end] for piece, mark in zip(pieces, lesson.marks[0], strict=True) if mark
    ]
    assert "".join(marked) == "youlookedlovely"


def test_truths_are_the_categories_and_that_there_is_any():
    """One number a category, and the last for a crossing of any kind."""
    assert truths(0) == [0.0] * (len(CATEGORIES) + 1)
    assert truths(1 << 16) == [*[0.0] * 16, 1.0, 1.0]


def test_rare_categories_count_more_and_within_bounds():
    """A category that is true of one sentence in six outweighs by the root of five; what is never true, by eight."""
    balance = Course((PROPER, CROSSING, PASSAGE)).balance()
    assert balance[0] == balance[2] == pytest.approx(5**0.5)
    assert balance[-1] == pytest.approx(2**0.5)
    assert balance[5] <= 8


def test_hard_sentences_count_more():
    """What an unseen model got wrong has the weight of the recipe, and only that sentence."""
    course = Course((PROPER, CROSSING), {("t-1", "body", 1): 3.0})
    found = [lesson.weights for lesson in _lessons(course, VOCABULARY, QUIET, Random(1))]
    assert sorted(weight for weights in found for weight in weights) == [1.0, 1.0, 1.0, 1.0, 3.0]


def test_passages_are_set_into_proper_mail():
    """A passage is read alone or among proper sentences; its own stay marked, the others stay proper."""
    course = Course((PROPER, CROSSING, PASSAGE))
    recipe = Recipe(slips=0.0, transplanted=1.0)
    lessons = list(_lessons(course, VOCABULARY, recipe, Random(5)))
    (set_in,) = [lesson for lesson in lessons if 1 in lesson.labels]
    assert len(set_in.labels) > 1
    assert sum(map(bool, set_in.labels)) == 1


def test_marked_sentences_are_never_left_out():
    """Dropping neighbours varies what stands around a crossing, never the crossing."""
    for seed in range(30):
        lessons = _lessons(Course((CROSSING,)), VOCABULARY, QUIET, Random(seed))
        assert 1 << 2 in [label for lesson in lessons for label in lesson.labels]


def test_lessons_come_out_the_same_again():
    """The same seed gives the same noise, the same order and the same neighbours."""
    course = Course((PROPER, CROSSING, PASSAGE))
    one, other = ([*_lessons(course, VOCABULARY, Recipe(), Random(4))] for _ in range(2))
    assert one == other
    assert _steps(one, Recipe(windows_a_step=1), Random(2)) == _steps(
        other, Recipe(windows_a_step=1), Random(2)
    )


def test_every_lesson_is_in_one_step():
    """Sorting by length loses none."""
    lessons = [*_lessons(Course((PROPER, CROSSING, PASSAGE) * 9), VOCABULARY, QUIET, Random(1))]
    steps = _steps(list(lessons), Recipe(windows_a_step=4), Random(1))
    assert sorted(map(hash, map(str, lessons))) == sorted(hash(str(one)) for step in steps for one in step)
    assert all(len(step) <= 4 for step in steps)


def test_a_share_of_the_corpus_has_both_labels():
    """CI learns from a twentieth: without both labels it would learn nothing."""
    texts = (*tuple(text(number, sentence("Thank you")) for number in range(97)), CROSSING, PASSAGE)
    part = _part(texts, Recipe(fraction=0.05))
    assert {one.crosses for one in part} == {True, False}
    assert len(part) == 5
    assert _part(texts, Recipe()) == texts
    assert _part(texts, Recipe(fraction=0.05)) == part


def test_the_rate_rises_and_falls_to_nothing():
    """Up over a tenth of the steps, then down; never negative."""
    rates = [_pace(step, 100) for step in range(100)]
    assert rates[9] == max(rates) == 1.0
    assert rates[0] < rates[5] > rates[60] > rates[99] >= 0
    assert _pace(0, 1) == 1.0


def test_upper_layers_are_left_out():
    """A shallower model keeps the lowest layers and everything that is no layer."""
    kept = _shallower(small_model.weights(layers=3), 2)
    assert {name.split(".")[2] for name in kept if name.startswith("encoder.layer.")} == {"0", "1"}
    assert "embeddings.word_embeddings.weight" in kept
    assert np.array_equal(kept["head.bias"], small_model.weights(layers=3)["head.bias"])


def test_the_digest_changes_with_a_word_and_with_a_mark():
    """The manifest names what was learnt from, labels included."""
    same = digest_of((PROPER, CROSSING))
    assert same == digest_of((PROPER, CROSSING))
    moved = text(
        2, sentence("Please sign it, you looked lovely today.", "you looked", 2), sentence("Call us.")
    )
    assert len({same, digest_of((PROPER, moved)), digest_of((CROSSING, PROPER)), digest_of((PROPER,))}) == 4
