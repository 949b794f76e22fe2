"""Files of guests that the hypervisor's daemons made, readable by root alone."""

import os
import re
import stat

from oslo_config import cfg

from nova.opts import SERVICE_OPTS
from nova.privileged import opts
from nova.privileged.context import compute_pctxt

CONSOLE_LOG = "console.log"
MAX_TAIL_BYTES = 1024 * 1024

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GENERATIONS = (CONSOLE_LOG, f"{CONSOLE_LOG}.0")


@compute_pctxt.entrypoint
def read_console_tail(instance_uuid: str, max_bytes: int) -> bytes | None:
    """Return the end of a guest's console log, None if there is none.

    The log lies below the configured instances path; links are not followed.
    The generation before the last rotation is read too, when the newest is short.
    Raises: ValueError, OSError.
    """
    cfg.CONF.register_opts([*SERVICE_OPTS, *opts.COMPUTE_OPTS])
    return tail_of_console(cfg.CONF.instances_path, instance_uuid, max_bytes)


def tail_of_console(instances_path: str, instance_uuid: str, max_bytes: int) -> bytes | None:
    """Return the end of a guest's console log with the rights of the caller.

    Raises: ValueError, OSError.
    """
    if not _UUID.fullmatch(instance_uuid):
        raise ValueError("malformed instance uuid")
    if not 0 < max_bytes <= MAX_TAIL_BYTES:
        raise ValueError("size out of range")
    path = os.path.join(instances_path, instance_uuid)
    try:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        text: bytes | None = None
        for name in _GENERATIONS:
            part = _tail(directory, name, max_bytes - len(text or b""))
            if part is not None:
                text = part + (text or b"")
            if len(text or b"") >= max_bytes:
                break
        return text
    finally:
        os.close(directory)


def _tail(directory: int, name: str, max_bytes: int) -> bytes | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=directory)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ValueError("not a plain file")
        file.seek(max(0, status.st_size - max_bytes))
        return file.read(max_bytes)
