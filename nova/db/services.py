"""Services: daemons that report."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import services
from nova.objects.service import Service

FIELDS = (
    "id",
    "uuid",
    "host",
    "binary",
    "topic",
    "report_count",
    "disabled",
    "disabled_reason",
    "forced_down",
    "last_seen_up",
    "version",
    "created_at",
    "updated_at",
)
MAX_SERVICES = 20000


def columns() -> list[sa.ColumnElement[Any]]:
    """Return the columns of a service, each labelled svc_<field>."""
    return [services.c[name].label(f"svc_{name}") for name in FIELDS]


# What every report of every daemon asks is built once: that takes longer than to run it.
_FIND = sa.select(*columns()).where(
    services.c.host == sa.bindparam("of_host"), services.c.binary == sa.bindparam("of_binary")
)
_HEARTBEAT = (
    sa.update(services)
    .where(
        services.c.host == sa.bindparam("of_host"), services.c.binary == sa.bindparam("of_binary")
    )
    .values(
        report_count=services.c.report_count + 1,
        last_seen_up=sa.bindparam("now"),
        updated_at=sa.bindparam("now"),
    )
)


def to_service(row: sa.RowMapping) -> Service:
    """Return the service of a row that was selected by columns(), not yet judged."""
    return Service(**{name: row[f"svc_{name}"] for name in FIELDS})


def heartbeat(tx: Transaction, host: str, binary: str, now: datetime.datetime) -> bool:
    """Note that a daemon reported; tell whether it is registered."""
    values = {"of_host": host, "of_binary": binary, "now": now}
    return tx.execute(_HEARTBEAT, values).rowcount == 1


def register(tx: Transaction, row: bulk.Row) -> None:
    """Insert a service unless another conductor just did."""
    bulk.insert_missing(tx, services, [row])


def list_all(tx: Transaction, host: str | None = None, binary: str | None = None) -> list[Service]:
    """Return services in order of their ids."""
    conditions = []
    if host is not None:
        conditions.append(services.c.host == host)
    if binary is not None:
        conditions.append(services.c.binary == binary)
    return _list(tx, conditions)


def find(tx: Transaction, host: str, binary: str) -> Service | None:
    """Return the service of a host."""
    row = tx.execute(_FIND, {"of_host": host, "of_binary": binary}).mappings().first()
    return None if row is None else to_service(row)


def find_by_id(tx: Transaction, service_id: str) -> Service | None:
    """Return a service by uuid or by row id."""
    condition = services.c.uuid == service_id
    if service_id.isascii() and service_id.isdigit() and len(service_id) < 10:
        condition = services.c.id == int(service_id)
    found = _list(tx, [condition])
    return found[0] if found else None


def _list(tx: Transaction, conditions: Sequence[sa.ColumnElement[bool]]) -> list[Service]:
    query = sa.select(*columns()).where(*conditions).order_by(services.c.id).limit(MAX_SERVICES)
    return [to_service(row) for row in tx.execute(query).mappings()]


def update(tx: Transaction, row_id: int, values: Mapping[str, Any]) -> bool:
    """Change a service; tell whether it is there."""
    return (
        tx.execute(sa.update(services).where(services.c.id == row_id).values(**values)).rowcount
        == 1
    )


def delete(tx: Transaction, row_id: int) -> bool:
    """Remove a service; tell whether it was there."""
    return tx.execute(sa.delete(services).where(services.c.id == row_id)).rowcount == 1
