"""The IPv4 and the IPv6 range of a network."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, networks

_NAMES = {4: "subnet_name", 6: "subnet_name_v6"}
_RANGES = {4: networks.c.cidr, 6: networks.c.cidr_v6}
_OF_VERSION = {
    4: (
        "cidr", "netmask", "broadcast", "gateway", "dhcp_start", "dhcp_server",
        "vpn_private_address", "vpn_public_port", "subnet_name",
    ),
    6: ("cidr_v6", "netmask_v6", "gateway_v6", "subnet_name_v6"),
}  # fmt: skip
_OF_BOTH = ("vlan", "bridge", "bridge_interface", "dns1", "dns2", "host")


def name_of(ip_version: int) -> str:
    """Return the column with the name of the range of a version."""
    return _NAMES[ip_version]


def give(
    tx: Transaction,
    network_id: int,
    ip_version: int,
    values: Mapping[str, Any],
    addresses: Sequence[bulk.Row],
) -> bool:
    """Give a network a range with one row per address; tell whether it had none."""
    free = (networks.c.id == network_id, _RANGES[ip_version].is_(None))
    if tx.execute(sa.update(networks).where(*free).values(**values)).rowcount != 1:
        return False
    for piece in bulk.chunks(addresses, 5000):
        bulk.insert(tx, fixed_ips, [{**row, "network_id": network_id} for row in piece])
    return True


def take(
    tx: Transaction, network_id: int, ip_version: int, last: bool, now: datetime.datetime
) -> None:
    """Take a range with its addresses; with the last one go VLAN, bridge and host."""
    if ip_version == 4:
        tx.execute(sa.delete(fixed_ips).where(fixed_ips.c.network_id == network_id))
    names = (*_OF_VERSION[ip_version], *(_OF_BOTH if last else ()))
    statement = sa.update(networks).where(networks.c.id == network_id)
    tx.execute(statement.values(**dict.fromkeys(names), updated_at=now))


def set_name(
    tx: Transaction, network_id: int, column: str, name: str, now: datetime.datetime
) -> None:
    """Set the name of a network or of a range."""
    statement = sa.update(networks).where(networks.c.id == network_id)
    tx.execute(statement.values({column: name, "updated_at": now}))
