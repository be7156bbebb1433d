"""What is forgotten in time: in short steps from where the last run came to, by one process, whoever is killed."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select, update
from stores import NOW, a_delivery, a_ledger_entry, after, an_item

from gateway.cli import housekeeping
from gateway.errors import NotStored
from gateway.model import Event, OutboxKind, StaffId
from gateway.store import Store, items, ledger, outbox, records, retention
from gateway.store.retention import Pruned, Run, Terms
from gateway.store.rows import DeliveryState, Outcome
from gateway.store.schema import audit_entries, audit_payloads, outbox_recipients
from gateway.store.schema import ledger as ledger_table
from gateway.store.schema import outbox as outbox_table

TERMS = Terms(retry_keys=5, ledger_rows=90, weak_cues=30)


def put(store, **changes):
    entry = a_ledger_entry(**changes)
    assert store.write_now(lambda tx: ledger.add(tx, entry))
    return entry


def begin(store, at=NOW, terms=TERMS, by="a"):
    return store.write_now(lambda tx: retention.begin(tx, by, at, terms))


def step(store, run, rows=retention.PAGE_ROWS):
    return store.write_now(lambda tx: retention.step(tx, run, run.at, rows=rows))


def keep_house(store, at=NOW, terms=TERMS, rows=retention.PAGE_ROWS):
    """Go through one run and return what it forgot."""
    run = begin(store, at, terms)
    assert isinstance(run, Run)
    while not run.is_through:
        run = step(store, run, rows)
    return store.write_now(lambda tx: retention.finish(tx, run, at))


def left(store):
    """Return of each row, oldest first, its time, whether it has a key, its weak cues and its outcome."""
    columns = ledger_table.c.at, ledger_table.c.retry_key, ledger_table.c.weak, ledger_table.c.outcome
    rows = store.read_now(lambda tx: tx.connection.execute(select(*columns).order_by(columns[0])).all())
    return [(row.at, row.retry_key is not None, row.weak, Outcome(row.outcome)) for row in rows]


def outcome_of(store, entry):
    query = select(ledger_table.c.outcome).where(ledger_table.c.id == entry.id)
    return store.read_now(lambda tx: tx.connection.scalar(query))


def marks(store):
    kept = json.loads(store.read_now(lambda tx: records.fact(tx, "retention")))
    return {name: datetime.fromisoformat(at) for name, at in kept["marks"].items()}


class Rows:
    """Counts the rows that each transaction changed in the ledger and what it depends on."""

    def __init__(self, store):
        self.most = self.changed = 0
        self._now = 0

        @event.listens_for(store.engine, "after_cursor_execute")
        def _count(connection, cursor, statement, parameters, context, executemany):
            if statement.startswith(("UPDATE", "DELETE")):
                self._now += cursor.rowcount

        @event.listens_for(store.engine, "commit")
        def _end(connection):
            self.most = max(self.most, self._now)
            self.changed += self._now
            self._now = 0


# --- what is forgotten --------------------------------------------------------------------------------------


def test_keys_cues_and_rows_go_in_their_time_and_nothing_else(store):
    """Retry keys go after 5 days, weak cues after 30, ledger rows after 90, of items the keys alone."""
    for days in (0, 6, 31, 91):
        put(store, at=after(days=-days), weak=("w",))
    new = an_item(held_at=after(days=-400))
    store.write_now(lambda tx: items.add_item(tx, new))
    assert keep_house(store) == Pruned(retry_keys=4, ledger_rows=1, weak_cues=2)
    assert left(store) == [
        (after(days=-31), False, "", Outcome.ACCEPTED),
        (after(days=-6), False, "w", Outcome.ACCEPTED),
        (NOW, True, "w", Outcome.ACCEPTED),
    ]
    assert store.read_now(lambda tx: items.item(tx, new.id)) is not None
    assert store.read_now(lambda tx: items.item_by_retry_key(tx, new.retry_key)) is None
    assert keep_house(store, after(hours=1)) == Pruned()


def test_the_bound_is_the_one_of_the_settings_to_the_microsecond(store):
    """What is just as old as the settings say is kept; a microsecond more is too old."""
    instant = timedelta(microseconds=1)
    for days in (5, 30, 90):
        put(store, at=after(days=-days), weak=("w",))
        put(store, at=after(days=-days) - instant, weak=("w",))
    keep_house(store)
    assert left(store) == [
        (after(days=-90), False, "", Outcome.ACCEPTED),
        (after(days=-30) - instant, False, "", Outcome.ACCEPTED),
        (after(days=-30), False, "w", Outcome.ACCEPTED),
        (after(days=-5) - instant, False, "w", Outcome.ACCEPTED),
        (after(days=-5), True, "w", Outcome.ACCEPTED),
    ]


def queue(store, at, kind, *, about_an_item=False, state=DeliveryState.SENT):
    """Have a delivery of long ago that came to ``state``, and return its id."""
    item = an_item(held_at=at) if about_an_item else None
    if item is not None:
        store.write_now(lambda tx: items.add_item(tx, item))
    new = a_delivery(kind=kind, item_id=item.id if item else None)
    one = store.write_now(lambda tx: outbox.queue_delivery(tx, new, at))
    store.write_now(
        lambda tx: tx.connection.execute(
            update(outbox_table).where(outbox_table.c.id == one).values(state=state)
        )
    )
    return one


def test_notices_go_in_their_time_and_releases_never(store):
    """Delivered notices and calls, and digests that failed; what waits, a failed alarm, releases and returns stay."""
    terms, old, item = replace(TERMS, notices=60), after(days=-61), {"about_an_item": True}
    for _ in range(3):
        queue(store, old, OutboxKind.NOTICE)
    queue(store, old, OutboxKind.NOTICE, state=DeliveryState.FAILED)
    queue(store, old, OutboxKind.NOTICE, **item)
    queue(store, old, OutboxKind.WEBHOOK, **item)
    stays = {
        queue(store, after(days=-59), OutboxKind.NOTICE),
        queue(store, old, OutboxKind.NOTICE, state=DeliveryState.QUEUED),
        queue(store, old, OutboxKind.NOTICE, state=DeliveryState.FAILED, **item),
        queue(store, old, OutboxKind.RETURN, **item),
        queue(store, old, OutboxKind.RELEASE, **item),
        queue(store, old, OutboxKind.RELEASE, state=DeliveryState.FAILED, **item),
    }
    assert keep_house(store).notices == 0, "without a term they are kept"
    assert keep_house(store, after(minutes=1), terms=terms, rows=2).notices == 6
    assert {one.id for one in store.read_now(outbox.list_deliveries)} == stays
    rows = store.read_now(lambda tx: set(tx.connection.scalars(select(outbox_recipients.c.outbox_id))))
    assert rows == stays
    assert keep_house(store, after(hours=2), terms=terms) == Pruned()


def test_what_an_older_version_wrote_of_its_run_is_understood(store):
    """It knew no term for notices: a run is due at once."""
    keep_house(store)
    kept = json.loads(store.read_now(lambda tx: records.fact(tx, "retention")))
    del kept["terms"]["notices"]
    store.write_now(lambda tx: records.set_fact(tx, "retention", json.dumps(kept)))
    assert isinstance(begin(store, after(minutes=1), terms=replace(TERMS, notices=60)), Run)


def test_each_hour_forgets_what_became_too_old_in_it(store):
    """Run after run, a row goes with the first run that finds it too old, never before."""
    for hours in range(6):
        put(store, at=after(days=-90, hours=hours))
    for hours in range(6):
        keep_house(store, after(hours=hours, minutes=30))
        assert [row[0] for row in left(store)] == [
            after(days=-90, hours=later) for later in range(hours + 1, 6)
        ]


def test_what_a_crash_left_unanswered_becomes_unknown(store):
    """Offers of more than an hour ago are settled; young ones may still be in flight, until the next run."""
    old = put(store, outcome=Outcome.OFFERED, at=after(hours=-2))
    young = put(store, outcome=Outcome.OFFERED)
    keep_house(store)
    assert [outcome_of(store, one) for one in (old, young)] == [Outcome.UNKNOWN, Outcome.OFFERED]
    keep_house(store, after(hours=1, seconds=1))
    assert outcome_of(store, young) == Outcome.UNKNOWN


@pytest.mark.parametrize("days", [0.5, 4.9, 5.0])
def test_a_message_that_is_judged_again_behind_the_mark_is_settled_too(store, days):
    """While its retry key is there a settled message may be offered again, and lost again, with cues again."""
    terms = replace(TERMS, retry_keys=5, weak_cues=1)
    entry = put(store, outcome=Outcome.OFFERED, at=after(days=-days), weak=("w",))
    keep_house(store, terms=terms)
    assert outcome_of(store, entry) == Outcome.UNKNOWN
    again = a_ledger_entry(retry_key=entry.retry_key, outcome=Outcome.OFFERED, weak=("v",))
    store.write_now(lambda tx: ledger.judge_again(tx, again))
    assert outcome_of(store, entry) == Outcome.OFFERED
    keep_house(store, after(days=6), terms=terms)
    assert left(store) == [(entry.at, False, "", Outcome.UNKNOWN)]


def test_a_row_that_was_being_written_when_the_mark_passed_is_met(store):
    """Marks are followed at a day's distance: a row that came late, by a clock that was wrong, is not missed."""
    keep_house(store)
    put(store, at=after(days=-5, hours=-23))
    assert keep_house(store, after(hours=1)).retry_keys == 1


