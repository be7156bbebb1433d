"""What opens after a decision, what is said of it, and who has what in hand: nobody is led astray, or to each other."""

from dataclasses import replace
from datetime import timedelta

import pytest
from console_visits import BROOKS, KHAN, PSD, REVIEWER, words_of
from stores import a_verdict

from gateway.console import in_hand
from gateway.model import Event, ItemKind, ItemState, Severity, StaffId
from gateway.store import items, queue

WORDS = "The words are about the hearing, not about her."
COLLEAGUE = "owen.pryce@force.example"
OTHER, SHAH = StaffId("5001"), StaffId("3400")
SEVERE = replace(a_verdict(), findings=(replace(a_verdict().findings[0], severity=Severity.CRITICAL),))
URGENT = a_verdict(urgent="bail")


@pytest.fixture
def line(console):
    """Five holds, the first the oldest."""
    return [console.held(held_at=console.clock() - timedelta(hours=9 - number)) for number in range(5)]


async def decide(visitor, item, action="return"):
    """Decide, and return where the visitor is led."""
    answer = await visitor.post(f"/items/{item}", {"action": action, "reason": WORDS})
    assert answer.status_code == 303, words_of(answer)
    return answer.headers["location"]


async def skip(visitor, item):
    """Return where *Skip* leads from an item."""
    page = (await visitor.get(f"/items/{item}")).text
    return page.partition('" data-skip')[0].rpartition('href="')[2] if "data-skip" in page else ""


@pytest.mark.parametrize("action", ["release", "return", "refer"])
@pytest.mark.parametrize("email", [REVIEWER, PSD])
async def test_the_last_one_leads_to_the_list(console, email, action):
    """It says that it is done; nobody is led to what they may no longer know of, and no prying is written down."""
    visitor = console.visitor(email)
    item = console.held()
    location = await decide(visitor, item, action)
    assert location == f"/holds?done={item}"
    page = await visitor.get(location)
    assert page.status_code == 200
    assert ("Undo the release" if action == "release" else "Done.") in words_of(page)
    assert console.audited(Event.DECISION_REFUSED) == []


async def test_the_last_flag_leads_to_the_flags(console, reviewer):
    """Each kind has its own list."""
    flag = console.held(kind=ItemKind.FLAG)
    assert await decide(reviewer, flag, "false-alarm") == f"/flags?done={flag}"


async def test_the_one_behind_opens_and_the_first_after_the_last(console, reviewer, line):
    """What was passed over is not opened again at once, but when all behind it are through."""
    assert await decide(reviewer, line[1]) == f"/items/{line[2]}?done={line[1]}"
    assert await decide(reviewer, line[2]) == f"/items/{line[3]}?done={line[2]}"
    assert await decide(reviewer, line[4]) == f"/items/{line[0]}?done={line[4]}"
    assert await decide(reviewer, line[0], "refer") == f"/items/{line[3]}?done={line[0]}"


async def test_what_is_done_to_the_next_one_leaves_the_undo_of_the_last(console, reviewer, line):
    """Claiming the item that opens, or noting something on it, does not take the few seconds for second thoughts away."""
    location = await decide(reviewer, line[0], "release")
    assert location == f"/items/{line[1]}?done={line[0]}"
    for fields in ({"action": "claim"}, {"action": "note", "reason": WORDS}, {"action": "give-up"}):
        answer = await reviewer.post(location, fields)
        assert answer.headers["location"] == location
        assert "Undo the release" in words_of(await reviewer.get(location))
    console.clock.forward(minutes=5)
    undone = await reviewer.post(f"/items/{line[0]}", {"action": "undo"})
    assert undone.status_code == 303
    for asked in (location, f"/items/{line[1]}?done=//evil.example/%0d"):
        answer = await reviewer.post(asked, {"action": "claim"})
        assert answer.headers["location"] == f"/items/{line[1]}"


