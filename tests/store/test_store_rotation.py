"""Rotation: a new key seals from now on, everything old still opens, and each step may be cut off."""

import pytest
from sqlalchemy import delete, event, func, select, text
from stores import NOW, a_delivery, after, an_item

from gateway.errors import Sealed, StoreUnfit
from gateway.model import MessageId, Role
from gateway.store import Store, items, leave, outbox, pushed, records, rotation, schema, sessions
from gateway.store.rows import Account, Decision, DecisionAction, RecipientState
from gateway.store.sealing import KeyFile, header

REVIEWER = "helen.brooks@force.example"
STAFF = pushed.SetName.STAFF
SESSION = sessions.SessionRow(
    email=REVIEWER, stage=sessions.Stage.ENROL, method=sessions.Method.PASSWORD, roles=None, made_at=NOW, seen_at=NOW,
    ends_at=after(hours=1), pending="a new secret",
)  # fmt: skip


def fill(store):
    """Put something into every sealed column."""
    new = an_item()

    def job(tx):
        items.add_item(tx, new)
        items.add_decision(
            tx,
            Decision(item_id=MessageId(new.id), actor="a", action=DecisionAction.REFER, reason="why", at=NOW),
        )
        delivery_id = outbox.queue_delivery(tx, a_delivery(), NOW)
        outbox.record_results(tx, delivery_id, [(0, RecipientState.PENDING, "451 later")], NOW)
        outbox.claim_deliveries(tx, "a", NOW, 60, 9)
        outbox.retry_later(tx, delivery_id, "a", NOW, "451 later")
        helen = Account(email=REVIEWER, roles=frozenset({Role.REVIEWER}), staff_id=None, local=True, at=NOW)
        records.add_account(tx, helen)
        sessions.set_password(tx, REVIEWER, "a hash", NOW)
        sessions.set_second_factor(tx, REVIEWER, "a secret", ("code",))
        sessions.add_session(tx, "id", SESSION)
        sessions.save_view(tx, REVIEWER, sessions.SavedView(name="mine", query="q=rahman"), NOW)
        leave.give(tx, new.id, REVIEWER, by="psd", reason="a complaint", at=NOW, ends_at=after(hours=1))
        pushed.replace(tx, STAFF, pushed.packed({"4417": {"name": "Amir Khan"}}), 1, by="rms", at=NOW)
        pushed.change(
            tx, pushed.state(tx, STAFF), "3308", {"name": "Helen Brooks"}, grows=1, by="rms", at=NOW
        )
        return new, delivery_id

    return store.write_now(job)


def look(store, new, delivery_id):
    return store.read_now(
        lambda tx: (items.item_in_full(tx, new.id), items.message(tx, new.id), outbox.delivery(tx, delivery_id),
                    outbox.message_of(tx, delivery_id), sessions.credentials_of(tx, REVIEWER),
                    sessions.session(tx, "id"), sessions.saved_views_of(tx, REVIEWER),
                    leave.of_item(tx, new.id), pushed.entries(tx, STAFF))
    )  # fmt: skip


def sealed_columns():
    return [
        (table, column)
        for table in schema.metadata.sorted_tables
        for column in table.columns
        if column.info.get("sealed")
    ]


def test_every_sealed_column_is_resealed_and_reads_as_before(store):
    """After rotation and resealing no value of any column needs the old key."""
    new, delivery_id = fill(store)
    before = look(store, new, delivery_id)
    old = store.keys.active
    for table, column in sealed_columns():
        assert store.read_now(
            lambda tx, table=table, column=column: tx.connection.scalar(
                select(func.count()).select_from(table).where(column.is_not(None))
            )
        ), f"{table.name}.{column.name} is not exercised"
    key_id = rotation.prepare(store, NOW, lambda tx, key_id: None)
    assert store.keys.active == old
    rotation.activate(store, key_id)
    assert store.keys.active == key_id != old
    assert look(store, new, delivery_id) == before
    assert store.read_now(rotation.other_keys)
    changed = rotation.reseal(store)
    assert changed == len(sealed_columns())
    assert store.read_now(rotation.other_keys) == {}
    assert rotation.reseal(store) == 0
    assert look(store, new, delivery_id) == before
    head = header(old)
    for _, column in sealed_columns():
        values = store.read_now(lambda tx, column=column: list(tx.connection.scalars(select(column))))
        assert not any(value.startswith(head) for value in values if value)
    with Store.open(store.settings) as again:
        assert look(again, new, delivery_id) == before


def test_large_messages_are_resealed_in_small_transactions(store):
    """A page holds at most so many octets, but always one value."""
    for _ in range(3):
        store.write_now(lambda tx: items.add_item(tx, an_item(message=b"x" * 30_000_000)))
    key_id = rotation.prepare(store, NOW, lambda tx, key_id: None)
    rotation.activate(store, key_id)
    assert rotation.reseal(store) == 3 * 5
    assert store.read_now(rotation.other_keys) == {}


def turned(store, number):
    """Fill the store with ``number`` items to two recipients each, and activate a new key."""
    for _ in range(number):
        store.write_now(lambda tx: items.add_item(tx, an_item()))
    rotation.activate(store, rotation.prepare(store, NOW, lambda tx, key_id: None))


def count(store, table):
    return store.read_now(lambda tx: tx.connection.scalar(select(func.count()).select_from(table)))


