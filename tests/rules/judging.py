"""A message as an officer would send it, judged by the shipped rules from its bytes to the verdict.

One registered contact with an open case, the sender assigned to it, nothing known from before: what
`gateway scan --as-contact` assumes. No part of the gateway is replaced.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from gateway import inspection
from gateway.extract import extract
from gateway.model import (
    Authored,
    CaseStatus,
    Contact,
    ContactCase,
    ContactMatch,
    ContactRole,
    Limits,
    Parties,
    PersonId,
    StaffId,
    StaffMember,
    StaffRole,
    Verdict,
)
from gateway.rehearsal.benign import baseline_of
from gateway.rehearsal.judging import Judge, Sample

HERE = Path(__file__).parent
RULES = HERE.parents[1] / "rules"
ARRIVED = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)
OFFICER = "alex.marsh@northmoor.police.example"
CONTACT = "contact@mail.example"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of the test sets. ``held_back`` marks those that were judged once before any rule was mended over them.

    The second batch was written after the first rules, without looking at them, and is the harder one; the fifth to seventh
    are plain-worded.
    """

    name: str
    subject: str
    body: str
    held_back: bool
    expect: str = "pass"
    subtlety: str = ""
    batch: str = "first"


@cache
def bundle() -> inspection.Bundle:
    """Return the shipped rule set."""
    return inspection.read((RULES,))


@cache
def judge(*, language: bool = True, with_encoder: bool = False) -> Judge:
    """Return the shipped rules, compiled, with their policy."""
    return Judge(bundle(), language=language, with_encoder=with_encoder)


@cache
def parties() -> Parties:
    """Return a contact with an open case, and the officer who is assigned to it."""
    case = ContactCase(
        case_ref="42/118823/25",
        role=ContactRole.VICTIM,
        status=CaseStatus.OPEN,
        opened=ARRIVED.date(),
        closed=None,
        officers=(OFFICER,),
        team="",
    )
    contact = Contact(
        person_id=PersonId("p1"),
        names=("Contact",),
        emails=(CONTACT,),
        cases=(case,),
        vulnerable=False,
        is_child=False,
        do_not_contact=False,
        email_consent=True,
        safe_contact="",
    )
    officer = StaffMember(
        staff_id=StaffId("s1"),
        email=OFFICER,
        name="Alex Marsh",
        rank="DC",
        unit="CID",
        manager="",
        role=StaffRole.OFFICER,
        aliases=(),
    )
    return Parties(
        officer=officer,
        claimed=(),
        senders_disagree=False,
        contacts=(ContactMatch(recipient=CONTACT, contacts=(contact,)),),
        private=(),
        others=(),
        involved=(officer.staff_id,),
        registry_version="test",
        registry_stale="",
    )


def raw(subject: str, body: str, *, answers: str = "") -> bytes:
    """Return the bytes of a plain mail from the officer to the contact; ``answers`` is the id of hers."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = OFFICER, CONTACT, subject
    message["Date"] = ARRIVED
    if answers:
        message["In-Reply-To"] = message["References"] = answers
    message.set_content(body)
    return message.as_bytes()


def verdict_of(authored: Authored, *, language: bool = True, with_encoder: bool = False) -> Verdict:
    """Return the verdict on what was read."""
    sample = Sample(name="", raw=b"", parties=parties(), at=ARRIVED)
    return judge(language=language, with_encoder=with_encoder).judge_read(sample, authored).verdict


def verdict_on(
    body: str, *, subject: str = "Your case", language: bool = True, with_encoder: bool = False
) -> Verdict:
    """Return the verdict on a plain mail with these words."""
    return verdict_of(extract(raw(subject, body), Limits()), language=language, with_encoder=with_encoder)


def why(verdict: Verdict) -> str:
    """Return the action and what it stands on, for the message of a failing test."""
    found = "; ".join(
        f"{each.rule}{' (softened)' if each.softened else ''}: {each.text!r}" for each in verdict.findings
    )
    return f"{verdict.action} because of {', '.join(verdict.because) or 'nothing'}: {found or 'no finding'}"


@cache
def baseline():
    """Return the ordinary mail of the shipped rules: rules/benign."""
    return baseline_of(inspection.read_benign((RULES,)))


def ordinary() -> tuple[Mail, ...]:
    """Return the ordinary mails; the batches that were judged before any rule was mended over them say so."""
    return tuple(_ordinary())


def _ordinary() -> Iterator[Mail]:
    number = 0
    batches = {
        "look-alikes": "second",
        "third-batch": "third",
        "fourth-batch": "fourth",
        "fifth-batch": "fifth",
        "sixth-batch": "sixth",
        "seventh-batch": "seventh",
    }
    for mail in baseline().mails:
        batch = batches.get(mail.kind, "first")
        held_back = batch != "first" or number % 3 == 2
        yield Mail(mail.name, mail.entry.subject, mail.entry.body, held_back, batch=batch)
        number += batch == "first"


def crossings() -> tuple[Mail, ...]:
    """Return the improper mails of ``crossings.jsonl``."""
    lines = (HERE / "crossings.jsonl").read_text("utf-8").splitlines()
    return tuple(
        Mail(
            each["id"],
            each["subject"],
            each["body"],
            each["held_back"],
            each["expect"],
            each["subtlety"],
            each["batch"],
        )
        for each in map(json.loads, lines)
    )
