"""The outbox's rows: leased to one at a time, sent only when everybody's copy was taken, suspended after a restore."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event, text
from stores import NOW, a_delivery, after, an_item

from gateway.errors import NotStored, Refused
from gateway.model import ItemState, MailCommand, OutboxKind
from gateway.store import Store, items, outbox
from gateway.store.mark import Mark, mark_path
from gateway.store.rows import DeliveryState, RecipientState


def put(store, at=NOW, **changes):
    new = a_delivery(**changes)
    return store.write_now(lambda tx: outbox.queue_delivery(tx, new, at))


def claim(store, owner="a", at=NOW, lease_s=60, limit=10):
    return store.write_now(lambda tx: outbox.claim_deliveries(tx, owner, at, lease_s, limit))


def get(store, delivery_id):
    return store.read_now(lambda tx: outbox.delivery(tx, delivery_id))


def result(store, delivery_id, state=RecipientState.SENT, position=0, reply="250 ok"):
    store.write_now(lambda tx: outbox.record_results(tx, delivery_id, [(position, state, reply)], NOW))


def finish(store, delivery_id, owner="a"):
    store.write_now(lambda tx: outbox.finish(tx, delivery_id, owner, NOW))


def changes_of(store, job):
    """Run ``job`` and return the changes that the database was asked for."""
    asked = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def _hear(connection, cursor, statement, parameters, context, executemany):
        asked.append(statement)

    try:
        job()
    finally:
        event.remove(store.engine, "before_cursor_execute", _hear)
    return [one for one in asked if one.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_a_delivery_comes_back_as_it_was_queued(store):
    """MAIL parameters, recipients and bytes survive; what is empty is empty."""
    mail = MailCommand(reverse_path="pc.doe@force.example", body="8BITMIME", smtputf8=True, size=12)
    delivery_id = put(
        store, mail=mail, recipients=("vera@mail.example", "żółw@mail.example"), message=b"\x00\xff"
    )
    found = get(store, delivery_id)
    assert (found.mail, found.kind, found.item_id, found.state) == (
        mail,
        OutboxKind.NOTICE,
        None,
        DeliveryState.QUEUED,
    )
    assert [one.address for one in found.pending] == ["vera@mail.example", "żółw@mail.example"]
    assert (found.tries, found.interrupted, found.lease_owner, found.lease_until, found.last_reply) == (
        0,
        0,
        "",
        None,
        "",
    )
    assert store.read_now(lambda tx: outbox.message_of(tx, delivery_id)) == b"\x00\xff"


def test_a_release_sends_the_bytes_of_its_item(store):
    """The held bytes are kept once, and are what goes out."""
    new = an_item()
    store.write_now(lambda tx: items.add_item(tx, new))
    delivery_id = put(store, kind=OutboxKind.RELEASE, item_id=new.id, message=None)
    assert store.read_now(lambda tx: outbox.message_of(tx, delivery_id)) == new.message
    assert [one.id for one in store.read_now(lambda tx: outbox.deliveries_of(tx, new.id))] == [delivery_id]


@pytest.mark.parametrize("changes", [{"message": None}, {"recipients": ()}])
def test_a_delivery_of_nothing_or_to_nobody_is_our_mistake(store, changes):
    """It is refused when it is queued, not when it is sent."""
    with pytest.raises(ValueError, match="a delivery needs"):
        put(store, **changes)


def test_due_deliveries_are_claimed_oldest_first_and_once(store):
    """What is claimed is nobody else's until the lease ends; what is not due waits."""
    late, early, future = put(store), put(store, after(minutes=-5)), put(store, after(hours=1))
    assert [one.id for one in claim(store, "a", limit=1)] == [early]
    assert [one.id for one in claim(store, "b")] == [late]
    assert claim(store, "c") == ()
    found = get(store, early)
    assert (found.state, found.lease_owner, found.lease_until, found.tries) == (
        DeliveryState.LEASED, "a", after(seconds=60), 1,
    )  # fmt: skip
    assert [one.id for one in claim(store, "c", after(hours=2))] == [early, late, future]


