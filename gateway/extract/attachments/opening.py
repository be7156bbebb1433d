"""One attachment and everything inside it: each file to the reader of its kind, inner files after outer ones.

Owns the order, and the one boundary at which damage, limits and formats that nobody reads become words for the
reviewer. Refuses to know any format. There is no recursion: inner files wait in a queue, so that depth costs nothing.
"""

import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Final

from gateway.extract.attachments import (
    cards,
    markup_files,
    odf,
    ooxml,
    pdf,
    pictures,
    rtf,
    signed,
    storages,
    tnef,
    zipped,
)
from gateway.extract.attachments.contents import (
    Allowance,
    Collector,
    Contents,
    DamagedError,
    File,
    TooMuchError,
    below,
)
from gateway.extract.attachments.packed import tar_members, unpacked
from gateway.extract.attachments.sniffing import (
    DESCRIPTIONS,
    Kind,
    disagreement,
    is_named_mail,
    kind_of,
    opens_as_text,
)
from gateway.extract.calendars import calendar_text
from gateway.extract.decoding import characters
from gateway.model import Limits, PassageKind, UnreadableReason

_Reader = Callable[[File, Collector], None]
_DAMAGE: Final = (
    DamagedError, struct.error, zlib.error, lzma.LZMAError, ValueError, LookupError, OverflowError, EOFError, OSError,
)  # fmt: skip
"""What reading hostile octets raises; anything else is a fault of ours, and the worker says so."""


def opened(file: File, limits: Limits, allowance: Allowance) -> Contents:
    """Return what ``file`` says, with all that is inside it. Total; bounded by ``limits``."""
    found = Collector(limits, allowance)
    kind = kind_of(file.data)
    found.recognised = kind not in {Kind.UNKNOWN, Kind.EMPTY}
    if kind is Kind.EMPTY:
        return Contents()
    found.waiting.append(file)
    while found.waiting:
        following = found.waiting.popleft()
        _read(following, found, is_outer=following is file)
    return found.contents()


def _read(file: File, found: Collector, *, is_outer: bool) -> None:
    kind = kind_of(file.data)
    odd = disagreement(kind, file.name, file.media)
    if odd:
        found.refuse(file.path, UnreadableReason.AMBIGUOUS, f"{odd}; it was read as what it is")
    reader = _READERS.get(kind)
    try:
        if odd and opens_as_text(file.name) and kind not in _TEXTS:
            found.say(below(file.path, "as text"), characters(file.data, "")[0])
        if reader is not None:
            reader(file, found)
        elif kind is not Kind.EMPTY and not (kind is Kind.UNKNOWN and is_outer):
            found.refuse(file.path, *_not_read(kind, file), file.data)
        if kind not in _TEXTS and kind is not Kind.ZIP:
            _also_zip(file, found)
    except TooMuchError as limit:
        found.refuse(file.path, UnreadableReason.SIZE, str(limit))
        found.waiting.clear()
    except _DAMAGE as damage:
        told = (
            str(damage)
            if isinstance(damage, DamagedError)
            else f"it breaks off or is damaged ({type(damage).__name__})"
        )
        detail = f"{DESCRIPTIONS[kind]} that could not be read whole: {told}"
        found.refuse(file.path, UnreadableReason.ATTACHMENT_NOT_READ, detail, file.data)


def _not_read(kind: Kind, file: File) -> tuple[UnreadableReason, str]:
    size = f"{len(file.data)} octets"
    if kind is Kind.CIPHERTEXT:
        return UnreadableReason.ENCRYPTED, f"an encrypted file, {size}"
    return UnreadableReason.ATTACHMENT_NOT_READ, f"{DESCRIPTIONS[kind]}, {size}: such files are not read"


_TEXTS: Final = frozenset({Kind.TEXT, Kind.HTML, Kind.XML, Kind.MAIL, Kind.CALENDAR, Kind.CARD, Kind.EMPTY})


