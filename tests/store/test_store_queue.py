"""The queue, its figures and who is signed in, on both databases: order, pages, sight, counts."""

from datetime import timedelta

import pytest
from stores import NOW, a_ledger_entry, a_verdict, after, an_item

from gateway.model import ItemKind, ItemState, Label, PersonId, Role, StaffId
from gateway.store import figures, items, ledger, queue, records, sessions
from gateway.store.queue import Sight, Wanted
from gateway.store.rows import Account, Decision, DecisionAction
from gateway.store.sessions import Failures, Method, SavedView, SessionRow, Stage

EVERYBODY = Sight(psd=True)
ME, CHIEF = StaffId("me"), StaffId("chief")


def put(store, **changes):
    item = an_item(**changes)
    entry = a_ledger_entry(id=item.id, officer=item.officer, at=item.held_at)
    store.write_now(lambda tx: (items.add_item(tx, item), ledger.add(tx, entry)))
    return item.id


def ids(store, sight=EVERYBODY, wanted=None, **given):
    wanted = wanted or Wanted()
    found = store.read_now(lambda tx: queue.page(tx, sight, wanted, **{"limit": 100} | given))
    return [one.item.id for one in found]


@pytest.fixture
def five(store):
    """Two urgent ones and three others, by age."""
    return [
        put(store, held_at=after(minutes=minutes), verdict=a_verdict(urgent=urgent), unit=unit)
        for minutes, urgent, unit in (
            (5, "bail", "North"), (9, "bail", "South"), (1, "", "North"), (2, "", "South"), (8, "", "North"),
        )
    ]  # fmt: skip


def test_urgent_then_oldest_in_pages(store, five):
    """Pages of any size give the same order, without a gap or a repetition."""
    assert ids(store) == five
    for size in (1, 2, 3):
        seen, last = [], ""
        while page := ids(store, limit=size, after=last):
            seen += page
            last = page[-1]
        assert seen == five


def test_newest_first(store, five):
    """By time alone, latest first, in pages too."""
    wanted = [five[place] for place in (1, 4, 0, 3, 2)]
    assert ids(store, newest_first=True) == wanted
    assert ids(store, newest_first=True, limit=2, after=wanted[1]) == wanted[2:4]


def test_the_order_alone(store, five):
    """The ids of a page, and of the one behind an item, without what is sealed."""
    assert store.read_now(lambda tx: queue.order(tx, EVERYBODY, Wanted(), limit=3)) == tuple(five[:3])
    assert store.read_now(lambda tx: queue.order(tx, EVERYBODY, Wanted(), limit=9, after=five[2])) == tuple(
        five[3:]
    )
    assert (
        store.read_now(lambda tx: queue.order(tx, Sight(blind=True), Wanted(), limit=9, after=five[2])) == ()
    )


def test_an_item_is_called_by_its_exact_names(store):
    """By id, Message-ID or hash, of every kind and state, latest first; out of sight it has no name."""
    held = put(
        store, message_id="<a@force.example>", sha256="c" * 64, held_at=after(minutes=1), excluded=(ME,)
    )
    flag = put(
        store, message_id="<a@force.example>", sha256="d" * 64, held_at=after(minutes=2), kind=ItemKind.FLAG
    )
    store.write_now(lambda tx: items.set_state(tx, flag, ItemState.OPEN, ItemState.CLOSED))

    def called(name, sight=EVERYBODY):
        return [one.item.id for one in store.read_now(lambda tx: queue.called(tx, sight, name, limit=9))]

    assert called("<a@force.example>") == [flag, held]
    assert (called(held), called("d" * 64), called("a@force.example")) == ([held], [flag], [])
    assert called("<a@force.example>", Sight(me=ME, psd=True)) == [flag]


def test_whose_release_somebody_agreed_to(store, five):
    """Of the items asked for, those with a first yes."""
    yes = Decision(item_id=five[1], actor="x", action=DecisionAction.APPROVE, reason="It may.", at=NOW)
    store.write_now(lambda tx: items.add_decision(tx, yes))
    assert store.read_now(lambda tx: queue.proposed(tx, five)) == {five[1]}
    assert store.read_now(lambda tx: queue.proposed(tx, five[2:])) == frozenset()


