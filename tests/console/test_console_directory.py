"""Signing in through the force's directory: a real provider in a process of its own, and a wicked one in memory."""

import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from console_visits import ORIGIN, Console, add_account, words_of
from gateway_process import free_port
from wicked_provider import CLIENT, ISSUER, SECRET, Provider

from gateway import audit
from gateway.console import application, sessions
from gateway.console.directory import Directory
from gateway.console.directory_pages import BACK, COOKIE
from gateway.model import Event, Role
from gateway.settings import OidcSettings

SUPERVISOR = "helen.brooks@force.example"
"""On the staff list, without an account."""


@pytest.fixture
def provider(console_store, registry_settings):
    return Provider(lambda: datetime.now(UTC))


@pytest.fixture
def make(console_store, registry_settings, provider):
    """A console whose directory is the provider in memory."""

    def made(**oidc):
        settings = OidcSettings(issuer=ISSUER, client_id=CLIENT, client_secret=SECRET, **oidc)
        console = Console(console_store, registry_settings, oidc=settings)
        provider.now = console.clock
        directory = Directory(settings, ORIGIN + BACK, console.clock, transport=provider.transport)
        console.desk = replace(console.desk, directory=directory)
        console.app = application(console.desk)
        return console

    return made


async def sign_in(console, provider, visitor=None, *, wanted="/flags", change=None, **claims):
    """Go to the provider and come back; ``change`` alters the query on the way back."""
    visitor = visitor or console.stranger()
    left = await visitor.get("/sign-in/directory", params={"next": wanted})
    assert left.status_code == 303
    query = provider.approve(left.headers["location"], **claims)
    query |= change or {}
    return visitor, await visitor.get(BACK, params={name: value for name, value in query.items() if value})


def is_in(answer):
    return any(one.startswith(f"{sessions.COOKIE}=") for one in answer.headers.get_list("set-cookie"))


# --- a provider of somebody else's making -------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_provider():
    """Authlib's server side behind Flask (oidc-provider-mock), as a process that listens on loopback."""
    port = free_port()
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        "1",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        issuer = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx2.get(f"{issuer}/.well-known/openid-configuration", timeout=5).raise_for_status()
                break
            except httpx2.TransportError:
                continue
        yield issuer
        process.terminate()


async def test_through_a_real_provider(console_store, registry_settings, real_provider):
    """Redirect, sign in there, come back with a code, and be who the staff list says one is."""
    settings = OidcSettings(issuer=real_provider, client_id="console", client_secret="anything")
    console = Console(console_store, registry_settings, oidc=settings)
    console.clock.at = datetime.now(UTC)
    visitor = console.stranger()
    assert "force account" in (await visitor.get("/sign-in")).text
    left = await visitor.get("/sign-in/directory", params={"next": "/flags"})
    async with httpx2.AsyncClient() as browser:
        approved = await browser.post(left.headers["location"], data={"sub": SUPERVISOR})
    assert approved.headers["location"].startswith(ORIGIN + BACK)
    query = dict(parse_qsl(urlsplit(approved.headers["location"]).query))
    answer = await visitor.get(BACK, params=query)
    assert (answer.status_code, answer.headers["location"]) == (303, "/flags")
    account = words_of(await visitor.get("/account"))
    assert SUPERVISOR in account
    assert "3308" in account
    again = await visitor.get(BACK, params=query)
    assert again.status_code == 403


# --- who is let in ------------------------------------------------------------------------------------------


async def test_who_is_on_the_staff_list_is_let_in(make, provider):
    """A supervisor needs no account: the directory says who they are, the staff list what they may."""
    console = make()
    visitor, answer = await sign_in(console, provider, email=SUPERVISOR.upper())
    assert (answer.status_code, answer.headers["location"]) == (303, "/flags")
    assert (await visitor.get("/holds")).status_code == 200
    assert console.audited(Event.SESSION_STARTED) == [(SUPERVISOR, SUPERVISOR)]


@pytest.mark.parametrize("email", ["amir.khan@force.example", "stranger@elsewhere.example"])
async def test_who_has_no_role_is_not(make, provider, email):
    """An officer without a role, or somebody unknown, has an account at the directory and none here."""
    console = make()
    _, answer = await sign_in(console, provider, email=email)
    assert answer.status_code == 403
    assert not is_in(answer)
    assert console.audited(Event.SIGN_IN_REFUSED) == [("console", "unknown")]


async def used_for(console, visitor, hours):
    """Have ``visitor`` look at the list every quarter of an hour; return the last answer."""
    for _ in range(int(hours * 4)):
        console.clock.forward(minutes=15)
        answer = await visitor.get("/holds")
    return answer


