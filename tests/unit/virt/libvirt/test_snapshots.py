"""Snapshots; QEMU's part is played by the lively host, qemu-img's by a stand-in."""

import os
import stat

import pytest

from nova import exception
from nova.objects.lifecycle import PowerState
from nova.privileged.disk_copies import DISK_COPY
from nova.virt.libvirt.snapshots import DIRECTORY

AGENT = {"hw_qemu_guest_agent": "yes"}


@pytest.fixture
def driver(libvirt_case):
    return libvirt_case.driver


@pytest.fixture
def host(libvirt_case):
    return libvirt_case.host


@pytest.fixture
def spawned(libvirt_case, host):
    """Give a function that makes a running guest whose disk lies over its base image."""

    def spawn(**changes):
        detail = libvirt_case.detail(**changes)
        libvirt_case.driver.spawn(detail, None)
        [base] = [
            name
            for name in os.listdir(libvirt_case.driver._cache.directory)
            if not name.endswith(".used")
        ]
        host.backing = os.path.join(libvirt_case.driver._cache.directory, base)
        host.calls.clear()
        return detail.instance

    return spawn


def files(libvirt_case, instance):
    """Return what is left of a snapshot: a copy beside the disk, directories of results."""
    own = os.listdir(libvirt_case.disks.directory(instance.uuid))
    results = os.path.join(libvirt_case.root, DIRECTORY)
    return [name for name in own if name == DISK_COPY], (
        os.listdir(results) if os.path.isdir(results) else []
    )


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_img_06_copy_and_result_are_made_with_formats_given(
    driver, host, spawned, disk_programs, libvirt_case
):
    instance = spawned()
    before = len(disk_programs.calls)
    snapshot = driver.snapshot(instance)
    assert host.calls == ["copy shallow", "end copy"]
    overlay, convert = disk_programs.calls[before:]
    assert overlay[1] == "create" and overlay[overlay.index("-b") + 1] == host.backing
    assert convert[:6] == ["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2"]
    assert convert[-1] == snapshot.path
    assert files(libvirt_case, instance) == ([], [instance.uuid])


def test_img_16_result_is_in_a_directory_of_the_service_alone(driver, spawned):
    path = driver.snapshot(spawned()).path
    assert mode(path) == 0o600
    assert mode(os.path.dirname(path)) == 0o700


def test_disk_that_stands_alone_is_copied_whole(driver, host, spawned, disk_programs):
    instance = spawned()
    host.backing = None
    before = len(disk_programs.calls)
    driver.snapshot(instance)
    assert host.calls == ["copy full", "end copy"]
    assert "-b" not in disk_programs.calls[before]


@pytest.mark.parametrize(
    ("path", "disk_format"), [("/etc/shadow", "raw"), (None, "qcow2"), ("{0}/x/../../y", "raw")]
)
def test_img_07_disk_over_anything_but_a_base_image_is_refused(
    driver, host, spawned, path, disk_format
):
    instance = spawned()
    host.backing = path.format(driver._cache.directory) if path else host.backing
    host.backing_format = disk_format
    with pytest.raises(exception.DriverError, match="base image"):
        driver.snapshot(instance)
    assert host.calls == []


def test_img_07_cold_disk_over_anything_but_a_base_image_is_refused(
    driver, spawned, libvirt_case, disk_programs
):
    instance = spawned()
    driver.power_off(instance, 0, 1)
    disk = os.path.join(libvirt_case.disks.directory(instance.uuid), "disk")
    secret = os.path.join(libvirt_case.root, "secret")
    with open(secret, "xb"):
        os.unlink(disk)
    libvirt_case.disks.tool.create_overlay(disk, secret, "raw", 1 << 30)
    with pytest.raises(exception.DriverError, match="base image"):
        driver.snapshot(instance)
    assert "convert" not in disk_programs.verbs()[-2:]


