"""The second factor of local accounts, the recovery codes, and changing what one signs in with."""

import re

import pyotp
import pytest
from console_visits import HOST, PASSWORD, REVIEWER, Console, words_of

from gateway.console import factors, sessions
from gateway.model import Event
from gateway.store.sessions import Method, Stage, set_second_factor

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CODES = ("2222-3333-4444", "5555-6666-7777")


@pytest.fixture
def guarded(console):
    """A console on which the reviewer has a second factor."""
    console.store.write_now(lambda tx: set_second_factor(tx, REVIEWER, SECRET, CODES))
    return console


def code_of(console, secret=SECRET, **later):
    console.clock.forward(**later)
    return pyotp.TOTP(secret).at(console.clock())


async def with_password(console, visitor=None):
    """Return somebody who has given the password and is asked for the code."""
    visitor = visitor or console.stranger()
    fields = {"email": REVIEWER, "password": PASSWORD}
    answer = await visitor.post("/sign-in", fields, form_on="/sign-in")
    return visitor, answer


async def give(visitor, code):
    return await visitor.post("/sign-in/code", {"code": code}, form_on="/sign-in/code")


async def test_password_then_code(guarded):
    """The password leads to the code and to nothing else; the code leads in, with a new session."""
    visitor, answer = await with_password(guarded)
    assert answer.headers["location"] == "/sign-in/code"
    half = visitor.http.cookies[sessions.COOKIE]
    assert (await visitor.get("/holds")).headers["location"] == "/sign-in/code"
    assert guarded.audited(Event.SESSION_STARTED) == []
    entered = await give(visitor, code_of(guarded))
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert (await visitor.get("/holds")).status_code == 200
    assert visitor.http.cookies[sessions.COOKIE] != half
    assert guarded.audited(Event.SESSION_STARTED) == [(REVIEWER, REVIEWER)]


async def test_the_page_that_was_asked_for_opens_behind_the_code(guarded):
    """Whoever follows the link in an urgent notice is led to that hold, after a mistyped code too; and to no other site."""
    path = "/items/01HZX0Q2K3M4N5P6Q7R8S9T0VW"
    for wanted, opens in ((path, path), ("//evil.example/", "/"), ("/sign-in/code", "/")):
        visitor = guarded.stranger()
        fields = {"email": REVIEWER, "password": PASSWORD, "next": wanted}
        asked = await visitor.post("/sign-in", fields, form_on="/sign-in")
        page = asked.headers["location"]
        wrong = await visitor.post("/sign-in/code", {"code": "000000", "next": wanted}, form_on=page)
        assert wrong.status_code == 422
        for shown in (await visitor.get(page), wrong):
            assert f'name="next" value="{opens}"' in shown.text
        guarded.clock.forward(minutes=2)
        code = {"code": code_of(guarded), "next": opens}
        entered = await visitor.post("/sign-in/code", code, form_on=page)
        assert (entered.status_code, entered.headers["location"]) == (303, opens)


@pytest.mark.parametrize("seconds", [-30, 0, 30])
async def test_a_telephone_may_be_a_step_off(guarded, seconds):
    """Half a minute early or late is right: telephones are not on time."""
    visitor, _ = await with_password(guarded)
    code = pyotp.TOTP(SECRET).at(guarded.clock().timestamp() + seconds)
    assert (await give(visitor, f" {code[:3]} {code[3:]} ")).status_code == 303


@pytest.mark.parametrize("seconds", [-90, 90, 3600])
async def test_an_old_code_is_wrong(guarded, seconds):
    """A minute and more away it is not."""
    visitor, _ = await with_password(guarded)
    code = pyotp.TOTP(SECRET).at(guarded.clock().timestamp() + seconds)
    assert (await give(visitor, code)).status_code == 422


async def test_a_code_opens_once(guarded):
    """Who looked over the shoulder cannot use what was typed, nor an earlier one."""
    first, _ = await with_password(guarded)
    second, _ = await with_password(guarded)
    third, _ = await with_password(guarded)
    code, earlier = code_of(guarded), pyotp.TOTP(SECRET).at(guarded.clock().timestamp() - 30)
    assert (await give(first, code)).status_code == 303
    assert (await give(second, code)).status_code == 422
    assert (await give(third, earlier)).status_code == 422


async def test_a_recovery_code_opens_once(guarded):
    """However it is typed; then it is gone."""
    visitor, _ = await with_password(guarded)
    assert (await give(visitor, "2222 3333 4444")).status_code == 303
    assert "1 recovery codes left" in words_of(await visitor.get("/account"))
    again, _ = await with_password(guarded)
    assert (await give(again, CODES[0])).status_code == 422
    assert (await give(again, CODES[1].replace("-", ""))).status_code == 303


@pytest.mark.parametrize(
    "code", ["", "000000", "12345", "1234567", "abcdef", "2222-3333-9999", "\N{ARABIC-INDIC DIGIT ONE}" * 6]
)
async def test_a_wrong_code_is_wrong(guarded, code):
    """And is written down."""
    visitor, _ = await with_password(guarded)
    assert (await give(visitor, code)).status_code == 422
    assert guarded.audited(Event.SIGN_IN_REFUSED) == [("console", REVIEWER)]


async def test_guessing_codes_costs_time_as_passwords_do(guarded):
    """After the free tries one waits, and a right password in between does not begin the count anew."""
    visitor, _ = await with_password(guarded)
    for number in range(6):
        if number == 3:
            visitor, _ = await with_password(guarded)
        assert (await give(visitor, "000000")).status_code == 422
    waiting = await give(visitor, code_of(guarded))
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) >= 30


