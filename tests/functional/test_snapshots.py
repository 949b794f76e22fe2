"""Images and backups of servers, end to end; a crash leaves an image whole or none."""

import os

import pytest

from nova.exception import DriverError, ImageServiceUnavailable
from nova.objects.image import Image, ImageQuery
from nova.objects.lifecycle import PowerState
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

OWNER, STRANGER = f"alice:{PROJECT}", f"bob:{OTHER_PROJECT}"
REFUSED = DriverError(operation="snapshot", reason="no")
IMAGE = {"createImage": {"name": "snap"}}


def backup(name="backup", kind="daily", rotation=2, **more):
    return {"createBackup": {"name": name, "backup_type": kind, "rotation": rotation, **more}}


def ask(server, body, version="2.45"):
    """Ask for an image; nothing has run yet."""
    answer = server.cloud.rest.at(version).post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == 202, answer.text
    return answer.json["image_id"]


def make(server, body=IMAGE):
    image_id = ask(server, body)
    server.cloud.run_until_idle()
    return image_id


def made_images(cloud):
    """Return the images besides the one that servers are booted from, oldest first."""
    found = cloud.images.page(None, ImageQuery())
    return [image for image in reversed(found) if image.id != IMAGE_ID]


def guest(server):
    return server.cloud.driver(server.instance().host).guests[server.uuid]


def last_action(server):
    return server.actions()[0]


def assert_failed(server, word="compute_"):
    """Check that the action failed and the server is as it was before."""
    action = last_action(server)
    assert (action.message, action.events[0].result) == ("Error", "Error")
    assert action.events[0].event.startswith(word)
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert server.instance().fault is None
    assert guest(server).power_state is PowerState.RUNNING


def test_image_has_the_contents_of_the_disk_and_belongs_to_the_user(cloud):
    server = cloud.boot()
    guest(server).contents = b"what the guest wrote"
    image_id = make(server, {"createImage": {"name": "snap", "metadata": {"purpose": "test"}}})
    image = cloud.images.get(OWNER, image_id)
    assert (image.name, image.status, image.owner) == ("snap", "active", PROJECT)
    assert (image.visibility, image.disk_format, image.container_format) == (
        "private",
        "raw",
        "bare",
    )
    assert image.size_bytes == len(b"what the guest wrote")
    assert image.min_disk_gb == server.instance().flavor.root_gb
    written = image.properties
    assert (written["image_type"], written["instance_uuid"]) == ("snapshot", server.uuid)
    assert (written["base_image_ref"], written["user_id"]) == (IMAGE_ID, "alice")
    assert (written["owner_id"], written["purpose"]) == (PROJECT, "test")
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert last_action(server).action == "createImage"


def test_img_17_snapshots_are_private(cloud):
    server = cloud.boot()
    image_id = make(server)
    stranger = cloud.api("bob", OTHER_PROJECT).at("2.1")
    assert stranger.get(f"/images/{image_id}").status_int == 404
    assert stranger.delete(f"/images/{image_id}").status_int == 404
    assert stranger.get(f"/images/{image_id}/metadata").status_int == 404
    assert image_id not in stranger.get("/images").text
    body = {"server": {"name": "x", "flavorRef": "2", "imageRef": image_id, "networks": "auto"}}
    assert stranger.at("2.37").post("/servers", body).status_int == 400
    action = stranger.post(f"/servers/{server.uuid}/action", IMAGE)
    assert action.status_int == 404
    assert [image.id for image in made_images(cloud)] == [image_id]


def test_properties_are_inherited_but_those_of_the_making(cloud):
    base = {
        "hw_disk_bus": "scsi",
        "cache_in_nova": "True",
        "bittorrent": "True",
        "img_signature": "x",
        "img_signature_key_type": "x",
        "image_type": "backup",
        "backup_type": "weekly",
        "instance_uuid": "another",
        "os_glance_failed_import": "x",
    }
    image = Image(
        id="22222222-2222-4333-8444-555555555555",
        name="base",
        disk_format="qcow2",
        visibility="public",
        min_ram_mb=100,
        min_disk_gb=1,
        properties=base,
    )
    cloud.images.add(image, b"image")
    server = cloud.boot(imageRef=image.id)
    made = cloud.images.get(OWNER, make(server))
    assert made.properties["hw_disk_bus"] == "scsi"
    assert (made.min_ram_mb, made.min_disk_gb) == (100, 2)
    assert made.properties["image_type"] == "snapshot"
    assert made.properties["instance_uuid"] == server.uuid
    gone = {"cache_in_nova", "bittorrent", "img_signature", "img_signature_key_type"}
    gone |= {"backup_type", "os_glance_failed_import"}
    assert made.properties.keys() & gone == set()


