"""`gateway scan`: judge .eml files as if they were sent now; no mail is moved and nothing is recorded.

Has `rehearsal` put extract, inspection and decide in a row in this process, as `pipeline` does with workers, and prints
the verdict. The action is the one of hold mode: what a site in observe mode would have held is what it wants to know.
The JSON of a file is a contract (ARCHITECTURE section 6): keys may be added, not changed.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from gateway import inspection, registry
from gateway.cli.contacts import lists_of
from gateway.cli.invocation import (
    ConfigOption,
    JsonOption,
    code_version,
    emit,
    fail,
    settings_from,
    unreadable_line,
)
from gateway.cli.rules import rule_folders
from gateway.errors import StoreUnfit
from gateway.identify import parties as parties_of
from gateway.model import (
    Action,
    Client,
    Envelope,
    Finding,
    Headers,
    History,
    MailCommand,
    Parties,
    Registry,
)
from gateway.rehearsal.judging import Judge, Judged, Sample, as_contacts, read
from gateway.settings import Settings
from gateway.store import Store, ledger

PathsArgument = Annotated[list[Path], typer.Argument(help="Files, or folders searched for .eml files.")]
AsContactOption = Annotated[
    bool,
    typer.Option(
        "--as-contact",
        help="Take every recipient as a registered contact with an open case and the sender as assigned to it.",
    ),
]


@dataclass(frozen=True, slots=True)
class Scanned:
    """One file, judged. ``ms`` is the time of reading and judging it."""

    path: Path
    judged: Judged
    ms: float


class Desk:
    """Makes files into mail that was sent: with a registry and a history as the settings say."""

    def __init__(self, settings: Settings, *, as_contact: bool, with_store: bool) -> None:
        """Load the rules; raises `Mistakes`. ``with_store`` looks for the history of officer and contact."""
        self._settings = settings
        self._as_contact = as_contact
        self._with_store = with_store and not as_contact
        bundle = inspection.read(rule_folders(settings.rules))
        self.judge = Judge(bundle, language=settings.inspection.language, code_version=code_version())

    def file(self, path: Path) -> Scanned:
        """Return the verdict on one file, judged as of its Date header, or of now; raises OSError."""
        raw = path.read_bytes()
        started = time.perf_counter()
        judged = self.judge.judge(self.sample(path, raw))
        return Scanned(path, judged, (time.perf_counter() - started) * 1000)

    def sample(self, path: Path, raw: bytes) -> Sample:
        """Return one file as mail that was sent at its Date header, or now."""
        headers = read(raw, self._settings.limits, self.judge.style).headers
        at = headers.date or datetime.now(UTC)
        parties = self._parties(headers, at)
        return Sample(
            name=str(path), raw=raw, parties=parties, at=at, history=self._history(parties, at),
            limits=self._settings.limits,
        )  # fmt: skip

    @cached_property
    def _registry(self) -> Registry:
        in_force = registry.load_last_good(self._settings.registry)
        if in_force is None:
            with lists_of(self._settings) as source:
                now = datetime.now(UTC)
                in_force = registry.load(self._settings.registry, None, now, source=source).registry
        if in_force is None:
            fail(
                "there is no registry to tell who is a contact; give --config, or --as-contact to do without"
            )
        return in_force

    @cached_property
    def _store(self) -> Store | None:
        try:
            return Store.open(self._settings.store)
        except StoreUnfit as unfit:
            typer.echo(f"judged without history: {unfit}", err=True)
            return None

    def _parties(self, headers: Headers, at: datetime) -> Parties:
        recipients = tuple(dict.fromkeys((*headers.to, *headers.cc, *headers.bcc)))
        if self._as_contact:
            return as_contacts(headers)
        sender = (*headers.sender, *headers.from_, "")[0]
        client = Client(address="127.0.0.1", helo="scan", extended=True, tls=False)
        mail = MailCommand(reverse_path=sender)
        envelope = Envelope(mail=mail, recipients=recipients, client=client, received_at=at)
        return parties_of(self._registry, envelope, headers)

    def _history(self, parties: Parties, at: datetime) -> History:
        reach = ledger.reach_of(self._settings.store)
        if not self._with_store or self._store is None:
            return History(days=reach.days)
        officers = tuple(claim.staff_id for claim in parties.claimed if claim.staff_id)
        people = tuple(contact.person_id for match in parties.contacts for contact in match.contacts)
        return self._store.read_now(lambda tx: ledger.history(tx, officers, people, at, reach))


def scan(
    paths: PathsArgument,
    *,
    config: ConfigOption = None,
    as_contact: AsContactOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge .eml files as if sent at their Date header (now, if none), and print the verdicts; no mail is moved.

    With --config the registry says who is a contact, and the store what came before. Exit 0 whatever the verdict,
    1 if a file could not be read.
    """
    desk = Desk(settings_from(config), as_contact=as_contact, with_store=config is not None)
    failed = False
    for path in _mails(paths):
        try:
            scanned = desk.file(path)
        except OSError as error:
            typer.echo(f"{path}: cannot be read: {error.strerror or error}", err=True)
            failed = True
            continue
        if as_json:
            emit(shown(scanned.judged, scanned.path, scanned.ms))
        else:
            _print(scanned)
    if failed:
        raise typer.Exit(1)


def _mails(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.eml"))
        else:
            yield path


def shown(judged: Judged, path: Path, ms: float) -> dict[str, object]:
    """Return the JSON object of one judged file."""
    verdict = judged.verdict
    return {
        "file": str(path),
        "action": verdict.action,
        "score": verdict.score,
        "in_scope": verdict.in_scope,
        "because": list(verdict.because),
        "findings": [_finding(finding) for finding in verdict.findings],
        "unreadable": [unreadable_line(defect) for defect in verdict.unreadable],
        "urgent": verdict.urgent,
        "authored_chars": verdict.authored_chars,
        "ms": round(ms, 2),
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "category": finding.category,
        "severity": finding.severity,
        "points": finding.points,
        "status": finding.status,
        "softened": finding.softened,
        "attribution": finding.attribution,
        "text": finding.text,
        "part": finding.part,
        "start": finding.start,
        "end": finding.end,
        "why": finding.why,
        "probability": finding.probability,
    }


def _print(scanned: Scanned) -> None:
    verdict = scanned.judged.verdict
    scope = "" if verdict.in_scope else "  (to no registered contact)"
    typer.echo(f"{verdict.action:<4}  {verdict.score:>3}  {scanned.path}{scope}")
    if verdict.action is not Action.PASS:
        typer.echo(f"           because of {', '.join(verdict.because)}")
    for finding in verdict.findings:
        soft = ", softened" if finding.softened else ""
        words = "" if finding.text is None else f": {finding.text!r}"
        typer.echo(f"           {finding.points:>3}  {finding.rule} ({finding.severity}{soft}){words}")
    for defect in verdict.unreadable:
        typer.echo(f"                not read: {defect.part or 'message'}: {defect.reason}: {defect.detail}")
