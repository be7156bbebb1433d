"""The rule pages: what is in force, figures by hand, what is not told, who changed what, and who sees any of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from console_rule_sets import DRINK, LUNCH, a_bundle, a_rule, put_in_force, reported
from console_visits import BROOKS, BY_ROLE, KHAN, PRYCE, REVIEWER, add_account, words_of
from stores import a_ledger_entry

from gateway import audit
from gateway.console import rule_numbers
from gateway.console.rule_book import refusal_of
from gateway.console.rule_numbers import WEEKS, Counted
from gateway.model import Event, Label, Role
from gateway.store import items, ledger, trials
from gateway.store.figures import RuleDay, RuleFigures
from gateway.store.trials import TrialCount

WINK = "advance.drink"


def found(console, rules=(WINK,), label=None, **changes):
    """Put an item into the store in which ``rules`` came true."""
    item = console.held(**changes)
    entry = a_ledger_entry(id=item, rules=rules)
    console.store.write_now(lambda tx: ledger.add(tx, entry))
    if label is not None:
        console.store.write_now(lambda tx: items.set_label(tx, item, label))
    return item


def cells(page, rule):
    """Return the cells of a rule's line in the list."""
    line = next(
        one for one in re.findall(r"<tr data-row>(.*?)</tr>", page.text, re.DOTALL) if f"/rules/{rule}" in one
    )
    return [
        re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)
    ]


def order(page):
    return re.findall(r'<a class="row" href="/rules/([^"]+)"', page.text)


# --- the list -----------------------------------------------------------------------------------------------


async def test_all_rules_in_force_are_listed(console, author):
    """Id, title, category, severity, status and points of each, and the hash of the set."""
    bundle = put_in_force(console)
    page = await author.get("/rules")
    assert order(page) == ["advance.drink", "warmth.lunch"]
    assert cells(page, WINK)[:4] == ["advance", "high", "enforce", "4"]
    assert bundle.hash[:12] in words_of(page)
    assert "2 of 2 rules" in words_of(page)


async def test_figures_of_a_rule(console, author):
    """Items of seven and of ninety days, and the share of those labelled that reviewers confirmed."""
    put_in_force(console)
    for number in range(12):
        found(console, label=Label.CROSSING if number < 6 else Label.FALSE_ALARM)
    for _ in range(6):
        found(console, held_at=console.clock() - timedelta(days=40))
    found(console, held_at=console.clock() - timedelta(days=200))
    assert cells(await author.get("/rules"), WINK)[4:7] == ["12", "18", "50 %"]


async def test_small_cells_are_not_told(console, author):
    """Fewer than five items are a dash, in the list and on the rule's page, and no order tells them apart."""
    other = a_rule(DRINK, id="advance.lift", title="Offers a lift")
    put_in_force(console, a_bundle(a_rule(), a_rule(LUNCH), other))
    found(console)
    for _ in range(4):
        found(console, rules=("advance.lift",))
    for sort in ("items", "recent", "confirmed"):
        assert order(await author.get(f"/rules?sort={sort}"))[:2] == ["advance.drink", "advance.lift"]
    assert cells(await author.get("/rules"), WINK)[4:7] == ["–", "–", "–"]
    page = words_of(await author.get(f"/rules/{WINK}"))
    assert "– items in 90 days, – in the last seven" in page


async def test_filters_and_order(console, author):
    """By words of id, title or reason, by category and status; an order that is none is by name."""
    put_in_force(console)
    for query, rules in (
        ("q=lunch", ["warmth.lunch"]),
        ("q=CONTACT+out", ["advance.drink"]),
        ("category=warmth", ["warmth.lunch"]),
        ("status=enforce", ["advance.drink"]),
        ("status=enforce&category=warmth", []),
        ("sort=points", ["advance.drink", "warmth.lunch"]),
        ("sort=nonsense%22", ["advance.drink", "warmth.lunch"]),
    ):
        assert order(await author.get(f"/rules?{query}")) == rules, query


async def test_before_any_set_the_pages_say_so(console, author):
    """A store in which no relay ever ran has rule pages without rules, and no rule."""
    for path in ("/rules", "/rules/policy", "/rules/changes"):
        page = await author.get(path)
        assert page.status_code == 200, path
    assert "No set was ever in force" in words_of(await author.get("/rules"))
    assert (await author.get(f"/rules/{WINK}")).status_code == 404


