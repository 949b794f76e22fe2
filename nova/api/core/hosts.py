"""States of compute hosts, remembered for a short time."""

import threading

from nova import clock
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.context import get_admin_context
from nova.objects.service import Service

MAX_AGE_S = 10.0
COMPUTE_BINARY = "nova-compute"


class HostStates:
    """What state the compute service of each host is in; shown to administrators.

    Answers may be MAX_AGE_S old.  One lock guards the memory; the call for a fresh list is
    made outside of it, so that a slow conductor delays only who asks first.
    """

    def __init__(self, hosts: ConductorHosts) -> None:
        self._hosts = hosts
        self._lock = threading.Lock()
        self._states: dict[str, str] = {}
        self._expires = float("-inf")

    def of(self, host: str | None) -> str:
        """Return UP, DOWN, MAINTENANCE or UNKNOWN, and "" without a host."""
        if not host:
            return ""
        return self._current().get(host, "UNKNOWN")

    def _current(self) -> dict[str, str]:
        with self._lock:
            if clock.monotonic() < self._expires:
                return self._states
        services = self._hosts.list_services(get_admin_context(), binary=COMPUTE_BINARY)
        states = {service.host: _state(service) for service in services}
        with self._lock:
            self._states = states
            self._expires = clock.monotonic() + MAX_AGE_S
        return states


def _state(service: Service) -> str:
    if service.disabled:
        return "MAINTENANCE"
    return "UP" if service.is_up and not service.forced_down else "DOWN"