@pytest.mark.parametrize("name", ["visibility", "owner", "status"])
def test_img_17_metadata_can_not_make_a_snapshot_public(cloud, name):
    server = cloud.boot()
    body = {"createImage": {"name": "snap", "metadata": {name: "public"}}}
    answer = cloud.rest.post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == 400
    assert made_images(cloud) == []


def test_metadata_can_not_say_that_the_image_is_of_another_server(cloud):
    server = cloud.boot()
    forged = {"instance_uuid": "another", "image_type": "backup"}
    made = cloud.images.get(
        OWNER, make(server, {"createImage": {"name": "snap", "metadata": forged}})
    )
    assert made.properties["instance_uuid"] == server.uuid
    assert made.properties["image_type"] == "snapshot"


@pytest.mark.parametrize("version", ["2.1", "2.44"])
def test_old_versions_answer_with_a_location(cloud, version):
    server = cloud.boot()
    rest = cloud.rest.at(version)
    answer = rest.post(f"/servers/{server.uuid}/action", IMAGE)
    (image,) = made_images(cloud)
    assert (answer.status_int, answer.body) == (202, b"")
    assert answer.location.endswith(f"/images/{image.id}")
    cloud.run_until_idle()
    for rotation, shown in ((0, False), (1, True)):
        answer = rest.post(f"/servers/{server.uuid}/action", backup(rotation=rotation))
        cloud.run_until_idle()
        assert ("Location" in answer.headers) is shown


@pytest.mark.parametrize("body", [{"os-stop": None}, {"pause": None}, {"suspend": None}])
def test_state_of_the_server_stays(cloud, body):
    server = cloud.boot()
    server.act(body)
    before = (server.status, guest(server).power_state)
    image_id = make(server)
    assert (server.status, guest(server).power_state) == before
    assert cloud.images.get(OWNER, image_id).status == "active"


def test_second_request_meanwhile_is_refused_and_makes_no_image(cloud):
    server = cloud.boot()
    first = ask(server, IMAGE)
    for body in (IMAGE, backup(), {"shelve": None}):
        answer = cloud.rest.post(f"/servers/{server.uuid}/action", body)
        assert answer.status_int == 409
    cloud.run_until_idle()
    assert [image.id for image in made_images(cloud)] == [first]


def test_server_without_host_is_refused(new_cloud):
    cloud = new_cloud(hosts=0)
    server = cloud.boot()
    assert cloud.rest.post(f"/servers/{server.uuid}/action", IMAGE).status_int == 409
    assert made_images(cloud) == []


@pytest.mark.parametrize("body", [IMAGE, backup(rotation=1)])
def test_locked_server_gets_its_image(cloud, body):
    server = cloud.boot()
    server.act({"lock": None})
    assert cloud.images.get(OWNER, make(server, body)).status == "active"


def test_metadata_beyond_the_quota_is_refused_where_it_counts(new_cloud):
    cloud = new_cloud(quotas={"metadata_items": 1})
    server = cloud.boot()
    metadata = {"a": "1", "b": "2"}
    path = f"/servers/{server.uuid}/action"
    for body in (
        {"createImage": {"name": "snap", "metadata": metadata}},
        backup(metadata=metadata),
    ):
        assert cloud.rest.at("2.38").post(path, body).status_int == 403
        assert made_images(cloud) == []
    for body in (
        {"createImage": {"name": "snap", "metadata": metadata}},
        backup(metadata=metadata),
    ):
        assert cloud.rest.at("2.39").post(path, body).status_int == 202
        cloud.run_until_idle()
    assert all(image.properties["b"] == "2" for image in made_images(cloud))


def test_one_call_to_the_conductor_before_and_one_after_the_image_is_made(cloud):
    server = cloud.boot()
    cloud.bus.run_until_idle()
    calls = []
    for method in ("get", "begin_action"):
        cloud.bus.before_next(method, lambda name=method: calls.append(name))
    ask(server, IMAGE)
    assert calls == ["get", "begin_action"]


# --- Failures


@pytest.mark.parametrize("body", [IMAGE, backup()])
def test_snapshot_that_fails_leaves_no_image(cloud, body):
    server = cloud.boot()
    cloud.driver(server.instance().host).fail_next("snapshot", REFUSED)
    make(server, body)
    assert made_images(cloud) == []
    assert_failed(server)


class Failing:
    """An image service whose uploads fail."""

    def __init__(self, images, error):
        self._images = images
        self._error = error

    def __getattr__(self, name):
        return getattr(self._images, name)

    def upload(self, token, image_id, path):
        assert os.path.exists(path)
        raise self._error


