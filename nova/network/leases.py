"""Lease events on their way to the conductor: the newest per address, none lost."""

import logging
from collections.abc import Callable

from nova.concurrency import Lock
from nova.exception import NovaException, Unavailable

LOG = logging.getLogger(__name__)

Send = Callable[[str, str, bool], None]


class LeaseBook:
    """Gathers lease events while earlier ones are being sent.

    One thread sends at a time, the others only note.  Events that could not be sent wait
    for the next flush; a newer event of the same address and MAC replaces an older one.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = Lock()
        self._sending = Lock()
        self._waiting: dict[tuple[str, str], bool] = {}

    def note(self, address: str, mac: str, leased: bool) -> None:
        """Keep an event for the next flush."""
        with self._lock:
            self._waiting.pop((address, mac), None)
            self._waiting[address, mac] = leased

    def flush(self) -> None:
        """Send what waits, oldest first, unless another thread is doing so.

        While the conductor can not be reached the rest waits; what it refuses is dropped.
        """
        while self._waiting and self._sending.acquire(blocking=False):
            try:
                if not self._send_waiting():
                    return
            finally:
                self._sending.release()

    def _send_waiting(self) -> bool:
        while True:
            with self._lock:
                event = next(iter(self._waiting.items()), None)
            if event is None:
                return True
            (address, mac), leased = event
            try:
                self._send(address, mac, leased)
            except Unavailable as error:
                LOG.warning("%s lease events wait: %s", len(self._waiting), error)
                return False
            except NovaException as error:
                LOG.error("The lease of %s could not be recorded: %s", address, error)
            self._forget_if_same((address, mac), leased)

    def _forget_if_same(self, key: tuple[str, str], leased: bool) -> None:
        with self._lock:
            if self._waiting.get(key) is leased:
                del self._waiting[key]
