"""Uploads in parts: begin, parts, the end as an object, or none."""

import contextlib
import dataclasses
import hashlib
import pathlib
import re
import shutil
import uuid
from collections.abc import Iterator
from typing import Any

from nova import clock
from nova.objectstore import files, records
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.payload import Payload
from nova.objectstore.records import Attributes, ObjectInfo, Part, Upload
from nova.objectstore.tree import Tree, check_key, part_records, size_of_upload, told
from nova.objectstore.usage import Accounts, Usage, replacing

MIN_PART_BYTES = 5 * 1024 * 1024

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


class Uploads:
    """The uploads of all buckets."""

    def __init__(self, tree: Tree, accounts: Accounts) -> None:
        self._tree, self._accounts = tree, accounts

    def create(self, bucket: str, key: str, attributes: Attributes) -> str:
        """Begin an upload and return its id.  Raises: Refusal."""
        check_key(key)
        upload = Upload(
            upload_id=uuid.uuid4().hex, key=key, created_at=clock.utcnow(), attributes=attributes
        )
        folder = self._folder(bucket, upload.upload_id)
        with told(), files.new_folder(folder, self._tree.root) as fresh:
            files.write_record(fresh / "upload.json", records.plain(upload))
        return upload.upload_id

    def put_part(
        self, bucket: str, key: str, upload_id: str, number: int, payload: Payload
    ) -> Part:
        """Store the bytes of a part, in place of those before.  Raises: Refusal."""
        self._get(bucket, key, upload_id)
        if payload.length is not None:
            before = files.read_record(self._part(bucket, upload_id, number))
            self._accounts.expect(bucket, _part_change(before, payload.length))
            self._tree.expect_room(payload.length)
        return self._add_part(bucket, upload_id, number, payload.pieces())

    def copy_part(
        self,
        pieces: files.Bytes,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
    ) -> Part:
        """Make a part of bytes of an object.  Raises: Refusal."""
        with contextlib.closing(pieces):
            self._get(bucket, key, upload_id)
            return self._add_part(bucket, upload_id, number, iter(pieces))

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        """Return the parts of an upload by number.  Raises: Refusal."""
        self._get(bucket, key, upload_id)
        return sorted(
            map(records.part_of, part_records(self._folder(bucket, upload_id))),
            key=lambda part: part.number,
        )

    def list_all(self, bucket: str) -> list[Upload]:
        """Return the uploads of a bucket by key and id.  Raises: Refusal."""
        with told():
            folders = self._tree.upload_folders(bucket)
        there = [files.read_record(folder / "upload.json") for folder in folders]
        found = [records.upload_of(record) for record in there if record is not None]
        return sorted(found, key=lambda one: (one.key.encode(), one.upload_id))

    def complete(
        self, bucket: str, key: str, upload_id: str, wanted: list[tuple[int, str]]
    ) -> ObjectInfo:
        """Make an object of the parts of these numbers and tags.  Raises: Refusal."""
        numbers = [number for number, _ in wanted]
        if numbers != sorted(set(numbers)):
            raise refuse("InvalidPartOrder", "The list of parts was not in ascending order.")
        with self._tree.locked(bucket):
            upload = self._get(bucket, key, upload_id)
            parts = _chosen(self.list_parts(bucket, key, upload_id), wanted)
            info = _assembled(bucket, upload, parts)
            info = dataclasses.replace(info, data=self._tree.linked(bucket, info.data, bucket))
            doomed = self._tree.root / files.fresh_name()
            before = self._finish(info, upload_id, doomed)
        self._tree.forget(bucket, before.data if before else ())
        self._drop(bucket, doomed)
        return info

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Drop an upload with its parts.  Raises: Refusal."""
        doomed = self._tree.root / files.fresh_name()
        with self._tree.locked(bucket):
            self._get(bucket, key, upload_id)
            size = size_of_upload(self._folder(bucket, upload_id))
            with self._accounts.charged(bucket, Usage(size_bytes=-size)):
                self._detach(bucket, upload_id, doomed)
        self._drop(bucket, doomed)

    def _folder(self, bucket: str, upload_id: str) -> pathlib.Path:
        return self._tree.root / bucket / "uploads" / upload_id

    def _part(self, bucket: str, upload_id: str, number: int) -> pathlib.Path:
        return self._folder(bucket, upload_id) / f"{number:05}.json"

    def _get(self, bucket: str, key: str, upload_id: str) -> Upload:
        record = None
        if _UPLOAD_ID.fullmatch(upload_id):
            record = files.read_record(self._folder(bucket, upload_id) / "upload.json")
        if record is None or record["key"] != key:
            raise _no_upload()
        return records.upload_of(record)

    def _add_part(self, bucket: str, upload_id: str, number: int, pieces: Iterator[bytes]) -> Part:
        name, size, md5 = self._tree.keep(bucket, pieces)
        part = Part(number=number, size_bytes=size, etag=md5, modified_at=clock.utcnow(), data=name)
        try:
            before = self._name_part(bucket, upload_id, part)
        except BaseException:
            there = files.read_record(self._part(bucket, upload_id, number))
            if there is None or there["data"] != name:
                self._tree.forget(bucket, [(name, size)])
            raise
        if before is not None:
            self._tree.forget(bucket, [(before["data"], before["size_bytes"])])
        return part

    def _name_part(self, bucket: str, upload_id: str, part: Part) -> dict[str, Any] | None:
        """Write the record of a part and return the one before."""
        path = self._part(bucket, upload_id, part.number)
        with self._tree.locked(bucket):
            if not files.is_folder(path.parent):
                raise _no_upload()
            before = files.read_record(path)
            with self._accounts.charged(bucket, _part_change(before, part.size_bytes)):
                files.sync_folder(self._tree.root / bucket / "data")
                files.write_record(path, records.plain(part))
        return before

    def _finish(self, info: ObjectInfo, upload_id: str, doomed: pathlib.Path) -> ObjectInfo | None:
        """Put the object of an upload in its place; the caller holds the lock."""
        with self._tree.unless_named(info):
            before = self._tree.find_object(info.bucket, info.key)
            parts = Usage(size_bytes=-size_of_upload(self._folder(info.bucket, upload_id)))
            change = replacing(before, info.size_bytes) + parts
            with self._accounts.charged(info.bucket, change):
                self._tree.name_bytes(info)
                self._detach(info.bucket, upload_id, doomed)
        return before

    def _detach(self, bucket: str, upload_id: str, doomed: pathlib.Path) -> None:
        """Take an upload out of sight; the caller holds the lock."""
        folder = self._folder(bucket, upload_id)
        folder.rename(doomed)
        files.sync_folder(folder.parent)

    def _drop(self, bucket: str, doomed: pathlib.Path) -> None:
        """Remove an upload that is out of sight."""
        for record in part_records(doomed):
            self._tree.forget(bucket, [(record["data"], record["size_bytes"])])
        shutil.rmtree(doomed)


def _part_change(before: dict[str, Any] | None, size_bytes: int) -> Usage:
    return Usage(size_bytes=size_bytes - (before["size_bytes"] if before else 0))


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


def _no_upload() -> Refusal:
    return refuse("NoSuchUpload", "The specified multipart upload does not exist.")
