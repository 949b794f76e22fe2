"""Fixed addresses with their networks and servers, for administrators."""

import datetime
from typing import Any

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, instances, networks
from nova.objects.instance import Scope
from nova.objects.network import FixedIpDetail


def _select() -> sa.Select[Any]:
    source = fixed_ips.join(networks, networks.c.id == fixed_ips.c.network_id).outerjoin(
        instances, instances.c.uuid == fixed_ips.c.instance_uuid
    )
    lost = sa.and_(fixed_ips.c.instance_uuid.is_not(None), instances.c.uuid.is_(None))
    return sa.select(
        fixed_ips.c.address,
        networks.c.uuid.label("network_uuid"),
        networks.c.label.label("network_label"),
        networks.c.cidr,
        fixed_ips.c.reserved,
        fixed_ips.c.allocated,
        fixed_ips.c.instance_uuid,
        instances.c.hostname,
        sa.func.coalesce(instances.c.host, fixed_ips.c.host).label("host"),
        lost.label("lost"),
    ).select_from(source)


def _detail(row: sa.RowMapping) -> FixedIpDetail:
    return FixedIpDetail(**{**row, "lost": bool(row["lost"])})


def _named(scope: Scope, address: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for an address; with one project in scope, in its own networks."""
    named = [fixed_ips.c.address == address]
    if scope.project_id is not None:
        own = sa.select(networks.c.id).where(networks.c.project_id == scope.project_id)
        named.append(fixed_ips.c.network_id.in_(own))
    return named


def find(tx: Transaction, scope: Scope, address: str) -> FixedIpDetail | None:
    """Return an address of a network in scope."""
    row = tx.execute(_select().where(*_named(scope, address))).mappings().first()
    return None if row is None else _detail(row)


def row_id_of(tx: Transaction, address: str) -> int | None:
    """Return the row id of an address."""
    query = sa.select(fixed_ips.c.id).where(fixed_ips.c.address == address)
    found: int | None = tx.execute(query).scalar()
    return found


def page(tx: Transaction, host: str | None, after: int, limit: int) -> list[FixedIpDetail]:
    """Return the addresses behind a row id, or those of servers on a host among them."""
    query = _select().where(fixed_ips.c.id > after).order_by(fixed_ips.c.id).limit(limit)
    if host is not None:
        query = query.where(instances.c.host == host)
    return [_detail(row) for row in tx.execute(query).mappings()]


def set_reserved(
    tx: Transaction, scope: Scope, address: str, reserved: bool, now: datetime.datetime
) -> bool:
    """Reserve an address of a network in scope or make it usable; tell whether there is one."""
    statement = (
        sa.update(fixed_ips)
        .where(*_named(scope, address))
        .values(reserved=reserved, updated_at=now)
    )
    return tx.execute(statement).rowcount == 1
