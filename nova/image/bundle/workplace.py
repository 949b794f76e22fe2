"""Folders in which bundles are worked on: nobody else's, and gone afterwards in all cases."""

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator

LOG = logging.getLogger(__name__)

PREFIX = "nova-bundle-"
# Between the making of a folder and its lock.
_NEW_S = 60.0


@contextlib.contextmanager
def private_folder(parent: str) -> Iterator[str]:
    """Give a folder of mode 0700 that is removed in the end.

    It is locked as long as this process lives, so that others know whose end came before that.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent) as folder, _opened(folder) as own:
        fcntl.flock(own, fcntl.LOCK_EX)
        yield folder


def remove_abandoned(parent: str) -> None:
    """Remove what processes of this user that ended by force have left.  Raises: OSError."""
    with os.scandir(parent) as entries:
        left = [entry.path for entry in entries if _is_old_and_own(entry)]
    for path in left:
        with contextlib.suppress(FileNotFoundError), _opened(path) as folder:
            if _is_abandoned(folder):
                shutil.rmtree(path)
                LOG.info("Removed %s, which a process that ended has left", path)


def _is_old_and_own(entry: "os.DirEntry[str]") -> bool:
    if not entry.name.startswith(PREFIX) or not entry.is_dir(follow_symlinks=False):
        return False
    found = entry.stat(follow_symlinks=False)
    return found.st_uid == os.geteuid() and found.st_mtime < time.time() - _NEW_S


def _is_abandoned(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
