"""The outbox when not all is well: a slow dialogue, a damaged row, a lost lease, a restored backup. Alarms go out."""

import asyncio
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from road import WITNESS, Road, letter
from smarthost import Stage, answer

from gateway import outbox as outboxes
from gateway.errors import NotStored
from gateway.model import Event, ItemState, OutboxKind
from gateway.store import items, outbox
from gateway.store.rows import DeliveryState, RecipientState

CONTACT = "nadia@home.example"


async def held(road: Road, text: str = "HOLD this one.", *recipients: str):
    """Send a message that is held, and return its hold."""
    before = {one.id for one in road.holds()}
    await road.send(letter(text, number=len(before)), *(recipients or (CONTACT,)))
    (hold,) = (one for one in road.holds() if one.id not in before)
    return hold


def change(road: Road, statement: str, *values) -> None:
    path = road.store.settings.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as database:
        database.execute(statement, values)
    database.close()


def between_answer_and_record(road: Road, happens) -> None:
    """Let another process write ``happens`` when the smarthost has answered and nobody has written that down."""
    said = road.conductor.relay.deliver

    async def deliver(mail, recipients, parts):
        dialogue = await said(mail, recipients, parts)
        road.store.write_now(happens)
        return dialogue

    road.conductor.relay.deliver = deliver


def states(road: Road) -> Counter:
    return Counter((one.kind, one.state) for one in road.deliveries())


async def until(true) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_slow_dialogue_keeps_no_alarm_waiting(road: Road):
    """Four releases hang at the smarthost; an urgent notice queued afterwards goes out at once."""
    for number in range(outboxes._AT_ONCE):
        road.decide(await held(road, f"HOLD number {number}."))
    hanging, said = asyncio.Event(), road.conductor.relay.deliver

    async def deliver(mail, recipients, parts):
        if len(parts) == 2:  # a release: its Received line and its bytes
            await hanging.wait()
        return await said(mail, recipients, parts)

    road.conductor.relay.deliver = deliver
    running = asyncio.create_task(road.outbox.run())
    await until(lambda: states(road)[OutboxKind.RELEASE, DeliveryState.LEASED] == outboxes._AT_ONCE)
    await held(road, "HOLD this URGENT one.")
    await until(lambda: states(road)[OutboxKind.NOTICE, DeliveryState.SENT] == 2)
    assert states(road)[OutboxKind.RELEASE, DeliveryState.LEASED] == outboxes._AT_ONCE
    road.outbox.stop()
    hanging.set()
    await asyncio.wait_for(running, 10)


async def test_a_slow_dialogue_keeps_no_other_release_waiting(road: Road):
    """One hangs; what is approved meanwhile takes the next place, and stopping waits for what is under way."""
    slow = await held(road, "HOLD the slow one.")
    road.decide(slow)
    let_go = asyncio.Event()
    said = road.conductor.relay.deliver

    async def deliver(mail, recipients, parts):
        if b"slow" in parts[1]:
            await let_go.wait()
        return await said(mail, recipients, parts)

    road.conductor.relay.deliver = deliver
    running = asyncio.create_task(road.outbox.run())
    await until(lambda: states(road)[OutboxKind.RELEASE, DeliveryState.LEASED] == 1)
    for number in range(6):
        road.decide(await held(road, f"HOLD number {number}."))
    await until(lambda: states(road)[OutboxKind.RELEASE, DeliveryState.SENT] == 6)
    road.outbox.stop()
    assert not (await asyncio.wait([running], timeout=0.2))[0]
    let_go.set()
    await asyncio.wait_for(running, 10)
    assert states(road) == {(OutboxKind.RELEASE, DeliveryState.SENT): 7}


