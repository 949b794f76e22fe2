"""Domains and the names in them."""

import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import (
    dns_domains,
    dns_entries,
    fixed_ips,
    floating_ips,
    instances,
    virtual_interfaces,
)
from nova.objects.dns import DnsDomain, DnsEntry, DnsScope
from nova.objects.instance import Scope
from nova.objects.network import DnsName

MAX_DOMAINS = 1000
MAX_ENTRIES = 100000


def list_domains(tx: Transaction, scope: Scope) -> list[DnsDomain]:
    """Return the domains that projects in scope may use."""
    query = sa.select(dns_domains).order_by(dns_domains.c.domain).limit(MAX_DOMAINS)
    if scope.project_id is not None:
        mine = (dns_domains.c.project_id.is_(None), dns_domains.c.project_id == scope.project_id)
        query = query.where(sa.or_(*mine))
    return [_to_domain(row) for row in tx.execute(query).mappings()]


def find_domain(tx: Transaction, domain: str) -> DnsDomain | None:
    """Return a domain."""
    query = sa.select(dns_domains).where(dns_domains.c.domain == domain)
    row = tx.execute(query).mappings().first()
    return None if row is None else _to_domain(row)


def _to_domain(row: sa.RowMapping) -> DnsDomain:
    return DnsDomain(
        domain=row["domain"],
        scope=DnsScope(row["scope"]),
        project_id=row["project_id"],
        availability_zone=row["availability_zone"],
    )


def save_domain(tx: Transaction, scope: Scope, domain: DnsDomain, now: datetime.datetime) -> bool:
    """Insert a domain, or replace it if it belongs to a project in scope; tell whether it does."""
    values = {
        "scope": domain.scope.value,
        "project_id": domain.project_id,
        "availability_zone": domain.availability_zone,
        "updated_at": now,
    }
    bulk.insert_missing(tx, dns_domains, [{"domain": domain.domain, "created_at": now, **values}])
    replaced = [dns_domains.c.domain == domain.domain]
    if scope.project_id is not None:
        replaced.append(dns_domains.c.project_id == scope.project_id)
    return tx.execute(sa.update(dns_domains).where(*replaced).values(**values)).rowcount == 1


def delete_domain(tx: Transaction, domain: str) -> None:
    """Remove a domain with its names."""
    tx.execute(sa.delete(dns_entries).where(dns_entries.c.domain == domain))
    tx.execute(sa.delete(dns_domains).where(dns_domains.c.domain == domain))


def list_entries(
    tx: Transaction, domain: str, name: str | None, address: str | None
) -> list[DnsEntry]:
    """Return names of a domain, of a name or an address."""
    columns = dns_entries.c
    query = sa.select(columns.domain, columns.name, columns.address, columns.kind)
    query = query.where(columns.domain == domain)
    if name is not None:
        query = query.where(columns.name == name)
    if address is not None:
        query = query.where(columns.address == address)
    rows = tx.execute(query.order_by(columns.name).limit(MAX_ENTRIES)).mappings()
    return [DnsEntry(**row) for row in rows]


def save_entry(tx: Transaction, entry: DnsEntry, now: datetime.datetime) -> None:
    """Insert or replace a name."""
    values = {"address": entry.address, "kind": entry.kind, "updated_at": now}
    key = {"domain": entry.domain, "name": entry.name}
    bulk.insert_missing(tx, dns_entries, [{**key, "created_at": now, **values}])
    columns = dns_entries.c
    same = (columns.domain == entry.domain, columns.name == entry.name)
    tx.execute(sa.update(dns_entries).where(*same).values(**values))


def delete_entry(tx: Transaction, domain: str, name: str) -> bool:
    """Remove a name; tell whether there was one."""
    columns = dns_entries.c
    statement = sa.delete(dns_entries).where(columns.domain == domain, columns.name == name)
    return tx.execute(statement).rowcount == 1


