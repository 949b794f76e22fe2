"""From the create request to ACTIVE, and what it costs."""

import pytest

from nova.context import get_admin_context
from nova.exception import InstanceNotFound
from nova.objects.instance import Scope
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.operation import ActionQuery
from tests.fixtures.conductor import (
    ANYBODY,
    finish_build,
    make_site,
    new_servers,
    progress_of,
    result_of,
    user_context,
)


@pytest.fixture
def site():
    return make_site()


def test_a_server_becomes_active_on_its_host_with_an_address(site):
    conductor = site.conductor
    (uuid,) = conductor.create(admin_password="secret")
    building = conductor.get(uuid)
    assert (building.vm_state, building.task_state) == (VmState.BUILDING, TaskState.NETWORKING)
    (work,) = site.compute.works
    assert work.detail.admin_password == "secret"
    assert work.detail.instance.vifs == building.vifs
    assert work.detail.block_devices[0].image_id == building.image_ref
    finish_build(conductor, work)
    active = conductor.get(uuid)
    assert (active.vm_state, active.task_state) == (VmState.ACTIVE, None)
    assert active.power_state is PowerState.RUNNING
    assert active.launched_at is not None
    assert (active.host, active.node) == ("host1", "host1.example")
    (vif,) = active.vifs
    assert vif.fixed_ip == "10.0.0.3"
    assert vif.gateway == vif.dhcp_server == "10.0.0.2"


def test_a_boot_takes_at_most_twenty_two_statements(site):
    conductor = site.conductor
    conductor.boot(site.compute)
    conductor.counter.take()
    conductor.create()
    finish_build(conductor, site.compute.works[-1])
    statements = conductor.counter.take()
    assert len(statements) <= 22, "\n".join(statements)


def test_statements_of_creation_do_not_depend_on_the_number_of_servers(site):
    conductor = site.conductor
    context = user_context()

    def statements(count):
        new = new_servers(min_count=count, max_count=count, metadata={"a": "b"}, tags=("t",))
        conductor.instances.create_servers(context, new)
        return len(conductor.counter.take())

    statements(1)
    assert statements(2) == statements(6)


def test_deleting_frees_everything(site):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "delete")
    conductor.bus.run_until_idle()
    work = site.compute.works[-1]
    assert work.operation.action == "delete"
    conductor.operations.start(get_admin_context(), progress_of(work, TaskState.DELETING))
    conductor.operations.finish(get_admin_context(), result_of(work))
    with pytest.raises(InstanceNotFound):
        conductor.get(server.uuid)
    node = conductor.hosts.hosts_changed_since(get_admin_context(), 0).changed[0].node
    assert (node.vcpus_used, node.memory_mb_used, node.local_gb_used) == (0, 0, 0)
    (served,) = conductor.networks.host_networks(get_admin_context(), "host1")
    assert served.bindings == ()
    records = conductor.instances.page_actions(
        get_admin_context(), Scope(), server.uuid, ActionQuery()
    )
    assert [record.action for record in records] == ["delete", "create"]
