"""Networks that projects own.

With VlanManager each project has networks of its own; one that has none is given one when its
first server is asked for.  Source: nova-network, section 2.
"""

import dataclasses
import datetime

from nova.conductor.network_plan import ManagerKind
from nova.conductor.settings import ConductorSettings
from nova.db import network_owners, networks, quotas
from nova.db.engine import Transaction
from nova.exception import (
    NetworkChoiceForbidden,
    NetworkNotFound,
    NetworkNotOwned,
    NoMoreNetworks,
    QuotaExceeded,
)
from nova.objects.instance import Scope
from nova.objects.network import Network, NetworkMode, NewNetwork
from nova.objects.quota import UNLIMITED


def ensure(
    tx: Transaction,
    settings: ConductorSettings,
    mode: NetworkMode,
    project_id: str,
    now: datetime.datetime,
) -> None:
    """See to it that a project has the network that its servers get without a word.

    Raises: NoMoreNetworks.
    """
    if mode is not NetworkMode.AUTO or settings.network.manager is not ManagerKind.VLAN:
        return
    if network_owners.has_range(tx, project_id):
        return
    quotas.hold(tx, project_id, "instances")
    if network_owners.has_range(tx, project_id):
        return
    if network_owners.give_free(tx, project_id, now) is None:
        raise NoMoreNetworks(project_id=project_id)


def give(
    tx: Transaction,
    project_id: str,
    network_uuid: str | None,
    now: datetime.datetime,
) -> Network:
    """Give a project a network of nobody: the one named, else the next.

    One that it has already stays.  Raises: NoMoreNetworks.
    """
    row_id: int | None = None
    if network_uuid is not None:
        network = networks.find(tx, network_uuid)
        if network is None:
            raise NoMoreNetworks(project_id=project_id)
        if network.project_id == project_id:
            return network
        row_id = network.id
    given = network_owners.give_free(tx, project_id, now, row_id)
    found = None if given is None else networks.find_by_row_id(tx, given)
    if found is None:
        raise NoMoreNetworks(project_id=project_id)
    return found


def check_limit(tx: Transaction, project_id: str, settings: ConductorSettings, more: int) -> None:
    """Refuse more networks than a project may make.  Raises: QuotaExceeded."""
    limit = settings.network.per_project
    if limit == UNLIMITED:
        return
    quotas.hold(tx, project_id, "instances")
    if network_owners.count(tx, project_id) + more > limit:
        raise QuotaExceeded(resource="networks", allowed=limit)


def only_own(project_id: str, new: NewNetwork) -> NewNetwork:
    """Return what a project gets that asks for a network: one of its own, and no other's wire.

    Raises: NetworkChoiceForbidden.
    """
    named = {"bridge": new.bridge, "bridge_interface": new.bridge_interface, "vlan": new.vlan}
    chosen = [name for name, value in named.items() if value is not None]
    if new.project_id not in (None, project_id):
        chosen.append("project_id")
    if chosen:
        raise NetworkChoiceForbidden(chosen=", ".join(chosen))
    return dataclasses.replace(new, project_id=project_id)


def require(tx: Transaction, scope: Scope, network_id: str) -> Network:
    """Return a network that the caller may change, by uuid or, of everybody's, by range.

    Raises: NetworkNotFound, NetworkNotOwned.
    """
    project_id = scope.project_id
    if project_id is None:
        found = networks.find(tx, network_id) or networks.find_by_cidr(tx, network_id)
    else:
        found = networks.find_usable(tx, network_id, project_id)
    if found is None:
        raise NetworkNotFound(network_id=network_id)
    check_owner(scope, found)
    return found


def check_owner(scope: Scope, network: Network) -> None:
    """Refuse a project networks that it may only use.  Raises: NetworkNotOwned."""
    if scope.project_id is not None and network.project_id != scope.project_id:
        raise NetworkNotOwned(network_id=network.uuid)
