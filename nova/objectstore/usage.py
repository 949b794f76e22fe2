"""What each project has in the store, against what it may have.

    .usage/<project>    bytes and objects of a project; absent while they change

Who finds no account counts anew: a change takes it away before and writes it afterwards, so that
what a crash or a failure leaves is no account, never a wrong one.
"""

import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Iterator
from urllib.parse import quote

from nova.objectstore import files, keys
from nova.objectstore.errors import refuse
from nova.objectstore.records import ObjectInfo
from nova.objectstore.tree import Tree, size_of_upload

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a project may have; None is without limit. Parts of uploads count as bytes."""

    size_bytes: int | None = None
    objects: int | None = None

    @property
    def is_unlimited(self) -> bool:
        """Tell whether nothing needs counting."""
        return self.size_bytes is None and self.objects is None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a project has, or how much that changes."""

    size_bytes: int = 0
    objects: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            size_bytes=self.size_bytes + other.size_bytes, objects=self.objects + other.objects
        )


class Accounts:
    """The usage of projects, right for all processes that share the folder."""

    def __init__(self, tree: Tree, quota: Quota) -> None:
        self._folder, self._locks = tree.root / ".usage", tree.root / ".locks"
        self._tree, self._quota = tree, quota
        files.make_folder(self._folder)

    def forget(self) -> None:
        """Let everything be counted anew: after a failure of power, accounts may be old."""
        for name in files.names(self._folder):
            if not files.is_fresh(name):
                with files.lock(self._lock_of(name)):
                    (self._folder / name).unlink(missing_ok=True)

    def expect(self, bucket: str, change: Usage) -> None:
        """Refuse early what would be refused in the end; the end decides.  Raises: Refusal."""
        project_id = self._tree.get_bucket(bucket).project_id
        if not self._quota.is_unlimited:
            there = self._find(project_id)
            if there is not None:
                self._check(there, change)

    @contextlib.contextmanager
    def charged(self, bucket: str, change: Usage) -> Iterator[None]:
        """Let the body change a bucket; nobody else changes what its project has meanwhile.

        The caller holds the lock of the bucket.  Raises: Refusal, before the body.
        """
        project_id = self._tree.get_bucket(bucket).project_id
        if self._quota.is_unlimited:
            yield
            return
        with files.lock(self._lock_of(quote(project_id, safe=""))):
            there = self._find(project_id) or self.count(project_id)
            self._check(there, change)
            path = self._path(project_id)
            path.unlink(missing_ok=True)
            yield
            try:
                files.write_scratch(path, dataclasses.asdict(there + change))
            except OSError as error:
                LOG.warning("What %s has will be counted anew: %s", project_id, error)

    def count(self, project_id: str) -> Usage:
        """Add up what a project has."""
        usage = Usage()
        for bucket in self._tree.buckets_of(project_id):
            folder = self._tree.root / bucket.name / "keys"
            for name in files.names(folder):
                record = files.read_record(folder / name) if keys.is_record(name) else None
                if record is not None:
                    usage += Usage(size_bytes=record["size_bytes"], objects=1)
            for upload in self._tree.upload_folders(bucket.name):
                usage += Usage(size_bytes=size_of_upload(upload))
        return usage

    def _check(self, there: Usage, change: Usage) -> None:
        after = there + change
        if _exceeds(change.size_bytes, after.size_bytes, self._quota.size_bytes):
            raise refuse("QuotaExceeded", "The project may not store so many bytes.")
        if _exceeds(change.objects, after.objects, self._quota.objects):
            raise refuse("QuotaExceeded", "The project may not store so many objects.")

    def _find(self, project_id: str) -> Usage | None:
        record = files.read_record(self._path(project_id))
        return None if record is None else Usage(**record)

    def _path(self, project_id: str) -> pathlib.Path:
        return self._folder / quote(project_id, safe="")

    def _lock_of(self, name: str) -> pathlib.Path:
        return self._locks / f".usage-{name}"


def _exceeds(change: int, after: int, limit: int | None) -> bool:
    return limit is not None and change > 0 and after > limit


def replacing(before: ObjectInfo | None, size_bytes: int) -> Usage:
    """Return what an object of a size in place of another changes."""
    if before is None:
        return Usage(size_bytes=size_bytes, objects=1)
    return Usage(size_bytes=size_bytes - before.size_bytes)
