"""Floating addresses in the database: ranges, statements, and what hosts are told."""

import pytest

from nova.conductor.floating_ranges import addresses_of
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.ports import ConductorPorts
from nova.context import get_admin_context
from nova.exception import (
    FloatingIpAssociateFailed,
    FloatingIpInUse,
    FloatingIpNotFound,
    FloatingRangeInvalid,
    NoMoreFloatingIps,
    PortNotFound,
)
from nova.objects.action_request import ActionRequest, FixedIpRequest, SnapshotRequest
from nova.objects.floating_ip import Association, FloatingRange
from nova.objects.instance import EVERYBODY, Scope
from nova.objects.network import NetworkMode, RequestedNetwork
from nova.objects.port import NewPort
from tests.fixtures.conductor import (
    ANYBODY,
    PROJECT,
    RecordingNetworkHost,
    make_site,
    result_of,
    seed_network_host,
    user_context,
)

ADMIN = get_admin_context()
OWN = Scope(project_id=PROJECT)
FIRST = "203.0.113.1"


@pytest.fixture
def site():
    made = make_site()
    client(made).create_range(ADMIN, FloatingRange(ip_range="203.0.113.0/29", pool="nova"))
    return made


def client(site):
    return site.conductor.bus.client(ConductorFloatingIps).anyone()


@pytest.mark.parametrize(
    ("ip_range", "count", "first", "last"),
    [
        ("203.0.113.7", 1, "203.0.113.7", "203.0.113.7"),
        ("203.0.113.0/30", 2, "203.0.113.1", "203.0.113.2"),
        ("203.0.113.0/24", 254, "203.0.113.1", "203.0.113.254"),
        ("10.0.0.0/13", 524286, "10.0.0.1", "10.7.255.254"),
    ],
)
def test_range_is_one_address_or_the_hosts(ip_range, count, first, last):
    found = addresses_of(ip_range)
    assert (len(found), found[0], found[-1]) == (count, first, last)


@pytest.mark.parametrize(
    "ip_range", ["", "x", "203.0.113.0/31", "203.0.113.7/32", "10.0.0.0/12", "10.0.0.1/24", "::1"]
)
def test_unusable_range_is_refused(ip_range):
    with pytest.raises(FloatingRangeInvalid):
        addresses_of(ip_range)


def test_wished_address_is_given_once(site):
    assert client(site).allocate(ADMIN, PROJECT, None, "203.0.113.4").address == "203.0.113.4"
    with pytest.raises(FloatingIpInUse):
        client(site).allocate(ADMIN, PROJECT, None, "203.0.113.4")


def test_pool_is_used_up_and_no_address_is_given_twice(site):
    given = [client(site).allocate(ADMIN, f"p{number}").address for number in range(6)]
    assert len(set(given)) == 6
    with pytest.raises(NoMoreFloatingIps):
        client(site).allocate(ADMIN, "p7")


@pytest.mark.parametrize("name", ["x", "99999999999999999999", "203.0.113.3", "a-b", "²"])
def test_unknown_names_are_not_found(site, name):
    with pytest.raises(FloatingIpNotFound):
        client(site).get(ADMIN, OWN, name)


def test_number_of_statements_is_bounded(site):
    site.conductor.counter.take()
    made = client(site).allocate(ADMIN, PROJECT)
    assert len(site.conductor.counter.take()) <= 9
    client(site).list_floating_ips(ADMIN, OWN)
    assert len(site.conductor.counter.take()) == 1
    client(site).list_all(ADMIN, EVERYBODY)
    assert len(site.conductor.counter.take()) == 1
    client(site).get(ADMIN, OWN, made.uuid)
    assert len(site.conductor.counter.take()) == 1


def test_description_is_changed(site):
    made = client(site).allocate(ADMIN, PROJECT, description="one")
    assert made.description == "one"
    assert client(site).update(ADMIN, OWN, made.uuid, "two").description == "two"


def test_server_without_a_fixed_address_is_named_as_the_reason(site):
    (uuid,) = site.conductor.create(network_mode=NetworkMode.NONE)
    client(site).allocate(ADMIN, PROJECT)
    with pytest.raises(FloatingIpAssociateFailed, match="has no fixed IP address yet"):
        client(site).associate(ADMIN, OWN, FIRST, Association(instance_uuid=uuid))


def test_unknown_interface_is_not_found(site):
    client(site).allocate(ADMIN, PROJECT)
    with pytest.raises(PortNotFound):
        client(site).associate(ADMIN, OWN, FIRST, Association(vif_id="none"))


