"""On PostgreSQL the console has a role of its own: it decides and queues, and can change no evidence."""

import json

import pytest
from sqlalchemy import text
from stores import NOW, a_delivery, after, an_item

from gateway import audit
from gateway.errors import NotStored, Refused
from gateway.model import Event, ItemState, MessageId, OutboxKind
from gateway.store import Store, items, leave, outbox, pushed, records, tokens
from gateway.store.grants import console_grants
from gateway.store.rows import Decision, DecisionAction


@pytest.fixture
def doors(postgresql, tmp_path):
    """The store as serve opens it, and as the console does with its own role."""
    settings = postgresql.copy(tmp_path / "s")
    with Store.open(settings) as serve:

        def allow(tx):
            tx.connection.execute(text('CREATE ROLE "the console" LOGIN'))
            for line in console_grants("the console"):
                tx.connection.execute(text(line))

        serve.write_now(allow)
        with Store.open(
            settings.model_copy(update={"url": settings.url.replace("gateway@", "the%20console@")})
        ) as console:
            yield serve, console
        serve.write_now(lambda tx: tx.connection.execute(text('DROP OWNED BY "the console"')))
        serve.write_now(lambda tx: tx.connection.execute(text('DROP ROLE "the console"')))


def test_the_console_can_do_its_work(doors):
    """View, decide, queue a release, and record each of it."""
    serve, console = doors
    new = an_item()
    serve.write_now(lambda tx: items.add_item(tx, new))

    def decide(tx):
        items.set_state(tx, new.id, ItemState.HELD, ItemState.RELEASING)
        items.add_decision(
            tx,
            Decision(
                item_id=MessageId(new.id), actor="sgt", action=DecisionAction.RELEASE, reason="r", at=NOW
            ),
        )
        outbox.queue_delivery(tx, a_delivery(kind=OutboxKind.RELEASE, item_id=new.id, message=None), NOW)
        audit.append(tx, Event.HOLD_RELEASE_APPROVED, actor="sgt", subject=new.id, payload={"a": "b"}, at=NOW)

    console.write_now(decide)
    assert console.read_now(lambda tx: items.message(tx, new.id)) == new.message
    assert len(serve.write_now(lambda tx: outbox.claim_deliveries(tx, "a", NOW, 60, 9))) == 1
    report = console.read_now(audit.verify)
    assert report.is_whole
    assert report.entries == 1
    assert json.loads(console.read_now(audit.entries)[0].payload) == {"a": "b"}


def test_the_console_hands_a_hold_to_professional_standards(doors):
    """It says whose alone a hold is from then on, which its role must let it."""
    serve, console = doors
    new = an_item()
    serve.write_now(lambda tx: items.add_item(tx, new))
    console.write_now(lambda tx: items.refer(tx, new.id, ItemState.HELD, "referred"))
    assert console.read_now(lambda tx: items.item(tx, new.id)).psd_only == "referred"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox SET state = 'sent'",
        "DELETE FROM outbox",
        "UPDATE outbox_recipients SET state = 'sent'",
        "UPDATE audit_entries SET actor = 'x'",
        "DELETE FROM audit_entries",
        "UPDATE audit_payloads SET payload = '{}'",
        "DELETE FROM audit_payloads",
        "DELETE FROM audit_tip",
        "UPDATE items SET sha256 = 'x'",
        "UPDATE item_messages SET message = ''",
        "DELETE FROM decisions",
        "UPDATE ledger SET outcome = 'refused'",
        "UPDATE meta SET value = 'x'",
        "INSERT INTO accounts VALUES ('a', 'psd', NULL, true, '')",
        "INSERT INTO items SELECT * FROM items",
        "ALTER TABLE audit_entries DISABLE TRIGGER USER",
        "DROP TABLE audit_entries",
        "TRUNCATE outbox",
    ],
)
def test_the_console_cannot_change_evidence(doors, statement):
    """The database refuses, whatever the console's code does."""
    _, console = doors
    with pytest.raises(NotStored, match=r"permission denied|must be owner"):
        console.write_now(lambda tx: tx.connection.execute(text(statement)))


def test_the_console_cannot_deliver(doors):
    """Neither claim nor finish nor resume: serve alone sends."""
    serve, console = doors
    delivery_id = serve.write_now(lambda tx: outbox.queue_delivery(tx, a_delivery(), NOW))
    for job in (
        lambda tx: outbox.claim_deliveries(tx, "console", NOW, 60, 9),
        lambda tx: outbox.retry(tx, delivery_id, NOW),
        lambda tx: records.set_fact(tx, "outbox_mark", "9"),
    ):
        with pytest.raises((NotStored, Refused), match="permission denied"):
            console.write_now(job)


def test_the_console_takes_pushes_and_gives_leave_and_makes_no_token(doors):
    """What a records system pushes and leave to read a text are the console's to write; tokens are not (DECISIONS 24)."""
    serve, console = doors
    new = an_item()
    serve.write_now(lambda tx: items.add_item(tx, new))
    name = pushed.SetName.STAFF
    whole = {"4417": {"name": "Amir Khan"}}

    def push(tx):
        pushed.replace(tx, name, pushed.packed(whole), 1, by="token:rms", at=NOW)
        before = pushed.state(tx, name, to_change=True)
        pushed.change(tx, before, "3308", {"name": "Helen Brooks"}, grows=1, by="token:rms", at=NOW)

    console.write_now(push)
    assert set(serve.read_now(lambda tx: pushed.entries(tx, name))) == {"3308", "4417"}
    given = console.write_now(
        lambda tx: leave.give(
            tx, new.id, "o@panel.example", by="psd", reason="why", at=NOW, ends_at=after(hours=1)
        )
    )
    assert console.write_now(lambda tx: leave.end(tx, new.id, given, NOW)).holder == "o@panel.example"
    may = frozenset({tokens.May.STATES})
    with pytest.raises(NotStored):
        console.write_now(lambda tx: tokens.add(tx, "wicked", may, "console", NOW))
    token = serve.write_now(lambda tx: tokens.add(tx, "rms", may, "a test", NOW))
    found, fits = console.read_now(lambda tx: tokens.find(tx, token))
    assert fits
    console.write_now(lambda tx: tokens.note_use(tx, found, NOW))
    with pytest.raises(NotStored):
        console.write_now(lambda tx: tokens.revoke(tx, "rms", NOW))
