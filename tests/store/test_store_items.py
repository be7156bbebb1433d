"""Holds and flags: what is recorded comes back, once, sealed, and moves only where it may."""

import pytest
from sqlalchemy import select, text
from stores import NOW, a_ledger_entry, a_verdict, after, an_envelope, an_item

from gateway.errors import Refused, Sealed
from gateway.model import ItemKind, ItemState, Label, PersonId, StaffId
from gateway.store import items, ledger, schema
from gateway.store.rows import Decision, DecisionAction, Kept, Told


def put(store, **changes):
    new = an_item(**changes)
    return new, store.write_now(lambda tx: items.add_item(tx, new))


def test_an_item_comes_back_as_it_was_given(store):
    """Every field of a hold, its envelope and its verdict survive the store."""
    new, item_id = put(
        store, recipients=("vera@mail.example", "żółw@mail.example"), verdict=a_verdict(urgent="bail")
    )
    found = store.read_now(lambda tx: items.item_in_full(tx, item_id))
    assert (found.envelope, found.verdict) == (new.envelope, new.verdict)
    shown = found.item
    assert (shown.id, shown.kind, shown.state, shown.label) == (
        new.id,
        ItemKind.HOLD,
        ItemState.HELD,
        Label.NONE,
    )
    assert (shown.sender, shown.recipients, shown.subject) == (
        "pc.doe@force.example", ("vera@mail.example", "żółw@mail.example"), new.subject,
    )  # fmt: skip
    assert (shown.held_at, shown.officer, shown.unit, shown.urgent) == (NOW, "s1", "North", True)
    assert (shown.message_id, shown.sha256, shown.size) == (new.message_id, new.sha256, len(new.message))
    assert (shown.contacts, shown.senders, shown.excluded) == (("p1",), ("s1",), ("s1", "s2"))
    assert found.decisions == ()
    assert store.read_now(lambda tx: items.message(tx, item_id)) == new.message


def test_a_flag_begins_open(store):
    """A flag is open, with no state of a hold."""
    _, item_id = put(store, kind=ItemKind.FLAG)
    assert store.read_now(lambda tx: items.item(tx, item_id)).state is ItemState.OPEN


def test_the_same_message_again_is_the_same_item(store):
    """A sender that retries gets the id of the first hold, and there is no second one."""
    first, item_id = put(store)
    second = an_item(retry_key=first.retry_key)
    assert store.write_now(lambda tx: items.add_item(tx, second)) == item_id
    assert store.read_now(lambda tx: items.item(tx, second.id)) is None
    assert store.read_now(lambda tx: items.item_by_retry_key(tx, first.retry_key)) == item_id
    assert len(store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD))) == 1


def test_two_mails_with_one_message_id_are_two_items(store):
    """A Message-ID is the sender's claim, not our identity."""
    put(store, message_id="<same@force.example>")
    put(store, message_id="<same@force.example>")
    assert len(store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD))) == 2


def test_retry_keys_are_forgotten_but_the_item_stays(store):
    """After some days the same message is a new one; nothing else of the item goes."""
    old, old_id = put(store, held_at=after(days=-6))
    new, new_id = put(store)
    assert store.write_now(lambda tx: items.forget_retry_keys(tx, after(days=-90), after(days=-5))) == 1
    assert store.read_now(lambda tx: items.item_by_retry_key(tx, old.retry_key)) is None
    assert store.read_now(lambda tx: items.item_by_retry_key(tx, new.retry_key)) == new_id
    assert store.read_now(lambda tx: items.message(tx, old_id)) == old.message


@pytest.mark.parametrize(
    "message",
    [b"", b"\x00" * 100, bytes(range(256)) * 64, b"x" * (35 * 1024 * 1024)],
    ids=["empty", "nul", "8-bit", "35 MiB"],
)
def test_any_bytes_come_back(store, message):
    """Bytes are evidence: what came in comes out, at the largest size too."""
    _, item_id = put(store, message=message)
    assert store.read_now(lambda tx: items.message(tx, item_id)) == message


