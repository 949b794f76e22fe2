"""Files that are whole and durable, or not there: written beside, synced, then renamed."""

import contextlib
import fcntl
import json
import os
import pathlib
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from nova import concurrency
from nova.exception import Internal

PIECE_BYTES = 1024 * 1024


def write_new(path: pathlib.Path, pieces: Iterable[bytes]) -> int:
    """Write a file that nobody knows yet, durably; return its size; leave nothing if that fails."""
    size = 0
    try:
        with path.open("xb", buffering=0) as file:
            for piece in pieces:
                _write_all(file.fileno(), piece)
                size += len(piece)
            concurrency.run_native(os.fsync, file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def _write_all(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def write_record(path: pathlib.Path, record: dict[str, Any]) -> None:
    """Replace a record, durably."""
    fresh = path.with_name(f".{uuid.uuid4().hex}")
    write_new(fresh, [json.dumps(record).encode()])
    fresh.rename(path)
    sync_folder(path.parent)


def read_record(path: pathlib.Path) -> dict[str, Any] | None:
    """Return a record; None if there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found


def sync_folder(path: pathlib.Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        concurrency.run_native(os.fsync, descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock(path: pathlib.Path) -> Iterator[None]:
    """Hold a lock that all processes of the store respect."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        concurrency.run_native(fcntl.flock, descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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
        self._open = path.open("rb", buffering=0)
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
