"""How much a project, or an address, may ask for in a minute.

Every request costs units; what changes something costs more, and what makes servers most.
Buckets are those of one process: with several workers each has its own.
"""

import collections
import dataclasses
import math
import re
import threading
from collections.abc import Callable, Iterable

from nova import clock
from nova.api.openstack.dispatch import fault_response
from nova.api.openstack.environment import CONTEXT_KEY, Environ, StartResponse, WsgiApp
from nova.exception import TooManyRequests

MAX_BUCKETS = 10000
MINUTE_S = 60.0

# (method, path behind project and version, units); the first that fits counts.
_COSTS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("POST", re.compile(r"/(?:servers|os-volumes_boot)/?\Z"), 10),
    ("POST", re.compile(r"/(?:servers|os-volumes_boot)/[^/]+/action/?\Z"), 5),
    ("GET", re.compile(r"/detail/?\Z"), 2),
    ("GET", re.compile(""), 1),
    ("", re.compile(""), 3),
)


def cost_of(method: str, path: str) -> int:
    """Return the units that a request costs."""
    return next(
        units for name, pattern, units in _COSTS if name in ("", method) and pattern.search(path)
    )


def cost_of_request(environ: Environ) -> int:
    """Return the units that a request of the Compute API costs."""
    return cost_of(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))


@dataclasses.dataclass(slots=True)
class _Bucket:
    units: float
    filled_at: float


class Buckets:
    """One bucket for each key: full at first, refilled evenly over a minute.

    The keys that were used last are kept, up to MAX_BUCKETS; one lock guards them.
    """

    def __init__(self, units_per_minute: int) -> None:
        self._size = float(units_per_minute)
        self._guard = threading.Lock()
        self._buckets: collections.OrderedDict[str, _Bucket] = collections.OrderedDict()

    def take(self, key: str, units: int) -> float:
        """Take units out; return 0, or after how many seconds they would be there."""
        if not self._size:
            return 0.0
        now = clock.monotonic()
        with self._guard:
            bucket = self._buckets.pop(key, None) or _Bucket(self._size, now)
            rate = self._size / MINUTE_S
            bucket.units = min(self._size, bucket.units + (now - bucket.filled_at) * rate)
            bucket.filled_at = now
            missing = min(units, self._size) - bucket.units
            if missing <= 0:
                bucket.units -= units
            self._buckets[key] = bucket
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        return max(0.0, missing / rate)


class SourceLimit:
    """Limits each address, whoever it says it is; before tokens are looked at."""

    def __init__(self, app: WsgiApp, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        wait_s = self._buckets.take(environ.get("REMOTE_ADDR", ""), 1)
        if wait_s:
            return _refuse(wait_s)(environ, start_response)
        return self._app(environ, start_response)


class ProjectLimit:
    """Limits each project, by what its requests cost."""

    def __init__(
        self, app: WsgiApp, buckets: Buckets, cost: Callable[[Environ], int] = cost_of_request
    ) -> None:
        self._app = app
        self._buckets = buckets
        self._cost = cost

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        project_id = environ[CONTEXT_KEY].project_id or ""
        wait_s = self._buckets.take(project_id, self._cost(environ))
        if wait_s:
            return _refuse(wait_s)(environ, start_response)
        return self._app(environ, start_response)


def _refuse(wait_s: float) -> WsgiApp:
    error = TooManyRequests(retry_after_s=math.ceil(wait_s))
    return fault_response(error)
