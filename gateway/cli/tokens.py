"""`gateway tokens`: what other systems show to the HTTP API. A token is shown once, when it is made."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway import audit
from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, settings_from
from gateway.cli.listing import system_actor
from gateway.model import Event
from gateway.store import Store, Tx, tokens
from gateway.store.tokens import May, Token

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke the tokens of other systems.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the other system is called: records-system.")],
    may: Annotated[
        list[May], typer.Option("--may", help="May be given more than once.", case_sensitive=False)
    ],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it. Only its hash is kept: whoever loses it gets another one.

    contacts: push contacts and staff. states: read where items are.
    """
    if not tokens.is_name(name):
        raise typer.BadParameter("use up to 64 small letters, digits, dots and hyphens", param_hint="NAME")
    good_for = frozenset(may)
    with Store.open(settings_from(config).store) as store:
        made = store.write_now(lambda tx: _add(tx, name, good_for))
    if made is None:
        fail(f"there is a token called {name}; a name is used once, so that the audit log stays clear")
    if as_json:
        emit({"name": name, "may": sorted(good_for), "token": made})
    else:
        typer.echo(made)


@app.command("list")
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the tokens: what they may do, when they were made and last used, and whether they are revoked."""
    with Store.open(settings_from(config).store) as store:
        found = store.read_now(tokens.every)
    for one in found:
        if as_json:
            emit(_line(one))
        else:
            used = f"used {one.used_at:%Y-%m-%d %H:%M} UTC" if one.used_at else "never used"
            over = f", revoked {one.revoked_at:%Y-%m-%d %H:%M} UTC" if one.revoked_at else ""
            typer.echo(f"{one.name}  {', '.join(sorted(one.may))}  {used}{over}")


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The token's name.")], config: ConfigOption = None
) -> None:
    """Revoke a token for good: its next request is refused."""
    at = datetime.now(UTC)

    def job(tx: Tx) -> Token | None:
        found = tokens.revoke(tx, name, at)
        if found is not None:
            audit.append(tx, Event.TOKEN_REVOKED, actor=system_actor(), subject=name, at=at)
        return found

    with Store.open(settings_from(config).store) as store:
        if store.write_now(job) is None:
            fail(f"there is no token called {name} that is not revoked; `gateway tokens list` names them")
    typer.echo(f"{name} is revoked")


def _add(tx: Tx, name: str, may: frozenset[May]) -> str | None:
    at = datetime.now(UTC)
    made = tokens.add(tx, name, may, system_actor(), at)
    if made is not None:
        payload: dict[str, audit.Value] = {"may": sorted(may)}
        audit.append(tx, Event.TOKEN_ADDED, actor=system_actor(), subject=name, payload=payload, at=at)
    return made


def _line(one: Token) -> dict[str, object]:
    return {
        "name": one.name,
        "may": sorted(one.may),
        "made_at": one.made_at.isoformat(),
        "made_by": one.made_by,
        "used_at": one.used_at.isoformat() if one.used_at else None,
        "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
    }
