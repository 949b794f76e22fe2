"""What the host has, for its report."""

import os

from nova.objects.service import NodeResources
from nova.virt.libvirt import manifest
from nova.virt.libvirt.capabilities import HostCapabilities
from nova.virt.libvirt.disk import GIB, DiskStore
from nova.virt.libvirt.hardware import HardwareSettings
from nova.virt.libvirt.host import HostFacts

_MEMORY_INFO = "/proc/meminfo"
_UPTIME = "/proc/uptime"
_LOAD = "/proc/loadavg"
_BLOCK = 512
_DAY_S = 24 * 60 * 60


def node_resources(
    facts: HostFacts,
    capabilities: HostCapabilities,
    disks: DiskStore,
    host_ip: str | None,
    hardware: HardwareSettings,
) -> NodeResources:
    """Return the resources of the host.

    Memory is the kernel's figure: libvirt may count one NUMA node only.
    """
    usable = hardware.processors
    status = os.statvfs(disks.root)
    free = status.f_bavail * status.f_frsize
    return NodeResources(
        hypervisor_hostname=facts.hostname,
        hypervisor_type=facts.hypervisor_type,
        hypervisor_version=facts.hypervisor_version,
        vcpus=usable.count if usable.limited else facts.cpus,
        memory_mb=total_memory_mb(_read(_MEMORY_INFO)) or facts.memory_mb,
        local_gb=status.f_blocks * status.f_frsize // GIB,
        free_disk_gb=free // GIB,
        disk_available_least=(free - promised_bytes(disks)) // GIB,
        host_ip=host_ip,
        cpu_info=capabilities.cpu.as_json(),
        supported_instances=capabilities.guests,
        traits=hardware.traits or (),
        numa_topology=usable.cells if usable.cells.cells else None,
        uptime=uptime_text(_read(_UPTIME), _read(_LOAD)),
    )


def promised_bytes(disks: DiskStore) -> int:
    """Return how many bytes the disks of guests may still grow."""
    promised = 0
    for directory in disks.directories():
        for entry in manifest.find(directory):
            try:
                used = os.lstat(os.path.join(directory, entry.name)).st_blocks * _BLOCK
            except FileNotFoundError:
                continue
            promised += max(0, entry.size_bytes - used)
    return promised


def total_memory_mb(meminfo: str) -> int | None:
    """Return the memory in MiB that the kernel reports.

    Source: proc(5), /proc/meminfo.
    """
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            return int(value.split()[0]) // 1024
    return None


def uptime_text(uptime: str, load: str) -> str:
    """Return what the command uptime would say, without clock and users."""
    seconds = int(float(uptime.split()[0]))
    days, rest = divmod(seconds, _DAY_S)
    clock = f"{rest // 3600:2d}:{rest % 3600 // 60:02d}"
    averages = ", ".join(load.split()[:3])
    return f"up {days} days, {clock}, load average: {averages}"


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()
