"""Whose releases are counted, and what stays with professional standards when they have decided it."""

from dataclasses import replace

import pytest
from gateway_process import SUPERVISOR
from review_desk import DO, INSPECTOR, KHAN, PSD, RAHMAN
from sqlalchemy import text
from stores import after

from gateway.model import ItemKind, ItemState, StaffId, StaffRole
from gateway.review.sight import sight_of
from gateway.store import database, queue

TWO = {"officer": RAHMAN, "senders": (RAHMAN, KHAN), "excluded": (RAHMAN, KHAN)}


@pytest.mark.parametrize(
    ("first", "second"),
    [({}, TWO), (TWO, {}), (TWO, TWO)],
    ids=["a colleague writes for him then", "a colleague wrote for him before", "both times"],
)
def test_releases_are_counted_for_everybody_whose_message_it_claims_to_be(desk, first, second):
    """A colleague's name as its sender, or his own beside it, begins no new count (P12)."""
    assert not desk(desk.hold(**first), DO.RELEASE, INSPECTOR).refused
    assert "professional standards" in desk(desk.hold(**second), DO.RELEASE, INSPECTOR).refused


def test_who_sent_only_what_an_item_tells_of_did_not_send_it(desk):
    """The senders of an earlier item are kept with a new one for their lines; its release is not one of theirs."""
    told = TWO | {"earlier": (KHAN,)}
    assert not desk(desk.hold(), DO.RELEASE, INSPECTOR).refused
    assert not desk(desk.hold(**told), DO.RELEASE, INSPECTOR).refused


def test_a_shared_mailbox_is_counted_only_where_nobody_else_is_claimed(desk, registry):
    """Its users would otherwise use up one another's releases; who is nobody but the mailbox may be any of them."""
    box = replace(
        registry.staff_by_id[RAHMAN],
        staff_id=StaffId("9001"),
        email="unit@force.example",
        role=StaffRole.MAILBOX,
    )
    desk.registry = replace(registry, staff_by_key={**registry.staff_by_key, box.email: box})

    def by(*staff):
        return desk.hold(officer=staff[0], senders=staff, excluded=staff)

    assert not desk(by(KHAN, box.staff_id), DO.RELEASE, INSPECTOR).refused
    assert not desk(by(RAHMAN, box.staff_id), DO.RELEASE, INSPECTOR).refused
    assert "professional standards" in desk(by(box.staff_id), DO.RELEASE, INSPECTOR).refused


@pytest.mark.parametrize("decided", [DO.RELEASE, DO.RETURN])
@pytest.mark.parametrize("by", [SUPERVISOR, INSPECTOR])
def test_what_was_referred_stays_theirs_whatever_they_decide(desk, registry, decided, by):
    """Who handed it on, for a conflict that nobody wrote down perhaps, learns no more of it than the rest of the line (P7)."""
    item = desk.hold()
    desk(item, DO.REFER)
    assert not desk(item, decided, PSD).refused
    sight = sight_of(desk.actor(by).person, registry)
    assert not desk.store.read_now(lambda tx: queue.in_sight(tx, sight, item))
    assert "professional standards" in desk(item, DO.NOTE, by).refused
    assert "reviewer" in desk.item(item).psd_only


def test_a_referred_hold_whose_release_failed_or_was_undone_stays_theirs(desk):
    """Trouble with the smarthost, or a second thought of theirs, hands nothing back to the line."""
    failed, undone = desk.hold(), desk.hold()
    for item in (failed, undone):
        desk(item, DO.REFER)
        desk(item, DO.RELEASE, PSD)
    desk(undone, DO.UNDO, PSD)
    desk.serve(after(hours=1))
    desk.fail(failed, after(hours=1))
    assert desk.state(failed) is ItemState.RELEASE_FAILED
    for item in (failed, undone):
        assert "professional standards" in desk(item, DO.RETURN).refused


def test_what_was_reopened_stays_theirs(desk):
    """A hold that professional standards took up again is theirs from then on, when they have decided it too."""
    item = desk.hold()
    desk(item, DO.RETURN)
    desk(item, DO.REOPEN, PSD)
    desk(item, DO.RETURN, PSD)
    assert "professional standards" in desk(item, DO.NOTE).refused


def test_what_was_handed_over_before_the_schema_said_so_is_theirs_too(desk):
    """An upgrade hides from the line what was referred or reopened and then decided, and nothing else of what is decided."""
    referred, reopened, returned = desk.hold(), desk.hold(), desk.hold()
    flag = desk.hold(kind=ItemKind.FLAG)
    for item, action in (
        (referred, DO.REFER),
        (reopened, DO.RETURN),
        (returned, DO.RETURN),
        (flag, DO.REFER),
    ):
        desk(item, action)
    desk(reopened, DO.REOPEN, PSD)
    for item in (referred, reopened):
        desk(item, DO.RETURN, PSD)
    engine = desk.store.engine
    with database.transaction(engine, writes=True) as connection:
        connection.execute(text("UPDATE items SET psd_only = ''"))
        connection.execute(text("ALTER TABLE outbox DROP COLUMN lost"))  # a later step makes it
        connection.execute(text("UPDATE alembic_version SET version_num = '0011'"))
    database.migrate(engine, lambda connection: None)
    found = [bool(desk.item(item).psd_only) for item in (referred, reopened, returned, flag)]
    assert found == [True, True, False, False]
