"""`gateway flags`: messages that were delivered and stand on the supervisors' list.

A view: every listing is an audit entry.
"""

import typer

from gateway.cli.invocation import ConfigOption, JsonOption
from gateway.cli.listing import AsOption, LimitOption, StateOption, list_items, states_of
from gateway.model import ItemKind, ItemState

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
    states = states_of(state, (ItemState.OPEN,), ItemState)
    list_items(ItemKind.FLAG, states, config, as_=as_, limit=limit, as_json=as_json)
