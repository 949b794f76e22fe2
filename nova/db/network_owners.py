"""Whose networks are: projects that are given networks, and hosts that serve them."""

import datetime

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, instances, networks, virtual_interfaces

_Conditions = tuple[sa.ColumnElement[bool], ...]


def count(tx: Transaction, project_id: str) -> int:
    """Return the number of a project's networks."""
    query = sa.select(sa.func.count()).where(networks.c.project_id == project_id)
    return int(tx.execute(query.select_from(networks)).scalar_one())


def has_range(tx: Transaction, project_id: str) -> bool:
    """Tell whether a project has a network with a range."""
    ranged = sa.or_(networks.c.cidr.is_not(None), networks.c.cidr_v6.is_not(None))
    owned = sa.exists().where(networks.c.project_id == project_id, ranged)
    return bool(tx.execute(sa.select(owned)).scalar())


def _unused() -> _Conditions:
    """Return what is true of a network in which nobody has anything.

    A network that lost its project may still have servers of that: another project that was
    given it would share the segment with them (NET-13).
    """
    return (
        ~sa.exists().where(virtual_interfaces.c.network_id == networks.c.id),
        ~sa.exists().where(
            fixed_ips.c.network_id == networks.c.id, fixed_ips.c.instance_uuid.is_not(None)
        ),
    )


def give_free(
    tx: Transaction, project_id: str, now: datetime.datetime, network_id: int | None = None
) -> int | None:
    """Give an unused VLAN network of nobody, or the one named, to a project.

    Return its row id, None when there is none.  Rows that other transactions are giving away
    are passed over; only when nothing else is left are they waited for.
    """
    named = [] if network_id is None else [networks.c.id == network_id]
    free = (networks.c.project_id.is_(None), networks.c.vlan.is_not(None), *_unused(), *named)
    for skip_locked in (True, False, True):
        query = sa.select(networks.c.id).where(*free).order_by(networks.c.id).limit(1)
        found = tx.execute(query.with_for_update(skip_locked=skip_locked)).scalar()
        if found is None:
            continue
        statement = (
            sa.update(networks)
            .where(networks.c.id == found, networks.c.project_id.is_(None))
            .values(project_id=project_id, updated_at=now)
        )
        if tx.execute(statement).rowcount == 1:
            return int(found)
    return None


def has_strangers(tx: Transaction, network_id: int, project_id: str) -> bool:
    """Tell whether another project has an interface or a leased address in a network."""
    owner = sa.func.coalesce(instances.c.project_id, virtual_interfaces.c.project_id)
    interfaces = (
        sa.select(virtual_interfaces.c.id)
        .select_from(
            virtual_interfaces.outerjoin(
                instances, instances.c.uuid == virtual_interfaces.c.instance_uuid
            )
        )
        .where(virtual_interfaces.c.network_id == network_id, owner != project_id)
    )
    held = (
        sa.select(fixed_ips.c.id)
        .select_from(fixed_ips.join(instances, instances.c.uuid == fixed_ips.c.instance_uuid))
        .where(fixed_ips.c.network_id == network_id, instances.c.project_id != project_id)
    )
    return bool(tx.execute(sa.select(sa.or_(interfaces.exists(), held.exists()))).scalar())


def update(
    tx: Transaction,
    network_id: int,
    values: dict[str, str | None],
    now: datetime.datetime,
) -> None:
    """Set the project or the host of a network."""
    statement = sa.update(networks).where(networks.c.id == network_id)
    tx.execute(statement.values(**values, updated_at=now))


def take_all(tx: Transaction, project_id: str, now: datetime.datetime) -> None:
    """Take all its networks from a project."""
    statement = sa.update(networks).where(networks.c.project_id == project_id)
    tx.execute(statement.values(project_id=None, updated_at=now))
