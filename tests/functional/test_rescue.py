"""Rescue and unrescue, whatever happens in between."""

import pytest

from nova.exception import DriverError, ImageNotFound
from nova.objects.image import Image
from nova.objects.lifecycle import PowerState
from tests.fixtures.changes import OTHER_IMAGE, add_choices, ask, carry_out

REFUSED = DriverError(operation="start", reason="no")
UNRESCUE = {"unrescue": None}


@pytest.fixture
def cloud(new_cloud):
    return add_choices(new_cloud(hosts=1))


def guest(server):
    return server.cloud.driver(server.instance().host).guests[server.uuid]


def rescue_with(image=None, **more):
    wanted = more if image is None else {"rescue_image_ref": image, **more}
    return {"rescue": wanted or None}


@pytest.mark.parametrize("image", [None, OTHER_IMAGE])
def test_a_server_is_rescued_and_comes_back(cloud, image):
    server = cloud.boot()
    answer = carry_out(server, rescue_with(image))
    assert answer.status_int == 200
    assert len(answer.json["adminPass"]) == 12
    assert (server.status, server.instance().task_state) == ("RESCUE", None)
    assert guest(server).rescue_image_id == (image or cloud.image_id)
    assert guest(server).image_id == cloud.image_id
    assert carry_out(server, UNRESCUE).status_int == 202
    assert server.status == "ACTIVE"
    assert guest(server).rescue_image_id is None
    names = [record.action for record in server.actions()]
    assert names == ["unrescue", "rescue", "create"]


def test_a_stopped_server_can_be_rescued(cloud):
    server = cloud.boot()
    server.act({"os-stop": None})
    carry_out(server, rescue_with())
    assert (server.status, guest(server).power_state) == ("RESCUE", PowerState.RUNNING)


def test_launched_at_is_the_time_of_the_rescue(cloud):
    server = cloud.boot()
    before = server.instance().launched_at
    cloud.advance(30)
    carry_out(server, rescue_with())
    assert server.instance().launched_at > before


def test_the_password_is_that_of_the_request(cloud):
    answer = carry_out(cloud.boot(), rescue_with(adminPass="0pen-sesame"))
    assert answer.json == {"adminPass": "0pen-sesame"}


@pytest.mark.parametrize("image", ["not-a-uuid", "60000000-0000-4000-8000-000000000000"])
def test_an_image_that_does_not_exist_is_refused(cloud, image):
    server = cloud.boot()
    assert ask(server, rescue_with(image)).status_int == 400
    assert server.status == "ACTIVE"


def test_img_17_an_image_of_somebody_else_is_refused(cloud):
    foreign = "50000000-0000-4000-8000-000000000000"
    cloud.images.add(Image(id=foreign, owner="d" * 32), b"secret")
    assert ask(cloud.boot(), rescue_with(foreign)).status_int == 400


@pytest.mark.parametrize("body", [rescue_with(), UNRESCUE])
def test_other_states_are_refused(cloud, body):
    server = cloud.boot()
    if "rescue" in body:
        server.act({"pause": None})
    assert ask(server, body).status_int == 409


# --- Interruptions ----------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "status"), [(rescue_with(), "RESCUE"), (UNRESCUE, "ACTIVE")])
def test_each_goes_on_after_the_restart_of_compute(cloud, body, status):
    server = cloud.boot()
    if "unrescue" in body:
        carry_out(server, rescue_with())
    cloud.crash_compute_during("host1", next(iter(body)))
    carry_out(server, body)
    assert server.instance().task_state is not None
    cloud.restart_compute("host1")
    assert (server.status, server.instance().task_state) == (status, None)
    assert (guest(server).rescue_image_id is not None) == (status == "RESCUE")


@pytest.mark.parametrize(("body", "status"), [(rescue_with(), "RESCUE"), (UNRESCUE, "ACTIVE")])
@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "finish"])
def test_each_ends_whatever_happens_to_its_messages(cloud, body, status, fault, message):
    server = cloud.boot()
    if "unrescue" in body:
        carry_out(server, rescue_with())
    getattr(cloud.bus, fault)(message)
    carry_out(server, body)
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, server.instance().task_state) == (status, None)


def test_a_late_rescue_does_not_come_after_the_unrescue(cloud):
    server = cloud.boot()
    cloud.bus.delay_next("run_operation")
    carry_out(server, rescue_with())
    cloud.advance(20)
    carry_out(server, UNRESCUE)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert (server.status, guest(server).rescue_image_id) == ("ACTIVE", None)


def test_a_rescue_whose_password_is_lost_leaves_the_server_as_it_was(cloud):
    server = cloud.boot(config_drive=True)
    cloud.bus.drop_next("run_operation")
    carry_out(server, rescue_with())
    cloud.advance(20)
    assert (server.status, guest(server).power_state) == ("ACTIVE", PowerState.RUNNING)
    assert server.actions()[0].message == "Error"
    assert "password" in server.actions()[0].events[0].details


@pytest.mark.parametrize("error", [REFUSED, ImageNotFound(image_id=OTHER_IMAGE)])
def test_a_rescue_that_fails_leaves_the_guest_running_from_its_own_disk(cloud, error):
    server = cloud.boot()
    driver = cloud.driver("host1")
    driver.during_next("rescue", lambda: switch_off(server))
    driver.fail_next("rescue", error)
    carry_out(server, rescue_with(OTHER_IMAGE))
    assert (server.status, guest(server).power_state) == ("ACTIVE", PowerState.RUNNING)
    assert guest(server).rescue_image_id is None
    assert server.actions()[0].message == "Error"


def switch_off(server):
    guest(server).power_state = PowerState.SHUTDOWN


# --- Leftovers --------------------------------------------------------------------------------


@pytest.mark.parametrize("crash", [False, True])
def test_img_15_deletion_of_a_rescued_server_leaves_nothing(cloud, crash):
    server = cloud.boot()
    if crash:
        cloud.crash_compute_during("host1", "rescue")
    carry_out(server, rescue_with(OTHER_IMAGE))
    if crash:
        cloud.restart_compute("host1")
    server.delete()
    cloud.assert_nothing_left()


def test_img_15_deletion_during_a_rescue_leaves_nothing(cloud):
    server = cloud.boot()
    cloud.driver("host1").during_next("rescue", server.request_delete)
    carry_out(server, rescue_with(OTHER_IMAGE))
    cloud.advance(20)
    cloud.assert_nothing_left()


def test_img_15_a_rescued_server_can_not_be_suspended(cloud):
    server = cloud.boot()
    carry_out(server, rescue_with())
    assert ask(server, {"suspend": None}).status_int == 409
