"""What the smarthost said of a delivery is written in a few statements, for however many recipients."""

import pytest
from stores import NOW, a_delivery

from gateway.errors import Refused
from gateway.store import outbox, records
from gateway.store.rows import RecipientState
from gateway.store.statements import Prepared


def put(store, **changes):
    new = a_delivery(**changes)
    return store.write_now(lambda tx: outbox.queue_delivery(tx, new, NOW))


def get(store, delivery_id):
    return store.read_now(lambda tx: outbox.delivery(tx, delivery_id))


def executed(store, job):
    """Run ``job`` and return how many statements the driver was given, those behind SQLAlchemy's back too."""
    number = 0

    def counted(make):
        def run(*arguments):
            nonlocal number
            number += 1
            return make(*arguments)

        return run

    def count(tx):
        with pytest.MonkeyPatch.context() as patch:
            for name in ("run", "run_for_each"):
                patch.setattr(Prepared, name, counted(getattr(Prepared, name)))
            patch.setattr(type(tx.connection), "execute", counted(type(tx.connection).execute))
            job(tx)

    store.write_now(count)
    return number


def test_the_answers_of_a_delivery_cost_as_many_statements_as_one(store):
    """A notice to three hundred people does not hold the write lock for fifteen hundred statements; each copy counts."""
    many = put(store, recipients=tuple(f"p{number}@mail.example" for number in range(300)))
    single = put(store)
    store.write_now(lambda tx: outbox.record_results(tx, many, [(7, RecipientState.SENT, "250 ok")], NOW))
    answers = [(number, RecipientState.SENT, f"250 {number}") for number in range(299)]
    answers += [(299, RecipientState.FAILED, "550 no")]
    before = int(store.read_now(lambda tx: records.fact(tx, "outbox_mark")))
    begun = executed(store, lambda tx: outbox.record_results(tx, many, answers, NOW))
    assert begun == executed(
        store, lambda tx: outbox.record_results(tx, single, [(0, RecipientState.SENT, "250")], NOW)
    )
    assert int(store.read_now(lambda tx: records.fact(tx, "outbox_mark"))) == before + 299
    found = get(store, many).recipients
    assert [one.last_reply for one in found[6:9]] == ["250 6", "250 ok", "250 8"]
    assert [(one.state, one.last_reply) for one in found[298:]] == [
        (RecipientState.SENT, "250 298"),
        (RecipientState.FAILED, "550 no"),
    ]
    assert executed(store, lambda tx: outbox.record_results(tx, many, answers[:9], NOW)) == 1, (
        "nothing is new"
    )
    assert int(store.read_now(lambda tx: records.fact(tx, "outbox_mark"))) == before + 299


def test_answers_of_which_one_is_of_nobody_change_nothing(store):
    """All of them or none: the delivery is told wrong."""
    delivery_id = put(store)
    answers = [(0, RecipientState.SENT, "250"), (1, RecipientState.SENT, "250")]
    with pytest.raises(Refused, match="no recipient 1"):
        store.write_now(lambda tx: outbox.record_results(tx, delivery_id, answers, NOW))
    assert get(store, delivery_id).pending
