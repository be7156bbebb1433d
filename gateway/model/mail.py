"""Of SMTP: replies, clients, commands and the envelope, and the id that a message has with us."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

MessageId = NewType("MessageId", str)
"""Ours, random: the id in the 250, in our Received line, and of the item if there is one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply (RFC 5321 section 4.2): a code and the text of each line, without CR and LF."""

    code: int
    lines: tuple[str, ...]

    @property
    def is_positive(self) -> bool:
        """True for 2xx and 3xx."""
        return 200 <= self.code < 400

    @property
    def is_permanent(self) -> bool:
        """True for 5xx."""
        return 500 <= self.code < 600

    def __str__(self) -> str:
        """Return the reply as one line, for the log."""
        return f"{self.code} {' / '.join(self.lines)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the smarthost offered at its last successful EHLO. ``size`` is None without SIZE, 0 for no limit."""

    size: int | None
    eight_bit_mime: bool
    smtputf8: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The SMTP client of one connection."""

    address: str
    helo: str
    extended: bool
    """It said EHLO, not HELO."""
    tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCommand:
    """MAIL FROM as it was given: what is inspected and what is sent on are the same characters.

    ``reverse_path`` is the text between the angle brackets, empty for the null sender.
    ``body`` is ``7BIT``, ``8BITMIME`` or empty when the parameter was not given (RFC 6152).
    ``size`` is the declared size in octets (RFC 1870) or None.
    """

    reverse_path: str
    body: str = ""
    smtputf8: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Everything SMTP said about one message, before its first byte was read."""

    mail: MailCommand
    recipients: tuple[str, ...]
    client: Client
    received_at: datetime
