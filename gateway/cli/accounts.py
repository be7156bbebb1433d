"""`gateway accounts`: the people who may list, see and decide, beside supervisors and PSD on the staff list."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from email_validator import EmailNotValidError, validate_email

from gateway import audit, identify
from gateway.cli.holds import DEFAULT_ACCOUNT
from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, settings_from
from gateway.cli.listing import system_actor
from gateway.errors import Refused
from gateway.model import Event, Registry, Role
from gateway.store import Store, Tx, records, sessions
from gateway.store.rows import Account

app = typer.Typer(no_args_is_help=True, help="Add and list the people who may use the gateway.")


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="Address of the person: the name of the account.")],
    role: Annotated[
        list[Role] | None, typer.Option("--role", help="May be given more than once.", case_sensitive=False)
    ] = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Add an account, or change its roles. The first one is who decides when a command gets no ``--as``.

    Without ``--role`` it may review. An administrator without another role sees no mail.
    """
    from gateway.registry import load_last_good

    settings = settings_from(config)
    try:
        address = validate_email(email, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="EMAIL") from None
    roles = frozenset(role or [Role.REVIEWER])
    registry = load_last_good(settings.registry)
    with Store.open(settings.store) as store:
        account = store.write_now(lambda tx: add_account(tx, address, roles, registry))
    if as_json:
        emit({"email": account.email, "roles": sorted(account.roles), "staff_id": account.staff_id})
    else:
        known = f", staff {account.staff_id}" if account.staff_id else ""
        typer.echo(f"{account.email}: {', '.join(sorted(account.roles))}{known}")
    if account.staff_id is None and account.roles & {Role.REVIEWER, Role.PSD}:
        says = "not on the staff list: nothing that concerns them can be kept from them. For somebody of the force, use an address or alias of the list."
        typer.echo(says, err=True)


@app.command("list")
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the accounts and their roles."""
    settings = settings_from(config)
    with Store.open(settings.store) as store:
        found, default = store.read_now(
            lambda tx: (records.list_accounts(tx), records.fact(tx, DEFAULT_ACCOUNT))
        )
    if not found and not as_json:
        fail("there is no account yet; `gateway accounts add EMAIL --role reviewer` makes one")
    for one in found:
        if as_json:
            emit(
                {
                    "email": one.email,
                    "roles": sorted(one.roles),
                    "staff_id": one.staff_id,
                    "default": one.email == default,
                }
            )
        else:
            typer.echo(
                f"{one.email}  {', '.join(sorted(one.roles))}{'  (default)' if one.email == default else ''}"
            )


@app.command()
def password(
    email: Annotated[str, typer.Argument(help="The account.")],
    config: ConfigOption = None,
    *,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the password from standard input, one line.")
    ] = False,
) -> None:
    """Set the password of an account, for signing in to the console. Its sessions end."""
    from gateway.console import passwords

    settings = settings_from(config)
    chosen = sys.stdin.readline().rstrip("\r\n") if stdin else _asked_twice()
    if why := passwords.objection_to(chosen, email, min_chars=settings.console.min_password_chars):
        fail(why)
    hashed = passwords.hashed(chosen)
    with Store.open(settings.store) as store:
        store.write_now(lambda tx: _of_account(tx, email, lambda name: set_password(tx, name, hashed)))
    typer.echo(f"{email.lower()} signs in with the new password")


@app.command("reset-factor")
def reset_factor(
    email: Annotated[str, typer.Argument(help="The account.")], config: ConfigOption = None
) -> None:
    """Remove the second factor of an account whose telephone and codes are lost. Its sessions end."""
    settings = settings_from(config)

    def remove(tx: Tx, name: str) -> None:
        sessions.set_second_factor(tx, name, "", ())
        sessions.end_sessions(tx, name)
        _record(tx, Event.ACCOUNT_FACTOR_REMOVED, name)

    with Store.open(settings.store) as store:
        store.write_now(lambda tx: _of_account(tx, email, lambda name: remove(tx, name)))
    typer.echo(f"{email.lower()} sets up a new second factor at the next sign-in")


@app.command("sign-out")
def sign_out(
    email: Annotated[str, typer.Argument(help="Whose sessions end.")], config: ConfigOption = None
) -> None:
    """End every session of a person, local account or not."""
    settings = settings_from(config)

    def end(tx: Tx) -> int:
        ended = sessions.end_sessions(tx, email.lower())
        if ended:
            _record(tx, Event.SESSION_ENDED, email.lower())
        return ended

    with Store.open(settings.store) as store:
        ended = store.write_now(end)
    typer.echo(f"{ended} session{'' if ended == 1 else 's'} ended")


@app.command()
def unlock(email: Annotated[str, typer.Argument(help="The account.")], config: ConfigOption = None) -> None:
    """Lift the waiting time of an account after failed sign-ins."""
    from gateway.console import tries

    settings = settings_from(config)

    def lift(tx: Tx, name: str) -> None:
        tries.succeeded(tx, name)
        _record(tx, Event.ACCOUNT_UNLOCKED, name)

    with Store.open(settings.store) as store:
        store.write_now(lambda tx: _of_account(tx, email, lambda name: lift(tx, name)))
    typer.echo(f"{email.lower()} may try at once")


def _asked_twice() -> str:
    chosen = str(typer.prompt("New password", hide_input=True))
    if typer.prompt("Again", hide_input=True) != chosen:
        fail("the two are not the same")
    return chosen


def _of_account(tx: Tx, email: str, change: Callable[[str], None]) -> None:
    """Run ``change`` with the name of the account; Refused when there is none."""
    found = records.account(tx, email.strip().lower())
    if found is None:
        raise Refused(f"{email} has no account; `gateway accounts add` makes one")
    change(found.email)


def set_password(tx: Tx, email: str, hashed: str) -> None:
    """Keep the hash of a password, end the account's sessions, and write it down."""
    at = datetime.now(UTC)
    sessions.set_password(tx, email, hashed, at)
    sessions.end_sessions(tx, email)
    _record(tx, Event.ACCOUNT_PASSWORD_SET, email)


def _record(tx: Tx, event: Event, email: str) -> None:
    audit.append(tx, event, actor=system_actor(), subject=email, at=datetime.now(UTC))


def add_account(tx: Tx, email: str, roles: frozenset[Role], registry: Registry | None) -> Account:
    """Add or change the account of a normalised address, tie it to the staff list, and write it down."""
    member = identify.staff_for(registry, email) if registry else None
    account = Account(
        email=email,
        roles=roles,
        staff_id=member.staff_id if member else None,
        local=True,
        at=datetime.now(UTC),
    )
    if not records.add_account(tx, account):
        records.change_account(tx, account)
    if records.fact(tx, DEFAULT_ACCOUNT) is None:
        records.set_fact(tx, DEFAULT_ACCOUNT, email)
    payload: dict[str, audit.Value] = {"roles": sorted(roles), "staff_id": account.staff_id or ""}
    audit.append(tx, Event.ACCOUNT_ADDED, actor=system_actor(), subject=email, payload=payload, at=account.at)
    return account
