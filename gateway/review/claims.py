"""Claims: a reviewer takes an item to themselves for a while, so that two never decide on it at once.

Commands and console call the same functions. A claim is a lease; a decision ends it. The access check is that of
every other wish, so nobody learns of an item by trying to claim it.
"""

from datetime import datetime, timedelta

from gateway import audit
from gateway.model import Event, ItemState
from gateway.review.access import Permission
from gateway.review.decisions import Actor, Ruling, claimed_by, permitted
from gateway.settings import ReviewSettings
from gateway.store import Tx, claims, items
from gateway.store.rows import Claim

_CLAIMABLE = (*items.UNDECIDED, ItemState.OPEN)


def claim(tx: Tx, item_id: str, actor: Actor, at: datetime, settings: ReviewSettings) -> Ruling:
    """Claim an item that waits for a decision, or prolong one's own claim; a second reviewer is told whose it is."""
    items.lock(tx, item_id)  # what a decision makes of it meanwhile is met, not claimed
    allowed = permitted(tx, item_id, actor, Permission.ITEM_CLAIM, at)
    found = allowed.item
    if allowed.refused or found is None:
        return allowed
    if found.state not in _CLAIMABLE:
        return Ruling(item=found, refused=f"{found.id} is {found.state}: there is nothing to decide")
    until = at + timedelta(seconds=settings.claim_s)
    mine = Claim(item_id=found.id, actor=actor.person.email, since=at, until=until)
    if (standing := claims.put_claim(tx, mine, at)) is not None:
        return Ruling(item=found, refused=claimed_by(standing), conflict=standing)
    payload: dict[str, audit.Value] = {"until": until.isoformat(), "system": actor.system}
    audit.append(tx, Event.ITEM_CLAIMED, actor=actor.person.email, subject=found.id, payload=payload, at=at)
    return Ruling(item=found)


def give_up(tx: Tx, item_id: str, actor: Actor, at: datetime) -> Ruling:
    """End one's own claim, so that somebody else may decide; another's stands."""
    items.lock(tx, item_id)
    allowed = permitted(tx, item_id, actor, Permission.ITEM_CLAIM, at)
    found = allowed.item
    if allowed.refused or found is None:
        return allowed
    standing = claims.claim_of(tx, found.id, at)
    if standing is None:
        return Ruling(item=found, refused=f"nobody has claimed {found.id}")
    if standing.actor != actor.person.email:
        return Ruling(item=found, refused=claimed_by(standing), conflict=standing)
    claims.end_claim(tx, found.id)
    payload: dict[str, audit.Value] = {"system": actor.system}
    audit.append(
        tx, Event.ITEM_CLAIM_ENDED, actor=actor.person.email, subject=found.id, payload=payload, at=at
    )
    return Ruling(item=found)
