"""Rule sets in the workers: what is in force can be judged by, whichever worker is replaced and whatever fails."""

import contextlib
from datetime import UTC, datetime

import pytest
from rules_tools.small_sets import POLICY

from gateway import inspection
from gateway.errors import Mistakes, NotStored, NoWorker
from gateway.model import Authored, History, Limits, Parties
from gateway.settings import InspectionSettings
from gateway.workers import Workers, pool
from gateway.workers.messages import Judged, JudgeRequest

NOBODY = Parties(
    officer=None, claimed=(), senders_disagree=False, contacts=(), private=(), others=(), involved=(),
    registry_version="", registry_stale="",
)  # fmt: skip


def a_set(number):
    policy = inspection.BundleFile(0, "policy.yaml", POLICY.replace("version: 1\n", f"version: {number}\n"))
    return inspection.Bundle(folders=("rules",), files=(policy,))


FIRST, SECOND, THIRD = map(a_set, (1, 2, 3))


@pytest.fixture
async def workers():
    """One worker of each kind, holding the first set."""
    settings = InspectionSettings(extract_workers=1, language_workers=1, spare_workers=0, language=False)
    made = Workers(settings, Limits())
    try:
        await made.start(FIRST)
        yield made
    finally:
        await made.close()


def replaced(workers):
    """End the worker that judges, as its thousandth message or a fault would; the next message meets a new one."""
    (worker,) = workers._language._alive
    workers._language._end(worker)


async def judged_by(workers, bundle):
    found = await workers.judge(
        Authored(), NOBODY, History(), at=datetime(2026, 3, 1, tzinfo=UTC), rules_hash=bundle.hash
    )
    assert found.rules_hash == bundle.hash


async def test_a_worker_replaced_during_an_adoption_knows_both_sets(workers):
    """Mail goes on being judged by the old set while the new one is written down, and by the new one after that."""
    async with workers.adopting(SECOND):
        replaced(workers)
        await judged_by(workers, FIRST)
        await judged_by(workers, SECOND)
    replaced(workers)
    await judged_by(workers, SECOND)


async def test_an_adoption_that_fails_leaves_the_old_set_to_every_new_worker(workers):
    """The store could not keep the new set: what is in force stays with all workers, and later sets come all the same."""
    for wanted in (SECOND, THIRD):
        with pytest.raises(NotStored):
            async with workers.adopting(wanted):
                raise NotStored("locked")
        replaced(workers)
        await judged_by(workers, FIRST)
        with pytest.raises(NoWorker):
            await judged_by(workers, wanted)
    async with workers.adopting(SECOND):
        pass
    await judged_by(workers, SECOND)


async def test_a_message_that_began_with_the_former_set_is_judged_by_it(workers):
    """It named its set before it was read; whoever is replaced meanwhile, it is no fault of the message."""
    async with workers.adopting(SECOND):
        pass
    replaced(workers)
    await judged_by(workers, FIRST)


async def test_a_former_set_is_forgotten_after_a_while_unless_it_came_back(workers, monkeypatch):
    """New workers need not compile what no message can name; a set that was adopted again is in force."""
    monkeypatch.setattr(pool, "_FORMER_S", 0.0)
    for bundle in (SECOND, FIRST):
        async with workers.adopting(bundle):
            pass
    with contextlib.suppress(NoWorker):
        while True:
            await judged_by(workers, SECOND)
    replaced(workers)
    await judged_by(workers, FIRST)
    assert len(workers._language.first_requests) == 1


async def test_a_wrong_set_changes_nothing(workers):
    """It is refused before any worker is told to keep it."""
    wrong = inspection.Bundle(
        folders=("rules",), files=(inspection.BundleFile(0, "policy.yaml", "version: no"),)
    )
    with pytest.raises(Mistakes):
        async with workers.adopting(wrong):
            raise AssertionError("it is wrong")
    replaced(workers)
    await judged_by(workers, FIRST)


async def test_a_set_that_is_more_than_a_worker_can_hold_is_refused():
    """It is wrong like any other: named, and not tried again each second, which would end one worker after the other."""
    settings = InspectionSettings(
        extract_workers=1, language_workers=1, spare_workers=0, language=False, worker_memory_bytes=268_435_456
    )  # fmt: skip
    made = Workers(settings, Limits())
    values = "a:\n" + "- {a: b}\n" * 9_000
    large = inspection.Bundle(
        folders=("rules",),
        files=(*FIRST.files, *(inspection.BundleFile(0, f"rule-{number}.yaml", values) for number in range(12))),
    )  # fmt: skip
    try:
        await made.start(FIRST)
        with pytest.raises(Mistakes, match=r"needed more memory than inspection\.worker_memory_bytes"):
            async with made.adopting(large):
                raise AssertionError("no worker holds it")
        await judged_by(made, FIRST)
    finally:
        await made.close()


async def test_a_set_that_a_worker_does_not_hold_is_the_machines_fault(workers):
    """Never the message's: it is put off, not held as unreadable, and the worker is replaced by one that knows."""
    request = JudgeRequest(
        authored=Authored(), parties=NOBODY, history=History(), at=datetime(2026, 3, 1, tzinfo=UTC),
        rules_hash=THIRD.hash,
    )  # fmt: skip
    before = workers._language.pids
    with pytest.raises(NoWorker, match="does not hold the rule set"):
        await workers._language.ask(request, Judged)
    await judged_by(workers, FIRST)
    assert workers._language.pids != before
