"""The outbox: what was approved goes out, once as far as SMTP can tell, and its failures are visible (P6, DECISIONS 8)."""

import asyncio
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
import road as roads
from road import WITNESS, Road, letter
from smarthost import Act, Smarthost, Stage, accept_and_hang_up, answer, hang_up

from gateway.cli.outbox import _retry as retry_failed
from gateway.model import Event, ItemState, OutboxKind
from gateway.settings import OutboxSettings
from gateway.store import outbox
from gateway.store.rows import DeliveryState, RecipientState

CONTACT = "nadia@home.example"
RAW = letter("HOLD this one.")


async def hold_and_release(road: Road, *recipients: str) -> None:
    await road.send(RAW, *(recipients or (CONTACT,)))
    (hold,) = road.holds()
    road.decide(hold)


def state(road: Road) -> ItemState:
    (hold,) = road.holds()
    return hold.state


def due_now(road: Road) -> None:
    """Let the pause before the next try be over."""
    path = road.store.settings.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE outbox SET next_at = '2026-01-01 00:00:00.000000'")
    database.close()


async def test_release_delivers_the_bytes_and_is_released_only_then(road: Road):
    """Original bytes and envelope; the item is releasing until the smarthost's 2xx, and no worker reads it again."""
    await hold_and_release(road)
    asked = list(road.workers.asked)
    seen = []
    road.smarthost.at(Stage.DOT, Act(), when=lambda _: bool(seen.append(state(road))) or True)
    assert await road.outbox.deliver_due() == 1
    assert seen == [ItemState.RELEASING]
    assert state(road) is ItemState.RELEASED
    assert road.sent == [((CONTACT,), RAW)]
    assert road.smarthost.mails[0].sender == "amir.khan@force.example"
    assert road.workers.asked == asked
    assert road.events()[Event.HOLD_RELEASED] == 1
    assert await road.outbox.deliver_due() == 0


async def test_only_whom_it_did_not_reach_is_tried_again(road: Road):
    """One contact taken, one put off: released only when both were taken, and nobody gets it twice."""
    await hold_and_release(road, CONTACT, WITNESS)
    road.smarthost.at(Stage.RCPT, answer("450 4.2.1 Mailbox busy"), when=WITNESS.encode())
    await road.outbox.deliver_due()
    (delivery,) = road.deliveries()
    assert [one.state for one in delivery.recipients] == [RecipientState.SENT, RecipientState.PENDING]
    assert (delivery.state, state(road)) == (DeliveryState.QUEUED, ItemState.RELEASING)
    due_now(road)
    await road.outbox.deliver_due()
    assert state(road) is ItemState.RELEASED
    assert [recipients for recipients, _ in road.sent] == [(CONTACT,), (WITNESS,)]


async def test_permanent_refusal_is_shown_and_can_be_tried_again(road: Road):
    """5xx for one of two: release_failed with the smarthost's words; released again, only that one is tried."""
    await hold_and_release(road, CONTACT, WITNESS)
    road.smarthost.at(Stage.RCPT, answer("550 5.1.1 No such person"), when=WITNESS.encode())
    await road.outbox.deliver_due()
    (delivery,) = road.deliveries()
    assert delivery.state is DeliveryState.FAILED
    assert delivery.last_reply == "550 5.1.1 No such person"
    assert state(road) is ItemState.RELEASE_FAILED
    assert road.events()[Event.HOLD_RELEASE_FAILED] == 1
    road.decide(road.holds()[0])
    await road.outbox.deliver_due()
    assert state(road) is ItemState.RELEASED
    assert [recipients for recipients, _ in road.sent] == [(CONTACT,), (WITNESS,)]


