"""Options that the privileged side reads itself, so that no caller can choose the values."""

from oslo_config import cfg

NETWORK_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "networks_path",
        default="$state_path/networks",
        help="Folder for the files of dnsmasq. dnsmasq's user must be able to enter it.",
    ),
    cfg.StrOpt(
        "dhcpbridge",
        default="$bindir/nova-dhcpbridge",
        help="Program that dnsmasq runs when a lease changes.",
    ),
    cfg.MultiStrOpt(
        "dhcpbridge_flagfile",
        default=["/etc/nova/nova-dhcpbridge.conf"],
        help="Configuration files of that program. They need transport_url and host, and "
        "dhcpbridge_user must be able to read them.",
    ),
    cfg.StrOpt(
        "dnsmasq_config_file",
        default="",
        help="Further configuration of dnsmasq. Empty: none, not even the system's.",
    ),
]

COMPUTE_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "instances_path",
        default="$state_path/instances",
        help="Folder for the disks and other files of servers, and for the image cache. The "
        "hypervisor's user must be able to enter it and every folder above it.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": [*NETWORK_OPTS, *COMPUTE_OPTS]}
