"""The commands of store, audit, outbox and flags, as a shell calls them."""

import json
from datetime import UTC, datetime

import pytest
from gateway_process import CONTACTS, STAFF
from sqlalchemy import text
from stores import NOW, a_delivery, an_item
from typer.testing import CliRunner

from gateway import audit
from gateway.cli import app
from gateway.cli.invocation import settings_from
from gateway.model import Event, ItemKind, ItemState, OutboxKind, Role, StaffId
from gateway.registry import load, save_last_good
from gateway.settings import RegistrySettings, StoreSettings
from gateway.store import Store, items, outbox, records, schema
from gateway.store.rows import Account, RecipientState

CONFIG = """
store: {url: "sqlite:///var/gateway.db", key_file: "var/sealing.key"}
registry: {domains: ["force.example"]}
"""


class Shell:
    """Calls commands with one settings file."""

    def __init__(self, folder):
        self.config = folder / "gateway.yaml"
        self.config.write_text(CONFIG)
        self.settings = StoreSettings(
            url=f"sqlite:///{folder}/var/gateway.db", key_file=folder / "var/sealing.key"
        )

    def run(self, *words, code=0):
        result = CliRunner().invoke(app, [*words, "--config", str(self.config)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    def json(self, *words, code=0):
        return [json.loads(line) for line in self.run(*words, "--json", code=code).stdout.splitlines()]

    def write(self, job):
        with Store.open(self.settings) as store:
            return store.write_now(job)

    def read(self, job):
        with Store.open(self.settings) as store:
            return store.read_now(job)

    def last_entry(self):
        (row,) = self.read(lambda tx: audit.entries(tx, after=audit.head(tx).seq - 1))
        return row


@pytest.fixture
def fresh(tmp_path):
    return Shell(tmp_path)


@pytest.fixture
def shell(fresh):
    fresh.run("store", "init")
    return fresh


def test_init_makes_the_store_once_and_records_it(fresh):
    """The first entry of the log is the store's making; repeating init changes nothing."""
    (made,) = fresh.json("store", "init")
    assert (made["made"], made["key_made"]) == (True, True)
    (again,) = fresh.json("store", "init")
    assert (again["made"], again["key_made"]) == (False, False)
    assert again["store"] == made["store"]
    (entry,) = fresh.read(audit.entries)
    assert (entry.event, entry.subject) == (Event.STORE_CREATED, made["store"])
    assert json.loads(entry.payload)["key"] == made["key"]
    assert "escrow" not in fresh.run("store", "init").stdout


def test_check_tells_what_is_there(shell):
    """What an operator needs to see, as text and as JSON."""
    shell.write(lambda tx: items.add_item(tx, an_item()))
    (line,) = shell.json("store", "check")
    assert line["holds"]["held"] == 1
    assert line["schema"] == schema.HEAD
    assert line["outbox_suspended"] == ""
    assert "audit_head: 1:" in shell.run("store", "check").stdout


def test_rotation_by_command(shell):
    """Prepare, activate, reseal: each is on record and the mail still opens."""
    new = an_item()
    shell.write(lambda tx: items.add_item(tx, new))
    (prepared,) = shell.json("store", "rotate-key", "--prepare")
    assert prepared["active"] != prepared["key"]
    entry = shell.last_entry()
    assert (entry.event, entry.subject) == (Event.STORE_KEY_ROTATED, prepared["key"])
    (activated,) = shell.json("store", "rotate-key", "--activate", prepared["key"], "--reseal")
    assert activated["active"] == prepared["key"]
    assert activated["resealed"] == 5
    (rotated,) = shell.json("store", "rotate-key")
    assert rotated["active"] == rotated["key"] != prepared["key"]
    assert shell.read(lambda tx: items.message(tx, new.id)) == new.message
    shell.run("store", "rotate-key", "--prepare", "--reseal", code=2)


def test_grants_prints_sql():
    """For the database administrator to run."""
    result = CliRunner().invoke(app, ["store", "grants", "the console"])
    assert "GRANT SELECT ON accounts" in result.stdout
    assert result.stdout.count('"the console";') == len(result.stdout.splitlines())


def test_verify_and_checkpoint_by_command(shell):
    """A head printed by checkpoint verifies; a wrong one is found and ends with exit code 1."""
    head = shell.run("audit", "checkpoint").stdout.strip()
    assert shell.json("audit", "verify", "--head", head)[-1]["whole"] is True
    (signed,) = shell.json("audit", "checkpoint")
    made = audit.Checkpoint(
        head=audit.Head.parse(signed["head"]), store_id=signed["store"], signature=signed["signature"],
        public_key=signed["public_key"],
    )  # fmt: skip
    assert made.is_genuine
    shell.run("audit", "verify")
    wrong = f"1:{'0' * 64}"
    problem, report = shell.json("audit", "verify", "--head", wrong, code=1)
    assert problem["fault"] == "rewritten"
    assert report["whole"] is False
    assert "NOT whole" in shell.run("audit", "verify", "--head", wrong, code=1).stdout
    assert "SEQ:HASH" in shell.run("audit", "verify", "--head", "nonsense", code=2).output


def test_entries_by_command(shell):
    """Every entry once, in order, over several pages."""
    shell.write(
        lambda tx: [
            audit.append(tx, Event.ITEM_VIEWED, actor="a", subject=f"s{number}", at=NOW)
            for number in range(1500)
        ]
    )
    lines = shell.json("audit", "list")
    assert [line["seq"] for line in lines] == list(range(1, 1502))
    assert [line["seq"] for line in shell.json("audit", "list", "--after", "1500")] == [1501]
    assert shell.run("audit", "list", "--after", "1500").stdout.startswith(
        "1501  2026-03-01T12:00:00.000000Z  item:viewed"
    )


def test_erasing_by_command(shell):
    """A reason is required; the log still verifies and says what was erased."""
    shell.run("audit", "erase", "1", "--reason", " ", code=2)
    shell.run("audit", "erase", "1", "--reason", "request 7")
    assert shell.json("audit", "verify")[-1]["erased"] == [1]
    assert "payloads erased on record: 1" in shell.run("audit", "verify").stdout
    assert "(erased)" in shell.run("audit", "list").stdout


def add_flag(shell, **changes):
    new = an_item(ItemKind.FLAG, **changes)
    shell.write(lambda tx: items.add_item(tx, new))
    return new


def test_flags_are_listed_and_the_view_is_recorded(shell):
    """One line a flag, the keys of the contract; who looked at what is in the log."""
    new = add_flag(shell)
    (line,) = shell.json("flags", "list")
    assert {name: line[name] for name in ("id", "state", "sender", "recipients", "subject", "held_at", "message_id", "sha256")} == {
        "id": new.id, "state": "open", "sender": "pc.doe@force.example", "recipients": ["vera@mail.example"],
        "subject": new.subject, "held_at": "2026-03-01T12:00:00Z", "message_id": new.message_id, "sha256": new.sha256,
    }  # fmt: skip
    entry = shell.last_entry()
    assert (entry.event, entry.subject) == (Event.ITEM_LISTED, "flags")
    assert entry.actor.startswith("system:")
    assert json.loads(entry.payload)["ids"] == [new.id]
    assert new.subject in shell.run("flags", "list").stdout


def test_closed_flags_are_listed_on_demand(shell):
    """Open ones without a word, all with --state all; a state that is none is refused."""
    new = add_flag(shell)
    shell.write(lambda tx: items.set_state(tx, new.id, ItemState.OPEN, ItemState.CLOSED))
    assert shell.json("flags", "list") == []
    assert len(shell.json("flags", "list", "--state", "all")) == 1
    assert len(shell.json("flags", "list", "--state", "closed")) == 1
    shell.run("flags", "list", "--state", "nonsense", code=2)


def add_account(shell, email, roles, staff_id=None):
    account = Account(email=email, roles=frozenset(roles), staff_id=staff_id, local=True, at=NOW)
    shell.write(lambda tx: records.add_account(tx, account))


def add_staff_list(shell):
    folder = shell.config.parent
    for name, rows in (("contacts.csv", CONTACTS), ("staff.csv", STAFF)):
        (folder / name).write_text(rows, encoding="utf-8")
    settings = RegistrySettings(
        contacts=folder / "contacts.csv", staff=folder / "staff.csv", domains=("force.example",)
    )
    save_last_good(
        load(settings, None, datetime.now(UTC)).registry, settings_from(shell.config).registry.last_good
    )


def test_without_a_staff_list_nobody_is_shown_anything(shell):
    """Who cannot be told from the item's sender gets a refusal that says why, not an empty list."""
    add_account(shell, "psd@force.example", [Role.PSD])
    with pytest.raises(Exception, match="no staff list is loaded"):
        shell.run("flags", "list", "--as", "psd@force.example")


def test_nobody_sees_an_item_about_themselves(shell):
    """An excluded person's list is empty, and so is an administrator's; a stranger is refused."""
    add_flag(shell)
    add_staff_list(shell)
    add_account(shell, "involved@force.example", [Role.REVIEWER], StaffId("s2"))
    add_account(shell, "psd@force.example", [Role.PSD])
    add_account(shell, "admin@force.example", [Role.ADMINISTRATOR])
    assert shell.json("flags", "list", "--as", "involved@force.example") == []
    assert len(shell.json("flags", "list", "--as", "PSD@force.example")) == 1
    assert shell.last_entry().actor == "psd@force.example"
    with pytest.raises(Exception, match="has no role"):
        shell.run("flags", "list", "--as", "admin@force.example")
    with pytest.raises(Exception, match="no account"):
        shell.run("flags", "list", "--as", "nobody@force.example")


def add_release(shell):
    new = an_item()

    def job(tx):
        items.add_item(tx, new)
        items.set_state(tx, new.id, ItemState.HELD, ItemState.RELEASING)
        now = datetime.now(UTC)
        return outbox.queue_delivery(
            tx, a_delivery(kind=OutboxKind.RELEASE, item_id=new.id, message=None), now
        )

    return new, shell.write(job)


def fail_release(shell, new, delivery_id):
    def job(tx):
        outbox.claim_deliveries(tx, "a", datetime.now(UTC), 60, 9)
        outbox.record_results(tx, delivery_id, [(0, RecipientState.FAILED, "550 no such user")], NOW)
        outbox.fail(tx, delivery_id, "a", "550 no such user")
        items.set_state(tx, new.id, ItemState.RELEASING, ItemState.RELEASE_FAILED)

    shell.write(job)


def test_what_the_smarthost_has_not_taken_is_listed(shell):
    """A release shows its item; a failure shows why; what was sent is gone from the list."""
    new, delivery_id = add_release(shell)
    (line,) = shell.json("outbox", "list")
    assert (line["id"], line["state"], line["delivery"], line["delivery_state"]) == (
        new.id, "releasing", delivery_id, "queued",
    )  # fmt: skip
    assert (line["sha256"], line["recipients"], line["waiting"]) == (
        new.sha256, ["vera@mail.example"], ["pc.doe@force.example"],
    )  # fmt: skip
    fail_release(shell, new, delivery_id)
    (line,) = shell.json("outbox", "list")
    assert (line["state"], line["delivery_state"], line["last_reply"]) == (
        "release_failed",
        "failed",
        "550 no such user",
    )
    assert "550 no such user" in shell.run("outbox", "list").stdout

    def send(tx):
        outbox.record_results(tx, delivery_id, [(0, RecipientState.SENT, "250")], NOW)
        outbox.finish(tx, delivery_id, "a", NOW)

    shell.write(send)
    assert shell.json("outbox", "list") == []
    assert len(shell.json("outbox", "list", "--state", "all")) == 1


def test_an_address_that_does_not_open_is_no_empty_one(shell):
    """Place and remedy are named, before the try and after it failed: the key is lost, not the recipient."""
    new, delivery_id = add_release(shell)
    place = {"address": bytes(60), "outbox_id": delivery_id}
    damage = text("UPDATE outbox_recipients SET address = :address WHERE outbox_id = :outbox_id")
    shell.write(lambda tx: tx.connection.execute(damage, place))
    for _ in range(2):
        (line,) = shell.json("outbox", "list")
        assert line["waiting"] == [None]
        assert "should be sealed" in line["cannot_be_opened"]
        assert "escrow" in line["remedy"]
        said = shell.run("outbox", "list").stdout
        assert "-> (cannot be opened)" in said
        assert "escrow" in said
        if line["delivery_state"] == "queued":
            fail_release(shell, new, delivery_id)


def test_notices_are_shown_to_the_operator_only(shell):
    """A delivery without an item is nobody's item to review."""
    add_staff_list(shell)
    shell.write(lambda tx: outbox.queue_delivery(tx, a_delivery(), NOW))
    add_account(shell, "psd@force.example", [Role.PSD])
    assert [line["kind"] for line in shell.json("outbox", "list")] == ["notice"]
    assert shell.json("outbox", "list", "--as", "psd@force.example") == []


@pytest.mark.parametrize("by_item", [True, False])
def test_a_failed_release_is_tried_again(shell, by_item):
    """By the item's id or the delivery's; the item is releasing again, and it is on record."""
    new, delivery_id = add_release(shell)
    fail_release(shell, new, delivery_id)
    (line,) = shell.json("outbox", "retry", new.id if by_item else delivery_id)
    assert (line["id"], line["delivery"], line["state"]) == (new.id, delivery_id, "queued")
    assert shell.read(lambda tx: items.item(tx, new.id)).state is ItemState.RELEASING
    entry = shell.last_entry()
    assert (entry.event, entry.subject) == (Event.OUTBOX_RETRIED, new.id)
    with pytest.raises(Exception, match="there is no failed delivery"):
        shell.run("outbox", "retry", new.id)


def test_a_suspended_outbox_is_said_and_resumed_with_a_reason(shell):
    """The list warns; resuming is recorded with why it was suspended and why it goes on."""
    shell.settings.key_file.with_name("sealing.key.outbox-mark").unlink()
    shell.write(lambda tx: outbox.notice_restore(tx, NOW))
    assert "the outbox is suspended" in shell.run("outbox", "list").stderr
    shell.run("outbox", "resume", "--reason", "", code=2)
    shell.run("outbox", "resume", "--reason", "compared with the smarthost's log")
    entry = shell.last_entry()
    assert entry.event == Event.OUTBOX_RESUMED
    assert json.loads(entry.payload)["reason"] == "compared with the smarthost's log"
    assert "suspended" not in shell.run("outbox", "list").stderr
    with pytest.raises(Exception, match="not suspended"):
        shell.run("outbox", "resume", "--reason", "again")


def test_a_hold_that_does_not_open_is_listed_with_the_others(shell):
    """One damaged row would else hide every hold; the line names it with the remedy, and so does the doctor."""
    damaged, sound = an_item(), an_item(subject="Property to collect")
    for new in (damaged, sound):
        shell.write(lambda tx, new=new: items.add_item(tx, new))
    damage = text("UPDATE items SET subject = :junk WHERE id = :id")
    shell.write(lambda tx: tx.connection.execute(damage, {"junk": bytes(60), "id": damaged.id}))
    lines = {line["id"]: line for line in shell.json("holds", "list")}
    assert lines.keys() == {damaged.id, sound.id}
    assert "should be sealed" in lines[damaged.id]["cannot_be_opened"]
    assert "escrow" in lines[damaged.id]["remedy"]
    assert lines[sound.id]["cannot_be_opened"] == lines[sound.id]["remedy"] == ""
    said = shell.run("holds", "list").stdout
    assert "cannot be opened: " in said
    assert "Property to collect" in said
    assert damaged.id in shell.run("doctor", "--only", "store", code=1).output


def test_a_delivery_whose_hold_does_not_open_says_so(shell):
    """Its own record opens, and still the line has no subject: it says why."""
    new, _ = add_release(shell)
    damage = text("UPDATE items SET subject = :junk WHERE id = :id")
    shell.write(lambda tx: tx.connection.execute(damage, {"junk": bytes(60), "id": new.id}))
    (line,) = shell.json("outbox", "list")
    assert "should be sealed" in line["cannot_be_opened"]
    assert "escrow" in line["remedy"]
