"""Rescue: which files there are, what the definition says, and crashes in between."""

import os

import pytest

from nova import exception
from nova.objects.action_request import ImageChoice
from nova.objects.image import Image
from nova.virt.libvirt import manifest, rescue_info
from nova.virt.libvirt.imagecache import base_name
from tests.fixtures import images
from tests.fixtures.crash import Crash
from tests.fixtures.guests import make_flavor
from tests.fixtures.libvirt_driver import IMAGE_ID, KERNEL_ID, RAMDISK_ID

RESCUE_ID = "6f3d5a50-8d1c-4a55-9a0e-6b1b2f5c7d09"
DRIVE = {"openstack/latest/meta_data.json": b"{}"}


@pytest.fixture
def case(libvirt_case):
    libvirt_case.service.add(Image(id=RESCUE_ID, disk_format="raw"), images.raw())
    return libvirt_case


def choice(**changes):
    return ImageChoice(**({"image_ref": RESCUE_ID} | changes))


def folder(case, detail):
    return case.disks.directory(detail.instance.uuid)


def rescue_files(case, detail):
    return sorted(name for name in os.listdir(folder(case, detail)) if "rescue" in name)


def spawned(case, **changes):
    detail = case.detail(**changes)
    case.driver.spawn(detail, None)
    return detail


def disks_of(case, detail):
    """Return file, bus and device name of each disk, and the one to boot from."""
    root = case.definition(detail)
    found = [
        (
            os.path.basename(disk.find("source").get("file")),
            disk.find("target").get("bus"),
            disk.find("target").get("dev"),
        )
        for disk in root.iterfind("devices/disk")
    ]
    first = [
        os.path.basename(disk.find("source").get("file"))
        for disk in root.iterfind("devices/disk")
        if disk.find("boot") is not None
    ]
    return found, first


def test_rescue_disk_comes_first_and_the_own_root_second(case):
    detail = spawned(case, flavor=make_flavor(ephemeral_gb=1, swap_mb=8))
    case.driver.rescue(detail, choice(), DRIVE)
    assert disks_of(case, detail) == (
        [
            ("disk.rescue", "virtio", "vda"),
            ("disk", "virtio", "vdb"),
            ("disk.config.rescue", "ide", "hda"),
        ],
        [],
    )
    assert rescue_files(case, detail) == ["disk.config.rescue", "disk.info.rescue", "disk.rescue"]


def test_unrescue_gives_back_all_disks_and_deletes_the_rescue_files(case):
    detail = spawned(case, flavor=make_flavor(ephemeral_gb=1))
    before = disks_of(case, detail)
    case.driver.rescue(detail, choice(kernel_id=KERNEL_ID, ramdisk_id=RAMDISK_ID), DRIVE)
    case.driver.unrescue(detail.instance)
    assert disks_of(case, detail) == before
    assert rescue_files(case, detail) == []


def test_kernel_and_ramdisk_are_those_of_the_rescue_image_alone(case):
    detail = spawned(case, kernel_id=KERNEL_ID)
    case.driver.rescue(detail, choice(kernel_id=KERNEL_ID, ramdisk_id=RAMDISK_ID), None)
    root = case.definition(detail)
    assert os.path.basename(root.findtext("os/kernel")) == "kernel.rescue"
    assert os.path.basename(root.findtext("os/initrd")) == "ramdisk.rescue"
    case.driver.rescue(detail, choice(), None)
    assert case.definition(detail).find("os/kernel") is None
    case.driver.unrescue(detail.instance)
    assert os.path.basename(case.definition(detail).findtext("os/kernel")) == "kernel"


def test_stable_rescue_starts_from_the_last_disk(case):
    detail = spawned(case, flavor=make_flavor(ephemeral_gb=1, swap_mb=8))
    wanted = {"hw_rescue_device": "disk", "hw_rescue_bus": "scsi", "hw_disk_bus": "ide"}
    case.driver.rescue(detail, choice(properties=wanted), DRIVE)
    assert disks_of(case, detail) == (
        [
            ("disk", "virtio", "vda"),
            ("disk.local", "virtio", "vdb"),
            ("disk.swap", "virtio", "vdc"),
            ("disk.config.rescue", "ide", "hda"),
            ("disk.rescue", "scsi", "sda"),
        ],
        ["disk.rescue"],
    )
    assert case.definition(detail).find("os/boot") is None


def test_stable_rescue_from_a_cdrom_can_not_write_to_it(case):
    detail = spawned(case)
    case.driver.rescue(detail, choice(properties={"hw_rescue_device": "cdrom"}), None)
    last = case.definition(detail).findall("devices/disk")[-1]
    assert (last.get("device"), last.find("readonly") is not None) == ("cdrom", True)


def test_stable_rescue_boots_a_kernel_with_the_rescue_disk_as_root(case):
    detail = spawned(case)
    properties = {"hw_rescue_bus": "virtio"}
    case.driver.rescue(detail, choice(kernel_id=KERNEL_ID, properties=properties), None)
    assert case.definition(detail).findtext("os/cmdline").startswith("root=/dev/vdb ")


@pytest.mark.parametrize(
    "properties",
    [
        {"hw_rescue_device": "floppy"},
        {"hw_rescue_bus": "/dev/sda"},
        {"hw_rescue_device": "cdrom", "hw_rescue_bus": "usb"},
        {"hw_video_model": "3d"},
    ],
)
def test_property_that_no_rescue_can_have_is_refused_while_the_guest_runs_on(case, properties):
    detail = spawned(case)
    with pytest.raises(exception.ImageUnacceptable) as caught:
        case.driver.rescue(detail, choice(properties=properties), None)
    assert RESCUE_ID in str(caught.value)
    assert case.is_running(detail)
    assert rescue_files(case, detail) == []


