"""`gateway outbox`: what was approved for delivery and is not yet taken by the smarthost.

Lists it, tries a failed delivery again, and resumes the outbox after a backup was restored. `serve` delivers.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway import audit
from gateway.cli.invocation import ConfigOption, JsonOption, emit, printable, settings_from
from gateway.cli.listing import (
    AsOption,
    LimitOption,
    StateOption,
    instant,
    item_line,
    person_asking,
    print_unopened,
    record_listing,
    states_of,
    system_actor,
    unopened_facts,
    visible,
)
from gateway.errors import Refused
from gateway.model import Event, ItemState, OutboxKind
from gateway.store import Store, Tx, items, outbox
from gateway.store.rows import Approved, Delivery, DeliveryState, Item, RecipientState

app = typer.Typer(no_args_is_help=True, help="List and retry approved deliveries.")

_WAITING = (DeliveryState.QUEUED, DeliveryState.LEASED, DeliveryState.FAILED)


@app.command("list")
def list_(
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
    state: StateOption = "",
    limit: LimitOption = 1000,
) -> None:
    """List deliveries that the smarthost has not taken yet, releases and returns first; `--state all` shows sent ones too."""
    settings = settings_from(config)
    states = states_of(state, _WAITING, DeliveryState)
    with Store.open(settings.store) as store:
        person, registry = person_asking(store, settings, as_)
        suspended, found = store.read_now(lambda tx: (outbox.suspension(tx), _with_items(tx, states, limit)))
        known = {one.id for one in visible((item for _, item in found if item), person, registry)}
        shown = [
            (one, item)
            for one, item in found
            if (item is None and person is None) or (item and item.id in known)
        ]
        record_listing(store, person, "outbox", (one.id for one, _ in shown))
    if suspended:
        typer.echo(f"the outbox is suspended: {suspended}; `gateway outbox resume` ends it", err=True)
    for delivery, item in shown:
        _print(delivery, item, as_json=as_json)


@app.command()
def retry(
    delivery: Annotated[str, typer.Argument(help="Id of the delivery, or of its item.", metavar="ID")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Try a failed delivery again at once, for the recipients that the smarthost has not taken."""
    settings = settings_from(config)
    with Store.open(settings.store) as store:
        tried = store.write_now(lambda tx: _retry(tx, delivery, datetime.now(UTC)))
    if as_json:
        emit({"id": tried.item_id or tried.id, "delivery": tried.id, "state": DeliveryState.QUEUED})
    else:
        typer.echo(f"delivery {tried.id} is queued again")


@app.command()
def resume(
    reason: Annotated[str, typer.Option("--reason", help="How it was made sure that nothing is sent twice.")],
    config: ConfigOption = None,
) -> None:
    """Deliver again after a backup was restored: first compare `outbox list` with the smarthost's log."""
    if not reason.strip():
        raise typer.BadParameter("a reason is required", param_hint="--reason")
    settings = settings_from(config)

    def job(tx: Tx) -> str:
        why = outbox.resume(tx)
        payload = {"reason": reason, "suspended": why}
        audit.append(
            tx,
            Event.OUTBOX_RESUMED,
            actor=system_actor(),
            subject="outbox",
            payload=payload,
            at=datetime.now(UTC),
        )
        return why

    with Store.open(settings.store) as store:
        why = store.write_now(job)
    typer.echo(f"the outbox delivers again; it was suspended because {why}")


def _with_items(tx: Tx, states: tuple[DeliveryState, ...], limit: int) -> list[tuple[Delivery, Item | None]]:
    found = outbox.list_deliveries(tx, states, limit=limit)
    return [(one, items.item(tx, one.item_id) if one.item_id else None) for one in found]


def _retry(tx: Tx, wanted: str, at: datetime) -> Delivery:
    """Queue the delivery, or the failed one of the item, again; a failed release is releasing again."""
    found = outbox.delivery(tx, wanted)
    if found is None:
        failed = [one for one in outbox.deliveries_of(tx, wanted) if one.state is DeliveryState.FAILED]
        if not failed:
            raise Refused(f"there is no failed delivery {wanted}, and none of an item of that id")
        found = failed[-1]
    before = outbox.retry(tx, found.id, at)
    if before.kind is OutboxKind.RELEASE and before.state is DeliveryState.FAILED and before.item_id:
        items.set_state(tx, before.item_id, ItemState.RELEASE_FAILED, ItemState.RELEASING)
        items.approve_release(
            tx, before.item_id, Approved(delivery=before.id, undo_to=ItemState.RELEASE_FAILED)
        )
    payload: dict[str, audit.Value] = {
        "delivery": before.id,
        "tries": before.tries,
        "state": before.state.value,
    }
    subject = before.item_id or before.id
    audit.append(tx, Event.OUTBOX_RETRIED, actor=system_actor(), subject=subject, payload=payload, at=at)
    return before


def _print(delivery: Delivery, item: Item | None, *, as_json: bool) -> None:
    about: dict[str, object] = {"id": delivery.id, "state": delivery.state}
    why_not = delivery.unopened or (item.unopened if item is not None else "")
    if item is not None:
        about = item_line(item)
    # None: sealed with a key that is not here, and an address is never empty.
    waiting = [one.address or None for one in delivery.recipients if one.state is not RecipientState.SENT]
    about |= {
        "delivery": delivery.id,
        "delivery_state": delivery.state,
        "kind": delivery.kind,
        "waiting": waiting,
        "tries": delivery.tries,
        "maybe_sent_twice": delivery.interrupted,
        "next_at": instant(delivery.next_at),
        "last_reply": delivery.last_reply,
    } | unopened_facts(why_not)
    if as_json:
        emit(about)
        return
    typer.echo(
        f"{delivery.id}  {delivery.kind}  {delivery.state}  tries {delivery.tries}  "
        f"-> {', '.join(printable(one) if one else '(cannot be opened)' for one in waiting)}"
    )
    if delivery.last_reply:
        typer.echo(f"    {printable(delivery.last_reply)}")
    if why_not:
        print_unopened(why_not)
    if delivery.interrupted:
        typer.echo(f"    interrupted {delivery.interrupted} times: the recipient may get it twice")
        if delivery.state is DeliveryState.FAILED:
            typer.echo("    Look in the smarthost's log whether it arrived; if not: gateway outbox retry ID")
