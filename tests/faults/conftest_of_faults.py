"""A gateway with short patience, as a process, in front of a smarthost that goes wrong on demand."""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from gateway_process import CONTACTS, GatewayProcess
from smarthost import Smarthost

from gateway.model import Event, ItemKind
from gateway.settings import StoreSettings
from gateway.store import Store, items
from gateway.store.rows import Item

KISS = "The hearing is on Friday. Take care of yourself, lots of love xx"
PATIENCE = {
    "inspection": {
        "language": False,
        "message_timeout_s": 1,
        "wait_timeout_s": 1,
        "worker_memory_bytes": 500_000_000,
        "max_decoded_chars": 30_000_000,
        "max_lines": 1_000_000,
    },
    "next_hop": {"connect_timeout_s": 1.5, "command_timeout_s": 1.5, "data_timeout_s": 1.5},
    "store": {"busy_timeout_s": 6, "write_timeout_s": 3},
    "smtp": {"drain_timeout_s": 20},
}


@dataclass
class Line:
    """Gateway and smarthost, and what the test may ask of them."""

    gateway: GatewayProcess
    smarthost: Smarthost
    _flagged: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def port(self) -> int:
        return self.gateway.port

    @property
    def store(self) -> StoreSettings:
        folder = self.gateway.folder
        return StoreSettings(url=f"sqlite:///{folder}/gateway.db", key_file=folder / "sealing.key")

    def fresh_contact(self) -> str:
        """Return a contact whom nobody has written to: a second flag to the same one would be a hold."""
        return f"flagged{next(self._flagged)}@home.example"

    def recorded(self, raw: bytes) -> list[Item]:
        """Return the holds and flags of a message."""
        digest = sha256(raw).hexdigest()
        with Store.open(self.store) as store:
            found = store.read_now(
                lambda tx: [
                    *items.list_items(tx, ItemKind.HOLD, limit=10_000),
                    *items.list_items(tx, ItemKind.FLAG, limit=10_000),
                ]
            )
        return [item for item in found if item.sha256 == digest]

    def audited(self, event: Event) -> int:
        """Return how many entries of ``event`` the audit log has."""
        with sqlite3.connect(self.gateway.folder / "gateway.db") as database:
            (number,) = database.execute(
                "SELECT count(*) FROM audit_entries WHERE event = ?", (event,)
            ).fetchone()
        database.close()
        return int(number)

    def copies(self, raw: bytes) -> Counter[str]:
        """Return how often the smarthost took a message, recipient by recipient."""
        return Counter(
            recipient
            for mail in self.smarthost.mails
            if mail.data.partition(b"\r\n")[2] == raw
            for recipient in mail.recipients
        )


def line_in(folder: Path, smarthost: Smarthost, **more: dict[str, object]) -> Line:
    """Return a line that is not started; ``more`` changes its settings."""
    settings = {section: dict(values) for section, values in PATIENCE.items()}
    for section, values in more.items():
        settings.setdefault(section, {}).update(values)
    gateway = GatewayProcess(folder, next_hop=smarthost.port, more=settings)
    rows = "".join(
        f"flagged{number}@home.example,Contact {number},witness,42/10231/26,open,2026-02-11,,amir.khan@force.example,no,,F-{number}\n"
        for number in range(1, 200)
    )
    (folder / "contacts.csv").write_text(CONTACTS + rows, encoding="utf-8")
    return Line(gateway, smarthost)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(tmp_path_factory: pytest.TempPathFactory):
    """One line for a whole file: each test leaves it as it found it."""
    async with Smarthost() as smarthost:
        found = line_in(tmp_path_factory.mktemp("gateway"), smarthost)
        async with found.gateway:
            yield found
