"""What compute hosts report: ownership, repeats, failures and further attempts."""

import dataclasses

import pytest
import sqlalchemy as sa

from nova.context import get_admin_context
from nova.db import quotas
from nova.exception import InstanceActionStale, NotOwner
from nova.objects.flavor import NewFlavor
from nova.objects.instance import Fault, InjectedFile
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.operation import ActionQuery
from tests.fixtures.conductor import (
    ANYBODY,
    PROJECT,
    finish_build,
    make_site,
    new_servers,
    progress_of,
    result_of,
    user_context,
)

ADMIN = get_admin_context()
FAULT = Fault(code=500, message="The guest could not be started.")


@pytest.fixture
def site():
    return make_site(hosts=("host1", "host2", "host3"))


def _used(site):
    changed = site.conductor.hosts.hosts_changed_since(ADMIN, 0).changed
    return {entry.node.host: entry.node.vcpus_used for entry in changed}


def _addresses(site, host):
    (served,) = site.conductor.networks.host_networks(ADMIN, host)
    return [binding.address for binding in served.bindings]


def test_bus_02_a_host_can_not_touch_operations_of_another(site):
    conductor = site.conductor
    (uuid,) = conductor.create()
    (work,) = site.compute.works
    evil = dataclasses.replace(progress_of(work), host="evil")
    with pytest.raises(NotOwner):
        conductor.operations.start(ADMIN, evil)
    with pytest.raises(NotOwner):
        conductor.operations.finish(ADMIN, result_of(work, host="evil"))
    conductor.operations.progress(ADMIN, dataclasses.replace(evil, task_state=TaskState.DELETING))
    conductor.bus.run_until_idle()
    assert conductor.get(uuid).task_state is TaskState.NETWORKING
    finish_build(conductor, work)
    with pytest.raises(NotOwner):
        conductor.operations.finish(ADMIN, result_of(work, host="evil"))


def test_bus_02_an_operation_can_not_be_used_for_another_server(site):
    conductor = site.conductor
    first, second = conductor.create()[0], conductor.create()[0]
    work = site.compute.works[0]
    assert work.operation.instance_uuid == first
    conductor.operations.start(ADMIN, progress_of(work))
    wrong = dataclasses.replace(progress_of(work, TaskState.SPAWNING), instance_uuid=second)
    conductor.operations.progress(ADMIN, wrong)
    conductor.bus.run_until_idle()
    assert conductor.get(second).task_state is TaskState.NETWORKING
    with pytest.raises(InstanceActionStale):
        conductor.operations.start(ADMIN, wrong)


def test_bus_04_repeated_messages_have_no_second_effect(site):
    conductor = site.conductor
    for method in ("run_operation", "start", "progress", "finish", "select_destinations"):
        conductor.bus.double_next(method)
    (uuid,) = conductor.create()
    assert len(site.compute.works) == 2
    finish_build(conductor, site.compute.works[0])
    server = conductor.get(uuid)
    with pytest.raises(InstanceActionStale):
        conductor.operations.start(ADMIN, progress_of(site.compute.works[1]))
    conductor.operations.finish(ADMIN, result_of(site.compute.works[1]))
    assert conductor.get(uuid) == server
    assert _used(site)["host1"] == 1
    assert len(_addresses(site, "host1")) == 1


def test_bus_04_a_doubled_action_begins_once(site):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "stop")
    conductor.bus.run_until_idle()
    work = site.compute.works[-1]
    conductor.operations.start(ADMIN, progress_of(work, TaskState.POWERING_OFF))
    stopped = result_of(work, power_state=PowerState.SHUTDOWN)
    conductor.operations.finish(ADMIN, stopped)
    conductor.operations.finish(ADMIN, stopped)
    assert conductor.get(server.uuid).vm_state is VmState.STOPPED


