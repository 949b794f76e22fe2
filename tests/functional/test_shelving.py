"""shelve, shelveOffload, unshelve, end to end: addresses, quota and claims stay exact."""

import pytest

from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.context import get_admin_context
from nova.exception import DriverError, ImageNotFound
from nova.objects.image import ImageQuery
from nova.objects.lifecycle import PowerState
from nova.objects.service import ServiceChange
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

OWNER = f"alice:{PROJECT}"
SHELVE, UNSHELVE, OFFLOAD = {"shelve": None}, {"unshelve": None}, {"shelveOffload": None}
REFUSED = DriverError(operation="start", reason="no")
SMALL = (1, 512, 2, 1)
NOTHING = (0, 0, 0, 0)


@pytest.fixture
def staying(new_cloud):
    """Return a cloud in which shelved servers stay on their hosts."""
    return new_cloud(conductor_settings={"shelved_offload_time_s": -1})


def made_images(cloud):
    """Return the images besides the one that servers are booted from."""
    return [image for image in cloud.images.page(None, ImageQuery()) if image.id != IMAGE_ID]


def addresses(server):
    return [(vif.id, vif.address, vif.fixed_ip) for vif in server.instance().vifs]


def total_claims(cloud):
    return tuple(map(sum, zip(*cloud.claims().values(), strict=True)))


def assert_offloaded(server, before):
    """Check that a server has left its host and kept what is its own."""
    cloud, instance = server.cloud, server.instance()
    assert (server.status, instance.task_state) == ("SHELVED_OFFLOADED", None)
    assert (instance.host, instance.node, instance.availability_zone) == (None, None, None)
    assert instance.power_state is PowerState.NOSTATE
    assert all(host.driver.list_files() == set() for host in cloud.hosts.values())
    assert cloud.dhcp_lines() == []
    assert addresses(server) == before
    assert total_claims(cloud) == NOTHING
    assert cloud.usage() == {"instances": 1, "cores": 1, "ram": 512}


def assert_active(server, before):
    """Check that a server runs on a host, with what it had before, and once."""
    cloud, instance = server.cloud, server.instance()
    assert (server.status, instance.task_state) == ("ACTIVE", None)
    assert (instance.shelved_image_id, instance.shelved_at) == (None, None)
    guests = [name for name, host in cloud.hosts.items() if server.uuid in host.driver.guests]
    assert guests == [instance.host]
    assert cloud.driver(instance.host).guests[server.uuid].power_state is PowerState.RUNNING
    assert addresses(server) == before
    assert len(cloud.dhcp_lines()) == 1
    assert cloud.claims()[instance.host] == SMALL
    assert total_claims(cloud) == SMALL
    assert cloud.usage() == {"instances": 1, "cores": 1, "ram": 512}


def config_drive(server):
    """Return the files of a running server's config drive."""
    cloud = server.cloud
    return cloud.driver(server.instance().host).guests[server.uuid].config_drive


def test_config_drive_after_unshelving_names_no_password_for_none_is_stored(new_cloud):
    cloud = new_cloud(hosts=2)
    server = cloud.boot(config_drive=True)
    assert b"admin_pass" in config_drive(server)["openstack/latest/meta_data.json"]
    server.act(SHELVE)
    cloud.driver("host1").fail_next("spawn", REFUSED)
    cloud.driver("host2").fail_next("spawn", REFUSED)
    server.act(UNSHELVE)
    assert server.status == "SHELVED_OFFLOADED"
    cloud.driver("host1").fail_next("spawn", REFUSED)
    server.act(UNSHELVE)
    files = config_drive(server)
    assert server.status == "ACTIVE"
    assert "openstack/latest/meta_data.json" in files
    assert b"admin_pass" not in b"".join(files.values())


def shelved(cloud):
    """Return an offloaded server and the addresses that it had."""
    server = cloud.boot()
    before = addresses(server)
    server.act(SHELVE)
    return server, before


