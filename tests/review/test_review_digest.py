"""The digest: who is told that holds wait, how often, and that nothing of them is in it."""

from email import message_from_bytes, policy

import pytest
from gateway_process import CONTACT, OFFICER, SUPERVISOR
from stores import NOW, after, an_envelope, an_item

from gateway.model import Event, ItemState, StaffId
from gateway.review.digest import queue_digest
from gateway.settings import NoticeSettings
from gateway.store import items, outbox

KHAN, BROOKS, MARSH, RAHMAN = map(StaffId, ("4417", "3308", "1502", "5001"))
PSD, OTHER_PSD = "judith.marsh@force.example", "ruth.adeyemi@force.example"
SETTINGS = NoticeSettings(url="https://console.force.example")


@pytest.fixture
def waiting(store):
    def put(**changes):
        given = {
            "officer": KHAN,
            "senders": (KHAN,),
            "excluded": (KHAN,),
            "contacts": ("P-1",),
            "envelope": an_envelope(CONTACT, sender=OFFICER),
            "recipients": (CONTACT,),
            "subject": "Secret subject",
        } | changes
        item = an_item(**given)
        store.write_now(lambda tx: items.add_item(tx, item))
        return item.id

    return put


@pytest.fixture
def told(store, registry):
    """Ask for the digest at a time; return what each address was told."""

    def ask(at, settings=SETTINGS):
        before = {one.id for one in store.read_now(outbox.list_deliveries)}
        store.write_now(lambda tx: queue_digest(tx, settings, registry, at))
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


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"psd_only": "it names 30 people"}, {PSD, OTHER_PSD}),
        ({"officer": None, "senders": (), "excluded": ()}, {PSD, OTHER_PSD}),
        ({"excluded": (KHAN, BROOKS)}, {PSD, OTHER_PSD}),
        ({"excluded": (KHAN, BROOKS, MARSH)}, {OTHER_PSD}),
        ({"officer": RAHMAN, "senders": (RAHMAN,), "excluded": (RAHMAN,)}, {PSD, OTHER_PSD}),
        ({"officer": MARSH, "senders": (MARSH,), "excluded": (MARSH,)}, set()),
    ],
    ids=["referred", "unknown officer", "manager named", "PSD named too", "no manager", "PSD's own"],
)
def test_nobody_is_told_of_what_they_may_not_know(waiting, told, changes, who):
    """It goes past the conflicted to professional standards, and there past who is named or reports to the sender."""
    waiting(**changes)
    assert set(told(after(hours=4))) == who


def test_what_is_decided_waits_for_nobody(store, waiting, told):
    """Returned and released holds are in no digest; each notice is in the audit log."""
    item = waiting()
    store.write_now(lambda tx: items.set_state(tx, item, ItemState.HELD, ItemState.RETURNED))
    assert told(after(hours=4)) == {}
    waiting()
    told(after(hours=5))
    from gateway import audit

    assert [one.event for one in store.read_now(audit.entries)] == [Event.NOTICE_QUEUED]
