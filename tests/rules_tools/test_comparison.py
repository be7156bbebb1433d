"""What a new rule set gains and loses: in values, over given mail, and over what the store keeps."""

import json

import pytest
from small_sets import AUTHOR, POLICY, REVIEWER, drink, lunch, mail, write
from typer.testing import CliRunner

from gateway.cli.rules import app
from gateway.model import Action, Label
from gateway.rehearsal.comparison import Change, Kind, Opinion, Standing, ordered, summary
from gateway.store import Store, chain

PASS, FLAG, HOLD = Action


def change(name, before, after, standing=Standing.UNKNOWN):
    """Return a change between two opinions, each an action and its rules."""
    return Change(
        name=name, standing=standing, before=Opinion(action=before[0], rules=frozenset(before[1:])),
        after=Opinion(action=after[0], rules=frozenset(after[1:])),
    )  # fmt: skip


def run(*arguments, code=0):
    """Run a command of the group and return its JSON lines."""
    done = CliRunner().invoke(app, [*map(str, arguments), "--json", "--no-language"])
    assert done.exit_code == code, done.output + str(done.exception or "")
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ((HOLD, "a"), (FLAG, "a"), Kind.LOST),
        ((PASS,), (FLAG, "a"), Kind.GAINED),
        ((FLAG, "a"), (FLAG, "b"), Kind.CHANGED),
        ((FLAG, "a"), (FLAG, "a"), Kind.SAME),
        ((HOLD, "a", "b"), (FLAG, "c"), Kind.LOST),
    ],
)
def test_kind(before, after, kind):
    """A weaker action is a loss, a stronger one a gain; other rules for the same action are a change."""
    assert change("m", before, after).kind is kind


def test_confirmed_losses_come_first():
    """First a crossing that is lost, then proper mail that is stopped, other losses, other gains, changed reasons."""
    changes = [
        change("same", (FLAG, "a"), (FLAG, "a"), Standing.CROSSING),
        change("reasons", (FLAG, "a"), (FLAG, "b"), Standing.CROSSING),
        change("gain", (PASS,), (HOLD, "a"), Standing.CROSSING),
        change("good riddance", (HOLD, "a"), (PASS,), Standing.PROPER),
        change("loss", (HOLD, "a"), (PASS,)),
        change("stopped", (PASS,), (FLAG, "a"), Standing.PROPER),
        change("b lost crossing", (FLAG, "a"), (PASS,), Standing.CROSSING),
        change("a lost crossing", (FLAG, "a"), (PASS,), Standing.CROSSING),
        change("lost hold", (HOLD, "a"), (FLAG, "a"), Standing.CROSSING),
    ]
    assert [each.name for each in ordered(changes)] == [
        "lost hold", "a lost crossing", "b lost crossing", "stopped", "loss", "good riddance", "gain", "reasons",
    ]  # fmt: skip


def test_figures():
    """Actions and rules are counted before and after, what stays the same too; what moved most comes first."""
    found = summary(
        [
            change("1", (HOLD, "a", "b"), (PASS,), Standing.CROSSING),
            change("2", (HOLD, "a"), (FLAG, "c")),
            change("3", (PASS,), (PASS,)),
            change("4", (PASS,), (FLAG, "c"), Standing.PROPER),
        ]
    )
    assert [(one.action, one.before, one.after) for one in found.actions] == [
        (HOLD, 2, 0),
        (FLAG, 0, 2),
        (PASS, 2, 2),
    ]
    assert [(one.rule, one.before, one.after) for one in found.rules] == [
        ("a", 2, 0),
        ("c", 0, 2),
        ("b", 1, 0),
    ]
    assert found.wrong == 2
    assert found.per_thousand(2) == 500
    assert summary([]).per_thousand(0) == 0


# --- diff ---------------------------------------------------------------------------------------------------


