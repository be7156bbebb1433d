"""Sealing: AES-256-GCM over what victims and officers wrote, with keys in one file.

Owns the key file and the form of sealed values. A value names its key, and is bound to its table, column and row
(as additional data), so that it can neither be opened elsewhere nor moved. Only `KeyFile.make` makes a first key,
and only ``gateway store init`` calls it. Knows nothing of the database.
"""

import base64
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import Sealed, StoreUnfit

_FORMAT = "gateway sealing keys 1"
_MAGIC = b"GS\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_MAX_FILE_BYTES = 1_048_576
MARK_BYTES = 8
"""Of a marked line: a thousand mails of five hundred lines meet by chance once in ten thousand million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed value belongs. It opens nowhere else."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True, repr=False)
class KeyFile:
    """The content of a key file: sealing keys by id, the active one, and the seed that signs checkpoints."""

    path: Path
    active: str
    keys: Mapping[str, bytes]
    signing: bytes

    @classmethod
    def make(cls, path: Path) -> Self:
        """Make the file with one fresh key, readable by its owner alone, and return it.

        Raises StoreUnfit when the file exists: a key that seals mail is never overwritten.
        """
        key_id = _new_key_id()
        made = cls(path, key_id, {key_id: secrets.token_bytes(_KEY_BYTES)}, secrets.token_bytes(_KEY_BYTES))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists():
                raise StoreUnfit(f"{path} exists; a key file is never overwritten")
            write_durably(path, made.content(), fresh=True)
        except OSError as problem:
            raise StoreUnfit(f"the key file {path} could not be made: {problem.strerror}") from problem
        return made

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the content of the file. Raises StoreUnfit, naming the remedy, when it cannot be used."""
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                text = file.read(_MAX_FILE_BYTES)
        except FileNotFoundError:
            raise StoreUnfit(
                f"there is no key file {path}; `gateway store init` makes it with a new store, "
                "an existing store needs its own key from escrow"
            ) from None
        except OSError as problem:
            raise StoreUnfit(f"the key file {path} could not be read: {problem.strerror}") from problem
        if mode & 0o027:
            raise StoreUnfit(
                f"the key file {path} has mode {mode:04o}; others must not read it: chmod 600 {path}"
            )
        try:
            active, keys, signing = _parsed(text)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise StoreUnfit(f"{path} is not a key file of this gateway; restore it from escrow") from problem
        return cls(path, active, keys, signing)

    def with_new_key(self) -> tuple[Self, str]:
        """Write the file with one more key, not active yet, and return it with the new key's id."""
        key_id = _new_key_id()
        return self._rewritten(self.active, {**self.keys, key_id: secrets.token_bytes(_KEY_BYTES)}), key_id

    def with_active(self, key_id: str) -> Self:
        """Write the file with ``key_id`` as the key that seals from now on, and return it."""
        return self._rewritten(key_id, self.keys)

    def _rewritten(self, active: str, keys: Mapping[str, bytes]) -> Self:
        changed = replace(self, active=active, keys=keys)
        try:
            write_durably(self.path, changed.content())
        except OSError as problem:
            raise StoreUnfit(
                f"the key file {self.path} could not be written: {problem.strerror}"
            ) from problem
        return changed

    def content(self) -> bytes:
        """Return the text of the file, JSON."""
        content = {
            "format": _FORMAT,
            "active": self.active,
            "keys": {key_id: base64.b64encode(key).decode() for key_id, key in self.keys.items()},
            "signing": base64.b64encode(self.signing).decode(),
        }
        return (json.dumps(content, indent=1) + "\n").encode()


