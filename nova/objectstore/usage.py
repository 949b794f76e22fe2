"""How much a project has stored, and how much it may."""

import os
import pathlib
import threading
from collections.abc import Callable, Iterable

from nova import clock, concurrency
from nova.objectstore.errors import refuse

GIB = 1024**3
# What other processes on the same folder did is seen after so long.
LOOK_AGAIN_S = 30.0


class Usage:
    """Counts the bytes of projects; a lock guards the counts.

    folders: gives the folders of a project's bytes.  limit_gb: 0 for no limit.
    """

    def __init__(self, folders: Callable[[str], Iterable[pathlib.Path]], limit_gb: int) -> None:
        self._folders, self._limit = folders, limit_gb * GIB
        self._guard = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}

    def reserve(self, project_id: str, size: int) -> None:
        """Count bytes that a project is about to store.  Raises: Refusal."""
        if not self._limit:
            return
        self._look(project_id)
        with self._guard:
            looked_at, count = self._counts[project_id]
            if count + size > self._limit:
                raise refuse("QuotaExceeded", "The project may not store that much.")
            self._counts[project_id] = looked_at, count + size

    def release(self, project_id: str, size: int) -> None:
        """Count bytes that are gone, or did not come."""
        with self._guard:
            if project_id in self._counts:
                looked_at, count = self._counts[project_id]
                self._counts[project_id] = looked_at, count - size

    def _look(self, project_id: str) -> None:
        """Count anew what the folders have, unless that was done a moment ago."""
        now = clock.monotonic()
        with self._guard:
            looked_at, _ = self._counts.get(project_id, (now - LOOK_AGAIN_S, 0))
        if now - looked_at < LOOK_AGAIN_S:
            return
        folders = list(self._folders(project_id))
        count = concurrency.run_native(sum, map(_size, folders))
        with self._guard:
            self._counts[project_id] = now, count


def _size(folder: pathlib.Path) -> int:
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    total += entry.stat().st_size
                except FileNotFoundError:
                    continue
    except FileNotFoundError:
        return 0
    return total
