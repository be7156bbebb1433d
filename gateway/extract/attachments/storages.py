"""What a compound file is: each storage in it to the reader of its kind.

Owns which streams make a Word, Excel, PowerPoint or Outlook file, and the names of what is encrypted or a program.
Refuses to read text: `binary_office`, `outlook` and `property_sets` do. Called by `opening`.
"""

from collections.abc import Iterator
from typing import Final

from gateway.extract.attachments import binary_office, objects, outlook, property_sets
from gateway.extract.attachments.compound import Compound, Entry
from gateway.extract.attachments.contents import Collector, File, below
from gateway.model import UnreadableReason

_ENCRYPTED: Final = frozenset({"encryptedpackage", "encryptioninfo", "\x06dataspaces", "encryptedsummary"})
_MACROS: Final = frozenset({"macros", "_vba_project_cur", "vba", "_vba_project"})
_MESSAGE: Final = "__properties_version1.0"
_WHOLE_FILES: Final = frozenset({"package", "contents", "powerpoint document contents", "\x01ole10itemname"})
_MAX_STORAGES: Final = 2_000


def read(file: File, found: Collector) -> None:
    """Say what a compound file says; raises `DamagedError`, or `TooMuchError` past the limits of ``found``."""
    document = Compound(file.data, found)
    if not _ENCRYPTED.isdisjoint(document.root.children):
        detail = "an Office file that needs a password"
        found.refuse(file.path, UnreadableReason.ENCRYPTED, detail, file.data)
        return
    if _MESSAGE in document.root.children:
        outlook.read(document, file, found)
        return
    known = False
    for path, storage in _storages(document.root, file.path, found):
        known = (
            _storage(document, storage, File(file.data, path, file.name, depth=file.depth), found) or known
        )
    if not known:
        detail = f"an OLE file of a kind that is not read, {len(file.data)} octets"
        found.refuse(file.path, UnreadableReason.ATTACHMENT_NOT_READ, detail, file.data)


def _storages(root: Entry, path: str, found: Collector) -> Iterator[tuple[str, Entry]]:
    """Yield every storage with its place, outer ones first."""
    waiting = [(path, root)]
    for _ in range(_MAX_STORAGES):
        if not waiting:
            return
        place, storage = waiting.pop(0)
        found.step()
        yield place, storage
        waiting += [(below(place, child.name), child) for child in storage.storages()]


def _storage(document: Compound, storage: Entry, file: File, found: Collector) -> bool:
    """Read one storage; return whether it is of a kind that is known."""
    known = False
    reader = next((reader for name, reader in _READERS.items() if name in storage.children), None)
    if reader is not None:
        known = True
        reader(document, storage, file, found)
    for stream in storage.streams():
        name = stream.name.lower()
        if name in {"\x05summaryinformation", "\x05documentsummaryinformation"}:
            property_sets.read(document.read(stream), below(file.path, stream.name.strip("\x05")), found)
        elif name == "\x01ole10native":
            data = document.read(stream)
            known = True
            objects.packaged(File(data, below(file.path, "object"), "", depth=file.depth + 1), found)
        elif name in _WHOLE_FILES:
            known = True
            path = below(file.path, stream.name)
            found.wait(File(document.read(stream), path, "", depth=file.depth + 1))
    if storage.name.lower() in _MACROS and storage.kind == 1:
        found.refuse(file.path, UnreadableReason.MACROS, "macros: a program inside the document")
    return known


_READERS: Final = {
    "worddocument": binary_office.read_word,
    "workbook": binary_office.read_excel,
    "book": binary_office.read_excel,
    "powerpoint document": binary_office.read_powerpoint,
}
