"""`GET /metrics`: the queue's figures for Prometheus, for whoever shows the token of `console.metrics_token`.

The same questions as the numbers page and the queue ask, and nobody is asked for: totals
alone, no unit, no rule, no person, so no small cell tells of anybody (DECISIONS 30). Without a token in the settings
there is no such page. Not judged by where the question comes from: behind a proxy everybody comes from loopback.
"""

import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.console.desk import Desk
from gateway.console.shelves import FLAGS, HOLDS
from gateway.errors import GatewayError
from gateway.review.stranded import stranded
from gateway.store import Tx, figures, queue
from gateway.store.figures import Decided
from gateway.store.queue import Sight, Tally
from gateway.store.rows import DecisionAction
from gateway.vitals import MEDIA, family

log = structlog.get_logger("gateway.console")

_EVERYTHING = Sight(psd=True)
"""No person asks: totals leave nothing out."""
_RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    holds: Tally
    flags: Tally
    decided: Counter[DecisionAction]
    recent: tuple[Decided, ...]
    stranded: int


async def answer(desk: Desk, request: Request) -> Response:
    """Return the figures, or 401 without the right token. 503 when the store does not answer."""
    given = request.headers.get("authorization", "")
    right = f"Bearer {desk.settings.console.metrics_token}"
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right.encode()):
        return PlainTextResponse(
            "A token is needed: see console.metrics_token.\n", 401, headers={"WWW-Authenticate": "Bearer"}
        )
    now, sight, registry = desk.now(), _EVERYTHING, await desk.registry.get()

    def look(tx: Tx) -> _Looked:
        return _Looked(
            holds=queue.tally(tx, sight, HOLDS.wanted),
            flags=queue.tally(tx, sight, FLAGS.wanted),
            decided=Counter(figures.decided_ever(tx, sight)),
            recent=figures.decided(tx, sight, now - _RECENT),
            stranded=stranded(tx, registry),
        )

    try:
        found = await desk.store.read(look)
    except GatewayError as trouble:
        log.error("metrics:failed", error=type(trouble).__name__, hint=trouble.hint)
        return PlainTextResponse("The store does not answer.\n", 503)
    return PlainTextResponse("".join(_lines(found, now)), headers={"Content-Type": MEDIA})


def _lines(found: _Looked, now: datetime) -> Iterable[str]:
    """Yield the figures in Prometheus' text format."""
    holds, flags = found.holds, found.flags
    urgent = [('{urgent="yes"}', holds.urgent), ('{urgent="no"}', holds.waiting - holds.urgent)]
    yield from family("gateway_holds_waiting", "gauge", "Holds that wait for a decision.", urgent)
    says = "Holds on which nobody may decide: an outside reviewer must be appointed."
    yield from family("gateway_holds_nobody_may_decide", "gauge", says, [("", found.stranded)])
    oldest = (now - holds.oldest).total_seconds() if holds.oldest else 0
    says = "Since when the oldest hold waits; 0 when none does."
    yield from family("gateway_holds_oldest_seconds", "gauge", says, [("", oldest)])
    middle = (now - holds.median).total_seconds() if holds.median else 0
    says = "How long the middle one of the waiting holds has waited; 0 when none does."
    yield from family("gateway_holds_median_wait_seconds", "gauge", says, [("", middle)])
    yield from family("gateway_flags_open", "gauge", "Flags nobody has closed.", [("", flags.waiting)])
    actions = [
        (f'{{action="{action}"}}', found.decided[action])
        for action in (DecisionAction.RELEASE, DecisionAction.RETURN)
    ]
    yield from family("gateway_decisions_total", "counter", "Decisions to release or return.", actions)
    took = [(one.at - one.held_at).total_seconds() for one in found.recent]
    if took:
        says = "From receipt to decision, the middle of the last seven days; absent when nothing was decided."
        yield from family("gateway_decision_median_seconds", "gauge", says, [("", median(took))])
