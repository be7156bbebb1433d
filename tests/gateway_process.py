"""A gateway of one's own for a test: settings, registry, store and key in a folder, and `gateway serve` as a process.

Nothing is faked here: the command line a mail administrator would type, and its answers.
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

CONTACTS = """\
email,name,role,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact,person_id
nadia@home.example,Nadia Rahman,victim,42/10231/26,open,2026-02-11,,amir.khan@force.example,no,,P-1
joseph@home.example,Joseph Okoro,witness,42/10231/26,open,2026-02-11,,amir.khan@force.example,no,,P-2
rosa@bücher.example,Rosa Lindt,witness,42/10231/26,open,2026-02-11,,amir.khan@force.example,no,,P-3
"""
STAFF = """\
email,name,rank,unit,manager,role,aliases,staff_id
amir.khan@force.example,Amir Khan,DC,Robbery Squad,helen.brooks@force.example,officer,akhan@post.example,4417
helen.brooks@force.example,Helen Brooks,DS,Robbery Squad,owen.pryce@force.example,supervisor,,3308
owen.pryce@force.example,Owen Pryce,DI,Robbery Squad,,supervisor,,2201
judith.marsh@force.example,Judith Marsh,DI,Professional Standards,,psd,,1502
"""
OFFICER = "amir.khan@force.example"
_RULES = Path(__file__).resolve().parent.parent / "rules"
CONTACT = "nadia@home.example"
SUPERVISOR = "helen.brooks@force.example"
ADVANCE = (
    "You looked amazingly hot on Monday. Would you fancy a drink with me one evening, just the two of us?"
)
UPDATE = "The file is with the prosecutors. Your reference is 42/10231/26. I will write again by Friday."


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mail(
    text: str, *, subject: str = "Your case", to: str = CONTACT, extra: str = "", sender: str = OFFICER
) -> bytes:
    """Return a plain message with CRLF line ends."""
    head = f"From: Amir Khan <{sender}>\nTo: {to}\nSubject: {subject}\n{extra}Message-ID: <{os.urandom(8).hex()}@force.example>\n"
    return f"{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}\n".replace(
        "\n", "\r\n"
    ).encode()


def _without_conduct(folder: Path) -> Path:
    """Return a force's own rule folder in which how often, when and to how many is written is counted and never acts.

    A test sends a hundred mails a minute, at whatever hour it runs, and a kiss to each of thirty contacts: that is the
    test's doing, and no officer's.
    """
    for kind in ("conduct", "patterns"):
        (folder / kind).mkdir(parents=True)
        for rule in (_RULES / kind).glob("*.yaml"):
            text, changed = re.subn(
                r"^status: \w+", "status: shadow", rule.read_text("utf-8"), flags=re.MULTILINE
            )
            assert changed == 1, f"{rule} does not say its status"
            (folder / kind / rule.name).write_text(text, "utf-8")
    return folder


class GatewayProcess:
    """`gateway serve` with its folder. ``more`` is further settings, section by section."""

    def __init__(self, folder: Path, *, next_hop: int, more: dict[str, dict[str, Any]] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.config = folder / "gateway.yaml"
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
        (folder / "staff.csv").write_text(STAFF, encoding="utf-8")
        settings: dict[str, dict[str, Any]] = {
            "smtp": {"listen": f"127.0.0.1:{self.port}", "hostname": "gateway.force.example"},
            "next_hop": {"url": f"smtp://127.0.0.1:{next_hop}"},
            "store": {"url": "sqlite:///gateway.db", "key_file": "sealing.key"},
            "registry": {"contacts": "contacts.csv", "staff": "staff.csv", "domains": ["force.example"]},
            "rules": {"path": [str(_RULES), str(_without_conduct(folder / "site-rules"))]},
            "inspection": {"extract_workers": 1, "language_workers": 1, "spare_workers": 0},
            "outbox": {"poll_s": 0.1, "first_retry_s": 0.2},
            "notices": {"from": "gateway@force.example", "digest_h": 0},
            "review": {"undo_s": 0, "releases_before_psd": 0},
        }
        for section, values in (more or {}).items():
            settings.setdefault(section, {}).update(values)
        self.config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another ``gateway`` command with this configuration."""
        command = [sys.executable, "-m", "gateway", *arguments, "--config", str(self.config)]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=120)

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command with ``--json`` and return its lines."""
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines()]

    def init(self) -> None:
        """Make the store and its key."""
        self.run("store", "init")

    def spawn(self, *arguments: str) -> None:
        """Start ``gateway serve`` without waiting for it."""
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(self.config), *arguments]
        with self.log.open("ab") as log:
            self._offset = log.tell()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    async def ready(self, timeout_s: float = 90) -> None:
        """Return once it says that it serves; raises with its log when it does not."""
        try:
            async with asyncio.timeout(timeout_s):
                while not any(line.get("event") == "serve:ready" for line in self.events()):
                    assert self.process is not None
                    if self.process.poll() is not None:
                        raise AssertionError(
                            f"serve ended with {self.process.returncode}:\n{self.log.read_text()}"
                        )
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"serve was not ready:\n{self.log.read_text()}") from None

    async def start(self, *arguments: str) -> None:
        """Start ``gateway serve`` and return once it is ready."""
        self.spawn(*arguments)
        await self.ready()

    def events(self) -> list[dict[str, Any]]:
        """Return what the running process has logged, as far as it is JSON."""
        text = self.log.read_bytes()[self._offset :].decode(errors="replace")
        found = []
        for line in text.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return [line for line in found if isinstance(line, dict)]

    def stop(self, timeout_s: float = 90) -> int:
        """SIGTERM, and return the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout_s)
        self.process = None
        return status

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    async def __aenter__(self) -> Self:
        self.init()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.kill()
