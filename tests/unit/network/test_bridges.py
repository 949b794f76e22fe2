"""Bridges that networks need."""

import pytest

from nova.network.bridges import Bridge, Vlan, wanted_bridges
from tests.fixtures.networks import make_network, make_served, make_settings, make_vlan


def test_bridge_of_a_network() -> None:
    network = make_network(bridge_interface="eth1", mtu=1400)
    assert wanted_bridges([make_served(network)], make_settings()) == (
        Bridge(name="br1", interface="eth1", addresses=("10.0.1.1/24",), mtu=1400),
    )


def test_options_fill_in_what_the_network_leaves_open() -> None:
    settings = make_settings(
        flat_network_bridge="br100", flat_interface="eth2", network_device_mtu=1450
    )
    assert wanted_bridges([make_served(make_network(bridge=None))], settings) == (
        Bridge(name="br100", interface="eth2", addresses=("10.0.1.1/24",), mtu=1450),
    )


def test_networks_share_a_bridge_in_order_of_id() -> None:
    served = [make_served(make_network(2, bridge="br1")), make_served()]
    [bridge] = wanted_bridges(served, make_settings())
    assert bridge.addresses == ("10.0.1.1/24", "10.0.2.1/24")


def test_multi_host_bridge_has_the_address_of_this_host() -> None:
    [bridge] = wanted_bridges([make_served(dhcp_server="10.0.1.9")], make_settings())
    assert bridge.addresses == ("10.0.1.9/24",)


def test_network_without_bridge_is_left_out() -> None:
    assert wanted_bridges([make_served(make_network(bridge=None))], make_settings()) == ()


def test_vlan_is_the_port_of_its_bridge() -> None:
    settings = make_settings(use_vlans=True, flat_interface="eth9")
    assert wanted_bridges([make_served(make_vlan(mtu=1400))], settings) == (
        Bridge(
            name="br101",
            addresses=("10.0.1.1/24",),
            mtu=1400,
            vlan=Vlan(id=101, interface="eth1"),
        ),
    )


def test_host_with_another_card_says_so_by_option() -> None:
    settings = make_settings(use_vlans=True, vlan_interface="bond0")
    [bridge] = wanted_bridges([make_served(make_vlan(bridge=None))], settings)
    assert (bridge.name, bridge.vlan) == ("br101", Vlan(id=101, interface="bond0"))


def test_vlan_counts_only_where_there_are_vlans() -> None:
    [bridge] = wanted_bridges([make_served(make_vlan())], make_settings())
    assert (bridge.interface, bridge.vlan) == ("eth1", None)


def test_ipv6_gateway_is_on_the_bridge() -> None:
    network = make_network(cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1")
    [off] = wanted_bridges([make_served(network)], make_settings())
    [on] = wanted_bridges([make_served(network)], make_settings(use_ipv6=True))
    assert (off.addresses_v6, on.addresses_v6) == (None, ("fd00:1::1/64",))


def test_net_03_bridge_without_ipv6_network_has_no_ipv6() -> None:
    [bridge] = wanted_bridges([make_served()], make_settings(use_ipv6=True))
    assert bridge.addresses_v6 is None


@pytest.mark.parametrize(("card", "addresses"), [("eth1", ()), (None, ("fd00:1::1/64",))])
def test_hosts_joined_by_a_card_do_not_share_a_gateway(card: str, addresses: tuple) -> None:
    network = make_network(
        multi_host=True, bridge_interface=card, cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1"
    )
    [bridge] = wanted_bridges([make_served(network)], make_settings(use_ipv6=True))
    assert bridge.addresses_v6 == addresses
