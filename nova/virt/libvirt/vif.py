"""The host's side of guests' network interfaces.

libvirt makes the tap device and puts it into the bridge; the bridge must exist.
"""

import logging
import os
from collections.abc import Iterable

from nova import exception
from nova.objects.network import Network, Vif
from nova.privileged import guest_bridges, vlans

LOG = logging.getLogger(__name__)

_DEVICES = "/sys/class/net"
_IPV6 = "/proc/sys/net/ipv6/conf"


def plug(vifs: tuple[Vif, ...]) -> None:
    """Make sure that the bridges of a guest exist.  Raises: DriverError.

    The bridge of a multi_host network is made by nova-network of the same host, with its
    addresses; it is not made here, since guests would have no DHCP server.  A bridge
    that carried another VLAN before loses it.
    """
    for vif in vifs:
        network = vif.network
        if not network.bridge:
            _fail(network, "it names no bridge.")
        elif not _is_ready(network, network.bridge):
            _make_bridge(network, network.bridge)


def set_up_ports(vifs: Iterable[Vif]) -> None:
    """Make guests' ports of their bridges as wanted.  Raises: DriverError.

    Guests reach themselves by their floating addresses: on such a way the bridge sends a frame
    back to the port that it came from.  IPv6 sees its own questions about an address as those
    of another, which is why a filter keeps them from their sender.  The host itself has no
    IPv6 on a port.  Interfaces of guests that are off are left alone.
    """
    for vif in vifs:
        if not _wants_set_up(vif.devname):
            continue
        try:
            guest_bridges.set_up_port(vif.devname)
        except (OSError, ValueError) as error:
            LOG.error("Port %s can not be set up: %s", vif.devname, error)
            _fail(vif.network, "a port of its bridge can not be set up.")


def _wants_set_up(device: str) -> bool:
    """Tell whether a device is a port of a bridge that is not as set_up_ports() makes it."""
    hairpin = _read(os.path.join(_DEVICES, device, "brport/hairpin_mode"))
    if hairpin is None:
        return False
    return hairpin == "0" or _read(os.path.join(_IPV6, device, "disable_ipv6")) == "0"


def _read(path: str) -> str | None:
    """Return what the kernel tells in a file; None: there is no such device or setting."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_ready(network: Network, bridge: str) -> bool:
    """Tell whether a bridge exists, and has the VLAN of the network if this host makes it."""
    folder = os.path.join(_DEVICES, bridge)
    if network.vlan is None or network.bridge_interface is None or network.multi_host:
        return os.path.isdir(os.path.join(folder, "bridge"))
    return os.path.exists(os.path.join(folder, "brif", vlans.device_name(network.vlan)))


def _make_bridge(network: Network, bridge: str) -> None:
    if network.multi_host:
        _fail(network, "nova-network has not made its bridge on this host.")
    LOG.info("Making bridge %s for network %s", bridge, network.label)
    try:
        port = network.bridge_interface
        if network.vlan is not None and port is not None:
            guest_bridges.ensure_vlan(network.vlan, port, network.mtu)
            port = vlans.device_name(network.vlan)
        guest_bridges.ensure_bridge(bridge, port, network.mtu)
    except (OSError, ValueError) as error:
        LOG.error("Bridge %s can not be made: %s", bridge, error)
        _fail(network, "its bridge can not be made on this host.")


def _fail(network: Network, reason: str) -> None:
    raise exception.DriverError(operation=f"use network {network.label}", reason=reason)
