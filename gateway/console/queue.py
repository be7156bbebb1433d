"""The queue: what waits, most urgent and oldest first; flags; what is decided. Filters, search, counts.

Everything is asked through the visitor's sight, so what they may not know of is in no row, no count and no search.
Each page that shows items is an entry in the audit log before it is shown.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.responses import Response

from gateway import audit
from gateway.console.pages import Page, Visit
from gateway.model import Event, ItemKind, ItemState, Registry
from gateway.review.access import Permission
from gateway.store import Tx, queue
from gateway.store.queue import Headline, Tally, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One of the lists that the queue has."""

    path: str
    name: str
    wanted: Wanted
    newest_first: bool = False


SHELVES = (
    Shelf(path="/holds", name="Holds", wanted=Wanted()),
    Shelf(path="/flags", name="Flags", wanted=Wanted(kind=ItemKind.FLAG, states=(ItemState.OPEN,))),
    Shelf(
        path="/decided",
        name="Decided",
        wanted=Wanted(states=(ItemState.RELEASED, ItemState.RETURNED)),
        newest_first=True,
    ),
)
"""Holds that wait, flags apart from them, and what is behind us."""

REMEDIES = (
    ("Telephone the contact now.", "Do not leave it to the mail: tell them what they must know."),
    ("Then decide.", "Release it, or return it and have the facts sent again without the rest."),
)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one look into the store came to."""

    rows: tuple[Headline, ...]
    tally: Tally
    tallies: tuple[Tally, ...]
    units: tuple[str, ...]


async def home(visit: Visit) -> Response:
    """Lead to the first page that this person has in the navigation."""
    return visit.redirect(visit.nav[0].path if visit.nav else "/account")


async def holds(visit: Visit) -> Response:
    """Show the holds that wait."""
    return await _show(visit, SHELVES[0])


async def flags(visit: Visit) -> Response:
    """Show the open flags."""
    return await _show(visit, SHELVES[1])


async def decided(visit: Visit) -> Response:
    """Show what was released or returned, latest first."""
    return await _show(visit, SHELVES[2])


async def _show(visit: Visit, shelf: Shelf) -> Response:
    sight, limit = visit.sight, visit.desk.settings.console.page_rows
    wanted = filtered(visit, shelf.wanted)
    after = visit.query.get("after", "")

    def look(tx: Tx) -> _Found:
        return _Found(
            rows=queue.page(tx, sight, wanted, limit=limit + 1, after=after, newest_first=shelf.newest_first),
            tally=queue.tally(tx, sight, wanted),
            tallies=tuple(queue.tally(tx, sight, one.wanted) for one in SHELVES[:2]),
            units=queue.units(tx, sight, shelf.wanted),
        )

    found = await visit.desk.store.read(look)
    rows = found.rows[:limit]
    await _record(visit, shelf.name.lower(), rows)
    now = visit.desk.now()
    return visit.page(
        "queue.html",
        shelf=shelf,
        shelves=SHELVES,
        rows=rows,
        groups=grouped(rows),
        tally=found.tally,
        counts=[one.waiting for one in found.tallies],
        urgent=found.tallies[0].urgent,
        units=found.units,
        filters=_filters(visit),
        is_filtered=wanted != shelf.wanted,
        next_page=_next(visit, shelf, rows) if len(found.rows) > limit else "",
        names=_names(visit.registry, rows),
        now=now,
        remedies=REMEDIES,
    )


def filtered(visit: Visit, wanted: Wanted) -> Wanted:
    """Return ``wanted`` narrowed by the filters in the address; what is no filter is left out."""
    query = visit.query
    return replace(
        wanted,
        unit=query.get("unit", "")[:255],
        category=query.get("category", "")[:64],
        urgent=query.get("urgent") == "1",
        psd_copy=query.get("psd") == "1",
    )


def grouped(rows: tuple[Headline, ...]) -> tuple[tuple[Headline, ...], ...]:
    """Return the rows with near-duplicates together, at the place of the first: one officer, the same words found.

    A mail sent three times, or to three contacts, is one matter for a reviewer. Each is still decided by itself.
    """
    groups: dict[tuple[object, ...], list[Headline]] = {}
    for row in rows:
        words = tuple(sorted((one.rule, (one.text or "").casefold()) for one in row.findings))
        alike = (row.item.officer, words) if words and row.item.officer else (row.item.id,)
        groups.setdefault(alike, []).append(row)
    return tuple(tuple(group) for group in groups.values())


async def _record(visit: Visit, what: str, rows: tuple[Headline, ...]) -> None:
    """Write down what is about to be shown, before it is."""
    at, actor = visit.desk.now(), visit.person.email
    payload: dict[str, audit.Value] = {
        "list": what,
        "system": "console",
        "ids": tuple(row.item.id for row in rows),
    }
    await visit.desk.store.write(
        lambda tx: audit.append(tx, Event.ITEM_LISTED, actor=actor, subject=what, payload=payload, at=at)
    )


def _filters(visit: Visit) -> dict[str, str]:
    return {name: visit.query.get(name, "") for name in ("q", "unit", "category", "urgent", "psd")}


def _next(visit: Visit, shelf: Shelf, rows: tuple[Headline, ...]) -> str:
    kept = {name: value for name, value in _filters(visit).items() if value}
    return f"{shelf.path}?{urlencode(kept | {'after': rows[-1].item.id})}"


def _names(registry: Registry | None, rows: tuple[Headline, ...]) -> dict[str, str]:
    """Return name and rank of the officers in ``rows`` by staff id."""
    wanted = {row.item.officer for row in rows if row.item.officer}
    if registry is None or not wanted:
        return {}
    return {
        member.staff_id: f"{member.rank} {member.name}".strip()
        for member in registry.staff_by_key.values()
        if member.staff_id in wanted
    }


PAGES = (
    Page(path="/", permission=Permission.ACCOUNT_OWN, get=home),
    Page(path="/holds", permission=Permission.ITEM_LIST, get=holds, nav="Holds"),
    Page(path="/flags", permission=Permission.ITEM_LIST, get=flags, nav="Flags"),
    Page(path="/decided", permission=Permission.ITEM_LIST, get=decided, nav="Decided"),
)
