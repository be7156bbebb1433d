"""What stays in force when a list is broken, old or gone, and across a restart (DECISIONS 12)."""

import json
import os
import stat
from datetime import timedelta

import pytest
from lists import CONTACT_HEADER, NOW, STAFF, Lists, contact_row, places

from gateway.errors import Mistakes, NotStored
from gateway.identify import contacts_for, staff_for
from gateway.registry import Keeper, contacts_in, load, load_last_good, save_last_good, staff_in

LATER = NOW + timedelta(minutes=5)


def many(count, **fields):
    return [
        contact_row(f"p{n}@home.example", person_id=f"P-{n}", case_ref=f"42/{n}/26", **fields)
        for n in range(count)
    ]


# --- a row --------------------------------------------------------------------------------------------------


def test_a_failed_row_keeps_its_last_good_version(lists):
    """The row cannot be read now, so what it said before stands; the good rows take effect."""
    lists.write_contacts(*many(2, vulnerable="yes", role="witness"))
    previous = load(lists.settings, None, NOW).registry
    rows = many(2, vulnerable="no")
    lists.write_contacts(rows[0].replace("2026-02-11", "soon"), rows[1])
    result = load(lists.settings, previous, LATER)
    kept, changed = contacts_in(result.registry)
    assert (kept.vulnerable, kept.cases[0].role) == (True, "witness")
    assert (changed.vulnerable, changed.cases[0].role) == (False, "victim")
    assert (result.kept, len(result.mistakes), result.accepted, result.registry.stale) == (1, 1, True, "")


@pytest.mark.parametrize(
    "broken",
    [
        contact_row("not an address", person_id="P-0", case_ref="42/0/26"),
        contact_row("p0@home.example", case_ref="42/0/26", role="?"),
        contact_row("p0@home.example", case_ref=""),
        "p0@home.example,Nadia",
        contact_row("p0@home.example", person_id="P-0", case_ref="42/0/26", name='"open'),
        contact_row("gone", person_id="", case_ref="42/0/26"),
    ],
)
def test_a_contact_whose_row_breaks_stays_a_contact(lists, broken):
    """However the row is broken, even past telling whose it is, nobody in it becomes not a contact."""
    lists.write_contacts(*many(3))
    previous = load(lists.settings, None, NOW).registry
    lists.write_contacts(broken, *many(3)[1:])
    result = load(lists.settings, previous, LATER)
    assert len(result.mistakes) == 1
    assert contacts_for(result.registry, "p0@home.example")
    assert (result.contacts, result.lost) == (3, 0)


def test_a_second_address_whose_row_breaks_stays_registered(lists):
    """A person with two addresses, one row past recognition: the address that is missing stays theirs."""
    lists.write_contacts(
        contact_row("a@home.example", person_id="P-1"), contact_row("b@home.example", person_id="P-1")
    )
    previous = load(lists.settings, None, NOW).registry
    lists.write_contacts(contact_row("a@home.example", person_id="P-1"), "b")
    (contact,) = contacts_in(load(lists.settings, previous, LATER).registry)
    assert contact.emails == ("a@home.example", "b@home.example")


def test_a_row_that_left_cleanly_is_gone(lists):
    """Without a broken row, who is no longer listed is no longer a contact."""
    lists.write_contacts(*many(20))
    previous = load(lists.settings, None, NOW).registry
    lists.write_contacts(*many(19))
    result = load(lists.settings, previous, LATER)
    assert contacts_for(result.registry, "p19@home.example") is None
    assert (result.contacts, result.lost) == (19, 1)


def test_a_new_row_with_a_slip_counts_with_the_strict_values(lists):
    """Never listed before and a slip in the row: a victim in an open case, with what cannot be read taken strictly."""
    lists.write_contacts(
        contact_row(role="?", case_status="?", vulnerable="?", email_consent="?", opened="?")
    )
    (contact,) = contacts_in(load(lists.settings, None, NOW).registry)
    assert (contact.cases[0].role, contact.cases[0].status) == ("victim", "open")
    assert (contact.vulnerable, contact.email_consent, contact.do_not_contact) == (True, False, False)


