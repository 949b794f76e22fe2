"""Press the power button of the guests when the host goes down; until then, wait."""

import signal
import time

from standup import run

PATIENCE_S = 8.0
POLL_S = 0.25


def main(arguments: list[str]) -> int:
    """Wait for the signal to end, then for the guests' end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})
    deadline = time.monotonic() + PATIENCE_S
    for name in _running():
        run.succeeds(["virsh", "--quiet", "shutdown", name])
    while _running() and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return 0


def _running() -> list[str]:
    return run.output(["virsh", "--quiet", "list", "--name"]).split()
