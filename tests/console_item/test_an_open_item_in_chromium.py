"""What an open item tells by itself in real Chromium: a claim that ends, a release that failed; and what that costs its browser."""

from datetime import UTC, datetime, timedelta

import pytest
from console_process import CHROMIUM, a_console, chromium, minutes_until, picture
from console_visits import PASSWORD, PSD, REVIEWER
from item_mail import ADVANCE, judged, mail

from gateway.model import Event, ItemState
from gateway.store import claims, items, sessions

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

WORDS = "Only the time of the identification parade is in it."
WAIT_MS = 60_000
CLAIM_S, WARNED_S = 900, 120
SIX = 6
"""Connections that a browser opens to one server by HTTP/1.1."""


@pytest.fixture(scope="module")
def served(tmp_path_factory, peopled, registry_settings):
    review = {"releases_before_psd": 0, "undo_s": 3600, "claim_s": CLAIM_S, "claim_warning_s": WARNED_S}
    folder = tmp_path_factory.mktemp("open-items")
    with a_console(folder, peopled, registry_settings, review=review) as (process, console):
        console.clock.at = datetime.now(UTC)
        yield process, console


@pytest.fixture
def held(served):
    """Return a function that puts a hold of so many hours into the store; all of them are gone after the test."""
    _, console = served
    made = []

    def hold(hours=3):
        at = console.clock() - timedelta(hours=hours)
        made.append(judged(console, mail(f"{ADVANCE} This is number {len(made)}."), at=at))
        return made[-1]

    yield hold
    for each in made:
        move(console, each, ItemState.REFERRED)


def move(console, item, *states):
    """Have an item go through states, and be news."""
    for state in states:
        before = console.store.read_now(lambda tx: items.item(tx, item)).state
        if before not in {state, ItemState.REFERRED}:
            console.store.write_now(lambda tx: items.set_state(tx, item, before, state))  # noqa: B023 - called at once
    console.happened(item, Event.HOLD_RELEASE_FAILED)


def sign_in(page, process, path, email=REVIEWER):
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{process.origin}{path}")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation(url=f"{process.origin}{path}"):
        page.get_by_role("button", name="Sign in").click()


def begin_to_type(page, action="return"):
    page.locator(f"#do-{action} summary").click()
    field = page.locator(f"#reason-{action}")
    field.fill("Write about the case")
    return field


def typed_on(page, field):
    """Go on typing where the cursor stands, and return what the field has then: neither it nor the cursor was touched."""
    page.keyboard.press("End")
    page.keyboard.type(" alone.")
    return field.input_value() == "Write about the case alone."


def test_a_claim_says_that_it_ends_and_that_it_has_ended(served, held):
    """Once each, where screen readers hear it, and whoever types is not disturbed; prolonging takes it back."""
    process, _ = served
    item = held()
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process, f"/items/{item}")
        page.clock.install()
        page.reload()
        lapse = page.locator("#lapse[role=status]")
        page.clock.fast_forward((CLAIM_S + 60) * 1000)
        assert lapse.inner_text() == ""  # nobody has claimed it
        page.get_by_role("button", name="Claim it").click()
        page.get_by_role("button", name="Prolong it").wait_for()
        page.clock.run_for(1000)
        field = begin_to_type(page)
        page.clock.fast_forward((CLAIM_S - WARNED_S - 10) * 1000)
        assert lapse.inner_text() == ""
        page.clock.fast_forward(20_000)
        ends = page.locator("#claiming .done time").inner_text()
        assert lapse.inner_text().startswith(f"Your claim ends at {ends}. Prolong it")
        page.evaluate("new MutationObserver(() => window.again = true).observe(lapse, {childList: true})")
        page.clock.fast_forward(10_000)
        assert page.evaluate("window.again") is None
        picture(page, "open-item-lapse")
        page.clock.fast_forward(WARNED_S * 1000)
        assert lapse.inner_text().startswith("Your claim has ended")
        assert typed_on(page, field)
        with page.expect_response(lambda one: one.request.method == "GET" and one.url.endswith(item)):
            page.get_by_role("button", name="Prolong it").click()
        page.get_by_text("Prolong it before then").wait_for()
        page.clock.run_for(1000)
        assert lapse.inner_text() == ""
        assert field.input_value() == "Write about the case alone."
        page.get_by_role("button", name="Give it back").click()
        page.get_by_role("button", name="Claim it").wait_for()
        page.clock.fast_forward((CLAIM_S + 60) * 1000)
        assert lapse.inner_text() == ""
        assert complaints == []


def test_a_release_that_failed_is_told_on_an_open_item(served, held):
    """Beside what is being typed, with a link to it, until it is decided; the open item is not looked at once more for it."""
    process, console = served
    item, failing = held(4), held(3)
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process, f"/items/{item}")
        looks = console.audited(Event.ITEM_VIEWED)
        field = begin_to_type(page)
        told = page.locator("#failed[role=status]")
        assert told.inner_text() == ""
        move(console, failing, ItemState.RELEASING, ItemState.RELEASE_FAILED)
        link = told.get_by_role("link", name="Releases that failed: 1")
        link.wait_for()
        assert told.get_attribute("class") == "trouble"
        picture(page, "open-item-failed")
        assert typed_on(page, field)
        assert console.audited(Event.ITEM_VIEWED) == looks
        move(console, failing, ItemState.RETURNED)
        link.wait_for(state="detached")
        move(console, item, ItemState.RELEASING, ItemState.RELEASE_FAILED)
        link.wait_for()
        link.click()
        page.wait_for_url("**/holds?state=release_failed")
        assert [one.get_attribute("href") for one in page.locator("#list a.row").all()] == [f"/items/{item}"]
        assert complaints == []


