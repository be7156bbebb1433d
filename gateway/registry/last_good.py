"""The last good registry on disk, so that a restart beside a broken export still knows every contact.

Owns one file: a line that says what it is and what it must hash to, then the people as JSON. Written beside and
renamed, both synced; readable by its owner only, since it holds what the contact list holds. Keys are made anew
when it is read, so that changed mailbox settings count at once.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from gateway.errors import Mistake, Mistakes, NotStored
from gateway.model import Contact, Registry, StaffMember
from gateway.registry.assembly import contacts_in, mailboxes_of, registry_of, staff_in
from gateway.settings import RegistrySettings

_FORMAT = "boundary-gateway registry 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    format: str
    sha256: str
    loaded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    contacts: tuple[Contact, ...]
    staff: tuple[StaffMember, ...]


def save_last_good(registry: Registry, path: Path) -> None:
    """Write ``registry`` to ``path`` so that a crash at any moment leaves the old copy or the new one, whole.

    Raises `NotStored` when it cannot be made durable; the old copy is then still there.
    """
    content = msgspec.json.encode(_Content(contacts=contacts_in(registry), staff=staff_in(registry)))
    head = _Head(format=_FORMAT, sha256=hashlib.sha256(content).hexdigest(), loaded_at=registry.loaded_at)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, msgspec.json.encode(head) + b"\n" + content)
    except OSError as error:
        raise NotStored(f"the last good registry cannot be written to {path}: {error}") from error


def _replace(path: Path, content: bytes) -> None:
    # mkstemp makes the file readable by its owner alone, whatever the umask.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load_last_good(settings: RegistrySettings) -> Registry | None:
    """Return the last good registry, marked stale, or None when none was ever written.

    Raises `Mistakes` when the file is there and cannot be used: unreadable, cut short or changed.
    """
    path = settings.last_good
    try:
        head_line, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from error
    try:
        head = msgspec.json.decode(head_line, type=_Head)
        if head.format != _FORMAT:
            raise _unusable(path, f"has the format {head.format!r}")
        if hashlib.sha256(content).hexdigest() != head.sha256:
            raise _unusable(path, "is not what was written: its hash differs")
        people = msgspec.json.decode(content, type=_Content)
    except msgspec.DecodeError as error:
        raise _unusable(path, f"is not what was written: {error}") from error
    return registry_of(
        people.contacts,
        people.staff,
        mailboxes_of(settings),
        loaded_at=head.loaded_at,
        stale=f"the copy of {head.loaded_at:%Y-%m-%d %H:%M} UTC is in force; no file has been read since",
    )


def _unusable(path: Path, what: str) -> Mistakes:
    remedy = "mend the contact and staff list and run `gateway contacts import`, which writes it anew"
    return Mistakes((Mistake(file=str(path), what=what, remedy=remedy),))
