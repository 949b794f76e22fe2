"""Disks of guests, with real files and a stand-in for the programs."""

import datetime
import os
import pathlib
import stat

import pytest
from oslo_config import cfg

from nova import clock, exception
from nova.image.memory import MemoryImageService
from nova.image.source import CheckedImages
from nova.objects.image import Image
from nova.opts import SERVICE_OPTS
from nova.privileged.context import run_in_process
from nova.privileged.opts import COMPUTE_OPTS
from nova.virt.libvirt.disk import GIB, MIB, DiskStore, bases_of
from nova.virt.libvirt.imagecache import CacheSettings, ImageCache, base_name
from nova.virt.libvirt.paths import Area
from nova.virt.libvirt.qemu_img import QemuImg
from tests.fixtures import images
from tests.fixtures.guests import make_instance
from tests.fixtures.qemu_img_program import Programs

UUID = "3f1a2b4c-0000-4000-8000-123456789abc"


class Host:
    """A disk store with an image service behind it."""

    def __init__(self, root: pathlib.Path, cow: bool) -> None:
        self.service = MemoryImageService()
        self.tool = QemuImg(Area(str(root)))
        source = CheckedImages(self.service)
        self.cache = ImageCache(str(root), source, self.tool, CacheSettings(host="host"))
        self.store = DiskStore(str(root), self.tool, self.cache, cow)

    def image(self, content=None, disk_format="qcow2", **changes) -> Image:
        image = Image(**{"id": "one", "disk_format": disk_format, **changes})
        return self.service.add(image, images.qcow2() if content is None else content)

    def disk(self, name="disk") -> str:
        return os.path.join(self.store.create_directory(UUID), name)


@pytest.fixture
def programs(monkeypatch):
    stub = Programs()
    monkeypatch.setattr("subprocess.run", stub)
    return stub


@pytest.fixture(params=[True, False], ids=["cow", "copy"])
def host(tmp_path, programs, request):
    return Host(tmp_path, request.param)


@pytest.fixture
def cow_host(tmp_path, programs):
    return Host(tmp_path, True)


def test_root_disk_has_the_size_of_the_flavor(host):
    path = host.disk()
    assert host.store.create_root(host.image(), path, 1) == GIB
    info = host.tool.info(path, host.store.disk_format)
    assert info.virtual_size_bytes == GIB
    if host.store.disk_format == "qcow2":
        assert os.path.basename(info.backing_path) == base_name("one")
        assert info.backing_format == "raw"


def test_root_disk_of_a_flavor_without_size_keeps_that_of_the_image(host):
    path = host.disk()
    assert host.store.create_root(host.image(), path, 0) == images.SIZE
    assert host.tool.info(path, host.store.disk_format).virtual_size_bytes == images.SIZE


def test_img_08_flavor_smaller_than_the_image_makes_no_disk(host, programs):
    size = 2 * GIB
    content = images.qcow2(size=size, l1_entries=4)
    with pytest.raises(exception.ImageTooLarge):
        host.store.create_root(host.image(content), host.disk(), 1)
    assert programs.calls == []
    assert os.listdir(host.store.directory(UUID)) == []


def test_img_06_07_disks_are_never_probed(host, programs):
    """A guest that writes headers to its disk changes nothing in what tools are told."""
    path = host.disk()
    host.store.create_root(host.image(), path, 1)
    if host.store.disk_format == "raw":
        with open(path, "r+b") as file:
            file.write(images.qcow2_with_backing())
    host.store.extend(path, host.store.disk_format, 2 * GIB)
    assert host.tool.info(path, host.store.disk_format).virtual_size_bytes == 2 * GIB
    formats = {call[call.index("-f") + 1] for call in programs.calls[-2:]}
    assert formats == {host.store.disk_format}


def test_disk_left_by_an_interrupted_build_is_replaced(host):
    path = host.disk()
    for name in ("disk", "disk.part"):
        pathlib.Path(host.disk(name)).write_text("old")
    host.store.create_root(host.image(), path, 1)
    assert os.listdir(os.path.dirname(path)) == ["disk"]
    with open(path, "rb") as file:
        assert file.read(3) != b"old"


@pytest.mark.parametrize("verb", ["create", "convert"])
def test_img_14_failure_at_any_step_leaves_no_disk(cow_host, programs, verb):
    path = cow_host.disk()
    for failure in (1, 124, KeyboardInterrupt()):
        programs.fail_next(verb, failure)
        with pytest.raises((exception.NovaException, KeyboardInterrupt)):
            cow_host.store.create_root(cow_host.image(), path, 1)
        assert os.listdir(os.path.dirname(path)) == []
    cow_host.store.create_root(cow_host.image(), path, 1)


