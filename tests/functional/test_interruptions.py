import pytest

from nova.exception import DriverError
from nova.objects.lifecycle import PowerState

ENDED = ("ACTIVE", "ERROR")
REFUSED = DriverError(operation="start", reason="no")


# --- nova-compute


@pytest.mark.parametrize("hosts", [1, 2])
def test_compute_that_dies_during_spawn_leaves_no_server_stuck(new_cloud, hosts):
    cloud = new_cloud(hosts=hosts)
    for host in cloud.hosts:
        cloud.crash_compute_during(host, "spawn")
    server = cloud.boot()
    assert server.status == "BUILD"
    for host in list(cloud.hosts):
        if cloud.hosts[host].manager is None:
            cloud.restart_compute(host)
    for host in list(cloud.hosts):
        if cloud.hosts[host].manager is None:
            cloud.restart_compute(host)
    assert server.status in ENDED
    if server.status == "ERROR":
        assert server.show()["fault"]["message"]
    server.delete()
    cloud.assert_nothing_left()


def test_build_of_a_dead_host_goes_on_elsewhere_after_restart(cloud):
    server = build_that_dies(cloud)
    dead = server.instance().host
    cloud.restart_compute(dead)
    assert server.status == "ACTIVE"
    assert server.instance().host != dead
    assert cloud.driver(dead).list_files() == set()


def test_build_on_a_host_that_never_comes_back_ends(cloud):
    server = build_that_dies(cloud)
    cloud.advance(4000)
    assert server.status in ENDED
    assert server.instance().task_state is None


def test_host_that_comes_back_late_removes_what_it_had_begun(cloud):
    server = build_that_dies(cloud)
    dead = next(name for name, host in cloud.hosts.items() if host.manager is None)
    cloud.advance(4000)
    cloud.restart_compute(dead)
    assert cloud.driver(dead).list_files() == set()
    server.delete()
    cloud.advance(10)
    cloud.assert_nothing_left()


def build_that_dies(cloud):
    """Return a server whose host died while it was being built; the other host is well."""
    for host in cloud.hosts:
        cloud.crash_compute_during(host, "spawn")
    server = cloud.boot()
    for host in cloud.hosts.values():
        host.driver.forget_failures()
    return server


@pytest.mark.parametrize(
    ("body", "operation", "after"),
    [
        ({"os-stop": None}, "power_off", ("SHUTOFF", PowerState.SHUTDOWN)),
        ({"reboot": {"type": "SOFT"}}, "reboot_soft", ("ACTIVE", PowerState.RUNNING)),
        ({"reboot": {"type": "HARD"}}, "reboot_hard", ("ACTIVE", PowerState.RUNNING)),
    ],
)
def test_power_action_goes_on_after_the_restart_of_compute(cloud, body, operation, after):
    server = cloud.boot()
    host = server.instance().host
    cloud.crash_compute_during(host, operation)
    server.act(body)
    assert server.instance().task_state is not None
    cloud.restart_compute(host)
    assert (server.status, cloud.driver(host).guests[server.uuid].power_state) == after


def test_delete_goes_on_after_the_restart_of_compute(cloud):
    server = cloud.boot()
    host = server.instance().host
    cloud.crash_compute_during(host, "destroy")
    server.delete()
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 200
    cloud.restart_compute(host)
    cloud.assert_nothing_left()


def test_server_on_a_host_that_is_down_is_gone_at_once_and_its_guest_when_the_host_is_back(cloud):
    server = cloud.boot()
    host = server.instance().host
    cloud.crash_compute(host)
    cloud.advance(120)
    server.delete()
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    assert cloud.usage()["instances"] == 0
    assert cloud.driver(host).list_files() == {server.uuid}
    cloud.restart_compute(host)
    cloud.hosts[host].network_manager.heal()
    cloud.assert_nothing_left()


# --- nova-conductor and the bus


@pytest.mark.parametrize(
    "method",
    [
        "select_destinations",
        "run_operation",
        "start",
        "setup_instance",
        "progress",
        "finish",
    ],
)
@pytest.mark.parametrize("lost", ["drop_next", "drop_answer_next"])
def test_build_ends_whatever_message_is_lost(cloud, method, lost):
    getattr(cloud.bus, lost)(method, 4)
    server = cloud.boot()
    cloud.bus.forget_faults()
    cloud.pull()
    cloud.advance(4000)
    assert server.status in ENDED
    assert server.instance().task_state is None
    if server.status == "ACTIVE":
        assert cloud.driver(server.instance().host).guests[server.uuid]
    else:
        assert server.show()["fault"]["message"]
    server.delete()
    cloud.assert_nothing_left()


