"""The ledger: one row a message to a contact, without content; conduct over time is counted from it.

Functions over a transaction. A message counts once, whatever retries its sender makes, and only when the smarthost
took it (or may have) or it was held. Knows nothing of rules: a category is a word to it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, exists, insert, or_, select, update

from gateway.model import Action, History, MessageId, PersonId, StaffId
from gateway.store.database import Tx
from gateway.store.rows import LedgerEntry, Outcome
from gateway.store.schema import ledger, ledger_categories, ledger_persons
from gateway.store.statements import Prepared, insert_into, insert_unless_there

_COUNTS = (Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.HELD)

_BY_RETRY_KEY = select(ledger).where(ledger.c.retry_key == bindparam("key"))
_NEW_OUTCOME = (
    update(ledger)
    .where(ledger.c.outcome != Outcome.ACCEPTED, ledger.c.outcome != Outcome.HELD)
    .values(outcome=bindparam("new_outcome"), outcome_at=bindparam("new_at"))
)
_SET_OUTCOME = Prepared(_NEW_OUTCOME.where(ledger.c.id == bindparam("message")))
_SET_OUTCOME_BY_KEY = Prepared(_NEW_OUTCOME.where(ledger.c.retry_key == bindparam("key")))
_OF_THE_PAIR = exists().where(
    ledger.c.id == ledger_persons.c.ledger_id,
    ledger.c.officer == bindparam("officer"),
    ledger.c.at.between(bindparam("since"), bindparam("until")),
    or_(*(ledger.c.outcome == outcome for outcome in _COUNTS)),
    ledger.c.retry_key.is_distinct_from(bindparam("key")),
)
_FOUND_BEFORE = Prepared(
    select(ledger_persons.c.ledger_id, ledger_categories.c.category)
    .join(ledger_categories, ledger_categories.c.ledger_id == ledger_persons.c.ledger_id)
    .where(ledger_persons.c.person_id == bindparam("person"), _OF_THE_PAIR)
)
"""From the contact, who gets a letter a week, to the messages: an officer may have sent thousands."""


def add(tx: Tx, entry: LedgerEntry) -> bool:
    """Record a message; false, changing nothing, when its retry key is known already."""
    row = {
        "id": entry.id,
        "retry_key": entry.retry_key,
        "at": entry.at,
        "officer": entry.officer,
        "case_refs": "\n".join(entry.case_refs),
        "thread": entry.thread,
        "sha256": entry.sha256,
        "action": entry.action,
        "outcome": entry.outcome,
        "outcome_at": None,
    }
    if not insert_unless_there(tx.connection, ledger, row, ledger.c.retry_key):
        return False
    persons = [{"ledger_id": entry.id, "person_id": person} for person in dict.fromkeys(entry.persons)]
    categories = [
        {"ledger_id": entry.id, "category": category} for category in dict.fromkeys(entry.categories)
    ]
    insert_into(tx.connection, ledger_persons, persons)
    insert_into(tx.connection, ledger_categories, categories)
    return True


def judge_again(tx: Tx, entry: LedgerEntry) -> None:
    """Give a message that was recorded before the verdict of its latest try. What was accepted stays accepted."""
    earlier = by_retry_key(tx, entry.retry_key)
    if earlier is None or earlier.outcome is Outcome.ACCEPTED:
        return
    row = ledger.c.id == earlier.id
    tx.connection.execute(update(ledger).where(row).values(action=entry.action, outcome=entry.outcome))
    tx.connection.execute(delete(ledger_categories).where(ledger_categories.c.ledger_id == earlier.id))
    categories = [{"ledger_id": earlier.id, "category": each} for each in dict.fromkeys(entry.categories)]
    if categories:
        tx.connection.execute(insert(ledger_categories), categories)


def by_retry_key(tx: Tx, retry_key: str) -> LedgerEntry | None:
    """Return the row of the same message that was recorded before, while its retry key is kept."""
    row = tx.connection.execute(_BY_RETRY_KEY, {"key": retry_key}).one_or_none()
    return _entry(tx, row) if row else None


def set_outcome(tx: Tx, message_id: str, outcome: Outcome, at: datetime) -> bool:
    """Record what the smarthost said; false when there is no such row.

    What was accepted stays accepted, and what waits stays held, whatever a later retry meets.
    """
    values = {"message": message_id, "new_outcome": outcome, "new_at": at}
    return _SET_OUTCOME.run(tx.connection, values).rowcount == 1


def set_outcome_by_key(tx: Tx, retry_key: str, outcome: Outcome, at: datetime) -> bool:
    """As `set_outcome`, for the row that has ``retry_key``: one statement, since every message comes here."""
    values = {"key": retry_key, "new_outcome": outcome, "new_at": at}
    return _SET_OUTCOME_BY_KEY.run(tx.connection, values).rowcount == 1


def settle(tx: Tx, before: datetime, at: datetime) -> int:
    """Mark messages offered before ``before`` and never answered (a crash) as unknown; return how many."""
    lost = and_(ledger.c.outcome == Outcome.OFFERED, ledger.c.at < before)
    return tx.connection.execute(
        update(ledger).where(lost).values(outcome=Outcome.UNKNOWN, outcome_at=at)
    ).rowcount


def history(
    tx: Tx,
    officer: StaffId | None,
    persons: Iterable[PersonId],
    at: datetime,
    days: int,
    *,
    retry_key: str = "",
) -> History:
    """Return how many earlier messages of ``officer`` to any of ``persons`` had findings, by category.

    ``retry_key`` names the message being judged, which does not count as its own history. An unknown officer has
    none: strangers must not be taken for one another.
    """
    if officer is None:
        return History(days=days)
    values = {"officer": officer, "since": at - timedelta(days=days), "until": at, "key": retry_key}
    found: set[tuple[str, str]] = set()
    for person in dict.fromkeys(persons):
        rows = _FOUND_BEFORE.run(tx.connection, values | {"person": person}).fetchall()
        found.update((str(message), str(category)) for message, category in rows)
    numbers = Counter(category for _, category in found)
    return History(earlier=dict(sorted(numbers.items())), days=days)


def forget(tx: Tx, *, keys_before: datetime, rows_before: datetime) -> tuple[int, int]:
    """Forget old retry keys and delete old rows; return how many of each."""
    old_key = and_(ledger.c.retry_key.is_not(None), ledger.c.at < keys_before)
    keys = tx.connection.execute(update(ledger).where(old_key).values(retry_key=None)).rowcount
    rows = tx.connection.execute(delete(ledger).where(ledger.c.at < rows_before)).rowcount
    return keys, rows


def _entry(tx: Tx, row: Row[Any]) -> LedgerEntry:
    persons = select(ledger_persons.c.person_id).where(ledger_persons.c.ledger_id == row.id)
    categories = select(ledger_categories.c.category).where(ledger_categories.c.ledger_id == row.id)
    return LedgerEntry(
        id=MessageId(row.id),
        retry_key=row.retry_key or "",
        at=row.at,
        officer=StaffId(row.officer) if row.officer else None,
        persons=tuple(map(PersonId, tx.connection.scalars(persons.order_by(ledger_persons.c.person_id)))),
        case_refs=tuple(row.case_refs.splitlines()),
        thread=row.thread,
        sha256=row.sha256,
        action=Action(row.action),
        outcome=Outcome(row.outcome),
        categories=tuple(tx.connection.scalars(categories.order_by(ledger_categories.c.category))),
    )
