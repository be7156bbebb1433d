"""Filters, search, saved views, groups and live news of the queue."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import pytest
from console_visits import BROOKS, KHAN, PRYCE, PSD, Console, words_of
from starlette.requests import Request
from stores import a_ledger_entry, a_verdict

from gateway.console import live, shelves
from gateway.console.pages import Visit
from gateway.console.shelves import HOLDS, Filters, units_of
from gateway.model import Event, ItemState, PersonId
from gateway.store import items, ledger
from gateway.store.queue import Sight
from gateway.store.rows import Decision, DecisionAction


def ids_on(page):
    return {one.split('"')[0] for one in page.text.split('href="/items/')[1:]}


def test_units_are_told_without_reading_a_name(console, monkeypatch):
    """Folding the names of 200,000 contacts would keep every other page waiting for the store."""
    monkeypatch.setattr(shelves, "_names", None)
    assert units_of(console.registry) == tuple(
        sorted({one.unit for one in console.registry.staff_by_id.values()} - {""})
    )
    assert "Robbery Squad" in units_of(console.registry)
    assert units_of(None) == ()


@pytest.fixture
def three(console):
    """Three items of different officers, contacts, units and words."""
    return {
        "khan": console.held(subject="Your statement on Monday", message_id="<abc.1@force.example>", sha256="d" * 64),
        "brooks": console.held(
            officer=BROOKS, senders=(BROOKS,), excluded=(BROOKS,), unit="Fraud Squad", subject="A drink on Friday",
            contacts=(PersonId("P-2"),), verdict=a_verdict(psd=("leverage",), findings=()),
        ),
        "pryce": console.held(
            officer=PRYCE, senders=(PRYCE,), excluded=(PRYCE,), subject="Bail", contacts=(PersonId("P-3"),),
            verdict=a_verdict(urgent="bail", findings=()),
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("unit=Fraud+Squad", {"brooks"}),
        ("unit=fraud", set()),
        ("urgent=1", {"pryce"}),
        ("psd=1", {"brooks"}),
        ("unit=Robbery+Squad&urgent=1", {"pryce"}),
        ("urgent=0&unknown=1", {"khan", "brooks", "pryce"}),
        ("q=amir+khan", {"khan"}),
        ("q=KHAN", {"khan"}),
        ("q=4417", {"khan"}),
        ("q=helen.brooks@force", {"brooks"}),
        ("q=Joseph+Okoro", {"brooks"}),
        ("q=nadia@home.example", {"khan"}),
        ("q=P-3", {"pryce"}),
        ("q=42/10231/26", {"khan", "brooks", "pryce"}),
        ("q=friday+drink", {"brooks"}),
        ("q=Monday", {"khan"}),
        ("q=<abc.1@force.example>", {"khan"}),
        ("q=" + "d" * 64, {"khan"}),
        ("q=robbery+squad", {"khan", "pryce"}),
        ("q=zebra", set()),
        ("q=%25", set()),
        ("q=' OR 1=1 --", set()),
        ("q=a&unit=Fraud+Squad", {"brooks"}),
    ],
)
async def test_filters_and_search(console, reviewer, three, query, found):
    """By unit, urgency, copy to PSD; officer, staff id, contact, person, case, subject, Message-ID, hash, unit."""
    page = await reviewer.get(f"/holds?{query}")
    assert ids_on(page) == {three[name] for name in found}
    assert f"{len(found)}" in words_of(page)


def moved(console, item, *states):
    """Move a hold from state to state."""

    def job(tx):
        for before, then in pairwise((ItemState.HELD, *states)):
            items.set_state(tx, item, before, then)

    console.store.write_now(job)


@pytest.fixture
def by_age(console):
    """Four holds: how long each waits, in hours, and its state."""

    def made(hours, *states):
        item = console.held(held_at=console.clock() - timedelta(hours=hours))
        moved(console, item, *states)
        return item

    return {
        "new": made(2),
        "old": made(80),
        "failed": made(5, ItemState.RELEASING, ItemState.RELEASE_FAILED),
        "going": made(30, ItemState.RELEASING),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=held", {"new", "old"}),
        ("state=release_failed", {"failed"}),
        ("state=returned", set()),
        ("state=nonsense", {"new", "old", "failed", "going"}),
        ("age=4", {"old", "failed", "going"}),
        ("age=24", {"old", "going"}),
        ("age=24&state=held", {"old"}),
        ("age=-3", {"new", "old", "failed", "going"}),
        ("age=24&q=amir", {"old", "going"}),
    ],
)
async def test_filters_by_state_and_age(reviewer, by_age, query, found):
    """Where it is on its way, and how long it waits; what is no state or age asks for nothing."""
    page = await reviewer.get(f"/holds?{query}")
    assert ids_on(page) == {by_age[name] for name in found}
    nonsense = "nonsense" in query or "-3" in query
    assert ("Show all" in page.text) is not nonsense


async def test_state_and_age_stay_in_the_address(console, console_store, registry_settings, reviewer, by_age):
    """They are chosen in the form as they stand, a page on keeps them, and so does a view."""
    short = Console(console_store, registry_settings, page_rows=5)
    for _ in range(5):
        console.held(held_at=console.clock() - timedelta(hours=3))
    page = await short.visitor().get("/holds?state=held&age=1")
    assert '<option value="held" selected>' in page.text
    assert '<option value="1" selected>' in page.text
    assert "/holds?state=held&amp;age=1&amp;after=" in page.text
    kept = await reviewer.post("/views", {"shelf": "/holds", "name": "x", "state": "held", "age": "24"})
    assert kept.headers["location"] == "/holds?state=held&age=24"


async def test_a_list_offers_its_own_states(reviewer):
    """What is decided is released, partly or not at all; a list of one state asks for none."""
    decided = (await reviewer.get("/decided")).text
    assert '<option value="partly_released"' in decided
    assert '<option value="held"' not in decided
    assert 'name="state"' not in (await reviewer.get("/flags")).text
    assert ids_on(await reviewer.get("/flags?state=closed")) == set()
    assert (await reviewer.get("/closed?state=open&q=x")).status_code == 200


async def test_search_by_id(reviewer, three):
    """The id in the sender's 250 finds the item."""
    assert ids_on(await reviewer.get(f"/holds?q={three['khan']}")) == {three["khan"]}


