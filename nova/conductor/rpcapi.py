"""What the conductor does for the other daemons, one interface per aggregate."""

import datetime

from nova.context import RequestContext
from nova.objects.action_request import ActionRequest
from nova.objects.agent import AgentBuild, AgentChange
from nova.objects.aggregate import Aggregate, AggregateChange
from nova.objects.audit import UsageAudit
from nova.objects.flavor import Flavor, FlavorChange, FlavorQuery, NewFlavor
from nova.objects.guest_metadata import GuestMetadata
from nova.objects.host_usage import HostUsage
from nova.objects.instance import (
    CreatedServers,
    Instance,
    InstanceChange,
    InstanceQuery,
    InstanceSummary,
    NewServers,
    Scope,
)
from nova.objects.keypair import Keypair, NewKeypair
from nova.objects.lifecycle import VmState
from nova.objects.migration import Migration, MigrationQuery
from nova.objects.network import DhcpBinding, HostNetwork, Network, NewNetwork
from nova.objects.operation import (
    ActionQuery,
    ActionRecord,
    ActionResult,
    Progress,
    Work,
)
from nova.objects.quota import QuotaSet, ServerUsage, UsageQuery
from nova.objects.request_spec import PlacementReport
from nova.objects.server_group import NewServerGroup, ServerGroup
from nova.objects.service import (
    AvailabilityZone,
    HostReport,
    HostsChanged,
    Hypervisor,
    HypervisorQuery,
    ReportAnswer,
    Service,
    ServiceChange,
)
from nova.rpc.interface import Interface, call, cast


