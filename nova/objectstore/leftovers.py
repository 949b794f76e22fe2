"""What crashes leave in the store: files on their way to their place, bytes without a record.

Everything is judged by the time of its last change of any kind: making a second name for bytes
is one.  What is older than any work takes is in nobody's hands.
"""

import logging
import os
import pathlib
import shutil
from collections.abc import Iterator

from nova.objectstore import files, keys

LOG = logging.getLogger(__name__)


def remove_of_store(root: pathlib.Path, before: float) -> None:
    """Remove folders that were taken out of sight, and accounts on their way."""
    for folder in (root, root / ".usage"):
        for name in filter(files.is_fresh, files.names(folder)):
            _remove_old(folder / name, before)


def remove_of_bucket(bucket: pathlib.Path, before: float) -> None:
    """Remove leftovers of a bucket.

    It holds the names of all bytes of the bucket meanwhile, about 100 bytes each.
    """
    uploads = [bucket / "uploads" / name for name in files.names(bucket / "uploads")]
    for folder in (bucket, bucket / "keys", *uploads):
        if files.is_folder(folder):
            for name in filter(files.is_fresh, files.names(folder)):
                _remove_old(folder / name, before)
    for upload in uploads:
        if files.read_record(upload / "upload.json") is None:
            _remove_old(upload, before)
    data = bucket / "data"
    # First the bytes, then the records: what is named in between is not old.
    old = {name for name in files.names(data) if _is_old(data / name, before)}
    if old:
        old.difference_update(_named(bucket))
    for name in old:
        _remove_old(data / name, before)


def _named(bucket: pathlib.Path) -> Iterator[str]:
    """Yield the names of bytes that records have."""
    folder = bucket / "keys"
    for name in filter(keys.is_record, files.names(folder)):
        record = files.read_record(folder / name)
        if record is not None:
            yield from (data for data, _ in record["data"])
    for path in (bucket / "uploads").glob("*/[0-9]*.json"):
        record = files.read_record(path)
        if record is not None:
            yield record["data"]


def _remove_old(path: pathlib.Path, before: float) -> None:
    if not _is_old(path, before):
        return
    LOG.info("Removing the leftover %s", path)
    if files.is_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_old(path: pathlib.Path, before: float) -> bool:
    try:
        return os.lstat(path).st_ctime < before
    except FileNotFoundError:
        return False
