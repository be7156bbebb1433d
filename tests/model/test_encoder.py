"""The encoder's run time: windows, readings, memory, explanation, and what it refuses to load."""

import os
import shutil
import subprocess
import sys
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model import small_model

from gateway.errors import Mistakes
from gateway.inspection import encoder
from gateway.inspection.encoder import CATEGORIES, Encoder, clauses_of, pooled, windows
from gateway.inspection.wordpiece import Vocabulary

VOCABULARY = Vocabulary(small_model.PIECES)
TEXT = (
    "Thank you for the statement on Monday.",
    "You looked lovely, and I would like to take you for a drink.",
    "Please let us know.",
    "We will call you with an update at the station.",
    "Call me at home, not at work.",
)
SENTENCES = st.lists(
    st.text(max_size=40) | st.sampled_from([*TEXT, "a" * 300, ", ".join(TEXT * 4)]), max_size=30
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a small model in it."""
    return small_model.write(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(folder):
    """The small model, loaded."""
    return Encoder(folder)


@settings(deadline=None)
@given(sentences=SENTENCES)
def test_every_piece_is_judged_exactly_once_and_windows_fit(sentences):
    """No word of a long mail is left out, and no window is longer than the model was trained with."""
    judged = [[] for _ in sentences]
    for window in windows(sentences, VOCABULARY):
        assert len(window.numbers) <= encoder.MAX_PIECES
        for unit, (begin, end) in zip(window.units, window.spans, strict=True):
            judged[unit.sentence] += unit.pieces
            assert window.numbers[begin:end] == tuple(piece.number for piece in unit.pieces)
    assert [tuple(pieces) for pieces in judged] == [VOCABULARY.pieces(text) for text in sentences]


def test_a_window_is_read_with_the_sentences_beside_it():
    """A sentence at the edge of a window has its neighbours as context."""
    sentences = ["you can call me at work"] * 60
    found = list(windows(sentences, VOCABULARY))
    assert len(found) > 2
    for window in found[1:-1]:
        assert window.starts[0] > 1
        assert window.spans[-1][1] < len(window.numbers) - 1


@settings(deadline=None, max_examples=25)
@given(sentences=SENTENCES)
def test_any_text_gives_one_reading_a_sentence(model, sentences):
    """Odd text never raises; probabilities are probabilities, words lie in the sentence."""
    readings = model.read(sentences)
    assert len(readings) == len(sentences)
    for text, reading in zip(sentences, readings, strict=True):
        assert len(reading.categories) == len(CATEGORIES)
        assert all(0 <= one <= 1 for one in (*reading.categories, reading.crossing))
        assert 0 <= reading.words[0] <= reading.words[1] <= len(text)
        assert reading.proper == 1 - reading.crossing


def test_a_sentence_without_words_is_proper(model):
    """Nothing was said, so nothing crosses."""
    assert model.read(["", " "]) == model.read([" ", ""])
    assert model.read([""])[0].crossing == 0


def test_the_numbers_do_not_depend_on_what_was_read_before(folder):
    """Equal text, equal numbers, to the last bit: with a cold memory, a warm one and one too small for anything."""
    cold = Encoder(folder).read(TEXT)
    warm = Encoder(folder)
    for start in range(len(TEXT)):
        warm.read(TEXT[start:])
    crowded = Encoder(folder, kept=1)
    crowded.read(TEXT * 9)
    assert cold == warm.read(TEXT) == warm.read(TEXT) == crowded.read(TEXT)


def test_what_is_remembered_is_bounded_and_holds_no_words(folder):
    """Windows are kept by hash, at most as many as were allowed."""
    model = Encoder(folder, kept=3)
    for number in range(10):
        model.read([f"you looked lovely {number}"])
    assert len(model._kept) == 3
    assert all(isinstance(key, bytes) and len(key) == 16 for key in model._kept)
    for room in (2, 0):
        model.remember(room)
        model.read(TEXT)
        assert len(model._kept) <= room


def test_neighbours_change_a_reading(model):
    """A sentence is read with the one before and after it."""
    alone = model.read([TEXT[4]])[0]
    assert model.read([TEXT[1], TEXT[4]])[1] != alone


def test_int8_is_near_fp32(folder, tmp_path):
    """Rounding the weights moves no probability far."""
    exact = Encoder(small_model.write(tmp_path, int8=False)).read(TEXT)
    for one, other in zip(Encoder(folder).read(TEXT), exact, strict=True):
        assert np.allclose(one.categories, other.categories, atol=0.05)


def test_a_temperature_brings_probabilities_towards_a_half(folder, tmp_path):
    """Calibration divides the score: it changes how sure, never the order."""
    hot = Encoder(small_model.write(tmp_path, temperature=4.0)).read(TEXT)
    plain = Encoder(folder).read(TEXT)
    for one, other in zip(hot, plain, strict=True):
        assert abs(one.crossing - 0.5) < abs(other.crossing - 0.5)
    assert (
        np.argsort([one.crossing for one in hot]).tolist()
        == np.argsort([one.crossing for one in plain]).tolist()
    )


def test_one_clause_in_a_long_sentence_is_enough():
    """The soft maximum of a unit lies between the mean and the highest of its pieces, near the highest."""
    scores = np.full((60, 1), -8.0, np.float32)
    scores[20:26] = 6.0
    assert pooled(scores)[0] > 3.0
    assert scores.mean() < pooled(scores)[0] < scores.max()


def test_an_explanation_reads_the_sentence_without_each_clause(model):
    """What a category would come to without a clause is what it comes to when the clause is not there."""
    number = 1
    found = model.explain(TEXT, number, "romantic-advance")
    assert [TEXT[number][each.start : each.end] for each in found] == [
        "You looked lovely",
        "and I would like to take you for a drink.",
    ]
    rest = model.read([TEXT[0], "and I would like to take you for a drink.", TEXT[2]])[1]
    assert found[0].probability == rest.of("romantic-advance")
    assert model.explain(TEXT, 2, "romantic-advance") == ()


@given(sentence=st.text(max_size=200) | st.text(alphabet="ab ,;:-()and ", max_size=80))
def test_clauses_are_in_order_and_lie_in_the_sentence(sentence):
    """Clauses do not overlap, and a sentence of one clause has none."""
    found = clauses_of(sentence)
    assert len(found) != 1
    assert all(0 <= start < end <= len(sentence) for start, end in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))


def test_the_surest_category_is_named(model):
    """A reading names its likeliest category."""
    reading = model.read(TEXT)[1]
    name, probability = reading.best
    assert reading.of(name) == probability == max(reading.categories)


@pytest.mark.parametrize("name", [encoder.GRAPH, encoder.VOCABULARY, encoder.WORDINGS])
def test_a_file_that_was_changed_is_refused(folder, tmp_path, name):
    """A damaged or exchanged model is named with its remedy, never used and never left out in silence."""
    shutil.copytree(folder, tmp_path / "model")
    with (tmp_path / "model" / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(Mistakes, match="not the file that its manifest names") as refused:
        Encoder(tmp_path / "model")
    assert "gateway model train" in refused.value.mistakes[0].remedy


@pytest.mark.parametrize("change", [{"format": 1}, {"categories": ["romance"]}])
def test_a_model_for_another_version_is_refused(folder, tmp_path, change):
    """A model that answers in other categories would be misread."""
    shutil.copytree(folder, tmp_path / "model")
    path = tmp_path / "model" / encoder.MANIFEST
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | change))
    with pytest.raises(Mistakes, match="another version"):
        Encoder(tmp_path / "model")


@pytest.mark.parametrize("text", ["", "{}", "nonsense"])
def test_a_manifest_that_cannot_be_read_is_refused(folder, tmp_path, text):
    """What stands where the model should be is named, not a traceback."""
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / encoder.MANIFEST).write_text(text)
    with pytest.raises(Mistakes, match="no language model"):
        Encoder(tmp_path / "model")


def test_the_hash_names_every_file(folder, tmp_path):
    """A verdict records one hash; it changes with the graph, the vocabulary, the temperature and the recipe."""
    other = Encoder(small_model.write(tmp_path, temperature=2.0))
    assert other.hash != Encoder(folder).hash == Encoder(folder).hash


def test_without_a_packaged_model_there_is_none_and_that_is_said():
    """A checkout without the file works, and says that veiled wording is not read."""
    there = (encoder.WEIGHTS / encoder.MANIFEST).exists()
    assert (encoder.encoder() is not None) == there
    assert bool(encoder.absence()) != there


def test_nothing_heavy_is_imported_without_a_model():
    """A worker without a model does not pay for onnxruntime, and none ever imports torch or a downloader."""
    code = "import sys, gateway.inspection.encoder; print([n for n in ('onnxruntime', 'torch', 'tokenizers', 'onnx') if n in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert ran.stdout.strip() == "[]"


def test_the_runtime_tells_nobody_that_it_runs(tmp_path, folder):
    """onnxruntime would give the machine an id and keep, beside it, what it is about to tell its maker; none of it is made."""
    code = f"from pathlib import Path; from gateway.inspection.encoder import Encoder; Encoder(Path({str(folder)!r}))"
    # Some of these would silence it by themselves.
    quiet = ("ORT_", "CI", "TF_BUILD", "GITHUB_ACTIONS", "XDG_")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(quiet)}
    subprocess.run([sys.executable, "-c", code], check=True, env={**bare, "HOME": str(tmp_path)})
    assert not list(tmp_path.rglob("*"))
