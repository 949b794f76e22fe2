"""Security groups, their rules, and which servers are in them."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Transaction
from nova.db.instances import scope_conditions
from nova.db.tables import (
    provider_fw_rules,
    security_group_default_rules,
    security_group_instances,
    security_group_rules,
    security_groups,
)
from nova.exception import NovaException, SecurityGroupExists, SecurityGroupInvalid
from nova.objects.instance import Scope
from nova.objects.security_group import (
    DefaultRule,
    ProviderRule,
    SecurityGroup,
    SecurityGroupQuery,
    SecurityGroupRule,
)

DEFAULT = "default"
MAX_RULES = 100000
MAX_ROW_ID = 2**31 - 1

_GROUP = security_groups.c
_RULE = security_group_rules.c
_MEMBER = security_group_instances.c
_PARENT = security_groups.alias("parent")
_SOURCE = security_groups.alias("source")
_COLUMNS = tuple(security_groups.columns)
_RULES = (
    sa.select(
        *security_group_rules.columns,
        _PARENT.c.uuid.label("parent_group_uuid"),
        _PARENT.c.project_id.label("project_id"),
        _SOURCE.c.uuid.label("group_uuid"),
        _SOURCE.c.name.label("group_name"),
        _SOURCE.c.project_id.label("group_project_id"),
    )
    .join_from(security_group_rules, _PARENT, _PARENT.c.id == _RULE.parent_group_id)
    .outerjoin(_SOURCE, _SOURCE.c.id == _RULE.group_id)
)


def row_id_of(text: str) -> int | None:
    """Return the row id that a text may stand for."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    number = int(text)
    return number if number <= MAX_ROW_ID else None