@pytest.mark.parametrize(
    ("body", "method", "status"),
    [
        ({"os-stop": None}, "run_operation", "SHUTOFF"),
        ({"reboot": {"type": "SOFT"}}, "run_operation", "ACTIVE"),
        ({"reboot": {"type": "HARD"}}, "run_operation", "ACTIVE"),
    ],
)
@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["cast", "start", "finish"])
def test_power_action_ends_whatever_happens_to_its_messages(
    cloud, body, method, status, fault, message
):
    server = cloud.boot()
    getattr(cloud.bus, fault)(method if message == "cast" else message)
    server.act(body)
    cloud.advance(20)
    assert (server.status, server.instance().task_state) == (status, None)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, server.instance().task_state) == (status, None)


@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "finish", "teardown_instance"])
def test_delete_ends_whatever_happens_to_its_messages(cloud, fault, message):
    server = cloud.boot()
    getattr(cloud.bus, fault)(message)
    server.delete()
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    cloud.assert_nothing_left()


@pytest.mark.parametrize("message", ["run_operation", "start", "finish", "setup_instance"])
def test_doubled_messages_build_one_guest(cloud, message):
    cloud.bus.double_next(message)
    server = cloud.boot()
    assert server.status == "ACTIVE"
    spawns = [
        call for host in cloud.hosts for call in cloud.driver(host).calls if call[0] == "spawn"
    ]
    assert len(spawns) == 1
    assert len(cloud.dhcp_lines()) == 1


def test_late_build_message_after_the_deletion_builds_nothing(cloud):
    cloud.bus.delay_next("run_operation")
    server = cloud.boot()
    server.delete()
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    cloud.assert_nothing_left()


def test_conductor_that_is_restarted_during_a_build_changes_nothing(cloud):
    (server,) = cloud.request_boot()
    cloud.driver("host1").during_next("spawn", lambda: cloud.restart_conductor())
    cloud.driver("host2").during_next("spawn", lambda: cloud.restart_conductor())
    cloud.run_until_idle()
    assert server.status == "ACTIVE"


def test_build_task_that_died_with_its_conductor_is_done_by_another(cloud):
    (server,) = cloud.request_boot()
    cloud.bus.forget_jobs()
    cloud.restart_conductor()
    cloud.run_until_idle()
    assert server.status == "BUILD"
    cloud.advance(600)
    assert server.status == "ACTIVE"


def test_conductor_away_at_the_end_of_a_build_gets_the_result_later(cloud):
    (server,) = cloud.request_boot()
    for host in cloud.hosts:
        cloud.driver(host).during_next("spawn", cloud.stop_conductor)
    cloud.run_until_idle()
    cloud.start_conductor()
    cloud.pull()
    assert server.status == "ACTIVE"


# --- Deletion at every step of a build


def points_of_a_build():
    """Return the messages of a build, at each of which a deletion may come."""
    return (
        "create_servers",
        "select_destinations",
        "run_operation",
        "start",
        "setup_instance",
        "progress",
        "spawn",
        "finish",
    )


@pytest.mark.parametrize("point", points_of_a_build())
@pytest.mark.parametrize("fails", [False, True])
def test_delete_at_any_step_of_a_build_leaves_nothing(cloud, point, fails):
    if fails:
        for host in cloud.hosts:
            cloud.driver(host).fail_next("spawn", REFUSED)
    (server,) = cloud.request_boot()
    deleted = []

    def delete():
        if not deleted:
            deleted.append(True)
            server.request_delete()

    if point == "create_servers":
        delete()
    elif point == "spawn":
        for host in cloud.hosts:
            cloud.driver(host).during_next("spawn", delete)
    else:
        cloud.bus.before_next(point, delete)
    cloud.run_until_idle()
    assert deleted
    cloud.advance(20)
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    cloud.assert_nothing_left()


@pytest.mark.parametrize("point", range(1, 14))
def test_delete_after_any_number_of_jobs_leaves_nothing(cloud, point):
    (server,) = cloud.request_boot()
    for _ in range(point):
        cloud.bus.run_one()
    server.delete()
    cloud.advance(20)
    cloud.assert_nothing_left()
