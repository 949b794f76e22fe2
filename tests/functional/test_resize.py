"""Resizes: what they take and give back, whatever happens to hosts and messages."""

import dataclasses

import pytest

from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.context import get_admin_context
from nova.exception import DriverError, HypervisorUnavailable
from nova.objects.lifecycle import PowerState
from nova.objects.migration import MigrationStatus
from nova.virt.fake import FakeSize
from tests.fixtures.changes import (
    MEDIUM,
    add_choices,
    ask,
    carry_out,
    held,
    migrations_of,
    rebuild_with,
    resize_to,
)

REFUSED = DriverError(operation="resize", reason="no")
SMALL = (1, 512, 2, 1)
BOTH = (3, 1536, 6, 1)
NEW = (2, 1024, 4, 1)
CONFIRM, REVERT = {"confirmResize": None}, {"revertResize": None}


@pytest.fixture
def cloud(new_cloud):
    return add_choices(new_cloud(hosts=1))


def usage(cloud):
    found = cloud.usage()
    return found["cores"], found["ram"]


def guest(server):
    return server.cloud.driver(server.instance().host).guests[server.uuid]


def resized(cloud, **boot):
    server = cloud.boot(**boot)
    carry_out(server, resize_to("3"))
    assert server.status == "VERIFY_RESIZE"
    return server


# --- The ordinary ways ------------------------------------------------------------------------


def test_resize_gives_the_new_flavor_and_holds_both(cloud):
    server = resized(cloud)
    instance = server.instance()
    assert (instance.flavor.name, instance.task_state) == ("medium", None)
    assert guest(server).memory_mb == 1024
    assert guest(server).power_state is PowerState.RUNNING
    assert (held(cloud), usage(cloud)) == (BOTH, (2, 1024))
    (migration,) = migrations_of(cloud)
    assert migration.status is MigrationStatus.FINISHED
    assert (migration.source_compute, migration.dest_compute) == ("host1", "host1")


def test_the_record_of_a_resize_tells_how_far_it_is(cloud):
    server, seen = cloud.boot(), []

    def look():
        seen.append((str(migrations_of(cloud)[0].status), str(server.instance().task_state)))

    cloud.driver("host1").during_next("migrate_disk_and_power_off", look)
    ask(server, resize_to("3"))
    look()
    cloud.run_until_idle()
    assert seen == [("pre-migrating", "resize_prep"), ("migrating", "resize_migrating")]


def test_a_confirmed_resize_holds_the_new_flavor_only(cloud):
    server = resized(cloud)
    assert ask(server, CONFIRM).status_int == 204
    cloud.run_until_idle()
    assert server.status == "ACTIVE"
    assert guest(server).aside_gb is None
    assert (held(cloud), usage(cloud)) == (NEW, (2, 1024))
    assert migrations_of(cloud)[0].status is MigrationStatus.CONFIRMED


def test_a_reverted_resize_holds_the_old_flavor_only(cloud):
    server = resized(cloud)
    carry_out(server, REVERT)
    assert (server.status, server.instance().flavor.name) == ("ACTIVE", "small")
    assert guest(server).memory_mb == 512
    assert (held(cloud), usage(cloud)) == (SMALL, (1, 512))
    assert migrations_of(cloud)[0].status is MigrationStatus.REVERTED


def test_a_resize_to_less_frees_quota_when_it_is_confirmed(cloud):
    flavors = cloud.bus.client(ConductorFlavors).anyone()
    less = dataclasses.replace(MEDIUM, flavorid="4", name="less", vcpus=1, memory_mb=256)
    flavors.create(get_admin_context(), less)
    server = cloud.boot(flavor="small")
    carry_out(server, resize_to("3"))
    carry_out(server, CONFIRM)
    carry_out(server, resize_to("4"))
    assert usage(cloud) == (2, 1024)
    carry_out(server, CONFIRM)
    assert usage(cloud) == (1, 256)
    assert held(cloud) == (1, 256, 4, 1)


