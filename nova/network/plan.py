"""Everything that a host needs for its networks, as one value."""

import dataclasses
from collections.abc import Iterable

from nova.netfilter import RuleSet
from nova.network.bridges import Bridge, wanted_bridges
from nova.network.dhcp import DhcpServer, wanted_servers
from nova.network.ebtables import NO_FRAME_RULES, wanted_frame_rules
from nova.network.iptables import wanted_rules
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """The wanted state of a host: rules, then bridges, then DHCP servers."""

    rules: RuleSet
    frame_rules: RuleSet = NO_FRAME_RULES
    bridges: tuple[Bridge, ...] = ()
    servers: tuple[DhcpServer, ...] = ()


def make_plan(networks: Iterable[HostNetwork], settings: NetworkSettings) -> HostPlan:
    """Return what a host needs for the networks it serves."""
    served = tuple(sorted(networks, key=lambda one: one.network.id))
    return HostPlan(
        rules=wanted_rules(served, settings),
        frame_rules=wanted_frame_rules(served, settings),
        bridges=wanted_bridges(served, settings),
        servers=wanted_servers(served, settings),
    )