async def test_a_role_that_the_directory_took_away_ends_in_time(make, provider):
    """However busy its session is: then the directory is asked again, and says what it says by now."""
    console = make(roles_claim="groups", roles={"grp-psd": "psd"}, roles_last_h=2)
    visitor, _ = await sign_in(console, provider, email=SUPERVISOR, groups=["grp-psd"])
    assert (await used_for(console, visitor, 1.75)).status_code == 200
    over = await used_for(console, visitor, 0.5)
    assert (over.status_code, over.headers["location"]) == (303, "/sign-in?next=/holds")
    _, refused = await sign_in(console, provider, visitor, email=SUPERVISOR, groups=[])
    assert (refused.status_code, is_in(refused)) == (403, False)
    _, again = await sign_in(console, provider, visitor, email=SUPERVISOR, groups=["grp-psd"])
    assert (again.status_code, is_in(again)) == (303, True)


async def test_roles_of_the_staff_list_need_no_such_end(make, provider):
    """Where the directory only says who somebody is, what they may is looked up at each request."""
    console = make(roles_last_h=2)
    visitor, _ = await sign_in(console, provider, email=SUPERVISOR)
    assert (await used_for(console, visitor, 4)).status_code == 200


async def test_roles_from_a_claim(make, provider):
    """With console.oidc.roles_claim the directory's groups decide, and nothing else does."""
    console = make(roles_claim="groups", roles={"grp-psd": "psd", "grp-rules": "rule-author"})
    visitor, answer = await sign_in(console, provider, email=SUPERVISOR, groups=["grp-rules", "grp-other", 7])
    assert is_in(answer)
    assert "rule-author" in words_of(await visitor.get("/account"))
    assert (await visitor.get("/holds")).status_code == 404
    for groups in ([], ["grp-other"], "grp-other", {"grp-psd": 1}, None):
        _, answer = await sign_in(console, provider, email=SUPERVISOR, groups=groups)
        assert (answer.status_code, is_in(answer)) == (403, False), groups


async def test_roles_of_a_claim_do_not_hide_a_conflict(make, provider):
    """Somebody whose role comes from the directory is still the person on the staff list (P7)."""
    console = make(roles_claim="groups", roles={"grp-review": "reviewer"})
    visitor, _ = await sign_in(console, provider, email="amir.khan@force.example", groups="grp-review")
    item = console.held()
    page = await visitor.get("/holds")
    assert page.status_code == 200
    assert item not in page.text


UNMATCHED = "p4417@force.onmicrosoft.example"
"""What a directory may call DC Khan, and the staff list does not."""


@pytest.mark.parametrize("role", ["reviewer", "psd", "oversight", "rule-author"])
async def test_who_cannot_be_told_from_the_officer_is_not_let_in(make, provider, role):
    """A role of the directory is none for who is neither on the staff list nor has an account: it could be theirs (P7)."""
    console = make(roles_claim="groups", roles={"grp": role})
    _, answer = await sign_in(console, provider, email=UNMATCHED, groups="grp")
    assert (answer.status_code, is_in(answer)) == (403, False)
    (entry,) = [one for one in console.store.read_now(audit.entries) if one.event == Event.SIGN_IN_REFUSED]
    assert UNMATCHED in entry.payload
    assert "staff list" in entry.payload


async def test_who_is_no_longer_known_sees_nothing(make, provider):
    """A session that began before somebody left the staff list shows nothing any more, whatever role it has."""
    console = make(roles_claim="groups", roles={"grp": "reviewer"})
    item = console.held()
    visitor = console.visitor(UNMATCHED, roles=frozenset({Role.REVIEWER}))
    answer = await visitor.get("/holds")
    assert answer.status_code == 303
    assert item not in answer.text


async def test_an_account_makes_somebody_from_outside_known(make, provider):
    """Whom an administrator has given an account is known here, though no staff list has them."""
    console = make(roles_claim="groups", roles={"grp": "reviewer"})
    console.store.write_now(lambda tx: add_account(tx, UNMATCHED, Role.REVIEWER))
    visitor, answer = await sign_in(console, provider, email=UNMATCHED, groups="grp")
    assert is_in(answer)
    assert (await visitor.get("/holds")).status_code == 200


async def test_each_sign_in_ends_the_session_before(make, provider):
    """Coming back from the directory makes a new session and ends the one the browser had."""
    console = make()
    visitor = console.visitor()
    before = dict(visitor.http.cookies)[sessions.COOKIE]
    await sign_in(console, provider, visitor, email=SUPERVISOR)
    thief = console.stranger()
    thief.http.cookies.set(sessions.COOKIE, before, domain="console.force.example", path="/")
    assert (await thief.get("/holds")).status_code == 303


# --- what must not be believed ------------------------------------------------------------------------------

