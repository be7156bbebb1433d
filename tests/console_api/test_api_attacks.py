"""What must not open the API, what a token must not open, and bodies that are meant to hurt."""

import asyncio
import json

import pytest
from api_calls import Api, contacts, staff, without_name
from console_visits import ORIGIN, PEOPLE, PSD, Console
from structlog.testing import capture_logs

from gateway.console.api import entries
from gateway.console.api.door import OPERATIONS
from gateway.console.app import PAGES
from gateway.model import Event
from gateway.store import tokens
from gateway.store.pushed import SetName
from gateway.store.tokens import May

ITEM = "abcdefghij234567klmn"
WAYS = [(one.method, one.path.format(entry="P-1", item=ITEM)) for one in OPERATIONS]


@pytest.mark.parametrize(("method", "path"), [*WAYS, ("GET", "/api/there-is-no-such-thing")])
async def test_without_a_token_every_address_is_alike(api, method, path):
    """No header, another scheme, an empty, a made-up and a changed token, two headers: 401, and the same each time."""
    good = api.token()
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")
    plain = api.caller("")
    answers = [
        await plain.request(method, path, headers=headers)
        for headers in (
            {},
            {"Authorization": "Basic QWxhZGRpbjpvcGVu"},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer bgw_0123456789abcdef_" + "A" * 43},
            {"Authorization": f"Bearer {changed}"},
            {"Authorization": "Bearer \xff".encode("latin-1")},
            [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")],
        )
    ]
    assert {one.status_code for one in answers} == {401}
    assert len({one.text for one in answers}) == 1
    assert {one.headers["www-authenticate"] for one in answers} == {'Bearer realm="gateway"'}


async def test_no_session_opens_it(api):
    """Whoever is signed in as whatever role has no token: their cookie is not even read, so no page can misuse it."""
    for email in PEOPLE:
        visitor = api.visitor(email)
        for method, path in WAYS:
            answer = await visitor.http.request(method, path, headers={"Origin": ORIGIN})
            assert answer.status_code in {401, 429}
            assert "set-cookie" not in answer.headers


async def test_a_token_opens_no_page(api):
    """Neither a page of the console nor its figures: what a token gets there is what a stranger gets."""
    caller, stranger = api.caller(api.token("all", *May)), api.caller("")
    for path in [page.path for page in PAGES if "{" not in page.path] + ["/metrics"]:
        with_token, without = await caller.get(path), await stranger.get(path)
        assert (with_token.status_code, with_token.headers.get("location")) == (
            without.status_code,
            without.headers.get("location"),
        )


async def test_a_token_does_only_what_it_is_for(api):
    """One for states pushes nothing, one for contacts reads no states: 403, which names the remedy."""
    callers = {may: api.caller(api.token(may.value, may)) for may in May}
    for one, (method, path) in zip(OPERATIONS, WAYS, strict=True):
        for may, caller in callers.items():
            answer = await caller.request(method, path)
            refused = one.may is not None and one.may is not may
            assert (answer.status_code == 403) is refused, (method, path, may)


async def test_a_revoked_token_opens_nothing(api):
    """From the next request on; both that and a wrong secret are written down, an unknown token is not."""
    token = api.token()
    caller = api.caller(token)
    assert (await caller.get("/api/registry")).status_code == 200
    api.store.write_now(lambda tx: tokens.revoke(tx, "records-system", api.clock()))
    assert (await caller.get("/api/registry")).status_code == 401
    await api.caller("bgw_0123456789abcdef_" + "A" * 43).get("/api/registry")
    assert api.audited(Event.TOKEN_REFUSED) == [("console", "records-system")]


async def test_tokens_are_kept_as_hashes(api):
    """Who reads the whole database finds no token in it."""
    token = api.token()
    found = api.store.read_now(
        lambda tx: [tuple(row) for row in tx.connection.exec_driver_sql("SELECT * FROM api_tokens")]
    )
    assert token not in str(found)
    assert token.rpartition("_")[2] not in str(found)


async def test_without_the_setting_there_is_no_api(console_store, registry_settings):
    """As for any path that is not there: a stranger is led to the sign-in, and a token is worth nothing."""
    console = Console(console_store, registry_settings)
    token = Api.token(console)
    answer = await Api.caller(console, token).get("/api/registry")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


async def test_files_and_pushes_do_not_mix(console_store, registry_settings):
    """Where the lists are files a push is refused, and says which setting decides."""
    api = Api(console_store, registry_settings)
    update = {"registry": api.settings.registry.model_copy(update={"source": "files"})}
    object.__setattr__(api.desk, "settings", api.settings.model_copy(update=update))
    caller = api.caller(api.token())
    for method, path in (("PUT", "/api/staff"), ("PUT", "/api/staff/1"), ("DELETE", "/api/staff/1")):
        answer = await caller.request(method, path, json={"entries": staff()} if method == "PUT" else None)
        assert (answer.status_code, "registry.source" in answer.json()["detail"]) == (409, True)


# --- how often ----------------------------------------------------------------------------------------------


async def test_a_token_that_asks_too_often_waits(console_store, registry_settings):
    """429 with Retry-After; after that time it goes on, and another token never had to wait."""
    api = Api(console_store, registry_settings, per_minute=6)
    caller, other = api.caller(api.token()), api.caller(api.token("other"))
    answers = [await caller.get("/api/registry") for _ in range(13)]
    assert [one.status_code for one in answers] == [200] * 12 + [429]
    wait = int(answers[-1].headers["retry-after"])
    assert 10 <= wait <= 11
    assert (await other.get("/api/registry")).status_code == 200
    api.clock.forward(seconds=wait)
    assert (await caller.get("/api/registry")).status_code == 200


async def test_who_guesses_tokens_waits(console_store, registry_settings):
    """By address; a right token is not kept waiting by it, from there or from elsewhere."""
    api = Api(console_store, registry_settings, refused_per_minute=3)
    token = api.token()
    guesser = api.caller("bgw_0123456789abcdef_" + "A" * 43)
    assert [(await guesser.get("/api/registry")).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert (await api.caller(token).get("/api/registry")).status_code == 200
    assert (await api.caller(token, client=("192.0.2.8", 1)).get("/api/registry")).status_code == 200


# --- bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "not JSON at line 1, column 1"),
        (b"\xff\xfe{", 400, "not UTF-8 at octet 1"),
        (b'{"entries": [}', 400, "not JSON at line 1, column 14"),
        (b"[" * 200_000, 400, "nested too deeply"),
        (b'{"entries":' + b'{"a":' * 100_000, 400, "nested too deeply"),
        (b'{"entries": [], "entries": []}', 400, "'entries' stands twice"),
        (b'{"entries": [{"entry": "a", "name": "x", "name": "y"}]}', 400, "'name' stands twice"),
        (b'{"entries": [NaN]}', 400, "NaN is not JSON"),
        (b'{"entries": [' + b"9" * 100_000 + b"]}", 422, "is no name of an entry"),
        (b'{"entries": [1e999999999]}', 422, "is no name of an entry"),
        (b"[]", 422, "one field, entries"),
        (b'{"entries": [], "more": 1}', 422, "one field, entries"),
        (b'{"entries": {}}', 422, "one field, entries"),
        (b"null", 422, "one field, entries"),
        (b'"\\ud800"', 422, "one field, entries"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
async def test_bodies_that_are_no_list(caller, body, status, says):
    """Each is told what is wrong with it, and nothing is taken over."""
    answer = await caller.put("/api/staff", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert says in answer.text
    assert (await caller.get("/api/staff")).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"entry": "a@b.example"}, "#/entries/0/entry", "no mail address"),
        ({"entry": ""}, "#/entries/0/entry", "no name of an entry"),
        ({"entry": "x" * 129}, "#/entries/0/entry", "no name of an entry"),
        ({"entry": "../x"}, "#/entries/0/entry", "no name of an entry"),
        ({"entry": 7}, "#/entries/0/entry", "no name of an entry"),
        ({"entry": "3308"}, "#/entries/1", "stands twice"),
        ({"manger": "x"}, "#/entries/0", "did you mean 'manager'?"),
        ({"na\nme": "x"}, "#/entries/0", "unknown field 'na\\\\nme'"),
        ({"unit": 7}, "#/entries/0/unit", "is a number"),
        ({"unit": ["x"]}, "#/entries/0/unit", "is an array"),
        ({"unit": True}, "#/entries/0/unit", "is true or false"),
        ({"aliases": ["x", 1]}, "#/entries/0/aliases", "text or an array of text"),
        ({"name": {"first": "x"}}, "#/entries/0/name", "is an object"),
    ],
)
async def test_entries_of_another_shape(caller, change, pointer, says):
    """A set that is shaped wrongly is refused whole, as a file with a wrong header is."""
    sent = [staff()[0] | change, *staff()[1:]]
    answer = await caller.put("/api/staff", json={"entries": sent})
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert says in answer.text
    assert (await caller.get("/api/staff")).status_code == 404


