"""What is wrong with a rule set: every mistake, at its place, in one run."""

import pytest
from rule_texts import POLICY, bundle, complaints, judge, list_file, rule

from gateway.errors import Mistakes
from gateway.inspection import check, load, policy_of
from gateway.inspection.bundle import Bundle, BundleFile

PHRASE = "invite: {phrase: fancy a drink}"


def only(found):
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def test_a_good_set_has_no_mistakes():
    """A rule with what it needs loads."""
    assert complaints(advance__drink=rule(PHRASE)) == ()


@pytest.mark.parametrize(
    ("match", "more", "what", "remedy"),
    [
        ("invite: {phrases: fancy a drink}", "", "needs exactly one of", ""),
        ("invite: {phrase: a, regex: b}", "", "needs exactly one of", ""),
        ("invite: {phrase: fancy, buy: lemma}", "", "unknown key 'buy'", "did you mean 'by'?"),
        ("invite: {phrase: fancy, by: lema}", "", "'lema' is given", "'lemma' or 'form'"),
        ("invite: {phrase: []}", "", "match.invite", ""),
        ("invite: {phrase: ' '}", "", "a phrase without words", ""),
        ("invite: {regex: '(?=a)b'}", "", "RE2 does not take it", "no look-around"),
        (r"invite: {regex: '(a)\1'}", "", "RE2 does not take it", "no back-references"),
        ("invite: {regex: '(a'}", "", "RE2 does not take it", ""),
        ("invite: {regex: 'a*'}", "", "matches the empty text", ""),
        (r"invite: {regex: '\Aa'}", "", r"\A or \z", "use ^ and $"),
        ("invite: {regex: 'well\u2026'}", "", "stands as '...'", ""),
        ("invite: {regex: '(?:[a-z]{1,200}x){4,900}'}", "", "RE2", ""),
        ("invite: {list: drinks}", "", "there is no list 'drinks'", "lists/drinks.yaml"),
        ("invite: {cue: invitations}", "", "there is no cue", "did you mean 'invitation'?"),
        ("invite: {quoted_refusal: true}", "", "needs the list 'refusals'", "lists/refusals.yaml"),
        (PHRASE, "when: invit", "'invit' is no condition", "did you mean 'invite'?"),
        (PHRASE, "when: invite and", "expected the name", "name one"),
        (PHRASE, "when: not invite", "asks only what must not be", ""),
        (PHRASE + "\nother: {phrase: b}", "when: invite", "'other' is never used", ""),
        (PHRASE, "softened_by: form", "'form' is no condition", ""),
        (
            "invite: {sent_outside: '06:00-22:00'}",
            "",
            "'sent_outside' stands alone",
            "{conduct: {sent_outside",
        ),
        ("late: {conduct: {}}", "", "late.conduct", "ask for something"),
        ("late: {conduct: {sent_outside: nightly}}", "", "late.conduct", "two times"),
        ("late: {conduct: {sent_outside: '22:00-06:00'}}", "", "late.conduct", "the first time"),
        (
            "late: {conduct: {unanswered: {more_than: 3, within: 3 weeks}}}",
            "",
            "late.conduct",
            "a number and m, h or d",
        ),
        ("late: {conduct: {asigned: false}}", "", "unknown key 'asigned'", "did you mean 'assigned'?"),
        ("late: {conduct: {case: shut}}", "", "late.conduct", "'open' or 'closed'"),
        ("invite: {regex: '\\pL{100}'}", "", "too large for RE2", "shorten"),
        ("invite: {within: sentence}", "", "needs exactly one of", "give one of them"),
        ("invite: fancy a drink", "", "needs exactly one of", "give one of them"),
        (PHRASE, "colour: red", "unknown key 'colour'", "known keys"),
        (PHRASE, "conduct: {case: closed}", "stands in the wrong place", "it is a condition"),
        (PHRASE, "of: [advance]", "has no 'of'", "kind: pattern"),
        (PHRASE, "phrase: a", "'phrase' stands in the wrong place", ""),
        (
            PHRASE,
            "exceptions: [{name: a, owner: b, reason: c, expires: 2027-01-01}]",
            "a phrase or a regex",
            "",
        ),
        (
            PHRASE,
            "exceptions: [{name: a, phrase: x, reason: c, expires: 2027-01-01}]",
            "'owner' is missing",
            "",
        ),
        (PHRASE, "exceptions: [{name: a, phrase: x, owner: b, reason: c}]", "'expires' is missing", ""),
        (PHRASE, "scope: {contact_role: [victims]}", "'victims' is given", "'victim'"),
        (PHRASE, "scope: {part: [attachement]}", "'attachement' is given", "'attachment'"),
    ],
)
def test_rule_mistake(match, more, what, remedy):
    """One mistake in a rule gives one complaint, with place, what and remedy."""
    found = complaints(advance__drink=rule(match, more=more))
    mistake = found[0]
    assert what in mistake.what, "\n".join(map(str, found))
    assert remedy in mistake.remedy
    assert mistake.file == "rules/advance/drink.yaml"
    assert mistake.line is not None
    assert mistake.column is not None


