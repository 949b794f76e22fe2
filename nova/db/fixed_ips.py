"""Fixed addresses: who has them, and taking them so that no two servers get the same.

Life of an address: free (no server) -> allocated -> given up (not allocated, still with its
server while the guest holds the lease) -> free.  Source: nova-network, section 2.4.
"""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, instances, networks, virtual_interfaces
from nova.objects.network import DhcpBinding, FixedIp

_COLUMNS = [fixed_ips.c[field.name] for field in dataclasses.fields(FixedIp)]
_CANDIDATE = fixed_ips.alias("candidate")
_LIMIT = 100000


def _free(table: sa.FromClause, network_id: int) -> list[sa.ColumnElement[bool]]:
    return [
        table.c.network_id == network_id,
        table.c.reserved.is_(False),
        table.c.instance_uuid.is_(None),
        table.c.virtual_interface_id.is_(None),
        table.c.host.is_(None),
    ]


def take_any(tx: Transaction, network_id: int, values: bulk.Row) -> str | None:
    """Take the first free address of a network; None when there is none.

    Rows that other transactions are taking are passed over.  Only when nothing else is left
    are they waited for, since those transactions may be undone.
    """
    for skip_locked in (True, False, True):
        address = _take(tx, network_id, values, skip_locked)
        if address is not None:
            return address
    return None


def count_of_project(tx: Transaction, project_id: str) -> int:
    """Return the number of addresses of a project's servers and ports."""
    held = (
        sa.select(sa.func.count())
        .select_from(fixed_ips.join(instances, instances.c.uuid == fixed_ips.c.instance_uuid))
        .where(instances.c.project_id == project_id, fixed_ips.c.allocated.is_(True))
    )
    kept = (
        sa.select(sa.func.count())
        .select_from(
            fixed_ips.join(
                virtual_interfaces, virtual_interfaces.c.id == fixed_ips.c.virtual_interface_id
            )
        )
        .where(
            virtual_interfaces.c.project_id == project_id,
            virtual_interfaces.c.instance_uuid.is_(None),
        )
    )
    total = sa.select(held.scalar_subquery() + kept.scalar_subquery())
    return int(tx.execute(total).scalar_one())


def take_for_host(
    tx: Transaction, network_id: int, host: str, now: datetime.datetime
) -> str | None:
    """Take an address of a network for a host itself; None when there is none.

    Raises: Repeat when another transaction just took one for the same host.
    """
    with refused_as(Repeat()):
        return take_any(tx, network_id, {"host": host, "updated_at": now})


def _take(tx: Transaction, network_id: int, values: bulk.Row, skip_locked: bool) -> str | None:
    candidate = (
        sa.select(_CANDIDATE.c.id)
        .where(*_free(_CANDIDATE, network_id))
        .order_by(_CANDIDATE.c.id)
        .limit(1)
        .with_for_update(skip_locked=skip_locked)
    )
    if tx.dialect.update_returning:
        statement = (
            sa.update(fixed_ips)
            .where(fixed_ips.c.id == candidate.scalar_subquery())
            .values(**values)
            .returning(fixed_ips.c.address)
        )
        return tx.execute(statement).scalar()
    found = tx.execute(candidate.add_columns(_CANDIDATE.c.address)).first()
    if found is None:
        return None
    tx.execute(sa.update(fixed_ips).where(fixed_ips.c.id == found[0]).values(**values))
    address: str = found[1]
    return address


def take(tx: Transaction, network_id: int, address: str, values: bulk.Row) -> bool:
    """Take one address if it is free; tell whether it was."""
    statement = (
        sa.update(fixed_ips)
        .where(fixed_ips.c.address == address, *_free(fixed_ips, network_id))
        .values(**values)
    )
    return tx.execute(statement).rowcount == 1


def find(tx: Transaction, address: str) -> FixedIp | None:
    """Return an address."""
    row = tx.execute(sa.select(*_COLUMNS).where(fixed_ips.c.address == address)).mappings().first()
    return None if row is None else FixedIp(**row)


def release_for(
    tx: Transaction, instance_uuid: str, now: datetime.datetime, vif_uuid: str | None = None
) -> int:
    """Give up the addresses of a server, or of one of its interfaces; return their number.

    An address that the guest still holds a lease of stays with the server until the lease
    ends, so that nobody else gets it before.  An interface that outlives its server keeps its
    addresses; those of a whole server are to be taken from it first.
    """
    statement = (
        sa.update(fixed_ips)
        .where(
            fixed_ips.c.instance_uuid == instance_uuid,
            fixed_ips.c.allocated.is_(True),
            *([] if vif_uuid is None else [_of_passing(vif_uuid)]),
        )
        .values(
            allocated=False,
            virtual_interface_id=None,
            instance_uuid=sa.case((fixed_ips.c.leased.is_(True), instance_uuid), else_=None),
            updated_at=now,
        )
    )
    return tx.execute(statement).rowcount


