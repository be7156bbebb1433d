"""How long each page of the console takes with a hundred thousand items in the store, beside a store of a thousand.

    PYTHONPATH=tests python -m bench.console [--database sqlite|postgresql] [--items N] [--rounds N] [--folder DIR]

Every page of `app.PAGES` that can be asked for with GET is asked for as everybody who may, through the whole application:
session, access check, store, template. Warm: the median and the 95th percentile of so many rounds, in one process.
Cold: the first answer after the store was opened anew and its files were put out of the machine's memory. Then the
digest, `/metrics`, and what fifty open pages ask of the store in a minute. What is in the store: `bench.console_store`.
What a machine is worth is told by the ratio to the small store, not by the milliseconds.
"""

import argparse
import asyncio
import contextlib
import os
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import stores
from console_visits import HOST, ORIGIN, PEOPLE
from sqlalchemy import event, text
from starlette.requests import Request

from bench import console_store
from bench.console_store import BUSIEST
from gateway import audit
from gateway.console import Desk, application, live, sessions
from gateway.console.app import PAGES
from gateway.console.pages import Visit
from gateway.console.rule_book import RuleBook
from gateway.console.shelves import HOLDS
from gateway.model import Event, ItemKind, ItemState, Role, StaffId
from gateway.review.digest import remind
from gateway.review.sight import sight_of
from gateway.settings import ConsoleSettings, InspectionSettings, NoticeSettings, Settings
from gateway.store import Store, queue, records
from gateway.store import sessions as kept
from gateway.store.database import sqlite_file
from gateway.store.queue import Wanted
from gateway.store.sessions import Method, SavedView, Stage

WHO = {
    "reviewer": "nina.shah@force.example",
    "reviewer, conflicted": "o5@force.example",
    "PSD": "judith.marsh@force.example",
    "oversight": next(email for email, role in PEOPLE.items() if role is Role.OVERSIGHT),
    "rule author": next(email for email, role in PEOPLE.items() if role is Role.RULE_AUTHOR),
    "administrator": next(email for email, role in PEOPLE.items() if role is Role.ADMINISTRATOR),
}
"""The second one is named in what others wrote, and reports to somebody who writes himself."""
FILTERS = {
    "": "",
    "one unit": "unit=Unit+7",
    "urgent": "urgent=1",
    "copied to PSD": "psd=1",
    "a category": "category=leverage",
    "search: officer": "q=officer+number17",
    "search: contact": "q=person2345@mail.example",
    "search: case": "q=42/2345/26",
    "search: subject": "q=hearing+letter",
    "search: Message-ID": "q=%3Cbench000000000000777@force.example%3E",
    "search: nothing": "q=zebra",
    "all at once": "q=hearing&unit=Unit+7&category=leverage&urgent=1",
}
LISTS = ("/holds", "/flags", "/decided")
LISTENERS, LISTEN_S = 50, 20
TOKEN = "bench" * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What one page took, in milliseconds: processor time of this process, the clock, and the first time."""

    cpu: float
    p50: float
    p95: float
    cold: float

    @classmethod
    def of(cls, took, cold):
        """Return the figures of ``took``: pairs of clock and processor time."""
        clock = [one for one, _ in took]
        p95 = statistics.quantiles(clock, n=20, method="inclusive")[-1]
        return cls(
            cpu=statistics.median(one for _, one in took), p50=statistics.median(clock), p95=p95, cold=cold
        )


# --- databases ----------------------------------------------------------------------------------------------


class Sqlite:
    """One file for each size, kept between runs where a folder is given."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def made(self, count, registry):
        folder = self._folder / f"items-{count}"
        settings = stores.Sqlite.settings(folder, busy_timeout_s=60)
        done = folder / "filled"
        if not done.exists():
            stores.Sqlite(folder)
            with Store.open(settings) as store:
                console_store.fill(store, registry, count)
            done.touch()
        return settings

    def forget(self, store):
        """Write back what is in the log, and put the file out of memory."""
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=OFF")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        file = sqlite_file(store.engine)
        store.close()
        _out_of_memory([file])

    def close(self):
        pass


