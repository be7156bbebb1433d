"""Connections are shared: never more than allowed, never by two in one dialogue, no place lost on the way."""

import asyncio

import pytest
from relay.dialogue import MESSAGE, OFFICER, SOLICITOR, TOP, WITNESS, loop_until, say
from smarthost import Stage, answer, hang_up, slow

from gateway.relay import TRY_AGAIN, pool

PARTS = (TOP, MESSAGE)


async def test_there_are_never_more_connections_than_allowed(smarthost, relay_to):
    """Smarthosts limit connections by client: max_connections holds under any load, and all mail gets through."""
    relay = relay_to(smarthost, max_connections=3)
    outcomes = await asyncio.gather(*(say(relay) for _ in range(30)))
    assert [outcome.reply.code for outcome in outcomes] == [250] * 30
    assert smarthost.most_open <= 3


async def test_a_message_waits_for_a_connection_only_so_long(smarthost, relay_to):
    """All busy for connect_timeout_s: 451; the place is not lost by the wait."""
    relay = relay_to(smarthost, max_connections=1, connect_timeout_s=0.2)
    holder = relay.begin()
    await holder.mail(OFFICER)
    assert (await say(relay)).reply == TRY_AGAIN
    assert "busy" in relay.last_trouble
    await holder.rcpt(WITNESS)
    await holder.data(PARTS)
    assert (await say(relay)).reply.code == 250
    assert len(smarthost.sessions) == 1


async def paused(relay, recipients=(WITNESS,)):
    """Return a transaction that has said all up to DATA and now waits for something else, as inspected mail does."""
    transaction = relay.begin()
    assert (await transaction.mail(OFFICER)).code == 250
    for recipient in recipients:
        assert (await transaction.rcpt(recipient)).code == 250
    return transaction


@pytest.fixture
def short_pause(monkeypatch):
    """Make a pause long enough at once."""
    monkeypatch.setattr(pool, "PARKED_S", 0.05)


@pytest.mark.usefixtures("short_pause")
async def test_who_pauses_gives_its_place_to_who_waits(smarthost, relay_to):
    """Mail that waits for a worker, or for its client, keeps no other mail from the smarthost; it is said again later (P11)."""
    relay = relay_to(smarthost, max_connections=2)
    waiting = [await paused(relay, (WITNESS, SOLICITOR)) for _ in range(2)]
    for _ in range(3):
        assert (await say(relay)).reply.code == 250
    for transaction in waiting:
        assert transaction.accepted == (WITNESS, SOLICITOR)
        assert (await transaction.data(PARTS)).code == 250
    assert [mail.recipients for mail in smarthost.mails] == [(WITNESS,)] * 3 + [(WITNESS, SOLICITOR)] * 2
    assert smarthost.most_open <= 2


@pytest.mark.usefixtures("short_pause")
@pytest.mark.parametrize("then", ["rcpt", "rewind", "abandon"])
async def test_who_gave_its_place_goes_on_where_it_was(smarthost, relay_to, then):
    """Whatever comes after the pause, the smarthost hears all of the dialogue that it needs, and no place is lost."""
    relay = relay_to(smarthost, max_connections=1)
    transaction = await paused(relay)
    assert (await say(relay)).reply.code == 250
    match then:
        case "rcpt":
            assert (await transaction.rcpt(SOLICITOR)).code == 250
            assert (await transaction.data(PARTS)).code == 250
            assert smarthost.mails[-1].recipients == (WITNESS, SOLICITOR)
        case "rewind":
            assert [reply.code for reply in await transaction.rewind(OFFICER, (SOLICITOR,))] == [250, 250]
            assert (await transaction.data(PARTS)).code == 250
            assert smarthost.mails[-1].recipients == (SOLICITOR,)
        case _:
            await transaction.abandon()
    assert (await say(relay)).reply.code == 250
    assert smarthost.most_open == 1


@pytest.mark.usefixtures("short_pause")
async def test_who_gave_its_place_is_told_when_it_gets_none_again(smarthost, relay_to):
    """What cannot be said again is temporary: nothing has been sent, and the sender still has the mail."""
    relay = relay_to(smarthost, max_connections=1, connect_timeout_s=0.5)
    transaction = await paused(relay)
    gate = asyncio.Event()
    smarthost.at(Stage.DOT, slow(gate))
    busy = asyncio.create_task(say(relay))
    await smarthost.until(lambda: len(smarthost.sessions) == 2 and "DATA" in smarthost.sessions[1].verbs)
    assert await transaction.data(PARTS) == TRY_AGAIN
    assert "busy" in transaction.trouble
    gate.set()
    assert (await busy).reply.code == 250
    assert (await say(relay)).reply.code == 250


