"""Where items are: id, kind, state and times. No text, no address, no name, no officer.

A token is no person, so no conflict of interest stands in its way, and for that reason nothing personal goes out. Who
builds a page from it must mind that a person who sees it learns that an item exists. Each answer is an audit entry.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from gateway import audit
from gateway.console.api.calls import Call, Operation, answer
from gateway.console.api.problems import Kind, Problem
from gateway.model import Event
from gateway.store import Tx, progress
from gateway.store.progress import Progress
from gateway.store.tokens import May


async def some(call: Call) -> Response:
    """Answer with a page of items in order of receipt, and where the next page is (RFC 8288)."""
    limit, after, since = _limit(call), call.request.query_params.get("after", ""), _since(call)
    found = await call.desk.store.read(
        lambda tx: progress.page(tx, limit=limit + 1, after=after, since=since)
    )
    shown = found[:limit]
    await _record(call, shown)
    said: dict[str, Any] = {"items": [_said(one) for one in shown]}
    headers = {}
    if len(found) > limit:
        query = {"after": shown[-1].id, "limit": str(limit)}
        said["next"] = f"/api/states?{urlencode(query)}"
        headers["Link"] = f'<{said["next"]}>; rel="next"'
    return answer(said, headers=headers)


async def one(call: Call) -> Response:
    """Answer with one item."""
    item_id = call.path["item"]
    found = await call.desk.store.read(lambda tx: progress.of(tx, item_id))
    await _record(call, (found,) if found else ())
    if found is None:
        raise Problem(Kind.ABSENT, "There is no item of that id: it passed, or never was.")
    return answer(_said(found))


def _said(found: Progress) -> dict[str, str | None]:
    return {
        "id": found.id,
        "kind": found.kind.value,
        "state": found.state.value,
        "received_at": _time(found.held_at),
        "decided_at": _time(found.decided_at) if found.decided_at else None,
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _limit(call: Call) -> int:
    most = call.desk.settings.api.page_rows
    said = call.request.query_params.get("limit", str(most))
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:6]) <= most and len(said) <= 6):
        raise Problem(Kind.MALFORMED, f"limit is no number from 1 to {most}.")
    return int(said)


def _since(call: Call) -> datetime | None:
    said = call.request.query_params.get("since", "")
    if not said:
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Problem(Kind.MALFORMED, "since is no time with a zone: write it as 2026-03-31T09:00:00Z.")
    return found


async def _record(call: Call, shown: tuple[Progress, ...]) -> None:
    """Write down what is about to be told, before it is."""
    payload: dict[str, audit.Value] = {
        "list": "states",
        "system": "api",
        "ids": tuple(found.id for found in shown),
    }

    def record(tx: Tx) -> None:
        audit.append(
            tx, Event.ITEM_LISTED, actor=call.actor, subject="states", payload=payload, at=call.desk.now()
        )

    await call.desk.store.write(record)


OPERATIONS = (
    Operation(method="GET", path="/api/states", name="listStates", may=May.STATES, handle=some),
    Operation(method="GET", path="/api/states/{item}", name="readState", may=May.STATES, handle=one),
)
