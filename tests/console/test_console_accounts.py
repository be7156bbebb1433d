"""`gateway accounts`: giving somebody a password, and taking back what they sign in with."""

import json

import pytest
from console_visits import PASSWORD, REVIEWER, Console
from typer.testing import CliRunner

from gateway.cli import app
from gateway.console import factors, tries
from gateway.model import Event
from gateway.store import sessions as kept


@pytest.fixture
def shell(console, console_store, registry_settings, tmp_path):
    """Run a command on the store of ``console``."""
    config = tmp_path / "gateway.yaml"
    given = {
        "store": {"url": console_store.settings.url, "key_file": str(console_store.settings.key_file)},
        "registry": {"last_good": str(registry_settings.last_good), "domains": ["force.example"]},
    }
    config.write_text(json.dumps(given))
    config.chmod(0o600)

    def run(*words, **more):
        return CliRunner().invoke(app, [*words, "--config", str(config)], **more)

    return run


async def signs_in(console, email, password):
    visitor = console.stranger()
    answer = await visitor.post("/sign-in", {"email": email, "password": password}, form_on="/sign-in")
    return answer.status_code == 303


async def test_a_new_account_signs_in_with_its_password(console, shell):
    """Add, set a password, sign in; the account's address in capitals is the same one."""
    assert shell("accounts", "add", "owen.pryce@force.example", "--role", "reviewer").exit_code == 0
    assert not await signs_in(console, "owen.pryce@force.example", "three random words")
    done = shell("accounts", "password", "Owen.Pryce@force.example", "--stdin", input="three random words\n")
    assert done.exit_code == 0, done.output
    assert await signs_in(console, "owen.pryce@force.example", "three random words")
    assert console.audited(Event.ACCOUNT_PASSWORD_SET)[0][1] == "owen.pryce@force.example"


@pytest.mark.parametrize(
    ("email", "role", "warned"),
    [
        ("p4417@force.onmicrosoft.example", "reviewer", True),
        ("p4417@force.onmicrosoft.example", "psd", True),
        ("oversight@panel.example", "oversight", False),
        ("amir.khan@force.example", "reviewer", False),
    ],
)
def test_who_adds_a_reviewer_whom_the_staff_list_does_not_know_is_told(shell, email, role, warned):
    """Nothing about them can be kept from them, and only who makes the account knows whether they are of the force."""
    done = shell("accounts", "add", email, "--role", role)
    assert done.exit_code == 0
    assert ("not on the staff list" in done.stderr) is warned


async def test_typing_a_password_twice(console, shell):
    """Asked twice where there is no --stdin; what differs is refused and the old one stays."""
    assert (
        shell("accounts", "password", REVIEWER, input="three random words\nthree other words\n").exit_code
        == 1
    )
    assert await signs_in(console, REVIEWER, PASSWORD)
    assert shell("accounts", "password", REVIEWER, input="three random words\n" * 2).exit_code == 0
    assert not await signs_in(console, REVIEWER, PASSWORD)


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        (REVIEWER, "short", "at least 12"),
        ("nobody@force.example", "three random words", "has no account"),
    ],
)
def test_what_is_refused(shell, email, password, says):
    """A password that is too short, an account that is not there: exit 1 and why."""
    done = shell("accounts", "password", email, "--stdin", input=f"{password}\n")
    assert done.exit_code == 1
    assert says in done.output + str(done.exception)


async def test_a_new_password_ends_every_session(console, shell):
    """Whoever had the old one is out."""
    visitor = console.visitor()
    assert (await visitor.get("/holds")).status_code == 200
    shell("accounts", "password", REVIEWER, "--stdin", input="three random words\n")
    assert (await visitor.get("/holds")).status_code == 303


async def test_sign_out_and_lost_telephone(console, shell):
    """Sessions end from the shell; a lost factor is removed and the next sign-in may do without or sets one up."""
    visitor = console.visitor()
    assert "1 session ended" in shell("accounts", "sign-out", REVIEWER).output
    assert (await visitor.get("/holds")).status_code == 303
    console.store.write_now(
        lambda tx: kept.set_second_factor(tx, REVIEWER, factors.new_secret(), ("2222-3333-4444",))
    )
    assert shell("accounts", "reset-factor", REVIEWER).exit_code == 0
    credentials, codes = console.store.read_now(
        lambda tx: (kept.credentials_of(tx, REVIEWER), kept.recovery_codes_left(tx, REVIEWER))
    )
    assert (credentials.totp, codes) == ("", 0)
    assert console.audited(Event.ACCOUNT_FACTOR_REMOVED)[0][1] == REVIEWER


async def test_waiting_time_is_lifted(console_store, registry_settings, shell):
    """`unlock` lets somebody try at once who has waited for another's guesses."""
    console = Console(console_store, registry_settings, free_tries=1)
    for _ in range(2):
        assert not await signs_in(console, REVIEWER, "wrong horse battery")
    assert not await signs_in(console, REVIEWER, PASSWORD)
    assert shell("accounts", "unlock", REVIEWER).exit_code == 0
    keys = tries.keys_of(REVIEWER, "")[:1]
    assert console.store.read_now(lambda tx: tries.wait_s(tx, keys, console.clock())) == 0
    assert await signs_in(console, REVIEWER, PASSWORD)
    await console.desk.reader.close()
