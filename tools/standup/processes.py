"""Facts about running processes, from /proc.

A process number alone proves nothing: it may have been reused, and a zombie keeps answering signal
0 where the first process of the machine reaps nobody. A process is therefore known by its number
and its start time.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessId:
    """A process for good: number and start time in clock ticks since boot."""

    pid: int
    started: int


def identify(pid: int) -> ProcessId | None:
    """Return the identity of a living process, None for a dead one or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[1].split()
    if fields[0] in "ZX":
        return None
    return ProcessId(pid, int(fields[19]))


def alive(process: ProcessId) -> bool:
    """Tell whether exactly this process still runs."""
    return identify(process.pid) == process


def write_pid_file(path: Path, process: ProcessId) -> None:
    """Record a process; the file appears whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{process.pid} {process.started}\n")
    fresh.replace(path)


def read_pid_file(path: Path) -> ProcessId | None:
    """Return the recorded process if it still runs."""
    try:
        pid, started = path.read_text().split()
    except (OSError, ValueError):
        return None
    process = ProcessId(int(pid), int(started))
    return process if alive(process) else None


def end(process: ProcessId, timeout_s: float = 10.0, group: bool = True) -> None:
    """Stop a process (and its group): SIGTERM, then SIGKILL when the time is over."""
    send = os.killpg if group else os.kill
    for number, patience_s in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, 10.0)):
        if not alive(process):
            return
        with contextlib.suppress(ProcessLookupError):
            send(process.pid, number)
        deadline = time.monotonic() + patience_s
        while alive(process) and time.monotonic() < deadline:
            time.sleep(0.05)


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a file a name of a few bytes for a while: addresses of UNIX sockets end at 107 bytes."""
    directory = os.open(path.parent, os.O_PATH)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