# --- one rule, lists, policy --------------------------------------------------------------------------------


async def test_a_rule_s_own_page(console, author):
    """What it is for, what it finds wrongly, misses and asks, its examples, its list and its source."""
    put_in_force(console)
    page = words_of(await author.get(f"/rules/{WINK}"))
    for says in (
        "Proposes a meeting that no case asks for.", "Invented", "Is there a police purpose?",
        "A meeting for a statement", "A picture of words", "Do you fancy a drink tonight?", "subject: Court; At ten.",
        "offices", "phrase: fancy a drink", "version 1", "rules/advance/drink.yaml",
    ):  # fmt: skip
        assert says in page, says


async def test_the_plot_has_a_table(console, author):
    """Thirteen weeks, those of few items left out, and what is drawn stands in the table."""
    put_in_force(console)
    for _ in range(7):
        found(console)
    for _ in range(9):
        found(console, held_at=console.clock() - timedelta(days=15))
    page = await author.get(f"/rules/{WINK}")
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th><td class="number">([^<]*)</td>', page.text)
    assert len(rows) == WEEKS
    assert rows[-1] == ("24 Feb", "7")
    assert rows[-3] == ("10 Feb", "9")
    assert page.text.count("<rect") == 2


async def test_lists_and_policy(console, author):
    """Each list with owner, reason, source and the rules that name it; policy as it stands."""
    put_in_force(console)
    page = words_of(await author.get("/rules/policy"))
    assert "Where police work is done Witness Care 2 2" in page
    assert "hold_at: 10" in page
    page = words_of(await author.get("/rules/lists/offices"))
    assert "advance.drink" in page
    assert "warmth.lunch" in page
    assert "witness suite" in page
    for path in ("/rules/lists/nothing", "/rules/nothing.here", "/rules/lists/..%2Fpolicy"):
        assert (await author.get(path)).status_code == 404


