"""What nova-network tells of a server's path, on the networks of memory."""

from nova.context import get_admin_context
from nova.network.manager import FlatDHCPManager
from nova.network.memory import MemoryHost
from nova.network.rpcapi import NetworkAPI
from nova.rpc.local import LocalBus
from tests.fixtures.networks import (
    HOST,
    NetworksConductor,
    make_binding,
    make_network,
    make_served,
    make_settings,
)

CONTEXT = get_admin_context()


def start(*served):
    bus = LocalBus()
    bus.serve("conductor", "conductor1", [NetworksConductor(*served)]).start()
    manager = FlatDHCPManager(settings=make_settings(), bus=bus, host=MemoryHost())
    manager.init_host()
    manager.heal()
    bus.serve("network", HOST, [manager]).start()
    return bus.client(NetworkAPI).on(HOST)


def test_path_has_what_concerns_the_networks_asked_for():
    bindings = (make_binding(), make_binding(6))
    one, two = make_served(bindings=bindings), make_served(make_network(2))
    path = start(one, two).describe_path(CONTEXT, (1,), ("10.0.1.5",))
    assert (path.host, path.served) == (HOST, (1,))
    assert [link.name for link in path.links] == ["br1", "lo"]
    assert path.links[0].addresses == ("10.0.1.1/24",)
    (service,) = path.services
    assert (service.bridge, service.process_id) == ("br1", 1)
    assert service.entries == ("fa:16:3e:00:00:05,guest-5.novalocal,10.0.1.5",)
    texts = [rule.rule for chain in path.chains for rule in chain.rules]
    assert any("-s 10.0.1.0/24" in text for text in texts)
    assert not any("10.0.2.0" in text or "br2" in text for text in texts)
    assert any("169.254.169.254/32" in text for text in texts)


def test_a_network_that_the_host_does_not_serve_is_left_out():
    path = start(make_served()).describe_path(CONTEXT, (7,), ())
    assert path.served == ()
    assert path.services == ()


def test_an_address_is_no_part_of_a_longer_one():
    served = make_served(make_network(12))
    path = start(served).describe_path(CONTEXT, (), ("0.0.12.0",))
    rules = [rule.rule for chain in path.chains for rule in chain.rules]
    assert not any("10.0.12.0" in rule for rule in rules)
