"""Frame rules of a host.

Where a gateway has the same address on every host, each host answers for that address to its
own guests only, so nothing of it may pass the card that joins the hosts.  Where guests have a
router beside the host as gateway, frames for it that the host translates are taken off the
bridge.  Source: nova-network.md sections 5.4, 5.5 and 9.1.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from nova.netfilter import Hook, RuleSet, Table
from nova.network.bridges import card_of, vlan_device, vlan_of
from nova.network.iptables import PREFIX
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork

_NO_FILTER, _NO_NAT = Table(name="filter"), Table(name="nat")
NO_FRAME_RULES: RuleSet = (_NO_FILTER, _NO_NAT)
_DHCP = "--ip-proto udp --ip-dport 67:68"


def wanted_frame_rules(networks: Iterable[HostNetwork], settings: NetworkSettings) -> RuleSet:
    """Return the frame rules of a host; without shared addresses and other routers none."""
    served = tuple(networks)
    return (_shared_addresses(served, settings), _redirections(served, settings))


def _redirections(networks: Iterable[HostNetwork], settings: NetworkSettings) -> Table:
    """Take off the bridge what the host gives another source on its way to another router.

    Each rule names the guests by their address alone: not every kernel knows the bridge here.
    """
    rules = tuple(
        f"-p IPv4 {match} -j redirect"
        for served in networks
        if served.network.cidr and served.gateway not in (None, served.dhcp_server)
        for match in _translated(served, served.network.cidr, settings)
    )
    if not rules:
        return _NO_NAT
    name = f"{PREFIX}PREROUTING"
    hook = Hook(chain="PREROUTING", rule=f"-j {name}")
    return Table(name="nat", chains={name: rules}, hooks=(hook,))


def _translated(served: HostNetwork, cidr: str, settings: NetworkSettings) -> Iterator[str]:
    if settings.routing_source_ip is not None:
        for one in settings.force_snat_range:
            target = ipaddress.ip_network(one)
            yield f"--ip-src {cidr}" + (f" --ip-dst {target}" if target.prefixlen else "")
    for floating in served.floating_ips:
        if floating.fixed_ip:
            yield f"--ip-src {floating.fixed_ip} --ip-dst ! {cidr}"


def _shared_addresses(networks: Iterable[HostNetwork], settings: NetworkSettings) -> Table:
    shared = [
        (card, served.dhcp_server)
        for served in networks
        if served.network.share_address and served.dhcp_server
        if (card := _card(served, settings))
    ]
    if not shared:
        return _NO_FILTER
    cards = dict.fromkeys(card for card, _ in shared)
    chains = {
        "INPUT": [f"-p ARP -i {card} --arp-ip-dst {address} -j DROP" for card, address in shared],
        "OUTPUT": [f"-p ARP -o {card} --arp-ip-src {address} -j DROP" for card, address in shared],
        "FORWARD": [
            f"-p IPv4 {side} {card} {_DHCP} -j DROP" for card in cards for side in ("-i", "-o")
        ],
    }
    return Table(
        name="filter",
        chains={PREFIX + name: tuple(rules) for name, rules in chains.items()},
        hooks=tuple(Hook(chain=name, rule=f"-j {PREFIX}{name}") for name in chains),
    )


def _card(served: HostNetwork, settings: NetworkSettings) -> str | None:
    """Return the port that joins the bridge of a network with those of other hosts."""
    vlan = vlan_of(served, settings)
    return vlan_device(vlan.id) if vlan else card_of(served, settings)
