"""The road without its doors: Conductor, Exchange and Outbox with a real store, a real relay and a scripted smarthost.

Where reading and judging are not the point, `ReadyWorkers` stands for the worker processes: it extracts in this
process and finds what the message's own words tell it to find.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import stores
from gateway_process import CONTACT, CONTACTS, OFFICER, STAFF
from smarthost import Smarthost

from gateway import audit, inspection, registry
from gateway.errors import StarvedWorker, UninspectableMessage
from gateway.extract import extract
from gateway.model import (
    Client,
    Finding,
    HouseStyle,
    Inspection,
    ItemKind,
    Limits,
    MailCommand,
    Mode,
    Reply,
    Role,
    RuleStatus,
    Severity,
)
from gateway.outbox import Outbox
from gateway.pipeline import Conductor, InForce, Options
from gateway.relay import Relay
from gateway.review import decisions
from gateway.review.access import Person
from gateway.settings import (
    NextHopSettings,
    NoticeSettings,
    OutboxSettings,
    RegistrySettings,
    ReviewSettings,
    WebhookSettings,
)
from gateway.store import Store, items, ledger, outbox
from gateway.store.rows import DecisionAction, Delivery, Item, LedgerEntry, Reach
from gateway.webhook import Webhook

COUNSEL = "counsel@chambers.example"
CLERK = "clerk@council.example"
WITNESS = "joseph@home.example"
BUNDLE = inspection.read((Path(__file__).resolve().parent.parent.parent / "rules",))
POLICY = inspection.policy_of(BUNDLE)
STYLE = inspection.house_style_of(BUNDLE)
CLIENT = Client(address="127.0.0.1", helo="mail.force.example", extended=True, tls=False)


def letter(text: str, *, to: str = CONTACT, extra: str = "", number: int = 0) -> bytes:
    """Return a message whose bytes depend on its arguments alone."""
    return (
        f"From: Amir Khan <{OFFICER}>\r\nTo: {to}\r\nSubject: Your case\r\n{extra}"
        f"Message-ID: <{number}@force.example>\r\n\r\n{text}\r\n"
    ).encode()


class ReadyWorkers:
    """The face of `Workers`. HOLD, FLAG and URGENT in the text are found; KILLED, STARVED and BROKEN go wrong."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.asked: list[str] = []

    async def extract(self, raw: bytes, style: HouseStyle):
        self.asked.append("extract")
        for word, trouble in (
            (b"KILLED", UninspectableMessage("The process that read it was ended by SIGKILL.")),
            (b"STARVED", StarvedWorker("a worker had no answer ready")),
            (b"BROKEN", RuntimeError("our own bug, with nadia@home.example in its text")),
        ):
            if word in raw:
                raise trouble
        return extract(raw, Limits(), style)

    async def judge(self, authored, parties, history, *, at, rules_hash):
        self.asked.append("judge")
        text = " ".join(passage.text for passage in authored.passages)
        found = tuple(
            _finding(word, severity, text.index(word))
            for word, severity in (("HOLD", Severity.HIGH), ("FLAG", Severity.LOW))
            if word in text
        )
        urgent = "The contact has court tomorrow." if "URGENT" in text else ""
        return Inspection(findings=found, rules_hash=rules_hash, model_hash="", urgent=urgent)


def _finding(word: str, severity: Severity, start: int) -> Finding:
    return Finding(
        rule=f"romantic-advance.{word.lower()}", version=1, status=RuleStatus.ENFORCE, category="romantic-advance",
        severity=severity, points=3, part="body", start=start, end=start + 4, text=word, why="it says so",
    )  # fmt: skip


