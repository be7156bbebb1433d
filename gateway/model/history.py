"""Of history: what the ledger knows of an officer and of contacts before a message. No text, ever.

Values of a fixed moment: they are an argument of judging and are kept in the verdict, so that it can be computed again
(promise P10). Digests name messages, threads and addresses without saying them (`inspection.traits`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.model.people import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the ledger keeps of a message's header block: digests, empty where there is nothing to digest."""

    message: str = ""
    """Of its own Message-ID."""
    thread: str = ""
    """Of the first message of its thread."""
    answers: str = ""
    """Of the message it answers: In-Reply-To, else the newest mail of the contact that it quotes."""
    copies: tuple[str, ...] = ()
    """Of every address in To and Cc that is neither the sender's nor a contact's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """One earlier message of the force to one of these contacts."""

    at: datetime
    contact: PersonId
    own: bool
    """The officer wrote it; else a colleague."""
    refused: bool = False
    """It quoted words of the contact that say no."""
    traits: Traits = field(default_factory=Traits)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierFinding:
    """One rule that came true in one earlier message of the officer, whoever it went to."""

    at: datetime
    message: str
    """Tells messages apart; it says nothing else."""
    contacts: tuple[PersonId, ...]
    rule: str
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the ledger knows of this officer and these contacts before this message.

    ``earlier`` holds, per category, how many earlier messages of the officer to any of these contacts had a
    finding of it inside the window; ``days`` is that window. ``sent_lines`` are those lines which this message quotes
    and which we sent to these contacts before, as `inspection.quoted_lines` names them. ``sent`` and ``found`` are
    bounded (``store.history_messages``), the newest first.
    """

    earlier: Mapping[str, int] = field(default_factory=dict)
    days: int = 90
    sent_lines: tuple[str, ...] = ()
    sent: tuple[SentMail, ...] = ()
    """Earlier messages to these contacts inside the window."""
    found: tuple[EarlierFinding, ...] = ()
    """Earlier findings of the officer, with every contact, for as long as the ledger goes back."""
    weak: tuple[str, ...] = ()
    """Categories of which the officer's mail to these contacts had a weak cue lately (DECISIONS 19)."""
