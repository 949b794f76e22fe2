"""Images on their way to a host."""

import os

import pytest

from nova import exception
from nova.image.memory import MemoryImageService
from nova.image.source import CheckedImages, check_bootable
from nova.objects.image import Image
from tests.fixtures import images


def fetched(content, path, disk_format="qcow2"):
    service = MemoryImageService()
    service.add(Image(id="one", disk_format=disk_format), content)
    source = CheckedImages(service)
    return source.fetch(source.get("one"), str(path))


def test_sound_image_is_left_behind_with_its_facts(tmp_path):
    facts = fetched(images.qcow2(), tmp_path / "file")
    assert (facts.format, facts.virtual_size_bytes) == ("qcow2", images.SIZE)
    assert (tmp_path / "file").read_bytes() == images.qcow2()


@pytest.mark.parametrize(
    ("content", "disk_format"),
    [
        (images.qcow2_with_backing(), "qcow2"),
        (images.qcow2(), "raw"),
        (images.luks(), "luks"),
        (b"", "raw"),
    ],
)
def test_img_03_refused_image_is_removed(content, disk_format, tmp_path):
    with pytest.raises(exception.ImageUnacceptable):
        fetched(content, tmp_path / "file", disk_format)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "disk_format", ["raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso", "ami"]
)
def test_bootable_formats_pass_the_early_check(disk_format):
    check_bootable(Image(id="one", disk_format=disk_format))


@pytest.mark.parametrize("disk_format", [None, "luks", "ploop", "docker", ""])
def test_img_05_other_formats_fail_early(disk_format):
    with pytest.raises(exception.ImageUnacceptable, match="can not be booted"):
        check_bootable(Image(id="one", disk_format=disk_format))


@pytest.mark.parametrize("status", ["queued", "saving", "deactivated", "killed"])
def test_image_without_usable_bytes_fails_early(status):
    with pytest.raises(exception.ImageNotActive, match=status):
        check_bootable(Image(id="one", status=status, disk_format="raw"))
