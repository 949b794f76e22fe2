"""What this nova-network host has for some networks and addresses, for show-path."""

import dataclasses
import re
from collections.abc import Iterable, Sequence

from nova.network.bridges import bridge_name
from nova.network.host import NetworkHost
from nova.network.iptables import METADATA_ADDRESS
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork
from nova.objects.path import Chain, DhcpService, NetworkPath
from nova.objects.path_reading import relevant_links, with_rules

_JUMP = re.compile(r"-j nova-\S+")
_SEPARATORS = re.compile(r"[\s,/:]+")


def describe(
    host: NetworkHost,
    served: Sequence[HostNetwork],
    addresses: Sequence[str],
    settings: NetworkSettings,
) -> NetworkPath:
    """Return what the host has for the given networks, all of which it serves."""
    bridges = {name for one in served if (name := bridge_name(one, settings))}
    devices = bridges | ({settings.public_interface} if settings.public_interface else set())
    ranges = [one.network.cidr for one in served if one.network.cidr]
    links = relevant_links(host.read_devices(), devices, (*addresses, METADATA_ADDRESS))
    return NetworkPath(
        host=settings.host,
        served=tuple(one.network.id for one in served),
        links=links,
        chains=relevant_chains(host.read_chains(), {*bridges, *addresses, *ranges}),
        services=tuple(_service(host, name, set(addresses)) for name in sorted(bridges)),
    )


def _service(host: NetworkHost, bridge: str, addresses: set[str]) -> DhcpService:
    """Return the DHCP server of a bridge with the lines of some addresses only."""
    found = host.read_dhcp(bridge)
    entries = (line for line in found.entries if not addresses.isdisjoint(line.split(",")))
    return dataclasses.replace(found, entries=tuple(entries))


def relevant_chains(chains: Iterable[Chain], wanted: set[str]) -> tuple[Chain, ...]:
    """Return built-in chains and ours, with jumps to ours and rules that name what is wanted."""
    found = {*wanted, METADATA_ADDRESS}
    ours = (one for one in chains if one.policy is not None or one.name.startswith("nova-"))
    kept = with_rules(ours, lambda chain, rule: _concerns(rule, found))
    return tuple(one for one in kept if one.rules or one.policy is not None)


def _concerns(rule: str, wanted: set[str]) -> bool:
    if _JUMP.fullmatch(rule):
        return True
    return not wanted.isdisjoint(rule.split()) or not wanted.isdisjoint(_SEPARATORS.split(rule))
