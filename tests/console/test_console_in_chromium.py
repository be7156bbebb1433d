"""The console as a process, and the frame of its pages in real Chromium: signing in, keys, news, telephone."""

from datetime import UTC, datetime, timedelta

import pytest
from console_process import CHROMIUM, a_console, chromium, minutes_until, picture
from console_visits import PASSWORD, REVIEWER
from stores import a_verdict

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def served(tmp_path_factory, peopled, registry_settings):
    with a_console(tmp_path_factory.mktemp("served"), peopled, registry_settings) as (process, console):
        console.clock.at = datetime.now(UTC)
        fill(console)
        yield process, console


def fill(console):
    """Put a morning's items into the store."""
    now = console.clock()
    console.held(subject="Re: Friday's identification parade", held_at=now - timedelta(hours=26))
    console.held(subject="Re: Friday's identification parade", held_at=now - timedelta(hours=20))
    for number in range(4):
        console.held(
            subject=f"Update on your case 42/10231/26 ({number})",
            held_at=now - timedelta(hours=3, minutes=7 * number),
            verdict=a_verdict(findings=(), score=number),
        )
    console.held(
        subject="He has been released this afternoon",
        held_at=now - timedelta(minutes=4),
        verdict=a_verdict(urgent="bail"),
    )


def sign_in(page, origin):
    page.goto(f"{origin}/holds")
    page.get_by_label("E-mail address").fill(REVIEWER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{origin}/holds")


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.name || ''")


def test_keys_news_and_policy(served):
    """Sign in, move by j and k, search by /, help by ?, nothing while typing; news arrive; the policy is never offended."""
    process, console = served
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        page.goto(f"{process.origin}/")
        picture(page, "sign-in")
        sign_in(page, process.origin)
        picture(page, "queue")
        rows = [one.get_attribute("href") for one in page.locator("#list a.row").all()]
        page.keyboard.press("j")
        assert focused(page) == rows[0]
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        assert focused(page) == rows[1]
        new = console.held(subject="just arrived", held_at=console.clock() - timedelta(minutes=1))
        with page.expect_request(lambda one: one.url.endswith("/holds")) as renewal:
            console.happened(new)
        assert renewal.value.headers["x-renewal"] == "1"
        page.wait_for_selector(f'#list a[href="/items/{new}"]')
        assert focused(page) == rows[1]
        page.keyboard.press("/")
        assert focused(page) == "q"
        page.keyboard.type("jk?/")
        assert page.locator("[name=q]").input_value() == "jk?/"
        assert not page.locator("#help").evaluate("one => one.open")
        page.locator("[name=q]").fill("")
        page.locator("h1").click()
        page.keyboard.press("?")
        assert page.locator("#help").evaluate("one => one.open")
        picture(page, "keys")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/items/*")
        assert complaints == []


def test_a_list_outlives_a_store_that_does_not_answer(served):
    """Nobody sits before a screen on the wall: while the store is away the list stands as it was, and then goes on by itself."""
    process, console = served
    away = {"status": 503, "content_type": "text/html", "body": "<h1>Not now</h1>"}
    with chromium(viewport={"width": 1280, "height": 800}) as (page, complaints):
        sign_in(page, process.origin)
        page.clock.install()
        page.route("**/live?**", lambda route: route.fulfill(**away))
        with page.expect_response("**/live?**"):
            page.reload()
        page.route("**/holds", lambda route: route.fulfill(**away))
        rows = page.locator("#list a.row").count()
        new = console.held(subject="while it was away", held_at=console.clock() - timedelta(minutes=2))
        for _ in range(2):  # once a minute, until it answers
            minutes_until(page, "**/holds")
            assert page.locator("#list a.row").count() == rows
        page.unroute("**/holds")
        page.unroute("**/live?**")
        minutes_until(page, "**/live?**")
        page.wait_for_selector(f'#list a[href="/items/{new}"]')
        newer = console.held(subject="after it was away", held_at=console.clock() - timedelta(minutes=1))
        console.happened(newer)
        page.wait_for_selector(f'#list a[href="/items/{newer}"]')
        assert all("503" in one for one in complaints)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone(served, scheme):
    """At 360 pixels and at 200 % zoom nothing is cut off sideways, by day and by night."""
    process, _ = served
    for width in (360, 640):
        with chromium(viewport={"width": width, "height": 740}, color_scheme=scheme) as (page, complaints):
            sign_in(page, process.origin)
            for path in ("/holds", "/flags", "/decided", "/closed", "/account"):
                page.goto(f"{process.origin}{path}")
                wide = page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert wide <= 0, path
            page.goto(f"{process.origin}/holds")
            picture(page, f"queue-{width}-{scheme}")
            for select in page.locator(".filters select").all():
                assert select.bounding_box()["width"] > 100, "what is chosen can be read"
            assert complaints == []


def test_without_scripts(served):
    """Signing in, filtering and signing out need none."""
    process, _ = served
    with chromium(java_script_enabled=False) as (page, _complaints):
        sign_in(page, process.origin)
        page.get_by_label("Search").fill("parade")
        page.get_by_role("button", name="Filter").click()
        assert page.locator("#list a.row").count() == 2
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
