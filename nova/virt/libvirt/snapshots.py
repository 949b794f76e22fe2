"""Copies of root disks in files of their own.

Of a guest that is off, the disk itself is converted.  Of one that is on, libvirt copies
what the disk's own file holds into a file that is laid over the same base image, and goes
on until told to end: at that moment the copy is the disk, and only for that moment are the
guest's file systems frozen.  The guest never writes anywhere but to its own disk, so that
nothing has to be put together again when this service ends halfway.
Formats and base images come from lists of our own and from libvirt, never from the contents
of disks (IMG-07).  Source: virt-driver, section 10.
"""

import contextlib
import dataclasses
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from typing import NoReturn
from xml.etree import ElementTree

from nova import clock, concurrency, exception
from nova.objects.instance import Instance
from nova.objects.lifecycle import PowerState
from nova.privileged import disk_copies
from nova.virt.driver import SnapshotFile
from nova.virt.libvirt import definition, manifest, paths
from nova.virt.libvirt.definition import FoundDisk
from nova.virt.libvirt.disk import DiskStore
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.power import ON
from nova.virt.libvirt.properties import parse

LOG = logging.getLogger(__name__)

# Below the instances path; everything in it is the service's own.
DIRECTORY = "snapshots"

_FILE = "image"
_ROOT = "disk"
_COPY_FORMAT = "qcow2"
_COPY_TIMEOUT_S = 6 * 3600
_POLL_S = 0.25
_THAW_ATTEMPTS = 3
_PRIVATE_MODE = 0o700
_PASSAGE_MODE = 0o711
_FILE_MODE = 0o600


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Disk:
    """A file that can be converted, and the format it is known to have."""

    path: str
    disk_format: str


