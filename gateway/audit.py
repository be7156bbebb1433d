"""The audit log: an append-only hash chain of everything that was held, seen, decided, delivered or changed.

Owns what an entry is, how it is hashed, and what a verification finds. An entry holds ids and a salted commitment;
its payload lies beside the chain and may be erased without breaking it. `append` takes part in the caller's
transaction: what is recorded and what happened become durable together. `check` is pure and needs no gateway.
Stands above `store`, which keeps the rows; knows nothing of mail.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain as numbers
from itertools import islice
from typing import Self

from gateway.errors import Refused
from gateway.model import Event
from gateway.store import ChainRow, Tx, chain
from gateway.store.instants import instant_text
from gateway.store.sealing import is_signed

Value = str | int | bool | None | Sequence[str]
"""What a payload may hold: ids, words and numbers; never text of a message."""

GENESIS = "0" * 64
_SALT_OCTETS = 32
_MAX_REORDER = 400
"""Broken entries among which reordering is looked for; with more, the chain is past such detail."""

UNDETECTED = (
    "Entries cut off at the end together with the tip row, and a chain written anew from some entry on, "
    "are found only against a head kept elsewhere: give --head SEQ:HASH."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A place in the chain: the number of an entry and its hash. Kept elsewhere, it pins all entries up to it."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the head written as ``SEQ:HASH``; ValueError for anything else."""
        number, colon, digest = text.strip().partition(":")
        if not (colon and number.isascii() and number.isdigit() and len(number) < 19):
            raise ValueError("a head is written SEQ:HASH, as `gateway audit checkpoint` prints it")
        digest = digest.lower()
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError("the hash of a head has 64 hexadecimal digits")
        return cls(seq=int(number), hash=digest)

    def __str__(self) -> str:
        """Return ``SEQ:HASH``."""
        return f"{self.seq}:{self.hash}"


# --- appending ----------------------------------------------------------------------------------------------


