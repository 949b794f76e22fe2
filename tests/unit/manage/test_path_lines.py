"""The explanation of a server's path from given facts."""

import dataclasses

import pytest

from nova.manage.path_facts import PathFacts
from nova.manage.path_lines import explain
from nova.manage.path_rules import describe_rule, rule_words
from nova.manage.path_verdict import Verdict
from nova.objects.floating_ip import FloatingIp
from nova.objects.lifecycle import PowerState
from nova.objects.path import DhcpService, GuestPath, Link, NetworkPath
from nova.objects.path_reading import parse_counted
from nova.objects.security_group import SecurityGroup, SecurityGroupRule
from tests.fixtures.guests import make_instance, make_network, make_vif

TAP = make_vif().devname
FLOATING = "203.0.113.7"

GUEST_RULES = """\
*filter
:FORWARD ACCEPT [0:0]
:nova-filter-top - [0:0]
:nova-compute-local - [0:0]
:nova-compute-inst-18 - [0:0]
:nova-compute-sg-3 - [0:0]
[9:900] -A FORWARD -j nova-filter-top
[9:900] -A nova-filter-top -j nova-compute-local
[5:500] -A nova-compute-local -d 10.0.0.3/32 -j nova-compute-inst-18
[5:500] -A nova-compute-inst-18 -j nova-compute-sg-3
[2:120] -A nova-compute-sg-3 -p tcp -m tcp --dport 22 -j ACCEPT
[1:84] -A nova-compute-sg-3 -s 192.0.2.0/24 -p icmp -j ACCEPT
COMMIT
"""

NETWORK_RULES = f"""\
*filter
:FORWARD DROP [0:0]
:nova-network-FORWARD - [0:0]
[9:900] -A FORWARD -j nova-network-FORWARD
[4:400] -A nova-network-FORWARD -i br100 -j ACCEPT
COMMIT
*nat
:nova-network-PREROUTING - [0:0]
:nova-network-snat - [0:0]
:nova-network-float-snat - [0:0]
[3:180] -A nova-network-PREROUTING -d 169.254.169.254/32 -p tcp -m tcp --dport 80 \
-j DNAT --to-destination 192.0.2.10:8775
[6:360] -A nova-network-PREROUTING -d {FLOATING}/32 -j DNAT --to-destination 10.0.0.3
[8:480] -A nova-network-snat -s 10.0.0.0/24 -o eth0 -j SNAT --to-source 192.0.2.10
[1:60] -A nova-network-float-snat -s 10.0.0.3/32 -d 10.0.0.3/32 -j SNAT --to-source {FLOATING}
[2:120] -A nova-network-float-snat -s 10.0.0.3/32 -o eth0 -j SNAT --to-source {FLOATING}
COMMIT
"""


def rule(number, **changes):
    values = {
        "id": number,
        "uuid": f"rule-{number}",
        "parent_group_id": 3,
        "parent_group_uuid": "group-3",
        "project_id": "demo",
    }
    return SecurityGroupRule(**(values | changes))


SSH = rule(1, protocol="tcp", from_port=22, to_port=22, cidr="0.0.0.0/0")
PING = rule(2, protocol="icmp", from_port=-1, to_port=-1, cidr="192.0.2.0/24")


def make_guest(**changes):
    values = {
        "host": "compute1",
        "power_state": PowerState.RUNNING,
        "links": (
            Link(name="br100", kind="bridge", up=True),
            Link(name=TAP, kind="tun", up=True, bridge="br100", received_packets=11),
        ),
        "chains": parse_counted(GUEST_RULES),
        "bridge_filtering": True,
    }
    return GuestPath(**(values | changes))


def make_path(**changes):
    values = {
        "host": "compute1",
        "served": (1,),
        "links": (
            Link(name="br100", up=True, addresses=("10.0.0.2/24",)),
            Link(name="lo", up=True, addresses=("127.0.0.1/8", "169.254.169.254/32")),
            Link(name="eth0", up=True, addresses=(f"{FLOATING}/32",)),
        ),
        "chains": parse_counted(NETWORK_RULES),
        "services": (
            DhcpService(
                bridge="br100",
                process_id=77,
                entries=("fa:16:3e:00:00:01,web.novalocal,10.0.0.3",),
            ),
        ),
    }
    return NetworkPath(**(values | changes))


def make_facts(path=None, **changes):
    group = SecurityGroup(id=3, uuid="group-3", name="web", project_id="demo", rules=(SSH, PING))
    floating_ip = FloatingIp(
        id=1, uuid="f-1", address=FLOATING, pool="public", fixed_ip="10.0.0.3", host="compute1"
    )
    values = {
        "instance": make_instance(),
        "groups": (group,),
        "floating_ips": (floating_ip,),
        "leased": frozenset({"10.0.0.3"}),
        "guest": make_guest(),
        "networks": {"compute1": path or make_path()},
    }
    return PathFacts(**(values | changes))


