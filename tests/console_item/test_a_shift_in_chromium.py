"""A supervisor's shift in real Chromium: twenty items by keyboard alone, two at one item, a session that ends, undo, a telephone."""

from datetime import UTC, datetime, timedelta

import pytest
from console_process import CHROMIUM, a_console, chromium, picture
from console_visits import PASSWORD, PSD, REVIEWER
from item_mail import ADVANCE, judged, mail

from gateway.model import ItemState, Label
from gateway.store import items, sessions

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

COUNT = 20
OWN_WORDS = "Only the time of the identification parade is in it."
WAIT_MS = 120_000
FATES = ("release", "return", "refer", "false alarm", "note", "skip")
"""What the reviewer does first with the items, by their numbers. What still waits then is returned at the next visit."""


@pytest.fixture(scope="module")
def served(tmp_path_factory, peopled, registry_settings):
    review = {"releases_before_psd": 0, "undo_s": 3600, "two_person_severity": ""}
    folder = tmp_path_factory.mktemp("shift")
    with a_console(folder, peopled, registry_settings, review=review) as (process, console):
        console.clock.at = datetime.now(UTC)
        yield process, console


def waiting(console, number):
    """Put a held advance into the store, the older the smaller its number, and return its id."""
    at = console.clock() - timedelta(hours=30, minutes=-number)
    text = f"{ADVANCE} I am at the desk on day {number}."
    return judged(console, mail(text, subject=f"Item {number}"), at=at)


def item(console, item_id):
    return console.store.read_now(lambda tx: items.item_in_full(tx, item_id))


def sign_in(page, origin, email=REVIEWER, path="/holds"):
    """Sign in by keyboard: the cursor stands in the address."""
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{origin}{path}")
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation(url=f"{origin}{path}"):
        page.keyboard.press("Enter")


def press(page, key):
    """Press a key that leads to another page, or to this one anew."""
    with page.expect_navigation():
        page.keyboard.press(key)


def type_into(page, key, words):
    """Open a decision by its key, and type."""
    page.keyboard.press(key)
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    page.keyboard.type(words)


def decide(page, key, words):
    """Open a decision by its key, type, and send it: another page opens."""
    type_into(page, key, words)
    press(page, "Control+Enter")


def add(page, key, words):
    """Open what moves no hold by its key, type, and send it: this page stays, and shows it."""
    type_into(page, key, words)
    page.keyboard.press("Control+Enter")
    page.locator("summary:focus").wait_for()
    assert words in page.locator("#history").inner_text()


def number_of(page):
    return int(page.locator("h1").inner_text().removeprefix("Item "))


def do(page, fate):
    """Do one thing to the item that is open, and be at the next one after it."""
    if fate == "release":
        decide(page, "r", OWN_WORDS)
    elif fate == "return":
        decide(page, "x", "Write about the case alone.")
    elif fate == "refer":
        decide(page, "e", "The second of this kind.")
    else:
        if fate == "false alarm":
            add(page, "f", "It answers her own question.")
        elif fate == "note":
            add(page, "t", "Asked DS Pryce about it.")
        press(page, "s")


def test_twenty_items_by_keyboard_alone(served):
    """Sign in, open the first, decide, be shown the next, until the list opens and says that it is done: no pointer is touched."""
    process, console = served
    ids = {number: waiting(console, number) for number in range(COUNT)}
    fates = {number: FATES[number % len(FATES)] for number in ids}
    seen, steps = set(), 0
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process.origin)
        page.keyboard.press("j")
        press(page, "Enter")
        picture(page, "shift-item")
        while page.locator("h1").inner_text() != "Holds":
            number = number_of(page)
            do(page, "return" if number in seen else fates[number])
            seen.add(number)
            steps += 1
            assert steps <= 2 * COUNT, "it goes round in circles"
        assert complaints == []
    assert seen == set(ids)
    ends = {number: item(console, each) for number, each in ids.items()}
    states = {"release": ItemState.RELEASING, "refer": ItemState.REFERRED}
    assert {number: one.item.state for number, one in ends.items()} == {
        number: states.get(fate, ItemState.RETURNED) for number, fate in fates.items()
    }
    assert {number for number, one in ends.items() if one.item.label is Label.FALSE_ALARM} == {
        number for number, fate in fates.items() if fate == "false alarm"
    }
    released = [one.decisions for one in ends.values() if one.item.state is ItemState.RELEASING]
    assert {(one.actor, one.reason) for (one,) in released} == {(REVIEWER, OWN_WORDS)}


def test_a_release_is_undone_by_one_key(served):
    """While it waits to go out, the next page offers it back; after it the hold waits as before."""
    process, console = served
    first, second = waiting(console, 100), waiting(console, 101)
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process.origin, path=f"/items/{first}")
        decide(page, "r", OWN_WORDS)
        assert page.url.startswith(f"{process.origin}/items/{second}")
        assert page.get_by_role("button", name="Undo the release").is_visible()
        assert item(console, first).item.state is ItemState.RELEASING
        picture(page, "shift-undo")
        press(page, "u")
        assert item(console, first).item.state is ItemState.HELD
        assert page.locator("#do-release").is_visible()
        assert complaints == []
    close(console, first, second)


def close(console, *ids):
    """Take items out of the way of the next test."""
    for each in ids:
        before = item(console, each).item.state
        console.store.write_now(
            lambda tx: items.set_state(tx, each, before, ItemState.RETURNED)  # noqa: B023 - called at once
        )


