"""Operations that nobody finishes."""

import pytest

from nova.conductor.rpcapi.housekeeping import ConductorHousekeeping
from nova.context import get_admin_context
from nova.exception import InstanceNotFound
from nova.objects.lifecycle import TaskState, VmState
from tests.fixtures.conductor import (
    ANYBODY,
    make_site,
    progress_of,
    seed_host,
    user_context,
)

ADMIN = get_admin_context()


@pytest.fixture
def site(frozen_clock):
    site = make_site()
    site.clock = frozen_clock
    return site


def _reconcile(site, after_s):
    site.clock.advance(after_s)
    found = site.conductor.bus.client(ConductorHousekeeping).anyone().reconcile(ADMIN)
    site.conductor.bus.run_until_idle()
    return found


def test_a_server_that_no_scheduler_placed_is_scheduled_again(site):
    conductor = site.conductor
    conductor.bus.drop_next("select_destinations", 2)
    (uuid,) = conductor.create()
    assert conductor.get(uuid).task_state is TaskState.SCHEDULING
    assert _reconcile(site, 10) == ()
    assert len(_reconcile(site, 120)) == 1
    assert conductor.get(uuid).host == "host1"


def test_without_any_scheduler_a_server_ends_in_error_with_a_reason(site):
    conductor = site.conductor
    conductor.bus.drop_next("select_destinations", 100)
    (uuid,) = conductor.create()
    for _ in range(3):
        _reconcile(site, 130)
    server = conductor.get(uuid)
    assert (server.vm_state, server.task_state) == (VmState.ERROR, None)
    assert "no scheduler answered" in server.fault.message


def test_a_placed_config_drive_that_lost_its_password_ends_with_a_reason(site):
    conductor = site.conductor
    conductor.bus.drop_next("select_destinations", 2)
    (uuid,) = conductor.create(admin_password="secret", config_drive=True)
    _reconcile(site, 130)
    assert "password" in conductor.get(uuid).fault.message


def test_the_build_of_a_dead_host_goes_on_elsewhere(site):
    conductor = site.conductor
    (uuid,) = conductor.create()
    conductor.operations.start(ADMIN, progress_of(site.compute.works[0]))
    site.clock.advance(50)
    seed_host(conductor, "host2")
    assert len(_reconcile(site, 20)) == 1
    assert conductor.get(uuid).host == "host2"
    (work,) = site.computes["host2"].works
    assert work.operation.attempt == 2


def test_a_live_host_is_asked_to_go_on(site):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    conductor.bus.drop_next("run_operation")
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "stop")
    site.clock.advance(590)
    seed_host(conductor, "host1")
    assert len(_reconcile(site, 15)) == 1
    assert site.compute.pulls == 1
    assert conductor.get(server.uuid).task_state is TaskState.POWERING_OFF
    assert _reconcile(site, 15) == ()


def test_an_action_on_a_dead_host_ends_with_a_reason(site):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "stop")
    _reconcile(site, 700)
    after = conductor.get(server.uuid)
    assert (after.vm_state, after.task_state) == (VmState.ACTIVE, None)


def test_a_deletion_on_a_host_that_died_since_is_done_without_it(site):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "delete")
    _reconcile(site, 70)
    with pytest.raises(InstanceNotFound):
        conductor.get(server.uuid)
    assert conductor.operations.unfinished(ADMIN, "host1") == ()


def test_a_server_on_a_dead_host_is_deleted_at_once(site):
    conductor = site.conductor
    server = conductor.boot(site.compute)
    site.clock.advance(100)
    works = len(site.compute.works)
    conductor.instances.begin_action(user_context(), ANYBODY, server.uuid, "delete")
    conductor.bus.run_until_idle()
    assert len(site.compute.works) == works
    assert conductor.operations.deleted_on_host(ADMIN, "host1", (server.uuid,)) == (server.uuid,)


def test_two_reconcilers_take_an_operation_up_once(site):
    conductor = site.conductor
    conductor.bus.drop_next("select_destinations", 2)
    conductor.create()
    site.clock.advance(130)
    seed_host(conductor, "host1")
    assert len(_reconcile(site, 0)) == 1
    assert _reconcile(site, 0) == ()
    assert len(site.compute.works) == 1