@pytest.mark.parametrize("end", [CONFIRM, REVERT])
def test_a_stopped_server_stays_stopped(cloud, end):
    server = cloud.boot()
    server.act({"os-stop": None})
    carry_out(server, resize_to("3"))
    assert server.status == "VERIFY_RESIZE"
    assert guest(server).power_state is PowerState.SHUTDOWN
    carry_out(server, end)
    assert server.status == "SHUTOFF"
    assert guest(server).power_state is PowerState.SHUTDOWN


def test_the_actions_have_their_names(cloud):
    server = resized(cloud)
    carry_out(server, REVERT)
    carry_out(server, resize_to("3"))
    carry_out(server, CONFIRM)
    names = [record.action for record in server.actions()]
    assert names == ["confirmResize", "resize", "revertResize", "resize", "create"]
    assert all(record.events[0].result == "Success" for record in server.actions())


# --- Refusals ---------------------------------------------------------------------------------


def test_what_can_not_be_resized_to_is_refused_and_takes_nothing(cloud):
    flavors = cloud.bus.client(ConductorFlavors).anyone()
    context = get_admin_context()
    private = dataclasses.replace(MEDIUM, flavorid="5", name="private", is_public=False)
    no_disk = dataclasses.replace(MEDIUM, flavorid="6", name="no disk", root_gb=0)
    flavors.create(context, private)
    flavors.create(context, no_disk)
    flavors.create(context, dataclasses.replace(MEDIUM, flavorid="7", name="special"))
    flavors.set_extra_specs(context, "7", {"trait:HW_CPU_X86_AVX512F": "required"})
    server = cloud.boot()
    for flavorid, words in {
        "2": "another flavor",
        "1": "can not be made smaller",
        "6": "zero disk",
        "5": "could not be found",
        "unknown": "could not be found",
        "9": "No valid host was found",
        "7": "No valid host was found",
    }.items():
        answer = ask(server, resize_to(flavorid))
        assert answer.status_int == 400
        assert words in answer.json["badRequest"]["message"]
    assert (server.status, held(cloud), usage(cloud)) == ("ACTIVE", SMALL, (1, 512))
    assert migrations_of(cloud) == ()
    flavors.add_access(context, "5", server.instance().project_id)
    carry_out(server, resize_to("5"))
    assert server.status == "VERIFY_RESIZE"


@pytest.mark.parametrize("quota", [{"cores": 1}, {"ram": 1023}])
def test_in_09_a_resize_beyond_the_quota_is_refused(new_cloud, quota):
    cloud = add_choices(new_cloud(hosts=1, quotas=quota))
    server = cloud.boot()
    answer = ask(server, resize_to("3"))
    assert answer.status_int == 403
    assert f"Quota exceeded for {next(iter(quota))}" in answer.json["forbidden"]["message"]
    assert (server.status, held(cloud), usage(cloud)) == ("ACTIVE", SMALL, (1, 512))


def test_in_09_quota_is_told_before_the_room_on_the_host(new_cloud):
    cloud = add_choices(new_cloud(hosts=1, quotas={"ram": 1023}, size=FakeSize(memory_mb=1024)))
    assert ask(cloud.boot(), resize_to("3")).status_int == 403


def test_in_09_a_resize_up_to_the_quota_is_carried_out_again_and_again(new_cloud):
    cloud = add_choices(new_cloud(hosts=1, quotas={"cores": 2, "ram": 1024}))
    server = cloud.boot()
    for _ in range(3):
        carry_out(server, resize_to("3"))
        carry_out(server, REVERT)
    carry_out(server, resize_to("3"))
    assert cloud.rest.post("/servers", boot_body(cloud)).status_int == 403
    carry_out(server, REVERT)
    assert cloud.rest.post("/servers", boot_body(cloud)).status_int == 202


def boot_body(cloud):
    return {"server": {"name": "x", "flavorRef": "2", "imageRef": cloud.image_id}}


def test_the_host_must_be_up(cloud):
    server = cloud.boot()
    cloud.crash_compute("host1")
    cloud.advance(120)
    assert ask(server, resize_to("3")).status_int == 409


