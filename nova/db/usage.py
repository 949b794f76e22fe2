"""Servers that existed within a period, for usage accounting."""

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import deleted_instances, instances
from nova.objects.quota import UsageQuery

MAX_SERVERS = 100000

_NAMES = (
    "id",
    "uuid",
    "display_name",
    "project_id",
    "flavor",
    "vm_state",
    "launched_at",
    "terminated_at",
)


def list_servers(tx: Transaction, query: UsageQuery) -> list[sa.RowMapping] | None:
    """Return rows of servers launched before the end and not ended before the start.

    In order of project and uuid; None when the marker is unknown.
    """
    both = sa.union_all(
        sa.select(*(instances.c[name] for name in _NAMES)),
        sa.select(*(deleted_instances.c[name] for name in _NAMES)),
    ).subquery("servers")
    column = both.c
    statement = sa.select(both).where(
        column.launched_at.is_not(None),
        column.launched_at < query.stop,
        sa.or_(column.terminated_at.is_(None), column.terminated_at > query.start),
    )
    if query.project_id is not None:
        statement = statement.where(column.project_id == query.project_id)
    if query.marker is not None:
        known = [column.uuid == query.marker]
        if query.project_id is not None:
            known.append(column.project_id == query.project_id)
        project = tx.execute(sa.select(column.project_id).where(*known)).scalar()
        if project is None:
            return None
        statement = statement.where(
            sa.or_(
                column.project_id > project,
                sa.and_(column.project_id == project, column.uuid > query.marker),
            )
        )
    limit = MAX_SERVERS if query.limit is None else min(query.limit, MAX_SERVERS)
    statement = statement.order_by(column.project_id, column.uuid).limit(limit)
    return list(tx.execute(statement).mappings())
