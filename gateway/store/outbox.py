"""The outbox's rows: what was approved, who is delivering it, and what the smarthost said of each recipient.

Functions over a transaction. A delivery is claimed by lease, so that no lock is held through an SMTP dialogue; a
lease that ends without a result makes the delivery claimable again and is counted, because the smarthost may
have taken the message (DECISIONS 8). When the database is older than what was already sent, a restored backup,
no mail of others can be claimed until a person says so. Which states may follow which is owned here; when to try again, and
what a reply means, is `gateway.outbox`'s.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from gateway.errors import Refused
from gateway.model import MailCommand, MessageId, OutboxKind
from gateway.store import items, records, vouching
from gateway.store.database import Tx
from gateway.store.instants import instant_of, instant_text
from gateway.store.naming import new_id
from gateway.store.rows import Delivery, DeliveryRecipient, DeliveryState, NewDelivery, RecipientState
from gateway.store.schema import outbox, outbox_recipients
from gateway.store.statements import Prepared
from gateway.store.vouching import Standing

_MARK = "outbox_mark"
_SUSPENDED = "outbox_suspended"
_SUSPENDED_AT = "outbox_suspended_at"
_CLOCKS_DIFFER = timedelta(hours=1)
"""More than the clocks of two hosts of one store disagree; what lies further ahead was written by one that was wrong."""
_RESUME_STEP = 1_000_000
"""How far a resume moves the count: beyond what any other host can remember of before the restore."""

_TELLS = outbox.c.kind.in_((OutboxKind.NOTICE, OutboxKind.WEBHOOK))
"""What tells reviewers that something waits: to be told twice does no harm."""
_IS_ALARM = and_(_TELLS, outbox.c.item_id.is_not(None))
"""As `Delivery.is_alarm`: an urgent hold, by mail or by the webhook."""
_IS_DIGEST = and_(_TELLS, outbox.c.item_id.is_(None))
"""A notice about no item: nothing happens while it waits."""

_SET_RESULT = Prepared(
    update(outbox_recipients)
    .where(
        outbox_recipients.c.outbox_id == bindparam("delivery"),
        outbox_recipients.c.position == bindparam("place"),
    )
    .values(state=bindparam("new_state"), last_reply=bindparam("reply"), at=bindparam("new_at"))
)


def queue_delivery(tx: Tx, new: NewDelivery, at: datetime, *, not_before: datetime | None = None) -> str:
    """Queue mail for serve to send, at once or ``not_before``, and return the delivery's id."""
    if new.message is None and new.item_id is None:
        raise ValueError("a delivery needs bytes or an item")
    if not new.recipients:
        raise ValueError("a delivery needs recipients")
    delivery_id = new_id()
    message = None if new.message is None else tx.seal(outbox.c.message, delivery_id, new.message)
    tx.connection.execute(
        insert(outbox).values(
            id=delivery_id,
            kind=new.kind,
            item_id=new.item_id,
            state=DeliveryState.QUEUED,
            tries=0,
            interrupted=0,
            lost=0,
            queued_at=at,
            next_at=not_before or at,
            mail=tx.seal(outbox.c.mail, delivery_id, msgspec.json.encode(new.mail)),
            message=message,
        )
    )
    rows = [
        {
            "outbox_id": delivery_id,
            "position": position,
            "state": RecipientState.PENDING,
            "address": tx.seal(outbox_recipients.c.address, (delivery_id, position), _octets(address)),
        }
        for position, address in enumerate(new.recipients)
    ]
    tx.connection.execute(insert(outbox_recipients), rows)
    return delivery_id