def _of_passing(vif_uuid: str) -> sa.ColumnElement[bool]:
    vif = virtual_interfaces.c
    query = sa.select(vif.id).where(vif.uuid == vif_uuid, vif.preserved.is_(False))
    return fixed_ips.c.virtual_interface_id == query.scalar_subquery()


def set_leased(tx: Transaction, address: str, mac: str, now: datetime.datetime) -> bool:
    """Note that the guest with a MAC address took its address; tell whether it has it."""
    statement = (
        sa.update(fixed_ips)
        .where(
            fixed_ips.c.address == address,
            fixed_ips.c.allocated.is_(True),
            fixed_ips.c.virtual_interface_id == _interface_with(mac),
        )
        .values(leased=True, updated_at=now)
    )
    return tx.execute(statement).rowcount == 1


def set_released(tx: Transaction, address: str, mac: str, now: datetime.datetime) -> bool:
    """Note that a guest's lease ended; an address that had been given up becomes free.

    While the address belongs to a server, only that server's own lease counts: a message
    about its former owner may be late.
    """
    statement = (
        sa.update(fixed_ips)
        .where(
            fixed_ips.c.address == address,
            fixed_ips.c.leased.is_(True),
            sa.or_(
                fixed_ips.c.virtual_interface_id.is_(None),
                fixed_ips.c.virtual_interface_id == _interface_with(mac),
            ),
        )
        .values(
            leased=False,
            instance_uuid=sa.case(
                (fixed_ips.c.allocated.is_(True), fixed_ips.c.instance_uuid), else_=None
            ),
            updated_at=now,
        )
    )
    return tx.execute(statement).rowcount == 1


def _interface_with(mac: str) -> sa.ScalarSelect[Any]:
    return (
        sa.select(virtual_interfaces.c.id)
        .where(virtual_interfaces.c.address == mac)
        .scalar_subquery()
    )


def free_stale(
    tx: Transaction, network_ids: Sequence[int], before: datetime.datetime, now: datetime.datetime
) -> list[str]:
    """Free addresses that were given up before a time; return them."""
    condition = sa.and_(
        fixed_ips.c.network_id.in_(network_ids),
        fixed_ips.c.allocated.is_(False),
        fixed_ips.c.instance_uuid.is_not(None),
        fixed_ips.c.updated_at < before,
    )
    query = sa.select(fixed_ips.c.address).where(condition).limit(1000).with_for_update()
    found = [row[0] for row in tx.execute(query)]
    if found:
        tx.execute(
            sa.update(fixed_ips)
            .where(fixed_ips.c.address.in_(found), condition)
            .values(leased=False, instance_uuid=None, updated_at=now)
        )
    return found


_OTHER = virtual_interfaces.alias("other")
# The first interface of the server in the row.
_FIRST_INTERFACE = (
    sa.select(sa.func.min(_OTHER.c.id))
    .where(_OTHER.c.instance_uuid == instances.c.uuid)
    .correlate(instances)
    .scalar_subquery()
)
# Network hosts ask this all the time: it is built once, which takes longer than to run it.
_BINDINGS = (
    sa.select(
        fixed_ips.c.network_id,
        virtual_interfaces.c.address.label("mac"),
        virtual_interfaces.c.uuid.label("vif_id"),
        fixed_ips.c.address,
        fixed_ips.c.leased,
        instances.c.hostname,
        instances.c.uuid.label("instance_uuid"),
        instances.c.host,
        (virtual_interfaces.c.id == _FIRST_INTERFACE).label("default_route"),
    )
    .select_from(
        fixed_ips.join(
            virtual_interfaces, virtual_interfaces.c.id == fixed_ips.c.virtual_interface_id
        )
        .join(instances, instances.c.uuid == fixed_ips.c.instance_uuid)
        .join(networks, networks.c.id == fixed_ips.c.network_id)
    )
    .where(
        fixed_ips.c.network_id.in_(sa.bindparam("of_networks", expanding=True)),
        fixed_ips.c.allocated.is_(True),
        sa.or_(networks.c.multi_host.is_(False), instances.c.host == sa.bindparam("of_host")),
    )
    .order_by(fixed_ips.c.id)
    .limit(_LIMIT)
)


def bindings(
    tx: Transaction, network_ids: Sequence[int], host: str
) -> dict[int, list[DhcpBinding]]:
    """Return what the DHCP server of a host hands out, by network row id.

    In a multi_host network these are the servers of that host, elsewhere all.
    """
    found: dict[int, list[DhcpBinding]] = {}
    place = {"of_networks": network_ids, "of_host": host}
    for row in tx.execute(_BINDINGS, place).mappings():
        values: dict[str, Any] = dict(row)
        values["default_route"] = bool(values["default_route"])
        network_id = values.pop("network_id")
        found.setdefault(network_id, []).append(DhcpBinding(**values))
    return found


def instance_with(tx: Transaction, address: str) -> str | None:
    """Return the uuid of the server to which an address is allocated."""
    query = sa.select(fixed_ips.c.instance_uuid).where(
        fixed_ips.c.address == address, fixed_ips.c.allocated.is_(True)
    )
    return tx.execute(query).scalar()
