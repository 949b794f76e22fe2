"""Server groups and their members; a membership lasts as long as its server lives."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.instances import scope_conditions
from nova.db.tables import instance_group_member, instance_groups, instances
from nova.objects.instance import Scope
from nova.objects.server_group import GroupPolicy, PlacedGroup, ServerGroup

MAX_MEMBERS = 100000

_COLUMNS = tuple(instance_groups.columns)
_MEMBER = instance_group_member.c


def page(tx: Transaction, scope: Scope, limit: int, offset: int) -> list[ServerGroup]:
    """Return groups with their members, in order of their ids, after the first offset ones."""
    query = (
        sa.select(*_COLUMNS)
        .where(*scope_conditions(instance_groups.c, scope))
        .order_by(instance_groups.c.id)
        .limit(limit)
        .offset(offset)
    )
    return _with_members(tx, tx.execute(query).mappings().all())


def find(tx: Transaction, group_uuid: str, scope: Scope) -> ServerGroup | None:
    """Return a group with its members."""
    query = sa.select(*_COLUMNS).where(
        instance_groups.c.uuid == group_uuid, *scope_conditions(instance_groups.c, scope)
    )
    found = _with_members(tx, tx.execute(query).mappings().all())
    return found[0] if found else None


def _with_members(tx: Transaction, rows: Sequence[sa.RowMapping]) -> list[ServerGroup]:
    members: dict[str, list[str]] = {}
    for group_uuid, uuid, _host in _members(tx, [row["uuid"] for row in rows]):
        members.setdefault(group_uuid, []).append(uuid)
    return [_to_group(row, members.get(row["uuid"], ())) for row in rows]


def _to_group(row: sa.RowMapping, members: Iterable[str]) -> ServerGroup:
    values: dict[str, Any] = dict(row)
    values["policy"] = GroupPolicy(values["policy"])
    return ServerGroup(**values, members=tuple(members))


def _members(tx: Transaction, group_uuids: Sequence[str]) -> Iterable[tuple[str, str, str | None]]:
    """Return (group, server, host of the server) in order of the servers' ids."""
    if not group_uuids:
        return []
    query = (
        sa.select(_MEMBER.group_uuid, instances.c.uuid, instances.c.host)
        .join_from(instance_group_member, instances, instances.c.uuid == _MEMBER.instance_uuid)
        .where(_MEMBER.group_uuid.in_(group_uuids))
        .order_by(instances.c.id)
        .limit(MAX_MEMBERS)
    )
    return [(group, uuid, host) for group, uuid, host in tx.execute(query)]


def create(tx: Transaction, row: bulk.Row) -> int:
    """Insert a group; return its row id."""
    return bulk.insert_keyed(tx, instance_groups, instance_groups.c.uuid, [row])[row["uuid"]]


def delete(tx: Transaction, group_uuid: str, scope: Scope) -> tuple[str, str] | None:
    """Remove a group; return its project and user, None when it is not there."""
    query = (
        sa.select(instance_groups.c.project_id, instance_groups.c.user_id)
        .where(instance_groups.c.uuid == group_uuid, *scope_conditions(instance_groups.c, scope))
        .with_for_update()
    )
    owner = tx.execute(query).first()
    if owner is None:
        return None
    tx.execute(sa.delete(instance_groups).where(instance_groups.c.uuid == group_uuid))
    tx.execute(sa.delete(instance_group_member).where(_MEMBER.group_uuid == group_uuid))
    return owner[0], owner[1]


# --- Membership and placement


def lock(
    tx: Transaction, group_uuid: str, now: datetime.datetime, project_id: str | None = None
) -> bool:
    """Keep others from adding or placing members until the end of the transaction.

    Tells whether the group is there, and of the project when one is given.
    """
    statement = sa.update(instance_groups).where(instance_groups.c.uuid == group_uuid)
    if project_id is not None:
        statement = statement.where(instance_groups.c.project_id == project_id)
    return tx.execute(statement.values(updated_at=now)).rowcount == 1


def count_members(tx: Transaction, group_uuid: str) -> int:
    """Return how many live servers a group has."""
    query = sa.select(sa.func.count()).where(_MEMBER.group_uuid == group_uuid)
    return tx.execute(query).scalar_one()


def add_members(tx: Transaction, group_uuid: str, uuids: Sequence[str]) -> None:
    """Make new servers members of a group."""
    rows = [{"instance_uuid": uuid, "group_uuid": group_uuid} for uuid in uuids]
    bulk.insert(tx, instance_group_member, rows)


def find_placed(tx: Transaction, group_uuid: str) -> PlacedGroup | None:
    """Return a group with the hosts of its members."""
    query = sa.select(instance_groups.c.policy, instance_groups.c.max_server_per_host)
    row = tx.execute(query.where(instance_groups.c.uuid == group_uuid)).first()
    if row is None:
        return None
    members = []
    on_hosts: dict[str, tuple[str, ...]] = {}
    for _group, uuid, host in _members(tx, [group_uuid]):
        members.append(uuid)
        if host is not None:
            on_hosts[host] = (*on_hosts.get(host, ()), uuid)
    return PlacedGroup(
        uuid=group_uuid,
        policy=GroupPolicy(row[0]),
        max_server_per_host=row[1] or 1,
        members=tuple(members),
        on_hosts=on_hosts,
    )
