"""Signing in: credentials of local accounts, sessions, failures in a row, and the views people keep.

Functions over a transaction. Ids of sessions, recovery codes and addresses tried are kept as hashes: who reads the
database cannot sign in with what stands there. Knows neither passwords nor codes nor how long anything may last:
`gateway.console` does.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, insert, select, update

from gateway.model import Role
from gateway.store.database import Tx
from gateway.store.schema import credentials, recovery_codes, saved_views, sessions, sign_in_failures
from gateway.store.statements import insert_or_replace


class Stage(StrEnum):
    """How far a sign-in is. Only ``signed-in`` opens pages; the others open the next step."""

    SIGNED_IN = "signed-in"
    CODE = "code"
    ENROL = "enrol"


class Method(StrEnum):
    """How somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    OIDC = "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How a local account proves who it is. ``totp`` is the secret of the second factor, or empty."""

    email: str
    password: str
    totp: str
    totp_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One session. ``roles`` None: those of the account; ``pending``: a second factor not yet confirmed."""

    email: str
    stage: Stage
    method: Method
    roles: frozenset[Role] | None
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    pending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Failed tries in a row."""

    count: int
    last_at: datetime
    locked_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """Filters that somebody keeps; ``query`` is the query of the queue's address."""

    name: str
    query: str


def hash_of(secret: str) -> str:
    """Return what is kept of a random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# --- credentials --------------------------------------------------------------------------------------------


def credentials_of(tx: Tx, email: str) -> Credentials | None:
    """Return how an account signs in here, or None when it cannot."""
    row = tx.connection.execute(select(credentials).where(credentials.c.email == email)).one_or_none()
    if row is None:
        return None
    return Credentials(
        email=row.email,
        password=tx.open(credentials.c.password, email, row.password).decode(),
        totp="" if row.totp is None else tx.open(credentials.c.totp, email, row.totp).decode(),
        totp_step=row.totp_step,
    )


def set_password(tx: Tx, email: str, password_hash: str, at: datetime) -> None:
    """Keep the hash of an account's password. Raises the database's error when there is no such account."""
    sealed = tx.seal(credentials.c.password, email, password_hash.encode())
    values = {"password": sealed, "password_at": at}
    of_account = credentials.c.email == email
    if tx.connection.execute(update(credentials).where(of_account).values(values)).rowcount == 0:
        tx.connection.execute(insert(credentials).values(email=email, **values))


def set_second_factor(tx: Tx, email: str, totp: str, codes: tuple[str, ...], *, step: int = 0) -> None:
    """Keep a second factor with its recovery codes in place of what was there; an empty ``totp`` removes both."""
    sealed = tx.seal(credentials.c.totp, email, totp.encode()) if totp else None
    tx.connection.execute(
        update(credentials).where(credentials.c.email == email).values(totp=sealed, totp_step=step)
    )
    tx.connection.execute(delete(recovery_codes).where(recovery_codes.c.email == email))
    if codes:
        rows = [{"email": email, "hash": hash_of(code)} for code in codes]
        tx.connection.execute(insert(recovery_codes), rows)


def take_step(tx: Tx, email: str, step: int) -> bool:
    """Note that the code of a time step was used; false when it, or a later one, was used before."""
    later = (credentials.c.email == email, credentials.c.totp_step < step)
    return tx.connection.execute(update(credentials).where(*later).values(totp_step=step)).rowcount == 1


def take_recovery_code(tx: Tx, email: str, code: str) -> bool:
    """Use a recovery code up; false when it is none of the account's."""
    this = (recovery_codes.c.email == email, recovery_codes.c.hash == hash_of(code))
    return tx.connection.execute(delete(recovery_codes).where(*this)).rowcount == 1


def recovery_codes_left(tx: Tx, email: str) -> int:
    """Return how many recovery codes an account has."""
    query = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.email == email)
    return int(tx.connection.scalar(query) or 0)


# --- sessions -----------------------------------------------------------------------------------------------