@pytest.mark.parametrize(
    ("stage", "act"),
    [
        (Stage.MAIL, answer("451 4.3.0 Later")),
        (Stage.RCPT, hang_up()),
        (Stage.DATA, answer("421 4.3.2 Shutting down", closes=True)),
        (Stage.UPLOAD, hang_up()),
        (Stage.DOT, answer("452 4.3.1 Full")),
    ],
    ids=lambda value: str(value) if isinstance(value, Stage) else "",
)
async def test_temporary_trouble_is_tried_again_after_a_growing_pause(road: Road, stage: Stage, act: Act):
    """Each failure doubles the pause; after max_tries a person is asked, and the hold says so."""
    await hold_and_release(road)
    road.smarthost.at(stage, act, times=None)
    for tries, pause in ((1, 30), (2, 60)):
        before = datetime.now(UTC)
        assert await road.outbox.deliver_due() == 1
        (delivery,) = road.deliveries()
        assert (delivery.tries, delivery.state) == (tries, DeliveryState.QUEUED)
        assert delivery.next_at - before == pytest.approx(timedelta(seconds=pause), abs=timedelta(seconds=5))
        assert await road.outbox.deliver_due() == 0, "not before its time"
        assert state(road) is ItemState.RELEASING
        due_now(road)
    await road.outbox.deliver_due()
    assert state(road) is ItemState.RELEASE_FAILED
    assert road.sent == []


async def test_possible_duplicate_is_shown(road: Road):
    """The smarthost took it and was lost before its 250: tried again, and the row says that it may be there twice."""
    await hold_and_release(road)
    road.smarthost.at(Stage.DOT, accept_and_hang_up())
    await road.outbox.deliver_due()
    (delivery,) = road.deliveries()
    assert delivery.recipients[0].last_reply.startswith("possibly delivered")
    assert delivery.interrupted == 1
    due_now(road)
    await road.outbox.deliver_due()
    assert state(road) is ItemState.RELEASED
    assert len(road.sent) == 2


async def test_what_may_have_been_taken_is_not_said_to_be_returned(road: Road):
    """The smarthost took it, was lost before its 250, and refused it the next time: nobody is told that it is not there."""
    await hold_and_release(road)
    road.smarthost.at(Stage.DOT, accept_and_hang_up())
    await road.outbox.deliver_due()
    due_now(road)
    road.smarthost.at(Stage.RCPT, answer("550 5.1.1 No such person"))
    await road.outbox.deliver_due()
    assert state(road) is ItemState.RELEASE_FAILED
    road.decide(road.holds()[0], "return")
    assert state(road) is ItemState.PARTLY_RELEASED


async def test_a_release_that_may_have_arrived_too_often_waits_for_a_person(road: Road):
    """Two copies may be out: no third goes by itself, though ordinary tries are left. A person who looked has it tried anew."""
    road.outbox._settings = OutboxSettings(max_interrupted=2)
    await hold_and_release(road)
    road.smarthost.at(Stage.DOT, accept_and_hang_up(), times=2)
    for _ in range(4):
        await road.outbox.deliver_due()
        due_now(road)
    (delivery,) = road.deliveries()
    assert (delivery.state, delivery.tries, delivery.interrupted) == (DeliveryState.FAILED, 2, 2)
    assert "may have arrived each time" in delivery.last_reply
    assert state(road) is ItemState.RELEASE_FAILED
    assert len(road.sent) == 2
    road.smarthost.at(Stage.MAIL, answer("451 4.3.0 Later"))
    road.store.write_now(lambda tx: retry_failed(tx, delivery.id, datetime.now(UTC)))
    for _ in range(2):
        await road.outbox.deliver_due()
        due_now(road)
    assert state(road) is ItemState.RELEASED, "an ordinary failure after it does not count as interrupted"
    assert [one.interrupted for one in road.deliveries()] == [2], "that it may be there twice stays shown"


async def test_a_process_that_ends_in_mid_delivery_counts_as_interrupted(road: Road):
    """Restarts give its lease back: the third process does not begin it, and nothing more is sent."""
    road.outbox._settings = OutboxSettings(max_interrupted=2)
    await hold_and_release(road)
    for _ in range(2):
        now = datetime.now(UTC)
        road.store.write_now(lambda tx, at=now: outbox.claim_deliveries(tx, "dies", at, 60, 9))
        road.store.write_now(lambda tx, at=now: outbox.give_back(tx, "dies", at))
    assert await road.outbox.deliver_due() == 1
    assert road.sent == []
    assert state(road) is ItemState.RELEASE_FAILED
    assert "interrupted 2 times" in road.deliveries()[0].last_reply


