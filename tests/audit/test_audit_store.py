"""The chain in its store: appended with what happened or not at all, erasable beside, signed on demand."""

import json

import pytest
from sqlalchemy import text
from stores import NOW

from gateway import audit
from gateway.audit import Fault, Head
from gateway.errors import Refused
from gateway.model import Event
from gateway.store import records


def append(store, number=1, **payload):
    def job(tx):
        for count in range(number):
            audit.append(
                tx,
                Event.ITEM_VIEWED,
                actor="sgt@force.example",
                subject=f"item{count}",
                payload=payload,
                at=NOW,
            )

    store.write_now(job)


def verify(store, head=None):
    return store.read_now(lambda tx: audit.verify(tx, head))


def faults(store, head=None):
    return [(problem.fault, problem.first, problem.last) for problem in verify(store, head).problems]


def tamper(store, *statements):
    """Do with SQL what the triggers forbid: whoever owns the database can drop them."""
    engine = store.engine
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        if store.engine.dialect.name == "postgresql":
            raw.autocommit = True
            for table in ("audit_entries", "audit_tip"):
                raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            raw.execute("PRAGMA query_only=OFF")
            for trigger in ("audit_entries_no_update", "audit_entries_no_delete", "audit_tip_no_delete"):
                raw.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            raw.execute(statement)
    engine.dispose()


def test_entries_are_numbered_and_chained(store):
    """What was appended comes back in order, with its payload."""
    append(store, 3, who="x", ids=("a", "b"))
    rows = store.read_now(audit.entries)
    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.prev for row in rows] == [audit.GENESIS, rows[0].hash, rows[1].hash]
    assert {(row.event, row.actor, row.at) for row in rows} == {
        ("item:viewed", "sgt@force.example", "2026-03-01T12:00:00.000000Z")
    }
    assert json.loads(rows[0].payload) == {"who": "x", "ids": ["a", "b"]}
    assert store.read_now(audit.head) == Head(seq=3, hash=rows[2].hash)
    assert [row.seq for row in store.read_now(lambda tx: audit.entries(tx, after=1, limit=1))] == [2]
    assert verify(store).is_whole


def test_the_same_payload_twice_has_two_commitments(store):
    """The salt keeps an erased payload from being guessed."""
    append(store, 2, word="x")
    one, two = store.read_now(audit.entries)
    assert one.payload == two.payload
    assert one.commitment != two.commitment


def test_what_did_not_happen_has_no_entry(store):
    """An entry lives and dies with the transaction it tells of."""

    def job(tx):
        records.set_fact(tx, "a", "1")
        audit.append(tx, Event.ITEM_VIEWED, actor="a", subject="b", at=NOW)
        raise KeyError

    with pytest.raises(KeyError):
        store.write_now(job)
    assert store.read_now(audit.head).seq == 0
    append(store)
    assert verify(store).is_whole


def test_a_long_chain_is_read_in_pages(store):
    """More entries than a page verify as one chain."""
    append(store, 2500)
    report = verify(store)
    assert (report.entries, report.problems) == (2500, ())


KEEP = "CREATE TEMP TABLE kept AS SELECT * FROM audit_entries"
SWAP = """
UPDATE audit_entries SET subject = (SELECT subject FROM kept WHERE kept.seq = 7 - audit_entries.seq),
 commitment = (SELECT commitment FROM kept WHERE kept.seq = 7 - audit_entries.seq) WHERE seq IN (3, 4)
"""


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE audit_entries SET actor = 'x' WHERE seq = 3"], [(Fault.EDITED, 3, 3)]),
        (["UPDATE audit_entries SET at = '2020' WHERE seq = 1"], [(Fault.EDITED, 1, 1)]),
        (["UPDATE audit_entries SET hash = prev WHERE seq = 5"], [(Fault.EDITED, 5, 5)]),
        (["UPDATE audit_entries SET seq = 9 WHERE seq = 5"], [
            (Fault.DELETED, 5, 5), (Fault.PAYLOAD_ADDED, 5, 5), (Fault.DELETED, 7, 8), (Fault.ADDED, 7, 9),
            (Fault.REORDERED, 9, 9), (Fault.PAYLOAD_MISSING, 9, 9),
        ]),
        (["DELETE FROM audit_entries WHERE seq = 2"], [(Fault.DELETED, 2, 2), (Fault.PAYLOAD_ADDED, 2, 2)]),
        (
            ["DELETE FROM audit_entries WHERE seq = 2", "DELETE FROM audit_payloads WHERE seq = 2"],
            [(Fault.DELETED, 2, 2)],
        ),
        (
            ["DELETE FROM audit_entries WHERE seq > 4", "DELETE FROM audit_payloads WHERE seq > 4"],
            [(Fault.CUT_OFF, 5, 6)],
        ),
        (["UPDATE audit_tip SET seq = 4, hash = (SELECT hash FROM audit_entries WHERE seq = 4)"], [(Fault.ADDED, 5, 6)]),
        (["UPDATE audit_tip SET hash = 'x'"], [(Fault.EDITED, 6, 6)]),
        (["UPDATE audit_payloads SET payload = '{}' WHERE seq = 3"], [(Fault.PAYLOAD_EDITED, 3, 3)]),
        (["UPDATE audit_payloads SET salt = (SELECT salt FROM audit_payloads WHERE seq = 1) WHERE seq = 3"],
         [(Fault.PAYLOAD_EDITED, 3, 3)]),
        (["DELETE FROM audit_payloads WHERE seq = 3"], [(Fault.PAYLOAD_MISSING, 3, 3)]),
        (["INSERT INTO audit_payloads SELECT 99, salt, payload FROM audit_payloads WHERE seq = 1"],
         [(Fault.PAYLOAD_ADDED, 99, 99)]),
        ([KEEP, SWAP], [(Fault.REORDERED, 3, 3), (Fault.PAYLOAD_EDITED, 3, 3), (Fault.REORDERED, 4, 4), (Fault.PAYLOAD_EDITED, 4, 4)]),
    ],
)  # fmt: skip
def test_tampering_in_the_database_is_named(store, statements, expected):
    """Each change that somebody with the database's own rights makes is named with its entries."""
    append(store, 6, word="x")
    tamper(store, *statements)
    assert sorted(faults(store), key=str) == sorted(expected, key=str)


