"""From and Date alone over marked lines: what two fields introduce, and that no lie gets easier by them.

They carry what "Jo Bloggs wrote:" carries and no more: the marked lines, once somebody is said to have written them, on
a day that can be compared with the mail's own. ``FORGED`` has what is dressed as the two fields and stays.
"""

import pytest

from gateway.extract import extract
from gateway.extract.dates import dates_in, is_date
from gateway.model import CutReason, Doubt, Limits

ANSWER = "The hearing is on Thursday."
QUOTED = "Will he be there? I am scared of him."
HEADERS = {
    "From": "Tom Archer <tom.archer@force.example>",
    "To": "Jo Bloggs <jo@home.example>",
    "Subject": "Re: Your case",
    "Date": "Tue, 4 Aug 2026 09:00:00 +0100",
    "In-Reply-To": "<old@home.example>",
}
FROM = "From: Jo Bloggs <jo@home.example>"
PAIR = f"{FROM}\nDate: 3 August 2026"


def read(body, **changed):
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changed.items()}
    head = "".join(f"{name}: {value}\n" for name, value in headers.items() if value)
    return extract(f"{head}Content-Type: text/plain; charset=utf-8\n\n{body}".encode(), Limits())


def answered(introduction, **changed):
    return read(f"{ANSWER}\n\n{introduction}\n> {QUOTED}\n\nRing me on 101.\n", **changed)


def own(authored):
    """Return the words of the body that count, white space folded, and whether some are uncertain."""
    body = [passage for passage in authored.passages if passage.part == "body"]
    return " ".join(" ".join(p.text for p in body).split()), any(p.uncertain for p in body)


DATES = [
    "3 August 2026",
    "03 August 2026 10:12",
    "3rd August 2026, 10.12am",
    "Monday, 3 August 2026 at 10:12:33 BST",
    "Mon, 3 Aug 2026 10:12:33 +0100 (BST)",
    "3 Aug 2026 10:12 (GMT+01:00)",
    "03/08/2026 10:12",
    "03/08/26, 10:12",
    "03.08.2026",
    "3-Aug-2026 10:12",
    "August 3, 2026",
    "Monday, August 3, 2026 10:12 AM",
    "8/3/2026 10:12:33 AM",
    "On Monday, August 3rd, 2026 at 10:12",
    "2026-08-03",
    "2026-08-03 10:12",
    "2026-08-03T10:12:33+01:00",
    "2026-08-03T10:12:33.123Z",
    "3 Awst 2026",
    "Dydd Llun, 3 Awst 2026 10:12",
    "Llun, 3 Aws 2026 am 10:12 yb",
]
NOT_DATES = [
    "tomorrow at 7",
    "7 October",
    "3 August 2026 at the pub",
    "fancy a drink, 3 August 2026",
    "3 August 2026 07700 900123",
    "3-Drink-2026",
    "31/02/2026",
    "32 August 2026",
    "3 August 2026 7 8 9",
    "3 August 2026 " + "at " * 40,
    "10:12",
    "",
]


@pytest.mark.parametrize("sent", DATES)
def test_dates(sent):
    """British, American, ISO and Welsh, with and without weekday and time: the quote is introduced and undoubted."""
    authored = answered(f"{FROM}\nSent: {sent}")
    assert own(authored) == (f"{ANSWER} Ring me on 101.", False)
    (cut,) = authored.cuts
    assert (cut.attributed, cut.speaker, cut.doubts) == (True, "jo@home.example", ())
    assert cut.text.startswith(FROM)


@pytest.mark.parametrize("sent", NOT_DATES)
def test_no_dates(sent):
    """A day that cannot be compared with the mail's own, or words beside it, introduce nothing and stay."""
    assert not is_date(sent)
    authored = answered(f"{FROM}\nSent: {sent}")
    assert "Sent:" in own(authored)[0]
    assert [(cut.attributed, cut.speaker) for cut in authored.cuts] == [(False, "")]


PAIRS = {
    "date first": (f"Date: 3 August 2026\n{FROM}", "jo@home.example"),
    "bold": ("*From:* Jo Bloggs <jo@home.example>\n*Sent:* 3 August 2026", "jo@home.example"),
    "a blank line below": (f"{PAIR}\n", "jo@home.example"),
    "a name alone": ("From: Jo Bloggs\nDate: 3 August 2026", "Jo Bloggs"),
    "surname first": ('From: "Bloggs, Jo" <jo@home.example>\nDate: 3 August 2026', "jo@home.example"),
    "small letters": ("From: jo bloggs <jo@home.example>\nDate: 3 August 2026", "jo@home.example"),
    "an address alone": ("From: jo@home.example\nDate: 3 August 2026", "jo@home.example"),
    "an address twice": (
        "From: jo@home.example [mailto:jo@home.example]\nDate: 3 August 2026",
        "jo@home.example",
    ),
    "wrapped": ("From: Jo Bloggs (Support)\n <jo@home.example>\nDate: 3 August 2026", "jo@home.example"),
    "Welsh": (
        "Oddi wrth: Jo Bloggs <jo@home.example>\nAnfonwyd: 3 Awst 2026 10:12",
        "jo@home.example",
    ),
    "under a divider": (f"-----Original Message-----\n{PAIR}", "jo@home.example"),
    "wrapped under a divider": (
        "-----Original Message-----\nFrom: Jo Bloggs (Support)\n <jo@home.example>\nDate: 3 August 2026",
        "jo@home.example",
    ),
    "no date, under a divider": (
        "----- Original Message -----\nFrom: Jo <jo@home.example>",
        "jo@home.example",
    ),
}


