"""What of the rules' own examples is a lesson."""

from random import Random

import pytest
from inspection.rule_texts import POLICY
from model import small_model

from gateway.inspection.encoder import CATEGORIES
from gateway.inspection.wordpiece import Vocabulary
from gateway.training.labelled import Sentence, Text
from gateway.training.primer import primer
from gateway.training.train import Course, Recipe, _lessons

FOLDER = """\
id: romantic-advance.drink
version: 1
status: enforce
title: Asks out
why: A drink is proposed.
guidance: none
severity: high
points: 5
match:
  drink: {phrase: fancy a drink}
  third: {regex: 'he (?:said|wrote)'}
  court: {phrase: hearing, within: neighbours}
when: drink and not third
softened_by: court
false_positives: [None known]
blind_spots: [Other words]
for_reviewer: Who asks whom?
examples:
  hit:
    - "Fancy a drink on Friday?"
    - "Thanks for that. Fancy a drink?"
    - {body: "Fancy a drink? The hearing is on Monday.", softened: true}
    - "The hearing is on Monday. Fancy a drink?"
  miss:
    - "He wrote: fancy a drink?"
    - "The water fountain is by the door."
    - "The drink is exhibit four."
"""
SMALL = Vocabulary(small_model.PIECES)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    (folder / "policy.yaml").write_text(POLICY.replace("advance:", "romantic-advance:", 1), "utf-8")
    (folder / "romantic-advance").mkdir()
    (folder / "romantic-advance" / "drink.yaml").write_text(FOLDER, "utf-8")
    (folder / "benign").mkdir()
    (folder / "benign" / "few.yaml").write_text(
        "kind: updates\nmails:\n  late:\n    subject: Delay\n    body: The lab is late. I will ring on Friday.\n",
        "utf-8",
    )
    return {text.source: text for text in primer((folder,))}


def test_a_hit_is_marked_where_the_rule_fires(texts):
    """The words of the match, in the rule's category; the sentence beside it is proper."""
    thanks, asks = texts["romantic-advance.drink:1"].sentences
    assert thanks.label == 0
    assert asks.label == 1 << CATEGORIES.index("romantic-advance")
    marked = "".join(letter for letter, mark in zip(asks.text, asks.marks, strict=True) if mark)
    assert marked == "Fancy a drink"


def test_what_the_rule_softens_is_no_lesson(texts):
    """Whether it crosses hangs on more than the words."""
    assert "romantic-advance.drink:2" not in texts
    assert "romantic-advance.drink:3" not in texts


def test_near_misses_and_ordinary_mail_are_proper(texts):
    """What no rule acts on; ordinary mail as whole mail, among whose sentences passages are set."""
    for number in (4, 5, 6):
        assert not texts[f"romantic-advance.drink:{number}"].crosses
        assert texts[f"romantic-advance.drink:{number}"].kind == "passage"
    assert texts["rules:late"].kind == "body"
    assert not texts["rules:late"].crosses


def test_few_proper_subjects_are_read():
    """A share of them, fresh each epoch; one that crosses always."""
    subjects = [
        Text(f"s-{number}", "b", "subject", (Sentence("Your case", (int(number == 7),) * 9),))
        for number in range(200)
    ]
    recipe = Recipe(slips=0.0, subjects=0.25)
    labels = [
        label
        for lesson in _lessons(Course(tuple(subjects)), SMALL, recipe, Random(3))
        for label in lesson.labels
    ]
    assert labels.count(1) == 1
    assert 25 < len(labels) < 80