def append(
    tx: Tx,
    event: Event,
    *,
    actor: str,
    subject: str,
    payload: Mapping[str, Value] | None = None,
    at: datetime,
) -> None:
    """Append an entry to the chain when ``tx`` commits; if it does not commit, there is no entry.

    ``actor`` is an account or a part of the gateway, ``subject`` the id of what it was done to. The number is given
    at the commit, when the lock of the chain's end is held. Raises ValueError for a payload that is not plain.
    """
    text = canonical(payload or {})
    salt = secrets.token_bytes(_SALT_OCTETS)
    _append(tx, event, actor, subject, at, salt, lambda _: text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed head, for keeping elsewhere."""

    head: Head
    store_id: str
    signature: str
    public_key: str

    @property
    def is_genuine(self) -> bool:
        """Whether the signature is that of the key it names. Needs neither store nor gateway."""
        return is_signed(_signed_text(self.store_id, self.head), self.signature, self.public_key)


@dataclass(slots=True)
class Written:
    """A checkpoint being written: ``value`` is there once the transaction is committed."""

    _value: Checkpoint | None = None

    @property
    def value(self) -> Checkpoint:
        """The checkpoint. Raises LookupError before the commit."""
        if self._value is None:
            raise LookupError("the checkpoint is not committed")
        return self._value


def checkpoint(tx: Tx, *, store_id: str, actor: str, at: datetime) -> Written:
    """Append an entry that signs where the chain ends before it, and return where it will be found."""
    written = Written()

    def text_of(head: Head) -> str:
        signature = tx.keys.sign(_signed_text(store_id, head))
        made = Checkpoint(head=head, store_id=store_id, signature=signature, public_key=tx.keys.public_key)
        tx.after_commit(lambda: setattr(written, "_value", made))
        return canonical(
            {
                "seq": head.seq,
                "hash": head.hash,
                "store": store_id,
                "signature": signature,
                "key": made.public_key,
            }
        )

    _append(tx, Event.CHECKPOINT_WRITTEN, actor, "audit", at, secrets.token_bytes(_SALT_OCTETS), text_of)
    return written


def erase(tx: Tx, seq: int, *, actor: str, reason: str, at: datetime) -> None:
    """Erase the payload of entry ``seq`` and record that. The entry stays and the chain verifies.

    Raises Refused when there is no such payload.
    """
    if not chain.erase(tx, seq):
        raise Refused(f"entry {seq} has no payload")
    append(
        tx,
        Event.PAYLOAD_ERASED,
        actor=actor,
        subject=f"audit:{seq}",
        payload={"seq": seq, "reason": reason},
        at=at,
    )


def _append(
    tx: Tx, event: Event, actor: str, subject: str, at: datetime, salt: bytes, text_of: Callable[[Head], str]
) -> None:
    when = instant_text(at)

    def link(seq: int, prev: str) -> ChainRow:
        text = text_of(Head(seq=seq - 1, hash=prev))
        row = ChainRow(
            seq=seq,
            at=when,
            event=event.value,
            actor=actor,
            subject=subject,
            commitment=commitment(salt, text),
            prev=prev,
            hash="",
            salt=salt,
            payload=text,
        )
        return replace(row, hash=entry_hash(row))

    chain.append(tx, link)


def canonical(payload: Mapping[str, Value]) -> str:
    """Return the one JSON text of a payload: keys sorted, no blanks, ASCII. Raises ValueError if it is not plain."""
    plain = {
        name: list(value) if isinstance(value, tuple | list) else value for name, value in payload.items()
    }
    try:
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except TypeError as problem:
        raise ValueError(
            f"an audit payload holds text, numbers and lists of text only: {problem}"
        ) from problem


def commitment(salt: bytes, payload: str) -> str:
    """Return the commitment to a payload. The salt keeps a short payload from being guessed once it is erased."""
    return _hash("gateway/audit/payload/1", salt, payload.encode())


def entry_hash(row: ChainRow) -> str:
    """Return the hash of an entry: SHA-256 of a domain and every field, each with its length before it."""
    fields = (str(row.seq), row.at, row.event, row.actor, row.subject, row.commitment, row.prev)
    return _hash("gateway/audit/entry/1", *(text.encode("utf-8", "surrogatepass") for text in fields))


def _hash(domain: str, *parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in (domain.encode(), *parts):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _signed_text(store_id: str, head: Head) -> bytes:
    return f"gateway/audit/checkpoint/1\n{store_id}\n{head}".encode()


# --- reading ------------------------------------------------------------------------------------------------


def head(tx: Tx) -> Head:
    """Return where the chain ends."""
    seq, last = chain.tip(tx)
    return Head(seq=seq, hash=last)


def entries(tx: Tx, *, after: int = 0, limit: int = 1000) -> tuple[ChainRow, ...]:
    """Return up to ``limit`` entries behind number ``after``, in order."""
    return tuple(islice(chain.rows(tx, after=after), limit))


def entries_about_rules(tx: Tx, *, limit: int) -> tuple[ChainRow, ...]:
    """Return the last entries of rules loaded, refused and promoted, at most ``limit``, in order.

    These have an index; for any other event the whole chain would have to be read.
    """
    return chain.rows_about_rules(tx, limit=limit)


# --- verifying ----------------------------------------------------------------------------------------------


class Fault(StrEnum):
    """What can be wrong with the chain."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    CUT_OFF = "cut-off"
    ADDED = "added"
    REWRITTEN = "rewritten"
    PAYLOAD_EDITED = "payload-edited"
    PAYLOAD_MISSING = "payload-missing"
    PAYLOAD_ADDED = "payload-added"
    CHECKPOINT_FALSE = "checkpoint-false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong: what, and with which entries (``last`` is the same as ``first`` for one)."""

    fault: Fault
    first: int
    last: int
    detail: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        entries = f"entry {self.first}" if self.first == self.last else f"entries {self.first} to {self.last}"
        return f"{entries}: {self.fault}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found. ``erased`` are payloads erased on record, ``undetected`` what it could not see."""

    entries: int
    head: Head
    problems: tuple[Problem, ...]
    erased: tuple[int, ...]
    checkpoints: int
    undetected: str

    @property
    def is_whole(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


def verify(tx: Tx, kept: Head | None = None) -> Report:
    """Return what is wrong with the chain of the store, read in one moment of it.

    ``kept`` is a head noted earlier and kept elsewhere; without it `UNDETECTED` holds.
    """
    return check(
        chain.rows(tx), tip=head(tx), strays=chain.strays(tx), kept=kept, public_key=tx.keys.public_key
    )


def check(
    rows: Iterable[ChainRow],
    *,
    tip: Head,
    strays: Iterable[int] = (),
    kept: Head | None = None,
    public_key: str = "",
) -> Report:
    """Return what is wrong with ``rows``, which come in the order of their numbers. Pure; never raises.

    An entry is genuine when its own hash is right and the next entry (after the last one, the tip) names that hash.
    Where two neighbours contradict each other, the one that its other neighbour vouches for is believed.
    """
    walk = _Walk(tip=tip, kept=kept, public_key=public_key)
    before: ChainRow | None = None
    for row in rows:
        if before is not None:
            walk.visit(before, row)
        elif row.seq > 1:
            walk.missing(1, row.seq - 1)
        walk.look_at_payload(row)
        before = row
    walk.finish(before)
    for seq in strays:
        walk.add(Fault.PAYLOAD_ADDED, seq, seq, "there is a payload of an entry that is not there")
    return walk.report()


@dataclass(slots=True)
class _Walk:
    """The state of one verification."""

    tip: Head
    kept: Head | None
    public_key: str
    problems: list[Problem] = field(default_factory=list)
    broken: list[ChainRow] = field(default_factory=list)
    gaps: list[range] = field(default_factory=list)
    without_payload: set[int] = field(default_factory=set)
    erasures: set[int] = field(default_factory=set)
    entries: int = 0
    checkpoints: int = 0
    last: Head = field(default_factory=lambda: Head(seq=0, hash=GENESIS))
    kept_seen: str = ""

    def add(self, fault: Fault, first: int, last: int, detail: str) -> None:
        self.problems.append(Problem(fault=fault, first=first, last=last, detail=detail))

    def missing(self, first: int, last: int) -> None:
        self.gaps.append(range(first, last + 1))
        self.add(Fault.DELETED, first, last, "the numbers are not there")

    def visit(self, row: ChainRow, following: ChainRow) -> None:
        """Judge ``row`` by itself and by the one that follows."""
        adjacent = following.seq == row.seq + 1
        if not adjacent:
            self.missing(row.seq + 1, following.seq - 1)
        speaks = adjacent and entry_hash(following) == following.hash
        self._judge(row, named=following.prev if speaks else row.hash)

    def finish(self, row: ChainRow | None) -> None:
        """Judge the last entry by the tip, and the chain by the head kept elsewhere."""
        if row is not None:
            self._judge(row, named=self.tip.hash if self.tip.seq == row.seq else row.hash)
        if self.tip.seq > self.last.seq:
            self.add(Fault.CUT_OFF, self.last.seq + 1, self.tip.seq, "the end of the chain was cut off")
        elif self.tip.seq < self.last.seq:
            self.add(
                Fault.ADDED, self.tip.seq + 1, self.last.seq, "the tip of the chain is before these entries"
            )
        elif row is None and self.tip.hash != GENESIS:
            self.add(Fault.EDITED, 0, 0, "the tip of an empty chain was changed")
        if self.kept is None:
            return
        if self.kept.seq > max(self.last.seq, self.tip.seq):
            first = max(self.last.seq, self.tip.seq) + 1
            self.add(Fault.CUT_OFF, first, self.kept.seq, "the head given is behind the end of the chain")
        elif self.kept.seq == 0 and self.kept.hash != GENESIS:
            self.add(Fault.REWRITTEN, 0, 0, "the head given for the empty chain is not its hash")
        elif self.kept_seen and self.kept_seen != self.kept.hash:
            self.add(
                Fault.REWRITTEN,
                1,
                self.kept.seq,
                "the chain up to here is not the one the head was taken from",
            )

    def look_at_payload(self, row: ChainRow) -> None:
        """Judge the payload of ``row``, and note what it says about other payloads."""
        if row.event == Event.PAYLOAD_ERASED and row.subject.startswith("audit:"):
            number = row.subject.removeprefix("audit:")
            self.erasures.add(int(number) if number.isascii() and number.isdigit() else 0)
        if row.payload is None or row.salt is None:
            self.without_payload.add(row.seq)
        elif commitment(row.salt, row.payload) != row.commitment:
            self.add(Fault.PAYLOAD_EDITED, row.seq, row.seq, "the payload is not the one committed to")
        elif row.event == Event.CHECKPOINT_WRITTEN:
            self.checkpoints += 1
            if not _is_true_checkpoint(row, self.public_key):
                self.add(
                    Fault.CHECKPOINT_FALSE, row.seq, row.seq, "the signature is not that of this store's key"
                )

    def report(self) -> Report:
        """Return what was found, in the order of the chain."""
        self._tell_broken()
        for seq in sorted(self.without_payload - self.erasures):
            self.add(Fault.PAYLOAD_MISSING, seq, seq, "the payload was erased without an entry that says so")
        return Report(
            entries=self.entries,
            head=self.last,
            problems=tuple(sorted(self.problems, key=lambda one: (one.first, one.last, one.fault))),
            erased=tuple(sorted(self.without_payload & self.erasures)),
            checkpoints=self.checkpoints,
            undetected="" if self.kept is not None else UNDETECTED,
        )

    def _judge(self, row: ChainRow, *, named: str) -> None:
        self.entries += 1
        self.last = Head(seq=row.seq, hash=row.hash)
        if self.kept is not None and row.seq == self.kept.seq:
            self.kept_seen = row.hash
        begins_wrong = row.seq == 1 and row.prev != GENESIS
        if named != row.hash or entry_hash(row) != row.hash or begins_wrong:
            self.broken.append(row)

    def _tell_broken(self) -> None:
        """Say of each broken entry whether it stands in another's place or was edited."""
        free = tuple(islice(numbers.from_iterable(self.gaps), _MAX_REORDER))
        moved = dict(_moved(self.broken, free)) if len(self.broken) <= _MAX_REORDER else {}
        for row in self.broken:
            if row.seq in moved:
                detail = f"it was written as entry {moved[row.seq]}"
                self.add(Fault.REORDERED, row.seq, row.seq, detail)
            else:
                self.add(Fault.EDITED, row.seq, row.seq, "its content is not what was hashed")


def _moved(broken: Sequence[ChainRow], free: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield, of entries that stand in another's place, where each stands and where it was written.

    An entry may have moved with its hash to the place of another broken one or from a number that is missing
    (``free``), or its content may have moved under the hashes.
    """
    for row in broken:
        carried = (seq for seq in (*(other.seq for other in broken), *free) if seq != row.seq)
        place = next((seq for seq in carried if entry_hash(replace(row, seq=seq)) == row.hash), None)
        under = (other for other in broken if other.seq != row.seq)
        if place is None:
            place = next(
                (
                    one.seq
                    for one in under
                    if entry_hash(replace(row, seq=one.seq, prev=one.prev)) == one.hash
                ),
                None,
            )
        if place is not None:
            yield row.seq, place


def _is_true_checkpoint(row: ChainRow, public_key: str) -> bool:
    """Return whether a checkpoint signs the very entry before it, with this store's key."""
    try:
        said = json.loads(row.payload or "")
        said_head = Head(seq=int(said["seq"]), hash=str(said["hash"]))
        store_id, signature, key = str(said["store"]), str(said["signature"]), str(said["key"])
    except (ValueError, KeyError, TypeError):
        return False
    right_place = said_head == Head(seq=row.seq - 1, hash=row.prev)
    right_key = not public_key or key == public_key
    return right_place and right_key and is_signed(_signed_text(store_id, said_head), signature, key)