class Postgresql:
    """A throw-away server, as the tests have it; statistics are gathered once the rows are in."""

    name = "PostgreSQL"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cluster = stores.Postgresql(folder / "postgresql")

    def made(self, count, registry):
        model, cluster = self._cluster.model, self._cluster
        settings = cluster.copy(self._folder / f"pg-{count}", busy_timeout_s=60)
        del model
        with Store.open(settings) as store:
            console_store.fill(store, registry, count)
            with store.engine.connect() as connection:
                connection.execute(text("ANALYZE"))
                connection.commit()
        return settings

    def forget(self, store):
        """Restart the server without what it and the machine keep in memory."""
        store.close()
        cluster = self._cluster
        options = (
            f"-c listen_addresses= -c unix_socket_directories={cluster.home} -c fsync=off"
            " -c full_page_writes=off -c max_connections=60 -c autovacuum=off"
        )
        cluster.run("pg_ctl", "-D", cluster.home / "data", "-m", "fast", "-w", "stop")
        _out_of_memory(one for one in (cluster.home / "data").rglob("*") if one.is_file())
        cluster.run(
            "pg_ctl", "-D", cluster.home / "data", "-w", "-l", cluster.home / "log", "-o", options, "start"
        )

    def close(self):
        self._cluster.clear()
        self._cluster.stop()


def _out_of_memory(files):
    """Have the kernel forget the pages of ``files`` that are on disk already."""
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


# --- pages --------------------------------------------------------------------------------------------------


def addresses(store: Store, registry, email: str) -> dict[str, str]:
    """Return name and address of every page, with the filters of lists and with items that this person may know of."""
    person = store.read_now(lambda tx: sessions.person_called(tx, registry, email))
    sight = sight_of(person, registry)
    finished = (ItemState.RELEASED, ItemState.RETURNED)

    def one(tx, wanted, place, *, newest_first=False):
        page = queue.page(tx, sight, wanted, limit=place, newest_first=newest_first)
        return page[-1].item.id if page else ""

    busiest = Wanted(states=finished, officer=StaffId(BUSIEST))
    flags = Wanted(kind=ItemKind.FLAG, states=(ItemState.OPEN,))
    items = store.read_now(
        lambda tx: {
            "the first hold": one(tx, Wanted(), 1),
            "a flag": one(tx, flags, 1),
            "the busiest officer's": one(tx, busiest, 1, newest_first=True),
        }
    )
    after = store.read_now(
        lambda tx: {
            "/holds": one(tx, Wanted(), 100),
            "/flags": one(tx, flags, 100),
            "/decided": one(tx, Wanted(states=finished), 300, newest_first=True),
        }
    )
    found = {}
    for page in PAGES:
        if page.get is None or page.stream or page.permission is None:
            continue
        if "{item}" in page.path:
            found |= {
                f"{page.path}, {what}": page.path.replace("{item}", item)
                for what, item in items.items()
                if item
            }
        elif "{" in page.path:
            print(f"not measured: {page.path}", file=sys.stderr)
        elif page.path in LISTS:
            given = dict(FILTERS)
            given |= {"further on": f"after={after[page.path]}"} if after[page.path] else {}
            found |= {f"{page.path} {name}".strip(): f"{page.path}?{query}" for name, query in given.items()}
        else:
            found[page.path] = page.path
    return found


async def asked(browser, path, **given):
    """Return the milliseconds of one answer, by the clock and by the processor; None where it is not for this visitor."""
    began, cpu = time.perf_counter(), time.process_time()
    answer = await browser.get(path, **given)
    took = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
    assert answer.status_code in {200, 303, 404}, (path, answer.status_code, answer.text[:300])
    return took if answer.status_code == 200 else None


