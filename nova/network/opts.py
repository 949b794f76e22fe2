"""Options for nova-network and nova-dhcpbridge."""

from oslo_config import cfg

NETWORK_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "network_manager",
        default="nova.network.manager.VlanManager",
        help="Class that arranges the networks of a host: nova.network.manager.FlatManager, "
        "nova.network.manager.FlatDHCPManager or nova.network.manager.VlanManager. All hosts and "
        "conductors need the same.",
    ),
    cfg.BoolOpt(
        "multi_host",
        default=False,
        help="Let each host serve the guests on it, in networks that are created without a word "
        "on that.",
    ),
    cfg.BoolOpt(
        "share_dhcp_address",
        default=False,
        help="Let all hosts of a multi_host network use its gateway's address, in networks that "
        "are created without a word on that.",
    ),
    cfg.StrOpt(
        "flat_network_bridge",
        help="Bridge for networks that name none.",
    ),
    cfg.StrOpt(
        "flat_interface",
        help="Network card that is made a port of the bridge, for networks that name none. "
        "Its addresses and routes move to the bridge. Unset: the bridge stays inside the host.",
    ),
    cfg.StrOpt(
        "vlan_interface",
        help="Network card that carries the VLANs of this host. Unset: the one that the network "
        "names.",
    ),
    cfg.StrOpt(
        "vpn_ip",
        default="$my_ip",
        help="Address at which the VPN servers of projects are reached, each at a port of its "
        "own, unless the network names one.",
    ),
    cfg.BoolOpt(
        "teardown_unused_network_gateway",
        default=False,
        help="Remove bridge, VLAN and DHCP server of a multi_host network from a host that has "
        "no guest in it any more. For VlanManager.",
    ),
    cfg.BoolOpt(
        "use_ipv6",
        default=False,
        help="Route IPv6 for networks that have an IPv6 range, and announce it to guests.",
    ),
    cfg.StrOpt(
        "ipv6_backend",
        default="rfc2462",
        choices=[
            ("rfc2462", "made of the MAC address, as guests do it themselves"),
            ("account_identifier", "made of the project and the MAC address"),
        ],
        help="How IPv6 addresses of guests are made.",
    ),
    cfg.StrOpt(
        "radvd_user",
        default="radvd",
        help="System user that radvd becomes after its start; never root.",
    ),
    cfg.BoolOpt(
        "use_single_default_gateway",
        default=False,
        help="Give a guest with several interfaces a router on its first one only.",
    ),
    cfg.StrOpt(
        "public_interface",
        default="eth0",
        help="Network card through which guests reach the outside; source addresses are "
        "translated there. Empty: on every card.",
    ),
    cfg.BoolOpt(
        "send_arp_for_ha",
        default=False,
        help="Tell neighbours by ARP when a floating address comes to this host.",
    ),
    cfg.IntOpt(
        "send_arp_for_ha_count",
        default=3,
        min=1,
        max=10,
        help="Number of such ARP packets.",
    ),
    cfg.StrOpt(
        "routing_source_ip",
        default="$my_ip",
        help="Address that guests' connections to the outside seem to come from.",
    ),
    cfg.ListOpt(
        "force_snat_range",
        default=[],
        help="Ranges towards which sources are translated although guests route through "
        "a gateway that is not this host.",
    ),
    cfg.ListOpt(
        "dmz_cidr",
        default=[],
        help="Ranges that guests reach with their own address, without translation.",
    ),
    cfg.ListOpt(
        "forward_bridge_interface",
        default=["all"],
        help="Network cards to and from which guests' traffic is forwarded; all means every card.",
    ),
    cfg.StrOpt(
        "iptables_drop_action",
        default="DROP",
        regex=r"^[A-Za-z][A-Za-z0-9_-]{0,27}$",
        help="Target of rules that refuse traffic: DROP, REJECT, or a chain of the operator.",
    ),
    cfg.StrOpt(
        "metadata_host",
        default="$my_ip",
        help="Address of the metadata service; 127.0.0.1 means on this host.",
    ),
    cfg.PortOpt(
        "metadata_port",
        default=8775,
        help="TCP port of the metadata service.",
    ),
    cfg.StrOpt(
        "dhcpbridge_user",
        help="System user that runs that program. Unset: the user of nova-network, or "
        "dnsmasq_user when nova-network runs as root.",
    ),
    cfg.StrOpt(
        "dnsmasq_user",
        default="nobody",
        help="System user that dnsmasq becomes after its start; never root.",
    ),
    cfg.IntOpt(
        "dhcp_lease_time",
        default=86400,
        min=120,
        help="Seconds for which a guest holds an address before it must renew.",
    ),
    cfg.StrOpt(
        "dhcp_domain",
        default="novalocal",
        help="Domain of guests' host names; may be empty.",
    ),
    cfg.ListOpt(
        "dns_server",
        default=[],
        help="Name servers that dnsmasq asks. Empty: those of the host.",
    ),
    cfg.BoolOpt(
        "use_network_dns_servers",
        default=False,
        help="Let dnsmasq also ask dns1 and dns2 of the network.",
    ),
    cfg.BoolOpt(
        "force_dhcp_release",
        default=True,
        help="Give back the lease of an address when its server is deleted.",
    ),
    cfg.IntOpt(
        "fixed_ip_disassociate_timeout",
        default=600,
        min=0,
        help="Seconds after which an address that was given up, but whose lease was not, is freed.",
    ),
    cfg.IntOpt(
        "network_device_mtu",
        min=68,
        max=65535,
        help="MTU in bytes of bridges whose network sets none.",
    ),
    cfg.IntOpt(
        "network_heal_interval",
        default=10,
        min=1,
        help="Seconds between two comparisons of this host with the networks it must serve.",
    ),
    cfg.BoolOpt(
        "fake_network",
        default=False,
        help="Keep the networks of the host in memory only. For tests and measurements.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": NETWORK_OPTS}
