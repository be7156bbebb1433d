"""An example of a rule as a message: its words, who wrote to whom, and what came before.

Owns what an example means when it leaves things out: an assigned officer writes to a victim with an open case on a
Wednesday at eleven, for the first time. Refuses to know whether the example comes true; `lint` does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gateway.inspection.conduct import traits
from gateway.inspection.rules import Rule
from gateway.inspection.schema import ConductFacts, ExampleEntry, HeadersEntry
from gateway.model import (
    Authored,
    CaseStatus,
    ClaimedSender,
    Contact,
    ContactCase,
    ContactMatch,
    ContactRole,
    Cut,
    CutReason,
    EarlierFinding,
    Headers,
    History,
    Parties,
    Passage,
    PassageKind,
    PersonId,
    SentMail,
    StaffId,
    StaffMember,
    StaffRole,
    Traits,
)

_CONTACT: Final = PersonId("example")
_ADDRESS: Final = "contact@mail.example"
_ZONE: Final = ZoneInfo("Europe/London")
_VICTIM: Final = frozenset({ContactRole.VICTIM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """One example, ready to be judged."""

    authored: Authored
    parties: Parties
    history: History
    at: datetime


def stage(example: str | ExampleEntry, rule: Rule, at: datetime) -> Staged:
    """Return ``example`` as mail to a contact of a role that ``rule`` is about.

    ``at`` is today, so that exceptions end when they end; an example that says ``conduct``, or whose rule asks for it,
    has a day of its own.
    """
    entry = ExampleEntry(body=example) if isinstance(example, str) else example
    authored = authored_of(entry)
    parties = parties_to(rule.roles or _VICTIM)
    asks = rule.is_pattern or any(condition.conduct for condition in rule.conditions.values())
    if entry.conduct is None and not asks:
        return Staged(authored=authored, parties=parties, history=History(), at=at)
    facts = entry.conduct or ConductFacts()
    at = datetime.fromisoformat(facts.sent_at).replace(tzinfo=_ZONE)
    parties = _with(parties, facts, entry.headers, at)
    return Staged(authored=authored, parties=parties, history=_history(authored, parties, facts, at), at=at)


def authored_of(example: str | ExampleEntry) -> Authored:
    """Return an example as a message: a string is the whole new text of its body."""
    entry = ExampleEntry(body=example) if isinstance(example, str) else example
    places = (
        ("subject", PassageKind.SUBJECT, entry.subject),
        ("body", PassageKind.BODY, entry.body),
        ("name:2", PassageKind.ATTACHMENT_NAME, entry.attachment_name),
    )
    passages = tuple(
        Passage(part=part, kind=kind, text=text, start=0, end=len(text))
        for part, kind, text in places
        if text
    )
    start = len(entry.body)
    quoted = Cut(
        part="body", text=entry.quoted, start=start, end=start + len(entry.quoted), reason=CutReason.QUOTED,
        speaker=_ADDRESS, attributed=True,
    )  # fmt: skip
    answered = entry.headers.in_reply_to or ("<quoted@mail.example>" if entry.quoted else "")
    headers = Headers(
        from_=(entry.headers.from_,), to=(_ADDRESS,), cc=entry.headers.cc, subject=entry.subject,
        message_id="<example@force.example>", in_reply_to=answered,
    )  # fmt: skip
    return Authored(headers=headers, passages=passages, cuts=(quoted,) if entry.quoted else ())


def parties_to(roles: frozenset[ContactRole] = _VICTIM) -> Parties:
    """Return the parties of an example: one registered contact with an open case, and nobody known as the sender."""
    cases = tuple(
        ContactCase(
            case_ref="EXAMPLE", role=role, status=CaseStatus.OPEN, opened=None, closed=None, officers=(), team=""
        )
        for role in sorted(roles)
    )  # fmt: skip
    contact = Contact(
        person_id=_CONTACT, names=("Example Contact",), emails=(_ADDRESS,), cases=cases,
        vulnerable=False, is_child=False, do_not_contact=False, email_consent=True, safe_contact="",
    )  # fmt: skip
    return Parties(
        officer=None, claimed=(), senders_disagree=False,
        contacts=(ContactMatch(recipient=_ADDRESS, contacts=(contact,)),),
        private=(), others=(), involved=(), registry_version="", registry_stale="",
    )  # fmt: skip


def _with(parties: Parties, facts: ConductFacts, headers: HeadersEntry, at: datetime) -> Parties:
    """Return ``parties`` as the facts of an example have them."""
    sender = headers.from_
    officer = StaffMember(
        staff_id=StaffId("example"), email=sender, name="", rank="", unit="", manager="",
        role=StaffRole.OFFICER, aliases=(),
    )  # fmt: skip
    closed = (at - facts.closed_ago).date() if facts.closed_ago is not None else None
    is_closed = facts.case == "closed"
    cases = tuple(
        ContactCase(
            case_ref=facts.case_ref, role=case.role, opened=None, team="",
            status=CaseStatus.CLOSED if is_closed else CaseStatus.OPEN, closed=closed if is_closed else None,
            officers=(sender,) if facts.assigned else (),
        )
        for match in parties.contacts for contact in match.contacts for case in contact.cases
    )  # fmt: skip
    contact = Contact(
        person_id=_CONTACT, names=("Example Contact",), emails=(_ADDRESS,), cases=cases,
        vulnerable="vulnerable" in facts.contact, is_child="child" in facts.contact,
        do_not_contact="do-not-contact" in facts.contact,
        email_consent="no-email-consent" not in facts.contact, safe_contact="",
    )  # fmt: skip
    second = ("example.contact@post.example",) if "unregistered-address" in facts.copied_to else ()
    return Parties(
        officer=officer,
        claimed=(ClaimedSender(source="from", address=sender, staff_id=officer.staff_id),),
        senders_disagree=False,
        contacts=(ContactMatch(recipient=_ADDRESS, contacts=(contact,)),),
        private=("officer@post.example",) if "private-address" in facts.copied_to else (),
        others=second,
        involved=(officer.staff_id,),
        registry_version="",
        registry_stale="",
        unregistered=second,
    )


def _history(authored: Authored, parties: Parties, facts: ConductFacts, at: datetime) -> History:
    """Return what the facts of an example say came before."""
    now = traits(authored, parties)
    copied = Headers(to=(_ADDRESS,), cc=facts.copied)
    before = Traits(thread=now.thread, copies=traits(Authored(headers=copied), parties).copies)
    sent = [_sent(at - ago, f"sent-{number}") for number, ago in enumerate(facts.sent)]
    sent += [
        _sent(at - ago, f"answer-{number}", f"mail-{number}") for number, ago in enumerate(facts.received)
    ]
    if facts.copied:
        sent.append(SentMail(at=at - timedelta(days=1), contact=_CONTACT, own=True, traits=before))
    if facts.refused:
        sent.append(SentMail(at=at - timedelta(days=1), contact=_CONTACT, own=True, refused=True))
    found = tuple(
        EarlierFinding(
            at=at - earlier.ago,
            message=f"found-{number}",
            contacts=(_CONTACT if earlier.contact == "same" else PersonId(earlier.contact),),
            rule=earlier.of,
            category=earlier.of.partition(".")[0],
        )
        for number, earlier in enumerate(facts.found)
    )
    return History(sent=tuple(sent), found=found)


def _sent(at: datetime, message: str, answers: str = "") -> SentMail:
    return SentMail(at=at, contact=_CONTACT, own=True, traits=Traits(message=message, answers=answers))