def test_delete_is_accepted_though_the_build_goes_on_at_that_moment(site):
    conductor = site.conductor
    (uuid,) = conductor.create()

    @sa.event.listens_for(conductor.db.engine, "before_cursor_execute")
    def build_goes_on(connection, cursor, statement, *_rest):
        if statement.startswith("UPDATE instances SET") and not moved:
            moved.append(statement)
            cursor.execute("UPDATE instances SET task_state = 'spawning'")

    moved = []
    begun = conductor.instances.begin_action(user_context(), ANYBODY, uuid, "delete")
    assert moved and begun.task_state is TaskState.DELETING


def test_a_failed_build_goes_to_the_next_host_with_its_password(site):
    conductor = site.conductor
    (uuid,) = conductor.create(admin_password="secret", config_drive=True)
    (work,) = site.compute.works
    failed = result_of(work, succeeded=False, retry=True, fault=FAULT, admin_password="secret")
    conductor.operations.finish(ADMIN, failed)
    conductor.bus.run_until_idle()
    (second,) = site.computes["host2"].works
    assert second.operation.id == work.operation.id
    assert second.operation.attempt == 2
    assert second.detail.admin_password == "secret"
    assert site.scheduler.specs[-1].ignore_hosts == ("host1",)
    assert _used(site) == {"host1": 0, "host2": 1, "host3": 0}
    conductor.operations.finish(ADMIN, failed)
    finish_build(conductor, second)
    assert conductor.get(uuid).host == "host2"
    assert len(conductor.instances.explain(ADMIN, ANYBODY, uuid)) == 2


def test_a_build_ends_in_error_after_the_last_attempt(site):
    conductor = site.conductor
    (uuid,) = conductor.create()
    for host in ("host1", "host2", "host3"):
        work = site.computes[host].works[-1]
        conductor.operations.finish(
            ADMIN, result_of(work, succeeded=False, retry=True, fault=FAULT)
        )
        conductor.bus.run_until_idle()
    server = conductor.get(uuid)
    assert (server.vm_state, server.task_state, server.host) == (VmState.ERROR, None, None)
    assert server.fault.message == FAULT.message
    assert server.vifs == ()
    assert set(_used(site).values()) == {0}
    (record,) = conductor.instances.page_actions(ADMIN, ANYBODY, uuid, ActionQuery())
    assert record.message == "Error"
    whole = conductor.instances.get_action(ADMIN, ANYBODY, uuid, record.request_id)
    assert [event.result for event in whole.events] == ["Error"] * 3


def test_a_config_drive_is_not_built_without_the_password_that_its_user_has(site):
    conductor = site.conductor
    (uuid,) = conductor.create(admin_password="secret", config_drive=True)
    failed = result_of(site.compute.works[0], succeeded=False, retry=True)
    conductor.operations.finish(ADMIN, failed)
    server = conductor.get(uuid)
    assert server.vm_state is VmState.ERROR
    assert "could not be built" not in server.fault.message
    assert "password" in server.fault.message


def test_the_admin_password_is_in_no_table(site):
    conductor = site.conductor
    conductor.create(admin_password="geheim-4711")
    with conductor.db.reading() as tx:
        for table in tx.dialect.get_table_names(tx):
            rows = tx.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            assert "geheim-4711" not in str(rows)


def test_no_valid_host_tells_the_user_why_without_host_names(site):
    conductor = site.conductor
    site.scheduler.hosts = []
    (uuid,) = conductor.create()
    server = conductor.get(uuid)
    assert server.vm_state is VmState.ERROR
    assert server.fault.code == 500
    assert server.fault.message == "No valid host was found. 0 of 0 hosts are left."
    (report,) = conductor.instances.explain(ADMIN, ANYBODY, uuid)
    assert report.destinations == ((),)


def test_a_host_that_is_full_is_passed_over_for_the_alternate(site):
    conductor = site.conductor
    conductor.flavors.create(
        ADMIN,
        NewFlavor(flavorid="big", name="big", memory_mb=16384, vcpus=8, root_gb=20),
    )
    with conductor.db.transaction() as tx:
        quotas.set_limits(tx, PROJECT, {"instances": -1, "cores": -1, "ram": -1})
    for _ in range(2):
        conductor.create(flavorid="big")
    hosts = [
        work.operation.owner_host for name in site.computes for work in site.computes[name].works
    ]
    assert hosts == ["host1", "host2"]


