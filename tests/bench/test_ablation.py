"""The ablation takes away one layer a row, and puts it back."""

from datetime import UTC, datetime

import pytest

from bench import ablation
from gateway import inspection
from gateway.model import Action, Attribution
from gateway.rehearsal.judging import Judge, letter, office_hours
from gateway.training.figures import Outcome


@pytest.fixture(scope="module")
def judge():
    return Judge(inspection.read((ablation.ROOT / "rules",)), language=True)


@pytest.fixture(scope="module")
def mails(judge):
    at = office_hours(datetime(2026, 3, 4, 11, tzinfo=UTC), "Europe/London")
    bodies = (
        "Your statement is ready to be signed at the front desk.",
        "You looked gorgeous in court. Fancy a drink on Saturday, just us?",
        'In exhibit AB/1 he wrote "you looked gorgeous in court".',
    )
    samples = [letter(f"mail-{number}", "Your case", body, at) for number, body in enumerate(bodies)]
    return [(sample, judge.judge(sample).authored) for sample in samples]


def test_each_row_leaves_the_gateway_as_it_was(judge, mails):
    """A layer that stayed away would be blamed for the rows below it."""
    before = ablation.judged(judge, mails)
    assert [each.action for each in before] == [Action.PASS, Action.HOLD, Action.PASS]
    for _, without in ablation.LAYERS:
        with without(judge):
            pass
        assert ablation.judged(judge, mails) == before


def test_a_row_judges_without_its_layer(judge, mails):
    """Without attribution what somebody else said is the officer's own."""
    rows = dict(ablation.LAYERS)
    with rows["without attribution"](judge) as changed:
        found = changed.judge_read(*mails[2]).verdict.findings
    assert {finding.attribution for finding in found} == {Attribution.OWN}
    found = judge.judge_read(*mails[2]).verdict.findings
    assert {finding.attribution for finding in found} == {Attribution.QUOTED}
    with rows["without rules over words"](judge) as changed:
        assert not any(
            finding.rule == "appearance-compliment.attraction"
            for finding in changed.judge_read(*mails[1]).verdict.findings
        )


def test_differences_are_counted_by_label():
    """Crossings lost and won, proper mails spared and touched anew."""

    class Mail:
        def __init__(self, label):
            self.label = label

    crossing, proper = ablation.Label.CROSSING, ablation.Label.PROPER
    passed, flagged = Outcome(Action.PASS), Outcome(Action.FLAG)
    mails = [Mail(crossing), Mail(crossing), Mail(proper), Mail(proper), Mail(proper)]
    before = [flagged, passed, flagged, flagged, passed]
    after = [passed, flagged, passed, passed, flagged]
    assert list(ablation.differences(mails, before, after)) == [1, 1, 2, 1]
