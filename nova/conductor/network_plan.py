"""Decides, without I/O: what new networks look like, and which networks a server gets.

Source: nova-network, section 2.6 (create_networks) and section 2 (manager classes).
"""

import dataclasses
import enum
import ipaddress
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from nova.exception import (
    CidrConflict,
    NetworkNotCreated,
    NetworkNotFound,
    PortNotFound,
    VlanInUse,
)
from nova.objects.network import Network, NetworkMode, NewNetwork, RequestedNetwork
from nova.objects.port import HeldPort
from nova.objects.quota import UNLIMITED

LOG = logging.getLogger(__name__)

MAX_LABEL = 255
MAX_VLAN = 4094
MAX_PREFIX_V6 = 64
MAX_ADDRESSES = 2**20
MAX_PORT = 65535
MIN_MTU, MIN_MTU_V6, MAX_MTU = 68, 1280, 65535

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,14}")

IPv4 = ipaddress.IPv4Network
Address = ipaddress.IPv4Address


class ManagerKind(enum.StrEnum):
    """How networks are arranged: the class that the option network_manager names."""

    FLAT = "FlatManager"
    FLAT_DHCP = "FlatDHCPManager"
    VLAN = "VlanManager"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDefaults:
    """What new networks get where the request says nothing, and how networks are arranged.

    per_project: how many networks a project may make for itself.
    """

    manager: ManagerKind = ManagerKind.FLAT_DHCP
    bridge: str | None = None
    bridge_interface: str | None = None
    vlan_interface: str | None = None
    per_project: int = UNLIMITED
    dns1: str | None = "8.8.4.4"
    network_size: int = 256
    mtu: int | None = None
    vlan_start: int = 100
    vpn_start: int = 1000
    vpn_clients: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNetwork:
    """A network to be stored: its columns, and its addresses with whether they are reserved."""

    columns: dict[str, str | int | bool | None]
    addresses: tuple[tuple[str, bool], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A network that a server gets an interface in; tied addresses come from the request.

    port: made before, it becomes the interface.
    """

    network: Network
    host_address: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None
    port: HeldPort | None = None


def choose_networks(
    mode: NetworkMode,
    requested: Sequence[RequestedNetwork],
    usable: Sequence[tuple[Network, str | None]],
    ports: Mapping[str, HeldPort] = MappingProxyType({}),
) -> list[Pick]:
    """Return the networks of a server, of those usable (with the host's address in each).

    Automatic: the networks of the project, else those of nobody.  ports: those that the
    project has, by id.  Raises: NetworkNotFound, PortNotFound.
    """
    if mode is NetworkMode.NONE:
        return []
    if mode is NetworkMode.AUTO:
        own = [entry for entry in usable if entry[0].project_id is not None]
        return [Pick(network=network, host_address=host) for network, host in own or usable]
    by_uuid = {network.uuid: (network, host) for network, host in usable}
    picks = []
    for wish in requested:
        port = None
        if wish.port_id is not None:
            port = ports.get(wish.port_id)
            if port is None:
                raise PortNotFound(port_id=wish.port_id)
        network_uuid = wish.network_uuid if port is None else port.network_uuid
        if network_uuid not in by_uuid:
            raise NetworkNotFound(network_id=network_uuid)
        network, host = by_uuid[network_uuid]
        picks.append(
            Pick(
                network=network,
                host_address=host,
                fixed_ip=wish.fixed_ip,
                tag=wish.tag,
                port=port,
            )
        )
    return picks


def contains(network: Network, address: str) -> bool:
    """Tell whether an address text lies in a network's IPv4 range."""
    try:
        return network.cidr is not None and Address(address) in IPv4(network.cidr)
    except ValueError:
        return False


def plan_networks(
    new: NewNetwork, existing: Sequence[Network], defaults: NetworkDefaults
) -> list[PlannedNetwork]:
    """Return the networks that a request makes, next to those that exist.

    Raises: NetworkNotCreated, CidrConflict.
    """
    _check(new)
    ranges = _ranges(new, existing, defaults)
    ranges_v6 = _ranges_v6(new, existing)
    planned = []
    for index in range(new.num_networks):
        part = _Part(
            index=index,
            label=new.label if new.num_networks == 1 else f"{new.label}_{index}",
            vlan=_vlan(new, existing, defaults, index),
            cidr=ranges[index] if ranges else None,
            cidr_v6=ranges_v6[index] if ranges_v6 else None,
        )
        planned.append(_plan_one(new, part, defaults))
    return planned


def plan_range(
    network: Network, new: NewNetwork, others: Sequence[Network], defaults: NetworkDefaults
) -> PlannedNetwork:
    """Return what a network becomes by one more range; what it has, it keeps.

    Raises: NetworkNotCreated, CidrConflict.
    """
    servers = [one for one in (network.dns1, network.dns2, new.dns1, new.dns2) if one]
    if len(servers) > 2:
        raise NetworkNotCreated(reason="a network has at most two name servers")
    whole = dataclasses.replace(
        new,
        label=network.label,
        project_id=network.project_id,
        bridge=network.bridge,
        bridge_interface=network.bridge_interface,
        vlan=network.vlan,
        mtu=network.mtu,
        priority=network.priority,
        multi_host=network.multi_host,
        share_address=network.share_address,
        enable_dhcp=new.enable_dhcp if new.cidr else network.enable_dhcp,
        dns1=servers[0] if servers else None,
        dns2=servers[1] if len(servers) > 1 else None,
    )
    (planned,) = plan_networks(whole, others, defaults)
    return planned


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    index: int
    label: str
    vlan: int | None
    cidr: IPv4 | None
    cidr_v6: ipaddress.IPv6Network | None


def _check(new: NewNetwork) -> None:
    suffix = "" if new.num_networks == 1 else f"_{new.num_networks - 1}"
    if not new.label or len(new.label + suffix) > MAX_LABEL:
        raise NetworkNotCreated(reason=f"the label must have 1 to {MAX_LABEL} characters")
    if new.cidr is None and new.cidr_v6 is None:
        raise NetworkNotCreated(reason="cidr or cidr_v6 is required")
    if not 1 <= new.num_networks <= MAX_VLAN:
        raise NetworkNotCreated(reason=f"the number of networks must be 1 to {MAX_VLAN}")
    if new.num_networks > 1 and (new.gateway or new.uuid or new.vlan is not None):
        raise NetworkNotCreated(
            reason="gateway, uuid and vlan can be given for a single network only"
        )
    if new.network_size is not None and new.network_size < 4:
        raise NetworkNotCreated(reason="a network needs at least 4 addresses")
    if new.priority is not None and not 0 <= new.priority < 2**31:
        raise NetworkNotCreated(reason=f"the priority {new.priority} is out of range")
    for name, text in (("dns1", new.dns1), ("dns2", new.dns2)):
        if text:
            _check_name_server(name, text)


def _check_name_server(name: str, text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise NetworkNotCreated(reason=f"{name} {text} is not an address") from error


def mtu_of(new: NewNetwork, defaults: NetworkDefaults) -> int | None:
    """Return the MTU; one below what IP needs would cut the guests off.

    Raises: NetworkNotCreated.
    """
    mtu = defaults.mtu if new.mtu is None else new.mtu
    least = MIN_MTU if new.cidr_v6 is None else MIN_MTU_V6
    if mtu is not None and not least <= mtu <= MAX_MTU:
        raise NetworkNotCreated(reason=f"the MTU {mtu} is not between {least} and {MAX_MTU}")
    return mtu


def _parse(text: str, what: str) -> IPv4:
    try:
        return IPv4(text)
    except ValueError as error:
        raise NetworkNotCreated(reason=f"{what} {text} is not an IPv4 range") from error


def _parse_address(text: str, what: str) -> Address:
    try:
        return Address(text)
    except ValueError as error:
        raise NetworkNotCreated(reason=f"{what} {text} is not an IPv4 address") from error


def _ranges(new: NewNetwork, existing: Sequence[Network], defaults: NetworkDefaults) -> list[IPv4]:
    """Return free ranges inside cidr, one per network."""
    if new.cidr is None:
        return []
    whole = _parse(new.cidr, "cidr")
    prefix = _prefix(new, whole, defaults)
    taken = [IPv4(network.cidr) for network in existing if network.cidr]
    overlapping = [other for other in taken if other.overlaps(whole)]
    _check_size(IPv4((whole.network_address, prefix)), new.num_networks)
    starts = _free_starts(_Space.of(whole, prefix), overlapping, new.num_networks)
    if len(starts) == new.num_networks:
        return [IPv4((start, prefix)) for start in starts]
    if overlapping:
        raise CidrConflict(cidr=new.cidr, other=str(overlapping[0]))
    raise NetworkNotCreated(reason=f"{new.cidr} is too small for {new.num_networks} networks")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Space:
    """A range as numbers, to be cut into pieces of a size."""

    first: int
    last: int
    piece: int

    @classmethod
    def of(cls, whole: IPv4 | ipaddress.IPv6Network, prefix: int) -> "_Space":
        """Return a range that is cut into pieces of a prefix."""
        return cls(
            first=int(whole.network_address),
            last=int(whole.broadcast_address),
            piece=1 << (whole.max_prefixlen - prefix),
        )


def _free_starts(
    space: _Space, taken: Iterable[IPv4 | ipaddress.IPv6Network], wanted: int
) -> list[int]:
    """Return where the first free pieces begin, at most as many as wanted.

    Goes from one taken range to the next: a range may have millions of pieces.
    """
    blocked = sorted((int(one.network_address), int(one.broadcast_address)) for one in taken)
    free: list[int] = []
    start = space.first
    for first, last in [*blocked, (space.last + 1, space.last + 1)]:
        room = max(0, (first - start) // space.piece)
        count = min(room, wanted - len(free))
        free += [start + index * space.piece for index in range(count)]
        behind = -(-(last + 1) // space.piece) * space.piece
        start = max(start, behind)
    return free


def _check_size(piece: IPv4, number: int) -> None:
    if piece.prefixlen > 30:
        raise NetworkNotCreated(reason=f"{piece} is too small: a network needs 4 addresses")
    if piece.num_addresses * number > MAX_ADDRESSES:
        raise NetworkNotCreated(reason=f"more than {MAX_ADDRESSES} addresses are not made at once")


def _prefix(new: NewNetwork, whole: IPv4, defaults: NetworkDefaults) -> int:
    """Return the prefix of each network; without a wish none is larger than network_size."""
    size = new.network_size
    if size is None:
        size = whole.num_addresses // new.num_networks
        if size > defaults.network_size:
            LOG.warning(
                "Networks of %s get %s addresses each; network_size allows more",
                whole,
                defaults.network_size,
            )
            size = defaults.network_size
    prefix = 32 - max(size, 1).bit_length() + 1
    if prefix < whole.prefixlen or size < 1:
        raise NetworkNotCreated(reason=f"{whole} has not {size} addresses for each network")
    return prefix


def _ranges_v6(new: NewNetwork, existing: Sequence[Network]) -> list[ipaddress.IPv6Network]:
    if new.cidr_v6 is None:
        return []
    try:
        whole = ipaddress.IPv6Network(new.cidr_v6)
    except ValueError as error:
        raise NetworkNotCreated(reason=f"cidr_v6 {new.cidr_v6} is not an IPv6 range") from error
    if whole.prefixlen > MAX_PREFIX_V6:
        raise NetworkNotCreated(reason=f"an IPv6 range must be at least a /{MAX_PREFIX_V6}")
    prefix = whole.prefixlen if new.num_networks == 1 else MAX_PREFIX_V6
    taken = [ipaddress.IPv6Network(network.cidr_v6) for network in existing if network.cidr_v6]
    overlapping = [other for other in taken if other.overlaps(whole)]
    starts = _free_starts(_Space.of(whole, prefix), overlapping, new.num_networks)
    if len(starts) == new.num_networks:
        return [ipaddress.IPv6Network((start, prefix)) for start in starts]
    if overlapping:
        raise CidrConflict(cidr=new.cidr_v6, other=str(overlapping[0]))
    raise NetworkNotCreated(reason=f"{whole} is too small for {new.num_networks} networks")


def _vlan(
    new: NewNetwork, existing: Sequence[Network], defaults: NetworkDefaults, index: int
) -> int | None:
    if not _has_vlans(new, defaults):
        return None
    used = {network.vlan for network in existing if network.vlan is not None}
    if new.vlan is not None:
        vlan = new.vlan
        if vlan in used:
            raise VlanInUse(vlan=vlan)
    else:
        start = defaults.vlan_start if new.vlan_start is None else new.vlan_start
        if start + new.num_networks > MAX_VLAN:
            raise NetworkNotCreated(
                reason=f"the first VLAN and the number of networks add up to more than {MAX_VLAN}"
            )
        vlan = max([start - 1, *(number for number in used if number >= start)]) + 1 + index
    if not 1 <= vlan <= MAX_VLAN:
        raise NetworkNotCreated(reason=f"VLAN {vlan} is not between 1 and {MAX_VLAN}")
    return vlan


def _has_vlans(new: NewNetwork, defaults: NetworkDefaults) -> bool:
    asked = new.vlan is not None or new.vlan_start is not None
    return asked or defaults.manager is ManagerKind.VLAN


def _plan_one(new: NewNetwork, part: _Part, defaults: NetworkDefaults) -> PlannedNetwork:
    bridge, interface = _devices(new, part, defaults)
    columns: dict[str, str | int | bool | None] = {
        "label": part.label,
        "bridge": bridge,
        "bridge_interface": interface,
        "dns1": new.dns1 or defaults.dns1,
        "dns2": new.dns2,
        "mtu": mtu_of(new, defaults),
        "vlan": part.vlan,
        "multi_host": new.multi_host,
        "enable_dhcp": new.enable_dhcp,
        "share_address": new.share_address,
        "project_id": new.project_id,
        "priority": new.priority,
    }
    if part.cidr_v6 is not None:
        columns |= {
            "cidr_v6": str(part.cidr_v6),
            "gateway_v6": _gateway_v6(new, part.cidr_v6),
            "netmask_v6": str(part.cidr_v6.prefixlen),
        }
    if part.cidr is None:
        return PlannedNetwork(columns=columns, addresses=())
    return _plan_addresses(new, part, part.cidr, columns, defaults)


def _gateway_v6(new: NewNetwork, cidr_v6: ipaddress.IPv6Network) -> str:
    """Return the IPv6 gateway; it may be a link-local address as well."""
    if new.gateway_v6 is None:
        return str(cidr_v6[1])
    try:
        gateway = ipaddress.IPv6Address(new.gateway_v6)
    except ValueError as error:
        raise NetworkNotCreated(
            reason=f"gateway_v6 {new.gateway_v6} is not an IPv6 address"
        ) from error
    if gateway not in cidr_v6 and not gateway.is_link_local:
        raise NetworkNotCreated(reason=f"gateway_v6 {gateway} is not inside {cidr_v6}")
    return str(gateway)


def _devices(
    new: NewNetwork, part: _Part, defaults: NetworkDefaults
) -> tuple[str | None, str | None]:
    """Return the bridge of a network, and the card that it is joined to."""
    if part.vlan is None:
        bridge, interface = new.bridge or defaults.bridge, defaults.bridge_interface
    else:
        bridge, interface = new.bridge or f"br{part.vlan}", defaults.vlan_interface
    interface = new.bridge_interface or interface
    if part.vlan is None and bridge is None:
        raise NetworkNotCreated(reason="a bridge is required, or the option flat_network_bridge")
    if defaults.manager is ManagerKind.VLAN and interface is None:
        raise NetworkNotCreated(
            reason="a bridge_interface is required, or the option vlan_interface"
        )
    for name in (bridge, interface):
        if name is not None and not _DEVICE.fullmatch(name):
            raise NetworkNotCreated(reason=f"{name!r} can not be the name of a network device")
    return bridge, interface


def _plan_addresses(
    new: NewNetwork,
    part: _Part,
    cidr: IPv4,
    columns: dict[str, str | int | bool | None],
    defaults: NetworkDefaults,
) -> PlannedNetwork:
    low, high = _allowed(new, cidr)
    gateway = _inside(new.gateway, "gateway", cidr) if new.gateway else low
    first = low + 1 if gateway == low else low
    dhcp_server = _inside(new.dhcp_server, "dhcp_server", cidr) if new.dhcp_server else gateway
    kept = {cidr.network_address, cidr.broadcast_address, gateway, dhcp_server}
    if part.vlan is not None:
        columns |= {
            "vpn_private_address": str(first),
            "vpn_public_port": _vpn_port(new, part, defaults),
        }
        kept.add(first)
        first += 1
        kept.update(cidr.broadcast_address - 1 - count for count in range(defaults.vpn_clients))
    columns |= {
        "cidr": str(cidr),
        "netmask": str(cidr.netmask),
        "broadcast": str(cidr.broadcast_address),
        "gateway": str(gateway),
        "dhcp_server": str(dhcp_server),
        "dhcp_start": str(first),
    }
    addresses = tuple(
        (str(address), address in kept or not low <= address <= high) for address in cidr
    )
    return PlannedNetwork(columns=columns, addresses=addresses)


def _vpn_port(new: NewNetwork, part: _Part, defaults: NetworkDefaults) -> int:
    port = (defaults.vpn_start if new.vpn_start is None else new.vpn_start) + part.index
    if not 1 <= port <= MAX_PORT:
        raise NetworkNotCreated(reason=f"VPN port {port} is not between 1 and {MAX_PORT}")
    return port


def _inside(text: str, what: str, cidr: IPv4) -> Address:
    """Return a host's address in a range."""
    address = _parse_address(text, what)
    if address not in cidr or address in (cidr.network_address, cidr.broadcast_address):
        raise NetworkNotCreated(reason=f"{what} {text} is not an address of {cidr}")
    return address


def _allowed(new: NewNetwork, cidr: IPv4) -> tuple[Address, Address]:
    """Return the first and last address that guests, gateway and DHCP may have."""
    low, high = cidr.network_address + 1, cidr.broadcast_address - 1
    if new.fixed_cidr:
        inner = _parse(new.fixed_cidr, "fixed_cidr")
        if not inner.subnet_of(cidr):
            raise NetworkNotCreated(reason=f"fixed_cidr {inner} is not inside {cidr}")
        low, high = max(low, inner.network_address), min(high, inner.broadcast_address)
    if new.allowed_start:
        low = _parse_address(new.allowed_start, "allowed_start")
    if new.allowed_end:
        high = _parse_address(new.allowed_end, "allowed_end")
    if low not in cidr or high not in cidr or low > high:
        raise NetworkNotCreated(reason=f"addresses {low} to {high} are not a part of {cidr}")
    return low, high