def test_digests_are_claimed_last(store):
    """Hundreds of digests are queued at once: an alarm, a call, a return and a release that come later go first."""
    new = an_item()
    release = an_item()
    for one in (new, release):
        store.write_now(lambda tx, one=one: items.add_item(tx, one))
    digests = [put(store, after(minutes=-9)) for _ in range(3)]
    urgent = [
        put(store, after(minutes=number), kind=kind, item_id=new.id)
        for number, kind in enumerate((OutboxKind.WEBHOOK, OutboxKind.NOTICE, OutboxKind.RETURN))
    ]
    store.write_now(lambda tx: items.set_state(tx, release.id, ItemState.HELD, ItemState.RELEASING))
    urgent.append(put(store, after(minutes=3), kind=OutboxKind.RELEASE, item_id=release.id, message=None))
    later = after(minutes=5)
    assert [one.id for one in claim(store, at=later, limit=2)] == urgent
    assert [one.id for one in claim(store, at=later)] == sorted(digests)


def test_a_release_withdraws_what_failed_of_its_own_item(store):
    """Failed releases of other items, and failed notices of this one, stay as they are."""
    ours, other = an_item(), an_item()
    for one in (ours, other):
        store.write_now(lambda tx, one=one: items.add_item(tx, one))
        store.write_now(lambda tx, one=one: items.set_state(tx, one.id, ItemState.HELD, ItemState.RELEASING))
    failed = [
        put(store, kind=OutboxKind.RELEASE, item_id=ours.id, message=None),
        put(store, kind=OutboxKind.RELEASE, item_id=other.id, message=None),
        put(store, item_id=ours.id),
    ]
    claim(store)
    for one in failed:
        store.write_now(lambda tx, one=one: outbox.fail(tx, one, "a", "550"))
    put(store, kind=OutboxKind.RELEASE, item_id=ours.id, message=None)
    statements = changes_of(store, lambda: claim(store))
    assert [get(store, one).state for one in failed] == [
        DeliveryState.WITHDRAWN, DeliveryState.FAILED, DeliveryState.FAILED,
    ]  # fmt: skip
    assert not [one for one in statements if one.startswith("UPDATE outbox ") and "item_id" in one]


def test_an_ended_lease_is_claimed_again_and_shown_as_perhaps_sent_twice(store):
    """The process died between the dot and the commit: somebody goes on, and the doubt stays on record."""
    delivery_id = put(store)
    claim(store, "a")
    assert claim(store, "b", after(seconds=59)) == ()
    (again,) = claim(store, "b", after(seconds=60))
    assert (again.id, again.interrupted, again.tries, again.lease_owner) == (delivery_id, 1, 2, "b")
    with pytest.raises(Refused, match="not leased to a"):
        store.write_now(lambda tx: outbox.retry_later(tx, delivery_id, "a", NOW, "451"))
    with pytest.raises(Refused, match="not leased to a"):
        store.write_now(lambda tx: outbox.fail(tx, delivery_id, "a", "550"))


def test_a_lease_can_be_prolonged_by_its_owner_only(store):
    """A long dialogue keeps its delivery; who lost it cannot take it back."""
    delivery_id = put(store)
    claim(store, "a")
    assert store.write_now(lambda tx: outbox.renew(tx, delivery_id, "a", after(seconds=50), 60)) is True
    assert store.write_now(lambda tx: outbox.renew(tx, delivery_id, "b", after(seconds=50), 60)) is False
    assert claim(store, "b", after(seconds=100)) == ()


