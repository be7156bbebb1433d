"""What a file says that is no text of its own: octets to pieces of text, each with its place inside the file.

Owns the one face for attachments. Refuses to know MIME: `reading` hands it the decoded octets of a part, what they are
called and what they are said to be. Stands in *extract* below `reading`.

A file is read by what it holds, not by what it is called; where the two disagree, that is named. Inside, `sniffing`
tells the formats apart, `opening` hands each file to the reader of its format, and `contents` keeps what they find
within the limits: octets unpacked, files, depth, and elements or records, over all attachments of a message.
"""

from gateway.extract.attachments import pdf
from gateway.extract.attachments.contents import Allowance, Contents, File, Piece, Unread
from gateway.extract.attachments.opening import opened
from gateway.extract.attachments.sniffing import Kind, kind_of
from gateway.model import Limits

__all__ = ["Allowance", "Contents", "Piece", "Unread", "is_signed", "read", "warm_up"]


def read(data: bytes, media: str, name: str, limits: Limits, allowance: Allowance | None = None) -> Contents:
    """Return what a file says, and what of it could not be read.

    ``media`` is the type it is declared to be, ``name`` what it is called; both are only compared with its content.
    ``allowance`` is what all attachments of one message may spend together; without it this file may spend
    everything that ``limits`` allow.

    Total: never raises for any octets; bounded by ``limits``.
    """
    return opened(File(data, "", name, media), limits, allowance or Allowance(limits))


def is_signed(data: bytes) -> bool:
    """Return whether ``data`` is an opaque S/MIME signature, whose content anybody can read."""
    return kind_of(data) is Kind.SIGNED


def warm_up() -> None:
    """Load PDFium, so that no message waits for it: 80 ms and 10 MB."""
    pdf.warm_up()
