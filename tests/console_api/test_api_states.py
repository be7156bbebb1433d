"""Other systems learn where items are, and nothing of what is in them or of whom they are about."""

import re
from datetime import timedelta

import pytest

from gateway.model import Event, ItemState
from gateway.store import items
from gateway.store.rows import Decision, DecisionAction
from gateway.store.tokens import May


@pytest.fixture
def reader(api):
    """The records system with a token for states."""
    return api.caller(api.token("reader", May.STATES))


def decided(api, item, *states):
    """Move a hold along ``states`` with a decision an hour after now."""

    def job(tx):
        before = ItemState.HELD
        for state in states:
            items.set_state(tx, item, before, state)
            before = state
        at = api.clock() + timedelta(hours=1)
        items.add_decision(
            tx, Decision(item_id=item, actor="r", action=DecisionAction.RETURN, reason="amazingly", at=at)
        )

    api.store.write_now(job)


async def test_id_kind_state_and_times(api, reader):
    """All there is to know, in order of receipt."""
    first = api.held(retry_key="a", held_at=api.clock() - timedelta(hours=2))
    second = api.held(retry_key="b")
    decided(api, first, ItemState.RETURNED)
    said = (await reader.get("/api/states")).json()
    assert said == {
        "items": [
            {"id": first, "kind": "hold", "state": "returned", "received_at": "2026-03-02T07:00:00Z",
             "decided_at": "2026-03-02T10:00:00Z"},
            {"id": second, "kind": "hold", "state": "held", "received_at": "2026-03-02T08:00:00Z",
             "decided_at": None},
        ]
    }  # fmt: skip
    assert (await reader.get(f"/api/states/{first}")).json() == said["items"][0]


async def test_pages_are_whole(api, reader):
    """Following next, every item comes once; times that are the same do not matter."""
    there = sorted(api.held(retry_key=str(number)) for number in range(7))
    found, path = [], "/api/states?limit=3"
    while path:
        answer = await reader.get(path)
        said = answer.json()
        found += [one["id"] for one in said["items"]]
        path = said.get("next")
        assert bool(path) is ("link" in answer.headers)
    assert found == there


async def test_since_a_time(api, reader):
    """Only what was received then or later."""
    api.held(retry_key="a", held_at=api.clock() - timedelta(days=2))
    late = api.held(retry_key="b")
    answer = await reader.get("/api/states", params={"since": "2026-03-02T00:00:00Z"})
    assert [one["id"] for one in answer.json()["items"]] == [late]


async def test_nothing_personal_goes_out(api, reader):
    """No address, name, subject, reason, unit or officer, in whatever answer (an item holds them all)."""
    item = api.held(subject="You looked amazingly hot")
    decided(api, item, ItemState.RETURNED)
    for path in ("/api/states", f"/api/states/{item}"):
        answer = await reader.get(path)
        assert not re.search(r"@|amazingly|Khan|4417|P-1|Robbery", answer.text)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "limit=-1", "limit=%C2%B2", "since=soon", "since=2026-03-02"]
)
async def test_queries_that_make_no_sense(reader, query):
    """400 with a sentence, not a guess."""
    answer = await reader.get(f"/api/states?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_an_item_that_is_not_there(reader):
    """404; what is no id at all as well."""
    for item in ("abcdefghij234567klmn", "1", "a" * 300):
        assert (await reader.get(f"/api/states/{item}")).status_code == 404


async def test_each_look_is_written_down(api, reader):
    """Who asked is the token; the ids that were told stand in the entry."""
    item = api.held()
    await reader.get("/api/states")
    await reader.get(f"/api/states/{item}")
    assert api.audited(Event.ITEM_LISTED) == [("token:reader", "states")] * 2
