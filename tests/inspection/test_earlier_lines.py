"""Lines that we sent before: a claimed quote is judged without them, and with nothing less."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rule_texts import engine, rule

from gateway import inspection
from gateway.inspection.earlier import MAX_LINES, without_sent
from gateway.inspection.examples import parties_to
from gateway.model import (
    Authored,
    Cut,
    CutReason,
    Doubt,
    Headers,
    History,
    Passage,
    PassageKind,
    StaffId,
    StaffMember,
    StaffRole,
)

AT = datetime(2026, 8, 4, 9, 0, tzinfo=UTC)
DRINK = "drink: {phrase: fancy a drink}"
EARLIER = "Shall we talk on Monday, or would you rather fancy a drink of water first? It is hot."


def mail(own="Hello.", quoted="", **cut):
    passage = Passage(part="body", kind=PassageKind.BODY, text=own, start=0, end=len(own))
    made = Cut(
        part="body", text=quoted, start=100, end=100 + len(quoted), reason=CutReason.QUOTED,
        **({"attributed": True} | cut),
    )  # fmt: skip
    return Authored(
        headers=Headers(in_reply_to="<a@b.example>"), passages=(passage,), cuts=(made,) if quoted else ()
    )


def found(authored, sent=()):
    made = engine(advance__drink=rule(DRINK))
    return made.judge(authored, parties_to(), History(sent_lines=sent), AT).findings


def test_doubted_quote_is_judged_and_flags_at_most():
    """An introduction that something speaks against does not make a quote believable."""
    assert not found(mail(quoted="Fancy a drink?"))
    (finding,) = found(mail(quoted="Fancy a drink?", doubts=(Doubt.STRANGER,)))
    assert finding.softened
    assert finding.start == 100


def test_lines_that_we_sent_are_believed():
    """What was sent before was judged then: quoted again, wrapped anew and behind marks, it does not count."""
    sent = inspection.written_lines(mail(own=EARLIER))
    again = "> Shall we talk on Monday, or would\n> you rather FANCY a drink of water\n> first? It is hot."
    assert set(inspection.quoted_lines(mail(quoted=again))) == set(sent)
    assert found(mail(quoted=again, attributed=False))
    assert not found(mail(quoted=again, attributed=False), sent)


def test_words_put_between_sent_lines_are_judged():
    """A line that was not sent, or not so, is judged in its place."""
    sent = inspection.written_lines(mail(own=EARLIER))
    forged = f"> {EARLIER}\n> Fancy a drink with me?"
    (finding,) = found(mail(quoted=forged, attributed=False), sent)
    assert forged[finding.start - 100 : finding.end - 100].casefold() == "fancy a drink"
    assert finding.start - 100 > len(EARLIER)


@pytest.mark.parametrize("words", ["Love you lots.", "", "> \n>", "a.b.c"])
def test_short_lines_are_never_known(words):
    """A line of three words is anybody's."""
    assert inspection.written_lines(mail(own=words)) == ()


def test_lines_are_bounded():
    """A mail without end is looked up as far as the limit."""
    words = "\n\n".join(f"this is line number {number}" for number in range(MAX_LINES + 5))
    assert len(inspection.quoted_lines(mail(quoted=words))) == MAX_LINES


def test_blanking_keeps_every_offset():
    """Known lines become white space of the same length; without any the text is itself."""
    text = "Will you come to court? Fancy a drink of tea? No."
    sent = frozenset(inspection.written_lines(mail(own="Will you come to court?")))
    blanked = without_sent(text, sent)
    assert blanked == " " * 23 + text[23:]
    assert without_sent(text, frozenset()) is text


def test_second_address_of_a_contact_is_no_stranger():
    """A speaker who is no recipient is believed under any registered address of the contact, and nobody else's."""
    parties = parties_to()
    registered = parties.contacts[0].contacts[0].emails[0]
    made = engine(advance__drink=rule(DRINK))
    for speaker, believed in ((registered.upper(), True), ("eve@other.example", False)):
        message = mail(quoted="Fancy a drink?", speaker=speaker, doubts=(Doubt.STRANGER,))
        assert bool(made.judge(message, parties, History(), AT).findings) is not believed


def test_own_words_inside_a_quote_are_old_ones():
    """What the officer wrote further back in the thread was judged when it was sent."""
    message = mail(quoted="Fancy a drink?", speaker="amir.khan@force.example", inner=True)
    officer = StaffMember(
        staff_id=StaffId("s1"), email="amir.khan@force.example", name="", rank="", unit="", manager="",
        role=StaffRole.OFFICER, aliases=(),
    )  # fmt: skip
    made = engine(advance__drink=rule(DRINK))
    assert not made.judge(message, replace(parties_to(), officer=officer), History(), AT).findings
    outer = replace(message, cuts=(replace(message.cuts[0], inner=False),))
    assert made.judge(outer, replace(parties_to(), officer=officer), History(), AT).findings


def test_mail_that_is_nothing_but_a_quote_counts_as_own():
    """With nothing beside the quote, what it says is what the officer sends: it is not softened."""
    (finding,) = found(mail(own="", quoted="Fancy a drink?", doubts=(Doubt.ALONE,)))
    assert not finding.softened
