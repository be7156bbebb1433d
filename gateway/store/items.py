"""Holds and flags: recording them, listing them, and moving them from state to state.

Functions over a transaction. Owns which state may follow which (DECISIONS 26); knows nothing of who may decide
(`review.access`) and appends no audit entry: its callers do, in the same transaction.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from gateway.errors import Refused, Sealed
from gateway.model import (
    Action,
    Envelope,
    ItemKind,
    ItemState,
    Label,
    MessageId,
    Mode,
    PersonId,
    Role,
    StaffId,
    Verdict,
)
from gateway.store.database import Tx, lock_named
from gateway.store.naming import new_id
from gateway.store.rows import (
    Approved,
    Decision,
    DecisionAction,
    Excluded,
    ExcludedWhy,
    Item,
    ItemInFull,
    Kept,
    NewItem,
    Told,
    Waiting,
    is_for_psd_alone,
)
from gateway.store.schema import (
    decisions,
    item_contacts,
    item_excluded,
    item_messages,
    item_recipients,
    items,
    ledger,
)
from gateway.store.statements import Prepared, insert_into, insert_unless_there

TRANSITIONS: dict[ItemState, frozenset[ItemState]] = {
    ItemState.HELD: frozenset({ItemState.RELEASING, ItemState.RETURNED, ItemState.REFERRED}),
    ItemState.REFERRED: frozenset({ItemState.RELEASING, ItemState.RETURNED, ItemState.PARTLY_RELEASED}),
    ItemState.RELEASING: frozenset(
        {ItemState.RELEASED, ItemState.RELEASE_FAILED, ItemState.HELD, ItemState.REFERRED}
    ),
    ItemState.RELEASE_FAILED: frozenset(
        {
            ItemState.RELEASING,
            ItemState.RELEASED,
            ItemState.RETURNED,
            ItemState.PARTLY_RELEASED,
            ItemState.REFERRED,
        }
    ),
    ItemState.RELEASED: frozenset(),
    ItemState.PARTLY_RELEASED: frozenset({ItemState.REFERRED}),
    ItemState.RETURNED: frozenset({ItemState.REFERRED}),
    ItemState.OPEN: frozenset({ItemState.CLOSED}),
    ItemState.CLOSED: frozenset({ItemState.OPEN}),
}
"""Which state may follow which. Only *release* delivers, and nothing leaves released.

