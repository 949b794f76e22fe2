"""The proxies of images: what they show, and to whom."""

import datetime

import pytest

from nova.objects.image import Image
from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.unit.api.openstack.conftest import IMAGE_ID

OWN, FOREIGN = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
SERVER = "bbbbbbbb-0000-4000-8000-000000000001"
OWNER = f"alice:{PROJECT}"
MADE = datetime.datetime(2026, 1, 2, 3, 4, 5, 678)


@pytest.fixture
def images(api):
    """Return the image service with an own snapshot and somebody else's image."""
    snapshot = Image(
        id=OWN,
        name="snap",
        owner=PROJECT,
        min_disk_gb=2,
        min_ram_mb=64,
        created_at=MADE,
        updated_at=MADE,
        properties={"instance_uuid": SERVER, "image_type": "snapshot", "auto_disk_config": "True"},
    )
    api.images.add(snapshot, b"12345")
    api.images.add(Image(id=FOREIGN, name="foreign", owner=OTHER_PROJECT), b"x")
    return api.images


def add(images, number, **changes):
    found = f"cccccccc-0000-4000-8000-{number:012}"
    images.add(Image(id=found, owner=PROJECT, **{"name": "more"} | changes), b"x")
    return found


def ids(answer):
    assert answer.status_int == 200, answer.text
    return [image["id"] for image in answer.json["images"]]


def test_image_has_the_fields_of_the_reference(api, images):
    links = [
        {"rel": "self", "href": f"http://cloud.example:8774/v2.1/images/{OWN}"},
        {"rel": "bookmark", "href": f"http://cloud.example:8774/images/{OWN}"},
        {
            "rel": "alternate",
            "type": "application/vnd.openstack.image",
            "href": f"http://images.invalid/images/{OWN}",
        },
    ]
    summary = {"id": OWN, "name": "snap", "links": links}
    whole = summary | {
        "created": "2026-01-02T03:04:05Z",
        "updated": "2026-01-02T03:04:05Z",
        "status": "ACTIVE",
        "progress": 100,
        "minDisk": 2,
        "minRam": 64,
        "metadata": {
            "instance_uuid": SERVER,
            "image_type": "snapshot",
            "auto_disk_config": "True",
        },
        "server": {
            "id": SERVER,
            "links": [
                {"rel": "self", "href": f"http://cloud.example:8774/v2.1/servers/{SERVER}"},
                {"rel": "bookmark", "href": f"http://cloud.example:8774/servers/{SERVER}"},
            ],
        },
        "OS-DCF:diskConfig": "AUTO",
        "OS-EXT-IMG-SIZE:size": 5,
    }
    assert api.rest.get(f"/images/{OWN}").json == {"image": whole}
    assert api.rest.get("/images").json["images"][0] == summary
    assert api.rest.get("/images/detail").json["images"][0] == whole


def test_ordinary_image_names_no_server_and_no_disk_configuration(api, images):
    found = api.rest.get(f"/images/{IMAGE_ID}").json["image"]
    assert found.keys() & {"server", "OS-DCF:diskConfig"} == set()


@pytest.mark.parametrize(
    ("status", "shown", "progress"),
    [
        ("active", "ACTIVE", 100),
        ("queued", "SAVING", 25),
        ("saving", "SAVING", 50),
        ("killed", "ERROR", 0),
        ("deleted", "DELETED", 0),
        ("pending_delete", "DELETED", 0),
        ("deactivated", "UNKNOWN", 0),
        ("importing", "UNKNOWN", 0),
    ],
)
def test_statuses(api, images, status, shown, progress):
    found = api.rest.get(f"/images/{add(images, 1, status=status)}").json["image"]
    assert (found["status"], found["progress"]) == (shown, progress)


def test_img_17_foreign_images_do_not_exist(api, images):
    assert ids(api.rest.get("/images/detail")) == [OWN, IMAGE_ID]
    for request in (
        lambda: api.rest.get(f"/images/{FOREIGN}"),
        lambda: api.rest.delete(f"/images/{FOREIGN}"),
        lambda: api.rest.get(f"/images/{FOREIGN}/metadata"),
        lambda: api.rest.post(f"/images/{FOREIGN}/metadata", {"metadata": {"a": "1"}}),
        lambda: api.rest.put(f"/images/{FOREIGN}/metadata", {"metadata": {"a": "1"}}),
        lambda: api.rest.get(f"/images/{FOREIGN}/metadata/a"),
        lambda: api.rest.put(f"/images/{FOREIGN}/metadata/a", {"meta": {"a": "1"}}),
        lambda: api.rest.delete(f"/images/{FOREIGN}/metadata/a"),
    ):
        assert request().status_int in (404,)
    assert images.get(None, FOREIGN).properties == {}


def test_public_image_of_others_is_shown_but_not_deleted(api, images):
    assert api.rest.get(f"/images/{IMAGE_ID}").status_int == 200
    assert api.rest.delete(f"/images/{IMAGE_ID}").status_int == 403


