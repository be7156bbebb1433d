"""`gateway scan` and `gateway explain`: the contract of their JSON, and what they tell people."""

import json
from pathlib import Path

import pytest
from rule_texts import POLICY, list_file, rule
from typer.testing import CliRunner

from gateway.cli import app

KEYS = {"file", "action", "score", "in_scope", "findings", "unreadable", "authored_chars", "ms"}
FINDING_KEYS = {"rule", "category", "severity", "points", "text", "part", "start", "end", "why"}

ADVANCE = """\
From: Sam Holt <sam.holt@force.example>
To: Jo <jo@mail.example>
Subject: Update
Date: Wed, 04 Mar 2026 11:00:00 +0000

Hi Jo,

The court date is Monday. Fancy a drink after?

Sam
"""
PROPER = ADVANCE.replace(" Fancy a drink after?", "")
CONTACTS = """\
email,name,role,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact
jo@mail.example,Jo Reed,victim,42/1/26,open,2026-01-05,,sam.holt@force.example,no,
"""
STAFF = """\
email,name,rank,unit,manager,role,aliases
sam.holt@force.example,Sam Holt,DC,CID,kim.roy@force.example,officer,
kim.roy@force.example,Kim Roy,DS,CID,,supervisor,
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {
        "rules/policy.yaml": POLICY,
        "rules/advance/drink.yaml": rule("invite: {phrase: fancy a drink}"),
        "rules/warmth/us.yaml": rule("us: {phrase: just us}", rule_id="warmth.us").replace("high", "low"),
        "rules/safety/court.yaml": rule("court: {list: courts}", rule_id="safety.court").replace(
            "title: Asks out", "kind: safety\ntitle: Tells of court"
        ),
        "rules/lists/courts.yaml": list_file("courts", "court date"),
        "mail/advance.eml": ADVANCE,
        "mail/deep/proper.eml": PROPER,
        "mail/notes.txt": "not mail",
        "contacts.csv": CONTACTS,
        "staff.csv": STAFF,
        "own.yaml": "registry: {domains: [force.example]}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("GATEWAY_INSPECTION__LANGUAGE", "false")
    return tmp_path


def run(name, *arguments):
    return CliRunner().invoke(app, [name, *arguments])


def scanned(*arguments):
    result = run("scan", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_of_a_scan(here):
    """One object a file, with the keys that other programs rely on; text is the exact piece."""
    held, passed = scanned("--as-contact", "mail/advance.eml", "mail/deep/proper.eml")
    assert held.keys() >= KEYS
    assert (held["file"], held["action"], held["score"], held["in_scope"]) == (
        "mail/advance.eml",
        "hold",
        4,
        True,
    )
    (finding,) = held["findings"]
    assert finding.keys() >= FINDING_KEYS
    assert (finding["text"], finding["part"], finding["rule"]) == ("Fancy a drink", "body", "advance.drink")
    assert finding["end"] - finding["start"] == len("Fancy a drink")
    assert held["urgent"] == "Tells of court"
    assert (passed["action"], passed["findings"], passed["unreadable"]) == ("pass", [], [])
    assert passed["authored_chars"] > 0
    assert passed["ms"] > 0


def test_folders_are_searched(here):
    """A folder stands for its .eml files, in order; exit 0 whatever is found."""
    assert [line["file"] for line in scanned("--as-contact", "mail")] == [
        "mail/advance.eml",
        "mail/deep/proper.eml",
    ]


def test_missing_file_is_said_and_the_rest_goes_on(here):
    """A file that cannot be read is exit 1, after the others were judged."""
    result = run("scan", "--json", "--as-contact", "nowhere.eml", "mail/advance.eml")
    assert result.exit_code == 1
    assert "nowhere.eml: cannot be read" in result.stderr
    assert json.loads(result.stdout)["action"] == "hold"


def test_registry_says_who_is_a_contact(here):
    """With a configuration, mail to nobody registered is out of scope, and a stranger to the case is one."""
    (line,) = scanned("--config", "own.yaml", "mail/advance.eml")
    assert (line["in_scope"], line["action"]) == (True, "hold")
    other = here / "mail" / "other.eml"
    other.write_text(ADVANCE.replace("jo@mail.example", "solicitor@law.example"), encoding="utf-8")
    (line,) = scanned("--config", "own.yaml", "mail/other.eml")
    assert (line["in_scope"], line["action"], line["findings"]) == (False, "pass", [])


def test_no_registry_and_not_as_contact(here):
    """Without either there is nobody to judge mail to, and that is said."""
    (here / "contacts.csv").unlink()
    result = run("scan", "mail/advance.eml")
    assert result.exit_code == 1
    assert "--as-contact" in result.stderr


def test_mail_is_judged_at_its_date(here):
    """An exception that had not ended at the Date of a mail applies to it."""
    more = "exceptions: [{name: a, phrase: fancy a drink after, owner: b, reason: c, expires: 2026-03-04}]"
    path = here / "rules" / "advance" / "drink.yaml"
    path.write_text(rule("invite: {phrase: fancy a drink}", more=more), encoding="utf-8")
    (line,) = scanned("--as-contact", "mail/advance.eml")
    assert line["action"] == "pass"
    late = here / "mail" / "late.eml"
    late.write_text(ADVANCE.replace("04 Mar", "05 Mar"), encoding="utf-8")
    (line,) = scanned("--as-contact", "mail/late.eml")
    assert line["action"] == "hold"


def test_unreadable_parts_are_listed(here):
    """What could not be read stands beside the verdict."""
    raw = ADVANCE.replace("\n\nHi", "\nContent-Type: application/pgp-encrypted\n\nHi", 1)
    (here / "mail" / "sealed.eml").write_text(raw, encoding="utf-8")
    (line,) = scanned("--as-contact", "mail/sealed.eml")
    assert line["unreadable"]
    assert line["action"] in {"flag", "hold"}


def test_rules_that_do_not_load(here):
    """A wrong rule set is named and nothing is judged."""
    (here / "rules" / "advance" / "drink.yaml").write_text("a: [", encoding="utf-8")
    result = run("scan", "--as-contact", "mail")
    assert result.exit_code != 0
    assert "not YAML" in str(result.exception) + result.stderr


def test_scan_for_people(here):
    """Without --json: action, score and file, and each finding under it."""
    result = run("scan", "--as-contact", "mail")
    assert result.exit_code == 0
    assert "hold    4  mail/advance.eml" in result.stdout
    assert "advance.drink (high): 'Fancy a drink'" in result.stdout
    assert "pass    0  mail/deep/proper.eml" in result.stdout


def test_explain(here):
    """Explain shows what was read, what was cut, what counts, and what would become of it without a sentence."""
    raw = ADVANCE.replace("Subject:", "In-Reply-To: <1@mail.example>\nSubject:")
    raw += "\nOn 3 March 2026 at 09:00, Jo <jo@mail.example> wrote:\n> When is court? Just us?\n"
    (here / "mail" / "reply.eml").write_text(raw, encoding="utf-8")
    result = run("explain", "--as-contact", "mail/reply.eml")
    assert result.exit_code == 0
    out = result.stdout
    assert "What the officer wrote now" in out
    assert "  | The court date is Monday. Fancy a drink after?" in out
    assert out.index("Set aside") < out.index("  | > When is court? Just us?")
    assert "4  advance.drink v1 (high)" in out
    assert "pass    0  without 'Fancy a drink after?'" in out
    assert "hold because of category:advance" in out
    assert "waits: jo@mail.example" in out
    assert "urgent: Tells of court" in out


ODD = """\
From: See you soon <tom@force.example>
To: jo@mail.example
Subject: Your case
Content-Type: text/html; charset=utf-8

