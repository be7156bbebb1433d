"""The shipped rule set as a whole: it loads, its examples come true, and it covers what the guidance names."""

from collections import Counter

import pytest
from judging import bundle, verdict_on

from gateway import inspection
from gateway.model import Action

CATEGORIES = (
    "romantic-advance",
    "sexual-content",
    "appearance-compliment",
    "endearment",
    "private-channel",
    "secrecy",
    "personal-disclosure",
    "intrusive-question",
    "off-duty-contact",
    "leverage",
    "gift-favour",
    "persistence",
    "social-media",
    "emotional-intimacy",
    "boundary-awareness",
    "photo-exchange",
    "complaint-shaping",
)


@pytest.fixture(scope="module")
def rules():
    return inspection.rules_of(bundle()).rules


def test_nothing_is_wrong_with_the_set():
    """The shipped rules load without a mistake."""
    assert inspection.check(bundle()) == ()


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_has_rules(rules, category):
    """Each category of the guidance has at least two rules that act."""
    assert Counter(rule.category for rule in rules)[category] >= 2


def test_safety_rules_do_not_score(rules):
    """What makes a held mail urgent adds nothing to its score."""
    assert all(not rule.entry.points for rule in rules if rule.safety)


def test_each_rule_brings_examples_close_to_the_edge(rules):
    """Each rule brings at least four hits and four near misses."""
    poor = [rule.id for rule in rules if min(len(rule.entry.examples.hit), len(rule.entry.examples.miss)) < 4]
    assert poor == []


@pytest.mark.parametrize(
    "word",
    [
        "love",
        "hot",
        "date",
        "kiss",
        "relationship",
        "gorgeous",
        "drink",
        "dinner",
        "sexual",
        "underwear",
        "secret",
    ],
)
def test_a_word_alone_does_not_hold(word):
    """No word by itself makes a mail wait: a rule needs the frame around it."""
    verdict = verdict_on(f"The report uses the word {word} in paragraph four of the statement.")
    assert verdict.action is Action.PASS
