"""The traps of YAML: each is refused with its place and a remedy, and nothing is silently read otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inspection.nodes import MAX_DEPTH, key_place, parse


def mistakes(text):
    return parse("rules/a/b.yaml", text)[1]


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("a: no\n", 1, 4, "no without quotes"),
        ("a: [x, Off]\n", 1, 8, "Off without quotes"),
        ("on: 1\n", 1, 1, "on without quotes"),
        ("a:\n  y: 1\n", 2, 3, "y without quotes"),
        ("a: 1:30\n", 1, 4, "base 60"),
        ("a: 010\n", 1, 4, "octal"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "a second time (first on line 1)"),
        ("a: {b: 1, b: 2}\n", 1, 11, "a second time"),
        ("a: &x [1]\nb: *x\n", 1, 4, "anchor or alias"),
        ("a: !!python/object:os.system x\n", 1, 4, "the tag"),
        ("a: !mine x\n", 1, 4, "the tag"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        ("[a]: 1\n", 1, 1, "a key that is not a word"),
        ("a: x\u200by\n", 1, 5, "U+200B"),
        ("a: 1\nb: x\u202ey\n", 2, 5, "U+202E"),
        ("a: \x07\n", 1, 4, "U+0007"),
        ("a: 'x\n", None, None, "not YAML"),
        ("a: [1\nb: 2\n", None, None, "not YAML"),
        ("a:\n\tb: 1\n", 2, 1, "not YAML"),
        ("", 1, 1, "empty"),
        ("# only a comment\n", 1, 1, "empty"),
        ("a: " + "[" * (MAX_DEPTH + 5) + "]" * (MAX_DEPTH + 5), 1, 3 + MAX_DEPTH, "nested deeper"),
    ],
)
def test_trap(text, line, column, what):
    """Each trap is named at its line and column, with what to do about it."""
    found = mistakes(text)
    assert found
    first = found[0]
    assert what in first.what
    assert first.remedy
    if line is not None:
        assert (first.line, first.column) == (line, column)


def test_tab_has_its_own_remedy():
    """A tab is the commonest trap, and its remedy says so."""
    assert "never tabs" in mistakes("a:\n\tb: 1\n")[0].remedy


def test_merge_key_is_refused():
    """A merge key needs an alias, and both are refused."""
    assert any("anchor" in mistake.what for mistake in mistakes("a: &x {b: 1}\nc:\n  <<: *x\n"))


@pytest.mark.parametrize(
    "text",
    ['a: "no"\n', "a: 'on'\n", 'a: "1:30"\n', "a: true\n", "a: 10\n", "a: 2027-06-30\n", "a: nobody\n"],
)
def test_honest_values_pass(text):
    """What is quoted, or means what it says, is let through."""
    assert mistakes(text) == ()


def test_emoji_sequences_pass():
    """The joiners inside an emoji are part of it; a list of emoji may hold them."""
    assert mistakes('a: "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f468"\n') == ()


def test_all_mistakes_in_one_run():
    """Two traps in one file are both named."""
    assert len(mistakes("a: no\nb: 1:30\n")) == 2


def test_places():
    """A path leads to the line and column of its value; labels that are no keys are passed over."""
    document, _ = parse("x", "match:\n  invite:\n    phrase: [one, two]\nend: 1\n")
    assert document is not None
    assert document.place(("match", "invite", "phrase-label", "phrase", 1)) == (3, 19)
    assert document.place(("match", "missing")) == (1, 1)
    assert document.place(("end",)) == (4, 6)
    assert key_place(document, ("match", "invite", "phrase")) == (3, 5)
    assert key_place(document, ("match", "invite", "nothing")) == (2, 3)
    assert key_place(document, ("match", "label", "invite", "phrase", 1, "x")) == (3, 19)


@given(st.text(st.sampled_from("ab:-[]{}&*!#'\"\n\t ,1|>%@?"), max_size=80))
def test_any_text_is_read_or_refused(text):
    """Whatever the text, there is a document or a mistake, never an exception and never neither."""
    document, found = parse("x", text)
    assert (document is None) == bool(found)
