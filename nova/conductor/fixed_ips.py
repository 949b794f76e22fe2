"""Fixed addresses as administrators see and reserve them."""

from nova import clock
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import RequestContext
from nova.db import fixed_ip_details
from nova.db.engine import Database, retried
from nova.exception import FixedIpNotFound, MarkerNotFound
from nova.objects.instance import Scope
from nova.objects.network import FixedIpDetail

PAGE = 1000


class FixedIps(ConductorNetworks):
    """Serves the fixed addresses of the database."""

    db: Database

    @retried
    def get_fixed_ip(self, context: RequestContext, scope: Scope, address: str) -> FixedIpDetail:
        """Return an address and who has it."""
        with self.db.reading() as tx:
            found = fixed_ip_details.find(tx, scope, address)
        if found is None:
            raise FixedIpNotFound(address=address)
        return found

    @retried
    def list_fixed_ips(
        self, context: RequestContext, host: str | None = None, after: str | None = None
    ) -> tuple[FixedIpDetail, ...]:
        """Return a page of addresses."""
        with self.db.reading() as tx:
            row_id = 0
            if after is not None:
                marker = fixed_ip_details.row_id_of(tx, after)
                if marker is None:
                    raise MarkerNotFound(marker=after)
                row_id = marker
            return tuple(fixed_ip_details.page(tx, host, row_id, PAGE))

    @retried
    def set_reserved(
        self, context: RequestContext, scope: Scope, address: str, reserved: bool
    ) -> None:
        """Keep an address from servers, or not any more."""
        with self.db.transaction() as tx:
            if not fixed_ip_details.set_reserved(tx, scope, address, reserved, clock.utcnow()):
                raise FixedIpNotFound(address=address)
