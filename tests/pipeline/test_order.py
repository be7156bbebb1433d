"""Record, then act: what is in the books at the moment the smarthost hears of a message, and what modes change."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from road import CLERK, COUNSEL, Road, letter
from smarthost import Act, Stage, answer
from structlog.testing import capture_logs

from gateway.model import Action, Event, ItemKind, Mode, OutboxKind
from gateway.relay import Relay
from gateway.settings import NextHopSettings, NoticeSettings
from gateway.store.rows import Outcome

CONTACT = "nadia@home.example"
FLAGGED, HELD, PASSED = (
    letter("FLAG this one."),
    letter("HOLD this one."),
    letter("The hearing is on Friday."),
)


@pytest.mark.parametrize(("raw", "flags"), [(FLAGGED, 1), (PASSED, 0)], ids=["flag", "pass"])
async def test_recorded_before_the_smarthost_gets_it(road: Road, raw: bytes, flags: int):
    """At DATA the flag and the ledger row are there, the outcome open; after the dot both say accepted."""
    seen = []

    def look(line: bytes) -> bool:
        seen.append(([flag.delivery for flag in road.flags()], road.entry(raw).outcome))
        return True

    road.smarthost.at(Stage.DATA, Act(), when=look)
    await road.send(raw)
    assert seen == [([""] * flags, Outcome.OFFERED)]
    assert [flag.delivery for flag in road.flags()] == ["250"] * flags
    assert road.entry(raw).outcome is Outcome.ACCEPTED
    assert road.events()[Event.FLAG_DELIVERED] == flags


async def test_flag_that_was_not_delivered_says_so(road: Road):
    """The smarthost refuses a flagged message: the sender gets its word, the flag stays with the code."""
    road.smarthost.at(Stage.DOT, answer("554 5.7.1 Not this"))
    assert str(await road.send(FLAGGED)) == "554 5.7.1 Not this"
    assert [flag.delivery for flag in road.flags()] == ["554"]
    assert road.events()[Event.FLAG_NOT_DELIVERED] == 1


@pytest.mark.parametrize("raw", [PASSED, FLAGGED, HELD], ids=["pass", "flag", "hold"])
async def test_what_cannot_be_recorded_goes_nowhere(road: Road, raw: bytes):
    """The store cannot write: 451, and the smarthost never hears DATA (P1, P3)."""
    lock = sqlite3.connect(road.store.settings.url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        reply = await road.send(raw, CONTACT, COUNSEL)
    finally:
        lock.rollback()
        lock.close()
    assert str(reply) == "451 4.3.0 Try again later"
    assert all(b"DATA" not in session.commands for session in road.smarthost.sessions)
    assert (road.holds(), road.flags()) == ((), ())


@pytest.mark.parametrize(
    ("mode", "action"), [(Mode.OBSERVE, Action.PASS), (Mode.FLAG, Action.FLAG), (Mode.HOLD, Action.HOLD)]
)
async def test_mode_caps_what_a_verdict_does(road: Road, mode: Mode, action: Action):
    """Observe and flag deliver to everybody and list what hold mode would have held (DECISIONS 31)."""
    road.mode(mode)
    assert (await road.send(HELD, CONTACT, COUNSEL)).code == 250
    (item,) = road.holds() + road.flags()
    verdict = road.full(item).verdict
    assert (verdict.action, verdict.proposed, verdict.mode) == (action, Action.HOLD, mode)
    assert item.kind is (ItemKind.HOLD if action is Action.HOLD else ItemKind.FLAG)
    assert road.sent == [((COUNSEL,) if action is Action.HOLD else (CONTACT, COUNSEL), HELD)]


async def test_mode_of_a_unit_goes_before_the_sites(road: Road):
    """The officer's unit observes while the site holds."""
    road.mode(Mode.HOLD, **{"Robbery Squad": Mode.OBSERVE})
    await road.send(HELD)
    assert road.holds() == ()
    assert road.sent == [((CONTACT,), HELD)]


async def test_a_unit_is_known_however_it_is_written(road: Road):
    """Capitals and spaces differ between settings and staff list, as `team` in contacts.csv may; the unit holds all the same."""
    road.mode(Mode.OBSERVE, **{"robbery squad ": Mode.HOLD})
    await road.send(HELD)
    assert (len(road.holds()), road.sent) == (1, [])


