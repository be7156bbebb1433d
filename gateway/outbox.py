"""What was approved goes out: the loop in `serve` that delivers releases, returns, notices and calls of the webhook.

Stands beside `pipeline` and never meets it: nothing here is inspected a second time. Owns when a delivery is tried
again and what an answer of the smarthost means for it; `store.outbox` owns the rows and the leases, `relay` the
dialogue. "Released" is written only after the smarthost's 2xx for each recipient (P6). Delivery is at least once: a
process killed between the smarthost's 250 and our commit sends again, and the row says so (DECISIONS 8).
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from gateway import audit
from gateway.errors import GatewayError, NotStored, Refused, Sealed, origin
from gateway.model import Envelope, Event, ItemState, OutboxKind, Reply
from gateway.pipeline import received_line, without_addresses
from gateway.relay import Delivery as Dialogue
from gateway.relay import Relay
from gateway.settings import LONGEST_UNDO_S, OutboxSettings
from gateway.store import Store, Tx, items, outbox
from gateway.store.rows import Delivery, DeliveryRecipient, RecipientState
from gateway.webhook import Webhook

log = structlog.get_logger("gateway.outbox")

ACTOR = "outbox"
_AT_ONCE = 4
"""Dialogues at once, and as many alarms beside them."""
_SAY_AGAIN_S = 3600.0
_RENEWALS = 3
_CLAIMS_REMEMBERED = 1000
"""More than fail within a lease, at one a second: what was claimed before that is claimed anew by its end."""
_FAILED_HINT = "gateway outbox list --state failed says why; gateway outbox retry tries it again."
_ARRIVED_HINT = "A copy went out that was thought undelivered: tell whoever decided since."
_TAKEN = Reply(code=250, lines=("OK",))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What one dialogue means for one recipient."""

    recipient: DeliveryRecipient
    state: RecipientState
    reply: Reply