def test_column_inside_when():
    """A mistake in `when` points at the word in it."""
    text = rule(PHRASE, more="when: invite and invit")
    mistake = only(complaints(advance__drink=text))
    line = text.split("\n")[mistake.line - 1]
    assert line[mistake.column - 1 :].startswith("invit")
    assert line[: mistake.column - 1].endswith("and ")


def test_place_of_a_pattern_in_a_list():
    """The third pattern of a list is named by its own line and column."""
    text = rule("invite:\n  regex:\n    - 'a'\n    - 'b'\n    - '(c'")
    mistake = only(complaints(advance__drink=text))
    assert text.split("\n")[mistake.line - 1][mistake.column - 1 :].startswith("'(c'")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("status: enforce", "status: enforced", "'enforced' is given"),
        ("severity: high", "severity: higher", "'higher' is given"),
        ("points: 4", "points: 40", "40 is given"),
        ("points: 4", "points: '4'", "'4' is given"),
        ("points: 4\n", "", "severity or points are missing"),
        ("version: 1", "version: 0", "0 is given"),
        ("title: Asks out\n", "", "'title' is missing"),
        ("id: advance.drink", "id: advance.dinner", "does not say where the file is"),
        ("id: advance.drink", "id: Advance", "'Advance' is given"),
        ("for_reviewer:", "for_reviwer:", "unknown key 'for_reviwer'"),
    ],
)
def test_field_mistake(old, new, what):
    """A wrong field is named with the value that was given."""
    text = rule(PHRASE)
    assert old in text
    found = complaints(advance__drink=text.replace(old, new))
    assert any(what in mistake.what for mistake in found), "\n".join(map(str, found))


def test_mistakes_of_all_files_at_once():
    """Three files with a mistake each give three complaints in one run."""
    found = complaints(
        advance__drink=rule("invite: {regex: '('}"),
        advance__meal=rule("invite: {phrase: x}", rule_id="advance.meal", more="when: y"),
        lists__odd="list: odd\nowner: a\nreason: b\n",
    )
    assert {mistake.file for mistake in found} == {
        "rules/advance/drink.yaml",
        "rules/advance/meal.yaml",
        "rules/lists/odd.yaml",
    }


def test_broken_list_is_complained_of_once():
    """A rule that uses a list with a mistake is not told that the list is missing."""
    found = complaints(advance__drink=rule("invite: {list: odd}"), lists__odd="list: odd\nowner: a\n")
    assert {mistake.file for mistake in found} == {"rules/lists/odd.yaml"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("list: other\nowner: a\nreason: b\nphrases: [x]\n", "the list is called 'other' in odd.yaml"),
        ("list: odd\nowner: a\nreason: b\n", "the list is empty"),
        ("list: odd\nowner: a\nreason: b\nphrase: [x]\n", "unknown key 'phrase'"),
        ("list: odd\nowner: a\nreason: b\nregexes: ['(']\n", "RE2 does not take it"),
        ("list: odd\nreason: b\nphrases: [x]\n", "'owner' is missing"),
    ],
)
def test_list_mistake(text, what):
    """A list has an owner, a reason, its file's name, and patterns that compile."""
    found = complaints(advance__drink=rule(PHRASE), lists__odd=text)
    assert any(what in mistake.what for mistake in found), "\n".join(map(str, found))


