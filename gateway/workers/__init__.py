"""Processes that read and judge mail, so that a hostile message costs one of them and not the relay.

Owns their life: start, limits of memory and processor time, the wait for a free one, warm spares, replacement.
Knows nothing of SMTP, store or policy. Two pools (DECISIONS 21): *extract* meets hostile bytes, *language* holds
the rules and spaCy. Both talk MessagePack over a socket pair: a worker that was taken over by a message must not
be able to run code in the relay, which pickle would allow (docs/decisions/0002).

Whose fault a failure is decides what the sender hears (DECISIONS 7). Processor time, memory and a crash are the
message's: `UninspectableMessage`, and it is held. No free worker, or a worker that was given no processor time, is
the machine's: `NoWorker`, 451. Waiting for a worker never counts as the message's time.

Inside: `messages` (what is said over the line), `pool` (the relay's side), `desk` (the worker's side, one request after another).
"""

from gateway.workers.messages import (
    Drafted,
    DraftRequest,
    Explained,
    ExplainRequest,
    ExtractRequest,
    LaidOut,
    LayoutRequest,
    Loaded,
    LoadRequest,
    Looked,
    LookRequest,
)
from gateway.workers.pool import Crew, Pool, Workers

__all__ = [
    "Crew",
    "DraftRequest",
    "Drafted",
    "ExplainRequest",
    "Explained",
    "ExtractRequest",
    "LaidOut",
    "LayoutRequest",
    "LoadRequest",
    "Loaded",
    "LookRequest",
    "Looked",
    "Pool",
    "Workers",
]
