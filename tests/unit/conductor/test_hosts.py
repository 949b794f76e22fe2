"""Reports of daemons, and what is made of them."""

import pytest

from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import Conflict, HypervisorNotFound, MarkerNotFound, ServiceNotFound
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.service import HypervisorQuery, ServiceChange
from tests.fixtures.conductor import (
    ANYBODY,
    make_conductor,
    make_site,
    progress_of,
    result_of,
    seed_host,
    seed_network_host,
    user_context,
)

ADMIN = get_admin_context()


@pytest.fixture
def conductor():
    return make_conductor()


def test_the_first_report_registers_service_and_node(conductor):
    seed_host(conductor, "host1")
    seed_host(conductor, "host1")
    (service,) = conductor.hosts.list_services(ADMIN)
    assert (service.host, service.binary, service.report_count) == ("host1", "nova-compute", 2)
    assert service.is_up
    assert service.availability_zone == "nova"
    (hypervisor,) = conductor.hosts.page_hypervisors(ADMIN, HypervisorQuery())
    assert hypervisor.node.hypervisor_hostname == "host1.example"
    assert hypervisor.node.cpu_allocation_ratio == 16.0


def test_new_services_may_start_disabled():
    conductor = make_conductor(settings=ConductorSettings(enable_new_services=False))
    assert seed_host(conductor).disabled


def test_a_silent_service_is_down_and_always_told_to_the_scheduler(frozen_clock):
    conductor = make_conductor()
    seed_host(conductor, "host1")
    seed_host(conductor, "host2")
    frozen_clock.advance(55)
    seed_host(conductor, "host2")
    frozen_clock.advance(10)
    generation = conductor.hosts.hosts_changed_since(ADMIN, 0).generation
    frozen_clock.advance(10)
    changes = conductor.hosts.hosts_changed_since(ADMIN, generation)
    assert [(entry.node.host, entry.service.is_up) for entry in changes.changed] == [
        ("host1", False)
    ]
    assert [service.is_up for service in conductor.hosts.list_services(ADMIN)] == [False, True]


def test_each_claim_and_each_service_change_is_in_the_next_delta(frozen_clock):
    site = make_site()
    conductor = site.conductor
    frozen_clock.advance(20)
    seen = conductor.hosts.hosts_changed_since(ADMIN, 0)
    assert conductor.hosts.hosts_changed_since(ADMIN, seen.generation).changed == ()
    (uuid,) = conductor.create()
    changes = conductor.hosts.hosts_changed_since(ADMIN, seen.generation)
    (entry,) = changes.changed
    assert (entry.node.host, entry.instance_uuids) == ("host1", (uuid,))
    before = next(old for old in seen.changed if old.node.host == "host1")
    assert entry.node.generation > before.node.generation
    conductor.hosts.update_service(ADMIN, "host2/nova-compute", ServiceChange(disabled=True))
    hosts = {
        one.node.host: one.service.disabled
        for one in conductor.hosts.hosts_changed_since(ADMIN, seen.generation).changed
    }
    assert hosts == {"host1": False, "host2": True}


def test_a_removed_host_is_told_and_may_come_back(frozen_clock):
    conductor = make_conductor()
    seed_host(conductor)
    (service,) = conductor.hosts.list_services(ADMIN)
    generation = conductor.hosts.hosts_changed_since(ADMIN, 0).generation
    conductor.hosts.delete_service(ADMIN, service.uuid)
    assert conductor.hosts.hosts_changed_since(ADMIN, generation).removed == ("host1",)
    seed_host(conductor)
    changes = conductor.hosts.hosts_changed_since(ADMIN, generation)
    assert changes.removed == ()
    assert len(changes.changed) == 1


def test_a_host_with_servers_can_not_be_removed():
    site = make_site()
    site.conductor.create()
    service = site.conductor.hosts.list_services(ADMIN, host="host1")[0]
    with pytest.raises(Conflict):
        site.conductor.hosts.delete_service(ADMIN, str(service.id))
    with pytest.raises(ServiceNotFound):
        site.conductor.hosts.delete_service(ADMIN, "no-such-service")


def test_zones_have_their_hosts(conductor):
    seed_host(conductor, "host1")
    seed_network_host(conductor, "host1")
    internal, nova = conductor.hosts.list_zones(ADMIN)
    assert (internal.name, nova.name) == ("internal", "nova")
    assert [service.binary for service in nova.hosts["host1"]] == ["nova-compute"]
    assert nova.available


def test_hypervisors_are_paged_and_searched(conductor):
    for number in range(5):
        seed_host(conductor, f"host{number}")
    first = conductor.hosts.page_hypervisors(ADMIN, HypervisorQuery(limit=2))
    marker = first[-1].node.uuid
    second = conductor.hosts.page_hypervisors(ADMIN, HypervisorQuery(limit=9, marker=marker))
    assert [entry.node.host for entry in second] == ["host2", "host3", "host4"]
    found = conductor.hosts.page_hypervisors(ADMIN, HypervisorQuery(hostname_pattern="t3.ex"))
    assert [entry.node.host for entry in found] == ["host3"]
    with pytest.raises(HypervisorNotFound):
        conductor.hosts.page_hypervisors(ADMIN, HypervisorQuery(hypervisor_id="99"))
    with pytest.raises(MarkerNotFound):
        conductor.hosts.page_hypervisors(ADMIN, HypervisorQuery(marker="99"))


def test_reports_take_a_fixed_number_of_statements():
    site = make_site()
    conductor = site.conductor
    servers = [conductor.boot(site.compute) for _ in range(3)]
    states = {server.uuid: PowerState.RUNNING for server in servers}
    conductor.counter.take()
    seed_host(conductor, power_states=states)
    assert len(conductor.counter.take()) <= 6
    seed_host(conductor, power_states=dict.fromkeys(states, PowerState.PAUSED))
    assert len(conductor.counter.take()) <= 7


def test_a_guest_that_went_off_stops_its_server():
    site = make_site()
    conductor = site.conductor
    server = conductor.boot(site.compute)
    answer = seed_host(conductor, power_states={server.uuid: PowerState.SHUTDOWN})
    assert answer.pending == 1
    stopping = conductor.get(server.uuid)
    assert stopping.task_state is TaskState.POWERING_OFF
    assert stopping.power_state is PowerState.SHUTDOWN
    (work,) = conductor.operations.unfinished(ADMIN, "host1")
    conductor.operations.start(ADMIN, progress_of(work, TaskState.POWERING_OFF))
    conductor.operations.finish(ADMIN, result_of(work, power_state=PowerState.SHUTDOWN))
    assert conductor.get(server.uuid).vm_state is VmState.STOPPED
    again = seed_host(conductor, power_states={server.uuid: PowerState.RUNNING})
    assert again.pending == 1


def test_bus_02_power_states_of_servers_of_another_host_are_ignored():
    site = make_site()
    conductor = site.conductor
    server = conductor.boot(site.compute)
    seed_host(conductor, "host2", power_states={server.uuid: PowerState.CRASHED})
    assert conductor.get(server.uuid).power_state is PowerState.RUNNING
    assert conductor.get(server.uuid).task_state is None


def test_a_server_with_an_operation_is_not_stopped_by_its_guests_state():
    site = make_site()
    conductor = site.conductor
    server = conductor.boot(site.compute)
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "soft_reboot")
    answer = seed_host(conductor, power_states={server.uuid: PowerState.SHUTDOWN})
    assert answer.pending == 1
    assert conductor.get(server.uuid).task_state is TaskState.REBOOTING