def test_a_clock_that_was_ahead_leaves_nothing_behind(store):
    """A run that took it for next year puts its marks there; the next one puts them back where they belong."""
    keep_house(store, after(days=365))
    put(store, at=after(days=-1), outcome=Outcome.OFFERED, weak=("w",))
    keep_house(store)
    assert all(at <= NOW for at in marks(store).values())
    assert keep_house(store, after(days=31)) == Pruned(retry_keys=1, weak_cues=1)
    assert left(store) == [(after(days=-1), False, "", Outcome.UNKNOWN)]


# --- how much a run looks at --------------------------------------------------------------------------------


def test_a_step_changes_no_more_rows_than_a_page(store):
    """However much there is to forget, as after an upgrade, no transaction holds more than a page of it."""
    for number in range(25):
        put(store, at=after(days=-200, seconds=number), weak=("w",), outcome=Outcome.OFFERED)
    rows = Rows(store)
    pruned = keep_house(store, rows=4)
    assert pruned == Pruned(retry_keys=25, ledger_rows=25, weak_cues=25)
    assert rows.most <= 4
    assert rows.changed == 100
    assert left(store) == []


def test_more_than_a_page_of_one_moment_is_gone_through(store):
    """Rows of the same microsecond cannot be told apart by time: they are one page, and the run goes on behind them."""
    for days in (91, 91, 91, 91, 90.5, 1):
        put(store, at=after(days=-days))
    assert keep_house(store, rows=2) == Pruned(retry_keys=5, ledger_rows=5)
    assert [row[0] for row in left(store)] == [after(days=-1)]


