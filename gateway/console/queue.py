"""The queue: what waits, most urgent and oldest first; flags; what is decided. Filters, search, counts, saved views.

Everything is asked through the visitor's sight, so what they may not know of is in no row, no count and no search.
Each page that shows items is an entry in the audit log before it is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from gateway import audit
from gateway.console import live
from gateway.console.in_hand import Aftermath, Hand, aftermath, hands_of
from gateway.console.pages import RENEWAL, Page, Visit
from gateway.console.shelves import (
    AGES,
    CLOSED,
    DECIDED,
    FLAGS,
    HOLDS,
    SHELVES,
    Filters,
    Shelf,
    failed_on,
    tally_of,
    units_on,
    wanted_of,
)
from gateway.model import Event, Registry
from gateway.review.access import Permission
from gateway.store import Tx, queue
from gateway.store import sessions as kept
from gateway.store.queue import Headline, Tally, Wanted
from gateway.store.sessions import SavedView

REMEDIES = (
    ("Telephone the contact now.", "Do not leave it to the mail: tell them what they must know."),
    ("Then decide.", "Release it, or return it and have the facts sent again without the rest."),
)
_MAX_VIEWS = 30
_MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class _Found:
    """What one look into the store came to."""

    rows: tuple[Headline, ...]
    tally: Tally | None
    units: tuple[str, ...]
    views: tuple[SavedView, ...]
    mark: str
    hands: Mapping[str, Hand]
    elsewhere: tuple[Headline, ...]
    aftermath: Aftermath


async def home(visit: Visit) -> Response:
    """Lead to the first page that this person has in the navigation."""
    return visit.redirect(visit.nav[0].path if visit.nav else "/account")


async def holds(visit: Visit) -> Response:
    """Show the holds that wait."""
    return await _show(visit, HOLDS)


async def flags(visit: Visit) -> Response:
    """Show the open flags."""
    return await _show(visit, FLAGS)


async def decided(visit: Visit) -> Response:
    """Show what was released or returned, latest first."""
    return await _show(visit, DECIDED)


async def closed(visit: Visit) -> Response:
    """Show the flags that were closed, latest first: one may have been closed by mistake, and can be opened again."""
    return await _show(visit, CLOSED)


async def save_view(visit: Visit) -> Response:
    """Keep the filters of a page under a name, in place of those of the same name."""
    shelf = _shelf(visit.form.text("shelf"))
    filters = Filters.of(visit.form.fields)
    name = " ".join(visit.form.text("name").split())[:_MAX_NAME]
    address, email, now = filters.address(shelf), visit.person.email, visit.desk.now()

    def keep(tx: Tx) -> None:
        there = [one.name for one in kept.saved_views_of(tx, email)]
        if name in there or len(there) < _MAX_VIEWS:
            kept.save_view(tx, email, SavedView(name=name, query=address), now)

    if name and filters.given:
        await visit.desk.store.write(keep)
    return visit.redirect(address)


async def remove_view(visit: Visit) -> Response:
    """Forget a view."""
    email, name = visit.person.email, visit.form.text("name")
    await visit.desk.store.write(lambda tx: kept.remove_view(tx, email, name))
    return visit.redirect(_shelf(visit.form.text("shelf")).path)


async def news(visit: Visit) -> Response:
    """Tell an open page when what it shows is no longer what it would show: server-sent events."""
    shelf = _shelf(visit.query.get("shelf", ""))
    wanted = await _wanted(visit, shelf)
    return await live.stream(visit, shelf, wanted)


async def _show(visit: Visit, shelf: Shelf) -> Response:
    sight, limit = visit.sight, visit.desk.settings.console.page_rows
    filters, wanted = Filters.of(visit.query), await _wanted(visit, shelf)
    after, email, registry = visit.query.get("after", ""), visit.person.email, visit.registry
    now = visit.desk.now()

    def look(tx: Tx) -> _Found:
        tally = tally_of(tx, sight, shelf, wanted)
        rows = queue.page(tx, sight, wanted, limit=limit + 1, after=after, newest_first=shelf.newest_first)
        named = queue.called(tx, sight, filters.q, limit=limit) if filters.q else ()
        return _Found(
            rows=rows,
            tally=tally,
            units=units_on(tx, sight, shelf, registry),
            views=kept.saved_views_of(tx, email),
            mark=live.mark_of(tx, sight, shelf, wanted, tally, failed_on(tx, sight, shelf), now),
            hands=hands_of(tx, (row.item.id for row in rows), registry, now),
            elsewhere=tuple(row for row in named if not shelf.holds(row.item)),
            aftermath=aftermath(tx, visit),
        )

    found = await visit.desk.store.read(look)
    rows = found.rows[:limit]
    await _record(visit, shelf.name.lower(), (*rows, *found.elsewhere))
    return visit.page(
        "queue.html",
        shelf=shelf,
        rows=rows,
        groups=grouped(rows),
        tally=found.tally,
        units=found.units,
        categories=sorted(
            {one.category for row in rows for one in row.findings} | ({filters.category} - {""})
        ),
        views=found.views,
        filters=filters,
        ages=AGES,
        is_filtered=bool(filters.given),
        live="" if after else f"/live?{urlencode({'shelf': shelf.path} | filters.given)}",
        mark=found.mark,
        renewal=filters.address(shelf, **{RENEWAL: "1"}),
        next_page=filters.address(shelf, after=rows[-1].item.id) if len(found.rows) > limit else "",
        names=officer_names(visit.registry, (*rows, *found.elsewhere)),
        hands=found.hands,
        elsewhere=found.elsewhere,
        aftermath=found.aftermath,
        now=now,
        remedies=REMEDIES,
    )


def grouped(rows: tuple[Headline, ...]) -> tuple[tuple[Headline, ...], ...]:
    """Return the rows with near-duplicates together, at the place of the first: one officer, the same words found.

    A mail sent three times, or to three contacts, is one matter for a reviewer. Each is still decided by itself.
    """
    groups: dict[tuple[object, ...], list[Headline]] = {}
    for row in rows:
        words = tuple(sorted((one.rule, (one.text or "").casefold()) for one in row.findings))
        told = bool(words and row.item.officer)
        alike = (row.item.officer, bool(row.urgent), words) if told else (row.item.id,)
        groups.setdefault(alike, []).append(row)
    return tuple(tuple(group) for group in groups.values())


def _shelf(path: str) -> Shelf:
    return next((one for one in SHELVES if one.path == path), HOLDS)


async def _wanted(visit: Visit, shelf: Shelf) -> Wanted:
    return await wanted_of(
        shelf,
        Filters.of(visit.query),
        visit.desk.store,
        visit.sight,
        visit.registry,
        max_subjects=visit.desk.settings.console.search_items,
        at=visit.desk.now(),
    )


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


def officer_names(registry: Registry | None, rows: tuple[Headline, ...]) -> dict[str, str]:
    """Return name and rank of the officers in ``rows`` by staff id."""
    wanted = {row.item.officer for row in rows if row.item.officer}
    if registry is None or not wanted:
        return {}
    found = (registry.staff_by_id.get(staff_id) for staff_id in wanted)
    return {member.staff_id: f"{member.rank} {member.name}".strip() for member in found if member}


PAGES = (
    Page(path="/", permission=Permission.ACCOUNT_OWN, get=home),
    Page(path="/holds", permission=Permission.ITEM_LIST, get=holds, nav="Holds"),
    Page(path="/flags", permission=Permission.ITEM_LIST, get=flags, nav="Flags"),
    Page(path="/decided", permission=Permission.ITEM_LIST, get=decided, nav="Decided"),
    Page(path="/closed", permission=Permission.ITEM_LIST, get=closed, nav="Closed"),
    Page(path="/views", permission=Permission.ITEM_LIST, post=save_view),
    Page(path="/views/remove", permission=Permission.ITEM_LIST, post=remove_view),
    Page(path="/live", permission=Permission.ITEM_LIST, get=news, stream=True),
)
