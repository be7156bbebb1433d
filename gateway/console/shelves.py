"""The lists that the queue has, and the filters of each: from the address of a page to what is asked of the store.

A search is one field. Ids and hashes are looked up as they are; names, addresses and case references are turned into people by
the registry; subjects are sealed, so a bounded number of them is read. Whatever it comes to is asked for through the
visitor's sight. Knows no templates.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from gateway.model import Contact, ItemKind, ItemState, PersonId, Registry, StaffId
from gateway.store import Store, queue
from gateway.store.queue import Sight, Wanted

_MOST = 200
"""People of whom a search asks for items: beyond that the word is no name."""
_SHORTEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One of the lists."""

    path: str
    name: str
    wanted: Wanted
    newest_first: bool = False


HOLDS = Shelf(path="/holds", name="Holds", wanted=Wanted())
FLAGS = Shelf(path="/flags", name="Flags", wanted=Wanted(kind=ItemKind.FLAG, states=(ItemState.OPEN,)))
DECIDED = Shelf(
    path="/decided",
    name="Decided",
    wanted=Wanted(states=(ItemState.RELEASED, ItemState.RETURNED)),
    newest_first=True,
)
SHELVES = (HOLDS, FLAGS, DECIDED)
"""Holds that wait, flags apart from them, and what is behind us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address of a page asks for. Every field is text, and empty where nothing is asked."""

    q: str = ""
    unit: str = ""
    category: str = ""
    urgent: str = ""
    psd: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filters":
        """Return the filters in a query; what is no filter is left out."""
        return cls(**{field.name: query.get(field.name, "").strip()[:255] for field in fields(cls)})

    @property
    def given(self) -> dict[str, str]:
        """The ones that ask for something."""
        return {name: value for field in fields(self) if (value := getattr(self, name := field.name))}

    def address(self, shelf: Shelf, **more: str) -> str:
        """Return the address of ``shelf`` with these filters."""
        query = urlencode(self.given | more)
        return f"{shelf.path}?{query}" if query else shelf.path


async def wanted_of(
    shelf: Shelf,
    filters: Filters,
    store: Store,
    sight: Sight,
    registry: Registry | None,
    *,
    max_subjects: int,
) -> Wanted:
    """Return what ``filters`` ask for on ``shelf``."""
    wanted = replace(
        shelf.wanted,
        unit=filters.unit,
        category=filters.category,
        urgent=filters.urgent == "1",
        psd_copy=filters.psd == "1",
    )
    if not filters.q:
        return wanted
    words = filters.q.casefold()
    subjects = await store.read(lambda tx: queue.subjects(tx, sight, wanted, limit=max_subjects))
    with_words = tuple(
        item for item, subject in subjects if all(word in subject.casefold() for word in words.split())
    )
    officers, persons, units = await asyncio.to_thread(_people, registry, words)
    return replace(
        wanted,
        search=True,
        called=(filters.q, *with_words),
        officers=officers,
        persons=persons,
        units=units,
    )


def _people(
    registry: Registry | None, words: str
) -> tuple[tuple[StaffId, ...], tuple[PersonId, ...], tuple[str, ...]]:
    """Return the officers, contacts and units that ``words`` may mean."""
    if registry is None or len(words) < _SHORTEST:
        return (), (), ()
    staff = {member.staff_id: member for member in registry.staff_by_key.values()}
    officers = [
        member.staff_id
        for member in staff.values()
        if words == member.staff_id.casefold() or words in member.name.casefold() or words in member.email
    ]
    units = {member.unit for member in staff.values() if words == member.unit.casefold()}
    persons = dict.fromkeys(_persons(registry, words))
    return tuple(officers[:_MOST]), tuple(persons)[:_MOST], tuple(sorted(units))


def _persons(registry: Registry, words: str) -> Iterator[PersonId]:
    for contacts in registry.contacts_by_key.values():
        for contact in contacts:
            if any(words in text.casefold() for text in _texts(contact)):
                yield contact.person_id


def _texts(contact: Contact) -> Iterator[str]:
    yield from contact.names
    yield from contact.emails
    yield contact.person_id
    for case in contact.cases:
        yield case.case_ref