def claim_deliveries(
    tx: Tx,
    owner: str,
    now: datetime,
    lease_s: float,
    limit: int,
    *,
    alarms: int | None = None,
    longest_pause_s: float = 3600.0,
) -> tuple[Delivery, ...]:
    """Lease to ``owner`` up to ``alarms`` alarms that are due and up to ``limit`` others (None: as many), and return them.

    Alarms first, then oldest first, but digests last: a force's managers are many, and nobody's release waits behind
    them. While the outbox is suspended only what tells reviewers of something that came since. Two processes never
    hold the same delivery: rows are locked as they are chosen, and those another process is choosing are skipped. A
    release that was undone, or that another took the place of, is withdrawn instead. One that cannot be opened is
    leased like the others, and says so. What a wrong clock dated ahead is due now: an attempt further ahead than
    ``longest_pause_s``, a lease further than its own length. Raises NotStored when this host cannot remember what was sent.
    """
    tx.mark.save()
    notice_restore(tx, now)
    due = or_(
        and_(outbox.c.state == DeliveryState.LEASED, _is_past(outbox.c.lease_until, now, lease_s)),
        and_(outbox.c.state == DeliveryState.QUEUED, _is_past(outbox.c.next_at, now, longest_pause_s)),
    )
    if suspension(tx):
        since = records.fact(tx, _SUSPENDED_AT)
        if since is None:  # an older version suspended it
            return ()
        due = and_(due, _TELLS, outbox.c.queued_at > instant_of(since))
    elif tx.mark.value is None:
        return ()  # the others are asked
    else:
        vouching.answer(tx)
        count = _count(tx)
        tx.after_commit(lambda: tx.mark.note(count))
    found = []
    for row in (
        *_due(tx, and_(due, _IS_ALARM), limit if alarms is None else alarms),
        *_due(tx, and_(due, not_(_IS_ALARM)), limit),
    ):
        if row.kind == OutboxKind.RELEASE and not items.release_stands(tx, row.item_id, row.id):
            _withdraw(tx, outbox.c.id == row.id)
            continue
        if row.kind == OutboxKind.RELEASE:  # it is for whom an earlier one did not reach
            _withdraw_failed(tx, row.item_id)
        found.append(row)
        lost = 1 if row.state == DeliveryState.LEASED else 0
        tx.connection.execute(
            update(outbox)
            .where(outbox.c.id == row.id)
            .values(
                state=DeliveryState.LEASED,
                lease_owner=owner,
                lease_until=now + timedelta(seconds=lease_s),
                tries=outbox.c.tries + 1,
                interrupted=outbox.c.interrupted + lost,
                lost=outbox.c.lost + lost,
            )
        )
    return _dress(tx, [row.id for row in found])


def _is_past(at: Column[Any], now: datetime, most_s: float) -> ColumnElement[bool]:
    """Return the condition for ``at`` to have come, or to lie further ahead than ``most_s`` and clocks explain."""
    return or_(at <= now, at > now + timedelta(seconds=most_s) + _CLOCKS_DIFFER)


def _due(tx: Tx, which: Any, limit: int) -> Sequence[Any]:
    """Return so many due rows, locked."""
    if limit <= 0:
        return ()
    query = select(outbox.c.id, outbox.c.state, outbox.c.kind, outbox.c.item_id).where(which)
    order = (case((_IS_DIGEST, 1), else_=0), outbox.c.next_at, outbox.c.id)
    return tx.connection.execute(query.order_by(*order).limit(limit).with_for_update(skip_locked=True)).all()


def _withdraw(tx: Tx, which: Any) -> None:
    tx.connection.execute(
        update(outbox).where(which).values(state=DeliveryState.WITHDRAWN, lease_owner=None, lease_until=None)
    )


def _withdraw_failed(tx: Tx, item_id: str) -> None:
    """Withdraw releases of an item that failed: looked for among its own few, not among all that ever failed."""
    query = select(outbox.c.id, outbox.c.kind, outbox.c.state).where(outbox.c.item_id == item_id)
    failed = [
        row.id
        for row in tx.connection.execute(query).all()
        if row.kind == OutboxKind.RELEASE and row.state == DeliveryState.FAILED
    ]
    if failed:
        _withdraw(tx, and_(outbox.c.id.in_(failed), outbox.c.state == DeliveryState.FAILED))


def renew(tx: Tx, delivery_id: str, owner: str, now: datetime, lease_s: float) -> bool:
    """Prolong a lease during a long dialogue; false when it is no longer ``owner``'s."""
    changed = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == delivery_id, *_held_by(owner))
        .values(lease_until=now + timedelta(seconds=lease_s))
    )
    return changed.rowcount == 1


def lease_owners(tx: Tx) -> tuple[str, ...]:
    """Return who holds leases, living or not."""
    query = select(outbox.c.lease_owner).where(outbox.c.state == DeliveryState.LEASED).distinct()
    return tuple(tx.connection.scalars(query.order_by(outbox.c.lease_owner)))


def give_back(tx: Tx, owner: str, now: datetime) -> int:
    """End the leases of ``owner``, which is stopping or is found dead; return how many.

    They count as interrupted: whether the smarthost took the message is not known.
    """
    return tx.connection.execute(
        update(outbox)
        .where(*_held_by(owner))
        .values(
            state=DeliveryState.QUEUED,
            lease_owner=None,
            lease_until=None,
            next_at=now,
            interrupted=outbox.c.interrupted + 1,
            lost=outbox.c.lost + 1,
        )
    ).rowcount


