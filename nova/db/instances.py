"""Live servers: reading whole records, and conditional writes."""

import datetime
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from nova.db import bulk, vifs
from nova.db.engine import Transaction
from nova.db.tables import (
    instance_faults,
    instance_group_member,
    instance_metadata,
    instances,
    security_group_instances,
    security_groups,
    tags,
)
from nova.objects.instance import Fault, Instance, Scope
from nova.objects.lifecycle import PowerState, TaskState, VmState

FIELDS = (
    "id",
    "uuid",
    "project_id",
    "user_id",
    "display_name",
    "hostname",
    "vm_state",
    "flavor",
    "task_state",
    "power_state",
    "display_description",
    "reservation_id",
    "launch_index",
    "image_ref",
    "kernel_id",
    "ramdisk_id",
    "key_name",
    "key_data",
    "user_data",
    "config_drive",
    "host",
    "node",
    "availability_zone",
    "pinned_availability_zone",
    "access_ip_v4",
    "access_ip_v6",
    "root_device_name",
    "auto_disk_config",
    "os_type",
    "architecture",
    "progress",
    "locked_by",
    "locked_reason",
    "scheduler_hints",
    "image_properties",
    "numa_topology",
    "shelved_image_id",
    "shelved_at",
    "soft_deleted_at",
    "launched_at",
    "terminated_at",
    "created_at",
    "updated_at",
    "console_generation",
)

Accepted = Mapping[str, Sequence[Any]]


def live_columns() -> list[sa.ColumnElement[Any]]:
    """Return the columns of a live server: FIELDS, fault, group_uuid; see live_source()."""
    fields = [instances.c[name] for name in FIELDS]
    return [*fields, instance_faults.c.fault, instance_group_member.c.group_uuid]


def live_source() -> sa.FromClause:
    """Return live servers with what each has at most one of: fault and server group."""
    return instances.outerjoin(
        instance_faults, instance_faults.c.instance_uuid == instances.c.uuid
    ).outerjoin(instance_group_member, instance_group_member.c.instance_uuid == instances.c.uuid)


# Made once: putting so many columns together costs more than reading a server.
_LIVE = sa.select(*live_columns()).select_from(live_source())


def find(tx: Transaction, instance_uuid: str, scope: Scope | None = None) -> Instance | None:
    """Return a live server within a scope."""
    found = _load(tx, instances.c.uuid == instance_uuid, scope)
    return found[0] if found else None


def list_by_uuids(
    tx: Transaction, uuids: Sequence[str], scope: Scope | None = None
) -> list[Instance]:
    """Return live servers within a scope by uuid, in order of their ids."""
    return [
        instance
        for piece in bulk.chunks(uuids)
        for instance in _load(tx, instances.c.uuid.in_(piece), scope)
    ]


def numbers_of(tx: Transaction, uuids: Sequence[str]) -> dict[str, int]:
    """Return the ids of live servers by uuid."""
    query = sa.select(instances.c.uuid, instances.c.id)
    return {
        row.uuid: row.id
        for piece in bulk.chunks(uuids)
        for row in tx.execute(query.where(instances.c.uuid.in_(piece)))
    }


def list_on_host(tx: Transaction, host: str, limit: int = 10000) -> list[Instance]:
    """Return the servers of a host, in order of their ids."""
    return _load(tx, instances.c.host == host, limit=limit)


def _load(
    tx: Transaction,
    condition: sa.ColumnElement[bool],
    scope: Scope | None = None,
    limit: int = 10000,
) -> list[Instance]:
    query = (
        _LIVE.where(condition, *scope_conditions(instances.c, scope))
        .order_by(instances.c.id)
        .limit(limit)
    )
    rows = [dict(row) for row in tx.execute(query).mappings()]
    return complete(tx, rows)


