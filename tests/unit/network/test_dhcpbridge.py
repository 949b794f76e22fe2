"""nova-dhcpbridge: what dnsmasq's invocations mean."""

import pytest

from nova.exception import InvalidInput
from nova.network.dhcpbridge import carry_out, network_id_of, parse_lease
from nova.network.manager import FlatDHCPManager
from nova.network.memory import MemoryHost
from nova.network.rpcapi import NetworkAPI
from nova.rpc.local import LocalBus
from tests.fixtures.networks import (
    HOST,
    NetworksConductor,
    make_binding,
    make_served,
    make_settings,
)

MAC, ADDRESS = "fa:16:3e:00:00:05", "10.0.1.5"


def make_bus(conductor: NetworksConductor) -> LocalBus:
    bus = LocalBus()
    bus.serve("conductor", "conductor1", [conductor]).start()
    manager = FlatDHCPManager(settings=make_settings(), bus=bus, host=MemoryHost())
    bus.serve("network", HOST, [manager]).start()
    return bus


@pytest.mark.parametrize(("action", "leased"), [("add", True), ("del", False)])
def test_lease_is_told(action: str, leased: bool) -> None:
    conductor = NetworksConductor(make_served())
    bus = make_bus(conductor)
    network = bus.client(NetworkAPI).on(HOST)
    assert carry_out([action, MAC.upper(), ADDRESS, "vm"], {}, network, 60, 0) == ""
    bus.run_until_idle()
    assert conductor.recorded == [(HOST, ADDRESS, MAC, leased)]


def test_init_gives_leases() -> None:
    conductor = NetworksConductor(make_served(bindings=(make_binding(5, leased=True),)))
    network = make_bus(conductor).client(NetworkAPI).on(HOST)
    text = carry_out(["init"], {"NETWORK_ID": "1"}, network, 60, 1000)
    assert text == f"1060 {MAC} {ADDRESS} guest-5 *\n"


@pytest.mark.parametrize("environment", [{}, {"NETWORK_ID": ""}, {"NETWORK_ID": "x"}])
def test_init_needs_its_network(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="NETWORK_ID"):
        network_id_of(environment)


@pytest.mark.parametrize(
    "arguments", [["add"], ["add", MAC], ["del", "x", ADDRESS], ["add", MAC, "--help"]]
)
def test_unusable_arguments(arguments: list[str]) -> None:
    with pytest.raises(InvalidInput):
        parse_lease(arguments)
