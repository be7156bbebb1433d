"""`gateway accounts`: the people who may list, see and decide, beside supervisors and PSD on the staff list."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from email_validator import EmailNotValidError, validate_email

from gateway import audit, identify
from gateway.cli.holds import DEFAULT_ACCOUNT
from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, settings_from
from gateway.cli.listing import system_actor
from gateway.model import Event, Registry, Role
from gateway.store import Store, Tx, records
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