class Keyring:
    """Seals and opens. Safe to use from several threads."""

    __slots__ = ("_ciphers", "_marking", "file")

    def __init__(self, file: KeyFile) -> None:
        """Use the keys of ``file``."""
        self._use(file)

    def _use(self, file: KeyFile) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in file.keys.items()}
        derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"sent-lines")
        self._marking = derived.derive(file.keys[file.active])
        self.file = file

    @property
    def active(self) -> str:
        """The id of the key that seals."""
        return self.file.active

    def seal(self, plain: bytes, place: Place, *, key_id: str = "") -> bytes:
        """Return ``plain`` sealed for ``place`` with the active key (or ``key_id``)."""
        key_id = key_id or self.file.active
        head = header(key_id)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + self._ciphers[key_id].encrypt(nonce, plain, _bound(head, place))

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed for ``place``.

        A key id that is not known makes the key file be read once more: another process may have rotated the key.
        Raises Sealed, naming the key id, for a wrong key, another place or changed bytes.
        """
        key_id = key_id_of(sealed)
        if key_id not in self._ciphers:
            self.reload()
        if key_id not in self._ciphers:
            raise Sealed(
                f"{place.table}.{place.column} is sealed with key {key_id}, which the key file lacks"
            )
        head = header(key_id)
        nonce, rest = sealed[len(head) : len(head) + _NONCE_BYTES], sealed[len(head) + _NONCE_BYTES :]
        try:
            return self._ciphers[key_id].decrypt(nonce, rest, _bound(head, place))
        except (InvalidTag, ValueError):
            raise Sealed(
                f"{place.table}.{place.column} of row {place.row} does not open with key {key_id}: "
                "another key of that id, or changed bytes"
            ) from None

    def reload(self) -> None:
        """Read the key file again."""
        self._use(KeyFile.read(self.file.path))

    def mark(self, digest: str) -> bytes:
        """Return what stands for a line of ``digest`` (hexadecimal) in the ledger: nobody without the key can guess it.

        The key is derived from the active one (RFC 5869): after a rotation old marks match nothing any more.
        """
        return blake2b(bytes.fromhex(digest), key=self._marking, digest_size=MARK_BYTES).digest()

    def sign(self, text: bytes) -> str:
        """Return an Ed25519 signature of ``text``, base64."""
        return base64.b64encode(Ed25519PrivateKey.from_private_bytes(self.file.signing).sign(text)).decode()

    @property
    def public_key(self) -> str:
        """The raw Ed25519 key that checks `sign`, base64."""
        public = Ed25519PrivateKey.from_private_bytes(self.file.signing).public_key()
        return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def is_signed(text: bytes, signature: str, public_key: str) -> bool:
    """Return whether ``signature`` is that of ``text`` under ``public_key``. Never raises."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def header(key_id: str) -> bytes:
    """Return the octets with which every value begins that ``key_id`` sealed."""
    return _MAGIC + bytes([len(key_id)]) + key_id.encode("ascii")


def key_id_of(sealed: bytes) -> str:
    """Return the key id a sealed value names. Raises Sealed when it is no sealed value."""
    start = len(_MAGIC) + 1
    name = sealed[start : start + sealed[len(_MAGIC)]] if len(sealed) > start else b""
    if not sealed.startswith(_MAGIC) or not name.isascii() or not name:
        raise Sealed("a value that should be sealed is not: the row was changed")
    return name.decode("ascii")


def write_durably(path: Path, content: bytes, *, fresh: bool = False) -> None:
    """Write a small file so that after a crash it is whole, old or new, with mode 0600.

    ``fresh`` raises FileExistsError instead of replacing. The folder is synced too, or the name may not last.
    """
    passing = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            os.link(passing, path)
        else:
            passing.replace(path)
        sync_folder(path.parent)
    finally:
        passing.unlink(missing_ok=True)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep other processes of this host that ask for the same from running the block meanwhile."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bound(head: bytes, place: Place) -> bytes:
    """Return the additional data: every part with its length, so that no two places read alike."""
    parts = (head, place.table.encode(), place.column.encode(), place.row.encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _new_key_id() -> str:
    return f"key-{secrets.token_hex(4)}"


def _is_key_id(text: str) -> bool:
    return text.isascii() and 0 < len(text) < 64


def _parsed(text: bytes) -> tuple[str, dict[str, bytes], bytes]:
    """Return active key id, keys and signing seed; ValueError and its like for anything but a whole key file."""
    content = json.loads(text)
    keys = {str(key_id): _key(value) for key_id, value in content["keys"].items()}
    active = str(content["active"])
    if content["format"] != _FORMAT or active not in keys or not all(map(_is_key_id, keys)):
        raise ValueError("unknown format, no active key, or a key id that is none")
    return active, keys, _key(content["signing"])


def _key(text: object) -> bytes:
    """Return the 32 octets of a key; ValueError when it is anything else."""
    key = base64.b64decode(str(text), validate=True)
    if len(key) != _KEY_BYTES:
        raise ValueError("a key has 32 octets")
    return key
