"""The numbers page: figures by hand, what is not shown of small ones, and that nobody infers what is about themselves."""

import re
from datetime import timedelta

import pytest
from console_visits import BY_ROLE, KHAN, PRYCE, PSD, words_of
from stores import a_ledger_entry

from gateway.console.numbers import shown
from gateway.console.plots import bars
from gateway.model import ItemState, Label, Role
from gateway.store import items, ledger
from gateway.store.rows import Decision, DecisionAction


def decide(console, item, action=DecisionAction.RELEASE, *, after_h=2):
    at = console.clock() - timedelta(hours=1) + timedelta(hours=after_h)
    state = ItemState.RELEASING if action is DecisionAction.RELEASE else ItemState.RETURNED

    def write(tx):
        items.set_state(tx, item, ItemState.HELD, state)
        items.add_decision(tx, Decision(item_id=item, actor="x", action=action, reason="r", at=at))

    console.store.write_now(write)


def table(page, title):
    """Return the rows of the table under a heading."""
    section = page.text.split(f">{title}</h2>")[1].split("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)[1:]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@pytest.mark.parametrize(
    ("counts", "cells"),
    [
        ([], ()),
        ([0, 5, 9], ("0", "5", "9")),
        ([1], (None,)),
        ([4, 5], (None, None)),
        ([4, 9, 5], (None, "9", None)),
        ([4, 0, 9], (None, "0", None)),
        ([1, 2, 30], (None, None, "30")),
    ],
)
def test_small_cells_are_not_shown(counts, cells):
    """Fewer than five is not shown; one such cell alone takes the next smallest with it, or the rest would tell it."""
    assert shown(counts) == cells


async def test_by_unit(console, reviewer):
    """Waiting, their median wait, decided; small cells hidden."""
    for number in range(6):
        console.held(unit="Robbery Squad", held_at=console.clock() - timedelta(hours=number))
    for _ in range(5):
        decide(console, console.held(unit="Robbery Squad"))
    console.held(unit="Fraud Squad")
    rows = table(await reviewer.get("/numbers"), "By unit")
    assert rows == [["Fraud Squad", "–", "–", "0"], ["Robbery Squad", "–", "–", "5"]]
    for _ in range(7):
        console.held(unit="Traffic")
        console.held(unit="Fraud Squad", held_at=console.clock() - timedelta(hours=3))
    rows = table(await reviewer.get("/numbers"), "By unit")
    assert rows[0] == ["Fraud Squad", "8", "3.0", "0"]
    assert rows[2] == ["Traffic", "7", "1.0", "0"]


async def test_by_week_and_age(console, reviewer):
    """How many wait how long, how many were released and returned this week, and how fast."""
    console.held(held_at=console.clock() - timedelta(hours=2))
    console.held(held_at=console.clock() - timedelta(days=9))
    decide(console, console.held(), after_h=2)
    decide(console, console.held(), DecisionAction.RETURN, after_h=4)
    page = await reviewer.get("/numbers")
    assert table(page, "Holds that wait, by how long") == [
        ["under 1 h", "0"], ["1 to 4 h", "2"], ["4 to 24 h", "0"], ["1 to 3 d", "0"], ["over 3 d", "1"],
    ]  # fmt: skip
    assert table(page, "Decided, by week")[-1] == ["2 Mar", "1", "1"]
    assert table(page, "Median time to a decision, hours, by week")[-1] == ["2 Mar", "3"]
    assert len(table(page, "Decided, by week")) == 12


async def test_by_rule(console, reviewer):
    """Items and the share that reviewers confirmed; neither where it would tell of fewer than five."""
    for number in range(12):
        item = console.held()
        rules = ("flirting.wink",) if number else ("flirting.wink", "secrecy.keep")
        entry = a_ledger_entry(id=item, rules=rules)
        label = Label.CROSSING if number < 6 else Label.FALSE_ALARM
        console.store.write_now(lambda tx, entry=entry: ledger.add(tx, entry))
        console.store.write_now(lambda tx, item=item, label=label: items.set_label(tx, item, label))
    rows = table(await reviewer.get("/numbers"), "By rule")
    assert rows == [["flirting.wink", "–", "–"], ["secrecy.keep", "–", "–"]]
    for _ in range(5):
        entry = a_ledger_entry(id=console.held(), rules=("secrecy.keep",))
        console.store.write_now(lambda tx, entry=entry: ledger.add(tx, entry))
    rows = table(await reviewer.get("/numbers"), "By rule")
    assert rows == [["flirting.wink", "12", "50 %"], ["secrecy.keep", "6", "–"]]


async def test_nobody_counts_themselves(console):
    """Items about oneself, or from one's line of command, are in no figure; the oversight body counts everything (P7)."""
    brooks = console.visitor("helen.brooks@force.example")
    before = words_of(await brooks.get("/numbers"))
    for _ in range(6):
        for officer in (KHAN, PRYCE):
            item = console.held(officer=officer, senders=(officer,), excluded=(officer, "3308"))
            entry = a_ledger_entry(id=item, rules=("flirting.wink",))
            console.store.write_now(lambda tx, entry=entry: ledger.add(tx, entry))
            decide(console, console.held(officer=PRYCE, senders=(PRYCE,), excluded=(PRYCE,)))
        console.held(psd_only="thirty people")
    assert words_of(await brooks.get("/numbers")) == before
    for email in (PSD, BY_ROLE[Role.OVERSIGHT]):
        rows = table(await console.visitor(email).get("/numbers"), "By unit")
        assert rows == [["Robbery Squad", "30", "1.0", "12"]]


def test_plots_say_what_the_table_says():
    """A bar for each value that there is, its figure in its title; labels are escaped; nothing at all is drawn too."""
    drawn = bars("<b>", [("one", 3), ("<i>", 7.5), ("none", None), ("zero", 0)])
    assert drawn.count("<rect") == 2
    assert "<title>&lt;i&gt;: 7.5</title>" in drawn
    assert "<b>" not in drawn
    assert "style" not in drawn
    assert bars("empty", []).count("<rect") == 0
