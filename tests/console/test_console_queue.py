"""The queue: what is on top, what a row says, and that a page is recorded before it is shown."""

from datetime import timedelta

import pytest
from console_visits import PSD, words_of
from sqlalchemy import text
from stores import a_verdict

from gateway.console import shelves
from gateway.model import Event, ItemKind, Role


async def test_urgent_first_then_oldest(console, reviewer):
    """What a safety rule found stands on top with its remedy; the rest as it came."""
    late = console.held(subject="late", held_at=console.clock() - timedelta(minutes=5))
    early = console.held(subject="early", held_at=console.clock() - timedelta(hours=9))
    urgent = console.held(subject="bail", verdict=a_verdict(urgent="bail"), held_at=console.clock())
    page = await reviewer.get("/holds")
    places = [page.text.index(f"/items/{one}") for one in (urgent, early, late)]
    assert places == sorted(places)
    assert "Telephone the contact now." in words_of(page)


async def test_figures(console, reviewer):
    """How many wait, how many are urgent, the oldest and the median wait."""
    for hours in (1, 3, 30):
        console.held(held_at=console.clock() - timedelta(hours=hours))
    said = words_of(await reviewer.get("/holds"))
    assert "waiting 3" in said
    assert "urgent 0" in said
    assert "oldest 1 d 6 h" in said
    assert "median wait 3 h 0 min" in said


async def test_figures_of_very_many(console, reviewer, monkeypatch):
    """Counted to a bound, and said so; the units are then those of the staff list."""
    monkeypatch.setattr(shelves, "_COUNTED", 2)
    console.held(held_at=console.clock() - timedelta(hours=1), unit="Nowhere")
    few = await reviewer.get("/holds")
    assert "waiting 1" in words_of(few)
    assert "<option>Nowhere</option>" in few.text
    for hours in (3, 30):
        console.held(held_at=console.clock() - timedelta(hours=hours), unit="Nowhere")
    many = await reviewer.get("/holds")
    said = words_of(many)
    assert "waiting 2 or more" in said
    assert "urgent 0" in said
    assert "oldest 1 d 6 h" in said
    assert "median wait –" in said
    assert "<option>Nowhere</option>" not in many.text
    assert "<option>Robbery Squad</option>" in many.text


async def test_flags_stand_apart(console, reviewer):
    """A flag was delivered: it is not among what waits."""
    flag = console.held(kind=ItemKind.FLAG)
    assert f"/items/{flag}" not in (await reviewer.get("/holds")).text
    assert f"/items/{flag}" in (await reviewer.get("/flags")).text


async def test_referred_is_for_professional_standards(console, reviewer):
    """What is with PSD is in no row and no count of a supervisor's queue."""
    item = console.held(psd_only="it names thirty people")
    supervisors = await reviewer.get("/holds")
    assert item not in supervisors.text
    assert "waiting 0" in words_of(supervisors)
    assert item in (await console.visitor(PSD).get("/holds")).text


async def test_a_flag_of_professional_standards_alone_is_theirs(console, reviewer):
    """A flag, too, is in no list of a supervisor's and has no page for them where only professional standards may know of it."""
    flag = console.held(kind=ItemKind.FLAG, psd_only="whom it names could not be read")
    assert flag not in (await reviewer.get("/flags")).text
    assert (await reviewer.get(f"/items/{flag}")).status_code == 404
    theirs = console.visitor(PSD)
    for path in ("/flags", "/flags?psd=1"):
        assert flag in (await theirs.get(path)).text
    assert "whom it names could not be read" in words_of(await theirs.get(f"/items/{flag}"))


async def test_closed_flags_are_on_a_list(console, reviewer):
    """One that was closed by mistake is found again, and its label is on the list."""
    flag, open_one = console.held(kind=ItemKind.FLAG), console.held(kind=ItemKind.FLAG)
    await reviewer.post(f"/items/{flag}", {"action": "confirm", "reason": "It is one."})
    page = await reviewer.get("/closed")
    assert f"/items/{flag}" in page.text
    assert f"/items/{open_one}" not in page.text
    assert "crossing" in words_of(page)
    assert f"/items/{flag}" not in (await reviewer.get("/flags")).text


@pytest.mark.parametrize("name", ["id", "<abc.1@force.example>", "d" * 64])
@pytest.mark.parametrize("path", ["/holds", "/flags", "/decided", "/closed"])
async def test_an_exact_name_finds_an_item_from_every_list(console, reviewer, path, name):
    """By its id, Message-ID or hash: on the list it is on, or with the list it is on; out of sight it is on none (P7)."""
    flag = console.held(kind=ItemKind.FLAG, message_id="<abc.1@force.example>", sha256="d" * 64)
    await reviewer.post(f"/items/{flag}", {"action": "false-alarm", "reason": "It is none."})
    asked = {"params": {"q": flag if name == "id" else name}}
    page = await reviewer.get(path, **asked)
    assert page.text.count(f'href="/items/{flag}"') == 1
    assert ("On another list" in words_of(page)) == (path != "/closed")
    hidden = await console.visitor("amir.khan@force.example", roles=frozenset({Role.REVIEWER})).get(
        path, **asked
    )
    assert hidden.status_code == 200
    assert f"/items/{flag}" not in hidden.text
    assert "On another list" not in words_of(hidden)


async def test_listing_is_recorded(console, reviewer):
    """Whoever sees a list is written down with it."""
    console.held()
    await reviewer.get("/holds")
    assert console.audited(Event.ITEM_LISTED) == [("nina.shah@force.example", "holds")]


async def test_pages_hold_together(console_store, registry_settings):
    """Every item is on one page and one page only, urgent ones first."""
    from console_visits import Console

    console = Console(console_store, registry_settings, page_rows=5)
    reviewer = console.visitor()
    wanted = {
        console.held(
            held_at=console.clock() - timedelta(minutes=number % 4),
            verdict=a_verdict(urgent="bail" if number % 3 == 0 else "", findings=()),
        )
        for number in range(17)
    }
    seen, path = [], "/holds"
    while path:
        page = (await reviewer.get(path)).text
        seen += [one.split('"')[0] for one in page.split("/items/")[1:]]
        path = (
            page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0] if 'rel="next"' in page else ""
        )
        path = path.replace("&amp;", "&")
    assert len(seen) == 17
    assert set(seen) == wanted


@pytest.mark.parametrize("column", ["subject", "verdict"])
async def test_a_hold_that_does_not_open_hides_no_other(console, reviewer, column):
    """The queue goes on, names the damaged hold, and its own page says what to do and not that the store is silent."""
    damaged, sound = console.held(subject="Was this"), console.held(subject="Still this")
    damage = text(f"UPDATE items SET {column} = :junk WHERE id = :id")
    console.store.write_now(lambda tx: tx.connection.execute(damage, {"junk": bytes(60), "id": damaged}))
    page = await reviewer.get("/holds")
    assert f"/items/{damaged}" in page.text
    assert "cannot be opened: tell the administrator" in words_of(page)
    assert "Still this" in words_of(page)
    assert "Still this" in words_of(await reviewer.get(f"/items/{sound}"))
    failed = await reviewer.get(f"/items/{damaged}")
    assert failed.status_code == 503
    assert "cannot be opened" in words_of(failed)