def test_diff_over_examples_and_ordinary_mail(tmp_path):
    """A set without a rule loses its examples, which counts as wrong: exit 1; each is named with rule and action."""
    old = write(tmp_path / "old", advance__drink=drink(), warmth__lunch=lunch())
    new = write(tmp_path / "new", warmth__lunch=lunch())
    *lines, figures = run("diff", old, new, code=1)
    assert [line["mail"] for line in lines] == [f"advance.drink hit {number}" for number in (1, 2, 3)]
    assert all(line["change"] == "lost" and line["wrong"] for line in lines)
    assert lines[0] | {"mail": ""} == {
        "change": "lost", "mail": "", "said_to_be": "crossing", "before": "hold", "after": "pass",
        "rules_lost": ["advance.drink"], "rules_gained": [], "wrong": True,
    }  # fmt: skip
    assert figures["mails"] == 12
    assert figures["rules"]["warmth.lunch"] == {"before": 3, "after": 3}


def test_diff_of_equal_sets_is_empty(tmp_path):
    """A set against itself changes nothing, and exits 0."""
    old = write(tmp_path / "old", advance__drink=drink())
    (figures,) = run("diff", old, old)
    assert figures["wrong"] == 0


def test_diff_names_proper_mail_that_would_be_stopped(tmp_path):
    """Ordinary mail beside either set is judged by both: what the new one stops is wrong."""
    mails = "kind: visits\nmails:\n  canteen:\n    body: We can have lunch in the canteen before court.\n"
    old = write(tmp_path / "old", warmth__lunch=lunch(status="shadow"), benign__visits=mails)
    new = write(tmp_path / "new", warmth__lunch=lunch())
    *lines, _ = run("diff", old, new, code=1)
    assert [(line["mail"], line["change"]) for line in lines if line["wrong"]] == [("canteen", "gained")]


def test_diff_takes_a_kept_set_by_its_hash(force):
    """The set in force is named by the beginning of its hash; a beginning of nothing is refused."""
    write(force.rules, advance__drink=drink())
    kept = force.keep()
    write(force.rules, advance__drink=drink(status="flag"))
    *lines, _ = run("diff", kept[:10], force.rules, "--config", force.config, code=1)
    assert {(line["before"], line["after"]) for line in lines} == {("hold", "flag")}
    done = CliRunner().invoke(app, ["diff", "0" * 64, str(force.rules), "--config", str(force.config)])
    assert done.exit_code == 1
    assert "no folder and no kept set" in done.output


def test_diff_over_stored_mail_puts_confirmed_losses_first(force):
    """What a reviewer confirmed as crossing and the new set would let pass comes before everything else."""
    write(force.rules, advance__drink=drink(), warmth__lunch=lunch(severity="high"))
    old = force.keep()
    confirmed = force.receive("Would you fancy a drink?", label=Label.CROSSING)
    alarm = force.receive("We have lunch at one.", label=Label.FALSE_ALARM)
    (force.rules / "advance" / "drink.yaml").unlink()
    (force.rules / "warmth" / "lunch.yaml").unlink()
    done = run("diff", old, force.rules, "--store", "--as", REVIEWER, "--config", force.config, code=1)
    of_store = [line for line in done[:-1] if line["mail"] in {confirmed, alarm}]
    assert [(line["mail"], line["wrong"]) for line in of_store] == [(confirmed, True), (alarm, False)]
    assert done[0]["mail"] in {confirmed, "advance.drink hit 1"}


# --- backtest -----------------------------------------------------------------------------------------------


def test_backtest_over_given_mail(tmp_path):
    """Files and folders are judged as mail to contacts: counts by action and rule, what a set would stop as gained."""
    rules = write(tmp_path / "rules", advance__drink=drink(), warmth__lunch=lunch())
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "1.eml").write_bytes(mail("Do you fancy a drink?"))
    (folder / "2.eml").write_bytes(mail("The file is with the prosecutors."))
    *lines, figures = run("backtest", folder, "--rules", rules)
    assert [(line["mail"], line["change"]) for line in lines] == [(f"{folder}/1.eml", "gained")]
    assert figures["actions"]["hold"] == {"before": 0, "after": 1}
    assert figures["actions"]["pass"] == {"before": 2, "after": 1}


