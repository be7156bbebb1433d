"""One rule set, ready to judge: extract, inspection and decide in a row, without workers, store or clock.

Owns what must come from the same set for a verdict to be whole: engine, policy and house style. What is judged is a
`Sample` on its own: bytes, people, history and time, as the store keeps them or a command makes them up.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from gateway import inspection
from gateway.decide import decide
from gateway.extract import extract
from gateway.inspection.engine import Engine
from gateway.model import (
    Action,
    Authored,
    CaseStatus,
    Contact,
    ContactCase,
    ContactMatch,
    ContactRole,
    Headers,
    History,
    HouseStyle,
    Limits,
    Mode,
    Parties,
    PersonId,
    Policy,
    StaffId,
    StaffMember,
    StaffRole,
    Unreadable,
    Verdict,
)
from gateway.model import Inspection as Inspected

_OFFICER: Final = "alex.marsh@force.example"
_CONTACT: Final = "contact@mail.example"
_WEDNESDAY: Final = 2
_ELEVEN: Final = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One message with everything its verdict depends on, the rules apart.

    ``authored`` stands for the bytes of a message that never had any, such as an example of a rule. ``trouble`` is what
    went wrong beside the rules when it was judged on the road: no other set changes that.
    """

    name: str
    raw: bytes
    parties: Parties
    at: datetime
    history: History = field(default_factory=History)
    limits: Limits = field(default_factory=Limits)
    trouble: tuple[Unreadable, ...] = ()
    authored: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One message as one rule set sees it."""

    sample: Sample
    authored: Authored
    inspected: Inspected
    verdict: Verdict


class Judge:
    """One rule set with its engine, policy and house style. Its answers depend on their arguments alone."""

    def __init__(
        self,
        bundle: inspection.Bundle,
        *,
        language: bool,
        drafts: bool = False,
        code_version: str = "",
        with_encoder: bool = True,
    ) -> None:
        """Compile ``bundle``; raises `Mistakes`. ``drafts`` lets draft rules run: their findings never act."""
        self.bundle = bundle
        self.engine: Engine = inspection.load(
            bundle, language=language, drafts=drafts, with_encoder=with_encoder
        )
        self.policy: Policy = inspection.policy_of(bundle)
        self.style: HouseStyle = inspection.house_style_of(bundle)
        self._code_version = code_version

    def judge(self, sample: Sample) -> Judged:
        """Return what becomes of a message in hold mode. Never raises on odd mail."""
        authored = sample.authored or read(sample.raw, sample.limits, self.style)
        return self.judge_read(sample, authored)

    def judge_read(self, sample: Sample, authored: Authored) -> Judged:
        """Return what becomes of a message that was read as ``authored``, or would be, had it said that."""
        found = self.engine.judge(authored, sample.parties, sample.history, sample.at)
        verdict = decide(
            inspection=found, authored=authored, parties=sample.parties, policy=self.policy, mode=Mode.HOLD,
            limits=sample.limits, history=sample.history, trouble=sample.trouble,
            decided_at=sample.at.astimezone(ZoneInfo(self.policy.timezone)), code_version=self._code_version,
        )  # fmt: skip
        return Judged(sample=sample, authored=authored, inspected=found, verdict=verdict)

    def action(self, sample: Sample, authored: Authored) -> Action:
        """Return the action alone, for words that were changed to see what hangs on them."""
        return self.judge_read(sample, authored).verdict.action


def letter(name: str, subject: str, body: str, at: datetime, *, reply: bool = False) -> Sample:
    """Return a mail with these words from an assigned officer to a victim with an open case, nothing before it.

    ``reply`` lets it answer a mail of the victim's: only then is what it quotes taken for a quote.
    """
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Date"] = _OFFICER, _CONTACT, at
    message["Subject"] = " ".join(subject.split())
    message["Message-ID"] = f"<{name}@force.example>"
    if reply:
        message["In-Reply-To"] = message["References"] = f"<{name}@mail.example>"
    message.set_content(body)
    parties = as_contacts(Headers(from_=(_OFFICER,), to=(_CONTACT,)))
    return Sample(name=name, raw=message.as_bytes(), parties=parties, at=at)


def office_hours(at: datetime, timezone: str) -> datetime:
    """Return eleven o'clock on the last Wednesday: no rule about the hour finds anything in what says nothing of it."""
    today = at.astimezone(ZoneInfo(timezone)).replace(hour=_ELEVEN, minute=0, second=0, microsecond=0)
    return today - timedelta(days=(today.weekday() - _WEDNESDAY) % 7)


@lru_cache(maxsize=2)
def read(raw: bytes, limits: Limits, style: HouseStyle) -> Authored:
    """Return what the officer wrote now. The last two are kept: two sets with one house style read a mail once."""
    return extract(raw, limits, style)


def as_contacts(headers: Headers) -> Parties:
    """Return parties in which every recipient is a contact with an open case and the sender is its officer."""
    recipients = tuple(dict.fromkeys((*headers.to, *headers.cc, *headers.bcc)))
    sender = (*headers.sender, *headers.from_, "officer@force.example")[0]
    officer = StaffMember(
        staff_id=StaffId(sender), email=sender, name="", rank="", unit="", manager="", role=StaffRole.OFFICER,
        aliases=(),
    )  # fmt: skip
    contacts = recipients or ("undisclosed-recipients@mail.example",)
    return Parties(
        officer=officer, claimed=(), senders_disagree=False,
        contacts=tuple(_contact(address, sender) for address in contacts), private=(), others=(),
        involved=(officer.staff_id,), registry_version="", registry_stale="",
    )  # fmt: skip


def _contact(address: str, officer: str) -> ContactMatch:
    case = ContactCase(
        case_ref="", role=ContactRole.VICTIM, status=CaseStatus.OPEN, opened=None, closed=None, officers=(officer,),
        team="",
    )  # fmt: skip
    contact = Contact(
        person_id=PersonId(address), names=(), emails=(address,), cases=(case,), vulnerable=False, is_child=False,
        do_not_contact=False, email_consent=True, safe_contact="",
    )  # fmt: skip
    return ContactMatch(recipient=address, contacts=(contact,))