@pytest.mark.parametrize("damaged", ["mail", "address", "message"])
async def test_one_that_cannot_be_opened_fails_and_the_others_go_out(road: Road, damaged: str):
    """It is release_failed, in list, log and audit log, with the reason; the release behind it is delivered."""
    first, second = await held(road, "HOLD one."), await held(road, "HOLD two.")
    for hold in (first, second):
        road.decide(hold)
    (row,) = (one for one in road.deliveries() if one.item_id == first.id)
    junk = bytes(60)
    if damaged == "mail":
        change(road, "UPDATE outbox SET mail = ? WHERE id = ?", junk, row.id)
    elif damaged == "address":
        change(road, "UPDATE outbox_recipients SET address = ? WHERE outbox_id = ?", junk, row.id)
    else:
        change(road, "UPDATE item_messages SET message = ? WHERE item_id = ?", junk, first.id)
    with structlog.testing.capture_logs() as logged:
        assert await road.outbox.deliver_due() == 2
    found = {one.id: one.state for one in road.holds()}
    assert found == {first.id: ItemState.RELEASE_FAILED, second.id: ItemState.RELEASED}
    (failed,) = (one for one in road.deliveries() if one.item_id == first.id)
    assert (failed.state, failed.interrupted) == (DeliveryState.FAILED, 0)
    assert "cannot open it" in failed.last_reply
    assert road.events()[Event.HOLD_RELEASE_FAILED] == 1
    assert [one["log_level"] for one in logged if one["event"] == "outbox:not-opened"] == ["error"]
    assert len(road.sent) == 1


async def test_a_fault_of_ours_over_one_delivery_ends_in_a_failure(road: Road):
    """It counts as a try and as a possible duplicate, and after max_tries a person is asked; it does not go round for ever."""
    hold = await held(road)
    road.decide(hold)

    async def deliver(mail, recipients, parts):
        raise ValueError("a bug, with nadia@home.example in its text")

    road.conductor.relay.deliver = deliver
    for _ in range(3):
        change(road, "UPDATE outbox SET next_at = '2026-01-01T00:00:00.000000Z'")
        assert await road.outbox.deliver_due() == 1
    (delivery,) = road.deliveries()
    assert (delivery.state, delivery.tries, delivery.interrupted) == (DeliveryState.FAILED, 3, 3)
    assert "nadia" not in delivery.last_reply
    assert [one.state for one in road.holds()] == [ItemState.RELEASE_FAILED]


async def test_what_ends_every_process_that_sends_it_is_given_up(road: Road):
    """Each may have sent it before it ended: the contact gets no copy a restart for ever, and a person is asked."""
    hold = await held(road)
    road.decide(hold)
    for number in range(1, 4):
        later = datetime.now(UTC) + timedelta(hours=number)
        assert (
            len(road.store.write_now(lambda tx, at=later: outbox.claim_deliveries(tx, "dies", at, 60, 9)))
            == 1
        )
    change(road, "UPDATE outbox SET lease_until = '2026-01-01T00:00:00.000000Z'")
    assert await road.outbox.deliver_due() == 1
    (delivery,) = road.deliveries()
    assert (road.sent, delivery.state, delivery.interrupted) == ([], DeliveryState.FAILED, 3)
    assert "interrupted" in delivery.last_reply
    assert [one.state for one in road.holds()] == [ItemState.RELEASE_FAILED]


async def test_a_copy_taken_after_the_lease_ended_is_remembered(road: Road):
    """One of two took it while another process had the lease: it is written down, and that one never gets it again."""
    road.decide(await held(road, "HOLD this one.", CONTACT, WITNESS))
    road.smarthost.at(Stage.RCPT, answer("450 4.2.1 Mailbox busy"), when=WITNESS.encode())
    (row,) = road.deliveries()

    def elsewhere(tx):
        later = datetime.now(UTC) + timedelta(hours=1)
        (stolen,) = outbox.claim_deliveries(tx, "another", later, 900, 9)
        assert stolen.id == row.id

    between_answer_and_record(road, elsewhere)
    with structlog.testing.capture_logs() as logged:
        assert await road.outbox.deliver_due() == 1
    (after,) = road.deliveries()
    assert [one.state for one in after.recipients] == [RecipientState.SENT, RecipientState.PENDING]
    assert (after.state, after.lease_owner) == (DeliveryState.LEASED, "another")
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["outbox:lease-lost"]


