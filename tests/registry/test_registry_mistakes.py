"""Every way in which a list can be wrong: where it is said to be, and what is to be done."""

import pytest
from lists import CONTACT_HEADER, NOW, STAFF, STAFF_HEADER, contact_row, places

from gateway.identify import contacts_for
from gateway.registry import load, staff_in

GOOD = contact_row("other@home.example", name="Other", case_ref="42/2/26")

FIELDS = [
    # field, value, column of the field, beginning of the sentence, what the remedy says
    ("email", "", 1, "email: is empty", "leave the row out"),
    (
        "email",
        "nadia",
        1,
        "email: 'nadia' is not an address: An email address must have an @-sign",
        "name@domain",
    ),
    ("email", "nadia@home example", 1, "email: 'nadia@home example' is not an address", "name@domain"),
    ("email", "nadia@-home.example", 1, "email: 'nadia@-home.example' is not an address", "name@domain"),
    ("email", "Nadia <nadia@home.example>", 1, "email: 'Nadia <nadia@home.example>' is not", "name@domain"),
    ("email", "nadia@[192.0.2.1]", 1, "email: 'nadia@[192.0.2.1]' is not an address", "name@domain"),
    (
        "email",
        "na\u200bdia@home.example",
        1,
        "email: 'na\\u200bdia@home.example' is not an address",
        "name@domain",
    ),
    ("role", "", 33, "role: is empty", "fill it in"),
    ("role", "victm", 33, "role: 'victm' is not known", "did you mean 'victim'?"),
    ("role", "zzz", 33, "role: 'zzz' is not known", "use one of victim, witness"),
    ("case_ref", "", 40, "case_ref: is empty", "fill it in"),
    ("case_status", "opne", 48, "case_status: 'opne' is not known", "did you mean 'open'?"),
    ("opened", "11/02/2026", 53, "opened: '11/02/2026' is not a date", "2026-03-31"),
    ("opened", "2026-02-30", 53, "opened: '2026-02-30' is not a date", "2026-03-31"),
    ("opened", "20260211", 53, "opened: '20260211' is not a date", "2026-03-31"),
    ("closed", "2026-01-01", 64, "closed: closed on 2026-01-01, before it was opened on 2026-02-11", "mend"),
    ("officers", "amir.khan", 65, "officers: 'amir.khan' is not an address", "name@domain"),
    ("officers", "amir.khan@force.example;x@", 65, "officers: 'x@' is not an address", "name@domain"),
    ("vulnerable", "maybe", 89, "vulnerable: 'maybe' is neither yes nor no", "use yes or no"),
    ("safe_contact", "a\x00b", 92, "safe_contact: holds the control character U+0000", "UTF-8"),
    ("safe_contact", "x" * 5000, 92, "safe_contact: is longer than 4096 characters", "max_field_chars"),
    ("do_not_contact", "2", 94, "do_not_contact: '2' is neither", "use yes or no"),
    ("email_consent", "ja", 95, "email_consent: 'ja' is neither", "use yes or no"),
    ("is_child", "-", 96, "is_child: '-' is neither", "use yes or no"),
]


@pytest.mark.parametrize(("field", "value", "column", "what", "remedy"), FIELDS)
def test_a_wrong_field_is_named_with_line_column_and_remedy(lists, field, value, column, what, remedy):
    """The mistake stands at the first character of its field, on its physical line; the other rows take effect."""
    lists.write_contacts(GOOD, contact_row(**{field: value}) if field != "email" else contact_row(value))
    result = load(lists.settings, None, NOW)
    (mistake,) = result.mistakes
    assert (mistake.line, mistake.column) == (3, column)
    assert mistake.what.startswith(what)
    assert remedy in mistake.remedy
    assert mistake.file == str(lists.settings.contacts)
    assert contacts_for(result.registry, "other@home.example")