SENDERS = [
    # whom the mail claims to come from: MAIL FROM, Sender, From. Amir Khan's unit holds, Judith Marsh's only observes.
    ("amir.khan@force.example", "judith.marsh@force.example", "amir.khan@force.example", Mode.HOLD),
    ("amir.khan@force.example", "judith.marsh@force.example", "judith.marsh@force.example", Mode.HOLD),
    ("judith.marsh@force.example", "", "amir.khan@force.example", Mode.HOLD),
    ("someone@elsewhere.example", "", "judith.marsh@force.example", Mode.HOLD),
    ("someone@elsewhere.example", "", "someone@elsewhere.example", Mode.HOLD),
    ("", "", "someone@elsewhere.example", Mode.HOLD),
    ("judith.marsh@force.example", "", "judith.marsh@force.example", Mode.OBSERVE),
    ("", "", "judith.marsh@force.example", Mode.OBSERVE),
]


@pytest.mark.parametrize(("mail_from", "sender", "author", "mode"), SENDERS)
async def test_mode_is_the_strictest_of_all_whom_a_mail_claims_to_come_from(
    road: Road, mail_from: str, sender: str, author: str, mode: Mode
):
    """Naming a colleague of a milder unit makes nothing milder, and who is unknown may be anybody."""
    road.mode(Mode.FLAG, **{"Robbery Squad": Mode.HOLD, "Professional Standards": Mode.OBSERVE})
    raw = letter("HOLD this one.", extra=f"Sender: {sender}\r\n" if sender else "")
    await road.send(raw.replace(b"amir.khan@force.example", author.encode(), 1), sender=mail_from)
    (item,) = road.holds() + road.flags()
    assert road.full(item).verdict.mode is mode
    assert bool(road.sent) is (mode is not Mode.HOLD)


async def test_who_is_unknown_is_judged_by_the_sites_mode_where_units_are_milder(road: Road):
    """The strictest mode there is may be the site's own."""
    road.mode(Mode.HOLD, **{"Robbery Squad": Mode.OBSERVE})
    raw = letter("HOLD this one.").replace(b"amir.khan@force.example", b"someone@elsewhere.example", 1)
    await road.send(raw, sender="")
    assert len(road.holds()) == 1


async def test_registry_and_policy_of_mail_are_those_of_its_beginning(road: Road):
    """A registry that is replaced between MAIL and the dot does not change who is a contact of this message."""
    before = road.conductor.in_force

    def forget_everybody(line: bytes) -> bool:
        empty = replace(before.registry, contacts_by_key={}, version="empty")
        road.conductor.in_force = replace(before, registry=empty)
        return True

    road.smarthost.at(Stage.MAIL, Act(), when=forget_everybody)
    await road.send(HELD)
    assert len(road.holds()) == 1


# --- urgent -------------------------------------------------------------------------------------------------


async def test_urgent_hold_tells_manager_and_psd_at_once(road: Road):
    """One notice each, in the transaction of the hold, with no word of the message (DECISIONS 32, P8)."""
    await road.send(letter("HOLD this URGENT one."))
    assert road.events()[Event.NOTICE_QUEUED] == 2
    queued = road.deliveries()
    assert {one.kind for one in queued} == {OutboxKind.NOTICE}
    assert await road.outbox.deliver_due() == 2
    assert {recipients for recipients, _ in road.sent} == {
        ("helen.brooks@force.example",),
        ("judith.marsh@force.example",),
    }
    for mail in road.smarthost.mails:
        assert mail.sender == ""
        assert b"Auto-Submitted: auto-generated" in mail.data
        assert b"romantic" not in mail.data
        assert CONTACT.encode() not in mail.data
        assert b"court" not in mail.data
    assert road.events()[Event.NOTICE_SENT] == 2


async def test_the_urgent_notice_leads_to_the_item(road: Road):
    """The link opens the item after signing in; why it is urgent stands there and nowhere else."""
    settings = NoticeSettings(sender="gateway@force.example", url="https://gateway.force.example/")
    road.conductor.options = replace(road.conductor.options, notices=settings)
    await road.send(letter("HOLD this URGENT one."))
    (held,) = road.holds()
    await road.outbox.deliver_due()
    for mail in road.smarthost.mails:
        assert f"https://gateway.force.example/items/{held.id}\r\n".encode() in mail.data
        assert b"tomorrow" not in mail.data


