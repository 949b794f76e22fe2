"""What the store knows of buckets, objects, uploads and parts."""

import dataclasses
import datetime
from collections.abc import Mapping

from nova.objectstore.payload import Checksum


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
    data: tuple[tuple[str, int], ...]
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