@contextlib.asynccontextmanager
async def browser_of(desk: Desk, secret: str = ""):
    """A browser that shows the session ``secret``."""
    transport = httpx2.ASGITransport(app=application(desk))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
        if secret:
            browser.cookies.set(sessions.COOKIE, secret, domain=HOST, path="/")
        yield browser


def signed_in(store: Store, desk: Desk, email: str) -> str:
    """Begin a session, with as many saved views as one may have, and return its secret."""

    def begin(tx):
        for number in range(30):
            view = SavedView(name=f"view {number}", query=f"/holds?unit=Unit+{number}")
            kept.save_view(tx, email, view, desk.now())
        return sessions.begin(tx, desk, email, Method.OIDC, Stage.SIGNED_IN)

    return store.write_now(begin)


async def measure(
    database, settings: Settings, rounds: int, *, cold: bool, only: re.Pattern[str] | None
) -> dict[tuple[str, str], Times]:
    """Return the times of each page for each visitor who may ask for it."""
    took = {}
    store = Store.open(settings.store)
    desk = Desk.make(store, settings)
    registry = await desk.registry.get()
    secrets = {who: signed_in(store, desk, email) for who, email in WHO.items()}
    for who, email in WHO.items():
        for name, path in addresses(store, registry, email).items():
            if only and not only.search(f"{name}|{who}"):
                continue
            if cold:
                database.forget(store)
                store = Store.open(settings.store)
                desk = replace(desk, store=store, rules=RuleBook(store))
            async with browser_of(desk, secrets[who]) as browser:
                if (first := await asked(browser, path)) is None:
                    continue
                times = [await asked(browser, path) for _ in range(rounds)]
            took[who, name] = Times.of(times, first[0])
            print(f"{took[who, name].cpu:9.1f} ms of CPU  {name}, {who}", file=sys.stderr)
    if not only or only.search("others"):
        took |= await _others(store, desk, registry, rounds)
    await desk.reader.close()
    store.close()
    return took


