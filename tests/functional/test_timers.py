"""Actions that begin by themselves when a server has been in a state for too long."""

import pytest

from nova import clock
from nova.conductor.instances import InstancesEndpoint
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildTask
from nova.conductor.timers import ALL, Timers, due_of
from nova.objects.lifecycle import ACTIONS

HOUR_S = 3600


def make(new_cloud, **settings):
    return new_cloud(conductor_settings=settings)


def timers_of(cloud):
    """Return the timers of one more conductor."""
    settings, bus, db = cloud.conductor_settings, cloud.bus, cloud.database
    build = BuildTask(db, bus, settings)
    return Timers(db, settings, InstancesEndpoint(db, bus, settings, build, bus))


def names(server):
    return [record.action for record in server.actions()]


def test_only_shelved_servers_have_a_timer_without_options():
    settings = ConductorSettings()
    on = [timer.action for timer in ALL if due_of(timer, settings, clock.utcnow()) is not None]
    assert on == ["shelveOffload"]


@pytest.mark.parametrize("timer", ALL, ids=lambda timer: timer.action)
def test_each_timer_begins_an_action_that_its_state_allows(timer):
    action = ACTIONS[timer.action]
    assert timer.found_in in action.vm_states
    assert set(timer.task_states or (None,)) <= action.task_states


def test_server_in_rescue_for_too_long_is_unrescued(new_cloud):
    cloud = make(new_cloud, rescue_timeout_s=HOUR_S)
    server = cloud.boot()
    cloud.advance(2 * HOUR_S)
    answer = cloud.rest.post(f"/servers/{server.uuid}/action", {"rescue": None})
    assert answer.status_int == 200, answer.text
    cloud.run_until_idle()
    cloud.advance(HOUR_S / 2)
    assert server.status == "RESCUE"
    cloud.advance(HOUR_S)
    assert server.status == "ACTIVE"
    assert names(server)[0] == "unrescue"


def test_soft_reboot_that_hangs_becomes_a_hard_one(new_cloud):
    cloud = make(new_cloud, reboot_timeout_s=120)
    server = cloud.boot()
    host = server.instance().host
    cloud.bus.drop_next("finish", 2)
    server.act({"reboot": {"type": "SOFT"}})
    assert server.status == "REBOOT"
    cloud.hosts[host].manager._operations._unsent.clear()
    cloud.advance(60)
    assert names(server)[0] == "reboot"
    cloud.advance(180)
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert [event.event for event in server.actions()[0].events] == ["compute_reboot_instance"]


def test_resize_that_nobody_confirms_is_confirmed(new_cloud):
    cloud = make(new_cloud, resize_confirm_window_s=HOUR_S)
    server = cloud.boot("tiny")
    server.act({"resize": {"flavorRef": "2"}})
    cloud.advance(HOUR_S / 2)
    assert server.status == "VERIFY_RESIZE"
    cloud.advance(HOUR_S)
    assert (names(server)[0], server.status) == ("confirmResize", "ACTIVE")


def test_state_that_changed_since_it_was_looked_at_is_left_alone(new_cloud):
    cloud = make(new_cloud, reclaim_instance_interval_s=600)
    other = cloud.boot()
    other.delete()
    cloud.clock.advance(700)
    timers = timers_of(cloud)
    begin = timers.beginner.begin_due

    class Late:
        def begin_due(self, context, instance_uuid, action, only_in):
            answer = cloud.rest.post(f"/servers/{other.uuid}/action", {"restore": None})
            assert answer.status_int == 202
            cloud.run_until_idle()
            begin(context, instance_uuid, action, only_in)

    timers.beginner = Late()
    assert timers.run(clock.utcnow()) == ()
    assert other.status == "ACTIVE"


def test_timer_begins_once_for_all_conductors_and_leaves_dead_hosts_alone(new_cloud):
    cloud = make(new_cloud, rescue_timeout_s=HOUR_S)
    server = cloud.boot()
    cloud.rest.post(f"/servers/{server.uuid}/action", {"rescue": None})
    cloud.run_until_idle()
    host = server.instance().host
    cloud.crash_compute(host)
    cloud.advance(2 * HOUR_S)
    assert names(server) == ["rescue", "create"]
    cloud.restart_compute(host)
    timers = timers_of(cloud)
    assert timers.run(clock.utcnow()) == (server.uuid,)
    assert timers.run(clock.utcnow()) == ()
    cloud.run_until_idle()
    assert server.status == "ACTIVE"


@pytest.mark.parametrize(
    ("offload_time_s", "status"), [(HOUR_S, "SHELVED_OFFLOADED"), (-1, "SHELVED")]
)
def test_shelved_server_leaves_its_host_in_its_time(new_cloud, offload_time_s, status):
    cloud = make(new_cloud, shelved_offload_time_s=offload_time_s)
    server = cloud.boot()
    server.act({"shelve": None})
    cloud.advance(HOUR_S / 2)
    assert server.status == "SHELVED"
    cloud.advance(HOUR_S)
    assert server.status == status