@pytest.mark.parametrize(("introduction", "speaker"), PAIRS.values(), ids=PAIRS)
def test_pairs(introduction, speaker):
    """However the two fields are written, they are cut with the marked lines and name the speaker; answers stay."""
    authored = answered(introduction)
    assert own(authored) == (f"{ANSWER} Ring me on 101.", False)
    (cut,) = authored.cuts
    assert (cut.attributed, cut.speaker, cut.doubts) == (True, speaker, ())


def test_pair_inside_the_marks():
    """Some programs mark the fields too; what stands between the marked lines is the sender's."""
    authored = read(f"> {FROM}\n> Date: 3 August 2026\n>\n> {QUOTED}\n\n{ANSWER}\n\n> Thanks\n\nRing me.\n")
    assert own(authored) == (f"{ANSWER} Ring me.", False)
    assert [(cut.attributed, cut.speaker) for cut in authored.cuts] == [(True, "jo@home.example")] * 2


@pytest.mark.parametrize("body", [f"{PAIR}\n\n{QUOTED}\n", f"{PAIR}\n{QUOTED}\n\n> {QUOTED}\n"])
def test_pair_begins_nothing_without_marks(body):
    """Two fields are no header block: what has no marks straight below them stays, whole and certain."""
    assert own(read(f"{ANSWER}\n\n{body}")) == (f"{ANSWER} {' '.join(PAIR.split())} {QUOTED}", False)


FORGED = {
    "words for a name": "From: somebody who would love to take you out\nDate: 3 August 2026",
    "words beside the address": "From: fancy a drink tonight with Jo <jo@home.example>\nDate: 3 August 2026",
    "a question": "From: Jo, are you free? <jo@home.example>\nDate: 3 August 2026",
    "a second address": "From: write.me@private.example <jo@home.example>\nDate: 3 August 2026",
    "many names": "From: Dear Sweet Lovely Jo Of My Heart Bloggs <jo@home.example>\nDate: 3 August 2026",
    "a long line": f"From: {'Jo ' * 60}<jo@home.example>\nDate: 3 August 2026",
    "words between": f"{FROM}\nDate: 3 August 2026\nI would love to take you out.",
    "words for a wrapped name": f"{FROM}\nI would love to take you out\nDate: 3 August 2026",
    "the same field twice": f"{FROM}\n{FROM}",
    "one field": FROM,
    "another field": f"{FROM}\nTo: you",
}


@pytest.mark.parametrize("introduction", FORGED.values(), ids=FORGED)
def test_words_dressed_as_two_fields_stay(introduction):
    """What programs do not write there is the sender's, and the marked lines below are a claim, which is judged."""
    authored = answered(introduction)
    assert own(authored) == (f"{ANSWER} {' '.join(introduction.split())} Ring me on 101.", False)
    assert [(cut.attributed, cut.speaker) for cut in authored.cuts] == [(False, "")]


@pytest.mark.parametrize("form", ["{}", "-----Original Message-----\n{}"], ids=["bare", "divided"])
@pytest.mark.parametrize(
    ("changed", "headers", "doubt"),
    [
        ("tom.archer@force.example", {}, Doubt.OWN_WORDS),
        ("sam@force.example", {}, Doubt.COLLEAGUE),
        ("jo@other.example", {}, Doubt.STRANGER),
        ("jo@home.example", {"In_Reply_To": "<1.2@force.example>"}, Doubt.OWN_THREAD),
    ],
)
def test_doubts(form, changed, headers, doubt):
    """An invented pair has to get speaker and thread right, as an invented attribution has."""
    (cut,) = answered(form.format(PAIR.replace("jo@home.example", changed)), **headers).cuts
    assert cut.doubts == (doubt,)


@pytest.mark.parametrize(
    "sent", ["9 September 2026", "9 Medi 2026", "09/09/26", "2026-09-09T10:12:00Z", "9/9/2026"]
)
def test_pair_from_the_future_stays(sent):
    """Every day that a pair may bear is compared with the mail's own: a later one is nobody's."""
    authored = answered(f"{FROM}\nDate: {sent}")
    assert not authored.cuts
    assert QUOTED in own(authored)[0]
    assert own(authored)[1]


def test_pair_without_reply_headers_stays():
    """Nothing is cut where the mail does not say what it answers."""
    authored = answered(PAIR, In_Reply_To="")
    assert not authored.cuts
    assert own(authored)[1]


@pytest.mark.parametrize(
    ("pair", "doubts"),
    [
        (PAIR, [(Doubt.ALONE,)]),
        (PAIR.replace("jo@home", "eve@other"), []),
        (PAIR.replace(" <jo@home.example>", ""), []),
    ],
)
def test_nothing_but_a_pair_and_its_quote(pair, doubts):
    """With no word above it the quote is read in full: as the recipient's, doubted, or as the sender's, uncertain."""
    authored = read(f"{pair}\n> {QUOTED}\n")
    assert [cut.doubts for cut in authored.cuts if cut.reason is CutReason.QUOTED] == doubts


def test_dates_with_two_digits_for_the_year():
    """They are read in both orders, and only where no time is written so."""
    assert {str(day) for day in dates_in("3/8/26 10.12.33")} == {"2026-08-03", "2026-03-08"}
