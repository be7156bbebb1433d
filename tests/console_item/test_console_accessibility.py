"""Every page of the console against WCAG 2.2 AA by axe-core, by day and by night, with everything folded on it opened.

axe-core comes with the package axe-playwright-python; only its script is used. Skipped, with the reason, without it.
"""

import functools
import importlib.util
from pathlib import Path

import pytest
from browser import a_port, chromium, needs_chromium, served
from console_rule_sets import put_in_force
from console_visits import PSD, Console
from item_mail import QUOTED, judged, mail

from gateway.console import factors, sessions
from gateway.console.app import PAGES
from gateway.review.decisions import Actor, Wish, decide, person_called
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import sessions as kept
from gateway.store.rows import DecisionAction
from gateway.store.sessions import Method, Stage

AXE = importlib.util.find_spec("axe_playwright_python")
needs_axe = pytest.mark.skipif(AXE is None, reason="needs the package axe-playwright-python, for axe-core")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "tags => axe.run(document, { runOnly: tags })"
OPEN_ALL = "() => document.querySelectorAll('details').forEach(one => { one.open = true })"
NOT_PAGES = {"/live", "/items/{item}/html", "/sign-in/directory", "/sign-in/directory/back"}
"""A stream, the inside of a frame that is looked at with its page, and two that only lead on."""
VIEWS = {
    "day": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "night": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "telephone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
}


def addresses(item):
    """Yield each page that can be looked at: the stage of a sign-in at which it opens, or None, and its address."""
    for page in PAGES:
        if page.get is None or page.path in NOT_PAGES:
            continue
        stage = None
        if page.permission is not None or Stage.SIGNED_IN not in page.stages:
            stage = Stage.SIGNED_IN if Stage.SIGNED_IN in page.stages else min(page.stages)
        path = page.path.replace("{item}", item).replace("{rule}", "advance.drink")
        yield stage, path.replace("{list}", "offices")
    yield Stage.SIGNED_IN, "/holds?q=khan&urgent=1"
    yield Stage.SIGNED_IN, "/no-such-page"
    yield Stage.ENROL, "/account/factor"


@functools.cache
def axe():
    return (Path(AXE.origin).parent / "axe.min.js").read_text("utf-8")


async def violations(page):
    """Return what axe finds on a page: the rule, and the places."""
    await page.evaluate(OPEN_ALL)
    await page.evaluate(axe())
    found = await page.evaluate(RUN, TAGS)
    assert found["passes"], "axe looked at nothing"
    return {one["id"]: [node["html"][:160] for node in one["nodes"]][:4] for one in found["violations"]}


def a_store_with_items(console):
    """Put in items in several states, one with a decision and a claim round it, and return that one."""
    first = judged(console, mail(QUOTED, subject="Re: the hearing"))
    second = judged(console, mail(QUOTED, subject="Re: the hearing"))
    console.held(subject="He was bailed today")

    def note(tx):
        person = person_called(tx, console.registry, PSD)
        actor = Actor(person=person, registry=console.registry, system="test")
        wish = Wish(item_id=second, action=DecisionAction.RETURN, reason="Said twice already.")
        ruling = decide(tx, wish, actor, console.clock(), review=ReviewSettings(), notice=NoticeSettings())
        assert not ruling.refused

    console.store.write_now(note)
    put_in_force(console)
    return first


@needs_chromium
@needs_axe
@pytest.mark.parametrize("view", VIEWS)
async def test_no_page_has_a_barrier(console_store, registry_settings, tmp_path, view):
    """No violation of WCAG 2.2 A or AA, nor of good practice, on any page: a page that is new is looked at too."""
    sock, port = a_port()
    origin = f"https://127.0.0.1:{port}"
    console = Console(console_store, registry_settings, url=origin)
    found, looked = {}, set()
    async with served(console.app, tmp_path, sock), chromium() as browser:
        for stage, path in addresses(a_store_with_items(console)):
            context = await browser.new_context(ignore_https_errors=True, **VIEWS[view])
            context.set_default_timeout(120_000)
            if stage is not None:
                await context.add_cookies([a_session(console, stage, origin)])
            page = await context.new_page()
            await page.goto(origin + path)
            looked.add(page.url.removeprefix(origin))
            if there := await violations(page):
                found[path] = there
            await context.close()
        await refused(console, browser, origin, view, found)
    await console.desk.reader.close()
    assert len(looked) >= 18, sorted(looked)
    assert found == {}


async def refused(console, browser, origin, view, found):
    """Look at the pages that answer a form: a failed sign-in, the list of keys, a refusal, a session that is over."""
    item = a_store_with_items(console)
    context = await browser.new_context(ignore_https_errors=True, **VIEWS[view])
    context.set_default_timeout(120_000)
    page = await context.new_page()
    await page.goto(f"{origin}/sign-in")
    await page.get_by_label("E-mail address").fill(PSD)
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("alert").wait_for()
    found |= {"failed sign-in": there} if (there := await violations(page)) else {}
    await context.add_cookies([a_session(console, Stage.SIGNED_IN, origin)])
    await page.goto(f"{origin}/items/{item}")
    await page.keyboard.press("?")
    found |= {"keys": there} if (there := await violations(page)) else {}
    await page.keyboard.press("Escape")
    await page.locator("#reason-release").fill("no")
    await page.get_by_role("button", name="Release", exact=True).click()
    await page.get_by_role("alert").wait_for()
    found |= {"refused": there} if (there := await violations(page)) else {}
    console.store.write_now(lambda tx: kept.end_sessions(tx, PSD))
    await page.get_by_role("button", name="Release", exact=True).click()
    await page.get_by_role("heading", name="You were signed out").wait_for()
    found |= {"signed out": there} if (there := await violations(page)) else {}
    await context.close()


def a_session(console, stage, origin):
    """Return the cookie of a session at that stage."""
    pending = factors.new_secret() if stage is Stage.ENROL else ""
    secret = console.store.write_now(
        lambda tx: sessions.begin(tx, console.desk, PSD, Method.PASSWORD, stage, pending=pending)
    )
    return {"name": sessions.COOKIE, "value": secret, "url": origin, "secure": True}


@needs_chromium
@needs_axe
async def test_a_barrier_is_seen():
    """The check itself works: a page with a picture without words and grey on grey is found out."""
    async with chromium() as browser:
        page = await browser.new_page()
        await page.set_content(
            "<html><body><img src='x'><p style='color:#aaa;background:#999'>dim</p></body></html>"
        )
        assert {"image-alt", "color-contrast", "html-has-lang"} <= set(await violations(page))
