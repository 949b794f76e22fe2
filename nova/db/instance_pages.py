"""Pages of servers: filters, sorting and keyset paging over live and deleted ones."""

import datetime
import functools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from nova.db import archive, search
from nova.db import instances as live
from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, instances, tags, virtual_interfaces
from nova.exception import InvalidInput, InvalidSortKey, MarkerNotFound
from nova.objects.instance import Instance, InstanceQuery, InstanceSummary
from nova.objects.lifecycle import VmState

DEFAULT_SORT = (("created_at", "desc"), ("id", "desc"))
MAX_PAGE = 1000

# Sort keys of users and the columns behind them.  Source: api-conventions, section 3.
SORT_KEYS: dict[str, str] = {
    name: name
    for name in (
        "access_ip_v4",
        "access_ip_v6",
        "auto_disk_config",
        "availability_zone",
        "config_drive",
        "created_at",
        "display_description",
        "display_name",
        "host",
        "hostname",
        "id",
        "image_ref",
        "instance_type_id",
        "kernel_id",
        "key_name",
        "launch_index",
        "launched_at",
        "locked_by",
        "node",
        "power_state",
        "progress",
        "project_id",
        "ramdisk_id",
        "root_device_name",
        "task_state",
        "terminated_at",
        "updated_at",
        "user_id",
        "uuid",
        "vm_state",
    )
} | {"locked": "locked_by"}

_TEXT_FILTERS = frozenset(
    {
        "access_ip_v4",
        "access_ip_v6",
        "availability_zone",
        "display_description",
        "display_name",
        "flavorid",
        "host",
        "hostname",
        "image_ref",
        "kernel_id",
        "key_name",
        "locked_by",
        "node",
        "project_id",
        "ramdisk_id",
        "reservation_id",
        "root_device_name",
        "task_state",
        "user_id",
        "uuid",
        "vm_state",
    }
)
_TYPED_FILTERS: dict[str, Callable[[str], Any]] = {
    "power_state": int,
    "progress": int,
    "launch_index": int,
    "config_drive": lambda text: text.lower() in ("true", "1", "yes", "on"),
    "auto_disk_config": lambda text: text.lower() in ("true", "1", "yes", "on"),
}
_TIME_FILTERS = frozenset({"created_at", "launched_at", "terminated_at"})
# Columns by which servers are found or sorted, but which are not part of their records.
_SEARCHED_ONLY = ("flavorid", "instance_type_id")
_REQUIRED = frozenset(
    {"id", "uuid", "created_at", "updated_at", "display_name", "hostname", "vm_state"}
)


def page(tx: Transaction, query: InstanceQuery) -> list[Instance]:
    """Return one page of servers.  Raises: MarkerNotFound, InvalidSortKey, InvalidInput."""
    source = _source(query.deleted)
    statement = _page(tx, query, source.c, sa.select(*source.c).select_from(source))
    return live.complete(tx, [dict(row) for row in tx.execute(statement).mappings()])


def page_summaries(tx: Transaction, query: InstanceQuery) -> list[InstanceSummary]:
    """Return one page of servers, names only.  Raises: as page()."""
    source = instances if query.deleted is False else _source(query.deleted)
    columns = sa.select(source.c.uuid, source.c.display_name).select_from(source)
    statement = _page(tx, query, source.c, columns)
    return [InstanceSummary(uuid=row[0], display_name=row[1]) for row in tx.execute(statement)]


@functools.cache
def _source(deleted: bool | None) -> sa.FromClause:
    """Return live servers, deleted ones, or both, with the columns that complete() needs."""
    present = sa.select(
        *live.live_columns(),
        _null("deleted_at"),
        _null("metadata"),
        _null("security_groups"),
        *(instances.c[name] for name in _SEARCHED_ONLY),
    ).select_from(live.live_source())
    past = sa.select(
        *archive.archived_columns(),
        *(archive.deleted_instances.c[name] for name in _SEARCHED_ONLY),
    )
    if deleted is None:
        return sa.union_all(past, present).subquery("servers")
    return (past if deleted else present).subquery("servers")


def _null(name: str) -> sa.ColumnElement[Any]:
    kind = archive.deleted_instances.c[name].type
    return sa.type_coerce(sa.null(), kind).label(name)


def _page(
    tx: Transaction, query: InstanceQuery, columns: Any, statement: sa.Select[Any]
) -> sa.Select[Any]:
    keys = _sort_keys(query, columns)
    scope = live.scope_conditions(columns, query.scope)
    statement = statement.where(*scope, *_conditions(query, columns))
    if query.marker is not None:
        marker = tx.execute(
            sa.select(*(column for column, _down, _full in keys)).where(
                columns.uuid == query.marker, *scope
            )
        ).first()
        if marker is None:
            raise MarkerNotFound(marker=query.marker)
        statement = statement.where(_after(keys, tuple(marker)))
    if query.after_created_at is not None:
        statement = statement.where(_after(keys, (query.after_created_at, query.after_id)))
    return statement.order_by(*_order(keys)).limit(max(0, min(query.limit, MAX_PAGE)))


_Key = tuple[sa.ColumnElement[Any], bool, bool]


def _sort_keys(query: InstanceQuery, columns: Any) -> list[_Key]:
    """Return (column, descending, never null) triples that order rows completely."""
    wanted = list(query.sort or DEFAULT_SORT)
    for name, direction in wanted:
        if name not in SORT_KEYS or direction not in ("asc", "desc"):
            raise InvalidSortKey(key=name)
    if all(name != "id" for name, _direction in wanted):
        wanted.append(("id", wanted[-1][1]))
    return [
        (columns[SORT_KEYS[name]], direction == "desc", name in _REQUIRED)
        for name, direction in wanted
    ]