async def test_a_referral_sent_twice_is_not_said_to_have_failed(console, reviewer, line):
    """A second press on the button finds the item gone out of sight: the first one counted, and that is what is said."""
    first = await decide(reviewer, line[0], "refer")
    second = await reviewer.post(f"/items/{line[0]}", {"action": "refer", "reason": WORDS})
    assert (second.status_code, second.headers.get("location")) == (303, f"/holds?done={line[0]}")
    assert console.store.read_now(lambda tx: len(items.decisions_of(tx, line[0]))) == 1
    assert first == f"/items/{line[1]}?done={line[0]}"


async def test_what_a_colleague_has_claimed_is_not_opened(console, reviewer, line):
    """Two reviewers are led to different items; one's own claim is no reason to pass by."""
    await console.visitor(COLLEAGUE).post(f"/items/{line[1]}", {"action": "claim"})
    await reviewer.post(f"/items/{line[2]}", {"action": "claim"})
    assert await skip(reviewer, line[0]) == f"/items/{line[2]}"
    assert await decide(reviewer, line[0]) == f"/items/{line[2]}?done={line[0]}"
    console.clock.forward(hours=1)
    assert await decide(console.visitor(), line[4]) == f"/items/{line[1]}?done={line[4]}"


async def test_one_s_own_first_yes_is_not_opened_again(console, reviewer):
    """It waits for a second person: it is said so, and the first one goes on with the others."""
    hours = (timedelta(hours=one) for one in (5, 4, 3))
    severe, other, last = (
        console.held(held_at=console.clock() - ago, verdict=verdict)
        for ago, verdict in zip(hours, (SEVERE, a_verdict(), a_verdict()), strict=True)
    )
    location = await decide(reviewer, severe, "release")
    assert location == f"/items/{other}?done={severe}"
    assert "a second person must release it too" in words_of(await reviewer.get(location))
    assert await decide(reviewer, other) == f"/items/{last}?done={other}"
    assert await decide(reviewer, last) == f"/holds?done={last}"
    assert await decide(console.visitor(COLLEAGUE), severe, "release") == f"/holds?done={severe}"


async def test_an_urgent_one_comes_first_unless_somebody_has_it(console, reviewer, line):
    """It came while others were decided; whoever puts it aside claims it, and is not led back at once."""
    urgent = console.held(verdict=URGENT, held_at=console.clock())
    assert await decide(reviewer, line[1]) == f"/items/{urgent}?done={line[1]}"
    assert await skip(reviewer, urgent) == f"/items/{line[0]}"
    assert await skip(reviewer, line[2]) == f"/items/{line[3]}"
    await reviewer.post(f"/items/{urgent}", {"action": "claim"})
    assert await decide(reviewer, line[2]) == f"/items/{line[3]}?done={line[2]}"
    assert await decide(reviewer, line[4]) == f"/items/{urgent}?done={line[4]}"


async def test_a_failed_release_is_listed_and_comes_next(console, reviewer):
    """It wants a decision as what is held does (P6)."""
    first, failed = (console.held(held_at=console.clock() - timedelta(hours=one)) for one in (3, 2))

    def fail(tx):
        items.set_state(tx, failed, ItemState.HELD, ItemState.RELEASING)
        items.set_state(tx, failed, ItemState.RELEASING, ItemState.RELEASE_FAILED)

    console.store.write_now(fail)
    beside = words_of(await reviewer.get(f"/items/{first}"))
    assert "release failed" in beside
    assert await decide(reviewer, first) == f"/items/{failed}?done={first}"


async def test_nobody_is_led_out_of_their_sight(console):
    """The next one is asked for through the visitor's sight, like everything (P7)."""
    brooks = console.visitor("helen.brooks@force.example")
    item = console.held(held_at=console.clock() - timedelta(hours=3))
    console.held(excluded=(BROOKS,), verdict=URGENT)
    assert await skip(brooks, item) == ""
    assert await decide(brooks, item) == f"/holds?done={item}"
    words = words_of(await brooks.get("/holds"))
    assert "Nothing waits." in words


