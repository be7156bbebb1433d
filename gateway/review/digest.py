"""The digest: reviewers are told now and then that holds wait for them, by mail that says nothing of them.

`serve` asks once a minute whether it is time. Who is told what is `notices.digest`; here is when, so that several
relays on one store send it once. It is written while reading, and queued in a transaction that has nothing else to do:
mail waits for those. It goes through the outbox like every notice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import audit, notices
from gateway.model import Event, ItemState, Registry
from gateway.settings import NoticeSettings
from gateway.store import Tx, items, outbox, records
from gateway.store.instants import instant_of, instant_text
from gateway.store.rows import NewDelivery

ACTOR = "relay"
_FACT = "digest_at"
_WAITING = (ItemState.HELD, ItemState.REFERRED, ItemState.RELEASE_FAILED)
_MOST = 10_000
"""Holds that are counted: beyond so many the number says enough."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The notices of one digest, and when the one before it went out (empty: never)."""

    last: str
    written: tuple[NewDelivery, ...]


def draft_digest(tx: Tx, settings: NoticeSettings, registry: Registry, at: datetime) -> Draft | None:
    """Return what is to be sent when it is time and something waits, else None. Reads alone."""
    if not settings.digest_h:
        return None
    last = records.fact(tx, _FACT)
    if last is None:  # the first digest is due one period from now
        return Draft("", ())
    if at < instant_of(last) + timedelta(hours=settings.digest_h):
        return None
    waiting = items.waiting_holds(tx, _WAITING, limit=_MOST)
    written = notices.digest(settings, registry, waiting, at)
    return Draft(last, written) if written else None


def queue_digest(tx: Tx, draft: Draft, at: datetime) -> int:
    """Queue ``draft`` unless another relay was first; return how many are told."""
    if (records.fact_to_change(tx, _FACT) or "") != draft.last:
        return 0
    for notice in draft.written:
        delivery = outbox.queue_delivery(tx, notice, at)
        payload: dict[str, audit.Value] = {"why": "digest"}
        audit.append(tx, Event.NOTICE_QUEUED, actor=ACTOR, subject=delivery, payload=payload, at=at)
    records.set_fact(tx, _FACT, instant_text(at))
    return len(draft.written)
