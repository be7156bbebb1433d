"""The digest: who is told that holds wait, how often, and that nothing of them is in it."""

import asyncio
import random
from dataclasses import replace
from email import message_from_bytes, policy
from functools import partial
from itertools import pairwise

import pytest
import structlog
from gateway_process import CONTACT, OFFICER, SUPERVISOR
from stores import NOW, after, an_item

from gateway import identify, notices
from gateway.errors import NotStored
from gateway.model import Event, ItemState, Role, StaffId, StaffRole
from gateway.review import digest
from gateway.review.decisions import person_called
from gateway.review.digest import begin_digest, due_digest, remind
from gateway.review.sight import sight_of
from gateway.review.stranded import stranded
from gateway.settings import NoticeSettings, WebhookSettings
from gateway.store import items, outbox, queue, records
from gateway.store.instants import instant_text
from gateway.store.rows import Account

KHAN, BROOKS, PRYCE, MARSH, RAHMAN = map(StaffId, ("4417", "3308", "2201", "1502", "5001"))
PSD, OTHER_PSD = "judith.marsh@force.example", "ruth.adeyemi@force.example"
SETTINGS = NoticeSettings(url="https://console.force.example")


@pytest.fixture
def waiting(desk):
    return partial(desk.hold, subject="Secret subject")


@pytest.fixture
def told(store, registry):
    """Ask for the digest at a time; return what each address was told."""

    def ask(at, settings=SETTINGS):
        before = {one.id for one in store.read_now(outbox.list_deliveries)}
        asyncio.run(remind(store, settings, registry, at))
        new = [one for one in store.read_now(outbox.list_deliveries) if one.id not in before]
        return {
            one.recipients[0].address: message_from_bytes(
                store.read_now(lambda tx, one=one: outbox.message_of(tx, one.id)), policy=policy.default
            )
            for one in new
        }

    ask(NOW)  # the first look only begins the period
    return ask


def test_the_manager_is_told_how_many_and_nothing_of_them(waiting, told):
    """Number, age and the way in; no subject, name, rule or address, and nothing to answer."""
    for _ in range(3):
        waiting()
    found = told(after(hours=4))
    assert set(found) == {SUPERVISOR}
    text = found[SUPERVISOR].get_content()
    assert "3 messages wait" in text
    assert "https://console.force.example" in text
    assert found[SUPERVISOR]["Auto-Submitted"] == "auto-generated"
    for secret in ("Secret", "Khan", "nadia", "flirting", OFFICER, CONTACT):
        assert secret not in str(found[SUPERVISOR])


def test_it_comes_once_a_period_and_never_for_nothing(waiting, told):
    """Not before its time, not twice, not when nothing waits, not when it is switched off."""
    assert told(after(hours=5)) == {}
    waiting()
    assert told(after(hours=6), NoticeSettings(digest_h=0)) == {}
    assert set(told(after(hours=6))) == {SUPERVISOR}
    assert told(after(hours=9.9)) == {}
    assert set(told(after(hours=10))) == {SUPERVISOR}


def test_two_relays_send_it_once(store, registry, waiting, told):
    """Both write it, one queues it."""
    waiting()
    at = after(hours=4)

    async def both():
        return await asyncio.gather(*(remind(store, SETTINGS, registry, at) for _ in range(2)))

    assert sorted(asyncio.run(both())) == [0, 1]
    assert asyncio.run(remind(store, SETTINGS, registry, at)) == 0


def test_the_later_of_two_relays_changes_nothing(store, waiting, told):
    """Both found the digest due before either queued it."""
    waiting()
    at = after(hours=4)
    first, second = (store.read_now(lambda tx: due_digest(tx, SETTINGS, at)) for _ in range(2))
    assert store.write_now(lambda tx: begin_digest(tx, first, (), at))
    assert not store.write_now(lambda tx: begin_digest(tx, second, (), after(hours=5)))
    assert store.read_now(lambda tx: records.fact(tx, "digest_at")) == instant_text(at)


