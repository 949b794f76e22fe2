"""Floating addresses of the host through netlink, with the rights of nova-network.

Every function is safe to repeat.  An address that we added has the metric MARK, by which a
later process knows what it may remove; an address of 32 bits makes no route, so that the
metric has no other effect.
"""

import ipaddress
import socket
import struct

from nova.privileged import checks, commands
from nova.privileged.commands import CommandOutcome
from nova.privileged.context import network_pctxt
from nova.privileged.netlink import find_link, get_link, open_netlink

MARK = 28271
ATTEMPTS = {
    "tcp": ["-p", "tcp", "--state", "SYN_SENT"],
    "udp": ["-p", "udp"],
    "icmp": ["-p", "icmp"],
}
_IPV4 = 2
_BROADCAST = b"\xff" * 6
_ETHERNET, _ARP, _REQUEST = 1, 0x0806, 1


@network_pctxt.entrypoint
def list_addresses() -> list[tuple[str, str]]:
    """Return the floating addresses on this host, each with its network device."""
    with open_netlink() as netlink:
        names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in netlink.get_links()}
        return sorted(
            (one.get_attr("IFA_LOCAL"), names[one["index"]])
            for one in netlink.get_addr(family=_IPV4)
            if one.get_attr("IFA_RT_PRIORITY") == MARK and one["prefixlen"] == 32
        )


@network_pctxt.entrypoint
def device_of(name: str) -> str | None:
    """Return the device that holds addresses for a card: its bridge, if it is in one.

    None: there is no such device.
    """
    checks.interface_name(name)
    with open_netlink() as netlink:
        link = find_link(netlink, name)
        if link is None:
            return None
        master = link.get_attr("IFLA_MASTER")
        holder = netlink.get_links(master)[0] if master else link
        return str(holder.get_attr("IFLA_IFNAME"))


@network_pctxt.entrypoint
def add_address(address: str, device: str) -> bool:
    """Let this host answer for an address; False: it has it already, maybe not from us.

    Raises: ValueError for a missing device, OSError.
    """
    checked = checks.ipv4_address(address)
    with open_netlink() as netlink:
        index = get_link(netlink, checks.interface_name(device))["index"]
        present = netlink.get_addr(family=_IPV4, index=index)
        if any(one.get_attr("IFA_LOCAL") == checked for one in present):
            return False
        netlink.addr("add", index=index, address=checked, prefixlen=32, IFA_RT_PRIORITY=MARK)
    return True


@network_pctxt.entrypoint
def remove_address(address: str, device: str) -> bool:
    """Take away an address that add_address() added."""
    checked = checks.ipv4_address(address)
    with open_netlink() as netlink:
        link = find_link(netlink, checks.interface_name(device))
        if link is None:
            return False
        index = link["index"]
        ours = any(
            one.get_attr("IFA_LOCAL") == checked
            and one["prefixlen"] == 32
            and one.get_attr("IFA_RT_PRIORITY") == MARK
            for one in netlink.get_addr(family=_IPV4, index=index)
        )
        if ours:
            netlink.addr("del", index=index, address=checked, prefixlen=32)
    return ours


@network_pctxt.entrypoint
def announce_address(address: str, device: str, count: int) -> None:
    """Tell the neighbours of a device that an address is here now.

    Source: RFC 5227, section 2.3 (ARP announcement).  Raises: ValueError, OSError.
    """
    packed = ipaddress.IPv4Address(checks.ipv4_address(address)).packed
    checks.number_between(count, 1, 10)
    with open_netlink() as netlink:
        mac = get_link(netlink, checks.interface_name(device)).get_attr("IFLA_ADDRESS")
    source = bytes.fromhex(checks.mac_address(mac).replace(":", ""))
    frame = (
        _BROADCAST
        + source
        + struct.pack("!HHHBBH", _ARP, _ETHERNET, 0x0800, 6, 4, _REQUEST)
        + source
        + packed
        + bytes(6)
        + packed
    )
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((device, 0))
        for _ in range(count):
            sender.send(frame)


@network_pctxt.entrypoint
def get_conntrack_version() -> CommandOutcome:
    """Return what conntrack says of itself."""
    return commands.run(["conntrack", "--version"])


@network_pctxt.entrypoint
def cut_connections_to(address: str) -> CommandOutcome:
    """Forget the tracked connections that came to an address."""
    return _cut(["--orig-dst", checks.ipv4_address(address)])


@network_pctxt.entrypoint
def cut_connections_from(address: str) -> CommandOutcome:
    """Forget the tracked connections that seemed to come from an address."""
    return _cut(["--reply-dst", checks.ipv4_address(address)])


@network_pctxt.entrypoint
def cut_attempts_at(address: str, protocol: str) -> CommandOutcome:
    """Forget what was sent to an address by a protocol, but for TCP connections that are open."""
    if protocol not in ATTEMPTS:
        raise ValueError("not a protocol of ATTEMPTS")
    return _cut([*ATTEMPTS[protocol], "--orig-dst", checks.ipv4_address(address)])


def _cut(choice: list[str]) -> CommandOutcome:
    """Delete connections; that there are none is fine."""
    outcome = commands.run(["conntrack", "-D", *choice])
    if outcome[0] == 1 and " 0 flow entries" in outcome[2]:
        return 0, "", outcome[2]
    return outcome
