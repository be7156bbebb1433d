"""Tokens of other systems for the HTTP API: making, finding, listing, revoking.

Functions over a transaction. A token is `bgw_ID_SECRET`: the id finds its row, the whole is hashed, and only the hash is
kept, so who reads the database cannot use what stands there. The secret has 256 random bits, which is why a plain
SHA-256 will do: there is nothing to guess. Knows nothing of requests; writes no audit entry, its callers do.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Row, insert, select, update

from gateway.store.database import Tx
from gateway.store.schema import api_tokens

_TOKEN = re.compile(r"bgw_([0-9a-f]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?", re.ASCII)
_NO_HASH = "0" * 64
_USE_NOTED_EVERY = timedelta(minutes=1)


class May(StrEnum):
    """What a token is good for: pushing contacts and staff, or reading the states of items."""

    CONTACTS = "contacts"
    STATES = "states"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token, without its secret."""

    id: str
    name: str
    may: frozenset[May]
    made_at: datetime
    made_by: str
    used_at: datetime | None
    revoked_at: datetime | None


def is_name(text: str) -> bool:
    """Return whether ``text`` can be a token's name: it stands in the audit log and in the operator's log."""
    return _NAME.fullmatch(text) is not None


def add(tx: Tx, name: str, may: frozenset[May], by: str, at: datetime) -> str | None:
    """Make a token and return it, this once; None when the name is taken, if by a revoked token."""
    if tx.connection.scalar(select(api_tokens.c.id).where(api_tokens.c.name == name)) is not None:
        return None
    token_id = secrets.token_hex(8)
    token = f"bgw_{token_id}_{secrets.token_urlsafe(32)}"
    row = {
        "id": token_id,
        "name": name,
        "hash": _hash(token),
        "may": " ".join(sorted(may)),
        "made_at": at,
        "made_by": by,
    }
    tx.connection.execute(insert(api_tokens).values(row))
    return token


def find(tx: Tx, token: str) -> tuple[Token | None, bool]:
    """Return the token that ``token`` claims to be, and whether it is: right secret, not revoked.

    The time this takes does not depend on how much of the secret is right.
    """
    said = _TOKEN.fullmatch(token)
    query = select(api_tokens).where(api_tokens.c.id == (said[1] if said else ""))
    row = tx.connection.execute(query).one_or_none()
    fits = hmac.compare_digest(_hash(token), row.hash if row is not None else _NO_HASH)
    if row is None:
        return None, False
    return _token(row), fits and row.revoked_at is None


def note_use(tx: Tx, token: Token, at: datetime) -> None:
    """Note that a token was used."""
    tx.connection.execute(update(api_tokens).where(api_tokens.c.id == token.id).values(used_at=at))


def is_use_noted(token: Token, at: datetime) -> bool:
    """Return whether a use at ``at`` need not be noted: one was within the minute."""
    return token.used_at is not None and at - token.used_at < _USE_NOTED_EVERY


def every(tx: Tx) -> tuple[Token, ...]:
    """Return all tokens, revoked ones too, by name."""
    return tuple(_token(row) for row in tx.connection.execute(select(api_tokens).order_by(api_tokens.c.name)))


def revoke(tx: Tx, name: str, at: datetime) -> Token | None:
    """Revoke a token for good and return it; None when there is none of that name that still opens anything."""
    this = (api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None))
    row = tx.connection.execute(select(api_tokens).where(*this)).one_or_none()
    if row is None:
        return None
    tx.connection.execute(update(api_tokens).where(*this).values(revoked_at=at))
    return _token(row)


def _token(row: Row[tuple[object, ...]]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        may=frozenset(May(word) for word in row.may.split()),
        made_at=row.made_at,
        made_by=row.made_by,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
