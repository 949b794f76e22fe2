"""Passes bytes between the two ends of a session until one of them ends.

One thread per session: the ends do not block, so that TLS is never read and written at once,
and nothing is read from one end while the other has not taken what came before.
"""

import dataclasses
import selectors
from collections.abc import Callable

from nova import clock
from nova.console.ends import End

CLOSED = "closed"
IDLE = "idle"
EXPIRED = "expired"


@dataclasses.dataclass(slots=True)
class Traffic:
    """What a session has moved."""

    to_target: int = 0
    to_client: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a session may last.

    idle_s: without a byte from either end; 0: for ever.  ends_at: as clock.monotonic(), or None.
    keepalive_s: after so much silence keep_alive() is called, for the routers on the way.
    """

    idle_s: float = 0
    ends_at: float | None = None
    keepalive_s: float = 30
    keep_alive: Callable[[], None] | None = None


def relay(client: End, target: End, pace: Pace, traffic: Traffic) -> str:
    """Pass bytes on; return why it ended.  Raises: OSError; Invalid."""
    with selectors.DefaultSelector() as selector:
        return _Relay(client, target, pace, traffic, selector).run()


class _Relay:
    def __init__(
        self,
        client: End,
        target: End,
        pace: Pace,
        traffic: Traffic,
        selector: selectors.BaseSelector,
    ) -> None:
        self._client = client
        self._target = target
        self._pace = pace
        self._traffic = traffic
        self._selector = selector
        self._watched: dict[End, int] = {}
        self._ended: set[End] = set()
        self._last = clock.monotonic()
        self._kept_alive = self._last

    def run(self) -> str:
        """Relay until the end; return its reason."""
        if self._pass_on(self._client, self._target) or self._pass_on(self._target, self._client):
            return CLOSED
        while True:
            self._watch(self._client, self._target)
            self._watch(self._target, self._client)
            if not self._watched:
                return CLOSED
            events = self._selector.select(self._patience())
            for key, mask in events:
                if self._handle(key.data, mask):
                    return CLOSED
            if reason := self._overdue(bool(events)):
                return reason

    def _watch(self, end: End, other: End) -> None:
        """Wait for what can be done: read if the other end takes it, write what is left."""
        wanted = 0
        if end not in self._ended and not other.unsent:
            wanted |= selectors.EVENT_READ
        if end.unsent:
            wanted |= selectors.EVENT_WRITE
        before = self._watched.get(end, 0)
        if wanted == before:
            return
        if not wanted:
            self._selector.unregister(end)
            del self._watched[end]
            return
        change = self._selector.modify if before else self._selector.register
        change(end, wanted, end)
        self._watched[end] = wanted

    def _handle(self, end: End, mask: int) -> bool:
        if mask & selectors.EVENT_WRITE:
            end.flush()
        if mask & selectors.EVENT_READ:
            return self._pass_on(end, self._other(end))
        return False

    def _pass_on(self, end: End, other: End) -> bool:
        """Move what has come; tell whether the session is over."""
        data = end.read()
        if data is None:
            self._ended.add(end)
            if other in self._ended or not (end.half_closes and other.half_closes):
                return True
            other.finish()
            return False
        if data:
            self._last = clock.monotonic()
            other.write(data)
            if end is self._client:
                self._traffic.to_target += len(data)
            else:
                self._traffic.to_client += len(data)
        return end.fileno() < 0

    def _other(self, end: End) -> End:
        return self._target if end is self._client else self._client

    def _patience(self) -> float | None:
        moments = [] if self._pace.ends_at is None else [self._pace.ends_at]
        if self._pace.idle_s:
            moments.append(self._last + self._pace.idle_s)
        if self._pace.keep_alive is not None:
            moments.append(max(self._last, self._kept_alive) + self._pace.keepalive_s)
        return max(0.0, min(moments) - clock.monotonic()) if moments else None

    def _overdue(self, something_came: bool) -> str | None:
        now, pace = clock.monotonic(), self._pace
        if pace.ends_at is not None and now >= pace.ends_at:
            return EXPIRED
        if something_came:
            return None
        if pace.idle_s and now >= self._last + pace.idle_s:
            return IDLE
        silent_since = max(self._last, self._kept_alive)
        if pace.keep_alive is not None and now >= silent_since + pace.keepalive_s:
            self._kept_alive = now
            pace.keep_alive()
        return None