@pytest.mark.parametrize("wanted", ["raw", "vmdk", "vdi"])
def test_format_is_what_the_operator_wants(driver, spawned, disk_programs, wanted):
    instance = spawned()
    driver._snapshots._image_format = wanted
    assert driver.snapshot(instance).disk_format == wanted
    assert disk_programs.calls[-1][3:6] == ["qcow2", "-O", wanted]


# --- Freezing -------------------------------------------------------------------------------


def test_guest_with_agent_is_frozen_only_when_the_copy_is_complete(driver, host, spawned):
    instance = spawned(image_properties=AGENT)
    host.copied = False
    polls = []

    def complete_at_the_third_look():
        polls.append("freeze" in host.calls)
        host.copied = len(polls) > 3

    host.on_poll = complete_at_the_third_look
    driver.snapshot(instance)
    assert len(polls) > 3 and not any(polls)
    assert host.calls == ["copy shallow", "freeze", "end copy", "thaw"]


def test_guest_whose_agent_does_not_answer_is_copied_all_the_same(driver, host, spawned):
    instance = spawned(image_properties=AGENT)
    host.fail_next("freeze")
    driver.snapshot(instance)
    assert host.calls == ["copy shallow", "freeze", "thaw", "end copy"]


def test_quiesced_snapshot_fails_when_the_agent_does_not_answer(
    driver, host, spawned, libvirt_case
):
    instance = spawned(image_properties=AGENT)
    host.fail_next("freeze")
    with pytest.raises(exception.GuestAgentUnavailable):
        driver.snapshot(instance, quiesce=True)
    assert host.calls == ["copy shallow", "freeze", "thaw", "end copy"]
    assert files(libvirt_case, instance) == ([], [])


def test_quiesced_snapshot_of_a_guest_that_is_off_needs_no_agent(driver, spawned):
    instance = spawned()
    driver.power_off(instance, 0, 1)
    assert driver.snapshot(instance, quiesce=True).disk_format == "qcow2"


@pytest.mark.parametrize("quiesce", [True, False])
def test_paused_guest_can_not_be_frozen(driver, host, spawned, quiesce):
    instance = spawned(image_properties=AGENT)
    driver.pause(instance)
    if quiesce:
        host.fail_next("freeze")
        with pytest.raises(exception.GuestAgentUnavailable):
            driver.snapshot(instance, quiesce=True)
    else:
        driver.snapshot(instance)
        assert "freeze" not in host.calls
    assert driver.get_power_state(instance) is PowerState.PAUSED


def test_guest_is_thawed_with_patience(driver, host, spawned):
    instance = spawned(image_properties=AGENT)
    host.fail_next("thaw", 2)
    driver.snapshot(instance)
    assert host.calls.count("thaw") == 3


def test_guest_is_thawed_when_the_copy_fails_at_the_end(driver, host, spawned):
    instance = spawned(image_properties=AGENT)
    host.fail_next("end copy")
    with pytest.raises(exception.DriverError):
        driver.snapshot(instance)
    assert host.calls == ["copy shallow", "freeze", "end copy", "thaw", "end copy"]


# --- Failures -------------------------------------------------------------------------------


def test_copy_that_libvirt_gives_up_is_an_error(driver, host, spawned, libvirt_case):
    instance = spawned()
    host.copied = False
    host.on_poll = lambda: host.calls and host.lose_copy(instance.uuid)
    with pytest.raises(exception.DriverError, match="could not be copied"):
        driver.snapshot(instance)
    assert files(libvirt_case, instance) == ([], [])


def test_copy_that_is_never_complete_is_given_up(driver, host, spawned, frozen_clock):
    instance = spawned()
    host.copied = False
    host.on_poll = lambda: frozen_clock.advance(1800)
    with pytest.raises(exception.DriverError, match="too long"):
        driver.snapshot(instance)
    assert host.calls == ["copy shallow", "end copy"]


def test_guest_that_goes_off_meanwhile_is_converted_cold(driver, host, spawned, disk_programs):
    instance = spawned()
    host.copied = False

    def go_off():
        if "copy shallow" in host.calls:
            host.lose_copy(instance.uuid)
            host.kill(instance.uuid)

    host.on_poll = go_off
    snapshot = driver.snapshot(instance)
    source = disk_programs.calls[-1][-2:]
    assert os.path.basename(source[0]) == "disk" and source[1] == snapshot.path
    assert driver.get_power_state(instance) is PowerState.SHUTDOWN


