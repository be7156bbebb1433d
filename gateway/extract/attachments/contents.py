"""What a file said, while it is being read: pieces of text, what could not be read, and what is left of the limits.

Owns the bounds on one attachment, all its inner files together, and the names of places inside it. Refuses to know
any format: the readers beside it do, `opening` calls them.
"""

import re
from collections import deque
from dataclasses import dataclass
from hashlib import sha256

from gateway.model import Limits, PassageKind, UnreadableReason

_MAX_NAME = 120
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff]+")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text from one place in a file, or a mail that was found in it.

    ``path`` names the place inside the file, empty for its main text. Each path occurs once. Where ``message`` is
    set it is a mail in the form of RFC 5322, ``text`` is empty, and ``kind`` says whose it is: BODY is the sender's
    own (winmail.dat, a draft, a signed part), ATTACHMENT is one that is passed on.
    """

    path: str
    text: str
    hidden: bool = False
    kind: PassageKind = PassageKind.ATTACHMENT
    message: bytes | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Something in a file that was not read: where, why, a sentence, and the SHA-256 of the octets in question."""

    path: str
    reason: UnreadableReason
    detail: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a file said and did not say. ``recognised``: its format is one of those the gateway knows."""

    pieces: tuple[Piece, ...] = ()
    unreadable: tuple[Unread, ...] = ()
    recognised: bool = True


@dataclass(frozen=True, slots=True)
class File:
    """A file that is waiting to be read."""

    data: bytes
    path: str
    name: str
    media: str = ""
    depth: int = 0


class TooMuchError(Exception):
    """A limit is reached; the text says which."""


class DamagedError(Exception):
    """The file breaks the rules of its format; the text says how."""


class Allowance:
    """What reading the attachments of one message may still cost, all of them together."""

    def __init__(self, limits: Limits) -> None:
        """Allow what ``limits`` allow."""
        self.octets = limits.max_attachment_bytes
        self.files = limits.max_attachment_files
        self.steps = limits.max_attachment_steps


class Collector:
    """What was found so far in one attachment and everything inside it."""

    def __init__(self, limits: Limits, allowance: Allowance | None = None) -> None:
        """Collect within ``limits``, at the cost of ``allowance``."""
        self.limits = limits
        self.allowance = allowance or Allowance(limits)
        self.waiting: deque[File] = deque()
        self.pieces: list[Piece] = []
        self.unread: list[Unread] = []
        self.recognised = True
        self._paths: set[str] = set()
        self._known: set[bytes] = set()
        self._characters = limits.max_decoded_chars

    def contents(self) -> Contents:
        """Return what came of it."""
        return Contents(tuple(self.pieces), tuple(dict.fromkeys(self.unread)), self.recognised)

    # --- limits ---

    @property
    def octets_left(self) -> int:
        """How many octets may still be unpacked."""
        return max(self.allowance.octets, 0)

    def unpacked(self, count: int) -> None:
        """Take ``count`` unpacked octets off; raises `TooMuchError` past ``max_attachment_bytes``."""
        self.allowance.octets -= count
        if self.allowance.octets < 0:
            allowed = self.limits.max_attachment_bytes
            raise TooMuchError(f"more than {allowed} octets when unpacked; the rest was not read")

    def step(self, count: int = 1) -> None:
        """Take ``count`` elements, records or words of markup off; raises `TooMuchError` when they run out."""
        self.allowance.steps -= count
        if self.allowance.steps < 0:
            allowed = self.limits.max_attachment_steps
            raise TooMuchError(f"more than {allowed} elements or records; the rest was not read")

    # --- what was found ---

    def say(
        self, path: str, text: str, *, hidden: bool = False, kind: PassageKind = PassageKind.ATTACHMENT
    ) -> None:
        """Keep ``text`` of the place ``path``; raises `TooMuchError` when there is more than may be read."""
        left = max(self._characters, 0)
        too_long = len(text) > left
        if too_long:
            text = text[:left]
        text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text)).strip("\n\t ")
        if _SURROGATES.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if text.strip():
            self._characters -= len(text)
            self.pieces.append(Piece(self._unique(path), text, hidden, kind))
        if too_long:
            allowed = self.limits.max_decoded_chars
            raise TooMuchError(f"more than {allowed} characters of text; the rest was not read")

    def say_mail(self, path: str, message: bytes, *, own: bool) -> None:
        """Keep a mail that was found; ``own``: the sender of the message at hand wrote it."""
        kind = PassageKind.BODY if own else PassageKind.ATTACHMENT
        self.pieces.append(Piece(self._unique(path), "", kind=kind, message=message))

    def say_name(self, path: str, name: str) -> None:
        """Keep the name of an inner file, which whoever opens the outer one sees."""
        self.say(below(path, "name"), name, kind=PassageKind.ATTACHMENT_NAME)

    def refuse(self, path: str, reason: UnreadableReason, detail: str, data: bytes | None = None) -> None:
        """Name something that was not read; ``data`` are its octets, so that policy can know it again."""
        digest = sha256(data).hexdigest() if data is not None else ""
        self.unread.append(Unread(path, reason, printable(detail, 300), digest))

    def wait(self, file: File, *, named: bool = False) -> None:
        """Let an inner file be read later; past the limits on number and depth it is named and not read.

        The same octets twice in one attachment are read once. ``named``: its name is shown to people.
        """
        if named and file.name:
            self.say_name(file.path, file.name)
        if file.depth > self.limits.max_attachment_depth:
            self.refuse(file.path, UnreadableReason.DEPTH, "packed too deep; it was not opened", file.data)
            return
        self.allowance.files -= 1
        if self.allowance.files < 0:
            allowed = self.limits.max_attachment_files
            raise TooMuchError(f"more than {allowed} files inside; the rest was not read")
        digest = sha256(file.data).digest()
        if digest not in self._known:
            self._known.add(digest)
            self.waiting.append(file)

    def is_new(self, data: bytes) -> bool:
        """Return whether no inner file of these octets was found yet."""
        return sha256(data).digest() not in self._known

    def _unique(self, path: str) -> str:
        unique, count = path, 1
        while unique in self._paths:
            count += 1
            unique = f"{path}~{count}"
        self._paths.add(unique)
        return unique


def below(path: str, name: str) -> str:
    """Return the path of ``name`` inside ``path``, fit to print."""
    clean = printable(name, _MAX_NAME).strip("/ ") or "-"
    return f"{path}/{clean}" if path else clean


def printable(text: str, most: int) -> str:
    """Return ``text`` on one line without what is no character, and not longer than ``most`` characters."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:most])
