"""Leave to read: professional standards let somebody who oversees the process read the text of one item, for a while.

What the oversight body sees without it holds no word of a message (`gateway.console.oversight`). Leave has a reason and an
end, is for one person and one item, and giving, using and ending it are audit entries. Who may is `access`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import audit
from gateway.model import Event, Role
from gateway.review.access import Permission, Subject, objection
from gateway.review.decisions import Actor, permitted, person_called, refuse
from gateway.settings import ReviewSettings
from gateway.store import Tx, items, leave
from gateway.store.leave import Leave
from gateway.store.rows import Item, ItemInFull


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for: leave for ``holder`` to read an item for some ``days``, and why."""

    item_id: str
    holder: str
    reason: str
    days: int


def give(tx: Tx, asked: Asked, actor: Actor, at: datetime, review: ReviewSettings) -> str:
    """Give leave; return why not as a sentence, or an empty string when it was given."""
    allowed = permitted(tx, asked.item_id, actor, Permission.TEXT_GRANT, at)
    if allowed.refused or allowed.item is None:
        return allowed.refused
    if why := _unfit(tx, asked, allowed.item, actor, review):
        return why
    ends_at = at + timedelta(days=asked.days)
    by, holder = actor.person.email, asked.holder.strip().lower()
    given = leave.give(
        tx, allowed.item.id, holder, by=by, reason=asked.reason.strip(), at=at, ends_at=ends_at
    )
    payload: dict[str, audit.Value] = {
        "leave": given,
        "holder": holder,
        "ends_at": ends_at.isoformat(),
        "reason": asked.reason.strip(),
        "system": actor.system,
    }
    audit.append(tx, Event.TEXT_GRANTED, actor=by, subject=allowed.item.id, payload=payload, at=at)
    return ""


def end(tx: Tx, item_id: str, given: str, actor: Actor, at: datetime) -> str:
    """End leave before its time; return why not, or an empty string."""
    allowed = permitted(tx, item_id, actor, Permission.TEXT_GRANT, at)
    if allowed.refused:
        return allowed.refused
    ended = leave.end(tx, item_id, given, at)
    if ended is None:
        return "that leave has ended already"
    payload: dict[str, audit.Value] = {"leave": ended.id, "holder": ended.holder, "system": actor.system}
    audit.append(
        tx, Event.TEXT_GRANT_ENDED, actor=actor.person.email, subject=item_id, payload=payload, at=at
    )
    return ""


def read(tx: Tx, item_id: str, actor: Actor, at: datetime) -> tuple[ItemInFull | None, Leave | None]:
    """Return an item and the leave by which ``actor`` may read it, the look recorded; None without leave.

    The conflict check counts as for everybody: leave to read about oneself, or one's line of command, is none.
    """
    full = items.item_in_full(tx, item_id)
    given = leave.standing(tx, item_id, actor.person.email, at)
    if full is None or given is None:
        return None, None
    if why := objection(actor.person, Permission.TEXT_READ, _subject(full.item), actor.registry):
        refuse(tx, full.item.id, actor, Permission.TEXT_READ, why, at)
        return None, None
    payload: dict[str, audit.Value] = {"system": actor.system, "what": "text", "leave": given.id}
    audit.append(
        tx, Event.ITEM_VIEWED, actor=actor.person.email, subject=full.item.id, payload=payload, at=at
    )
    return full, given


def _subject(item: Item) -> Subject:
    """Return whom an item concerns. That it is with professional standards bars nobody whom they themselves let in."""
    return Subject(senders=frozenset(item.senders), involved=frozenset(item.excluded))


def _unfit(tx: Tx, asked: Asked, item: Item, actor: Actor, review: ReviewSettings) -> str:
    """Return why such leave cannot be given, or an empty string."""
    holder = person_called(tx, actor.registry, asked.holder)
    if holder is None or Role.OVERSIGHT not in holder.roles:
        return "leave is for an account with the role oversight; `gateway accounts add EMAIL --role oversight` makes one"
    if objection(holder, Permission.TEXT_READ, _subject(item), actor.registry):
        return "that person is involved in it, or reports to somebody who is, and may not read it"
    if not 1 <= asked.days <= review.max_leave_days:
        return f"leave lasts from 1 to {review.max_leave_days} days"
    if len(asked.reason.strip()) < review.min_reason_chars:
        return f"say why, in at least {review.min_reason_chars} characters"
    if len(asked.reason) > review.max_text_chars:
        return f"the reason has more than {review.max_text_chars:,} characters"
    return ""
