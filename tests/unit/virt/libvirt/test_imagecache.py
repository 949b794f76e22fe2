"""The cache of base images, with real files and a stand-in for qemu-img."""

import concurrent.futures
import dataclasses
import datetime
import os
import pathlib
import stat
import threading

import pytest

from nova import clock, exception
from nova.image.memory import MemoryImageService
from nova.image.source import CheckedImages
from nova.objects.image import Image
from nova.virt.libvirt.cache_age import AgeRules
from nova.virt.libvirt.imagecache import CacheSettings, ImageCache, base_name
from nova.virt.libvirt.paths import Area
from nova.virt.libvirt.qemu_img import QemuImg
from tests.fixtures import images
from tests.fixtures.qemu_img_program import Programs

SIZE = images.SIZE


class Host:
    """A cache with an image service of its own."""

    def __init__(self, root: pathlib.Path, programs: Programs) -> None:
        self.root = root
        self.programs = programs
        self.service = MemoryImageService()
        self.downloads = 0
        self.cache = self.restarted()

    def restarted(self, **settings) -> ImageCache:
        tool = QemuImg(Area(str(self.root)))
        return ImageCache(str(self.root), self, tool, CacheSettings(host="host", **settings))

    def get(self, image_id):
        return CheckedImages(self.service).get(image_id)

    def fetch(self, image, path, max_bytes=None):
        self.downloads += 1
        return CheckedImages(self.service).fetch(image, path, max_bytes)

    def image(self, kind="qcow2", content=None, **changes) -> Image:
        image = Image(**{"id": f"image-of-{kind}", "disk_format": kind, **changes})
        return self.service.add(image, images.SOUND[kind] if content is None else content)

    def files(self) -> set[str]:
        names = os.listdir(self.cache.directory) if os.path.isdir(self.cache.directory) else []
        return {name for name in names if not name.endswith(".used")}


@pytest.fixture
def programs(monkeypatch):
    stub = Programs()
    monkeypatch.setattr("subprocess.run", stub)
    return stub


@pytest.fixture
def host(tmp_path, programs):
    return Host(tmp_path, programs)


@pytest.mark.parametrize("name", ["qcow2", "vmdk", "vdi", "vhd", "vhdx"])
def test_packed_image_is_unpacked_once(host, name):
    image = host.image(name)
    base = host.cache.ensure_base(image, SIZE)
    assert base.size_bytes == SIZE
    assert host.cache.ensure_base(image, SIZE) == base
    assert host.downloads == 1
    assert host.programs.verbs() == ["measure", "convert"]
    assert host.files() == {base_name(image.id)}


@pytest.mark.parametrize("name", ["raw", "iso"])
def test_img_06_raw_image_meets_no_tool(host, name):
    image = host.image(name)
    base = host.cache.ensure_base(image)
    assert pathlib.Path(base.path).read_bytes() == images.SOUND[name]
    assert host.programs.calls == []


@pytest.mark.parametrize("name", ["ami", "aki", "ari"])
def test_parts_of_three_part_images_are_raw(host, name):
    image = host.image("raw", id=name)
    base = host.cache.ensure_base(dataclasses.replace(image, disk_format=name))
    assert base.size_bytes == SIZE


def test_img_08_size_is_checked_before_anything_is_unpacked(host):
    size = 8 << 40
    content = images.qcow2(size=size, l1_entries=size >> 29) + bytes(200_000)
    image = host.image("qcow2", content)
    with pytest.raises(exception.ImageTooLarge, match=str(size)):
        host.cache.ensure_base(image, 10 << 30)
    assert host.programs.calls == []
    assert host.files() == set()


def test_img_08_size_is_checked_for_cached_files_too(host):
    image = host.image("qcow2")
    host.cache.ensure_base(image, SIZE)
    with pytest.raises(exception.ImageTooLarge):
        host.cache.ensure_base(image, SIZE - 1)
    assert host.cache.ensure_base(image, None).size_bytes == SIZE


