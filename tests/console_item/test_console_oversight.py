"""Those who oversee the process see how every item was dealt with, and no word of it but by leave for one item."""

from dataclasses import replace

import pytest
from console_visits import (
    BROOKS,
    BY_ROLE,
    KHAN,
    MARSH,
    PSD,
    REVIEWER,
    add_account,
    words_of,
)  # fmt: skip
from gateway_process import CONTACT
from item_mail import QUOTED, judged, mail

from gateway.model import Event, Role, StaffId
from gateway.review.decisions import Actor, Wish, decide, person_called
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import leave, records
from gateway.store.rows import DecisionAction

OVERSIGHT = BY_ROLE[Role.OVERSIGHT]
SUBJECT = "A question about the evening"
OWN_WORDS = "She rang me and said that he must not write again."
LEAVE = {"holder": OVERSIGHT, "reason": "complaint 26/114", "days": "7"}


@pytest.fixture
def advance(console):
    """A held message, decided once with an offered reason and once with own words."""
    item = judged(console, mail(QUOTED, subject=SUBJECT))

    def job(tx):
        actor = Actor(
            person=person_called(tx, console.registry, PSD), registry=console.registry, system="test"
        )
        for action, reason in (
            (DecisionAction.REFER, "For professional standards to assess."),
            (DecisionAction.NOTE, OWN_WORDS),
        ):
            wish = Wish(item_id=item, action=action, reason=reason)
            ruling = decide(
                tx,
                wish,
                actor,
                console.clock(),
                review=ReviewSettings(),
                notice=NoticeSettings(sender="g@force.example"),
            )
            assert not ruling.refused

    console.store.write_now(job)
    return item


SECRETS = ("amazingly hot", "hearing", SUBJECT, CONTACT, "Nadia", "She rang me", "amir.khan@")
"""Words of the message and of a reason, an address and a name."""


@pytest.fixture
def overseer(console):
    return console.visitor(OVERSIGHT)


async def test_the_list_and_the_page_hold_no_word(console, overseer, advance):
    """Times, rules, categories, decisions, the kind of their reasons, who decided, who was kept out: and no text."""
    listed, page = await overseer.get("/oversight"), await overseer.get(f"/oversight/{advance}")
    assert (listed.status_code, page.status_code) == (200, 200)
    for word in SECRETS:
        assert word not in listed.text
        assert word not in page.text
    assert advance in listed.text
    shown = words_of(page)
    for word in (
        "with professional standards", "appearance-compliment", "score", PSD, "4417: sender",
        "For professional standards to assess.", f"own words, {len(OWN_WORDS)} characters", "Robbery Squad",
        "Nobody was given leave.",
    ):  # fmt: skip
        assert word in shown, word


async def test_each_look_is_written_down(console, overseer, advance):
    """The list with its ids, and the page of one item, before they are answered."""
    await overseer.get("/oversight")
    await overseer.get(f"/oversight/{advance}")
    assert (OVERSIGHT, "process") in console.audited(Event.ITEM_LISTED)
    assert (OVERSIGHT, advance) in console.audited(Event.ITEM_VIEWED)


async def test_pages_of_the_list_are_whole(console, overseer):
    """Holds and flags of every state, latest first, each once."""
    there = {console.held(retry_key=str(number)) for number in range(console.settings.console.page_rows + 7)}
    first = await overseer.get("/oversight")
    path = first.text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    second = await overseer.get(path)
    shown = [{item for item in there if item in page.text} for page in (first, second)]
    assert len(shown[0]) == console.settings.console.page_rows
    assert shown[0] | shown[1] == there
    assert not shown[0] & shown[1]


async def test_nobody_oversees_an_item_about_themselves(console, advance):
    """Whoever is named in a message, or reports to its sender, has no line and no page of it, whatever their role (P7)."""
    for email, excluded, senders in (
        ("helen.brooks@force.example", (KHAN, BROOKS), (KHAN,)),
        ("ruth.adeyemi@force.example", (MARSH,), (MARSH,)),
    ):
        console.store.write_now(lambda tx, email=email: add_account(tx, email, Role.OVERSIGHT))
        item = console.held(excluded=excluded, senders=senders, officer=senders[0], retry_key=email)
        visitor = console.visitor(email)
        assert item not in (await visitor.get("/oversight")).text
        absent = await visitor.get("/oversight/nothing")
        for path in (f"/oversight/{item}", f"/oversight/{item}/text"):
            assert words_of(await visitor.get(path)) == words_of(absent)
        assert words_of(await visitor.get(f"/oversight?after={item}")) == words_of(
            await visitor.get("/oversight?after=nothing")
        )


async def test_without_leave_no_text(console, overseer, advance):
    """The overseer is told how to come by it; what they may see anyway is that there is an item."""
    answer = await overseer.get(f"/oversight/{advance}/text")
    assert answer.status_code == 403
    assert "Professional standards give it" in answer.text
    assert "amazingly" not in answer.text
    for path in (f"/items/{advance}", f"/items/{advance}/source", f"/items/{advance}/html"):
        assert (await overseer.get(path)).status_code == 404


