"""A release that reached some and not others: it is never called back, never sent twice, and never said to be returned."""

from email import message_from_bytes, policy

import pytest
from gateway_process import CONTACT, SUPERVISOR
from review_desk import DO, INSPECTOR, KHAN, OTHER_PSD, PSD
from stores import NOW, after

from gateway import audit
from gateway.cli import outbox as command
from gateway.errors import Refused
from gateway.model import ItemState, OutboxKind
from gateway.store import items, outbox
from gateway.store.rows import Approved, DeliveryState, RecipientState

OTHER = "omar@home.example"
SENT, PENDING, FAILED = RecipientState.SENT, RecipientState.PENDING, RecipientState.FAILED


def answered(desk, *states):
    """Return a hold whose release was offered to the smarthost, which answered so for each recipient."""
    item = desk.hold(recipients=(CONTACT, OTHER)[: len(states)])
    desk(item, DO.RELEASE, at_once=True)
    desk.serve(NOW)
    desk.answer(item, NOW, *states)
    return item


def retried(desk, item):
    """Have the operator try the release again."""
    return desk.store.write_now(lambda tx: command._retry(tx, item_delivery(tx, item), after(minutes=1)))


def item_delivery(tx, item):
    return items.approved_release(tx, item).delivery


def given_back(desk, item):
    """Have serve stop in the middle of the dialogue, so that nobody knows what the smarthost took."""
    desk.store.write_now(lambda tx: outbox.give_back(tx, "serve", NOW))


def goes_to(desk, at):
    """Return whom the releases that serve claims at ``at`` are for."""
    claimed = desk.store.write_now(lambda tx: outbox.claim_deliveries(tx, "serve", at, 900, 99))
    return [
        one.address
        for each in claimed
        if each.kind is OutboxKind.RELEASE
        for one in each.recipients
        if one.state is not SENT
    ]


@pytest.mark.parametrize("states", [(SENT, PENDING), (SENT, FAILED), (PENDING, FAILED), (FAILED,)])
def test_what_was_offered_once_is_not_called_back_however_often_it_is_retried(desk, states):
    """An operator's retry counts the tries anew; what the smarthost was asked before stays asked."""
    item = answered(desk, *states)
    retried(desk, item)
    assert "cannot be called back" in desk(item, DO.UNDO, at=after(minutes=2)).refused
    assert desk.state(item) is ItemState.RELEASING


def test_what_was_interrupted_is_not_called_back(desk):
    """serve stopped in the dialogue and the operator had it tried anew: it may be with the contact."""
    item = desk.hold()
    desk(item, DO.RELEASE, at_once=True)
    desk.serve(NOW)
    given_back(desk, item)
    retried(desk, item)
    assert "cannot be called back" in desk(item, DO.UNDO, at=after(minutes=2)).refused


def test_nobody_who_has_it_is_sent_it_again(desk):
    """Whatever was undone or retried between: a new release is for those whom no release of the item has reached."""
    item = answered(desk, SENT, FAILED)
    # as an earlier version left it, which let a retry be undone
    desk.store.write_now(lambda tx: outbox.retry(tx, item_delivery(tx, item), NOW))
    assert not desk(item, DO.RELEASE, at=after(minutes=1)).refused
    assert goes_to(desk, after(hours=1)) == [OTHER]


def test_a_hold_that_reached_somebody_is_not_returned_but_partly_released(desk):
    """Only some have it: the item says so for good, and the audit log too."""
    item = answered(desk, SENT, FAILED)
    ruling = desk(item, DO.RETURN, at=after(hours=1))
    assert not ruling.refused
    assert desk.state(item) is ItemState.PARTLY_RELEASED
    entry = desk.store.read_now(audit.entries)[-2]
    assert (entry.event, '"partly":true' in entry.payload.replace(" ", "")) == ("hold:returned", True)
    assert goes_to(desk, after(days=1)) == []


def notice(desk, item):
    """Return the notice to the officer: its subject and its words."""
    (one,) = [each for each in desk.deliveries(item) if each.kind is OutboxKind.RETURN]
    raw = desk.store.read_now(lambda tx: outbox.message_of(tx, one.id))
    mail = message_from_bytes(raw, policy=policy.default)
    return mail["Subject"], mail.get_content()


@pytest.mark.parametrize("words", ["", "Please see me about the second one."])
def test_the_officer_is_not_told_that_nobody_got_it(desk, words):
    """Some did: the notice says that not everybody has it, with the reviewer's words if there are any."""
    item = answered(desk, SENT, FAILED)
    desk(item, DO.RETURN, words=words)
    subject, text = notice(desk, item)
    for said in (subject, text):
        assert "not delivered to everybody" in said
        assert CONTACT not in said
        assert OTHER not in said
    assert words in text


def test_what_may_have_reached_somebody_is_not_returned_either(desk):
    """serve stopped in the dialogue, the next try was refused: whether it is there nobody knows."""
    item = desk.hold()
    desk(item, DO.RELEASE, at_once=True)
    desk.serve(NOW)
    given_back(desk, item)
    desk.serve(NOW)
    desk.fail(item, NOW)
    desk(item, DO.RETURN, at=after(hours=1))
    assert desk.state(item) is ItemState.PARTLY_RELEASED


def test_what_surely_reached_nobody_is_returned(desk):
    """Every recipient was refused, and no dialogue was cut off."""
    item = answered(desk, FAILED, FAILED)
    desk(item, DO.RETURN)
    assert desk.state(item) is ItemState.RETURNED


def test_the_rest_of_a_referred_hold_is_professional_standards(desk):
    """Referred after a part of it went out: it is no more returned than it was before."""
    item = answered(desk, SENT, FAILED)
    desk(item, DO.REFER)
    desk(item, DO.RETURN, PSD)
    assert desk.state(item) is ItemState.PARTLY_RELEASED


def test_a_partly_released_hold_is_reopened_by_psd_and_goes_to_the_rest(desk):
    """As a returned one is; and released then, it goes to whom it did not reach."""
    item = answered(desk, SENT, FAILED)
    desk(item, DO.RETURN)
    assert "alone" in desk(item, DO.REOPEN).refused
    assert not desk(item, DO.REOPEN, PSD).refused
    assert desk.state(item) is ItemState.REFERRED
    assert not desk(item, DO.RELEASE, OTHER_PSD, at=after(hours=1)).refused
    assert goes_to(desk, after(hours=2)) == [OTHER]


def test_a_partly_released_hold_counts_as_a_release(desk):
    """A contact has it: the officer's next release takes professional standards, whatever became of the rest."""
    item, after_it = answered(desk, SENT, FAILED), desk.hold()
    desk(item, DO.RETURN)
    assert "professional standards" in desk(after_it, DO.RELEASE, INSPECTOR).refused


def test_what_the_line_closed_is_not_sent_by_a_retry(desk):
    """The operator cannot take up a delivery whose item was decided otherwise meanwhile."""
    item = answered(desk, SENT, FAILED)
    desk(item, DO.RETURN, SUPERVISOR)
    with pytest.raises(Refused, match="decided meanwhile"):
        retried(desk, item)
    (release,) = [one for one in desk.deliveries(item) if one.kind is OutboxKind.RELEASE]
    assert release.state is DeliveryState.FAILED
    assert desk.item(item).officer == KHAN
    assert Approved(delivery=release.id, undo_to=ItemState.HELD) == desk.store.read_now(
        lambda tx: items.approved_release(tx, item)
    )
