"""`gateway contacts`: what a person or a program gets to see, the exit codes, and what is recorded."""

import json

import pytest
from lists import STAFF, Lists, contact_row
from typer.testing import CliRunner

from gateway import audit
from gateway.cli import contacts as command
from gateway.cli.store import initialise
from gateway.model import Event
from gateway.registry import load_last_good
from gateway.settings import StoreSettings
from gateway.store import Store, records


class Site:
    """A folder with lists, settings and, if wanted, a store."""

    def __init__(self, folder):
        self.lists = Lists(folder)
        self.store = StoreSettings(url=f"sqlite:///{folder}/gateway.db", key_file=folder / "sealing.key")
        self.config = folder / "gateway.yaml"
        self.config.write_text(
            "registry: {contacts: contacts.csv, staff: staff.csv, domains: [force.example],"
            " last_good: var/registry.json, max_age_h: 1000000}\n"
            "store: {url: 'sqlite:///gateway.db', key_file: sealing.key}\n"
        )

    def run(self, *words):
        return CliRunner().invoke(command.app, [*words, "--config", str(self.config)])

    def entries(self):
        with Store.open(self.store) as store:
            return store.read_now(audit.entries)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def stored(site):
    initialise(site.store, "test").store.close()
    return site


def test_check_of_good_lists_says_how_many(site):
    """Exit 0 and one summary; nothing is taken over."""
    result = site.run("check")
    assert result.exit_code == 0
    assert result.stdout.startswith("1 contacts, 2 staff; 0 mistakes, 0 warnings")
    assert not site.lists.settings.last_good.exists()


def test_check_names_every_mistake_and_exits_1(site):
    """Each with file, line, column, what and remedy on stderr, warnings marked as such."""
    site.lists.write_contacts(contact_row(role="victm", officers="gone@force.example"))
    result = site.run("check")
    assert result.exit_code == 1
    file = site.lists.settings.contacts
    first, second = result.stderr.splitlines()
    assert first == f"{file}:2:33: role: 'victm' is not known; did you mean 'victim'?"
    assert second.startswith(f"{file}:2: officers: 'gone@force.example' is not on the staff list; ")
    assert second.endswith("(warning)")


def test_check_exits_0_when_there_are_only_warnings(site):
    """An officer who left must not fail the nightly check."""
    site.lists.write_contacts(contact_row(officers="gone@force.example"))
    assert site.run("check").exit_code == 0


def test_check_in_json_is_one_object_a_line(site):
    """A program gets each complaint with its place, and the sums last."""
    site.lists.write_contacts(contact_row(role="victm"))
    result = site.run("check", "--json")
    complaint, summary = map(json.loads, result.stdout.splitlines())
    assert (complaint["grade"], complaint["line"], complaint["column"]) == ("mistake", 2, 33)
    assert complaint["remedy"] == "did you mean 'victim'?"
    assert (summary["contacts"], summary["mistakes"], summary["refused"]) == (1, 1, False)
    assert result.exit_code == 1


def test_check_knows_what_is_in_force(stored):
    """A file that has lost too many people compared with the last import is told before serve refuses it."""
    stored.lists.write_contacts(*(contact_row(f"p{n}@home.example", person_id=f"P-{n}") for n in range(9)))
    assert stored.run("import").exit_code == 0
    stored.lists.write_contacts(contact_row("p0@home.example", person_id="P-0"))
    result = stored.run("check")
    assert result.exit_code == 1
    assert "has lost 8 of 9 people" in result.stderr
    assert "stale: contacts.csv was refused" in result.stdout


def test_import_puts_the_lists_in_force_and_records_it(stored):
    """The last good copy, the version in the store, and an audit entry with the sums and no address."""
    assert stored.run("import").exit_code == 0
    registry = load_last_good(stored.lists.settings)
    entry = stored.entries()[-1]
    assert (entry.event, entry.subject) == (Event.REGISTRY_LOADED, registry.version)
    with Store.open(stored.store) as store:
        assert store.read_now(records.latest_registry_version).version == registry.version
    assert json.loads(entry.payload)["contacts"] == 1
    assert "nadia" not in repr(entry)


