"""The ledger: one row a message to a contact, without content; conduct over time is counted from it.

Functions over a transaction. A message counts once, whatever retries its sender makes, and only when the smarthost
took it (or may have) or it was held. Knows nothing of rules: the id of one is a word to it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Integer, Row, and_, bindparam, delete, or_, select, update

from gateway.model import (
    Action,
    EarlierFinding,
    History,
    MessageId,
    PersonId,
    SentMail,
    StaffId,
    Traits,
)
from gateway.settings import StoreSettings
from gateway.store.database import Tx
from gateway.store.instants import instant_of, instant_text
from gateway.store.rows import LedgerEntry, Outcome, Reach
from gateway.store.schema import ledger, ledger_findings, ledger_persons
from gateway.store.sealing import MARK_BYTES
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
_ANOTHER = ledger.c.retry_key.is_distinct_from(bindparam("key"))
"""Not the message that is being judged."""
_COUNTED = and_(
    or_(*(ledger.c.outcome == outcome for outcome in _COUNTS)),
    _ANOTHER,
)


def _to_person_before(columns: Iterable[Column[Any]], which: ColumnElement[bool]) -> Prepared:
    """Return the question for ``which`` messages a person got in a stretch of time, the newest first.

    From the contact, who gets a letter a week, to the messages: an officer may have sent thousands.
    """
    return Prepared(
        select(*columns)
        .join(ledger_persons, ledger_persons.c.ledger_id == ledger.c.id)
        .where(
            ledger_persons.c.person_id == bindparam("person"),
            ledger.c.at.between(bindparam("since"), bindparam("until")),
            which,
        )
        .order_by(ledger.c.at.desc(), ledger.c.id)
        .limit(bindparam("most", type_=Integer))
    )


_SENT_BEFORE = _to_person_before(
    (
        ledger.c.at, ledger.c.officer, ledger.c.refused, ledger.c.message_key, ledger.c.thread, ledger.c.answers,
        ledger.c.copies, ledger.c.weak,
    ),
    _COUNTED,
)  # fmt: skip
_LINES_BEFORE = _to_person_before((ledger.c.lines,), and_(ledger.c.outcome == Outcome.ACCEPTED, _ANOTHER))
"""Looked for only where a message quotes something. What was held never reached her, so nobody quotes it back."""
_FOUND_BEFORE = Prepared(
    select(
        ledger_findings.c.at, ledger_findings.c.ledger_id, ledger_findings.c.rule, ledger_persons.c.person_id
    )
    .join(ledger, ledger.c.id == ledger_findings.c.ledger_id)
    .join(ledger_persons, ledger_persons.c.ledger_id == ledger_findings.c.ledger_id)
    .where(
        ledger_findings.c.officer == bindparam("officer"),
        ledger_findings.c.at.between(bindparam("since"), bindparam("until")),
        _COUNTED,
    )
    .order_by(
        ledger_findings.c.at.desc(),
        ledger_findings.c.ledger_id,
        ledger_findings.c.rule,
        ledger_persons.c.person_id,
    )
    .limit(bindparam("most", type_=Integer))
)
"""From the officer to the findings, which are few."""


def add(tx: Tx, entry: LedgerEntry) -> bool:
    """Record a message; false, changing nothing, when its retry key is known already."""
    row = {
        "id": entry.id,
        "retry_key": entry.retry_key,
        "at": entry.at,
        "officer": entry.officer,
        "case_refs": "\n".join(entry.case_refs),
        "thread": entry.traits.thread,
        "message_key": entry.traits.message,
        "answers": entry.traits.answers,
        "copies": " ".join(entry.traits.copies),
        "refused": entry.refused,
        "weak": " ".join(entry.weak),
        "lines": b"".join(map(tx.keys.mark, entry.lines)),
        "sha256": entry.sha256,
        "action": entry.action,
        "outcome": entry.outcome,
        "outcome_at": None,
    }
    if not insert_unless_there(tx.connection, ledger, row, ledger.c.retry_key):
        return False
    persons = [{"ledger_id": entry.id, "person_id": person} for person in dict.fromkeys(entry.persons)]
    insert_into(tx.connection, ledger_persons, persons)
    insert_into(tx.connection, ledger_findings, _finding_rows(entry, entry.id))
    return True


def _finding_rows(entry: LedgerEntry, ledger_id: str) -> list[dict[str, object]]:
    row: dict[str, object] = {"ledger_id": ledger_id, "officer": entry.officer, "at": entry.at}
    return [row | {"rule": rule} for rule in dict.fromkeys(entry.rules)]


def judge_again(tx: Tx, entry: LedgerEntry) -> None:
    """Give a message that was recorded before the verdict of its latest try. What was accepted stays accepted."""
    earlier = by_retry_key(tx, entry.retry_key)
    if earlier is None or earlier.outcome is Outcome.ACCEPTED:
        return
    row = ledger.c.id == earlier.id
    tx.connection.execute(
        update(ledger)
        .where(row)
        .values(action=entry.action, outcome=entry.outcome, refused=entry.refused, weak=" ".join(entry.weak))
    )
    tx.connection.execute(delete(ledger_findings).where(ledger_findings.c.ledger_id == earlier.id))
    insert_into(tx.connection, ledger_findings, _finding_rows(replace(entry, at=earlier.at), earlier.id))


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


def settle(tx: Tx, since: datetime, before: datetime, at: datetime) -> int:
    """Mark messages of a stretch of time that were offered and never answered (a crash) as unknown; return how many."""
    lost = and_(ledger.c.outcome == Outcome.OFFERED, *_received(since, before))
    return tx.connection.execute(
        update(ledger).where(lost).values(outcome=Outcome.UNKNOWN, outcome_at=at)
    ).rowcount


def reach_of(settings: StoreSettings) -> Reach:
    """Return how far back history goes by the settings."""
    return Reach(
        days=settings.history_days,
        found_days=settings.ledger_days,
        weak_days=settings.weak_cue_days,
        most=settings.history_messages,
    )


def history(
    tx: Tx,
    officers: Iterable[StaffId],
    persons: Iterable[PersonId],
    at: datetime,
    reach: Reach,
    *,
    retry_key: str = "",
    quoted: Sequence[str] = (),
) -> History:
    """Return what is known of ``officers`` (everybody a message claims to come from) and ``persons`` before ``at``.

    One look-up for each person, one for each officer, both bounded by ``reach.most`` rows, the newest first.
    ``retry_key`` names the message being judged, which does not count as its own history; ``quoted`` are the digests of
    the lines it quotes. Where no officer is known there is none: strangers must not be taken for one another.
    """
    own = tuple(dict.fromkeys(officers))
    people = tuple(dict.fromkeys(persons))
    if not own:
        return History(days=reach.days)
    values = {"until": at, "key": retry_key, "most": reach.most}
    since = at - timedelta(days=reach.days)
    weak_since = instant_text(at - timedelta(days=reach.weak_days))
    sent: list[SentMail] = []
    weak: set[str] = set()
    for person in people:
        rows = _SENT_BEFORE.run(tx.connection, values | {"since": since, "person": person}).fetchall()
        sent += _sent(rows, person, own)
        weak.update(*(row[7].split() for row in rows if row[7] and row[1] in own and row[0] >= weak_since))
    found: list[EarlierFinding] = []
    since_found = {"since": at - timedelta(days=reach.found_days)}
    for officer in own:
        found += _found(
            _FOUND_BEFORE.run(tx.connection, values | since_found | {"officer": officer}).fetchall()
        )
    lines = _sent_lines(tx, quoted, people, values | {"since": since}) if quoted else ()
    return History(
        earlier=_earlier(found, frozenset(people), since), days=reach.days, sent_lines=lines, sent=tuple(sent),
        found=tuple(found), weak=tuple(sorted(weak)),
    )  # fmt: skip


def _sent_lines(
    tx: Tx, quoted: Sequence[str], people: Iterable[PersonId], values: dict[str, Any]
) -> tuple[str, ...]:
    """Return those of ``quoted`` that went to each of ``people`` before: to one of two they are not known."""
    for person in people:
        rows = _LINES_BEFORE.run(tx.connection, values | {"person": person}).fetchall()
        known = {row[0][at : at + MARK_BYTES] for row in rows for at in range(0, len(row[0]), MARK_BYTES)}
        quoted = [digest for digest in quoted if tx.keys.mark(digest) in known]
    return tuple(quoted)


def _sent(rows: Iterable[Any], person: PersonId, own: tuple[StaffId, ...]) -> list[SentMail]:
    """Return the mails of some rows; made by msgspec, which takes a fifth of the time of as many constructors."""
    mails = [
        {
            "at": at,
            "contact": person,
            "own": officer in own,
            "refused": bool(refused),
            "traits": {"message": message, "thread": thread, "answers": answers, "copies": copies.split()},
        }
        for at, officer, refused, message, thread, answers, copies, _ in rows
    ]
    return msgspec.convert(mails, list[SentMail])


def _found(rows: Iterable[Any]) -> Iterator[EarlierFinding]:
    """Yield one finding for each rule and message; rows of the same one, person by person, follow each other."""
    for (at, message, rule), group in groupby(rows, key=itemgetter(0, 1, 2)):
        yield EarlierFinding(
            at=instant_of(at),
            message=message,
            contacts=tuple(PersonId(row[3]) for row in group),
            rule=rule,
            category=rule.partition(".")[0],
        )


def _earlier(found: Iterable[EarlierFinding], people: frozenset[PersonId], since: datetime) -> dict[str, int]:
    """Return in how many messages to any of ``people`` each category was found."""
    pairs = {
        (each.message, each.category)
        for each in found
        if each.at >= since and not people.isdisjoint(each.contacts)
    }
    return dict(sorted(Counter(category for _, category in pairs).items()))


def forget_retry_keys(tx: Tx, since: datetime, before: datetime) -> int:
    """Forget the retry keys of a stretch of time and return how many."""
    keyed = and_(ledger.c.retry_key.is_not(None), *_received(since, before))
    return tx.connection.execute(update(ledger).where(keyed).values(retry_key=None)).rowcount


def forget_weak_cues(tx: Tx, since: datetime, before: datetime) -> int:
    """Forget the weak cues of a stretch of time and return of how many messages."""
    weak = and_(ledger.c.weak != "", *_received(since, before))
    return tx.connection.execute(update(ledger).where(weak).values(weak="")).rowcount


def delete_rows(tx: Tx, since: datetime, before: datetime) -> int:
    """Delete the rows of a stretch of time and return how many."""
    return tx.connection.execute(delete(ledger).where(*_received(since, before))).rowcount


def _received(since: datetime, before: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ledger.c.at >= since, ledger.c.at < before


def _entry(tx: Tx, row: Row[Any]) -> LedgerEntry:
    persons = select(ledger_persons.c.person_id).where(ledger_persons.c.ledger_id == row.id)
    rules = select(ledger_findings.c.rule).where(ledger_findings.c.ledger_id == row.id)
    return LedgerEntry(
        id=MessageId(row.id),
        retry_key=row.retry_key or "",
        at=row.at,
        officer=StaffId(row.officer) if row.officer else None,
        persons=tuple(map(PersonId, tx.connection.scalars(persons.order_by(ledger_persons.c.person_id)))),
        case_refs=tuple(row.case_refs.splitlines()),
        traits=Traits(
            message=row.message_key, thread=row.thread, answers=row.answers, copies=tuple(row.copies.split())
        ),
        sha256=row.sha256,
        action=Action(row.action),
        outcome=Outcome(row.outcome),
        rules=tuple(tx.connection.scalars(rules.order_by(ledger_findings.c.rule))),
        refused=row.refused,
        weak=tuple(row.weak.split()),
    )