@pytest.mark.parametrize("body", [IMAGE, backup()])
def test_upload_that_fails_leaves_no_image_and_no_file(cloud, body):
    server = cloud.boot()
    host = server.instance().host
    images, cloud.images = (
        cloud.images,
        Failing(cloud.images, ImageServiceUnavailable(reason="full")),
    )
    cloud.restart_compute(host)
    ask(server, body)
    cloud.run_until_idle()
    cloud.images = images
    assert made_images(cloud) == []
    assert cloud.driver(host)._snapshots == {}
    assert_failed(server)
    assert "image service" in last_action(server).events[0].details


def test_image_that_the_user_deletes_meanwhile_fails_the_action(cloud):
    server = cloud.boot()
    image_id = ask(server, IMAGE)
    cloud.images.delete(OWNER, image_id)
    cloud.run_until_idle()
    assert_failed(server)
    assert "deleted meanwhile" in last_action(server).events[0].details


def test_quiesce_that_is_required_and_fails_makes_no_image(cloud):
    image = Image(
        id="22222222-2222-4333-8444-555555555555",
        disk_format="qcow2",
        visibility="public",
        properties={"os_require_quiesce": "yes", "hw_qemu_guest_agent": "yes"},
    )
    cloud.images.add(image, b"image")
    server = cloud.boot(imageRef=image.id)
    guest(server).has_agent = False
    make(server)
    assert [found.id for found in made_images(cloud)] == [image.id]
    assert_failed(server)
    assert "quiesced" in last_action(server).events[0].details
    guest(server).has_agent = True
    assert cloud.images.get(OWNER, make(server)).status == "active"


def test_quiesce_without_an_agent_is_refused_at_once(cloud):
    image = Image(
        id="22222222-2222-4333-8444-555555555555",
        disk_format="qcow2",
        visibility="public",
        properties={"os_require_quiesce": "yes"},
    )
    cloud.images.add(image, b"image")
    server = cloud.boot(imageRef=image.id)
    assert cloud.rest.post(f"/servers/{server.uuid}/action", IMAGE).status_int == 409
    server.act({"os-stop": None})
    assert cloud.images.get(OWNER, make(server)).status == "active"


# --- Crashes


@pytest.mark.parametrize("body", [IMAGE, backup()])
def test_crash_during_the_copy_leaves_no_image(cloud, body):
    server = cloud.boot()
    host = server.instance().host
    cloud.crash_compute_during(host, "snapshot")
    make(server, body)
    assert server.instance().task_state is not None
    cloud.restart_compute(host)
    assert made_images(cloud) == []
    assert_failed(server, "compute_recover_")
    assert cloud.images.get(OWNER, make(server, body)).status == "active"


@pytest.mark.parametrize("body", [IMAGE, backup()])
@pytest.mark.parametrize("jobs", range(12))
def test_crash_after_any_number_of_jobs_leaves_an_image_whole_or_none(cloud, body, jobs):
    server = cloud.boot()
    host = server.instance().host
    ask(server, body)
    for _ in range(jobs):
        cloud.bus.run_one()
    cloud.crash_compute(host)
    cloud.run_until_idle()
    cloud.restart_compute(host)
    cloud.advance(20)
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    done = last_action(server).message is None
    assert [image.status for image in made_images(cloud)] == (["active"] if done else [])


@pytest.mark.parametrize("body", [IMAGE, backup()])
@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "progress", "finish"])
def test_image_is_made_whatever_happens_to_messages(cloud, body, fault, message):
    server = cloud.boot()
    getattr(cloud.bus, fault)(message)
    image_id = ask(server, body)
    cloud.run_until_idle()
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert [image.id for image in made_images(cloud)] == [image_id]
    assert cloud.images.get(OWNER, image_id).status == "active"
    copies = [call for call in cloud.driver(server.instance().host).calls if call[0] == "snapshot"]
    assert len(copies) == 1


@pytest.mark.parametrize("point", ["run_operation", "start", "progress", "snapshot", "finish"])
def test_delete_at_any_step_of_a_snapshot_leaves_no_half_image(cloud, point):
    server = cloud.boot()
    if point == "snapshot":
        cloud.driver(server.instance().host).during_next("snapshot", server.request_delete)
    else:
        cloud.bus.before_next(point, server.request_delete)
    ask(server, IMAGE)
    cloud.run_until_idle()
    cloud.advance(20)
    assert [image.status for image in made_images(cloud)] in ([], ["active"])
    cloud.assert_nothing_left()


# --- Rotation


def names(cloud):
    return [image.name for image in made_images(cloud)]


