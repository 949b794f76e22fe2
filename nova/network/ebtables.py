"""Frame rules for networks whose gateway has the same address on every host.

Each host answers for that address to its own guests only, so nothing of it may pass the
card that joins the hosts.  Source: nova-network.md section 9.1.
"""

from collections.abc import Iterable

from nova.netfilter import Hook, RuleSet, Table
from nova.network.bridges import card_of, vlan_device, vlan_of
from nova.network.iptables import PREFIX
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork

NO_FRAME_RULES: RuleSet = (Table(name="filter"),)
_DHCP = "--ip-proto udp --ip-dport 67:68"


def wanted_frame_rules(networks: Iterable[HostNetwork], settings: NetworkSettings) -> RuleSet:
    """Return the frame rules of a host; without shared addresses there are none."""
    shared = [
        (card, served.dhcp_server)
        for served in networks
        if served.network.share_address and served.dhcp_server
        if (card := _card(served, settings))
    ]
    if not shared:
        return NO_FRAME_RULES
    cards = dict.fromkeys(card for card, _ in shared)
    chains = {
        "INPUT": [f"-p ARP -i {card} --arp-ip-dst {address} -j DROP" for card, address in shared],
        "OUTPUT": [f"-p ARP -o {card} --arp-ip-src {address} -j DROP" for card, address in shared],
        "FORWARD": [
            f"-p IPv4 {side} {card} {_DHCP} -j DROP" for card in cards for side in ("-i", "-o")
        ],
    }
    return (
        Table(
            name="filter",
            chains={PREFIX + name: tuple(rules) for name, rules in chains.items()},
            hooks=tuple(Hook(chain=name, rule=f"-j {PREFIX}{name}") for name in chains),
        ),
    )


def _card(served: HostNetwork, settings: NetworkSettings) -> str | None:
    """Return the port that joins the bridge of a network with those of other hosts."""
    vlan = vlan_of(served, settings)
    return vlan_device(vlan.id) if vlan else card_of(served, settings)
