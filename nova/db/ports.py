"""Interfaces of servers and of none, and what ties the latter to a server."""

import datetime
import itertools
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from nova.db import networks, vifs
from nova.db.engine import Transaction
from nova.db.tables import (
    fixed_ips,
    instances,
    security_group_instances,
    security_groups,
    virtual_interfaces,
)
from nova.objects.instance import Scope
from nova.objects.lifecycle import PowerState
from nova.objects.port import HeldPort, NetworkUse, Port, PortQuery

_ON = (PowerState.RUNNING, PowerState.PAUSED)
_VIF = virtual_interfaces.c
_OWNER = sa.func.coalesce(instances.c.project_id, _VIF.project_id)

_ALL = vifs.select_all(unbound=True).add_columns(
    _OWNER.label("owner"),
    _VIF.name.label("port_name"),
    _VIF.created_at.label("port_created_at"),
    instances.c.created_at.label("server_created_at"),
    instances.c.host.label("server_host"),
    instances.c.power_state,
    instances.c.availability_zone,
)


# --- Reading


def page(tx: Transaction, query: PortQuery) -> list[Port] | None:
    """Return one page of ports in order of their making; None when the marker is unknown."""
    conditions = [*_in_scope(query.scope), *_filters(query)]
    if query.marker is not None:
        place = tx.execute(sa.select(_VIF.id).where(_VIF.uuid == query.marker)).scalar()
        if place is None:
            return None
        conditions.append(_VIF.id > place)
    chosen = (
        sa.select(_VIF.id)
        .select_from(virtual_interfaces.outerjoin(instances, _of_server()))
        .where(*conditions)
        .order_by(_VIF.id)
        .limit(query.limit)
        .subquery("chosen")
    )
    return _read(tx, _VIF.id.in_(sa.select(chosen.c.id)))


def find(tx: Transaction, scope: Scope, port_id: str) -> Port | None:
    """Return a port of a project in scope."""
    found = _read(tx, _VIF.uuid == port_id, *_in_scope(scope))
    return found[0] if found else None


def _read(tx: Transaction, *conditions: sa.ColumnElement[bool]) -> list[Port]:
    rows = sorted(tx.execute(_ALL.where(*conditions)).mappings(), key=vifs.order)
    parts = [list(group) for _id, group in itertools.groupby(rows, key=itemgetter("vif_row_id"))]
    groups = _groups_of(tx, {part[0]["instance_uuid"] for part in parts} - {None})
    return [_to_port(part, groups) for part in parts]


def _to_port(rows: Sequence[sa.RowMapping], groups: Mapping[str, tuple[str, ...]]) -> Port:
    row = rows[0]
    return Port(
        vif=vifs.to_vif(rows, networks.to_network(row)),
        project_id=row["owner"],
        name=row["port_name"] or "",
        host=row["server_host"],
        active=row["power_state"] in _ON,
        availability_zone=row["availability_zone"],
        group_uuids=groups.get(row["instance_uuid"], ()),
        created_at=row["port_created_at"] or row["server_created_at"],
    )


def _groups_of(tx: Transaction, uuids: set[str]) -> dict[str, tuple[str, ...]]:
    if not uuids:
        return {}
    table = security_group_instances
    query = (
        sa.select(table.c.instance_uuid, security_groups.c.uuid)
        .join(security_groups, security_groups.c.id == table.c.security_group_id)
        .where(table.c.instance_uuid.in_(uuids))
        .order_by(security_groups.c.id)
    )
    found: dict[str, tuple[str, ...]] = {}
    for instance_uuid, group_uuid in tx.execute(query):
        found[instance_uuid] = (*found.get(instance_uuid, ()), group_uuid)
    return found


def _of_server() -> sa.ColumnElement[bool]:
    return instances.c.uuid == _VIF.instance_uuid


def _in_scope(scope: Scope) -> list[sa.ColumnElement[bool]]:
    return [] if scope.project_id is None else [_OWNER.in_([scope.project_id])]


def _filters(query: PortQuery) -> list[sa.ColumnElement[bool]]:
    columns = (
        (_VIF.uuid, query.ids),
        (_VIF.instance_uuid, query.instance_uuids),
        (_VIF.name, query.names),
        (_VIF.address, query.macs),
    )
    found: list[sa.ColumnElement[bool]] = [
        column.in_(values) for column, values in columns if values
    ]
    if query.network_uuids:
        table = networks.networks
        wanted = sa.select(table.c.id).where(table.c.uuid.in_(query.network_uuids))
        found.append(_VIF.network_id.in_(wanted))
    if query.addresses:
        holders = sa.select(fixed_ips.c.virtual_interface_id).where(
            fixed_ips.c.address.in_(query.addresses)
        )
        found.append(sa.or_(_VIF.id.in_(holders), _VIF.fixed_ip_v6.in_(query.addresses)))
    return found


