"""Simple actions whose messages are lost, doubled or late, and whose compute service dies."""

import pytest

from nova.objects.lifecycle import PowerState

KEEP = {"reclaim_instance_interval_s": 100_000}
PAUSE, SUSPEND = {"pause": None}, {"suspend": None}
DELETE = "DELETE"

# (what was done before, the action, the driver's operation, status and power state afterwards)
ACTIONS = {
    "pause": ((), PAUSE, "pause", "PAUSED", PowerState.PAUSED),
    "unpause": ((PAUSE,), {"unpause": None}, "unpause", "ACTIVE", PowerState.RUNNING),
    "suspend": ((), SUSPEND, "suspend", "SUSPENDED", PowerState.SHUTDOWN),
    "resume": ((SUSPEND,), {"resume": None}, "resume", "ACTIVE", PowerState.RUNNING),
    "soft_delete": ((), DELETE, "power_off", "SOFT_DELETED", PowerState.SHUTDOWN),
    "restore": ((DELETE,), {"restore": None}, "power_on", "ACTIVE", PowerState.RUNNING),
}
BY_NAME = pytest.mark.parametrize("name", ACTIONS)


@pytest.fixture
def keeping(new_cloud):
    """Return a cloud that keeps deleted servers."""
    return new_cloud(conductor_settings=KEEP)


def do(server, body):
    if body == DELETE:
        server.delete()
    else:
        server.act(body)


def prepared(cloud, name):
    """Return a server on which an action may begin."""
    server = cloud.boot()
    for body in ACTIONS[name][0]:
        do(server, body)
    return server


def state(cloud, server):
    instance = server.instance()
    power_state = cloud.driver(instance.host).guests[server.uuid].power_state
    return server.status, instance.task_state, power_state


@BY_NAME
@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "finish"])
def test_action_ends_whatever_happens_to_its_messages(keeping, name, fault, message):
    _before, body, _operation, status, power_state = ACTIONS[name]
    server = prepared(keeping, name)
    getattr(keeping.bus, fault)(message)
    do(server, body)
    keeping.advance(20)
    assert state(keeping, server) == (status, None, power_state)
    keeping.bus.release_delayed()
    keeping.run_until_idle()
    assert state(keeping, server) == (status, None, power_state)
    assert keeping.usage()["instances"] == int(status != "SOFT_DELETED")
    assert len(server.actions()) == 2 + len(ACTIONS[name][0])


@BY_NAME
def test_action_goes_on_after_the_restart_of_compute(keeping, name):
    _before, body, operation, status, power_state = ACTIONS[name]
    server = prepared(keeping, name)
    host = server.instance().host
    keeping.crash_compute_during(host, operation)
    do(server, body)
    assert server.instance().task_state is not None
    keeping.restart_compute(host)
    assert state(keeping, server) == (status, None, power_state)


@BY_NAME
def test_action_on_a_host_that_never_comes_back_ends_with_a_reason(keeping, name):
    _before, body, operation, _status, _power_state = ACTIONS[name]
    server = prepared(keeping, name)
    was = server.status
    keeping.crash_compute_during(server.instance().host, operation)
    do(server, body)
    keeping.advance(1500)
    assert (server.status, server.instance().task_state) == (was, None)
    newest = server.actions()[0]
    assert newest.message == "Error"
    assert newest.events[0].details == "The host of the server does not answer."
    assert keeping.usage()["instances"] == int(was != "SOFT_DELETED")


@BY_NAME
def test_conductor_that_is_restarted_in_the_middle_changes_nothing(keeping, name):
    _before, body, operation, status, power_state = ACTIONS[name]
    server = prepared(keeping, name)
    keeping.driver(server.instance().host).during_next(operation, keeping.restart_conductor)
    do(server, body)
    assert state(keeping, server) == (status, None, power_state)


@BY_NAME
def test_deletion_during_an_action_leaves_nothing(keeping, name):
    _before, body, operation, _status, _power_state = ACTIONS[name]
    server = prepared(keeping, name)
    path, forced = f"/servers/{server.uuid}/action", {"forceDelete": None}
    keeping.driver(server.instance().host).during_next(
        operation, lambda: keeping.rest.post(path, forced)
    )
    do(server, body)
    keeping.advance(20)
    keeping.assert_nothing_left()


# --- Passwords: the message is the only place where they are

PASSWORD = {"changePassword": {"adminPass": "secret"}}


def password_of(cloud, server):
    return cloud.driver(server.instance().host).guests[server.uuid].password


@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "finish"])
def test_password_is_set_or_the_action_says_why_not(cloud, fault, message):
    server = cloud.boot()
    getattr(cloud.bus, fault)(message)
    server.act(PASSWORD)
    cloud.bus.forget_faults()
    for _ in range(3):
        cloud.advance(120)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    newest = server.actions()[0]
    if newest.message is None:
        assert password_of(cloud, server) == "secret"
    else:
        assert "did not reach the host" in newest.events[0].details
        assert password_of(cloud, server) is None


def test_password_whose_message_is_overtaken_by_a_pull_is_set_all_the_same(cloud):
    server = cloud.boot()
    cloud.bus.delay_next("run_operation")
    server.act(PASSWORD)
    cloud.pull()
    assert server.status == "PASSWORD"
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, password_of(cloud, server)) == ("ACTIVE", "secret")
    assert server.actions()[0].message is None


@pytest.mark.parametrize(
    ("body", "operation"),
    [(PASSWORD, "set_admin_password"), ({"trigger_crash_dump": None}, "trigger_crash_dump")],
)
def test_action_that_is_not_repeated_ends_with_a_reason_after_a_crash(cloud, body, operation):
    server = cloud.boot()
    host = server.instance().host
    cloud.crash_compute_during(host, operation)
    answer = cloud.rest.at("2.90").post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == 202
    cloud.run_until_idle()
    cloud.driver(host).calls.clear()
    cloud.restart_compute(host)
    assert operation not in [name for name, _uuid in cloud.driver(host).calls]
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    newest = server.actions()[0]
    assert newest.message == "Error"
    assert newest.events[0].event == f"compute_recover_{newest.action}"
    assert newest.events[0].details == (
        "The compute service was restarted before the operation had ended."
    )


@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "finish"])
def test_crash_dump_is_triggered_once_whatever_happens_to_its_messages(cloud, fault, message):
    server = cloud.boot()
    getattr(cloud.bus, fault)(message)
    path = f"/servers/{server.uuid}/action"
    assert cloud.rest.at("2.17").post(path, {"trigger_crash_dump": None}).status_int == 202
    cloud.run_until_idle()
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert cloud.driver(server.instance().host).guests[server.uuid].nmis == 1
    assert server.actions()[0].message is None


@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "finish", "setup_instance"])
def test_network_info_is_renewed_whatever_happens_to_its_messages(cloud, fault, message):
    server = cloud.boot()
    path = f"/servers/{server.uuid}/action"
    getattr(cloud.bus, fault)(message)
    assert cloud.rest.as_admin().post(path, {"injectNetworkInfo": None}).status_int == 202
    cloud.run_until_idle()
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    newest = server.actions()[0]
    assert newest.events[0].event == "compute_inject_network_info"
    assert server.status == "ACTIVE"
