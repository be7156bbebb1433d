"""Only the contact's copy waits (P5): every branch of DECISIONS 1, and what the sender is told of it."""

import pytest
from road import CLERK, COUNSEL, Road, letter
from smarthost import Act, Stage, accept_and_hang_up, answer, hang_up

from gateway.model import Event, ItemState

CONTACT = "nadia@home.example"
RAW = letter("HOLD this one.")


async def test_rest_goes_at_once(road: Road):
    """The hold is committed, then RSET, MAIL, RCPT and DATA for the others alone: 250."""
    reply = await road.send(RAW, COUNSEL, CONTACT, CLERK)
    (hold,) = road.holds()
    assert str(reply) == f"250 2.0.0 Accepted {hold.id}"
    assert hold.recipients == (CONTACT,)
    assert road.sent == [((COUNSEL, CLERK), RAW)]
    assert road.events()[Event.MESSAGE_REST_SENT] == 1
    commands = [line.split(b":")[0] for line in road.smarthost.sessions[-1].commands]
    assert commands[-5:] == [b"RSET", b"MAIL FROM", b"RCPT TO", b"RCPT TO", b"DATA"]


async def test_hold_alone_never_says_data(road: Road):
    """Nobody else is addressed: the smarthost is not told DATA at all."""
    await road.send(RAW)
    assert all(b"DATA" not in session.commands for session in road.smarthost.sessions)


async def test_hold_is_committed_before_the_rest_goes(road: Road):
    """When the smarthost hears RSET, the hold and its audit entry are there already."""
    seen = []

    def look(line: bytes) -> bool:
        seen.append((len(road.holds()), road.events()[Event.MESSAGE_HELD]))
        return True

    road.smarthost.at(Stage.RSET, Act(), when=look)
    await road.send(RAW, CONTACT, COUNSEL)
    assert seen == [(1, 1)]


async def test_refused_again_at_rcpt_is_451_and_the_retry_learns_the_truth(road: Road):
    """One of the rest is refused the second time: 451; at the retry its RCPT is refused to the sender's face."""
    road.smarthost.at(Stage.RCPT, Act(), when=COUNSEL.encode())
    road.smarthost.at(Stage.RCPT, answer("550 5.1.1 No such person"), times=None, when=COUNSEL.encode())
    assert (await road.send(RAW, CONTACT, COUNSEL)).code == 451
    assert road.sent == []
    reply = await road.send(RAW, CONTACT, COUNSEL)
    assert [one.code for one in road.replies] == [250, 250, 550, 250]
    assert reply.code == 250
    assert [hold.state for hold in road.holds()] == [ItemState.HELD]
    assert not road.holds()[0].sender_told_failed


async def test_permanent_refusal_of_the_rest_is_the_senders_answer(road: Road):
    """DATA 5xx for the rest: that 5xx, and the hold stays, marked: its sender believes that the message failed."""
    road.smarthost.at(Stage.DOT, answer("554 5.7.1 Not this"))
    assert str(await road.send(RAW, CONTACT, COUNSEL)) == "554 5.7.1 Not this"
    (hold,) = road.holds()
    assert hold.sender_told_failed
    assert hold.state is ItemState.HELD
    assert road.events()[Event.MESSAGE_REST_REFUSED] == 1


@pytest.mark.parametrize(
    ("act", "code", "copies"),
    [(answer("452 4.3.1 Full"), 452, 1), (hang_up(), 451, 1), (accept_and_hang_up(), 451, 2)],
    ids=["4xx", "lost", "taken and lost"],
)
async def test_temporary_trouble_with_the_rest(road: Road, act: Act, code: int, copies: int):
    """DATA 4xx or lost for the rest: 4xx; the retry finds the hold by its key and sends the rest."""
    road.smarthost.at(Stage.DOT, act)
    assert (await road.send(RAW, CONTACT, COUNSEL)).code == code
    assert (await road.send(RAW, CONTACT, COUNSEL)).code == 250
    assert len(road.holds()) == 1
    assert not road.holds()[0].sender_told_failed
    assert road.sent == [((COUNSEL,), RAW)] * copies


async def test_rest_that_was_taken_is_not_sent_twice(road: Road):
    """Our 250 was lost: the retry gets it, and counsel gets no second copy."""
    first = await road.send(RAW, CONTACT, COUNSEL)
    assert await road.send(RAW, CONTACT, COUNSEL) == first
    assert road.sent == [((COUNSEL,), RAW)]


async def test_rest_that_is_another_rest_is_sent(road: Road):
    """The same mail to the contact and somebody else: known as the same hold, and the new copy goes out."""
    await road.send(RAW, CONTACT, COUNSEL)
    await road.send(RAW, CONTACT, CLERK)
    assert [recipients for recipients, _ in road.sent] == [(COUNSEL,), (CLERK,)]
    assert len(road.holds()) == 1


async def test_other_spelling_of_the_contact_waits_too(road: Road):
    """However the contact's address is spelled, that copy waits; the item keeps the envelope's own characters."""
    await road.send(RAW, "Nadia+home@HOME.example", COUNSEL)
    (hold,) = road.holds()
    assert hold.recipients == ("Nadia+home@HOME.example",)
    assert road.sent == [((COUNSEL,), RAW)]


async def test_private_copy_waits_with_the_contacts(road: Road):
    """A copy to the officer's own private mailbox waits too (DECISIONS 2, cue M5)."""
    await road.send(letter("The hearing is on Friday."), CONTACT, "amir.khan@gmail.com", COUNSEL)
    (hold,) = road.holds()
    assert set(hold.recipients) == {CONTACT, "amir.khan@gmail.com"}
    assert [recipients for recipients, _ in road.sent] == [(COUNSEL,)]


async def test_repeat_with_a_private_copy_added_does_not_let_it_out(road: Road):
    """Sent again with a private mailbox added, the copy to it is neither passed unread nor lost (P1, P3)."""
    await road.send(RAW, CONTACT)
    reply = await road.send(RAW, CONTACT, "amir.khan@gmail.com")
    assert road.sent == []
    waiting = {address for hold in road.holds() for address in hold.recipients}
    assert not reply.is_positive or "amir.khan@gmail.com" in waiting
