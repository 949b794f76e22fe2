"""Counters of a running guest.

Source: virt-driver (get_instance_diagnostics), compute-api-routes (GET diagnostics).
"""

import dataclasses

from nova.objects.lifecycle import PowerState


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CpuDiagnostics:
    """One virtual processor; time in nanoseconds, utilisation in percent."""

    id: int | None = None
    time_ns: int | None = None
    utilisation: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NicDiagnostics:
    """One interface; device is the host's name of it."""

    mac_address: str
    device: str | None = None
    rx_octets: int | None = None
    rx_errors: int | None = None
    rx_drop: int | None = None
    rx_packets: int | None = None
    tx_octets: int | None = None
    tx_errors: int | None = None
    tx_drop: int | None = None
    tx_packets: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiskDiagnostics:
    """One disk; device is the guest's name of it, such as vda."""

    device: str | None = None
    read_bytes: int | None = None
    read_requests: int | None = None
    write_bytes: int | None = None
    write_requests: int | None = None
    errors_count: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """Everything; driver is libvirt (the fake driver says libvirt too).

    maximum_memory_mb and used_memory_mb in MiB.  memory: the hypervisor's own figures by
    name, in KiB.
    """

    state: PowerState
    driver: str = "libvirt"
    hypervisor: str | None = None
    hypervisor_os: str | None = None
    uptime_s: int | None = None
    config_drive: bool = False
    cpus: tuple[CpuDiagnostics, ...] = ()
    nics: tuple[NicDiagnostics, ...] = ()
    disks: tuple[DiskDiagnostics, ...] = ()
    maximum_memory_mb: int | None = None
    used_memory_mb: int | None = None
    memory: dict[str, int] = dataclasses.field(default_factory=dict)
