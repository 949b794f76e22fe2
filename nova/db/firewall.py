"""What compute hosts must let through, and which hosts a change concerns."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import bulk, security_groups, vifs
from nova.db.engine import Transaction, note_hosts
from nova.db.tables import (
    fixed_ips,
    instances,
    security_group_instances,
    security_group_rules,
    services,
    virtual_interfaces,
)
from nova.objects.firewall import GroupFirewall, GroupMembers, GuestFirewall, HostFirewall

MAX_ADDRESSES = 1000000

_MEMBER = security_group_instances.c
_RULE = security_group_rules.c
_VIF = virtual_interfaces.c
_FIXED = fixed_ips.c


def of_host(tx: Transaction, host: str) -> HostFirewall:
    """Return what the rules of a host are computed from.

    The number of statements grows with the number of groups by pieces of hundreds only.
    """
    guests = _guests(tx, host)
    group_ids = sorted({group_id for guest in guests for group_id in guest.group_ids})
    rules = [
        rule for piece in bulk.chunks(group_ids) for rule in security_groups.rules_of(tx, piece)
    ]
    sources = sorted({rule.group_id for rule in rules if rule.group_id is not None})
    return HostFirewall(
        guests=tuple(guests),
        groups=tuple(
            GroupFirewall(
                group_id=group_id,
                rules=tuple(rule for rule in rules if rule.parent_group_id == group_id),
            )
            for group_id in group_ids
        ),
        members=tuple(_members(tx, sources)),
        provider_rules=tuple(security_groups.list_provider_rules(tx)),
    )


def _guests(tx: Transaction, host: str) -> list[GuestFirewall]:
    found = vifs.by_server(tx, instances.c.host == host)
    query = (
        sa.select(instances.c.id, instances.c.uuid, _MEMBER.security_group_id)
        .outerjoin_from(
            instances, security_group_instances, _MEMBER.instance_uuid == instances.c.uuid
        )
        .where(instances.c.host == host)
    )
    row_ids: dict[str, int] = {}
    groups: dict[str, list[int]] = {}
    for row_id, uuid, group_id in tx.execute(query):
        row_ids[uuid] = row_id
        if group_id is not None:
            groups.setdefault(uuid, []).append(group_id)
    return [
        GuestFirewall(
            instance_id=row_ids[uuid],
            instance_uuid=uuid,
            vifs=tuple(found[uuid]),
            group_ids=tuple(sorted(groups.get(uuid, ()))),
        )
        for uuid in sorted(row_ids, key=row_ids.__getitem__)
        if uuid in found
    ]


def _members(tx: Transaction, group_ids: Sequence[int]) -> Iterable[GroupMembers]:
    """Return the addresses of all servers in groups, each group's in order."""
    found: dict[int, set[str]] = {group_id: set() for group_id in group_ids}
    for piece in bulk.chunks(group_ids):
        for row in tx.execute(_addresses_of(piece)):
            found[row[0]].add(row[1])
    return [
        GroupMembers(group_id=group_id, addresses=tuple(sorted(addresses)))
        for group_id, addresses in found.items()
    ]


def _addresses_of(group_ids: Sequence[int]) -> sa.CompoundSelect[Any]:
    chosen = _MEMBER.security_group_id.in_(group_ids)
    group, server = _MEMBER.security_group_id, _MEMBER.instance_uuid
    ipv4 = (
        sa.select(group, _FIXED.address)
        .join_from(security_group_instances, fixed_ips, _FIXED.instance_uuid == server)
        .where(chosen, _FIXED.allocated.is_(True))
    )
    ipv6 = (
        sa.select(group, _VIF.fixed_ip_v6)
        .join_from(security_group_instances, virtual_interfaces, _VIF.instance_uuid == server)
        .where(chosen, _VIF.fixed_ip_v6.is_not(None))
    )
    return sa.union_all(ipv4, ipv6).limit(MAX_ADDRESSES)


# --- Which hosts a change concerns: noted in its transaction, told after its commit


def note_server(tx: Transaction, instance_uuid: str) -> None:
    """Note that a server goes, or gets or loses an address or a group.

    It concerns the server's own host, and the hosts of those whose rules name a group of the
    server as source.
    """
    own = sa.select(instances.c.host).where(instances.c.uuid == instance_uuid)
    _note(tx, own.union(_readers_of_groups_of(instance_uuid)))


def note_arrival(tx: Transaction, instance_uuid: str, host: str) -> None:
    """Note that a server gets interfaces on a host, which pulls its rules before it plugs them."""
    _note(tx, _readers_of_groups_of(instance_uuid).where(instances.c.host != host))


def note_end(tx: Transaction, group_id: int) -> None:
    """Note that a group ends: it concerns the hosts of those whose rules name it as source."""
    _note(tx, _readers(_RULE.group_id == group_id))


def _readers_of_groups_of(instance_uuid: str) -> sa.Select[Any]:
    groups = sa.select(_MEMBER.security_group_id).where(_MEMBER.instance_uuid == instance_uuid)
    return _readers(_RULE.group_id.in_(groups))


def _readers(named: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the hosts of the servers whose groups have rules that name some group."""
    return (
        sa.select(instances.c.host)
        .distinct()
        .join_from(
            security_group_rules,
            security_group_instances,
            _MEMBER.security_group_id == _RULE.parent_group_id,
        )
        .join(instances, instances.c.uuid == _MEMBER.instance_uuid)
        .where(named)
    )


def note_group(tx: Transaction, group_id: int) -> None:
    """Note that a group has other rules: it concerns the hosts of its servers."""
    _note(
        tx,
        sa.select(instances.c.host)
        .distinct()
        .join_from(security_group_instances, instances, instances.c.uuid == _MEMBER.instance_uuid)
        .where(_MEMBER.security_group_id == group_id),
    )


def note_all(tx: Transaction) -> None:
    """Note what concerns every compute host."""
    _note(tx, sa.select(services.c.host).where(services.c.binary == "nova-compute"))


def _note(tx: Transaction, query: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
    note_hosts(tx, [row[0] for row in tx.execute(query) if row[0] is not None])
