"""The store: buckets, objects and uploads as files of one folder.

    <bucket>/bucket.json        owner and access list
    <bucket>/keys/<name>.json   the record of an object, by its key in percent encoding
    <bucket>/data/<id>          bytes of objects and parts
    <bucket>/uploads/<id>/      the record of an upload and of each of its parts
    .locks/<bucket>             who holds it may change records; several processes may serve
    .usage/<project>            see usage.py

Names of files come from keys by an encoding without separators and dots at the beginning, so
no key leads elsewhere.  Bytes are durable before the record that names them is; what a crash
leaves is bytes that no record names, which clean() finds.  A file of bytes belongs to one record:
what two of them share has two names.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import logging
import os
import pathlib
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nova import clock
from nova.objectstore import files, keys, leftovers
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.payload import Checksum, Payload
from nova.objectstore.records import Attributes, Bucket, ObjectInfo, Page, Part, Upload
from nova.objectstore.selection import Selection
from nova.objectstore.usage import Accounts, Quota, Usage

LOG = logging.getLogger(__name__)

MAX_KEY_BYTES = 1024
MIN_PART_BYTES = 5 * 1024 * 1024

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_NO_KEY = re.compile("[\x00\ud800-\udfff]")

_FOLDERS = ("keys", "data", "uploads")

Check = Callable[[ObjectInfo | None], None]


UNLIMITED = Quota()


class Store:
    """Buckets below a folder; quota: what each project may have."""

    def __init__(self, root: pathlib.Path, quota: Quota = UNLIMITED) -> None:
        self._root = root
        files.make_folder(root)
        files.make_folder(root / ".locks")
        self._accounts = Accounts(root, quota, self.count)
        self._accounts.forget()

    # --- Buckets

    def list_buckets(self, project_id: str) -> list[Bucket]:
        """Return the buckets of a project by name."""
        return sorted(self._buckets_of(project_id), key=lambda one: one.name)

    def get_bucket(self, name: str) -> Bucket:
        """Return a bucket.  Raises: Refusal."""
        found = self._find_bucket(name) if _BUCKET_NAME.fullmatch(name) else None
        if found is None:
            raise refuse("NoSuchBucket", "The specified bucket does not exist")
        return found

    def create_bucket(self, name: str, project_id: str, acl: str) -> None:
        """Make an empty bucket.  Raises: Refusal."""
        if not _BUCKET_NAME.fullmatch(name) or ".." in name:
            raise refuse("InvalidBucketName", "The specified bucket is not valid.")
        with self._locked(name):
            found = self._find_bucket(name)
            if found is not None and found.project_id == project_id:
                raise refuse("BucketAlreadyOwnedByYou", "You already own the bucket of this name.")
            if found is not None:
                raise refuse("BucketAlreadyExists", "The requested bucket name is not available.")
            files.make_folder(self._root / name)
            for folder in _FOLDERS:
                files.make_folder(self._root / name / folder)
            self._write_bucket(
                Bucket(name=name, project_id=project_id, acl=acl, created_at=clock.utcnow())
            )
            files.sync_folder(self._root)

    def set_bucket_acl(self, name: str, acl: str) -> None:
        """Change who may list a bucket.  Raises: Refusal."""
        with self._locked(name):
            self._write_bucket(dataclasses.replace(self.get_bucket(name), acl=acl))

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket and the uploads that go on.  Raises: Refusal."""
        with self._locked(name):
            self.get_bucket(name)
            if any(map(keys.is_record, files.names(self._root / name / "keys"))):
                raise refuse("BucketNotEmpty", "The bucket you tried to delete is not empty")
            doomed = self._root / files.fresh_name()
            parts = sum(self._size_of(one) for one in self._upload_folders(name))
            with self._charged(name, Usage(size_bytes=-parts)):
                (self._root / name).rename(doomed)
                files.sync_folder(self._root)
        shutil.rmtree(doomed)

    # --- Objects

    def find_object(self, bucket: str, key: str) -> ObjectInfo | None:
        """Return what is known of an object; None if there is none.  Raises: Refusal."""
        record = files.read_record(self._record(bucket, key))
        return None if record is None else _object_of(record)

    def list_objects(
        self, bucket: str, *, prefix: str, delimiter: str, marker: str, limit: int
    ) -> Page:
        """Return the objects after a marker in the order of their keys, rolled up at a delimiter.

        limit: of objects and common prefixes together.
        """
        selection = Selection(
            prefix=prefix, delimiter=delimiter, marker=marker, count=limit + 1 if limit else 0
        )
        self._select(bucket, selection)
        entries = selection.entries[:limit]
        is_rolled = selection.is_common_prefix
        found = (self.find_object(bucket, one) for one in entries if not is_rolled(one))
        return Page(
            objects=tuple(info for info in found if info is not None),
            common_prefixes=tuple(one for one in entries if is_rolled(one)),
            next_marker=entries[-1] if len(selection.entries) > limit else None,
        )

    def read(self, info: ObjectInfo, first: int, length: int) -> files.Bytes:
        """Return part of the bytes of an object."""
        folder = self._root / info.bucket / "data"
        try:
            return files.Bytes([(folder / name, size) for name, size in info.data], first, length)
        except FileNotFoundError:
            raise refuse("OperationAborted", "The object changed. Please try again.") from None

    def put_object(
        self, bucket: str, key: str, payload: Payload, attributes: Attributes, check: Check
    ) -> ObjectInfo:
        """Store bytes under a key, in place of what is there.

        check: refuses to replace what there is.  Raises: Refusal.
        """
        _check_key(key)
        before = self.find_object(bucket, key)
        check(before)
        if payload.length is not None:
            self._expect(bucket, _change(before, payload.length))
        name, size, md5 = self._keep(bucket, payload.pieces())
        info = ObjectInfo(
            bucket=bucket,
            key=key,
            size_bytes=size,
            etag=md5,
            modified_at=clock.utcnow(),
            attributes=attributes,
            data=((name, size),),
            checksum=payload.checksum,
        )
        return self._commit(info, check)

    def copy_object(
        self, source: ObjectInfo, bucket: str, key: str, attributes: Attributes
    ) -> ObjectInfo:
        """Store the bytes of an object under another key too.  Raises: Refusal."""
        _check_key(key)
        self._expect(bucket, _change(self.find_object(bucket, key), source.size_bytes))
        info = dataclasses.replace(
            source,
            bucket=bucket,
            key=key,
            attributes=attributes,
            modified_at=clock.utcnow(),
            data=self._linked(source.bucket, source.data, bucket),
        )
        return self._commit(info, lambda _: None)

    def set_object_acl(self, bucket: str, key: str, acl: str) -> None:
        """Change who may read an object.  Raises: Refusal."""
        with self._locked(bucket):
            info = self.find_object(bucket, key)
            if info is None:
                raise refuse("NoSuchKey", "The specified key does not exist.")
            self._write(dataclasses.replace(info, attributes=info.attributes.with_acl(acl)))

    def delete_object(self, bucket: str, key: str) -> None:
        """Remove an object, if there is one.  Raises: Refusal."""
        with self._locked(bucket):
            info = self.find_object(bucket, key)
            if info is None:
                return
            path = self._record(bucket, key)
            with self._charged(bucket, Usage(size_bytes=-info.size_bytes, objects=-1)):
                path.unlink()
                files.sync_folder(path.parent)
        self._forget(bucket, info.data)

    # --- Uploads in parts

    def create_upload(self, bucket: str, key: str, attributes: Attributes) -> str:
        """Begin an upload and return its id.  Raises: Refusal."""
        _check_key(key)
        upload = Upload(
            upload_id=uuid.uuid4().hex, key=key, created_at=clock.utcnow(), attributes=attributes
        )
        folder = self._root / bucket / "uploads" / upload.upload_id
        with _told():
            folder.mkdir(mode=0o700)
            files.write_record(folder / "upload.json", _plain(upload))
            files.sync_folder(folder.parent)
        return upload.upload_id

    def put_part(
        self, bucket: str, key: str, upload_id: str, number: int, payload: Payload
    ) -> Part:
        """Store the bytes of a part, in place of those before.  Raises: Refusal."""
        self._upload(bucket, key, upload_id)
        if payload.length is not None:
            before = files.read_record(self._part(bucket, upload_id, number))
            self._expect(bucket, _part_change(before, payload.length))
        return self._add_part(bucket, upload_id, number, payload.pieces())

    def copy_part(
        self,
        source: ObjectInfo,
        wanted: tuple[int, int],
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
    ) -> Part:
        """Make a part of bytes of an object; wanted: the first one and how many.

        Raises: Refusal.
        """
        self._upload(bucket, key, upload_id)
        pieces = self.read(source, *wanted)
        with contextlib.closing(pieces):
            return self._add_part(bucket, upload_id, number, iter(pieces))

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        """Return the parts of an upload by number.  Raises: Refusal."""
        self._upload(bucket, key, upload_id)
        return sorted(
            map(_part_of, _part_records(self._root / bucket / "uploads" / upload_id)),
            key=lambda part: part.number,
        )

    def list_uploads(self, bucket: str) -> list[Upload]:
        """Return the uploads of a bucket by key and id."""
        folders = self._upload_folders(bucket)
        records = [files.read_record(folder / "upload.json") for folder in folders]
        found = [_upload_of(record) for record in records if record is not None]
        return sorted(found, key=lambda one: (one.key.encode(), one.upload_id))

    def complete_upload(
        self, bucket: str, key: str, upload_id: str, wanted: list[tuple[int, str]]
    ) -> ObjectInfo:
        """Make an object of the parts of these numbers and tags.  Raises: Refusal."""
        numbers = [number for number, _ in wanted]
        if numbers != sorted(set(numbers)):
            raise refuse("InvalidPartOrder", "The list of parts was not in ascending order.")
        with self._locked(bucket):
            upload = self._upload(bucket, key, upload_id)
            parts = _chosen(self.list_parts(bucket, key, upload_id), wanted)
            info = _assembled(bucket, upload, parts)
            info = dataclasses.replace(info, data=self._linked(bucket, info.data, bucket))
            doomed = self._root / files.fresh_name()
            before = self._finish(info, upload_id, doomed)
        self._forget(bucket, before.data if before else ())
        self._drop(bucket, doomed)
        return info

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Drop an upload with its parts.  Raises: Refusal."""
        doomed = self._root / files.fresh_name()
        with self._locked(bucket):
            self._upload(bucket, key, upload_id)
            folder = self._root / bucket / "uploads" / upload_id
            with self._charged(bucket, Usage(size_bytes=-self._size_of(folder))):
                self._detach_upload(bucket, upload_id, doomed)
        self._drop(bucket, doomed)

    # --- Care

    def count(self, project_id: str) -> Usage:
        """Add up what a project has."""
        usage = Usage()
        for bucket in self._buckets_of(project_id):
            folder = self._root / bucket.name / "keys"
            for name in files.names(folder):
                record = files.read_record(folder / name) if keys.is_record(name) else None
                if record is not None:
                    usage += Usage(size_bytes=record["size_bytes"], objects=1)
            for upload in self._upload_folders(bucket.name):
                usage += Usage(size_bytes=self._size_of(upload))
        return usage

    def clean(self, *, leftovers_before: float, uploads_before: datetime.datetime) -> None:
        """Remove what crashes left and uploads that nobody goes on with.

        leftovers_before: seconds since 1970; what is younger may be in use.
        """
        for name in self._bucket_names():
            try:
                self._clean_bucket(name, leftovers_before, uploads_before)
            except FileNotFoundError:
                LOG.debug("Bucket %s went meanwhile", name)
        leftovers.remove_of_store(self._root, leftovers_before)

    def _clean_bucket(
        self, name: str, leftovers_before: float, uploads_before: datetime.datetime
    ) -> None:
        for upload in self.list_uploads(name):
            if upload.created_at < uploads_before:
                self._expire(name, upload)
        leftovers.remove_of_bucket(self._root / name, leftovers_before)

    def _expire(self, bucket: str, upload: Upload) -> None:
        LOG.info("Upload %s to %s is too old.", upload.upload_id, bucket)
        try:
            self.abort_upload(bucket, upload.key, upload.upload_id)
        except Refusal as error:
            LOG.debug("Upload %s ended meanwhile: %s", upload.upload_id, error)

    # --- Files

    @contextlib.contextmanager
    def _locked(self, bucket: str) -> Iterator[None]:
        with _told(), files.lock(self._root / ".locks" / bucket):
            yield

    def _charged(self, bucket: str, change: Usage) -> contextlib.AbstractContextManager[None]:
        """Return what a change of a bucket happens in; the caller holds the lock."""
        return self._accounts.charged(self.get_bucket(bucket).project_id, change)

    def _expect(self, bucket: str, change: Usage) -> None:
        self._accounts.expect(self.get_bucket(bucket).project_id, change)

    def _bucket_names(self) -> list[str]:
        return [name for name in files.names(self._root) if self._find_bucket(name) is not None]

    def _buckets_of(self, project_id: str) -> Iterator[Bucket]:
        for name in files.names(self._root):
            found = self._find_bucket(name)
            if found is not None and found.project_id == project_id:
                yield found

    def _find_bucket(self, name: str) -> Bucket | None:
        folder = self._root / name
        if name[0] == "." or not all(
            map(files.is_folder, (folder, *map(folder.joinpath, _FOLDERS)))
        ):
            return None
        record = files.read_record(folder / "bucket.json")
        if record is None:
            return None
        return Bucket(**{**record, "created_at": clock.parse(record["created_at"])})

    def _write_bucket(self, bucket: Bucket) -> None:
        files.write_record(self._root / bucket.name / "bucket.json", _plain(bucket))

    def _record(self, bucket: str, key: str) -> pathlib.Path:
        _check_key(key)
        return self._root / bucket / "keys" / keys.file_name(key)

    def _part(self, bucket: str, upload_id: str, number: int) -> pathlib.Path:
        return self._root / bucket / "uploads" / upload_id / f"{number:05}.json"

    def _select(self, bucket: str, selection: Selection) -> None:
        """Offer the keys of a bucket; of long ones, those are read that the page may have."""
        folder = self._root / bucket / "keys"
        for name in filter(keys.is_record, files.names(folder)):
            key, is_whole = keys.key_of(name)
            if is_whole:
                selection.take(key)
            elif selection.may_take(key):
                record = files.read_record(folder / name)
                if record is not None:
                    selection.take(record["key"])

    def _upload_folders(self, bucket: str) -> list[pathlib.Path]:
        folder = self._root / bucket / "uploads"
        return [folder / name for name in files.names(folder)]

    def _size_of(self, upload: pathlib.Path) -> int:
        return sum(record["size_bytes"] for record in _part_records(upload))

    def _keep(self, bucket: str, pieces: Iterator[bytes]) -> tuple[str, int, str]:
        """Write bytes that no record names yet; return their file, size and MD5."""
        digest = hashlib.md5(usedforsecurity=False)

        def summed() -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        name = uuid.uuid4().hex
        with _told():
            size = files.write_new(self._root / bucket / "data" / name, summed())
        return name, size, digest.hexdigest()

    def _linked(
        self, source: str, data: Iterable[tuple[str, int]], bucket: str
    ) -> tuple[tuple[str, int], ...]:
        """Give bytes other names, which no record has yet.  Raises: Refusal."""
        made: list[tuple[str, int]] = []
        try:
            for name, size in data:
                linked = uuid.uuid4().hex
                self._link(self._root / source / "data" / name, bucket, linked)
                made.append((linked, size))
        except BaseException:
            self._forget(bucket, made)
            raise
        return tuple(made)

    def _link(self, path: pathlib.Path, bucket: str, linked: str) -> None:
        with _told():
            try:
                os.link(path, self._root / bucket / "data" / linked, follow_symlinks=False)
            except FileNotFoundError:
                raise refuse("NoSuchKey", "The specified key does not exist.") from None

    def _commit(self, info: ObjectInfo, check: Check) -> ObjectInfo:
        """Let a record name new bytes; those that it named before go, or the new ones."""
        with self._unless_named(info), self._locked(info.bucket):
            before = self._replace(info, check)
        self._forget(info.bucket, before.data if before else ())
        return info

    @contextlib.contextmanager
    def _unless_named(self, info: ObjectInfo) -> Iterator[None]:
        """Remove new bytes when the body fails, unless it came as far as to name them."""
        try:
            yield
        except BaseException:
            there = self.find_object(info.bucket, info.key)
            if there is None or there.data != info.data:
                self._forget(info.bucket, info.data)
            raise

    def _replace(self, info: ObjectInfo, check: Check) -> ObjectInfo | None:
        """Write a record and return the one before; the caller holds the lock."""
        before = self.find_object(info.bucket, info.key)
        check(before)
        with self._charged(info.bucket, _change(before, info.size_bytes)):
            files.sync_folder(self._root / info.bucket / "data")
            self._write(info)
        return before

    def _finish(self, info: ObjectInfo, upload_id: str, doomed: pathlib.Path) -> ObjectInfo | None:
        """Put the object of an upload in its place; the caller holds the lock."""
        folder = self._root / info.bucket / "uploads" / upload_id
        with self._unless_named(info):
            before = self.find_object(info.bucket, info.key)
            parts = Usage(size_bytes=-self._size_of(folder))
            with self._charged(info.bucket, _change(before, info.size_bytes) + parts):
                files.sync_folder(self._root / info.bucket / "data")
                self._write(info)
                self._detach_upload(info.bucket, upload_id, doomed)
        return before

    def _write(self, info: ObjectInfo) -> None:
        files.write_record(self._record(info.bucket, info.key), _plain(info))

    def _forget(self, bucket: str, data: Iterable[tuple[str, int]]) -> None:
        for name, _ in data:
            (self._root / bucket / "data" / name).unlink(missing_ok=True)

    def _upload(self, bucket: str, key: str, upload_id: str) -> Upload:
        record = None
        if _UPLOAD_ID.fullmatch(upload_id):
            path = self._root / bucket / "uploads" / upload_id / "upload.json"
            record = files.read_record(path)
        if record is None or record["key"] != key:
            raise _no_upload()
        return _upload_of(record)

    def _add_part(self, bucket: str, upload_id: str, number: int, pieces: Iterator[bytes]) -> Part:
        name, size, md5 = self._keep(bucket, pieces)
        part = Part(number=number, size_bytes=size, etag=md5, modified_at=clock.utcnow(), data=name)
        try:
            before = self._name_part(bucket, upload_id, part)
        except BaseException:
            there = files.read_record(self._part(bucket, upload_id, number))
            if there is None or there["data"] != name:
                self._forget(bucket, [(name, size)])
            raise
        if before is not None:
            self._forget(bucket, [(before["data"], before["size_bytes"])])
        return part

    def _name_part(self, bucket: str, upload_id: str, part: Part) -> dict[str, Any] | None:
        """Write the record of a part and return the one before."""
        path = self._part(bucket, upload_id, part.number)
        with self._locked(bucket):
            if not files.is_folder(path.parent):
                raise _no_upload()
            before = files.read_record(path)
            with self._charged(bucket, _part_change(before, part.size_bytes)):
                files.sync_folder(self._root / bucket / "data")
                files.write_record(path, _plain(part))
        return before

    def _detach_upload(self, bucket: str, upload_id: str, doomed: pathlib.Path) -> None:
        """Take an upload out of sight; the caller holds the lock."""
        folder = self._root / bucket / "uploads"
        (folder / upload_id).rename(doomed)
        files.sync_folder(folder)

    def _drop(self, bucket: str, doomed: pathlib.Path) -> None:
        """Remove an upload that is out of sight."""
        for record in _part_records(doomed):
            self._forget(bucket, [(record["data"], record["size_bytes"])])
        shutil.rmtree(doomed)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell clients of failures of the file system in the words of S3."""
    try:
        yield
    except FileNotFoundError:
        raise _gone() from None
    except OSError as error:
        LOG.warning("The store is full or fails: %s", error)
        raise refuse("ServiceUnavailable", "The store is full or fails.") from error