async def test_a_missing_field_refuses_the_set(caller):
    """As a file that lacks a column: a list without `vulnerable` must not make nobody vulnerable."""
    sent = [{field: one[field] for field in one if field != "vulnerable"} for one in contacts()]
    answer = await caller.put("/api/contacts", json={"entries": sent})
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 3)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, 201),
    ],
)
async def test_only_json_is_read(caller, headers, status):
    """What a form of another site could send is not JSON by its headers; a coding is not undone."""
    body = json.dumps({"entries": staff()}).encode()
    assert (await caller.put("/api/staff", content=body, headers=headers)).status_code == status


async def test_a_body_has_its_bounds(console_store, registry_settings):
    """Too large by its length, too large as it comes, too slow: each is ended, and nothing is taken over."""
    api = Api(console_store, registry_settings, max_body_bytes=2048, max_entry_bytes=1024, body_s=0.05)
    caller, headers = api.caller(api.token()), {"Content-Type": "application/json"}
    large = b'{"entries": [' + b" " * 3000 + b"]}"

    async def in_pieces():
        for at in range(0, len(large), 100):
            yield large[at : at + 100]

    async def stuck():
        yield b"{"
        await asyncio.Event().wait()

    for path in ("/api/staff", "/api/staff/1"):
        for content, status in ((large, 413), (in_pieces(), 413), (stuck(), 408)):
            assert (await caller.put(path, content=content, headers=headers)).status_code == status
    assert (await caller.get("/api/staff")).status_code == 404