def problems(facts):
    return [
        (line.subject, line.check) for line in explain(facts) if line.verdict is Verdict.PROBLEM
    ]


def found(facts, subject, check):
    return [line.found for line in explain(facts) if (line.subject, line.check) == (subject, check)]


def without(text, *words):
    kept = [line for line in text.splitlines() if not any(word in line for word in words)]
    return parse_counted("\n".join(kept))


def test_a_whole_path_has_no_problem():
    assert problems(make_facts()) == []


def test_counters_are_told():
    facts = make_facts()
    assert found(facts, "web", "rule") == [
        "tcp 22 from 0.0.0.0/0: 2 packets, 120 bytes",
        "icmp from 192.0.2.0/24: 1 packets, 84 bytes",
    ]
    assert found(facts, FLOATING, "DNAT") == ["to 10.0.0.3 on compute1: 6 packets, 360 bytes"]
    assert found(facts, FLOATING, "SNAT") == ["from 10.0.0.3: 3 packets, 180 bytes"]
    assert found(facts, TAP, "SNAT") == ["to 192.0.2.10: 8 packets, 480 bytes"]
    assert found(facts, TAP, "counters")[0].startswith("from guest 11 packets")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"links": ()}, [(TAP, "bridge"), (TAP, "tap")]),
        (
            {"links": (Link(name="br100", up=False), Link(name=TAP, up=True, bridge="br100"))},
            [(TAP, "bridge")],
        ),
        (
            {"links": (Link(name="br100", up=True), Link(name=TAP, up=True))},
            [(TAP, "tap")],
        ),
        (
            {"links": (Link(name="br100", up=True), Link(name=TAP, bridge="br100"))},
            [(TAP, "tap")],
        ),
        ({"power_state": PowerState.SHUTDOWN}, [("server", "guest")]),
        ({"bridge_filtering": False}, [("server", "bridged packets")]),
        ({"bridge_filtering": None}, [("server", "bridged packets")]),
        (
            {"chains": without(GUEST_RULES, "-A FORWARD")},
            [("server", "IPv4 FORWARD")],
        ),
        (
            {"chains": without(GUEST_RULES, "-A nova-compute-local")},
            [("server", "IPv4 chain")],
        ),
        (
            {"chains": without(GUEST_RULES, "-A nova-compute-inst-18")},
            [("web", "IPv4 chain")],
        ),
        ({"chains": without(GUEST_RULES, "dport 22")}, [("web", "rule")]),
    ],
)
def test_what_is_wrong_on_the_compute_host_is_a_problem(changes, expected):
    assert problems(make_facts(guest=make_guest(**changes))) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"served": ()}, [(TAP, "nova-network")]),
        ({"services": ()}, [(TAP, "DHCP"), (TAP, "DHCP entry")]),
        (
            {"services": (DhcpService(bridge="br100", process_id=1),)},
            [(TAP, "DHCP entry")],
        ),
        (
            {"chains": without(NETWORK_RULES, "169.254")},
            [(TAP, "metadata")],
        ),
        ({"chains": without(NETWORK_RULES, "nova-network-snat -s")}, [(TAP, "SNAT")]),
        ({"chains": without(NETWORK_RULES, "-i br100")}, [(TAP, "FORWARD")]),
        ({"chains": without(NETWORK_RULES, f"-d {FLOATING}")}, [(FLOATING, "DNAT")]),
        ({"chains": without(NETWORK_RULES, f"--to-source {FLOATING}")}, [(FLOATING, "SNAT")]),
        (
            {"links": make_path().links[:2]},
            [(FLOATING, "device")],
        ),
        (
            {"links": make_path().links[1:]},
            [(TAP, "gateway")],
        ),
    ],
)
def test_what_is_wrong_on_the_network_host_is_a_problem(changes, expected):
    assert problems(make_facts(make_path(**changes))) == expected


def test_a_wrong_address_in_the_dhcp_entry_is_a_problem():
    services = (
        DhcpService(
            bridge="br100", process_id=1, entries=("fa:16:3e:00:00:01,web.novalocal,10.0.0.33",)
        ),
    )
    assert problems(make_facts(make_path(services=services))) == [(TAP, "DHCP entry")]


def test_an_address_that_the_guest_has_not_taken_is_a_problem():
    assert problems(make_facts(leased=frozenset())) == [(TAP, "lease")]


