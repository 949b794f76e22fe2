"""How many connections and sessions there may be at once, and for whom."""

import collections
import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator, Sequence

from nova import concurrency
from nova.exception import Busy
from nova.objects.console import ConsoleTarget


class TooManySessions(Busy):
    """what: of whom there are too many."""

    message = "There are too many {what}."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Greatest numbers at once; 0 for no limit.

    Connections are what was accepted, whatever becomes of it; sessions are those that reached a
    console.
    """

    connections: int = 2000
    per_source: int = 200
    sessions: int = 1000
    per_instance: int = 20
    per_token: int = 10


class Limits:
    """Counts; one lock guards them, and what is at zero is forgotten."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._lock = concurrency.Lock()
        self._counts: collections.Counter[tuple[str, str]] = collections.Counter()

    @contextlib.contextmanager
    def connection(self, source: str) -> Iterator[None]:
        """Count a connection while it is open.  Raises: TooManySessions."""
        caps = self._caps
        with self._counted(
            [
                ("connections", "", caps.connections),
                ("connections of one address", source, caps.per_source),
            ]
        ):
            yield

    @contextlib.contextmanager
    def session(self, target: ConsoleTarget, token: str) -> Iterator[None]:
        """Count a session while it lasts.  Raises: TooManySessions."""
        caps = self._caps
        key = hashlib.sha256(token.encode()).hexdigest()
        with self._counted(
            [
                ("sessions", "", caps.sessions),
                ("sessions of one server", target.instance_uuid, caps.per_instance),
                ("sessions of one link", key, caps.per_token),
            ]
        ):
            yield

    @contextlib.contextmanager
    def _counted(self, wanted: Sequence[tuple[str, str, int]]) -> Iterator[None]:
        keys = [(what, whose) for what, whose, _ in wanted]
        with self._lock:
            for what, whose, cap in wanted:
                if cap and self._counts.get((what, whose), 0) >= cap:
                    raise TooManySessions(what=what)
            self._counts.update(keys)
        try:
            yield
        finally:
            with self._lock:
                self._counts.subtract(keys)
                for key in keys:
                    if not self._counts[key]:
                        del self._counts[key]

    @property
    def counted(self) -> int:
        """Return how many numbers are kept."""
        return len(self._counts)
