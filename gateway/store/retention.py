"""What is forgotten in time: retry keys, weak cues, ledger rows and notices past their days, and offers nobody answered.

Functions over a transaction. A run goes through six chores, each a stretch of time at a time, and every step is a
transaction of its own that looks at a bounded number of rows: mail is written between them. How far each chore has come
is kept as a fact, so that the next run begins there, and one that was killed is taken up by whoever comes next. One
process of a store keeps house at a time; `cli.housekeeping` says when. Nothing here prunes items, decisions, releases
or the audit chain.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import msgspec
from sqlalchemy import Column, ColumnElement, select, true

from gateway.settings import StoreSettings
from gateway.store import items, ledger, outbox, records
from gateway.store.database import Tx
from gateway.store.schema import items as items_table
from gateway.store.schema import ledger as ledger_table
from gateway.store.schema import meta
from gateway.store.schema import outbox as outbox_table
from gateway.store.statements import insert_unless_there

EVERY = timedelta(hours=1)
"""From the end of a run to the next, whichever process keeps it."""
PAGE_ROWS = 2000
"""Rows that one step looks at; more where so many came in the same microsecond."""
_FACT = "retention"
_LEASE = timedelta(minutes=5)
_OVERLAP = timedelta(days=1)
"""Looked at once more before a mark: for rows that were being written, and for clocks that disagree."""
_OFFERED_IS_LOST_AFTER = timedelta(hours=1)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """For how many days the settings keep what is forgotten here."""

    retry_keys: float
    ledger_rows: float
    weak_cues: float
    notices: float | None = None
    """None: for good, as older versions kept them."""

    @classmethod
    def of(cls, settings: StoreSettings, notices_days: float) -> Self:
        """Return what the settings say; ledger rows stay for as long as history may ask for them."""
        return cls(
            retry_keys=settings.retry_key_days,
            ledger_rows=max(settings.history_days, settings.ledger_days),
            weak_cues=settings.weak_cue_days,
            notices=notices_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was forgotten."""

    retry_keys: int = 0
    ledger_rows: int = 0
    weak_cues: int = 0
    notices: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How far a run has come: the chore it is at, and from when on; None: from its mark."""

    by: str
    at: datetime
    terms: Terms
    chore: int = 0
    since: datetime | None = None

    @property
    def is_through(self) -> bool:
        """Whether no chore is left: `finish` is next."""
        return self.chore == len(_CHORES)


class _Kept(msgspec.Struct):
    """The fact. Before ``marks`` nothing is left to do; ``counts`` have not been told yet."""

    marks: dict[str, datetime] = {}
    counts: dict[str, int] = {}
    keyless: datetime | None = None
    """Before this no row had a retry key when the last run ended, so none was reopened since."""
    by: str = ""
    until: datetime | None = None
    done_at: datetime | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chore:
    """Something to do to the rows of a stretch of time; ``do`` returns to how many it was done."""

    name: str
    time: Column[Any]
    before: Callable[[Run], datetime]
    do: Callable[[Tx, datetime, datetime, datetime], int]
    counts_as: str = ""
    reopens: bool = False
    """A message that comes again while its retry key is kept may make it necessary once more."""
    has_mark: bool = True
    which: ColumnElement[bool] = field(default_factory=true)
    """The rows that count for a stretch."""


def _days_ago(days: Callable[[Terms], float | None]) -> Callable[[Run], datetime]:
    def before(run: Run) -> datetime:
        kept_for = days(run.terms)
        return _BEGINNING if kept_for is None else run.at - timedelta(days=kept_for)

    return before


_CHORES = (
    _Chore(
        name="item_keys",
        time=items_table.c.held_at,
        before=_days_ago(lambda terms: terms.retry_keys),
        do=lambda tx, since, before, _: items.forget_retry_keys(tx, since, before),
        counts_as="retry_keys",
    ),
    _Chore(
        name="ledger_keys",
        time=ledger_table.c.at,
        before=_days_ago(lambda terms: terms.retry_keys),
        do=lambda tx, since, before, _: ledger.forget_retry_keys(tx, since, before),
        counts_as="retry_keys",
    ),
    _Chore(
        name="offers",
        time=ledger_table.c.at,
        before=lambda run: run.at - _OFFERED_IS_LOST_AFTER,
        do=ledger.settle,
        reopens=True,
    ),
    _Chore(
        name="weak_cues",
        time=ledger_table.c.at,
        before=_days_ago(lambda terms: terms.weak_cues),
        do=lambda tx, since, before, _: ledger.forget_weak_cues(tx, since, before),
        counts_as="weak_cues",
        reopens=True,
    ),
    _Chore(
        name="ledger_rows",
        time=ledger_table.c.at,
        before=_days_ago(lambda terms: terms.ledger_rows),
        do=lambda tx, since, before, _: ledger.delete_rows(tx, since, before),
        counts_as="ledger_rows",
        has_mark=False,  # what is deleted is not met again
    ),
    _Chore(
        name="notices",
        time=outbox_table.c.next_at,
        before=_days_ago(lambda terms: terms.notices),
        do=lambda tx, since, before, _: outbox.forget(tx, since, before),
        counts_as="notices",
        has_mark=False,
        which=outbox.GOES_IN_TIME,
    ),
)
_KEYS = "ledger_keys"


def begin(tx: Tx, by: str, now: datetime, terms: Terms) -> Run | datetime:
    """Begin a run, or return when to ask again: another process is at it, or the last one is not long ago.

    A run is due at once where the settings are others than the last one's. ``by`` must name this process and no other.
    """
    insert_unless_there(tx.connection, meta, {"name": _FACT, "value": "{}"}, meta.c.name)
    kept = _kept(tx)
    if kept.by not in {"", by} and kept.until is not None and now < kept.until <= now + _LEASE:
        return kept.until
    if kept.terms == terms and kept.done_at is not None and kept.done_at <= now < kept.done_at + EVERY:
        return kept.done_at + EVERY
    kept.by, kept.until = by, now + _LEASE
    _keep(tx, kept)
    return Run(by=by, at=now, terms=terms)


def step(tx: Tx, run: Run, now: datetime, *, rows: int = PAGE_ROWS) -> Run | None:
    """Do the next stretch of ``run`` and return how far it has come; None when another process has taken over."""
    kept = _kept(tx)
    if kept.by != run.by:
        return None
    chore = _CHORES[run.chore]
    before = chore.before(run)
    since = _start(kept, chore, before) if run.since is None else run.since
    end = _end_of_page(tx, chore, since, before, rows)
    found = chore.do(tx, since, end or before, now)
    if found and chore.counts_as:
        kept.counts[chore.counts_as] = kept.counts.get(chore.counts_as, 0) + found
    if chore.has_mark:
        mark = max(kept.marks.get(chore.name, _BEGINNING), end or before)
        kept.marks[chore.name] = min(mark, before, *_reopened_from(kept, chore))
    kept.until = now + _LEASE
    _keep(tx, kept)
    if end is None:
        return replace(run, chore=run.chore + 1, since=None)
    return replace(run, since=end)


def finish(tx: Tx, run: Run, now: datetime) -> Pruned | None:
    """End a run and return what was forgotten since one ended; None when another process has taken over."""
    kept = _kept(tx)
    if kept.by != run.by:
        return None
    pruned = Pruned(**kept.counts)
    _keep(tx, _Kept(marks=kept.marks, keyless=kept.marks[_KEYS], done_at=now, terms=run.terms))
    return pruned


def _start(kept: _Kept, chore: _Chore, before: datetime) -> datetime:
    """Return from when on a chore has to look."""
    mark = kept.marks.get(chore.name)
    if mark is None:
        return _BEGINNING
    return min(mark, before, *_reopened_from(kept, chore)) - _OVERLAP


def _reopened_from(kept: _Kept, chore: _Chore) -> tuple[datetime, ...]:
    """Return the bound behind which rows may be reopened, if the chore has to mind it: its mark stays before that."""
    if not chore.reopens:
        return ()
    return tuple(at for at in (kept.keyless, kept.marks.get(_KEYS)) if at is not None)


def _end_of_page(tx: Tx, chore: _Chore, since: datetime, before: datetime, rows: int) -> datetime | None:
    """Return a time that has about ``rows`` rows between ``since`` and itself; None: fewer are left before ``before``."""
    time = chore.time
    behind = select(time).where(chore.which, time >= since, time < before).order_by(time).limit(1)
    end = tx.connection.scalar(behind.offset(rows))
    if end == since:  # more than a page of one moment
        end = tx.connection.scalar(behind.where(time > since))
    return end


def _kept(tx: Tx) -> _Kept:
    return msgspec.json.decode(records.fact_to_change(tx, _FACT) or "{}", type=_Kept)


def _keep(tx: Tx, kept: _Kept) -> None:
    records.set_fact(tx, _FACT, msgspec.json.encode(kept).decode())