class Snapshots:
    """Snapshots of the guests of one host.

    cache_directory: where the base images are.  image_format: of the results; None keeps
    that of the disk.  sleep does the waiting.
    """

    def __init__(
        self,
        host: Host,
        disks: DiskStore,
        cache_directory: str,
        image_format: str | None = None,
        sleep: Callable[[float], object] = concurrency.sleep,
    ) -> None:
        self._host = host
        self._disks = disks
        self._tool = disks.tool
        self._cache_directory = cache_directory
        self._image_format = image_format
        self._sleep = sleep

    def take(self, instance: Instance, *, quiesce: bool = False) -> SnapshotFile:
        """Copy the root disk; what an earlier call left is removed first.

        quiesce: refuse when a running guest can not be frozen.
        Raises: GuestNotFound, GuestAgentUnavailable, DriverError, command errors.
        """
        power_state = self._power_state(instance)
        if quiesce and power_state in ON:
            _require_agent(instance)
        self.discard(instance)
        disk_format = self._root_format(instance)
        if power_state in ON:
            try:
                return self._take_live(instance, disk_format, quiesce)
            except exception.DriverError:
                if self._power_state(instance) in ON:
                    raise
                LOG.info("Guest %s went off while its disk was copied", instance.uuid)
        return self._take_cold(instance, disk_format)

    def discard(self, instance: Instance) -> None:
        """Delete the file of a snapshot, and end and remove one that was interrupted."""
        copy_path = self._copy_path(instance.uuid)
        if os.path.lexists(copy_path):
            self._end_interrupted(instance, copy_path)
            os.unlink(copy_path)
        self.remove_files(instance.uuid)

    def remove_files(self, instance_uuid: str) -> None:
        """Delete what is not in the server's own directory; nothing being there is fine."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._directory(instance_uuid))

    def list_uuids(self) -> set[str]:
        """Return the uuids of instances of whose snapshots there is any file."""
        results = os.path.join(self._disks.root, DIRECTORY)
        found = {name for name in self._disks.list_uuids() if self._has_copy(name)}
        with contextlib.suppress(FileNotFoundError):
            found |= {name for name in os.listdir(results) if paths.owner_of(name) == name}
        return found

    def _has_copy(self, instance_uuid: str) -> bool:
        return os.path.lexists(self._copy_path(instance_uuid))

    # --- Cold -------------------------------------------------------------------------------

    def _take_cold(self, instance: Instance, disk_format: str) -> SnapshotFile:
        self._disks.take_back(instance.uuid)
        disk = _Disk(path=self._root_path(instance.uuid), disk_format=disk_format)
        info = self._tool.info(disk.path, disk_format)
        self._require_base(info.backing_path, info.backing_format)
        return self._convert(instance.uuid, disk, disk_format, info.virtual_size_bytes)

    # --- Live -------------------------------------------------------------------------------

    def _take_live(self, instance: Instance, disk_format: str, quiesce: bool) -> SnapshotFile:
        disk = self._live_disk(instance.uuid)
        self._require_base(disk.backing_path, disk.backing_format)
        size = self._host.disk_size(instance.uuid, disk.target)
        copy_path = self._copy_path(instance.uuid)
        try:
            self._make_copy(instance, disk, copy_path, size, quiesce)
            copy = _Disk(path=copy_path, disk_format=_COPY_FORMAT)
            if not os.access(copy_path, os.R_OK):
                disk_copies.take_copy(instance.uuid)
            return self._convert(instance.uuid, copy, disk_format, size)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(copy_path)

    def _make_copy(
        self, instance: Instance, disk: FoundDisk, copy_path: str, size: int, quiesce: bool
    ) -> None:
        if disk.backing_path:
            self._tool.create_overlay(copy_path, disk.backing_path, "raw", size)
        else:
            self._tool.create(copy_path, _COPY_FORMAT, size)
        paths.set_mode(copy_path, _FILE_MODE)
        xml = _target_xml(copy_path)
        shallow = disk.backing_path is not None
        self._host.start_copy(instance.uuid, disk.target, xml, shallow=shallow)
        try:
            self._wait_for_copy(instance.uuid)
            with self._frozen(instance, quiesce):
                self._host.end_copy(instance.uuid, disk.target)
        except BaseException:
            with contextlib.suppress(exception.NovaException):
                self._host.end_copy(instance.uuid, disk.target)
            raise

    def _wait_for_copy(self, instance_uuid: str) -> None:
        deadline = clock.monotonic() + _COPY_TIMEOUT_S
        while not (disk := self._live_disk(instance_uuid)).copied:
            if disk.copy_path is None:
                _fail("its disk could not be copied.")
            if clock.monotonic() >= deadline:
                _fail("copying its disk took too long.")
            self._sleep(_POLL_S)

    @contextlib.contextmanager
    def _frozen(self, instance: Instance, required: bool) -> Iterator[None]:
        """Hold the guest's file systems still, where its agent can."""
        if not _has_agent(instance) or (
            not required and self._power_state(instance) is not PowerState.RUNNING
        ):
            yield
            return
        try:
            self._host.freeze(instance.uuid)
        except exception.DriverError:
            self._thaw(instance.uuid)
            if required:
                reason = "its file systems could not be frozen."
                raise exception.GuestAgentUnavailable(
                    instance_uuid=instance.uuid, reason=reason
                ) from None
            LOG.info("Guest %s is copied without being frozen", instance.uuid)
            yield
            return
        try:
            yield
        finally:
            self._thaw(instance.uuid)

    def _thaw(self, instance_uuid: str) -> None:
        for _ in range(_THAW_ATTEMPTS):
            try:
                self._host.thaw(instance_uuid)
            except exception.NovaException as error:
                LOG.warning("Guest %s could not be thawed: %s", instance_uuid, error)
            else:
                return

    def _end_interrupted(self, instance: Instance, copy_path: str) -> None:
        """End copying that an earlier process of this service began."""
        if self._host.find_guest(instance.uuid) is None:
            return
        try:
            disk = self._live_disk(instance.uuid)
            if disk.copy_path == copy_path:
                self._host.end_copy(instance.uuid, disk.target)
        except exception.DriverError as error:
            LOG.info("No copy of guest %s is under way: %s", instance.uuid, error)
        if _has_agent(instance) and self._power_state(instance) is PowerState.RUNNING:
            self._thaw(instance.uuid)

    def _live_disk(self, instance_uuid: str) -> FoundDisk:
        text = self._host.definition(instance_uuid, live=True)
        disk = definition.find_disk(text, self._root_path(instance_uuid))
        if disk is None:
            _fail("it does not use its root disk.")
        return disk

    # --- Both -------------------------------------------------------------------------------

    def _convert(
        self, instance_uuid: str, disk: _Disk, disk_format: str, size: int
    ) -> SnapshotFile:
        """Unite a disk with what it is laid over, in a file that appears whole."""
        wanted = self._image_format or disk_format
        directory = self._directory(instance_uuid)
        paths.ensure_directory(os.path.dirname(directory), _PASSAGE_MODE)
        paths.ensure_directory(directory, _PRIVATE_MODE)
        path = os.path.join(directory, _FILE)
        try:
            self._tool.convert(disk.path, disk.disk_format, path, wanted, size)
            paths.set_mode(path, _FILE_MODE)
        except BaseException:
            self.remove_files(instance_uuid)
            raise
        return SnapshotFile(path=path, disk_format=wanted)

    def _require_base(self, path: str | None, disk_format: str | None) -> None:
        """Check that a disk is laid over nothing but a base image."""
        if path is None:
            return
        inside = os.path.realpath(os.path.dirname(path)) == os.path.realpath(self._cache_directory)
        if not inside or disk_format != "raw":
            _fail("its disk is laid over a file that is no base image.")

    def _root_format(self, instance: Instance) -> str:
        for entry in manifest.load(self._disks.directory(instance.uuid)):
            if entry.name == _ROOT:
                return entry.disk_format
        _fail("it has no root disk.")

    def _power_state(self, instance: Instance) -> PowerState:
        guest = self._host.find_guest(instance.uuid)
        if guest is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        return guest.power_state

    def _root_path(self, instance_uuid: str) -> str:
        return os.path.join(self._disks.directory(instance_uuid), _ROOT)

    def _copy_path(self, instance_uuid: str) -> str:
        return os.path.join(self._disks.directory(instance_uuid), disk_copies.DISK_COPY)

    def _directory(self, instance_uuid: str) -> str:
        return paths.instance_directory(os.path.join(self._disks.root, DIRECTORY), instance_uuid)


def _target_xml(path: str) -> str:
    element = ElementTree.Element("disk", type="file")
    ElementTree.SubElement(element, "driver", type=_COPY_FORMAT)
    ElementTree.SubElement(element, "source", file=path)
    return ElementTree.tostring(element, encoding="unicode")


def _has_agent(instance: Instance) -> bool:
    return parse(instance.image_properties, instance.image_ref).guest_agent


def _require_agent(instance: Instance) -> None:
    if not _has_agent(instance):
        reason = "the image does not say that it has one (hw_qemu_guest_agent)."
        raise exception.GuestAgentUnavailable(instance_uuid=instance.uuid, reason=reason)


def _fail(reason: str) -> NoReturn:
    raise exception.DriverError(operation="take a snapshot of the server", reason=reason)