def test_a_failed_row_with_a_new_address_covers_both(lists):
    """The address changed and the date is wrong: the old address stays, the new one counts already."""
    lists.write_contacts(contact_row("old@home.example", person_id="P-1"))
    previous = load(lists.settings, None, NOW).registry
    lists.write_contacts(contact_row("new@home.example", person_id="P-1", opened="?"))
    registry = load(lists.settings, previous, LATER).registry
    assert contacts_for(registry, "old@home.example")
    assert contacts_for(registry, "new@home.example")


@pytest.mark.parametrize(
    "broken", ["amir.khan@force.example,,DC,,,officer,,4417", "amir,Amir,DC,,,officer,,4417", "amir"]
)
def test_a_failed_staff_row_keeps_its_last_good_version(lists, broken):
    """An officer whose row breaks is still known, by address and alias, and still nobody's reviewer by mistake."""
    previous = load(lists.settings, None, NOW).registry
    lists.write_staff(broken, STAFF[1])
    result = load(lists.settings, previous, LATER)
    member = staff_for(result.registry, "4417@force.example")
    assert member is not None
    assert member.manager == "helen.brooks@force.example"
    assert result.mistakes


# --- a file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "header", "reason"),
    [
        ((), CONTACT_HEADER, "holds nobody"),
        ((contact_row(),), "email,name", "the column 'role' is missing"),
        (many(17), CONTACT_HEADER, "has lost 3 of 20 people, more than 10 %"),
    ],
)
def test_a_refused_file_leaves_the_last_good_one_in_force_and_marks_it(lists, rows, header, reason):
    """Bad header, emptiness, or too great a loss: everybody stays, and every verdict says that the list is stale."""
    lists.write_contacts(*many(20))
    previous = load(lists.settings, None, NOW).registry
    lists.write_contacts(*rows, header=header)
    result = load(lists.settings, previous, LATER)
    assert (result.refused, result.accepted, result.contacts) == (True, False, 20)
    assert result.registry.contacts_by_key == previous.contacts_by_key
    assert result.registry.loaded_at == NOW
    assert (
        result.registry.stale
        == f"contacts.csv was refused ({reason}); the copy of 2026-03-03 10:00 UTC is in force"
    )
    assert result.mistakes[0].what == reason


def test_the_loss_that_is_allowed_is_a_setting_and_may_be_accepted_once(lists):
    """Ten in a hundred may go; more needs a person's word."""
    lists.write_contacts(*many(20))
    previous = load(lists.settings, None, NOW).registry
    lists.write_contacts(*many(18))
    assert load(lists.settings, previous, LATER).accepted
    lists.write_contacts(*many(5))
    assert not load(lists.settings, previous, LATER).accepted
    accepted = load(lists.settings, previous, LATER, accept_loss=True)
    assert (accepted.accepted, accepted.contacts, accepted.lost) == (True, 5, 15)
    generous = lists.settings.model_copy(update={"max_loss_percent": 75.0})
    assert load(generous, previous, LATER).accepted


def test_a_changed_address_of_a_known_person_is_no_loss_of_the_others(lists):
    """Loss is counted by people who are at none of their addresses any more."""
    lists.write_contacts(*(contact_row(f"{place}@home.example", person_id="P-1") for place in "ab"), *many(8))
    previous = load(lists.settings, None, NOW).registry
    lists.write_contacts(contact_row("a@home.example", person_id="P-1"), *many(8))
    assert load(lists.settings, previous, LATER).lost == 0


def test_one_refused_file_does_not_hold_the_other_back(lists):
    """A broken contact list leaves a new staff list to take effect."""
    previous = load(lists.settings, None, NOW).registry
    lists.write_bytes(b"")
    lists.write_staff(*STAFF, "ann@force.example,Ann Moss,PC,,,officer,,9")
    result = load(lists.settings, previous, LATER)
    assert "9" in {member.staff_id for member in staff_in(result.registry)}
    assert contacts_for(result.registry, "nadia@home.example")
    assert "contacts.csv" in result.registry.stale
    assert "staff.csv" not in result.registry.stale


