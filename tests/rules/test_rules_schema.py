"""rules/schema.json: up to date, and it takes what loads and underlines what does not."""

import datetime as dt
import json
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.inspection.completion import json_schema
from gateway.inspection.nodes import parse

RULES = Path(__file__).parents[2] / "rules"
RULE = {
    "id": "endearment.kiss", "version": 1, "status": "draft", "title": "t", "why": "w", "guidance": "g",
    "severity": "low", "points": 2, "match": {"kiss": {"phrase": "kiss"}}, "false_positives": ["f"],
    "blind_spots": "b", "for_reviewer": "r", "examples": {"hit": ["x"], "miss": ["y"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def checker():
    schema = json.loads(json_schema())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def test_the_file_is_what_the_command_prints():
    """The file in rules/ is the one that the models give; `gateway rules schema > rules/schema.json` renews it."""
    printed = CliRunner().invoke(app, ["rules", "schema"])
    assert printed.exit_code == 0
    assert (RULES / "schema.json").read_text("utf-8") == printed.stdout, (
        "run: gateway rules schema > rules/schema.json"
    )


def _values(path):
    document, mistakes = parse(path.name, path.read_text("utf-8"))
    assert document is not None, mistakes
    return document.value


def _plain(value):
    """Return a file's values as an editor sees them, in YAML 1.2: a date is text there."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(RULES.rglob("*.yaml")) if path.parent.name not in {"retired", "benign"}],
    ids=lambda path: path.relative_to(RULES).as_posix(),
)
def test_no_shipped_file_is_underlined(checker, path):
    """What loads as a rule, a list or the policy is taken by the schema; ordinary mail under benign/ is none of them."""
    value = _plain(_values(path))
    assert [error.message for error in checker.iter_errors(value)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"severty": "low"},
        {"status": "enforced"},
        {"points": 21},
        {"points": "2"},
        {"match": {"a b": {"phrase": "x"}}},
        {"match": {"a": {"phrase": "x", "regex": "y"}}},
        {"match": {"a": {"cue": "invitatio"}}},
        {"match": {"a": {"phrase": []}}},
        {"match": {"a": {"conduct": {"asigned": False}}}},
        {"scope": {"part": "boddy"}},
        {"kind": "pattern"},
        {"exceptions": [{"name": "a", "phrase": "x", "owner": "o", "reason": "r"}]},
        {"false_positives": []},
        {"examples": {"hits": ["x"]}},
    ],
    ids=str,
)
def test_a_wrong_rule_is_underlined(checker, change):
    """A rule with one wrong value is refused, and without it is taken."""
    assert checker.is_valid(RULE)
    assert not checker.is_valid(RULE | change)


@pytest.mark.parametrize("key", sorted(RULE))
def test_a_missing_key_is_underlined(checker, key):
    """No key of this rule may be left out."""
    assert not checker.is_valid({name: value for name, value in RULE.items() if name != key})


def test_one_text_or_many(checker):
    """Where one text may stand, so may several, and both are completed."""
    assert checker.is_valid(RULE | {"match": {"kiss": {"phrase": ["kiss", "hug"]}}})
    assert checker.is_valid(RULE | {"scope": {"contact_role": "victim", "part": ["body", "subject"]}})


def test_lists_and_policy_have_their_own_keys(checker):
    """A list is known by `list`, policy.yaml by `flag_at`; the keys of a rule are none of theirs."""
    named = {"list": "words", "owner": "o", "reason": "r", "phrases": ["x"]}
    policy = _values(RULES / "policy.yaml")
    assert checker.is_valid(named)
    assert checker.is_valid(policy)
    assert not checker.is_valid(named | {"severity": "low"})
    assert not checker.is_valid(policy | {"severity": "low"})


def test_keys_are_explained():
    """An editor shows what each key of a rule is for."""
    properties = json.loads(json_schema())["definitions"]["RuleEntry"]["properties"]
    assert "never into a pass" in properties["softened_by"]["description"]
    assert "unanswered" in json.loads(json_schema())["definitions"]["ConductEntry"]["properties"]
