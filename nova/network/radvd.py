"""radvd of a bridge: tells guests their IPv6 range and router.

Source: nova-network.md section 8.4; radvd.conf(5).
"""

import dataclasses
import ipaddress
from collections.abc import Iterable

from nova.network.bridges import bridge_name, has_ipv6
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Advertiser:
    """The one radvd of a bridge, with the content of its file."""

    bridge: str
    user: str
    config: str


def wanted_advertisers(
    networks: Iterable[HostNetwork], settings: NetworkSettings
) -> tuple[Advertiser, ...]:
    """Return one radvd for each bridge with a network that has IPv6."""
    by_bridge: dict[str, list[HostNetwork]] = {}
    for served in networks:
        bridge = bridge_name(served, settings)
        if bridge and has_ipv6(served, settings):
            by_bridge.setdefault(bridge, []).append(served)
    return tuple(
        Advertiser(
            bridge=bridge,
            user=settings.radvd_user,
            config=render_config(bridge, by_bridge[bridge], settings),
        )
        for bridge in sorted(by_bridge)
    )


def render_config(bridge: str, networks: list[HostNetwork], settings: NetworkSettings) -> str:
    """Return the file of the radvd of a bridge."""
    mtu = next((one.network.mtu for one in networks if one.network.mtu), None)
    lines = [f"interface {bridge}", "{", "  AdvSendAdvert on;"]
    lines += ["  MinRtrAdvInterval 3;", "  MaxRtrAdvInterval 10;"]
    if mtu or settings.network_device_mtu:
        lines.append(f"  AdvLinkMTU {mtu or settings.network_device_mtu};")
    if all(one.network.gateway_v6 is None for one in networks):
        lines.append("  AdvDefaultLifetime 0;")
    ranges = dict.fromkeys(ipaddress.IPv6Network(one.network.cidr_v6 or "") for one in networks)
    for prefix in ranges:
        lines += [f"  prefix {prefix}", "  {", "    AdvOnLink on;", "    AdvAutonomous on;", "  };"]
    return "\n".join([*lines, "};", ""])
