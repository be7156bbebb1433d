"""Every decision: what it checks, what it writes, what it queues, and what a second person meets."""

from dataclasses import replace
from datetime import timedelta

import pytest
from gateway_process import CONTACT, OFFICER, SUPERVISOR
from stores import NOW, a_verdict, after, an_envelope, an_item

from gateway import audit
from gateway.errors import Refused
from gateway.model import (
    Attribution,
    Event,
    ItemKind,
    ItemState,
    Label,
    OutboxKind,
    RuleStatus,
    Severity,
    StaffId,
)
from gateway.review import claims
from gateway.review.decisions import Actor, Wish, decide, needs_two, person_called, standing_approval
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import claims as claim_rows
from gateway.store import items, outbox
from gateway.store.rows import DecisionAction, DeliveryState, ExcludedWhy, RecipientState

KHAN, RAHMAN = StaffId("4417"), StaffId("5001")
INSPECTOR = "owen.pryce@force.example"
PSD, OTHER_PSD = "judith.marsh@force.example", "ruth.adeyemi@force.example"
WORDS = "The words are about the hearing, not about her."
REVIEW = ReviewSettings()
CANNED = REVIEW.reasons[0]
DO = DecisionAction


class Desk:
    """A store with reviewers at it."""

    def __init__(self, store, registry):
        self.store, self.registry = store, registry

    def hold(self, **changes):
        given = {
            "officer": KHAN,
            "senders": (KHAN,),
            "excluded": (KHAN,),
            "contacts": ("P-1",),
            "envelope": an_envelope(CONTACT, sender=OFFICER),
            "recipients": (CONTACT,),
        } | changes
        item = an_item(**given)
        return self.store.write_now(lambda tx: items.add_item(tx, item))

    def actor(self, email):
        person = self.store.read_now(lambda tx: person_called(tx, self.registry, email))
        return Actor(person=person, registry=self.registry, system="system:test")

    def __call__(self, item, action, by=SUPERVISOR, at=NOW, review=REVIEW, reason=WORDS, **more):
        wish = Wish(item_id=item, action=action, reason=reason, **more)
        actor = self.actor(by)
        return self.store.write_now(
            lambda tx: decide(tx, wish, actor, at, review=review, notice=NoticeSettings())
        )

    def claim(self, item, by=SUPERVISOR, at=NOW):
        actor = self.actor(by)
        return self.store.write_now(lambda tx: claims.claim(tx, item, actor, at, REVIEW))

    def item(self, item):
        return self.store.read_now(lambda tx: items.item(tx, item))

    def state(self, item):
        return self.item(item).state

    def serve(self, at):
        """Claim what is due, as serve does; return the items released by it."""
        claimed = self.store.write_now(lambda tx: outbox.claim_deliveries(tx, "serve", at, 900, 99))
        return [one.item_id for one in claimed if one.kind is OutboxKind.RELEASE]

    def fail(self, item, at):
        """Have the smarthost refuse the release of ``item``."""

        def job(tx):
            (one,) = [d for d in outbox.deliveries_of(tx, item) if d.state is DeliveryState.LEASED]
            outbox.record_results(tx, one.id, [(0, RecipientState.FAILED, "550 no")], at)
            outbox.fail(tx, one.id, "serve", "550 no")
            items.set_state(tx, item, ItemState.RELEASING, ItemState.RELEASE_FAILED)

        self.store.write_now(job)

    def deliveries(self, item):
        return self.store.read_now(lambda tx: outbox.deliveries_of(tx, item))

    def events(self):
        return [row.event for row in self.store.read_now(audit.entries)]

    def actions(self, item):
        return [one.action for one in self.store.read_now(lambda tx: items.decisions_of(tx, item))]


@pytest.fixture
def desk(store, registry):
    return Desk(store, registry)


def severe(severity=Severity.CRITICAL, **changes):
    verdict = a_verdict()
    return replace(verdict, findings=(replace(verdict.findings[0], severity=severity, **changes),))


# --- reasons ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    ["", " ", "x", "...", "ok", "aaaaaaaa", CANNED, CANNED.upper() + " !", *REVIEW.return_texts.values(), "w" * 10_001],
)  # fmt: skip
def test_a_hold_is_not_released_without_own_words(desk, reason):
    """Nothing, one character, a rattled key or a reason that is offered to everybody: refused, nothing changes."""
    item = desk.hold()
    assert desk(item, DO.RELEASE, reason=reason).refused
    assert (desk.state(item), desk.deliveries(item), desk.events()) == (ItemState.HELD, (), [])


