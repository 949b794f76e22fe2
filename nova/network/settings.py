"""The options of nova-network as plain values."""

import dataclasses
import ipaddress
import os
import pwd
from collections.abc import Callable, Iterable

from oslo_config import cfg

from nova.exception import ConfigurationError
from nova.network.names import is_device_name


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """What the rules, files and commands of a host depend on besides its networks."""

    host: str
    networks_path: str
    flat_network_bridge: str | None = None
    flat_interface: str | None = None
    public_interface: str | None = None
    routing_source_ip: str | None = None
    arp_announcements: int = 0
    force_snat_range: tuple[str, ...] = ()
    dmz_cidr: tuple[str, ...] = ()
    forward_bridge_interface: tuple[str, ...] = ("all",)
    iptables_drop_action: str = "DROP"
    metadata_host: str = "127.0.0.1"
    metadata_port: int = 8775
    dhcpbridge: str = "nova-dhcpbridge"
    dhcpbridge_user: str | None = None
    dnsmasq_user: str = "nobody"
    dnsmasq_config_file: str = ""
    dhcp_lease_time_s: int = 86400
    dhcp_domain: str = "novalocal"
    dns_server: tuple[str, ...] = ()
    use_network_dns_servers: bool = False
    force_dhcp_release: bool = True
    fixed_ip_disassociate_timeout_s: int = 600
    network_device_mtu: int | None = None
    heal_interval_s: int = 10
    use_vlans: bool = False
    vlan_interface: str | None = None
    vpn_ip: str | None = None
    teardown_unused_network_gateway: bool = False
    use_ipv6: bool = False
    use_single_default_gateway: bool = False
    radvd_user: str = "radvd"


def from_conf(conf: cfg.ConfigOpts) -> NetworkSettings:
    """Return the settings that a configuration gives.

    Raises: ConfigurationError for an address or range that is none.
    """
    settings = NetworkSettings(
        host=conf.host,
        networks_path=conf.networks_path,
        flat_network_bridge=conf.flat_network_bridge,
        flat_interface=conf.flat_interface,
        public_interface=conf.public_interface or None,
        arp_announcements=conf.send_arp_for_ha_count if conf.send_arp_for_ha else 0,
        routing_source_ip=conf.routing_source_ip or None,
        force_snat_range=tuple(conf.force_snat_range),
        dmz_cidr=tuple(conf.dmz_cidr),
        forward_bridge_interface=tuple(conf.forward_bridge_interface),
        iptables_drop_action=conf.iptables_drop_action,
        metadata_host=conf.metadata_host,
        metadata_port=conf.metadata_port,
        dhcpbridge=conf.dhcpbridge,
        dhcpbridge_user=conf.dhcpbridge_user or _own_user(),
        dnsmasq_user=conf.dnsmasq_user,
        dnsmasq_config_file=conf.dnsmasq_config_file,
        dhcp_lease_time_s=conf.dhcp_lease_time,
        dhcp_domain=conf.dhcp_domain,
        dns_server=tuple(conf.dns_server),
        use_network_dns_servers=conf.use_network_dns_servers,
        force_dhcp_release=conf.force_dhcp_release,
        fixed_ip_disassociate_timeout_s=conf.fixed_ip_disassociate_timeout,
        network_device_mtu=conf.network_device_mtu,
        heal_interval_s=conf.network_heal_interval,
        vlan_interface=conf.vlan_interface,
        vpn_ip=conf.vpn_ip or None,
        teardown_unused_network_gateway=conf.teardown_unused_network_gateway,
        use_ipv6=conf.use_ipv6,
        use_single_default_gateway=conf.use_single_default_gateway,
        radvd_user=conf.radvd_user,
    )
    _check(settings)
    return settings


def _own_user() -> str | None:
    """Return the user of this process; None for root, which must not run scripts."""
    return pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() else None


def _check(settings: NetworkSettings) -> None:
    addresses = {
        "routing_source_ip": (settings.routing_source_ip,),
        "vpn_ip": (settings.vpn_ip,),
        "metadata_host": (settings.metadata_host,),
        "dns_server": settings.dns_server,
    }
    ranges = {"dmz_cidr": settings.dmz_cidr, "force_snat_range": settings.force_snat_range}
    cards = {
        "flat_network_bridge": (settings.flat_network_bridge,),
        "flat_interface": (settings.flat_interface,),
        "vlan_interface": (settings.vlan_interface,),
        "public_interface": (settings.public_interface,),
        "forward_bridge_interface": settings.forward_bridge_interface,
    }
    for parse, values in (
        (ipaddress.IPv4Address, addresses),
        (ipaddress.IPv4Network, ranges),
        (_parse_card, cards),
    ):
        for option, given in values.items():
            _check_each(parse, option, given)


def _check_each(parse: Callable[[str], object], option: str, given: Iterable[str | None]) -> None:
    for value in given:
        try:
            if value is not None:
                parse(value)
        except ValueError as error:
            raise ConfigurationError(reason=f"{option} has the unusable value {value}") from error


def _parse_card(name: str) -> str:
    if not is_device_name(name):
        raise ValueError(name)
    return name