def ask(server, body, version="2.91", status=202):
    answer = server.cloud.rest.at(version).post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == status, answer.text
    return answer


# --- The way there and back


def test_shelved_server_is_offloaded_at_once_and_comes_back(cloud):
    server = cloud.boot()
    before = addresses(server)
    cloud.driver(server.instance().host).guests[server.uuid].contents = b"what was written"
    server.act(SHELVE)
    assert_offloaded(server, before)
    (image,) = made_images(cloud)
    assert (image.name, image.status, image.owner) == ("web-shelved", "active", PROJECT)
    assert image.size_bytes == len(b"what was written")
    assert server.instance().shelved_image_id == image.id
    assert server.instance().shelved_at is not None
    server.act(UNSHELVE)
    assert_active(server, before)
    host = server.instance().host
    assert cloud.driver(host).guests[server.uuid].image_id == image.id
    assert server.instance().image_ref == IMAGE_ID
    assert made_images(cloud) == []
    assert [record.action for record in server.actions()] == [
        "unshelve",
        "shelveOffload",
        "shelve",
        "create",
    ]
    server.delete()
    cloud.assert_nothing_left()


def test_shelved_server_that_stays_is_started_where_it_is(staying):
    cloud = staying
    server = cloud.boot()
    before, host = addresses(server), server.instance().host
    server.act(SHELVE)
    assert (server.status, server.instance().host) == ("SHELVED", host)
    assert cloud.driver(host).guests[server.uuid].power_state is PowerState.SHUTDOWN
    assert total_claims(cloud) == SMALL
    cloud.advance(60)
    assert server.status == "SHELVED"
    server.act(UNSHELVE)
    assert_active(server, before)
    assert server.instance().host == host
    assert made_images(cloud) == []


def test_administrator_offloads_a_server_that_stays(staying):
    server = staying.boot()
    before = addresses(server)
    server.act(SHELVE)
    path = f"/servers/{server.uuid}/action"
    assert staying.rest.post(path, OFFLOAD).status_int == 403
    assert staying.rest.as_admin().post(path, OFFLOAD).status_int == 202
    staying.run_until_idle()
    assert_offloaded(server, before)
    server.act(UNSHELVE)
    assert_active(server, before)


@pytest.mark.parametrize("body", [{"os-stop": None}, {"pause": None}, {"suspend": None}])
def test_server_that_does_not_run_is_shelved_and_comes_back_running(cloud, body):
    server = cloud.boot()
    before = addresses(server)
    server.act(body)
    server.act(SHELVE)
    assert_offloaded(server, before)
    server.act(UNSHELVE)
    assert_active(server, before)


def test_longest_name_still_makes_an_image(cloud):
    server = cloud.boot(name="n" * 255)
    server.act(SHELVE)
    (image,) = made_images(cloud)
    assert (len(image.name), image.name[-9:]) == (255, "n-shelved")


def test_other_host_gives_its_own_address_to_the_networks(cloud):
    server, before = shelved(cloud)
    cloud.crash_network("host1")
    ask(server, {"unshelve": {"host": "host2"}}, status=403)
    admin = cloud.rest.as_admin().at("2.91")
    body = {"unshelve": {"host": "host2"}}
    assert admin.post(f"/servers/{server.uuid}/action", body).status_int == 202
    cloud.run_until_idle()
    assert server.instance().host == "host2"
    assert_active(server, before)
    assert cloud.bindings()["host2"] == [before[0][2]]


# --- Places


@pytest.mark.parametrize("version", ["2.77", "2.91"])
def test_zone_is_kept_after_success(cloud, version):
    server, before = shelved(cloud)
    ask(server, {"unshelve": {"availability_zone": "nova"}}, version)
    cloud.run_until_idle()
    assert_active(server, before)
    assert server.instance().pinned_availability_zone == "nova"


