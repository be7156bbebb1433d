"""The minimal pairs of docs on boundaries: the same words, proper on the left and over the line on the right."""

import pytest
from judging import verdict_on, why

from gateway.model import Action

PASS, FLAG, HOLD = Action.PASS, Action.FLAG, Action.HOLD

PAIRS = (
    (
        ("Are you free Tuesday to go over your statement?", PASS),
        ("Are you free Tuesday? No statement this time", HOLD),
    ),
    (
        ("Delete this e-mail if he goes through your phone", FLAG),
        ("Delete this e-mail, they go through mine", HOLD),
    ),
    (
        ("I can call at your home at 6 with DC Patel to collect the phone", PASS),
        ("I can call at your home at 10 when I finish, just me", HOLD),
    ),
    (("You looked shaken on Monday", PASS), ("You looked lovely on Monday", FLAG)),
    (
        ("I'm on leave until Monday, please ring the team", PASS),
        ("I'm on leave until Monday, ring me at mine", HOLD),
    ),
    (
        ('He called you "gorgeous" in the message you showed us. Is that correct?', PASS),
        ("He got one thing right, you are gorgeous", HOLD),
    ),
    (
        ("We are here for you; the ISVA's number is below", PASS),
        ("I'm here for you, only you", FLAG),
    ),
    (
        ("Please send photos of the bruising", PASS),
        ("Please send a photo of you smiling again", HOLD),
    ),
    (
        ("I should not discuss the other witness's evidence", PASS),
        ("I should not tell you how much I like you", HOLD),
    ),
    (("Keep every WhatsApp message he sends you", PASS), ("WhatsApp me, keep it off here", HOLD)),
    (("2 x MG11 attached", PASS), ("MG11 attached x", FLAG)),
    (
        ("I can give you a lift to court", PASS),
        ("I can give you a lift home after, the long way round", HOLD),
    ),
    (
        ("If I hear nothing by Friday the case will be filed", PASS),
        ("If I hear nothing by Friday I'll be gutted", FLAG),
    ),
    (
        ("Do you live alone? (DASH, question 6 below)", PASS),
        ("Do you live alone? Just being nosey", FLAG),
    ),
    (
        ("I'd like to meet you before the trial to show you the courtroom", PASS),
        ("I'd like to meet you before the trial, no shop talk", HOLD),
    ),
    (
        ("As you asked, I will not contact you again except about court dates", PASS),
        ("I know you asked me not to write, but", HOLD),
    ),
    (
        ("Suspect bailed tonight with conditions not to contact you", PASS),
        ("Suspect bailed tonight, stay at mine if scared", HOLD),
    ),
)
LEFT = [pytest.param(*left, id=left[0][:60]) for left, _ in PAIRS]
RIGHT = [pytest.param(*right, id=right[0][:60]) for _, right in PAIRS]


@pytest.mark.parametrize("language", [True, False], ids=["parser", "words-only"])
@pytest.mark.parametrize(("text", "action"), LEFT)
def test_the_proper_half_is_let_through(text, action, language):
    """The proper half of each pair passes, or flags where the guidance wants a person to look."""
    verdict = verdict_on(text, language=language)
    assert verdict.action is action, why(verdict)


@pytest.mark.parametrize("language", [True, False], ids=["parser", "words-only"])
@pytest.mark.parametrize(("text", "action"), RIGHT)
def test_the_improper_half_is_caught(text, action, language):
    """The improper half of each pair gets the action that the guidance gives it."""
    verdict = verdict_on(text, language=language)
    assert verdict.action is action, why(verdict)


def test_a_compliment_beside_another_cue_is_held():
    """A mild compliment flags alone and is held with any other crossing in the mail."""
    verdict = verdict_on("You looked lovely on Monday. See you soon x")
    assert verdict.action is HOLD, why(verdict)


def test_a_held_safety_notice_is_urgent():
    """News of bail that is held asks for a person at once, with the reason."""
    verdict = verdict_on("Suspect bailed tonight, stay at mine if scared")
    assert "bail" in verdict.urgent


def test_a_proper_safety_notice_is_not_held():
    """News of bail on its own is delivered."""
    verdict = verdict_on("Suspect bailed tonight with conditions not to contact you")
    assert verdict.action is PASS, why(verdict)
