"""Rule pages and playground in real Chromium: found by keyboard, a mail dropped, a rule tried, on a telephone, without scripts."""

import os
from datetime import timedelta

from browser import a_port, chromium, needs_chromium, served
from console_rule_sets import a_rule, put_in_force, shipped
from console_visits import BY_ROLE, Console
from gateway_process import mail
from stores import a_ledger_entry

from gateway.console import sessions
from gateway.model import Label, Role
from gateway.settings import InspectionSettings
from gateway.store import items, ledger
from gateway.store.sessions import Method, Stage

RULE = "romantic-advance.asks-out"
ASKS = "The hearing is on Tuesday at ten. Would you fancy a drink after work one evening?"
pytestmark = needs_chromium


def fill(console):
    """Let a rule of the repository come true often enough to be told of."""
    put_in_force(console, shipped())
    for number in range(40):
        item = console.held(held_at=console.clock() - timedelta(days=number * number % 88))
        entry = a_ledger_entry(id=item, rules=(RULE,))
        label = Label.FALSE_ALARM if number % 5 == 0 else Label.CROSSING
        console.store.write_now(lambda tx, entry=entry: ledger.add(tx, entry))
        console.store.write_now(lambda tx, item=item, label=label: items.set_label(tx, item, label))


async def picture(page, name):
    """Keep a picture where PICTURES_OF_TESTS says, for people to look at."""
    if folder := os.environ.get("PICTURES_OF_TESTS"):
        await page.screenshot(path=f"{folder}/{name}.png")


async def a_page(console, browser, origin, **context):
    """Return a page of a rule author who is signed in, and what its console and its policy complained of."""
    made = await browser.new_context(ignore_https_errors=True, **context)
    made.set_default_timeout(240_000)
    secret = console.store.write_now(
        lambda tx: sessions.begin(
            tx, console.desk, BY_ROLE[Role.RULE_AUTHOR], Method.PASSWORD, Stage.SIGNED_IN
        )
    )
    await made.add_cookies([{"name": sessions.COOKIE, "value": secret, "url": origin, "secure": True}])
    page, complaints = await made.new_page(), []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


async def test_rules_and_playground(console_store, registry_settings, tmp_path):
    """Search, open a rule, try words by Ctrl Enter, drop a mail, try a rule; the policy of the pages is never offended."""
    sock, port = a_port()
    origin = f"https://127.0.0.1:{port}"
    console = Console(
        console_store, registry_settings, url=origin, playground_timeout_s=240,
        inspection=InspectionSettings(extract_workers=1, language=False, message_timeout_s=200),
    )  # fmt: skip
    fill(console)
    async with served(console.app, tmp_path, sock), chromium() as browser:
        page, complaints = await a_page(console, browser, origin, viewport={"width": 1280, "height": 1000})
        await looks_up_a_rule(page, origin)
        await tries_words(page)
        await drops_a_mail(page, tmp_path)
        await tries_a_rule(page)
        assert complaints == []
        await fits_a_telephone(console, browser, origin)
        await works_without_scripts(console, browser, origin)
    await console.desk.rehearser.close()
    await console.desk.reader.close()


async def looks_up_a_rule(page, origin):
    await page.goto(f"{origin}/rules")
    await picture(page, "rules")
    await page.keyboard.press("/")
    await page.keyboard.type("asks-out")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/rules?q=asks-out*")
    await page.locator("h1").click()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/rules/{RULE}")
    assert await page.locator("svg.plot rect").count() >= 1
    await picture(page, "console-rules")


async def tries_words(page):
    await page.get_by_role("link", name="Try words on it").click()
    await page.wait_for_url("**/playground*")  # loaded, so that the keys are listened to
    await page.get_by_label("Words, or the source of a mail").fill(ASKS)
    await page.keyboard.press("Control+Enter")
    await page.locator("[data-answer]").wait_for()
    assert await page.get_by_label("Words, or the source of a mail").input_value() == ASKS
    assert "hold" in await page.locator("section[aria-labelledby=verdict]").inner_text()
    await page.locator("h1").click()
    await page.keyboard.press("n")
    assert await page.evaluate("document.activeElement.tagName") == "MARK"
    await picture(page, "playground")


async def drops_a_mail(page, folder):
    file = folder / "one.eml"
    file.write_bytes(mail("We should have dinner, just us.", subject="Your case"))
    await page.locator("#file").set_input_files(file)
    await page.get_by_text("The file one.eml is tried in place of the text.").wait_for()
    assert await page.get_by_label("a whole mail, with its header block").is_checked()
    await page.get_by_role("button", name="Try it").click()
    await page.locator("mark").filter(has_text="dinner").first.wait_for()
    await page.get_by_role("button", name="Without the file").click()
    assert await page.locator("[data-file]").input_value() == ""


async def tries_a_rule(page):
    await page.locator("summary").filter(has_text="A rule of yours").click()
    rule = a_rule(id="romantic-advance.hearing").replace("list: offices", "list: work-channels")
    await page.get_by_label("The rule's file (YAML)").fill(rule.replace("status: enforce", "staus: enforce"))
    await page.get_by_role("button", name="Try it").click()
    await page.get_by_role("cell", name="staus", exact=False).first.wait_for()
    await picture(page, "playground-rule")


async def fits_a_telephone(console, browser, origin):
    """At 360 pixels nothing is cut off sideways, by night."""
    page, _ = await a_page(
        console, browser, origin, viewport={"width": 360, "height": 740}, color_scheme="dark"
    )
    for path in ("/rules", f"/rules/{RULE}", "/rules/policy", "/rules/changes", "/playground"):
        await page.goto(f"{origin}{path}")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) <= 0, path
    await picture(page, "playground-telephone")


async def works_without_scripts(console, browser, origin):
    """Words can be tried without scripts; what needs them is not offered."""
    page, _ = await a_page(console, browser, origin, java_script_enabled=False)
    await page.goto(f"{origin}/playground")
    assert not await page.get_by_text("Choose a mail").is_visible()
    await page.get_by_label("Words, or the source of a mail").fill(ASKS)
    await page.get_by_role("button", name="Try it").click()
    await page.get_by_role("heading", name="Verdict").wait_for()
