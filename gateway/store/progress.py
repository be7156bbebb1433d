"""Where items are on their way, for other systems: ids, kinds, states and times, and nothing of what is in them.

Functions over a transaction. There is no sight here: no person asks, and nothing personal comes out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select

from gateway.model import ItemKind, ItemState, MessageId
from gateway.store.database import Tx
from gateway.store.schema import decisions, items


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One item. ``decided_at`` is when somebody last decided anything about it, None when nobody has."""

    id: MessageId
    kind: ItemKind
    state: ItemState
    held_at: datetime
    decided_at: datetime | None


def page(tx: Tx, *, limit: int, after: str = "", since: datetime | None = None) -> tuple[Progress, ...]:
    """Return at most ``limit`` items received at ``since`` or later, in order of receipt, behind the one called ``after``."""
    query = _progress().order_by(items.c.held_at, items.c.id).limit(limit)
    if since is not None:
        query = query.where(items.c.held_at >= since)
    if after:
        begin = tx.connection.scalar(select(items.c.held_at).where(items.c.id == after))
        if begin is None:
            return ()
        later = and_(items.c.held_at == begin, items.c.id > after)
        query = query.where(items.c.held_at >= begin, or_(items.c.held_at > begin, later))
    return tuple(_dressed(row) for row in tx.connection.execute(query))


def of(tx: Tx, item_id: str) -> Progress | None:
    """Return where one item is, or None."""
    row = tx.connection.execute(_progress().where(items.c.id == item_id)).one_or_none()
    return None if row is None else _dressed(row)


def _progress() -> Select[Any]:
    decided = select(func.max(decisions.c.at)).where(decisions.c.item_id == items.c.id).scalar_subquery()
    return select(items.c.id, items.c.kind, items.c.state, items.c.held_at, decided.label("decided_at"))


def _dressed(row: Row[Any]) -> Progress:
    return Progress(
        id=MessageId(row.id),
        kind=ItemKind(row.kind),
        state=ItemState(row.state),
        held_at=row.held_at,
        decided_at=row.decided_at,
    )
