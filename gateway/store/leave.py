"""Leave to read the text of one item, for those who oversee the process: given with a reason and an end.

Functions over a transaction. Who may give it, and to whom, is `gateway.review.oversight`'s affair. Rows are never deleted.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, insert, select, update

from gateway.model import MessageId
from gateway.store.database import Tx
from gateway.store.naming import new_id
from gateway.store.schema import text_grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Leave for ``holder`` to read the text of one item, from ``at`` until ``ends_at``, or ``ended_at`` if earlier."""

    id: str
    item_id: MessageId
    holder: str
    by: str
    at: datetime
    ends_at: datetime
    ended_at: datetime | None
    reason: str

    def stands(self, now: datetime) -> bool:
        """Return whether it may be used at ``now``."""
        return self.ended_at is None and now < self.ends_at


def give(tx: Tx, item_id: str, holder: str, *, by: str, reason: str, at: datetime, ends_at: datetime) -> str:
    """Record leave and return its id."""
    grant = new_id()
    row = {
        "id": grant,
        "item_id": item_id,
        "holder": holder,
        "by": by,
        "at": at,
        "ends_at": ends_at,
        "reason": tx.seal(text_grants.c.reason, grant, reason.encode("utf-8", "surrogatepass")),
    }
    tx.connection.execute(insert(text_grants).values(row))
    return grant


def of_item(tx: Tx, item_id: str) -> tuple[Leave, ...]:
    """Return all leave that was ever given to read an item, latest first."""
    query = select(text_grants).where(text_grants.c.item_id == item_id)
    rows = tx.connection.execute(query.order_by(text_grants.c.at.desc(), text_grants.c.id))
    return tuple(_leave(tx, row) for row in rows)


def standing(tx: Tx, item_id: str, holder: str, now: datetime) -> Leave | None:
    """Return the leave of ``holder`` to read an item that may be used at ``now``, or None."""
    return next((one for one in of_item(tx, item_id) if one.holder == holder and one.stands(now)), None)


def end(tx: Tx, item_id: str, grant: str, now: datetime) -> Leave | None:
    """End leave before its time and return it; None when there is none of this item that still stands."""
    found = next((one for one in of_item(tx, item_id) if one.id == grant and one.stands(now)), None)
    if found is not None:
        tx.connection.execute(update(text_grants).where(text_grants.c.id == grant).values(ended_at=now))
    return found


def _leave(tx: Tx, row: Row[tuple[object, ...]]) -> Leave:
    return Leave(
        id=row.id,
        item_id=MessageId(row.item_id),
        holder=row.holder,
        by=row.by,
        at=row.at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        reason=tx.open(text_grants.c.reason, row.id, row.reason).decode("utf-8", "surrogatepass"),
    )
