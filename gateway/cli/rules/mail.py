"""The mail that a rule set is tried on: files, a labelled corpus, ordinary mail, examples, and what the store keeps.

Owns how each source becomes samples, and what a person said of each. Stored mail is opened for a person who may try rules
over it, and the opening is on record before anything is shown; no word of it leaves this module.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway import audit
from gateway.cli.holds import DEFAULT_ACCOUNT
from gateway.cli.invocation import fail
from gateway.cli.listing import person_asking, system_actor
from gateway.errors import GatewayError
from gateway.inspection.examples import stage
from gateway.inspection.rules import RuleSet
from gateway.model import (
    Event,
    HouseStyle,
    ItemKind,
    Label,
    Limits,
    MessageId,
    Registry,
    UnreadableReason,
    Verdict,
)
from gateway.rehearsal.benign import Baseline, sample_of
from gateway.rehearsal.comparison import Standing
from gateway.rehearsal.judging import Judge, Sample, as_contacts, letter, office_hours, read
from gateway.review.access import Permission, Person, objection
from gateway.review.decisions import subject_of
from gateway.settings import Settings
from gateway.store import Store, Tx, items, records
from gateway.store.rows import Item
from gateway.training import corpus as labelled

AsOption = Annotated[
    str,
    typer.Option("--as", help="Account that asks for stored mail; else the default one.", metavar="EMAIL", show_default=False),
]  # fmt: skip
StoreOption = Annotated[
    bool, typer.Option("--store", help="Over the holds and flags of the store; needs --config.")
]
_PAGE: Final = 200
_NOT_OF_RULES: Final = frozenset({UnreadableReason.NOT_IN_TIME, UnreadableReason.WORKER_FAILED})
_STANDINGS: Final = {
    Label.CROSSING: Standing.CROSSING, Label.FALSE_ALARM: Standing.PROPER, Label.NONE: Standing.UNKNOWN
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One mail to be tried, what a person said of it, and the verdict it got when it came, if it did."""

    sample: Sample
    standing: Standing
    verdict: Verdict | None = None


def given(paths: Iterable[Path], timezone: str) -> Iterator[Tried]:
    """Yield the mail in ``paths``: .eml files, folders of them, and folders of a labelled corpus.

    Every recipient counts as a contact with an open case, every sender as assigned to it. Ends the command with 1 when
    a file cannot be read.
    """
    for path in paths:
        if (path / "batches.yaml").is_file():
            yield from _corpus(path, timezone)
            continue
        files = sorted(path.rglob("*.eml")) if path.is_dir() else [path]
        if not files:
            fail(f"{path}: no .eml file in it, and no corpus (batches.yaml)")
        for file in files:
            yield Tried(sample=_file(file), standing=Standing.UNKNOWN)


def _file(path: Path) -> Sample:
    try:
        raw = path.read_bytes()
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror or error}")
    headers = read(raw, Limits(), HouseStyle()).headers
    at = headers.date or datetime.now(UTC)
    return Sample(name=str(path), raw=raw, parties=as_contacts(headers), at=at)


def _corpus(folder: Path, timezone: str) -> Iterator[Tried]:
    at = office_hours(datetime.now(UTC), timezone)
    for mail in labelled.load(folder).mails:
        crossing = mail.label is labelled.Label.CROSSING
        yield Tried(
            sample=letter(mail.id, mail.subject, mail.body, at, reply=mail.reply),
            standing=Standing.CROSSING if crossing else Standing.PROPER,
        )


def ordinary(baseline: Baseline, judge: Judge) -> Iterator[Tried]:
    """Yield the ordinary mail beside the rules."""
    now = datetime.now(UTC)
    for mail in baseline.mails:
        yield Tried(sample=sample_of(mail, judge, now), standing=Standing.PROPER)