async def test_a_lease_that_is_lost_is_said(road: Road):
    """Renewing goes on through a fault of the store's, and ends with a line in the log when the lease is another's."""
    road.decide(await held(road))
    (row,) = road.deliveries()
    road.outbox._settings = road.outbox._settings.model_copy(update={"lease_s": 0.03})
    write, calls = road.store.write, []

    async def stumbles(job):
        calls.append(job)
        if len(calls) == 1:
            raise KeyError("a bug")
        return await write(job)

    road.store.write = stumbles
    with structlog.testing.capture_logs() as logged:
        await asyncio.wait_for(road.outbox._keep_lease(row.id), 10)
    assert [one["event"] for one in logged] == ["outbox:fault-of-ours", "outbox:lease-lost"]


async def test_a_suspended_outbox_tells_of_urgent_holds_and_of_itself(road: Road, monkeypatch):
    """After a restore no release goes out; an urgent hold is told all the same, and the log says so again and again."""
    road.decide(await held(road))
    change(road, "UPDATE meta SET value = '-1' WHERE name = 'outbox_mark'")
    monkeypatch.setattr(outboxes, "_SAY_AGAIN_S", 0.0)
    with structlog.testing.capture_logs() as logged:
        assert await road.outbox.deliver_due() == 0
        await held(road, "HOLD this URGENT one.")
        assert await road.outbox.deliver_due() == 2
    assert [one["event"] for one in logged].count("outbox:suspended") == 2
    assert road.events()[Event.OUTBOX_SUSPENDED] == 1
    assert states(road) == {
        (OutboxKind.NOTICE, DeliveryState.SENT): 2,
        (OutboxKind.RELEASE, DeliveryState.QUEUED): 1,
    }


@pytest.mark.parametrize("since", [ItemState.RELEASE_FAILED, ItemState.PARTLY_RELEASED])
async def test_a_copy_taken_after_another_gave_up_is_remembered(road: Road, since: ItemState):
    """The other process failed with it, and perhaps a person decided: that the contact has it is written down all the same."""
    hold = await held(road)
    road.decide(hold)

    def elsewhere(tx):
        later = datetime.now(UTC) + timedelta(hours=1)
        (stolen,) = outbox.claim_deliveries(tx, "another", later, 900, 9)
        outbox.record_results(tx, stolen.id, [(0, RecipientState.FAILED, "554 5.7.1 No")], later)
        outbox.fail(tx, stolen.id, "another", "554 5.7.1 No")
        items.set_state(tx, hold.id, ItemState.RELEASING, ItemState.RELEASE_FAILED)
        if since is not ItemState.RELEASE_FAILED:
            items.set_state(tx, hold.id, ItemState.RELEASE_FAILED, since)

    between_answer_and_record(road, elsewhere)
    with structlog.testing.capture_logs() as logged:
        assert await road.outbox.deliver_due() == 1
    (after,) = road.deliveries()
    assert (after.state, [one.state for one in after.recipients]) == (
        DeliveryState.SENT,
        [RecipientState.SENT],
    )
    assert road.events()[Event.HOLD_RELEASED] == 1
    failed = since is ItemState.RELEASE_FAILED
    assert [one.state for one in road.holds()] == [ItemState.RELEASED if failed else since]
    errors = [one["event"] for one in logged if one["log_level"] == "error"]
    assert errors == ([] if failed else ["outbox:sent-after-decision"])