def test_all_mistakes_of_a_row_and_a_file_are_found_in_one_run(lists):
    """Nobody has to run the check again to learn the next mistake."""
    lists.write_contacts(
        contact_row("x", role="y", opened="z"), GOOD, contact_row("nadia@home.example", is_child="?")
    )
    assert [
        (line, what.partition(":")[0]) for line, _, what in places(load(lists.settings, None, NOW).mistakes)
    ] == [
        (2, "opened"),
        (2, "email"),
        (2, "role"),
        (4, "is_child"),
    ]


def test_columns_count_behind_quoted_fields_and_lines_inside_them(lists):
    """A quoted field may hold commas, doubled quotes and line ends; the place after it is still exact."""
    row = contact_row(name='"Rahman, ""Nad""\nof two lines"', role="zzz")
    lists.write_contacts(row, contact_row("z"))
    assert places(load(lists.settings, None, NOW).mistakes)[0][:2] == (3, 15)
    assert places(load(lists.settings, None, NOW).mistakes)[1][:2] == (4, 1)


STRUCTURE = [
    ("nadia@home.example,Nadia", 3, 25, "2 fields where the header has 15"),
    (contact_row() + ",more", 3, len(contact_row()) + 2, "16 fields where the header has 15"),
    (contact_row(name='"Nadia'), 3, 20, "a quotation mark is left open"),
    (contact_row(name='"Nadia"x'), 3, 20, "a quotation mark is left open or stands alone"),
]


@pytest.mark.parametrize(("row", "line", "column", "what"), STRUCTURE)
def test_a_broken_row_costs_itself_alone(lists, row, line, column, what):
    """Too few fields, too many, or an open quotation mark: the rows before and behind take effect."""
    behind = contact_row("behind@home.example", case_ref="42/3/26")
    lists.write_contacts(GOOD, row, behind)
    result = load(lists.settings, None, NOW)
    assert places(result.mistakes)[0][:2] == (line, column)
    assert result.mistakes[0].what.startswith(what)
    assert len(result.mistakes) == 1
    assert contacts_for(result.registry, "other@home.example")
    assert contacts_for(result.registry, "behind@home.example")


def test_an_open_quotation_mark_does_not_swallow_a_long_file(lists):
    """Reading goes on with the line after the one that opened the quotation, however much followed."""
    rows = [contact_row(f"p{number}@home.example", case_ref=f"42/{number}/26") for number in range(200)]
    lists.write_contacts(contact_row(name='"Nadia'), *rows)
    result = load(lists.settings, None, NOW)
    assert [line for line, *_ in places(result.mistakes)] == [2]
    assert result.contacts == 200


def test_a_field_without_end_costs_its_row(lists):
    """A field past the reader's own bound is named, and the next row is read."""
    lists.write_contacts(contact_row(name="x" * 140_000), GOOD)
    result = load(lists.settings, None, NOW)
    assert [mistake.what for mistake in result.mistakes] == ["a field is longer than 131,072 characters"]
    assert contacts_for(result.registry, "other@home.example")


def test_a_row_that_is_not_utf_8_is_named_by_its_byte(lists):
    """A list saved in a Windows code page names the field and the byte; the person counts all the same."""
    text = "\n".join((CONTACT_HEADER, contact_row(name="Zoé"), GOOD))
    lists.write_bytes(text.encode("cp1252"))
    result = load(lists.settings, None, NOW)
    assert places(result.mistakes) == [(2, 20, "name: holds the byte 0xE9, which is not UTF-8")]
    assert result.contacts == 2


HEADERS = [
    ("", 1, 1, "has no header", "begin the file with the line email,name"),
    (CONTACT_HEADER.replace(",", ";"), 1, 1, "has one column", "export it with commas"),
    (
        CONTACT_HEADER.replace("is_child", "is_chld"),
        1,
        CONTACT_HEADER.index("is_child") + 1,
        "unknown column 'is_chld'",
        "did you mean 'is_child'?",
    ),
    (CONTACT_HEADER + ",hair", 1, len(CONTACT_HEADER) + 2, "unknown column 'hair'", "leave it out"),
    (CONTACT_HEADER + ",email", 1, len(CONTACT_HEADER) + 2, "the column 'email' stands twice", "leave one"),
    (CONTACT_HEADER.replace(",officers", ""), 1, None, "the column 'officers' is missing", "add it"),
    ('email,"name', 1, 1, "has no header", "begin the file"),
]