def test_delete_during_a_build_makes_its_later_steps_stale(site):
    conductor = site.conductor
    (uuid,) = conductor.create()
    build = site.compute.works[-1]
    conductor.operations.start(ADMIN, progress_of(build))
    conductor.instances.begin_action(user_context(), ANYBODY, uuid, "delete")
    conductor.bus.run_until_idle()
    deletion = site.compute.works[-1]
    conductor.operations.progress(ADMIN, progress_of(build, TaskState.SPAWNING))
    conductor.bus.run_until_idle()
    assert conductor.get(uuid).task_state is TaskState.DELETING
    with pytest.raises(InstanceActionStale):
        conductor.operations.finish(ADMIN, result_of(build))
    assert [work.operation.id for work in conductor.operations.unfinished(ADMIN, "host1")] == [
        deletion.operation.id
    ]
    conductor.operations.start(ADMIN, progress_of(deletion, TaskState.DELETING))
    conductor.operations.finish(ADMIN, result_of(deletion))
    assert conductor.operations.deleted_on_host(ADMIN, "host1", (uuid,)) == (uuid,)
    assert set(_used(site).values()) == {0}


def test_only_guests_known_to_have_left_a_host_are_called_deleted(site, caplog):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    host = server.host
    elsewhere = "host2" if host == "host1" else "host1"
    unknown = "99999999-2222-4333-8444-555555555555"
    asked = (server.uuid, unknown)
    assert conductor.operations.deleted_on_host(ADMIN, host, asked) == ()
    assert conductor.operations.deleted_on_host(ADMIN, elsewhere, asked) == (server.uuid,)
    assert unknown in caplog.text and "left alone" in caplog.text


def test_an_empty_database_calls_no_guest_deleted():
    fresh = make_site().conductor
    asked = tuple(f"99999999-2222-4333-8444-55555555{n:04d}" for n in range(1200))
    assert fresh.operations.deleted_on_host(ADMIN, "host1", asked) == ()


def test_a_failed_delete_is_kept_and_tried_again(site):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "delete")
    conductor.bus.run_until_idle()
    work = site.compute.works[-1]
    conductor.operations.start(ADMIN, progress_of(work, TaskState.DELETING))
    conductor.operations.finish(ADMIN, result_of(work, succeeded=False, fault=FAULT))
    failed = conductor.get(server.uuid)
    assert (failed.vm_state, failed.task_state) == (VmState.ERROR, TaskState.DELETING)
    (again,) = conductor.operations.unfinished(ADMIN, "host1")
    conductor.operations.start(ADMIN, progress_of(again, TaskState.DELETING))
    conductor.operations.finish(ADMIN, result_of(again))
    assert conductor.operations.instances_on_host(ADMIN, "host1") == ()


def test_unfinished_work_carries_files_and_takes_a_fixed_number_of_statements(site):
    conductor = site.conductor
    file = InjectedFile(path="/etc/motd", contents="aGk=")
    conductor.create(injected_files=(file,))
    conductor.counter.take()
    (work,) = conductor.operations.unfinished(ADMIN, "host1")
    one = len(conductor.counter.take())
    assert work.detail.injected_files == (file,)
    for _ in range(3):
        conductor.create()
    conductor.counter.take()
    assert len(conductor.operations.unfinished(ADMIN, "host1")) == 4
    assert len(conductor.counter.take()) == one


def test_names_of_several_servers_are_numbered(site):
    conductor = site.conductor
    uuids = conductor.create(display_name="My web_1", min_count=2, max_count=2)
    servers = [conductor.get(uuid) for uuid in uuids]
    assert [server.display_name for server in servers] == ["My web_1-1", "My web_1-2"]
    assert [server.hostname for server in servers] == ["my-web-1-1", "my-web-1-2"]
    assert len({server.reservation_id for server in servers}) == 1
    assert new_servers().max_count == 1