def test_a_process_that_stops_gives_its_leases_back(store):
    """Nothing waits for the end of a dead process's lease."""
    mine, other = put(store), put(store, after(minutes=1))
    claim(store, "a", lease_s=600, limit=1)
    claim(store, "b", after(minutes=1))
    assert store.write_now(lambda tx: outbox.give_back(tx, "a", after(minutes=2))) == 1
    found = get(store, mine)
    assert (found.state, found.interrupted, found.lease_owner) == (DeliveryState.QUEUED, 1, "")
    assert get(store, other).state is DeliveryState.LEASED


def test_sent_means_that_every_copy_was_taken(store):
    """With one recipient open or refused the delivery is not sent; sent is final."""
    delivery_id = put(store, recipients=("vera@mail.example", "wim@mail.example"))
    claim(store)
    result(store, delivery_id, position=0)
    with pytest.raises(Refused, match="has not taken"):
        finish(store, delivery_id)
    result(store, delivery_id, RecipientState.FAILED, position=1, reply="550 no")
    with pytest.raises(Refused, match="has not taken"):
        finish(store, delivery_id)
    assert [one.last_reply for one in get(store, delivery_id).recipients] == ["250 ok", "550 no"]
    result(store, delivery_id, position=1)
    finish(store, delivery_id)
    found = get(store, delivery_id)
    assert (found.state, found.sent_at, found.lease_owner, found.pending) == (DeliveryState.SENT, NOW, "", ())
    with pytest.raises(Refused):
        finish(store, delivery_id)
    assert claim(store, "b", after(days=1)) == ()


def test_a_copy_that_was_taken_stays_taken(store):
    """A later, confused answer does not make us send it again."""
    delivery_id = put(store)
    result(store, delivery_id)
    result(store, delivery_id, RecipientState.PENDING, reply="451 later")
    (one,) = get(store, delivery_id).recipients
    assert (one.state, one.last_reply) == (RecipientState.SENT, "250 ok")


def test_who_lost_the_lease_may_still_tell_what_was_taken(store):
    """The smarthost's yes is a fact, whoever heard it."""
    delivery_id = put(store)
    claim(store, "a")
    claim(store, "b", after(hours=1))
    result(store, delivery_id)
    finish(store, delivery_id, "a")
    assert get(store, delivery_id).state is DeliveryState.SENT


def test_a_temporary_failure_waits_and_a_permanent_one_waits_for_a_person(store):
    """A retry is claimed at its time; a failure only after somebody says so, for those not yet taken."""
    delivery_id = put(store, recipients=("vera@mail.example", "wim@mail.example"))
    claim(store)
    result(store, delivery_id, position=0)
    store.write_now(lambda tx: outbox.retry_later(tx, delivery_id, "a", after(minutes=5), "451 busy"))
    assert claim(store, at=after(minutes=4)) == ()
    (again,) = claim(store, at=after(minutes=5))
    assert (again.last_reply, again.tries, [one.position for one in again.pending]) == ("451 busy", 2, [1])
    result(store, delivery_id, RecipientState.FAILED, position=1, reply="550 no")
    store.write_now(lambda tx: outbox.fail(tx, delivery_id, "a", "550 no"))
    assert claim(store, at=after(days=9)) == ()
    before = store.write_now(lambda tx: outbox.retry(tx, delivery_id, after(days=9)))
    assert before.state is DeliveryState.FAILED
    (again,) = claim(store, at=after(days=9))
    assert (again.tries, [one.position for one in again.pending]) == (1, [1])


def test_only_what_waits_can_be_retried(store):
    """A delivery that is sent, in work or unknown is refused."""
    delivery_id = put(store)
    claim(store)
    with pytest.raises(Refused, match="is leased; only failed or waiting"):
        store.write_now(lambda tx: outbox.retry(tx, delivery_id, NOW))
    result(store, delivery_id)
    finish(store, delivery_id)
    with pytest.raises(Refused, match="is sent; only failed or waiting"):
        store.write_now(lambda tx: outbox.retry(tx, delivery_id, NOW))
    for job in (
        lambda tx: outbox.retry(tx, "nowhere", NOW),
        lambda tx: outbox.message_of(tx, "nowhere"),
        lambda tx: outbox.record_results(tx, delivery_id, [(9, RecipientState.SENT, "250")], NOW),
        lambda tx: outbox.finish(tx, "nowhere", "a", NOW),
    ):
        with pytest.raises(Refused):
            store.write_now(job)