class ConductorInstances(Interface):
    """Servers: everything the API asks for."""

    topic = "conductor"
    namespace = "instances"
    version = "1.2"

    @call(since="1.0")
    def create_servers(self, context: RequestContext, new: NewServers) -> CreatedServers:
        """Store servers with quota, networks and tags in one transaction; begin to build them.

        Raises: OverQuota, FlavorNotFound, KeypairNotFound, NetworkNotFound, FixedIpInvalid,
        FixedIpAlreadyInUse, FlavorMemoryTooSmall, FlavorDiskTooSmall.
        """

    @call(since="1.1", retry_safe=True)
    def hosts_of(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...]
    ) -> dict[str, str]:
        """Return the hosts of the live servers among some, "" for one without a host."""

    @cast(since="1.2")
    def renew_networks(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...]
    ) -> None:
        """Have hosts write anew what the networks of servers need; their locks do not matter.

        A server that waits for that already, or has not been launched, is passed over.
        """

    @call(since="1.0", retry_safe=True)
    def page_summaries(
        self, context: RequestContext, query: InstanceQuery
    ) -> tuple[InstanceSummary, ...]:
        """Return one page of servers, names only.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: InstanceQuery) -> tuple[Instance, ...]:
        """Return one page of servers with everything.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, scope: Scope, instance_uuid: str) -> Instance:
        """Return a server.  Raises: InstanceNotFound."""

    @call(since="1.0")
    def update(
        self, context: RequestContext, scope: Scope, instance_uuid: str, change: InstanceChange
    ) -> Instance:
        """Change what the owner may change; return the server after it."""

    @call(since="1.0", args={"request": "1.1", "admin_password": "1.1"})
    def begin_action(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        action: str,
        arguments: dict[str, str] | None = None,
        request: ActionRequest | None = None,
        admin_password: str | None = None,
    ) -> Instance:
        """Set the action's task state, store the operation, and dispatch it.

        action is a key of lifecycle.ACTIONS; request is what it needs to know.
        admin_password is handed to the host and stored nowhere.
        Returns the server as it is afterwards.
        Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked, InstanceNotReady, and
        what the rules of the action raise.
        """

    @call(since="1.1")
    def lock(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        reason: str | None = None,
    ) -> None:
        """Lock a server, for its owner or for an administrator.

        A lock that is there already is replaced by an administrator's only.
        """

    @call(since="1.1")
    def unlock(
        self, context: RequestContext, scope: Scope, instance_uuid: str, override: bool = False
    ) -> None:
        """Unlock a server; override: also when somebody else locked it.

        Raises: PolicyNotAuthorized.
        """

    @call(since="1.1")
    def reset_state(
        self, context: RequestContext, scope: Scope, instance_uuid: str, vm_state: VmState
    ) -> None:
        """Make a server active or error, and give up what is unfinished on it."""

    @call(since="1.1")
    def add_security_group(
        self, context: RequestContext, scope: Scope, instance_uuid: str, name: str
    ) -> None:
        """Put a server into a group.  Raises: SecurityGroupNotFound, SecurityGroupInvalid."""

    @call(since="1.1")
    def remove_security_group(
        self, context: RequestContext, scope: Scope, instance_uuid: str, name: str
    ) -> None:
        """Take a server out of a group.  Raises: SecurityGroupNotFound, SecurityGroupInvalid."""

    @call(since="1.1", retry_safe=True)
    def get_password(self, context: RequestContext, scope: Scope, instance_uuid: str) -> str:
        """Return the opaque password that the guest posted, an empty text if none."""

    @call(since="1.1", retry_safe=True)
    def clear_password(self, context: RequestContext, scope: Scope, instance_uuid: str) -> None:
        """Forget the password that the guest posted."""

    @call(since="1.0")
    def set_metadata(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        metadata: dict[str, str],
        replace: bool = False,
    ) -> dict[str, str]:
        """Add or replace metadata; return all of it.  Raises: MetadataLimitExceeded."""

    @call(since="1.0")
    def delete_metadata(
        self, context: RequestContext, scope: Scope, instance_uuid: str, key: str
    ) -> None:
        """Remove one item.  Raises: InstanceMetadataNotFound."""

    @call(since="1.0")
    def set_tags(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tags: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Replace all tags (none: remove them); return them.  Raises: TooManyTags."""

    @call(since="1.0")
    def add_tag(self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str) -> bool:
        """Add a tag; tell whether it is new.  Raises: TooManyTags."""

    @call(since="1.0")
    def delete_tag(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str
    ) -> None:
        """Remove a tag.  Raises: InstanceTagNotFound."""

    @call(since="1.0", retry_safe=True)
    def page_actions(
        self, context: RequestContext, scope: Scope, instance_uuid: str, query: ActionQuery
    ) -> tuple[ActionRecord, ...]:
        """Return one page of a server's actions, newest first, also of a deleted server."""

    @call(since="1.0", retry_safe=True)
    def get_action(
        self, context: RequestContext, scope: Scope, instance_uuid: str, request_id: str
    ) -> ActionRecord:
        """Return one action with its events.  Raises: ActionNotFound."""

    @call(since="1.0", retry_safe=True)
    def explain(
        self, context: RequestContext, scope: Scope, instance_uuid: str
    ) -> tuple[PlacementReport, ...]:
        """Return the placement reports of a server, oldest first."""


class ConductorOperations(Interface):
    """Operations: what compute hosts ask for and report."""

    topic = "conductor"
    namespace = "operations"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def start(self, context: RequestContext, progress: Progress) -> None:
        """Mark an operation as running on a host, and set its task state.

        Safe to repeat by the same host.  Raises: InstanceActionStale, NotOwner.
        """

    @cast(since="1.0")
    def progress(self, context: RequestContext, progress: Progress) -> None:
        """Set the task state of a running operation and push back its deadline."""

    @call(since="1.0", retry_safe=True)
    def finish(self, context: RequestContext, result: ActionResult) -> None:
        """Save how an operation ended; a build may be sent to another host.

        Raises: InstanceActionStale, NotOwner.
        """

    @call(since="1.0", retry_safe=True)
    def unfinished(self, context: RequestContext, host: str) -> tuple[Work, ...]:
        """Return the operations that a host owns and has not finished, oldest first."""

    @call(since="1.0", retry_safe=True)
    def instances_on_host(self, context: RequestContext, host: str) -> tuple[Instance, ...]:
        """Return the servers that are placed on a host."""

    @call(since="1.0", retry_safe=True)
    def deleted_on_host(
        self, context: RequestContext, host: str, instance_uuids: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return which of these are known to have left this host, by deletion too."""


class ConductorHosts(Interface):
    """Services, hypervisors, zones, and the scheduler's view of hosts."""

    topic = "conductor"
    namespace = "hosts"
    version = "1.1"

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def report(self, context: RequestContext, report: HostReport) -> ReportAnswer:
        """Take a daemon's heartbeat, resources and power states.

        The first report of a (host, binary) pair registers the service.
        """

    @call(since="1.0", retry_safe=True)
    def hosts_changed_since(self, context: RequestContext, generation: int) -> HostsChanged:
        """Return what changed after a generation; 0 asks for everything."""

    @call(since="1.0", retry_safe=True)
    def list_services(
        self,
        context: RequestContext,
        host: str | None = None,
        binary: str | None = None,
    ) -> tuple[Service, ...]:
        """Return services in order of their id."""

    @call(since="1.0", args={"binary": "1.1"})
    def update_service(
        self,
        context: RequestContext,
        service_id: str,
        change: ServiceChange,
        binary: str | None = None,
    ) -> Service:
        """Change a service named by uuid, or by "host/binary".

        binary: the only one that may be changed.  Raises: ServiceNotFound, ServiceNotChangeable.
        """

    @call(since="1.0")
    def delete_service(self, context: RequestContext, service_id: str) -> None:
        """Forget a service by uuid or row id.

        Raises: ServiceNotFound, Conflict when servers are still on its host.
        """

    @call(since="1.0", retry_safe=True)
    def page_hypervisors(
        self, context: RequestContext, query: HypervisorQuery
    ) -> tuple[Hypervisor, ...]:
        """Return one page of hypervisors; hypervisor_id (uuid or row id) asks for one.

        Raises: HypervisorNotFound, MarkerNotFound.
        """

    @call(since="1.1", retry_safe=True)
    def usage(self, context: RequestContext, host: str) -> HostUsage:
        """Return what a compute host has and who uses it.  Raises: ComputeHostNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_zones(self, context: RequestContext) -> tuple[AvailabilityZone, ...]:
        """Return the availability zones with their hosts and services."""


class ConductorAgents(Interface):
    """Builds of guest agents, as administrators announce them."""

    topic = "conductor"
    namespace = "agents"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def list_builds(
        self, context: RequestContext, hypervisor: str | None = None
    ) -> tuple[AgentBuild, ...]:
        """Return builds in order of their ids, of one kind of hypervisor if one is named."""

    @call(since="1.0")
    def create(self, context: RequestContext, build: AgentBuild) -> AgentBuild:
        """Store a build.  Raises: AgentBuildExists."""

    @call(since="1.0")
    def update(self, context: RequestContext, build_id: int, change: AgentChange) -> None:
        """Change a build.  Raises: AgentBuildNotFound."""

    @call(since="1.0")
    def delete(self, context: RequestContext, build_id: int) -> None:
        """Forget a build.  Raises: AgentBuildNotFound."""


class ConductorAudit(Interface):
    """What the usage audits found."""

    topic = "conductor"
    namespace = "audit"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, before: datetime.datetime | None = None) -> UsageAudit:
        """Return the audit of the last period that ended before a time, None for now."""


class ConductorFlavors(Interface):
    """Flavors."""

    topic = "conductor"
    namespace = "flavors"
    version = "1.1"

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: FlavorQuery) -> tuple[Flavor, ...]:
        """Return one page of flavors.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, flavorid: str, project_id: str | None = None) -> Flavor:
        """Return a flavor; with project_id only if that project may use it.

        Raises: FlavorNotFound.
        """

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewFlavor) -> Flavor:
        """Create a flavor.  Raises: FlavorExists."""

    @call(since="1.0")
    def update(self, context: RequestContext, flavorid: str, change: FlavorChange) -> Flavor:
        """Change a flavor's description.  Raises: FlavorNotFound."""

    @call(since="1.0")
    def delete(self, context: RequestContext, flavorid: str) -> None:
        """Delete a flavor; servers keep their copy.  Raises: FlavorNotFound."""

    @call(since="1.0")
    def set_extra_specs(
        self, context: RequestContext, flavorid: str, extra_specs: dict[str, str]
    ) -> None:
        """Add or overwrite extra specs.  Raises: FlavorNotFound."""

    @call(since="1.0")
    def delete_extra_spec(self, context: RequestContext, flavorid: str, key: str) -> None:
        """Remove one extra spec.  Raises: FlavorNotFound, FlavorExtraSpecNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_access(self, context: RequestContext, flavorid: str) -> tuple[str, ...]:
        """Return the projects with access.  Raises: FlavorNotFound, FlavorHasNoAccessList."""

    @call(since="1.0", args={"public_too": "1.1"})
    def add_access(
        self,
        context: RequestContext,
        flavorid: str,
        project_id: str,
        public_too: bool = False,
    ) -> tuple[str, ...]:
        """Give access; return all projects with access.

        public_too: keep an entry for a public flavor, for when it is none any more.
        Raises: FlavorNotFound, FlavorAccessExists, FlavorIsPublic.
        """

    @call(since="1.0")
    def remove_access(
        self, context: RequestContext, flavorid: str, project_id: str
    ) -> tuple[str, ...]:
        """Take access away; return who is left.  Raises: FlavorAccessNotFound."""


class ConductorKeypairs(Interface):
    """Key pairs of users."""

    topic = "conductor"
    namespace = "keypairs"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def page(
        self,
        context: RequestContext,
        user_id: str,
        limit: int = 1000,
        marker: str | None = None,
    ) -> tuple[Keypair, ...]:
        """Return one page of a user's key pairs by name.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, user_id: str, name: str) -> Keypair:
        """Return a key pair.  Raises: KeypairNotFound."""

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewKeypair) -> Keypair:
        """Store a key pair.  Raises: KeypairExists, QuotaExceeded."""

    @call(since="1.0")
    def delete(self, context: RequestContext, user_id: str, name: str) -> None:
        """Delete a key pair.  Raises: KeypairNotFound."""