def test_case_anchor_may_not_silence():
    """A list that only softens may not stand under `not` (DECISIONS 15), also not inside a group."""
    anchors = list_file("anchors", "your statement", "softens_only: true\n")
    match = PHRASE + "\nform: {list: anchors}"
    wrong = complaints(advance__drink=rule(match, more="when: invite and not (form)"), lists__anchors=anchors)
    assert "only softens" in only(wrong).what
    right = rule(match, more="when: invite\nsoftened_by: form")
    assert complaints(advance__drink=right, lists__anchors=anchors) == ()


def test_refusal_alone_is_no_rule():
    """A rule must ask for something in the officer's own words, not only for a refusal in the thread."""
    refusals = list_file("refusals", "please stop")
    found = complaints(advance__drink=rule("refused: {quoted_refusal: true}"), lists__refusals=refusals)
    assert "nothing in the officer's own words" in only(found).what


def test_category_without_policy():
    """A rule of a category that policy does not name is refused: nobody would know what it does."""
    found = complaints(flattery__eyes=rule(PHRASE, rule_id="flattery.eyes"))
    assert "policy says nothing about the category 'flattery'" in only(found).what


def test_duplicate_id_in_one_folder():
    """Two files cannot carry one id: the second is in the wrong place, and the id is taken."""
    found = complaints(advance__drink=rule(PHRASE), advance__meal=rule(PHRASE))
    assert any("stands in rules/advance/drink.yaml too" in mistake.what for mistake in found)


def test_retired_id_is_never_used_again():
    """An id under retired/ is spent."""
    found = complaints(advance__drink=rule(PHRASE), retired__old="id: advance.drink\nreason: too many\n")
    assert "is retired" in only(found).what


PATTERN = """\
id: patterns.twice
version: 1
kind: pattern
status: enforce
title: Twice
why: The same again.
guidance: Invented
severity: high
points: 2
of: [advance]
at_least: 2
within: 365d
false_positives: [A rule that errs]
blind_spots: [Telephone]
for_reviewer: Read both.
examples: {}
"""
POLICY_OF_PATTERNS = POLICY.replace(
    "\ncategories:", "\ncategories:\n  patterns: {hold_from: never, psd: true}"
)


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        (("of: [advance]\n", ""), "the key 'of' is missing", "write `of:`"),
        (("within: 365d\n", ""), "the key 'within' is missing", "write `within:`"),
        (("of: [advance]", "of: [advence]"), "no rule and no category 'advence'", "did you mean 'advance'?"),
        (("of: [advance]", "of: [patterns.twice]"), "is itself a pattern", "what it is made of"),
        (("of: [advance]", "of: [advance]\nwhen: a"), "of kind pattern has no 'when'", "take it out"),
        (("kind: pattern", "kind: content"), "of kind content", "stand in patterns/"),
        (("at_least: 2", "at_least: 1"), "greater than or equal to 2", ""),
    ],
)
def test_pattern_mistake(change, what, remedy):
    """Every way to write a rule over findings wrongly is told with what to do, and only once."""
    files = {"advance__drink": rule(PHRASE), "patterns__twice": PATTERN.replace(*change)}
    mistake = only(complaints(policy=POLICY_OF_PATTERNS, **files))
    assert what in mistake.what + mistake.remedy
    assert remedy in mistake.remedy
    assert mistake.file == "rules/patterns/twice.yaml"
    assert complaints(policy=POLICY_OF_PATTERNS, **(files | {"patterns__twice": PATTERN})) == ()


def test_a_pattern_stands_in_patterns():
    """A rule of kind pattern is refused in any other folder."""
    text = rule(PHRASE).replace("status: enforce", "status: enforce\nkind: pattern")
    assert "stand in patterns/" in only(complaints(advance__drink=text)).remedy


