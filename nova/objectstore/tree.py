"""The folder of the store: where everything is, and the steps that all work on it shares.

    <bucket>/bucket.json        owner and access list
    <bucket>/keys/<name>.json   the record of an object, by its key in percent encoding
    <bucket>/data/<id>          bytes of objects and parts
    <bucket>/uploads/<id>/      the record of an upload and of each of its parts
    .locks/<bucket>             who holds it may change records; several processes may serve
    .usage/<project>            see usage.py

Names of files come from keys by an encoding without separators and dots at the beginning, so
no key leads elsewhere.  Bytes are durable before the record that names them is; what a crash
leaves is bytes that no record names, which leftovers.py finds.  A file of bytes belongs to one
record: what two of them share has two names.
"""

import contextlib
import errno
import hashlib
import logging
import os
import pathlib
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from nova import concurrency
from nova.objectstore import files, keys, records
from nova.objectstore.checksums import Digest
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.records import Bucket, Data, ObjectInfo

LOG = logging.getLogger(__name__)

MAX_KEY_BYTES = 1024
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_FOLDERS = ("keys", "data", "uploads")
_BUCKET = "bucket.json"
_NO_KEY = re.compile("[\x00\ud800-\udfff]")


class Tree:
    """Files and records below a folder."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        files.make_folder(root)
        files.make_folder(root / ".locks")

    @contextlib.contextmanager
    def locked(self, bucket: str) -> Iterator[None]:
        """Let nobody else change the records of a bucket meanwhile.  Raises: Refusal."""
        with told(), files.lock(self.root / ".locks" / bucket):
            yield

    # --- Buckets

    def bucket_names(self) -> list[str]:
        """Return the names of all buckets."""
        return [name for name in files.names(self.root) if self.find_bucket(name) is not None]

    def buckets_of(self, project_id: str) -> Iterator[Bucket]:
        """Yield the buckets of a project."""
        for name in files.names(self.root):
            found = self.find_bucket(name)
            if found is not None and found.project_id == project_id:
                yield found

    def get_bucket(self, name: str) -> Bucket:
        """Return a bucket.  Raises: Refusal."""
        found = self.find_bucket(name) if BUCKET_NAME.fullmatch(name) else None
        if found is None:
            raise _no_bucket()
        return found

    def find_bucket(self, name: str) -> Bucket | None:
        """Return a bucket by the name of its folder; None if it is none."""
        folder = self.root / name
        if name[0] == "." or not all(
            map(files.is_folder, (folder, *map(folder.joinpath, _FOLDERS)))
        ):
            return None
        record = files.read_record(folder / _BUCKET)
        return None if record is None else records.bucket_of(record)

    def make_bucket(self, bucket: Bucket) -> None:
        """Make the folder of a bucket; the caller holds the lock."""
        with files.new_folder(self.root / bucket.name, self.root) as fresh:
            for folder in _FOLDERS:
                files.make_folder(fresh / folder)
            files.write_record(fresh / _BUCKET, records.plain(bucket))

    def write_bucket(self, bucket: Bucket) -> None:
        """Write the record of a bucket; the caller holds the lock."""
        files.write_record(self.root / bucket.name / _BUCKET, records.plain(bucket))

    # --- Records of objects and parts

    def record_path(self, bucket: str, key: str) -> pathlib.Path:
        """Return where the record of an object is.  Raises: Refusal."""
        check_key(key)
        return self.root / bucket / "keys" / keys.file_name(key)

    def find_object(self, bucket: str, key: str) -> ObjectInfo | None:
        """Return what is known of an object; None if there is none.  Raises: Refusal."""
        record = files.read_record(self.record_path(bucket, key))
        return None if record is None else records.object_of(record)

    def name_bytes(self, info: ObjectInfo) -> None:
        """Write the record that names new bytes; the caller holds the lock."""
        files.sync_folder(self.root / info.bucket / "data")
        self.write_object(info)

    def write_object(self, info: ObjectInfo) -> None:
        """Write the record of an object; the caller holds the lock."""
        files.write_record(self.record_path(info.bucket, info.key), records.plain(info))

    def upload_folders(self, bucket: str) -> list[pathlib.Path]:
        """Return the folders of the uploads to a bucket."""
        folder = self.root / bucket / "uploads"
        return [folder / name for name in files.names(folder)]

    # --- Bytes

    def expect_room(self, size_bytes: int) -> None:
        """Refuse at once what can not fit, before it comes.  Raises: Refusal."""
        found = os.statvfs(self.root)
        if found.f_bavail * found.f_frsize < size_bytes:
            LOG.warning("The store has no room for %s bytes", size_bytes)
            raise _no_room()

    def keep(self, bucket: str, pieces: Iterator[bytes]) -> tuple[str, int, str]:
        """Write bytes that no record names yet; return their file, size and MD5."""
        digest = hashlib.md5(usedforsecurity=False)
        name = uuid.uuid4().hex
        with told(), concurrency.Aside() as aside:
            summed = _summed(pieces, digest, aside)
            size = files.write_new(self.root / bucket / "data" / name, summed)
        return name, size, digest.hexdigest()

    def linked(self, source: str, data: Data, bucket: str) -> Data:
        """Give bytes other names, which no record has yet.  Raises: Refusal."""
        made: list[tuple[str, int]] = []
        try:
            for name, size in data:
                linked = uuid.uuid4().hex
                self._link(self.root / source / "data" / name, bucket, linked)
                made.append((linked, size))
        except BaseException:
            self.forget(bucket, made)
            raise
        return tuple(made)

    def _link(self, path: pathlib.Path, bucket: str, linked: str) -> None:
        with told():
            try:
                os.link(path, self.root / bucket / "data" / linked, follow_symlinks=False)
            except FileNotFoundError:
                raise refuse("NoSuchKey", "The specified key does not exist.") from None

    def forget(self, bucket: str, data: Iterable[tuple[str, int]]) -> None:
        """Remove bytes that no record names any more."""
        for name, _ in data:
            (self.root / bucket / "data" / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def unless_named(self, info: ObjectInfo) -> Iterator[None]:
        """Remove new bytes when the body fails, unless it came as far as to name them."""
        try:
            yield
        except BaseException:
            there = self.find_object(info.bucket, info.key)
            if there is None or there.data != info.data:
                self.forget(info.bucket, info.data)
            raise


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell clients of failures of the file system in the words of S3."""
    try:
        yield
    except FileNotFoundError:
        raise _no_bucket() from None
    except OSError as error:
        LOG.warning("The store is full or fails: %s", error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_room() from error
        raise refuse("ServiceUnavailable", "The disk of the store fails.") from error


def _summed(pieces: Iterator[bytes], digest: Digest, aside: concurrency.Aside) -> Iterator[bytes]:
    """Yield large pieces; each is summed while it is written and the next one comes.

    The sum is what takes longest of all that is done with them.
    """
    for piece in _gathered(pieces):
        if len(piece) >= files.PIECE_BYTES:
            aside.begin(digest.update, piece)
        else:
            aside.wait()
            digest.update(piece)
        yield piece
    aside.wait()


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in large pieces, and the rest of them."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= files.PIECE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def check_key(key: str) -> None:
    """Refuse what no object can be called.  Raises: Refusal."""
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise refuse("KeyTooLongError", "Your key is too long")
    if not key or _NO_KEY.search(key):
        raise refuse("InvalidArgument", "The key has a character that keys can not have.")


def part_records(upload: pathlib.Path) -> Iterator[dict[str, Any]]:
    """Yield the records of the parts in the folder of an upload."""
    for path in upload.glob("[0-9]*.json"):
        record = files.read_record(path)
        if record is not None:
            yield record


def size_of_upload(upload: pathlib.Path) -> int:
    """Return the bytes of the parts in the folder of an upload."""
    return sum(record["size_bytes"] for record in part_records(upload))


def _no_bucket() -> Refusal:
    return refuse("NoSuchBucket", "The specified bucket does not exist")


def _no_room() -> Refusal:
    # No status of S3: clients would send everything again and again upon those it has.
    return refuse("InsufficientStorage", "The store has no room left; its operator can make some.")