def test_the_operator_can_forbid_resizes_to_the_same_host(new_cloud):
    settings = {"allow_resize_to_same_host": False}
    cloud = add_choices(new_cloud(hosts=1, conductor_settings=settings))
    answer = ask(cloud.boot(), resize_to("3"))
    assert answer.status_int == 400
    assert "No valid host was found" in answer.text


@pytest.mark.parametrize("body", [CONFIRM, REVERT])
def test_without_a_resize_there_is_nothing_to_end(cloud, body):
    assert ask(cloud.boot(), body).status_int == 409


@pytest.mark.parametrize("body", [CONFIRM, REVERT])
def test_a_resize_is_ended_once(cloud, body):
    server = resized(cloud)
    assert ask(server, body).status_int in (202, 204)
    assert ask(server, body).status_int == 409
    cloud.run_until_idle()


# --- Interruptions ----------------------------------------------------------------------------


STEPS = [
    (resize_to("3"), "migrate_disk_and_power_off", "VERIFY_RESIZE", BOTH),
    (resize_to("3"), "finish_migration", "VERIFY_RESIZE", BOTH),
    (CONFIRM, "confirm_migration", "ACTIVE", NEW),
    (REVERT, "finish_revert_migration", "ACTIVE", SMALL),
]


@pytest.mark.parametrize(("body", "operation", "status", "claims"), STEPS)
def test_each_step_goes_on_after_the_restart_of_compute(cloud, body, operation, status, claims):
    server = cloud.boot() if "resize" in body else resized(cloud)
    cloud.crash_compute_during("host1", operation)
    ask(server, body)
    cloud.run_until_idle()
    assert server.instance().task_state is not None
    cloud.restart_compute("host1")
    assert (server.status, held(cloud)) == (status, claims)
    assert guest(server).power_state is PowerState.RUNNING
    server.delete()
    cloud.assert_nothing_left()


@pytest.mark.parametrize(("body", "status"), [(step[0], step[2]) for step in STEPS[1:]])
@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "progress", "finish"])
def test_each_step_ends_whatever_happens_to_its_messages(cloud, body, status, fault, message):
    server = cloud.boot() if "resize" in body else resized(cloud)
    getattr(cloud.bus, fault)(message)
    ask(server, body)
    cloud.run_until_idle()
    cloud.advance(20)
    assert (server.status, server.instance().task_state) == (status, None)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, server.instance().task_state) == (status, None)
    server.delete()
    cloud.assert_nothing_left()


def test_a_late_message_of_a_reverted_resize_changes_nothing(cloud):
    server = cloud.boot()
    cloud.bus.delay_next("run_operation")
    ask(server, resize_to("3"))
    cloud.run_until_idle()
    cloud.advance(20)
    carry_out(server, REVERT)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, held(cloud)) == ("ACTIVE", SMALL)
    assert guest(server).memory_mb == 512


# --- Failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["migrate_disk_and_power_off", "finish_migration"])
@pytest.mark.parametrize("stopped", [False, True])
def test_a_resize_that_fails_is_undone(cloud, operation, stopped):
    server = cloud.boot()
    if stopped:
        server.act({"os-stop": None})
    before = (server.status, guest(server).power_state)
    cloud.driver("host1").fail_next(operation, REFUSED)
    carry_out(server, resize_to("3"))
    assert (server.status, guest(server).power_state) == before
    assert (server.instance().flavor.name, guest(server).memory_mb) == ("small", 512)
    assert (held(cloud), usage(cloud)) == (SMALL, (1, 512))
    assert migrations_of(cloud)[0].status is MigrationStatus.ERROR
    assert server.actions()[0].message == "Error"
    carry_out(server, resize_to("3"))
    assert server.status == "VERIFY_RESIZE"


