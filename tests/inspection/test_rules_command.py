"""`gateway rules lint` and `gateway rules test`."""

import json
import shutil
from pathlib import Path

import pytest
from rule_texts import POLICY, rule
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.rules import rule_folders
from gateway.settings import RulesSettings

ROOT = Path(__file__).parents[2]
GOOD = "{hit: [Fancy a drink?, I fancied a drink., fancy a drink x], miss: [A drink., I fancy it., Drink a fancy.]}"
RULE = rule("invite: {phrase: fancy a drink}", examples=GOOD)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules" / "advance").mkdir(parents=True)
    (tmp_path / "rules" / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "rules" / "advance" / "drink.yaml").write_text(RULE, encoding="utf-8")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["rules", *arguments])


def test_lint_of_good_rules(here):
    """Without arguments `rules/` here is checked; no mistake is exit 0."""
    result = run("lint", "--no-language")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("1 rules, 0 lists, 0 ordinary mails: no mistakes (")


def test_lint_prints_places(here):
    """Each mistake is a line with file, line and column; exit 1."""
    path = here / "rules" / "advance" / "drink.yaml"
    path.write_text(RULE.replace("severity", "severty"), encoding="utf-8")
    result = run("lint", "--no-language")
    assert result.exit_code == 1
    assert "rules/advance/drink.yaml:7:1: unknown key 'severty'; did you mean 'severity'?" in result.stdout


def test_lint_json(here):
    """With --json each mistake is an object with its grade."""
    path = here / "rules" / "advance" / "drink.yaml"
    path.write_text(RULE.replace("Fancy a drink?", "Nothing."), encoding="utf-8")
    result = run("lint", "--json", "--no-language")
    (line,) = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 1
    assert line["grade"] == "gate"
    assert (line["file"], line["line"]) == ("rules/advance/drink.yaml", 12)
    path.write_text(RULE + "odd: 1\n", encoding="utf-8")
    assert json.loads(run("lint", "--json").stdout)["grade"] == "load"


def test_lint_of_several_folders(here):
    """Folders may be named; a later one overrides."""
    shutil.copytree(here / "rules", here / "own")
    assert run("lint", "--no-language", "rules", "own").exit_code == 0
    assert run("lint", "--no-language", "rules", "nowhere").exit_code == 1


def test_test_shows_what_is_wrong(here):
    """Only wrong examples are shown, with their text; exit 1."""
    path = here / "rules" / "advance" / "drink.yaml"
    assert run("test", "--no-language").exit_code == 0
    path.write_text(RULE.replace("A drink.", "Fancy a drink?"), encoding="utf-8")
    result = run("test", "--no-language")
    assert result.exit_code == 1
    assert "should not make the rule fire" in result.stdout
    assert "6 examples, 1 wrong" in result.stdout


def test_test_of_one_rule_shows_every_example(here):
    """Named alone, a rule shows how each of its examples came out."""
    result = run("test", "advance.drink", "--no-language")
    assert result.exit_code == 0
    assert result.stdout.count("as it should") == 6
    assert "hit as it should on 'Fancy a drink'" in result.stdout
    assert run("test", "advance.nothing", "--no-language").exit_code == 2


def test_test_json(here):
    """With --json each example is an object."""
    result = run("test", "--json", "--no-language")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 6
    assert lines[0]["ok"] is True
    assert lines[0]["found"] == "Fancy a drink"


def test_rules_that_do_not_load_cannot_be_tried(here):
    """`test` names the mistakes of a set that does not load."""
    (here / "rules" / "advance" / "drink.yaml").write_text("a: [", encoding="utf-8")
    result = run("test")
    assert result.exit_code == 1
    assert "not YAML" in result.stdout


def test_where_rules_are_looked_for(here, tmp_path, monkeypatch):
    """Settings first, then rules/ here, then the copy in the package."""
    assert rule_folders(RulesSettings(path=Path("x"))) == (Path("x"),)
    assert rule_folders(RulesSettings()) == (Path("rules"),)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    (folder,) = rule_folders(RulesSettings())
    assert folder.name == "_rules"
    assert folder.parent.name == "gateway"


def test_commands_are_there():
    """The group is reachable from the top."""
    result = CliRunner().invoke(app, ["rules", "--help"])
    assert result.exit_code == 0
    assert "lint" in result.stdout
    assert "test" in result.stdout
