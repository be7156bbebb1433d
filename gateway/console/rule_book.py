"""What the console knows of the rules: the set in force, its files, how it came to be, and whether a newer one was refused.

Reads the store only: the sets it keeps, what relays report, and the audit log. A set is taken apart once and remembered.
Owns no page and no figures.
"""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pydantic import ValidationError

from gateway import audit, inspection
from gateway.errors import Mistakes
from gateway.inspection import Bundle
from gateway.inspection.bundle import BundleFile
from gateway.inspection.nodes import parse
from gateway.inspection.schema import ListCondition, ListEntry, RuleEntry
from gateway.model import Event, HouseStyle, Policy
from gateway.rehearsal import promotion
from gateway.store import ChainRow, Store, Tx, records
from gateway.store.instants import instant_of
from gateway.store.rows import RuleReport

_ALIVE: Final = timedelta(seconds=15)
"""A relay that has not reported for so long does not run: `serve` reports every five seconds."""
_BOOKS_KEPT: Final = 2
"""Sets that are remembered taken apart: the one in force, and the one before while pages are open."""
_SETS_KEPT: Final = 400
"""Sets of which the hashes of the files are remembered: some twenty kilobytes each."""
_MOST: Final = 200
"""Audit entries about rules that a page goes back: a year of a busy rule author."""
_POLICY: Final = "policy.yaml"
_NO_RULES: Final = frozenset({"lists", "retired"})

_Entry = TypeVar("_Entry", RuleEntry, ListEntry)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRule:
    """One rule of a set: what its file says, the file as it stands, and whether it takes the place of another layer's."""

    entry: RuleEntry
    file: str
    text: str
    overrides: bool

    @property
    def category(self) -> str:
        """The part of the id before the dot."""
        return self.entry.id.partition(".")[0]

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists that its conditions name."""
        found = (one.list for one in self.entry.match.values() if isinstance(one, ListCondition))
        return tuple(dict.fromkeys(name for each in found for name in each))


@dataclass(frozen=True, slots=True, kw_only=True)
class BookList:
    """One list of a set."""

    entry: ListEntry
    file: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A set taken apart. ``policy_text`` is that of policy.yaml; ``policy`` None: this version cannot read it."""

    hash: str
    rules: Mapping[str, BookRule]
    lists: Mapping[str, BookList]
    policy_text: str
    policy: Policy | None
    style: HouseStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A set that was refused after the one in force was taken: when, and what is wrong with it."""

    at: datetime
    mistakes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Which set is in force, as relays report it; without a relay, the one that was in force last.

    ``reports`` are of the relays that run; ``refusal`` is the alarm that a newer set was not taken.
    """

    hash: str
    reports: tuple[RuleReport, ...]
    refusal: Refusal | None

    @property
    def is_mixed(self) -> bool:
        """Whether relays judge by different sets just now."""
        return len({report.hash for report in self.reports}) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was done to the rules, by whom and when. ``files`` are those a new set has changed, by what happened."""

    at: datetime
    actor: str
    event: Event
    rules_hash: str = ""
    rule: str = ""
    says: str = ""
    reason: str = ""
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """How long a rule's file said the same, and under which status and version. ``until`` None: it still does."""

    since: datetime
    until: datetime | None
    actor: str
    rules_hash: str
    status: str
    version: int


def book_of(bundle: Bundle) -> Book:
    """Return a set that was in force, taken apart. What cannot be read is left out: the set was accepted by another version."""
    rules: dict[str, BookRule] = {}
    lists: dict[str, BookList] = {}
    policy = ""
    for file in bundle.files:
        folder = file.name.partition("/")[0]
        if file.name == _POLICY:
            policy = file.text
        elif folder == "lists":
            if (entry := _entry_of(file, ListEntry)) is not None:
                lists[entry.list] = BookList(entry=entry, file=bundle.shown(file), text=file.text)
        elif folder not in _NO_RULES and (rule := _entry_of(file, RuleEntry)) is not None:
            rules[rule.id] = BookRule(
                entry=rule, file=bundle.shown(file), text=file.text, overrides=rule.id in rules
            )
    acts, style = _policy_and_style(bundle)
    return Book(hash=bundle.hash, rules=rules, lists=lists, policy_text=policy, policy=acts, style=style)


