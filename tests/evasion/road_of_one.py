"""One officer, one contact, one message: from bytes to verdict, with the rules and the policy that ship."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from gateway import identify, inspection
from gateway.decide import decide
from gateway.extract import extract
from gateway.model import Client, Envelope, History, Limits, MailCommand, Mode, Verdict
from gateway.registry import load
from gateway.settings import RegistrySettings

RULES = Path(__file__).resolve().parents[2] / "rules"
CONTACT = "nadia.rahman@home.example"
OFFICER = "amir.khan@force.example"
AT = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Stages:
    """What a verdict needs, made once."""

    registry: object
    engine: object
    policy: object
    envelope: Envelope


@cache
def stages():
    """Return the stages as `gateway serve` makes them, without the language engine."""
    bundle = inspection.read((RULES,))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "contacts.csv").write_text(
            "email,name,role,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact,person_id\n"
            f"{CONTACT},Nadia Rahman,victim,42/10231/26,open,2026-02-11,,{OFFICER},no,,P-1\n"
        )
        (folder / "staff.csv").write_text(
            "email,name,rank,unit,manager,role,aliases,staff_id\n"
            f"{OFFICER},Amir Khan,DC,Robbery Squad,,officer,,4417\n"
        )
        settings = RegistrySettings(
            contacts=folder / "contacts.csv", staff=folder / "staff.csv", domains=("force.example",)
        )
        registry = load(settings, None, datetime.now(UTC)).registry
    assert registry is not None
    client = Client(address="127.0.0.1", helo="mail.force.example", extended=True, tls=False)
    command = MailCommand(reverse_path=OFFICER)
    envelope = Envelope(mail=command, recipients=(CONTACT,), client=client, received_at=AT)
    return Stages(registry, inspection.load(bundle, language=False), inspection.policy_of(bundle), envelope)


def verdict(raw: bytes) -> Verdict:
    """Return what becomes of one message in hold mode."""
    made = stages()
    authored = extract(raw, Limits())
    parties = identify.parties(made.registry, made.envelope, authored.headers)
    return decide(
        authored=authored,
        inspection=made.engine.judge(authored, parties, History(), AT),
        parties=parties,
        policy=made.policy,
        history=History(),
        mode=Mode.HOLD,
        limits=Limits(),
        decided_at=AT,
        code_version="test",
    )


def because(judged: Verdict) -> str:
    """Return why, in a few words: the rules, and what could not be read."""
    rules = dict.fromkeys(finding.rule for finding in judged.findings)
    odd = dict.fromkeys(f"unreadable: {entry.reason.value}" for entry in judged.unreadable)
    return ", ".join([*rules, *odd]) or "-"
