"""What a file says that is no text of its own: octets to pieces of text, each with its place inside the file.

Owns the one face for attachments. Refuses to know MIME: `reading` hands it the decoded octets of a part, what they are
called and what they are said to be. Stands in *extract* below `reading`.
"""

from dataclasses import dataclass

from gateway.model import Limits, PassageKind, UnreadableReason


@dataclass(frozen=True, slots=True)
class Piece:
    """One run of text inside a file."""

    path: str
    """Where it stands in the file; empty: its main text. ``docProps/core.xml:title``, ``inner.zip/letter.docx``."""
    text: str
    hidden: bool = False
    kind: PassageKind = PassageKind.ATTACHMENT
    message: bytes | None = None
    """A mail that the file holds; the caller reads it as attached."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file says, and what of it could not be read: path, reason, and words for the reviewer."""

    pieces: tuple[Piece, ...] = ()
    unreadable: tuple[tuple[str, UnreadableReason, str], ...] = ()
    recognised: bool = False
    """False: of no kind that is read; the caller names it."""


def read(data: bytes, media: str, name: str, limits: Limits) -> Contents:  # noqa: ARG001  # no kind is read yet
    """Return what a file says. Total: never raises; bounded by ``limits``."""
    return Contents()
