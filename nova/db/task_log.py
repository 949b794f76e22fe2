"""The log of periodic tasks that run once per host and period."""

import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import deleted_instances, instances, task_log
from nova.objects.audit import AuditEntry, Period

MAX_ENTRIES = 20000
MAX_SERVERS = 100000


def list_entries(tx: Transaction, task_name: str, period: Period) -> list[AuditEntry]:
    """Return what is logged of a task in a period, by host."""
    column = task_log.c
    query = (
        sa.select(column.host, column.state, column.task_items, column.errors, column.message)
        .where(
            column.task_name == task_name,
            column.period_beginning == period.beginning,
            column.period_ending == period.ending,
        )
        .order_by(column.host)
        .limit(MAX_ENTRIES)
    )
    return [
        AuditEntry(host=host, state=state, instances=items, errors=errors, message=message)
        for host, state, items, errors, message in tx.execute(query)
    ]


def create(
    tx: Transaction, task_name: str, period: Period, entry: AuditEntry, now: datetime.datetime
) -> None:
    """Insert what a task did on a host; the database refuses a second time."""
    tx.execute(
        sa.insert(task_log).values(
            task_name=task_name,
            state=entry.state,
            host=entry.host,
            period_beginning=period.beginning,
            period_ending=period.ending,
            message=entry.message,
            task_items=entry.instances,
            errors=entry.errors,
            created_at=now,
        )
    )


def servers_of(tx: Transaction, host: str, period: Period) -> list[str]:
    """Return the servers, deleted ones too, that a host ran in a period."""
    queries = [_servers(table, host, period) for table in (instances, deleted_instances)]
    return [row[0] for row in tx.execute(sa.union_all(*queries).limit(MAX_SERVERS))]


def _servers(table: sa.Table, host: str, period: Period) -> sa.Select[Any]:
    column = table.c
    conditions: Sequence[sa.ColumnElement[bool]] = (
        column.host == host,
        column.launched_at.is_not(None),
        column.launched_at < period.ending,
        sa.or_(column.terminated_at.is_(None), column.terminated_at > period.beginning),
    )
    return sa.select(column.uuid).where(*conditions)