async def test_an_urgent_hold_of_professional_standards_alone_tells_no_manager(road: Road):
    """It names too many: the manager, who is none of them, finds nothing in the console and hears nothing by mail (P7)."""
    road.conductor.options = replace(road.conductor.options, max_excluded=1)
    await road.send(letter("HOLD this URGENT one.", extra="Cc: owen.pryce@force.example\r\n"))
    told = {recipient.address for one in road.deliveries() for recipient in one.recipients}
    assert told == {"judith.marsh@force.example"}


async def test_a_flag_for_professional_standards_alone_says_why_in_the_audit_log(road: Road):
    """As a hold does: theirs from the start, by the relay."""
    road.mode(Mode.OBSERVE)
    road.conductor.options = replace(road.conductor.options, max_excluded=1)
    await road.send(letter("FLAG this one.", extra="Cc: helen.brooks@force.example\r\n"))
    (flag,) = road.flags()
    assert flag.psd_only == "it names 2 members of staff"
    assert road.events()[Event.FLAG_REFERRED] == 1


async def test_urgent_flag_tells_nobody(road: Road):
    """What is delivered is not urgent to decide."""
    road.mode(Mode.FLAG)
    await road.send(letter("HOLD this URGENT one."))
    assert road.deliveries() == ()


async def test_urgent_hold_with_nobody_to_tell_raises_an_alarm(road: Road):
    """Everybody who could be told is conflicted: held all the same, and the log says error."""
    road.conductor.options = replace(
        road.conductor.options, notices=NoticeSettings(urgent_to=("helen.brooks@force.example",))
    )
    with capture_logs() as log:
        await road.send(letter("HOLD this URGENT one.", extra="Cc: helen.brooks@force.example\r\n"))
    assert [line["log_level"] for line in log if line["event"] == "hold:urgent-and-nobody-to-tell"] == [
        "error"
    ]
    assert road.deliveries() == ()
    assert len(road.holds()) == 1


async def test_client_that_leaves_cancels_nothing(road: Road):
    """A cancelled wait is the caller's affair; what was written stays, and the next message goes its way."""
    gate = asyncio.Event()
    road.smarthost.at(Stage.DOT, Act(waits_for=gate))
    sending = asyncio.create_task(road.send(FLAGGED))
    await road.smarthost.until(lambda: bool(road.smarthost.mails))
    sending.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert len(road.flags()) == 1
    assert (await road.send(PASSED)).code == 250


async def test_a_backlog_of_inspection_keeps_no_other_mail_waiting(road: Road):
    """Mail that waits for a worker has every place at the smarthost; mail to nobody registered goes all the same (P11)."""
    port = road.smarthost.port
    road.conductor.relay = Relay(
        NextHopSettings(url=f"smtp://127.0.0.1:{port}", max_connections=2, connect_timeout_s=5),
        "gateway.force.example",
    )
    gate, judge = asyncio.Event(), road.workers.judge

    async def slow(*arguments, **named):
        await gate.wait()
        return await judge(*arguments, **named)

    road.workers.judge = slow
    held, passed = letter("HOLD this one.", number=1), letter("The hearing is on Friday.", number=2)
    waiting = [asyncio.create_task(road.send(raw, CONTACT, COUNSEL)) for raw in (held, passed)]
    async with asyncio.timeout(10):
        while road.workers.asked.count("extract") < 2:
            await asyncio.sleep(0.01)
    plain = letter("To the council.", to=CLERK)
    assert (await road.send(plain, CLERK)).code == 250
    assert road.sent == [((CLERK,), plain)]
    gate.set()
    assert [reply.code for reply in await asyncio.gather(*waiting)] == [250, 250]
    assert sorted(recipients for recipients, _ in road.sent[1:]) == [(COUNSEL,), (CONTACT, COUNSEL)]
    assert road.smarthost.most_open <= 2 + 1  # the one of `road.build` still rests
    await road.conductor.relay.close()
