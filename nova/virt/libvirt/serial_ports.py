"""The ports on which guests' serial consoles listen, one for each guest of the host.

A guest keeps its port while it is defined: the definitions are what a new process learns them
from.  Source: consoles, section 6.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Mapping

from nova import exception

LOG = logging.getLogger(__name__)

DEFAULT_RANGE = range(10000, 20000)
_FIRST, _LAST = 1024, 65536


def port_range(text: str) -> range:
    """Return the ports of "start:stop", stop excluded; the default for anything else."""
    start, colon, stop = text.partition(":")
    with contextlib.suppress(ValueError):
        found = range(int(start), int(stop))
        if colon and found and found.start >= _FIRST and found.stop <= _LAST:
            return found
    default = f"{DEFAULT_RANGE.start}:{DEFAULT_RANGE.stop}"
    LOG.warning("[serial_console] port_range %s is no start:stop; %s is used", text, default)
    return DEFAULT_RANGE


class SerialPorts:
    """Gives out ports of one address.

    defined: returns the ports of all guests that the host has, by instance uuid, None for a
    guest without one.
    """

    def __init__(
        self, listen: str, ports: range, defined: Callable[[], Mapping[str, int | None]]
    ) -> None:
        self.listen = listen
        self._ports = ports
        self._defined = defined
        self._lock = threading.Lock()
        self._taken: dict[str, int] = {}

    def take(self, instance_uuid: str) -> int:
        """Return the port that a guest has, or the first free one.

        Raises: SocketPortRangeExhausted.
        """
        with self._lock:
            defined = self._defined()
            known = {uuid: port for uuid, port in defined.items() if port is not None}
            own = known.get(instance_uuid) or self._taken.get(instance_uuid)
            if own is None or not self._is_usable(own):
                own = self._free({**self._taken, **known}) or self._free(known)
            if own is None:
                raise exception.SocketPortRangeExhausted(host=self.listen)
            # Those that are defined by now stand in their definitions.
            self._taken = {
                uuid: port for uuid, port in self._taken.items() if uuid not in defined
            } | {instance_uuid: own}
            return own

    def _free(self, taken: Mapping[str, int]) -> int | None:
        used = set(taken.values())
        return next(
            (port for port in self._ports if port not in used and self._is_usable(port)), None
        )

    def _is_usable(self, port: int) -> bool:
        """Tell whether a guest could listen there now."""
        family = socket.AF_INET6 if ":" in self.listen else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.listen, port))
            except OSError:
                return False
            return True
