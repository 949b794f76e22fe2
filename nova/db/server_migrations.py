"""Moves and resizes of servers (migrations); named apart from the versions of the schema."""

import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import migrations
from nova.objects.migration import Migration, MigrationQuery, MigrationStatus

# A resize in one of these holds the resources of both flavors.
UNFINISHED = (
    MigrationStatus.PRE_MIGRATING,
    MigrationStatus.MIGRATING,
    MigrationStatus.POST_MIGRATING,
    MigrationStatus.FINISHED,
    MigrationStatus.CONFIRMING,
    MigrationStatus.REVERTING,
)

_FIELDS = (
    "id",
    "uuid",
    "instance_uuid",
    "migration_type",
    "status",
    "old_vm_state",
    "old_flavor",
    "new_flavor",
    "old_numa",
    "new_numa",
    "project_id",
    "user_id",
    "source_compute",
    "source_node",
    "dest_compute",
    "dest_node",
    "dest_host",
    "created_at",
    "updated_at",
)
_COLUMNS = [migrations.c[name] for name in _FIELDS]


def _to_migration(row: sa.RowMapping) -> Migration:
    return Migration(**{name: row[name] for name in _FIELDS})


def create(tx: Transaction, migration: Migration, now: datetime.datetime) -> None:
    """Insert a migration; its row id is given by the database."""
    values = {name: getattr(migration, name) for name in _FIELDS if name != "id"}
    values |= {"created_at": now, "updated_at": now}
    tx.execute(sa.insert(migrations).values(**values))


def find_unfinished(tx: Transaction, instance_uuid: str) -> Migration | None:
    """Return the migration of a server that holds resources."""
    query = (
        sa.select(*_COLUMNS)
        .where(migrations.c.instance_uuid == instance_uuid, migrations.c.status.in_(UNFINISHED))
        .order_by(migrations.c.id.desc())
        .limit(1)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else _to_migration(row)


def is_any(tx: Transaction, instance_uuid: str, statuses: Sequence[MigrationStatus]) -> bool:
    """Tell whether a server has a migration in one of some statuses."""
    query = sa.select(migrations.c.id).where(
        migrations.c.instance_uuid == instance_uuid, migrations.c.status.in_(statuses)
    )
    return tx.execute(query.limit(1)).first() is not None


def is_any_on_host(tx: Transaction, host: str) -> bool:
    """Tell whether servers are on their way from or to a host, or may go back to it."""
    query = sa.select(migrations.c.id).where(
        sa.or_(migrations.c.source_compute == host, migrations.c.dest_compute == host),
        migrations.c.status.in_(UNFINISHED),
    )
    return tx.execute(query.limit(1)).first() is not None


def set_status(
    tx: Transaction,
    instance_uuid: str,
    accepted: Sequence[MigrationStatus],
    status: MigrationStatus,
    now: datetime.datetime,
) -> bool:
    """Change the status of a server's migrations in accepted ones; tell whether there are any."""
    statement = (
        sa.update(migrations)
        .where(migrations.c.instance_uuid == instance_uuid, migrations.c.status.in_(accepted))
        .values(status=status, updated_at=now)
    )
    return tx.execute(statement).rowcount > 0


def page(tx: Transaction, query: MigrationQuery) -> list[Migration] | None:
    """Return one page of migrations, newest first; None when the marker is unknown."""
    table = migrations.c
    conditions = _conditions(query)
    if query.marker is not None:
        marker = tx.execute(
            sa.select(table.created_at, table.id).where(table.uuid == query.marker, *_owner(query))
        ).first()
        if marker is None:
            return None
        conditions.append(
            sa.or_(
                table.created_at < marker[0],
                sa.and_(table.created_at == marker[0], table.id < marker[1]),
            )
        )
    statement = (
        sa.select(*_COLUMNS)
        .where(*conditions)
        .order_by(table.created_at.desc(), table.id.desc())
        .limit(query.limit)
    )
    return [_to_migration(row) for row in tx.execute(statement).mappings()]


def _owner(query: MigrationQuery) -> list[sa.ColumnElement[bool]]:
    return [] if query.project_id is None else [migrations.c.project_id == query.project_id]


def _conditions(query: MigrationQuery) -> list[sa.ColumnElement[bool]]:
    table = migrations.c
    found = _owner(query)
    equal: dict[str, Any] = {
        "user_id": query.user_id,
        "source_compute": query.source_compute,
        "instance_uuid": query.instance_uuid,
        "status": query.status,
        "migration_type": query.migration_type,
    }
    found += [table[name] == value for name, value in equal.items() if value is not None]
    if query.host is not None:
        found.append(sa.or_(table.source_compute == query.host, table.dest_compute == query.host))
    if query.hidden is not None:
        found.append(table.hidden.is_(query.hidden))
    if query.changes_since is not None:
        found.append(table.updated_at >= query.changes_since)
    if query.changes_before is not None:
        found.append(table.updated_at <= query.changes_before)
    return found