def scope_conditions(columns: Any, scope: Scope | None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that keep to the rows a caller may see."""
    conditions = []
    if scope is not None and scope.project_id is not None:
        conditions.append(columns.project_id == scope.project_id)
    if scope is not None and scope.user_id is not None:
        conditions.append(columns.user_id == scope.user_id)
    return conditions


def complete(tx: Transaction, rows: Sequence[dict[str, Any]]) -> list[Instance]:
    """Return the servers of rows (live_columns(), and what deleted ones have besides).

    Two further statements, however many rows there are up to the size of a page.
    """
    live = [row["uuid"] for row in rows if row.get("deleted_at") is None]
    metadata, tag_lists, groups = texts_of(tx, live)
    nics = vifs.list_for(tx, live)
    return [
        to_instance(
            row,
            metadata=row.get("metadata") or metadata.get(row["uuid"], {}),
            tags=tuple(tag_lists.get(row["uuid"], ())),
            security_groups=row.get("security_groups") or tuple(groups.get(row["uuid"], ())),
            vifs=tuple(nics.get(row["uuid"], ())),
        )
        for row in rows
    ]


def to_instance(row: Mapping[str, Any], **more: Any) -> Instance:
    """Return the server of a row."""
    values = {name: row[name] for name in FIELDS}
    values["power_state"] = PowerState(values["power_state"])
    values["scheduler_hints"] = values["scheduler_hints"] or {}
    values["image_properties"] = values["image_properties"] or {}
    values["fault"] = row["fault"]
    group_uuid = row.get("group_uuid")
    values["server_groups"] = () if group_uuid is None else (group_uuid,)
    values["deleted_at"] = row.get("deleted_at")
    return Instance(**(values | more))


def texts_of(
    tx: Transaction, uuids: Sequence[str]
) -> tuple[dict[str, dict[str, str]], dict[str, list[str]], dict[str, list[str]]]:
    """Return metadata, tags and names of security groups of servers with one statement.

    Each is in order and by uuid.
    """
    metadata: dict[str, dict[str, str]] = {}
    tag_lists: dict[str, list[str]] = {}
    groups: dict[str, list[str]] = {}
    if not uuids:
        return metadata, tag_lists, groups
    owner, own_tag = instance_metadata.c.instance_uuid, tags.c
    items = sa.select(
        owner, instance_metadata.c.key, instance_metadata.c.value, sa.literal("item")
    ).where(owner.in_(uuids))
    names = sa.select(own_tag.resource_id, own_tag.tag, sa.null(), sa.literal("tag")).where(
        own_tag.resource_id.in_(uuids)
    )
    member = security_group_instances.c
    memberships = (
        sa.select(member.instance_uuid, security_groups.c.name, sa.null(), sa.literal("group"))
        .join_from(
            security_group_instances,
            security_groups,
            security_groups.c.id == member.security_group_id,
        )
        .where(member.instance_uuid.in_(uuids))
    )
    found = tx.execute(sa.union_all(items, names, memberships))
    for uuid, name, value, kind in sorted(found, key=itemgetter(0, 1)):
        if kind == "item":
            metadata.setdefault(uuid, {})[name] = value
        else:
            (tag_lists if kind == "tag" else groups).setdefault(uuid, []).append(name)
    return metadata, tag_lists, groups


def create(tx: Transaction, rows: Sequence[bulk.Row]) -> dict[str, int]:
    """Insert servers; return their row ids by uuid."""
    return bulk.insert_keyed(tx, instances, instances.c.uuid, rows)


def compare_and_set(
    tx: Transaction, instance_uuid: str, accepted: Accepted, values: Mapping[str, Any]
) -> bool:
    """Change a server if each named column has one of the accepted values; tell whether it did."""
    conditions = [_one_of(instances.c[name], choices) for name, choices in accepted.items()]
    statement = (
        sa.update(instances)
        .where(instances.c.uuid == instance_uuid, *conditions)
        .values({instances.c[name]: value for name, value in values.items()})
    )
    return tx.execute(statement).rowcount == 1


def _one_of(column: sa.ColumnElement[Any], choices: Sequence[Any]) -> sa.ColumnElement[bool]:
    present = [choice for choice in choices if choice is not None]
    condition = column.in_(present)
    return sa.or_(condition, column.is_(None)) if len(present) < len(choices) else condition


def touch(tx: Transaction, uuids: Sequence[str], now: datetime.datetime) -> None:
    """Note that servers have changed."""
    for piece in bulk.chunks(uuids):
        change = sa.update(instances).where(instances.c.uuid.in_(piece))
        tx.execute(change.values(updated_at=now))


def set_power_states(
    tx: Transaction, host: str, states: Mapping[str, PowerState], now: datetime.datetime
) -> None:
    """Save the power states of servers of a host, by uuid."""
    for uuids in bulk.chunks(list(states)):
        value = sa.case(
            {uuid: int(states[uuid]) for uuid in uuids},
            value=instances.c.uuid,
            else_=instances.c.power_state,
        )
        tx.execute(
            sa.update(instances)
            .where(instances.c.uuid.in_(uuids), instances.c.host == host)
            .values(power_state=value, updated_at=now)
        )


def save_fault(tx: Transaction, instance_uuid: str, fault: Fault) -> None:
    """Keep the newest fault of a server."""
    tx.execute(sa.delete(instance_faults).where(instance_faults.c.instance_uuid == instance_uuid))
    tx.execute(sa.insert(instance_faults).values(instance_uuid=instance_uuid, fault=fault))


# Every report of a host asks this, so that it is built once.
_STATES_ON_HOST = (
    sa.select(
        instances.c.uuid, instances.c.vm_state, instances.c.task_state, instances.c.power_state
    )
    .where(instances.c.host == sa.bindparam("of_host"))
    .order_by(instances.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)


def states_on_host(
    tx: Transaction, host: str, limit: int = 10000
) -> list[tuple[str, VmState, TaskState | None, PowerState]]:
    """Return (uuid, vm_state, task_state, power_state) of the servers of a host."""
    found = tx.execute(_STATES_ON_HOST, {"of_host": host, "most": limit})
    return [(uuid, vm, task, PowerState(power)) for uuid, vm, task, power in found]


def hosts_of(
    tx: Transaction, uuids: Sequence[str], scope: Scope | None = None
) -> dict[str, str | None]:
    """Return the host of each of the uuids that is a live server within a scope."""
    return {
        uuid: host
        for piece in bulk.chunks(uuids)
        for uuid, host in tx.execute(
            sa.select(instances.c.uuid, instances.c.host).where(
                instances.c.uuid.in_(piece), *scope_conditions(instances.c, scope)
            )
        )
    }


def of_project(tx: Transaction, project_id: str, uuids: Sequence[str]) -> set[str]:
    """Return which of the uuids are live servers of a project."""
    return {
        uuid
        for piece in bulk.chunks(uuids)
        for (uuid,) in tx.execute(
            sa.select(instances.c.uuid).where(
                instances.c.uuid.in_(piece), instances.c.project_id == project_id
            )
        )
    }


def uuids_by_host(tx: Transaction, hosts: Sequence[str]) -> dict[str, list[str]]:
    """Return the uuids of the servers of several hosts."""
    found: dict[str, list[str]] = {}
    for piece in bulk.chunks(hosts):
        query = sa.select(instances.c.host, instances.c.uuid).where(instances.c.host.in_(piece))
        for host, uuid in tx.execute(query.order_by(instances.c.id)):
            found.setdefault(host, []).append(uuid)
    return found


def names_by_host(tx: Transaction, hosts: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return (uuid, guest name) of the servers of several hosts."""
    found: dict[str, list[tuple[str, str]]] = {}
    for piece in bulk.chunks(hosts):
        query = sa.select(instances.c.host, instances.c.uuid, instances.c.id)
        query = query.where(instances.c.host.in_(piece)).order_by(instances.c.id)
        for host, uuid, row_id in tx.execute(query):
            found.setdefault(host, []).append((uuid, f"instance-{row_id:08x}"))
    return found


def count_on_host(tx: Transaction, host: str) -> int:
    """Return the number of servers of a host."""
    query = sa.select(sa.func.count()).select_from(instances).where(instances.c.host == host)
    return tx.execute(query).scalar_one()


def delete(tx: Transaction, instance_uuid: str) -> bool:
    """Remove the row of a server; tell whether it was there."""
    return tx.execute(sa.delete(instances).where(instances.c.uuid == instance_uuid)).rowcount == 1
