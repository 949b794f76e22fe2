"""Decide what hardware a server's guest gets.  Pure."""

import dataclasses
from collections.abc import Callable, Mapping

from nova import exception
from nova.objects import guest_limits, guest_rules, traits
from nova.objects.flavor import Flavor
from nova.objects.flavor_wishes import Wishes, truth
from nova.objects.guest_limits import Bandwidth
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.virt.libvirt import buses
from nova.virt.libvirt.guest import (
    GuestBoot,
    GuestConfig,
    GuestCpu,
    GuestDisk,
    GuestInterface,
    GuestNotes,
    GuestSocket,
    GuestSpice,
    GuestTpm,
)
from nova.virt.libvirt.processors import HostProcessors, guest_processors
from nova.virt.libvirt.properties import ImageProperties, parse

_QEMU_LIKE = frozenset({"kvm", "qemu", "test"})
_OS_TYPES = {"xen": "xen", "lxc": "exe", "uml": "uml"}
_SECURE_MACHINE = "q35"
_MAX_QUEUES = 256
_KB_PER_MBIT = 125
_KERNEL_COMMAND_LINE = "root=/dev/{root} console=tty0 console=ttyS0"

FilterOf = Callable[[Instance, Vif], str | None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HardwareSettings:
    """What the host's configuration says about every guest.

    virt_type is settled (never auto).  machine_types: default machine by architecture.
    cache_mode: how disks in files are cached.  vnc_listen None: no graphical console.
    random_source None: guests get no random number device unless their image asks.
    traits: what the host can do, None when that is not known.
    """

    virt_type: str
    architecture: str | None = None
    machine_types: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cpu_mode: str | None = None
    cpu_models: tuple[str, ...] = ()
    cache_mode: str | None = None
    vnc_listen: str | None = None
    vnc_keymap: str | None = None
    spice: GuestSpice | None = None
    tablet: bool = True
    virtio_nics: bool = True
    random_source: str | None = "/dev/urandom"
    memory_statistics_period_s: int = 10
    processors: HostProcessors = dataclasses.field(default_factory=HostProcessors)
    traits: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiskFile:
    """A file of a server that its guest gets as a disk, in guest order.

    bus: None for that of the server's other disks.  boot_first: the guest starts from it.
    """

    path: str
    disk_format: str
    cdrom: bool = False
    bus: str | None = None
    boot_first: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestFiles:
    """All files of a server; the root disk is the first of disks."""

    disks: tuple[DiskFile, ...] = ()
    kernel_path: str | None = None
    ramdisk_path: str | None = None
    console_log_path: str | None = None


def guest_config(
    instance: Instance,
    files: GuestFiles,
    settings: HardwareSettings,
    filter_of: FilterOf,
    serial_socket: GuestSocket | None = None,
) -> GuestConfig:
    """Return the configuration of a server's guest.

    filter_of names the packet filter of an interface, None for none.  serial_socket: where
    proxies reach its serial console, None for nowhere.
    Raises: ImageUnacceptable, BlockDeviceNotSupported, Invalid (flavor), DriverError.
    """
    wanted = parse(instance.image_properties, instance.image_ref)
    flavor, properties = instance.flavor, instance.image_properties
    _require_traits(instance, settings)
    secure = _secure_boot(instance, settings)
    default = settings.machine_types.get(settings.architecture or "")
    machine = wanted.machine_type or (_SECURE_MACHINE if secure else default)
    windows = (wanted.os_type or instance.os_type) == "windows"
    disks = _disks(files, settings, wanted, machine, instance)
    full = _os_type(settings.virt_type) == "hvm"
    return GuestConfig(
        virt_type=settings.virt_type,
        name=instance.name,
        uuid=instance.uuid,
        memory_mb=instance.flavor.memory_mb,
        vcpus=instance.flavor.vcpus,
        os_type=_os_type(settings.virt_type),
        architecture=settings.architecture,
        machine=machine,
        boot=dataclasses.replace(
            _boot(files, wanted, disks),
            firmware="efi" if secure or wanted.firmware_type == "uefi" else None,
            secure=secure,
            menu=_boot_menu(flavor, wanted),
        ),
        cpu=_cpu(settings),
        tuning=guest_limits.cpu_limits(flavor),
        processors=guest_processors(instance, settings.processors),
        hidden=full and (wanted.hidden or Wishes(flavor, {}).flag("hide_hypervisor_id")),
        hyperv=windows and settings.virt_type == "kvm",
        hpet=wanted.hpet,
        local_time=windows,
        disks=disks,
        interfaces=tuple(
            _interface(instance, vif, settings, wanted, filter_of) for vif in instance.vifs
        ),
        scsi_model=_scsi_model(disks, wanted),
        serial_log_path=files.console_log_path,
        serial_socket=serial_socket,
        serial_ports=guest_limits.serial_ports(flavor, properties),
        vnc_listen=settings.vnc_listen if full else None,
        vnc_keymap=settings.vnc_keymap,
        spice=settings.spice if full else None,
        tablet=full and _tablet(settings, wanted),
        input_bus=guest_rules.input_bus(flavor, properties),
        video_model=_video_model(settings, wanted) if full else None,
        video_ram_mb=guest_limits.video_ram_mb(flavor, properties),
        guest_agent=full and wanted.guest_agent,
        random_source=_random_source(instance.flavor, settings, wanted),
        random_rate=guest_limits.random_rate(flavor),
        tpm=_tpm(instance),
        watchdog_action=guest_rules.watchdog_action(flavor, properties),
        memory_statistics_period_s=settings.memory_statistics_period_s,
        notes=_notes(instance),
    )


def _os_type(virt_type: str) -> str:
    return _OS_TYPES.get(virt_type, "hvm")


def _disks(
    files: GuestFiles,
    settings: HardwareSettings,
    wanted: ImageProperties,
    machine: str | None,
    instance: Instance,
) -> tuple[GuestDisk, ...]:
    image_id, limits = instance.image_ref, guest_limits.disk_limits(instance.flavor)
    names = buses.DeviceNames()
    disks = []
    for file in files.disks:
        if file.bus:
            bus = file.bus
        elif file.cdrom:
            bus = buses.cdrom_bus(settings.virt_type, machine, wanted.cdrom_bus, image_id)
        else:
            bus = buses.disk_bus(settings.virt_type, machine, wanted.disk_bus, image_id)
        # A drive on the virtio bus is an ordinary disk that can not be written to.
        optical = file.cdrom and bus != "virtio"
        disks.append(
            GuestDisk(
                path=file.path,
                disk_format=file.disk_format,
                target=names.take(bus),
                bus=bus,
                device="cdrom" if optical else "disk",
                cache=None if file.cdrom else settings.cache_mode,
                read_only=file.cdrom,
                limits={} if file.cdrom else limits,
                boot_first=file.boot_first,
            )
        )
    return tuple(disks)


def _boot(files: GuestFiles, wanted: ImageProperties, disks: tuple[GuestDisk, ...]) -> GuestBoot:
    if not files.kernel_path:
        return GuestBoot()
    root = next((disk for disk in disks if disk.boot_first), disks[0] if disks else None)
    return GuestBoot(
        kernel_path=files.kernel_path,
        ramdisk_path=files.ramdisk_path,
        command_line=wanted.command_line
        or _KERNEL_COMMAND_LINE.format(root=root.target if root else "vda"),
    )


def _cpu(settings: HardwareSettings) -> GuestCpu | None:
    """Choose the processor model; without hardware help every guest gets QEMU's default."""
    mode = settings.cpu_mode or ("host-model" if settings.virt_type == "kvm" else "none")
    if mode == "none":
        return None
    if mode == "custom":
        return GuestCpu(mode=mode, model=settings.cpu_models[0])
    return GuestCpu(mode=mode)


def _require_traits(instance: Instance, settings: HardwareSettings) -> None:
    """Refuse firmware or a TPM that the host does not have: it may have been forced."""
    if settings.traits is None:
        return
    wanted = traits.required_traits(instance.flavor, instance.image_properties)
    missing = (wanted & traits.OF_HARDWARE) - set(settings.traits)
    if missing:
        reason = f"the host lacks {', '.join(sorted(missing))}."
        raise exception.DriverError(operation="give the server its hardware", reason=reason)


def _secure_boot(instance: Instance, settings: HardwareSettings) -> bool:
    """Tell whether the guest starts signed systems only; optional means where it can be."""
    properties = instance.image_properties
    wish = traits.secure_boot_wish(instance.flavor, properties)
    if wish != "optional":
        return wish == "required"
    able = traits.SECURE_BOOT in (settings.traits or ())
    machine = properties.get("hw_machine_type", _SECURE_MACHINE)
    return able and properties.get("hw_firmware_type") == "uefi" and _SECURE_MACHINE in machine


def _boot_menu(flavor: Flavor, wanted: ImageProperties) -> bool:
    own = flavor.extra_specs.get("hw:boot_menu")
    return wanted.boot_menu if own is None else truth("hw:boot_menu", own)


def _tpm(instance: Instance) -> GuestTpm | None:
    wish = traits.tpm_wish(instance.flavor, instance.image_properties)
    return None if wish is None else GuestTpm(version=wish[0], model=wish[1])


def _tablet(settings: HardwareSettings, wanted: ImageProperties) -> bool:
    if wanted.pointer_model:
        return wanted.pointer_model == "usbtablet"
    return settings.tablet and _has_screen(settings)


def _has_screen(settings: HardwareSettings) -> bool:
    return settings.vnc_listen is not None or settings.spice is not None


def _interface(
    instance: Instance,
    vif: Vif,
    settings: HardwareSettings,
    wanted: ImageProperties,
    filter_of: FilterOf,
) -> GuestInterface:
    if not vif.network.bridge:
        operation = f"use network {vif.network.label}"
        raise exception.DriverError(operation=operation, reason="it names no bridge.")
    default = "virtio" if settings.virtio_nics and settings.virt_type in _QEMU_LIKE else None
    return GuestInterface(
        mac=vif.address,
        bridge=vif.network.bridge,
        tap=vif.devname,
        model=wanted.vif_model or default,
        bandwidths=_bandwidths(instance, vif),
        queues=_queues(instance, wanted.vif_model or default),
        mtu=vif.network.mtu,
        filter_name=filter_of(instance, vif),
    )


def _bandwidths(instance: Instance, vif: Vif) -> dict[str, Bandwidth]:
    """Return the limits of a card: those of the flavor, else of the network times its factor.

    rxtx_base is in Mbit/s, what libvirt is told in kilobytes per second.
    """
    limits = guest_limits.bandwidths(instance.flavor)
    base = vif.network.rxtx_base
    if limits or not base:
        return limits
    average = max(1, round(base * instance.flavor.rxtx_factor * _KB_PER_MBIT))
    return {direction: Bandwidth(average=average) for direction in ("inbound", "outbound")}


def _queues(instance: Instance, model: str | None) -> int | None:
    """Return the number of queues of a card, None for one; only virtio can have more."""
    wishes = Wishes(instance.flavor, instance.image_properties)
    many = wishes.flag("vif_multiqueue_enabled") and model == "virtio"
    queues = min(instance.flavor.vcpus, _MAX_QUEUES)
    return queues if many and queues > 1 else None


def _scsi_model(disks: tuple[GuestDisk, ...], wanted: ImageProperties) -> str | None:
    if not any(disk.bus == "scsi" for disk in disks):
        return None
    return wanted.scsi_model or "virtio-scsi"


def _video_model(settings: HardwareSettings, wanted: ImageProperties) -> str | None:
    if wanted.video_model:
        return wanted.video_model
    if settings.spice is not None:
        return "qxl"
    return "virtio" if _has_screen(settings) else None


def _random_source(
    flavor: Flavor, settings: HardwareSettings, wanted: ImageProperties
) -> str | None:
    """Give a random number device unless the flavor forbids it."""
    if not guest_limits.random_allowed(flavor):
        return None
    if settings.virt_type not in _QEMU_LIKE:
        return None
    return settings.random_source or ("/dev/urandom" if wanted.rng_model else None)


def _notes(instance: Instance) -> GuestNotes:
    flavor = instance.flavor
    return GuestNotes(
        display_name=instance.display_name,
        flavor_name=flavor.name,
        flavor_memory_mb=flavor.memory_mb,
        flavor_vcpus=flavor.vcpus,
        flavor_disk_gb=flavor.root_gb,
        flavor_ephemeral_gb=flavor.ephemeral_gb,
        flavor_swap_mb=flavor.swap_mb,
        user_id=instance.user_id,
        project_id=instance.project_id,
        image_id=instance.image_ref,
        created_at=instance.created_at,
    )
