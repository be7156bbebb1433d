"""The same message again: recognised by its retry key, whatever became of the first (DECISIONS 6, 7)."""

import asyncio

import pytest
from road import CLERK, COUNSEL, WITNESS, Road, letter
from smarthost import Stage, accept_and_hang_up, answer

from gateway.model import Event, ItemKind, ItemState, UnreadableReason
from gateway.store.rows import Outcome

HELD = letter("HOLD this one.")


async def test_held_message_that_comes_again_is_the_same_hold(road: Road):
    """Same bytes, sender and contacts: one hold, the same id and words, one ledger row; audited as repeat."""
    first, second = await road.send(HELD), await road.send(HELD)
    assert first == second
    (hold,) = road.holds()
    assert str(first) == f"250 2.0.0 Accepted {hold.id}"
    assert road.events()[Event.MESSAGE_HELD] == 1
    assert road.events()[Event.MESSAGE_REPEATED] == 1
    assert road.sent == []


@pytest.mark.parametrize(("how", "state"), [("release", ItemState.RELEASED), ("return", ItemState.RETURNED)])
async def test_after_the_decision_it_is_still_the_same_message(road: Road, how: str, state: ItemState):
    """A retry after release or return makes no second hold, and sends nothing more."""
    first = await road.send(HELD)
    road.decide(road.holds()[0], how)
    await road.outbox.deliver_due()
    sent = list(road.sent)
    assert await road.send(HELD) == first
    assert [item.state for item in road.holds()] == [state]
    assert road.sent == sent
    assert await road.outbox.deliver_due() == 0


@pytest.mark.parametrize(
    "other",
    [
        (letter("HOLD this one too."), ("nadia@home.example",), "amir.khan@force.example"),
        (letter("HOLD this one."), (WITNESS,), "amir.khan@force.example"),
        (letter("HOLD this one."), ("nadia@home.example", WITNESS), "amir.khan@force.example"),
        (letter("HOLD this one."), ("nadia@home.example",), "akhan@post.example"),
    ],
    ids=["other bytes, same Message-ID", "other contact", "one contact more", "other reverse-path"],
)
async def test_what_is_not_the_same_message_is_an_item_of_its_own(road: Road, other):
    """Two different mails with one Message-ID are two items, and so are other envelopes of one mail."""
    raw, recipients, sender = other
    await road.send(HELD)
    await road.send(raw, *recipients, sender=sender)
    assert len({hold.id for hold in road.holds()}) == 2
    assert {hold.message_id for hold in road.holds()} == {"<0@force.example>"}


async def test_order_of_contacts_does_not_make_another_message(road: Road):
    """A sender that names the contacts in another order sends the same message."""
    first = await road.send(HELD, WITNESS, "nadia@home.example")
    assert await road.send(HELD, "nadia@home.example", WITNESS) == first
    assert len(road.holds()) == 1


async def test_same_message_on_two_connections_at_once_is_one_hold(road: Road):
    """However many carry it at the same moment: one hold, and everybody gets its id."""
    answers = await asyncio.gather(*(road.send(HELD) for _ in range(5)))
    (hold,) = road.holds()
    assert {str(one) for one in answers} == {f"250 2.0.0 Accepted {hold.id}"}


async def test_flag_that_comes_again_is_one_flag_and_is_sent(road: Road):
    """The sender never heard our 250, so the copy may be missing: sent again, flagged once, counted once."""
    raw = letter("FLAG this one.")
    road.smarthost.at(Stage.DOT, answer("450 4.2.0 Not now"))
    assert (await road.send(raw)).code == 450
    (flag,) = road.flags()
    assert flag.delivery == "450"
    assert road.entry(raw).outcome is Outcome.REFUSED
    reply = await road.send(raw)
    assert str(reply) == f"250 2.0.0 Accepted {flag.id}"
    assert [one.delivery for one in road.flags()] == ["250"]
    assert road.entry(raw).outcome is Outcome.ACCEPTED
    assert road.sent == [(("nadia@home.example",), raw)]


async def test_message_counts_once_in_the_history(road: Road):
    """Conduct counts messages, not tries: what waits or went out counts, a refused try does not (DECISIONS 6)."""
    flagged = letter("FLAG this one.")
    road.smarthost.at(Stage.DOT, answer("550 5.7.1 No"))
    await road.send(flagged)
    for _ in range(2):
        await road.send(flagged)
    await road.send(letter("FLAG another.", number=2))
    assert road.full(road.holds()[0]).verdict.history.earlier == {"romantic-advance": 1}
    assert len(road.flags()) == 1


async def test_message_that_passed_and_comes_again_stays_one_row(road: Road):
    """A pass whose answer was lost: the retry passes too, and the ledger says unknown, then accepted."""
    raw = letter("The hearing is on Friday.")
    road.smarthost.at(Stage.DOT, accept_and_hang_up())
    assert (await road.send(raw)).code == 451
    assert road.entry(raw).outcome is Outcome.UNKNOWN
    assert (await road.send(raw)).code == 250
    assert road.entry(raw).outcome is Outcome.ACCEPTED
    assert len(road.sent) == 2, "SMTP cannot tell whether the first one arrived"


@pytest.mark.parametrize("word", ["STARVED", "BROKEN"])
async def test_third_crash_on_the_same_bytes_is_held(road: Road, word: str):
    """Twice 451, the third time it is held unread for a person, and no worker is asked any more (DECISIONS 7)."""
    raw = letter(f"{word} by this one.")
    assert [(await road.send(raw)).code for _ in range(3)] == [451, 451, 250]
    (hold,) = road.holds()
    assert [one.reason for one in road.full(hold).verdict.unreadable] == [UnreadableReason.WORKER_FAILED]
    assert road.workers.asked == ["extract"] * 2
    assert road.sent == []


async def test_crashes_on_other_bytes_do_not_add_up(road: Road):
    """Three messages that fail once each are three 451, not a hold."""
    for number in range(3):
        assert (await road.send(letter("STARVED by this one.", number=number))).code == 451
    assert road.holds() == ()


async def test_message_that_kills_its_worker_is_held_at_once(road: Road):
    """What the message causes is the message's: held as unreadable, its other copies go on (P3, P5)."""
    raw = letter("KILLED by this one.")
    assert (await road.send(raw, "nadia@home.example", COUNSEL)).code == 250
    (hold,) = road.holds()
    assert hold.kind is ItemKind.HOLD
    assert road.sent == [((COUNSEL,), raw)]
    assert CLERK not in hold.recipients