class ConductorServerGroups(Interface):
    """Server groups: servers that shall be kept together or apart."""

    topic = "conductor"
    namespace = "server_groups"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def page(
        self, context: RequestContext, scope: Scope, limit: int = 1000, offset: int = 0
    ) -> tuple[ServerGroup, ...]:
        """Return groups in the order in which they were made, after the first offset ones."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, scope: Scope, group_uuid: str) -> ServerGroup:
        """Return a group.  Raises: ServerGroupNotFound."""

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewServerGroup) -> ServerGroup:
        """Make a group without servers.  Raises: QuotaExceeded."""

    @call(since="1.0")
    def delete(self, context: RequestContext, scope: Scope, group_uuid: str) -> None:
        """Delete a group; its servers live on without it.  Raises: ServerGroupNotFound."""


class ConductorAggregates(Interface):
    """Aggregates: sets of compute hosts, and the availability zones that they make."""

    topic = "conductor"
    namespace = "aggregates"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def list_all(self, context: RequestContext) -> tuple[Aggregate, ...]:
        """Return all aggregates in order of their ids."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, aggregate_id: int) -> Aggregate:
        """Return an aggregate.  Raises: AggregateNotFound."""

    @call(since="1.0")
    def create(
        self, context: RequestContext, name: str, availability_zone: str | None = None
    ) -> Aggregate:
        """Make an aggregate without hosts.  Raises: AggregateNameExists."""

    @call(since="1.0")
    def update(
        self, context: RequestContext, aggregate_id: int, change: AggregateChange
    ) -> Aggregate:
        """Rename an aggregate, or give it another zone.

        Raises: AggregateNotFound, AggregateNameExists, InvalidAggregateAction.
        """

    @call(since="1.0")
    def delete(self, context: RequestContext, aggregate_id: int) -> None:
        """Delete an aggregate that has no hosts.  Raises: AggregateNotFound, AggregateInUse."""

    @call(since="1.0")
    def add_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Put a host into an aggregate.

        Raises: AggregateNotFound, ComputeHostNotFound, AggregateHostExists,
        AggregateZoneConflict.
        """

    @call(since="1.0")
    def remove_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Take a host out of an aggregate.

        Raises: AggregateNotFound, AggregateHostNotFound, AggregateZoneConflict.
        """

    @call(since="1.0")
    def set_metadata(
        self, context: RequestContext, aggregate_id: int, metadata: dict[str, str | None]
    ) -> Aggregate:
        """Add or overwrite metadata; None removes an item.

        Raises: AggregateNotFound, InvalidAggregateAction.
        """

    @call(since="1.0", retry_safe=True)
    def cache_images(
        self, context: RequestContext, aggregate_id: int, image_ids: tuple[str, ...]
    ) -> None:
        """Ask the live hosts of an aggregate to fetch images.  Raises: AggregateNotFound."""


