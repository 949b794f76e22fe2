"""Hears from daemons that they are ready, as systemd would (NOTIFY_SOCKET)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

from standup.errors import StandupError


class ReadySocket:
    """An abstract socket; one daemon at a time is waited for."""

    def __init__(self) -> None:
        self._name = f"nova-bench-{os.getpid()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self._name}")
        self._socket.settimeout(0.2)

    @property
    def environment(self) -> dict[str, str]:
        """What a daemon needs to know to tell."""
        return {"NOTIFY_SOCKET": f"@{self._name}"}

    def wait(self, what: str, timeout_s: float, runs: Callable[[], bool]) -> None:
        """Wait for the next READY.  Raises: StandupError when the daemon ends or is late."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                message = self._socket.recv(4096)
            except TimeoutError:
                if not runs():
                    raise StandupError(f"{what} ended before it was ready") from None
                continue
            if b"READY=1" in message:
                return
        raise StandupError(f"{what} is not ready after {timeout_s:.0f} s")

    def close(self) -> None:
        """Give up the socket."""
        self._socket.close()
