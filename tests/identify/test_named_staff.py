"""Which staff a text names: addresses, and full names that only one person bears."""

import pytest
from people import BROOKS, FOX, KHAN, REGISTRY, STAFF, TEAM, WHITLOCK, member, registry_of

from gateway.identify import name_index, named_staff

NAMED = [
    ("I asked Sarah Whitlock about it.", [WHITLOCK]),
    ("i asked sarah whitlock about it", [WHITLOCK]),
    ("WHITLOCK, Sarah", [WHITLOCK]),
    ("WHITLOCK Sarah has it", [WHITLOCK]),
    ("Sarah\nWhitlock's note", [WHITLOCK]),
    ("Sarah Whitlock\u2019s note", [WHITLOCK]),
    ("DS Helen Brooks and Helen Ann Brooks", [BROOKS]),
    ("Brooks Helen Ann", [BROOKS]),
    ("Sarah told Whitlock", []),
    ("Mrs Whitlock", []),
    ("Sarah", []),
    ("Sarahwhitlock", []),
    ("Lena Fox, then Amir Khan", [FOX, KHAN]),
    ("write to Lena.Fox@Force.example.", [FOX]),
    ("<akhan.home@post.example>", [KHAN]),
    ("mailto:4417@force.example?subject=x", [KHAN]),
    ("the Robbery Squad will ring", []),
    ("robbery.squad@force.example", [TEAM]),
    ("Sarah @ Whitlock", [WHITLOCK]),
    ("", []),
    ("@", []),
]


@pytest.mark.parametrize(("text", "staff"), NAMED)
def test_whom_a_text_names(text, staff):
    """A staff address or a full name, in either order, in any case; a first name or surname alone names nobody."""
    assert set(named_staff(REGISTRY, text)) == {one.staff_id for one in staff}


def test_a_name_that_two_bear_names_neither():
    """DECISIONS 13: a unique full-name match; of two Sarah Whitlocks the text does not say which."""
    other = member("7001", "s.whitlock2@force.example", "Sarah Whitlock")
    assert named_staff(registry_of(staff=(*STAFF, other)), "ask Sarah Whitlock") == ()


def test_two_with_mirrored_names_are_told_apart_by_neither_order():
    """Since surnames may come first, James Thomas and Thomas James cannot be told apart."""
    staff = (member("1", "a@force.example", "James Thomas"), member("2", "b@force.example", "Thomas James"))
    assert named_staff(registry_of(staff=staff), "James Thomas") == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Séamus O'Brien", "Seamus O\u2019Brien said so"),
        ("Zoë Smith-Jones", "zoe smith jones"),
        ("Zoë Smith-Jones", "Zoe\u0308 Smith-Jones"),
        ("DC Amir Khan", "amir khan"),
    ],
)
def test_accents_apostrophes_hyphens_and_ranks_do_not_hide_a_name(name, text):
    """Names are compared as people type them in a hurry."""
    assert named_staff(registry_of(staff=(member("9", "x@force.example", name),)), text) == ("9",)


def test_a_single_name_is_not_a_full_name():
    """Somebody listed by one word only is found by address alone."""
    assert name_index((member("9", "x@force.example", "Madonna"),)) == {}


def test_addresses_without_end_are_looked_at_up_to_a_limit():
    """A text of nothing but @ is read in bounded time and names nobody."""
    assert named_staff(REGISTRY, "a@" * 100_000) == ()
