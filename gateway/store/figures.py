"""Figures of the process: what waits where and since when, how long decisions took, what became of each rule's items.

As in `queue`, every question is asked through a `Sight`. Counts and times only: no word, no person. What may be shown of them is
`gateway.console.numbers`' affair.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import String, func, select, type_coerce

from gateway.model import Label
from gateway.store.database import Tx
from gateway.store.queue import Sight, Wanted, conditions
from gateway.store.rows import DecisionAction
from gateway.store.schema import decisions, items, ledger_findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One hold that waits: where, and since when."""

    unit: str
    held_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision to release or to return."""

    unit: str
    held_at: datetime
    at: datetime
    action: DecisionAction


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """What became of the items in which a rule came true. Items without a label are in ``items`` alone."""

    rule: str
    items: int
    crossings: int
    false_alarms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDay:
    """In how many items that came on a day (UTC) a rule came true."""

    rule: str
    day: date
    items: int


def waiting(tx: Tx, sight: Sight) -> tuple[Waiting, ...]:
    """Return the holds that wait, oldest first."""
    query = select(items.c.unit, items.c.held_at).where(*conditions(sight, Wanted()))
    return tuple(
        Waiting(unit=row.unit, held_at=row.held_at)
        for row in tx.connection.execute(query.order_by(items.c.held_at))
    )


def decided(tx: Tx, sight: Sight, since: datetime) -> tuple[Decided, ...]:
    """Return the decisions since ``since``, in order; an item that was decided twice counts twice."""
    query = (
        select(items.c.unit, items.c.held_at, decisions.c.at, decisions.c.action)
        .join_from(decisions, items, items.c.id == decisions.c.item_id)
        .where(
            decisions.c.at >= since,
            decisions.c.action.in_((DecisionAction.RELEASE, DecisionAction.RETURN)),
            *conditions(sight, None),
        )
        .order_by(decisions.c.at)
    )
    return tuple(
        Decided(unit=row.unit, held_at=row.held_at, at=row.at, action=DecisionAction(row.action))
        for row in tx.connection.execute(query)
    )


def decided_ever(tx: Tx, sight: Sight) -> dict[DecisionAction, int]:
    """Return how many decisions of each kind there were since the store was made; what never was is left out."""
    query = (
        select(decisions.c.action, func.count().label("number"))
        .join_from(decisions, items, items.c.id == decisions.c.item_id)
        .where(
            decisions.c.action.in_((DecisionAction.RELEASE, DecisionAction.RETURN)), *conditions(sight, None)
        )
        .group_by(decisions.c.action)
    )
    return {DecisionAction(row.action): int(row.number) for row in tx.connection.execute(query)}


def rules(tx: Tx, sight: Sight, since: datetime) -> tuple[RuleFigures, ...]:
    """Return per rule the items since ``since`` in which it came true, and what reviewers said of them."""
    query = (
        select(
            ledger_findings.c.rule,
            func.count().label("items"),
            func.count().filter(items.c.label == Label.CROSSING).label("crossings"),
            func.count().filter(items.c.label == Label.FALSE_ALARM).label("false_alarms"),
        )
        .join_from(ledger_findings, items, items.c.id == ledger_findings.c.ledger_id)
        .where(items.c.held_at >= since, *conditions(sight, None))
        .group_by(ledger_findings.c.rule)
        .order_by(ledger_findings.c.rule)
    )
    return tuple(
        RuleFigures(rule=row.rule, items=row.items, crossings=row.crossings, false_alarms=row.false_alarms)
        for row in tx.connection.execute(query)
    )


def rule_days(tx: Tx, sight: Sight, since: datetime) -> tuple[RuleDay, ...]:
    """Return for each rule and day since ``since`` the items in which it came true; days without any are left out."""
    day = func.substr(type_coerce(items.c.held_at, String), 1, 10).label("day")
    query = (
        select(ledger_findings.c.rule, day, func.count().label("items"))
        .join_from(ledger_findings, items, items.c.id == ledger_findings.c.ledger_id)
        .where(items.c.held_at >= since, *conditions(sight, None))
        .group_by(ledger_findings.c.rule, day)
        .order_by(ledger_findings.c.rule, day)
    )
    return tuple(
        RuleDay(rule=row.rule, day=date.fromisoformat(row.day), items=row[2])
        for row in tx.connection.execute(query)
    )
