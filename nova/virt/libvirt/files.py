"""The files that a server's guest is started from: disks, kernel, config drive, console log."""

import os
from collections.abc import Iterable

from nova import exception
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.privileged import guest_files
from nova.virt.libvirt import configdrive, manifest
from nova.virt.libvirt.disk import GIB, MIB, DiskStore
from nova.virt.libvirt.guest_setup import KERNEL, RAMDISK
from nova.virt.libvirt.imagecache import ImageSource, base_name
from nova.virt.libvirt.manifest import DiskEntry

ROOT = "disk"
EPHEMERAL = "disk.local"
SWAP = "disk.swap"
CONFIG_DRIVE = "disk.config"

_CONSOLE_MODE = 0o640


class GuestFilesMaker:
    """Makes the files of servers.  iso_program: maker of config drives."""

    def __init__(self, images: ImageSource, disks: DiskStore, iso_program: str) -> None:
        self._images = images
        self._disks = disks
        self._iso_program = iso_program

    def create(
        self,
        detail: InstanceDetail,
        config_drive: dict[str, bytes] | None,
        keep: Iterable[DiskEntry] = (),
    ) -> str:
        """Make all files anew and return their directory; the list of disks comes last.

        keep: disks that stay as they are.
        Raises: image and driver errors, BlockDeviceNotSupported.
        """
        instance = detail.instance
        if instance.image_ref is None:
            raise exception.BlockDeviceNotSupported(reason="a server needs an image to boot from.")
        directory = self._disks.create_directory(instance.uuid)
        kept = {entry.name: entry for entry in keep}
        entries = [self._root(instance, instance.image_ref, directory)]
        if instance.flavor.ephemeral_gb:
            entries.append(
                kept.get(EPHEMERAL) or self.ephemeral(directory, instance.flavor.ephemeral_gb)
            )
        if instance.flavor.swap_mb:
            entries.append(self.swap(directory, instance.flavor.swap_mb))
        for image_id, name in ((instance.kernel_id, KERNEL), (instance.ramdisk_id, RAMDISK)):
            if image_id:
                path = os.path.join(directory, name)
                self._disks.create_copy(self._images.get(image_id), path)
        if config_drive is not None:
            path = os.path.join(directory, CONFIG_DRIVE)
            configdrive.write(path, config_drive, self._iso_program)
            entries.append(DiskEntry(name=CONFIG_DRIVE, disk_format="raw", cdrom=True))
        manifest.save(directory, tuple(entries))
        create_console_log(directory)
        return directory

    def ephemeral(self, directory: str, size_gb: int) -> DiskEntry:
        """Make the extra disk.  Raises: command errors."""
        self._disks.create_ephemeral(os.path.join(directory, EPHEMERAL), size_gb)
        return self._entry(EPHEMERAL, size_gb * GIB, f"ephemeral_{size_gb}")

    def swap(self, directory: str, size_mb: int) -> DiskEntry:
        """Make the swap disk.  Raises: command errors."""
        self._disks.create_swap(os.path.join(directory, SWAP), size_mb)
        return self._entry(SWAP, size_mb * MIB, f"swap_{size_mb}")

    def _root(self, instance: Instance, image_ref: str, directory: str) -> DiskEntry:
        image = self._images.get(image_ref)
        path = os.path.join(directory, ROOT)
        size = self._disks.create_root(image, path, instance.flavor.root_gb)
        return self._entry(ROOT, size, base_name(image.id))

    def _entry(self, name: str, size_bytes: int, base: str) -> DiskEntry:
        disk_format = self._disks.disk_format
        return DiskEntry(name=name, disk_format=disk_format, size_bytes=size_bytes, base=base)


def create_console_log(directory: str) -> None:
    """Begin a log of the service's own, so that it can read what is appended by root."""
    for name in os.listdir(directory):
        if name.startswith(guest_files.CONSOLE_LOG):
            os.unlink(os.path.join(directory, name))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(os.path.join(directory, guest_files.CONSOLE_LOG), flags, _CONSOLE_MODE))
