"""Everything that a host needs for its networks, as one value."""

import dataclasses
from collections.abc import Iterable

from nova.netfilter import RuleSet
from nova.network.bridges import Bridge, wanted_bridges
from nova.network.dhcp import DhcpServer, wanted_servers
from nova.network.ebtables import NO_FRAME_RULES, wanted_frame_rules
from nova.network.floating import (
    NO_TRANSLATIONS,
    FloatingPlan,
    wanted_translations,
    with_translations,
)
from nova.network.ip6tables import NO_RULES_V6, wanted_rules_v6
from nova.network.iptables import NO_RULES, wanted_rules
from nova.network.radvd import Advertiser, wanted_advertisers
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """The wanted state of a host: rules, then bridges, then what serves on them.

    forwarding: the host routes for its guests, and holds the metadata address.
    """

    rules: RuleSet = NO_RULES
    rules_v6: RuleSet = NO_RULES_V6
    frame_rules: RuleSet = NO_FRAME_RULES
    bridges: tuple[Bridge, ...] = ()
    servers: tuple[DhcpServer, ...] = ()
    advertisers: tuple[Advertiser, ...] = ()
    forwarding: bool = False
    forwarding_v6: bool = False
    floating: FloatingPlan = NO_TRANSLATIONS


def make_plan(networks: Iterable[HostNetwork], settings: NetworkSettings) -> HostPlan:
    """Return what a host needs for the networks it serves."""
    served = tuple(sorted(networks, key=lambda one: one.network.id))
    floating = wanted_translations(served, settings)
    return HostPlan(
        rules=with_translations(wanted_rules(served, settings), floating),
        frame_rules=wanted_frame_rules(served, settings),
        bridges=wanted_bridges(served, settings),
        servers=wanted_servers(served, settings),
        rules_v6=wanted_rules_v6(served, settings),
        advertisers=wanted_advertisers(served, settings),
        forwarding=True,
        forwarding_v6=settings.use_ipv6,
        floating=floating,
    )
