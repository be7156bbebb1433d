"""Each condition of each shipped rule is there for a reason that an example gives: take it away, and one fails."""

from functools import cache

import pytest
from mutation import RULES, Examiner, accepted, mutants
from small_sets import drink, lunch, rule, write

from gateway import inspection

SAMPLE = 10
"""In the quick half of the tests every tenth mutant is tried; all of them in the slow half, and by `make mutants`."""


@cache
def shipped():
    """Return the shipped rules with an examiner, and every mutant of theirs."""
    bundle = inspection.read((RULES,))
    rules = inspection.rules_of(bundle)
    return Examiner(rules, bundle.hash), tuple(mutant for rule in rules.rules for mutant in mutants(rule))


def unnoticed(examiner, chosen):
    """Return the keys of the mutants that no example notices."""
    return {mutant.key for mutant in chosen if not examiner.notices(mutant)}


def test_a_tenth_of_the_mutants_is_noticed():
    """What no example notices stands in survivors.yaml, as far as a tenth of all mutants shows."""
    examiner, everything = shipped()
    assert unnoticed(examiner, everything[::SAMPLE]) <= accepted().keys()


@pytest.mark.slow
def test_every_mutant_is_noticed_or_accepted():
    """Of all mutants those survive that survivors.yaml accepts, and they all do: the list hides nothing."""
    examiner, everything = shipped()
    assert unnoticed(examiner, everything) == accepted().keys()


def test_each_survivor_has_a_reason():
    """An accepted survivor says why no example can notice it."""
    assert all(len(reason.split()) >= 3 for reason in accepted().values())


@pytest.mark.parametrize(
    ("text", "survives"),
    [
        # Nothing in the examples of lunch tells `meal` from `meal or snack`.
        (lunch().replace("meal:", "snack: {phrase: eat crisps}\n  meal:"), {("delete", "snack"), ("invert", "snack")}),
        # A miss holds the word under `not`: both ways of breaking it are seen.
        (
            lunch()
            .replace("meal:", "late: {phrase: in the canteen}\n  meal:")
            .replace("examples:", "when: meal and not late\nexamples:")
            .replace("  miss: [", '  miss: ["We have lunch in the canteen.", '),
            set(),
        ),
        # Nobody says which of the hits is softened.
        (
            drink()
            .replace("invite:", "form: {phrase: your statement}\n  invite:")
            .replace("examples:", "softened_by: form\nexamples:"),
            {("delete softener", "form"), ("invert softener", "form")},
        ),
    ],
)  # fmt: skip
def test_survivors_are_found(tmp_path, text, survives):
    """A condition that no example is about survives; one that an example is about does not."""
    name = "advance__drink" if "advance.drink" in text else "warmth__lunch"
    bundle = inspection.read((write(tmp_path, **{name: text}),))
    rules = inspection.rules_of(bundle)
    examiner = Examiner(rules, bundle.hash, language=False)
    (made,) = rules.rules
    assert {key[1:] for key in unnoticed(examiner, mutants(made))} == survives


def test_an_exception_is_a_condition(tmp_path):
    """An exception that no example needs survives its deletion."""
    excepted = drink(
        exceptions='[{name: cafe, phrase: "fancy a drink cafe", owner: WCU, reason: a place, expires: 2027-06-30}]'
    )
    bundle = inspection.read((write(tmp_path, advance__drink=excepted),))
    rules = inspection.rules_of(bundle)
    examiner = Examiner(rules, bundle.hash, language=False)
    assert unnoticed(examiner, mutants(rules.rules[0])) == {("advance.drink", "delete exception", "cafe")}


def test_patterns_are_broken_too(tmp_path):
    """A rule over findings is tried with another count, another span and another unit, beside the rules that it counts."""
    pattern = rule("patterns.again", "x: y", "", kind="pattern", severity="medium").partition("match:")[0] + (
        "of: advance.drink\nat_least: 2\nwithin: 30d\nexamples:\n"
        "  hit: [{body: Fancy a drink?, conduct: {found: [{of: advance.drink, ago: 3d, contact: other}]}}]\n"
        "  miss: [{body: Fancy a drink?, conduct: {found: [{of: advance.drink, ago: 31d, contact: other}]}}]\n"
    )
    policy = write(tmp_path) / "policy.yaml"
    policy.write_text(policy.read_text().replace("  advance:", "  patterns: {hold_from: never}\n  advance:"))
    bundle = inspection.read(
        (write(tmp_path, policy=policy.read_text(), advance__drink=drink(), patterns__again=pattern),)
    )
    rules = inspection.rules_of(bundle)
    made = next(each for each in rules.rules if each.is_pattern)
    found = unnoticed(Examiner(rules, bundle.hash, language=False), mutants(made))
    assert {key[1:] for key in found} == {("distinct", "message")}