@dataclass
class Road:
    """Everything between MAIL and the answer after the dot, and what a test may ask of it."""

    conductor: Conductor
    smarthost: Smarthost
    store: Store
    workers: ReadyWorkers
    outbox: Outbox
    replies: list[Reply] = field(default_factory=list)

    async def send(
        self, raw: bytes, *recipients: str, sender: str = OFFICER, client: Client = CLIENT
    ) -> Reply:
        """Take one message through the exchange and return the last answer; nothing is left for afterwards."""
        exchange = self.conductor.open(client)
        replies = [await exchange.mail(MailCommand(reverse_path=sender))]
        if replies[-1].is_positive:
            answers = [await exchange.rcpt(recipient) for recipient in recipients or (CONTACT,)]
            replies += answers
            if any(answer.is_positive for answer in answers):
                replies.append(await exchange.data(raw))
        await exchange.reset()
        await self.conductor.settle()
        self.replies = replies
        return replies[-1]

    def mode(self, mode: Mode, **units: Mode) -> None:
        self.conductor.options = replace(self.conductor.options, mode=mode, unit_modes=units)

    def holds(self) -> tuple[Item, ...]:
        return self.store.read_now(lambda tx: items.list_items(tx, ItemKind.HOLD))

    def flags(self) -> tuple[Item, ...]:
        return self.store.read_now(lambda tx: items.list_items(tx, ItemKind.FLAG))

    def full(self, item: Item):
        return self.store.read_now(lambda tx: items.item_in_full(tx, item.id))

    def deliveries(self) -> tuple[Delivery, ...]:
        return self.store.read_now(outbox.list_deliveries)

    def entry(self, raw: bytes, *registered: str, sender: str = OFFICER) -> LedgerEntry | None:
        from gateway.recording import retry_key

        key = retry_key(hashlib.sha256(raw).hexdigest(), sender, registered or (CONTACT,))
        return self.store.read_now(lambda tx: ledger.by_retry_key(tx, key))

    def events(self) -> Counter[str]:
        return Counter(row.event for row in self.store.read_now(audit.entries))

    def decide(self, item: Item, how: str = "release"):
        """Decide as somebody who may, and has nothing to do with it."""
        person = Person(
            email="helen.brooks@force.example", roles=frozenset({Role.REVIEWER, Role.PSD}), staff_id=None
        )
        actor = decisions.Actor(
            person=person, registry=self.conductor.in_force.registry, system="system:tester"
        )
        now = datetime.now(UTC)
        wish = decisions.Wish(item_id=item.id, action=DecisionAction(how), reason="Seen and spoken of.")
        review, notice = ReviewSettings(undo_s=0), NoticeSettings(sender="gateway@force.example")
        ruling = self.store.write_now(
            lambda tx: decisions.decide(tx, wish, actor, now, review=review, notice=notice)
        )
        assert not ruling.refused, ruling.refused

    @property
    def sent(self) -> list[tuple[tuple[str, ...], bytes]]:
        """What the smarthost took: recipients, and the message without the line on top."""
        return [(mail.recipients, mail.data.partition(b"\r\n")[2]) for mail in self.smarthost.mails]


async def build(folder: Path, settings, smarthost: Smarthost, **outbox_settings) -> Road:
    """Return a road over a store that is already made at ``settings``."""
    (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    (folder / "staff.csv").write_text(STAFF, encoding="utf-8")
    people = registry.load(
        RegistrySettings(
            contacts=folder / "contacts.csv", staff=folder / "staff.csv", domains=("force.example",)
        ),
        None,
        datetime.now(UTC),
    ).registry
    assert people is not None
    relay = Relay(
        NextHopSettings(
            url=f"smtp://127.0.0.1:{smarthost.port}",
            command_timeout_s=5,
            data_timeout_s=5,
            connect_timeout_s=5,
        ),
        "gateway.force.example",
    )
    await relay.probe()
    store, workers = Store.open(settings), ReadyWorkers()
    conductor = Conductor(
        relay=relay,
        workers=workers,
        store=store,
        in_force=InForce(registry=people, policy=POLICY, rules_hash=BUNDLE.hash, style=STYLE),
        options=Options(
            hostname="gateway.force.example",
            mode=Mode.HOLD,
            unit_modes={},
            max_excluded=20,
            reach=Reach(days=90, found_days=400, weak_days=90, most=200),
            notices=NoticeSettings(sender="gateway@force.example"),
            code_version="0.1.0+test",
        ),
    )
    deliverer = Outbox(
        store=store,
        relay=relay,
        webhook=Webhook(WebhookSettings()),
        settings=OutboxSettings(**{"poll_s": 0.05, "first_retry_s": 30.0, "max_tries": 3} | outbox_settings),
        hostname="gateway.force.example",
        process="one",
    )
    return Road(conductor, smarthost, store, workers, deliverer)


__all__ = ["CLERK", "CLIENT", "COUNSEL", "WITNESS", "ReadyWorkers", "Road", "build", "letter", "stores"]