def test_a_later_run_begins_where_the_last_one_came_to(store):
    """Rows that were gone through are not looked at again: not even ones that would be changed."""
    entry = put(store, at=after(days=-60))
    young = put(store, at=after(days=-7), weak=("w",))
    keep_house(store)
    assert marks(store) == {
        "item_keys": after(days=-5),
        "ledger_keys": after(days=-5),
        "offers": after(days=-5),
        "weak_cues": after(days=-30),
    }
    values = {"retry_key": "k", "weak": "w", "outcome": Outcome.OFFERED}
    store.write_now(
        lambda tx: tx.connection.execute(
            update(ledger_table).where(ledger_table.c.id == entry.id).values(values)
        )
    )
    assert keep_house(store, after(hours=1)) == Pruned()
    assert left(store)[0] == (entry.at, True, "w", Outcome.OFFERED)
    assert marks(store)["weak_cues"] == after(days=-30, hours=1)
    assert keep_house(store, after(days=25)) == Pruned(weak_cues=1), "the mark goes on"
    assert left(store)[1] == (young.at, False, "", Outcome.ACCEPTED)


def test_a_killed_run_is_taken_up_where_it_was(store):
    """What was committed is not done again; what is reported at the end has all of it, once."""
    for number in range(10):
        put(store, at=after(days=-20, hours=number))
    run = begin(store)
    for _ in range(3):  # all items, and two pages of keys
        run = step(store, run, rows=4)
    assert (run.chore, run.since) == (1, after(days=-20, hours=8))
    assert sum(row[1] for row in left(store)) == 2
    assert begin(store, by="b") == after(minutes=5), "a killed process holds up others for a lease"
    run = begin(store, after(minutes=5), by="b")
    assert isinstance(run, Run)
    assert marks(store)["ledger_keys"] == after(days=-20, hours=8)
    while not run.is_through:
        run = step(store, run, rows=4)
    assert store.write_now(lambda tx: retention.finish(tx, run, run.at)) == Pruned(retry_keys=10)
    assert not any(row[1] for row in left(store))


@pytest.mark.parametrize(
    ("shorter", "pruned"),
    [
        ({"retry_keys": 1}, Pruned(retry_keys=3)),
        ({"weak_cues": 10}, Pruned(weak_cues=2)),
        ({"ledger_rows": 20}, Pruned(ledger_rows=1)),
        (
            {"retry_keys": 1, "weak_cues": 1, "ledger_rows": 3},
            Pruned(retry_keys=3, weak_cues=5, ledger_rows=4),
        ),
    ],
)
def test_shortened_retention_forgets_older_rows_at_once(store, shorter, pruned):
    """A run is due as soon as the settings change, and goes back to where the longer ones had come."""
    for days in (2, 3.5, 4, 12, 25):
        put(store, at=after(days=-days), weak=("w",))
    assert keep_house(store) == Pruned(retry_keys=2)
    rows = Rows(store)
    assert keep_house(store, after(minutes=1), terms=replace(TERMS, **shorter), rows=1) == pruned
    assert rows.most == 1