def test_a_cut_that_mends_its_traces_is_found_by_a_head_kept_elsewhere(store):
    """Entries, payloads and tip cut back together: whole without the head, cut off with it."""
    append(store, 6)
    head = store.read_now(audit.head)
    tamper(
        store,
        "DELETE FROM audit_entries WHERE seq > 4",
        "DELETE FROM audit_payloads WHERE seq > 4",
        "UPDATE audit_tip SET seq = 4, hash = (SELECT hash FROM audit_entries WHERE seq = 4)",
    )
    assert verify(store).is_whole
    assert "--head" in verify(store).undetected
    assert faults(store, head) == [(Fault.CUT_OFF, 5, 6)]
    append(store, 5)
    assert verify(store).is_whole
    assert faults(store, head) == [(Fault.REWRITTEN, 1, 6)]


def test_an_erased_payload_is_on_record_and_the_chain_whole(store):
    """A data subject's right and the chain's promise both hold; erasing twice is refused."""
    append(store, 3, word="x")
    store.write_now(lambda tx: audit.erase(tx, 2, actor="dpo@force.example", reason="request 7", at=NOW))
    report = verify(store)
    assert report.is_whole
    assert report.erased == (2,)
    *_, last = store.read_now(audit.entries)
    assert (last.event, last.subject, json.loads(last.payload)["reason"]) == (
        "payload:erased",
        "audit:2",
        "request 7",
    )
    for seq in (2, 99):
        with pytest.raises(Refused, match=f"entry {seq} has no payload"):
            store.write_now(lambda tx, seq=seq: audit.erase(tx, seq, actor="a", reason="r", at=NOW))
    assert store.read_now(audit.head).seq == 4


def test_a_checkpoint_signs_where_the_chain_ended(store):
    """Its head can be kept elsewhere and given to verify; its signature is checked without the store."""
    append(store, 3)
    head = store.read_now(audit.head)
    written = []

    def job(tx):
        pending = audit.checkpoint(tx, store_id=store.store_id, actor="a", at=NOW)
        with pytest.raises(LookupError):
            _ = pending.value
        written.append(pending)

    store.write_now(job)
    made = written[0].value
    assert made.head == head
    assert made.is_genuine
    assert made.public_key == store.keys.public_key
    report = verify(store, made.head)
    assert report.is_whole
    assert report.checkpoints == 1
    append(store)
    assert verify(store, made.head).is_whole


def test_a_checkpoint_that_another_key_signed_is_false(store, tmp_path):
    """Who writes the chain anew cannot sign it as this store did."""
    from gateway.store.sealing import KeyFile, Keyring

    append(store, 2)
    forger = Keyring(KeyFile.make(tmp_path / "forged"))

    def forge(tx):
        own, tx.keys = tx.keys, forger
        audit.checkpoint(tx, store_id=store.store_id, actor="a", at=NOW)
        tx.links[:] = [_signed_by(forger, own, tx, link) for link in tx.links]
        tx.keys = own

    def _signed_by(key, own, tx, link):
        def signed(seq, prev):
            tx.keys = key
            try:
                return link(seq, prev)
            finally:
                tx.keys = own

        return signed

    store.write_now(forge)
    assert faults(store) == [(Fault.CHECKPOINT_FALSE, 3, 3)]


@pytest.mark.parametrize(
    "payload", [{}, {"seq": 1}, {"seq": "x", "hash": 1, "store": "", "signature": "", "key": ""}]
)
def test_a_checkpoint_of_odd_content_is_false_and_no_crash(store, payload):
    """Anybody can append an entry that says it is a checkpoint."""
    store.write_now(
        lambda tx: audit.append(
            tx, Event.CHECKPOINT_WRITTEN, actor="a", subject="audit", payload=payload, at=NOW
        )
    )
    assert faults(store) == [(Fault.CHECKPOINT_FALSE, 1, 1)]


def test_the_chain_is_plain_text_for_other_readers(store):
    """The rows are what docs/audit.md says: an oversight body reads them with SQL."""
    append(store, 1)
    row = store.read_now(lambda tx: tx.connection.execute(text("SELECT * FROM audit_entries")).one())
    assert list(row._mapping) == ["seq", "at", "event", "actor", "subject", "commitment", "prev", "hash"]