class ConductorQuotas(Interface):
    """Quotas, limits and usage."""

    topic = "conductor"
    namespace = "quotas"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, project_id: str, user_id: str | None = None) -> QuotaSet:
        """Return limits and usage of a project, or of a user within it."""

    @call(since="1.0", retry_safe=True)
    def get_defaults(self, context: RequestContext, class_name: str = "default") -> QuotaSet:
        """Return the default limits (class row over option)."""

    @call(since="1.0")
    def update(
        self,
        context: RequestContext,
        project_id: str,
        limits: dict[str, int],
        user_id: str | None = None,
        force: bool = False,
    ) -> QuotaSet:
        """Set limits.  Raises: QuotaResourceUnknown, QuotaLimitOutOfRange."""

    @call(since="1.0")
    def update_defaults(
        self, context: RequestContext, limits: dict[str, int], class_name: str = "default"
    ) -> QuotaSet:
        """Set the default limits.  Raises: QuotaResourceUnknown, QuotaLimitOutOfRange."""

    @call(since="1.0")
    def delete(self, context: RequestContext, project_id: str, user_id: str | None = None) -> None:
        """Go back to the default limits."""

    @call(since="1.0", retry_safe=True)
    def usage(self, context: RequestContext, query: UsageQuery) -> tuple[ServerUsage, ...]:
        """Return what servers used in a period, by project and server uuid."""