def test_lists_show_the_states_asked_for(store):
    """Oldest first, with a bound."""
    waiting, gone = put(store, after(minutes=1)), put(store)
    result(store, gone)
    finish(store, gone)

    def ids(*arguments, **named):
        return [one.id for one in store.read_now(lambda tx: outbox.list_deliveries(tx, *arguments, **named))]

    assert ids() == [gone, waiting]
    assert ids((DeliveryState.QUEUED,)) == [waiting]
    assert ids(limit=1) == [gone]


async def test_two_processes_never_claim_the_same_delivery(settings):
    """Four claimers at once: every delivery is leased to exactly one."""
    patient = settings.model_copy(update={"busy_timeout_s": 20.0})
    claimers = [Store.open(patient) for _ in range(4)]
    try:
        for _ in range(40):
            put(claimers[0])

        async def claim_all(store, owner):
            mine = []
            while True:
                found = await store.write(lambda tx: outbox.claim_deliveries(tx, owner, NOW, 60, 3))
                mine += [one.id for one in found]
                left = await store.read(lambda tx: outbox.list_deliveries(tx, (DeliveryState.QUEUED,)))
                if not left:
                    return mine

        claimed = await asyncio.gather(
            *(claim_all(store, f"p{number}") for number, store in enumerate(claimers))
        )
    finally:
        for store in claimers:
            store.close()
    everything = [one for mine in claimed for one in mine]
    assert len(everything) == len(set(everything)) == 40


# --- a restored backup --------------------------------------------------------------------------------------


def send_one(store):
    delivery_id = put(store)
    claim(store)
    result(store, delivery_id)
    finish(store, delivery_id)
    return delivery_id


def backup(store, folder):
    with closing(sqlite3.connect(store.settings.url.removeprefix("sqlite:///"))) as plain:
        plain.execute("VACUUM INTO ?", (f"{folder}/backup.db",))
    return folder / "backup.db"


def restore(store, file):
    store.close()
    database = Path(store.settings.url.removeprefix("sqlite:///"))
    for path in database.parent.glob("gateway.db*"):
        path.unlink()
    shutil.copy(file, database)
    return Store.open(store.settings)


def notice(store, at=NOW):
    return store.write_now(lambda tx: outbox.notice_restore(tx, at))


def suspension(store):
    return store.read_now(outbox.suspension)


def test_a_restored_backup_sends_nothing_until_a_person_says_so(sqlite, tmp_path):
    """What was sent since the backup is queued again in it: it must not go out a second time by itself."""
    store = Store.open(sqlite.copy(tmp_path / "s"))
    delivery_id = put(store)
    saved = backup(store, tmp_path)
    claim(store)
    result(store, delivery_id)
    finish(store, delivery_id)
    store = restore(store, saved)
    assert get(store, delivery_id).state is DeliveryState.QUEUED
    assert claim(store) == ()
    assert "older than what was already sent" in suspension(store)
    store.close()
    store = Store.open(store.settings)
    assert claim(store) == ()
    assert "older" in store.write_now(outbox.resume)
    assert [one.id for one in claim(store)] == [delivery_id]
    store.close()
    with Store.open(store.settings) as again:
        assert notice(again) == ""
        assert suspension(again) == ""


