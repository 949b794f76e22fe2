"""Networks and their addresses."""

import datetime
import logging
import uuid

from nova import clock
from nova.conductor import addresses, project_networks, translated
from nova.conductor.fixed_ips import FixedIps
from nova.conductor.network_hosts import NetworkHosts
from nova.conductor.network_owners import NetworkOwners
from nova.conductor.network_plan import plan_networks
from nova.conductor.network_ranges import NetworkRanges
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import dns, fixed_ips, floating_ips, networks
from nova.db.duplicates import refused_as
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    CidrConflict,
    NetworkHasProject,
    NetworkInUse,
    NetworkNotFound,
    NotOwner,
)
from nova.network.rpcapi import NetworkAPI
from nova.objects.addresses import local_addresses
from nova.objects.instance import EVERYBODY, Scope
from nova.objects.network import DhcpBinding, HostNetwork, Network, NetworksAndPools, NewNetwork
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


class NetworksEndpoint(NetworkOwners, NetworkRanges, FixedIps):
    """Serves the networks of the database."""

    def __init__(self, db: Database, bus: Bus, settings: ConductorSettings) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings
        self.hosts = NetworkHosts(bus)

    @retried
    def list_networks(
        self, context: RequestContext, project_id: str | None = None
    ) -> tuple[Network, ...]:
        """Return all networks, or those that a project may use."""
        with self.db.reading() as tx:
            return _visible(tx, project_id)

    @retried
    def list_with_pools(
        self, context: RequestContext, project_id: str | None = None
    ) -> NetworksAndPools:
        """Return networks, and the pools of floating addresses."""
        with self.db.reading() as tx:
            pools = tuple(floating_ips.pools(tx))
            return NetworksAndPools(networks=_visible(tx, project_id), pools=pools)

    @retried
    def get(
        self, context: RequestContext, network_id: str, project_id: str | None = None
    ) -> Network:
        """Return a network by uuid."""
        with self.db.reading() as tx:
            if project_id is None:
                found = networks.find(tx, network_id)
            else:
                found = networks.find_usable(tx, network_id, project_id)
        if found is None:
            raise NetworkNotFound(network_id=network_id)
        return found

    def create(self, context: RequestContext, new: NewNetwork) -> tuple[Network, ...]:
        """Create networks with one row per address."""
        return self._told(context, self._create(new))

    def create_for_project(
        self, context: RequestContext, project_id: str, new: NewNetwork
    ) -> tuple[Network, ...]:
        """Create networks of a project, as many as it may make for itself."""
        own = project_networks.only_own(project_id, new)
        return self._told(context, self._create(own, limited=True))

    def _told(self, context: RequestContext, created: tuple[Network, ...]) -> tuple[Network, ...]:
        self.bus.client(NetworkAPI).everyone().networks_changed(context)
        return created

    @retried
    def _create(self, new: NewNetwork, limited: bool = False) -> tuple[Network, ...]:
        now = clock.utcnow()
        with self.db.transaction() as tx:
            if limited and new.project_id is not None:
                more = new.num_networks
                project_networks.check_limit(tx, new.project_id, self.settings, more)
            planned = plan_networks(new, networks.list_all(tx), self.settings.network)
            found = []
            for plan in planned:
                network_uuid = new.uuid or str(uuid.uuid4())
                row = {**plan.columns, "uuid": network_uuid, "created_at": now}
                rows = [
                    {"address": address, "reserved": reserved}
                    for address, reserved in plan.addresses
                ]
                taken = CidrConflict(cidr=new.cidr or new.cidr_v6, other="another network")
                with refused_as(taken):
                    networks.create(tx, row, rows)
                network = networks.find(tx, network_uuid)
                assert network is not None, "the row was just inserted"
                found.append(network)
        return tuple(found)

    def delete(
        self, context: RequestContext, network_id: str, require_disassociated: bool = True
    ) -> None:
        """Delete a network by uuid or by range."""
        self._delete(EVERYBODY, network_id, require_disassociated)
        self.bus.client(NetworkAPI).everyone().networks_changed(context)

    def delete_of_project(self, context: RequestContext, project_id: str, network_id: str) -> None:
        """Delete a project's own network."""
        self._delete(Scope(project_id=project_id), network_id, require_disassociated=False)
        self.bus.client(NetworkAPI).everyone().networks_changed(context)

    @retried
    def _delete(self, scope: Scope, network_id: str, require_disassociated: bool) -> None:
        with self.db.transaction() as tx:
            network = project_networks.require(tx, scope, network_id)
            if require_disassociated and network.project_id is not None:
                raise NetworkHasProject(network_id=network_id, project_id=network.project_id)
            if networks.in_use(tx, network.id):
                raise NetworkInUse(network_id=network.uuid)
            networks.delete(tx, network.id)

    # --- What nova-network asks for

    def host_networks(self, context: RequestContext, host: str) -> tuple[HostNetwork, ...]:
        """Return the networks that a nova-network host serves, with all bindings."""
        found, others = self._host_networks(host)
        self.hosts.refresh_soon(context, others)
        return found

    @retried
    def _host_networks(self, host: str) -> tuple[tuple[HostNetwork, ...], set[str]]:
        """Return the networks of a host, and the hosts that hold addresses it waits for."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            served = [
                (network, self._own_address(tx, network, address, host, now))
                for network, address in networks.list_served_by(tx, host)
            ]
            ids = [network.id for network, _own in served]
            bindings = fixed_ips.bindings(tx, ids, host)
            names = dns.names_in(tx, ids)
            first = served[0][0].id if served else None
            translations, others = translated.of_host(tx, self.settings, host, first, now)
        found = []
        for network, own in served:
            gateway, dhcp_server = local_addresses(network, own)
            found.append(
                HostNetwork(
                    network=network,
                    dhcp_server=dhcp_server,
                    gateway=gateway,
                    bindings=tuple(bindings.get(network.id, ())),
                    floating_ips=tuple(translations.get(network.id, ())),
                    names=tuple(names.get(network.id, ())),
                )
            )
        return tuple(found), others

    def _own_address(
        self,
        tx: Transaction,
        network: Network,
        address: str | None,
        host: str,
        now: datetime.datetime,
    ) -> str | None:
        if address is not None or not network.multi_host or network.share_address:
            return address
        return addresses.claim_host_address(tx, network, host, now)

    @retried
    def leases(
        self, context: RequestContext, network_id: int, host: str
    ) -> tuple[DhcpBinding, ...]:
        """Return what guests hold in a network served by a host."""
        with self.db.reading() as tx:
            self._check_served(tx, network_id, host)
            found = fixed_ips.bindings(tx, [network_id], host)
        return tuple(binding for binding in found.get(network_id, ()) if binding.leased)

    def _check_served(self, tx: Transaction, network_id: int, host: str) -> None:
        """Refuse a host that does not serve a network.  Raises: NetworkNotFound, NotOwner."""
        network = networks.find_by_row_id(tx, network_id)
        if network is None:
            raise NetworkNotFound(network_id=network_id)
        if not network.multi_host and network.host != host:
            LOG.warning("Host %s spoke about network %s of another", host, network.uuid)
            raise NotOwner(host=host, what=f"network {network.uuid}")

    @retried
    def record_lease(
        self, context: RequestContext, host: str, address: str, mac: str, leased: bool
    ) -> None:
        """Note that a guest took or gave back an address; unknown ones are only logged."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            found = fixed_ips.find(tx, address)
            if found is None:
                LOG.warning("A guest on host %s leased %s, which is unknown", host, address)
                return
            self._check_served(tx, found.network_id, host)
            if leased:
                noted = fixed_ips.set_leased(tx, address, mac, now)
            else:
                noted = fixed_ips.set_released(tx, address, mac, now)
        if not noted:
            LOG.info("Address %s is not in a state to be leased or released by %s", address, mac)

    @retried
    def disassociate_stale(
        self, context: RequestContext, host: str, timeout_s: int
    ) -> tuple[str, ...]:
        """Free addresses that were given up longer than timeout_s ago; return them."""
        now = clock.utcnow()
        before = now - datetime.timedelta(seconds=max(0, timeout_s))
        with self.db.transaction() as tx:
            ids = [network.id for network, _own in networks.list_served_by(tx, host)]
            return tuple(fixed_ips.free_stale(tx, ids, before, now))


def _visible(tx: Transaction, project_id: str | None) -> tuple[Network, ...]:
    """Return all networks, or those that a project may use."""
    if project_id is None:
        return tuple(networks.list_all(tx))
    return tuple(networks.list_usable(tx, project_id))
