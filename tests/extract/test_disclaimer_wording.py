"""Disclaimers: common ones in both languages, the force's own by its list, and what hides behind neither."""

from pathlib import Path

import pytest

from gateway import inspection
from gateway.errors import Mistakes
from gateway.extract import extract
from gateway.model import CutReason, HouseStyle, Limits

RULES = Path(__file__).resolve().parents[2] / "rules"
OWN = "Report anything odd about the gate to the duty desk; the gate is oiled at noon."
STYLE = HouseStyle(
    disclaimers=(OWN, "Ask at the desk.", "The heron is our badge and stands for patience in all its forms.")
)


def parts(body, style=STYLE):
    authored = extract(f"Subject: a\n\n{body}".encode(), Limits(), style)
    own = " ".join(" ".join(p.text for p in authored.passages if p.part == "body").split())
    assert {cut.reason for cut in authored.cuts} <= {CutReason.DISCLAIMER}
    return own, " ".join(" ".join(cut.text for cut in authored.cuts).split())


def test_own_disclaimer_is_cut():
    """A sentence of the force's own list is set aside, though no word of it is of disclaimer language."""
    assert parts(f"The trial is on Monday.\n\n{OWN}") == ("The trial is on Monday.", OWN)


def test_own_disclaimer_needs_the_list():
    """Without the list the same sentence is the sender's."""
    assert parts(f"The trial is on Monday.\n\n{OWN}", HouseStyle()) == (f"The trial is on Monday. {OWN}", "")


def test_own_disclaimer_is_found_as_it_is_wrapped():
    """Line breaks, case and marks do not matter; words do."""
    wrapped = "** REPORT anything odd about the gate\nto the duty desk; the gate is\noiled at noon."
    assert parts(f"Yes.\n\n{wrapped}") == ("Yes.", wrapped.replace("\n", " "))


@pytest.mark.parametrize(
    "words",
    [
        "Report anything odd about the gate to me, I finish at ten.",
        "Ask at the desk.",
        "The heron is our badge and you are my heron.",
    ],
)
def test_words_like_the_own_disclaimer_stay(words):
    """A sentence that only begins like a listed one, and a short one alone, are the sender's."""
    assert parts(f"Yes.\n\n{words}") == (f"Yes. {words}", "")


def test_words_behind_the_own_disclaimer_stay():
    """What follows a listed sentence is read again from its first word, and a short listed one inside is cut."""
    assert parts(f"Yes.\n\n{OWN} Ask at the desk. You looked lovely.") == (
        "Yes. You looked lovely.",
        f"{OWN} Ask at the desk.",
    )


WELSH = [
    "Mae'r e-bost hwn ac unrhyw atodiadau yn gyfrinachol ac wedi'u bwriadu ar gyfer y sawl y cyfeirir ef ato yn unig.",
    "Os nad chi yw'r derbynnydd bwriadedig, rhowch wybod i'r anfonwr ar unwaith a dilëwch y neges.",
    "Gall y neges hon gael ei monitro a'i chofnodi gan yr Heddlu.",
    "Barn yr awdur yw'r farn a fynegir yn y neges hon ac nid barn yr Heddlu o reidrwydd.",
    "Ystyriwch yr amgylchedd cyn argraffu'r e-bost hwn.",
]


@pytest.mark.parametrize("words", WELSH)
def test_welsh_disclaimers_are_cut(words):
    """What forces in Wales put under every mail is set aside in Welsh too."""
    assert parts(f"Diolch.\n\n{words}", HouseStyle()) == ("Diolch.", words)


@pytest.mark.parametrize(
    "words",
    [
        "Mae'r neges hon yn gyfrinachol, cariad, ac rwy'n meddwl amdanat ti bob dydd.",
        "Mae'r e-bost hwn yn brydferth fel ti.",
        "Gall y neges hon fod yn gyfrinachol, ffonia fi heno.",
    ],
)
def test_welsh_words_like_a_disclaimer_stay(words):
    """An advance in Welsh that begins like a disclaimer is the sender's."""
    own, _ = parts(f"Diolch.\n\n{words}", HouseStyle())
    assert own == f"Diolch. {words}"


def test_bilingual_disclaimer_is_cut_whole():
    """English and Welsh stand under one another, with lines of stars between; a P.S. below is the sender's."""
    body = (
        "See you in court.\n\n*****\nThis email is confidential and intended for the addressee only.\n"
        f"{WELSH[0]}\n*****\n\nPS bring the blue one."
    )
    own, cut = parts(body, HouseStyle())
    assert " ".join(own.replace("*", "").split()) == "See you in court. PS bring the blue one."
    assert WELSH[0] in cut


def bundle(*texts):
    files = [inspection.BundleFile(0, "policy.yaml", (RULES / "policy.yaml").read_text(encoding="utf-8"))]
    files += [
        inspection.BundleFile(layer, "lists/disclaimers.yaml", text) for layer, text in enumerate(texts)
    ]
    return inspection.Bundle(folders=("rules", "force"), files=tuple(files))


LIST = "list: disclaimers\nowner: us\nreason: ours\nphrases:\n"


def test_list_is_the_style():
    """The list of the last folder is the force's; it is part of the rule set's hash."""
    ours, theirs = bundle(f"{LIST}  - {OWN}\n"), bundle(f"{LIST}  - {OWN}\n", f"{LIST}  - Ask.\n")
    assert inspection.house_style_of(ours) == HouseStyle(disclaimers=(OWN,))
    assert inspection.house_style_of(theirs) == HouseStyle(disclaimers=("Ask.",))
    assert ours.hash != theirs.hash


def test_no_list_is_no_style():
    """A rule set without the list is a rule set."""
    assert inspection.house_style_of(bundle()) == HouseStyle()


def test_our_own_list_loads():
    """The list in rules/ is accepted, and every text of it is cut."""
    style = inspection.house_style_of(inspection.read((RULES,)))
    assert style.disclaimers
    for text in style.disclaimers:
        assert parts(f"Yes.\n\n{text}", style) == ("Yes.", text)


def test_regexes_are_refused():
    """A list of disclaimers that would match anything is a mistake with its place."""
    wrong = bundle(f"{LIST}  - Ask.\nregexes: ['.*']\n")
    with pytest.raises(Mistakes) as caught:
        inspection.house_style_of(wrong)
    assert "regex" in str(caught.value)
    assert any("regex" in mistake.what for mistake in inspection.check(wrong))


def test_no_rule_uses_the_list():
    """A rule that asks for the disclaimers could never fire; that is a mistake."""
    rule = (RULES / "secrecy" / "delete-this.yaml").read_text(encoding="utf-8")
    text = rule.replace("match:\n", "match:\n  never: {list: disclaimers}\n", 1)
    files = (*bundle(f"{LIST}  - Ask.\n").files, inspection.BundleFile(0, "secrecy/delete-this.yaml", text))
    mistakes = inspection.check(inspection.Bundle(folders=("rules",), files=files))
    assert any("disclaimers" in mistake.what for mistake in mistakes)
