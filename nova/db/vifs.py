"""Interfaces of servers, read together with their networks and addresses."""

import itertools
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from nova.db import bulk, networks
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, floating_ips, instances, virtual_interfaces
from nova.objects.addresses import local_addresses
from nova.objects.network import Network, Vif

_OWN = fixed_ips.alias("own")
_HOST = fixed_ips.alias("host_address")


def select_all(unbound: bool = False) -> sa.Select[Any]:
    """Return the query for interfaces with their addresses; unbound: also those of no server."""
    vif = virtual_interfaces.c
    table = networks.networks
    source = (
        virtual_interfaces.join(table, table.c.id == vif.network_id)
        .join(instances, instances.c.uuid == vif.instance_uuid, isouter=unbound)
        .outerjoin(_OWN, _OWN.c.virtual_interface_id == vif.id)
        .outerjoin(floating_ips, floating_ips.c.fixed_ip_id == _OWN.c.id)
        .outerjoin(
            _HOST,
            sa.and_(_HOST.c.network_id == table.c.id, _HOST.c.host == instances.c.host),
        )
    )
    return sa.select(
        *networks.columns(),
        vif.id.label("vif_row_id"),
        vif.uuid.label("vif_uuid"),
        vif.address.label("mac"),
        vif.instance_uuid,
        vif.fixed_ip_v6,
        vif.tag,
        vif.preserved,
        _OWN.c.id.label("fixed_ip_row_id"),
        _OWN.c.address.label("fixed_ip"),
        floating_ips.c.id.label("floating_ip_row_id"),
        floating_ips.c.address.label("floating_ip"),
        _HOST.c.address.label("host_address"),
    ).select_from(source)


# Made once: putting so many columns together costs more than reading an interface.
_ALL = select_all()


def list_for(tx: Transaction, uuids: Sequence[str]) -> dict[str, list[Vif]]:
    """Return the interfaces of servers by uuid, in the order in which they were made."""
    if not uuids:
        return {}
    return by_server(tx, virtual_interfaces.c.instance_uuid.in_(uuids))


def by_server(tx: Transaction, condition: sa.ColumnElement[bool]) -> dict[str, list[Vif]]:
    """Return the interfaces of servers that fulfil a condition, as list_for() does."""
    found: dict[str, list[Vif]] = {}
    # Sorted here: asked for rows in order of their ids, SQLite reads the whole table.
    rows = sorted(tx.execute(_ALL.where(condition)).mappings(), key=order)
    known: dict[int, Network] = {}
    for _row_id, group in itertools.groupby(rows, key=itemgetter("vif_row_id")):
        parts = list(group)
        row = parts[0]
        network = known.get(row["net_id"])
        if network is None:
            network = known[row["net_id"]] = networks.to_network(row)
        found.setdefault(row["instance_uuid"], []).append(to_vif(parts, network))
    return found


def order(row: sa.RowMapping) -> tuple[int, int, int]:
    """Return the place of a row: interfaces, and addresses of each, as they were made."""
    return row["vif_row_id"], row["fixed_ip_row_id"] or 0, row["floating_ip_row_id"] or 0


def to_vif(rows: Sequence[sa.RowMapping], network: Network) -> Vif:
    """Return the interface of some rows, one for each of its addresses."""
    row = rows[0]
    gateway, dhcp_server = local_addresses(network, row["host_address"])
    fixed = tuple(dict.fromkeys(one["fixed_ip"] for one in rows if one["fixed_ip"]))
    return Vif(
        id=row["vif_uuid"],
        address=row["mac"],
        network=network,
        instance_uuid=row["instance_uuid"],
        fixed_ip=fixed[0] if fixed else None,
        fixed_ip_v6=row["fixed_ip_v6"],
        floating_ips=tuple(one["floating_ip"] for one in rows if one["floating_ip"]),
        gateway=gateway,
        dhcp_server=dhcp_server,
        tag=row["tag"],
        more_fixed_ips=fixed[1:],
        preserved=row["preserved"],
    )


def find_instance(tx: Transaction, vif_uuid: str) -> str | None:
    """Return the uuid of the server that has an interface."""
    columns = virtual_interfaces.c
    return tx.execute(sa.select(columns.instance_uuid).where(columns.uuid == vif_uuid)).scalar()


def create(tx: Transaction, row: bulk.Row) -> int:
    """Insert an interface; return its row id.  Raises: Repeat when its MAC address is taken."""
    with refused_as(Repeat()):
        key = virtual_interfaces.c.uuid
        return bulk.insert_keyed(tx, virtual_interfaces, key, [row])[row["uuid"]]


def delete(tx: Transaction, instance_uuid: str, vif_uuid: str) -> bool:
    """Remove an interface of a server, if it does not outlive it; tell whether there was one."""
    columns = virtual_interfaces.c
    statement = sa.delete(virtual_interfaces).where(
        columns.uuid == vif_uuid,
        columns.instance_uuid == instance_uuid,
        columns.preserved.is_(False),
    )
    return tx.execute(statement).rowcount == 1


def delete_for(tx: Transaction, instance_uuid: str) -> int:
    """Remove the interfaces of a server; return their number."""
    statement = sa.delete(virtual_interfaces).where(
        virtual_interfaces.c.instance_uuid == instance_uuid
    )
    return tx.execute(statement).rowcount