@pytest.mark.parametrize("action", [DO.RETURN, DO.REFER, DO.CONFIRM, DO.FALSE_ALARM, DO.NOTE])
def test_every_other_decision_needs_a_reason_and_may_take_an_offered_one(desk, action):
    """Mandatory, but one that is offered will do."""
    item = desk.hold()
    for reason in ("", "\u200b \u00a0", "x"):
        assert "reason is required" in desk(item, action, reason=reason).refused
    assert not desk(item, action, reason=CANNED).refused


# --- claims -------------------------------------------------------------------------------------------------


def test_the_second_reviewer_is_told_who_and_until_when(desk):
    """A claim keeps the others from deciding until it ends; it says whose it is."""
    item = desk.hold()
    assert not desk.claim(item).refused
    second = desk.claim(item, INSPECTOR)
    until = after(seconds=REVIEW.claim_s)
    assert (second.conflict.actor, second.conflict.until) == (SUPERVISOR, until)
    assert SUPERVISOR in second.refused
    for action in (DO.RELEASE, DO.RETURN, DO.REFER, DO.CONFIRM):
        ruling = desk(item, action, INSPECTOR, at=until - timedelta(seconds=1))
        assert ruling.conflict.actor == SUPERVISOR
    assert not desk(item, DO.NOTE, INSPECTOR).refused
    assert desk.state(item) is ItemState.HELD
    assert not desk(item, DO.RETURN, INSPECTOR, at=until).refused


def test_a_claim_can_be_prolonged_and_given_up(desk):
    """One's own claim begins where it began and ends later; given up, the next reviewer gets it."""
    item = desk.hold()
    desk.claim(item)
    assert not desk.claim(item, at=after(seconds=60)).refused
    standing = desk.store.read_now(lambda tx: claim_rows.claim_of(tx, item, NOW))
    assert (standing.since, standing.until) == (NOW, after(seconds=60 + REVIEW.claim_s))
    for email, refused in ((INSPECTOR, True), (SUPERVISOR, False), (SUPERVISOR, True)):
        actor = desk.actor(email)
        ruling = desk.store.write_now(lambda tx, actor=actor: claims.give_up(tx, item, actor, NOW))
        assert bool(ruling.refused) is refused
    assert not desk.claim(item, INSPECTOR).refused
    assert desk.events().count(Event.ITEM_CLAIM_ENDED) == 1


def test_a_decision_ends_the_claim(desk):
    """Who has decided holds nothing back: professional standards need not wait out the lease."""
    item = desk.hold()
    desk.claim(item)
    assert not desk(item, DO.REFER).refused
    assert not desk.claim(item, PSD).refused


def test_nobody_conflicted_claims_or_learns_whose_it_is(desk):
    """The officer, in professional standards or not, is told of their conflict and of no claim; it is recorded."""
    item = desk.hold(senders=(StaffId("1502"),), officer=StaffId("1502"), excluded=(StaffId("1502"),))
    desk.claim(item, OTHER_PSD)
    desk.claim(item, INSPECTOR)
    ruling = desk.claim(item, PSD)
    assert ruling.refused
    assert ruling.conflict is None
    assert Event.DECISION_REFUSED in desk.events()


def test_what_is_decided_or_absent_cannot_be_claimed(desk):
    """There is nothing to decide."""
    item = desk.hold()
    desk(item, DO.RETURN)
    assert "returned" in desk.claim(item).refused
    assert "no item" in desk.claim("nowhere").refused
    assert "no item" in desk("nowhere", DO.RELEASE).refused


# --- release, and second thoughts ---------------------------------------------------------------------------


def test_a_release_waits_for_second_thoughts(desk):
    """Nothing goes out before the time is over, though it is decided and durable; then it goes."""
    item = desk.hold()
    ruling = desk(item, DO.RELEASE)
    assert ruling.goes_at == after(seconds=REVIEW.undo_s)
    assert desk.state(item) is ItemState.RELEASING
    assert desk.serve(after(seconds=REVIEW.undo_s - 0.001)) == []
    assert desk.serve(after(seconds=REVIEW.undo_s)) == [item]


def test_at_once_goes_at_once(desk):
    """Who says so does not wait."""
    item = desk.hold()
    desk(item, DO.RELEASE, at_once=True)
    assert desk.serve(NOW) == [item]


