"""What a guest consists of, as plain values; xml.py turns it into libvirt's words."""

import dataclasses
import datetime

from nova.objects.guest_limits import Bandwidth, CpuLimits, RandomRate
from nova.objects.guest_topology import CpuTopology
from nova.objects.numa import GuestCell


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
    limits: dict[str, int] = dataclasses.field(default_factory=dict)
    boot_first: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestInterface:
    """One network interface; tap is the name of its device on the host.

    bandwidths: by direction, inbound or outbound.  queues None: one.
    """

    mac: str
    bridge: str
    tap: str
    model: str | None = None
    mtu: int | None = None
    filter_name: str | None = None
    bandwidths: dict[str, Bandwidth] = dataclasses.field(default_factory=dict)
    queues: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestCpu:
    """The processor model; model is given for the mode custom only."""

    mode: str
    model: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestBoot:
    """How the guest starts: from its disks, or from a kernel given by path.

    secure: the firmware starts signed systems only.
    """

    kernel_path: str | None = None
    ramdisk_path: str | None = None
    command_line: str | None = None
    firmware: str | None = None
    secure: bool = False
    menu: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestProcessors:
    """How processors and memory lie on the host.

    cpus: host processors that the guest keeps to, empty for all.  pins: host processors by
    virtual one.  emulator: host processors of the emulator.  realtime: virtual processors
    scheduled in real time.  locked: memory that is never swapped out.  pmu None: as the
    hypervisor likes.
    """

    topology: CpuTopology | None = None
    cells: tuple[GuestCell, ...] = ()
    cpus: tuple[int, ...] = ()
    pins: dict[int, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    emulator: tuple[int, ...] = ()
    realtime: tuple[int, ...] = ()
    locked: bool = False
    pmu: bool | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestTpm:
    """A TPM emulated on the host; version 1.2 or 2.0."""

    version: str
    model: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestSpice:
    """A SPICE console.

    agent: the guest's agent has a channel.  secure: no connection without TLS.
    tuning: values of compression and streaming by libvirt's element.
    """

    listen: str
    keymap: str | None = None
    agent: bool = True
    secure: bool = False
    tuning: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestSocket:
    """An address and a port on which the guest's first serial port listens."""

    listen: str
    port: int


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
    serial_log_path: file that gets all output of the first serial port, None for no port.
    serial_socket: where proxies reach the first serial port, None for nowhere.
    hidden: the guest is not told that it runs on KVM.
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
    tuning: CpuLimits = dataclasses.field(default_factory=CpuLimits)
    processors: GuestProcessors = GuestProcessors()
    hidden: bool = False
    hyperv: bool = False
    hpet: bool = False
    local_time: bool = False
    disks: tuple[GuestDisk, ...] = ()
    interfaces: tuple[GuestInterface, ...] = ()
    scsi_model: str | None = None
    serial_log_path: str | None = None
    serial_socket: GuestSocket | None = None
    serial_ports: int = 1
    vnc_listen: str | None = None
    vnc_keymap: str | None = None
    spice: GuestSpice | None = None
    tablet: bool = False
    input_bus: str = "usb"
    video_model: str | None = None
    video_ram_mb: int | None = None
    guest_agent: bool = False
    random_source: str | None = None
    random_rate: RandomRate | None = None
    tpm: GuestTpm | None = None
    watchdog_action: str | None = None
    memory_statistics_period_s: int = 0
    notes: GuestNotes | None = None
