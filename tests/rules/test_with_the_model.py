"""The rules beside the shipped model: it may quiet a rule in a long mail that reads proper, never an advance said plainly."""

import pytest
from judging import verdict_on, why
from test_minimal_pairs import LEFT, RIGHT

from gateway.inspection.encoder import absence
from gateway.model import Action

pytestmark = pytest.mark.skipif(bool(absence()), reason=absence() or "the model is here")
ORDER = (Action.PASS, Action.FLAG, Action.HOLD)
UPDATE = (
    "Hi Alex, the forensic report came back this morning and the lab found two sets of prints on the window frame. The file goes "
    "to the CPS on the 14th and I would expect an answer within four weeks. Your crime number is 48/1123/26. The property store "
    "will release the phone once the form is signed. "
)
ADVANCES = (
    "I love you.",
    "You are gorgeous.",
    "You looked amazingly hot the other day.",
    "Drink Friday?",
    "Dinner on Friday, just us?",
    "Are you seeing anyone?",
    "Are you single?",
    "I miss you.",
    "Delete these messages.",
    "Keep this between us.",
    "Add me on Facebook.",
    "Send me a picture of you.",
    "I've bought you a bottle of wine.",
    "What are you wearing?",
    "My personal WhatsApp is 07700 900123, use that.",
    "Come round to mine when you are lonely in the evenings.",
)
"""Said plainly; a rule or a frame knows each of them."""


@pytest.mark.parametrize(("text", "action"), LEFT)
def test_the_proper_half_is_let_through(text, action):
    """The model adds no stronger verdict on the proper half of a minimal pair."""
    verdict = verdict_on(text, with_encoder=True)
    assert ORDER.index(verdict.action) <= ORDER.index(action), why(verdict)


@pytest.mark.parametrize(("text", "action"), RIGHT)
def test_the_improper_half_is_caught(text, action):
    """The model takes nothing from the verdict on the improper half."""
    verdict = verdict_on(text, with_encoder=True)
    assert ORDER.index(verdict.action) >= ORDER.index(action), why(verdict)


@pytest.mark.parametrize("words", ADVANCES)
@pytest.mark.parametrize("subject", ["Your case", ""], ids=["with subject", "none"])
def test_a_short_mail_is_never_quieted(words, subject):
    """Alone, and between a greeting and a name."""
    for body in (words, f"Hi Alex,\n\n{words}\n\nSam"):
        verdict = verdict_on(body, subject=subject, with_encoder=True)
        assert verdict.action is not Action.PASS, why(verdict)


@pytest.mark.parametrize("words", ADVANCES)
def test_a_subject_is_never_quieted(words):
    """Over a body that is beyond reproach."""
    verdict = verdict_on(UPDATE, subject=words, with_encoder=True)
    assert verdict.action is not Action.PASS, why(verdict)


@pytest.mark.parametrize("words", ADVANCES)
def test_an_item_of_a_list_is_never_quieted(words):
    """In a long case mail whose other items are the case's."""
    body = f"{UPDATE}\n\nActions\n1. Sign the MG11.\n2. {words}\n3. Bring your ID.\n"
    verdict = verdict_on(body, with_encoder=True)
    assert verdict.action is not Action.PASS, why(verdict)