def test_what_is_told_outlives_a_store_that_does_not_answer(served, held):
    """Asked once more in a minute, and then told: an answer that is no news ends an event source for good."""
    process, console = served
    item, failing = held(4), held(3)
    with chromium(viewport={"width": 1280, "height": 800}) as (page, _):
        sign_in(page, process, f"/items/{item}")
        page.clock.install()
        page.route("**/live?**", lambda route: route.fulfill(status=503, body="Not now"))
        with page.expect_response("**/live?**"):
            page.reload()
        move(console, failing, ItemState.RELEASING, ItemState.RELEASE_FAILED)
        page.unroute("**/live?**")
        page.evaluate("document.getElementById('failed').replaceChildren()")  # as it stood before it failed
        minutes_until(page, "**/live?**")
        page.get_by_role("link", name="Releases that failed: 1").wait_for()


def test_what_needs_a_script_is_offered_with_scripts_alone(served, held):
    """An offered reason goes into its field; without scripts there is no button that does nothing."""
    process, console = served
    item = held()
    for scripts in (True, False):
        with chromium(java_script_enabled=scripts) as (page, _):
            sign_in(page, process, f"/items/{item}")
            page.locator("#do-return summary").click()
            offered = page.locator("#do-return .offered button")
            assert offered.count() > len(console.desk.settings.review.return_texts)
            assert [one.is_visible() for one in offered.all()] == [scripts] * offered.count()
            if scripts:
                offered.first.click()
                assert page.locator("#reason-return").input_value() == offered.first.inner_text()


HIDDEN = "Object.defineProperty(document, 'visibilityState', {value: '%s', configurable: true})"
CHANGED = "document.dispatchEvent(new Event('visibilitychange'))"


def test_items_in_many_tabs_leave_the_browser_its_connections(served, held):
    """A tab that is not looked at asks for no news, or the seventh would never open; looked at again, it is told what happened."""
    process, console = served
    item, failing = held(4), held(3)
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process, f"/items/{item}")
        tabs = [page]
        for _ in range(SIX):
            tabs[-1].evaluate(f"{HIDDEN % 'hidden'}; {CHANGED}")
            tabs.append(page.context.new_page())
            tabs[-1].goto(f"{process.origin}/items/{item}", timeout=WAIT_MS)
        first, last = tabs[0], tabs[-1]
        move(console, failing, ItemState.RELEASING, ItemState.RELEASE_FAILED)
        last.get_by_role("link", name="Releases that failed: 1").wait_for()
        assert first.locator("#failed").inner_text() == ""
        first.evaluate(f"{HIDDEN % 'visible'}; {CHANGED}")
        first.get_by_role("link", name="Releases that failed: 1").wait_for()
        assert complaints == []


@pytest.mark.parametrize("again", [REVIEWER, PSD], ids=["herself", "a colleague"])
def test_a_note_is_kept_after_signing_in_anew_in_another_tab(served, held, again):
    """It is refused once, with the item to be looked at anew, and then taken; the page says whose session it is by then."""
    process, console = served
    item = held()
    with chromium(viewport={"width": 1280, "height": 800}) as (page, _):
        sign_in(page, process, f"/items/{item}")
        begin_to_type(page)
        page.locator("#do-note summary").click()
        page.locator("#reason-note").fill("Asked DS Pryce about it.")
        console.store.write_now(lambda tx: sessions.end_sessions(tx, REVIEWER))
        page.keyboard.press("Control+Enter")
        page.get_by_role("alert").get_by_text("You were signed out").wait_for()
        sign_in(page.context.new_page(), process, "/account", again)
        page.locator("#reason-note").press("Control+Enter")
        page.get_by_role("alert").get_by_text("you have signed in anew").wait_for()
        assert console.store.read_now(lambda tx: items.decisions_of(tx, item)) == ()
        assert again in page.locator("header").inner_text()
        page.locator("#reason-note").press("Control+Enter")
        page.locator("#history").get_by_text("Asked DS Pryce about it.").wait_for()
        (noted,) = console.store.read_now(lambda tx: items.decisions_of(tx, item))
        assert (noted.actor, noted.reason) == (again, "Asked DS Pryce about it.")
        assert page.locator("#reason-return").input_value() == "Write about the case"


def test_the_undo_of_the_last_release_outlives_a_claim_of_the_next_item(served, held):
    """Who claims the item that opened, by its key, can still take the release back by its own."""
    process, console = served
    first, second = held(4), held(3)
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process, f"/items/{first}")
        page.locator("#do-release summary").click()
        page.locator("#reason-release").fill(WORDS)
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")
        assert page.url == f"{process.origin}/items/{second}?done={first}"
        page.keyboard.press("c")
        page.get_by_role("button", name="Prolong it").wait_for()
        now = console.clock()
        assert console.store.read_now(lambda tx: claims.claim_of(tx, second, now)) is not None
        with page.expect_navigation():
            page.keyboard.press("u")
        assert console.store.read_now(lambda tx: items.item(tx, first)).state is ItemState.HELD
        assert complaints == []
