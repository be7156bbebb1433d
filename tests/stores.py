"""Stores for tests: SQLite always, PostgreSQL where its server is installed; and invented rows to put into them.

A store is made once a session and backend, then copied for each test: making one takes half a second.
"""

import getpass
import os
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from gateway.model import (
    Action,
    Client,
    Envelope,
    Finding,
    History,
    ItemKind,
    MailCommand,
    MessageId,
    Mode,
    OutboxKind,
    PersonId,
    RuleStatus,
    Severity,
    StaffId,
    Traits,
    Unreadable,
    UnreadableReason,
    Verdict,
)
from gateway.settings import StoreSettings
from gateway.store import initialise, new_id
from gateway.store.rows import LedgerEntry, NewDelivery, NewItem, Outcome, Reach

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REACH = Reach(days=90, found_days=400, weak_days=90, most=200)


def after(**time):
    return NOW + timedelta(**time)


# --- backends -----------------------------------------------------------------------------------------------


class Sqlite:
    """Makes SQLite stores by copying one."""

    name = "sqlite"

    def __init__(self, folder):
        self.model = self.settings(folder)
        initialise(self.model, NOW).store.close()

    def clear(self):
        """Nothing is left of a test but files in its own folder."""

    @staticmethod
    def settings(folder, **changes):
        folder.mkdir(exist_ok=True, parents=True)
        return StoreSettings(
            url=f"sqlite:///{folder}/gateway.db",
            key_file=folder / "sealing.key",
            **{"busy_timeout_s": 0.5} | changes,
        )

    def copy(self, folder, **changes):
        settings = self.settings(folder, **changes)
        shutil.copy(self.model.url.removeprefix("sqlite:///"), settings.url.removeprefix("sqlite:///"))
        _copy_keys(self.model, settings)
        return settings


def postgresql_programs():
    """Return the folder of the newest PostgreSQL server that is installed, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Postgresql:
    """A throw-away cluster on a Unix socket. The server refuses to run as root, so it runs as user postgres."""

    name = "postgresql"

    def __init__(self, folder):
        self.programs = postgresql_programs()
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        self.home = Path(tempfile.mkdtemp(prefix="gateway-pg-", dir="/tmp"))  # a socket's path must be short
        if os.geteuid() == 0:
            shutil.chown(self.home, self.user, self.user)
        self.run(
            "initdb", "-D", self.home / "data", "-A", "trust", "-U", "gateway", "-E", "UTF8", "--no-sync"
        )
        options = (
            f"-c listen_addresses= -c unix_socket_directories={self.home} -c fsync=off"
            " -c full_page_writes=off -c max_connections=60 -c autovacuum=off"
        )
        self.run("pg_ctl", "-D", self.home / "data", "-w", "-l", self.home / "log", "-o", options, "start")
        self.number = 0
        self.made = []
        self.model = self.settings(folder, self.new_database())
        initialise(self.model, NOW).store.close()
        self.made.clear()

    def run(self, program, *arguments):
        command = [self.programs / program, *arguments]
        user = self.user if os.geteuid() == 0 else None
        done = subprocess.run(
            command, user=user, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def connect(self, database="postgres"):
        return psycopg.connect(host=str(self.home), user="gateway", dbname=database, autocommit=True)

    def new_database(self, template="template0"):
        self.number += 1
        name = f"store{self.number}"
        self.made.append(name)
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def clear(self):
        """Drop the databases of a test: each is seven megabytes in three hundred files."""
        with self.connect() as connection:
            while self.made:
                connection.execute(f"DROP DATABASE {self.made.pop()} WITH (FORCE)")

    def settings(self, folder, database, **changes):
        folder.mkdir(exist_ok=True, parents=True)
        url = f"postgresql+psycopg://gateway@/{database}?host={self.home}"
        return StoreSettings(url=url, key_file=folder / "sealing.key", **{"busy_timeout_s": 0.5} | changes)

    def copy(self, folder, **changes):
        settings = self.settings(folder, self.new_database(template="store1"), **changes)
        _copy_keys(self.model, settings)
        return settings

    def stop(self):
        self.run("pg_ctl", "-D", self.home / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.home)


def _copy_keys(source, target):
    for name in ("sealing.key", "sealing.key.outbox-mark"):
        shutil.copy(source.key_file.with_name(name), target.key_file.with_name(name))


# --- rows ---------------------------------------------------------------------------------------------------


def an_envelope(*recipients, sender="pc.doe@force.example"):
    return Envelope(
        mail=MailCommand(reverse_path=sender, body="8BITMIME", smtputf8=True, size=100),
        recipients=recipients or ("vera@mail.example",),
        client=Client(address="127.0.0.1", helo="mx.force.example", extended=True, tls=False),
        received_at=NOW,
    )


def a_verdict(**changes):
    finding = Finding(
        rule="flirting-wink", version=1, status=RuleStatus.ENFORCE, category="flirting", severity=Severity.HIGH,
        points=5, part="body", start=3, end=8, text="wink ", why="a wink", softened=False,
    )  # fmt: skip
    given = {
        "action": Action.HOLD, "proposed": Action.HOLD, "mode": Mode.HOLD, "score": 5, "in_scope": True,
        "because": ("category flirting",), "findings": (finding,),
        "unreadable": (Unreadable(part="1.2", reason=UnreadableReason.ENCRYPTED, detail="sealed"),),
        "held": ("vera@mail.example",), "sent": (), "urgent": "", "registry_version": "r1", "registry_stale": "",
        "rules_hash": "a" * 64, "policy_hash": "b" * 64, "model_hash": "", "code_version": "0",
        "history": History(earlier={"flirting": 2}), "decided_at": NOW, "authored_chars": 20,
    }  # fmt: skip
    return Verdict(**given | changes)


def an_item(kind=ItemKind.HOLD, **changes):
    item_id = new_id()
    given = {
        "id": MessageId(item_id), "kind": kind, "retry_key": f"key-{item_id}", "held_at": NOW,
        "officer": StaffId("s1"), "unit": "North", "envelope": an_envelope(), "recipients": ("vera@mail.example",),
        "contacts": (PersonId("p1"),), "senders": (StaffId("s1"),), "excluded": (StaffId("s1"), StaffId("s2")),
        "subject": "Your case \N{WINKING FACE}", "message_id": "<1@force.example>",
        "message": b"Subject: x\r\n\r\nhello\r\n", "sha256": "c" * 64, "verdict": a_verdict(),
    }  # fmt: skip
    return NewItem(**given | changes)


def a_ledger_entry(**changes):
    entry_id = new_id()
    given = {
        "id": MessageId(entry_id), "retry_key": f"key-{entry_id}", "at": NOW, "officer": StaffId("s1"),
        "persons": (PersonId("p1"),), "case_refs": ("CR/1", "CR/2"), "traits": Traits(thread="t" * 32, message="m", answers="a", copies=("c", "d")), "sha256": "c" * 64,
        "action": Action.PASS, "outcome": Outcome.ACCEPTED, "rules": ("flirting.wink",),
    }  # fmt: skip
    return LedgerEntry(**given | changes)


def a_delivery(**changes):
    given = {
        "kind": OutboxKind.NOTICE, "item_id": None, "mail": MailCommand(reverse_path=""),
        "recipients": ("pc.doe@force.example",), "message": b"Subject: notice\r\n\r\n.\r\n",
    }  # fmt: skip
    return NewDelivery(**given | changes)
