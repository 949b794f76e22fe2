"""The bridges that a host needs for its networks, as values."""

import dataclasses
import ipaddress
from collections.abc import Iterable

from nova.network.names import is_device_name
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Vlan:
    """A VLAN on a network card."""

    id: int
    interface: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A bridge with the addresses that come first on it, as address/prefix length.

    Its port is the card interface, or the VLAN.  addresses_v6 None: the host has no IPv6 on it.
    """

    name: str
    interface: str | None = None
    addresses: tuple[str, ...] = ()
    mtu: int | None = None
    vlan: Vlan | None = None
    addresses_v6: tuple[str, ...] | None = None


def bridge_name(network: HostNetwork, settings: NetworkSettings) -> str | None:
    """Return the bridge of a network; None when neither network nor option names a usable one."""
    name = network.network.bridge or _default_bridge(network, settings)
    return name if name and is_device_name(name) else None


def _default_bridge(served: HostNetwork, settings: NetworkSettings) -> str | None:
    if settings.use_vlans:
        return f"br{served.network.vlan}" if served.network.vlan else None
    return settings.flat_network_bridge


def vlan_device(vlan_id: int) -> str:
    """Return the name of the device of a VLAN."""
    return f"vlan{vlan_id}"


def vlan_of(served: HostNetwork, settings: NetworkSettings) -> Vlan | None:
    """Return the VLAN of a network, where there are VLANs.

    vlan_interface comes before what the network names: cards may have other names on this host.
    """
    card = settings.vlan_interface or served.network.bridge_interface
    if not settings.use_vlans or not served.network.vlan or card is None:
        return None
    return Vlan(id=served.network.vlan, interface=card)


def card_of(served: HostNetwork, settings: NetworkSettings) -> str | None:
    """Return the card that a flat network shares with the operator; VLANs share none."""
    if settings.use_vlans:
        return None
    return served.network.bridge_interface or settings.flat_interface


def has_ipv6(served: HostNetwork, settings: NetworkSettings) -> bool:
    """Tell whether the host routes IPv6 for a network."""
    return settings.use_ipv6 and served.network.cidr_v6 is not None


def wanted_bridges(
    networks: Iterable[HostNetwork], settings: NetworkSettings
) -> tuple[Bridge, ...]:
    """Return one bridge for each bridge name, in order of name.

    Networks that share a bridge share its card and MTU: the first one that sets it wins.
    """
    found: dict[str, Bridge] = {}
    for served in sorted(networks, key=lambda one: one.network.id):
        name = bridge_name(served, settings)
        if name is None:
            continue
        found[name] = _merged(found.get(name, Bridge(name=name)), served, settings)
    return tuple(_completed(found[name], settings) for name in sorted(found))


def _merged(bridge: Bridge, served: HostNetwork, settings: NetworkSettings) -> Bridge:
    network = served.network
    addresses = bridge.addresses
    if network.cidr and served.dhcp_server:
        prefix_length = ipaddress.ip_network(network.cidr).prefixlen
        address = f"{ipaddress.ip_address(served.dhcp_server)}/{prefix_length}"
        if address not in addresses:
            addresses += (address,)
    return dataclasses.replace(
        bridge,
        interface=bridge.interface or card_of(served, settings),
        addresses=addresses,
        mtu=bridge.mtu or network.mtu,
        vlan=bridge.vlan or vlan_of(served, settings),
        addresses_v6=_addresses_v6(bridge, served, settings),
    )


def _addresses_v6(
    bridge: Bridge, served: HostNetwork, settings: NetworkSettings
) -> tuple[str, ...] | None:
    """Add the gateway of a network to the IPv6 addresses of a bridge.

    On a card that joins the hosts of a multi_host network each host would have it; there
    guests route through the link-local address of their host, which radvd tells them.
    """
    if not has_ipv6(served, settings):
        return bridge.addresses_v6
    network, present = served.network, bridge.addresses_v6 or ()
    joined = vlan_of(served, settings) or card_of(served, settings)
    if network.gateway_v6 is None or (network.multi_host and joined):
        return present
    prefix_length = ipaddress.ip_network(network.cidr_v6 or "").prefixlen
    address = f"{ipaddress.IPv6Address(network.gateway_v6)}/{prefix_length}"
    return tuple(dict.fromkeys((*present, address)))


def _completed(bridge: Bridge, settings: NetworkSettings) -> Bridge:
    return dataclasses.replace(bridge, mtu=bridge.mtu or settings.network_device_mtu)
