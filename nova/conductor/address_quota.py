"""The quota of fixed addresses, counted rather than kept: servers get addresses with a host.

Source: security-checklist IN-09.
"""

from nova.db import fixed_ips, networks, operations, quotas
from nova.db.engine import Transaction
from nova.exception import QuotaExceeded
from nova.objects.build_request import BuildRequest
from nova.objects.network import Network, NetworkMode
from nova.objects.quota import UNLIMITED

RESOURCE = "fixed_ips"


def claim(tx: Transaction, project_id: str, defaults: dict[str, int]) -> None:
    """Refuse one more address than a project may have.  Raises: QuotaExceeded."""
    limit = quotas.limits(tx, project_id, defaults)[RESOURCE]
    if limit == UNLIMITED:
        return
    # What new servers claim too: none of them is between its check and its commit.
    quotas.hold(tx, project_id, "instances")
    _check(tx, project_id, limit, 1)


def check(tx: Transaction, project_id: str, defaults: dict[str, int]) -> None:
    """Refuse servers that are stored already if their addresses are too many.

    The caller has claimed them, and so holds the rows that claim() holds.
    Raises: QuotaExceeded.
    """
    limit = quotas.limits(tx, project_id, defaults)[RESOURCE]
    if limit != UNLIMITED:
        _check(tx, project_id, limit, 0)


def _check(tx: Transaction, project_id: str, limit: int, more: int) -> None:
    if count(tx, project_id) + more > limit:
        raise QuotaExceeded(resource="fixed IP addresses", allowed=limit)


def count(tx: Transaction, project_id: str) -> int:
    """Return the addresses that a project has, and those that its servers without host will get."""
    found = fixed_ips.count_of_project(tx, project_id)
    waiting = operations.list_waiting(tx, project_id)
    if waiting:
        usable = networks.list_with_range(tx, project_id)
        found += sum(servers * _addresses_of(request, usable) for request, servers in waiting)
    return found


def _addresses_of(request: BuildRequest, usable: list[Network]) -> int:
    """Return how many addresses a server will be given; those of ports are there already."""
    if request.network_mode is NetworkMode.EXPLICIT:
        granting = {network.uuid for network in usable if network.cidr is not None}
        new = [wish for wish in request.networks if wish.port_id is None]
        return sum(wish.network_uuid in granting for wish in new)
    if request.network_mode is NetworkMode.NONE:
        return 0
    own = [network for network in usable if network.project_id is not None]
    return sum(network.cidr is not None for network in own or usable)
