"""Conductor interface: floating addresses."""

from nova.context import RequestContext
from nova.objects.floating_ip import Association, FloatingIp, FloatingRange, NewFloatingIp
from nova.objects.instance import Scope
from nova.rpc.interface import Interface, call


class ConductorFloatingIps(Interface):
    """Floating addresses; each is named by its integer id, its uuid, or the address itself."""

    topic = "conductor"
    namespace = "floating_ips"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def list_floating_ips(self, context: RequestContext, scope: Scope) -> tuple[FloatingIp, ...]:
        """Return the addresses that projects in scope have, in order of id."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, scope: Scope, floating_ip: str) -> FloatingIp:
        """Return an address of a project in scope.  Raises: FloatingIpNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_pools(self, context: RequestContext) -> tuple[str, ...]:
        """Return the names of all pools."""

    @call(since="1.0")
    def allocate(
        self,
        context: RequestContext,
        project_id: str,
        pool: str | None = None,
        address: str | None = None,
        description: str = "",
    ) -> FloatingIp:
        """Give a project an address, any one or one that it wants, of a pool.

        Raises: FloatingIpPoolNotFound, NoMoreFloatingIps, FloatingIpLimitExceeded,
        FloatingIpInUse.
        """

    @call(since="1.0", timeout_s=240)
    def create(self, context: RequestContext, scope: Scope, new: NewFloatingIp) -> FloatingIp:
        """Give a project an address that leads to where it is wanted, or none at all.

        Raises: what allocate and associate raise; NetworkNotFound for a pool that is not there.
        """

    @call(since="1.0", timeout_s=120)
    def release(self, context: RequestContext, scope: Scope, floating_ip: str) -> None:
        """Take an address back; what it leads to is cut first.

        Raises: FloatingIpNotFound, CannotDisassociateAutoAssignedFloatingIp.
        """

    @call(since="1.0", timeout_s=120)
    def associate(
        self, context: RequestContext, scope: Scope, floating_ip: str, target: Association
    ) -> FloatingIp:
        """Let an address lead to a fixed address of a server in scope.

        Raises: FloatingIpNotFound, InstanceNotFound, PortNotFound, FixedIpNotFound,
        FloatingIpAssociateFailed.
        """

    @call(since="1.0", timeout_s=120)
    def disassociate(
        self,
        context: RequestContext,
        scope: Scope,
        floating_ip: str,
        instance_uuid: str | None = None,
    ) -> FloatingIp:
        """Let an address lead nowhere; instance_uuid: refuse unless it leads there.

        Raises: FloatingIpNotFound, FloatingIpNotAssociated,
        CannotDisassociateAutoAssignedFloatingIp.
        """

    @call(since="1.0")
    def update(
        self, context: RequestContext, scope: Scope, floating_ip: str, description: str
    ) -> FloatingIp:
        """Describe an address.  Raises: FloatingIpNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_all(
        self, context: RequestContext, scope: Scope, host: str | None = None
    ) -> tuple[FloatingIp, ...]:
        """Return all addresses, in everybody's scope also free ones; or those of a host."""

    @call(since="1.0", timeout_s=120)
    def create_range(self, context: RequestContext, new: FloatingRange) -> tuple[str, ...]:
        """Add addresses; return them.  Raises: FloatingRangeInvalid, FloatingIpExists."""

    @call(since="1.0", timeout_s=120)
    def delete_range(self, context: RequestContext, ip_range: str) -> int:
        """Remove the addresses of a range; return their number.

        All or none: one that is in use is a reason to refuse.  Raises: FloatingRangeInvalid.
        """

    @call(since="1.0", retry_safe=True)
    def settled(self, context: RequestContext, host: str, addresses: tuple[str, ...]) -> None:
        """Note that a host translates some addresses no more, and has cut their connections."""
