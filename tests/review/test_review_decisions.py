"""Who may decide, and whom a decision tells: the two questions a hostile sender would like to answer himself."""

from dataclasses import replace

import pytest
from gateway_process import CONTACT, OFFICER, SUPERVISOR
from stores import NOW, an_envelope, an_item

from gateway import identify, notices
from gateway.model import ItemKind, ItemState, OutboxKind, Role, StaffId
from gateway.recording import reviewers
from gateway.review.access import Permission, Person, Subject, objection
from gateway.review.decisions import Actor, Wish, decide, person_called, subject_of
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import items, outbox
from gateway.store.rows import DecisionAction, Kept

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


OVERROUTED = CONTACT.replace("@", "%") + "%" * 20 + "@force.example"
"""A smarthost follows it to the contact; it has more readings than are looked at."""


@pytest.mark.parametrize("claimed", ["", CONTACT, "stranger@elsewhere.example", OVERROUTED])
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
    assert who.reporting == (ADEYEMI,), "not for being named: she reports to him"


def test_a_few_names_bar_only_those_named(registry):
    """A colleague in copy may not review; everybody else may, without professional standards."""
    parties = parties_of(registry, SUPERVISOR)
    who = reviewers(registry, parties, parties.involved, max_excluded=3, was_read=True)
    assert set(who.excluded) == {KHAN, BROOKS}
    assert not who.psd_only


INSPECTOR, SERGEANT = "owen.pryce@force.example", "helen.brooks@force.example"
PRYCE = StaffId("2201")


def test_who_reports_to_the_sender_is_kept_away_by_name(registry):
    """The line of management of that day is written down for those who review, with why: the list may say otherwise tomorrow."""
    parties = parties_of(registry, sender=INSPECTOR)
    who = reviewers(registry, parties, parties.involved, max_excluded=3, was_read=True)
    assert (who.senders, who.excluded, who.reporting) == ((PRYCE,), (PRYCE, BROOKS), (BROOKS,))
    below = reviewers(registry, parties_of(registry), (KHAN,), max_excluded=3, was_read=True)
    assert (below.excluded, below.reporting) == ((KHAN,), ())


def test_who_is_kept_from_an_earlier_item_is_kept_from_what_tells_of_it(registry):
    """Involved in it, or in the line of its sender; and what only professional standards may know of draws the later one along."""
    parties = parties_of(registry)
    earlier = Kept(staff=(KHAN, ADEYEMI, PRYCE), senders=(KHAN, PRYCE))
    who = reviewers(registry, parties, (KHAN,), earlier=earlier, max_excluded=3, was_read=True)
    assert set(who.excluded) == {KHAN, ADEYEMI, PRYCE, BROOKS}
    assert (set(who.senders), set(who.earlier), who.reporting) == ({KHAN, PRYCE}, {ADEYEMI, PRYCE}, (BROOKS,))
    assert who.psd_only == "no supervisor is left who may review it"
    theirs = reviewers(registry, parties, (KHAN,), earlier=Kept(psd_only=True), max_excluded=3, was_read=True)
    assert "earlier" in theirs.psd_only


@pytest.mark.parametrize("senders", [(), (PRYCE, MARSH)])
def test_naming_people_one_mail_after_another_does_not_leave_nobody(registry, senders):
    """Who was kept from earlier items alone is let in again where nobody else is left: of professional standards, and only there."""
    everybody = tuple(sorted(registry.staff_by_id))
    earlier = Kept(staff=everybody, senders=senders)
    who = reviewers(
        registry, parties_of(registry), (KHAN, MARSH), earlier=earlier, max_excluded=3, was_read=True
    )
    assert ADEYEMI not in who.excluded
    assert {KHAN, MARSH, BROOKS, PRYCE} <= set(who.excluded)
    assert who.psd_only
    barred = objection(
        Person(email="x", roles=frozenset({Role.PSD}), staff_id=ADEYEMI), Permission.ITEM_VIEW,
        Subject(senders=frozenset(who.senders), involved=frozenset(who.excluded), psd_only=True), registry,
    )  # fmt: skip
    assert not barred


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
    for sender, told_of_it in ((MARSH, False), (KHAN, True)):
        held = an_item(officer=sender, senders=(sender,), excluded=(sender,))
        found = notices.reviewers(settings, registry, held)
        assert ("ruth.adeyemi@force.example" in found) is told_of_it
        assert ("duty@force.example" in found) is bool(urgent_to)


@pytest.mark.parametrize("urgent_to", [(), (SUPERVISOR, "duty@force.example"), (SUPERVISOR, PSD)])
def test_urgent_notice_of_what_is_theirs_alone_goes_to_professional_standards(registry, urgent_to):
    """Whoever else is told would sign in, find nothing, and know that something is hidden from them (P7)."""
    settings = NoticeSettings(urgent_to=urgent_to)
    both = {PSD, "ruth.adeyemi@force.example"}
    for changes in ({"psd_only": "whom it names could not be read"}, {"officer": None, "senders": ()}):
        held = an_item(**{"officer": KHAN, "senders": (KHAN,), "excluded": (KHAN,)} | changes)
        found = set(notices.reviewers(settings, registry, held))
        assert found == ({PSD} if PSD in urgent_to else both)
