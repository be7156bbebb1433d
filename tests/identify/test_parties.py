"""Who wrote to whom: author, contacts, private copies, second addresses, and who may not review."""

from dataclasses import replace

import pytest
from people import (
    BROOKS,
    FOX,
    JOSEPH,
    KHAN,
    LENA,
    NADIA,
    REGISTRY,
    SHARED_A,
    SHARED_B,
    TEAM,
    WHITLOCK,
    envelope,
    headers,
    registry_of,
)

from gateway.identify import contacts_for, parties, staff_for
from gateway.model import StaffId

KHAN_AT, WHITLOCK_AT = KHAN.email, WHITLOCK.email
VICTIM = "nadia.rahman@home.example"
LENA_AT_HOME = replace(LENA, emails=("lenafox@parcel.example",))


@pytest.mark.parametrize(
    ("sender", "from_", "mail_from", "officer"),
    [
        ((KHAN_AT,), (WHITLOCK_AT,), WHITLOCK_AT, KHAN),
        ((), (WHITLOCK_AT,), KHAN_AT, WHITLOCK),
        ((), (), KHAN_AT, KHAN),
        ((), ("4417@force.example",), "", KHAN),
        ((), ("AMIR.KHAN+desk@Force.Example.",), "", KHAN),
        (("nobody@force.example",), (WHITLOCK_AT,), KHAN_AT, WHITLOCK),
        ((), (TEAM.email,), KHAN_AT, KHAN),
        ((), (TEAM.email,), "", TEAM),
        ((), ("stranger@elsewhere.example",), "", None),
        ((), (), "", None),
    ],
)
def test_the_author_is_sender_else_from_else_mail_from(sender, from_, mail_from, officer):
    """DECISIONS 11: the first claim that is a person on the staff list; a shared mailbox only if nobody else is."""
    found = parties(REGISTRY, envelope(VICTIM, sender=mail_from), headers(sender=sender, from_=from_))
    assert found.officer is officer


def test_every_claim_is_kept_with_its_source():
    """All claimed senders are recorded in the order in which they are believed, known or not."""
    found = parties(
        REGISTRY,
        envelope(VICTIM),
        headers(sender=("unknown@force.example",), from_=(WHITLOCK_AT, BROOKS.email)),
    )
    assert [(claim.source, claim.address, claim.staff_id) for claim in found.claimed] == [
        ("sender", "unknown@force.example", None),
        ("from", WHITLOCK_AT, "5120"),
        ("from", BROOKS.email, "3308"),
        ("mail-from", KHAN_AT, "4417"),
    ]


@pytest.mark.parametrize(
    ("from_", "mail_from", "disagree"),
    [
        (KHAN_AT, KHAN_AT, False),
        (KHAN_AT, "4417@force.example", False),
        ("akhan.home@post.example", KHAN_AT, False),
        (KHAN_AT, "", False),
        (TEAM.email, KHAN_AT, False),
        (KHAN_AT, WHITLOCK_AT, True),
        (KHAN_AT, "unknown@force.example", True),
        ("one@elsewhere.example", "two@elsewhere.example", True),
        ("one@elsewhere.example", "ONE@elsewhere.example", False),
    ],
)
def test_claims_of_different_people_disagree(from_, mail_from, disagree):
    """Two addresses of one person agree, a shared mailbox agrees with its user, anything else disagrees."""
    found = parties(REGISTRY, envelope(VICTIM, sender=mail_from), headers(from_=(from_,)))
    assert found.senders_disagree is disagree


def test_contacts_are_the_registered_recipients_of_the_envelope_in_order():
    """Headers deliver nothing: a contact named in To and not in the envelope is no recipient."""
    found = parties(
        REGISTRY,
        envelope("joseph@home.example", "lawyer@law.example", "N.Rahman@WORK.example"),
        headers(to=("family@home.example",)),
    )
    assert [match.recipient for match in found.contacts] == ["joseph@home.example", "N.Rahman@WORK.example"]
    assert [match.contacts for match in found.contacts] == [(JOSEPH,), (NADIA,)]
    assert found.others == ("lawyer@law.example",)
    assert found.in_scope


