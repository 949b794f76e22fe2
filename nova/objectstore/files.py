"""Files that are whole and durable, or not there: written beside, synced, then renamed.

Links are never followed, and nobody but the service may read or list anything.
"""

import contextlib
import errno
import fcntl
import io
import json
import os
import pathlib
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from nova import concurrency
from nova.exception import Internal

PIECE_BYTES = 1024 * 1024
# After so many bytes the disk begins to write; otherwise it would wait for the last one.
SYNCED_BYTES = 32 * 1024 * 1024

_FRESH = re.compile(r"\.[0-9a-f]{32}")
_LOCK_PAUSE_S = 0.005
_NAMES_AT_ONCE = 500
_IN_PROCESS = concurrency.LockRegistry()


def write_new(path: pathlib.Path, pieces: Iterable[bytes], *, is_durable: bool = True) -> int:
    """Write a file that nobody knows yet; return its size; leave nothing if that fails."""
    size = 0
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with _opened(path, flags) as descriptor, concurrency.Aside() as aside:
            for piece in pieces:
                _write_all(descriptor, piece)
                if is_durable and _passes(SYNCED_BYTES, size, len(piece)):
                    aside.begin(os.fdatasync, descriptor)
                size += len(piece)
            aside.wait()
            if is_durable:
                concurrency.run_native(os.fsync, descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def _passes(step: int, size: int, more: int) -> bool:
    return size // step != (size + more) // step


@contextlib.contextmanager
def _opened(path: pathlib.Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def make_folder(path: pathlib.Path) -> None:
    """Make a folder unless it is there."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextlib.contextmanager
def new_folder(path: pathlib.Path, beside: pathlib.Path) -> Iterator[pathlib.Path]:
    """Let the body fill a folder, which comes to its place whole, or not at all.

    beside: the folder on the same file system where it is filled.
    """
    fresh = beside / fresh_name()
    try:
        fresh.mkdir(mode=0o700)
        yield fresh
        sync_folder(fresh)
        fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    sync_folder(path.parent)


def is_folder(path: pathlib.Path) -> bool:
    """Tell whether there is a folder, and not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def fresh_name() -> str:
    """Return the name of something that is not yet, or no longer, in its place."""
    return f".{uuid.uuid4().hex}"


def is_fresh(name: str) -> bool:
    """Tell whether a name is one of fresh_name()."""
    return _FRESH.fullmatch(name) is not None


def names(folder: pathlib.Path) -> Iterator[str]:
    """Yield the names in a folder, in any order, and let others work meanwhile."""
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number % _NAMES_AT_ONCE == _NAMES_AT_ONCE - 1:
                concurrency.sleep(0)
            yield entry.name


def write_record(path: pathlib.Path, record: dict[str, Any]) -> None:
    """Replace a record, durably."""
    fresh = path.with_name(fresh_name())
    write_new(fresh, [json.dumps(record).encode()])
    _put_in_place(fresh, path)
    sync_folder(path.parent)


def write_scratch(path: pathlib.Path, record: dict[str, Any]) -> None:
    """Replace a record that may be lost when the machine fails."""
    fresh = path.with_name(fresh_name())
    write_new(fresh, [json.dumps(record).encode()], is_durable=False)
    _put_in_place(fresh, path)


def _put_in_place(fresh: pathlib.Path, path: pathlib.Path) -> None:
    try:
        fresh.rename(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def read_record(path: pathlib.Path) -> dict[str, Any] | None:
    """Return a record; None if there is none."""
    try:
        with open_bytes(path) as file:
            found: dict[str, Any] = json.loads(file.read())
    except FileNotFoundError:
        return None
    return found


def open_bytes(path: pathlib.Path) -> io.FileIO:
    """Open a file to read.  Raises: FileNotFoundError, also for a link."""
    try:
        return io.FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path)) from error
        raise


def sync_folder(path: pathlib.Path) -> None:
    """Make the names in a folder durable."""
    with _opened(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) as descriptor:
        concurrency.run_native(os.fsync, descriptor)


@contextlib.contextmanager
def lock(path: pathlib.Path) -> Iterator[None]:
    """Hold a lock that all processes of the store respect.

    It is asked for again and again: waiting in the kernel would take one of the few native
    threads, which the holder needs to come to its end.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with _IN_PROCESS.hold(str(path)), _opened(path, flags) as descriptor:
        while not _is_taken(descriptor):
            concurrency.sleep(_LOCK_PAUSE_S)
        yield


def _is_taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Bytes:
    """Part of the bytes of some files in order, in large pieces; close() in any case."""

    def __init__(self, files: list[tuple[pathlib.Path, int]], first: int, length: int) -> None:
        self._files = [one for one in files if one[1]]
        while self._files and first >= self._files[0][1]:
            first -= self._files.pop(0)[1]
        self._left, self._skip = length, first
        self._open: Any = None
        if length:
            self._next_file()

    def _next_file(self) -> None:
        self.close()
        path, _ = self._files.pop(0)
        self._open = open_bytes(path)
        self._open.seek(self._skip)
        self._skip = 0

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            piece = self._open.read(min(PIECE_BYTES, self._left))
            if piece:
                self._left -= len(piece)
                yield piece
            elif self._files:
                self._next_file()
            else:
                raise Internal(reason="An object is shorter than its record says.")

    def close(self) -> None:
        """Let go of the files."""
        if self._open is not None:
            self._open.close()
            self._open = None
