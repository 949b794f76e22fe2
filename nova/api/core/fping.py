"""Asks the program fping which addresses answer."""

import logging
import os
import subprocess
from collections.abc import Sequence

from nova.exception import FpingUnavailable

LOG = logging.getLogger(__name__)

TIMEOUT_S = 30
_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_ALIVE = "is alive"


def alive(path: str, addresses: Sequence[str]) -> set[str]:
    """Return the addresses that answer.  Raises: FpingUnavailable."""
    if not os.access(path, os.X_OK):
        raise FpingUnavailable(path=path)
    if not addresses:
        return set()
    # The time is kept by a program: with eventlet, Python's own limit raises a class of its own.
    command = ["timeout", str(TIMEOUT_S), path, *addresses]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=_ENVIRONMENT, cwd=os.sep
    )
    LOG.debug("fping ended with %s", done.returncode)
    lines = (line.strip() for line in done.stdout.splitlines())
    return {line.removesuffix(_ALIVE).strip() for line in lines if line.endswith(_ALIVE)}
