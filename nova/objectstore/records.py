"""What the store knows of buckets, objects, uploads and parts, also as JSON has it."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from nova import clock
from nova.objectstore.payload import Checksum

Data = tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket; it belongs to a project."""

    name: str
    project_id: str
    acl: str
    created_at: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What is kept with an object besides its bytes; headers and metadata by lower-case names."""

    content_type: str
    acl: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def with_acl(self, acl: str) -> "Attributes":
        """Return the same with another access list."""
        return dataclasses.replace(self, acl=acl)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """An object; data: names of the files of its bytes, in order, with their sizes."""

    bucket: str
    key: str
    size_bytes: int
    etag: str
    modified_at: datetime.datetime
    attributes: Attributes
    data: Data
    checksum: Checksum | None = None

    @property
    def acl(self) -> str:
        """The access list."""
        return self.attributes.acl


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an upload."""

    number: int
    size_bytes: int
    etag: str
    modified_at: datetime.datetime
    data: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload in parts that has not come to its end."""

    upload_id: str
    key: str
    created_at: datetime.datetime
    attributes: Attributes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some entries of a list in order; next_marker: where the next page begins, if there is one."""

    objects: tuple[ObjectInfo, ...]
    common_prefixes: tuple[str, ...]
    next_marker: str | None


def plain(record: Bucket | ObjectInfo | Part | Upload) -> dict[str, Any]:
    """Return a record as JSON has it."""
    return {
        name: clock.isoformat(value) if isinstance(value, datetime.datetime) else value
        for name, value in dataclasses.asdict(record).items()
    }


def bucket_of(record: dict[str, Any]) -> Bucket:
    """Return the bucket of what plain() gave."""
    return Bucket(**{**record, "created_at": clock.parse(record["created_at"])})


def object_of(record: dict[str, Any]) -> ObjectInfo:
    """Return the object of what plain() gave."""
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


def part_of(record: dict[str, Any]) -> Part:
    """Return the part of what plain() gave."""
    return Part(**{**record, "modified_at": clock.parse(record["modified_at"])})


def upload_of(record: dict[str, Any]) -> Upload:
    """Return the upload of what plain() gave."""
    return Upload(
        **{
            **record,
            "created_at": clock.parse(record["created_at"]),
            "attributes": Attributes(**record["attributes"]),
        }
    )
