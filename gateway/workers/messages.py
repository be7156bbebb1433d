"""What is said between the relay, or the console, and a worker: requests and answers, as MessagePack.

Owns the shapes and how much processor time each request may take. Knows no process and no socket.
"""

import struct
from datetime import datetime
from typing import TypeVar

import msgspec

from gateway.errors import Mistake
from gateway.model import Anatomy, Authored, History, HouseStyle, Inspection, Limits, Parties
from gateway.rehearsal.drafting import Draft
from gateway.rehearsal.explanation import Explanation

LENGTH = struct.Struct("!I")
"""Stands before each request and each answer: how many octets it has."""
LOAD_FACTOR = 10
"""Compiling a rule set may take this many times the processor time of one message: it is our own, and done rarely."""
READY = b"+"
"""What a worker says once it is warm."""


class ExtractRequest(msgspec.Struct, tag="extract", frozen=True):
    """Read this message."""

    raw: bytes
    limits: Limits
    style: HouseStyle = HouseStyle()


class LookRequest(ExtractRequest, tag="look", frozen=True):
    """Read this message for somebody who looks at it."""


class LayoutRequest(msgspec.Struct, tag="layout", frozen=True):
    """Make the layout of this message safe to look at."""

    raw: bytes
    limits: Limits


class LoadRequest(msgspec.Struct, tag="load", frozen=True):
    """Compile this rule set and keep it; of those kept before, only the ones whose hashes are in ``beside`` stay."""

    bundle: str
    language: bool
    encoder_windows: int
    beside: tuple[str, ...] = ()


class JudgeRequest(msgspec.Struct, tag="judge", frozen=True):
    """Judge what was read by the rule set of this hash."""

    authored: Authored
    parties: Parties
    history: History
    at: datetime
    rules_hash: str


class ExplainRequest(JudgeRequest, tag="explain", frozen=True):
    """Take the verdict of that set on what was read apart. All of it may take the time of one message."""

    limits: Limits


class DraftRequest(msgspec.Struct, tag="draft", frozen=True):
    """Put this text of a rule into the set of that hash and say what is wrong with it, and what it makes of a message.

    The set with the rule in it is forgotten again.
    """

    rule: str
    rules_hash: str
    language: bool
    at: datetime
    sample: ExplainRequest | None = None


class Extracted(msgspec.Struct, tag="extracted", frozen=True):
    """The answer to `ExtractRequest`."""

    authored: Authored


class Looked(Extracted, tag="looked", frozen=True):
    """The answer to `LookRequest`."""

    anatomy: Anatomy


class LaidOut(msgspec.Struct, tag="laid-out", frozen=True):
    """The answer to `LayoutRequest`: safe HTML, empty where there is none."""

    html: str


class Loaded(msgspec.Struct, tag="loaded", frozen=True):
    """The answer to `LoadRequest`; ``mistakes`` is empty when the set is ready."""

    rules_hash: str
    model_hash: str
    mistakes: tuple[Mistake, ...]


class NotLoaded(msgspec.Struct, tag="not-loaded", frozen=True):
    """The request names a set that this worker was never told of. No message is to blame for that."""

    rules_hash: str


class Judged(msgspec.Struct, tag="judged", frozen=True):
    """The answer to `JudgeRequest`."""

    inspection: Inspection


class Explained(msgspec.Struct, tag="explained", frozen=True):
    """The answer to `ExplainRequest`."""

    explanation: Explanation


class Drafted(msgspec.Struct, tag="drafted", frozen=True):
    """The answer to `DraftRequest`."""

    draft: Draft


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """The worker could not do it. ``detail`` has no text of the message in it."""

    detail: str


Request = (
    ExtractRequest | LookRequest | LayoutRequest | LoadRequest | JudgeRequest | ExplainRequest | DraftRequest
)
Answer = Extracted | Looked | LaidOut | Loaded | NotLoaded | Judged | Explained | Drafted | Failed
AnswerT = TypeVar("AnswerT", Extracted, Looked, LaidOut, Loaded, Judged, Explained, Drafted)
encoder = msgspec.msgpack.Encoder()
requests = msgspec.msgpack.Decoder(Request)
answers = msgspec.msgpack.Decoder(Answer)


def allowed_cpu_s(request: Request, message_s: float) -> float:
    """Return the processor time that ``request`` may take, where one message may take ``message_s``."""
    return LOAD_FACTOR * message_s if isinstance(request, LoadRequest | DraftRequest) else message_s