async def test_a_file_of_a_set_is_shown_not_obeyed(console, author):
    """Markup and marks of direction in a rule stand as they are."""
    text = a_rule(
        DRINK, title="'<script>alert(1)</script>'", hit="fancy a drink <img src=x onerror=alert(1)>"
    )
    put_in_force(console, a_bundle(text))
    for path in ("/rules", f"/rules/{WINK}"):
        page = (await author.get(path)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


# --- trials -------------------------------------------------------------------------------------------------


async def test_trials_are_told_in_round_figures_of_days_that_are_over(console, author):
    """A count that cannot be narrowed to one's sight shows neither today's mail nor a single one of yesterday's."""
    put_in_force(console)
    today = console.clock().date()

    async def says():
        listed = cells(await author.get("/rules"), "warmth.lunch")[-1]
        assert f"came true in {listed} messages" in words_of(await author.get("/rules/warmth.lunch"))
        return listed

    def count(times, day):
        for _ in range(times):
            console.store.write_now(lambda tx: trials.count(tx, [("warmth.lunch", 1)], day))

    assert await says() == "under 5"
    count(30, today)
    assert await says() == "under 5"
    count(4, today - timedelta(days=1))
    assert await says() == "under 5"
    count(8, today - timedelta(days=2))
    assert await says() == "10 or more"
    assert cells(await author.get("/rules"), WINK)[-1] == ""


def test_a_trial_of_another_version_is_another():
    """What an older version found says nothing of the one in force."""
    day = datetime(2026, 3, 1, tzinfo=UTC)
    old = TrialCount(rule="a.b", version=1, messages=50, first=day.date(), last=day.date())
    counted = Counted(since=day, days=(), figures=(), trials=(old,))
    assert rule_numbers.on_trial(counted, "a.b", 2) == "under 5"
    assert rule_numbers.on_trial(counted, "a.b", 1) == "50 or more"


# --- who sees what ------------------------------------------------------------------------------------------


async def test_nobody_counts_themselves(console):
    """A rule author on the staff list sees no figure move for mail of their own, of their managers, or with PSD (P7)."""
    put_in_force(console)
    email = "helen.brooks@force.example"
    console.store.write_now(lambda tx: add_account(tx, email, Role.RULE_AUTHOR))
    brooks = console.visitor(email)
    for _ in range(7):
        found(console, held_at=console.clock() - timedelta(days=2))
    paths = ("/rules", "/rules?sort=items", f"/rules/{WINK}")
    before = [words_of(await brooks.get(path)) for path in paths]
    assert "7" in cells(await brooks.get("/rules"), WINK)
    for _ in range(6):
        found(console, officer=BROOKS, senders=(BROOKS,), excluded=(BROOKS,))
        found(console, excluded=(KHAN, BROOKS))
        found(console, officer=PRYCE, senders=(PRYCE,), excluded=(PRYCE,))
        found(console, psd_only="thirty people")
    assert [words_of(await brooks.get(path)) for path in paths] == before
    overseen = cells(await console.visitor(BY_ROLE[Role.OVERSIGHT]).get("/rules"), WINK)
    assert overseen[5] == "31"


@pytest.mark.parametrize(
    "path", ["/rules", f"/rules/{WINK}", "/rules/policy", "/rules/changes", "/playground"]
)
async def test_reviewers_and_administrators_have_no_rule_pages(console, path):
    """To them such a page is one that does not exist."""
    put_in_force(console)
    for email in (REVIEWER, BY_ROLE[Role.ADMINISTRATOR]):
        visitor = console.visitor(email)
        assert (await visitor.get(path)).status_code == 404
        assert path not in (await visitor.get("/account")).text


async def test_a_rule_author_sees_no_mail(console, author):
    """No word, name or address of an item is on any rule page, and no page of an item opens."""
    put_in_force(console)
    item = found(console, subject="He was bailed today")
    for path in ("/rules", f"/rules/{WINK}", "/rules/changes", "/playground"):
        page = await author.get(path)
        for secret in (item, "bailed", "nadia", "amir.khan", "Robbery"):
            assert secret not in page.text, (path, secret)
    assert (await author.get(f"/items/{item}")).status_code == 404


# --- what was done to the rules -----------------------------------------------------------------------------


async def test_who_changed_what_and_when(console):
    """A set is named once with the files it changed; a promotion with its reason, and none of its counts."""
    put_in_force(console)
    console.clock.forward(days=30)
    changed = a_bundle(a_rule(version=2, phrase="fancy a pint", hit="You fancy a pint?"))
    put_in_force(console, changed, by="s.lind")
    payload = {"from": "flag", "to": "enforce", "reason": "It is right", "confirmed": 3, "false_alarms": 1}
    console.store.write_now(
        lambda tx: audit.append(
            tx,
            Event.RULE_PROMOTED,
            actor="ada@force.example",
            subject=WINK,
            payload=payload,
            at=console.clock(),
        )
    )
    author = console.visitor(BY_ROLE[Role.RULE_AUTHOR])
    page = words_of(await author.get("/rules/changes"))
    assert page.index("flag to enforce") < page.index("s.lind") < page.index("m.olsen")
    assert "2 files: advance/drink.yaml (changed), warmth/lunch.yaml (gone)" in page
    assert page.count("set in force") == 2
    assert "“ It is right ”" in page
    page = words_of(await author.get(f"/rules/{WINK}"))
    assert "ada@force.example moved it from flag to enforce" in page
    assert "s.lind" in page
    assert "At this status and version for 0 days" in page
    console.clock.forward(days=4)
    author = console.visitor(BY_ROLE[Role.RULE_AUTHOR])
    assert "for 4 days" in words_of(await author.get(f"/rules/{WINK}"))


async def test_the_log_is_read_on_from_where_it_was(console, author):
    """What happens between two visits is on the second, whatever else the audit log took meanwhile."""
    put_in_force(console)
    assert words_of(await author.get("/rules/changes")).count("set in force") == 1
    found(console)
    console.clock.forward(seconds=1)
    put_in_force(console, a_bundle(a_rule(version=3)))
    assert words_of(await author.get("/rules/changes")).count("set in force") == 2
    assert "version 3" in words_of(await author.get(f"/rules/{WINK}"))


def refused(console, subject="files", actor="serve", *, then=""):
    """Write down that a set was refused; ``then`` is the set that the relay goes on with at its start."""

    def write(tx):
        mistakes = {
            "mistakes": ("rules/advance/drink.yaml:3:1: unknown key 'staus'; did you mean 'status'?",)
        }
        audit.append(
            tx, Event.RULES_REFUSED, actor=actor, subject=subject, payload=mistakes, at=console.clock()
        )
        if then:
            audit.append(tx, Event.RULES_LOADED, actor=actor, subject=then, at=console.clock())

    console.store.write_now(write)


async def test_a_refused_set_is_an_alarm_until_a_sound_one_comes(console, author):
    """Every rule page says that a newer set was refused and why; the next set that is taken ends it."""
    bundle = put_in_force(console)
    refused(console)
    for path in ("/rules", f"/rules/{WINK}", "/rules/policy", "/rules/changes"):
        page = words_of(await author.get(path))
        assert "A newer set was refused" in page, path
        assert "drink.yaml:3:1: unknown key" in page, path
    put_in_force(console, bundle)
    assert "was refused" not in words_of(await author.get("/rules"))


async def test_a_relay_that_starts_with_a_broken_set_leaves_the_alarm_on(console, author):
    """It goes on with the old set and says so in the same breath: that is no mending."""
    bundle = put_in_force(console)
    refused(console, bundle.hash, then=bundle.hash)
    assert "A newer set was refused" in words_of(await author.get("/rules"))


def test_no_entries_no_alarm():
    """An empty log says nothing."""
    assert refusal_of(()) is None


async def test_what_relays_report_is_in_force(console, author):
    """A set that is stored and that no relay has taken is not shown as the one in force; a mixture is named."""
    old = put_in_force(console)
    console.clock.forward(minutes=5)
    new = put_in_force(console, a_bundle(a_rule(version=9)))
    assert "no relay runs just now" in words_of(await author.get("/rules"))
    reported(console, old)
    page = words_of(await author.get("/rules"))
    assert old.hash[:12] in page
    assert "in force in 1 relay" in page
    assert "version 1" in words_of(await author.get(f"/rules/{WINK}"))
    reported(console, new, "relay-2")
    assert "Relays judge by different sets" in words_of(await author.get("/rules"))
    console.clock.forward(minutes=1)
    assert "no relay runs just now" in words_of(await author.get("/rules"))


# --- figures, pure ------------------------------------------------------------------------------------------


def counted(**weeks):
    """Return counts in which a rule came true so often in its first weeks."""
    since = datetime(2025, 12, 2, tzinfo=UTC)
    days = tuple(
        RuleDay(rule=rule, day=(since + timedelta(days=7 * number)).date(), items=items)
        for rule, row in weeks.items()
        for number, items in enumerate(row)
        if items
    )
    sums = tuple(
        RuleFigures(rule=rule, items=sum(row), crossings=0, false_alarms=0) for rule, row in weeks.items()
    )
    return Counted(since=since, days=days, figures=sums, trials=())


@pytest.mark.parametrize(
    ("weeks", "told"),
    [
        ([20, 9, 6], ["20", "9", "6"]),
        ([20, 3, 9], ["20", None, None]),
        ([20, 3, 2], ["20", None, None]),
        ([2, 1, 0], [None, None, "0"]),
    ],
)
def test_a_week_that_would_give_a_small_one_away_is_not_told(weeks, told):
    """The sum stands beside the weeks, so one week alone is never left out; without the sum no week is told."""
    numbers = rule_numbers.numbers_of(counted(wink=weeks, other=[50], more=[60]), ("wink",))["wink"]
    assert [week.items for week in numbers.weeks[:3]] == told
    assert (numbers.items is None) == (sum(weeks) < 5)


def test_a_sum_that_is_left_out_takes_its_weeks_with_it():
    """A rule whose own sum is hidden to cover for another's tells no week either."""
    numbers = rule_numbers.numbers_of(counted(wink=[3], other=[50, 8]), ())
    assert numbers["other"].items is None
    assert {week.items for week in numbers["other"].weeks} == {None, "0"}
    assert numbers["other"].recent == "0"