def take_back(tx: Tx, owner: str, claimed_at: Iterable[datetime], lease_s: float) -> None:
    """Queue again what ``owner`` claimed at those times and was never told of: no dialogue was begun over it."""
    ends = [at + timedelta(seconds=lease_s) for at in claimed_at]
    if ends:
        tx.connection.execute(
            update(outbox)
            .where(*_held_by(owner), outbox.c.lease_until.in_(ends))
            .values(state=DeliveryState.QUEUED, lease_owner=None, lease_until=None, tries=outbox.c.tries - 1)
        )


def record_results(
    tx: Tx, delivery_id: str, results: Iterable[tuple[int, RecipientState, str]], at: datetime
) -> None:
    """Record the smarthost's answers, each of a recipient's position, what it means, and the reply.

    Needs no lease, since they are facts whoever learns them; *sent* is never taken back. Raises Refused, changing
    nothing, when there is no such recipient. As many statements for hundreds of recipients as for one.
    """
    states = select(outbox_recipients.c.position, outbox_recipients.c.state)
    rows = tx.connection.execute(states.where(outbox_recipients.c.outbox_id == delivery_id)).all()
    known = {row.position: RecipientState(row.state) for row in rows}
    changes: dict[int, tuple[RecipientState, str]] = {}
    taken = 0
    for position, state, reply in results:
        if position not in known:
            raise Refused(f"delivery {delivery_id} has no recipient {position}")
        if known[position] is RecipientState.SENT:
            continue
        known[position] = state
        changes[position] = (state, reply)
        taken += state is RecipientState.SENT
    sealed = [
        {
            "delivery": delivery_id,
            "place": position,
            "new_state": state,
            "reply": tx.seal(outbox_recipients.c.last_reply, (delivery_id, position), _octets(reply)),
            "new_at": at,
        }
        for position, (state, reply) in changes.items()
    ]
    if sealed:
        _SET_RESULT.run_for_each(tx.connection, sealed)
    if taken:
        _raise_count(tx, taken)


def note_doubt(tx: Tx, delivery_id: str) -> None:
    """Count a dialogue that was lost after its final dot: as with a lease cut off, the smarthost may have the message."""
    tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == delivery_id)
        .values(interrupted=outbox.c.interrupted + 1, lost=outbox.c.lost + 1)
    )


def finish(tx: Tx, delivery_id: str, owner: str, at: datetime) -> None:
    """Mark a delivery as sent. Raises Refused unless the smarthost took it for every recipient.

    Needs no lease either: when the last recipient was taken, it was taken.
    """
    of_row = outbox_recipients.c.outbox_id == delivery_id
    open_ones = select(func.count()).where(of_row, outbox_recipients.c.state != RecipientState.SENT)
    if tx.connection.scalar(open_ones):
        raise Refused(f"delivery {delivery_id} has recipients that the smarthost has not taken")
    changed = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == delivery_id, outbox.c.state != DeliveryState.SENT)
        .values(state=DeliveryState.SENT, sent_at=at, lease_owner=None, lease_until=None, last_reply=None)
    )
    if changed.rowcount != 1:
        raise Refused(f"delivery {delivery_id} is not there, or was finished before {owner} did")


def retry_later(tx: Tx, delivery_id: str, owner: str, next_at: datetime, reply: str) -> None:
    """End the lease of ``owner`` with a temporary failure; try again at ``next_at``. Raises Refused without it."""
    _end_lease(tx, delivery_id, owner, {"state": DeliveryState.QUEUED, "next_at": next_at}, reply)


def fail(tx: Tx, delivery_id: str, owner: str, reply: str) -> None:
    """End the lease of ``owner`` with a failure that waits for a person. Raises Refused without the lease."""
    _end_lease(tx, delivery_id, owner, {"state": DeliveryState.FAILED}, reply)


def retry(tx: Tx, delivery_id: str, at: datetime) -> Delivery:
    """Queue a failed or waiting delivery again, for the recipients not yet taken, and return it as it was.

    Raises Refused for a delivery that is sent, being worked on, or not there.
    """
    before = delivery(tx, delivery_id)
    if before is None:
        raise Refused(f"there is no delivery {delivery_id}")
    changed = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == delivery_id, outbox.c.state.in_((DeliveryState.FAILED, DeliveryState.QUEUED)))
        .values(state=DeliveryState.QUEUED, tries=0, lost=0, next_at=at)
    )
    if changed.rowcount != 1:
        raise Refused(
            f"delivery {delivery_id} is {before.state}; only failed or waiting ones can be tried again"
        )
    tx.connection.execute(
        update(outbox_recipients)
        .where(
            outbox_recipients.c.outbox_id == delivery_id, outbox_recipients.c.state == RecipientState.FAILED
        )
        .values(state=RecipientState.PENDING)
    )
    return before


