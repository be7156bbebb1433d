"""Doubts about introduced quotes: what an invented introduction gets wrong is named, and honest ones have none."""

import pytest

from gateway.extract import extract
from gateway.model import Doubt, Limits

HEADERS = {
    "From": "Tom Archer <tom.archer@force.example>",
    "To": "Jo Bloggs <jo@home.example>",
    "Cc": "ISVA <ann@support.example>",
    "Subject": "RE: Your case",
    "Date": "Tue, 4 Aug 2026 09:00:00 +0100",
    "In-Reply-To": "<old@home.example>",
}
DATED = "On Mon, 3 Aug 2026 at 10:12, Jo Bloggs <jo@home.example> wrote:"


def read(introduction, words="> Fancy a drink?", **changed):
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changed.items()}
    head = "".join(f"{name}: {value}\n" for name, value in headers.items() if value)
    return extract(f"{head}\nNo news yet.\n\n{introduction}\n{words}\n".encode(), Limits())


def block(sender="Jo Bloggs <jo@home.example>", subject="Your case", sent="03 August 2026 10:12"):
    return f"From: {sender}\nSent: {sent}\nTo: Archer, Tom\nSubject: {subject}\n"


def doubts(*given, **changed):
    (cut,) = read(*given, **changed).cuts
    return cut.doubts


@pytest.mark.parametrize(
    "introduction",
    [
        DATED,
        DATED.replace("Jo Bloggs <jo@home.example>", "Jo Bloggs"),
        "On Mon, 3 Aug 2026 at 10:12, ISVA <ANN@support.example> wrote:",
        "On 08/03/2026 10:12, Jo Bloggs wrote:",
        block(),
        block(subject="RE: [EXTERNAL] RE: Your case"),
        block(subject="Your case - the hearing"),
        block(sender="Jo Bloggs"),
    ],
)
def test_honest_introductions_have_no_doubts(introduction):
    """Sender's clock, recipients' addresses, and a subject that goes on: nothing to doubt."""
    assert doubts(introduction) == ()


@pytest.mark.parametrize(
    ("introduction", "changed", "doubt"),
    [
        (DATED.replace("jo@home", "tom.archer@force"), {}, Doubt.OWN_WORDS),
        (DATED.replace("jo@home", "sam@force"), {}, Doubt.COLLEAGUE),
        (DATED.replace("jo@home", "jo@other"), {}, Doubt.STRANGER),
        (block(subject="Lunch"), {}, Doubt.OTHER_SUBJECT),
        (DATED, {"In_Reply_To": "<1.2@force.example>"}, Doubt.OWN_THREAD),
    ],
)
def test_doubts(introduction, changed, doubt):
    """A speaker who is no recipient, another subject, and an answer to nobody but oneself are doubts; it stays cut."""
    assert doubts(introduction, **changed) == (doubt,)


def test_thread_with_anybody_elses_mail_is_no_own_thread():
    """One reference to somebody else's mail is what an honest answer has."""
    assert (
        doubts(DATED, In_Reply_To="<1@force.example>", References="<2@home.example> <1@force.example>") == ()
    )


@pytest.mark.parametrize(
    "introduction",
    [
        DATED.replace("3 Aug 2026", "9 Sep 2026"),
        "On September 9th, 2026, at 10:12, Jo Bloggs <jo@home.example> wrote:",
        "On 2026-09-09 10:12, Jo Bloggs <jo@home.example> wrote:",
        "On 25/12/2026 10:12, Jo Bloggs <jo@home.example> wrote:",
        "Ar Mer, 9 Medi 2026 am 10:12, ysgrifennodd Jo Bloggs <jo@home.example>:",
        block(sent="09 September 2026 10:12"),
    ],
)
def test_quote_from_the_future_stays(introduction):
    """Nobody quotes a mail that was written later: it counts as the sender's, marked uncertain."""
    authored = read(introduction)
    assert not authored.cuts
    assert any(passage.uncertain and "Fancy a drink?" in passage.text for passage in authored.passages)


@pytest.mark.parametrize(
    "introduction",
    [
        DATED.replace("3 Aug", "5 Aug"),
        "On 01/09/2025 10:12, Jo Bloggs wrote:",
        "On 09/01/2026 10:12, Jo Bloggs wrote:",
        "On 08/12/2026 10:12, Jo Bloggs wrote:\n> On 31/02/2026 10:12, Jo Bloggs wrote:",
        DATED.replace("3 Aug", "39 Aug"),
    ],
)
def test_odd_dates_are_not_the_future(introduction):
    """A day of slack for clocks, dates that can be read in two ways, and dates that are none."""
    authored = read(introduction)
    expected = "08/12" in introduction
    assert bool(authored.cuts) is not expected


def test_mail_without_a_date_has_no_future():
    """Where the mail is not dated, nothing is after it."""
    assert doubts(DATED.replace("2026", "2036"), Date="") == ()


def test_forwarded_mail_may_be_anybodys():
    """A forward has no doubts of speaker and subject."""
    text = (
        f"---------- Forwarded message ---------\n{block(sender='Eve <eve@other.example>', subject='Lunch')}"
    )
    assert doubts(text, Subject="FW: Lunch") == ()
