"""What a host does for snapshots and shelving, step by step."""

import dataclasses

import pytest

from nova.exception import DriverError, ImageNotFound
from nova.objects.action_request import ActionRequest, SnapshotRequest
from nova.objects.image import Image, NewImage
from nova.objects.lifecycle import STOPPED_IMAGE, PowerState, VmState
from nova.objects.operation import OperationState
from tests.fixtures.compute import CONTEXT, LoneCompute


class ProcessDied(BaseException):
    """Nothing of the process runs after this."""


REFUSED = DriverError(operation="snapshot", reason="no")


@pytest.fixture
def compute():
    return LoneCompute()


@pytest.fixture
def server(compute):
    """Return a server that runs."""
    compute.images.add(Image(id="base", visibility="public"), b"x")
    return compute.build().detail.instance


def snapshot(compute, server, action="createImage", **request):
    """Return the work of an action that fills an image."""
    made = compute.images.create("user:demo", NewImage(name="snap"))
    work = compute.work(action, instance=server)
    wanted = ActionRequest(snapshot=SnapshotRequest(image_id=made.id, name="snap", **request))
    work = dataclasses.replace(work, operation=dataclasses.replace(work.operation, request=wanted))
    compute.ledger.works[work.operation.id] = work
    return work, made.id


@pytest.mark.parametrize(
    ("action", "steps", "event"),
    [
        (
            "createImage",
            ["image_snapshot", "image_pending_upload", "image_uploading"],
            "compute_snapshot_instance",
        ),
        (
            STOPPED_IMAGE,
            ["powering-off", "image_snapshot", "powering-on", "image_uploading"],
            "compute_snapshot_instance",
        ),
        (
            "createBackup",
            ["image_backup", "image_pending_upload", "image_uploading"],
            "compute_backup_instance",
        ),
        (
            "shelve",
            ["shelving", "shelving_image_pending_upload", "shelving_image_uploading"],
            "compute_shelve_instance",
        ),
    ],
)
def test_steps_and_events(compute, server, action, steps, event):
    before = len(compute.ledger.steps)
    work, image_id = snapshot(compute, server, action)
    compute.send(work)
    assert compute.ledger.steps[before:] == steps
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.event, result.fault) == (True, event, None)
    assert compute.images.get(None, image_id).status == "active"
    assert compute.driver._snapshots == {}


class Watched:
    """An image service that notes with which tokens it is asked."""

    def __init__(self, images):
        self.images = images
        self.tokens = []

    def __getattr__(self, name):
        def call(token, *arguments):
            self.tokens.append(token)
            return getattr(self.images, name)(token, *arguments)

        return call


def test_image_is_filled_with_the_services_own_credentials(compute, server):
    work, image_id = snapshot(compute, server, "createBackup", backup_type="daily", rotation=1)
    compute.images = Watched(compute.images)
    compute.start()
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE
    assert set(compute.images.tokens) == {None}
    assert compute.images.images.get("user:demo", image_id).owner == "demo"


# --- Of a guest that is switched off for it


def power_of(compute, server):
    return compute.driver.get_power_state(server)


def test_the_guest_is_off_for_as_long_as_its_disk_is_copied(compute, server):
    seen = []
    compute.driver.during_next("snapshot", lambda: seen.append(power_of(compute, server)))
    work, image_id = snapshot(compute, server, STOPPED_IMAGE)
    upload = compute.images.upload

    def watched(*arguments):
        seen.append(power_of(compute, server))
        upload(*arguments)

    compute.images.upload = watched
    compute.send(work)
    assert seen == [PowerState.SHUTDOWN, PowerState.RUNNING]
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.power_state) == (True, PowerState.RUNNING)
    assert compute.images.get(None, image_id).status == "active"


@pytest.mark.parametrize("operation", ["power_off", "snapshot"])
def test_a_guest_whose_disk_can_not_be_copied_is_on_again(compute, server, operation):
    work, image_id = snapshot(compute, server, STOPPED_IMAGE)
    compute.driver.fail_next(operation, REFUSED)
    compute.send(work)
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.vm_state) == (False, None)
    assert result.power_state is power_of(compute, server) is PowerState.RUNNING
    with pytest.raises(ImageNotFound):
        compute.images.get(None, image_id)


def test_a_guest_that_can_not_be_switched_on_again_is_a_stopped_one(compute, server):
    work, image_id = snapshot(compute, server, STOPPED_IMAGE)
    compute.driver.fail_next("power_on", REFUSED)
    compute.send(work)
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.vm_state) == (False, VmState.STOPPED)
    assert result.power_state is PowerState.SHUTDOWN
    with pytest.raises(ImageNotFound):
        compute.images.get(None, image_id)


