"""Packet filters against spoofing, as libvirt's nwfilter XML.  Pure.

The filters named nova-... are shared by all guests; one named after the instance and its
MAC address gives them the addresses of one interface.  Everything a guest sends must carry
its own addresses; a guest is neither DHCP server nor router.
Source: libvirt network filter format; nova-network, section 7.1; security checklist NET-01.
"""

import dataclasses
import ipaddress
from xml.etree import ElementTree

from nova.objects.network import Vif

BASE = "nova-base"
WITHOUT_DHCP = "nova-nodhcp"
BASE_V6 = "nova-base-v6"
WITHOUT_DHCP_V6 = "nova-nodhcp-v6"
V6_ONLY = "nova-v6-only"
WITHOUT_ADDRESS = "nova-noaddress"

_NO_ND_REFLECTION = "nova-no-nd-reflection"
_ALLOW_DHCP = "nova-allow-dhcp-server"
_NO_ROGUE_DHCP = "nova-no-rogue-dhcp"
_NO_SPOOFING_V6 = "nova-no-ipv6-spoofing"
_NO_ROGUE_V6 = "nova-no-rogue-ipv6"
_NO_V6 = "nova-no-ipv6"
_NO_V4 = "nova-no-ipv4"
_NO_ARP = "nova-no-arp"
_NO_OTHER = "nova-no-other-traffic"