async def test_half_a_sign_in_does_not_last(guarded):
    """Who is asked for a code has five minutes."""
    visitor, _ = await with_password(guarded)
    guarded.clock.forward(seconds=301)
    assert (await visitor.get("/sign-in/code")).headers["location"].startswith("/sign-in")


# --- setting one up -----------------------------------------------------------------------------------------


async def test_the_first_sign_in_sets_the_factor_up(console_store, registry_settings):
    """With console.second_factor required, a password alone opens the page that sets it up, and no other."""
    console = Console(console_store, registry_settings, second_factor="required")
    visitor, answer = await with_password(console)
    assert answer.headers["location"] == "/account/factor"
    assert (await visitor.get("/holds")).headers["location"] == "/account/factor"
    page = await visitor.get("/account/factor")
    assert "<svg" in page.text
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    wrong = await visitor.post("/account/factor", {"code": "000000"}, form_on="/account/factor")
    assert wrong.status_code == 422
    done = await visitor.post(
        "/account/factor", {"code": code_of(console, secret)}, form_on="/account/factor"
    )
    codes = re.findall(r"<li>([\w-]{14})</li>", done.text)
    assert len(set(codes)) == 10
    assert (await visitor.get("/holds")).status_code == 200
    assert console.audited(Event.ACCOUNT_FACTOR_SET) == [(REVIEWER, REVIEWER)]
    again, asked = await with_password(console)
    assert asked.headers["location"] == "/sign-in/code"
    assert (await give(again, codes[3])).status_code == 303


async def test_a_factor_is_changed_with_the_password(guarded):
    """Not by whoever finds an open screen; and the old one is right until the new one is confirmed."""
    visitor = guarded.visitor()
    refused = await visitor.post("/account/factor/new", {"password": "wrong horse battery"})
    assert refused.status_code == 422
    assert (await visitor.get("/account/factor")).headers["location"] == "/account"
    other = guarded.visitor()
    begun = await visitor.post("/account/factor/new", {"password": PASSWORD})
    assert begun.headers["location"] == "/account/factor"
    assert (await other.get("/holds")).status_code == 303
    secret = re.search(r"<code>([A-Z2-7]+)</code>", (await visitor.get("/account/factor")).text)[1]
    assert secret != SECRET
    still, _ = await with_password(guarded)
    assert (await give(still, code_of(guarded))).status_code == 303
    code = code_of(guarded, secret, seconds=60)
    assert (
        await visitor.post("/account/factor", {"code": code}, form_on="/account/factor")
    ).status_code == 200
    late, _ = await with_password(guarded)
    assert (await give(late, code_of(guarded, seconds=60))).status_code == 422


async def test_a_password_is_changed_with_the_old_one(console, reviewer):
    """Then the new one opens and the old one does not, and every other session is over."""
    other = console.visitor()
    new = "another three words"
    fields = {"password": PASSWORD, "new": new, "again": new}
    for wrong in (
        {"password": "wrong horse battery"},
        {"again": "typed otherwise"},
        {"new": "short", "again": "short"},
    ):
        assert (await reviewer.post("/account/password", fields | wrong)).status_code == 422
    assert (await reviewer.post("/account/password", fields)).status_code == 303
    assert (await reviewer.get("/holds")).status_code == 200
    assert (await other.get("/holds")).status_code == 303
    assert (await with_password(console))[1].status_code == 422
    visitor = console.stranger()
    assert (
        await visitor.post("/sign-in", {"email": REVIEWER, "password": new}, form_on="/sign-in")
    ).status_code == 303
    assert console.audited(Event.ACCOUNT_PASSWORD_SET) == [(REVIEWER, REVIEWER)]


async def test_an_open_screen_is_no_way_to_guess_the_password(console_store, registry_settings):
    """Changing the password counts failures as signing in does."""
    console = Console(console_store, registry_settings, free_tries=1)
    visitor = console.visitor()
    fields = {"new": "another three words", "again": "another three words"}
    answers = [
        (await visitor.post("/account/password", fields | {"password": f"guess {number}"})).status_code
        for number in range(3)
    ]
    assert answers == [422, 422, 429]


async def test_who_comes_from_the_directory_has_nothing_to_change_here(console):
    """Password and factor of a person of the directory are the directory's."""
    visitor = console.stranger()
    secret = console.store.write_now(
        lambda tx: sessions.begin(tx, console.desk, REVIEWER, Method.OIDC, Stage.SIGNED_IN)
    )
    visitor.http.cookies.set(sessions.COOKIE, secret, domain=HOST, path="/")
    assert "changed there" in words_of(await visitor.get("/account"))
    for path in ("/account/password", "/account/factor/new", "/account/factor"):
        token = {"csrf": (re.search(r'value="([^"]+)"', (await visitor.get("/account")).text))[1]}
        assert (await visitor.http.post(path, data=token)).status_code == 404


def test_recovery_codes_are_read_from_paper():
    """No letter looks like another, and each code is random."""
    codes = factors.new_recovery_codes()
    assert len(set(codes)) == 10
    assert not set("".join(codes)) & set("01lio")
    assert all(factors.recovery_code(code.upper().replace("-", " ")) == code for code in codes)
    assert factors.recovery_code("0000-0000-0000") == ""
    assert factors.recovery_code("2222-3333") == ""