@pytest.fixture
def many(monkeypatch):
    """A digest that seven reviewers are told of, queued three at a time."""

    def written(settings, registry, waiting, at, **_):
        each = (notices.Receiver(f"r{n}@force.example") for n in range(7))
        made = tuple(notices._digest_for(settings, one.address, [(at, one)], at) for one in each)
        return notices.Digests(notices=made, untold=0, passed_on=0, late=0)

    monkeypatch.setattr(notices, "digest", written)
    monkeypatch.setattr(digest, "_AT_ONCE", 3)


def test_a_long_digest_is_queued_in_several_jobs(store, waiting, told, many):
    """Everybody is told once; the jobs are short, so that mail is recorded between them."""
    waiting()
    assert set(told(after(hours=4))) == {f"r{n}@force.example" for n in range(7)}
    assert told(after(hours=4.1)) == {}


def test_a_relay_that_stops_between_jobs_tells_nobody_twice(
    store, registry, waiting, told, many, monkeypatch
):
    """The fact is moved with the first notices: what is lost is the rest of this digest, and the next one comes."""
    waiting()
    write, jobs = store.write, []

    async def stops(job):
        jobs.append(job)
        if len(jobs) == 2:
            raise NotStored("killed")
        return await write(job)

    monkeypatch.setattr(store, "write", stops)
    with pytest.raises(NotStored):
        told(after(hours=4))
    monkeypatch.undo()
    assert {one.recipients[0].address for one in store.read_now(outbox.list_deliveries)} == {
        f"r{n}@force.example" for n in range(3)
    }
    assert told(after(hours=4.1)) == {}
    assert set(told(after(hours=8))) == {SUPERVISOR}


def test_the_reader_that_mail_waits_for_does_not_read_it(store, registry, waiting, told, monkeypatch):
    """Nor is a mail written inside of a transaction."""
    waiting()
    monkeypatch.setattr(store, "read", None)
    under_way, read_now, write_digest = [], store.read_now, notices.digest

    def reads(job):
        under_way.append(job)
        try:
            return read_now(job)
        finally:
            under_way.pop()

    def writes(*given, **more):
        assert not under_way
        return write_digest(*given, **more)

    monkeypatch.setattr(store, "read_now", reads)
    monkeypatch.setattr(notices, "digest", writes)
    assert set(told(after(hours=4))) == {SUPERVISOR}


def test_what_waits_for_nobody_is_not_read_again_every_minute(store, registry, waiting, told):
    """The next look is a period later, when somebody may be known."""
    waiting(officer=MARSH, senders=(MARSH,), excluded=(MARSH,))
    assert told(after(hours=4)) == {}
    assert store.read_now(lambda tx: due_digest(tx, SETTINGS, after(hours=4.1))) is None
    assert store.read_now(lambda tx: due_digest(tx, SETTINGS, after(hours=8))) is not None


def test_a_clock_that_was_ahead_silences_nobody(store, waiting, told):
    """A digest written for next year does not keep this year's from going out; a small difference of clocks sends none twice."""
    waiting()
    store.write_now(lambda tx: records.set_fact(tx, "digest_at", instant_text(after(days=400))))
    assert set(told(after(hours=1))) == {SUPERVISOR}
    assert told(after(hours=0.9)) == {}
    assert set(told(after(hours=5))) == {SUPERVISOR}


def test_holds_that_nobody_can_be_told_of_are_an_alarm(store, waiting, told):
    """They wait unmentioned otherwise: the log says how many, each time a digest is due."""
    waiting()
    for _ in range(2):
        waiting(officer=MARSH, senders=(MARSH,), excluded=(MARSH,))
    with structlog.testing.capture_logs() as logged:
        assert set(told(after(hours=4))) == {SUPERVISOR}
        assert told(after(hours=5)) == {}
    (alarm,) = logged
    assert (alarm["event"], alarm["log_level"], alarm["holds"]) == ("digest:nobody-to-tell", "error", 2)


