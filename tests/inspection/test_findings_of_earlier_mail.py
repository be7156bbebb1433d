"""Findings that tell their reader of earlier mail say so, whatever their category: by what the rule asks, not by its name."""

from pathlib import Path

import pytest

from gateway import inspection
from gateway.inspection.conduct import counts_earlier_mail
from gateway.inspection.schema import ConductEntry

RULES = Path(__file__).parents[2] / "rules"


@pytest.mark.parametrize(
    ("asked", "counts"),
    [
        ({"sent_outside": "06:00-22:00"}, False),
        ({"sent_on": "sunday"}, False),
        ({"case": "closed"}, False),
        ({"copied_to": "private-address"}, False),
        ({"first_message": True}, True),
        ({"dropped_copy": True}, True),
        ({"earlier_refusal": True, "case": "open"}, True),
    ],
    ids=str,
)
def test_only_what_earlier_mail_answers(asked: dict, counts: bool):
    """The hour and the case are known from this message alone."""
    assert counts_earlier_mail([None, ConductEntry.model_validate(asked)]) is counts


def test_the_rules_that_do():
    """Three of conduct; the others of that family go by this message alone."""
    rules = inspection.rules_of(inspection.read((RULES,))).rules
    asking = {
        rule.id
        for rule in rules
        if counts_earlier_mail(condition.conduct for condition in rule.conditions.values())
    }
    assert asking == {"conduct.burst", "conduct.one-sided", "conduct.lost-audience"}
