"""Flavors with their extra specs and access lists."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk, search
from nova.db.engine import Transaction
from nova.db.tables import flavor_extra_specs, flavor_projects, flavors, key_pairs
from nova.objects.flavor import Flavor, FlavorQuery

_LONG_AGO = sa.literal(datetime.datetime(1970, 1, 1), flavors.c.created_at.type)
_FIELDS = (
    "id",
    "flavorid",
    "name",
    "memory_mb",
    "vcpus",
    "root_gb",
    "ephemeral_gb",
    "rxtx_factor",
    "is_public",
    "disabled",
    "description",
    "created_at",
    "updated_at",
)
# Expressions are never null, so that a page can begin after any value.
SORT_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "id": flavors.c.id,
    "flavorid": flavors.c.flavorid,
    "name": flavors.c.name,
    "memory_mb": flavors.c.memory_mb,
    "vcpus": flavors.c.vcpus,
    "root_gb": flavors.c.root_gb,
    "ephemeral_gb": flavors.c.ephemeral_gb,
    "swap": flavors.c.swap,
    "rxtx_factor": flavors.c.rxtx_factor,
    "disabled": flavors.c.disabled,
    "is_public": flavors.c.is_public,
    "description": sa.func.coalesce(flavors.c.description, ""),
    "created_at": sa.func.coalesce(flavors.c.created_at, _LONG_AGO),
    "updated_at": sa.func.coalesce(flavors.c.updated_at, _LONG_AGO),
    # Of cells and hypervisors of old: always the same, so that the id decides.
    "vcpu_weight": sa.literal(0),
}


def find(tx: Transaction, flavorid: str, project_id: str | None = None) -> Flavor | None:
    """Return a flavor by its public id; with project_id only if that project may use it."""
    query = _with_specs().where(flavors.c.flavorid == flavorid, *_usable(project_id))
    found = _load(tx, query)
    return found[0] if found else None


def find_named(tx: Transaction, name: str, project_id: str | None = None) -> Flavor | None:
    """Return a flavor by its name; with project_id only if that project may use it."""
    found = _load(tx, _with_specs().where(flavors.c.name == name, *_usable(project_id)))
    return found[0] if found else None


def find_with_key(
    tx: Transaction,
    flavorid: str,
    user_id: str,
    key_name: str | None,
    project_id: str | None = None,
) -> tuple[Flavor | None, str | None]:
    """Return a flavor together with a user's public key, in one statement.

    With project_id the flavor is there only if that project may use it.
    """
    if key_name is None:
        return find(tx, flavorid, project_id), None
    key = (
        sa.select(key_pairs.c.public_key)
        .where(key_pairs.c.user_id == user_id, key_pairs.c.name == key_name)
        .scalar_subquery()
    )
    query = (
        _with_specs()
        .add_columns(key.label("key_data"))
        .where(flavors.c.flavorid == flavorid, *_usable(project_id))
    )
    rows = tx.execute(query).mappings().all()
    if not rows:
        return None, None
    return _to_flavors(rows)[0], rows[0]["key_data"]


def page(tx: Transaction, query: FlavorQuery) -> list[Flavor] | None:
    """Return one page of flavors; None when the marker is unknown.  query.sort_key is allowed."""
    column = SORT_COLUMNS[query.sort_key]
    chosen = sa.select(flavors.c.id).where(*_conditions(query))
    if query.marker is not None:
        marker = tx.execute(
            sa.select(column, flavors.c.id).where(
                flavors.c.flavorid == query.marker, *_visible(query.project_id)
            )
        ).first()
        if marker is None:
            return None
        chosen = chosen.where(_after(column, marker[0], marker[1], query.sort_dir))
    order = (column, flavors.c.id)
    if query.sort_dir == "desc":
        chosen = chosen.order_by(*(part.desc() for part in order))
    else:
        chosen = chosen.order_by(*order)
    ids = [row[0] for row in tx.execute(chosen.limit(query.limit))]
    if not ids:
        return []
    found = {flavor.id: flavor for flavor in _load(tx, _with_specs().where(flavors.c.id.in_(ids)))}
    return [found[row_id] for row_id in ids]


def _after(column: sa.ColumnElement[Any], value: Any, row_id: int, direction: str) -> Any:
    value = sa.literal(value, column.type)  # SQLAlchemy refuses < and > with a bare True
    if direction == "desc":
        return sa.or_(column < value, sa.and_(column == value, flavors.c.id < row_id))
    return sa.or_(column > value, sa.and_(column == value, flavors.c.id > row_id))


def _conditions(query: FlavorQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.is_public is not None:
        conditions.append(flavors.c.is_public.is_(query.is_public))
    conditions += _visible(query.project_id)
    if query.min_ram_mb is not None:
        conditions.append(flavors.c.memory_mb >= query.min_ram_mb)
    if query.min_disk_gb is not None:
        conditions.append(flavors.c.root_gb >= query.min_disk_gb)
    if query.name_pattern is not None:
        conditions.append(search.matches(flavors.c.name, query.name_pattern))
    return conditions


def _visible(project_id: str | None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that keep to what a project is shown; None is shown everything."""
    if project_id is None:
        return []
    return [*_usable(project_id), flavors.c.disabled.is_(False)]


