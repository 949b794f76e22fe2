"""Rebuild: which files are new, which are gone, and crashes in between."""

import os

import pytest

from nova import exception
from nova.objects.action_request import ImageChoice
from nova.virt.libvirt import manifest
from tests.fixtures.crash import Crash
from tests.fixtures.guests import make_flavor
from tests.fixtures.libvirt_driver import IMAGE_ID, KERNEL_ID, RAMDISK_ID

DRIVE = {"openstack/latest/meta_data.json": b"{}"}
MARK = b"written by the guest"


def folder(case, detail):
    return case.disks.directory(detail.instance.uuid)


def write_all(case, detail):
    """Let the guest write to all its disks."""
    for entry in manifest.load(folder(case, detail)):
        with open(os.path.join(folder(case, detail), entry.name), "ab") as file:
            file.write(MARK)


def written(case, detail):
    """Return the disks on which the old guest wrote."""
    names = []
    for entry in manifest.load(folder(case, detail)):
        with open(os.path.join(folder(case, detail), entry.name), "rb") as file:
            if MARK in file.read():
                names.append(entry.name)
    return names


@pytest.fixture
def detail(libvirt_case):
    flavor = make_flavor(ephemeral_gb=1, swap_mb=8)
    detail = libvirt_case.detail(flavor=flavor, kernel_id=KERNEL_ID, ramdisk_id=RAMDISK_ID)
    libvirt_case.driver.spawn(detail, DRIVE)
    write_all(libvirt_case, detail)
    return detail


@pytest.mark.parametrize(("preserve", "expected"), [(False, []), (True, ["disk.local"])])
def test_img_12_disks_are_fresh_but_for_what_is_preserved(libvirt_case, detail, preserve, expected):
    libvirt_case.driver.rebuild(detail, DRIVE, power_on=True, preserve_ephemeral=preserve)
    names = [entry.name for entry in manifest.load(folder(libvirt_case, detail))]
    assert names == ["disk", "disk.local", "disk.swap", "disk.config"]
    assert written(libvirt_case, detail) == expected


def test_what_the_new_server_has_not_is_gone(libvirt_case, detail):
    uuid = detail.instance.uuid
    new = libvirt_case.detail(uuid=uuid, id=detail.instance.id)
    libvirt_case.driver.rescue(detail, ImageChoice(image_ref=IMAGE_ID), DRIVE)
    libvirt_case.driver.rebuild(new, None, power_on=True, preserve_ephemeral=True)
    found = sorted(os.listdir(folder(libvirt_case, new)))
    assert found == ["console.log", "disk", "disk.info"]
    assert len(libvirt_case.disks_in(new)) == 1
    assert libvirt_case.definition(new).find("os/kernel") is None


def test_console_log_begins_anew(libvirt_case, detail):
    with open(os.path.join(folder(libvirt_case, detail), "console.log"), "w") as file:
        file.write("of the old server")
    libvirt_case.driver.rebuild(detail, None, power_on=False)
    assert libvirt_case.driver.get_console_output(detail.instance) == b""


def test_missing_image_leaves_the_old_disks(libvirt_case, detail):
    missing = "6f3d5a50-0000-4a55-9a0e-6b1b2f5c7d01"
    new = libvirt_case.detail(uuid=detail.instance.uuid, image_ref=missing)
    with pytest.raises(exception.ImageNotFound):
        libvirt_case.driver.rebuild(new, None, power_on=True)
    assert "disk" in written(libvirt_case, detail)


def test_rebuild_after_any_crash_can_be_repeated(libvirt_case, monkeypatch):
    flavor = make_flavor(ephemeral_gb=1, swap_mb=8)
    for number in range(100):
        detail = libvirt_case.detail(flavor=flavor, kernel_id=KERNEL_ID)
        new = libvirt_case.detail(uuid=detail.instance.uuid, id=detail.instance.id)
        libvirt_case.driver.spawn(detail, DRIVE)
        write_all(libvirt_case, detail)
        with Crash(monkeypatch, number) as crash:
            libvirt_case.driver.rebuild(new, None, power_on=True)
        libvirt_case.driver.rebuild(new, None, power_on=True)
        found = sorted(os.listdir(folder(libvirt_case, new)))
        assert found == ["console.log", "disk", "disk.info"]
        assert written(libvirt_case, new) == []
        assert libvirt_case.is_running(new)
        libvirt_case.driver.destroy(new.instance)
        if not crash.happened:
            break
    assert 3 < number < 99
