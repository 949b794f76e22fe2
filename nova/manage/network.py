"""nova-manage network: networks of nova-network."""

import argparse

from nova import exception
from nova.manage.command import Argument, Command, Environment, never, truth
from nova.manage.output import Result
from nova.objects.instance import EVERYBODY
from nova.objects.network import Network, NewNetwork

_COLUMNS = (
    "id",
    "label",
    "IPv4",
    "IPv6",
    "start address",
    "DNS1",
    "DNS2",
    "VlanID",
    "project",
    "uuid",
)


def create(env: Environment, args: argparse.Namespace) -> Result:
    """Create networks and their addresses."""
    multi_host = env.conf.multi_host if args.multi_host is None else args.multi_host
    share_address = args.share_address
    if share_address is None:
        share_address = env.conf.share_dhcp_address
    new = NewNetwork(
        label=args.label,
        cidr=args.fixed_range_v4,
        cidr_v6=args.fixed_range_v6,
        num_networks=args.num_networks,
        network_size=args.network_size,
        gateway=args.gateway,
        gateway_v6=args.gateway_v6,
        bridge=args.bridge,
        bridge_interface=args.bridge_interface,
        vlan=args.vlan,
        vlan_start=args.vlan_start,
        vpn_start=args.vpn,
        dns1=args.dns1,
        dns2=args.dns2,
        mtu=args.mtu,
        dhcp_server=args.dhcp_server,
        enable_dhcp=args.enable_dhcp,
        share_address=share_address,
        multi_host=multi_host,
        project_id=args.project_id,
        priority=args.priority,
        uuid=args.uuid,
        fixed_cidr=args.fixed_cidr,
        allowed_start=args.allowed_start,
        allowed_end=args.allowed_end,
    )
    return _table(env.networks.create(env.context, new))


def list_networks(env: Environment, args: argparse.Namespace) -> Result:
    """List all networks."""
    return _table(env.networks.list_networks(env.context))


def delete(env: Environment, args: argparse.Namespace) -> Result:
    """Delete a network that has no server."""
    if (args.uuid is None) == (args.fixed_range is None):
        raise exception.InvalidInput(reason="name the network by --uuid or by --fixed-range.")
    network = args.uuid or args.fixed_range
    env.networks.delete(env.context, network)
    return Result(message=f"Network {network} deleted.", document={"deleted": network})


def modify(env: Environment, args: argparse.Namespace) -> Result:
    """Change the project and the host of a network."""
    gives = args.project is not None or args.host is not None
    takes = args.disassociate_project or args.disassociate_host
    if gives and takes:
        raise exception.InvalidInput(
            reason="Unexpected arguments provided. Please use separate commands."
        )
    if not gives and not takes:
        raise exception.InvalidInput(
            reason="give --project, --host, --disassociate-project or --disassociate-host."
        )
    network = args.fixed_range
    if args.project is not None or args.disassociate_project:
        env.networks.set_project(env.context, EVERYBODY, network, args.project)
    if args.host is not None or args.disassociate_host:
        env.networks.set_host(env.context, EVERYBODY, network, args.host)
    return Result(message=f"Network {network} modified.", document={"modified": network})


def _table(networks: tuple[Network, ...]) -> Result:
    rows = tuple(
        (
            network.id,
            network.label,
            network.cidr,
            network.cidr_v6,
            network.dhcp_start,
            network.dns1,
            network.dns2,
            network.vlan,
            network.project_id,
            network.uuid,
        )
        for network in networks
    )
    return Result(columns=_COLUMNS, rows=rows, message="" if rows else "No networks found.")


_CREATE = (
    Argument("--label", required=True, help="name of the network"),
    Argument("--fixed-range-v4", help="IPv4 range, such as 10.0.0.0/24"),
    Argument("--fixed-range-v6", help="IPv6 range, such as fd00::/64"),
    Argument(
        "--num-networks", type=int, default=1, help="number of networks to cut the range into"
    ),
    Argument("--network-size", type=int, help="addresses per network"),
    Argument("--gateway", help="IPv4 gateway (default: first address)"),
    Argument("--gateway-v6", help="IPv6 gateway"),
    Argument("--bridge", help="bridge on the hosts (default: flat_network_bridge)"),
    Argument("--bridge-interface", help="interface in the bridge (default: flat_interface)"),
    Argument("--multi-host", type=truth, metavar="T|F", help="each host serves its own servers"),
    Argument("--vlan", type=int, help="VLAN number"),
    Argument("--vlan-start", type=int, help="first VLAN number"),
    Argument("--vpn", type=int, help="first VPN port"),
    Argument("--dns1", help="first name server (default: flat_network_dns)"),
    Argument("--dns2", help="second name server"),
    Argument("--mtu", type=int, help="largest packet, in bytes"),
    Argument("--dhcp-server", help="address of the DHCP server (default: gateway)"),
    Argument("--enable-dhcp", type=truth, default=True, metavar="T|F", help="serve DHCP"),
    Argument(
        "--share-address",
        type=truth,
        metavar="T|F",
        help="all hosts use the gateway's address",
    ),
    Argument("--uuid", help="uuid of the network (default: random)"),
    Argument("--fixed-cidr", help="part of the range from which servers get addresses"),
    Argument("--allowed-start", help="first address for servers"),
    Argument("--allowed-end", help="last address for servers"),
    Argument("--project-id", help="project that owns the network (default: shared)"),
    Argument("--priority", type=int, help="order of interfaces on a server"),
)

COMMANDS = (
    Command(
        category="network",
        name="create",
        help="create networks with their addresses",
        run=create,
        arguments=_CREATE,
    ),
    Command(
        category="network", name="list", help="list all networks", run=list_networks, changes=never
    ),
    Command(
        category="network",
        name="modify",
        help="give a network to a project or a host, or take it away",
        run=modify,
        arguments=(
            Argument("--fixed-range", required=True, help="range or uuid of the network"),
            Argument("--project", help="project that gets the network"),
            Argument("--host", help="host that serves the network"),
            Argument(
                "--disassociate-project", action="store_true", help="take it from its project"
            ),
            Argument("--disassociate-host", action="store_true", help="take it from its host"),
        ),
    ),
    Command(
        category="network",
        name="delete",
        help="delete a network",
        run=delete,
        arguments=(
            Argument("--uuid", help="uuid of the network"),
            Argument("--fixed-range", help="range of the network"),
        ),
    ),
)
