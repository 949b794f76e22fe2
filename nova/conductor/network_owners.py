"""Projects and hosts that networks belong to."""

import logging

from nova import clock
from nova.conductor import project_networks
from nova.conductor.network_plan import ManagerKind
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import network_owners, networks
from nova.db.engine import Database, retried
from nova.exception import NetworkInUse, NotSupported
from nova.network.rpcapi import NetworkAPI
from nova.objects.instance import Scope
from nova.objects.network import Network
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


class NetworkOwners(ConductorNetworks):
    """Gives networks to projects and hosts, and takes them away."""

    db: Database
    bus: Bus
    settings: ConductorSettings

    def associate(
        self, context: RequestContext, project_id: str, network_id: str | None = None
    ) -> Network:
        """Give a project a network of nobody."""
        network = self._associate(project_id, network_id)
        self._tell(context)
        return network

    @retried
    def _associate(self, project_id: str, network_id: str | None) -> Network:
        if self.settings.network.manager is not ManagerKind.VLAN:
            raise NotSupported(reason="Only VLANs are given to projects.")
        with self.db.transaction() as tx:
            network = project_networks.give(tx, project_id, network_id, clock.utcnow())
        LOG.info("Network %s was given to project %s", network.uuid, project_id)
        return network

    def set_project(
        self, context: RequestContext, scope: Scope, network_id: str, project_id: str | None
    ) -> None:
        """Give a network to a project, or take it from its project."""
        self._give(scope, network_id, project_id)
        self._tell(context)

    @retried
    def _give(self, scope: Scope, network_id: str, project_id: str | None) -> None:
        with self.db.transaction() as tx:
            network = project_networks.require(tx, scope, network_id)
            if project_id is not None and network_owners.has_strangers(tx, network.id, project_id):
                raise NetworkInUse(network_id=network.uuid)
            network_owners.update(tx, network.id, {"project_id": project_id}, clock.utcnow())
        LOG.info("Network %s now belongs to project %s", network.uuid, project_id)

    def set_host(
        self, context: RequestContext, scope: Scope, network_id: str, host: str | None
    ) -> None:
        """Let a host serve a network, or none until one is chosen."""
        self._update(scope, network_id, {"host": host})
        self._tell(context)

    def disassociate(self, context: RequestContext, scope: Scope, network_id: str) -> None:
        """Take a network from its project and its host."""
        self._update(scope, network_id, {"host": None, "project_id": None})
        self._tell(context)

    @retried
    def _update(self, scope: Scope, network_id: str, values: dict[str, str | None]) -> None:
        with self.db.transaction() as tx:
            network = project_networks.require(tx, scope, network_id)
            network_owners.update(tx, network.id, values, clock.utcnow())
        LOG.info("Network %s was changed: %s", network.uuid, values)

    def disassociate_all(self, context: RequestContext, project_id: str) -> tuple[Network, ...]:
        """Take all networks from a project."""
        taken = self._take_all(project_id)
        if taken:
            self._tell(context)
        return taken

    @retried
    def _take_all(self, project_id: str) -> tuple[Network, ...]:
        with self.db.transaction() as tx:
            owned = tuple(networks.list_of_project(tx, project_id))
            network_owners.take_all(tx, project_id, clock.utcnow())
        return owned

    def _tell(self, context: RequestContext) -> None:
        """Let hosts know: what they isolate depends on whose a network is."""
        self.bus.client(NetworkAPI).everyone().networks_changed(context)
