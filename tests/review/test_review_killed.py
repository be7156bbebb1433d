"""kill -9 in the middle of every decision: afterwards it is decided or not, never half; a release is delivered once."""

import asyncio
import os
import signal
import smtplib
from itertools import count

import pytest
from gateway_process import ADVANCE, CONTACT, OFFICER, SUPERVISOR, GatewayProcess, mail
from smarthost import Smarthost
from sqlalchemy import event
from stores import NOW, a_verdict, an_envelope, an_item

from gateway import audit
from gateway.model import ItemKind, ItemState, Severity, StaffId
from gateway.review import claims
from gateway.review.decisions import Actor, Wish, decide, person_called
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import Store, items, outbox
from gateway.store import claims as claim_rows
from gateway.store.rows import DecisionAction as Do

KHAN = StaffId("4417")
PSD = "judith.marsh@force.example"
WORDS = "The words are about the hearing, not about her."
CASES = ["claim", "approve", *(action for action in Do if action is not Do.APPROVE)]


def prepared(store, registry, case):
    """Put an item into the store that stands where ``case`` can be decided, and return its id."""
    grave = case == "approve"
    verdict = a_verdict()
    if grave:
        from dataclasses import replace

        verdict = replace(verdict, findings=(replace(verdict.findings[0], severity=Severity.CRITICAL),))
    item = an_item(
        officer=KHAN, senders=(KHAN,), excluded=(KHAN,), contacts=("P-1",), recipients=(CONTACT,), verdict=verdict,
        envelope=an_envelope(CONTACT, sender=OFFICER),
        kind=ItemKind.FLAG if case in {Do.CONFIRM, Do.FALSE_ALARM} else ItemKind.HOLD,
    )  # fmt: skip
    store.write_now(lambda tx: items.add_item(tx, item))
    before = {Do.UNDO: Do.RELEASE, Do.REOPEN: Do.RETURN}.get(case)
    if before:
        assert not store.write_now(lambda tx: wanted(tx, item.id, before, registry)).refused
    return item.id


def wanted(tx, item, case, registry):
    """Do what ``case`` says, in the transaction at hand."""
    actor = Actor(person=person_called(tx, registry, PSD), registry=registry, system="system:test")
    if case == "claim":
        return claims.claim(tx, item, actor, NOW, ReviewSettings())
    action = Do.RELEASE if case == "approve" else case
    wish = Wish(item_id=item, action=action, reason=WORDS)
    return decide(tx, wish, actor, NOW, review=ReviewSettings(), notice=NoticeSettings())


def everything(settings, item):
    """Return all that a decision touches, as somebody finds it who opens the store afterwards."""
    with Store.open(settings) as store:
        return store.read_now(
            lambda tx: (
                items.item(tx, item),
                items.approved_release(tx, item),
                items.decisions_of(tx, item),
                outbox.deliveries_of(tx, item),
                claim_rows.claim_of(tx, item, NOW),
                [(row.event, row.subject) for row in audit.entries(tx)],
                audit.verify(tx).is_whole,
            )
        )


def killed_at(number, settings, job):
    """Run ``job`` in a process of its own that kills itself before its ``number``-th step; return whether it did.

    Its steps are the statements of the transaction, its commit, and the moment after that.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    steps = count(1)

    def step(*_):
        if next(steps) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with Store.open(settings) as store:
        event.listen(store.engine, "before_cursor_execute", step)
        event.listen(store.engine, "commit", step)
        store.write_now(job)
        step()
    os._exit(0)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_killed_before_each_step_it_is_decided_or_not(sqlite, registry, tmp_path, case):
    """Before the commit nothing is there, after it everything, whichever statement the kill falls before."""
    settings = sqlite.copy(tmp_path / "store")
    with Store.open(settings) as store:
        item = prepared(store, registry, case)
    before = everything(settings, item)
    found = []
    for number in count(1):
        was_killed = killed_at(number, settings, lambda tx: wanted(tx, item, case, registry))
        found.append(everything(settings, item))
        if found[-1] != before:
            break
        assert was_killed, "it ended, and did nothing"
    assert len(found) > 5
    after = found[-1]
    assert after[-1], "the chain is whole"
    assert len(after[5]) == len(before[5]) + (2 if case is Do.RETURN else 1)
    assert len(after[2]) == len(before[2]) + (case != "claim")
    assert len(after[3]) == len(before[3]) + (case in {Do.RELEASE, Do.RETURN})


@pytest.mark.slow
async def test_a_release_survives_kills_and_is_delivered_once(tmp_path):
    """The relay is killed while a release waits for second thoughts: it goes out afterwards, once; an undone one never."""
    more = {"review": {"undo_s": 4}, "inspection": {"language": False}}
    async with (
        Smarthost() as smarthost,
        GatewayProcess(tmp_path, next_hop=smarthost.port, more=more) as gateway,
    ):

        def send(text):
            with smtplib.SMTP("127.0.0.1", gateway.port) as client:
                client.sendmail(OFFICER, [CONTACT], mail(text))

        await asyncio.to_thread(send, ADVANCE)
        await asyncio.to_thread(send, ADVANCE + " Please say yes.")
        goes, undone = await asyncio.to_thread(gateway.lines, "holds", "list")
        for hold in (goes, undone):
            await asyncio.to_thread(
                gateway.run, "holds", "release", hold["id"], "--as", SUPERVISOR, "--reason", WORDS
            )
            if hold is undone:
                gateway.kill()
                await asyncio.to_thread(gateway.run, "holds", "undo", hold["id"], "--as", SUPERVISOR)
        await gateway.start()
        async with asyncio.timeout(90):
            while await asyncio.to_thread(gateway.lines, "holds", "list", "--state", "releasing"):
                await asyncio.sleep(0.2)
        states = {
            line["id"]: line["state"]
            for line in await asyncio.to_thread(gateway.lines, "holds", "list", "--state", "all")
        }
        assert states == {goes["id"]: ItemState.RELEASED, undone["id"]: ItemState.HELD}
        taken = [one for one in smarthost.mails if CONTACT in one.recipients]
        assert len(taken) == 1
        assert b"Please say yes" not in taken[0].data
        deliveries = await asyncio.to_thread(gateway.lines, "outbox", "list", "--state", "all")
        assert sorted(one["delivery_state"] for one in deliveries) == ["sent", "withdrawn"]
