"""A verdict comes out the same from what the store keeps, and from nothing else (promise P10)."""

import asyncio
import smtplib

import pytest
from gateway_process import ADVANCE, CONTACT, OFFICER, GatewayProcess, mail
from smarthost import Smarthost

from gateway import inspection
from gateway.decide import decide
from gateway.extract import extract
from gateway.model import ItemKind, Mode
from gateway.settings import StoreSettings
from gateway.store import Store, items, records

pytestmark = pytest.mark.slow
ODD = "--b\nContent-Type: text/plain\n\nOne x\n--b\nContent-Type: text/plain\n\nTwo\n--b--"


@pytest.fixture
async def gateway(tmp_path):
    more = {"inspection": {"language": False, "max_parts": 2}}
    async with (
        Smarthost() as smarthost,
        GatewayProcess(tmp_path / "gateway", next_hop=smarthost.port, more=more) as running,
    ):
        yield running


def send(gateway, raw):
    with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="mail.force.example") as client:
        client.sendmail(OFFICER, [CONTACT], raw)


async def test_a_verdict_is_computed_again_from_the_store_alone(gateway, tmp_path):
    """Bytes, rule set, people, limits and history of the day are all kept; a newer registry changes nothing."""
    too_many = mail(ODD).replace(b"text/plain; charset=utf-8", b"multipart/mixed; boundary=b")
    for raw in (mail(ADVANCE), mail(ADVANCE, subject="Again"), too_many):
        await asyncio.to_thread(send, gateway, raw)
    await asyncio.to_thread(gateway.stop)
    (gateway.folder / "contacts.csv").unlink()
    store_at = StoreSettings(
        url=f"sqlite:///{gateway.folder}/gateway.db", key_file=gateway.folder / "sealing.key"
    )
    with Store.open(store_at) as store:
        held = store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD))
        assert len(held) == 3
        for item in held:
            again = store.read_now(lambda tx, item=item: replayed(tx, item.id))
            full = store.read_now(lambda tx, item=item: items.item_in_full(tx, item.id))
            assert again == full.verdict


def replayed(tx, item_id):
    """Return the verdict on an item, computed from its row and the rule set it names."""
    kept = items.item_in_full(tx, item_id).verdict
    bundle = inspection.Bundle.from_json(records.rule_set(tx, kept.rules_hash).bundle)
    authored = extract(items.message(tx, item_id), kept.limits)
    found = inspection.load(bundle, language=False).judge(
        authored, kept.parties, kept.history, kept.decided_at
    )
    return decide(
        inspection=found,
        authored=authored,
        parties=kept.parties,
        policy=inspection.policy_of(bundle),
        mode=Mode(kept.mode),
        history=kept.history,
        decided_at=kept.decided_at,
        code_version=kept.code_version,
        limits=kept.limits,
    )
