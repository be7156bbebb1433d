"""The nouns of the gateway: frozen values that travel between its stages.

Own no behaviour beyond what a value says about itself, and import nothing of ours. Offsets are code points in the
*decoded text* of a part, half open. Part names: ``subject``, ``body`` (the part a mail client shows first), ``1.2`` (a
MIME section number, RFC 3501 section 6.4.5), ``name:1.2`` (the file name of that section), ``before:1.2`` and
``after:1.2`` (text around the parts of that multipart, which no mail client shows), ``from`` and the like (words of a
header field), ``2!notes`` (a place inside the file 2), ``body~2`` (another reading of ``body``); ``0`` is the message as
a whole.
"""

from gateway.model.history import EarlierFinding, History, SentMail, Traits
from gateway.model.judgement import (
    Action,
    Attribution,
    CategoryPolicy,
    Combinations,
    CueThresholds,
    Finding,
    Inspection,
    Mode,
    PartyPolicy,
    Policy,
    RuleStatus,
    Severity,
    Verdict,
)
from gateway.model.mail import Capabilities, Client, Envelope, MailCommand, MessageId, Reply
from gateway.model.people import (
    CaseStatus,
    ClaimedSender,
    Contact,
    ContactCase,
    ContactMatch,
    ContactRole,
    Parties,
    PersonId,
    Registry,
    StaffId,
    StaffMember,
    StaffRole,
)
from gateway.model.records import Event, ItemKind, ItemState, Label, OutboxKind, Role
from gateway.model.writing import (
    Anatomy,
    Authored,
    Cut,
    CutReason,
    Doubt,
    Headers,
    HouseStyle,
    Limits,
    PartShown,
    Passage,
    PassageKind,
    Unreadable,
    UnreadableReason,
)

__all__ = [
    "Action",
    "Anatomy",
    "Attribution",
    "Authored",
    "Capabilities",
    "CaseStatus",
    "CategoryPolicy",
    "ClaimedSender",
    "Client",
    "Combinations",
    "Contact",
    "ContactCase",
    "ContactMatch",
    "ContactRole",
    "CueThresholds",
    "Cut",
    "CutReason",
    "Doubt",
    "EarlierFinding",
    "Envelope",
    "Event",
    "Finding",
    "Headers",
    "History",
    "HouseStyle",
    "Inspection",
    "ItemKind",
    "ItemState",
    "Label",
    "Limits",
    "MailCommand",
    "MessageId",
    "Mode",
    "OutboxKind",
    "PartShown",
    "Parties",
    "PartyPolicy",
    "Passage",
    "PassageKind",
    "PersonId",
    "Policy",
    "Registry",
    "Reply",
    "Role",
    "RuleStatus",
    "SentMail",
    "Severity",
    "StaffId",
    "StaffMember",
    "StaffRole",
    "Traits",
    "Unreadable",
    "UnreadableReason",
    "Verdict",
]