async def _others(store, desk, registry, rounds):
    """Time /metrics and the digest, which no visitor asks for."""
    found = {}
    async with browser_of(desk) as browser:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        times = [await asked(browser, "/metrics", headers=bearer) for _ in range(rounds)]
    found["Prometheus", "/metrics"] = Times.of(times, times[0][0])
    notice = NoticeSettings(**{"from": "gateway@force.example"}, url=ORIGIN)
    times = []
    for _ in range(rounds):
        store.write_now(lambda tx: records.set_fact(tx, "digest_at", "2020-01-01T00:00:00.000000Z"))
        began, cpu = time.perf_counter(), time.process_time()
        assert await remind(store, notice, registry, desk.now())
        times.append(((time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000))
    found["serve", "digest"] = Times.of(times, times[0][0])
    return found


# --- open pages ---------------------------------------------------------------------------------------------


async def listened(settings: Settings, *, every_s: float) -> tuple[float, float]:
    """Return statements and milliseconds of processor time a minute that fifty open pages cost.

    ``every_s``: how often something happens that makes an entry in the audit log; 0: nothing happens.
    """
    with Store.open(settings.store) as store:
        desk = Desk.make(store, settings)
        registry = await desk.registry.get()
        emails = [f"o{number}@force.example" for number in range(10)] + [WHO["reviewer"], WHO["PSD"]]
        secrets = [signed_in(store, desk, email) for email in emails]
        statements = 0

        def count(*_):
            nonlocal statements
            statements += 1

        event.listen(store.engine, "before_cursor_execute", count)
        tasks = [
            asyncio.create_task(_listen(desk, registry, secrets[number % len(secrets)]))
            for number in range(LISTENERS)
        ]
        await asyncio.sleep(2)
        statements, cpu, began = 0, time.process_time(), time.perf_counter()
        happening = asyncio.create_task(_happen(store, desk, every_s)) if every_s else None
        await asyncio.sleep(LISTEN_S)
        minute = 60 / (time.perf_counter() - began)
        found = statements * minute, (time.process_time() - cpu) * 1000 * minute
        for task in (*tasks, *filter(None, [happening])):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return found


async def _listen(desk, registry, secret):
    scope = {
        "type": "http", "method": "GET", "path": "/live", "query_string": b"",
        "headers": [(b"cookie", f"{sessions.COOKIE}={secret}".encode())],
    }  # fmt: skip
    visit = Visit(
        desk=desk, request=Request(scope), nav=(), registry=registry, signed=None, form_secret=""
    )  # fmt: skip
    async for _ in live.news(visit, HOLDS, HOLDS.wanted):
        pass


async def _happen(store, desk, every_s):
    while True:
        await store.write(
            lambda tx: audit.append(tx, Event.ITEM_VIEWED, actor="bench", subject="bench", at=desk.now())
        )
        await asyncio.sleep(every_s)


# --- the table ----------------------------------------------------------------------------------------------


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument(
        "--warm", action="store_true", help="Leave out what is cold: it opens the store for each page."
    )
    parser.add_argument(
        "--only",
        type=re.compile,
        help="Pages and visitors, `page|visitor`, that are measured; 'others': what nobody asks for.",
    )
    parser.add_argument("--folder", type=Path, help="SQLite stores are kept here between runs.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = given.folder or Path(passing)
        folder.mkdir(exist_ok=True, parents=True)
        if given.database == "postgresql" and stores.postgresql_programs() is None:
            parser.error("PostgreSQL's server (initdb) is not installed")
        database = (Postgresql if given.database == "postgresql" else Sqlite)(folder)
        registry = console_store.registry(folder / "registry")
        try:
            small, large = (
                Settings(
                    store=database.made(count, registry),
                    registry=registry,
                    inspection=InspectionSettings(extract_workers=1),
                    console=ConsoleSettings(url=ORIGIN, second_factor="optional", metrics_token=TOKEN),
                )
                for count in (given.small, given.items)
            )
            before = asyncio.run(measure(database, small, given.rounds, cold=False, only=given.only))
            after = asyncio.run(measure(database, large, given.rounds, cold=not given.warm, only=given.only))
            print(
                f"{database.name}, {given.items:,} items beside {given.small:,}; {given.rounds} rounds, milliseconds\n"
            )
            _table(before, after, given)
            if not given.only:
                _listeners(large)
        finally:
            database.close()


def _table(before, after, given):
    head = f"{given.small:,}: CPU | {given.items:,}: CPU | ratio | p50 | p95 | cold"
    print(f"| page | visitor | {head} |\n|---|---|--:|--:|--:|--:|--:|--:|")
    for (who, page), now in sorted(after.items(), key=lambda pair: (pair[0][1], pair[0][0])):
        then = before.get((who, page))
        compared = (
            f"{then.cpu:.1f} | {now.cpu:.1f} | {now.cpu / then.cpu:.1f}" if then else f"- | {now.cpu:.1f} | -"
        )
        print(f"| `{page}` | {who} | {compared} | {now.p50:.1f} | {now.p95:.1f} | {now.cold:.0f} |")
    worst, coldest = (
        max(after.items(), key=lambda pair, by=by: getattr(pair[1], by)) for by in ("p95", "cold")
    )
    slowest = f"{worst[1].p95:.0f} ms ({worst[0][1]}, {worst[0][0]})"
    print(f"\nslowest p95: {slowest}; coldest: {coldest[1].cold:.0f} ms ({coldest[0][1]}, {coldest[0][0]})")


def _listeners(settings):
    print(f"\n| {LISTENERS} open pages | statements a minute | CPU ms a minute |\n|---|--:|--:|")
    for what, every_s in (("nothing happens", 0), ("something happens every 10 s", 10), ("every second", 1)):
        statements, cpu = asyncio.run(listened(settings, every_s=every_s))
        print(f"| {what} | {statements:,.0f} | {cpu:,.0f} |")


if __name__ == "__main__":
    main()
