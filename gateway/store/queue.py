"""What waits, as the console lists it: most urgent and oldest first, filtered, counted, in pages of a fixed cost.

Every question is asked through a `Sight`: what somebody may know of. What is out of sight is in no list, no count
and no search, and an id out of sight is answered as one that does not exist. Owns SQL only: who may see what is
`gateway.review.access`, and a property holds the two together. Stands beside `items`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, union, union_all

from gateway.model import Event, Finding, ItemKind, ItemState, MessageId, PersonId, StaffId, Unreadable
from gateway.store import items as records_of_items
from gateway.store.database import Tx
from gateway.store.rows import DecisionAction, Item
from gateway.store.schema import (
    audit_entries,
    decisions,
    item_contacts,
    item_excluded,
    items,
    ledger_findings,
)

WAITING = (ItemState.HELD, ItemState.REFERRED, ItemState.RELEASING, ItemState.RELEASE_FAILED)
"""Holds that a person has still to see to the end, or whose release has not yet reached the smarthost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What somebody may know of: nothing that involves ``me`` or that ``superiors`` sent.

    Unless ``psd``, nothing that is with professional standards either. ``blind`` sees nothing at all.
    """

    me: StaffId | None = None
    superiors: tuple[StaffId, ...] = ()
    psd: bool = False
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which items are asked for. An empty field asks for nothing in particular; fields are joined by *and*.

    ``called`` (an id, Message-ID or hash as it was typed), ``found`` (ids of items), ``officers``, ``persons`` and ``units``
    are what a search came to, joined by *or*; ``search`` says that there was one, so that one that came to nothing finds
    nothing.
    """

    kind: ItemKind = ItemKind.HOLD
    states: tuple[ItemState, ...] = WAITING
    unit: str = ""
    category: str = ""
    officer: StaffId | None = None
    urgent: bool = False
    psd_copy: bool = False
    held_before: datetime | None = None
    search: bool = False
    called: str = ""
    found: tuple[MessageId, ...] = ()
    officers: tuple[StaffId, ...] = ()
    persons: tuple[PersonId, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """An item with what its verdict says in one line: nothing where that cannot be opened, and ``unopened`` says why."""

    item: Item
    unopened: str
    urgent: str
    score: int
    findings: tuple[Finding, ...]
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much waits, and since when. ``oldest`` and ``median`` are times of receipt.

    A number that is ``most`` means as many or more: it was counted no further, and there is no median of it.
    """

    waiting: int
    urgent: int
    oldest: datetime | None
    median: datetime | None
    most: int | None = None

    def says(self, number: int) -> str:
        """Return one of the two numbers as a person reads it."""
        return f"{number:,} or more" if number == self.most else str(number)


def page(
    tx: Tx, sight: Sight, wanted: Wanted, *, limit: int, after: str = "", newest_first: bool = False
) -> tuple[Headline, ...]:
    """Return at most ``limit`` items behind the one called ``after``: urgent ones first, then as they were received.

    ``newest_first`` takes them by time alone, latest first: for what is decided. Each state and each urgency is read
    by itself along an index, so that a page costs the same whether ten items wait or a hundred thousand.
    """
    return _headlines(tx, order(tx, sight, wanted, limit=limit, after=after, newest_first=newest_first))


def order(
    tx: Tx, sight: Sight, wanted: Wanted, *, limit: int, after: str = "", newest_first: bool = False
) -> tuple[str, ...]:
    """Return the ids alone of what `page` would show: for who asks what comes next, and unseals nothing."""
    begin = _cursor(tx, sight, after) if after else None
    if after and begin is None:
        return ()
    made = _ids_newest if newest_first else _ids
    return made(tx, sight, wanted, limit, begin)


def called(tx: Tx, sight: Sight, name: str, *, limit: int) -> tuple[Headline, ...]:
    """Return at most ``limit`` items with exactly this id, Message-ID or hash, latest first, of every kind and state."""
    named = (items.c.id == name, items.c.message_id == name, items.c.sha256 == name)
    parts = [select(items.c.id, items.c.held_at).where(one, *_seen(sight, singly=True)) for one in named]
    found = union(*parts).subquery()  # each along an index of its own, which an or would not be
    query = select(found.c.id).order_by(found.c.held_at.desc(), found.c.id.desc()).limit(limit)
    return _headlines(tx, tuple(tx.connection.scalars(query)))


def proposed(tx: Tx, item_ids: Iterable[str]) -> frozenset[str]:
    """Return those of ``item_ids`` (one page of a list) whose release a first of two people agreed to, at any time."""
    asked = decisions.c.item_id.in_(tuple(item_ids)), decisions.c.action == DecisionAction.APPROVE
    return frozenset(tx.connection.scalars(select(decisions.c.item_id).where(*asked)))


def tally(tx: Tx, sight: Sight, wanted: Wanted, *, most: int | None = None) -> Tally:
    """Return how many items are wanted, how many of them are urgent, and when the oldest and middle ones came.

    Costs a walk along an index past all of them: for what waits, not for everything that was ever decided. With
    ``most`` it goes past so many alone, which matters where a hundred thousand flags are open.
    """
    if most is None:
        asked = select(items.c.urgent, items.c.held_at).where(*_where(sight, wanted)).subquery()
    elif wanted.states:
        asked = union_all(*(select(part.subquery()) for part in _parts(sight, wanted, most, None))).subquery()
    else:
        return Tally(waiting=0, urgent=0, oldest=None, median=None, most=most)
    row = tx.connection.execute(
        select(
            func.count().label("number"),
            func.count().filter(asked.c.urgent == true()).label("urgent"),
            func.min(asked.c.held_at).label("oldest"),
        ).select_from(asked)
    ).one()
    number, urgent = int(row.number), int(row.urgent)
    if most is not None:  # of each state and urgency so many were counted
        number, urgent = min(number, most), min(urgent, most)
    middle = None
    if number and number != most:
        query = select(asked.c.held_at).order_by(asked.c.held_at)
        middle = tx.connection.scalar(query.offset((number - 1) // 2).limit(1))
    return Tally(waiting=number, urgent=urgent, oldest=row.oldest, median=middle, most=most)


def states(
    tx: Tx, sight: Sight, wanted: Wanted, *, limit: int, newest_first: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return id and state of the items that `page` would begin with: enough to know whether a list has changed."""
    ids = order(tx, sight, wanted, limit=limit, newest_first=newest_first)
    rows = tx.connection.execute(select(items.c.id, items.c.state).where(items.c.id.in_(ids)))
    found = {row.id: str(row.state) for row in rows}
    return tuple((one, found[one]) for one in ids)


def units(tx: Tx, sight: Sight, wanted: Wanted, *, most: int) -> tuple[str, ...] | None:
    """Return the units whose items are wanted, by name; None where that would be to look at ``most`` items or more."""
    if not wanted.states:
        return ()
    parts = _parts(sight, wanted, most, None)
    asked = union_all(*(select(part.subquery()) for part in parts)).subquery()
    query = select(asked.c.unit, func.count().label("number")).group_by(asked.c.unit).order_by(asked.c.unit)
    rows = tx.connection.execute(query).all()
    return None if sum(row.number for row in rows) >= most else tuple(str(row.unit) for row in rows)


def in_sight(tx: Tx, sight: Sight, item_id: str) -> bool:
    """Return whether there is such an item and it may be known of. Absent and out of sight cost the same."""
    query = select(items.c.id).where(items.c.id == item_id, *_seen(sight, singly=True))
    return tx.connection.scalar(query) is not None


def which_in_sight(tx: Tx, sight: Sight, item_ids: Iterable[str]) -> frozenset[str]:
    """Return those of ``item_ids`` that there are and that may be known of."""
    wanted = tuple(item_ids)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        query = select(items.c.id).where(
            items.c.id.in_(wanted[start : start + 500]), *_seen(sight, singly=True)
        )
        found.update(tx.connection.scalars(query))
    return frozenset(found)


def latest_of(tx: Tx, sight: Sight, officer: StaffId, *, limit: int) -> tuple[MessageId, ...]:
    """Return the ids of the items of ``officer`` of every kind and state, at most ``limit``, the latest first."""
    query = (
        select(items.c.id)
        .where(items.c.officer == officer, *_seen(sight, singly=True))
        .order_by(items.c.held_at.desc(), items.c.id.desc())
        .limit(limit)
    )
    return tuple(MessageId(one) for one in tx.connection.scalars(query))


def subjects(tx: Tx, sight: Sight, wanted: Wanted, *, limit: int) -> tuple[tuple[MessageId, str], ...]:
    """Return id and subject of at most ``limit`` wanted items, latest first: subjects are sealed, so a search reads them."""
    ids = _ids_newest(tx, sight, wanted, limit, None)
    rows = [
        row
        for start in range(0, len(ids), 500)
        for row in tx.connection.execute(
            select(items.c.id, items.c.subject).where(items.c.id.in_(ids[start : start + 500]))
        )
    ]
    return tuple(
        (
            MessageId(row.id),
            tx.open_or_why(items.c.subject, row.id, row.subject, []).decode("utf-8", "surrogateescape"),
        )
        for row in rows
    )


def conditions(sight: Sight, wanted: Wanted | None) -> tuple[ColumnElement[bool], ...]:
    """Return what must hold of a row of items to be in sight, and to be ``wanted`` if that is given: for `figures`."""
    return _seen(sight, singly=False) if wanted is None else _where(sight, wanted)


# --- conditions ---------------------------------------------------------------------------------------------


def _seen(sight: Sight, *, singly: bool) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for what is in sight: `review.access.objection` to listing, as SQL.

    ``singly`` looks each row up, for questions that read few; otherwise what is hidden is listed once, for counts.
    """
    if sight.blind:
        return (false(),)
    conditions: list[ColumnElement[bool]] = []
    if not sight.psd:
        conditions += [
            items.c.state != ItemState.REFERRED, items.c.officer.is_not(None), items.c.psd_only == ""
        ]  # fmt: skip
    if sight.me is not None:
        hidden = item_excluded.c.staff_id == sight.me
        if sight.superiors:
            from_above = and_(
                item_excluded.c.is_sender == true(), item_excluded.c.staff_id.in_(sight.superiors)
            )
            hidden = or_(hidden, from_above)
        if singly:
            of_item = select(item_excluded.c.item_id).where(item_excluded.c.item_id == items.c.id, hidden)
            conditions.append(~of_item.exists())
        else:
            conditions.append(items.c.id.not_in(select(item_excluded.c.item_id).where(hidden)))
    return tuple(conditions)


def _where(sight: Sight, wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
    """Return every condition, states included."""
    return (
        items.c.kind == wanted.kind,
        items.c.state.in_(wanted.states),
        *_narrowed(sight, wanted),
    )


def _narrowed(sight: Sight, wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
    """Return every condition but kind and state."""
    conditions = list(_seen(sight, singly=True))
    if wanted.unit:
        conditions.append(items.c.unit == wanted.unit)
    if wanted.officer is not None:
        conditions.append(items.c.officer == wanted.officer)
    if wanted.urgent:
        conditions.append(items.c.urgent == true())
    if wanted.psd_copy:
        conditions.append(items.c.psd_copy == true())
    if wanted.held_before is not None:
        conditions.append(items.c.held_at < wanted.held_before)
    if wanted.category:
        found = select(ledger_findings.c.ledger_id).where(
            ledger_findings.c.ledger_id == items.c.id,
            ledger_findings.c.rule.startswith(f"{wanted.category}.", autoescape=True),
        )
        conditions.append(found.exists())
    if wanted.search:
        conditions.append(_found(wanted))
    return tuple(conditions)


def _found(wanted: Wanted) -> ColumnElement[bool]:
    """Return the condition for what a search came to."""
    ways: list[ColumnElement[bool]] = [false()]
    if wanted.called:
        # each by an index of its own; joined by or, a database walks past every item instead
        for column in (items.c.message_id, items.c.sha256):
            called = items.alias()
            ways.append(items.c.id.in_(select(called.c.id).where(called.c[column.name] == wanted.called)))
    if named := (*wanted.found, *filter(None, (wanted.called,))):
        ways.append(items.c.id.in_(named))
    if wanted.officers:
        ways.append(items.c.officer.in_(wanted.officers))
    if wanted.units:
        ways.append(items.c.unit.in_(wanted.units))
    if wanted.persons:
        of_person = select(item_contacts.c.item_id).where(item_contacts.c.person_id.in_(wanted.persons))
        ways.append(items.c.id.in_(of_person))
    return or_(*ways)


# --- pages --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cursor:
    urgent: bool
    held_at: datetime
    id: str


def _cursor(tx: Tx, sight: Sight, item_id: str) -> _Cursor | None:
    query = select(items.c.urgent, items.c.held_at).where(items.c.id == item_id, *_seen(sight, singly=True))
    row = tx.connection.execute(query).one_or_none()
    return None if row is None else _Cursor(urgent=row.urgent, held_at=row.held_at, id=item_id)


def _ids(tx: Tx, sight: Sight, wanted: Wanted, limit: int, begin: _Cursor | None) -> tuple[str, ...]:
    parts = _parts(sight, wanted, limit, begin)
    if not parts:
        return ()
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    query = select(found.c.id).order_by(found.c.urgent.desc(), found.c.held_at, found.c.id).limit(limit)
    return tuple(tx.connection.scalars(query))


def _parts(sight: Sight, wanted: Wanted, limit: int, begin: _Cursor | None) -> list[Select[Any]]:
    """Return what reads the first ``limit`` of each urgency and state behind ``begin``, oldest first, along an index."""
    parts: list[Select[Any]] = []
    for urgent in (True, False):
        if begin is not None and begin.urgent < urgent:
            continue
        behind: tuple[ColumnElement[bool], ...] = ()
        if begin is not None and begin.urgent is urgent:
            later = and_(items.c.held_at == begin.held_at, items.c.id > begin.id)
            behind = (items.c.held_at >= begin.held_at, or_(items.c.held_at > begin.held_at, later))
        parts += [
            select(items.c.id, items.c.urgent, items.c.held_at, items.c.unit)
            .where(
                items.c.kind == wanted.kind,
                items.c.state == state,
                items.c.urgent == urgent,
                *behind,
                *_narrowed(sight, wanted),
            )
            .order_by(items.c.held_at, items.c.id)
            .limit(limit)
            for state in wanted.states
        ]
    return parts


def _ids_newest(tx: Tx, sight: Sight, wanted: Wanted, limit: int, begin: _Cursor | None) -> tuple[str, ...]:
    behind: tuple[ColumnElement[bool], ...] = ()
    if begin is not None:
        earlier = and_(items.c.held_at == begin.held_at, items.c.id < begin.id)
        behind = (items.c.held_at <= begin.held_at, or_(items.c.held_at < begin.held_at, earlier))
    parts = [
        select(items.c.id, items.c.held_at)
        .where(
            items.c.kind == wanted.kind,
            items.c.state == state,
            # not asked for: it lets the index that has officer and unit answer, without a look at the rows themselves
            items.c.urgent == urgent,
            *behind,
            *_narrowed(sight, wanted),
        )
        .order_by(items.c.held_at.desc(), items.c.id.desc())
        .limit(limit)
        for state in wanted.states
        for urgent in (True, False)
    ]
    if not parts:
        return ()
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    query = select(found.c.id).order_by(found.c.held_at.desc(), found.c.id.desc()).limit(limit)
    return tuple(tx.connection.scalars(query))


class _Line(msgspec.Struct, frozen=True):
    """What a headline takes from a verdict; the rest is not read. Empty where the verdict does not open."""

    urgent: str = ""
    score: int = 0
    findings: tuple[Finding, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def _headlines(tx: Tx, ids: tuple[str, ...]) -> tuple[Headline, ...]:
    """Return the items with these ids in their order, each with its line of the verdict."""
    rows = tx.connection.execute(select(items.c.id, items.c.verdict).where(items.c.id.in_(ids)))
    why_not: dict[str, list[str]] = {one: [] for one in ids}
    lines = {
        row.id: msgspec.json.decode(
            tx.open_or_why(items.c.verdict, row.id, row.verdict, why_not[row.id]) or b"{}", type=_Line
        )
        for row in rows
    }
    return tuple(
        Headline(
            item=item,
            unopened=item.unopened or next(iter(why_not[item.id]), ""),
            urgent=lines[item.id].urgent,
            score=lines[item.id].score,
            findings=lines[item.id].findings,
            unread=len(lines[item.id].unreadable),
        )
        for item in records_of_items.items_called(tx, ids)
    )


_QUIET = frozenset(
    {
        Event.ITEM_VIEWED,
        Event.ITEM_LISTED,
        Event.ITEM_NOTED,
        Event.DECISION_REFUSED,
        Event.SESSION_STARTED,
        Event.SESSION_ENDED,
        Event.SIGN_IN_REFUSED,
        Event.CONTACT_SHOWN,
        Event.NOTICE_QUEUED,
        Event.NOTICE_SENT,
    }
)
"""What happens all day and changes no list: most of all that somebody looks at one."""
_FEW = 500


def is_quiet(tx: Tx, after: int) -> bool:
    """Return whether nothing behind entry ``after`` of the audit log can have changed a list; false when it is much."""
    query = select(audit_entries.c.event).where(audit_entries.c.seq > after).limit(_FEW)
    events = tuple(tx.connection.scalars(query))
    return len(events) < _FEW and _QUIET.issuperset(events)
