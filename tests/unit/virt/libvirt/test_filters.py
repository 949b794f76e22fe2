"""Packet filters against spoofing."""

import os
import pathlib

import pytest
from defusedxml import ElementTree

from nova.virt.libvirt import filters
from tests.fixtures.guests import make_vif

GOLDEN = pathlib.Path(__file__).parent / "golden"
BUILT_IN = {"no-mac-spoofing", "no-ip-spoofing", "no-arp-spoofing"}
NAME = "instance-00000012"


def parameters(vif):
    root = ElementTree.fromstring(filters.interface_filter(NAME, vif).xml())
    reference = root.find("filterref")
    values = [(item.get("name"), item.get("value")) for item in reference]
    return reference.get("filter"), values


def test_shared_filters_equal_the_golden_file():
    text = "".join(shared.xml() for shared in filters.SHARED)
    path = GOLDEN / "filters.xml"
    if os.environ.get("NOVA_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_each_filter_is_defined_before_it_is_referred_to():
    known = set(BUILT_IN)
    for shared in filters.SHARED:
        assert set(shared.references) <= known
        known.add(shared.name)


def test_net_01_interface_is_held_to_its_addresses():
    expected = [("IP", "10.0.0.3"), ("DHCPSERVER", "10.0.0.2")]
    assert parameters(make_vif()) == (filters.BASE, expected)


def test_net_01_interface_with_ipv6_is_held_to_both_of_its_addresses():
    vif = make_vif(fixed_ip_v6="2001:db8::3")
    name, values = parameters(vif)
    assert name == filters.BASE_V6
    assert ("IPV6", "2001:db8::3") in values
    assert ("IPV6", "fe80::f816:3eff:fe00:1") in values


def test_net_01_interface_is_held_to_all_of_its_addresses():
    vif = make_vif(more_fixed_ips=("10.0.0.9", "10.0.0.10"))
    values = [value for name, value in parameters(vif)[1] if name == "IP"]
    assert values == ["10.0.0.3", "10.0.0.9", "10.0.0.10"]


def test_net_01_interface_with_ipv6_alone_is_held_to_it():
    _, values = parameters(make_vif(fixed_ip=None, fixed_ip_v6="2001:db8::1234"))
    assert values == [("IPV6", "2001:db8::1234"), ("IPV6", "fe80::f816:3eff:fe00:1")]


@pytest.mark.parametrize("name", [filters.V6_ONLY, filters.WITHOUT_ADDRESS])
def test_net_01_interface_without_ipv4_sends_no_arp(name):
    (found,) = (shared for shared in filters.SHARED if shared.name == name)
    assert {"nova-no-ipv4", "nova-no-arp"} <= set(found.references)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dhcp_server": None}, filters.WITHOUT_DHCP),
        ({"dhcp_server": None, "fixed_ip_v6": "2001:db8::3"}, filters.WITHOUT_DHCP_V6),
        ({"fixed_ip": None}, filters.WITHOUT_ADDRESS),
        ({"fixed_ip": None, "fixed_ip_v6": "2001:db8::3"}, filters.V6_ONLY),
    ],
)
def test_base_follows_from_what_the_interface_has(changes, expected):
    assert parameters(make_vif(**changes))[0] == expected


@pytest.mark.parametrize(
    "base",
    [
        filters.BASE,
        filters.WITHOUT_DHCP,
        filters.BASE_V6,
        filters.WITHOUT_DHCP_V6,
        filters.WITHOUT_ADDRESS,
    ],
)
def test_net_01_nothing_passes_that_no_filter_speaks_of(base):
    shared = {one.name: one for one in filters.SHARED}
    assert "no-mac-spoofing" in shared[base].references
    assert shared[base].references[-1] == "nova-no-other-traffic"
    last = shared["nova-no-other-traffic"].rules[-1]
    assert (last.action, last.direction, last.protocol) == ("drop", "inout", None)


def test_address_that_is_none_is_not_written_into_a_filter():
    with pytest.raises(ValueError, match="evil"):
        filters.interface_filter(NAME, make_vif(fixed_ip="10.0.0.3'/><evil/>"))


def test_name_and_uuid_of_an_interface_filter():
    own = filters.interface_filter(NAME, make_vif())
    assert own.name == "nova-instance-instance-00000012-fa163e000001"
    assert own.name.startswith(filters.filter_prefix(NAME))
    uuid = "3f1a2b4c-0000-4000-8000-123456789abc"
    assert ElementTree.fromstring(own.xml(uuid)).findtext("uuid") == uuid