def test_interface_is_named_instead_of_the_server(site):
    (uuid,) = site.conductor.create()
    client(site).allocate(ADMIN, PROJECT)
    (vif,) = site.conductor.instances.get(ADMIN, ANYBODY, uuid).vifs
    made = client(site).associate(ADMIN, OWN, FIRST, Association(vif_id=vif.id))
    assert (made.instance_uuid, made.vif_id, made.fixed_ip) == (uuid, vif.id, vif.fixed_ip)


def test_what_other_hosts_say_settles_nothing(site):
    (uuid,) = site.conductor.create()
    made = client(site).allocate(ADMIN, PROJECT)
    made = client(site).associate(ADMIN, OWN, FIRST, Association(instance_uuid=uuid))
    client(site).settled(ADMIN, made.host, (FIRST,))
    assert client(site).get(ADMIN, OWN, FIRST).host == made.host
    client(site).disassociate(ADMIN, OWN, FIRST)
    client(site).settled(ADMIN, "elsewhere", (FIRST,))
    assert client(site).get(ADMIN, OWN, FIRST).host == made.host
    client(site).settled(ADMIN, made.host, (FIRST,))
    assert client(site).get(ADMIN, OWN, FIRST).host is None


@pytest.mark.parametrize("interface", ["eth0 -j ACCEPT", "x" * 16, "-o", "a\nb", ""])
def test_net_09_what_names_no_interface_is_refused(site, interface):
    new = FloatingRange(ip_range="198.51.100.1", pool="nova", interface=interface)
    with pytest.raises(FloatingRangeInvalid):
        client(site).create_range(ADMIN, new)


class Follower(RecordingNetworkHost):
    """A nova-network host that notes that it is asked to follow changes."""

    def __init__(self):
        super().__init__()
        self.refreshes = 0

    def refresh(self, context):
        self.refreshes += 1

    def refresh_soon(self, context):
        self.refreshes += 1


def follower(site, host="host1"):
    """Serve a nova-network host that is up."""
    found = Follower()
    site.conductor.bus.serve("network", host, [found]).start()
    seed_network_host(site.conductor, host)
    return found


def act(site, server, action, **changes):
    site.conductor.instances.begin_action(user_context(), OWN, server.uuid, action, **changes)
    site.conductor.bus.run_until_idle()
    site.conductor.operations.finish(ADMIN, result_of(site.compute.works[-1]))
    site.conductor.bus.run_until_idle()
    return site.conductor.get(server.uuid)


def lead(site, server, fixed=None):
    """Let a floating address lead to a server; return it."""
    given = client(site).allocate(ADMIN, PROJECT)
    target = Association(instance_uuid=server.uuid, fixed_address=fixed)
    client(site).associate(ADMIN, OWN, given.address, target)
    return given.address


def test_host_that_a_server_leaves_is_asked_to_forget_its_floating_addresses_at_once(site):
    host = follower(site)
    server = site.conductor.boot(site.compute)
    lead(site, server)
    image = SnapshotRequest(image_id="11111111-2222-4333-8444-555555555555", name="web-shelved")
    act(site, server, "shelve", request=ActionRequest(snapshot=image))
    before = host.refreshes
    # It follows at once.
    site.conductor.operations.finish(ADMIN, result_of(site.compute.works[-1]))
    site.conductor.bus.run_until_idle()
    assert host.refreshes == before + 1


def test_address_that_is_taken_away_takes_its_floating_ones_from_their_host(site):
    host = follower(site)
    server = site.conductor.boot(site.compute)
    wanted = FixedIpRequest(network_uuid=site.network.uuid)
    server = act(site, server, "add_fixed_ip", request=ActionRequest(fixed_ip=wanted))
    (more,) = server.vifs[0].more_fixed_ips
    address = lead(site, server, more)
    before = host.refreshes
    gone = FixedIpRequest(address=more)
    act(site, server, "remove_fixed_ip", request=ActionRequest(fixed_ip=gone))
    assert client(site).get(ADMIN, OWN, address).fixed_ip is None
    assert host.refreshes == before + 1


def test_address_of_a_port_that_stays_is_led_to_no_more(site):
    ports = site.conductor.bus.client(ConductorPorts).anyone()
    port = ports.create(ADMIN, NewPort(project_id=PROJECT, network_uuid=site.network.uuid))
    wish = RequestedNetwork(network_uuid="", port_id=port.vif.id)
    server = site.conductor.boot(site.compute, network_mode=NetworkMode.EXPLICIT, networks=(wish,))
    address = lead(site, server)
    site.conductor.instances.begin_action(ADMIN, OWN, server.uuid, "delete")
    site.conductor.bus.run_until_idle()
    site.conductor.operations.finish(ADMIN, result_of(site.compute.works[-1]))
    assert client(site).get(ADMIN, OWN, address).fixed_ip is None
    assert ports.get(ADMIN, OWN, port.vif.id).vif.fixed_ip == port.vif.fixed_ip