def test_an_undone_release_never_goes_out(desk):
    """Undone, the item is held again, its delivery is withdrawn, and it may be decided otherwise."""
    item = desk.hold()
    desk(item, DO.RELEASE)
    assert not desk(item, DO.UNDO, reason="", at=after(seconds=5)).refused
    assert desk.state(item) is ItemState.HELD
    assert desk.serve(after(days=1)) == []
    assert [one.state for one in desk.deliveries(item)] == [DeliveryState.WITHDRAWN]
    assert not desk(item, DO.RETURN, at=after(days=1)).refused
    assert desk.actions(item) == [DO.RELEASE, DO.UNDO, DO.RETURN]


def test_released_undone_and_released_again_goes_out_once(desk):
    """The first approval is not sent with the second, however soon it follows."""
    item = desk.hold()
    desk(item, DO.RELEASE)
    desk(item, DO.UNDO, at=after(seconds=1))
    desk(item, DO.RELEASE, at=after(seconds=2))
    assert desk.serve(after(days=1)) == [item]
    assert desk.serve(after(days=1)) == []
    states = sorted(one.state for one in desk.deliveries(item))
    assert states == [DeliveryState.LEASED, DeliveryState.WITHDRAWN]


def test_what_is_being_sent_cannot_be_undone(desk):
    """Once serve has it, the answer is no: it may be with the contact."""
    item = desk.hold()
    desk(item, DO.RELEASE)
    desk.serve(after(minutes=1))
    assert "cannot be called back" in desk(item, DO.UNDO, at=after(minutes=1)).refused
    assert desk.state(item) is ItemState.RELEASING


def test_only_who_released_it_or_psd_undoes_it(desk):
    """A colleague does not overrule a colleague; professional standards do."""
    item, other = desk.hold(), desk.hold(officer=RAHMAN, senders=(RAHMAN,))
    for each in (item, other):
        desk(each, DO.RELEASE)
    assert SUPERVISOR in desk(item, DO.UNDO, INSPECTOR).refused
    assert not desk(item, DO.UNDO, SUPERVISOR).refused
    assert not desk(other, DO.UNDO, PSD).refused


def test_undo_goes_back_to_where_it_was(desk):
    """What was referred is referred again, not open to the line."""
    item = desk.hold(psd_only="it names 30 members of staff")
    desk(item, DO.RELEASE, PSD)
    desk(item, DO.UNDO, PSD)
    assert desk.state(item) is ItemState.REFERRED


def test_a_failed_release_is_tried_again_for_whom_it_did_not_reach(desk):
    """A new delivery takes the place of the failed one, for the same recipients, and alone goes out."""
    item = desk.hold()
    desk(item, DO.RELEASE, at_once=True)
    desk.serve(NOW)
    desk.fail(item, NOW)
    assert not desk(item, DO.RELEASE, at=after(hours=1)).refused
    desk(item, DO.UNDO, at=after(hours=1))
    assert desk.state(item) is ItemState.RELEASE_FAILED
    desk(item, DO.RELEASE, at=after(hours=1))
    assert desk.serve(after(hours=2)) == [item]
    assert [one.state for one in desk.deliveries(item)].count(DeliveryState.WITHDRAWN) == 2


def test_two_decisions_at_once_leave_one(desk):
    """The second meets what the first made of it."""
    item = desk.hold()
    assert not desk(item, DO.RETURN, INSPECTOR).refused
    ruling = desk(item, DO.RELEASE)
    assert "returned" in ruling.refused
    assert [one.kind for one in desk.deliveries(item)] == [OutboxKind.RETURN]


# --- two people, and the second release ---------------------------------------------------------------------


def test_what_is_severe_needs_two_people(desk):
    """One yes sends nothing; the same person's second is refused; another person's releases."""
    item = desk.hold(verdict=severe())
    first = desk(item, DO.RELEASE)
    assert first.done is DO.APPROVE
    assert (desk.state(item), desk.deliveries(item)) == (ItemState.HELD, ())
    assert "second person" in desk(item, DO.RELEASE, reason="I have thought about it again.").refused
    second = desk(item, DO.RELEASE, INSPECTOR)
    assert second.done is DO.RELEASE
    assert desk.state(item) is ItemState.RELEASING
    assert desk.actions(item) == [DO.APPROVE, DO.RELEASE]
    assert desk.events() == [Event.HOLD_RELEASE_PROPOSED, Event.HOLD_RELEASE_APPROVED]