def delivery(tx: Tx, delivery_id: str) -> Delivery | None:
    """Return one delivery, or None."""
    found = _dress(tx, [delivery_id])
    return found[0] if found else None


def deliveries_of(tx: Tx, item_id: str) -> tuple[Delivery, ...]:
    """Return the deliveries about an item, oldest first."""
    query = select(outbox.c.id).where(outbox.c.item_id == item_id).order_by(outbox.c.queued_at, outbox.c.id)
    return _dress(tx, list(tx.connection.scalars(query)))


def list_deliveries(
    tx: Tx, states: Iterable[DeliveryState] | None = None, *, limit: int = 1000
) -> tuple[Delivery, ...]:
    """Return deliveries in ``states`` (None: all): releases and returns, then alarms, then digests, each oldest first."""
    order = (case((_IS_DIGEST, 2), (_IS_ALARM, 1), else_=0), outbox.c.queued_at, outbox.c.id)
    query = select(outbox.c.id).order_by(*order).limit(limit)
    if states is not None:
        query = query.where(outbox.c.state.in_(tuple(states)))
    return _dress(tx, list(tx.connection.scalars(query)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many deliveries of a kind are in a state, and when the first of them was or is to be tried."""

    kind: OutboxKind
    state: DeliveryState
    deliveries: int
    first_at: datetime


def backlog(tx: Tx) -> tuple[Backlog, ...]:
    """Return what is not yet delivered and what failed, by kind and state."""
    open_ones = (DeliveryState.QUEUED, DeliveryState.LEASED, DeliveryState.FAILED)
    query = (
        select(
            outbox.c.kind,
            outbox.c.state,
            func.count().label("deliveries"),
            func.min(outbox.c.next_at).label("since"),
        )
        .where(outbox.c.state.in_(open_ones))
        .group_by(outbox.c.kind, outbox.c.state)
        .order_by(outbox.c.kind, outbox.c.state)
    )
    return tuple(
        Backlog(
            kind=OutboxKind(row.kind),
            state=DeliveryState(row.state),
            deliveries=row.deliveries,
            first_at=row.since,
        )
        for row in tx.connection.execute(query)
    )


GOES_IN_TIME = and_(
    _TELLS,
    or_(outbox.c.state == DeliveryState.SENT, and_(outbox.c.state == DeliveryState.FAILED, _IS_DIGEST)),
)
"""What need not be kept for good: notices and calls that were delivered, and digests that failed, since another follows.

Releases and returns stay with their items, and an alarm that failed waits for a person.
"""


def forget(tx: Tx, since: datetime, before: datetime) -> int:
    """Delete what `GOES_IN_TIME` of what was to be tried between the two times, and return how much."""
    query = select(outbox.c.id).where(GOES_IN_TIME, outbox.c.next_at >= since, outbox.c.next_at < before)
    ids = list(tx.connection.scalars(query.with_for_update(skip_locked=True)))
    for start in range(0, len(ids), 500):
        page = ids[start : start + 500]
        tx.connection.execute(delete(outbox_recipients).where(outbox_recipients.c.outbox_id.in_(page)))
        tx.connection.execute(delete(outbox).where(outbox.c.id.in_(page)))
    return len(ids)


def message_of(tx: Tx, delivery_id: str) -> bytes:
    """Return the bytes to send: the delivery's own, or its item's. Raises Refused when there is no delivery."""
    row = tx.connection.execute(
        select(outbox.c.message, outbox.c.item_id).where(outbox.c.id == delivery_id)
    ).one_or_none()
    if row is None:
        raise Refused(f"there is no delivery {delivery_id}")
    if row.message is None:
        return items.message(tx, row.item_id)
    return tx.open(outbox.c.message, delivery_id, row.message)


# --- a restored backup --------------------------------------------------------------------------------------


def suspension(tx: Tx) -> str:
    """Return why nothing is delivered but what tells reviewers of something new, or an empty string."""
    return records.fact(tx, _SUSPENDED) or ""


def notice_restore(tx: Tx, at: datetime) -> str:
    """Suspend the outbox when the database is older than what this host has seen sent, or nobody knows whether it is.

    Returns why when it has just been suspended, else an empty string. Whoever claims asks this first in the same
    transaction, and records the audit entry.
    """
    if suspension(tx):
        vouching.stop_asking(tx)
        return ""
    seen = tx.mark.value
    count = _count(tx)
    if seen is not None and count >= seen:
        return ""
    if seen is None:
        standing = vouching.ask(tx, at)
        if standing is Standing.VOUCHED:
            tx.after_commit(lambda: tx.mark.note(count))
        if standing is not Standing.UNKNOWN:
            return ""
        why = f"this host has no record of the store's deliveries (noticed {at:%Y-%m-%d %H:%M} UTC)"
    else:
        why = f"the database is older than what was already sent (noticed {at:%Y-%m-%d %H:%M} UTC)"
    records.set_fact(tx, _SUSPENDED, why)
    records.set_fact(tx, _SUSPENDED_AT, instant_text(at))
    return why


def resume(tx: Tx) -> str:
    """Deliver again, and return why the outbox was suspended. Raises Refused when it was not."""
    why = suspension(tx)
    if not why:
        raise Refused("the outbox is not suspended")
    count = max(_count(tx), tx.mark.value or 0) + _RESUME_STEP
    records.set_fact(tx, _MARK, str(count))
    records.set_fact(tx, _SUSPENDED, None)
    records.set_fact(tx, _SUSPENDED_AT, None)
    tx.after_commit(lambda: tx.mark.note(count))
    return why


def _count(tx: Tx) -> int:
    return int(records.fact(tx, _MARK) or 0)


def _raise_count(tx: Tx, taken: int) -> None:
    """Count the recipients taken, and remember the count on this host once it is committed."""
    count = int(records.fact_to_change(tx, _MARK) or 0) + taken
    records.set_fact(tx, _MARK, str(count))
    tx.after_commit(lambda: tx.mark.note(count))


# --- rows ---------------------------------------------------------------------------------------------------


def _held_by(owner: str) -> tuple[Any, Any]:
    return outbox.c.state == DeliveryState.LEASED, outbox.c.lease_owner == owner


def _end_lease(tx: Tx, delivery_id: str, owner: str, values: dict[str, Any], reply: str) -> None:
    sealed = tx.seal(outbox.c.last_reply, delivery_id, _octets(reply))
    changed = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == delivery_id, *_held_by(owner))
        .values(lease_owner=None, lease_until=None, last_reply=sealed, **values)
    )
    if changed.rowcount != 1:
        raise Refused(f"delivery {delivery_id} is not leased to {owner}: its lease ended")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _dress(tx: Tx, ids: list[str]) -> tuple[Delivery, ...]:
    """Return the deliveries in the order of ``ids``."""
    rows: dict[str, Row[Any]] = {}
    people: dict[str, list[Row[Any]]] = {}
    columns = [column for column in outbox.c if column.name != "message"]
    for start in range(0, len(ids), 500):
        page = ids[start : start + 500]
        rows.update(
            {row.id: row for row in tx.connection.execute(select(*columns).where(outbox.c.id.in_(page)))}
        )
        of_page = select(outbox_recipients).where(outbox_recipients.c.outbox_id.in_(page))
        for row in tx.connection.execute(of_page.order_by(outbox_recipients.c.position)):
            people.setdefault(row.outbox_id, []).append(row)
    return tuple(_delivery(tx, rows[one], people.get(one, ())) for one in ids if one in rows)


def _recipient(tx: Tx, row: Row[Any], why_not: list[str]) -> DeliveryRecipient:
    key = (row.outbox_id, row.position)
    needed = why_not if row.state != RecipientState.SENT else []
    return DeliveryRecipient(
        position=row.position,
        address=_text(tx.open_or_why(outbox_recipients.c.address, key, row.address, needed)),
        state=RecipientState(row.state),
        last_reply=_text(tx.open_or_why(outbox_recipients.c.last_reply, key, row.last_reply, [])),
        at=row.at,
    )


def _delivery(tx: Tx, row: Row[Any], people: Iterable[Row[Any]]) -> Delivery:
    why_not: list[str] = []
    mail = tx.open_or_why(outbox.c.mail, row.id, row.mail, why_not)
    return Delivery(
        id=row.id,
        kind=OutboxKind(row.kind),
        item_id=MessageId(row.item_id) if row.item_id else None,
        mail=msgspec.json.decode(mail, type=MailCommand) if mail else MailCommand(reverse_path=""),
        recipients=tuple(_recipient(tx, one, why_not) for one in people),
        state=DeliveryState(row.state),
        tries=row.tries,
        interrupted=row.interrupted,
        lost=row.lost,
        queued_at=row.queued_at,
        next_at=row.next_at,
        lease_owner=row.lease_owner or "",
        lease_until=row.lease_until,
        sent_at=row.sent_at,
        last_reply=_text(tx.open_or_why(outbox.c.last_reply, row.id, row.last_reply, [])),
        unopened=why_not[0] if why_not else "",
    )
