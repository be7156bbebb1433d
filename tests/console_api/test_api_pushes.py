"""What a records system pushes becomes the registry, by the same rules as the files; every mistake in one answer."""

import json
from datetime import timedelta

import pytest
from api_calls import contacts, staff, without_name
from console_visits import MORE_STAFF
from gateway_process import CONTACTS, STAFF

from gateway import audit
from gateway.identify import contacts_for, staff_for
from gateway.model import Event
from gateway.registry import Keeper, Pushed, load


def problem_of(answer, status, component):
    """Return the problem that an answer is, having looked that it is one (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["type"].endswith(f"/api/openapi.json#/components/responses/{component}")
    return said


def entries_written(api, event):
    """Return actor, subject and payload of every audit entry of ``event``."""

    def look(tx):
        return [
            (one.actor, one.subject, json.loads(one.payload))
            for one in audit.entries(tx, limit=10_000)
            if one.event == event
        ]

    return api.store.read_now(look)


async def test_what_is_pushed_is_the_registry_that_the_files_would_be(api, caller, registry_settings):
    """The same people in the same version, whichever way they came: verdicts carry one hash for one content."""
    registry_settings.contacts.write_text(CONTACTS, encoding="utf-8")
    registry_settings.staff.write_text(STAFF + MORE_STAFF, encoding="utf-8")
    of_files = load(registry_settings, None, api.clock())
    await api.pushed(caller)
    pushed = Pushed(api.store, api.settings.registry)
    of_pushes = load(api.settings.registry, None, api.clock(), source=pushed)
    assert of_pushes.mistakes == ()
    assert of_pushes.registry.version == of_files.registry.version
    assert (await api.desk.registry.get()).version == of_files.registry.version


async def test_typed_fields_are_taken_as_their_text(api, caller):
    """Arrays of addresses, true and false, and null stand for what a file would say."""
    typed = [
        one | {"officers": one["officers"].split(";"), "vulnerable": True, "closed": None}
        for one in contacts()
    ]
    await caller.put("/api/staff", json={"entries": staff()})
    answer = await caller.put("/api/contacts", json={"entries": typed})
    assert answer.status_code == 201
    assert (answer.json()["mistakes"], answer.json()["warnings"]) == ([], []), (
        "the staff were pushed a moment before"
    )
    found = contacts_for(await api.desk.registry.get(), "nadia@home.example").contacts[0]
    assert found.vulnerable
    assert found.cases[0].officers == ("amir.khan@force.example",)


async def test_the_same_push_twice_changes_nothing(api, caller):
    """PUT is idempotent: the second has the revision of the first, and still counts as a sign of life."""
    await api.pushed(caller)
    first = await caller.get("/api/contacts")
    api.clock.forward(hours=2)
    again = await caller.put("/api/contacts", json={"entries": list(reversed(contacts()))})
    second = await caller.get("/api/contacts")
    assert (again.status_code, again.json()["changed"]) == (200, 0)
    assert first.headers["etag"] == again.headers["etag"] == second.headers["etag"]
    assert first.json()["changed_at"] == second.json()["changed_at"]
    assert first.json()["pushed_at"] < second.json()["pushed_at"]


async def test_every_mistake_is_in_one_answer_with_its_place_and_remedy(api, caller):
    """Good entries take effect, a new one with a mistake counts with the stricter value, as of a file (DECISIONS 12)."""
    await caller.put("/api/staff", json={"entries": staff()})
    sent = contacts()
    sent[0] |= {"opened": "11.2.2026"}
    sent[2] |= {"role": "victm", "vulnerable": "perhaps"}
    answer = await caller.put("/api/contacts", json={"entries": sent})
    said = answer.json()
    assert (answer.status_code, said["taken_over"], said["entries"]) == (201, "in-part", 3)
    places = {(one["pointer"], one["entry"]) for one in said["mistakes"]}
    assert places == {
        ("#/entries/0/opened", "P-1"),
        ("#/entries/2/role", "P-3"),
        ("#/entries/2/vulnerable", "P-3"),
    }
    assert all(one["remedy"] for one in said["mistakes"])
    assert "did you mean 'victim'?" in {one["remedy"] for one in said["mistakes"]}
    registry = await api.desk.registry.get()
    assert contacts_for(registry, "rosa@bücher.example").contacts[0].vulnerable


async def test_the_mistakes_are_those_of_a_file(api, caller, registry_settings):
    """Not one word differs but the place: the same code reads both."""
    rows = CONTACTS.replace("2026-02-11,,amir", "2026-02-31,,amir", 1).replace("witness", "witnes", 1)
    registry_settings.contacts.write_text(rows, encoding="utf-8")
    registry_settings.staff.write_text(STAFF + MORE_STAFF, encoding="utf-8")
    of_file = load(registry_settings, None, api.clock()).mistakes
    await caller.put("/api/staff", json={"entries": staff()})
    sent = contacts()
    sent[0]["opened"], sent[1]["role"] = "2026-02-31", "witnes"
    said = (await caller.put("/api/contacts", json={"entries": sent})).json()["mistakes"]
    assert [(one["detail"], one["remedy"]) for one in said] == [(one.what, one.remedy) for one in of_file]


async def test_an_entry_with_a_mistake_keeps_its_last_good_version(api, caller):
    """In a set and alone: what was known of a contact is not lost for a slip."""
    await api.pushed(caller)
    sent = contacts()
    sent[0] |= {"email": "nadia at home"}
    said = (await caller.put("/api/contacts", json={"entries": sent})).json()
    assert (said["kept"], said["taken_over"], said["changed"]) == (["P-1"], "in-part", 0)
    alone = await caller.put("/api/contacts/P-1", json=without_name(sent[0]))
    errors = problem_of(alone, 422, "Mistakes")["errors"]
    assert [(one["pointer"], one["entry"]) for one in errors] == [("#/email", "P-1")]
    await api.desk.registry.look_again()
    assert contacts_for(await api.desk.registry.get(), "nadia@home.example")


async def test_who_would_rather_have_all_or_nothing_says_so(api, caller):
    """Prefer: handling=strict (RFC 7240): one mistake, and nothing is taken over; the answer says what was heeded."""
    await api.pushed(caller)
    sent = [*contacts(), contacts()[0] | {"entry": "P-4", "email": "new@home.example", "opened": "soon"}]
    headers = {"Prefer": 'respond-async, handling="strict"'}
    answer = await caller.put("/api/contacts", json={"entries": sent}, headers=headers)
    assert len(problem_of(answer, 422, "Mistakes")["errors"]) == 1
    assert answer.headers["preference-applied"] == "handling=strict"
    assert (await caller.get("/api/contacts")).json()["entries"] == 3
    lenient = await caller.put(
        "/api/contacts", json={"entries": sent}, headers={"Prefer": "handling=lenient"}
    )
    assert (lenient.status_code, lenient.json()["entries"]) == (200, 4)
    assert lenient.headers["preference-applied"] == "handling=lenient"


async def test_a_set_that_lost_too_many_is_refused_until_it_is_meant(api, caller):
    """As of a file: max_loss_percent, then ?accept_loss=true; what was there stays in force meanwhile."""
    await api.pushed(caller)
    body = {"entries": contacts()[:1]}
    refused = await caller.put("/api/contacts", json=body)
    errors = problem_of(refused, 422, "Mistakes")["errors"]
    assert errors[0]["detail"] == "has lost 2 of 3 people, more than 10 %"
    assert "accept_loss=true" in errors[0]["remedy"]
    assert contacts_for(await api.desk.registry.get(), "joseph@home.example")
    meant = await caller.put("/api/contacts?accept_loss=true", json=body)
    assert (meant.status_code, meant.json()["removed"]) == (200, 2)
    assert contacts_for(await api.desk.registry.get(), "joseph@home.example") is None
    assert (await caller.put("/api/contacts?accept_loss=1", json=body)).status_code == 400


async def test_an_officer_who_is_no_staff_is_a_warning(api, caller):
    """As of a file: the entry takes effect, and the warning names it."""
    await caller.put("/api/staff", json={"entries": staff()})
    sent = [contacts()[0] | {"officers": "gone@force.example"}, *contacts()[1:]]
    said = (await caller.put("/api/contacts", json={"entries": sent})).json()
    assert (said["taken_over"], said["mistakes"]) == ("whole", [])
    assert [(one["pointer"], "gone@force.example" in one["detail"]) for one in said["warnings"]] == [
        ("#/entries/0/officers", True)
    ]


async def test_nobody_is_no_list(api, caller):
    """An empty set is refused, meant or not: a gateway without people would inspect nothing."""
    await api.pushed(caller)
    for path in ("/api/contacts", "/api/contacts?accept_loss=true"):
        assert problem_of(await caller.put(path, json={"entries": []}), 422, "Mistakes")


async def test_one_entry_is_put_and_removed(api, caller):
    """The other entries stay; adding is 201, changing 200, removing 204 however often."""
    await api.pushed(caller)
    new = without_name(contacts()[0]) | {
        "email": "mina@home.example",
        "person_id": "P-9",
        "name": "Mina Rahman",
    }
    assert (await caller.put("/api/contacts/P-9", json=new)).status_code == 201
    assert (await caller.put("/api/contacts/P-9", json=new | {"vulnerable": True})).status_code == 200
    registry = await api.desk.registry.look_again()
    assert contacts_for(registry, "mina@home.example").contacts[0].vulnerable
    assert contacts_for(registry, "nadia@home.example")
    assert [(await caller.delete("/api/contacts/P-9")).status_code for _ in range(2)] == [204, 204]
    assert contacts_for(await api.desk.registry.look_again(), "mina@home.example") is None
    assert (await caller.get("/api/contacts")).json()["entries"] == 3


async def test_a_new_contact_with_a_slip_is_a_contact(api, caller):
    """A slip may cost accuracy, never a contact: the stricter value stands, and the mistake is told."""
    await api.pushed(caller)
    new = without_name(contacts()[0]) | {"email": "mina@home.example", "person_id": "P-9", "opened": "soon"}
    answer = await caller.put("/api/contacts/P-9", json=new)
    assert (answer.status_code, answer.json()["taken_over"]) == (201, "in-part")
    assert contacts_for(await api.desk.registry.look_again(), "mina@home.example")
    strict = await caller.put("/api/contacts/P-10", json=new, headers={"Prefer": "handling=strict"})
    assert strict.status_code == 422
    unreadable = await caller.put("/api/contacts/P-10", json=new | {"email": "mina at home"})
    assert unreadable.status_code == 422


async def test_staff_that_share_an_address_are_told(api, caller):
    """One member of staff alone is looked at beside all others, as in a set."""
    await api.pushed(caller)
    other = without_name(staff()[0]) | {
        "email": "helen.brooks@force.example",
        "staff_id": "9999",
        "aliases": [],
    }
    said = (await caller.put("/api/staff/9999", json=other)).json()
    assert [one["detail"] for one in said["mistakes"]] == [
        "email: 'helen.brooks@force.example' is on entry '3308' already"
    ]
    assert staff_for(await api.desk.registry.look_again(), "helen.brooks@force.example").staff_id == "3308"


async def test_the_last_entry_is_not_removed(api, caller):
    """Else the list would hold nobody."""
    await caller.put("/api/staff", json={"entries": staff()[:1]})
    assert problem_of(await caller.delete("/api/staff/4417"), 409, "Conflict")


async def test_one_entry_needs_a_set(api, caller):
    """Before the first whole set a single entry is refused: nobody could tell how much is missing."""
    assert problem_of(await caller.put("/api/staff/4417", json=without_name(staff()[0])), 409, "Conflict")
    assert (await caller.get("/api/staff")).status_code == 404


# --- preconditions ------------------------------------------------------------------------------------------


async def test_a_change_of_what_has_changed_is_refused(api, caller):
    """If-Match with another revision is 412 with the present one; with the present one it is done (RFC 9110, 13.1)."""
    await api.pushed(caller)
    tag = (await caller.get("/api/contacts")).headers["etag"]
    one = without_name(contacts()[0])
    first = await caller.put("/api/contacts/P-1", json=one | {"name": "N. Rahman"}, headers={"If-Match": tag})
    assert first.status_code == 200
    late = await caller.put("/api/contacts/P-2", json=one, headers={"If-Match": tag})
    assert problem_of(late, 412, "Changed")
    assert late.headers["etag"] == first.headers["etag"] != tag
    whole = await caller.put(
        "/api/contacts", json={"entries": contacts()}, headers={"If-Match": f'"x", {tag}'}
    )
    assert whole.status_code == 412
    gone = await caller.delete("/api/contacts/P-1", headers={"If-Match": tag})
    assert gone.status_code == 412
    there = {"If-Match": f'"x", {first.headers["etag"]}'}
    assert (await caller.put("/api/contacts", json={"entries": contacts()}, headers=there)).status_code == 200


async def test_an_answer_that_was_lost_may_be_asked_for_again(api, caller):
    """The same change with the revision from before it is no conflict: it is done already (RFC 9110, 13.1.1)."""
    await api.pushed(caller)
    tag = (await caller.get("/api/contacts")).headers["etag"]
    given = {"json": without_name(contacts()[0]) | {"name": "N. Rahman"}, "headers": {"If-Match": tag}}
    first, again = [await caller.put("/api/contacts/P-1", **given) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.headers["etag"] == again.headers["etag"]
    assert [(await caller.delete("/api/contacts/P-1", headers={"If-Match": again.headers["etag"]})).status_code
            for _ in range(2)] == [204, 204]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": "*"}, 412),
        ({"If-Match": "*"}, 200),
        ({"If-Match": 'W/"x"'}, 412),
        ({"If-Match": "x"}, 400),
        ({"If-Match": '"x'}, 400),
        ({"If-Match": ""}, 412),
    ],
)
async def test_other_preconditions(api, caller, headers, status):
    """`*`, weak tags (never the same), and what is no tag at all."""
    await api.pushed(caller)
    sent = [contacts()[0] | {"name": "N. Rahman"}, *contacts()[1:]]
    answer = await caller.put("/api/contacts", json={"entries": sent}, headers=headers)
    assert answer.status_code == status


async def test_create_only_if_there_is_nothing(api, caller):
    """If-None-Match: * lets the first push in, and no second one."""
    for status, names in ((201, staff()), (412, staff()[:3])):
        answer = await caller.put("/api/staff", json={"entries": names}, headers={"If-None-Match": "*"})
        assert answer.status_code == status


# --- what else becomes of a push ----------------------------------------------------------------------------


async def test_each_push_is_written_down(api, caller):
    """Who, which list, how many came, changed and went; never whom. Refused ones too."""
    await api.pushed(caller)
    await caller.delete("/api/contacts/P-1")
    await caller.put("/api/contacts", json={"entries": []})
    found = entries_written(api, Event.REGISTRY_PUSHED)
    assert [(actor, subject) for actor, subject, _ in found] == [
        ("token:records-system", "staff"),
        ("token:records-system", "contacts"),
        ("token:records-system", "contacts"),
    ]
    assert (found[1][2]["added"], found[2][2]["removed"], found[2][2]["entry"]) == (3, 1, "P-1")
    refused = entries_written(api, Event.REGISTRY_REFUSED)
    assert [(actor, subject) for actor, subject, _ in refused] == [("token:records-system", "contacts")]
    assert "nadia" not in str(found) + str(refused)


async def test_a_process_that_runs_on_adopts_what_is_pushed(api, caller):
    """`serve` keeps its registry by a Keeper: it notices by the revision, and stays with the last good copy on disk."""
    keeper = Keeper(api.settings.registry, Pushed(api.store, api.settings.registry))
    nothing = keeper.look(api.clock())
    assert (nothing.registry, nothing.refused) == (None, True)
    await api.pushed(caller)
    assert keeper.look(api.clock()).registry.version == (await api.desk.registry.get()).version
    assert keeper.look(api.clock()) is None
    await caller.delete("/api/contacts/P-2")
    assert contacts_for(keeper.look(api.clock()).registry, "joseph@home.example") is None
    assert api.settings.registry.last_good.exists()


async def test_lists_that_nobody_pushes_any_more_are_stale(api, caller):
    """A day without a push is an alarm; one that changes nothing ends it."""
    await api.pushed(caller)
    keeper = Keeper(api.settings.registry, Pushed(api.store, api.settings.registry))
    assert keeper.look(api.clock()).registry.stale == ""
    late = api.clock() + timedelta(hours=27)
    assert "the pushed contacts is of 2026-03-02 09:00 UTC" in keeper.look(late).registry.stale
    api.clock.forward(hours=27)
    for name, entries in (("staff", staff()), ("contacts", contacts())):
        await caller.put(f"/api/{name}", json={"entries": entries})
    assert keeper.look(late).registry.stale == ""


async def test_access_is_judged_by_what_was_pushed(api, caller):
    """A supervisor who is on the pushed staff list reviews; before the push nobody on no list sees anything of theirs."""
    api.held()
    await api.pushed(caller)
    shown = await api.visitor("nina.shah@force.example").get("/holds")
    assert "nadia@home.example" in shown.text or "Amir Khan" in shown.text


async def test_the_registry_in_force_is_told(api, caller):
    """What was pushed, and the version that `serve` put in force last."""
    before = (await caller.get("/api/registry")).json()
    assert before == {"source": "api", "sets": [], "in_force": None}
    await api.pushed(caller)
    after = (await caller.get("/api/registry")).json()
    assert [(one["set"], one["entries"]) for one in after["sets"]] == [("contacts", 3), ("staff", 6)]
