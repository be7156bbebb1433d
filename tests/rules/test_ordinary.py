"""Ordinary police mail must be delivered: the baseline that no rule may break without a reason in rules/benign."""

from datetime import UTC, datetime
from functools import cache

from judging import baseline, bundle, ordinary, verdict_on

from gateway import inspection
from gateway.model import Action
from gateway.rehearsal import benign
from gateway.rehearsal.judging import Judge

NOW = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)


@cache
def judged():
    """Return the shipped set, and each ordinary mail as it sees it."""
    judge = Judge(bundle(), language=True, drafts=True, with_encoder=False)
    return judge, tuple(benign.judged_mails(baseline(), judge, NOW))


def test_ordinary_mail_is_delivered():
    """No rule asks for anything in an ordinary mail that is not listed with its reason, and none is held."""
    judge, mails = judged()
    found = benign.gate(inspection.rules_of(bundle()), judge, baseline(), mails)
    assert [str(mistake) for mistake in found] == []


def test_no_more_than_a_few_findings_are_accepted():
    """The list of accepted findings is no way around the baseline: at most one mail in fifty is on it."""
    assert len({known.entry.mail for known in baseline().known}) <= len(baseline().mails) / 50


def test_the_baseline_is_large():
    """The baseline holds at least 120 mails of at least six kinds."""
    assert len(ordinary()) >= 120
    assert len({mail.kind for mail in baseline().mails}) >= 6


def test_ordinary_mail_is_delivered_without_the_parser():
    """With words only, rules err on the side of firing, but no more than one proper mail in fifty is touched."""
    touched = [
        mail.name
        for mail in ordinary()
        if verdict_on(mail.body, subject=mail.subject, language=False).action is not Action.PASS
    ]
    assert len(touched) <= len(ordinary()) / 50, touched
