"""iptables rules of nova-network: computed from networks, compared with what is there.

Rules are written in the form in which iptables-save prints them, so that equal rules are
equal texts.  Source: nova-network.md sections 5.1 to 5.4.
"""

import dataclasses
import ipaddress
from collections.abc import Iterable, Sequence

from nova.netfilter import FILTER_TOP, POSTROUTING_BOTTOM, Hook, RuleSet, Table
from nova.network.bridges import bridge_name, card_of
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork

PREFIX = "nova-network-"
FORWARD_CHAIN = PREFIX + "FORWARD"
TENANTS_CHAIN = PREFIX + "tenants"
METADATA_ADDRESS = "169.254.169.254"
VPN_PORT = 1194
LOOPBACK = "127.0.0.1"


NO_RULES: RuleSet = (Table(name="filter"), Table(name="nat"), Table(name="mangle"))


def wanted_rules(networks: Sequence[HostNetwork], settings: NetworkSettings) -> RuleSet:
    """Return the rules of a host; networks in order of id."""
    routed = [_Routed.of(served, settings) for served in networks]
    known = [one for one in routed if one is not None]
    with_range = [one for one in known if one.cidr is not None]
    return (
        _filter_table(known, settings),
        _nat_table(with_range, settings),
        _mangle_table(known),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Routed:
    """What the rules of one network depend on."""

    bridge: str
    cidr: str | None
    dhcp_server: str | None
    gateway: str | None
    serves_dhcp: bool
    has_interface: bool
    project_id: str | None
    vpn: tuple[str, int, str] | None

    @classmethod
    def of(cls, served: HostNetwork, settings: NetworkSettings) -> "_Routed | None":
        bridge, network = bridge_name(served, settings), served.network
        if bridge is None:
            return None
        return cls(
            bridge=bridge,
            cidr=network.cidr and str(ipaddress.ip_network(network.cidr)),
            dhcp_server=served.dhcp_server,
            gateway=served.gateway if network.cidr else None,
            serves_dhcp=bool(network.cidr and network.enable_dhcp and served.dhcp_server),
            has_interface=card_of(served, settings) is not None,
            project_id=network.project_id,
            vpn=_vpn(served, settings),
        )


def _vpn(served: HostNetwork, settings: NetworkSettings) -> tuple[str, int, str] | None:
    """Return public address, port and private address of a project's VPN server.

    Another public address than ours leads to that server in another way.
    """
    network = served.network
    public, port = network.vpn_public_address or settings.vpn_ip, network.vpn_public_port
    private = network.vpn_private_address
    if not settings.use_vlans or public != settings.vpn_ip:
        return None
    return (public, port, private) if public and port and private else None


def _filter_table(networks: Sequence[_Routed], settings: NetworkSettings) -> Table:
    strangers = [rule for one in networks for rule in _stranger_drops(one, settings)]
    accepts = [rule for one in networks for rule in _input_accepts(one, settings)]
    drops = [rule for one in networks for rule in _input_drops(one, settings)]
    vpn = [
        f"-d {one.vpn[2]}/32 -p udp -m udp --dport {VPN_PORT} -j ACCEPT"
        for one in networks
        if one.vpn
    ]
    forward = forward_rules(
        _tenants(networks), settings.forward_bridge_interface, drop_action(settings)
    )
    return filter_table(strangers + accepts + drops, [*vpn, *forward])


@dataclasses.dataclass(frozen=True, slots=True)
class Tenant:
    """A network as far as forwarding goes; without project_id it belongs to all projects."""

    bridge: str
    project_id: str | None
    has_gateway: bool


def _tenants(networks: Iterable[_Routed]) -> list[Tenant]:
    return [Tenant(one.bridge, one.project_id, one.gateway is not None) for one in networks]


def filter_table(received: Iterable[str], forward: Iterable[str]) -> Table:
    """Return the filter table, of IPv4 or IPv6, from what is received and forwarded."""
    return Table(
        name="filter",
        chains={
            PREFIX + "INPUT": _unique(received),
            PREFIX + "OUTPUT": (),
            FORWARD_CHAIN: _unique(forward),
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


def forward_rules(tenants: Sequence[Tenant], cards: Sequence[str], drop: str) -> tuple[str, ...]:
    """Return the rules for forwarding; those that refuse come first.

    cards: those to and from which may be forwarded; drop: the target of what may not pass.
    """
    closed = [rule for one in tenants if not one.has_gateway for rule in _refuse(one.bridge, drop)]
    open_rules = [
        rule for one in tenants if one.has_gateway for rule in _accept(one.bridge, cards, drop)
    ]
    return _unique(closed + open_rules)


def isolation(tenants: Iterable[Tenant]) -> tuple[dict[str, tuple[str, ...]], tuple[Hook, ...]]:
    """Return the chains of the mangle table that keep projects apart, and the jump to them.

    They are in this table, since in filter the rules of nova-compute may come first and
    accept.  Floating addresses are the way from project to project: what they lead to may pass.
    """
    owners = _owners(tenants)
    groups = list(dict.fromkeys(owners.values()))
    if len(groups) < 2:
        return {}, ()
    names = {owner: f"{PREFIX}own-{number}" for number, owner in enumerate(groups, 1)}
    chains = {
        FORWARD_CHAIN: tuple(
            f"-i {bridge} -m conntrack ! --ctstate DNAT -j {names[owner]}"
            for bridge, owner in owners.items()
        ),
        TENANTS_CHAIN: tuple(f"-o {bridge} -j DROP" for bridge in owners),
    }
    for group in groups:
        same = (f"-o {bridge} -j RETURN" for bridge, owner in owners.items() if owner == group)
        chains[names[group]] = (*same, f"-j {TENANTS_CHAIN}")
    return chains, (Hook(chain="FORWARD", rule=f"-j {FORWARD_CHAIN}"),)


def _owners(tenants: Iterable[Tenant]) -> dict[str, str | None]:
    """Return the project of each bridge; None for one that belongs to no single project."""
    owners: dict[str, str | None] = {}
    for one in tenants:
        mixed = owners.setdefault(one.bridge, one.project_id) != one.project_id
        if mixed:
            owners[one.bridge] = None
    return owners


def _refuse(bridge: str, drop: str) -> list[str]:
    return [f"{side} {bridge} {drop}" for side in ("-i", "-o")]


def _accept(bridge: str, cards: Sequence[str], drop: str) -> list[str]:
    if "all" in cards:
        return [f"-i {bridge} -j ACCEPT", f"-o {bridge} -j ACCEPT"]
    accept = [
        rule
        for card in cards
        for rule in (f"-i {bridge} -o {card} -j ACCEPT", f"-i {card} -o {bridge} -j ACCEPT")
    ]
    return accept + [f"-i {bridge} -o {bridge} -j ACCEPT"] + _refuse(bridge, drop)


def _stranger_drops(network: _Routed, settings: NetworkSettings) -> list[str]:
    """Refuse the name server to all but its own guests and the host.

    This comes before what guests of other networks may do: their name servers are on this
    host too, and the kernel takes what is meant for any of its addresses on each bridge.
    """
    if not network.serves_dhcp:
        return []
    server, drop = f"{network.dhcp_server}/32", drop_action(settings)
    return [
        f"-d {server} -i lo -j RETURN",
        *(
            f"-d {server} ! -i {network.bridge} -p {protocol} -m {protocol} --dport 53 {drop}"
            for protocol in ("udp", "tcp")
        ),
    ]


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
    """Refuse guests all other ports of the host.

    A bridge with a card also carries the operator's own traffic to the host, from other
    ranges; there only the network's range is refused.
    """
    bridge, drop = network.bridge, drop_action(settings)
    if network.has_interface and network.cidr is None:
        return []
    source = f"-s {network.cidr} " if network.has_interface else ""
    return [f"{source}-i {bridge} {drop}"]


def _nat_table(networks: Sequence[_Routed], settings: NetworkSettings) -> Table:
    vpn = [
        f"-d {public}/32 -p udp -m udp --dport {port} -j DNAT --to-destination {private}:{VPN_PORT}"
        for public, port, private in (one.vpn for one in networks if one.vpn)
    ]
    return Table(
        name="nat",
        chains={
            PREFIX + "PREROUTING": (_metadata_rule(settings), *vpn),
            PREFIX + "OUTPUT": tuple(vpn),
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
    """Keep projects apart; fill in UDP checksums that the host's card would have filled in."""
    chains, hooks = isolation(_tenants(networks))
    return Table(
        name="mangle",
        chains={
            PREFIX + "POSTROUTING": _unique(
                f"-o {one.bridge} -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill"
                for one in networks
                if one.serves_dhcp
            ),
            **chains,
        },
        hooks=(Hook(chain="POSTROUTING", rule=f"-j {PREFIX}POSTROUTING"), *hooks),
    )


def _destination(cidr: str) -> str:
    return "" if cidr == "0.0.0.0/0" else f" -d {cidr}"


def drop_action(settings: NetworkSettings) -> str:
    """Return the target of rules that refuse traffic."""
    action = settings.iptables_drop_action
    if action == "REJECT":
        return "-j REJECT --reject-with icmp-port-unreachable"
    return f"-j {action}"


def _unique(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))
