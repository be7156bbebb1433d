"""The cheap gate before the parse: it clears sentences, and loses no cue."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cues.test_frames import HITS, PROPER
from spacy.strings import StringStore

from gateway.errors import GatewayError
from gateway.inspection import lexicon
from gateway.inspection.relations import frames, parse
from gateway.inspection.relations.crossings import FRAMES
from gateway.inspection.relations.features import Features
from gateway.inspection.shadow import shadow_of
from gateway.training.corpus import Split, load

CORPUS = Path(__file__).parents[2] / "corpus"
SPELLINGS = (
    "im in love with u", "Ive never felt this way about u", "dont tell ur mum i came round", "u looked gorgeous, didnt u",
    "I'D LOVE TO TAKE YOU OUT", "you're/your eyes are lovely", "whatsapp me.Its easier", "I-love-you", "pls dont report me!!x",
    "Wanna grab a drink??", "we'll keep it between ourselves...", "cant stop thinkin bout you", "(I miss you)", "I’m so fond of you",
)  # fmt: skip


def sentences():
    """Return what a gate could go wrong on: frames' own sentences, odd spellings, and one passage in three of the corpus."""
    texts = [*HITS.values(), *PROPER, *SPELLINGS]
    texts += [passage.text for passage in load(CORPUS).passages_of(Split.TRAIN)[::12]]
    shadows = map(shadow_of, texts)
    return [shadow.sentence(number) for shadow in shadows for number in range(len(shadow.starts))]


@pytest.fixture(scope="module")
def parsed():
    return {sentence: Features(parse.parse(sentence), sentence) for sentence in dict.fromkeys(sentences())}


def test_the_gate_loses_no_cue(parsed):
    """Every frame, tried on every sentence without the gate, finds nothing that the gated path does not."""
    for sentence, features in parsed.items():
        gated = set(frames.candidates(sentence))
        lost = [frame.name for frame in FRAMES if frame not in gated and frame.found(features) is not None]
        assert lost == [], sentence


def test_keys_are_known_without_a_parse(parsed):
    """The keys of the chunks are the keys of the parsed tokens: the gate stands on that."""
    for sentence, features in parsed.items():
        assert features.keys - {" "} <= parse.keys_of(sentence), sentence


def test_the_gate_clears_ordinary_sentences():
    """Most of what an officer writes needs no parse at all."""
    ordinary = (
        "Your property is ready to collect.", "The hearing is listed for Monday.", "Please quote the reference.",
        "Thank you for your patience.", "The file has gone to the CPS.", "Parking is at the rear of the building.",
    )  # fmt: skip
    assert not any(frames.candidates(sentence) for sentence in ordinary)


def test_a_sentence_is_parsed_once():
    """The same sentence again costs no parse, and a long one is not kept: memory is bounded."""
    parse.remembered.forget()
    first = parse.parse("Would you like to get a drink with me?")
    assert parse.parse("Would you like to get a drink with me?") is first
    long = "Would you like to get a drink with me and " * 20
    again = parse.parse(long)
    assert parse.parse(long) is not again
    assert [token.text for token in parse.parse(long)] == [token.text for token in again]


def test_what_was_heard_is_kept_with_the_parse():
    """Frames look at a remembered sentence once, and hear in it what they hear in a fresh parse."""
    words = "Would you like to get a drink with me after the trial?"
    first = frames.heard(parse.parse(words), words)
    assert first.places
    assert frames.heard(parse.parse(words), words) is first
    parse.remembered.forget()
    assert frames.heard(parse.parse(words), words) == first


def pipeline(tmp_path):
    return Path(shutil.copytree(lexicon.pipeline_folder(), tmp_path / "pipeline"))


def test_the_published_files_are_taken(tmp_path):
    """What the package index gave is what upstream published, and files that only describe do not count."""
    folder = pipeline(tmp_path)
    (folder / "README.md").write_text("Something else.")
    assert parse.checked(folder) == parse.digest()


@pytest.mark.parametrize("name", ["parser/model", "tokenizer", "vocab/strings.json", "config.cfg"])
def test_a_changed_file_is_refused(tmp_path, name):
    """One octet in one file, and nothing is judged by it; the error names the file and the remedy."""
    folder = pipeline(tmp_path)
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(GatewayError, match=f"{name}: not the published file") as caught:
        parse.checked(folder)
    assert "--require-hashes" in caught.value.hint


def test_a_missing_or_added_file_is_refused(tmp_path):
    """A file too few changes the pipeline, and one too many might be code."""
    folder = pipeline(tmp_path)
    (folder / "tagger" / "model").unlink()
    with pytest.raises(GatewayError, match="tagger/model: missing"):
        parse.checked(folder)
    folder = Path(shutil.copytree(lexicon.pipeline_folder(), tmp_path / "second"))
    (folder / "custom.py").write_text("")
    with pytest.raises(GatewayError, match=r"custom\.py: not of the release"):
        parse.checked(folder)


def test_numbers_of_the_tables_are_spacys():
    """They are written down, so that the tables open without spaCy."""
    strings = StringStore(list(lexicon._NUMBERS))
    assert {name: strings[name] for name in lexicon._NUMBERS} == lexicon._NUMBERS


def test_the_relay_process_loads_no_spacy():
    """It parses nothing: with spaCy each process would hold 80 MiB more."""
    look = "import sys, gateway.cli.serve; print('spacy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
