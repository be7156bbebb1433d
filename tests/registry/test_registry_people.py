"""Rows into people: grouping, strictness, scope, the version, and that every registered spelling matches."""

import random
from datetime import date

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from lists import NOW, STAFF, Lists, contact_row

from gateway.identify import contacts_for, staff_for
from gateway.registry import contacts_in, load
from gateway.registry.rows import normalised


def contacts(lists, *rows):
    lists.write_contacts(*rows)
    result = load(lists.settings, None, NOW)
    assert not result.mistakes
    return contacts_in(result.registry)


def test_a_row_becomes_a_contact_with_every_column(lists):
    """Each column arrives where reviewers and rules look for it."""
    (contact,) = contacts(
        lists,
        contact_row(
            "Nadia.Rahman@Home.example",
            closed="2026-03-01",
            case_status="closed",
            vulnerable="Y",
            is_child="1",
            do_not_contact="TRUE",
            email_consent="no",
            safe_contact='"mornings, please"',
            person_id="P-1",
            team="Robbery",
        ),
    )
    case = contact.cases[0]
    assert (contact.person_id, contact.emails, contact.names) == (
        "P-1",
        ("nadia.rahman@home.example",),
        ("Nadia Rahman",),
    )
    assert (contact.vulnerable, contact.is_child, contact.do_not_contact, contact.email_consent) == (
        True,
        True,
        True,
        False,
    )
    assert (contact.safe_contact, case.team) == ("mornings, please", "Robbery")
    assert (case.opened, case.closed, case.status) == (date(2026, 2, 11), date(2026, 3, 1), "closed")


def test_empty_fields_mean_what_the_table_says(lists):
    """Status open, no flags, consent not refused, nobody assigned."""
    (contact,) = contacts(lists, contact_row(case_status="", opened="", officers="", vulnerable=""))
    assert (contact.vulnerable, contact.is_child, contact.do_not_contact, contact.email_consent) == (
        False,
        False,
        False,
        True,
    )
    assert (contact.cases[0].status, contact.cases[0].opened, contact.cases[0].officers) == ("open", None, ())


def test_one_person_with_several_addresses_and_cases(lists):
    """person_id joins addresses and cases; of each flag the stricter stands; every address finds the person."""
    (contact,) = contacts(
        lists,
        contact_row("a@home.example", person_id="P-1", vulnerable="yes", safe_contact="call"),
        contact_row("b@work.example", person_id="P-1", name="N. Rahman", case_ref="42/2/26"),
        contact_row("b@work.example", person_id="P-1", email_consent="no", safe_contact="not at work"),
    )
    assert contact.emails == ("a@home.example", "b@work.example")
    assert contact.names == ("N. Rahman", "Nadia Rahman")
    assert [case.case_ref for case in contact.cases] == ["42/1/26", "42/2/26"]
    assert (contact.vulnerable, contact.email_consent, contact.safe_contact) == (
        True,
        False,
        "call; not at work",
    )


def test_without_person_id_an_address_is_a_person(lists):
    """Rows of one mailbox, in any spelling, are one person, whose id does not tell the address."""
    (contact,) = contacts(
        lists, contact_row("Nadia@home.example"), contact_row("nadia+court@HOME.example", case_ref="42/2/26")
    )
    assert len(contact.cases) == 2
    assert contact.person_id.startswith("a-")
    assert "nadia" not in contact.person_id


def test_a_row_without_person_id_joins_the_one_of_its_address_and_name(lists):
    """An export that fills person_id in only now and then does not split a person in two."""
    (contact,) = contacts(
        lists,
        contact_row(person_id="P-1"),
        contact_row(case_ref="42/2/26", name="NADIA RAHMAN"),
        contact_row(case_ref="42/3/26", name=""),
    )
    assert contact.person_id == "P-1"
    assert len(contact.cases) == 3


def test_a_shared_address_keeps_its_people_apart(lists):
    """Two person_ids at one address stay two, and a third name there joins neither."""
    found = contacts(
        lists,
        contact_row(person_id="P-1", name="Ann"),
        contact_row(person_id="P-2", name="Ben"),
        contact_row(name="Cat"),
    )
    assert [contact.names for contact in found] == [("Ann",), ("Ben",), ("Cat",)]


@pytest.mark.parametrize("role", ["victim", "witness", "complainant", "injured-party", "next-of-kin"])
def test_a_suspect_who_is_something_else_too_is_a_contact(lists, role):
    """Strictest wins: victim here and suspect there is a contact, with both cases for the reviewer."""
    (contact,) = contacts(lists, contact_row(role="suspect"), contact_row(role=role, case_ref="42/2/26"))
    assert len(contact.cases) == 2


def test_a_suspect_and_nothing_else_is_no_contact(lists):
    """Only victims and witnesses, and those beside them, are registered."""
    found = contacts(lists, contact_row(), contact_row("s@home.example", role="suspect"))
    assert [contact.emails for contact in found] == [("nadia@home.example",)]


