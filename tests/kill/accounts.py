"""The reckoning: every message answered 250 is at the smarthost or held, none twice but where SMTP cannot tell."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_process import GatewayProcess
from load import COUNSEL, HELD_CONTACT, Kind, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy that the smarthost took: the SHA-256 of the message without the gateway's line, and for whom."""

    sha256: str
    recipient: str


@dataclass(slots=True, kw_only=True)
class Reckoning:
    """What was found. ``lost`` and ``wrong`` must be empty; ``twice`` names the kill that explains each duplicate."""

    answered: Counter[Kind]
    holds: int
    flags: int
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    twice: Counter[str] = field(default_factory=Counter)


def copies(maildir: Path) -> Counter[Copy]:
    """Return what the smarthost made durable, copy by copy."""
    found: Counter[Copy] = Counter()
    for envelope in maildir.glob("[!.]*.json"):
        received, _, message = envelope.with_suffix(".eml").read_bytes().partition(b"\r\n")
        assert received.startswith(b"Received: from "), received
        digest = hashlib.sha256(message).hexdigest()
        for recipient in json.loads(envelope.read_text())["recipients"]:
            found[Copy(sha256=digest, recipient=recipient)] += 1
    return found


def reckon(
    messages: Iterable[Message], maildir: Path, gateway: GatewayProcess, kills: list[str]
) -> Reckoning:
    """Account for every message by the SHA-256 of its bytes. ``kills[epoch]`` is where that life was ended."""
    sent = copies(maildir)
    holds = _by_hash(gateway.lines("holds", "list", "--state", "all", "--limit", "1000000"))
    flags = _by_hash(gateway.lines("flags", "list", "--state", "all", "--limit", "1000000"))
    found = Reckoning(
        answered=Counter(), holds=sum(map(len, holds.values())), flags=sum(map(len, flags.values()))
    )
    for message in messages:
        _one(found, message, sent, holds, flags, kills)
    known = {message.sha256 for message in messages}
    found.wrong += [f"held, but never sent: {digest}" for digest in holds if digest not in known]
    found.wrong += [
        f"at the smarthost, but never sent: {copy.sha256}" for copy in sent if copy.sha256 not in known
    ]
    return found


def _one(
    found: Reckoning,
    message: Message,
    sent: Counter[Copy],
    holds: dict[str, list[dict[str, Any]]],
    flags: dict[str, list[dict[str, Any]]],
    kills: list[str],
) -> None:
    digest = message.sha256
    if not message.accepted:
        found.wrong.append(f"never answered 250: {digest} {message.answers}")
        return
    found.answered[message.kind] += 1
    held, flagged = holds.get(digest, []), flags.get(digest, [])
    listed = {Kind.HOLD: (1, 0), Kind.MIXED: (1, 0), Kind.FLAG: (0, 1)}.get(message.kind, (0, 0))
    if (len(held), len(flagged)) != listed:
        bad = found.lost if (len(held), len(flagged)) < listed else found.wrong
        bad.append(
            f"{len(held)} holds and {len(flagged)} flags of {message.kind}: {digest} {message.answers}"
        )
    if held and (held[0]["recipients"] != [HELD_CONTACT] or held[0]["id"] != message.accepted):
        found.wrong.append(f"hold {held[0]['id']} was answered as {message.accepted}: {digest}")
    if sent[Copy(sha256=digest, recipient=HELD_CONTACT)]:
        found.wrong.append(f"an advance reached the contact: {digest}")
    for recipient in {Kind.HOLD: (), Kind.MIXED: (COUNSEL,)}.get(message.kind, message.recipients):
        number = sent[Copy(sha256=digest, recipient=recipient)]
        if number == 0:
            found.lost.append(f"answered 250 and not at the smarthost: {digest} {message.answers}")
        elif number - 1 > len(message.lost_in):
            found.wrong.append(f"{number} copies, {len(message.lost_in)} answers lost: {digest}")
        elif number > 1:
            found.twice[kills[message.lost_in[0]]] += number - 1


def _by_hash(lines: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["sha256"], []).append(line)
    return found