def test_nobody_registered_is_out_of_scope():
    """P4: without a registered recipient nothing is in scope, whoever wrote."""
    assert not parties(REGISTRY, envelope("lawyer@law.example"), headers(from_=(KHAN_AT,))).in_scope


def test_a_shared_address_is_all_its_people():
    """One address may be several contacts; the reviewer is shown all."""
    match = contacts_for(REGISTRY, "family@home.example")
    assert match is not None
    assert match.contacts == (SHARED_A, SHARED_B)


@pytest.mark.parametrize(
    "recipient",
    ["nadia.rahman%home.example@relay.example", "nadia.rahman@[192.0.2.1]", '"nadia.rahman"@home.example'],
)
def test_a_contact_cannot_be_hidden_behind_a_route(recipient):
    """The envelope's own characters are kept, the person is found."""
    match = contacts_for(REGISTRY, recipient)
    assert match is not None
    assert (match.recipient, match.contacts) == (recipient, (NADIA,))


def test_an_address_with_too_many_readings_is_never_nobodys():
    """Where the walk through the readings is cut short the mail is in scope, although nobody can say for whom (P3)."""
    hidden = "nadia.rahman%home.example" + "%" * 20 + "@relay.example"
    assert contacts_for(REGISTRY, hidden) is not None
    found = parties(REGISTRY, envelope(hidden), headers(from_=(KHAN_AT,)))
    assert found.in_scope
    assert [match.recipient for match in found.contacts] == [hidden]
    assert not found.is_assigned


def test_an_officer_is_assigned_by_no_colleagues_case():
    """Naming somebody as Sender who is on the contact's case does not put the writer on it; a shared mailbox is nobody."""
    alone = parties(REGISTRY, envelope(VICTIM, sender=KHAN_AT), headers(from_=(KHAN_AT,)))
    with_team = parties(REGISTRY, envelope(VICTIM, sender=KHAN_AT), headers(from_=(TEAM.email,)))
    assert alone.is_assigned
    assert with_team.is_assigned
    for sender, from_ in ((KHAN_AT, WHITLOCK_AT), (WHITLOCK_AT, KHAN_AT)):
        found = parties(REGISTRY, envelope(VICTIM, sender=""), headers(sender=(sender,), from_=(from_,)))
        assert not found.is_assigned


def test_staff_who_are_contacts_are_in_scope_at_their_force_address():
    """An officer who is a victim is included by their row, not left out by their domain, and may not review."""
    found = parties(REGISTRY, envelope("lena.fox@force.example"), headers(from_=(KHAN_AT,)))
    assert [match.contacts for match in found.contacts] == [(LENA,)]
    assert found.contacts[0].also_staff == FOX.staff_id
    assert FOX.staff_id in found.involved


def test_staff_who_are_contacts_are_known_by_any_address_of_theirs():
    """The registered private address of an officer who is a victim still says which officer it is."""
    at_home = registry_of(
        NADIA, LENA.__replace__(emails=("lenafox@parcel.example",)) if False else LENA_AT_HOME
    )
    match = contacts_for(at_home, "lenafox@parcel.example")
    assert match is not None
    assert match.also_staff == FOX.staff_id


PRIVATE = [
    ("akhan.home@post.example", True),  # the alias on the staff list
    ("AKHAN.HOME+x@post.example", True),
    ("amir.khan@gmail.com", True),  # a consumer mailbox with the full name
    ("a.m.i.rkhan84@gmail.com", True),  # dots, digits, separators and order are free
    ("khan_amir1984@gmail.com", True),
    ("amirkhan@googlemail.com", True),
    ("amir.khan@law.example", False),  # not a consumer domain
    ("akhan@gmail.com", False),  # an initial is too little
    ("4417@force.example", False),  # a force address is not private
    ("amir.khan@mail.force.example", False),
    ("lenafox@parcel.example", False),  # another officer's private address
    ("sarah.whitlock@gmail.com", False),
]


@pytest.mark.parametrize(("recipient", "is_private"), PRIVATE)
def test_private_copies_of_the_sender(recipient, is_private):
    """M5: an alias outside the force, or a consumer mailbox in the sender's full name."""
    found = parties(REGISTRY, envelope(VICTIM, recipient), headers(from_=(KHAN_AT,)))
    assert (recipient in found.private) is is_private
    assert (recipient in found.others) is not is_private


