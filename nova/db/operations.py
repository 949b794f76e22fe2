"""Operations on servers (instance_actions) and their events."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import instance_actions, instance_actions_events, instances, services
from nova.objects.build_request import BuildRequest
from nova.objects.lifecycle import TaskState
from nova.objects.operation import (
    ActionEvent,
    ActionQuery,
    ActionRecord,
    Operation,
    OperationState,
    Progress,
)

UNFINISHED = (OperationState.PENDING, OperationState.RUNNING)

_FIELDS = (
    "id",
    "instance_uuid",
    "action",
    "request_id",
    "user_id",
    "project_id",
    "state",
    "owner_host",
    "step",
    "attempt",
    "deadline",
)
_COLUMNS = [
    *(instance_actions.c[name] for name in _FIELDS),
    instance_actions.c.start_time,
    instance_actions.c.arguments,
    instance_actions.c.request,
]


def _to_operation(row: sa.RowMapping) -> Operation:
    return Operation(
        **{name: row[name] for name in _FIELDS},
        started_at=row["start_time"],
        arguments=row["arguments"] or {},
        request=row["request"],
    )


def create(tx: Transaction, rows: Sequence[bulk.Row]) -> dict[str, int]:
    """Insert operations on different servers; return their ids by server."""
    key = instance_actions.c.instance_uuid
    if len(rows) == 1 or tx.dialect.insert_executemany_returning:
        return bulk.insert_keyed(tx, instance_actions, key, rows)
    bulk.insert(tx, instance_actions, rows)
    uuids = [row["instance_uuid"] for row in rows]
    found = tx.execute(
        sa.select(key, instance_actions.c.id).where(
            key.in_(uuids), instance_actions.c.state.in_(UNFINISHED)
        )
    )
    return {row[0]: row[1] for row in found}


def find(tx: Transaction, operation_id: int) -> Operation | None:
    """Return an operation."""
    query = sa.select(*_COLUMNS).where(instance_actions.c.id == operation_id)
    row = tx.execute(query).mappings().first()
    return None if row is None else _to_operation(row)


def build_requests(tx: Transaction, operation_ids: Sequence[int]) -> dict[int, BuildRequest]:
    """Return what was asked for at the creation of servers, by operation."""
    found: dict[int, BuildRequest] = {}
    for piece in bulk.chunks(operation_ids):
        query = sa.select(instance_actions.c.id, instance_actions.c.build_request).where(
            instance_actions.c.id.in_(piece), instance_actions.c.build_request.is_not(None)
        )
        found.update({row[0]: row[1] for row in tx.execute(query)})
    return found


def list_waiting(tx: Transaction, project_id: str) -> list[tuple[BuildRequest, int]]:
    """Return what a project's servers without host were asked for, with the number of servers.

    Those of one request were asked for alike.
    """
    query = (
        sa.select(sa.func.min(instance_actions.c.id), sa.func.count())
        .join_from(
            instances, instance_actions, instance_actions.c.instance_uuid == instances.c.uuid
        )
        .where(
            instances.c.project_id == project_id,
            instances.c.task_state == TaskState.SCHEDULING,
            instances.c.host.is_(None),
            instance_actions.c.action == "create",
        )
        .group_by(instances.c.reservation_id)
    )
    servers: dict[int, int] = {row[0]: row[1] for row in tx.execute(query)}
    requests = build_requests(tx, sorted(servers))
    return [(request, servers[operation_id]) for operation_id, request in requests.items()]


def advance(
    tx: Transaction,
    operation_id: int,
    states: Sequence[OperationState],
    owner_host: str | None,
    values: Mapping[str, Any],
) -> bool:
    """Change an operation that is in one of some states and owned by a host (None: by nobody)."""
    owner = instance_actions.c.owner_host
    statement = (
        sa.update(instance_actions)
        .where(
            instance_actions.c.id == operation_id,
            instance_actions.c.state.in_(states),
            owner.is_(None) if owner_host is None else owner == owner_host,
        )
        .values(**values)
    )
    return tx.execute(statement).rowcount == 1


def start(
    tx: Transaction,
    progress: Progress,
    deadlines: Mapping[str, datetime.datetime],
    now: datetime.datetime,
) -> bool:
    """Mark an operation as running on its host; tell whether that host owns it unfinished.

    deadlines: the new deadline by action.
    """
    table = instance_actions.c
    statement = (
        sa.update(instance_actions)
        .where(
            table.id == progress.operation_id,
            table.instance_uuid == progress.instance_uuid,
            table.owner_host == progress.host,
            table.state.in_(UNFINISHED),
        )
        .values(
            state=OperationState.RUNNING,
            step=progress.step or progress.task_state or "",
            deadline=sa.case(dict(deadlines), value=table.action, else_=table.deadline),
            updated_at=now,
        )
    )
    return tx.execute(statement).rowcount == 1


def supersede(tx: Transaction, instance_uuid: str, message: str, now: datetime.datetime) -> int:
    """Fail what is unfinished on a server; return how many operations that were."""
    statement = (
        sa.update(instance_actions)
        .where(
            instance_actions.c.instance_uuid == instance_uuid,
            instance_actions.c.state.in_(UNFINISHED),
        )
        .values(
            state=OperationState.FAILED,
            message=message,
            build_request=None,
            request=None,
            deadline=None,
            finish_time=now,
            updated_at=now,
        )
    )
    return tx.execute(statement).rowcount


def list_unfinished(tx: Transaction, host: str, limit: int = 1000) -> list[Operation]:
    """Return the unfinished operations of a host, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(
            instance_actions.c.owner_host == host,
            instance_actions.c.state.in_(UNFINISHED),
        )
        .order_by(instance_actions.c.id)
        .limit(limit)
    )
    return [_to_operation(row) for row in tx.execute(query).mappings()]


