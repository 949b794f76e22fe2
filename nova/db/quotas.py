"""Quota limits and usage.

quota_usages holds one row per project and one per user within it (user_id "" stands for the
project as a whole), each per resource.  A claim is one conditional UPDATE of these rows, in
the transaction that makes what is counted; the limits are read by the same statement.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import project_user_quotas, quota_classes, quota_usages, quotas
from nova.objects.quota import UNLIMITED

PROJECT = ""

Amounts = Mapping[str, int]


def claim(
    tx: Transaction, project_id: str, user_id: str, amounts: Amounts, defaults: Amounts
) -> bool:
    """Add amounts to a project's and a user's usage if all stay within their limits.

    False: a limit would be exceeded, or rows are missing; what was changed must then be
    undone with the transaction's savepoint.
    """
    usage = quota_usages.c
    wanted = sa.case(dict(amounts), value=usage.resource, else_=0)
    limit = _limit_of_row(project_id, defaults, list(amounts))
    statement = (
        sa.update(quota_usages)
        .where(
            usage.project_id == project_id,
            usage.user_id.in_((PROJECT, user_id)),
            usage.resource.in_(list(amounts)),
            sa.or_(limit == UNLIMITED, usage.in_use + wanted <= limit),
        )
        .values(in_use=usage.in_use + wanted)
    )
    return tx.execute(statement).rowcount == 2 * len(amounts)


def _limit_of_row(
    project_id: str, defaults: Amounts, resources: Sequence[str]
) -> sa.ColumnElement[int]:
    """Return the limit that applies to a row of quota_usages: of a user or of the project."""
    usage = quota_usages.c
    of_project = (
        sa.select(quotas.c.hard_limit)
        .where(quotas.c.project_id == project_id, quotas.c.resource == usage.resource)
        .scalar_subquery()
    )
    of_class = (
        sa.select(quota_classes.c.hard_limit)
        .where(quota_classes.c.class_name == "default", quota_classes.c.resource == usage.resource)
        .scalar_subquery()
    )
    of_user = (
        sa.select(project_user_quotas.c.hard_limit)
        .where(
            project_user_quotas.c.project_id == project_id,
            project_user_quotas.c.user_id == usage.user_id,
            project_user_quotas.c.resource == usage.resource,
        )
        .scalar_subquery()
    )
    option = sa.case(
        {resource: defaults[resource] for resource in resources},
        value=usage.resource,
        else_=UNLIMITED,
    )
    return sa.case(
        (usage.user_id == PROJECT, sa.func.coalesce(of_project, of_class, option)),
        else_=sa.func.coalesce(of_user, UNLIMITED),
    )


def ensure_rows(tx: Transaction, project_id: str, user_id: str, resources: Sequence[str]) -> None:
    """Make the usage rows that a claim counts on."""
    rows = [
        {"project_id": project_id, "user_id": owner, "resource": resource, "in_use": 0}
        for resource in sorted(resources)
        for owner in (PROJECT, user_id)
    ]
    bulk.insert_missing(tx, quota_usages, rows)


def add(tx: Transaction, project_id: str, user_id: str, amounts: Amounts) -> None:
    """Add amounts to a project's and a user's usage, whatever the limits are."""
    usage = quota_usages.c
    tx.execute(
        sa.update(quota_usages)
        .where(
            usage.project_id == project_id,
            usage.user_id.in_((PROJECT, user_id)),
            usage.resource.in_(list(amounts)),
        )
        .values(in_use=usage.in_use + sa.case(dict(amounts), value=usage.resource, else_=0))
    )


def release(tx: Transaction, project_id: str, user_id: str, amounts: Amounts) -> None:
    """Take amounts off a project's and a user's usage."""
    usage = quota_usages.c
    amount = sa.case(dict(amounts), value=usage.resource, else_=0)
    tx.execute(
        sa.update(quota_usages)
        .where(
            usage.project_id == project_id,
            usage.user_id.in_((PROJECT, user_id)),
            usage.resource.in_(list(amounts)),
        )
        .values(in_use=sa.case((usage.in_use > amount, usage.in_use - amount), else_=0))
    )


def hold(tx: Transaction, project_id: str, resource: str) -> None:
    """Let no other transaction of a project pass here until this one ends.

    For resources that are counted: between the count and the commit nothing is added.
    """
    row = {"project_id": project_id, "user_id": PROJECT, "resource": resource, "in_use": 0}
    bulk.insert_missing(tx, quota_usages, [row])
    usage = quota_usages.c
    tx.execute(
        sa.update(quota_usages)
        .where(usage.project_id == project_id, usage.user_id == PROJECT, usage.resource == resource)
        .values(in_use=usage.in_use)
    )


def usages(tx: Transaction, project_id: str, user_id: str | None = None) -> dict[str, int]:
    """Return what a project (or a user within it) uses, by resource."""
    query = sa.select(quota_usages.c.resource, quota_usages.c.in_use).where(
        quota_usages.c.project_id == project_id,
        quota_usages.c.user_id == (PROJECT if user_id is None else user_id),
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def limits(
    tx: Transaction, project_id: str, defaults: Amounts, user_id: str | None = None
) -> dict[str, int]:
    """Return the limits of a project, or of a user within it, by resource."""
    sources = [
        sa.select(
            sa.literal(0).label("rank"), quota_classes.c.resource, quota_classes.c.hard_limit
        ).where(quota_classes.c.class_name == "default"),
        sa.select(sa.literal(1), quotas.c.resource, quotas.c.hard_limit).where(
            quotas.c.project_id == project_id
        ),
    ]
    if user_id is not None:
        sources.append(_of_user(project_id, user_id, sa.literal(2)))
    found = dict(defaults)
    for _rank, resource, limit in sorted(tuple(row) for row in tx.execute(sa.union_all(*sources))):
        found[resource] = limit
    return found


def user_limits(tx: Transaction, project_id: str, user_id: str) -> dict[str, int]:
    """Return the limits that are set for a user within a project, by resource."""
    rows = tx.execute(_of_user(project_id, user_id, sa.literal(0))).mappings()
    return {row["resource"]: row["hard_limit"] for row in rows}


def _of_user(
    project_id: str, user_id: str, rank: sa.ColumnElement[int]
) -> sa.Select[tuple[int, str, int]]:
    return sa.select(rank, project_user_quotas.c.resource, project_user_quotas.c.hard_limit).where(
        project_user_quotas.c.project_id == project_id, project_user_quotas.c.user_id == user_id
    )


def class_limits(tx: Transaction, class_name: str) -> dict[str, int]:
    """Return the limits of a quota class, by resource."""
    query = sa.select(quota_classes.c.resource, quota_classes.c.hard_limit).where(
        quota_classes.c.class_name == class_name
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def set_limits(
    tx: Transaction, project_id: str, limits: Amounts, user_id: str | None = None
) -> None:
    """Set limits of a project, or of a user within it."""
    if not limits:
        return
    key = {"project_id": project_id} | ({} if user_id is None else {"user_id": user_id})
    _replace(tx, quotas if user_id is None else project_user_quotas, key, limits)


def set_class_limits(tx: Transaction, class_name: str, limits: Amounts) -> None:
    """Set limits of a quota class."""
    _replace(tx, quota_classes, {"class_name": class_name}, limits)


def _replace(tx: Transaction, table: sa.Table, key: Mapping[str, str], limits: Amounts) -> None:
    same = [table.c[name] == value for name, value in key.items()]
    tx.execute(sa.delete(table).where(*same, table.c.resource.in_(list(limits))))
    rows = [{**key, "resource": name, "hard_limit": value} for name, value in limits.items()]
    bulk.insert(tx, table, rows)


def delete_limits(tx: Transaction, project_id: str, user_id: str | None = None) -> None:
    """Remove the limits of a user, or of a project and all its users."""
    user_rows = project_user_quotas.c.project_id == project_id
    if user_id is not None:
        tx.execute(
            sa.delete(project_user_quotas).where(
                user_rows, project_user_quotas.c.user_id == user_id
            )
        )
        return
    tx.execute(sa.delete(project_user_quotas).where(user_rows))
    tx.execute(sa.delete(quotas).where(quotas.c.project_id == project_id))