A release that is undone in time goes back to where it was, and one that failed may turn out to have arrived; what
was returned, or released to some alone, may be reopened, for professional standards alone (docs/decisions/0023, 0039).
"""

UNDECIDED = (ItemState.HELD, ItemState.REFERRED, ItemState.RELEASING, ItemState.RELEASE_FAILED)
"""Holds that nobody has seen to the end: what `holds list` shows."""

_NOT_LISTED = frozenset({"verdict", "retry_key", "rest_taken", "release_id", "undo_to"})
_BY_RETRY_KEY = Prepared(select(items.c.id).where(items.c.retry_key == bindparam("key")))
_SET_DELIVERY = Prepared(
    update(items).where(items.c.id == bindparam("item")).values(delivery=bindparam("said"))
)


def add_item(tx: Tx, new: NewItem) -> MessageId:
    """Record a hold or flag and return its id; the earlier item's id if its retry key is known (no new item then).

    Two processes may be handed the same message at once: the second waits for the first and gets its id.
    """
    row = {
        "id": new.id,
        "kind": new.kind,
        "state": _first_state(new),
        "label": Label.NONE,
        "retry_key": new.retry_key,
        "held_at": new.held_at,
        "officer": new.officer,
        "unit": new.unit,
        "urgent": bool(new.verdict.urgent),
        "psd_copy": bool(new.verdict.psd or new.psd_only),
        "psd_only": new.psd_only,
        "mode": new.verdict.mode,
        "action": new.verdict.action,
        "proposed": new.verdict.proposed,
        "message_id": _plain(new.message_id),
        "sha256": new.sha256,
        "size": len(new.message),
        "sender_told_failed": False,
        "rest_taken": "",
        "delivery": "",
        "envelope": tx.seal(items.c.envelope, new.id, msgspec.json.encode(new.envelope)),
        "subject": tx.seal(items.c.subject, new.id, new.subject.encode("utf-8", "surrogateescape")),
        "verdict": tx.seal(items.c.verdict, new.id, msgspec.json.encode(new.verdict)),
    }
    if not insert_unless_there(tx.connection, items, row, items.c.retry_key):
        earlier = item_by_retry_key(tx, new.retry_key)
        assert earlier is not None
        return earlier
    sealed = tx.seal(item_messages.c.message, new.id, new.message)
    insert_into(tx.connection, item_messages, [{"item_id": new.id, "message": sealed}])
    _add_people(tx, new)
    return new.id


def item_by_retry_key(tx: Tx, retry_key: str) -> MessageId | None:
    """Return the item of the same message that was recorded before, while its retry key is kept."""
    found = _BY_RETRY_KEY.run(tx.connection, {"key": retry_key}).fetchone()
    return MessageId(found[0]) if found else None


def item(tx: Tx, item_id: str) -> Item | None:
    """Return one item as lists show it, or None."""
    found = _dress(tx, tx.connection.execute(_listed().where(items.c.id == item_id)).all())
    return found[0] if found else None


def items_called(tx: Tx, ids: Iterable[str]) -> tuple[Item, ...]:
    """Return the items with these ids in the order of the ids; one that is not there is left out."""
    wanted = tuple(ids)
    found = {
        one.id: one
        for one in _dress(tx, tx.connection.execute(_listed().where(items.c.id.in_(wanted))).all())
    }
    return tuple(found[MessageId(one)] for one in wanted if one in found)


def item_in_full(tx: Tx, item_id: str) -> ItemInFull | None:
    """Return one item with envelope, verdict and decisions, or None. Raises Sealed where any of it does not open."""
    shown = item(tx, item_id)
    if shown is None:
        return None
    if shown.unopened:
        raise Sealed(shown.unopened)
    envelope, verdict = tx.connection.execute(
        select(items.c.envelope, items.c.verdict).where(items.c.id == item_id)
    ).one()
    return ItemInFull(
        item=shown,
        envelope=msgspec.json.decode(tx.open(items.c.envelope, item_id, envelope), type=Envelope),
        verdict=msgspec.json.decode(tx.open(items.c.verdict, item_id, verdict), type=Verdict),
        decisions=decisions_of(tx, item_id),
    )


def message(tx: Tx, item_id: str) -> bytes:
    """Return the message as it was received. Raises Refused when there is no such item."""
    sealed = tx.connection.scalar(select(item_messages.c.message).where(item_messages.c.item_id == item_id))
    if sealed is None:
        raise Refused(f"there is no item {item_id}")
    return tx.open(item_messages.c.message, item_id, sealed)


def list_items(
    tx: Tx,
    kind: ItemKind,
    states: Iterable[ItemState] | None = None,
    *,
    limit: int = 1000,
    after: MessageId | None = None,
    newest_first: bool = False,
    hidden_from: StaffId | None = None,
) -> tuple[Item, ...]:
    """Return items of ``kind``, oldest first, at most ``limit``, from behind the item ``after``.

    ``states`` None: all. ``hidden_from`` leaves out what that member of staff may not know of: the bulk of the
    access check, done here so that pages stay full; the check itself is `review.access`.
    """
    query = _listed().where(items.c.kind == kind)
    if states is not None:
        query = query.where(items.c.state.in_(tuple(states)))
    if hidden_from is not None:
        query = query.where(items.c.id.not_in(_excluding(hidden_from)))
    if after is not None:
        query = query.where(_behind(tx, after, newest_first=newest_first))
    order = (items.c.held_at.desc(), items.c.id.desc()) if newest_first else (items.c.held_at, items.c.id)
    return _dress(tx, tx.connection.execute(query.order_by(*order).limit(limit)).all())


def waiting_holds(tx: Tx, states: Iterable[ItemState], *, limit: int) -> tuple[Waiting, ...]:
    """Return the holds in ``states``, oldest first, at most ``limit``, as far as it matters for whom they wait."""
    query = select(items.c.id, items.c.held_at, items.c.state, items.c.officer, items.c.psd_only)
    query = query.where(items.c.kind == ItemKind.HOLD, items.c.state.in_(tuple(states)))
    rows = tx.connection.execute(query.order_by(items.c.held_at, items.c.id).limit(limit)).all()
    columns = select(item_excluded.c.item_id, item_excluded.c.staff_id, item_excluded.c.is_sender)
    columns = columns.order_by(item_excluded.c.staff_id)
    excluded = _grouped(tx, columns, item_excluded.c.item_id, tuple(row.id for row in rows))
    return tuple(
        Waiting(
            held_at=row.held_at,
            state=ItemState(row.state),
            officer=StaffId(row.officer) if row.officer else None,
            senders=tuple(StaffId(one.staff_id) for one in excluded.get(row.id, ()) if one.is_sender),
            excluded=tuple(StaffId(one.staff_id) for one in excluded.get(row.id, ())),
            psd_only=row.psd_only,
        )
        for row in rows
    )


def count_items(tx: Tx, kind: ItemKind, states: Iterable[ItemState]) -> int:
    """Return how many items of ``kind`` are in ``states``."""
    query = select(func.count()).select_from(items)
    return int(tx.connection.scalar(query.where(items.c.kind == kind, items.c.state.in_(tuple(states)))) or 0)


def set_state(
    tx: Tx,
    item_id: str,
    expected: ItemState | Iterable[ItemState],
    new: ItemState,
    *,
    label: Label | None = None,
) -> None:
    """Move an item from one of ``expected`` to ``new``, setting its label if one is given.

    Compare and swap: raises Refused, changing nothing, when the item is not in an expected state (somebody else
    was first), does not exist, or when ``new`` may never follow ``expected``.
    """
    states = (expected,) if isinstance(expected, ItemState) else tuple(expected)
    if not all(new in TRANSITIONS[state] for state in states):
        raise Refused(f"an item that is {' or '.join(states)} cannot become {new}")
    values: dict[str, Any] = {"state": new}
    if label is not None:
        values["label"] = label
    changed = tx.connection.execute(
        update(items).where(items.c.id == item_id, items.c.state.in_(states)).values(values)
    )
    if changed.rowcount != 1:
        found = tx.connection.scalar(select(items.c.state).where(items.c.id == item_id))
        if found is None:
            raise Refused(f"there is no item {item_id}")
        raise Refused(f"item {item_id} is {found}, not {' or '.join(states)}: it was decided meanwhile")


def lock(tx: Tx, item_id: str) -> None:
    """Make everybody else who decides on the item wait for this transaction; SQLite has one writer anyway."""
    tx.connection.execute(select(items.c.id).where(items.c.id == item_id).with_for_update())


def lock_releases(tx: Tx, item_id: str) -> None:
    """Make everybody else who releases an item of the same people wait for this transaction; before `lock`, never after.

    They are counted (`related.releases_of`), and two at once would each count none.
    """
    # In one order, or two who write for each other would wait for ever.
    for person in senders_of(tx, item_id):
        lock_named(tx, f"releases of {person}")


def senders_of(tx: Tx, item_id: str) -> tuple[StaffId, ...]:
    """Return everybody on the staff list whose message an item claims to be, its officer among them, in order."""
    officer = tx.connection.scalar(select(items.c.officer).where(items.c.id == item_id))
    others = select(item_excluded.c.staff_id).where(item_excluded.c.item_id == item_id, is_claimed())
    found = {*tx.connection.scalars(others), *((officer,) if officer else ())}
    return tuple(StaffId(one) for one in sorted(found))


def is_claimed() -> ColumnElement[bool]:
    """Return the condition for a row of `item_excluded` to name a sender of this message, not of one that it tells of."""
    return and_(item_excluded.c.is_sender == true(), item_excluded.c.why != ExcludedWhy.EARLIER)


def approve_release(tx: Tx, item_id: str, approved: Approved) -> None:
    """Record which delivery is the item's release from now on; an earlier one does not go out any more."""
    _change(tx, item_id, {"release_id": approved.delivery, "undo_to": approved.undo_to})


