"""`gateway store`: making the store and its sealing key, changing the key, and looking whether all fits.

Nobody but `init` makes a first key. docs/store.md tells of escrow, backups and restoring.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway import audit
from gateway.cli.invocation import ConfigOption, JsonOption, emit, settings_from
from gateway.cli.listing import system_actor
from gateway.model import Event, ItemKind, ItemState
from gateway.settings import StoreSettings
from gateway.store import Made, Store, Tx, items, outbox, records, rotation
from gateway.store import initialise as make_store
from gateway.store.grants import console_grants

app = typer.Typer(no_args_is_help=True, help="Make the store and its sealing key; rotate the key.")


def initialise(settings: StoreSettings, actor: str) -> Made:
    """Make what is missing of a store, record it as its first audit entry, and return it open."""
    now = datetime.now(UTC)
    made = make_store(settings, now)
    key_id, store_id = made.store.keys.active, made.store.store_id

    def record(tx: Tx) -> None:
        if audit.head(tx).seq == 0:
            payload = {"key": key_id, "schema": records.schema_of(tx)}
            audit.append(tx, Event.STORE_CREATED, actor=actor, subject=store_id, payload=payload, at=now)

    made.store.write_now(record)
    return made


@app.command()
def init(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Make the database and the key that seals mail in it. Repeating it changes nothing."""
    settings = settings_from(config).store
    made = initialise(settings, system_actor())
    with made.store as store:
        line = {
            "store": store.store_id,
            "key": store.keys.active,
            "key_file": settings.key_file,
            "made": made.fresh,
            "key_made": made.fresh_key,
        }
    if as_json:
        emit(line)
    elif made.fresh:
        typer.echo(f"made store {store.store_id}, sealed with {store.keys.active} in {settings.key_file}")
        typer.echo(
            "Without that file nothing held can be read again: put a copy in escrow, apart from the backups."
        )
    else:
        typer.echo(f"store {store.store_id} is there and {settings.key_file} opens it; nothing was changed")


@app.command("rotate-key")
def rotate_key(
    config: ConfigOption = None,
    *,
    prepare: Annotated[
        bool,
        typer.Option("--prepare", help="Only add the key: copy the file to every host, then --activate."),
    ] = False,
    activate: Annotated[
        str, typer.Option("--activate", help="Seal with this prepared key.", metavar="KEY")
    ] = "",
    reseal: Annotated[bool, typer.Option("--reseal", help="Seal again what older keys sealed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Seal with a new key from now on. Older keys stay in the file: what they sealed, and backups, need them."""
    if prepare and (activate or reseal):
        raise typer.BadParameter("--prepare stands alone", param_hint="--prepare")
    with Store.open(settings_from(config).store) as store:
        key_id = activate or rotation.prepare(store, datetime.now(UTC), _record_key)
        if not prepare:
            rotation.activate(store, key_id)
        resealed = rotation.reseal(store) if reseal else 0
        active = store.keys.active
    if as_json:
        emit({"key": key_id, "active": active, "resealed": resealed})
    else:
        typer.echo(
            f"{key_id} {'is active' if active == key_id else 'is prepared'}; {resealed} values sealed again"
        )
        typer.echo(
            "Restart every `gateway serve` and `gateway console`, and put the key file in escrow anew."
        )


@app.command()
def check(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Open the store as `serve` would and print what it holds; exit 1 with the reason when it cannot be used."""
    with Store.open(settings_from(config).store) as store:
        line: dict[str, object] = {"store": store.store_id, "key": store.keys.active} | store.read_now(_look)
    if as_json:
        emit(line)
        return
    for name, value in line.items():
        typer.echo(f"{name}: {value}")


@app.command()
def grants(
    role: Annotated[str, typer.Argument(help="The console's role in PostgreSQL.", metavar="ROLE")],
) -> None:
    """Print the SQL that lets the console's own database role do what it must and no more (PostgreSQL)."""
    for line in console_grants(role):
        typer.echo(f"{line};")


def _look(tx: Tx) -> dict[str, object]:
    states = {state.value: items.count_items(tx, ItemKind.HOLD, (state,)) for state in items.UNDECIDED}
    return {
        "schema": records.schema_of(tx),
        "made_at": records.fact(tx, "made_at"),
        "audit_head": str(audit.head(tx)),
        "holds": states,
        "open_flags": items.count_items(tx, ItemKind.FLAG, (ItemState.OPEN,)),
        "outbox_suspended": outbox.suspension(tx),
        "sealed_with_older_keys": rotation.other_keys(tx),
    }


def _record_key(tx: Tx, key_id: str) -> None:
    audit.append(
        tx,
        Event.STORE_KEY_ROTATED,
        actor=system_actor(),
        subject=key_id,
        payload={"key": key_id},
        at=datetime.now(UTC),
    )
