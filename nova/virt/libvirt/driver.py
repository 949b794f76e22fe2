"""The libvirt driver: guests on this host."""

import dataclasses
import logging
import os
from collections.abc import Callable

from nova import concurrency, exception
from nova.objects.action_request import ImageChoice
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.objects.flavor import Flavor
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState
from nova.objects.path import GuestPath
from nova.objects.service import NodeResources
from nova.privileged import guest_files
from nova.virt.driver import EventSink
from nova.virt.libvirt import host_traits, path, probe, resources
from nova.virt.libvirt.capabilities import HostCapabilities
from nova.virt.libvirt.consoles import ReachedAt, connection_of
from nova.virt.libvirt.direct_io import supports_direct_io
from nova.virt.libvirt.disk import DiskStore
from nova.virt.libvirt.files import GuestFilesMaker
from nova.virt.libvirt.firewall import Firewall
from nova.virt.libvirt.guest_setup import GuestSetup, bases_in_use
from nova.virt.libvirt.hardware import HardwareSettings
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.imagecache import ImageCache, ImageSource
from nova.virt.libvirt.interfaces import GuestInterfaces
from nova.virt.libvirt.live import LiveOperations
from nova.virt.libvirt.power import GuestPower
from nova.virt.libvirt.rebuild import Rebuilder
from nova.virt.libvirt.rescue import Rescuer
from nova.virt.libvirt.resize import Resizer
from nova.virt.libvirt.serial_ports import SerialPorts
from nova.virt.libvirt.snapshots import Snapshots

LOG = logging.getLogger(__name__)

CONSOLE_BYTES = 100 * 1024
AUTO = "auto"

