"""Networks, fixed addresses and the interfaces of servers (nova-network)."""

import dataclasses
import datetime
import enum

from nova.objects.floating_ip import HostFloatingIp


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network; columns as in the networks table of nova-network.

    One without any range is not served, and nobody gets an interface in it.
    """

    id: int
    uuid: str
    label: str
    cidr: str | None = None
    cidr_v6: str | None = None
    netmask: str | None = None
    netmask_v6: str | None = None
    gateway: str | None = None
    gateway_v6: str | None = None
    broadcast: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    bridge: str | None = None
    bridge_interface: str | None = None
    vlan: int | None = None
    vpn_public_address: str | None = None
    vpn_public_port: int | None = None
    vpn_private_address: str | None = None
    dhcp_start: str | None = None
    dhcp_server: str | None = None
    enable_dhcp: bool = True
    share_address: bool = False
    multi_host: bool = False
    injected: bool = False
    mtu: int | None = None
    priority: int | None = None
    rxtx_base: int | None = None
    host: str | None = None
    project_id: str | None = None
    subnet_name: str | None = None
    subnet_name_v6: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworksAndPools:
    """What clients of the Networking API call networks."""

    networks: tuple[Network, ...]
    pools: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewNetwork:
    """What networks are created from (nova-manage network create, os-networks).

    None leaves the value to be derived: gateway and DHCP start from the range.
    num_networks above 1 cuts cidr into pieces of network_size addresses.
    """

    label: str
    cidr: str | None = None
    cidr_v6: str | None = None
    num_networks: int = 1
    network_size: int | None = None
    gateway: str | None = None
    gateway_v6: str | None = None
    bridge: str | None = None
    bridge_interface: str | None = None
    vlan: int | None = None
    vlan_start: int | None = None
    vpn_start: int | None = None
    dns1: str | None = None
    dns2: str | None = None
    mtu: int | None = None
    dhcp_server: str | None = None
    enable_dhcp: bool = True
    share_address: bool = False
    multi_host: bool = False
    project_id: str | None = None
    priority: int | None = None
    uuid: str | None = None
    allowed_start: str | None = None
    allowed_end: str | None = None
    fixed_cidr: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RequestedNetwork:
    """One interface that a create request asks for: in a network, or a port made before.

    With a port, network_uuid is empty: the port tells.
    """

    network_uuid: str
    fixed_ip: str | None = None
    tag: str | None = None
    port_id: str | None = None


class NetworkMode(enum.StrEnum):
    """How a create request chooses its networks."""

    AUTO = "auto"
    NONE = "none"
    EXPLICIT = "explicit"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Vif:
    """One interface of a server with its network; all that a host needs to plug it.

    gateway is the address guests route through on the server's host, dhcp_server the
    address that answers DHCP there: in a multi_host network both are the host's own.
    more_fixed_ips are IPv4 addresses that it was given after its first, fixed_ip.
    preserved: it was made before its server, and stays when that goes.
    """

    id: str
    address: str
    network: Network
    instance_uuid: str | None = None
    fixed_ip: str | None = None
    fixed_ip_v6: str | None = None
    floating_ips: tuple[str, ...] = ()
    gateway: str | None = None
    dhcp_server: str | None = None
    tag: str | None = None
    more_fixed_ips: tuple[str, ...] = ()
    preserved: bool = False

    @property
    def fixed_ips(self) -> tuple[str, ...]:
        """All IPv4 addresses, the first one first."""
        return (*([self.fixed_ip] if self.fixed_ip else []), *self.more_fixed_ips)

    @property
    def devname(self) -> str:
        """Name of the tap device on the host."""
        return f"tap{self.id}"[:14]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FixedIp:
    """One address of a network and who has it."""

    address: str
    network_id: int
    instance_uuid: str | None = None
    virtual_interface_id: int | None = None
    allocated: bool = False
    leased: bool = False
    reserved: bool = False
    host: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FixedIpDetail:
    """One address with its network and the server that has it.

    lost: it belongs to a server that does not exist.
    """

    address: str
    network_uuid: str
    network_label: str
    cidr: str
    reserved: bool = False
    allocated: bool = False
    instance_uuid: str | None = None
    hostname: str | None = None
    host: str | None = None
    lost: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DhcpBinding:
    """What the DHCP server of a network must hand out: one line of the hosts file.

    leased tells whether the guest holds the address; host is the server's compute host.
    default_route: the guest's way out is through this interface, when it has several.
    """

    mac: str
    address: str
    hostname: str
    instance_uuid: str
    leased: bool = False
    host: str | None = None
    vif_id: str | None = None
    default_route: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DnsName:
    """A full domain name that the name server of a network knows."""

    name: str
    address: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostNetwork:
    """A network as one nova-network host serves it, with all bindings it must hand out.

    floating_ips are those that lead into the network and are translated by the host, and
    those that it must forget.  names are known to its name server besides its guests.
    """

    network: Network
    dhcp_server: str | None
    gateway: str | None
    bindings: tuple[DhcpBinding, ...] = ()
    floating_ips: tuple[HostFloatingIp, ...] = ()
    names: tuple[DnsName, ...] = ()
