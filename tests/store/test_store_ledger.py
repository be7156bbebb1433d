"""The ledger: a message counts once, when it was taken or held, and only for its own officer and contacts."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from stores import NOW, REACH, a_ledger_entry, after

from gateway.model import Action, History, PersonId, StaffId
from gateway.store import ledger, schema
from gateway.store.rows import Outcome
from gateway.store.sealing import MARK_BYTES


def put(store, **changes):
    entry = a_ledger_entry(**changes)
    assert store.write_now(lambda tx: ledger.add(tx, entry))
    return entry


def history(store, officer="s1", persons=("p1",), at=NOW, days=90, most=200, **named):
    reach = replace(REACH, days=days, most=most)
    officers = () if officer is None else (officer,)
    return store.read_now(lambda tx: ledger.history(tx, officers, map(PersonId, persons), at, reach, **named))


def test_an_entry_comes_back_as_it_was_given(store):
    """Every field survives, doubles of persons and categories once."""
    entry = put(store, persons=("p2", "p1", "p2"), rules=("b.x", "a.x", "b.x"), refused=True, weak=("w",))
    found = store.read_now(lambda tx: ledger.by_retry_key(tx, entry.retry_key))
    assert found.persons == ("p1", "p2")
    assert found.rules == ("a.x", "b.x")
    for name in (
        "id",
        "at",
        "officer",
        "case_refs",
        "traits",
        "sha256",
        "action",
        "outcome",
        "refused",
        "weak",
    ):
        assert getattr(found, name) == getattr(entry, name)
    assert store.read_now(lambda tx: ledger.by_retry_key(tx, "another")) is None


def test_a_retry_adds_no_row(store):
    """The same retry key is the same message."""
    entry = put(store)
    twin = a_ledger_entry(retry_key=entry.retry_key)
    assert store.write_now(lambda tx: ledger.add(tx, twin)) is False
    assert history(store).earlier == {"flirting": 1}


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (Outcome.ACCEPTED, True),
        (Outcome.HELD, True),
        (Outcome.UNKNOWN, True),
        (Outcome.OFFERED, False),
        (Outcome.REFUSED, False),
    ],
)
def test_only_what_the_contact_got_or_may_get_counts(store, outcome, counts):
    """Taken, held, or perhaps taken: counted. Refused, or not answered yet: not."""
    put(store, outcome=outcome)
    assert history(store).earlier == ({"flirting": 1} if counts else {})


def test_history_is_of_this_officer_and_these_contacts_in_the_window(store):
    """Other officers, other contacts, older and later messages do not count; several categories do."""
    put(store, rules=("flirting.wink", "flirting.blink", "contact.x"), persons=("p1", "p2"))
    put(store, persons=("p2",), at=after(days=-89))
    put(store, officer=StaffId("s2"))
    put(store, persons=("p3",))
    put(store, at=after(days=-91))
    put(store, at=after(seconds=1))
    put(store, rules=())
    assert history(store).earlier == {"flirting": 1, "contact": 1}
    assert history(store, persons=("p1", "p2")).earlier == {"flirting": 2, "contact": 1}
    assert history(store, days=120).earlier["flirting"] == 2
    assert history(store, at=after(hours=1)).earlier["flirting"] == 2


def test_a_message_is_not_its_own_history(store):
    """A retry of a message that was taken once does not count itself."""
    entry = put(store)
    assert history(store, retry_key=entry.retry_key).earlier == {}
    assert history(store, retry_key="another").earlier == {"flirting": 1}


def test_strangers_have_no_history(store):
    """An unknown officer is nobody in particular; nobody's messages are not joined."""
    put(store, officer=None)
    assert history(store, officer=None) == History(earlier={}, days=90)
    assert history(store, persons=()).earlier == {}


def test_an_outcome_is_recorded_and_success_is_final(store):
    """Offered becomes refused, then accepted by a retry; nothing later takes that back, nor a hold."""
    entry = put(store, outcome=Outcome.OFFERED)
    held = put(store, outcome=Outcome.HELD, action=Action.HOLD)

    def set_to(one, outcome):
        return store.write_now(lambda tx: ledger.set_outcome(tx, one.id, outcome, NOW))

    assert [set_to(entry, outcome) for outcome in (Outcome.REFUSED, Outcome.ACCEPTED, Outcome.REFUSED)] == [
        True, True, False,
    ]  # fmt: skip
    assert set_to(held, Outcome.REFUSED) is False
    assert store.write_now(lambda tx: ledger.set_outcome(tx, "nowhere", Outcome.REFUSED, NOW)) is False
    assert history(store).earlier == {"flirting": 2}


def test_an_outcome_can_be_recorded_by_the_retry_key(store):
    """What the pipeline knows of a message is its retry key; success and holds are final here too."""
    entry = put(store, outcome=Outcome.OFFERED)
    other = put(store, outcome=Outcome.OFFERED)
    held = put(store, outcome=Outcome.HELD, action=Action.HOLD)

    def set_to(one, outcome):
        return store.write_now(lambda tx: ledger.set_outcome_by_key(tx, one.retry_key, outcome, NOW))

    assert set_to(entry, Outcome.ACCEPTED)
    assert not set_to(entry, Outcome.REFUSED)
    assert not set_to(held, Outcome.REFUSED)
    outcomes = [
        store.read_now(lambda tx, key=one.retry_key: ledger.by_retry_key(tx, key)).outcome
        for one in (entry, other, held)
    ]
    assert outcomes == [Outcome.ACCEPTED, Outcome.OFFERED, Outcome.HELD]
    assert store.write_now(lambda tx: ledger.set_outcome_by_key(tx, "nowhere", Outcome.REFUSED, NOW)) is False