def _change(before: ObjectInfo | None, size_bytes: int) -> Usage:
    """Return what an object of a size in place of another changes."""
    if before is None:
        return Usage(size_bytes=size_bytes, objects=1)
    return Usage(size_bytes=size_bytes - before.size_bytes)


def _part_change(before: dict[str, Any] | None, size_bytes: int) -> Usage:
    return Usage(size_bytes=size_bytes - (before["size_bytes"] if before else 0))


def _part_records(upload: pathlib.Path) -> Iterator[dict[str, Any]]:
    for path in upload.glob("[0-9]*.json"):
        record = files.read_record(path)
        if record is not None:
            yield record


def _chosen(there: list[Part], wanted: list[tuple[int, str]]) -> list[Part]:
    """Return the parts of these numbers and tags.  Raises: Refusal."""
    by_number = {part.number: part for part in there}
    found = [by_number[number] for number, _ in wanted if number in by_number]
    if [(part.number, part.etag) for part in found] != wanted:
        raise refuse("InvalidPart", "One or more of the specified parts could not be found.")
    if any(part.size_bytes < MIN_PART_BYTES for part in found[:-1]):
        raise refuse(
            "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"
        )
    return found


def _assembled(bucket: str, upload: Upload, parts: list[Part]) -> ObjectInfo:
    sums = b"".join(bytes.fromhex(part.etag) for part in parts)
    return ObjectInfo(
        bucket=bucket,
        key=upload.key,
        size_bytes=sum(part.size_bytes for part in parts),
        etag=f"{hashlib.md5(sums, usedforsecurity=False).hexdigest()}-{len(parts)}",
        modified_at=clock.utcnow(),
        attributes=upload.attributes,
        data=tuple((part.data, part.size_bytes) for part in parts),
    )