async def test_filter_by_finding(console, reviewer, three):
    """The category of a rule that came true, as the ledger has it."""
    entry = a_ledger_entry(id=three["khan"], rules=("flirting.wink", "conduct.burst"))
    console.store.write_now(lambda tx: ledger.add(tx, entry))
    assert ids_on(await reviewer.get("/holds?category=conduct")) == {three["khan"]}
    assert ids_on(await reviewer.get("/holds?category=con")) == set()
    assert ids_on(await reviewer.get("/holds?category=%25")) == set()


@pytest.mark.parametrize(
    "query", ["q=Khan", "q=statement", "q=nadia", "q=4417", "unit=Robbery+Squad", "q=42/10231/26"]
)
async def test_search_finds_nothing_about_oneself(console, query):
    """Whoever wrote it, is named in it, or reports to who wrote it finds what one finds of nothing (P7)."""
    empty = {
        email: words_of(await console.visitor(email).get(f"/holds?{query}"))
        for email in (PSD, "helen.brooks@force.example")
    }
    item = console.held(
        officer=PRYCE,
        senders=(PRYCE,),
        excluded=(PRYCE, KHAN),
        subject="Khan's statement",
        unit="Robbery Squad",
    )
    seen = await console.visitor(PSD).get(f"/holds?{query}")
    page = await console.visitor("helen.brooks@force.example").get(f"/holds?{query}")
    assert item not in page.text
    assert words_of(page) == empty["helen.brooks@force.example"]
    assert item in seen.text or query in {"q=Khan", "q=4417"}
    by_id = await console.visitor("helen.brooks@force.example").get(f"/holds?q={item}")
    assert ids_on(by_id) == set()


