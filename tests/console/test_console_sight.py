"""The access check as the store asks it is the access check: item for item, person for person."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from console_visits import BROOKS, KHAN, MARSH, PRYCE, Console, add_account
from gateway_process import OFFICER
from stores import a_verdict

from gateway.model import ItemKind, ItemState, Role, StaffId
from gateway.review.access import Permission, Person, objection
from gateway.review.decisions import subject_of
from gateway.review.sight import sight_of
from gateway.store import items, queue
from gateway.store.queue import Wanted

STAFF = (KHAN, BROOKS, PRYCE, MARSH, StaffId("3400"), StaffId("1503"))


def some_items(console, dice):
    for number in range(30):
        officer = dice.choice((*STAFF, None))
        senders = (officer,) if officer and dice.random() < 0.9 else ()
        named = tuple(dice.sample(STAFF, dice.randrange(3)))
        console.held(
            officer=officer,
            senders=senders,
            excluded=tuple(dict.fromkeys((*senders, *named))),
            psd_only="many named" if dice.random() < 0.2 else "",
            kind=dice.choice(tuple(ItemKind)),
            unit=dice.choice(("North", "South")),
            verdict=a_verdict(urgent=dice.choice(("", "bail"))),
            held_at=console.clock() - timedelta(minutes=number),
        )


@pytest.mark.parametrize("seed", range(2))
def test_lists_counts_and_questions_agree_with_the_check(console, seed):
    """For each person: the page, the count, the units and the single question say what `objection` says."""
    some_items(console, random.Random(seed))
    for staff_id in (*STAFF, None):
        for roles in ({Role.REVIEWER}, {Role.PSD}, {Role.REVIEWER, Role.PSD}, {Role.OVERSIGHT}, set()):
            person = Person(email="x@force.example", roles=frozenset(roles), staff_id=staff_id)
            for registry in (console.registry, None):
                agrees(console, person, registry)


@pytest.mark.parametrize(
    "state", [ItemState.RELEASING, ItemState.RELEASED, ItemState.RETURNED, ItemState.OPEN]
)
def test_what_is_theirs_alone_from_the_start_stays_so(console, state):
    """Whatever became of it since, a supervisor knows nothing of it: whom it names is not known any better."""
    kind = ItemKind.FLAG if state is ItemState.OPEN else ItemKind.HOLD
    item = console.held(kind=kind, psd_only="whom it names could not be read")
    console.held(kind=next(other for other in ItemKind if other is not kind))
    path = {ItemState.RELEASED: (ItemState.RELEASING, ItemState.RELEASED), ItemState.OPEN: ()}
    for before, after in pairwise((ItemState.REFERRED, *path.get(state, (state,)))):
        console.store.write_now(lambda tx, one=before, to=after: items.set_state(tx, item, one, to))
    for role, sees in ((Role.REVIEWER, False), (Role.PSD, True)):
        person = Person(email="x@force.example", roles=frozenset({role}), staff_id=None)
        sight = sight_of(person, console.registry)
        assert console.store.read_now(lambda tx, sight=sight: queue.in_sight(tx, sight, item)) is sees
        agrees(console, person, console.registry)


async def test_without_a_staff_list_nobody_is_taken_for_a_stranger_to_it(
    console_store, registry_settings, tmp_path
):
    """The copy that was in force stays so when its file is gone; where none ever was, nobody sees any item (P7)."""
    copy = tmp_path / "registry.json"
    copy.write_bytes(registry_settings.last_good.read_bytes())
    settings = registry_settings.model_copy(update={"last_good": copy})
    console = Console(console_store, settings)
    console.store.write_now(
        lambda tx: add_account(tx, OFFICER, Role.REVIEWER)
    )  # with nobody of the staff list
    item, officer = console.held(), console.visitor(OFFICER)
    assert (await officer.get(f"/items/{item}")).status_code == 404
    copy.unlink()
    assert (await officer.get(f"/items/{item}")).status_code == 404
    assert item in (await console.visitor().get("/holds")).text
    begun_without = Console(console_store, settings)
    officer = begun_without.visitor(OFFICER)
    assert (await officer.get(f"/items/{item}")).status_code == 404
    assert item not in (await officer.get("/holds")).text
    assert "Nothing waits." in (await officer.get("/holds")).text


def agrees(console, person, registry):
    sight = sight_of(person, registry)
    for kind in ItemKind:
        every = console.store.read_now(lambda tx, kind=kind: items.list_items(tx, kind))
        may = {
            one.id: one
            for one in every
            if not objection(person, Permission.ITEM_LIST, subject_of(one), registry)
        }
        wanted = Wanted(kind=kind, states=tuple({one.state for one in every}))

        def look(tx, wanted=wanted, every=every):
            return (
                {one.item.id for one in queue.page(tx, sight, wanted, limit=100)},
                {one.item.id for one in queue.page(tx, sight, wanted, limit=100, newest_first=True)},
                queue.tally(tx, sight, wanted),
                queue.tally(tx, sight, wanted, most=1_000),
                set(queue.units(tx, sight, wanted, most=1_000)),
                {one.id for one in every if queue.in_sight(tx, sight, one.id)},
                {row.item.id for one in every for row in queue.called(tx, sight, one.id, limit=9)},
                set(queue.order(tx, sight, wanted, limit=100)),
                {name for name, _ in queue.subjects(tx, sight, wanted, limit=100)},
            )

        page, newest, tally, bounded, units, singly, called, order, subjects = console.store.read_now(look)
        assert page == newest == singly == called == order == subjects == set(may)
        assert bounded == replace(tally, most=1_000)
        assert tally.waiting == len(may)
        assert tally.urgent == sum(one.urgent for one in may.values())
        assert units == {one.unit for one in may.values()}
        ordered = sorted(one.held_at for one in may.values())
        assert tally.oldest == (ordered[0] if ordered else None)
        assert tally.median == (ordered[(len(ordered) - 1) // 2] if ordered else None)
