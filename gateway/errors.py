"""The few exceptions of the gateway, and the shape of a mistake in a file.

Four kinds of trouble, four ways. Odd mail is data, never an exception. A world that failed (disk, smarthost)
is a `GatewayError` with two texts: `reply` for the sender, `hint` for the operator. Wrong settings, rules and
registry rows are `Mistake` values, collected and raised together as `Mistakes`. Our own bugs are whatever else
is raised; they are caught once, at the edge of each process.
"""

import traceback
from dataclasses import dataclass
from typing import ClassVar


class GatewayError(Exception):
    """The world failed. ``reply`` is what the sender is told, ``hint`` what the operator is told."""

    reply: ClassVar[str] = "451 4.3.0 Try again later"
    hint: ClassVar[str] = "See the log entry of the same id."


class NotStored(GatewayError):
    """A record could not be made durable, so we must not take responsibility for the message."""

    hint = "Check free space and permissions of the store, and whether another process holds it locked."


class StoreUnfit(GatewayError):
    """The store cannot be used as it is: not made yet, of another version, or the key does not open it."""

    hint = "See docs/store.md: gateway store init, gateway store check, restoring from a backup."


class NextHopUnavailable(GatewayError):
    """The smarthost could not be reached, or left in mid-dialogue, or refuses us as a client."""

    reply = "451 4.4.1 Try again later"
    hint = "Check next_hop.url, its TLS and sign-in settings, and that the smarthost accepts mail from this host."


class NoWorker(GatewayError):
    """No inspection worker was free in time. The machine's trouble, not the message's."""

    reply = "451 4.3.2 Try again later"
    hint = "Raise inspection.extract_workers or inspection.language_workers, or look for what keeps the machine busy."


class StarvedWorker(NoWorker):
    """A worker was given a message and no processor time for it. Thrice on the same bytes, and they are held."""

    hint = "The machine is overloaded: workers get no processor time. Look for what keeps it busy."


class UninspectableMessage(GatewayError):
    """The message itself made inspection fail: past a limit, out of its own time, or its worker was killed.

    The pipeline turns this into an `unreadable` entry; policy then holds the message.
    """

    hint = "The message is held for a person; the reason is listed with it."

    def __init__(self, reason: str) -> None:
        """Keep ``reason``, a sentence fit for a reviewer."""
        super().__init__(reason)
        self.reason = reason


class Sealed(GatewayError):
    """Sealed bytes could not be opened: wrong key, or bytes that were changed."""

    hint = "The key file named by store.key_file must hold the key id the row names. Restore it from escrow."


class Refused(GatewayError):
    """A person may not do what they asked, or it cannot be done in the item's state. Its text says why."""

    reply = "550 5.7.1 Not permitted"
    hint = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing wrong in a file or setting: where it is, what is wrong, and what to do."""

    file: str
    line: int | None = None
    column: int | None = None
    what: str
    remedy: str

    def __str__(self) -> str:
        """Return ``file:line:column: what; remedy``, leaving out what is not known."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.what}; {self.remedy}"


class Mistakes(GatewayError):
    """Everything that is wrong with settings, a rule set or a registry, found in one run."""

    hint = "Mend each place named; nothing was taken over from the file."

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        """Keep ``mistakes`` in the order of the file."""
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def origin(error: BaseException) -> list[str]:
    """Return where ``error`` and its causes were raised, innermost last, for the log.

    Their texts are left out: they may name an address (promise P4). What the system says of an OSError is kept.
    """
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, OSError) and error.strerror:
        places.append(error.strerror)
    cause = error.__cause__
    return places if cause is None else [*origin(cause), type(cause).__name__, *places]