def test_what_a_crash_left_unanswered_becomes_unknown(store):
    """Old offers are settled; young ones may still be in flight."""
    put(store, outcome=Outcome.OFFERED, at=after(hours=-2))
    put(store, outcome=Outcome.OFFERED)
    assert store.write_now(lambda tx: ledger.settle(tx, after(days=-9), after(hours=-1), NOW)) == 1
    assert history(store).earlier == {"flirting": 1}


def test_mail_of_the_pair_comes_newest_first_with_its_traits(store):
    """Of every mail to the contact: when, whether it is the officer's own, its traits, and a refusal in it."""
    own = put(store, at=after(days=-2), refused=True)
    other = put(store, officer=StaffId("s2"), at=after(days=-1), persons=("p1", "p2"))
    put(store, at=after(days=-91))
    put(store, outcome=Outcome.REFUSED)
    sent = history(store).sent
    assert [(mail.at, mail.own, mail.refused) for mail in sent] == [
        (other.at, False, False),
        (own.at, True, True),
    ]
    assert {mail.traits for mail in sent} == {own.traits}
    assert {mail.contact for mail in sent} == {"p1"}
    assert len(history(store, persons=("p1", "p2")).sent) == 3
    assert [mail.at for mail in history(store, most=1).sent] == [other.at]


def test_findings_of_the_officer_are_known_across_contacts_for_as_long_as_the_ledger_goes(store):
    """A pattern needs the officer's findings with everybody, in a year; other officers' are theirs."""
    first = put(store, persons=("p7", "p8"), at=after(days=-365), rules=("a.x", "b.y"))
    put(store, persons=("p9",), at=after(days=-401))
    put(store, officer=StaffId("s2"))
    found = history(store).found
    assert [(one.rule, one.category, one.contacts) for one in found] == [
        ("a.x", "a", ("p7", "p8")),
        ("b.y", "b", ("p7", "p8")),
    ]
    assert {(one.message, one.at) for one in found} == {(first.id, first.at)}
    assert history(store).earlier == {}


def test_everybody_a_message_claims_to_come_from_counts(store):
    """Mail of both claimed officers is the message's own history."""
    put(store)
    put(store, officer=StaffId("s2"))
    both = store.read_now(lambda tx: ledger.history(tx, ("s1", "s2", "s1"), ("p1",), NOW, REACH))
    assert both.earlier == {"flirting": 2}
    assert [mail.own for mail in both.sent] == [True, True]


def test_weak_cues_are_one_bit_a_pair_and_category_for_their_days(store):
    """The officer's own, with this contact, in ninety days; then they are emptied and the rows stay."""
    put(store, weak=("warmth", "secrecy"), at=after(days=-3))
    put(store, weak=("warmth",), at=after(days=-2))
    put(store, weak=("lost",), at=after(days=-91))
    put(store, weak=("theirs",), officer=StaffId("s2"))
    put(store, weak=("elsewhere",), persons=("p2",))
    assert history(store, days=200).weak == ("secrecy", "warmth")
    assert store.write_now(lambda tx: ledger.forget_weak_cues(tx, after(days=-400), after(days=-90))) == 1
    assert len(history(store, days=200).sent) == 4


def test_a_later_verdict_replaces_what_is_remembered(store):
    """A retry that was judged again has the rules of its latest verdict, at the time of its first."""
    entry = put(store, outcome=Outcome.REFUSED, at=after(days=-1), weak=("w",))
    again = a_ledger_entry(retry_key=entry.retry_key, rules=("secrecy.x",), refused=True)
    store.write_now(lambda tx: ledger.judge_again(tx, again))
    (found,) = history(store).found
    assert (found.rule, found.at, found.message) == ("secrecy.x", entry.at, entry.id)
    assert history(store).sent[0].refused
    assert history(store).weak == ()


LINES = tuple(f"{number:032x}" for number in range(3))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_lines_that_the_contact_has_are_known(store, outcome):
    """A quote of what the smarthost took is known again; what was held, refused or lost was never hers to quote."""
    put(store, outcome=outcome, lines=LINES[:2])
    known = history(store, quoted=(LINES[2], LINES[1])).sent_lines
    assert known == ((LINES[1],) if outcome is Outcome.ACCEPTED else ())


def test_lines_are_known_of_everybody_who_gets_the_quote(store):
    """A line that went to one of two contacts is new to the other; one from a colleague is ours too, one too old is not."""
    put(store, persons=("p1", "p2"), lines=LINES[:1], officer=StaffId("s2"))
    put(store, persons=("p1",), lines=LINES[1:2])
    put(store, persons=("p1",), lines=LINES[2:], at=after(days=-91))
    assert history(store, quoted=LINES).sent_lines == LINES[:2]
    assert history(store, persons=("p1", "p2"), quoted=LINES).sent_lines == LINES[:1]
    assert history(store, persons=("p3",), quoted=LINES).sent_lines == ()
    assert history(store).sent_lines == ()


def test_lines_are_kept_as_marks_under_a_key(store):
    """The database has nothing by which a sentence could be guessed without the key."""
    put(store, lines=LINES)
    (kept,) = store.read_now(lambda tx: tx.connection.scalars(select(schema.ledger.c.lines)).all())
    assert len(kept) == 3 * MARK_BYTES
    assert kept == b"".join(map(store.keys.mark, LINES))
    assert all(bytes.fromhex(line)[:MARK_BYTES] not in kept for line in LINES)
