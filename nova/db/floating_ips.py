"""Floating addresses: who has them, where they lead, and which host translates them.

Life of an address: free -> with a project -> leading to a fixed address, from then on with
the host that translates it.  When it leads nowhere again the host stays set until that host
has forgotten the address; only then may it be given to anybody, or lead elsewhere.
"""

import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.duplicates import refused_as
from nova.db.engine import Transaction
from nova.db.tables import fixed_ips, floating_ips, instances, networks, virtual_interfaces
from nova.exception import FloatingIpExists
from nova.objects.floating_ip import FloatingIp, HostFloatingIp
from nova.objects.instance import Scope

MAX_ADDRESSES = 1000000
MAX_PER_PROJECT = 100000
MAX_POOLS = 1000
_CANDIDATE = floating_ips.alias("candidate")
_NAMES = (
    "id", "uuid", "address", "pool", "interface", "project_id", "auto_assigned", "host",
    "description", "created_at", "updated_at",
)  # fmt: skip

# The host that shall translate an address that leads somewhere; null while there is none.
_WANTED_HOST = sa.case((networks.c.multi_host.is_(True), instances.c.host), else_=networks.c.host)


_OF_HOST = sa.bindparam("of_host", type_=sa.String())
# An address that leads somewhere shall be translated by a host.
_WANTED = sa.or_(
    sa.and_(networks.c.multi_host.is_(True), instances.c.host == _OF_HOST),
    sa.and_(networks.c.multi_host.is_(False), networks.c.host == _OF_HOST),
)


def _joined() -> sa.FromClause:
    return floating_ips.outerjoin(
        fixed_ips, fixed_ips.c.id == floating_ips.c.fixed_ip_id
    ).outerjoin(virtual_interfaces, virtual_interfaces.c.id == fixed_ips.c.virtual_interface_id)


def _located() -> sa.FromClause:
    return (
        floating_ips.join(fixed_ips, fixed_ips.c.id == floating_ips.c.fixed_ip_id)
        .join(networks, networks.c.id == fixed_ips.c.network_id)
        .join(instances, instances.c.uuid == fixed_ips.c.instance_uuid)
    )


def _select(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(
            *(floating_ips.c[name] for name in _NAMES),
            fixed_ips.c.address.label("fixed_ip"),
            fixed_ips.c.instance_uuid,
            virtual_interfaces.c.uuid.label("vif_id"),
        )
        .select_from(_joined())
        .where(*conditions)
        .order_by(floating_ips.c.id)
    )


def _in(scope: Scope) -> list[sa.ColumnElement[bool]]:
    if scope.project_id is None:
        return [floating_ips.c.project_id.is_not(None)]
    return [floating_ips.c.project_id == scope.project_id]


def _named(name: str) -> sa.ColumnElement[bool]:
    """Return the condition for an address that is named by id, uuid or address."""
    if name.isascii() and name.isdigit():
        return floating_ips.c.id == int(name) if len(name) < 10 else sa.false()
    if "-" in name:
        return floating_ips.c.uuid == name
    return floating_ips.c.address == name


def page(tx: Transaction, scope: Scope) -> list[FloatingIp]:
    """Return the addresses that projects in scope have."""
    query = _select(*_in(scope)).limit(MAX_PER_PROJECT)
    return [FloatingIp(**row) for row in tx.execute(query).mappings()]


def list_all(tx: Transaction, scope: Scope, host: str | None) -> list[FloatingIp]:
    """Return all addresses, or those that a host translates or has not forgotten yet.

    With one project in scope, only what that has.
    """
    conditions = [] if scope.project_id is None else _in(scope)
    if host is not None:
        conditions.append(floating_ips.c.host == host)
    query = _select(*conditions).limit(MAX_ADDRESSES)
    return [FloatingIp(**row) for row in tx.execute(query).mappings()]


def find(tx: Transaction, scope: Scope, name: str) -> FloatingIp | None:
    """Return an address of a project in scope."""
    row = tx.execute(_select(_named(name), *_in(scope))).mappings().first()
    return None if row is None else FloatingIp(**row)


def pools(tx: Transaction) -> list[str]:
    """Return the names of all pools."""
    query = sa.select(floating_ips.c.pool).distinct().order_by(floating_ips.c.pool)
    return [row[0] for row in tx.execute(query.limit(MAX_POOLS))]


