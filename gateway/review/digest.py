"""The digest: reviewers are told now and then that holds wait for them, by mail that says nothing of them.

`serve` asks once a minute whether it is time. Who is told what is `notices.digest`; here is when, so that several
relays on one store send it once. What waits is read on a connection of its own, the mails are written in a thread
and queued a few at a time: mail waits for the store's reader and writer, and for the event loop. They go
through the outbox like every notice.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from gateway import audit, identify, notices
from gateway.model import Event, Registry, StaffId
from gateway.review import stranded
from gateway.review.access import Permission, Person, objection
from gateway.settings import NoticeSettings
from gateway.store import Store, Tx, items, outbox, records
from gateway.store.instants import instant_of, instant_text
from gateway.store.rows import Account, NewDelivery, Waiting

log = structlog.get_logger("gateway.digest")

ACTOR = "relay"
_FACT = "digest_at"
_AT_ONCE = 50
"""Notices that are queued in one job: mail that comes meanwhile is recorded between two of them."""

_PASSED_ON = "Their officers' managers cannot decide: give them the role supervisor on the staff list, or an account as reviewer."
_NOBODY = "Put somebody of professional standards on the staff list who is neither named in these holds nor reports to their officers, or appoint an outside reviewer (docs/decisions/0044)."


@dataclass(frozen=True, slots=True)
class Due:
    """What waits when a digest is due, and when the one before it went out (empty: never).

    ``accounts`` may make somebody a reviewer whom the staff list calls otherwise.
    """

    last: str
    waiting: tuple[Waiting, ...]
    accounts: tuple[Account, ...] = ()


async def remind(store: Store, settings: NoticeSettings, registry: Registry, at: datetime) -> int:
    """Queue the digest when it is time, something waits and no other relay was first; return how many are told.

    The first notices are queued with the fact that the digest went out, so two relays send it once. The rest follow
    in jobs of their own: a relay that is killed in between, or whose store fails, loses the later notices of this one
    digest, and nobody is told twice. Raises NotStored.
    """
    due = await asyncio.to_thread(store.read_now, partial(due_digest, settings=settings, at=at))
    if due is None:
        return 0
    outside = stranded.outside(registry, due.accounts)
    by_account = _by_account(registry, due.accounts)
    digests = await asyncio.to_thread(
        notices.digest, settings, registry, due.waiting, at, by_account=by_account, outside=outside
    )
    written = digests.notices
    parts = [written[start : start + _AT_ONCE] for start in range(0, len(written), _AT_ONCE)] or [()]
    if not await store.write(partial(begin_digest, due=due, first=parts[0], at=at)):
        return 0
    for part in parts[1:]:
        await store.write(partial(_queue, written=part, at=at))
    if digests.untold:
        log.error("digest:nobody-to-tell", holds=digests.untold, hint=_NOBODY)
    if digests.passed_on:
        log.warning("digest:passed-on", holds=digests.passed_on, hint=_PASSED_ON)
    if digests.late:
        log.warning("digest:escalated", holds=digests.late, hours=settings.escalate_h)
    return len(written)


def _by_account(registry: Registry, accounts: tuple[Account, ...]) -> dict[StaffId, bool]:
    """Return of those on the staff list who have an account whether it lets them decide.

    What the directory lets people do is not known here: who has a role by it alone is taken for what the staff list says.
    """
    found: dict[StaffId, bool] = {}
    for one in accounts:
        member = identify.staff_for(registry, one.email)
        staff_id = one.staff_id or (member.staff_id if member else None)
        person = Person(email=one.email, roles=one.roles, staff_id=staff_id)
        if staff_id:
            may = not objection(person, Permission.HOLD_RELEASE, None, registry)
            # Who has two accounts may sign in with either.
            found[staff_id] = may or found.get(staff_id, False)
    return found


def due_digest(tx: Tx, settings: NoticeSettings, at: datetime) -> Due | None:
    """Return what waits when it is time for a digest and something does, else None. Reads alone."""
    if not settings.digest_h:
        return None
    last = records.fact(tx, _FACT)
    if last is None:  # the first digest is due one period from now
        return Due("", ())
    if abs(at - instant_of(last)) < timedelta(hours=settings.digest_h):
        return None  # one that lies further ahead was written by a clock that was wrong, and silences nobody
    waiting = items.waiting_holds(tx, stranded.WAITING, limit=stranded.MOST)
    return Due(last, waiting, records.list_accounts(tx)) if waiting else None


def begin_digest(tx: Tx, due: Due, first: tuple[NewDelivery, ...], at: datetime) -> bool:
    """Write down that the digest went out and queue its ``first`` notices; false when another relay was first.

    Without notices too: what waits for nobody who can be told is not read again every minute.
    """
    if (records.fact_to_change(tx, _FACT) or "") != due.last:
        return False
    records.set_fact(tx, _FACT, instant_text(at))
    _queue(tx, first, at)
    return True


def _queue(tx: Tx, written: tuple[NewDelivery, ...], at: datetime) -> None:
    for notice in written:
        delivery = outbox.queue_delivery(tx, notice, at)
        payload: dict[str, audit.Value] = {"why": "digest"}
        audit.append(tx, Event.NOTICE_QUEUED, actor=ACTOR, subject=delivery, payload=payload, at=at)