@pytest.mark.parametrize(("header", "line", "column", "what", "remedy"), HEADERS)
def test_a_bad_header_refuses_the_file(lists, header, line, column, what, remedy):
    """With a column misread every row would be: nothing is taken over, and with no copy there is no registry."""
    lists.write_contacts(contact_row(), header=header)
    result = load(lists.settings, None, NOW)
    (mistake,) = result.mistakes
    assert (mistake.line, mistake.column) == (line, column)
    assert mistake.what.startswith(what)
    assert remedy in mistake.remedy
    assert result.refused
    assert result.registry is None


def test_a_header_may_be_in_any_order_and_case(lists):
    """Columns are found by name, with a byte order mark and Windows line ends too; the optional ones may lack."""
    content = (
        "\ufeffName, ROLE ,email,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact\r\n"
        "Nadia,Injured Party,nadia@home.example,42/1/26,With_CPS,,,,,\r\n"
    )
    lists.write_bytes(content.encode())
    result = load(lists.settings, None, NOW)
    assert not result.mistakes
    (contact,) = contacts_for(result.registry, "nadia@home.example").contacts
    assert (contact.cases[0].role, contact.cases[0].status) == ("injured-party", "with-cps")


FILES = [
    (b"", "has no header"),
    (CONTACT_HEADER.encode("utf-16"), "is UTF-16"),
    (CONTACT_HEADER.encode() + b"\n", "holds nobody"),
    (CONTACT_HEADER.encode() + b"\n,,,,,,,,,,,,,,\n\n", "holds nobody"),
    (b"x" * 5000, "is larger than 4096 octets"),
    (b"\x00" * 100, "unknown column"),
]


@pytest.mark.parametrize(("content", "what"), FILES)
def test_a_file_that_is_no_list_is_refused(lists, content, what):
    """Empty, another encoding, without people, too large, binary: refused with a reason."""
    lists.write_bytes(content)
    result = load(lists.settings.model_copy(update={"max_file_bytes": 4096}), None, NOW)
    assert result.mistakes[0].what.startswith(what)
    assert result.registry is None


def test_a_file_that_is_not_there_is_refused(lists):
    """A missing staff list is as much a reason not to start as a missing contact list; both are named."""
    lists.settings.staff.unlink()
    lists.settings.contacts.unlink()
    result = load(lists.settings, None, NOW)
    assert [mistake.file for mistake in result.mistakes] == [
        str(lists.settings.contacts),
        str(lists.settings.staff),
    ]
    assert all(mistake.what.startswith("cannot be read") for mistake in result.mistakes)


STAFF_MISTAKES = [
    (("x,Ann,PC,,,officer,,",), [(4, 1, "email: 'x' is not an address")]),
    (("ann@force.example,,PC,,,officer,,",), [(4, 19, "name: is empty")]),
    (("ann@force.example,Ann,PC,,,boss,,",), [(4, 28, "role: 'boss' is not known")]),
    (("ann@force.example,Ann,PC,,nobody,officer,,",), [(4, 27, "manager: 'nobody' is not an address")]),
    (
        ("AMIR.KHAN@force.example,Ann,PC,,,officer,,",),
        [(4, None, "email: 'amir.khan@force.example' is on line 2")],
    ),
    (("ann@force.example,Ann,PC,,,officer,,4417",), [(4, None, "staff_id: '4417' is on line 2 already")]),
    (
        ("ann@force.example,Ann,PC,,,officer,4417@Force.example,",),
        [(4, None, "aliases: '4417@force.example' belongs to line 2")],
    ),
]


