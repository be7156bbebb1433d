"""A host that remembers nothing of a store asks those that do whether the database is as they know it.

A new relay on a shared database and a restored backup on a new machine look alike to the host itself. The others tell
them apart: one that remembers what was sent, and finds it all in this database, answers the question that the new one
put into it. The question has a random part, so that no answer in a backup fits it.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.store import records
from gateway.store.database import Tx
from gateway.store.instants import instant_of, instant_text

_ASKED = "outbox_asked"
_ANSWERED = "outbox_answered"
_PATIENCE = timedelta(seconds=60)
"""How long an answer is waited for: a relay looks at the outbox every `outbox.poll_s`."""
_LONGEST = 5 * _PATIENCE
"""How long one host asks at most. Where clocks differ, two that join take each other's questions for old ones and ask anew."""


class Standing(StrEnum):
    """What the others say of a host that knows nothing: they know the database; not asked long enough; nobody does."""

    VOUCHED = "vouched"
    WAITING = "waiting"
    UNKNOWN = "unknown"


def ask(tx: Tx, at: datetime) -> Standing:
    """Ask, or look for the answer. Nobody is asked about SQLite, which has one host."""
    if tx.connection.dialect.name == "sqlite":
        return Standing.UNKNOWN
    mine = tx.mark.question
    if mine and records.fact(tx, _ANSWERED) == mine:
        return Standing.VOUCHED
    asked = records.fact_to_change(tx, _ASKED)
    is_fresh = asked is not None and abs(at - _time_of(asked)) < _PATIENCE
    since = tx.mark.asking_since
    if since is not None and ((asked == mine and not is_fresh) or at - since >= _LONGEST):
        return Standing.UNKNOWN
    if not is_fresh:  # nobody else asks just now
        tx.mark.question = f"{instant_text(at)} {secrets.token_hex(8)}"
        tx.mark.asking_since = since or at
        records.set_fact(tx, _ASKED, tx.mark.question)
    return Standing.WAITING


def stop_asking(tx: Tx) -> None:
    """Take back what was asked: a person will say, and what they say is asked for anew."""
    tx.mark.question, tx.mark.asking_since = "", None


def answer(tx: Tx) -> None:
    """Vouch for this database to whoever asks: the caller remembers what was sent, and has found it all here."""
    asked = records.fact(tx, _ASKED)
    if asked and records.fact(tx, _ANSWERED) != asked:
        records.set_fact(tx, _ANSWERED, asked)


def _time_of(question: str) -> datetime:
    return instant_of(question.partition(" ")[0])
