"""Whether a password or a code is the account's, with the waiting time that guessing costs.

The one place where a proof is checked, for signing in and for changing what one signs in with. Failures are counted
and written down here; what follows from a success is the page's affair.
"""

import asyncio
from dataclasses import dataclass

from gateway import audit
from gateway.console import factors, passwords, tries
from gateway.console.pages import Visit
from gateway.model import Event
from gateway.store import Tx, records
from gateway.store import sessions as kept
from gateway.store.sessions import Credentials


class TooManyTries(Exception):
    """One must wait before another try."""

    def __init__(self, wait_s: float) -> None:
        """``wait_s`` is how long."""
        super().__init__("too many tries")
        self.wait_s = wait_s

    @property
    def says(self) -> str:
        """What the visitor is told."""
        minutes = max(1, round(self.wait_s / 60))
        return f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."


@dataclass(frozen=True, slots=True)
class _Before:
    wait_s: float
    credentials: Credentials | None


async def by_password(visit: Visit, email: str, password: str) -> Credentials | None:
    """Return how the account proves itself when the password is its own, else None. Raises `TooManyTries`.

    An account that is not there takes as long and counts as much as one that is. Failures are looked at, and counted,
    while one of the two places is held: a thousand tries sent at once are not judged by what stood before the first.
    """
    async with visit.desk.slow_work:
        before = await _look(visit, email)
        hashed = before.credentials.password if before.credentials else ""
        fits = await asyncio.to_thread(passwords.fits, hashed, password)
        if fits and before.credentials is not None:
            return before.credentials
        await _failed(visit, email, "password")
    return None


async def by_code(visit: Visit, email: str, typed: str) -> bool:
    """Return whether ``typed`` is a code of the account's telephone or one of its recovery codes, and use it up.

    Raises `TooManyTries`.
    """
    async with visit.desk.slow_work:
        before, now = await _look(visit, email), visit.desk.now()
        secret = before.credentials.totp if before.credentials else ""
        step = factors.step_of(secret, typed, now) if secret else None
        recovery = factors.recovery_code(typed)

        def take(tx: Tx) -> bool:
            if step is not None and kept.take_step(tx, email, step):
                return True
            return bool(secret and recovery) and kept.take_recovery_code(tx, email, recovery)

        if await visit.desk.store.write(take):
            return True
        await _failed(visit, email, "code")
    return False


async def failed_code(visit: Visit, email: str) -> None:
    """Count a wrong code at setting a factor up. Raises `TooManyTries` when one must wait already."""
    await _look(visit, email)
    await _failed(visit, email, "code")


def client_of(visit: Visit) -> str:
    """Return the address a request came from; uvicorn puts the one a trusted proxy names in its place."""
    return visit.request.client.host if visit.request.client else ""


async def _look(visit: Visit, email: str) -> _Before:
    now, keys = visit.desk.now(), tries.keys_of(email, client_of(visit))

    def look(tx: Tx) -> _Before:
        return _Before(tries.wait_s(tx, keys, now), kept.credentials_of(tx, email))

    before = await visit.desk.store.read(look)
    if before.wait_s > 0:
        raise TooManyTries(before.wait_s)
    return before


async def _failed(visit: Visit, email: str, what: str) -> None:
    """Count a failure and write it down: without the address when it has no account, for it may be a password."""
    now, settings = visit.desk.now(), visit.desk.settings.console
    client = client_of(visit)

    def count(tx: Tx) -> None:
        tries.failed(tx, tries.keys_of(email, client), now, settings)
        who = email if records.account(tx, email) is not None else "unknown"
        payload: dict[str, audit.Value] = {"what": what, "client": client}
        audit.append(tx, Event.SIGN_IN_REFUSED, actor="console", subject=who[:255], payload=payload, at=now)

    await visit.desk.store.write(count)
