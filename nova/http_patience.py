"""Limits to how slowly a client may send a request, whatever server reads it.

Reads block in the thread of their request; one watcher cuts connections off by closing
their reading side, upon which the read ends as if the client had gone.
"""

import collections
import contextlib
import dataclasses
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

from nova import clock, concurrency

LOG = logging.getLogger(__name__)

ROUND_S = 0.5
GRACE_S = 2.0

IDLE, HEAD, BODY = "idle", "head", "body"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for each part of a request, and reads of one source that may be slow at once.

    slow_per_source counts reads that wait for longer than a moment; 0 stands for no limit.
    body_bytes_per_s: where bodies are large by nature, so many bytes of one earn a second for
    the rest of it, up to body_s at any time; 0 where body_s is for the whole of it.
    """

    idle_s: float = 900
    head_s: float = 30
    body_s: float = 60
    slow_per_source: int = 100
    body_bytes_per_s: int = 0

    def seconds(self, part: str) -> float:
        """Return the time for a part of a request."""
        return {IDLE: self.idle_s, HEAD: self.head_s, BODY: self.body_s}[part]


@dataclasses.dataclass(slots=True, kw_only=True)
class _Read:
    connection: socket.socket
    source: str
    since: float
    deadline: float


class Patience:
    """Knows every read that waits; cut() ends those that wait too long.

    A lock guards the reads; the watcher runs between start() and stop().
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._guard = threading.Lock()
        self._reads: dict[int, _Read] = {}
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to watch."""
        self._stopped.clear()
        concurrency.spawn(self._watch, name="http-patience")

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    @contextlib.contextmanager
    def waiting(
        self, connection: socket.socket, source: str, since: float, deadline: float
    ) -> Iterator[None]:
        """Watch a read while it lasts."""
        read = _Read(connection=connection, source=source, since=since, deadline=deadline)
        key = id(read)
        with self._guard:
            self._reads[key] = read
        try:
            yield
        finally:
            with self._guard:
                del self._reads[key]

    def cut(self) -> int:
        """End what waits too long, or is one too many of its source; return how many."""
        now = clock.monotonic()
        with self._guard:
            reads = sorted(self._reads.values(), key=lambda read: read.since)
        overdue = [read for read in reads if read.deadline <= now]
        ended = overdue + self._too_many([read for read in reads if read.deadline > now], now)
        for read in ended:
            with contextlib.suppress(OSError):
                read.connection.shutdown(socket.SHUT_RD)
        if ended:
            sources = collections.Counter(read.source for read in ended)
            LOG.info("Cut off slow connections: %s", dict(sources.most_common(5)))
        return len(ended)

    def _too_many(self, reads: list[_Read], now: float) -> list[_Read]:
        """Return the oldest slow reads of each source beyond its limit."""
        if not self.limits.slow_per_source:
            return []
        slow: dict[str, list[_Read]] = {}
        for read in reads:
            if now - read.since > GRACE_S:
                slow.setdefault(read.source, []).append(read)
        return [
            read
            for found in slow.values()
            for read in found[: max(0, len(found) - self.limits.slow_per_source)]
        ]

    def _watch(self) -> None:
        while not self._stopped.wait(ROUND_S):
            self.cut()


class PatientFile:
    """The reading side of a connection; each read is watched, by the part it belongs to."""

    def __init__(
        self, inner: Any, connection: socket.socket, source: str, patience: Patience
    ) -> None:
        self._inner = inner
        self._connection = connection
        self._source = source
        self._patience = patience
        self.begin(IDLE)

    def begin(self, part: str) -> None:
        """Let a part of a request begin now."""
        self._earns = self._patience.limits.body_bytes_per_s if part == BODY else 0
        self._since = clock.monotonic()
        self._deadline = self._since + self._patience.limits.seconds(part)

    def read(self, *args: Any) -> bytes:
        """Read as a file does."""
        with self._watched():
            found: bytes = self._inner.read(*args)
        if self._earns:
            self._since = clock.monotonic()
            earned = self._deadline + len(found) / self._earns
            self._deadline = min(earned, self._since + self._patience.limits.body_s)
        return found

    def readline(self, *args: Any) -> bytes:
        """Read a line as a file does."""
        with self._watched():
            found: bytes = self._inner.readline(*args)
        return found

    def peek(self, *args: Any) -> bytes:
        """Wait for bytes without taking them."""
        with self._watched():
            found: bytes = self._inner.peek(*args)
        return found

    def _watched(self) -> contextlib.AbstractContextManager[None]:
        return self._patience.waiting(self._connection, self._source, self._since, self._deadline)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line
