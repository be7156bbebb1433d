"""What stands round an item: the officer's other items, the pair's messages over time, other versions of one message.

Every question is asked through a `Sight` (`queue`): what is out of sight is in no list and no count, so that nobody infers
an item of their own from another's page.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select, union

from gateway.model import Action, ItemState, MessageId, PersonId, StaffId
from gateway.store import items as records_of_items
from gateway.store.database import Tx
from gateway.store.queue import Sight, conditions, latest_of, which_in_sight
from gateway.store.rows import DecisionAction, Item, Outcome
from gateway.store.schema import (
    decisions,
    item_contacts,
    item_excluded,
    items,
    ledger,
    ledger_findings,
    ledger_persons,
)

_APPROVED = (
    ItemState.RELEASING,
    ItemState.RELEASED,
    ItemState.RELEASE_FAILED,
    ItemState.PARTLY_RELEASED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One message of an officer to a contact: when, what became of it, which rules came true; no words.

    ``thread`` are the digests of the thread it is in and of the mail it answers, as far as it has them.
    """

    id: str
    at: datetime
    action: Action
    outcome: Outcome
    rules: tuple[str, ...]
    is_item: bool
    thread: frozenset[str]


def timeline(
    tx: Tx,
    sight: Sight,
    people: Collection[StaffId],
    persons: Iterable[PersonId],
    since: datetime,
    *,
    limit: int,
) -> tuple[Moment, ...]:
    """Return the messages of any of ``people`` to any of ``persons`` since ``since``, at most ``limit``, oldest first.

    Items that were sent in their names are theirs too; of mail that passed the ledger knows the officer alone.
    """
    claimed = _claimed_by(people)
    own = select(items.c.id, items.c.sha256).where(
        or_(items.c.officer.in_(people), items.c.id.in_(claimed)), items.c.held_at >= since
    )
    theirs = tx.connection.execute(own).all()
    seen = which_in_sight(tx, sight, [row.id for row in theirs])
    # A message that was tried twice may have its row in the ledger under the id of the first try.
    hidden = {key for row in theirs if row.id not in seen for key in (row.id, row.sha256)}
    to_them = select(ledger_persons.c.ledger_id).where(ledger_persons.c.person_id.in_(tuple(persons)))
    query = (
        select(
            ledger.c.id,
            ledger.c.at,
            ledger.c.action,
            ledger.c.outcome,
            ledger.c.sha256,
            ledger.c.thread,
            ledger.c.answers,
        )
        .where(
            or_(ledger.c.officer.in_(people), ledger.c.id.in_(claimed)),
            ledger.c.at >= since,
            ledger.c.id.in_(to_them),
        )
        .order_by(ledger.c.at.desc(), ledger.c.id)
        .limit(limit)
    )
    rows = [
        row
        for row in reversed(tx.connection.execute(query).all())
        if row.id not in hidden and row.sha256 not in hidden
    ]
    rules: dict[str, list[str]] = {}
    found = select(ledger_findings.c.ledger_id, ledger_findings.c.rule).where(
        ledger_findings.c.ledger_id.in_([row.id for row in rows])
    )
    for row in tx.connection.execute(found.order_by(ledger_findings.c.rule)):
        rules.setdefault(row.ledger_id, []).append(row.rule)
    return tuple(
        Moment(
            id=row.id,
            at=row.at,
            action=Action(row.action),
            outcome=Outcome(row.outcome),
            rules=tuple(rules.get(row.id, ())),
            is_item=row.id in seen,
            thread=frozenset({row.thread, row.answers} - {""}),
        )
        for row in rows
    )


def items_of(tx: Tx, sight: Sight, people: Collection[StaffId], *, limit: int) -> tuple[Item, ...]:
    """Return holds and flags of ``people``, those sent in their names among them, whoever they went to, the latest first."""
    in_their_names = select(items.c.id).where(items.c.id.in_(_claimed_by(people)), *conditions(sight, None))
    latest = in_their_names.order_by(items.c.held_at.desc(), items.c.id.desc()).limit(limit)
    ids = dict.fromkeys(MessageId(one) for one in tx.connection.scalars(latest))
    for one in people:
        ids |= dict.fromkeys(latest_of(tx, sight, one, limit=limit))
    found = records_of_items.items_called(tx, tuple(ids))
    return tuple(sorted(found, key=lambda one: (one.held_at, one.id), reverse=True)[:limit])


def _claimed_by(people: Collection[StaffId]) -> Select[tuple[str]]:
    """Return the ids of the items that claim to come from any of ``people``."""
    return select(item_excluded.c.item_id).where(
        item_excluded.c.staff_id.in_(people), records_of_items.is_claimed()
    )


def releases_of(
    tx: Tx, sight: Sight, people: Collection[StaffId], since: datetime, *, other_than: str
) -> int:
    """Return how many other items were approved for delivery since ``since`` that claim to come from any of ``people``.

    Whatever came of the delivery, and whoever else they claim to come from: who writes in a colleague's name is counted too.
    """
    theirs = items.alias()
    claimed = union(
        select(theirs.c.id).where(theirs.c.officer.in_(people)),
        _claimed_by(people),
    )
    approved = select(decisions.c.item_id).where(
        decisions.c.action == DecisionAction.RELEASE,
        decisions.c.at >= since,
        decisions.c.item_id == items.c.id,
    )
    query = select(func.count()).select_from(items).where(
        items.c.id.in_(claimed),
        items.c.id != other_than,
        items.c.state.in_(_APPROVED),
        approved.exists(),
        *conditions(sight, None),
    )  # fmt: skip
    return int(tx.connection.scalar(query) or 0)


def near(tx: Tx, sight: Sight, item: Item, days: int, *, limit: int) -> tuple[Item, ...]:
    """Return other items of the same officer to the same contact within ``days``, the nearest in time first."""
    if item.officer is None or not item.contacts:
        return ()
    reach = timedelta(days=days)
    same = select(item_contacts.c.item_id).where(item_contacts.c.person_id.in_(item.contacts))
    query = select(items.c.id, items.c.held_at).where(
        items.c.officer == item.officer,
        items.c.id != item.id,
        items.c.held_at.between(item.held_at - reach, item.held_at + reach),
        items.c.id.in_(same),
    )
    rows = tx.connection.execute(query.order_by(items.c.held_at.desc()).limit(200)).all()
    seen = which_in_sight(tx, sight, [row.id for row in rows])
    nearest = sorted(
        (row for row in rows if row.id in seen), key=lambda row: (abs(row.held_at - item.held_at), row.id)
    )
    ids = [MessageId(row.id) for row in nearest[:limit]]
    return records_of_items.items_called(tx, ids)
