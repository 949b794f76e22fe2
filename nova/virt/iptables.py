"""iptables and ip6tables rules in front of the servers of a host.  Pure.

Every server has a chain, every group one that its servers' chains jump to, and every group
that a rule names as source one that accepts its members: the number of rules grows with the
servers, the rules and the members, not with their products.  A packet for a server is
accepted by its chain or dropped.  A frame that a bridge hands to a guest is dropped unless
something accepted it, so that nothing arrives at an interface that no rule is about yet.
Names and descriptions of groups appear nowhere.  Source: nova-network, section 7.
"""

import collections
import dataclasses
import re
from collections.abc import Iterable

from nova.netfilter import FILTER_TOP, Hook, RuleSet, Table
from nova.objects.firewall import GuestFirewall, HostFirewall
from nova.objects.network import Vif
from nova.virt.rule_match import Family, Traffic, network_text, traffic_matches

PREFIX = "nova-compute-"
NO_RULES: RuleSet = (Table(name="filter"),)

_LOCAL = f"{PREFIX}local"
_PROVIDER = f"{PREFIX}provider"
_FALLBACK = f"{PREFIX}sg-fallback"
_TAPS = f"{PREFIX}tap"
_NEIGHBOURS = f"{PREFIX}nd"

_TO_TAP = "-m physdev --physdev-out tap+ --physdev-is-bridged"
_FROM_WIRE = "-m physdev ! --physdev-in tap+"
_DHCP_REQUEST = "-s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j ACCEPT"
_DHCP_ANSWER = "-p udp -m udp --sport 67 --dport 68 -j ACCEPT"
_BEGINNING = (
    "-m conntrack --ctstate INVALID -j DROP",
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    f"-j {_PROVIDER}",
)
_ICMP_V6 = "-p ipv6-icmp -m icmp6 --icmpv6-type"
_NEIGHBOUR_TYPES = (135, 136)
# Queries of multicast listeners and router advertisements: guests may not send the latter.
_ROUTER_TYPES = (130, 134)
_LINK_LOCAL = "fe80::/10"
_DEVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")


def wanted_rules(firewall: HostFirewall, family: Family, *, same_net: bool) -> RuleSet:
    """Return the rules of a host.

    same_net: servers in the same subnet reach each other whatever their groups say.
    """
    return (_Rules(firewall, family, same_net).table(),)