async def test_lease_of_a_dead_process_is_taken_over_and_counted(road: Road):
    """A process that died with a delivery in hand: when its lease is over another one sends it, and says so."""
    await hold_and_release(road)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with sqlite3.connect(road.store.settings.url.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE outbox SET next_at = '2026-01-01 00:00:00.000000'")
    database.close()
    road.store.write_now(lambda tx: outbox.claim_deliveries(tx, "the dead one", long_ago, 60, 10))
    assert await road.outbox.deliver_due() == 1
    assert state(road) is ItemState.RELEASED
    assert [one.interrupted for one in road.deliveries()] == [1]
    assert len(road.sent) == 1


async def test_lease_of_a_living_process_is_respected(road: Road):
    """What another process has in hand is not sent by us."""
    await hold_and_release(road)
    now = datetime.now(UTC)
    road.store.write_now(lambda tx: outbox.claim_deliveries(tx, "another", now, 600, 10))
    assert await road.outbox.deliver_due() == 0
    assert road.sent == []


async def test_result_that_could_not_be_stored_is_not_forgotten(road: Road):
    """The database is locked when the 250 comes: the result is written once it is free, and nothing is sent twice."""
    await hold_and_release(road)
    lock = sqlite3.connect(road.store.settings.url.removeprefix("sqlite:///"), isolation_level=None)
    road.smarthost.at(Stage.DOT, Act(), when=lambda _: bool(lock.execute("BEGIN IMMEDIATE")) or True)
    delivering = asyncio.create_task(road.outbox.deliver_due())
    await road.smarthost.until(lambda: bool(road.smarthost.mails))
    done, _ = await asyncio.wait(
        [delivering], timeout=1.0
    )  # busy_timeout_s of the test's store is half of it
    assert not done
    lock.rollback()
    lock.close()
    await delivering
    assert state(road) is ItemState.RELEASED
    assert len(road.sent) == 1
    assert await road.outbox.deliver_due() == 0


async def test_return_sends_the_neutral_notice_as_it_is(road: Road):
    """MAIL FROM:<>, to the officer alone, and the hold is returned at once: the notice's fate is the notice's."""
    await road.send(RAW)
    road.decide(road.holds()[0], "return")
    assert state(road) is ItemState.RETURNED
    road.smarthost.at(Stage.RCPT, answer("550 5.1.1 Left the force"))
    await road.outbox.deliver_due()
    (delivery,) = road.deliveries()
    assert (delivery.kind, delivery.state) == (OutboxKind.RETURN, DeliveryState.FAILED)
    assert road.events()[Event.NOTICE_FAILED] == 1
    assert state(road) is ItemState.RETURNED
    assert (
        road.smarthost.sessions[-1].commands[-1].startswith((b"RCPT TO:<amir.khan@force.example>", b"QUIT"))
    )


async def test_restored_backup_suspends_the_outbox(made_store, tmp_path):
    """A database older than what was sent sends nothing until a person says so (DECISIONS 8)."""
    async with Smarthost() as smarthost:
        settings = made_store.copy(tmp_path / "store")
        database = tmp_path / "store" / "gateway.db"
        first = await roads.build(tmp_path, settings, smarthost)
        await hold_and_release(first)
        first.store.close()
        shutil.copy(database, tmp_path / "backup.db")
        second = await roads.build(tmp_path, settings, smarthost)
        assert await second.outbox.deliver_due() == 1
        second.store.close()
        shutil.copy(tmp_path / "backup.db", database)
        third = await roads.build(tmp_path, settings, smarthost)
        assert await third.outbox.deliver_due() == 0
        assert third.events()[Event.OUTBOX_SUSPENDED] == 1
        assert await third.outbox.deliver_due() == 0
        assert len(third.sent) == 1
        third.store.write_now(outbox.resume)
        assert await third.outbox.deliver_due() == 1
        for one in (first, second, third):
            await one.conductor.relay.close()
        third.store.close()


async def test_run_serves_until_it_is_stopped(road: Road):
    """The loop delivers what comes, survives trouble of the smarthost, and ends when told."""
    running = asyncio.create_task(road.outbox.run())
    await hold_and_release(road)
    await road.smarthost.until(lambda: bool(road.smarthost.mails))
    road.outbox.stop()
    await asyncio.wait_for(running, 10)
    assert state(road) is ItemState.RELEASED
