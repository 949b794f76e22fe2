"""Reads the same thing for many callers: in order, and no more often than is needed."""

from collections.abc import Callable

from nova.concurrency import Lock


class Readings:
    """Lets each caller have a reading that began after its call.

    Readings never overlap, so that an older one can not replace a newer one; callers that
    waited for the same turn share one reading.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._turn = Lock()
        self.asked = 0
        self._done = 0

    def fresh(self, read: Callable[[], None]) -> None:
        """Read, unless another caller has begun to since this one asked."""
        with self._guard:
            self.asked += 1
            mine = self.asked
        with self._turn:
            if self._done >= mine:
                return
            with self._guard:
                covered = self.asked
            read()
            self._done = covered