def held_by(tx: Transaction, project_id: str, port_ids: Sequence[str]) -> dict[str, HeldPort]:
    """Return those of some ports that a project made before their servers, by id."""
    if not port_ids:
        return {}
    table = networks.networks
    query = (
        sa.select(
            _VIF.id,
            _VIF.uuid,
            _VIF.address,
            table.c.uuid.label("network_uuid"),
            _VIF.instance_uuid,
            fixed_ips.c.address.label("fixed_ip"),
            _VIF.fixed_ip_v6,
        )
        .select_from(
            virtual_interfaces.join(table, table.c.id == _VIF.network_id).outerjoin(
                fixed_ips, fixed_ips.c.virtual_interface_id == _VIF.id
            )
        )
        .where(_VIF.uuid.in_(port_ids), _VIF.preserved.is_(True), _VIF.project_id == project_id)
        .order_by(fixed_ips.c.id)
    )
    found: dict[str, HeldPort] = {}
    for row_id, port_id, mac, network_uuid, instance_uuid, fixed_ip, v6 in tx.execute(query):
        found.setdefault(
            port_id,
            HeldPort(
                row_id=row_id,
                uuid=port_id,
                mac=mac,
                network_uuid=network_uuid,
                instance_uuid=instance_uuid,
                fixed_ip=fixed_ip,
                fixed_ip_v6=v6,
            ),
        )
    return found


def list_use(tx: Transaction, project_id: str | None) -> list[NetworkUse]:
    """Return how full the networks are that a project may use, or all."""
    usable = networks.list_all(tx) if project_id is None else networks.list_usable(tx, project_id)
    column = fixed_ips.c
    taken = sa.or_(
        column.instance_uuid.is_not(None),
        column.virtual_interface_id.is_not(None),
        column.host.is_not(None),
    )
    query = (
        sa.select(
            column.network_id,
            sa.func.count().label("total"),
            sa.func.sum(sa.case((taken, 1), else_=0)).label("used"),
        )
        .where(column.reserved.is_(False))
        .group_by(column.network_id)
    )
    counts = {row.network_id: (row.total, int(row.used)) for row in tx.execute(query)}
    return [
        NetworkUse(network=network, total=total, used=used)
        for network in usable
        for total, used in [counts.get(network.id, (0, 0))]
    ]


# --- Writing


def rename(tx: Transaction, port_id: str, name: str) -> None:
    """Change a port's name."""
    tx.execute(sa.update(virtual_interfaces).where(_VIF.uuid == port_id).values(name=name))


def delete(tx: Transaction, port_id: str, now: datetime.datetime) -> bool:
    """Remove a port without server, and free its address; tell whether there was one."""
    free = [_VIF.uuid == port_id, _VIF.instance_uuid.is_(None)]
    tx.execute(
        sa.update(fixed_ips)
        .where(_address_of(*free))
        .values(allocated=False, leased=False, virtual_interface_id=None, updated_at=now)
    )
    return tx.execute(sa.delete(virtual_interfaces).where(*free)).rowcount == 1


def bind(
    tx: Transaction, port: HeldPort, instance_uuid: str, tag: str | None, now: datetime.datetime
) -> bool:
    """Give a port to a server; tell whether no other has it."""
    statement = (
        sa.update(virtual_interfaces)
        .where(_VIF.id == port.row_id, _VIF.instance_uuid.is_(None))
        .values(instance_uuid=instance_uuid, tag=tag)
    )
    if tx.execute(statement).rowcount != 1:
        return False
    tx.execute(
        sa.update(fixed_ips)
        .where(fixed_ips.c.virtual_interface_id == port.row_id)
        .values(instance_uuid=instance_uuid, updated_at=now)
    )
    return True


def unbind(
    tx: Transaction, instance_uuid: str, now: datetime.datetime, vif_uuid: str | None = None
) -> int:
    """Take the ports of a server from it that stay, or one of them; return their number.

    They keep their addresses.
    """
    staying = [_VIF.instance_uuid == instance_uuid, _VIF.preserved.is_(True)]
    if vif_uuid is not None:
        staying.append(_VIF.uuid == vif_uuid)
    statement = sa.update(virtual_interfaces).where(*staying).values(instance_uuid=None, tag=None)
    count = tx.execute(statement).rowcount
    if count:
        unbound = _address_of(_VIF.instance_uuid.is_(None), _VIF.preserved.is_(True))
        tx.execute(
            sa.update(fixed_ips)
            .where(fixed_ips.c.instance_uuid == instance_uuid, unbound)
            .values(instance_uuid=None, leased=False, updated_at=now)
        )
    return count


def forget(tx: Transaction, instance_uuid: str, vif_uuid: str) -> None:
    """Let an interface end with its being the server's."""
    tx.execute(
        sa.update(virtual_interfaces)
        .where(_VIF.uuid == vif_uuid, _VIF.instance_uuid == instance_uuid)
        .values(preserved=False)
    )


def _address_of(*conditions: sa.ColumnElement[bool]) -> Any:
    return fixed_ips.c.virtual_interface_id.in_(sa.select(_VIF.id).where(*conditions))
