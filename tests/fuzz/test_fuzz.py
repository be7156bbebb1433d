"""Twenty thousand fresh odd messages, every one that was ever a fault, and proof that faults would be found."""

import dataclasses
import os

import fuzzer
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invariants import NARROW, Broken, Examiner, check_pieces, planted_words
from mail_grammar import Grammar

from gateway.extract import decoded, extract
from gateway.model import Limits

FRESH = 20_000
SEED = 3618506851
QUOTED = b"""From: amir.khan@force.example
In-Reply-To: <a@home.example>
Subject: Your case

The file is with the prosecutors. Zamborin.

On 3 Mar 2026, at 10:14, Nadia wrote:
> When is the hearing?
"""


@pytest.fixture(scope="module")
def examiner():
    return Examiner()


@pytest.mark.slow
def test_fresh_messages(tmp_path):
    """No odd message raises, takes over 2 s or the memory of a worker, or breaks what holds for every message.

    The same ones until the seed is changed, so that a failure can be looked at and mended; `make fuzz` takes fresh ones.
    """
    seed = SEED
    print(f"seed {seed}")
    story = fuzzer.run(seed=seed, count=FRESH, jobs=min(2, os.cpu_count() or 1))
    said = []
    fuzzer.keep(story, tmp_path, said.append)
    assert not story.found, f"seed {seed}: copy what is kept to tests/fuzz/saved\n" + "\n".join(said)
    assert story.tally.messages == FRESH
    assert story.tally.markers["read"] > FRESH / 20, "hardly a message was read whole: the grammar is too odd"


@pytest.mark.slow
def test_what_was_once_a_fault():
    """Every message that once broke the gateway is read within the limits now, and everything holds."""
    files = sorted(fuzzer.SAVED.glob("*.eml"))
    assert files
    assert fuzzer.replayed(files) == {}


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(dice=st.randoms(use_true_random=False), narrow=st.booleans())
def test_whatever_the_grammar_says(examiner, dice, narrow):
    """The same grammar with Hypothesis for dice, which makes a failing message small by itself."""
    examiner.examine(Grammar(dice).message(), limits=NARROW if narrow else None)


def test_a_message_is_a_function_of_seed_and_number():
    """What a log names can be made again, in another process and another year."""
    assert [fuzzer.mail(7, number) for number in range(60)] == [
        fuzzer.mail(7, number) for number in range(60)
    ]
    assert len({fuzzer.mail(7, number) for number in range(300)}) > 290


@pytest.mark.slow
def test_two_processes_give_the_same_answers(monkeypatch):
    """Verdicts can be computed again elsewhere (P10): no answer hangs on the order of a set or on memory."""
    digests = set()
    for hash_seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        digests.add(fuzzer.run(seed=11, count=300).tally.digest)
    assert len(digests) == 1
    assert "" not in digests


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        ("raises", "extract raises OddError in reading.py:read"),
        ("loops", "more than 2 s in an unknown place"),
        ("hoards", "more memory than one worker has"),
        ("dies", "died with status -11 in an unknown place"),
    ],
)
def test_a_fault_is_found_named_and_does_not_end_the_run(subject, fault):
    """A raise, a hang, a hoard and a crash are each laid at the door of their message, and the run goes on."""
    odd = [number for number in range(40) if b"Vexquilt" in fuzzer.mail(3, number)]
    story = fuzzer.run(seed=3, count=odd[2], subject=f"faulty:{subject}")
    assert [one.number for one in story.found[fault]] == odd[:2]
    assert set(story.found) == {fault}
    assert story.tally.messages == odd[2]


def test_a_fault_is_made_small():
    """Whoever mends a fault gets the few octets that matter."""

    def shows(raw):
        return b"=?" in raw and b"?=" in raw

    small = fuzzer.reduced(QUOTED + b"a =?utf-8?q?b?= c" + QUOTED, shows)
    assert small == b"=?="


def _wrong():
    authored, texts = extract(QUOTED, Limits()), decoded(QUOTED, Limits())
    body = next(piece for piece in authored.passages if piece.part == "body")
    rest = tuple(piece for piece in authored.passages if piece is not body)
    moved = dataclasses.replace(body, start=body.start + 1, end=body.end + 1)
    longer = dataclasses.replace(
        body, end=len(texts["body"].rstrip()), text=texts["body"][body.start :].rstrip()
    )
    shorter = dataclasses.replace(body, end=body.start + 8, text=body.text[:8])
    empty = dataclasses.replace(body, end=body.start, text="")
    elsewhere = dataclasses.replace(body, part="9")
    return {
        "moved": ((*rest, moved), "a passage or cut is not at its place"),
        "empty": ((*rest, empty), "a passage or cut is empty or not trimmed"),
        "of no part": ((*rest, elsewhere), "a passage or cut of a part without text"),
        "overlapping": ((*rest, longer), "passages or cuts overlap"),
        "too short": ((*rest, shorter), "words that are neither passage nor cut"),
        "left out": (rest, "words that are neither passage nor cut"),
    }


@pytest.mark.parametrize("name", _wrong())
def test_a_wrong_answer_is_seen(name):
    """Each check of the pieces sees an answer that is wrong in just that way."""
    passages, fault = _wrong()[name]
    authored, texts = (
        dataclasses.replace(extract(QUOTED, Limits()), passages=passages),
        decoded(QUOTED, Limits()),
    )
    with pytest.raises(Broken) as broken:
        check_pieces(authored, texts)
    assert broken.value.fault == fault


def test_a_word_that_others_read_is_missed(examiner):
    """Where another reader of mail finds a planted word and we neither read it nor name its part, that is seen."""
    answer = examiner.examine(QUOTED)
    assert answer.marker == "read"
    silent = dataclasses.replace(answer.authored, passages=())
    with pytest.raises(Broken) as broken:
        planted_words(QUOTED, silent, answer.texts, answer.verdict)
    assert broken.value.fault == "a word that others read is neither read nor is its part named"
