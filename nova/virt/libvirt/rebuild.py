"""Rebuild: fresh disks for a guest, in its place."""

import contextlib
import os
import shutil

from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.privileged import guest_files
from nova.virt.libvirt import manifest
from nova.virt.libvirt.disk import DiskStore
from nova.virt.libvirt.files import EPHEMERAL, GuestFilesMaker
from nova.virt.libvirt.guest_setup import KERNEL, RAMDISK, GuestSetup
from nova.virt.libvirt.host import Host


class Rebuilder:
    """Rebuilds guests; what an interrupted rebuild left is replaced by the next one."""

    def __init__(
        self, host: Host, disks: DiskStore, files: GuestFilesMaker, setup: GuestSetup
    ) -> None:
        self._host = host
        self._disks = disks
        self._files = files
        self._setup = setup

    def rebuild(
        self,
        detail: InstanceDetail,
        config_drive: dict[str, bytes] | None,
        *,
        power_on: bool,
        preserve_ephemeral: bool,
    ) -> None:
        """Replace all disks, those to be preserved apart, and forget the old definition.

        With the old definition its firmware variables and saved memory go.
        Raises: image and driver errors.
        """
        instance = detail.instance
        self._host.kill(instance.uuid)
        known = manifest.find(self._disks.directory(instance.uuid))
        keep = [entry for entry in known if preserve_ephemeral and entry.name == EPHEMERAL]
        directory = self._files.create(detail, config_drive, keep)
        _remove_others(instance, directory)
        self._host.undefine(instance.uuid)
        self._setup.define(instance)
        if power_on:
            self._setup.start(instance)


def _remove_others(instance: Instance, directory: str) -> None:
    """Remove what the new list of disks does not name."""
    wanted = {entry.name for entry in manifest.load(directory)} | {manifest.FILE_NAME}
    wanted |= {KERNEL} if instance.kernel_id else set()
    wanted |= {RAMDISK} if instance.ramdisk_id else set()
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if name in wanted or name.startswith(guest_files.CONSOLE_LOG):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
