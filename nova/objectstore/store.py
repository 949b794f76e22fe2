"""The store: buckets, objects and uploads as files of one folder.

    <bucket>/bucket.json        owner and access list
    <bucket>/keys/<name>.json   the record of an object, by its key in percent encoding
    <bucket>/data/<id>          bytes of objects and parts
    <bucket>/uploads/<id>/      the record of an upload and of each of its parts
    .locks/<bucket>             who holds it may change records; several processes may serve

Names of files come from keys by an encoding without separators and dots at the beginning, so
no key leads elsewhere.  Bytes are durable before the record that names them is; what a crash
leaves is bytes that no record names.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import os
import pathlib
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

from nova import clock
from nova.objectstore import files
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.payload import Checksum, Payload
from nova.objectstore.records import Attributes, Bucket, ObjectInfo, Page, Part, Upload

MAX_KEY_BYTES = 1024
MAX_NAME_BYTES = 200
MIN_PART_BYTES = 5 * 1024 * 1024

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_NO_KEY = re.compile("[\x00\ud800-\udfff]")

Check = Callable[[ObjectInfo | None], None]


class Store:
    """Buckets below a folder."""

    def __init__(self, root: pathlib.Path) -> None:
        self._root = root
        (root / ".locks").mkdir(parents=True, exist_ok=True, mode=0o700)

    # --- Buckets

    def list_buckets(self, project_id: str) -> list[Bucket]:
        """Return the buckets of a project by name."""
        names = sorted(entry.name for entry in os.scandir(self._root) if entry.name[0] != ".")
        found = [self._find_bucket(name) for name in names]
        return [one for one in found if one is not None and one.project_id == project_id]

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
            for folder in ("keys", "data", "uploads"):
                (self._root / name / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
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
            if any(True for _ in self._names(name)):
                raise refuse("BucketNotEmpty", "The bucket you tried to delete is not empty")
            doomed = self._root / f".{uuid.uuid4().hex}"
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
        keys = sorted(
            (key for key in self._names(bucket) if key.startswith(prefix) and key > marker),
            key=str.encode,
        )
        objects: list[ObjectInfo] = []
        prefixes: dict[str, None] = {}
        last = None
        for key in keys:
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            rolled = prefix + head + delimiter if found else None
            if rolled is not None and (rolled in prefixes or rolled == marker):
                continue
            if len(objects) + len(prefixes) == limit:
                more = bool(limit)
                return Page(
                    objects=tuple(objects),
                    common_prefixes=tuple(prefixes),
                    next_marker=last if more else None,
                )
            if rolled is not None:
                prefixes[rolled] = None
                last = rolled
            elif (info := self.find_object(bucket, key)) is not None:
                objects.append(info)
                last = key
        return Page(objects=tuple(objects), common_prefixes=tuple(prefixes), next_marker=None)

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
        check(self.find_object(bucket, key))
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
        data = []
        for name, size in source.data:
            linked = uuid.uuid4().hex
            self._link(source.bucket, name, bucket, linked)
            data.append((linked, size))
        info = dataclasses.replace(
            source,
            bucket=bucket,
            key=key,
            attributes=attributes,
            modified_at=clock.utcnow(),
            data=tuple(data),
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
            path.unlink()
            files.sync_folder(path.parent)
        self._forget(info)

    # --- Uploads in parts

    def create_upload(self, bucket: str, key: str, attributes: Attributes) -> str:
        """Begin an upload and return its id.  Raises: Refusal."""
        _check_key(key)
        upload = Upload(
            upload_id=uuid.uuid4().hex, key=key, created_at=clock.utcnow(), attributes=attributes
        )
        folder = self._root / bucket / "uploads" / upload.upload_id
        folder.mkdir(mode=0o700)
        files.write_record(folder / "upload.json", _plain(upload))
        files.sync_folder(folder.parent)
        return upload.upload_id

    def put_part(
        self, bucket: str, key: str, upload_id: str, number: int, payload: Payload
    ) -> Part:
        """Store the bytes of a part, in place of those before.  Raises: Refusal."""
        self._upload(bucket, key, upload_id)
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
        folder = self._root / bucket / "uploads" / upload_id
        records = [files.read_record(path) for path in sorted(folder.glob("[0-9]*.json"))]
        return [_part_of(record) for record in records if record is not None]

    def list_uploads(self, bucket: str) -> list[Upload]:
        """Return the uploads of a bucket by key and id."""
        folder = self._root / bucket / "uploads"
        records = [files.read_record(one / "upload.json") for one in folder.iterdir()]
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
            before = self._replace(info, lambda _: None)
            doomed = self._detach_upload(bucket, upload_id)
        self._forget(before)
        self._drop(bucket, doomed, info)
        return info

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Drop an upload with its parts.  Raises: Refusal."""
        with self._locked(bucket):
            self._upload(bucket, key, upload_id)
            doomed = self._detach_upload(bucket, upload_id)
            info = self.find_object(bucket, key)
        self._drop(bucket, doomed, info)

    # --- Files

    @contextlib.contextmanager
    def _locked(self, bucket: str) -> Iterator[None]:
        with files.lock(self._root / ".locks" / bucket):
            yield

    def _find_bucket(self, name: str) -> Bucket | None:
        record = files.read_record(self._root / name / "bucket.json")
        if record is None:
            return None
        return Bucket(**{**record, "created_at": clock.parse(record["created_at"])})

    def _write_bucket(self, bucket: Bucket) -> None:
        files.write_record(self._root / bucket.name / "bucket.json", _plain(bucket))

    def _record(self, bucket: str, key: str) -> pathlib.Path:
        _check_key(key)
        return self._root / bucket / "keys" / f"{_file_name(key)}.json"

    def _names(self, bucket: str) -> Iterator[str]:
        """Yield the keys of a bucket."""
        for entry in os.scandir(self._root / bucket / "keys"):
            if entry.name.startswith("k"):
                yield unquote(entry.name[1:].removesuffix(".json"))
            elif entry.name.startswith("long"):
                record = files.read_record(pathlib.Path(entry.path))
                if record is not None:
                    yield record["key"]

    def _keep(self, bucket: str, pieces: Iterator[bytes]) -> tuple[str, int, str]:
        """Write bytes that no record names yet; return their file, size and MD5."""
        digest = hashlib.md5(usedforsecurity=False)

        def summed() -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        name = uuid.uuid4().hex
        try:
            size = files.write_new(self._root / bucket / "data" / name, summed())
        except FileNotFoundError:
            raise _gone() from None
        except OSError as error:
            raise refuse("ServiceUnavailable", "The store is full or fails.") from error
        return name, size, digest.hexdigest()

    def _link(self, source: str, name: str, bucket: str, linked: str) -> None:
        try:
            os.link(self._root / source / "data" / name, self._root / bucket / "data" / linked)
        except FileNotFoundError:
            raise refuse("NoSuchKey", "The specified key does not exist.") from None

    def _commit(self, info: ObjectInfo, check: Check) -> ObjectInfo:
        """Let a record name new bytes; those that it named before go, or the new ones."""
        try:
            with self._locked(info.bucket):
                before = self._replace(info, check)
        except BaseException:
            self._forget(info)
            raise
        self._forget(before)
        return info

    def _replace(self, info: ObjectInfo, check: Check) -> ObjectInfo | None:
        """Write a record and return the one before; the caller holds the lock."""
        self.get_bucket(info.bucket)
        before = self.find_object(info.bucket, info.key)
        check(before)
        files.sync_folder(self._root / info.bucket / "data")
        self._write(info)
        return before

    def _write(self, info: ObjectInfo) -> None:
        files.write_record(self._record(info.bucket, info.key), _plain(info))

    def _forget(self, info: ObjectInfo | None) -> None:
        if info is None:
            return
        for name, _ in info.data:
            (self._root / info.bucket / "data" / name).unlink(missing_ok=True)

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
        path = self._root / bucket / "uploads" / upload_id / f"{number:05}.json"
        data = self._root / bucket / "data"
        try:
            with self._locked(bucket):
                before = files.read_record(path)
                files.sync_folder(data)
                files.write_record(path, _plain(part))
        except FileNotFoundError:
            (data / name).unlink(missing_ok=True)
            raise _no_upload() from None
        if before is not None:
            (data / before["data"]).unlink(missing_ok=True)
        return part

    def _detach_upload(self, bucket: str, upload_id: str) -> pathlib.Path:
        """Take an upload out of sight; the caller holds the lock."""
        doomed = self._root / f".{uuid.uuid4().hex}"
        (self._root / bucket / "uploads" / upload_id).rename(doomed)
        return doomed

    def _drop(self, bucket: str, doomed: pathlib.Path, info: ObjectInfo | None) -> None:
        """Remove an upload that is out of sight, but no bytes that the object has."""
        used = {name for name, _ in info.data} if info is not None else set()
        for path in doomed.glob("[0-9]*.json"):
            record = files.read_record(path)
            if record is not None and record["data"] not in used:
                (self._root / bucket / "data" / record["data"]).unlink(missing_ok=True)
        shutil.rmtree(doomed)


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


def _file_name(key: str) -> str:
    """Return the name of a key's record; what is too long for a file name goes by its sum."""
    encoded = quote(key, safe="")
    if len(encoded) <= MAX_NAME_BYTES:
        return f"k{encoded}"
    return f"long-{hashlib.sha256(key.encode()).hexdigest()}"


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
