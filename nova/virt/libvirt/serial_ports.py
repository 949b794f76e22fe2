"""The ports on which guests' serial consoles listen, one for each guest that runs.

A guest keeps its port while it runs or is saved, and the definitions of those guests are what a
new process learns the ports from.  A stopped guest has none: it gets one when it starts.
Source: consoles, section 6.
"""

import contextlib
import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterator

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

    in_use: returns the ports of all guests of the host that run or are saved.
    """

    def __init__(self, listen: str, ports: range, in_use: Callable[[], set[int]]) -> None:
        self.listen = listen
        self._ports = ports
        self._in_use = in_use
        self._lock = threading.Lock()
        self._reserved: set[int] = set()

    @contextlib.contextmanager
    def reserved(self) -> Iterator[int]:
        """Give the first free port, to nobody else until its guest is started.

        Raises: SocketPortRangeExhausted, DriverError.
        """
        port = self._reserve()
        try:
            yield port
        finally:
            with self._lock:
                self._reserved.discard(port)

    def _reserve(self) -> int:
        with self._lock:
            taken = self._in_use() | self._reserved
            for port in self._ports:
                if port not in taken and self._is_usable(port):
                    self._reserved.add(port)
                    return port
        raise exception.SocketPortRangeExhausted(host=self.listen)

    def _is_usable(self, port: int) -> bool:
        """Tell whether a guest could listen there now.  Raises: DriverError."""
        family = socket.AF_INET6 if ":" in self.listen else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.listen, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
                operation = f"let serial consoles listen on {self.listen}"
                raise exception.DriverError(
                    operation=operation, reason=f"{error.strerror}."
                ) from None
            return True
