"""A store as a force has it after three years, for `bench.console`: a hundred thousand items and all that hangs on them.

Forty officers of two thousand staff write to thirty thousand contacts. Four items in ten are holds, the rest flags; all
but four hundred are decided, however many there are, for a queue does not grow with the years. One real mail, judged by
the real rules, is copied with another id, time, officer, contact, subject and state, and sealed anew each time; beside
each item stand its ledger row and two of mail that passed, its decisions, delivery and entries of the audit log.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from console_item.item_mail import QUOTED, judged
from console_visits import add_people
from gateway_process import CONTACTS, STAFF, mail
from sqlalchemy import select

from gateway import audit
from gateway.model import Action, Event, ItemKind, ItemState, Label, OutboxKind
from gateway.registry import load, load_last_good, save_last_good
from gateway.settings import RegistrySettings
from gateway.store import Store, schema
from gateway.store.rows import DecisionAction, DeliveryState, Outcome, RecipientState
from gateway.store.statements import insert_into

YEARS = 3
OFFICERS, STAFF_LISTED, PEOPLE = 40, 2_000, 30_000
UNITS = tuple(f"Unit {number}" for number in range(12))
RULES = tuple(
    f"{category}.rule-{number}"
    for category in ("flirting", "invitation", "appearance", "secrecy", "leverage", "off-channel", "conduct")
    for number in range(6)
)
WORDS = (
    "statement",
    "hearing",
    "case",
    "update",
    "court",
    "meeting",
    "appointment",
    "interview",
    "letter",
    "exhibit",
    "property",
    "phone",
)
BUSIEST = "s10"
"""Staff id of the officer who wrote most of it."""
OPEN_HOLDS = {
    ItemState.HELD: 220,
    ItemState.REFERRED: 20,
    ItemState.RELEASE_FAILED: 5,
    ItemState.RELEASING: 5,
}
OPEN_FLAGS = 150
_BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What became of one item."""

    number: int
    kind: ItemKind
    state: ItemState
    held_at: datetime
    officer: str
    person: int
    decided: DecisionAction | None
    label: Label

    @property
    def id(self) -> str:
        return f"bench{self.number:015}"


def registry(folder: Path) -> RegistrySettings:
    """Return the settings of a registry of so many people, whose last good copy lies in ``folder``."""
    folder.mkdir(exist_ok=True, parents=True)
    settings = RegistrySettings(
        contacts=folder / "contacts.csv", staff=folder / "staff.csv", domains=("force.example",),
        last_good=folder / "registry.json",
    )  # fmt: skip
    if settings.last_good.exists():
        return settings
    contacts = [
        f"person{n}@mail.example,Person Number{n},victim,42/{n}/26,open,2026-02-11,,o{n % OFFICERS}@force.example,no,,Q-{n}"
        for n in range(PEOPLE)
    ]
    staff = [
        f"o{n}@force.example,Officer Number{n},PC,{_unit(n)},{_manager(n)},{'supervisor' if n < 10 else 'officer'},,s{n}"
        for n in range(STAFF_LISTED)
    ]
    staff.append("nina.shah@force.example,Nina Shah,DS,Fraud Squad,,supervisor,,3400")
    settings.contacts.write_text(CONTACTS + "\n".join(contacts) + "\n", encoding="utf-8")
    settings.staff.write_text(STAFF + "\n".join(staff) + "\n", encoding="utf-8")
    found = load(settings, None, datetime.now(UTC)).registry
    assert found is not None
    save_last_good(found, settings.last_good)
    return settings


def fill(store: Store, of: RegistrySettings, count: int) -> None:
    """Put ``count`` items into an empty store, a thousand in a transaction."""
    store.write_now(add_people)
    dice, now = random.Random(7), datetime.now(UTC)
    raw = mail(QUOTED)
    scene = SimpleNamespace(
        store=store, registry=load_last_good(of), clock=lambda: now - timedelta(days=365 * YEARS)
    )
    first = judged(scene, raw)
    like = store.read_now(lambda tx: _template(tx, first))
    stories = list(_stories(count - 1, dice, now))
    for start in range(0, len(stories), _BATCH):
        store.write_now(lambda tx, start=start: _write(tx, like, stories[start : start + _BATCH], dice))


def _unit(number):
    return UNITS[number % len(UNITS)]


def _manager(number):
    """Three ranks: two inspectors, eight sergeants, everybody else."""
    if number < 2:
        return ""
    return f"o{number % 2}@force.example" if number < 10 else f"o{2 + number % 8}@force.example"