def test_each_row_is_looked_at_once(store, monkeypatch):
    """Page behind page by key, of one column or of several, whether anything is left to do or not."""
    monkeypatch.setattr(rotation, "_PAGE_ROWS", 2)
    turned(store, 5)
    known = {table.name: count(store, table) for table in (schema.items, schema.item_recipients)}
    for run in range(2):
        asked = []

        @event.listens_for(store.engine, "before_cursor_execute")
        def _note(connection, cursor, statement, parameters, context, many, asked=asked):
            if "ORDER BY" in statement:
                asked.append(statement)

        changed = rotation.reseal(store)
        event.remove(store.engine, "before_cursor_execute", _note)
        assert (changed > 0) is (run == 0)
        for name, rows in known.items():
            columns = sum(1 for table, _ in sealed_columns() if table.name == name)
            pages = [sql for sql in asked if f"FROM {name} " in sql.replace("\n", " ")]
            # the last page is an empty one
            assert len(pages) == columns * (-(-rows // 2) + 1)
            assert sum(" > " in sql for sql in pages) == len(pages) - columns
    assert store.read_now(rotation.other_keys) == {}


def test_a_resealing_cut_off_goes_on_where_it_was(store, monkeypatch):
    """What was written stays; the next run takes the rest and nothing twice."""
    monkeypatch.setattr(rotation, "_PAGE_ROWS", 2)
    turned(store, 5)
    left = sum(store.read_now(rotation.other_keys).values())
    write, writes = store.write_now, iter((True, True, False))

    def cut_off(job):
        if not next(writes):
            raise KeyboardInterrupt
        return write(job)

    monkeypatch.setattr(store, "write_now", cut_off)
    with pytest.raises(KeyboardInterrupt):
        rotation.reseal(store)
    monkeypatch.setattr(store, "write_now", write)
    rest = sum(store.read_now(rotation.other_keys).values())
    assert 0 < rest < left
    assert rotation.reseal(store) == rest
    assert store.read_now(rotation.other_keys) == {}


def test_what_another_process_changed_meanwhile_is_not_set_back(settings, monkeypatch):
    """Its value stands, sealed again in its turn; a row that went is no trouble."""
    with Store.open(settings) as store, Store.open(settings) as serve:
        fill(serve)
        rotation.activate(store, rotation.prepare(store, NOW, lambda tx, key_id: None))
        write = store.write_now
        others = {
            "credentials.password": lambda tx: sessions.set_password(tx, REVIEWER, "a newer hash", NOW),
            "sessions.pending": lambda tx: tx.connection.execute(delete(schema.sessions)),
        }

        def meddle(job):
            if other := others.pop(str(job.keywords["column"]), None):
                serve.write_now(other)
            return write(job)

        monkeypatch.setattr(store, "write_now", meddle)
        rotation.reseal(store)
        assert not others
        assert store.read_now(rotation.other_keys) == {}
        assert store.read_now(lambda tx: sessions.credentials_of(tx, REVIEWER)).password == "a newer hash"


def test_a_running_process_reads_what_another_sealed_with_a_new_key(settings):
    """Serve goes on reading while a command rotates."""
    with Store.open(settings) as serve, Store.open(settings) as command:
        rotation.activate(command, rotation.prepare(command, NOW, lambda tx, key_id: None))
        new, delivery_id = fill(command)
        assert look(serve, new, delivery_id) == look(command, new, delivery_id)


def test_a_rotation_cut_off_before_its_record_leaves_the_store_whole(settings):
    """The key is in the file, the store does not know it: the old key goes on, and the next rotation works."""
    with Store.open(settings) as store:
        old = store.keys.active

        def cut_off(tx, key_id):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rotation.prepare(store, NOW, cut_off)
        lost = (KeyFile.read(settings.key_file).keys.keys() - {old}).pop()
        with pytest.raises(StoreUnfit, match=f"{lost} is not a key of this store"):
            rotation.activate(store, lost)
    with Store.open(settings) as store:
        assert store.keys.active == old
        rotation.activate(store, rotation.prepare(store, NOW, lambda tx, key_id: None))
        assert store.keys.active not in {old, lost}
    Store.open(settings).close()


def test_two_rotations_at_once_lose_no_key(settings):
    """Each key that has a canary is in the file, whoever wrote it last."""
    with Store.open(settings) as one, Store.open(settings) as two:
        first = rotation.prepare(one, NOW, lambda tx, key_id: None)
        second = rotation.prepare(two, NOW, lambda tx, key_id: None)
        rotation.activate(one, first)
    assert {first, second} <= KeyFile.read(settings.key_file).keys.keys()
    Store.open(settings).close()


def test_an_unknown_key_is_not_activated(store):
    """A typing mistake does not stop the gateway."""
    with pytest.raises(StoreUnfit, match="key-0 is not a key of this store"):
        rotation.activate(store, "key-0")


def test_a_value_that_does_not_open_stops_the_resealing_and_is_named(store):
    """Damage is found, and not sealed over."""
    new, _ = fill(store)
    damage = "UPDATE items SET subject = (SELECT envelope FROM items WHERE id = :id) WHERE id = :id"
    store.write_now(lambda tx: tx.connection.execute(text(damage), {"id": new.id}))
    rotation.activate(store, rotation.prepare(store, NOW, lambda tx, key_id: None))
    with pytest.raises(Sealed, match=f"items.subject of row {new.id}"):
        rotation.reseal(store)
