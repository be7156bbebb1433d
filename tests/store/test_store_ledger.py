"""The ledger: a message counts once, when it was taken or held, and only for its own officer and contacts."""

import pytest
from stores import NOW, a_ledger_entry, after, an_item

from gateway.model import Action, History, PersonId, StaffId
from gateway.store import items, ledger, records
from gateway.store.rows import Outcome


def put(store, **changes):
    entry = a_ledger_entry(**changes)
    assert store.write_now(lambda tx: ledger.add(tx, entry))
    return entry


def history(store, officer="s1", persons=("p1",), at=NOW, days=90, **named):
    return store.read_now(lambda tx: ledger.history(tx, officer, map(PersonId, persons), at, days, **named))


def test_an_entry_comes_back_as_it_was_given(store):
    """Every field survives, doubles of persons and categories once."""
    entry = put(store, persons=("p2", "p1", "p2"), categories=("flirting", "contact", "flirting"))
    found = store.read_now(lambda tx: ledger.by_retry_key(tx, entry.retry_key))
    assert found.persons == ("p1", "p2")
    assert found.categories == ("contact", "flirting")
    for name in ("id", "at", "officer", "case_refs", "thread", "sha256", "action", "outcome"):
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
    put(store, categories=("flirting", "contact"), persons=("p1", "p2"))
    put(store, persons=("p2",), at=after(days=-89))
    put(store, officer=StaffId("s2"))
    put(store, persons=("p3",))
    put(store, at=after(days=-91))
    put(store, at=after(seconds=1))
    put(store, categories=())
    assert history(store) == History(earlier={"flirting": 1, "contact": 1}, days=90)
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
    assert history(store, persons=()) == History(earlier={}, days=90)


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
    assert store.write_now(lambda tx: ledger.settle(tx, after(hours=-1), NOW)) == 1
    assert history(store).earlier == {"flirting": 1}


def test_pruning_forgets_keys_and_rows_in_their_time_and_nothing_else(store):
    """Retry keys go after 5 days, ledger rows after 90; items stay."""
    young = put(store)
    middle = put(store, at=after(days=-6))
    put(store, at=after(days=-91))
    new = an_item(held_at=after(days=-400))
    store.write_now(lambda tx: items.add_item(tx, new))
    pruned = store.write_now(lambda tx: records.prune(tx, NOW, retry_key_days=5, history_days=90))
    assert pruned == records.Pruned(retry_keys=3, ledger_rows=1)
    assert store.read_now(lambda tx: ledger.by_retry_key(tx, young.retry_key)) is not None
    assert store.read_now(lambda tx: ledger.by_retry_key(tx, middle.retry_key)) is None
    assert history(store).earlier == {"flirting": 2}
    assert history(store, days=400).earlier == {"flirting": 2}
    assert store.read_now(lambda tx: items.item(tx, new.id)) is not None
    again = store.write_now(lambda tx: records.prune(tx, NOW, retry_key_days=5, history_days=90))
    assert again == records.Pruned(retry_keys=0, ledger_rows=0)
