"""Conductor interface: networks and their addresses."""

from nova.context import RequestContext
from nova.objects.network import DhcpBinding, HostNetwork, Network, NewNetwork
from nova.rpc.interface import Interface, call


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
