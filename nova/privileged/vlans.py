"""VLAN devices, for all daemons that make them; each marks its own by their alias."""

import errno
from typing import Any

from pyroute2 import IPRoute, NetlinkError

from nova.privileged import checks

MAX_VLAN = 4094


def device_name(vlan_id: int) -> str:
    """Return the name of the device of a VLAN.  Raises: ValueError."""
    return f"vlan{checks.number_between(vlan_id, 1, MAX_VLAN)}"


def make(netlink: IPRoute, vlan_id: int, card_index: int, mark: str) -> bool:
    """Make the device of a VLAN, down; tell whether there was none.

    A marked device that has the name but another card or VLAN is made anew.
    Raises: ValueError when such a device is not ours.
    """
    name = device_name(vlan_id)
    for index in netlink.link_lookup(ifname=name):
        [link] = netlink.get_links(index)
        if _carries(link, vlan_id, card_index):
            return False
        if not is_made_by(link, mark):
            raise ValueError(f"the network device {name} is another one")
        netlink.link("del", index=index)
    try:
        netlink.link("add", ifname=name, kind="vlan", link=card_index, vlan_id=vlan_id)
    except NetlinkError as error:
        if error.code != errno.EEXIST:
            raise
        return False  # made by another daemon meanwhile
    netlink.link("set", index=netlink.link_lookup(ifname=name)[0], IFLA_IFALIAS=mark)
    return True


def set_mtu(netlink: IPRoute, name: str, mtu: int | None) -> bool:
    """Set the MTU of a device, if one is wanted and it has another."""
    [link] = netlink.get_links(netlink.link_lookup(ifname=name)[0])
    if mtu is None or link.get_attr("IFLA_MTU") == checks.number_between(mtu, 68, 65535):
        return False
    netlink.link("set", index=link["index"], mtu=mtu)
    return True


def is_vlan(link: Any) -> bool:
    """Tell whether a netlink message is about a VLAN device."""
    return bool(link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "vlan")


def is_made_by(link: Any, mark: str) -> bool:
    """Tell whether a device is a VLAN that a daemon made."""
    return is_vlan(link) and link.get_attr("IFLA_IFALIAS") == mark


def _carries(link: Any, vlan_id: int, card_index: int) -> bool:
    if not is_vlan(link) or link.get_attr("IFLA_LINK") != card_index:
        return False
    number = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA", "IFLA_VLAN_ID")
    return bool(number == vlan_id)
