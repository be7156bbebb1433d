"""From corpus entries to labelled sentences: through the reading that live mail goes through."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.extract import extract
from gateway.inspection.encoder import CATEGORIES
from gateway.model import Action, HouseStyle, Limits, Severity
from gateway.training.corpus import Label, Mail, Split, load
from gateway.training.corpus import Span as Marked
from gateway.training.labelled import (
    CONTACT,
    Sentence,
    contact_of,
    message_of,
    noised,
    texts_of,
    texts_of_mail,
)

CORPUS = load(Path(__file__).parents[2] / "corpus")


def crossing(body, words, category="romantic-advance", **more):
    """A crossing whose marked words are ``words``."""
    start = body.index(words)
    return Mail(
        id="t-1", subject="Your case", body=body, label=Label.CROSSING, due=Action.HOLD, severity=Severity.HIGH,
        subtlety="plain", spans=(Marked(category=category, start=start, end=start + len(words)),), **more,
    )  # fmt: skip


@pytest.mark.parametrize("split", [Split.TRAIN, Split.DEV])
def test_no_marked_category_of_the_corpus_is_lost(split):
    """Every category that a writer marked reaches a sentence: reading and cutting lose no crossing."""
    for mail in CORPUS.mails_of(split):
        label = 0
        for text in texts_of_mail(mail):
            for sentence in text.sentences:
                label |= sentence.label
        found = {name for number, name in enumerate(CATEGORIES) if label >> number & 1}
        assert found == {span.category for span in mail.spans}, mail.id


def test_the_marks_cover_the_marked_words_and_no_others():
    """Marks stand where the writer put them, through line breaks and typographic quotes."""
    mail = crossing(
        "Dear Jo,\n\nThe form is attached. Let me take you\nfor a drink, that\u2019s all. Regards\n",
        "take you\nfor a drink",
    )
    marked = [
        "".join(char for char, mark in zip(sentence.text, sentence.marks, strict=True) if mark)
        for text in texts_of_mail(mail)
        for sentence in text.sentences
    ]
    assert [words for words in marked if words] == ["take you for a drink"]


def test_quoted_words_are_never_learnt():
    """What a reply quotes is somebody else's: it is neither a crossing nor proper."""
    body = "I will ring on Friday.\n\nOn Monday Jo wrote:\n> take me for a drink\n"
    mail = Mail(
        id="t-2",
        subject="RE: case",
        body=body,
        label=Label.PROPER,
        due=Action.PASS,
        trap="victim-quoted",
        reply=True,
    )
    words = " ".join(sentence.text for text in texts_of_mail(mail) for sentence in text.sentences)
    assert "ring on Friday" in words
    assert "drink" not in words


@pytest.mark.parametrize(
    "introduction",
    [
        "On Fri, 20 Mar 2026 at 14:00, Jo Bell <jo@post.example> wrote:",
        "> On 20 Mar 2026, at 14:00, Jo Bell <jo@post.example> wrote:",
        "From: Jo Bell <jo@post.example>\nSent: 20 March 2026 14:00\nTo: Lee Marsh\nSubject: case\n",
    ],
)
def test_a_reply_goes_after_what_it_quotes_to_who_wrote_it(introduction):
    """The sample is as honest as the mail: its quote is believed, so that a victim's words are not the officer's."""
    body = f"I will ring on Friday.\n\n{introduction}\n> take me for a drink\n"
    mail = Mail(
        id="t-3", subject="RE: case", body=body, label=Label.PROPER, due=Action.PASS, trap="victim-quoted",
        reply=True,
    )  # fmt: skip
    authored = extract(message_of(mail), Limits(), HouseStyle())
    assert authored.headers.to == ("jo@post.example",)
    assert [(cut.attributed, cut.doubts) for cut in authored.cuts] == [(True, ())]


def test_an_officers_own_address_in_a_thread_is_no_contact():
    """Mail goes to the first person in the thread who is not police."""
    body = (
        "As below.\n\nOn 20 Mar 2026, Lee Marsh <lee@westmoor.police.example> wrote:\n> The form is attached.\n"
        "> On 19 Mar 2026, Jo <jo@post.example> wrote:\n>> Where is it?\n"
    )
    mail = Mail(
        id="t-4", subject="RE: case", body=body, label=Label.PROPER, due=Action.PASS, trap="plain", reply=True
    )
    assert contact_of(mail) == "jo@post.example"
    assert contact_of(crossing("Dinner?", "Dinner?")) == CONTACT


def test_a_message_holds_the_words_as_written():
    """Places in the corpus are places in what the gateway reads."""
    for mail in CORPUS.mails_of(Split.DEV)[:20]:
        for passage in extract(message_of(mail), Limits(), HouseStyle()).passages:
            if passage.part not in {"subject", "body"} and passage.kind != "body":
                continue
            source = mail.subject if passage.kind == "subject" else mail.body
            assert source[passage.start : passage.end] == passage.text


@given(text=st.text(max_size=80), seed=st.integers(0, 99), rate=st.floats(0, 1))
def test_noise_keeps_a_mark_for_each_character(text, seed, rate):
    """Slips move words, never labels away from them."""
    sentence = Sentence(text, tuple(number % 3 for number in range(len(text))))
    noisy = noised(sentence, Random(seed), rate=rate)
    assert len(noisy.marks) == len(noisy.text)
    assert noisy.label & ~sentence.label == 0
    assert noised(sentence, Random(seed), rate=rate) == noisy


def test_noise_is_light():
    """Most sentences stay as they are; some lose an apostrophe, some a letter."""
    chance = Random(3)
    sentence = Sentence("I've sent the statement, please don't worry about the court.", (0,) * 60)
    noisy = [noised(sentence, chance).text for _ in range(200)]
    assert 60 < noisy.count(sentence.text) < 160
    assert any("Ive sent" in text for text in noisy)


def test_texts_know_where_they_came_from():
    """A text names its entry and its batch, by which folds are made."""
    texts = texts_of(CORPUS.mails[:3], CORPUS.passages[:3])
    assert {text.kind for text in texts} <= {"subject", "body", "passage"}
    assert all(text.source.startswith(text.batch) for text in texts)