def _order(keys: list[_Key]) -> list[sa.ColumnElement[Any]]:
    """Return the sort expressions; a missing value counts as the smallest on all databases."""
    order: list[sa.ColumnElement[Any]] = []
    for column, descending, full in keys:
        parts = [column] if full else [column.is_not(None), column]
        order += [part.desc() if descending else part.asc() for part in parts]
    return order


def _after(keys: list[_Key], values: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    """Return the condition that a row comes after the one with these values.

    The alternatives alone say it all, but from the bound of the first key a database knows
    where in an index to begin; without it a page costs what all pages before it cost.
    """
    alternatives: list[sa.ColumnElement[bool]] = []
    same: list[sa.ColumnElement[bool]] = []
    for key, value in zip(keys, values, strict=True):
        column = key[0]
        alternatives.append(sa.and_(*same, _beyond(key, value)))
        same.append(column.is_(None) if value is None else column == value)
    column, descending, full = keys[0]
    if not full:
        return sa.or_(*alternatives)
    bound = sa.literal(values[0], column.type)
    return sa.and_(column <= bound if descending else column >= bound, sa.or_(*alternatives))


def _beyond(key: _Key, value: Any) -> sa.ColumnElement[bool]:
    column, descending, full = key
    if value is None:
        return sa.false() if descending else column.is_not(None)
    bound = sa.literal(value, column.type)  # SQLAlchemy refuses < and > with a bare True
    if descending and not full:
        return sa.or_(column < bound, column.is_(None))
    return sa.and_(column < bound if descending else column > bound)


def _conditions(query: InstanceQuery, columns: Any) -> list[sa.ColumnElement[bool]]:
    conditions = [_exact(columns, name, values) for name, values in query.exact.items()]
    conditions += [_pattern(columns, name, text) for name, text in query.patterns.items()]
    if query.vm_states:
        conditions.append(columns.vm_state.in_(query.vm_states))
    elif query.deleted is False:
        # For its owner a soft-deleted server is gone, unless it is asked for by its state.
        conditions.append(columns.vm_state != VmState.SOFT_DELETED)
    if query.task_states:
        conditions.append(columns.task_state.in_(query.task_states))
    if query.ids:
        conditions.append(columns.id.in_(query.ids))
    if query.locked is not None:
        locked = columns.locked_by
        conditions.append(locked.is_not(None) if query.locked else locked.is_(None))
    conditions += _time_conditions(columns, query.changes_since, query.changes_before)
    return conditions + _address_conditions(query, columns) + _tag_conditions(query, columns)


def _exact(columns: Any, name: str, texts: tuple[str, ...]) -> sa.ColumnElement[bool]:
    if name in _TEXT_FILTERS:
        return sa.type_coerce(columns[name], sa.String).in_(texts)
    convert = _TYPED_FILTERS.get(name)
    if convert is None:
        raise InvalidInput(reason=f"servers can not be filtered by {name}")
    try:
        values = [convert(text) for text in texts]
    except ValueError as error:
        raise InvalidInput(reason=f"the value of filter {name} is not usable") from error
    return sa.or_(*(columns[name] == value for value in values))


def _pattern(columns: Any, name: str, text: str) -> sa.ColumnElement[bool]:
    if name in _TIME_FILTERS:
        # As texts databases write times with a space, and users know them as 2026-01-31T12:00:00Z.
        return search.matches(columns[name], text.replace("T", " ").removesuffix("Z"))
    if name not in _TEXT_FILTERS:
        return _exact(columns, name, (text,))
    return search.matches(columns[name], text)


def _time_conditions(
    columns: Any, since: datetime.datetime | None, before: datetime.datetime | None
) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if since is not None:
        conditions.append(columns.updated_at >= since)
    if before is not None:
        conditions.append(columns.updated_at <= before)
    return conditions


def _address_conditions(query: InstanceQuery, columns: Any) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if query.ip_pattern is not None:
        holders = sa.select(fixed_ips.c.instance_uuid).where(
            search.starts_with(fixed_ips.c.address, query.ip_pattern),
            fixed_ips.c.allocated.is_(True),
        )
        conditions.append(columns.uuid.in_(holders))
    if query.ip6_pattern is not None:
        holders = sa.select(virtual_interfaces.c.instance_uuid).where(
            search.starts_with(virtual_interfaces.c.fixed_ip_v6, query.ip6_pattern)
        )
        conditions.append(columns.uuid.in_(holders))
    return conditions


def _tag_conditions(query: InstanceQuery, columns: Any) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if query.tags:
        conditions.append(_has_all(columns, query.tags))
    if query.tags_any:
        conditions.append(columns.uuid.in_(_with_tags(query.tags_any)))
    if query.not_tags:
        conditions.append(~_has_all(columns, query.not_tags))
    if query.not_tags_any:
        conditions.append(columns.uuid.not_in(_with_tags(query.not_tags_any)))
    return conditions


def _has_all(columns: Any, names: tuple[str, ...]) -> sa.ColumnElement[bool]:
    wanted = set(names)
    holders = (
        _with_tags(tuple(wanted))
        .group_by(tags.c.resource_id)
        .having(sa.func.count() == len(wanted))
    )
    condition: sa.ColumnElement[bool] = columns.uuid.in_(holders)
    return condition


def _with_tags(names: tuple[str, ...]) -> sa.Select[Any]:
    return sa.select(tags.c.resource_id).where(tags.c.tag.in_(names))
