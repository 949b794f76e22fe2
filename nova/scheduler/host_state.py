"""What the scheduler knows of one host, and what a chosen server takes from it."""

import dataclasses
import math
from collections.abc import Mapping

from nova import exception
from nova.objects.flavor import Flavor
from nova.objects.numa import GuestNuma, HostNuma
from nova.objects.numa_fit import Fit, Ratios, fit
from nova.objects.numa_request import numa_request
from nova.objects.numa_usage import taken
from nova.objects.service import ComputeNode, HostSnapshot, Service


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """One host as filters and weighers see it.

    Capacities are (total - reserved) * ratio; what is free may be negative on a host whose
    ratios were lowered.
    """

    node: ComputeNode
    service: Service
    availability_zone: str
    vcpus_used: int
    memory_mb_used: int
    local_gb_used: int
    num_instances: int
    num_io_ops: int
    instance_uuids: frozenset[str]
    numa_topology: HostNuma | None = None
    aggregate_metadata: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def host(self) -> str:
        """Name of the host."""
        return self.node.host

    @property
    def nodename(self) -> str:
        """Name of the hypervisor."""
        return self.node.hypervisor_hostname

    @property
    def vcpu_capacity(self) -> float:
        """Number of VCPUs that servers may have in all."""
        return (self.node.vcpus - self.node.reserved_vcpus) * self.node.cpu_allocation_ratio

    @property
    def memory_mb_capacity(self) -> float:
        """Memory that servers may have in all."""
        usable = self.node.memory_mb - self.node.reserved_memory_mb
        return usable * self.node.ram_allocation_ratio

    @property
    def local_gb_capacity(self) -> float:
        """Disk that servers may have in all."""
        usable = self.node.local_gb - self.node.reserved_disk_gb
        return usable * self.node.disk_allocation_ratio

    @property
    def free_vcpus(self) -> float:
        """VCPUs that are left."""
        return self.vcpu_capacity - self.vcpus_used

    @property
    def free_memory_mb(self) -> float:
        """Memory that is left."""
        return self.memory_mb_capacity - self.memory_mb_used

    @property
    def free_gb(self) -> float:
        """Disk that is left."""
        return self.local_gb_capacity - self.local_gb_used

    def aggregate_numbers(self, key: str) -> list[float]:
        """Return the values of a key of the host's aggregates that are numbers."""
        return [number for text in self.aggregate_metadata.get(key, ()) for number in _number(text)]

    def numa_fit(self, wanted: GuestNuma) -> Fit:
        """Return how a server's cells fit here."""
        node = self.node
        ratios = Ratios(cpu=node.cpu_allocation_ratio, memory=node.ram_allocation_ratio)
        return fit(wanted, self.numa_topology, ratios)

    def consumed(
        self,
        flavor: Flavor,
        instance_uuid: str | None = None,
        image_properties: Mapping[str, str] | None = None,
    ) -> "HostState":
        """Return the host as it is with one more server that is being built."""
        uuids = self.instance_uuids
        cells = self.numa_topology
        wanted = wanted_cells(flavor, image_properties or {}) if cells is not None else None
        placed = self.numa_fit(wanted).guest if wanted is not None else None
        if cells is not None and placed is not None:
            cells = taken(cells, placed)
        return dataclasses.replace(
            self,
            vcpus_used=self.vcpus_used + flavor.vcpus,
            memory_mb_used=self.memory_mb_used + flavor.memory_mb,
            local_gb_used=self.local_gb_used + flavor.disk_gb,
            num_instances=self.num_instances + 1,
            num_io_ops=self.num_io_ops + 1,
            instance_uuids=uuids if instance_uuid is None else uuids | {instance_uuid},
            numa_topology=cells,
        )


def _number(text: str) -> list[float]:
    try:
        number = float(text)
    except ValueError:
        return []
    return [number] if math.isfinite(number) else []


def wanted_cells(flavor: Flavor, image_properties: Mapping[str, str]) -> GuestNuma | None:
    """Return the cells that a server asks for; what contradicts itself asks for none."""
    try:
        return numa_request(flavor, image_properties)
    except exception.Invalid:
        return None


def from_snapshot(snapshot: HostSnapshot) -> HostState:
    """Return the state that a snapshot describes."""
    node = snapshot.node
    return HostState(
        node=node,
        service=snapshot.service,
        availability_zone=snapshot.availability_zone,
        vcpus_used=node.vcpus_used,
        memory_mb_used=node.memory_mb_used,
        local_gb_used=node.local_gb_used,
        num_instances=max(node.running_vms, len(snapshot.instance_uuids)),
        num_io_ops=node.num_io_ops,
        instance_uuids=frozenset(snapshot.instance_uuids),
        numa_topology=node.numa_topology,
        aggregate_metadata=snapshot.aggregate_metadata,
    )
