"""Decides, without I/O: what new networks look like, and which networks a server gets.

Source: nova-network, section 2.6 (create_networks) and section 2 (manager classes).
"""

import dataclasses
import ipaddress
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nova.exception import CidrConflict, NetworkNotCreated, NetworkNotFound, PortNotFound
from nova.objects.network import Network, NetworkMode, NewNetwork, RequestedNetwork
from nova.objects.port import HeldPort

MAX_LABEL = 255
MAX_VLAN = 4094
MAX_PREFIX_V6 = 64
MIN_PREFIX = 12

IPv4 = ipaddress.IPv4Network
Address = ipaddress.IPv4Address


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDefaults:
    """What new networks get where the request says nothing."""

    bridge: str | None = None
    bridge_interface: str | None = None
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    index: int
    label: str
    vlan: int | None
    cidr: IPv4 | None
    cidr_v6: ipaddress.IPv6Network | None


def _check(new: NewNetwork) -> None:
    if not new.label or len(new.label) > MAX_LABEL:
        raise NetworkNotCreated(reason=f"the label must have 1 to {MAX_LABEL} characters")
    if new.cidr is None and new.cidr_v6 is None:
        raise NetworkNotCreated(reason="cidr or cidr_v6 is required")
    if new.num_networks < 1:
        raise NetworkNotCreated(reason="the number of networks must be at least 1")
    if new.num_networks > 1 and (new.gateway or new.uuid or new.vlan is not None):
        raise NetworkNotCreated(
            reason="gateway, uuid and vlan can be given for a single network only"
        )
    if new.network_size is not None and new.network_size < 4:
        raise NetworkNotCreated(reason="a network needs at least 4 addresses")


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
    if new.num_networks == 1 and new.network_size is None:
        pieces = iter([whole])
    else:
        pieces = whole.subnets(new_prefix=_prefix(new, whole, defaults))
    taken = [IPv4(network.cidr) for network in existing if network.cidr]
    free: list[IPv4] = []
    for piece in pieces:
        if len(free) == new.num_networks:
            break
        if not any(piece.overlaps(other) for other in taken):
            free.append(piece)
    if len(free) == new.num_networks:
        _check_size(free[0])
        return free
    overlapping = [other for other in taken if other.overlaps(whole)]
    if overlapping:
        raise CidrConflict(cidr=new.cidr, other=str(overlapping[0]))
    raise NetworkNotCreated(reason=f"{new.cidr} is too small for {new.num_networks} networks")


def _check_size(piece: IPv4) -> None:
    if piece.prefixlen > 30:
        raise NetworkNotCreated(reason=f"{piece} is too small: a network needs 4 addresses")
    if piece.prefixlen < MIN_PREFIX:
        raise NetworkNotCreated(
            reason=f"{piece} is too large: give a network_size, or a range of /{MIN_PREFIX} or less"
        )


def _prefix(new: NewNetwork, whole: IPv4, defaults: NetworkDefaults) -> int:
    size = new.network_size
    if size is None:
        size = min(whole.num_addresses // new.num_networks, defaults.network_size)
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
    pieces = iter([whole]) if new.num_networks == 1 else whole.subnets(new_prefix=MAX_PREFIX_V6)
    taken = [ipaddress.IPv6Network(network.cidr_v6) for network in existing if network.cidr_v6]
    free: list[ipaddress.IPv6Network] = []
    for piece in pieces:
        if len(free) == new.num_networks:
            break
        if not any(piece.overlaps(other) for other in taken):
            free.append(piece)
    if len(free) < new.num_networks:
        other = next((str(other) for other in taken if other.overlaps(whole)), new.cidr_v6)
        raise CidrConflict(cidr=new.cidr_v6, other=other)
    return free


def _vlan(
    new: NewNetwork, existing: Sequence[Network], defaults: NetworkDefaults, index: int
) -> int | None:
    if new.vlan is None and new.vlan_start is None:
        return None
    used = {network.vlan for network in existing if network.vlan is not None}
    if new.vlan is not None:
        vlan = new.vlan
        if vlan in used:
            raise NetworkNotCreated(reason=f"VLAN {vlan} is in use")
    else:
        start = new.vlan_start or defaults.vlan_start
        vlan = max([start - 1, *(number for number in used if number >= start)]) + 1 + index
    if not 1 <= vlan <= MAX_VLAN:
        raise NetworkNotCreated(reason=f"VLAN {vlan} is not between 1 and {MAX_VLAN}")
    return vlan


def _plan_one(new: NewNetwork, part: _Part, defaults: NetworkDefaults) -> PlannedNetwork:
    bridge = new.bridge or (f"br{part.vlan}" if part.vlan is not None else defaults.bridge)
    columns: dict[str, str | int | bool | None] = {
        "label": part.label,
        "bridge": bridge,
        "bridge_interface": new.bridge_interface or defaults.bridge_interface,
        "dns1": new.dns1 or defaults.dns1,
        "dns2": new.dns2,
        "mtu": new.mtu if new.mtu is not None else defaults.mtu,
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
            "gateway_v6": new.gateway_v6 or str(part.cidr_v6[1]),
            "netmask_v6": str(part.cidr_v6.prefixlen),
        }
    if part.cidr is None:
        return PlannedNetwork(columns=columns, addresses=())
    return _plan_addresses(new, part, part.cidr, columns, defaults)


def _plan_addresses(
    new: NewNetwork,
    part: _Part,
    cidr: IPv4,
    columns: dict[str, str | int | bool | None],
    defaults: NetworkDefaults,
) -> PlannedNetwork:
    low, high = _allowed(new, cidr)
    gateway = _parse_address(new.gateway, "gateway") if new.gateway else low
    first = low + 1 if gateway == low else low
    dhcp_server = _parse_address(new.dhcp_server, "dhcp_server") if new.dhcp_server else gateway
    kept = {cidr.network_address, cidr.broadcast_address, gateway, dhcp_server}
    if part.vlan is not None:
        columns |= {
            "vpn_private_address": str(first),
            "vpn_public_port": (new.vpn_start or defaults.vpn_start) + part.index,
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