def test_two_reviewers_at_one_item(served):
    """Who has it claimed decides; the other learns who and until when, and keeps what they typed."""
    process, console = served
    only = waiting(console, 200)
    with (
        chromium(viewport={"width": 1280, "height": 800}) as (page, _),
        one_more(page) as other,
    ):
        for each, email in ((page, REVIEWER), (other, PSD)):
            sign_in(each, process.origin, email, f"/items/{only}")
        page.keyboard.press("c")
        page.get_by_text("You have claimed it").wait_for()
        decide(other, "r", OWN_WORDS)
        told = other.get_by_role("alert").inner_text()
        assert f"{REVIEWER} has claimed it until" in told
        assert other.locator("#reason-release").input_value() == OWN_WORDS
        picture(other, "shift-claimed")
        decide(page, "x", "Write about the case alone.")
        press(other, "Control+Enter")
        assert "It is returned: that is decided" in other.get_by_role("alert").inner_text()
    decided = item(console, only)
    assert decided.item.state is ItemState.RETURNED
    assert [(one.actor, one.action) for one in decided.decisions] == [(REVIEWER, "return")]


def test_what_is_typed_stays_while_the_item_is_claimed(served):
    """Claiming, prolonging and noting leave what is being typed into a decision alone, and so does a refusal of theirs."""
    process, console = served
    only = waiting(console, 250)
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process.origin, path=f"/items/{only}")
        type_into(page, "x", "Write about the case alone.")
        page.locator("#words-return").fill("See me about it.")
        page.get_by_role("button", name="Claim it").click()
        page.get_by_role("button", name="Prolong it").wait_for()
        page.keyboard.press("Escape")
        page.locator("h1").click()
        add(page, "t", "Telephoned her.")
        assert complaints == []
        page.keyboard.press("t")
        page.keyboard.type("x")
        page.locator("#reason-note").fill(" ")
        page.keyboard.press("Control+Enter")
        page.locator("#trouble").wait_for()
        assert page.locator("#reason-return").input_value() == "Write about the case alone."
        assert page.locator("#words-return").input_value() == "See me about it."
        console.store.write_now(lambda tx: sessions.end_sessions(tx, REVIEWER))
        page.get_by_role("button", name="Prolong it").click()
        page.get_by_role("alert").get_by_text("You were signed out").wait_for()
        assert page.locator("#reason-return").input_value() == "Write about the case alone."
    close(console, only)


def test_two_who_send_at_the_same_moment(served):
    """Both forms leave before either is answered: one decision is made, and the other person is told."""
    process, console = served
    only = waiting(console, 300)
    with (
        chromium(viewport={"width": 1280, "height": 800}) as (page, _),
        one_more(page) as other,
    ):
        for each, email in ((page, REVIEWER), (other, PSD)):
            sign_in(each, process.origin, email, f"/items/{only}")
            each.keyboard.press("x")
            each.keyboard.type("Write about the case alone.")
        with page.expect_navigation(), other.expect_navigation():
            for each in (page, other):
                each.evaluate("() => { setTimeout(() => document.activeElement.form.requestSubmit()) }")
        alerts = [each.get_by_role("alert").count() for each in (page, other)]
    assert sorted(alerts) == [0, 1]
    assert len(item(console, only).decisions) == 1


def one_more(page):
    """A second browser context beside the one of ``page``: another person's cookies."""
    return page.context.browser.new_context(viewport={"width": 1280, "height": 800}).new_page()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_session_ends_while_somebody_types(served, scripts):
    """What was typed is shown, kept over the sign-in in another tab, and sent only after the message was seen again."""
    process, console = served
    only = waiting(console, 400 + scripts)
    with chromium(java_script_enabled=scripts) as (page, _):
        sign_in(page, process.origin, path=f"/items/{only}")
        page.locator("#do-release summary").click()
        page.locator("#reason-release").fill(OWN_WORDS)
        console.store.write_now(lambda tx: sessions.end_sessions(tx, REVIEWER))
        with page.expect_navigation():
            page.get_by_role("button", name="Release", exact=True).click()
        assert page.get_by_label("Your reason").input_value() == OWN_WORDS
        picture(page, "shift-signed-out")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Sign in again").click()
        tab = opened.value
        tab.set_default_timeout(WAIT_MS)
        tab.get_by_label("E-mail address").fill(REVIEWER)
        tab.get_by_label("Password").fill(PASSWORD)
        with tab.expect_navigation():
            tab.get_by_role("button", name="Sign in").click()
        with page.expect_navigation():
            page.get_by_role("button", name="Go on").click()
        assert "out of date" in page.get_by_role("alert").inner_text()
        assert item(console, only).item.state is ItemState.HELD
        assert page.locator("#reason-release").input_value() == OWN_WORDS
        with page.expect_navigation():
            page.get_by_role("button", name="Release", exact=True).click()
    assert item(console, only).item.state is ItemState.RELEASING


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone(served, scheme):
    """An inspector on call: nothing is cut off sideways, decisions are near the message, controls fit a thumb."""
    process, console = served
    only = waiting(console, 500)
    with chromium(viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True) as (
        page,
        complaints,
    ):
        sign_in(page, process.origin, path=f"/items/{only}")
        picture(page, f"shift-telephone-{scheme}")
        page.locator("#do-return summary").tap()
        page.locator("#reason-return").fill("Write about the case alone.")
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(width) <= 0
        for control in page.locator("main :is(button, summary, a.button):visible").all():
            box = control.bounding_box()
            assert box["height"] >= 24, control.inner_text()
        with page.expect_navigation():
            page.get_by_role("button", name="Return", exact=True).tap()
        assert complaints == []
    assert item(console, only).item.state is ItemState.RETURNED
