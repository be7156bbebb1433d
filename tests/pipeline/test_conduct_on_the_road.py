"""Conduct on the road: what the ledger is given of a message, and what the next one is judged by."""

from road import CONTACT, WITNESS, Road, letter

from gateway import inspection
from gateway.extract import extract
from gateway.model import Limits, Traits


async def test_the_next_message_is_judged_by_the_mail_before_it(road: Road):
    """A passed mail leaves its traits and no word; the next verdict keeps them as its history."""
    first = letter("Your bicycle was found.", number=1)
    await road.send(first)
    await road.send(letter("HOLD this.", number=2))
    entry = road.entry(first)
    assert entry.traits.message
    assert entry.rules == ()
    (item,) = road.holds()
    history = road.full(item).verdict.history
    assert [(mail.own, mail.at, mail.traits) for mail in history.sent] == [(True, entry.at, entry.traits)]
    assert history.found == ()
    assert history.earlier == {}
    assert entry.traits != Traits()


async def test_findings_with_other_contacts_follow_the_officer(road: Road):
    """What was found in mail to one contact is known when the officer writes to another, and is not the pair's."""
    await road.send(letter("FLAG this.", number=1), CONTACT)
    await road.send(letter("HOLD this.", number=2), WITNESS)
    history = road.full(road.holds()[0]).verdict.history
    (found,) = history.found
    assert (found.rule, found.category) == ("romantic-advance.flag", "romantic-advance")
    assert history.earlier == {}
    assert history.sent == ()


async def test_lines_that_were_sent_are_known_when_quoted(road: Road):
    """What went out before is known in the next mail's quote; what waits or was never written is not."""
    await road.send(letter("Your bicycle was found by the canal.", number=1))
    await road.send(letter("HOLD back, we never sent this line.", number=2))
    quote = "HOLD on.\r\n\r\n> Your bicycle was found\r\n> by the canal.\r\n> HOLD back, we never sent this line.\r\n> I liked your last mail."
    await road.send(letter(quote, number=3, extra="In-Reply-To: <x@home.example>\r\n"))
    newest = max(road.holds(), key=lambda item: item.held_at)
    (known,) = road.full(newest).verdict.history.sent_lines
    sent = extract(letter("Your bicycle was found by the canal."), Limits())
    assert known == inspection.written_lines(sent)[0]