def test_an_outside_reviewer_is_told_of_what_nobody_inside_may_decide(store, waiting, told, registry):
    """They may decide it, and the alarm ends; of what others may decide they are not told."""
    waiting()
    theirs = [one.staff_id for one in registry.staff_by_role[StaffRole.PSD]]
    waiting(excluded=(KHAN, *theirs), psd_only="it names them all")
    assert store.read_now(lambda tx: stranded(tx, registry)) == 1
    account = Account(
        email="duty@psd.other.example", roles=frozenset({Role.PSD}), staff_id=None, local=True, at=NOW
    )
    store.write_now(lambda tx: records.add_account(tx, account))
    with structlog.testing.capture_logs() as logged:
        found = told(after(hours=4))
    assert set(found) == {SUPERVISOR, account.email}
    assert "One message waits" in found[account.email].get_content()
    assert logged == []
    assert store.read_now(lambda tx: stranded(tx, registry)) == 0


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"psd_only": "it names 30 people"}, {PSD, OTHER_PSD}),
        ({"officer": None, "senders": (), "excluded": ()}, {PSD, OTHER_PSD}),
        ({"excluded": (KHAN, BROOKS)}, {PSD, OTHER_PSD}),
        ({"excluded": (KHAN, BROOKS, MARSH)}, {OTHER_PSD}),
        ({"officer": RAHMAN, "senders": (RAHMAN,), "excluded": (RAHMAN,)}, {PSD, OTHER_PSD}),
        ({"officer": MARSH, "senders": (MARSH,), "excluded": (MARSH,)}, set()),
        ({"senders": (KHAN, PRYCE), "excluded": (KHAN, PRYCE)}, {PSD, OTHER_PSD}),
    ],
    ids=[
        "referred",
        "unknown officer",
        "manager named",
        "PSD named too",
        "no manager",
        "PSD's own",
        "manager's superior",
    ],
)
def test_nobody_is_told_of_what_they_may_not_know(waiting, told, changes, who):
    """It goes past the conflicted to professional standards, and there past who is named or reports to the sender."""
    waiting(**changes)
    assert set(told(after(hours=4))) == who


def test_a_failed_release_of_what_is_theirs_alone_waits_for_them(store, waiting, told):
    """The manager, who never knew of it, is not told of its trouble either."""
    item = waiting(psd_only="whom it names could not be read")
    for before, then in pairwise((ItemState.REFERRED, ItemState.RELEASING, ItemState.RELEASE_FAILED)):
        store.write_now(lambda tx, one=before, to=then: items.set_state(tx, item, one, to))
    assert set(told(after(hours=4))) == {PSD, OTHER_PSD}


@pytest.mark.parametrize("seed", range(4))
def test_whoever_is_told_has_it_in_their_own_queue(store, registry, waiting, seed):
    """For any senders, people named and officers: digest and urgent notice go to those alone who see the item in the console."""
    dice = random.Random(seed)
    staff = tuple(registry.staff_by_id)
    for number in range(40):
        officer = dice.choice((*staff, None))
        senders = tuple(
            dict.fromkeys((*((officer,) if officer else ()), *dice.sample(staff, dice.randrange(2))))
        )
        named = tuple(dice.sample(staff, dice.randrange(3)))
        changes = {
            "officer": officer, "senders": senders, "excluded": tuple(dict.fromkeys((*senders, *named))),
            "psd_only": dice.choice(("", "", "many")), "held_at": after(seconds=number),
        }  # fmt: skip
        item = waiting(**changes)
        found = store.read_now(lambda tx: items.waiting_holds(tx, tuple(ItemState), limit=1000))[-1:]
        digested = {one.recipients[0] for one in notices.digest(SETTINGS, registry, found, NOW).notices}
        urgent_to = dice.choice(((), (SUPERVISOR, PSD)))
        at_once = notices.reviewers(NoticeSettings(urgent_to=urgent_to), registry, an_item(**changes))
        for address in digested.union(at_once):
            person = store.read_now(lambda tx, one=address: person_called(tx, registry, one))
            sight = sight_of(person, registry)
            seen = store.read_now(lambda tx, sight=sight, one=item: queue.in_sight(tx, sight, one))
            assert seen, (address, changes)


