"""Images: what the image service says of them, and what their bytes really are."""

import dataclasses
import datetime


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
