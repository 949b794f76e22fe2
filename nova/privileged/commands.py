"""The one place where privileged functions run programs."""

import logging
import os
import subprocess
from collections.abc import Mapping, Sequence

LOG = logging.getLogger(__name__)

CommandOutcome = tuple[int, str, str]
"""Exit code, output and error output; for TIMED_OUT the last is the number of seconds."""

TIMED_OUT = -1000
NOT_FOUND = 127
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(
    arguments: Sequence[str],
    *,
    stdin: str = "",
    timeout_s: float = 30,
    environment: Mapping[str, str] | None = None,
) -> CommandOutcome:
    """Run a program to its end with a fixed environment, and log it.

    arguments: program first; no shell is involved.  Files that it makes are not writable
    for others.
    """
    LOG.debug("Running %s", list(arguments))
    try:
        done = subprocess.run(
            list(arguments),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env={"PATH": _PATH, "LC_ALL": "C", **(environment or {})},
            cwd=os.sep,
            umask=0o022,
            check=False,
        )
    except subprocess.TimeoutExpired:
        LOG.warning("%s was stopped after %s seconds", arguments[0], timeout_s)
        return TIMED_OUT, "", str(timeout_s)
    except FileNotFoundError:
        LOG.warning("%s is not installed", arguments[0])
        return NOT_FOUND, "", f"{arguments[0]}: not found"
    if done.returncode:
        LOG.debug("%s ended with %s: %s", arguments[0], done.returncode, done.stderr.strip())
    return done.returncode, done.stdout, done.stderr