def test_lengthened_retention_keeps_what_is_there(store):
    """The marks go back to the new bound, and forward again from there."""
    put(store, at=after(days=-4), weak=("w",))
    keep_house(store)
    longer = replace(TERMS, retry_keys=10, weak_cues=60)
    assert keep_house(store, after(days=5), terms=longer) == Pruned()
    assert marks(store)["ledger_keys"] == after(days=-5)
    assert keep_house(store, after(days=6, seconds=1), terms=longer) == Pruned(retry_keys=1)


# --- several processes --------------------------------------------------------------------------------------


def test_one_process_keeps_house_at_a_time_and_once_an_hour(store):
    """The others come back when the lease or the hour is over, and a run that was lost changes nothing more."""
    run = begin(store)
    assert begin(store, after(minutes=1), by="b") == after(minutes=5)
    taken = begin(store, after(minutes=6), by="b")
    assert isinstance(taken, Run)
    put(store, at=after(days=-100))
    assert step(store, run) is None
    assert store.write_now(lambda tx: retention.finish(tx, run, NOW)) is None
    assert len(left(store)) == 1
    while not taken.is_through:
        taken = step(store, taken)
    assert store.write_now(lambda tx: retention.finish(tx, taken, after(minutes=7))).ledger_rows == 1
    assert begin(store, after(minutes=8), by="c") == after(minutes=67)
    assert begin(store, after(minutes=66), by="b") == after(minutes=67)
    assert isinstance(begin(store, after(minutes=67), by="c"), Run)


def test_a_lease_or_an_end_from_the_future_holds_nobody_up(store):
    """A clock that was ahead when it was written must not stop the house from being kept."""
    begin(store, after(days=9), by="b")
    keep_house(store)
    keep_house(store, after(days=9))
    assert isinstance(begin(store, by="b"), Run)


# --- as serve does it ---------------------------------------------------------------------------------------


def pruned_events(store):
    query = (
        select(audit_payloads.c.payload)
        .join(audit_entries, audit_entries.c.seq == audit_payloads.c.seq)
        .where(audit_entries.c.event == Event.LEDGER_PRUNED)
    )
    return [json.loads(one) for one in store.read_now(lambda tx: tx.connection.scalars(query).all())]


async def once(store, by="a"):
    terms = Terms.of(store.settings, notices_days=90)
    return await housekeeping.keep_house_once(store, terms, by=by, actor="serve", pause_s=0)


async def test_a_run_is_recorded_once_with_its_numbers(store):
    """The audit log says how much was forgotten, in one entry a run, and nothing of a run that forgot nothing."""
    for number in range(3):
        put(store, at=after(days=-2000, seconds=number), weak=("w",), officer=StaffId("s1"))
    assert await once(store) == 3600
    assert pruned_events(store) == [{"retry_keys": 3, "ledger_rows": 3, "weak_cues": 3, "notices": 0}]
    assert 3500 < await once(store, by="b") <= 3600
    store.write_now(lambda tx: records.set_fact(tx, "retention", None))
    assert await once(store) == 3600
    assert len(pruned_events(store)) == 1


async def test_a_run_that_met_trouble_is_taken_up_with_its_numbers(store, monkeypatch):
    """The database fails in the middle: what was forgotten until then is in the entry of the run that goes on."""
    put(store, at=after(days=-2000))
    delete_rows = ledger.delete_rows

    def fail(*arguments):
        raise NotStored("the store failed: disk full")

    monkeypatch.setattr(ledger, "delete_rows", fail)
    with pytest.raises(NotStored):
        await once(store)
    assert pruned_events(store) == []
    monkeypatch.setattr(ledger, "delete_rows", delete_rows)
    await once(store)
    assert pruned_events(store) == [{"retry_keys": 1, "ledger_rows": 1, "weak_cues": 0, "notices": 0}]


async def test_two_processes_that_start_at_once_forget_everything_once(settings):
    """Both look; one keeps house."""
    patient = settings.model_copy(update={"busy_timeout_s": 20.0})
    with Store.open(patient) as one, Store.open(patient) as other:
        for number in range(5):
            put(one, at=after(days=-2000, seconds=number))
        await asyncio.gather(once(one, "a"), once(other, "b"))
        assert pruned_events(one) == [{"retry_keys": 5, "ledger_rows": 5, "weak_cues": 0, "notices": 0}]
