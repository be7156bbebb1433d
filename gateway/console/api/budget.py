"""How often somebody may call: a token bucket for each caller, in the memory of this process.

Knows no clock and no request. Of callers that were not heard of for longest the buckets are forgotten: a forgotten
bucket is a full one, so that costs nobody anything.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

_MOST_CALLERS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime


class Budget:
    """Buckets of ``size`` calls that fill again by ``per_minute``."""

    def __init__(self, per_minute: int, size: int) -> None:
        """Every caller begins with a full bucket."""
        self._per_s = per_minute / 60
        self._size = float(size)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, caller: str, now: datetime) -> float:
        """Return how long ``caller`` must wait before one more call is within the budget, 0 when it is now."""
        bucket = self._buckets.get(caller)
        return 0.0 if bucket is None else max(0.0, (1 - self._filled(bucket, now)) / self._per_s)

    def spend(self, caller: str, now: datetime) -> None:
        """Count a call; the caller has asked `wait_s` before."""
        bucket = self._buckets.pop(caller, None)
        left = self._size if bucket is None else self._filled(bucket, now)
        self._buckets[caller] = _Bucket(left=max(0.0, left - 1), at=now)
        while len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)

    def _filled(self, bucket: _Bucket, now: datetime) -> float:
        return min(self._size, bucket.left + max(0.0, (now - bucket.at).total_seconds()) * self._per_s)
