"""When `gateway serve` keeps house: an hour from the last run, whichever relay of the store kept it.

What is forgotten, and how far a run has come, is `store.retention`'s. Each step is a write of its own, with a pause
behind it, so that mail never waits for more than one.
"""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial

import structlog

from gateway import audit
from gateway.errors import GatewayError, origin
from gateway.model import Event
from gateway.store import Store, Tx, retention

log = structlog.get_logger("gateway.serve")

_PAUSE_S = 0.05
"""Between two steps, so that other processes get at the database too."""
_AFTER_TROUBLE_S = 300.0


async def keep_house(store: Store, terms: retention.Terms, *, by: str, actor: str) -> None:
    """Forget what is past its days, again and again; trouble is logged and does not end it. ``by`` is this process."""
    while True:
        try:
            wait_s = await keep_house_once(store, terms, by=by, actor=actor)
        except GatewayError as trouble:
            log.error("serve:house-not-kept", error=str(trouble), hint=trouble.hint)
            wait_s = _AFTER_TROUBLE_S
        except Exception as bug:  # noqa: BLE001 - the edge
            # The edge of this loop: what is not forgotten today must not keep mail from being relayed.
            log.error("serve:house-not-kept", error=type(bug).__name__, where=origin(bug))
            wait_s = _AFTER_TROUBLE_S
        await asyncio.sleep(wait_s)


async def keep_house_once(
    store: Store, terms: retention.Terms, *, by: str, actor: str, pause_s: float = _PAUSE_S
) -> float:
    """Go through one run if it is due, and return after how many seconds to come again."""
    now = datetime.now(UTC)
    run: retention.Run | datetime | None = await store.write(
        partial(retention.begin, by=by, now=now, terms=terms)
    )
    if isinstance(run, datetime):
        return max(1.0, (run - now).total_seconds())
    while run is not None and not run.is_through:
        await asyncio.sleep(pause_s)
        run = await store.write(partial(retention.step, run=run, now=datetime.now(UTC)))
    if run is None:
        return _AFTER_TROUBLE_S
    await store.write(partial(_finish, run=run, actor=actor, at=datetime.now(UTC)))
    return retention.EVERY.total_seconds()


def _finish(tx: Tx, *, run: retention.Run, actor: str, at: datetime) -> None:
    pruned = retention.finish(tx, run, at)
    if pruned is not None and pruned != retention.Pruned():
        audit.append(tx, Event.LEDGER_PRUNED, actor=actor, subject="ledger", payload=asdict(pruned), at=at)