def test_import_of_a_refused_list_changes_nothing_and_is_recorded(stored):
    """Refused: exit 1, the copy as it was, and an entry that says so."""
    stored.run("import")
    before = stored.lists.settings.last_good.read_bytes()
    stored.lists.write_bytes(b"")
    assert stored.run("import").exit_code == 1
    assert stored.lists.settings.last_good.read_bytes() == before
    assert stored.entries()[-1].event == Event.REGISTRY_REFUSED


def test_import_with_a_slip_takes_the_rest_over_and_exits_1(stored):
    """Good rows take effect; the exit code says that something is to be mended."""
    stored.lists.write_contacts(contact_row(), contact_row("b@home.example", role="?"))
    assert stored.run("import").exit_code == 1
    assert load_last_good(stored.lists.settings) is not None


def test_import_can_be_told_to_accept_a_loss(stored):
    """A person's word lets people go; the audit entry says that it was given."""
    stored.lists.write_contacts(*(contact_row(f"p{n}@home.example", person_id=f"P-{n}") for n in range(9)))
    stored.run("import")
    stored.lists.write_contacts(contact_row("p0@home.example", person_id="P-0"))
    assert stored.run("import").exit_code == 1
    assert stored.run("import", "--accept-loss").exit_code == 0
    with Store.open(stored.store) as store:
        assert store.read_now(records.latest_registry_version).contacts == 1


def test_import_without_a_store_is_refused(site):
    """What cannot be recorded is not put in force."""
    result = site.run("import")
    assert result.exit_code == 1
    assert not site.lists.settings.last_good.exists()


def test_show_prints_key_person_and_cases(site):
    """Any spelling finds the person; without a store there is nothing to record it in."""
    result = site.run("show", "NADIA%home.example@relay.example")
    assert result.exit_code == 0
    assert "other_readings: nadia@home.example" in result.stdout
    assert "Nadia Rahman <nadia@home.example>" in result.stdout
    assert "victim in 42/1/26 (open), assigned: amir.khan@force.example" in result.stdout


def test_show_is_recorded_by_person_id(stored):
    """Looking a contact up is an audit entry that holds ids, never the address."""
    stored.lists.write_contacts(contact_row(person_id="P-1", vulnerable="yes", is_child="yes"))
    result = stored.run("show", "nadia@home.example", "--json")
    shown = json.loads(result.stdout)
    assert shown["in_scope"] is True
    assert shown["contacts"][0]["flags"] == ["vulnerable", "child"]
    entry = stored.entries()[-1]
    assert (entry.event, entry.subject) == (Event.CONTACT_SHOWN, "P-1")
    assert "nadia" not in repr(entry)


def test_show_of_staff_and_of_a_stranger(stored):
    """Neither is a contact; only the lookup of a contact is a view."""
    before = len(stored.entries())
    officer = json.loads(stored.run("show", "4417@force.example", "--json").stdout)
    stranger = json.loads(stored.run("show", "x@elsewhere.example", "--json").stdout)
    assert (officer["staff"], officer["in_scope"], officer["force_address"]) == ("4417", False, True)
    assert (stranger["staff"], stranger["in_scope"]) == (None, False)
    assert len(stored.entries()) == before


def test_show_without_any_registry_fails(site):
    """There is nothing to look in: say so, exit 1."""
    site.lists.settings.contacts.unlink()
    result = site.run("show", "nadia@home.example")
    assert result.exit_code == 1
    assert "no registry was ever loaded" in result.stderr


def test_a_damaged_copy_is_told_and_the_lists_are_used(site):
    """The command works on with good lists and warns of the copy."""
    site.lists.settings.last_good.parent.mkdir()
    site.lists.settings.last_good.write_text("{")
    site.lists.write_staff(*STAFF)
    result = site.run("check")
    assert result.exit_code == 0
    assert "is not what was written" in result.stderr


def test_the_sample_lists_are_right(site):
    """The demo's own lists pass the check and show each kind of contact that the documentation names."""
    sample = command.__file__.replace("contacts.py", "sample")
    site.config.write_text(
        f"registry: {{contacts: {sample}/contacts.csv, staff: {sample}/staff.csv,"
        " domains: [force.example], max_age_h: 1000000}\n"
    )
    result = site.run("check", "--json")
    (summary,) = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 0
    assert (summary["contacts"], summary["staff"]) == (9, 9)
