"""Bridges that networks need."""

from nova.network.bridges import Bridge, wanted_bridges
from tests.fixtures.networks import make_network, make_served, make_settings


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
