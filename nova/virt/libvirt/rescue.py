"""Rescue: start a guest from another image, with its own root disk attached."""

import logging
import os

from nova import exception
from nova.objects.action_request import ImageChoice
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.virt.libvirt import buses, configdrive, manifest, properties, rescue_info
from nova.virt.libvirt.disk import DiskStore
from nova.virt.libvirt.guest_setup import GuestSetup
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.imagecache import ImageSource, base_name
from nova.virt.libvirt.rescue_info import RescueInfo

LOG = logging.getLogger(__name__)

_CDROM = "cdrom"
_DEVICES = ("disk", _CDROM)


class Rescuer:
    """Rescues guests.

    Every step may be repeated: the note of the rescue is written when all its files are
    there, and it is the first to go.
    """

    def __init__(
        self,
        host: Host,
        images: ImageSource,
        disks: DiskStore,
        setup: GuestSetup,
        iso_program: str,
    ) -> None:
        self._host = host
        self._images = images
        self._disks = disks
        self._setup = setup
        self._iso_program = iso_program

    def rescue(
        self, detail: InstanceDetail, choice: ImageChoice, config_drive: dict[str, bytes] | None
    ) -> None:
        """Start the guest from a fresh disk of an image; it runs on until the disk is made.

        After an error the server is an ordinary one, that may be off.
        Raises: GuestNotFound when not even the files are there; image and driver errors.
        """
        instance = detail.instance
        directory = self._directory(instance)
        manifest.load(directory)
        info = self._plan(instance, choice, config_drive is not None)
        if rescue_info.find(directory) is not None:
            self._host.kill(instance.uuid)
        try:
            self._create_files(instance, choice, directory)
            if config_drive is not None:
                path = os.path.join(directory, rescue_info.CONFIG_DRIVE)
                configdrive.write(path, config_drive, self._iso_program)
            self._host.kill(instance.uuid)
            rescue_info.save(directory, info)
            self._setup.define_and_start(instance)
        except Exception:
            self._give_up(instance, directory)
            raise

    def _give_up(self, instance: Instance, directory: str) -> None:
        """Make an ordinary server of one whose rescue failed, without starting it."""
        try:
            if os.path.lexists(os.path.join(directory, rescue_info.FILE_NAME)):
                self._host.kill(instance.uuid)
                rescue_info.forget(directory)
                self._setup.define(instance)
            rescue_info.remove_files(directory)
        except (exception.NovaException, OSError):
            LOG.exception("Instance %s can not be put back after its rescue", instance.uuid)

    def unrescue(self, instance: Instance) -> None:
        """Start the guest from its own disk and delete the rescue files.

        Raises: GuestNotFound as rescue(); DriverError.
        """
        directory = self._directory(instance)
        if rescue_info.has_files(directory):
            self._host.kill(instance.uuid)
            rescue_info.forget(directory)
            self._setup.define(instance)
            rescue_info.remove_files(directory)
        self._setup.start(instance)

    def _directory(self, instance: Instance) -> str:
        directory = self._disks.directory(instance.uuid)
        if not os.path.isdir(directory):
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        return directory

    def _plan(self, instance: Instance, choice: ImageChoice, has_config_drive: bool) -> RescueInfo:
        """Decide how the guest is rescued; nothing is touched yet.

        Source: virt-driver, sections 2 and 11.
        """
        properties.parse(choice.properties, choice.image_ref)
        device = choice.properties.get("hw_rescue_device") or None
        bus = choice.properties.get("hw_rescue_bus") or None
        if device is not None and device not in _DEVICES:
            reason = f"its property hw_rescue_device must be one of {', '.join(_DEVICES)}."
            raise exception.ImageUnacceptable(image_id=choice.image_ref, reason=reason)
        stable = device is not None or bus is not None
        return RescueInfo(
            disk_format=self._disks.disk_format,
            base=base_name(choice.image_ref),
            image_ref=choice.image_ref,
            properties=dict(choice.properties),
            stable=stable,
            bus=self._bus(instance, choice, bus, device == _CDROM) if stable else None,
            cdrom=device == _CDROM,
            has_config_drive=has_config_drive,
            has_kernel=choice.kernel_id is not None,
            has_ramdisk=choice.ramdisk_id is not None,
        )

    def _bus(self, instance: Instance, choice: ImageChoice, wanted: str | None, cdrom: bool) -> str:
        hardware = self._setup.hardware
        own = properties.parse(instance.image_properties, instance.image_ref)
        machine = own.machine_type or hardware.machine_types.get(hardware.architecture or "")
        return buses.rescue_bus(hardware.virt_type, machine, wanted, choice.image_ref, cdrom)

    def _create_files(self, instance: Instance, choice: ImageChoice, directory: str) -> None:
        """Make the rescue disk, which is never larger than the flavor's (IMG-08)."""
        path = os.path.join(directory, rescue_info.DISK)
        image = self._images.get(choice.image_ref)
        self._disks.create_rescue(image, path, instance.flavor.root_gb)
        for image_id, name in (
            (choice.kernel_id, rescue_info.KERNEL),
            (choice.ramdisk_id, rescue_info.RAMDISK),
        ):
            if image_id is not None:
                self._disks.create_copy(self._images.get(image_id), os.path.join(directory, name))
