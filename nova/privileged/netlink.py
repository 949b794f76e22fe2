"""Opening netlink and finding network devices, for the privileged functions."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError


@contextlib.contextmanager
def open_netlink() -> Iterator[IPRoute]:
    """Open netlink.  Raises: OSError for what the kernel refuses."""
    try:
        with IPRoute() as netlink:
            yield netlink
    except NetlinkError as error:
        raise OSError(error.code, os.strerror(error.code)) from error


def find_link(netlink: IPRoute, name: str) -> Any | None:
    """Return a network device."""
    indexes = netlink.link_lookup(ifname=name)
    return netlink.get_links(indexes[0])[0] if indexes else None


def get_link(netlink: IPRoute, name: str) -> Any:
    """Return a network device.  Raises: ValueError when there is none."""
    link = find_link(netlink, name)
    if link is None:
        raise ValueError(f"there is no network device {name}")
    return link
