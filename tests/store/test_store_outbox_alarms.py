"""The outbox's rows when not all is well: alarms go first, through a suspension too, and one damaged row stops no other."""

import shutil

import pytest
from sqlalchemy import text
from stores import NOW, a_delivery, after, an_item

from gateway.model import OutboxKind
from gateway.store import Store, items, outbox, records
from gateway.store.rows import DeliveryState, RecipientState


def put(store, at=NOW, **changes):
    new = a_delivery(**changes)
    return store.write_now(lambda tx: outbox.queue_delivery(tx, new, at))


def an_alarm(store, at=NOW, kind=OutboxKind.NOTICE):
    item = an_item()
    store.write_now(lambda tx: items.add_item(tx, item))
    return put(store, at, kind=kind, item_id=item.id)


def claim(store, at=NOW, limit=10, alarms=None, lease_s=60):
    found = store.write_now(lambda tx: outbox.claim_deliveries(tx, "a", at, lease_s, limit, alarms=alarms))
    return [one.id for one in found]


def test_an_alarm_has_places_of_its_own(store):
    """It is claimed before older mail, and also when there is no place for other mail."""
    returns = [put(store, kind=OutboxKind.RETURN) for _ in range(3)]
    digest = put(store)
    notice, call = an_alarm(store, after(seconds=1)), an_alarm(store, after(seconds=2), OutboxKind.WEBHOOK)
    later = after(minutes=1)
    assert claim(store, later, 0, 1) == [notice]
    assert claim(store, later, 2, 4) == [call, *sorted(returns)[:2]]
    assert claim(store, later, 9, 0) == [sorted(returns)[2], digest]


def set_back(store):
    """Make the database older than what its host has seen sent."""
    statement = text("UPDATE meta SET value = '-1' WHERE name = 'outbox_mark'")
    store.write_now(lambda tx: tx.connection.execute(statement))


def suspend(store, at):
    set_back(store)
    assert store.write_now(lambda tx: outbox.notice_restore(tx, at))


def test_what_came_since_a_suspension_is_told(store):
    """An urgent hold, its call and the digest go out; no mail of others, and nothing of before: it may have gone out."""
    before = an_alarm(store)
    returned = put(store, kind=OutboxKind.RETURN)
    suspend(store, after(minutes=1))
    alarm, call = an_alarm(store, after(minutes=2)), an_alarm(store, after(minutes=2), OutboxKind.WEBHOOK)
    digest = put(store, after(minutes=2))
    put(store, after(minutes=2), kind=OutboxKind.RETURN)
    assert sorted(claim(store, after(minutes=3))) == sorted([alarm, call, digest])
    assert store.read_now(outbox.suspension)
    store.write_now(outbox.resume)
    assert {before, returned} <= set(claim(store, after(minutes=3)))


def test_a_suspension_of_an_older_version_stops_everything(store):
    """It does not say since when; who resumes it is asked, as before."""
    suspend(store, NOW)
    store.write_now(lambda tx: records.set_fact(tx, "outbox_suspended_at", None))
    an_alarm(store, after(minutes=1))
    assert claim(store, after(minutes=2)) == []


def damage(store, table, column, where):
    """Overwrite a sealed value, as a bad page does; or as a key that this host does not have yet."""
    statement = f"UPDATE {table} SET {column} = :junk WHERE {where}"
    store.write_now(lambda tx: tx.connection.execute(text(statement), {"junk": bytes(60)}))


@pytest.mark.parametrize("column", ["mail", "address"])
def test_a_row_that_does_not_open_is_leased_and_says_so(store, column):
    """The rows behind it are claimed with it; whoever lists it sees why, and may have it tried again once it opens."""
    damaged, sound = put(store), put(store, after(seconds=1))
    table, key = ("outbox", "id") if column == "mail" else ("outbox_recipients", "outbox_id")
    damage(store, table, column, f"{key} = '{damaged}'")
    assert claim(store, after(minutes=1)) == [damaged, sound]
    found = store.read_now(outbox.list_deliveries)
    assert [bool(one.unopened) for one in found] == [True, False]
    assert "should be sealed" in found[0].unopened
    store.write_now(lambda tx: outbox.fail(tx, damaged, "a", "554 it does not open"))
    again = store.read_now(lambda tx: outbox.delivery(tx, damaged))
    assert (again.state, again.last_reply) == (DeliveryState.FAILED, "554 it does not open")


def test_a_failed_recipient_that_does_not_open_says_so(store):
    """The address of whom the mail did not reach is needed for the next try: it is never just empty."""
    one = put(store)
    claim(store)
    store.write_now(lambda tx: outbox.record_results(tx, one, [(0, RecipientState.FAILED, "550 no")], NOW))
    store.write_now(lambda tx: outbox.fail(tx, one, "a", "550 no"))
    damage(store, "outbox_recipients", "address", f"outbox_id = '{one}'")
    found = store.read_now(lambda tx: outbox.delivery(tx, one))
    assert (found.state, found.recipients[0].address) == (DeliveryState.FAILED, "")
    assert "should be sealed" in found.unopened


def test_failed_releases_come_before_failed_digests(store):
    """However many digests failed before them: a list that ends at its limit hides none."""
    digests = [put(store, after(seconds=number)) for number in range(3)]
    alarm = an_alarm(store, after(minutes=1))
    returned = put(store, after(minutes=2), kind=OutboxKind.RETURN)
    found = store.read_now(lambda tx: outbox.list_deliveries(tx, limit=2))
    assert [one.id for one in found] == [returned, alarm]
    found = store.read_now(outbox.list_deliveries)
    assert [one.id for one in found] == [returned, alarm, *digests]