def test_the_address_that_the_mail_claims_to_be_from_is_private():
    """A copy to the outside address that stands in From goes to its writer, listed or not."""
    found = parties(
        REGISTRY, envelope(VICTIM, "me@elsewhere.example"), headers(from_=("Me@elsewhere.example",))
    )
    assert found.private == ("me@elsewhere.example",)


def test_a_single_name_makes_no_private_address():
    """Somebody listed by one word has no full name that an address could carry."""
    registry = registry_of(NADIA, staff=(replace(KHAN, name="Amir"),))
    found = parties(registry, envelope(VICTIM, "amir@gmail.com"), headers(from_=(KHAN_AT,)))
    assert found.others == ("amir@gmail.com",)


def test_private_counts_for_every_claimed_sender():
    """Whoever is claimed, not only the resolved author: Sender names one officer, MAIL FROM the other."""
    found = parties(
        REGISTRY, envelope(VICTIM, "akhan.home@post.example", sender=KHAN_AT), headers(sender=(WHITLOCK_AT,))
    )
    assert found.officer is WHITLOCK
    assert found.private == ("akhan.home@post.example",)


def test_a_registered_address_is_a_contact_before_it_is_private():
    """An officer who is a victim, writing to their own registered address, writes to a contact."""
    found = parties(
        registry_of(LENA_AT_HOME), envelope("lenafox@parcel.example", sender=FOX.email), headers()
    )
    assert found.private == ()
    assert found.in_scope


SECOND = [
    ("nadia.rahman@gmail.com", True),
    ("rahmannadia@post.example", True),
    ("nadia.rahman2@work.example", True),  # the contact's own second domain
    ("nadia.rahman@law.example", False),
    ("nadia@gmail.com", False),
    ("joseph.okoro@gmail.com", False),  # registered, but not addressed here
    ("nadia.rahman@force.example", False),
]


@pytest.mark.parametrize(("recipient", "is_second"), SECOND)
def test_an_unregistered_address_of_an_addressed_contact(recipient, is_second):
    """M10: the full name of a contact addressed here, at a consumer domain or at one of theirs."""
    found = parties(REGISTRY, envelope(VICTIM, recipient), headers(from_=(KHAN_AT,)))
    assert (found.unregistered == (recipient,)) is is_second
    assert recipient in found.others


def test_involved_are_all_who_wrote_or_were_addressed():
    """P7: none of them may review: claimed, in the envelope, To, Cc, Bcc, Reply-To; each once."""
    found = parties(
        REGISTRY,
        envelope(VICTIM, WHITLOCK_AT, sender="4417@force.example"),
        headers(
            from_=(KHAN_AT,),
            cc=(BROOKS.email, WHITLOCK_AT),
            reply_to=("lenafox@parcel.example",),
            bcc=(TEAM.email,),
        ),
    )
    assert found.involved == ("4417", "5120", "3308", "M01", "W118")


def test_version_and_staleness_travel_with_the_parties():
    """Every verdict says which registry it used and whether that was stale."""
    found = parties(registry_of(NADIA, stale="contacts.csv was refused"), envelope(VICTIM), headers())
    assert (found.registry_version, found.registry_stale) == ("v1", "contacts.csv was refused")


def test_hostile_headers_do_not_raise():
    """Whatever stands in the headers, the envelope's contact is found."""
    odd = ("", "@", "\udcff@x", "a" * 5000, "<<>>", "x@[", "=?utf-8?q?x?=@y")
    found = parties(
        REGISTRY, envelope(VICTIM, *odd), headers(sender=odd, from_=odd, to=odd, cc=odd, reply_to=odd)
    )
    assert found.in_scope
    assert found.officer is KHAN


def test_staff_for_knows_routed_spellings():
    """An officer in Cc behind a percent-hack is still that officer."""
    found = staff_for(REGISTRY, "sarah.whitlock%force.example@relay.example")
    assert found is not None
    assert found.staff_id == StaffId("5120")
