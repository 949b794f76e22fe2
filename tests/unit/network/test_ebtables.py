"""Frame rules of shared gateway addresses."""

import pathlib

from nova.netfilter import EBTABLES_CHAIN, render_difference
from nova.network.ebtables import NO_FRAME_RULES, wanted_frame_rules
from nova.network.iptables import PREFIX
from nova.privileged.rule_text import checked_frame_rules
from tests.fixtures.golden import assert_golden
from tests.fixtures.networks import make_network, make_served, make_settings

GOLDEN = pathlib.Path(__file__).parent / "golden"
SHARED = make_served(make_network(multi_host=True, share_address=True, bridge_interface="eth1"))


def test_shared_address_stays_on_its_host() -> None:
    rules = wanted_frame_rules([SHARED], make_settings())
    text = render_difference(rules, "", PREFIX, EBTABLES_CHAIN)
    assert_golden(GOLDEN, "ebtables_shared_address.txt", text)
    assert checked_frame_rules(text) == text


def test_networks_on_one_card_share_its_rule_for_dhcp() -> None:
    other = make_network(2, share_address=True, bridge_interface="eth1")
    [table] = wanted_frame_rules([SHARED, make_served(other)], make_settings())
    assert [len(rules) for rules in table.chains.values()] == [2, 2, 2]


def test_without_shared_address_or_card_there_are_none() -> None:
    inside = make_served(make_network(share_address=True))
    assert wanted_frame_rules([make_served(), inside], make_settings()) == NO_FRAME_RULES
    with_card = make_settings(flat_interface="eth1")
    assert wanted_frame_rules([inside], with_card) != NO_FRAME_RULES
