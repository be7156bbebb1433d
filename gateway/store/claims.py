"""Claims: which reviewer works on which item, and until when.

Functions over a transaction. A claim is a lease: nobody need take back what somebody forgot. Knows nothing of who
may claim (`review.access`), and appends no audit entry: its callers do, in the same transaction.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select

from gateway.model import MessageId
from gateway.store.database import Tx
from gateway.store.items import lock
from gateway.store.rows import Claim
from gateway.store.schema import claims
from gateway.store.statements import insert_or_replace


def claim_of(tx: Tx, item_id: str, at: datetime) -> Claim | None:
    """Return the claim on an item that holds at ``at``, or None."""
    return claims_of(tx, (item_id,), at).get(item_id)


def claims_of(tx: Tx, item_ids: Iterable[str], at: datetime) -> dict[str, Claim]:
    """Return, of ``item_ids`` (one page of a list), those on which a claim holds at ``at``."""
    query = select(claims).where(claims.c.item_id.in_(tuple(item_ids)), claims.c.until > at)
    return {
        row.item_id: Claim(item_id=MessageId(row.item_id), actor=row.actor, since=row.since, until=row.until)
        for row in tx.connection.execute(query)
    }


def first_end(tx: Tx, at: datetime) -> datetime | None:
    """Return when the first of all claims that hold at ``at`` ends, or None when there is none."""
    found: datetime | None = tx.connection.scalar(select(func.min(claims.c.until)).where(claims.c.until > at))
    return found


def put_claim(tx: Tx, claim: Claim, at: datetime) -> Claim | None:
    """Claim an item, or prolong one's own claim; return the claim of somebody else that stands in the way, or None.

    Two who claim at once: the second waits for the first, and gets theirs.
    """
    lock(tx, claim.item_id)
    standing = claim_of(tx, claim.item_id, at)
    if standing is not None and standing.actor != claim.actor:
        return standing
    since = standing.since if standing is not None else claim.since
    row = {"item_id": claim.item_id, "actor": claim.actor, "since": since, "until": claim.until}
    insert_or_replace(tx.connection, claims, row, claims.c.item_id)
    return None


def end_claim(tx: Tx, item_id: str) -> None:
    """End the claim on an item, whoever holds it; none is fine."""
    tx.connection.execute(delete(claims).where(claims.c.item_id == item_id))
