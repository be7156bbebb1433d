"""A force's folder for the tools: rules, registry, settings, and a store with mail that the rules judged."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import stores
from gateway_process import CONTACTS, STAFF
from small_sets import AUTHOR, mail

from gateway import inspection, registry
from gateway.model import Action, Headers, ItemKind, Label, Role, StaffId
from gateway.rehearsal.judging import Judge, Sample, as_contacts
from gateway.settings import load
from gateway.store import Store, items, new_id, records
from gateway.store.rows import Account, RuleSetRow

NOW = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)


class Force:
    """What a force has on disk and in its store."""

    def __init__(self, folder, store_settings):
        self.folder = folder
        self.rules = folder / "rules"
        self.settings = store_settings
        self.config = folder / "gateway.yaml"
        (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
        (folder / "staff.csv").write_text(STAFF, encoding="utf-8")
        settings = {
            "store": {"url": store_settings.url, "key_file": str(store_settings.key_file)},
            "registry": {
                "contacts": str(folder / "contacts.csv"),
                "staff": str(folder / "staff.csv"),
                "domains": ["force.example"],
                "last_good": str(folder / "registry.json"),
            },
            "rules": {"path": str(self.rules)},
            "inspection": {"language": False},
            "next_hop": {"url": "smtp://127.0.0.1:9"},
        }
        self.config.write_text(json.dumps(settings), encoding="utf-8")
        loaded = load(self.config, {}).settings.registry
        registry.save_last_good(registry.load(loaded, None, NOW).registry, loaded.last_good)
        with Store.open(store_settings) as store:
            account = Account(
                email=AUTHOR, roles=frozenset({Role.RULE_AUTHOR}), staff_id=None, local=True, at=NOW
            )
            store.write_now(lambda tx: records.add_account(tx, account))

    def keep(self):
        """Put the rules on disk in force: the store keeps them. Returns the hash."""
        bundle = inspection.read((self.rules,))
        row = RuleSetRow(hash=bundle.hash, bundle=bundle.to_json(), at=NOW, by="test")
        with Store.open(self.settings) as store:
            store.write_now(lambda tx: records.save_rule_set(tx, row))
        return bundle.hash

    def receive(self, body, *, label=Label.NONE, at=NOW, officer="4417", excluded=("4417",)):
        """Have the rules on disk judge a mail and keep it as a hold or flag; returns its id, or None when it passes."""
        judge = Judge(inspection.read((self.rules,)), language=False)
        raw = mail(body)
        parties = as_contacts(Headers(from_=("amir.khan@force.example",), to=("nadia@home.example",)))
        verdict = judge.judge(Sample(name="x", raw=raw, parties=parties, at=at)).verdict
        if verdict.action is Action.PASS:
            return None
        kind = ItemKind.HOLD if verdict.action is Action.HOLD else ItemKind.FLAG
        item = replace(
            stores.an_item(), id=new_id(), kind=kind, message=raw, verdict=verdict, retry_key=new_id(), held_at=at,
            officer=StaffId(officer), senders=(StaffId(officer),), excluded=tuple(map(StaffId, excluded)),
        )  # fmt: skip
        with Store.open(self.settings) as store:
            store.write_now(lambda tx: items.add_item(tx, item))
            if label is not Label.NONE:
                store.write_now(lambda tx: items.set_label(tx, item.id, label))
        return item.id


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory):
    return stores.Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def force(sqlite, tmp_path):
    return Force(tmp_path, sqlite.copy(tmp_path / "store"))