def test_a_resize_that_can_not_be_undone_leaves_the_server_in_error(cloud):
    server = cloud.boot()
    cloud.driver("host1").fail_next("finish_migration", REFUSED)
    cloud.driver("host1").fail_next("finish_revert_migration", REFUSED)
    carry_out(server, resize_to("3"))
    assert server.status == "ERROR"
    assert server.show()["fault"]["message"] == "The server could not be resized."
    assert (held(cloud), usage(cloud)) == (SMALL, (1, 512))
    server.act({"reboot": {"type": "HARD"}})
    assert ask(server, resize_to("3")).status_int == 409
    carry_out(server, rebuild_with())
    assert guest(server).aside_gb is None
    carry_out(server, resize_to("3"))
    assert server.status == "VERIFY_RESIZE"


def test_a_resize_waits_for_a_hypervisor_that_is_away(cloud):
    server = cloud.boot()
    away = HypervisorUnavailable(reason="restarting")
    cloud.driver("host1").fail_next("finish_migration", away)
    carry_out(server, resize_to("3"))
    assert server.status == "RESIZE"
    cloud.pull()
    assert (server.status, held(cloud)) == ("VERIFY_RESIZE", BOTH)


@pytest.mark.parametrize(
    ("body", "operation", "other"),
    [(CONFIRM, "confirm_migration", REVERT), (REVERT, "finish_revert_migration", CONFIRM)],
)
def test_an_end_that_fails_may_be_asked_for_again_but_not_the_other(cloud, body, operation, other):
    server = resized(cloud)
    cloud.driver("host1").fail_next(operation, REFUSED)
    carry_out(server, body)
    assert (server.status, held(cloud)) == ("VERIFY_RESIZE", BOTH)
    assert ask(server, other).status_int == 400
    carry_out(server, body)
    assert server.status == "ACTIVE"


@pytest.mark.parametrize("begun", [False, True])
def test_a_resize_on_a_host_that_is_lost_ends(cloud, begun):
    server = cloud.boot()
    if begun:
        cloud.crash_compute_during("host1", "finish_migration")
    else:
        cloud.crash_compute("host1")
    ask(server, resize_to("3"))
    cloud.run_until_idle()
    cloud.advance(4000)
    assert server.status == ("ERROR" if begun else "ACTIVE")
    assert server.instance().task_state is None
    assert (held(cloud), usage(cloud)) == (SMALL, (1, 512))


# --- Deletion ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "point",
    ["begin_action", "run_operation", "start", "migrate_disk_and_power_off", "progress",
     "finish_migration", "finish"],
)  # fmt: skip
def test_img_14_deletion_at_any_step_of_a_resize_leaves_nothing(cloud, point):
    server = cloud.boot()
    if "migra" in point:
        cloud.driver("host1").during_next(point, server.request_delete)
    elif point != "begin_action":
        cloud.bus.before_next(point, server.request_delete)
    ask(server, resize_to("3"))
    if point == "begin_action":
        server.request_delete()
    cloud.run_until_idle()
    cloud.advance(20)
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    cloud.assert_nothing_left()
    assert migrations_of(cloud)[0].status in (MigrationStatus.ERROR, MigrationStatus.CONFIRMED)


@pytest.mark.parametrize("body", [None, CONFIRM, REVERT])
@pytest.mark.parametrize("alive", [True, False])
def test_img_14_a_resized_server_is_deleted_with_all_that_it_holds(cloud, body, alive):
    server = resized(cloud)
    if not alive:
        cloud.crash_compute("host1")
        cloud.advance(120)
    if body is not None:
        ask(server, body)
    server.delete()
    assert cloud.usage() == {"instances": 0, "cores": 0, "ram": 0}
    assert held(cloud) == (0, 0, 0, 0)
    if not alive:
        cloud.restart_compute("host1")
        cloud.hosts["host1"].network_manager.heal()
    cloud.assert_nothing_left()


def test_img_14_fifty_resizes_that_are_deleted_leave_nothing(cloud):
    for number in range(50):
        (server,) = cloud.request_boot()
        cloud.run_until_idle()
        ask(server, resize_to("3"))
        for _ in range(number % 5):
            cloud.bus.run_one()
        server.delete()
    cloud.assert_nothing_left()
