"""`/metrics`: the queue's figures for Prometheus, for whoever has the token, and for nobody else."""

import re
from datetime import timedelta

import httpx2
import pytest
from console_visits import KHAN, MARSH, ORIGIN, Console
from stores import a_verdict

from gateway.model import ItemKind, Role, StaffId
from gateway.review.decisions import Actor, Wish, decide, person_called
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import records
from gateway.store.rows import Account, DecisionAction

TOKEN = "0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def watched(console_store, registry_settings):
    """A console with a token."""
    made = Console(console_store, registry_settings, metrics_token=TOKEN)
    yield made
    await made.desk.reader.close()


async def scrape(console, **given):
    transport = httpx2.ASGITransport(app=console.app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        return await client.get("/metrics", **given)


def samples(answer):
    """Return name and labels of each sample with its value; each is declared before it."""
    found, declared = {}, set()
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            declared.add(line.split()[2])
        elif not line.startswith("#"):
            name, value = re.fullmatch(r"(\S+) (\S+)", line).groups()
            assert name.partition("{")[0] in declared
            found[name] = float(value)
    return found


async def test_it_says_what_the_queue_and_the_numbers_say(watched):
    """Waiting by urgency, the oldest, the median, open flags, decisions and their time."""
    now = watched.clock()
    for hours in (5, 3, 1):
        watched.held(held_at=now - timedelta(hours=hours))
    watched.held(held_at=now - timedelta(hours=2), verdict=a_verdict(urgent="bail"))
    watched.held(kind=ItemKind.FLAG)
    returned = watched.held(held_at=now - timedelta(hours=4))
    give_back(watched, returned)
    answer = await scrape(watched, headers=BEARER)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert samples(answer) == {
        "gateway_holds_nobody_may_decide": 0,
        'gateway_holds_waiting{urgent="yes"}': 1,
        'gateway_holds_waiting{urgent="no"}': 3,
        "gateway_holds_oldest_seconds": 5 * 3600,
        "gateway_holds_median_wait_seconds": 3 * 3600,
        "gateway_flags_open": 1,
        'gateway_decisions_total{action="release"}': 0,
        'gateway_decisions_total{action="return"}': 1,
        "gateway_decision_median_seconds": 4 * 3600,
    }


def give_back(console, item):
    """Return a hold as a supervisor does."""

    def job(tx):
        person = person_called(tx, console.registry, "judith.marsh@force.example")
        actor = Actor(person=person, registry=console.registry, system="test")
        wish = Wish(item_id=item, action=DecisionAction.RETURN, reason="Not like this.")
        return decide(tx, wish, actor, console.clock(), review=ReviewSettings(), notice=NoticeSettings())

    assert not console.store.write_now(job).refused


async def test_holds_that_nobody_may_decide_are_an_alarm(watched):
    """A hold that concerns all of professional standards; an outside reviewer may decide it, and the alarm ends."""
    watched.held()
    watched.held(excluded=(KHAN, MARSH, StaffId("1503")), psd_only="it names them all")
    name = "gateway_holds_nobody_may_decide"
    assert samples(await scrape(watched, headers=BEARER))[name] == 1
    account = Account(
        email="duty@psd.other.example",
        roles=frozenset({Role.PSD}),
        staff_id=None,
        local=True,
        at=watched.clock(),
    )
    watched.store.write_now(lambda tx: records.add_account(tx, account))
    assert samples(await scrape(watched, headers=BEARER))[name] == 0


async def test_an_empty_store_has_figures_too(watched):
    """Nothing waits: zero, and no median of no decisions."""
    found = samples(await scrape(watched, headers=BEARER))
    assert set(found.values()) == {0}
    assert "gateway_decision_median_seconds" not in found


async def test_it_names_nobody(watched):
    """No unit, no rule, no address, whatever waits: totals alone."""
    watched.held(officer=KHAN)
    text = (await scrape(watched, headers=BEARER)).text.casefold()
    for word in ("robbery", "khan", "4417", "nadia", "@", "appearance"):
        assert word not in text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN} "[:-2]}],
)
async def test_without_the_token_nothing_is_said(watched, headers):
    """401, and no figure; a session is no token."""
    answer = await scrape(watched, headers=headers)
    assert answer.status_code == 401
    assert "gateway_" not in answer.text
    assert (await watched.visitor().get("/metrics")).status_code == 401


async def test_without_a_setting_there_is_no_such_page(console):
    """The same answer as for any path that is not there; an empty token opens nothing."""
    for headers in ({}, {"Authorization": "Bearer "}, BEARER):
        answer = await scrape(console, headers=headers)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    reviewer = console.visitor()
    assert (await reviewer.get("/metrics")).status_code == 404