async def test_leave_opens_the_text_of_one_item_for_one_person(console, overseer, advance):
    """Given by professional standards; used, it is written down with the leave it was by."""
    other = judged(console, mail(f"{QUOTED} Again", subject=SUBJECT))
    psd = console.visitor(PSD)
    given = await psd.post(f"/oversight/{advance}/leave", LEAVE, form_on=f"/oversight/{advance}")
    assert (given.status_code, given.headers["location"]) == (303, f"/oversight/{advance}")
    assert console.audited(Event.TEXT_GRANTED) == [(PSD, advance)]
    assert "Read the text" in (await overseer.get(f"/oversight/{advance}")).text
    text = await overseer.get(f"/oversight/{advance}/text")
    assert text.status_code == 200
    assert "amazingly hot" in words_of(text)
    assert (await overseer.get(f"/oversight/{other}/text")).status_code == 403
    console.store.write_now(lambda tx: add_account(tx, "second@panel.example", Role.OVERSIGHT))
    second = console.visitor("second@panel.example")
    assert (await second.get(f"/oversight/{advance}/text")).status_code == 403
    assert "complaint 26/114" not in (await second.get(f"/oversight/{advance}")).text


async def test_leave_ends(console, overseer, advance):
    """By itself at its end, or before when professional standards end it; it is never extended in silence."""
    psd = console.visitor(PSD)
    await psd.post(f"/oversight/{advance}/leave", LEAVE | {"days": "1"})
    console.clock.forward(hours=24)
    overseer, psd = console.visitor(OVERSIGHT), console.visitor(PSD)
    assert (await overseer.get(f"/oversight/{advance}/text")).status_code == 403
    await psd.post(f"/oversight/{advance}/leave", LEAVE)
    assert (await overseer.get(f"/oversight/{advance}/text")).status_code == 200
    grant = console.store.read_now(lambda tx: leave.standing(tx, advance, OVERSIGHT, console.clock())).id
    path = f"/oversight/{advance}/leave/end"
    assert (await psd.post(path, {"leave": grant})).status_code == 303
    assert (await overseer.get(f"/oversight/{advance}/text")).status_code == 403
    assert (await psd.post(path, {"leave": grant})).status_code == 422
    assert console.audited(Event.TEXT_GRANT_ENDED) == [(PSD, advance)]
    assert len(console.store.read_now(lambda tx: leave.of_item(tx, advance))) == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"holder": REVIEWER}, "role oversight"),
        ({"holder": "nobody@panel.example"}, "role oversight"),
        ({"holder": PSD}, "role oversight"),
        ({"reason": "  x "}, "say why"),
        ({"reason": "x" * 10_001}, "more than 10,000"),
        ({"days": "0"}, "from 1 to 28 days"),
        ({"days": "29"}, "from 1 to 28 days"),
        ({"days": "-1"}, "from 1 to 28 days"),
        ({"days": "\N{SUPERSCRIPT TWO}"}, "from 1 to 28 days"),
        ({"days": "9" * 500}, "from 1 to 28 days"),
    ],
)
async def test_leave_that_is_not_given(console, advance, change, why):
    """Nothing is written but the answer, and what was typed stays in the form."""
    given = LEAVE | change
    answer = await console.visitor(PSD).post(f"/oversight/{advance}/leave", given)
    assert answer.status_code == 422
    assert why in answer.text
    assert given["reason"].strip() in answer.text
    assert console.audited(Event.TEXT_GRANTED) == []


async def test_no_leave_for_those_whom_it_is_about(console, advance):
    """An overseer who is named in the message gets none, and none that they had before is good."""
    email = "helen.brooks@force.example"
    console.store.write_now(lambda tx: add_account(tx, email, Role.OVERSIGHT))
    item = console.held(excluded=(KHAN, BROOKS))
    answer = await console.visitor(PSD).post(f"/oversight/{item}/leave", LEAVE | {"holder": email})
    assert (answer.status_code, "involved in it" in answer.text) == (422, True)


async def test_who_is_conflicted_gives_no_leave(console):
    """Professional standards named in a message have no page of it, and no form."""
    item = console.held(officer=MARSH, senders=(MARSH,), excluded=(MARSH,))
    assert (await console.visitor(PSD).post(f"/oversight/{item}/leave", LEAVE)).status_code == 404
    other = console.held(excluded=(KHAN, StaffId("1502")), retry_key="other")
    assert (await console.visitor(PSD).post(f"/oversight/{other}/leave", LEAVE)).status_code == 404
    assert console.audited(Event.TEXT_GRANTED) == []


async def test_leave_goes_with_the_role(console, overseer, advance):
    """Who is of the oversight body no more reads nothing by leave given while they were."""
    await console.visitor(PSD).post(f"/oversight/{advance}/leave", LEAVE)
    await overseer.get(f"/oversight/{advance}/text")

    def demote(tx):
        account = records.account(tx, OVERSIGHT)
        records.change_account(tx, replace(account, roles=frozenset({Role.RULE_AUTHOR})))

    console.store.write_now(demote)
    assert (await console.visitor(OVERSIGHT).get(f"/oversight/{advance}/text")).status_code == 404
