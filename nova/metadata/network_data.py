"""network_data.json: links, networks and services of a guest.

Source: ec2-api, section 8.4 (network_data.json).
"""

import dataclasses
import ipaddress
from typing import Any

from nova.objects.network import Vif


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    network: str
    netmask: str
    gateway: str

    def document(self) -> dict[str, str]:
        return dataclasses.asdict(self)


def network_data(vifs: tuple[Vif, ...]) -> dict[str, Any]:
    """Return the document for a guest's interfaces, in their order."""
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    services: list[dict[str, str]] = []
    for vif in vifs:
        links.append(
            {
                "id": vif.devname,
                "vif_id": vif.id,
                "type": "bridge",
                "mtu": vif.network.mtu,
                "ethernet_mac_address": vif.address,
            }
        )
        for network in _networks_of(vif):
            network["id"] = f"network{len(networks)}"
            networks.append(network)
        services += [service for service in _dns(vif) if service not in services]
    return {"links": links, "networks": networks, "services": services}


def _dns(vif: Vif) -> list[dict[str, str]]:
    addresses = [address for address in (vif.network.dns1, vif.network.dns2) if address]
    return [{"type": "dns", "address": address} for address in addresses]


def _networks_of(vif: Vif) -> list[dict[str, Any]]:
    networks = []
    if vif.fixed_ip:
        networks.append(_ipv4(vif))
    if vif.fixed_ip_v6 and vif.network.cidr_v6:
        networks.append(_ipv6(vif))
    return networks


def _ipv4(vif: Vif) -> dict[str, Any]:
    base = {"link": vif.devname, "network_id": vif.network.uuid}
    if vif.network.enable_dhcp and not vif.network.injected:
        return {"type": "ipv4_dhcp", **base}
    gateway = vif.gateway or vif.network.gateway
    default = _Route(network="0.0.0.0", netmask="0.0.0.0", gateway=gateway or "")
    return {
        "type": "ipv4",
        **base,
        "ip_address": vif.fixed_ip,
        "netmask": vif.network.netmask,
        "routes": [default.document()] if gateway else [],
        "services": _dns(vif),
    }


def _ipv6(vif: Vif) -> dict[str, Any]:
    gateway = vif.network.gateway_v6
    default = _Route(network="::", netmask="::", gateway=gateway or "")
    prefix = ipaddress.ip_network(vif.network.cidr_v6 or "::/64", strict=False)
    return {
        "type": "ipv6",
        "link": vif.devname,
        "network_id": vif.network.uuid,
        "ip_address": vif.fixed_ip_v6,
        "netmask": str(prefix.netmask),
        "routes": [default.document()] if gateway else [],
        "services": _dns(vif),
    }