@pytest.mark.parametrize("odd", ["a\x00b", "\udcff", "\N{WINKING FACE}" * 200, ""])
def test_odd_header_text_is_no_obstacle(store, odd):
    """A header holds anything; a database's text does not."""
    _, item_id = put(store, subject=odd, message_id=odd)
    found = store.read_now(lambda tx: items.item(tx, item_id))
    assert found.subject == odd
    assert "\x00" not in found.message_id


def test_an_address_of_raw_octets_comes_back(store):
    """Recipients are the envelope's own characters, undecodable octets included."""
    odd = b"v\xffra@mail.example".decode("utf-8", "surrogateescape")
    _, item_id = put(store, recipients=(odd,), envelope=an_envelope("vera@mail.example"))
    assert store.read_now(lambda tx: items.item(tx, item_id)).recipients == (odd,)


def test_nothing_the_victim_or_the_officer_wrote_lies_open(lite, tmp_path):
    """Subject, message, addresses and findings are in no file of the store in the clear."""
    put(lite, subject="Zirconium", message=b"Molybdenum", recipients=("vera.niobium@mail.example",),
        envelope=an_envelope("vera.niobium@mail.example", sender="pc.hafnium@force.example"))  # fmt: skip
    everything = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir())
    for word in (b"Zirconium", b"Molybdenum", b"niobium", b"hafnium", b"a wink"):
        assert word not in everything


def test_a_sealed_value_moved_to_another_row_does_not_open(store):
    """Who can write the database cannot show one person's mail as another's."""
    _, one = put(store)
    _, two = put(store)
    moved = "UPDATE items SET subject = (SELECT subject FROM items WHERE id = :one) WHERE id = :two"
    store.write_now(lambda tx: tx.connection.execute(text(moved), {"one": one, "two": two}))
    assert store.read_now(lambda tx: items.item(tx, one))
    with pytest.raises(Sealed, match=r"items\.subject of row"):
        store.read_now(lambda tx: items.item_in_full(tx, two))


@pytest.mark.parametrize("column", ["envelope", "subject", "address"])
def test_an_item_that_does_not_open_hides_no_other(store, column):
    """A list names it with what stands open and says why the rest is empty; the items around it are as they were."""
    ids = [put(store, held_at=after(hours=hour))[1] for hour in range(3)]
    table, key = ("item_recipients", "item_id") if column == "address" else ("items", "id")
    damage = f"UPDATE {table} SET {column} = :junk WHERE {key} = :id"
    store.write_now(lambda tx: tx.connection.execute(text(damage), {"junk": bytes(60), "id": ids[1]}))
    found = store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD))
    assert [one.id for one in found] == ids
    assert [bool(one.unopened) for one in found] == [False, True, False]
    assert "should be sealed" in found[1].unopened
    assert (found[1].officer, found[1].contacts) == (StaffId("s1"), (PersonId("p1"),))
    assert found[0].subject


def test_lists_are_oldest_first_and_paged(store):
    """The oldest hold is decided first; a page begins behind an item, even among equal times."""
    ids = [put(store, held_at=after(hours=-(number // 2)))[1] for number in range(6)]
    ordered = [one.id for one in store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD))]
    assert sorted(ordered) == sorted(ids)
    assert ordered[:2] == sorted(ids[4:])
    paged, last = [], None
    while page := store.read_now(
        lambda tx, last=last: items.list_items(tx, ItemKind.HOLD, limit=2, after=last)
    ):
        paged += [one.id for one in page]
        last = page[-1].id
    assert paged == ordered
    back = store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD, newest_first=True))
    assert [one.id for one in back] == ordered[::-1]
    behind = store.read_now(
        lambda tx: items.list_items(tx, ItemKind.HOLD, newest_first=True, after=ordered[3], limit=9)
    )
    assert [one.id for one in behind] == ordered[2::-1]


def test_behind_an_unknown_item_there_is_nothing(store):
    """An id that was never given is not a place in the list."""
    put(store)
    assert store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD, after="nowhere")) == ()


