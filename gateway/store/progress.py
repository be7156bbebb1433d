"""Where items are on their way: ids, kinds, states and times, and nothing of what is in them.

For other systems (no person asks, so there is no sight, and nothing personal comes out) and for those who oversee the
process, who are shown who decided and about whom as well. Functions over a transaction; nothing sealed is opened.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select

from gateway.model import ItemKind, ItemState, Label, MessageId, StaffId
from gateway.store.database import Tx
from gateway.store.queue import Sight, conditions
from gateway.store.schema import decisions, items, ledger_findings


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


# --- for those who oversee the process ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item in the list of those who oversee the process; nothing that is sealed was opened for it."""

    id: MessageId
    kind: ItemKind
    state: ItemState
    label: Label
    held_at: datetime
    decided_at: datetime | None
    decided_by: str
    unit: str
    officer: StaffId | None
    urgent: bool
    rules: tuple[str, ...]


def lines(tx: Tx, sight: Sight, *, limit: int, after: str = "") -> tuple[Line, ...]:
    """Return at most ``limit`` items in sight, of every kind and state, latest first, behind the one called ``after``."""
    seen = conditions(sight, None)
    last = select(decisions.c.actor).where(decisions.c.item_id == items.c.id)
    last = last.order_by(decisions.c.position.desc()).limit(1)
    query = (
        _progress()
        .add_columns(
            items.c.label, items.c.unit, items.c.officer, items.c.urgent,
            last.scalar_subquery().label("decided_by"),
        )
        .where(*seen)
        .order_by(items.c.held_at.desc(), items.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    if after:
        begin = tx.connection.scalar(select(items.c.held_at).where(items.c.id == after, *seen))
        if begin is None:
            return ()
        earlier = and_(items.c.held_at == begin, items.c.id < after)
        query = query.where(items.c.held_at <= begin, or_(items.c.held_at < begin, earlier))
    rows = tx.connection.execute(query).all()
    rules = _rules(tx, [row.id for row in rows])
    return tuple(
        Line(
            id=MessageId(row.id),
            kind=ItemKind(row.kind),
            state=ItemState(row.state),
            label=Label(row.label),
            held_at=row.held_at,
            decided_at=row.decided_at,
            decided_by=row.decided_by or "",
            unit=row.unit,
            officer=StaffId(row.officer) if row.officer else None,
            urgent=row.urgent,
            rules=tuple(rules.get(row.id, ())),
        )
        for row in rows
    )


def _rules(tx: Tx, ids: list[str]) -> dict[str, list[str]]:
    query = select(ledger_findings.c.ledger_id, ledger_findings.c.rule).where(
        ledger_findings.c.ledger_id.in_(ids)
    )
    found: dict[str, list[str]] = {}
    for item_id, rule in tx.connection.execute(query.order_by(ledger_findings.c.rule)):
        found.setdefault(item_id, []).append(rule)
    return found
