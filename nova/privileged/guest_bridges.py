"""Bridges for guests on hosts where no nova-network runs."""

import errno
import os

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from nova.privileged import checks
from nova.privileged.context import compute_pctxt

_MIN_MTU = 68
_MAX_MTU = 65535


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
        _enslave(netlink, interface, bridge)
    netlink.link("set", index=bridge, state="up")


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