def _stories(count, dice, now):
    """Yield what becomes of each item, the oldest first; those that wait are of the last days."""
    waits = [(ItemKind.HOLD, state) for state, many in OPEN_HOLDS.items() for _ in range(many)]
    waits += [(ItemKind.FLAG, ItemState.OPEN)] * OPEN_FLAGS
    dice.shuffle(waits)
    # the busiest officer writes six times what others do
    officers = dice.choices(range(OFFICERS), weights=[6 if n == 10 else 1 for n in range(OFFICERS)], k=count)
    behind = count - len(waits)
    for number in range(count):
        if number < behind:
            at = now - timedelta(days=5) - timedelta(days=365 * YEARS) * (1 - number / behind)
            kind = ItemKind.HOLD if dice.random() < 0.4 else ItemKind.FLAG
            decided, state, label = _decided(kind, dice)
        else:
            at = now - timedelta(minutes=dice.randrange(10, 7_000))
            kind, state = waits[number - behind]
            decided, label = None, Label.NONE
        officer = officers[number]
        person = OFFICERS * dice.randrange(PEOPLE // OFFICERS) + officer
        yield Story(
            number=number, kind=kind, state=state, held_at=at, officer=f"s{officer}", person=person, decided=decided,
            label=label,
        )  # fmt: skip


def _decided(kind, dice):
    if kind is ItemKind.FLAG:
        crossing = dice.random() < 0.3
        action = DecisionAction.CONFIRM if crossing else DecisionAction.FALSE_ALARM
        return action, ItemState.CLOSED, Label.CROSSING if crossing else Label.FALSE_ALARM
    if dice.random() < 0.55:
        return DecisionAction.RELEASE, ItemState.RELEASED, dice.choice((Label.FALSE_ALARM, Label.NONE))
    return DecisionAction.RETURN, ItemState.RETURNED, dice.choice((Label.CROSSING, Label.NONE))


# --- rows ---------------------------------------------------------------------------------------------------

_OWNERS = {
    schema.items: schema.items.c.id,
    schema.item_messages: schema.item_messages.c.item_id,
    schema.item_recipients: schema.item_recipients.c.item_id,
    schema.item_contacts: schema.item_contacts.c.item_id,
    schema.item_excluded: schema.item_excluded.c.item_id,
    schema.ledger: schema.ledger.c.id,
    schema.ledger_persons: schema.ledger_persons.c.ledger_id,
}
_SEALED = (
    schema.items.c.envelope,
    schema.items.c.verdict,
    schema.item_messages.c.message,
)


def _template(tx, item_id):
    """Return the rows of one item, with what is sealed opened."""
    like = {
        table.name: dict(tx.connection.execute(select(table).where(owner == item_id)).mappings().first())
        for table, owner in _OWNERS.items()
    }
    for column in _SEALED:
        row = like[column.table.name]
        row[column.name] = tx.open(column, item_id, row[column.name])
    return like


def _write(tx, like, stories, dice):
    """Insert all rows of ``stories``."""
    rows = {}
    for story in stories:
        for table, row in _rows(tx, like, story, dice):
            rows.setdefault(table, []).append(row)
        _audited(tx, story)
    # parents before children, for the foreign keys
    for table in schema.metadata.sorted_tables:
        insert_into(tx.connection, table, rows.get(table, []))


def _rows(tx, like, story, dice):
    """Yield table and row of everything that one item leaves behind."""
    new_id, at, officer = story.id, story.held_at, story.officer

    def made(table, **changes):
        return table, like[table.name] | changes

    waits = story.decided is None
    yield made(
        schema.items, id=new_id, kind=story.kind, state=story.state, label=story.label, held_at=at, officer=officer,
        urgent=waits and story.number % 20 == 0, unit=_unit(int(officer[1:])), retry_key=None,
        message_id=f"<{new_id}@force.example>", sha256=f"{story.number:064x}",
        envelope=tx.seal(schema.items.c.envelope, new_id, like["items"]["envelope"]),
        subject=tx.seal(schema.items.c.subject, new_id, f"Your {dice.choice(WORDS)}, letter {story.number}".encode()),
        verdict=tx.seal(schema.items.c.verdict, new_id, like["items"]["verdict"]),
    )  # fmt: skip
    sealed = tx.seal(schema.item_messages.c.message, new_id, like["item_messages"]["message"])
    yield made(schema.item_messages, item_id=new_id, message=sealed)
    address = f"person{story.person}@mail.example".encode()
    sealed = tx.seal(schema.item_recipients.c.address, (new_id, 0), address)
    yield made(schema.item_recipients, item_id=new_id, address=sealed)
    yield made(schema.item_contacts, item_id=new_id, person_id=f"Q-{story.person}")
    yield made(schema.item_excluded, item_id=new_id, staff_id=officer, is_sender=True)
    if dice.random() < 0.2:
        other = f"s{dice.choice([n for n in range(OFFICERS) if f's{n}' != officer])}"
        yield made(schema.item_excluded, item_id=new_id, staff_id=other, is_sender=False, why="named")
    yield from _ledger_rows(made, story, dice)
    yield from _decision_rows(tx, story, dice)


def _ledger_rows(made, story, dice):
    """Yield the ledger row of the item and those of two messages that passed, within the quarter round it."""
    went = Outcome.HELD if story.kind is ItemKind.HOLD else Outcome.ACCEPTED
    action = Action.HOLD if story.kind is ItemKind.HOLD else Action.FLAG
    rows = [(story.id, story.held_at, story.officer, story.person, action, went)]
    for nth in range(2):
        officer = dice.randrange(OFFICERS)
        person = OFFICERS * dice.randrange(PEOPLE // OFFICERS) + officer
        at = story.held_at - timedelta(hours=dice.randrange(2_000))
        rows.append((f"{story.id}-{nth}", at, f"s{officer}", person, Action.PASS, Outcome.ACCEPTED))
    for new_id, at, officer, person, action, outcome in rows:
        digest = f"{story.number:064x}" if new_id == story.id else f"{story.number:060x}beef"
        yield made(
            schema.ledger, id=new_id, at=at, officer=officer, action=action, outcome=outcome, retry_key=None, sha256=digest
        )  # fmt: skip
        yield made(schema.ledger_persons, ledger_id=new_id, person_id=f"Q-{person}")
    for rule in dice.sample(RULES, k=dice.choice((1, 2, 2, 3))):
        yield (
            schema.ledger_findings,
            {"ledger_id": story.id, "rule": rule, "officer": story.officer, "at": story.held_at},
        )


def _decision_rows(tx, story, dice):
    """Yield decisions and delivery of an item that is behind us."""
    if story.decided is None:
        return
    steps = (DecisionAction.NOTE, story.decided) if dice.random() < 0.2 else (story.decided,)
    at = story.held_at + timedelta(minutes=dice.randrange(5, 3_000))
    for position, action in enumerate(steps):
        decision = f"{story.id}-d{position}"
        reason = b"The words are about the hearing, and the contact asked for it."
        yield (
            schema.decisions,
            {
                "id": decision, "item_id": story.id, "position": position, "at": at, "actor": "nina.shah@force.example",
                "action": action, "reason": tx.seal(schema.decisions.c.reason, decision, reason),
            },
        )  # fmt: skip
    if story.kind is ItemKind.FLAG:
        return
    released = story.state is ItemState.RELEASED
    kind = OutboxKind.RELEASE if released else OutboxKind.RETURN
    delivery = f"{story.id}-o"
    message = (
        None if released else tx.seal(schema.outbox.c.message, delivery, b"Subject: notice\r\n\r\nnotice\r\n")
    )
    yield (
        schema.outbox,
        {
            "id": delivery, "kind": kind, "item_id": story.id, "state": DeliveryState.SENT, "tries": 1, "interrupted": 0,
            "queued_at": at, "next_at": at, "lease_owner": None, "lease_until": None, "sent_at": at,
            "mail": tx.seal(schema.outbox.c.mail, delivery, b'{"reverse_path":""}'), "message": message, "last_reply": None,
        },
    )  # fmt: skip
    address = tx.seal(schema.outbox_recipients.c.address, (delivery, 0), b"person@mail.example")
    yield (
        schema.outbox_recipients,
        {
            "outbox_id": delivery, "position": 0, "state": RecipientState.SENT, "at": at, "address": address,
            "last_reply": None,
        },
    )  # fmt: skip


def _audited(tx, story):
    """Append what the audit log has of an item: it came, it was looked at, it was decided."""
    came = Event.MESSAGE_HELD if story.kind is ItemKind.HOLD else Event.MESSAGE_FLAGGED
    events = [(came, "relay"), (Event.ITEM_VIEWED, "nina.shah@force.example")]
    if story.decided is not None:
        what = Event.ITEM_LABELLED if story.kind is ItemKind.FLAG else Event.HOLD_RELEASE_APPROVED
        events.append((what, "nina.shah@force.example"))
    for event, actor in events:
        audit.append(
            tx, event, actor=actor, subject=story.id, payload={"system": "console"}, at=story.held_at
        )