HOUR = 3600


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.evil.example/tenant"},
        {"aud": "another client"},
        {"aud": [CLIENT, "another client"]},
        {"azp": "another client"},
        {"nonce": "another nonce"},
        {"nonce": ""},
        {"exp": 1_000_000},
        {"iat": 10**12},
        {"email": "no address"},
        {"email": ["nina.shah@force.example"]},
        {"email_verified": False},
        {"sub": ""},
    ],
    ids=str,
)
async def test_a_token_for_another_sign_in_is_not_believed(make, provider, claims):
    """Issuer, audience, party, nonce, times and address are each looked at (OpenID Connect Core 3.1.3.7)."""
    console = make()
    _, answer = await sign_in(console, provider, **claims)
    assert (answer.status_code, is_in(answer)) == (403, False)


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat", "nonce", "email"])
async def test_a_token_without_a_claim_is_not_believed(make, provider, claim):
    """What is left out proves nothing."""
    console = make()
    provider.drop = (claim,)
    _, answer = await sign_in(console, provider)
    assert (answer.status_code, is_in(answer)) == (403, False)


async def test_a_token_signed_by_somebody_else_is_not_believed(make, provider):
    """Another key, no signature, and the public key taken for a shared secret."""
    for wrong in (
        provider.sign_with_another_key,
        provider.sign_with_the_public_key_as_a_secret,
        lambda: provider.header.update(alg="none"),
    ):
        wrong()
        _, answer = await sign_in(make(), provider)
        assert (answer.status_code, is_in(answer)) == (403, False)


async def test_new_keys_of_the_provider_are_fetched(make, provider):
    """A provider that has changed its keys is asked for them once more; one that has not is not asked again."""
    console = make()
    assert is_in((await sign_in(console, provider))[1])
    assert is_in((await sign_in(console, provider))[1])
    assert provider.asked.count("keys") == 1
    assert provider.asked.count("metadata") == 1
    provider.rotate()
    assert is_in((await sign_in(console, provider))[1])
    assert provider.asked.count("keys") == 2


@pytest.mark.parametrize(
    "change",
    [
        {"state": "another state"},
        {"state": ""},
        {"code": ""},
        {"code": "made up"},
        {"iss": "https://login.evil.example"},
        {"iss": ""},
        {"error": "access_denied"},
    ],
    ids=str,
)
async def test_another_way_back_is_refused(make, provider, change):
    """State, code and issuer must be those of the sign-in that this browser began (RFC 9207, RFC 9700)."""
    console = make()
    _, answer = await sign_in(console, provider, change=change)
    assert (answer.status_code, is_in(answer)) == (403, False)


async def test_a_stolen_answer_opens_nothing_in_another_browser(make, provider):
    """State, nonce and verifier lie in the browser that began: an answer carried elsewhere is worth nothing (PKCE)."""
    console = make()
    victim, thief = console.stranger(), console.stranger()
    left = await victim.get("/sign-in/directory")
    query = provider.approve(left.headers["location"])
    assert (await thief.get(BACK, params=query)).status_code == 403
    own = await thief.get("/sign-in/directory")
    forged = query | {"state": re.search(r"state=([\w-]+)", own.headers["location"])[1]}
    answer = await thief.get(BACK, params=forged)
    assert (answer.status_code, is_in(answer)) == (403, False)


async def test_the_cookie_on_the_way_is_for_this_host_alone(make, provider):
    """It is of no use to scripts or other sites, short-lived, and used up by the first way back."""
    console = make()
    visitor = console.stranger()
    left = await visitor.get("/sign-in/directory")
    cookie = next(one for one in left.headers.get_list("set-cookie") if one.startswith(COOKIE))
    assert {"secure", "httponly", "samesite=lax", "path=/", "max-age=300"} <= {
        part.strip().lower() for part in cookie.split(";")
    }
    query = provider.approve(left.headers["location"])
    assert is_in(await visitor.get(BACK, params=query))
    assert (await visitor.get(BACK, params=query)).status_code == 403


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "x|//evil.example"]
)
async def test_the_way_back_leads_nowhere_else(make, provider, wanted):
    """Nor does the page that was asked for before (open redirect)."""
    _, answer = await sign_in(make(), provider, wanted=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://login.evil.example"},
        {"issuer": f"{ISSUER}/"},
        {"token_endpoint": None},
        {"jwks_uri": "http://login.force.example/keys"},
        {"authorization_endpoint": 7},
    ],
    ids=str,
)
async def test_a_provider_that_is_another_is_not_asked(make, provider, metadata):
    """Metadata of another issuer, not whole, or without HTTPS: the sign-in says that it does not work now."""
    provider.metadata = metadata
    answer = await make().stranger().get("/sign-in/directory")
    assert answer.status_code == 503


async def test_without_a_directory_its_pages_are_not_there(console):
    """With console.oidc.issuer empty the way there and the way back are absent."""
    for path in ("/sign-in/directory", BACK):
        assert (await console.stranger().get(path)).headers["location"].startswith("/sign-in?")
        assert (await console.visitor().get(path)).status_code == 404
    assert "force account" not in (await console.stranger().get("/sign-in")).text