def test_lists_keep_to_kind_state_and_who_may_know(store):
    """Flags are not holds, other states stay away, and an excluded person's items do not show."""
    _, flag = put(store, kind=ItemKind.FLAG)
    _, mine = put(store, excluded=(StaffId("s9"),))
    _, other = put(store)
    store.write_now(lambda tx: items.set_state(tx, other, ItemState.HELD, ItemState.RETURNED))

    def ids(*arguments, **named):
        return {one.id for one in store.read_now(lambda tx: items.list_items(tx, *arguments, **named))}

    assert ids(ItemKind.FLAG) == {flag}
    assert ids(ItemKind.HOLD, items.UNDECIDED) == {mine}
    assert ids(ItemKind.HOLD) == {mine, other}
    assert ids(ItemKind.HOLD, hidden_from=StaffId("s9")) == {other}
    assert ids(ItemKind.HOLD, hidden_from=StaffId("s1")) == set()
    assert store.read_now(lambda tx: items.count_items(tx, ItemKind.HOLD, (ItemState.HELD,))) == 1


def test_more_items_than_a_database_takes_parameters_are_listed(store):
    """A list of any length is dressed in pages."""

    def many(tx):
        for number in range(520):
            items.add_item(tx, an_item(message=b"x", contacts=(PersonId(f"p{number}"),)))

    store.write_now(many)
    found = store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD, limit=2000))
    assert len(found) == 520
    assert all(len(one.contacts) == 1 and one.recipients for one in found)


STATES = [(old, new) for old in ItemState for new in ItemState]


@pytest.mark.parametrize(("old", "new"), STATES, ids=[f"{old}-{new}" for old, new in STATES])
def test_states_follow_the_table(lite, old, new):
    """Only the ways of DECISIONS 26 exist; a forbidden one changes nothing."""
    _, item_id = put(lite)
    lite.write_now(lambda tx: tx.connection.execute(schema.items.update().values(state=old)))

    def move(tx):
        items.set_state(tx, item_id, old, new)

    if new in items.TRANSITIONS[old]:
        lite.write_now(move)
        assert lite.read_now(lambda tx: items.item(tx, item_id)).state is new
    else:
        with pytest.raises(Refused, match="cannot become"):
            lite.write_now(move)
        assert lite.read_now(lambda tx: items.item(tx, item_id)).state is old


def test_the_second_decision_on_the_same_state_is_refused(store):
    """Two reviewers press at once: one wins, the other is told, and both are not done."""
    _, item_id = put(store)
    store.write_now(
        lambda tx: items.set_state(tx, item_id, ItemState.HELD, ItemState.RELEASING, label=Label.FALSE_ALARM)
    )
    with pytest.raises(Refused, match=f"item {item_id} is releasing, not held"):
        store.write_now(lambda tx: items.set_state(tx, item_id, ItemState.HELD, ItemState.RETURNED))
    found = store.read_now(lambda tx: items.item(tx, item_id))
    assert (found.state, found.label) == (ItemState.RELEASING, Label.FALSE_ALARM)


@pytest.mark.parametrize(
    "job",
    [
        lambda tx: items.set_state(tx, "nowhere", ItemState.HELD, ItemState.RETURNED),
        lambda tx: items.set_label(tx, "nowhere", Label.CROSSING),
        lambda tx: items.set_delivery(tx, "nowhere", "250"),
        lambda tx: items.sender_was_told(tx, "nowhere"),
        lambda tx: items.message(tx, "nowhere"),
        lambda tx: items.add_decision(
            tx, Decision(item_id="nowhere", actor="a", action=DecisionAction.RELEASE, reason="r", at=NOW)
        ),
    ],
    ids=["state", "label", "delivery", "told", "message", "decision"],
)
def test_an_unknown_item_is_refused(store, job):
    """What does not exist cannot be changed or shown."""
    with pytest.raises(Refused, match="there is no item nowhere"):
        store.write_now(job)


def test_small_changes_of_an_item(store):
    """Label, delivery outcome and what the sender was told are kept."""
    _, item_id = put(store, kind=ItemKind.FLAG)

    def change(tx):
        items.set_label(tx, item_id, Label.CROSSING)
        items.set_delivery(tx, item_id, "250")
        items.sender_was_told(tx, item_id)

    store.write_now(change)
    found = store.read_now(lambda tx: items.item(tx, item_id))
    assert (found.label, found.delivery, found.sender_told_failed) == (Label.CROSSING, "250", True)


