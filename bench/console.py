"""How long the console's pages take with a hundred thousand items in the store, and against a store of a hundred.

    PYTHONPATH=tests python -m bench.console [--items N] [--rounds N] [--folder DIR]

Every request goes through the whole application: session, access check, store, template. Times are of one process
on one loop; what a machine is worth is told by the ratio to the small store, not by the milliseconds.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import msgspec
import stores
from console_visits import BROOKS, HOST, KHAN, MARSH, ORIGIN, PRYCE, a_registry_file, add_people
from sqlalchemy import insert, select

from gateway.console import Desk, application, sessions
from gateway.model import ItemKind, ItemState, StaffId
from gateway.settings import ConsoleSettings, Settings
from gateway.store import Store, items, ledger, schema
from gateway.store.sessions import Method, Stage

OFFICERS = (KHAN, BROOKS, PRYCE, MARSH, *(StaffId(f"officer{number}") for number in range(800)))
UNITS = tuple(f"Unit {number}" for number in range(40))
PAGES = {
    "holds": "/holds",
    "holds, one unit": "/holds?unit=Unit+7",
    "holds, urgent": "/holds?urgent=1",
    "search, officer": "/holds?q=amir+khan",
    "search, subject": "/holds?q=statement",
    "search, nothing": "/holds?q=zebra",
    "by finding": "/holds?category=flirting",
    "flags": "/flags",
    "decided": "/decided",
    "numbers": "/numbers",
    "account": "/account",
}
OWNERS = {
    schema.items: schema.items.c.id,
    schema.item_recipients: schema.item_recipients.c.item_id,
    schema.item_contacts: schema.item_contacts.c.item_id,
    schema.item_excluded: schema.item_excluded.c.item_id,
    schema.ledger: schema.ledger.c.id,
    schema.ledger_findings: schema.ledger_findings.c.ledger_id,
}
"""The tables that lists read, and whose rows each holds."""
WHO = {"supervisor, conflicted": "helen.brooks@force.example", "PSD": "judith.marsh@force.example"}


def fill(store: Store, count: int) -> None:
    """Put ``count`` items into the store: half wait, a quarter are flags, the rest is decided.

    Rows are those that the store makes of one item, sealed anew for each and inserted a thousand at a time.
    """
    dice, now = random.Random(7), datetime.now(UTC)
    one = stores.an_item(kind=ItemKind.HOLD)
    store.write_now(lambda tx: (items.add_item(tx, one), ledger.add(tx, stores.a_ledger_entry(id=one.id))))
    for start in range(1, count, 1000):
        store.write_now(
            lambda tx, start=start: _more(tx, one, range(start, min(start + 1000, count)), dice, now)
        )


def _more(tx, one, numbers, dice, now):
    """Insert copies of ``one`` that differ in everything lists look at."""
    like = {
        table.name: dict(tx.connection.execute(select(table).where(owner == one.id)).mappings().first())
        for table, owner in OWNERS.items()
    }
    rows = {table.name: [] for table in OWNERS}
    for number in numbers:
        new_id, officer = f"bench{number:015}", dice.choice(OFFICERS)
        at, urgent = now - timedelta(minutes=dice.randrange(200_000)), number % 500 == 0
        verdict = stores.a_verdict(urgent="bail" if urgent else "")
        kind = ItemKind.FLAG if number % 4 == 3 else ItemKind.HOLD
        waits = ItemState.OPEN if kind is ItemKind.FLAG else ItemState.HELD
        changes = {
            "items": {
                "id": new_id, "kind": kind, "state": ItemState.RETURNED if number % 4 == 2 else waits, "urgent": urgent,
                "retry_key": None, "held_at": at, "officer": officer, "unit": dice.choice(UNITS),
                "envelope": tx.seal(schema.items.c.envelope, new_id, msgspec.json.encode(one.envelope)),
                "subject": tx.seal(schema.items.c.subject, new_id, f"Your case, letter {number}".encode()),
                "verdict": tx.seal(schema.items.c.verdict, new_id, msgspec.json.encode(verdict)),
            },
            "item_recipients": {
                "item_id": new_id,
                "address": tx.seal(schema.item_recipients.c.address, (new_id, 0), b"vera@mail.example"),
            },
            "item_contacts": {"item_id": new_id, "person_id": f"P-{dice.randrange(5000)}"},
            "item_excluded": {"item_id": new_id, "staff_id": officer, "is_sender": True},
            "ledger": {"id": new_id, "retry_key": None, "at": at, "officer": officer},
            "ledger_findings": {"ledger_id": new_id, "officer": officer, "at": at},
        }  # fmt: skip
        for name, change in changes.items():
            rows[name].append(like[name] | change)
    for table in OWNERS:
        tx.connection.execute(insert(table), rows[table.name])


async def measure(settings: Settings, rounds: int) -> dict[tuple[str, str], float]:
    """Return the median milliseconds of each page for each visitor."""
    took = {}
    with Store.open(settings.store) as store:
        desk = Desk.make(store, settings)
        transport = httpx2.ASGITransport(app=application(desk))
        for who, email in WHO.items():
            secret = store.write_now(
                lambda tx, email=email: sessions.begin(tx, desk, email, Method.OIDC, Stage.SIGNED_IN)
            )
            async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
                browser.cookies.set(sessions.COOKIE, secret, domain=HOST, path="/")
                for name, path in PAGES.items():
                    times = []
                    for _ in range(rounds + 1):
                        began = time.perf_counter()
                        answer = await browser.get(path)
                        times.append((time.perf_counter() - began) * 1000)
                        assert answer.status_code == 200, (path, answer.status_code)
                    took[who, name] = statistics.median(times[1:])
    return took


def made(folder: Path, count: int) -> Settings:
    """Return the settings of a console over a store of ``count`` items, which is made if it is not there."""
    registry = a_registry_file(folder / "registry")
    store = stores.Sqlite.settings(folder / f"items-{count}", busy_timeout_s=60)
    if not Path(store.url.removeprefix("sqlite:///")).exists():
        stores.Sqlite(folder / f"items-{count}")
        with Store.open(store) as opened:
            opened.write_now(add_people)
            fill(opened, count)
    return Settings(
        store=store, registry=registry, console=ConsoleSettings(url=ORIGIN, second_factor="optional")
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="Kept between runs; without it a new one each time.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = given.folder or Path(passing)
        small = asyncio.run(measure(made(folder, 100), given.rounds))
        large = asyncio.run(measure(made(folder, given.items), given.rounds))
    print(f"SQLite, {given.items:,} items against 100; median of {given.rounds}, milliseconds")
    print(f"{'visitor':<24} {'page':<18} {'100':>8} {given.items:>10,} {'ratio':>7}")
    for (who, page), before in small.items():
        after = large[who, page]
        print(f"{who:<24} {page:<18} {before:8.1f} {after:10.1f} {after / before:7.1f}")
    worst = max(large.values())
    print(f"slowest: {worst:.0f} ms")


if __name__ == "__main__":
    main()
