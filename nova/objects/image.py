"""Images: what the image service says of them, and what their bytes really are."""

import dataclasses
import datetime

from nova.objects.unset import UNSET, UnsetType

# Names of an image's own fields, which are no free properties.
IMAGE_FIELDS = frozenset(
    [
        "id",
        "name",
        "status",
        "disk_format",
        "container_format",
        "size",
        "virtual_size",
        "min_disk",
        "min_ram",
        "checksum",
        "os_hash_algo",
        "os_hash_value",
        "os_hidden",
        "owner",
        "visibility",
        "created_at",
        "updated_at",
        "protected",
        "tags",
        "self",
        "file",
        "schema",
        "direct_url",
        "locations",
        "stores",
        "members",
    ]
)
# Properties that the image service keeps for itself.
RESERVED_PREFIX = "os_glance"


def is_free_property(name: str) -> bool:
    """Tell whether a user may give an image a property of this name."""
    return name not in IMAGE_FIELDS and not name.startswith(RESERVED_PREFIX)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image as its catalogue describes it.

    It deliberately has no location of any kind: bytes come from the image service alone.
    size_bytes None: no data yet.  os_hash_algo and os_hash_value are the strong checksum.
    properties are the free ones (hw_disk_bus, kernel_id, ...).
    """

    id: str
    name: str | None = None
    status: str = "active"
    disk_format: str | None = None
    container_format: str | None = None
    size_bytes: int | None = None
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    owner: str | None = None
    visibility: str = "private"
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    properties: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def kernel_id(self) -> str | None:
        """Id of the kernel image to boot with, if any."""
        return self.properties.get("kernel_id") or None

    @property
    def ramdisk_id(self) -> str | None:
        """Id of the ramdisk image to boot with, if any."""
        return self.properties.get("ramdisk_id") or None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewImage:
    """An image to be made, without data yet; it belongs to the caller's project alone."""

    name: str
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    properties: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageChange:
    """What changes of an image; formats only before there is data.

    visibility: public or private; who may make images public is the image service's rule.
    set_properties adds and overwrites; a property to be removed has to be there.
    """

    name: str | UnsetType = UNSET
    disk_format: str | UnsetType = UNSET
    container_format: str | UnsetType = UNSET
    visibility: str | UnsetType = UNSET
    set_properties: dict[str, str] = dataclasses.field(default_factory=dict)
    remove_properties: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageQuery:
    """One page of the images that a caller can see, newest first; all conditions must hold.

    statuses: any of these; none means any status.  changes_since: of the last change.
    """

    name: str | None = None
    statuses: tuple[str, ...] = ()
    owner: str | None = None
    min_disk_gb: int | None = None
    min_ram_mb: int | None = None
    changes_since: datetime.datetime | None = None
    properties: dict[str, str] = dataclasses.field(default_factory=dict)
    limit: int = 1000
    marker: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What the inspector found in the bytes of an image.

    format: raw, qcow2, vmdk, vdi, vhd, vhdx, luks or iso.
    virtual_size_bytes: what a guest would see.  file_size_bytes: what was read.
    partition_table: mbr, gpt or None, where the disk's first sectors lie open.
    """

    format: str
    virtual_size_bytes: int
    file_size_bytes: int
    partition_table: str | None = None
