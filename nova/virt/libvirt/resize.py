"""Resize: another flavor for a guest on the same host, that can be taken back."""

import contextlib
import dataclasses
import os

from nova import exception
from nova.objects.flavor import Flavor
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.virt.libvirt import manifest
from nova.virt.libvirt.aside import Aside, copy_files
from nova.virt.libvirt.disk import GIB, DiskStore
from nova.virt.libvirt.files import EPHEMERAL, ROOT, SWAP, GuestFilesMaker, create_console_log
from nova.virt.libvirt.guest_setup import KERNEL, RAMDISK, GuestSetup
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.manifest import DiskEntry
from nova.virt.libvirt.power import GuestPower


class Resizer:
    """Resizes guests.  Every step may be repeated, also after a crash in its middle."""

    def __init__(
        self,
        host: Host,
        power: GuestPower,
        disks: DiskStore,
        files: GuestFilesMaker,
        setup: GuestSetup,
    ) -> None:
        self._host = host
        self._power = power
        self._disks = disks
        self._files = files
        self._setup = setup

    def put_aside(
        self, instance: Instance, flavor: Flavor, timeout_s: int, retry_interval_s: int
    ) -> None:
        """Stop the guest and put its disks aside, with working copies in place.

        Raises: ResizeRefused before anything happens; GuestNotFound, command errors.
        """
        directory = self._disks.directory(instance.uuid)
        _require_growth(instance, manifest.find(directory), flavor)
        self._power.shut_down(instance.uuid, timeout_s, retry_interval_s)

        def make_copy(source: str, target: str) -> None:
            self._disks.take_back(instance.uuid)
            entries = tuple(entry for entry in manifest.load(source) if entry.name != SWAP)
            names = [entry.name for entry in entries]
            names += [KERNEL] if instance.kernel_id else []
            names += [RAMDISK] if instance.ramdisk_id else []
            copy_files(source, target, names)
            manifest.save(target, entries)
            create_console_log(target)

        purpose = f"{instance.flavor.id} {flavor.id}\n"
        self._aside(instance).put(purpose, make_copy)

    def finish(self, detail: InstanceDetail, *, power_on: bool) -> None:
        """Give the working disks the sizes of the server's flavor, define and start.

        Raises: command and driver errors.
        """
        instance = detail.instance
        self._host.kill(instance.uuid)
        directory = self._disks.directory(instance.uuid)
        self._disks.take_back(instance.uuid)
        manifest.save(directory, self._fitted(instance.flavor, directory))
        if not instance.flavor.swap_mb:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, SWAP))
        self._define(instance, power_on)

    def confirm(self, instance: Instance) -> None:
        """Delete what was put aside.  Raises: DriverError."""
        self._aside(instance).drop()

    def revert(self, detail: InstanceDetail, *, power_on: bool) -> None:
        """Put the old disks back, define the guest with its old flavor, start it.

        Raises: DriverError.
        """
        instance = detail.instance
        aside = self._aside(instance)
        if aside.is_there():
            self._host.kill(instance.uuid)
        aside.back()
        self._define(instance, power_on)

    def _aside(self, instance: Instance) -> Aside:
        return Aside(self._disks.root, instance.uuid)

    def _define(self, instance: Instance, power_on: bool) -> None:
        self._setup.define(instance)
        if power_on:
            self._setup.start(instance)

    def _fitted(self, flavor: Flavor, directory: str) -> tuple[DiskEntry, ...]:
        """Make the disks fit a flavor and return their list, in guest order.

        The swap disk is always a fresh one: what the old one held means nothing now.
        """
        known = {entry.name: entry for entry in manifest.load(directory)}
        root, ephemeral = known.pop(ROOT), known.pop(EPHEMERAL, None)
        known.pop(SWAP, None)
        entries = [self._grown(root, directory, flavor.root_gb)]
        if flavor.ephemeral_gb:
            if ephemeral is None:
                entries.append(self._files.ephemeral(directory, flavor.ephemeral_gb))
            else:
                entries.append(self._grown(ephemeral, directory, flavor.ephemeral_gb))
        if flavor.swap_mb:
            entries.append(self._files.swap(directory, flavor.swap_mb))
        return (*entries, *known.values())

    def _grown(self, entry: DiskEntry, directory: str, size_gb: int) -> DiskEntry:
        size = size_gb * GIB
        if size <= entry.size_bytes:
            return entry
        self._disks.extend(os.path.join(directory, entry.name), entry.disk_format, size)
        return dataclasses.replace(entry, size_bytes=size)


def _require_growth(instance: Instance, entries: tuple[DiskEntry, ...], flavor: Flavor) -> None:
    """Refuse disks that would have to shrink.  A root size of 0 keeps what is there."""
    sizes = {entry.name: entry.size_bytes for entry in entries}
    if flavor.root_gb and flavor.root_gb * GIB < max(
        sizes.get(ROOT, 0), instance.flavor.root_gb * GIB
    ):
        reason = "its root disk can not shrink"
        raise exception.ResizeRefused(instance_uuid=instance.uuid, reason=reason)
    if flavor.ephemeral_gb < instance.flavor.ephemeral_gb:
        reason = "its ephemeral disk can not shrink"
        raise exception.ResizeRefused(instance_uuid=instance.uuid, reason=reason)
