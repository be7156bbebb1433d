"""The digest: reviewers are told now and then that holds wait for them, by mail that says nothing of them.

`serve` asks once a minute whether it is time. Who is told what is `notices.digest`; here is when, so that several
relays on one store send it once. It goes through the outbox like every notice.
"""

from datetime import datetime, timedelta

from gateway import audit, notices
from gateway.model import Event, ItemKind, ItemState, Registry
from gateway.settings import NoticeSettings
from gateway.store import Tx, items, outbox, records
from gateway.store.instants import instant_of, instant_text

ACTOR = "relay"
_FACT = "digest_at"
_WAITING = (ItemState.HELD, ItemState.REFERRED, ItemState.RELEASE_FAILED)
_MOST = 10_000
"""Holds that are counted: beyond so many the number says enough."""


def queue_digest(tx: Tx, settings: NoticeSettings, registry: Registry, at: datetime) -> int:
    """Queue the digest when it is time and something waits; return how many are told."""
    if not settings.digest_h:
        return 0
    last = records.fact_to_change(tx, _FACT)
    if last is None:  # there is no row to lock yet: the first digest is due one period from now
        records.set_fact(tx, _FACT, instant_text(at))
        return 0
    if at < instant_of(last) + timedelta(hours=settings.digest_h):
        return 0
    waiting = items.list_items(tx, ItemKind.HOLD, _WAITING, limit=_MOST)
    written = notices.digest(settings, registry, waiting, at)
    for notice in written:
        delivery = outbox.queue_delivery(tx, notice, at)
        payload: dict[str, audit.Value] = {"why": "digest"}
        audit.append(tx, Event.NOTICE_QUEUED, actor=ACTOR, subject=delivery, payload=payload, at=at)
    if written:
        records.set_fact(tx, _FACT, instant_text(at))
    return len(written)
