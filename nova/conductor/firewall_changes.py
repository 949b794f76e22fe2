"""Tells compute hosts that what they must let through has changed."""

import logging
import threading
from collections.abc import Iterable

from nova import clock
from nova.compute.rpcapi import ComputeAPI
from nova.context import get_admin_context
from nova.exception import NovaException
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

WINDOW_S = 0.5


class FirewallChanges:
    """Collects the hosts that changes concern, so that many changes are one message to each.

    The first change of a host is told at once, all further ones of the window together
    after it, by flush().  Shared by all threads; _lock guards _told (when a host was told,
    by host) and _waiting.  Both hold hosts, not changes, and those of the last window only.
    Without a window each change is told at once, and nothing is left when a process ends.
    """

    def __init__(self, bus: Bus, window_s: float = WINDOW_S) -> None:
        self._bus = bus
        self._window_s = window_s
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}
        self._waiting: set[str] = set()

    def tell(self, hosts: Iterable[str]) -> None:
        """Let hosts know, now or at the end of their window."""
        with self._lock:
            self._waiting.update(hosts)
        self.flush()

    def flush(self) -> None:
        """Let the hosts know whose window is over."""
        now = clock.monotonic()
        with self._lock:
            self._told = {
                host: moment for host, moment in self._told.items() if now - moment < self._window_s
            }
            due = sorted(self._waiting - self._told.keys())
            self._waiting.difference_update(due)
            self._told.update(dict.fromkeys(due, now))
        for host in due:
            self._cast(host)

    def end(self) -> None:
        """Let all hosts know that still wait, before the process ends."""
        with self._lock:
            due, self._waiting = sorted(self._waiting), set()
        for host in due:
            self._cast(host)

    def _cast(self, host: str) -> None:
        """Send one request; a host that misses it reads everything at its next heal."""
        try:
            self._bus.client(ComputeAPI).on(host).refresh_firewall(get_admin_context())
        except NovaException as error:
            LOG.warning("Host %s was not told of changes of its firewall: %s", host, error)