class ConductorMigrations(Interface):
    """Records of moves and resizes."""

    topic = "conductor"
    namespace = "migrations"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: MigrationQuery) -> tuple[Migration, ...]:
        """Return one page of migrations, newest first.  Raises: MarkerNotFound."""


class ConductorNetworks(Interface):
    """Networks and their addresses."""

    topic = "conductor"
    namespace = "networks"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def list_networks(
        self, context: RequestContext, project_id: str | None = None
    ) -> tuple[Network, ...]:
        """Return all networks, or those that a project may use."""

    @call(since="1.0", retry_safe=True)
    def get(
        self, context: RequestContext, network_id: str, project_id: str | None = None
    ) -> Network:
        """Return a network by uuid.  Raises: NetworkNotFound."""

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewNetwork) -> tuple[Network, ...]:
        """Create networks with one row per address.

        Raises: NetworkNotCreated, CidrConflict.
        """

    @call(since="1.0")
    def delete(
        self, context: RequestContext, network_id: str, require_disassociated: bool = True
    ) -> None:
        """Delete a network by uuid or by range.  Raises: NetworkNotFound, NetworkInUse."""

    @call(since="1.0", retry_safe=True)
    def host_networks(self, context: RequestContext, host: str) -> tuple[HostNetwork, ...]:
        """Return the networks that a nova-network host serves, with all bindings.

        Claims the DHCP address of the host in each multi_host network that has none yet.
        """

    @call(since="1.0", retry_safe=True)
    def leases(
        self, context: RequestContext, network_id: int, host: str
    ) -> tuple[DhcpBinding, ...]:
        """Return what guests hold in a network (by row id) served by a host."""

    @call(since="1.0", retry_safe=True)
    def record_lease(
        self, context: RequestContext, host: str, address: str, mac: str, leased: bool
    ) -> None:
        """Note that a guest took (leased) or gave back an address."""

    @call(since="1.0", retry_safe=True)
    def disassociate_stale(
        self, context: RequestContext, host: str, timeout_s: int
    ) -> tuple[str, ...]:
        """Free addresses that were given up longer than timeout_s ago; return them."""


class ConductorMetadata(Interface):
    """What the metadata service of guests asks for."""

    topic = "conductor"
    namespace = "metadata"
    version = "1.0"

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def find_by_address(self, context: RequestContext, address: str) -> GuestMetadata | None:
        """Return what is known of the live server that has a fixed address."""

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def find_by_instance(self, context: RequestContext, instance_uuid: str) -> GuestMetadata | None:
        """Return what is known of a live server."""

    @call(since="1.0")
    def set_password(self, context: RequestContext, instance_uuid: str, password: str) -> bool:
        """Store the opaque password a guest posted; False when one is there already."""


class ConductorHousekeeping(Interface):
    """The conductor's own housekeeping, made callable for tests and nova-manage."""

    topic = "conductor"
    namespace = "housekeeping"
    version = "1.1"

    @call(since="1.0", timeout_s=120)
    def reconcile(
        self, context: RequestContext, now: datetime.datetime | None = None
    ) -> tuple[int, ...]:
        """Take up operations past their deadline; return their ids."""

    @call(since="1.1", timeout_s=120)
    def run_timers(self, context: RequestContext) -> tuple[str, ...]:
        """Begin actions on servers that have been in a state for too long; return the servers."""


INTERFACES: tuple[type[Interface], ...] = (
    ConductorInstances,
    ConductorOperations,
    ConductorHosts,
    ConductorAgents,
    ConductorAudit,
    ConductorFlavors,
    ConductorKeypairs,
    ConductorServerGroups,
    ConductorAggregates,
    ConductorQuotas,
    ConductorMigrations,
    ConductorNetworks,
    ConductorMetadata,
    ConductorHousekeeping,
)
