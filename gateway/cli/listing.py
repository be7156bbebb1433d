"""What the commands that list items share: one line an item, who is asking, and what they may see.

The JSON of an item is a contract (ARCHITECTURE section 6): keys may be added, not changed. Knows nothing of how
an item is decided.
"""

import os
import pwd
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from gateway import audit
from gateway.cli.invocation import emit, printable, settings_from
from gateway.errors import Refused, Sealed
from gateway.model import Event, ItemKind, ItemState, Registry
from gateway.review import decisions
from gateway.review.access import Permission, Person, objection
from gateway.settings import Settings
from gateway.store import Store, items
from gateway.store.rows import Item

S = TypeVar("S", bound=StrEnum)

AsOption = Annotated[
    str,
    typer.Option(
        "--as", help="Account that asks; without it: this system user.", metavar="EMAIL", show_default=False
    ),
]
StateOption = Annotated[str, typer.Option("--state", help="Only this state, or `all`.", metavar="STATE")]
LimitOption = Annotated[int, typer.Option("--limit", help="At most this many.", min=1)]


def list_items(
    kind: ItemKind, states: Iterable[ItemState], config: Path | None, *, as_: str, limit: int, as_json: bool
) -> None:
    """Print the items of ``kind`` in ``states`` that the person called ``as_`` may know of, and record the view."""
    settings = settings_from(config)
    with Store.open(settings.store) as store:
        person, registry = person_asking(store, settings, as_)
        hidden_from = person.staff_id if person else None
        found = store.read_now(
            lambda tx: items.list_items(tx, kind, tuple(states), limit=limit, hidden_from=hidden_from)
        )
        shown = visible(found, person, registry)
        record_listing(store, person, f"{kind}s", (item.id for item in shown))
    print_items(shown, as_json=as_json)


def system_actor() -> str:
    """Return who runs the command, for the audit log: ``system:NAME`` of the system's user."""
    uid = os.getuid()
    try:
        return f"system:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"system:{uid}"


def visible(found: Iterable[Item], person: Person | None, registry: Registry | None) -> tuple[Item, ...]:
    """Return the items that ``person`` may know of; all of them for the system's own user (None).

    Raises Refused when the person may list none at all.
    """
    if person is None:
        return tuple(found)
    if why := objection(person, Permission.ITEM_LIST, None, registry):
        raise Refused(why)
    if registry is None:
        raise Refused(
            "no staff list is loaded, so that nobody can be told from whom an item is about: see `gateway doctor`"
        )
    return tuple(
        one
        for one in found
        if not objection(person, Permission.ITEM_LIST, decisions.subject_of(one), registry)
    )


def person_asking(store: Store, settings: Settings, email: str) -> tuple[Person | None, Registry | None]:
    """Return who asks and the staff list to judge them by; (None, None) when no account is named."""
    from gateway.registry import load_last_good

    if not email:
        return None, None
    registry = load_last_good(settings.registry)
    person = store.read_now(lambda tx: decisions.person_called(tx, registry, email))
    if person is None:
        raise Refused(
            f"{email} has no account and is neither supervisor nor PSD on the staff list; `gateway accounts add`"
        )
    return person, registry


def record_listing(store: Store, person: Person | None, what: str, ids: Iterable[str]) -> None:
    """Append the view to the audit log, before anything is shown: what nobody recorded nobody has seen."""
    actor = person.email if person else system_actor()
    payload = {"list": what, "system": system_actor(), "ids": tuple(ids)}
    store.write_now(
        lambda tx: audit.append(
            tx, Event.ITEM_LISTED, actor=actor, subject=what, payload=payload, at=datetime.now(UTC)
        )
    )


def instant(at: datetime | None) -> str | None:
    """Return a time as RFC 3339, UTC, to the second."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def item_line(item: Item) -> dict[str, object]:
    """Return the JSON line of an item."""
    return {
        "id": item.id,
        "state": item.state,
        "sender": item.sender,
        "recipients": list(item.recipients),
        "subject": item.subject,
        "held_at": instant(item.held_at),
        "message_id": item.message_id,
        "sha256": item.sha256,
        "kind": item.kind,
        "label": item.label,
        "urgent": item.urgent,
        **unopened_facts(item.unopened),
    }


def unopened_facts(why: str) -> dict[str, object]:
    """Return what the JSON line of a record says of ``why`` it does not open; empty where it does."""
    return {"cannot_be_opened": why, "remedy": Sealed.hint if why else ""}


def print_unopened(why: str) -> None:
    """Print why a record does not open, and the remedy, below its line."""
    typer.echo(f"    cannot be opened: {printable(why)}. {Sealed.hint}")


def print_items(found: Iterable[Item], *, as_json: bool) -> None:
    """Print items, one a line."""
    for item in found:
        if as_json:
            emit(item_line(item))
            continue
        urgent = "  URGENT" if item.urgent else ""
        to = printable(", ".join(item.recipients))
        nobody = "(cannot be opened)" if item.unopened else "<>"
        typer.echo(
            f"{item.id}  {instant(item.held_at)}  {item.state}{urgent}  {printable(item.sender) or nobody} -> {to}"
        )
        if item.unopened:
            print_unopened(item.unopened)
        else:
            typer.echo(f"    {printable(item.subject) or '(no subject)'}")


def states_of(wanted: str, default: Iterable[S], every: type[S]) -> tuple[S, ...]:
    """Return the states that ``--state`` names: none named the default, ``all`` every one; exit 2 for another."""
    if not wanted:
        return tuple(default)
    if wanted == "all":
        return tuple(every)
    try:
        return (every(wanted),)
    except ValueError:
        raise typer.BadParameter(f"one of: all, {', '.join(every)}", param_hint="--state") from None
