"""Ports: interfaces of servers as clients of the Networking API see them, and those of none."""

import uuid

from nova import clock
from nova.conductor import address_quota, addresses
from nova.conductor.network_plan import Pick
from nova.conductor.rpcapi.ports import ConductorPorts
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import networks, ports
from nova.db.duplicates import Repeat
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    MarkerNotFound,
    NetworkNotFound,
    PortInUse,
    PortInvalid,
    PortNotFound,
)
from nova.objects.instance import Scope
from nova.objects.network import Network
from nova.objects.port import NetworkUse, NewPort, Port, PortQuery


class PortsEndpoint(ConductorPorts):
    """Serves the interfaces of the database."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    @retried
    def page(self, context: RequestContext, query: PortQuery) -> tuple[Port, ...]:
        """Return one page of ports."""
        with self.db.reading() as tx:
            found = ports.page(tx, query)
        if found is None:
            raise MarkerNotFound(marker=query.marker)
        return tuple(found)

    @retried
    def get(self, context: RequestContext, scope: Scope, port_id: str) -> Port:
        """Return a port."""
        with self.db.reading() as tx:
            return _get(tx, scope, port_id)

    @retried
    def create(self, context: RequestContext, new: NewPort) -> Port:
        """Make an interface with an address that a server can be given later."""
        port_id = str(uuid.uuid4())
        with self.db.transaction() as tx:
            network = _usable(tx, new)
            pick = Pick(network=network, fixed_ip=new.fixed_ip)
            addresses.check_wanted(tx, pick)
            if network.cidr is not None:
                address_quota.claim(tx, new.project_id, self.settings.quotas)
            _insert(tx, new, pick, port_id, self.settings.ipv6_backend)
            return _get(tx, Scope(), port_id)

    @retried
    def rename(self, context: RequestContext, scope: Scope, port_id: str, name: str) -> Port:
        """Change a port's name."""
        with self.db.transaction() as tx:
            _get(tx, scope, port_id)
            ports.rename(tx, port_id, name)
            return _get(tx, scope, port_id)

    @retried
    def delete(self, context: RequestContext, scope: Scope, port_id: str) -> None:
        """Delete a port that no server has."""
        with self.db.transaction() as tx:
            port = _get(tx, scope, port_id)
            if port.vif.instance_uuid is not None:
                raise PortInUse(port_id=port_id, instance_uuid=port.vif.instance_uuid)
            if not ports.delete(tx, port_id, clock.utcnow()):
                raise PortNotFound(port_id=port_id)

    @retried
    def list_use(
        self, context: RequestContext, project_id: str | None = None
    ) -> tuple[NetworkUse, ...]:
        """Return how full the networks are, all or those that a project may use."""
        with self.db.reading() as tx:
            return tuple(ports.list_use(tx, project_id))


def _get(tx: Transaction, scope: Scope, port_id: str) -> Port:
    found = ports.find(tx, scope, port_id)
    if found is None:
        raise PortNotFound(port_id=port_id)
    return found


def _usable(tx: Transaction, new: NewPort) -> Network:
    """Return the network of a new port, as the project may use it.

    Raises: NetworkNotFound, PortInvalid.
    """
    found = networks.find_usable(tx, new.network_uuid, new.project_id)
    if found is None:
        raise NetworkNotFound(network_id=new.network_uuid)
    if found.cidr is None and found.cidr_v6 is None:
        raise PortInvalid(reason=f"Network {found.uuid} has no subnet.")
    return found


def _insert(tx: Transaction, new: NewPort, pick: Pick, port_id: str, ipv6_backend: str) -> None:
    mac = addresses.random_mac() if new.mac is None else addresses.checked_mac(new.mac)
    columns = {
        "uuid": port_id,
        "preserved": True,
        "project_id": new.project_id,
        "name": new.name,
        "created_at": clock.utcnow(),
        "fixed_ip_v6": addresses.address_v6(pick.network, mac, new.project_id, ipv6_backend),
    }
    try:
        addresses.make_interface(tx, pick, mac, columns, clock.utcnow())
    except Repeat:
        if new.mac is None:
            raise
        raise PortInvalid(reason=f"The MAC address {mac} is in use.") from None
