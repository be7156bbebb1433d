"""Conduct on the road: what the ledger is given of a message, and what the next one is judged by."""

from road import CONTACT, WITNESS, Road, letter

from gateway.model import Traits


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