@pytest.mark.parametrize(("rows", "mistakes"), STAFF_MISTAKES)
def test_mistakes_of_the_staff_list(lists, rows, mistakes):
    """A wrong row and an address that would be two people's; who is on the list stays on it."""
    lists.write_staff(*STAFF, *rows)
    result = load(lists.settings, None, NOW)
    found = places(result.mistakes)
    assert [place[:2] for place in found] == [place[:2] for place in mistakes]
    assert all(one[2].startswith(other[2]) for one, other in zip(found, mistakes, strict=True))
    assert {"4417", "3308"} <= {member.staff_id for member in staff_in(result.registry)}


WARNINGS = [
    (
        "contacts",
        contact_row(officers="gone@force.example"),
        "officers: 'gone@force.example' is not on the staff list",
    ),
    ("contacts", contact_row(case_status="closed"), "closed: the case is closed but has no closing date"),
    (
        "staff",
        "ann@force.example,Ann,PC,,gone@force.example,officer,,",
        "manager: 'gone@force.example' is not on",
    ),
    ("staff", "ann@force.example,Ann,PC,,ann@force.example,officer,,", "manager: is the person themselves"),
    ("staff", "ann@other.example,Ann,PC,,,officer,,", "1 of the staff have their address in 'other.example'"),
]


@pytest.mark.parametrize(("file", "row", "what"), WARNINGS)
def test_what_only_looks_wrong_is_a_warning_and_takes_effect(lists, file, row, what):
    """Officers leave while their cases stay: that must not fail the check every day."""
    if file == "contacts":
        lists.write_contacts(row)
    else:
        lists.write_staff("amir.khan@force.example,Amir Khan,DC,,,officer,,4417", row)
    result = load(lists.settings, None, NOW)
    assert not result.mistakes
    assert [warning.what.startswith(what) for warning in result.warnings] == [True]


def test_a_circle_of_managers_is_named_once(lists):
    """Each manages the other: the links stay, so that the conflict check sees both, and a warning says so."""
    lists.write_staff(
        "amir.khan@force.example,A,DC,,b@force.example,officer,,",
        "b@force.example,B,DC,,c@force.example,officer,,",
        "c@force.example,C,DC,,amir.khan@force.example,officer,,",
        "d@force.example,D,DC,,c@force.example,officer,,",
    )
    result = load(lists.settings, None, NOW)
    (warning,) = result.warnings
    assert warning.line == 2
    assert warning.what.count("manages") == 3
    assert all(member.manager for member in staff_in(result.registry))


def test_rows_that_tell_one_case_differently_are_a_mistake_and_both_count(lists):
    """Two rows of one person, case and role that disagree: neither is guessed to be the right one."""
    lists.write_contacts(contact_row(), contact_row(case_status="charged", vulnerable="yes"))
    result = load(lists.settings, None, NOW)
    assert places(result.mistakes) == [
        (3, None, "case_ref: '42/1/26' is told differently on line 2 for this victim")
    ]
    (contact,) = contacts_for(result.registry, "nadia@home.example").contacts
    assert {case.status for case in contact.cases} == {"open", "charged"}
    assert contact.vulnerable


def test_a_row_that_stands_twice_is_no_mistake(lists):
    """An export that joins tables repeats rows; they say the same."""
    lists.write_contacts(contact_row(), contact_row())
    result = load(lists.settings, None, NOW)
    assert not result.mistakes
    assert result.contacts == 1


def test_without_force_domains_those_of_the_staff_are_taken(lists):
    """A gateway without registry.domains still tells its own addresses from private ones, and says so."""
    settings = lists.settings.model_copy(update={"domains": ()})
    result = load(settings, None, NOW)
    assert result.registry.domains == ("force.example",)
    assert "registry.domains" in result.warnings[-1].what


def test_force_domains_of_a_private_network_are_accepted(lists):
    """email-validator refuses .local; a force that uses it names it in registry.domains."""
    settings = lists.settings.model_copy(update={"domains": ("force.local",)})
    lists.write_staff("ann@force.local,Ann,PC,,,officer,", header=STAFF_HEADER.removesuffix(",staff_id"))
    result = load(settings, None, NOW)
    assert not [mistake for mistake in result.mistakes if mistake.file == str(settings.staff)]
    assert [member.email for member in staff_in(result.registry)] == ["ann@force.local"]