def test_stopped_server_whose_rescue_failed_is_an_ordinary_one(case):
    detail = spawned(case)
    case.driver.power_off(detail.instance, 0, 1)
    for _ in range(2):
        with pytest.raises(exception.ImageUnacceptable):
            case.driver.rescue(detail, choice(properties={"hw_disk_bus": "bogus"}), DRIVE)
        assert rescue_files(case, detail) == []
        assert not case.is_running(detail)
    case.driver.reboot_hard(detail.instance)
    assert [disk[0] for disk in disks_of(case, detail)[0]] == ["disk"]


def test_rescued_server_whose_repeated_rescue_failed_is_an_ordinary_one(case):
    detail = spawned(case)
    case.driver.rescue(detail, choice(), DRIVE)
    with pytest.raises(exception.ImageUnacceptable):
        case.driver.rescue(detail, choice(properties={"hw_disk_bus": "bogus"}), DRIVE)
    assert rescue_files(case, detail) == []
    case.driver.power_on(detail.instance)
    assert [disk[0] for disk in disks_of(case, detail)[0]] == ["disk"]


def test_img_15_missing_image_changes_nothing(case):
    detail = spawned(case)
    with pytest.raises(exception.ImageNotFound):
        case.driver.rescue(detail, choice(image_ref=RESCUE_ID[:-1] + "0"), None)
    assert case.is_running(detail)
    assert rescue_files(case, detail) == []


@pytest.mark.parametrize("sample", ["qcow2_with_backing"])
def test_img_01_15_image_that_names_another_file_is_no_rescue_image(case, sample):
    detail = spawned(case)
    bad = RESCUE_ID[:-1] + "8"
    case.service.add(Image(id=bad, disk_format="qcow2"), getattr(images, sample)())
    with pytest.raises(exception.ImageUnacceptable):
        case.driver.rescue(detail, choice(image_ref=bad), None)
    assert rescue_files(case, detail) == []


def test_img_08_rescue_image_may_not_be_larger_than_the_flavors_disk(case):
    detail = spawned(case)
    large = RESCUE_ID[:-1] + "7"
    content = images.qcow2(size=2 << 30, l1_entries=4)
    case.service.add(Image(id=large, disk_format="qcow2"), content)
    with pytest.raises(exception.ImageTooLarge):
        case.driver.rescue(detail, choice(image_ref=large), None)
    assert rescue_files(case, detail) == []


def test_img_07_15_formats_are_what_was_made_whatever_the_disks_hold(case, disk_programs):
    detail = spawned(case)
    with open(os.path.join(folder(case, detail), "disk"), "r+b") as file:
        file.write(b"KDMV" + bytes(508))
    case.driver.rescue(detail, choice(), None)
    with open(os.path.join(folder(case, detail), "disk.rescue"), "r+b") as file:
        file.write(b"KDMV" + bytes(508))
    before = len(disk_programs.calls)
    case.driver.reboot_hard(detail.instance)
    kinds = [disk.find("driver").get("type") for disk in case.disks_in(detail)]
    assert kinds == ["qcow2", "qcow2"]
    assert disk_programs.calls[before:] == []


@pytest.mark.parametrize("text", ["[]", "{}", '{"disk_format": "vmdk"}', "no JSON"])
def test_img_15_damaged_note_is_an_error_not_a_guess(case, text):
    detail = spawned(case)
    case.driver.rescue(detail, choice(), None)
    with open(os.path.join(folder(case, detail), rescue_info.FILE_NAME), "w") as file:
        file.write(text)
    with pytest.raises(exception.DriverError, match="rescued"):
        case.driver.reboot_hard(detail.instance)


def test_base_of_the_rescue_disk_stays_while_it_is_needed(case, frozen_clock):
    detail = spawned(case)
    case.driver.rescue(detail, choice(), None)
    frozen_clock.advance(100 * 86400)
    assert case.driver.remove_unused_images() == []
    case.driver.unrescue(detail.instance)
    frozen_clock.advance(100 * 86400)
    assert case.driver.remove_unused_images() == [base_name(RESCUE_ID)]
    assert manifest.load(folder(case, detail))[0].base == base_name(IMAGE_ID)


def test_img_15_rescue_after_any_crash_can_be_repeated_or_given_up(case, monkeypatch):
    for number in range(100):
        detail = spawned(case)
        with Crash(monkeypatch, number) as crash:
            case.driver.rescue(detail, choice(kernel_id=KERNEL_ID), DRIVE)
        case.driver.reboot_hard(detail.instance)
        if number % 2:
            case.driver.rescue(detail, choice(kernel_id=KERNEL_ID), DRIVE)
            assert disks_of(case, detail)[0][0][0] == "disk.rescue"
        case.driver.unrescue(detail.instance)
        assert rescue_files(case, detail) == []
        assert [disk[0] for disk in disks_of(case, detail)[0]] == ["disk"]
        assert case.is_running(detail)
        case.driver.destroy(detail.instance)
        if not crash.happened:
            break
    assert 5 < number < 99
    assert case.driver.list_files() == set()


def test_img_15_unrescue_after_any_crash_can_be_repeated(case, monkeypatch):
    for number in range(100):
        detail = spawned(case)
        case.driver.rescue(detail, choice(kernel_id=KERNEL_ID), DRIVE)
        with Crash(monkeypatch, number) as crash:
            case.driver.unrescue(detail.instance)
        case.driver.unrescue(detail.instance)
        assert rescue_files(case, detail) == []
        assert [disk[0] for disk in disks_of(case, detail)[0]] == ["disk"]
        assert case.is_running(detail)
        case.driver.destroy(detail.instance)
        if not crash.happened:
            break
    assert 3 < number < 99