async def test_near_duplicates_stand_together(console, reviewer):
    """The same words of one officer are one matter; the same words of another are another."""
    first = console.held(held_at=console.clock() - timedelta(hours=5))
    console.held(
        officer=PRYCE, senders=(PRYCE,), excluded=(PRYCE,), held_at=console.clock() - timedelta(hours=4)
    )
    again = console.held(held_at=console.clock() - timedelta(hours=3))
    text = (await reviewer.get("/holds")).text
    assert "1 more with the same words from the same officer" in text
    between = text[text.index(first) : text.index(again)]
    assert between.count("data-row") == 1


async def test_a_view_is_kept_and_forgotten(console, reviewer, three):
    """Filters under a name, one click away, on every list; gone when they are forgotten."""
    fields = {"shelf": "/holds", "name": "  Fraud,  copied ", "unit": "Fraud Squad", "psd": "1"}
    kept = await reviewer.post("/views", fields)
    assert kept.headers["location"] == "/holds?unit=Fraud+Squad&psd=1"
    page = await reviewer.get("/flags")
    assert 'href="/holds?unit=Fraud+Squad&amp;psd=1">Fraud, copied<' in page.text
    gone = await reviewer.post("/views/remove", {"name": "Fraud, copied", "shelf": "/flags"})
    assert gone.headers["location"] == "/flags"
    assert "Fraud, copied" not in (await reviewer.get("/flags")).text


@pytest.mark.parametrize("shelf", ["//evil.example", "https://evil.example", "/account", ""])
async def test_a_view_leads_to_a_list_and_nowhere_else(console, reviewer, shelf):
    """Whatever a form names as the list."""
    kept = await reviewer.post("/views", {"shelf": shelf, "name": "x", "unit": "North"})
    assert kept.headers["location"] == "/holds?unit=North"


async def test_views_are_bounded(console, reviewer):
    """Thirty views; one more is not kept, one of the same name takes its place."""
    for number in range(31):
        await reviewer.post("/views", {"shelf": "/holds", "name": f"view {number}", "unit": "North"})
    text = (await reviewer.get("/holds")).text
    assert "view 29" in text
    assert "view 30" not in text
    await reviewer.post("/views", {"shelf": "/holds", "name": "view 3", "unit": "South"})
    assert "unit=South" in (await reviewer.get("/holds")).text


