"""Bridges, addresses and routes through netlink, with the rights of nova-network.

Every function is safe to repeat and tells whether it changed anything.  A bridge that we
made carries MARK and our own addresses in its alias, so that a later process knows what it
may remove.
"""

import contextlib
import errno
from collections.abc import Sequence
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from nova.privileged import checks, vlans
from nova.privileged.address_order import AddressPlan, plan_addresses
from nova.privileged.context import network_pctxt
from nova.privileged.netlink import find_link as _find_link
from nova.privileged.netlink import get_link as _get_link
from nova.privileged.netlink import open_netlink as _netlink

MARK = "nova-network"
AGEING_CENTISECONDS = 30000
_IPV4 = 2
_IPV6 = 10
_PERMANENT = 0x80
_NO_DUPLICATE_DETECTION = 0x02
_SCOPE_GLOBAL = 0
_SCOPE_LINK = 253
_PROTOCOL_KERNEL = 2
_TABLE_MAIN = 254


def _set_sysctl(path: str, value: str) -> bool:
    """Write a kernel setting unless it has the value, or does not exist in this kernel."""
    try:
        with open(path) as setting:
            if setting.read().strip() == value:
                return False
        with open(path, "w") as setting:
            setting.write(value)
    except FileNotFoundError:
        return False
    return True


@network_pctxt.entrypoint
def enable_forwarding() -> bool:
    """Let the host forward IPv4 packets."""
    return _set_sysctl("/proc/sys/net/ipv4/ip_forward", "1")


@network_pctxt.entrypoint
def enable_forwarding_v6() -> bool:
    """Let the host forward IPv6 packets."""
    return _set_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1")


@network_pctxt.entrypoint
def ensure_local_address(address: str) -> bool:
    """Give the loopback device an address that is valid on this host only."""
    return _change_local_address("add", address)


@network_pctxt.entrypoint
def remove_local_address(address: str) -> bool:
    """Take such an address away again."""
    return _change_local_address("del", address)


def _change_local_address(operation: str, address: str) -> bool:
    checked = checks.ipv4_address(address)
    with _netlink() as netlink:
        index = _get_link(netlink, "lo")["index"]
        present = any(
            one.get_attr("IFA_LOCAL") == checked
            for one in netlink.get_addr(index=index, family=_IPV4)
        )
        if present == (operation == "add"):
            return False
        netlink.addr(operation, index=index, address=checked, prefixlen=32, scope=_SCOPE_LINK)
    return True


@network_pctxt.entrypoint
def list_own_bridges() -> list[str]:
    """Return the names of the bridges that nova-network made on this host."""
    with _netlink() as netlink:
        return sorted(
            link.get_attr("IFLA_IFNAME")
            for link in netlink.get_links()
            if _is_own(link) and not vlans.is_vlan(link)
        )