def test_null_zone_unpins(cloud):
    server = cloud.boot(availability_zone="nova")
    before = addresses(server)
    server.act(SHELVE)
    ask(server, {"unshelve": {"availability_zone": None}})
    cloud.run_until_idle()
    assert_active(server, before)
    assert server.instance().pinned_availability_zone is None


@pytest.mark.parametrize(
    ("body", "version", "status"),
    [
        ({"unshelve": {"availability_zone": "nowhere"}}, "2.77", 400),
        ({"unshelve": {}}, "2.77", 400),
        ({"unshelve": {"host": "host1"}}, "2.90", 400),
        ({"unshelve": {"availability_zone": None}}, "2.90", 400),
        ({"unshelve": {"more": 1}}, "2.91", 400),
        ({"unshelve": "x"}, "2.77", 400),
        ({"unshelve": "x"}, "2.76", 202),
        ({"unshelve": {}}, "2.91", 202),
    ],
)
def test_bodies_by_version(cloud, body, version, status):
    server, before = shelved(cloud)
    ask(server, body, version, status)
    cloud.run_until_idle()
    if status == 202:
        assert_active(server, before)
    else:
        assert_offloaded(server, before)


def test_unknown_host_is_refused(cloud):
    server, before = shelved(cloud)
    admin = cloud.rest.as_admin().at("2.91")
    body = {"unshelve": {"host": "nowhere"}}
    assert admin.post(f"/servers/{server.uuid}/action", body).status_int == 400
    assert_offloaded(server, before)


def test_place_of_a_server_that_stays_can_not_be_chosen(staying):
    server = staying.boot()
    server.act(SHELVE)
    ask(server, {"unshelve": {"availability_zone": "nova"}}, status=409)
    assert server.status == "SHELVED"


def test_foreign_servers_are_not_shelved(cloud):
    server = cloud.boot()
    stranger = cloud.api("bob", OTHER_PROJECT)
    for body in (SHELVE, UNSHELVE):
        assert stranger.post(f"/servers/{server.uuid}/action", body).status_int == 404
    assert made_images(cloud) == []


@pytest.mark.parametrize("body", [UNSHELVE, OFFLOAD])
def test_active_server_is_refused(cloud, body):
    server = cloud.boot()
    answer = cloud.rest.as_admin().post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == 409


def test_locked_server_is_refused_and_no_image_stays(cloud):
    server = cloud.boot()
    server.act({"lock": None})
    ask(server, SHELVE, status=409)
    assert made_images(cloud) == []


# --- Failures


def assert_not_unshelved(server, before):
    """Check that an unshelve failed and everything is as it was before."""
    record = server.actions()[0]
    assert (record.action, record.message) == ("unshelve", "Error")
    assert record.events[0].result == "Error"
    assert record.events[0].details
    assert server.instance().fault is None
    assert server.instance().shelved_image_id == made_images(server.cloud)[0].id
    assert_offloaded(server, before)


@pytest.mark.parametrize("operation", ["snapshot", "power_off"])
def test_shelve_that_fails_leaves_the_server_running_and_no_image(cloud, operation):
    server = cloud.boot()
    before = addresses(server)
    cloud.driver(server.instance().host).fail_next(operation, REFUSED)
    server.act(SHELVE)
    assert made_images(cloud) == []
    assert_active(server, before)
    assert server.actions()[0].message == "Error"


def test_paused_server_whose_shelving_fails_is_a_stopped_one(cloud):
    server = cloud.boot()
    server.act({"pause": None})
    cloud.driver(server.instance().host).fail_next("snapshot", REFUSED)
    server.act(SHELVE)
    assert (server.status, server.instance().power_state) == ("SHUTOFF", PowerState.SHUTDOWN)


def test_unshelve_tries_the_next_host(cloud):
    server, before = shelved(cloud)
    for host in cloud.hosts.values():
        host.driver.fail_next("spawn", REFUSED)
    next(iter(cloud.hosts.values())).driver.forget_failures()
    server.act(UNSHELVE)
    assert_active(server, before)