class Outbox:
    """The deliveries of one process. `run` serves until `stop`."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        webhook: Webhook,
        settings: OutboxSettings,
        hostname: str,
        process: str,
    ) -> None:
        """``process`` names this process in leases; ``hostname`` stands in the Received line of releases."""
        self._webhook = webhook
        self._store = store
        self._relay = relay
        self._settings = settings
        self._hostname = hostname
        self._process = process
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        """Set when there is a reason to look before `outbox.poll_s` is over: a place is free, or it is to stop."""
        self._under_way: dict[str, Delivery] = {}
        self._unseen: deque[datetime] = deque(maxlen=_CLAIMS_REMEMBERED)
        """When we claimed and the store did not answer: it may have written it down all the same."""
        self._said_suspended = -_SAY_AGAIN_S

    async def run(self) -> None:
        """Deliver what is due, again and again, until `stop`; trouble is logged and does not end it.

        A dialogue may take minutes, and the next look does not wait for it: what becomes due meanwhile goes out beside
        it as long as there is a place, and an alarm never waits for a place that other mail has.
        """
        async with asyncio.TaskGroup() as deliveries:
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    begun = await self._begin_due(deliveries)
                except GatewayError as trouble:
                    log.warning("outbox:trouble", error=str(trouble), hint=trouble.hint)
                    begun = 0
                except Exception as bug:  # noqa: BLE001 - the edge
                    log.error("outbox:fault-of-ours", error=type(bug).__name__, where=origin(bug))
                    begun = 0
                if not begun:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), self._settings.poll_s)

    def stop(self) -> None:
        """Claim no more; `run` returns once the deliveries under way are written."""
        self._stopping.set()
        self._wake.set()

    async def deliver_due(self) -> int:
        """Deliver what is due now, a few at once, and return how many were tried."""
        async with asyncio.TaskGroup() as deliveries:
            return await self._begin_due(deliveries)

    async def _begin_due(self, deliveries: asyncio.TaskGroup) -> int:
        """Claim what is due, as far as there are places, begin to deliver it, and return how many there are."""
        alarms = sum(one.is_alarm for one in self._under_way.values())
        now = datetime.now(UTC)
        claim = partial(
            self._claim,
            now,
            _AT_ONCE - (len(self._under_way) - alarms),
            _AT_ONCE - alarms,
            tuple(self._unseen),
        )
        try:
            claimed = await self._store.write(claim)
        except NotStored:
            self._unseen.append(now)
            raise
        self._unseen.clear()
        for delivery in claimed:
            self._under_way[delivery.id] = delivery
            deliveries.create_task(self._attempt(delivery))
        return len(claimed)

    def _claim(
        self, now: datetime, limit: int, alarms: int, unseen: tuple[datetime, ...], tx: Tx
    ) -> tuple[Delivery, ...]:
        outbox.take_back(tx, self._process, unseen, self._settings.lease_s)
        if why := outbox.notice_restore(tx, now):
            payload: dict[str, audit.Value] = {"why": why}
            audit.append(tx, Event.OUTBOX_SUSPENDED, actor=ACTOR, subject="outbox", payload=payload, at=now)
        tx.after_commit(partial(self._say_suspended, outbox.suspension(tx)))
        return outbox.claim_deliveries(
            tx,
            self._process,
            now,
            self._settings.lease_s,
            limit,
            alarms=alarms,
            longest_pause_s=max(self._settings.max_retry_s, LONGEST_UNDO_S),
        )

    def _say_suspended(self, why: str) -> None:
        """Log that the outbox is suspended, again and again while it is: nothing else says so by itself."""
        if not why:
            self._said_suspended = -_SAY_AGAIN_S
        elif time.monotonic() - self._said_suspended >= _SAY_AGAIN_S:
            self._said_suspended = time.monotonic()
            hint = "Compare with the smarthost's log, then gateway outbox resume."
            log.error("outbox:suspended", why=why, hint=hint)

    async def _attempt(self, delivery: Delivery) -> None:
        """Deliver, and give the place back whatever happens; a bug over one delivery must not end the others."""
        try:
            await self._deliver(delivery)
        except Exception as bug:  # noqa: BLE001 - the edge
            log.error(
                "outbox:fault-of-ours", delivery=delivery.id, error=type(bug).__name__, where=origin(bug)
            )
        finally:
            self._under_way.pop(delivery.id, None)
            self._wake.set()

    async def _deliver(self, delivery: Delivery) -> None:
        renewing = asyncio.get_running_loop().create_task(self._keep_lease(delivery.id))
        try:
            dialogue = await self._dialogue(delivery)
            if dialogue.trouble:
                log.warning("smarthost:trouble", error=without_addresses(dialogue.trouble))
            await self._write_result(delivery, dialogue)
        finally:
            renewing.cancel()

    async def _dialogue(self, delivery: Delivery) -> Dialogue:
        """Return what came of it. What went wrong on our side is an answer like a smarthost's: it ends somewhere (P6)."""
        # The last of them never ended: whoever sends it may end over it.
        if delivery.tries > self._settings.max_tries or self._is_too_doubtful(delivery, delivery.lost):
            return _unsaid(451, f"4.3.0 {_in_doubt(delivery.lost)}", uncertain=False)
        begun = False
        try:
            parts = await self._store.read(partial(self._bytes_of, delivery))
            begun = True
            if delivery.kind is OutboxKind.WEBHOOK:
                return await self._called(delivery, b"".join(parts))
            recipients = tuple(one.address for one in delivery.pending)
            return await self._relay.deliver(delivery.mail, recipients, parts)
        except Sealed as trouble:
            log.error("outbox:not-opened", delivery=delivery.id, error=str(trouble), hint=trouble.hint)
            return _unsaid(554, f"5.3.0 The gateway cannot open it: {trouble}", uncertain=False)
        except NotStored as trouble:
            log.warning("outbox:trouble", delivery=delivery.id, error=str(trouble), hint=trouble.hint)
            return _unsaid(451, "4.3.0 The gateway could not read it", uncertain=False)
        except Exception as bug:  # noqa: BLE001 - the edge
            log.error(
                "outbox:fault-of-ours", delivery=delivery.id, error=type(bug).__name__, where=origin(bug)
            )
            return _unsaid(451, "4.3.0 A fault of the gateway", uncertain=begun)

    async def _called(self, delivery: Delivery, body: bytes) -> Dialogue:
        """Call the webhook, and return its answer as if a smarthost had given it: one place reads both."""
        answer = await self._webhook.post(body)
        if not answer.is_positive:
            log.warning("webhook:trouble", answer=str(answer), tries=delivery.tries)
        taken = tuple((one.address, _TAKEN) for one in delivery.pending)
        return Dialogue(mail=_TAKEN, recipients=taken, data=answer, uncertain=False)

    async def _write_result(self, delivery: Delivery, dialogue: Dialogue) -> None:
        """Write what the smarthost said, again and again until it is stored: forgotten, it would be sent twice."""
        job = partial(self._record, delivery, dialogue, datetime.now(UTC))
        while True:
            try:
                await self._store.write(job)
            except NotStored as trouble:
                log.error(
                    "outbox:result-not-stored", delivery=delivery.id, error=str(trouble), hint=trouble.hint
                )
                await asyncio.sleep(self._settings.poll_s)
            except Refused as lost:
                log.error("outbox:result-not-recorded", delivery=delivery.id, error=str(lost))
                return
            else:
                return

    async def _keep_lease(self, delivery_id: str) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_s / _RENEWALS)
            now = datetime.now(UTC)
            try:
                kept = await self._store.write(
                    lambda tx: outbox.renew(tx, delivery_id, self._process, now, self._settings.lease_s)  # noqa: B023
                )
            except NotStored:
                continue  # tried again in a third of the lease; the dialogue goes on
            except Exception as bug:  # noqa: BLE001 - the edge; the dialogue goes on
                log.error(
                    "outbox:fault-of-ours", delivery=delivery_id, error=type(bug).__name__, where=origin(bug)
                )
                continue
            if not kept:
                log.error("outbox:lease-lost", delivery=delivery_id)
                return

    def _bytes_of(self, delivery: Delivery, tx: Tx) -> tuple[bytes, ...]:
        """Return what goes out: a release is the bytes as received under the line it would have had (P2). Raises Sealed."""
        if delivery.unopened:
            raise Sealed(delivery.unopened)
        message = outbox.message_of(tx, delivery.id)
        if delivery.kind is not OutboxKind.RELEASE:
            return (message,)
        assert delivery.item_id is not None, "a release is of an item"
        return (
            received_line(delivery.item_id, self._envelope_of(tx, delivery.item_id), self._hostname),
            message,
        )

    @staticmethod
    def _envelope_of(tx: Tx, item_id: str) -> Envelope:
        full = items.item_in_full(tx, item_id)
        assert full is not None, "items are never deleted"
        return full.envelope

    def _record(self, delivery: Delivery, dialogue: Dialogue, at: datetime, tx: Tx) -> None:
        """Write what the smarthost said, and what follows from it for the delivery and its item."""
        answers = tuple(_answers(delivery, dialogue))
        doubt = "possibly delivered: " if dialogue.uncertain else ""
        results = [(one.recipient.position, one.state, f"{doubt}{one.reply}") for one in answers]
        outbox.record_results(tx, delivery.id, results, at)
        if dialogue.uncertain:
            outbox.note_doubt(tx, delivery.id)
        states = {answer.state for answer in answers} | {
            one.state for one in delivery.recipients if one.state is not RecipientState.PENDING
        }
        last = next((str(answer.reply) for answer in answers if answer.state is not RecipientState.SENT), "")
        sent = states == {RecipientState.SENT}
        again = RecipientState.PENDING in states and delivery.tries < self._settings.max_tries
        lost = delivery.lost + dialogue.uncertain
        if again and self._is_too_doubtful(delivery, lost):
            again, last = False, f"{last}. {_in_doubt(lost)}" if dialogue.uncertain else last
        try:
            if sent:
                outbox.finish(tx, delivery.id, self._process, at)
            elif again:
                outbox.retry_later(tx, delivery.id, self._process, at + self._pause(delivery.tries), last)
            else:
                outbox.fail(tx, delivery.id, self._process, last)
        except (
            Refused
        ) as lost:  # what became of each copy stays written all the same: forgotten, it would be sent twice
            why = str(lost)
            tx.after_commit(lambda: log.error("outbox:lease-lost", delivery=delivery.id, error=why))
            return
        if not again:
            self._close(tx, delivery, at, sent=sent)
        tx.after_commit(
            lambda: log.info(
                "outbox:tried",
                delivery=delivery.id,
                kind=delivery.kind,
                item=delivery.item_id,
                states=sorted(states),
                code=answers[0].reply.code if answers else 0,
                tries=delivery.tries,
            )
        )

    def _close(self, tx: Tx, delivery: Delivery, at: datetime, *, sent: bool) -> None:
        """Write the end of a delivery into item and audit log."""
        release = delivery.kind is OutboxKind.RELEASE
        if release:
            assert delivery.item_id is not None, "a release is of an item"
            self._move_item(tx, delivery.item_id, sent=sent)
        event = {
            (True, True): Event.HOLD_RELEASED,
            (True, False): Event.HOLD_RELEASE_FAILED,
            (False, True): Event.NOTICE_SENT,
            (False, False): Event.NOTICE_FAILED,
        }[release, sent]
        payload: dict[str, audit.Value] = {
            "delivery": delivery.id,
            "tries": delivery.tries,
            "interrupted": delivery.interrupted,
        }
        audit.append(tx, event, actor=ACTOR, subject=delivery.item_id or delivery.id, payload=payload, at=at)
        if not sent:  # of a digest, which is about no item, the next one says the same
            say = log.error if delivery.item_id else log.warning
            told = partial(say, "outbox:failed", delivery=delivery.id, kind=delivery.kind)
            tx.after_commit(partial(told, item=delivery.item_id, hint=_FAILED_HINT))

    @staticmethod
    def _move_item(tx: Tx, item_id: str, *, sent: bool) -> None:
        """Move the item of a release that ended. What its copies came to stays written whatever the item has become meanwhile.

        Another process may have lost the same delivery while this one waited for its answer, and a person decided
        since; or an earlier release, thought undelivered, arrived while this one was under way.
        """
        states = (ItemState.RELEASING, *((ItemState.RELEASE_FAILED,) if sent else ()))
        event = "outbox:sent-after-decision" if sent else "outbox:failed-after-decision"
        try:
            items.set_state(tx, item_id, states, ItemState.RELEASED if sent else ItemState.RELEASE_FAILED)
        except Refused as late:
            hint = _ARRIVED_HINT if sent else "The item stays as it is; its deliveries say who has a copy."
            tx.after_commit(partial(log.error, event, item=item_id, error=str(late), hint=hint))

    def _is_too_doubtful(self, delivery: Delivery, lost: int) -> bool:
        """Return whether no more copies may go out before a person has looked; of what is not a release, one too many does no harm."""
        return delivery.kind is OutboxKind.RELEASE and lost >= self._settings.max_interrupted

    def _pause(self, tries: int) -> timedelta:
        """Return how long to wait after the ``tries``-th failure: doubling, with a ceiling."""
        doubled = self._settings.first_retry_s * 2.0 ** min(tries - 1, 30)
        return timedelta(seconds=min(doubled, self._settings.max_retry_s))


def _in_doubt(lost: int) -> str:
    """Return what a person is to do about a release that may have arrived, and may have arrived more than once."""
    return (
        f"The delivery was interrupted {lost} times and may have arrived each time: look in the smarthost's log before it "
        "is released or tried again"
    )


def _unsaid(code: int, why: str, *, uncertain: bool) -> Dialogue:
    """Return the dialogue that did not come about, with the reason where the answer to MAIL would be."""
    return Dialogue(mail=Reply(code=code, lines=(why,)), recipients=(), data=None, uncertain=uncertain)


def _answers(delivery: Delivery, dialogue: Dialogue) -> Iterator[_Answer]:
    """Yield what the dialogue means for each recipient that was still pending."""
    said = dict(dialogue.recipients)
    for recipient in delivery.pending:
        reply = said.get(recipient.address, dialogue.mail)
        if reply.is_positive and dialogue.data is not None:
            reply = dialogue.data
        taken = reply.is_positive and dialogue.data is not None
        state = (
            RecipientState.SENT
            if taken
            else RecipientState.FAILED
            if reply.is_permanent
            else RecipientState.PENDING
        )
        yield _Answer(recipient=recipient, state=state, reply=reply)
