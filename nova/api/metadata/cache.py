"""What is remembered about guests between their requests."""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable

from nova.metadata.openstack import Extras
from nova.objects.guest_metadata import GuestMetadata

_MAX_ENTRIES = 10_000
_UNKNOWN_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A guest as it was when it was last looked up; guest None: there is none."""

    guest: GuestMetadata | None
    extras: Extras | None = None
    expires: float = 0.0


class GuestCache:
    """Guests by the address (or uuid) under which they ask.

    An entry dies with its time, when its guest posts something, and when the conductor says
    that its address has been given back.
    """

    def __init__(self, expiration_s: int, monotonic: Callable[[], float]) -> None:
        self._expiration_s = expiration_s
        self._monotonic = monotonic
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._generation = 0

    @property
    def generation(self) -> int:
        """Number of times something was forgotten; to be read before a look-up begins."""
        return self._generation

    def find(self, key: str) -> Entry | None:
        """Return a live entry."""
        with self._lock:
            entry = self._entries.get(key)
        return entry if entry is not None and entry.expires > self._monotonic() else None

    def store(self, key: str, entry: Entry, generation: int) -> None:
        """Remember an entry, unless something was forgotten since its look-up began."""
        lifetime = self._expiration_s if entry.guest else min(_UNKNOWN_S, self._expiration_s)
        dated = dataclasses.replace(entry, expires=self._monotonic() + lifetime)
        with self._lock:
            if generation != self._generation:
                return
            self._entries.pop(key, None)
            self._entries[key] = dated
            if len(self._entries) > _MAX_ENTRIES:
                self._entries.popitem(last=False)

    def forget(self, keys: tuple[str, ...]) -> None:
        """Drop entries, and whatever is being looked up at this moment."""
        with self._lock:
            self._generation += 1
            for key in keys:
                self._entries.pop(key, None)
