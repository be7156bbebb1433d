"""Ordinary police mail must be delivered: the baseline that no rule may break without a reason on this page."""

import pytest
from judging import ordinary, verdict_on, why

from gateway.model import Action

FLAGGED = {
    "safe-contact-agreed": "asks the contact to delete a mail for her safety: the guidance wants a person to look (flag)",
    "fraud-romance": "an offender's lines without a verb of speech beside them: flag at most",
}
"""Proper mails that may be flagged, each with its reason. None of them may be held."""


@pytest.mark.parametrize("mail", ordinary(), ids=lambda mail: mail.name)
def test_ordinary_mail_is_delivered(mail):
    """A proper mail passes; one with a listed reason may be flagged; none is held."""
    verdict = verdict_on(mail.body, subject=mail.subject)
    allowed = {Action.PASS, Action.FLAG} if mail.name in FLAGGED else {Action.PASS}
    assert verdict.action in allowed, why(verdict)


def test_listed_reasons_name_mails_that_exist():
    """A reason for a mail that is gone would hide the next mail of that name."""
    assert FLAGGED.keys() <= {mail.name for mail in ordinary()}


def test_the_baseline_is_large_and_varied():
    """The baseline holds at least 120 mails, each under its own name."""
    names = [mail.name for mail in ordinary()]
    assert len(names) == len(set(names)) >= 120


def test_ordinary_mail_is_delivered_without_the_parser():
    """With words only, rules err on the side of firing, but no more than one proper mail in fifty is touched."""
    touched = [
        mail.name
        for mail in ordinary()
        if verdict_on(mail.body, subject=mail.subject, language=False).action is not Action.PASS
    ]
    assert len(touched) <= len(ordinary()) / 50, touched
