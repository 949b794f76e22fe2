"""The bridges that a host needs for its networks, as values."""

import dataclasses
import ipaddress
from collections.abc import Iterable

from nova.network.names import is_device_name
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A bridge with the addresses that come first on it, as address/prefix length."""

    name: str
    interface: str | None = None
    addresses: tuple[str, ...] = ()
    mtu: int | None = None


def bridge_name(network: HostNetwork, settings: NetworkSettings) -> str | None:
    """Return the bridge of a network; None when neither network nor option names a usable one."""
    name = network.network.bridge or settings.flat_network_bridge
    return name if name and is_device_name(name) else None


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
        found[name] = _merged(found.get(name, Bridge(name=name)), served)
    return tuple(_completed(found[name], settings) for name in sorted(found))


def _merged(bridge: Bridge, served: HostNetwork) -> Bridge:
    network = served.network
    addresses = bridge.addresses
    if network.cidr and served.dhcp_server:
        prefix_length = ipaddress.ip_network(network.cidr).prefixlen
        address = f"{ipaddress.ip_address(served.dhcp_server)}/{prefix_length}"
        if address not in addresses:
            addresses += (address,)
    return dataclasses.replace(
        bridge,
        interface=bridge.interface or network.bridge_interface,
        addresses=addresses,
        mtu=bridge.mtu or network.mtu,
    )


def _completed(bridge: Bridge, settings: NetworkSettings) -> Bridge:
    return dataclasses.replace(
        bridge,
        interface=bridge.interface or settings.flat_interface,
        mtu=bridge.mtu or settings.network_device_mtu,
    )
