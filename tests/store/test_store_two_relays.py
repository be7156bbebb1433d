"""Two relay processes on one PostgreSQL store: no mail is held, released or counted twice, and the chain stays whole."""

import asyncio
import smtplib
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
from gateway_process import ADVANCE, CONTACT, OFFICER, SUPERVISOR, UPDATE, GatewayProcess, mail
from smarthost import Smarthost

from gateway import audit
from gateway.model import Event, ItemKind, Registry, Role
from gateway.registry import load
from gateway.review import decisions
from gateway.review.access import Person
from gateway.settings import NoticeSettings, RegistrySettings, ReviewSettings
from gateway.store import Store, items, outbox
from gateway.store.rows import DecisionAction, DeliveryState

ROUNDS = 2
"""Mails of each kind that each relay is handed at the same moment as the other."""


def hand_over(port: int, raw: bytes) -> str:
    """Send one message and return the id in the 250."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("mail.force.example")
        assert client.mail(OFFICER)[0] == 250
        assert client.rcpt(CONTACT)[0] == 250
        code, text = client.data(raw)
    assert code == 250, text
    return text.decode().split()[-1]


def release(item_id: str, registry: Registry | None):
    """Return a job that releases an item, as somebody who may by the staff list."""
    person = Person(email=SUPERVISOR, roles=frozenset({Role.REVIEWER, Role.PSD}), staff_id=None)
    actor = decisions.Actor(person=person, registry=registry, system="system:tester")
    wish = decisions.Wish(item_id=item_id, action=DecisionAction.RELEASE, reason="A test.", at_once=True)
    return lambda tx: decisions.decide(
        tx, wish, actor, datetime.now(UTC), review=ReviewSettings(), notice=NoticeSettings()
    )


def staff_list(folder: Path) -> Registry | None:
    settings = RegistrySettings(
        contacts=folder / "contacts.csv", staff=folder / "staff.csv", domains=("force.example",)
    )
    return load(settings, None, datetime.now(UTC)).registry


def message_ids(raws: list[bytes]) -> Counter[str]:
    return Counter(str(message_from_bytes(raw)["Message-ID"]) for raw in raws)


@pytest.mark.postgresql
async def test_two_relays_on_one_store_do_everything_once(postgresql, tmp_path: Path) -> None:
    """Mail to both at once, some of it the same: one hold a message, each released once, the audit log whole."""
    store = postgresql.settings(tmp_path / "keys", postgresql.new_database())
    more = {
        "store": {"url": store.url, "key_file": str(store.key_file)},
        "inspection": {"language": False},
    }
    async with Smarthost() as smarthost, AsyncExitStack() as stack:
        relays = [
            GatewayProcess(tmp_path / name, next_hop=smarthost.port, more=more) for name in ("one", "two")
        ]
        await asyncio.to_thread(relays[0].init)
        for relay in relays:
            relay.spawn()
            stack.callback(relay.kill)
        await asyncio.gather(*(relay.ready() for relay in relays))

        async def to_both(raws: tuple[bytes, bytes]) -> list[str]:
            ports = [relay.port for relay in relays]
            return await asyncio.gather(*map(asyncio.to_thread, (hand_over,) * 2, ports, raws))

        passed, held, ids = [], [], []
        for _ in range(ROUNDS):
            updates, advances = (mail(UPDATE), mail(UPDATE)), (mail(ADVANCE), mail(ADVANCE))
            passed += updates
            held += advances
            await to_both(updates)
            ids += await to_both(advances)
        twin = mail(ADVANCE)
        first, second = await to_both((twin, twin))
        assert first == second, "the same message, handed to both at once, is one item"
        held.append(twin)
        ids.append(first)

        with Store.open(store) as third:
            shown = third.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD))
            assert Counter(item.id for item in shown) == Counter(ids)
            assert message_ids([one.data for one in smarthost.mails]) == message_ids(passed)
            for item_id in ids:
                assert third.write_now(release(item_id, staff_list(tmp_path / "one"))).refused == ""
            await smarthost.until(lambda: len(smarthost.mails) >= len(passed) + len(held), 60)
            assert [await asyncio.to_thread(relay.stop) for relay in relays] == [0, 0]
            assert message_ids([one.data for one in smarthost.mails]) == message_ids(passed + held)
            deliveries = third.read_now(outbox.list_deliveries)
            assert [(one.state, one.interrupted) for one in deliveries] == [(DeliveryState.SENT, 0)] * len(
                held
            )
            assert third.read_now(audit.verify).is_whole
            events = Counter(row.event for row in third.read_now(audit.entries))
        assert events[Event.MESSAGE_HELD] == events[Event.HOLD_RELEASED] == len(held)
        assert events[Event.SERVE_STARTED] == events[Event.SERVE_STOPPED] == len(relays)