def test_files_that_are_old_make_the_registry_stale(lists):
    """Older than max_age_h at the time of loading: in force, and marked."""
    lists.write_contacts(contact_row(), at=NOW - timedelta(hours=27))
    result = load(lists.settings, None, NOW)
    assert result.registry.stale == "contacts.csv is of 2026-03-02 07:00 UTC, more than 26 h old"
    assert result.accepted


# --- a restart ----------------------------------------------------------------------------------------------


def test_the_last_good_copy_survives_as_it_was(lists):
    """Everything comes back, under the same version; only its owner may read the file, and nothing else is left."""
    lists.write_contacts(*many(3, vulnerable="yes", closed="2026-03-01"), contact_row("é@bücher.example"))
    registry = load(lists.settings, None, NOW).registry
    save_last_good(registry, lists.settings.last_good)
    again = load_last_good(lists.settings)
    assert (again.version, again.contacts_by_key, again.staff_by_key) == (
        registry.version,
        registry.contacts_by_key,
        registry.staff_by_key,
    )
    assert again.loaded_at == NOW
    assert "2026-03-03 10:00" in again.stale
    assert stat.S_IMODE(lists.settings.last_good.stat().st_mode) == 0o600
    assert [path.name for path in lists.settings.last_good.parent.iterdir()] == ["registry.json"]


def test_no_copy_is_none(lists):
    """Before the first load there is nothing to come back to."""
    assert load_last_good(lists.settings) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content.replace(b"nadia@home.example", b"nadja@home.example"),
        lambda content: b"",
        lambda content: b"{}\n{}",
        lambda content: content.replace(b"registry 1", b"registry 9"),
        lambda content: b"\xff" + content,
    ],
)
def test_a_damaged_copy_is_refused_and_named(lists, damage):
    """Cut short, changed by hand or of another format: never taken for what was written."""
    save_last_good(load(lists.settings, None, NOW).registry, lists.settings.last_good)
    path = lists.settings.last_good
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Mistakes) as raised:
        load_last_good(lists.settings)
    assert raised.value.mistakes[0].file == str(path)
    assert "gateway contacts import" in raised.value.mistakes[0].remedy


