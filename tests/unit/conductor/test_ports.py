"""Ports in the conductor: what is stored, what is refused, and what it costs."""

import dataclasses

import pytest

from nova.conductor.rpcapi.ports import ConductorPorts
from nova.context import get_admin_context
from nova.exception import (
    FixedIpInvalid,
    MarkerNotFound,
    NetworkNotFound,
    PortInUse,
    PortInvalid,
    PortNotFound,
)
from nova.objects.instance import Scope
from nova.objects.network import NetworkMode, RequestedNetwork
from nova.objects.port import NewPort, PortQuery
from tests.fixtures.conductor import make_site, new_servers

CONTEXT = get_admin_context()
UNKNOWN = "99999999-2222-4333-8444-555555555555"
MINE = new_servers().project_id


@pytest.fixture
def site():
    return make_site()


@pytest.fixture
def ports(site):
    return site.conductor.bus.client(ConductorPorts).anyone()


@pytest.fixture
def network(site):
    (found,) = site.conductor.networks.list_networks(CONTEXT)
    return found


def make_port(ports, network, **changes):
    new = NewPort(project_id=MINE, network_uuid=network.uuid)
    return ports.create(CONTEXT, dataclasses.replace(new, **changes))


def boot_with(site, port):
    wanted = RequestedNetwork(network_uuid="", port_id=port.vif.id)
    return site.conductor.boot(site.compute, network_mode=NetworkMode.EXPLICIT, networks=(wanted,))


def test_port_is_stored_with_its_address(ports, network):
    port = make_port(ports, network, name="p", fixed_ip="10.0.0.50")
    assert (port.name, port.project_id, port.active) == ("p", MINE, False)
    assert (port.vif.fixed_ip, port.vif.instance_uuid, port.vif.preserved) == (
        "10.0.0.50",
        None,
        True,
    )
    assert port.vif.address.startswith("fa:16:3e:")
    assert ports.get(CONTEXT, Scope(project_id=MINE), port.vif.id) == port


def test_bound_port_is_the_server_s(site, ports, network):
    port = make_port(ports, network)
    server = boot_with(site, port)
    bound = ports.get(CONTEXT, Scope(), port.vif.id)
    assert (bound.vif.instance_uuid, bound.host) == (server.uuid, server.host)
    assert (bound.active, bound.project_id) == (True, MINE)
    with pytest.raises(PortInUse):
        ports.delete(CONTEXT, Scope(), port.vif.id)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"network_uuid": UNKNOWN}, NetworkNotFound),
        ({"fixed_ip": "192.0.2.1"}, FixedIpInvalid),
        ({"mac": "x"}, PortInvalid),
        ({"mac": "ff:ff:ff:ff:ff:ff"}, PortInvalid),
    ],
)
def test_port_that_can_not_be_is_refused_and_takes_nothing(ports, network, changes, error):
    with pytest.raises(error):
        make_port(ports, network, **changes)
    assert ports.page(CONTEXT, PortQuery(scope=Scope())) == ()


def test_port_of_another_project_is_not_found(ports, network):
    port = make_port(ports, network)
    foreign = Scope(project_id="other")
    for attempt in (
        lambda: ports.get(CONTEXT, foreign, port.vif.id),
        lambda: ports.rename(CONTEXT, foreign, port.vif.id, "x"),
        lambda: ports.delete(CONTEXT, foreign, port.vif.id),
    ):
        with pytest.raises(PortNotFound):
            attempt()
    assert ports.page(CONTEXT, PortQuery(scope=foreign)) == ()


def test_pages_and_filters(site, ports, network):
    made = [make_port(ports, network, name=f"p{number}") for number in range(3)]
    ids = [port.vif.id for port in made]
    server = site.conductor.boot(site.compute)

    def found(**query):
        page = ports.page(CONTEXT, PortQuery(scope=Scope(), **query))
        return [port.vif.id for port in page]

    own = [vif.id for vif in server.vifs]
    assert found() == ids + own
    assert found(limit=2) == ids[:2]
    assert found(limit=2, marker=ids[1]) == [ids[2], *own]
    assert found(names=("p1", "p2")) == ids[1:]
    assert found(instance_uuids=(server.uuid,)) == own
    assert found(macs=(made[0].vif.address,)) == ids[:1]
    assert found(addresses=(made[2].vif.fixed_ip,)) == ids[2:]
    assert found(network_uuids=(UNKNOWN,)) == []
    with pytest.raises(MarkerNotFound):
        found(marker=UNKNOWN)


def test_lists_take_a_fixed_number_of_statements(site, ports, network):
    def statements():
        site.conductor.counter.take()
        ports.page(CONTEXT, PortQuery(scope=Scope(project_id=MINE)))
        return len(site.conductor.counter.take())

    site.conductor.boot(site.compute)
    few = statements()
    for _ in range(5):
        make_port(ports, network)
    assert statements() == few <= 2


def test_use_of_networks_counts_ports(site, ports, network):
    before = ports.list_use(CONTEXT)[0]
    make_port(ports, network)
    (after,) = ports.list_use(CONTEXT, MINE)
    assert (after.used, after.total) == (before.used + 1, before.total)