@network_pctxt.entrypoint
def ensure_vlan(vlan_id: int, interface: str, mtu: int | None) -> bool:
    """Make the device of a VLAN on a card, up and without IPv6 of the host.

    A device of ours that has the name but another card or VLAN is made anew.
    Raises: ValueError for an argument that is refused or a missing card, OSError.
    """
    name = vlans.device_name(vlan_id)
    checks.interface_name(interface)
    with _netlink() as netlink:
        card = _get_link(netlink, interface)
        changed = vlans.make(netlink, vlan_id, card["index"], MARK)
        changed |= _set_sysctl(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1")
        changed |= vlans.set_mtu(netlink, name, mtu)
        changed |= _bring_up(netlink, interface)
        changed |= _bring_up(netlink, name)
    return changed


@network_pctxt.entrypoint
def ensure_bridge(
    name: str,
    interface: str | None,
    addresses: Sequence[str],
    addresses_v6: Sequence[str] | None,
    mtu: int | None,
) -> bool:
    """Make a bridge as wanted, with the given addresses first.

    The host has no IPv6 on it before it goes up, and with addresses_v6 None not later.
    Addresses and routes of interface move to the bridge.
    Raises: ValueError for an argument that is refused or a missing interface, OSError.
    """
    checks.interface_name(name)
    wanted = [str(checks.ipv4_interface(one)) for one in addresses]
    wanted_v6 = [str(checks.ipv6_interface(one)) for one in addresses_v6 or ()]
    if mtu is not None:
        checks.number_between(mtu, 68, 65535)
    with _netlink() as netlink:
        port = _get_link(netlink, checks.interface_name(interface)) if interface else None
        changed = _make_bridge(netlink, name)
        if addresses_v6 is None:
            changed |= _set_sysctl(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1")
        changed |= _tune_bridge(netlink, name, mtu)
        if port is not None:
            changed |= _drop_other_vlans(netlink, name, port)
            changed |= _add_port(netlink, name, port)
        changed |= _order_addresses(netlink, name, wanted)
        changed |= _bring_up(netlink, name)
        if addresses_v6 is not None:
            changed |= _allow_ipv6(name)
            changed |= _set_addresses_v6(netlink, name, wanted_v6)
        changed |= _mark(netlink, name, [*wanted, *wanted_v6])
    return changed


def _allow_ipv6(name: str) -> bool:
    """Let the host be a router on a bridge: it takes no address or route from others there."""
    folder = f"/proc/sys/net/ipv6/conf/{name}"
    changed = _set_sysctl(f"{folder}/accept_ra", "0")
    changed |= _set_sysctl(f"{folder}/autoconf", "0")
    return _set_sysctl(f"{folder}/disable_ipv6", "0") or changed


def _set_addresses_v6(netlink: IPRoute, name: str, wanted: list[str]) -> bool:
    """Give a bridge its IPv6 addresses, and take away those that were ours before."""
    link = _get_link(netlink, name)
    index = link["index"]
    present = _addresses(netlink, index, _IPV6)
    stale = [one for one in _own_addresses(link, _IPV6) if one in present and one not in wanted]
    missing = [one for one in wanted if one not in present]
    for operation, addresses in (("del", stale), ("add", missing)):
        for address in addresses:
            checked = checks.ipv6_interface(address)
            # Without duplicate detection, since it would leave guests without router meanwhile.
            netlink.addr(
                operation, index=index, family=_IPV6, address=str(checked.ip),
                prefixlen=checked.network.prefixlen, flags=_NO_DUPLICATE_DETECTION | _PERMANENT,
            )  # fmt: skip
    return bool(stale or missing)


def _mark(netlink: IPRoute, name: str, addresses: Sequence[str]) -> bool:
    """Note which addresses are ours on a bridge of ours."""
    link = _get_link(netlink, name)
    wanted = " ".join([MARK, *addresses])
    if not _is_own(link) or link.get_attr("IFLA_IFALIAS") == wanted:
        return False
    netlink.link("set", index=link["index"], IFLA_IFALIAS=wanted)
    return True


def _drop_other_vlans(netlink: IPRoute, name: str, port: Any) -> bool:
    """Remove VLANs of ours that a bridge had before, so that it carries no frames of theirs."""
    bridge = _get_link(netlink, name)
    others = [
        one
        for one in _ports(netlink, bridge)
        if one["index"] != port["index"] and vlans.is_made_by(one, MARK)
    ]
    for other in others:
        netlink.link("del", index=other["index"])
    return bool(others)


def _ports(netlink: IPRoute, bridge: Any) -> list[Any]:
    return [one for one in netlink.get_links() if one.get_attr("IFLA_MASTER") == bridge["index"]]


def _make_bridge(netlink: IPRoute, name: str) -> bool:
    link = _find_link(netlink, name)
    if link is not None:
        if link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") != "bridge":
            raise ValueError(f"the network device {name} is no bridge")
        return False
    try:
        netlink.link(
            "add",
            ifname=name,
            kind="bridge",
            br_forward_delay=0,
            br_stp_state=0,
            br_ageing_time=AGEING_CENTISECONDS,
        )
    except NetlinkError as error:
        if error.code == errno.EEXIST:  # made by another daemon meanwhile
            return False
        raise
    _set_sysctl(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1")
    link = _get_link(netlink, name)
    # Said explicitly, the address stays when ports with lower addresses come and go.
    netlink.link("set", index=link["index"], address=link.get_attr("IFLA_ADDRESS"))
    netlink.link("set", index=link["index"], IFLA_IFALIAS=MARK)
    return True


def _tune_bridge(netlink: IPRoute, name: str, mtu: int | None) -> bool:
    """Set delay, spanning tree, ageing and MTU where they differ."""
    link = _get_link(netlink, name)
    data = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
    attributes: dict[str, int] = {}
    if data.get_attr("IFLA_BR_STP_STATE") != 0:
        attributes["br_stp_state"] = 0
    if data.get_attr("IFLA_BR_FORWARD_DELAY") != 0:
        attributes["br_forward_delay"] = 0
    if data.get_attr("IFLA_BR_AGEING_TIME") == 0:
        attributes["br_ageing_time"] = AGEING_CENTISECONDS
    if attributes:
        netlink.link("set", index=link["index"], kind="bridge", **attributes)
    if mtu is not None and link.get_attr("IFLA_MTU") != mtu:
        netlink.link("set", index=link["index"], mtu=mtu)
        return True
    return bool(attributes)


def _add_port(netlink: IPRoute, name: str, port: Any) -> bool:
    """Make a device a port of the bridge and move its addresses and routes there."""
    bridge = _get_link(netlink, name)
    changed = False
    if port.get_attr("IFLA_MASTER") != bridge["index"]:
        netlink.link("set", index=port["index"], master=bridge["index"])
        netlink.link("set", index=bridge["index"], address=port.get_attr("IFLA_ADDRESS"))
        changed = True
    if port["state"] != "up":
        netlink.link("set", index=port["index"], state="up")
        changed = True
    addresses = _addresses(netlink, port["index"])
    if addresses:
        _bring_up(netlink, name)
        _move(netlink, port["index"], bridge["index"], addresses)
        changed = True
    return changed


def _move(netlink: IPRoute, source: int, target: int, addresses: Sequence[str]) -> None:
    """Move addresses and the routes that depend on them between devices."""
    routes = _routes(netlink, source)
    for address in addresses:
        _change_address(netlink, "del", source, address)
        _change_address(netlink, "add", target, address)
    for route in routes:
        netlink.route("replace", oif=target, **route)


def _order_addresses(netlink: IPRoute, name: str, wanted: list[str]) -> bool:
    """Put the wanted addresses first and drop those that were ours before."""
    link = _get_link(netlink, name)
    index, former = link["index"], _own_addresses(link)
    plan = plan_addresses(_addresses(netlink, index), wanted, former)
    changed = plan != AddressPlan()
    if changed:
        routes = _routes(netlink, index) if plan.remove else []
        for address in plan.remove:
            _change_address(netlink, "del", index, address)
        for address in plan.add:
            _change_address(netlink, "add", index, address)
        _bring_up(netlink, name)
        for route in routes:
            with contextlib.suppress(NetlinkError):  # its gateway may have gone
                netlink.route("replace", oif=index, **route)
    return changed


@network_pctxt.entrypoint
def delete_bridge(name: str) -> bool:
    """Remove a bridge of ours without guests, and its VLAN.

    A card gets the host's addresses back.
    """
    checks.interface_name(name)
    with _netlink() as netlink:
        link = _find_link(netlink, name)
        if link is None or not _is_own(link):
            return False
        ports = _ports(netlink, link)
        if len(ports) > 1 or any(_is_tap(port) for port in ports):
            return False
        for address in _own_addresses(link):
            _change_address(netlink, "del", link["index"], address)
        for port in ports:
            netlink.link("set", index=port["index"], master=0)
            if _is_own(port):
                netlink.link("del", index=port["index"])
                continue
            _move(netlink, link["index"], port["index"], _addresses(netlink, link["index"]))
        netlink.link("del", index=link["index"])
    return True


def _is_tap(link: Any) -> bool:
    return link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "tun"


def _is_own(link: Any) -> bool:
    return (link.get_attr("IFLA_IFALIAS") or "").split(" ")[0] == MARK


def _own_addresses(link: Any, family: int = _IPV4) -> list[str]:
    noted = (link.get_attr("IFLA_IFALIAS") or "").split(" ")[1:] if _is_own(link) else []
    return [one for one in noted if (":" in one) == (family == _IPV6)]


def _bring_up(netlink: IPRoute, name: str) -> bool:
    link = _get_link(netlink, name)
    if link["state"] == "up":
        return False
    netlink.link("set", index=link["index"], state="up")
    return True


def _addresses(netlink: IPRoute, index: int, family: int = _IPV4) -> list[str]:
    return [
        f"{one.get_attr('IFA_LOCAL') or one.get_attr('IFA_ADDRESS')}/{one['prefixlen']}"
        for one in netlink.get_addr(index=index, family=family)
        if one["scope"] == _SCOPE_GLOBAL
    ]


def _change_address(netlink: IPRoute, operation: str, index: int, address: str) -> None:
    """Add or delete an address; one that is there, or gone, already is fine."""
    checked = checks.ipv4_interface(address)
    if (str(checked) in _addresses(netlink, index)) == (operation == "add"):
        return
    broadcast = {"broadcast": str(checked.network.broadcast_address)} if operation == "add" else {}
    netlink.addr(
        operation, index=index, address=str(checked.ip),
        prefixlen=checked.network.prefixlen, **broadcast,
    )  # fmt: skip


def _routes(netlink: IPRoute, index: int) -> list[dict[str, Any]]:
    """Return the routes that somebody set through a device, those without gateway first."""
    found = []
    for route in netlink.get_routes(family=_IPV4, oif=index, table=_TABLE_MAIN):
        if route["proto"] == _PROTOCOL_KERNEL or route["type"] != 1:
            continue
        values = {
            "dst": f"{route.get_attr('RTA_DST') or '0.0.0.0'}/{route['dst_len']}",
            "gateway": route.get_attr("RTA_GATEWAY"),
            "priority": route.get_attr("RTA_PRIORITY"),
            "prefsrc": route.get_attr("RTA_PREFSRC"),
            "scope": route["scope"],
            "proto": route["proto"],
        }
        found.append({key: value for key, value in values.items() if value is not None})
    return sorted(found, key=lambda one: "gateway" in one)