def test_unshelve_that_fails_everywhere_leaves_the_server_offloaded(cloud):
    server, before = shelved(cloud)
    for host in cloud.hosts.values():
        host.driver.fail_next("spawn", REFUSED, 5)
    server.act(UNSHELVE)
    assert_not_unshelved(server, before)
    for host in cloud.hosts.values():
        host.driver.forget_failures()
    server.act(UNSHELVE)
    assert_active(server, before)


def test_unshelve_without_a_fitting_host_leaves_the_server_offloaded(cloud):
    server, before = shelved(cloud)
    hosts = cloud.bus.client(ConductorHosts).anyone()
    for name in cloud.hosts:
        change = ServiceChange(disabled=True)
        hosts.update_service(get_admin_context(), f"{name}/nova-compute", change)
    cloud.advance(20)
    server.act(UNSHELVE)
    assert_not_unshelved(server, before)
    assert "No valid host" in server.actions()[0].events[0].details


def test_unshelve_whose_image_is_gone_leaves_the_server_offloaded(cloud):
    server, before = shelved(cloud)
    for host in cloud.hosts.values():
        host.driver.fail_next("spawn", ImageNotFound(image_id="x"), 5)
    server.act(UNSHELVE)
    assert_not_unshelved(server, before)


# --- Crashes and lost messages


@pytest.mark.parametrize("operation", ["power_off", "snapshot", "destroy"])
def test_crash_on_the_way_out_is_made_good(cloud, operation):
    server = cloud.boot()
    before, host = addresses(server), server.instance().host
    cloud.crash_compute_during(host, operation)
    server.act(SHELVE)
    assert server.instance().task_state is not None
    cloud.restart_compute(host)
    assert_offloaded(server, before)
    assert [image.status for image in made_images(cloud)] == ["active"]
    server.act(UNSHELVE)
    assert_active(server, before)


@pytest.mark.parametrize("hosts", [1, 2])
def test_crash_on_the_way_back_is_made_good(new_cloud, hosts):
    cloud = new_cloud(hosts=hosts)
    server, before = shelved(cloud)
    for host in cloud.hosts:
        cloud.crash_compute_during(host, "spawn")
    server.act(UNSHELVE)
    dead = next(name for name, host in cloud.hosts.items() if host.manager is None)
    cloud.restart_compute(dead)
    assert_active(server, before)
    assert made_images(cloud) == []


def test_host_that_never_comes_back_is_left_for_another(cloud):
    server, before = shelved(cloud)
    for host in cloud.hosts:
        cloud.crash_compute_during(host, "spawn")
    server.act(UNSHELVE)
    dead = next(name for name, host in cloud.hosts.items() if host.manager is None)
    for host in cloud.hosts.values():
        host.driver.forget_failures()
    cloud.advance(300)
    assert server.instance().host not in (None, dead)
    cloud.restart_compute(dead)
    cloud.hosts[dead].network_manager.heal()
    assert_active(server, before)
    assert made_images(cloud) == []


@pytest.mark.parametrize("jobs", range(0, 26))
def test_crash_after_any_number_of_jobs_ends_offloaded_or_active(cloud, jobs):
    server = cloud.boot()
    before, host = addresses(server), server.instance().host
    ask(server, SHELVE)
    for _ in range(jobs):
        cloud.bus.run_one()
    cloud.crash_compute(host)
    cloud.run_until_idle()
    cloud.restart_compute(host)
    cloud.advance(20)
    assert_offloaded(server, before)
    ask(server, UNSHELVE)
    for _ in range(jobs):
        cloud.bus.run_one()
    for name in cloud.hosts:
        cloud.crash_compute(name)
    cloud.run_until_idle()
    for name in cloud.hosts:
        cloud.start_compute(name)
    cloud.run_until_idle()
    cloud.advance(200)
    assert_active(server, before)


