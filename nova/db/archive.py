"""Deleted servers: records kept for lists with changes-since, and for usage."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db import instances as live
from nova.db.engine import Transaction
from nova.db.tables import (
    block_device_mapping,
    deleted_instances,
    instance_faults,
    instance_group_member,
    instance_metadata,
    instance_system_metadata,
    instances,
    security_group_instances,
    tags,
)
from nova.objects.instance import Instance, Scope

_SHARED = tuple(column.name for column in instances.columns)


def archived_columns() -> list[sa.ColumnElement[Any]]:
    """Return the columns of a deleted server: as of a live one, then its own."""
    table = deleted_instances.c
    before = [table[name] for name in (*live.FIELDS, "fault")]
    no_group = sa.type_coerce(sa.null(), sa.String).label("group_uuid")
    own = table.deleted_at, table["metadata"], table.security_groups
    return [*before, no_group, *own]


def move(
    tx: Transaction, instance: Instance, final: Mapping[str, Any], now: datetime.datetime
) -> bool:
    """Move a server to the archive with all that is stored about it; tell whether it was live.

    final holds the values that change by it.  Addresses, interfaces, claims and quota are
    the caller's.
    """
    row = (
        tx.execute(sa.select(instances).where(instances.c.uuid == instance.uuid).with_for_update())
        .mappings()
        .first()
    )
    if row is None or not live.delete(tx, instance.uuid):
        return False
    values = {name: row[name] for name in _SHARED}
    values |= {
        **final,
        "updated_at": now,
        "deleted_at": now,
        "metadata": instance.metadata,
        "fault": instance.fault,
        "security_groups": instance.security_groups,
    }
    tx.execute(sa.insert(deleted_instances).values(values))
    owned = [instance_metadata, instance_system_metadata, security_group_instances]
    # Nothing but its operations gives a server a fault, and its creation alone a group.
    owned += [instance_faults] if instance.fault is not None else []
    owned += [instance_group_member] if instance.server_groups else []
    for table in owned:
        tx.execute(sa.delete(table).where(table.c.instance_uuid == instance.uuid))
    tx.execute(sa.delete(tags).where(tags.c.resource_id == instance.uuid))
    tx.execute(
        sa.delete(block_device_mapping).where(block_device_mapping.c.instance_uuid == instance.uuid)
    )
    return True


def known(tx: Transaction, uuids: Sequence[str]) -> set[str]:
    """Return which of the uuids are deleted servers."""
    table = deleted_instances.c
    return {
        uuid
        for piece in bulk.chunks(uuids)
        for (uuid,) in tx.execute(sa.select(table.uuid).where(table.uuid.in_(piece)))
    }


def find(tx: Transaction, instance_uuid: str, scope: Scope | None = None) -> Instance | None:
    """Return a deleted server within a scope."""
    table = deleted_instances.c
    query = sa.select(*archived_columns()).where(
        table.uuid == instance_uuid, *live.scope_conditions(table, scope)
    )
    row = tx.execute(query).mappings().first()
    if row is None:
        return None
    return live.to_instance(
        dict(row),
        metadata=row["metadata"] or {},
        security_groups=row["security_groups"] or (),
    )
