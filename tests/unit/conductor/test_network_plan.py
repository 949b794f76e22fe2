"""What new networks look like, and which networks a server gets."""

import dataclasses
import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova.conductor.network_plan import (
    ManagerKind,
    NetworkDefaults,
    choose_networks,
    plan_networks,
)
from nova.exception import CidrConflict, NetworkNotCreated, NetworkNotFound, VlanInUse
from nova.objects.network import NetworkMode, NewNetwork, RequestedNetwork
from tests.fixtures.guests import make_network


def _plan(existing=(), defaults=None, **values):
    defaults = defaults or NetworkDefaults(bridge="br100")
    return plan_networks(NewNetwork(**values), existing, defaults)


def _free(plan):
    return [address for address, reserved in plan.addresses if not reserved]


def test_a_flat_network_has_gateway_and_dhcp_start():
    (plan,) = _plan(label="private", cidr="10.0.0.0/24", bridge="br100")
    assert plan.columns["gateway"] == plan.columns["dhcp_server"] == "10.0.0.1"
    assert plan.columns["dhcp_start"] == "10.0.0.2"
    assert plan.columns["broadcast"] == "10.0.0.255"
    assert len(plan.addresses) == 256
    assert len(_free(plan)) == 253
    assert _free(plan)[0] == "10.0.0.2"


def test_a_range_is_cut_into_labelled_networks():
    plans = _plan(label="net", cidr="10.0.0.0/16", num_networks=3, network_size=64)
    assert [plan.columns["label"] for plan in plans] == ["net_0", "net_1", "net_2"]
    assert [plan.columns["cidr"] for plan in plans] == [
        "10.0.0.0/26",
        "10.0.0.64/26",
        "10.0.0.128/26",
    ]


def test_pieces_without_a_size_are_capped():
    plans = _plan(label="net", cidr="10.0.0.0/16", num_networks=2)
    assert [plan.columns["cidr"] for plan in plans] == ["10.0.0.0/24", "10.0.1.0/24"]


def test_used_ranges_are_passed_over_or_refused():
    existing = [make_network(cidr="10.0.0.0/24")]
    (plan,) = _plan(existing, label="n", cidr="10.0.0.0/16", num_networks=1, network_size=256)
    assert plan.columns["cidr"] == "10.0.1.0/24"
    with pytest.raises(CidrConflict):
        _plan(existing, label="n", cidr="10.0.0.0/25")


def test_vlan_networks_keep_an_address_for_the_vpn():
    (plan,) = _plan(
        label="v", cidr="10.1.0.0/24", vlan_start=100, defaults=NetworkDefaults(vpn_clients=2)
    )
    assert (plan.columns["vlan"], plan.columns["bridge"]) == (100, "br100")
    assert plan.columns["vpn_private_address"] == "10.1.0.2"
    assert plan.columns["dhcp_start"] == "10.1.0.3"
    assert _free(plan)[0] == "10.1.0.3"
    assert _free(plan)[-1] == "10.1.0.252"
    used = [make_network(cidr="10.9.0.0/24", vlan=104)]
    (later,) = _plan(used, label="v", cidr="10.1.0.0/24", vlan_start=100)
    assert later.columns["vlan"] == 105


def test_one_network_without_a_size_is_capped_too():
    (plan,) = _plan(label="n", cidr="10.0.0.0/8")
    assert plan.columns["cidr"] == "10.0.0.0/24"
    (plan,) = _plan(label="n", cidr="10.0.0.0/8", network_size=1024)
    assert plan.columns["cidr"] == "10.0.0.0/22"


def test_free_pieces_are_found_behind_ranges_of_any_size():
    existing = [make_network(cidr=cidr) for cidr in ("10.0.0.0/9", "10.128.0.8/30", "11.0.0.0/8")]
    plans = _plan(existing, label="n", cidr="10.0.0.0/8", num_networks=3, network_size=8)
    assert [plan.columns["cidr"] for plan in plans] == [
        "10.128.0.0/29",
        "10.128.0.16/29",
        "10.128.0.24/29",
    ]
    with pytest.raises(CidrConflict):
        _plan(existing, label="n", cidr="11.0.0.0/8", num_networks=4000, network_size=4)


def test_ipv6_ranges_are_cut_into_64s():
    plans = _plan(label="n", cidr="10.0.0.0/16", cidr_v6="fd00::/48", num_networks=2)
    assert [plan.columns["cidr_v6"] for plan in plans] == ["fd00::/64", "fd00:0:0:1::/64"]
    assert [plan.columns["gateway_v6"] for plan in plans] == ["fd00::1", "fd00:0:0:1::1"]
    (plan,) = _plan(label="n", cidr_v6="fd00::/56", gateway_v6="fe80::1")
    assert (plan.columns["cidr_v6"], plan.columns["gateway_v6"]) == ("fd00::/56", "fe80::1")


def test_each_manager_says_which_device_it_lacks():
    with pytest.raises(NetworkNotCreated, match="flat_network_bridge"):
        _plan(label="n", cidr="10.0.0.0/24", defaults=NetworkDefaults())
    vlan = NetworkDefaults(manager=ManagerKind.VLAN)
    with pytest.raises(NetworkNotCreated, match="vlan_interface"):
        _plan(label="n", cidr="10.0.0.0/24", defaults=vlan)
    (plan,) = _plan(
        label="n", cidr="10.0.0.0/24", defaults=dataclasses.replace(vlan, vlan_interface="eth1")
    )
    assert (plan.columns["vlan"], plan.columns["bridge"]) == (100, "br100")
    assert plan.columns["bridge_interface"] == "eth1"
    (plan,) = _plan(label="n", cidr="10.0.0.0/24", bridge_interface="eth2", defaults=vlan)
    assert plan.columns["bridge_interface"] == "eth2"