@pytest.mark.parametrize("path", ["/holds", "item"])
async def test_both_lists_say_who_has_what(console, reviewer, path):
    """A claim and a first yes are seen before anybody opens the item, not after they have typed."""
    claimed = console.held(held_at=console.clock() - timedelta(hours=5))
    console.held(verdict=SEVERE, held_at=console.clock() - timedelta(hours=4))
    severe = console.held(verdict=SEVERE, held_at=console.clock() - timedelta(hours=3))
    colleague = console.visitor(COLLEAGUE)
    await colleague.post(f"/items/{claimed}", {"action": "claim"})
    await decide(colleague, severe, "release")
    page = words_of(await reviewer.get(f"/items/{claimed}" if path == "item" else path))
    assert page.count(f"claimed by {COLLEAGUE} until") == 1
    assert page.count(f"{COLLEAGUE} is for its release; a second person must be") == 1
    own = words_of(await colleague.get("/holds"))
    assert "claimed by you until" in own
    assert "you are for its release" in own


async def test_the_next_one_is_sought_without_unsealing(console, reviewer, line, monkeypatch):
    """A decision costs no look into the messages of those that wait."""
    monkeypatch.setattr(queue, "_headlines", None)
    found = console.store.read_now(
        lambda tx: queue.order(tx, queue.Sight(), in_hand.TO_DECIDE[ItemKind.HOLD], limit=9)
    )
    assert found == tuple(line)
    assert await decide(reviewer, line[0]) == f"/items/{line[1]}?done={line[0]}"


async def test_the_undo_is_offered_to_whom_it_would_not_be_refused(console, reviewer):
    """Who released it, and professional standards; a colleague who opens the item is not invited in vain."""
    item = console.held()
    await decide(reviewer, item, "release")
    pages = {
        email: words_of(await console.visitor(email).get(f"/items/{item}?done={item}"))
        for email in (REVIEWER, PSD, COLLEAGUE)
    }
    offered = {email: "Undo the release" in page for email, page in pages.items()}
    assert offered == {REVIEWER: True, PSD: True, COLLEAGUE: False}


async def test_words_of_an_outdated_form_come_back_where_the_item_is_gone(console, reviewer):
    """Signed in anew, and a colleague has referred it meanwhile: nothing is done, and what was typed is shown."""
    item = console.held()
    await console.visitor(COLLEAGUE).post(f"/items/{item}", {"action": "refer", "reason": WORDS})
    fields = {"csrf": await console.visitor().token("/account"), "action": "return"}
    typed = await reviewer.http.post(f"/items/{item}", data=fields | {"reason": "Typed <with> care."})
    assert typed.status_code == 404
    assert "Typed &lt;with&gt; care." in typed.text
    assert (await reviewer.http.post(f"/items/{item}", data=fields)).status_code == 403
    unknown = await reviewer.http.post("/items/nothing", data=fields | {"reason": "Typed <with> care."})
    assert words_of(unknown) == words_of(typed)


async def test_what_was_sent_in_an_officers_name_is_among_their_items(console, reviewer):
    """A colleague's mail on behalf of the officer stands by the officer's own, as far as the visitor may know of it."""
    own = console.held()
    other = {"officer": OTHER, "senders": (KHAN, OTHER)}
    seen = console.held(subject="On behalf", excluded=(KHAN, OTHER), **other)
    hidden = console.held(subject="Kept from you", excluded=(KHAN, OTHER, SHAH), **other)
    page = (await reviewer.get(f"/items/{own}")).text
    beneath = page.partition("other items")[2]
    assert f"/items/{seen}" in beneath
    assert hidden not in page
    back = (await reviewer.get(f"/items/{seen}")).text
    assert f"/items/{own}" in back.partition("other items")[2]
