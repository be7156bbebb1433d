"""A rule goes up by evidence, one step at a time, and down at once; who and why is on record."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from small_sets import AUTHOR, REVIEWER, drink, lunch, write
from typer.testing import CliRunner

from gateway import audit
from gateway.cli.rules import app
from gateway.model import Event, Label, RuleStatus
from gateway.rehearsal.promotion import Bars, Evidence, lacking, standing, with_status
from gateway.store import Store, chain, trials

DRAFT, SHADOW, FLAG, ENFORCE = RuleStatus
BARS = Bars(days=14, decisions=10, precision=0.5)
FINE = Evidence(mistakes=(), ordinary=(), days=14, confirmed=8, false_alarms=2)


def evidence(**changes):
    """Return evidence that is enough but for ``changes``."""
    given = {name: getattr(FINE, name) for name in FINE.__slots__}
    return Evidence(**given | changes)


@pytest.mark.parametrize(("status", "to"), [(DRAFT, SHADOW), (SHADOW, FLAG), (FLAG, ENFORCE)])
def test_enough_evidence_takes_each_step(status, to):
    """With all there is to ask for, each step up may be taken."""
    assert lacking(status, to, FINE, BARS) == ()


@pytest.mark.parametrize(("status", "to"), [(DRAFT, FLAG), (DRAFT, ENFORCE), (SHADOW, ENFORCE)])
def test_no_step_is_left_out(status, to):
    """Two steps at once are refused, whatever the evidence."""
    (says,) = lacking(status, to, FINE, BARS)
    assert says.startswith("one step at a time")


@pytest.mark.parametrize(
    ("status", "to"), [(ENFORCE, DRAFT), (ENFORCE, FLAG), (FLAG, SHADOW), (SHADOW, DRAFT)]
)
def test_down_goes_at_once(status, to):
    """A rule that errs is stopped without any evidence."""
    nothing = evidence(mistakes=("x",), ordinary=("m",), days=0, confirmed=0, false_alarms=9)
    assert lacking(status, to, nothing, BARS) == ()


@pytest.mark.parametrize(
    ("changes", "shadow", "flag", "enforce"),
    [
        ({"mistakes": ("a.yaml:1:1: wrong",)}, 1, 1, 1),
        ({"ordinary": ("canteen",)}, 0, 1, 1),
        ({"days": 13}, 0, 1, 1),
        ({"confirmed": 7, "false_alarms": 2}, 0, 0, 1),
        ({"confirmed": 4, "false_alarms": 6}, 0, 0, 1),
        ({"confirmed": 5, "false_alarms": 5}, 0, 0, 0),
        ({"mistakes": ("x", "y"), "ordinary": ("m",), "days": 0, "confirmed": 0, "false_alarms": 0}, 2, 4, 5),
    ],
)
def test_what_is_lacking_is_named_all_at_once(changes, shadow, flag, enforce):
    """Each rung asks for what it asks for, and everything that is missing is said in one go."""
    found = [
        len(lacking(status, to, evidence(**changes), BARS))
        for status, to in ((DRAFT, SHADOW), (SHADOW, FLAG), (FLAG, ENFORCE))
    ]
    assert found == [shadow, flag, enforce]


def test_the_same_status_is_no_step():
    """Promoting to what it is already says so."""
    assert lacking(FLAG, FLAG, FINE, BARS) == ("it is flag already",)


# --- the file -----------------------------------------------------------------------------------------------


def test_the_edit_leaves_everything_else():
    """Only the two values change: comments, order, quotation and white space stay."""
    text = drink(status="draft  # until Easter").replace("match:", "# the words\nmatch:")
    day = date(2026, 5, 1)
    edited = with_status(text, SHADOW, day)
    assert edited == text.replace("status: draft  #", "status: shadow  #").replace(
        "changed: 2026-01-10", "changed: 2026-05-01"
    )
    assert standing(edited) == ("shadow", 1)


def test_a_file_without_a_day_gets_one():
    """Where nobody wrote the day of the last change, it is added."""
    text = drink(status="draft").replace("changed: 2026-01-10\n", "")
    assert "changed: 2026-05-01\nstatus: shadow\n" in with_status(text, SHADOW, date(2026, 5, 1))


@pytest.mark.parametrize("text", ["{id: a.b, status: draft}", "id: a.b\n", "why: |\n  x\nstatus:\n  draft\n"])
def test_a_file_that_is_written_otherwise_is_left_alone(text):
    """Where the line cannot be edited safely, a person must."""
    with pytest.raises(ValueError, match="line"):
        with_status(text, SHADOW, date(2026, 5, 1))


# --- the command --------------------------------------------------------------------------------------------


def promote(force, rule, to, *, who=AUTHOR, code=0):
    """Run the command and return its line."""
    done = CliRunner().invoke(
        app,
        ["promote", rule, "--to", to, "--reason", "It reads well", "--as", who, "--config", str(force.config),
         "--rules", str(force.rules), "--no-language", "--json"],
    )  # fmt: skip
    assert done.exit_code == code, done.output + str(done.exception or "")
    return json.loads(done.stdout) if done.stdout else {"says": done.stderr}


def in_force(force, days):
    """Have the rules on disk in force since ``days`` ago."""
    rules_hash = force.keep()
    at = datetime.now(UTC) - timedelta(days=days, hours=1)
    with Store.open(force.settings) as store:
        store.write_now(
            lambda tx: audit.append(
                tx, Event.RULES_LOADED, actor="relay", subject=rules_hash, payload={}, at=at
            )
        )


def test_a_draft_goes_into_shadow(force):
    """A draft whose examples come true goes into shadow: the file says so, and the audit log who, why, from and to."""
    write(force.rules, advance__drink=drink(status="draft"))
    assert promote(force, "advance.drink", "shadow")["done"]
    assert "status: shadow" in (force.rules / "advance" / "drink.yaml").read_text()
    assert [path.name for path in (force.rules / "advance").iterdir()] == ["drink.yaml"]
    with Store.open(force.settings) as store:
        (row,) = [
            each for each in store.read_now(lambda tx: list(chain.rows(tx))) if each.event == "rule:promoted"
        ]
    assert (row.actor, row.subject) == (AUTHOR, "advance.drink")
    payload = json.loads(row.payload)
    assert (payload["from"], payload["to"], payload["reason"]) == ("draft", "shadow", "It reads well")


def test_a_draft_with_a_wrong_example_stays(force):
    """What lint says of the file stands against any step up, and nothing is written."""
    text = drink(status="draft").replace('"Fancy that."', '"Do you fancy a drink now?"')
    write(force.rules, advance__drink=text)
    found = promote(force, "advance.drink", "shadow", code=1)
    assert "should not make the rule fire" in found["lacking"][0]
    assert (force.rules / "advance" / "drink.yaml").read_text() == text


@pytest.mark.parametrize(("days", "done"), [(13, False), (15, True)])
def test_days_in_shadow_come_from_what_was_in_force(force, days, done):
    """A rule flags after two weeks in shadow: days in which a relay had it in force so, at this version."""
    write(force.rules, advance__drink=drink(status="shadow"))
    in_force(force, days)
    assert promote(force, "advance.drink", "flag", code=not done)["done"] is done


def test_days_of_another_version_do_not_count(force):
    """A rule that was changed begins anew."""
    write(force.rules, advance__drink=drink(status="shadow"))
    in_force(force, 30)
    write(force.rules, advance__drink=drink(status="shadow", version="2"))
    assert "for 0 days" in promote(force, "advance.drink", "flag", code=1)["lacking"][0]


def test_ordinary_mail_stands_against_it(force):
    """A rule in shadow that fires on ordinary mail stays there until the mail is listed or the rule mended."""
    mails = "kind: visits\nmails:\n  canteen:\n    body: We can have lunch in the canteen before court.\n"
    write(force.rules, warmth__lunch=lunch(status="shadow"), benign__visits=mails)
    in_force(force, 30)
    (says,) = promote(force, "warmth.lunch", "flag", code=1)["lacking"]
    assert "canteen" in says


def test_reviewers_decide_whether_it_may_hold(force):
    """To enforce, enough mails it flagged were decided, and enough of them confirmed."""
    write(force.rules, advance__drink=drink(status="flag"))
    in_force(force, 30)
    for number in range(9):
        force.receive(f"Would you fancy a drink? {number}", label=Label.CROSSING)
    assert "fewer than 10" in promote(force, "advance.drink", "enforce", code=1)["lacking"][0]
    for number in range(12):
        force.receive(f"Would you fancy a drink, friend? {number}", label=Label.FALSE_ALARM)
    assert "43%" in promote(force, "advance.drink", "enforce", code=1)["lacking"][0]
    for number in range(5):
        force.receive(f"So would you fancy a drink? {number}", label=Label.CROSSING)
    assert promote(force, "advance.drink", "enforce")["done"]


def test_a_reviewer_is_no_rule_author(force):
    """Who decides on mail does not decide how far rules act."""
    write(force.rules, advance__drink=drink(status="draft"))
    assert (
        "no role that may do this" in promote(force, "advance.drink", "shadow", who=REVIEWER, code=1)["says"]
    )


def test_rules_on_trial_are_shown(force):
    """What rules in shadow found is shown by count and days, small counts as small; other rules are not in the list."""
    write(force.rules, advance__drink=drink(status="shadow"), warmth__lunch=lunch(status="shadow"))
    in_force(force, 3)
    with Store.open(force.settings) as store:
        for number in range(7):
            found = [("advance.drink", 1), *([("warmth.lunch", 1)] if number < 2 else [])]
            store.write_now(lambda tx, found=found: trials.count(tx, found, date(2026, 3, 2)))
    arguments = ["shadow", "--config", str(force.config), "--rules", str(force.rules), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"rule": "advance.drink", "version": 1, "days": 3, "messages": 7},
        {"rule": "warmth.lunch", "version": 1, "days": 3, "messages": "<5"},
    ]