def visit_of(console, visitor, query=""):
    """Return the visit that a request to /live makes, for reading its news without a socket."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    scope = {
        "type": "http", "method": "GET", "path": "/live", "query_string": query.encode(),
        "headers": [(b"cookie", cookie.encode())],
    }  # fmt: skip
    return Visit(
        desk=console.desk,
        request=Request(scope),
        nav=(),
        registry=console.registry,
        signed=None,
        form_secret="",
    )


async def next_news(stream):
    """Return the next event of a stream, passing by its signs of life."""
    async for text in stream:
        if text.startswith("event: news"):
            return json.loads(text.split("data: ")[1])
    return None


@pytest.fixture
async def lively(console_store, registry_settings):
    made = Console(console_store, registry_settings, live_s=0.01, max_live=2)
    yield made
    await made.desk.reader.close()


async def test_an_open_page_is_told_of_news(lively):
    """At once how it stands, then whenever it is another; the page begins with the same mark."""
    visitor = lively.visitor()
    stream = live.news(visit_of(lively, visitor), HOLDS, HOLDS.wanted)
    first = await next_news(stream)
    page = await visitor.get("/holds")
    assert f'data-mark="{first["mark"]}"' in page.text
    item = lively.held(verdict=a_verdict(urgent="bail"))
    lively.happened(item)
    second = await asyncio.wait_for(next_news(stream), 30)
    assert (second["waiting"], second["urgent"], second["text"]) == (1, 1, "1 waiting, 1 urgent")
    assert second["mark"] != first["mark"]
    lively.store.write_now(lambda tx: items.set_state(tx, item, ItemState.HELD, ItemState.REFERRED))
    lively.happened(item)
    third = await asyncio.wait_for(next_news(stream), 30)
    assert third["waiting"] == 0
    await stream.aclose()


async def test_a_claim_is_news(lively):
    """The list says who has what, so it is another list when somebody takes an item, or agrees to its release."""
    item, other = lively.held(), lively.held(held_at=lively.clock())
    stream = live.news(visit_of(lively, lively.visitor()), HOLDS, HOLDS.wanted)
    marks = [(await next_news(stream))["mark"]]
    colleague = lively.visitor("owen.pryce@force.example")
    await colleague.post(f"/items/{item}", {"action": "claim"})
    marks.append((await asyncio.wait_for(next_news(stream), 30))["mark"])
    lively.store.write_now(lambda tx: items.add_decision(tx, a_yes(other, lively.clock())))
    lively.happened(other)
    marks.append((await asyncio.wait_for(next_news(stream), 30))["mark"])
    assert len(set(marks)) == 3
    await stream.aclose()


def a_yes(item, at):
    return Decision(
        item_id=item, actor=PSD, action=DecisionAction.APPROVE, reason="It is about the bail.", at=at
    )


async def test_news_are_only_of_what_is_in_sight(lively):
    """An item one may not know of makes no news: not even a sign that something happened (P7)."""
    brooks = lively.visitor("helen.brooks@force.example")
    stream = live.news(visit_of(lively, brooks), HOLDS, HOLDS.wanted)
    first = await next_news(stream)
    hidden = lively.held(officer=PRYCE, senders=(PRYCE,), excluded=(PRYCE,))
    lively.happened(hidden)
    assert (await asyncio.wait_for(anext(stream), 30)).startswith(": ")
    lively.happened(lively.held())
    second = await asyncio.wait_for(next_news(stream), 30)
    assert (first["waiting"], second["waiting"]) == (0, 1)
    await stream.aclose()


def fail(console, item):
    """Have the release of a hold fail."""
    moved(console, item, ItemState.RELEASING, ItemState.RELEASE_FAILED)
    console.happened(item, Event.HOLD_RELEASE_FAILED)


async def test_a_release_that_failed_is_news_to_whom_it_concerns(lively):
    """On the list and on the page of any item; not to whoever may not know of the hold (P7)."""
    hidden = lively.held(officer=PRYCE, senders=(PRYCE,), excluded=(PRYCE,))
    open_item, item = lively.held(), lively.held()
    brooks = lively.visitor("helen.brooks@force.example")
    stream = live.news(visit_of(lively, brooks), HOLDS, HOLDS.wanted)
    assert (await next_news(stream))["failed"] == 0
    fail(lively, hidden)
    assert (await asyncio.wait_for(anext(stream), 30)).startswith(": ")
    assert "Releases that failed" not in words_of(await brooks.get(f"/items/{open_item}"))
    fail(lively, item)
    told = await asyncio.wait_for(next_news(stream), 30)
    assert (told["failed"], told["text"]) == (1, "2 waiting, 0 urgent, 1 release failed")
    page = await brooks.get(f"/items/{open_item}")
    assert "Releases that failed: 1" in words_of(page)
    assert 'role="status" data-live="/live?shelf=/holds"' in page.text
    assert ids_on(await brooks.get("/holds?state=release_failed")) == {item}
    await stream.aclose()


async def test_a_release_that_failed_is_no_news_of_flags(lively):
    """An open list of flags is left alone."""
    item = lively.held()
    stream = live.news(visit_of(lively, lively.visitor()), shelves.FLAGS, shelves.FLAGS.wanted)
    assert (await next_news(stream))["failed"] == 0
    fail(lively, item)
    assert (await asyncio.wait_for(anext(stream), 30)).startswith(": ")
    await stream.aclose()


async def test_time_alone_is_news(lively):
    """An item that has come to wait longer than is asked for, and a claim that has lapsed: nothing else happens meanwhile."""
    item = lively.held(held_at=lively.clock() - timedelta(minutes=50))
    wanted = await shelves.wanted_of(
        HOLDS, Filters(age="1"), lively.store, Sight(), lively.registry, max_subjects=9, at=lively.clock()
    )
    stream = live.news(visit_of(lively, lively.visitor()), HOLDS, wanted)
    assert (await next_news(stream))["waiting"] == 0
    lively.clock.forward(minutes=11)
    assert (await asyncio.wait_for(next_news(stream), 30))["waiting"] == 1
    await stream.aclose()
    await lively.visitor("owen.pryce@force.example").post(f"/items/{item}", {"action": "claim"})
    stream = live.news(visit_of(lively, lively.visitor()), HOLDS, HOLDS.wanted)
    claimed = await next_news(stream)
    lively.clock.forward(seconds=lively.desk.settings.review.claim_s)
    assert (await asyncio.wait_for(next_news(stream), 30))["mark"] != claimed["mark"]
    await stream.aclose()


async def test_news_end_with_the_session(lively):
    """An open page keeps no session alive, and learns nothing once it is over."""
    visitor = lively.visitor()
    stream = live.news(visit_of(lively, visitor), HOLDS, HOLDS.wanted)
    assert await next_news(stream)
    lively.clock.forward(minutes=31)
    assert await asyncio.wait_for(next_news(stream), 30) is None
    assert (await visitor.get("/holds")).status_code == 303


async def test_streams_are_bounded(lively):
    """One page more than console.max_live gets 204, which tells a browser to stop asking."""
    visitor = lively.visitor()
    streams = [live.news(visit_of(lively, visitor), HOLDS, HOLDS.wanted) for _ in range(2)]
    for stream in streams:
        await next_news(stream)
    assert (await visitor.get("/live?shelf=/holds")).status_code == 204
    for stream in streams:
        await stream.aclose()
    assert not lively.desk.live.locked()


async def test_one_session_leaves_places_to_others(console):
    """A reviewer with many tabs is told in so many as a browser keeps; a colleague is told all the same."""
    visit = replace(visit_of(console, console.visitor()), form_secret="one")
    streams = [live.news(visit, HOLDS, HOLDS.wanted) for _ in range(6)]
    for stream in streams:
        await next_news(stream)
    assert (await live.stream(visit, HOLDS, HOLDS.wanted)).status_code == 204
    colleague = replace(visit_of(console, console.visitor("owen.pryce@force.example")), form_secret="two")
    assert (await live.stream(colleague, HOLDS, HOLDS.wanted)).status_code == 200
    for stream in streams:
        await stream.aclose()
    assert (await live.stream(visit, HOLDS, HOLDS.wanted)).status_code == 200
    assert not +console.desk.live_of


async def test_pages_renew_themselves_without_scripts(reviewer):
    """A browser without scripts asks again every minute, for the same list, and says that nobody asked."""
    for path, again in (("/holds", "?renewal=1"), ("/flags?q=a%26b", "?q=a%26b&amp;renewal=1")):
        page = await reviewer.get(path)
        refresh = f'content="60; url={path.partition("?")[0]}{again}"'
        assert f'<noscript><meta http-equiv="refresh" {refresh}></noscript>' in page.text


def test_filters_are_read_back_as_they_were_written():
    """The address of a view is made of its filters and gives them again."""
    filters = Filters(q="a&b=c #1", unit="Fraud Squad", urgent="1", state="held", age="24")
    assert Filters.of(dict(parse_qsl(urlsplit(filters.address(HOLDS)).query))) == filters