def test_what_is_decided_waits_for_nobody(store, waiting, told):
    """Returned and released holds are in no digest; each notice is in the audit log."""
    item = waiting()
    store.write_now(lambda tx: items.set_state(tx, item, ItemState.HELD, ItemState.RETURNED))
    assert told(after(hours=4)) == {}
    waiting()
    told(after(hours=5))
    from gateway import audit

    assert [one.event for one in store.read_now(audit.entries)] == [Event.NOTICE_QUEUED]


# --- who cannot decide is not the end of the chain (P6) -----------------------------------------------------


@pytest.fixture
def line(registry):
    """Return the registry with some of the staff in other roles."""

    def made(**roles):
        by_id = {StaffId(staff.removeprefix("s")): role for staff, role in roles.items()}
        staff = {
            key: replace(one, role=by_id.get(one.staff_id, one.role))
            for key, one in registry.staff_by_key.items()
        }
        return replace(registry, staff_by_key=staff)

    return made


@pytest.fixture
def told_in(store):
    """Ask for the digest under a registry; return what each address was told, and the log."""

    def ask(registry, at, settings=SETTINGS):
        store.write_now(lambda tx: records.set_fact(tx, "digest_at", instant_text(after(days=-1))))
        with structlog.testing.capture_logs() as logged:
            asyncio.run(remind(store, settings, registry, at))
        texts = {}
        for one in store.read_now(outbox.list_deliveries):
            raw = store.read_now(lambda tx, one=one: outbox.message_of(tx, one.id))
            texts[one.recipients[0].address] = message_from_bytes(raw, policy=policy.default).get_content()
        return texts, {entry["event"]: entry.get("holds") for entry in logged}

    return ask


BOSS = "owen.pryce@force.example"


@pytest.mark.parametrize(
    ("roles", "who"),
    [
        ({"s3308": StaffRole.OFFICER}, {BOSS}),
        ({"s3308": StaffRole.STAFF, "s2201": StaffRole.OFFICER}, {PSD, OTHER_PSD}),
    ],
    ids=["the next one up", "nobody up to the top"],
)
def test_a_manager_who_cannot_decide_is_passed_by(waiting, line, told_in, roles, who):
    """The hold waits for the next one up who can decide, else for professional standards; mail and log say so."""
    waiting()
    told, log = told_in(line(**roles), after(hours=4))
    assert set(told) == who
    assert all("nobody nearer in the line of management can decide" in text for text in told.values())
    assert log == {"digest:passed-on": 1}
    assert not any(secret in text for text in told.values() for secret in ("Brooks", "Khan", "Secret"))


def test_an_account_says_who_can_decide_before_the_staff_list_does(desk, waiting, line, told_in):
    """A sergeant who is a reviewer by any account of hers is told; one who only oversees is passed by."""
    waiting()
    roles = frozenset({Role.REVIEWER})
    account = Account(email=SUPERVISOR, roles=roles, staff_id=BROOKS, local=False, at=NOW)
    desk.store.write_now(lambda tx: records.add_account(tx, account))
    told, log = told_in(line(s3308=StaffRole.OFFICER), after(hours=4))
    assert (set(told), log) == ({SUPERVISOR}, {})
    overseeing = replace(account, roles=frozenset({Role.OVERSIGHT}))
    second = replace(overseeing, email=f"z.{SUPERVISOR}")
    desk.store.write_now(lambda tx: records.add_account(tx, second))
    assert set(told_in(line(s3308=StaffRole.OFFICER), after(hours=5))[0]) == {SUPERVISOR}
    desk.store.write_now(lambda tx: records.change_account(tx, overseeing))
    assert BOSS in told_in(desk.registry, after(hours=5))[0]


def test_nobody_above_a_conflicted_manager_is_asked(waiting, line, told_in):
    """Who is named in it stands between the officer and the rest of the line: professional standards decide, as ever."""
    waiting(excluded=(KHAN, BROOKS))
    told, log = told_in(line(s3308=StaffRole.OFFICER), after(hours=4))
    assert (set(told), log) == ({PSD, OTHER_PSD}, {})
    assert "line of management" not in told[PSD]