def _named(columns: Any, text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row has an integer id or a uuid."""
    row_id = row_id_of(text)
    if row_id is not None:
        condition: sa.ColumnElement[bool] = columns.id == row_id
        return condition
    other: sa.ColumnElement[bool] = columns.uuid == text
    return other


# --- Groups


def page(tx: Transaction, query: SecurityGroupQuery) -> list[SecurityGroup]:
    """Return groups with their rules in order of project and name."""
    project = Scope(project_id=query.scope.project_id)
    statement = sa.select(*_COLUMNS).where(*scope_conditions(_GROUP, project))
    if query.instance_uuid is not None:
        statement = statement.join_from(
            security_groups, security_group_instances, _MEMBER.security_group_id == _GROUP.id
        ).where(_MEMBER.instance_uuid == query.instance_uuid)
    if query.names:
        statement = statement.where(_GROUP.name.in_(query.names))
    statement = statement.order_by(_GROUP.project_id, _GROUP.name, _GROUP.id)
    rows = tx.execute(statement.limit(query.limit).offset(query.offset)).mappings().all()
    return _with_rules(tx, rows)


def find(tx: Transaction, scope: Scope, group: str) -> SecurityGroup | None:
    """Return a group with its rules by integer id or uuid."""
    found = _with_rules(tx, [row] if (row := _find_row(tx, scope, group)) is not None else [])
    return found[0] if found else None


def _find_row(
    tx: Transaction, scope: Scope, group: str, lock: bool = False
) -> sa.RowMapping | None:
    statement = sa.select(*_COLUMNS).where(
        _named(_GROUP, group), *scope_conditions(_GROUP, Scope(project_id=scope.project_id))
    )
    if lock:
        statement = statement.with_for_update()
    return tx.execute(statement).mappings().first()


def find_bare(
    tx: Transaction, scope: Scope, group: str, lock: bool = False
) -> SecurityGroup | None:
    """Return a group without its rules; lock: keep others from changing it."""
    row = _find_row(tx, scope, group, lock)
    return None if row is None else SecurityGroup(**row)


def list_named(tx: Transaction, project_id: str, names: Sequence[str]) -> list[SecurityGroup]:
    """Return the groups of a project that have one of the names, integer ids or uuids.

    None of them can be deleted before the transaction ends.
    """
    row_ids = [number for name in names if (number := row_id_of(name)) is not None]
    statement = sa.select(*_COLUMNS).where(
        _GROUP.project_id == project_id,
        sa.or_(_GROUP.name.in_(names), _GROUP.uuid.in_(names), _GROUP.id.in_(row_ids)),
    )
    rows = tx.execute(statement.limit(3 * len(names)).with_for_update(read=True)).mappings()
    return [SecurityGroup(**row) for row in rows]


def numbers_of(
    tx: Transaction, project_ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Return the integer ids of groups with some names, by project and name."""
    found: dict[str, dict[str, int]] = {}
    query = sa.select(_GROUP.project_id, _GROUP.name, _GROUP.id)
    for piece in bulk.chunks(names):
        of_projects = _GROUP.project_id.in_(project_ids), _GROUP.name.in_(piece)
        for project_id, name, number in tx.execute(query.where(*of_projects)):
            found.setdefault(project_id, {})[name] = number
    return found


def names_of(tx: Transaction, project_id: str, numbers: Sequence[int]) -> dict[int, str]:
    """Return the names of those groups of a project that have one of the integer ids."""
    query = sa.select(_GROUP.id, _GROUP.name).where(_GROUP.project_id == project_id)
    return {
        row.id: row.name
        for piece in bulk.chunks(numbers)
        for row in tx.execute(query.where(_GROUP.id.in_(piece)))
    }


def _with_rules(tx: Transaction, rows: Sequence[sa.RowMapping]) -> list[SecurityGroup]:
    rules: dict[int, list[SecurityGroupRule]] = {}
    for rule in rules_of(tx, [row["id"] for row in rows]):
        rules.setdefault(rule.parent_group_id, []).append(rule)
    return [SecurityGroup(**row, rules=tuple(rules.get(row["id"], ()))) for row in rows]


def create(tx: Transaction, row: bulk.Row) -> None:
    """Insert a group.  Raises: SecurityGroupExists."""
    with refused_as(SecurityGroupExists(name=row["name"])):
        tx.execute(sa.insert(security_groups).values(**row))


def has_default(tx: Transaction, project_id: str) -> bool:
    """Tell whether a project has its group "default"."""
    mine = sa.select(_GROUP.id).where(_GROUP.project_id == project_id, _GROUP.name == DEFAULT)
    return tx.execute(mine).first() is not None


def ensure_default(
    tx: Transaction, project_id: str, user_id: str | None, now: datetime.datetime
) -> None:
    """Make the group "default" of a project if it has none, with copies of the default rules.

    Raises: Repeat when another transaction has made it just now.
    """
    if has_default(tx, project_id):
        return
    group_uuid = str(uuid.uuid4())
    row = {
        "uuid": group_uuid,
        "name": DEFAULT,
        "description": DEFAULT,
        "project_id": project_id,
        "user_id": user_id,
        "created_at": now,
        "updated_at": now,
    }
    with refused_as(Repeat()):
        group_id = bulk.insert_keyed(tx, security_groups, _GROUP.uuid, [row])[group_uuid]
    copies = [
        {
            "uuid": str(uuid.uuid4()),
            "parent_group_id": group_id,
            "protocol": rule.protocol,
            "from_port": rule.from_port,
            "to_port": rule.to_port,
            "cidr": rule.cidr,
            "ethertype": "IPv6" if ":" in rule.cidr else "IPv4",
            "created_at": now,
            "updated_at": now,
        }
        for rule in list_default_rules(tx)
    ]
    bulk.insert(tx, security_group_rules, copies)


def update(tx: Transaction, group_id: int, values: dict[str, Any]) -> None:
    """Change a group.  Raises: SecurityGroupExists."""
    statement = sa.update(security_groups).where(_GROUP.id == group_id).values(**values)
    with refused_as(SecurityGroupExists(name=values.get("name"))):
        tx.execute(statement)


def delete(tx: Transaction, group_id: int) -> None:
    """Remove a group, its rules, and rules that name it as source."""
    owned = sa.or_(_RULE.parent_group_id == group_id, _RULE.group_id == group_id)
    tx.execute(sa.delete(security_group_rules).where(owned))
    tx.execute(sa.delete(security_groups).where(_GROUP.id == group_id))


def count_of_project(tx: Transaction, project_id: str) -> int:
    """Return how many groups a project has."""
    query = sa.select(sa.func.count()).where(_GROUP.project_id == project_id)
    return tx.execute(query).scalar_one()


# --- Members


def in_use(tx: Transaction, group_id: int) -> bool:
    """Tell whether a server is in a group."""
    query = sa.select(_MEMBER.instance_uuid).where(_MEMBER.security_group_id == group_id).limit(1)
    return tx.execute(query).first() is not None


def add_members(tx: Transaction, uuids: Sequence[str], group_ids: Sequence[int]) -> None:
    """Put new servers into groups."""
    rows = [
        {"instance_uuid": instance_uuid, "security_group_id": group_id}
        for instance_uuid in uuids
        for group_id in group_ids
    ]
    for piece in bulk.chunks(rows):
        bulk.insert(tx, security_group_instances, piece)


def add_member(tx: Transaction, instance_uuid: str, group: SecurityGroup) -> None:
    """Put a server into one more group.  Raises: SecurityGroupInvalid."""
    reason = f"Instance {instance_uuid} is in security group {group.name} already."
    with refused_as(SecurityGroupInvalid(reason=reason)):
        add_members(tx, [instance_uuid], [group.id])


def remove_member(tx: Transaction, instance_uuid: str, group_id: int) -> bool:
    """Take a server out of a group; tell whether it was in it."""
    statement = sa.delete(security_group_instances).where(
        _MEMBER.instance_uuid == instance_uuid, _MEMBER.security_group_id == group_id
    )
    return tx.execute(statement).rowcount == 1


# --- Rules


def rules_of(tx: Transaction, group_ids: Sequence[int]) -> list[SecurityGroupRule]:
    """Return the rules of groups in the order in which they were made."""
    if not group_ids:
        return []
    return _rules(tx, _RULE.parent_group_id.in_(group_ids))


def list_rules(tx: Transaction, scope: Scope) -> list[SecurityGroupRule]:
    """Return the rules of all groups in scope."""
    return _rules(tx, *_in_scope(scope))


def find_rule(tx: Transaction, scope: Scope, rule: str) -> SecurityGroupRule | None:
    """Return a rule by integer id or uuid."""
    found = _rules(tx, _named(_RULE, rule), *_in_scope(scope))
    return found[0] if found else None


def _in_scope(scope: Scope) -> list[sa.ColumnElement[bool]]:
    return scope_conditions(_PARENT.c, Scope(project_id=scope.project_id))


def _rules(tx: Transaction, *conditions: sa.ColumnElement[bool]) -> list[SecurityGroupRule]:
    query = _RULES.where(*conditions).order_by(_RULE.id).limit(MAX_RULES)
    found = []
    for row in tx.execute(query).mappings():
        values = dict(row)
        values.pop("updated_at")
        found.append(SecurityGroupRule(**values))
    return found


def create_rules(tx: Transaction, rows: Sequence[bulk.Row]) -> None:
    """Insert rules."""
    bulk.insert(tx, security_group_rules, rows)


def delete_rule(tx: Transaction, rule_id: int) -> bool:
    """Remove a rule; tell whether it was there."""
    return delete_rules(tx, [rule_id]) == 1


def delete_rules(tx: Transaction, rule_ids: Sequence[int]) -> int:
    """Remove rules; return how many there were."""
    gone = 0
    for piece in bulk.chunks(rule_ids):
        gone += tx.execute(sa.delete(security_group_rules).where(_RULE.id.in_(piece))).rowcount
    return gone


# --- Rules that the operator makes


def list_default_rules(tx: Transaction) -> list[DefaultRule]:
    """Return what new "default" groups get."""
    table = security_group_default_rules
    rows = tx.execute(sa.select(*table.columns).order_by(table.c.id).limit(MAX_RULES)).mappings()
    return [DefaultRule(**row) for row in rows]


def find_default_rule(tx: Transaction, rule_id: int) -> DefaultRule | None:
    """Return one of them."""
    table = security_group_default_rules
    row = tx.execute(sa.select(*table.columns).where(table.c.id == rule_id)).mappings().first()
    return None if row is None else DefaultRule(**row)


def create_default_rule(tx: Transaction, row: bulk.Row, exists: NovaException) -> int:
    """Insert one; return its id."""
    return _insert(tx, security_group_default_rules, row, exists)


def delete_default_rule(tx: Transaction, rule_id: int) -> bool:
    """Remove one; tell whether it was there."""
    return _delete(tx, security_group_default_rules, rule_id)


def list_provider_rules(tx: Transaction) -> list[ProviderRule]:
    """Return what the operator keeps from all servers."""
    table = provider_fw_rules
    rows = tx.execute(sa.select(*table.columns).order_by(table.c.id).limit(MAX_RULES)).mappings()
    return [ProviderRule(**row) for row in rows]


def create_provider_rule(tx: Transaction, row: bulk.Row, exists: NovaException) -> int:
    """Insert such a rule; return its id."""
    return _insert(tx, provider_fw_rules, row, exists)


def delete_provider_rule(tx: Transaction, rule_id: int) -> bool:
    """Remove such a rule; tell whether it was there."""
    return _delete(tx, provider_fw_rules, rule_id)


def _insert(tx: Transaction, table: sa.Table, row: bulk.Row, exists: NovaException) -> int:
    with refused_as(exists):
        key = tx.execute(sa.insert(table).values(**row)).inserted_primary_key
    assert key is not None, "a row was inserted"
    row_id: int = key[0]
    return row_id


def _delete(tx: Transaction, table: sa.Table, rule_id: int) -> bool:
    return tx.execute(sa.delete(table).where(table.c.id == rule_id)).rowcount == 1
