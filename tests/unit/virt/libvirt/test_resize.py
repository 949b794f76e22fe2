"""Resize: what disks and definition become, and crashes in between."""

import os

import pytest

from nova import exception
from nova.virt.libvirt import manifest
from nova.virt.libvirt.imagecache import base_name
from tests.fixtures.crash import Crash
from tests.fixtures.driver_disk_suite import with_flavor
from tests.fixtures.guests import make_flavor
from tests.fixtures.libvirt_driver import IMAGE_ID, KERNEL_ID

GIB, MIB = 1 << 30, 1 << 20
MARK = b"written by the guest"
DRIVE = {"openstack/latest/meta_data.json": b"{}"}


def folder(case, detail, suffix=""):
    return case.disks.directory(detail.instance.uuid) + suffix


def write(case, detail, text=MARK, name="disk"):
    with open(os.path.join(folder(case, detail), name), "ab") as file:
        file.write(text)


def read(case, detail, name="disk", suffix=""):
    with open(os.path.join(folder(case, detail, suffix), name), "rb") as file:
        return file.read()


def sizes(case, detail):
    return {entry.name: entry.size_bytes for entry in manifest.load(folder(case, detail))}


def put_aside(case, detail, new):
    case.driver.migrate_disk_and_power_off(detail.instance, new.instance.flavor, 0, 1)


def resize(case, detail, new):
    put_aside(case, detail, new)
    case.driver.finish_migration(new, detail.instance.flavor, power_on=True)


@pytest.fixture
def detail(libvirt_case):
    detail = libvirt_case.detail(flavor=make_flavor(ephemeral_gb=1, swap_mb=8))
    libvirt_case.driver.spawn(detail, DRIVE)
    write(libvirt_case, detail)
    write(libvirt_case, detail, name="disk.local")
    return detail


def test_disks_grow_and_keep_what_was_written(libvirt_case, detail, disk_programs):
    new = with_flavor(detail, root_gb=3, ephemeral_gb=2, swap_mb=16, memory_mb=256, vcpus=2)
    resize(libvirt_case, detail, new)
    assert sizes(libvirt_case, detail) == {
        "disk": 3 * GIB,
        "disk.local": 2 * GIB,
        "disk.swap": 16 * MIB,
        "disk.config": 0,
    }
    for name, gib in (("disk", 3), ("disk.local", 2)):
        assert MARK in read(libvirt_case, detail, name)
        path = os.path.join(folder(libvirt_case, detail), name)
        assert libvirt_case.tool.info(path, "qcow2").virtual_size_bytes == gib * GIB
    root = libvirt_case.definition(detail)
    assert (root.findtext("memory"), root.findtext("vcpu")) == (str(256 * 1024), "2")
    assert len(root.findall("devices/disk")) == 4


def test_disks_come_and_go_with_the_flavor(libvirt_case):
    detail = libvirt_case.detail(flavor=make_flavor(swap_mb=8))
    libvirt_case.driver.spawn(detail, DRIVE)
    new = with_flavor(detail, ephemeral_gb=1, swap_mb=0)
    resize(libvirt_case, detail, new)
    assert list(sizes(libvirt_case, detail)) == ["disk", "disk.local", "disk.config"]
    assert "disk.swap" not in os.listdir(folder(libvirt_case, detail))
    libvirt_case.driver.finish_revert_migration(detail, power_on=True)
    assert list(sizes(libvirt_case, detail)) == ["disk", "disk.swap", "disk.config"]


def test_revert_gives_back_what_was_there_and_nothing_else(libvirt_case, detail):
    new = with_flavor(detail, root_gb=2, memory_mb=256)
    before = sizes(libvirt_case, detail)
    resize(libvirt_case, detail, new)
    write(libvirt_case, detail, b"after the resize")
    libvirt_case.driver.finish_revert_migration(detail, power_on=True)
    assert sizes(libvirt_case, detail) == before
    content = read(libvirt_case, detail)
    assert MARK in content and b"after the resize" not in content
    assert libvirt_case.definition(detail).findtext("memory") == str(128 * 1024)
    assert not os.path.exists(folder(libvirt_case, detail, "_resize"))


def test_confirm_deletes_what_was_put_aside_and_keeps_the_rest(libvirt_case, detail):
    resize(libvirt_case, detail, with_flavor(detail, root_gb=2))
    write(libvirt_case, detail, b"after the resize")
    libvirt_case.driver.confirm_migration(detail.instance)
    assert not os.path.exists(folder(libvirt_case, detail, "_resize"))
    assert b"after the resize" in read(libvirt_case, detail)


def test_server_with_a_kernel_keeps_it(libvirt_case):
    detail = libvirt_case.detail(kernel_id=KERNEL_ID)
    libvirt_case.driver.spawn(detail, None)
    resize(libvirt_case, detail, with_flavor(detail, root_gb=2))
    libvirt_case.driver.confirm_migration(detail.instance)
    libvirt_case.driver.reboot_hard(detail.instance)
    assert "kernel" in os.listdir(folder(libvirt_case, detail))


def test_root_disk_of_the_images_size_grows_to_that_of_the_flavor(libvirt_case):
    detail = libvirt_case.detail(flavor=make_flavor(root_gb=0))
    libvirt_case.driver.spawn(detail, None)
    before = sizes(libvirt_case, detail)
    resize(libvirt_case, detail, with_flavor(detail, memory_mb=256))
    assert sizes(libvirt_case, detail) == before
    libvirt_case.driver.confirm_migration(detail.instance)
    resize(libvirt_case, detail, with_flavor(detail, root_gb=1))
    assert sizes(libvirt_case, detail) == {"disk": GIB}