def test_backtest_over_given_mail_against_another_set(tmp_path):
    """With --against both sets judge, and only what differs is listed."""
    old = write(tmp_path / "old", advance__drink=drink(status="flag"))
    new = write(tmp_path / "new", advance__drink=drink())
    (tmp_path / "1.eml").write_bytes(mail("Do you fancy a drink?"))
    (line, _) = run("backtest", tmp_path / "1.eml", "--rules", new, "--against", old)
    assert (line["before"], line["after"], line["change"]) == ("flag", "hold", "gained")


def test_backtest_takes_a_corpus(tmp_path):
    """A folder with batches.yaml is a labelled corpus: what its writers said of a mail is known."""
    corpus = tmp_path / "corpus"
    (corpus / "mails").mkdir(parents=True)
    batch = {"split": "dev", "brief": "x", "written": "2026-01-01", "labelled_by": "writer"}
    (corpus / "batches.yaml").write_text(json.dumps({"w1": batch}))
    entry = {"id": "w1-001", "subject": "", "label": "proper", "due": "pass", "trap": "plain"}
    entry |= {"body": "Shall we have lunch in the canteen?\n"}
    (corpus / "mails" / "w1.jsonl").write_text(json.dumps(entry) + "\n")
    rules = write(tmp_path / "rules", warmth__lunch=lunch())
    (line, figures) = run("backtest", corpus, "--rules", rules)
    assert (line["mail"], line["said_to_be"], line["wrong"]) == ("w1-001", "proper", True)
    assert figures["wrong"] == 1


@pytest.mark.parametrize("arguments", [(), ("x.eml", "--store")])
def test_backtest_needs_one_source(arguments):
    """Neither or both of files and --store is bad usage."""
    assert CliRunner().invoke(app, ["backtest", *arguments]).exit_code == 2


def test_backtest_over_stored_mail_against_what_was_done(force):
    """Stored bytes are judged again with the people and the history of their day; the stored verdict is the measure."""
    write(force.rules, advance__drink=drink(), warmth__lunch=lunch())
    held = force.receive("Would you fancy a drink?")
    flagged = force.receive("We have lunch at one.")
    assert run("backtest", "--store", "--as", REVIEWER, "--config", force.config)[0]["mails"] == 2
    write(force.rules, advance__drink=drink(status="flag"), warmth__lunch=lunch(status="shadow"))
    *lines, figures = run("backtest", "--store", "--as", REVIEWER, "--config", force.config)
    assert {(line["mail"], line["before"], line["after"]) for line in lines} == {
        (held, "hold", "flag"), (flagged, "flag", "pass"),
    }  # fmt: skip
    assert figures["rules"]["warmth.lunch"] == {"before": 1, "after": 0}


def test_backtest_writes_who_opened_what(force):
    """Before anything is shown, the audit log has who tried which set over which items; no word of them is shown."""
    write(force.rules, advance__drink=drink())
    held = force.receive("Would you fancy a drink?")
    write(force.rules, advance__drink=drink(status="shadow"))
    done = CliRunner().invoke(
        app, ["backtest", "--store", "--as", REVIEWER, "--config", str(force.config), "--no-language"]
    )
    assert held in done.stdout
    assert "fancy" not in done.stdout
    with Store.open(force.settings) as store:
        entries = store.read_now(lambda tx: list(chain.rows(tx)))
    (entry,) = [each for each in entries if each.event == "rules:backtested"]
    assert entry.actor == REVIEWER


def test_a_rule_author_sees_figures_only(force):
    """Who may not list items gets no id and no small figure: with few mails, a figure is a person."""
    write(force.rules, advance__drink=drink())
    for number in range(6):
        force.receive(f"Would you fancy a drink? {number}")
    write(force.rules, advance__drink=drink(status="flag"), warmth__lunch=lunch())
    (figures,) = run("backtest", "--store", "--as", AUTHOR, "--config", force.config)
    assert figures["actions"]["hold"] == {"before": 6, "after": 0}
    force.receive("We have lunch at one.")
    (figures,) = run("backtest", "--store", "--as", AUTHOR, "--config", force.config)
    assert figures["rules"]["warmth.lunch"] == {"before": "<5", "after": "<5"}


