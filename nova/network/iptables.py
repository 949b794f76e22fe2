"""iptables rules of nova-network: computed from networks, compared with what is there.

Rules are written in the form in which iptables-save prints them, so that equal rules are
equal texts.  Source: nova-network.md sections 5.1 to 5.4.
"""

import dataclasses
import ipaddress
from collections.abc import Iterable, Sequence

from nova.netfilter import FILTER_TOP, POSTROUTING_BOTTOM, Hook, RuleSet, Table
from nova.network.bridges import bridge_name
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork

PREFIX = "nova-network-"
METADATA_ADDRESS = "169.254.169.254"
LOOPBACK = "127.0.0.1"


NO_RULES: RuleSet = (Table(name="filter"), Table(name="nat"), Table(name="mangle"))


def wanted_rules(networks: Sequence[HostNetwork], settings: NetworkSettings) -> RuleSet:
    """Return the rules of a host; networks in order of id."""
    routed = [_Routed.of(served, settings) for served in networks]
    known = [one for one in routed if one is not None]
    return (
        _filter_table(known, settings),
        _nat_table(known, settings),
        _mangle_table(known),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Routed:
    """What the rules of one network depend on."""

    bridge: str
    cidr: str
    dhcp_server: str | None
    gateway: str | None
    serves_dhcp: bool
    has_interface: bool

    @classmethod
    def of(cls, served: HostNetwork, settings: NetworkSettings) -> "_Routed | None":
        bridge = bridge_name(served, settings)
        if bridge is None or served.network.cidr is None:
            return None
        return cls(
            bridge=bridge,
            cidr=str(ipaddress.ip_network(served.network.cidr)),
            dhcp_server=served.dhcp_server,
            gateway=served.gateway,
            serves_dhcp=served.network.enable_dhcp and served.dhcp_server is not None,
            has_interface=bool(served.network.bridge_interface or settings.flat_interface),
        )


def _filter_table(networks: Sequence[_Routed], settings: NetworkSettings) -> Table:
    forward = [rule for one in networks for rule in _forward_rules(one, settings)]
    accepts = [rule for one in networks for rule in _input_accepts(one, settings)]
    drops = [rule for one in networks for rule in _input_drops(one, settings)]
    return Table(
        name="filter",
        chains={
            PREFIX + "INPUT": _unique(accepts + drops),
            PREFIX + "OUTPUT": (),
            PREFIX + "FORWARD": _unique(forward),
            PREFIX + "local": (),
        },
        hooks=(
            Hook(chain="INPUT", rule=f"-j {PREFIX}INPUT"),
            Hook(chain="FORWARD", rule=f"-j {FILTER_TOP}"),
            Hook(chain="FORWARD", rule=f"-j {PREFIX}FORWARD"),
            Hook(chain="OUTPUT", rule=f"-j {FILTER_TOP}"),
            Hook(chain="OUTPUT", rule=f"-j {PREFIX}OUTPUT"),
            Hook(chain=FILTER_TOP, rule=f"-j {PREFIX}local"),
        ),
        shared=(FILTER_TOP,),
    )


def _forward_rules(network: _Routed, settings: NetworkSettings) -> list[str]:
    bridge, drop = network.bridge, _drop(settings)
    refuse = [f"-i {bridge} {drop}", f"-o {bridge} {drop}"]
    if network.gateway is None:
        return refuse
    if "all" in settings.forward_bridge_interface:
        return [f"-i {bridge} -j ACCEPT", f"-o {bridge} -j ACCEPT"]
    accept = [
        rule
        for card in settings.forward_bridge_interface
        for rule in (f"-i {bridge} -o {card} -j ACCEPT", f"-i {card} -o {bridge} -j ACCEPT")
    ]
    return accept + [f"-i {bridge} -o {bridge} -j ACCEPT"] + refuse


def _input_accepts(network: _Routed, settings: NetworkSettings) -> list[str]:
    """Let guests reach DHCP, DNS and metadata, and answer what the host began."""
    bridge = network.bridge
    rules = [
        f"-i {bridge} -p {protocol} -m {protocol} --dport {port} -j ACCEPT"
        for port in (67, 53)
        for protocol in ("udp", "tcp")
        if network.serves_dhcp
    ]
    return rules + [
        f"-i {bridge} -p tcp -m tcp --dport {settings.metadata_port} "
        "-m conntrack --ctstate DNAT -j ACCEPT",
        f"-i {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]


def _input_drops(network: _Routed, settings: NetworkSettings) -> list[str]:
    """Refuse guests all other ports of the host, and strangers the name server.

    A bridge with a card also carries the operator's own traffic to the host, from other
    ranges; there only the network's range is refused.
    """
    bridge, drop = network.bridge, _drop(settings)
    source = f"-s {network.cidr} " if network.has_interface else ""
    rules = [f"{source}-i {bridge} {drop}"]
    if network.serves_dhcp:
        server = f"{network.dhcp_server}/32"
        rules.append(f"-d {server} -i lo -j RETURN")
        rules += [
            f"-d {server} ! -i {bridge} -p {protocol} -m {protocol} --dport 53 {drop}"
            for protocol in ("udp", "tcp")
        ]
    return rules


def _nat_table(networks: Sequence[_Routed], settings: NetworkSettings) -> Table:
    return Table(
        name="nat",
        chains={
            PREFIX + "PREROUTING": (_metadata_rule(settings),),
            PREFIX + "OUTPUT": (),
            PREFIX + "POSTROUTING": _unique(
                rule for one in networks for rule in _untranslated(one, settings)
            ),
            PREFIX + "snat": (
                f"-j {PREFIX}float-snat",
                *_unique(rule for one in networks for rule in _source_nat(one, settings)),
            ),
            PREFIX + "float-snat": (),
        },
        hooks=(
            Hook(chain="PREROUTING", rule=f"-j {PREFIX}PREROUTING"),
            Hook(chain="OUTPUT", rule=f"-j {PREFIX}OUTPUT"),
            Hook(chain="POSTROUTING", rule=f"-j {PREFIX}POSTROUTING"),
            Hook(chain="POSTROUTING", rule=f"-j {POSTROUTING_BOTTOM}", at_end=True),
            Hook(chain=POSTROUTING_BOTTOM, rule=f"-j {PREFIX}snat"),
        ),
        shared=(POSTROUTING_BOTTOM,),
    )


def _metadata_rule(settings: NetworkSettings) -> str:
    match = f"-d {METADATA_ADDRESS}/32 -p tcp -m tcp --dport 80"
    if settings.metadata_host == LOOPBACK:
        return f"{match} -j REDIRECT --to-ports {settings.metadata_port}"
    target = f"{settings.metadata_host}:{settings.metadata_port}"
    return f"{match} -j DNAT --to-destination {target}"


def _untranslated(network: _Routed, settings: NetworkSettings) -> list[str]:
    reached = [f"{settings.metadata_host}/32"]
    reached += [str(ipaddress.ip_network(one)) for one in settings.dmz_cidr]
    rules = [f"-s {network.cidr}{_destination(one)} -j ACCEPT" for one in reached]
    same = f"-s {network.cidr} -d {network.cidr}"
    return rules + [f"{same} -m conntrack ! --ctstate DNAT -j ACCEPT"]


def _source_nat(network: _Routed, settings: NetworkSettings) -> list[str]:
    if settings.routing_source_ip is None or network.gateway is None:
        return []
    target = f"-j SNAT --to-source {settings.routing_source_ip}"
    if network.gateway != network.dhcp_server:
        ranges = [str(ipaddress.ip_network(one)) for one in settings.force_snat_range]
        return [f"-s {network.cidr}{_destination(one)} {target}" for one in ranges]
    card = f" -o {settings.public_interface}" if settings.public_interface else ""
    return [f"-s {network.cidr}{card} {target}"]


def _mangle_table(networks: Sequence[_Routed]) -> Table:
    """Fill in UDP checksums that the host's card would have filled in."""
    return Table(
        name="mangle",
        chains={
            PREFIX + "POSTROUTING": _unique(
                f"-o {one.bridge} -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill"
                for one in networks
                if one.serves_dhcp
            )
        },
        hooks=(Hook(chain="POSTROUTING", rule=f"-j {PREFIX}POSTROUTING"),),
    )


def _destination(cidr: str) -> str:
    return "" if cidr == "0.0.0.0/0" else f" -d {cidr}"


def _drop(settings: NetworkSettings) -> str:
    action = settings.iptables_drop_action
    if action == "REJECT":
        return "-j REJECT --reject-with icmp-port-unreachable"
    return f"-j {action}"


def _unique(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))