async def test_answers_of_a_second_release_are_kept_when_the_first_arrived_after_all(road: Road):
    """One was thought lost and released anew; while the second is under way the first turns out taken. Both are written down."""
    hold = await held(road, "HOLD this one.", CONTACT, WITNESS)
    road.decide(hold)
    (first,) = road.deliveries()

    def given_up(tx):
        now = datetime.now(UTC)
        outbox.claim_deliveries(tx, "another", now, 900, 9)
        outbox.fail(tx, first.id, "another", "451 4.3.0 Nobody knows")
        items.set_state(tx, hold.id, ItemState.RELEASING, ItemState.RELEASE_FAILED)

    def arrived(tx):
        now = datetime.now(UTC)
        taken = [(place, RecipientState.SENT, "250 2.0.0 Ok") for place in (0, 1)]
        outbox.record_results(tx, first.id, taken, now)
        outbox.finish(tx, first.id, "another", now)
        items.set_state(tx, hold.id, ItemState.RELEASING, ItemState.RELEASED)

    road.store.write_now(given_up)
    road.decide(hold)
    road.smarthost.at(Stage.RCPT, answer("550 5.7.1 No"), when=WITNESS.encode())
    between_answer_and_record(road, arrived)
    with structlog.testing.capture_logs() as logged:
        assert await road.outbox.deliver_due() == 1
    (second,) = (one for one in road.deliveries() if one.id != first.id)
    assert [one.state for one in second.recipients] == [RecipientState.SENT, RecipientState.FAILED]
    assert (second.state, second.lease_owner) == (DeliveryState.FAILED, "")
    assert [one.state for one in road.holds()] == [ItemState.RELEASED]
    assert "outbox:failed-after-decision" in [one["event"] for one in logged]


@pytest.mark.parametrize("word", ["URGENT ", ""])
async def test_what_is_given_up_is_said(road: Road, word: str):
    """An alarm that nobody got, and a release that failed, are errors in the log, without an address."""
    await held(road, f"HOLD this {word}one.")
    if not word:
        road.decide(road.holds()[0])
    road.smarthost.at(Stage.RCPT, answer(f"550 5.1.1 <{CONTACT}> unknown"), times=9)
    with structlog.testing.capture_logs() as logged:
        assert await road.outbox.deliver_due() > 0
    failed = [one for one in logged if one["event"] == "outbox:failed"]
    kind = OutboxKind.NOTICE if word else OutboxKind.RELEASE
    assert {(one["log_level"], one["kind"]) for one in failed} == {("error", kind)}
    assert "@" not in str(failed)


async def test_what_was_claimed_unseen_is_tried_at_once(road: Road):
    """The store answered too late, and the claim stood all the same: an alarm does not wait for the lease to end."""
    await held(road, "HOLD this URGENT one.")
    write = road.store.write

    async def late(job):
        await write(job)
        raise NotStored("the store did not answer in 20 s")

    road.store.write = late
    async with asyncio.TaskGroup() as deliveries:
        with pytest.raises(NotStored):
            await road.outbox._begin_due(deliveries)
    assert states(road) == {(OutboxKind.NOTICE, DeliveryState.LEASED): 2}
    road.store.write = write
    assert await road.outbox.deliver_due() == 2
    assert states(road) == {(OutboxKind.NOTICE, DeliveryState.SENT): 2}
    assert [(one.tries, one.interrupted) for one in road.deliveries()] == [(1, 0), (1, 0)]


async def test_what_is_under_way_is_not_taken_for_claimed_unseen(road: Road):
    """A claim that failed gives back its own rows alone: what the smarthost is being told is not told twice."""
    road.decide(await held(road))
    hanging, said, write = asyncio.Event(), road.conductor.relay.deliver, road.store.write

    async def deliver(mail, recipients, parts):
        await hanging.wait()
        return await said(mail, recipients, parts)

    async def late(job):
        await write(job)
        raise NotStored("the store did not answer in 20 s")

    road.conductor.relay.deliver = deliver
    async with asyncio.TaskGroup() as deliveries:
        assert await road.outbox._begin_due(deliveries) == 1
        road.store.write = late
        with pytest.raises(NotStored):
            await road.outbox._begin_due(deliveries)
        road.store.write = write
        assert await road.outbox._begin_due(deliveries) == 0
        hanging.set()
    assert [(one.state, one.interrupted) for one in road.deliveries()] == [(DeliveryState.SENT, 0)]
    assert len(road.sent) == 1
