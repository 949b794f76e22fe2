"""Takes NUMA cells, processors and pages of hosts for servers, and gives them back.

Callers have changed the node's row in the same transaction, so that it is theirs until the
end; the node's generation guards against the opposite all the same.
"""

import datetime
from collections.abc import Mapping

from nova.db import compute_nodes
from nova.db.duplicates import Repeat
from nova.db.engine import Transaction
from nova.exception import HostClaimFailed
from nova.objects.flavor import Flavor
from nova.objects.numa import GuestNuma
from nova.objects.numa_fit import Ratios, fit
from nova.objects.numa_request import numa_request
from nova.objects.numa_usage import given_back, taken


def take(
    tx: Transaction,
    host: str,
    node: str,
    flavor: Flavor,
    image_properties: Mapping[str, str],
    now: datetime.datetime,
) -> GuestNuma | None:
    """Place a server's cells on a node and save what they take; None when it asks for none.

    Raises: HostClaimFailed, Invalid.
    """
    wanted = numa_request(flavor, image_properties)
    if wanted is None:
        return None
    found = compute_nodes.find(tx, host, node)
    if found is None or found.numa_topology is None:
        raise HostClaimFailed(host=host, resource="NUMA cells")
    ratios = Ratios(cpu=found.cpu_allocation_ratio, memory=found.ram_allocation_ratio)
    placed = fit(wanted, found.numa_topology, ratios).guest
    if placed is None:
        raise HostClaimFailed(host=host, resource="room in its NUMA cells")
    if not compute_nodes.set_numa(tx, found, taken(found.numa_topology, placed), now):
        raise Repeat
    return placed


def give_back(
    tx: Transaction, host: str, node: str, placed: GuestNuma | None, now: datetime.datetime
) -> None:
    """Free what a placed server has of a node; nothing for a server without cells."""
    if placed is None:
        return
    found = compute_nodes.find(tx, host, node)
    if found is None or found.numa_topology is None:
        return
    if not compute_nodes.set_numa(tx, found, given_back(found.numa_topology, placed), now):
        raise Repeat
