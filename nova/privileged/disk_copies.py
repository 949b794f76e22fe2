"""Copies of disks that the hypervisor wrote while their guests ran."""

import os
import re
import stat

from oslo_config import cfg

from nova.opts import SERVICE_OPTS
from nova.privileged import opts
from nova.privileged.context import compute_pctxt

DISK_COPY = "disk.copy"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@compute_pctxt.entrypoint
def take_copy(instance_uuid: str) -> None:
    """Give the copy of a guest's disk to the owner of the guest's directory.

    Only the file of that one name below the configured instances path.
    Raises: ValueError, OSError.
    """
    cfg.CONF.register_opts([*SERVICE_OPTS, *opts.COMPUTE_OPTS])
    give_copy(cfg.CONF.instances_path, instance_uuid)


def give_copy(instances_path: str, instance_uuid: str) -> None:
    """Give the copy to the owner of its directory, with the rights of the caller.

    Links are not followed.  Raises: ValueError, OSError.
    """
    if not _UUID.fullmatch(instance_uuid):
        raise ValueError("malformed instance uuid")
    directory = os.open(os.path.join(instances_path, instance_uuid), _DIRECTORY_FLAGS)
    try:
        owner = os.fstat(directory)
        with os.fdopen(os.open(DISK_COPY, _FILE_FLAGS, dir_fd=directory), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
                raise ValueError("not a plain file")
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    finally:
        os.close(directory)
