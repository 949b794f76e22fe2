"""Rebuilds: what changes, what stays, and how they end."""

import base64

import pytest

from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import get_admin_context
from nova.exception import DriverError, ImageCorrupt
from nova.objects.image import Image
from nova.objects.lifecycle import PowerState
from nova.objects.migration import MigrationStatus
from tests.fixtures.changes import (
    OTHER_IMAGE,
    add_choices,
    ask,
    carry_out,
    held,
    migrations_of,
    rebuild_with,
    resize_to,
)

REFUSED = DriverError(operation="define", reason="no")
SMALL = (1, 512, 2, 1)


@pytest.fixture
def cloud(new_cloud):
    return add_choices(new_cloud(hosts=1))


def guest(server):
    return server.cloud.driver(server.instance().host).guests[server.uuid]


def add_image(cloud, number, **fields):
    image_id = f"{number}0000000-0000-4000-8000-000000000000"
    cloud.images.add(Image(id=image_id, visibility="public", **fields), b"x")
    return image_id


def test_rebuild_makes_the_guest_anew_in_its_place(cloud):
    server = cloud.boot()
    before = server.instance()
    carry_out(server, rebuild_with())
    after = server.instance()
    assert (server.status, after.task_state, after.image_ref) == ("ACTIVE", None, OTHER_IMAGE)
    assert guest(server).image_id == OTHER_IMAGE
    assert (after.id, after.host, after.vifs) == (before.id, before.host, before.vifs)
    assert len(cloud.dhcp_lines()) == 1
    assert server.actions()[0].action == "rebuild"


def test_rebuild_shows_its_steps(cloud):
    server, seen = cloud.boot(), []
    cloud.driver("host1").during_next("rebuild", lambda: seen.append(server.status))
    answer = ask(server, rebuild_with())
    assert answer.json["server"]["status"] == "REBUILD"
    cloud.run_until_idle()
    assert seen == ["REBUILD"]


def test_a_stopped_server_stays_stopped(cloud):
    server = cloud.boot()
    server.act({"os-stop": None})
    carry_out(server, rebuild_with())
    assert (server.status, guest(server).power_state) == ("SHUTOFF", PowerState.SHUTDOWN)
    assert guest(server).image_id == OTHER_IMAGE


def test_md_11_the_config_drive_is_made_anew_with_the_new_password_and_files(cloud):
    server = cloud.boot(config_drive=True)
    contents = base64.b64encode(b"hello").decode()
    body = rebuild_with(
        name="second",
        adminPass="0pen-sesame",
        metadata={"role": "db"},
        personality=[{"path": "/etc/motd", "contents": contents}],
    )
    answer = carry_out(server, body)
    assert answer.json["server"]["adminPass"] == "0pen-sesame"
    files = guest(server).config_drive
    text = b"".join(files.values())
    assert b"0pen-sesame" in text
    assert server.admin_password.encode() not in text
    assert b"hello" in text
    assert b'"role": "db"' in files["openstack/latest/meta_data.json"]
    assert b"second" in files["openstack/latest/meta_data.json"]


def test_a_lost_password_ends_a_rebuild_with_config_drive_before_it_touches_the_guest(cloud):
    server = cloud.boot(config_drive=True)
    cloud.bus.drop_next("run_operation")
    carry_out(server, rebuild_with())
    cloud.advance(20)
    assert server.status == "ERROR"
    assert "password" in server.show()["fault"]["message"]
    assert guest(server).image_id == cloud.image_id
    carry_out(server, rebuild_with())
    assert server.status == "ACTIVE"


# --- Crashes and failures ---------------------------------------------------------------------


def test_a_crash_during_a_rebuild_leaves_the_server_in_error_and_it_may_be_rebuilt(cloud):
    server = cloud.boot()
    cloud.crash_compute_during("host1", "rebuild")
    carry_out(server, rebuild_with())
    assert server.status == "REBUILD"
    cloud.restart_compute("host1")
    assert server.status == "ERROR"
    assert "restarted" in server.show()["fault"]["message"]
    assert server.actions()[0].events[0].event == "compute_recover_rebuild"
    carry_out(server, rebuild_with())
    assert (server.status, guest(server).power_state) == ("ACTIVE", PowerState.RUNNING)
    server.delete()
    cloud.assert_nothing_left()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (REFUSED, "The server could not be rebuilt."),
        (ImageCorrupt(image_id=OTHER_IMAGE, algorithm="sha512"), "checksum"),
    ],
)
def test_a_rebuild_that_fails_leaves_the_server_in_error(cloud, error, words):
    server = cloud.boot()
    cloud.driver("host1").fail_next("rebuild", error)
    carry_out(server, rebuild_with())
    assert server.status == "ERROR"
    assert words in server.show()["fault"]["message"]
    assert held(cloud) == SMALL


