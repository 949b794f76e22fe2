"""From the files of a server to a guest that is defined and started."""

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator

from nova import exception
from nova.objects.instance import Instance
from nova.privileged import guest_files
from nova.virt.libvirt import manifest, rescue_info, vif
from nova.virt.libvirt.disk import DiskStore
from nova.virt.libvirt.firewall import Firewall
from nova.virt.libvirt.guest import GuestSocket
from nova.virt.libvirt.hardware import DiskFile, GuestFiles, HardwareSettings, guest_config
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.manifest import DiskEntry
from nova.virt.libvirt.power import ON
from nova.virt.libvirt.rescue_info import RescueInfo
from nova.virt.libvirt.serial_ports import SerialPorts
from nova.virt.libvirt.xml import domain_xml

KERNEL = "kernel"
RAMDISK = "ramdisk"


class GuestSetup:
    """Defines and starts guests.  hardware may be replaced once it is settled."""

    def __init__(
        self,
        host: Host,
        disks: DiskStore,
        firewall: Firewall,
        hardware: HardwareSettings,
        serial_ports: SerialPorts | None = None,
    ) -> None:
        self.hardware = hardware
        self._serial_ports = serial_ports
        self._host = host
        self._disks = disks
        self._firewall = firewall

    def define(self, instance: Instance) -> None:
        """Write the definition, of a rescued server that with its rescue disk.

        What a suspended guest left is dropped: it fits the old definition only.
        Raises: ImageUnacceptable, BlockDeviceNotSupported, DriverError.
        """
        self._define(instance, None)

    def _define(self, instance: Instance, serial_socket: GuestSocket | None) -> None:
        vif.plug(instance.vifs)
        directory = self._disks.directory(instance.uuid)
        info = rescue_info.find(directory)
        files = files_of(instance, directory)
        if info is not None:
            files = rescue_files_of(info, directory, files)
            if not info.stable:
                instance = dataclasses.replace(instance, image_properties=info.properties)
        config = guest_config(
            instance, files, self.hardware, self._firewall.filter_of, serial_socket
        )
        self._host.forget_saved(instance.uuid)
        self._host.define(domain_xml(config))

    def start(self, instance: Instance) -> None:
        """Start a guest that is defined; a running one is left alone.

        A saved one goes on as it was.  Any other gets its definition anew: the consoles that
        the host's configuration says by now, on ports that are free by now.
        Raises: GuestNotFound; as define_and_start().
        """
        guest = self._host.find_guest(instance.uuid)
        if guest is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        if guest.power_state in ON or self._host.is_saved(instance.uuid):
            self._launch(instance)
        else:
            self.define_and_start(instance)

    def define_and_start(self, instance: Instance) -> None:
        """Write the definition and start.

        Raises: as define(); SocketPortRangeExhausted.
        """
        with self._serial_socket() as serial_socket:
            self._define(instance, serial_socket)
            self._launch(instance)

    @contextlib.contextmanager
    def _serial_socket(self) -> Iterator[GuestSocket | None]:
        ports = self._serial_ports
        if ports is None:
            yield None
            return
        with ports.reserved() as port:
            yield GuestSocket(listen=ports.listen, port=port)

    def _launch(self, instance: Instance) -> None:
        """Start a guest; the filters come before any interface."""
        vif.plug(instance.vifs)
        self._firewall.prepare(instance)
        self._host.start(instance.uuid)
        vif.set_up_ports(instance.vifs)


def files_of(instance: Instance, directory: str) -> GuestFiles:
    """Return what a server starts from.  Raises: DriverError."""
    return GuestFiles(
        disks=tuple(_disk_file(directory, entry) for entry in manifest.load(directory)),
        kernel_path=os.path.join(directory, KERNEL) if instance.kernel_id else None,
        ramdisk_path=os.path.join(directory, RAMDISK) if instance.ramdisk_id else None,
        console_log_path=os.path.join(directory, guest_files.CONSOLE_LOG),
    )


def rescue_files_of(info: RescueInfo, directory: str, own: GuestFiles) -> GuestFiles:
    """Return what a rescued server starts from; own: its files at other times.

    Source: virt-driver, section 11.
    """

    def path(name: str, there: bool) -> str | None:
        return os.path.join(directory, name) if there else None

    rescue = DiskFile(
        path=os.path.join(directory, rescue_info.DISK),
        disk_format=info.disk_format,
        cdrom=info.cdrom,
        bus=info.bus,
        boot_first=info.stable,
    )
    drives = tuple(disk for disk in own.disks if disk.cdrom)
    if info.has_config_drive:
        drive = os.path.join(directory, rescue_info.CONFIG_DRIVE)
        drives = (DiskFile(path=drive, disk_format="raw", cdrom=True),)
    if info.stable:
        disks = (*(disk for disk in own.disks if not disk.cdrom), *drives, rescue)
    else:
        disks = (rescue, own.disks[0], *drives)
    return dataclasses.replace(
        own,
        disks=disks,
        kernel_path=path(rescue_info.KERNEL, info.has_kernel),
        ramdisk_path=path(rescue_info.RAMDISK, info.has_ramdisk),
    )


def bases_in_use(directories: Iterable[str]) -> set[str]:
    """Return the names of base images that the disks in these directories are laid over."""
    found = set()
    for directory in directories:
        found |= {entry.base for entry in manifest.find(directory) if entry.base}
        with contextlib.suppress(exception.DriverError):
            info = rescue_info.find(directory)
            found |= {info.base} if info else set()
    return found


def _disk_file(directory: str, entry: DiskEntry) -> DiskFile:
    path = os.path.join(directory, entry.name)
    return DiskFile(path=path, disk_format=entry.disk_format, cdrom=entry.cdrom)
