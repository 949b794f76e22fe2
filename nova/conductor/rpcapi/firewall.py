"""Conductor interface: what compute hosts must let through."""

from nova.context import RequestContext
from nova.objects.firewall import HostFirewall
from nova.rpc.interface import Interface, call


class ConductorFirewall(Interface):
    """The firewall of compute hosts as the database has it."""

    topic = "conductor"
    namespace = "firewall"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def host_firewall(self, context: RequestContext, host: str) -> HostFirewall:
        """Return what the rules of a host are computed from, in a bounded number of queries."""
