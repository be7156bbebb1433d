"""News for open pages: server-sent events that say that a list has changed, and never what is out of sight.

A page is told a mark made of what its visitor may know of; another mark means that the list is another. The end of the audit
chain is looked at first, which is one row: nothing happens without an entry. So many streams are open at once
as ``console.max_live`` says, and so many of one session as a browser keeps; one more is told to ask by itself. A stream ends with its session.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.console import sessions
from gateway.console.desk import Desk
from gateway.console.pages import Visit
from gateway.console.shelves import Shelf, failed_on, tally_of
from gateway.errors import GatewayError
from gateway.review.sight import sight_of
from gateway.store import Tx, chain, claims, queue
from gateway.store.queue import Sight, Tally, Wanted

log = structlog.get_logger("gateway.console")

_ROWS = 100
_OF_ONE = 6
"""Open pages of one session that are told: as many connections as a browser has over HTTP/1.1. Others want places too."""
_ALIVE_EVERY = 10
"""Looks without news after which a comment is sent, so that proxies keep the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the last look came to: where the audit chain ended, for whom it was, and how the list stood."""

    seq: int = -1
    sight: Sight | None = None
    mark: str = ""
    lapses: datetime | None = None
    """When a claim ends that stood then: the next look behind it is a new one, though nothing else has happened."""
    tally: Tally | None = None
    failed: int = 0


def mark_of(
    tx: Tx, sight: Sight, shelf: Shelf, wanted: Wanted, tally: Tally | None, failed: int, at: datetime
) -> str:
    """Return a mark of what the beginning of a list looks like to somebody: another list has another one.

    So has the same list with an item in other hands, or with one more release that failed.
    """
    shown = queue.states(tx, sight, wanted, limit=_ROWS, newest_first=shelf.newest_first)
    ids = tuple(one for one, _ in shown)
    hands = sorted(claims.claims_of(tx, ids, at).items()), sorted(queue.proposed(tx, ids))
    text = repr(((tally.waiting, tally.urgent) if tally else (), shown, hands, failed))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


async def stream(visit: Visit, shelf: Shelf, wanted: Wanted) -> Response:
    """Return a stream of news; 204 when there are as many as may be, which tells a browser not to ask again."""
    desk = visit.desk
    if desk.live.locked() or desk.live_of[visit.form_secret] >= _OF_ONE:
        return Response(status_code=204)
    return _Stream(news(visit, shelf, wanted))


class _Stream(StreamingResponse):
    """News on their way. They end as soon as nobody takes them, not when memory is next tidied: others want the place."""

    def __init__(self, told: AsyncGenerator[str, None]) -> None:
        super().__init__(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._told.aclose()


async def news(visit: Visit, shelf: Shelf, wanted: Wanted) -> AsyncGenerator[str, None]:
    """Yield an event at once and whenever the list is another, until the session is over.

    While nothing happens that could change a list, a look is one row; what time alone changes is seen at a sign of life. The session is looked at before anything is told,
    and at every sign of life. News of a list that is not counted say zero: its page shows no count.
    """
    desk, wait_s = visit.desk, visit.desk.settings.console.live_s
    older = desk.now() - wanted.held_before if wanted.held_before is not None else None
    async with desk.live, _counted(desk, visit.form_secret):
        seen, last, quiet = _Seen(), "", 0
        while True:
            try:
                before = seen
                end = await desk.store.read(lambda tx: _undisturbed(tx, before.seq))  # noqa: B023 - awaited here
                if end is not None and quiet < _ALIVE_EVERY:
                    seen, quiet = replace(seen, seq=end), quiet + 1
                    await asyncio.sleep(wait_s)
                    continue
                registry = await desk.registry.get()
                signed = await sessions.current(desk, visit.request, registry, touch=False)
                if signed is None:
                    return
                sight = sight_of(signed.person, registry)
                now = desk.now()
                asked = wanted if older is None else replace(wanted, held_before=now - older)
                seen = await desk.store.read(lambda tx: _look(tx, sight, shelf, asked, before, now))  # noqa: B023 - likewise
            except GatewayError as trouble:
                log.warning("live:ended", error=type(trouble).__name__, hint=trouble.hint)
                return
            if seen.mark != last:
                last, quiet = seen.mark, 0
                yield _event(seen)
            elif quiet >= _ALIVE_EVERY:
                quiet = 0
                yield ": still here\n\n"
            else:  # something happened that is not for this visitor: nothing tells it from nothing at all
                quiet += 1
            await asyncio.sleep(wait_s)


@asynccontextmanager
async def _counted(desk: Desk, session: str) -> AsyncGenerator[None, None]:
    """Count a page of ``session`` that is told, for as long as it is."""
    desk.live_of[session] += 1
    try:
        yield
    finally:
        desk.live_of[session] -= 1
        if not desk.live_of[session]:
            del desk.live_of[session]


def _undisturbed(tx: Tx, seq: int) -> int | None:
    """Return where the audit chain ends if nothing behind ``seq`` can have changed a list, else None."""
    end, _ = chain.tip(tx)
    return end if end == seq or (seq >= 0 and queue.is_quiet(tx, seq)) else None


def _look(tx: Tx, sight: Sight, shelf: Shelf, wanted: Wanted, before: _Seen, at: datetime) -> _Seen:
    """Return how the list stands; ``before`` where nothing can have changed it, nor what the visitor may know of.

    Time changes a list too: of items that wait longer than is asked for, and of claims that end.
    """
    end, _ = chain.tip(tx)
    by_time = wanted.held_before is not None or (before.lapses is not None and at >= before.lapses)
    if sight == before.sight and not by_time and (end == before.seq or queue.is_quiet(tx, before.seq)):
        return replace(before, seq=end)
    tally, failed = tally_of(tx, sight, shelf, wanted), failed_on(tx, sight, shelf)
    mark = mark_of(tx, sight, shelf, wanted, tally, failed, at)
    lapses = claims.first_end(tx, at)
    return _Seen(seq=end, sight=sight, mark=mark, lapses=lapses, tally=tally, failed=failed)


def _event(seen: _Seen) -> str:
    tally = seen.tally
    figures = {"waiting": tally.waiting, "urgent": tally.urgent} if tally else {"waiting": 0, "urgent": 0}
    text = f"{tally.says(tally.waiting)} waiting, {tally.says(tally.urgent)} urgent" if tally else ""
    if seen.failed:
        text += f", {seen.failed} release{'s' if seen.failed > 1 else ''} failed"
    said = json.dumps({"mark": seen.mark, "text": text, "failed": seen.failed} | figures)
    return f"event: news\ndata: {said}\n\n"
