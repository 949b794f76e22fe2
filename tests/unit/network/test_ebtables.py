"""Frame rules of shared gateway addresses."""

import pathlib

from nova.netfilter import EBTABLES_CHAIN, render_difference
from nova.network.ebtables import NO_FRAME_RULES, wanted_frame_rules
from nova.network.iptables import PREFIX
from nova.objects.floating_ip import HostFloatingIp
from nova.objects.network import HostNetwork
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
    table, _nat = wanted_frame_rules([SHARED, make_served(other)], make_settings())
    assert [len(rules) for rules in table.chains.values()] == [2, 2, 2]


def test_without_shared_address_or_card_there_are_none() -> None:
    inside = make_served(make_network(share_address=True))
    assert wanted_frame_rules([make_served(), inside], make_settings()) == NO_FRAME_RULES
    with_card = make_settings(flat_interface="eth1")
    assert wanted_frame_rules([inside], with_card) != NO_FRAME_RULES


def other_router(**changes: object) -> HostNetwork:
    """Return a network whose guests route through 10.0.1.254, which is not the host."""
    return make_served(gateway="10.0.1.254", **changes)


def nat_text(*networks: HostNetwork, **changes: object) -> str:
    rules = wanted_frame_rules(networks, make_settings(**changes))
    text = render_difference(rules, "", PREFIX, EBTABLES_CHAIN)
    assert checked_frame_rules(text) == text
    return text


def test_frames_that_the_host_translates_do_not_go_to_the_other_router() -> None:
    lead = HostFloatingIp(address="198.51.100.50", fixed_ip="10.0.1.5", interface="pub0")
    text = nat_text(
        other_router(floating_ips=(lead,)),
        routing_source_ip="198.51.100.1",
        force_snat_range=("192.0.2.0/24",),
    )
    assert text.splitlines() == [
        "*nat",
        ":nova-network-PREROUTING RETURN",
        "-I PREROUTING 1 -j nova-network-PREROUTING",
        "-A nova-network-PREROUTING -p IPv4 --ip-src 10.0.1.0/24 --ip-dst 192.0.2.0/24 -j redirect",
        "-A nova-network-PREROUTING -p IPv4 --ip-src 10.0.1.5 --ip-dst ! 10.0.1.0/24 -j redirect",
        "COMMIT",
    ]


def test_everything_translated_needs_no_destination() -> None:
    text = nat_text(
        other_router(), routing_source_ip="198.51.100.1", force_snat_range=("0.0.0.0/0",)
    )
    assert "-p IPv4 --ip-src 10.0.1.0/24 -j redirect" in text


def test_frames_stay_on_the_bridge_where_the_host_is_the_router() -> None:
    lead = HostFloatingIp(address="198.51.100.50", fixed_ip="10.0.1.5", interface="pub0")
    free = HostFloatingIp(address="198.51.100.51", fixed_ip=None, interface="pub0")
    more = {"routing_source_ip": "198.51.100.1", "force_snat_range": ("192.0.2.0/24",)}
    assert nat_text(make_served(floating_ips=(lead,)), **more) == ""
    assert nat_text(make_served(gateway=None, floating_ips=(lead,)), **more) == ""
    assert nat_text(other_router(floating_ips=(free,))) == ""