def approved_release(tx: Tx, item_id: str) -> Approved | None:
    """Return the release that was approved last, or None."""
    row = tx.connection.execute(
        select(items.c.release_id, items.c.undo_to).where(items.c.id == item_id)
    ).one_or_none()
    if row is None or not row.release_id:
        return None
    return Approved(delivery=row.release_id, undo_to=ItemState(row.undo_to or ItemState.HELD))


def release_stands(tx: Tx, item_id: str, delivery_id: str) -> bool:
    """Return whether ``delivery_id`` may go out: the item is releasing, and no later release took its place.

    Whoever undoes a release waits until this transaction ends, and this one for them (docs/decisions/0023).
    """
    row = tx.connection.execute(
        select(items.c.state, items.c.release_id).where(items.c.id == item_id).with_for_update()
    ).one_or_none()
    if row is None:
        return False
    return row.state == ItemState.RELEASING and row.release_id in ("", delivery_id)


def excluded_of(tx: Tx, item_id: str) -> tuple[Excluded, ...]:
    """Return who may not review an item, and why."""
    query = select(item_excluded).where(item_excluded.c.item_id == item_id).order_by(item_excluded.c.staff_id)
    return tuple(
        Excluded(
            staff_id=StaffId(row.staff_id),
            why=ExcludedWhy(row.why or (ExcludedWhy.SENDER if row.is_sender else "")),
        )
        for row in tx.connection.execute(query)
    )


