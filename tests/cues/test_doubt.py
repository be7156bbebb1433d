"""Where the encoder may doubt a rule: what a rule finds in a sentence that reads proper informs, and does not act."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from cues.test_layers import Encoder
from inspection.rule_texts import POLICY, bundle, rule

from gateway import inspection
from gateway.inspection.hearing import Hearing
from gateway.inspection.shadow import shadow_of
from gateway.model import PassageKind, Severity

TEXT = "Your hearing is on Monday. The drink is exhibit four."
MONDAY, DRINK = 0, 1


@pytest.fixture(scope="module")
def high():
    (loaded,) = inspection.rules_of(bundle(advance__drink=rule("drink: {phrase: drink}"))).rules
    return replace(loaded, severity=Severity.HIGH, id="secrecy.drink")


def text_of(words=TEXT, *, disguised=False):
    return SimpleNamespace(
        part="body", kind=PassageKind.BODY, offset=0, shadow=shadow_of(words), disguised=disguised, claimed_quote=False, heard=[]
    )  # fmt: skip


def doubts(asked, encoder, *, text=None, below=0.05, weak=(), sentences=(DRINK,)):
    policy = replace(inspection.policy_of(bundle(policy=POLICY)), doubt=below)
    text = text or text_of()
    return Hearing((text,), policy, weak, lambda text, number: None, encoder).doubts(asked, text, sentences)


def sure(probability, word="drink"):
    return Encoder(word, "secrecy", 0.0, crossing=probability)


def test_words_that_read_proper_are_doubted(high):
    """Below policy's `doubt` the finding informs, and says how sure the model is."""
    assert doubts(high, sure(0.02)) == 0.02
    assert doubts(high, sure(0.05)) is None
    assert doubts(high, sure(0.02), below=0.01) is None


def test_the_surest_sentence_of_a_finding_counts(high):
    """A finding whose words stand in several sentences is doubted only where all of them read proper."""
    assert doubts(high, sure(0.3), sentences=(MONDAY, DRINK)) is None


def test_without_a_model_or_a_threshold_no_rule_is_doubted(high):
    """Policy's default is 0: a rule is its author's word."""
    assert doubts(high, None) is None
    assert doubts(high, sure(0.0), below=0.0) is None


def test_what_is_grave_is_never_doubted(high):
    """A critical rule acts whatever the model thinks, and so does one that is not about a line in words."""
    assert doubts(replace(high, severity=Severity.CRITICAL), sure(0.0)) is None
    assert doubts(replace(high, id="safety.drink"), sure(0.0)) is None


def test_words_in_disguise_are_never_doubted(high):
    """Who disguises words has a reason that the model does not see."""
    assert doubts(high, sure(0.0), text=text_of(disguised=True)) is None


def test_company_ends_the_doubt(high):
    """Another sign in the mail, or a weak one of the same category in earlier mail, and the rule acts."""
    assert doubts(high, sure(0.0), weak=("secrecy",)) is None
    assert doubts(high, sure(0.9, "Monday")) is None


def test_no_finding_is_its_own_company(high):
    """What the frames hear in the very sentence is doubted with it: they know words and who says them, no purpose."""
    text = text_of("Your hearing is on Monday. I love that drink and I love you.")
    assert doubts(high, sure(0.02), text=text) == 0.02
    assert doubts(high, sure(0.02, "Monday"), text=text, sentences=(MONDAY,)) is None


def test_what_the_model_does_not_read_is_not_doubted(high):
    """In a file of hundreds of pages the model reads the first of them; what rules find behind them acts."""
    encoder = sure(0.02)
    text = text_of("The drink is exhibit four. " * 3000)
    assert doubts(high, encoder, text=text, sentences=(0,)) == 0.02
    assert doubts(high, encoder, text=text, sentences=(2999,)) is None
    assert sum(map(len, encoder.asked)) < 2 * 41_000