@dataclasses.dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of one family."""

    firewall: HostFirewall
    family: Family
    same_net: bool

    def table(self) -> Table:
        """Return the table filter."""
        groups, sources = self._groups(), self._sources()
        has_dhcp = self.family is Family.IPV4 and any(vif.dhcp_server for vif in self._vifs())
        requests = (_DHCP_REQUEST,) if has_dhcp else ()
        chains = {
            f"{PREFIX}INPUT": requests,
            f"{PREFIX}FORWARD": requests,
            _LOCAL: self._local(),
            _PROVIDER: self._provider(),
            _FALLBACK: ("-j DROP",),
            _TAPS: self._taps(),
            **self._neighbours(),
            **sources,
            **groups,
        }
        for guest in self.firewall.guests:
            if any(self._addresses(vif) for vif in guest.vifs):
                chains[_guest_chain(guest)] = self._guest(guest, groups)
        return Table(
            name="filter",
            chains=chains,
            hooks=(
                Hook(chain="INPUT", rule=f"-j {PREFIX}INPUT"),
                Hook(chain="FORWARD", rule=f"-j {FILTER_TOP}"),
                Hook(chain="FORWARD", rule=f"-j {PREFIX}FORWARD"),
                Hook(chain="OUTPUT", rule=f"-j {FILTER_TOP}"),
                Hook(chain=FILTER_TOP, rule=f"-j {_LOCAL}"),
            ),
            shared=(FILTER_TOP,),
        )

    def _vifs(self) -> list[Vif]:
        return [vif for guest in self.firewall.guests for vif in guest.vifs]

    def _addresses(self, vif: Vif) -> tuple[str, ...]:
        """Return the ranges of one address each that an interface has in this family."""
        if self.family is Family.IPV4:
            found: tuple[str, ...] = vif.fixed_ips
        else:
            found = (vif.fixed_ip_v6,) if vif.fixed_ip_v6 else ()
        return tuple(network_text(address) for address in found)

    def _subnet(self, vif: Vif) -> str | None:
        cidr = vif.network.cidr if self.family is Family.IPV4 else vif.network.cidr_v6
        return network_text(cidr) if cidr else None

    def _local(self) -> tuple[str, ...]:
        """Send what is for a server to its chain.

        Projects on bridges of their own may use the same addresses; there the bridge decides.
        """
        entries = [
            (address, vif.network.bridge, guest)
            for guest in self.firewall.guests
            for vif in guest.vifs
            for address in self._addresses(vif)
        ]
        uses = collections.Counter(address for address, _, _ in entries)
        jumps = [
            f"-d {address}{_way_out(bridge) if uses[address] > 1 else ''} -j {_guest_chain(guest)}"
            for address, bridge, guest in entries
        ]
        return (*_unique(jumps), f"{_TO_TAP} -j {_TAPS}")

    def _guest(self, guest: GuestFirewall, groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        rules = [*_BEGINNING]
        if self.family is Family.IPV4:
            rules += self._dhcp_answers(guest.vifs)
        else:
            rules.append(f"-p ipv6-icmp -j {_NEIGHBOURS}")
        rules += self._same_subnet(guest.vifs)
        if self.family is Family.IPV6:
            gateways = [vif.network.gateway_v6 for vif in guest.vifs if vif.fixed_ip_v6]
            rules += [f"-s {network_text(one)} -p ipv6-icmp -j ACCEPT" for one in gateways if one]
        chains = [_group_chain(group_id) for group_id in sorted(guest.group_ids)]
        rules += [f"-j {chain}" for chain in chains if chain in groups]
        return (*_unique(rules), f"-j {_FALLBACK}")

    def _dhcp_answers(self, vifs: Iterable[Vif]) -> list[str]:
        servers = [vif.dhcp_server for vif in vifs]
        return [f"-s {network_text(server)} {_DHCP_ANSWER}" for server in servers if server]

    def _same_subnet(self, vifs: Iterable[Vif]) -> list[str]:
        if not self.same_net:
            return []
        subnets = [self._subnet(vif) for vif in vifs if self._addresses(vif)]
        return [f"-s {subnet} -j ACCEPT" for subnet in subnets if subnet]

    def _taps(self) -> tuple[str, ...]:
        """Judge bridged frames that are for no server's address: broadcast, multicast, floods."""
        vifs = self._vifs()
        if self.family is Family.IPV4:
            rules = self._dhcp_answers(vifs)
        else:
            rules = [f"-p ipv6-icmp -j {_NEIGHBOURS}"]
            rules += [f"{_ICMP_V6} {one} {_FROM_WIRE} -j ACCEPT" for one in _ROUTER_TYPES]
            rules += [f"-s {_LINK_LOCAL} -j ACCEPT"] if self.same_net else []
        rules += self._same_subnet(vifs)
        return (*_unique(rules), "-j DROP")

    def _neighbours(self) -> dict[str, tuple[str, ...]]:
        if self.family is Family.IPV4:
            return {}
        return {_NEIGHBOURS: tuple(f"{_ICMP_V6} {one} -j ACCEPT" for one in _NEIGHBOUR_TYPES)}

    def _provider(self) -> tuple[str, ...]:
        return _unique(
            f"{match} -j DROP".lstrip()
            for rule in self.firewall.provider_rules
            for match in traffic_matches(
                Traffic(rule.protocol, rule.from_port, rule.to_port, cidr=rule.cidr), self.family
            )
        )

    def _sources(self) -> dict[str, tuple[str, ...]]:
        return {
            _source_chain(one.group_id): _unique(
                f"-s {network_text(address)} -j ACCEPT"
                for address in one.addresses
                if Family.of(address) is self.family
            )
            for one in self.firewall.members
        }

    def _groups(self) -> dict[str, tuple[str, ...]]:
        """Return the chains of the groups that let anything through."""
        known = {one.group_id for one in self.firewall.members}
        chains = {}
        for group in self.firewall.groups:
            rules = []
            for rule in group.rules:
                if rule.group_id is not None and rule.group_id not in known:
                    continue
                target = "ACCEPT" if rule.group_id is None else _source_chain(rule.group_id)
                traffic = Traffic(
                    rule.protocol, rule.from_port, rule.to_port, rule.cidr, rule.ethertype
                )
                rules += [
                    f"{match} -j {target}".lstrip()
                    for match in traffic_matches(traffic, self.family)
                ]
            if rules:
                chains[_group_chain(group.group_id)] = _unique(rules)
        return chains


def _way_out(bridge: str | None) -> str:
    return f" -o {bridge}" if bridge and _DEVICE.fullmatch(bridge) else ""


def _guest_chain(guest: GuestFirewall) -> str:
    return f"{PREFIX}inst-{int(guest.instance_id)}"


def _group_chain(group_id: int) -> str:
    return f"{PREFIX}sg-{int(group_id)}"


def _source_chain(group_id: int) -> str:
    return f"{PREFIX}src-{int(group_id)}"


def _unique(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))
