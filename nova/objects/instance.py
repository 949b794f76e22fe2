"""Servers (instances): what is stored, what is asked for, what changes."""

import dataclasses
import datetime

from nova.objects.block_device import BlockDevice
from nova.objects.flavor import Flavor
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.network import NetworkMode, RequestedNetwork, Vif
from nova.objects.numa import GuestNuma
from nova.objects.unset import UNSET, UnsetType


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The last error of a server; details are for administrators."""

    code: int
    message: str
    details: str | None = None
    created_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSummary:
    """A server in a list without details."""

    uuid: str
    display_name: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A server with all that is stored about it, except its block devices.

    id is the row number that names the guest on its host (instance-%08x).
    flavor is the copy taken when the server was made.
    image_properties are the properties of the image at that time.
    hostname is the name inside the guest.  locked_by is "owner", "admin" or None.
    shelved_image_id: what an offloaded server is built from.  server_groups: none or one uuid.
    """

    id: int
    uuid: str
    project_id: str
    user_id: str
    display_name: str
    hostname: str
    vm_state: VmState
    flavor: Flavor
    task_state: TaskState | None = None
    power_state: PowerState = PowerState.NOSTATE
    display_description: str | None = None
    reservation_id: str | None = None
    launch_index: int = 0
    image_ref: str | None = None
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    key_name: str | None = None
    key_data: str | None = None
    user_data: str | None = None
    config_drive: bool = False
    host: str | None = None
    node: str | None = None
    availability_zone: str | None = None
    pinned_availability_zone: str | None = None
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    root_device_name: str | None = None
    auto_disk_config: bool = True
    os_type: str | None = None
    architecture: str | None = None
    progress: int = 0
    locked_by: str | None = None
    locked_reason: str | None = None
    scheduler_hints: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    image_properties: dict[str, str] = dataclasses.field(default_factory=dict)
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    server_groups: tuple[str, ...] = ()
    numa_topology: GuestNuma | None = None
    shelved_image_id: str | None = None
    shelved_at: datetime.datetime | None = None
    soft_deleted_at: datetime.datetime | None = None
    vifs: tuple[Vif, ...] = ()
    fault: Fault | None = None
    launched_at: datetime.datetime | None = None
    terminated_at: datetime.datetime | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    deleted_at: datetime.datetime | None = None
    console_generation: int = 0

    @property
    def name(self) -> str:
        """Name of the guest on the hypervisor."""
        return f"instance-{self.id:08x}"

    @property
    def deleted(self) -> bool:
        """Tell whether only the record is left."""
        return self.deleted_at is not None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InjectedFile:
    """A file the user wants in the guest; contents are base64."""

    path: str
    contents: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClientToken:
    """A text by which a client repeats a request for servers, with a digest of what it asks."""

    token: str
    parameters_hash: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewServers:
    """One create request; min_count to max_count servers, all alike.

    Everything about the image has been looked up and checked by the caller.
    hostname None: derived from the name.  availability_zone may be None.
    zero_disk_allowed: whether the caller may take a flavor without a disk of its own, of which
    the image alone would say how large the disk on the host is.
    client_token: the same one makes the same servers, once.
    termination_disabled: the EC2 API does not terminate them.
    """

    display_name: str
    project_id: str
    user_id: str
    flavorid: str
    min_count: int = 1
    max_count: int = 1
    display_description: str | None = None
    hostname: str | None = None
    image_ref: str | None = None
    image_properties: dict[str, str] = dataclasses.field(default_factory=dict)
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    image_min_ram_mb: int = 0
    image_min_disk_gb: int = 0
    image_size_bytes: int = 0
    key_name: str | None = None
    user_data: str | None = None
    config_drive: bool = False
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] = ()
    injected_files: tuple[InjectedFile, ...] = ()
    admin_password: str | None = None
    network_mode: NetworkMode = NetworkMode.AUTO
    networks: tuple[RequestedNetwork, ...] = ()
    security_groups: tuple[str, ...] = ("default",)
    block_devices: tuple[BlockDevice, ...] = ()
    availability_zone: str | None = None
    force_host: str | None = None
    force_node: str | None = None
    requested_host: str | None = None
    requested_node: str | None = None
    hints: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    auto_disk_config: bool = True
    zero_disk_allowed: bool = False
    client_token: ClientToken | None = None
    termination_disabled: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstanceChange:
    """Fields of a server that its owner changes."""

    display_name: str | UnsetType = UNSET
    display_description: str | UnsetType | None = UNSET
    access_ip_v4: str | UnsetType | None = UNSET
    access_ip_v6: str | UnsetType | None = UNSET
    auto_disk_config: bool | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    pinned_availability_zone: str | UnsetType | None = UNSET


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which rows a caller may see; the API derives it from policy.

    project_id None stands for all projects.
    """

    project_id: str | None = None
    user_id: str | None = None


EVERYBODY = Scope()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuery:
    """One page of servers.

    exact: column to accepted values; patterns: column to a search text, in which only a
    leading ^, a trailing $ and .* have a meaning (no regular expression reaches the
    database).  tags*: comma lists split up.  sort: (column, "asc" or "desc") pairs.
    deleted: None all, False live, True deleted ones only.
    ids: row numbers.  after_created_at and after_id: where to go on in the order of both.
    """

    scope: Scope
    exact: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    patterns: dict[str, str] = dataclasses.field(default_factory=dict)
    vm_states: tuple[VmState, ...] = ()
    task_states: tuple[TaskState, ...] = ()
    ip_pattern: str | None = None
    ip6_pattern: str | None = None
    tags: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    not_tags_any: tuple[str, ...] = ()
    locked: bool | None = None
    changes_since: datetime.datetime | None = None
    changes_before: datetime.datetime | None = None
    deleted: bool | None = False
    sort: tuple[tuple[str, str], ...] = ()
    limit: int = 1000
    marker: str | None = None
    ids: tuple[int, ...] = ()
    after_created_at: datetime.datetime | None = None
    after_id: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CreatedServers:
    """Answer to a create request."""

    reservation_id: str
    instance_uuids: tuple[str, ...]