def test_img_08_raw_image_too_large_is_not_even_downloaded(host):
    with pytest.raises(exception.ImageTooLarge):
        host.cache.ensure_base(host.image("raw"), SIZE - 1)
    assert host.downloads == 0


def test_img_09_output_is_bounded_by_the_inspected_size(host):
    host.cache.ensure_base(host.image("qcow2"), 10 * SIZE)
    assert host.programs.limits[-1]["fsize"] == str(SIZE)


def test_img_09_storage_budget_of_the_host_holds(host):
    image = host.image("qcow2")
    cache = host.restarted(reserved_bytes=1 << 60)
    with pytest.raises(exception.HostStorageFull, match="0 bytes"):
        cache.ensure_base(image)
    assert (host.downloads, host.files()) == (0, set())


def test_img_09_full_disk_is_an_error_that_says_so(host, monkeypatch):
    monkeypatch.setattr(host, "fetch", _raise(OSError(28, "No space left on device")))
    with pytest.raises(exception.HostStorageFull):
        host.cache.ensure_base(host.image("qcow2"))
    assert host.files() == set()


def test_other_faults_of_the_host_are_not_called_full_storage(host, monkeypatch):
    monkeypatch.setattr(host, "fetch", _raise(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        host.cache.ensure_base(host.image("qcow2"))
    assert host.files() == set()


def test_img_10_unpacking_that_fails_is_a_user_error(host):
    image = host.image("qcow2")
    for failure in (1, -9, -24, -25):
        host.programs.fail_next("convert", failure)
        with pytest.raises(exception.ImageConversionFailed, match=image.id):
            host.cache.ensure_base(image)
        assert host.files() == set()
    assert host.cache.ensure_base(image).size_bytes == SIZE


@pytest.mark.parametrize(
    "content",
    [
        images.qcow2_with_backing(),
        images.qcow2_with_data_file(),
        images.raw(),
        images.iso(images.qcow2()),
        *images.REFUSED.values(),
    ],
)
def test_img_01_02_03_05_unsafe_images_leave_nothing_and_meet_no_tool(host, content):
    image = host.image("qcow2", content)
    with pytest.raises(exception.ImageUnacceptable, match=image.id):
        host.cache.ensure_base(image)
    assert host.programs.calls == []
    assert host.files() == set()


def test_img_18_corrupt_download_leaves_nothing(host):
    image = host.image("qcow2")
    host.service.corrupt(image.id)
    with pytest.raises(exception.ImageCorrupt):
        host.cache.ensure_base(image)
    assert host.files() == set()


def test_missing_image_is_named(host):
    image = host.image("qcow2")
    host.service.remove(image.id)
    with pytest.raises(exception.ImageNotFound, match=image.id):
        host.cache.ensure_base(image)
    assert host.files() == set()


@pytest.mark.parametrize("step", ["fetch", "measure", "convert", "rename"])
def test_img_14_stopping_at_any_step_leaves_nothing(host, step, monkeypatch):
    class Stopped(BaseException):
        pass

    image = host.image("qcow2")
    with monkeypatch.context() as patch:
        if step == "fetch":
            patch.setattr(host, "fetch", _raise(Stopped()))
        elif step == "rename":
            patch.setattr("os.rename", _raise(Stopped()))
        else:
            host.programs.fail_next(step, Stopped())
        with pytest.raises(Stopped):
            host.cache.ensure_base(image)
    assert host.files() == set()
    assert host.cache.ensure_base(image).size_bytes == SIZE


def test_parallel_boots_download_once(host):
    image = host.image("qcow2")
    barrier = threading.Barrier(8)

    def boot():
        barrier.wait(10)
        return host.cache.ensure_base(image, SIZE)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bases = {future.result() for future in [pool.submit(boot) for _ in range(8)]}
    assert len(bases) == 1
    assert host.downloads == 1


def test_img_11_names_depend_on_the_image_id_alone(host):
    for number in range(200):
        properties = {"os_type": f"type{number}", "hw_disk_bus": f"bus{number}"}
        image = host.image("qcow2", id="one", name=f"name{number}", properties=properties)
        host.cache.ensure_base(image)
    assert host.files() == {base_name("one")}


@pytest.mark.parametrize("image_id", ["../../etc/passwd", "json:{}", "nbd:x", "-O", "a/b"])
def test_img_05_hostile_image_ids_never_become_names(host, image_id):
    host.cache.ensure_base(host.image("qcow2", id=image_id))
    assert host.files() == {base_name(image_id)}


@pytest.mark.parametrize("name", ["../x", "", "ephemeral_0", "ephemeral_x", "swap_-1", "disk"])
def test_img_11_made_bases_have_names_of_a_fixed_form(host, name):
    with pytest.raises(exception.UnsafePath):
        host.cache.ensure_made(name, lambda directory: directory)


def test_img_16_work_happens_in_private_directories(host):
    seen = []
    real = host.programs._convert

    def watch(options, source, target):
        seen.append(stat.S_IMODE(os.stat(os.path.dirname(source)).st_mode))
        seen.append(stat.S_IMODE(os.stat(source).st_mode))
        real(options, source, target)

    host.programs._convert = watch
    base = host.cache.ensure_base(host.image("qcow2"))
    assert seen == [0o700, 0o600]
    assert stat.S_IMODE(os.stat(base.path).st_mode) == 0o644
    assert stat.S_IMODE(os.stat(host.cache.directory).st_mode) & 0o022 == 0


def test_img_16_planted_link_is_not_taken_for_a_base(host, tmp_path):
    image = host.image("qcow2")
    os.makedirs(host.cache.directory)
    os.symlink("/etc/hostname", os.path.join(host.cache.directory, base_name(image.id)))
    with pytest.raises(exception.UnsafePath):
        host.cache.ensure_base(image)


def test_leftovers_of_this_host_alone_are_removed_at_start(host):
    host.cache.ensure_base(host.image("qcow2"))
    mine = pathlib.Path(host.cache.directory, host.cache._work_prefix() + "dead")
    other = pathlib.Path(host.cache.directory, ".part-0123456789ab-dead")
    for directory in (mine, other):
        directory.mkdir()
        (directory / "download").write_text("half")
    host.restarted().remove_leftovers()
    assert not mine.exists()
    assert other.exists()


def test_leftovers_of_nothing_are_fine(host):
    host.cache.remove_leftovers()
    assert host.cache.age_out(set()) == []


def test_img_11_unused_bases_age_out(host, monkeypatch):
    start = clock.utcnow()
    later = {"seconds": 0}
    monkeypatch.setattr(clock, "utcnow", lambda: start + _seconds(later["seconds"]))
    used, unused = host.image("qcow2", id="used"), host.image("qcow2", id="unused")
    cache = host.restarted(rules=AgeRules(original_age_s=1000))
    for image in (used, unused):
        cache.ensure_base(image)
    later["seconds"] = 999
    assert cache.age_out({base_name("used")}) == []
    later["seconds"] = 1001
    assert cache.age_out({base_name("used")}) == [base_name("unused")]
    assert os.listdir(cache.directory) != []
    assert host.files() == {base_name("used")}
    later["seconds"] = 1998
    assert cache.age_out(set()) == []
    later["seconds"] = 2002
    assert cache.age_out(set()) == [base_name("used")]
    assert os.listdir(cache.directory) == []


def _raise(error):
    def function(*args, **kwargs):
        raise error

    return function


def _seconds(count):
    return datetime.timedelta(seconds=count)


def test_image_fetched_ahead_is_there_for_the_first_server(host):
    image = host.image("raw")
    assert host.cache.fetch_ahead(image)
    assert not host.cache.fetch_ahead(image)
    assert host.cache.ensure_base(image, SIZE).size_bytes == SIZE
    assert host.downloads == 1


def test_img_08_image_fetched_ahead_is_measured_against_the_flavor_later(host):
    image = host.image("qcow2")
    host.cache.fetch_ahead(image)
    with pytest.raises(exception.ImageTooLarge):
        host.cache.ensure_base(image, SIZE - 512)
