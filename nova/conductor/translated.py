"""Which floating addresses a nova-network host translates, and how they follow servers.

An address belongs to the host of its server (multi_host) or of its network.  When that
changes, the former host forgets it first; the new one takes it when the former has said so,
or at once when the former is down.
"""

import datetime

from nova.conductor.network_hosts import live_hosts
from nova.conductor.settings import ConductorSettings
from nova.db import dns, floating_ips
from nova.db.engine import Transaction
from nova.exception import NoMoreFloatingIps
from nova.objects.dns import DnsDomain, DnsScope
from nova.objects.floating_ip import HostFloatingIp
from nova.objects.instance import Instance
from nova.objects.network import Vif


def of_host(
    tx: Transaction,
    settings: ConductorSettings,
    host: str,
    any_network: int | None,
    now: datetime.datetime,
) -> tuple[dict[int, list[HostFloatingIp]], set[str]]:
    """Return by network what a host translates, and the live hosts that it waits for.

    any_network is the one with which those come that the host must forget.
    """
    others = floating_ips.held_by_others(tx, host)
    live = others & live_hosts(tx, settings, now) if others else set()
    floating_ips.claim_for(tx, host, sorted(others - live), now)
    found: dict[int, list[HostFloatingIp]] = {}
    for network_id, one in floating_ips.of_host(tx, host):
        key = any_network if network_id is None else network_id
        if key is not None:
            found.setdefault(key, []).append(one)
    return found, live


def assign(
    tx: Transaction, settings: ConductorSettings, instance: Instance, now: datetime.datetime
) -> bool:
    """Give a server an address of the default pool that lives as long as it does.

    Tell whether it needed one.  Raises: NoMoreFloatingIps.
    """
    fixed = floating_ips.first_target(tx, instance.uuid)
    place = None if fixed is None else floating_ips.target(tx, instance.uuid, fixed)
    if place is None:
        return False
    pool = settings.default_floating_pool
    values = {
        "project_id": instance.project_id,
        "auto_assigned": True,
        "fixed_ip_id": place[0],
        "updated_at": now,
    }
    if floating_ips.take_any(tx, pool, values) is None:
        raise NoMoreFloatingIps(pool=pool)
    return True


def name(
    tx: Transaction,
    settings: ConductorSettings,
    instance: Instance,
    vifs: tuple[Vif, ...],
    now: datetime.datetime,
) -> None:
    """Enter a server's host name and uuid in the domain for servers, unless a name is taken.

    A private domain is for the servers of its zone.
    """
    domain = settings.instance_dns_domain.lower()
    address = next((vif.fixed_ip for vif in vifs if vif.fixed_ip), None)
    if not domain or address is None:
        return
    known = dns.find_domain(tx, domain)
    if known is None or _is_for(known, instance):
        dns.enter(tx, domain, (instance.hostname, instance.uuid), address, now)


def _is_for(domain: DnsDomain, instance: Instance) -> bool:
    zones = (None, instance.availability_zone)
    return domain.scope is DnsScope.PUBLIC or domain.availability_zone in zones