async def test_a_place_is_kept_while_nobody_waits_or_the_pause_is_short(smarthost, relay_to):
    """Ordinary mail is inspected in a blink, and its dialogue is said once."""
    relay = relay_to(smarthost, max_connections=1)
    transaction = await paused(relay)
    other = asyncio.create_task(say(relay))
    await loop_until(lambda: relay._pool._waiters)
    assert (await transaction.data(PARTS)).code == 250
    assert (await other).reply.code == 250
    assert len(smarthost.sessions) == 1


async def test_a_place_outlives_its_connection(smarthost, relay_to):
    """A connection that fails to open, is refused, or is abandoned frees its place."""
    relay = relay_to(smarthost, max_connections=1, connect_timeout_s=5)
    smarthost.at(Stage.EHLO, answer("421 4.3.2 Closing"))
    assert (await say(relay)).reply == TRY_AGAIN
    smarthost.at(Stage.RCPT, answer("550 5.1.1 No"))
    assert (await say(relay)).reply.code == 550
    smarthost.at(Stage.DATA, hang_up(), times=2)
    assert (await say(relay)).reply == TRY_AGAIN
    waiting = relay.begin()
    await waiting.mail(OFFICER)
    await waiting.abandon()
    assert (await say(relay)).reply.code == 250


async def test_whoever_gives_up_waiting_leaves_no_gap(smarthost, relay_to):
    """A waiter that is cancelled, before or in the moment of its turn, passes the turn on."""
    relay = relay_to(smarthost, max_connections=1)
    holder = relay.begin()
    await holder.mail(OFFICER)
    await holder.rcpt(WITNESS)
    waiters = [asyncio.create_task(say(relay)) for _ in range(4)]
    await loop_until(lambda: len(relay._pool._waiters) == 4)
    waiters[0].cancel()
    await holder.data(PARTS)
    waiters[1].cancel()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, True, False, False]
    assert (await say(relay)).reply.code == 250


async def test_a_waiter_cancelled_in_the_moment_of_a_free_place_passes_it_on(smarthost, relay_to):
    """The same for a place without a connection."""
    relay = relay_to(smarthost, max_connections=1)
    holder = relay.begin()
    await holder.mail(OFFICER)
    waiter = asyncio.create_task(say(relay))
    await loop_until(lambda: relay._pool._waiters)
    await holder.abandon()
    await loop_until(lambda: not relay._pool._waiters)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert (await say(relay)).reply.code == 250


# cancellation

CANCELLED_AT = [Stage.CONNECT, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.UPLOAD, Stage.DOT]


@pytest.mark.parametrize("stage", CANCELLED_AT)
@pytest.mark.parametrize("rested", [False, True])
async def test_a_cancelled_call_leaves_no_connection_in_mid_dialogue(smarthost, relay_to, stage, rested):
    """The client left, its handler is cancelled: the next message must not hear the answers meant for this one."""
    relay = relay_to(smarthost, max_connections=1)
    if rested and stage not in (Stage.CONNECT, Stage.EHLO):
        await say(relay)
    reached = len(smarthost.mails)
    answering = asyncio.Event()
    stopped_at = asyncio.Event()

    def stop(_line: bytes) -> bool:
        stopped_at.set()
        return True

    smarthost.at(stage, slow(answering), when=stop)
    large = MESSAGE * 200_000 if stage is Stage.UPLOAD else MESSAGE
    task = asyncio.create_task(say(relay, parts=(TOP, large)))
    await asyncio.wait_for(stopped_at.wait(), 10)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answering.set()
    assert (await say(relay, recipients=(SOLICITOR,))).reply.code == 250
    assert smarthost.mails[-1].recipients == (SOLICITOR,)
    assert len(smarthost.mails) <= reached + 2
    connection = smarthost.mails[-1].connection
    assert smarthost.sessions[connection].verbs == ["EHLO", "MAIL", "RCPT", "DATA"]


async def test_a_cancelled_rewind_leaves_no_connection_in_mid_dialogue(smarthost, relay_to):
    """The same with several answers outstanding."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    await transaction.rcpt(WITNESS)
    answering = asyncio.Event()
    smarthost.at(Stage.RSET, slow(answering))
    task = asyncio.create_task(transaction.rewind(OFFICER, (SOLICITOR,)))
    await smarthost.until(lambda: "RSET" in smarthost.sessions[0].verbs)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answering.set()
    assert (await say(relay)).reply.code == 250
    assert smarthost.mails[0].connection == 1


async def test_a_replay_cancelled_while_it_connects_frees_its_place(smarthost, relay_to):
    """The place of the lost connection goes to the fresh one, or back."""
    relay = relay_to(smarthost, max_connections=1)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    await transaction.rcpt(WITNESS)
    smarthost.at(Stage.DATA, hang_up())
    smarthost.at(Stage.CONNECT, slow(asyncio.Event()))
    task = asyncio.create_task(transaction.data(PARTS))
    await smarthost.until(lambda: len(smarthost.sessions) == 2 and smarthost.sessions[0].closed)
    await loop_until(lambda: relay._pool._free == 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await say(relay)).reply.code == 250
