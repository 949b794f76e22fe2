"""Rules against golden texts."""

import pathlib

import pytest

from nova.network.iptables import NO_RULES, wanted_rules
from nova.network.iptables_diff import render_difference
from nova.privileged.rule_text import checked_rules
from tests.fixtures.golden import assert_golden
from tests.fixtures.networks import make_network, make_served, make_settings
from tests.fixtures.rule_cases import CASES

GOLDEN = pathlib.Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", CASES)
def test_rules(name: str) -> None:
    networks, settings = CASES[name]
    text = render_difference(wanted_rules(networks, settings), "")
    assert_golden(GOLDEN, f"iptables_{name}.txt", text)
    assert checked_rules(text) == text


def test_network_without_bridge_has_no_rules() -> None:
    nameless = make_served(make_network(bridge=None))
    assert wanted_rules([nameless], make_settings()) == wanted_rules([], make_settings())


def test_net_09_hostile_bridge_name_has_no_rules() -> None:
    hostile = make_served(make_network(bridge="br0 -j ACCEPT\n-A INPUT"))
    assert wanted_rules([hostile], make_settings()) == wanted_rules([], make_settings())


def test_nothing_to_clear_needs_no_command() -> None:
    assert render_difference(NO_RULES, "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n") == ""
