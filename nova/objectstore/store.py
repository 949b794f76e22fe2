"""The store: buckets, their objects, and their uploads in parts; tree.py tells where they are."""

import dataclasses
import datetime
import logging
import pathlib
import shutil
from collections.abc import Callable

from nova import clock
from nova.objectstore import files, keys, leftovers
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.payload import Payload
from nova.objectstore.records import Attributes, Bucket, ObjectInfo, Page, Upload
from nova.objectstore.selection import Selection
from nova.objectstore.tree import BUCKET_NAME, Tree, check_key, size_of_upload, told
from nova.objectstore.uploads import Uploads
from nova.objectstore.usage import Accounts, Quota, Usage, replacing

LOG = logging.getLogger(__name__)

Check = Callable[[ObjectInfo | None], None]

UNLIMITED = Quota()


class Store:
    """Buckets below a folder; quota: what each project may have."""

    def __init__(self, root: pathlib.Path, quota: Quota = UNLIMITED) -> None:
        self._root = root
        self._tree = Tree(root)
        self._accounts = Accounts(self._tree, quota)
        self._accounts.forget()
        self.uploads = Uploads(self._tree, self._accounts)

    # --- Buckets

    def list_buckets(self, project_id: str) -> list[Bucket]:
        """Return the buckets of a project by name."""
        return sorted(self._tree.buckets_of(project_id), key=lambda one: one.name)

    def get_bucket(self, name: str) -> Bucket:
        """Return a bucket.  Raises: Refusal."""
        return self._tree.get_bucket(name)

    def create_bucket(self, name: str, project_id: str, acl: str) -> None:
        """Make an empty bucket.  Raises: Refusal."""
        if not BUCKET_NAME.fullmatch(name) or ".." in name:
            raise refuse("InvalidBucketName", "The specified bucket is not valid.")
        with self._tree.locked(name):
            found = self._tree.find_bucket(name)
            if found is not None and found.project_id == project_id:
                raise refuse("BucketAlreadyOwnedByYou", "You already own the bucket of this name.")
            if found is not None:
                raise refuse("BucketAlreadyExists", "The requested bucket name is not available.")
            self._tree.make_bucket(
                Bucket(name=name, project_id=project_id, acl=acl, created_at=clock.utcnow())
            )

    def set_bucket_acl(self, name: str, acl: str) -> None:
        """Change who may list a bucket.  Raises: Refusal."""
        with self._tree.locked(name):
            self._tree.write_bucket(dataclasses.replace(self.get_bucket(name), acl=acl))

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket and the uploads that go on.  Raises: Refusal."""
        with self._tree.locked(name):
            self.get_bucket(name)
            if any(map(keys.is_record, files.names(self._root / name / "keys"))):
                raise refuse("BucketNotEmpty", "The bucket you tried to delete is not empty")
            doomed = self._root / files.fresh_name()
            parts = sum(size_of_upload(one) for one in self._tree.upload_folders(name))
            with self._accounts.charged(name, Usage(size_bytes=-parts)):
                (self._root / name).rename(doomed)
                files.sync_folder(self._root)
        shutil.rmtree(doomed)

    # --- Objects

    def find_object(self, bucket: str, key: str) -> ObjectInfo | None:
        """Return what is known of an object; None if there is none.  Raises: Refusal."""
        return self._tree.find_object(bucket, key)

    def list_objects(
        self, bucket: str, *, prefix: str, delimiter: str, marker: str, limit: int
    ) -> Page:
        """Return the objects after a marker in the order of their keys, rolled up at a delimiter.

        limit: of objects and common prefixes together.  Raises: Refusal.
        """
        selection = Selection(
            prefix=prefix, delimiter=delimiter, marker=marker, count=limit + 1 if limit else 0
        )
        with told():
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
        check_key(key)
        before = self.find_object(bucket, key)
        check(before)
        if payload.length is not None:
            self._accounts.expect(bucket, replacing(before, payload.length))
            self._tree.expect_room(payload.length)
        name, size, md5 = self._tree.keep(bucket, payload.pieces())
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
        check_key(key)
        self._accounts.expect(bucket, replacing(self.find_object(bucket, key), source.size_bytes))
        info = dataclasses.replace(
            source,
            bucket=bucket,
            key=key,
            attributes=attributes,
            modified_at=clock.utcnow(),
            data=self._tree.linked(source.bucket, source.data, bucket),
        )
        return self._commit(info, lambda _: None)

    def set_object_acl(self, bucket: str, key: str, acl: str) -> None:
        """Change who may read an object.  Raises: Refusal."""
        with self._tree.locked(bucket):
            info = self.find_object(bucket, key)
            if info is None:
                raise refuse("NoSuchKey", "The specified key does not exist.")
            self._tree.write_object(
                dataclasses.replace(info, attributes=info.attributes.with_acl(acl))
            )

    def delete_object(self, bucket: str, key: str) -> None:
        """Remove an object, if there is one.  Raises: Refusal."""
        with self._tree.locked(bucket):
            info = self.find_object(bucket, key)
            if info is None:
                return
            path = self._tree.record_path(bucket, key)
            with self._accounts.charged(bucket, Usage(size_bytes=-info.size_bytes, objects=-1)):
                path.unlink()
                files.sync_folder(path.parent)
        self._tree.forget(bucket, info.data)

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

    def _commit(self, info: ObjectInfo, check: Check) -> ObjectInfo:
        """Let a record name new bytes; those that it named before go, or the new ones."""
        with self._tree.unless_named(info), self._tree.locked(info.bucket):
            before = self._replace(info, check)
        self._tree.forget(info.bucket, before.data if before else ())
        return info

    def _replace(self, info: ObjectInfo, check: Check) -> ObjectInfo | None:
        """Write a record and return the one before; the caller holds the lock."""
        before = self.find_object(info.bucket, info.key)
        check(before)
        with self._accounts.charged(info.bucket, replacing(before, info.size_bytes)):
            self._tree.name_bytes(info)
        return before

    # --- Care

    def clean(self, *, leftovers_before: float, uploads_before: datetime.datetime) -> None:
        """Remove what crashes left and uploads that nobody goes on with.

        leftovers_before: seconds since 1970; what is younger may be in use.
        """
        for name in self._tree.bucket_names():
            try:
                self._clean_bucket(name, leftovers_before, uploads_before)
            except (FileNotFoundError, Refusal):
                LOG.debug("Bucket %s went meanwhile", name)
        leftovers.remove_of_store(self._root, leftovers_before)

    def _clean_bucket(
        self, name: str, leftovers_before: float, uploads_before: datetime.datetime
    ) -> None:
        for upload in self.uploads.list_all(name):
            if upload.created_at < uploads_before:
                self._expire(name, upload)
        leftovers.remove_of_bucket(self._root / name, leftovers_before)

    def _expire(self, bucket: str, upload: Upload) -> None:
        LOG.info("Upload %s to %s is too old.", upload.upload_id, bucket)
        try:
            self.uploads.abort(bucket, upload.key, upload.upload_id)
        except Refusal as error:
            LOG.debug("Upload %s ended meanwhile: %s", upload.upload_id, error)
