"""Second addresses by look-up are those that a comparison of every recipient with every contact finds."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st
from people import BROOKS, FOX, KHAN, NADIA, contact, envelope, headers, member, registry_of

from gateway import identify
from gateway.identify import is_force_address, match_key, parties

WORDS = ("jo", "jojo", "ann", "anne", "a", "bloggs", "o'brien", "Zoë", "Mary-Jane", "dr", "x2", "\u0130d", "")
SEPARATORS = ("", ".", "_", "-", "1", "'", " ", "+", "%", "\u200b")
DOMAINS = (
    "gmail.com",
    "googlemail.com",
    "home.example",
    "Work.Example.",
    "post.example",
    "force.example",
    "[1.2.3.4]",
)

names = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
local_parts = st.lists(st.sampled_from(WORDS + SEPARATORS), min_size=1, max_size=7).map("".join)
addresses = st.one_of(
    st.builds(lambda local, domain: f"{local}@{domain}", local_parts, st.sampled_from(DOMAINS)),
    st.text(max_size=8),
)
people = st.lists(
    st.tuples(st.lists(names, max_size=2), st.lists(addresses, min_size=1, max_size=3)), max_size=4
)


def carries_name(address, name):
    """Return whether the local part is a full name: one address, one name."""
    words = identify._name_words(name)
    if len(words) < 2 or min(len(words[0]), len(words[-1])) < 2:
        return False
    local = identify._cleaned(address).rpartition("@")[0].partition("+")[0]
    spaced = " ".join(identify._words(local.replace(".", " ").replace("_", " ")))
    parts = identify._LETTERS.findall(spaced)
    first, last, joined = words[0], words[-1], "".join(parts)
    return {first, last} <= set(parts) or joined in {first + last, last + first, "".join(words)}


def is_second_address(registry, recipient, matches):
    """Compare one recipient with every name of every contact."""
    if is_force_address(registry, recipient):
        return False
    domain = match_key(recipient, registry).rpartition("@")[2]
    return any(
        carries_name(recipient, name)
        for match in matches
        for one in match.contacts
        for name in one.names
        if domain in registry.consumer_domains
        or any(match_key(email, registry).endswith(f"@{domain}") for email in one.emails)
    )


def made(number, called, emails):
    return replace(contact(f"P-{number}", *emails), names=tuple(called))


@given(people, st.lists(addresses, max_size=6))
@example([(["Jo Bloggs"], ["jo@home.example"])], ["bloggs.jo@home.example", "jo.bloggs@work.example"])
@example([(["Jo Bloggs"], ["x@"])], ["jo.bloggs@", "jo.bloggs"])
@example([(["Jo Jo"], ["jo@home.example"])], ["jo@home.example", "jo.x@home.example"])
@example([(["Jo Ann Bloggs"], ["j@home.example"])], ["joannbloggs@home.example", "jo.ann.b@gmail.com"])
@example(
    [(["Jo Bloggs"], ["j@home.example"]), (["Jo Bloggs"], ["b@work.example"])], ["jobloggs@work.example"]
)
def test_look_up_finds_what_comparing_each_with_each_does(registered, more):
    """The same recipients, in the same order, whatever names, domains and spellings there are."""
    contacts = [made(number, called, emails) for number, (called, emails) in enumerate(registered)]
    registry = registry_of(*contacts)
    emails = [email for one in contacts for email in one.emails]
    found = parties(registry, envelope(*emails, *more), headers())
    expected = [other for other in found.others if is_second_address(registry, other, found.contacts)]
    assert list(found.unregistered) == expected


@given(st.lists(names, min_size=1, max_size=3), st.lists(local_parts, max_size=5))
@example(["Amir Khan"], ["khan_amir", "amir", "amirkhan99"])
def test_the_senders_own_mailboxes_are_those_with_a_senders_name(called, locals_):
    """At a consumer domain, any of the people whom the mail claims to be from."""
    staff = tuple(member(f"S{n}", f"s{n}@force.example", name) for n, name in enumerate(called))
    registry = registry_of(NADIA, staff=staff)
    recipients = [f"{local}@gmail.com" for local in locals_]
    found = parties(registry, envelope(*recipients, sender=""), headers(from_=[one.email for one in staff]))
    expected = [each for each in recipients if any(carries_name(each, name) for name in called)]
    assert list(found.private) == expected


def test_a_contact_of_many_recipients_is_read_once(monkeypatch):
    """A thousand registered mailboxes of one person are one person's names and domains."""
    emails = tuple(f"n{number}@home.example" for number in range(60))
    nadia, read, domains = contact("P-1", *emails, name="Nadia Rahman"), [], identify._domains
    monkeypatch.setattr(
        identify, "_domains", lambda registry, one: read.append(one) or domains(registry, one)
    )
    found = parties(registry_of(nadia), envelope(*emails, "rahman.nadia@home.example"), headers())
    assert found.unregistered == ("rahman.nadia@home.example",)
    assert read == [nadia]


def test_the_staff_of_the_tests_are_still_told_apart():
    """Names of two people do not add up to one."""
    registry = registry_of(NADIA, staff=(KHAN, BROOKS, FOX))
    found = parties(registry, envelope("amir.brooks@gmail.com"), headers(from_=(KHAN.email, BROOKS.email)))
    assert found.private == ()
