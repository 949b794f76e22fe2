"""Who guesses at signatures has to wait: the lockout filter.

An access key is locked out as it is used from one address, so that nobody else's wrong
signatures keep its owner out: the id of an access key is no secret.  What is counted is
counted by one process, of a bounded number of keys: with several workers each has its own.
Source: ec2-api, section 2.5.
"""

import collections
import dataclasses
import hashlib
import logging
import threading

from nova import clock, exception

LOG = logging.getLogger(__name__)

MAX_KEYS = 10000
_MINUTE_S = 60


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LockoutSettings:
    """How many refusals within how long lock an access key out, and for how long."""

    attempts: int = 5
    window_minutes: int = 15
    minutes: int = 15


@dataclasses.dataclass(slots=True)
class _Refusals:
    """Refusals of a key; they are forgotten at a time, which is the end of a lockout too."""

    forgotten_at: float
    count: int = 0


class Lockout:
    """Counts refused signatures; one lock guards the counts.  settings None: it is off."""

    def __init__(self, settings: LockoutSettings | None) -> None:
        self._settings = settings
        self._guard = threading.Lock()
        self._refusals: collections.OrderedDict[str, _Refusals] = collections.OrderedDict()

    def check(self, access: str, address: str) -> None:
        """Refuse a key that is locked out at an address.  Raises: Ec2LockedOut."""
        if self._settings is None:
            return
        with self._guard:
            found = self._refusals.get(_key(access, address))
            if found is None or found.count < self._settings.attempts:
                return
            if clock.monotonic() < found.forgotten_at:
                raise exception.Ec2LockedOut()

    def note_refusal(self, access: str, address: str) -> None:
        """Count a signature that was refused; the last of too many begins a lockout."""
        if self._settings is None:
            return
        now, key = clock.monotonic(), _key(access, address)
        with self._guard:
            found = self._refusals.pop(key, None)
            if found is None or found.forgotten_at <= now:
                found = _Refusals(now + self._settings.window_minutes * _MINUTE_S)
            found.count += 1
            if found.count == self._settings.attempts:
                found.forgotten_at = now + self._settings.minutes * _MINUTE_S
                LOG.warning("Access key %.64r is locked out at %s", access, address)
            self._refusals[key] = found
            if len(self._refusals) > MAX_KEYS:
                self._refusals.popitem(last=False)


def _key(access: str, address: str) -> str:
    """Return what takes the same room for every access key, however long."""
    return hashlib.sha256(f"{address}\n{access}".encode()).hexdigest()