<p>The court date is Monday.</p><p>Chciałem zapytać, czy masz ochotę wyjść ze mną na kolację w sobotę.</p>
<p hidden>See you\x1b[2J there.</p><img src="a.png">
"""


def test_explain_shows_what_is_odd(here):
    """Explain names language, hidden words, words of the header, and what policy makes of what was not read."""
    (here / "mail" / "odd.eml").write_text(ODD, encoding="utf-8")
    out = run("explain", "--as-contact", "mail/odd.eml").stdout
    assert "  from (header, English)\n  | See you soon\n" in out
    assert "  body (body, English)\n  | The court date is Monday.\n" in out
    assert "  body (body, Polish)\n" in out
    assert "hidden: most mail programs do not show it" in out
    assert "\\x1b[2J" in out
    assert "hold: language  body: 67 characters in Polish, which is not inspected" in out
    assert "\x1b" not in out, "no colours where no terminal is"


def test_explain_marks_findings_in_colour(here):
    """On a terminal what was found stands in red inside its passage, and actions have colours."""
    (here / "mail" / "red.eml").write_text(ADVANCE, encoding="utf-8")
    result = CliRunner().invoke(app, ["explain", "--as-contact", "mail/red.eml"], color=True)
    assert "The court date is Monday. \x1b[31m\x1b[1mFancy a drink\x1b[0m after?" in result.stdout


def test_explain_says_when_no_sentence_alone_makes_the_difference(here):
    """Two sentences that each hold: without either it is held, without both it passes."""
    raw = ADVANCE.replace("after?", "after? I fancied a drink on Monday too.")
    (here / "mail" / "two.eml").write_text(raw, encoding="utf-8")
    result = run("explain", "--json", "--as-contact", "mail/two.eml")
    line = json.loads(result.stdout)
    assert [each["action"] for each in line["without"]] == ["hold", "hold", "pass"]
    assert line["without"][2]["sentence"] == "(all of these)"
    assert {"passages", "cuts"} <= line.keys()
    assert all(Path(line["file"]).suffix == ".eml" and each["part"] for each in line["passages"])


def test_explain_of_a_missing_file(here):
    """A file that cannot be read is exit 1 with its reason."""
    result = run("explain", "--as-contact", "nowhere.eml")
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
