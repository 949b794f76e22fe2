"""Addresses of servers: granted, leased, given up, and never given twice."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nova import clock
from nova.conductor import addresses
from nova.conductor.network_plan import Pick
from nova.conductor.rpcapi.metadata import ConductorMetadata
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.db import fixed_ips, vifs
from nova.exception import (
    FixedIpAlreadyInUse,
    FixedIpInvalid,
    NetworkInUse,
    NetworkNotFound,
    NoMoreFixedIps,
    NotOwner,
)
from nova.objects.lifecycle import VmState
from nova.objects.network import NetworkMode, RequestedNetwork
from tests.fixtures.conductor import (
    ANYBODY,
    finish_build,
    make_conductor,
    make_site,
    result_of,
    seed_network,
    seed_network_host,
    user_context,
)

ADMIN = get_admin_context()


@pytest.fixture
def site():
    return make_site()


def _explicit(site, **values):
    return {
        "network_mode": NetworkMode.EXPLICIT,
        "networks": (RequestedNetwork(network_uuid=site.network.uuid, **values),),
    }


def _delete(site, uuid):
    site.conductor.instances.begin_action(user_context(), ANYBODY, uuid, "delete")
    site.conductor.bus.run_until_idle()
    site.conductor.operations.finish(ADMIN, result_of(site.compute.works[-1]))


def test_a_wished_address_is_granted_once(site):
    site.conductor.create(**_explicit(site, fixed_ip="10.0.0.77"))
    assert site.compute.works[0].detail.instance.vifs[0].fixed_ip == "10.0.0.77"
    with pytest.raises(FixedIpAlreadyInUse):
        site.conductor.create(**_explicit(site, fixed_ip="10.0.0.77"))
    with pytest.raises(FixedIpAlreadyInUse):
        site.conductor.create(**_explicit(site, fixed_ip="10.0.0.1"))
    with pytest.raises(FixedIpInvalid):
        site.conductor.create(**_explicit(site, fixed_ip="192.168.1.1"))


def test_networks_of_other_projects_are_not_found(site):
    foreign = seed_network(site.conductor, label="f", cidr="10.9.0.0/24", project_id="other")
    wish = (RequestedNetwork(network_uuid=foreign.uuid),)
    with pytest.raises(NetworkNotFound):
        site.conductor.create(network_mode=NetworkMode.EXPLICIT, networks=wish)
    with pytest.raises(NetworkNotFound):
        site.conductor.networks.get(ADMIN, foreign.uuid, "project-1")
    assert site.conductor.networks.get(ADMIN, foreign.uuid).label == "f"


def test_a_server_may_have_no_network(site):
    server = site.conductor.boot(site.compute, network_mode=NetworkMode.NONE)
    assert server.vifs == ()


def test_a_server_with_two_networks_has_two_interfaces(site):
    other = seed_network(site.conductor, label="o", cidr="10.9.0.0/24", cidr_v6="fd00::/64")
    wish = tuple(RequestedNetwork(network_uuid=network.uuid) for network in (site.network, other))
    server = site.conductor.boot(site.compute, network_mode=NetworkMode.EXPLICIT, networks=wish)
    assert [vif.network.label for vif in server.vifs] == ["private", "o"]
    assert server.vifs[1].fixed_ip_v6.startswith("fd00::")


def test_a_single_host_network_is_given_to_a_live_network_service():
    site = make_site(multi_host=False)
    (failed,) = site.conductor.create()
    assert site.conductor.get(failed).vm_state is VmState.ERROR
    assert "No nova-network service" in site.conductor.get(failed).fault.message
    seed_network_host(site.conductor, "net1")
    server = site.conductor.boot(site.compute)
    (vif,) = server.vifs
    assert (vif.network.host, vif.gateway) == ("net1", "10.0.0.1")
    (served,) = site.conductor.networks.host_networks(ADMIN, "net1")
    assert [binding.address for binding in served.bindings] == [vif.fixed_ip]
    assert site.conductor.networks.host_networks(ADMIN, "host1") == ()


def test_net_10_failed_boots_give_addresses_back():
    site = make_site(cidr="10.0.0.0/29")
    site.scheduler.hosts = ["host1"]
    for _ in range(9):
        (uuid,) = site.conductor.create()
        failed = result_of(site.compute.works[-1], succeeded=False)
        site.conductor.operations.finish(ADMIN, failed)
        assert site.conductor.get(uuid).vm_state is VmState.ERROR
        _delete_local(site, uuid)
    assert site.conductor.boot(site.compute).vifs[0].fixed_ip


def _delete_local(site, uuid):
    site.conductor.instances.begin_action(user_context(), ANYBODY, uuid, "delete")


def test_release_takes_as_many_statements_for_many_addresses_as_for_one(site):
    counts = []
    for interfaces in (1, 8):
        wanted = (RequestedNetwork(network_uuid=site.network.uuid),) * interfaces
        server = site.conductor.boot(
            site.compute, network_mode=NetworkMode.EXPLICIT, networks=wanted
        )
        assert len(server.vifs) == interfaces
        site.conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "delete")
        site.conductor.bus.run_until_idle()
        site.conductor.counter.take()
        site.conductor.operations.finish(ADMIN, result_of(site.compute.works[-1]))
        counts.append(len(site.conductor.counter.take()))
        assert not _held_by(site, server)
    assert counts[0] == counts[1]


def _held_by(site, server):
    found = site.conductor.networks.list_fixed_ips(ADMIN)
    return [one.address for one in found if one.instance_uuid == server.uuid]


def test_release_of_one_interface_takes_four_statements(site):
    server = site.conductor.boot(site.compute)
    (vif,) = server.vifs
    site.conductor.counter.take()
    with site.conductor.db.transaction() as tx:
        assert addresses.release(tx, server.uuid, vif.id, clock.utcnow())
    assert len(site.conductor.counter.take()) == 4
    assert not _held_by(site, server)


def test_an_exhausted_network_ends_in_error_with_a_reason():
    site = make_site(cidr="10.0.0.0/30")
    (uuid,) = site.conductor.create()
    assert site.conductor.get(uuid).vm_state is VmState.ERROR
    assert "No fixed IP addresses" in site.conductor.get(uuid).fault.message


def test_net_11_an_address_is_not_given_again_before_its_lease_ends(site):
    networks = site.conductor.networks
    first = site.conductor.boot(site.compute)
    (vif,) = first.vifs
    networks.record_lease(ADMIN, "host1", vif.fixed_ip, vif.address, True)
    assert [lease.address for lease in networks.leases(ADMIN, site.network.id, "host1")] == [
        vif.fixed_ip
    ]
    _delete(site, first.uuid)
    assert site.conductor.boot(site.compute).vifs[0].fixed_ip != vif.fixed_ip
    networks.record_lease(ADMIN, "host1", vif.fixed_ip, vif.address, False)
    assert site.conductor.boot(site.compute).vifs[0].fixed_ip == vif.fixed_ip


def test_net_11_a_lease_of_another_mac_is_not_noted(site):
    server = site.conductor.boot(site.compute)
    address = server.vifs[0].fixed_ip
    site.conductor.networks.record_lease(ADMIN, "host1", address, "fa:16:3e:99:99:99", True)
    assert site.conductor.networks.leases(ADMIN, site.network.id, "host1") == ()


def test_stale_addresses_are_freed_after_the_timeout(frozen_clock):
    site = make_site()
    networks = site.conductor.networks
    server = site.conductor.boot(site.compute)
    (vif,) = server.vifs
    networks.record_lease(ADMIN, "host1", vif.fixed_ip, vif.address, True)
    _delete(site, server.uuid)
    assert networks.disassociate_stale(ADMIN, "host1", 600) == ()
    frozen_clock.advance(601)
    assert networks.disassociate_stale(ADMIN, "host1", 600) == (vif.fixed_ip,)


def test_bus_02_a_network_host_can_not_touch_addresses_of_another():
    site = make_site(multi_host=False)
    seed_network_host(site.conductor, "net1")
    server = site.conductor.boot(site.compute)
    (vif,) = server.vifs
    for leased in (True, False):
        with pytest.raises(NotOwner):
            site.conductor.networks.record_lease(ADMIN, "evil", vif.fixed_ip, vif.address, leased)
    with pytest.raises(NotOwner):
        site.conductor.networks.leases(ADMIN, site.network.id, "evil")
    assert site.conductor.networks.disassociate_stale(ADMIN, "evil", 0) == ()


def test_a_network_in_use_can_not_be_deleted(site):
    server = site.conductor.boot(site.compute)
    with pytest.raises(NetworkInUse):
        site.conductor.networks.delete(ADMIN, site.network.uuid)
    _delete(site, server.uuid)
    site.conductor.networks.delete(ADMIN, site.network.cidr)
    assert site.conductor.networks.list_networks(ADMIN) == ()
    with pytest.raises(NetworkNotFound):
        site.conductor.networks.delete(ADMIN, site.network.uuid)


def test_metadata_is_found_by_address_and_the_password_is_stored_once(site):
    metadata = site.conductor.bus.client(ConductorMetadata).anyone()
    (uuid,) = site.conductor.create(metadata={"role": "web"})
    finish_build(site.conductor, site.compute.works[0])
    address = site.conductor.get(uuid).vifs[0].fixed_ip
    found = metadata.find_by_address(ADMIN, address)
    assert (found.instance.uuid, found.instance.metadata) == (uuid, {"role": "web"})
    assert metadata.find_by_instance(ADMIN, uuid) == found
    assert metadata.set_password(ADMIN, uuid, "opaque")
    assert not metadata.set_password(ADMIN, uuid, "other")
    assert metadata.find_by_address(ADMIN, address).password == "opaque"
    _delete(site, uuid)
    assert metadata.find_by_address(ADMIN, address) is None


class Allocator(RuleBasedStateMachine):
    """Servers come and go, guests lease and release, time passes."""

    def __init__(self):
        super().__init__()
        self.conductor = make_conductor()
        self.network = seed_network(self.conductor, cidr="10.0.0.0/28", multi_host=True)
        self.now = clock.utcnow()
        self.held = {}
        self.waiting = {}
        self.number = 0

    @rule()
    def take(self):
        self.number += 1
        guest = addresses.Guest(
            instance_uuid=f"server-{self.number}",
            host="host1",
            now=self.now,
            live_after=self.now,
        )
        try:
            with self.conductor.db.transaction() as tx:
                (vif,) = addresses.allocate(tx, guest, [Pick(network=self.network)])
        except NoMoreFixedIps:
            assert len(self.held) + len(self.waiting) == 12
            return
        assert vif.fixed_ip not in self.taken()
        self.held[guest.instance_uuid] = [vif.fixed_ip, vif.address, False]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def lease(self, data):
        entry = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        with self.conductor.db.transaction() as tx:
            assert fixed_ips.set_leased(tx, entry[0], entry[1], self.now)
        entry[2] = True

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def give_up(self, data):
        uuid = data.draw(st.sampled_from(sorted(self.held)))
        address, mac, leased = self.held.pop(uuid)
        with self.conductor.db.transaction() as tx:
            assert fixed_ips.release_for(tx, uuid, self.now) == 1
            vifs.delete_for(tx, uuid)
        if leased:
            self.waiting[address] = mac

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def release(self, data):
        address = data.draw(st.sampled_from(sorted(self.waiting)))
        with self.conductor.db.transaction() as tx:
            assert fixed_ips.set_released(tx, address, self.waiting[address], self.now)
        del self.waiting[address]

    def taken(self):
        return {entry[0] for entry in self.held.values()} | set(self.waiting)

    @invariant()
    def no_address_is_held_twice(self):
        assert len(self.taken()) == len(self.held) + len(self.waiting)


Allocator.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAllocator = Allocator.TestCase


def test_way_out_of_a_server_is_its_first_interface(site):
    other = seed_network(site.conductor, label="o", cidr="10.9.0.0/24")
    wish = tuple(RequestedNetwork(network_uuid=one.uuid) for one in (other, site.network))
    server = site.conductor.boot(site.compute, network_mode=NetworkMode.EXPLICIT, networks=wish)
    served = site.conductor.networks.host_networks(ADMIN, "host1")
    found = {one.vif_id: one.default_route for net in served for one in net.bindings}
    assert found == {server.vifs[0].id: True, server.vifs[1].id: False}


def test_ipv6_backend_makes_addresses_of_project_and_mac():
    settings = ConductorSettings(ipv6_backend="account_identifier")
    site = make_site(cidr_v6="fd00::/64", settings=settings)
    (vif,) = site.conductor.boot(site.compute).vifs
    mac = vif.address.replace(":", "")
    assert vif.fixed_ip_v6.endswith(f"ff{mac[6:8]}:{int(mac[8:], 16):x}")
