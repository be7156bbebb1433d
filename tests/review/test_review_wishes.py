"""Every decision: what it checks, what it writes, what it queues, and what a second person meets."""

import json
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from gateway_process import OFFICER, SUPERVISOR
from review_desk import (
    BROOKS,
    CANNED,
    DO,
    INSPECTOR,
    KHAN,
    OTHER_PSD,
    PRYCE,
    PSD,
    RAHMAN,
    REVIEW,
    WORDS,
    Desk,
    severe,
)
from stores import NOW, a_verdict, after

from gateway import audit
from gateway.errors import Refused
from gateway.model import (
    Attribution,
    Event,
    ItemKind,
    ItemState,
    Label,
    OutboxKind,
    Role,
    RuleStatus,
    Severity,
    StaffId,
    StaffRole,
)
from gateway.review import claims
from gateway.review.decisions import Wish, decide, needs_two, person_from_directory, standing_approval
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import Store, items, outbox
from gateway.store import claims as claim_rows
from gateway.store.rows import DeliveryState, ExcludedWhy

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


@pytest.mark.parametrize("label", [DO.CONFIRM, DO.FALSE_ALARM])
def test_a_label_on_a_hold_leaves_the_claim(desk, label):
    """It moves no hold: who gave it goes on with the item, and nobody else gets between."""
    hold, flag = desk.hold(), desk.hold(kind=ItemKind.FLAG)
    for item in (hold, flag):
        desk.claim(item)
        assert desk(item, label, INSPECTOR).conflict
        assert not desk(item, label).refused
    standing = desk.store.read_now(lambda tx: claim_rows.claims_of(tx, (hold, flag), NOW))
    assert {item: claim.actor for item, claim in standing.items()} == {hold: SUPERVISOR}
    assert desk(hold, DO.RELEASE, INSPECTOR).conflict
    assert not desk(hold, DO.RELEASE).refused


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


ELSEWHERE = "h.brooks@force.onmicrosoft.example"
"""An address that the directory has and the staff list has not."""


def from_directory(desk, email, *roles):
    """Return somebody whose roles are the directory's word, as they are when they are signed in."""
    return desk.store.read_now(lambda tx: person_from_directory(tx, desk.registry, email, frozenset(roles)))


def test_a_first_yes_of_the_directorys_reviewer_stands(desk):
    """By staff list and account no reviewers, by the directory they are: each is one of two as everybody is, and not both."""
    desk.account(ELSEWHERE)
    item = desk.hold(verdict=severe(), officer=RAHMAN, senders=(RAHMAN,), excluded=(RAHMAN,))
    first, second = (from_directory(desk, email, Role.REVIEWER) for email in (OFFICER, ELSEWHERE))
    assert desk(item, DO.RELEASE, first).done is DO.APPROVE
    assert "second person" in desk(item, DO.RELEASE, first).refused
    assert desk(item, DO.RELEASE, second).done is DO.RELEASE
    assert desk.actions(item) == [DO.APPROVE, DO.RELEASE]


def test_a_first_yes_counts_with_the_role_it_was_given_in(desk):
    """Of professional standards by the directory, a supervisor by the staff list: the yes is professional standards'."""
    item = desk.hold(verdict=severe(), psd_only="it names 30 members of staff")
    assert desk(item, DO.RELEASE, from_directory(desk, SUPERVISOR, Role.PSD)).done is DO.APPROVE
    assert desk(item, DO.RELEASE, PSD).done is DO.RELEASE


def test_one_person_from_the_directory_is_not_two(desk):
    """Under another address: whoever they are on the staff list is one person."""
    desk.account(ELSEWHERE, BROOKS)
    by_name = from_directory(desk, ELSEWHERE, Role.REVIEWER)
    for first, second in ((by_name, SUPERVISOR), (SUPERVISOR, by_name)):
        item = desk.hold(verdict=severe())
        assert desk(item, DO.RELEASE, first).done is DO.APPROVE
        assert "second person" in desk(item, DO.RELEASE, second).refused


def test_a_first_yes_of_the_directory_falls_when_its_giver_may_not_decide(desk, registry):
    """By the staff list of today: who reports to the sender, or is not on it any more, has no yes."""
    item = desk.hold(verdict=severe(), officer=RAHMAN, senders=(RAHMAN,), excluded=(RAHMAN,))
    desk(item, DO.RELEASE, from_directory(desk, OFFICER, Role.REVIEWER))
    full = desk.store.read_now(lambda tx: items.item_in_full(tx, item))

    def stands(senders=(RAHMAN,), staff=registry):
        found = replace(full.item, senders=senders)
        return bool(desk.store.read_now(lambda tx: standing_approval(tx, found, full.decisions, staff)))

    without = {key: one for key, one in registry.staff_by_key.items() if one.email != OFFICER}
    assert stands()
    assert not stands(senders=(PRYCE,))
    assert not stands(staff=replace(registry, staff_by_key=without))


