"""The traffic of one stored rule, as iptables matches it.  Pure.

What can not be matched exactly is left out: a rule never lets through more than it says.
Source: nova-network, section 7.2; security checklist NET-08.
"""

import dataclasses
import enum
import ipaddress
import socket

# As iptables-save calls them on every host; others are numbers.
_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp"}
_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "ipv6-icmp": 58}
_WITH_PORTS = (6, 17)
_ICMP, _ICMP_V6 = 1, 58
# What the types of ICMP are in ICMPv6, and whether their codes mean the same.
_TWINS = {8: (128, True), 0: (129, True), 3: (1, False), 11: (3, True), 12: (4, False)}
_ANY = (None, -1)
_MAX_PORT = 65535
_MAX_TYPE = 255


class Family(enum.IntEnum):
    """Version of the Internet protocol."""

    IPV4 = 4
    IPV6 = 6

    @classmethod
    def of(cls, address: str) -> "Family":
        """Return the family of an address or a range."""
        return cls(ipaddress.ip_interface(address).version)


@dataclasses.dataclass(frozen=True, slots=True)
class Traffic:
    """What a rule is about: fields as in SecurityGroupRule."""

    protocol: str | None
    from_port: int | None
    to_port: int | None
    cidr: str | None = None
    ethertype: str | None = None


def network_text(cidr: str) -> str:
    """Return an address or a range as iptables-save prints it."""
    network = ipaddress.ip_network(cidr, strict=False)
    packed = network.network_address.packed
    kind = socket.AF_INET if network.version == 4 else socket.AF_INET6
    return f"{socket.inet_ntop(kind, packed)}/{network.prefixlen}"


def traffic_matches(traffic: Traffic, family: Family) -> tuple[str, ...]:
    """Return the matches that together are the traffic in one family; "" matches everything."""
    if not _is_in(traffic, family):
        return ()
    source = _source(traffic.cidr)
    found = _protocol_matches(traffic, family)
    return tuple(" ".join(part for part in (source, match) if part) for match in found)


def _is_in(traffic: Traffic, family: Family) -> bool:
    if traffic.ethertype is not None and traffic.ethertype != f"IPv{family.value}":
        return False
    return traffic.cidr is None or Family.of(traffic.cidr) is family


def _source(cidr: str | None) -> str:
    if cidr is None or ipaddress.ip_network(cidr, strict=False).prefixlen == 0:
        return ""
    return f"-s {network_text(cidr)}"


def _protocol_matches(traffic: Traffic, family: Family) -> list[str]:
    """Return the matches of protocol and ports.

    Ports without a protocol are those of the protocols that have ports.
    """
    bounded = traffic.from_port not in _ANY or traffic.to_port not in _ANY
    if traffic.protocol is None:
        if not bounded:
            return [""]
        return [match for one in _WITH_PORTS for match in _port_matches(one, traffic)]
    number = _number(traffic.protocol)
    if number in _WITH_PORTS:
        return _port_matches(number, traffic)
    if number in (_ICMP, _ICMP_V6):
        return _icmp_matches(number, traffic, family)
    if number is None or bounded:
        return []
    return [f"-p {number}"]


def _number(protocol: str) -> int | None:
    """Return the number of a protocol; 0 has a meaning of its own for iptables."""
    known = _NUMBERS.get(protocol.lower())
    if known is not None:
        return known
    if not (protocol.isascii() and protocol.isdecimal()) or len(protocol) > 3:
        return None
    number = int(protocol)
    return number if 0 < number <= 255 else None


def _port_matches(number: int, traffic: Traffic) -> list[str]:
    name, first, last = _NAMES[number], traffic.from_port, traffic.to_port
    if first in _ANY and last in _ANY:
        return [f"-p {name}"]
    first = last if first is None or first == -1 else first
    last = first if last is None or last == -1 else last
    if first is None or last is None or not 0 <= first <= last <= _MAX_PORT:
        return []
    if first == last:
        return [f"-p {name} -m {name} --dport {first}"]
    if (first, last) == (0, _MAX_PORT):
        return [f"-p {name}"]
    return [f"-p {name} -m multiport --dports {first}:{last}"]


def _icmp_matches(number: int, traffic: Traffic, family: Family) -> list[str]:
    """Return the match of type and code.

    A rule about ICMP in both families means, of ICMPv6, the types of the same purpose.
    """
    kind, code = traffic.from_port, traffic.to_port
    if number == _ICMP_V6 and family is Family.IPV4:
        return []
    name = "icmp" if family is Family.IPV4 else "ipv6-icmp"
    if kind is None or kind == -1:
        return [f"-p {name}"]
    is_twin = number == _ICMP and family is Family.IPV6
    if is_twin and traffic.ethertype is None and traffic.cidr is None:
        kind, same_code = _TWINS.get(kind, (None, False))
        if kind is None or (code not in _ANY and not same_code):
            return []
    if not 0 <= kind <= _MAX_TYPE or not (code in _ANY or 0 <= (code or 0) <= _MAX_TYPE):
        return []
    exact = f"{kind}" if code in _ANY else f"{kind}/{code}"
    if family is Family.IPV4:
        return [f"-p icmp -m icmp --icmp-type {exact}"]
    return [f"-p ipv6-icmp -m icmp6 --icmpv6-type {exact}"]