def _usable(project_id: str | None) -> list[sa.ColumnElement[bool]]:
    """Return the condition that keeps to what a project may use; None may use everything.

    It is part of the statement that finds a flavor, so that one that is somebody else's is
    not found in the same time as one that nobody has.
    """
    if project_id is None:
        return []
    allowed = sa.select(flavor_projects.c.flavor_id).where(
        flavor_projects.c.project_id == project_id
    )
    return [sa.or_(flavors.c.is_public.is_(True), flavors.c.id.in_(allowed))]


def _with_specs() -> sa.Select[Any]:
    source = flavors.outerjoin(flavor_extra_specs, flavor_extra_specs.c.flavor_id == flavors.c.id)
    return (
        sa.select(
            *(flavors.c[name] for name in _FIELDS),
            flavors.c.swap,
            flavor_extra_specs.c.key.label("spec_key"),
            flavor_extra_specs.c.value.label("spec_value"),
        )
        .select_from(source)
        .order_by(flavors.c.id, flavor_extra_specs.c.key)
    )


def _load(tx: Transaction, query: sa.Select[Any]) -> list[Flavor]:
    return _to_flavors(tx.execute(query).mappings().all())


def _to_flavors(rows: Sequence[sa.RowMapping]) -> list[Flavor]:
    """Return flavors from joined rows, one per extra spec."""
    specs: dict[int, dict[str, str]] = {}
    first: dict[int, sa.RowMapping] = {}
    for row in rows:
        first.setdefault(row["id"], row)
        if row["spec_key"] is not None:
            specs.setdefault(row["id"], {})[row["spec_key"]] = row["spec_value"]
    return [
        Flavor(
            **{name: row[name] for name in _FIELDS},
            swap_mb=row["swap"],
            extra_specs=specs.get(row_id, {}),
        )
        for row_id, row in first.items()
    ]


def exists(tx: Transaction, name: str, flavorid: str) -> bool:
    """Tell whether a name or public id is taken."""
    query = sa.select(flavors.c.id).where(
        sa.or_(flavors.c.name == name, flavors.c.flavorid == flavorid)
    )
    return tx.execute(query.limit(1)).first() is not None


def create(tx: Transaction, row: bulk.Row) -> int:
    """Insert a flavor; return its row id."""
    return bulk.insert_keyed(tx, flavors, flavors.c.flavorid, [row])[row["flavorid"]]


def update(tx: Transaction, row_id: int, values: Mapping[str, Any]) -> None:
    """Change a flavor."""
    tx.execute(sa.update(flavors).where(flavors.c.id == row_id).values(**values))


def delete(tx: Transaction, row_id: int) -> None:
    """Remove a flavor with its extra specs and access list."""
    tx.execute(sa.delete(flavor_extra_specs).where(flavor_extra_specs.c.flavor_id == row_id))
    tx.execute(sa.delete(flavor_projects).where(flavor_projects.c.flavor_id == row_id))
    tx.execute(sa.delete(flavors).where(flavors.c.id == row_id))


def set_extra_specs(tx: Transaction, row_id: int, specs: Mapping[str, str]) -> None:
    """Add or overwrite extra specs."""
    if not specs:
        return
    tx.execute(
        sa.delete(flavor_extra_specs).where(
            flavor_extra_specs.c.flavor_id == row_id, flavor_extra_specs.c.key.in_(list(specs))
        )
    )
    rows = [{"flavor_id": row_id, "key": key, "value": value} for key, value in specs.items()]
    bulk.insert(tx, flavor_extra_specs, rows)


def delete_extra_spec(tx: Transaction, row_id: int, key: str) -> bool:
    """Remove an extra spec; tell whether it was there."""
    statement = sa.delete(flavor_extra_specs).where(
        flavor_extra_specs.c.flavor_id == row_id, flavor_extra_specs.c.key == key
    )
    return tx.execute(statement).rowcount == 1


def list_access(tx: Transaction, row_id: int) -> list[str]:
    """Return the projects that have access, by name, at most 10,000."""
    query = (
        sa.select(flavor_projects.c.project_id)
        .where(flavor_projects.c.flavor_id == row_id)
        .order_by(flavor_projects.c.project_id)
        .limit(10000)
    )
    return [row[0] for row in tx.execute(query)]


def has_access(tx: Transaction, row_id: int, project_id: str) -> bool:
    """Tell whether a project has access."""
    query = sa.select(flavor_projects.c.flavor_id).where(
        flavor_projects.c.flavor_id == row_id, flavor_projects.c.project_id == project_id
    )
    return tx.execute(query).first() is not None


def add_access(tx: Transaction, row_id: int, project_id: str) -> None:
    """Give a project access; it has none."""
    bulk.insert(tx, flavor_projects, [{"flavor_id": row_id, "project_id": project_id}])


def remove_access(tx: Transaction, row_id: int, project_id: str) -> bool:
    """Take a project's access away; tell whether it had it."""
    statement = sa.delete(flavor_projects).where(
        flavor_projects.c.flavor_id == row_id, flavor_projects.c.project_id == project_id
    )
    return tx.execute(statement).rowcount == 1


def touch(tx: Transaction, row_id: int, now: datetime.datetime) -> None:
    """Note the time of a change of what belongs to a flavor."""
    update(tx, row_id, {"updated_at": now})
