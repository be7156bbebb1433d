"""What the very words of a sentence add: terms, their places, the table, its fit, and how loud it speaks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model import small_model

from gateway.inspection.encoder import Encoder
from gateway.inspection.wording import SILENT, SLOTS, Wording, octets_of, places
from gateway.training.labelled import Sentence, Text
from gateway.training.wordings import calibrated, fitted

CROSSING = ("Keep Friday free for me.", "Keep this between us.", "Keep that smile for me.")
PROPER = ("The hearing is on Friday.", "The file is with the CPS.", "The letter is in the post.")


def text_of(*sentences, crossing=False):
    return Text(
        "m1", "w01", "body", tuple(Sentence(words, (int(crossing),) * len(words)) for words in sentences)
    )


TAUGHT = (text_of(*CROSSING, crossing=True), text_of(*PROPER))


def test_terms_are_words_and_the_runs_of_two_and_three():
    """Three words have six terms, and case and full stops make none."""
    slots, signs = places("Keep Friday free.")
    assert len(slots) == len(signs) == 6
    assert places("keep friday free") == (slots, signs)
    assert places("keep friday free?") != (slots, signs)


def test_a_term_said_twice_counts_once():
    """Who repeats a word does not drown the others."""
    assert places("no no no no no no") == places("no no no")


@given(st.text(max_size=300))
def test_every_place_is_in_the_table_and_no_text_is_too_odd(text):
    """Whatever is written has a finite score."""
    slots, signs = places(text)
    assert all(0 <= slot < SLOTS for slot in slots)
    assert set(signs) <= {1, -1}
    draw = np.random.default_rng(7).normal(size=SLOTS)
    assert math.isfinite(Wording(octets_of(draw, 0.5)).score(text))


def test_a_run_of_words_without_end_is_bounded():
    """A file in one sentence costs what four hundred words cost."""
    assert places("word " * 400) == places("word " * 100_000)
    assert len(places(" ".join(map(str, range(10_000))))[0]) < 1_200


def test_a_silent_table_adds_nothing():
    """So does a sentence without words, but for what every sentence gets."""
    assert Wording(SILENT).score("Keep Friday free.") == 0
    assert Wording(octets_of(np.ones(SLOTS), -0.25)).score(" ... ") == -0.25


def test_the_table_learns_whose_words_they_are():
    """Words of crossings speak for one, words of proper mail against it, also in sentences that were not learnt."""
    table = fitted(TAUGHT, seed=1)
    assert table == fitted(TAUGHT, seed=1)
    wording = Wording(table)
    assert wording.score("Keep Sunday for me.") > wording.score("The hearing is on Monday.")
    assert min(map(wording.score, CROSSING)) > max(map(wording.score, PROPER))


def test_one_class_alone_teaches_nothing():
    """Without a crossing there is nothing to tell from."""
    assert fitted(TAUGHT[1:], seed=1) == SILENT
    assert fitted(TAUGHT[:1], seed=1) == SILENT


def test_it_moves_every_probability_of_a_sentence(tmp_path):
    """What the words add is added to each category and to the crossing, in log-odds, before the temperature."""
    plain = Encoder(small_model.write(tmp_path / "plain"))
    added = Encoder(small_model.write(tmp_path / "added", wordings=octets_of(np.zeros(SLOTS), 1.5)))
    (before,), (after,) = plain.read(CROSSING[:1]), added.read(CROSSING[:1])

    def odds(probability):
        return math.log(probability / (1 - probability))

    for one, other in zip(
        (*before.categories, before.crossing), (*after.categories, after.crossing), strict=True
    ):
        assert odds(other) - odds(one) == pytest.approx(1.5, abs=1e-3)


def test_both_voices_are_weighed_on_dev(tmp_path):
    """A wording that tells what the encoder does not is heard; never louder than the encoder, and within bounds."""
    model = Encoder(small_model.write(tmp_path))
    found = calibrated(model, fitted(TAUGHT, seed=1), TAUGHT * 4)
    assert 0 <= found.share <= 1
    assert 0.3 <= found.temperature <= 3
    assert len(found.table) == len(SILENT)


def test_without_crossings_on_dev_nothing_is_calibrated(tmp_path):
    """A dev split of one class says nothing about how loud a voice may be."""
    model = Encoder(small_model.write(tmp_path))
    found = calibrated(model, fitted(TAUGHT, seed=1), TAUGHT[1:])
    assert (found.table, found.temperature, found.share) == (SILENT, 1.0, 0.0)