def test_weights_are_rules_that_exist():
    """A weight that names no rule is a mistake of policy, with the name that was meant."""
    policy = f"{POLICY}weights: [advance.drinks]\n"
    mistake = only(complaints(policy=policy, advance__drink=rule(PHRASE)))
    assert (mistake.what, mistake.remedy) == (
        "there is no rule 'advance.drinks'",
        "did you mean 'advance.drink'?",
    )
    assert complaints(policy=policy.replace("drinks", "drink"), advance__drink=rule(PHRASE)) == ()


@pytest.mark.parametrize("zone", ["Europe/Londn", "../etc"])
def test_policy_names_a_zone_that_exists(zone):
    """Hours are counted in a zone; one that is not there is a mistake."""
    assert "there is no such time zone" in only(complaints(policy=f"{POLICY}timezone: {zone}\n")).remedy


def test_safety_rules_stand_in_safety():
    """Kind and folder agree."""
    text = rule(PHRASE, rule_id="safety.bail")
    assert "a rule of kind content" in only(complaints(safety__bail=text)).what


def test_misplaced_file():
    """A rule beside policy.yaml, or two folders deep, is in the wrong place."""
    for name in ("drink", "advance__deep__drink"):
        assert "in the wrong place" in only(complaints(**{name: rule(PHRASE)})).what


def test_not_a_mapping():
    """A file that is a list of things is not a rule."""
    assert "not a mapping" in only(complaints(advance__drink="- a\n- b\n")).what


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("flag_at: 2", "flag_at: 0", "0 is given"),
        ("hold_at: 10", "hold_at: 1", "hold_at is below flag_at"),
        ("encrypted: hold,", "", "says nothing about encrypted"),
        ("encrypted: hold", "encrypted: pass", "'pass' is given"),
        ("hold_from: high", "hold_from: often", "'often' is given"),
        ("two_categories: hold", "to_categories: hold", "unknown key 'to_categories'"),
        ("closed_case_days: 14\n", "", "'closed_case_days' is missing"),
        ("closed_case_days: 14", "closed_case_days: 14\nalso_hold: [somebody]", "'somebody' is no address"),
    ],
)
def test_policy_mistake(old, new, what):
    """policy.yaml is checked like a rule; a reason for unreadable parts may not be forgotten or passed."""
    assert old in POLICY
    wrong = bundle(policy=POLICY.replace(old, new), advance__drink=rule(PHRASE))
    assert any(what in mistake.what for mistake in check(wrong)), "\n".join(map(str, check(wrong)))
    with pytest.raises(Mistakes):
        policy_of(wrong)


def test_no_policy():
    """Rules without policy.yaml are no set: nothing would act."""
    assert "there is no policy" in only(check(bundle(policy="", advance__drink=rule(PHRASE)))).what


def test_load_raises_every_mistake():
    """`load` refuses what `check` complains of."""
    wrong = bundle(advance__drink=rule("invite: {regex: '('}"))
    with pytest.raises(Mistakes) as raised:
        load(wrong, language=False)
    assert raised.value.mistakes == check(wrong)


def test_policy_alone_is_cheap_and_does_not_read_rules():
    """A set whose rules are wrong still has a policy, with the hash of the set."""
    wrong = bundle(advance__drink="not: [a rule")
    policy = policy_of(wrong)
    assert policy.flag_at == 2
    assert policy.rules_hash == wrong.hash


def test_a_later_folder_overrides_by_id():
    """A force's own folder replaces a rule, a list and the policy, and that is no duplicate."""
    own = rule("invite: {phrase: grab a pint}")
    both = Bundle(
        folders=("rules", "force"),
        files=(
            BundleFile(0, "policy.yaml", POLICY),
            BundleFile(0, "advance/drink.yaml", rule(PHRASE)),
            BundleFile(1, "policy.yaml", POLICY.replace("flag_at: 2", "flag_at: 3")),
            BundleFile(1, "advance/drink.yaml", own),
        ),
    )
    assert check(both) == ()
    assert policy_of(both).flag_at == 3
    engine = load(both, language=False)
    assert judge(engine, "Grab a pint?").findings
    assert not judge(engine, "Fancy a drink?").findings