def test_whose_copies_did_not_wait_is_kept(store):
    """A retry of a split message learns that the rest went out before."""
    _, item_id = put(store)
    assert store.read_now(lambda tx: items.rest_taken(tx, item_id)) == ""
    store.write_now(lambda tx: items.set_rest_taken(tx, item_id, "d" * 64))
    assert store.read_now(lambda tx: items.rest_taken(tx, item_id)) == "d" * 64


def test_decisions_keep_their_order_and_their_reasons(store):
    """Every decision stays, in order, with its reason sealed."""
    _, item_id = put(store)
    made = [
        Decision(
            item_id=item_id, actor="sgt@force.example", action=action, reason=f"because {action} é", at=NOW
        )
        for action in (DecisionAction.REFER, DecisionAction.RETURN)
    ]
    for one in made:
        store.write_now(lambda tx, one=one: items.add_decision(tx, one))
    assert store.read_now(lambda tx: items.decisions_of(tx, item_id)) == tuple(made)
    sealed = store.read_now(lambda tx: list(tx.connection.scalars(select(schema.decisions.c.reason))))
    assert not any(b"because" in one for one in sealed)


def test_an_item_says_whether_professional_standards_are_to_see_it(store):
    """A verdict that names categories for PSD marks the item; another does not."""
    marked, plain = an_item(verdict=a_verdict(psd=("secrecy",))), an_item()
    for new in (marked, plain):
        store.write_now(lambda tx, new=new: items.add_item(tx, new))
    shown = [store.read_now(lambda tx, new=new: items.item(tx, new.id)) for new in (marked, plain)]
    assert [item.psd_copy for item in shown] == [True, False]


@pytest.mark.parametrize("kind", ItemKind)
def test_why_it_is_for_professional_standards_alone_is_kept(store, kind):
    """Of holds and flags alike: they are to see it, they alone, and the row says why."""
    _, item_id = put(store, kind=kind, psd_only="it names 30 members of staff")
    item = store.read_now(lambda tx: items.item(tx, item_id))
    assert item.state is (ItemState.REFERRED if kind is ItemKind.HOLD else ItemState.OPEN)
    assert (item.psd_only, item.psd_copy) == ("it names 30 members of staff", True)
    assert item.is_for_psd_alone


def test_who_is_kept_from_the_mail_that_a_verdict_tells_of(store):
    """By the ledger's name of a message, by its bytes where it was tried twice, and of all mail between two people since a time."""
    named, _ = put(store, excluded=(StaffId("s2"),))
    tried, _ = put(store, excluded=(StaffId("s3"),), sha256="d" * 64)
    sent, _ = put(
        store, excluded=(StaffId("s4"),), officer=StaffId("o1"), senders=(StaffId("o1"),), contacts=("p9",)
    )
    put(store, excluded=(StaffId("s5"),), officer=StaffId("o1"), contacts=("p8",))
    put(store, excluded=(StaffId("s6"),), officer=StaffId("o1"), contacts=("p9",), held_at=after(days=-2))
    first = a_ledger_entry(sha256=tried.sha256)
    store.write_now(lambda tx: ledger.add(tx, first))

    def kept(**told):
        asked = Told(**{"since": after(days=-1)} | told)
        return store.read_now(lambda tx: items.kept_from(tx, asked))

    assert kept() == Kept()
    assert kept(messages=(named.id,)) == Kept(staff=("s1", "s2"), senders=("s1",))
    assert kept(messages=(first.id,)) == Kept(staff=("s1", "s3"), senders=("s1",))
    between = {"officers": (StaffId("o1"),), "persons": (PersonId("p9"),)}
    assert kept(**between) == Kept(staff=("o1", "s4"), senders=("o1",))
    assert set(kept(messages=(named.id, sent.id), **between).staff) == {"s1", "s2", "o1", "s4"}
    for alone in ({"psd_only": "many"}, {"officer": None}):
        hidden, _ = put(store, **alone)
        assert kept(messages=(hidden.id,)).psd_only