def pool_exists(tx: Transaction, pool: str) -> bool:
    """Tell whether a pool has any address."""
    return bool(tx.execute(sa.select(sa.exists().where(floating_ips.c.pool == pool))).scalar())


def count_of_project(tx: Transaction, project_id: str) -> int:
    """Return how many addresses count against a project's quota."""
    query = (
        sa.select(sa.func.count())
        .select_from(floating_ips)
        .where(floating_ips.c.project_id == project_id, floating_ips.c.auto_assigned.is_(False))
    )
    return int(tx.execute(query).scalar_one())


# --- Taking and giving back


def _free(table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    return [
        table.c.project_id.is_(None),
        table.c.fixed_ip_id.is_(None),
        table.c.host.is_(None),
    ]


def take_any(tx: Transaction, pool: str, values: bulk.Row) -> str | None:
    """Take the first free address of a pool; None when there is none.

    Rows that other transactions are taking are passed over, and waited for only when
    nothing else is left, since those transactions may be undone.
    """
    for skip_locked in (True, False, True):
        address = _take(tx, pool, values, skip_locked)
        if address is not None:
            return address
    return None


def _take(tx: Transaction, pool: str, values: bulk.Row, skip_locked: bool) -> str | None:
    candidate = (
        sa.select(_CANDIDATE.c.id)
        .where(_CANDIDATE.c.pool == pool, *_free(_CANDIDATE))
        .order_by(_CANDIDATE.c.id)
        .limit(1)
        .with_for_update(skip_locked=skip_locked)
    )
    found = tx.execute(candidate.add_columns(_CANDIDATE.c.address)).first()
    if found is None:
        return None
    statement = sa.update(floating_ips).where(floating_ips.c.id == found[0], *_free(floating_ips))
    taken = tx.execute(statement.values(**values)).rowcount == 1
    return str(found[1]) if taken else None


def take(tx: Transaction, pool: str, address: str, values: bulk.Row) -> bool:
    """Take one address of a pool if it is free; tell whether it was."""
    statement = sa.update(floating_ips).where(
        floating_ips.c.pool == pool, floating_ips.c.address == address, *_free(floating_ips)
    )
    return tx.execute(statement.values(**values)).rowcount == 1


def give_back(tx: Transaction, row_id: int, now: datetime.datetime) -> None:
    """Take an address from its project; it is free when its host has forgotten it."""
    statement = sa.update(floating_ips).where(floating_ips.c.id == row_id)
    tx.execute(
        statement.values(
            project_id=None,
            fixed_ip_id=None,
            auto_assigned=False,
            description="",
            updated_at=now,
        )
    )


def describe(tx: Transaction, row_id: int, description: str, now: datetime.datetime) -> None:
    """Set the description of an address."""
    statement = sa.update(floating_ips).where(floating_ips.c.id == row_id)
    tx.execute(statement.values(description=description, updated_at=now))


# --- Leading somewhere


def _of_interface(vif_uuid: str | None) -> list[sa.ColumnElement[bool]]:
    if vif_uuid is None:
        return []
    vif = sa.select(virtual_interfaces.c.id).where(virtual_interfaces.c.uuid == vif_uuid)
    return [fixed_ips.c.virtual_interface_id == vif.scalar_subquery()]


def target(
    tx: Transaction, instance_uuid: str, fixed_address: str, vif_uuid: str | None = None
) -> tuple[int, str | None] | None:
    """Return the row id of a server's fixed address, and the host that shall translate.

    vif_uuid: the interface that must have it.
    """
    source = fixed_ips.join(networks, networks.c.id == fixed_ips.c.network_id).join(
        instances, instances.c.uuid == fixed_ips.c.instance_uuid
    )
    query = (
        sa.select(fixed_ips.c.id, _WANTED_HOST)
        .select_from(source)
        .where(
            fixed_ips.c.address == fixed_address,
            fixed_ips.c.instance_uuid == instance_uuid,
            fixed_ips.c.allocated.is_(True),
            *_of_interface(vif_uuid),
        )
    )
    row = tx.execute(query).first()
    return None if row is None else (row[0], row[1])


def first_target(tx: Transaction, instance_uuid: str, vif_uuid: str | None = None) -> str | None:
    """Return the first fixed address of a server, or of one of its interfaces."""
    query = (
        sa.select(fixed_ips.c.address)
        .select_from(
            fixed_ips.join(
                virtual_interfaces, virtual_interfaces.c.id == fixed_ips.c.virtual_interface_id
            )
        )
        .where(
            fixed_ips.c.instance_uuid == instance_uuid,
            fixed_ips.c.allocated.is_(True),
            *_of_interface(vif_uuid),
        )
        .order_by(virtual_interfaces.c.id, fixed_ips.c.id)
        .limit(1)
    )
    return tx.execute(query).scalar()


def associate(
    tx: Transaction, row_id: int, fixed_ip_id: int, host: str | None, now: datetime.datetime
) -> bool:
    """Let an address lead to a fixed one, unless it leads elsewhere or is not forgotten yet."""
    statement = (
        sa.update(floating_ips)
        .where(
            floating_ips.c.id == row_id,
            floating_ips.c.project_id.is_not(None),
            floating_ips.c.fixed_ip_id.is_(None),
            floating_ips.c.host.is_(None),
        )
        .values(fixed_ip_id=fixed_ip_id, host=host, updated_at=now)
    )
    return tx.execute(statement).rowcount == 1


def disassociate(tx: Transaction, row_id: int, now: datetime.datetime) -> None:
    """Let an address lead nowhere; its host must still forget it."""
    statement = sa.update(floating_ips).where(floating_ips.c.id == row_id)
    tx.execute(statement.values(fixed_ip_id=None, updated_at=now))


def give_up_host(tx: Transaction, row_id: int, host: str, now: datetime.datetime) -> None:
    """Go on without waiting for a host that is down; it forgets the address when it is back."""
    statement = sa.update(floating_ips).where(
        floating_ips.c.id == row_id, floating_ips.c.host == host
    )
    tx.execute(statement.values(host=None, updated_at=now))


def release_for(
    tx: Transaction, instance_uuid: str, now: datetime.datetime, vif_uuid: str | None = None
) -> None:
    """Let no address lead to a server, or to one of its interfaces.

    Those that were assigned automatically go back to their pool.
    """
    _release(tx, [fixed_ips.c.instance_uuid == instance_uuid, *_of_interface(vif_uuid)], now)


def release_from(
    tx: Transaction, instance_uuid: str, fixed_address: str, now: datetime.datetime
) -> None:
    """Let no address lead to one fixed address of a server, as release_for() does."""
    same = fixed_ips.c.address == fixed_address
    _release(tx, [fixed_ips.c.instance_uuid == instance_uuid, same], now)


def _release(
    tx: Transaction, conditions: Sequence[sa.ColumnElement[bool]], now: datetime.datetime
) -> None:
    held = sa.select(fixed_ips.c.id).where(*conditions)
    automatic = floating_ips.c.auto_assigned.is_(True)
    tx.execute(
        sa.update(floating_ips)
        .where(floating_ips.c.fixed_ip_id.in_(held))
        .values(
            {
                "project_id": sa.case((automatic, None), else_=floating_ips.c.project_id),
                "fixed_ip_id": None,
                "auto_assigned": sa.false(),
                "updated_at": now,
            }
        )
    )


# --- What hosts translate


def places_of(tx: Transaction, instance_uuid: str) -> set[tuple[str | None, str | None]]:
    """Return the hosts that translate a server's addresses, each with the one that shall."""
    query = (
        sa.select(floating_ips.c.host, _WANTED_HOST)
        .select_from(_located())
        .where(fixed_ips.c.instance_uuid == instance_uuid)
    )
    return {(row[0], row[1]) for row in tx.execute(query)}


# Network hosts ask these all the time: they are built once, which takes longer than to run them.
_TO_CLAIM = (
    sa.select(floating_ips.c.id)
    .select_from(_located())
    .where(
        _WANTED,
        sa.or_(
            floating_ips.c.host.is_(None),
            floating_ips.c.host.in_(sa.bindparam("down", expanding=True)),
        ),
    )
    .limit(MAX_ADDRESSES)
)
_HELD_BY_OTHERS = (
    sa.select(floating_ips.c.host)
    .select_from(_located())
    .where(_WANTED, floating_ips.c.host != _OF_HOST)
    .distinct()
)
_TRANSLATED = (
    sa.select(
        floating_ips.c.address,
        floating_ips.c.interface,
        fixed_ips.c.address.label("fixed_ip"),
        fixed_ips.c.network_id,
        _WANTED_HOST.label("wanted_host"),
    )
    .select_from(
        floating_ips.outerjoin(fixed_ips, fixed_ips.c.id == floating_ips.c.fixed_ip_id)
        .outerjoin(networks, networks.c.id == fixed_ips.c.network_id)
        .outerjoin(instances, instances.c.uuid == fixed_ips.c.instance_uuid)
    )
    .where(floating_ips.c.host == _OF_HOST)
    .order_by(floating_ips.c.id)
    .limit(MAX_ADDRESSES)
)


def claim_for(tx: Transaction, host: str, down: Sequence[str], now: datetime.datetime) -> None:
    """Let a host translate what leads to its servers and what no other host translates.

    down: hosts that do not answer; they are not waited for.
    """
    found = [row[0] for row in tx.execute(_TO_CLAIM, {"of_host": host, "down": down})]
    for piece in bulk.chunks(found):
        statement = sa.update(floating_ips).where(
            floating_ips.c.id.in_(piece),
            sa.or_(floating_ips.c.host.is_(None), floating_ips.c.host.in_(down)),
        )
        tx.execute(statement.values(host=host, updated_at=now))


def held_by_others(tx: Transaction, host: str) -> set[str]:
    """Return hosts that still translate what a host shall translate."""
    return {row[0] for row in tx.execute(_HELD_BY_OTHERS, {"of_host": host})}


def of_host(tx: Transaction, host: str) -> list[tuple[int | None, HostFloatingIp]]:
    """Return what a host translates, with the network's row id, and what it must forget."""
    found: list[tuple[int | None, HostFloatingIp]] = []
    for row in tx.execute(_TRANSLATED, {"of_host": host}).mappings():
        stays = row["wanted_host"] == host
        one = HostFloatingIp(
            address=row["address"],
            fixed_ip=row["fixed_ip"] if stays else None,
            interface=row["interface"],
        )
        found.append((row["network_id"] if stays else None, one))
    return found


def settle(
    tx: Transaction, host: str, addresses: Sequence[str], now: datetime.datetime
) -> set[str]:
    """Note that a host has forgotten addresses; return the hosts that may go on with them."""
    going_on: set[str] = set()
    for piece in bulk.chunks(addresses):
        query = (
            sa.select(floating_ips.c.id, _WANTED_HOST)
            .select_from(_located())
            .where(floating_ips.c.address.in_(piece), floating_ips.c.host == host)
        )
        wanted = {row[0]: row[1] for row in tx.execute(query)}
        staying = [row_id for row_id, other in wanted.items() if other == host]
        statement = sa.update(floating_ips).where(
            floating_ips.c.address.in_(piece),
            floating_ips.c.host == host,
            floating_ips.c.id.not_in(staying),
        )
        tx.execute(statement.values(host=None, updated_at=now))
        going_on |= {other for other in wanted.values() if other not in (None, host)}
    return going_on


# --- Administration


def create(tx: Transaction, rows: Sequence[bulk.Row]) -> None:
    """Insert addresses.  Raises: FloatingIpExists."""
    for piece in bulk.chunks(rows):
        addresses = [row["address"] for row in piece]
        query = sa.select(floating_ips.c.address).where(floating_ips.c.address.in_(addresses))
        known = tx.execute(query.order_by(floating_ips.c.id).limit(1)).scalar()
        if known is not None:
            raise FloatingIpExists(address=known)
        with refused_as(FloatingIpExists(address=addresses[0])):
            bulk.insert(tx, floating_ips, piece)


def delete(tx: Transaction, addresses: Sequence[str]) -> tuple[int, str | None]:
    """Remove free addresses; return how many, and one that is not free, if any."""
    gone = 0
    for piece in bulk.chunks(addresses):
        same = floating_ips.c.address.in_(piece)
        gone += tx.execute(sa.delete(floating_ips).where(same, *_free(floating_ips))).rowcount
        left = tx.execute(sa.select(floating_ips.c.address).where(same).limit(1)).scalar()
        if left is not None:
            return gone, str(left)
    return gone, None
