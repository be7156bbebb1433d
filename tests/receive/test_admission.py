"""Who may come in and how much at once."""

import asyncio

import pytest

from gateway.receive.admission import Connections, InFlight, Networks
from gateway.settings import SmtpSettings


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("128.0.0.1", False),
        ("::1", True),
        ("::2", False),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.1", False),
        ("::1%lo", True),
        ("2001:db8:1::5", True),
        ("2001:db8:2::5", False),
        ("", False),
        ("not an address", False),
    ],
)
def test_only_listed_networks_may_relay(address, allowed):
    """Never an open relay: what is not listed, or is no address, is refused. IPv4 inside IPv6 is IPv4."""
    networks = Networks(("127.0.0.0/8", "::1/128", "2001:db8:1::/48"))
    assert networks.allow(address) is allowed


def test_connections_are_counted_in_all_and_for_each_client():
    """Both limits hold, and a client that leaves makes room."""
    counts = Connections(SmtpSettings(max_connections=3, max_connections_per_client=2))
    assert counts.enter("a", may_relay=True)
    assert counts.enter("a", may_relay=True)
    assert not counts.enter("a", may_relay=True)
    assert counts.enter("b", may_relay=True)
    assert not counts.enter("c", may_relay=True)
    counts.leave("a", may_relay=True)
    assert counts.enter("c", may_relay=True)


def test_strangers_cannot_take_all_connections():
    """Who may not relay gets a tenth, so that the force's own servers always find room."""
    counts = Connections(SmtpSettings(max_connections=20))
    assert counts.enter("x", may_relay=False)
    assert counts.enter("y", may_relay=False)
    assert not counts.enter("z", may_relay=False)
    assert counts.enter("a", may_relay=True)
    counts.leave("x", may_relay=False)
    assert counts.enter("z", may_relay=False)


def in_flight(**changes):
    return InFlight(
        SmtpSettings(
            **{
                "max_messages_in_flight": 1,
                "max_bytes_in_flight": 1_048_576,
                "in_flight_wait_s": 60.0,
                **changes,
            }
        )
    )


async def waiting(*coroutines):
    """Start ``coroutines``, and let each come as far as it gets."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_one_message_more_waits_and_the_first_who_came_is_first():
    """A place that comes free goes to who waited longest."""
    room = in_flight()
    first = await room.enter()
    second, third = await waiting(room.enter(), room.enter())
    assert not second.done()
    first.leave()
    place = await second
    assert not third.done()
    place.leave()
    (await third).leave()
    assert await room.enter() is not None


async def test_who_waits_too_long_gets_nothing():
    """`in_flight_wait_s` is the end of patience, and leaves nothing counted."""
    room = in_flight(in_flight_wait_s=0.01)
    first = await room.enter()
    assert await room.enter() is None
    first.leave()
    assert await room.enter() is not None


async def test_octets_beyond_the_bound_wait_for_octets_given_back():
    """A growing message waits until another one is done."""
    room = in_flight(max_messages_in_flight=9)
    first, second = await room.enter(), await room.enter()
    assert await first.grow(1_000_000)
    (growing,) = await waiting(second.grow(100_000))
    assert not growing.done()
    first.leave()
    assert await growing


async def test_a_refused_message_gives_its_octets_back_before_its_end():
    """A message that is only read to its end holds nothing in memory."""
    room = in_flight(max_messages_in_flight=9)
    first, second = await room.enter(), await room.enter()
    assert await first.grow(1_000_000)
    (growing,) = await waiting(second.grow(100_000))
    first.empty()
    assert await growing
    assert first.entered


async def test_growing_fails_when_nothing_comes_free():
    """Two messages that wait for each other do not wait for ever."""
    room = in_flight(max_messages_in_flight=9, in_flight_wait_s=0.01)
    first, second = await room.enter(), await room.enter()
    assert await first.grow(600_000)
    assert await second.grow(400_000)
    assert not await first.grow(700_000)
    assert not await second.grow(700_000)
    second.leave()
    assert await first.grow(700_000)


async def test_a_message_alone_may_be_larger_than_the_bound():
    """The bound on all must not make the largest permitted message impossible."""
    room = in_flight()
    place = await room.enter()
    assert await place.grow(36_700_160)


async def test_a_small_need_is_not_kept_waiting_by_a_large_one():
    """What fits is given, although somebody who needs more waits in front."""
    room = in_flight(max_messages_in_flight=9)
    first, second, third, fourth = [await room.enter() for _ in range(4)]
    assert await first.grow(700_000)
    assert await second.grow(100_000)
    assert await fourth.grow(200_000)
    big, small = await waiting(second.grow(1_000_000), third.grow(300_000))
    assert not small.done()
    first.empty()
    assert await small
    assert not big.done()
    third.leave()
    fourth.leave()
    assert await big


async def test_who_stops_waiting_leaves_nothing_counted():
    """A waiter that is cancelled takes no room with it, even if room was given in the same moment."""
    room = in_flight()
    first = await room.enter()
    second, third = await waiting(room.enter(), room.enter())
    first.leave()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await third is not None


async def test_nobody_new_enters_while_memory_is_full():
    """A new message waits as soon as the octets are used up, not only the places."""
    room = in_flight(max_messages_in_flight=9)
    first = await room.enter()
    assert await first.grow(2_000_000)
    (entering,) = await waiting(room.enter())
    assert not entering.done()
    first.leave()
    assert await entering is not None


async def test_leaving_twice_counts_once():
    """`leave` is safe in a finally clause."""
    room = in_flight()
    first = await room.enter()
    first.leave()
    first.leave()
    assert await room.enter() is not None
    (entering,) = await waiting(room.enter())
    assert not entering.done()
    entering.cancel()