@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "progress", "finish"])
def test_a_rebuild_ends_whatever_happens_to_its_messages(cloud, fault, message):
    server = cloud.boot()
    getattr(cloud.bus, fault)(message)
    carry_out(server, rebuild_with())
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert guest(server).image_id == OTHER_IMAGE


@pytest.mark.parametrize("point", ["run_operation", "start", "progress", "rebuild", "finish"])
def test_deletion_at_any_step_of_a_rebuild_leaves_nothing(cloud, point):
    server = cloud.boot()
    if point == "rebuild":
        cloud.driver("host1").during_next(point, server.request_delete)
    else:
        cloud.bus.before_next(point, server.request_delete)
    ask(server, rebuild_with())
    cloud.run_until_idle()
    cloud.advance(20)
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    cloud.assert_nothing_left()


# --- Placement and limits ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "properties",
    [
        {"hw_architecture": "ppc64"},
        {"img_hv_type": "xen"},
        {"img_hv_requested_version": "<0.5"},
    ],
)
def test_in_11_an_image_that_the_host_does_not_suit_is_refused(cloud, properties):
    server = cloud.boot()
    foreign = add_image(cloud, 3, properties=properties)
    answer = ask(server, rebuild_with(foreign))
    assert answer.status_int == 400
    assert "No valid host was found" in answer.json["badRequest"]["message"]
    assert (server.status, server.instance().image_ref) == ("ACTIVE", cloud.image_id)
    assert server.actions()[0].action == "create"


def test_in_11_the_architecture_that_images_are_taken_for_counts(new_cloud):
    cloud = add_choices(new_cloud(hosts=1, conductor_settings={"default_architecture": "ppc64"}))
    server = cloud.boot()
    assert ask(server, rebuild_with()).status_int == 400
    assert ask(server, rebuild_with(cloud.image_id)).status_int == 202


def test_in_11_a_hundred_rebuilds_leave_claims_and_quota_unchanged(cloud):
    server = cloud.boot()
    usage = cloud.usage()
    for number in range(100):
        carry_out(server, rebuild_with(OTHER_IMAGE if number % 2 else cloud.image_id))
    assert (held(cloud), cloud.usage()) == (SMALL, usage)
    assert server.status == "ACTIVE"


@pytest.mark.parametrize(
    "fields",
    [{"min_ram_mb": 513}, {"min_disk_gb": 3}, {"size_bytes": 3 * 1024**3}, {"status": "queued"}],
)
def test_an_image_that_the_flavor_does_not_suit_is_refused(cloud, fields):
    server = cloud.boot()
    assert ask(server, rebuild_with(add_image(cloud, 4, **fields))).status_int == 400
    assert server.instance().image_ref == cloud.image_id


def test_img_17_an_image_of_somebody_else_is_refused(cloud):
    server = cloud.boot()
    foreign = "50000000-0000-4000-8000-000000000000"
    cloud.images.add(Image(id=foreign, owner="d" * 32), b"secret")
    assert ask(server, rebuild_with(foreign)).status_int == 400


def test_in_09_metadata_and_files_beyond_the_quota_are_refused(new_cloud):
    quotas = {"metadata_items": 1, "injected_files": 0}
    cloud = add_choices(new_cloud(hosts=1, quotas=quotas))
    server = cloud.boot()
    file = {"path": "/x", "contents": ""}
    assert ask(server, rebuild_with(metadata={"a": "1", "b": "2"})).status_int == 403
    assert ask(server, rebuild_with(personality=[file])).status_int == 403
    assert ask(server, rebuild_with(metadata={"a": "1"})).status_int == 202


def test_a_resize_that_was_never_ended_is_ended_by_a_rebuild(cloud):
    server = cloud.boot()
    carry_out(server, resize_to("3"))
    admin = cloud.rest.as_admin()
    body = {"os-resetState": {"state": "active"}}
    assert admin.post(f"/servers/{server.uuid}/action", body).status_int == 202
    assert ask(server, resize_to("2")).status_int == 409
    carry_out(server, rebuild_with())
    assert held(cloud) == (2, 1024, 4, 1)
    assert (cloud.usage()["cores"], guest(server).aside_gb) == (2, None)
    assert migrations_of(cloud)[0].status is MigrationStatus.CONFIRMED


def test_networks_of_a_rebuilt_server_are_ready_again(cloud):
    server = cloud.boot()
    networks = cloud.bus.client(ConductorNetworks).anyone()
    (network,) = networks.list_networks(get_admin_context())
    cloud.hosts["host1"].network.servers.clear()
    assert cloud.dhcp_lines() == []
    carry_out(server, rebuild_with())
    assert len(cloud.dhcp_lines()) == 1
    assert network.label in server.show()["addresses"]