def test_officers_and_managers_are_named_by_their_own_address(lists):
    """An alias in the list becomes the officer's address, so that assigned means assigned."""
    lists.write_contacts(
        contact_row(officers="4417@Force.example; Amir.Khan@force.example;gone@force.example")
    )
    result = load(lists.settings, None, NOW)
    (contact,) = contacts_in(result.registry)
    assert contact.cases[0].officers == ("amir.khan@force.example", "gone@force.example")


def test_staff_are_found_by_address_and_alias(lists):
    """Every spelling of a staff address leads to the one member."""
    registry = load(lists.settings, None, NOW).registry
    for address in ("amir.khan@force.example", "AMIR.KHAN@FORCE.EXAMPLE.", "4417+x@force.example"):
        member = staff_for(registry, address)
        assert member is not None
        assert (member.staff_id, member.manager) == ("4417", "helen.brooks@force.example")


def test_the_order_of_rows_does_not_change_the_version(lists):
    """The version is the hash of the content: rows in any order, written in any spelling of yes and no."""
    rows = [
        contact_row(f"p{n}@home.example", person_id=f"P-{n % 7}", case_ref=f"42/{n}/26") for n in range(30)
    ]
    lists.write_contacts(*rows)
    first = load(lists.settings, None, NOW).registry.version
    random.Random(3).shuffle(rows)
    lists.write_contacts(*(row.replace(",no,", ",N,") for row in rows))
    lists.write_staff(*reversed(STAFF))
    assert load(lists.settings, None, NOW).registry.version == first
    assert len(first) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"role": "witness"},
        {"vulnerable": "yes"},
        {"case_status": "charged"},
        {"email_consent": "no"},
        {"officers": ""},
        {"safe_contact": "x"},
        {"name": "Y"},
        {"person_id": "P-2"},
    ],
)
def test_every_change_of_content_changes_the_version(lists, change):
    """Two verdicts with one version were made from the same registry."""
    first = load(lists.settings, None, NOW).registry.version
    lists.write_contacts(contact_row(**change))
    assert load(lists.settings, None, NOW).registry.version != first


def test_the_mailbox_settings_are_part_of_the_version(lists):
    """Whether dots count may decide who is a contact."""
    first = load(lists.settings, None, NOW).registry.version
    settings = lists.settings.model_copy(update={"plus_tag_domains": ()})
    assert load(settings, None, NOW).registry.version != first


def test_domains_in_the_settings_may_be_written_in_any_form(lists):
    """A U-label in the settings meets the A-label in an address."""
    settings = lists.settings.model_copy(update={"dotless_domains": ("BÜCHER.example",)})
    lists.write_contacts(contact_row("jo.doe@xn--bcher-kva.example"))
    registry = load(settings, None, NOW).registry
    assert contacts_for(registry, "j.o.doe@bücher.example")


LOCAL = st.from_regex(r"[a-zA-Z0-9._+'=-]{1,70}", fullmatch=True)
DOMAIN = st.sampled_from(
    ["home.example", "BÜCHER.example", "xn--bcher-kva.example", "a.test", "x", "-a.example", "é.test"]
)


@given(st.builds("{}@{}".format, LOCAL, DOMAIN))
def test_the_short_way_normalises_as_email_validator_does(address):
    """200,000 addresses are read without asking the library each time; the answer is the library's."""
    try:
        expected = validate_email(address, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        with pytest.raises(EmailNotValidError):
            normalised(address)
    else:
        assert normalised(address) == expected.normalized.lower()


ADDRESSES = st.builds(
    "{}@{}".format,
    st.from_regex(r"[a-zA-Z0-9é!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True),
    st.sampled_from(["home.example", "gmail.com", "bücher.example", "straße.example"]),
)


@given(address=ADDRESSES, extra=st.sampled_from(["", ".", " "]), upper=st.booleans())
def test_who_is_registered_is_found(tmp_path_factory, address, extra, upper):
    """Whatever address the list takes, the same address at RCPT is a contact."""
    lists = Lists(tmp_path_factory.mktemp("lists"))
    lists.write_contacts(contact_row(address))
    result = load(lists.settings, None, NOW)
    assert not result.mistakes
    assert contacts_for(result.registry, (address.upper() if upper else address) + extra)


def test_a_large_list_loads_and_matches(lists):
    """20,000 rows with one slip each hundredth: every person is there, every slip is named."""
    rows = [
        contact_row(
            f"p{n}@h{n % 300}.example",
            person_id=f"P-{n}",
            case_ref=f"42/{n}/26",
            opened="x" if n % 100 == 0 else "",
        )
        for n in range(20_000)
    ]
    lists.write_contacts(*rows)
    result = load(lists.settings, None, NOW)
    assert (result.contacts, len(result.mistakes)) == (20_000, 200)
    assert contacts_for(result.registry, "P19999@h199.example")
    assert contacts_for(result.registry, "p19999@h198.example") is None
