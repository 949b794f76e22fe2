"""Servers that have been in a state for too long."""

import dataclasses
import datetime

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import instances, migrations, services
from nova.objects.lifecycle import TaskState, VmState
from nova.objects.migration import MigrationStatus

# Stands for the time at which the resize of a server ended.
RESIZE_ENDED = "migrations.updated_at"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which servers are looked for.

    task_states: empty for servers on which nothing runs.  column: the time that counts; it
    must not be after before.  idle_since: nor may the last change of the server be after it.
    live_since: their hosts must have reported since then; None: whatever their hosts do.
    """

    vm_state: VmState
    task_states: tuple[TaskState, ...]
    column: str
    before: datetime.datetime
    idle_since: datetime.datetime
    live_since: datetime.datetime | None
    limit: int


def list_due(tx: Transaction, due: Due) -> list[str]:
    """Return uuids of servers, those first that have waited longest."""
    source: sa.FromClause = instances
    conditions = [
        instances.c.vm_state == due.vm_state,
        instances.c.updated_at <= due.idle_since,
    ]
    task_state = instances.c.task_state
    conditions.append(task_state.in_(due.task_states) if due.task_states else task_state.is_(None))
    if due.column == RESIZE_ENDED:
        column = migrations.c.updated_at
        source = instances.join(migrations, migrations.c.instance_uuid == instances.c.uuid)
        conditions.append(migrations.c.status == MigrationStatus.FINISHED)
    else:
        column = instances.c[due.column]
    if due.live_since is not None:
        conditions.append(instances.c.host.in_(_live_hosts(due.live_since)))
    query = (
        sa.select(instances.c.uuid)
        .select_from(source)
        .where(*conditions, column <= due.before)
        .order_by(column, instances.c.id)
        .limit(due.limit)
    )
    return list(tx.execute(query).scalars())


def _live_hosts(since: datetime.datetime) -> sa.Select[tuple[str]]:
    return sa.select(services.c.host).where(
        services.c.binary == "nova-compute",
        services.c.last_seen_up >= since,
        services.c.forced_down.is_(False),
    )
