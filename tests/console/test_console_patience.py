"""What keeps the console from its work: slow browsers, tries sent all at once, hostile layout, endless mail."""

import asyncio
import socket
from dataclasses import replace

import pytest
from console_process import a_console
from console_visits import HOST, REVIEWER, Console
from stores import a_verdict

from gateway.console.item_marks import words
from gateway.console.item_reading import Reader
from gateway.console.shelves import _people
from gateway.model import Authored, Cut, CutReason, Limits, Passage, PassageKind
from gateway.settings import InspectionSettings


def scope_of(visitor, method, path, query=""):
    """Return the request of somebody who is signed in, as a server hands it on."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
        "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [
            (b"host", HOST.encode()), (b"cookie", cookie.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "client": ("127.0.0.1", 1), "server": (HOST, 443),
    }  # fmt: skip


@pytest.fixture
def hasty(console_store, registry_settings):
    """A console that waits for nobody, and has one place for open pages."""
    return Console(console_store, registry_settings, browser_s=0.05, max_live=1, live_s=0.01)


async def test_a_form_that_does_not_come_is_not_waited_for(hasty):
    """Half of a form, and then nothing: 408 after `console.browser_s`, whatever the page."""
    pieces = [{"type": "http.request", "body": b"csrf=", "more_body": True}]
    answer = []

    async def receive():
        return pieces.pop() if pieces else await asyncio.Event().wait()

    async def send(message):
        answer.append(message)

    async with asyncio.timeout(60):
        await hasty.app(scope_of(hasty.visitor(), "POST", "/account/password"), receive, send)
    assert answer[0]["status"] == 408


async def test_a_browser_that_goes_away_in_mid_form_is_no_fault_of_ours(hasty, capsys):
    """It is answered as a form that is not whole, and no fault with a trace number is logged."""
    answer = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        answer.append(message)

    await hasty.app(scope_of(hasty.visitor(), "POST", "/account/password"), receive, send)
    assert answer[0]["status"] == 400
    assert "page:fault" not in capsys.readouterr().out


async def test_an_open_page_that_takes_no_news_gives_its_place_back(hasty):
    """A browser that stops reading holds one of `console.max_live` places no longer than `console.browser_s`."""
    sent = asyncio.Event()

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "http.response.body":
            sent.set()
            await asyncio.Event().wait()

    scope = scope_of(hasty.visitor(), "GET", "/live", "shelf=/holds")
    # such a request is whole from its beginning
    whole = asyncio.Event()

    async def first():
        if not whole.is_set():
            whole.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        return await receive()

    async with asyncio.timeout(60):
        await hasty.app(scope, first, send)
    assert sent.is_set()
    assert not hasty.desk.live.locked()


async def test_an_open_page_with_nothing_to_tell_is_left_open(hasty):
    """The limit is for a browser that keeps us waiting: one that waits for us is no slow one."""
    told = []

    async def receive():
        if not told:
            told.append("request")
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.Event().wait()

    async def send(message):
        told.append(message)

    scope = scope_of(hasty.visitor(), "GET", "/live", "shelf=/holds")
    page = asyncio.create_task(hasty.app(scope, receive, send))
    async with asyncio.timeout(60):
        while sum(one.get("body", b"").startswith(b": still here") for one in told[1:]) < 2:
            assert not page.done()
            await asyncio.sleep(0.01)
    page.cancel()
    await asyncio.gather(page, return_exceptions=True)


async def test_tries_sent_at_once_are_judged_one_after_the_other(console):
    """Forty passwords in one moment: those past `console.free_tries` wait, and the one that is right is among them."""
    stranger = console.stranger()
    form = await stranger.get("/sign-in")
    token = form.text.split('name="csrf" value="')[1].split('"')[0]
    answers = await asyncio.gather(
        *(
            stranger.http.post(
                "/sign-in", data={"csrf": token, "email": REVIEWER, "password": f"wrong horse {n}"}
            )
            for n in range(40)
        )
    )
    judged = sum(answer.status_code == 422 for answer in answers)
    assert judged + sum(answer.status_code == 429 for answer in answers) == 40
    free = console.settings.console.free_tries
    assert free <= judged <= free + 2, "two are judged at once"


async def test_layout_that_would_take_minutes_ends_in_its_own_process():
    """Three hundred thousand letters of nesting: the loop goes on, and after its time the worker is ended."""
    reader = Reader(InspectionSettings(extract_workers=1, message_timeout_s=1), Limits())
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    beside = asyncio.create_task(others())
    raw = b"Content-Type: text/html\r\n\r\n" + b"<div>" * 200_000
    try:
        said = await reader.layout(raw)
        assert turns > 3
        assert "cannot" in said or "too much" in said or "busy" in said
        assert "<b>kept</b>" in await reader.layout(b"Content-Type: text/html\r\n\r\n<b onclick=x>kept</b>")
    finally:
        beside.cancel()
        await reader.close()


def test_what_is_shown_of_an_endless_mail_is_bounded_and_has_every_finding():
    """Four million letters: the beginning, and the words of a finding at the very end with what stands round them."""
    text = "x " * 2_000_000 + "you looked amazingly hot"
    passage = Passage(kind=PassageKind.BODY, part="body", text=text, start=0, end=len(text))
    finding = replace(
        a_verdict().findings[0], start=len(text) - 24, end=len(text), text="you looked amazingly hot"
    )
    cuts = tuple(
        Cut(part="body", text="y" * 30_000, start=0, end=30_000, reason=CutReason.QUOTED) for _ in range(500)
    )
    shown = words(Authored(passages=(passage,) * 30, cuts=cuts), (finding,))
    for block in shown.body:
        assert [piece.text for piece in block.pieces if piece.numbers] == ["you looked amazingly hot"]
        assert sum(len(piece.text) for piece in block.pieces) + block.left_out == len(text)
        assert sum(piece.skipped for piece in block.pieces) == block.left_out
    assert sum(len(piece.text) for block in shown.body for piece in block.pieces) < 350_000
    assert sum(len(cut.text) for cut in shown.quoted) <= 300_000


def test_a_search_for_people_reads_names_as_they_are(console):
    """A word is looked for in each name and address by itself, however it is written, and across no two of them."""
    registry = console.registry
    assert _people(registry, "amir khan")[0] == ("4417",)
    assert _people(registry, "4417")[0] == ("4417",)
    assert _people(registry, "khan@force")[0] == ("4417",)
    assert _people(registry, "nadia@home")[1] == ("P-1",)
    assert _people(registry, "khan\namir.khan")[0] == ()
    assert _people(registry, "khan amir.khan")[0] == ()
    assert set(_people(registry, "42/10231/26")[1]) == {"P-1", "P-2", "P-3"}
    assert _people(registry, "robbery squad")[2] == ("Robbery Squad",)
    assert _people(registry, "robbery")[2] == ()


@pytest.mark.slow
def test_a_head_that_does_not_end_is_cut_off(tmp_path, peopled, registry_settings):
    """A connection on which no request comes to be is closed; others are answered meanwhile."""
    with (
        a_console(tmp_path, peopled, registry_settings, browser_s=0.2) as (process, _),
        socket.create_connection(("127.0.0.1", process.port), timeout=60) as slow,
    ):
        slow.sendall(b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        try:
            ended = slow.recv(1) == b""
        except ConnectionResetError:
            ended = True
        assert ended