def _also_zip(file: File, found: Collector) -> None:
    """Read the zip file at the end of a file that begins as something else: whoever renames it opens that."""
    inner = zipped.at_the_end(file.data)
    if inner and inner is not file.data and found.is_new(inner):
        found.refuse(file.path, UnreadableReason.AMBIGUOUS, "a zip file follows it; both were read")
        found.wait(File(inner, below(file.path, "zip"), file.name, depth=file.depth + 1))


def _zip(file: File, found: Collector) -> None:
    archive = zipped.opened(file.data, found)
    if archive.disordered:
        detail = f"a zip file with {archive.disordered}; what was found was read"
        found.refuse(file.path, UnreadableReason.AMBIGUOUS, detail)
    if ooxml.is_package(archive):
        ooxml.read(archive, file, found)
    elif odf.is_package(archive):
        odf.read(archive, file, found)
    else:
        _members(archive, file, found)


def _members(archive: zipped.Archive, file: File, found: Collector) -> None:
    found.say(below(file.path, "comment"), archive.comment)
    for member in archive.members:
        path = below(file.path, member.name)
        found.say(below(path, "comment"), member.comment)
        if member.is_folder:
            found.say_name(path, member.name)
            continue
        if member.encrypted:
            found.say_name(path, member.name)
            detail = "a file in a zip archive that needs a password"
            found.refuse(path, UnreadableReason.ENCRYPTED, detail, file.data)
            continue
        try:
            data = archive.read(member, found)
        except DamagedError as damage:
            found.refuse(path, UnreadableReason.ATTACHMENT_NOT_READ, str(damage), file.data)
            continue
        found.wait(File(data, path, member.name, depth=file.depth + 1), named=True)


def _packed(method: str) -> _Reader:
    def read(file: File, found: Collector) -> None:
        data = unpacked(file.data, method, found)
        name = file.name.rpartition(".")[0] if "." in file.name else ""
        found.wait(File(data, below(file.path, name or "content"), name, depth=file.depth + 1))

    return read


def _tar(file: File, found: Collector) -> None:
    for name, data in tar_members(file.data, found):
        found.wait(File(data, below(file.path, name), name, depth=file.depth + 1), named=True)


def _text(file: File, found: Collector) -> None:
    text, note = characters(file.data[: found.limits.max_decoded_chars * 4 + 4], "")
    if note is not None:
        found.refuse(file.path, note.reason, note.detail)
    if "-----BEGIN PGP MESSAGE" in text:
        found.refuse(file.path, UnreadableReason.ENCRYPTED, "a PGP message inside the text")
    found.say(file.path, text)


def _calendar(file: File, found: Collector) -> None:
    text, _ = characters(file.data, "")
    found.say(file.path, calendar_text(text), kind=PassageKind.CALENDAR)


def _mail(file: File, found: Collector) -> None:
    """Hand on a mail. A draft (X-Unsent) and a saved web page (.mht) are the sender's own.

    What merely looks like one is a text, and so the sender's: nobody opens it as a mail.
    """
    if not is_named_mail(file.name, file.media):
        _text(file, found)
        return
    head = file.data[:4096].lower()
    own = b"\nx-unsent: 1" in head or file.name.lower().endswith((".mht", ".mhtml"))
    found.say_mail(file.path, file.data, own=own)


_READERS: Final[dict[Kind, _Reader]] = {
    Kind.ZIP: _zip,
    Kind.PDF: pdf.read,
    Kind.RTF: rtf.read,
    Kind.COMPOUND: storages.read,
    Kind.TNEF: tnef.read,
    Kind.PICTURE: pictures.read,
    Kind.GZIP: _packed("gzip"),
    Kind.BZIP2: _packed("bzip2"),
    Kind.XZ: _packed("xz"),
    Kind.TAR: _tar,
    Kind.SIGNED: signed.read,
    Kind.SIGNATURE: lambda _, __: None,
    Kind.MAIL: _mail,
    Kind.CALENDAR: _calendar,
    Kind.CARD: cards.read,
    Kind.HTML: markup_files.read_html,
    Kind.XML: markup_files.read_xml,
    Kind.TEXT: _text,
}