_QEMU_LIKE = frozenset({"kvm", "qemu"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DriverSettings:
    """What the configuration says; hardware.virt_type may be auto.

    host_ip: management address of the host.  iso_program: maker of config drives.
    snapshot_format: of snapshots, None for that of the disk.  serial_ports None: guests have
    no serial console that proxies reach.
    """

    hardware: HardwareSettings
    host_ip: str | None = None
    probe_timeout_s: int = 5
    iso_program: str = "genisoimage"
    cpu_dedicated_set: str | None = None
    cpu_shared_set: str | None = None
    snapshot_format: str | None = None
    serial_ports: SerialPorts | None = None
    reached_at: ReachedAt = dataclasses.field(default_factory=ReachedAt)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where disks come from."""

    images: ImageSource
    cache: ImageCache
    disks: DiskStore


class LibvirtDriver(LiveOperations):
    """Guests of one libvirt.  Calls about one instance must not overlap.

    sleep does the waiting for guests.
    """

    def __init__(
        self,
        host: Host,
        storage: Storage,
        firewall: Firewall,
        settings: DriverSettings,
        sleep: Callable[[float], object] = concurrency.sleep,
    ) -> None:
        self._host = host
        self._images = storage.images
        self._cache = storage.cache
        self._disks = storage.disks
        self._firewall = firewall
        self._power = GuestPower(host, sleep)
        self._settings = settings
        setup = GuestSetup(host, self._disks, firewall, settings.hardware, settings.serial_ports)
        files = GuestFilesMaker(self._images, self._disks, settings.iso_program)
        self._setup, self._files = setup, files
        self._rebuilder = Rebuilder(host, self._disks, files, setup)
        self._resizer = Resizer(host, self._power, self._disks, files, setup)
        self._rescuer = Rescuer(host, self._images, self._disks, setup, settings.iso_program)
        self._interfaces = GuestInterfaces(host, firewall, sleep)
        self._snapshots = Snapshots(
            host,
            self._disks,
            storage.cache.directory,
            image_format=settings.snapshot_format,
            sleep=sleep,
        )
        self._capabilities: HostCapabilities | None = None
        self._host_name = ""

    # --- Host -------------------------------------------------------------------------------

    def init_host(self, host: str, sink: EventSink) -> None:
        """Connect, settle the kind of guest and define the shared packet filters.

        Raises: HypervisorUnavailable, ConfigurationError, DriverError.
        """
        self._host_name = host
        self._host.connect()
        os.makedirs(self._disks.root, mode=0o711, exist_ok=True)
        self._cache.remove_leftovers()
        self._capabilities = self._host.capabilities()
        self._setup.hardware = self._settle(self._settings.hardware, self._capabilities)
        self._firewall.init_host()
        concurrency.spawn(self._pump_events, sink, name="guest-events")

    def cleanup_host(self) -> None:
        """Let go of libvirt; guests keep running."""
        self._host.close()

    def get_resources(self) -> NodeResources:
        """Return what the host has."""
        capabilities = self._capabilities or self._host.capabilities()
        facts = self._host.facts()
        return resources.node_resources(
            facts, capabilities, self._disks, self._settings.host_ip, self._setup.hardware
        )

    def list_guests(self) -> dict[str, PowerState]:
        """Return the power state of every guest of a server."""
        return {guest.uuid: guest.power_state for guest in self._host.list_guests()}

    # --- Spawn ------------------------------------------------------------------------------

    def spawn(self, detail: InstanceDetail, config_drive: dict[str, bytes] | None) -> None:
        """Fetch the image, make disks, define and start the guest.

        Raises: image and driver errors, BlockDeviceNotSupported.
        """
        instance = detail.instance
        self._host.kill(instance.uuid)
        self._files.create(detail, config_drive)
        self._setup.define_and_start(instance)
        LOG.info("Guest %s of instance %s started", instance.name, instance.uuid)

    def destroy(self, instance: Instance, *, destroy_disks: bool = True) -> None:
        """Power off, undefine and delete; a guest that does not exist is fine."""
        self._remove_guest(instance.uuid, instance.name)
        if destroy_disks:
            self._snapshots.remove_files(instance.uuid)
            self._disks.remove_directory(instance.uuid)

    def destroy_leftover(self, instance_uuid: str) -> None:
        """Destroy guest and files of an instance of which nothing but the uuid is known."""
        guest = self._host.find_guest(instance_uuid)
        if guest is not None:
            self._remove_guest(instance_uuid, guest.name)
        self._snapshots.remove_files(instance_uuid)
        self._disks.remove_directory(instance_uuid)

    def list_files(self) -> set[str]:
        """Return the uuids of instances whose files are on this host."""
        return self._disks.list_uuids()

    # --- Power ------------------------------------------------------------------------------

    def power_on(self, instance: Instance) -> None:
        """Start the guest; a running one is left alone.  Raises: GuestNotFound, DriverError."""
        self._setup.start(instance)

    def power_off(self, instance: Instance, timeout_s: int, retry_interval_s: int) -> None:
        """Ask the guest to shut down, again each interval, and force it after timeout_s.

        Raises: GuestNotFound.
        """
        self._power.shut_down(instance.uuid, timeout_s, retry_interval_s)

    def reboot_soft(self, instance: Instance, timeout_s: int) -> bool:
        """Ask the guest to reboot; False when it did not within timeout_s.

        Raises: GuestNotFound.
        """
        return self._power.reboot_softly(instance.uuid, timeout_s)

    def reboot_hard(self, instance: Instance) -> None:
        """Cut the power, write the definition anew and start; a rescued guest stays one.

        Raises: GuestNotFound when not even the files are there; DriverError.
        """
        if not os.path.isdir(self._disks.directory(instance.uuid)):
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        self._host.kill(instance.uuid)
        self._setup.define_and_start(instance)

    def get_power_state(self, instance: Instance) -> PowerState:
        """Return the power state; NOSTATE when there is no guest."""
        guest = self._host.find_guest(instance.uuid)
        return PowerState.NOSTATE if guest is None else guest.power_state

    # --- Rescue, rebuild, resize ------------------------------------------------------------

    def rescue(
        self, detail: InstanceDetail, image: ImageChoice, config_drive: dict[str, bytes] | None
    ) -> None:
        """Start the guest from a fresh disk of image, its own root disk second.

        Raises: image and driver errors.
        """
        self._rescuer.rescue(detail, image, config_drive)

    def unrescue(self, instance: Instance) -> None:
        """Start the guest from its own disk.  Raises: GuestNotFound, DriverError."""
        self._rescuer.unrescue(instance)

    def rebuild(
        self,
        detail: InstanceDetail,
        config_drive: dict[str, bytes] | None,
        *,
        power_on: bool,
        preserve_ephemeral: bool = False,
    ) -> None:
        """Replace the guest's disks by fresh ones.  Raises: image and driver errors."""
        self._rebuilder.rebuild(
            detail, config_drive, power_on=power_on, preserve_ephemeral=preserve_ephemeral
        )

    def migrate_disk_and_power_off(
        self, instance: Instance, flavor: Flavor, timeout_s: int, retry_interval_s: int
    ) -> None:
        """Stop the guest and put its disks aside.  Raises: ResizeRefused, GuestNotFound, ..."""
        self._resizer.put_aside(instance, flavor, timeout_s, retry_interval_s)

    def finish_migration(
        self, detail: InstanceDetail, old_flavor: Flavor, *, power_on: bool
    ) -> None:
        """Give the guest its new flavor; that of before is not needed here."""
        self._resizer.finish(detail, power_on=power_on)

    def confirm_migration(self, instance: Instance) -> None:
        """Delete what was put aside.  Raises: DriverError."""
        self._resizer.confirm(instance)

    def finish_revert_migration(self, detail: InstanceDetail, *, power_on: bool) -> None:
        """Put back what was put aside.  Raises: DriverError."""
        self._resizer.revert(detail, power_on=power_on)

    # --- Console ----------------------------------------------------------------------------

    def get_console_output(self, instance: Instance) -> bytes:
        """Return at most the last 100 KiB.  Raises: ConsoleNotAvailable.

        The log is the service's own until libvirt's log daemon begins a new file.
        """
        try:
            try:
                text = guest_files.tail_of_console(self._disks.root, instance.uuid, CONSOLE_BYTES)
            except PermissionError:
                text = guest_files.read_console_tail(instance.uuid, CONSOLE_BYTES)
        except (OSError, ValueError) as error:
            LOG.warning("The console log of %s can not be read: %s", instance.uuid, error)
            text = None
        if text is None:
            raise exception.ConsoleNotAvailable(instance_uuid=instance.uuid)
        return text

    def get_console(self, instance: Instance, console_type: ConsoleType) -> ConsoleConnection:
        """Return where a running guest's console of a type listens.

        Raises: ConsoleTypeUnavailable, GuestNotFound, GuestNotRunning, DriverError.
        """
        if self._power.is_off(instance.uuid):
            raise exception.GuestNotRunning(instance_uuid=instance.uuid)
        definition = self._host.definition(instance.uuid, live=True)
        found = connection_of(definition, console_type, self._settings.reached_at)
        if found is None:
            raise exception.ConsoleTypeUnavailable(console_type=console_type.value)
        return found

    # --- Network ----------------------------------------------------------------------------

    def describe_path(self, instance: Instance) -> GuestPath:
        """Return devices and rules on the way of a guest's packets.  Raises: DriverError."""
        return path.describe(instance, self._host_name, self.get_power_state(instance))

    # --- Image cache ------------------------------------------------------------------------

    def remove_unused_images(self) -> list[str]:
        """Remove base images that no disk needs and that are old; return their names.

        What disks are laid over stands in their lists: the disks themselves belong to the
        hypervisor's user while guests run.
        """
        return self._cache.age_out(bases_in_use(self._disks.directories()))

    def cache_image(self, image_id: str) -> bool:
        """Fetch an image into the cache; False when it was there.  Raises: image errors."""
        return self._cache.fetch_ahead(self._images.get(image_id))

    # --- Inside -----------------------------------------------------------------------------

    def _settle(self, wanted: HardwareSettings, capabilities: HostCapabilities) -> HardwareSettings:
        virt_type = wanted.virt_type
        if virt_type == AUTO:
            timeout_s = self._settings.probe_timeout_s
            verdict = probe.choose_virt_type(self._host, capabilities, self._disks.root, timeout_s)
            virt_type = verdict.virt_type
        elif not capabilities.offers(virt_type):
            reason = f"libvirt offers no guests of virt_type {virt_type} on this host."
            raise exception.ConfigurationError(reason=reason)
        default_cache = "none" if supports_direct_io(self._disks.root) else "writethrough"
        return dataclasses.replace(
            wanted,
            virt_type=virt_type,
            architecture=capabilities.cpu.architecture or None,
            cache_mode=wanted.cache_mode or default_cache,
            processors=host_traits.host_processors(
                capabilities.cells, self._settings.cpu_dedicated_set, self._settings.cpu_shared_set
            ),
            traits=self._traits(capabilities.cpu.architecture, virt_type),
        )

    def _traits(self, architecture: str, virt_type: str) -> tuple[str, ...]:
        """Return what guests of a kind can have here; only QEMU tells."""
        if virt_type not in _QEMU_LIKE:
            return ()
        try:
            text = self._host.domain_capabilities(architecture, virt_type)
        except exception.DriverError as error:
            LOG.warning("Guests get neither UEFI nor TPM on this host: %s", error)
            return ()
        return host_traits.traits_of(text)

    def _pump_events(self, sink: EventSink) -> None:
        """Hand on what libvirt saw, until the connection is closed."""
        while (event := self._host.events.get()) is not None:
            sink(event)

    def _remove_guest(self, instance_uuid: str, name: str) -> None:
        """Remove the filters before the definition, by which leftovers are found."""
        self._host.kill(instance_uuid)
        self._firewall.remove(name)
        self._host.undefine(instance_uuid)
