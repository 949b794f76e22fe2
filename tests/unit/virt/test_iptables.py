"""Rules in front of servers: golden texts, and packets against a model."""

import dataclasses
import ipaddress
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova.netfilter import render_difference
from nova.objects.firewall import GroupMembers, HostFirewall
from nova.objects.security_group import ProviderRule, SecurityGroupRule
from nova.privileged.rule_text import checked_guest_rules
from nova.virt.iptables import NO_RULES, PREFIX, wanted_rules
from nova.virt.rule_match import Family
from tests.fixtures.firewalls import (
    NETWORK_V6,
    Packet,
    PacketFilter,
    make_group,
    make_guest,
    make_rule,
    typical_host,
)
from tests.fixtures.golden import assert_golden
from tests.fixtures.networks import make_network, make_vif

GOLDEN = pathlib.Path(__file__).parent / "golden"
GUEST = "10.0.1.5"
GUEST_V6 = "fd00:2::6"
STRANGER = "203.0.113.9"
STRANGER_V6 = "2001:db8::9"


def judge(firewall: HostFirewall, packet: Packet, *, same_net: bool = False) -> bool:
    family = Family.of(packet.destination)
    return PacketFilter(wanted_rules(firewall, family, same_net=same_net)).accepts(packet)


def with_rules(*rules: SecurityGroupRule, members: tuple[GroupMembers, ...] = ()) -> HostFirewall:
    """Return a host with server 5 (IPv4) and 6 (both), in group 1 that has some rules."""
    guests = typical_host().guests
    return HostFirewall(
        guests=tuple(dataclasses.replace(guest, group_ids=(1,)) for guest in guests),
        groups=(make_group(1, *rules),),
        members=members,
    )