def test_own_image_is_deleted(api, images):
    assert api.rest.delete(f"/images/{OWN}").status_int == 204
    assert api.rest.get(f"/images/{OWN}").status_int == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=snap", [OWN]),
        ("status=active", [OWN, IMAGE_ID]),
        ("status=ACTIVE", [OWN, IMAGE_ID]),
        ("status=SAVING", []),
        ("status=nonsense", []),
        (f"server={SERVER}", [OWN]),
        (f"server=http://cloud.example:8774/v2.1/servers/{SERVER}", [OWN]),
        ("server=another", []),
        ("type=snapshot", [OWN]),
        ("type=backup", []),
        ("minRam=64", [OWN, IMAGE_ID]),
        ("minDisk=2", [OWN]),
        ("property-image_type=snapshot", [OWN]),
        ("property-image_type=backup", []),
        ("property-visibility=private", [OWN, IMAGE_ID]),
        ("changes-since=2026-01-01T00:00:00Z", [OWN, IMAGE_ID]),
        ("changes-since=2099-01-01T00:00:00Z", []),
        ("unknown=x", [OWN, IMAGE_ID]),
    ],
)
def test_lists_are_filtered(api, images, query, found):
    assert ids(api.rest.get(f"/images?{query}")) == found
    assert ids(api.rest.get(f"/images/detail?{query}")) == found


def test_saving_stands_for_two_statuses(api, images):
    queued, saving = add(images, 1, status="queued"), add(images, 2, status="saving")
    assert ids(api.rest.get("/images?status=SAVING")) == [saving, queued]


def test_lists_come_in_pages(api, images):
    more = [add(images, number) for number in range(3)][::-1]
    everything = [*more, OWN, IMAGE_ID]
    seen, path = [], "/images?limit=2"
    while path:
        answer = api.rest.get(path)
        seen += ids(answer)
        links = answer.json.get("images_links", [])
        path = links[0]["href"].partition("/v2.1")[2] if links else None
    assert seen == everything


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "marker=nothing", "changes-since=x", "minRam=x"]
)
def test_odd_queries_are_refused(api, images, query):
    assert api.rest.get(f"/images?{query}").status_int == 400


@pytest.mark.parametrize(
    ("method", "path", "last"),
    [
        ("GET", "/images", "2.35"),
        ("GET", "/images/detail", "2.35"),
        ("GET", f"/images/{OWN}", "2.35"),
        ("GET", f"/images/{OWN}/metadata", "2.38"),
        ("GET", f"/images/{OWN}/metadata/image_type", "2.38"),
    ],
)
def test_proxies_end(api, images, method, path, last):
    after = f"2.{int(last[2:]) + 1}"
    assert api.rest.at(last).request(method, path).status_int == 200
    assert api.rest.at(after).request(method, path).status_int == 404


# --- Metadata


@pytest.fixture
def plain(cloud):
    """Return an API with a conductor, and an own image with two properties."""
    image = Image(id=OWN, name="own", owner=PROJECT, properties={"a": "1", "b": "2"})
    cloud.images.add(image, b"x")
    return cloud


def test_metadata_is_read(plain):
    assert plain.rest.get(f"/images/{OWN}/metadata").json == {"metadata": {"a": "1", "b": "2"}}
    assert plain.rest.get(f"/images/{OWN}/metadata/a").json == {"meta": {"a": "1"}}
    assert plain.rest.get(f"/images/{OWN}/metadata/z").status_int == 404


def test_metadata_is_added_replaced_and_removed(plain):
    path = f"/images/{OWN}/metadata"
    added = plain.rest.post(path, {"metadata": {"a": "9", "c": "3"}})
    assert added.json == {"metadata": {"a": "9", "b": "2", "c": "3"}}
    assert plain.rest.put(f"{path}/a", {"meta": {"a": "8"}}).json == {"meta": {"a": "8"}}
    assert plain.rest.delete(f"{path}/b").status_int == 204
    assert plain.rest.delete(f"{path}/b").status_int == 404
    assert plain.images.get(None, OWN).properties == {"a": "8", "c": "3"}
    assert plain.rest.put(path, {"metadata": {"d": "4"}}).json == {"metadata": {"d": "4"}}
    assert plain.images.get(None, OWN).properties == {"d": "4"}


def test_key_of_path_and_body_agree(plain):
    answer = plain.rest.put(f"/images/{OWN}/metadata/a", {"meta": {"b": "1"}})
    assert answer.status_int == 400


@pytest.mark.parametrize("name", ["visibility", "owner", "id"])
def test_img_17_metadata_are_no_fields(plain, name):
    path = f"/images/{OWN}/metadata"
    for answer in (
        plain.rest.post(path, {"metadata": {name: "public"}}),
        plain.rest.put(path, {"metadata": {name: "public"}}),
        plain.rest.put(f"{path}/{name}", {"meta": {name: "public"}}),
    ):
        assert answer.status_int == 400
    assert plain.rest.get(f"{path}/{name}").status_int == 404
    assert plain.rest.delete(f"{path}/{name}").status_int == 404


def test_metadata_of_others_public_images_stays(plain):
    path = "/images/11111111-2222-3333-4444-555555555555/metadata"
    assert plain.rest.post(path, {"metadata": {"a": "1"}}).status_int == 403
    assert plain.rest.get(path).json == {"metadata": {}}


def test_quota_bounds_metadata(plain):
    path = f"/images/{OWN}/metadata"
    many = {f"k{number}": "v" for number in range(127)}
    assert plain.rest.post(path, {"metadata": many}).status_int == 403
    assert plain.rest.put(path, {"metadata": many}).status_int == 200
    assert plain.rest.put(f"{path}/one", {"meta": {"one": "v"}}).status_int == 200
    assert plain.rest.put(f"{path}/two", {"meta": {"two": "v"}}).status_int == 403