def list_unfinished_of(tx: Transaction, instance_uuid: str, limit: int = 1000) -> list[Operation]:
    """Return the unfinished operations on a server, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(
            instance_actions.c.instance_uuid == instance_uuid,
            instance_actions.c.state.in_(UNFINISHED),
        )
        .order_by(instance_actions.c.id)
        .limit(limit)
    )
    return [_to_operation(row) for row in tx.execute(query).mappings()]


# Reports of hosts and reconcilers ask these again and again, so that they are built once.
_COUNT_PENDING = sa.select(sa.func.count()).where(
    instance_actions.c.owner_host == sa.bindparam("of_host"),
    instance_actions.c.state == OperationState.PENDING,
)
_OVERDUE = (
    sa.select(*_COLUMNS)
    .where(
        instance_actions.c.state.in_(UNFINISHED), instance_actions.c.deadline <= sa.bindparam("now")
    )
    .order_by(instance_actions.c.deadline, instance_actions.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
_DOWN_HOSTS = sa.select(services.c.host).where(
    services.c.binary == "nova-compute",
    sa.or_(
        services.c.last_seen_up < sa.bindparam("silent_before"), services.c.forced_down.is_(True)
    ),
)
_STRANDED = (
    sa.select(*_COLUMNS)
    .where(
        instance_actions.c.state.in_(UNFINISHED),
        instance_actions.c.owner_host.in_(_DOWN_HOSTS),
        instance_actions.c.action.in_(("create", "delete", "unshelve")),
    )
    .order_by(instance_actions.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)


def count_pending(tx: Transaction, host: str) -> int:
    """Return how many operations a host owns and has not begun."""
    return tx.execute(_COUNT_PENDING, {"of_host": host}).scalar_one()


def list_overdue(tx: Transaction, now: datetime.datetime, limit: int = 100) -> list[Operation]:
    """Return unfinished operations past their deadline, the most overdue first."""
    found = tx.execute(_OVERDUE, {"now": now, "most": limit}).mappings()
    return [_to_operation(row) for row in found]


def list_stranded(
    tx: Transaction, silent_before: datetime.datetime, limit: int = 100
) -> list[Operation]:
    """Return unfinished operations of compute hosts that are down, oldest first."""
    found = tx.execute(_STRANDED, {"silent_before": silent_before, "most": limit}).mappings()
    return [_to_operation(row) for row in found]


def set_deadline(
    tx: Transaction,
    operation: Operation,
    deadline: datetime.datetime,
    attempt: int | None = None,
) -> bool:
    """Move the deadline, if nobody else has; this decides who takes an operation up."""
    values: dict[str, Any] = {"deadline": deadline}
    if attempt is not None:
        values["attempt"] = attempt
    statement = (
        sa.update(instance_actions)
        .where(
            instance_actions.c.id == operation.id,
            instance_actions.c.state == operation.state,
            instance_actions.c.deadline == operation.deadline,
        )
        .values(**values)
    )
    return tx.execute(statement).rowcount == 1


def set_task_state(
    tx: Transaction,
    operation_id: int,
    instance_uuid: str,
    host: str,
    values: Mapping[str, Any],
    before: Iterable[TaskState] | None = None,
) -> bool:
    """Change a server on behalf of an operation that runs on a host.

    before: the task states in which it may be, None for any.
    """
    running = sa.exists().where(
        instance_actions.c.id == operation_id,
        instance_actions.c.instance_uuid == instance_uuid,
        instance_actions.c.owner_host == host,
        instance_actions.c.state == OperationState.RUNNING,
    )
    statement = (
        sa.update(instances).where(instances.c.uuid == instance_uuid, running).values(**values)
    )
    if before is not None:
        statement = statement.where(instances.c.task_state.in_(sorted(before)))
    return tx.execute(statement).rowcount == 1


def add_event(tx: Transaction, operation_id: int, event: ActionEvent) -> None:
    """Store an event of an operation."""
    tx.execute(
        sa.insert(instance_actions_events).values(
            action_id=operation_id,
            event=event.event,
            start_time=event.started_at,
            finish_time=event.finished_at,
            result=event.result,
            traceback=event.traceback,
            host=event.host,
            details=event.details,
        )
    )


def page(tx: Transaction, instance_uuid: str, query: ActionQuery) -> list[ActionRecord] | None:
    """Return one page of a server's actions, newest first; None when the marker is unknown."""
    table = instance_actions.c
    conditions = [table.instance_uuid == instance_uuid]
    if query.changes_since is not None:
        conditions.append(table.updated_at >= query.changes_since)
    if query.changes_before is not None:
        conditions.append(table.updated_at <= query.changes_before)
    if query.marker is not None:
        marker = tx.execute(
            sa.select(sa.func.max(table.id)).where(
                table.instance_uuid == instance_uuid, table.request_id == query.marker
            )
        ).scalar()
        if marker is None:
            return None
        conditions.append(table.id < marker)
    statement = (
        sa.select(instance_actions).where(*conditions).order_by(table.id.desc()).limit(query.limit)
    )
    return [_to_record(row) for row in tx.execute(statement).mappings()]


