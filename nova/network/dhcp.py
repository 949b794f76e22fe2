"""dnsmasq of a bridge: command line and files, computed from networks.

Source: nova-network.md sections 8.1 and 8.2; dnsmasq(8).
"""

import dataclasses
import ipaddress
from collections.abc import Iterable, Sequence

from nova.network.bridges import bridge_name
from nova.network.leases_text import is_sound
from nova.network.names import is_domain, qualified, safe_hostname, safe_tag
from nova.network.settings import NetworkSettings
from nova.objects.network import DhcpBinding, HostNetwork

ROUTER_OPTION = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DhcpServer:
    """The one dnsmasq of a bridge; files by their path, arguments without the program."""

    bridge: str
    network_id: int
    arguments: tuple[str, ...]
    files: tuple[tuple[str, str], ...]


def wanted_servers(
    networks: Iterable[HostNetwork], settings: NetworkSettings
) -> tuple[DhcpServer, ...]:
    """Return one DHCP server for each bridge with a network that has DHCP on this host."""
    by_bridge: dict[str, list[HostNetwork]] = {}
    for served in networks:
        bridge = bridge_name(served, settings)
        if bridge and served.network.enable_dhcp and served.dhcp_server and served.network.cidr:
            by_bridge.setdefault(bridge, []).append(served)
    return tuple(make_server(name, by_bridge[name], settings) for name in sorted(by_bridge))


def make_server(
    bridge: str, networks: Sequence[HostNetwork], settings: NetworkSettings
) -> DhcpServer:
    """Return the DHCP server of a bridge; networks is not empty, in order of id."""
    files = [
        (_path(bridge, "conf", settings), render_hosts(networks, settings)),
        (_path(bridge, "opts", settings), render_options(networks)),
    ]
    if _has_names_file(networks):
        files.append((_path(bridge, "hosts", settings), render_names(networks, settings)))
    return DhcpServer(
        bridge=bridge,
        network_id=networks[0].network.id,
        arguments=render_arguments(bridge, networks, settings),
        files=tuple(files),
    )


def render_arguments(
    bridge: str, networks: Sequence[HostNetwork], settings: NetworkSettings
) -> tuple[str, ...]:
    """Return the arguments of the dnsmasq of a bridge."""
    arguments = [
        "--strict-order",
        "--bind-interfaces",
        f"--conf-file={settings.dnsmasq_config_file}",
        f"--user={settings.dnsmasq_user}",
        f"--pid-file={_path(bridge, 'pid', settings)}",
        f"--dhcp-optsfile={_path(bridge, 'opts', settings)}",
        *(f"--listen-address={served.dhcp_server}" for served in networks),
        "--except-interface=lo",
        *(_range_argument(served, networks, settings) for served in networks),
        f"--dhcp-lease-max={sum(_size(served) for served in networks)}",
        f"--dhcp-hostsfile={_path(bridge, 'conf', settings)}",
        f"--dhcp-script={settings.dhcpbridge}",
        f"--dhcp-scriptuser={settings.dhcpbridge_user or settings.dnsmasq_user}",
        "--no-hosts",
        "--leasefile-ro",
    ]
    if is_domain(settings.dhcp_domain):
        arguments.append(f"--domain={settings.dhcp_domain}")
    if _has_names_file(networks):
        arguments.append(f"--addn-hosts={_path(bridge, 'hosts', settings)}")
    servers = _name_servers(networks, settings)
    if servers:
        arguments.append("--no-resolv")
        arguments += [f"--server={server}" for server in servers]
    return tuple(arguments)


def render_hosts(networks: Sequence[HostNetwork], settings: NetworkSettings) -> str:
    """Return the file that gives each guest on this host its address: MAC,name,address."""
    lines: dict[str, str] = {}
    for served in networks:
        for binding in _sound_bindings(served):
            if served.network.multi_host and binding.host not in (None, settings.host):
                continue
            line = f"{binding.mac.lower()},{_name(binding, settings)},{binding.address}"
            lines.setdefault(binding.mac.lower(), line)
    return "".join(f"{line}\n" for line in lines.values())


def render_options(networks: Sequence[HostNetwork]) -> str:
    """Return the file of DHCP options: the router, for each network if there are several."""
    return "".join(
        (f"tag:{_tag(served, networks)}," if len(networks) > 1 else "")
        + str(ROUTER_OPTION)
        + (f",{served.gateway}" if served.gateway else "")
        + "\n"
        for served in networks
    )


def render_names(networks: Sequence[HostNetwork], settings: NetworkSettings) -> str:
    """Return the file of names of all guests of multi_host networks: address TAB name."""
    return "".join(
        f"{binding.address}\t{_name(binding, settings)}\n"
        for served in networks
        if served.network.multi_host
        for binding in _sound_bindings(served)
    )


def _sound_bindings(served: HostNetwork) -> list[DhcpBinding]:
    network = ipaddress.ip_network(served.network.cidr or "0.0.0.0/32")
    return [
        one
        for one in sorted(served.bindings, key=lambda one: (one.address, one.mac))
        if is_sound(one) and ipaddress.ip_address(one.address) in network
    ]


def _name(binding: DhcpBinding, settings: NetworkSettings) -> str:
    domain = settings.dhcp_domain if is_domain(settings.dhcp_domain) else ""
    return qualified(safe_hostname(binding.hostname, binding.address), domain)


def _range_argument(
    served: HostNetwork, networks: Sequence[HostNetwork], settings: NetworkSettings
) -> str:
    network = ipaddress.IPv4Network(served.network.cidr or "")
    start = ipaddress.ip_address(served.network.dhcp_start or network[2])
    return (
        f"--dhcp-range=set:{_tag(served, networks)},{start},static,{network.netmask},"
        f"{settings.dhcp_lease_time_s}s"
    )


def _tag(served: HostNetwork, networks: Sequence[HostNetwork]) -> str:
    tag = safe_tag(served.network.label)
    return tag if len(networks) == 1 else f"{tag}-{served.network.id}"


def _size(served: HostNetwork) -> int:
    return ipaddress.IPv4Network(served.network.cidr or "").num_addresses


def _has_names_file(networks: Sequence[HostNetwork]) -> bool:
    return any(served.network.multi_host for served in networks)


def _name_servers(networks: Sequence[HostNetwork], settings: NetworkSettings) -> list[str]:
    servers = list(settings.dns_server)
    if settings.use_network_dns_servers:
        for served in networks:
            servers += [one for one in (served.network.dns1, served.network.dns2) if one]
    return [str(ipaddress.ip_address(one)) for one in dict.fromkeys(servers)]


def _path(bridge: str, suffix: str, settings: NetworkSettings) -> str:
    return f"{settings.networks_path}/nova-{bridge}.{suffix}"