def kept_from(tx: Tx, told: Told) -> Kept:
    """Return who is kept from any item among the earlier mail that a verdict tells of."""
    # A message that was tried twice may have its row in the ledger under the id of the first try.
    hashes = select(ledger.c.sha256).where(ledger.c.id.in_(told.messages))
    to_them = select(item_contacts.c.item_id).where(item_contacts.c.person_id.in_(told.persons))
    rows = [
        row
        for which in (
            (items.c.id.in_(told.messages),),
            (items.c.sha256.in_(hashes),),
            (items.c.officer.in_(told.officers), items.c.held_at >= told.since, items.c.id.in_(to_them)),
        )
        for row in tx.connection.execute(
            select(items.c.id, items.c.state, items.c.officer, items.c.psd_only).where(*which)
        )
    ]
    groups = _grouped(
        tx, select(item_excluded), item_excluded.c.item_id, tuple(dict.fromkeys(row.id for row in rows))
    )
    kept = [one for group in groups.values() for one in group]
    return Kept(
        staff=tuple(sorted({StaffId(one.staff_id) for one in kept})),
        senders=tuple(sorted({StaffId(one.staff_id) for one in kept if one.is_sender})),
        psd_only=any(is_for_psd_alone(ItemState(row.state), row.officer, row.psd_only) for row in rows),
    )


def refer(tx: Tx, item_id: str, expected: ItemState, why: str) -> None:
    """Move a hold to professional standards, whose alone it is from now on, whatever becomes of it; raises as `set_state`."""
    set_state(tx, item_id, expected, ItemState.REFERRED)
    theirs = tx.connection.scalar(select(items.c.psd_only).where(items.c.id == item_id))
    _change(tx, item_id, {"psd_only": theirs or why, "psd_copy": True})


def copy_to_psd(tx: Tx, item_id: str) -> None:
    """Have professional standards see an item too. Raises Refused when there is none."""
    _change(tx, item_id, {"psd_copy": True})


def set_label(tx: Tx, item_id: str, label: Label) -> None:
    """Set the reviewer's word on an item. Raises Refused when there is none."""
    _change(tx, item_id, {"label": label})


def sender_was_told(tx: Tx, item_id: str) -> None:
    """Record that the sender got the smarthost's 5xx for the rest, so believes that the message failed."""
    _change(tx, item_id, {"sender_told_failed": True})


def rest_taken(tx: Tx, item_id: str) -> str:
    """Return the hash given to `set_rest_taken`, or an empty string."""
    return str(tx.connection.scalar(select(items.c.rest_taken).where(items.c.id == item_id)) or "")


