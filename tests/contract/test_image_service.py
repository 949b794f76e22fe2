"""What every image service does, asked of Glance's client and of the twin in memory."""

import dataclasses
import os
import stat

import pytest

from nova import exception
from nova.image.memory import MemoryImageService
from nova.objects.image import Image
from tests.fixtures import images
from tests.fixtures.glance_transport import GlanceInMemory

OWNER, MEMBER, STRANGER = "user:owner", "user:member", "user:stranger"
IMAGE_ID = "70a599e0-31e7-49b7-b260-868f441e862b"


class Twin:
    """The twin in memory, prepared like the stub of Glance."""

    def __init__(self):
        self.service = MemoryImageService()
        self.add, self.corrupt, self.remove = (
            self.service.add,
            self.service.corrupt,
            self.service.remove,
        )


@pytest.fixture(params=[Twin, GlanceInMemory])
def store(request):
    return request.param()


def image(**changes):
    values = {
        "id": IMAGE_ID,
        "name": "tiny",
        "disk_format": "qcow2",
        "container_format": "bare",
        "owner": "owner",
        "properties": {"hw_disk_bus": "virtio"},
    }
    return Image(**{**values, **changes})


CONTENT = images.qcow2() + b"\0" * 3_000_000 + b"end"


def test_describes_an_image(store):
    store.add(image(min_disk_gb=2, min_ram_mb=64), CONTENT)
    found = store.service.get(OWNER, IMAGE_ID)
    assert (found.name, found.status, found.disk_format) == ("tiny", "active", "qcow2")
    assert (found.size_bytes, found.min_disk_gb, found.min_ram_mb) == (len(CONTENT), 2, 64)
    assert found.properties == {"hw_disk_bus": "virtio"}
    assert (found.os_hash_algo, len(found.os_hash_value)) == ("sha512", 128)


def test_downloads_exactly_the_bytes_into_a_private_file(store, tmp_path):
    found = store.add(image(), CONTENT)
    path = tmp_path / "file"
    store.service.download(None, found, str(path))
    assert path.read_bytes() == CONTENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("visibility", ["private", "shared", "public", "community"])
@pytest.mark.parametrize("token", [OWNER, MEMBER, STRANGER, None])
def test_img_17_only_visible_images_exist(store, visibility, token, tmp_path):
    members = frozenset({"member"}) if visibility == "shared" else frozenset()
    found = store.add(image(visibility=visibility), CONTENT, members)
    visible = visibility in ("public", "community") or token in (OWNER, None)
    if visible or (visibility == "shared" and token == MEMBER):
        assert store.service.get(token, IMAGE_ID).id == IMAGE_ID
        store.service.download(token, found, str(tmp_path / "file"))
        return
    with pytest.raises(exception.ImageNotFound):
        store.service.get(token, IMAGE_ID)
    with pytest.raises(exception.ImageNotFound):
        store.service.download(token, found, str(tmp_path / "file"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("image_id", ["nothing", "", "..", "../flavors", "a/b", "a?b", "json:{}"])
def test_unknown_and_malformed_ids_are_not_found(store, image_id):
    with pytest.raises(exception.ImageNotFound):
        store.service.get(OWNER, image_id)


def test_img_18_one_flipped_bit_is_noticed_and_nothing_is_left(store, tmp_path):
    found = store.add(image(), CONTENT)
    store.corrupt(IMAGE_ID)
    with pytest.raises(exception.ImageCorrupt, match="sha512"):
        store.service.download(None, found, str(tmp_path / "file"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("changes", [{"os_hash_algo": "md5"}, {"os_hash_algo": None}])
@pytest.mark.parametrize("value", ["d41d8cd98f00b204e9800998ecf8427e", None])
def test_img_18_weak_or_missing_checksum_is_refused(store, tmp_path, changes, value):
    found = dataclasses.replace(store.add(image(), CONTENT), **changes, os_hash_value=value)
    with pytest.raises(exception.ImageUnacceptable, match="strong checksum"):
        store.service.download(None, found, str(tmp_path / "file"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("difference", [-1, 1])
def test_img_18_wrong_size_is_an_error(store, tmp_path, difference):
    found = store.add(image(size_bytes=len(CONTENT) + difference), CONTENT)
    with pytest.raises((exception.ImageCorrupt, exception.ImageUnacceptable)):
        store.service.download(None, found, str(tmp_path / "file"))
    assert os.listdir(tmp_path) == []


def test_download_is_bounded(store, tmp_path):
    found = store.add(image(), CONTENT)
    for described in (found, dataclasses.replace(found, size_bytes=None)):
        with pytest.raises(exception.ImageUnacceptable, match="more than the 1000 bytes"):
            store.service.download(None, described, str(tmp_path / "file"), max_bytes=1000)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("status", ["queued", "saving", "importing", "deactivated", "killed"])
def test_image_that_is_not_active_is_described_but_not_downloaded(store, tmp_path, status):
    found = store.add(image(status=status), CONTENT)
    assert store.service.get(OWNER, IMAGE_ID).status == status
    with pytest.raises(exception.ImageNotActive, match=status):
        store.service.download(None, found, str(tmp_path / "file"))


def test_image_that_vanished_meanwhile_is_not_found(store, tmp_path):
    found = store.add(image(), CONTENT)
    store.remove(IMAGE_ID)
    with pytest.raises(exception.ImageNotFound):
        store.service.download(None, found, str(tmp_path / "file"))
    assert os.listdir(tmp_path) == []


def test_img_16_download_never_follows_a_planted_link(store, tmp_path):
    found = store.add(image(), CONTENT)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "file").symlink_to(victim)
    with pytest.raises(FileExistsError):
        store.service.download(None, found, str(tmp_path / "file"))
    assert victim.read_text() == "precious"