@pytest.mark.parametrize("between", [DO.REFER, DO.UNDO, DO.RETURN])
def test_a_first_yes_falls_with_the_next_decision(desk, between):
    """Referred, undone, or returned and reopened: two people must agree anew."""
    item = desk.hold(verdict=severe())
    desk(item, DO.RELEASE)
    if between is DO.UNDO:
        desk(item, DO.RELEASE, PSD)
    desk(item, between, PSD if between is DO.UNDO else INSPECTOR)
    if between is DO.RETURN:
        desk(item, DO.REOPEN, PSD)
    assert desk(item, DO.RELEASE, OTHER_PSD).done is DO.APPROVE


def test_a_first_yes_falls_when_its_giver_may_not_decide(desk, registry):
    """Whoever is no longer on the staff list, nor has an account, does not count."""
    item = desk.hold(verdict=severe())
    desk(item, DO.RELEASE)
    people = {k: v for k, v in registry.staff_by_key.items() if v.email != SUPERVISOR}
    full = desk.store.read_now(lambda tx: items.item_in_full(tx, item))
    without = replace(registry, staff_by_key=people)
    standing = desk.store.read_now(lambda tx: standing_approval(tx, full.item, full.decisions, without))
    assert standing is None


@pytest.mark.parametrize(
    ("verdict", "settings", "two"),
    [
        (severe(), {}, True),
        (severe(Severity.HIGH), {}, False),
        (severe(Severity.HIGH), {"two_person_severity": "high"}, True),
        (severe(), {"two_person_severity": ""}, False),
        (severe(Severity.LOW), {"two_person_categories": ("flirting",)}, True),
        (severe(status=RuleStatus.SHADOW), {}, False),
        (severe(attribution=Attribution.QUOTED), {}, False),
        (replace(a_verdict(), findings=()), {}, False),
    ],
)
def test_policy_says_what_is_severe(verdict, settings, two):
    """By severity or category; trials and other people's quoted words do not count."""
    assert needs_two(verdict, ReviewSettings(**settings)) is two


def test_the_second_release_for_one_officer_needs_psd(desk):
    """A line manager lets one through in the window; the next goes by professional standards (DECISIONS 33)."""
    first, second, third = desk.hold(), desk.hold(), desk.hold(officer=RAHMAN, senders=(RAHMAN,))
    assert not desk(first, DO.RELEASE).refused
    refused = desk(second, DO.RELEASE, INSPECTOR)
    assert "professional standards" in refused.refused
    assert Event.DECISION_REFUSED in desk.events()
    assert not desk(third, DO.RELEASE).refused
    assert not desk(second, DO.RELEASE, PSD).refused


def test_releases_are_counted_in_the_window_and_not_when_undone(desk):
    """What was undone did not go out; what is long ago is not counted; 0 counts none."""
    first, second = desk.hold(), desk.hold()
    desk(first, DO.RELEASE)
    desk(first, DO.UNDO)
    assert not desk(second, DO.RELEASE).refused
    later = after(days=REVIEW.release_window_days + 1)
    assert not desk(first, DO.RELEASE, at=later).refused
    third = desk.hold()
    assert desk(third, DO.RELEASE, at=later).refused
    assert not desk(third, DO.RELEASE, at=later, review=ReviewSettings(releases_before_psd=0)).refused


# --- return, refer, label, note, reopen ---------------------------------------------------------------------


def test_the_officer_gets_the_reviewers_words(desk):
    """Own words stand as they are, braces and all; without them the force's notice."""
    own, plain = desk.hold(), desk.hold()
    desk(own, DO.RETURN, words="Please see me {today} about this. £")
    desk(plain, DO.RETURN)
    texts = []
    for item in (own, plain):
        (delivery,) = desk.deliveries(item)
        assert [one.address for one in delivery.recipients] == [OFFICER]
        from email import message_from_bytes, policy

        raw = desk.store.read_now(lambda tx, d=delivery: outbox.message_of(tx, d.id))
        texts.append(message_from_bytes(raw, policy=policy.default).get_content())
    assert "Please see me {today} about this. £" in texts[0]
    assert own in texts[0]
    assert "speak to your supervisor" in texts[1]


@pytest.mark.parametrize("words", ["a\x00b", "a\x1b[31m", "w" * 10_001, "\ud800"])
def test_words_to_the_officer_are_bounded(desk, words):
    """No control characters and no essays: it is a mail."""
    item = desk.hold()
    assert "words to the officer" in desk(item, DO.RETURN, words=words).refused
    assert desk.state(item) is ItemState.HELD


