"""What the metadata service knows about one server."""

import dataclasses

from nova.objects.block_device import BlockDevice
from nova.objects.instance import InjectedFile, Instance


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestMetadata:
    """All that metadata documents are made from.

    password is the opaque text that the guest posted, "" when none; admin_password and
    injected_files exist only for the config drive that is written while a server is built.
    image_number, kernel_number and ramdisk_number stand for the images in EC2 ids.
    """

    instance: Instance
    block_devices: tuple[BlockDevice, ...] = ()
    injected_files: tuple[InjectedFile, ...] = ()
    admin_password: str | None = None
    password: str = ""
    image_number: int | None = None
    kernel_number: int | None = None
    ramdisk_number: int | None = None