def set_rest_taken(tx: Tx, item_id: str, recipients: str) -> None:
    """Record that the smarthost took the copies that did not wait; ``recipients`` is a hash of their addresses."""
    _change(tx, item_id, {"rest_taken": recipients})


def set_delivery(tx: Tx, item_id: str, outcome: str) -> None:
    """Record what became of a flagged message's delivery: the smarthost's code, not its text."""
    if _SET_DELIVERY.run(tx.connection, {"item": item_id, "said": outcome}).rowcount != 1:
        raise Refused(f"there is no item {item_id}")


def add_decision(tx: Tx, decision: Decision) -> str:
    """Record a decision and return its id. Raises Refused when there is no such item."""
    of_item = decisions.c.item_id == decision.item_id
    if (
        tx.connection.scalar(select(items.c.id).where(items.c.id == decision.item_id).with_for_update())
        is None
    ):
        raise Refused(f"there is no item {decision.item_id}")
    decision_id = new_id()
    tx.connection.execute(
        insert(decisions).values(
            id=decision_id,
            item_id=decision.item_id,
            position=tx.connection.scalar(select(func.count()).select_from(decisions).where(of_item)),
            at=decision.at,
            actor=decision.actor,
            action=decision.action,
            directory_roles=None
            if decision.directory_roles is None
            else " ".join(sorted(decision.directory_roles)),
            reason=tx.seal(decisions.c.reason, decision_id, decision.reason.encode()),
        )
    )
    return decision_id


def decisions_of(tx: Tx, item_id: str) -> tuple[Decision, ...]:
    """Return the decisions on an item in the order in which they were made."""
    query = select(decisions).where(decisions.c.item_id == item_id).order_by(decisions.c.position)
    return tuple(
        Decision(
            item_id=MessageId(row.item_id),
            actor=row.actor,
            action=DecisionAction(row.action),
            reason=tx.open(decisions.c.reason, row.id, row.reason).decode(),
            at=row.at,
            directory_roles=None
            if row.directory_roles is None
            else frozenset(Role(role) for role in row.directory_roles.split()),
        )
        for row in tx.connection.execute(query)
    )


def forget_retry_keys(tx: Tx, since: datetime, before: datetime) -> int:
    """Forget the retry keys of the items of a stretch of time and return how many."""
    keyed = and_(items.c.retry_key.is_not(None), items.c.held_at >= since, items.c.held_at < before)
    return tx.connection.execute(update(items).where(keyed).values(retry_key=None)).rowcount


def _first_state(new: NewItem) -> ItemState:
    if new.kind is ItemKind.FLAG:
        return ItemState.OPEN
    return ItemState.REFERRED if new.psd_only else ItemState.HELD


