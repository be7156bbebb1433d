"""Attacks on the console from outside and from a neighbouring tab: forms, hosts, headers, paths, logs. All are refused."""

import json
import re

import pytest
from console_visits import HOST, ORIGIN, PASSWORD, PSD, REVIEWER, words_of
from structlog.testing import capture_logs

from gateway import audit
from gateway.console import forms
from gateway.console.app import PAGES
from gateway.console.guard import POLICY
from gateway.console.static_files import load
from gateway.model import Event
from gateway.store.sessions import SavedView, save_view

POSTS = [page for page in PAGES if page.post is not None]


def filled(page):
    return re.sub(r"\{[^}]*\}", "1", page.path)


# --- forms of other sites -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", POSTS, ids=lambda page: page.path)
async def test_no_form_without_its_token(console, page):
    """Every post of every page: no token, a made-up one, that of another session, that of a visitor (CSRF)."""
    stage = next(iter(page.stages)) if len(page.stages) == 1 else "signed-in"
    psd = console.visitor(PSD)
    foreign = await psd.token("/account")
    before = await console.stranger().token("/sign-in")
    for token in (None, "", "x", foreign, before, foreign[:-4], "A" * 88):
        visitor = console.visitor(PSD, stage=stage)
        answer = await visitor.http.post(
            filled(page), data={"other": "1"} if token is None else {"csrf": token}
        )
        assert answer.status_code == 403, token
        assert "out of date" in words_of(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{HOST}"},
        {"Origin": f"{ORIGIN}.evil.example"},
        {"Origin": f"{ORIGIN}:444"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_that_another_site_sends_is_refused(console, reviewer, headers):
    """Even with the right token: the browser says where the form came from."""
    answer = await reviewer.post("/sign-out", headers=headers)
    assert answer.status_code == 403
    assert (await reviewer.get("/holds")).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}, {}])
async def test_a_form_of_this_site_is_taken(console, reviewer, headers):
    """The same form, sent by this site or by a browser that says nothing."""
    assert (await reviewer.post("/sign-out", headers=headers)).status_code == 303


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"csrf=x", "text/plain", 415),
        (b"csrf=x", "", 415),
        (b"\xff\xfe=x", "application/x-www-form-urlencoded", 400),
        (b"csrf=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 300, "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * 1_100_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_is_no_form_is_refused(reviewer, content, kind, status):
    """Another kind, other letters, too many fields, too long: a sentence, and no fault of ours."""
    headers = {"Content-Type": kind} if kind else {}
    answer = await reviewer.http.post("/sign-out", content=content, headers=headers)
    assert answer.status_code == status


def test_tokens_cannot_be_compared():
    """Two tokens of one session share nothing, so a compressed answer tells nobody of it (BREACH)."""
    one, other = forms.token("secret"), forms.token("secret")
    assert one != other
    assert one[:8] != other[:8]
    assert one[-8:] != other[-8:]
    assert forms.is_token(one, "secret")
    assert forms.is_token(other, "secret")
    assert not forms.is_token(one, "Secret")


# --- hosts and headers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"{HOST}.evil.example",
        f"evil.example@{HOST}",
        "127.0.0.1",
        "",
        f"{HOST}:8443",
        f"{HOST}.",
    ],
)
async def test_another_host_is_not_answered(console, reviewer, host):
    """A poisoned link or a rebound name gets nothing of ours, and no link is ever made from the Host header."""
    answer = await reviewer.get("/holds", headers={"Host": host})
    assert answer.status_code == 421
    assert "Robbery" not in answer.text


async def test_two_hosts_are_none(console):
    """A request with two Host headers is not answered: a proxy and we might read different ones."""
    answer = await console.stranger().http.get("/sign-in", headers=[("Host", HOST), ("Host", "evil.example")])
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded", "X-HTTP-Method-Override"]
)
async def test_no_header_moves_a_request(console, reviewer, header):
    """What a proxy may be asked to believe is not believed: the page is the one in the request line."""
    plain = await reviewer.get("/holds")
    moved = await reviewer.get("/holds", headers={header: "/account"})
    assert words_of(moved) == words_of(plain)
    assert (
        "evil"
        not in (await console.stranger().get("/", headers={header: "evil.example"})).headers["location"]
    )


ANSWERS = [
    "/holds",
    "/account",
    "/there-is-no-such-page",
    "/sign-in",
    "/static/nothing.js",
    "/static/console.css",
]


@pytest.mark.parametrize("path", ANSWERS)
async def test_every_answer_carries_the_policy(reviewer, path):
    """No inline script or style, no frame round us, no guessing of types, no referrer; pages are kept by nobody."""
    headers = (await reviewer.get(path)).headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY
    assert "default-src 'none'" in POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "server" not in headers
    if not path.startswith("/static/console"):
        assert headers["cache-control"] == "no-store" or path.startswith("/static/")


async def test_refusals_carry_it_too(console, reviewer):
    """An error page is a page."""
    for answer in (
        await reviewer.http.post("/sign-out", data={}),
        await reviewer.get("/holds", headers={"Host": "evil.example"}),
        await console.stranger().get("/holds"),
    ):
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"


