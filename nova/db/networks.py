"""Networks of nova-network."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, networks, virtual_interfaces
from nova.objects.network import Network

FIELDS = tuple(field.name for field in dataclasses.fields(Network))
MAX_NETWORKS = 5000

_HOST = fixed_ips.alias("host_address")
_HAS_RANGE = sa.or_(networks.c.cidr.is_not(None), networks.c.cidr_v6.is_not(None))
_BY_PRIORITY = (networks.c.priority.is_(None), networks.c.priority, networks.c.id)


def columns() -> list[sa.ColumnElement[Any]]:
    """Return the columns of a network, each labelled net_<field>."""
    return [networks.c[name].label(f"net_{name}") for name in FIELDS]


# Network hosts ask this all the time: it is built once, which takes longer than to run it.
_SERVED_BY = (
    sa.select(*columns(), _HOST.c.address)
    .select_from(
        networks.outerjoin(
            _HOST,
            sa.and_(_HOST.c.network_id == networks.c.id, _HOST.c.host == sa.bindparam("of_host")),
        )
    )
    .where(
        sa.or_(networks.c.host == sa.bindparam("of_host"), networks.c.multi_host.is_(True)),
        _HAS_RANGE,
    )
    .order_by(networks.c.id)
    .limit(MAX_NETWORKS)
)


def to_network(row: sa.RowMapping) -> Network:
    """Return the network of a row that was selected by columns()."""
    return Network(**{name: row[f"net_{name}"] for name in FIELDS})


def list_all(tx: Transaction) -> list[Network]:
    """Return all networks in order of their ids, at most MAX_NETWORKS."""
    return _list(tx)


def list_of_project(tx: Transaction, project_id: str) -> list[Network]:
    """Return the networks that a project owns."""
    return _list(tx, networks.c.project_id == project_id)


def list_usable(tx: Transaction, project_id: str) -> list[Network]:
    """Return the networks of a project and those of nobody, in order of their priority.

    A VLAN belongs to one project: one without project is nobody's to use (NET-13).
    """
    return _list(tx, _usable(project_id), order=_BY_PRIORITY)


def list_with_range(tx: Transaction, project_id: str) -> list[Network]:
    """Return what list_usable() does, but those without any range."""
    return _list(tx, _usable(project_id), _HAS_RANGE, order=_BY_PRIORITY)


def list_usable_on(tx: Transaction, project_id: str, host: str) -> list[tuple[Network, str | None]]:
    """Return what list_with_range() does, each with the address that a host has in it."""
    source = networks.outerjoin(
        _HOST, sa.and_(_HOST.c.network_id == networks.c.id, _HOST.c.host == host)
    )
    query = (
        sa.select(*columns(), _HOST.c.address)
        .select_from(source)
        .where(_usable(project_id), _HAS_RANGE)
        .order_by(*_BY_PRIORITY)
        .limit(MAX_NETWORKS)
    )
    return [(to_network(row), row["address"]) for row in tx.execute(query).mappings()]


def list_served_by(tx: Transaction, host: str) -> list[tuple[Network, str | None]]:
    """Return the networks that a host serves, each with the host's address in it.

    A host serves the networks that name it, and all multi_host networks, once they have a range.
    """
    found = tx.execute(_SERVED_BY, {"of_host": host}).mappings()
    return [(to_network(row), row["address"]) for row in found]


def find(tx: Transaction, network_id: str) -> Network | None:
    """Return a network by uuid."""
    found = _list(tx, networks.c.uuid == network_id)
    return found[0] if found else None


def find_usable(tx: Transaction, network_id: str, project_id: str) -> Network | None:
    """Return a network by uuid if a project may use it."""
    found = _list(tx, networks.c.uuid == network_id, _usable(project_id))
    return found[0] if found else None


def find_by_cidr(tx: Transaction, cidr: str) -> Network | None:
    """Return a network by its IPv4 or IPv6 range."""
    found = _list(tx, sa.or_(networks.c.cidr == cidr, networks.c.cidr_v6 == cidr))
    return found[0] if found else None


def find_by_row_id(tx: Transaction, row_id: int) -> Network | None:
    """Return a network by row id."""
    found = _list(tx, networks.c.id == row_id)
    return found[0] if found else None


def _usable(project_id: str) -> sa.ColumnElement[bool]:
    shared = sa.and_(networks.c.project_id.is_(None), networks.c.vlan.is_(None))
    return sa.or_(networks.c.project_id == project_id, shared)


def _list(
    tx: Transaction,
    *conditions: sa.ColumnElement[bool],
    order: Sequence[sa.ColumnElement[Any]] = (networks.c.id,),
) -> list[Network]:
    query = sa.select(*columns()).where(*conditions).order_by(*order).limit(MAX_NETWORKS)
    return [to_network(row) for row in tx.execute(query).mappings()]


def create(tx: Transaction, values: Mapping[str, Any], addresses: Sequence[bulk.Row]) -> int:
    """Insert a network and one row per address; return the network's row id."""
    network_id = bulk.insert_keyed(tx, networks, networks.c.uuid, [values])[values["uuid"]]
    for piece in bulk.chunks(addresses, 5000):
        bulk.insert(tx, fixed_ips, [{**row, "network_id": network_id} for row in piece])
    return network_id


def set_host(tx: Transaction, network_id: int, host: str, now: datetime.datetime) -> bool:
    """Give a network without host to a host; tell whether it was free."""
    statement = (
        sa.update(networks)
        .where(networks.c.id == network_id, networks.c.host.is_(None))
        .values(host=host, updated_at=now)
    )
    return tx.execute(statement).rowcount == 1


def in_use(tx: Transaction, network_id: int) -> bool:
    """Tell whether a server has an interface or an address in a network."""
    interface = sa.exists().where(virtual_interfaces.c.network_id == network_id)
    address = sa.exists().where(
        fixed_ips.c.network_id == network_id, fixed_ips.c.instance_uuid.is_not(None)
    )
    return bool(tx.execute(sa.select(sa.or_(interface, address))).scalar())


def delete(tx: Transaction, network_id: int) -> None:
    """Remove a network with its addresses."""
    tx.execute(sa.delete(fixed_ips).where(fixed_ips.c.network_id == network_id))
    tx.execute(sa.delete(networks).where(networks.c.id == network_id))
