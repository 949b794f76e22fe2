"""How often one guest may ask."""

import threading
from collections import OrderedDict
from collections.abc import Callable

_BURST_S = 4
_MAX_GUESTS = 10_000


class RateLimiter:
    """Token buckets by guest; the least recently seen guests are forgotten first."""

    def __init__(self, per_second: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allow(self, guest: str) -> bool:
        """Take one request from a guest's bucket; False when it is empty."""
        if not self._per_second:
            return True
        now = self._monotonic()
        burst = float(self._per_second * _BURST_S)
        with self._lock:
            level, seen = self._buckets.pop(guest, (burst, now))
            level = min(burst, level + (now - seen) * self._per_second)
            allowed = level >= 1
            self._buckets[guest] = (level - 1 if allowed else level, now)
            if len(self._buckets) > _MAX_GUESTS:
                self._buckets.popitem(last=False)
        return allowed