async def test_no_page_has_what_the_policy_forbids(console, reviewer):
    """No inline script, style or event attribute, and nothing from elsewhere, in any page."""
    console.held()
    for page in PAGES:
        if page.get is None or page.stream or "{" in page.path:
            continue
        text = (await reviewer.get(page.path)).text
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), page.path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), page.path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), page.path


# --- paths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/console.css%00.js",
        "/static/..\\app.py",
        "/static/.",
        "/static/CONSOLE.CSS",
        "/holds/../static/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
    ],
)
async def test_no_path_leads_out_of_the_house(reviewer, path):
    """Only names that were read at the start are served."""
    answer = await reviewer.http.request("GET", path)
    assert answer.status_code == 404
    assert "root:" not in answer.text
    assert "import" not in answer.text


async def test_static_files_are_what_they_say(console):
    """Each has its type, may be kept for a year under its own hash and hardly at all under another."""
    statics = load()
    assert {"console.css", "console.js", "keys.js", "list.js"} <= set(statics.files)
    for name, file in statics.files.items():
        kept = await console.stranger().get(statics.address(name))
        assert kept.content == file.content
        assert "immutable" in kept.headers["cache-control"]
        assert (
            "immutable" not in (await console.stranger().get(f"/static/{name}?v=0")).headers["cache-control"]
        )


# --- what others read ---------------------------------------------------------------------------------------


async def test_words_of_a_message_are_shown_not_obeyed(console, reviewer):
    """Markup, controls and marks of direction in a subject or an address stand as they are."""
    console.held(
        subject="<script>alert(1)</script>\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\x00",
        recipients=('"><img src=x onerror=alert(1)>@home.example',),
        unit="<b>North</b>",
    )
    text = (await reviewer.get("/holds")).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "<b>North" not in text
    assert "\x1b" not in text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(
    "wicked", ["a\r\n2026 fake log line", 'a\n{"event": "fake"}', "\x1b[2K", "\N{LINE SEPARATOR}x"]
)
async def test_nobody_writes_lines_into_log_or_audit(console, wicked):
    """What a stranger types stands in no log line, and in the audit log as one field of one entry (log injection)."""
    visitor = console.stranger()
    with capture_logs() as logs:
        await visitor.post("/sign-in", {"email": wicked, "password": PASSWORD}, form_on="/sign-in")
        await visitor.get(f"/{wicked!r}")
    assert wicked not in json.dumps([str(one) for one in logs])
    (entry,) = [one for one in console.store.read_now(audit.entries) if one.event == Event.SIGN_IN_REFUSED]
    assert "\n" not in entry.payload
    assert wicked not in entry.subject
    assert console.store.read_now(audit.verify).is_whole


async def test_the_answer_has_no_header_of_the_sender(reviewer):
    """A line break in an address makes no header (response splitting)."""
    answer = await reviewer.get("/holds?after=%0d%0aX-Evil:%201&unit=%0d%0aSet-Cookie:%20a=b")
    assert "x-evil" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/%00", "/items/%00", "/items/a%00/source", "/static/%00", "/api/%00"])
async def test_no_path_has_a_nul_in_it(console, reviewer, path):
    """PostgreSQL takes no NUL in a text: such a path is one that is not there, whoever asks, and nothing is asked of the store."""
    answers = {(await reviewer.get(path)).status_code, (await console.stranger().get(path)).status_code}
    assert answers <= {303, 401, 404}
    assert console.audited(Event.DECISION_REFUSED) == []


@pytest.mark.parametrize(
    "path", ["/holds?q=%00", "/holds?unit=%00", "/live?q=a%00b", "/holds?%00=1", "/sign-in?next=%00"]
)
async def test_no_query_has_a_nul_in_it(console, reviewer, path):
    """It is refused once, at the door, and not by each page."""
    for visitor in (reviewer, console.stranger()):
        answer = await visitor.get(path)
        assert answer.status_code == 400
        assert "could not be read" in words_of(answer)


@pytest.mark.parametrize("field", ["email", "password", "next", "a\0"])
async def test_no_form_has_a_nul_in_it(console, field):
    """Not even that of somebody who is not signed in, whose address is looked up in the store."""
    stranger = console.stranger()
    answer = await stranger.post("/sign-in", {field: "nina\0@force.example"}, form_on="/sign-in")
    assert answer.status_code == 400
    assert console.audited(Event.SIGN_IN_REFUSED) == []


async def test_a_stranger_s_cookie_is_no_session(console):
    """Empty, long, odd and repeated cookies: led to the sign-in, and no fault of ours."""
    for cookie in ("", "x", "x" * 100_000, "../../etc/passwd", "' OR 1=1 --", "\x7f"):
        answer = await console.stranger().http.get(
            "/holds", headers={"Cookie": f"__Host-gateway={cookie}; __Host-gateway={cookie}"}
        )
        assert answer.status_code == 303


async def test_what_one_keeps_is_one_s_own(console, reviewer):
    """Views that somebody saved are on nobody else's page."""
    console.store.write_now(
        lambda tx: save_view(tx, PSD, SavedView(name="mine alone", query="unit=North"), console.clock())
    )
    assert "mine alone" not in (await reviewer.get("/holds")).text
    assert REVIEWER not in (await console.visitor(PSD).get("/account")).text