def test_counts(store, five):
    """How many, how many urgent, the oldest and the middle one; of a filter too."""
    tally = store.read_now(lambda tx: queue.tally(tx, EVERYBODY, Wanted()))
    assert (tally.waiting, tally.urgent) == (5, 2)
    assert (tally.oldest, tally.median) == (after(minutes=1), after(minutes=5))
    south = store.read_now(lambda tx: queue.tally(tx, EVERYBODY, Wanted(unit="South")))
    assert (south.waiting, south.urgent, south.oldest) == (2, 1, after(minutes=2))
    none = store.read_now(lambda tx: queue.tally(tx, EVERYBODY, Wanted(unit="West")))
    assert (none.waiting, none.urgent, none.oldest, none.median) == (0, 0, None, None)
    assert store.read_now(lambda tx: queue.units(tx, EVERYBODY, Wanted(), most=6)) == ("North", "South")


@pytest.mark.parametrize(
    ("most", "waiting", "urgent", "median"), [(6, 5, 2, 5), (5, 5, 2, None), (2, 2, 2, None)]
)
def test_counts_go_no_further_than_they_are_asked_to(store, five, most, waiting, urgent, median):
    """The oldest is known all the same; what waits in the middle is not."""
    tally = store.read_now(lambda tx: queue.tally(tx, EVERYBODY, Wanted(), most=most))
    assert (tally.waiting, tally.urgent, tally.oldest) == (waiting, urgent, after(minutes=1))
    assert tally.median == (None if median is None else after(minutes=median))
    assert tally.says(tally.waiting) == (str(waiting) if waiting < most else f"{most} or more")
    found = store.read_now(lambda tx: queue.units(tx, EVERYBODY, Wanted(), most=most))
    assert found == (None if waiting == most else ("North", "South"))


def test_nothing_is_counted_where_no_state_is_asked_for(store, five):
    """As a list of no states is empty."""
    tally = store.read_now(lambda tx: queue.tally(tx, EVERYBODY, Wanted(states=()), most=5))
    assert (tally.waiting, tally.urgent, tally.oldest, tally.median) == (0, 0, None, None)
    assert store.read_now(lambda tx: queue.units(tx, EVERYBODY, Wanted(states=()), most=5)) == ()


def test_sight(store):
    """Nothing that involves me, nothing from above me, nothing of professional standards; blind is nothing at all."""
    mine = put(store, excluded=(ME,), senders=())
    above = put(store, officer=CHIEF, senders=(CHIEF,), excluded=(CHIEF,))
    names_chief = put(store, excluded=(CHIEF,), senders=())
    referred = put(store, psd_only="many")
    unknown = put(store, officer=None, senders=(), excluded=())
    sight = Sight(me=ME, superiors=(CHIEF,))
    assert ids(store, sight) == [names_chief]
    assert set(ids(store, Sight(me=ME, superiors=(CHIEF,), psd=True))) == {names_chief, referred, unknown}
    assert set(ids(store)) == {mine, above, names_chief, referred, unknown}
    assert ids(store, Sight(blind=True)) == []
    for hidden in (mine, above, referred, unknown, "nothing"):
        assert not store.read_now(lambda tx, hidden=hidden: queue.in_sight(tx, sight, hidden))
        assert ids(store, sight, after=hidden) == []


def test_search(store):
    """By what a search came to, joined by or; one that came to nothing finds nothing."""
    one = put(store, officer=StaffId("o1"), contacts=(PersonId("p7"),), unit="North")
    two = put(store, officer=StaffId("o2"), message_id="<m@force.example>", sha256="e" * 64)
    for found, wanted in (
        ([one], Wanted(search=True, officers=(StaffId("o1"),))),
        ([one], Wanted(search=True, persons=(PersonId("p7"),))),
        ([two], Wanted(search=True, called="<m@force.example>")),
        ([two], Wanted(search=True, called="e" * 64)),
        ([one, two], Wanted(search=True, called=two, officers=(StaffId("o1"),))),
        ([], Wanted(search=True)),
        ([one], Wanted(officer=StaffId("o1"))),
        ([one, two], Wanted(category="flirting")),
        ([], Wanted(category="flirt")),
        ([], Wanted(held_before=NOW)),
    ):
        assert sorted(ids(store, wanted=wanted)) == sorted(found), wanted
    subjects = store.read_now(lambda tx: queue.subjects(tx, EVERYBODY, Wanted(), limit=1))
    assert len(subjects) == 1
    assert subjects[0][1].startswith("Your case")


def test_states_tell_of_a_change(store, five):
    """The list as id and state: another after a decision."""
    before = store.read_now(lambda tx: queue.states(tx, EVERYBODY, Wanted(), limit=10))
    assert [one for one, _ in before] == five
    store.write_now(lambda tx: items.set_state(tx, five[0], ItemState.HELD, ItemState.REFERRED))
    assert store.read_now(lambda tx: queue.states(tx, EVERYBODY, Wanted(), limit=10)) != before


