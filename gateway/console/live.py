"""News for open pages: server-sent events that say that a list has changed, and never what is out of sight.

A page is told a mark made of what its visitor may know of; another mark means that the list is another. The end of the audit
chain is looked at first, which is one row: nothing happens without an entry. So many streams are open at once
as ``console.max_live`` says; one more is told to ask by itself. A stream ends with its session.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from starlette.responses import Response, StreamingResponse

from gateway.console import sessions
from gateway.console.pages import Visit
from gateway.console.shelves import Shelf
from gateway.errors import GatewayError
from gateway.review.sight import sight_of
from gateway.store import Tx, chain, queue
from gateway.store.queue import Sight, Tally, Wanted

log = structlog.get_logger("gateway.console")

_ROWS = 100
_ALIVE_EVERY = 10
"""Looks without news after which a comment is sent, so that proxies keep the connection."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look came to; ``mark`` is empty when nothing at all has happened since the last."""

    seq: int
    mark: str
    tally: Tally | None


def mark_of(tx: Tx, sight: Sight, shelf: Shelf, wanted: Wanted, tally: Tally) -> str:
    """Return a mark of what the beginning of a list looks like to somebody: another list has another one."""
    shown = queue.states(tx, sight, wanted, limit=_ROWS, newest_first=shelf.newest_first)
    text = repr((tally.waiting, tally.urgent, shown))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


async def stream(visit: Visit, shelf: Shelf, wanted: Wanted) -> Response:
    """Return a stream of news; 204 when there are as many as may be, which tells a browser not to ask again."""
    desk = visit.desk
    if desk.live.locked():
        return Response(status_code=204)
    return StreamingResponse(
        news(visit, shelf, wanted), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def news(visit: Visit, shelf: Shelf, wanted: Wanted) -> AsyncIterator[str]:
    """Yield an event at once and whenever the list is another, until the session is over."""
    desk = visit.desk
    async with desk.live:
        seq, last, quiet = -1, "", 0
        while True:
            registry = await desk.registry.get()
            try:
                signed = await sessions.current(desk, visit.request, registry, touch=False)
                if signed is None:
                    return
                sight, before = sight_of(signed.person, registry), seq
                found = await desk.store.read(lambda tx: _look(tx, sight, shelf, wanted, before))  # noqa: B023 - awaited here
            except GatewayError as trouble:
                log.warning("live:ended", error=type(trouble).__name__, hint=trouble.hint)
                return
            seq, quiet = found.seq, quiet + 1
            if found.mark and found.mark != last and found.tally is not None:
                last, quiet = found.mark, 0
                yield _event(found.mark, found.tally)
            elif quiet >= _ALIVE_EVERY:
                quiet = 0
                yield ": still here\n\n"
            await asyncio.sleep(desk.settings.console.live_s)


def _look(tx: Tx, sight: Sight, shelf: Shelf, wanted: Wanted, before: int) -> _Look:
    seq, _ = chain.tip(tx)
    if seq == before:
        return _Look(seq, "", None)
    tally = queue.tally(tx, sight, wanted)
    return _Look(seq, mark_of(tx, sight, shelf, wanted, tally), tally)


def _event(mark: str, tally: Tally) -> str:
    said = json.dumps({"mark": mark, "waiting": tally.waiting, "urgent": tally.urgent})
    return f"event: news\ndata: {said}\n\n"