def test_a_conflicted_reviewer_learns_nothing(force):
    """An item that concerns the reader is left out, and nothing says so."""
    write(force.rules, advance__drink=drink())
    force.receive("Would you fancy a drink?", excluded=("4417", "3308"))
    (figures,) = run("backtest", "--store", "--as", REVIEWER, "--config", force.config)
    assert figures["mails"] == 0


@pytest.mark.parametrize(
    ("who", "says"), [("", "who asks?"), ("owen.nobody@force.example", "has no account")]
)
def test_nobody_in_particular_may_not(force, who, says):
    """Without an account, and for people without a role for it, stored mail stays closed."""
    write(force.rules, advance__drink=drink())
    done = CliRunner().invoke(
        app, ["backtest", "--store", "--as", who, "--config", str(force.config), "--no-language"]
    )
    assert done.exit_code == 1
    assert says in done.output + str(done.exception)


# --- coverage -----------------------------------------------------------------------------------------------


def test_coverage_counts_mail_and_examples(tmp_path):
    """Each rule is told with the mails that fire it; a rule that nothing fires is dead, and that exits 1."""
    dead = lunch().replace("id: warmth.lunch", "id: warmth.dead").replace("have lunch}", "have elevenses}")
    rules = write(tmp_path / "rules", advance__drink=drink(), warmth__lunch=lunch(), warmth__dead=dead)
    (tmp_path / "1.eml").write_bytes(mail("Do you fancy a drink?"))
    *lines, figures = run("coverage", tmp_path / "1.eml", "--rules", rules, code=1)
    found = {line["rule"]: (line["unknown"], line["examples"], line["dead"]) for line in lines}
    assert found == {
        "advance.drink": (1, 3, False),
        "warmth.lunch": (0, 3, False),
        "warmth.dead": (0, 0, True),
    }
    assert figures == {"mails": 1, "crossings": 0, "missed": []}


def test_coverage_names_crossings_that_pass(tmp_path):
    """A mail that its writer called a crossing and that passes is named; one that a shadow rule finds passes too."""
    corpus = tmp_path / "corpus"
    (corpus / "mails").mkdir(parents=True)
    batch = {"split": "dev", "brief": "x", "written": "2026-01-01", "labelled_by": "writer"}
    (corpus / "batches.yaml").write_text(json.dumps({"w1": batch}))
    entries = []
    for number, body in enumerate(("Fancy a drink?", "Shall we have lunch?", "You and me, one evening.")):
        span = {"category": "romantic-advance", "start": 0, "end": len(body)}
        entries.append(
            {"id": f"w1-{number}", "subject": "", "body": body + "\n", "label": "crossing", "due": "hold",
             "severity": "high", "subtlety": "plain", "spans": [span]}
        )  # fmt: skip
    (corpus / "mails" / "w1.jsonl").write_text("".join(json.dumps(each) + "\n" for each in entries))
    rules = write(tmp_path / "rules", advance__drink=drink(), warmth__lunch=lunch(status="shadow"))
    *lines, figures = run("coverage", corpus, "--rules", rules)
    assert figures == {"mails": 3, "crossings": 3, "missed": ["w1-1", "w1-2"]}
    assert {line["rule"]: line["crossing"] for line in lines} == {"advance.drink": 1, "warmth.lunch": 1}


def test_a_safety_rule_is_covered_by_making_mail_urgent(tmp_path):
    """A rule of kind safety has no finding: it counts where it makes a mail urgent."""
    bail = drink().replace("id: advance.drink", "id: safety.bail\nkind: safety").replace("Asks out", "Bail")
    bail = bail.replace("severity: high\n", "").replace("points: 4\n", "")
    rules = write(tmp_path / "rules", safety__bail=bail, policy=POLICY)
    (tmp_path / "1.eml").write_bytes(mail("Do you fancy a drink?"))
    line, _ = run("coverage", tmp_path / "1.eml", "--rules", rules)
    assert (line["unknown"], line["examples"]) == (1, 3)