def test_figures(store, five):
    """What waits, what was decided and how fast, what became of a rule's items."""

    def decide(tx):
        items.set_state(tx, five[2], ItemState.HELD, ItemState.RETURNED)
        for action in (DecisionAction.NOTE, DecisionAction.RETURN):
            decision = Decision(item_id=five[2], actor="x", action=action, reason="r", at=after(hours=1))
            items.add_decision(tx, decision)
        items.set_label(tx, five[2], Label.CROSSING)
        items.set_label(tx, five[3], Label.FALSE_ALARM)

    store.write_now(decide)
    waiting, decided, (rule,) = store.read_now(
        lambda tx: (
            figures.waiting(tx, EVERYBODY),
            figures.decided(tx, EVERYBODY, NOW),
            figures.rules(tx, EVERYBODY, NOW),
        )
    )
    assert [one.unit for one in waiting] == ["South", "North", "North", "South"]
    assert [(one.unit, one.at - one.held_at, one.action) for one in decided] == [
        ("North", timedelta(minutes=59), DecisionAction.RETURN)
    ]
    assert (rule.rule, rule.items, rule.crossings, rule.false_alarms) == ("flirting.wink", 5, 1, 1)
    assert store.read_now(lambda tx: figures.rules(tx, Sight(blind=True), NOW)) == ()
    assert ids(store, wanted=Wanted(kind=ItemKind.FLAG, states=(ItemState.OPEN,))) == []


EMAIL = "nina.shah@force.example"


@pytest.fixture
def account(store):
    new = Account(email=EMAIL, roles=frozenset({Role.REVIEWER}), staff_id=None, local=True, at=NOW)
    store.write_now(lambda tx: (records.add_account(tx, new), sessions.set_password(tx, EMAIL, "h", NOW)))


def test_sessions_begin_and_end(store):
    """By its secret, never by another; forgotten by either clock."""
    row = SessionRow(
        email=EMAIL, stage=Stage.ENROL, method=Method.PASSWORD, roles=frozenset({Role.PSD}), made_at=NOW, seen_at=NOW,
        ends_at=after(hours=1), pending="a secret",
    )  # fmt: skip
    store.write_now(lambda tx: sessions.add_session(tx, "one", row))
    assert store.read_now(lambda tx: sessions.session(tx, "one")) == row
    assert store.read_now(lambda tx: sessions.session(tx, "other")) is None
    store.write_now(lambda tx: sessions.touch_session(tx, "one", after(minutes=5)))
    assert store.read_now(lambda tx: sessions.session(tx, "one")).seen_at == after(minutes=5)
    ended = store.write_now(
        lambda tx: sessions.forget_sessions(tx, ended_before=after(minutes=59), unused_since=after(minutes=4))
    )
    assert ended == 0
    assert store.write_now(lambda tx: sessions.end_sessions(tx, EMAIL)) == 1
    assert not store.write_now(lambda tx: sessions.end_session(tx, "one"))


def test_codes_are_used_once(store, account):
    """A time step, and every one before it, and a recovery code."""
    store.write_now(lambda tx: sessions.set_second_factor(tx, EMAIL, "secret", ("c1", "c2"), step=5))
    took = [
        store.write_now(lambda tx, step=step: sessions.take_step(tx, EMAIL, step)) for step in (5, 4, 7, 6, 7)
    ]
    assert took == [False, False, True, False, False]
    took = [
        store.write_now(lambda tx, code=code: sessions.take_recovery_code(tx, EMAIL, code))
        for code in ("c1", "c1", "c3", "c2")
    ]
    assert took == [True, False, False, True]
    assert store.read_now(lambda tx: sessions.credentials_of(tx, EMAIL)).totp == "secret"


def test_failures_and_views(store):
    """Kept, replaced, forgotten."""
    failures = Failures(count=3, last_at=NOW, locked_until=after(seconds=30))
    store.write_now(lambda tx: sessions.set_failures(tx, "k", failures))
    store.write_now(lambda tx: sessions.set_failures(tx, "k", failures))
    assert store.read_now(lambda tx: sessions.failures_of(tx, "k")) == failures
    assert store.write_now(lambda tx: sessions.forget_failures(tx, after(seconds=1))) == 1
    for query in ("/holds?unit=North", "/holds?unit=South"):
        view = SavedView(name="mine", query=query)
        store.write_now(lambda tx, view=view: sessions.save_view(tx, EMAIL, view, NOW))
    (kept,) = store.read_now(lambda tx: sessions.saved_views_of(tx, EMAIL))
    assert kept.query == "/holds?unit=South"
    assert store.write_now(lambda tx: sessions.remove_view(tx, EMAIL, "mine"))
