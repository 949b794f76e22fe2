"""radvd's files against golden texts."""

import pathlib

import pytest

from nova.network.radvd import wanted_advertisers
from nova.network.settings import NetworkSettings
from nova.objects.network import HostNetwork
from tests.fixtures.golden import assert_golden
from tests.fixtures.networks import make_network, make_served, make_settings

GOLDEN = pathlib.Path(__file__).parent / "golden"
SETTINGS = make_settings(use_ipv6=True)
DUAL = make_served(make_network(cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1"))

CASES: dict[str, tuple[list[HostNetwork], NetworkSettings]] = {
    "one_network": ([DUAL], SETTINGS),
    "shared_bridge": (
        [DUAL, make_served(make_network(2, bridge="br1", cidr_v6="fd00:2::/64", mtu=1400))],
        SETTINGS,
    ),
    "no_gateway": ([make_served(make_network(cidr_v6="fd00:1::/64"))], SETTINGS),
}


@pytest.mark.parametrize("name", CASES)
def test_config(name: str) -> None:
    networks, settings = CASES[name]
    [advertiser] = wanted_advertisers(networks, settings)
    assert (advertiser.bridge, advertiser.user) == ("br1", "radvd")
    assert_golden(GOLDEN, f"radvd_{name}.txt", advertiser.config)


def test_bridges_have_advertisers_of_their_own() -> None:
    other = make_served(make_network(2, cidr_v6="fd00:2::/64"))
    found = wanted_advertisers([other, DUAL, make_served(make_network(3))], SETTINGS)
    assert [one.bridge for one in found] == ["br1", "br2"]


def test_without_use_ipv6_there_are_none() -> None:
    assert wanted_advertisers([DUAL], make_settings()) == ()
