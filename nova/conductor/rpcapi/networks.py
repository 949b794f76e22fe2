"""Conductor interface: networks and their addresses."""

from nova.context import RequestContext
from nova.objects.instance import Scope
from nova.objects.network import (
    DhcpBinding,
    FixedIpDetail,
    HostNetwork,
    Network,
    NetworksAndPools,
    NewNetwork,
)
from nova.rpc.interface import Interface, call


class ConductorNetworks(Interface):
    """Networks and their addresses."""

    topic = "conductor"
    namespace = "networks"
    version = "1.1"

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

    @call(since="1.1", retry_safe=True)
    def list_with_pools(
        self, context: RequestContext, project_id: str | None = None
    ) -> NetworksAndPools:
        """Return all networks, or those that a project may use, and all floating pools."""

    # What is done for one project reaches what that owns: others' networks are not found, and
    # those of nobody, which it may use, are not its to change.

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewNetwork) -> tuple[Network, ...]:
        """Create networks with one row per address.

        Raises: NetworkNotCreated, CidrConflict.
        """

    @call(since="1.1")
    def create_for_project(
        self, context: RequestContext, project_id: str, new: NewNetwork
    ) -> tuple[Network, ...]:
        """Create networks of a project, as many as it may make for itself.

        Raises: NetworkNotCreated, CidrConflict, QuotaExceeded; NetworkChoiceForbidden for
        what would reach others.
        """

    @call(since="1.0")
    def delete(
        self, context: RequestContext, network_id: str, require_disassociated: bool = True
    ) -> None:
        """Delete a network by uuid or by range.

        Raises: NetworkNotFound, NetworkHasProject, NetworkInUse.
        """

    @call(since="1.1")
    def delete_of_project(self, context: RequestContext, project_id: str, network_id: str) -> None:
        """Delete a project's own network.

        Raises: NetworkNotFound, NetworkNotOwned, NetworkInUse.
        """

    # --- Networks in two steps

    @call(since="1.1")
    def create_empty(self, context: RequestContext, scope: Scope, new: NewNetwork) -> Network:
        """Create a network without a range, which is not served until it is given one.

        Raises: QuotaExceeded, NetworkNotCreated; NetworksNotIsolated for a project's scope
        without VLANs.
        """

    @call(since="1.1")
    def add_range(
        self, context: RequestContext, scope: Scope, network_id: str, new: NewNetwork, name: str
    ) -> Network:
        """Give a network its IPv4 or its IPv6 range, and VLAN and bridge with its first.

        new.label is not looked at.  Raises: NetworkNotFound, NetworkNotOwned,
        NetworkNotCreated, CidrConflict, NetworkHasRange, NetworksNotIsolated.
        """

    @call(since="1.1")
    def remove_range(self, context: RequestContext, scope: Scope, subnet_id: str) -> None:
        """Take a range from a network in which nobody has anything.

        Raises: SubnetNotFound, NetworkNotOwned, NetworkInUse.
        """

    @call(since="1.1")
    def rename(self, context: RequestContext, scope: Scope, network_id: str, name: str) -> Network:
        """Name a network.  Raises: NetworkNotFound, NetworkNotOwned."""

    @call(since="1.1")
    def rename_range(
        self, context: RequestContext, scope: Scope, subnet_id: str, name: str
    ) -> Network:
        """Name a range of a network.  Raises: SubnetNotFound, NetworkNotOwned."""

    # --- Whose networks are

    @call(since="1.1")
    def associate(
        self, context: RequestContext, project_id: str, network_id: str | None = None
    ) -> Network:
        """Give a project a VLAN network of nobody: the one named, else the next.

        Raises: NoMoreNetworks; NotSupported with managers that have no VLANs.
        """

    @call(since="1.1")
    def set_project(
        self, context: RequestContext, scope: Scope, network_id: str, project_id: str | None
    ) -> None:
        """Give a network to a project, or (None) take it from its project.

        Raises: NetworkNotFound, NetworkNotOwned; NetworkInUse when others than the project
        are in it.
        """

    @call(since="1.1")
    def set_host(
        self, context: RequestContext, scope: Scope, network_id: str, host: str | None
    ) -> None:
        """Let a host serve a network, or (None) no host until one is chosen.

        Raises: NetworkNotFound, NetworkNotOwned.
        """

    @call(since="1.1")
    def disassociate(self, context: RequestContext, scope: Scope, network_id: str) -> None:
        """Take a network from its project and its host.

        Raises: NetworkNotFound, NetworkNotOwned.
        """

    @call(since="1.1")
    def disassociate_all(self, context: RequestContext, project_id: str) -> tuple[Network, ...]:
        """Take all networks from a project; return them as they were."""

    # --- Fixed addresses

    @call(since="1.1", retry_safe=True)
    def get_fixed_ip(self, context: RequestContext, scope: Scope, address: str) -> FixedIpDetail:
        """Return an address and who has it; in a project's scope one of its own networks.

        Raises: FixedIpNotFound.
        """

    @call(since="1.1", retry_safe=True)
    def list_fixed_ips(
        self, context: RequestContext, host: str | None = None, after: str | None = None
    ) -> tuple[FixedIpDetail, ...]:
        """Return a page of addresses, or of those of servers on a host; empty after the last.

        after: the last address of the page before.  Raises: MarkerNotFound.
        """

    @call(since="1.1", retry_safe=True)
    def set_reserved(
        self, context: RequestContext, scope: Scope, address: str, reserved: bool
    ) -> None:
        """Keep an address from servers, or not any more; scope as in get_fixed_ip().

        Raises: FixedIpNotFound.
        """

    # --- What nova-network asks for

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
