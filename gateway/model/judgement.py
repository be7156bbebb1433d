"""Of judgement: findings, the policy that weighs them, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.model.history import History
from gateway.model.people import Parties
from gateway.model.writing import Limits, Unreadable, UnreadableReason


class Action(StrEnum):
    """What becomes of a message, weakest first."""

    PASS = "pass"  # noqa: S105
    FLAG = "flag"
    HOLD = "hold"

    @property
    def strength(self) -> int:
        """0, 1, 2: a verdict takes the strongest."""
        return tuple(Action).index(self)


class Mode(StrEnum):
    """The strongest action a site or unit lets a verdict have. ``observe`` records and delivers."""

    OBSERVE = "observe"
    FLAG = "flag"
    HOLD = "hold"

    @property
    def strictness(self) -> int:
        """0, 1, 2: of several the strictest counts."""
        return tuple(Mode).index(self)


class Severity(StrEnum):
    """How grave a crossing is, mildest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RuleStatus(StrEnum):
    """How far a rule may act: draft never runs on mail, shadow is counted only, flag at most flags."""

    DRAFT = "draft"
    SHADOW = "shadow"
    FLAG = "flag"
    ENFORCE = "enforce"


class Attribution(StrEnum):
    """Whose words a finding stands on: DETECTION 3.4."""

    OWN = "own"
    REPORTED = "reported"
    """Somebody else's words without quotation marks: at most flag."""
    QUOTED = "quoted"
    """Somebody else's words in quotation marks: information only, no points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """How surely a sentence crosses a line, by the encoder. Findings of one sentence share one."""

    sentence: int
    """Where it begins in the part."""
    crossing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that came true. ``text`` is the exact piece, None for findings about conduct."""

    rule: str
    version: int
    status: RuleStatus
    category: str
    severity: Severity
    points: int
    part: str | None
    start: int | None
    end: int | None
    text: str | None
    why: str
    softened: bool = False
    """A case anchor stands by it: at most flag, never pass."""
    for_reviewer: str = ""
    attribution: Attribution = Attribution.OWN
    probability: float | None = None
    """How sure the surest language cue behind it is; None where no cue was asked."""
    sign: Sign | None = None
    """The surest of its sentences; None where the words are not the officer's own, or no encoder read them."""
    of_earlier_mail: bool = False
    """It rests on what the officer wrote to these contacts before, how often or how long unanswered: who reads it learns of that mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the rules found, and the hash of the set that found it."""

    findings: tuple[Finding, ...]
    rules_hash: str
    model_hash: str
    urgent: str = ""
    """Why a person must look at once (bail, release, threat, court soon), or empty."""
    weak: tuple[str, ...] = ()
    """Categories of cues too weak for a finding: each is one bit in the ledger for the pair (DECISIONS 19)."""
    refused: bool = False
    """The contact says no in what the message quotes: one bit in the ledger, for later threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryPolicy:
    """What findings of one category do alone. Every finding flags; this says when it holds."""

    hold_from: Severity | None
    """The mildest severity that holds alone; None: none does."""
    again: Action = Action.FLAG
    """What a finding does when an earlier message had one of the same category."""
    psd: bool = False
    """Professional standards are copied: the line manager must not be the only one to decide (DOMAIN.md section 9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combinations:
    """What a finding that only flags does in company; PASS switches the combination off."""

    two_categories: Action = Action.HOLD
    two_sentences: Action = Action.PASS
    vulnerable_contact: Action = Action.HOLD
    sender_not_assigned: Action = Action.HOLD
    closed_case: Action = Action.HOLD
    earlier_findings: Action = Action.HOLD
    pattern: Action = Action.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyPolicy:
    """What the people and addresses of a message do, whatever it says."""

    do_not_contact: Action = Action.FLAG
    no_email_consent: Action = Action.FLAG
    senders_disagree: Action = Action.FLAG
    private_copy: Action = Action.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class CueThresholds:
    """From which probability on a language cue counts, and for how much: each is at least the one before."""

    weak: float = 0.35
    """It is remembered for the pair, as one bit (DECISIONS 19), and does nothing now."""
    company: float = 0.6
    """It makes a rule fire where another one stands elsewhere in the mail, or earlier mail had a weak one of its kind."""
    flag: float = 0.8
    """It makes a rule fire."""
    hold: float = 0.9
    """What it makes fire is not softened: policy's effect of the category applies."""


_THRESHOLDS = CueThresholds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """policy.yaml: the only numbers that act. ``hash`` is the SHA-256 of its text, ``rules_hash`` of the set."""

    hash: str
    rules_hash: str
    flag_at: int
    hold_at: int
    categories: Mapping[str, CategoryPolicy]
    combinations: Combinations
    parties: PartyPolicy
    unreadable: Mapping[UnreadableReason, Action]
    closed_case_days: int
    known_files: frozenset[str] = frozenset()
    """SHA-256 of files that say nothing to people, in hexadecimal: as unread they are no reason."""
    secure_mail: frozenset[str] = frozenset()
    """Media types of the force's own secure mail: a part of such a type is flagged where an unread one is held."""
    also_hold: tuple[str, ...] = ()
    """Recipients that wait with the contact: addresses, or ``@domain``."""
    languages: tuple[str, ...] = ("en",)
    """ISO 639-1 codes. What is written in another language counts as not read: rules and model know English."""
    timezone: str = "Europe/London"
    """IANA name of the zone in which hours and days are counted."""
    notification_senders: frozenset[str] = frozenset()
    """Addresses, or ``@domain``, that no person writes from: their mail has no conduct. Its words are judged."""
    weights: frozenset[str] = frozenset()
    """Rules whose findings ask for nothing alone and only weigh beside others."""
    cues: Mapping[str, CueThresholds] = field(default_factory=dict)
    """By category; ``default`` is for those that are not named."""
    doubt: float = 0.0
    """Probability that a sentence crosses at all, below which what a rule finds there informs and does not act."""
    doubt_surely: float = 0.0
    """The same where a frame hears it too, and in short passages: what speaks for the finding asks for a surer model."""

    def cue(self, category: str) -> CueThresholds:
        """Return the thresholds of a category."""
        return self.cues.get(category) or self.cues.get("default", _THRESHOLDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a message, why, and every input needed to compute it again (promise P10).

    ``action`` is what was done, ``proposed`` what would have been done in hold mode. ``held`` are the envelope
    recipients whose copy waits, ``sent`` the others; for pass and flag ``held`` is empty.
    """

    action: Action
    proposed: Action
    mode: Mode
    score: int
    in_scope: bool
    because: tuple[str, ...]
    """Which of category, combination, threshold, unreadable (and which one) gave the action."""
    findings: tuple[Finding, ...]
    unreadable: tuple[Unreadable, ...]
    held: tuple[str, ...]
    sent: tuple[str, ...]
    urgent: str
    registry_version: str
    registry_stale: str
    rules_hash: str
    policy_hash: str
    model_hash: str
    code_version: str
    history: History
    decided_at: datetime
    authored_chars: int
    psd: tuple[str, ...] = ()
    """Categories for which professional standards are copied."""
    parties: Parties | None = None
    """Who wrote to whom as the registry of that day had it: the registry itself is kept only in its last version."""
    limits: Limits = field(default_factory=Limits)
    """The bounds within which the message was read."""
