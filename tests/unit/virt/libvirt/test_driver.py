"""The libvirt driver on libvirt's test hypervisor: what it writes and what it leaves."""

import json
import os
import stat

import pytest

from nova import exception
from nova.virt.libvirt import manifest
from nova.virt.libvirt.imagecache import base_name
from tests.fixtures.guests import make_flavor, make_network, make_vif
from tests.fixtures.libvirt_driver import (
    IMAGE_ID,
    KERNEL_ID,
    RAMDISK_ID,
    GuestPrograms,
    LibvirtCase,
    libvirt_events,  # noqa: F401
)
from tests.fixtures.time import frozen_clock  # noqa: F401


@pytest.fixture
def programs(monkeypatch):
    stub = GuestPrograms()
    monkeypatch.setattr("subprocess.run", stub)
    return stub


@pytest.fixture
def case(tmp_path, programs, frozen_clock, libvirt_events):  # noqa: F811
    case = LibvirtCase(str(tmp_path), frozen_clock.advance)
    case.driver.init_host("compute1", lambda event: None)
    yield case
    case.close()


def folder(case, detail):
    return case.disks.directory(detail.instance.uuid)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_disks_of_the_flavor_are_made_and_listed_in_order(case):
    flavor = make_flavor(root_gb=1, ephemeral_gb=2, swap_mb=64)
    detail = case.detail(flavor=flavor)
    case.driver.spawn(detail, {"openstack/latest/meta_data.json": b"{}"})
    entries = manifest.load(folder(case, detail))
    found = [(entry.name, entry.disk_format, entry.cdrom) for entry in entries]
    assert found == [
        ("disk", "qcow2", False),
        ("disk.local", "qcow2", False),
        ("disk.swap", "qcow2", False),
        ("disk.config", "raw", True),
    ]
    assert [entry.size_bytes for entry in entries[:3]] == [1 << 30, 2 << 30, 64 << 20]


def test_kernel_and_ramdisk_lie_beside_the_disks(case):
    detail = case.detail(kernel_id=KERNEL_ID, ramdisk_id=RAMDISK_ID)
    case.driver.spawn(detail, None)
    assert {"kernel", "ramdisk"} <= set(os.listdir(folder(case, detail)))


def test_img_16_files_of_a_guest_are_closed_to_others(case):
    detail = case.detail()
    case.driver.spawn(detail, {"secret": b"password"})
    directory = folder(case, detail)
    assert mode(directory) == 0o711
    for name in ("disk", "disk.config"):
        assert mode(os.path.join(directory, name)) == 0o600
    assert mode(os.path.join(directory, "console.log")) & 0o007 == 0


def test_img_07_format_of_a_disk_is_what_was_made_whatever_it_holds(case, programs):
    detail = case.detail()
    case.driver.spawn(detail, None)
    disk = os.path.join(folder(case, detail), "disk")
    with open(disk, "r+b") as file:
        file.write(b"KDMV" + bytes(508))
    before = len(programs.calls)
    case.driver.reboot_hard(detail.instance)
    assert manifest.load(folder(case, detail))[0].disk_format == "qcow2"
    assert programs.calls[before:] == []


def test_hard_reboot_without_definition_defines_anew(case):
    detail = case.detail()
    case.driver.spawn(detail, None)
    case.driver.destroy(detail.instance, destroy_disks=False)
    case.driver.reboot_hard(detail.instance)
    assert list(case.driver.list_guests()) == [detail.instance.uuid]


def test_failed_spawn_leaves_only_what_destroy_removes(case, programs):
    detail = case.detail()
    programs.fail_next("create", 1)
    with pytest.raises(exception.CommandFailed):
        case.driver.spawn(detail, None)
    assert case.driver.list_guests() == {}
    case.driver.destroy(detail.instance)
    assert case.driver.list_files() == set()


def test_missing_image_is_told_by_name(case):
    detail = case.detail(image_ref="6f3d5a50-0000-4a55-9a0e-6b1b2f5c7d01")
    with pytest.raises(exception.ImageNotFound):
        case.driver.spawn(detail, None)


def test_server_without_image_is_refused(case):
    with pytest.raises(exception.BlockDeviceNotSupported):
        case.driver.spawn(case.detail(image_ref=None), None)


def test_property_that_no_guest_can_have_is_refused(case):
    detail = case.detail(image_ref=IMAGE_ID, image_properties={"hw_disk_bus": "punched cards"})
    with pytest.raises(exception.ImageUnacceptable, match="hw_disk_bus"):
        case.driver.spawn(detail, None)


def test_bridge_that_nova_network_should_have_made_is_an_error(case):
    vif = make_vif(network=make_network(bridge="br-missing", multi_host=True))
    with pytest.raises(exception.DriverError, match="bridge"):
        case.driver.spawn(case.detail(vifs=(vif,)), None)
    assert case.driver.list_guests() == {}


def test_console_is_the_end_of_the_log_over_a_rotation(case):
    detail = case.detail()
    case.driver.spawn(detail, None)
    directory = folder(case, detail)
    with open(os.path.join(directory, "console.log.0"), "wb") as file:
        file.write(b"a" * 200 * 1024)
    with open(os.path.join(directory, "console.log"), "wb") as file:
        file.write(b"b" * 1024)
    text = case.driver.get_console_output(detail.instance)
    assert len(text) == 100 * 1024
    assert text == b"a" * 99 * 1024 + b"b" * 1024


def test_console_log_that_is_a_link_is_not_followed(case):
    detail = case.detail()
    case.driver.spawn(detail, None)
    path = os.path.join(folder(case, detail), "console.log")
    os.unlink(path)
    os.symlink("/etc/passwd", path)
    with pytest.raises(exception.ConsoleNotAvailable):
        case.driver.get_console_output(detail.instance)


def test_resources_count_what_disks_may_still_grow(case):
    before = case.driver.get_resources()
    case.driver.spawn(case.detail(flavor=make_flavor(root_gb=5)), None)
    after = case.driver.get_resources()
    assert 4 <= before.disk_available_least - after.disk_available_least <= 6
    assert (after.host_ip, after.hypervisor_type) == ("192.0.2.11", "TEST")
    assert json.loads(after.cpu_info)["arch"] == "i686"


def test_img_11_base_images_go_when_old_and_unused(case, frozen_clock):  # noqa: F811
    detail = case.detail(flavor=make_flavor(swap_mb=64))
    case.driver.spawn(detail, None)
    frozen_clock.advance(100 * 86400)
    assert case.driver.remove_unused_images() == []
    case.driver.destroy(detail.instance)
    frozen_clock.advance(100 * 86400)
    assert sorted(case.driver.remove_unused_images()) == sorted([base_name(IMAGE_ID), "swap_64"])


def test_damaged_list_of_disks_is_an_error_not_a_guess(case):
    detail = case.detail()
    case.driver.spawn(detail, None)
    path = os.path.join(folder(case, detail), manifest.FILE_NAME)
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"name": "../../etc/shadow", "disk_format": "raw"}], file)
    with pytest.raises(exception.DriverError, match="disks"):
        case.driver.reboot_hard(detail.instance)
