"""What a guest consists of, as plain values; xml.py turns it into libvirt's words."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestDisk:
    """One disk as the guest sees it.

    device: disk or cdrom.  target: device name such as vda, a hint for most buses.
    disk_format is the one the file is known to have; it is never found out by probing.
    boot_first: the guest starts from this disk, wherever it stands.
    """

    path: str
    disk_format: str
    target: str
    bus: str
    device: str = "disk"
    cache: str | None = None
    serial: str | None = None
    read_only: bool = False
    boot_first: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestInterface:
    """One network interface; tap is the name of its device on the host."""

    mac: str
    bridge: str
    tap: str
    model: str | None = None
    mtu: int | None = None
    filter_name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestCpu:
    """The processor model; model is given for the mode custom only."""

    mode: str
    model: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestBoot:
    """How the guest starts: from its disks, or from a kernel given by path."""

    kernel_path: str | None = None
    ramdisk_path: str | None = None
    command_line: str | None = None
    firmware: str | None = None
    menu: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestTuning:
    """Shares and limits of processor time; periods and quotas in microseconds."""

    cpu_shares: int | None = None
    cpu_period: int | None = None
    cpu_quota: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestNotes:
    """What the definition tells an administrator about the server."""

    display_name: str
    flavor_name: str
    flavor_memory_mb: int
    flavor_vcpus: int
    flavor_disk_gb: int
    flavor_ephemeral_gb: int
    flavor_swap_mb: int
    user_id: str
    project_id: str
    image_id: str | None = None
    created_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestConfig:
    """Everything that the definition of a guest says.

    virt_type: libvirt's domain type.  os_type: hvm, xen, exe, uml.
    architecture and machine None: libvirt's default.
    vnc_listen: address of the graphical console, None for no console.
    serial_log_path: file that gets all serial output, None for no serial port.
    """

    virt_type: str
    name: str
    uuid: str
    memory_mb: int
    vcpus: int
    os_type: str = "hvm"
    architecture: str | None = None
    machine: str | None = None
    boot: GuestBoot = GuestBoot()
    cpu: GuestCpu | None = None
    tuning: GuestTuning = GuestTuning()
    local_time: bool = False
    disks: tuple[GuestDisk, ...] = ()
    interfaces: tuple[GuestInterface, ...] = ()
    scsi_model: str | None = None
    serial_log_path: str | None = None
    vnc_listen: str | None = None
    tablet: bool = False
    video_model: str | None = None
    guest_agent: bool = False
    random_source: str | None = None
    watchdog_action: str | None = None
    memory_statistics_period_s: int = 0
    notes: GuestNotes | None = None
