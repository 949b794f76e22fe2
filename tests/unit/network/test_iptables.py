"""Rules against golden texts."""

import pathlib

import pytest

from nova.network.iptables import NO_RULES, wanted_rules
from nova.network.iptables_diff import render_difference
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork
from nova.privileged.rule_text import checked_rules
from tests.fixtures.golden import assert_golden
from tests.fixtures.networks import make_network, make_served, make_settings

GOLDEN = pathlib.Path(__file__).parent / "golden"

MULTI_HOST = make_served(make_network(multi_host=True), dhcp_server="10.0.1.9", gateway="10.0.1.9")

CASES: dict[str, tuple[list[HostNetwork], NetworkSettings]] = {
    "no_network": ([], make_settings()),
    "one_network": ([make_served()], make_settings()),
    "two_networks": ([make_served(), make_served(make_network(2))], make_settings()),
    "multi_host": ([MULTI_HOST], make_settings(metadata_host="127.0.0.1")),
    "outside_gateway": (
        [make_served(gateway="10.0.1.254")],
        make_settings(force_snat_range=("0.0.0.0/0", "198.51.100.0/24")),
    ),
    "no_gateway": ([make_served(gateway=None)], make_settings()),
    "no_dhcp": ([make_served(make_network(enable_dhcp=False))], make_settings()),
    "on_a_card": (
        [make_served(make_network(bridge_interface="eth1"))],
        make_settings(dmz_cidr=("203.0.113.0/24",), iptables_drop_action="REJECT"),
    ),
    "listed_cards": (
        [make_served()],
        make_settings(forward_bridge_interface=("eth0", "eth2"), public_interface=None),
    ),
}


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
