"""A verdict taken apart: points that sum to the score, and what would have passed without which sentence."""

import pytest
from small_sets import NOW, POLICY, drink, lunch, write

from gateway import inspection
from gateway.model import Action
from gateway.rehearsal.explanation import MAX_SENTENCES, explain
from gateway.rehearsal.judging import Judge, letter

BOTH = "Dear Ms Wells,\n\nThe file is with the CPS. Do you fancy a drink? We could have lunch before court.\n\nAmir\n"


@pytest.fixture
def judge(tmp_path):
    return Judge(
        inspection.read((write(tmp_path, advance__drink=drink(), warmth__lunch=lunch()),)), language=False
    )


def explained(judge, body, **options):
    """Return the explanation of a mail with these words."""
    return explain(judge, letter("m", options.get("subject", ""), body, NOW))


def test_contributions_sum_to_the_score(judge):
    """The points of the listed findings are the score, the weightiest first."""
    found = explained(judge, BOTH)
    assert sum(finding.points for finding in found.contributions) == found.judged.verdict.score == 8
    points = [finding.points for finding in found.contributions]
    assert points == sorted(points, reverse=True)


def test_each_sentence_is_left_out_in_turn(judge):
    """Each sentence with a finding is told with what would become of the rest; last, without all of them."""
    found = explained(judge, BOTH)
    assert found.judged.verdict.action is Action.HOLD
    told = [(each.text, each.action, each.score, each.rules) for each in found.without]
    assert told == [
        ("Do you fancy a drink?", Action.FLAG, 4, ("advance.drink",)),
        ("We could have lunch before court.", Action.HOLD, 4, ("warmth.lunch",)),
        ("", Action.PASS, 0, ("advance.drink", "warmth.lunch")),
    ]


def test_the_place_of_a_sentence_is_given(judge):
    """A sentence is named by its code points in its part, so that a page can mark it."""
    found = explained(judge, BOTH)
    first = found.without[0]
    (body,) = [each for each in found.judged.authored.passages if each.part == first.part]
    assert body.text[first.start - body.start : first.end - body.start].strip() == "Do you fancy a drink?"


def test_a_sentence_that_softens_counts(tmp_path):
    """What is recomputed is the whole: without the sentence that names the statement, the invitation holds."""
    softened = drink().replace("invite:", "form: {phrase: your statement, within: neighbours}\n  invite:")
    softened = softened.replace("examples:", "when: invite\nsoftened_by: form\nexamples:")
    other = lunch().replace("have lunch", "your statement")
    policy = POLICY.replace("two_categories: hold", "two_categories: none")
    folder = write(tmp_path, policy=policy, advance__drink=softened, warmth__lunch=other)
    judge = Judge(inspection.read((folder,)), language=False)
    found = explained(judge, "Your statement is typed. Do you fancy a drink?\n")
    by_text = {each.text: each.action for each in found.without}
    assert found.judged.verdict.action is Action.FLAG
    assert by_text["Your statement is typed."] is Action.HOLD


def test_a_proper_mail_has_nothing_to_leave_out(judge):
    """Without findings there is no sentence to try, and the score is nothing."""
    found = explained(judge, "The file is with the CPS.\n")
    assert (found.without, found.contributions, found.left_out) == ((), (), 0)


def test_the_subject_is_a_sentence_too(judge):
    """A finding in the subject can be left out like any other."""
    found = explained(judge, "See above.\n", subject="Fancy a drink?")
    assert [(each.part, each.action) for each in found.without] == [("subject", Action.PASS)]


def test_a_mail_full_of_findings_is_bounded(tmp_path):
    """So many sentences are tried one by one and no more; how many were not is said, and all together are."""
    names = [f"warmth.r{number}" for number in range(MAX_SENTENCES + 5)]
    rules = {
        f"warmth__r{number}": lunch().replace("warmth.lunch", name).replace("have lunch", f"have meal{number}")
        for number, name in enumerate(names)
    }  # fmt: skip
    judge = Judge(inspection.read((write(tmp_path, policy=POLICY, **rules),)), language=False)
    body = " ".join(f"We have meal{number} today." for number in range(len(names)))
    found = explained(judge, body + "\n")
    assert len(found.without) == MAX_SENTENCES + 1
    assert found.left_out == 5
    assert found.without[-1].score == 0
