"""Words in disguise: what a person makes out, what stays what it is, and where it was written."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inspection.lookalikes import latin
from gateway.inspection.shadow import fold, shadow_of, undisguised


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("fancy a d r i n k later", "fancy a drink later"),
        ("f a n c y  a  d r i n k", "fancy a drink"),
        ("f a n c y a d r i n k", "fancy a drink"),
        ("F.a.n.c.y a d-r-i-n-k", "Fancy a drink"),
        ("d|r|i|n|k d/r/i/n/k d_r_i_n_k", "drink drink drink"),
        ("f\na\nn\nc\ny\n\na\n\nd\nr\ni\nn\nk", "fancy a drink"),
        ("a dr1nk or c0ffee, k!ss, $exy, l0ve", "a drink or coffee, kiss, sexy, love"),
        ("cooooffee", "coffee"),
        ("fancyadrinkafterwork", "fancy a drink after work"),
        ("Fancy.a.drink", "Fancy a drink"),
        ("#FancyADrink", "#Fancy A Drink"),
        ("fa ncy a dr ink", "fancy a drink"),
        ("a dri-\nnk with me", "a drink with me"),
        ("a dri\nnk with me", "a drink with me"),
        ("dr*nk", "drink"),
        ("snapl n qevax", "fancy a drink"),
        ("ZmFuY3kgYSBkcmluayBhZnRlciB3b3Jr", "fancy a drink after work"),
        ("&#100;&#114;&#105;&#110;&#107;", "drink"),
        ("%64%72%69%6E%6B", "drink"),
        ("\u029eu\u1d09\u0279p \u0250 \u028e\u0254u\u0250\u025f", "fancy a drink"),
        ("fancy a \u202eknird\u202c later", "fancy a drink later"),
        ("\U0001f1e9\U0001f1f7\U0001f1ee\U0001f1f3\U0001f1f0 with me", "drink with me"),
        ("d\u2800r\u2800i\u2800n\u2800k", "drink"),
        ("\u0501 \u0433 \u0456 n k", "drink"),
    ],
)
def test_what_a_person_reads(written, read):
    """The second reading says what a person makes out."""
    second = undisguised(shadow_of(written))
    assert second is not None
    assert second.text == read


def test_backwards_is_read_both_ways():
    """Words spelt backwards may stand in either order, and both are read."""
    second = undisguised(shadow_of("knird a ycnaf"))
    assert second is not None
    assert second.text.split("\n") == ["drink a fancy ...", "fancy a drink"]


@pytest.mark.parametrize(
    "written",
    [
        "Exhibit X, exhibit JL/2, exhibits A, B and C", "S P Jones and J. R. R. Patel", "A 1 2 3", "U R N 42A1234526", "P C 1 2 3 4 5",
        "PC 4417 Khan", "C P S and V P S", "AB12 CDE", "L0 7VE", "B1 2CD", "M25, A1(M) and B4077", "CR/10231/26", "42/10231/26",
        "07700 900123 or 07700 900 123", "ring 101, or 999", "10.30am, 5pm, 9 a.m. on 1st, 2nd and 5th May", "e.g. this, i.e. that, etc.",
        "e-mail me at amir.khan@force.example", "https://www.force.example/fancy-a-drink", "x-ray, t-shirt, co-operate, re-arrange",
        "MG11, MG3, ABE, SARC", "2 x phones", "https://force.example/a_b_c", "Kowalczyk, O'Brien, MacDonald, Rhys ap Gwilym",
        "well-known, long-term", "and/or", "they're, don't, I'd", "\u00a350 and \u20ac20", "#12345", "Llanfairpwllgwyngyll",
        "a.m.", "(a) first (b) second (c) third", "a) one\nb) two\nc) three", "GB\u00a012\u00a0ABCD", "3D, 4G, G4S", "=======", "......",
    ],
)  # fmt: skip
def test_what_stays_what_it_is(written):
    """References, initials, numbers, addresses and times make no words."""
    assert undisguised(shadow_of(written)) is None


@pytest.mark.parametrize(
    ("written", "found", "run"),
    [
        ("Hello, my d r i n k now", "drink", "d r i n k"),
        ("Hello, a dr1nk now", "drink", "dr1nk"),
        ("Hello, a dri\nnk now", "drink", "dri\nnk"),
        ("Hello, a \u202eknird\u202c now", "drink", "\u202eknird\u202c"),
    ],
)
def test_the_way_back(written, found, run):
    """A place in the second reading leads to what was written."""
    second = undisguised(shadow_of(written))
    assert second is not None
    start = second.text.index(found)
    begin, end = second.origin(start, start + len(found))
    assert written[begin:end] == run


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("\u0501\u0433\u0456nk", "drink"),
        ("\u0421offee", "Coffee"),
        ("\u0391\u039c\u0391\u0396\u0399\u039dG", "AMAZING"),
        ("\ua730\u1d00\u0274\u1d04\u028f", "fancy"),
        ("\U0001f173\U0001f181\U0001f178\U0001f17d\U0001f17a", "DRINK"),
        ("dr\u3164ink", "dr ink"),
        ("dr\u115fink", "drink"),
        ("d\U000e0061rink", "drink"),
        ("\u20ac50 \u00a350 \u00a9", "\u20ac50 \u00a350 \u00a9"),
        ("\u00e6on stra\u00dfe", "aeon strasse"),
    ],
)
def test_look_alikes(written, folded):
    """A letter is folded to the one it looks like; signs that are no letters stay."""
    assert fold(written) == folded


def test_ascii_is_no_look_alike():
    """The table turns no ASCII character into another."""
    assert not any(latin(chr(point)) for point in range(128))


@given(st.text(alphabet="ab \n.dr1nk@-\u202e\u202c\u0430\U0001f1e6\u0250", max_size=60))
def test_every_place_leads_back(text):
    """Whatever was written, each character of the second reading comes from inside the text."""
    second = undisguised(shadow_of(text))
    for at in range(len(second.text) if second is not None else 0):
        if second.text[at] != "\n":
            begin, end = second.origin(at, at + 1)
            assert 0 <= begin < end <= len(text)


CHILD = """
import resource, sys
from gateway import inspection
from gateway.inspection.shadow import shadow_of, undisguised
inspection.warm_up(language=False)
undisguised(shadow_of("zqxv dr1nk"))
used = resource.getrusage(resource.RUSAGE_SELF)
most = int(used.ru_utime + used.ru_stime) + 6
resource.setrlimit(resource.RLIMIT_CPU, (most, most))
undisguised(shadow_of(eval(sys.stdin.read())))
"""


@pytest.mark.parametrize(
    "text",
    [
        '"a b " * 250_000', '"a." * 500_000', '"dr1nk " * 160_000', '"zqxv " * 200_000', '"z" * 1_000_000',
        '("fancyadrink" * 36 + " ") * 2_500', '"knird ycnaf " * 80_000', '"\\u202ea" * 300_000', '"\\u0250 " * 200_000',
        '" ".join("".join(chr(97 + (n >> s) % 26) for s in (0, 3, 6, 9, 12, 15, 18)) for n in range(120_000))',
    ],
)  # fmt: skip
def test_bound(text):
    """A megabyte of disguises is read in 5 s of processor time, in a process that has its tables."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=text.encode(), capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