def test_img_07_format_of_a_disk_is_what_was_made_whatever_it_holds(
    libvirt_case, detail, disk_programs
):
    with open(os.path.join(folder(libvirt_case, detail), "disk.local"), "r+b") as file:
        file.write(b"KDMV" + bytes(20))
    before = len(disk_programs.calls)
    resize(libvirt_case, detail, with_flavor(detail, root_gb=2))
    looked = [call for call in disk_programs.calls[before:] if call[0] == "qemu-img"]
    assert [call[call.index("-f") + 1] for call in looked] == ["qcow2"] * len(looked)
    assert not [call for call in looked if call[1] in ("info", "convert", "measure")]
    kinds = [disk.find("driver").get("type") for disk in libvirt_case.disks_in(detail)]
    assert kinds == ["qcow2", "qcow2", "qcow2", "raw"]


def test_bases_of_what_was_put_aside_stay(libvirt_case, detail, frozen_clock):
    resize(libvirt_case, detail, with_flavor(detail, swap_mb=16))
    frozen_clock.advance(100 * 86400)
    assert libvirt_case.driver.remove_unused_images() == []
    libvirt_case.driver.confirm_migration(detail.instance)
    frozen_clock.advance(100 * 86400)
    assert libvirt_case.driver.remove_unused_images() == ["swap_8"]
    assert manifest.load(folder(libvirt_case, detail))[0].base == base_name(IMAGE_ID)


def test_what_was_put_aside_counts_as_room_that_is_taken(libvirt_case, detail):
    before = libvirt_case.driver.get_resources().disk_available_least
    resize(libvirt_case, detail, with_flavor(detail, root_gb=10))
    after = libvirt_case.driver.get_resources().disk_available_least
    assert before - after >= 9


def test_refusal_comes_before_anything_happens(libvirt_case, detail):
    large = with_flavor(detail, root_gb=2)
    resize(libvirt_case, detail, large)
    libvirt_case.driver.confirm_migration(large.instance)
    for smaller in ({"root_gb": 1}, {"ephemeral_gb": 0}):
        with pytest.raises(exception.ResizeRefused):
            put_aside(libvirt_case, large, with_flavor(large, **smaller))
    assert libvirt_case.is_running(detail)
    assert not os.path.exists(folder(libvirt_case, detail, "_resize"))


# --- Crashes --------------------------------------------------------------------------------


def crashes(case, monkeypatch, prepare, work):
    """Yield a server for each moment at which its work can be cut short."""
    for number in range(200):
        detail = case.detail(flavor=make_flavor(ephemeral_gb=1, swap_mb=8))
        new = with_flavor(detail, root_gb=2, ephemeral_gb=2, swap_mb=16)
        case.driver.spawn(detail, None)
        write(case, detail)
        prepare(detail, new)
        with Crash(monkeypatch, number) as crash:
            work(detail, new)
        if not crash.happened:
            assert number > 1
            return
        assert detail.instance.uuid in case.driver.list_files()
        yield detail, new
        case.driver.destroy(detail.instance)
        assert detail.instance.uuid not in case.driver.list_files()
    raise AssertionError("it never ends")


def nothing(detail, new):
    """Prepare nothing."""


def assert_old(case, detail):
    assert sizes(case, detail) == {"disk": GIB, "disk.local": GIB, "disk.swap": 8 * MIB}
    assert MARK in read(case, detail)
    assert case.driver.list_files() == {detail.instance.uuid}
    assert case.is_running(detail)


def assert_new(case, detail):
    assert sizes(case, detail) == {"disk": 2 * GIB, "disk.local": 2 * GIB, "disk.swap": 16 * MIB}
    assert MARK in read(case, detail)
    assert case.is_running(detail)


@pytest.mark.parametrize("ending", ["repeat", "revert"])
def test_resize_after_any_crash_can_be_repeated_or_taken_back(libvirt_case, monkeypatch, ending):
    case = libvirt_case

    def work(detail, new):
        resize(case, detail, new)

    for detail, new in crashes(case, monkeypatch, nothing, work):
        if ending == "repeat":
            resize(case, detail, new)
            assert_new(case, detail)
            case.driver.confirm_migration(new.instance)
            assert_new(case, detail)
        else:
            case.driver.finish_revert_migration(detail, power_on=True)
            assert_old(case, detail)


def test_revert_after_any_crash_can_be_repeated(libvirt_case, monkeypatch):
    case = libvirt_case

    def prepare(detail, new):
        resize(case, detail, new)
        write(case, detail, b"after the resize")

    def work(detail, new):
        case.driver.finish_revert_migration(detail, power_on=True)

    for detail, _new in crashes(case, monkeypatch, prepare, work):
        case.driver.finish_revert_migration(detail, power_on=True)
        assert_old(case, detail)
        assert b"after the resize" not in read(case, detail)


def test_confirm_after_any_crash_can_be_repeated(libvirt_case, monkeypatch):
    case = libvirt_case

    def work(detail, new):
        case.driver.confirm_migration(new.instance)

    def prepare(detail, new):
        resize(case, detail, new)

    for detail, new in crashes(case, monkeypatch, prepare, work):
        case.driver.confirm_migration(new.instance)
        assert_new(case, detail)
        assert os.path.basename(folder(case, detail)) in os.listdir(case.root)
        assert not [name for name in os.listdir(case.root) if name.endswith(("_resize", "_old"))]
