"""What is asked often is found by an index, however long the store has been kept: as the database says it would go about it."""

import pytest
from sqlalchemy import event, insert, update
from stores import NOW, after, an_item

from gateway import audit
from gateway.model import Event, ItemKind, ItemState, StaffId
from gateway.store import chain, items, queue, records, related, trials
from gateway.store.instants import instant_text
from gateway.store.rows import RuleSetRow
from gateway.store.schema import ABOUT_RULES, audit_entries, rule_sets
from gateway.store.schema import items as items_table

RULES = (Event.RULES_LOADED, Event.RULES_REFUSED, Event.RULE_PROMOTED)


def plans(store, job):
    """Run ``job`` and return how the database goes about each of its questions, values bound as they are for real."""
    asked = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def _note(connection, cursor, statement, parameters, context, many):
        if statement.lstrip().startswith("SELECT"):
            asked.append((statement, parameters))

    store.read_now(job)
    event.remove(store.engine, "before_cursor_execute", _note)
    word = "EXPLAIN QUERY PLAN" if store.engine.dialect.name == "sqlite" else "EXPLAIN"
    return [
        " ".join(
            str(row[-1])
            for row in store.read_now(
                lambda tx, sql=sql, values=values: tx.connection.exec_driver_sql(
                    f"{word} {sql}", values
                ).all()
            )
        )
        for sql, values in asked
    ]


@pytest.fixture
def years(store):
    """A store with ten thousand entries about mail, between them ten about rules; and sets with large bundles."""
    events = [Event.ITEM_VIEWED] * 1000
    entries = [
        {"seq": seq, "at": instant_text(NOW), "event": named, "actor": "relay", "subject": f"set {seq}",
         "commitment": "", "prev": "", "hash": ""}
        for seq, named in enumerate([one for number in range(10) for one in (*events, RULES[number % 3])], 1)
    ]  # fmt: skip
    sets = [
        {"hash": f"{number:064}", "bundle": "x" * 50_000, "at": after(minutes=number), "by": "author"}
        for number in range(50)
    ]

    def job(tx):
        tx.connection.execute(insert(audit_entries), entries)
        tx.connection.execute(insert(rule_sets), sets)

    store.write_now(job)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if store.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")
    return store


def test_the_rules_in_force_are_found_without_a_walk_past_the_bundles(years):
    """`serve` asks every second: one step down an index that has all that is asked for."""
    (plan,) = plans(years, records.latest_rules_hash)
    assert "TEMP B-TREE" not in plan
    if years.engine.dialect.name == "sqlite":
        assert "COVERING INDEX ix_rule_sets_at" in plan
    assert years.read_now(records.latest_rules_hash) == f"{49:064}"
    asked = plans(years, records.latest_rule_set)
    assert not any("TEMP B-TREE" in plan for plan in asked)
    assert "SCAN" not in asked[1]


def test_of_sets_of_one_moment_both_questions_take_the_same(store):
    """What is in force does not depend on who asks."""
    for letter in "bca":
        new = RuleSetRow(hash=letter * 64, bundle="{}", at=NOW, by="author")
        store.write_now(lambda tx, new=new: records.save_rule_set(tx, new))
    latest = store.read_now(records.latest_rule_set)
    assert latest.hash == store.read_now(records.latest_rules_hash)


def test_what_the_audit_log_says_of_rules_is_found_by_their_index(years):
    """The first look at a rule page reads a few entries, not the whole chain."""
    for job in (
        lambda tx: chain.rows_about_rules(tx, limit=200),
        lambda tx: tuple(trials.in_force(tx)),
    ):
        (plan,) = plans(years, job)
        assert "ix_audit_entries_rules" in plan
        assert "SCAN audit_payloads" not in plan


def test_the_entries_about_rules_are_the_last_in_order(years):
    """Those three events and no other; with a limit, the latest."""
    found = years.read_now(lambda tx: audit.entries_about_rules(tx, limit=200))
    assert [row.seq for row in found] == [1001 * number for number in range(1, 11)]
    assert {row.event for row in found} == set(RULES)
    assert years.read_now(lambda tx: audit.entries_about_rules(tx, limit=2)) == found[-2:]
    loaded = years.read_now(lambda tx: tuple(trials.in_force(tx)))
    assert [one.rules_hash for one in loaded] == [f"set {1001 * number}" for number in (1, 4, 7, 10)]


def test_the_index_is_of_the_events_that_are_asked_for():
    """Spelled in the schema as the model spells them."""
    assert " OR ".join(f"event = '{name}'" for name in RULES) == ABOUT_RULES


def test_the_items_of_an_officer_are_found_by_the_index_of_officers(store):
    """All kinds and states, the latest first, as the lists of each kind have them together; nothing out of sight."""
    officers, kinds, states = ("s1", "s1", "s2"), tuple(ItemKind), (ItemState.HELD, ItemState.REFERRED)
    for number in range(24):
        new = an_item(
            officer=StaffId(officers[number % 3]),
            kind=kinds[number % 2],
            held_at=after(minutes=number // 2 * 7 % 11),
        )
        store.write_now(lambda tx, new=new: items.add_item(tx, new))
        if number % 5 == 0:
            moved = update(items_table).where(items_table.c.id == new.id).values(state=states[1])
            store.write_now(lambda tx, moved=moved: tx.connection.execute(moved))
    for sight in (
        queue.Sight(psd=True),
        queue.Sight(),
        queue.Sight(me=StaffId("s1"), psd=True),
        queue.Sight(blind=True),
    ):
        for limit in (5, 100):
            lists = [
                headline.item
                for kind in ItemKind
                for headline in store.read_now(
                    lambda tx, sight=sight, kind=kind: queue.page(
                        tx, sight, queue.Wanted(kind=kind, states=tuple(ItemState)), limit=1000, newest_first=True
                    )
                )
                if StaffId("s1") in {headline.item.officer, *headline.item.senders}
            ]  # fmt: skip
            lists.sort(key=lambda one: (one.held_at, one.id), reverse=True)
            found = store.read_now(
                lambda tx, sight=sight, limit=limit: related.items_of(
                    tx, sight, (StaffId("s1"),), limit=limit
                )
            )
            assert found == tuple(lists[:limit])
    sight = queue.Sight(me=StaffId("s2"), superiors=(StaffId("s3"),))
    plan, *_ = plans(store, lambda tx: queue.latest_of(tx, sight, StaffId("s1"), limit=5))
    if store.engine.dialect.name == "sqlite":
        assert "SEARCH items USING INDEX ix_items_officer (officer=?)" in plan