def test_silent_daemons_are_problems_and_the_rest_is_still_told():
    facts = make_facts(guest=None, networks={}, silent={"nova-compute on compute1": "no answer"})
    assert problems(facts) == [("server", "daemon")]
    assert found(facts, TAP, "network") == ["private: 10.0.0.0/24"]
    assert found(facts, "web", "rule")[0] == "tcp 22 from 0.0.0.0/0"


def test_a_server_on_no_host_is_a_problem():
    facts = make_facts(instance=make_instance(host=None, vifs=()), guest=None, floating_ips=())
    assert problems(facts) == [("server", "host")]


def test_a_network_that_no_host_serves_is_a_problem():
    vif = make_vif(network=make_network(multi_host=False, host=None))
    facts = make_facts(instance=make_instance(vifs=(vif,)), floating_ips=())
    assert problems(facts) == [(TAP, "nova-network")]


def test_a_router_outside_needs_neither_gateway_nor_translation():
    vif = make_vif(gateway="10.0.0.254")
    path = make_path(chains=without(NETWORK_RULES, "nova-network-snat -s"))
    facts = make_facts(path, instance=make_instance(vifs=(vif,)))
    assert problems(facts) == []
    assert found(facts, TAP, "gateway") == ["10.0.0.254, a router outside of compute1"]


def test_vlan_and_ipv6_of_a_network_are_told():
    vif = make_vif(network=make_network(vlan=101, cidr_v6="fd00::/64"))
    facts = make_facts(instance=make_instance(vifs=(vif,)))
    assert found(facts, TAP, "network") == ["private: 10.0.0.0/24, fd00::/64, VLAN 101"]


@pytest.mark.parametrize(
    ("changes", "text", "words"),
    [
        ({}, "everything from anywhere", ()),
        (
            {"protocol": "tcp", "from_port": 1, "to_port": 65535, "cidr": "10.0.0.0/8"},
            "tcp 1:65535 from 10.0.0.0/8",
            ("-s 10.0.0.0/8", "-p tcp"),
        ),
        (
            {"protocol": "udp", "from_port": 100, "to_port": 200},
            "udp 100:200 from anywhere",
            ("-p udp", "100:200"),
        ),
        (
            {"protocol": "icmp", "from_port": 8, "to_port": 0, "cidr": "0.0.0.0/0"},
            "icmp type 8 from 0.0.0.0/0",
            ("-p icmp",),
        ),
        (
            {"protocol": "tcp", "from_port": 22, "to_port": 22, "group_id": 9, "group_name": "db"},
            "tcp 22 from group db",
            ("-p tcp", "22", "-j nova-compute-src-9"),
        ),
    ],
)
def test_rules_are_told_and_looked_for(changes, text, words):
    one = rule(1, **changes)
    assert describe_rule(one) == text
    assert rule_words(one, 4) == words


def test_ipv6_rules_are_looked_for_among_those_of_ipv6():
    ping = rule(1, protocol="icmp", from_port=-1, to_port=-1, cidr="::/0")
    assert rule_words(ping, 6) == ("-p ipv6-icmp",)
    group = SecurityGroup(id=3, uuid="g", name="web", project_id="demo", rules=(ping,))
    six = parse_counted(GUEST_RULES.replace("-p tcp -m tcp --dport 22", "-p ipv6-icmp"), 6)
    instance = make_instance(vifs=(make_vif(fixed_ip_v6="fd00::3"),))
    guest = make_guest(chains=(*parse_counted(GUEST_RULES), *six))
    facts = make_facts(groups=(group,), guest=guest, instance=instance)
    assert problems(facts) == []
    assert found(facts, "server", "IPv6 chain") != []
    without_v6 = dataclasses.replace(facts, guest=make_guest())
    assert ("web", "rule") in problems(without_v6)
    assert ("server", "IPv6 chain") in problems(without_v6)


def test_rules_of_a_version_that_a_server_has_no_address_of_do_not_concern_it():
    rules = (rule(1, protocol="tcp", from_port=443, to_port=443, cidr="::/0"),)
    group = SecurityGroup(id=3, uuid="g", name="web", project_id="demo", rules=rules)
    facts = make_facts(groups=(group,))
    assert problems(facts) == []
    assert found(facts, "web", "rule") == ["tcp 443 from ::/0: the server has no such address"]


def test_a_group_without_rules_needs_no_chain():
    group = SecurityGroup(id=9, uuid="g", name="empty", project_id="demo")
    facts = make_facts(groups=(group,))
    assert problems(facts) == []
    assert found(facts, "empty", "rules") == ["none: the group lets nothing in"]
