"""The host's side of guests' network interfaces.

libvirt makes the tap device and puts it into the bridge; the bridge must exist.
"""

import logging
import os

from nova import exception
from nova.objects.network import Network, Vif
from nova.privileged import guest_bridges, vlans

LOG = logging.getLogger(__name__)

_DEVICES = "/sys/class/net"


def plug(vifs: tuple[Vif, ...]) -> None:
    """Make sure that the bridges of a guest exist.  Raises: DriverError.

    The bridge of a multi_host network is made by nova-network of the same host, with its
    addresses; it is not made here, since guests would have no DHCP server.  That of a VLAN is
    looked after even if it exists, since it may have carried another VLAN.
    """
    for vif in vifs:
        network = vif.network
        if not network.bridge:
            _fail(network, "it names no bridge.")
        elif _is_made_here(network) or not _exists(network.bridge):
            _make_bridge(network, network.bridge)


def _exists(bridge: str) -> bool:
    return os.path.isdir(os.path.join(_DEVICES, bridge, "bridge"))


def _is_made_here(network: Network) -> bool:
    """Tell whether this host has to make the VLAN of a network, if nova-network has not."""
    if network.multi_host or network.vlan is None:
        return False
    return network.bridge_interface is not None


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