@pytest.mark.parametrize(
    ("roles", "changes", "who"),
    [
        ({}, {}, {SUPERVISOR, BOSS}),
        ({"s2201": StaffRole.OFFICER}, {}, {SUPERVISOR, PSD, OTHER_PSD}),
        ({}, {"excluded": (KHAN, PRYCE)}, {SUPERVISOR, PSD, OTHER_PSD}),
        ({}, {"excluded": (KHAN, PRYCE, MARSH)}, {SUPERVISOR, OTHER_PSD}),
        ({}, {"psd_only": "it names 30 people"}, {PSD, OTHER_PSD}),
    ],
    ids=["up the line", "end of the line", "superior named", "and one of PSD", "theirs from the start"],
)
def test_a_hold_that_waits_too_long_is_told_to_the_next_one(waiting, line, told_in, roles, changes, who):
    """An absent supervisor is not the end of it (P6): beside them the next who can decide and may know of it is told."""
    waiting(**changes)
    told, _ = told_in(line(**roles), after(hours=47))
    assert set(told) == who & {SUPERVISOR} or set(told) == who == {PSD, OTHER_PSD}
    told, log = told_in(line(**roles), after(hours=49))
    assert set(told) == who
    for address in who - {SUPERVISOR}:
        assert ("longer than 48 hours" in told[address]) is (SUPERVISOR in who)
    assert log == ({"digest:escalated": 1} if SUPERVISOR in who else {})


def test_nothing_escalates_where_the_settings_say_so(waiting, registry, told_in):
    """A force that has somebody look every day may leave the next one in peace."""
    waiting()
    told, log = told_in(registry, after(days=90), NoticeSettings(escalate_h=0))
    assert (set(told), log) == ({SUPERVISOR}, {})


def test_an_urgent_hold_wakes_who_can_decide(line):
    """A manager who cannot decide is told, since she may telephone; so is the nearest who can."""
    held = an_item(officer=KHAN, senders=(KHAN,), excluded=(KHAN,))
    asked = notices.reviewers(SETTINGS, line(s3308=StaffRole.OFFICER), held)
    assert asked == (SUPERVISOR, BOSS, PSD, OTHER_PSD)


@pytest.mark.parametrize("for_psd", [False, True])
@pytest.mark.parametrize("changes", [{"psd_only": "it names 30 people"}, {"officer": None}, {}])
def test_the_on_call_system_hears_of_what_is_theirs_alone_only_if_they_read_it(for_psd, changes):
    """Who reads it is not known otherwise: that there is such a hold is for professional standards to know (P7)."""
    webhook = WebhookSettings(url="https://on-call.example/hook", for_psd=for_psd)
    called = notices.call(NoticeSettings(webhook=webhook), an_item(**changes))
    assert bool(called) is (for_psd or not changes)


class ReadOnce(dict):
    """A staff list that may be walked once: when the registry derives its tables."""

    walked = False

    def values(self):
        assert not self.walked, "the whole staff list is walked for one message"
        self.walked = True
        return super().values()


def test_nobody_walks_the_staff_list_for_one_message(store, registry, waiting):
    """Twenty thousand staff, each with a line of management, asked for each waiting hold, would stop the relay."""
    waiting()
    wide = replace(registry, staff_by_key=ReadOnce(registry.staff_by_key))
    store.write_now(lambda tx: records.set_fact(tx, "digest_at", "2020-01-01T00:00:00.000000Z"))
    assert asyncio.run(remind(store, SETTINGS, wide, NOW)) == 1
    held = an_item(officer=KHAN, senders=(KHAN,), excluded=(KHAN,))
    assert set(notices.reviewers(NoticeSettings(urgent_to=()), wide, held)) == {
        SUPERVISOR,
        PSD,
        OTHER_PSD,
    }
    assert identify.superiors(wide, KHAN)[0] == BROOKS
