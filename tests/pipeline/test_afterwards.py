"""What is written after the sender has its answer: together, but never lost while the process lives."""

from gateway.store import records


async def test_what_nobody_waits_for_shares_a_transaction(road):
    """Ten outcomes within a moment cost the disk one sync, not ten."""
    before = road.store.commits
    for number in range(10):
        road.conductor.afterwards(
            lambda tx, number=number: records.set_fact(tx, f"fact{number}", "written"), "not-recorded"
        )
    await road.conductor.settle()
    assert road.store.commits - before <= 2
    written = road.store.read_now(lambda tx: [records.fact(tx, f"fact{number}") for number in range(10)])
    assert written == ["written"] * 10


async def test_what_a_retry_must_find_is_not_left_waiting(road):
    """Copies that went out are noted at once, and take with them what waited."""
    order = []
    road.conductor.afterwards(lambda tx: order.append("outcome"), "not-recorded")
    road.conductor.afterwards(lambda tx: order.append("copies"), "not-recorded", at_once=True)
    await road.conductor.settle()
    assert order == ["outcome", "copies"]
    assert road.conductor._timer is None
