"""Files that several processes, maybe of several hosts, share: written whole, or locked."""

import contextlib
import fcntl
import os
import pathlib
import tempfile
from collections.abc import Iterator

from nova import clock, concurrency
from nova.exception import AuthorityBusy

PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700
_PATIENCE_S = 30.0
_PAUSE_S = 0.05


def make_private_folder(path: pathlib.Path) -> None:
    """Make a folder, and those above it, that nobody else may enter; it may be there."""
    for folder in reversed((path, *path.parents)):
        folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)


def write(path: pathlib.Path, content: bytes) -> None:
    """Replace a file in one step: after a crash there is the old one or the new one."""
    make_private_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), PRIVATE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[None]:
    """Hold the lock that a file is, against other processes and within this one.

    It is asked for again and again: to wait in the kernel would stop all green threads.
    Raises: AuthorityBusy.
    """
    make_private_folder(path.parent)
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE), "rb") as file:
        _lock(file.fileno())
        yield


def _lock(descriptor: int) -> None:
    deadline = clock.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock.monotonic() > deadline:
                raise AuthorityBusy() from None
            concurrency.sleep(_PAUSE_S)
        else:
            return


def _sync_folder(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
