"""dnsmasq's arguments and files against golden texts."""

import dataclasses
import pathlib

import pytest

from nova.network.dhcp import (
    DhcpServer,
    make_server,
    render_hosts,
    render_names,
    render_options,
    wanted_servers,
)
from nova.network.leases_text import render_leases
from nova.network.settings import NetworkSettings
from nova.objects.network import DnsName, HostNetwork
from tests.fixtures.golden import assert_golden
from tests.fixtures.networks import make_binding, make_network, make_served, make_settings

GOLDEN = pathlib.Path(__file__).parent / "golden"
GUESTS = (make_binding(6), make_binding(5, mac="FA:16:3E:00:00:05"))

CASES: dict[str, tuple[list[HostNetwork], NetworkSettings]] = {
    "one_network": ([make_served(bindings=GUESTS)], make_settings()),
    "multi_host": (
        [
            make_served(
                make_network(multi_host=True),
                (*GUESTS, make_binding(7, host="net2")),
                dhcp_server="10.0.1.9",
                gateway="10.0.1.9",
            )
        ],
        make_settings(),
    ),
    "name_servers": (
        [make_served(make_network(dns1="192.0.2.53", dns2="198.51.100.53"), gateway=None)],
        make_settings(
            dns_server=("192.0.2.53",), use_network_dns_servers=True, dhcp_domain="",
            dnsmasq_config_file="/etc/dnsmasq-nova.conf", dhcpbridge_user=None,
        ),
    ),
    "single_gateway": (
        [
            make_served(
                make_network(mtu=1400),
                (
                    make_binding(5, vif_id="0c1e2b3a-6f3d-4a55-9a0e-6b1b2f5c7d05"),
                    make_binding(6, vif_id="second", default_route=False),
                    make_binding(7, vif_id=None),
                ),
            ),
            make_served(make_network(2, bridge="br1"), gateway=None),
        ],
        make_settings(use_single_default_gateway=True),
    ),
    "shared_bridge": (
        [make_served(bindings=GUESTS), make_served(make_network(2, bridge="br1", label="net-1"))],
        make_settings(),
    ),
}  # fmt: skip


def text_of(server: DhcpServer) -> str:
    lines = [f"network {server.network_id}", *server.arguments]
    for path, content in server.files:
        lines += ["", f"# {path}", content.replace("\t", "<TAB>").rstrip("\n")]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_server(name: str) -> None:
    networks, settings = CASES[name]
    [server] = wanted_servers(networks, settings)
    assert_golden(GOLDEN, f"dnsmasq_{name}.txt", text_of(server))


def test_bridges_have_servers_of_their_own() -> None:
    networks = [make_served(make_network(2)), make_served()]
    assert [one.bridge for one in wanted_servers(networks, make_settings())] == ["br1", "br2"]


@pytest.mark.parametrize(
    "served",
    [
        make_served(make_network(enable_dhcp=False)),
        make_served(dhcp_server=None),
        make_served(make_network(cidr=None)),
        make_served(make_network(bridge="../x")),
    ],
)
def test_network_without_dhcp_has_no_server(served: HostNetwork) -> None:
    assert wanted_servers([served], make_settings()) == ()


@pytest.mark.parametrize(
    "hostname", ["a\nfa:16:3e:00:00:09,evil,10.0.1.9", "a,10.0.1.9", "a b", "#a", "a\0b", "é"]
)
def test_net_15_host_name_can_not_break_out_of_its_line(hostname: str) -> None:
    served = make_served(bindings=(make_binding(5, hostname=hostname),))
    [line] = render_hosts([served], make_settings()).splitlines()
    mac, name, address = line.split(",")
    assert (mac, address) == ("fa:16:3e:00:00:05", "10.0.1.5")
    assert name.isascii() and " " not in name and name.endswith(".novalocal")


@pytest.mark.parametrize(
    "changes",
    [
        {"mac": "fa:16:3e:00:00:05\nx"},
        {"mac": "*:*:*:*:*:*"},
        {"address": "10.0.1.5\nx"},
        {"address": "10.0.2.5"},
        {"address": "::1"},
    ],
)
def test_net_15_unsound_binding_is_left_out(changes: dict[str, str]) -> None:
    served = make_served(bindings=(make_binding(5, **changes), make_binding(6)))
    assert render_hosts([served], make_settings()).startswith("fa:16:3e:00:00:06,")


def test_net_15_label_and_domain_can_not_add_arguments() -> None:
    served = make_served(make_network(label="a,b\nc --x"))
    settings = make_settings(dhcp_domain="x,local\ny")
    server = make_server("br1", [served], settings)
    assert "--dhcp-range=set:a-b-c---x,10.0.1.2,static,255.255.255.0,86400s" in server.arguments
    assert not any(argument.startswith("--domain") for argument in server.arguments)
    assert "x,local" not in server.files[0][1]


@pytest.mark.parametrize("second", [4, 6, 10])
def test_first_binding_of_a_mac_counts(second: int) -> None:
    """The address that an interface was given first, wherever others sort."""
    bindings = (make_binding(5), make_binding(second, mac="fa:16:3e:00:00:05"))
    assert render_hosts([make_served(bindings=bindings)], make_settings()) == (
        "fa:16:3e:00:00:05,guest-5.novalocal,10.0.1.5\n"
    )


def test_name_server_knows_guests_and_dns_entries_of_its_networks() -> None:
    names = (
        DnsName(name="www.example.org", address="203.0.113.9"),
        DnsName(name="v6.example.org", address="fd00::9"),
        DnsName(name="www.example.org", address="203.0.113.9"),
    )
    served = make_served(bindings=(make_binding(5),), names=names)
    assert render_names([served], make_settings()) == (
        "10.0.1.5\tguest-5.novalocal\n203.0.113.9\twww.example.org\nfd00::9\tv6.example.org\n"
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("a.example\n10.0.0.1 evil", "203.0.113.9"),
        ("a b", "203.0.113.9"),
        ("a,b", "203.0.113.9"),
        ("#x", "203.0.113.9"),
        ("", "203.0.113.9"),
        ("a.example", "203.0.113.9\n10.0.0.1 evil"),
        ("a.example", "fe80::1%eth0"),
        ("a.example", "x"),
    ],
)
def test_net_15_unsound_dns_entry_is_left_out(name: str, address: str) -> None:
    served = make_served(names=(DnsName(name=name, address=address),))
    assert render_names([served], make_settings()) == ""


def test_net_15_interface_id_can_not_add_options() -> None:
    binding = make_binding(5, vif_id="x,10.0.0.1\n3,10.0.0.9")
    settings = make_settings(use_single_default_gateway=True)
    served = make_served(bindings=(binding,))
    assert render_options([served], settings).splitlines() == [
        "3,10.0.1.1",
        "tag:NW-x-10-0-0-1-3-10-0-0-9,3,10.0.1.1",
    ]


def test_leases_of_guests_that_hold_them() -> None:
    bindings = (
        make_binding(5, leased=True),
        make_binding(6),
        make_binding(7, leased=True, hostname=""),
    )
    assert render_leases(bindings, 1000) == (
        "1000 fa:16:3e:00:00:05 10.0.1.5 guest-5 *\n1000 fa:16:3e:00:00:07 10.0.1.7 * *\n"
    )


def test_arguments_do_not_depend_on_guests() -> None:
    """dnsmasq is started anew when its arguments change; guests must not cause that."""
    served = make_served(make_network(multi_host=True))
    full = dataclasses.replace(served, bindings=GUESTS)
    settings = make_settings()
    assert (
        make_server("br1", [served], settings).arguments
        == make_server("br1", [full], settings).arguments
    )
