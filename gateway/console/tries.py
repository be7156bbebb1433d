"""How often somebody may guess: failures in a row, and the waiting time that grows with them.

Counted by the address that was tried, whether it has an account or not, and by where the tries come from; so neither
many passwords for one account nor one password for many accounts gets far. A waiting time is never longer than
``console.max_wait_s``: an account that anybody could lock for good would be a way to shut a reviewer out.
Functions over a transaction.
"""

from datetime import datetime, timedelta

from gateway.settings import ConsoleSettings
from gateway.store import Tx
from gateway.store import sessions as records
from gateway.store.sessions import Failures

_FORGET_AFTER = timedelta(hours=24)
_FROM_ONE_PLACE = 4
"""How many times as many free tries a place has as an account: a station shares one address."""


def keys_of(email: str, client: str) -> tuple[str, str]:
    """Return what the failures of a try are counted under."""
    return f"account {email}", f"client {client}"


def wait_s(tx: Tx, keys: tuple[str, ...], now: datetime) -> float:
    """Return how long one must wait before another try, 0 when now is fine."""
    waits = [0.0]
    for key in keys:
        found = records.failures_of(tx, key)
        if found is not None:
            waits.append((found.locked_until - now).total_seconds())
    return max(waits)


def failed(tx: Tx, keys: tuple[str, ...], now: datetime, settings: ConsoleSettings) -> None:
    """Count a failure under each of ``keys``."""
    records.forget_failures(tx, now - _FORGET_AFTER)
    for key in keys:
        before = records.failures_of(tx, key)
        count = (before.count if before else 0) + 1
        free = settings.free_tries * (_FROM_ONE_PLACE if key.startswith("client ") else 1)
        over = count - free
        wait = (
            0.0 if over <= 0 else min(settings.max_wait_s, settings.first_wait_s * 2.0 ** min(over - 1, 30))
        )
        failures = Failures(count=count, last_at=now, locked_until=now + timedelta(seconds=wait))
        records.set_failures(tx, key, failures)


def succeeded(tx: Tx, email: str) -> None:
    """Forget the failures of an account. Those of the place stay: one who has an account may still be guessing others."""
    records.set_failures(tx, keys_of(email, "")[0], None)
