"""dnsmasq of a bridge: command line and files, computed from networks.

Source: nova-network.md sections 8.1 and 8.2; dnsmasq(8).
"""

import dataclasses
import ipaddress
from collections.abc import Iterable, Sequence

from nova.network.bridges import bridge_name
from nova.network.leases_text import is_sound
from nova.network.names import is_address, is_domain, qualified, safe_hostname, safe_tag
from nova.network.settings import NetworkSettings
from nova.objects.network import DhcpBinding, HostNetwork

ROUTER_OPTION = 3
MTU_OPTION = 26


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
        (_path(bridge, "opts", settings), render_options(networks, settings)),
        (_path(bridge, "hosts", settings), render_names(networks, settings)),
    ]
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
        f"--addn-hosts={_path(bridge, 'hosts', settings)}",
    ]
    if is_domain(settings.dhcp_domain):
        arguments.append(f"--domain={settings.dhcp_domain}")
    servers = _name_servers(networks, settings)
    if servers:
        arguments.append("--no-resolv")
        arguments += [f"--server={server}" for server in servers]
    return tuple(arguments)


def render_hosts(networks: Sequence[HostNetwork], settings: NetworkSettings) -> str:
    """Return the file that gives each guest on this host its address: MAC,name,address."""
    lines: dict[str, str] = {}
    for served in networks:
        for binding in _leased_bindings(served):
            if served.network.multi_host and binding.host not in (None, settings.host):
                continue
            lines[binding.mac.lower()] = ",".join(
                (
                    binding.mac.lower(),
                    *([f"set:{tag}"] if (tag := _guest_tag(binding, settings)) else []),
                    _name(binding, settings),
                    binding.address,
                )
            )
    return "".join(f"{line}\n" for line in lines.values())


def render_options(networks: Sequence[HostNetwork], settings: NetworkSettings) -> str:
    """Return the file of DHCP options: router and MTU, for each network if there are several.

    With a single default gateway also the router of each guest, none for interfaces that are
    not its way out; what fits a guest's own tag comes before what fits all.
    """
    lines = []
    for served in networks:
        tag = f"tag:{_tag(served, networks)}," if len(networks) > 1 else ""
        router = f"{ROUTER_OPTION},{served.gateway}" if served.gateway else str(ROUTER_OPTION)
        lines.append(f"{tag}{router}")
        mtu = served.network.mtu or settings.network_device_mtu
        if mtu:
            lines.append(f"{tag}{MTU_OPTION},{mtu}")
        for binding in _leased_bindings(served):
            guest = _guest_tag(binding, settings)
            if guest:
                way_out = router if binding.default_route else str(ROUTER_OPTION)
                lines.append(f"tag:{guest},{way_out}")
    return "".join(f"{line}\n" for line in lines)


def render_names(networks: Sequence[HostNetwork], settings: NetworkSettings) -> str:
    """Return the file of the names of guests and of DNS entries: address TAB name."""
    names = [
        (binding.address, _name(binding, settings))
        for served in networks
        for binding in _sound_bindings(served)
    ]
    names += [
        (one.address, one.name)
        for served in networks
        for one in served.names
        if is_domain(one.name) and is_address(one.address)
    ]
    return "".join(f"{address}\t{name}\n" for address, name in dict.fromkeys(names))


def _guest_tag(binding: DhcpBinding, settings: NetworkSettings) -> str | None:
    """Return the tag of an interface, where interfaces have routers of their own."""
    if not settings.use_single_default_gateway or binding.vif_id is None:
        return None
    return f"NW-{safe_tag(binding.vif_id, 36)}"


def _leased_bindings(served: HostNetwork) -> list[DhcpBinding]:
    """Return what guests get by DHCP: the first address that each interface was given."""
    first = {one.mac.lower(): one for one in reversed(served.bindings)}
    return [one for one in _sound_bindings(served) if first[one.mac.lower()] is one]


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


def _name_servers(networks: Sequence[HostNetwork], settings: NetworkSettings) -> list[str]:
    servers = list(settings.dns_server)
    if settings.use_network_dns_servers:
        for served in networks:
            servers += [one for one in (served.network.dns1, served.network.dns2) if one]
    return [str(ipaddress.ip_address(one)) for one in dict.fromkeys(servers)]


def _path(bridge: str, suffix: str, settings: NetworkSettings) -> str:
    return f"{settings.networks_path}/nova-{bridge}.{suffix}"
