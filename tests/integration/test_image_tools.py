"""Images and disks with the real qemu-img, mkfs and mkswap."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import pytest

from nova import exception
from nova.image.inspector import verdict
from nova.image.memory import MemoryImageService
from nova.image.source import CheckedImages
from nova.objects.image import Image
from nova.virt.libvirt.disk import GIB, MIB, DiskStore
from nova.virt.libvirt.imagecache import CacheSettings, ImageCache
from nova.virt.libvirt.limited import Limits
from nova.virt.libvirt.paths import Area
from nova.virt.libvirt.qemu_img import QemuImg
from tests.fixtures import images

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img is not installed"),
]

UUID = "3f1a2b4c-0000-4000-8000-123456789abc"
CANARY = b"canary-7f3d9a " * 5000
CONTENT = b"the content of the disk " * 100_000


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


class Host:
    """A disk store with an image service behind it and real tools."""

    def __init__(self, root: pathlib.Path, cow=True, reserved=0, **limits) -> None:
        self.root = root
        self.service = MemoryImageService()
        self.tool = QemuImg(Area(str(root)), **limits)
        settings = CacheSettings(host="host", reserved_bytes=reserved)
        self.cache = ImageCache(str(root), CheckedImages(self.service), self.tool, settings)
        self.store = DiskStore(str(root), self.tool, self.cache, cow)

    def image(self, path: pathlib.Path, disk_format: str) -> Image:
        return self.service.add(Image(id="one", disk_format=disk_format), path.read_bytes())

    def disk(self, name="disk") -> str:
        return os.path.join(self.store.create_directory(UUID), name)

    def beginning(self, path: str) -> bytes:
        """Return what a guest would read from the first 32 MiB of a disk of the store."""
        target = self.root / "readback"
        target.unlink(missing_ok=True)
        run("qemu-img", "convert", "-f", self.store.disk_format, "-O", "raw", path, str(target))
        with target.open("rb") as file:
            return file.read(32 * MIB)

    def leftovers(self) -> set[str]:
        return {name for name in os.listdir(self.cache.directory) if not name.endswith(".used")}


@pytest.fixture
def area(tmp_path):
    root = tmp_path / "instances"
    root.mkdir()
    return root


@pytest.fixture
def sample(tmp_path):
    """Return a disk image of a format, with CONTENT at its start."""

    def make(driver: str, *options: str) -> pathlib.Path:
        source = tmp_path / "source.raw"
        source.write_bytes(CONTENT)
        os.truncate(source, 20 * MIB)
        target = tmp_path / "sample"
        run("qemu-img", "convert", "-f", "raw", "-O", driver, *options, str(source), str(target))
        return target

    return make


@pytest.mark.parametrize(
    ("disk_format", "driver", "options"),
    [
        ("raw", "raw", []),
        ("qcow2", "qcow2", []),
        ("qcow2", "qcow2", ["-o", "compat=0.10"]),
        ("qcow2", "qcow2", ["-c", "-o", "compression_type=zstd,extended_l2=on,cluster_size=128k"]),
        ("qcow2", "qcow2", ["-o", "cluster_size=512"]),
        ("qcow2", "qcow2", ["-o", "lazy_refcounts=on,preallocation=metadata"]),
        ("vmdk", "vmdk", []),
        ("vmdk", "vmdk", ["-o", "subformat=streamOptimized"]),
        ("vdi", "vdi", []),
        ("vdi", "vdi", ["-o", "static=on"]),
        ("vhd", "vpc", ["-o", "force_size=on"]),
        ("vhd", "vpc", ["-o", "subformat=fixed,force_size=on"]),
        ("vhdx", "vhdx", []),
        ("vhdx", "vhdx", ["-o", "subformat=fixed"]),
    ],
)
@pytest.mark.parametrize("cow", [True, False])
def test_every_bootable_format_becomes_a_disk(area, sample, disk_format, driver, options, cow):
    host = Host(area, cow)
    path = host.disk()
    host.store.create_root(host.image(sample(driver, *options), disk_format), path, 1)
    assert host.beginning(path).startswith(CONTENT)
    assert host.tool.info(path, host.store.disk_format).virtual_size_bytes == GIB


def test_img_01_backing_file_does_not_leak(area, tmp_path):
    canary, hostile = tmp_path / "canary", tmp_path / "hostile"
    canary.write_bytes(CANARY)
    run("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", str(canary), str(hostile))
    assert b"canary-7f3d9a" in _read_by_qemu(hostile)
    _refused_without_leak(Host(area), hostile, "backing file")


def test_img_02_data_file_does_not_leak(area, tmp_path):
    canary, hostile = tmp_path / "canary", tmp_path / "hostile"
    options = f"data_file={canary},data_file_raw=on"
    run("qemu-img", "create", "-f", "qcow2", "-o", options, str(hostile), str(len(CANARY)))
    canary.write_bytes(CANARY)
    assert b"canary-7f3d9a" in _read_by_qemu(hostile)
    _refused_without_leak(Host(area), hostile, "data file")


@pytest.mark.parametrize("subformat", ["monolithicFlat", "twoGbMaxExtentSparse"])
def test_img_04_vmdk_of_several_files_is_refused(area, tmp_path, subformat):
    hostile = tmp_path / "hostile.vmdk"
    run("qemu-img", "create", "-f", "vmdk", "-o", f"subformat={subformat}", str(hostile), "1M")
    host = Host(area)
    with pytest.raises(exception.ImageUnacceptable):
        host.cache.ensure_base(host.image(hostile, "vmdk"))


def test_img_03_partitioned_raw_disk_declared_as_raw_boots(area, tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(images.gpt())
    host = Host(area)
    assert host.store.create_root(host.image(path, "raw"), host.disk(), 0) == images.SIZE


@pytest.mark.parametrize("cow", [True, False])
def test_img_07_guest_that_writes_headers_gains_nothing(area, sample, tmp_path, cow):
    canary = tmp_path / "canary"
    canary.write_bytes(CANARY)
    host = Host(area, cow)
    path = host.disk()
    host.store.create_root(host.image(sample("qcow2"), "qcow2"), path, 1)
    header = tmp_path / "header"
    header.write_bytes(images.qcow2_with_backing(str(canary).encode()))
    size = str(header.stat().st_size)
    write = f"write -s {header} 0 {size}"
    run("qemu-io", "-f", host.store.disk_format, "-c", write, path)
    host.store.extend(path, host.store.disk_format, 2 * GIB)
    info = host.tool.info(path, host.store.disk_format)
    assert info.virtual_size_bytes == 2 * GIB
    assert info.backing_path != str(canary)
    content = host.beginning(path)
    assert content.startswith(header.read_bytes()[:600])
    assert b"canary-7f3d9a" not in content


def test_img_08_small_file_with_a_huge_disk_is_refused(area, tmp_path):
    path = tmp_path / "huge"
    run("qemu-img", "create", "-f", "qcow2", str(path), "8T")
    assert path.stat().st_size < 2 * MIB
    for cow in (True, False):
        host = Host(area, cow)
        with pytest.raises(exception.ImageTooLarge):
            host.store.create_root(host.image(path, "qcow2"), host.disk(), 20)
        assert host.leftovers() == set()
        assert os.listdir(host.store.directory(UUID)) == []


def test_img_09_compressed_bomb_stays_within_the_budget(area, tmp_path):
    source, bomb = tmp_path / "source", tmp_path / "bomb"
    with source.open("wb") as file:
        for _ in range(200):
            file.write(b"\1" * MIB)
    run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", str(source), str(bomb))
    source.unlink()
    assert bomb.stat().st_size < 10 * MIB
    status = os.statvfs(area)
    free = status.f_bavail * status.f_frsize
    host = Host(area, reserved=free - 100 * MIB)
    with pytest.raises(exception.HostStorageFull):
        host.cache.ensure_base(host.image(bomb, "qcow2"), GIB)
    assert host.leftovers() == set()


def test_img_09_output_can_not_pass_its_bound(area, sample):
    host = Host(area)
    source = area / "source"
    shutil.copy(sample("qcow2"), source)
    with pytest.raises(exception.CommandFailed):
        host.tool.convert_to_raw(str(source), "qcow2", str(area / "out"), MIB)
    assert (area / "out").stat().st_size <= MIB


def repeating_bomb() -> bytes:
    """Return a qcow2 disk of 32 GiB in 8 MiB: all tables lead to the same few clusters."""
    cluster, entries = 512, 1 << 20
    l1_at, l2_at, data_at = 8 * cluster, 2 * cluster, 3 * cluster
    content = images.qcow2(
        cluster_bits=9,
        size=entries << 15,
        l1_entries=entries,
        l1_offset=l1_at,
        refcount_offset=cluster,
    )[:cluster]
    content = images.pad(content, l2_at) + struct.pack(">Q", data_at | 1 << 63) * 64
    content = images.pad(content + b"\1" * cluster, l1_at)
    return content + struct.pack(">Q", l2_at | 1 << 63) * entries


@pytest.mark.parametrize("address_space", [2 << 30, 64 << 20])
def test_img_10_huge_tables_are_stopped_within_the_limits(area, tmp_path, address_space):
    path = tmp_path / "bomb"
    path.write_bytes(repeating_bomb())
    assert verdict.inspect(path.read_bytes()).virtual_size_bytes == 32 * GIB
    limits = Limits(cpu_s=1, wall_s=20, address_space_bytes=address_space)
    host = Host(area, look=limits, work=limits)
    start = time.monotonic()
    with pytest.raises(exception.ImageConversionFailed):
        host.cache.ensure_base(host.image(path, "qcow2"), 64 * GIB)
    assert time.monotonic() - start < 15
    assert host.leftovers() == set()
    source = area / "source"
    shutil.copy(path, source)
    with pytest.raises((exception.CommandTimeout, exception.CommandFailed)):
        host.tool.convert_to_raw(str(source), "qcow2", str(area / "out"), 32 * GIB)


def test_img_10_programs_are_stopped_under_eventlet_too():
    """Other green threads go on meanwhile, and the time-out is our own error."""
    script = """
