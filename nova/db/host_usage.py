"""Sums over the servers of a host, by project."""

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import compute_nodes, instances
from nova.objects.host_usage import HostAmounts, HostUsage

MAX_PROJECTS = 10000


def find(tx: Transaction, host: str) -> HostUsage | None:
    """Return what a compute host has and who uses it; None without such a host."""
    column = compute_nodes.c
    node = tx.execute(
        sa.select(
            sa.func.count(),
            *(_sum(column[name]) for name in ("vcpus", "memory_mb", "local_gb")),
            *(_sum(column[f"{name}_used"]) for name in ("vcpus", "memory_mb", "local_gb")),
        ).where(column.host == host)
    ).one()
    if not node[0]:
        return None
    numbers = [int(value) for value in node[1:]]
    return HostUsage(
        host=host,
        total=_amounts(numbers[:3]),
        used=_amounts(numbers[3:]),
        projects=_by_project(tx, host),
    )


def _by_project(tx: Transaction, host: str) -> dict[str, HostAmounts]:
    column = instances.c
    query = (
        sa.select(
            column.project_id,
            _sum(column.vcpus),
            _sum(column.memory_mb),
            _sum(column.root_gb + column.ephemeral_gb),
        )
        .where(column.host == host)
        .group_by(column.project_id)
        .order_by(column.project_id)
        .limit(MAX_PROJECTS)
    )
    return {row[0]: _amounts([int(value) for value in row[1:]]) for row in tx.execute(query)}


def _sum(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(column), 0)


def _amounts(numbers: list[int]) -> HostAmounts:
    return HostAmounts(vcpus=numbers[0], memory_mb=numbers[1], disk_gb=numbers[2])
