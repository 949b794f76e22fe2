"""Networks that are made in two steps: first the network, then its ranges, as subnets are."""

import logging
import uuid

from nova import clock
from nova.conductor import project_networks
from nova.conductor.network_plan import ManagerKind, mtu_of, plan_range
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import network_ranges, networks
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    NetworkHasRange,
    NetworkInUse,
    NetworkNotCreated,
    NetworksNotIsolated,
    SubnetNotFound,
)
from nova.network.rpcapi import NetworkAPI
from nova.objects.addresses import subnet_uuid
from nova.objects.instance import EVERYBODY, Scope
from nova.objects.network import Network, NewNetwork
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


class NetworkRanges(ConductorNetworks):
    """Makes networks without a range, and gives and takes ranges."""

    db: Database
    bus: Bus
    settings: ConductorSettings

    @retried
    def create_empty(self, context: RequestContext, scope: Scope, new: NewNetwork) -> Network:
        """Create a network without a range."""
        self._check_isolated(scope)
        if new.project_id is None and self.settings.network.manager is ManagerKind.VLAN:
            raise NetworkNotCreated(reason="each VLAN belongs to one project")
        network_uuid = str(uuid.uuid4())
        row = {
            "uuid": network_uuid,
            "label": new.label,
            "project_id": new.project_id,
            "mtu": mtu_of(new, self.settings.network),
            "multi_host": new.multi_host,
            "share_address": new.share_address,
            "created_at": clock.utcnow(),
        }
        with self.db.transaction() as tx:
            if new.project_id is not None:
                project_networks.check_limit(tx, new.project_id, self.settings, 1)
            networks.create(tx, row, ())
            found = project_networks.require(tx, EVERYBODY, network_uuid)
        LOG.info("Network %s of project %s was made, without a range", network_uuid, new.project_id)
        return found

    def add_range(
        self, context: RequestContext, scope: Scope, network_id: str, new: NewNetwork, name: str
    ) -> Network:
        """Give a network its IPv4 or its IPv6 range."""
        self._check_isolated(scope)
        found = self._add_range(scope, network_id, new, name)
        LOG.info("Network %s has the range %s now", network_id, new.cidr or new.cidr_v6)
        self.bus.client(NetworkAPI).everyone().networks_changed(context)
        return found

    @retried
    def _add_range(self, scope: Scope, network_id: str, new: NewNetwork, name: str) -> Network:
        with self.db.transaction() as tx:
            network = project_networks.require(tx, scope, network_id)
            others = [one for one in networks.list_all(tx) if one.id != network.id]
            planned = plan_range(network, new, others, self.settings.network)
            ip_version = 4 if new.cidr else 6
            values = {
                **planned.columns,
                network_ranges.name_of(ip_version): name,
                "updated_at": clock.utcnow(),
            }
            rows = [
                {"address": address, "reserved": reserved}
                for address, reserved in planned.addresses
            ]
            # Another request took the VLAN meanwhile: the next one is planned.
            with refused_as(Repeat()):
                given = network_ranges.give(tx, network.id, ip_version, values, rows)
            if not given:
                raise NetworkHasRange(network_id=network_id, ip_version=ip_version)
            return project_networks.require(tx, scope, network_id)

    def remove_range(self, context: RequestContext, scope: Scope, subnet_id: str) -> None:
        """Take a range from a network in which nobody has anything."""
        network, ip_version = self._remove_range(scope, subnet_id)
        LOG.info("Network %s has no IPv%s range any more", network.uuid, ip_version)
        self.bus.client(NetworkAPI).everyone().networks_changed(context)

    @retried
    def _remove_range(self, scope: Scope, subnet_id: str) -> tuple[Network, int]:
        with self.db.transaction() as tx:
            network, ip_version = _own_range(tx, scope, subnet_id)
            if networks.in_use(tx, network.id):
                raise NetworkInUse(network_id=network.uuid)
            last = not (network.cidr_v6 if ip_version == 4 else network.cidr)
            network_ranges.take(tx, network.id, ip_version, last, clock.utcnow())
        return network, ip_version

    @retried
    def rename(self, context: RequestContext, scope: Scope, network_id: str, name: str) -> Network:
        """Name a network."""
        with self.db.transaction() as tx:
            network = project_networks.require(tx, scope, network_id)
            return _renamed(tx, network, "label", name)

    @retried
    def rename_range(
        self, context: RequestContext, scope: Scope, subnet_id: str, name: str
    ) -> Network:
        """Name a range of a network."""
        with self.db.transaction() as tx:
            network, ip_version = _own_range(tx, scope, subnet_id)
            return _renamed(tx, network, network_ranges.name_of(ip_version), name)

    def _check_isolated(self, scope: Scope) -> None:
        """Refuse projects networks that others could reach.  Raises: NetworksNotIsolated."""
        manager = self.settings.network.manager
        if scope.project_id is not None and manager is not ManagerKind.VLAN:
            raise NetworksNotIsolated(manager=manager.value)


def _own_range(tx: Transaction, scope: Scope, subnet_id: str) -> tuple[Network, int]:
    """Return the network and version of a range that the caller may change.

    Raises: SubnetNotFound, NetworkNotOwned.
    """
    project_id = scope.project_id
    found = networks.list_all(tx) if project_id is None else networks.list_usable(tx, project_id)
    for network in found:
        for ip_version, cidr in ((4, network.cidr), (6, network.cidr_v6)):
            if cidr and subnet_uuid(network.uuid, ip_version) == subnet_id:
                project_networks.check_owner(scope, network)
                return network, ip_version
    raise SubnetNotFound(subnet_id=subnet_id)


def _renamed(tx: Transaction, network: Network, column: str, name: str) -> Network:
    network_ranges.set_name(tx, network.id, column, name, clock.utcnow())
    return project_networks.require(tx, EVERYBODY, network.uuid)
