"""Prepared statements: what the driver is told and says is what SQLAlchemy would have told it and said."""

import pytest
from sqlalchemy import bindparam, event, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from stores import NOW, REACH, a_ledger_entry, an_item

from gateway.errors import NotStored
from gateway.model import PersonId
from gateway.store import Store, items, ledger, records
from gateway.store.schema import item_messages, meta
from gateway.store.schema import ledger as ledger_table
from gateway.store.statements import Prepared, insert_into


def test_values_pass_through_their_column_types(store):
    """A time goes in as the text that Core reads back as that time, a truth value as a truth value."""
    new = an_item()
    store.write_now(lambda tx: items.add_item(tx, new))
    shown = store.read_now(lambda tx: items.item(tx, new.id))
    assert (shown.held_at, shown.urgent, shown.sender_told_failed) == (new.held_at, False, False)


def test_constants_and_values_are_told_apart(store):
    """A statement may hold values of its own beside those it is given."""
    statement = Prepared(
        update(meta)
        .where(meta.c.name == bindparam("which"), meta.c.value != "kept")
        .values(value=bindparam("new"))
    )

    def job(tx):
        for name, value in (("a", "kept"), ("b", "old")):
            records.set_fact(tx, name, value)
        return [statement.run(tx.connection, {"which": name, "new": "new"}).rowcount for name in "ab"]

    assert store.write_now(job) == [0, 1]
    assert store.read_now(lambda tx: [records.fact(tx, name) for name in "ab"]) == ["kept", "new"]


def test_a_broken_constraint_is_told_as_by_sqlalchemy_and_without_values(store):
    """The same error class as from Core, so that it counts as its job's mistake; no value of the row in it."""
    row = {"item_id": "nobody's item", "message": b"secret"}
    with pytest.raises(IntegrityError) as caught:
        store.write_now(lambda tx: insert_into(tx.connection, item_messages, [row]))
    assert "secret" not in str(caught.value)
    assert store.read_now(lambda tx: tx.connection.scalar(select(item_messages.c.item_id))) is None


def test_what_the_database_cannot_do_is_not_stored(store):
    """A table that is gone is trouble of the database for every row of a batch, and for a single one."""
    store.write_now(lambda tx: tx.connection.execute(text("DROP TABLE ledger_persons")))
    for persons in (("P-1",), ("P-1", "P-2")):
        entry = a_ledger_entry(persons=tuple(map(PersonId, persons)))
        with pytest.raises(NotStored):
            store.write_now(lambda tx, entry=entry: ledger.add(tx, entry))


def test_a_lost_connection_is_given_up(postgresql, tmp_path):
    """A statement that meets a dead session gives the connection up; the next transaction has another."""
    with Store.open(postgresql.copy(tmp_path / "s")) as store:

        def lose(tx):
            pid = tx.connection.scalar(text("SELECT pg_backend_pid()"))
            with postgresql.connect() as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", (pid,))
            with pytest.raises(OperationalError):
                items.item_by_retry_key(tx, "a key")
            assert tx.connection.invalidated

        with pytest.raises(NotStored):
            store.write_now(lose)
        entry = a_ledger_entry()
        assert store.write_now(lambda tx: ledger.add(tx, entry))


def test_conduct_is_looked_up_from_the_contact(lite):
    """An officer who wrote ten thousand letters costs the look-up no more than one who wrote ten."""
    asked = []

    @event.listens_for(lite.engine, "begin")
    def _trace(connection):
        connection.connection.driver_connection.set_trace_callback(asked.append)

    lite.read_now(lambda tx: ledger.history(tx, ("4417",), ("P-1",), NOW, REACH))
    mail, findings = (sql for sql in asked if "ledger_persons" in sql)
    assert "ix_ledger_persons_person" in _plan(lite, mail)
    assert "ix_ledger_findings_officer_at" in _plan(lite, findings)
    for query in (mail, findings):
        assert "ix_ledger_officer_at" not in _plan(lite, query)
        assert f"SCAN {ledger_table.name}" not in _plan(lite, query)


def _plan(store, query):
    plan = store.read_now(lambda tx: tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
    return " ".join(row.detail for row in plan)
