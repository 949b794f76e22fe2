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
_DISKS = "disk"
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


@compute_pctxt.entrypoint
def take_back(instance_uuid: str) -> None:
    """Give the disks of a guest that is off to the owner of their directory.

    Only plain files below the configured instances path; links are not followed.
    Raises: ValueError, OSError.
    """
    cfg.CONF.register_opts([*SERVICE_OPTS, *opts.COMPUTE_OPTS])
    give_to_owner_of_directory(cfg.CONF.instances_path, instance_uuid)


def give_to_owner_of_directory(instances_path: str, instance_uuid: str) -> None:
    """Give the disks in a guest's directory to the directory's owner, as the caller.

    Raises: ValueError, OSError.
    """
    directory = _open_directory(instances_path, instance_uuid)
    try:
        owner = os.fstat(directory)
        for name in os.listdir(directory):
            if name.startswith(_DISKS):
                _give(directory, name, owner)
    finally:
        os.close(directory)


def _give(directory: int, name: str, owner: os.stat_result) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=directory)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ValueError("not a plain file")
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    finally:
        os.close(descriptor)


def _open_directory(instances_path: str, instance_uuid: str) -> int:
    if not _UUID.fullmatch(instance_uuid):
        raise ValueError("malformed instance uuid")
    path = os.path.join(instances_path, instance_uuid)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def tail_of_console(instances_path: str, instance_uuid: str, max_bytes: int) -> bytes | None:
    """Return the end of a guest's console log with the rights of the caller.

    Raises: ValueError, OSError.
    """
    if not 0 < max_bytes <= MAX_TAIL_BYTES:
        raise ValueError("size out of range")
    try:
        directory = _open_directory(instances_path, instance_uuid)
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