import eventlet; eventlet.monkey_patch()
from nova import exception
from nova.virt.libvirt import limited
ticks = []
def tick():
    while True:
        ticks.append(1)
        eventlet.sleep(0.01)
eventlet.spawn(tick)
try:
    limited.run(["sleep", "20"], limited.Limits(wall_s=1))
except exception.CommandTimeout:
    print("stopped", len(ticks) > 20)
"""
    start = time.monotonic()
    assert run(sys.executable, "-W", "ignore", "-c", script).split() == [b"stopped", b"True"]
    assert time.monotonic() - start < 15


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("command", ["ls {work}", "cat {work}/download", "ls {base}"])
@pytest.mark.parametrize("attack", ["ln -s /etc {base}/x", "touch {work}/raw", None])
def test_img_16_other_local_users_stay_outside(sample, command, attack):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as root:
        os.chmod(root, 0o711)
        host = Host(pathlib.Path(root))
        codes = []
        real = host.tool.convert_to_raw

        def watched(source, *others):
            names = {"work": os.path.dirname(source), "base": host.cache.directory}
            for text in (command, attack or command):
                words = text.format(**names).split()
                codes.append(subprocess.run(words, user=65534, group=65534, check=False).returncode)
            real(source, *others)

        host.tool.convert_to_raw = watched
        host.cache.ensure_base(host.image(sample("qcow2"), "qcow2"))
        assert len(codes) == 2
        assert 0 not in codes


@pytest.mark.parametrize("cow", [True, False])
def test_img_12_a_new_disk_shows_nothing_of_a_deleted_one(area, sample, cow):
    host = Host(area, cow)
    image = host.image(sample("raw"), "raw")
    marker = b"marker of a former tenant "
    for name in ("disk", "disk.local"):
        path = host.disk(name)
        host.store.create_root(image, path, 1)
        run("qemu-io", "-f", host.store.disk_format, "-c", "write -P 0x5a 900M 4M", path)
        pathlib.Path(path).with_suffix(".marker").write_bytes(marker)
    host.store.remove_directory(UUID)
    path = host.disk()
    host.store.create_root(image, path, 1)
    run("qemu-io", "-f", host.store.disk_format, "-c", "read -P 0 900M 4M", path)
    assert os.listdir(os.path.dirname(path)) == ["disk"]


def test_img_13_a_foreign_file_in_the_place_of_a_disk_is_not_used(area, sample, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.write_bytes(CANARY)
    host = Host(area)
    path = host.disk()
    os.link(foreign, path)
    host.store.create_root(host.image(sample("raw"), "raw"), path, 1)
    assert foreign.read_bytes() == CANARY
    assert b"canary-7f3d9a" not in host.beginning(path)


def test_empty_disks_are_formatted(area):
    host = Host(area, cow=False)
    host.store.create_ephemeral(host.disk("disk.local"), 1)
    host.store.create_swap(host.disk("disk.swap"), 8)
    with open(host.disk("disk.local"), "rb") as file:
        assert file.read(2048)[1080:1082] == b"\x53\xef"
    assert pathlib.Path(host.disk("disk.swap")).read_bytes()[4086:4096] == b"SWAPSPACE2"
    assert os.stat(host.disk("disk.local")).st_blocks * 512 < 200 * MIB


def _read_by_qemu(path: pathlib.Path) -> bytes:
    """Return what a careless tool would hand out: proof that the sample is dangerous."""
    target = path.with_name("leaked")
    run("qemu-img", "convert", "-O", "raw", str(path), str(target))
    return target.read_bytes()


def _refused_without_leak(host: Host, hostile: pathlib.Path, reason: str) -> None:
    for disk_format in ("qcow2", "raw", "vmdk", "iso"):
        image = host.image(hostile, disk_format)
        with pytest.raises(exception.ImageUnacceptable, match=reason):
            host.store.create_root(image, host.disk(), 1)
    assert host.leftovers() == set()
    for path in host.root.rglob("*"):
        assert not path.is_file() or b"canary-7f3d9a" not in path.read_bytes()
