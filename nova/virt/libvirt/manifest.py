"""The list of a server's disks, kept beside them.

It is written when the disks are made and is the only word on their format ever after:
a guest can write anything into its disks, so they are never asked (IMG-07).
"""

import dataclasses
import json
import os
from typing import NoReturn

from nova import exception

FILE_NAME = "disk.info"

_FORMATS = frozenset({"qcow2", "raw"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiskEntry:
    """One disk: a file beside the manifest, in guest order.

    base: name of the base image that it is laid over or was copied from.
    """

    name: str
    disk_format: str
    size_bytes: int = 0
    cdrom: bool = False
    base: str | None = None


def save(directory: str, entries: tuple[DiskEntry, ...]) -> None:
    """Write the manifest, whole or not at all."""
    path = os.path.join(directory, FILE_NAME)
    document = json.dumps([dataclasses.asdict(entry) for entry in entries], indent=1)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(document + "\n")
    os.rename(path + ".new", path)


def load(directory: str) -> tuple[DiskEntry, ...]:
    """Return what is in the manifest.  Raises: DriverError."""
    try:
        with open(os.path.join(directory, FILE_NAME), encoding="utf-8") as file:
            entries = tuple(DiskEntry(**item) for item in json.load(file))
    except (OSError, ValueError, TypeError):
        _unreadable()
    for entry in entries:
        if os.path.basename(entry.name) != entry.name or entry.disk_format not in _FORMATS:
            _unreadable()
    return entries


def find(directory: str) -> tuple[DiskEntry, ...]:
    """Return what is in the manifest, nothing where there is none."""
    try:
        return load(directory)
    except exception.DriverError:
        return ()


def _unreadable() -> NoReturn:
    reason = "the list of its disks is missing or damaged."
    raise exception.DriverError(operation="find the disks of the server", reason=reason)