def test_scheduler_that_does_not_answer_delays_an_unshelve(cloud):
    server, before = shelved(cloud)
    cloud.bus.drop_next("select_destinations", 4)
    server.act(UNSHELVE)
    assert server.instance().task_state is not None
    cloud.advance(300)
    assert_active(server, before)


@pytest.mark.parametrize("body", [SHELVE, UNSHELVE])
@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next", "drop_answer_next"])
@pytest.mark.parametrize(
    "message", ["run_operation", "start", "progress", "finish", "setup_instance"]
)
def test_messages_that_are_lost_doubled_or_late_change_nothing(cloud, body, fault, message):
    server, before = shelved(cloud) if body is UNSHELVE else (cloud.boot(), None)
    before = before or addresses(server)
    getattr(cloud.bus, fault)(message)
    server.act(body)
    cloud.advance(300)
    cloud.bus.forget_faults()
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    if body is SHELVE:
        assert_offloaded(server, before)
        assert len(made_images(cloud)) == 1
    else:
        assert_active(server, before)


def test_image_outlives_a_success_that_the_conductor_has_not_heard_of(cloud):
    server, before = shelved(cloud)
    for host in cloud.hosts.values():
        host.driver.during_next("spawn", cloud.stop_conductor)
    server.act(UNSHELVE)
    assert len(made_images(cloud)) == 1
    for name in cloud.hosts:
        cloud.crash_compute(name)
    cloud.start_conductor()
    for name in cloud.hosts:
        cloud.start_compute(name)
    cloud.run_until_idle()
    cloud.advance(20)
    assert_active(server, before)
    assert made_images(cloud) == []


# --- Deletion


def test_deleting_an_offloaded_server_deletes_its_image(cloud):
    server, _before = shelved(cloud)
    server.delete()
    assert made_images(cloud) == []
    cloud.assert_nothing_left()


def test_deleting_a_shelved_server_deletes_its_image(staying):
    server = staying.boot()
    server.act(SHELVE)
    server.delete()
    assert made_images(staying) == []
    staying.assert_nothing_left()


@pytest.mark.parametrize(
    "point",
    ["run_operation", "start", "progress", "snapshot", "finish", "destroy", "teardown_instance"],
)
def test_delete_at_any_step_of_shelving_leaves_nothing(cloud, point):
    server = cloud.boot()
    deleted = []

    def delete():
        if not deleted:
            deleted.append(True)
            server.request_delete()

    if point in ("snapshot", "destroy"):
        cloud.driver(server.instance().host).during_next(point, delete)
    else:
        cloud.bus.before_next(point, delete)
    ask(server, SHELVE)
    cloud.run_until_idle()
    cloud.advance(20)
    assert deleted
    assert made_images(cloud) == []
    cloud.assert_nothing_left()


@pytest.mark.parametrize(
    "point",
    ["select_destinations", "run_operation", "start", "setup_instance", "spawn", "finish"],
)
def test_delete_at_any_step_of_unshelving_leaves_nothing(cloud, point):
    server, _before = shelved(cloud)
    deleted = []

    def delete():
        if not deleted:
            deleted.append(True)
            server.request_delete()

    if point == "spawn":
        for host in cloud.hosts.values():
            host.driver.during_next("spawn", delete)
    else:
        cloud.bus.before_next(point, delete)
    ask(server, UNSHELVE)
    cloud.run_until_idle()
    cloud.advance(20)
    assert deleted
    assert made_images(cloud) == []
    cloud.assert_nothing_left()


def test_restored_server_that_was_shelved_leaves_no_image(new_cloud):
    settings = {"shelved_offload_time_s": -1, "reclaim_instance_interval_s": 3600}
    cloud = new_cloud(conductor_settings=settings)
    server = cloud.boot()
    server.act(SHELVE)
    server.delete()
    assert [image.status for image in made_images(cloud)] == ["active"]
    server.act({"restore": None})
    assert_active(server, addresses(server))
    assert made_images(cloud) == []
