"""The audit chain's rows: numbering, reading and erasing. What an entry means and how it is hashed is `audit`'s.

Entries are numbered at the very end of a transaction, from the tip row: its lock orders the appends of all
processes, and since it is the last lock taken, two transactions cannot wait for each other over it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, select, text, update

from gateway.store.database import ChainRow, Link, Tx
from gateway.store.schema import ABOUT_RULES, audit_entries, audit_payloads, audit_tip
from gateway.store.statements import Prepared, insert_into

_PAGE = 1000

_TIP = select(audit_tip.c.seq, audit_tip.c.hash)
_LOCK_TIP = Prepared(_TIP.with_for_update())
_MOVE_TIP = Prepared(update(audit_tip).values(seq=bindparam("new_seq"), hash=bindparam("new_hash")))
_IN_ENTRY = ("seq", "at", "event", "actor", "subject", "commitment", "prev", "hash")


def append(tx: Tx, link: Link) -> None:
    """Append an entry when ``tx`` commits. ``link`` is told its number and the hash of the entry before."""
    tx.links.append(link)


def number(connection: Connection, links: Sequence[Link]) -> None:
    """Give the entries of one transaction their numbers and write them. Called by the store before each commit."""
    if not links:
        return
    seq, prev = _LOCK_TIP.run(connection, {}).fetchall()[0]
    entries, payloads = [], []
    for link in links:
        row = link(seq + 1, prev)
        seq, prev = row.seq, row.hash
        payloads.append({"seq": seq, "salt": row.salt, "payload": row.payload})
        entries.append({name: getattr(row, name) for name in _IN_ENTRY})
    insert_into(connection, audit_entries, entries)
    insert_into(connection, audit_payloads, payloads)
    _MOVE_TIP.run(connection, {"new_seq": seq, "new_hash": prev})


def tip(tx: Tx) -> tuple[int, str]:
    """Return the number and hash of the last entry; 0 and zeros before the first."""
    seq, last = tx.connection.execute(_TIP).one()
    return int(seq), str(last)


def rows(tx: Tx, *, after: int = 0) -> Iterator[ChainRow]:
    """Yield the entries after number ``after`` in order, a page at a time, with their payloads where not erased."""
    query = _whole_rows()
    while page := tx.connection.execute(
        query.where(audit_entries.c.seq > after).order_by(audit_entries.c.seq).limit(_PAGE)
    ).all():
        for row in page:
            yield ChainRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        after = page[-1].seq


def rows_about_rules(tx: Tx, *, limit: int) -> tuple[ChainRow, ...]:
    """Return the last entries that are `ABOUT_RULES`, at most ``limit``, in order; they have an index of their own."""
    query = _whole_rows().where(text(f"({ABOUT_RULES})")).order_by(audit_entries.c.seq.desc()).limit(limit)
    return tuple(
        ChainRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        for row in reversed(tx.connection.execute(query).all())
    )


def strays(tx: Tx) -> tuple[int, ...]:
    """Return the numbers of payloads that belong to no entry: what is left of a deleted one."""
    joined = audit_payloads.outerjoin(audit_entries, audit_entries.c.seq == audit_payloads.c.seq)
    query = select(audit_payloads.c.seq).select_from(joined).where(audit_entries.c.seq.is_(None))
    return tuple(tx.connection.scalars(query.order_by(audit_payloads.c.seq)))


def erase(tx: Tx, seq: int) -> bool:
    """Erase the payload of entry ``seq`` and return whether there was one. The entry stays."""
    return tx.connection.execute(delete(audit_payloads).where(audit_payloads.c.seq == seq)).rowcount == 1


def _whole_rows() -> Select[Any]:
    joined = audit_entries.outerjoin(audit_payloads, audit_entries.c.seq == audit_payloads.c.seq)
    return select(audit_entries, audit_payloads.c.salt, audit_payloads.c.payload).select_from(joined)
