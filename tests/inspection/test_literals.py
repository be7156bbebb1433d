"""What an expression cannot do without: named soundly, or not at all."""

import re
from pathlib import Path

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import inspection
from gateway.inspection.literals import EDGE, Either, Every, Literals, need_of, strings_of
from gateway.inspection.shadow import fold

RULES = Path(__file__).parents[2] / "rules"


def is_met(need, text):
    """Return whether a text, in lower case, has what is needed."""
    if isinstance(need, Literals):
        return any(_stands(string, text) for string in need.strings)
    return (all if isinstance(need, Every) else any)(is_met(each, text) for each in need.needs)


def _stands(string, text):
    if string[0] == EDGE:
        return re.search(rf"\b{re.escape(string.strip(EDGE))}\b", text, re.ASCII) is not None
    return string in text


def strings(expression):
    """Return every string named for an expression, whole words as ``<word>``."""
    need = need_of(expression)
    if need is None:
        return None
    return {f"<{each[1:-1]}>" if each[0] == EDGE else each for each in strings_of(need)}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("drink", {"drink"}),
        ("Drink", {"drink"}),
        (r"\bdrink\b", {"<drink>"}),
        (r"^drink$", {"<drink>"}),
        (r"\bdrink", {"drink"}),
        (r"\bfancy a\b", {"fancy a"}),
        (r"drinks?", {"drink", "drinks"}),
        (r"(?:a|b)?", None),
        (r"x{2,3}", {"xx", "xxx"}),
        (r"(?:ab)+", {"ab"}),
        (r"(?:ab)*", None),
        (r"(?:ab){2,}", {"ab"}),
        (r"(?:a|bc){2}", {"a", "bc"}),
        (r"\d\w.\s", None),
        (r"\d pints", {" pints"}),
        (r"[a-z]+", None),
        (r"[^a]", None),
        (r"a[\]b]", {"a]", "ab", "a", "]", "b"}),
        (r"[]x]", {"]", "x"}),
        (r"[-x]", {"-", "x"}),
        (r"[x-]", {"-", "x"}),
        (r"[\d_]", None),
        (r"\.\.", {".."}),
        ("caf\u00c9", {"caf"}),
        ("\U0001f618", {"\U0001f618"}),
        ("[\U0001f618\u2764]", {"\U0001f618", "\u2764"}),
        (r"(?i)ab", {"ab"}),
        (r"(?i:ab)c", {"abc"}),
        (r"(?-i:AB)", {"ab"}),
        (r"(?P<who>ab)", {"ab"}),
        (r"(ab)", {"ab"}),
        (r"a{b", {"a{b"}),
        (r"a{,2}", {"a{,2}"}),
        (r"ab+?", {"a", "b"}),
        (r"(?:a|\d)", None),
        (r"a|", None),
        (r"ab\x41", None),
        (r"\pNab", None),
        (r"a\Bb", None),
        (r"[[:alpha:]]b", None),
        (r"\Qab\E", None),
        (r"[\pN]b", None),
        ("(" * 120 + "a" + ")" * 120, None),
        ("(?=a)", None),
        ("(a", None),
        ("a)", None),
        ("[a", None),
    ],
)
def test_what_is_named(expression, expected):
    """Literals are named in lower case, whole words as such; what is not understood names nothing."""
    assert strings(expression) == expected


def test_choices_are_named_alone_and_together():
    """Alternatives may be waited for in what they make with their neighbours, or in themselves."""
    named = strings(r"\b(?:come|go) (?:out|round) with me\b")
    assert {"<come>", "<go>", "come out with me", " with me", "<out>"} <= named


def test_a_long_product_is_cut():
    """What would be written out into too many strings is named in pieces."""
    letters = "(?:a|b|c|d|e|f|g|h|i|j)"
    named = strings(f"x{letters}{letters}{letters}y")
    assert "xaa" in named
    assert not any(len(string) == 5 for string in named)
    assert len(strings("|".join(f"{number:04}" for number in range(6000)))) == 6000


def test_alternatives_without_one_are_without_all():
    """Where one alternative may be anything, so may the whole; a piece beside it is still needed."""
    assert strings(r"(?:drink|\w+) with me") == {" with me"}
    assert isinstance(need_of(r"(?:a\d|b\d)"), Every | Either)


SHIPPED = sorted(
    {
        pattern.text
        for rule in inspection.rules_of(inspection.read((RULES,))).rules
        for condition in rule.conditions.values()
        for pattern in condition.patterns
        if pattern.kind == "regex"
    }
)


def test_nearly_all_shipped_expressions_can_be_waited_for():
    """An expression that waits for nothing is tried on every mail; a rule set must not fill up with them."""
    bare = [text for text in SHIPPED if need_of(text) is None]
    assert len(SHIPPED) > 500
    assert len(bare) <= len(SHIPPED) // 100


@settings(max_examples=300)
@given(st.sampled_from(SHIPPED).flatmap(lambda text: st.tuples(st.just(text), st.from_regex(f"(?mi){text}"))))
def test_nothing_that_matches_is_ruled_out(pair):
    """Every text that a shipped expression matches in has what the expression is said to need."""
    expression, text = pair
    text = fold(text)
    need = need_of(expression)
    if need is not None and re2.search(f"(?mi){expression}", text):
        assert is_met(need, text.lower())


def _joined(inner):
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map("".join),
        several.map("|".join).map("(?:{})".format),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "{0,2}", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    )


expressions = st.recursive(
    st.sampled_from([*"abABc .^$-\u00e9", "ab", *[r"\w", r"\b", r"[ab]", r"[a-c]", r"[^b]", r"\.", r"\s"]]),
    _joined,
    max_leaves=12,
)


@settings(max_examples=500)
@given(expressions, st.lists(st.sampled_from([*"abcAB -.\u00e9", "ab", "\n"]), max_size=15).map("".join))
def test_no_expression_rules_out_what_it_matches(expression, text):
    """Whatever the expression: where RE2 finds it, in any sentence, its need is met."""
    need = need_of(expression)
    if need is not None and re2.search(f"(?mi)(?:{expression})", text):
        assert is_met(need, text.lower())


@given(st.text("ab|()[]{}?*+\\\\^$.,-:P<>123", max_size=25))
def test_any_text_is_read_or_given_up(text):
    """Whatever stands there, nothing is raised, and what RE2 takes is read soundly."""
    need = need_of(text)
    try:
        compiled = re2.compile(f"(?mi)(?:{text})")
    except re2.error:
        return
    for sample in ("ab", "a", "b1", "a|b", "x", "3-2", "", "a{1,b}"):
        if need is not None and compiled.search(sample):
            assert is_met(need, sample)
