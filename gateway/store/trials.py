"""Rules on trial: how often a rule in shadow came true, day by day, and since when the store knows it as what it is.

Functions over a transaction. Counts and days, nothing else: no message, officer or contact stands behind them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, text, true
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.store.database import Tx
from gateway.store.schema import ABOUT_RULES, audit_entries, rule_trials


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCount:
    """In how many messages one version of a rule came true, and on which days first and last."""

    rule: str
    version: int
    messages: int
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A set and the moment it came into force somewhere."""

    rules_hash: str
    at: datetime


def count(tx: Tx, found: Iterable[tuple[str, int]], day: date) -> None:
    """Count one message for each rule and version in ``found``."""
    insert = postgresql_insert if tx.connection.dialect.name == "postgresql" else sqlite_insert
    for rule, version in sorted(set(found)):
        row = {"rule": rule, "version": version, "day": day.isoformat(), "messages": 1}
        statement = insert(rule_trials).values(row)
        tx.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[rule_trials.c.rule, rule_trials.c.version, rule_trials.c.day],
                set_={"messages": rule_trials.c.messages + 1},
            )
        )


def counts(tx: Tx, *, before: date | None = None) -> tuple[TrialCount, ...]:
    """Return the counts of every rule and version, by rule; the newest version first. ``before`` leaves out later days."""
    query = (
        select(
            rule_trials.c.rule,
            rule_trials.c.version,
            func.sum(rule_trials.c.messages).label("messages"),
            func.min(rule_trials.c.day).label("first"),
            func.max(rule_trials.c.day).label("last"),
        )
        .where(true() if before is None else rule_trials.c.day < before.isoformat())
        .group_by(rule_trials.c.rule, rule_trials.c.version)
        .order_by(rule_trials.c.rule, rule_trials.c.version.desc())
    )
    return tuple(
        TrialCount(
            rule=row.rule, version=row.version, messages=int(row.messages),
            first=date.fromisoformat(row.first), last=date.fromisoformat(row.last),
        )
        for row in tx.connection.execute(query)
    )  # fmt: skip


def in_force(tx: Tx) -> Iterator[InForce]:
    """Yield each set that came into force and when, in order, by the audit log."""
    query = (
        select(audit_entries.c.subject, audit_entries.c.at)
        .where(text(f"({ABOUT_RULES})"), audit_entries.c.event == "rules:loaded")
        .order_by(audit_entries.c.seq)
    )
    for row in tx.connection.execute(query):
        yield InForce(rules_hash=row.subject, at=datetime.fromisoformat(row.at))