def test_a_backup_with_nothing_sent_since_is_no_danger(sqlite, tmp_path):
    """Restoring what was not overtaken does not stop the outbox."""
    store = Store.open(sqlite.copy(tmp_path / "s"))
    send_one(store)
    saved = backup(store, tmp_path)
    delivery_id = put(store)
    store = restore(store, saved)
    assert get(store, delivery_id) is None
    assert claim(store) == ()
    assert suspension(store) == ""
    store.close()


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"{}", b'{"format": "gateway outbox mark 1", "store_id": "x", "count": 3}']
)
def test_a_host_that_remembers_nothing_of_the_store_does_not_send(store, content):
    """A backup restored on a new host, or a lost mark, is treated as a restore; it is noticed once."""
    path = store.settings.key_file.with_name("sealing.key.outbox-mark")
    path.unlink() if content is None else path.write_bytes(content)
    with Store.open(store.settings) as fresh:
        put(fresh)
        told = [
            notice(fresh, after(minutes=minute)) for minute in range(3)
        ]  # hosts that share a database are asked
        assert [bool(why) for why in told].count(True) == 1
        assert "no record of the store's deliveries" in "".join(told)
        assert claim(fresh) == ()
        fresh.write_now(outbox.resume)
        assert len(claim(fresh)) == 1
    with Store.open(store.settings) as again:
        assert notice(again) == ""


def test_a_restore_beneath_a_running_process_is_noticed(store):
    """On PostgreSQL the database can be set back while serve runs: the next claim sees it."""
    send_one(store)
    put(store)
    store.write_now(
        lambda tx: tx.connection.execute(text("UPDATE meta SET value = '0' WHERE name = 'outbox_mark'"))
    )
    assert claim(store) == ()
    assert suspension(store)


def test_another_hosts_deliveries_are_remembered_here_too(store, tmp_path):
    """Each claim notes how far all hosts together have come."""
    other_host = tmp_path / "other"
    other_host.mkdir()
    settings = store.settings.model_copy(update={"key_file": other_host / "sealing.key"})
    for name in ("sealing.key", "sealing.key.outbox-mark"):
        shutil.copy(store.settings.key_file.with_name(name), other_host / name)
    with Store.open(settings) as other:
        send_one(other)
    claim(store)
    store.write_now(
        lambda tx: tx.connection.execute(text("UPDATE meta SET value = '0' WHERE name = 'outbox_mark'"))
    )
    with Store.open(store.settings) as again:
        assert "older" in notice(again)
    store.write_now(outbox.resume)
    with Store.open(settings) as other:
        assert notice(other) == "", "a resume on one host is a resume on all"


def test_processes_of_one_host_share_what_it_remembers(store):
    """The slower of two workers does not set back what the faster one wrote."""
    with Store.open(store.settings) as other:
        send_one(store)
        send_one(store)
        slow = Mark(mark_path(store.settings.key_file), store.store_id)
        send_one(other)
        slow.note(2)
        slow.save()
        assert Mark(mark_path(store.settings.key_file), store.store_id).value == 3
        late = Mark(mark_path(store.settings.key_file), store.store_id)
        late._value = late._saved = 1  # as a process that was started earlier
        late.note(2)
        late.save()
    assert Mark(mark_path(store.settings.key_file), store.store_id).value == 3


def test_resuming_what_is_not_suspended_is_refused(store):
    """There is nothing to confirm."""
    with pytest.raises(Refused, match="not suspended"):
        store.write_now(outbox.resume)


def test_a_count_that_was_not_committed_is_not_remembered(store):
    """A delivery whose record failed must not look like a restore later."""

    def job(tx):
        delivery_id = outbox.queue_delivery(tx, a_delivery(), NOW)
        outbox.record_results(tx, delivery_id, [(0, RecipientState.SENT, "250")], NOW)
        raise KeyError

    with pytest.raises(KeyError):
        store.write_now(job)
    assert notice(store) == ""
    assert claim(store) == ()


