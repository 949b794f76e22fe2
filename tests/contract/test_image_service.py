"""What every image service does, asked of Glance's client and of the twin in memory."""

import dataclasses
import os
import stat

import pytest

from nova import exception
from nova.image.memory import MemoryImageService
from nova.objects.image import Image, ImageChange, ImageQuery, NewImage
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


# --- Writing


NEW = NewImage(name="snap", min_disk_gb=3, min_ram_mb=64, properties={"image_type": "snapshot"})
FORMATS = ImageChange(disk_format="qcow2", container_format="bare")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "contents"
    path.write_bytes(CONTENT)
    return str(path)


def test_new_image_is_a_private_record_of_the_callers_project(store):
    made = store.service.create(OWNER, NEW)
    found = store.service.get(OWNER, made.id)
    assert (found.name, found.status, found.owner) == ("snap", "queued", "owner")
    assert (found.visibility, found.size_bytes) == ("private", None)
    assert (found.min_disk_gb, found.min_ram_mb) == (3, 64)
    assert found.properties == {"image_type": "snapshot"}
    with pytest.raises(exception.ImageNotFound):
        store.service.get(STRANGER, made.id)


def test_service_uploads_to_the_users_image_and_the_user_owns_it(store, file, tmp_path):
    made = store.service.create(OWNER, NEW)
    store.service.update(None, made.id, FORMATS)
    store.service.upload(None, made.id, file)
    found = store.service.get(OWNER, made.id)
    assert (found.status, found.owner, found.size_bytes) == ("active", "owner", len(CONTENT))
    assert (found.disk_format, found.container_format) == ("qcow2", "bare")
    store.service.download(OWNER, found, str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == CONTENT


def test_upload_twice_is_one_upload(store, file):
    made = store.service.create(OWNER, NEW)
    store.service.update(None, made.id, FORMATS)
    store.service.upload(None, made.id, file)
    store.service.upload(None, made.id, file)
    assert store.service.get(OWNER, made.id).size_bytes == len(CONTENT)


def test_other_bytes_for_an_image_that_has_some_are_refused(store, file, tmp_path):
    store.add(image(), b"other")
    with pytest.raises(exception.ImageBusy):
        store.service.upload(None, IMAGE_ID, file)
    assert store.service.get(OWNER, IMAGE_ID).size_bytes == 5


@pytest.mark.parametrize(
    "name", ["visibility", "owner", "status", "id", "locations", "os_glance_failed_import"]
)
def test_img_17_properties_never_become_fields_of_the_image(store, name):
    evil = NewImage(name="snap", properties={name: "public"})
    with pytest.raises(exception.ImagePropertyRefused, match=name):
        store.service.create(OWNER, evil)
    made = store.service.create(OWNER, NEW)
    for change in (
        ImageChange(set_properties={name: "public"}),
        ImageChange(remove_properties=(name,)),
    ):
        with pytest.raises(exception.ImagePropertyRefused, match=name):
            store.service.update(OWNER, made.id, change)


def test_properties_are_set_and_removed(store):
    store.add(image(properties={"a": "1", "b/c~d": "2", "e": "3"}), CONTENT)
    change = ImageChange(
        name="new", set_properties={"a": "9", "f": "4"}, remove_properties=("b/c~d",)
    )
    after = {"a": "9", "e": "3", "f": "4"}
    changed = store.service.update(OWNER, IMAGE_ID, change)
    assert (changed.name, changed.properties) == ("new", after)
    assert store.service.get(OWNER, IMAGE_ID).properties == after
    with pytest.raises(exception.ImageBusy):
        store.service.update(OWNER, IMAGE_ID, ImageChange(remove_properties=("gone",)))


def test_formats_of_an_image_with_data_stay(store):
    store.add(image(), CONTENT)
    with pytest.raises(exception.ImageServiceForbidden):
        store.service.update(OWNER, IMAGE_ID, FORMATS)


@pytest.mark.parametrize(
    ("visibility", "error"),
    [("private", exception.ImageNotFound), ("public", exception.ImageServiceForbidden)],
)
def test_img_17_strangers_change_nothing(store, file, visibility, error):
    store.add(image(visibility=visibility), CONTENT)
    for change in (
        lambda: store.service.delete(STRANGER, IMAGE_ID),
        lambda: store.service.upload(STRANGER, IMAGE_ID, file),
        lambda: store.service.update(STRANGER, IMAGE_ID, ImageChange(set_properties={"a": "1"})),
    ):
        with pytest.raises(error):
            change()
    assert store.service.get(OWNER, IMAGE_ID).properties == {"hw_disk_bus": "virtio"}


@pytest.mark.parametrize("token", [OWNER, None])
def test_deleted_image_is_gone(store, token):
    store.add(image(), CONTENT)
    store.service.delete(token, IMAGE_ID)
    with pytest.raises(exception.ImageNotFound):
        store.service.get(OWNER, IMAGE_ID)
    with pytest.raises(exception.ImageNotFound):
        store.service.delete(token, IMAGE_ID)


# --- Lists


def ids(store, token=OWNER, **query):
    return [found.id[-1] for found in store.service.page(token, ImageQuery(**query))]


def fill(store):
    for number, changes in enumerate(
        (
            {"name": "a", "properties": {"image_type": "backup"}},
            {"name": "b", "status": "queued", "min_ram_mb": 64},
            {"name": "b", "status": "saving", "min_disk_gb": 2},
            {"name": "c", "owner": "stranger"},
            {"name": "d", "owner": "stranger", "visibility": "public"},
            {"name": "e", "owner": "stranger", "visibility": "community"},
        )
    ):
        store.add(image(id=f"{IMAGE_ID[:-1]}{number}", **changes), CONTENT)


def test_img_17_lists_show_what_the_caller_may_see_newest_first(store):
    fill(store)
    assert ids(store) == ["4", "2", "1", "0"]
    assert ids(store, STRANGER) == ["5", "4", "3"]
    assert ids(store, MEMBER) == ["4"]
    assert ids(store, None) == ["5", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "b"}, ["2", "1"]),
        ({"name": "c"}, []),
        ({"statuses": ("active",)}, ["4", "0"]),
        ({"statuses": ("queued", "saving")}, ["2", "1"]),
        ({"owner": "stranger"}, ["4"]),
        ({"min_ram_mb": 64}, ["1"]),
        ({"min_disk_gb": 2}, ["2"]),
        ({"properties": {"image_type": "backup"}}, ["0"]),
        ({"properties": {"image_type": "snapshot"}}, []),
        ({"name": "b", "statuses": ("saving",)}, ["2"]),
    ],
)
def test_lists_are_filtered(store, query, found):
    fill(store)
    assert ids(store, **query) == found


def test_lists_come_in_pages(store):
    fill(store)
    assert ids(store, limit=2) == ["4", "2"]
    assert ids(store, limit=2, marker=f"{IMAGE_ID[:-1]}2") == ["1", "0"]
    with pytest.raises(exception.MarkerNotFound):
        ids(store, marker=f"{IMAGE_ID[:-1]}3")


def test_each_image_has_an_address(store):
    assert store.service.url_of(IMAGE_ID).endswith(f"/images/{IMAGE_ID}")
