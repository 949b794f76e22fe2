"""ip6tables rules of nova-network: what guests reach by IPv6.

Addresses are not translated.  Of the host itself guests reach neighbour discovery only; DNS
and metadata are served over IPv4.
"""

import ipaddress
from collections.abc import Sequence

from nova.network.bridges import bridge_name, card_of, has_ipv6
from nova.network.iptables import (
    RuleSet,
    Table,
    Tenant,
    drop_action,
    filter_table,
    forward_rules,
    isolation,
)
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork

NO_RULES_V6: RuleSet = (Table(name="filter"), Table(name="mangle"))
LINK_LOCAL = "fe80::/10"
# Router solicitation, neighbour solicitation and advertisement.  Source: RFC 4861.
_DISCOVERY = (133, 135, 136)


def wanted_rules_v6(networks: Sequence[HostNetwork], settings: NetworkSettings) -> RuleSet:
    """Return the IPv6 rules of a host, of which there are none without use_ipv6."""
    if not settings.use_ipv6:
        return NO_RULES_V6
    drop = drop_action(settings).replace("icmp-port", "icmp6-port")
    known = [(served, bridge) for served in networks if (bridge := bridge_name(served, settings))]
    accepts = [rule for _, bridge in known for rule in _input_accepts(bridge)]
    drops = [
        f"{match} {drop}"
        for served, bridge in known
        for match in _refused(served, bridge, settings)
    ]
    tenants = [
        Tenant(
            bridge,
            served.network.project_id,
            has_ipv6(served, settings) and served.network.gateway_v6 is not None,
        )
        for served, bridge in known
    ]
    # Guests of one bridge find each other by packets that must pass here.
    within = [f"-i {one} -o {one} -j ACCEPT" for _, one in known]
    forward = forward_rules(tenants, settings.forward_bridge_interface, drop)
    chains, hooks = isolation(tenants)
    return (
        filter_table(accepts + drops, [*within, *forward]),
        Table(name="mangle", chains=chains, hooks=hooks),
    )


def _input_accepts(bridge: str) -> list[str]:
    discovery = [
        f"-i {bridge} -p ipv6-icmp -m icmp6 --icmpv6-type {number} -j ACCEPT"
        for number in _DISCOVERY
    ]
    return [*discovery, f"-i {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]


def _refused(served: HostNetwork, bridge: str, settings: NetworkSettings) -> list[str]:
    """Return what guests may not send to the host; on a card only from their ranges."""
    if card_of(served, settings) is None:
        return [f"-i {bridge}"]
    ranges = [LINK_LOCAL]
    if served.network.cidr_v6:
        ranges.insert(0, str(ipaddress.IPv6Network(served.network.cidr_v6)))
    return [f"-s {one} -i {bridge}" for one in ranges]
