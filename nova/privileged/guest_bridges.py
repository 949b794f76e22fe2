"""Bridges for guests on hosts where no nova-network runs."""

import errno
import os

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from nova.privileged import checks, vlans
from nova.privileged.context import compute_pctxt

_MIN_MTU = 68
_MAX_MTU = 65535


MARK = "nova-compute"


@compute_pctxt.entrypoint
def ensure_vlan(vlan_id: int, interface: str, mtu: int | None) -> None:
    """Make the device of a VLAN on a card, up and without IPv6 addresses of the host.

    Raises: ValueError, OSError.
    """
    name = vlans.device_name(vlan_id)
    checks.interface_name(interface)
    with IPRoute() as netlink:
        try:
            card = netlink.link_lookup(ifname=interface)
            if not card:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            vlans.make(netlink, vlan_id, card[0], MARK)
            _switch_ipv6_off(name)
            vlans.set_mtu(netlink, name, mtu)
            for device in (card[0], *netlink.link_lookup(ifname=name)):
                netlink.link("set", index=device, state="up")
        except NetlinkError as error:
            raise OSError(error.code, os.strerror(error.code)) from None


@compute_pctxt.entrypoint
def ensure_bridge(name: str, interface: str | None, mtu: int | None) -> None:
    """Make a bridge, up and without IPv6 addresses of the host, with one port if given.

    A port that has IPv4 addresses of the host is refused, because they would be cut off.
    Raises: ValueError, OSError.
    """
    checks.interface_name(name)
    if interface is not None:
        checks.interface_name(interface)
    if mtu is not None:
        checks.number_between(mtu, _MIN_MTU, _MAX_MTU)
    with IPRoute() as netlink:
        try:
            _ensure(netlink, name, interface, mtu)
        except NetlinkError as error:
            raise OSError(error.code, os.strerror(error.code)) from None


@compute_pctxt.entrypoint
def set_up_port(tap: str) -> None:
    """Make a guest's port of a bridge as wanted.  Raises: ValueError, OSError.

    The host does not speak IPv6 on it: it would ask the guest for routers.  The bridge may
    send frames back to the port that they came from.
    """
    checks.interface_name(tap)
    _switch_ipv6_off(tap)
    with IPRoute() as netlink:
        try:
            for index in netlink.link_lookup(ifname=tap):
                netlink.brport("set", index=index, mode=1)
        except NetlinkError as error:
            raise OSError(error.code, os.strerror(error.code)) from None


def _ensure(netlink: IPRoute, name: str, interface: str | None, mtu: int | None) -> None:
    if not netlink.link_lookup(ifname=name):
        try:
            netlink.link("add", ifname=name, kind="bridge")
        except NetlinkError as error:
            if error.code != errno.EEXIST:
                raise
        _switch_ipv6_off(name)
    bridge = netlink.link_lookup(ifname=name)[0]
    if mtu is not None:
        netlink.link("set", index=bridge, mtu=mtu)
    if interface is not None:
        _drop_other_vlans(netlink, interface, bridge)
        _enslave(netlink, interface, bridge)
    netlink.link("set", index=bridge, state="up")


def _drop_other_vlans(netlink: IPRoute, interface: str, bridge: int) -> None:
    """Remove VLANs that the bridge had for another network before."""
    for link in netlink.get_links():
        if link.get_attr("IFLA_MASTER") != bridge or link.get_attr("IFLA_IFNAME") == interface:
            continue
        if vlans.is_made_by(link, MARK):
            netlink.link("del", index=link["index"])


def _enslave(netlink: IPRoute, interface: str, bridge: int) -> None:
    found = netlink.link_lookup(ifname=interface)
    if not found:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    if netlink.get_links(found[0])[0].get_attr("IFLA_MASTER") == bridge:
        return
    if any(netlink.get_addr(index=found[0], family=2)):
        raise ValueError("the interface has addresses of the host")
    netlink.link("set", index=found[0], master=bridge)
    netlink.link("set", index=found[0], state="up")


def _switch_ipv6_off(name: str) -> None:
    path = f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"
    if os.path.exists(path):
        with open(path, "w", encoding="ascii") as file:
            file.write("1")