async def test_one_whole_set_at_a_time(api, caller):
    """A second one is told when to come again; single entries and reading go on."""
    await api.pushed(caller)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        arrived.set()
        await go_on.wait()
        yield json.dumps({"entries": staff()}).encode()

    headers = {"Content-Type": "application/json"}
    first = asyncio.create_task(caller.put("/api/staff", content=slow(), headers=headers))
    await arrived.wait()
    second = await caller.put("/api/contacts", json={"entries": contacts()})
    assert (second.status_code, second.headers["retry-after"]) == (503, "10")
    assert (await caller.put("/api/contacts/P-1", json=without_name(contacts()[0]))).status_code == 200
    go_on.set()
    assert (await first).status_code == 200


def test_a_million_faults_are_not_listed():
    """What is wrong in ten thousand places is no export with slips in it: the list ends there."""
    body = json.dumps({"entries": [{}] * 30_000}).encode()
    with pytest.raises(entries.Problem) as refused:
        entries.whole_set(body, SetName.STAFF)
    assert len(refused.value.errors) == 10_000


# --- what is said and written -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/api/staff/%2e%2e", "/api/staff/a%2Fb", "/api/staff/a%0d%0ab", "/api/staff/a@b", "/api//staff"]
)
async def test_names_that_are_paths_are_absent(caller, path):
    """A name of an entry is letters, digits and a few marks: nothing that is a path or a line of a log."""
    answer = await caller.put(path, json={})
    assert answer.status_code in {303, 404}, "303: with a line end in it, it is no path of the API at all"
    assert "a@b" not in answer.text


async def test_nothing_of_a_request_gets_into_the_log(api, caller):
    """No line can be forged from outside: neither path, query, header, token nor body is logged (log injection)."""
    wicked = 'x\r\n{"event": "forged"}'
    with capture_logs() as logs:
        await caller.get("/api/forged%0d%0aevent", params={"q": wicked})
        await caller.put("/api/staff", json={"entries": [{"entry": wicked, wicked: wicked}]})
        await api.caller("forged").get("/api/registry")
        await caller.put("/api/staff", json={"entries": staff()}, headers={"Prefer": "forged"})
    assert "forged" not in str(logs)
    assert "forged" not in str(api.store.read_now(_whole_log))


def _whole_log(tx):
    from gateway import audit

    return audit.entries(tx, limit=10_000)


async def test_every_answer_is_kept_by_nobody(api, caller):
    """No cache, no frame, no sniffing: the headers that stand on every answer of the console."""
    for answer in (await caller.get("/api/registry"), await api.caller("").get("/api/registry")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


async def test_another_host_is_not_answered(api, caller):
    """A rebound name gets nothing, token or not."""
    assert (await caller.get("/api/registry", headers={"Host": "evil.example"})).status_code == 421


async def test_psd_sees_no_more_by_it(api):
    """Not even professional standards' session is a token."""
    assert (await api.visitor(PSD).http.get("/api/states")).status_code == 401