@pytest.mark.parametrize("verb", ["create", "convert"])
def test_failed_program_leaves_no_file(driver, spawned, disk_programs, libvirt_case, verb):
    instance = spawned()
    disk_programs.fail_next(verb, 1)
    with pytest.raises(exception.CommandFailed):
        driver.snapshot(instance)
    assert files(libvirt_case, instance) == ([], [])
    driver.snapshot(instance)


# --- What an interrupted snapshot left ------------------------------------------------------


@pytest.fixture
def interrupted(host, spawned, disk_programs, libvirt_case):
    """Give a guest whose snapshot ended with the process, while it was frozen."""
    instance = spawned(image_properties=AGENT)
    copy = os.path.join(libvirt_case.disks.directory(instance.uuid), DISK_COPY)
    with open(copy, "xb"):
        xml = f'<disk><source file="{copy}"/></disk>'
    host.start_copy(instance.uuid, "vda", xml, shallow=True)
    host.freeze(instance.uuid)
    results = os.path.join(libvirt_case.root, DIRECTORY, instance.uuid)
    os.makedirs(results)
    with open(os.path.join(results, "image"), "xb"):
        host.calls.clear()
    return instance


def test_next_snapshot_ends_the_interrupted_one_first(driver, host, interrupted):
    assert os.path.getsize(driver.snapshot(interrupted).path)
    assert host.calls[:3] == ["end copy", "thaw", "copy shallow"]


def test_discarding_ends_the_interrupted_one(driver, host, interrupted, libvirt_case):
    for _ in range(2):
        driver.discard_snapshot(interrupted)
    assert host.calls == ["end copy", "thaw"]
    assert files(libvirt_case, interrupted) == ([], [])


def test_interrupted_one_is_found_by_whichever_of_its_files_is_left(
    driver, interrupted, libvirt_case
):
    directory = libvirt_case.disks.directory(interrupted.uuid)
    assert driver.list_snapshots() == {interrupted.uuid}
    driver._snapshots.remove_files(interrupted.uuid)
    assert driver.list_snapshots() == {interrupted.uuid}
    os.unlink(os.path.join(directory, DISK_COPY))
    assert driver.list_snapshots() == set()
    driver.snapshot(interrupted)
    assert driver.list_snapshots() == {interrupted.uuid}


def test_frozen_guest_is_thawed_with_patience_after_an_interruption(driver, host, interrupted):
    host.fail_next("thaw", 2)
    driver.discard_snapshot(interrupted)
    assert host.calls.count("thaw") == 3


def test_agent_that_does_not_answer_after_an_interruption_is_no_error(
    driver, host, interrupted, libvirt_case, caplog
):
    host.fail_next("thaw", 9)
    driver.discard_snapshot(interrupted)
    assert files(libvirt_case, interrupted) == ([], [])
    assert "could not be thawed" in caplog.text


def test_img_14_destroy_removes_the_interrupted_one(driver, interrupted, libvirt_case):
    driver.destroy(interrupted)
    assert driver.list_files() == set()
    assert os.listdir(os.path.join(libvirt_case.root, DIRECTORY)) == []


def test_img_14_destroy_by_uuid_removes_the_interrupted_one(driver, interrupted, libvirt_case):
    driver.destroy_leftover(interrupted.uuid)
    assert driver.list_files() == set()
    assert os.listdir(os.path.join(libvirt_case.root, DIRECTORY)) == []


def test_copy_of_somebody_else_is_not_ended(driver, host, interrupted, libvirt_case):
    host.end_copy(interrupted.uuid, "vda")
    host.start_copy(interrupted.uuid, "vda", '<d><source file="/srv/theirs"/></d>', shallow=True)
    host.calls.clear()
    driver.discard_snapshot(interrupted)
    assert host.calls == ["thaw"]