def test_a_vlan_is_used_once():
    with pytest.raises(VlanInUse):
        _plan([make_network(vlan=7)], label="n", cidr="10.9.0.0/24", vlan=7)


def test_an_ipv6_range_gives_a_gateway():
    (plan,) = _plan(label="six", cidr="10.0.0.0/24", cidr_v6="fd00::/64")
    assert plan.columns["gateway_v6"] == "fd00::1"


@pytest.mark.parametrize(
    "values",
    [
        {"label": "", "cidr": "10.0.0.0/24"},
        {"label": "x" * 256, "cidr": "10.0.0.0/24"},
        {"label": "n"},
        {"label": "n", "cidr": "10.0.0.1/24"},
        {"label": "n", "cidr": "nonsense"},
        {"label": "n", "cidr": "10.0.0.0/31"},
        {"label": "n", "cidr": "10.0.0.0/8", "network_size": 2**21},
        {"label": "n", "cidr": "10.0.0.0/8", "network_size": 4096, "num_networks": 1000},
        {"label": "n", "cidr": "10.0.0.0/8", "num_networks": 4095},
        {"label": "n" * 254, "cidr": "10.0.0.0/16", "num_networks": 2},
        {"label": "n", "cidr": "10.0.0.0/24", "gateway": "10.0.1.1"},
        {"label": "n", "cidr": "10.0.0.0/24", "dhcp_server": "10.0.0.255"},
        {"label": "n", "cidr": "10.0.0.0/24", "dns1": "name.example"},
        {"label": "n", "cidr": "10.0.0.0/24", "mtu": 67},
        {"label": "n", "cidr": "10.0.0.0/24", "mtu": 65536},
        {"label": "n", "cidr": "10.0.0.0/24", "cidr_v6": "fd00::/64", "mtu": 1279},
        {"label": "n", "cidr": "10.0.0.0/24", "cidr_v6": "fd00::/64", "gateway_v6": "fd01::1"},
        {"label": "n", "cidr_v6": "fd00::/64", "gateway_v6": "10.0.0.1"},
        {"label": "n", "cidr_v6": "fd00::/64", "num_networks": 2},
        {"label": "n", "cidr": "10.0.0.0/24", "bridge": "br 100; reboot"},
        {"label": "n", "cidr": "10.0.0.0/24", "bridge": "b" * 16},
        {"label": "n", "cidr": "10.0.0.0/24", "bridge_interface": "../eth0"},
        {"label": "n", "cidr": "10.0.0.0/24", "vlan_start": 0},
        {"label": "n", "cidr": "10.0.0.0/16", "vlan_start": 4093, "num_networks": 2},
        {"label": "n", "cidr": "10.0.0.0/24", "vlan": 7, "vpn_start": 65536},
        {"label": "n", "cidr": "10.0.0.0/24", "priority": 2**31},
        {"label": "n", "cidr": "10.0.0.0/30", "num_networks": 9},
        {"label": "n", "cidr": "10.0.0.0/24", "gateway": "x"},
        {"label": "n", "cidr": "10.0.0.0/24", "fixed_cidr": "10.0.1.0/25"},
        {"label": "n", "cidr": "10.0.0.0/24", "allowed_start": "10.0.1.1"},
        {"label": "n", "cidr": "10.0.0.0/24", "num_networks": 0},
        {"label": "n", "cidr": "10.0.0.0/24", "vlan": 5000},
        {"label": "n", "cidr_v6": "fd00::/80"},
    ],
)
def test_unfit_requests_are_refused(values):
    with pytest.raises(NetworkNotCreated):
        _plan(**values)


@settings(deadline=None, max_examples=50)
@given(
    st.integers(min_value=24, max_value=30),
    st.integers(min_value=0, max_value=2**14),
    st.booleans(),
)
def test_free_addresses_are_never_special(prefix, number, vlan):
    base = ipaddress.IPv4Network("10.0.0.0/8")
    whole = ipaddress.IPv4Network((int(base[0]) + number * 65536 % 2**24, prefix), strict=False)
    (plan,) = _plan(label="n", cidr=str(whole), vlan_start=100 if vlan else None)
    free = {ipaddress.IPv4Address(address) for address in _free(plan)}
    special = {
        whole.network_address,
        whole.broadcast_address,
        ipaddress.IPv4Address(plan.columns["gateway"]),
        ipaddress.IPv4Address(plan.columns["dhcp_server"]),
    }
    assert not free & special
    assert all(address in whole for address in free)
    assert len(plan.addresses) == whole.num_addresses
    assert len(free) == whole.num_addresses - len(special) - (1 if vlan else 0)


def test_a_server_gets_the_networks_of_its_project_before_those_of_nobody():
    shared = make_network(uuid="shared")
    own = make_network(uuid="own", project_id="p")
    usable = [(shared, None), (own, "10.0.0.9")]
    assert [pick.network.uuid for pick in choose_networks(NetworkMode.AUTO, (), usable)] == ["own"]
    assert choose_networks(NetworkMode.AUTO, (), usable[:1])[0].network is shared
    assert choose_networks(NetworkMode.NONE, (), usable) == []
    wish = RequestedNetwork(network_uuid="shared", fixed_ip="10.0.0.7", tag="t")
    (pick,) = choose_networks(NetworkMode.EXPLICIT, (wish,), usable)
    assert (pick.network, pick.fixed_ip, pick.tag) == (shared, "10.0.0.7", "t")
    with pytest.raises(NetworkNotFound):
        choose_networks(NetworkMode.EXPLICIT, (RequestedNetwork(network_uuid="x"),), usable)
