"""Rules against golden texts."""

import dataclasses
import pathlib

import pytest

from nova.netfilter import render_difference
from nova.network.ip6tables import NO_RULES_V6, wanted_rules_v6
from nova.network.iptables import NO_RULES, PREFIX, wanted_rules
from nova.privileged.rule_text import checked_rules
from tests.fixtures.golden import assert_golden
from tests.fixtures.networks import make_network, make_served, make_settings
from tests.fixtures.rule_cases import CASES

GOLDEN = pathlib.Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", CASES)
def test_rules(name: str) -> None:
    networks, settings = CASES[name]
    text = render_difference(wanted_rules(networks, settings), "", PREFIX)
    assert_golden(GOLDEN, f"iptables_{name}.txt", text)
    assert checked_rules(text) == text


@pytest.mark.parametrize("name", ["two_projects", "ipv6_only", "dual_stack", "no_network"])
def test_rules_v6(name: str) -> None:
    networks, settings = CASES[name]
    settings = dataclasses.replace(settings, use_ipv6=True)
    text = render_difference(wanted_rules_v6(networks, settings), "", PREFIX)
    assert_golden(GOLDEN, f"ip6tables_{name}.txt", text)
    assert checked_rules(text) == text


def test_without_use_ipv6_there_are_no_ipv6_rules() -> None:
    networks, settings = CASES["dual_stack"]
    settings = dataclasses.replace(settings, use_ipv6=False)
    assert wanted_rules_v6(networks, settings) == NO_RULES_V6


def test_network_without_gateway_is_closed_towards_networks_before_it() -> None:
    """The rules of another network must not let its packets through first."""
    networks = [make_served(), make_served(make_network(2), gateway=None)]
    rules = wanted_rules(networks, make_settings())[0].chains["nova-network-FORWARD"]
    assert rules.index("-o br2 -j DROP") < rules.index("-i br1 -j ACCEPT")


def test_net_13_rules_grow_with_the_number_of_networks_only() -> None:
    def count(number: int) -> int:
        networks = [
            make_served(make_network(one, project_id=f"p{one % 20}")) for one in range(number)
        ]
        chains = wanted_rules(networks, make_settings())[2].chains
        return sum(len(rules) for rules in chains.values())

    assert count(80) - count(40) == count(120) - count(80)


def test_net_13_bridge_of_two_projects_belongs_to_neither() -> None:
    networks = [
        make_served(make_network(1, project_id="one")),
        make_served(make_network(2, bridge="br1", project_id="two")),
        make_served(make_network(3, project_id="one")),
    ]
    chains = wanted_rules(networks, make_settings())[2].chains
    assert chains["nova-network-own-1"] == ("-o br1 -j RETURN", "-j nova-network-tenants")
    assert chains["nova-network-own-2"] == ("-o br3 -j RETURN", "-j nova-network-tenants")


def test_network_without_bridge_has_no_rules() -> None:
    nameless = make_served(make_network(bridge=None))
    assert wanted_rules([nameless], make_settings()) == wanted_rules([], make_settings())


def test_net_09_hostile_bridge_name_has_no_rules() -> None:
    hostile = make_served(make_network(bridge="br0 -j ACCEPT\n-A INPUT"))
    assert wanted_rules([hostile], make_settings()) == wanted_rules([], make_settings())


def test_nothing_to_clear_needs_no_command() -> None:
    assert render_difference(NO_RULES, "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", PREFIX) == ""