def examples_of(rules: RuleSet) -> Iterator[Tried]:
    """Yield the examples of ``rules``: hits as crossings; of a near miss of one rule nobody knows what it is to others."""
    now = datetime.now(UTC)
    for rule in rules.rules:
        kinds = (("hit", rule.entry.examples.hit), ("miss", rule.entry.examples.miss))
        for wanted, found in kinds:
            for number, example in enumerate(found, 1):
                staged = stage(example, rule, now)
                crossing = wanted == "hit" and not rule.safety
                yield Tried(
                    sample=Sample(
                        name=f"{rule.id} {wanted} {number}", raw=b"", parties=staged.parties, at=staged.at,
                        history=staged.history, authored=staged.authored,
                    ),
                    standing=Standing.CROSSING if crossing else Standing.UNKNOWN,
                )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who tries rules over stored mail. Who may not list items is told figures only, and no small ones."""

    person: Person
    registry: Registry | None

    @property
    def sees_items(self) -> bool:
        """Whether the ids of items may be shown."""
        return not objection(self.person, Permission.ITEM_LIST, None, self.registry)


def person_called(
    store: Store, settings: Settings, email: str, wish: Permission
) -> tuple[Person, Registry | None]:
    """Return who asks, by ``--as`` or the default account, and the staff list; ends the command with 1 if they may not."""
    wanted = email or store.read_now(lambda tx: records.fact(tx, DEFAULT_ACCOUNT)) or ""
    person, registry = person_asking(store, settings, wanted)
    if person is None:
        fail("who asks? Name an account with --as EMAIL, or make one with `gateway accounts add`")
    if why := objection(person, wish, None, registry):
        fail(why)
    return person, registry


def reader_called(store: Store, settings: Settings, email: str) -> Reader:
    """Return who tries rules over stored mail; ends the command with 1 when they may not."""
    person, registry = person_called(store, settings, email, Permission.RULES_BACKTEST)
    return Reader(person=person, registry=registry)


def stored(
    store: Store, reader: Reader, sets: tuple[str, ...], since: datetime | None
) -> tuple[MessageId, ...]:
    """Return the items that ``reader`` may try ``sets`` over, oldest first, having written who opens which for what.

    What concerns the reader, or is with professional standards, is left out without a word (promise P7).
    """

    def opened(tx: Tx) -> tuple[MessageId, ...]:
        found = tuple(item.id for item in stored_items(tx) if _may_try(item, reader, since))
        payload: dict[str, audit.Value] = {
            "sets": sets,
            "system": system_actor(),
            "ids": tuple(map(str, found)),
        }
        audit.append(
            tx, Event.RULES_BACKTESTED, actor=reader.person.email, subject=sets[0], payload=payload,
            at=datetime.now(UTC),
        )  # fmt: skip
        return found

    return store.write_now(opened)


def _may_try(item: Item, reader: Reader, since: datetime | None) -> bool:
    if since is not None and item.held_at < since:
        return False
    return not objection(reader.person, Permission.RULES_BACKTEST, subject_of(item), reader.registry)


def stored_items(tx: Tx) -> Iterator[Item]:
    """Yield every hold, then every flag, each oldest first."""
    for kind in ItemKind:
        last: MessageId | None = None
        while page := items.list_items(tx, kind, limit=_PAGE, after=last):
            yield from page
            last = page[-1].id


def opened(store: Store, ids: Iterable[MessageId]) -> Iterator[Tried]:
    """Yield the items as mail to be tried, each with the people, history and limits of its day."""
    for item_id in ids:
        yield store.read_now(lambda tx, item_id=item_id: _opened(tx, item_id))  # type: ignore[misc]


def _opened(tx: Tx, item_id: MessageId) -> Tried:
    full = items.item_in_full(tx, item_id)
    if full is None or full.verdict.parties is None:
        raise GatewayError(
            f"item {item_id} has no people in its verdict: it is older than this version reads"
        )
    verdict = full.verdict
    sample = Sample(
        name=item_id, raw=items.message(tx, item_id), parties=full.verdict.parties, at=verdict.decided_at,
        history=verdict.history, limits=verdict.limits,
        trouble=tuple(one for one in verdict.unreadable if one.reason in _NOT_OF_RULES),
    )  # fmt: skip
    return Tried(sample=sample, standing=_STANDINGS[full.item.label], verdict=verdict)