def test_nothing_is_claimed_when_this_host_cannot_remember(store, tmp_path):
    """The mark's folder is gone: what cannot be remembered is not sent."""
    delivery_id = put(store)
    claim(store)
    store.settings.key_file.parent.rename(tmp_path / "moved")
    result(store, delivery_id)
    try:
        with pytest.raises(NotStored, match=r"outbox-mark could not be written"):
            claim(store, "b", after(days=1))
    finally:
        (tmp_path / "moved").rename(store.settings.key_file.parent)
    finish(store, delivery_id)
    put(store)
    assert len(claim(store, "b")) == 1


# --- every order of events ----------------------------------------------------------------------------------


class Leases(RuleBasedStateMachine):
    """Workers claim, answer, die and lose their leases in any order; no copy that was taken is offered again."""

    make = None

    def __init__(self):
        super().__init__()
        self.store = Leases.make()
        self.at = NOW
        self.taken = set()
        self.held = {}

    @initialize(number=st.integers(1, 4))
    def queue(self, number):
        for _ in range(number):
            put(self.store, self.at, recipients=("vera@mail.example", "wim@mail.example"))

    @rule(owner=st.sampled_from("abc"), limit=st.integers(1, 3))
    def claims(self, owner, limit):
        for one in claim(self.store, owner, self.at, 60, limit):
            holder, until = self.held.get(one.id, (None, self.at))
            assert holder is None or until <= self.at, "two hold the same lease"
            assert not {(one.id, recipient.position) for recipient in one.pending} & self.taken
            self.held[one.id] = (owner, self.at + timedelta(seconds=60))

    @rule(owner=st.sampled_from("abc"), state=st.sampled_from(RecipientState), position=st.integers(0, 1))
    def answers(self, owner, state, position):
        for delivery_id, (holder, _) in self.held.items():
            if holder == owner:
                result(self.store, delivery_id, state, position)
                if state is RecipientState.SENT:
                    self.taken.add((delivery_id, position))

    @rule(owner=st.sampled_from("abc"), way=st.sampled_from(["finish", "later", "fail"]))
    def ends(self, owner, way):
        for delivery_id, (holder, _) in list(self.held.items()):
            if holder != owner:
                continue
            whole = {(delivery_id, 0), (delivery_id, 1)} <= self.taken
            ways = {
                "finish": partial(outbox.finish, delivery_id=delivery_id, owner=owner, at=self.at),
                "later": partial(
                    outbox.retry_later, delivery_id=delivery_id, owner=owner, next_at=self.at, reply="451"
                ),
                "fail": partial(outbox.fail, delivery_id=delivery_id, owner=owner, reply="550"),
            }
            try:
                self.store.write_now(ways[way])
            except Refused:
                assert way == "finish"
                assert not whole
            else:
                assert way != "finish" or whole
                del self.held[delivery_id]

    @rule(owner=st.sampled_from("abc"))
    def dies(self, owner):
        self.store.write_now(lambda tx: outbox.give_back(tx, owner, self.at))
        self.held = {one: lease for one, lease in self.held.items() if lease[0] != owner}

    @rule(seconds=st.integers(1, 90))
    def passes(self, seconds):
        self.at += timedelta(seconds=seconds)

    @invariant()
    def all_are_accounted_for(self):
        for one in self.store.read_now(outbox.list_deliveries):
            sent = {
                recipient.position for recipient in one.recipients if recipient.state is RecipientState.SENT
            }
            assert sent == {position for delivery_id, position in self.taken if delivery_id == one.id}
            assert (one.state is DeliveryState.LEASED) == (one.id in self.held)
            assert one.state is not DeliveryState.SENT or sent == {0, 1}

    def teardown(self):
        self.store.close()


def test_leases_hold_in_every_order_of_events(sqlite, tmp_path):
    """Whatever workers do or fail to do, a taken copy is never offered again and a lease has one holder."""
    numbers = iter(range(1_000_000))
    Leases.make = lambda: Store.open(sqlite.copy(tmp_path / str(next(numbers))))
    run_state_machine_as_test(
        Leases,
        settings=settings(
            max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
