"""What compute hosts must let through."""

from nova.conductor.rpcapi.firewall import ConductorFirewall
from nova.context import RequestContext
from nova.db import firewall
from nova.db.engine import Database, retried
from nova.objects.firewall import HostFirewall


class FirewallEndpoint(ConductorFirewall):
    """Serves the firewall of hosts as the database has it."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def host_firewall(self, context: RequestContext, host: str) -> HostFirewall:
        """Return what the rules of a host are computed from."""
        with self.db.reading() as tx:
            return firewall.of_host(tx, host)
