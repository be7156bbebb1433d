"""Who may decide, and whom a decision tells: the two questions a hostile sender would like to answer himself."""

from dataclasses import replace

import pytest
from gateway_process import CONTACT, OFFICER, SUPERVISOR
from stores import NOW, an_envelope, an_item

from gateway import identify, notices
from gateway.model import ItemKind, ItemState, OutboxKind, StaffId
from gateway.recording import reviewers
from gateway.review.access import Permission, objection
from gateway.review.decisions import Actor, Wish, decide, person_called, subject_of
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import items, outbox
from gateway.store.rows import DecisionAction

KHAN, BROOKS, MARSH, ADEYEMI = map(StaffId, ("4417", "3308", "1502", "1503"))
PSD = "judith.marsh@force.example"


def held(store, **changes):
    """Return the id of a new hold of DC Khan's to Nadia."""
    given = {"officer": KHAN, "senders": (KHAN,), "excluded": (KHAN,), "contacts": ("P-1",)} | changes
    item = an_item(**given)
    return store.write_now(lambda tx: items.add_item(tx, item))


def actor(store, registry, email):
    person = store.read_now(lambda tx: person_called(tx, registry, email))
    return Actor(person=person, registry=registry, system="system:test")


def wanted(store, item, who, action, reason="not for us"):
    """Return what came of the wish."""
    wish = Wish(item_id=item, action=action, reason=reason)
    review, notice = ReviewSettings(), NoticeSettings()
    return store.write_now(lambda tx: decide(tx, wish, who, NOW, review=review, notice=notice))


def told(store, registry, sender, **changes):
    """Return whom the notice of a return goes to."""
    item = held(store, envelope=an_envelope(CONTACT, sender=sender), **changes)
    who = actor(store, registry, PSD)
    assert not wanted(store, item, who, DecisionAction.RETURN).refused
    queued = store.read_now(lambda tx: outbox.deliveries_of(tx, item))
    assert all(one.kind is OutboxKind.RETURN for one in queued)
    return [recipient.address for one in queued for recipient in one.recipients]


@pytest.mark.parametrize(
    ("claimed", "address"),
    [
        (OFFICER, OFFICER),
        (CONTACT, OFFICER),
        (f'"{CONTACT}"@force.example', OFFICER),
        ("akhan@post.example", OFFICER),
        (SUPERVISOR, OFFICER),
        ("somebody@elsewhere.example", OFFICER),
        ("", OFFICER),
    ],
)
def test_return_notice_goes_to_the_officer_alone(store, registry, claimed, address):
    """A forged reverse-path must not tell the contact, a colleague or a private mailbox of a hold (P8)."""
    assert told(store, registry, claimed) == [address]


@pytest.mark.parametrize("claimed", ["", CONTACT, "stranger@elsewhere.example"])
def test_nobody_is_told_for_an_unknown_sender(store, registry, claimed):
    """Without an officer, and without a force address, there is nobody who may be told."""
    assert told(store, registry, claimed, officer=None) == []


def test_force_address_off_the_staff_list_is_told(store, registry):
    """A reverse-path in the force's own domain that nobody on the staff list has is its sender's."""
    assert told(store, registry, "new.starter@force.example", officer=None) == ["new.starter@force.example"]


@pytest.mark.parametrize("kind", [ItemKind.HOLD, ItemKind.FLAG])
def test_unknown_sender_is_for_professional_standards(store, registry, kind):
    """Nobody knows whom to keep away, so no line manager sees it (DECISIONS 11)."""
    item = held(store, kind=kind, officer=None, senders=(), excluded=())
    subject = subject_of(store.read_now(lambda tx: items.item(tx, item)))
    manager, psd = (actor(store, registry, email).person for email in (SUPERVISOR, PSD))
    assert "professional standards" in objection(manager, Permission.ITEM_VIEW, subject, registry)
    assert not objection(psd, Permission.ITEM_VIEW, subject, registry)


def test_referred_from_the_start(store, registry):
    """What is for professional standards alone begins as referred, and a supervisor cannot release it."""
    item = held(store, psd_only="it names 30 members of staff")
    assert store.read_now(lambda tx: items.item(tx, item)).state is ItemState.REFERRED
    for email, refused in ((SUPERVISOR, True), (PSD, False)):
        who = actor(store, registry, email)
        assert bool(wanted(store, item, who, DecisionAction.RELEASE).refused) is refused


def parties_of(registry, *headers_to, sender=OFFICER):
    envelope = an_envelope(CONTACT, sender=sender)
    return identify.parties(registry, envelope, identify.Headers(to=headers_to))


def test_naming_everybody_does_not_leave_nobody(registry):
    """An officer who copies in all of the staff list bars everybody but professional standards (DECISIONS 13)."""
    everybody = tuple(member.email for member in registry.staff_by_key.values())
    parties = parties_of(registry, *everybody)
    who = reviewers(registry, parties, parties.involved, max_excluded=3, was_read=True)
    assert who.psd_only
    assert {KHAN, BROOKS} <= set(who.excluded)
    assert {MARSH, ADEYEMI}.isdisjoint(who.excluded)


def test_professional_standards_do_not_review_themselves(registry):
    """Naming everybody does not let a sender in professional standards decide on their own mail (P7)."""
    parties = parties_of(registry, *(m.email for m in registry.staff_by_key.values()), sender=PSD)
    who = reviewers(registry, parties, parties.involved, max_excluded=3, was_read=True)
    assert MARSH in who.excluded
    assert ADEYEMI not in who.excluded


def test_a_few_names_bar_only_those_named(registry):
    """A colleague in copy may not review; everybody else may, without professional standards."""
    parties = parties_of(registry, SUPERVISOR)
    who = reviewers(registry, parties, parties.involved, max_excluded=3, was_read=True)
    assert set(who.excluded) == {KHAN, BROOKS}
    assert not who.psd_only


def test_unread_message_is_for_professional_standards(registry):
    """What could not be read does not say whom it names."""
    parties = parties_of(registry)
    assert reviewers(registry, parties, parties.involved, max_excluded=3, was_read=False).psd_only
    unknown = replace(parties, officer=None)
    assert reviewers(registry, unknown, (), max_excluded=3, was_read=True).psd_only


@pytest.mark.parametrize("urgent_to", [(), ("ruth.adeyemi@force.example", "duty@force.example")])
def test_urgent_notice_passes_by_who_reports_to_the_sender(registry, urgent_to):
    """A member of professional standards who reports to the sender is not told of the sender's hold (P7)."""
    settings = NoticeSettings(urgent_to=urgent_to)
    for sender, excluded, told_of_it in ((PSD, (MARSH,), False), (OFFICER, (KHAN,), True)):
        officer = identify.staff_for(registry, sender)
        found = notices.reviewers(settings, registry, officer, excluded)
        assert ("ruth.adeyemi@force.example" in found) is told_of_it
        assert ("duty@force.example" in found) is bool(urgent_to)
