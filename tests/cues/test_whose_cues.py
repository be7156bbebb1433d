"""Whose words a cue stands on: what an offender wrote is information, what the officer writes counts."""

import pytest
from inspection.rule_texts import POLICY, bundle, judge, rule

from gateway.inspection import load
from gateway.model import Attribution, RuleStatus

POLICY_LOW = POLICY + "cues: {default: {weak: 0.3, company: 0.4, flag: 0.5, hold: 0.85}}\n"


@pytest.fixture(scope="module")
def engine():
    rules = {
        f"{category.replace('-', '_')}__drink": rule(f"cue: {{cue: {category}}}", rule_id=f"{category}.drink")
        for category in ("romantic-advance", "appearance-compliment", "secrecy", "private-channel")
    }
    categories = "".join(
        f"  {each.replace('__drink', '').replace('_', '-')}: {{hold_from: high}}\n" for each in rules
    )
    policy = POLICY_LOW.replace("categories:\n", f"categories:\n{categories}")
    return load(bundle(policy=policy, **rules), language=True, with_encoder=False)


@pytest.mark.parametrize(
    "text",
    [
        'He wrote: "You were stunning on Monday." Is that the message?',
        'In your statement you say "he told me you were stunning".',
        'The lines he used ("I love you", "keep it between us") are the same in four reports.',
        'Exhibit AB/4 reads "I love you and I want to see you".',
        'In paragraph 9, "keep it between us": do you recall the exact words?',
    ],
)
def test_introduced_quotations_inform(engine, text):
    """Quotation marks and a third party's speech, exhibit or statement: told, without points."""
    found = judge(engine, text).findings
    assert found
    assert {each.attribution for each in found} == {Attribution.QUOTED}
    assert {each.status for each in found} == {RuleStatus.SHADOW}
    assert sum(each.points for each in found) == 0


@pytest.mark.parametrize(
    "text",
    [
        'You were "stunning" on Monday.',
        '"I love you" is what I should have said at the door.',
        'I said "you were stunning" and I meant it.',
        "My mates say you were stunning.",
        "They say you were gorgeous and they are right.",
        "He got one thing right, you are gorgeous.",
        "I told him that I love you.",
    ],
)
def test_a_quotation_mark_never_silences(engine, text):
    """Bare marks, "I said", "they say", "my mate says": the officer's own words, with full weight."""
    found = judge(engine, text).findings
    assert [each.attribution for each in found] == [Attribution.OWN]
    assert found[0].points


@pytest.mark.parametrize(
    "text", ["He said that you were stunning on Monday.", "She told us you were gorgeous."]
)
def test_reported_without_marks_flags_at_most(engine, text):
    """What a third party is said to have said, without marks, is softened and stays visible."""
    (found,) = judge(engine, text).findings
    assert found.attribution is Attribution.REPORTED
    assert found.softened


def test_a_second_clause_is_the_officers_again(engine):
    """What follows the report after "and" is the officer's own."""
    (found,) = judge(engine, 'He wrote "see you soon" and honestly you were stunning.').findings
    assert found.attribution is Attribution.OWN


def test_no_finding_has_negative_points(engine):
    """A refusal lowers a cue before there is a finding; nothing that is found ever takes points away."""
    texts = (
        "I can't accept your invitation to dinner. You were stunning.",
        "I love you. I won't give you my own number.",
    )
    assert all(each.points >= 0 for text in texts for each in judge(engine, text).findings)


def test_more_never_weakens(engine):
    """A sentence more, whatever it says, leaves every finding there was."""
    base = "You were stunning on Monday."
    before = {(each.rule, each.text, each.softened) for each in judge(engine, base).findings}
    for more in (
        "We are here for you.",
        "I can't accept your invitation.",
        "Your statement is ready.",
        'He said "I love you".',
    ):
        after = {(each.rule, each.text, each.softened) for each in judge(engine, f"{base} {more}").findings}
        assert before <= after
