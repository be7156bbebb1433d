"""What is in somebody's hands, what opens after a decision, and the release that may still be taken back.

Two reviewers are led to different items, and nobody is led back to one that waits for somebody else. Everything is asked through
the visitor's sight. Knows no templates, and decides nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.console.pages import Visit
from gateway.model import ItemKind, ItemState, Registry
from gateway.review import decisions
from gateway.store import Tx, claims, items, outbox, queue
from gateway.store.queue import Wanted
from gateway.store.rows import Claim

TO_DECIDE = {
    ItemKind.HOLD: Wanted(states=(ItemState.HELD, ItemState.REFERRED, ItemState.RELEASE_FAILED)),
    ItemKind.FLAG: Wanted(kind=ItemKind.FLAG, states=(ItemState.OPEN,)),
}
"""What wants a decision: the list beside an item. A release that failed wants one again."""
_LOOKED_AT = 100
"""Items among which the next one is sought, in front of the one decided and behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who has an item: a claim that holds, and who agreed to its release where a second person must; empty: nobody."""

    claim: Claim | None = None
    agreed: str = ""

    def is_with_others(self, email: str) -> bool:
        """Return whether it is for somebody else to go on: claimed by them, or waiting for a second person."""
        return self.agreed == email or (self.claim is not None and self.claim.actor != email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """A release that may still be taken back, and when it goes."""

    item_id: str
    goes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What came of the decision that led the visitor here.

    ``waits_for_second``: it was a yes to the release of something severe, which sends nothing yet.
    """

    undoable: Undoable | None
    waits_for_second: bool


def hands_of(tx: Tx, item_ids: Iterable[str], registry: Registry | None, at: datetime) -> dict[str, Hand]:
    """Return in whose hands items are (one page of a list); those in nobody's are left out."""
    ids = tuple(item_ids)
    agreed: dict[str, str] = {
        one.id: first.actor
        for one in items.items_called(tx, queue.proposed(tx, ids))
        if (first := decisions.standing_approval(tx, one, items.decisions_of(tx, one.id), registry))
    }
    claimed = claims.claims_of(tx, ids, at)
    return {
        one: Hand(claim=claimed.get(one), agreed=agreed.get(one, ""))
        for one in ids
        if one in claimed or one in agreed
    }


def following(tx: Tx, visit: Visit, item_id: str, kind: ItemKind, *, urgent_first: bool) -> str:
    """Return the item to open after ``item_id``, or an empty string: the next of the list that is not with others.

    Behind the last one it begins from the top, so that what is passed over comes again after all others and not at once.
    ``urgent_first``: an urgent one that nobody has claimed comes before that. To put such a one aside, claim it.
    """
    sight, wanted, email = visit.sight, TO_DECIDE[kind], visit.person.email
    line = (
        *queue.order(tx, sight, wanted, limit=_LOOKED_AT, after=item_id),
        *queue.order(tx, sight, wanted, limit=_LOOKED_AT),
    )
    urgent = queue.order(tx, sight, replace(wanted, urgent=True), limit=_LOOKED_AT) if urgent_first else ()
    ids = dict.fromkeys((*urgent, *line))
    hands = hands_of(tx, ids, visit.registry, visit.desk.now())
    free = [one for one in ids if one != item_id and not (one in hands and hands[one].is_with_others(email))]
    unclaimed = (one for one in urgent if one in free and one not in hands)
    return next(unclaimed, next((one for one in line if one in free), ""))


def aftermath(tx: Tx, visit: Visit, item_id: str = "") -> Aftermath:
    """Return what came of the decision that the address names; failing that, of the last one on ``item_id``."""
    done = visit.query.get("done", "")
    known = [one for one in (done, item_id) if one and queue.in_sight(tx, visit.sight, one)]
    hands = hands_of(tx, known, visit.registry, visit.desk.now())
    return Aftermath(
        undoable=next((found for one in known if (found := _undoable(tx, visit, one))), None),
        waits_for_second=done in hands and hands[done].agreed == visit.person.email,
    )


def _undoable(tx: Tx, visit: Visit, item_id: str) -> Undoable | None:
    """Return the release of an item that was approved, while the visitor may take it back."""
    approved = items.approved_release(tx, item_id)
    found = items.item(tx, item_id)
    if approved is None or found is None or found.state is not ItemState.RELEASING:
        return None
    delivery = outbox.delivery(tx, approved.delivery)
    if delivery is None or decisions.undo_objection(tx, found, delivery, visit.actor):
        return None
    return Undoable(item_id=item_id, goes_at=delivery.next_at)
