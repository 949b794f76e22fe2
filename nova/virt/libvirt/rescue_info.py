"""What a rescued server is started with, kept beside its disks.

As long as the note is there the server is a rescued one: its definition is made from the
note, whatever else happened.  Like the list of disks it is the only word on formats, and the
names of files in it are fixed (IMG-15).
"""

import contextlib
import dataclasses
import json
import os

from nova import exception

FILE_NAME = "disk.info.rescue"
DISK = "disk.rescue"
CONFIG_DRIVE = "disk.config.rescue"
KERNEL = "kernel.rescue"
RAMDISK = "ramdisk.rescue"

_FILES = (FILE_NAME, DISK, CONFIG_DRIVE, KERNEL, RAMDISK)
_UNFINISHED_SUFFIXES = (".part", ".new")
_FORMATS = frozenset({"qcow2", "raw"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RescueInfo:
    """How a server is rescued.

    properties: of the image that it is rescued with.  base: name of the rescue disk's base
    image.  stable: the rescue disk comes last, and is started from, so that all others keep
    their places; bus and cdrom are of that disk.  has_*: which other files there are.
    """

    disk_format: str
    base: str
    image_ref: str
    properties: dict[str, str]
    stable: bool = False
    bus: str | None = None
    cdrom: bool = False
    has_config_drive: bool = False
    has_kernel: bool = False
    has_ramdisk: bool = False


def save(directory: str, info: RescueInfo) -> None:
    """Write the note, whole or not at all; from now on the server is a rescued one."""
    path = os.path.join(directory, FILE_NAME)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(info), indent=1) + "\n")
    os.rename(path + ".new", path)


def find(directory: str) -> RescueInfo | None:
    """Return the note, None of a server that is not rescued.  Raises: DriverError."""
    try:
        with open(os.path.join(directory, FILE_NAME), encoding="utf-8") as file:
            info = RescueInfo(**json.load(file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        info = None
    if info is None or info.disk_format not in _FORMATS:
        reason = "the note of what it is rescued with is damaged."
        raise exception.DriverError(operation="find the disks of the server", reason=reason)
    return info


def has_files(directory: str) -> bool:
    """Tell whether anything of a rescue is there."""
    return any(os.path.lexists(path) for path in _all_paths(directory))


def forget(directory: str) -> None:
    """Remove the note; from now on the server is an ordinary one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(directory, FILE_NAME))


def remove_files(directory: str) -> None:
    """Remove everything of a rescue, the note first; nothing being there is fine."""
    for path in _all_paths(directory):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _all_paths(directory: str) -> list[str]:
    return [
        os.path.join(directory, name + suffix)
        for suffix in ("", *_UNFINISHED_SUFFIXES)
        for name in _FILES
    ]
