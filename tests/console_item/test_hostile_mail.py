"""Hostile mail before a supervisor's eyes, in real Chromium: no script runs, nothing is asked for, nobody is led away."""

import asyncio
import re

import pytest
from browser import Listener, a_port, chromium, needs_chromium, served
from console_visits import REVIEWER, Console
from hostile_mail import mails
from item_mail import raw_item

from gateway.console import sessions
from gateway.extract import safe_html
from gateway.store.sessions import Method, Stage

_OPEN_ALL = "() => document.querySelectorAll('details').forEach(one => { one.open = true })"
_SETTLED = (
    "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
)
_IS_OURS = "() => [window.pwned, document.title.includes('pwned'), document.querySelectorAll('script:not([src])').length]"


_ACTS = (
    "<script", "<img", "<svg", "<math", "<style", "<iframe", "<form", "<input", "<link", "<meta", "<base", "<a ", "<!--",
    " on", "style=", "href", "src=", "url(", "http", "id=", "name=", "class=",
)  # fmt: skip


def _ways(name):
    """Return where a trick is looked at: its page with the frame in it, and alone or in the source where it is apart."""
    if name in {"html: script", "html: meta refresh", "html: iframe of the console", "html: form"}:
        return "", "/html", "/source"
    return ("",) if name.startswith("html: ") else ("", "/source")


class Watch:
    """One tab that is looked over: what it asked for, what it said, where it went."""

    def __init__(self, page, origin):
        self.page, self.origin = page, origin
        self.faults = []
        page.set_default_timeout(20_000)
        page.on("request", self._asked)
        page.on("dialog", self._asked_for_an_answer)
        page.on("popup", lambda popup: self.faults.append(f"opened {popup.url}"))
        page.on("download", lambda file: self.faults.append(f"downloads {file.url}"))

    def _asked(self, request):
        if not request.url.startswith(self.origin):
            self.faults.append(f"asked for {request.url[:80]}")

    async def _asked_for_an_answer(self, dialog):
        self.faults.append(f"dialog {dialog.message[:80]}")
        await dialog.dismiss()

    async def look(self, path):
        """Open a page and everything folded on it, and see whether it is still ours."""
        await self.page.goto(self.origin + path)
        await self.page.evaluate(_OPEN_ALL)
        frame = await self.page.query_selector("iframe")
        if frame is not None:
            await frame.scroll_into_view_if_needed()
            inside = await frame.content_frame()
            await inside.wait_for_url("**/html")
            await inside.wait_for_load_state()
        if not path.endswith("/html"):  # alone in a tab it may run no script, not even the test's
            await self.page.evaluate(_SETTLED)
        if self.page.url != self.origin + path:
            self.faults.append(f"led to {self.page.url[:80]}")
        for each in self.page.frames:
            if not each.url.startswith(self.origin):
                self.faults.append(f"a frame shows {each.url[:80]}")
        pwned, titled, scripts = await self.page.evaluate(_IS_OURS)
        if pwned or titled or scripts:
            self.faults.append(f"a script ran: {pwned} {titled} {scripts}")


@needs_chromium
@pytest.mark.slow
async def test_no_script_runs_and_no_request_leaves(console_store, registry_settings, tmp_path):
    """Every trick on the item's page, in its frame, in its source and beside others: the listener hears nothing."""
    sock, port = a_port()
    origin = f"https://127.0.0.1:{port}"
    console = Console(console_store, registry_settings, url=origin)
    secret = console.store.write_now(
        lambda tx: sessions.begin(tx, console.desk, REVIEWER, Method.PASSWORD, Stage.SIGNED_IN)
    )
    faults = {}
    async with (
        asyncio.timeout(420),
        Listener() as listener,
        served(console.app, tmp_path, sock),
        chromium() as browser,
    ):
        tricks = {name: raw_item(console, raw) for name, raw in mails(f"127.0.0.1:{listener.port}")}
        assert len(tricks) >= 40
        context = await browser.new_context(ignore_https_errors=True)
        await context.add_cookies([{"name": sessions.COOKIE, "value": secret, "url": origin, "secure": True}])
        watch = Watch(await context.new_page(), origin)
        for name, item in tricks.items():
            watch.faults = []
            for path in _ways(name):
                await watch.look(f"/items/{item}{path}")
            if watch.faults:
                faults[name] = watch.faults
        watch.faults = []
        await watch.look("/holds")
        await watch.look(f"/items/{item}/versions")
        assert watch.faults == []
        # The watch itself works: a page that does ask for something is noticed, by both.
        canary = await context.new_page()
        noticed = Watch(canary, origin)
        await canary.set_content(f"<img src='http://127.0.0.1:{listener.port}/canary'>", wait_until="load")
        heard = [line.split(" HTTP")[0] for line in listener.heard]
        await context.close()
    await console.desk.reader.close()
    assert faults == {}
    assert noticed.faults
    assert heard == ["GET /canary"]


@pytest.mark.parametrize("name", [name for name, _ in mails("tracker.example:80") if name.startswith("html")])
def test_nothing_is_left_that_acts_or_loads(name):
    """The safe view keeps words and their order: no address, no attribute but cells', no element that acts."""
    raw = dict(mails("tracker.example:80"))[name].decode()
    html = safe_html(raw.partition("\r\n\r\n")[2])
    tags = " ".join(re.findall(r"<[^>]*>", html.casefold()))
    for word in _ACTS:
        assert word not in tags, html


def test_the_safe_view_keeps_what_is_said():
    """Words, lists, tables and emphasis stay; what was hidden by style is there to be read."""
    html = "<p style='color:#fff'>You <b>looked</b> nice.</p><table><tr><td colspan=2 style=x>Monday</td></tr></table>"
    assert safe_html(html) == (
        '<p>You <b>looked</b> nice.</p><table><tbody><tr><td colspan="2">Monday</td></tr></tbody></table>'
    )
