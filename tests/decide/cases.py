"""Values for tests of decisions: findings, parties, policies, made in one line each."""

from datetime import UTC, date, datetime
from typing import Any

from gateway.decide import decide
from gateway.model import (
    Action,
    Attribution,
    Authored,
    CaseStatus,
    CategoryPolicy,
    Combinations,
    Contact,
    ContactCase,
    ContactMatch,
    ContactRole,
    Finding,
    History,
    Inspection,
    Limits,
    Mode,
    Parties,
    PartyPolicy,
    Passage,
    PassageKind,
    PersonId,
    Policy,
    RuleStatus,
    Severity,
    StaffId,
    StaffMember,
    StaffRole,
    Unreadable,
    UnreadableReason,
    Verdict,
)

AT = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
OFFICER = "sam.holt@force.example"
CONTACT = "jo@mail.example"


def finding(category: str = "advance", severity: str = "high", points: int = 4, **more: Any) -> Finding:
    """Return an enforced, unsoftened finding unless told otherwise."""
    values: dict[str, Any] = {
        "rule": f"{category}.rule",
        "version": 1,
        "status": RuleStatus.ENFORCE,
        "part": "body",
        "start": 0,
        "end": 4,
        "text": "text",
        "why": "Because.",
        "softened": False,
        "attribution": Attribution.OWN,
    }
    return Finding(category=category, severity=Severity(severity), points=points, **(values | more))


def defect(reason: UnreadableReason = UnreadableReason.ENCRYPTED) -> Unreadable:
    """Return something that was not read."""
    return Unreadable(part="1.2", reason=reason, detail="It is sealed.")


def case(**more: Any) -> ContactCase:
    """Return an open case of the officer's."""
    values: dict[str, Any] = {
        "case_ref": "42/1/26",
        "role": ContactRole.VICTIM,
        "status": CaseStatus.OPEN,
        "opened": date(2026, 1, 1),
        "closed": None,
        "officers": (OFFICER,),
        "team": "",
    }
    return ContactCase(**(values | more))


def contact(*cases: ContactCase, address: str = CONTACT, **more: Any) -> ContactMatch:
    """Return a recipient who is a contact."""
    values: dict[str, Any] = {
        "person_id": PersonId(address),
        "names": ("Jo Reed",),
        "emails": (address,),
        "vulnerable": False,
        "is_child": False,
        "do_not_contact": False,
        "email_consent": True,
        "safe_contact": "",
    }
    person = Contact(cases=cases or (case(),), **(values | more))
    return ContactMatch(recipient=address, contacts=(person,))


def parties(*contacts: ContactMatch, **more: Any) -> Parties:
    """Return mail of an assigned officer to contacts."""
    officer = StaffMember(
        staff_id=StaffId("1"),
        email=OFFICER,
        name="Sam Holt",
        rank="DC",
        unit="CID",
        manager="",
        role=StaffRole.OFFICER,
        aliases=("s.holt@force.example",),
    )
    values: dict[str, Any] = {
        "officer": officer,
        "claimed": (),
        "senders_disagree": False,
        "private": (),
        "others": (),
        "involved": (StaffId("1"),),
        "registry_version": "r1",
        "registry_stale": "",
    }
    return Parties(contacts=contacts, **(values | more))


def policy(**more: Any) -> Policy:
    """Return a policy like the shipped one, small."""
    values: dict[str, Any] = {
        "hash": "p1",
        "rules_hash": "s1",
        "flag_at": 3,
        "hold_at": 12,
        "categories": {
            "advance": CategoryPolicy(hold_from=Severity.LOW),
            "looks": CategoryPolicy(hold_from=Severity.HIGH),
            "kiss": CategoryPolicy(hold_from=None, again=Action.HOLD),
            "warmth": CategoryPolicy(hold_from=None),
        },
        "combinations": Combinations(),
        "parties": PartyPolicy(),
        "unreadable": dict.fromkeys(UnreadableReason, Action.HOLD)
        | {UnreadableReason.ATTACHMENT_NOT_READ: Action.FLAG},
        "closed_case_days": 14,
        "also_hold": (),
    }
    return Policy(**(values | more))


def verdict(*findings: Finding, **more: Any) -> Verdict:
    """Return the decision about a message of an assigned officer to one contact with an open case."""
    urgent = more.pop("urgent", "")
    inspected = more.pop("inspected", True)
    unreadable = more.pop("unreadable", ())
    inspection = Inspection(findings=findings, rules_hash="s1", model_hash="m1", urgent=urgent)
    passage = Passage(part="body", kind=PassageKind.BODY, text="text", start=0, end=4)
    values: dict[str, Any] = {
        "inspection": inspection if inspected else None,
        "authored": Authored(passages=(passage,), unreadable=unreadable),
        "parties": parties(contact()),
        "policy": policy(),
        "mode": Mode.HOLD,
        "limits": Limits(),
        "history": History(),
        "decided_at": AT,
        "code_version": "1.0",
    }
    return decide(**(values | more))
