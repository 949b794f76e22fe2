"""Addresses that interfaces of servers have beside their first."""

import datetime

import sqlalchemy as sa

from nova.db import networks
from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, virtual_interfaces


def row_id_of(tx: Transaction, vif_uuid: str) -> int:
    """Return the row id of an interface."""
    query = sa.select(virtual_interfaces.c.id).where(virtual_interfaces.c.uuid == vif_uuid)
    return int(tx.execute(query).scalar_one())


def is_usable(tx: Transaction, network_uuid: str, project_id: str) -> bool:
    """Tell whether a project may use a network."""
    return networks.find_usable(tx, network_uuid, project_id) is not None


def give_up(tx: Transaction, instance_uuid: str, address: str, now: datetime.datetime) -> bool:
    """Take an address from its interface; tell whether the server had it.

    It stays with the server until it is freed, so that nobody else gets it.
    """
    statement = sa.update(fixed_ips).where(
        fixed_ips.c.address == address,
        fixed_ips.c.instance_uuid == instance_uuid,
        fixed_ips.c.allocated.is_(True),
    )
    values = {"allocated": False, "virtual_interface_id": None, "updated_at": now}
    return tx.execute(statement.values(**values)).rowcount == 1


def free(tx: Transaction, instance_uuid: str, address: str, now: datetime.datetime) -> None:
    """Free an address that a server gave up, unless a guest has a lease of it."""
    statement = sa.update(fixed_ips).where(
        fixed_ips.c.address == address,
        fixed_ips.c.instance_uuid == instance_uuid,
        fixed_ips.c.allocated.is_(False),
        fixed_ips.c.leased.is_(False),
    )
    tx.execute(statement.values(instance_uuid=None, updated_at=now))
