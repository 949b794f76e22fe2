"""Run programs that look at disks, with limits on time, memory and file size.

The limits are set by timeout and prlimit, so that nothing of ours runs between fork and
exec.  Python's own time-out is not used: with eventlet 0.41, subprocess.run raises a
TimeoutExpired that is not the class of that name in subprocess.
"""

import dataclasses
import logging
import signal
import subprocess
from collections.abc import Sequence

from nova import exception

LOG = logging.getLogger(__name__)

_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_GRACE_S = 5
_TIMED_OUT = (124, 128 + signal.SIGKILL)
_LOGGED_ERROR_CHARS = 1000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process may use.  file_bytes None: files may grow without limit."""

    address_space_bytes: int = 2 * 1024**3
    cpu_s: int = 30
    wall_s: int = 60
    file_bytes: int | None = None


def run(command: Sequence[str], limits: Limits) -> str:
    """Return the standard output of a program that ended well.

    Raises: CommandFailed, CommandTimeout (also when the CPU time was used up).
    """
    words = [
        "timeout",
        f"--kill-after={_GRACE_S}",
        str(limits.wall_s),
        "prlimit",
        f"--as={limits.address_space_bytes}",
        f"--cpu={limits.cpu_s}:{limits.cpu_s + _GRACE_S}",
        "--core=0",
    ]
    if limits.file_bytes is not None:
        words.append(f"--fsize={limits.file_bytes}")
    try:
        done = subprocess.run(
            [*words, "--", *command],
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        LOG.error("%s can not be started: %s", command[0], error)
        raise exception.CommandFailed(command=command[0], exit_code=-1) from None
    if done.returncode in _TIMED_OUT:
        raise exception.CommandTimeout(command=command[0], timeout_s=limits.wall_s)
    if done.returncode == -signal.SIGXCPU:
        raise exception.CommandTimeout(command=command[0], timeout_s=limits.cpu_s)
    if done.returncode:
        error_text = done.stderr.decode("utf-8", "replace")[-_LOGGED_ERROR_CHARS:]
        LOG.warning("%s ended with %d: %s", list(command), done.returncode, error_text)
        raise exception.CommandFailed(command=command[0], exit_code=done.returncode)
    return done.stdout.decode("utf-8", "replace")
