"""Compute nodes: what they have, and what is claimed on them.

Each change gives a row a generation above its last one and not below the time in
microseconds.  A reader that asks again from a little before its last look therefore misses
nothing, and sees by the row's own generation whether it knows it already.
"""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk, search, services
from nova.db.engine import Transaction
from nova.db.tables import compute_nodes, removed_hosts
from nova.db.tables import services as service_rows
from nova.objects.numa import HostNuma
from nova.objects.service import ComputeNode, NodeResources, Service

FIELDS = tuple(field.name for field in dataclasses.fields(ComputeNode))
REPORTED = tuple(
    field.name
    for field in dataclasses.fields(NodeResources)
    if field.name in FIELDS and not field.name.endswith("_ratio") and field.name != "numa_topology"
)
MAX_NODES = 20000

_EPOCH = datetime.datetime(1970, 1, 1)
_JOIN = compute_nodes.join(
    service_rows,
    sa.and_(service_rows.c.host == compute_nodes.c.host, service_rows.c.binary == "nova-compute"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a server takes of a host.  limited False takes it even if it is not there.

    servers: 0 for what a server takes in addition, while it is being resized.
    limits: capacities in vcpu, memory_mb and disk_gb that hold instead of the node's own.
    """

    vcpus: int
    memory_mb: int
    disk_gb: int
    limited: bool = True
    servers: int = 1
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)


def generation_of(moment: datetime.datetime) -> int:
    """Return the time in microseconds since 1970, below which no new generation lies."""
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)


def _next_generation(stamp: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.case(
        (compute_nodes.c.generation >= stamp, compute_nodes.c.generation + 1), else_=stamp
    )


def _stamp(now: datetime.datetime) -> sa.ColumnElement[int]:
    return sa.literal(generation_of(now), sa.BigInteger())


def _columns() -> list[sa.ColumnElement[Any]]:
    return [compute_nodes.c[name] for name in FIELDS]


# What every report of a host asks is built once: that takes longer than to run it.
_FIND = sa.select(*_columns()).where(
    compute_nodes.c.host == sa.bindparam("of_host"),
    compute_nodes.c.hypervisor_hostname == sa.bindparam("of_name"),
)
_UPDATE = (
    sa.update(compute_nodes)
    .where(compute_nodes.c.id == sa.bindparam("of_id"))
    .values(generation=_next_generation(sa.bindparam("stamp", type_=sa.BigInteger())))
)


def _to_node(row: sa.RowMapping) -> ComputeNode:
    values: dict[str, Any] = {name: row[name] for name in FIELDS}
    values["supported_instances"] = values["supported_instances"] or ()
    values["traits"] = values["traits"] or ()
    values["cpu_info"] = values["cpu_info"] or ""
    return ComputeNode(**values)


def find(tx: Transaction, host: str, hypervisor_hostname: str) -> ComputeNode | None:
    """Return a node."""
    wanted = {"of_host": host, "of_name": hypervisor_hostname}
    row = tx.execute(_FIND, wanted).mappings().first()
    return None if row is None else _to_node(row)


def exists(tx: Transaction, host: str | None, hypervisor_hostname: str | None) -> bool:
    """Tell whether there is a node of a host, of a name, or both."""
    wanted = {"host": host, "hypervisor_hostname": hypervisor_hostname}
    query = sa.select(compute_nodes.c.id).where(
        *(compute_nodes.c[name] == value for name, value in wanted.items() if value is not None)
    )
    return tx.execute(query.limit(1)).first() is not None


def register(tx: Transaction, values: bulk.Row, now: datetime.datetime) -> None:
    """Insert a node unless another conductor just did."""
    row = {**values, "generation": generation_of(now), "created_at": now, "updated_at": now}
    bulk.insert_missing(tx, compute_nodes, [row])


def update(tx: Transaction, row_id: int, values: Mapping[str, Any], now: datetime.datetime) -> None:
    """Change a node."""
    place = {"of_id": row_id, "stamp": generation_of(now)}
    tx.execute(_UPDATE, {**values, "updated_at": now, **place})


def set_numa(
    tx: Transaction, node: ComputeNode, topology: HostNuma | None, now: datetime.datetime
) -> bool:
    """Save the cells of a node that was read before; False if it has changed since."""
    statement = (
        sa.update(compute_nodes)
        .where(compute_nodes.c.id == node.id, compute_nodes.c.generation == node.generation)
        .values(numa_topology=topology, generation=_next_generation(_stamp(now)))
    )
    return tx.execute(statement).rowcount == 1


def touch(tx: Transaction, hosts: Sequence[str], now: datetime.datetime) -> None:
    """Give the nodes of hosts a new generation, because their service or aggregate changed."""
    for piece in bulk.chunks(hosts):
        tx.execute(
            sa.update(compute_nodes)
            .where(compute_nodes.c.host.in_(piece))
            .values(generation=_next_generation(_stamp(now)))
        )


def take(tx: Transaction, host: str, node: str, claim: Claim, now: datetime.datetime) -> bool:
    """Claim resources of a node if they are there; tell whether they were."""
    column = compute_nodes.c
    conditions = [column.host == host, column.hypervisor_hostname == node]
    if claim.limited:
        conditions += [
            column.vcpus_used + claim.vcpus
            <= _capacity(claim, "vcpu", column.vcpus - column.reserved_vcpus, "cpu"),
            column.memory_mb_used + claim.memory_mb
            <= _capacity(claim, "memory_mb", column.memory_mb - column.reserved_memory_mb, "ram"),
            column.local_gb_used + claim.disk_gb
            <= _capacity(claim, "disk_gb", column.local_gb - column.reserved_disk_gb, "disk"),
        ]
    statement = (
        sa.update(compute_nodes)
        .where(*conditions)
        .values(
            vcpus_used=column.vcpus_used + claim.vcpus,
            memory_mb_used=column.memory_mb_used + claim.memory_mb,
            local_gb_used=column.local_gb_used + claim.disk_gb,
            running_vms=column.running_vms + claim.servers,
            num_io_ops=column.num_io_ops + 1,
            generation=_next_generation(_stamp(now)),
            updated_at=now,
        )
    )
    return tx.execute(statement).rowcount == 1


def _capacity(
    claim: Claim, resource: str, usable: sa.ColumnElement[Any], ratio: str
) -> sa.ColumnElement[Any]:
    """Return how much servers may have of a resource in all."""
    limit = claim.limits.get(resource)
    if limit is not None:
        return sa.literal(limit, sa.Float())
    return usable * compute_nodes.c[f"{ratio}_allocation_ratio"]


def give_back(
    tx: Transaction, host: str, node: str, claim: Claim, now: datetime.datetime, failed: bool
) -> None:
    """Return claimed resources; failed counts a failed build."""
    column = compute_nodes.c
    tx.execute(
        sa.update(compute_nodes)
        .where(column.host == host, column.hypervisor_hostname == node)
        .values(
            vcpus_used=_less(column.vcpus_used, claim.vcpus),
            memory_mb_used=_less(column.memory_mb_used, claim.memory_mb),
            local_gb_used=_less(column.local_gb_used, claim.disk_gb),
            running_vms=_less(column.running_vms, claim.servers),
            failed_builds=column.failed_builds + (1 if failed else 0),
            generation=_next_generation(_stamp(now)),
            updated_at=now,
        )
    )


def _less(column: sa.ColumnElement[int], amount: int) -> sa.ColumnElement[int]:
    return sa.case((column > amount, column - amount), else_=0)


def list_changed(
    tx: Transaction, generation: int, silent_before: datetime.datetime
) -> list[tuple[ComputeNode, Service]]:
    """Return nodes changed after a generation, and all whose service went silent.

    Going silent changes no row, so that silent hosts are always part of the answer.
    """
    condition = sa.or_(
        compute_nodes.c.generation > generation,
        service_rows.c.last_seen_up < silent_before,
        service_rows.c.last_seen_up.is_(None),
    )
    return _pairs(tx, [condition] if generation else [], MAX_NODES)


def page(
    tx: Transaction,
    limit: int,
    after: int | None = None,
    hostname_pattern: str | None = None,
) -> list[tuple[ComputeNode, Service]]:
    """Return one page of nodes in order of their ids, after a row id."""
    conditions: list[sa.ColumnElement[bool]] = []
    if after is not None:
        conditions.append(compute_nodes.c.id > after)
    if hostname_pattern is not None:
        conditions.append(search.matches(compute_nodes.c.hypervisor_hostname, hostname_pattern))
    return _pairs(tx, conditions, limit)


def find_by_id(tx: Transaction, hypervisor_id: str) -> tuple[ComputeNode, Service] | None:
    """Return a node by uuid or by row id."""
    condition = compute_nodes.c.uuid == hypervisor_id
    if hypervisor_id.isascii() and hypervisor_id.isdigit() and len(hypervisor_id) < 10:
        condition = compute_nodes.c.id == int(hypervisor_id)
    found = _pairs(tx, [condition], 1)
    return found[0] if found else None


def _pairs(
    tx: Transaction, conditions: Sequence[sa.ColumnElement[bool]], limit: int
) -> list[tuple[ComputeNode, Service]]:
    query = (
        sa.select(*_columns(), *services.columns())
        .select_from(_JOIN)
        .where(*conditions)
        .order_by(compute_nodes.c.id)
        .limit(limit)
    )
    return [(_to_node(row), services.to_service(row)) for row in tx.execute(query).mappings()]


def delete_of_host(tx: Transaction, host: str, now: datetime.datetime) -> None:
    """Remove the nodes of a host, and remember for readers that it is gone."""
    tx.execute(sa.delete(compute_nodes).where(compute_nodes.c.host == host))
    tx.execute(sa.delete(removed_hosts).where(removed_hosts.c.host == host))
    bulk.insert(tx, removed_hosts, [{"host": host, "generation": generation_of(now)}])


def list_removed(tx: Transaction, generation: int) -> list[str]:
    """Return hosts that were removed after a generation and did not come back."""
    back = sa.select(compute_nodes.c.host)
    query = (
        sa.select(removed_hosts.c.host)
        .where(removed_hosts.c.generation > generation, removed_hosts.c.host.not_in(back))
        .limit(MAX_NODES)
    )
    return [row[0] for row in tx.execute(query)]
