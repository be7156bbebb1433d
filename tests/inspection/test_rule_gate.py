"""The grade for promotion: what lint asks beyond loading, and how examples are tried."""

from rule_texts import AT, bundle, engine, list_file, rule

from gateway.inspection import rules_of
from gateway.inspection.lint import examples, gate
from gateway.inspection.nodes import parse

GOOD = "{hit: [Fancy a drink?, I fancied a drink., fancy a drink x], miss: [A drink., I fancy it., Drink a fancy.]}"


def complaints(**files):
    made = bundle(**files)
    return gate(rules_of(made), engine(drafts=True, **files), AT)


def good(**changes):
    return rule("invite: {phrase: fancy a drink}", examples=changes.pop("examples", GOOD), **changes)


def test_a_good_rule_passes():
    """Three hits and three misses that come true are enough."""
    assert complaints(advance__drink=good()) == ()


def test_examples_that_do_not_come_true():
    """Each is named at its own line and column, with what it fired on."""
    text = good(
        examples="\n  hit: [Fancy a drink?, fancy a drink, No such thing.]\n  miss: [a, b, Do you fancy a drink?]"
    )
    hit, miss = complaints(advance__drink=text)
    lines = text.split("\n")
    assert "should make the rule fire, and does not" in hit.what
    assert lines[hit.line - 1][hit.column - 1 :].startswith("No such thing.")
    assert "does on 'fancy a drink'" in miss.what
    assert lines[miss.line - 1][miss.column - 1 :].startswith("Do you fancy")


def test_too_few_examples():
    """Fewer than three hits or misses are not enough to try a rule by."""
    found = complaints(advance__drink=good(examples="{hit: [Fancy a drink?], miss: [a, b, c]}"))
    assert [mistake.what for mistake in found] == ["1 examples under hit"]


def test_empty_words():
    """`unknown` is no false positive and no blind spot."""
    text = (
        good().replace("[A meeting for a statement]", "[unknown]").replace("[A picture of words]", "[none]")
    )
    assert {mistake.what for mistake in complaints(advance__drink=text)} == {
        "false_positives says nothing",
        "blind_spots says nothing",
    }


def test_unused_list():
    """A list that no rule uses is dead weight."""
    (mistake,) = complaints(advance__drink=good(), lists__drinks=list_file("drinks", "pint"))
    assert "no rule uses the list 'drinks'" in mistake.what


def test_expired_exception():
    """An exception past its last day is named: it no longer applies."""
    more = "exceptions: [{name: a, phrase: pub quiz, owner: b, reason: c, expires: 2026-03-03}]"
    (mistake,) = complaints(advance__drink=good(more=more))
    assert "ended on 2026-03-03" in mistake.what
    later = more.replace("2026-03-03", "2026-03-04")
    assert complaints(advance__drink=good(more=later)) == ()


def test_examples_may_be_whole_messages():
    """An example may give subject, quote and file name, and say whether the finding is softened."""
    text = rule(
        "invite: {phrase: fancy a drink}\nform: {phrase: your statement}\nrefused: {quoted_refusal: true}",
        more="when: invite and refused\nsoftened_by: form",
        examples="""
  hit:
    - {subject: Fancy a drink?, body: Hello, quoted: Please stop.}
    - {body: Fancy a drink after your statement?, quoted: Please stop., softened: true}
    - {body: Fancy a drink after your statement?, quoted: Please stop., softened: false}
  miss:
    - {body: Fancy a drink?, quoted: Thank you.}
    - {body: Hello, quoted: Please stop. Fancy a drink?}
    - Fancy a drink?""",
    )
    found = complaints(advance__drink=text, lists__refusals=list_file("refusals", "please stop"))
    assert [mistake.what for mistake in found] == ["this hit of advance.drink should not be softened, and is"]


def test_quoted_speech_is_a_miss():
    """A finding that only informs does not count as the rule firing."""
    text = good(
        examples='{hit: [fancy a drink, fancy a drink, fancy a drink], miss: [He wrote "fancy a drink", a, b]}'
    )
    assert complaints(advance__drink=text) == ()


def test_drafts_and_shadow_rules_are_tried():
    """A draft is tried here and nowhere else; a rule in shadow fires for its examples."""
    for status in ("draft", "shadow"):
        assert complaints(advance__drink=good().replace("status: enforce", f"status: {status}")) == ()


def test_safety_examples():
    """A safety rule comes true by making a message urgent."""
    text = rule("bail: {phrase: released on bail}", rule_id="safety.bail").replace(
        "version: 1", "version: 1\nkind: safety"
    )
    hits = (
        "{hit: [Released on bail., released on bail, He was released on bail], miss: [a, b, Bail refused.]}"
    )
    assert complaints(safety__bail=text.replace("examples: {}", f"examples: {hits}")) == ()
    wrong = "{hit: [a, released on bail, released on bail], miss: [a, b, c]}"
    assert len(complaints(safety__bail=text.replace("examples: {}", f"examples: {wrong}"))) == 1


def test_only_one_rule_is_tried():
    """Examples of a single rule are tried alone."""
    files = {"advance__drink": good(), "advance__meal": good(rule_id="advance.meal")}
    made = bundle(**files)
    outcomes = list(examples(rules_of(made), engine(drafts=True, **files), AT, only="advance.meal"))
    assert {outcome.rule for outcome in outcomes} == {"advance.meal"}
    assert len(outcomes) == 6
    assert all(outcome.ok for outcome in outcomes)


def test_shown_examples_are_valid_yaml():
    """The rule texts of these tests are what they claim: files without a YAML trap."""
    assert parse("x", good())[1] == ()
