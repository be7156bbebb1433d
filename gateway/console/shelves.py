"""The lists that the queue has, and the filters of each: from the address of a page to what is asked of the store.

A search is one field. Ids and hashes are looked up as they are; names, addresses and case references are turned into people by
the registry; subjects are sealed, so a bounded number of them is read. Whatever it comes to is asked for through the
visitor's sight. Knows no templates.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode

from gateway.model import Contact, ItemKind, ItemState, PersonId, Registry, StaffId
from gateway.store import Store, Tx, queue
from gateway.store.queue import Sight, Tally, Wanted
from gateway.store.rows import Item

_MOST = 200
"""People of whom a search asks for items: beyond that the word is no name."""
_SHORTEST = 2
_COUNTED = 1_000
"""Items that a list is counted to: who only observes may have a hundred thousand open flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One of the lists."""

    path: str
    name: str
    wanted: Wanted
    newest_first: bool = False
    counted: bool = True
    """Whether its page says how much is on it: of all that was ever decided, nobody asks that every time."""

    def holds(self, item: Item) -> bool:
        """Return whether an item is on it, whatever the filters."""
        return item.kind is self.wanted.kind and item.state in self.wanted.states


HOLDS = Shelf(path="/holds", name="Holds", wanted=Wanted())
FLAGS = Shelf(path="/flags", name="Flags", wanted=Wanted(kind=ItemKind.FLAG, states=(ItemState.OPEN,)))
DECIDED = Shelf(
    path="/decided",
    name="Decided",
    wanted=Wanted(states=(ItemState.RELEASED, ItemState.PARTLY_RELEASED, ItemState.RETURNED)),
    newest_first=True,
    counted=False,
)
CLOSED = Shelf(
    path="/closed",
    name="Closed flags",
    wanted=Wanted(kind=ItemKind.FLAG, states=(ItemState.CLOSED,)),
    newest_first=True,
    counted=False,
)
SHELVES = (HOLDS, FLAGS, DECIDED, CLOSED)
"""Holds that wait, flags apart from them, and what is behind us of either: no item is on none of them."""


AGES = {"1": "an hour", "4": "4 hours", "24": "a day", "72": "3 days", "168": "a week", "720": "30 days"}
"""What a list can be narrowed to: items that came longer ago than so many hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address of a page asks for. Every field is text, and empty where nothing is asked."""

    q: str = ""
    unit: str = ""
    category: str = ""
    urgent: str = ""
    psd: str = ""
    state: str = ""
    age: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filters":
        """Return the filters in a query; what is no filter, no state or no age is left out."""
        said = {field.name: query.get(field.name, "").strip()[:255] for field in fields(cls)}
        for name, known in (("state", set(ItemState)), ("age", AGES)):
            said[name] = said[name] if said[name] in known else ""
        return cls(**said)

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
    at: datetime,
) -> Wanted:
    """Return what ``filters`` ask for on ``shelf`` at a time; a state that is on another list finds nothing."""
    wanted = replace(
        shelf.wanted,
        states=tuple(one for one in shelf.wanted.states if filters.state in {"", one}),
        held_before=at - timedelta(hours=int(filters.age)) if filters.age else None,
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
        called=filters.q,
        found=with_words,
        officers=officers,
        persons=persons,
        units=units,
    )


def tally_of(tx: Tx, sight: Sight, shelf: Shelf, wanted: Wanted) -> Tally | None:
    """Return how much is wanted of ``shelf``, counted to 1,000; None where its page does not say."""
    return queue.tally(tx, sight, wanted, most=_COUNTED) if shelf.counted else None


def failed_on(tx: Tx, sight: Sight, shelf: Shelf) -> int:
    """Return how many releases of ``shelf`` failed, counted to 1,000 and whatever the filters: each wants a decision again."""
    failed = tuple(one for one in shelf.wanted.states if one is ItemState.RELEASE_FAILED)
    return (
        queue.tally(tx, sight, replace(shelf.wanted, states=failed), most=_COUNTED).waiting if failed else 0
    )


def units_on(tx: Tx, sight: Sight, shelf: Shelf, registry: Registry | None) -> tuple[str, ...]:
    """Return the units that ``shelf`` can be narrowed to: those with items on it, or where those are many, all units."""
    found = queue.units(tx, sight, shelf.wanted, most=_COUNTED) if shelf.counted else None
    return units_of(registry) if found is None else found


def units_of(registry: Registry | None) -> tuple[str, ...]:
    """Return the units on the staff list, by name."""
    if registry is None:
        return ()
    return tuple(sorted({member.unit for member in registry.staff_by_id.values()} - {""}))


# --- from words to people -----------------------------------------------------------------------------------


class _Lines:
    """Many short texts in which one word is looked for: one string, so that it is the interpreter that looks."""

    __slots__ = ("_owners", "_starts", "_text")

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        """``lines`` are texts, and whom each belongs to."""
        folded, self._starts, self._owners, at = [], [], [], 0
        for text, owner in lines:
            line = text.casefold().replace("\n", " ")
            folded.append(line)
            self._starts.append(at)
            self._owners.append(owner)
            at += len(line) + 1
        self._text = "\n".join(folded)

    def owners(self, word: str, *, most: int) -> tuple[str, ...]:
        """Return to whom the lines with ``word`` in them belong, at most so many, each once."""
        word = word.replace("\n", " ")
        found: dict[str, None] = {}
        at = self._text.find(word)
        while at >= 0 and len(found) < most:
            line = bisect_right(self._starts, at) - 1
            found[self._owners[line]] = None
            if line + 1 == len(self._starts):
                break
            at = self._text.find(word, self._starts[line + 1])
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Names:
    """What a search may call people and units by."""

    staff: _Lines
    contacts: _Lines
    by_id: Mapping[str, StaffId]
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A registry, which is equal to itself alone: it is never changed in place."""

    registry: Registry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.registry is self.registry

    def __hash__(self) -> int:
        return id(self.registry)


@lru_cache(maxsize=1)
def _names(of: _Same) -> _Names:
    """Return the names in a registry, folded once for all who search in it."""
    staff = of.registry.staff_by_id
    people = {one.person_id: one for contacts in of.registry.contacts_by_key.values() for one in contacts}
    return _Names(
        staff=_Lines((text, one.staff_id) for one in staff.values() for text in (one.name, one.email)),
        contacts=_Lines((text, one.person_id) for one in people.values() for text in _texts(one)),
        by_id={staff_id.casefold(): staff_id for staff_id in staff},
        units=units_of(of.registry),
    )


def _people(
    registry: Registry | None, words: str
) -> tuple[tuple[StaffId, ...], tuple[PersonId, ...], tuple[str, ...]]:
    """Return the officers, contacts and units that ``words`` may mean."""
    if registry is None or len(words) < _SHORTEST:
        return (), (), ()
    names = _names(_Same(registry))
    by_id = (names.by_id[words],) if words in names.by_id else ()
    officers = dict.fromkeys((*by_id, *map(StaffId, names.staff.owners(words, most=_MOST))))
    persons = map(PersonId, names.contacts.owners(words, most=_MOST))
    return (
        tuple(officers)[:_MOST],
        tuple(persons),
        tuple(one for one in names.units if words == one.casefold()),
    )


def _texts(contact: Contact) -> Iterator[str]:
    yield from contact.names
    yield from contact.emails
    yield contact.person_id
    for case in contact.cases:
        yield case.case_ref
