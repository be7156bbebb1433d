"""Signing in with a password: what fits, what does not, and what nobody can learn from the difference."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from console_visits import HOST, PASSWORD, REVIEWER, Console, words_of

from gateway.console import passwords, sessions
from gateway.model import Event, Role
from gateway.store import records
from gateway.store.sessions import hash_of


async def try_to_sign_in(visitor, email=REVIEWER, password=PASSWORD, **fields):
    return await visitor.post(
        "/sign-in", {"email": email, "password": password, **fields}, form_on="/sign-in"
    )


def cookie_of(answer):
    return next(
        (one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{sessions.COOKIE}=")), ""
    )


def everything_in(store):
    """Return the octets of the database and of its log."""
    file = Path(store.settings.url.removeprefix("sqlite:///"))
    return file.read_bytes() + file.with_name(f"{file.name}-wal").read_bytes()


async def test_address_and_password_open_the_queue(console):
    """Sign in, and be led to what was asked for; the address in capitals is the same one."""
    visitor = console.stranger()
    asked = await visitor.get("/flags?unit=North")
    assert asked.headers["location"] == "/sign-in?next=/flags%3Funit%3DNorth"
    answer = await try_to_sign_in(visitor, email=REVIEWER.upper(), next="/flags?unit=North")
    assert (answer.status_code, answer.headers["location"]) == (303, "/flags?unit=North")
    assert (await visitor.get("/flags")).status_code == 200
    assert console.audited(Event.SESSION_STARTED) == [(REVIEWER, REVIEWER)]


async def test_the_cookie_is_for_this_host_and_no_script(console):
    """__Host-, Secure, HttpOnly, SameSite, the whole host, no domain, and gone with the browser."""
    cookie = cookie_of(await try_to_sign_in(console.stranger()))
    said = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert said == {"path=/", "secure", "httponly", "samesite=lax"}


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (REVIEWER, "wrong horse battery"),
        (REVIEWER, ""),
        (REVIEWER, f"{PASSWORD} "),
        (REVIEWER, PASSWORD.upper()),
        (REVIEWER, "x" * 100_000),
        ("nobody@force.example", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("", ""),
        ("nobody has this password", "nobody has this password"),
    ],
)
async def test_what_does_not_fit_is_told_in_the_same_words(console, email, password):
    """A wrong password, an unknown account and nonsense get one answer."""
    answer = await try_to_sign_in(console.stranger(), email, password)
    assert answer.status_code == 422
    assert "That address and password do not belong together." in words_of(answer)
    assert not cookie_of(answer)


async def test_a_refused_sign_in_is_written_down(console):
    """With the account if there is one; an address that has none may be a password typed into the wrong field."""
    await try_to_sign_in(console.stranger(), password="wrong horse battery")
    await try_to_sign_in(console.stranger(), email="my secret password")
    assert console.audited(Event.SIGN_IN_REFUSED) == [("console", REVIEWER), ("console", "unknown")]


def test_unknown_accounts_take_as_long(console):
    """Where there is no hash to check, one is checked all the same."""
    assert not passwords.fits("", PASSWORD)
    assert not passwords.fits("", "nobody has this password")
    assert passwords._NOBODY.split("$")[:4] == passwords.hashed("x").split("$")[:4]


@pytest.mark.parametrize("email", [REVIEWER, "nobody@force.example"])
async def test_guessing_costs_more_and_more_time(console_store, registry_settings, email):
    """Free tries first; then each failure doubles the wait, for accounts that exist and for others alike."""
    console = Console(console_store, registry_settings, free_tries=2)
    visitor, waits = console.stranger(), []
    for _ in range(2):
        assert (await try_to_sign_in(visitor, email, "wrong horse battery")).status_code == 422
    for _ in range(7):
        assert (await try_to_sign_in(visitor, email, "wrong horse battery")).status_code == 422
        refused = await try_to_sign_in(visitor, email, PASSWORD)
        assert refused.status_code == 429
        waits.append(int(refused.headers["retry-after"]) - 1)
        console.clock.forward(seconds=waits[-1] + 1)
    assert waits == [30, 60, 120, 240, 480, 900, 900]


async def test_the_right_password_ends_the_waiting(console_store, registry_settings):
    """Once the wait is over the right password opens, and the count begins anew."""
    console = Console(console_store, registry_settings, free_tries=1)
    visitor = console.stranger()
    for _ in range(2):
        await try_to_sign_in(visitor, password="wrong horse battery")
    console.clock.forward(seconds=31)
    assert (await try_to_sign_in(visitor)).status_code == 303
    assert (await try_to_sign_in(console.stranger(), password="wrong horse battery")).status_code == 422


async def test_one_place_cannot_try_every_account(console_store, registry_settings):
    """Four times the free tries of an account, whatever accounts they try, and a place waits; another does not."""
    console = Console(console_store, registry_settings, free_tries=1)
    visitor = console.stranger()
    for number in range(5):
        await try_to_sign_in(visitor, f"officer{number}@force.example", PASSWORD)
    assert (await try_to_sign_in(visitor)).status_code == 429
    assert (await try_to_sign_in(console.stranger(client=("192.0.2.7", 5)))).status_code == 303


async def test_each_sign_in_is_a_new_session(console):
    """An id that was planted in the browser, or seen before the sign-in, opens nothing afterwards (fixation)."""
    victim = console.stranger()
    planted = "planted-by-somebody-else-0123456789abcdefghijk"
    victim.http.cookies.set(sessions.COOKIE, planted, domain=HOST, path="/")
    answer = await try_to_sign_in(victim)
    first = cookie_of(answer).split(";")[0].partition("=")[2]
    assert first != planted
    intruder = console.stranger()
    intruder.http.cookies.set(sessions.COOKIE, planted, domain=HOST, path="/")
    assert (await intruder.get("/holds")).status_code == 303
    assert len(first) >= 43


async def test_the_store_knows_the_hash_of_a_session_alone(console):
    """Who reads the database cannot sign in with what stands there."""
    answer = await try_to_sign_in(console.stranger())
    secret = cookie_of(answer).split(";")[0].partition("=")[2]
    stored = everything_in(console.store)
    assert hash_of(secret).encode() in stored
    assert secret.encode() not in stored
    assert b"argon2id" not in stored


async def test_a_session_that_lies_idle_ends(console, reviewer):
    """After console.idle_min without a request; a request in time prolongs it."""
    for _ in range(3):
        console.clock.forward(minutes=29)
        assert (await reviewer.get("/holds")).status_code == 200
    console.clock.forward(minutes=31)
    assert (await reviewer.get("/holds")).status_code == 303


@pytest.mark.parametrize("own", [{"headers": {"X-Renewal": "1"}}, {"params": {"renewal": "1"}}], ids=str)
async def test_a_page_that_renews_itself_keeps_no_session_alive(console, reviewer, own):
    """Nobody need sit before a screen that asks by itself: console.idle_min holds on a busy queue too."""
    console.clock.forward(minutes=20)
    console.held()
    assert (await reviewer.get("/holds", **own)).status_code == 200
    console.clock.forward(minutes=11)
    assert (await reviewer.get("/holds", **own)).status_code == 303


async def test_a_session_ends_with_the_shift(console, reviewer):
    """After console.session_h, however busy it was."""
    for _ in range(23):
        console.clock.forward(minutes=26)
        assert (await reviewer.get("/holds")).status_code == 200
    console.clock.forward(minutes=3)
    assert (await reviewer.get("/holds")).status_code == 303


async def test_signing_out_ends_it_on_this_side(console, reviewer):
    """The cookie kept aside opens nothing any more."""
    kept = dict(reviewer.http.cookies)
    answer = await reviewer.post("/sign-out")
    assert answer.headers["location"] == "/sign-in"
    assert console.audited(Event.SESSION_ENDED) == [(REVIEWER, REVIEWER)]
    thief = console.stranger()
    for name, value in kept.items():
        thief.http.cookies.set(name, value, domain=HOST, path="/")
    assert (await thief.get("/holds")).status_code == 303


async def test_who_loses_a_role_has_lost_it_at_once(console, reviewer):
    """Roles are those of the account now, not those of the sign-in."""
    assert (await reviewer.get("/holds")).status_code == 200

    def demote(tx):
        mine = records.account(tx, REVIEWER)
        assert records.change_account(tx, replace(mine, roles=frozenset({Role.RULE_AUTHOR})))

    console.store.write_now(demote)
    assert (await reviewer.get("/holds")).status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "/%0d%0aSet-Cookie: x=1 y",
        "/holds\r\nSet-Cookie: x=1",
        "holds",
        "@evil.example",
        "/sign-in?next=/sign-in",
        " //evil.example",
        "/" + "\N{FULLWIDTH SOLIDUS}" + "evil.example",
    ],
)
async def test_signing_in_leads_nowhere_else(console, wanted):
    """No address in the link decides where one lands but a page of this host (open redirect)."""
    visitor = console.stranger()
    shown = await visitor.get("/sign-in", params={"next": wanted})
    assert re.search(r'name="next" value="/"', shown.text)
    answer = await try_to_sign_in(visitor, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie: x" not in str(answer.headers).lower()


async def test_local_accounts_can_be_switched_off(console_store, registry_settings):
    """With console.local_accounts off the right password opens nothing and is not even checked."""
    console = Console(console_store, registry_settings, local_accounts=False)
    visitor = console.stranger()
    token = re.search(r'name="csrf" value="([^"]+)"', (await console.visitor().get("/account")).text)
    assert "password" not in (await visitor.get("/sign-in")).text.replace("and password", "")
    answer = await visitor.http.post(
        "/sign-in", data={"csrf": token[1], "email": REVIEWER, "password": PASSWORD}
    )
    assert answer.status_code == 403
    assert not cookie_of(answer)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12"),
        ("aaaaaaaaaaaaaaaa", "too easy"),
        ("abcdefghijklmnop", "too easy"),
        ("nina.shah is my name", "Leave your name out"),
        ("x" * 300, "at most 256"),
        ("three random words", ""),
        ("пароль из трёх слов", ""),
    ],
)
def test_which_passwords_are_taken(password, why):
    """Length decides, not kinds of characters; what is too easy to guess is refused with the reason."""
    said = passwords.objection_to(password, REVIEWER, min_chars=12)
    assert (why in said) if why else said == ""
