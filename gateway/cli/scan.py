"""`gateway scan`: judge .eml files as if they were sent now; no mail is moved and nothing is recorded.

Puts extract, inspection and decide in a row in this process, as `pipeline` does with workers, and prints the
verdict. The action is the one of hold mode: what a site in observe mode would have held is what it wants to know.
The JSON of a file is a contract (ARCHITECTURE section 6): keys may be added, not changed.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from gateway import inspection, registry
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
from gateway.decide import decide
from gateway.errors import StoreUnfit
from gateway.extract import extract
from gateway.identify import parties as parties_of
from gateway.model import (
    Action,
    Authored,
    CaseStatus,
    Client,
    Contact,
    ContactCase,
    ContactMatch,
    ContactRole,
    Envelope,
    Finding,
    Headers,
    History,
    Inspection,
    MailCommand,
    Mode,
    Parties,
    PersonId,
    Policy,
    Registry,
    StaffId,
    StaffMember,
    StaffRole,
    Verdict,
)
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
class Judged:
    """One file, judged. ``ms`` is the time of reading and judging it."""

    path: Path
    raw: bytes
    authored: Authored
    parties: Parties
    history: History
    inspection: Inspection
    verdict: Verdict
    ms: float


class Judge:
    """The three core stages in a row, with a registry and a history as the settings say."""

    def __init__(self, settings: Settings, *, as_contact: bool, with_store: bool) -> None:
        """Load the rules; raises `Mistakes`. ``with_store`` looks for the history of officer and contact."""
        self._settings = settings
        self._as_contact = as_contact
        self._with_store = with_store and not as_contact
        bundle = inspection.read(rule_folders(settings.rules))
        self.policy: Policy = inspection.policy_of(bundle)
        self._style = inspection.house_style_of(bundle)
        self.engine = inspection.load(bundle, language=settings.inspection.language)
        self._limits = settings.limits

    def file(self, path: Path) -> Judged:
        """Return the verdict on one file, judged as of its Date header, or of now; raises OSError."""
        raw = path.read_bytes()
        started = time.perf_counter()
        authored = extract(raw, self._limits, self._style)
        at = authored.headers.date or datetime.now(UTC)
        parties = self._parties(authored.headers, at)
        history = self._history(parties, at)
        found = self.engine.judge(authored, parties, history, at)
        verdict = self.verdict(authored, parties, history, found, at)
        ms = (time.perf_counter() - started) * 1000
        return Judged(path, raw, authored, parties, history, found, verdict, ms)

    def verdict(
        self, authored: Authored, parties: Parties, history: History, found: Inspection, at: datetime
    ) -> Verdict:
        """Return what hold mode would do."""
        return decide(
            inspection=found,
            authored=authored,
            parties=parties,
            policy=self.policy,
            mode=Mode.HOLD,
            limits=self._limits,
            history=history,
            decided_at=at.astimezone(ZoneInfo(self.policy.timezone)),
            code_version=code_version(),
        )

    @cached_property
    def _registry(self) -> Registry:
        in_force = registry.load_last_good(self._settings.registry)
        in_force = in_force or registry.load(self._settings.registry, None, datetime.now(UTC)).registry
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
            return _as_contacts(headers, recipients)
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


def _as_contacts(headers: Headers, recipients: tuple[str, ...]) -> Parties:
    """Return parties in which every recipient is a contact with an open case and the sender is its officer."""
    sender = (*headers.sender, *headers.from_, "officer@force.example")[0]
    officer = StaffMember(
        staff_id=StaffId(sender),
        email=sender,
        name="",
        rank="",
        unit="",
        manager="",
        role=StaffRole.OFFICER,
        aliases=(),
    )
    return Parties(
        officer=officer,
        claimed=(),
        senders_disagree=False,
        contacts=tuple(
            _contact(address, sender) for address in recipients or ("undisclosed-recipients@mail.example",)
        ),
        private=(),
        others=(),
        involved=(officer.staff_id,),
        registry_version="",
        registry_stale="",
    )


def _contact(address: str, officer: str) -> ContactMatch:
    case = ContactCase(
        case_ref="",
        role=ContactRole.VICTIM,
        status=CaseStatus.OPEN,
        opened=None,
        closed=None,
        officers=(officer,),
        team="",
    )
    contact = Contact(
        person_id=PersonId(address),
        names=(),
        emails=(address,),
        cases=(case,),
        vulnerable=False,
        is_child=False,
        do_not_contact=False,
        email_consent=True,
        safe_contact="",
    )
    return ContactMatch(recipient=address, contacts=(contact,))


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
    judge = Judge(settings_from(config), as_contact=as_contact, with_store=config is not None)
    failed = False
    for path in _mails(paths):
        try:
            judged = judge.file(path)
        except OSError as error:
            typer.echo(f"{path}: cannot be read: {error.strerror or error}", err=True)
            failed = True
            continue
        if as_json:
            emit(shown(judged))
        else:
            _print(judged)
    if failed:
        raise typer.Exit(1)


def _mails(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.eml"))
        else:
            yield path


def shown(judged: Judged) -> dict[str, object]:
    """Return the JSON object of one judged file."""
    verdict = judged.verdict
    return {
        "file": str(judged.path),
        "action": verdict.action,
        "score": verdict.score,
        "in_scope": verdict.in_scope,
        "because": list(verdict.because),
        "findings": [_finding(finding) for finding in verdict.findings],
        "unreadable": [unreadable_line(defect) for defect in verdict.unreadable],
        "urgent": verdict.urgent,
        "authored_chars": verdict.authored_chars,
        "ms": round(judged.ms, 2),
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
    }


def _print(judged: Judged) -> None:
    verdict = judged.verdict
    scope = "" if verdict.in_scope else "  (to no registered contact)"
    typer.echo(f"{verdict.action:<4}  {verdict.score:>3}  {judged.path}{scope}")
    if verdict.action is not Action.PASS:
        typer.echo(f"           because of {', '.join(verdict.because)}")
    for finding in verdict.findings:
        soft = ", softened" if finding.softened else ""
        words = "" if finding.text is None else f": {finding.text!r}"
        typer.echo(f"           {finding.points:>3}  {finding.rule} ({finding.severity}{soft}){words}")
    for defect in verdict.unreadable:
        typer.echo(f"                not read: {defect.part or 'message'}: {defect.reason}: {defect.detail}")
