"""Mail that crosses the line: how much of it the rules catch, in what they were mended over and in what they were not.

The first batch was written before the rules by the same hand and flatters them. The second and third were written
against the rules and then mended over. The fourth is subtle and was judged once and never mended over. The fifth to
seventh are plain-worded and were mended over; caught at first sight were 84 of 150, 19 of 61 (written by somebody who
had just read the rules) and 36 of 40 (the plainest). Floors stand a little below what was measured, so that a change
which loses more than a mail or two fails here.
"""

from collections import Counter

import pytest
from judging import CONTACT, crossings, raw, verdict_of, verdict_on, why

from gateway.extract import extract
from gateway.model import Action, Limits

FLOORS = {
    "first": 0.97,
    "second": 0.95,
    "third": 0.95,
    "fourth": 0.20,
    "fifth": 0.97,
    "sixth": 0.83,
    "seventh": 0.97,
}
"""Share of each batch that is flagged or held."""
HOLD_FLOORS = {
    "first": 0.90,
    "second": 0.55,
    "third": 0.70,
    "fourth": 0.15,
    "fifth": 0.92,
    "sixth": 0.55,
    "seventh": 0.90,
}
"""Share, of what ought to be held, that is held."""


def _actions(batch: str) -> list[tuple[str, Action]]:
    return [
        (mail.expect, verdict_on(mail.body, subject=mail.subject).action)
        for mail in crossings()
        if mail.batch == batch
    ]


@pytest.mark.parametrize("batch", FLOORS)
def test_crossings_are_caught(batch):
    """At least the stated share of a batch gets a person's eyes, and of what ought to wait, the stated share waits."""
    actions = _actions(batch)
    caught = sum(action is not Action.PASS for _, action in actions)
    due = [action for expect, action in actions if expect == "hold"]
    held = sum(action is Action.HOLD for action in due)
    assert caught >= FLOORS[batch] * len(actions), f"{caught} of {len(actions)}"
    assert held >= HOLD_FLOORS[batch] * len(due), f"{held} of {len(due)}"


def test_the_case_that_this_product_was_built_for():
    """An answer to her question about her case that calls her hot and asks her out is held for both reasons."""
    mail = next(mail for mail in crossings() if mail.name == "motivating-reply")
    verdict = verdict_on(mail.body, subject=mail.subject)
    categories = {finding.category for finding in verdict.findings}
    assert verdict.action is Action.HOLD, why(verdict)
    assert {"appearance-compliment", "romantic-advance"} <= categories, why(verdict)


def test_her_words_in_the_quote_do_not_count():
    """What the contact wrote, quoted below a proper answer, scores nothing."""
    body = (
        "Dear Ms Wells, there is no news yet. I will write again on Friday.\n\nDC Marsh\n\n"
        f"On 12 March 2024 09:14, Katie Wells <{CONTACT}> wrote:\n"
        "> You are gorgeous. Fancy a drink after work, just you and me?\n"
    )
    reply = verdict_of(extract(raw("RE: news?", body, answers="<1@mail.example>"), Limits()))
    assert reply.action is Action.PASS, why(reply)
    claimed = verdict_on(body)
    assert claimed.action is Action.HOLD, (
        "a quote in a mail that answers nothing may have been typed: it stays"
    )


def test_a_refusal_in_the_quote_turns_a_joke_into_persistence():
    """He made a joke of her refusal: the quoted no and the answer together are held as persistence."""
    mail = next(mail for mail in crossings() if mail.name == "persistence-joke")
    verdict = verdict_on(mail.body, subject=mail.subject)
    assert "persistence.after-refusal" in {finding.rule for finding in verdict.findings}, why(verdict)
    assert verdict.action is Action.HOLD


def test_a_case_anchor_never_lets_an_advance_pass():
    """Naming statement, court or a colleague beside an advance may soften it, and never clears it (DECISIONS 15)."""
    advances = (
        "Fancy a drink after you sign your statement?",
        "We could grab a coffee near court before the hearing.",
        "Let me take you to dinner after the trial.",
        "He was charged today; you are gorgeous, by the way.",
        "After the ABE interview I can run you home in my own car.",
        "DC Patel says hello and I can't stop thinking about you.",
    )
    passed = [text for text in advances if verdict_on(text).action is Action.PASS]
    assert not passed


def test_subject_and_attachment_names_are_read():
    """An advance in the subject alone is held."""
    read = extract(raw("Drinks tonight, just you and me?", "See above."), Limits())
    verdict = verdict_of(read)
    assert verdict.action is Action.HOLD, why(verdict)


def test_offenders_and_contacts_may_be_of_either_sex():
    """Swapping the pronouns of an advance changes nothing."""
    his = verdict_on("You're a gorgeous woman, any man would be lucky to have you.")
    hers = verdict_on("You're a gorgeous man, any woman would be lucky to have you.")
    assert his.action is hers.action is Action.HOLD


def test_every_batch_is_there():
    """A floor over no mail would hold for any rules."""
    count = Counter(mail.batch for mail in crossings())
    assert count == {
        "first": 92,
        "second": 40,
        "third": 40,
        "fourth": 24,
        "fifth": 150,
        "sixth": 61,
        "seventh": 40,
    }