def test_what_a_wrong_clock_dated_ahead_is_due_now(store):
    """A release whose next attempt, or whose lease, lies years ahead goes out; a pause that may be one is kept."""
    late, leased, pausing = (put(store, kind=OutboxKind.RETURN) for _ in range(3))
    claim(store)
    store.write_now(lambda tx: outbox.retry_later(tx, late, "a", after(days=3000), "451"))
    store.write_now(lambda tx: outbox.renew(tx, leased, "a", after(days=3000), 60))
    store.write_now(lambda tx: outbox.retry_later(tx, pausing, "a", after(minutes=59), "451"))
    assert sorted(claim(store, after(seconds=1))) == sorted([late, leased])
    assert pausing in claim(store, after(minutes=59))


def test_an_old_reply_that_does_not_open_stops_nothing(store):
    """Nor does the address of somebody who has it already: neither is needed to go on."""
    one = put(store, recipients=("a@force.example", "b@force.example"))
    claim(store)
    store.write_now(
        lambda tx: outbox.record_results(
            tx, one, [(0, RecipientState.SENT, "250"), (1, RecipientState.PENDING, "451")], NOW
        )
    )
    store.write_now(lambda tx: outbox.retry_later(tx, one, "a", NOW, "451"))
    damage(store, "outbox", "last_reply", f"id = '{one}'")
    damage(store, "outbox_recipients", "last_reply", f"outbox_id = '{one}'")
    damage(store, "outbox_recipients", "address", f"outbox_id = '{one}' AND position = 0")
    assert claim(store, after(minutes=1)) == [one]
    found = store.read_now(lambda tx: outbox.delivery(tx, one))
    assert (found.unopened, [person.address for person in found.pending]) == ("", ["b@force.example"])


def test_a_resume_by_command_reaches_the_relay_that_runs(store):
    """A host without a mark is suspended; `gateway outbox resume` is another process, and the relay need not be restarted."""
    store.settings.key_file.with_name("sealing.key.outbox-mark").unlink()
    with Store.open(store.settings) as relay, Store.open(store.settings) as command:
        for at in (NOW, after(minutes=2)):
            assert claim(relay, at) == []
        assert relay.read_now(outbox.suspension)
        command.write_now(outbox.resume)
        one = put(command)
        assert claim(relay) == [one]
        assert not relay.read_now(outbox.suspension)


@pytest.fixture
def newcomer(store, tmp_path):
    """Open the store from another host: the same key, and nothing of what was sent."""
    with Store.open(on_another_host(store, tmp_path / "new-host")) as opened:
        yield opened


def on_another_host(store, folder):
    """Return the settings of ``store`` for a host of its own, whose files lie in ``folder``: the key is there already."""
    settings = store.settings.model_copy(update={"key_file": folder / "sealing.key"})
    settings.key_file.parent.mkdir()
    shutil.copy(store.settings.key_file, settings.key_file)
    return settings


def shared(store):
    return not store.settings.url.startswith("sqlite")


def test_a_host_that_joins_is_vouched_for_by_one_that_knows(store, newcomer):
    """Nothing is suspended: it takes its part once another host has found in the database all that it remembers."""
    put(store)
    assert claim(newcomer) == []
    if not shared(store):  # one host has lost its mark, and there is nobody to ask
        assert newcomer.read_now(outbox.suspension)
        return
    claim(store, limit=0)
    claim(newcomer, after(seconds=5))
    assert len(claim(newcomer, after(seconds=6))) == 1
    assert not store.read_now(outbox.suspension)


def test_a_host_that_nobody_vouches_for_suspends_the_outbox(store, newcomer, tmp_path):
    """A backup on new machines: neither knows what was sent, neither vouches for the other, nothing goes out."""
    put(store)
    with Store.open(on_another_host(store, tmp_path / "third-host")) as third:
        for seconds in range(0, 150, 15):
            assert claim(newcomer, after(seconds=seconds)) == []
            assert claim(third, after(seconds=seconds + 1)) == []
        assert third.read_now(outbox.suspension)
        third.write_now(outbox.resume)
        assert len(claim(third, after(minutes=3))) == 1


def test_hosts_that_ask_past_each_other_come_to_an_end(store, newcomer, tmp_path):
    """Their clocks differ by minutes, so that each takes the other's question for an old one: nothing waits for ever unsaid."""
    put(store)
    with Store.open(on_another_host(store, tmp_path / "third-host")) as third:
        for seconds in range(0, 1200, 30):
            assert claim(newcomer, after(seconds=seconds)) == []
            assert claim(third, after(minutes=5, seconds=seconds)) == []
        assert third.read_now(outbox.suspension)
        third.write_now(outbox.resume)
        for second in range(3):  # it knows by the person's word, and vouches for the other
            claim(newcomer, after(hours=1, seconds=3 * second))
            claim(third, after(hours=1, seconds=3 * second + 1), limit=0)
        assert not (shared(store) and newcomer.read_now(outbox.suspension))


def test_a_host_that_finds_the_database_too_old_vouches_for_nobody(store, newcomer):
    """The database was set back while a new host joined: who knows suspends it, and the new one sends nothing."""
    one = put(store)
    claim(newcomer)
    set_back(store)
    assert claim(store, after(seconds=1)) == []
    assert claim(newcomer, after(seconds=2)) == claim(newcomer, after(seconds=3)) == []
    assert store.read_now(lambda tx: outbox.delivery(tx, one)).state is DeliveryState.QUEUED
