"""Every page as every role: who may gets an answer, who may not cannot tell the page from one that is not there."""

import re
from dataclasses import replace

import pytest
from console_rule_sets import put_in_force
from console_visits import BROOKS, BY_ROLE, KHAN, ORIGIN, PSD, Console, words_of
from wicked_provider import CLIENT, ISSUER, SECRET, Provider

from gateway.console import application
from gateway.console.access_table import ROLES, may
from gateway.console.app import PAGES
from gateway.console.directory import Directory
from gateway.console.directory_pages import BACK
from gateway.model import StaffId
from gateway.settings import OidcSettings
from gateway.store.sessions import Stage


@pytest.fixture
async def console(console_store, registry_settings):
    """A console with a directory, so that every page is there; of its stream it gives nobody a place, so that it ends."""
    settings = OidcSettings(issuer=ISSUER, client_id=CLIENT, client_secret=SECRET)
    made = Console(console_store, registry_settings, oidc=settings, max_live=0)
    provider = Provider(made.clock)
    directory = Directory(settings, ORIGIN + BACK, made.clock, transport=provider.transport)
    made.desk = replace(made.desk, directory=directory)
    made.app = application(made.desk)
    put_in_force(made)
    yield made
    await made.desk.reader.close()


WAYS = [(page, method) for page in PAGES for method in page.methods]
IDS = [f"{method} {page.path}" for page, method in WAYS]
ABOUT_ITEMS = [(page, method) for page, method in WAYS if "{item" in page.path]


def address(page, item):
    """Return the address of a page with ``item`` in its path, a rule or list in force, a harmless word in other places."""
    path = re.sub(r"\{item[^}]*\}", item, page.path)
    path = path.replace("{rule}", "advance.drink").replace("{list}", "offices")
    return re.sub(r"\{[^}]*\}", "1", path)


def plain(answer):
    """Return what an answer says, without the tokens that differ by design."""
    return re.sub(r'name="csrf" value="[^"]*"', "", answer.text)


async def ask(visitor, method, path):
    if method == "GET":
        return await visitor.get(path)
    return await visitor.post(path)


@pytest.mark.parametrize(("page", "method"), WAYS, ids=IDS)
async def test_each_page_as_each_role(console, page, method):
    """A role that has the permission gets past the door; one that has not gets what an unknown page answers."""
    item = console.held()
    for role in ROLES:
        visitor = console.visitor(BY_ROLE[role])
        unknown = await ask(visitor, method, "/there-is-no-such-page")
        answer = await ask(visitor, method, address(page, item))
        assert unknown.status_code == 404
        if may(role, page):
            assert answer.status_code not in {404, 405, 500}, (role, answer.status_code)
        else:
            assert (answer.status_code, plain(answer)) == (404, plain(unknown)), role
            assert dict(answer.headers).keys() == dict(unknown.headers).keys()


@pytest.mark.parametrize(("page", "method"), WAYS, ids=IDS)
async def test_before_signing_in_every_address_is_alike(console, page, method):
    """A stranger learns of no page and no item: what is there and what is not leads to the sign-in."""
    item = console.held()
    stranger = console.stranger()
    answers = [
        await stranger.http.request(method, path)
        for path in (address(page, item), address(page, "nothing"), "/there-is-no-such-page")
    ]
    if page.permission is None:
        return
    assert {one.status_code for one in answers} == {303}
    assert {one.headers["location"].split("?")[0] for one in answers} == {"/sign-in"}


@pytest.mark.parametrize("page", [page for page in PAGES if page.permission], ids=lambda page: page.path)
async def test_half_a_sign_in_opens_nothing(console, page):
    """With the password alone, before the code, no page answers but those that take the code."""
    item = console.held()
    visitor = console.visitor(PSD, stage=Stage.CODE)
    if Stage.CODE in page.stages:
        return
    answer = await visitor.http.request(page.methods[0], address(page, item))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code")


@pytest.mark.parametrize("other", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_absent(console, reviewer, other):
    """A page has the methods it declares; of others nobody learns whether the page is there."""
    for path in ("/holds", "/there-is-no-such-page"):
        assert (await reviewer.http.request(other, path)).status_code == 404


async def test_reading_changes_nothing(console, reviewer):
    """No GET ends a session, decides or keeps anything: only forms do."""
    for page in PAGES:
        if page.get is None and page.post is not None:
            assert (await reviewer.get(address(page, "x"))).status_code == 404
    assert (await reviewer.get("/holds")).status_code == 200


def about(console):
    """Return items that Helen Brooks may not know of, each for another reason."""
    return {
        "she is named": console.held(excluded=(KHAN, BROOKS)),
        "she wrote it": console.held(officer=BROOKS, senders=(BROOKS,), excluded=(BROOKS,)),
        "her manager wrote it": console.held(
            officer=StaffId("2201"), senders=(StaffId("2201"),), excluded=(StaffId("2201"),)
        ),
        "it is with professional standards": console.held(psd_only="thirty people are named"),
        "nobody knows who wrote it": console.held(officer=None, senders=(), excluded=()),
    }


async def test_nobody_counts_what_they_may_not_know_of(console):
    """Rows, counts, oldest, median, units: as if those items were not there (P7)."""
    brooks = console.visitor("helen.brooks@force.example")
    empty = {path: words_of(await brooks.get(path)) for path in ("/holds", "/flags", "/decided")}
    hidden = about(console)
    for path, before in empty.items():
        after = await brooks.get(path)
        assert words_of(after) == before
        assert not [item for item in hidden.values() if item in after.text]
    others = await console.visitor(PSD).get("/holds")
    assert all(item in others.text for item in hidden.values())


async def test_the_place_behind_an_item_does_not_tell_of_it(console):
    """Asking for the page behind an item out of sight is as asking behind one that does not exist."""
    seen = console.held()
    brooks = console.visitor("helen.brooks@force.example")
    assert seen in (await brooks.get("/holds")).text
    answers = [await brooks.get(f"/holds?after={item}") for item in (*about(console).values(), "nothing")]
    assert all(seen not in one.text for one in answers)
    assert len({words_of(one) for one in answers}) == 1


async def test_an_item_out_of_sight_is_absent(console):
    """Every page about one item answers for an item one may not know of what it answers for none at all (IDOR)."""
    brooks = console.visitor("helen.brooks@force.example")
    hidden = about(console)
    for page, method in ABOUT_ITEMS:
        absent = await ask(brooks, method, address(page, "nothing"))
        assert absent.status_code == 404, page.path
        for why, item in hidden.items():
            answer = await ask(brooks, method, address(page, item))
            assert (answer.status_code, plain(answer)) == (404, plain(absent)), (page.path, why)
            assert dict(answer.headers).keys() == dict(absent.headers).keys()