def forget_address(tx: Transaction, address: str) -> None:
    """Remove all names of an address."""
    tx.execute(sa.delete(dns_entries).where(dns_entries.c.address == address))


def enter(
    tx: Transaction, domain: str, names: Sequence[str], address: str, now: datetime.datetime
) -> None:
    """Enter names of an address, but for those that are taken."""
    rows = [
        {"domain": domain, "name": name, "address": address, "kind": "A", "created_at": now}
        for name in dict.fromkeys(name.lower() for name in names)
    ]
    bulk.insert_missing(tx, dns_entries, rows)


def forget_server(tx: Transaction, instance_uuid: str) -> None:
    """Remove what enter() entered for a server, by the name that is its uuid."""
    columns = dns_entries.c
    query = sa.select(columns.domain, columns.address).where(columns.name == instance_uuid)
    for domain, address in tx.execute(query.limit(MAX_DOMAINS)).all():
        tx.execute(
            sa.delete(dns_entries).where(columns.domain == domain, columns.address == address)
        )


def rename_server(
    tx: Transaction, instance_uuid: str, old: str, new: str, now: datetime.datetime
) -> None:
    """Let the entry of a server's host name follow it, unless the new name is taken."""
    columns = dns_entries.c
    query = sa.select(columns.domain, columns.address).where(columns.name == instance_uuid)
    for domain, address in tx.execute(query.limit(MAX_DOMAINS)).all():
        same = (columns.domain == domain, columns.address == address, columns.name == old.lower())
        tx.execute(sa.delete(dns_entries).where(*same))
        enter(tx, domain, (new,), address, now)


def names_in(tx: Transaction, network_ids: Sequence[int]) -> dict[int, list[DnsName]]:
    """Return by network the full names of addresses that lie in it or float into it."""
    found: dict[int, list[DnsName]] = {}
    for piece in bulk.chunks(network_ids):
        for network_id, name, domain, address in tx.execute(_NAMES_IN, {"of": piece}):
            one = DnsName(name=f"{name}.{domain}".lower(), address=address)
            found.setdefault(network_id, []).append(one)
    return {network_id: sorted(names, key=_order) for network_id, names in found.items()}


def _order(one: DnsName) -> tuple[str, str]:
    return one.name, one.address


def _names_in(network_ids: sa.BindParameter[Any]) -> sa.CompoundSelect[Any]:
    entry, fixed, vif = dns_entries.c, fixed_ips.c, virtual_interfaces.c
    values = (entry.name, entry.domain, entry.address)
    lying = (
        sa.select(fixed.network_id, *values)
        .join_from(dns_entries, fixed_ips, fixed.address == entry.address)
        .where(fixed.network_id.in_(network_ids))
    )
    floating = (
        sa.select(fixed.network_id, *values)
        .join_from(dns_entries, floating_ips, floating_ips.c.address == entry.address)
        .join(fixed_ips, fixed.id == floating_ips.c.fixed_ip_id)
        .where(fixed.network_id.in_(network_ids))
    )
    v6 = (
        sa.select(vif.network_id, *values)
        .join_from(dns_entries, virtual_interfaces, vif.fixed_ip_v6 == entry.address)
        .where(vif.network_id.in_(network_ids))
    )
    return sa.union(lying, floating, v6).limit(MAX_ENTRIES)


# Network hosts ask this all the time: it is built once, which takes longer than to run it.
_NAMES_IN = _names_in(sa.bindparam("of", expanding=True))


def is_address_of(tx: Transaction, project_id: str, address: str) -> bool:
    """Tell whether a project has a floating address, or a server of it a fixed one."""
    floating = sa.exists().where(
        floating_ips.c.address == address, floating_ips.c.project_id == project_id
    )
    fixed = sa.exists().where(
        fixed_ips.c.address == address,
        fixed_ips.c.allocated.is_(True),
        fixed_ips.c.instance_uuid == instances.c.uuid,
        instances.c.project_id == project_id,
    )
    return bool(tx.execute(sa.select(sa.or_(floating, fixed))).scalar())
