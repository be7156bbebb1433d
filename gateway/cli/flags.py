"""`gateway flags`: messages that were delivered and stand on the supervisors' list.

A view: every listing is an audit entry.
"""

import typer

from gateway.cli.invocation import ConfigOption, JsonOption, settings_from
from gateway.cli.listing import (
    AsOption,
    LimitOption,
    StateOption,
    person_asking,
    print_items,
    record_listing,
    states_of,
    visible,
)
from gateway.model import ItemKind, ItemState
from gateway.store import Store, items

app = typer.Typer(no_args_is_help=True, help="List flagged messages.")


@app.callback()
def _flags() -> None:
    """Messages that were delivered and stand on the supervisors' list."""


@app.command("list")
def list_(
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
    state: StateOption = "",
    limit: LimitOption = 1000,
) -> None:
    """List open flags, oldest first; `--state all` shows closed ones too."""
    settings = settings_from(config)
    states = states_of(state, (ItemState.OPEN,), ItemState)
    with Store.open(settings.store) as store:
        person, registry = person_asking(store, settings, as_)
        hidden_from = person.staff_id if person else None
        found = store.read_now(
            lambda tx: items.list_items(tx, ItemKind.FLAG, states, limit=limit, hidden_from=hidden_from)
        )
        shown = visible(found, person, registry)
        record_listing(store, person, "flags", (item.id for item in shown))
    print_items(shown, as_json=as_json)