def _policy_and_style(bundle: Bundle) -> tuple[Policy | None, HouseStyle]:
    try:
        return inspection.policy_of(bundle), inspection.house_style_of(bundle)
    except Mistakes:
        return None, HouseStyle()


def _entry_of(file: BundleFile, model: type[_Entry]) -> _Entry | None:
    document, _ = parse(file.name, file.text)
    try:
        return None if document is None else model.model_validate(document.value)
    except ValidationError:
        return None


class RuleBook:
    """The rules as the store has them. One a desk."""

    def __init__(self, store: Store) -> None:
        """Read nothing yet."""
        self._store = store
        self._taking_apart = asyncio.Lock()
        self._books: OrderedDict[str, Book] = OrderedDict()
        self._hashes: OrderedDict[str, Mapping[tuple[int, str], str]] = OrderedDict()
        self._standings: dict[str, tuple[str, int]] = {}

    async def in_force(self, now: datetime) -> InForce | None:
        """Return which set is in force, or None when none ever was."""
        return await self._store.read(lambda tx: self._in_force(tx, now))

    async def book(self, rules_hash: str) -> Book | None:
        """Return a set taken apart, or None when the store does not have it."""
        async with self._taking_apart:
            if rules_hash not in self._books:
                row = await self._store.read(lambda tx: records.rule_set(tx, rules_hash))
                if row is None:
                    return None
                self._books[rules_hash] = await asyncio.to_thread(
                    lambda: book_of(Bundle.from_json(row.bundle))
                )
                while len(self._books) > _BOOKS_KEPT:
                    self._books.popitem(last=False)
            self._books.move_to_end(rules_hash)
            return self._books[rules_hash]

    async def changes(self) -> tuple[Change, ...]:
        """Return what was done to the rules, latest first, as far back as `_MOST` entries of the audit log."""
        return await self._store.read(lambda tx: tuple(reversed(self._changes(tx))))

    async def stretches(self, rule_id: str) -> tuple[Stretch, ...]:
        """Return how the file of a rule came to be what it is, latest first, as far back as `changes` goes."""
        return await self._store.read(lambda tx: self._stretches(tx, rule_id))

    # --- in a thread of the store ---------------------------------------------------------------------------

    def _in_force(self, tx: Tx, now: datetime) -> InForce | None:
        latest = records.latest_rules_hash(tx)
        if not latest:
            return None
        reports = records.rule_reports_since(tx, now - _ALIVE)
        reported = {report.hash for report in reports}
        return InForce(
            hash=latest if not reported or latest in reported else min(reported),
            reports=reports,
            refusal=refusal_of(_entries(tx)),
        )

    def _changes(self, tx: Tx) -> list[Change]:
        found: list[Change] = []
        before = ""
        for row in _entries(tx):
            if row.event == Event.RULES_LOADED:
                if row.subject != before:
                    files = (
                        _differences(self._files(tx, before), self._files(tx, row.subject)) if before else ()
                    )
                    found.append(_change(row, files))
                before = row.subject
            else:
                found.append(_change(row))
        return found

    def _stretches(self, tx: Tx, rule_id: str) -> tuple[Stretch, ...]:
        name = rule_id.replace(".", "/") + ".yaml"
        stood: list[tuple[ChainRow, str]] = []
        for row in _entries(tx):
            if row.event == Event.RULES_LOADED:
                said = _last_layer(self._files(tx, row.subject), name)
                if not stood or stood[-1][1] != said:
                    stood.append((row, said))
        ends = [instant_of(row.at) for row, _ in stood[1:]]
        found = [
            _stretch(row, end, self._standing(tx, row.subject, name, said))
            for (row, said), end in zip(stood, (*ends, None), strict=True)
            if said
        ]
        return tuple(reversed(found))

    def _files(self, tx: Tx, rules_hash: str) -> Mapping[tuple[int, str], str]:
        """Return the hash of each file of a set, by layer and name; nothing for one that the store does not have."""
        known = self._hashes.get(rules_hash)
        if known is None:
            row = records.rule_set(tx, rules_hash)
            files = Bundle.from_json(row.bundle).files if row is not None else ()
            known = self._hashes[rules_hash] = {(file.layer, file.name): _hash(file.text) for file in files}
            while len(self._hashes) > _SETS_KEPT:
                self._hashes.popitem(last=False)
        return known

    def _standing(self, tx: Tx, rules_hash: str, name: str, said: str) -> tuple[str, int]:
        """Return status and version in the file ``name`` of a set, whose hash is ``said``."""
        if said not in self._standings:
            row = records.rule_set(tx, rules_hash)
            assert row is not None, "its files are known"
            texts = [file.text for file in Bundle.from_json(row.bundle).files if file.name == name]
            self._standings[said] = promotion.standing(texts[-1])
        return self._standings[said]


