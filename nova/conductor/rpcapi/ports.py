"""Conductor interface: ports."""

from nova.context import RequestContext
from nova.objects.instance import Scope
from nova.objects.port import NetworkUse, NewPort, Port, PortQuery
from nova.rpc.interface import Interface, call


class ConductorPorts(Interface):
    """Interfaces of servers, and those that wait for a server."""

    topic = "conductor"
    namespace = "ports"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: PortQuery) -> tuple[Port, ...]:
        """Return one page of ports.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, scope: Scope, port_id: str) -> Port:
        """Return a port.  Raises: PortNotFound."""

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewPort) -> Port:
        """Make an interface with an address that a server can be given later.

        Raises: NetworkNotFound, FixedIpInvalid, FixedIpAlreadyInUse, NoMoreFixedIps,
        QuotaExceeded, PortInvalid.
        """

    @call(since="1.0")
    def rename(self, context: RequestContext, scope: Scope, port_id: str, name: str) -> Port:
        """Change a port's name.  Raises: PortNotFound."""

    @call(since="1.0")
    def delete(self, context: RequestContext, scope: Scope, port_id: str) -> None:
        """Delete a port that no server has.  Raises: PortNotFound, PortInUse."""

    @call(since="1.0", retry_safe=True)
    def list_use(
        self, context: RequestContext, project_id: str | None = None
    ) -> tuple[NetworkUse, ...]:
        """Return how full the networks are, all or those that a project may use."""