def tcp(port: int, source: str = STRANGER, destination: str = GUEST, **changes: object) -> Packet:
    return Packet(source, destination, 6, port=port, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", Family)
def test_rules_of_a_typical_host(family: Family) -> None:
    text = render_difference(wanted_rules(typical_host(), family, same_net=True), "", PREFIX)
    assert_golden(GOLDEN, f"iptables_v{family.value}.txt", text)
    assert checked_guest_rules(text) == text


@pytest.mark.parametrize("family", Family)
def test_equal_rules_need_no_command(family: Family) -> None:
    rules = wanted_rules(typical_host(), family, same_net=True)
    saved = "\n".join(
        ["*filter"]
        + [f"-A {hook.chain} {hook.rule}" for hook in rules[0].hooks]
        + [f":{name} - [0:0]" for name in rules[0].chains]
        + [f"-A {name} {rule}" for name, chain in rules[0].chains.items() for rule in chain]
    )
    assert render_difference(rules, saved, PREFIX) == ""
    removal = render_difference(NO_RULES, saved, PREFIX)
    assert "-X nova-compute-inst-6" in removal
    assert checked_guest_rules(removal) == removal


# --- Default deny


def test_net_04_nothing_is_let_through_without_rules() -> None:
    firewall = HostFirewall(guests=(make_guest(5),))
    assert not judge(firewall, tcp(22))
    assert not judge(firewall, Packet(STRANGER, GUEST, 1, kind=8))


@pytest.mark.parametrize("destination", ["10.0.1.200", "255.255.255.255", "224.0.0.1", "ff02::1"])
def test_net_04_frames_to_an_interface_that_no_rule_is_about_are_dropped(destination: str) -> None:
    source = STRANGER_V6 if ":" in destination else STRANGER
    packet = Packet(source, destination, 17, port=5353)
    assert not judge(HostFirewall(), packet)
    assert judge(HostFirewall(), dataclasses.replace(packet, to_tap=False))


def test_net_04_answers_of_the_dhcp_server_arrive() -> None:
    firewall = HostFirewall(guests=(make_guest(5),))
    for destination in (GUEST, "255.255.255.255"):
        answer = Packet("10.0.1.1", destination, 17, port=68, source_port=67)
        assert judge(firewall, answer)
        assert not judge(firewall, dataclasses.replace(answer, source="10.0.1.7"))


def test_net_04_neighbours_and_routers_are_heard() -> None:
    firewall = typical_host()
    for kind in (135, 136):
        for destination in (GUEST_V6, "ff02::1:ff00:6", "fe80::1"):
            assert judge(firewall, Packet("fe80::2", destination, 58, kind=kind))
    advertisement = Packet("fe80::2", "ff02::1", 58, kind=134)
    assert judge(firewall, advertisement)
    assert not judge(firewall, dataclasses.replace(advertisement, from_tap=True))
    assert judge(firewall, Packet("fd00:2::1", GUEST_V6, 58, kind=1))


def test_answers_to_what_a_guest_began_arrive_and_invalid_packets_do_not() -> None:
    firewall = with_rules(make_rule())
    assert not judge(firewall, tcp(22, state="INVALID"))
    assert judge(HostFirewall(guests=(make_guest(5),)), tcp(50000, state="ESTABLISHED"))


@pytest.mark.parametrize("same_net", [True, False])
def test_servers_in_the_same_subnet_reach_each_other_if_that_is_wanted(same_net: bool) -> None:
    for source, destination in (
        ("10.0.1.9", GUEST),
        ("10.0.1.9", "10.0.1.255"),
        ("fd00:2::9", GUEST_V6),
        ("fe80::9", "fe80::6"),
    ):
        packet = Packet(source, destination, 6, port=80)
        assert judge(typical_host(), packet, same_net=same_net) is same_net


def test_projects_with_the_same_addresses_on_two_bridges_have_their_own_rules() -> None:
    vifs = [(make_vif(5, make_network(1, bridge=f"br{number}")),) for number in (7, 8)]
    firewall = HostFirewall(
        guests=(make_guest(5, 1, vifs=vifs[0]), make_guest(6, vifs=vifs[1])),
        groups=(make_group(1, make_rule()),),
    )
    assert judge(firewall, tcp(22, bridge="br7"))
    assert not judge(firewall, tcp(22, bridge="br8"))


def test_provider_rules_go_before_those_of_groups() -> None:
    denied = ProviderRule(id=1, protocol="tcp", from_port=25, to_port=25, cidr="203.0.113.0/24")
    firewall = dataclasses.replace(with_rules(make_rule()), provider_rules=(denied,))
    assert not judge(firewall, tcp(25))
    assert judge(firewall, tcp(26))
    assert judge(firewall, tcp(25, source="192.0.2.1"))


# --- Meaning of rules


@pytest.mark.parametrize(
    ("rule", "packet", "expected"),
    [
        ({}, tcp(1), True),
        ({}, Packet(STRANGER, GUEST, 47), True),
        ({"cidr": "0.0.0.0/0"}, tcp(1), True),
        ({"cidr": "0.0.0.0/0"}, tcp(1, STRANGER_V6, GUEST_V6), False),
        ({"cidr": "::/0"}, tcp(1, STRANGER_V6, GUEST_V6), True),
        ({"cidr": "::/0"}, tcp(1), False),
        ({"ethertype": "IPv4"}, tcp(1), True),
        ({"ethertype": "IPv4"}, tcp(1, STRANGER_V6, GUEST_V6), False),
        ({"ethertype": "IPv6", "cidr": "0.0.0.0/0"}, tcp(1), False),
        ({"protocol": "tcp"}, tcp(1), True),
        ({"protocol": "tcp", "from_port": -1, "to_port": -1}, tcp(1), True),
        ({"protocol": "tcp"}, Packet(STRANGER, GUEST, 17, port=1), False),
        ({"protocol": "tcp", "from_port": 0, "to_port": 65535}, tcp(65535), True),
        ({"protocol": "tcp", "from_port": 9, "to_port": 3}, tcp(5), False),
        ({"protocol": "tcp", "from_port": 70000, "to_port": 70000}, tcp(70000), False),
        ({"from_port": 22, "to_port": 22}, tcp(22), True),
        ({"from_port": 22, "to_port": 22}, tcp(23), False),
        ({"from_port": 22, "to_port": 22}, Packet(STRANGER, GUEST, 1, kind=8), False),
        ({"protocol": "47"}, Packet(STRANGER, GUEST, 47), True),
        ({"protocol": "47", "from_port": 1, "to_port": 1}, Packet(STRANGER, GUEST, 47), False),
        ({"protocol": "0"}, tcp(1), False),
        ({"protocol": "256"}, tcp(1), False),
        ({"protocol": "icmp", "from_port": -1, "to_port": -1}, Packet(STRANGER, GUEST, 1), True),
        (
            {"protocol": "icmp", "from_port": 3, "to_port": 4},
            Packet(STRANGER, GUEST, 1, kind=3, code=4),
            True,
        ),
        (
            {"protocol": "icmp", "from_port": 3, "to_port": 4},
            Packet(STRANGER, GUEST, 1, kind=3, code=1),
            False,
        ),
        (
            {"protocol": "icmp", "from_port": 8, "to_port": -1},
            Packet(STRANGER_V6, GUEST_V6, 58, kind=128),
            True,
        ),
        (
            {"protocol": "icmp", "from_port": 8, "to_port": -1, "ethertype": "IPv6"},
            Packet(STRANGER_V6, GUEST_V6, 58, kind=128),
            False,
        ),
        (
            {"protocol": "icmpv6", "from_port": 128, "to_port": -1},
            Packet(STRANGER_V6, GUEST_V6, 58, kind=128),
            True,
        ),
        (
            {"protocol": "icmpv6", "from_port": 8, "to_port": -1},
            Packet(STRANGER, GUEST, 1, kind=8),
            False,
        ),
    ],
)
def test_net_08_rule(rule: dict[str, object], packet: Packet, expected: bool) -> None:
    assert judge(with_rules(make_rule(**rule)), packet) is expected


def test_net_08_source_group_lets_its_members_through_only() -> None:
    members = (GroupMembers(group_id=9, addresses=("192.0.2.7", "fd00:9::7")),)
    rule = make_rule(protocol="tcp", from_port=22, to_port=22, group_id=9)
    firewall = with_rules(rule, members=members)
    assert judge(firewall, tcp(22, "192.0.2.7"))
    assert judge(firewall, tcp(22, "fd00:9::7", GUEST_V6))
    assert not judge(firewall, tcp(23, "192.0.2.7"))
    assert not judge(firewall, tcp(22, "192.0.2.8"))
    assert not judge(with_rules(rule), tcp(22, "192.0.2.7"))


# --- NET-08 as a law: what arrives is what one of the rules says

SOURCES = ("192.0.2.7", "192.0.2.130", "203.0.113.9", "fd00:9::7", "2001:db8::9")
MEMBERS = (GroupMembers(group_id=9, addresses=("192.0.2.7", "fd00:9::7")),)
PORTS = st.sampled_from([None, -1, 0, 3, 8, 22, 80, 128, 65535, 65536])
RULES = st.builds(
    lambda **fields: make_rule(**fields),
    protocol=st.sampled_from([None, "tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "47", "0", "x"]),
    from_port=PORTS,
    to_port=PORTS,
    cidr=st.sampled_from([None, "0.0.0.0/0", "::/0", "192.0.2.0/25", "fd00:9::/64"]),
    ethertype=st.sampled_from([None, "IPv4", "IPv6"]),
    group_id=st.sampled_from([None, None, 9, 10]),
)
PACKETS = st.builds(
    lambda source, protocol, port: Packet(
        source,
        GUEST_V6 if ":" in source else GUEST,
        58 if protocol == 1 and ":" in source else protocol,
        port=port if protocol in (6, 17) else None,
        kind=port % 256 if protocol == 1 else None,
    ),
    st.sampled_from(SOURCES),
    st.sampled_from([1, 6, 17, 47, 50]),
    st.sampled_from([0, 3, 8, 22, 50, 80, 128, 65535]),
)


def allowed(rule: SecurityGroupRule, packet: Packet) -> bool:
    """Say in plain words what a rule allows."""
    version = 6 if ":" in packet.source else 4
    if rule.ethertype not in (None, f"IPv{version}"):
        return False
    if rule.cidr is not None:
        network = ipaddress.ip_network(rule.cidr)
        if network.version != version or ipaddress.ip_address(packet.source) not in network:
            return False
    if rule.group_id is not None:
        known = [one.addresses for one in MEMBERS if one.group_id == rule.group_id]
        if not known or packet.source not in known[0]:
            return False
    return allowed_protocol(rule, packet, version)


def allowed_protocol(rule: SecurityGroupRule, packet: Packet, version: int) -> bool:
    first, last = (None if one == -1 else one for one in (rule.from_port, rule.to_port))
    unbounded = first is None and last is None
    if rule.protocol in ("icmp", "icmpv6", "ipv6-icmp"):
        if packet.kind is None or (version == 4 and rule.protocol != "icmp"):
            return False
        kind = first
        is_twin = version == 6 and rule.protocol == "icmp"
        if first is not None and is_twin and rule.ethertype is None and rule.cidr is None:
            kind = {8: 128, 0: 129, 3: 1}.get(first, -1)
            if first == 3 and last is not None:
                return False
        return kind is None or (
            packet.kind == kind and (last is None or (last == packet.code and last < 256))
        )
    names = {6: "tcp", 17: "udp"}
    if unbounded:
        return rule.protocol in (None, names.get(packet.protocol), str(packet.protocol))
    if rule.protocol not in (None, "tcp", "udp") or packet.port is None:
        return False
    low = last if first is None else first
    high = first if last is None else last
    fits = rule.protocol in (None, names[packet.protocol])
    return fits and high <= 65535 and low <= packet.port <= high


@settings(max_examples=300, deadline=None)
@given(rules=st.lists(RULES, max_size=5), packet=PACKETS)
def test_net_08_what_arrives_is_what_some_rule_allows(
    rules: list[SecurityGroupRule], packet: Packet
) -> None:
    expected = any(allowed(rule, packet) for rule in rules)
    assert judge(with_rules(*rules, members=MEMBERS), packet) is expected


# --- Text of users


@pytest.mark.parametrize(
    "text", ["x' -j ACCEPT", 'x"\n-A INPUT -j ACCEPT', "--modprobe=/tmp/x", "-j", "\nCOMMIT\n"]
)
def test_net_09_text_of_users_is_in_no_rule(text: str) -> None:
    rule = make_rule(description=text, group_name=text, project_id=text, group_id=2)
    named = with_rules(rule, members=(GroupMembers(group_id=2, addresses=("192.0.2.7",)),))
    plain = with_rules(
        make_rule(group_id=2), members=(GroupMembers(group_id=2, addresses=("192.0.2.7",)),)
    )
    for family in Family:
        assert wanted_rules(named, family, same_net=True) == wanted_rules(
            plain, family, same_net=True
        )


@pytest.mark.parametrize("text", ["tcp -j ACCEPT", "-1", "²", "tcp\n", "any", ""])
def test_net_09_unknown_protocol_lets_nothing_through(text: str) -> None:
    assert not judge(with_rules(make_rule(protocol=text)), tcp(22))


def test_net_09_hostile_bridge_name_is_in_no_rule() -> None:
    vifs = (make_vif(5, make_network(1, bridge="br0 -j ACCEPT\n-A INPUT")),)
    firewall = HostFirewall(guests=(make_guest(5, vifs=vifs), make_guest(6, vifs=vifs)))
    text = render_difference(wanted_rules(firewall, Family.IPV4, same_net=True), "", PREFIX)
    assert checked_guest_rules(text) == text


def test_rules_grow_with_servers_and_members_not_with_their_product() -> None:
    def count(servers: int, members: int) -> int:
        addresses = tuple(f"192.0.2.{number}" for number in range(members))
        firewall = HostFirewall(
            guests=tuple(make_guest(number, 1) for number in range(2, servers + 2)),
            groups=(make_group(1, make_rule(group_id=9), make_rule(protocol="tcp", group_id=9)),),
            members=(GroupMembers(group_id=9, addresses=addresses),),
        )
        rules = wanted_rules(firewall, Family.IPV4, same_net=True)
        return sum(len(chain) for chain in rules[0].chains.values())

    assert count(200, 100) - count(100, 100) == 100 * (count(2, 1) - count(1, 1))
    assert count(100, 200) - count(100, 100) == 100


def test_interface_without_address_has_no_chain() -> None:
    guest = make_guest(5, vifs=(make_vif(5, NETWORK_V6, fixed_ip=None),))
    rules = wanted_rules(HostFirewall(guests=(guest,)), Family.IPV4, same_net=True)
    assert "nova-compute-inst-5" not in rules[0].chains
