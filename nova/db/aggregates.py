"""Aggregates, and the availability zones of hosts that follow from them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import aggregate_hosts, aggregate_metadata, aggregates, instances, services
from nova.objects.aggregate import ZONE_KEY, Aggregate

MAX_AGGREGATES = 10000
MAX_ROWS = 200000

_HOST = aggregate_hosts.c
_ITEM = aggregate_metadata.c
_ITEMS_OF_HOSTS = aggregate_hosts.join(aggregate_metadata, _ITEM.aggregate_id == _HOST.aggregate_id)


def list_all(tx: Transaction) -> list[Aggregate]:
    """Return all aggregates in order of their ids."""
    return _load(tx, [])


def find(tx: Transaction, aggregate_id: int) -> Aggregate | None:
    """Return an aggregate."""
    found = _load(tx, [aggregates.c.id == aggregate_id])
    return found[0] if found else None


def _load(tx: Transaction, conditions: Sequence[sa.ColumnElement[bool]]) -> list[Aggregate]:
    query = sa.select(aggregates).where(*conditions).order_by(aggregates.c.id)
    rows = tx.execute(query.limit(MAX_AGGREGATES)).mappings().all()
    ids = [row["id"] for row in rows]
    hosts: dict[int, list[str]] = {}
    items: dict[int, dict[str, str]] = {}
    for piece in bulk.chunks(ids, MAX_AGGREGATES):
        members = sa.select(_HOST.aggregate_id, _HOST.host).where(_HOST.aggregate_id.in_(piece))
        for aggregate_id, host in tx.execute(members.order_by(_HOST.host).limit(MAX_ROWS)):
            hosts.setdefault(aggregate_id, []).append(host)
        stored = sa.select(aggregate_metadata).where(_ITEM.aggregate_id.in_(piece))
        for aggregate_id, key, value in tx.execute(stored.order_by(_ITEM.key).limit(MAX_ROWS)):
            items.setdefault(aggregate_id, {})[key] = value
    return [
        Aggregate(**row, hosts=tuple(hosts.get(row["id"], ())), metadata=items.get(row["id"], {}))
        for row in rows
    ]


def exists_name(tx: Transaction, name: str) -> bool:
    """Tell whether an aggregate has a name."""
    return (
        tx.execute(sa.select(aggregates.c.id).where(aggregates.c.name == name)).first() is not None
    )


def create(tx: Transaction, row: bulk.Row) -> int:
    """Insert an aggregate; return its row id."""
    return bulk.insert_keyed(tx, aggregates, aggregates.c.name, [row])[row["name"]]


def update(tx: Transaction, aggregate_id: int, values: Mapping[str, Any]) -> bool:
    """Change an aggregate, and lock it until the end of the transaction; False: it is gone."""
    statement = sa.update(aggregates).where(aggregates.c.id == aggregate_id).values(**values)
    return tx.execute(statement).rowcount == 1


def delete(tx: Transaction, aggregate_id: int) -> None:
    """Remove an aggregate with its metadata."""
    tx.execute(sa.delete(aggregate_metadata).where(_ITEM.aggregate_id == aggregate_id))
    tx.execute(sa.delete(aggregates).where(aggregates.c.id == aggregate_id))


def add_host(tx: Transaction, aggregate_id: int, host: str) -> None:
    """Put a host into an aggregate."""
    bulk.insert(tx, aggregate_hosts, [{"aggregate_id": aggregate_id, "host": host}])


def remove_host(tx: Transaction, aggregate_id: int, host: str) -> None:
    """Take a host out of an aggregate."""
    tx.execute(
        sa.delete(aggregate_hosts).where(_HOST.aggregate_id == aggregate_id, _HOST.host == host)
    )


def set_metadata(tx: Transaction, aggregate_id: int, items: Mapping[str, str | None]) -> None:
    """Add or overwrite metadata; None removes an item."""
    if not items:
        return
    tx.execute(
        sa.delete(aggregate_metadata).where(
            _ITEM.aggregate_id == aggregate_id, _ITEM.key.in_(list(items))
        )
    )
    rows = [
        {"aggregate_id": aggregate_id, "key": key, "value": value}
        for key, value in items.items()
        if value is not None
    ]
    bulk.insert(tx, aggregate_metadata, rows)


def forget_host(tx: Transaction, host: str) -> None:
    """Take a host that is no more out of all aggregates."""
    tx.execute(sa.delete(aggregate_hosts).where(_HOST.host == host))


# --- What follows for hosts


def metadata_of_hosts(
    tx: Transaction, hosts: Sequence[str]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return for each host the values of each key over all its aggregates."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for piece in bulk.chunks(hosts):
        query = sa.select(_HOST.host, _ITEM.key, _ITEM.value).select_from(_ITEMS_OF_HOSTS)
        query = query.where(_HOST.host.in_(piece)).order_by(_HOST.aggregate_id)
        for host, key, value in tx.execute(query.limit(MAX_ROWS)):
            items = found.setdefault(host, {})
            if value not in items.get(key, ()):
                items[key] = (*items.get(key, ()), value)
    return found


def zones(
    tx: Transaction, hosts: Sequence[str] | None = None, without: int | None = None
) -> dict[str, str]:
    """Return the zone of each host that an aggregate puts into one.

    hosts None: of all.  without: an aggregate that is left out of account.
    """
    query = _zones().limit(MAX_ROWS)
    if hosts is not None:
        query = query.where(_HOST.host.in_(hosts))
    if without is not None:
        query = query.where(_HOST.aggregate_id != without)
    return {row[0]: row[1] for row in tx.execute(query)}


def _zones() -> sa.Select[Any]:
    query = sa.select(_HOST.host, _ITEM.value).select_from(_ITEMS_OF_HOSTS)
    return query.where(_ITEM.key == ZONE_KEY)


def find_zone(tx: Transaction, host: str) -> str | None:
    """Return the zone that an aggregate puts a host into."""
    return tx.execute(_zones().with_only_columns(_ITEM.value).where(_HOST.host == host)).scalar()


def zone_exists(tx: Transaction, zone: str, default_zone: str, binary: str) -> bool:
    """Tell whether a host of a zone has a service that is not disabled."""
    in_zone: sa.ColumnElement[bool] = services.c.host.in_(
        _zones().with_only_columns(_HOST.host).where(_ITEM.value == zone)
    )
    if zone == default_zone:
        in_zone = sa.or_(in_zone, services.c.host.not_in(_zones().with_only_columns(_HOST.host)))
    query = sa.select(services.c.id).where(
        services.c.binary == binary, services.c.disabled == sa.false(), in_zone
    )
    return tx.execute(query.limit(1)).first() is not None


def hosts_with_servers(tx: Transaction, hosts: Iterable[str]) -> set[str]:
    """Return which of the hosts have servers."""
    query = sa.select(instances.c.host).where(instances.c.host.in_(list(hosts))).distinct()
    return {host for (host,) in tx.execute(query)}