def _check_key(key: str) -> None:
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise refuse("KeyTooLongError", "Your key is too long")
    if not key or _NO_KEY.search(key):
        raise refuse("InvalidArgument", "The key has a character that keys can not have.")


def _gone() -> Refusal:
    return refuse("NoSuchBucket", "The specified bucket does not exist")


def _no_upload() -> Refusal:
    return refuse("NoSuchUpload", "The specified multipart upload does not exist.")


def _plain(record: Any) -> dict[str, Any]:
    """Return a record as JSON has it."""
    return {
        name: clock.isoformat(value) if isinstance(value, datetime.datetime) else value
        for name, value in dataclasses.asdict(record).items()
    }


def _object_of(record: dict[str, Any]) -> ObjectInfo:
    checksum = record["checksum"]
    return ObjectInfo(
        **{
            **record,
            "modified_at": clock.parse(record["modified_at"]),
            "attributes": Attributes(**record["attributes"]),
            "data": tuple((name, size) for name, size in record["data"]),
            "checksum": checksum and Checksum(**checksum),
        }
    )


def _part_of(record: dict[str, Any]) -> Part:
    return Part(**{**record, "modified_at": clock.parse(record["modified_at"])})


def _upload_of(record: dict[str, Any]) -> Upload:
    return Upload(
        **{
            **record,
            "created_at": clock.parse(record["created_at"]),
            "attributes": Attributes(**record["attributes"]),
        }
    )