def test_a_shared_mailbox_has_no_role_of_the_directory(desk, registry):
    """Who is behind it nobody knows, the officer that an item is about perhaps (P7); an account says that somebody is."""
    shared = {
        key: replace(one, role=StaffRole.MAILBOX) if one.email == SUPERVISOR else one
        for key, one in registry.staff_by_key.items()
    }
    desk.registry = replace(registry, staff_by_key=shared)
    assert from_directory(desk, SUPERVISOR, Role.REVIEWER) is None
    assert from_directory(desk, INSPECTOR, Role.REVIEWER) is not None
    desk.account(SUPERVISOR)
    assert from_directory(desk, SUPERVISOR, Role.REVIEWER) is not None


def test_a_release_from_the_directory_is_undone_by_its_person_under_another_address(desk):
    """Second thoughts come on the telephone too, where one is signed in by one's account."""
    desk.account(ELSEWHERE, BROOKS)
    item = desk.hold()
    desk(item, DO.RELEASE, from_directory(desk, ELSEWHERE, Role.REVIEWER))
    assert f"only {ELSEWHERE}" in desk(item, DO.UNDO, INSPECTOR).refused
    assert not desk(item, DO.UNDO, SUPERVISOR).refused


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


@pytest.mark.parametrize(
    "hidden",
    [
        {"excluded": (KHAN, BROOKS)},
        {"senders": (KHAN, PRYCE), "excluded": (KHAN, PRYCE)},
    ],
    ids=["names the reviewer", "sent for the reviewer's superior"],
)
def test_the_bound_tells_nobody_of_a_release_that_is_hidden_from_them(desk, hidden):
    """A release that a reviewer may not know of changes no answer of theirs; for professional standards it counts (P7)."""
    secret, next_one, third = desk.hold(**hidden), desk.hold(), desk.hold()
    assert not desk(secret, DO.RELEASE, PSD).refused
    assert not desk(next_one, DO.RELEASE, SUPERVISOR).refused
    assert "professional standards" in desk(third, DO.RELEASE, SUPERVISOR).refused
    assert Event.DECISION_REFUSED in desk.events()


def test_how_many_releases_an_officer_had_is_on_record(desk):
    """What the bound let pass because it was hidden is in the audit log, for whoever oversees it."""
    secret, next_one = desk.hold(excluded=(KHAN, BROOKS)), desk.hold()
    desk(secret, DO.RELEASE, PSD)
    desk(next_one, DO.RELEASE, SUPERVISOR)
    approved = [
        json.loads(row.payload)
        for row in desk.store.read_now(audit.entries)
        if row.event == Event.HOLD_RELEASE_APPROVED
    ]
    assert [one["earlier_releases"] for one in approved] == [0, 1]


def at_once(desk, wish, act):
    """Have a supervisor decide, and somebody else ``act`` before that is committed; return what was said to both."""
    actor, rulings = desk.actor(SUPERVISOR), []
    thread = Thread(target=lambda: rulings.append(act()))

    def job(tx):
        ruling = decide(tx, wish, actor, NOW, review=REVIEW, notice=NoticeSettings())
        thread.start()
        thread.join(0.5)  # time enough to be done, were it not to wait
        return ruling

    ruling = desk.store.write_now(job)
    thread.join(30)
    return ruling, rulings[0]


def test_two_releases_of_one_officer_at_once_are_one_after_the_other(backend, registry, tmp_path):
    """Two reviewers, two holds, one moment: the second waits, and then meets the bound."""
    settings = backend.copy(tmp_path / "store", busy_timeout_s=60)
    with Store.open(settings) as ours, Store.open(settings) as theirs:
        first, second = Desk(ours, registry), Desk(theirs, registry)
        one, other = first.hold(), first.hold()
        wish = Wish(item_id=one, action=DO.RELEASE, reason=WORDS)
        ruling, meanwhile = at_once(first, wish, lambda: second(other, DO.RELEASE, INSPECTOR))
        assert not ruling.refused
        assert "professional standards" in meanwhile.refused
        assert second.state(other) is ItemState.HELD


def test_a_claim_in_the_moment_of_a_decision_meets_what_was_decided(backend, registry, tmp_path):
    """It was referred meanwhile: no claim of somebody who may not know of it any more stands in the way of those who may."""
    settings = backend.copy(tmp_path / "store", busy_timeout_s=60)
    with Store.open(settings) as ours, Store.open(settings) as theirs:
        first, second = Desk(ours, registry), Desk(theirs, registry)
        item = first.hold()
        wish = Wish(item_id=item, action=DO.REFER, reason=WORDS)
        ruling, meanwhile = at_once(first, wish, lambda: second.claim(item, INSPECTOR))
        assert not ruling.refused
        assert "professional standards" in meanwhile.refused
        assert second(item, DO.RETURN, PSD).done is DO.RETURN


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