def find_record(tx: Transaction, instance_uuid: str, request_id: str) -> ActionRecord | None:
    """Return the newest action of a request on a server, with its events."""
    statement = (
        sa.select(instance_actions)
        .where(
            instance_actions.c.instance_uuid == instance_uuid,
            instance_actions.c.request_id == request_id,
        )
        .order_by(instance_actions.c.id.desc())
        .limit(1)
    )
    row = tx.execute(statement).mappings().first()
    if row is None:
        return None
    events = (
        sa.select(instance_actions_events)
        .where(instance_actions_events.c.action_id == row["id"])
        .order_by(instance_actions_events.c.id.desc())
        .limit(1000)
    )
    return _to_record(row, tuple(_to_event(event) for event in tx.execute(events).mappings()))


def _to_record(row: sa.RowMapping, events: tuple[ActionEvent, ...] = ()) -> ActionRecord:
    return ActionRecord(
        instance_uuid=row["instance_uuid"],
        action=row["action"],
        request_id=row["request_id"],
        user_id=row["user_id"],
        project_id=row["project_id"],
        started_at=row["start_time"],
        updated_at=row["updated_at"],
        message=row["message"],
        events=events,
    )


def _to_event(row: sa.RowMapping) -> ActionEvent:
    return ActionEvent(
        event=row["event"],
        started_at=row["start_time"],
        finished_at=row["finish_time"],
        result=row["result"],
        traceback=row["traceback"],
        host=row["host"],
        details=row["details"],
    )
