"""Who is signed in, how far, and until when.

A session is an opaque random id in a cookie that scripts cannot read and other sites cannot set; the store knows its
hash. A new one is made at every step of a sign-in, so an id that somebody planted or saw before is worth nothing
after. Roles are looked up at each request: who loses one has lost it at once, and within an hour where
the directory gave it. Knows no passwords.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from gateway import audit
from gateway.console.desk import Desk
from gateway.model import Event, Registry, Role
from gateway.review.access import Person
from gateway.review.decisions import person_called, person_from_directory
from gateway.settings import ConsoleSettings
from gateway.store import Tx
from gateway.store import sessions as kept
from gateway.store.sessions import Method, SessionRow, Stage

COOKIE = "__Host-gateway"
NEXT_STEP = {Stage.SIGNED_IN: "/", Stage.CODE: "/sign-in/code", Stage.ENROL: "/account/factor"}
"""Where somebody is led who asks for a page before, or a step after, they are signed in."""
_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that holds: its secret, its row, and who it belongs to with the roles they have now."""

    secret: str
    row: SessionRow
    person: Person


async def current(desk: Desk, request: Request, registry: Registry | None, *, touch: bool) -> SignedIn | None:
    """Return the session of a request, or None when there is none that holds.

    ``touch`` notes that it was used, at most once a minute.
    """
    secret = request.cookies.get(COOKIE, "")
    if not secret:
        return None
    now = desk.now()

    def look(tx: Tx) -> SignedIn | None:
        row = kept.session(tx, secret)
        if row is None or not is_alive(row, now, desk.settings.console):
            return None
        person = person_of(tx, row, registry)
        return None if person is None else SignedIn(secret=secret, row=row, person=person)

    found = await desk.store.read(look)
    if found is not None and touch and now - found.row.seen_at >= _TOUCH_EVERY:
        await desk.store.write(lambda tx: kept.touch_session(tx, secret, now))
    return found


def is_alive(row: SessionRow, now: datetime, settings: ConsoleSettings) -> bool:
    """Return whether a session still holds, by both clocks."""
    return now < row.ends_at and now - row.seen_at < timedelta(minutes=settings.idle_min)


def person_of(tx: Tx, row: SessionRow, registry: Registry | None) -> Person | None:
    """Return who a session belongs to, with the roles they have now; None when they have none any more."""
    if row.roles is None:
        return person_called(tx, registry, row.email)
    return person_from_directory(tx, registry, row.email, row.roles)


def begin(
    tx: Tx,
    desk: Desk,
    email: str,
    method: Method,
    stage: Stage,
    *,
    before: str = "",
    roles: frozenset[Role] | None = None,
    pending: str = "",
) -> str:
    """Begin a session in place of the one called ``before``, and return its id for the cookie.

    One that is signed in is written into the audit log. One at an earlier stage ends after ``console.sign_in_s``, and one
    whose ``roles`` the directory gave after ``console.oidc.roles_last_h``: it cannot be asked again but by signing in.
    """
    now, settings = desk.now(), desk.settings.console
    if before:
        kept.end_session(tx, before)
    kept.forget_sessions(tx, ended_before=now, unused_since=now - timedelta(minutes=settings.idle_min))
    whole = stage is Stage.SIGNED_IN
    hours = settings.session_h if roles is None else min(settings.session_h, settings.oidc.roles_last_h)
    lasts = timedelta(hours=hours) if whole else timedelta(seconds=settings.sign_in_s)
    secret = secrets.token_urlsafe(32)
    row = SessionRow(
        email=email,
        stage=stage,
        method=method,
        roles=roles,
        made_at=now,
        seen_at=now,
        ends_at=now + lasts,
        pending=pending,
    )
    kept.add_session(tx, secret, row)
    if whole:
        payload: dict[str, audit.Value] = {"method": method, "roles": sorted(roles or ())}
        audit.append(tx, Event.SESSION_STARTED, actor=email, subject=email, payload=payload, at=now)
    return secret


def end(tx: Tx, desk: Desk, signed: SignedIn) -> None:
    """End a session, and write it down if it was signed in."""
    if kept.end_session(tx, signed.secret) and signed.row.stage is Stage.SIGNED_IN:
        audit.append(tx, Event.SESSION_ENDED, actor=signed.row.email, subject=signed.row.email, at=desk.now())


def keep(answer: Response, secret: str) -> None:
    """Have the browser keep a session until it is closed. Lax: links in notices must find it; forms have tokens."""
    answer.set_cookie(COOKIE, secret, path="/", secure=True, httponly=True, samesite="lax")


def forget(answer: Response) -> None:
    """Have the browser forget its session."""
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