_ROUTER_ADVERTISEMENT = "134"
_NEIGHBOUR_SOLICITATION = "135"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """One rule: action, direction as the guest sees it, priority, protocol and its match."""

    action: str
    direction: str
    priority: int
    protocol: str | None = None
    match: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter; references are names, with the values they are given."""

    name: str
    chain: str = "root"
    priority: int | None = None
    references: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    rules: tuple[_Rule, ...] = ()

    def xml(self, uuid: str | None = None) -> str:
        """Return the definition; uuid is that of the filter it replaces."""
        root = ElementTree.Element("filter", name=self.name, chain=self.chain)
        if self.priority is not None:
            root.set("priority", str(self.priority))
        if uuid:
            ElementTree.SubElement(root, "uuid").text = uuid
        for reference in self.references:
            element = ElementTree.SubElement(root, "filterref", filter=reference)
            for name, value in self.values:
                ElementTree.SubElement(element, "parameter", name=name, value=value)
        for rule in self.rules:
            attributes = {
                "action": rule.action,
                "direction": rule.direction,
                "priority": str(rule.priority),
            }
            element = ElementTree.SubElement(root, "rule", attributes)
            if rule.protocol:
                ElementTree.SubElement(element, rule.protocol, rule.match)
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode") + "\n"


def _drop(direction: str, priority: int, layer: str | None = None, **match: str) -> _Rule:
    return _Rule(action="drop", direction=direction, priority=priority, protocol=layer, match=match)


def _accept(direction: str, priority: int, layer: str, **match: str) -> _Rule:
    return _Rule(
        action="accept", direction=direction, priority=priority, protocol=layer, match=match
    )


def _pass(priority: int, layer: str, **match: str) -> _Rule:
    """Leave the chain, so that the chains after it judge."""
    return _Rule(action="return", direction="out", priority=priority, protocol=layer, match=match)


_REQUEST = {
    "srcipaddr": "0.0.0.0",
    "dstipaddr": "255.255.255.255",
    "protocol": "udp",
    "srcportstart": "68",
    "dstportstart": "67",
}
_ANSWER = {
    "srcipaddr": "$DHCPSERVER",
    "protocol": "udp",
    "srcportstart": "67",
    "dstportstart": "68",
}
_REFLECTED = {
    "srcmacaddr": "$MAC",
    "dstmacaddr": "33:33:00:00:00:00",
    "dstmacmask": "ff:ff:00:00:00:00",
}
_OWN_ADDRESSES = ("no-mac-spoofing", "no-ip-spoofing", "no-arp-spoofing")
_V4_ONLY = (*_OWN_ADDRESSES, _NO_ROGUE_DHCP, _NO_V6)
_V6 = (_NO_ND_REFLECTION, _NO_SPOOFING_V6, _NO_ROGUE_V6)
_BOTH = (*_OWN_ADDRESSES, _NO_ROGUE_DHCP, *_V6)
_NOTHING_OF_V4 = ("no-mac-spoofing", _NO_V4, _NO_ARP)

SHARED: tuple[Filter, ...] = (
    Filter(name=_NO_ND_REFLECTION, chain="ipv6", rules=(_drop("in", 500, "mac", **_REFLECTED),)),
    Filter(
        name=_ALLOW_DHCP,
        chain="ipv4",
        rules=(_accept("out", 100, "ip", **_REQUEST), _accept("in", 100, "ip", **_ANSWER)),
    ),
    Filter(
        name=_NO_ROGUE_DHCP,
        chain="ipv4",
        rules=(_drop("out", 50, "ip", protocol="udp", srcportstart="67"),),
    ),
    Filter(
        name=_NO_SPOOFING_V6,
        chain="ipv6-nova",
        priority=-610,
        rules=(
            # Before it has an address, a guest asks whether anybody else has it.
            _pass(100, "ipv6", srcipaddr="::", protocol="icmpv6", type=_NEIGHBOUR_SOLICITATION),
            _pass(500, "ipv6", srcipaddr="$IPV6"),
            _drop("out", 1000),
        ),
    ),
    Filter(
        name=_NO_ROGUE_V6,
        chain="ipv6",
        rules=(
            _drop("out", 50, "ipv6", protocol="icmpv6", type=_ROUTER_ADVERTISEMENT),
            _drop("out", 50, "ipv6", protocol="udp", srcportstart="547"),
        ),
    ),
    Filter(name=_NO_V6, chain="ipv6", rules=(_drop("inout", 500),)),
    Filter(name=_NO_V4, chain="ipv4", rules=(_drop("inout", 500),)),
    Filter(name=_NO_ARP, chain="arp", rules=(_drop("inout", 500),)),
    Filter(
        name=_NO_OTHER,
        rules=(
            _accept("inout", 900, "mac", protocolid="ipv4"),
            _accept("inout", 900, "mac", protocolid="ipv6"),
            _accept("inout", 900, "mac", protocolid="arp"),
            _drop("inout", 1000),
        ),
    ),
    Filter(name=BASE, references=(*_V4_ONLY, _ALLOW_DHCP, _NO_OTHER)),
    Filter(name=WITHOUT_DHCP, references=(*_V4_ONLY, _NO_OTHER)),
    Filter(name=BASE_V6, references=(*_BOTH, _ALLOW_DHCP, _NO_OTHER)),
    Filter(name=WITHOUT_DHCP_V6, references=(*_BOTH, _NO_OTHER)),
    Filter(name=V6_ONLY, references=(*_NOTHING_OF_V4, *_V6, _NO_OTHER)),
    Filter(name=WITHOUT_ADDRESS, references=(*_NOTHING_OF_V4, _NO_V6, _NO_OTHER)),
)


def filter_name(instance_name: str, mac: str) -> str:
    """Return the name of the filter of one interface."""
    return f"{filter_prefix(instance_name)}{mac.replace(':', '')}"


def filter_prefix(instance_name: str) -> str:
    """Return what the names of all filters of a guest begin with."""
    return f"nova-instance-{instance_name}-"


def interface_filter(instance_name: str, vif: Vif) -> Filter:
    """Return the filter that holds one interface to its addresses."""
    values = [("IP", str(ipaddress.IPv4Address(address))) for address in vif.fixed_ips]
    if vif.fixed_ip and vif.dhcp_server:
        values.append(("DHCPSERVER", str(ipaddress.IPv4Address(vif.dhcp_server))))
    if vif.fixed_ip_v6:
        values.append(("IPV6", str(ipaddress.IPv6Address(vif.fixed_ip_v6))))
        values.append(("IPV6", str(link_local(vif.address))))
    return Filter(
        name=filter_name(instance_name, vif.address),
        references=(_base_of(vif),),
        values=tuple(values),
    )


def _base_of(vif: Vif) -> str:
    if not vif.fixed_ip:
        return V6_ONLY if vif.fixed_ip_v6 else WITHOUT_ADDRESS
    if vif.fixed_ip_v6:
        return BASE_V6 if vif.dhcp_server else WITHOUT_DHCP_V6
    return BASE if vif.dhcp_server else WITHOUT_DHCP


def link_local(mac: str) -> ipaddress.IPv6Address:
    """Return the IPv6 address that an interface gives itself.

    Source: RFC 4291, appendix A.
    """
    octets = bytes.fromhex(mac.replace(":", ""))
    interface = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return ipaddress.IPv6Address(bytes.fromhex("fe80000000000000") + interface)
