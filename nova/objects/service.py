"""Services (daemons that report), compute nodes and what hosts report."""

import dataclasses
import datetime

from nova.objects.lifecycle import PowerState
from nova.objects.numa import HostNuma
from nova.objects.unset import UNSET, UnsetType


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A daemon on a host.  is_up is judged by the conductor's clock."""

    id: int
    uuid: str
    host: str
    binary: str
    topic: str
    report_count: int = 0
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False
    last_seen_up: datetime.datetime | None = None
    version: int = 0
    availability_zone: str | None = None
    is_up: bool = False
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChange:
    """Fields of a service that an administrator changes."""

    disabled: bool | UnsetType = UNSET
    disabled_reason: str | UnsetType | None = UNSET
    forced_down: bool | UnsetType = UNSET


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeResources:
    """What a hypervisor has, as its driver reports it.

    local_gb and free_disk_gb are of the file system that holds the instances;
    supported_instances are (architecture, hypervisor type, vm mode) triples;
    cpu_info and stats are JSON-like flat values.  traits: what the host can do, in the words
    of os-traits.  numa_topology: the cells, without what servers have of them.
    """

    hypervisor_hostname: str
    hypervisor_type: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    local_gb: int
    free_disk_gb: int
    disk_available_least: int | None = None
    host_ip: str | None = None
    cpu_info: str = ""
    supported_instances: tuple[tuple[str, str, str], ...] = ()
    uptime: str | None = None
    traits: tuple[str, ...] = ()
    numa_topology: HostNuma | None = None
    reserved_memory_mb: int = 0
    reserved_disk_gb: int = 0
    reserved_vcpus: int = 0
    cpu_allocation_ratio: float | None = None
    ram_allocation_ratio: float | None = None
    disk_allocation_ratio: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ComputeNode:
    """A hypervisor with what is claimed on it.

    The *_used columns hold what the conductor has granted; generation grows with each
    change and lets the scheduler pull only what changed.
    """

    id: int
    uuid: str
    host: str
    hypervisor_hostname: str
    hypervisor_type: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    local_gb: int
    vcpus_used: int = 0
    memory_mb_used: int = 0
    local_gb_used: int = 0
    free_disk_gb: int = 0
    disk_available_least: int | None = None
    running_vms: int = 0
    num_io_ops: int = 0
    failed_builds: int = 0
    host_ip: str | None = None
    cpu_info: str = ""
    supported_instances: tuple[tuple[str, str, str], ...] = ()
    uptime: str | None = None
    traits: tuple[str, ...] = ()
    numa_topology: HostNuma | None = None
    reserved_memory_mb: int = 0
    reserved_disk_gb: int = 0
    reserved_vcpus: int = 0
    cpu_allocation_ratio: float = 16.0
    ram_allocation_ratio: float = 1.5
    disk_allocation_ratio: float = 1.0
    generation: int = 0
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisor:
    """A compute node together with its service and zone, for administrators."""

    node: ComputeNode
    service: Service
    servers: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HypervisorQuery:
    """One page of hypervisors; with_servers adds (uuid, name) pairs of their servers."""

    hypervisor_id: str | None = None
    hostname_pattern: str | None = None
    with_servers: bool = False
    limit: int = 1000
    marker: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostSnapshot:
    """What the scheduler needs to know of one host."""

    node: ComputeNode
    service: Service
    availability_zone: str
    aggregate_metadata: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    instance_uuids: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostsChanged:
    """Answer to a delta pull: hosts changed since a generation, and hosts that are gone."""

    generation: int
    changed: tuple[HostSnapshot, ...] = ()
    removed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """One interval's report of a daemon: the heartbeat, and from nova-compute the rest.

    power_states holds the state of each guest that the hypervisor has, by instance uuid.
    """

    host: str
    binary: str
    topic: str
    node: NodeResources | None = None
    power_states: dict[str, PowerState] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityZone:
    """A zone with its hosts and the services on them (binary to state)."""

    name: str
    available: bool
    hosts: dict[str, tuple[Service, ...]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """What the conductor tells a daemon in return for its report.

    pending: number of unfinished operations that this host owns and has not begun.
    """

    pending: int = 0
    disabled: bool = False