@pytest.mark.parametrize("operation", ["power_off", "snapshot", "power_on"])
def test_a_guest_is_on_again_after_a_crash_in_the_middle(compute, server, operation):
    work, image_id = snapshot(compute, server, STOPPED_IMAGE)
    compute.driver.fail_next(operation, ProcessDied())
    with pytest.raises(ProcessDied):
        compute.send(work)
    compute.network.present.clear()
    compute.start()
    compute.bus.run_until_idle()
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.event) == (False, f"compute_recover_{STOPPED_IMAGE}")
    assert (result.vm_state, result.power_state) == (None, PowerState.RUNNING)
    assert power_of(compute, server) is PowerState.RUNNING
    assert compute.network.present == {server.uuid}
    assert compute.driver.list_snapshots() == set()
    with pytest.raises(ImageNotFound):
        compute.images.get(None, image_id)


def test_a_guest_that_is_being_deleted_is_not_switched_on_for_it(compute, server):
    work, _image_id = snapshot(compute, server, STOPPED_IMAGE)
    deletion = compute.work("delete", instance=server)
    compute.driver.during_next(
        "snapshot", lambda: compute.manager._operations.cancel_others(deletion.operation)
    )
    compute.send(work)
    assert power_of(compute, server) is PowerState.SHUTDOWN
    assert compute.driver.list_snapshots() == set()


def test_snapshot_that_was_failed_while_its_host_was_away_is_ended_at_the_next_start(
    compute, server
):
    work, _image_id = snapshot(compute, server)
    compute.driver.snapshot(server)
    compute.ledger.set_state(work.operation.id, OperationState.FAILED)
    compute.ledger.placed = (server,)
    compute.start()
    compute.bus.run_until_idle()
    assert compute.driver.list_snapshots() == set()
    assert compute.driver.get_power_state(server) is PowerState.RUNNING


def test_snapshot_of_a_server_of_another_host_is_left_to_the_removal_of_its_guest(compute, server):
    compute.driver.snapshot(server)
    compute.start()
    compute.bus.run_until_idle()
    assert compute.driver.list_snapshots() == {server.uuid}


def test_shelving_again_after_a_crash_uses_the_image_that_is_there(compute, server):
    work, image_id = snapshot(compute, server, "shelve")
    compute.send(work)
    compute.ledger.set_state(work.operation.id, OperationState.RUNNING)
    copies = [call for call in compute.driver.calls if call[0] == "snapshot"]
    compute.start()
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE
    assert [call for call in compute.driver.calls if call[0] == "snapshot"] == copies
    assert compute.images.get(None, image_id).status == "active"


@pytest.mark.parametrize(
    ("vm_state", "action", "after"),
    [
        (VmState.ACTIVE, None, (None, PowerState.RUNNING)),
        (VmState.PAUSED, "pause", (VmState.STOPPED, PowerState.SHUTDOWN)),
        (VmState.SUSPENDED, "suspend", (None, PowerState.SHUTDOWN)),
    ],
)
def test_failed_shelving_tells_what_became_of_the_guest(compute, server, vm_state, action, after):
    if action is not None:
        getattr(compute.driver, action)(server)
    server = dataclasses.replace(server, vm_state=vm_state)
    work, _image_id = snapshot(compute, server, "shelve")
    compute.driver.fail_next("snapshot", REFUSED)
    compute.send(work)
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.vm_state, result.power_state) == (False, *after)


def test_offload_is_repeated_until_it_succeeds(compute, server):
    work = compute.work("shelveOffload", instance=server)
    compute.driver.fail_next("destroy", REFUSED)
    compute.send(work)
    assert compute.state(work) is OperationState.RUNNING
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()


def test_unshelved_server_is_built_from_its_image_with_its_own_flavor(compute, server):
    compute.driver.destroy(server)
    compute.images.add(Image(id="shelved", owner="demo"), b"x")
    offloaded = dataclasses.replace(
        server, vm_state=VmState.SHELVED_OFFLOADED, shelved_image_id="shelved"
    )
    before = len(compute.ledger.steps)
    compute.send(compute.work("unshelve", instance=offloaded))
    guest = compute.driver.guests[server.uuid]
    assert (guest.image_id, guest.root_gb) == ("shelved", server.flavor.disk_gb)
    assert compute.ledger.steps[before:] == ["unshelving", "spawning"]
    assert compute.images._images.keys() == {"base"}
