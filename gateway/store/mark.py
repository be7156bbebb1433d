"""The outbox mark: how a restored backup is noticed before it sends mail a second time.

The database counts finished deliveries (`meta` row ``outbox_mark``); this file, beside the key and not in the
database's backup, remembers the highest count this host has seen committed. A database that counts less than its
host remembers is older than what was already sent. A host that remembers nothing of this store is treated alike,
unless one that does vouches for the database (`vouching`).
Limit: a host and its database set back together (a snapshot of the whole machine) look as they did then.
"""

import json
import threading
from datetime import datetime
from pathlib import Path

from gateway.errors import NotStored
from gateway.store.sealing import locked_folder, write_durably

_FORMAT = "gateway outbox mark 1"


class Mark:
    """The file and its value. Safe to use from several threads."""

    __slots__ = ("_lock", "_path", "_saved", "_store_id", "_value", "asking_since", "question")

    def __init__(self, path: Path, store_id: str) -> None:
        """Remember for the store ``store_id`` in the file ``path``."""
        self._path = path
        self._store_id = store_id
        self._lock = threading.Lock()
        self._value = self._saved = self._read()
        self.question = ""
        """What this process has asked the others, while it knows nothing (`vouching`)."""
        self.asking_since: datetime | None = None
        """When it first did."""

    @property
    def value(self) -> int | None:
        """The highest count seen, or None when this host knows nothing of this store.

        While it does, the file is looked at again: another process of the host may know by now.
        """
        if self._value is None:
            with self._lock:
                self._value = self._saved = self._read()
        return self._value

    def note(self, count: int) -> None:
        """Remember ``count``, which must be committed, for as long as this process lives; `save` makes it last."""
        with self._lock:
            if self._value is None or count > self._value:
                self._value = count

    def save(self) -> None:
        """Make what was noted last. Raises NotStored when it cannot: then nothing more may be delivered.

        Several processes of one host share the file: the highest of their counts stays.
        """
        with self._lock:
            if self._value == self._saved or self._value is None:
                return
            try:
                with locked_folder(self._path.parent):
                    highest = max(self._value, self._read() or 0)
                    content = {"format": _FORMAT, "store_id": self._store_id, "count": highest}
                    write_durably(self._path, json.dumps(content).encode())
            except OSError as problem:
                raise NotStored(f"{self._path} could not be written: {problem.strerror}") from problem
            self._saved = self._value

    def _read(self) -> int | None:
        try:
            content = json.loads(self._path.read_bytes())
            if content["format"] == _FORMAT and content["store_id"] == self._store_id:
                return int(content["count"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None


def mark_path(key_file: Path) -> Path:
    """Return the place of the mark: beside the key."""
    return key_file.with_name(f"{key_file.name}.outbox-mark")