def add_session(tx: Tx, secret: str, row: SessionRow) -> None:
    """Begin a session whose id is ``secret``."""
    key = hash_of(secret)
    tx.connection.execute(
        insert(sessions).values(
            hash=key,
            email=row.email,
            stage=row.stage,
            method=row.method,
            roles=None if row.roles is None else " ".join(sorted(row.roles)),
            made_at=row.made_at,
            seen_at=row.seen_at,
            ends_at=row.ends_at,
            pending=tx.seal(sessions.c.pending, key, row.pending.encode()) if row.pending else None,
        )
    )


def session(tx: Tx, secret: str) -> SessionRow | None:
    """Return the session with that id, whatever its age, or None."""
    key = hash_of(secret)
    row = tx.connection.execute(select(sessions).where(sessions.c.hash == key)).one_or_none()
    if row is None:
        return None
    return SessionRow(
        email=row.email,
        stage=Stage(row.stage),
        method=Method(row.method),
        roles=None if row.roles is None else frozenset(Role(role) for role in row.roles.split()),
        made_at=row.made_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
        pending="" if row.pending is None else tx.open(sessions.c.pending, key, row.pending).decode(),
    )


def touch_session(tx: Tx, secret: str, at: datetime) -> None:
    """Note that a session was used."""
    tx.connection.execute(update(sessions).where(sessions.c.hash == hash_of(secret)).values(seen_at=at))


def end_session(tx: Tx, secret: str) -> bool:
    """End a session; false when there is none."""
    return tx.connection.execute(delete(sessions).where(sessions.c.hash == hash_of(secret))).rowcount == 1


def end_sessions(tx: Tx, email: str) -> int:
    """End every session of an account and return how many there were."""
    return tx.connection.execute(delete(sessions).where(sessions.c.email == email)).rowcount


def forget_sessions(tx: Tx, *, ended_before: datetime, unused_since: datetime) -> int:
    """Remove sessions that are over, by either clock, and return how many."""
    over = (sessions.c.ends_at <= ended_before) | (sessions.c.seen_at <= unused_since)
    return tx.connection.execute(delete(sessions).where(over)).rowcount


# --- failures -----------------------------------------------------------------------------------------------


def failures_of(tx: Tx, key: str) -> Failures | None:
    """Return the failures in a row of ``key`` (an address tried, or where from), or None."""
    query = select(sign_in_failures).where(sign_in_failures.c.key == hash_of(key))
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        return None
    return Failures(count=row.failures, last_at=row.last_at, locked_until=row.locked_until)


def set_failures(tx: Tx, key: str, failures: Failures | None) -> None:
    """Keep the failures of ``key``; None forgets them."""
    if failures is None:
        tx.connection.execute(delete(sign_in_failures).where(sign_in_failures.c.key == hash_of(key)))
        return
    row = {
        "key": hash_of(key),
        "failures": failures.count,
        "last_at": failures.last_at,
        "locked_until": failures.locked_until,
    }
    insert_or_replace(tx.connection, sign_in_failures, row, sign_in_failures.c.key)


def forget_failures(tx: Tx, before: datetime) -> int:
    """Forget failures that are older than ``before`` and return of how many keys."""
    old = sign_in_failures.c.last_at < before
    return tx.connection.execute(delete(sign_in_failures).where(old)).rowcount


# --- saved views --------------------------------------------------------------------------------------------


def saved_views_of(tx: Tx, email: str) -> tuple[SavedView, ...]:
    """Return somebody's saved views by name."""
    query = select(saved_views).where(saved_views.c.email == email).order_by(saved_views.c.name)
    return tuple(
        SavedView(
            name=row.name, query=tx.open(saved_views.c.query, (row.email, row.name), row.query).decode()
        )
        for row in tx.connection.execute(query)
    )


def save_view(tx: Tx, email: str, view: SavedView, at: datetime) -> None:
    """Keep a view under its name, in place of one of the same name."""
    remove_view(tx, email, view.name)
    sealed = tx.seal(saved_views.c.query, (email, view.name), view.query.encode())
    tx.connection.execute(insert(saved_views).values(email=email, name=view.name, query=sealed, at=at))


def remove_view(tx: Tx, email: str, name: str) -> bool:
    """Forget a view; false when there is none of that name."""
    this = (saved_views.c.email == email, saved_views.c.name == name)
    return tx.connection.execute(delete(saved_views).where(*this)).rowcount == 1