def take_backups(cloud, server, *wishes):
    for name, kind, rotation in wishes:
        make(server, backup(name, kind, rotation))
        cloud.advance(10)


def test_newest_backups_of_a_type_stay(cloud):
    server = cloud.boot()
    make(server, {"createImage": {"name": "snap"}})
    take_backups(cloud, server, ("w1", "weekly", 1), ("d1", "daily", 2), ("d2", "daily", 2))
    take_backups(cloud, server, ("d3", "daily", 2), ("d4", "daily", 2))
    assert names(cloud) == ["snap", "w1", "d3", "d4"]
    found = cloud.images.get(OWNER, made_images(cloud)[-1].id).properties
    assert (found["image_type"], found["backup_type"]) == ("backup", "daily")


def test_rotation_0_keeps_none(cloud):
    server = cloud.boot()
    take_backups(cloud, server, ("d1", "daily", 3), ("w1", "weekly", 3), ("d2", "daily", 0))
    assert names(cloud) == ["w1"]
    assert last_action(server).message is None


def test_backups_of_other_servers_stay(cloud):
    first, second = cloud.boot(), cloud.boot()
    take_backups(cloud, first, ("f1", "daily", 1))
    take_backups(cloud, second, ("s1", "daily", 1), ("s2", "daily", 1))
    assert names(cloud) == ["f1", "s2"]


def test_img_17_images_of_others_neither_count_nor_go(cloud):
    server = cloud.boot()
    forged = {"image_type": "backup", "backup_type": "daily", "instance_uuid": server.uuid}
    for number in range(3):
        image = Image(
            id=f"33333333-2222-4333-8444-55555555555{number}",
            name=f"forged{number}",
            owner=OTHER_PROJECT,
            visibility="public",
            properties=forged,
        )
        cloud.images.add(image, b"x")
    cloud.advance(10)
    take_backups(cloud, server, ("d1", "daily", 2), ("d2", "daily", 2))
    cloud.images.add(image, b"x")
    take_backups(cloud, server, ("d3", "daily", 2))
    kept = [name for name in names(cloud) if name.startswith("d")]
    assert kept == ["d2", "d3"]
    assert sorted(set(names(cloud)) - set(kept)) == ["forged0", "forged1", "forged2"]


def test_failed_backup_costs_no_older_one(cloud):
    server = cloud.boot()
    take_backups(cloud, server, ("d1", "daily", 1))
    cloud.driver(server.instance().host).fail_next("snapshot", REFUSED)
    take_backups(cloud, server, ("d2", "daily", 1))
    assert names(cloud) == ["d1"]


def test_result_that_is_delivered_late_rotates_then(cloud):
    server = cloud.boot()
    take_backups(cloud, server, ("d1", "daily", 1))
    host = server.instance().host
    ask(server, backup("d2", "daily", 1))
    cloud.driver(host).during_next("snapshot", cloud.stop_conductor)
    cloud.run_until_idle()
    assert names(cloud) == ["d1", "d2"]
    cloud.start_conductor()
    cloud.pull()
    assert names(cloud) == ["d2"]


# --- A host that does not come back, or late ----------------------------------------------


def interrupted(cloud, body=IMAGE):
    """Return a server whose host died while it made an image."""
    server = cloud.boot()
    cloud.crash_compute_during(server.instance().host, "snapshot")
    server.act(body)
    assert [image.status for image in made_images(cloud)] == ["queued"]
    return server


def reset(server):
    path, body = f"/servers/{server.uuid}/action", {"os-resetState": {"state": "active"}}
    assert server.cloud.rest.as_admin().post(path, body).status_int == 202


ENDS = {
    "reconciled": lambda server: server.cloud.advance(8000),
    "resetState": reset,
    "deleted": lambda server: (server.cloud.advance(90), server.act({"forceDelete": None})),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "body", [IMAGE, backup(), {"shelve": None}], ids=["image", "backup", "shelve"]
)
def test_image_of_a_host_that_never_comes_back_is_deleted_by_another(new_cloud, body, end):
    cloud = new_cloud(hosts=2)
    server = interrupted(cloud, body)
    ENDS[end](server)
    cloud.run_until_idle()
    assert made_images(cloud) == []


def test_image_of_the_only_host_is_deleted_when_it_comes_back(new_cloud):
    cloud = new_cloud(hosts=1)
    server = interrupted(cloud)
    cloud.advance(8000)
    assert [image.status for image in made_images(cloud)] == ["queued"]
    cloud.restart_compute(server.instance().host)
    assert made_images(cloud) == []
    assert_failed(server, "conductor_reconcile")