def test_a_copy_that_cannot_be_written_leaves_the_old_one(lists, monkeypatch):
    """Disk full at the sync: an error with a hint, the old copy whole, no rest of the new one."""
    path = lists.settings.last_good
    save_last_good(load(lists.settings, None, NOW).registry, path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    lists.write_contacts(*many(3))
    with pytest.raises(NotStored, match="No space left"):
        save_last_good(load(lists.settings, None, NOW).registry, path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["registry.json"]


# --- the keeper ---------------------------------------------------------------------------------------------


def test_nothing_ever_loaded_is_no_registry(lists):
    """serve has to refuse to start: there is no list and never was."""
    lists.settings.contacts.unlink()
    keeper = Keeper(lists.settings)
    result = keeper.look(NOW)
    assert result.registry is None
    assert keeper.registry is None


def test_a_restart_beside_a_broken_export_knows_every_contact(lists):
    """The copy on disk is in force, marked stale, until the file is mended."""
    Keeper(lists.settings).look(NOW)
    lists.write_bytes(b"")
    keeper = Keeper(lists.settings)
    result = keeper.look(LATER)
    assert contacts_for(result.registry, "nadia@home.example")
    assert "contacts.csv was refused" in result.registry.stale
    lists.write_contacts(contact_row(), at=LATER)
    assert keeper.look(LATER).registry.stale == ""


def test_a_look_without_a_change_does_nothing(lists):
    """Looking every minute costs three stat calls, and gives nothing to log."""
    keeper = Keeper(lists.settings)
    assert keeper.look(NOW) is not None
    assert keeper.look(LATER) is None
    assert keeper.look(LATER, force=True) is not None


def test_a_change_of_either_file_is_seen(lists):
    """A rewritten list, of the same size too, is read at the next look."""
    keeper = Keeper(lists.settings)
    keeper.look(NOW)
    lists.write_contacts(contact_row("nadja@home.example"), at=LATER)
    lists.settings = lists.settings.model_copy(update={"max_loss_percent": 100.0})
    keeper_result = keeper.look(LATER)
    assert keeper_result.refused, "everybody is gone: the loss guard holds"
    lists.write_contacts(contact_row(), contact_row("nadja@home.example"), at=LATER)
    assert keeper.look(LATER).contacts == 2
    lists.write_staff(*STAFF, "ann@force.example,Ann Moss,PC,,,officer,,9", at=LATER)
    assert keeper.look(LATER).staff == 3


def test_files_that_grow_old_mark_the_registry_without_being_read_again(lists):
    """Staleness comes with time, not with a change, and goes with a fresh file."""
    keeper = Keeper(lists.settings)
    version = keeper.look(NOW).registry.version
    late = NOW + timedelta(hours=27)
    aged = keeper.look(late)
    assert aged.registry.version == version
    assert "more than 26 h old" in aged.registry.stale
    assert keeper.registry is aged.registry
    assert keeper.look(late) is None
    lists.write_contacts(contact_row(), at=late)
    lists.write_staff(*STAFF, at=late)
    assert keeper.look(late).registry.stale == ""


def test_a_deleted_list_leaves_everybody_in_force(lists):
    """The export's folder is not mounted: stale, and never not a contact."""
    keeper = Keeper(lists.settings)
    keeper.look(NOW)
    lists.settings.contacts.unlink()
    result = keeper.look(LATER)
    assert contacts_for(result.registry, "nadia@home.example")
    assert "cannot be read" in result.registry.stale


def test_an_import_by_hand_is_adopted_by_a_running_gateway(lists):
    """`gateway contacts import --accept-loss` writes the copy; the next look falls back on it, not on the old people."""
    lists.write_contacts(*many(10))
    keeper = Keeper(lists.settings)
    keeper.look(NOW)
    lists.write_contacts(*many(2), at=LATER)
    assert keeper.look(LATER).refused
    imported = load(lists.settings, keeper.registry, LATER, accept_loss=True)
    save_last_good(imported.registry, lists.settings.last_good)
    result = keeper.look(LATER)
    assert (result.accepted, result.contacts, result.registry.stale) == (True, 2, "")


def test_a_copy_that_cannot_be_kept_is_a_warning(lists, tmp_path):
    """The registry is in force all the same; the operator is told that a restart would not find it."""
    (tmp_path / "var").write_text("a file where the folder should be")
    result = Keeper(lists.settings).look(NOW)
    assert result.accepted
    assert any(
        what.startswith("the last good registry cannot be written") for *_, what in places(result.warnings)
    )


def test_a_damaged_copy_is_a_warning_beside_good_lists(lists):
    """Good files need no copy: it is written anew, and its damage is told."""
    lists.settings.last_good.parent.mkdir()
    lists.settings.last_good.write_text("{")
    result = Keeper(lists.settings).look(NOW)
    assert result.accepted
    assert "is not what was written" in result.warnings[0].what
    assert json.loads(lists.settings.last_good.read_bytes().partition(b"\n")[0])["format"]


def test_a_copy_does_not_name_the_settings(tmp_path):
    """Mailbox settings that changed since count at once for people from the copy."""
    lists = Lists(tmp_path)
    lists.write_contacts(contact_row("jo.doe@post.example"))
    Keeper(lists.settings).look(NOW)
    dotless = lists.settings.model_copy(update={"dotless_domains": ("post.example",)})
    assert contacts_for(load_last_good(dotless), "jodoe@post.example")
