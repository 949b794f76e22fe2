"""Which files the disk tools may touch, and how a path is made safe for a command line."""

import os
import re
import stat

from nova import exception

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# What may follow a server's uuid: disks put aside by a resize, a directory that is being
# made, one that is being removed.
ASIDE = "_resize"
UNFINISHED = "_new"
DOOMED = "_old"
_SUFFIXES = (ASIDE, UNFINISHED, DOOMED)
_DIRECTORY = re.compile(rf"(?P<uuid>{_UUID.pattern})(?:{'|'.join(_SUFFIXES)})?")


class Area:
    """A directory tree that belongs to the service; nothing outside is ever named."""

    def __init__(self, root: str) -> None:
        self.root = root

    def existing(self, path: str) -> str:
        """Return path if it is a regular file of the area, and no link.

        Raises: UnsafePath.
        """
        self._require_place(path)
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            raise exception.UnsafePath(what="a disk", reason="it does not exist.") from None
        if not stat.S_ISREG(mode):
            raise exception.UnsafePath(what="a disk", reason="it is not a plain file.")
        return path

    def new(self, path: str) -> str:
        """Return path if a file can be made there; nothing may be in its place.

        Raises: UnsafePath.
        """
        self._require_place(path)
        if os.path.lexists(path):
            raise exception.UnsafePath(what="a new disk", reason="something is in its place.")
        return path

    def _require_place(self, path: str) -> None:
        """Check that the directory really lies in the area, links followed.

        An absolute path is never taken for a protocol or an option by the tools.
        """
        if not os.path.isabs(path) or os.path.normpath(path) != path or _CONTROL.search(path):
            raise exception.UnsafePath(what="a disk", reason="its path is not plain.")
        parent = os.path.realpath(os.path.dirname(path))
        root = os.path.realpath(self.root)
        if parent != root and not parent.startswith(root.rstrip("/") + "/"):
            raise exception.UnsafePath(what="a disk", reason="it lies outside the instances path.")


def instance_directory(root: str, instance_uuid: str) -> str:
    """Return where the files of a server are.

    Raises: UnsafePath.
    """
    if not _UUID.fullmatch(instance_uuid):
        raise exception.UnsafePath(what="a server's directory", reason="its uuid is malformed.")
    return os.path.join(root, instance_uuid)


def all_directories(root: str, instance_uuid: str) -> list[str]:
    """Return every place where files of a server may be, its own directory last.

    Raises: UnsafePath.
    """
    own = instance_directory(root, instance_uuid)
    return [*(own + suffix for suffix in _SUFFIXES), own]


def owner_of(name: str) -> str | None:
    """Return the uuid of the server to which a directory of this name belongs."""
    found = _DIRECTORY.fullmatch(name)
    return found["uuid"] if found else None


def ensure_directory(path: str, mode: int) -> None:
    """Make a directory with exactly this mode, whatever the umask; an existing one stays.

    Raises: UnsafePath when a link is in its place.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        os.mkdir(path, mode=mode)
    except FileExistsError:
        if os.path.islink(path):
            reason = "it is a link."
            raise exception.UnsafePath(what="a directory", reason=reason) from None
    else:
        set_mode(path, mode)


def set_mode(path: str, mode: int) -> None:
    """Set the mode of a file, never of what a link points to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