def test_referred_is_for_psd_alone(desk):
    """It stays held; the line neither sees nor decides it any more, professional standards do."""
    item = desk.hold()
    assert not desk(item, DO.REFER).refused
    assert desk.state(item) is ItemState.REFERRED
    for action in (DO.RELEASE, DO.RETURN, DO.NOTE, DO.CONFIRM, DO.UNDO):
        assert "professional standards" in desk(item, action).refused
    assert "not decided yet" not in desk(item, DO.REFER, PSD).refused
    assert not desk(item, DO.RELEASE, PSD).refused


def test_a_flag_is_referred_labelled_and_reopened(desk):
    """It was delivered: nothing to release or return; a label closes it, and it can be opened again."""
    item = desk.hold(kind=ItemKind.FLAG)
    for action in (DO.RELEASE, DO.RETURN, DO.UNDO):
        assert "is a flag" in desk(item, action).refused
    assert not desk(item, DO.REFER).refused
    assert desk.item(item).psd_copy
    assert not desk(item, DO.FALSE_ALARM).refused
    assert (desk.state(item), desk.item(item).label) == (ItemState.CLOSED, Label.FALSE_ALARM)
    assert "reopen it first" in desk(item, DO.CONFIRM).refused
    assert not desk(item, DO.REOPEN).refused
    assert not desk(item, DO.CONFIRM).refused
    assert desk.item(item).label is Label.CROSSING


def test_a_label_moves_no_hold(desk):
    """Whether it was a crossing, and where it goes, are two questions; labels follow a decision too."""
    item = desk.hold()
    desk(item, DO.FALSE_ALARM)
    assert (desk.state(item), desk.item(item).label) == (ItemState.HELD, Label.FALSE_ALARM)
    desk(item, DO.RELEASE)
    desk(item, DO.CONFIRM)
    assert (desk.state(item), desk.item(item).label) == (ItemState.RELEASING, Label.CROSSING)


def test_a_returned_hold_is_reopened_by_psd_alone(desk):
    """The line does not take back what it told the officer; professional standards may decide it anew."""
    item = desk.hold()
    desk(item, DO.RETURN)
    assert "alone" in desk(item, DO.REOPEN).refused
    assert not desk(item, DO.REOPEN, PSD).refused
    assert desk.state(item) is ItemState.REFERRED
    assert "not decided yet" in desk(desk.hold(), DO.REOPEN, PSD).refused


EVERY = [action for action in DO if action is not DO.APPROVE]


@pytest.mark.parametrize("action", EVERY)
@pytest.mark.parametrize("who", ["officer", "named", "reports"])
def test_no_conflicted_person_decides_anything(desk, action, who):
    """The sender, somebody named in the thread, somebody who reports to the sender: refused and recorded."""
    marsh, adeyemi = StaffId("1502"), StaffId("1503")
    senders = {"officer": (adeyemi,), "named": (KHAN,), "reports": (marsh,)}[who]
    item = desk.hold(
        officer=senders[0], senders=senders, excluded=(*senders, adeyemi)[: 1 if who == "reports" else 2]
    )
    ruling = desk(item, action, OTHER_PSD)
    assert ruling.refused
    assert desk.actions(item) == []
    assert desk.events() == [Event.DECISION_REFUSED]


@pytest.mark.parametrize("action", [DO.RELEASE, DO.RETURN, DO.REFER, DO.CONFIRM, DO.FALSE_ALARM, DO.NOTE])
def test_decision_and_audit_entry_are_one_transaction(desk, action):
    """When the transaction fails, neither is there; when it commits, both are."""
    item = desk.hold()
    wish, actor = Wish(item_id=item, action=action, reason=WORDS), desk.actor(SUPERVISOR)

    def job(tx):
        ruling = decide(tx, wish, actor, NOW, review=REVIEW, notice=NoticeSettings())
        assert not ruling.refused
        raise Refused("the disk is full")

    with pytest.raises(Refused):
        desk.store.write_now(job)
    assert (desk.state(item), desk.actions(item), desk.events()) == (ItemState.HELD, [], [])
    assert desk.deliveries(item) == ()
    assert not desk(item, action).refused
    assert len(desk.events()) == len(desk.actions(item)) + (action is DO.RETURN)


def test_why_somebody_is_excluded_is_kept(desk):
    """Sender, addressed or named: whoever asks later gets an answer."""
    item = desk.hold(excluded=(KHAN, StaffId("3308"), StaffId("2201")), addressed=(KHAN, StaffId("3308")))
    found = desk.store.read_now(lambda tx: items.excluded_of(tx, item))
    assert {one.staff_id: one.why for one in found} == {
        "4417": ExcludedWhy.SENDER,
        "3308": ExcludedWhy.ADDRESSED,
        "2201": ExcludedWhy.NAMED,
    }
