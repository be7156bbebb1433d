"""kill -9 in the middle of every decision: afterwards it is decided or not, never half; a release is delivered once."""

import asyncio
import os
import signal
import smtplib
from contextlib import suppress
from datetime import timedelta
from itertools import count

import psycopg
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
from gateway.store.rows import RecipientState

KHAN = StaffId("4417")
PSD = "judith.marsh@force.example"
OTHER = "omar@home.example"
WORDS = "The words are about the hearing, not about her."
REST = "return the rest"
CASES = ["claim", "approve", REST, *(action for action in Do if action is not Do.APPROVE)]

ROUNDS = [("sqlite", case) for case in CASES]
ROUNDS += [
    pytest.param("postgresql", case, marks=pytest.mark.postgresql) for case in (Do.RELEASE, Do.RETURN, REST)
]


def prepared(store, registry, case):
    """Put an item into the store that stands where ``case`` can be decided, and return its id."""
    grave = case == "approve"
    verdict = a_verdict()
    if grave:
        from dataclasses import replace

        verdict = replace(verdict, findings=(replace(verdict.findings[0], severity=Severity.CRITICAL),))
    item = an_item(
        officer=KHAN, senders=(KHAN,), excluded=(KHAN,), contacts=("P-1",), recipients=(CONTACT, OTHER), verdict=verdict,
        envelope=an_envelope(CONTACT, sender=OFFICER),
        kind=ItemKind.FLAG if case in {Do.CONFIRM, Do.FALSE_ALARM} else ItemKind.HOLD,
    )  # fmt: skip
    store.write_now(lambda tx: items.add_item(tx, item))
    before = {Do.UNDO: Do.RELEASE, Do.REOPEN: Do.RETURN, REST: Do.RELEASE}.get(case)
    if before:
        assert not store.write_now(lambda tx: wanted(tx, item.id, before, registry)).refused
    if case == REST:
        store.write_now(reaches_one)
    return item.id


def reaches_one(tx):
    """Have the smarthost take what is queued for the first recipient, and refuse it for the second."""
    for one in outbox.claim_deliveries(tx, "serve", NOW + timedelta(minutes=1), 60, 9):
        answers = [(0, RecipientState.SENT, "250 taken"), (1, RecipientState.FAILED, "550 nobody")]
        outbox.record_results(tx, one.id, answers, NOW)
        outbox.fail(tx, one.id, "serve", "550 nobody")
        items.set_state(tx, one.item_id, ItemState.RELEASING, ItemState.RELEASE_FAILED)


def wanted(tx, item, case, registry):
    """Do what ``case`` says, in the transaction at hand."""
    actor = Actor(person=person_called(tx, registry, PSD), registry=registry, system="system:test")
    if case == "claim":
        return claims.claim(tx, item, actor, NOW, ReviewSettings())
    action = {"approve": Do.RELEASE, REST: Do.RETURN}.get(case, case)
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
                sorted(outbox.deliveries_of(tx, item), key=lambda one: one.kind),  # of one moment
                claim_rows.claim_of(tx, item, NOW),
                [(row.event, row.subject) for row in audit.entries(tx)],
                audit.verify(tx).is_whole,
            )
        )


class Steps:
    """What a process asks of its database, one by one; before its ``last`` step it kills itself."""

    def __init__(self, last, pipe):
        self.last, self.pipe, self.number = last, pipe, 0

    def __call__(self, statement):
        """Count a step. The words that say which it is go to the test first, however the process ends."""
        self.number += 1
        os.write(self.pipe, f"{' '.join(str(statement).split()[:3])}\n".encode())
        if self.number == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, engine):
        """Be told of every statement where the driver gets it: what each message runs passes SQLAlchemy by."""
        if engine.dialect.name == "sqlite":
            event.listen(engine, "checkout", lambda raw, *_: raw.set_trace_callback(self))
            return
        steps = self

        class Cursor(psycopg.Cursor):
            def execute(self, query, *given, **named):
                steps(query)
                return super().execute(query, *given, **named)

            def executemany(self, query, *given, **named):
                steps(query)
                return super().executemany(query, *given, **named)

        event.listen(engine, "checkout", lambda raw, *_: setattr(raw, "cursor_factory", Cursor))
        event.listen(engine, "commit", lambda _: steps("COMMIT"))


def killed_at(number, settings, job):
    """Run ``job`` in a process of its own that kills itself before its ``number``-th step.

    Return whether it did, and its steps: each statement of the transaction, its commit, and the moment after that.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            os.close(ours)
            with Store.open(settings) as store:
                steps = Steps(number, theirs)
                steps.watch(store.engine)
                store.write_now(job)
                steps("AFTER")
                os._exit(0)
        os._exit(1)
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as pipe:
        steps = pipe.read().splitlines()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, -signal.SIGKILL}, steps
    return code != 0, steps


def alike(found):
    """Return ``found`` with the random ids of deliveries replaced by their order."""
    text = repr(found)
    for number, one in enumerate(found[3]):
        text = text.replace(one.id, f"delivery {number}")
    return text


@pytest.mark.slow
@pytest.mark.parametrize(("database", "case"), ROUNDS)
def test_killed_before_each_step_it_is_decided_or_not(request, registry, tmp_path, database, case):
    """Before the commit nothing is there, after it everything, whichever statement the kill falls before."""
    settings = request.getfixturevalue(database).copy(tmp_path / "store", busy_timeout_s=60)
    with Store.open(settings) as store:
        item = prepared(store, registry, case)
        other = prepared(store, registry, case)
        store.write_now(lambda tx: wanted(tx, other, case, registry))
    undisturbed = alike(everything(settings, other)[:5]).replace(other, "the item")
    before = everything(settings, item)
    places = []
    for number in count(1):
        was_killed, steps = killed_at(number, settings, lambda tx: wanted(tx, item, case, registry))
        after = everything(settings, item)
        places.append(steps[-1])
        if after != before:
            break
        assert was_killed, "it ended, and did nothing"
        assert places[-1] != "AFTER", "it said that it was done, and nothing was"
    assert places[-1] == "AFTER", "something of it was there before the commit"
    assert any(place.startswith("INSERT INTO audit_entries") for place in places)
    assert any(place.startswith("UPDATE audit_tip") for place in places)
    assert "COMMIT" in places
    assert alike(after[:5]).replace(item, "the item") == undisturbed
    assert after[-1], "the chain is whole"
    assert len(after[5]) == len(before[5]) + (2 if case in {Do.RETURN, REST} else 1)
    assert len(after[2]) == len(before[2]) + (case != "claim")
    assert len(after[3]) == len(before[3]) + (case in {Do.RELEASE, Do.RETURN, REST})


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
