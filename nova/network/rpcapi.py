"""What nova-network does on its host."""

from nova.context import RequestContext
from nova.objects.network import DhcpBinding, Vif
from nova.objects.path import NetworkPath
from nova.rpc.interface import Interface, call, cast, fanout


class NetworkAPI(Interface):
    """Host networking: bridges, DHCP, address translation.

    Addresses are granted by the conductor; nova-network makes the host agree with them.
    """

    topic = "network"
    version = "1.1"

    @call(since="1.0", timeout_s=60, retry_safe=True, args={"default_vif": "1.1"})
    def setup_instance(
        self,
        context: RequestContext,
        instance_uuid: str,
        hostname: str,
        vifs: tuple[Vif, ...],
        instance_host: str | None = None,
        default_vif: str | None = None,
    ) -> None:
        """Make the networks of a server ready: bridge, DHCP entry, rules.

        Safe to repeat.  Raises: CommandFailed, NetworkHostUnavailable.
        """

    @call(since="1.0", timeout_s=60, retry_safe=True)
    def teardown_instance(
        self, context: RequestContext, instance_uuid: str, vifs: tuple[Vif, ...]
    ) -> None:
        """Remove a server's DHCP entries and release its leases.  Safe to repeat."""

    @cast(since="1.0")
    def lease_fixed_ip(self, context: RequestContext, address: str, mac: str) -> None:
        """Take note that a guest took its address (from nova-dhcpbridge)."""

    @cast(since="1.0")
    def release_fixed_ip(self, context: RequestContext, address: str, mac: str) -> None:
        """Take note that a guest gave its address back (from nova-dhcpbridge)."""

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def get_leases(self, context: RequestContext, network_id: int) -> tuple[DhcpBinding, ...]:
        """Return the leases of a network that this host serves (nova-dhcpbridge init)."""

    @fanout(since="1.0")
    def networks_changed(self, context: RequestContext) -> None:
        """Read the networks of this host anew and make the host agree with them."""

    @call(since="1.1", timeout_s=30, retry_safe=True)
    def refresh(self, context: RequestContext) -> None:
        """Read the networks of this host anew and make it agree; answers when done.

        Raises: FloatingDeviceMissing, CommandFailed.
        """

    @cast(since="1.1")
    def refresh_soon(self, context: RequestContext) -> None:
        """Do what refresh() does, without an answer."""

    @call(since="1.1", timeout_s=10, retry_safe=True)
    def describe_path(
        self, context: RequestContext, network_ids: tuple[int, ...], addresses: tuple[str, ...]
    ) -> NetworkPath:
        """Return what this host has for networks (by row id) and addresses; changes nothing.

        Raises: CommandFailed, CommandTimeout.
        """
