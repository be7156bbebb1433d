"""What the gateway counts about itself, and the text in which Prometheus reads it.

Numbers and names of our own alone: no address, no subject, no id of a message, no text of a smarthost. Counted since the
process began and forgotten with it; what must be known afterwards is in the store. Whoever counts does not know who
asks (`cli.health`, `console.metrics`).
"""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import accumulate

from gateway.model import Reply

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper ends of the stretches of time that are told apart: ordinary mail takes some 60 ms, a worker is waited for 60 s."""


class Outcome(StrEnum):
    """What became of a message after its final dot; ``unread``: it was to nobody registered (P4)."""

    UNREAD = "unread"
    PASS = "pass"  # noqa: S105 - a verdict
    FLAG = "flag"
    HOLD = "hold"
    REPEAT = "repeat"
    NOT_TAKEN = "not_taken"
    """It was answered 4xx for a reason of ours before there was a verdict."""


class Stage(StrEnum):
    """What is timed: the stages of a message to a contact, and every message from its dot to our answer."""

    READ = "read"
    JUDGE = "judge"
    RECORD = "record"
    RELAY = "relay"
    WHOLE = "whole"


class Vitals:
    """The counts of one process."""

    def __init__(self) -> None:
        self.messages: Counter[Outcome] = Counter()
        self.replies: Counter[tuple[str, str]] = Counter()
        """By command and class of our answer: ("rcpt", "5xx")."""
        self._took = {stage: [0] * (len(BOUNDS_S) + 1) for stage in Stage}
        """How often a stage ended in each of the stretches of time; the last one has no end."""
        self._seconds: dict[Stage, float] = dict.fromkeys(Stage, 0.0)

    def answered(self, command: str, reply: Reply) -> Reply:
        """Count our answer to ``command``, and return it."""
        self.replies[command, f"{reply.code // 100}xx"] += 1
        return reply

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Count how long the block takes, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - began
            self._seconds[stage] += took
            self._took[stage][bisect_left(BOUNDS_S, took)] += 1

    def lines(self) -> Iterable[str]:
        """Yield the counts in Prometheus' text format."""
        messages = [(f'{{outcome="{one}"}}', self.messages[one]) for one in Outcome]
        yield from family("gateway_messages_total", "counter", "Messages after their final dot.", messages)
        replies = [
            (f'{{command="{command}",class="{kind}"}}', times)
            for (command, kind), times in sorted(self.replies.items())
        ]
        yield from family(
            "gateway_replies_total", "counter", "Our answers to MAIL, RCPT and the dot.", replies
        )
        says = "Time that the stages of a message take."
        yield from family("gateway_stage_seconds", "histogram", says, self._histogram())

    def _histogram(self) -> Iterator[tuple[str, float]]:
        for stage in Stage:
            *within, count = accumulate(self._took[stage])
            for bound, times in zip(BOUNDS_S, within, strict=True):
                yield f'_bucket{{stage="{stage}",le="{bound:g}"}}', times
            yield f'_bucket{{stage="{stage}",le="+Inf"}}', count
            yield f'_sum{{stage="{stage}"}}', self._seconds[stage]
            yield f'_count{{stage="{stage}"}}', count


def family(name: str, kind: str, says: str, values: Iterable[tuple[str, float]]) -> Iterable[str]:
    """Yield one metric in Prometheus' text format: what it is, and a line for each of its values."""
    yield f"# HELP {name} {says}\n# TYPE {name} {kind}\n"
    for labels, value in values:
        yield f"{name}{labels} {value:.15g}\n"