def _plain(text: str) -> str:
    """Return ``text`` without what a database refuses in text: NUL and lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")


def _change(tx: Tx, item_id: str, values: dict[str, Any]) -> None:
    if tx.connection.execute(update(items).where(items.c.id == item_id).values(values)).rowcount != 1:
        raise Refused(f"there is no item {item_id}")


def _add_people(tx: Tx, new: NewItem) -> None:
    recipients = [
        {
            "item_id": new.id,
            "position": position,
            "address": tx.seal(item_recipients.c.address, (new.id, position), _address(address)),
        }
        for position, address in enumerate(new.recipients)
    ]
    contacts = [{"item_id": new.id, "person_id": person} for person in dict.fromkeys(new.contacts)]
    excluded = [
        {"item_id": new.id, "staff_id": staff, "is_sender": staff in new.senders, "why": _why(new, staff)}
        for staff in dict.fromkeys((*new.senders, *new.excluded))
    ]
    for table, people in (
        (item_recipients, recipients),
        (item_contacts, contacts),
        (item_excluded, excluded),
    ):
        insert_into(tx.connection, table, people)


def _why(new: NewItem, staff: StaffId) -> ExcludedWhy:
    for why, those in (
        (ExcludedWhy.EARLIER, new.earlier),  # whose sender they may be, which this message does not claim
        (ExcludedWhy.SENDER, new.senders),
        (ExcludedWhy.ADDRESSED, new.addressed),
        (ExcludedWhy.REPORTS, new.reporting),
    ):
        if staff in those:
            return why
    return ExcludedWhy.NAMED


def _address(address: str) -> bytes:
    return address.encode("utf-8", "surrogateescape")


def _listed() -> Select[Any]:
    return select(*(column for column in items.c if column.name not in _NOT_LISTED))


def _excluding(staff_id: StaffId) -> Select[Any]:
    return select(item_excluded.c.item_id).where(item_excluded.c.staff_id == staff_id)


def _behind(tx: Tx, after: MessageId, *, newest_first: bool) -> Any:
    """Return the condition for items behind ``after``; none are behind an item that is not there."""
    at = tx.connection.scalar(select(items.c.held_at).where(items.c.id == after))
    if at is None:
        return false()
    if newest_first:
        return or_(items.c.held_at < at, and_(items.c.held_at == at, items.c.id < after))
    return or_(items.c.held_at > at, and_(items.c.held_at == at, items.c.id > after))


def _dress(tx: Tx, found: Iterable[Row[Any]]) -> tuple[Item, ...]:
    """Return the rows as items, their people fetched in three queries however many rows there are."""
    rows = tuple(found)
    ids = tuple(row.id for row in rows)
    recipients = _grouped(
        tx, select(item_recipients).order_by(item_recipients.c.position), item_recipients.c.item_id, ids
    )
    contacts = _grouped(
        tx, select(item_contacts).order_by(item_contacts.c.person_id), item_contacts.c.item_id, ids
    )
    excluded = _grouped(
        tx, select(item_excluded).order_by(item_excluded.c.staff_id), item_excluded.c.item_id, ids
    )
    return tuple(
        _item(tx, row, recipients.get(row.id, ()), contacts.get(row.id, ()), excluded.get(row.id, ()))
        for row in rows
    )


def _grouped(tx: Tx, query: Select[Any], owner: Any, ids: tuple[str, ...]) -> dict[str, list[Row[Any]]]:
    groups: dict[str, list[Row[Any]]] = {}
    for start in range(0, len(ids), 500):
        for row in tx.connection.execute(query.where(owner.in_(ids[start : start + 500]))):
            groups.setdefault(row.item_id, []).append(row)
    return groups


def _item(
    tx: Tx,
    row: Row[Any],
    recipients: Iterable[Row[Any]],
    contacts: Iterable[Row[Any]],
    excluded: Iterable[Row[Any]],
) -> Item:
    why_not: list[str] = []

    def opened(column: Column[Any], key: object, sealed: bytes) -> str:
        return tx.open_or_why(column, key, sealed, why_not).decode("utf-8", "surrogateescape")

    envelope = opened(items.c.envelope, row.id, row.envelope)
    excluded = tuple(excluded)
    return Item(
        id=MessageId(row.id),
        kind=ItemKind(row.kind),
        state=ItemState(row.state),
        label=Label(row.label),
        held_at=row.held_at,
        officer=StaffId(row.officer) if row.officer else None,
        unit=row.unit,
        urgent=row.urgent,
        psd_copy=row.psd_copy,
        psd_only=row.psd_only,
        mode=Mode(row.mode),
        action=Action(row.action),
        proposed=Action(row.proposed),
        sender=msgspec.json.decode(envelope, type=Envelope).mail.reverse_path if envelope else "",
        recipients=tuple(
            opened(item_recipients.c.address, (row.id, one.position), one.address) for one in recipients
        ),
        subject=opened(items.c.subject, row.id, row.subject),
        message_id=row.message_id,
        sha256=row.sha256,
        size=row.size,
        sender_told_failed=row.sender_told_failed,
        delivery=row.delivery,
        contacts=tuple(PersonId(one.person_id) for one in contacts),
        senders=tuple(StaffId(one.staff_id) for one in excluded if one.is_sender),
        excluded=tuple(StaffId(one.staff_id) for one in excluded),
        unopened=why_not[0] if why_not else "",
    )