def _entries(tx: Tx) -> tuple[ChainRow, ...]:
    return audit.entries_about_rules(tx, limit=_MOST)


def refusal_of(entries: Iterable[ChainRow]) -> Refusal | None:
    """Return the last refusal that no taken set came after. Entries come in order.

    A relay that starts while its files are wrong writes the refusal and, at once, the old set that it goes on with.
    """
    refused: ChainRow | None = None
    for row in entries:
        if row.event == Event.RULES_REFUSED:
            refused = row
        elif row.event == Event.RULES_LOADED and refused is not None:
            goes_on = (
                row.seq == refused.seq + 1 and row.subject == refused.subject and row.actor == refused.actor
            )
            refused = refused if goes_on else None
    if refused is None:
        return None
    return Refusal(at=instant_of(refused.at), mistakes=_texts(_payload(refused), "mistakes"))


def _change(row: ChainRow, files: tuple[tuple[str, str], ...] = ()) -> Change:
    """Return an entry as a change. Of a promotion's evidence nothing is told: its counts are of all mail, whoever looks."""
    payload = _payload(row)
    is_promotion = row.event == Event.RULE_PROMOTED
    says = "; ".join(_texts(payload, "mistakes"))
    if is_promotion and {"from", "to"} <= payload.keys():
        says = f"{payload['from']} to {payload['to']}"
    return Change(
        at=instant_of(row.at),
        actor=row.actor,
        event=Event(row.event),
        rules_hash="" if is_promotion else row.subject,
        rule=row.subject if is_promotion else "",
        says=says,
        reason=str(payload.get("reason", "")),
        files=files,
    )


def _stretch(row: ChainRow, until: datetime | None, standing: tuple[str, int]) -> Stretch:
    status, version = standing
    return Stretch(
        since=instant_of(row.at), until=until, actor=row.actor, rules_hash=row.subject, status=status, version=version
    )  # fmt: skip


def _differences(
    before: Mapping[tuple[int, str], str], after: Mapping[tuple[int, str], str]
) -> tuple[tuple[str, str], ...]:
    """Return the files that differ, by name, each with what happened to it."""
    found = {
        file: "new" if file not in before else "gone" if file not in after else "changed"
        for file in before.keys() | after.keys()
        if before.get(file) != after.get(file)
    }
    return tuple(
        (name, found[layer, name]) for layer, name in sorted(found, key=lambda file: (file[1], file[0]))
    )


def _last_layer(files: Mapping[tuple[int, str], str], name: str) -> str:
    """Return the hash of the file ``name`` that is in force: that of the last layer; empty when there is none."""
    return max(((layer, said) for (layer, each), said in files.items() if each == name), default=(0, ""))[1]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _payload(row: ChainRow) -> Mapping[str, object]:
    """Return the payload of an entry; nothing for one that was erased."""
    found = json.loads(row.payload) if row.payload else {}
    return found if isinstance(found, dict) else {}


def _texts(payload: Mapping[str, object], name: str) -> tuple[str, ...]:
    found = payload.get(name, ())
    return tuple(map(str, found)) if isinstance(found, Sequence) and not isinstance(found, str) else ()