@pytest.fixture
def privileged_here(tmp_path):
    run_in_process(True)
    cfg.CONF.register_opts([*SERVICE_OPTS, *COMPUTE_OPTS])
    cfg.CONF.set_override("instances_path", str(tmp_path))
    yield
    cfg.CONF.clear_override("instances_path")
    run_in_process(False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_disks_that_libvirt_did_not_give_back_are_taken(host, privileged_here, monkeypatch):
    path = host.disk()
    pathlib.Path(path).write_text("disk")
    os.chown(path, 64055, 64055)
    host.store.take_back(UUID)
    assert os.stat(path).st_uid == 64055
    monkeypatch.setattr("os.access", lambda path, mode: False)
    host.store.take_back(UUID)
    assert os.stat(path).st_uid == 0


def test_img_16_disks_are_private(host):
    path = host.disk()
    host.store.create_root(host.image(), path, 1)
    host.store.create_swap(host.disk("disk.swap"), 8)
    for name in ("disk", "disk.swap"):
        assert stat.S_IMODE(os.stat(host.disk(name)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o711


def test_directories_let_the_hypervisor_in_under_any_umask(tmp_path, programs):
    before = os.umask(0o077)
    try:
        host = Host(tmp_path / "instances", True)
        host.store.create_root(host.image(), host.disk(), 1)
    finally:
        os.umask(before)
    for path in (tmp_path / "instances", host.cache.directory, host.store.directory(UUID)):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o711


def test_img_11_empty_disks_share_one_base_per_size(cow_host, programs):
    for number in range(20):
        cow_host.store.create_ephemeral(cow_host.disk(f"disk.eph{number}"), 1 + number % 2)
        cow_host.store.create_swap(cow_host.disk(f"disk.swap{number}"), 16)
    names = {name for name in os.listdir(cow_host.cache.directory) if "." not in name}
    assert names == {"ephemeral_1", "ephemeral_2", "swap_16"}
    assert programs.verbs().count("mkfs.ext4") == 2
    assert programs.verbs().count("mkswap") == 1
    assert cow_host.tool.info(cow_host.disk("disk.eph1"), "qcow2").virtual_size_bytes == 2 * GIB
    assert cow_host.tool.info(cow_host.disk("disk.swap1"), "qcow2").virtual_size_bytes == 16 * MIB


def test_kernel_is_copied_as_it_is(host):
    content = b"kernel" * 1001
    kernel = host.image(content, "aki", id="kernel")
    path = host.disk("kernel")
    host.store.create_copy(kernel, path)
    assert pathlib.Path(path).read_bytes() == content


def test_removal_takes_everything_and_may_be_repeated(host):
    host.store.create_root(host.image(), host.disk(), 1)
    assert host.store.list_uuids() == {UUID}
    host.store.remove_directory(UUID)
    host.store.remove_directory(UUID)
    assert host.store.list_uuids() == set()
    assert os.path.exists(os.path.join(host.cache.directory, base_name("one")))


def test_img_14_fifty_builds_and_deletes_grow_nothing(cow_host, tmp_path):
    image = cow_host.image()
    cow_host.store.create_root(image, cow_host.disk(), 1)
    cow_host.store.remove_directory(UUID)
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    for _ in range(50):
        cow_host.store.create_root(image, cow_host.disk(), 1)
        cow_host.store.remove_directory(UUID)
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_img_16_removal_follows_no_link(host, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("keep")
    os.symlink(victim, tmp_path / UUID)
    host.store.remove_directory(UUID)
    assert (victim / "precious").exists()
    assert not os.path.lexists(tmp_path / UUID)
    os.symlink(victim, os.path.join(host.store.create_directory(UUID), "link"))
    host.store.remove_directory(UUID)
    assert (victim / "precious").exists()


def test_img_16_link_is_not_taken_for_a_directory(host, tmp_path):
    os.symlink("/etc", tmp_path / UUID)
    with pytest.raises(exception.UnsafePath):
        host.store.create_directory(UUID)


def test_files_that_a_guest_still_holds_are_an_error(host, monkeypatch):
    def held(path):
        raise OSError(39, "Directory not empty")

    host.disk()
    monkeypatch.setattr("shutil.rmtree", held)
    with pytest.raises(exception.DriverError, match="ENOTEMPTY"):
        host.store.remove_directory(UUID)


@pytest.mark.parametrize("name", ["", "..", "../x", "_base", "a" * 36, UUID.upper(), UUID + "/.."])
def test_directories_have_uuids_for_names(host, name):
    for action in (host.store.directory, host.store.create_directory, host.store.remove_directory):
        with pytest.raises(exception.UnsafePath):
            action(name)


def test_bases_of_existing_disks_are_in_use(cow_host):
    cow_host.store.create_root(cow_host.image(), cow_host.disk(), 1)
    cow_host.store.create_swap(cow_host.disk("disk.swap"), 8)
    assert cow_host.store.bases_in_use() == {base_name("one"), "swap_8"}
    assert bases_of({"one"}, {0, 2}, {8}) == {base_name("one"), "ephemeral_2", "swap_8"}


def test_img_11_bases_age_out_when_neither_server_nor_disk_needs_them(cow_host, monkeypatch):
    start = clock.utcnow()
    for image_id in ("booted", "kernel", "forgotten", "of-a-disk"):
        cow_host.cache.ensure_base(cow_host.image(id=image_id))
    cow_host.store.create_root(cow_host.image(id="of-a-disk"), cow_host.disk(), 1)
    cow_host.store.create_swap(cow_host.disk("other"), 8)
    os.unlink(cow_host.disk("other"))
    monkeypatch.setattr(clock, "utcnow", lambda: start + datetime.timedelta(days=2))
    server = make_instance(image_ref="booted", kernel_id="kernel")
    assert set(cow_host.store.age_out_bases([server])) == {base_name("forgotten"), "swap_8"}
    left = {name for name in os.listdir(cow_host.cache.directory) if "." not in name}
    assert left == {base_name(image_id) for image_id in ("booted", "kernel", "of-a-disk")}
