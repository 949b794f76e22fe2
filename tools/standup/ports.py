"""TCP ports of the machine's loopback."""

import contextlib
import socket
from pathlib import Path

from standup.errors import StandupError
from standup.manager import ProcessManager, wait_until

LOOPBACK = "127.0.0.1"


def is_free(port: int, address: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on a port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def choose(preferred: int, taken: set[int]) -> int:
    """Return the preferred port or the next free one that is not in taken; add it to taken."""
    candidates: list[int] = [preferred, *range(preferred + 10_000, preferred + 10_400)]
    for port in candidates:
        if port not in taken and is_free(port):
            taken.add(port)
            return port
    raise StandupError(
        f"port {preferred} is in use, and so are the 400 ports from {preferred + 10_000}"
    )


def answers(port: int, address: str = LOOPBACK) -> bool:
    """Tell whether something accepts connections on a port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(2.0)
        return probe.connect_ex((address, port)) == 0


def claim(port: int, manager: ProcessManager, program: str) -> None:
    """Check that a port is free for a program, or the program runs and has it.

    Raises: StandupError if somebody else has it.
    """
    if any(state.name == program and state.pid for state in manager.states()):
        return
    if not is_free(port):
        raise StandupError(
            f"port {port}, which {program} needs, is in use; ss -ltnp sport = :{port} shows by whom"
        )


def wait_for(port: int, timeout_s: float, what: str, log: Path | None = None) -> None:
    """Wait until something accepts connections on a port of the loopback."""
    wait_until(lambda: answers(port), timeout_s, f"{what} does not answer on port {port}", log)
