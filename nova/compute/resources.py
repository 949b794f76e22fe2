"""What a host reports of itself."""

import dataclasses

from nova.objects.service import HostReport, NodeResources
from nova.virt.driver import ComputeDriver

BINARY = "nova-compute"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reserves:
    """What is kept for the host, and how far the rest is oversold; None: the default."""

    memory_mb: int = 512
    disk_mb: int = 0
    vcpus: int = 0
    cpu_allocation_ratio: float | None = None
    ram_allocation_ratio: float | None = None
    disk_allocation_ratio: float | None = None


def host_report(
    host: str, topic: str, driver: ComputeDriver, reserves: Reserves, my_ip: str | None
) -> HostReport:
    """Return the heartbeat with resources, without power states."""
    return HostReport(
        host=host,
        binary=BINARY,
        topic=topic,
        node=node_resources(driver.get_resources(), reserves, my_ip),
    )


def node_resources(found: NodeResources, reserves: Reserves, my_ip: str | None) -> NodeResources:
    """Add reserves and ratios to what the driver found; disk is rounded up to full GiB."""
    return dataclasses.replace(
        found,
        host_ip=found.host_ip or my_ip,
        reserved_memory_mb=reserves.memory_mb,
        reserved_disk_gb=-(-reserves.disk_mb // 1024),
        reserved_vcpus=reserves.vcpus,
        cpu_allocation_ratio=reserves.cpu_allocation_ratio or None,
        ram_allocation_ratio=reserves.ram_allocation_ratio or None,
        disk_allocation_ratio=reserves.disk_allocation_ratio or None,
    )
