"""The language of `when`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inspection.when import (
    AtLeast,
    Name,
    Not,
    WhenMistake,
    arranged,
    gates,
    holds,
    names,
    outlook,
    parse,
    without,
)


def truth(text, **values):
    return holds(parse(text), values.__getitem__)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a", {"a": True}, True),
        ("a and b", {"a": True, "b": False}, False),
        ("a or b", {"a": False, "b": True}, True),
        ("a or b and c", {"a": True, "b": False, "c": False}, True),
        ("(a or b) and c", {"a": True, "b": False, "c": False}, False),
        ("not a and b", {"a": False, "b": True}, True),
        ("not (a and b)", {"a": True, "b": True}, False),
        ("not not a", {"a": True}, True),
        ("2 of (a, b, c)", {"a": True, "b": False, "c": True}, True),
        ("2 of (a, b, c)", {"a": True, "b": False, "c": False}, False),
        ("any of (a, b)", {"a": False, "b": True}, True),
        ("all of (a, b)", {"a": False, "b": True}, False),
        ("2 of (a and b, c, not d)", {"a": True, "b": True, "c": False, "d": False}, True),
        ("case-anchor and x_1", {"case-anchor": True, "x_1": True}, True),
    ],
)
def test_truth(text, values, expected):
    """Not binds before and, and before or; a count counts expressions."""
    assert truth(text, **values) is expected


@pytest.mark.parametrize(
    ("text", "offset", "what"),
    [
        ("a and", 5, "expected the name"),
        ("and a", 0, "expected the name"),
        ("a b", 2, "'b' follows"),
        ("(a or b", 7, "expected ')'"),
        ("a)", 1, "')' follows"),
        ("3 of (a, b)", 0, "can never be"),
        ("0 of (a, b)", 0, "can never be"),
        ("2 (a, b)", 2, "expected 'of'"),
        ("2 of a", 5, "expected '('"),
        ("a & b", 2, "means nothing"),
        ("a and (b or )", 12, "expected the name"),
        ("", 0, "expected the name"),
        ("of", 0, "expected the name"),
        ("(" * 40 + "a" + ")" * 40, 31, "nested too deeply"),
        ("not " * 40 + "a", 120, "nested too deeply"),
    ],
)
def test_mistakes_have_their_column(text, offset, what):
    """A mistake says where in the expression it is."""
    with pytest.raises(WhenMistake) as raised:
        parse(text)
    assert raised.value.offset == offset
    assert what in raised.value.what
    assert raised.value.remedy


def test_names_know_whether_they_are_negated():
    """Every name is found with its place and with the parity of the nots above it."""
    found = [(name.name, name.offset, negated) for name, negated in names(parse("a and not (b or not c)"))]
    assert found == [("a", 0, False), ("b", 11, True), ("c", 20, False)]


expressions = st.recursive(
    st.sampled_from("abc").map(lambda name: Name(name, 0)),
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=1, max_size=3).flatmap(
            lambda operands: st.integers(1, len(operands)).map(lambda count: AtLeast(count, tuple(operands)))
        )
    ),
    max_leaves=8,
)
known = st.fixed_dictionaries({name: st.sampled_from([True, False, None]) for name in "abc"})


@given(expressions, known, st.fixed_dictionaries({name: st.booleans() for name in "abc"}))
def test_outlook_agrees_with_every_future(expression, partly, rest):
    """What is called true or false while some names are unknown stays so whatever they turn out to be."""
    outcome = outlook(expression, partly.__getitem__)
    full = {name: rest[name] if value is None else value for name, value in partly.items()}
    if outcome is not None:
        assert holds(expression, full.__getitem__) is outcome


@given(
    expressions,
    st.frozensets(st.sampled_from("abc")),
    st.fixed_dictionaries({name: st.booleans() for name in "abc"}),
)
def test_without_names_that_are_never_true(expression, never, values):
    """An expression without some names says what it says while they are false, and does not ask about them."""
    values |= dict.fromkeys(never, False)
    left = without(expression, never)
    assert holds(left, values.__getitem__) is holds(expression, values.__getitem__)
    assert never.isdisjoint(name.name for name, _ in names(left))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("a and b", "a"),
        ("b or a or c", "b"),
        ("2 of (b, a, c)", "bac"),
        ("2 of (a, c, b)", "ac"),
        ("not (a and b) or c", "a"),
    ],
)
def test_no_name_is_asked_about_once_the_truth_is_known(text, asked):
    """A name may stand for a search through the whole message: nothing is asked that cannot change the outcome."""
    for evaluate in (holds, outlook):
        seen = []
        evaluate(parse(text), lambda name, seen=seen: seen.append(name) or name == "b")
        assert "".join(seen) == asked


NUMBERS = {"a": frozenset({1, 2}), "b": frozenset({2, 3}), "c": frozenset({4}), "free": frozenset()}


def gates_of(text_or_expression):
    """Return the gates of an expression over the names of `NUMBERS`, where big numbers are met more often."""
    expression = parse(text_or_expression) if isinstance(text_or_expression, str) else text_or_expression
    return gates(expression, NUMBERS.__getitem__, sum)


@given(expressions, st.frozensets(st.integers(1, 4)))
def test_what_is_true_has_passed_every_gate(expression, met):
    """An expression is true of names met, whatever is true beside: then something was met of every gate."""
    if holds(expression, lambda name: not met.isdisjoint(NUMBERS[name])):
        assert all(not gate.isdisjoint(met) for gate in gates_of(expression))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ({1, 2},)),
        ("free", ()),
        ("not a", ()),
        ("b and a and not c", ({1, 2}, {2, 3})),
        ("a and free", ({1, 2},)),
        ("a or b", ({1, 2, 3},)),
        ("a or free", ()),
        ("a or not b", ()),
        ("(a and c) or b", ({1, 2, 3},)),
        ("2 of (a, b, c)", ({1, 2, 4},)),
        ("2 of (a, b, free)", ({1, 2, 3},)),
        ("2 of (a, free, not c)", ()),
    ],
)
def test_gates(text, expected):
    """Each gate is as rarely met as can be, and the rarest comes first."""
    assert gates_of(text) == expected


@given(expressions, st.fixed_dictionaries({name: st.booleans() for name in "abc"}))
def test_arranged_is_as_true(expression, values):
    """What is seldom true comes first, and the truth stays the same."""
    assert holds(arranged(expression, ord)[1], values.__getitem__) is holds(expression, values.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("c and b and not a", "b and c and not a"),
        ("(c and b) or a", "a or (b and c)"),
        ("c and (b or a)", "c and (a or b)"),
        ("2 of (c, a, b)", "2 of (a, b, c)"),
    ],
)
def test_arranged(text, expected):
    """Lists are sorted by how often they are true, `and` by its rarest part, `or` by all of them, not last."""

    def shape(expression):
        if isinstance(expression, Name):
            return expression.name
        if isinstance(expression, Not):
            return ("not", shape(expression.operand))
        return (expression.count, *map(shape, expression.operands))

    assert shape(arranged(parse(text), ord)[1]) == shape(parse(expected))
