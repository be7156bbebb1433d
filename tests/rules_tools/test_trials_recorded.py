"""What a rule in shadow finds is counted when the message is recorded, once a message, and never acts."""

import pytest
import stores
from small_sets import NOW, drink, lunch, mail, write

from gateway import inspection, recording
from gateway.model import Action, MessageId
from gateway.rehearsal.judging import Judge, letter
from gateway.store import Store, trials


@pytest.fixture
def store(sqlite, tmp_path):
    with Store.open(sqlite.copy(tmp_path / "store")) as opened:
        yield opened


def recorded(store, tmp_path, body, *, number=1, **rules):
    """Have a rule set judge a mail and record it; returns the verdict."""
    judged = Judge(inspection.read((write(tmp_path / "rules", **rules),)), language=False).judge(
        letter(f"m{number}", "", body, NOW)
    )
    raw = mail(body)
    message = recording.Message(
        id=MessageId(f"id-{number}"), raw=raw, sha256="c" * 64, envelope=stores.an_envelope(), retry_key=f"k{number}"
    )  # fmt: skip
    new = recording.draft(message, judged.authored, judged.sample.parties, judged.verdict, None)
    store.write_now(lambda tx: recording.record(tx, new))
    return judged.verdict


def counted(store):
    return [(one.rule, one.version, one.messages) for one in store.read_now(trials.counts)]


def test_a_rule_in_shadow_is_counted_and_does_not_act(store, tmp_path):
    """The message passes with no points; the count says that the rule came true, and of which version."""
    verdict = recorded(
        store, tmp_path, "Fancy a drink? Fancy a drink?", advance__drink=drink(status="shadow", version="3")
    )
    assert (verdict.action, verdict.score) == (Action.PASS, 0)
    assert counted(store) == [("advance.drink", 3, 1)]


def test_rules_that_act_are_not_on_trial(store, tmp_path):
    """What flags or holds is in the ledger, not in the counts of trials; nor is a draft, which never runs."""
    rules = {"advance__drink": drink(), "warmth__lunch": lunch(status="draft")}
    recorded(store, tmp_path, "Fancy a drink? We have lunch.", **rules)
    assert counted(store) == []


def test_words_of_others_are_not_counted(store, tmp_path):
    """Quoted words only inform, whatever the status of the rule: they say nothing about it."""
    rules = {"advance__drink": drink(), "warmth__lunch": lunch(status="shadow")}
    recorded(store, tmp_path, 'He said "fancy a drink" and "have lunch" to you.', **rules)
    assert counted(store) == []


def test_a_message_that_comes_again_counts_once(store, tmp_path):
    """A retry of the same message adds nothing."""
    rules = {"advance__drink": drink(status="shadow")}
    for _ in range(2):
        recorded(store, tmp_path, "Fancy a drink?", **rules)
    recorded(store, tmp_path, "Fancy a drink?", number=2, **rules)
    assert counted(store) == [("advance.drink", 1, 2)]
